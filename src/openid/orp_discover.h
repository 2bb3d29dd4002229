/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_discover.h - from an identifier to its providers (OpenID Authentication
 * 2.0, 7.3).
 */
#ifndef ORP_DISCOVER_H
#define ORP_DISCOVER_H

#include "orp_http.h"
#include "orp_identifier.h"
#include "orp_service.h"

typedef struct orp_discovery_t {
    orp_identifier_kind_e kind;
    const char *claimed_id;     /* the final URL, normalized, or an XRI's
                                 * CanonicalID; where the first
                                 * service is ORP_SERVER_20 it is the OP
                                 * Identifier, and nobody's */
    apr_array_header_t *services;   /* of orp_service_t *, at least one, in
                                     * the order of use */
} orp_discovery_t;

/**
 * Discover: Yadis first, and HTML where that yields no OpenID service. That is
 * three fetches at most, which together take no more than twice the time of
 * one.
 * @param pdiscovery  set on success
 * @param identifier  normalized
 * @param why         one sentence for the person who typed it
 * @return APR_SUCCESS; ORP_EXRI for an XRI that is not resolved;
 *         ORP_ENOTOPENID where nothing is found; what orp_http_get()
 *         returns; ORP_EHTTP; what orp_http_may_ask() returns, where it
 *         refuses every endpoint
 */
ORP_MUST_USE apr_status_t orp_discover(orp_discovery_t **pdiscovery,
                                       const orp_env_t *env,
                                       const orp_identifier_t *identifier,
                                       orp_reason_t *why, apr_pool_t *pool);

#endif
