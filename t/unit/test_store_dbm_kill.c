/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_store_dbm_kill.c - a process that uses a dbm store is killed.
 *
 * The child is stopped at each call into the kernel, before and after; what
 * the files then hold is what it would leave if it was killed there. A copy of
 * them must hold all that was stored before, and of the operation nothing or
 * all; and once it has happened, it has happened.
 */

#include "support_dbm.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/ptrace.h>
#endif

static int times(int full, int less)
{
    return getenv("ORP_VALGRIND") ? less : full;
}

#ifdef __linux__

typedef struct operation_t {
    const char *name;
    apr_status_t (*run)(dbm_world_t *world);
    /** Has it happened? */
    int (*look)(dbm_world_t *world);
} operation_t;

static apr_status_t run_put(dbm_world_t *world)
{
    return dbm_put(world, "new", repeated("n", 700, world->pool));
}

static int look_put(dbm_world_t *world)
{
    const char *there = dbm_seen(world, "new");

    assert_true(!strcmp(there, "(none)")
                || !strcmp(there, repeated("n", 700, world->pool)));
    return there[0] == 'n';
}

static apr_status_t run_replace(dbm_world_t *world)
{
    return dbm_put(world, "old", repeated("n", 300, world->pool));
}

static int look_replace(dbm_world_t *world)
{
    const char *there = dbm_seen(world, "old");

    assert_true(!strcmp(there, repeated("o", 900, world->pool))
                || !strcmp(there, repeated("n", 300, world->pool)));
    return there[0] == 'n';
}

static apr_status_t run_claim(dbm_world_t *world)
{
    return orp_store_claim(world->store, ORP_STORE_NONCE, "nonce", DBM_LATER,
                           DBM_NOW);
}

static int look_claim(dbm_world_t *world)
{
    const char *value;

    return orp_store_get(&value, NULL, world->store, ORP_STORE_NONCE,
                         "nonce", DBM_NOW, world->pool) == APR_SUCCESS;
}

static apr_status_t run_take(dbm_world_t *world)
{
    const char *value;

    return orp_store_take(&value, NULL, world->store, ORP_STORE_SESSION,
                          "old", DBM_NOW, world->pool);
}

static int look_take(dbm_world_t *world)
{
    return strcmp(dbm_seen(world, "old"), "(none)") == 0;
}

static apr_status_t run_touch(dbm_world_t *world)
{
    return orp_store_touch(world->store, ORP_STORE_SESSION, "old",
                           DBM_LATER + 1, DBM_NOW);
}

static int look_touch(dbm_world_t *world)
{
    const char *value;

    assert_string_equal(dbm_seen(world, "old"),
                        repeated("o", 900, world->pool));
    return orp_store_get(&value, NULL, world->store, ORP_STORE_SESSION,
                         "old", DBM_LATER, world->pool) == APR_SUCCESS;
}

static apr_status_t run_sweep(dbm_world_t *world)
{
    return orp_store_sweep(world->store, DBM_NOW + 1);
}

/* Whether it has happened cannot be seen from outside. */
static int look_sweep(dbm_world_t *world)
{
    assert_string_equal(dbm_seen(world, "old"),
                        repeated("o", 900, world->pool));
    return 0;
}

/* What has expired is gone already, and its room is left in the files. */
static apr_status_t run_shrink(dbm_world_t *world)
{
    struct stat before, after;
    apr_status_t status;

    if (stat(dbm_file(world, "a.pag"), &before) != 0) {
        return APR_EGENERAL;
    }
    status = run_sweep(world);
    return stat(dbm_file(world, "a.pag"), &after) != 0
        || after.st_blocks >= before.st_blocks ? APR_EGENERAL : status;
}

static const operation_t operations[] = {
    { "put", run_put, look_put },
    { "replace", run_replace, look_replace },
    { "claim", run_claim, look_claim },
    { "take", run_take, look_take },
    { "touch", run_touch, look_touch },
    { "sweep", run_sweep, look_sweep },
    { "shrink", run_shrink, look_sweep },
};

static pid_t stopped_child(dbm_world_t *world, const operation_t *operation)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        alarm((unsigned int)times(110, 500));
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0
            || raise(SIGSTOP) != 0
            || operation->run(world) != APR_SUCCESS) {
            _exit(98);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSTOPPED(status));
    return child;
}

/* Whether the child is still there. */
static int go_on(pid_t child)
{
    int status;

    assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSTOPPED(status)) {
        return 1;
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    return 0;
}

static int look_at_copy(dbm_world_t *copy, const dbm_world_t *world,
                        const operation_t *operation)
{
    int happened;

    dbm_copy(copy, world);
    dbm_reopen(copy);
    happened = operation->look(copy);
    dbm_assert_many(copy, 3);
    assert_status(dbm_put(copy, "after", "a"), APR_SUCCESS);
    assert_int_equal(operation->look(copy), happened);
    assert_status(dbm_check(copy, NULL), APR_SUCCESS);
    return happened;
}

static void kill_everywhere(dbm_world_t *world, dbm_world_t *copy,
                            const operation_t *operation)
{
    int happened = 0, stops = 0;
    int every = times(operation->look == look_sweep ? 5 : 1, 150);
    pid_t child = stopped_child(world, operation);

    while (go_on(child)) {
        if (stops++ % every == 0) {
            int now_happened = look_at_copy(copy, world, operation);

            assert_true(now_happened >= happened);  /* and never undone */
            happened = now_happened;
        }
    }
    assert_true(stops > 50);
    assert_int_equal(look_at_copy(copy, world, operation),
                     operation->look != look_sweep);
}

static void put_expired_ones(dbm_world_t *world, int and_drop)
{
    const char *value = repeated("v", 2000, world->pool);
    orp_store_stats_t stats;
    int i, count = and_drop ? 500 : 3;
    char key[32];

    for (i = 0; i < count; i++) {
        apr_snprintf(key, sizeof(key), "brief-%d", i);
        assert_status(orp_store_put(world->store, ORP_STORE_SESSION, key,
                                    value, 2000, DBM_NOW + 1, DBM_NOW),
                      APR_SUCCESS);
    }
    if (and_drop) {             /* only what lives is counted */
        assert_status(orp_store_stats(&stats, world->store,
                                      ORP_STORE_SESSION, DBM_NOW + 1),
                      APR_SUCCESS);
        assert_int_equal(stats.live, 4);
    }
}

static void a_process_can_be_killed_at_any_call(void **state)
{
    dbm_world_t *world = *state, *copy = dbm_elsewhere(world);
    apr_size_t i;

    for (i = 0; i < COUNT(operations); i++) {
        dbm_world_t *victim = dbm_elsewhere(world);

        print_message("             %s\n", operations[i].name);
        dbm_reopen(victim);
        dbm_put_many(victim, 3);
        assert_status(dbm_put(victim, "old",
                              repeated("o", 900, world->pool)), APR_SUCCESS);
        if (operations[i].look == look_sweep) {
            put_expired_ones(victim, operations[i].run == run_shrink);
        }
        kill_everywhere(victim, copy, &operations[i]);
        dbm_close(victim);
    }
    dbm_close(copy);
    assert_int_equal(scene_logged(world->scene, 303), 0);
    assert_int_equal(scene_logged(world->scene, 304), 0);
    assert_true(scene_logged(world->scene, 305) > 0);
}

/* The files may not even be there. */
static void a_process_can_be_killed_while_it_makes_the_files(void **state)
{
    dbm_world_t *world = *state, *copy = dbm_elsewhere(world);
    int stops = 0;
    pid_t child = stopped_child(world, &operations[0]);

    while (go_on(child)) {
        if (stops++ % times(1, 100) == 0) {
            dbm_copy(copy, world);
            dbm_reopen(copy);
            look_put(copy);
            dbm_put_many(copy, 3);
            dbm_assert_many(copy, 3);
            assert_status(dbm_check(copy, NULL), APR_SUCCESS);
        }
    }
    dbm_close(copy);
    assert_true(stops > 50);
    assert_int_equal(scene_logged(world->scene, 303), 0);
    assert_int_equal(scene_logged(world->scene, 304), 0);
}

#endif

/* ---------------------------------------------------------------------- */
/* Really killed, while it works as fast as it can */

static void work(dbm_world_t *world, int round, int out)
{
    char key[32];
    int i;

    alarm(100);
    dbm_reopen(world);
    for (i = 0; ; i++) {
        apr_snprintf(key, sizeof(key), "nonce-%d-%d", round, i);
        if (orp_store_claim(world->store, ORP_STORE_NONCE, key, DBM_LATER,
                            DBM_NOW) != APR_SUCCESS
            || write(out, &i, sizeof(i)) != sizeof(i)) {
            _exit(97);
        }
    }
}

/* How many claims it has won, and said so. */
static int claims_until_killed(dbm_world_t *world, int round)
{
    int pipes[2], i, claims = 0, status;
    pid_t victim;

    assert_int_equal(pipe(pipes), 0);
    victim = fork();
    assert_true(victim >= 0);
    if (victim == 0) {
        close(pipes[0]);
        work(world, round, pipes[1]);
    }
    close(pipes[1]);
    usleep((useconds_t)(times(1000, 500000) + round * 7919 % 9000));
    assert_int_equal(kill(victim, SIGKILL), 0);
    assert_int_equal(waitpid(victim, &status, 0), victim);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    while (read(pipes[0], &i, sizeof(i)) == sizeof(i)) {
        assert_int_equal(i, claims++);
    }
    close(pipes[0]);
    return claims;
}

static void what_was_won_is_won_whoever_is_killed(void **state)
{
    dbm_world_t *world = *state;
    int rounds = times(100, 2), round, i, total = 0;

    for (round = 0; round < rounds; round++) {
        int claims;

        dbm_close(world);
        claims = claims_until_killed(world, round);
        total += claims;
        dbm_reopen(world);
        for (i = 0; i < claims; i++) {
            char key[32];

            apr_snprintf(key, sizeof(key), "nonce-%d-%d", round, i);
            assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, key,
                                          DBM_LATER, DBM_NOW), ORP_EEXISTS);
        }
    }
    assert_true(total > 0);     /* they did get to work */
    assert_status(dbm_check(world, NULL), APR_SUCCESS);
    assert_int_equal(scene_logged(world->scene, 303), 0);
    assert_int_equal(scene_logged(world->scene, 304), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef __linux__
        dbm_test(a_process_can_be_killed_at_any_call),
        dbm_test(a_process_can_be_killed_while_it_makes_the_files),
#endif
        dbm_test(what_was_won_is_won_whoever_is_killed),
    };

    apr_initialize();
    /* a lock never released, an endless loop */
    alarm((unsigned int)times(110, 500));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
