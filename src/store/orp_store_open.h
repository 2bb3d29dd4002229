/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_open.h - from a place to a store, for the backends that live
 * outside httpd. (Shared memory is the server's: orp_store_shm_open().)
 */
#ifndef ORP_STORE_OPEN_H
#define ORP_STORE_OPEN_H

#include "orp_env.h"
#include "orp_store.h"
#include "orp_store_place.h"

/**
 * Look at a place before it is used: can this build use it at all, are a
 * dbm's files ours alone and whole, what should an administrator know of this
 * server? Called once at start, in a process that will not use it; nothing
 * stays open. A server that does not answer is a warning in the log only: it
 * may come later.
 * @param env  its log is used, nothing else
 * @param why  one sentence, where the site must not start like this
 * @return APR_SUCCESS; APR_ENOTIMPL where this build has no such backend;
 *         APR_EINVAL, or ORP_ESTORE
 */
ORP_MUST_USE apr_status_t orp_store_check(const orp_store_place_t *place,
                                          const orp_env_t *env,
                                          orp_reason_t *why,
                                          apr_pool_t *pool);

/**
 * Make a store. Connects to nothing yet, so it succeeds also where the server
 * is away; each operation then returns ORP_ESTORE until it is back.
 *
 * Call it in the process that uses it, after every fork, and once in each: a
 * process that has a dbm open twice takes the lock from itself.
 * @param place  must outlive the store; not shm
 * @param env    its log is used, nothing else; must outlive the store
 * @param pool   what the store lives in; it is closed with it
 * @return APR_SUCCESS; APR_ENOTIMPL where this build has no such backend; or
 *         what APR returns
 */
ORP_MUST_USE apr_status_t orp_store_open(orp_store_t **pstore,
                                         const orp_store_place_t *place,
                                         const orp_env_t *env,
                                         orp_reason_t *why,
                                         apr_pool_t *pool);

/** Is there a dbm at this place? For who wants to look at one: opening makes
 * it. What cannot be looked at counts as there; opening it says why. */
int orp_store_dbm_is_there(const orp_store_place_t *place, apr_pool_t *pool);

/* ---------------------------------------------------------------------- */
/* The backends; called by the functions above only */

typedef apr_status_t orp_store_check_fn(const orp_store_place_t *place,
                                        const orp_env_t *env,
                                        orp_reason_t *why,
                                        apr_pool_t *pool);
typedef apr_status_t orp_store_open_fn(orp_store_t **pstore,
                                       const orp_store_place_t *place,
                                       const orp_env_t *env,
                                       orp_reason_t *why, apr_pool_t *pool);

orp_store_check_fn orp_store_dbm_check;
orp_store_open_fn orp_store_dbm_open;
orp_store_check_fn orp_store_redis_check;
orp_store_open_fn orp_store_redis_open;
orp_store_check_fn orp_store_memcache_check;
orp_store_open_fn orp_store_memcache_open;

#endif
