/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_immediate.c - checkid_immediate (OpenID Authentication 2.0, 9.3 and
 * 10.2.1; 1.1, 4.2.2.1): asking a provider without asking its user. */

#include "support_ext.h"

#define OP "https://op.example/auth"
#define USER "https://user.example/"

/* One login at a page of this sort. */
static visit_t *begun(scene_t *scene, op_t **pop, op_page_e page,
                      int immediate)
{
    visit_t *visit = visit_new(scene, USER);
    orp_reason_t *why;

    *pop = op_at(scene, OP);
    op_publish(*pop, USER, page, NULL);
    visit->rp.immediate = immediate;
    assert_status(visit_status(visit, &why), APR_SUCCESS);
    return visit;
}

static orp_params_t *setup_needed(scene_t *scene)
{
    return params_of(scene->pool, "openid.ns", ORP_NS_20, "openid.mode",
                     "setup_needed", NULL);
}

/* What a provider of 1.1 says instead. */
static orp_params_t *setup_url(scene_t *scene)
{
    return params_of(scene->pool, "openid.mode", "id_res",
                     "openid.user_setup_url",
                     "https://op.example/setup?openid.mode=checkid_setup",
                     NULL);
}

/* The provider says that it has to ask: no refusal, and nothing changes. */
static void assert_setup(const visit_t *visit, const orp_params_t *answer)
{
    scene_t *scene = visit->scene;
    orp_reason_t *why = orp_reason_create(scene->pool);
    int requests = scene_requests(scene), nonces, logins, lines;
    orp_assertion_t assertion = {
        message_of(answer, scene->pool), NULL, visit->url, visit->origin,
        visit->browser
    };
    orp_login_t *login;
    orp_identity_t *identity = NULL;

    nonces = scene_stored(scene, ORP_STORE_NONCE);
    logins = scene_stored(scene, ORP_STORE_LOGIN);
    lines = scene_logged(scene, 114);
    assert_status(orp_login_find(&login, &scene->env, visit->login->key,
                                 scene->pool), APR_SUCCESS);
    assertion.login = login;
    assert_status(orp_login_complete(&identity, &scene->env, &visit->rp,
                                     &assertion, why, scene->pool),
                  ORP_ESETUP);
    assert_null(identity);
    assert_status(why->status, ORP_ESETUP);
    assert_int_equal(login->state, ORP_LOGIN_READY);
    assert_int_equal(scene_logged(scene, 114), lines + 1);
    assert_int_equal(scene_logged(scene, 112), 0);
    assert_int_equal(scene_requests(scene), requests);
    assert_int_equal(scene_stored(scene, ORP_STORE_NONCE), nonces);
    assert_int_equal(scene_stored(scene, ORP_STORE_LOGIN), logins);
}

/* Everything but the mode. */
static void assert_same_question(scene_t *scene, const char *one,
                                 const char *two)
{
    orp_params_t *a = query_of(one, scene->pool);
    orp_params_t *b = query_of(two, scene->pool);
    int i, differ = 0;

    assert_int_equal(orp_params_size(a), orp_params_size(b));
    for (i = 0; i < orp_params_size(a); i++) {
        assert_text(orp_params_name(a, i), orp_params_name(b, i));
        if (strcmp(orp_params_value(a, i), orp_params_value(b, i)) != 0) {
            assert_text(orp_params_name(a, i), "openid.mode");
            differ++;
        }
    }
    assert_int_equal(differ, 1);
}

/* Both stand in the login's record, and differ in their mode. */
static void assert_prepared(scene_t *scene, op_page_e page)
{
    op_t *op;
    visit_t *visit = begun(scene, &op, page, 1);
    orp_login_t *login;

    assert_status(orp_login_find(&login, &scene->env, visit->login->key,
                                 scene->pool), APR_SUCCESS);
    assert_text(login->redirect, visit->login->redirect);
    assert_text(login->setup, visit->login->setup);
    assert_text(orp_params_get(query_of(login->redirect, scene->pool),
                               "openid.mode"), "checkid_immediate");
    assert_text(orp_params_get(query_of(login->setup, scene->pool),
                               "openid.mode"), "checkid_setup");
    assert_same_question(scene, login->redirect, login->setup);
    assert_int_equal(op->associated, 1);
}

static void both_questions_are_prepared_at_once(void **state)
{
    assert_prepared(*state, OP_SIGNON_20);
}

static void both_questions_are_prepared_in_1_as_well(void **state)
{
    assert_prepared(*state, OP_HTML_11);
}

static void who_does_not_want_it_is_not_asked_so(void **state)
{
    op_t *op;
    visit_t *visit = begun(*state, &op, OP_SIGNON_20, 0);

    assert_text(asked(visit, "openid.mode"), "checkid_setup");
    assert_text(visit->login->setup, NULL);
}

static void extensions_are_part_of_both_questions(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    visit_t *visit = visit_new(scene, USER);
    orp_sreg_t sreg = { list_of(scene->pool, "email", NULL),
                        list_of(scene->pool, NULL), NULL };
    orp_reason_t *why;

    op_publish(op, USER, OP_SIGNON_20, NULL);
    visit->rp.immediate = 1;
    visit->rp.sreg = &sreg;
    visit->rp.teams = list_of(scene->pool, "red", NULL);
    assert_status(visit_status(visit, &why), APR_SUCCESS);
    assert_text(asked(visit, "openid.sreg.required"), "email");
    assert_text(asked(visit, "openid.lp.query_membership"), "red");
    assert_same_question(scene, visit->login->redirect,
                         visit->login->setup);
}

static void a_positive_answer_signs_in_at_once(void **state)
{
    op_t *op;
    visit_t *visit = begun(*state, &op, OP_SIGNON_20, 1);

    assert_text(assert_accepted(visit, op_answer(op, visit))->claimed_id,
                USER);
}

static void setup_needed_leaves_the_login_as_it_was(void **state)
{
    scene_t *scene = *state;
    op_t *op;
    visit_t *visit = begun(scene, &op, OP_SIGNON_20, 1);

    assert_setup(visit, setup_needed(scene));
    assert_setup(visit, with(setup_needed(scene), "openid.ns", NULL));
    assert_setup(visit, setup_needed(scene));
    assert_accepted(visit, op_answer(op, visit));
    assert_refused_quietly(visit, setup_needed(scene), ORP_EREPLAY);
}

static void setup_needed_after_setup_is_a_refusal(void **state)
{
    scene_t *scene = *state;
    op_t *op;
    visit_t *visit = begun(scene, &op, OP_SIGNON_20, 0);

    assert_refused_quietly(visit, setup_needed(scene), ORP_ESETUP);
    assert_int_equal(scene_logged(scene, 112), 1);
    assert_int_equal(scene_logged(scene, 114), 0);
    assert_accepted(visit, op_answer(op, visit));
}

static void setup_needed_is_for_the_browser_that_asked(void **state)
{
    scene_t *scene = *state;
    op_t *op;
    visit_t *visit = begun(scene, &op, OP_SIGNON_20, 1);
    const char *browser = visit->browser;

    visit->browser = "another";
    assert_refused_quietly(visit, setup_needed(scene), ORP_EBROWSER);
    visit->browser = browser;
    assert_accepted(visit, op_answer(op, visit));
}

static void in_1_a_setup_url_says_the_same(void **state)
{
    scene_t *scene = *state;
    op_t *op;
    visit_t *visit = begun(scene, &op, OP_HTML_11, 1);
    orp_params_t *answer = op_answer(op, visit);

    assert_setup(visit, setup_url(scene));
    assert_setup(visit, with(setup_url(scene), "openid.ns", ORP_NS_11));
    assert_setup(visit, with(setup_url(scene), "openid.user_setup_url", ""));
    /* whoever has to be asked first is not signed in */
    assert_setup(visit, with(answer, "openid.user_setup_url",
                             "https://op.example/"));
    /* without it, it is an assertion that lacks everything */
    assert_refused_quietly(visit, with(setup_url(scene),
                                       "openid.user_setup_url", NULL),
                           ORP_EMESSAGE);
    assert_accepted(visit, answer);
}

static void the_setup_url_of_a_message_is_nowhere_to_go(void **state)
{
    scene_t *scene = *state;
    op_t *op;
    visit_t *visit = begun(scene, &op, OP_HTML_11, 1);
    orp_login_t *login;

    assert_setup(visit, with(setup_url(scene), "openid.user_setup_url",
                             "https://evil.example/"));
    assert_status(orp_login_find(&login, &scene->env, visit->login->key,
                                 scene->pool), APR_SUCCESS);
    assert_int_equal(strncmp(login->setup, OP "?", strlen(OP "?")), 0);
    assert_text(login->setup, visit->login->setup);
}

static void in_2_a_setup_url_says_nothing(void **state)
{
    scene_t *scene = *state;
    op_t *op;
    visit_t *visit = begun(scene, &op, OP_SIGNON_20, 1);

    assert_refused_quietly(visit, with(setup_url(scene), "openid.ns",
                                       ORP_NS_20), ORP_EMESSAGE);
    assert_accepted(visit, with(op_answer(op, visit),
                                "openid.user_setup_url",
                                "https://op.example/"));
}

static int not_any_more(const void *baton, const char *endpoint)
{
    (void)endpoint;
    return *(const int *)baton;
}

static void a_provider_that_is_no_longer_accepted_is_asked_no_more(
    void **state)
{
    scene_t *scene = *state;
    op_t *op;
    visit_t *visit = begun(scene, &op, OP_SIGNON_20, 1);
    orp_params_t *answer = op_answer(op, visit);
    int accepted = 0;

    visit->rp.provider_allowed = not_any_more;
    visit->rp.provider_baton = &accepted;
    assert_refused_quietly(visit, answer, ORP_EPROVIDER);
    accepted = 1;
    assert_accepted(visit, answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(both_questions_are_prepared_at_once),
        scene_test(both_questions_are_prepared_in_1_as_well),
        scene_test(who_does_not_want_it_is_not_asked_so),
        scene_test(extensions_are_part_of_both_questions),
        scene_test(a_positive_answer_signs_in_at_once),
        scene_test(setup_needed_leaves_the_login_as_it_was),
        scene_test(setup_needed_after_setup_is_a_refusal),
        scene_test(setup_needed_is_for_the_browser_that_asked),
        scene_test(in_1_a_setup_url_says_the_same),
        scene_test(the_setup_url_of_a_message_is_nowhere_to_go),
        scene_test(in_2_a_setup_url_says_nothing),
        scene_test(a_provider_that_is_no_longer_accepted_is_asked_no_more),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("immediate", tests, NULL, NULL);
}
