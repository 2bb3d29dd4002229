/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* support_contract_what.c - the contract, as one caller sees it: keys and
 * values, their ceilings, and what a store tells of what is in it. */

#include "support_contract.h"

void values_of_all_sizes_and_bytes_come_back(void **state)
{
    static const apr_size_t sizes[] = {
        0, 1, 2, 214, 215, 216, 217, 255, 256, 257, 462, 463, 464, 465,
        470, 471, 472, 474, 475, 976, 977, 978, 979, 1000, 1007,
        1008, 1009, 4096, 10000, ORP_STORE_VALUE_MAX - 1, ORP_STORE_VALUE_MAX
    };
    world_t *world = *state;
    apr_size_t i;

    for (i = 0; i < COUNT(sizes); i++) {
        char *bytes = pattern(world, sizes[i], (unsigned int)i);
        const char *value;
        apr_size_t size;

        assert_status(orp_store_put(world->store, ORP_STORE_SESSION, "k",
                                    bytes, sizes[i], world->later,
                                    world->now), APR_SUCCESS);
        assert_status(orp_store_get(&value, &size, world->store,
                                    ORP_STORE_SESSION, "k", world->now,
                                    world->pool), APR_SUCCESS);
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(value, bytes, size);
        assert_int_equal(value[size], '\0');
        assert_status(orp_store_take(&value, &size, world->store,
                                     ORP_STORE_SESSION, "k", world->now,
                                     world->pool), APR_SUCCESS);
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(value, bytes, size);
        assert_int_equal(value[size], '\0');
    }
}

void keys_may_hold_any_bytes(void **state)
{
    static const char *const keys[] = {
        "a", "A", " a", "a ", "a b", "a\r\nb", "a\tb", "a:b", "a*", "a?",
        "[a]", "a%20b", "%s%n", "\"a\"", "'a'", "\\a", "\x01", "\x7f",
        "\xff\xfe", "\xc3\xa4", "a\xcc\x88", "{a}", "https://op.example/?a=b"
    };
    world_t *world = *state;
    apr_size_t i;

    for (i = 0; i < COUNT(keys); i++) {
        assert_string_equal(seen(world, ORP_STORE_LOGIN, keys[i]), "(none)");
        assert_status(put(world, ORP_STORE_LOGIN, keys[i], keys[i]),
                      APR_SUCCESS);
        assert_status(claim(world, keys[i]), APR_SUCCESS);
    }
    for (i = 0; i < COUNT(keys); i++) {
        assert_string_equal(seen(world, ORP_STORE_LOGIN, keys[i]), keys[i]);
        assert_status(claim(world, keys[i]), ORP_EEXISTS);
    }
}

void long_keys_are_told_apart_by_their_last_byte(void **state)
{
    world_t *world = *state;
    char key[ORP_STORE_KEY_MAX + 1], other[ORP_STORE_KEY_MAX + 1];

    memset(key, 'k', ORP_STORE_KEY_MAX);
    key[ORP_STORE_KEY_MAX] = '\0';
    memcpy(other, key, sizeof(key));
    other[ORP_STORE_KEY_MAX - 1] = 'x';

    assert_status(put(world, ORP_STORE_LOGIN, key, "v"), APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_LOGIN, key), "v");
    assert_string_equal(seen(world, ORP_STORE_LOGIN, other), "(none)");
    assert_status(put(world, ORP_STORE_LOGIN, other, "w"), APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_LOGIN, key), "v");
    assert_string_equal(seen(world, ORP_STORE_LOGIN, other), "w");
}

void what_is_over_a_ceiling_is_too_big(void **state)
{
    world_t *world = *state;
    char *value = pattern(world, ORP_STORE_VALUE_MAX + 1, 0);
    char key[ORP_STORE_KEY_MAX + 2];

    assert_status(put(world, ORP_STORE_SESSION, "k", "old"), APR_SUCCESS);
    assert_status(orp_store_put(world->store, ORP_STORE_SESSION, "k", value,
                                ORP_STORE_VALUE_MAX + 1, world->later,
                                world->now), ORP_ETOOBIG);
    assert_string_equal(seen(world, ORP_STORE_SESSION, "k"), "old");

    memset(key, 'k', sizeof(key));
    key[ORP_STORE_KEY_MAX + 1] = '\0';
    assert_status(put(world, ORP_STORE_SESSION, key, "v"), ORP_ETOOBIG);
    assert_status(claim(world, key), ORP_ETOOBIG);
    assert_string_equal(seen(world, ORP_STORE_SESSION, key), "(none)");
    key[ORP_STORE_KEY_MAX] = '\0';
    assert_status(claim(world, key), APR_SUCCESS);
    assert_status(orp_store_put(world->store, ORP_STORE_SESSION, key, value,
                                ORP_STORE_VALUE_MAX, world->later,
                                world->now), APR_SUCCESS);
}

void what_makes_no_sense_is_refused(void **state)
{
    world_t *world = *state;
    const char *value = "untouched";

    assert_status(put(world, ORP_STORE_LOGIN, "", "v"), APR_EINVAL);
    assert_status(claim(world, ""), APR_EINVAL);
    assert_string_equal(seen(world, ORP_STORE_LOGIN, ""), "(none)");
    assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                  world->now, world->now), APR_EINVAL);
    assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                  world->now + 1, world->now), APR_SUCCESS);
    assert_status(orp_store_get(&value, NULL, world->store, ORP_STORE_KINDS,
                                "k", world->now, world->pool), APR_EINVAL);
    assert_string_equal(value, "untouched");
    assert_status(orp_store_put(world->store, ORP_STORE_LOGIN, "k", NULL, 0,
                                world->later, world->now), APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_LOGIN, "k"), "");
}

/* ---------------------------------------------------------------------- */
/* Lists and numbers */

#define SHOWN 300

typedef struct visits_t {
    world_t *world;
    int stop_after;             /* 0: never */
    int count;
    int shown[SHOWN];           /* how often each key was */
} visits_t;

static const char *session_key(world_t *world, int number)
{
    return apr_psprintf(world->pool, "s %d \xff:*", number);
}

static apr_time_t session_end(world_t *world, int number)
{
    return world->now + (number % 3 == 0 ? 1 : 60) * MINUTE + number;
}

static int visit(void *baton, const char *key, apr_size_t size,
                 apr_time_t expires)
{
    visits_t *visits = baton;
    apr_int64_t number = strncmp(key, "s ", 2) == 0 ? apr_atoi64(key + 2)
        : -1;

    visits->count++;
    if (number < 0 || number >= SHOWN
        || strcmp(key, session_key(visits->world, (int)number)) != 0) {
        fail_msg("shown: \"%s\"", key);
    }
    visits->shown[number]++;
    assert_int_equal(size, number);
    /* a server may know its own time better, not to the microsecond */
    assert_in_range(expires - session_end(visits->world, (int)number)
                    + apr_time_from_sec(5), 0, apr_time_from_sec(10));
    return visits->count != visits->stop_after;
}

static void put_sessions(world_t *world)
{
    int i;

    for (i = 0; i < SHOWN; i++) {
        assert_status(orp_store_put(world->store, ORP_STORE_SESSION,
                                    session_key(world, i),
                                    pattern(world, (apr_size_t)i, 0),
                                    (apr_size_t)i, session_end(world, i),
                                    world->now), APR_SUCCESS);
    }
    assert_status(claim(world, "s 1"), APR_SUCCESS);
    assert_status(put(world, ORP_STORE_LOGIN, "s 2", "v"), APR_SUCCESS);
    assert_status(orp_store_remove(world->store, ORP_STORE_SESSION,
                                   session_key(world, 1)), APR_SUCCESS);
}

void each_shows_exactly_what_lives(void **state)
{
    world_t *world = *state;
    visits_t visits = { .world = world };
    apr_status_t status;
    int i;

    put_sessions(world);
    status = orp_store_each(world->store, ORP_STORE_SESSION,
                            world->now + 2 * MINUTE, visit, &visits,
                            world->pool);
    if (world->contract->cannot_list) {
        assert_status(status, APR_ENOTIMPL);
        assert_int_equal(visits.count, 0);
        return;
    }
    assert_status(status, APR_SUCCESS);
    for (i = 0; i < SHOWN; i++) {
        assert_int_equal(visits.shown[i], i % 3 == 0 || i == 1 ? 0 : 1);
    }
    memset(&visits, 0, sizeof(visits));
    visits.world = world;
    assert_status(orp_store_each(world->store, ORP_STORE_QUEUE, world->now,
                                 visit, &visits, world->pool), APR_SUCCESS);
    assert_int_equal(visits.count, 0);
}

void each_stops_when_it_is_told_to(void **state)
{
    world_t *world = *state;
    visits_t visits = { .world = world, .stop_after = 7 };
    apr_status_t status;

    put_sessions(world);
    status = orp_store_each(world->store, ORP_STORE_SESSION, world->now,
                            visit, &visits, world->pool);
    assert_status(status, world->contract->cannot_list ? APR_ENOTIMPL
                                                       : APR_SUCCESS);
    assert_int_equal(visits.count, world->contract->cannot_list ? 0 : 7);
    /* the store goes on */
    assert_status(put(world, ORP_STORE_SESSION, "k", "v"), APR_SUCCESS);
    assert_string_equal(seen(world, ORP_STORE_SESSION, "k"), "v");
}

void statistics_count_what_lives(void **state)
{
    world_t *world = *state;
    apr_time_t now = world->now;
    orp_store_stats_t before = stats(world, ORP_STORE_LOGIN, now);
    orp_store_stats_t after;

    assert_int_equal(before.live, 0);
    assert_status(put(world, ORP_STORE_LOGIN, "a", "v"), APR_SUCCESS);
    assert_status(put(world, ORP_STORE_LOGIN, "b", "w"), APR_SUCCESS);
    assert_status(put_until(world, ORP_STORE_LOGIN, "brief", "v",
                            now + MINUTE), APR_SUCCESS);

    after = stats(world, ORP_STORE_LOGIN, now);
    assert_int_equal(after.live, 3);
    assert_true(after.room == 0 || after.used <= after.room);
    if (world->contract->has_rooms) {
        assert_int_equal(before.used, 0);
        assert_int_equal(before.refused, 0);
        assert_true(after.used > 0);
    }
    assert_live(world, ORP_STORE_LOGIN, now + MINUTE, 2);
    assert_live(world, ORP_STORE_SESSION, now, 0);
    assert_live(world, ORP_STORE_LOGIN, world->later, 0);
}
