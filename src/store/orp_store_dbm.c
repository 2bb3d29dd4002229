/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_dbm.c - the store in files: operations, and what is said of them.
 *
 * orp_store_dbm_files.h    draws the files, and tells how they survive
 * orp_store_dbm_record.h   records, in pieces
 * orp_store_dbm_copy.h     sdbm
 * orp_store_dbm_room.h     changes, and room
 * orp_store_dbm_run.h      the operations
 */

#include "orp_store_dbm_run.h"

/* ---------------------------------------------------------------------- */
/* Under the lock */

/* Damage is found once in each copy at most: then they are made good from the
 * other one, and then anew. */
static apr_status_t attempt(orp_dbm_t *dbm,
                            const orp_dbm_operation_t *operation,
                            orp_dbm_request_t *request)
{
    unsigned int bad = 0;
    apr_status_t status;
    int tries;

    for (tries = 0; tries < 3; tries++) {
        status = operation->writes ? orp_dbm_recover(dbm, bad)
            : orp_dbm_find_good(dbm, bad);
        if (status == APR_SUCCESS) {
            status = operation->run(dbm, request);
        }
        if (status != ORP_DBM_DAMAGED) {
            return status;
        }
        bad = tries == 0 ? 1U << dbm->from : 3;
    }
    return orp_dbm_fail(dbm, APR_EGENERAL, "repair", dbm->path);
}

/* Reads are always tried, since a file that cannot be read says so at once;
 * only a lock that nobody gives back does not. */
static int may_try(orp_dbm_t *dbm, const orp_dbm_operation_t *operation)
{
    return (!operation->writes && !dbm->stuck)
        || orp_store_health_may_try(dbm->health, apr_time_now());
}

/* The circuit is closed by what has opened it. That the store can be read
 * says nothing about writing, nor do operations that might have written, but
 * had nothing to write. */
static void report(orp_dbm_t *dbm, int writes, apr_status_t status)
{
    apr_time_t now = apr_time_now();

    if (status == ORP_ESTORE) {
        orp_store_health_failed(dbm->health, dbm->what, now);
        dbm->writes_fail |= writes && !dbm->stuck;
        dbm->reads_fail |= !writes && !dbm->stuck;
    }
    else if (dbm->wrote || !dbm->writes_fail) {
        orp_store_health_worked(dbm->health, now);
        dbm->writes_fail = dbm->reads_fail = 0;
    }
    else {
        orp_store_health_untold(dbm->health, now);
    }
}

static apr_status_t perform(orp_dbm_t *dbm,
                            const orp_dbm_operation_t *operation,
                            orp_dbm_request_t *request)
{
    apr_status_t status;

    if (apr_thread_mutex_lock(dbm->mutex) != APR_SUCCESS) {
        return ORP_ESTORE;
    }
    if (!may_try(dbm, operation)) {
        apr_thread_mutex_unlock(dbm->mutex);
        return ORP_ESTORE;
    }
    dbm->wrote = 0;
    status = orp_dbm_enter(dbm);
    if (status == APR_SUCCESS) {
        status = attempt(dbm, operation, request);
    }
    orp_dbm_leave(dbm);
    report(dbm, operation->writes, status);
    apr_pool_clear(dbm->scratch);
    apr_thread_mutex_unlock(dbm->mutex);
    return status;
}

/* ---------------------------------------------------------------------- */
/* The backend's slots */

static apr_status_t dbm_put(void *baton, orp_store_kind_e kind,
                            const char *key, const void *value,
                            apr_size_t size, apr_time_t expires,
                            apr_time_t now)
{
    orp_dbm_request_t request = {
        .kind = kind, .key = key, .value = value, .size = size,
        .expires = expires, .now = now
    };

    return perform(baton, &orp_dbm_op_put, &request);
}

static apr_status_t dbm_claim(void *baton, orp_store_kind_e kind,
                              const char *key, apr_time_t expires,
                              apr_time_t now)
{
    orp_dbm_request_t request = {
        .kind = kind, .key = key, .value = "", .expires = expires,
        .now = now, .only_new = 1
    };

    return perform(baton, &orp_dbm_op_put, &request);
}

static apr_status_t read_by(const orp_dbm_operation_t *operation,
                            const char **pvalue, apr_size_t *psize,
                            void *baton, orp_dbm_request_t *request)
{
    apr_status_t status = perform(baton, operation, request);

    if (status == APR_SUCCESS) {
        *pvalue = request->result;
        *psize = request->result_size;
    }
    return status;
}

static apr_status_t dbm_get(const char **pvalue, apr_size_t *psize,
                            void *baton, orp_store_kind_e kind,
                            const char *key, apr_time_t now,
                            apr_pool_t *pool)
{
    orp_dbm_request_t request = {
        .kind = kind, .key = key, .now = now, .pool = pool
    };

    return read_by(&orp_dbm_op_get, pvalue, psize, baton, &request);
}

static apr_status_t dbm_take(const char **pvalue, apr_size_t *psize,
                             void *baton, orp_store_kind_e kind,
                             const char *key, apr_time_t now,
                             apr_pool_t *pool)
{
    orp_dbm_request_t request = {
        .kind = kind, .key = key, .now = now, .pool = pool
    };

    return read_by(&orp_dbm_op_take, pvalue, psize, baton, &request);
}

static apr_status_t dbm_touch(void *baton, orp_store_kind_e kind,
                              const char *key, apr_time_t expires,
                              apr_time_t now)
{
    orp_dbm_request_t request = {
        .kind = kind, .key = key, .expires = expires, .now = now
    };

    return perform(baton, &orp_dbm_op_touch, &request);
}

static apr_status_t dbm_remove(void *baton, orp_store_kind_e kind,
                               const char *key)
{
    orp_dbm_request_t request = { .kind = kind, .key = key };

    return perform(baton, &orp_dbm_op_remove, &request);
}

/* One whole pass; other callers get the lock between its parts. */
static apr_status_t pass_through(void *baton, apr_time_t now)
{
    orp_dbm_request_t request = { .now = now };
    apr_status_t status = perform(baton, &orp_dbm_op_begin_pass, &request);

    request.more = 1;
    while (status == APR_SUCCESS && request.more) {
        orp_dbm_give_way();
        status = perform(baton, &orp_dbm_op_pass, &request);
    }
    return status;
}

static apr_status_t dbm_sweep(void *baton, apr_time_t now)
{
    orp_dbm_request_t request = { .now = now };
    apr_status_t status = APR_SUCCESS;
    int kind, some = 0;

    for (kind = 0; kind < ORP_STORE_KINDS && status == APR_SUCCESS; kind++) {
        request.kind = (orp_store_kind_e)kind;
        status = perform(baton, &orp_dbm_op_stats, &request);
        some |= request.more;
    }
    if (status == APR_SUCCESS && some) {
        status = pass_through(baton, now);
    }
    return status == APR_SUCCESS ? perform(baton, &orp_dbm_op_shrink, &request)
        : status;
}

/* Only live records count, so the others go first. */
static apr_status_t dbm_stats(orp_store_stats_t *stats, void *baton,
                              orp_store_kind_e kind, apr_time_t now)
{
    orp_dbm_request_t request = { .kind = kind, .now = now };
    apr_status_t status = perform(baton, &orp_dbm_op_stats, &request);

    if (status == APR_SUCCESS && request.more) {
        status = pass_through(baton, now);
        if (status == APR_SUCCESS) {
            status = perform(baton, &orp_dbm_op_stats, &request);
        }
    }
    if (status == APR_SUCCESS) {
        *stats = request.stats;
    }
    return status;
}

static apr_status_t dbm_each(void *baton, orp_store_kind_e kind,
                             apr_time_t now, orp_store_visit_fn *visit,
                             void *visit_baton, apr_pool_t *scratch)
{
    orp_dbm_request_t request = { .kind = kind, .now = now, .pool = scratch };
    apr_status_t status;
    int i;

    status = perform(baton, &orp_dbm_op_each, &request);
    while (status == APR_SUCCESS && request.more) {
        orp_dbm_give_way();
        status = perform(baton, &orp_dbm_op_each, &request);
    }
    for (i = 0; status == APR_SUCCESS && i < request.shown->nelts; i++) {
        orp_dbm_shown_t *shown = &APR_ARRAY_IDX(request.shown, i,
                                                orp_dbm_shown_t);

        if (!visit(visit_baton, shown->key, shown->size, shown->expires)) {
            break;
        }
    }
    return status;
}

static const orp_store_backend_t dbm_backend = {
    .name = "dbm",
    .put = dbm_put,
    .get = dbm_get,
    .claim = dbm_claim,
    .take = dbm_take,
    .touch = dbm_touch,
    .remove = dbm_remove,
    .sweep = dbm_sweep,
    .stats = dbm_stats,
    .each = dbm_each,
};

apr_status_t orp_store_dbm_open(orp_store_t **pstore,
                                const orp_store_place_t *place,
                                const orp_env_t *env, orp_reason_t *why,
                                apr_pool_t *pool)
{
    orp_store_t *store;
    orp_dbm_t *dbm;
    apr_status_t status = orp_dbm_create(&dbm, place, env, pool);

    if (status == APR_SUCCESS) {
        status = orp_store_health_create(&dbm->health, place->shown, env,
                                         pool);
    }
    if (status != APR_SUCCESS) {
        return orp_reason_set(why, status, NULL, "%s cannot be prepared.",
                              place->shown);
    }
    store = apr_palloc(pool, sizeof(*store));
    store->backend = &dbm_backend;
    store->baton = dbm;
    *pstore = store;
    return APR_SUCCESS;
}
