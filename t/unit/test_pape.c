/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_pape.c - orp_pape: how, and how long ago, somebody signed in. */

#include "support_ext.h"

#define OP "https://op.example/auth"
#define USER "https://user.example/"

#define POLICIES "http://schemas.openid.net/pape/policies/2007/06/"
#define STRONG POLICIES "multi-factor"
#define PHISH POLICIES "phishing-resistant"

#define SIGNED \
    "op_endpoint,claimed_id,identity,return_to,response_nonce,assoc_handle"

static orp_pape_t *pape(scene_t *scene, int age, const char *first,
                        const char *second)
{
    orp_pape_t *asked_for = apr_palloc(scene->pool, sizeof(*asked_for));

    asked_for->max_auth_age = age;
    asked_for->policies = list_of(scene->pool, first, second, NULL);
    return asked_for;
}

static orp_params_t *response(scene_t *scene, const char *policies,
                              const char *auth_time)
{
    return params_of(scene->pool, "openid.ns.pape", ORP_PAPE_NS,
                     "openid.pape.auth_policies", policies,
                     "openid.pape.auth_time", auth_time, NULL);
}

static apr_status_t check_message(scene_t *scene,
                                  const orp_message_t *message,
                                  const orp_pape_t *asked_for)
{
    orp_reason_t *why = orp_reason_create(scene->pool);
    apr_status_t status = orp_pape_check(message, asked_for, scene->now, why,
                                         scene->pool);

    assert_status(why->status, status);
    assert_int_equal(*why->sentence != '\0', status != APR_SUCCESS);
    return status;
}

static apr_status_t check(scene_t *scene, const orp_params_t *fields,
                          const orp_pape_t *asked_for)
{
    return check_message(scene, signed_message(scene->pool, fields),
                         asked_for);
}

/* ---------------------------------------------------------------------- */
/* The request */

static orp_params_t *request(scene_t *scene, const orp_pape_t *asked_for)
{
    orp_params_t *form = orp_params_create(scene->pool);

    orp_pape_request(form, asked_for, scene->pool);
    return form;
}

static void a_request_says_what_is_wanted(void **state)
{
    scene_t *scene = *state;
    orp_params_t *form = request(scene, pape(scene, 3600, STRONG, PHISH));

    assert_int_equal(orp_params_size(form), 3);
    assert_text(orp_params_get(form, "openid.ns.pape"), ORP_PAPE_NS);
    assert_text(orp_params_get(form, "openid.pape.max_auth_age"), "3600");
    assert_text(orp_params_get(form, "openid.pape.preferred_auth_policies"),
                STRONG " " PHISH);
}

static void what_is_not_wanted_is_not_asked_for(void **state)
{
    scene_t *scene = *state;
    orp_params_t *form = request(scene, pape(scene, -1, STRONG, NULL));

    assert_text(orp_params_get(form, "openid.pape.max_auth_age"), NULL);
    assert_text(orp_params_get(form, "openid.pape.preferred_auth_policies"),
                STRONG);
    form = request(scene, pape(scene, 0, NULL, NULL));
    assert_text(orp_params_get(form, "openid.pape.max_auth_age"), "0");
    /* 5.1: this field may be empty, and must be there */
    assert_text(orp_params_get(form, "openid.pape.preferred_auth_policies"),
                "");
    assert_int_equal(orp_params_size(request(scene, NULL)), 0);
}

/* ---------------------------------------------------------------------- */
/* The response */

static void every_policy_must_be_met(void **state)
{
    static const struct {
        const char *met;
        apr_status_t status;
    } table[] = {
        { STRONG " " PHISH, APR_SUCCESS },
        { PHISH " " STRONG, APR_SUCCESS },
        { "http://other.example/ " PHISH "  " STRONG " ", APR_SUCCESS },
        { STRONG, ORP_EPOLICY },
        { PHISH, ORP_EPOLICY },
        { "none", ORP_EPOLICY },
        { "", ORP_EPOLICY },
        { STRONG "," PHISH, ORP_EPOLICY },
        { STRONG PHISH, ORP_EPOLICY },
        { STRONG "-physical " PHISH, ORP_EPOLICY },
        { POLICIES "MULTI-FACTOR " PHISH, ORP_EPOLICY },
        { NULL, ORP_EPOLICY },
    };
    scene_t *scene = *state;
    orp_pape_t *both = pape(scene, -1, STRONG, PHISH);
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        assert_status(check(scene, response(scene, table[i].met, NULL),
                            both), table[i].status);
    }
    assert_status(check(scene, response(scene, "none", NULL),
                        pape(scene, -1, NULL, NULL)), APR_SUCCESS);
}

/* The scene's clock shows 12:00:00; two minutes are allowed for clocks that
 * go wrong. */
static void the_sign_in_must_be_recent(void **state)
{
    static const struct {
        int age;
        const char *when;
        apr_status_t status;
    } table[] = {
        { 600, "2026-01-15T12:00:00Z", APR_SUCCESS },
        { 600, "2026-01-15T11:50:00Z", APR_SUCCESS },
        { 600, "2026-01-15T11:48:00Z", APR_SUCCESS },
        { 600, "2026-01-15T11:47:59Z", ORP_EPOLICY },
        { 600, "2025-01-15T12:00:00Z", ORP_EPOLICY },
        { 600, "2026-01-15T12:02:00Z", APR_SUCCESS },
        { 600, "2026-01-15T12:02:01Z", ORP_EPOLICY },
        { 600, "2099-01-15T12:00:00Z", ORP_EPOLICY },
        { 0, "2026-01-15T11:58:00Z", APR_SUCCESS },
        { 0, "2026-01-15T11:57:59Z", ORP_EPOLICY },
        { 2147483647, "1970-01-01T00:00:00Z", APR_SUCCESS },
        { -1, "1970-01-01T00:00:00Z", APR_SUCCESS },
        { -1, "nonsense", APR_SUCCESS },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        if (check(scene, response(scene, "none", table[i].when),
                  pape(scene, table[i].age, NULL, NULL))
            != table[i].status) {
            fail_msg("%d, %s", table[i].age, table[i].when);
        }
    }
}

static void a_time_of_another_form_is_none(void **state)
{
    static const char *const table[] = {
        "", "0", "1768478400", "2026-01-15T12:00:00", "2026-01-15 12:00:00Z",
        "2026-01-15T12:00:00+00:00", "2026-01-15T12:00:00.5Z",
        "2026-01-15T12:00:00Zx", "2026-01-15T25:00:00Z",
        "2026-02-30T12:00:00Z", "2026-1-15T12:00:00Z", "none", NULL,
    };
    scene_t *scene = *state;
    orp_pape_t *recent = pape(scene, 600, NULL, NULL);
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        assert_status(check(scene, response(scene, "none", table[i]),
                            recent), ORP_EPOLICY);
    }
    assert_status(check(scene, response(scene, "none", SCENE_TIME_TEXT),
                        recent), APR_SUCCESS);
}

static void only_signed_values_count(void **state)
{
    static const char *const names[] = {
        "ns.pape", "pape.auth_policies", "pape.auth_time",
    };
    scene_t *scene = *state;
    orp_pape_t *asked_for = pape(scene, 600, STRONG, NULL);
    orp_params_t *fields = response(scene, STRONG, SCENE_TIME_TEXT);
    size_t i;

    for (i = 0; i < COUNT(names); i++) {
        assert_status(check_message(
            scene, message_signed_without(scene->pool, fields, names[i]),
            asked_for), ORP_EPOLICY);
    }
    assert_status(check(scene, fields, asked_for), APR_SUCCESS);
}

static void a_provider_may_choose_the_alias(void **state)
{
    scene_t *scene = *state;
    orp_pape_t *asked_for = pape(scene, 600, STRONG, NULL);
    orp_params_t *fields = params_of(
        scene->pool, "openid.ns.ext1", ORP_PAPE_NS,
        "openid.ext1.auth_policies", STRONG, "openid.ext1.auth_time",
        SCENE_TIME_TEXT, NULL);

    assert_status(check(scene, fields, asked_for), APR_SUCCESS);
    assert_status(check(scene, with(fields, "openid.ns.ext1",
                                    "http://other.example/"), asked_for),
                  ORP_EPOLICY);
    fields = response(scene, STRONG, SCENE_TIME_TEXT);
    assert_status(check(scene, fields, asked_for), APR_SUCCESS);
    assert_status(check(scene, with(fields, "openid.ns.pape",
                                    "http://other.example/"), asked_for),
                  ORP_EPOLICY);
    assert_status(check(scene, with(fields, "openid.ns.pape", NULL),
                        asked_for), ORP_EPOLICY);
}

static void without_a_request_any_response_will_do(void **state)
{
    scene_t *scene = *state;
    orp_params_t *none = orp_params_create(scene->pool);

    assert_status(check(scene, none, NULL), APR_SUCCESS);
    assert_status(check(scene, response(scene, "none", "nonsense"), NULL),
                  APR_SUCCESS);
    /* whoever asks, even for nothing, wants an answer */
    assert_status(check(scene, none, pape(scene, -1, NULL, NULL)),
                  ORP_EPOLICY);
}

/* ---------------------------------------------------------------------- */
/* A login */

static visit_t *begun(scene_t *scene, const orp_pape_t *asked_for)
{
    visit_t *visit = visit_new(scene, USER);
    orp_reason_t *why;

    visit->rp.pape = asked_for;
    assert_status(visit_status(visit, &why), APR_SUCCESS);
    return visit;
}

static void a_login_that_does_not_meet_the_policy_is_refused(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    const char *list = SIGNED ",ns.pape,pape.auth_policies,pape.auth_time";
    const char *old = "2026-01-15T11:00:00Z";
    orp_params_t *good = response(scene, STRONG, "2026-01-15T11:59:00Z");
    visit_t *visit;

    op_publish(op, USER, OP_SIGNON_20, NULL);
    visit = begun(scene, pape(scene, 600, STRONG, NULL));
    assert_text(asked(visit, "openid.pape.max_auth_age"), "600");
    assert_text(asked(visit, "openid.pape.preferred_auth_policies"), STRONG);
    assert_refused_quietly(visit, op_answer(op, visit), ORP_EPOLICY);
    assert_refused_quietly(
        visit, op_answer_with(op, visit, USER, with(
            good, "openid.pape.auth_policies", "none"), list), ORP_EPOLICY);
    assert_refused_quietly(
        visit, op_answer_with(op, visit, USER, with(
            good, "openid.pape.auth_time", old), list), ORP_EPOLICY);
    assert_refused_quietly(
        visit, op_answer_with(op, visit, USER, good, SIGNED), ORP_EPOLICY);
    assert_accepted(visit, op_answer_with(op, visit, USER, good, list));
}

static void the_signature_is_checked_before_the_policy(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    visit_t *visit;
    orp_params_t *answer;

    op_publish(op, USER, OP_SIGNON_20, NULL);
    visit = begun(scene, pape(scene, -1, STRONG, NULL));
    answer = op_answer(op, visit);
    assert_refused_quietly(visit, with(answer, "openid.sig", "AAAA"),
                           ORP_ESIGNATURE);
    assert_refused_quietly(visit, answer, ORP_EPOLICY);
}

static void in_1_the_response_needs_no_declaration(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    orp_params_t *fields = params_of(scene->pool,
                                     "openid.pape.auth_policies", STRONG,
                                     NULL);
    visit_t *visit;

    op_publish(op, USER, OP_HTML_11, NULL);
    visit = begun(scene, pape(scene, -1, STRONG, NULL));
    assert_refused_quietly(
        visit, op_answer_with(op, visit, USER, fields,
                              "mode,identity,return_to"), ORP_EPOLICY);
    assert_accepted(visit, op_answer_with(
        op, visit, USER, fields,
        "mode,identity,return_to,pape.auth_policies"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_request_says_what_is_wanted),
        scene_test(what_is_not_wanted_is_not_asked_for),
        scene_test(every_policy_must_be_met),
        scene_test(the_sign_in_must_be_recent),
        scene_test(a_time_of_another_form_is_none),
        scene_test(only_signed_values_count),
        scene_test(a_provider_may_choose_the_alias),
        scene_test(without_a_request_any_response_will_do),
        scene_test(a_login_that_does_not_meet_the_policy_is_refused),
        scene_test(the_signature_is_checked_before_the_policy),
        scene_test(in_1_the_response_needs_no_declaration),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("pape", tests, NULL, NULL);
}
