/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_env.c - orp_status and orp_env; and the scene that all other tests
 * stand on. */

#include "support.h"

static const apr_status_t statuses[] = {
    APR_SUCCESS,
    ORP_EIDENTIFIER, ORP_EXRI, ORP_EURL,
    ORP_EENCODING, ORP_ETOOBIG, ORP_EXML, ORP_ECRYPTO,
    ORP_ERESOLVE, ORP_ECONNECT, ORP_ETIMEOUT, ORP_ETLS, ORP_EADDRESS,
    ORP_ESCHEME, ORP_EREDIRECT, ORP_EHTTP, ORP_EFETCH,
    ORP_ENOTOPENID, ORP_EDISCOVERY, ORP_EASSOCIATE, ORP_ENOASSOC,
    ORP_EPROVIDER, ORP_ERATE,
    ORP_EMESSAGE, ORP_EMODE, ORP_ELOGIN, ORP_EBROWSER, ORP_EVERSION,
    ORP_ERETURNTO, ORP_EENDPOINT, ORP_EIDENTITY, ORP_EUNSIGNED,
    ORP_ESIGNATURE, ORP_ENONCE, ORP_ENONCEAGE, ORP_EREPLAY, ORP_ECANCEL,
    ORP_ESETUP, ORP_EOPERROR, ORP_EPOLICY, ORP_EREALM,
    ORP_ENOACCOUNT, ORP_ELINKS,
    ORP_ESTORE, ORP_EFULL, ORP_ENOTFOUND, ORP_EEXISTS,
};

static void every_status_has_a_code_and_a_sentence(void **state)
{
    size_t i, j;

    (void)state;
    for (i = 0; i < COUNT(statuses); i++) {
        const char *code = orp_status_code(statuses[i]);
        const char *sentence = orp_strerror(statuses[i], NULL, 0);

        assert_string_not_equal(code, "internal");
        assert_status(orp_status_from_code(code), statuses[i]);
        assert_int_equal(sentence[strlen(sentence) - 1], '.');
        for (j = 0; j < i; j++) {
            assert_string_not_equal(code, orp_status_code(statuses[j]));
        }
    }
}

static void other_statuses_are_left_to_apr(void **state)
{
    char buf[100] = "";

    (void)state;
    assert_text(orp_status_code(APR_ENOMEM), "internal");
    assert_ptr_equal(orp_strerror(APR_ENOMEM, buf, sizeof(buf)), buf);
    assert_true(*buf);
    assert_status(orp_status_from_code("no-such-code"), APR_EGENERAL);
}

static void a_reason_is_copied_and_replaced(void **state)
{
    scene_t *scene = *state;
    orp_reason_t *why = orp_reason_create(scene->pool);
    char subject[] = "sig";

    assert_status(why->status, APR_SUCCESS);
    assert_text(why->sentence, "");
    assert_text(why->subject, NULL);
    assert_status(orp_reason_set(why, ORP_EURL, subject, "%d%%", 7),
                  ORP_EURL);
    subject[0] = 'x';
    assert_status(why->status, ORP_EURL);
    assert_text(why->sentence, "7%");
    assert_text(why->subject, "sig");
    assert_status(orp_reason_set(why, ORP_EXML, NULL, "Bad."), ORP_EXML);
    assert_text(why->sentence, "Bad.");
    assert_text(why->subject, NULL);
    assert_status(orp_reason_set(NULL, ORP_EXML, "a", "Bad."), ORP_EXML);
}

static void a_token_is_128_bits_of_chance(void **state)
{
    static const char bytes[] = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09"
        "\x0a\x0b\x0c\xfb\xff\xfe";
    scene_t *scene = *state;
    const char *one = NULL, *two = NULL;

    scene_next_random(scene, bytes, 16);
    assert_status(orp_env_token(&one, &scene->env, scene->pool),
                  APR_SUCCESS);
    assert_text(one, "AAECAwQFBgcICQoLDPv__g");
    assert_status(orp_env_token(&two, &scene->env, scene->pool),
                  APR_SUCCESS);
    assert_int_equal(strlen(two), 22);
    assert_string_not_equal(one, two);
}

static void no_token_is_made_where_chance_fails(void **state)
{
    scene_t *scene = *state;
    const char *token = NULL;

    scene->random_status = ORP_ECRYPTO;
    assert_status(orp_env_token(&token, &scene->env, scene->pool),
                  ORP_ECRYPTO);
    assert_null(token);
}

static void nothing_begins_a_log_line_of_its_own(void **state)
{
    scene_t *scene = *state;

    orp_log(&scene->env, ORP_LOG_WARN, 41, scene->pool, "refused: %s",
            "a\r\nO2RP-001: fine\x1b[2J\x7f caf\xc3\xa9");
    assert_int_equal(scene_logged(scene, 41), 1);
    assert_int_equal(scene_logged(scene, 1), 0);
    assert_text(APR_ARRAY_IDX(scene->log, 0, logged_t *)->line,
                "refused: a\\x0d\\x0aO2RP-001: fine\\x1b[2J\\x7f caf\xc3\xa9");
    assert_true(scene_log_contains(scene, "caf"));
    assert_false(scene_log_contains(scene, "\n"));
}

static void a_world_without_a_log_is_silent(void **state)
{
    scene_t *scene = *state;

    scene->env.log = NULL;
    orp_log(&scene->env, ORP_LOG_WARN, 41, scene->pool, "x");
    assert_int_equal(scene_logged(scene, 41), 0);
}

static void the_clock_stands_until_it_is_turned(void **state)
{
    scene_t *scene = *state;
    apr_time_exp_t t;

    assert_true(orp_env_now(&scene->env) == SCENE_TIME);
    scene_turn_clock(scene, apr_time_from_sec(90));
    assert_true(orp_env_now(&scene->env)
                == SCENE_TIME + apr_time_from_sec(90));
    assert_status(apr_time_exp_gmt(&t, SCENE_TIME), APR_SUCCESS);
    assert_text(apr_psprintf(scene->pool, "%04d-%02d-%02dT%02d:%02d:%02dZ",
                             t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                             t.tm_hour, t.tm_min, t.tm_sec),
                SCENE_TIME_TEXT);
}

#define GET(scene, key, now) \
    orp_store_get(&value, NULL, &(scene)->store, ORP_STORE_LOGIN, (key), \
                  (now), (scene)->pool)

static void the_store_of_a_scene_keeps_its_promises(void **state)
{
    scene_t *scene = *state;
    const apr_time_t t = SCENE_TIME;
    const char *value;

    assert_status(GET(scene, "k", t), ORP_ENOTFOUND);
    assert_status(orp_store_put(&scene->store, ORP_STORE_LOGIN, "k", "one",
                                3, t + 10, t), APR_SUCCESS);
    assert_status(orp_store_put(&scene->store, ORP_STORE_LOGIN, "k", "two",
                                3, t + 10, t), APR_SUCCESS);
    assert_status(GET(scene, "k", t + 9), APR_SUCCESS);
    assert_text(value, "two");
    assert_status(GET(scene, "k", t + 10), ORP_ENOTFOUND);
    assert_int_equal(scene_stored(scene, ORP_STORE_LOGIN), 1);
    assert_int_equal(scene_stored(scene, ORP_STORE_SESSION), 0);
    assert_status(orp_store_claim(&scene->store, ORP_STORE_NONCE, "k",
                                  t + 10, t), APR_SUCCESS);
    assert_status(orp_store_claim(&scene->store, ORP_STORE_NONCE, "k",
                                  t + 10, t + 9), ORP_EEXISTS);
    assert_status(orp_store_claim(&scene->store, ORP_STORE_NONCE, "k",
                                  t + 20, t + 10), APR_SUCCESS);
    assert_status(orp_store_take(&value, NULL, &scene->store,
                                 ORP_STORE_LOGIN, "k", t, scene->pool),
                  APR_SUCCESS);
    assert_text(value, "two");
    assert_status(orp_store_take(&value, NULL, &scene->store,
                                 ORP_STORE_LOGIN, "k", t, scene->pool),
                  ORP_ENOTFOUND);
    assert_status(orp_store_remove(&scene->store, ORP_STORE_NONCE, "k"),
                  APR_SUCCESS);
    assert_int_equal(scene_stored(scene, ORP_STORE_NONCE), 0);
    assert_status(orp_store_sweep(&scene->store, t + 99), APR_SUCCESS);
}

static void the_store_of_a_scene_fails_when_told_to(void **state)
{
    scene_t *scene = *state;
    const apr_time_t t = SCENE_TIME;
    const char *value;

    assert_status(orp_store_put(&scene->store, ORP_STORE_LOGIN, "k", "v", 1,
                                t + 10, t), APR_SUCCESS);
    scene_store_fails(scene, ORP_STORE_KINDS, ORP_ESTORE);
    assert_status(GET(scene, "k", t), ORP_ESTORE);
    assert_status(orp_store_claim(&scene->store, ORP_STORE_NONCE, "n",
                                  t + 10, t), ORP_ESTORE);
    scene_store_fails(scene, ORP_STORE_LOGIN, ORP_EFULL);
    assert_status(GET(scene, "k", t), APR_SUCCESS);
    assert_status(orp_store_put(&scene->store, ORP_STORE_LOGIN, "l", "v", 1,
                                t + 10, t), ORP_EFULL);
    assert_status(orp_store_remove(&scene->store, ORP_STORE_NONCE, "n"),
                  ORP_ESTORE);
    scene_store_fails(scene, ORP_STORE_NONCE, APR_SUCCESS);
    assert_status(orp_store_claim(&scene->store, ORP_STORE_NONCE, "n",
                                  t + 10, t), APR_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(every_status_has_a_code_and_a_sentence),
        scene_test(other_statuses_are_left_to_apr),
        scene_test(a_reason_is_copied_and_replaced),
        scene_test(a_token_is_128_bits_of_chance),
        scene_test(no_token_is_made_where_chance_fails),
        scene_test(nothing_begins_a_log_line_of_its_own),
        scene_test(a_world_without_a_log_is_silent),
        scene_test(the_clock_stands_until_it_is_turned),
        scene_test(the_store_of_a_scene_keeps_its_promises),
        scene_test(the_store_of_a_scene_fails_when_told_to),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("env", tests, NULL, NULL);
}
