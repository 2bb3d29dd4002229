/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_xri.h - i-names and i-numbers, through a proxy resolver (OpenID
 * Authentication 2.0, 7.3, 1 and 7.3.2.3; XRI Resolution 2.0, 11).
 *
 * The proxy is trusted to have walked the chain of authorities; what it says
 * of the CanonicalID is believed where its own verification (the status
 * attribute) says so. Where it says nothing, the CanonicalIDs of the document
 * must lie below each other. In any case a CanonicalID is an XRI of the same
 * root: no i-name stands for somebody's web page.
 */
#ifndef ORP_XRI_H
#define ORP_XRI_H

#include "orp_http.h"
#include "orp_service.h"

typedef struct orp_xri_t {
    const char *canonical_id;   /* the i-number: it is the claimed identifier */
    apr_array_header_t *services;   /* of orp_service_t *, maybe empty */
} orp_xri_t;

/**
 * Resolve an XRI.
 * @param proxy  URL of the proxy resolver, such as "https://xri.net/"
 * @param xri    such as "=name", without "xri://"
 * @return APR_SUCCESS; ORP_EXRI where the answer has no such CanonicalID,
 *         or no ProviderID; ORP_EXML; what orp_http_get() returns; ORP_EHTTP
 */
ORP_MUST_USE apr_status_t orp_xri_resolve(orp_xri_t **pxri,
                                          const orp_env_t *env,
                                          const char *proxy, const char *xri,
                                          orp_reason_t *why,
                                          apr_pool_t *pool);

#endif
