/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_shm_index.c - the buckets and the heap of a table. */

#include "orp_store_shm_cells.h"

/* ---------------------------------------------------------------------- */
/* Buckets */

/* The upper half of the hash, as a part of all: faster than a remainder. */
static apr_uint32_t *bucket_of(const orp_shm_table_t *table,
                               apr_uint64_t hash)
{
    return &table->buckets[(hash >> 32) * table->n_cells >> 32];
}

static apr_status_t leave_bucket(orp_shm_table_t *table, apr_uint32_t index)
{
    orp_shm_head_t *head = orp_shm_head(table, index);
    apr_uint32_t *link = bucket_of(table, head->hash);
    apr_uint32_t steps = 0;

    while (*link != index) {
        if (!orp_shm_is(table, *link, ORP_SHM_LIVE)
            || ++steps > table->state->records) {
            return ORP_ESTORE;
        }
        link = &orp_shm_head(table, *link)->chain;
    }
    *link = head->chain;
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* The heap of expiry times */

/* The record at a place that must have one, or NULL. */
static orp_shm_head_t *heap_head(const orp_shm_table_t *table,
                                 apr_uint32_t place)
{
    apr_uint32_t index = table->expiry[place];

    return orp_shm_is(table, index, ORP_SHM_LIVE)
           ? orp_shm_head(table, index) : NULL;
}

static void heap_set(orp_shm_table_t *table, apr_uint32_t place,
                     apr_uint32_t index)
{
    table->expiry[place] = index;
    orp_shm_head(table, index)->place = place;
}

/* Put a record down at place, or nearer to the top if it expires sooner. */
static apr_status_t heap_rise(orp_shm_table_t *table, apr_uint32_t place,
                              apr_uint32_t index)
{
    apr_time_t expires = orp_shm_head(table, index)->expires;

    while (place > 0) {
        apr_uint32_t parent = (place - 1) / 2;
        const orp_shm_head_t *head = heap_head(table, parent);

        if (!head) {
            return ORP_ESTORE;
        }
        if (head->expires <= expires) {
            break;
        }
        heap_set(table, place, table->expiry[parent]);
        place = parent;
    }
    heap_set(table, place, index);
    return APR_SUCCESS;
}

/* From place, let those that expire sooner than the record that is to come
 * there move up, and tell the place that is left for it. */
static apr_status_t heap_sink(apr_uint32_t *pplace, orp_shm_table_t *table,
                              apr_time_t expires)
{
    apr_uint32_t records = table->state->records;
    apr_uint32_t place = *pplace;

    while (place < records / 2) {
        apr_uint32_t child = 2 * place + 1;
        const orp_shm_head_t *left = heap_head(table, child);
        const orp_shm_head_t *right;

        right = child + 1 < records ? heap_head(table, child + 1) : left;
        if (!left || !right) {
            return ORP_ESTORE;
        }
        if (right->expires < left->expires) {
            left = right;
            child++;
        }
        if (left->expires >= expires) {
            break;
        }
        heap_set(table, place, table->expiry[child]);
        place = child;
    }
    *pplace = place;
    return APR_SUCCESS;
}

/* The place of a record, or ORP_ESTORE where the heap has another there. */
static apr_status_t heap_place(apr_uint32_t *pplace,
                               const orp_shm_table_t *table,
                               apr_uint32_t index)
{
    const orp_shm_state_t *state = table->state;
    apr_uint32_t place = orp_shm_head(table, index)->place;

    if (state->records == 0 || state->records > table->n_cells
        || place >= state->records || table->expiry[place] != index) {
        return ORP_ESTORE;
    }
    *pplace = place;
    return APR_SUCCESS;
}

static apr_status_t leave_heap(orp_shm_table_t *table, apr_uint32_t index)
{
    orp_shm_state_t *state = table->state;
    apr_uint32_t last, place;
    apr_status_t status = heap_place(&place, table, index);

    if (status != APR_SUCCESS) {
        return status;
    }
    last = table->expiry[--state->records];
    if (last == index) {
        return APR_SUCCESS;
    }
    if (!orp_shm_is(table, last, ORP_SHM_LIVE)) {
        return ORP_ESTORE;
    }
    status = heap_sink(&place, table, orp_shm_head(table, last)->expires);
    return status == APR_SUCCESS ? heap_rise(table, place, last) : status;
}

/* ---------------------------------------------------------------------- */
/* Both */

apr_status_t orp_shm_table_find(apr_uint32_t *pindex,
                                const orp_shm_table_t *table,
                                const orp_shm_record_t *wanted)
{
    apr_uint32_t index = orp_shm_once(bucket_of(table, wanted->hash));
    apr_uint32_t steps = 0;

    while (index != ORP_SHM_NONE) {
        apr_status_t status;

        orp_shm_prefetch(table, index);
        if (!orp_shm_is(table, index, ORP_SHM_LIVE)
            || ++steps > table->n_cells) {
            return ORP_ESTORE;
        }
        status = orp_shm_compare_key(table, index, wanted);
        if (status == APR_SUCCESS) {
            *pindex = index;
        }
        if (status != ORP_ENOTFOUND) {
            return status;
        }
        index = orp_shm_once(&orp_shm_head(table, index)->chain);
    }
    return ORP_ENOTFOUND;
}

apr_status_t orp_shm_index_enter(orp_shm_table_t *table, apr_uint32_t index)
{
    orp_shm_head_t *head = orp_shm_head(table, index);
    apr_uint32_t *bucket = bucket_of(table, head->hash);

    if (table->state->records >= table->n_cells) {
        return ORP_ESTORE;
    }
    head->chain = *bucket;
    *bucket = index;
    return heap_rise(table, table->state->records++, index);
}

apr_status_t orp_shm_index_leave(orp_shm_table_t *table, apr_uint32_t index)
{
    apr_status_t status = leave_bucket(table, index);

    return status == APR_SUCCESS ? leave_heap(table, index) : status;
}

apr_status_t orp_shm_table_touch(orp_shm_table_t *table, apr_uint32_t index,
                                 apr_time_t expires)
{
    apr_uint32_t place;
    apr_status_t status = heap_place(&place, table, index);

    if (status != APR_SUCCESS) {
        return status;
    }
    orp_shm_head(table, index)->expires = expires;
    status = heap_sink(&place, table, expires);
    return status == APR_SUCCESS ? heap_rise(table, place, index) : status;
}

apr_status_t orp_shm_index_expired(apr_uint32_t *pindex,
                                   const orp_shm_table_t *table,
                                   apr_time_t now)
{
    const orp_shm_head_t *head;

    if (table->state->records == 0) {
        return ORP_ENOTFOUND;
    }
    head = heap_head(table, 0);
    if (!head) {
        return ORP_ESTORE;
    }
    if (head->expires > now) {
        return ORP_ENOTFOUND;
    }
    *pindex = table->expiry[0];
    return APR_SUCCESS;
}
