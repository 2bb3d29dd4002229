/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp.h - a login, from what a user types to who they are.
 *
 * Two functions, and the browser's way to the provider and back in between.
 * Both may talk to other servers, so both can take seconds; both need nothing
 * but what they are given, so any thread, process or machine can run either.
 */
#ifndef ORP_H
#define ORP_H

#include "orp_identity.h"
#include "orp_verify.h"

/**
 * Begin: discover, associate, and find out where to send the browser.
 *
 * The result stands in the login and, saved, in its record: READY with
 * redirect set, or FAILED with status and sentence. A service that cannot be
 * reached is followed by the next one.
 *
 * @param login  NEW, with typed and return_to set; changed
 * @return APR_SUCCESS where login->state is READY; else login->status
 */
ORP_MUST_USE apr_status_t orp_login_begin(orp_login_t *login,
                                          const orp_env_t *env,
                                          const orp_rp_t *rp,
                                          orp_reason_t *why,
                                          apr_pool_t *pool);

/**
 * Complete: verify the provider's answer, whatever it says, and use it up.
 *
 * A login is completed once: of all who call this with the same answer, one
 * gets the identity. An answer that is refused leaves the login as it was, so
 * that forgeries cannot end it.
 *
 * @param pidentity  set on success
 * @param assertion  its login is DONE in the store on success
 * @return APR_SUCCESS; ORP_ECANCEL, ORP_ESETUP, ORP_EOPERROR where the
 *         provider says no; ORP_EMODE; what the functions of orp_verify.h
 *         return; ORP_ENONCEAGE, ORP_EREPLAY, ORP_EFULL, ORP_ESTORE
 */
ORP_MUST_USE apr_status_t orp_login_complete(
    orp_identity_t **pidentity, const orp_env_t *env, const orp_rp_t *rp,
    const orp_assertion_t *assertion, orp_reason_t *why, apr_pool_t *pool);

#endif
