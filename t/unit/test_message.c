/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_message.c - orp_message: nothing with two readings gets in. */

#include "support.h"

#include "orp_message.h"

/* The message in a query string; NULL, with a reason, where it is refused. */
static orp_message_t *message(scene_t *scene, const char *query)
{
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_message_t *m = NULL;
    orp_params_t *params;
    apr_status_t status;

    assert_status(orp_params_parse_form(&params, query, strlen(query),
                                        scene->pool), APR_SUCCESS);
    status = orp_message_from_request(&m, params, why, scene->pool);
    assert_status(why->status, status);
    if (status != APR_SUCCESS) {
        assert_status(status, ORP_EMESSAGE);
        assert_null(m);
        assert_true(*why->sentence);
    }
    return m;
}

static orp_message_t *direct(scene_t *scene, const char *body)
{
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_message_t *m = NULL;
    apr_status_t status;

    status = orp_message_from_kv(&m, body, strlen(body), why, scene->pool);
    assert_status(why->status, status);
    if (status != APR_SUCCESS) {
        assert_status(status, ORP_EMESSAGE);
        assert_null(m);
    }
    return m;
}

static const char *signed_text(scene_t *scene, const char *query)
{
    orp_message_t *m = message(scene, query);
    orp_reason_t *why = orp_reason_create(scene->pool);
    const char *text = NULL;

    assert_non_null(m);
    if (orp_message_signed_text(&text, m, why, scene->pool)
        != APR_SUCCESS) {
        assert_status(why->status, ORP_EMESSAGE);
        assert_null(text);
    }
    return text;
}

static void fields_lose_their_prefix_and_others_are_left_alone(void **state)
{
    scene_t *scene = *state;
    orp_message_t *m = message(scene, "a=1&openid.mode=id_res&openid_x=2"
                               "&openid.ns.e=&OpenID.mode=no&a=2&openid=3"
                               "&mode=no&openid.Mode=upper");

    assert_non_null(m);
    assert_int_equal(orp_params_size(orp_message_fields(m)), 3);
    assert_text(orp_params_name(orp_message_fields(m), 0), "mode");
    assert_text(orp_params_name(orp_message_fields(m), 1), "ns.e");
    assert_text(orp_message_get(m, "mode"), "id_res");
    assert_text(orp_message_get(m, "Mode"), "upper");
    assert_text(orp_message_get(m, "ns.e"), "");
    assert_text(orp_message_get(m, "a"), NULL);
    assert_text(orp_message_get(m, "openid.mode"), NULL);
}

static void a_message_without_a_mode_is_none(void **state)
{
    scene_t *scene = *state;

    assert_null(message(scene, ""));
    assert_null(message(scene, "mode=id_res"));
    assert_null(message(scene, "openid.ns=" ORP_NS_20));
    assert_null(message(scene, "openid.Mode=id_res"));
    assert_non_null(message(scene, "openid.mode=id_res"));
    assert_non_null(message(scene, "openid.mode="));
}

static void a_field_that_occurs_twice_is_refused(void **state)
{
    static const char *const fields[] = {
        "mode", "ns", "claimed_id", "identity", "return_to", "sig", "signed",
        "response_nonce", "op_endpoint", "assoc_handle", "sreg.email",
        "ns.sreg", "",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(fields); i++) {
        const char *once = apr_pstrcat(scene->pool, "openid.", fields[i],
                                       "=good", NULL);
        const char *mode = i ? "openid.mode=id_res&" : "";

        assert_non_null(message(scene, apr_pstrcat(scene->pool, mode, once,
                                                   NULL)));
        assert_null(message(scene, apr_pstrcat(scene->pool, mode, once, "&",
                                               once, NULL)));
        assert_null(message(scene, apr_pstrcat(scene->pool, mode, once,
                                               "&x=y&openid.", fields[i],
                                               "=evil", NULL)));
        assert_null(message(scene, apr_pstrcat(scene->pool, "openid.",
                                               fields[i], "=evil&", mode,
                                               once, NULL)));
    }
    assert_null(message(scene, "openid.mode=a&openid.%6dode=b"));
    assert_non_null(message(scene, "openid.mode=a&openid.Mode=b&x=1&x=1"));
}

static void control_characters_are_refused(void **state)
{
    scene_t *scene = *state;
    int c;

    for (c = 1; c < 0x80; c++) {
        int bad = c < 0x20 || c == 0x7f;

        assert_int_equal(bad, !message(scene, apr_psprintf(
            scene->pool, "openid.mode=a&openid.x=b%%%02xc", c)));
        if (c != '=' && c != ':') {
            assert_int_equal(bad, !message(scene, apr_psprintf(
                scene->pool, "openid.mode=a&openid.b%%%02xc=x", c)));
        }
    }
}

/* One value "v\nidentity:V" signs the same text as two fields. */
static void a_newline_does_not_split_a_field(void **state)
{
    scene_t *scene = *state;

    assert_null(message(scene, "openid.mode=id_res"
                        "&openid.evil=v%0Aidentity:V"));
    assert_null(message(scene, "openid.mode=id_res"
                        "&openid.evil:v%0Aidentity=V"));
    assert_null(message(scene, "openid.mode=id_res&openid.evil:v=V"));
    assert_null(message(scene, "openid.mode=id_res&openid.evil=v%0A"));
    assert_non_null(message(scene, "openid.mode=id_res"
                            "&openid.evil=v%20identity:V"));
}

static void broken_utf8_is_refused(void **state)
{
    scene_t *scene = *state;

    assert_null(message(scene, "openid.mode=a&openid.x=%ff"));
    assert_null(message(scene, "openid.mode=a&openid.x=%c0%af"));
    assert_null(message(scene, "openid.mode=a&openid.x=%ed%a0%80"));
    assert_null(message(scene, "openid.mode=a&openid.%ff=x"));
    assert_non_null(message(scene, "openid.mode=a&openid.x=%c3%a9"));
    assert_non_null(message(scene, "openid.mode=a&openid.%c3%a9=x"));
    assert_non_null(message(scene, "openid.mode=a&x=%ff"));
}

static void two_aliases_for_one_extension_are_refused(void **state)
{
    scene_t *scene = *state;

    assert_null(message(scene, "openid.mode=a&openid.ns.x=http://ext/"
                        "&openid.x.f=1&openid.ns.y=http://ext/"));
    assert_non_null(message(scene, "openid.mode=a&openid.ns.x=http://ext/"
                            "&openid.x.f=1&openid.ns.y=http://ext"));
    assert_non_null(message(scene, "openid.mode=a&openid.x=http://ext/"
                            "&openid.nsx=http://ext/"
                            "&openid.ns.x=http://ext/"));
    assert_null(direct(scene, "ns.x:http://ext/\nns.y:http://ext/\n"));
    assert_non_null(direct(scene, "ns.x:http://ext/\nns.y:http://xt/\n"));
}

static void the_reason_names_the_field(void **state)
{
    scene_t *scene = *state;
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_message_t *m;
    orp_params_t *params = params_of(scene->pool, "openid.mode", "id_res",
                                     "openid.sig", "a\nb", NULL);

    assert_status(orp_message_from_request(&m, params, why, scene->pool),
                  ORP_EMESSAGE);
    assert_text(why->subject, "sig");
    assert_non_null(strstr(why->sentence, "\"sig\""));
    assert_status(orp_message_from_request(&m, params, NULL, scene->pool),
                  ORP_EMESSAGE);
}

static void a_direct_response_needs_no_mode(void **state)
{
    scene_t *scene = *state;
    orp_message_t *m = direct(scene, "ns:" ORP_NS_20 "\nis_valid:true\n");

    assert_non_null(m);
    assert_text(orp_message_get(m, "is_valid"), "true");
    assert_int_equal(orp_message_version(m), ORP_VERSION_2);
    assert_non_null(direct(scene, ""));
}

static void a_direct_response_with_two_readings_is_refused(void **state)
{
    scene_t *scene = *state;

    assert_null(direct(scene, "is_valid:false\nis_valid:true\n"));
    assert_null(direct(scene, "is_valid:true\nis_valid:true\n"));
    assert_null(direct(scene, "is_valid:true"));
    assert_null(direct(scene, "is_valid:true\r\n"));
    assert_null(direct(scene, "<html>"));
    assert_null(direct(scene, "is_valid:true\nx:\xff\n"));
    assert_text(orp_message_get(direct(scene, "is_valid: true\n"),
                                "is_valid"), " true");
    assert_non_null(direct(scene, "is_valid:true\n"));
}

static void the_version_is_what_ns_says(void **state)
{
    static const struct {
        const char *ns;
        orp_version_e version;
    } versions[] = {
        { "openid.ns=" ORP_NS_20, ORP_VERSION_2 },
        { "openid.ns=" ORP_NS_11, ORP_VERSION_1 },
        { "openid.ns=" ORP_NS_10, ORP_VERSION_1 },
        { "openid.ns=" ORP_NS_20 "/", ORP_VERSION_1 },
        { "openid.ns=", ORP_VERSION_1 },
        { "ns=" ORP_NS_20, ORP_VERSION_1 },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(versions); i++) {
        orp_message_t *m = message(scene, apr_pstrcat(
            scene->pool, "openid.mode=a&", versions[i].ns, NULL));

        assert_int_equal(orp_message_version(m), versions[i].version);
    }
}

#define SREG "http://openid.net/extensions/sreg/1.1"

static const char *alias(scene_t *scene, const char *query)
{
    const orp_message_t *m = message(scene, query);

    assert_non_null(m);
    return orp_message_alias(m, SREG, "sreg");
}

static void an_alias_is_what_the_message_declares(void **state)
{
    scene_t *scene = *state;

    assert_text(alias(scene, "openid.ns=" ORP_NS_20 "&openid.mode=a"
                      "&openid.ns.ext1=" SREG), "ext1");
    assert_text(alias(scene, "openid.mode=a&openid.ns.ext1=" SREG
                      "&openid.sreg.email=x"), "ext1");
    assert_text(alias(scene, "openid.ns=" ORP_NS_20 "&openid.mode=a"
                      "&openid.ext1=" SREG), NULL);
    assert_text(alias(scene, "openid.ns=" ORP_NS_20 "&openid.mode=a"
                      "&openid.ns.ext1=http://other/"), NULL);
}

static void only_a_version_1_message_may_leave_the_alias_undeclared(
    void **state)
{
    scene_t *scene = *state;

    assert_text(alias(scene, "openid.mode=a&openid.sreg.email=x"), "sreg");
    assert_text(alias(scene, "openid.ns=" ORP_NS_20
                      "&openid.mode=a&openid.sreg.email=x"), NULL);
    assert_text(alias(scene, "openid.mode=a&openid.sregx.email=x"), NULL);
    assert_text(alias(scene, "openid.mode=a&openid.sreg=x"), NULL);
    assert_text(orp_message_alias(message(scene, "openid.mode=a"
                                          "&openid.sreg.email=x"),
                                  SREG, NULL), NULL);
}

static void an_alias_of_another_extension_is_no_fallback(void **state)
{
    scene_t *scene = *state;

    assert_text(alias(scene, "openid.mode=a&openid.ns.sreg=http://other/"
                      "&openid.sreg.email=x"), NULL);
    assert_text(alias(scene, "openid.mode=a&openid.ns.ax=http://other/"
                      "&openid.sreg.email=x"), "sreg");
}

static const char *signed_alias(scene_t *scene, const char *query)
{
    const orp_message_t *m = message(scene, query);

    assert_non_null(m);
    return orp_message_signed_alias(m, SREG, "sreg", scene->pool);
}

static void an_alias_whose_declaration_is_not_signed_is_none(void **state)
{
    scene_t *scene = *state;

    assert_text(signed_alias(scene, "openid.mode=a&openid.ns.x=" SREG
                             "&openid.x.email=b&openid.signed=x.email"),
                NULL);
    assert_text(signed_alias(scene, "openid.mode=a&openid.ns.sreg=" SREG
                             "&openid.sreg.email=b&openid.signed=sreg.email"),
                NULL);
    assert_text(signed_alias(scene, "openid.mode=a&openid.ns.x=" SREG
                             "&openid.x.email=b&openid.signed=ns.x,x.email"),
                "x");
    assert_text(signed_alias(scene, "openid.mode=a&openid.sreg.email=b"
                             "&openid.signed=sreg.email"), "sreg");
    assert_text(signed_alias(scene, "openid.mode=a"), NULL);
}

static void the_signed_text_is_in_the_order_of_the_list(void **state)
{
    scene_t *scene = *state;

    assert_text(signed_text(scene, "openid.mode=id_res&openid.b=2&openid.a=1"
                            "&openid.c=&openid.unsigned=x"
                            "&openid.signed=a,c,mode,b"),
                "a:1\nc:\nmode:id_res\nb:2\n");
    assert_text(signed_text(scene, "openid.mode=id_res&openid.a=%C3%A9%20:="
                            "&openid.signed=a"), "a:\xc3\xa9 :=\n");
}

static void signed_may_name_itself(void **state)
{
    scene_t *scene = *state;
    const char *query = "openid.mode=id_res&openid.signed=signed,mode";

    assert_text(signed_text(scene, query),
                "signed:signed,mode\nmode:id_res\n");
    assert_true(orp_message_is_signed(message(scene, query), "signed"));
}

static void nothing_is_signed_without_a_list(void **state)
{
    scene_t *scene = *state;

    assert_text(signed_text(scene, "openid.mode=a"), "");
    assert_text(signed_text(scene, "openid.mode=a&openid.signed="), "");
    assert_int_equal(orp_message_signed(message(
        scene, "openid.mode=a&openid.signed="))->nelts, 0);
    assert_false(orp_message_is_signed(message(scene, "openid.mode=a"),
                                       "mode"));
}

static void a_list_that_names_a_missing_field_is_refused(void **state)
{
    static const char *const lists[] = {
        "mode,missing", "missing", "missing,mode", "mode,,ns", ",mode",
        "mode,", ",", "mode, ns", " mode", "mode ", "openid.mode", "Mode",
        "mode;ns",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(lists); i++) {
        assert_text(signed_text(scene, apr_pstrcat(
            scene->pool, "openid.mode=a&openid.ns=b&openid.signed=",
            lists[i], NULL)), NULL);
    }
    assert_text(signed_text(scene, "openid.mode=a&openid.ns=b"
                            "&openid.signed=mode,ns"), "mode:a\nns:b\n");
}

static void a_field_is_signed_where_it_is_listed_and_there(void **state)
{
    scene_t *scene = *state;
    orp_message_t *m = message(scene, "openid.mode=a&openid.sreg.email=b"
                               "&openid.sreg=c&openid.empty="
                               "&openid.signed=mode,sreg.email,empty,gone");

    assert_true(orp_message_is_signed(m, "mode"));
    assert_true(orp_message_is_signed(m, "sreg.email"));
    assert_true(orp_message_is_signed(m, "empty"));
    assert_false(orp_message_is_signed(m, "gone"));
    assert_false(orp_message_is_signed(m, "sreg"));
    assert_false(orp_message_is_signed(m, "signed"));
    assert_false(orp_message_is_signed(m, "Mode"));
    assert_int_equal(orp_message_signed(m)->nelts, 4);
    assert_text(APR_ARRAY_IDX(orp_message_signed(m), 3, const char *),
                "gone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(fields_lose_their_prefix_and_others_are_left_alone),
        scene_test(a_message_without_a_mode_is_none),
        scene_test(a_field_that_occurs_twice_is_refused),
        scene_test(control_characters_are_refused),
        scene_test(a_newline_does_not_split_a_field),
        scene_test(broken_utf8_is_refused),
        scene_test(two_aliases_for_one_extension_are_refused),
        scene_test(the_reason_names_the_field),
        scene_test(a_direct_response_needs_no_mode),
        scene_test(a_direct_response_with_two_readings_is_refused),
        scene_test(the_version_is_what_ns_says),
        scene_test(an_alias_is_what_the_message_declares),
        scene_test(only_a_version_1_message_may_leave_the_alias_undeclared),
        scene_test(an_alias_of_another_extension_is_no_fallback),
        scene_test(an_alias_whose_declaration_is_not_signed_is_none),
        scene_test(the_signed_text_is_in_the_order_of_the_list),
        scene_test(signed_may_name_itself),
        scene_test(nothing_is_signed_without_a_list),
        scene_test(a_list_that_names_a_missing_field_is_refused),
        scene_test(a_field_is_signed_where_it_is_listed_and_there),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
