/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_store_redis_outage.c - a redis-server that many threads use, that is
 * killed, paused, disturbed, and full.
 */

#include "support_redis.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <apr_atomic.h>

/* ---------------------------------------------------------------------- */
/* Many threads */

static void of_many_threads_one_wins(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(NULL, world->pool);
    crowd_t *crowd = apr_pcalloc(world->pool, sizeof(*crowd));
    int connected;
    int i;

    open_at(world, at(world, server, ""));
    crowd->world = world;
    crowd->keys = under_valgrind() ? 50 : 1000;
    for (i = 0; i < crowd->keys; i++) {
        const char *key = key_of(world->pool, i);

        assert_status(keep(world, key, key), APR_SUCCESS);
    }
    in_threads(world, compete, crowd);
    assert_int_equal(crowd->wrong, 0);
    for (i = 0; i < crowd->keys; i++) {
        assert_int_equal(crowd->claimed[i], 1);
        assert_int_equal(crowd->taken[i], 1);
    }
    assert_silence(world);

    /* with the one that asks */
    connected = info(world, server, "clients", "connected_clients");
    assert_in_range(connected, 2, THREADS + 1);
}

/* ---------------------------------------------------------------------- */
/* Outages */

static void an_outage_costs_little_and_ends(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(NULL, world->pool);
    apr_time_t begin;
    int i;

    open_at(world, at(world, server, ""));
    assert_works(world);
    test_server_stop(server, SIGKILL);
    begin = apr_time_now();
    for (i = 0; i < 100; i++) {
        assert_status(win(world, "k"), ORP_ESTORE);
    }
    assert_true(apr_time_now() - begin < SECOND);
    assert_fails(world);
    assert_int_equal(logged(world, 301), 1);
    assert_int_equal(world->log->nelts, 1);

    test_server_restart(server);
    assert_works_soon(world);
    assert_int_equal(logged(world, 302), 1);
    assert_int_equal(world->log->nelts, 2);
}

/* The connections that wait are dead; nobody notices. */
static void a_restart_between_two_operations_is_not_seen(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(NULL, world->pool);
    int i;

    open_at(world, at(world, server, ""));
    assert_works(world);
    for (i = 0; i < 3; i++) {
        test_server_restart(server);
        assert_status(win(world, "k"), APR_SUCCESS);
        assert_status(win(world, "k"), ORP_EEXISTS);
        tell(world, server, "CLIENT KILL TYPE normal");
        assert_status(take(world, "k"), ORP_ENOTFOUND);
    }
    assert_silence(world);
}

static void *APR_THREAD_FUNC put_once(apr_thread_t *thread, void *baton)
{
    world_t *world = baton;

    (void)thread;
    return keep(world, "k", "v") == ORP_ESTORE ? NULL : baton;
}

static void a_paused_server_holds_nobody_longer_than_agreed(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(NULL, world->pool);
    apr_time_t begin;
    int i;

    open_at(world, at(world, server, BRIEF));
    for (i = 0; i < 8; i++) {
        const char *key = key_of(world->pool, i);

        assert_status(keep(world, key, key), APR_SUCCESS);
    }
    test_server_pause(server);
    begin = apr_time_now();
    assert_string_equal(kept(world, "key-0"), "(store-failed)");
    assert_in_range(apr_time_now() - begin, 590000, 3 * SECOND);
    begin = apr_time_now();
    in_threads(world, put_once, world);
    for (i = 0; i < 100; i++) {
        assert_string_equal(kept(world, "key-1"), "(store-failed)");
    }
    assert_true(apr_time_now() - begin < 3 * SECOND);
    assert_int_equal(logged(world, 301), 1);

    /* No answer to what was asked before is taken for one to what is asked
     * now. */
    test_server_resume(server);
    assert_works_soon(world);
    for (i = 0; i < 8; i++) {
        const char *key = key_of(world->pool, i);

        assert_string_equal(kept(world, key), key);
    }
    assert_int_equal(logged(world, 302), 1);
}

static void *APR_THREAD_FUNC resume_soon(apr_thread_t *thread, void *baton)
{
    (void)thread;
    apr_sleep(100000);
    test_server_resume(baton);
    return NULL;
}

/* The second question is asked while the first one still has no answer. */
static void a_late_answer_is_not_taken_for_another(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(NULL, world->pool);
    apr_thread_t *thread;
    apr_status_t status;
    const char *value;

    open_at(world, at(world, server, BRIEF));
    assert_status(keep(world, "one", "one"), APR_SUCCESS);
    assert_status(keep(world, "two", "two"), APR_SUCCESS);
    test_server_pause(server);
    assert_string_equal(kept(world, "one"), "(store-failed)");
    apr_sleep(150000);          /* now one may try again */
    assert_int_equal(apr_thread_create(&thread, NULL, resume_soon, server,
                                       world->pool), APR_SUCCESS);
    value = kept(world, "two");
    apr_thread_join(&status, thread);
    if (strcmp(value, "(store-failed)") != 0) {     /* a slow machine */
        assert_string_equal(value, "two");
    }
    assert_works_soon(world);
    assert_string_equal(kept(world, "two"), "two");
}

static void *APR_THREAD_FUNC work(apr_thread_t *thread, void *baton)
{
    crowd_t *crowd = baton;
    world_t *world = crowd->world;
    apr_pool_t *pool;
    int i;

    (void)thread;
    apr_pool_create(&pool, NULL);
    for (i = 0; i < crowd->keys; i++) {
        const char *key = key_of(pool, i % 8);
        const char *value;

        if (orp_store_get(&value, NULL, world->store, ORP_STORE_SESSION, key,
                          world->now, pool) == APR_SUCCESS
            && strcmp(value, key) != 0) {
            apr_atomic_inc32(&crowd->wrong);
        }
        apr_pool_clear(pool);
        apr_sleep(1000);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static void *APR_THREAD_FUNC disturb(apr_thread_t *thread, void *baton)
{
    test_server_t *server = baton;
    int i;

    (void)thread;
    for (i = 0; i < 10; i++) {
        apr_sleep(10000);
        kill(server->pid, SIGSTOP);
        apr_sleep(i % 3 * 10000);
        kill(server->pid, SIGCONT);
        close(dial(server->port));
    }
    return NULL;
}

/* Some operations fail, none gets the answer of another, and no connection
 * is forgotten. */
static void disturbances_mix_nothing_up(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(NULL, world->pool);
    crowd_t *crowd = apr_pcalloc(world->pool, sizeof(*crowd));
    apr_time_t until = apr_time_now() + 5 * SECOND;
    apr_thread_t *thread;
    apr_status_t status;
    int i;

    open_at(world, at(world, server, under_valgrind() ? "?timeout=300ms"
                                                     : "?timeout=20ms"));
    for (i = 0; i < 8; i++) {
        const char *key = key_of(world->pool, i);

        while (keep(world, key, key) != APR_SUCCESS) {
            assert_true(apr_time_now() < until);
        }
    }
    assert_int_equal(apr_thread_create(&thread, NULL, disturb, server,
                                       world->pool), APR_SUCCESS);
    crowd->world = world;
    crowd->keys = under_valgrind() ? 20 : 200;
    in_threads(world, work, crowd);
    apr_thread_join(&status, thread);
    assert_int_equal(crowd->wrong, 0);
    assert_true(info(world, server, "clients", "connected_clients")
                <= THREADS + 1);
}

/* ---------------------------------------------------------------------- */
/* Memory */

static void a_full_server_says_so_and_goes_on(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis("--maxmemory-policy noeviction",
                                       world->pool);

    open_at(world, at(world, server, ""));
    assert_status(keep(world, "k", "old"), APR_SUCCESS);
    assert_status(win(world, "n"), APR_SUCCESS);
    tell(world, server, "CONFIG SET maxmemory 1");

    assert_status(keep(world, "k", "new"), ORP_EFULL);
    assert_status(keep(world, "l", "new"), ORP_EFULL);
    assert_status(win(world, "m"), ORP_EFULL);
    assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                  world->later + MINUTE, world->later),
                  ORP_EFULL);
    /* who is signed in stays so */
    assert_string_equal(kept(world, "k"), "old");
    assert_status(orp_store_touch(world->store, ORP_STORE_SESSION, "k",
                                  world->later + MINUTE, world->now),
                  APR_SUCCESS);
    assert_status(orp_store_remove(world->store, ORP_STORE_NONCE, "n"),
                  APR_SUCCESS);
    assert_status(take(world, "k"), APR_SUCCESS);
    assert_silence(world);
    /* and a site may start */
    assert_status(check_at(world, at(world, server, "")), APR_SUCCESS);
    assert_int_equal(logged(world, 310), 1);

    tell(world, server, "CONFIG SET maxmemory 0");
    assert_works(world);
    assert_int_equal(world->log->nelts, 1);
}

/* ---------------------------------------------------------------------- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_world(of_many_threads_one_wins),
        in_a_world(an_outage_costs_little_and_ends),
        in_a_world(a_restart_between_two_operations_is_not_seen),
        in_a_world(a_paused_server_holds_nobody_longer_than_agreed),
        in_a_world(a_late_answer_is_not_taken_for_another),
        in_a_world(disturbances_mix_nothing_up),
        in_a_world(a_full_server_says_so_and_goes_on),
    };

    return redis_run("redis outage", tests);
}
