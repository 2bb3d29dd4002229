/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_associate.h - agreeing on a secret with a provider (OpenID
 * Authentication 2.0, 8; 1.1, 4.1).
 */
#ifndef ORP_ASSOCIATE_H
#define ORP_ASSOCIATE_H

#include "orp_assoc.h"
#include "orp_http.h"

/** An association is not kept longer than this, whatever the OP says. */
#define ORP_ASSOC_LIFETIME_MAX (14 * 24 * 3600)    /* seconds */

typedef struct orp_associate_t {
    const char *endpoint;       /* OP endpoint URL, normalized */
    orp_version_e version;
    const char *assoc_type;     /* "HMAC-SHA256", or NULL: the best one that
                                 * the provider takes */
    const char *session_type;   /* "DH-SHA256", or NULL likewise */
} orp_associate_t;

/**
 * Associate, and do not save it.
 *
 * Where types are left open, the best are asked for; a provider that calls
 * them unsupported is asked once more, with what it suggests if we allow
 * that, else with the next ones of ours. "no-encryption" is asked for, and
 * accepted, only where the endpoint is https (8.4.1).
 *
 * @param passoc  set on success
 * @return APR_SUCCESS; ORP_ENOASSOC where the provider makes none of ours;
 *         ORP_EASSOCIATE where its reply cannot be used; APR_EINVAL where the
 *         types asked for do not go together; what orp_http_post() returns
 */
ORP_MUST_USE apr_status_t orp_associate(orp_assoc_t **passoc,
                                        const orp_env_t *env,
                                        const orp_associate_t *request,
                                        orp_reason_t *why,
                                        apr_pool_t *pool);

#endif
