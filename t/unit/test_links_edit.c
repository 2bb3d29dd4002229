/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_links_edit.c - a file of links is changed: its bytes, its owner, its
 * permissions, and what happens where it cannot be. */

#include "support_links.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "orp_links_file.h"

#define A "https://a.example/"
#define B "https://b.example/"
#define BOM "\xEF\xBB\xBF"

/* A file before and after an edit. */
typedef struct {
    const char *name;
    const char *before;         /* NULL: there is none */
    const char *identifier;
    const char *account;
    const char *after;          /* NULL: the same, for it is refused */
    apr_status_t status;
    const char *says;           /* where it is refused */
} edit_t;

static const edit_t additions[] = {
    { "no file", NULL, A, "alice", A " alice\n", 0, NULL },
    { "an empty file", "", A, "alice", A " alice\n", 0, NULL },
    { "at the end", "# x\n\n" B "\tb \n# y\n", A, "Al B",
      "# x\n\n" B "\tb \n# y\n" A " Al B\n", 0, NULL },
    { "no newline at the end", B " b", A, "a", B " b\n" A " a\n", 0, NULL },
    { "a comment without a newline", "# b", A, "a", "# b\n" A " a\n", 0,
      NULL },
    { "CRLF", B " b\r\n", A, "a", B " b\r\n" A " a\r\n", 0, NULL },
    { "CRLF, none at the end", B " b\r\n# x", A, "a",
      B " b\r\n# x\r\n" A " a\r\n", 0, NULL },
    { "CR at the end", B " b\r\n# x\r", A, "a",
      B " b\r\n# x\r\n" A " a\r\n", 0, NULL },
    { "one newline", "\n", A, "a", "\n" A " a\n", 0, NULL },
    { "mixed line ends", B " b\r\n# x\n", A, "a",
      B " b\r\n# x\n" A " a\n", 0, NULL },
    { "byte order mark", BOM B " b\n", A, "a", BOM B " b\n" A " a\n", 0,
      NULL },
    { "typed", "", "A.Example/%7ex", "a", "http://a.example/~x a\n", 0,
      NULL },
    { "typed with blanks around", "", "  " A "#x ", "a", A "#x a\n", 0,
      NULL },
    { "XRI", "", "xri://=name", "a", "=name a\n", 0, NULL },
    { "a fragment", A " a\n", A "#1", "b", A " a\n" A "#1 b\n", 0, NULL },
    { "there already", "# x\r\n" A "   a", A, "a", "# x\r\n" A "   a", 0,
      NULL },
    { "there already, written otherwise", "HTTPS://A.Example a\n", A, "a",
      "HTTPS://A.Example a\n", 0, NULL },
    { "only as a mistake", A "\n", A, "a", A "\n" A " a\n", 0, NULL },
    { "only in a comment", "#" A " b\n", A, "a", "#" A " b\n" A " a\n", 0,
      NULL },

    { "another account", A " b\n", A, "a", NULL, ORP_EEXISTS,
      A " has another account, \"b\"" },
    { "the same and another account", A " a\n" A " b\n", A, "a", NULL,
      ORP_EEXISTS, "\"b\"" },
    { "no OpenID", B " b\n", "ftp://a/", "a", NULL, ORP_EIDENTIFIER, "" },
    { "an empty OpenID", B " b\n", "", "a", NULL, ORP_EIDENTIFIER, "" },
    { "an XRI with a blank", B " b\n", "=a b", "a", NULL, ORP_EIDENTIFIER,
      "blank" },
    { "a line in an OpenID", B " b\n", A "\n" B, "a", NULL, ORP_EIDENTIFIER,
      "" },
    { "a line in a fragment", B " b\n", A "#x\n" A, "a", NULL,
      ORP_EIDENTIFIER, "" },
    { "a fragment with a blank", B " b\n", A "#x y", "a", NULL,
      ORP_EIDENTIFIER, "" },
    { "an empty account", B " b\n", A, "", NULL, APR_EINVAL,
      "The account is missing." },
    { "a line in an account", B " b\n", A, "a\n" A " b", NULL, APR_EINVAL,
      "The account contains a control character." },
    { "a blank before an account", B " b\n", A, " a", NULL, APR_EINVAL,
      "begins or ends with a blank" },
    { "a blank behind an account", B " b\n", A, "a ", NULL, APR_EINVAL,
      "begins or ends with a blank" },
    { "an account in Latin-1", B " b\n", A, "\xE9va", NULL, APR_EINVAL,
      "not text in UTF-8" },
};

static const edit_t removals[] = {
    { "the only line", A " a\n", A, "a", "", 0, NULL },
    { "no account named", A " a\n", A, NULL, "", 0, NULL },
    { "typed", "# x\nhttp://a.example/x a\n", "A.example/x", NULL, "# x\n",
      0, NULL },
    { "in the midst", "# x\n" B " b\n\n  " A "  a \n#y\n", A, "a",
      "# x\n" B " b\n\n#y\n", 0, NULL },
    { "the first", A " a\r\n" B " b\r\n", A, "a", B " b\r\n", 0, NULL },
    { "the last, without a newline", B " b\r\n" A " a", A, "a", B " b\r\n",
      0, NULL },
    { "behind a byte order mark", BOM A " a\n" B " b\n", A, "a",
      BOM B " b\n", 0, NULL },
    { "all of an identifier", A " a\n# x\nhttps://A.EXAMPLE b\n" A " a\n", A,
      NULL, "# x\n", 0, NULL },
    { "those of an account", A " a\n# x\n" A " b\n" A " a\n", A, "a",
      "# x\n" A " b\n", 0, NULL },
    { "not the fragment", A "#1 a\n" A " a\n", A, NULL, A "#1 a\n", 0,
      NULL },
    { "the fragment", A "#1 a\n" A " a\n", A "#1", NULL, A " a\n", 0, NULL },
    { "also a mistake", A "\n" A " \x01\n# x\n", A, NULL, "# x\n", 0, NULL },
    { "bytes that are no text", "#\xFF\xFE\n" A " a\n\xC3(\n", A, "a",
      "#\xFF\xFE\n\xC3(\n", 0, NULL },

    { "not there", B " b\n", A, NULL, NULL, ORP_ENOTFOUND,
      A " is not linked to an account" },
    { "another account", A " b\n", A, "a", NULL, ORP_ENOTFOUND,
      A " is not linked to the account \"a\"" },
    { "no mistake to an account", A "\n", A, "a", NULL, ORP_ENOTFOUND, "" },
    { "only in a comment", "#" A " a\n", A, NULL, NULL, ORP_ENOTFOUND, "" },
    { "the other scheme", A " a\n", "http://a.example/", NULL, NULL,
      ORP_ENOTFOUND, "" },
    { "no OpenID", B " b\n", "ftp://a/", NULL, NULL, ORP_EIDENTIFIER, "" },
    { "an empty file", "", A, NULL, NULL, ORP_ENOTFOUND, "" },
    { "no file", NULL, A, NULL, NULL, ORP_ELINKS, "No such file" },
};

typedef apr_status_t edit_fn(links_world_t *world, const char *identifier,
                             const char *account);

static void edit(links_world_t *world, edit_fn *run, const edit_t *it)
{
    const char *before = it->before ? it->before : "(none)";
    apr_status_t status;

    unlink(world->path);
    if (it->before) {
        links_write(world, it->before);
    }
    status = run(world, it->identifier, it->account);
    print_message("#   %s\n", it->name);
    assert_status(status, it->status);
    assert_string_equal(links_read(world), it->after ? it->after : before);
    if (status == APR_SUCCESS) {
        assert_status(world->why->status, APR_SUCCESS);
    }
    else {
        assert_status(world->why->status, status);
        assert_true(*world->why->sentence != '\0');
        assert_non_null(strstr(world->why->sentence, it->says));
    }
}

static void a_line_is_added(void **state)
{
    apr_size_t i;

    for (i = 0; i < COUNT(additions); i++) {
        edit(*state, links_add, &additions[i]);
    }
}

static void a_line_is_removed(void **state)
{
    apr_size_t i;

    for (i = 0; i < COUNT(removals); i++) {
        edit(*state, links_remove, &removals[i]);
    }
}

static void what_was_added_is_found(void **state)
{
    links_world_t *world = *state;
    const char *longest = repeated("\xC3\xA9", 127, world->pool);

    assert_status(links_add(world, A "#1", "Al  B # x"), APR_SUCCESS);
    assert_status(links_add(world, "=name", longest), APR_SUCCESS);
    assert_status(links_add(world, B, apr_pstrcat(world->pool, longest,
                                                  "ee", NULL)), APR_EINVAL);
    assert_string_equal(links_all(world, links_open(world)),
                        apr_pstrcat(world->pool, A "#1=Al  B # x\n=name=",
                                    longest, "\n", NULL));
}

static void what_changes_nothing_writes_nothing(void **state)
{
    links_world_t *world = *state;
    struct stat before, after;

    links_write(world, A " a\n");
    assert_int_equal(stat(world->path, &before), 0);
    assert_status(links_add(world, A, "a"), APR_SUCCESS);
    assert_status(links_add(world, A, "b"), ORP_EEXISTS);
    assert_status(links_remove(world, B, NULL), ORP_ENOTFOUND);
    assert_int_equal(stat(world->path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(links_files(world), 1);
    assert_status(links_add(world, B, "b"), APR_SUCCESS);
    assert_int_equal(stat(world->path, &after), 0);
    assert_int_not_equal(before.st_ino, after.st_ino);
}

static void another_place_is_refused(void **state)
{
    links_world_t *world = *state;
    const char *place = world->place;

    world->place = world->path;
    assert_status(links_add(world, A, "a"), ORP_ELINKS);
    assert_status(links_remove(world, A, "a"), ORP_ELINKS);
    world->place = apr_pstrcat(world->pool, "txt:", world->folder, NULL);
    assert_status(links_add(world, A, "a"), ORP_ELINKS);
    assert_non_null(strstr(world->why->sentence, "it is not a file"));
    unlink(apr_pstrcat(world->pool, world->folder, ".lock", NULL));
    world->place = apr_pstrcat(world->pool, place, "/below", NULL);
    assert_status(links_add(world, A, "a"), ORP_ELINKS);
    world->place = place;
    assert_status(links_add(world, A, "a"), APR_SUCCESS);
}

static void a_file_grows_to_16_megabytes_at_most(void **state)
{
    links_world_t *world = *state;
    apr_off_t room = (apr_off_t)strlen(A " a\n");
    struct stat info;

    links_write(world, "#");
    assert_int_equal(truncate(world->path, ORP_LINKS_FILE_MAX - room), 0);
    assert_status(links_add(world, A, "a"), ORP_ELINKS);
    assert_non_null(strstr(world->why->sentence, "no room"));
    assert_int_equal(truncate(world->path, ORP_LINKS_FILE_MAX - room - 1),
                     0);
    assert_status(links_add(world, A, "a"), APR_SUCCESS);
    assert_int_equal(stat(world->path, &info), 0);
    assert_int_equal(info.st_size, ORP_LINKS_FILE_MAX);
    assert_string_equal(links_account(world, links_open(world), A), "a");
}

/* ---------------------------------------------------------------------- */
/* What is kept */

static int mode_of(const links_world_t *world)
{
    struct stat info;

    assert_int_equal(stat(world->path, &info), 0);
    return (int)(info.st_mode & 07777);
}

static void a_new_file_can_be_read_by_all_unless_umask_says_less(void **state)
{
    links_world_t *world = *state;
    mode_t before = umask(022);

    assert_status(links_add(world, A, "a"), APR_SUCCESS);
    assert_int_equal(mode_of(world), 0644);
    unlink(world->path);
    umask(0);
    assert_status(links_add(world, A, "a"), APR_SUCCESS);
    assert_int_equal(mode_of(world), 0644);
    unlink(world->path);
    umask(077);
    assert_status(links_add(world, A, "a"), APR_SUCCESS);
    assert_int_equal(mode_of(world), 0600);
    umask(before);
}

static void mode_is_kept(void **state)
{
    links_world_t *world = *state;
    static const int modes[] = { 0600, 0640, 0664, 0444, 02664 };
    mode_t before = umask(077);
    apr_size_t i;

    for (i = 0; i < COUNT(modes); i++) {
        unlink(world->path);
        links_write(world, B " b\n");
        assert_int_equal(chmod(world->path, (mode_t)modes[i]), 0);
        assert_status(links_add(world, A, "a"), APR_SUCCESS);
        assert_int_equal(mode_of(world), modes[i]);
        assert_status(links_remove(world, A, NULL), APR_SUCCESS);
        assert_int_equal(mode_of(world), modes[i]);
    }
    umask(before);
}

static void owner_and_group_are_kept(void **state)
{
    links_world_t *world = *state;
    struct stat info;

    if (getuid() != 0) {
        skip();
    }
    links_write(world, B " b\n");
    assert_int_equal(chown(world->path, 1234, 2345), 0);
    assert_int_equal(chmod(world->path, 06640), 0);
    assert_status(links_add(world, A, "a"), APR_SUCCESS);
    assert_int_equal(stat(world->path, &info), 0);
    assert_int_equal(info.st_uid, 1234);
    assert_int_equal(info.st_gid, 2345);
    assert_int_equal(mode_of(world), 06640);
}

/* The folder is theirs, the file is not: it would become theirs. */
static int add_one(links_world_t *world)
{
    apr_status_t status = links_add(world, A, "a");

    if (status == ORP_ELINKS
        && strstr(world->why->sentence, "owner, group and permissions")) {
        return 2;
    }
    return status == ORP_ELINKS ? 1 : status == APR_SUCCESS ? 0 : 3;
}

static void an_owner_that_cannot_be_kept_is_a_refusal(void **state)
{
    links_world_t *world = *state;

    if (getuid() != 0) {
        skip();
    }
    links_write(world, B " b\n");
    assert_int_equal(chmod(world->path, 0644), 0);
    assert_int_equal(chown(world->folder, 65534, 65534), 0);
    assert_int_equal(links_as_somebody(world, add_one), 2);
    assert_string_equal(links_read(world), B " b\n");
    assert_int_equal(links_files(world), 1);
    assert_int_equal(chown(world->path, 65534, 65534), 0);
    assert_int_equal(links_as_somebody(world, add_one), 0);
    assert_string_equal(links_read(world), B " b\n" A " a\n");
}

static void a_folder_that_cannot_be_written_changes_nothing(void **state)
{
    links_world_t *world = *state;

    links_write(world, B " b\n");
    assert_int_equal(chmod(world->path, 0666), 0);
    assert_int_equal(chmod(world->folder, 0555), 0);
    assert_int_equal(links_as_somebody(world, add_one), 1);
    assert_string_equal(links_read(world), B " b\n");
    assert_int_equal(chmod(world->folder, 0777), 0);
    if (getuid() == 0) {
        assert_int_equal(chown(world->path, 65534, 65534), 0);
    }
    assert_int_equal(links_as_somebody(world, add_one), 0);
    assert_string_equal(links_read(world), B " b\n" A " a\n");
}

/* Whoever was killed at work has left it. */
static int add_beside_a_lock(links_world_t *world)
{
    return add_one(world) != 1 ? 11
        : !strstr(world->why->sentence, "links.lock cannot be locked: ") ? 12
        : !strstr(world->why->sentence, "left behind: remove it.") ? 13 : 0;
}

static void a_lock_of_somebody_else_can_be_removed(void **state)
{
    links_world_t *world = *state;
    const char *lock = links_file(world, "links.lock");
    links_world_t left = *world;

    links_write(world, B " b\n");
    left.path = lock;
    links_write(&left, "");
    assert_int_equal(chmod(lock, 0), 0);
    assert_int_equal(chmod(world->folder, 0777), 0);
    if (getuid() == 0) {
        assert_int_equal(chown(world->path, 65534, 65534), 0);
    }
    assert_int_equal(links_as_somebody(world, add_beside_a_lock), 0);
    assert_string_equal(links_read(world), B " b\n");
    assert_int_equal(unlink(lock), 0);
    assert_int_equal(links_as_somebody(world, add_one), 0);
    assert_string_equal(links_read(world), B " b\n" A " a\n");
}

/* As if the disk was full. */
static int add_to_full_disk(links_world_t *world)
{
    struct rlimit limit = { 4096, 4096 };

    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 10;
    }
    return add_one(world) != 1 ? 11
        : !strstr(world->why->sentence, "cannot be written") ? 12 : 0;
}

static void a_full_disk_changes_nothing(void **state)
{
    links_world_t *world = *state;
    const char *before = apr_pstrcat(world->pool, "#",
                                     repeated("x", 4090, world->pool), "\n",
                                     NULL);

    if (getuid() == 0) {
        assert_int_equal(chown(world->folder, 65534, 65534), 0);
    }
    links_write(world, before);
    if (getuid() == 0) {
        assert_int_equal(chown(world->path, 65534, 65534), 0);
    }
    assert_int_equal(links_as_somebody(world, add_to_full_disk), 0);
    assert_string_equal(links_read(world), before);
    assert_int_equal(links_files(world), 1);
    assert_int_equal(links_as_somebody(world, add_one), 0);
}

static void a_symbolic_link_stays_one(void **state)
{
    links_world_t *world = *state;
    links_world_t real = *world;
    struct stat info;

    real.path = links_file(world, "real");
    links_write(&real, B " b\n");
    assert_int_equal(chmod(real.path, 0640), 0);
    assert_int_equal(symlink("real", world->path), 0);
    assert_status(links_add(world, A, "a"), APR_SUCCESS);
    assert_status(links_remove(world, B, NULL), APR_SUCCESS);
    assert_int_equal(lstat(world->path, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_string_equal(links_read(&real), A " a\n");
    assert_int_equal(mode_of(world), 0640);
    assert_int_equal(links_files(world), 2);

    assert_int_equal(unlink(real.path), 0);
    assert_status(links_add(world, A, "a"), ORP_ELINKS);
    assert_non_null(strstr(world->why->sentence, "symbolic link"));
    assert_int_equal(links_files(world), 1);
}

static void what_a_killed_editor_left_is_no_obstacle(void **state)
{
    links_world_t *world = *state;
    links_world_t left = *world;

    left.path = links_file(world, "links.lock");
    links_write(&left, "");
    left.path = links_file(world, "links.new");
    links_write(&left, A " evil\n");
    assert_status(links_add(world, A, "a"), APR_SUCCESS);
    assert_string_equal(links_read(world), A " a\n");
    assert_int_equal(links_files(world), 1);
}

/* By an editor that does not know of the lock. */
static void what_others_have_changed_meanwhile_is_not_lost(void **state)
{
    links_world_t *world = *state;
    static const orp_links_text_t text = { A " a\n", sizeof(A " a\n") - 1 };
    static const char *const before[] = { NULL, B " b\n" };
    apr_size_t i;

    for (i = 0; i < COUNT(before); i++) {
        orp_links_hold_t *hold;

        unlink(world->path);
        if (before[i]) {
            links_write(world, before[i]);
        }
        assert_status(orp_links_hold(&hold, world->path, world->why,
                                     world->pool), APR_SUCCESS);
        assert_status(orp_links_hold_write(hold, &text), APR_SUCCESS);
        links_write(world, "# mine\n");
        assert_status(orp_links_hold_commit(hold), ORP_ELINKS);
        orp_links_hold_end(hold);
        assert_string_equal(links_read(world), "# mine\n");
        assert_int_equal(links_files(world), 1);
    }
    assert_status(links_add(world, A, "a"), APR_SUCCESS);
    assert_string_equal(links_read(world), "# mine\n" A " a\n");
}

/* Whoever may make files in the folder could have put them there. */
static void links_at_our_names_are_not_followed(void **state)
{
    links_world_t *world = *state;
    links_world_t victim = *world;
    const char *lock = links_file(world, "links.lock");

    victim.path = links_file(world, "victim");
    links_write(&victim, "precious");
    assert_int_equal(symlink("victim", links_file(world, "links.new")), 0);
    assert_status(links_add(world, A, "a"), APR_SUCCESS);
    assert_string_equal(links_read(&victim), "precious");
    assert_int_equal(symlink("victim", lock), 0);
    assert_status(links_add(world, B, "b"), ORP_ELINKS);
    assert_non_null(strstr(world->why->sentence, "links.lock cannot be"));
    assert_int_equal(unlink(lock), 0);
    assert_status(links_add(world, B, "b"), APR_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        links_test(a_line_is_added),
        links_test(a_line_is_removed),
        links_test(what_was_added_is_found),
        links_test(what_changes_nothing_writes_nothing),
        links_test(another_place_is_refused),
        links_test(a_file_grows_to_16_megabytes_at_most),
        links_test(a_new_file_can_be_read_by_all_unless_umask_says_less),
        links_test(mode_is_kept),
        links_test(owner_and_group_are_kept),
        links_test(an_owner_that_cannot_be_kept_is_a_refusal),
        links_test(a_folder_that_cannot_be_written_changes_nothing),
        links_test(a_lock_of_somebody_else_can_be_removed),
        links_test(a_full_disk_changes_nothing),
        links_test(a_symbolic_link_stays_one),
        links_test(what_a_killed_editor_left_is_no_obstacle),
        links_test(what_others_have_changed_meanwhile_is_not_lost),
        links_test(links_at_our_names_are_not_followed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
