/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_codec.h - small encodings, all strict.
 *
 * Decoders accept exactly what the encoders produce: a second spelling of the
 * same bytes is refused, so that nothing signed has two readings.
 */
#ifndef ORP_CODEC_H
#define ORP_CODEC_H

#include <apr_time.h>

#include "orp_status.h"

/** Base64 with padding and without line breaks (RFC 4648, 4). */
const char *orp_base64_encode(const unsigned char *bytes, apr_size_t size,
                              apr_pool_t *pool);

/**
 * Decode base64.
 * @return APR_SUCCESS or ORP_EENCODING: a foreign character, wrong padding,
 *         or nonzero bits behind the last byte
 */
ORP_MUST_USE apr_status_t orp_base64_decode(unsigned char **pbytes,
                                            apr_size_t *psize,
                                            const char *text,
                                            apr_pool_t *pool);

/** Base64 for URLs and cookies, without padding (RFC 4648, 5). */
const char *orp_base64url_encode(const unsigned char *bytes,
                                 apr_size_t size, apr_pool_t *pool);

/** How many characters of that alphabet a text begins with. */
apr_size_t orp_base64url_span(const char *text);

/** Lower-case hexadecimal. */
const char *orp_hex_encode(const unsigned char *bytes, apr_size_t size,
                           apr_pool_t *pool);

/**
 * The shortest big-endian two's complement form of a number that is not
 * negative (OpenID Authentication 2.0, 4.2, "btwoc").
 * @param bytes  the number, big-endian, leading zeros allowed
 * @param psize  set to the size of what is returned, at least 1
 */
const unsigned char *orp_btwoc_encode(apr_size_t *psize,
                                      const unsigned char *bytes,
                                      apr_size_t size, apr_pool_t *pool);

/**
 * Read a btwoc number: @return APR_SUCCESS, with *pbytes pointing into bytes
 * at the first byte that is not 0 (and *psize 0 for zero), or ORP_EENCODING
 * where it is empty, negative, or not the shortest form.
 */
ORP_MUST_USE apr_status_t orp_btwoc_decode(const unsigned char **pbytes,
                                           apr_size_t *psize,
                                           const unsigned char *bytes,
                                           apr_size_t size);

/** Percent-encode all but the unreserved characters (RFC 3986, 2.3). */
const char *orp_percent_encode(const char *text, apr_pool_t *pool);

/**
 * Decode the name or value of a form field: "%XX" and, where plus is nonzero,
 * "+" as a space.
 * @param size  how much of text to read, in bytes
 * @return APR_SUCCESS, or ORP_EENCODING for a broken escape or a NUL
 */
ORP_MUST_USE apr_status_t orp_percent_decode(const char **pdecoded,
                                             const char *text,
                                             apr_size_t size, int plus,
                                             apr_pool_t *pool);

/** The value of a hexadecimal digit, or -1. */
int orp_hex_digit(char c);

/** Is this well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates)? */
int orp_utf8_valid(const char *text, apr_size_t size);

/** Are these bytes all below 0x80? */
int orp_is_ascii(const char *text, apr_size_t size);

/** Does text hold a byte below 0x20, or 0x7F? */
int orp_has_control(const char *text);

/**
 * Read a whole number in decimal, digits only, nothing before or behind.
 * @return APR_SUCCESS, or ORP_EENCODING where it is none or over max
 */
ORP_MUST_USE apr_status_t orp_number_parse(apr_uint64_t *pnumber,
                                           const char *text,
                                           apr_uint64_t max);

/**
 * Read a size in bytes, as directives and places have it: a number, maybe
 * with K, M or G (powers of 1024, in either case) behind it.
 * @return APR_SUCCESS, or ORP_EENCODING where it is none, 0, or over 1024G
 */
ORP_MUST_USE apr_status_t orp_size_parse(apr_uint64_t *psize,
                                         const char *text,
                                         apr_pool_t *pool);

/**
 * Read a time likewise: a number of seconds, or one with ms, s, m (mi, min) or
 * h behind it.
 * @param max  in microseconds
 * @return APR_SUCCESS, or ORP_EENCODING where it is none, 0, or over max
 */
ORP_MUST_USE apr_status_t orp_interval_parse(apr_interval_time_t *pinterval,
                                             const char *text,
                                             apr_interval_time_t max,
                                             apr_pool_t *pool);

#endif
