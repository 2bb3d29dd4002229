/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_store_memcache.c - what is special to stores on memcached: several
 * servers, servers that are away, full, or stand still.
 *
 * The promises of orp_store.h are tested in test_contract_memcache.c.
 */

#include "support.h"

#include <signal.h>
#include <stdlib.h>

#include <apr_atomic.h>
#include <apr_memcache.h>
#include <apr_thread_proc.h>

#include "orp_crypto.h"
#include "orp_store_open.h"
#include "support_server.h"

#define SECONDS(n) apr_time_from_sec(n)
#define LATER (SECONDS(600))
#define THREADS 8
#define KEYS 40
#define OPENED 301
#define CLOSED 302
#define WEAKER 315
#define AWAY 316
#define UNFIT 318

/* no test here waits longer for anything */
#define PATIENCE SECONDS(20)

/* A scene, its servers, and a store on them. */
typedef struct world_t {
    scene_t *scene;
    test_server_t *servers[2];
    orp_store_t *store;
    apr_time_t now;
} world_t;

static int under_valgrind(void)
{
    return getenv("ORP_VALGRIND") != NULL;
}

static const orp_store_place_t *place_of(scene_t *scene, const char *text)
{
    orp_store_place_t *place = NULL;

    assert_status(orp_store_place_parse(&place, text, NULL, scene->pool),
                  APR_SUCCESS);
    return place;
}

static orp_store_t *store_of(scene_t *scene, const char *text)
{
    orp_store_t *store = NULL;
    orp_reason_t *why = orp_reason_create(scene->pool);

    assert_status(orp_store_memcache_open(&store, place_of(scene, text),
                                          &scene->env, why, scene->pool),
                  APR_SUCCESS);
    return store;
}

static const char *address(world_t *world, int index)
{
    return apr_psprintf(world->scene->pool, "127.0.0.1:%d",
                        world->servers[index]->port);
}

/* @param args  of memcached, or NULL */
static world_t *world_create(scene_t *scene, int servers, const char *args)
{
    world_t *world = apr_pcalloc(scene->pool, sizeof(*world));
    const char *text = "memcache://";
    int i;

    world->scene = scene;
    world->now = apr_time_now();
    for (i = 0; i < servers; i++) {
        world->servers[i] = test_memcached(args, scene->pool);
        text = apr_pstrcat(scene->pool, text, i ? "," : "",
                           address(world, i), NULL);
    }
    world->store = store_of(scene, text);
    return world;
}

static apr_status_t put(world_t *world, const char *key, const char *value)
{
    return orp_store_put(world->store, ORP_STORE_SESSION, key, value,
                         strlen(value), world->now + LATER, world->now);
}

static apr_status_t claim(world_t *world, const char *key)
{
    return orp_store_claim(world->store, ORP_STORE_NONCE, key,
                           world->now + LATER, world->now);
}

static apr_status_t get_from(orp_store_t *store, const char **pvalue,
                             world_t *world, const char *key)
{
    return orp_store_get(pvalue, NULL, store, ORP_STORE_SESSION, key,
                         world->now, world->scene->pool);
}

/* What is there, or the code of why not. */
static const char *seen(world_t *world, const char *key)
{
    const char *value;
    apr_status_t status = get_from(world->store, &value, world, key);

    return status == APR_SUCCESS ? value : orp_status_code(status);
}

static const char *key_of(world_t *world, int number)
{
    return apr_psprintf(world->scene->pool, "key %d", number);
}

/* Does it work within some seconds, without anybody's help? */
static void await(world_t *world, const char *key)
{
    apr_time_t end = apr_time_now() + PATIENCE;
    apr_status_t status;

    while ((status = put(world, key, "again")) != APR_SUCCESS) {
        assert_status(status, ORP_ESTORE);
        assert_true(apr_time_now() < end);
        apr_sleep(20 * 1000);
    }
}

/* ---------------------------------------------------------------------- */
/* One server */

static void values_of_all_sizes_come_back(void **state)
{
    static const apr_size_t sizes[] = {
        0, 1, 2, 39, 40, 41, 255, 256, 1023, 8191, 8192, 32767, 32768
    };
    scene_t *scene = *state;
    world_t *world = world_create(scene, 1, NULL);
    char *bytes = apr_palloc(scene->pool, ORP_STORE_VALUE_MAX);
    apr_size_t i;

    for (i = 0; i < ORP_STORE_VALUE_MAX; i++) {
        bytes[i] = (char)(i * 7 + i / 256);
    }
    for (i = 0; i < COUNT(sizes); i++) {
        const char *key = key_of(world, (int)i);
        const char *value;
        apr_size_t size;

        assert_status(orp_store_put(world->store, ORP_STORE_CACHE, key,
                                    bytes, sizes[i], world->now + LATER,
                                    world->now), APR_SUCCESS);
        assert_status(orp_store_get(&value, &size, world->store,
                                    ORP_STORE_CACHE, key, world->now,
                                    scene->pool), APR_SUCCESS);
        assert_true(size == sizes[i]);
        assert_memory_equal(value, bytes, size);
        assert_int_equal(value[size], 0);
        assert_status(orp_store_take(&value, &size, world->store,
                                     ORP_STORE_CACHE, key, world->now,
                                     scene->pool), APR_SUCCESS);
        assert_true(size == sizes[i]);
        assert_memory_equal(value, bytes, size);
    }
}

static void prefixes_keep_sites_apart(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 1, NULL);
    const char *text = apr_pstrcat(scene->pool, "memcache://",
                                   address(world, 0), NULL);
    orp_store_t *same = store_of(scene, text);
    orp_store_t *other = store_of(scene, apr_pstrcat(
        scene->pool, text, "?prefix=", repeated("p", 64, scene->pool), NULL));
    const char *value;

    assert_status(put(world, "key", "ours"), APR_SUCCESS);
    assert_status(get_from(same, &value, world, "key"), APR_SUCCESS);
    assert_text(value, "ours");
    assert_status(get_from(other, &value, world, "key"), ORP_ENOTFOUND);
    assert_status(orp_store_put(other, ORP_STORE_SESSION, "key", "theirs", 6,
                                world->now + LATER, world->now), APR_SUCCESS);
    assert_status(orp_store_remove(other, ORP_STORE_SESSION, "key"),
                  APR_SUCCESS);
    assert_text(seen(world, "key"), "ours");
}

static void the_callers_clock_ends_a_record(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 1, NULL);
    apr_time_t end = world->now + SECONDS(600);
    const char *value;

    assert_status(put(world, "key", "value"), APR_SUCCESS);
    assert_status(claim(world, "key"), APR_SUCCESS);

    world->now = end - 1;
    assert_text(seen(world, "key"), "value");
    world->now = end;
    assert_text(seen(world, "key"), "not-found");
    assert_status(orp_store_take(&value, NULL, world->store,
                                 ORP_STORE_SESSION, "key", end, scene->pool),
                  ORP_ENOTFOUND);
    assert_status(orp_store_touch(world->store, ORP_STORE_SESSION, "key",
                                  end + LATER, end), ORP_ENOTFOUND);
    assert_status(put(world, "key", "new"), APR_SUCCESS);
    assert_text(seen(world, "key"), "new");

    /* a claim waits for memcached's own clock: safe, if late */
    assert_status(claim(world, "key"), ORP_EEXISTS);
}

static void memcacheds_clock_frees_a_claim(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 1, NULL);
    apr_time_t began = apr_time_now();
    apr_time_t expires = began + SECONDS(1);
    apr_time_t now;

    assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, "key",
                                  expires, began), APR_SUCCESS);
    while ((now = apr_time_now()) < began + PATIENCE) {
        apr_status_t status = orp_store_claim(world->store, ORP_STORE_NONCE,
                                              "key", now + LATER, now);

        if (status == APR_SUCCESS) {
            assert_true(now >= expires);
            return;
        }
        assert_status(status, ORP_EEXISTS);
        apr_sleep(20 * 1000);
    }
    fail_msg("it stays claimed");
}

static void records_may_live_for_a_month_and_for_years(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 1, NULL);
    static const int days[] = { 29, 30, 31, 365, 3650, 36500 };
    apr_size_t i;

    for (i = 0; i < COUNT(days); i++) {
        const char *key = key_of(world, (int)i);
        apr_time_t end = world->now + days[i] * SECONDS(24 * 3600);

        assert_status(orp_store_put(world->store, ORP_STORE_SESSION, key,
                                    "x", 1, end, world->now), APR_SUCCESS);
        assert_text(seen(world, key), "x");
    }
}

static void it_cannot_tell_what_is_in_it(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 1, NULL);
    orp_store_stats_t stats = { 0, 0, 0, 0 };

    assert_status(orp_store_stats(&stats, world->store, ORP_STORE_SESSION,
                                  world->now), APR_SUCCESS);
    assert_true(stats.live == ORP_STORE_UNKNOWN);
    assert_true(stats.used == ORP_STORE_UNKNOWN);
    assert_true(stats.room == ORP_STORE_UNKNOWN);
    assert_true(stats.refused == ORP_STORE_UNKNOWN);
    assert_status(orp_store_each(world->store, ORP_STORE_SESSION, world->now,
                                 NULL, NULL, scene->pool), APR_ENOTIMPL);
    assert_status(orp_store_sweep(world->store, world->now), APR_SUCCESS);
}

/* memcached without evictions. Values of one size, so of one slab class. */
static void a_full_memcached_refuses_and_keeps_what_it_has(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 1, "-M -m 2");
    const char *big = repeated("x", 30000, scene->pool);
    const char *other = repeated("y", 30000, scene->pool);
    int i;

    for (i = 0; put(world, key_of(world, i), big) == APR_SUCCESS; i++) {
        assert_true(i < 1000);
    }
    assert_true(i > 5);
    assert_status(put(world, "one more", big), ORP_EFULL);
    assert_status(put(world, key_of(world, 0), other), ORP_EFULL);
    assert_text(seen(world, key_of(world, 0)), big);
    assert_text(seen(world, key_of(world, i - 1)), big);

    /* prolonging cannot be done; it is no reason to end a session */
    assert_status(orp_store_touch(world->store, ORP_STORE_SESSION,
                                  key_of(world, 0), world->now + 2 * LATER,
                                  world->now), APR_SUCCESS);
    assert_text(seen(world, key_of(world, 0)), big);
    assert_status(orp_store_touch(world->store, ORP_STORE_SESSION,
                                  key_of(world, 0), world->now + LATER / 2,
                                  world->now), ORP_ESTORE);

    /* it is full, but well */
    assert_int_equal(scene_logged(scene, OPENED), 0);
    for (i = 0; i < 3; i++) {
        assert_status(orp_store_remove(world->store, ORP_STORE_SESSION,
                                       key_of(world, i)), APR_SUCCESS);
    }
    assert_status(put(world, "one more", big), APR_SUCCESS);
}

/* The item of a session, as orp_store_memcache.c draws it. */
static const char *item_of(world_t *world, const char *key)
{
    apr_pool_t *pool = world->scene->pool;

    return apr_pstrcat(pool, "openid2rp:session:", orp_sha256_hex(
        apr_pstrcat(pool, "session:", key, NULL), pool), NULL);
}

/* What an answer that belongs to another question would look like. Another
 * client than ours, that of APR, puts it there. */
static void an_item_of_another_key_is_not_believed(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 1, NULL);
    apr_memcache_server_t *server;
    apr_memcache_t *client;
    char *item;
    apr_size_t size;

    apr_memcache_create(scene->pool, 1, 0, &client);
    apr_memcache_server_create(scene->pool, "127.0.0.1",
                               (apr_port_t)world->servers[0]->port, 0, 1, 1,
                               60000000, &server);
    apr_memcache_add_server(client, server);
    assert_status(put(world, "mine", "my session"), APR_SUCCESS);
    assert_status(put(world, "yours", "your session"), APR_SUCCESS);

    assert_status(apr_memcache_getp(client, scene->pool,
                                    item_of(world, "mine"), &item, &size,
                                    NULL), APR_SUCCESS);
    assert_status(apr_memcache_set(client, item_of(world, "yours"), item,
                                   size, 60, 0), APR_SUCCESS);
    assert_text(seen(world, "mine"), "my session");
    assert_text(seen(world, "yours"), "store-failed");
    assert_text(seen(world, "mine"), "my session");

    /* what somebody else has written there is no outage */
    assert_status(apr_memcache_set(client, item_of(world, "yours"), item, 7,
                                   60, 42), APR_SUCCESS);
    assert_text(seen(world, "yours"), "store-failed");
    assert_status(apr_memcache_set(client, item_of(world, "yours"),
                                   apr_pcalloc(scene->pool, 100 * 1024),
                                   100 * 1024, 60, 0), APR_SUCCESS);
    assert_text(seen(world, "yours"), "store-failed");
    assert_text(seen(world, "mine"), "my session");
    assert_int_equal(scene_logged(scene, UNFIT), 1);
    assert_int_equal(scene->log->nelts, 1);
    assert_status(put(world, "yours", "again"), APR_SUCCESS);
    assert_text(seen(world, "yours"), "again");
}

/* ---------------------------------------------------------------------- */
/* Threads */

typedef struct runner_t {
    world_t *world;
    int keys;
    apr_uint32_t *claimed;      /* of each key: how many have won */
    apr_uint32_t *taken;
    apr_uint32_t failed;
} runner_t;

static void count(apr_uint32_t *wins, runner_t *runner, apr_status_t status,
                  apr_status_t loss)
{
    if (status == APR_SUCCESS) {
        apr_atomic_inc32(wins);
    }
    else if (status != loss) {
        apr_atomic_inc32(&runner->failed);
    }
}

static void *APR_THREAD_FUNC claim_and_take(apr_thread_t *thread, void *data)
{
    runner_t *runner = data;
    world_t *world = runner->world;
    apr_pool_t *pool;
    int i;

    (void)thread;
    apr_pool_create(&pool, NULL);
    for (i = 0; i < runner->keys; i++) {
        const char *key = apr_psprintf(pool, "key %d", i);
        const char *value;

        count(&runner->claimed[i], runner, claim(world, key), ORP_EEXISTS);
        count(&runner->taken[i], runner,
              orp_store_take(&value, NULL, world->store, ORP_STORE_SESSION,
                             key, world->now, pool), ORP_ENOTFOUND);
    }
    apr_pool_destroy(pool);
    return NULL;
}

/* Let all threads claim and take so many keys. */
static runner_t run_threads(world_t *world, int keys)
{
    apr_pool_t *pool = world->scene->pool;
    runner_t runner = { world, keys, NULL, NULL, 0 };
    apr_thread_t *threads[THREADS];
    apr_size_t size = sizeof(apr_uint32_t) * (apr_size_t)keys;
    apr_status_t status;
    int i;

    runner.claimed = apr_pcalloc(pool, size);
    runner.taken = apr_pcalloc(pool, size);
    for (i = 0; i < THREADS; i++) {
        assert_status(apr_thread_create(&threads[i], NULL, claim_and_take,
                                        &runner, pool), APR_SUCCESS);
    }
    for (i = 0; i < THREADS; i++) {
        apr_thread_join(&status, threads[i]);
    }
    return runner;
}

static void of_all_threads_one_wins(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 2, NULL);
    int keys = under_valgrind() ? 50 : 1000;
    runner_t runner;
    int i;

    for (i = 0; i < keys; i++) {
        assert_status(put(world, key_of(world, i), "x"), APR_SUCCESS);
    }
    runner = run_threads(world, keys);
    assert_int_equal(runner.failed, 0);
    for (i = 0; i < keys; i++) {
        assert_int_equal(runner.claimed[i], 1);
        assert_int_equal(runner.taken[i], 1);
    }
}

/* ---------------------------------------------------------------------- */
/* Several servers */

/* Which keys cannot be read while the second server is away? */
static int find_keys_of_second(world_t *world, int *of_second)
{
    int found = 0;
    int i;

    for (i = 0; i < KEYS; i++) {
        const char *text = seen(world, key_of(world, i));

        of_second[i] = !strcmp(text, "store-failed");
        found += of_second[i];
        if (!of_second[i]) {
            assert_text(text, "value");
        }
    }
    return found;
}

static void a_server_that_is_away_takes_its_keys_with_it(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 2, NULL);
    int of_second[KEYS];
    int i;

    for (i = 0; i < KEYS; i++) {
        assert_status(put(world, key_of(world, i), "value"), APR_SUCCESS);
    }
    test_server_stop(world->servers[1], SIGKILL);

    /* both have a fair part: by chance, less than one in a million has not */
    i = find_keys_of_second(world, of_second);
    assert_in_range(i, 5, KEYS - 5);
    for (i = 0; i < KEYS; i++) {
        apr_status_t expected = of_second[i] ? ORP_ESTORE : APR_SUCCESS;
        const char *key = key_of(world, i);
        const char *value;

        assert_status(orp_store_touch(world->store, ORP_STORE_SESSION, key,
                                      world->now + LATER, world->now),
                      expected);
        assert_status(put(world, key, "new"), expected);
        assert_status(orp_store_take(&value, NULL, world->store,
                                     ORP_STORE_SESSION, key, world->now,
                                     scene->pool), expected);
        assert_status(orp_store_remove(world->store, ORP_STORE_SESSION, key),
                      expected);
    }
    assert_int_equal(scene_logged(scene, OPENED), 1);
    assert_true(scene_log_contains(scene, apr_pstrcat(
        scene->pool, "memcache://", address(world, 1), " does not work",
        NULL)));
}

/* A client that goes on to the next server when one is away, as they are made
 * for caches, would let a nonce be used once more there. */
static void no_nonce_can_be_claimed_on_another_server(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 2, NULL);
    int away = 0;
    int i;

    for (i = 0; i < KEYS; i++) {
        assert_status(claim(world, key_of(world, i)), APR_SUCCESS);
        assert_status(claim(world, key_of(world, i)), ORP_EEXISTS);
    }
    test_server_stop(world->servers[1], SIGKILL);
    for (i = 0; i < 3 * KEYS; i++) {
        apr_status_t status = claim(world, key_of(world, i % KEYS));

        away += status == ORP_ESTORE;
        if (status != ORP_ESTORE) {
            assert_status(status, ORP_EEXISTS);
        }
        apr_sleep(10 * 1000);   /* past some of the pauses */
    }
    assert_true(away >= 15);
    assert_true(away <= 3 * KEYS - 15);
}

static void a_server_that_comes_back_is_used_again(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 2, NULL);
    int i;

    for (i = 0; i < KEYS; i++) {
        assert_status(put(world, key_of(world, i), "value"), APR_SUCCESS);
    }
    test_server_stop(world->servers[1], SIGKILL);
    for (i = 0; i < KEYS; i++) {
        (void)seen(world, key_of(world, i));
    }
    assert_int_equal(scene_logged(scene, CLOSED), 0);
    test_server_restart(world->servers[1]);
    for (i = 0; i < KEYS; i++) {
        await(world, key_of(world, i));
    }
    assert_int_equal(scene_logged(scene, OPENED), 1);
    assert_int_equal(scene_logged(scene, CLOSED), 1);
}

static void a_server_that_was_restarted_is_no_outage(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 1, NULL);

    /* so that there are several connections, all of which end */
    assert_int_equal(run_threads(world, 100).failed, 0);
    assert_status(put(world, "key", "value"), APR_SUCCESS);
    test_server_stop(world->servers[0], SIGKILL);
    test_server_restart(world->servers[0]);
    assert_text(seen(world, "key"), "not-found");
    assert_status(put(world, "key", "new"), APR_SUCCESS);
    assert_int_equal(scene->log->nelts, 0);
}

static void the_order_of_servers_is_all_one(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 2, NULL);
    orp_store_t *other = store_of(scene, apr_pstrcat(
        scene->pool, "memcache://", address(world, 1), ",",
        address(world, 0), NULL));
    int i;

    for (i = 0; i < KEYS; i++) {
        const char *value;

        assert_status(put(world, key_of(world, i), "value"), APR_SUCCESS);
        assert_status(get_from(other, &value, world, key_of(world, i)),
                      APR_SUCCESS);
    }
}

/* ---------------------------------------------------------------------- */
/* A server that stands still */

static void a_server_that_stands_still_is_noticed(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 1, NULL);
    apr_time_t began;

    assert_status(put(world, "key", "value"), APR_SUCCESS);
    test_server_pause(world->servers[0]);
    began = apr_time_now();
    assert_text(seen(world, "key"), "store-failed");
    assert_true(apr_time_now() - began < SECONDS(10));
    assert_true(scene_log_contains(scene, "no answer in time"));
    test_server_resume(world->servers[0]);
    await(world, "another");
    assert_text(seen(world, "key"), "value");
}

typedef struct stuck_t {
    world_t *world;
    apr_uint32_t back;          /* threads that have an answer */
    apr_uint32_t refused;       /* ORP_ESTORE was theirs */
} stuck_t;

static void *APR_THREAD_FUNC read_once(apr_thread_t *thread, void *data)
{
    stuck_t *stuck = data;
    const char *value;
    apr_pool_t *pool;

    (void)thread;
    apr_pool_create(&pool, NULL);
    if (orp_store_get(&value, NULL, stuck->world->store, ORP_STORE_SESSION,
                      "key", stuck->world->now, pool) == ORP_ESTORE) {
        apr_atomic_inc32(&stuck->refused);
    }
    apr_pool_destroy(pool);
    apr_atomic_inc32(&stuck->back);
    return NULL;
}

static void a_server_that_stands_still_holds_nobody_up(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 1, NULL);
    stuck_t stuck = { world, 0, 0 };
    apr_thread_t *threads[THREADS];
    apr_uint32_t back;
    apr_uint32_t refused;
    apr_time_t end;
    apr_status_t status;
    int i;

    assert_status(put(world, "key", "value"), APR_SUCCESS);
    test_server_pause(world->servers[0]);
    for (i = 0; i < THREADS; i++) {
        assert_status(apr_thread_create(&threads[i], NULL, read_once, &stuck,
                                        scene->pool), APR_SUCCESS);
    }
    end = apr_time_now() + PATIENCE;
    while (apr_atomic_read32(&stuck.back) < THREADS
           && apr_time_now() < end) {
        apr_sleep(20 * 1000);
    }
    back = apr_atomic_read32(&stuck.back);
    refused = apr_atomic_read32(&stuck.refused);
    test_server_resume(world->servers[0]);
    for (i = 0; i < THREADS; i++) {
        apr_thread_join(&status, threads[i]);
    }
    assert_int_equal(back, THREADS);
    assert_int_equal(refused, THREADS);
    assert_int_equal(scene_logged(scene, OPENED), 1);
    await(world, "key");
}

/* ---------------------------------------------------------------------- */
/* Checks at start */

static void check(world_t *world)
{
    const char *text = apr_pstrcat(world->scene->pool, "memcache://",
                                   address(world, 0), ",", address(world, 1),
                                   NULL);

    assert_status(orp_store_memcache_check(
        place_of(world->scene, text), &world->scene->env,
        orp_reason_create(world->scene->pool), world->scene->pool),
        APR_SUCCESS);
}

static void the_check_warns_of_what_memcached_is(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 2, NULL);

    check(world);
    assert_int_equal(scene_logged(scene, WEAKER), 1);
    assert_int_equal(scene_logged(scene, AWAY), 0);
}

static void the_check_warns_of_each_server_that_is_away(void **state)
{
    scene_t *scene = *state;
    world_t *world = world_create(scene, 2, NULL);

    test_server_stop(world->servers[0], SIGTERM);
    check(world);
    assert_int_equal(scene_logged(scene, AWAY), 1);
    assert_true(scene_log_contains(scene, apr_pstrcat(
        scene->pool, "memcache://", address(world, 0), " cannot be used",
        NULL)));

    test_server_pause(world->servers[1]);
    check(world);
    assert_int_equal(scene_logged(scene, AWAY), 3);
    test_server_resume(world->servers[1]);
}

static void a_server_that_is_no_memcached_is_named_as_such(void **state)
{
    scene_t *scene = *state;
    test_server_t *redis = test_redis(NULL, scene->pool);
    world_t *world = apr_pcalloc(scene->pool, sizeof(*world));

    world->scene = scene;
    world->now = apr_time_now();
    world->servers[0] = redis;
    world->store = store_of(scene, apr_pstrcat(
        scene->pool, "memcache://", address(world, 0), NULL));
    assert_status(put(world, "key", "value"), ORP_ESTORE);
    assert_true(scene_log_contains(scene, "does not answer like a memcached"));
}

static void opening_connects_to_nothing(void **state)
{
    scene_t *scene = *state;
    world_t *world = apr_pcalloc(scene->pool, sizeof(*world));

    world->scene = scene;
    world->now = apr_time_now();
    world->store = store_of(scene, "memcache://127.0.0.1:1,127.0.0.1:2");
    assert_int_equal(scene->log->nelts, 0);
    assert_status(claim(world, "key"), ORP_ESTORE);
    assert_int_equal(scene_logged(scene, OPENED), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(values_of_all_sizes_come_back),
        scene_test(prefixes_keep_sites_apart),
        scene_test(the_callers_clock_ends_a_record),
        scene_test(memcacheds_clock_frees_a_claim),
        scene_test(records_may_live_for_a_month_and_for_years),
        scene_test(it_cannot_tell_what_is_in_it),
        scene_test(a_full_memcached_refuses_and_keeps_what_it_has),
        scene_test(an_item_of_another_key_is_not_believed),
        scene_test(of_all_threads_one_wins),
        scene_test(a_server_that_is_away_takes_its_keys_with_it),
        scene_test(no_nonce_can_be_claimed_on_another_server),
        scene_test(a_server_that_comes_back_is_used_again),
        scene_test(a_server_that_was_restarted_is_no_outage),
        scene_test(the_order_of_servers_is_all_one),
        scene_test(a_server_that_stands_still_is_noticed),
        scene_test(a_server_that_stands_still_holds_nobody_up),
        scene_test(the_check_warns_of_what_memcached_is),
        scene_test(the_check_warns_of_each_server_that_is_away),
        scene_test(a_server_that_is_no_memcached_is_named_as_such),
        scene_test(opening_connects_to_nothing),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("store_memcache", tests, NULL, NULL);
}
