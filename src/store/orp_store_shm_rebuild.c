/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_shm_rebuild.c - a table made anew from the heads that are LIVE.
 *
 * Killed in the middle, it can be done again from the start: of what is LIVE
 * it changes only what is damaged, or there twice.
 */

#include "orp_store.h"
#include "orp_store_shm_cells.h"

/* Make the cells of a record that cannot stay free again. They are put in
 * the free list at the end, with all others. */
static void give_up_cells(orp_shm_table_t *table, apr_uint32_t index,
                          apr_uint32_t cells)
{
    while (cells-- > 0) {
        orp_shm_set(table, index, ORP_SHM_FREE);
        index = orp_shm_cell(table, index)->more;
    }
}

/* Mark the cells that belong to a head. No cell can belong to two, or twice
 * to one: it must still be free. */
static int mark_cells(orp_shm_table_t *table, apr_uint32_t first)
{
    orp_shm_head_t *head = orp_shm_head(table, first);
    apr_uint32_t index = first;
    apr_uint32_t marked = 1;
    apr_uint32_t cells = 0;

    if (orp_shm_are_sane_sizes(head->key_size, head->value_size)) {
        cells = orp_shm_cells_of(table, head);
    }
    while (marked < cells) {
        index = orp_shm_cell(table, index)->more;
        if (!orp_shm_is(table, index, ORP_SHM_FREE)) {
            break;
        }
        orp_shm_set(table, index, ORP_SHM_MORE);
        marked++;
    }
    if (marked == cells && orp_shm_cell(table, index)->more == ORP_SHM_NONE) {
        return 1;
    }
    give_up_cells(table, first, marked);
    return 0;
}

static void give_up(orp_shm_table_t *table, apr_uint32_t index)
{
    const orp_shm_head_t *head = orp_shm_head(table, index);

    give_up_cells(table, index, orp_shm_cells_of(table, head));
}

/* Keep a record whose cells are marked, unless it is not what it was, or
 * there is one of this key already. */
static void keep_record(orp_shm_table_t *table, apr_uint32_t index)
{
    orp_shm_head_t *head = orp_shm_head(table, index);
    orp_shm_cursor_t cursor = orp_shm_first_byte(index);
    orp_shm_record_t record = { 0 };
    char key[ORP_STORE_KEY_MAX];
    apr_uint32_t other;
    apr_status_t status;

    status = orp_shm_read(key, table, &cursor, head->key_size);
    record.key = key;
    record.key_size = head->key_size;
    record.hash = orp_shm_table_hash(table, key, head->key_size);
    if (status != APR_SUCCESS || record.hash != head->hash) {
        give_up(table, index);
        return;
    }
    if (orp_shm_table_find(&other, table, &record) == APR_SUCCESS) {
        /* Its writer was killed before it could drop the other. */
        give_up(table, index);
        return;
    }
    if (orp_shm_index_enter(table, index) != APR_SUCCESS) {
        /* Not possible: nobody else writes here now. */
        give_up(table, index);
    }
}

void orp_shm_table_rebuild(orp_shm_table_t *table)
{
    orp_shm_state_t *state = table->state;
    apr_uint32_t i;

    orp_shm_begin(table);
    state->free = ORP_SHM_NONE;
    state->free_cells = 0;
    state->records = 0;
    for (i = 0; i < table->n_cells; i++) {
        table->buckets[i] = ORP_SHM_NONE;
        if (!orp_shm_is(table, i, ORP_SHM_LIVE)) {
            orp_shm_set(table, i, ORP_SHM_FREE);
        }
    }
    for (i = 0; i < table->n_cells; i++) {
        if (orp_shm_is(table, i, ORP_SHM_LIVE) && mark_cells(table, i)) {
            keep_record(table, i);
        }
    }
    for (i = table->n_cells; i-- > 0;) {
        if (orp_shm_is(table, i, ORP_SHM_FREE)) {
            orp_shm_free_cell(table, i);
        }
    }
    orp_shm_end(table);
}

void orp_shm_table_clear(orp_shm_table_t *table)
{
    apr_uint32_t i;

    orp_shm_begin(table);
    table->state->refused = 0;
    for (i = 0; i < table->n_cells; i++) {
        orp_shm_set(table, i, ORP_SHM_FREE);
    }
    orp_shm_table_rebuild(table);
}
