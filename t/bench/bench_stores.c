/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* bench_stores.c - stores of all kinds behind one face.
 *
 * Each is called as its users in httpd call it: ours with the time of the
 * request, shmcb (which asks for the time itself) under a global mutex and
 * with a buffer. Both mutexes are httpd's default ones.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <httpd.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <ap_provider.h>
#include <ap_socache.h>
#include <http_log.h>
#include <util_mutex.h>

#include "bench.h"
#include "orp_env.h"
#include "orp_store_open.h"

APLOG_USE_MODULE(bench_store);

#define MUTEX_TYPE "bench-store"

static const unsigned char value[BENCH_VALUE_SIZE] = "a session";

/* ---------------------------------------------------------------------- */
/* Ours */

typedef struct ours_t {
    orp_store_t *store;
    apr_time_t soonest;

    /* shm */
    apr_global_mutex_t *mutex;
    const char *lockfile;
    void *base;
    apr_size_t size;

    /* all others: opened in each process */
    orp_store_place_t *place;
    orp_env_t env;
} ours_t;

/* Page tables are filled now, and not while the time is taken. */
static void touch_pages(const ours_t *ours)
{
    const volatile unsigned char *byte = ours->base;
    apr_size_t i;

#ifdef MADV_POPULATE_WRITE
    if (madvise(ours->base, ours->size, MADV_POPULATE_WRITE) == 0) {
        return;
    }
#endif
    for (i = 0; i < ours->size; i += 4096) {
        (void)byte[i];
    }
}

static apr_status_t ours_attach(bench_store_t *store, apr_pool_t *pool)
{
    ours_t *ours = store->baton;

    if (!ours->place) {
        touch_pages(ours);
        return apr_global_mutex_child_init(&ours->mutex, ours->lockfile,
                                           pool);
    }
    return orp_store_open(&ours->store, ours->place, &ours->env, NULL, pool);
}

static apr_status_t ours_put(bench_store_t *store, const bench_key_t *key,
                             apr_pool_t *pool)
{
    ours_t *ours = store->baton;
    apr_time_t now = apr_time_now();

    (void)pool;
    return orp_store_put(ours->store, ORP_STORE_SESSION, key->text, value,
                         sizeof(value), now + BENCH_LIFETIME, now);
}

static apr_status_t ours_get(bench_store_t *store, const bench_key_t *key,
                             apr_pool_t *pool)
{
    ours_t *ours = store->baton;
    const char *got;
    apr_size_t size;
    apr_status_t status = orp_store_get(&got, &size, ours->store,
                                        ORP_STORE_SESSION, key->text,
                                        apr_time_now(), pool);

    return status == APR_SUCCESS && size != sizeof(value) ? APR_EGENERAL
                                                          : status;
}

static apr_status_t ours_claim(bench_store_t *store, const bench_key_t *key,
                               apr_pool_t *pool)
{
    ours_t *ours = store->baton;
    apr_time_t now = apr_time_now();

    (void)pool;
    return orp_store_claim(ours->store, ORP_STORE_NONCE, key->text,
                           now + BENCH_LIFETIME, now);
}

static apr_status_t ours_claim_first(bench_store_t *store,
                                     const bench_key_t *key,
                                     apr_pool_t *pool)
{
    ours_t *ours = store->baton;
    apr_time_t now = apr_time_now();

    (void)pool;
    ours->soonest--;
    return orp_store_claim(ours->store, ORP_STORE_NONCE, key->text,
                           now + BENCH_LIFETIME / 2 + ours->soonest, now);
}

static apr_status_t ours_unclaim(bench_store_t *store,
                                 const bench_key_t *key, apr_pool_t *pool)
{
    ours_t *ours = store->baton;

    (void)pool;
    return orp_store_remove(ours->store, ORP_STORE_NONCE, key->text);
}

static const bench_ops_t ours_ops = {
    .attach = ours_attach,
    .put = ours_put,
    .get = ours_get,
    .claim = ours_claim,
    .claim_first = ours_claim_first,
    .unclaim = ours_unclaim,
};

static void log_line(void *baton, orp_log_level_e level, int number,
                     const char *line)
{
    (void)level;
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, (server_rec *)baton,
                 "O2RP-%03d: %s", number, line);
}

static const char *make_shm(ours_t *ours, const char *size, server_rec *s,
                            apr_pool_t *pool)
{
    apr_shm_t *shm;

    ours->size = (apr_size_t)apr_atoi64(size) * 1024 * 1024;
    if (ap_global_mutex_create(&ours->mutex, &ours->lockfile, MUTEX_TYPE,
                               "shm", s, pool, 0) != APR_SUCCESS
        || apr_shm_create(&shm, ours->size, NULL, pool) != APR_SUCCESS) {
        return "no mutex or shared memory for shm";
    }
    ours->base = apr_shm_baseaddr_get(shm);
    if (orp_store_shm_open(&ours->store, ours->base, ours->size, 1,
                           ours->mutex, pool) != APR_SUCCESS) {
        return "shm cannot be opened";
    }
    return NULL;
}

static const char *make_ours(bench_store_t *store, const char *where,
                             server_rec *s, apr_pool_t *pool)
{
    ours_t *ours = apr_pcalloc(pool, sizeof(*ours));
    orp_reason_t *why = orp_reason_create(pool);

    store->baton = ours;
    store->ops = &ours_ops;
    if (strncmp(where, "shm:", 4) == 0) {
        store->in_memory = 1;
        return make_shm(ours, where + 4, s, pool);
    }
    ours->env.log = log_line;
    ours->env.baton = s;
    if (orp_store_place_parse(&ours->place, where, why, pool)
        != APR_SUCCESS) {
        return why->sentence;
    }
    return NULL;
}

/* ---------------------------------------------------------------------- */
/* httpd's own. A cache each for sessions and nonces, so that each has all of
 * the size that shmcb allows. */

typedef struct shmcb_t {
    const ap_socache_provider_t *provider;
    ap_socache_instance_t *sessions;
    ap_socache_instance_t *nonces;
    apr_global_mutex_t *mutex;
    const char *lockfile;
    const char *arg;            /* its size, as it wants it */
    server_rec *s;
} shmcb_t;

static apr_status_t shmcb_attach(bench_store_t *store, apr_pool_t *pool)
{
    shmcb_t *shmcb = store->baton;

    return apr_global_mutex_child_init(&shmcb->mutex, shmcb->lockfile, pool);
}

static apr_status_t shmcb_put(bench_store_t *store, const bench_key_t *key,
                              apr_pool_t *pool)
{
    shmcb_t *shmcb = store->baton;
    apr_time_t expires = apr_time_now() + BENCH_LIFETIME;
    apr_status_t status = apr_global_mutex_lock(shmcb->mutex);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = shmcb->provider->store(shmcb->sessions, shmcb->s, BENCH_ID(key),
                                    BENCH_ID_SIZE, expires,
                                    (unsigned char *)value, sizeof(value),
                                    pool);
    apr_global_mutex_unlock(shmcb->mutex);
    return status;
}

static apr_status_t shmcb_get(bench_store_t *store, const bench_key_t *key,
                              apr_pool_t *pool)
{
    shmcb_t *shmcb = store->baton;
    unsigned char got[2048];
    unsigned int size = sizeof(got);
    apr_status_t status = apr_global_mutex_lock(shmcb->mutex);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = shmcb->provider->retrieve(shmcb->sessions, shmcb->s,
                                       BENCH_ID(key), BENCH_ID_SIZE, got,
                                       &size, pool);
    apr_global_mutex_unlock(shmcb->mutex);
    return status == APR_SUCCESS && size != sizeof(value) ? APR_EGENERAL
                                                          : status;
}

/* What claims would be if they were made of what shmcb offers. */
static apr_status_t shmcb_claim(bench_store_t *store, const bench_key_t *key,
                                apr_pool_t *pool)
{
    shmcb_t *shmcb = store->baton;
    unsigned char got[8];
    unsigned int size = sizeof(got);
    apr_time_t expires = apr_time_now() + BENCH_LIFETIME;
    apr_status_t status = apr_global_mutex_lock(shmcb->mutex);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (shmcb->provider->retrieve(shmcb->nonces, shmcb->s, BENCH_ID(key),
                                  BENCH_ID_SIZE, got, &size, pool)
        == APR_SUCCESS) {
        status = ORP_EEXISTS;
    }
    else {
        status = shmcb->provider->store(shmcb->nonces, shmcb->s,
                                        BENCH_ID(key), BENCH_ID_SIZE,
                                        expires, (unsigned char *)value, 0,
                                        pool);
    }
    apr_global_mutex_unlock(shmcb->mutex);
    return status;
}

static const char *make_cache(ap_socache_instance_t **pcache,
                              const shmcb_t *shmcb, const char *arg,
                              apr_size_t value_size, apr_pool_t *pool)
{
    struct ap_socache_hints hints = {
        .avg_id_len = BENCH_ID_SIZE,
        .avg_obj_size = value_size,
        .expiry_interval = BENCH_LIFETIME,
    };
    const char *wrong = shmcb->provider->create(pcache, arg, pool, pool);

    if (!wrong && shmcb->provider->init(*pcache, "bench", &hints, shmcb->s,
                                        pool) != APR_SUCCESS) {
        wrong = "shmcb does not start";
    }
    return wrong;
}

/* 32 bytes: what an index costs it, which hints leave out. */
static const char *shmcb_forget(bench_store_t *store, apr_pool_t *pool)
{
    shmcb_t *shmcb = store->baton;

    if (shmcb->nonces) {
        shmcb->provider->destroy(shmcb->nonces, shmcb->s);
    }
    return make_cache(&shmcb->nonces, shmcb, shmcb->arg, 32, pool);
}

static const bench_ops_t shmcb_ops = {
    .attach = shmcb_attach,
    .put = shmcb_put,
    .get = shmcb_get,
    .claim = shmcb_claim,
    .forget = shmcb_forget,
};

static const char *make_shmcb(bench_store_t *store, const char *size,
                              server_rec *s, apr_pool_t *pool)
{
    shmcb_t *shmcb = apr_pcalloc(pool, sizeof(*shmcb));
    const char *wrong;

    store->baton = shmcb;
    store->ops = &shmcb_ops;
    store->in_memory = 1;
    shmcb->s = s;
    shmcb->arg = apr_psprintf(pool, "bench(%s)", size);
    shmcb->provider = ap_lookup_provider(AP_SOCACHE_PROVIDER_GROUP, "shmcb",
                                         AP_SOCACHE_PROVIDER_VERSION);
    if (!shmcb->provider
        || ap_global_mutex_create(&shmcb->mutex, &shmcb->lockfile,
                                  MUTEX_TYPE, "shmcb", s, pool, 0)
           != APR_SUCCESS) {
        return "mod_socache_shmcb is not loaded, or no mutex for it";
    }
    wrong = make_cache(&shmcb->sessions, shmcb, shmcb->arg, BENCH_VALUE_SIZE,
                       pool);
    return wrong ? wrong : shmcb_forget(store, pool);
}

/* ---------------------------------------------------------------------- */

const char *bench_store_make(bench_store_t **pstore, const char *name,
                             const char *where, server_rec *s,
                             apr_pool_t *pool)
{
    bench_store_t *store = apr_pcalloc(pool, sizeof(*store));

    store->name = name;
    *pstore = store;
    if (strncmp(where, "shmcb:", 6) == 0) {
        return make_shmcb(store, where + 6, s, pool);
    }
    return make_ours(store, where, s, pool);
}

apr_status_t bench_stores_register(apr_pool_t *pconf)
{
    return ap_mutex_register(pconf, MUTEX_TYPE, NULL, APR_LOCK_DEFAULT, 0);
}
