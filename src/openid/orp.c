/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_associate.h"
#include "orp_checkid.h"
#include "orp_discover.h"
#include "orp_nonce.h"
#include "orp_store.h"

/** The most of a provider's own error message that is passed on. */
#define OP_ERROR_MAX 200

/** How long a provider that makes no associations is not asked for one. */
#define NO_ASSOC_TIME (60 * 60 * APR_USEC_PER_SEC)

/* ---------------------------------------------------------------------- */
/* Begin */

typedef struct {
    orp_login_t *login;
    const orp_env_t *env;
    const orp_rp_t *rp;
    orp_reason_t *why;
    apr_pool_t *pool;
} beginning_t;

static const char *no_assoc_key(const char *endpoint, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "no-association ", endpoint, NULL);
}

static int makes_none(const beginning_t *b, const char *endpoint)
{
    const char *value;

    return orp_store_get(&value, NULL, b->env->store, ORP_STORE_CACHE,
                         no_assoc_key(endpoint, b->pool),
                         orp_env_now(b->env), b->pool) == APR_SUCCESS;
}

/* Remember that it makes none. Only a cache: if that fails, it is asked
 * again. */
static void remember_none(const beginning_t *b, const char *endpoint)
{
    apr_time_t now = orp_env_now(b->env);

    if (orp_store_put(b->env->store, ORP_STORE_CACHE,
                      no_assoc_key(endpoint, b->pool), "", 0,
                      now + NO_ASSOC_TIME, now) != APR_SUCCESS) {
        orp_log(b->env, ORP_LOG_DEBUG, 105, b->pool,
                "store: no room to remember that %s makes no associations",
                endpoint);
    }
}

/* Is it the way to the provider that failed, so that another endpoint may
 * help, and the browser would fare no better? */
static int is_unreachable(apr_status_t status)
{
    return status >= ORP_ERESOLVE && status <= ORP_EFETCH;
}

/* Make an association where there is none yet. A provider that does not
 * associate is no obstacle: it is asked about its signature later (8, 11.4).
 * @return APR_SUCCESS, also without a handle; or why it cannot be reached */
static apr_status_t ensure_assoc(const char **phandle, const beginning_t *b,
                                 const orp_service_t *service)
{
    orp_associate_t request = {
        service->endpoint, orp_service_version(service->kind), NULL, NULL
    };
    orp_assoc_t *assoc;
    apr_status_t status;

    if (b->rp->associate == ORP_ASSOCIATE_NEVER) {
        return APR_SUCCESS;
    }
    status = orp_assoc_find(&assoc, b->env, service->endpoint, NULL,
                            b->pool);
    if (status == APR_SUCCESS) {
        *phandle = assoc->handle;
        return APR_SUCCESS;
    }
    if (makes_none(b, service->endpoint)) {
        return APR_SUCCESS;
    }
    status = orp_associate(&assoc, b->env, &request, b->why, b->pool);
    if (status == APR_SUCCESS
        && orp_assoc_save(assoc, b->env, b->pool) == APR_SUCCESS) {
        *phandle = assoc->handle;
        return APR_SUCCESS;
    }
    if (status == ORP_ENOASSOC) {
        remember_none(b, service->endpoint);
    }
    if (status != APR_SUCCESS) {
        orp_log(b->env, ORP_LOG_INFO, 106, b->pool,
                "no association with %s (%s): %s", service->endpoint,
                orp_status_code(status), b->why->sentence);
    }
    return is_unreachable(status) ? status : APR_SUCCESS;
}

static void prepare(const beginning_t *b, const orp_service_t *service,
                    const char *claimed_id, const char *handle)
{
    orp_login_t *login = b->login;

    login->version = orp_service_version(service->kind);
    login->endpoint = service->endpoint;
    if (service->kind != ORP_SERVER_20) {
        login->claimed_id = claimed_id;
        login->local_id = service->local_id ? service->local_id
            : claimed_id;
    }
    login->assoc_handle = handle;
    login->redirect = orp_checkid_url(login, b->rp, b->pool);
    login->state = ORP_LOGIN_READY;
}

/* The first service that can be reached. */
static apr_status_t choose_service(const beginning_t *b,
                                   const orp_discovery_t *discovery)
{
    apr_status_t status = ORP_ENOTOPENID;
    int i;

    for (i = 0; i < discovery->services->nelts; i++) {
        const orp_service_t *service = APR_ARRAY_IDX(discovery->services, i,
                                                     orp_service_t *);
        const char *handle = NULL;

        status = ensure_assoc(&handle, b, service);
        if (status == APR_SUCCESS) {
            prepare(b, service, discovery->claimed_id, handle);
            break;
        }
    }
    return status;
}

static apr_status_t begin(const beginning_t *b)
{
    orp_identifier_t *identifier;
    orp_discovery_t *discovery;
    apr_status_t status = orp_identifier_normalize(&identifier,
                                                   b->login->typed, b->why,
                                                   b->pool);

    if (status == APR_SUCCESS) {
        status = orp_discover(&discovery, b->env, identifier, b->why,
                              b->pool);
    }
    if (status == APR_SUCCESS) {
        status = choose_service(b, discovery);
    }
    return status;
}

static apr_status_t fail(const beginning_t *b, apr_status_t status)
{
    orp_login_t *login = b->login;
    char buf[200];

    if (!*b->why->sentence || b->why->status != status) {
        (void)orp_reason_set(b->why, status, NULL, "%s",
                             orp_strerror(status, buf, sizeof(buf)));
    }
    login->state = ORP_LOGIN_FAILED;
    login->status = status;
    login->sentence = b->why->sentence;
    orp_log(b->env, ORP_LOG_INFO, 110, b->pool,
            "login refused (%s): \"%s\": %s", orp_status_code(status),
            login->typed, login->sentence);
    return status;
}

apr_status_t orp_login_begin(orp_login_t *login, const orp_env_t *env,
                             const orp_rp_t *rp, orp_reason_t *why,
                             apr_pool_t *pool)
{
    beginning_t b = { login, env, rp, why, pool };
    apr_status_t status = begin(&b);
    apr_status_t saved;

    if (status == APR_SUCCESS) {
        orp_log(env, ORP_LOG_INFO, 111, pool,
                "login begun: \"%s\" at %s, %s", login->typed,
                login->endpoint, login->assoc_handle ? "with an association"
                : "stateless");
    }
    else {
        status = fail(&b, status);
    }
    saved = orp_login_save(login, env, pool);
    if (saved != APR_SUCCESS && status == APR_SUCCESS) {
        status = fail(&b, saved);
    }
    return status;
}

/* ---------------------------------------------------------------------- */
/* Complete */

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

    if (!strcmp(mode, "id_res")) {
        return APR_SUCCESS;
    }
    if (!strcmp(mode, "cancel")) {
        return orp_reason_set(why, ORP_ECANCEL, NULL,
                              "You cancelled the login at your provider.");
    }
    if (!strcmp(mode, "setup_needed")) {
        return orp_reason_set(why, ORP_ESETUP, NULL,
                              "Your provider has to ask you something "
                              "first.");
    }
    if (!strcmp(mode, "error")) {
        return check_error(message, why, pool);
    }
    return orp_reason_set(why, ORP_EMODE, mode,
                          "The provider's message is of no kind that answers "
                          "a login.");
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
    identity->auth_time = orp_env_now(env);
    identity->sreg = orp_sreg_response(message, rp->sreg, pool);
    identity->ax = orp_ax_response(message, rp->ax, pool);
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
    if (status == APR_SUCCESS) {
        status = orp_verify_form(message, why, pool);
    }
    if (status == APR_SUCCESS) {
        status = orp_verify(&claimed_id, env, assertion, why, pool);
    }
    if (status == APR_SUCCESS) {
        status = use_up(env, login, message, rp, why, pool);
    }
    if (status != APR_SUCCESS) {
        orp_log(env, ORP_LOG_INFO, 112, pool, "login refused (%s): %s: %s",
                orp_status_code(status),
                login->endpoint ? login->endpoint : "(no provider)",
                why->sentence);
        return status;
    }
    *pidentity = make_identity(env, login, message, rp, claimed_id, pool);
    orp_log(env, ORP_LOG_INFO, 113, pool, "login completed: %s at %s",
            claimed_id, login->endpoint);
    return APR_SUCCESS;
}
