/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_store_redis_pool.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "orp_store_health.h"

/* How long a connection may wait for its next command. */
#define IDLE_MAX apr_time_from_sec(60)

struct orp_redis_pool_t {
    apr_pool_t *pool;
    const orp_store_place_t *place;
    const orp_env_t *env;
    orp_redis_trust_t *trust;   /* NULL: no TLS */
    orp_store_health_t *health;
    apr_thread_mutex_t *mutex;
    orp_redis_conn_t *idle;     /* the last used one first */
    apr_uint32_t told;          /* of a key that is not ours */
};

apr_status_t orp_redis_pool_create(orp_redis_pool_t **pconns,
                                   const orp_store_place_t *place,
                                   const orp_env_t *env, orp_reason_t *why,
                                   apr_pool_t *pool)
{
    orp_redis_pool_t *conns;
    apr_pool_t *own;
    apr_status_t status = orp_store_subpool(&own, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    conns = apr_pcalloc(own, sizeof(*conns));
    conns->pool = own;
    conns->place = place;
    conns->env = env;
    status = apr_thread_mutex_create(&conns->mutex, APR_THREAD_MUTEX_DEFAULT,
                                     own);
    if (status == APR_SUCCESS) {
        status = orp_store_health_create(&conns->health, place->shown, env,
                                         own);
    }
    if (status == APR_SUCCESS && place->tls) {
        status = orp_redis_trust_create(&conns->trust, place->ca_file, why,
                                        own);
    }
    if (status != APR_SUCCESS) {
        apr_pool_destroy(own);
        return status;
    }
    *pconns = conns;
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* Idle connections. They are opened and closed outside the mutex. */

static void close_conn(orp_redis_conn_t *conn)
{
    apr_pool_destroy(conn->pool);
}

static void close_all(orp_redis_conn_t *conn)
{
    while (conn) {
        orp_redis_conn_t *next = conn->next;

        close_conn(conn);
        conn = next;
    }
}

/* Take those out of the list that have waited too long: its tail, for it is
 * ordered by time. */
static orp_redis_conn_t *cut_old(orp_redis_pool_t *conns, apr_time_t now)
{
    orp_redis_conn_t **link = &conns->idle;
    orp_redis_conn_t *old;

    while (*link && now - (*link)->since <= IDLE_MAX) {
        link = &(*link)->next;
    }
    old = *link;
    *link = NULL;
    return old;
}

/* An idle connection that the server has not closed, or NULL. */
static orp_redis_conn_t *take_idle(orp_redis_pool_t *conns)
{
    for (;;) {
        orp_redis_conn_t *conn;
        orp_redis_conn_t *old;

        apr_thread_mutex_lock(conns->mutex);
        old = cut_old(conns, orp_store_clock());
        conn = conns->idle;
        if (conn) {
            conns->idle = conn->next;
        }
        apr_thread_mutex_unlock(conns->mutex);
        close_all(old);
        if (!conn || orp_store_stream_is_quiet(conn->stream)) {
            return conn;
        }
        close_conn(conn);
    }
}

static void give_back(orp_redis_pool_t *conns, orp_redis_conn_t *conn)
{
    orp_redis_conn_t *old;

    conn->since = orp_store_clock();
    apr_thread_mutex_lock(conns->mutex);
    conn->next = conns->idle;
    conns->idle = conn;
    old = cut_old(conns, conn->since);
    apr_thread_mutex_unlock(conns->mutex);
    close_all(old);
}

static apr_status_t make_conn(orp_redis_conn_t **pconn,
                              orp_redis_pool_t *conns, apr_time_t deadline,
                              orp_store_clause_t *clause)
{
    apr_pool_t *pool;
    apr_status_t status = apr_pool_create(&pool, conns->pool);

    if (status != APR_SUCCESS) {
        apr_cpystrn(clause->text, "out of memory", sizeof(clause->text));
        return status;
    }
    status = orp_redis_conn_open(pconn, conns->place, conns->trust, deadline,
                                 clause, pool);
    if (status != APR_SUCCESS) {
        apr_pool_destroy(pool);
    }
    return status;
}

/* ---------------------------------------------------------------------- */
/* Operations */

/* May the commands be sent again, on another connection, although the server
 * may have done them? It does no harm to get, put, touch or remove twice.
 * claim and take are another matter: nobody would win twice, but who has won
 * would be told that he has lost, and the log that somebody tried a replay.
 * It is better to say that the store failed. */
static int may_repeat(const orp_redis_command_t *commands, int count,
                      int sent)
{
    int i;

    for (i = 0; i < count; i++) {
        if (commands[i].once && sent) {
            return 0;
        }
    }
    return 1;
}

/* Ask on an idle connection; if it turns out that the server has given that
 * up (a restart, its own limit of idle time), on a fresh one. */
static apr_status_t ask_somehow(orp_redis_reply_t **replies,
                                orp_redis_conn_t **pconn,
                                orp_redis_pool_t *conns,
                                const orp_redis_command_t *commands,
                                int count, apr_time_t deadline,
                                orp_store_clause_t *clause)
{
    orp_redis_conn_t *conn = take_idle(conns);
    apr_status_t status;
    int sent = 0;

    if (conn) {
        status = orp_redis_conn_ask(replies, conn, commands, count, deadline,
                                    &sent, clause);
        if (status == APR_SUCCESS) {
            *pconn = conn;
            return status;
        }
        close_conn(conn);
        if (APR_STATUS_IS_TIMEUP(status)
            || !may_repeat(commands, count, sent)) {
            return status;
        }
    }
    status = make_conn(&conn, conns, deadline, clause);
    if (status == APR_SUCCESS) {
        status = orp_redis_conn_ask(replies, conn, commands, count, deadline,
                                    &sent, clause);
        if (status == APR_SUCCESS) {
            *pconn = conn;
        }
        else {
            close_conn(conn);
        }
    }
    return status;
}

/* The first reply that is an error: its index, or count. */
static int find_error(orp_redis_reply_t **replies, int count)
{
    int i;

    for (i = 0; i < count; i++) {
        if (orp_redis_type(replies[i]) == ORP_REDIS_ERROR) {
            break;
        }
    }
    return i;
}

/* Once for each process: whoever comes again and again with such a key must
 * not fill the log. The key is not named, for it may be a secret. */
static void tell_other_type(orp_redis_pool_t *conns)
{
    apr_pool_t *scratch;

    if (apr_atomic_cas32(&conns->told, 1, 0) != 0) {
        return;
    }
    apr_pool_create(&scratch, NULL);
    orp_log(conns->env, ORP_LOG_ERROR, 317, scratch,
            "store: %s: a key that begins with \"%s\" has a value of another "
            "type, which somebody else must have written; what needs that "
            "record fails, and nothing else", conns->place->shown,
            conns->place->prefix);
    apr_pool_destroy(scratch);
}

/* @return APR_SUCCESS; ORP_EFULL; APR_EMISMATCH where it is a matter of one
 * key; or ORP_ESTORE. The replies are freed unless it is a success. */
static apr_status_t judge(orp_redis_reply_t **replies,
                          const orp_redis_command_t *commands, int count,
                          orp_store_clause_t *clause)
{
    int error = find_error(replies, count);
    apr_status_t status = ORP_ESTORE;
    int i;

    if (error == count) {
        return APR_SUCCESS;
    }
    if (count == 1 && orp_redis_is_full(replies[0])) {
        status = ORP_EFULL;
    }
    else if (orp_redis_is_other_type(replies[error])) {
        status = APR_EMISMATCH;
    }
    else {
        orp_redis_explain(clause, replies[error], &commands[error]);
    }
    for (i = 0; i < count; i++) {
        orp_redis_reply_free(replies[i]);
    }
    return status;
}

apr_time_t orp_redis_deadline(const orp_redis_pool_t *conns)
{
    return orp_store_clock() + conns->place->timeout;
}

apr_status_t orp_redis_ask(orp_redis_reply_t **replies,
                           orp_redis_pool_t *conns,
                           const orp_redis_command_t *commands, int count,
                           apr_time_t deadline)
{
    orp_store_clause_t clause = { "" };
    orp_redis_conn_t *conn;
    apr_status_t status;

    if (!orp_store_health_may_try(conns->health, apr_time_now())) {
        return ORP_ESTORE;
    }
    status = ask_somehow(replies, &conn, conns, commands, count, deadline,
                         &clause);
    if (status == APR_SUCCESS) {
        status = judge(replies, commands, count, &clause);
        if (status == ORP_ESTORE) {
            /* A name may lead to another server next time: one that is not
             * a replica, or that has loaded its data. */
            close_conn(conn);
        }
        else {
            give_back(conns, conn);
        }
    }
    else {
        status = ORP_ESTORE;
    }
    if (status == ORP_ESTORE) {
        orp_store_health_failed(conns->health, clause.text, apr_time_now());
    }
    else {
        orp_store_health_worked(conns->health, apr_time_now());
    }
    if (status == APR_EMISMATCH) {
        tell_other_type(conns);
        status = ORP_ESTORE;
    }
    return status;
}
