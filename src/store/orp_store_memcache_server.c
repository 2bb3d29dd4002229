/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_store_memcache_server.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "orp_store_health.h"

#define TIMEOUT (500 * 1000)            /* of an operation, microseconds */
#define IDLE_MAX apr_time_from_sec(60)

struct orp_memcached_t {
    apr_pool_t *pool;           /* of connections */
    const orp_place_server_t *place;
    const char *shown;
    const orp_env_t *env;
    orp_store_health_t *health;
    apr_thread_mutex_t *mutex;
    orp_memcached_conn_t *idle; /* the last used one first */
    apr_uint32_t told;          /* of an item that is not ours */
};

/* ---------------------------------------------------------------------- */
/* Connections */

/* An idle connection that the server has not closed, or NULL. */
static orp_memcached_conn_t *take_idle(orp_memcached_t *server)
{
    apr_time_t now = orp_store_clock();
    orp_memcached_conn_t *conn;

    for (;;) {
        apr_thread_mutex_lock(server->mutex);
        conn = server->idle;
        if (conn) {
            server->idle = conn->next;
        }
        apr_thread_mutex_unlock(server->mutex);
        if (!conn || (now - conn->since <= IDLE_MAX
                      && orp_store_stream_is_quiet(conn->stream))) {
            return conn;
        }
        orp_memcached_conn_close(conn);
    }
}

static void give_back(orp_memcached_t *server, orp_memcached_conn_t *conn)
{
    conn->since = orp_store_clock();
    apr_thread_mutex_lock(server->mutex);
    conn->next = server->idle;
    server->idle = conn;
    apr_thread_mutex_unlock(server->mutex);
}

/* ---------------------------------------------------------------------- */
/* An operation */

/* The server and the connection work. */
static int is_answer(apr_status_t status)
{
    return status == APR_SUCCESS || status == ORP_EEXISTS
        || status == ORP_ENOTFOUND || status == ORP_EFULL;
}

static apr_status_t exchange_on(orp_memcached_t *server,
                                orp_memcached_conn_t *conn,
                                orp_memcached_call_t *call)
{
    int good;
    apr_status_t status = orp_memcached_conn_call(&good, conn, call);

    if (good) {
        give_back(server, conn);
    }
    else {
        orp_memcached_conn_close(conn);
    }
    return status;
}

/* On an idle connection; if it turns out that the server has given that up
 * (a restart, its own limit of idle time), on a fresh one. A claim that was
 * made although its answer was lost is found taken then, and nobody has won:
 * that is a login lost, and never one too many. */
static apr_status_t exchange_somehow(orp_memcached_t *server,
                                     orp_memcached_call_t *call)
{
    orp_memcached_conn_t *conn = take_idle(server);
    apr_status_t status;

    if (conn) {
        status = exchange_on(server, conn, call);
        if (is_answer(status) || APR_STATUS_IS_TIMEUP(status)) {
            return status;
        }
    }
    status = orp_memcached_conn_open(&conn, server->place, call->deadline,
                                     &call->clause, server->pool);
    return status == APR_SUCCESS ? exchange_on(server, conn, call) : status;
}

/* ---------------------------------------------------------------------- */
/* A server */

const char *orp_memcached_shown(const orp_place_server_t *place,
                                apr_pool_t *pool)
{
    return apr_psprintf(pool, "memcache://%s:%d", place->host,
                        (int)place->port);
}

apr_status_t orp_memcached_create(orp_memcached_t **pserver,
                                  const orp_place_server_t *place,
                                  const orp_env_t *env, apr_pool_t *pool)
{
    orp_memcached_t *server = apr_pcalloc(pool, sizeof(*server));
    apr_status_t status = orp_store_subpool(&server->pool, pool);

    server->place = place;
    server->env = env;
    server->shown = orp_memcached_shown(place, pool);
    if (status == APR_SUCCESS) {
        status = orp_store_health_create(&server->health, server->shown, env,
                                         pool);
    }
    if (status == APR_SUCCESS) {
        status = apr_thread_mutex_create(&server->mutex,
                                         APR_THREAD_MUTEX_DEFAULT, pool);
    }
    if (status == APR_SUCCESS) {
        *pserver = server;
    }
    return status;
}

apr_status_t orp_memcached_ask(const char **pwhy,
                               const orp_place_server_t *place,
                               apr_pool_t *pool)
{
    orp_memcached_call_t call = { .deadline = orp_store_clock() + TIMEOUT };
    orp_memcached_conn_t *conn;
    apr_status_t status = orp_memcached_conn_open(&conn, place, call.deadline,
                                                  &call.clause, pool);

    if (status == APR_SUCCESS) {
        status = orp_memcached_conn_version(conn, &call);
        orp_memcached_conn_close(conn);
    }
    if (status != APR_SUCCESS) {
        *pwhy = apr_pstrdup(pool, call.clause.text);
    }
    return status;
}

/* Once for each process, and without the key: see the same of redis. */
static void tell_unfit(orp_memcached_t *server)
{
    apr_pool_t *scratch;

    if (apr_atomic_cas32(&server->told, 1, 0) != 0) {
        return;
    }
    apr_pool_create(&scratch, NULL);
    orp_log(server->env, ORP_LOG_ERROR, 318, scratch,
            "store: %s: an item under a key of ours is none of ours, so "
            "somebody else must have written it; what needs that record "
            "fails, and nothing else", server->shown);
    apr_pool_destroy(scratch);
}

apr_status_t orp_memcached_run(orp_memcached_t *server, orp_memcached_e what,
                               orp_memcached_item_t *item,
                               orp_memcached_fits_fn *fits,
                               const void *fits_baton, apr_pool_t *pool)
{
    orp_memcached_call_t call = {
        .what = what, .item = item, .pool = pool,
        .deadline = orp_store_clock() + TIMEOUT
    };
    apr_status_t status;

    if (!orp_store_health_may_try(server->health, apr_time_now())) {
        return ORP_ESTORE;
    }
    status = exchange_somehow(server, &call);
    if (!is_answer(status)) {
        orp_store_health_failed(server->health, call.clause.text,
                                apr_time_now());
        return ORP_ESTORE;
    }
    orp_store_health_worked(server->health, apr_time_now());
    if (status == APR_SUCCESS && what == ORP_MEMCACHED_GET && fits
        && !fits(item, fits_baton)) {
        tell_unfit(server);
        return ORP_ESTORE;
    }
    return status;
}
