/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_task.h - the part of a login that talks to other servers.
 *
 * A task gets all it needs when it is made, works in a pool of its own, and
 * has a beginning and an end; what it found stands in the login's record, in
 * the store. It runs in the request for now, whose log it writes to; nothing
 * else in it depends on the thread, process or request.
 */
#ifndef OPENID2RP_TASK_H
#define OPENID2RP_TASK_H

#include "openid2rp_config.h"
#include "orp.h"

/**
 * Begin a login that is in the store as NEW: orp_login_begin().
 * @param key     of the login
 * @param origin  of this site
 * @return APR_SUCCESS: its record is READY; else why not
 */
ORP_MUST_USE apr_status_t openid2rp_task_begin(const char *key,
                                               request_rec *r,
                                               const char *origin,
                                               orp_reason_t *why);

/**
 * Complete a login: orp_login_complete().
 * @param pidentity  set on success; lives as long as r
 */
ORP_MUST_USE apr_status_t openid2rp_task_complete(
    orp_identity_t **pidentity, request_rec *r,
    const orp_assertion_t *assertion, orp_reason_t *why);

#endif
