/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store.c - checks what callers pass, once for all backends. */

#include <string.h>

#include "orp_store.h"

static const struct {
    const char *name;
    int percent;
} kinds[ORP_STORE_KINDS] = {
    [ORP_STORE_LOGIN] = { "login", 25 },
    [ORP_STORE_NONCE] = { "nonce", 15 },
    [ORP_STORE_ASSOCIATION] = { "association", 10 },
    [ORP_STORE_SESSION] = { "session", 35 },
    [ORP_STORE_QUEUE] = { "queue", 5 },
    [ORP_STORE_CACHE] = { "cache", 10 },
};

static int is_kind(orp_store_kind_e kind)
{
    return (unsigned int)kind < ORP_STORE_KINDS;
}

/* The length of a key, or ORP_STORE_KEY_MAX + 1 for any longer one. */
static apr_size_t key_length(const char *key)
{
    const char *end = memchr(key, '\0', ORP_STORE_KEY_MAX + 1);

    return end ? (apr_size_t)(end - key) : ORP_STORE_KEY_MAX + 1;
}

/* Whether there can be a record of this key at all. */
static int can_be_there(const char *key)
{
    apr_size_t length = key_length(key);

    return length > 0 && length <= ORP_STORE_KEY_MAX;
}

static apr_status_t check_new(orp_store_kind_e kind, const char *key,
                              apr_size_t size, apr_time_t expires,
                              apr_time_t now)
{
    apr_size_t length = key_length(key);

    if (!is_kind(kind) || length == 0 || expires <= now) {
        return APR_EINVAL;
    }
    if (length > ORP_STORE_KEY_MAX || size > ORP_STORE_VALUE_MAX) {
        return ORP_ETOOBIG;
    }
    return APR_SUCCESS;
}

apr_status_t orp_store_put(orp_store_t *store, orp_store_kind_e kind,
                           const char *key, const void *value,
                           apr_size_t size, apr_time_t expires,
                           apr_time_t now)
{
    apr_status_t status = check_new(kind, key, size, expires, now);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (!value && size > 0) {
        return APR_EINVAL;
    }
    return store->backend->put(store->baton, kind, key, value ? value : "",
                               size, expires, now);
}

apr_status_t orp_store_get(const char **pvalue, apr_size_t *psize,
                           orp_store_t *store, orp_store_kind_e kind,
                           const char *key, apr_time_t now,
                           apr_pool_t *pool)
{
    apr_size_t unused;

    if (!is_kind(kind)) {
        return APR_EINVAL;
    }
    if (!can_be_there(key)) {
        return ORP_ENOTFOUND;
    }
    return store->backend->get(pvalue, psize ? psize : &unused,
                               store->baton, kind, key, now, pool);
}

apr_status_t orp_store_claim(orp_store_t *store, orp_store_kind_e kind,
                             const char *key, apr_time_t expires,
                             apr_time_t now)
{
    apr_status_t status = check_new(kind, key, 0, expires, now);

    if (status != APR_SUCCESS) {
        return status;
    }
    return store->backend->claim(store->baton, kind, key, expires, now);
}

apr_status_t orp_store_take(const char **pvalue, apr_size_t *psize,
                            orp_store_t *store, orp_store_kind_e kind,
                            const char *key, apr_time_t now,
                            apr_pool_t *pool)
{
    apr_size_t unused;

    if (!is_kind(kind)) {
        return APR_EINVAL;
    }
    if (!can_be_there(key)) {
        return ORP_ENOTFOUND;
    }
    return store->backend->take(pvalue, psize ? psize : &unused,
                                store->baton, kind, key, now, pool);
}

apr_status_t orp_store_touch(orp_store_t *store, orp_store_kind_e kind,
                             const char *key, apr_time_t expires,
                             apr_time_t now)
{
    if (!is_kind(kind) || expires <= now) {
        return APR_EINVAL;
    }
    if (!can_be_there(key)) {
        return ORP_ENOTFOUND;
    }
    return store->backend->touch(store->baton, kind, key, expires, now);
}

apr_status_t orp_store_remove(orp_store_t *store, orp_store_kind_e kind,
                              const char *key)
{
    if (!is_kind(kind)) {
        return APR_EINVAL;
    }
    if (!can_be_there(key)) {
        return APR_SUCCESS;
    }
    return store->backend->remove(store->baton, kind, key);
}

apr_status_t orp_store_sweep(orp_store_t *store, apr_time_t now)
{
    return store->backend->sweep(store->baton, now);
}

apr_status_t orp_store_stats(orp_store_stats_t *stats, orp_store_t *store,
                             orp_store_kind_e kind, apr_time_t now)
{
    if (!is_kind(kind)) {
        return APR_EINVAL;
    }
    return store->backend->stats(stats, store->baton, kind, now);
}

apr_status_t orp_store_each(orp_store_t *store, orp_store_kind_e kind,
                            apr_time_t now, orp_store_visit_fn *visit,
                            void *baton, apr_pool_t *scratch)
{
    if (!is_kind(kind)) {
        return APR_EINVAL;
    }
    if (!store->backend->each) {
        return APR_ENOTIMPL;
    }
    return store->backend->each(store->baton, kind, now, visit, baton,
                                scratch);
}

const char *orp_store_kind_name(orp_store_kind_e kind)
{
    return is_kind(kind) ? kinds[kind].name : "unknown";
}

int orp_store_share(orp_store_kind_e kind)
{
    return is_kind(kind) ? kinds[kind].percent : 0;
}
