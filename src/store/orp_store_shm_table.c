/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_shm_table.c - what can be done with the records of a table. */

#include <string.h>

#include <apr_siphash.h>

#include "orp_store.h"
#include "orp_store_shm_cells.h"

void orp_shm_table_place(orp_shm_table_t *table, unsigned char *base,
                         apr_size_t room, apr_uint32_t cell_size,
                         const unsigned char *seed)
{
    apr_size_t each = cell_size + 2 * sizeof(apr_uint32_t);
    apr_size_t n = (room - sizeof(orp_shm_state_t) - cell_size) / each;
    apr_size_t before_cells;
    apr_uint32_t largest;

    if (n >= ORP_SHM_NONE) {
        n = ORP_SHM_NONE - 1;
    }
    table->state = (void *)base;
    table->buckets = (void *)(base + sizeof(orp_shm_state_t));
    table->expiry = table->buckets + n;
    before_cells = sizeof(orp_shm_state_t) + n * 2 * sizeof(apr_uint32_t);
    before_cells += cell_size - 1;
    table->cells = base + before_cells - before_cells % cell_size;
    table->n_cells = (apr_uint32_t)n;
    table->cell_size = cell_size;
    table->seed = seed;

    /* With the cells of the largest record kept back, one that is live can
     * be replaced (a session be prolonged) while the table is full. */
    largest = orp_shm_cells_for(table,
                                ORP_STORE_KEY_MAX + ORP_STORE_VALUE_MAX);
    table->reserve = largest < table->n_cells / 8 ? largest
                                                  : table->n_cells / 8;
}

apr_uint64_t orp_shm_table_hash(const orp_shm_table_t *table,
                                const char *key, apr_size_t key_size)
{
    /* SipHash-1-3: who cannot see hashes cannot make them collide. */
    return apr_siphash(key, key_size, table->seed, 1, 3);
}

apr_time_t orp_shm_table_expires(const orp_shm_table_t *table,
                                 apr_uint32_t index)
{
    return orp_shm_head(table, index)->expires;
}

apr_status_t orp_shm_table_read(const char **pvalue, apr_size_t *psize,
                                const orp_shm_table_t *table,
                                apr_uint32_t index, apr_pool_t *pool)
{
    const orp_shm_head_t *head = orp_shm_head(table, index);
    orp_shm_cursor_t cursor = orp_shm_first_byte(index);
    apr_uint32_t key_size = orp_shm_once(&head->key_size);
    apr_uint32_t size = orp_shm_once(&head->value_size);
    char *copy;

    if (!orp_shm_are_sane_sizes(key_size, size)
        || orp_shm_skip(table, &cursor, key_size) != APR_SUCCESS) {
        return ORP_ESTORE;
    }
    copy = apr_palloc(pool, (apr_size_t)size + 1);
    if (orp_shm_read(copy, table, &cursor, size) != APR_SUCCESS) {
        return ORP_ESTORE;
    }
    copy[size] = '\0';
    *pvalue = copy;
    *psize = size;
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* Cells */

static apr_status_t take_cell(apr_uint32_t *pindex, orp_shm_table_t *table)
{
    orp_shm_state_t *state = table->state;
    apr_uint32_t index = state->free;
    orp_shm_cell_t *cell;

    if (!orp_shm_is(table, index, ORP_SHM_FREE) || state->free_cells == 0) {
        return ORP_ESTORE;
    }
    cell = orp_shm_cell(table, index);
    state->free = cell->more;
    state->free_cells--;
    orp_shm_set(table, index, ORP_SHM_MORE);
    cell->more = ORP_SHM_NONE;
    *pindex = index;
    return APR_SUCCESS;
}

/* Records hold secrets: nothing of them stays in a free cell. */
void orp_shm_free_cell(orp_shm_table_t *table, apr_uint32_t index)
{
    orp_shm_cell_t *cell = orp_shm_cell(table, index);

    orp_shm_set(table, index, ORP_SHM_FREE);
    orp_shm_commit_point();
    memset(cell + 1, 0, table->cell_size - sizeof(*cell));
    cell->more = table->state->free;
    table->state->free = index;
    table->state->free_cells++;
}

apr_status_t orp_shm_table_drop(orp_shm_table_t *table, apr_uint32_t index)
{
    apr_uint32_t more = orp_shm_cell(table, index)->more;
    apr_status_t status;

    status = orp_shm_index_leave(table, index);
    if (status != APR_SUCCESS) {
        return status;
    }
    orp_shm_free_cell(table, index);
    while (more != ORP_SHM_NONE) {
        apr_uint32_t next;

        if (!orp_shm_is(table, more, ORP_SHM_MORE)) {
            return ORP_ESTORE;
        }
        next = orp_shm_cell(table, more)->more;
        orp_shm_free_cell(table, more);
        more = next;
    }
    return APR_SUCCESS;
}

apr_status_t orp_shm_table_expire(apr_uint32_t *pcount,
                                  orp_shm_table_t *table, apr_time_t now,
                                  apr_uint32_t at_most)
{
    apr_uint32_t count = 0;

    while (count < at_most) {
        apr_uint32_t index;
        apr_status_t status = orp_shm_index_expired(&index, table, now);

        if (status == ORP_ENOTFOUND) {
            break;
        }
        if (status == APR_SUCCESS) {
            status = orp_shm_table_drop(table, index);
        }
        if (status != APR_SUCCESS) {
            return status;
        }
        count++;
    }
    *pcount = count;
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* Insertion */

/* The reserve must be whole afterwards: who replaces may use it, if what is
 * replaced gives back as much. */
static int has_room(const orp_shm_table_t *table, apr_uint32_t need,
                    apr_uint32_t gives_back)
{
    apr_uint64_t free_cells = table->state->free_cells;

    return need <= free_cells
           && free_cells - need + gives_back >= table->reserve;
}

/* Expired records give way, as many as it takes and a few more, so that they
 * become fewer with every insertion. Live ones never do. */
static apr_status_t make_room(orp_shm_table_t *table, apr_uint32_t need,
                              apr_uint32_t gives_back, apr_time_t now)
{
    apr_uint32_t count = 0;
    apr_status_t status = orp_shm_table_expire(&count, table, now, 2);

    while (status == APR_SUCCESS && count > 0
           && !has_room(table, need, gives_back)) {
        status = orp_shm_table_expire(&count, table, now, 1);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    return has_room(table, need, gives_back) ? APR_SUCCESS : ORP_EFULL;
}

/* A record in cells of its own, complete but for its being LIVE. */
static apr_status_t build(apr_uint32_t *pindex, orp_shm_table_t *table,
                          const orp_shm_record_t *record, apr_uint32_t need)
{
    apr_uint32_t first = ORP_SHM_NONE, *link = &first;
    orp_shm_head_t *head;
    orp_shm_cursor_t cursor;
    apr_status_t status;

    while (need-- > 0) {
        status = take_cell(link, table);
        if (status != APR_SUCCESS) {
            return status;
        }
        link = &orp_shm_cell(table, *link)->more;
    }
    head = orp_shm_head(table, first);
    head->key_size = (apr_uint32_t)record->key_size;
    head->value_size = (apr_uint32_t)record->value_size;
    head->hash = record->hash;
    head->expires = record->expires;
    cursor = orp_shm_first_byte(first);
    status = orp_shm_write(table, &cursor, record->key, record->key_size);
    if (status == APR_SUCCESS) {
        status = orp_shm_write(table, &cursor, record->value,
                               record->value_size);
    }
    if (status == APR_SUCCESS) {
        *pindex = first;
    }
    return status;
}

apr_status_t orp_shm_table_insert(orp_shm_table_t *table,
                                  const orp_shm_record_t *record,
                                  apr_uint32_t old, apr_time_t now)
{
    apr_uint32_t need = orp_shm_cells_for(table, record->key_size
                                                 + record->value_size);
    apr_uint32_t gives_back = 0;
    apr_uint32_t index;
    apr_status_t status;

    if (old != ORP_SHM_NONE) {
        gives_back = orp_shm_cells_of(table, orp_shm_head(table, old));
    }
    status = make_room(table, need, gives_back, now);
    if (status == ORP_EFULL) {
        table->state->refused++;
    }
    if (status != APR_SUCCESS
        || (status = build(&index, table, record, need)) != APR_SUCCESS) {
        return status;
    }

    orp_shm_commit_point();
    orp_shm_set(table, index, ORP_SHM_LIVE);
    orp_shm_commit_point();

    status = orp_shm_index_enter(table, index);
    if (status == APR_SUCCESS && old != ORP_SHM_NONE) {
        status = orp_shm_table_drop(table, old);
    }
    return status;
}
