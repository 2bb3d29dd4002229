/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_redis_pool.h - the connections of one process to a redis server,
 * and what becomes of an operation.
 *
 * A connection is one thread's as long as a command lasts; then it waits for
 * the next one, for a minute at most. So there are as many as operations at
 * the same time, and none is made before there is something to ask.
 */
#ifndef ORP_STORE_REDIS_POOL_H
#define ORP_STORE_REDIS_POOL_H

#include "orp_env.h"
#include "orp_store_redis_conn.h"

typedef struct orp_redis_pool_t orp_redis_pool_t;

/**
 * Connects to nothing.
 * @param env  its log is used; must outlive it, as must place
 * @return APR_SUCCESS; what orp_redis_trust_create() returns; or what APR
 *         does
 */
ORP_MUST_USE apr_status_t orp_redis_pool_create(
    orp_redis_pool_t **pconns, const orp_store_place_t *place,
    const orp_env_t *env, orp_reason_t *why, apr_pool_t *pool);

/** When an operation that begins now must end: after place->timeout. */
apr_time_t orp_redis_deadline(const orp_redis_pool_t *conns);

/**
 * Ask the server. This ends by the deadline, or at once while the server is
 * known to be away.
 * @param replies  set on success: one for each command, none of them an
 *                 error; the caller frees them
 * @return APR_SUCCESS; ORP_EFULL where a single command finds no memory; or
 *         ORP_ESTORE
 */
ORP_MUST_USE apr_status_t orp_redis_ask(orp_redis_reply_t **replies,
                                        orp_redis_pool_t *conns,
                                        const orp_redis_command_t *commands,
                                        int count, apr_time_t deadline);

#endif
