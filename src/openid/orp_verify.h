/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_verify.h - is this positive assertion true, and an answer to this login
 * (OpenID Authentication 2.0, 11; 1.1, 4.2.2 and 4.4)?
 */
#ifndef ORP_VERIFY_H
#define ORP_VERIFY_H

#include "orp_login.h"
#include "orp_rp.h"

/** An assertion, the login that it answers, and how it came to us. */
typedef struct orp_assertion_t {
    const orp_message_t *message;
    const orp_login_t *login;   /* found by the KEY in its return URL */
    const char *url;            /* of the request that brought it: origin and
                                 * path, without its query */
    const char *origin;         /* of the site that received it */
    const char *browser;        /* value of the login's cookie, or NULL */
} orp_assertion_t;

/**
 * Is a positive assertion complete (10.1)? Nothing but its text is looked at.
 * @return APR_SUCCESS; ORP_EMESSAGE, ORP_EUNSIGNED, ORP_ENONCE, ORP_EVERSION
 */
ORP_MUST_USE apr_status_t orp_verify_form(const orp_message_t *message,
                                          orp_reason_t *why,
                                          apr_pool_t *pool);

/**
 * Does this answer belong to this login: is the login waiting for one, in
 * this browser, on this site? The mode does not matter.
 * @return APR_SUCCESS; ORP_ELOGIN, ORP_EREPLAY, ORP_EBROWSER
 */
ORP_MUST_USE apr_status_t orp_verify_login(const orp_assertion_t *assertion,
                                           orp_reason_t *why,
                                           apr_pool_t *pool);

/**
 * Verify a positive assertion, all of it but its one-time use. Both functions
 * above have been passed. The order is that of DESIGN's section on security:
 * version, return_to, endpoint and identifiers, signature, then discovery of
 * an identifier that the provider chose. A step that fails ends it: nothing
 * is fetched for a message that an earlier step has refused.
 *
 * @param pclaimed_id  set to the verified claimed identifier, normalized,
 *                     with its fragment
 * @return APR_SUCCESS; ORP_EVERSION, ORP_ERETURNTO, ORP_EENDPOINT,
 *         ORP_EIDENTITY, ORP_ESIGNATURE; ORP_ELOGIN where this login has had
 *         other servers asked too often, ORP_EREPLAY where they are being
 *         asked about another answer; ORP_ESTORE, ORP_EFULL; or what goes
 *         wrong when asking the provider
 */
ORP_MUST_USE apr_status_t orp_verify(const char **pclaimed_id,
                                     const orp_env_t *env,
                                     const orp_assertion_t *assertion,
                                     orp_reason_t *why, apr_pool_t *pool);

#endif
