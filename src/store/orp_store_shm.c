/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_shm.c - the store in shared memory: header, lock, operations.
 *
 * Who writes holds the lock once, for the time that it takes to find and copy
 * one record. Who reads takes it only if writers are in the way. What is in
 * the tables is told in orp_store_shm_table.h.
 */

#include <stdint.h>
#include <string.h>

#include <apr_general.h>
#include <apr_siphash.h>

#include "orp_store.h"
#include "orp_store_shm_operations.h"

/* Change it whenever a struct or the meaning of a field changes. */
#define LAYOUT_VERSION 2

/* How often one looks whether another is ready, before going to sleep: for a
 * microsecond or a few. */
#define SPINS 64

/* All parts of the segment begin at a multiple of this: the largest cell. */
#define ALIGNMENT 512

/* In what pieces a kind's share of the segment comes. Cells are to hold a
 * typical record with little waste, and a large one in few pieces. */
static const apr_uint32_t cell_sizes[ORP_STORE_KINDS] = {
    [ORP_STORE_LOGIN] = 256,
    [ORP_STORE_NONCE] = 128,    /* a hash in hex and nothing else */
    [ORP_STORE_ASSOCIATION] = 256,
    [ORP_STORE_SESSION] = 512,
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

#define HEADER_ROOM ALIGNMENT
_Static_assert(sizeof(header_t) <= HEADER_ROOM, "the header has its room");

typedef struct shm_t {
    unsigned char *base;
    header_t header;            /* as it must be at base */
    apr_global_mutex_t *mutex;
    int spins;                  /* before sleeping until the mutex is free */
    orp_shm_table_t tables[ORP_STORE_KINDS];
} shm_t;

/* ---------------------------------------------------------------------- */
/* Without the lock */

/* What a processor does best while it waits for another one. */
static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

static int is_ours(const shm_t *shm)
{
    return memcmp(shm->base, &shm->header, sizeof(shm->header)) == 0;
}

/* Whoever lays out another store takes the header away first, and his has
 * another seed. */
static int is_still_ours(const shm_t *shm)
{
    const header_t *there = (const void *)shm->base;

    return memcmp(there->seed, shm->header.seed, sizeof(there->seed)) == 0;
}

/* Read, and see afterwards whether anybody wrote meanwhile. A few times: who
 * is at work has soon done it. @return whether *pstatus is what is true */
static int read_unlocked(apr_status_t *pstatus, shm_t *shm,
                         const orp_shm_operation_t *operation,
                         orp_shm_request_t *request)
{
    orp_shm_table_t *table = &shm->tables[request->kind];
    int i;

    for (i = 0; i < SPINS; i++) {
        apr_uint32_t turn = orp_shm_turn(table);

        if (turn & 1) {
            pause_briefly();
            continue;
        }
        *pstatus = operation->run(table, request);
        if (orp_shm_is_still(table, turn) && is_still_ours(shm)) {
            return *pstatus != ORP_ESTORE;
        }
        i += SPINS / 4;
    }
    return 0;
}

/* ---------------------------------------------------------------------- */
/* Under the lock */

/* Most have it for less time than it takes to go to sleep and wake up. */
static apr_status_t lock(const shm_t *shm)
{
    int i;

    for (i = 0; i < shm->spins; i++) {
        apr_status_t status = apr_global_mutex_trylock(shm->mutex);

        if (!APR_STATUS_IS_EBUSY(status)) {
            return status;
        }
        pause_briefly();
    }
    return apr_global_mutex_lock(shm->mutex);
}

static apr_status_t attempt(orp_shm_table_t *table,
                            const orp_shm_operation_t *operation,
                            orp_shm_request_t *request)
{
    apr_status_t status;

    if (!operation->writes) {
        return operation->run(table, request);
    }
    orp_shm_begin(table);
    status = operation->run(table, request);
    if (status != ORP_ESTORE) {
        orp_shm_end(table);
    }
    return status;
}

/* Whoever was here before may have been killed, or something may have
 * overwritten what it should not: the table is then rebuilt first. */
static apr_status_t perform_locked(shm_t *shm,
                                   const orp_shm_operation_t *operation,
                                   orp_shm_request_t *request)
{
    orp_shm_table_t *table = &shm->tables[request->kind];
    apr_status_t status;

    if (lock(shm) != APR_SUCCESS) {
        return ORP_ESTORE;
    }
    if (!is_ours(shm)) {
        status = ORP_ESTORE;
    }
    else {
        if (orp_shm_turn(table) & 1) {
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

static apr_status_t perform(shm_t *shm, const orp_shm_operation_t *operation,
                            orp_shm_request_t *request)
{
    orp_shm_record_t *record = &request->record;
    apr_status_t status;

    if (record->key) {
        record->key_size = strlen(record->key);
        record->hash = orp_shm_table_hash(&shm->tables[request->kind],
                                          record->key, record->key_size);
    }
    if (!operation->writes
        && read_unlocked(&status, shm, operation, request)) {
        return status;
    }
    return perform_locked(shm, operation, request);
}

/* ---------------------------------------------------------------------- */
/* The backend's slots */

static apr_status_t shm_put(void *baton, orp_store_kind_e kind,
                            const char *key, const void *value,
                            apr_size_t size, apr_time_t expires,
                            apr_time_t now)
{
    orp_shm_request_t request = { .kind = kind, .now = now };

    request.record.key = key;
    request.record.value = value;
    request.record.value_size = size;
    request.record.expires = expires;
    return perform(baton, &orp_shm_op_put, &request);
}

static apr_status_t shm_get(const char **pvalue, apr_size_t *psize,
                            void *baton, orp_store_kind_e kind,
                            const char *key, apr_time_t now,
                            apr_pool_t *pool)
{
    orp_shm_request_t request = { .kind = kind, .now = now, .pool = pool };
    apr_status_t status;

    request.record.key = key;
    status = perform(baton, &orp_shm_op_get, &request);
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
    orp_shm_request_t request = { .kind = kind, .now = now };

    request.record.key = key;
    request.record.value = "";
    request.record.expires = expires;
    return perform(baton, &orp_shm_op_claim, &request);
}

static apr_status_t shm_take(const char **pvalue, apr_size_t *psize,
                             void *baton, orp_store_kind_e kind,
                             const char *key, apr_time_t now,
                             apr_pool_t *pool)
{
    orp_shm_request_t request = { .kind = kind, .now = now, .pool = pool };
    apr_status_t status;

    request.record.key = key;
    status = perform(baton, &orp_shm_op_take, &request);
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
    orp_shm_request_t request = { .kind = kind, .now = now };

    request.record.key = key;
    request.record.expires = expires;
    return perform(baton, &orp_shm_op_touch, &request);
}

static apr_status_t shm_remove(void *baton, orp_store_kind_e kind,
                               const char *key)
{
    orp_shm_request_t request = { .kind = kind };

    request.record.key = key;
    return perform(baton, &orp_shm_op_remove, &request);
}

static apr_status_t sweep_kind(shm_t *shm, orp_store_kind_e kind,
                               apr_time_t now)
{
    orp_shm_request_t request = { .kind = kind, .now = now };
    apr_status_t status;

    do {
        status = perform(shm, &orp_shm_op_sweep, &request);
    } while (status == APR_SUCCESS && request.swept == ORP_SHM_SWEEP_BATCH);
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
    orp_shm_request_t request = { .kind = kind, .now = now };
    apr_status_t status = sweep_kind(baton, kind, now);

    if (status == APR_SUCCESS) {
        status = perform(baton, &orp_shm_op_stats, &request);
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
    /* Others than this one ask the system each time. */
    if (apr_global_mutex_mech(mutex) == APR_LOCK_PROC_PTHREAD) {
        shm->spins = SPINS;
    }
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
