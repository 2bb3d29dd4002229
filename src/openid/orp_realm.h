/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_realm.h - the part of the web that a user is asked to trust (OpenID
 * Authentication 2.0, 9.2; 1.1 calls it trust_root).
 */
#ifndef ORP_REALM_H
#define ORP_REALM_H

#include "orp_url.h"

typedef struct orp_realm_t {
    const orp_url_t *url;       /* its host without the wild-card */
    int wildcard;               /* nonzero: "*." stands before the host */
} orp_realm_t;

/**
 * Take a realm apart.
 * @param why  may be NULL; says what is wrong with it
 * @return APR_SUCCESS; ORP_EREALM where it is no URL pattern, has a fragment,
 *         or would cover a whole public suffix ("http://" "*.com/")
 */
ORP_MUST_USE apr_status_t orp_realm_parse(orp_realm_t **prealm,
                                          const char *text,
                                          orp_reason_t *why,
                                          apr_pool_t *pool);

/** Does a URL, such as a return_to, match the realm (9.2)? */
int orp_realm_matches(const orp_realm_t *realm, const orp_url_t *url);

/**
 * Both in one: does return_to match the realm?
 * @return APR_SUCCESS, ORP_EREALM, or ORP_EURL for the second argument
 */
ORP_MUST_USE apr_status_t orp_realm_check(const char *realm,
                                          const char *return_to,
                                          orp_reason_t *why,
                                          apr_pool_t *pool);

#endif
