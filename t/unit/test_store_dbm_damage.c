/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_store_dbm_damage.c - a dbm store whose files are damaged, whose writes
 * were cut off, or whose disk is full or read-only. */

#include "support_dbm.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* So many that sdbm has split its pages. */
#define MANY 200

static const char *const copies[][2] = {
    { "a.pag", "a.dir" }, { "b.pag", "b.dir" }
};

static int logged(const dbm_world_t *world, int number)
{
    return scene_logged(world->scene, number);
}

/* That something was damaged was said once, and it is usable again. */
static void assert_healed(dbm_world_t *world, const char *because)
{
    if (!scene_log_contains(world->scene, because)) {
        fail_msg("the log does not say: %s", because);
    }
    assert_int_equal(logged(world, 301), 0);
    assert_status(dbm_put(world, "after", "a"), APR_SUCCESS);
    assert_string_equal(dbm_seen(world, "after"), "a");
    assert_status(dbm_check(world, NULL), APR_SUCCESS);
}

static void assert_nothing_lost(dbm_world_t *world, const char *because)
{
    dbm_assert_many(world, MANY);
    assert_healed(world, because);
    dbm_assert_many(world, MANY);
    assert_int_equal(logged(world, 303), 1);
    assert_int_equal(logged(world, 304), 0);
}

static void assert_begun_empty(dbm_world_t *world, const char *because)
{
    int i;

    for (i = 0; i < MANY; i++) {
        assert_string_equal(dbm_seen(world, apr_psprintf(
            world->pool, "session-%d", i)), "(none)");
    }
    assert_healed(world, because);
    assert_int_equal(logged(world, 304), 1);
    assert_int_equal(logged(world, 303), 0);
}

static void cut(dbm_world_t *world, const char *ending, off_t by)
{
    struct stat info;

    assert_int_equal(stat(dbm_file(world, ending), &info), 0);
    assert_true(info.st_size > by);
    assert_int_equal(truncate(dbm_file(world, ending), info.st_size - by),
                     0);
}

static dbm_world_t *filled(dbm_world_t *world)
{
    dbm_world_t *other = dbm_elsewhere(world);

    world->scene->log->nelts = 0;
    dbm_reopen(other);
    dbm_put_many(other, MANY);
    return other;
}

/* ---------------------------------------------------------------------- */
/* One copy */

static void a_copy_that_was_cut_off_is_replaced(void **state)
{
    static const off_t amounts[] = { 1, 1024, 2048 };
    apr_size_t copy, file, i;

    for (copy = 0; copy < 2; copy++) {
        for (file = 0; file < 2; file++) {
            for (i = 0; i < COUNT(amounts); i++) {
                dbm_world_t *world = filled(*state);

                cut(world, copies[copy][file], amounts[i]);
                assert_nothing_lost(world, "the size that it should");
                assert_int_equal(dbm_files_named(world, "damaged"), 2);
                dbm_close(world);
            }
        }
    }
}

static void a_copy_that_is_missing_is_replaced(void **state)
{
    apr_size_t copy, file;

    for (copy = 0; copy < 2; copy++) {
        for (file = 0; file < 2; file++) {
            dbm_world_t *world = filled(*state);

            assert_int_equal(unlink(dbm_file(world, copies[copy][file])), 0);
            assert_nothing_lost(world, "a file is missing");
            assert_int_equal(dbm_files_named(world, "damaged"), 1);
            dbm_close(world);
        }
    }
}

static void a_copy_that_somebody_changed_is_replaced(void **state)
{
    static char garbage[5000];
    apr_size_t copy, file;

    memset(garbage, 0xa5, sizeof(garbage));
    for (copy = 0; copy < 2; copy++) {
        for (file = 0; file < 2; file++) {
            dbm_world_t *world = filled(*state);

            dbm_scribble(world, copies[copy][file], 100, garbage,
                         file ? 500 : sizeof(garbage));
            assert_nothing_lost(world, "changed by somebody else");
            assert_int_equal(dbm_files_named(world, "damaged"), 2);
            dbm_close(world);
        }
    }
}

static void a_link_in_the_place_of_a_copy_is_not_followed(void **state)
{
    dbm_world_t *world = filled(*state), *other = dbm_elsewhere(world);
    struct stat info;

    assert_int_equal(rename(dbm_file(world, "a.pag"),
                            dbm_file(other, "a.pag")), 0);
    assert_int_equal(symlink(dbm_file(other, "a.pag"),
                             dbm_file(world, "a.pag")), 0);
    assert_nothing_lost(world, "should be a file is none");
    assert_int_equal(lstat(dbm_file(world, "a.pag"), &info), 0);
    assert_true(S_ISREG(info.st_mode));
    dbm_close(world);
}

/* Bits that turn on a disk change no times. */
static void a_value_with_a_wrong_bit_is_never_returned(void **state)
{
    static const char *const parts[] = { "session-77", "sion-77", "77" };
    apr_size_t i;

    for (i = 0; i < COUNT(parts); i++) {
        dbm_world_t *world = filled(*state);
        off_t at = dbm_find(world, "a.pag", "session-77session-77");
        const char *part = strstr("session-77", parts[i]);

        at += 20 - (off_t)strlen(part);
        dbm_scribble_unseen(world, "a.pag", at, "S", 1);
        assert_string_equal(dbm_seen(world, "session-77"), "session-77");
        assert_nothing_lost(world, "a checksum is wrong");
        dbm_close(world);
    }
}

static apr_status_t checked(dbm_world_t *world)
{
    return orp_store_dbm_check(&world->place, &world->scene->env,
                               orp_reason_create(world->pool), world->pool);
}

static void let_bits_turn(dbm_world_t *world, int copy)
{
    const char *ending = copies[copy][0];

    dbm_scribble_unseen(world, ending,
                        dbm_find(world, ending, "session-77session-77"), "S",
                        1);
}

/* That takes a while, and everybody waits for it. */
static void a_check_reads_all_only_where_it_has_a_reason(void **state)
{
    int copy;

    for (copy = 0; copy < 2; copy++) {
        dbm_world_t *world = filled(*state);

        let_bits_turn(world, copy);
        assert_status(checked(world), APR_SUCCESS);
        assert_int_equal(world->scene->log->nelts, 0);
        dbm_assert_many(world, MANY);   /* it is found when it is read */
        assert_int_equal(logged(world, 303), copy == 0);
        dbm_close(world);
    }
}

static void a_wrong_bit_is_found_by_the_check_of_a_torn_store(void **state)
{
    dbm_world_t *world = filled(*state);

    let_bits_turn(world, 0);
    dbm_mark_dirty(world, ORP_DBM_IN_B);
    assert_status(checked(world), APR_SUCCESS);
    assert_begun_empty(world, "a checksum is wrong");
    dbm_close(world);
}

static void a_record_that_vanished_is_found_by_the_check(void **state)
{
    static const char zeros[1024];
    dbm_world_t *world = filled(*state);
    off_t at = dbm_find(world, "a.pag", "session-77session-77");

    dbm_scribble_unseen(world, "a.pag", at - at % 1024, zeros,
                        sizeof(zeros));
    assert_string_equal(dbm_seen(world, "session-77"), "(none)");
    dbm_scribble(world, "b.dir", 0, "", 0);     /* a reason */
    assert_status(checked(world), APR_SUCCESS);
    assert_true(scene_log_contains(world->scene, "not all records"));
    dbm_close(world);
}

static void a_large_value_lacks_no_piece(void **state)
{
    static const char zeros[1024];
    dbm_world_t *world = filled(*state);
    const char *value = apr_pstrcat(world->pool,
                                    repeated("v", 20000, world->pool),
                                    "the end", NULL);
    off_t at;

    assert_status(dbm_put(world, "large", value), APR_SUCCESS);
    at = dbm_find(world, "a.pag", "the end");
    dbm_scribble_unseen(world, "a.pag", at - at % 1024, zeros,
                        sizeof(zeros));
    assert_string_equal(dbm_seen(world, "large"), value);
    assert_nothing_lost(world, "a piece of a record is missing");
    assert_string_equal(dbm_seen(world, "large"), value);
    dbm_close(world);
}

/* A page as it was before the last put, which the disk never got. */
static void pieces_of_two_values_are_not_joined(void **state)
{
    char page[1024];
    dbm_world_t *world = filled(*state);
    const char *before = apr_pstrcat(world->pool,
                                     repeated("v", 20000, world->pool),
                                     "end 1", NULL);
    const char *after = apr_pstrcat(world->pool,
                                    repeated("v", 20000, world->pool),
                                    "end 2", NULL);
    off_t at;

    assert_status(dbm_put(world, "large", before), APR_SUCCESS);
    at = dbm_find(world, "a.pag", "end 1");
    at -= at % (off_t)sizeof(page);
    dbm_read(world, "a.pag", at, page, sizeof(page));
    assert_status(dbm_put(world, "large", after), APR_SUCCESS);
    assert_string_equal(dbm_seen(world, "large"), after);
    dbm_scribble_unseen(world, "a.pag", at, page, sizeof(page));
    assert_string_equal(dbm_seen(world, "large"), after);
    assert_nothing_lost(world, "the pieces of a record do not fit");
    assert_string_equal(dbm_seen(world, "large"), after);
    dbm_close(world);
}

/* ---------------------------------------------------------------------- */
/* Both copies, or the state */

static void two_damaged_copies_begin_empty(void **state)
{
    dbm_world_t *world = filled(*state);

    cut(world, "a.pag", 1024);
    cut(world, "b.pag", 1024);
    assert_begun_empty(world, "there are not all");
    assert_int_equal(dbm_files_named(world, "damaged"), 5);
    dbm_close(world);
}

static void what_was_set_aside_is_never_overwritten(void **state)
{
    dbm_world_t *world = filled(*state);
    int i;

    for (i = 1; i <= 3; i++) {  /* within a second, mostly */
        cut(world, "a.pag", 1024);
        dbm_assert_many(world, MANY);
        assert_int_equal(dbm_files_named(world, "damaged"), 2 * i);
    }
    assert_int_equal(logged(world, 303), 3);
    dbm_close(world);
}

static void the_same_wrong_bit_in_both_copies_is_not_returned(void **state)
{
    dbm_world_t *world = filled(*state);

    dbm_scribble_unseen(world, "a.pag",
                        dbm_find(world, "a.pag", "session-77session-77"),
                        "S", 1);
    dbm_scribble_unseen(world, "b.pag",
                        dbm_find(world, "b.pag", "session-77session-77"),
                        "S", 1);
    assert_string_equal(dbm_seen(world, "session-77"), "(none)");
    assert_int_equal(logged(world, 304), 1);
    assert_false(scene_log_contains(world->scene, "nothing is lost"));
    assert_healed(world, "a checksum is wrong");
    dbm_close(world);
}

/* It is written into two slots in turn. */
static void a_state_that_makes_no_sense_begins_empty(void **state)
{
    static const off_t places[] = { 0, 8, 12, 16, 30, 60, 120, 404 };
    apr_size_t i;

    for (i = 0; i < COUNT(places); i++) {
        dbm_world_t *world = filled(*state);

        dbm_scribble_unseen(world, "state", places[i], "\377\1", 2);
        dbm_scribble_unseen(world, "state", places[i] + 1024, "\377\1", 2);
        assert_begun_empty(world, "its .state file makes no sense");
        assert_int_equal(dbm_files_named(world, "damaged"), 5);
        dbm_close(world);
    }
}

static void a_state_that_was_cut_off_is_as_before(void **state)
{
    int slot;

    for (slot = 0; slot < 2; slot++) {
        dbm_world_t *world = filled(*state);

        dbm_scribble_unseen(world, "state", slot * 1024 + 50, "\377\1", 2);
        dbm_assert_many(world, MANY);
        assert_status(dbm_put(world, "after", "a"), APR_SUCCESS);
        assert_status(dbm_check(world, NULL), APR_SUCCESS);
        dbm_assert_many(world, MANY);
        assert_int_equal(logged(world, 303), 0);
        assert_int_equal(logged(world, 304), 0);
        dbm_close(world);
    }
}

static void copies_without_a_state_begin_empty(void **state)
{
    dbm_world_t *world = filled(*state);

    assert_int_equal(unlink(dbm_file(world, "state")), 0);
    assert_begun_empty(world, "its .state file is missing");
    assert_int_equal(dbm_files_named(world, "damaged"), 4);
    dbm_close(world);
}

static void without_any_files_there_is_a_new_store(void **state)
{
    dbm_world_t *world = filled(*state), *empty = dbm_elsewhere(world);

    dbm_copy(world, empty);     /* which removes what is not there */
    dbm_reopen(world);          /* it has seen nothing */
    assert_int_equal(dbm_files_named(world, "store"), 0);
    assert_string_equal(dbm_seen(world, "session-0"), "(none)");
    assert_status(dbm_put(world, "k", "v"), APR_SUCCESS);
    assert_int_equal(world->scene->log->nelts, 0);
    dbm_close(world);
}

/* Under a server that runs: it must not begin empty and say nothing. */
static void files_that_went_are_missed(void **state)
{
    dbm_world_t *world = filled(*state), *empty = dbm_elsewhere(world);

    dbm_copy(world, empty);
    assert_string_equal(dbm_seen(world, "session-0"), "(none)");
    assert_int_equal(logged(world, 304), 1);
    assert_true(scene_log_contains(world->scene, "are gone"));
    dbm_put_many(world, 1);
    assert_int_equal(world->scene->log->nelts, 1);
    dbm_copy(world, empty);     /* once more */
    dbm_put_many(world, 1);
    assert_int_equal(logged(world, 304), 2);
    dbm_close(world);
}

/* As a backup does that keeps no times. */
static void files_that_were_copied_are_good(void **state)
{
    static const char *const all[] = { "a.pag", "a.dir", "b.pag", "b.dir" };
    dbm_world_t *world = filled(*state);
    apr_size_t i;

    for (i = 0; i < COUNT(all); i++) {
        dbm_scribble(world, all[i], 0, "", 0);
    }
    dbm_assert_many(world, MANY);
    assert_int_equal(logged(world, 303), 0);
    assert_int_equal(logged(world, 304), 0);
    assert_status(dbm_put(world, "after", "a"), APR_SUCCESS);
    assert_status(dbm_check(world, NULL), APR_SUCCESS);
    dbm_close(world);
}

/* Both are changed at random places; whatever that hits, what is returned is
 * what was stored, or nothing. */
static void garbage_is_never_returned(void **state)
{
    int rounds = getenv("ORP_VALGRIND") ? 3 : 60;
    unsigned int chance = 12345;
    int round, i;

    for (round = 0; round < rounds; round++) {
        dbm_world_t *world = filled(*state);

        for (i = 0; i < 4; i++) {
            const char *ending = copies[i % 2][round % 4 == 3];
            struct stat info;
            unsigned char byte;

            assert_int_equal(stat(dbm_file(world, ending), &info), 0);
            chance = chance * 1103515245 + 12345;
            byte = (unsigned char)(chance >> 16);
            dbm_scribble(world, ending, (off_t)(chance >> 4) % info.st_size,
                         &byte, 1);
        }
        for (i = 0; i < MANY; i++) {
            const char *key = apr_psprintf(world->pool, "session-%d", i);
            const char *there = dbm_seen(world, key);

            assert_true(!strcmp(there, key) || !strcmp(there, "(none)"));
        }
        assert_status(dbm_put(world, "after", "a"), APR_SUCCESS);
        assert_status(dbm_check(world, NULL), APR_SUCCESS);
        dbm_close(world);
    }
}

/* ---------------------------------------------------------------------- */
/* Writes that did not end */

static void a_torn_copy_is_made_good_from_the_other(void **state)
{
    static char garbage[50000];
    int copy;

    memset(garbage, 0x3c, sizeof(garbage));
    for (copy = 0; copy < 2; copy++) {
        dbm_world_t *world = filled(*state);

        dbm_mark_dirty(world, ORP_DBM_IN_A + (apr_uint32_t)copy);
        dbm_scribble(world, copies[copy][0], 0, garbage, sizeof(garbage));
        cut(world, copies[copy][1], 100);
        dbm_assert_many(world, MANY);
        assert_status(dbm_put(world, "after", "a"), APR_SUCCESS);
        dbm_assert_many(world, MANY);
        assert_status(dbm_check(world, NULL), APR_SUCCESS);
        assert_int_equal(logged(world, 305), 1);
        assert_int_equal(logged(world, 303), 0);
        assert_int_equal(logged(world, 304), 0);
        assert_int_equal(dbm_files_named(world, "damaged"), 0);
        dbm_close(world);
    }
}

static void a_torn_copy_beside_a_damaged_one_begins_empty(void **state)
{
    dbm_world_t *world = filled(*state);

    dbm_mark_dirty(world, ORP_DBM_IN_B);
    cut(world, "a.pag", 1024);
    assert_begun_empty(world, "there are not all");
    dbm_close(world);
}

/* ---------------------------------------------------------------------- */
/* Full disks */

static void limit_files(rlim_t size)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size == RLIM_INFINITY ? limit.rlim_max : size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Until the pause of the circuit is over. */
static void assert_works_again(dbm_world_t *world)
{
    apr_status_t status;
    int i = 0;

    do {
        usleep(50 * 1000);
        status = dbm_put(world, "again", "a");
    } while (status != APR_SUCCESS && i++ < 200);
    assert_status(status, APR_SUCCESS);
}

static void a_full_disk_refuses_and_loses_nothing(void **state)
{
    dbm_world_t *world = filled(*state);
    const char *large = repeated("l", 30000, world->pool);
    int i;

    limit_files(2048);
    for (i = 0; i < 20; i++) {
        assert_status(dbm_put(world, "session-5", large), ORP_ESTORE);
    }
    dbm_assert_many(world, MANY);
    dbm_reopen(world);          /* another process */
    dbm_assert_many(world, MANY);
    assert_int_equal(logged(world, 301), 1);
    assert_true(scene_log_contains(world->scene, "File too large"));

    assert_status(dbm_put(world, "session-5", large), ORP_ESTORE);
    assert_int_equal(logged(world, 301), 2);
    limit_files(RLIM_INFINITY);
    assert_works_again(world);
    dbm_assert_many(world, MANY);
    assert_int_equal(logged(world, 302), 1);
    assert_int_equal(logged(world, 303), 0);
    assert_int_equal(logged(world, 304), 0);
    assert_status(dbm_check(world, NULL), APR_SUCCESS);
    dbm_close(world);
}

/* What writes nothing does not show that the disk has room again. */
static void who_writes_nothing_does_not_say_that_it_works(void **state)
{
    dbm_world_t *world = filled(*state);
    const char *large = repeated("l", 30000, world->pool), *value;
    apr_time_t until = apr_time_now() + 1500 * 1000;
    struct stat info;
    int idle = 0;

    assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                  DBM_LATER, DBM_NOW), APR_SUCCESS);
    assert_int_equal(stat(dbm_file(world, "a.pag"), &info), 0);
    limit_files((rlim_t)info.st_size);  /* nothing may grow */
    assert_status(dbm_put(world, "session-5", large), ORP_ESTORE);
    while (apr_time_now() < until) {
        idle += orp_store_take(&value, NULL, world->store, ORP_STORE_SESSION,
                               "none", DBM_NOW, world->pool)
            == ORP_ENOTFOUND;
        idle += orp_store_claim(world->store, ORP_STORE_NONCE, "n",
                                DBM_LATER, DBM_NOW) == ORP_EEXISTS;
        idle += orp_store_touch(world->store, ORP_STORE_SESSION, "none",
                                DBM_LATER, DBM_NOW) == ORP_ENOTFOUND;
        idle += orp_store_remove(world->store, ORP_STORE_SESSION, "none")
            == APR_SUCCESS;
        idle += orp_store_sweep(world->store, DBM_NOW) == APR_SUCCESS;
        assert_status(dbm_put(world, "session-5", large), ORP_ESTORE);
        usleep(10 * 1000);
    }
    assert_true(idle > 0);      /* they were let through, */
    assert_int_equal(logged(world, 301), 1);
    assert_int_equal(logged(world, 302), 0);
    limit_files(RLIM_INFINITY);
    assert_works_again(world);  /* and this is what closes it */
    assert_int_equal(logged(world, 302), 1);
    dbm_close(world);
}

static void a_disk_may_become_full_at_any_byte(void **state)
{
    static const rlim_t sizes[] = {
        0, 100, 400, 512, 1000, 1024, 2000, 4096, 4500, 8000, 10000, 20000,
        40000, 60000, 80000, 100000
    };
    dbm_world_t *world = filled(*state);
    const char *values[2];
    int succeeded = 0;
    apr_size_t i;

    values[0] = repeated("x", 3000, world->pool);
    values[1] = repeated("y", 9000, world->pool);
    for (i = 0; i < COUNT(sizes); i++) {
        const char *before = dbm_seen(world, "large");
        apr_status_t status;

        limit_files(sizes[i]);
        status = dbm_put(world, "large", values[i % 2]);
        limit_files(RLIM_INFINITY);
        assert_true(status == APR_SUCCESS || status == ORP_ESTORE);
        succeeded += status == APR_SUCCESS;
        dbm_reopen(world);
        assert_string_equal(dbm_seen(world, "large"),
                            status == APR_SUCCESS ? values[i % 2] : before);
        dbm_assert_many(world, MANY);
        assert_status(dbm_check(world, NULL), APR_SUCCESS);
    }
    assert_true(succeeded < (int)COUNT(sizes) - 4);
    assert_status(dbm_put(world, "large", values[0]), APR_SUCCESS);
    assert_int_equal(logged(world, 303), 0);
    assert_int_equal(logged(world, 304), 0);
    dbm_close(world);
}

static void a_new_store_waits_for_room(void **state)
{
    static const rlim_t sizes[] = { 0, 100, 1000 };
    dbm_world_t *world = *state;
    orp_reason_t *why;
    apr_size_t i;

    for (i = 0; i < COUNT(sizes); i++) {
        limit_files(sizes[i]);
        assert_status(dbm_put(world, "k", "v"), ORP_ESTORE);
        assert_status(dbm_check(world, &why), ORP_ESTORE);
        assert_non_null(strstr(why->sentence, "File too large"));
        limit_files(RLIM_INFINITY);
        dbm_reopen(world);
    }
    assert_status(dbm_put(world, "k", "v"), APR_SUCCESS);
    assert_string_equal(dbm_seen(world, "k"), "v");
    assert_int_equal(logged(world, 304), 0);
}

static void a_store_that_is_full_or_empty_is_not_broken(void **state)
{
    dbm_world_t *world = *state;
    const char *value;
    char key[32];
    int i;

    world->place.size = 200000;
    dbm_reopen(world);
    for (i = 0; i < 2000; i++) {
        apr_snprintf(key, sizeof(key), "login-%d", i);
        if (orp_store_put(world->store, ORP_STORE_LOGIN, key, key,
                          strlen(key), DBM_LATER, DBM_NOW) == ORP_EFULL) {
            break;
        }
    }
    assert_true(i > 100 && i < 2000);
    for (i = 0; i < 20; i++) {
        assert_status(orp_store_take(&value, NULL, world->store,
                                     ORP_STORE_CACHE, "c", DBM_NOW,
                                     world->pool), ORP_ENOTFOUND);
        assert_status(orp_store_claim(world->store, ORP_STORE_LOGIN, "l",
                                      DBM_LATER, DBM_NOW), ORP_EFULL);
        assert_status(dbm_put(world, "s", "v"), APR_SUCCESS);
    }
    assert_int_equal(world->scene->log->nelts, 0);
}

/* ---------------------------------------------------------------------- */
/* Rights */

/* Here cmocka cannot help: it is a child. */
#define DEMAND(it) \
    do { \
        if (!(it)) { \
            print_error("line %d: %s\n", __LINE__, #it); \
            return 1; \
        } \
    } while (0)

static int without_a_right_to_the_files(dbm_world_t *world)
{
    int i;

    DEMAND(chmod(dbm_file(world, "a.pag"), 0400) == 0);
    DEMAND(dbm_put(world, "session-1", "new") == ORP_ESTORE);
    DEMAND(!strcmp(dbm_seen(world, "session-1"), "session-1"));
    DEMAND(logged(world, 301) == 1);
    DEMAND(scene_log_contains(world->scene, "Permission denied"));
    DEMAND(chmod(dbm_file(world, "a.pag"), 0600) == 0);
    assert_works_again(world);

    DEMAND(chmod(dbm_file(world, "state"), 0) == 0);
    for (i = 0; i < 10; i++) {
        DEMAND(!strcmp(dbm_seen(world, "session-1"), "(failed)"));
    }
    DEMAND(logged(world, 301) == 2);
    DEMAND(chmod(dbm_file(world, "state"), 0600) == 0);
    DEMAND(!strcmp(dbm_seen(world, "session-1"), "session-1"));
    DEMAND(logged(world, 302) == 2);
    DEMAND(logged(world, 303) + logged(world, 304) == 0);
    return 0;
}

static void files_that_may_not_be_written_are_not_lost(void **state)
{
    dbm_world_t *world = filled(*state);

    dbm_as_somebody(world, without_a_right_to_the_files);
    dbm_close(world);
}

/* What is damaged cannot be set aside; the good copy serves until it can. */
static int without_a_right_to_the_folder(dbm_world_t *world)
{
    orp_reason_t *why;

    DEMAND(truncate(dbm_file(world, "a.pag"), 1024) == 0);
    DEMAND(chmod(world->folder, 0500) == 0);
    DEMAND(!strcmp(dbm_seen(world, "session-1"), "session-1"));
    DEMAND(dbm_put(world, "session-1", "new") == ORP_ESTORE);
    DEMAND(!strcmp(dbm_seen(world, "session-1"), "session-1"));
    DEMAND(scene_log_contains(world->scene, "cannot rename"));
    DEMAND(dbm_check(world, &why) == APR_EINVAL);
    DEMAND(strstr(why->sentence, "cannot be written"));
    DEMAND(logged(world, 303) == 0);
    DEMAND(chmod(world->folder, 0700) == 0);
    assert_works_again(world);
    DEMAND(logged(world, 303) == 1);
    DEMAND(logged(world, 302) == 1);
    DEMAND(dbm_check(world, &why) == APR_SUCCESS);
    return 0;
}

static void a_folder_that_may_not_be_written_is_survived(void **state)
{
    dbm_world_t *world = filled(*state);

    dbm_as_somebody(world, without_a_right_to_the_folder);
    dbm_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        dbm_test(a_copy_that_was_cut_off_is_replaced),
        dbm_test(a_copy_that_is_missing_is_replaced),
        dbm_test(a_copy_that_somebody_changed_is_replaced),
        dbm_test(a_link_in_the_place_of_a_copy_is_not_followed),
        dbm_test(a_value_with_a_wrong_bit_is_never_returned),
        dbm_test(a_check_reads_all_only_where_it_has_a_reason),
        dbm_test(a_wrong_bit_is_found_by_the_check_of_a_torn_store),
        dbm_test(a_record_that_vanished_is_found_by_the_check),
        dbm_test(a_large_value_lacks_no_piece),
        dbm_test(pieces_of_two_values_are_not_joined),
        dbm_test(two_damaged_copies_begin_empty),
        dbm_test(what_was_set_aside_is_never_overwritten),
        dbm_test(the_same_wrong_bit_in_both_copies_is_not_returned),
        dbm_test(a_state_that_makes_no_sense_begins_empty),
        dbm_test(a_state_that_was_cut_off_is_as_before),
        dbm_test(copies_without_a_state_begin_empty),
        dbm_test(without_any_files_there_is_a_new_store),
        dbm_test(files_that_went_are_missed),
        dbm_test(files_that_were_copied_are_good),
        dbm_test(garbage_is_never_returned),
        dbm_test(a_torn_copy_is_made_good_from_the_other),
        dbm_test(a_torn_copy_beside_a_damaged_one_begins_empty),
        dbm_test(a_full_disk_refuses_and_loses_nothing),
        dbm_test(who_writes_nothing_does_not_say_that_it_works),
        dbm_test(a_disk_may_become_full_at_any_byte),
        dbm_test(a_new_store_waits_for_room),
        dbm_test(a_store_that_is_full_or_empty_is_not_broken),
        dbm_test(files_that_may_not_be_written_are_not_lost),
        dbm_test(a_folder_that_may_not_be_written_is_survived),
    };

    apr_initialize();
    signal(SIGXFSZ, SIG_IGN);   /* writes fail with EFBIG instead */
    alarm(110);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
