/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* support_contract_caller.c - the contract, as one caller sees it: records
 * come and go. */

#include "support_contract.h"

#include <unistd.h>

void what_was_put_can_be_read(void **state)
{
    world_t *world = *state;

    assert_string_equal(seen(world, ORP_STORE_LOGIN, "k"), "(none)");
    assert_status(put(world, ORP_STORE_LOGIN, "k", "v"), APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_LOGIN, "k"), "v");
    assert_string_equal(seen(world, ORP_STORE_LOGIN, "kk"), "(none)");
}

void the_last_put_counts(void **state)
{
    world_t *world = *state;

    assert_status(put(world, ORP_STORE_LOGIN, "k", "first"), APR_SUCCESS);
    assert_status(put(world, ORP_STORE_LOGIN, "k", "2nd"), APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_LOGIN, "k"), "2nd");
    assert_live(world, ORP_STORE_LOGIN, world->now, 1);
}

void what_was_removed_is_gone(void **state)
{
    world_t *world = *state;

    assert_status(put(world, ORP_STORE_SESSION, "a", "A"), APR_SUCCESS);
    assert_status(put(world, ORP_STORE_SESSION, "b", "B"), APR_SUCCESS);
    assert_status(orp_store_remove(world->store, ORP_STORE_SESSION, "a"),
                  APR_SUCCESS);
    assert_status(orp_store_remove(world->store, ORP_STORE_SESSION, "c"),
                  APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_SESSION, "a"), "(none)");
    assert_string_equal(seen(world, ORP_STORE_SESSION, "b"), "B");
    assert_live(world, ORP_STORE_SESSION, world->now, 1);
}

void what_was_taken_is_gone(void **state)
{
    world_t *world = *state;
    const char *value = NULL;
    apr_size_t size = 99;

    assert_status(put(world, ORP_STORE_LOGIN, "k", "value"), APR_SUCCESS);
    assert_status(orp_store_take(&value, &size, world->store,
                                 ORP_STORE_LOGIN, "k", world->now,
                                 world->pool), APR_SUCCESS);
    assert_string_equal(value, "value");
    assert_int_equal(size, 5);

    value = "untouched";
    assert_status(orp_store_take(&value, &size, world->store,
                                 ORP_STORE_LOGIN, "k", world->now,
                                 world->pool), ORP_ENOTFOUND);
    assert_string_equal(value, "untouched");
    assert_int_equal(size, 5);
    assert_string_equal(seen(world, ORP_STORE_LOGIN, "k"), "(none)");
}

/* ---------------------------------------------------------------------- */
/* Claims */

void a_claim_is_won_once(void **state)
{
    world_t *world = *state;

    assert_status(claim(world, "n"), APR_SUCCESS);
    assert_status(claim(world, "n"), ORP_EEXISTS);
    assert_status(claim(world, "m"), APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_NONCE, "n"), "");
}

void a_claim_loses_against_a_record_that_was_put(void **state)
{
    world_t *world = *state;

    assert_status(put(world, ORP_STORE_NONCE, "n", "v"), APR_SUCCESS);
    assert_status(claim(world, "n"), ORP_EEXISTS);
    assert_string_equal(seen(world, ORP_STORE_NONCE, "n"), "v");
}

void a_claim_is_free_again_after_a_removal(void **state)
{
    world_t *world = *state;
    const char *value;
    apr_size_t size;

    assert_status(claim(world, "n"), APR_SUCCESS);
    assert_status(orp_store_remove(world->store, ORP_STORE_NONCE, "n"),
                  APR_SUCCESS);
    assert_status(claim(world, "n"), APR_SUCCESS);
    assert_status(orp_store_take(&value, &size, world->store,
                                 ORP_STORE_NONCE, "n", world->now,
                                 world->pool), APR_SUCCESS);
    assert_int_equal(size, 0);
    assert_status(claim(world, "n"), APR_SUCCESS);
    assert_status(claim(world, "n"), ORP_EEXISTS);
}

void a_nonce_can_be_claimed_again_once_it_has_expired(void **state)
{
    world_t *world = *state;
    apr_time_t later = world->later;

    assert_status(claim(world, "n"), APR_SUCCESS);
    assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                  later + MINUTE, later - 1), ORP_EEXISTS);
    assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                  later + MINUTE, later), APR_SUCCESS);
    assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                  later + MINUTE, later + 1), ORP_EEXISTS);
}

/* The same without turning clocks. A server may let go a little later than
 * it must, never earlier. */
void a_nonce_can_be_claimed_again_in_real_time(void **state)
{
    world_t *world = *state;
    apr_time_t ends = apr_time_now() + apr_time_from_sec(1);
    apr_time_t patience = ends + apr_time_from_sec(20);
    apr_time_t now = apr_time_now();
    apr_status_t status;

    assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, "n", ends,
                                  now), APR_SUCCESS);
    do {
        usleep(20000);
        now = apr_time_now();
        status = orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                 now + HOUR, now);
    } while (status == ORP_EEXISTS && now < patience);
    assert_status(status, APR_SUCCESS);
    assert_true(now >= ends);
    assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                  now + HOUR, now), ORP_EEXISTS);
}

/* ---------------------------------------------------------------------- */
/* Time */

void a_record_lives_until_its_time_and_no_longer(void **state)
{
    world_t *world = *state;
    apr_time_t later = world->later;
    const char *value;

    assert_status(put(world, ORP_STORE_LOGIN, "k", "v"), APR_SUCCESS);
    assert_string_equal(seen_at(world, ORP_STORE_LOGIN, "k", later - 1), "v");
    assert_string_equal(seen_at(world, ORP_STORE_LOGIN, "k", later),
                        "(none)");
    assert_status(orp_store_take(&value, NULL, world->store, ORP_STORE_LOGIN,
                                 "k", later, world->pool), ORP_ENOTFOUND);
}

void a_record_may_live_for_years(void **state)
{
    world_t *world = *state;
    apr_time_t ends = world->now + 3 * 365 * 24 * HOUR;

    assert_status(put_until(world, ORP_STORE_SESSION, "s", "v", ends),
                  APR_SUCCESS);
    assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, "n", ends,
                                  world->now), APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_SESSION, "s"), "v");
    assert_string_equal(seen_at(world, ORP_STORE_SESSION, "s", ends - 1),
                        "v");
    assert_string_equal(seen_at(world, ORP_STORE_SESSION, "s", ends),
                        "(none)");
    assert_status(claim(world, "n"), ORP_EEXISTS);
}

void a_put_prolongs_a_record(void **state)
{
    world_t *world = *state;

    assert_status(put(world, ORP_STORE_SESSION, "s", "v"), APR_SUCCESS);
    assert_status(put_until(world, ORP_STORE_SESSION, "s", "v",
                            world->later + MINUTE), APR_SUCCESS);
    assert_string_equal(seen_at(world, ORP_STORE_SESSION, "s", world->later),
                        "v");
}

static apr_status_t touch(world_t *world, const char *key,
                          apr_time_t expires, apr_time_t now)
{
    return orp_store_touch(world->store, ORP_STORE_SESSION, key, expires,
                           now);
}

void a_touch_prolongs_or_shortens_a_record(void **state)
{
    world_t *world = *state;
    apr_time_t now = world->now, later = world->later;

    assert_status(put(world, ORP_STORE_SESSION, "s", "v"), APR_SUCCESS);
    assert_status(touch(world, "s", later + MINUTE, now), APR_SUCCESS);
    assert_string_equal(seen_at(world, ORP_STORE_SESSION, "s", later), "v");
    assert_status(touch(world, "s", now + MINUTE, now), APR_SUCCESS);
    assert_string_equal(seen_at(world, ORP_STORE_SESSION, "s",
                                now + MINUTE - 1), "v");
    assert_string_equal(seen_at(world, ORP_STORE_SESSION, "s",
                                now + MINUTE), "(none)");
}

void a_touch_leaves_the_value_as_it_is(void **state)
{
    world_t *world = *state;
    char *bytes = pattern(world, ORP_STORE_VALUE_MAX, 5);
    const char *value;
    apr_size_t size;

    assert_status(orp_store_put(world->store, ORP_STORE_SESSION, "s", bytes,
                                ORP_STORE_VALUE_MAX, world->later,
                                world->now), APR_SUCCESS);
    assert_status(touch(world, "s", world->later + MINUTE, world->now),
                  APR_SUCCESS);
    assert_status(orp_store_get(&value, &size, world->store,
                                ORP_STORE_SESSION, "s", world->later,
                                world->pool), APR_SUCCESS);
    assert_int_equal(size, ORP_STORE_VALUE_MAX);
    assert_memory_equal(value, bytes, size);
}

void a_touch_does_not_bring_back_what_is_gone(void **state)
{
    world_t *world = *state;
    apr_time_t later = world->later;

    assert_status(put(world, ORP_STORE_SESSION, "s", "v"), APR_SUCCESS);
    assert_status(touch(world, "s", later + MINUTE, later), ORP_ENOTFOUND);
    assert_status(orp_store_remove(world->store, ORP_STORE_SESSION, "s"),
                  APR_SUCCESS);
    assert_status(touch(world, "s", later, world->now), ORP_ENOTFOUND);
    assert_string_equal(seen(world, ORP_STORE_SESSION, "s"), "(none)");
}

/* Expiry is what room is reclaimed by: after many touches, exactly those
 * whose time has passed make room. */
void touched_records_expire_in_their_new_order(void **state)
{
    world_t *world = *state;
    apr_time_t now = world->now;
    int i;

    for (i = 0; i < 500; i++) {
        const char *key = numbered(world, "s", i);

        assert_status(put(world, ORP_STORE_SESSION, key, "v"), APR_SUCCESS);
        assert_status(touch(world, key,
                            now + (1 + (i * 7919) % 500) * MINUTE, now),
                      APR_SUCCESS);
    }
    for (i = 0; i <= 500; i += 50) {
        assert_live(world, ORP_STORE_SESSION, now + i * MINUTE, 500 - i);
    }
}

void a_sweep_gives_back_what_has_expired_and_no_more(void **state)
{
    world_t *world = *state;
    apr_time_t now = world->now, then = now + MINUTE + 600;
    int i;

    for (i = 0; i < 600; i++) {
        assert_status(orp_store_claim(world->store, ORP_STORE_NONCE,
                                      numbered(world, "n", i),
                                      now + (i % 2 ? 20 : 1) * MINUTE + i,
                                      now), APR_SUCCESS);
    }
    assert_status(orp_store_sweep(world->store, then), APR_SUCCESS);
    if (world->contract->has_rooms) {   /* else a server does it, some time */
        assert_live(world, ORP_STORE_NONCE, now, 300);
    }
    for (i = 0; i < 600; i++) {
        assert_status(orp_store_claim(world->store, ORP_STORE_NONCE,
                                      numbered(world, "n", i), then + HOUR,
                                      then),
                      i % 2 ? ORP_EEXISTS : APR_SUCCESS);
    }
}

/* ---------------------------------------------------------------------- */
/* Kinds */

void each_kind_is_a_world_of_its_own(void **state)
{
    world_t *world = *state;
    int kind, other;

    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        const char *name = orp_store_kind_name((orp_store_kind_e)kind);

        assert_status(put(world, (orp_store_kind_e)kind, "k", name),
                      APR_SUCCESS);
        for (other = kind + 1; other < ORP_STORE_KINDS; other++) {
            assert_string_equal(seen(world, (orp_store_kind_e)other, "k"),
                                "(none)");
        }
    }
    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        assert_string_equal(seen(world, (orp_store_kind_e)kind, "k"),
                            orp_store_kind_name((orp_store_kind_e)kind));
    }
}

/* Every operation, on one kind after the other. */
void what_goes_from_one_kind_stays_in_the_others(void **state)
{
    world_t *world = *state;
    const char *value;
    int kind, other;

    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        assert_status(orp_store_claim(world->store, (orp_store_kind_e)kind,
                                      "k", world->later, world->now),
                      APR_SUCCESS);
    }
    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        if (kind % 2) {
            assert_status(orp_store_remove(world->store,
                                           (orp_store_kind_e)kind, "k"),
                          APR_SUCCESS);
        }
        else {
            assert_status(orp_store_take(&value, NULL, world->store,
                                         (orp_store_kind_e)kind, "k",
                                         world->now, world->pool),
                          APR_SUCCESS);
        }
        for (other = 0; other < ORP_STORE_KINDS; other++) {
            assert_string_equal(seen(world, (orp_store_kind_e)other, "k"),
                                other > kind ? "" : "(none)");
            assert_status(orp_store_touch(world->store,
                                          (orp_store_kind_e)other, "k",
                                          world->later, world->now),
                          other > kind ? APR_SUCCESS : ORP_ENOTFOUND);
        }
    }
}

void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(orp_store_kind_name(ORP_STORE_LOGIN), "login");
    assert_string_equal(orp_store_kind_name(ORP_STORE_CACHE), "cache");
    assert_string_equal(orp_store_kind_name(ORP_STORE_KINDS), "unknown");
}

void the_shares_of_all_kinds_are_all_there_is(void **state)
{
    int kind, sum = 0;

    (void)state;
    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        assert_true(orp_store_share((orp_store_kind_e)kind) > 0);
        sum += orp_store_share((orp_store_kind_e)kind);
    }
    assert_int_equal(sum, 100);
    assert_int_equal(orp_store_share(ORP_STORE_KINDS), 0);
}
