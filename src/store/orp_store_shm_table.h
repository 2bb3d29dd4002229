/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_shm_table.h - the room of one kind in the shared memory store.
 *
 * The segment is a header, then one table for each kind:
 *
 *   +--------+-------+-------+-------------+---------+-------+-------+
 *   | header | LOGIN | NONCE | ASSOCIATION | SESSION | QUEUE | CACHE |
 *   +--------+-------+-------+-------------+---------+-------+-------+
 *
 * and each table is
 *
 *   +-------+--------------+-------------+---------------------------+
 *   | state | buckets [n]  | expiry [n]  | cells [n], of equal size  |
 *   +-------+--------------+-------------+---------------------------+
 *
 * Cells begin at a multiple of their size, a power of two: none has more cache
 * lines, or pages, than it must.
 *
 * A record is a chain of cells: a head, and as many more as its key and its
 * value, which follow each other without a gap, need:
 *
 *     bucket [hash * n / 2^64]
 *        |
 *        |           head                               more
 *        |    +-> +------+-------------------+   +-> +------+----------+
 *        +----+   | LIVE | more -------------|---+   | MORE | more ----|-> none
 *                 | chain, place, sizes,     |       | ...rest of the  |
 *                 | hash, expires            |       | value           |
 *                 | key, value...            |       +-----------------+
 *                 +---|----------------------+
 *                     +-> the next head of this bucket
 *
 *     expiry [0..records)  a binary heap of heads, the first to expire at
 *                          [0]; place is where in it a head stands
 *
 *     state.free           the first free cell; they are chained by more
 *
 * There are as many buckets as cells, so that chains stay short however full
 * the table is. The hash is SipHash under the segment's own random key: who
 * chooses keys cannot choose buckets. All references are indices into cells,
 * and are checked before use.
 *
 * What a killed process leaves. A record is there if, and only if, the state
 * of its head is LIVE. That word is written last when a record is made, and
 * first when its cells are given back; all else (buckets, heap, free list,
 * counts, the state of cells that are not heads) can be had again from the
 * heads that are LIVE. A writer makes state.turn odd before its first store,
 * and even again, by adding one, after its last. Who enters and finds it odd,
 * or finds an index that cannot be, has the table rebuilt. A record that
 * replaces another is LIVE before the other ceases to be: where both are
 * found, nobody has been told of the new one yet, and either may stay.
 *
 * Who only reads needs no lock. What was found counts if state.turn was even
 * before and is the same afterwards: then nobody has written in between. If
 * not, it may be anything; so reading is safe, and comes to an end, whatever
 * is there and however it changes meanwhile: each number is read once, and
 * checked before it is used.
 *
 * Nothing here locks, or looks at turn except the rebuild: orp_store_shm.c
 * does. Functions that can fail return ORP_ESTORE where they found damage;
 * the table must be rebuilt then, and the function may be called again.
 */
#ifndef ORP_STORE_SHM_TABLE_H
#define ORP_STORE_SHM_TABLE_H

#include <stdatomic.h>

#include <apr_pools.h>
#include <apr_time.h>

#include "orp_status.h"

/** No cell. */
#define ORP_SHM_NONE 0xffffffffU

/* The states of a cell */
#define ORP_SHM_FREE 0U
#define ORP_SHM_LIVE 0x4c495645U        /* the head of a record */
#define ORP_SHM_MORE 0x4d4f5245U        /* in use, but not a head */

/** How every cell begins. */
typedef struct orp_shm_cell_t {
    _Atomic apr_uint32_t state;
    apr_uint32_t more;          /* next cell of the record, or free one */
} orp_shm_cell_t;

/** How the first cell of a record begins. */
typedef struct orp_shm_head_t {
    orp_shm_cell_t cell;
    apr_uint32_t chain;         /* next head of the same bucket */
    apr_uint32_t place;         /* in the heap */
    apr_uint32_t key_size;
    apr_uint32_t value_size;
    apr_uint64_t hash;          /* of the key; also shows that it is whole */
    apr_time_t expires;
} orp_shm_head_t;

/** How a table begins. */
typedef struct orp_shm_state_t {
    _Atomic apr_uint32_t turn;  /* odd: someone is, or died, at work; may
                                 * begin again at 0 */
    apr_uint32_t free;          /* first free cell */
    apr_uint32_t free_cells;    /* how many there are */
    apr_uint32_t records;       /* how many there are, expired or not */
    apr_uint64_t refused;       /* times that a record found no room */
} orp_shm_state_t;

/** Where one process sees a table. */
typedef struct orp_shm_table_t {
    orp_shm_state_t *state;
    apr_uint32_t *buckets;
    apr_uint32_t *expiry;
    unsigned char *cells;
    apr_uint32_t n_cells;       /* and buckets, and places in the heap */
    apr_uint32_t cell_size;
    apr_uint32_t reserve;       /* cells that only a replacement may use */
    const unsigned char *seed;  /* key of the hash, APR_SIPHASH_KSIZE bytes */
} orp_shm_table_t;

/** A record, as it comes from a caller. */
typedef struct orp_shm_record_t {
    const char *key;
    apr_size_t key_size;
    apr_uint64_t hash;
    const void *value;
    apr_size_t value_size;
    apr_time_t expires;
} orp_shm_record_t;

/* ---------------------------------------------------------------------- */
/* Who is at work */

/** Everything before this is in memory before anything after it: for other
 * processes, and for who comes after we are killed. */
static inline void orp_shm_commit_point(void)
{
    atomic_thread_fence(memory_order_acq_rel);
}

/** The turn, to be compared afterwards; odd: someone is, or died, at work. */
static inline apr_uint32_t orp_shm_turn(const orp_shm_table_t *table)
{
    return atomic_load_explicit(&table->state->turn, memory_order_acquire);
}

/** Whether nobody has written since. */
static inline int orp_shm_is_still(const orp_shm_table_t *table,
                                   apr_uint32_t turn)
{
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&table->state->turn,
                                memory_order_relaxed) == turn;
}

/** Tell that we are at work. Where the last one was killed at work, that has
 * been told already. */
static inline void orp_shm_begin(orp_shm_table_t *table)
{
    atomic_store_explicit(&table->state->turn, orp_shm_turn(table) | 1,
                          memory_order_relaxed);
    orp_shm_commit_point();
}

/** And that we have done it. */
static inline void orp_shm_end(orp_shm_table_t *table)
{
    orp_shm_commit_point();
    atomic_store_explicit(&table->state->turn, orp_shm_turn(table) + 1,
                          memory_order_relaxed);
}

/* ---------------------------------------------------------------------- */

/**
 * Find out where all parts of a table are; touches nothing in it.
 * @param base       a multiple of cell_size behind what is aligned best
 * @param room       bytes there
 * @param cell_size  a power of two, at least 64
 */
void orp_shm_table_place(orp_shm_table_t *table, unsigned char *base,
                         apr_size_t room, apr_uint32_t cell_size,
                         const unsigned char *seed);

/** Make the table empty, whatever was there. */
void orp_shm_table_clear(orp_shm_table_t *table);

/** Make everything anew from the heads that are LIVE. */
void orp_shm_table_rebuild(orp_shm_table_t *table);

apr_uint64_t orp_shm_table_hash(const orp_shm_table_t *table,
                                const char *key, apr_size_t key_size);

/**
 * Find the record of a key, expired or not.
 * @param pindex  set on success
 * @param wanted  key, key_size and hash are used
 * @return APR_SUCCESS, ORP_ENOTFOUND or ORP_ESTORE
 */
ORP_MUST_USE apr_status_t orp_shm_table_find(apr_uint32_t *pindex,
                                             const orp_shm_table_t *table,
                                             const orp_shm_record_t *wanted);

/** When the record that was found expires. */
apr_time_t orp_shm_table_expires(const orp_shm_table_t *table,
                                 apr_uint32_t index);

/** Copy the value of the record that was found, with a NUL behind it. */
ORP_MUST_USE apr_status_t orp_shm_table_read(const char **pvalue,
                                             apr_size_t *psize,
                                             const orp_shm_table_t *table,
                                             apr_uint32_t index,
                                             apr_pool_t *pool);

/**
 * Insert a record, taking the room of expired ones where there is need.
 * @param old  the live record of the same key, which this one replaces, or
 *             ORP_SHM_NONE
 * @return APR_SUCCESS, ORP_EFULL (nothing has changed) or ORP_ESTORE
 */
ORP_MUST_USE apr_status_t orp_shm_table_insert(orp_shm_table_t *table,
                                               const orp_shm_record_t *record,
                                               apr_uint32_t old,
                                               apr_time_t now);

/** Give the record that was found another expiry. */
ORP_MUST_USE apr_status_t orp_shm_table_touch(orp_shm_table_t *table,
                                              apr_uint32_t index,
                                              apr_time_t expires);

/** Remove the record that was found, and wipe its cells. */
ORP_MUST_USE apr_status_t orp_shm_table_drop(orp_shm_table_t *table,
                                             apr_uint32_t index);

/**
 * Remove some of what has expired, the oldest first.
 * @param at_most  not more than this many records
 * @param pcount   set to how many, on success
 */
ORP_MUST_USE apr_status_t orp_shm_table_expire(apr_uint32_t *pcount,
                                               orp_shm_table_t *table,
                                               apr_time_t now,
                                               apr_uint32_t at_most);

#endif
