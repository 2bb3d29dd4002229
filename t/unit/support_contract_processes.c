/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* support_contract_processes.c - the contract among many processes. */

#include "support_contract.h"

#include <sched.h>
#include <unistd.h>

/* ---------------------------------------------------------------------- */
/* One winner. Each process goes through the keys in an order of its own, but
 * every so many keys all wait for each other: so they keep meeting. */

#define BLOCK 100

/* The index-th key of a process, for any index in the block. */
static int nth_key(int me, int index)
{
    /* none has a factor in common with BLOCK, so each goes to all of it */
    static const int strides[PROCESSES] = { 1, 3, 7, 9, 11, 13, 17, 19 };
    int within = index % BLOCK;

    return index - within + (within * strides[me] + me * 37) % BLOCK;
}

/* Wait until everybody has come here, for the number-th time. */
static void meet(contest_t *contest, int number)
{
    apr_uint32_t awaited = (apr_uint32_t)number * PROCESSES;
    int looks = 0;

    __atomic_fetch_add(&contest->arrived, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&contest->arrived, __ATOMIC_SEQ_CST) < awaited) {
        if (__atomic_load_n(&contest->broken, __ATOMIC_SEQ_CST)) {
            _exit(3);           /* somebody will never arrive */
        }
        if (++looks < 20) {
            sched_yield();
        }
        else {
            usleep(100);
        }
    }
}

static void keep_together(contest_t *contest, int index)
{
    if (index % BLOCK == 0) {
        meet(contest, index / BLOCK + 1);
    }
}

static void note_win(contest_t *contest, int key, int me)
{
    __atomic_fetch_add(&contest->wins[key], 1, __ATOMIC_SEQ_CST);
    contest->won_by[me]++;
}

static void assert_one_winner_each(const contest_t *contest, int keys)
{
    apr_uint32_t sum = 0;
    int winners = 0, i;

    for (i = 0; i < keys; i++) {
        if (contest->wins[i] != 1) {
            fail_msg("key %d was won %u times", i, contest->wins[i]);
        }
    }
    for (i = 0; i < PROCESSES; i++) {
        sum += contest->won_by[i];
        winners += contest->won_by[i] > 0;
    }
    assert_int_equal(sum, keys);
    assert_true(winners > 1);   /* else there was no race */
}

static void claim_keys(world_t *world, int me, contest_t *contest, int keys,
                       apr_time_t now)
{
    char name[32];
    int i;

    for (i = 0; i < keys; i++) {
        int key = nth_key(me, i);
        apr_status_t status;

        keep_together(contest, i);
        apr_snprintf(name, sizeof(name), "nonce-%d", key);
        status = orp_store_claim(world->store, ORP_STORE_NONCE, name,
                                 now + HOUR, now);
        if (status == APR_SUCCESS) {
            note_win(contest, key, me);
        }
        else if (status != ORP_EEXISTS) {
            contest_lost(contest, "claim of nonce", key, status);
        }
    }
}

static void claim_all(world_t *world, int me, contest_t *contest)
{
    claim_keys(world, me, contest, contract_keys(), world->now);
}

void of_all_processes_one_wins_a_claim(void **state)
{
    world_t *world = *state;
    contest_t *contest = contest_create();

    race(world, claim_all, contest);
    assert_one_winner_each(contest, contract_keys());
    assert_live(world, ORP_STORE_NONCE, world->now, contract_keys());
    contest_destroy(contest);
}

/* Where a backend must first see that what is there has expired, and then
 * replace it, somebody else may come between. */
static int expired_keys(void)
{
    return contract_times(5000, BLOCK);
}

static void claim_what_has_expired(world_t *world, int me, contest_t *contest)
{
    claim_keys(world, me, contest, expired_keys(), world->later);
}

void of_all_processes_one_wins_what_has_expired(void **state)
{
    world_t *world = *state;
    contest_t *contest = contest_create();
    int i;

    for (i = 0; i < expired_keys(); i++) {
        assert_status(claim(world, numbered(world, "nonce", i)),
                      APR_SUCCESS);
    }
    race(world, claim_what_has_expired, contest);
    assert_one_winner_each(contest, expired_keys());
    contest_destroy(contest);
}

static void take_all(world_t *world, int me, contest_t *contest)
{
    char name[32];
    apr_pool_t *pool;
    int i;

    apr_pool_create(&pool, NULL);
    for (i = 0; i < contract_keys(); i++) {
        int key = nth_key(me, i);
        const char *value;
        apr_status_t status;

        keep_together(contest, i);
        apr_pool_clear(pool);
        apr_snprintf(name, sizeof(name), "login-%d", key);
        status = orp_store_take(&value, NULL, world->store, ORP_STORE_LOGIN,
                                name, world->now, pool);
        if (status == APR_SUCCESS && strcmp(value, name) == 0) {
            note_win(contest, key, me);
        }
        else if (status != ORP_ENOTFOUND) {
            contest_lost(contest, "take of login", key, status);
        }
    }
}

void of_all_processes_one_takes_a_record(void **state)
{
    world_t *world = *state;
    contest_t *contest = contest_create();
    int i;

    for (i = 0; i < contract_keys(); i++) {
        const char *key = numbered(world, "login", i);

        assert_status(put(world, ORP_STORE_LOGIN, key, key), APR_SUCCESS);
    }
    race(world, take_all, contest);
    assert_one_winner_each(contest, contract_keys());
    assert_live(world, ORP_STORE_LOGIN, world->now, 0);
    contest_destroy(contest);
}

/* ---------------------------------------------------------------------- */
/* Everybody writes and reads the same few keys: no value is ever torn. */

static void read_one(world_t *world, int me, int i, contest_t *contest)
{
    apr_pool_t *pool;
    const char *there;
    apr_status_t status;
    apr_size_t size;
    char key[32];

    apr_pool_create(&pool, NULL);
    apr_snprintf(key, sizeof(key), "key-%d", (i * 3 + me) % 5);
    status = orp_store_get(&there, &size, world->store, ORP_STORE_SESSION,
                           key, world->now, pool);
    if (status == APR_SUCCESS) {
        if (size == 0 || memcmp(there, there + 1, size - 1) != 0) {
            contest_lost(contest, "torn value", i, APR_EGENERAL);
        }
        contest->won_by[me]++;
    }
    else if (status != ORP_ENOTFOUND) {
        contest_lost(contest, "get", i, status);
    }
    apr_pool_destroy(pool);
}

static void write_and_read(world_t *world, int me, contest_t *contest)
{
    char key[32];
    char value[3000];
    int i;

    for (i = 0; i < contract_times(3000, 30); i++) {
        apr_size_t size = 1 + (apr_size_t)(i * 37 + me * 501) % sizeof(value);
        apr_status_t status;

        apr_snprintf(key, sizeof(key), "key-%d", i % 5);
        memset(value, 'a' + me, size);
        status = orp_store_put(world->store, ORP_STORE_SESSION, key, value,
                               size, world->later, world->now);
        if (status != APR_SUCCESS) {
            contest_lost(contest, "put", i, status);
        }
        read_one(world, me, i, contest);
    }
}

void readers_see_whole_values_while_others_write(void **state)
{
    world_t *world = *state;
    contest_t *contest = contest_create();
    apr_uint32_t most = (apr_uint32_t)contract_times(2000, 10);
    int i;

    race(world, write_and_read, contest);
    for (i = 0; i < PROCESSES; i++) {
        assert_true(contest->won_by[i] > most);
    }
    assert_live(world, ORP_STORE_SESSION, world->now, 5);
    contest_destroy(contest);
}

/* ---------------------------------------------------------------------- */
/* Who signs out while other requests prolong the session is signed out. One
 * process removes each session, once; the others touch it until it is gone.
 * Who reads and then writes is most probably just between the two. */

/* Then it must be gone, or has come back. Few under valgrind: who removes must
 * get dbm's lock within two seconds. */
#define TOUCHES contract_times(2000, 50)

static int ending_sessions(void)
{
    return contract_times(200, 5);
}

static void touch_to_the_end(world_t *world, int me, contest_t *contest,
                             const char *key)
{
    apr_status_t status = APR_SUCCESS;
    int i;

    for (i = 0; i < TOUCHES && status == APR_SUCCESS; i++) {
        status = orp_store_touch(world->store, ORP_STORE_SESSION, key,
                                 world->later + MINUTE, world->now);
        contest->won_by[me] += status == APR_SUCCESS;
    }
    if (status != APR_SUCCESS && status != ORP_ENOTFOUND) {
        contest_lost(contest, "touch", i, status);
    }
}

static void remove_or_touch(world_t *world, int me, contest_t *contest)
{
    char key[32];
    int i;

    for (i = 0; i < ending_sessions(); i++) {
        apr_snprintf(key, sizeof(key), "session-%d", i);
        meet(contest, i + 1);
        if (me == 0) {
            apr_status_t status;

            usleep(300);
            status = orp_store_remove(world->store, ORP_STORE_SESSION, key);
            if (status != APR_SUCCESS) {
                contest_lost(contest, "remove", i, status);
            }
        }
        else {
            touch_to_the_end(world, me, contest, key);
        }
    }
}

void what_is_removed_is_not_touched_back_to_life(void **state)
{
    world_t *world = *state;
    contest_t *contest = contest_create();
    apr_uint32_t touched = 0;
    int i;

    for (i = 0; i < ending_sessions(); i++) {
        assert_status(put(world, ORP_STORE_SESSION,
                          numbered(world, "session", i), "v"), APR_SUCCESS);
    }
    race(world, remove_or_touch, contest);
    for (i = 0; i < ending_sessions(); i++) {
        assert_string_equal(seen(world, ORP_STORE_SESSION,
                                 numbered(world, "session", i)), "(none)");
    }
    for (i = 0; i < PROCESSES; i++) {
        touched += contest->won_by[i];
    }
    assert_true(touched > 0);   /* some did come first */
    assert_live(world, ORP_STORE_SESSION, world->now, 0);
    contest_destroy(contest);
}
