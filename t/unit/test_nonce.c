/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_nonce.c - orp_nonce: their form, their time, their one use. */

#include "support.h"

#include <apr_time.h>

#include "orp_nonce.h"

#define OP "https://op.example/"
#define LIFETIME apr_time_from_sec(300)

static apr_status_t parsed(scene_t *scene, const char *text,
                           orp_nonce_t **pnonce)
{
    *pnonce = NULL;
    return orp_nonce_parse(pnonce, text, scene->pool);
}

static apr_status_t claim(scene_t *scene, const char *endpoint,
                          const char *text)
{
    return orp_nonce_claim(&scene->env, endpoint, text, LIFETIME,
                           scene->pool);
}

static void a_nonce_is_a_time_and_a_salt(void **state)
{
    static const struct {
        const char *text;
        apr_int64_t seconds;
        const char *salt;
    } table[] = {
        { SCENE_TIME_TEXT "UNIQUE", 1768478400, "UNIQUE" },
        { "2005-05-15T17:11:51ZUNIQUE", 1116177111, "UNIQUE" },
        { "1970-01-01T00:00:00Z", 0, "" },
        { "2024-02-29T23:59:59Zx", 1709251199, "x" },
        { "2000-02-29T00:00:00Zx", 951782400, "x" },
        { "2999-12-31T23:59:59Zx", 32503679999, "x" },
        { "2005-05-15T17:11:51Z+/pXw4B=", 1116177111, "+/pXw4B=" },
        { "2005-05-15T17:11:51Z!~", 1116177111, "!~" },
        { "2005-05-15T17:11:51ZZ", 1116177111, "Z" },
    };
    scene_t *scene = *state;
    orp_nonce_t *nonce;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        assert_status(parsed(scene, table[i].text, &nonce), APR_SUCCESS);
        assert_true(nonce->issued == apr_time_from_sec(table[i].seconds));
        assert_text(nonce->salt, table[i].salt);
    }
}

static void what_is_no_nonce_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "x", "2026", "2026-01-15T12:00:00", "2026-01-15T12:00:00z",
        "2026-01-15t12:00:00Z", "2026-01-15 12:00:00Z",
        "2026-00-15T12:00:00Z", "2026-13-15T12:00:00Z",
        "2026-01-00T12:00:00Z", "2026-01-32T12:00:00Z",
        "2026-02-29T12:00:00Z", "1900-02-29T12:00:00Z",
        "2026-04-31T12:00:00Z", "2026-01-15T24:00:00Z",
        "2026-01-15T12:60:00Z", "2026-01-15T12:00:60Z",
        "1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z",
        "3000-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
        "2026-01-15T12:00:00+01:00", "2026-01-15T12:00:00.5Z",
        "-026-01-15T12:00:00Z", "+026-01-15T12:00:00Z",
        "2026-1-15T12:00:00Z", "12026-01-15T12:00:00Z",
        " 2026-01-15T12:00:00Z", "2026-01-15T12:00:00Za b",
        "2026-01-15T12:00:00Z\n", "2026-01-15T12:00:00Z\t",
        "2026-01-15T12:00:00Z\x7F", "2026-01-15T12:00:00Z\xC3\xA9",
        "2026-01-15T12:00:00Z\x01",
    };
    scene_t *scene = *state;
    orp_nonce_t *nonce;
    size_t i;

    for (i = 0; i < COUNT(texts); i++) {
        assert_status(parsed(scene, texts[i], &nonce), ORP_ENONCE);
        assert_null(nonce);
        assert_status(claim(scene, OP, texts[i]), ORP_ENONCE);
    }
    assert_int_equal(scene->store_calls, 0);
}

static void a_nonce_has_at_most_255_characters(void **state)
{
    scene_t *scene = *state;
    const char *salt = repeated("x", 235, scene->pool);
    orp_nonce_t *nonce;

    assert_status(parsed(scene, apr_pstrcat(scene->pool, SCENE_TIME_TEXT,
                                            salt, NULL), &nonce),
                  APR_SUCCESS);
    assert_text(nonce->salt, salt);
    assert_status(parsed(scene, apr_pstrcat(scene->pool, SCENE_TIME_TEXT,
                                            salt, "x", NULL), &nonce),
                  ORP_ENONCE);
}

static void a_nonce_is_good_from_its_lifetime_ago_to_two_minutes_ahead(
    void **state)
{
    const struct {
        apr_time_t issued;
        apr_status_t status;
    } table[] = {
        { SCENE_TIME, APR_SUCCESS },
        { SCENE_TIME - LIFETIME, APR_SUCCESS },
        { SCENE_TIME - LIFETIME - 1, ORP_ENONCEAGE },
        { SCENE_TIME + ORP_NONCE_AHEAD, APR_SUCCESS },
        { SCENE_TIME + ORP_NONCE_AHEAD + 1, ORP_ENONCEAGE },
        { 0, ORP_ENONCEAGE },
        { apr_time_from_sec(APR_INT64_C(253402300799)), ORP_ENONCEAGE },
    };
    size_t i;

    (void)state;
    assert_true(ORP_NONCE_AHEAD == apr_time_from_sec(120));
    for (i = 0; i < COUNT(table); i++) {
        orp_nonce_t nonce = { table[i].issued, "" };

        assert_status(orp_nonce_check_age(&nonce, SCENE_TIME, LIFETIME),
                      table[i].status);
    }
}

static void a_nonce_is_claimed_once(void **state)
{
    scene_t *scene = *state;

    assert_status(claim(scene, OP, SCENE_TIME_TEXT "a"), APR_SUCCESS);
    assert_status(claim(scene, OP, SCENE_TIME_TEXT "a"), ORP_EREPLAY);
    assert_status(claim(scene, OP, SCENE_TIME_TEXT "b"), APR_SUCCESS);
    assert_status(claim(scene, OP, SCENE_TIME_TEXT "A"), APR_SUCCESS);
    assert_status(claim(scene, OP "x", SCENE_TIME_TEXT "a"), APR_SUCCESS);
    assert_int_equal(scene_stored(scene, ORP_STORE_NONCE), 4);
}

static void a_long_nonce_is_kept_whole(void **state)
{
    scene_t *scene = *state;
    const char *start = apr_pstrcat(scene->pool, SCENE_TIME_TEXT,
                                    repeated("x", 234, scene->pool), NULL);

    assert_status(claim(scene, OP, apr_pstrcat(scene->pool, start, "a",
                                               NULL)), APR_SUCCESS);
    assert_status(claim(scene, OP, apr_pstrcat(scene->pool, start, "b",
                                               NULL)), APR_SUCCESS);
    assert_status(claim(scene, OP, apr_pstrcat(scene->pool, start, "a",
                                               NULL)), ORP_EREPLAY);
}

static void endpoint_and_nonce_are_no_other_pair(void **state)
{
    scene_t *scene = *state;

    assert_status(claim(scene, "https://a/", SCENE_TIME_TEXT "x"),
                  APR_SUCCESS);
    assert_status(claim(scene, "https://a/2026", "2026-01-15T12:00:00Zx"),
                  APR_SUCCESS);
    assert_status(claim(scene, "", SCENE_TIME_TEXT "x"), APR_SUCCESS);
}

/* A claim outlives its window, wherever in the window it was made. */
static void a_nonce_is_never_forgotten_while_it_would_be_accepted(
    void **state)
{
    static const char *const texts[] = {
        SCENE_TIME_TEXT "x", "2026-01-15T11:55:00Zx",
        "2026-01-15T12:02:00Zx",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(texts); i++) {
        apr_time_t begin = scene->now;
        int seconds, accepted = 0;
        apr_status_t status;

        for (seconds = 0; seconds < 500; seconds += 5) {
            status = claim(scene, OP, texts[i]);
            accepted += status == APR_SUCCESS;
            assert_true(status == APR_SUCCESS || status == ORP_EREPLAY
                        || status == ORP_ENONCEAGE);
            scene_turn_clock(scene, apr_time_from_sec(5));
        }
        assert_int_equal(accepted, 1);
        assert_int_equal(scene_stored(scene, ORP_STORE_NONCE), 0);
        scene->now = begin;
    }
}

static void a_nonce_outside_its_window_is_not_stored(void **state)
{
    scene_t *scene = *state;

    assert_status(claim(scene, OP, "2026-01-15T11:54:59Zx"), ORP_ENONCEAGE);
    assert_status(claim(scene, OP, "2026-01-15T12:02:01Zx"), ORP_ENONCEAGE);
    assert_int_equal(scene->store_calls, 0);
    assert_status(claim(scene, OP, "2026-01-15T11:55:00Zx"), APR_SUCCESS);
}

static void a_store_that_fails_claims_nothing(void **state)
{
    scene_t *scene = *state;

    scene_store_fails(scene, ORP_STORE_NONCE, ORP_ESTORE);
    assert_status(claim(scene, OP, SCENE_TIME_TEXT "x"), ORP_ESTORE);
    scene_store_fails(scene, ORP_STORE_NONCE, ORP_EFULL);
    assert_status(claim(scene, OP, SCENE_TIME_TEXT "x"), ORP_EFULL);
    scene_store_fails(scene, ORP_STORE_NONCE, APR_SUCCESS);
    assert_status(claim(scene, OP, SCENE_TIME_TEXT "x"), APR_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_nonce_is_a_time_and_a_salt),
        scene_test(what_is_no_nonce_is_refused),
        scene_test(a_nonce_has_at_most_255_characters),
        scene_test(
            a_nonce_is_good_from_its_lifetime_ago_to_two_minutes_ahead),
        scene_test(a_nonce_is_claimed_once),
        scene_test(a_long_nonce_is_kept_whole),
        scene_test(endpoint_and_nonce_are_no_other_pair),
        scene_test(a_nonce_is_never_forgotten_while_it_would_be_accepted),
        scene_test(a_nonce_outside_its_window_is_not_stored),
        scene_test(a_store_that_fails_claims_nothing),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("nonce", tests, NULL, NULL);
}
