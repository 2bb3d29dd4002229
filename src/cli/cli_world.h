/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* cli_world.h - the world (orp_env.h) of one call from a shell: curl, the
 * system's clock and random numbers, standard error for a log, and a store only
 * where --store names one. It asks every server itself, never through a
 * forward proxy.
 */
#ifndef CLI_WORLD_H
#define CLI_WORLD_H

#include "cli_options.h"
#include "orp_env.h"

/**
 * Make it.
 * @param penv     set on success; env->store is NULL without --store
 * @param options  --allow, --proxy (the resolver of XRIs), --store and
 *                 --verbose count
 * @return APR_SUCCESS, or what orp_http_curl_init() or orp_store_open()
 *         returns
 */
ORP_MUST_USE apr_status_t cli_world_create(orp_env_t **penv,
                                           const cli_options_t *options,
                                           orp_reason_t *why,
                                           apr_pool_t *pool);

/**
 * Say on standard error why the store of --store could not be used.
 * @param why  where it says nothing, the status is told in words
 * @return CLI_REFUSED
 */
int cli_refuse_store(apr_status_t status, const cli_options_t *options,
                     orp_reason_t *why, apr_pool_t *pool);

#endif
