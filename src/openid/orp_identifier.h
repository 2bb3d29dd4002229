/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_identifier.h - what a person types, as an identifier (OpenID
 * Authentication 2.0, 7.2).
 */
#ifndef ORP_IDENTIFIER_H
#define ORP_IDENTIFIER_H

#include "orp_status.h"

/** The longest text that is looked at, and the longest that comes out of it,
 * in bytes. */
#define ORP_IDENTIFIER_MAX 2000

typedef enum {
    ORP_IDENTIFIER_URI,         /* an http or https URL */
    ORP_IDENTIFIER_XRI          /* an i-name or i-number */
} orp_identifier_kind_e;

typedef struct orp_identifier_t {
    orp_identifier_kind_e kind;
    const char *text;           /* normalized: "http://example.com/" without
                                 * a fragment, or "=name" without "xri://" */
} orp_identifier_t;

/**
 * Normalize what a user typed, or what a page gave as OP Identifier: white
 * space around it removed, "xri://" removed, "http://" added where there is
 * no scheme, fragment removed, the rest as in orp_url.h.
 * @param pidentifier  set on success
 * @param text         as received
 * @param why          one sentence for the person who typed it
 * @return APR_SUCCESS, or ORP_EIDENTIFIER
 */
ORP_MUST_USE apr_status_t orp_identifier_normalize(
    orp_identifier_t **pidentifier, const char *text, orp_reason_t *why,
    apr_pool_t *pool);

/** "uri" or "xri". */
const char *orp_identifier_kind_name(orp_identifier_kind_e kind);

#endif
