/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_links.c - which account an identifier belongs to: what a file says. */

#include "support_links.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_thread_proc.h>
#include <apr_time.h>

#define A "https://a.example/"
#define B "https://b.example/"

/* A file, the links in it, and what is wrong with it. */
typedef struct {
    const char *name;
    const char *text;
    const char *links;
    const char *mistakes;
} reading_t;

static const reading_t readings[] = {
    { "nothing", "", "", "" },
    { "a link", A " alice\n", A "=alice\n", "" },
    { "blanks around and between", " \t" A " \t  alice \t\n", A "=alice\n",
      "" },
    { "blanks inside of an account", A " Alice  B.\n", A "=Alice  B.\n",
      "" },
    { "no newline at the end", A " alice\n" B " bob",
      A "=alice\n" B "=bob\n", "" },
    { "CRLF", A " alice\r\n\r\n" B " bob\r\n", A "=alice\n" B "=bob\n", "" },
    { "CR at the end of all", A " alice\r", A "=alice\n", "" },
    { "CR inside", A " alice\rbob\n", "",
      "line 1: the account contains a control character\n" },
    { "comments and empty lines", "# x y\n\n  \t\n \t# " B " z\n" A " a\n",
      A "=a\n", "" },
    { "no comment", A " alice # a\n", A "=alice # a\n", "" },
    { "byte order mark", "\xEF\xBB\xBF" A " alice\n", A "=alice\n", "" },
    { "byte order mark of a comment", "\xEF\xBB\xBF# x\n" A " alice\n",
      A "=alice\n", "" },
    { "byte order mark of another line", A " a\n\xEF\xBB\xBF" B " b\n",
      A "=a\n" B "=b\n", "" },
    { "typed", "A.Example/x alice\nHTTPS://B.example:443 bob\n",
      "http://a.example/x=alice\nhttps://b.example/=bob\n", "" },
    { "XRI", "xri://=!91F2.8153.F600.AE24 carol\n",
      "=!91F2.8153.F600.AE24=carol\n", "" },
    { "in another script", "https://b\xC3\xBC" "cher.example/\xC3\xA9 "
      "\xC3\xA9va\n", "https://xn--bcher-kva.example/%C3%A9=\xC3\xA9va\n",
      "" },
    { "several of one account", A " a\n" B " a\n=x a\n",
      A "=a\n" B "=a\n=x=a\n", "" },
    { "http and https", "http://a.example/ a\nhttps://a.example/ b\n",
      "http://a.example/=a\nhttps://a.example/=b\n", "" },
    { "fragments", A "#1 a\n" A "#2 b\n" A " c\n" A "# d\n",
      A "#1=a\n" A "#2=b\n" A "=c\n" A "#=d\n", "" },
    { "a fragment with escapes", A "#%7e%c3 a\n", A "#~%C3=a\n", "" },
    { "twice the same", A " a\nhttps://A.example a\n", A "=a\n", "" },
    { "two accounts", B " b\n" A " a\nhttps://A.example c\n",
      B "=b\n", "line 2: " A " has another account on line 3, and so it has "
      "none\nline 3: " A " has another account on line 2, and so it has "
      "none\n" },
    { "two accounts, and the first again", A " a\n" A " b\n" A " a\n", "",
      "line 1: " A " has another account on line 2, and so it has none\n"
      "line 2: " A " has another account on line 1, and so it has none\n"
      "line 3: " A " has another account on line 2, and so it has none\n" },
    { "three accounts", A " a\n" A " b\n" A " c\n", "",
      "line 1: " A " has another account on line 2, and so it has none\n"
      "line 2: " A " has another account on line 1, and so it has none\n"
      "line 3: " A " has another account on line 1, and so it has none\n" },
    { "case of an account", A " a\n" A " A\n", "", "line 1: *\nline 2: *\n" },
    { "no account", A "\n" B " b\n", B "=b\n",
      "line 1: the account is missing\n" },
    { "a mistake is no other account", A "\n" A " a\n", A "=a\n",
      "line 1: the account is missing\n" },
    { "no OpenID", "ftp://a/ a\n" B " b\n", B "=b\n",
      "line 1: \"ftp://a/\" cannot be used: *\n" },
    { "a user name in front", "https://u@a.example/ a\n", "",
      "line 1: *\n" },
    { "a broken escape in a fragment", A "#%4 a\n", "",
      "line 1: \"" A "#%4\" cannot be used: *\n" },
    { "a tab in the account", A " a\tb\n", "",
      "line 1: the account contains a control character\n" },
    { "DEL in the account", A " a\x7F\n", "",
      "line 1: the account contains a control character\n" },
    { "C1 in the account", A " a\xC2\x9B" "b\n", "",
      "line 1: the account contains a control character\n" },
    { "U+00A0 in the account", A " a\xC2\xA0" "b\n", A "=a\xC2\xA0" "b\n",
      "" },
    { "an account in Latin-1", A " \xE9va\n", "",
      "line 1: the account is not text in UTF-8\n" },
    { "an OpenID in Latin-1", "https://a.example/\xE9 a\n", "",
      "line 1: the OpenID is not text in UTF-8\n" },
    { "C1 in an XRI", "=a\xC2\x9B" "b a\n", "", "line 1: *\n" },
    { "both wrong", "ftp://a\n", "", "line 1: \"ftp://a\" cannot be used: "
      "*\n" },
};

/* "*" stands for the rest of a line. */
static int fits(const char *text, const char *pattern)
{
    while (*pattern) {
        if (*pattern == '*') {
            text += strcspn(text, "\n");
        }
        else if (*text++ != *pattern) {
            return 0;
        }
        pattern++;
    }
    return !*text;
}

static void a_file_is_read(void **state)
{
    links_world_t *world = *state;
    apr_size_t i;

    for (i = 0; i < COUNT(readings); i++) {
        const reading_t *reading = &readings[i];
        const orp_links_t *links;
        const char *mistakes;

        links_write(world, reading->text);
        links = links_open(world);
        mistakes = links_mistakes(world, links);
        if (strcmp(links_all(world, links), reading->links)) {
            fail_msg("%s: %s", reading->name, links_all(world, links));
        }
        if (!fits(mistakes, reading->mistakes)) {
            fail_msg("%s: %s", reading->name, mistakes);
        }
        assert_true((orp_links_mistakes(links)->nelts > 0)
                    == (*mistakes != '\0'));
    }
}

/* What is asked for, and what it has in a file with these lines. */
static const struct {
    const char *claimed_id;
    const char *account;
} findings[] = {
    { "https://a.example/", "alice" },
    { "HTTPS://A.example", "alice" },
    { "http://a.example/", "(none)" },
    { "https://a.example/#", "(none)" },
    { "https://a.example/#1", "(none)" },
    { "https://a.example/x", "(none)" },
    { "https://a.example/?", "(none)" },
    { "https://b.example/#2024", "bob" },
    { "https://b.example/#2025", "(none)" },
    { "https://b.example/", "(none)" },
    { "http://c.example/~c", "carol" },
    { "http://c.example/~C", "(none)" },
    { "=!91F2.8153.F600.AE24", "dan" },
    { "xri://=!91F2.8153.F600.AE24", "dan" },
    { "=!91f2.8153.f600.ae24", "(none)" },
    { "https://two.example/", "(none)" },
    { "https://broken.example/", "(none)" },
    { "#", "(none)" },
    { "", "(none)" },
    { "ftp://a.example/", "(none)" },
    { "https://a.example/ alice", "(none)" },
};

static void an_identifier_is_found_in_its_normalized_form(void **state)
{
    links_world_t *world = *state;
    const orp_links_t *links;
    apr_size_t i;

    links_write(world, "# who is who\n"
                A " alice\n"
                B "#2024 bob\n"
                "c.EXAMPLE/%7Ec carol\n"
                "=!91F2.8153.F600.AE24 dan\n"
                "https://two.example/ x\nhttps://two.example/ y\n"
                "https://broken.example/ \x01\n");
    links = links_open(world);
    for (i = 0; i < COUNT(findings); i++) {
        const char *account = links_account(world, links,
                                            findings[i].claimed_id);

        if (strcmp(account, findings[i].account)) {
            fail_msg("%s: %s", findings[i].claimed_id, account);
        }
    }
}

static void an_account_has_255_bytes_at_most(void **state)
{
    links_world_t *world = *state;
    const char *longest = repeated("a", 255, world->pool);

    links_write(world, apr_pstrcat(world->pool, A " ", longest, "\n" B " ",
                                   longest, "b\n", NULL));
    assert_string_equal(links_account(world, links_open(world), A), longest);
    assert_string_equal(links_account(world, links_open(world), B),
                        "(none)");
    assert_string_equal(links_mistakes(world, links_open(world)),
                        "line 2: the account is longer than 255 bytes\n");
}

static void a_nul_is_a_mistake(void **state)
{
    links_world_t *world = *state;
    static const char text[] = A " ali\0ce\nhttps://\0b.example/ b\n" B " b\n";
    FILE *file = fopen(world->path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, sizeof(text) - 1, file),
                     sizeof(text) - 1);
    fclose(file);
    assert_string_equal(links_all(world, links_open(world)), B "=b\n");
    assert_string_equal(links_mistakes(world, links_open(world)),
                        "line 1: the account contains a control character\n"
                        "line 2: the OpenID is not text in UTF-8\n");
}

static void a_long_line_is_quoted_in_part(void **state)
{
    links_world_t *world = *state;
    const char *mistakes;

    links_write(world, apr_pstrcat(world->pool, "ftp://",
                                   repeated("\xC3\xA9", 2000, world->pool),
                                   " a\n", NULL));
    mistakes = links_mistakes(world, links_open(world));
    assert_true(strlen(mistakes) < 400);
    assert_non_null(strstr(mistakes, "\xC3\xA9...\" cannot be used"));
}

static void only_the_first_mistakes_are_told(void **state)
{
    links_world_t *world = *state;
    const char *text = repeated(A "\n", ORP_LINKS_MISTAKES, world->pool);
    const apr_array_header_t *mistakes;

    links_write(world, text);
    mistakes = orp_links_mistakes(links_open(world));
    assert_int_equal(mistakes->nelts, ORP_LINKS_MISTAKES);
    links_write(world, apr_pstrcat(world->pool, text, A "\n" B "\n", NULL));
    mistakes = orp_links_mistakes(links_open(world));
    assert_int_equal(mistakes->nelts, ORP_LINKS_MISTAKES + 1);
    assert_string_equal(APR_ARRAY_IDX(mistakes, ORP_LINKS_MISTAKES,
                                      const char *),
                        "2 more lines cannot be used");
}

/* ---------------------------------------------------------------------- */
/* The place */

static void cannot_be_opened(links_world_t *world, const char *place,
                             const char *because)
{
    orp_links_t *links = NULL;

    world->why = orp_reason_create(world->pool);
    assert_status(orp_links_open(&links, place, world->why, world->pool),
                  ORP_ELINKS);
    assert_null(links);
    assert_status(world->why->status, ORP_ELINKS);
    if (!strstr(world->why->sentence, because)) {
        fail_msg("%s: %s", place, world->why->sentence);
    }
}

static void what_is_no_file_is_said_so(void **state)
{
    links_world_t *world = *state;
    const char *pipe = links_file(world, "pipe");

    links_write(world, A " a\n");
    assert_string_equal(links_account(world, links_open(world), A), "a");
    cannot_be_opened(world, world->path, "is not a place of links");
    cannot_be_opened(world, "txt:", "is not a place of links");
    cannot_be_opened(world, "dbm:", "is not a place of links");
    cannot_be_opened(world, "", "is not a place of links");
    cannot_be_opened(world, "dbd:SELECT 1", "is not a place of links");
    cannot_be_opened(world, "txt:/nowhere/links",
                     "/nowhere/links cannot be read: No such file");
    cannot_be_opened(world, apr_pstrcat(world->pool, "txt:", world->folder,
                                        NULL), "it is not a file");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    cannot_be_opened(world, apr_pstrcat(world->pool, "txt:", pipe, NULL),
                     "it is not a file");
}

static void a_file_has_16_megabytes_at_most(void **state)
{
    links_world_t *world = *state;

    links_write(world, A " a\n# ");
    assert_int_equal(truncate(world->path, ORP_LINKS_FILE_MAX), 0);
    assert_string_equal(links_account(world, links_open(world), A), "a");
    assert_int_equal(truncate(world->path, ORP_LINKS_FILE_MAX + 1), 0);
    cannot_be_opened(world, world->place, "has more than 16777216 bytes");
}

/* ---------------------------------------------------------------------- */
/* Stale */

/* The same size and the same time, as by cp -p. */
static void change_unseen(links_world_t *world, const char *text)
{
    struct stat info;
    struct timespec times[2];

    assert_int_equal(stat(world->path, &info), 0);
    times[0] = info.st_atim;
    times[1] = info.st_mtim;
    links_write(world, text);
    assert_int_equal(utimensat(AT_FDCWD, world->path, times, 0), 0);
}

static void any_change_makes_it_stale(links_world_t *world)
{
    const orp_links_t *links = links_open(world);

    change_unseen(world, A " b\n");
    assert_true(orp_links_is_stale(links));
    assert_string_equal(links_account(world, links, A), "a");
    assert_string_equal(links_account(world, links_open(world), A), "b");

    links = links_open(world);
    assert_int_equal(links_add(world, B, "b"), APR_SUCCESS);
    assert_true(orp_links_is_stale(links));

    links = links_open(world);
    assert_int_equal(unlink(world->path), 0);
    assert_true(orp_links_is_stale(links));
    assert_string_equal(links_account(world, links, A), "b");
}

/* A file that was changed just now is read once more, for a second change may
 * have the time of the first; then not, until it is changed. */
static void a_file_is_stale_when_it_was_changed(void **state)
{
    links_world_t *world = *state;
    const orp_links_t *links;

    links_write(world, A " a\n");
    links = links_open(world);
    assert_false(orp_links_is_stale(links));
    apr_sleep(apr_time_from_msec(2100));
    assert_true(orp_links_is_stale(links));
    links = links_open(world);
    assert_false(orp_links_is_stale(links));
    apr_sleep(apr_time_from_msec(50));
    assert_false(orp_links_is_stale(links));
    any_change_makes_it_stale(world);
}

/* ---------------------------------------------------------------------- */
/* Threads */

#define THREADS 8
#define LINKS 200

typedef struct {
    const orp_links_t *links;
    apr_pool_t *pool;
    int wrong;
} reader_t;

static void *APR_THREAD_FUNC read_much(apr_thread_t *thread, void *data)
{
    reader_t *reader = data;
    int i;

    (void)thread;
    for (i = 0; i < 20 * LINKS; i++) {
        const char *name = apr_psprintf(reader->pool, "u%d", i % LINKS);
        const char *account = NULL;
        const char *id = apr_pstrcat(reader->pool, A, name, NULL);

        reader->wrong += orp_links_find(&account, reader->links, id,
                                        reader->pool) != APR_SUCCESS
            || strcmp(account, name);
        if (i % 100 == 0) {
            apr_pool_clear(reader->pool);
        }
    }
    return NULL;
}

static void many_threads_find_at_once(void **state)
{
    links_world_t *world = *state;
    apr_thread_t *threads[THREADS];
    reader_t readers[THREADS];
    const char *text = "";
    orp_links_t *links;
    apr_status_t result;
    int i;

    for (i = 0; i < LINKS; i++) {
        text = apr_psprintf(world->pool, "%s" A "u%d u%d\n", text, i, i);
    }
    links_write(world, text);
    links = links_open(world);
    for (i = 0; i < THREADS; i++) {
        readers[i].links = links;
        readers[i].wrong = 0;
        /* no parent: pools of one parent are not for several threads */
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
        links_test(a_file_is_read),
        links_test(an_identifier_is_found_in_its_normalized_form),
        links_test(an_account_has_255_bytes_at_most),
        links_test(a_nul_is_a_mistake),
        links_test(a_long_line_is_quoted_in_part),
        links_test(only_the_first_mistakes_are_told),
        links_test(what_is_no_file_is_said_so),
        links_test(a_file_has_16_megabytes_at_most),
        links_test(a_file_is_stale_when_it_was_changed),
        links_test(many_threads_find_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
