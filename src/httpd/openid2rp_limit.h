/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_limit.h - how many logins may begin: OpenIDRateLimit.
 *
 * Starts are counted for each client, and for all of them together, before
 * anything is fetched or stored. The counters have shared memory of their own
 * (store/orp_rate.h), of a size that does not depend on how many clients there
 * are: a flood costs the store nothing. Like the store's, it outlives restarts.
 *
 * Whose counters: a limit that is set in the main server, or a default, is one
 * for all virtual hosts that have none of their own; one that a virtual host
 * has is for what begins there.
 */
#ifndef OPENID2RP_LIMIT_H
#define OPENID2RP_LIMIT_H

#include "openid2rp.h"
#include "orp_status.h"

/** The limits of one server. */
typedef struct openid2rp_limit_t openid2rp_limit_t;

/**
 * In the parent, once all servers have their settings: give each its limits,
 * in openid2rp_runtime_t.limit.
 * @return APR_SUCCESS; else httpd must not start, and the log says why
 */
ORP_MUST_USE apr_status_t openid2rp_limit_prepare(server_rec *s,
                                                  apr_pool_t *pconf);

/**
 * May a login begin? If so, it is counted.
 * @param why  set where it may not; the log and the header Retry-After have
 *             been seen to
 * @return APR_SUCCESS, ORP_ERATE, or ORP_ECRYPTO
 */
ORP_MUST_USE apr_status_t openid2rp_limit_take(request_rec *r,
                                               orp_reason_t *why);

/**
 * May a request for a host that is not ours have a line in the log? Anybody
 * can send any number of them; 60 a minute have one, of all servers together.
 * @param punsaid  set, where it may: how many had none since the last line
 */
int openid2rp_limit_line(apr_uint64_t *punsaid, request_rec *r);

#endif
