/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_store_shm.c - the store in shared memory: taking a segment up again,
 * damage, and being killed at any instruction.
 *
 * What it promises as a store is tested in test_contract_shm.c.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/ptrace.h>
#endif

#include <cmocka.h>

#include <apr_general.h>
#include <apr_portable.h>
#include <apr_strings.h>

#include "orp_store.h"
#include "orp_store_shm_table.h"

#define NOW apr_time_from_sec(APR_INT64_C(1768478400))
#define MINUTE apr_time_from_sec(60)
#define LATER (NOW + 10 * MINUTE)

#define SIZE ((apr_size_t)ORP_STORE_SHM_MIN)

/* Where the header's fields before the seed end, and the tables begin. */
#define HEADER_FIELDS 72
#define TABLES 512

typedef struct world_t {
    apr_pool_t *pool;
    orp_store_t *store;
    apr_global_mutex_t *mutex;
    unsigned char *base;
} world_t;

static int setup(void **state)
{
    apr_pool_t *pool;
    world_t *world;

    apr_pool_create(&pool, NULL);
    world = apr_pcalloc(pool, sizeof(*world));
    world->pool = pool;
    assert_int_equal(apr_global_mutex_create(&world->mutex, NULL,
                                             APR_LOCK_DEFAULT, pool),
                     APR_SUCCESS);
    world->base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(world->base, MAP_FAILED);
    assert_int_equal(orp_store_shm_open(&world->store, world->base, SIZE, 1,
                                        world->mutex, pool), APR_SUCCESS);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_t *world = *state;

    munmap(world->base, SIZE);
    apr_pool_destroy(world->pool);
    return 0;
}

static void put(world_t *world, orp_store_kind_e kind, const char *key,
                const char *value)
{
    assert_int_equal(orp_store_put(world->store, kind, key, value,
                                   strlen(value), LATER, NOW), APR_SUCCESS);
}

/* What is stored there, or "(none)". */
static const char *seen(orp_store_t *store, orp_store_kind_e kind,
                        const char *key, apr_time_t now, apr_pool_t *pool)
{
    const char *value = "(none)";
    apr_status_t status = orp_store_get(&value, NULL, store, kind, key, now,
                                        pool);

    assert_true(status == APR_SUCCESS || status == ORP_ENOTFOUND);
    return value;
}

/* A value too long for one cell, which begins with word. */
static const char *long_value(world_t *world, const char *word)
{
    char *value = apr_palloc(world->pool, 701);

    memset(value, 'v', 700);
    memcpy(value, word, strlen(word));
    value[700] = '\0';
    return value;
}

/* Open what is at base once more: what does it say under "k"? */
static const char *reopened(world_t *world, apr_size_t size, int fresh)
{
    orp_store_t *store;

    assert_int_equal(orp_store_shm_open(&store, world->base, size, fresh,
                                        world->mutex, world->pool),
                     APR_SUCCESS);
    return seen(store, ORP_STORE_SESSION, "k", NOW, world->pool);
}

/* ---------------------------------------------------------------------- */
/* Opening */

static void a_segment_is_taken_up_with_its_records(void **state)
{
    world_t *world = *state;

    put(world, ORP_STORE_SESSION, "k", long_value(world, "kept"));
    assert_string_equal(reopened(world, SIZE, 0), long_value(world, "kept"));
    assert_string_equal(reopened(world, SIZE, 1), "(none)");
}

static void a_segment_of_another_size_starts_empty(void **state)
{
    world_t *world = *state;
    apr_size_t twice = 2 * SIZE;

    munmap(world->base, SIZE);
    world->base = mmap(NULL, twice, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(world->base, MAP_FAILED);
    assert_int_equal(orp_store_shm_open(&world->store, world->base, SIZE, 1,
                                        world->mutex, world->pool),
                     APR_SUCCESS);
    put(world, ORP_STORE_SESSION, "k", "v");
    assert_string_equal(reopened(world, SIZE, 0), "v");
    assert_string_equal(reopened(world, twice, 0), "(none)");
    munmap(world->base + SIZE, SIZE);
}

static void a_damaged_header_starts_empty(void **state)
{
    world_t *world = *state;
    apr_size_t i;

    for (i = 0; i < HEADER_FIELDS; i++) {
        assert_string_equal(reopened(world, SIZE, 1), "(none)");
        assert_int_equal(orp_store_shm_open(&world->store, world->base, SIZE,
                                            0, world->mutex, world->pool),
                         APR_SUCCESS);
        put(world, ORP_STORE_SESSION, "k", "v");
        assert_string_equal(reopened(world, SIZE, 0), "v");
        world->base[i] ^= 0x10;
        assert_string_equal(reopened(world, SIZE, 0), "(none)");
    }
}

static void any_garbage_starts_empty(void **state)
{
    world_t *world = *state;
    apr_size_t i;

    srand(1);
    for (i = 0; i < SIZE; i++) {
        world->base[i] = (unsigned char)rand();
    }
    assert_string_equal(reopened(world, SIZE, 0), "(none)");
    assert_int_equal(orp_store_shm_open(&world->store, world->base, SIZE, 0,
                                        world->mutex, world->pool),
                     APR_SUCCESS);
    put(world, ORP_STORE_SESSION, "k", "v");
    assert_string_equal(reopened(world, SIZE, 0), "v");
}

static void too_small_or_crooked_a_segment_is_refused(void **state)
{
    world_t *world = *state;
    orp_store_t *store = NULL;

    assert_int_equal(orp_store_shm_open(&store, world->base, SIZE - 1, 1,
                                        world->mutex, world->pool),
                     APR_EINVAL);
    assert_int_equal(orp_store_shm_open(&store, world->base + 1, SIZE, 1,
                                        world->mutex, world->pool),
                     APR_EINVAL);
    assert_null(store);
}

/* The header belongs to this store as long as it is open: whoever lays out
 * another one under it must not make claims win twice. */
static void a_store_whose_segment_is_laid_out_anew_fails(void **state)
{
    world_t *world = *state;
    orp_store_t *another;

    assert_int_equal(orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                     LATER, NOW), APR_SUCCESS);
    assert_int_equal(orp_store_shm_open(&another, world->base, SIZE, 0,
                                        world->mutex, world->pool),
                     APR_SUCCESS);
    assert_int_equal(orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                     LATER, NOW), ORP_EEXISTS);
    assert_int_equal(orp_store_shm_open(&another, world->base, SIZE, 1,
                                        world->mutex, world->pool),
                     APR_SUCCESS);
    assert_int_equal(orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                     LATER, NOW), ORP_ESTORE);
    assert_int_equal(orp_store_claim(another, ORP_STORE_NONCE, "n", LATER,
                                     NOW), APR_SUCCESS);
}

static void a_lock_that_fails_means_that_the_store_fails(void **state)
{
    world_t *world = *state;
    apr_global_mutex_t *mutex;
    apr_os_global_mutex_t os;
    apr_os_proc_mutex_t proc;
    const char *value;
    orp_store_t *store, *none;
    char name[] = "/tmp/test_store_shm.XXXXXX";
    int file, saved;

    file = mkstemp(name);
    assert_true(file >= 0);
    close(file);
    unlink(name);               /* the mutex wants to create it, and does */
    assert_int_equal(apr_global_mutex_create(&mutex, name, APR_LOCK_FCNTL,
                                             world->pool), APR_SUCCESS);
    assert_int_equal(orp_store_shm_open(&store, world->base, SIZE, 0, mutex,
                                        world->pool), APR_SUCCESS);
    assert_int_equal(orp_store_claim(store, ORP_STORE_NONCE, "n", LATER, NOW),
                     APR_SUCCESS);

    assert_int_equal(apr_os_global_mutex_get(&os, mutex), APR_SUCCESS);
    assert_int_equal(apr_os_proc_mutex_get(&proc, os.proc_mutex),
                     APR_SUCCESS);
    file = proc.crossproc;
    saved = dup(file);
    close(file);
    assert_int_equal(orp_store_claim(store, ORP_STORE_NONCE, "n", LATER, NOW),
                     ORP_ESTORE);
    assert_int_equal(orp_store_take(&value, NULL, store, ORP_STORE_NONCE,
                                    "n", NOW, world->pool), ORP_ESTORE);
    assert_int_equal(orp_store_sweep(store, NOW), ORP_ESTORE);
    assert_int_equal(orp_store_shm_open(&none, world->base, SIZE, 0, mutex,
                                        world->pool), ORP_ESTORE);

    assert_int_equal(dup2(saved, file), file);
    close(saved);
    assert_int_equal(orp_store_claim(store, ORP_STORE_NONCE, "n", LATER, NOW),
                     ORP_EEXISTS);
}

/* ---------------------------------------------------------------------- */
/* Reading without the lock */

static pid_t in_child(world_t *world, void (*run)(world_t *world))
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        if (apr_global_mutex_child_init(&world->mutex, NULL, world->pool)
            != APR_SUCCESS) {
            _exit(98);
        }
        run(world);
        _exit(0);
    }
    return child;
}

static void take_the_lock_and_stop(world_t *world)
{
    if (apr_global_mutex_lock(world->mutex) != APR_SUCCESS
        || raise(SIGSTOP) != 0) {
        _exit(97);
    }
}

static void who_reads_does_not_wait_for_who_has_the_lock(void **state)
{
    world_t *world = *state;
    int status;
    pid_t child;

    put(world, ORP_STORE_SESSION, "k", long_value(world, "seen"));
    child = in_child(world, take_the_lock_and_stop);
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    assert_int_equal(apr_global_mutex_trylock(world->mutex), APR_EBUSY);
    assert_string_equal(seen(world->store, ORP_STORE_SESSION, "k", NOW,
                             world->pool), long_value(world, "seen"));

    /* Who writes has it as soon as its holder is no more. */
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    put(world, ORP_STORE_SESSION, "k", "written");
    assert_string_equal(seen(world->store, ORP_STORE_SESSION, "k", NOW,
                             world->pool), "written");
}

/* One value is of three cells, the other one of two. */
static const apr_size_t lengths[] = { 1200, 700 };

/* Others come and go between, so that cells change their places. Ends when it
 * is killed. */
static void write_by_turns(world_t *world)
{
    char value[1200];
    int i;

    for (i = 0;; i++) {
        const char *other = i % 3 ? "other" : "another";

        memset(value, 'a' + i % 2, sizeof(value));
        if (orp_store_put(world->store, ORP_STORE_SESSION, "target", value,
                          lengths[i % 2], LATER, NOW) != APR_SUCCESS
            || orp_store_remove(world->store, ORP_STORE_SESSION, other)
               != APR_SUCCESS
            || orp_store_put(world->store, ORP_STORE_SESSION, other, value,
                             (apr_size_t)i % 900, LATER, NOW)
               != APR_SUCCESS) {
            _exit(97);
        }
    }
}

static void who_reads_sees_whole_values_only(void **state)
{
    world_t *world = *state;
    apr_pool_t *pool;
    int found[2] = { 0, 0 };
    int status, reads;
    pid_t child;

    apr_pool_create(&pool, world->pool);
    put(world, ORP_STORE_SESSION, "target", "first");
    child = in_child(world, write_by_turns);
    for (reads = 0; reads < 300000 || !found[0] || !found[1]; reads++) {
        const char *value = seen(world->store, ORP_STORE_SESSION, "target",
                                 NOW, pool);
        int which = *value == 'b';
        char expected[2] = { *value, '\0' };

        if (strcmp(value, "first") != 0) {
            assert_int_equal(strlen(value), lengths[which]);
            assert_int_equal(strspn(value, expected), lengths[which]);
            found[which]++;
        }
        if (reads % 1000 == 0) {
            assert_int_equal(waitpid(child, &status, WNOHANG), 0);
            apr_pool_clear(pool);
            sched_yield();
        }
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
}

/* ---------------------------------------------------------------------- */
/* What lies in the segment */

static int contains(const world_t *world, const char *text)
{
    apr_size_t length = strlen(text), i;

    for (i = 0; i + length <= SIZE; i++) {
        if (memcmp(world->base + i, text, length) == 0) {
            return 1;
        }
    }
    return 0;
}

static void nothing_of_a_record_outlives_it(void **state)
{
    world_t *world = *state;
    const char *old = apr_psprintf(world->pool, "%0600d the old secret", 7);
    const char *value;

    put(world, ORP_STORE_SESSION, "k", old);
    assert_true(contains(world, "the old secret"));
    put(world, ORP_STORE_SESSION, "k", "the new secret");
    assert_false(contains(world, "the old secret"));
    assert_true(contains(world, "the new secret"));
    assert_int_equal(orp_store_take(&value, NULL, world->store,
                                    ORP_STORE_SESSION, "k", NOW, world->pool),
                     APR_SUCCESS);
    assert_false(contains(world, "the new secret"));
}

/* An altered key stands in for two keys of one hash, which nobody can make. */
static void a_hash_alone_does_not_make_a_key(void **state)
{
    world_t *world = *state;
    char *key = apr_pstrcat(world->pool, long_value(world, "key"), "THE END",
                            NULL);
    orp_store_stats_t stats;
    apr_size_t i = 0;

    put(world, ORP_STORE_SESSION, key, "v");
    assert_string_equal(seen(world->store, ORP_STORE_SESSION, key, NOW,
                             world->pool), "v");
    while (memcmp(world->base + i, "THE END", 7) != 0) {
        i++;
    }
    world->base[i] = 't';
    assert_string_equal(seen(world->store, ORP_STORE_SESSION, key, NOW,
                             world->pool), "(none)");
    assert_int_equal(orp_store_stats(&stats, world->store, ORP_STORE_SESSION,
                                     NOW), APR_SUCCESS);
    assert_int_equal(stats.live, 1);

    /* Taken up, what is not what it was is not kept. */
    assert_string_equal(reopened(world, SIZE, 0), "(none)");
    assert_int_equal(orp_store_stats(&stats, world->store, ORP_STORE_SESSION,
                                     NOW), APR_SUCCESS);
    assert_int_equal(stats.live, 0);
    assert_int_equal(stats.used, 0);
}

/* ---------------------------------------------------------------------- */
/* Damage. Whatever stands in the tables: no crash, no endless loop, no
 * status but the documented ones, and afterwards a store that works. */

static void exercise(world_t *world, orp_store_t *store, int round)
{
    apr_pool_t *pool;
    int i;

    apr_pool_create(&pool, world->pool);
    for (i = 0; i < 12; i++) {
        const char *key = apr_psprintf(pool, "key-%d", (i * 5 + round) % 40);
        const char *value = long_value(world, "x");
        apr_status_t status;

        status = orp_store_put(store, ORP_STORE_QUEUE, key, value,
                               (apr_size_t)(i * 50), LATER + i, NOW);
        assert_true(status == APR_SUCCESS || status == ORP_EFULL
                    || status == ORP_ESTORE);
        key = apr_psprintf(pool, "key-%d", (i * 3 + round) % 40);
        status = orp_store_take(&value, NULL, store, ORP_STORE_QUEUE, key,
                                NOW, pool);
        assert_true(status == APR_SUCCESS || status == ORP_ENOTFOUND
                    || status == ORP_ESTORE);
        key = apr_psprintf(pool, "key-%d", (i * 7 + round) % 40);
        status = orp_store_get(&value, NULL, store, ORP_STORE_QUEUE, key, NOW,
                               pool);
        assert_true(status == APR_SUCCESS || status == ORP_ENOTFOUND
                    || status == ORP_ESTORE);
    }
    apr_pool_destroy(pool);
}

/* The tables lie behind each other; where that of the queue begins, which is
 * small and thus quickly done with. */
static unsigned char *queue_table(world_t *world)
{
    apr_size_t percent = (SIZE - TABLES) / 100;
    static const apr_size_t before[] = { 25, 15, 10, 35 };
    unsigned char *at = world->base + TABLES;
    apr_size_t i;

    for (i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        at += percent * before[i] / 512 * 512;
    }
    return at;
}

static apr_uint32_t bad_index(apr_uint32_t old, int how)
{
    switch (how % 8) {
    case 0: return 0;
    case 1: return old + 1;
    case 2: return old - 1;
    case 3: return 0xffffffffU;
    case 4: return 0xfffffffeU;
    case 5: return 0x7fffffffU;
    case 6: return ORP_SHM_LIVE;
    default: return (apr_uint32_t)rand() % 512;
    }
}

static void damage_is_found_and_healed(void **state)
{
    world_t *world = *state;
    apr_uint32_t *words = (apr_uint32_t *)(void *)queue_table(world);
    apr_size_t n_words = (SIZE - TABLES) / 100 * 5 / 512 * 512 / 4;
    unsigned char *good;
    orp_store_t *copy;
    int round;

    for (round = 0; round < 40; round++) {
        put(world, ORP_STORE_QUEUE, apr_psprintf(world->pool, "key-%d",
                                                 round),
            long_value(world, "y") + round * 15);
    }
    good = apr_pmemdup(world->pool, world->base, SIZE);
    assert_int_equal(orp_store_shm_open(&copy, world->base, SIZE, 0,
                                        world->mutex, world->pool),
                     APR_SUCCESS);
    srand(2);
    for (round = 0; round < 6000; round++) {
        apr_size_t i = (apr_size_t)rand() % n_words;

        if (round < (int)sizeof(orp_shm_state_t) / 4 * 8) {
            i = (apr_size_t)round / 8;  /* the table's state, word by word */
        }
        memcpy(world->base, good, SIZE);
        words[i] = bad_index(words[i], round);
        exercise(world, copy, round);
        assert_int_equal(orp_store_put(copy, ORP_STORE_CACHE, "k", "v", 1,
                                       LATER, NOW), APR_SUCCESS);
        assert_string_equal(seen(copy, ORP_STORE_CACHE, "k", NOW,
                                 world->pool), "v");
    }
}

static void a_loop_in_a_chain_is_found_and_healed(void **state)
{
    world_t *world = *state;
    apr_uint32_t *words = (apr_uint32_t *)(void *)queue_table(world);
    orp_shm_table_t table;
    apr_uint32_t i, live = 0;

    orp_shm_table_place(&table, queue_table(world),
                        (SIZE - TABLES) / 100 * 5 / 512 * 512, 128, NULL);
    assert_ptr_equal(table.state, words);
    put(world, ORP_STORE_QUEUE, "a", long_value(world, "a"));
    put(world, ORP_STORE_QUEUE, "b", "b");
    for (i = 0; i < table.n_cells; i++) {
        orp_shm_head_t *head = (void *)(table.cells + i * 128);

        if (head->cell.state == ORP_SHM_LIVE) {
            live++;
            head->chain = i;            /* its own successor */
        }
        else if (head->cell.state == ORP_SHM_FREE) {
            head->cell.more = i;
        }
    }
    assert_int_equal(live, 2);          /* we looked in the right place */
    for (i = 0; i < table.n_cells; i++) {
        if (table.buckets[i] == ORP_SHM_NONE) {
            table.buckets[i] = 0;       /* a bucket with others' records */
        }
    }
    assert_string_equal(seen(world->store, ORP_STORE_QUEUE, "c", NOW,
                             world->pool), "(none)");
    assert_string_equal(seen(world->store, ORP_STORE_QUEUE, "b", NOW,
                             world->pool), "b");
    put(world, ORP_STORE_QUEUE, "c", long_value(world, "c"));
    assert_string_equal(seen(world->store, ORP_STORE_QUEUE, "a", NOW,
                             world->pool), long_value(world, "a"));
}

/* ---------------------------------------------------------------------- */
/* Killed at any instruction. A child does one operation, one instruction at
 * a time. Each time that memory has changed we look at a copy of it, as who
 * comes next would if the child were killed here. */

#ifdef __linux__

typedef struct operation_t {
    const char *name;
    const char *before;         /* what stands under "target" */
    const char *after;
    apr_time_t now;
    apr_status_t (*run)(orp_store_t *store, apr_pool_t *pool);
} operation_t;

#define OLD "the old value"
#define NEW "the new value"

static apr_status_t run_put(orp_store_t *store, apr_pool_t *pool)
{
    char value[500];

    (void)pool;
    memset(value, '\0', sizeof(value));         /* three cells */
    memcpy(value, NEW, sizeof(NEW));
    return orp_store_put(store, ORP_STORE_SESSION, "target", value,
                         sizeof(value), LATER, NOW);
}

static apr_status_t run_late_put(orp_store_t *store, apr_pool_t *pool)
{
    (void)pool;
    return orp_store_put(store, ORP_STORE_SESSION, "target", NEW,
                         sizeof(NEW), LATER, NOW + MINUTE);
}

static apr_status_t run_claim(orp_store_t *store, apr_pool_t *pool)
{
    (void)pool;
    return orp_store_claim(store, ORP_STORE_SESSION, "target", LATER, NOW);
}

static apr_status_t run_take(orp_store_t *store, apr_pool_t *pool)
{
    const char *value;

    return orp_store_take(&value, NULL, store, ORP_STORE_SESSION, "target",
                          NOW, pool);
}

static apr_status_t run_remove(orp_store_t *store, apr_pool_t *pool)
{
    (void)pool;
    return orp_store_remove(store, ORP_STORE_SESSION, "target");
}

static apr_status_t run_sweep(orp_store_t *store, apr_pool_t *pool)
{
    (void)pool;
    return orp_store_sweep(store, NOW + MINUTE);
}

static const operation_t operations[] = {
    { "put", "(none)", NEW, NOW, run_put },
    { "replace", OLD, NEW, NOW, run_put },
    { "put where others expired", OLD, NEW, NOW + MINUTE, run_late_put },
    { "claim", "(none)", "", NOW, run_claim },
    { "take", OLD, "(none)", NOW, run_take },
    { "remove", OLD, "(none)", NOW, run_remove },
    { "sweep", OLD, OLD, NOW + MINUTE, run_sweep },
};

/* Four records that live, around the target, and two that expire. */
static void arrange(world_t *world, const operation_t *operation)
{
    static const char *const brief[] = { "brief", "short" };
    int i;

    assert_int_equal(orp_store_shm_open(&world->store, world->base, SIZE, 1,
                                        world->mutex, world->pool),
                     APR_SUCCESS);
    put(world, ORP_STORE_SESSION, "one", long_value(world, "1"));
    for (i = 0; i < 2; i++) {
        assert_int_equal(orp_store_put(world->store, ORP_STORE_SESSION,
                                       brief[i], long_value(world, "b"), 600,
                                       NOW + 1 + i, NOW), APR_SUCCESS);
    }
    put(world, ORP_STORE_SESSION, "two", "2");
    if (strcmp(operation->before, "(none)") != 0) {
        put(world, ORP_STORE_SESSION, "target", operation->before);
    }
    put(world, ORP_STORE_SESSION, "three", long_value(world, "3"));
    put(world, ORP_STORE_SESSION, "four", "");
}

/* @return whether the operation has happened */
static int look(world_t *world, orp_store_t *store,
                const operation_t *operation)
{
    apr_time_t now = operation->now;
    orp_store_stats_t stats;
    const char *target;
    apr_pool_t *pool;
    int happened;

    apr_pool_create(&pool, world->pool);
    assert_string_equal(seen(store, ORP_STORE_SESSION, "one", now, pool),
                        long_value(world, "1"));
    assert_string_equal(seen(store, ORP_STORE_SESSION, "two", now, pool),
                        "2");
    assert_string_equal(seen(store, ORP_STORE_SESSION, "three", now, pool),
                        long_value(world, "3"));
    assert_string_equal(seen(store, ORP_STORE_SESSION, "four", now, pool),
                        "");
    target = seen(store, ORP_STORE_SESSION, "target", now, pool);
    happened = strcmp(target, operation->after) == 0;
    if (!happened) {
        assert_string_equal(target, operation->before);
    }
    assert_int_equal(orp_store_stats(&stats, store, ORP_STORE_SESSION,
                                     NOW + MINUTE), APR_SUCCESS);
    assert_int_equal(stats.live, 4 + (strcmp(target, "(none)") != 0));

    /* It can be used, and nothing of its room is lost. */
    assert_int_equal(orp_store_put(store, ORP_STORE_SESSION, "five", "5", 1,
                                   LATER, NOW), APR_SUCCESS);
    assert_string_equal(seen(store, ORP_STORE_SESSION, "five", NOW, pool),
                        "5");
    assert_int_equal(orp_store_sweep(store, LATER), APR_SUCCESS);
    assert_int_equal(orp_store_stats(&stats, store, ORP_STORE_SESSION,
                                     LATER), APR_SUCCESS);
    assert_int_equal(stats.used, 0);
    apr_pool_destroy(pool);
    return happened;
}

static pid_t start_traced(world_t *world, const operation_t *operation)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        alarm(120);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0
            || apr_global_mutex_child_init(&world->mutex, NULL, world->pool)
               != APR_SUCCESS
            || raise(SIGSTOP) != 0
            || operation->run(world->store, world->pool) != APR_SUCCESS) {
            _exit(98);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSTOPPED(status));
    return child;
}

/* One instruction: @return whether there are more. */
static int step(pid_t child)
{
    int status;

    assert_int_equal(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSTOPPED(status)) {
        return 1;
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    return 0;
}

static void kill_everywhere(world_t *world, const operation_t *operation)
{
    apr_global_mutex_t *mutex;
    unsigned char *copy = apr_palloc(world->pool, SIZE);
    unsigned char *last = apr_palloc(world->pool, SIZE);
    orp_store_t *open_before, *open_after;
    int looks = 0, happened = 0;
    pid_t child;

    assert_int_equal(apr_global_mutex_create(&mutex, NULL, APR_LOCK_DEFAULT,
                                             world->pool), APR_SUCCESS);
    arrange(world, operation);
    memcpy(copy, world->base, SIZE);
    memset(last, 0, SIZE);
    assert_int_equal(orp_store_shm_open(&open_before, copy, SIZE, 0, mutex,
                                        world->pool), APR_SUCCESS);
    child = start_traced(world, operation);
    do {
        int now_happened;

        if (memcmp(last, world->base, SIZE) == 0) {
            continue;
        }
        memcpy(last, world->base, SIZE);
        memcpy(copy, last, SIZE);
        now_happened = look(world, open_before, operation);
        assert_true(now_happened >= happened);  /* and never undone */
        happened = now_happened;

        memcpy(copy, last, SIZE);
        assert_int_equal(orp_store_shm_open(&open_after, copy, SIZE, 0,
                                            mutex, world->pool),
                         APR_SUCCESS);
        assert_int_equal(look(world, open_after, operation), happened);
        looks++;
    } while (step(child));
    assert_true(happened);
    assert_true(looks > 10);
}

static void a_process_can_be_killed_at_any_instruction(void **state)
{
    world_t *world = *state;
    apr_size_t i;

    for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        apr_pool_t *pool = world->pool;

        print_message("             %s\n", operations[i].name);
        apr_pool_create(&world->pool, pool);
        kill_everywhere(world, &operations[i]);
        apr_pool_destroy(world->pool);
        world->pool = pool;
    }
}

#endif

#define shm_test(name) \
    cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        shm_test(a_segment_is_taken_up_with_its_records),
        shm_test(a_segment_of_another_size_starts_empty),
        shm_test(a_damaged_header_starts_empty),
        shm_test(any_garbage_starts_empty),
        shm_test(too_small_or_crooked_a_segment_is_refused),
        shm_test(a_store_whose_segment_is_laid_out_anew_fails),
        shm_test(a_lock_that_fails_means_that_the_store_fails),
        shm_test(who_reads_does_not_wait_for_who_has_the_lock),
        shm_test(who_reads_sees_whole_values_only),
        shm_test(nothing_of_a_record_outlives_it),
        shm_test(a_hash_alone_does_not_make_a_key),
        shm_test(damage_is_found_and_healed),
        shm_test(a_loop_in_a_chain_is_found_and_healed),
#ifdef __linux__
        shm_test(a_process_can_be_killed_at_any_instruction),
#endif
    };

    apr_initialize();
    alarm(120);                 /* a lock never released, an endless loop */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
