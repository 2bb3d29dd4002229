/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_shm.c - the store in shared memory: header, lock, operations.
 *
 * Each operation holds the lock once, for the time that it takes to find and
 * copy one record. What is in the tables is told in orp_store_shm_table.h.
 */

#include <stdint.h>
#include <string.h>

#include <apr_general.h>
#include <apr_siphash.h>

#include "orp_store.h"
#include "orp_store_shm_table.h"

/* Change it whenever a struct or the meaning of a field changes. */
#define LAYOUT_VERSION 1

/* How many expired records are removed before others get the lock. */
#define SWEEP_BATCH 256

/* All parts of the segment begin at a multiple of this: a cache line. */
#define ALIGNMENT 64

/* In what pieces a kind's share of the segment comes. Cells are to hold a
 * typical record with little waste, and a large one in few pieces. */
static const apr_uint32_t cell_sizes[ORP_STORE_KINDS] = {
    [ORP_STORE_LOGIN] = 256,
    [ORP_STORE_NONCE] = 128,    /* a hash in hex and nothing else */
    [ORP_STORE_ASSOCIATION] = 256,
    [ORP_STORE_SESSION] = 256,
    [ORP_STORE_QUEUE] = 128,
    [ORP_STORE_CACHE] = 256,
};

/* The segment begins with this. It never changes while the store is open;
 * one that is not as expected belongs to another store, or to none. */
typedef struct header_t {
    char magic[8];
    apr_uint32_t version;
    apr_uint32_t kinds;
    apr_uint64_t size;
    apr_uint32_t percent[ORP_STORE_KINDS];
    apr_uint32_t cell_size[ORP_STORE_KINDS];
    unsigned char seed[APR_SIPHASH_KSIZE];
} header_t;

#define HEADER_ROOM (2 * ALIGNMENT)
_Static_assert(sizeof(header_t) <= HEADER_ROOM, "the header has its room");

typedef struct shm_t {
    unsigned char *base;
    header_t header;            /* as it must be at base */
    apr_global_mutex_t *mutex;
    orp_shm_table_t tables[ORP_STORE_KINDS];
} shm_t;

/* One operation, its arguments and its results. */
typedef struct request_t {
    orp_store_kind_e kind;
    orp_shm_record_t record;
    apr_time_t now;
    apr_pool_t *pool;
    const char *value;
    apr_size_t size;
    apr_uint32_t swept;
    orp_store_stats_t stats;
} request_t;

typedef struct operation_t {
    apr_status_t (*run)(orp_shm_table_t *table, request_t *request);
    int writes;
} operation_t;

/* ---------------------------------------------------------------------- */
/* Under the lock */

static apr_status_t attempt(orp_shm_table_t *table,
                            const operation_t *operation, request_t *request)
{
    apr_status_t status;

    if (!operation->writes) {
        return operation->run(table, request);
    }
    table->state->dirty = 1;
    atomic_thread_fence(memory_order_seq_cst);
    status = operation->run(table, request);
    atomic_thread_fence(memory_order_seq_cst);
    if (status != ORP_ESTORE) {
        table->state->dirty = 0;
    }
    return status;
}

/* Whoever was here before may have been killed, or something may have
 * overwritten what it should not: the table is then rebuilt first. */
static apr_status_t perform(shm_t *shm, const operation_t *operation,
                            request_t *request)
{
    orp_shm_table_t *table = &shm->tables[request->kind];
    apr_status_t status;

    if (request->record.key) {
        request->record.key_size = strlen(request->record.key);
        request->record.hash = orp_shm_table_hash(table, request->record.key,
                                                  request->record.key_size);
    }
    if (apr_global_mutex_lock(shm->mutex) != APR_SUCCESS) {
        return ORP_ESTORE;
    }
    if (memcmp(shm->base, &shm->header, sizeof(shm->header)) != 0) {
        status = ORP_ESTORE;
    }
    else {
        if (table->state->dirty) {
            orp_shm_table_rebuild(table);
        }
        status = attempt(table, operation, request);
        if (status == ORP_ESTORE) {
            orp_shm_table_rebuild(table);
            status = attempt(table, operation, request);
        }
    }
    if (apr_global_mutex_unlock(shm->mutex) != APR_SUCCESS) {
        return ORP_ESTORE;
    }
    return status;
}

/* ---------------------------------------------------------------------- */
/* The operations */

static apr_status_t find_live(apr_uint32_t *pindex, orp_shm_table_t *table,
                              request_t *request)
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
                                  orp_shm_table_t *table, request_t *request)
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

static apr_status_t run_put(orp_shm_table_t *table, request_t *request)
{
    apr_uint32_t old = ORP_SHM_NONE;
    apr_status_t status = find_or_clear(&old, table, request);

    if (status != APR_SUCCESS && status != ORP_ENOTFOUND) {
        return status;
    }
    return orp_shm_table_insert(table, &request->record, old, request->now);
}

static apr_status_t run_get(orp_shm_table_t *table, request_t *request)
{
    apr_uint32_t index;
    apr_status_t status = find_live(&index, table, request);

    if (status != APR_SUCCESS) {
        return status;
    }
    return orp_shm_table_read(&request->value, &request->size, table, index,
                              request->pool);
}

static apr_status_t run_claim(orp_shm_table_t *table, request_t *request)
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

static apr_status_t run_take(orp_shm_table_t *table, request_t *request)
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

static apr_status_t run_touch(orp_shm_table_t *table, request_t *request)
{
    apr_uint32_t index;
    apr_status_t status = find_live(&index, table, request);

    if (status != APR_SUCCESS) {
        return status;
    }
    return orp_shm_table_touch(table, index, request->record.expires);
}

static apr_status_t run_remove(orp_shm_table_t *table, request_t *request)
{
    apr_uint32_t index;
    apr_status_t status = orp_shm_table_find(&index, table,
                                             &request->record);

    if (status == ORP_ENOTFOUND) {
        return APR_SUCCESS;
    }
    return status == APR_SUCCESS ? orp_shm_table_drop(table, index) : status;
}

static apr_status_t run_sweep(orp_shm_table_t *table, request_t *request)
{
    return orp_shm_table_expire(&request->swept, table, request->now,
                                SWEEP_BATCH);
}

static apr_status_t run_stats(orp_shm_table_t *table, request_t *request)
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

static const operation_t op_put = { run_put, 1 };
static const operation_t op_get = { run_get, 0 };
static const operation_t op_claim = { run_claim, 1 };
static const operation_t op_take = { run_take, 1 };
static const operation_t op_touch = { run_touch, 1 };
static const operation_t op_remove = { run_remove, 1 };
static const operation_t op_sweep = { run_sweep, 1 };
static const operation_t op_stats = { run_stats, 0 };

/* ---------------------------------------------------------------------- */
/* The backend's slots */

static apr_status_t shm_put(void *baton, orp_store_kind_e kind,
                            const char *key, const void *value,
                            apr_size_t size, apr_time_t expires,
                            apr_time_t now)
{
    request_t request = { .kind = kind, .now = now };

    request.record.key = key;
    request.record.value = value;
    request.record.value_size = size;
    request.record.expires = expires;
    return perform(baton, &op_put, &request);
}

static apr_status_t shm_get(const char **pvalue, apr_size_t *psize,
                            void *baton, orp_store_kind_e kind,
                            const char *key, apr_time_t now,
                            apr_pool_t *pool)
{
    request_t request = { .kind = kind, .now = now, .pool = pool };
    apr_status_t status;

    request.record.key = key;
    status = perform(baton, &op_get, &request);
    if (status == APR_SUCCESS) {
        *pvalue = request.value;
        *psize = request.size;
    }
    return status;
}

static apr_status_t shm_claim(void *baton, orp_store_kind_e kind,
                              const char *key, apr_time_t expires,
                              apr_time_t now)
{
    request_t request = { .kind = kind, .now = now };

    request.record.key = key;
    request.record.value = "";
    request.record.expires = expires;
    return perform(baton, &op_claim, &request);
}

static apr_status_t shm_take(const char **pvalue, apr_size_t *psize,
                             void *baton, orp_store_kind_e kind,
                             const char *key, apr_time_t now,
                             apr_pool_t *pool)
{
    request_t request = { .kind = kind, .now = now, .pool = pool };
    apr_status_t status;

    request.record.key = key;
    status = perform(baton, &op_take, &request);
    if (status == APR_SUCCESS) {
        *pvalue = request.value;
        *psize = request.size;
    }
    return status;
}

static apr_status_t shm_touch(void *baton, orp_store_kind_e kind,
                              const char *key, apr_time_t expires,
                              apr_time_t now)
{
    request_t request = { .kind = kind, .now = now };

    request.record.key = key;
    request.record.expires = expires;
    return perform(baton, &op_touch, &request);
}

static apr_status_t shm_remove(void *baton, orp_store_kind_e kind,
                               const char *key)
{
    request_t request = { .kind = kind };

    request.record.key = key;
    return perform(baton, &op_remove, &request);
}

static apr_status_t sweep_kind(shm_t *shm, orp_store_kind_e kind,
                               apr_time_t now)
{
    request_t request = { .kind = kind, .now = now };
    apr_status_t status;

    do {
        status = perform(shm, &op_sweep, &request);
    } while (status == APR_SUCCESS && request.swept == SWEEP_BATCH);
    return status;
}

static apr_status_t shm_sweep(void *baton, apr_time_t now)
{
    apr_status_t status = APR_SUCCESS;
    int kind;

    for (kind = 0; kind < ORP_STORE_KINDS && status == APR_SUCCESS; kind++) {
        status = sweep_kind(baton, (orp_store_kind_e)kind, now);
    }
    return status;
}

/* Only live records count, so the others go first. */
static apr_status_t shm_stats(orp_store_stats_t *stats, void *baton,
                              orp_store_kind_e kind, apr_time_t now)
{
    request_t request = { .kind = kind, .now = now };
    apr_status_t status = sweep_kind(baton, kind, now);

    if (status == APR_SUCCESS) {
        status = perform(baton, &op_stats, &request);
    }
    if (status == APR_SUCCESS) {
        *stats = request.stats;
    }
    return status;
}

static const orp_store_backend_t shm_backend = {
    .name = "shm",
    .put = shm_put,
    .get = shm_get,
    .claim = shm_claim,
    .take = shm_take,
    .touch = shm_touch,
    .remove = shm_remove,
    .sweep = shm_sweep,
    .stats = shm_stats,
};

/* ---------------------------------------------------------------------- */
/* Opening */

static void expect_header(header_t *header, apr_size_t size)
{
    int kind;

    memset(header, 0, sizeof(*header));
    memcpy(header->magic, "orp-shm", sizeof(header->magic));
    header->version = LAYOUT_VERSION;
    header->kinds = ORP_STORE_KINDS;
    header->size = size;
    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        header->percent[kind]
            = (apr_uint32_t)orp_store_share((orp_store_kind_e)kind);
        header->cell_size[kind] = cell_sizes[kind];
    }
}

static void place_tables(shm_t *shm, apr_size_t size)
{
    unsigned char *base = shm->base + HEADER_ROOM;
    apr_size_t percent = (size - HEADER_ROOM) / 100;
    int kind;

    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        apr_size_t room = percent * shm->header.percent[kind];

        room -= room % ALIGNMENT;
        orp_shm_table_place(&shm->tables[kind], base, room,
                            cell_sizes[kind], shm->header.seed);
        base += room;
    }
}

/* Under the lock: use what is there if it is ours, else begin anew. The
 * header is written last: who is killed here leaves none. */
static apr_status_t take_up(shm_t *shm, int fresh)
{
    header_t *there = (header_t *)(void *)shm->base;
    header_t *expected = &shm->header;
    int kind;

    memcpy(expected->seed, there->seed, sizeof(expected->seed));
    if (!fresh && memcmp(there, expected, sizeof(*expected)) == 0) {
        for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
            orp_shm_table_rebuild(&shm->tables[kind]);
        }
        return APR_SUCCESS;
    }
    memset(there, 0, sizeof(*there));
    atomic_thread_fence(memory_order_seq_cst);
    if (apr_generate_random_bytes(expected->seed, sizeof(expected->seed))
        != APR_SUCCESS) {
        return ORP_ESTORE;
    }
    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        orp_shm_table_clear(&shm->tables[kind]);
    }
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(there, expected, sizeof(*there));
    return APR_SUCCESS;
}

apr_status_t orp_store_shm_open(orp_store_t **pstore, void *base,
                                apr_size_t size, int fresh,
                                apr_global_mutex_t *mutex, apr_pool_t *pool)
{
    orp_store_t *store;
    shm_t *shm;
    apr_status_t status;

    if (!base || !mutex || size < ORP_STORE_SHM_MIN
        || (uintptr_t)base % sizeof(apr_uint64_t) != 0) {
        return APR_EINVAL;
    }
    shm = apr_pcalloc(pool, sizeof(*shm));
    shm->base = base;
    shm->mutex = mutex;
    expect_header(&shm->header, size);
    place_tables(shm, size);

    if (apr_global_mutex_lock(mutex) != APR_SUCCESS) {
        return ORP_ESTORE;
    }
    status = take_up(shm, fresh);
    if (apr_global_mutex_unlock(mutex) != APR_SUCCESS) {
        status = ORP_ESTORE;
    }
    if (status != APR_SUCCESS) {
        return status;
    }

    store = apr_palloc(pool, sizeof(*store));
    store->backend = &shm_backend;
    store->baton = shm;
    *pstore = store;
    return APR_SUCCESS;
}
