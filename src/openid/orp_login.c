/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_login.h"

#include <stddef.h>
#include <string.h>

#include <apr_strings.h>

#include "orp_codec.h"
#include "orp_crypto.h"
#include "orp_store.h"

/* A question that nobody has ended, because its process was killed, holds its
 * login for so long. */
#define ASKING_MAX (120 * APR_USEC_PER_SEC)

static const char *const state_names[] = {
    [ORP_LOGIN_NEW] = "new",
    [ORP_LOGIN_READY] = "ready",
    [ORP_LOGIN_FAILED] = "failed",
    [ORP_LOGIN_DONE] = "done",
};
#define STATES (sizeof(state_names) / sizeof(state_names[0]))

/* The text members and their names in the record. */
static const struct {
    const char *name;
    apr_size_t offset;
} texts[] = {
    { "browser", offsetof(orp_login_t, browser) },
    { "origin", offsetof(orp_login_t, origin) },
    { "return_to", offsetof(orp_login_t, return_to) },
    { "target", offsetof(orp_login_t, target) },
    { "typed", offsetof(orp_login_t, typed) },
    { "endpoint", offsetof(orp_login_t, endpoint) },
    { "claimed_id", offsetof(orp_login_t, claimed_id) },
    { "local_id", offsetof(orp_login_t, local_id) },
    { "assoc_handle", offsetof(orp_login_t, assoc_handle) },
    { "redirect", offsetof(orp_login_t, redirect) },
    { "setup", offsetof(orp_login_t, setup) },
    { "answer", offsetof(orp_login_t, answer) },
    { "sentence", offsetof(orp_login_t, sentence) },
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static const char **text_at(const orp_login_t *login, apr_size_t i)
{
    return (const char **)(void *)((char *)login + texts[i].offset);
}

apr_status_t orp_login_create(orp_login_t **plogin, const char **pbrowser,
                              const orp_env_t *env,
                              apr_interval_time_t lifetime, apr_pool_t *pool)
{
    orp_login_t *login = apr_pcalloc(pool, sizeof(*login));
    const char *browser;
    apr_status_t status = orp_env_token(&login->key, env, pool);

    if (status == APR_SUCCESS) {
        status = orp_env_token(&browser, env, pool);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    login->browser = orp_sha256_hex(browser, pool);
    if (!login->browser) {
        return ORP_ECRYPTO;
    }
    login->state = ORP_LOGIN_NEW;
    login->version = ORP_VERSION_2;
    login->expires = orp_env_now(env) + lifetime;
    *pbrowser = browser;
    *plogin = login;
    return APR_SUCCESS;
}

apr_status_t orp_login_save(const orp_login_t *login, const orp_env_t *env,
                            apr_pool_t *pool)
{
    orp_params_t *params = orp_params_create(pool);
    const char *value;
    apr_size_t i;

    orp_params_add(params, "state", state_names[login->state]);
    orp_params_add(params, "expires",
                   apr_psprintf(pool, "%" APR_TIME_T_FMT, login->expires));
    orp_params_add(params, "version", apr_itoa(pool, (int)login->version));
    orp_params_add(params, "status", orp_status_code(login->status));
    for (i = 0; i < TEXTS; i++) {
        orp_params_add(params, texts[i].name, *text_at(login, i));
    }
    value = orp_params_form(params, pool);
    return orp_store_put(env->store, ORP_STORE_LOGIN, login->key, value,
                         strlen(value), login->expires, orp_env_now(env));
}

/* What must be there for the code that uses it; a record that was damaged, or
 * that somebody else has written, may lack it. */
static int is_whole(const orp_login_t *login)
{
    if (!login->browser || !login->origin || !login->return_to
        || !login->target) {
        return 0;
    }
    return login->state != ORP_LOGIN_READY
        || (login->endpoint && login->redirect
            && !login->claimed_id == !login->local_id);
}

static apr_status_t read_record(orp_login_t *login,
                                const orp_params_t *params)
{
    const char *state = orp_params_get(params, "state");
    const char *expires = orp_params_get(params, "expires");
    const char *version = orp_params_get(params, "version");
    const char *code = orp_params_get(params, "status");
    apr_uint64_t when;
    apr_size_t i;

    if (!state || !expires || !version || !code
        || (strcmp(version, "1") && strcmp(version, "2"))
        || orp_number_parse(&when, expires, APR_INT64_MAX) != APR_SUCCESS) {
        return ORP_ESTORE;
    }
    for (i = 0; i < STATES && strcmp(state, state_names[i]); i++) {
        continue;
    }
    if (i == STATES) {
        return ORP_ESTORE;
    }
    login->state = (orp_login_state_e)i;
    login->expires = (apr_time_t)when;
    login->version = !strcmp(version, "1") ? ORP_VERSION_1 : ORP_VERSION_2;
    login->status = orp_status_from_code(code);
    for (i = 0; i < TEXTS; i++) {
        *text_at(login, i) = orp_params_get(params, texts[i].name);
    }
    return is_whole(login) ? APR_SUCCESS : ORP_ESTORE;
}

apr_status_t orp_login_find(orp_login_t **plogin, const orp_env_t *env,
                            const char *key, apr_pool_t *pool)
{
    orp_login_t *login = apr_pcalloc(pool, sizeof(*login));
    orp_params_t *params;
    const char *value;
    apr_size_t size;
    apr_status_t status = orp_store_get(&value, &size, env->store,
                                        ORP_STORE_LOGIN, key,
                                        orp_env_now(env), pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (orp_params_parse_form(&params, value, size, pool) != APR_SUCCESS) {
        return ORP_ESTORE;
    }
    login->key = apr_pstrdup(pool, key);
    status = read_record(login, params);
    if (status == APR_SUCCESS) {
        *plogin = login;
    }
    return status;
}

/* The record that is left: enough to send its browser on its way. */
static apr_status_t leave_done(const orp_login_t *login,
                               const orp_env_t *env, apr_pool_t *pool)
{
    orp_login_t done;

    memset(&done, 0, sizeof(done));
    done.key = login->key;
    done.state = ORP_LOGIN_DONE;
    done.expires = login->expires;
    done.version = login->version;
    done.browser = login->browser;
    done.origin = login->origin;
    done.return_to = login->return_to;
    done.target = login->target;
    return orp_login_save(&done, env, pool);
}

/* Is the record there, and not completed? */
static apr_status_t look_again(const orp_login_t *login,
                               const orp_env_t *env, apr_pool_t *pool)
{
    orp_login_t *found;
    apr_status_t status = orp_login_find(&found, env, login->key, pool);

    if (status == APR_SUCCESS && found->state != ORP_LOGIN_READY) {
        return found->state == ORP_LOGIN_DONE ? ORP_EREPLAY : ORP_ELOGIN;
    }
    return status == ORP_ENOTFOUND ? ORP_ELOGIN : status;
}

apr_status_t orp_login_change(const orp_login_t *login, const orp_env_t *env,
                              apr_pool_t *pool)
{
    apr_status_t status = look_again(login, env, pool);

    return status == APR_SUCCESS ? orp_login_save(login, env, pool) : status;
}

/* What is claimed for questions stands in the room of the logins: a flood of
 * them must not take that of the nonces. */
static apr_status_t claim(const orp_login_t *login, const char *key,
                          apr_time_t expires, const orp_env_t *env)
{
    return orp_store_claim(env->store, ORP_STORE_LOGIN, key,
                           expires < login->expires ? expires
                           : login->expires + APR_USEC_PER_SEC,
                           orp_env_now(env));
}

static const char *asking_key(const orp_login_t *login, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "asking ", login->key, NULL);
}

apr_status_t orp_login_question(const orp_login_t *login,
                                const orp_env_t *env, apr_pool_t *pool)
{
    apr_status_t status = claim(login, asking_key(login, pool),
                                orp_env_now(env) + ASKING_MAX, env);
    int i;

    if (status != APR_SUCCESS) {
        return status;
    }
    /* each question is one claim: it counts, whatever becomes of us */
    status = ORP_EEXISTS;
    for (i = 0; i < ORP_LOGIN_QUESTIONS && status == ORP_EEXISTS; i++) {
        status = claim(login, apr_psprintf(pool, "question %d %s", i,
                                           login->key),
                       login->expires, env);
    }
    if (status != APR_SUCCESS) {
        orp_login_answered(login, env, pool);
    }
    return status == ORP_EEXISTS ? ORP_ERATE : status;
}

void orp_login_answered(const orp_login_t *login, const orp_env_t *env,
                        apr_pool_t *pool)
{
    if (orp_store_remove(env->store, ORP_STORE_LOGIN,
                         asking_key(login, pool)) != APR_SUCCESS) {
        orp_log(env, ORP_LOG_WARN, 108, pool,
                "store: that a login is being checked could not be removed; "
                "it expires");
    }
}

apr_status_t orp_login_take(const orp_login_t *login, const orp_env_t *env,
                            apr_pool_t *pool)
{
    /* the record cannot decide who is first: between reading it and marking
     * it as done, somebody else may have read it too; a claim has one winner */
    apr_status_t status = orp_store_claim(
        env->store, ORP_STORE_NONCE,
        apr_pstrcat(pool, "login ", login->key, NULL),
        login->expires + APR_USEC_PER_SEC, orp_env_now(env));

    /* and the claim cannot decide alone: where somebody empties the store,
     * claims go, and there would be a second winner. The record goes with
     * them; so it is looked at behind the claim: who wins a claim after the
     * first winner's is gone finds no record, or one that the first winner
     * has marked. */
    if (status == APR_SUCCESS) {
        status = look_again(login, env, pool);
    }
    if (status == APR_SUCCESS) {
        status = leave_done(login, env, pool);
    }
    return status == ORP_EEXISTS ? ORP_EREPLAY : status;
}

apr_status_t orp_login_forget(const orp_login_t *login, const orp_env_t *env)
{
    return orp_store_remove(env->store, ORP_STORE_LOGIN, login->key);
}

int orp_login_is_browser(const orp_login_t *login, const char *browser,
                         apr_pool_t *pool)
{
    const char *hash = browser ? orp_sha256_hex(browser, pool) : NULL;

    return hash && strlen(hash) == strlen(login->browser)
        && orp_secret_equal(hash, login->browser, strlen(hash));
}
