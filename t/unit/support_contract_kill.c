/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* support_contract_kill.c - processes that are killed while they use a store.
 *
 * The victim does one step after the other and says so; then all that it has
 * said must be there, and of the next step nothing or all. Each round has its
 * own hour, in which the records of the last have expired; but the first
 * nonce of each round must outlive them all.
 */

#include "support_contract.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 200
#define STEPS 2400
#define SLOTS 8
#define JOINED -1               /* what the victim says before its first step */

static apr_time_t hour(const world_t *world, int round)
{
    return world->now + (round + 1) * HOUR;
}

static apr_size_t session_size(int step)
{
    return 1 + (apr_size_t)step * 61 % 9000;
}

static apr_status_t claim_nonce(world_t *world, int round, int step,
                                apr_time_t now)
{
    apr_time_t expires = step == 0 ? hour(world, ROUNDS + 1) : now + HOUR / 2;
    char key[40];

    apr_snprintf(key, sizeof(key), "nonce-%d-%d", round, step);
    return orp_store_claim(world->store, ORP_STORE_NONCE, key, expires, now);
}

static apr_status_t do_step(world_t *world, int round, int step)
{
    apr_time_t now = hour(world, round), expires = now + HOUR / 2;
    char key[40], value[9000];
    const char *taken;

    switch (step % 4) {
    case 0:
        return claim_nonce(world, round, step, now);
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

static void say(int out, int step)
{
    if (write(out, &step, sizeof(step)) != sizeof(step)) {
        _exit(4);
    }
}

static void be_the_victim(world_t *world, int round, int out)
{
    int step;

    become_a_child(world);
    say(out, JOINED);
    for (step = 0; step < STEPS; step++) {
        apr_status_t status = do_step(world, round, step);

        if (status != APR_SUCCESS) {
            char text[200];

            dprintf(2, "# round %d, step %d: %s\n", round, step,
                    orp_strerror(status, text, sizeof(text)));
            _exit(5);
        }
        say(out, step);
    }
    for (;;) {
        pause();
    }
}

/* How many steps the victim has said it did before it was killed. In every
 * other round it may be killed before it has joined. */
static int steps_until_killed(world_t *world, int round)
{
    int pipes[2];
    int step, steps = 0, status, joined = 0;
    pid_t victim;

    assert_int_equal(pipe(pipes), 0);
    victim = fork();
    assert_true(victim >= 0);
    if (victim == 0) {
        close(pipes[0]);
        be_the_victim(world, round, pipes[1]);
    }
    close(pipes[1]);
    if (round % 2 == 0) {
        joined = read(pipes[0], &step, sizeof(step)) == sizeof(step);
    }
    usleep((useconds_t)(500 + round * 7919 % 3000));
    assert_int_equal(kill(victim, SIGKILL), 0);
    assert_int_equal(waitpid(victim, &status, 0), victim);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    while (read(pipes[0], &step, sizeof(step)) == sizeof(step)) {
        if (!joined) {
            assert_int_equal(step, JOINED);
            joined = 1;
        }
        else {
            assert_int_equal(step, steps++);
        }
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
                           key, hour(world, round), world->pool);
    if (status == ORP_ENOTFOUND) {
        assert_true(last < 0);
        return;
    }
    assert_status(status, APR_SUCCESS);
    step = last;
    if (last < 0 || size != session_size(last)) {
        assert_true(next % 4 == 1 && next / 4 % SLOTS == slot);
        step = next;
    }
    assert_int_equal(size, session_size(step));
    assert_int_equal((unsigned char)value[0], step & 0xff);
    assert_memory_equal(value, value + 1, size - 1);
}

/* The login of this step, whose take is the step after. */
static void check_login(world_t *world, int round, int step, int steps)
{
    char key[40];
    const char *there;

    apr_snprintf(key, sizeof(key), "login-%d-%d", round, step);
    there = seen_at(world, ORP_STORE_LOGIN, key, hour(world, round));
    if (step + 1 < steps) {
        assert_string_equal(there, "(none)");
    }
    else if (strcmp(there, "(none)") != 0) {
        assert_string_equal(there, key);    /* the take may have been next */
    }
}

static void check_what_is_left(world_t *world, int round, int steps)
{
    int step;

    for (step = 0; step < steps; step++) {
        if (step % 4 == 0) {
            assert_status(do_step(world, round, step), ORP_EEXISTS);
        }
        if (step % 4 == 2) {
            check_login(world, round, step, steps);
        }
    }
    for (step = 0; step < SLOTS; step++) {
        check_session(world, round, step, steps);
    }
}

static void check_the_end(world_t *world, const int *claimed, int rounds)
{
    apr_time_t now = hour(world, ROUNDS);
    int round;

    for (round = 0; round < rounds; round++) {
        if (claimed[round]) {
            assert_status(claim_nonce(world, round, 0, now), ORP_EEXISTS);
        }
    }
    assert_live(world, ORP_STORE_LOGIN, now, 0);
    if (world->contract->has_rooms) {
        assert_int_equal(stats(world, ORP_STORE_SESSION, now).used, 0);
        fill(world, ORP_STORE_NONCE, 0);
    }
}

void a_killed_process_leaves_a_usable_store(void **state)
{
    world_t *world = *state;
    apr_pool_t *pool = world->pool;
    int rounds = contract_times(ROUNDS, 5);
    int claimed[ROUNDS] = { 0 };
    int round, total = 0;

    for (round = 0; round < rounds; round++) {
        int steps;

        apr_pool_create(&world->pool, pool);
        steps = steps_until_killed(world, round);
        check_what_is_left(world, round, steps);
        claimed[round] = steps > 0;
        total += steps;
        apr_pool_destroy(world->pool);
        world->pool = pool;
    }
    if (!getenv("ORP_VALGRIND")) {      /* too slow to get far there */
        assert_true(total > rounds);    /* they did get to work */
    }
    check_the_end(world, claimed, rounds);
}
