/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_store_open.h"

static const struct {
    orp_store_check_fn *check;
    orp_store_open_fn *open;
} backends[] = {
    [ORP_PLACE_SHM] = { NULL, NULL },
    [ORP_PLACE_DBM] = { orp_store_dbm_check, orp_store_dbm_open },
    [ORP_PLACE_REDIS] = { orp_store_redis_check, orp_store_redis_open },
    [ORP_PLACE_MEMCACHE] = { orp_store_memcache_check,
                             orp_store_memcache_open },
};

static apr_status_t refuse_shm(const orp_store_place_t *place,
                               orp_reason_t *why)
{
    return orp_reason_set(why, APR_EINVAL, place->shown,
                          "The store %s lives in httpd's memory: nobody else "
                          "can open it.", place->shown);
}

apr_status_t orp_store_check(const orp_store_place_t *place,
                             const orp_env_t *env, orp_reason_t *why,
                             apr_pool_t *pool)
{
    return backends[place->type].check
        ? backends[place->type].check(place, env, why, pool)
        : refuse_shm(place, why);
}

apr_status_t orp_store_open(orp_store_t **pstore,
                            const orp_store_place_t *place,
                            const orp_env_t *env, orp_reason_t *why,
                            apr_pool_t *pool)
{
    return backends[place->type].open
        ? backends[place->type].open(pstore, place, env, why, pool)
        : refuse_shm(place, why);
}
