/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_session.h - who is signed in, from one request to the next.
 *
 * The cookie holds 128 random bits and means nothing by itself. The store has
 * the record under the hash of them, so that a copy of the store is no bunch
 * of keys. A session is good for one origin, ends when it was not used for
 * the idle time, and when it is older than the maximum.
 */
#ifndef OPENID2RP_SESSION_H
#define OPENID2RP_SESSION_H

#include "openid2rp_config.h"
#include "orp_identity.h"

/**
 * Find the session of a request, and keep it alive where the store can be
 * written.
 * @return APR_SUCCESS; ORP_ENOTFOUND where there is none, it is over, or this
 *         section does not accept it; ORP_ESTORE; ORP_EENCODING where its
 *         record is not one; ORP_ECRYPTO
 */
ORP_MUST_USE apr_status_t openid2rp_session_find(orp_identity_t **pidentity,
                                                 request_rec *r);

/** Does this section accept a session of that identity: is its provider one
 * that may sign in here? */
int openid2rp_session_is_accepted(request_rec *r,
                                  const orp_identity_t *identity);

/** Say in the log that sessions cannot be read. An outage is one line for each
 * process, O2RP-301, not one for each request. */
void openid2rp_session_log_failure(request_rec *r, apr_status_t status);

/**
 * Begin a session under a fresh key, end the one that the browser had, and
 * set the cookie.
 * @param origin  the only one that it is good for
 */
ORP_MUST_USE apr_status_t openid2rp_session_begin(
    request_rec *r, const char *origin, const orp_identity_t *identity);

/** End the session of a request, in the store and in the browser. */
ORP_MUST_USE apr_status_t openid2rp_session_end(request_rec *r);

#endif
