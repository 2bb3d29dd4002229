/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_place_reader.h - what the two files that read a place share.
 *
 * orp_store_place.c reads the type, the servers and what stands before "@";
 * orp_store_place_options.c what stands behind "?", and the sort of value that
 * stands there: sizes, times, paths, numbers.
 */
#ifndef ORP_STORE_PLACE_READER_H
#define ORP_STORE_PLACE_READER_H

#include "orp_store_place.h"

/** The longest user name or password, in bytes. */
#define ORP_PLACE_SECRET_MAX 1024

/** A place that is being read. Its strings are in pool. */
typedef struct reader_t {
    orp_store_place_t *place;
    apr_port_t port;            /* the default */
    unsigned int options;       /* bits: the options that were there */
    int secret;                 /* what is read must not be repeated in a
                                 * sentence: it may be of the password */
    orp_reason_t *why;
    apr_pool_t *pool;
} reader_t;

/** Say what is wrong. @return APR_EINVAL */
apr_status_t orp_place_refuse(reader_t *reader, const char *fmt, ...)
    ORP_PRINTF(2, 3);

/** A part of the text, for a sentence: " \"x\"", or "" where it may be
 * secret. */
const char *orp_place_quoted(const reader_t *reader, const char *part);

/** Cut text at a character: @return what stands behind it, or NULL. */
char *orp_place_cut(char *text, char at);

/** Read a size into the place. */
apr_status_t orp_place_read_size(reader_t *reader, const char *text);

/** Read the number of a database into the place. */
apr_status_t orp_place_read_database(reader_t *reader, const char *text);

/** Is this the absolute path of a file? @param what  "socket", … */
apr_status_t orp_place_check_path(reader_t *reader, const char *what,
                                  const char *path);

/** Read options. @param text  what stands behind "?", or NULL */
apr_status_t orp_place_read_options(reader_t *reader, const char *text);

#endif
