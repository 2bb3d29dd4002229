/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_memcache_conn.h - one connection to a memcached, and the commands
 * of its text protocol that the store needs:
 *
 *   add KEY 0 LIFETIME SIZE, BYTES       STORED | NOT_STORED | SERVER_ERROR …
 *   replace KEY 0 LIFETIME SIZE, BYTES   likewise
 *   get KEY                              VALUE KEY FLAGS SIZE, BYTES, END | END
 *   delete KEY                           DELETED | NOT_FOUND
 *   version                              VERSION …
 *
 * Whatever else comes is no answer of a memcached. A connection is one
 * thread's at a time. It can be used again where its answer was read to the
 * end and nothing came behind it; else it must be closed, for the rest could
 * be taken for the answer to the next command.
 */
#ifndef ORP_STORE_MEMCACHE_CONN_H
#define ORP_STORE_MEMCACHE_CONN_H

#include "orp_store_stream.h"

/** What may be asked of a memcached. */
typedef enum {
    ORP_MEMCACHED_ADD,          /* write, if it is not there */
    ORP_MEMCACHED_REPLACE,      /* write, if it is there */
    ORP_MEMCACHED_GET,
    ORP_MEMCACHED_DELETE
} orp_memcached_e;

/** An item, written or read. */
typedef struct orp_memcached_item_t {
    const char *key;
    char *bytes;
    apr_size_t size;
    apr_uint32_t lifetime;      /* to write: as memcached wants it */
} orp_memcached_item_t;

/** One thing to be done, and what became of it. */
typedef struct orp_memcached_call_t {
    orp_memcached_e what;
    orp_memcached_item_t *item; /* GET sets its bytes and size, in pool: an
                                 * item that is too large to be ours is empty */
    apr_time_t deadline;        /* of orp_store_clock() */
    apr_pool_t *pool;           /* GET only */
    orp_store_clause_t clause;  /* set when it failed: why */
} orp_memcached_call_t;

typedef struct orp_memcached_conn_t {
    apr_pool_t *pool;           /* its own */
    orp_store_stream_t *stream;
    struct orp_memcached_conn_t *next;  /* for who keeps them */
    apr_time_t since;                   /* likewise */
    char bytes[4096];           /* read, and not used yet: from begin to end */
    apr_size_t begin;
    apr_size_t end;
    int left;                   /* an answer was not read to its end */
} orp_memcached_conn_t;

/**
 * Connect.
 * @param clause  set on failure
 * @param parent  of the connection's own pool; where several threads connect,
 *                one of orp_store_subpool()
 * @return APR_SUCCESS; what orp_store_stream_dial() returns; or what APR does
 */
ORP_MUST_USE apr_status_t orp_memcached_conn_open(
    orp_memcached_conn_t **pconn, const orp_place_server_t *place,
    apr_time_t deadline, orp_store_clause_t *clause, apr_pool_t *parent);

/** Hang up, and forget what was read: it may be a secret. */
void orp_memcached_conn_close(orp_memcached_conn_t *conn);

/**
 * Send one command and read its answer.
 * @param pgood  set always: can the connection be used again?
 * @return APR_SUCCESS; ORP_EEXISTS (ADD: it is there), ORP_ENOTFOUND (the
 *         other ones: it is not), ORP_EFULL (ADD, REPLACE: it is refused);
 *         ORP_EENCODING where no memcached answers so, or what
 *         orp_store_stream_read() and orp_store_stream_write() return
 */
ORP_MUST_USE apr_status_t orp_memcached_conn_call(int *pgood,
                                                  orp_memcached_conn_t *conn,
                                                  orp_memcached_call_t *call);

/**
 * Ask for its version, to see whether it is a memcached. To be closed then.
 * @param call  its deadline counts, and its clause is set on failure
 * @return likewise
 */
ORP_MUST_USE apr_status_t orp_memcached_conn_version(
    orp_memcached_conn_t *conn, orp_memcached_call_t *call);

#endif
