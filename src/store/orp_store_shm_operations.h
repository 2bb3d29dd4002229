/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_shm_operations.h - what a store does, with one table.
 *
 * Nothing here locks: orp_store_shm.c does.
 */
#ifndef ORP_STORE_SHM_OPERATIONS_H
#define ORP_STORE_SHM_OPERATIONS_H

#include "orp_store.h"
#include "orp_store_shm_table.h"

/** How many expired records are removed before others get the lock. */
#define ORP_SHM_SWEEP_BATCH 256

/** One operation, its arguments and its results. */
typedef struct orp_shm_request_t {
    orp_store_kind_e kind;
    orp_shm_record_t record;
    apr_time_t now;
    apr_pool_t *pool;
    const char *value;
    apr_size_t size;
    apr_uint32_t swept;
    orp_store_stats_t stats;
} orp_shm_request_t;

typedef struct orp_shm_operation_t {
    apr_status_t (*run)(orp_shm_table_t *table, orp_shm_request_t *request);
    int writes;                 /* who only reads needs no lock */
} orp_shm_operation_t;

extern const orp_shm_operation_t orp_shm_op_put;
extern const orp_shm_operation_t orp_shm_op_get;
extern const orp_shm_operation_t orp_shm_op_claim;
extern const orp_shm_operation_t orp_shm_op_take;
extern const orp_shm_operation_t orp_shm_op_touch;
extern const orp_shm_operation_t orp_shm_op_remove;
extern const orp_shm_operation_t orp_shm_op_sweep;
extern const orp_shm_operation_t orp_shm_op_stats;

#endif
