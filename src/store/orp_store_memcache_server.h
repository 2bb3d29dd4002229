/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_memcache_server.h - one memcached, by apr_memcache.
 *
 * apr_memcache gives the keys of a server that is away to another one. There a
 * nonce could be claimed again. So each server has a client of its own, which
 * is told that its server is always there; who asks for a key whose server is
 * away gets ORP_ESTORE.
 *
 * apr_memcache waits for an answer without end. So a server that was not heard
 * of for a second is asked whether it is there at all, by a socket that has a
 * timeout. A server that stops between this and the answer holds up as many
 * threads of a process as there are connections, until it goes on or the
 * system gives its connections up; the other threads find no connection, and
 * so get ORP_ESTORE in time.
 */
#ifndef ORP_STORE_MEMCACHE_SERVER_H
#define ORP_STORE_MEMCACHE_SERVER_H

#include "orp_env.h"
#include "orp_store_place.h"

typedef struct orp_memcached_t orp_memcached_t;

/** What may be asked of it. */
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

/** Does an item that was read belong to its key? */
typedef int orp_memcached_fits_fn(const orp_memcached_item_t *item,
                                  const void *baton);

/** "memcache://HOST:PORT", for people and logs. */
const char *orp_memcached_shown(const orp_place_server_t *place,
                                apr_pool_t *pool);

/**
 * Prepare a server. Connects to nothing. SIGPIPE is ignored from now on where
 * nobody handles it: apr_memcache writes to connections that have ended.
 * @param env  its log is used; must outlive the server
 */
ORP_MUST_USE apr_status_t orp_memcached_create(orp_memcached_t **pserver,
                                               const orp_place_server_t *place,
                                               const orp_env_t *env,
                                               apr_pool_t *pool);

/** Is it there, and does it answer like a memcached? Takes half a second for
 * each step at most. @param why  set to a clause when it does not */
ORP_MUST_USE apr_status_t orp_memcached_ask(const char **pwhy,
                                            const orp_place_server_t *place,
                                            apr_pool_t *pool);

/**
 * Do one thing, if the server is well.
 * @param item  GET sets its bytes and size, in pool
 * @param fits  GET: an item that does not fit is a failure of the server; or
 *              NULL
 * @param pool  GET only
 * @return APR_SUCCESS; ORP_EEXISTS (ADD: it is there), ORP_ENOTFOUND (the
 *         other ones: it is not), ORP_EFULL or ORP_ESTORE
 */
ORP_MUST_USE apr_status_t orp_memcached_run(orp_memcached_t *server,
                                            orp_memcached_e what,
                                            orp_memcached_item_t *item,
                                            orp_memcached_fits_fn *fits,
                                            const void *fits_baton,
                                            apr_pool_t *pool);

#endif
