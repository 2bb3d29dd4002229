/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_memcache_server.h - one memcached: its connections, its health, and
 * what becomes of an operation.
 *
 * Each server stands for itself: who asks for a key whose server is away gets
 * ORP_ESTORE, and never another server, where a nonce could be claimed again.
 *
 * An operation takes half a second at most, whatever the server does or leaves
 * undone; only a name may take longer to resolve: orp_store_socket.h. While
 * the server is known to be away, an operation fails at once.
 *
 * A connection is one thread's as long as an operation lasts, and then waits
 * for the next one, for a minute at most. So there are as many as operations
 * at the same time, and none is made before there is something to ask.
 */
#ifndef ORP_STORE_MEMCACHE_SERVER_H
#define ORP_STORE_MEMCACHE_SERVER_H

#include "orp_env.h"
#include "orp_store_memcache_conn.h"

typedef struct orp_memcached_t orp_memcached_t;

/** Does an item that was read belong to its key? */
typedef int orp_memcached_fits_fn(const orp_memcached_item_t *item,
                                  const void *baton);

/** "memcache://HOST:PORT", for people and logs. */
const char *orp_memcached_shown(const orp_place_server_t *place,
                                apr_pool_t *pool);

/**
 * Prepare a server. Connects to nothing.
 * @param env  its log is used; must outlive the server, as must place
 */
ORP_MUST_USE apr_status_t orp_memcached_create(orp_memcached_t **pserver,
                                               const orp_place_server_t *place,
                                               const orp_env_t *env,
                                               apr_pool_t *pool);

/** Is it there, and does it answer like a memcached? Takes half a second at
 * most. @param pwhy  set to a clause when it does not */
ORP_MUST_USE apr_status_t orp_memcached_ask(const char **pwhy,
                                            const orp_place_server_t *place,
                                            apr_pool_t *pool);

/**
 * Do one thing, if the server is well.
 * @param item  GET sets its bytes and size, in pool
 * @param fits  GET: an item that does not fit was written by somebody else,
 *              and is ORP_ESTORE; or NULL
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
