/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_verify.c - orp_verify: hostile answers, and the honest one beside
 * each. An answer is refused first and the honest one accepted after it: so
 * every refusal is also shown to have cost its victim nothing. */

#include "support_op.h"

#include "orp_checkid.h"

#define OP "https://op.example/auth"
#define EVIL "https://evil.example/auth"
#define USER "https://user.example/"
#define SELECT "https://op.example/"

static const char *const mandatory[] = {
    "op_endpoint", "return_to", "response_nonce", "assoc_handle",
    "claimed_id", "identity",
};

/* The honest provider, USER's page, and its own OP Identifier. */
static op_t *honest(scene_t *scene)
{
    op_t *op = op_at(scene, OP);

    op_publish(op, USER, OP_SIGNON_20, NULL);
    op_publish(op, SELECT, OP_SERVER_20, NULL);
    return op;
}

/* A provider that signs whatever it likes. */
static op_t *evil(scene_t *scene)
{
    op_t *op = op_at(scene, EVIL);

    op_publish(op, "https://evil.example/", OP_SERVER_20, NULL);
    op_publish(op, "https://evil.example/me", OP_SIGNON_20, NULL);
    return op;
}

static const char *openid(scene_t *scene, const char *name)
{
    return apr_pstrcat(scene->pool, "openid.", name, NULL);
}

/* ---------------------------------------------------------------------- */
/* The signature */

static void a_garbage_signature_is_refused(void **state)
{
    static const char *const garbage[] = {
        "xyz", "=", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", " ", "%00",
    };
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);
    const char *sig = orp_params_get(answer, "openid.sig");
    size_t i;

    for (i = 0; i < COUNT(garbage); i++) {
        assert_refused_quietly(visit, with(answer, "openid.sig", garbage[i]),
                               ORP_ESIGNATURE);
    }
    assert_refused_quietly(visit, with(answer, "openid.sig",
                                       apr_pstrcat(scene->pool, sig, " ",
                                                   NULL)), ORP_ESIGNATURE);
    assert_refused_quietly(visit, with(answer, "openid.sig",
                                       apr_pstrcat(scene->pool, sig, "=",
                                                   NULL)), ORP_ESIGNATURE);
    assert_accepted(visit, answer);
}

static void a_signature_that_shares_bytes_with_the_right_one_is_refused(
    void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);
    const char *sig = orp_params_get(answer, "openid.sig");
    size_t i;

    for (i = 0; i < strlen(sig) - 2; i++) {
        char *other = apr_pstrdup(scene->pool, sig);

        other[i] = other[i] == 'A' ? 'B' : 'A';
        assert_refused_quietly(visit, with(answer, "openid.sig", other),
                               ORP_ESIGNATURE);
    }
    assert_accepted(visit, answer);
}

static void an_answer_without_a_signature_is_refused_and_nobody_asked(
    void **state)
{
    static const char *const fields[] = { "openid.sig", "openid.signed" };
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);
    int i;

    for (i = 0; i < 2; i++) {
        assert_refused_quietly(visit, with(answer, fields[i], NULL),
                               ORP_EMESSAGE);
        assert_refused_quietly(visit, with(answer, fields[i], ""),
                               ORP_EMESSAGE);
    }
    assert_refused_quietly(visit, with(with(answer, fields[0], NULL),
                                       fields[1], NULL), ORP_EMESSAGE);
    assert_accepted(visit, answer);
}

static void each_mandatory_field_must_be_signed(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);
    size_t i;

    for (i = 0; i < COUNT(mandatory); i++) {
        assert_refused_quietly(visit,
                               with_unsigned(op, answer, mandatory[i]),
                               ORP_EUNSIGNED);
    }
    assert_accepted(visit, answer);
}

static void each_mandatory_field_must_be_there(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);
    size_t i;

    for (i = 0; i < COUNT(mandatory); i++) {
        const char *name = openid(scene, mandatory[i]);

        assert_refused_quietly(visit, with(answer, name, NULL),
                               ORP_EMESSAGE);
        assert_refused_quietly(visit, op_sign(op, with(answer, name, "")),
                               ORP_EMESSAGE);
        assert_refused_quietly(visit, with_unsigned(op, with(answer, name,
                                                             NULL),
                                                    mandatory[i]),
                               ORP_EMESSAGE);
    }
    assert_accepted(visit, answer);
}

static void a_list_that_names_a_missing_field_is_refused(void **state)
{
    static const char *const more[] = {
        ",nothing", ",", ",,", ", mode", ",Mode", ",openid.mode",
    };
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);
    const char *list = orp_params_get(answer, "openid.signed");
    size_t i;

    for (i = 0; i < COUNT(more); i++) {
        orp_params_t *longer = with(answer, "openid.signed",
                                    apr_pstrcat(scene->pool, list, more[i],
                                                NULL));

        assert_refused_quietly(visit, op_sign(op, longer), ORP_EMESSAGE);
    }
    assert_accepted(visit, op_sign(op, with(answer, "openid.signed",
                                            apr_pstrcat(scene->pool, list,
                                                        ",mode", NULL))));
}

/* Refused: that is all that is asked of it. */
static void assert_any_refusal(visit_t *visit, const orp_params_t *answer)
{
    orp_reason_t *why;

    assert_null(visit_complete(visit, answer, &why));
    assert_true(*why->sentence);
}

static void no_signed_field_can_be_changed(void **state)
{
    static const char *const values[] = {
        "", "x", "https://user.example/other", "2026-01-15T12:00:00Zother",
        NULL,
    };
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = with_signed(op, op_answer(op, visit),
                                       "openid.extra", "value");
    int i, changed = 0;
    size_t j;

    for (i = 0; i < orp_params_size(answer); i++) {
        const char *name = orp_params_name(answer, i);
        const char *value = orp_params_value(answer, i);

        if (!strcmp(name, "openid.mode") || !strcmp(name, "openid.ns")) {
            continue;           /* not signed; tested below */
        }
        for (j = 0; j < COUNT(values); j++) {
            assert_any_refusal(visit, with(answer, name, values[j]));
        }
        assert_any_refusal(visit, with(answer, name,
                                       apr_pstrcat(scene->pool, value, "x",
                                                   NULL)));
        changed++;
    }
    assert_int_equal(changed, 9);
    assert_accepted(visit, answer);
}

static void the_order_of_what_is_signed_counts(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);
    orp_params_t *turned = with(answer, "openid.signed",
                                "claimed_id,op_endpoint,identity,return_to,"
                                "response_nonce,assoc_handle");

    assert_refused_quietly(visit, turned, ORP_ESIGNATURE);
    assert_accepted(visit, op_sign(op, turned));
}

static void a_value_with_a_newline_is_refused(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);

    assert_refused_quietly(visit, with_signed(op, answer, "openid.evil",
                                              "v\nidentity:" USER),
                           ORP_EMESSAGE);
    assert_refused_quietly(visit, with_signed(op, answer, "openid.a:b",
                                              "v"), ORP_EMESSAGE);
    assert_accepted(visit, with_signed(op, answer, "openid.evil",
                                       "v identity:" USER));
}

static void an_answer_of_another_mode_is_refused(void **state)
{
    static const struct {
        const char *mode;
        apr_status_t status;
    } modes[] = {
        { "checkid_setup", ORP_EMODE }, { "bogus", ORP_EMODE },
        { "", ORP_EMODE }, { "ID_RES", ORP_EMODE }, { "id_res ", ORP_EMODE },
        { "cancel", ORP_ECANCEL }, { "setup_needed", ORP_ESETUP },
        { "error", ORP_EOPERROR },
    };
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);
    size_t i;

    for (i = 0; i < COUNT(modes); i++) {
        assert_refused_quietly(visit, with(answer, "openid.mode",
                                           modes[i].mode), modes[i].status);
    }
    assert_accepted(visit, answer);
}

/* ---------------------------------------------------------------------- */
/* Who speaks for whom */

static void a_provider_cannot_speak_for_anothers_users(void **state)
{
    scene_t *scene = *state;
    op_t *op = evil(scene);
    visit_t *visit;

    honest(scene);
    visit = visit_begin(scene, "https://evil.example/");
    assert_refused(visit, op_answer_about(op, visit, USER, USER),
                   ORP_EIDENTITY);
    assert_text(assert_accepted(visit, op_answer_about(
                    op, visit, "https://evil.example/me",
                    "https://evil.example/me"))->claimed_id,
                "https://evil.example/me");
}

static void a_provider_cannot_answer_for_another_endpoint(void **state)
{
    scene_t *scene = *state;
    op_t *op = evil(scene);
    visit_t *visit;
    orp_params_t *answer;

    honest(scene);
    visit = visit_begin(scene, "https://evil.example/");
    answer = op_answer_about(op, visit, USER, USER);
    assert_refused_quietly(visit, op_sign(op, with(answer,
                                                   "openid.op_endpoint",
                                                   OP)), ORP_EENDPOINT);
    assert_accepted(visit, op_answer_about(op, visit,
                                           "https://evil.example/me",
                                           "https://evil.example/me"));
}

static void the_same_handle_at_two_providers_is_two_associations(
    void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene), *other = evil(scene);
    visit_t *there, *here;
    orp_params_t *answer;

    there = visit_begin(scene, "https://evil.example/me");
    here = visit_begin(scene, USER);
    assert_text(there->login->assoc_handle, here->login->assoc_handle);
    memset(other->key, 'e', sizeof(other->key));
    answer = op_answer(op, here);
    assert_refused_quietly(here, op_sign(other, answer), ORP_ESIGNATURE);
    assert_accepted(here, answer);
}

static void an_answer_in_another_version_is_refused(void **state)
{
    static const char *const others[] = {
        NULL, ORP_NS_10, ORP_NS_11, "http://specs.openid.net/auth/2.1", "",
        ORP_NS_20 "/",
    };
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);
    size_t i;

    for (i = 0; i < COUNT(others); i++) {
        assert_refused_quietly(visit, with(answer, "openid.ns", others[i]),
                               ORP_EVERSION);
    }
    assert_accepted(visit, answer);
}

static void an_answer_in_2_to_a_login_in_1_is_refused(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    visit_t *visit;
    orp_params_t *answer, *newer;

    op_publish(op, USER, OP_SIGNON_11, NULL);
    visit = visit_begin(scene, USER);
    answer = op_answer(op, visit);
    newer = with(answer, "openid.ns", ORP_NS_20);
    newer = with_signed(op, newer, "openid.op_endpoint", OP);
    newer = with_signed(op, newer, "openid.claimed_id", USER);
    newer = with_signed(op, newer, "openid.response_nonce", op_nonce(op));
    newer = with_signed(op, newer, "openid.assoc_handle", op->handle);
    assert_refused_quietly(visit, newer, ORP_EVERSION);
    assert_accepted(visit, answer);
}

static void a_page_that_names_a_victim_signs_in_as_itself(void **state)
{
    static const op_page_e pages[] = {
        OP_SIGNON_20, OP_SIGNON_11, OP_HTML_20, OP_HTML_11
    };
    scene_t *scene = *state;
    op_t *op = op_at(scene, EVIL);
    size_t i;

    for (i = 0; i < COUNT(pages); i++) {
        const char *url = apr_psprintf(scene->pool,
                                       "https://evil.example/%d", (int)i);
        visit_t *visit;
        orp_params_t *answer;

        op_publish(op, url, pages[i], USER);
        visit = visit_begin(scene, url);
        assert_text(visit->login->local_id, USER);
        answer = op_answer(op, visit);
        if (visit->login->version == ORP_VERSION_2) {
            assert_refused_quietly(visit, op_sign(op, with(
                answer, "openid.claimed_id", USER)), ORP_EIDENTITY);
        }
        assert_text(assert_accepted(visit, answer)->claimed_id, url);
    }
}

static void a_delegating_page_cannot_be_another_users(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit, *chosen;
    const char *attacker = "https://op.example/~attacker";

    op_publish(op, "https://attacker.example/", OP_SIGNON_20, attacker);
    visit = visit_begin(scene, "https://attacker.example/");
    assert_refused_quietly(visit, op_answer_about(op, visit, USER, attacker),
                           ORP_EIDENTITY);
    assert_refused_quietly(visit, op_answer_about(
        op, visit, "https://attacker.example/", USER), ORP_EIDENTITY);
    assert_accepted(visit, op_answer(op, visit));

    chosen = visit_begin(scene, SELECT);
    assert_refused(chosen, op_answer_about(op, chosen, USER, attacker),
                   ORP_EIDENTITY);
    assert_text(assert_accepted(chosen, op_answer_about(
                    op, chosen, "https://attacker.example/",
                    attacker))->claimed_id, "https://attacker.example/");
}

static void local_identifiers_that_differ_in_their_fragment_are_two(
    void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    const char *url = "https://a.example/";
    visit_t *visit, *chosen;

    op_publish(op, url, OP_SIGNON_20, "https://op.example/a#1");
    visit = visit_begin(scene, url);
    chosen = visit_begin(scene, SELECT);
    assert_refused_quietly(visit, op_answer_about(
        op, visit, url, "https://op.example/a#2"), ORP_EIDENTITY);
    assert_refused_quietly(visit, op_answer_about(
        op, visit, url, "https://op.example/a"), ORP_EIDENTITY);
    assert_accepted(visit, op_answer_about(op, visit, url,
                                           "https://OP.example/a#1"));
    assert_refused(chosen, op_answer_about(op, chosen, url,
                                           "https://op.example/a#2"),
                   ORP_EIDENTITY);
    assert_accepted(chosen, op_answer_about(op, chosen, url,
                                            "https://op.example/a#1"));
}

static void an_op_identifier_is_nobody(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, SELECT);

    assert_null(visit->login->claimed_id);
    assert_refused(visit, op_answer_about(op, visit, SELECT, SELECT),
                   ORP_EIDENTITY);
    assert_refused_quietly(visit, op_answer_about(
        op, visit, ORP_IDENTIFIER_SELECT, ORP_IDENTIFIER_SELECT),
        ORP_EIDENTITY);
    assert_refused_quietly(visit, op_answer_about(op, visit, "=name",
                                                  "=name"), ORP_EIDENTITY);
    assert_text(assert_accepted(visit, op_answer_about(
                    op, visit, USER, USER))->claimed_id, USER);
}

static void an_identifier_that_cannot_be_discovered_is_refused(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, SELECT);
    orp_params_t *answer = op_answer_about(op, visit, "https://gone.example/",
                                           "https://gone.example/");

    scene_reply(scene, "GET", "https://gone.example/", 404, "text/html", "");
    assert_refused(visit, answer, ORP_EIDENTITY);
    op_publish(op, "https://gone.example/", OP_SIGNON_20, NULL);
    assert_accepted(visit, answer);
}

static void an_identifier_of_1_only_is_not_confirmed_for_2(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, SELECT);

    op_publish(op, "https://old.example/", OP_SIGNON_11, NULL);
    assert_refused(visit, op_answer_about(op, visit, "https://old.example/",
                                          "https://old.example/"),
                   ORP_EIDENTITY);
    assert_accepted(visit, op_answer_about(op, visit, USER, USER));
}

static void endpoint_and_local_id_come_from_one_service(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, SELECT);
    const char *two = "https://two.example/";

    publish_xrds(scene, two,
                 "<x:XRDS xmlns:x='xri://$xrds' xmlns='xri://$xrd*($v*2.0)'>"
                 "<XRD><Service><Type>" ORP_TYPE_SIGNON_20 "</Type>"
                 "<URI>" OP "</URI><LocalID>https://op.example/a</LocalID>"
                 "</Service><Service><Type>" ORP_TYPE_SIGNON_20 "</Type>"
                 "<URI>" EVIL "</URI><LocalID>https://op.example/b</LocalID>"
                 "</Service></XRD></x:XRDS>");
    assert_refused(visit, op_answer_about(op, visit, two,
                                          "https://op.example/b"),
                   ORP_EIDENTITY);
    assert_accepted(visit, op_answer_about(op, visit, two,
                                           "https://op.example/a"));
}

static void an_answer_about_another_identifier_is_refused(void **state)
{
    static const char *const others[] = {
        "https://other.example/", "http://user.example/",
        "https://user.example:8443/", "https://user.example/a",
        "https://user.example/?", "https://user.example.evil.example/",
        "ftp://user.example/", "=user", "user.example",
        "https://evil.example@user.example/",
    };
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    size_t i;

    for (i = 0; i < COUNT(others); i++) {
        assert_refused_quietly(visit, op_answer_about(op, visit, others[i],
                                                      USER), ORP_EIDENTITY);
        assert_refused_quietly(visit, op_answer_about(op, visit, USER,
                                                      others[i]),
                               ORP_EIDENTITY);
    }
    assert_accepted(visit, op_answer(op, visit));
}

static void only_equivalent_spellings_of_an_identifier_are_equal(
    void **state)
{
    static const struct {
        const char *spelling;
        int equal;
    } table[] = {
        { "https://user.example/User/a-b", 1 },
        { "HTTPS://USER.example/User/a-b", 1 },
        { "https://user.example:443/User/a-b", 1 },
        { "https://user.example/User/a%2Db", 1 },
        { "https://user.example/User/./a-b", 1 },
        { "https://user.example/x/../User/a-b", 1 },
        { "https://user.example/User/a-b#2", 1 },
        { "https://user.example/user/a-b", 0 },
        { "https://user.example/User/a-b/", 0 },
        { "https://user.example/User/a-b.", 0 },
        { "https://user.example/User%2Fa-b", 0 },
        { "https://user.example/User/a-b?", 0 },
        { "https://user.example./User/a-b", 0 },
        { "http://user.example/User/a-b", 0 },
    };
    const char *typed = "https://user.example/User/a-b";
    scene_t *scene = *state;
    op_t *op = honest(scene);
    size_t i;

    op_publish(op, typed, OP_SIGNON_20, NULL);
    for (i = 0; i < COUNT(table); i++) {
        visit_t *visit = visit_begin(scene, typed);
        orp_params_t *answer = op_answer_about(op, visit, table[i].spelling,
                                               typed);

        if (table[i].equal) {
            assert_accepted(visit, answer);
        }
        else {
            assert_refused_quietly(visit, answer, ORP_EIDENTITY);
        }
    }
}

static void generations_of_an_identifier_are_two_people(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *first = visit_begin(scene, USER);
    visit_t *second = visit_begin(scene, SELECT);

    assert_text(assert_accepted(first, op_answer_about(
                    op, first, USER "#gen1", USER))->claimed_id,
                USER "#gen1");
    assert_text(assert_accepted(second, op_answer_about(
                    op, second, USER "#gen2", USER "#gen2"))->claimed_id,
                USER "#gen2");
}

static void a_redirected_identifier_is_the_one_it_leads_to(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene), *other = evil(scene);
    visit_t *visit, *chosen;
    const char *moved = "https://evil.example/moved";

    scene_redirect(scene, moved, 302, USER);
    visit = visit_begin(scene, moved);
    assert_text(visit->login->claimed_id, USER);
    assert_text(visit->login->endpoint, OP);
    assert_refused_quietly(visit, op_answer_about(other, visit, moved,
                                                  moved), ORP_EENDPOINT);
    assert_refused_quietly(visit, op_answer_about(op, visit, moved, moved),
                           ORP_EIDENTITY);
    assert_text(assert_accepted(visit, op_answer(op, visit))->claimed_id,
                USER);

    scene_redirect(scene, moved, 302, USER);
    chosen = visit_begin(scene, SELECT);
    assert_refused(chosen, op_answer_about(op, chosen, moved, USER),
                   ORP_EIDENTITY);
    assert_accepted(chosen, op_answer_about(op, chosen, USER, USER));
}

/* ---------------------------------------------------------------------- */
/* For whom it is meant */

static void an_answer_in_another_browser_is_refused(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    visit_t *thief = apr_pmemdup(scene->pool, visit, sizeof(*visit));
    orp_params_t *answer = op_answer(op, visit);

    thief->browser = visit_begin(scene, USER)->browser;
    assert_refused_quietly(thief, answer, ORP_EBROWSER);
    thief->browser = "";
    assert_refused_quietly(thief, answer, ORP_EBROWSER);
    thief->browser = NULL;
    assert_refused_quietly(thief, answer, ORP_EBROWSER);
    assert_refused_quietly(thief, with(answer, "openid.mode", "cancel"),
                           ORP_EBROWSER);
    assert_accepted(visit, answer);
}

static void an_answer_at_another_site_is_refused(void **state)
{
    static const char *const origins[] = {
        "https://other.example", "http://rp.example",
        "https://rp.example:8443", "",
    };
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    visit_t *elsewhere = apr_pmemdup(scene->pool, visit, sizeof(*visit));
    orp_params_t *answer = op_answer(op, visit);
    size_t i;

    for (i = 0; i < COUNT(origins); i++) {
        elsewhere->origin = origins[i];
        assert_refused_quietly(elsewhere, answer, ORP_ELOGIN);
    }
    assert_accepted(visit, answer);
}

static void an_answer_for_another_return_to_is_refused(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);
    const char *key = visit->login->key;
    const char *const others[] = {
        "http://other.example/",
        "http://rp.example/private?openid_return=%s",
        "https://rp.example:8443/private?openid_return=%s",
        "https://www.rp.example/private?openid_return=%s",
        "https://rp.example/Private?openid_return=%s",
        "https://rp.example/private/?openid_return=%s",
        "https://rp.example/private",
        "https://rp.example/private?",
        "https://rp.example/private?openid_return=",
        "https://rp.example/private?openid_return=%sx",
        "https://rp.example/private?openid_return=%s&a=b",
        "https://rp.example/private?a=b&openid_return=%s",
        "https://u@rp.example/private?openid_return=%s",
        "nonsense",
    };
    size_t i;

    for (i = 0; i < COUNT(others); i++) {
        const char *mark = strstr(others[i], "%s");
        const char *other = !mark ? others[i]
            : apr_pstrcat(scene->pool,
                          apr_pstrmemdup(scene->pool, others[i],
                                         (apr_size_t)(mark - others[i])),
                          key, mark + 2, NULL);

        assert_refused_quietly(visit, op_sign(op, with(
            answer, "openid.return_to", other)), ORP_ERETURNTO);
    }
    assert_accepted(visit, answer);
}

static void an_answer_that_arrives_at_another_url_is_refused(void **state)
{
    static const char *const urls[] = {
        "https://rp.example/", "https://rp.example/private/",
        "http://rp.example/private", "https://rp.example:8443/private",
        "https://other.example/private", "",
    };
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    visit_t *elsewhere = apr_pmemdup(scene->pool, visit, sizeof(*visit));
    orp_params_t *answer = op_answer(op, visit);
    size_t i;

    for (i = 0; i < COUNT(urls); i++) {
        elsewhere->url = urls[i];
        assert_refused_quietly(elsewhere, answer, ORP_ERETURNTO);
    }
    elsewhere->url = "HTTPS://rp.example:443/private";
    assert_accepted(elsewhere, answer);
}

static void an_answer_to_another_login_is_refused(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *first = visit_begin(scene, USER);
    visit_t *second = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, first);

    assert_refused_quietly(second, answer, ORP_ERETURNTO);
    assert_accepted(first, answer);
    assert_accepted(second, op_answer(op, second));
}

static void unsigned_parameters_change_nothing(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);
    orp_identity_t *identity;

    answer = with(answer, "target", "http://evil.example/");
    answer = with(answer, "openid.sreg.email", "victim@example.com");
    answer = with(answer, "openid.user", "victim");
    identity = assert_accepted(visit, answer);
    assert_text(identity->claimed_id, USER);
    assert_text(identity->endpoint, OP);
    assert_int_equal(orp_params_size(identity->sreg), 0);
}

static void a_nonce_of_no_date_is_refused(void **state)
{
    static const char *const nonces[] = {
        "2026-13-15T12:00:00Zx", "2026-01-15T12:00:00+01:00x", "x",
        "2026-01-15T12:00:00.5Zx", "2026-01-15T12:00:00zx",
        "1969-12-31T23:59:59Zx", "2026-01-15 12:00:00Zx",
    };
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);
    size_t i;

    for (i = 0; i < COUNT(nonces); i++) {
        assert_refused_quietly(visit, op_sign(op, with(
            answer, "openid.response_nonce", nonces[i])), ORP_ENONCE);
    }
    assert_accepted(visit, answer);
}

static void a_nonce_outside_its_window_is_refused(void **state)
{
    static const char *const nonces[] = {
        "2026-01-15T11:54:59Zx", "2026-01-15T11:00:00Zx",
        "2026-01-15T06:00:00Zx", "2026-01-14T12:00:00Zx",
        "2016-01-15T12:00:00Zx", "2026-01-15T12:02:01Zx",
        "2999-12-31T23:59:59Zx", "1970-01-01T00:00:00Zx",
    };
    static const char *const good[] = {
        "2026-01-15T11:55:00Zx", "2026-01-15T12:02:00Zx",
    };
    scene_t *scene = *state;
    op_t *op = honest(scene);
    size_t i;

    for (i = 0; i < COUNT(nonces); i++) {
        visit_t *visit = visit_begin(scene, USER);

        assert_refused_quietly(visit, op_sign(op, with(
            op_answer(op, visit), "openid.response_nonce", nonces[i])),
            ORP_ENONCEAGE);
    }
    for (i = 0; i < COUNT(good); i++) {
        visit_t *visit = visit_begin(scene, USER);

        assert_accepted(visit, op_sign(op, with(op_answer(op, visit),
                                                "openid.response_nonce",
                                                good[i])));
    }
}

static void the_log_says_at_which_clause_it_ended(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);

    assert_refused(visit, with(op_answer(op, visit), "openid.sig", "xyz"),
                   ORP_ESIGNATURE);
    assert_true(scene_log_contains(scene, "verification stopped at clause "
                                   "11.4 (bad-signature)"));
    assert_true(scene_log_contains(scene, "login refused (bad-signature): "
                                   OP));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_garbage_signature_is_refused),
        scene_test(
            a_signature_that_shares_bytes_with_the_right_one_is_refused),
        scene_test(an_answer_without_a_signature_is_refused_and_nobody_asked),
        scene_test(each_mandatory_field_must_be_signed),
        scene_test(each_mandatory_field_must_be_there),
        scene_test(a_list_that_names_a_missing_field_is_refused),
        scene_test(no_signed_field_can_be_changed),
        scene_test(the_order_of_what_is_signed_counts),
        scene_test(a_value_with_a_newline_is_refused),
        scene_test(an_answer_of_another_mode_is_refused),
        scene_test(a_provider_cannot_speak_for_anothers_users),
        scene_test(a_provider_cannot_answer_for_another_endpoint),
        scene_test(the_same_handle_at_two_providers_is_two_associations),
        scene_test(an_answer_in_another_version_is_refused),
        scene_test(an_answer_in_2_to_a_login_in_1_is_refused),
        scene_test(a_page_that_names_a_victim_signs_in_as_itself),
        scene_test(a_delegating_page_cannot_be_another_users),
        scene_test(local_identifiers_that_differ_in_their_fragment_are_two),
        scene_test(an_op_identifier_is_nobody),
        scene_test(an_identifier_that_cannot_be_discovered_is_refused),
        scene_test(an_identifier_of_1_only_is_not_confirmed_for_2),
        scene_test(endpoint_and_local_id_come_from_one_service),
        scene_test(an_answer_about_another_identifier_is_refused),
        scene_test(only_equivalent_spellings_of_an_identifier_are_equal),
        scene_test(generations_of_an_identifier_are_two_people),
        scene_test(a_redirected_identifier_is_the_one_it_leads_to),
        scene_test(an_answer_in_another_browser_is_refused),
        scene_test(an_answer_at_another_site_is_refused),
        scene_test(an_answer_for_another_return_to_is_refused),
        scene_test(an_answer_that_arrives_at_another_url_is_refused),
        scene_test(an_answer_to_another_login_is_refused),
        scene_test(unsigned_parameters_change_nothing),
        scene_test(a_nonce_of_no_date_is_refused),
        scene_test(a_nonce_outside_its_window_is_refused),
        scene_test(the_log_says_at_which_clause_it_ended),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
