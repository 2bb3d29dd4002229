/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_json.h - writing JSON (RFC 8259). Nothing here reads it. */
#ifndef ORP_JSON_H
#define ORP_JSON_H

#include <apr_tables.h>

#include "orp_status.h"

/** A JSON string with its quotes, or null for NULL. Bytes that are not UTF-8
 * are replaced. */
const char *orp_json_string(const char *text, apr_pool_t *pool);

/** A JSON array of JSON texts (const char *). */
const char *orp_json_array(const apr_array_header_t *items,
                           apr_pool_t *pool);

/** A JSON array of strings (const char *, not yet JSON). */
const char *orp_json_strings(const apr_array_header_t *texts,
                             apr_pool_t *pool);

/** Add one member to a list that orp_json_object() makes an object of. */
void orp_json_member(apr_array_header_t *members, const char *name,
                     const char *json, apr_pool_t *pool);

/** A JSON object of members made by orp_json_member(). */
const char *orp_json_object(const apr_array_header_t *members,
                            apr_pool_t *pool);

#endif
