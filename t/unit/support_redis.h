/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* support_redis.h - stores in redis servers, for the tests of this backend.
 *
 * A world has a log that can be read and a place for the store that was
 * opened last; see support_server.h for the servers.
 */
#ifndef ORP_TEST_SUPPORT_REDIS_H
#define ORP_TEST_SUPPORT_REDIS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>

#include "orp_store_open.h"
#include "support_server.h"

#define MINUTE apr_time_from_sec(60)
#define SECOND apr_time_from_sec(1)
#define THREADS 8

/** For an operation that is to fail by time. Others get 30 seconds, whatever
 * the machine does meanwhile. */
#define BRIEF "?timeout=600ms"

typedef struct line_t {
    orp_log_level_e level;
    int number;
    const char *text;
} line_t;

typedef struct world_t {
    apr_pool_t *pool;
    orp_env_t env;
    apr_thread_mutex_t *mutex;  /* of the log */
    apr_array_header_t *log;    /* of line_t */
    orp_reason_t *why;
    orp_store_t *store;         /* the last one opened */
    apr_time_t now;
    apr_time_t later;
} world_t;

/** What many threads do at the same time. */
typedef struct crowd_t {
    world_t *world;
    int keys;
    apr_uint32_t claimed[1000];
    apr_uint32_t taken[1000];
    apr_uint32_t wrong;         /* operations with another outcome */
} crowd_t;

/** A cmocka test in a world of its own, which it finds in *state. */
#define in_a_world(f) \
    cmocka_unit_test_setup_teardown(f, redis_setup, redis_teardown)

#define assert_status(actual, expected) \
    assert_string_equal(orp_status_code(actual), orp_status_code(expected))

int redis_setup(void **state);
int redis_teardown(void **state);

/** Is time dear? */
int under_valgrind(void);

/** How often was the line O2RP-number logged? */
int logged(const world_t *world, int number);

/** Nothing was logged. */
void assert_silence(const world_t *world);

/** Does any line of the log contain this text? */
int log_contains(const world_t *world, const char *text);

/** Read a place, with a timeout of 30 seconds unless it has one; the test fails
 * where it is none. */
orp_store_place_t *place_of(world_t *world, const char *text);

/** "redis://127.0.0.1:PORT" and the rest. */
const char *at(world_t *world, const test_server_t *server,
               const char *rest);

/** Open a store, which becomes world->store. */
orp_store_t *open_at(world_t *world, const char *text);

/** Check a place; world->why says what is wrong. */
apr_status_t check_at(world_t *world, const char *text);

/** Put a session. */
apr_status_t keep(world_t *world, const char *key, const char *value);

/** What is stored there, or "(status)". */
const char *kept(world_t *world, const char *key);

/** Claim a nonce. */
apr_status_t win(world_t *world, const char *key);

/** Take a session. */
apr_status_t take(world_t *world, const char *key);

/** Put, get and take something. */
void assert_works(world_t *world);

/** The same, within 5 seconds. */
void assert_works_soon(world_t *world);

/** Every operation says ORP_ESTORE. */
void assert_fails(world_t *world);

/** How many sessions the statistics count. */
apr_uint64_t live(world_t *world, orp_store_t *store);

/** A connection to 127.0.0.1, which the caller closes. */
int dial(int port);

/** Tell the server one command, as a line. @return how its reply begins */
const char *tell(world_t *world, const test_server_t *server,
                 const char *command);

/** The number behind "name:" in a section of INFO. */
int info(world_t *world, const test_server_t *server,
         const char *section, const char *name);

/** "key-7" */
const char *key_of(apr_pool_t *pool, int number);

/** A thread of a crowd: claims and takes all keys, as fast as it can. */
void *APR_THREAD_FUNC compete(apr_thread_t *thread, void *baton);

/** Run a function in THREADS threads, and wait for them. */
void in_threads(world_t *world, apr_thread_start_t function,
                void *baton);

/**
 * Run the tests of a program. A build without hiredis has one test only: that
 * it says so.
 */
#define redis_run(name, tests) \
    redis_run_tests(name, tests, sizeof(tests) / sizeof((tests)[0]))

int redis_run_tests(const char *name, const struct CMUnitTest *tests,
                    size_t count);

#endif
