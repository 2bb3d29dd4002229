/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_complete.c - from a provider's answer to who it is. */

#include "orp.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_assoc.h"
#include "orp_background.h"
#include "orp_nonce.h"
#include "orp_profile.h"

/** The most of a provider's own error message that is passed on. */
#define OP_ERROR_MAX 200

static apr_status_t check_error(const orp_message_t *message,
                                orp_reason_t *why, apr_pool_t *pool)
{
    const char *error = orp_message_get(message, "error");
    apr_size_t size;

    if (!error || !*error) {
        return orp_reason_set(why, ORP_EOPERROR, NULL,
                              "The provider reports an error.");
    }
    size = strlen(error);
    if (size > OP_ERROR_MAX) {
        size = OP_ERROR_MAX;
        while ((error[size] & 0xC0) == 0x80) {
            size--;             /* never in the middle of a character */
        }
    }
    return orp_reason_set(why, ORP_EOPERROR, NULL,
                          "The provider reports an error: %s",
                          apr_pstrmemdup(pool, error, size));
}

/* 10.1, 10.2, 5.2.3: what sort of answer it is. */
static apr_status_t check_mode(const orp_message_t *message,
                               orp_reason_t *why, apr_pool_t *pool)
{
    const char *mode = orp_message_get(message, "mode");

    /* 1.1, 4.2.2.1: it looks like an assertion, and is none */
    if (!strcmp(mode, "setup_needed")
        || (!strcmp(mode, "id_res")
            && orp_message_version(message) == ORP_VERSION_1
            && orp_message_get(message, "user_setup_url"))) {
        return orp_reason_set(why, ORP_ESETUP, NULL,
                              "Your provider has to ask you something "
                              "first.");
    }
    if (!strcmp(mode, "id_res")) {
        return APR_SUCCESS;
    }
    if (!strcmp(mode, "cancel")) {
        return orp_reason_set(why, ORP_ECANCEL, NULL,
                              "You cancelled the login at your provider.");
    }
    if (!strcmp(mode, "error")) {
        return check_error(message, why, pool);
    }
    return orp_reason_set(why, ORP_EMODE, mode,
                          "The provider's message is of no kind that answers "
                          "a login.");
}

/* 11.3: before anybody is asked about it. */
static apr_status_t check_age(const orp_env_t *env, const orp_login_t *login,
                              const orp_message_t *message,
                              const orp_rp_t *rp, orp_reason_t *why,
                              apr_pool_t *pool)
{
    char buf[200];
    orp_nonce_t *nonce;
    apr_status_t status = APR_SUCCESS;

    if (login->version == ORP_VERSION_2
        && orp_message_version(message) == ORP_VERSION_2) {
        status = orp_nonce_parse(&nonce,
                                 orp_message_get(message, "response_nonce"),
                                 pool);
        if (status == APR_SUCCESS) {
            status = orp_nonce_check_age(nonce, orp_env_now(env),
                                         rp->nonce_lifetime);
        }
    }
    return status == APR_SUCCESS ? status
        : orp_reason_set(why, status, NULL, "%s",
                         orp_strerror(status, buf, sizeof(buf)));
}

/* 11.3, and the login's own one-time use. In 1.x there is no nonce: the
 * login's key in return_to, random and good for once, serves as ours. */
static apr_status_t use_up(const orp_env_t *env, const orp_login_t *login,
                           const orp_message_t *message, const orp_rp_t *rp,
                           orp_reason_t *why, apr_pool_t *pool)
{
    char buf[200];
    apr_status_t status = APR_SUCCESS;

    if (login->version == ORP_VERSION_2) {
        status = orp_nonce_claim(env, login->endpoint,
                                 orp_message_get(message, "response_nonce"),
                                 rp->nonce_lifetime, pool);
    }
    if (status == APR_SUCCESS) {
        status = orp_login_take(login, env, pool);
    }
    if (status != APR_SUCCESS) {
        return orp_reason_set(why, status, NULL, "%s",
                              orp_strerror(status, buf, sizeof(buf)));
    }
    return APR_SUCCESS;
}

/* Somebody has signed in by this endpoint: now it is worth an association that
 * is kept fresh, unless it makes none. */
static void note_proven(const orp_env_t *env, const orp_login_t *login,
                        const orp_rp_t *rp, apr_pool_t *pool)
{
    if (rp->associate == ORP_ASSOCIATE_BACKGROUND
        && (login->assoc_handle
            || (orp_profile_can(login->endpoint, ORP_CAN_ASSOCIATE)
                && !orp_assoc_makes_none(env, login->endpoint, pool)))) {
        orp_background_want(env, login->endpoint, login->version,
                            rp->site ? rp->site : "", ORP_BACKGROUND_PROVEN,
                            pool);
    }
}

static orp_identity_t *make_identity(const orp_env_t *env,
                                     const orp_login_t *login,
                                     const orp_message_t *message,
                                     const orp_rp_t *rp,
                                     const char *claimed_id,
                                     apr_pool_t *pool)
{
    orp_identity_t *identity = apr_pcalloc(pool, sizeof(*identity));

    identity->claimed_id = claimed_id;
    identity->display = login->claimed_id && login->typed ? login->typed
        : claimed_id;
    identity->endpoint = login->endpoint;
    identity->typed = login->typed;
    identity->auth_time = orp_env_now(env);
    identity->sreg = orp_sreg_response(message, rp->sreg, pool);
    identity->ax = orp_ax_response(message, rp->ax, pool);
    identity->teams = orp_teams_response(message, rp->teams, pool);
    return identity;
}

apr_status_t orp_login_complete(orp_identity_t **pidentity,
                                const orp_env_t *env, const orp_rp_t *rp,
                                const orp_assertion_t *assertion,
                                orp_reason_t *why, apr_pool_t *pool)
{
    const orp_message_t *message = assertion->message;
    const orp_login_t *login = assertion->login;
    const char *claimed_id;
    apr_status_t status = orp_verify_login(assertion, why, pool);

    if (status == APR_SUCCESS) {
        status = check_mode(message, why, pool);
    }
    if (status == APR_SUCCESS && !orp_rp_allows(rp, login->endpoint)) {
        status = orp_reason_set(why, ORP_EPROVIDER, login->endpoint,
                                "This provider is not accepted here.");
    }
    if (status == APR_SUCCESS) {
        status = orp_verify_form(message, why, pool);
    }
    if (status == APR_SUCCESS) {
        status = check_age(env, login, message, rp, why, pool);
    }
    if (status == APR_SUCCESS) {
        status = orp_verify(&claimed_id, env, assertion, why, pool);
    }
    if (status == APR_SUCCESS) {
        status = orp_pape_check(message, rp->pape, orp_env_now(env), why,
                                pool);
    }
    if (status == APR_SUCCESS) {
        status = use_up(env, login, message, rp, why, pool);
    }
    if (status == ORP_ESETUP && login->setup) {
        orp_log(env, ORP_LOG_INFO, 114, pool,
                "%s has to ask the user first", login->endpoint);
        return status;
    }
    if (status != APR_SUCCESS) {
        orp_log(env, ORP_LOG_INFO, 112, pool, "login refused (%s): %s: %s",
                orp_status_code(status),
                login->endpoint ? login->endpoint : "(no provider)",
                why->sentence);
        return status;
    }
    *pidentity = make_identity(env, login, message, rp, claimed_id, pool);
    note_proven(env, login, rp, pool);
    orp_log(env, ORP_LOG_INFO, 113, pool, "login completed: %s at %s",
            claimed_id, login->endpoint);
    return APR_SUCCESS;
}
