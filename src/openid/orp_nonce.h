/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_nonce.h - response nonces: one assertion, one login.
 *
 * A response nonce is "2005-05-15T17:11:51ZUNIQUE": a UTC time and a salt, at
 * most 255 characters (OpenID Authentication 2.0, 10.1 and 11.3).
 */
#ifndef ORP_NONCE_H
#define ORP_NONCE_H

#include "orp_env.h"

/** How far ahead of ours a provider's clock may be, in microseconds. */
#define ORP_NONCE_AHEAD (2 * 60 * APR_USEC_PER_SEC)

typedef struct orp_nonce_t {
    apr_time_t issued;          /* the provider's clock, microseconds */
    const char *salt;           /* what follows the Z; may be empty */
} orp_nonce_t;

/**
 * Parse the text of openid.response_nonce.
 * @param pnonce  set on success; points into pool
 * @param text    as received, decoded
 * @return APR_SUCCESS, or ORP_ENONCE where text is not of that form
 */
ORP_MUST_USE apr_status_t orp_nonce_parse(orp_nonce_t **pnonce,
                                          const char *text,
                                          apr_pool_t *pool);

/**
 * Is a nonce inside the window in which it is accepted?
 * @param lifetime  how old it may be, in microseconds
 * @return APR_SUCCESS or ORP_ENONCEAGE
 */
ORP_MUST_USE apr_status_t orp_nonce_check_age(const orp_nonce_t *nonce,
                                              apr_time_t now,
                                              apr_interval_time_t lifetime);

/**
 * Use a nonce up, for as long as it would be accepted and a minute more.
 * @param endpoint  the OP endpoint that issued it
 * @param text      the whole nonce, as received
 * @return APR_SUCCESS for exactly one caller; ORP_EREPLAY for all others;
 *         ORP_ENONCE, ORP_ENONCEAGE; ORP_EFULL or ORP_ESTORE, in which cases
 *         the login must be refused
 */
ORP_MUST_USE apr_status_t orp_nonce_claim(const orp_env_t *env,
                                          const char *endpoint,
                                          const char *text,
                                          apr_interval_time_t lifetime,
                                          apr_pool_t *pool);

#endif
