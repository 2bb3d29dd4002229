/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_absent.c - a store that is not there: every operation fails. */

#include "orp_store.h"

#include <apr_pools.h>

static apr_status_t no_put(void *baton, orp_store_kind_e kind,
                           const char *key, const void *value,
                           apr_size_t size, apr_time_t expires,
                           apr_time_t now)
{
    (void)baton, (void)kind, (void)key, (void)value, (void)size;
    (void)expires, (void)now;
    return ORP_ESTORE;
}

static apr_status_t no_get(const char **pvalue, apr_size_t *psize,
                           void *baton, orp_store_kind_e kind,
                           const char *key, apr_time_t now, apr_pool_t *pool)
{
    (void)pvalue, (void)psize, (void)baton, (void)kind, (void)key;
    (void)now, (void)pool;
    return ORP_ESTORE;
}

static apr_status_t no_claim(void *baton, orp_store_kind_e kind,
                             const char *key, apr_time_t expires,
                             apr_time_t now)
{
    (void)baton, (void)kind, (void)key, (void)expires, (void)now;
    return ORP_ESTORE;
}

static apr_status_t no_remove(void *baton, orp_store_kind_e kind,
                              const char *key)
{
    (void)baton, (void)kind, (void)key;
    return ORP_ESTORE;
}

static apr_status_t no_sweep(void *baton, apr_time_t now)
{
    (void)baton, (void)now;
    return ORP_ESTORE;
}

static apr_status_t no_stats(orp_store_stats_t *stats, void *baton,
                             orp_store_kind_e kind, apr_time_t now)
{
    (void)stats, (void)baton, (void)kind, (void)now;
    return ORP_ESTORE;
}

static apr_status_t no_each(void *baton, orp_store_kind_e kind,
                            apr_time_t now, orp_store_visit_fn *visit,
                            void *visit_baton, apr_pool_t *scratch)
{
    (void)baton, (void)kind, (void)now, (void)visit, (void)visit_baton;
    (void)scratch;
    return ORP_ESTORE;
}

orp_store_t *orp_store_absent(apr_pool_t *pool)
{
    static const orp_store_backend_t backend = {
        .name = "absent", .put = no_put, .get = no_get, .claim = no_claim,
        .take = no_get, .touch = no_claim, .remove = no_remove,
        .sweep = no_sweep, .stats = no_stats, .each = no_each,
    };
    orp_store_t *store = apr_pcalloc(pool, sizeof(*store));

    store->backend = &backend;
    return store;
}
