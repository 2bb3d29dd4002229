/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_shm_record.c - the bytes of a record, which lie in cells. */

#include <string.h>

#include "orp_store.h"
#include "orp_store_shm_cells.h"

apr_uint32_t orp_shm_cells_for(const orp_shm_table_t *table,
                               apr_size_t bytes)
{
    apr_size_t in_head = table->cell_size - sizeof(orp_shm_head_t);
    apr_size_t in_more = table->cell_size - sizeof(orp_shm_cell_t);

    if (bytes <= in_head) {
        return 1;
    }
    return 1 + (apr_uint32_t)((bytes - in_head + in_more - 1) / in_more);
}

apr_uint32_t orp_shm_cells_of(const orp_shm_table_t *table,
                              const orp_shm_head_t *head)
{
    apr_size_t bytes = head->key_size;

    return orp_shm_cells_for(table, bytes + head->value_size);
}

int orp_shm_are_sane_sizes(apr_uint32_t key_size, apr_uint32_t value_size)
{
    return key_size > 0 && key_size <= ORP_STORE_KEY_MAX
           && value_size <= ORP_STORE_VALUE_MAX;
}

/* The next bytes that lie together; the cursor goes behind them. *psize is
 * what is wanted, and then what is there. @return NULL where the record is
 * damaged */
static unsigned char *next_piece(apr_size_t *psize, orp_shm_cursor_t *cursor,
                                 const orp_shm_table_t *table)
{
    unsigned char *piece;
    apr_size_t left;

    if (cursor->offset == table->cell_size) {
        cursor->index = orp_shm_once(&orp_shm_cell(table,
                                                   cursor->index)->more);
        cursor->offset = sizeof(orp_shm_cell_t);
        if (!orp_shm_is(table, cursor->index, ORP_SHM_MORE)) {
            return NULL;
        }
    }
    piece = table->cells + (apr_size_t)cursor->index * table->cell_size
            + cursor->offset;
    left = table->cell_size - cursor->offset;
    if (*psize > left) {
        *psize = left;
    }
    cursor->offset += (apr_uint32_t)*psize;
    return piece;
}

apr_status_t orp_shm_write(orp_shm_table_t *table, orp_shm_cursor_t *cursor,
                           const void *data, apr_size_t size)
{
    const unsigned char *from = data;

    while (size > 0) {
        apr_size_t part = size;
        unsigned char *piece = next_piece(&part, cursor, table);

        if (!piece) {
            return ORP_ESTORE;
        }
        memcpy(piece, from, part);
        from += part;
        size -= part;
    }
    return APR_SUCCESS;
}

apr_status_t orp_shm_skip(const orp_shm_table_t *table,
                          orp_shm_cursor_t *cursor, apr_size_t size)
{
    while (size > 0) {
        apr_size_t part = size;

        if (!next_piece(&part, cursor, table)) {
            return ORP_ESTORE;
        }
        size -= part;
    }
    return APR_SUCCESS;
}

apr_status_t orp_shm_read(void *data, const orp_shm_table_t *table,
                          orp_shm_cursor_t *cursor, apr_size_t size)
{
    unsigned char *to = data;

    while (size > 0) {
        apr_size_t part = size;
        const unsigned char *piece = next_piece(&part, cursor, table);

        if (!piece) {
            return ORP_ESTORE;
        }
        memcpy(to, piece, part);
        to += part;
        size -= part;
    }
    return APR_SUCCESS;
}

apr_status_t orp_shm_compare_key(const orp_shm_table_t *table,
                                 apr_uint32_t index,
                                 const orp_shm_record_t *wanted)
{
    const orp_shm_head_t *head = orp_shm_head(table, index);
    orp_shm_cursor_t cursor = orp_shm_first_byte(index);
    const char *key = wanted->key;
    apr_size_t size = wanted->key_size;

    if (head->hash != wanted->hash || head->key_size != size) {
        return ORP_ENOTFOUND;
    }
    while (size > 0) {
        apr_size_t part = size;
        const unsigned char *piece = next_piece(&part, &cursor, table);

        if (!piece) {
            return ORP_ESTORE;
        }
        if (memcmp(piece, key, part) != 0) {
            return ORP_ENOTFOUND;
        }
        key += part;
        size -= part;
    }
    return APR_SUCCESS;
}
