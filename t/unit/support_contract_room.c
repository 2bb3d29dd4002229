/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* support_contract_room.c - the contract of a store that is full: it refuses,
 * drops nothing, and recovers. */

#include "support_contract.h"

#include <unistd.h>

#define FLOOD 2000

static int flood(void)
{
    return contract_times(FLOOD, 100);
}

/* Claim "n-0", "n-1", … until one is refused: how many are won. */
static int claim_until_full(world_t *world)
{
    apr_status_t status;
    int count = 0;

    while ((status = claim(world, numbered(world, "n", count)))
           == APR_SUCCESS) {
        assert_true(++count < 200000);
    }
    assert_status(status, ORP_EFULL);
    return count;
}

/* ---------------------------------------------------------------------- */
/* Every backend */

/* What is counted in bytes by a server, with its own needs in it, may have
 * room for another one or two now and then. But what has been won is won. */
void a_full_store_refuses_and_drops_nothing(void **state)
{
    world_t *world = *state;
    int count = claim_until_full(world), refused = 0, i;
    char won[FLOOD];

    assert_true(count > 500);
    for (i = 0; i < flood(); i++) {
        apr_status_t status = claim(world, numbered(world, "flood", i));

        won[i] = status == APR_SUCCESS;
        if (!won[i]) {
            assert_status(status, ORP_EFULL);
            refused++;
        }
    }
    assert_true(refused >= flood() - flood() / 20);
    for (i = 0; i < count; i += contract_times(1, 10)) {
        const char *key = numbered(world, "n", i);

        assert_string_equal(seen(world, ORP_STORE_NONCE, key), "");
        assert_int_not_equal(claim(world, key), APR_SUCCESS);
    }
    for (i = 0; i < flood(); i++) {
        assert_string_equal(seen(world, ORP_STORE_NONCE,
                                 numbered(world, "flood", i)),
                            won[i] ? "" : "(none)");
    }
}

void a_full_store_recovers_when_records_go(void **state)
{
    world_t *world = *state;
    int count = fill(world, ORP_STORE_SESSION, 300);
    const char *value = repeated("f", 300, world->pool);
    int again = 0, i;

    assert_true(count > 100);
    for (i = 0; i < count / 2; i++) {
        assert_status(orp_store_remove(world->store, ORP_STORE_SESSION,
                                       numbered(world, "fill", i)),
                      APR_SUCCESS);
    }
    while (again < count / 4) {
        assert_status(orp_store_put(world->store, ORP_STORE_SESSION,
                                    numbered(world, "back", again), value,
                                    300, world->later, world->now),
                      APR_SUCCESS);
        again++;
    }
    for (i = 0; i < again; i++) {
        assert_string_equal(seen(world, ORP_STORE_SESSION,
                                 numbered(world, "back", i)), value);
    }
    for (i = 0; i < count; i++) {
        assert_string_equal(seen(world, ORP_STORE_SESSION,
                                 numbered(world, "fill", i)),
                            i < count / 2 ? "(none)" : value);
    }
}

static apr_status_t put_large(world_t *world, const char *word, int number,
                              apr_time_t expires)
{
    const apr_size_t size = 10000;

    return orp_store_put(world->store, ORP_STORE_SESSION,
                         numbered(world, word, number),
                         pattern(world, size, 0), size, expires,
                         apr_time_now());
}

/* Real time: nothing is given back early (see above), and all of it in the
 * end. Large records, because the store has to be full before they end. */
void a_full_store_recovers_in_time(void **state)
{
    world_t *world = *state;
    apr_time_t ends = apr_time_now() + apr_time_from_sec(4);
    apr_time_t patience = ends + apr_time_from_sec(30);
    apr_status_t status;
    int count = 0, again = 0, early = 0;

    while ((status = put_large(world, "fill", count, ends)) == APR_SUCCESS) {
        count++;
    }
    assert_status(status, ORP_EFULL);
    assert_true(count > 10);
    while (again < count / 2) {
        status = put_large(world, "back", again, ends + HOUR);
        if (status == APR_SUCCESS) {
            early += apr_time_now() < ends;
            again++;
            continue;
        }
        assert_status(status, ORP_EFULL);
        assert_true(apr_time_now() < patience);
        usleep(100000);
    }
    assert_true(early <= (world->contract->has_rooms ? 0 : count / 20 + 2));
}

void a_full_store_still_gives_what_it_has(void **state)
{
    world_t *world = *state;
    int count = fill(world, ORP_STORE_SESSION, 300);
    const char *expected = repeated("f", 300, world->pool);
    const char *value;

    assert_true(count > 100);
    assert_string_equal(seen(world, ORP_STORE_SESSION, "fill-0"), expected);
    assert_status(orp_store_touch(world->store, ORP_STORE_SESSION, "fill-1",
                                  world->later + MINUTE, world->now),
                  APR_SUCCESS);
    assert_string_equal(
        seen_at(world, ORP_STORE_SESSION, "fill-1",
                world->contract->touch_needs_room ? world->now
                                                  : world->later), expected);
    assert_status(orp_store_take(&value, NULL, world->store,
                                 ORP_STORE_SESSION, "fill-2", world->now,
                                 world->pool), APR_SUCCESS);
    assert_string_equal(value, expected);
    assert_string_equal(seen(world, ORP_STORE_SESSION, "fill-2"), "(none)");
    assert_status(orp_store_remove(world->store, ORP_STORE_SESSION,
                                   "fill-3"), APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_SESSION, "fill-3"), "(none)");
}

void a_replacement_that_finds_no_room_leaves_the_old_value(void **state)
{
    world_t *world = *state;
    char *large = pattern(world, ORP_STORE_VALUE_MAX, 1);
    int count, i;

    assert_status(put(world, ORP_STORE_SESSION, "k", "old"), APR_SUCCESS);
    count = fill(world, ORP_STORE_SESSION, ORP_STORE_VALUE_MAX);
    assert_true(count > 4);
    assert_status(orp_store_put(world->store, ORP_STORE_SESSION, "k", large,
                                ORP_STORE_VALUE_MAX, world->later,
                                world->now), ORP_EFULL);
    assert_string_equal(seen(world, ORP_STORE_SESSION, "k"), "old");
    for (i = 0; i < 4; i++) {
        assert_status(orp_store_remove(world->store, ORP_STORE_SESSION,
                                       numbered(world, "fill", i)),
                      APR_SUCCESS);
    }
    assert_status(orp_store_put(world->store, ORP_STORE_SESSION, "k", large,
                                ORP_STORE_VALUE_MAX, world->later,
                                world->now), APR_SUCCESS);
}

/* ---------------------------------------------------------------------- */
/* Backends that give each kind its room */

void a_live_nonce_is_never_dropped_to_make_room(void **state)
{
    world_t *world = *state;
    int count = claim_until_full(world), i;

    assert_true(count > 500);
    for (i = 0; i < flood(); i++) {
        assert_status(claim(world, numbered(world, "flood", i)), ORP_EFULL);
    }
    for (i = 0; i < count; i++) {
        assert_status(claim(world, numbered(world, "n", i)), ORP_EEXISTS);
    }
    assert_live(world, ORP_STORE_NONCE, world->now, count);
    assert_int_equal(stats(world, ORP_STORE_NONCE, world->now).refused,
                     flood() + 1);
}

void a_full_kind_recovers_when_its_records_expire(void **state)
{
    world_t *world = *state;
    int count = fill(world, ORP_STORE_LOGIN, 300);
    int again = 0;

    while (orp_store_put(world->store, ORP_STORE_LOGIN,
                         numbered(world, "back", again),
                         pattern(world, 300, 0), 300, world->later + MINUTE,
                         world->later) == APR_SUCCESS) {
        again++;
    }
    assert_int_equal(again, count);
}

void one_expired_record_is_room_for_one(void **state)
{
    world_t *world = *state;
    apr_time_t soon = world->now + MINUTE, later = world->later;

    assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, "fill-x",
                                  soon, world->now), APR_SUCCESS);
    fill(world, ORP_STORE_NONCE, 0);
    assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, "x", later,
                                  soon - 1), ORP_EFULL);
    assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, "x", later,
                                  soon), APR_SUCCESS);
    assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, "y", later,
                                  soon), ORP_EFULL);
}

void a_flood_of_one_kind_leaves_the_others_their_room(void **state)
{
    world_t *world = *state;
    int kind;

    fill(world, ORP_STORE_LOGIN, 1000);
    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        if (kind != ORP_STORE_LOGIN) {
            assert_status(put(world, (orp_store_kind_e)kind, "k", "v"),
                          APR_SUCCESS);
        }
    }
}

void a_session_can_be_prolonged_when_all_is_full(void **state)
{
    world_t *world = *state;
    int count = fill(world, ORP_STORE_SESSION, 700);
    int i;

    for (i = 0; i < count; i++) {
        assert_status(orp_store_put(world->store, ORP_STORE_SESSION,
                                    numbered(world, "fill", i),
                                    pattern(world, 700, 1), 700,
                                    world->later + MINUTE, world->now),
                      APR_SUCCESS);
    }
    assert_status(orp_store_put(world->store, ORP_STORE_SESSION, "new",
                                pattern(world, 700, 1), 700, world->later,
                                world->now), ORP_EFULL);
    assert_live(world, ORP_STORE_SESSION, world->later, count);
}
