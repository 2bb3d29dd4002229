/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_shm_cells.h - how a table is made; for orp_store_shm_*.c only.
 *
 * orp_store_shm_record.c    the bytes of a record, over its cells
 * orp_store_shm_index.c     buckets and heap: finding by key, and by time
 * orp_store_shm_table.c     cells taken and given back; inserting, dropping
 * orp_store_shm_rebuild.c   all of that again, from the records alone
 *
 * As in orp_store_shm_table.h, ORP_ESTORE means that something is damaged.
 */
#ifndef ORP_STORE_SHM_CELLS_H
#define ORP_STORE_SHM_CELLS_H

#include "orp_store_shm_table.h"

/* No gaps, and a payload that begins at a multiple of 8. */
_Static_assert(sizeof(orp_shm_cell_t) == 8, "a cell");
_Static_assert(sizeof(orp_shm_head_t) == 40, "a head");
_Static_assert(sizeof(orp_shm_state_t) % 8 == 0, "a state");

/** A number that another process may be changing: read it once, then check
 * and use what was read. */
static inline apr_uint32_t orp_shm_once(const apr_uint32_t *number)
{
    return *(const volatile apr_uint32_t *)number;
}

static inline orp_shm_cell_t *orp_shm_cell(const orp_shm_table_t *table,
                                           apr_uint32_t index)
{
    return (void *)(table->cells + (apr_size_t)index * table->cell_size);
}

/** The same cell, if it is a head. */
static inline orp_shm_head_t *orp_shm_head(const orp_shm_table_t *table,
                                           apr_uint32_t index)
{
    return (void *)(table->cells + (apr_size_t)index * table->cell_size);
}

/** Whether there is such a cell, and it is in this state. */
static inline int orp_shm_is(const orp_shm_table_t *table,
                             apr_uint32_t index, apr_uint32_t state)
{
    return index < table->n_cells
           && atomic_load_explicit(&orp_shm_cell(table, index)->state,
                                   memory_order_relaxed) == state;
}

/** Let the processor fetch a whole cell at once, and not line after line. */
static inline void orp_shm_prefetch(const orp_shm_table_t *table,
                                    apr_uint32_t index)
{
    const char *cell = (const void *)orp_shm_cell(table, index);
    apr_uint32_t offset;

    for (offset = 0; offset < table->cell_size; offset += 64) {
        __builtin_prefetch(cell + offset);
    }
}

static inline void orp_shm_set(const orp_shm_table_t *table,
                               apr_uint32_t index, apr_uint32_t state)
{
    atomic_store_explicit(&orp_shm_cell(table, index)->state, state,
                          memory_order_relaxed);
}

/* ---------------------------------------------------------------------- */
/* Records: their bytes are the key, then the value */

/** How many cells a key and a value of so many bytes together need. */
apr_uint32_t orp_shm_cells_for(const orp_shm_table_t *table,
                               apr_size_t bytes);

/** How many cells a record has. */
apr_uint32_t orp_shm_cells_of(const orp_shm_table_t *table,
                              const orp_shm_head_t *head);

/** Whether a record can have these sizes. */
int orp_shm_are_sane_sizes(apr_uint32_t key_size, apr_uint32_t value_size);

/** A place among the bytes of a record. */
typedef struct orp_shm_cursor_t {
    apr_uint32_t index;         /* the cell */
    apr_uint32_t offset;        /* in it */
} orp_shm_cursor_t;

/** The first byte of the record at index. */
static inline orp_shm_cursor_t orp_shm_first_byte(apr_uint32_t index)
{
    orp_shm_cursor_t cursor = { index, sizeof(orp_shm_head_t) };

    return cursor;
}

ORP_MUST_USE apr_status_t orp_shm_write(orp_shm_table_t *table,
                                        orp_shm_cursor_t *cursor,
                                        const void *data, apr_size_t size);

ORP_MUST_USE apr_status_t orp_shm_skip(const orp_shm_table_t *table,
                                       orp_shm_cursor_t *cursor,
                                       apr_size_t size);

ORP_MUST_USE apr_status_t orp_shm_read(void *data,
                                       const orp_shm_table_t *table,
                                       orp_shm_cursor_t *cursor,
                                       apr_size_t size);

/** Whether the record at index has the key: ORP_ENOTFOUND where not. */
ORP_MUST_USE apr_status_t orp_shm_compare_key(const orp_shm_table_t *table,
                                              apr_uint32_t index,
                                              const orp_shm_record_t *wanted);

/* ---------------------------------------------------------------------- */
/* Buckets and heap. Finding is orp_shm_table_find() */

/** Enter a record that is LIVE. */
ORP_MUST_USE apr_status_t orp_shm_index_enter(orp_shm_table_t *table,
                                              apr_uint32_t index);

/** Take a record out; it stays LIVE. */
ORP_MUST_USE apr_status_t orp_shm_index_leave(orp_shm_table_t *table,
                                              apr_uint32_t index);

/**
 * The record that expires first, if it has.
 * @return APR_SUCCESS, ORP_ENOTFOUND or ORP_ESTORE
 */
ORP_MUST_USE apr_status_t orp_shm_index_expired(apr_uint32_t *pindex,
                                                const orp_shm_table_t *table,
                                                apr_time_t now);

/* ---------------------------------------------------------------------- */
/* Cells */

/** Wipe a cell and put it in the free list. */
void orp_shm_free_cell(orp_shm_table_t *table, apr_uint32_t index);

#endif
