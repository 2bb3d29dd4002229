/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_params.h - ordered lists of names and values, and how they travel.
 *
 * One type serves all of them: query strings and form bodies
 * (application/x-www-form-urlencoded), key-value form (OpenID Authentication
 * 2.0, 4.1.1), and the records in the store. Order and repetition are kept;
 * who must not see a name twice asks orp_params_count().
 */
#ifndef ORP_PARAMS_H
#define ORP_PARAMS_H

#include <apr_tables.h>

#include "orp_status.h"

/** The most parameters that are read from one text. */
#define ORP_PARAMS_MAX 512

/** The longest text that is read at all, in bytes. */
#define ORP_PARAMS_SIZE_MAX (256 * 1024)

typedef struct orp_params_t orp_params_t;

/** An empty list; its strings will live in pool. */
orp_params_t *orp_params_create(apr_pool_t *pool);

/** Add at the end; both are copied. A NULL value adds nothing. */
void orp_params_add(orp_params_t *params, const char *name,
                    const char *value);

/** Add a list of const char * as one value, separated by commas; an empty
 * list adds nothing. */
void orp_params_add_list(orp_params_t *params, const char *name,
                         const apr_array_header_t *list);

/** How many there are. */
int orp_params_size(const orp_params_t *params);

/** The index-th name, counted from 0. */
const char *orp_params_name(const orp_params_t *params, int index);

/** The index-th value, counted from 0. */
const char *orp_params_value(const orp_params_t *params, int index);

/** The first value of this name, or NULL. */
const char *orp_params_get(const orp_params_t *params, const char *name);

/** How often this name occurs. */
int orp_params_count(const orp_params_t *params, const char *name);

/** Overwrite the values of this name, which were secret; they are "" then. */
void orp_params_cleanse(orp_params_t *params, const char *name);

/**
 * Read a query string or form body. Only "&" separates, and what stands
 * between two of them is one parameter, unless it is nothing at all. A name
 * may be empty, and any decoded byte but NUL may occur: a site's own forms are
 * read by this too. orp_message.h is stricter about what is ours.
 * @param text  not NUL-terminated necessarily; size bytes are read
 * @return APR_SUCCESS; ORP_EENCODING for a broken escape or a NUL;
 *         ORP_ETOOBIG over ORP_PARAMS_MAX or ORP_PARAMS_SIZE_MAX
 */
ORP_MUST_USE apr_status_t orp_params_parse_form(orp_params_t **pparams,
                                                const char *text,
                                                apr_size_t size,
                                                apr_pool_t *pool);

/** Write a query string or form body. */
const char *orp_params_form(const orp_params_t *params, apr_pool_t *pool);

/**
 * Read key-value form: lines "key:value", each ended by one newline.
 * @return APR_SUCCESS; ORP_EENCODING for a line without a colon or without
 *         its newline, a control character, or an empty key; ORP_ETOOBIG
 */
ORP_MUST_USE apr_status_t orp_params_parse_kv(orp_params_t **pparams,
                                              const char *text,
                                              apr_size_t size,
                                              apr_pool_t *pool);

/**
 * Take parameters out of a raw query string and leave the rest as it is, byte
 * for byte: order, empty and repeated parameters, spelling of escapes.
 * @param query  without "?"
 * @param name   compared with the decoded names
 * @return NULL where nothing is left
 */
const char *orp_query_without(const char *query, const char *name,
                              apr_pool_t *pool);

/** A URL with these parameters added to its query. */
const char *orp_params_url(const char *url, const orp_params_t *params,
                           apr_pool_t *pool);

#endif
