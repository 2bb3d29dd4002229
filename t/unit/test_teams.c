/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_teams.c - orp_teams: of which teams somebody is a member. */

#include "support_ext.h"

#define OP "https://op.example/auth"
#define USER "https://user.example/"

static orp_params_t *response(scene_t *scene, const char *teams)
{
    return params_of(scene->pool, "openid.ns.lp", ORP_TEAMS_NS,
                     "openid.lp.is_member", teams, NULL);
}

/* What is made of the response, where "red", "green" and "blue" were asked
 * for. */
static const char *seen(scene_t *scene, const orp_message_t *message)
{
    return orp_teams_response(message, list_of(scene->pool, "red", "green",
                                               "blue", NULL), scene->pool);
}

static const char *seen_all(scene_t *scene, const orp_params_t *fields)
{
    return seen(scene, signed_message(scene->pool, fields));
}

static void a_name_of_a_team_is_one_word(void **state)
{
    static const char *const names[] = {
        "ubuntu-members", "a", "A.b_c+d-9", "~x"
    };
    static const char *const others[] = {
        "", " ", "a b", "a,b", "a/b", "\xC3\xBC", "a\n", "a;b", "a:b",
    };
    size_t i;

    (void)state;
    for (i = 0; i + 1 < COUNT(names); i++) {
        assert_true(orp_teams_valid(names[i]));
    }
    assert_false(orp_teams_valid(names[i]));
    for (i = 0; i < COUNT(others); i++) {
        assert_false(orp_teams_valid(others[i]));
    }
}

static void a_request_names_the_teams(void **state)
{
    scene_t *scene = *state;
    orp_params_t *form = orp_params_create(scene->pool);

    orp_teams_request(form, NULL);
    orp_teams_request(form, list_of(scene->pool, NULL));
    assert_int_equal(orp_params_size(form), 0);
    orp_teams_request(form, list_of(scene->pool, "red", "green", NULL));
    assert_int_equal(orp_params_size(form), 2);
    assert_text(orp_params_get(form, "openid.ns.lp"), ORP_TEAMS_NS);
    assert_text(orp_params_get(form, "openid.lp.query_membership"),
                "red,green");
}

static void membership_is_read_in_our_order(void **state)
{
    static const struct {
        const char *member;
        const char *seen;
    } table[] = {
        { "red", "red" },
        { "red,green,blue", "red green blue" },
        { "blue,green,red", "red green blue" },
        { "blue,blue", "blue" },
        { "black,blue", "blue" },
        { ",blue,", "blue" },
        { "", NULL },
        { ",", NULL },
        { "black", NULL },
        { "reddish", NULL },
        { "infrared", NULL },
        { "re,d", NULL },
        { "RED", NULL },
        { "red green", NULL },
        { "red;green", NULL },
        { NULL, NULL },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        assert_text(seen_all(scene, response(scene, table[i].member)),
                    table[i].seen);
    }
}

static void only_signed_membership_counts(void **state)
{
    scene_t *scene = *state;
    orp_params_t *fields = response(scene, "red");

    assert_text(seen(scene, message_signed_without(scene->pool, fields,
                                                   "lp.is_member")), NULL);
    assert_text(seen(scene, message_signed_without(scene->pool, fields,
                                                   "ns.lp")), NULL);
    assert_text(seen_all(scene, fields), "red");
}

static void the_alias_is_the_providers_choice(void **state)
{
    scene_t *scene = *state;
    orp_params_t *fields = params_of(
        scene->pool, "openid.ns.ext1", ORP_TEAMS_NS,
        "openid.ext1.is_member", "red", "openid.lp.is_member", "green",
        NULL);

    assert_text(seen_all(scene, fields), "red");
    assert_text(seen_all(scene, with(fields, "openid.ns.ext1", NULL)), NULL);
    assert_text(seen_all(scene, with(fields, "openid.ns.ext1",
                                     "http://other.example/")), NULL);
}

static void who_asks_for_no_team_gets_none(void **state)
{
    scene_t *scene = *state;
    orp_message_t *message = signed_message(scene->pool,
                                            response(scene, "red"));

    assert_text(orp_teams_response(message, NULL, scene->pool), NULL);
    assert_text(orp_teams_response(message, list_of(scene->pool, NULL),
                                   scene->pool), NULL);
    assert_text(seen(scene, message), "red");
}

/* ---------------------------------------------------------------------- */

static void teams_come_with_the_identity_and_stay_with_it(void **state)
{
    static const char *const lists[] = {
        "mode,identity,return_to,lp.is_member",
        "op_endpoint,claimed_id,identity,return_to,response_nonce,"
        "assoc_handle,ns.lp,lp.is_member",
    };
    static const op_page_e pages[] = { OP_HTML_11, OP_HTML_20 };
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    int i;

    for (i = 0; i < 2; i++) {
        const char *id = apr_psprintf(scene->pool, USER "%d", i);
        visit_t *visit = visit_new(scene, id);
        orp_params_t *record = orp_params_create(scene->pool);
        orp_identity_t *identity;
        orp_reason_t *why;

        op_publish(op, id, pages[i], NULL);
        visit->rp.teams = list_of(scene->pool, "red", "green", NULL);
        assert_status(visit_status(visit, &why), APR_SUCCESS);
        assert_text(asked(visit, "openid.lp.query_membership"), "red,green");
        identity = assert_accepted(visit, op_answer_with(
            op, visit, id, i ? response(scene, "green,black")
            : params_of(scene->pool, "openid.lp.is_member", "green,black",
                        NULL), lists[i]));
        assert_text(identity->teams, "green");
        orp_identity_write(record, identity, scene->pool);
        assert_status(orp_identity_read(&identity, record, scene->pool),
                      APR_SUCCESS);
        assert_text(identity->teams, "green");
    }
}

static void nobody_is_a_member_by_an_unsigned_field(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    visit_t *visit;
    orp_params_t *answer;
    orp_reason_t *why;

    op_publish(op, USER, OP_SIGNON_20, NULL);
    visit = visit_new(scene, USER);
    visit->rp.teams = list_of(scene->pool, "red", NULL);
    assert_status(visit_status(visit, &why), APR_SUCCESS);
    answer = with_signed(op, op_answer(op, visit), "openid.ns.lp",
                         ORP_TEAMS_NS);
    answer = with(answer, "openid.lp.is_member", "red");
    assert_text(assert_accepted(visit, answer)->teams, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_name_of_a_team_is_one_word),
        scene_test(a_request_names_the_teams),
        scene_test(membership_is_read_in_our_order),
        scene_test(only_signed_membership_counts),
        scene_test(the_alias_is_the_providers_choice),
        scene_test(who_asks_for_no_team_gets_none),
        scene_test(teams_come_with_the_identity_and_stay_with_it),
        scene_test(nobody_is_a_member_by_an_unsigned_field),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("teams", tests, NULL, NULL);
}
