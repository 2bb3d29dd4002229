/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_shm_operations.c - what a store does, with one table. */

#include "orp_store_shm_operations.h"

static apr_status_t find_live(apr_uint32_t *pindex, orp_shm_table_t *table,
                              orp_shm_request_t *request)
{
    apr_uint32_t index;
    apr_status_t status = orp_shm_table_find(&index, table,
                                             &request->record);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (orp_shm_table_expires(table, index) <= request->now) {
        return ORP_ENOTFOUND;
    }
    *pindex = index;
    return APR_SUCCESS;
}

/* As find_live, for who is about to insert: an expired record is removed, so
 * that there are never two of one key. */
static apr_status_t find_or_clear(apr_uint32_t *pindex,
                                  orp_shm_table_t *table,
                                  orp_shm_request_t *request)
{
    apr_uint32_t index;
    apr_status_t status = orp_shm_table_find(&index, table,
                                             &request->record);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (orp_shm_table_expires(table, index) <= request->now) {
        status = orp_shm_table_drop(table, index);
        return status == APR_SUCCESS ? ORP_ENOTFOUND : status;
    }
    *pindex = index;
    return APR_SUCCESS;
}

static apr_status_t run_put(orp_shm_table_t *table,
                            orp_shm_request_t *request)
{
    apr_uint32_t old = ORP_SHM_NONE;
    apr_status_t status = find_or_clear(&old, table, request);

    if (status != APR_SUCCESS && status != ORP_ENOTFOUND) {
        return status;
    }
    return orp_shm_table_insert(table, &request->record, old, request->now);
}

static apr_status_t run_get(orp_shm_table_t *table,
                            orp_shm_request_t *request)
{
    apr_uint32_t index;
    apr_status_t status = find_live(&index, table, request);

    if (status != APR_SUCCESS) {
        return status;
    }
    return orp_shm_table_read(&request->value, &request->size, table, index,
                              request->pool);
}

static apr_status_t run_claim(orp_shm_table_t *table,
                              orp_shm_request_t *request)
{
    apr_uint32_t index;
    apr_status_t status = find_or_clear(&index, table, request);

    if (status == APR_SUCCESS) {
        return ORP_EEXISTS;
    }
    if (status != ORP_ENOTFOUND) {
        return status;
    }
    return orp_shm_table_insert(table, &request->record, ORP_SHM_NONE,
                                request->now);
}

static apr_status_t run_take(orp_shm_table_t *table,
                             orp_shm_request_t *request)
{
    apr_uint32_t index;
    apr_status_t status = find_live(&index, table, request);

    if (status == APR_SUCCESS) {
        status = orp_shm_table_read(&request->value, &request->size, table,
                                    index, request->pool);
    }
    if (status == APR_SUCCESS) {
        status = orp_shm_table_drop(table, index);
    }
    return status;
}

static apr_status_t run_touch(orp_shm_table_t *table,
                              orp_shm_request_t *request)
{
    apr_uint32_t index;
    apr_status_t status = find_live(&index, table, request);

    if (status != APR_SUCCESS) {
        return status;
    }
    return orp_shm_table_touch(table, index, request->record.expires);
}

static apr_status_t run_remove(orp_shm_table_t *table,
                               orp_shm_request_t *request)
{
    apr_uint32_t index;
    apr_status_t status = orp_shm_table_find(&index, table,
                                             &request->record);

    if (status == ORP_ENOTFOUND) {
        return APR_SUCCESS;
    }
    return status == APR_SUCCESS ? orp_shm_table_drop(table, index) : status;
}

static apr_status_t run_sweep(orp_shm_table_t *table,
                              orp_shm_request_t *request)
{
    return orp_shm_table_expire(&request->swept, table, request->now,
                                ORP_SHM_SWEEP_BATCH);
}

static apr_status_t run_stats(orp_shm_table_t *table,
                              orp_shm_request_t *request)
{
    const orp_shm_state_t *state = table->state;
    apr_uint64_t room = table->n_cells - table->reserve;
    apr_uint64_t used;

    if (state->free_cells > table->n_cells
        || state->records > table->n_cells) {
        return ORP_ESTORE;
    }
    used = table->n_cells - state->free_cells;
    request->stats.live = state->records;
    request->stats.used = used * table->cell_size;
    request->stats.room = room * table->cell_size;
    request->stats.refused = state->refused;
    return APR_SUCCESS;
}

const orp_shm_operation_t orp_shm_op_put = { run_put, 1 };
const orp_shm_operation_t orp_shm_op_get = { run_get, 0 };
const orp_shm_operation_t orp_shm_op_claim = { run_claim, 1 };
const orp_shm_operation_t orp_shm_op_take = { run_take, 1 };
const orp_shm_operation_t orp_shm_op_touch = { run_touch, 1 };
const orp_shm_operation_t orp_shm_op_remove = { run_remove, 1 };
const orp_shm_operation_t orp_shm_op_sweep = { run_sweep, 1 };
const orp_shm_operation_t orp_shm_op_stats = { run_stats, 0 };
