/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_store_redis.c - the store in a real redis-server: where it is, signing
 * in, and what an administrator is told of it.
 *
 * What it promises as a store is tested in test_contract_redis.c; outages, TLS
 * and servers that are none beside this file.
 */

#include "support_redis.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------- */
/* Where it is */

static void a_handle_closes_its_connections(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(NULL, world->pool);
    apr_time_t until = apr_time_now() + 5 * SECOND;
    orp_store_t *store;
    apr_pool_t *pool;

    apr_pool_create(&pool, world->pool);
    assert_int_equal(orp_store_redis_open(
                         &store, place_of(world, at(world, server, "")),
                         &world->env, world->why, pool), APR_SUCCESS);
    assert_int_equal(info(world, server, "stats",
                          "total_connections_received"), 2);
    world->store = store;
    assert_works(world);
    assert_int_equal(info(world, server, "clients", "connected_clients"), 2);
    apr_pool_destroy(pool);
    while (info(world, server, "clients", "connected_clients") != 1) {
        assert_true(apr_time_now() < until);
        apr_sleep(10000);
    }
}

static void a_unix_socket_will_do(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(NULL, world->pool);
    const char *place = apr_pstrcat(world->pool, "redis://", server->dir,
                                    "/redis.sock", NULL);

    assert_status(check_at(world, place), APR_SUCCESS);
    open_at(world, place);
    assert_works(world);
    assert_silence(world);
    open_at(world, apr_pstrcat(world->pool, place, "t", NULL));
    assert_fails(world);
}

static void all_addresses_of_a_name_are_tried(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(NULL, world->pool);

    /* Often ::1 comes first, where nothing listens. */
    open_at(world, apr_psprintf(world->pool, "redis://localhost:%d",
                                server->port));
    assert_works(world);
    open_at(world, apr_psprintf(world->pool, "redis://no-such-host.invalid"));
    assert_status(keep(world, "k", "v"), ORP_ESTORE);
    assert_true(log_contains(world, "its name cannot be resolved"));
}

static void databases_are_apart(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(NULL, world->pool);

    open_at(world, at(world, server, "/3"));
    assert_status(keep(world, "k", "three"), APR_SUCCESS);
    open_at(world, at(world, server, ""));
    assert_string_equal(kept(world, "k"), "(not-found)");
    open_at(world, at(world, server, "/3"));
    assert_string_equal(kept(world, "k"), "three");

    assert_status(check_at(world, at(world, server, "/3")), APR_SUCCESS);
    assert_status(check_at(world, at(world, server, "/99")), ORP_ESTORE);
    assert_non_null(strstr(world->why->sentence, "out of range"));
}

static void prefixes_are_apart(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(NULL, world->pool);
    orp_store_t *one = open_at(world, at(world, server, "?prefix=a%2A"));
    orp_store_t *two = open_at(world, at(world, server, "?prefix=abc"));
    orp_store_t *three = open_at(world, at(world, server,
                                           "?prefix=%5Ba-z%5D%5C%3F"));

    world->store = one;
    assert_status(keep(world, "k", "one"), APR_SUCCESS);
    world->store = two;
    assert_status(keep(world, "k", "two"), APR_SUCCESS);
    assert_status(keep(world, "l", "two"), APR_SUCCESS);
    world->store = three;
    assert_string_equal(kept(world, "k"), "(not-found)");
    assert_status(keep(world, "m", "three"), APR_SUCCESS);
    world->store = one;
    assert_string_equal(kept(world, "k"), "one");
    assert_string_equal(kept(world, "l"), "(not-found)");
    /* what is special in a pattern is not special in a prefix */
    assert_int_equal(live(world, one), 1);
    assert_int_equal(live(world, two), 2);
    assert_int_equal(live(world, three), 1);
}

/* ---------------------------------------------------------------------- */
/* Records */

static int note_key(void *baton, const char *key, apr_size_t size,
                    apr_time_t expires)
{
    world_t *world = baton;

    assert_int_equal(expires, world->later);
    assert_string_equal(key, "\x01\r\n*{\xff key");
    assert_int_equal(size, 256 * 4);
    world->why->status++;       /* counts */
    return 1;
}

static void keys_and_values_may_hold_any_bytes(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(NULL, world->pool);
    const char *key = "\x01\r\n*{\xff key";
    char bytes[256 * 4];
    const char *value;
    apr_size_t size;
    apr_size_t i;

    open_at(world, at(world, server, ""));
    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i * 7);
    }
    assert_status(orp_store_put(world->store, ORP_STORE_SESSION, key, bytes,
                                sizeof(bytes), world->later, world->now),
                  APR_SUCCESS);
    assert_status(orp_store_get(&value, &size, world->store,
                                ORP_STORE_SESSION, key, world->now,
                                world->pool), APR_SUCCESS);
    assert_int_equal(size, sizeof(bytes));
    assert_memory_equal(value, bytes, size);
    assert_status(orp_store_each(world->store, ORP_STORE_SESSION, world->now,
                                 note_key, world, world->pool), APR_SUCCESS);
    assert_int_equal(world->why->status, 1);
}

/* Redis drops it later than it ends, and not much. */
static void redis_cleans_up(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(NULL, world->pool);
    int ttl;

    open_at(world, at(world, server, ""));
    assert_status(keep(world, "k", "v"), APR_SUCCESS);
    assert_status(win(world, "n"), APR_SUCCESS);
    ttl = atoi(tell(world, server, "PTTL openid2rp:session:k") + 1);
    assert_in_range(ttl, 10 * 60000 - 30000, 10 * 60000 + 1001);
    ttl = atoi(tell(world, server, "PTTL openid2rp:nonce:n") + 1);
    assert_in_range(ttl, 10 * 60000 - 30000, 10 * 60000 + 1001);
    assert_status(orp_store_touch(world->store, ORP_STORE_SESSION, "k",
                                  world->later + 10 * MINUTE, world->now),
                  APR_SUCCESS);
    ttl = atoi(tell(world, server, "PTTL openid2rp:session:k") + 1);
    assert_in_range(ttl, 20 * 60000 - 30000, 20 * 60000 + 1001);
}

static void what_is_not_ours_is_no_record(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(NULL, world->pool);

    open_at(world, at(world, server, ""));
    tell(world, server, "SET openid2rp:session:short abc");
    tell(world, server, "SET openid2rp:nonce:short abc");
    tell(world, server, "SET openid2rp:session: abc");
    tell(world, server, "RPUSH openid2rp:session:list abc");
    assert_string_equal(kept(world, "short"), "(not-found)");
    assert_status(win(world, "short"), ORP_EEXISTS);
    assert_int_equal(live(world, world->store), 0);
    assert_status(keep(world, "k", "v"), APR_SUCCESS);
    assert_int_equal(live(world, world->store), 1);
}

static apr_status_t prolong(world_t *world, const char *key)
{
    return orp_store_touch(world->store, ORP_STORE_SESSION, key,
                           world->later, world->now);
}

/* One key that somebody has spoiled is no outage: nobody else notices. */
static void a_key_of_another_type_fails_alone(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(NULL, world->pool);

    open_at(world, at(world, server, ""));
    tell(world, server, "RPUSH openid2rp:session:list the-secret-value");
    tell(world, server, "SADD openid2rp:nonce:set member");
    assert_status(keep(world, "k", "v"), APR_SUCCESS);
    assert_silence(world);
    assert_string_equal(kept(world, "list"), "(store-failed)");
    assert_string_equal(kept(world, "k"), "v");
    assert_status(take(world, "list"), ORP_ESTORE);
    assert_string_equal(kept(world, "k"), "v");
    assert_status(prolong(world, "list"), ORP_ESTORE);
    assert_status(prolong(world, "k"), APR_SUCCESS);
    assert_status(win(world, "set"), ORP_ESTORE);
    assert_status(win(world, "n"), APR_SUCCESS);
    assert_works(world);
    assert_int_equal(logged(world, 317), 1);
    assert_int_equal(world->log->nelts, 1);
    assert_false(log_contains(world, "list"));
    assert_false(log_contains(world, "secret"));

    /* who may write it has it back */
    assert_status(keep(world, "list", "good"), APR_SUCCESS);
    assert_string_equal(kept(world, "list"), "good");
    assert_status(orp_store_remove(world->store, ORP_STORE_NONCE, "set"),
                  APR_SUCCESS);
    assert_status(win(world, "set"), APR_SUCCESS);
}

/* ---------------------------------------------------------------------- */
/* Signing in */

static void a_password_opens(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis("--requirepass open-sesame",
                                       world->pool);
    const char *right = apr_psprintf(world->pool,
                                     "redis://:open-sesame@127.0.0.1:%d",
                                     server->port);
    const char *wrong = apr_psprintf(world->pool,
                                     "redis://:open-barley@127.0.0.1:%d",
                                     server->port);

    assert_status(check_at(world, right), APR_SUCCESS);
    open_at(world, right);
    assert_works(world);
    assert_silence(world);

    assert_status(check_at(world, wrong), ORP_ESTORE);
    assert_non_null(strstr(world->why->sentence, "WRONGPASS"));
    assert_null(strstr(world->why->sentence, "open-"));
    open_at(world, wrong);
    assert_fails(world);
    assert_int_equal(logged(world, 301), 1);
    assert_true(log_contains(world, "WRONGPASS"));
    assert_false(log_contains(world, "open-"));

    assert_status(check_at(world, at(world, server, "")), ORP_ESTORE);
    assert_non_null(strstr(world->why->sentence, "NOAUTH"));
    open_at(world, at(world, server, ""));
    assert_fails(world);
}

static void a_user_opens(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(
        "--user alice on >wonder ~openid2rp:* +@all", world->pool);
    const char *right = apr_psprintf(world->pool,
                                     "redis://alice:wonder@127.0.0.1:%d",
                                     server->port);
    const char *wrong = apr_psprintf(world->pool,
                                     "redis://bob:wonder@127.0.0.1:%d",
                                     server->port);

    assert_status(check_at(world, right), APR_SUCCESS);
    open_at(world, right);
    assert_works(world);
    assert_silence(world);
    assert_status(check_at(world, wrong), ORP_ESTORE);
    open_at(world, wrong);
    assert_fails(world);
    assert_false(log_contains(world, "wonder"));

    /* the keys of others */
    assert_status(check_at(world, apr_pstrcat(world->pool, right,
                                              "?prefix=other:", NULL)),
                  ORP_ESTORE);
    assert_non_null(strstr(world->why->sentence, "NOPERM"));
}

static void a_user_needs_every_command(void **state)
{
    static const char *const commands[] = {
        "-eval", "-getdel", "-get", "-set", "-unlink"
    };
    world_t *world = *state;
    test_server_t *server = test_redis(
        "--user alice on >wonder ~* +@all -info", world->pool);
    const char *place = apr_psprintf(world->pool,
                                     "redis://alice:wonder@127.0.0.1:%d",
                                     server->port);
    apr_size_t i;

    assert_status(check_at(world, place), APR_SUCCESS);
    assert_int_equal(logged(world, 312), 1);
    for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        tell(world, server, apr_pstrcat(world->pool, "ACL SETUSER alice "
                                        "+@all ", commands[i], NULL));
        assert_status(check_at(world, place), ORP_ESTORE);
        if (!strstr(world->why->sentence, "NOPERM")) {
            fail_msg("%s: %s", commands[i], world->why->sentence);
        }
    }
    tell(world, server, "ACL SETUSER alice +@all -client");
    assert_status(check_at(world, place), APR_SUCCESS);
    open_at(world, place);
    assert_works(world);
}

/* Redis repeats in its errors what it was told. */
static void errors_repeat_no_secrets(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(
        "--rename-command GETDEL NOGETDEL --rename-command AUTH NOAUTHCMD",
        world->pool);

    open_at(world, at(world, server, ""));
    assert_status(take(world, "the-secret-key"), ORP_ESTORE);
    assert_true(log_contains(world, "unknown command"));
    assert_false(log_contains(world, "secret"));
    assert_status(check_at(world, at(world, server, "")), ORP_ESTORE);
    assert_non_null(strstr(world->why->sentence, "GETDEL"));

    open_at(world, apr_psprintf(world->pool, "redis://:pst@127.0.0.1:%d",
                                server->port));
    assert_status(take(world, "the-secret-key"), ORP_ESTORE);
    assert_true(log_contains(world, "refuses user or password (ERR)"));
    assert_false(log_contains(world, "pst"));
}

/* ---------------------------------------------------------------------- */
/* What check says of a server */

static void a_server_that_is_away_is_a_warning(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(NULL, world->pool);
    const char *place = at(world, server, BRIEF);

    assert_status(check_at(world, place), APR_SUCCESS);
    assert_silence(world);
    test_server_pause(server);
    assert_status(check_at(world, place), APR_SUCCESS);
    assert_int_equal(logged(world, 310), 1);
    assert_true(log_contains(world, "no answer in time"));
    test_server_stop(server, SIGKILL);
    assert_status(check_at(world, place), APR_SUCCESS);
    assert_int_equal(logged(world, 310), 2);
    assert_int_equal(world->log->nelts, 2);
}

static void eviction_is_a_warning(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis(
        "--maxmemory 64mb --maxmemory-policy allkeys-lru", world->pool);
    const char *place = at(world, server, "");

    assert_status(check_at(world, place), APR_SUCCESS);
    assert_int_equal(logged(world, 311), 1);
    assert_true(log_contains(world, "allkeys-lru"));
    tell(world, server, "CONFIG SET maxmemory-policy noeviction");
    assert_status(check_at(world, place), APR_SUCCESS);
    tell(world, server, "CONFIG SET maxmemory-policy allkeys-lru");
    tell(world, server, "CONFIG SET maxmemory 0");
    assert_status(check_at(world, place), APR_SUCCESS);
    assert_int_equal(world->log->nelts, 1);
}

static void a_replica_is_a_warning(void **state)
{
    world_t *world = *state;
    test_server_t *server = test_redis("--replicaof 127.0.0.1 1",
                                       world->pool);

    assert_status(check_at(world, at(world, server, "")), APR_SUCCESS);
    assert_int_equal(logged(world, 313), 1);
    assert_int_equal(world->log->nelts, 1);
    open_at(world, at(world, server, ""));
    assert_status(keep(world, "k", "v"), ORP_ESTORE);
    assert_true(log_contains(world, "READONLY"));
    tell(world, server, "REPLICAOF NO ONE");
    assert_works_soon(world);
}

/* ---------------------------------------------------------------------- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_world(a_handle_closes_its_connections),
        in_a_world(a_unix_socket_will_do),
        in_a_world(all_addresses_of_a_name_are_tried),
        in_a_world(databases_are_apart),
        in_a_world(prefixes_are_apart),
        in_a_world(keys_and_values_may_hold_any_bytes),
        in_a_world(redis_cleans_up),
        in_a_world(what_is_not_ours_is_no_record),
        in_a_world(a_key_of_another_type_fails_alone),
        in_a_world(a_password_opens),
        in_a_world(a_user_opens),
        in_a_world(a_user_needs_every_command),
        in_a_world(errors_repeat_no_secrets),
        in_a_world(a_server_that_is_away_is_a_warning),
        in_a_world(eviction_is_a_warning),
        in_a_world(a_replica_is_a_warning),
    };

    return redis_run("redis", tests);
}
