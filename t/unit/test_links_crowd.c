/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_links_crowd.c - many change links at the same time, or are killed while
 * they do. */

#include "support_links.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/ptrace.h>
#endif

#include <apr_time.h>

#define A "https://a.example/"
#define B "https://b.example/"

static int times(int full, int less)
{
    return getenv("ORP_VALGRIND") ? less : full;
}

/* Each test is of both kinds of files. */
static const char *const kinds[] = { "txt:", "dbm:" };

static void take_kind(links_world_t *world, const char *kind)
{
    world->path = links_file(world, kind[0] == 't' ? "text" : "dbm");
    world->place = apr_pstrcat(world->pool, kind, world->path, NULL);
}

/* ---------------------------------------------------------------------- */
/* A crowd */

/* The fifth of five removes a link, the others add one. */
#define EDITORS 250

static int removes(int i)
{
    return i % 5 == 4;
}

/* Does it in a child. */
static pid_t editor(links_world_t *world, int i)
{
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        const char *id = apr_psprintf(world->pool, A "%d", i);
        apr_status_t status;

        alarm(100);
        status = removes(i) ? links_remove(world, id, NULL)
            : links_add(world, id, "new");
        _exit(status == APR_SUCCESS ? 0 : 1);
    }
    return child;
}

static void crowd(links_world_t *world, int editors)
{
    pid_t *children = apr_pcalloc(world->pool,
                                  (apr_size_t)editors * sizeof(pid_t));
    const orp_links_t *links;
    int i, failed = 0;

    for (i = 4; i < editors; i += 5) {
        assert_status(links_add(world, apr_psprintf(world->pool, A "%d", i),
                                "old"), APR_SUCCESS);
    }
    for (i = 0; i < editors; i++) {
        children[i] = editor(world, i);
    }
    for (i = 0; i < editors; i++) {
        failed += links_wait(children[i]);
    }
    assert_int_equal(failed, 0);
    links = links_open(world);
    for (i = 0; i < editors; i++) {
        const char *id = apr_psprintf(world->pool, A "%d", i);

        assert_string_equal(links_account(world, links, id),
                            removes(i) ? "(none)" : "new");
    }
    assert_string_equal(links_mistakes(world, links), "");
    assert_int_equal(links_files(world), 1);
}

static void no_edit_of_a_crowd_is_lost(void **state)
{
    links_world_t *world = *state;

    take_kind(world, "txt:");
    crowd(world, times(EDITORS, 10));
    assert_int_equal(unlink(world->path), 0);
    take_kind(world, "dbm:");
    crowd(world, times(40, 5));
}

/* Whoever reads meanwhile finds what nobody changes. */
static void readers_see_whole_files_only(void **state)
{
    links_world_t *world = *state;
    apr_size_t k;

    for (k = 0; k < COUNT(kinds); k++) {
        pid_t child;
        int i, status, reads = 0;

        take_kind(world, kinds[k]);
        assert_status(links_add(world, B, "b"), APR_SUCCESS);
        fflush(stdout);
        child = fork();
        if (child == 0) {
            alarm(100);
            for (i = 0; i < times(40, 3); i++) {
                if (links_add(world, A, "a") != APR_SUCCESS
                    || links_remove(world, A, NULL) != APR_SUCCESS) {
                    _exit(1);
                }
            }
            _exit(0);
        }
        while (waitpid(child, &status, WNOHANG) == 0) {
            const orp_links_t *links = links_open(world);
            const char *account = links_account(world, links, A);

            assert_string_equal(links_account(world, links, B), "b");
            assert_true(!strcmp(account, "a") || !strcmp(account, "(none)"));
            reads++;
        }
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_true(reads > 0);
    }
}

/* Somebody has the lock for a while. */
static void an_editor_waits_for_another(void **state)
{
    links_world_t *world = *state;
    const char *lock = links_file(world, "links.lock");
    int fd = open(lock, O_RDWR | O_CREAT, 0600);
    apr_time_t begin = apr_time_now();
    pid_t child;

    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    links_write(world, B " b\n");
    child = editor(world, 0);
    apr_sleep(apr_time_from_msec(200));
    assert_string_equal(links_read(world), B " b\n");
    assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
    /* the child has the descriptor too */
    assert_int_equal(flock(fd, LOCK_UN), 0);
    close(fd);
    assert_int_equal(links_wait(child), 0);
    assert_string_equal(links_read(world), B " b\n" A "0 new\n");
    assert_true(apr_time_now() - begin >= apr_time_from_msec(200));
}

/* ---------------------------------------------------------------------- */
/* Killed */

#ifdef __linux__

/* Runs an editor up to its stops-th stop, one before each call into the kernel
 * and one behind it, and kills it there. @return 0 where it has ended before */
static int kill_at(links_world_t *world, int stops,
                   apr_status_t (*run)(links_world_t *world))
{
    pid_t child;
    int status;

    fflush(stdout);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(100);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0
            || raise(SIGSTOP) != 0 || run(world) != APR_SUCCESS) {
            _exit(98);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    while (WIFSTOPPED(status) && stops-- > 0) {
        assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
    }
    if (WIFEXITED(status)) {
        assert_int_equal(WEXITSTATUS(status), 0);
        return 0;
    }
    assert_true(WIFSTOPPED(status));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return 1;
}

static apr_status_t add_a(links_world_t *world)
{
    return links_add(world, A, "a");
}

static apr_status_t remove_a(links_world_t *world)
{
    return links_remove(world, A, NULL);
}

/* @param done  what the account of A is when it has happened
 * @param not   and when it has not */
static void kill_everywhere(links_world_t *world,
                            apr_status_t (*run)(links_world_t *world),
                            apr_status_t (*undo)(links_world_t *world),
                            const char *done, const char *not)
{
    int stops, happened = 0, every = times(2, 60);

    for (stops = every; kill_at(world, stops, run); stops += every) {
        const orp_links_t *links = links_open(world);
        const char *account = links_account(world, links, A);

        assert_string_equal(links_account(world, links, B), "b");
        if (strcmp(account, done)) {
            assert_string_equal(account, not);
            assert_status(run(world), APR_SUCCESS);
        }
        else {
            happened++;
        }
        assert_string_equal(links_account(world, links_open(world), A),
                            done);
        assert_status(undo(world), APR_SUCCESS);
        assert_int_equal(links_files(world), 1);
    }
    assert_true(stops > times(20, 0));
    assert_true(happened > times(1, -1));
    assert_true(happened < stops / every);
    assert_string_equal(links_account(world, links_open(world), A), done);
}

static void an_editor_can_be_killed_at_any_call(void **state)
{
    links_world_t *world = *state;
    apr_size_t k;

    for (k = 0; k < COUNT(kinds); k++) {
        take_kind(world, kinds[k]);
        assert_status(links_add(world, B, "b"), APR_SUCCESS);
        kill_everywhere(world, add_a, remove_a, "a", "(none)");
        kill_everywhere(world, remove_a, add_a, "(none)", "a");
        assert_int_equal(unlink(world->path), 0);
    }
}

#endif

/* ---------------------------------------------------------------------- */
/* Really killed, while it works as fast as it can */

static void editors_are_killed_in_a_loop(void **state)
{
    links_world_t *world = *state;
    int round;

    assert_status(links_add(world, B, "b"), APR_SUCCESS);
    for (round = 0; round < times(20, 2); round++) {
        const char *text;
        pid_t child;

        fflush(stdout);
        child = fork();
        if (child == 0) {
            alarm(100);
            while (links_add(world, A, "a") == APR_SUCCESS
                   && links_remove(world, A, NULL) == APR_SUCCESS) {
                continue;
            }
            _exit(1);
        }
        usleep((useconds_t)(times(1000, 500000) + round * 7919 % 9000));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        text = links_read(world);
        assert_true(!strcmp(text, B " b\n")
                    || !strcmp(text, B " b\n" A " a\n"));
        assert_status(links_add(world, A, "a"), APR_SUCCESS);
        assert_status(links_remove(world, A, NULL), APR_SUCCESS);
        assert_string_equal(links_read(world), B " b\n");
        assert_int_equal(links_files(world), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        links_test(no_edit_of_a_crowd_is_lost),
        links_test(readers_see_whole_files_only),
        links_test(an_editor_waits_for_another),
#ifdef __linux__
        links_test(an_editor_can_be_killed_at_any_call),
#endif
        links_test(editors_are_killed_in_a_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
