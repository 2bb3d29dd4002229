/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_remote.h - what all need who keep records on another machine: a
 * clock for their deadlines, words for what goes wrong, pools for their
 * connections.
 */
#ifndef ORP_STORE_REMOTE_H
#define ORP_STORE_REMOTE_H

#include <apr_pools.h>
#include <apr_time.h>

#include "orp_status.h"

/** What went wrong: a clause for the log, without secrets. */
typedef struct orp_store_clause_t {
    char text[256];
} orp_store_clause_t;

/**
 * Name what went wrong: "connecting: no answer in time".
 * @param what    what was being done
 * @param status  what came of it: APR_TIMEUP, APR_EOF, or what the system says
 */
void orp_store_clause_set(orp_store_clause_t *clause, const char *what,
                          apr_status_t status);

/** Microseconds since some time. Nobody sets this clock back. */
apr_time_t orp_store_clock(void);

/**
 * A pool with memory of its own, which goes back to the system with it. It
 * may be used as the parent of others by several threads.
 * @param parent  NULL for none
 */
ORP_MUST_USE apr_status_t orp_store_subpool(apr_pool_t **psub,
                                            apr_pool_t *parent);

#endif
