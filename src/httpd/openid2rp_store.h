/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_store.h - the store of a running server.
 *
 * Shared memory is made by the parent and belongs to it; children inherit it,
 * and it outlives restarts. Any other place is looked at by the parent, and
 * opened by each child for itself.
 */
#ifndef OPENID2RP_STORE_H
#define OPENID2RP_STORE_H

#include "openid2rp.h"
#include "orp_store_open.h"

/** How much shared memory "shm" is, without a size. */
#define OPENID2RP_STORE_SHM_SIZE (32 * 1024 * 1024)

/** Make the type of mutex known, before Mutex directives are read. */
int openid2rp_store_register(apr_pool_t *pconf);

/**
 * In the parent, once the configuration is read: make the shared memory, or
 * take up what the last generation has left; or see whether another place can
 * be used.
 * @param pstore  set on success. Shared memory works from here on; in another
 *                place everything fails until openid2rp_store_open()
 * @param env     for its log
 * @return APR_SUCCESS; else httpd must not start, and the log says why. A
 *         restart goes on with the place of the last generation even where
 *         it cannot be used at the moment; the log says that as well
 */
ORP_MUST_USE apr_status_t openid2rp_store_prepare(
    orp_store_t **pstore, const orp_store_place_t *place,
    const orp_env_t *env, server_rec *s, apr_pool_t *pconf);

/**
 * In a child: the store to use from now on. Never NULL: where it cannot be
 * opened, the log says so, and all that is asked of it fails.
 * @param prepared  what openid2rp_store_prepare() has set
 * @param env       for its log; must outlive the store
 * @param pool      what the store lives in
 */
orp_store_t *openid2rp_store_open(orp_store_t *prepared,
                                  const orp_store_place_t *place,
                                  const orp_env_t *env, server_rec *s,
                                  apr_pool_t *pool);

#endif
