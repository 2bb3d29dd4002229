/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_background_queue.h - the records that orp_background.h draws: reading
 * and writing them. Only orp_background.c includes it.
 */
#ifndef ORP_BACKGROUND_QUEUE_H
#define ORP_BACKGROUND_QUEUE_H

#include "orp_background.h"

/** An endpoint that logins go to. */
typedef struct orp_wanted_t {
    const char *endpoint;
    orp_version_e version;      /* 1 where a login of version 1 has found
                                 * none: what that can use, all can */
    const char *site;
    apr_time_t used;            /* by a login; not written down each time */
    int proven;                 /* somebody has signed in by it */
} orp_wanted_t;

/**
 * Read the wanted record of a number, 0 to ORP_BACKGROUND_WANTED - 1.
 * @return APR_SUCCESS; ORP_ENOTFOUND; ORP_EEXISTS for one that is just being
 *         written; ORP_EENCODING for one that makes no sense; ORP_ESTORE
 */
ORP_MUST_USE apr_status_t orp_wanted_get(orp_wanted_t *wanted,
                                         const orp_env_t *env, int number,
                                         apr_pool_t *pool);

/** Remove the wanted record of a number. */
ORP_MUST_USE apr_status_t orp_wanted_remove(const orp_env_t *env, int number,
                                            apr_pool_t *pool);

/** What is remembered of the requests to an endpoint. */
typedef struct orp_asked_t {
    apr_time_t next;            /* when to ask it again; 0: nothing is known */
    apr_time_t last;            /* when it was asked */
    int failures;               /* one after the other, until now */
    int refusals;               /* likewise: that it makes none */
} orp_asked_t;

/** @return APR_SUCCESS, all 0 where nothing is known; or ORP_ESTORE */
ORP_MUST_USE apr_status_t orp_asked_get(orp_asked_t *asked,
                                        const orp_env_t *env,
                                        const char *endpoint,
                                        apr_pool_t *pool);

/** Remember it, for a day longer than it matters. */
ORP_MUST_USE apr_status_t orp_asked_put(const orp_asked_t *asked,
                                        const orp_env_t *env,
                                        const char *endpoint,
                                        apr_pool_t *pool);

/**
 * Take the lease of a minute, or prolong it where it is this holder's.
 * @return APR_SUCCESS; ORP_EEXISTS where it is another's; ORP_EFULL;
 *         ORP_ESTORE
 */
ORP_MUST_USE apr_status_t orp_lease_take(const orp_env_t *env,
                                         const char *holder,
                                         apr_pool_t *pool);

/** Prolong it: @return as orp_lease_take(); ORP_ENOTFOUND where it is over */
ORP_MUST_USE apr_status_t orp_lease_prolong(const orp_env_t *env,
                                            const char *holder,
                                            apr_pool_t *pool);

#endif
