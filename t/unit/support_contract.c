/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* support_contract.c - what the tests of the contract stand on. */

#include "support_contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* A store that holds more than this is never full. */
#define NEVER_FULL 200000

int contract_times(int full, int less)
{
    return getenv("ORP_VALGRIND") ? less : full;
}

int contract_keys(void)
{
    return contract_times(SANITIZED ? 10000 : 100000, 200);
}

/* A process that waits for a lock, or is in an endless loop, is killed. */
static void set_alarm(void)
{
    alarm((unsigned int)contract_times(110, 500));
}

void contract_begin(void)
{
    apr_initialize();
    set_alarm();
}

/* ---------------------------------------------------------------------- */
/* Worlds */

static void log_to_stderr(void *baton, orp_log_level_e level, int number,
                          const char *line)
{
    (void)baton;
    if (level <= ORP_LOG_WARN) {
        fprintf(stderr, "# O2RP-%d: %s\n", number, line);
    }
}

static int setup(void **state, world_scale_e scale)
{
    apr_pool_t *pool;
    world_t *world;

    apr_pool_create(&pool, NULL);
    world = apr_pcalloc(pool, sizeof(*world));
    world->contract = *state;
    world->pool = pool;
    world->now = apr_time_now();
    world->later = world->now + 10 * MINUTE;
    world->env.log = log_to_stderr;
    world->place.shown = world->contract->name;
    world->place.prefix = "openid2rp:";
    world->place.timeout = apr_time_from_sec(10);
    world->contract->create(world, scale);
    *state = world;
    return 0;
}

int contract_setup(void **state)
{
    return setup(state, WORLD_ORDINARY);
}

int contract_setup_tight(void **state)
{
    return setup(state, WORLD_TIGHT);
}

int contract_setup_large(void **state)
{
    return setup(state, WORLD_LARGE);
}

int contract_teardown(void **state)
{
    world_t *world = *state;

    apr_pool_destroy(world->pool);
    return 0;
}

void contract_open(world_t *world, orp_store_open_fn *open)
{
    orp_reason_t *why = orp_reason_create(world->pool);
    apr_status_t status = open(&world->store, &world->place, &world->env, why,
                               world->pool);

    if (status != APR_SUCCESS) {
        fprintf(stderr, "# %s: %s\n", world->contract->name, why->sentence);
        _exit(2);               /* also in a child, which is no test */
    }
}

void contract_place_server(world_t *world, orp_place_e type, int port)
{
    orp_place_server_t *server;

    world->place.type = type;
    world->place.servers = apr_array_make(world->pool, 1, sizeof(*server));
    server = apr_array_push(world->place.servers);
    server->host = "127.0.0.1";
    server->port = (apr_port_t)port;
}

/* ---------------------------------------------------------------------- */
/* Records */

apr_status_t put_until(world_t *world, orp_store_kind_e kind,
                       const char *key, const char *value,
                       apr_time_t expires)
{
    return orp_store_put(world->store, kind, key, value, strlen(value),
                         expires, world->now);
}

apr_status_t put(world_t *world, orp_store_kind_e kind, const char *key,
                 const char *value)
{
    return put_until(world, kind, key, value, world->later);
}

apr_status_t claim(world_t *world, const char *key)
{
    return orp_store_claim(world->store, ORP_STORE_NONCE, key, world->later,
                           world->now);
}

const char *seen_at(world_t *world, orp_store_kind_e kind, const char *key,
                    apr_time_t now)
{
    const char *value = NULL;
    apr_status_t status = orp_store_get(&value, NULL, world->store, kind, key,
                                        now, world->pool);

    if (status == ORP_ENOTFOUND) {
        assert_null(value);
        return "(none)";
    }
    assert_status(status, APR_SUCCESS);
    return value;
}

const char *seen(world_t *world, orp_store_kind_e kind, const char *key)
{
    return seen_at(world, kind, key, world->now);
}

orp_store_stats_t stats(world_t *world, orp_store_kind_e kind,
                        apr_time_t now)
{
    orp_store_stats_t result;

    assert_status(orp_store_stats(&result, world->store, kind, now),
                  APR_SUCCESS);
    return result;
}

void assert_live_at(world_t *world, orp_store_kind_e kind, apr_time_t now,
                    int count, const char *file, int line)
{
    apr_uint64_t expected = world->contract->cannot_count
        ? ORP_STORE_UNKNOWN : (apr_uint64_t)count;

    _assert_int_equal(stats(world, kind, now).live, expected, file, line);
}

const char *numbered(world_t *world, const char *word, int number)
{
    return apr_psprintf(world->pool, "%s-%d", word, number);
}

char *pattern(world_t *world, apr_size_t size, unsigned int stamp)
{
    char *bytes = apr_palloc(world->pool, size + 1);
    apr_size_t i;

    for (i = 0; i < size; i++) {
        bytes[i] = (char)(i * 7 + i / 251 + stamp);
    }
    return bytes;
}

int fill(world_t *world, orp_store_kind_e kind, apr_size_t size)
{
    const char *value = repeated("f", (int)size, world->pool);
    apr_status_t status;
    int count = 0;

    for (;;) {
        status = orp_store_put(world->store, kind,
                               numbered(world, "fill", count), value, size,
                               world->later, world->now);
        if (status != APR_SUCCESS) {
            break;
        }
        assert_true(++count < NEVER_FULL);
    }
    assert_status(status, ORP_EFULL);
    return count;
}

/* ---------------------------------------------------------------------- */
/* Many processes */

static apr_size_t contest_size(void)
{
    return sizeof(contest_t)
        + (apr_size_t)contract_keys() * sizeof(apr_uint32_t);
}

contest_t *contest_create(void)
{
    void *memory = mmap(NULL, contest_size(), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

void contest_destroy(contest_t *contest)
{
    munmap(contest, contest_size());
}

void contest_lost(contest_t *contest, const char *what, int number,
                  apr_status_t status)
{
    char text[200];

    fprintf(stderr, "# %s %d: %s\n", what, number,
            orp_strerror(status, text, sizeof(text)));
    __atomic_store_n(&contest->broken, 1, __ATOMIC_SEQ_CST);
    _exit(1);
}

void become_a_child(world_t *world)
{
    set_alarm();
    world->contract->join(world);
}

static void wait_and_run(world_t *world, contestant_fn *contestant, int me,
                         contest_t *contest, const int *gate)
{
    char byte;

    become_a_child(world);
    close(gate[1]);
    if (read(gate[0], &byte, 1) != 0) {
        contest_lost(contest, "gate", me, APR_EGENERAL);
    }
    contestant(world, me, contest);
    _exit(0);
}

void race(world_t *world, contestant_fn *contestant, contest_t *contest)
{
    pid_t children[PROCESSES];
    int gate[2];
    int i, lost = 0;

    fflush(NULL);
    assert_int_equal(pipe(gate), 0);
    for (i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            wait_and_run(world, contestant, i, contest, gate);
        }
    }
    close(gate[0]);
    close(gate[1]);
    for (i = 0; i < PROCESSES; i++) {
        int status;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        if (status != 0) {
            fprintf(stderr, "# process %d: status %d\n", i, status);
            lost++;
        }
    }
    assert_int_equal(lost, 0);
}
