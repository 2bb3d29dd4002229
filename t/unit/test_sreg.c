/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_sreg.c - orp_sreg: what is asked for, and what is believed. */

#include "support_op.h"

#include "orp_sreg.h"

static const apr_array_header_t *list(scene_t *scene, const char *text)
{
    apr_array_header_t *names = apr_array_make(scene->pool, 4,
                                               sizeof(const char *));
    char *last, *name;

    for (name = apr_strtok(apr_pstrdup(scene->pool, text), " ", &last);
         name; name = apr_strtok(NULL, " ", &last)) {
        APR_ARRAY_PUSH(names, const char *) = name;
    }
    return names;
}

static orp_sreg_t wish(scene_t *scene, const char *required,
                       const char *optional)
{
    orp_sreg_t sreg = { list(scene, required), list(scene, optional), NULL };

    return sreg;
}

/* The fields of a message, as "name=value&name=value". */
static const char *seen(scene_t *scene, const orp_params_t *params)
{
    orp_sreg_t sreg = wish(scene, "nickname email", "dob email");

    return orp_params_form(orp_sreg_response(
        message_of(params, scene->pool), &sreg, scene->pool), scene->pool);
}

static orp_params_t *answer(scene_t *scene)
{
    return params_of(scene->pool, "openid.ns", ORP_NS_20, "openid.mode",
                     "id_res", "openid.ns.sreg", ORP_SREG_NS_11,
                     "openid.sreg.nickname", "vic", "openid.sreg.email",
                     "v@e", "openid.sreg.dob", "1970-01-01",
                     "openid.sreg.gender", "M", "openid.signed",
                     "ns.sreg,sreg.nickname,sreg.email,sreg.dob,sreg.gender",
                     NULL);
}

static void there_are_nine_fields(void **state)
{
    static const char *const fields[] = {
        "nickname", "email", "fullname", "dob", "gender", "postcode",
        "country", "language", "timezone",
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(fields); i++) {
        assert_true(orp_sreg_field_valid(fields[i]));
    }
    assert_false(orp_sreg_field_valid("Email"));
    assert_false(orp_sreg_field_valid("phone"));
    assert_false(orp_sreg_field_valid(""));
}

static void what_is_wanted_is_asked_for(void **state)
{
    scene_t *scene = *state;
    orp_params_t *form = orp_params_create(scene->pool);
    orp_sreg_t sreg = wish(scene, "nickname email", "dob");

    sreg.policy_url = "https://rp.example/policy";
    orp_sreg_request(form, &sreg);
    assert_text(orp_params_get(form, "openid.ns.sreg"), ORP_SREG_NS_11);
    assert_text(orp_params_get(form, "openid.sreg.required"),
                "nickname,email");
    assert_text(orp_params_get(form, "openid.sreg.optional"), "dob");
    assert_text(orp_params_get(form, "openid.sreg.policy_url"),
                "https://rp.example/policy");
}

static void what_is_not_wanted_is_not_mentioned(void **state)
{
    scene_t *scene = *state;
    orp_params_t *form = orp_params_create(scene->pool);
    orp_sreg_t none = wish(scene, "", ""), some = wish(scene, "", "email");

    orp_sreg_request(form, NULL);
    orp_sreg_request(form, &none);
    assert_int_equal(orp_params_size(form), 0);
    orp_sreg_request(form, &some);
    assert_int_equal(orp_params_size(form), 2);
    assert_text(orp_params_get(form, "openid.sreg.optional"), "email");
}

static void signed_fields_that_were_asked_for_are_read_once(void **state)
{
    scene_t *scene = *state;
    orp_sreg_t none = wish(scene, "", "");

    assert_text(seen(scene, answer(scene)),
                "nickname=vic&email=v%40e&dob=1970-01-01");
    assert_int_equal(orp_params_size(orp_sreg_response(
        message_of(answer(scene), scene->pool), NULL, scene->pool)), 0);
    assert_int_equal(orp_params_size(orp_sreg_response(
        message_of(answer(scene), scene->pool), &none, scene->pool)), 0);
}

static void an_unsigned_field_is_absent(void **state)
{
    scene_t *scene = *state;

    assert_text(seen(scene, with(answer(scene), "openid.signed",
                                 "ns.sreg,sreg.nickname,sreg.dob")),
                "nickname=vic&dob=1970-01-01");
    assert_text(seen(scene, with(answer(scene), "openid.signed",
                                 "ns.sreg")), "");
    assert_text(seen(scene, with(answer(scene), "openid.signed", "")), "");
    assert_text(seen(scene, with(answer(scene), "openid.sreg.email", NULL)),
                "nickname=vic&dob=1970-01-01");
}

static void an_unsigned_declaration_makes_all_fields_absent(void **state)
{
    scene_t *scene = *state;
    orp_params_t *rebound = params_of(
        scene->pool, "openid.ns", ORP_NS_20, "openid.mode", "id_res",
        "openid.ns.foo", ORP_SREG_NS_11, "openid.foo.email", "v@e",
        "openid.signed", "foo.email", NULL);

    assert_text(seen(scene, with(answer(scene), "openid.signed",
                                 "sreg.nickname,sreg.email")), "");
    assert_text(seen(scene, rebound), "");
    assert_text(seen(scene, with(rebound, "openid.signed",
                                 "foo.email,ns.foo")), "email=v%40e");
}

static void the_providers_alias_counts(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = params_of(
        scene->pool, "openid.ns", ORP_NS_20, "openid.mode", "id_res",
        "openid.ns.ext1", ORP_SREG_NS_11, "openid.ext1.email", "v@e",
        "openid.ns.sreg", "urn:another", "openid.sreg.email", "no@e",
        "openid.signed", "ns.ext1,ext1.email,ns.sreg,sreg.email", NULL);

    assert_text(seen(scene, params), "email=v%40e");
    assert_text(seen(scene, with(params, "openid.ns.ext1", "urn:third")),
                "");
}

static void the_old_namespace_counts_as_well(void **state)
{
    scene_t *scene = *state;

    assert_text(seen(scene, with(answer(scene), "openid.ns.sreg",
                                 ORP_SREG_NS_10)),
                "nickname=vic&email=v%40e&dob=1970-01-01");
}

static void in_1_no_declaration_is_needed(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = params_of(
        scene->pool, "openid.mode", "id_res", "openid.sreg.email", "v@e",
        "openid.signed", "sreg.email", NULL);

    assert_text(seen(scene, params), "email=v%40e");
    assert_text(seen(scene, with(params, "openid.signed", "mode")), "");
    assert_text(seen(scene, with(params, "openid.ns", ORP_NS_20)), "");
    assert_text(seen(scene, with(params, "openid.ns.sreg",
                                 ORP_SREG_NS_11)), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(there_are_nine_fields),
        scene_test(what_is_wanted_is_asked_for),
        scene_test(what_is_not_wanted_is_not_mentioned),
        scene_test(signed_fields_that_were_asked_for_are_read_once),
        scene_test(an_unsigned_field_is_absent),
        scene_test(an_unsigned_declaration_makes_all_fields_absent),
        scene_test(the_providers_alias_counts),
        scene_test(the_old_namespace_counts_as_well),
        scene_test(in_1_no_declaration_is_needed),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("sreg", tests, NULL, NULL);
}
