/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_session.h"

#include <apr_strings.h>

#include "openid2rp_cookie.h"
#include "openid2rp_origin.h"
#include "openid2rp_provider.h"
#include "openid2rp_runtime.h"
#include "orp_codec.h"
#include "orp_crypto.h"
#include "orp_store.h"

/* How many cookies of the name are looked up: a browser can have more than
 * one, and each costs a look into the store. */
#define VALUES_MAX 8

/* Is the record one for this request: of this origin, not too old? */
static int is_good(request_rec *r, const orp_params_t *record,
                   apr_time_t when)
{
    const char *origin = orp_params_get(record, "origin");
    const char *created = orp_params_get(record, "created");
    const char *here;
    apr_uint64_t since;

    return origin && created
        && orp_number_parse(&since, created, APR_INT64_MAX) == APR_SUCCESS
        && (apr_time_t)since + openid2rp_dir(r)->session_max > when
        && openid2rp_origin(&here, r) == OK
        && !strcmp(origin, here);
}

/* A store that can be read and not written (a full disk) has said so in the
 * log: sessions then end when they would have without this request. One that
 * is gone has just been ended. */
static apr_status_t prolong(request_rec *r, const orp_env_t *env,
                            const char *key, apr_time_t when)
{
    apr_status_t status = orp_store_touch(
        env->store, ORP_STORE_SESSION, key,
        when + openid2rp_dir(r)->session_idle, when);

    return status == ORP_ESTORE || status == ORP_EFULL ? APR_SUCCESS : status;
}

static apr_status_t try_token(orp_identity_t **pidentity, request_rec *r,
                              const orp_env_t *env, const char *token)
{
    apr_time_t when = orp_env_now(env);
    const char *key = orp_sha256_hex(token, r->pool);
    orp_params_t *record;
    const char *value;
    apr_size_t size;
    apr_status_t status;

    if (!key) {
        return ORP_ECRYPTO;
    }
    status = orp_store_get(&value, &size, env->store, ORP_STORE_SESSION, key,
                           when, r->pool);
    if (status != APR_SUCCESS) {
        return status;
    }
    if (orp_params_parse_form(&record, value, size, r->pool)
        != APR_SUCCESS) {
        return ORP_EENCODING;
    }
    if (!is_good(r, record, when)) {
        return ORP_ENOTFOUND;
    }
    status = prolong(r, env, key, when);
    return status == APR_SUCCESS
        ? orp_identity_read(pidentity, record, r->pool) : status;
}

int openid2rp_session_is_accepted(request_rec *r,
                                  const orp_identity_t *identity)
{
    const openid2rp_dir_t *dir = openid2rp_dir(r);

    if (*dir->single_provider
        && (!identity->typed
            || strcmp(identity->typed, dir->single_provider))) {
        return 0;
    }
    return openid2rp_provider_accepted(identity->endpoint,
                                       dir->provider_allow,
                                       dir->provider_deny, r->pool);
}

apr_status_t openid2rp_session_find(orp_identity_t **pidentity,
                                    request_rec *r)
{
    const apr_array_header_t *values
        = openid2rp_cookie_values(r, openid2rp_dir(r)->cookie->name,
                                  VALUES_MAX);
    const orp_env_t *env = values->nelts ? openid2rp_env(r) : NULL;
    apr_status_t status = ORP_ENOTFOUND;
    orp_identity_t *identity;
    int i;

    for (i = 0; i < values->nelts && status == ORP_ENOTFOUND; i++) {
        const char *value = APR_ARRAY_IDX(values, i, const char *);

        /* the rest need not bother the store */
        if (orp_env_is_token(value)) {
            status = try_token(&identity, r, env, value);
        }
    }
    if (status == APR_SUCCESS
        && !openid2rp_session_is_accepted(r, identity)) {
        status = ORP_ENOTFOUND;
    }
    if (status == APR_SUCCESS) {
        *pidentity = identity;
    }
    return status;
}

/* Shared memory has no line of its own. */
void openid2rp_session_log_failure(request_rec *r, apr_status_t status)
{
    int said = status == ORP_ESTORE
        && openid2rp_settings(r)->store->type != ORP_PLACE_SHM;

    ap_log_rerror(APLOG_MARK, said ? APLOG_DEBUG : APLOG_ERR, 0, r, O2RP(230)
                  "store: sessions cannot be read (%s)",
                  orp_status_code(status));
}

/* Remove every session that the browser has a cookie for. */
static apr_status_t forget(request_rec *r, const orp_env_t *env)
{
    const apr_array_header_t *values
        = openid2rp_cookie_values(r, openid2rp_dir(r)->cookie->name,
                                  VALUES_MAX);
    apr_status_t status = APR_SUCCESS;
    int i;

    for (i = 0; i < values->nelts && status == APR_SUCCESS; i++) {
        const char *value = APR_ARRAY_IDX(values, i, const char *);
        const char *key = orp_env_is_token(value)
            ? orp_sha256_hex(value, r->pool) : NULL;

        if (key) {
            status = orp_store_remove(env->store, ORP_STORE_SESSION, key);
        }
    }
    return status;
}

apr_status_t openid2rp_session_begin(request_rec *r, const char *origin,
                                     const orp_identity_t *identity)
{
    const orp_env_t *env = openid2rp_env(r);
    orp_params_t *record = orp_params_create(r->pool);
    apr_time_t when = orp_env_now(env);
    const char *token, *key, *value;
    apr_status_t status = orp_env_token(&token, env, r->pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    key = orp_sha256_hex(token, r->pool);
    if (!key) {
        return ORP_ECRYPTO;
    }
    orp_params_add(record, "origin", origin);
    orp_params_add(record, "created",
                   apr_psprintf(r->pool, "%" APR_TIME_T_FMT, when));
    orp_identity_write(record, identity, r->pool);
    value = orp_params_form(record, r->pool);
    status = orp_store_put(env->store, ORP_STORE_SESSION, key, value,
                           strlen(value),
                           when + openid2rp_dir(r)->session_idle, when);
    if (status != APR_SUCCESS) {
        return status;
    }
    if (forget(r, env) != APR_SUCCESS) {
        orp_log(env, ORP_LOG_WARN, 244, r->pool,
                "store: the session before this one could not be removed");
    }
    openid2rp_cookie_set_session(r, token);
    return APR_SUCCESS;
}

apr_status_t openid2rp_session_end(request_rec *r)
{
    openid2rp_cookie_clear_session(r);
    return forget(r, openid2rp_env(r));
}
