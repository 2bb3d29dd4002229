/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_url.h - http and https URLs, taken apart and normalized.
 *
 * Two identifiers are the same user exactly when their normalized URLs are
 * the same bytes, so this file decides who is who. It does what RFC 3986, 6.2
 * calls syntax-based and scheme-based normalization, and nothing more: case
 * of scheme and host, default port, dot segments, empty path, percent-encoded
 * unreserved characters, case of the other escapes. Path and query keep their
 * case; an empty query ("/?") is not the same as none.
 *
 * Refused, never repaired: other schemes, user information, empty hosts,
 * control characters and spaces, broken escapes, text that is not UTF-8,
 * hosts with other characters than letters, digits, "-", "_" and ".". A host
 * in another script is converted to its ASCII form (IDNA), other text of an
 * IRI to escaped UTF-8.
 */
#ifndef ORP_URL_H
#define ORP_URL_H

#include "orp_status.h"

/** The longest URL that is looked at, in bytes. */
#define ORP_URL_MAX 2048

/** An absolute URL, normalized. */
typedef struct orp_url_t {
    const char *scheme;         /* "http" or "https" */
    const char *host;           /* lower case; IPv6 with its brackets */
    int port;                   /* never 0 */
    const char *path;           /* begins with "/" */
    const char *query;          /* without "?", or NULL */
    const char *fragment;       /* without "#", or NULL */
} orp_url_t;

/**
 * Take an absolute URL apart and normalize it.
 * @param purl  set on success
 * @param why   may be NULL; says what is wrong with it
 * @return APR_SUCCESS; ORP_ESCHEME for another scheme than http and https;
 *         ORP_EURL for anything else that is wrong
 */
ORP_MUST_USE apr_status_t orp_url_parse(orp_url_t **purl, const char *text,
                                        orp_reason_t *why,
                                        apr_pool_t *pool);

/** Write it down, without its fragment. */
const char *orp_url_string(const orp_url_t *url, apr_pool_t *pool);

/** "https://example.com" or "http://example.com:8080". */
const char *orp_url_origin(const orp_url_t *url, apr_pool_t *pool);

/** The port that a scheme implies, 80 or 443. */
int orp_url_default_port(const char *scheme);

/**
 * Find what a reference means on a page (RFC 3986, 5.2), normalized.
 * @param base  an absolute URL
 * @param ref   absolute or relative, as found in a header or attribute
 */
ORP_MUST_USE apr_status_t orp_url_resolve(orp_url_t **purl,
                                          const orp_url_t *base,
                                          const char *ref,
                                          orp_reason_t *why,
                                          apr_pool_t *pool);

/** Parse and write down: the normalized form of an absolute URL. */
ORP_MUST_USE apr_status_t orp_url_normalize(const char **pnormal,
                                            const char *text,
                                            orp_reason_t *why,
                                            apr_pool_t *pool);

#endif
