/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_login.c - orp_login: the record of a login, and who may use it. */

#include "support.h"

#include "orp_login.h"

#define LIFETIME apr_time_from_sec(600)

static orp_login_t *make(scene_t *scene, const char **pbrowser)
{
    const char *browser;
    orp_login_t *login = NULL;

    assert_status(orp_login_create(&login, pbrowser ? pbrowser : &browser,
                                   &scene->env, LIFETIME, scene->pool),
                  APR_SUCCESS);
    login->origin = "https://rp.example";
    login->return_to = "https://rp.example/private?openid_return=KEY";
    login->target = "/private?a=b&a=&=c%20d";
    return login;
}

/* One whose browser is on its way. */
static orp_login_t *make_ready(scene_t *scene)
{
    orp_login_t *login = make(scene, NULL);

    login->state = ORP_LOGIN_READY;
    login->endpoint = "https://op.example/";
    login->redirect = "https://op.example/?secret";
    return login;
}

static orp_login_t *saved_and_found(scene_t *scene, const orp_login_t *login)
{
    orp_login_t *found = NULL;

    assert_status(orp_login_save(login, &scene->env, scene->pool),
                  APR_SUCCESS);
    assert_status(orp_login_find(&found, &scene->env, login->key,
                                 scene->pool), APR_SUCCESS);
    return found;
}

static void a_new_login_has_secrets_of_its_own(void **state)
{
    scene_t *scene = *state;
    const char *first, *second;
    orp_login_t *one = make(scene, &first), *two = make(scene, &second);

    assert_int_equal(strlen(one->key), 22);
    assert_int_equal(strlen(first), 22);
    assert_string_not_equal(one->key, first);
    assert_string_not_equal(one->key, two->key);
    assert_string_not_equal(first, second);
    assert_int_equal(one->state, ORP_LOGIN_NEW);
    assert_true(one->expires == SCENE_TIME + LIFETIME);
    assert_int_equal(scene_stored(scene, ORP_STORE_LOGIN), 0);
}

static void without_chance_there_is_no_login(void **state)
{
    scene_t *scene = *state;
    orp_login_t *login = NULL;
    const char *browser = NULL;

    scene->random_status = APR_EGENERAL;
    assert_status(orp_login_create(&login, &browser, &scene->env, LIFETIME,
                                   scene->pool), APR_EGENERAL);
    assert_null(login);
    assert_null(browser);
}

static void the_cookies_value_is_not_in_the_record(void **state)
{
    scene_t *scene = *state;
    const char *browser, *value;
    apr_size_t size;
    orp_login_t *login = make(scene, &browser);

    saved_and_found(scene, login);
    assert_status(orp_store_get(&value, &size, &scene->store,
                                ORP_STORE_LOGIN, login->key, scene->now,
                                scene->pool), APR_SUCCESS);
    assert_null(strstr(value, browser));
    assert_non_null(strstr(value, login->browser));
}

static void a_record_comes_back_as_it_was_saved(void **state)
{
    static const orp_login_state_e states[] = {
        ORP_LOGIN_NEW, ORP_LOGIN_READY, ORP_LOGIN_FAILED, ORP_LOGIN_DONE,
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(states); i++) {
        orp_login_t *login = make(scene, NULL), *found;

        login->state = states[i];
        login->version = i % 2 ? ORP_VERSION_1 : ORP_VERSION_2;
        login->typed = "  us\xC3\xA9r.example\n&=";
        login->endpoint = "https://op.example/?a=b";
        login->claimed_id = "https://user.example/";
        login->local_id = "";
        login->assoc_handle = "{a}&b=%";
        login->redirect = "https://op.example/?x";
        login->status = ORP_ETIMEOUT;
        login->sentence = "It failed.";
        login->answer = "openid.mode=cancel&a=%20";
        found = saved_and_found(scene, login);
        assert_text(found->key, login->key);
        assert_int_equal(found->state, login->state);
        assert_int_equal(found->version, login->version);
        assert_true(found->expires == login->expires);
        assert_text(found->browser, login->browser);
        assert_text(found->origin, login->origin);
        assert_text(found->return_to, login->return_to);
        assert_text(found->target, login->target);
        assert_text(found->typed, login->typed);
        assert_text(found->endpoint, login->endpoint);
        assert_text(found->claimed_id, login->claimed_id);
        assert_text(found->local_id, login->local_id);
        assert_text(found->assoc_handle, login->assoc_handle);
        assert_text(found->redirect, login->redirect);
        assert_text(found->sentence, login->sentence);
        assert_text(found->answer, login->answer);
        assert_status(found->status, ORP_ETIMEOUT);
    }
}

static void what_is_not_there_stays_away(void **state)
{
    scene_t *scene = *state;
    orp_login_t *found = saved_and_found(scene, make(scene, NULL));

    assert_text(found->typed, NULL);
    assert_text(found->endpoint, NULL);
    assert_text(found->claimed_id, NULL);
    assert_text(found->local_id, NULL);
    assert_text(found->assoc_handle, NULL);
    assert_text(found->sentence, NULL);
    assert_status(found->status, APR_SUCCESS);
}

static void a_login_is_found_until_it_expires(void **state)
{
    scene_t *scene = *state;
    orp_login_t *login = make(scene, NULL), *found;

    saved_and_found(scene, login);
    scene_turn_clock(scene, LIFETIME - 1);
    assert_status(orp_login_find(&found, &scene->env, login->key,
                                 scene->pool), APR_SUCCESS);
    scene_turn_clock(scene, 1);
    assert_status(orp_login_find(&found, &scene->env, login->key,
                                 scene->pool), ORP_ENOTFOUND);
}

static void a_key_that_is_none_finds_nothing(void **state)
{
    scene_t *scene = *state;
    const char *const keys[] = {
        "", "x", "../x", repeated("x", 5000, scene->pool),
    };
    orp_login_t *found = NULL;
    size_t i;

    saved_and_found(scene, make(scene, NULL));
    for (i = 0; i < COUNT(keys); i++) {
        assert_status(orp_login_find(&found, &scene->env, keys[i],
                                     scene->pool), ORP_ENOTFOUND);
        assert_null(found);
    }
}

/* It may be completed, so all that this needs must be there. */
#define WHOLE "state=ready&expires=1768479000000000&version=2&status=ok" \
    "&browser=x&origin=x&return_to=x&target=x&endpoint=x&redirect=x"

static void a_damaged_record_is_a_failure_of_the_store(void **state)
{
    static const char *const parts[] = {
        "state=ready", "&expires=1768479000000000", "&version=2",
        "&status=ok", "&browser=x", "&origin=x", "&return_to=x", "&target=x",
        "&endpoint=x", "&redirect=x",
    };
    static const char *const others[] = {
        "%", "state=x&expires=1&version=2&status=ok&browser=x&origin=x"
        "&return_to=x&target=x", "state=ready&expires=-1&version=2&status=ok"
        "&browser=x&origin=x&return_to=x&target=x",
        WHOLE "&claimed_id=x", WHOLE "&local_id=x",
        "version=10&" WHOLE, "version=&" WHOLE,
    };
    scene_t *scene = *state;
    orp_login_t *found;
    size_t missing, i;

    for (missing = 0; missing <= COUNT(parts) + COUNT(others); missing++) {
        const char *value = "";

        for (i = 0; i < COUNT(parts); i++) {
            value = apr_pstrcat(scene->pool, value,
                                i == missing ? "" : parts[i], NULL);
        }
        if (missing > COUNT(parts)) {
            value = others[missing - COUNT(parts) - 1];
        }
        assert_status(orp_store_put(&scene->store, ORP_STORE_LOGIN, "KEY",
                                    value, strlen(value), SCENE_TIME + 1,
                                    SCENE_TIME), APR_SUCCESS);
        assert_status(orp_login_find(&found, &scene->env, "KEY",
                                     scene->pool),
                      missing == COUNT(parts) ? APR_SUCCESS : ORP_ESTORE);
    }
}

static void a_login_is_taken_once(void **state)
{
    scene_t *scene = *state;
    orp_login_t *login = make_ready(scene), *found;

    login->assoc_handle = "h";
    login->typed = "user";
    login->answer = "openid.mode=id_res";
    saved_and_found(scene, login);
    assert_status(orp_login_take(login, &scene->env, scene->pool),
                  APR_SUCCESS);
    assert_status(orp_login_take(login, &scene->env, scene->pool),
                  ORP_EREPLAY);
    assert_status(orp_login_find(&found, &scene->env, login->key,
                                 scene->pool), APR_SUCCESS);
    assert_int_equal(found->state, ORP_LOGIN_DONE);
    assert_text(found->target, login->target);
    assert_text(found->browser, login->browser);
    assert_text(found->endpoint, NULL);
    assert_text(found->assoc_handle, NULL);
    assert_text(found->typed, NULL);
    assert_text(found->redirect, NULL);
    assert_text(found->answer, NULL);
}

static void taking_one_login_leaves_the_others(void **state)
{
    scene_t *scene = *state;
    orp_login_t *one = make_ready(scene), *two = make_ready(scene);

    saved_and_found(scene, one);
    saved_and_found(scene, two);
    assert_status(orp_login_take(one, &scene->env, scene->pool),
                  APR_SUCCESS);
    assert_status(orp_login_take(two, &scene->env, scene->pool),
                  APR_SUCCESS);
}

/* As long as the login could be found, it is known that it was taken. */
static void a_taken_login_stays_taken_for_its_life(void **state)
{
    scene_t *scene = *state;
    orp_login_t *login = make_ready(scene);

    saved_and_found(scene, login);
    assert_status(orp_login_take(login, &scene->env, scene->pool),
                  APR_SUCCESS);
    scene_turn_clock(scene, LIFETIME);
    assert_status(orp_login_take(login, &scene->env, scene->pool),
                  ORP_EREPLAY);
}

static void only_a_login_that_is_ready_can_be_taken(void **state)
{
    static const orp_login_state_e states[] = {
        ORP_LOGIN_NEW, ORP_LOGIN_FAILED,
    };
    scene_t *scene = *state;
    orp_login_t *login;
    size_t i;

    for (i = 0; i < COUNT(states); i++) {
        login = make_ready(scene);
        login->state = states[i];
        saved_and_found(scene, login);
        assert_status(orp_login_take(login, &scene->env, scene->pool),
                      ORP_ELOGIN);
    }
    login = make_ready(scene);
    saved_and_found(scene, login);
    assert_status(orp_login_take(login, &scene->env, scene->pool),
                  APR_SUCCESS);
}

/* ---------------------------------------------------------------------- */
/* Somebody empties the store */

/* The scene's store, which is emptied when it is called for the n-th time. */
typedef struct {
    scene_t *scene;
    int calls;
    int empty_at;               /* 0: before the first call */
    const orp_login_t *rival;   /* somebody else takes this one just before */
    int rival_won;
} emptied_t;

static void empty(scene_t *scene)
{
    apr_time_t now = scene->now;

    /* all that can be in it has expired by then */
    assert_status(orp_store_sweep(&scene->store, now + 10 * LIFETIME),
                  APR_SUCCESS);
    assert_int_equal(scene_stored(scene, ORP_STORE_LOGIN), 0);
    assert_int_equal(scene_stored(scene, ORP_STORE_NONCE), 0);
}

static orp_store_t *before_a_call(void *baton)
{
    emptied_t *emptied = baton;

    if (emptied->calls++ == emptied->empty_at) {
        emptied->rival_won = emptied->rival
            && orp_login_take(emptied->rival, &emptied->scene->env,
                              emptied->scene->pool) == APR_SUCCESS;
        empty(emptied->scene);
    }
    return &emptied->scene->store;
}

static apr_status_t emptied_get(const char **pvalue, apr_size_t *psize,
                                void *baton, orp_store_kind_e kind,
                                const char *key, apr_time_t now,
                                apr_pool_t *pool)
{
    return orp_store_get(pvalue, psize, before_a_call(baton), kind, key, now,
                         pool);
}

static apr_status_t emptied_put(void *baton, orp_store_kind_e kind,
                                const char *key, const void *value,
                                apr_size_t size, apr_time_t expires,
                                apr_time_t now)
{
    return orp_store_put(before_a_call(baton), kind, key, value, size,
                         expires, now);
}

static apr_status_t emptied_claim(void *baton, orp_store_kind_e kind,
                                  const char *key, apr_time_t expires,
                                  apr_time_t now)
{
    return orp_store_claim(before_a_call(baton), kind, key, expires, now);
}

static const orp_store_backend_t emptied_backend = {
    .name = "emptied",
    .put = emptied_put,
    .get = emptied_get,
    .claim = emptied_claim,
};

/* Two requests have read the same login; one takes it, and the store is
 * emptied before the n-th thing that it does, for each n. Then the other one
 * takes it, and a third. One of them wins at most. */
static void an_emptied_store_has_no_second_winner(void **state)
{
    scene_t *scene = *state;
    int n;

    for (n = 0; n < 5; n++) {
        emptied_t emptied = { scene, 0, n, NULL, 0 };
        orp_store_t store = { &emptied_backend, &emptied };
        orp_env_t env = scene->env;
        orp_login_t *login = make_ready(scene), *one, *two;
        int winners;

        env.store = &store;
        one = saved_and_found(scene, login);
        two = saved_and_found(scene, login);
        winners = orp_login_take(one, &env, scene->pool) == APR_SUCCESS;
        if (n > 2) {
            /* it was done before */
            assert_int_equal(emptied.calls, 3);
            assert_int_equal(winners, 1);
            empty(scene);
        }
        winners += orp_login_take(two, &scene->env, scene->pool)
            == APR_SUCCESS;
        winners += orp_login_take(two, &scene->env, scene->pool)
            == APR_SUCCESS;
        assert_in_range(winners, 0, 1);
    }
}

/* One of them takes it, and the store is emptied, while the other one is in the
 * midst of taking it. */
static void nor_has_one_that_is_emptied_between_the_two(void **state)
{
    scene_t *scene = *state;
    int n;

    for (n = 0; n < 3; n++) {
        emptied_t emptied = { scene, 0, n, NULL, 0 };
        orp_store_t store = { &emptied_backend, &emptied };
        orp_env_t env = scene->env;
        orp_login_t *login = make_ready(scene), *two;
        int won;

        env.store = &store;
        emptied.rival = saved_and_found(scene, login);
        two = saved_and_found(scene, login);
        won = orp_login_take(two, &env, scene->pool) == APR_SUCCESS;
        assert_true(emptied.calls > n);
        assert_in_range(won + emptied.rival_won, 0, 1);
        assert_int_equal(emptied.rival_won, n == 0);
    }
}

static void what_is_gone_or_over_is_not_changed(void **state)
{
    scene_t *scene = *state;
    orp_login_t *login = make_ready(scene), *found;

    saved_and_found(scene, login);
    login->answer = "openid.mode=id_res";
    assert_status(orp_login_change(login, &scene->env, scene->pool),
                  APR_SUCCESS);
    assert_status(orp_login_find(&found, &scene->env, login->key,
                                 scene->pool), APR_SUCCESS);
    assert_text(found->answer, "openid.mode=id_res");
    assert_status(orp_login_take(login, &scene->env, scene->pool),
                  APR_SUCCESS);
    assert_status(orp_login_change(login, &scene->env, scene->pool),
                  ORP_EREPLAY);
    assert_status(orp_login_find(&found, &scene->env, login->key,
                                 scene->pool), APR_SUCCESS);
    assert_int_equal(found->state, ORP_LOGIN_DONE);

    empty(scene);
    assert_status(orp_login_change(login, &scene->env, scene->pool),
                  ORP_ELOGIN);
    assert_int_equal(scene_stored(scene, ORP_STORE_LOGIN), 0);
    scene_store_fails(scene, ORP_STORE_LOGIN, ORP_ESTORE);
    assert_status(orp_login_change(login, &scene->env, scene->pool),
                  ORP_ESTORE);
}

/* ---------------------------------------------------------------------- */

static void a_store_that_fails_keeps_and_gives_no_login(void **state)
{
    scene_t *scene = *state;
    orp_login_t *login = make_ready(scene), *found;

    scene_store_fails(scene, ORP_STORE_LOGIN, ORP_EFULL);
    assert_status(orp_login_save(login, &scene->env, scene->pool),
                  ORP_EFULL);
    scene_store_fails(scene, ORP_STORE_KINDS, ORP_ESTORE);
    assert_status(orp_login_save(login, &scene->env, scene->pool),
                  ORP_ESTORE);
    assert_status(orp_login_find(&found, &scene->env, login->key,
                                 scene->pool), ORP_ESTORE);
    assert_status(orp_login_take(login, &scene->env, scene->pool),
                  ORP_ESTORE);
    scene_store_fails(scene, ORP_STORE_KINDS, APR_SUCCESS);
    saved_and_found(scene, login);
    assert_status(orp_login_take(login, &scene->env, scene->pool),
                  APR_SUCCESS);
}

static void a_record_has_a_ceiling(void **state)
{
    scene_t *scene = *state;
    orp_login_t *login = make(scene, NULL);

    login->target = repeated("x", ORP_LOGIN_TARGET_MAX, scene->pool);
    assert_text(saved_and_found(scene, login)->target, login->target);
    login->target = repeated("x", ORP_STORE_VALUE_MAX, scene->pool);
    assert_status(orp_login_save(login, &scene->env, scene->pool),
                  ORP_ETOOBIG);
}

static void only_the_browser_that_began_it_is_its_browser(void **state)
{
    scene_t *scene = *state;
    const char *browser, *other;
    orp_login_t *login = make(scene, &browser);

    make(scene, &other);
    assert_true(orp_login_is_browser(login, browser, scene->pool));
    assert_false(orp_login_is_browser(login, other, scene->pool));
    assert_false(orp_login_is_browser(login, NULL, scene->pool));
    assert_false(orp_login_is_browser(login, "", scene->pool));
    assert_false(orp_login_is_browser(login, login->browser, scene->pool));
    assert_false(orp_login_is_browser(login, login->key, scene->pool));
    assert_false(orp_login_is_browser(login, apr_pstrcat(
        scene->pool, browser, "x", NULL), scene->pool));
    login->browser = "";
    assert_false(orp_login_is_browser(login, "", scene->pool));
}

static void a_login_that_was_forgotten_is_gone(void **state)
{
    scene_t *scene = *state;
    const char *browser;
    orp_login_t *login = make(scene, &browser), *found;

    saved_and_found(scene, login);
    assert_status(orp_login_forget(login, &scene->env), APR_SUCCESS);
    assert_status(orp_login_find(&found, &scene->env, login->key,
                                 scene->pool), ORP_ENOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_new_login_has_secrets_of_its_own),
        scene_test(without_chance_there_is_no_login),
        scene_test(the_cookies_value_is_not_in_the_record),
        scene_test(a_record_comes_back_as_it_was_saved),
        scene_test(what_is_not_there_stays_away),
        scene_test(a_login_is_found_until_it_expires),
        scene_test(a_key_that_is_none_finds_nothing),
        scene_test(a_damaged_record_is_a_failure_of_the_store),
        scene_test(a_login_is_taken_once),
        scene_test(taking_one_login_leaves_the_others),
        scene_test(a_taken_login_stays_taken_for_its_life),
        scene_test(only_a_login_that_is_ready_can_be_taken),
        scene_test(an_emptied_store_has_no_second_winner),
        scene_test(nor_has_one_that_is_emptied_between_the_two),
        scene_test(what_is_gone_or_over_is_not_changed),
        scene_test(a_store_that_fails_keeps_and_gives_no_login),
        scene_test(a_record_has_a_ceiling),
        scene_test(only_the_browser_that_began_it_is_its_browser),
        scene_test(a_login_that_was_forgotten_is_gone),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}
