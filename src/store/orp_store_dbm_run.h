/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_dbm_run.h - what is done under the lock, once. */
#ifndef ORP_STORE_DBM_RUN_H
#define ORP_STORE_DBM_RUN_H

#include <apr_hash.h>

#include "orp_store_dbm_room.h"

/** A record that a listing has found. */
typedef struct orp_dbm_shown_t {
    const char *key;
    apr_size_t size;
    apr_time_t expires;
} orp_dbm_shown_t;

/** One operation: its arguments, and its results. */
typedef struct orp_dbm_request_t {
    orp_store_kind_e kind;
    const char *key;
    const void *value;
    apr_size_t size;
    apr_time_t expires;
    apr_time_t now;
    int only_new;               /* put: a claim */
    apr_pool_t *pool;           /* what the results live in */
    const char *result;         /* get, take */
    apr_size_t result_size;
    apr_uint64_t passes;        /* begin_pass, pass: which one */
    int more;                   /* stats: something has expired; pass, each:
                                 * there are more pages */
    orp_store_stats_t stats;
    apr_array_header_t *shown;  /* each: of orp_dbm_shown_t */
    apr_hash_t *keys;           /* each: those in it */
    apr_uint64_t page;          /* each: to begin with */
    int begun;                  /* each: how often, from the first page */
    unsigned char seed[32];     /* each: of the store that it began in */
    apr_uint32_t refills;       /* each: likewise */
} orp_dbm_request_t;

/**
 * An operation is run with dbm->from a good copy, and both of them good where
 * it writes. When it returns ORP_DBM_DAMAGED, it is run again.
 */
typedef struct orp_dbm_operation_t {
    apr_status_t (*run)(orp_dbm_t *dbm, orp_dbm_request_t *request);
    int writes;
} orp_dbm_operation_t;

extern const orp_dbm_operation_t orp_dbm_op_put;
extern const orp_dbm_operation_t orp_dbm_op_get;
extern const orp_dbm_operation_t orp_dbm_op_take;
extern const orp_dbm_operation_t orp_dbm_op_touch;
extern const orp_dbm_operation_t orp_dbm_op_remove;
extern const orp_dbm_operation_t orp_dbm_op_begin_pass;
extern const orp_dbm_operation_t orp_dbm_op_pass;
extern const orp_dbm_operation_t orp_dbm_op_shrink;
extern const orp_dbm_operation_t orp_dbm_op_stats;
extern const orp_dbm_operation_t orp_dbm_op_each;

#endif
