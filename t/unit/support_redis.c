/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "support_redis.h"

#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_atomic.h>
#include <apr_general.h>

#include "orp_store_redis_resp.h"

/* ---------------------------------------------------------------------- */
/* Worlds */

static void take_line(void *baton, orp_log_level_e level, int number,
                      const char *text)
{
    world_t *world = baton;
    line_t *line;

    apr_thread_mutex_lock(world->mutex);
    line = apr_array_push(world->log);
    line->level = level;
    line->number = number;
    line->text = apr_pstrdup(world->log->pool, text);
    apr_thread_mutex_unlock(world->mutex);
}

int redis_setup(void **state)
{
    apr_pool_t *pool;
    world_t *world;

    apr_pool_create(&pool, NULL);
    world = apr_pcalloc(pool, sizeof(*world));
    world->pool = pool;
    world->env.log = take_line;
    world->env.baton = world;
    assert_int_equal(apr_thread_mutex_create(&world->mutex,
                                             APR_THREAD_MUTEX_DEFAULT, pool),
                     APR_SUCCESS);
    world->log = apr_array_make(pool, 8, sizeof(line_t));
    world->why = orp_reason_create(pool);
    world->now = apr_time_now();
    world->later = world->now + 10 * MINUTE;
    *state = world;
    return 0;
}

int redis_teardown(void **state)
{
    world_t *world = *state;

    apr_pool_destroy(world->pool);
    return 0;
}

int under_valgrind(void)
{
    return getenv("ORP_VALGRIND") != NULL;
}

int logged(const world_t *world, int number)
{
    int count = 0;
    int i;

    for (i = 0; i < world->log->nelts; i++) {
        count += APR_ARRAY_IDX(world->log, i, line_t).number == number;
    }
    return count;
}

void assert_silence(const world_t *world)
{
    if (world->log->nelts > 0) {
        fail_msg("logged: %s", APR_ARRAY_IDX(world->log, 0, line_t).text);
    }
}

int log_contains(const world_t *world, const char *text)
{
    int i;

    for (i = 0; i < world->log->nelts; i++) {
        if (strstr(APR_ARRAY_IDX(world->log, i, line_t).text, text)) {
            return 1;
        }
    }
    return 0;
}

orp_store_place_t *place_of(world_t *world, const char *text)
{
    orp_store_place_t *place = NULL;

    if (orp_store_place_parse(&place, text, world->why, world->pool)
        != APR_SUCCESS) {
        fail_msg("%s: %s", text, world->why->sentence);
    }
    if (!strstr(text, "timeout=")) {
        place->timeout = 30 * SECOND;
    }
    return place;
}

/* "redis://127.0.0.1:PORT" and what follows. */
const char *at(world_t *world, const test_server_t *server,
               const char *rest)
{
    return apr_psprintf(world->pool, "redis://127.0.0.1:%d%s", server->port,
                        rest);
}

orp_store_t *open_at(world_t *world, const char *text)
{
    apr_status_t status = orp_store_redis_open(
        &world->store, place_of(world, text), &world->env, world->why,
        world->pool);

    if (status != APR_SUCCESS) {
        fail_msg("%s: %s", text, world->why->sentence);
    }
    return world->store;
}

apr_status_t check_at(world_t *world, const char *text)
{
    world->why = orp_reason_create(world->pool);
    return orp_store_redis_check(place_of(world, text), &world->env,
                                 world->why, world->pool);
}

/* ---------------------------------------------------------------------- */
/* Operations */

apr_status_t keep(world_t *world, const char *key, const char *value)
{
    return orp_store_put(world->store, ORP_STORE_SESSION, key, value,
                         strlen(value), world->later, world->now);
}

/* What is stored there, or "(status)". */
const char *kept(world_t *world, const char *key)
{
    const char *value = NULL;
    apr_status_t status = orp_store_get(&value, NULL, world->store,
                                        ORP_STORE_SESSION, key, world->now,
                                        world->pool);

    return status == APR_SUCCESS ? value
        : apr_psprintf(world->pool, "(%s)", orp_status_code(status));
}

apr_status_t win(world_t *world, const char *key)
{
    return orp_store_claim(world->store, ORP_STORE_NONCE, key, world->later,
                           world->now);
}

apr_status_t take(world_t *world, const char *key)
{
    const char *value;

    return orp_store_take(&value, NULL, world->store, ORP_STORE_SESSION, key,
                          world->now, world->pool);
}

void assert_works(world_t *world)
{
    apr_status_t status = keep(world, "works", "yes");

    if (status != APR_SUCCESS && world->log->nelts > 0) {
        print_message("%s\n", APR_ARRAY_IDX(world->log,
                                            world->log->nelts - 1,
                                            line_t).text);
    }
    assert_status(status, APR_SUCCESS);
    assert_string_equal(kept(world, "works"), "yes");
    assert_status(take(world, "works"), APR_SUCCESS);
    assert_status(take(world, "works"), ORP_ENOTFOUND);
}

void assert_works_soon(world_t *world)
{
    apr_time_t until = apr_time_now() + 5 * SECOND;

    while (keep(world, "soon", "yes") != APR_SUCCESS) {
        assert_true(apr_time_now() < until);
        apr_sleep(20000);
    }
    assert_works(world);
}

/* Every operation says ORP_ESTORE. */
void assert_fails(world_t *world)
{
    orp_store_stats_t stats;
    const char *value;

    assert_status(keep(world, "k", "v"), ORP_ESTORE);
    assert_string_equal(kept(world, "k"), "(store-failed)");
    assert_status(win(world, "k"), ORP_ESTORE);
    assert_status(take(world, "k"), ORP_ESTORE);
    assert_status(orp_store_touch(world->store, ORP_STORE_SESSION, "k",
                                  world->later, world->now), ORP_ESTORE);
    assert_status(orp_store_remove(world->store, ORP_STORE_SESSION, "k"),
                  ORP_ESTORE);
    assert_status(orp_store_stats(&stats, world->store, ORP_STORE_SESSION,
                                  world->now), ORP_ESTORE);
    assert_status(orp_store_get(&value, NULL, world->store,
                                ORP_STORE_LOGIN, "k", world->now,
                                world->pool), ORP_ESTORE);
}

apr_uint64_t live(world_t *world, orp_store_t *store)
{
    orp_store_stats_t stats;

    assert_status(orp_store_stats(&stats, store, ORP_STORE_SESSION,
                                  world->now), APR_SUCCESS);
    return stats.live;
}

/* ---------------------------------------------------------------------- */
/* Talking to the server directly */

int dial(int port)
{
    struct sockaddr_in address;
    struct timeval patience = { 5, 0 };
    int s = socket(AF_INET, SOCK_STREAM, 0);

    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((unsigned short)port);
    assert_true(s >= 0);
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(s, (struct sockaddr *)&address,
                             sizeof(address)), 0);
    return s;
}

/* One command as a line; the beginning of its reply. */
const char *tell(world_t *world, const test_server_t *server,
                 const char *command)
{
    char reply[16384];
    const char *line = apr_pstrcat(world->pool, command, "\r\n", NULL);
    int s = dial(server->port);
    ssize_t size;

    assert_int_equal(send(s, line, strlen(line), MSG_NOSIGNAL),
                     strlen(line));
    size = recv(s, reply, sizeof(reply) - 1, 0);
    assert_true(size > 0);
    close(s);
    return apr_pstrmemdup(world->pool, reply, (apr_size_t)size);
}

/* The number behind "name:" in INFO. */
int info(world_t *world, const test_server_t *server,
         const char *section, const char *name)
{
    const char *text = tell(world, server, apr_pstrcat(world->pool, "INFO ",
                                                       section, NULL));
    const char *found = strstr(text, apr_pstrcat(world->pool, "\n", name,
                                                 ":", NULL));

    assert_non_null(found);
    return atoi(strchr(found, ':') + 1);
}

/* ---------------------------------------------------------------------- */
/* Many threads */

const char *key_of(apr_pool_t *pool, int number)
{
    return apr_psprintf(pool, "key-%d", number);
}

void *APR_THREAD_FUNC compete(apr_thread_t *thread, void *baton)
{
    crowd_t *crowd = baton;
    world_t *world = crowd->world;
    apr_pool_t *pool;
    int i;

    (void)thread;
    apr_pool_create(&pool, NULL);
    for (i = 0; i < crowd->keys; i++) {
        const char *key = key_of(pool, i);
        const char *value;
        apr_status_t status = orp_store_claim(
            world->store, ORP_STORE_NONCE, key, world->later, world->now);

        if (status == APR_SUCCESS) {
            apr_atomic_inc32(&crowd->claimed[i]);
        }
        else if (status != ORP_EEXISTS) {
            apr_atomic_inc32(&crowd->wrong);
        }
        status = orp_store_take(&value, NULL, world->store,
                                ORP_STORE_SESSION, key, world->now, pool);
        if (status == APR_SUCCESS) {
            apr_atomic_inc32(&crowd->taken[i]);
        }
        if (status == APR_SUCCESS ? strcmp(value, key)
            : status != ORP_ENOTFOUND) {
            apr_atomic_inc32(&crowd->wrong);
        }
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

void in_threads(world_t *world, apr_thread_start_t function,
                void *baton)
{
    apr_thread_t *threads[THREADS];
    apr_status_t status;
    int i;

    for (i = 0; i < THREADS; i++) {
        assert_int_equal(apr_thread_create(&threads[i], NULL, function, baton,
                                           world->pool), APR_SUCCESS);
    }
    for (i = 0; i < THREADS; i++) {
        assert_int_equal(apr_thread_join(&status, threads[i]), APR_SUCCESS);
    }
}

/* ---------------------------------------------------------------------- */
/* Programs */

static void a_build_without_hiredis_says_so(void **state)
{
    world_t *world = *state;
    const char *place = "redis://127.0.0.1:1";
    orp_store_t *store;

    assert_int_equal(orp_store_redis_open(&store, place_of(world, place),
                                          &world->env, world->why,
                                          world->pool), APR_ENOTIMPL);
    assert_non_null(strstr(world->why->sentence, "without hiredis"));
    assert_int_equal(check_at(world, place), APR_ENOTIMPL);
    assert_non_null(strstr(world->why->sentence, "without hiredis"));
}

int redis_run_tests(const char *name, const struct CMUnitTest *tests,
                    size_t count)
{
    const struct CMUnitTest without[] = {
        in_a_world(a_build_without_hiredis_says_so),
    };

    apr_initialize();
    atexit(apr_terminate);
    return orp_redis_available()
        ? _cmocka_run_group_tests(name, tests, count, NULL, NULL)
        : _cmocka_run_group_tests(name, without, 1, NULL, NULL);
}
