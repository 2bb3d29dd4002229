/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_conformance.c - duties of the specifications that no other test
 * shows; docs/conformance.md says which test shows which. */

#include "support_ext.h"

#include "orp_associate.h"
#include "orp_ax.h"
#include "orp_checkid.h"
#include "orp_pape.h"
#include "orp_sreg.h"
#include "orp_teams.h"

#define OP "https://op.example/auth"
#define USER "https://user.example/"
#define SELECT "https://op.example/"

static op_t *honest(scene_t *scene)
{
    op_t *op = op_at(scene, OP);

    op_publish(op, USER, OP_SIGNON_20, NULL);
    op_publish(op, SELECT, OP_SERVER_20, NULL);
    return op;
}

/* What is published stays: who publishes anew, does it elsewhere. */
static const char *page(scene_t *scene, size_t i)
{
    return apr_psprintf(scene->pool, USER "%d", (int)i);
}

/* A visitor whose site asks for everything that can be asked for. */
static visit_t *curious(scene_t *scene, const char *typed)
{
    visit_t *visit = visit_new(scene, typed);
    orp_sreg_t *sreg = apr_pcalloc(scene->pool, sizeof(*sreg));
    orp_pape_t *pape = apr_pcalloc(scene->pool, sizeof(*pape));
    apr_array_header_t *attrs = apr_array_make(scene->pool, 1,
                                               sizeof(orp_ax_attr_t));
    orp_ax_attr_t email = { "email", orp_ax_type("email"), 1, 1 };

    APR_ARRAY_PUSH(attrs, orp_ax_attr_t) = email;
    sreg->required = list_of(scene->pool, "email", NULL);
    sreg->optional = list_of(scene->pool, "nickname", NULL);
    pape->policies = list_of(scene->pool, "urn:policy", NULL);
    visit->rp.sreg = sreg;
    visit->rp.ax = attrs;
    visit->rp.pape = pape;
    visit->rp.teams = list_of(scene->pool, "staff", NULL);
    return visit;
}

static void begin(visit_t *visit)
{
    orp_reason_t *why;

    assert_status(visit_status(visit, &why), APR_SUCCESS);
}

/* ---------------------------------------------------------------------- */
/* Messages: 2.0, 4.1, 5.1, 12 */

/* Every field is prefixed and occurs once; no alias is a reserved name, and
 * each is declared. */
static void assert_one_reading(const orp_params_t *fields, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < orp_params_size(fields); i++) {
        const char *name = orp_params_name(fields, i);

        assert_int_equal(strncmp(name, "openid.", 7), 0);
        assert_int_equal(orp_params_count(fields, name), 1);
    }
    assert_non_null(message_of(fields, pool));
}

static void a_request_has_one_reading(void **state)
{
    static const char *const aliases[][2] = {
        { "openid.ns.sreg", ORP_SREG_NS_11 },
        { "openid.ns.ax", ORP_AX_NS },
        { "openid.ns.pape", ORP_PAPE_NS },
        { "openid.ns.lp", ORP_TEAMS_NS },
    };
    scene_t *scene = *state;
    const op_page_e pages[] = { OP_SIGNON_20, OP_SIGNON_11 };
    op_t *op = op_at(scene, OP);
    size_t i, j;

    for (i = 0; i < COUNT(pages); i++) {
        visit_t *visit = curious(scene, page(scene, i));

        op_publish(op, page(scene, i), pages[i], NULL);
        begin(visit);
        assert_one_reading(query_of(visit->login->redirect, scene->pool),
                           scene->pool);
        for (j = 0; j < COUNT(aliases); j++) {
            assert_text(asked(visit, aliases[j][0]), aliases[j][1]);
        }
    }
}

static void direct_requests_are_posts_of_fields_with_a_prefix(void **state)
{
    static const char *const modes[] = { "associate", "check_authentication" };
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    size_t posts = 0;
    int i;

    assert_accepted(visit, op_sign(op, with(op_answer(op, visit),
                                            "openid.assoc_handle",
                                            OP_PRIVATE_HANDLE)));
    for (i = 0; i < scene_requests(scene); i++) {
        const sent_t *sent = scene_request(scene, i);
        orp_params_t *form;

        if (strcmp(sent->method, "POST") != 0) {
            assert_null(sent->form);
            continue;
        }
        assert_text(sent->url, OP);
        assert_status(orp_params_parse_form(&form, sent->form,
                                            strlen(sent->form), scene->pool),
                      APR_SUCCESS);
        assert_one_reading(form, scene->pool);
        assert_true(posts < COUNT(modes));
        assert_text(orp_params_get(form, "openid.mode"), modes[posts++]);
    }
    assert_int_equal(posts, COUNT(modes));
}

static void an_endpoint_with_fields_of_its_own_is_none(void **state)
{
    static const char *const endpoints[] = {
        OP "?openid.mode=x", OP "?a=b&openid.realm=https://evil.example/",
        OP "?openid%2Ens=x", OP "?openid.",
    };
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    size_t i;

    for (i = 0; i < COUNT(endpoints); i++) {
        const char *endpoint;

        assert_status(orp_service_endpoint(&endpoint, endpoints[i],
                                           scene->pool), ORP_EURL);
    }
    for (i = 0; i < 2; i++) {
        op_t *bad = op_at(scene, endpoints[0]);
        visit_t *visit = visit_new(scene, page(scene, i));
        orp_reason_t *why;

        op_publish(bad, page(scene, i), i ? OP_HTML_20 : OP_SIGNON_20, NULL);
        assert_status(visit_status(visit, &why), ORP_ENOTOPENID);
    }
    op_publish(op, USER, OP_SIGNON_20, NULL);
    visit_begin(scene, USER);
}

static void a_direct_reply_without_ns_is_read_as_its_question(void **state)
{
    static const char *const spaces[] = { NULL, ORP_NS_11, ORP_NS_10 };
    scene_t *scene = *state;
    op_t *op = honest(scene);
    size_t i;

    for (i = 0; i < COUNT(spaces); i++) {
        const orp_associate_t request = { OP, ORP_VERSION_2, NULL, NULL };
        orp_reason_t *why = orp_reason_create(scene->pool);
        orp_assoc_t *assoc;
        visit_t *visit;

        op_says(op, "ns", spaces[i]);
        assert_status(orp_associate(&assoc, &scene->env, &request, why,
                                    scene->pool), APR_SUCCESS);
        assert_memory_equal(assoc->key, op->key, 32);
        visit = visit_begin(scene, USER);
        assert_accepted(visit, op_sign(op, with(op_answer(op, visit),
                                                "openid.assoc_handle",
                                                OP_PRIVATE_HANDLE)));
        op_is_honest(op);
    }
    assert_int_equal(op->checked, COUNT(spaces));
}

static void one_alias_is_declared_once(void **state)
{
    scene_t *scene = *state;
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_message_t *message;
    orp_params_t *params = params_of(scene->pool, "openid.ns", ORP_NS_20,
                                     "openid.mode", "id_res",
                                     "openid.ns.x", ORP_AX_NS, NULL);

    assert_status(orp_message_from_request(&message, params, why,
                                           scene->pool), APR_SUCCESS);
    orp_params_add(params, "openid.ns.x", ORP_SREG_NS_11);
    assert_status(orp_message_from_request(&message, params, why,
                                           scene->pool), ORP_EMESSAGE);
}

static void in_1_an_answer_of_an_unknown_version_is_refused(void **state)
{
    static const char *const known[] = { ORP_NS_10, ORP_NS_11, NULL };
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    size_t i;

    for (i = 0; i < COUNT(known); i++) {
        visit_t *visit;
        orp_params_t *answer;

        op_publish(op, page(scene, i), OP_SIGNON_11, NULL);
        visit = visit_begin(scene, page(scene, i));
        answer = op_answer(op, visit);
        assert_refused_quietly(visit, with(answer, "openid.ns",
                                           "http://specs.example/3.0"),
                               ORP_EVERSION);
        assert_accepted(visit, with(answer, "openid.ns", known[i]));
    }
}

/* ---------------------------------------------------------------------- */
/* Discovery: 2.0, 14.2.1; 1.1, 3.1.2 */

static void types_of_1_count_under_their_other_names(void **state)
{
    static const struct {
        const char *type;
        orp_service_kind_e kind;
    } table[] = {
        { "http://openid.net/server/1.1", ORP_SIGNON_11 },
        { "http://openid.net/server/1.0", ORP_SIGNON_10 },
        { "http://openid.net/signon/1.1", ORP_SIGNON_11 },
        { "http://openid.net/signon/1.0", ORP_SIGNON_10 },
    };
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        apr_array_header_t *types = list_of(scene->pool, table[i].type,
                                            NULL);
        orp_service_kind_e kind;
        visit_t *visit;

        assert_true(orp_service_kind(&kind, types));
        assert_int_equal(kind, table[i].kind);
        publish_xrds(scene, page(scene, i), apr_psprintf(scene->pool, XRDS(
            "<Service><Type>%s</Type><URI>" OP "</URI>"
            "<openid:Delegate>https://op.example/~u</openid:Delegate>"
            "</Service>"), table[i].type));
        visit = visit_begin(scene, page(scene, i));
        assert_int_equal(visit->login->version, ORP_VERSION_1);
        assert_text(asked(visit, "openid.identity"),
                    "https://op.example/~u");
        assert_text(assert_accepted(visit, op_answer(op, visit))->claimed_id,
                    page(scene, i));
    }
}

static void what_is_signon_in_2_is_used_before_any_1(void **state)
{
    scene_t *scene = *state;
    visit_t *visit;

    op_at(scene, OP);
    publish_xrds(scene, USER, XRDS(
        "<Service priority='0'><Type>http://openid.net/server/1.1</Type>"
        "<URI>https://one.example/</URI></Service>"
        "<Service priority='9'><Type>http://openid.net/server/1.0</Type>"
        "<Type>http://specs.openid.net/auth/2.0/signon</Type>"
        "<URI>" OP "</URI></Service>"));
    visit = visit_begin(scene, USER);
    assert_text(visit->login->endpoint, OP);
    assert_int_equal(visit->login->version, ORP_VERSION_2);
}

static void relative_links_are_not_resolved(void **state)
{
    static const char *const links[] = { "/auth", "auth", "//op.example/auth",
                                         "?x", "" };
    static const char *const rels[] = { "openid.server",
                                        "openid2.provider" };
    scene_t *scene = *state;
    size_t i, j;

    for (i = 0; i < COUNT(links); i++) {
        for (j = 0; j < COUNT(rels); j++) {
            visit_t *visit = visit_new(scene, USER);
            orp_reason_t *why;

            scene_page(scene, USER, "text/html", apr_psprintf(
                scene->pool, "<html><head><link rel='%s' href='%s'></head>"
                "</html>", rels[j], links[i]));
            assert_status(visit_status(visit, &why), ORP_ENOTOPENID);
        }
    }
}

static void a_delegate_is_sent_as_it_was_published(void **state)
{
    static const char *const delegates[] = {
        "/~user", "https://op.example/~User?a=b&c", "op.example",
    };
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    size_t i;

    for (i = 0; i < COUNT(delegates); i++) {
        visit_t *visit;

        op_publish(op, page(scene, i), OP_HTML_11, delegates[i]);
        visit = visit_begin(scene, page(scene, i));
        assert_text(asked(visit, "openid.identity"), delegates[i]);
    }
}

/* ---------------------------------------------------------------------- */
/* Associations: 2.0, 8, 11.4.2.2, 14.2.1 */

static void in_1_no_encryption_is_never_named(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    const orp_associate_t request = {
        OP, ORP_VERSION_1, "HMAC-SHA1", "no-encryption"
    };
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_assoc_t *assoc;

    assert_status(orp_associate(&assoc, &scene->env, &request, why,
                                scene->pool), APR_SUCCESS);
    assert_text(op_was_asked(op, "openid.session_type"), "");
}

static void an_association_that_was_called_off_is_not_used_again(
    void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_sign(op, with(op_answer(op, visit),
                                            "openid.assoc_handle",
                                            OP_PRIVATE_HANDLE));

    assert_text(asked(visit, "openid.assoc_handle"), "shared-1");
    op_says(op, "invalidate_handle", "shared-1");
    assert_accepted(visit, with(answer, "openid.invalidate_handle",
                                "shared-1"));
    assert_text(op_was_asked(op, "openid.invalidate_handle"), "shared-1");
    op_is_honest(op);
    op->handle = "shared-2";
    visit = visit_begin(scene, USER);
    assert_text(asked(visit, "openid.assoc_handle"), "shared-2");
    assert_int_equal(op->associated, 2);
}

static void what_only_the_browser_says_calls_nothing_off(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);

    assert_accepted(visit, with(op_answer(op, visit),
                                "openid.invalidate_handle", "shared-1"));
    visit = visit_begin(scene, USER);
    assert_text(asked(visit, "openid.assoc_handle"), "shared-1");
    assert_int_equal(op->associated, 1);
}

static void in_1_an_association_of_sha256_is_not_used(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);

    assert_int_equal(op->hash, ORP_SHA256);
    op->handle = "shared-2";
    op_publish(op, page(scene, 1), OP_SIGNON_11, NULL);
    visit = visit_begin(scene, page(scene, 1));
    assert_text(asked(visit, "openid.assoc_handle"), "shared-2");
    assert_text(op_was_asked(op, "openid.assoc_type"), "HMAC-SHA1");
    assert_accepted(visit, op_answer(op, visit));
    visit = visit_begin(scene, USER);
    assert_text(asked(visit, "openid.assoc_handle"), "shared-2");
    assert_int_equal(op->associated, 2);
}

static void an_expired_association_is_replaced(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit;

    op_says(op, "expires_in", "60");
    visit = visit_begin(scene, USER);
    assert_text(asked(visit, "openid.assoc_handle"), "shared-1");
    scene_turn_clock(scene, apr_time_from_sec(61));
    op->handle = "shared-2";
    visit = visit_begin(scene, USER);
    assert_text(asked(visit, "openid.assoc_handle"), "shared-2");
}

/* ---------------------------------------------------------------------- */
/* Authentication: 2.0, 9.1, 10.2.2, 11, 14.2.1 */

static void a_request_says_where_to_return_and_what_to_trust(void **state)
{
    static const char *const typed[] = { USER, SELECT };
    scene_t *scene = *state;
    size_t i;

    honest(scene);
    for (i = 0; i < COUNT(typed); i++) {
        visit_t *visit = visit_begin(scene, typed[i]);

        assert_text(asked(visit, "openid.return_to"),
                    visit->login->return_to);
        assert_text(asked(visit, "openid.realm"), visit->rp.realm);
        assert_non_null(asked(visit, "openid.claimed_id"));
        assert_text(asked(visit, "openid.identity"),
                    asked(visit, "openid.claimed_id"));
    }
}

static void a_cancel_signs_nobody_in(void **state)
{
    static const op_page_e pages[] = { OP_SIGNON_20, OP_SIGNON_11 };
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    size_t i;

    for (i = 0; i < COUNT(pages); i++) {
        visit_t *visit;
        orp_params_t *answer;

        op_publish(op, page(scene, i), pages[i], NULL);
        visit = visit_begin(scene, page(scene, i));
        answer = op_answer(op, visit);
        assert_refused_quietly(visit, params_of(
            scene->pool, "openid.mode", "cancel", NULL), ORP_ECANCEL);
        assert_refused_quietly(visit, with(answer, "openid.mode", "cancel"),
                               ORP_ECANCEL);
        assert_accepted(visit, answer);
    }
}

static void an_answer_about_nobody_signs_nobody_in(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);
    orp_params_t *about_nobody = with(with(answer, "openid.claimed_id",
                                           NULL), "openid.identity", NULL);

    assert_refused_quietly(visit, op_sign(op, with(
        about_nobody, "openid.signed",
        "op_endpoint,return_to,response_nonce,assoc_handle")), ORP_EMESSAGE);
    assert_accepted(visit, answer);
}

static void schemes_tell_two_people_apart(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit;

    op_publish(op, "http://user.example/", OP_SIGNON_20, NULL);
    visit = visit_begin(scene, SELECT);
    assert_text(assert_accepted(visit, op_answer_about(
        op, visit, "http://user.example/", "http://user.example/"))
        ->claimed_id, "http://user.example/");
    visit = visit_begin(scene, SELECT);
    assert_text(assert_accepted(visit, op_answer_about(op, visit, USER,
                                                       USER))->claimed_id,
                USER);
}

static void in_1_an_answer_needs_no_nonce_and_no_endpoint(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    visit_t *visit;
    orp_params_t *answer;

    op_publish(op, USER, OP_SIGNON_11, "https://op.example/~user");
    visit = visit_begin(scene, USER);
    answer = op_answer(op, visit);
    assert_text(orp_params_get(answer, "openid.response_nonce"), NULL);
    assert_text(orp_params_get(answer, "openid.op_endpoint"), NULL);
    assert_text(orp_params_get(answer, "openid.claimed_id"), NULL);
    assert_text(assert_accepted(visit, answer)->claimed_id, USER);
    assert_refused_quietly(visit, answer, ORP_EREPLAY);
}

static void a_login_in_1_never_asks_the_provider_to_choose(void **state)
{
    static const op_page_e pages[] = { OP_SIGNON_11, OP_HTML_11 };
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    size_t i;

    for (i = 0; i < COUNT(pages); i++) {
        visit_t *visit;

        op_publish(op, page(scene, i), pages[i], NULL);
        visit = visit_begin(scene, page(scene, i));
        assert_text(asked(visit, "openid.identity"), page(scene, i));
        assert_text(asked(visit, "openid.claimed_id"), NULL);
    }
}

/* ---------------------------------------------------------------------- */
/* Extensions */

static void an_answer_without_attributes_signs_in(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = curious(scene, USER);
    orp_identity_t *identity;

    visit->rp.pape = NULL;
    begin(visit);
    identity = assert_accepted(visit, op_answer(op, visit));
    assert_int_equal(orp_params_size(identity->sreg), 0);
    assert_int_equal(identity->ax->nelts, 0);
    assert_text(identity->teams, NULL);
}

static void a_refused_answer_brings_no_attributes(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = curious(scene, USER);
    orp_params_t *answer;

    visit->rp.pape = NULL;
    begin(visit);
    answer = with_signed(op, op_answer(op, visit), "openid.ns.sreg",
                         ORP_SREG_NS_11);
    answer = with_signed(op, answer, "openid.sreg.email", "u@user.example");
    assert_refused_quietly(visit, with(answer, "openid.sreg.email",
                                       "evil@user.example"), ORP_ESIGNATURE);
    assert_text(orp_params_get(assert_accepted(visit, answer)->sreg,
                               "email"), "u@user.example");
}

static void a_provider_may_use_long_names_for_attributes(void **state)
{
    scene_t *scene = *state;
    const char *name = repeated("n", 64, scene->pool);
    apr_array_header_t *attrs = apr_array_make(scene->pool, 1,
                                               sizeof(orp_ax_attr_t));
    orp_ax_attr_t email = { "email", orp_ax_type("email"), 1, 1 };
    apr_array_header_t *found;

    APR_ARRAY_PUSH(attrs, orp_ax_attr_t) = email;
    found = orp_ax_response(signed_message(scene->pool, params_of(
        scene->pool, "openid.ns.ax", ORP_AX_NS, "openid.ax.mode",
        "fetch_response",
        apr_pstrcat(scene->pool, "openid.ax.type.", name, NULL),
        orp_ax_type("email"),
        apr_pstrcat(scene->pool, "openid.ax.value.", name, NULL),
        "\xC3\xBC@user.example", NULL)), attrs, scene->pool);
    assert_int_equal(found->nelts, 1);
    assert_text(APR_ARRAY_IDX(APR_ARRAY_IDX(found, 0, orp_ax_value_t).values,
                              0, const char *), "\xC3\xBC@user.example");
}

static void no_update_of_attributes_is_asked_for(void **state)
{
    scene_t *scene = *state;
    visit_t *visit;

    honest(scene);
    visit = curious(scene, USER);
    begin(visit);
    assert_true(asked_any(visit, "openid.ax.type."));
    assert_false(asked_any(visit, "openid.ax.update_url"));
}

static void nothing_of_the_user_interface_extension_is_sent(void **state)
{
    scene_t *scene = *state;
    visit_t *visit;

    honest(scene);
    visit = curious(scene, USER);
    visit->rp.immediate = 1;
    begin(visit);
    assert_false(asked_any(visit, "openid.ns.ui"));
    assert_false(asked_any(visit, "openid.ui."));
    assert_null(strchr(asked(visit, "openid.return_to"), '#'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_request_has_one_reading),
        scene_test(direct_requests_are_posts_of_fields_with_a_prefix),
        scene_test(an_endpoint_with_fields_of_its_own_is_none),
        scene_test(a_direct_reply_without_ns_is_read_as_its_question),
        scene_test(one_alias_is_declared_once),
        scene_test(in_1_an_answer_of_an_unknown_version_is_refused),
        scene_test(types_of_1_count_under_their_other_names),
        scene_test(what_is_signon_in_2_is_used_before_any_1),
        scene_test(relative_links_are_not_resolved),
        scene_test(a_delegate_is_sent_as_it_was_published),
        scene_test(in_1_no_encryption_is_never_named),
        scene_test(an_association_that_was_called_off_is_not_used_again),
        scene_test(what_only_the_browser_says_calls_nothing_off),
        scene_test(in_1_an_association_of_sha256_is_not_used),
        scene_test(an_expired_association_is_replaced),
        scene_test(a_request_says_where_to_return_and_what_to_trust),
        scene_test(a_cancel_signs_nobody_in),
        scene_test(an_answer_about_nobody_signs_nobody_in),
        scene_test(schemes_tell_two_people_apart),
        scene_test(in_1_an_answer_needs_no_nonce_and_no_endpoint),
        scene_test(a_login_in_1_never_asks_the_provider_to_choose),
        scene_test(an_answer_without_attributes_signs_in),
        scene_test(a_refused_answer_brings_no_attributes),
        scene_test(a_provider_may_use_long_names_for_attributes),
        scene_test(no_update_of_attributes_is_asked_for),
        scene_test(nothing_of_the_user_interface_extension_is_sent),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("conformance", tests, NULL, NULL);
}
