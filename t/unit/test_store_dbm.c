/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_store_dbm.c - what is special to the store in files: it stays, it is
 * for nobody else, it shrinks.
 *
 * test_store_dbm_damage.c     damaged files, full disks
 * test_store_dbm_kill.c       processes that are killed
 * test_contract_dbm.c         the promises of all stores
 */

#include "support_dbm.h"

#include "orp_store_dbm_run.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_atomic.h>
#include <apr_thread_proc.h>

#define PROCESSES 4
#define THREADS 8
#define CALLS 50

static int times(int full, int less)
{
    return getenv("ORP_VALGRIND") ? less : full;
}

/* ---------------------------------------------------------------------- */
/* It stays */

static void what_was_stored_outlives_the_process(void **state)
{
    dbm_world_t *world = *state;
    const char *large = repeated("large ", 5000, world->pool);

    dbm_put_many(world, 50);
    assert_status(dbm_put(world, "large", large), APR_SUCCESS);
    dbm_reopen(world);
    dbm_assert_many(world, 50);
    assert_string_equal(dbm_seen(world, "large"), large);
    assert_string_equal(dbm_seen(world, "other"), "(none)");
    assert_int_equal(world->scene->log->nelts, 0);
}

static void a_store_that_is_not_used_leaves_no_files(void **state)
{
    dbm_world_t *world = *state;

    assert_int_equal(dbm_files_named(world, "store"), 0);
    dbm_put_many(world, 1);
    assert_int_equal(dbm_files_named(world, "store"), 5);
}

static void files_are_for_their_owner_only(void **state)
{
    static const char *const endings[] = {
        "state", "a.pag", "a.dir", "b.pag", "b.dir"
    };
    dbm_world_t *world = *state;
    mode_t old = umask(0);
    struct stat info;
    apr_size_t i;

    dbm_put_many(world, 1);
    umask(old);
    for (i = 0; i < COUNT(endings); i++) {
        assert_int_equal(stat(dbm_file(world, endings[i]), &info), 0);
        assert_int_equal(info.st_mode & 07777, 0600);
    }
}

static void neither_keys_nor_values_can_be_guessed_from_a_place(void **state)
{
    dbm_world_t *world = *state, *other = dbm_elsewhere(world);

    dbm_reopen(other);
    dbm_put_many(world, 40);
    dbm_put_many(other, 40);
    assert_int_not_equal(dbm_find(world, "a.pag", "session-17"),
                         dbm_find(other, "a.pag", "session-17"));
    dbm_close(other);
}

/* ---------------------------------------------------------------------- */
/* It is for nobody else */

static void assert_refused(dbm_world_t *world, const char *says)
{
    orp_reason_t *why;

    assert_status(dbm_check(world, &why), APR_EINVAL);
    if (!strstr(why->sentence, says)) {
        fail_msg("no \"%s\" in: %s", says, why->sentence);
    }
}

static void a_store_is_checked_and_made_ready(void **state)
{
    dbm_world_t *world = *state;

    assert_status(dbm_check(world, NULL), APR_SUCCESS);
    assert_int_equal(dbm_files_named(world, "store"), 5);
    dbm_put_many(world, 20);
    assert_status(dbm_check(world, NULL), APR_SUCCESS);
    dbm_assert_many(world, 20);
    assert_int_equal(world->scene->log->nelts, 0);
}

static void a_file_that_others_can_open_is_refused(void **state)
{
    static const mode_t loose[] = { 0640, 0620, 0610, 0604, 0602, 0601 };
    static const char *const endings[] = { "state", "a.pag", "b.dir" };
    dbm_world_t *world = *state;
    apr_size_t i, j;

    dbm_put_many(world, 1);
    for (i = 0; i < COUNT(endings); i++) {
        const char *name = dbm_file(world, endings[i]);

        for (j = 0; j < COUNT(loose); j++) {
            assert_int_equal(chmod(name, loose[j]), 0);
            assert_refused(world, "must be 0600");
            assert_refused(world, name);
        }
        assert_int_equal(chmod(name, 0600), 0);
        assert_status(dbm_check(world, NULL), APR_SUCCESS);
    }
}

static void a_folder_that_others_can_write_is_refused(void **state)
{
    dbm_world_t *world = *state;

    assert_int_equal(chmod(world->folder, 0702), 0);
    assert_refused(world, "written by everybody");
    assert_int_equal(chmod(world->folder, 01777), 0);
    assert_refused(world, "written by everybody");
    assert_int_equal(chmod(world->folder, 0770), 0);
    assert_refused(world, "written by its group");
    assert_int_equal(chmod(world->folder, 0755), 0);
    assert_status(dbm_check(world, NULL), APR_SUCCESS);
    assert_int_equal(chmod(world->folder, 0700), 0);
    assert_status(dbm_check(world, NULL), APR_SUCCESS);
}

static void a_folder_that_is_none_is_refused(void **state)
{
    dbm_world_t *world = *state;
    const char *path = world->place.path;

    world->place.path = apr_pstrcat(world->pool, path, "/sub", NULL);
    assert_refused(world, "No such file");
    world->place.path = path;
    dbm_put_many(world, 1);
    world->place.path = apr_pstrcat(world->pool, path, ".state/sub", NULL);
    assert_refused(world, "not a directory");
    world->place.path = path;
    assert_status(dbm_check(world, NULL), APR_SUCCESS);
}

static void a_symbolic_link_is_not_followed(void **state)
{
    dbm_world_t *world = *state, *other = dbm_elsewhere(world);

    dbm_put_many(world, 3);
    assert_int_equal(rename(dbm_file(world, "state"),
                            dbm_file(other, "state")), 0);
    assert_int_equal(symlink(dbm_file(other, "state"),
                             dbm_file(world, "state")), 0);
    assert_refused(world, "is a symbolic link");
    assert_string_equal(dbm_seen(world, "session-1"), "(failed)");
    assert_status(dbm_put(world, "k", "v"), ORP_ESTORE);

    assert_int_equal(rename(dbm_file(other, "state"),
                            dbm_file(world, "state")), 0);
    dbm_reopen(world);
    assert_status(dbm_check(world, NULL), APR_SUCCESS);
    dbm_assert_many(world, 3);
}

static void what_is_no_file_is_not_opened(void **state)
{
    dbm_world_t *world = *state;

    assert_int_equal(mkfifo(dbm_file(world, "state"), 0600), 0);
    assert_refused(world, "not a regular file");
    assert_string_equal(dbm_seen(world, "k"), "(failed)");
    assert_int_equal(unlink(dbm_file(world, "state")), 0);
    assert_string_equal(dbm_seen(world, "k"), "(none)");
}

static int use_as_somebody(dbm_world_t *world)
{
    return dbm_put(world, "k", "v") != APR_SUCCESS
        || strcmp(dbm_seen(world, "k"), "v") != 0;
}

/* Cron and httpd's parent run as root; the server's user must not be locked
 * out by what they make. (Without root, nobody can make that mistake.) */
static void what_root_makes_belongs_to_the_owner_of_the_folder(void **state)
{
    dbm_world_t *world = *state;
    struct stat folder, info;

    if (geteuid() == 0) {
        assert_int_equal(chown(world->folder, 65534, 65534), 0);
    }
    dbm_put_many(world, 1);
    assert_status(dbm_check(world, NULL), APR_SUCCESS);
    assert_int_equal(stat(world->folder, &folder), 0);
    assert_int_equal(stat(dbm_file(world, "b.dir"), &info), 0);
    assert_int_equal(info.st_uid, folder.st_uid);
    if (geteuid() == 0) {       /* a file of root's is given away */
        assert_int_equal(chown(dbm_file(world, "state"), 0, 0), 0);
        assert_status(dbm_check(world, NULL), APR_SUCCESS);
        assert_int_equal(stat(dbm_file(world, "state"), &info), 0);
        assert_int_equal(info.st_uid, folder.st_uid);
    }
    dbm_as_somebody(world, use_as_somebody);
}

/* ---------------------------------------------------------------------- */
/* It shrinks, and lists */

static void a_sweep_makes_the_files_small_again(void **state)
{
    dbm_world_t *world = *state;
    const char *value = repeated("v", 2000, world->pool);
    struct stat before, after;
    int i, count = times(1000, 800);

    for (i = 0; i < count; i++) {
        char key[32];

        apr_snprintf(key, sizeof(key), "brief-%d", i);
        assert_status(orp_store_put(world->store, ORP_STORE_SESSION, key,
                                    value, 2000, DBM_NOW + 1, DBM_NOW),
                      APR_SUCCESS);
    }
    dbm_put_many(world, 20);
    assert_int_equal(stat(dbm_file(world, "b.pag"), &before), 0);
    assert_status(orp_store_sweep(world->store, DBM_NOW), APR_SUCCESS);
    assert_int_equal(stat(dbm_file(world, "b.pag"), &after), 0);
    assert_int_equal(after.st_blocks, before.st_blocks);

    /* more than one batch, so others could have used it meanwhile */
    assert_status(orp_store_sweep(world->store, DBM_NOW + 1), APR_SUCCESS);
    assert_int_equal(stat(dbm_file(world, "b.pag"), &after), 0);
    assert_true(after.st_blocks < before.st_blocks / 8);
    assert_int_equal(stat(dbm_file(world, "a.pag"), &after), 0);
    assert_true(after.st_blocks < before.st_blocks / 8);
    dbm_assert_many(world, 20);
    assert_status(dbm_check(world, NULL), APR_SUCCESS);
    assert_int_equal(world->scene->log->nelts, 0);
}

static void what_has_expired_goes_while_others_come(void **state)
{
    dbm_world_t *world = *state;
    orp_dbm_t *dbm;
    int i, count = times(3000, 600);

    /* each lives until ten more have come */
    for (i = 0; i < count; i++) {
        char key[32];

        apr_snprintf(key, sizeof(key), "brief-%d", i);
        assert_status(orp_store_claim(world->store, ORP_STORE_NONCE, key,
                                      DBM_NOW + i + 10, DBM_NOW + i),
                      APR_SUCCESS);
    }
    assert_status(orp_dbm_create(&dbm, &world->place, &world->scene->env,
                                 world->pool), APR_SUCCESS);
    dbm_close(world);
    assert_status(orp_dbm_enter(dbm), APR_SUCCESS);
    assert_true(dbm->state.counts[ORP_STORE_NONCE].records >= 10);
    assert_true(dbm->state.counts[ORP_STORE_NONCE].records < 200);
    orp_dbm_leave(dbm);
}

static int count_keys(void *baton, const char *key, apr_size_t size,
                      apr_time_t expires)
{
    int *pcount = baton;

    assert_int_equal(strncmp(key, "session-", 8), 0);
    assert_int_equal(size, strlen(key));
    assert_int_equal(expires, DBM_LATER);
    ++*pcount;
    return 1;
}

static void a_listing_works_while_copy_a_cannot_be_used(void **state)
{
    dbm_world_t *world = *state;
    int count = 0;

    dbm_put_many(world, 100);
    dbm_mark_dirty(world, ORP_DBM_IN_A);
    assert_status(orp_store_each(world->store, ORP_STORE_SESSION, DBM_NOW,
                                 count_keys, &count, world->pool),
                  APR_SUCCESS);
    assert_int_equal(count, 100);
    assert_status(orp_store_each(world->store, ORP_STORE_SESSION, DBM_LATER,
                                 count_keys, &count, world->pool),
                  APR_SUCCESS);
    assert_int_equal(count, 100);
}

/* One part of a listing, as who lists does it. */
static void list_part(dbm_world_t *world, orp_dbm_request_t *request)
{
    orp_dbm_t *dbm;

    assert_status(orp_dbm_create(&dbm, &world->place, &world->scene->env,
                                 world->pool), APR_SUCCESS);
    assert_status(orp_dbm_enter(dbm), APR_SUCCESS);
    assert_status(orp_dbm_find_good(dbm, 0), APR_SUCCESS);
    assert_status(orp_dbm_op_each.run(dbm, request), APR_SUCCESS);
    orp_dbm_leave(dbm);
    apr_pool_destroy(dbm->scratch);
}

static void put_large(dbm_world_t *world, const char *name, int count,
                      apr_time_t expires)
{
    const char *value = repeated("v", 2000, world->pool);
    char key[32];
    int i;

    for (i = 0; i < count; i++) {
        apr_snprintf(key, sizeof(key), "%s-%d", name, i);
        assert_status(orp_store_put(world->store, ORP_STORE_SESSION, key,
                                    value, 2000, expires, DBM_NOW),
                      APR_SUCCESS);
    }
}

/* Each of the records of put_large() once. */
static void assert_listed(const orp_dbm_request_t *request, const char *name,
                          int count)
{
    apr_size_t size = strlen(name);
    int i, found = 0;

    for (i = 0; i < request->shown->nelts; i++) {
        found += strncmp(APR_ARRAY_IDX(request->shown, i,
                                       orp_dbm_shown_t).key, name, size) == 0;
    }
    assert_int_equal(found, count);
    assert_int_equal(apr_hash_count(request->keys), request->shown->nelts);
}

static void others_write_while_there_is_a_listing(void **state)
{
    dbm_world_t *world = *state;
    int count = times(1000, 700);
    orp_dbm_request_t request = {
        .kind = ORP_STORE_SESSION, .now = DBM_NOW, .pool = world->pool
    };

    put_large(world, "there", count, DBM_LATER);
    list_part(world, &request);
    assert_true(request.more);
    assert_true(request.shown->nelts > 0 && request.shown->nelts < count);
    put_large(world, "new", count / 2, DBM_LATER);  /* pages are split */
    while (request.more) {
        list_part(world, &request);
    }
    assert_int_equal(request.begun, 1);
    assert_listed(&request, "there", count);
}

static void a_listing_begins_again_when_all_has_moved(void **state)
{
    dbm_world_t *world = *state;
    orp_dbm_request_t request = {
        .kind = ORP_STORE_SESSION, .now = DBM_NOW, .pool = world->pool
    };

    put_large(world, "there", 20, DBM_LATER);
    put_large(world, "brief", times(1000, 700), DBM_NOW + 1);
    list_part(world, &request);
    assert_true(request.more);
    assert_status(orp_store_sweep(world->store, DBM_NOW + 1), APR_SUCCESS);
    while (request.more) {
        list_part(world, &request);
    }
    assert_int_equal(request.begun, 2);
    assert_listed(&request, "there", 20);
    assert_listed(&request, "brief", 0);
}

/* ---------------------------------------------------------------------- */
/* Several processes */

static int claim_some(dbm_world_t *world)
{
    char key[32];
    int i, won = 0;

    for (i = 0; i < 100; i++) {
        apr_status_t status;

        apr_snprintf(key, sizeof(key), "nonce-%d", i);
        status = orp_store_claim(world->store, ORP_STORE_NONCE, key,
                                 DBM_LATER, DBM_NOW);
        if (status != APR_SUCCESS && status != ORP_EEXISTS) {
            return 255;
        }
        won += status == APR_SUCCESS;
    }
    return won;
}

/* The first use is contested too: that makes the files. */
static void of_several_processes_one_wins(void **state)
{
    dbm_world_t *world = *state;
    pid_t children[PROCESSES];
    int i, status, won = 0;

    dbm_close(world);
    for (i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            alarm(100);
            dbm_reopen(world);
            _exit(claim_some(world));
        }
    }
    for (i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        won += WEXITSTATUS(status);
    }
    assert_int_equal(won, 100);
    assert_status(dbm_check(world, NULL), APR_SUCCESS);
    assert_int_equal(world->scene->log->nelts, 0);
}

/* ---------------------------------------------------------------------- */
/* A process that has the lock, and is stopped */

static pid_t stopped_holder(dbm_world_t *world)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        orp_dbm_t *dbm;

        alarm(100);
        if (orp_dbm_create(&dbm, &world->place, &world->scene->env,
                           world->pool) != APR_SUCCESS
            || orp_dbm_enter(dbm) != APR_SUCCESS) {
            _exit(1);
        }
        raise(SIGSTOP);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    return child;
}

static void end_holder(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

typedef struct crowd_t {
    dbm_world_t *world;
    apr_uint32_t failed;
} crowd_t;

static void *APR_THREAD_FUNC call_often(apr_thread_t *thread, void *baton)
{
    crowd_t *crowd = baton;
    dbm_world_t *world = crowd->world;
    const char *value;
    apr_pool_t *pool;
    int i, failed = 0;

    (void)thread;
    apr_pool_create(&pool, NULL);
    for (i = 0; i < CALLS; i++) {
        failed += orp_store_get(&value, NULL, world->store,
                                ORP_STORE_SESSION, "session-0", DBM_NOW,
                                pool) == ORP_ESTORE;
        failed += dbm_put(world, "k", "v") == ORP_ESTORE;
    }
    apr_pool_destroy(pool);
    apr_atomic_add32(&crowd->failed, (apr_uint32_t)failed);
    return NULL;
}

static int failures_of_many(dbm_world_t *world)
{
    apr_thread_t *threads[THREADS];
    crowd_t crowd = { world, 0 };
    apr_status_t status;
    int i;

    for (i = 0; i < THREADS; i++) {
        assert_status(apr_thread_create(&threads[i], NULL, call_often,
                                        &crowd, world->pool), APR_SUCCESS);
    }
    for (i = 0; i < THREADS; i++) {
        assert_status(apr_thread_join(&status, threads[i]), APR_SUCCESS);
    }
    return (int)crowd.failed;
}

/* Not each of them may wait: that would be minutes. */
static void who_is_stopped_with_the_lock_stops_nobody_else(void **state)
{
    dbm_world_t *world = *state;
    apr_time_t begin;
    pid_t child;
    int i;

    dbm_put_many(world, 1);
    assert_int_equal(failures_of_many(world), 0);
    child = stopped_holder(world);
    begin = apr_time_now();
    assert_int_equal(failures_of_many(world), 2 * THREADS * CALLS);
    assert_true(apr_time_now() - begin < apr_time_from_sec(15));
    assert_int_equal(scene_logged(world->scene, 301), 1);
    assert_true(scene_log_contains(world->scene, ".state locked"));

    end_holder(child);
    for (i = 0; i < 500 && strcmp(dbm_seen(world, "session-0"),
                                  "session-0") != 0; i++) {
        usleep(20 * 1000);      /* the pause of the circuit */
    }
    assert_int_equal(scene_logged(world->scene, 302), 1);
    assert_int_equal(failures_of_many(world), 0);
    assert_int_equal(scene_logged(world->scene, 301), 1);
}

static void who_is_stopped_with_the_lock_does_not_stop_a_start(void **state)
{
    dbm_world_t *world = *state;
    orp_reason_t *why = orp_reason_create(world->pool);
    pid_t child;

    dbm_put_many(world, 1);
    dbm_close(world);
    child = stopped_holder(world);
    assert_status(orp_store_dbm_check(&world->place, &world->scene->env, why,
                                      world->pool), APR_SUCCESS);
    assert_int_equal(scene_logged(world->scene, 306), 1);
    end_holder(child);
    assert_status(dbm_check(world, NULL), APR_SUCCESS);
    assert_int_equal(scene_logged(world->scene, 306), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        dbm_test(what_was_stored_outlives_the_process),
        dbm_test(a_store_that_is_not_used_leaves_no_files),
        dbm_test(files_are_for_their_owner_only),
        dbm_test(neither_keys_nor_values_can_be_guessed_from_a_place),
        dbm_test(a_store_is_checked_and_made_ready),
        dbm_test(a_file_that_others_can_open_is_refused),
        dbm_test(a_folder_that_others_can_write_is_refused),
        dbm_test(a_folder_that_is_none_is_refused),
        dbm_test(a_symbolic_link_is_not_followed),
        dbm_test(what_is_no_file_is_not_opened),
        dbm_test(what_root_makes_belongs_to_the_owner_of_the_folder),
        dbm_test(a_sweep_makes_the_files_small_again),
        dbm_test(what_has_expired_goes_while_others_come),
        dbm_test(a_listing_works_while_copy_a_cannot_be_used),
        dbm_test(others_write_while_there_is_a_listing),
        dbm_test(a_listing_begins_again_when_all_has_moved),
        dbm_test(of_several_processes_one_wins),
        dbm_test(who_is_stopped_with_the_lock_stops_nobody_else),
        dbm_test(who_is_stopped_with_the_lock_does_not_stop_a_start),
    };

    apr_initialize();
    alarm(110);                 /* a lock never released, an endless loop */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
