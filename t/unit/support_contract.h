/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* support_contract.h - the promises of orp_store.h, as tests for every
 * backend.
 *
 * A backend has a program, test_contract_NAME.c, which says how its stores are
 * made, and lists the groups of tests below that it takes. What it is excused
 * from is the groups that it does not list, and its flags; each with a reason.
 * What is special to a backend (layout, damage, outages) is tested beside it.
 *
 *     static const contract_t shm = { "shm", create, join, … };
 *
 *     const struct CMUnitTest tests[] = {
 *         CONTRACT_ONE_CALLER(shm),
 *         CONTRACT_ROOMS(shm),
 *         …
 *     };
 *
 * Every test has a store of its own, empty at first. Time is an argument of
 * all functions of a store, so the tests turn the clock by passing another.
 * It begins at the real time, because some servers have clocks of their own.
 */
#ifndef ORP_TEST_SUPPORT_CONTRACT_H
#define ORP_TEST_SUPPORT_CONTRACT_H

#include "support.h"

#include "orp_store_open.h"

#define MINUTE apr_time_from_sec(60)
#define HOUR apr_time_from_sec(3600)

/** How many processes there are in a race. */
#define PROCESSES 8

typedef enum {
    WORLD_ORDINARY,             /* room for some thousands of records */
    WORLD_TIGHT,                /* full after some thousands of records */
    WORLD_LARGE                 /* room for contract_keys() records */
} world_scale_e;

typedef struct world_t world_t;

typedef struct contract_t {
    const char *name;

    /** Make what the store stands on (a server, a folder, memory), and open
     * the store for this process: world->store. */
    void (*create)(world_t *world, world_scale_e scale);

    /** After a fork: make world->store one that this process can use. */
    void (*join)(world_t *world);

    int cannot_count;           /* live and used are ORP_STORE_UNKNOWN */
    int cannot_list;            /* orp_store_each() is APR_ENOTIMPL */
    int touch_needs_room;       /* in a full store a touch leaves the time as
                                 * it was */
    int has_rooms;              /* each kind has room of its own, in which
                                 * its records are counted exactly */
} contract_t;

struct world_t {
    const contract_t *contract;
    apr_pool_t *pool;
    orp_store_t *store;
    orp_env_t env;              /* its log goes to stderr, from warnings on */
    orp_store_place_t place;    /* prepared: type, size 0, prefix, timeout */
    apr_time_t now;             /* when the world was made */
    apr_time_t later;           /* 10 minutes after: when most records end */
    void *own;                  /* of create() and join() */
};

/** For create() and join(): open world->place. */
void contract_open(world_t *world, orp_store_open_fn *open);

/** For create(): world->place is one server on this machine. */
void contract_place_server(world_t *world, orp_place_e type, int port);

/** Set alarm clocks, for this process; call it first in main(). */
void contract_begin(void);

/** How many keys there are in a race: 100,000, or less under valgrind and
 * sanitizers. A multiple of 100. */
int contract_keys(void);

/** less under valgrind, else full. */
int contract_times(int full, int less);

/* Around each test; *state is its contract_t at first, then its world_t. */
int contract_setup(void **state);
int contract_setup_tight(void **state);
int contract_setup_large(void **state);
int contract_teardown(void **state);

/* ---------------------------------------------------------------------- */
/* For the tests */

/** Put a text that lives until world->later. */
apr_status_t put(world_t *world, orp_store_kind_e kind, const char *key,
                 const char *value);

/** Put a text that lives until a time. */
apr_status_t put_until(world_t *world, orp_store_kind_e kind,
                       const char *key, const char *value,
                       apr_time_t expires);

/** Claim a nonce until world->later. */
apr_status_t claim(world_t *world, const char *key);

/** What is stored there now, or "(none)". */
const char *seen(world_t *world, orp_store_kind_e kind, const char *key);

/** What is stored there at that time, or "(none)". */
const char *seen_at(world_t *world, orp_store_kind_e kind, const char *key,
                    apr_time_t now);

orp_store_stats_t stats(world_t *world, orp_store_kind_e kind,
                        apr_time_t now);

/** That many records are live, or the backend cannot count. */
#define assert_live(world, kind, now, count) \
    assert_live_at((world), (kind), (now), (count), __FILE__, __LINE__)

void assert_live_at(world_t *world, orp_store_kind_e kind, apr_time_t now,
                    int count, const char *file, int line);

/** "word-number" */
const char *numbered(world_t *world, const char *word, int number);

/** Bytes of all values, which differ from one stamp to the next. */
char *pattern(world_t *world, apr_size_t size, unsigned int stamp);

/** Put records "fill-0", … of this size, all "f", until one is refused.
 * @return how many there are */
int fill(world_t *world, orp_store_kind_e kind, apr_size_t size);

/* ---------------------------------------------------------------------- */
/* Many processes; all begin at once */

/** Memory of all processes: who has won which key. */
typedef struct contest_t {
    apr_uint32_t arrived;       /* at the blocks of keys, in all */
    apr_uint32_t broken;        /* somebody has failed */
    apr_uint32_t won_by[PROCESSES];
    apr_uint32_t wins[];        /* of each key */
} contest_t;

typedef void contestant_fn(world_t *world, int me, contest_t *contest);

contest_t *contest_create(void);
void contest_destroy(contest_t *contest);

/** In a child: say what went wrong, and end. */
void contest_lost(contest_t *contest, const char *what, int number,
                  apr_status_t status) __attribute__((noreturn));

/** Run it in PROCESSES children, and wait until all have ended well. */
void race(world_t *world, contestant_fn *contestant, contest_t *contest);

/** After a fork: an alarm clock of its own, and the store. */
void become_a_child(world_t *world);

/* ---------------------------------------------------------------------- */
/* The tests, in groups */

#define contract_test(f, contract) \
    cmocka_unit_test_prestate_setup_teardown( \
        f, contract_setup, contract_teardown, (void *)&(contract))
#define contract_test_tight(f, contract) \
    cmocka_unit_test_prestate_setup_teardown( \
        f, contract_setup_tight, contract_teardown, (void *)&(contract))
#define contract_test_large(f, contract) \
    cmocka_unit_test_prestate_setup_teardown( \
        f, contract_setup_large, contract_teardown, (void *)&(contract))

/** One caller: for every backend. */
#define CONTRACT_ONE_CALLER(c) \
    contract_test(what_was_put_can_be_read, c), \
    contract_test(the_last_put_counts, c), \
    contract_test(what_was_removed_is_gone, c), \
    contract_test(what_was_taken_is_gone, c), \
    contract_test(a_claim_is_won_once, c), \
    contract_test(a_claim_loses_against_a_record_that_was_put, c), \
    contract_test(a_claim_is_free_again_after_a_removal, c), \
    contract_test(a_record_lives_until_its_time_and_no_longer, c), \
    contract_test(a_record_may_live_for_years, c), \
    contract_test(a_put_prolongs_a_record, c), \
    contract_test(a_touch_prolongs_or_shortens_a_record, c), \
    contract_test(a_touch_leaves_the_value_as_it_is, c), \
    contract_test(a_touch_does_not_bring_back_what_is_gone, c), \
    contract_test(each_kind_is_a_world_of_its_own, c), \
    contract_test(what_goes_from_one_kind_stays_in_the_others, c), \
    contract_test(values_of_all_sizes_and_bytes_come_back, c), \
    contract_test(keys_may_hold_any_bytes, c), \
    contract_test(long_keys_are_told_apart_by_their_last_byte, c), \
    contract_test(what_is_over_a_ceiling_is_too_big, c), \
    contract_test(what_makes_no_sense_is_refused, c), \
    contract_test(each_shows_exactly_what_lives, c), \
    contract_test(each_stops_when_it_is_told_to, c), \
    contract_test(a_nonce_can_be_claimed_again_in_real_time, c)

void what_was_put_can_be_read(void **state);
void the_last_put_counts(void **state);
void what_was_removed_is_gone(void **state);
void what_was_taken_is_gone(void **state);
void a_claim_is_won_once(void **state);
void a_claim_loses_against_a_record_that_was_put(void **state);
void a_claim_is_free_again_after_a_removal(void **state);
void a_record_lives_until_its_time_and_no_longer(void **state);
void a_record_may_live_for_years(void **state);
void a_put_prolongs_a_record(void **state);
void a_touch_prolongs_or_shortens_a_record(void **state);
void a_touch_leaves_the_value_as_it_is(void **state);
void a_touch_does_not_bring_back_what_is_gone(void **state);
void each_kind_is_a_world_of_its_own(void **state);
void what_goes_from_one_kind_stays_in_the_others(void **state);
void values_of_all_sizes_and_bytes_come_back(void **state);
void keys_may_hold_any_bytes(void **state);
void long_keys_are_told_apart_by_their_last_byte(void **state);
void what_is_over_a_ceiling_is_too_big(void **state);
void what_makes_no_sense_is_refused(void **state);
void each_shows_exactly_what_lives(void **state);
void each_stops_when_it_is_told_to(void **state);
void a_nonce_can_be_claimed_again_in_real_time(void **state);

/** Claims go by the caller's clock, not by one of the server. */
#define CONTRACT_CLOCK(c) \
    contract_test(a_nonce_can_be_claimed_again_once_it_has_expired, c), \
    contract_test(a_sweep_gives_back_what_has_expired_and_no_more, c), \
    contract_test_large(of_all_processes_one_wins_what_has_expired, c)

void a_nonce_can_be_claimed_again_once_it_has_expired(void **state);
void a_sweep_gives_back_what_has_expired_and_no_more(void **state);
void of_all_processes_one_wins_what_has_expired(void **state);

/** The backend can count its records. */
#define CONTRACT_COUNTS(c) \
    contract_test(statistics_count_what_lives, c), \
    contract_test(touched_records_expire_in_their_new_order, c)

void statistics_count_what_lives(void **state);
void touched_records_expire_in_their_new_order(void **state);

/** Each kind has a room of its own, and records are counted exactly. */
#define CONTRACT_ROOMS(c) \
    contract_test_tight(a_live_nonce_is_never_dropped_to_make_room, c), \
    contract_test_tight(a_full_kind_recovers_when_its_records_expire, c), \
    contract_test_tight(one_expired_record_is_room_for_one, c), \
    contract_test_tight(a_flood_of_one_kind_leaves_the_others_their_room, \
                        c), \
    contract_test_tight(a_session_can_be_prolonged_when_all_is_full, c)

void a_live_nonce_is_never_dropped_to_make_room(void **state);
void a_full_kind_recovers_when_its_records_expire(void **state);
void one_expired_record_is_room_for_one(void **state);
void a_flood_of_one_kind_leaves_the_others_their_room(void **state);
void a_session_can_be_prolonged_when_all_is_full(void **state);

/** A store that is full: for every backend. */
#define CONTRACT_FULL(c) \
    contract_test_tight(a_full_store_refuses_and_drops_nothing, c), \
    contract_test_tight(a_full_store_recovers_when_records_go, c), \
    contract_test_tight(a_full_store_recovers_in_time, c), \
    contract_test_tight(a_full_store_still_gives_what_it_has, c), \
    contract_test_tight( \
        a_replacement_that_finds_no_room_leaves_the_old_value, c)

void a_full_store_refuses_and_drops_nothing(void **state);
void a_full_store_recovers_when_records_go(void **state);
void a_full_store_recovers_in_time(void **state);
void a_full_store_still_gives_what_it_has(void **state);
void a_replacement_that_finds_no_room_leaves_the_old_value(void **state);

/** Many processes, some of them killed: for every backend. */
#define CONTRACT_PROCESSES(c) \
    contract_test_large(of_all_processes_one_wins_a_claim, c), \
    contract_test_large(of_all_processes_one_takes_a_record, c), \
    contract_test(readers_see_whole_values_while_others_write, c), \
    contract_test(what_is_removed_is_not_touched_back_to_life, c), \
    contract_test(a_killed_process_leaves_a_usable_store, c)

void of_all_processes_one_wins_a_claim(void **state);
void of_all_processes_one_takes_a_record(void **state);
void readers_see_whole_values_while_others_write(void **state);
void what_is_removed_is_not_touched_back_to_life(void **state);
void a_killed_process_leaves_a_usable_store(void **state);

/** What needs no backend: in one program only. */
#define CONTRACT_NAMES \
    cmocka_unit_test(kinds_have_names), \
    cmocka_unit_test(the_shares_of_all_kinds_are_all_there_is)

void kinds_have_names(void **state);
void the_shares_of_all_kinds_are_all_there_is(void **state);

#endif
