/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_links_dbm.c - links in a dbm: of APR's usual type, and of the one that
 * has two files; those of httpd's own program, and broken ones. */

#include "support_links.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_dbm.h>
#include <apr_thread_proc.h>

#include "orp_links_dbm.h"
#include "orp_links_text.h"

#define A "https://a.example/"
#define B "https://b.example/"

/* From here on, the file is a dbm. */
static links_world_t *with_dbm(void **state)
{
    links_world_t *world = *state;

    world->place = apr_pstrcat(world->pool, "dbm:", world->path, NULL);
    return world;
}

/* Write a record as it is. */
static void put_bytes(const links_world_t *world, const char *type,
                      const orp_links_text_t *key, const char *value,
                      apr_size_t size)
{
    apr_dbm_t *dbm;
    apr_datum_t name = { (char *)(uintptr_t)key->bytes, key->size };
    apr_datum_t account = { (char *)(uintptr_t)value, size };

    assert_int_equal(apr_dbm_open_ex(&dbm, type, world->path,
                                     APR_DBM_RWCREATE, APR_FPROT_OS_DEFAULT,
                                     world->pool), 0);
    assert_int_equal(apr_dbm_store(dbm, name, account), 0);
    apr_dbm_close(dbm);
}

static void put(const links_world_t *world, const char *type,
                const char *key, const char *value, apr_size_t size)
{
    orp_links_text_t text = { key, strlen(key) };

    put_bytes(world, type, &text, value, size);
}

static void a_link_is_added_found_and_removed(void **state)
{
    links_world_t *world = with_dbm(state);
    const orp_links_t *links;

    assert_status(links_add(world, "A.Example/%7ex", "Al  B"), APR_SUCCESS);
    assert_status(links_add(world, A "#1", "b"), APR_SUCCESS);
    assert_status(links_add(world, "xri://=name", "b"), APR_SUCCESS);
    links = links_open(world);
    assert_string_equal(links_account(world, links, "http://a.example/~x"),
                        "Al  B");
    assert_string_equal(links_account(world, links, "https://a.example/~x"),
                        "(none)");
    assert_string_equal(links_account(world, links, A "#1"), "b");
    assert_string_equal(links_account(world, links, A), "(none)");
    assert_string_equal(links_account(world, links, "=name"), "b");
    assert_string_equal(links_account(world, links, "ftp://a"), "(none)");
    assert_string_equal(links_mistakes(world, links), "");
    assert_int_equal(strlen(links_all(world, links)),
                     strlen("http://a.example/~x=Al  B\n" A "#1=b\n"
                            "=name=b\n"));

    /* what is open finds what is new: it is looked at each time */
    assert_status(links_remove(world, A "#1", NULL), APR_SUCCESS);
    assert_status(links_remove(world, "=name", "b"), APR_SUCCESS);
    assert_false(orp_links_is_stale(links));
    assert_string_equal(links_account(world, links, A "#1"), "(none)");
    assert_string_equal(links_all(world, links),
                        "http://a.example/~x=Al  B\n");
    assert_int_equal(orp_links_mistakes(links)->nelts, 0);
    assert_int_equal(links_files(world), 1);
}

static void what_is_refused_changes_nothing(void **state)
{
    links_world_t *world = with_dbm(state);
    struct stat before, after;

    assert_status(links_remove(world, A, NULL), ORP_ELINKS);
    assert_non_null(strstr(world->why->sentence, "No such file"));
    assert_string_equal(links_read(world), "(none)");
    assert_status(links_add(world, A, "a"), APR_SUCCESS);
    assert_int_equal(stat(world->path, &before), 0);
    assert_status(links_add(world, A, "a"), APR_SUCCESS);
    assert_status(links_add(world, A, "b"), ORP_EEXISTS);
    assert_non_null(strstr(world->why->sentence, "\"a\""));
    assert_status(links_add(world, B, "b "), APR_EINVAL);
    assert_status(links_add(world, "ftp://b/", "b"), ORP_EIDENTIFIER);
    assert_status(links_remove(world, B, NULL), ORP_ENOTFOUND);
    assert_status(links_remove(world, A, "b"), ORP_ENOTFOUND);
    assert_status(links_remove(world, "ftp://b/", NULL), ORP_EIDENTIFIER);
    assert_int_equal(stat(world->path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_string_equal(links_all(world, links_open(world)), A "=a\n");
    assert_status(links_remove(world, A, "a"), APR_SUCCESS);
    assert_string_equal(links_all(world, links_open(world)), "");
    /* a reader of the old one is not disturbed */
    assert_int_equal(stat(world->path, &after), 0);
    assert_int_not_equal(before.st_ino, after.st_ino);
}

static void owner_and_mode_are_kept(void **state)
{
    links_world_t *world = with_dbm(state);
    mode_t before = umask(022);
    struct stat info;

    assert_status(links_add(world, A, "a"), APR_SUCCESS);
    assert_int_equal(stat(world->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0644);
    assert_int_equal(chmod(world->path, 0660), 0);
    if (getuid() == 0) {
        assert_int_equal(chown(world->path, 1234, 2345), 0);
    }
    assert_status(links_add(world, B, "b"), APR_SUCCESS);
    assert_int_equal(stat(world->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0660);
    assert_int_equal(info.st_uid, getuid() == 0 ? 1234 : getuid());
    umask(before);
}

/* ---------------------------------------------------------------------- */
/* Of others */

static const char *httxt2dbm(void)
{
    static const char *const places[] = {
        "/usr/sbin/httxt2dbm", "/usr/bin/httxt2dbm", "/usr/local/bin/httxt2dbm"
    };
    apr_size_t i;

    for (i = 0; i < COUNT(places); i++) {
        if (access(places[i], X_OK) == 0) {
            return places[i];
        }
    }
    return NULL;
}

/* It writes keys as they are, and of a value only the first word. */
static void those_of_httxt2dbm_are_read(void **state)
{
    links_world_t *world = with_dbm(state);
    links_world_t text = *world;
    const orp_links_t *links;

    if (!httxt2dbm()) {
        skip();
    }
    text.path = links_file(world, "source");
    links_write(&text, "# x\n" A " alice\n" B "#1\t bob\n"
                "=name Carol  C.\nc.example dan\n");
    assert_int_equal(system(apr_psprintf(world->pool, "%s -i %s -o %s",
                                         httxt2dbm(), text.path,
                                         world->path)), 0);
    links = links_open(world);
    assert_string_equal(links_account(world, links, A), "alice");
    assert_string_equal(links_account(world, links, B "#1"), "bob");
    assert_string_equal(links_account(world, links, B), "(none)");
    assert_string_equal(links_account(world, links, "=name"), "Carol");
    assert_string_equal(links_account(world, links, "c.example"), "(none)");
    assert_string_equal(links_mistakes(world, links), "the key \"c.example\" "
                        "is not in its normalized form, and so is never "
                        "found\n");
    assert_status(links_add(world, "c.example", "dan"), APR_SUCCESS);
    assert_string_equal(links_account(world, links, "c.example"), "dan");
}

/* Values that are no accounts, and what is said of them. */
static const struct {
    const char *value;
    apr_size_t size;
    const char *says;
} broken[] = {
    { "alice", 6, "contains a control character" },     /* a NUL behind */
    { "ali\nce", 6, "contains a control character" },
    { " alice", 6, "begins or ends with a blank" },
    { "\xE9va", 3, "is not text in UTF-8" },
};

static void a_value_that_is_no_account_is_a_failure(void **state)
{
    links_world_t *world = with_dbm(state);
    const orp_links_t *links;
    apr_size_t i;

    put(world, "default", B, "b", 1);
    for (i = 0; i < COUNT(broken); i++) {
        put(world, "default", A, broken[i].value, broken[i].size);
        links = links_open(world);
        assert_string_equal(links_account(world, links, A), "(failed)");
        assert_string_equal(links_account(world, links, B), "b");
        assert_string_equal(links_all(world, links), B "=b\n");
        assert_string_equal(links_mistakes(world, links),
                            apr_psprintf(world->pool, "the account of " A
                                         " %s\n", broken[i].says));
    }
    assert_status(links_remove(world, A, "alice"), ORP_ENOTFOUND);
    assert_status(links_add(world, A, "alice"), APR_SUCCESS);
    assert_string_equal(links_account(world, links, A), "alice");
    put(world, "default", A, "\x01", 1);
    assert_status(links_remove(world, A, NULL), APR_SUCCESS);
    assert_string_equal(links_account(world, links, A), "(none)");
    assert_string_equal(links_mistakes(world, links), "");
}

static void a_nul_behind_a_key_is_part_of_it(void **state)
{
    links_world_t *world = with_dbm(state);
    orp_links_text_t key = { A, sizeof(A) };
    const orp_links_t *links;

    put_bytes(world, "default", &key, "a", 1);
    links = links_open(world);
    assert_string_equal(links_account(world, links, A), "(none)");
    assert_string_equal(links_all(world, links), "");
    assert_string_equal(links_mistakes(world, links),
                        "the key \"" A "\" is no OpenID\n");
    put(world, "default", A, "b", 1);
    assert_string_equal(links_account(world, links, A), "b");
}

static void cannot_be_opened(links_world_t *world, const char *says)
{
    orp_links_t *links = NULL;

    world->why = orp_reason_create(world->pool);
    assert_status(orp_links_open(&links, world->place, world->why,
                                 world->pool), ORP_ELINKS);
    assert_null(links);
    assert_non_null(strstr(world->why->sentence, says));
}

static void what_is_no_dbm_is_said_so(void **state)
{
    links_world_t *world = with_dbm(state);
    orp_links_t *links;

    cannot_be_opened(world, "No such file");
    assert_int_equal(mkfifo(world->path, 0600), 0);
    cannot_be_opened(world, "it is not a file");
    assert_int_equal(unlink(world->path), 0);
    links_write(world, A " a\n");
    cannot_be_opened(world, "damaged, or no dbm");
    assert_status(links_add(world, A, "a"), ORP_ELINKS);
    assert_status(links_remove(world, A, "a"), ORP_ELINKS);
    assert_string_equal(links_read(world), A " a\n");
    assert_int_equal(unlink(world->path), 0);
    assert_status(links_add(world, A, "a"), APR_SUCCESS);
    links = links_open(world);
    assert_string_equal(links_account(world, links, A), "a");

    /* and later: no link is not the same as no file */
    assert_int_equal(unlink(world->path), 0);
    assert_string_equal(links_account(world, links, A), "(failed)");
    assert_string_equal(links_account(world, links, B), "(failed)");
}

/* ---------------------------------------------------------------------- */
/* Two files: sdbm, which is what APR makes where it has no other library */

static const char *sdbm_account(const links_world_t *world,
                                const orp_links_dbm_t *dbm, const char *id)
{
    const char *account = "(untouched)";
    apr_status_t status = orp_links_dbm_find(&account, dbm, id, NULL,
                                             world->pool);

    return status == APR_SUCCESS ? account
        : status == ORP_ENOTFOUND ? "(none)" : "(failed)";
}

static void a_dbm_of_two_files_is_changed_in_place(void **state)
{
    links_world_t *world = with_dbm(state);
    orp_links_dbm_t dbm = { world->path, "sdbm" };
    orp_link_t a = { A, "a" }, b = { B, "b" };
    apr_array_header_t *list, *mistakes;

    assert_status(orp_links_dbm_look(&dbm, world->why, world->pool),
                  ORP_ELINKS);
    assert_status(orp_links_dbm_remove(&dbm, &a, world->why, world->pool),
                  ORP_ELINKS);
    assert_int_equal(links_files(world), 0);
    assert_status(orp_links_dbm_add(&dbm, &a, world->why, world->pool), 0);
    assert_status(orp_links_dbm_add(&dbm, &a, world->why, world->pool), 0);
    assert_status(orp_links_dbm_add(&dbm, &b, world->why, world->pool), 0);
    a.account = "x";
    assert_status(orp_links_dbm_add(&dbm, &a, world->why, world->pool),
                  ORP_EEXISTS);
    assert_status(orp_links_dbm_look(&dbm, world->why, world->pool), 0);
    assert_string_equal(sdbm_account(world, &dbm, A), "a");
    assert_string_equal(sdbm_account(world, &dbm, B), "b");
    assert_int_equal(links_files(world), 2);

    a.account = NULL;
    assert_status(orp_links_dbm_remove(&dbm, &a, world->why, world->pool),
                  0);
    assert_string_equal(sdbm_account(world, &dbm, A), "(none)");
    assert_status(orp_links_dbm_list(&list, &mistakes, &dbm, world->pool), 0);
    assert_int_equal(list->nelts, 1);
    assert_string_equal(APR_ARRAY_IDX(list, 0, orp_link_t).identifier, B);
    assert_int_equal(unlink(links_file(world, "links.dir")), 0);
    assert_string_equal(sdbm_account(world, &dbm, B), "(failed)");
}

/* Berkeley DB writes bytes of large files that it has never set. */
static int is_watched(void)
{
    return getenv("ORP_VALGRIND") != NULL;
}

/* More than one page has: each key must be seen once. */
static void many_records_are_listed(void **state)
{
    links_world_t *world = with_dbm(state);
    static const char *const types[] = { "sdbm", "default" };
    apr_size_t t, count = is_watched() ? 1 : COUNT(types);
    int i;

    for (t = 0; t < count; t++) {
        orp_links_dbm_t dbm = { world->path, types[t] };
        apr_array_header_t *list, *mistakes;

        for (i = 0; i < 300; i++) {
            put(world, types[t], apr_psprintf(world->pool, A "%d", i),
                "alice", 5);
        }
        for (i = 0; i < ORP_LINKS_MISTAKES + 2; i++) {
            put(world, types[t], apr_psprintf(world->pool, "a%d", i),
                "alice", 5);
        }
        assert_status(orp_links_dbm_list(&list, &mistakes, &dbm,
                                         world->pool), APR_SUCCESS);
        assert_int_equal(list->nelts, 300);
        assert_int_equal(mistakes->nelts, ORP_LINKS_MISTAKES + 1);
        assert_string_equal(APR_ARRAY_IDX(mistakes, ORP_LINKS_MISTAKES,
                                          const char *),
                            "2 more records cannot be used");
        unlink(world->path);
    }
}

static void a_large_dbm_is_kept_whole(void **state)
{
    links_world_t *world = with_dbm(state);
    const char *longest = repeated("a", ORP_LINKS_ACCOUNT_MAX, world->pool);
    apr_array_header_t *list;
    struct stat info;
    int i;

    if (is_watched()) {
        return;
    }
    for (i = 0; i < 400; i++) {
        put(world, "default", apr_psprintf(world->pool, A "%d", i), longest,
            ORP_LINKS_ACCOUNT_MAX);
    }
    assert_int_equal(stat(world->path, &info), 0);
    assert_true(info.st_size > 100000);
    assert_status(links_add(world, A, "a"), APR_SUCCESS);
    assert_status(links_remove(world, A "7", NULL), APR_SUCCESS);
    assert_status(orp_links_list(&list, links_open(world), world->pool),
                  APR_SUCCESS);
    assert_int_equal(list->nelts, 400);
    assert_string_equal(links_account(world, links_open(world), A "399"),
                        longest);
}

/* ---------------------------------------------------------------------- */
/* Threads */

#define THREADS 8

typedef struct {
    const orp_links_t *links;
    apr_pool_t *pool;
    int wrong;
} reader_t;

static void *APR_THREAD_FUNC read_much(apr_thread_t *thread, void *data)
{
    reader_t *reader = data;
    int i, rounds = getenv("ORP_VALGRIND") ? 10 : 200;

    (void)thread;
    for (i = 0; i < rounds; i++) {
        const char *account = NULL;

        reader->wrong += orp_links_find(&account, reader->links, A,
                                        reader->pool) != APR_SUCCESS
            || strcmp(account, "a");
        reader->wrong += orp_links_find(&account, reader->links, B,
                                        reader->pool) != ORP_ENOTFOUND;
        apr_pool_clear(reader->pool);
    }
    return NULL;
}

static void many_threads_find_at_once(void **state)
{
    links_world_t *world = with_dbm(state);
    apr_thread_t *threads[THREADS];
    reader_t readers[THREADS];
    apr_status_t result;
    orp_links_t *links;
    int i;

    assert_status(links_add(world, A, "a"), APR_SUCCESS);
    links = links_open(world);
    for (i = 0; i < THREADS; i++) {
        readers[i].links = links;
        readers[i].wrong = 0;
        assert_int_equal(apr_pool_create(&readers[i].pool, NULL), 0);
        assert_int_equal(apr_thread_create(&threads[i], NULL, read_much,
                                           &readers[i], world->pool), 0);
    }
    for (i = 0; i < THREADS; i++) {
        assert_int_equal(apr_thread_join(&result, threads[i]), 0);
        assert_int_equal(readers[i].wrong, 0);
        apr_pool_destroy(readers[i].pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        links_test(a_link_is_added_found_and_removed),
        links_test(what_is_refused_changes_nothing),
        links_test(owner_and_mode_are_kept),
        links_test(those_of_httxt2dbm_are_read),
        links_test(a_value_that_is_no_account_is_a_failure),
        links_test(a_nul_behind_a_key_is_part_of_it),
        links_test(what_is_no_dbm_is_said_so),
        links_test(a_dbm_of_two_files_is_changed_in_place),
        links_test(many_records_are_listed),
        links_test(a_large_dbm_is_kept_whole),
        links_test(many_threads_find_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
