/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_store.c - the promises of orp_store.h, on every backend.
 *
 * A backend takes part with one entry in the table at the end. What is
 * special to one (layout, damage) is tested beside it: test_store_shm.c.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <apr_general.h>
#include <apr_shm.h>
#include <apr_strings.h>

#include "orp_store.h"

#define NOW apr_time_from_sec(APR_INT64_C(1768478400))
#define MINUTE apr_time_from_sec(60)
#define LATER (NOW + 10 * MINUTE)       /* when most records here expire */

#define PROCESSES 8

/* Seconds after which a process that waits for a lock, or is in an endless
 * loop, is killed. */
#define PATIENCE 120

typedef struct world_t {
    apr_pool_t *pool;
    orp_store_t *store;
    apr_global_mutex_t *mutex;  /* NULL where the backend needs none */
} world_t;

typedef struct backend_t {
    const char *name;
    /** Open an empty store, large enough for 20,000 nonces if large. */
    void (*open)(world_t *world, int large);
} backend_t;

static const backend_t *backend;

/* ---------------------------------------------------------------------- */
/* Worlds */

static world_t *world_create(int large)
{
    apr_pool_t *pool;
    world_t *world;

    apr_pool_create(&pool, NULL);
    world = apr_pcalloc(pool, sizeof(*world));
    world->pool = pool;
    backend->open(world, large);
    return world;
}

static int setup(void **state)
{
    *state = world_create(0);
    return 0;
}

static int setup_large(void **state)
{
    *state = world_create(1);
    return 0;
}

static int teardown(void **state)
{
    world_t *world = *state;

    apr_pool_destroy(world->pool);
    return 0;
}

static apr_status_t put(world_t *world, orp_store_kind_e kind,
                        const char *key, const char *value)
{
    return orp_store_put(world->store, kind, key, value, strlen(value),
                         LATER, NOW);
}

static apr_status_t claim(world_t *world, const char *key)
{
    return orp_store_claim(world->store, ORP_STORE_NONCE, key, LATER, NOW);
}

/* What is stored there now, or "(status)". */
static const char *seen_at(world_t *world, orp_store_kind_e kind,
                           const char *key, apr_time_t now)
{
    const char *value = NULL;
    apr_status_t status = orp_store_get(&value, NULL, world->store, kind, key,
                                        now, world->pool);

    if (status == ORP_ENOTFOUND) {
        assert_null(value);
        return "(none)";
    }
    assert_int_equal(status, APR_SUCCESS);
    return value;
}

static const char *seen(world_t *world, orp_store_kind_e kind,
                        const char *key)
{
    return seen_at(world, kind, key, NOW);
}

static orp_store_stats_t stats(world_t *world, orp_store_kind_e kind,
                               apr_time_t now)
{
    orp_store_stats_t result;

    assert_int_equal(orp_store_stats(&result, world->store, kind, now),
                     APR_SUCCESS);
    return result;
}

static const char *numbered(world_t *world, const char *word, int number)
{
    return apr_psprintf(world->pool, "%s-%d", word, number);
}

/* Bytes of all values, which differ from one stamp to the next. */
static char *pattern(world_t *world, apr_size_t size, unsigned int stamp)
{
    char *bytes = apr_palloc(world->pool, size + 1);
    apr_size_t i;

    for (i = 0; i < size; i++) {
        bytes[i] = (char)(i * 7 + i / 251 + stamp);
    }
    return bytes;
}

/* Put records of this size until one is refused: how many there are. */
static int fill(world_t *world, orp_store_kind_e kind, apr_size_t size)
{
    const char *value = pattern(world, size, 0);
    apr_status_t status;
    int count = 0;

    for (;;) {
        status = orp_store_put(world->store, kind,
                               numbered(world, "fill", count), value, size,
                               LATER, NOW);
        if (status != APR_SUCCESS) {
            break;
        }
        count++;
    }
    assert_int_equal(status, ORP_EFULL);
    return count;
}

/* ---------------------------------------------------------------------- */
/* One caller */

static void what_was_put_can_be_read(void **state)
{
    world_t *world = *state;

    assert_string_equal(seen(world, ORP_STORE_LOGIN, "k"), "(none)");
    assert_int_equal(put(world, ORP_STORE_LOGIN, "k", "v"), APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_LOGIN, "k"), "v");
    assert_string_equal(seen(world, ORP_STORE_LOGIN, "kk"), "(none)");
}

static void the_last_put_counts(void **state)
{
    world_t *world = *state;

    assert_int_equal(put(world, ORP_STORE_LOGIN, "k", "first"), APR_SUCCESS);
    assert_int_equal(put(world, ORP_STORE_LOGIN, "k", "2nd"), APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_LOGIN, "k"), "2nd");
    assert_int_equal(stats(world, ORP_STORE_LOGIN, NOW).live, 1);
}

static void what_was_removed_is_gone(void **state)
{
    world_t *world = *state;

    assert_int_equal(put(world, ORP_STORE_SESSION, "a", "A"), APR_SUCCESS);
    assert_int_equal(put(world, ORP_STORE_SESSION, "b", "B"), APR_SUCCESS);
    assert_int_equal(orp_store_remove(world->store, ORP_STORE_SESSION, "a"),
                     APR_SUCCESS);
    assert_int_equal(orp_store_remove(world->store, ORP_STORE_SESSION, "c"),
                     APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_SESSION, "a"), "(none)");
    assert_string_equal(seen(world, ORP_STORE_SESSION, "b"), "B");
}

static void what_was_taken_is_gone(void **state)
{
    world_t *world = *state;
    const char *value = NULL;
    apr_size_t size = 99;

    assert_int_equal(put(world, ORP_STORE_LOGIN, "k", "value"), APR_SUCCESS);
    assert_int_equal(orp_store_take(&value, &size, world->store,
                                    ORP_STORE_LOGIN, "k", NOW, world->pool),
                     APR_SUCCESS);
    assert_string_equal(value, "value");
    assert_int_equal(size, 5);

    value = "untouched";
    assert_int_equal(orp_store_take(&value, &size, world->store,
                                    ORP_STORE_LOGIN, "k", NOW, world->pool),
                     ORP_ENOTFOUND);
    assert_string_equal(value, "untouched");
    assert_int_equal(size, 5);
}

static void a_claim_is_won_once(void **state)
{
    world_t *world = *state;

    assert_int_equal(claim(world, "n"), APR_SUCCESS);
    assert_int_equal(claim(world, "n"), ORP_EEXISTS);
    assert_int_equal(claim(world, "m"), APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_NONCE, "n"), "");
}

static void a_claim_loses_against_a_record_that_was_put(void **state)
{
    world_t *world = *state;

    assert_int_equal(put(world, ORP_STORE_NONCE, "n", "v"), APR_SUCCESS);
    assert_int_equal(claim(world, "n"), ORP_EEXISTS);
    assert_string_equal(seen(world, ORP_STORE_NONCE, "n"), "v");
}

static void a_record_lives_until_its_time_and_no_longer(void **state)
{
    world_t *world = *state;
    const char *value;

    assert_int_equal(put(world, ORP_STORE_LOGIN, "k", "v"), APR_SUCCESS);
    assert_string_equal(seen_at(world, ORP_STORE_LOGIN, "k", LATER - 1), "v");
    assert_string_equal(seen_at(world, ORP_STORE_LOGIN, "k", LATER),
                        "(none)");
    assert_int_equal(orp_store_take(&value, NULL, world->store,
                                    ORP_STORE_LOGIN, "k", LATER, world->pool),
                     ORP_ENOTFOUND);
}

static void a_nonce_can_be_claimed_again_once_it_has_expired(void **state)
{
    world_t *world = *state;

    assert_int_equal(claim(world, "n"), APR_SUCCESS);
    assert_int_equal(orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                     LATER + MINUTE, LATER - 1),
                     ORP_EEXISTS);
    assert_int_equal(orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                     LATER + MINUTE, LATER),
                     APR_SUCCESS);
    assert_int_equal(orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                     LATER + MINUTE, LATER + 1),
                     ORP_EEXISTS);
}

static void a_put_prolongs_a_record(void **state)
{
    world_t *world = *state;

    assert_int_equal(put(world, ORP_STORE_SESSION, "s", "v"), APR_SUCCESS);
    assert_int_equal(orp_store_put(world->store, ORP_STORE_SESSION, "s", "v",
                                   1, LATER + MINUTE, NOW), APR_SUCCESS);
    assert_string_equal(seen_at(world, ORP_STORE_SESSION, "s", LATER), "v");
}

static void a_touch_prolongs_or_shortens_a_record(void **state)
{
    world_t *world = *state;

    assert_int_equal(put(world, ORP_STORE_SESSION, "s", "v"), APR_SUCCESS);
    assert_int_equal(orp_store_touch(world->store, ORP_STORE_SESSION, "s",
                                     LATER + MINUTE, NOW), APR_SUCCESS);
    assert_string_equal(seen_at(world, ORP_STORE_SESSION, "s", LATER), "v");
    assert_int_equal(orp_store_touch(world->store, ORP_STORE_SESSION, "s",
                                     NOW + MINUTE, NOW), APR_SUCCESS);
    assert_string_equal(seen_at(world, ORP_STORE_SESSION, "s",
                                NOW + MINUTE), "(none)");
}

static void a_touch_does_not_bring_back_what_is_gone(void **state)
{
    world_t *world = *state;

    assert_int_equal(put(world, ORP_STORE_SESSION, "s", "v"), APR_SUCCESS);
    assert_int_equal(orp_store_touch(world->store, ORP_STORE_SESSION, "s",
                                     LATER + MINUTE, LATER), ORP_ENOTFOUND);
    assert_int_equal(orp_store_remove(world->store, ORP_STORE_SESSION, "s"),
                     APR_SUCCESS);
    assert_int_equal(orp_store_touch(world->store, ORP_STORE_SESSION, "s",
                                     LATER, NOW), ORP_ENOTFOUND);
    assert_string_equal(seen(world, ORP_STORE_SESSION, "s"), "(none)");
}

/* Expiry is what room is reclaimed by: after many touches, exactly those
 * whose time has passed make room. */
static void touched_records_expire_in_their_new_order(void **state)
{
    world_t *world = *state;
    int i;

    for (i = 0; i < 500; i++) {
        char key[16];

        apr_snprintf(key, sizeof(key), "s%d", i);
        assert_int_equal(put(world, ORP_STORE_SESSION, key, "v"),
                         APR_SUCCESS);
        assert_int_equal(orp_store_touch(world->store, ORP_STORE_SESSION,
                                         key, NOW + 1 + (i * 7919) % 500,
                                         NOW), APR_SUCCESS);
    }
    for (i = 0; i <= 500; i += 50) {
        assert_int_equal(stats(world, ORP_STORE_SESSION, NOW + i).live,
                         500 - i);
    }
}

static void each_kind_is_a_world_of_its_own(void **state)
{
    world_t *world = *state;
    int kind, other;

    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        const char *name = orp_store_kind_name((orp_store_kind_e)kind);

        assert_int_equal(put(world, (orp_store_kind_e)kind, "k", name),
                         APR_SUCCESS);
        for (other = kind + 1; other < ORP_STORE_KINDS; other++) {
            assert_string_equal(seen(world, (orp_store_kind_e)other, "k"),
                                "(none)");
        }
    }
    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        assert_string_equal(seen(world, (orp_store_kind_e)kind, "k"),
                            orp_store_kind_name((orp_store_kind_e)kind));
    }
}

static void values_of_all_sizes_and_bytes_come_back(void **state)
{
    static const apr_size_t sizes[] = {
        0, 1, 2, 214, 215, 216, 217, 255, 256, 257, 462, 463, 464, 465, 1000,
        4096, 10000, ORP_STORE_VALUE_MAX - 1, ORP_STORE_VALUE_MAX
    };
    world_t *world = *state;
    apr_size_t i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char *bytes = pattern(world, sizes[i], (unsigned int)i);
        const char *value;
        apr_size_t size;

        assert_int_equal(orp_store_put(world->store, ORP_STORE_SESSION, "k",
                                       bytes, sizes[i], LATER, NOW),
                         APR_SUCCESS);
        assert_int_equal(orp_store_get(&value, &size, world->store,
                                       ORP_STORE_SESSION, "k", NOW,
                                       world->pool), APR_SUCCESS);
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(value, bytes, size);
        assert_int_equal(value[size], '\0');
    }
}

static void long_keys_are_told_apart_by_their_last_byte(void **state)
{
    world_t *world = *state;
    char key[ORP_STORE_KEY_MAX + 1], other[ORP_STORE_KEY_MAX + 1];

    memset(key, 'k', ORP_STORE_KEY_MAX);
    key[ORP_STORE_KEY_MAX] = '\0';
    memcpy(other, key, sizeof(key));
    other[ORP_STORE_KEY_MAX - 1] = 'x';

    assert_int_equal(put(world, ORP_STORE_LOGIN, key, "v"), APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_LOGIN, key), "v");
    assert_string_equal(seen(world, ORP_STORE_LOGIN, other), "(none)");
    assert_int_equal(put(world, ORP_STORE_LOGIN, other, "w"), APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_LOGIN, key), "v");
    assert_string_equal(seen(world, ORP_STORE_LOGIN, other), "w");
}

static void what_is_over_a_ceiling_is_too_big(void **state)
{
    world_t *world = *state;
    char *value = pattern(world, ORP_STORE_VALUE_MAX + 1, 0);
    char key[ORP_STORE_KEY_MAX + 2];

    assert_int_equal(put(world, ORP_STORE_SESSION, "k", "old"), APR_SUCCESS);
    assert_int_equal(orp_store_put(world->store, ORP_STORE_SESSION, "k",
                                   value, ORP_STORE_VALUE_MAX + 1, LATER,
                                   NOW), ORP_ETOOBIG);
    assert_string_equal(seen(world, ORP_STORE_SESSION, "k"), "old");

    memset(key, 'k', sizeof(key));
    key[ORP_STORE_KEY_MAX + 1] = '\0';
    assert_int_equal(put(world, ORP_STORE_SESSION, key, "v"), ORP_ETOOBIG);
    assert_int_equal(claim(world, key), ORP_ETOOBIG);
    assert_string_equal(seen(world, ORP_STORE_SESSION, key), "(none)");
    key[ORP_STORE_KEY_MAX] = '\0';
    assert_int_equal(claim(world, key), APR_SUCCESS);
}

static void what_makes_no_sense_is_refused(void **state)
{
    world_t *world = *state;
    const char *value = "untouched";

    assert_int_equal(put(world, ORP_STORE_LOGIN, "", "v"), APR_EINVAL);
    assert_int_equal(claim(world, ""), APR_EINVAL);
    assert_string_equal(seen(world, ORP_STORE_LOGIN, ""), "(none)");
    assert_int_equal(orp_store_claim(world->store, ORP_STORE_NONCE, "n", NOW,
                                     NOW), APR_EINVAL);
    assert_int_equal(orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                     NOW + 1, NOW), APR_SUCCESS);
    assert_int_equal(orp_store_get(&value, NULL, world->store,
                                   ORP_STORE_KINDS, "k", NOW, world->pool),
                     APR_EINVAL);
    assert_string_equal(value, "untouched");
    assert_int_equal(orp_store_put(world->store, ORP_STORE_LOGIN, "k", NULL,
                                   0, LATER, NOW), APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_LOGIN, "k"), "");
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(orp_store_kind_name(ORP_STORE_LOGIN), "login");
    assert_string_equal(orp_store_kind_name(ORP_STORE_CACHE), "cache");
    assert_string_equal(orp_store_kind_name(ORP_STORE_KINDS), "unknown");
}

static void statistics_count_what_lives(void **state)
{
    world_t *world = *state;
    orp_store_stats_t before = stats(world, ORP_STORE_LOGIN, NOW);
    orp_store_stats_t after;

    assert_int_equal(before.live, 0);
    assert_int_equal(before.used, 0);
    assert_int_equal(before.refused, 0);
    assert_int_equal(put(world, ORP_STORE_LOGIN, "a", "v"), APR_SUCCESS);
    assert_int_equal(put(world, ORP_STORE_LOGIN, "b", "w"), APR_SUCCESS);
    assert_int_equal(orp_store_put(world->store, ORP_STORE_LOGIN, "brief",
                                   "v", 1, NOW + 1, NOW), APR_SUCCESS);

    after = stats(world, ORP_STORE_LOGIN, NOW);
    assert_int_equal(after.live, 3);
    assert_true(after.used > 0);
    assert_true(after.room == 0 || after.used <= after.room);
    assert_int_equal(stats(world, ORP_STORE_LOGIN, NOW + 1).live, 2);
    assert_int_equal(stats(world, ORP_STORE_SESSION, NOW).live, 0);
    assert_int_equal(stats(world, ORP_STORE_LOGIN, LATER).live, 0);
}

static void a_sweep_gives_back_what_has_expired_and_no_more(void **state)
{
    world_t *world = *state;
    int i;

    for (i = 0; i < 600; i++) {
        assert_int_equal(orp_store_claim(world->store, ORP_STORE_NONCE,
                                         numbered(world, "n", i),
                                         i % 2 ? LATER : NOW + 1 + i, NOW),
                         APR_SUCCESS);
    }
    assert_int_equal(orp_store_sweep(world->store, NOW + 600), APR_SUCCESS);
    for (i = 0; i < 600; i++) {
        assert_int_equal(claim(world, numbered(world, "n", i)),
                         i % 2 ? ORP_EEXISTS : APR_SUCCESS);
    }
}

/* ---------------------------------------------------------------------- */
/* Full stores */

static void a_live_nonce_is_never_dropped_to_make_room(void **state)
{
    world_t *world = *state;
    int count = 0, i;

    while (claim(world, numbered(world, "n", count)) == APR_SUCCESS) {
        count++;
    }
    assert_true(count > 500);
    for (i = 0; i < 5000; i++) {
        assert_int_equal(claim(world, numbered(world, "flood", i)),
                         ORP_EFULL);
    }
    for (i = 0; i < count; i++) {
        assert_int_equal(claim(world, numbered(world, "n", i)), ORP_EEXISTS);
    }
    assert_int_equal(stats(world, ORP_STORE_NONCE, NOW).live, count);
    assert_int_equal(stats(world, ORP_STORE_NONCE, NOW).refused, 5001);
}

static void a_full_kind_recovers_when_its_records_expire(void **state)
{
    world_t *world = *state;
    int count = fill(world, ORP_STORE_LOGIN, 300);
    int again = 0;

    while (orp_store_put(world->store, ORP_STORE_LOGIN,
                         numbered(world, "again", again),
                         pattern(world, 300, 0), 300, LATER + MINUTE,
                         LATER) == APR_SUCCESS) {
        again++;
    }
    assert_int_equal(again, count);
}

static void one_expired_record_is_room_for_one(void **state)
{
    world_t *world = *state;
    apr_time_t soon = NOW + MINUTE;

    assert_int_equal(orp_store_claim(world->store, ORP_STORE_NONCE, "brief",
                                     soon, NOW), APR_SUCCESS);
    fill(world, ORP_STORE_NONCE, 0);
    assert_int_equal(orp_store_claim(world->store, ORP_STORE_NONCE, "x",
                                     LATER, soon - 1), ORP_EFULL);
    assert_int_equal(orp_store_claim(world->store, ORP_STORE_NONCE, "x",
                                     LATER, soon), APR_SUCCESS);
    assert_int_equal(orp_store_claim(world->store, ORP_STORE_NONCE, "y",
                                     LATER, soon), ORP_EFULL);
}

static void a_flood_of_one_kind_leaves_the_others_their_room(void **state)
{
    world_t *world = *state;
    int kind;

    fill(world, ORP_STORE_LOGIN, 1000);
    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        if (kind != ORP_STORE_LOGIN) {
            assert_int_equal(put(world, (orp_store_kind_e)kind, "k", "v"),
                             APR_SUCCESS);
        }
    }
}

static void a_replacement_that_finds_no_room_leaves_the_old_value(void **state)
{
    world_t *world = *state;
    char *large = pattern(world, ORP_STORE_VALUE_MAX, 1);

    assert_int_equal(put(world, ORP_STORE_SESSION, "k", "old"), APR_SUCCESS);
    assert_int_equal(put(world, ORP_STORE_SESSION, "gone", "x"), APR_SUCCESS);
    fill(world, ORP_STORE_SESSION, 100);
    assert_int_equal(orp_store_put(world->store, ORP_STORE_SESSION, "k",
                                   large, ORP_STORE_VALUE_MAX, LATER, NOW),
                     ORP_EFULL);
    assert_string_equal(seen(world, ORP_STORE_SESSION, "k"), "old");
    assert_int_equal(orp_store_put(world->store, ORP_STORE_SESSION, "k",
                                   large, ORP_STORE_VALUE_MAX,
                                   LATER + MINUTE, LATER), APR_SUCCESS);
}

static void a_session_can_be_prolonged_when_all_is_full(void **state)
{
    world_t *world = *state;
    int count = fill(world, ORP_STORE_SESSION, 700);
    int i;

    for (i = 0; i < count; i++) {
        assert_int_equal(orp_store_put(world->store, ORP_STORE_SESSION,
                                       numbered(world, "fill", i),
                                       pattern(world, 700, 1), 700,
                                       LATER + MINUTE, NOW), APR_SUCCESS);
    }
    assert_int_equal(orp_store_put(world->store, ORP_STORE_SESSION, "new",
                                   pattern(world, 700, 1), 700, LATER, NOW),
                     ORP_EFULL);
    assert_int_equal(stats(world, ORP_STORE_SESSION, LATER).live, count);
}

/* ---------------------------------------------------------------------- */
/* Many processes */

static void *shared_memory(apr_size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

static void become_a_child(world_t *world)
{
    alarm(PATIENCE);
    if (world->mutex) {
        if (apr_global_mutex_child_init(&world->mutex, NULL, world->pool)
            != APR_SUCCESS) {
            _exit(90);
        }
    }
}

typedef void contestant_fn(world_t *world, int me, apr_uint32_t *wins);

/* Have all of them begin at once, and wait until they are done. */
static void race(world_t *world, contestant_fn *contestant,
                 apr_uint32_t *wins)
{
    pid_t children[PROCESSES];
    int gate[2];
    int i;

    assert_int_equal(pipe(gate), 0);
    for (i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            char byte;

            become_a_child(world);
            close(gate[1]);
            if (read(gate[0], &byte, 1) != 0) {
                _exit(91);
            }
            contestant(world, i, wins);
            _exit(0);
        }
    }
    close(gate[0]);
    close(gate[1]);
    for (i = 0; i < PROCESSES; i++) {
        int status;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
}

#define CONTESTED 20000
#define WINS_SIZE ((CONTESTED + PROCESSES + 1) * sizeof(apr_uint32_t))

/* Every so many keys all wait for each other, so that nobody runs ahead. */
static void keep_together(apr_uint32_t *wins, int key)
{
    apr_uint32_t *arrived = &wins[CONTESTED + PROCESSES];
    apr_uint32_t awaited = (apr_uint32_t)(key / 250 + 1) * PROCESSES;

    if (key % 250 == 0) {
        __atomic_fetch_add(arrived, 1, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(arrived, __ATOMIC_SEQ_CST) < awaited) {
            sched_yield();
        }
    }
}

/* wins[key] counts who won it; after them, what each process has won. */
static void note_win(apr_uint32_t *wins, int key, int me)
{
    __atomic_fetch_add(&wins[key], 1, __ATOMIC_SEQ_CST);
    wins[CONTESTED + me]++;
}

static void assert_one_winner_each(const apr_uint32_t *wins, int keys)
{
    int winners = 0, i;

    for (i = 0; i < keys; i++) {
        assert_int_equal(wins[i], 1);
    }
    for (i = 0; i < PROCESSES; i++) {
        winners += wins[CONTESTED + i] > 0;
    }
    assert_true(winners > 1);   /* else there was no race */
}

static void claim_all(world_t *world, int me, apr_uint32_t *wins)
{
    char key[32];
    int i;

    for (i = 0; i < CONTESTED; i++) {
        apr_status_t status;

        keep_together(wins, i);
        apr_snprintf(key, sizeof(key), "nonce-%d", i);
        status = claim(world, key);
        if (status == APR_SUCCESS) {
            note_win(wins, i, me);
        }
        else if (status != ORP_EEXISTS) {
            _exit(92);
        }
    }
}

static void of_all_processes_one_wins_a_claim(void **state)
{
    world_t *world = *state;
    apr_uint32_t *wins = shared_memory(WINS_SIZE);

    race(world, claim_all, wins);
    assert_one_winner_each(wins, CONTESTED);
    assert_int_equal(stats(world, ORP_STORE_NONCE, NOW).live, CONTESTED);
    munmap(wins, WINS_SIZE);
}

#define TAKEN 5000

static void take_all(world_t *world, int me, apr_uint32_t *wins)
{
    char key[32];
    int i;

    for (i = 0; i < TAKEN; i++) {
        const char *value;
        apr_status_t status;

        keep_together(wins, i);
        apr_snprintf(key, sizeof(key), "login-%d", i);
        status = orp_store_take(&value, NULL, world->store, ORP_STORE_LOGIN,
                                key, NOW, world->pool);
        if (status == APR_SUCCESS && strcmp(value, key) == 0) {
            note_win(wins, i, me);
        }
        else if (status != ORP_ENOTFOUND) {
            _exit(93);
        }
    }
}

static void of_all_processes_one_takes_a_record(void **state)
{
    world_t *world = *state;
    apr_uint32_t *wins = shared_memory(WINS_SIZE);
    int i;

    for (i = 0; i < TAKEN; i++) {
        const char *key = numbered(world, "login", i);

        assert_int_equal(put(world, ORP_STORE_LOGIN, key, key), APR_SUCCESS);
    }
    race(world, take_all, wins);
    assert_one_winner_each(wins, TAKEN);
    assert_int_equal(stats(world, ORP_STORE_LOGIN, NOW).live, 0);
    munmap(wins, WINS_SIZE);
}

/* Everybody writes and reads the same few keys: no value is ever torn. */
static void write_and_read(world_t *world, int me, apr_uint32_t *wins)
{
    char key[32];
    char value[3000];
    int i;

    for (i = 0; i < 3000; i++) {
        apr_size_t size = 1 + (apr_size_t)(i * 37 + me * 501) % sizeof(value);
        apr_pool_t *pool;
        const char *there;

        apr_snprintf(key, sizeof(key), "key-%d", i % 5);
        memset(value, 'a' + me, size);
        if (orp_store_put(world->store, ORP_STORE_SESSION, key, value, size,
                          LATER, NOW) != APR_SUCCESS) {
            _exit(94);
        }
        apr_pool_create(&pool, NULL);
        apr_snprintf(key, sizeof(key), "key-%d", (i * 3 + me) % 5);
        switch (orp_store_get(&there, &size, world->store, ORP_STORE_SESSION,
                              key, NOW, pool)) {
        case APR_SUCCESS:
            if (size == 0 || memcmp(there, there + 1, size - 1) != 0) {
                _exit(95);
            }
            wins[me]++;
            break;
        case ORP_ENOTFOUND:
            break;
        default:
            _exit(96);
        }
        apr_pool_destroy(pool);
    }
}

static void readers_see_whole_values_while_others_write(void **state)
{
    world_t *world = *state;
    apr_uint32_t *reads = shared_memory(WINS_SIZE);
    int i;

    race(world, write_and_read, reads);
    for (i = 0; i < PROCESSES; i++) {
        assert_true(reads[i] > 2000);
    }
    assert_int_equal(stats(world, ORP_STORE_SESSION, NOW).live, 5);
    munmap(reads, WINS_SIZE);
}

/* ---------------------------------------------------------------------- */
/* Killed processes. The victim does one step after the other and says so;
 * then all that it has said must be there, and of the next step nothing or
 * all. Each round has its own hour, in which the records of the last have
 * expired. */

#define ROUNDS 200
#define STEPS 2400
#define SLOTS 8

static apr_time_t hour(int round)
{
    return NOW + (round + 1) * 60 * MINUTE;
}

static apr_size_t session_size(int step)
{
    return 1 + (apr_size_t)step * 61 % 9000;
}

static apr_status_t do_step(world_t *world, int round, int step)
{
    apr_time_t now = hour(round), expires = now + 30 * MINUTE;
    char key[40], value[9000];
    const char *taken;

    switch (step % 4) {
    case 0:
        apr_snprintf(key, sizeof(key), "nonce-%d-%d", round, step);
        return orp_store_claim(world->store, ORP_STORE_NONCE, key, expires,
                               now);
    case 1:
        apr_snprintf(key, sizeof(key), "session-%d", step / 4 % SLOTS);
        memset(value, step & 0xff, session_size(step));
        return orp_store_put(world->store, ORP_STORE_SESSION, key, value,
                             session_size(step), expires, now);
    case 2:
        apr_snprintf(key, sizeof(key), "login-%d-%d", round, step);
        return orp_store_put(world->store, ORP_STORE_LOGIN, key, key,
                             strlen(key), expires, now);
    default:
        apr_snprintf(key, sizeof(key), "login-%d-%d", round, step - 1);
        return orp_store_take(&taken, NULL, world->store, ORP_STORE_LOGIN,
                              key, now, world->pool);
    }
}

static void be_the_victim(world_t *world, int round, int out)
{
    int step;

    become_a_child(world);
    for (step = 0; step < STEPS; step++) {
        if (do_step(world, round, step) != APR_SUCCESS
            || write(out, &step, sizeof(step)) != sizeof(step)) {
            _exit(97);
        }
    }
    for (;;) {
        pause();
    }
}

/* How many steps the victim has said it did before it was killed. */
static int steps_until_killed(world_t *world, int round)
{
    int pipes[2];
    int step, steps = 0, status;
    pid_t victim;

    assert_int_equal(pipe(pipes), 0);
    victim = fork();
    assert_true(victim >= 0);
    if (victim == 0) {
        close(pipes[0]);
        be_the_victim(world, round, pipes[1]);
    }
    close(pipes[1]);
    usleep((useconds_t)(500 + round * 7919 % 3000));
    assert_int_equal(kill(victim, SIGKILL), 0);
    assert_int_equal(waitpid(victim, &status, 0), victim);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    while (read(pipes[0], &step, sizeof(step)) == sizeof(step)) {
        assert_int_equal(step, steps++);
    }
    close(pipes[0]);
    return steps;
}

/* A session must be of the last step that was said, or of the one after. */
static void check_session(world_t *world, int round, int slot, int steps)
{
    int last = steps - 1, next = steps;
    const char *key = numbered(world, "session", slot);
    const char *value;
    apr_size_t size;
    apr_status_t status;
    int step;

    while (last >= 0 && (last % 4 != 1 || last / 4 % SLOTS != slot)) {
        last--;
    }
    status = orp_store_get(&value, &size, world->store, ORP_STORE_SESSION,
                           key, hour(round), world->pool);
    if (status == ORP_ENOTFOUND) {
        assert_true(last < 0);
        return;
    }
    assert_int_equal(status, APR_SUCCESS);
    step = last;
    if (last < 0 || size != session_size(last)) {
        assert_true(next % 4 == 1 && next / 4 % SLOTS == slot);
        step = next;
    }
    assert_int_equal(size, session_size(step));
    assert_int_equal((unsigned char)value[0], step & 0xff);
    assert_memory_equal(value, value + 1, size - 1);
}

static void check_what_is_left(world_t *world, int round, int steps)
{
    apr_time_t now = hour(round);
    int step;

    for (step = 0; step < steps; step++) {
        if (step % 4 == 0) {
            assert_int_equal(do_step(world, round, step), ORP_EEXISTS);
        }
        if (step % 4 == 2) {
            char key[40];
            const char *there;

            apr_snprintf(key, sizeof(key), "login-%d-%d", round, step);
            there = seen_at(world, ORP_STORE_LOGIN, key, now);
            if (step + 1 < steps) {
                assert_string_equal(there, "(none)");
            }
            else if (strcmp(there, "(none)") != 0) {
                assert_string_equal(there, key);
            }
        }
    }
    for (step = 0; step < SLOTS; step++) {
        check_session(world, round, step, steps);
    }
}

static void a_killed_process_leaves_a_usable_store(void **state)
{
    world_t *world = *state;
    apr_pool_t *pool = world->pool;
    int round, total = 0;

    for (round = 0; round < ROUNDS; round++) {
        int steps;

        apr_pool_create(&world->pool, pool);
        steps = steps_until_killed(world, round);
        check_what_is_left(world, round, steps);
        total += steps;
        apr_pool_destroy(world->pool);
        world->pool = pool;
    }
    if (!getenv("ORP_VALGRIND")) {      /* too slow to get far there */
        assert_true(total > ROUNDS);    /* they did get to work */
    }
    assert_int_equal(stats(world, ORP_STORE_LOGIN, hour(ROUNDS)).live, 0);
    assert_int_equal(stats(world, ORP_STORE_SESSION, hour(ROUNDS)).used, 0);
    fill(world, ORP_STORE_NONCE, 0);
}

/* ---------------------------------------------------------------------- */
/* The backends */

static void open_shm(world_t *world, int large)
{
    apr_size_t size = large ? 32 * 1024 * 1024 : 2 * ORP_STORE_SHM_MIN;
    apr_shm_t *shm;

    assert_int_equal(apr_shm_create(&shm, size, NULL, world->pool),
                     APR_SUCCESS);
    assert_int_equal(apr_global_mutex_create(&world->mutex, NULL,
                                             APR_LOCK_DEFAULT, world->pool),
                     APR_SUCCESS);
    assert_int_equal(orp_store_shm_open(&world->store,
                                        apr_shm_baseaddr_get(shm), size, 1,
                                        world->mutex, world->pool),
                     APR_SUCCESS);
}

static const backend_t backends[] = {
    { "shm", open_shm },
};

#define store_test(name) \
    cmocka_unit_test_setup_teardown(name, setup, teardown)
#define large_store_test(name) \
    cmocka_unit_test_setup_teardown(name, setup_large, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(what_was_put_can_be_read),
        store_test(the_last_put_counts),
        store_test(what_was_removed_is_gone),
        store_test(what_was_taken_is_gone),
        store_test(a_claim_is_won_once),
        store_test(a_claim_loses_against_a_record_that_was_put),
        store_test(a_record_lives_until_its_time_and_no_longer),
        store_test(a_nonce_can_be_claimed_again_once_it_has_expired),
        store_test(a_put_prolongs_a_record),
        store_test(a_touch_prolongs_or_shortens_a_record),
        store_test(a_touch_does_not_bring_back_what_is_gone),
        store_test(touched_records_expire_in_their_new_order),
        store_test(each_kind_is_a_world_of_its_own),
        store_test(values_of_all_sizes_and_bytes_come_back),
        store_test(long_keys_are_told_apart_by_their_last_byte),
        store_test(what_is_over_a_ceiling_is_too_big),
        store_test(what_makes_no_sense_is_refused),
        store_test(kinds_have_names),
        store_test(statistics_count_what_lives),
        store_test(a_sweep_gives_back_what_has_expired_and_no_more),
        store_test(a_live_nonce_is_never_dropped_to_make_room),
        store_test(a_full_kind_recovers_when_its_records_expire),
        store_test(one_expired_record_is_room_for_one),
        store_test(a_flood_of_one_kind_leaves_the_others_their_room),
        store_test(a_replacement_that_finds_no_room_leaves_the_old_value),
        store_test(a_session_can_be_prolonged_when_all_is_full),
        large_store_test(of_all_processes_one_wins_a_claim),
        large_store_test(of_all_processes_one_takes_a_record),
        store_test(readers_see_whole_values_while_others_write),
        store_test(a_killed_process_leaves_a_usable_store),
    };
    int failed = 0;
    apr_size_t i;

    apr_initialize();
    alarm(PATIENCE);
    for (i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
        backend = &backends[i];
        failed += cmocka_run_group_tests_name(backend->name, tests, NULL,
                                              NULL);
    }
    return failed;
}
