/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_redis_conn.h - one connection to a redis server: signing in, and
 * commands with their replies.
 *
 * After a failure a connection is of no use: a late reply could be taken for
 * that of the next command. Destroy its pool.
 */
#ifndef ORP_STORE_REDIS_CONN_H
#define ORP_STORE_REDIS_CONN_H

#include "orp_store_redis_resp.h"
#include "orp_store_stream.h"

typedef struct orp_redis_conn_t {
    apr_pool_t *pool;           /* its own: destroying it closes it */
    orp_store_stream_t *stream;
    orp_redis_reader_t *reader;
    struct orp_redis_conn_t *next;      /* for who keeps them */
    apr_time_t since;                   /* likewise */
} orp_redis_conn_t;

/**
 * Connect, sign in, choose the database.
 * @param clause  set on failure
 * @param pool    the connection's own
 * @return APR_SUCCESS; APR_EACCES where user and password are refused;
 *         APR_EINVAL where there is no such database; ORP_EENCODING where it
 *         is no redis; or what orp_store_stream_open() returns
 */
ORP_MUST_USE apr_status_t orp_redis_conn_open(orp_redis_conn_t **pconn,
                                              const orp_store_place_t *place,
                                              orp_redis_trust_t *trust,
                                              apr_time_t deadline,
                                              orp_store_clause_t *clause,
                                              apr_pool_t *pool);

/**
 * Send some commands at once and receive their replies. A reply that is
 * neither an error nor of a type that its command wants is a failure.
 * @param replies  set on success, all of them; the caller frees them
 * @param psent    set to 1 before the first byte is sent
 * @return APR_SUCCESS, ORP_EENCODING, APR_ENOMEM, or what orp_store_stream
 *         returns
 */
ORP_MUST_USE apr_status_t orp_redis_conn_ask(
    orp_redis_reply_t **replies, orp_redis_conn_t *conn,
    const orp_redis_command_t *commands, int count, apr_time_t deadline,
    int *psent, orp_store_clause_t *clause);

/**
 * Redis's words of an error, for people: without anything that the command
 * said, for redis likes to repeat that.
 */
void orp_redis_explain(orp_store_clause_t *clause,
                       const orp_redis_reply_t *reply,
                       const orp_redis_command_t *command);

/** Is this reply an error of that kind, such as "NOAUTH"? */
int orp_redis_is_error(const orp_redis_reply_t *reply, const char *code);

/**
 * Is it an error because the key has a value of another type than a string?
 * That is a matter of this key: the server is well.
 */
int orp_redis_is_other_type(const orp_redis_reply_t *reply);

/** Is it an error because the server's memory is used up? */
int orp_redis_is_full(const orp_redis_reply_t *reply);

#endif
