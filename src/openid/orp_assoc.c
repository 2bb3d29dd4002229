/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_assoc.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_codec.h"
#include "orp_store.h"

#define TIME_MAX APR_INT64_MAX

const char *orp_assoc_type(orp_hash_e hash)
{
    return hash == ORP_SHA256 ? "HMAC-SHA256" : "HMAC-SHA1";
}

int orp_assoc_handle_valid(const char *handle)
{
    apr_size_t size = strlen(handle);

    if (size == 0 || size > ORP_ASSOC_HANDLE_MAX) {
        return 0;
    }
    for (; *handle; handle++) {
        if (*handle < 33 || *handle > 126) {
            return 0;
        }
    }
    return 1;
}

int orp_assoc_fits(const orp_assoc_t *assoc, orp_version_e version)
{
    return version == ORP_VERSION_2 || assoc->hash == ORP_SHA1;
}

/* Two sorts of records: the association itself under (endpoint, handle), and
 * the handle of the current one under the endpoint. A URL has no space in it,
 * so neither can be taken for the other. */
static const char *assoc_key(const char *endpoint, const char *handle,
                             apr_pool_t *pool)
{
    return orp_sha256_hex(apr_pstrcat(pool, "assoc ", endpoint, " ", handle,
                                      NULL), pool);
}

static const char *current_key(const char *endpoint, apr_pool_t *pool)
{
    return orp_sha256_hex(apr_pstrcat(pool, "current ", endpoint, NULL),
                          pool);
}

static void cleanse_text(const char *text)
{
    orp_cleanse((char *)text, strlen(text));
}

/* The key does not go through a list, which would make copies of it. What is
 * returned is for the caller to cleanse. */
static const char *record(const orp_assoc_t *assoc, apr_pool_t *pool)
{
    orp_params_t *params = orp_params_create(pool);
    const char *text, *key, *escaped;

    orp_params_add(params, "endpoint", assoc->endpoint);
    orp_params_add(params, "handle", assoc->handle);
    orp_params_add(params, "type", orp_assoc_type(assoc->hash));
    orp_params_add(params, "expires",
                   apr_psprintf(pool, "%" APR_TIME_T_FMT, assoc->expires));
    key = orp_base64_encode(assoc->key, orp_hash_size(assoc->hash), pool);
    escaped = orp_percent_encode(key, pool);
    text = apr_pstrcat(pool, orp_params_form(params, pool), "&key=", escaped,
                       NULL);
    cleanse_text(escaped);
    cleanse_text(key);
    return text;
}

/* @return nonzero where text is a key of the association's type */
static int read_key(orp_assoc_t *assoc, const char *text, apr_pool_t *pool)
{
    unsigned char *bytes;
    apr_size_t size;
    int fits;

    if (orp_base64_decode(&bytes, &size, text, pool) != APR_SUCCESS) {
        return 0;
    }
    fits = size == orp_hash_size(assoc->hash);
    if (fits) {
        memcpy(assoc->key, bytes, size);
    }
    orp_cleanse(bytes, size);
    return fits;
}

static apr_status_t from_params(orp_assoc_t *assoc,
                                const orp_params_t *params, apr_pool_t *pool)
{
    const char *type = orp_params_get(params, "type");
    const char *key = orp_params_get(params, "key");
    const char *expires = orp_params_get(params, "expires");
    apr_uint64_t when;

    assoc->endpoint = orp_params_get(params, "endpoint");
    assoc->handle = orp_params_get(params, "handle");
    if (!assoc->endpoint || !assoc->handle || !type || !key || !expires
        || orp_number_parse(&when, expires, TIME_MAX) != APR_SUCCESS) {
        return ORP_ESTORE;
    }
    assoc->hash = strcmp(type, "HMAC-SHA256") ? ORP_SHA1 : ORP_SHA256;
    assoc->expires = (apr_time_t)when;
    return !strcmp(type, orp_assoc_type(assoc->hash))
        && read_key(assoc, key, pool) ? APR_SUCCESS : ORP_ESTORE;
}

/* The value is overwritten: it holds the key. */
static apr_status_t from_record(orp_assoc_t **passoc, const char *value,
                                apr_size_t size, apr_pool_t *pool)
{
    orp_assoc_t *assoc = apr_pcalloc(pool, sizeof(*assoc));
    orp_params_t *params;
    apr_status_t status = orp_params_parse_form(&params, value, size, pool);

    orp_cleanse((char *)value, size);
    if (status != APR_SUCCESS) {
        return ORP_ESTORE;
    }
    orp_cleanse_later(assoc->key, sizeof(assoc->key), pool);
    status = from_params(assoc, params, pool);
    orp_params_cleanse(params, "key");
    if (status == APR_SUCCESS) {
        *passoc = assoc;
    }
    return status;
}

apr_status_t orp_assoc_save(const orp_assoc_t *assoc, const orp_env_t *env,
                            apr_pool_t *pool)
{
    const char *key = assoc_key(assoc->endpoint, assoc->handle, pool);
    const char *current = current_key(assoc->endpoint, pool);
    const char *value = record(assoc, pool);
    apr_time_t now = orp_env_now(env);
    apr_status_t status;

    if (!key || !current) {
        cleanse_text(value);
        return ORP_ECRYPTO;
    }
    status = orp_store_put(env->store, ORP_STORE_ASSOCIATION, key, value,
                           strlen(value), assoc->expires, now);
    cleanse_text(value);
    if (status == APR_SUCCESS) {
        status = orp_store_put(env->store, ORP_STORE_ASSOCIATION, current,
                               assoc->handle, strlen(assoc->handle),
                               assoc->expires, now);
    }
    return status;
}

apr_status_t orp_assoc_find(orp_assoc_t **passoc, const orp_env_t *env,
                            const char *endpoint, const char *handle,
                            apr_pool_t *pool)
{
    apr_time_t now = orp_env_now(env);
    const char *key, *value;
    apr_size_t size;
    apr_status_t status;

    if (!handle) {
        key = current_key(endpoint, pool);
        if (!key) {
            return ORP_ECRYPTO;
        }
        status = orp_store_get(&handle, NULL, env->store,
                               ORP_STORE_ASSOCIATION, key, now, pool);
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    key = assoc_key(endpoint, handle, pool);
    if (!key) {
        return ORP_ECRYPTO;
    }
    status = orp_store_get(&value, &size, env->store, ORP_STORE_ASSOCIATION,
                           key, now, pool);
    if (status == APR_SUCCESS) {
        status = from_record(passoc, value, size, pool);
    }
    return status;
}

apr_status_t orp_assoc_forget(const orp_env_t *env, const char *endpoint,
                              const char *handle, apr_pool_t *pool)
{
    const char *key = assoc_key(endpoint, handle, pool);
    const char *current = current_key(endpoint, pool);
    const char *value;
    apr_status_t status;

    if (!key || !current) {
        return ORP_ECRYPTO;
    }
    status = orp_store_remove(env->store, ORP_STORE_ASSOCIATION, key);
    if (status == APR_SUCCESS
        && orp_store_get(&value, NULL, env->store, ORP_STORE_ASSOCIATION,
                         current, orp_env_now(env), pool) == APR_SUCCESS
        && !strcmp(value, handle)) {
        status = orp_store_remove(env->store, ORP_STORE_ASSOCIATION,
                                  current);
    }
    return status;
}

static const char *none_key(const char *endpoint, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "no-association ", endpoint, NULL);
}

int orp_assoc_makes_none(const orp_env_t *env, const char *endpoint,
                         apr_pool_t *pool)
{
    const char *value;

    return orp_store_get(&value, NULL, env->store, ORP_STORE_CACHE,
                         none_key(endpoint, pool), orp_env_now(env), pool)
        == APR_SUCCESS;
}

void orp_assoc_remember_none(const orp_env_t *env, const char *endpoint,
                             apr_interval_time_t lifetime, apr_pool_t *pool)
{
    apr_time_t now = orp_env_now(env);

    /* only a cache: if this fails, the provider is asked again */
    if (orp_store_put(env->store, ORP_STORE_CACHE, none_key(endpoint, pool),
                      "", 0, now + lifetime, now) != APR_SUCCESS) {
        orp_log(env, ORP_LOG_DEBUG, 105, pool,
                "store: no room to remember that %s makes no associations",
                endpoint);
    }
}

apr_status_t orp_assoc_verify(const orp_assoc_t *assoc,
                              const orp_message_t *message,
                              orp_reason_t *why, apr_pool_t *pool)
{
    const char *sig = orp_message_get(message, "sig");
    unsigned char expected[ORP_HASH_MAX];
    unsigned char *given;
    const char *text;
    apr_size_t size;
    apr_status_t status = orp_message_signed_text(&text, message, why, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = orp_hmac(expected, assoc->hash, assoc->key,
                      orp_hash_size(assoc->hash), text, strlen(text));
    if (status != APR_SUCCESS) {
        return status;
    }
    if (!sig || orp_base64_decode(&given, &size, sig, pool) != APR_SUCCESS
        || size != orp_hash_size(assoc->hash)
        || !orp_secret_equal(given, expected, size)) {
        status = orp_reason_set(why, ORP_ESIGNATURE, assoc->endpoint,
                                "The provider's signature does not verify.");
    }
    orp_cleanse(expected, sizeof(expected));
    return status;
}
