/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_namespaces.c - the aliases of extensions (OpenID Authentication 2.0,
 * 12): which names they may have, and whose fields are whose. */

#include "support_ext.h"

#define EXT "http://ext.example/1.0"
#define OTHER "http://other.example/1.0"
#define USER "https://user.example/"

static orp_params_t *base(scene_t *scene)
{
    return params_of(scene->pool, "openid.ns", ORP_NS_20, "openid.mode",
                     "id_res", NULL);
}

static apr_status_t read_it(scene_t *scene, const orp_params_t *params)
{
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_message_t *message = NULL;
    apr_status_t status = orp_message_from_request(&message, params, why,
                                                   scene->pool);

    assert_int_equal(message != NULL, status == APR_SUCCESS);
    assert_int_equal(*why->sentence != '\0', status != APR_SUCCESS);
    return status;
}

/* A message that declares one extension under this alias. */
static apr_status_t declare(scene_t *scene, const char *alias)
{
    return read_it(scene, with(base(scene),
                               apr_pstrcat(scene->pool, "openid.ns.", alias,
                                           NULL), EXT));
}

static void reserved_names_are_no_aliases(void **state)
{
    static const char *const reserved[] = {
        "assoc_handle", "assoc_type", "claimed_id", "contact", "delegate",
        "dh_consumer_public", "dh_gen", "dh_modulus", "error", "identity",
        "invalidate_handle", "mode", "ns", "op_endpoint", "openid", "realm",
        "reference", "response_nonce", "return_to", "server",
        "session_type", "sig", "signed", "trust_root",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(reserved); i++) {
        if (declare(scene, reserved[i]) != ORP_EMESSAGE) {
            fail_msg("%s is accepted", reserved[i]);
        }
        assert_status(declare(scene, apr_pstrcat(scene->pool, reserved[i],
                                                 "s", NULL)), APR_SUCCESS);
        assert_status(declare(scene, reserved[i] + 1), APR_SUCCESS);
    }
}

static void an_alias_is_not_empty_and_has_no_period(void **state)
{
    static const char *const bad[] = { "", ".", "a.b", "a.", ".a" };
    static const char *const good[] = {
        "a", "ext1", "AX", "a-b_c", "0", "\xC3\xBC",
    };
    size_t i;

    for (i = 0; i < COUNT(bad); i++) {
        assert_status(declare(*state, bad[i]), ORP_EMESSAGE);
    }
    for (i = 0; i < COUNT(good); i++) {
        assert_status(declare(*state, good[i]), APR_SUCCESS);
    }
}

static void one_extension_has_one_alias(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = with(base(scene), "openid.ns.a", EXT);

    assert_status(read_it(scene, with(params, "openid.ns.b", OTHER)),
                  APR_SUCCESS);
    assert_status(read_it(scene, with(params, "openid.ns.b", EXT "x")),
                  APR_SUCCESS);
    assert_status(read_it(scene, with(params, "openid.ns.b", EXT)),
                  ORP_EMESSAGE);
    params = with(with(params, "openid.ns.b", OTHER), "openid.ns.c", OTHER);
    assert_status(read_it(scene, params), ORP_EMESSAGE);
}

static void one_alias_has_one_extension(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = base(scene);

    orp_params_add(params, "openid.ns.a", EXT);
    assert_status(read_it(scene, params), APR_SUCCESS);
    orp_params_add(params, "openid.ns.A", OTHER);       /* another name */
    assert_status(read_it(scene, params), APR_SUCCESS);
    orp_params_add(params, "openid.ns.a", OTHER);
    assert_status(read_it(scene, params), ORP_EMESSAGE);
}

static void direct_answers_keep_the_same_rules(void **state)
{
    static const struct {
        const char *body;
        apr_status_t status;
    } table[] = {
        { "is_valid:true\nns.a:" EXT "\nns.b:" OTHER "\n", APR_SUCCESS },
        { "is_valid:true\nns.a:" EXT "\nns.b:" EXT "\n", ORP_EMESSAGE },
        { "is_valid:true\nns.mode:" EXT "\n", ORP_EMESSAGE },
        { "is_valid:true\nns.a.b:" EXT "\n", ORP_EMESSAGE },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        orp_message_t *message = NULL;

        assert_status(orp_message_from_kv(&message, table[i].body,
                                          strlen(table[i].body), NULL,
                                          scene->pool), table[i].status);
    }
}

static void what_is_declared_can_be_listed(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = with(with(base(scene), "openid.ns.b", OTHER),
                                "openid.ns.a", EXT);
    orp_params_t *list;

    params = with(with(params, "openid.nsx.c", "c"), "ns.d", "d");
    list = orp_message_namespaces(message_of(params, scene->pool),
                                  scene->pool);
    assert_int_equal(orp_params_size(list), 2);
    assert_text(orp_params_name(list, 0), "b");
    assert_text(orp_params_value(list, 0), OTHER);
    assert_text(orp_params_name(list, 1), "a");
    assert_text(orp_params_value(list, 1), EXT);
    list = orp_message_namespaces(message_of(base(scene), scene->pool),
                                  scene->pool);
    assert_int_equal(orp_params_size(list), 0);
}

/* ---------------------------------------------------------------------- */
/* Whose fields they are */

static const char *alias(scene_t *scene, const orp_params_t *params)
{
    return orp_message_alias(message_of(params, scene->pool), EXT, "ext");
}

static void the_declaration_says_whose_fields_they_are(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = with(base(scene), "openid.ext.x", "1");

    assert_text(alias(scene, with(params, "openid.ns.a", EXT)), "a");
    assert_text(alias(scene, with(params, "openid.ns.ext", EXT)), "ext");
    assert_text(alias(scene, with(params, "openid.ns.ext", OTHER)), NULL);
    assert_text(alias(scene, with(params, "openid.ns.a", EXT "/")), NULL);
    assert_text(alias(scene, with(with(params, "openid.ns.ext", OTHER),
                                  "openid.ns.a", EXT)), "a");
}

static void only_1_does_without_a_declaration(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = with(base(scene), "openid.ext.x", "1");
    orp_params_t *old = with(params, "openid.ns", NULL);

    assert_text(alias(scene, params), NULL);
    assert_text(alias(scene, old), "ext");
    assert_text(alias(scene, with(old, "openid.ns", ORP_NS_11)), "ext");
    assert_text(alias(scene, with(old, "openid.ns.ext", OTHER)), NULL);
    assert_text(alias(scene, with(old, "openid.ns.a", OTHER)), "ext");
    assert_text(alias(scene, with(with(old, "openid.ext.x", NULL),
                                  "openid.extra.x", "1")), NULL);
}

static void an_alias_counts_where_its_declaration_is_signed(void **state)
{
    scene_t *scene = *state;
    orp_params_t *fields = params_of(scene->pool, "openid.ns.a", EXT,
                                     "openid.a.x", "1", NULL);

    assert_text(orp_message_signed_alias(
        message_signed_without(scene->pool, fields, "ns.a"), EXT, "ext",
        scene->pool), NULL);
    assert_text(orp_message_signed_alias(
        signed_message(scene->pool, fields), EXT, "ext", scene->pool), "a");
}

/* ---------------------------------------------------------------------- */
/* In a login */

static apr_array_header_t *ask_for(scene_t *scene, const char *first,
                                   const char *second)
{
    apr_array_header_t *attrs = apr_array_make(scene->pool, 2,
                                               sizeof(orp_ax_attr_t));
    const orp_ax_attr_t one = { "one", first, 1, 1 };
    const orp_ax_attr_t two = { "two", second, 1, 0 };

    APR_ARRAY_PUSH(attrs, orp_ax_attr_t) = one;
    APR_ARRAY_PUSH(attrs, orp_ax_attr_t) = two;
    return attrs;
}

static const char *value_of(const apr_array_header_t *found,
                            const char *name)
{
    const char *value = NULL;
    int i;

    for (i = 0; i < found->nelts; i++) {
        const orp_ax_value_t *ax = &APR_ARRAY_IDX(found, i, orp_ax_value_t);

        if (!strcmp(ax->alias, name)) {
            assert_null(value);
            assert_int_equal(ax->values->nelts, 1);
            value = APR_ARRAY_IDX(ax->values, 0, const char *);
        }
    }
    return value;
}

static void a_message_with_two_readings_signs_nobody_in(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, "https://op.example/auth");
    visit_t *visit;
    orp_params_t *answer;

    op_publish(op, USER, OP_SIGNON_20, NULL);
    visit = visit_begin(scene, USER);
    answer = with_signed(op, op_answer(op, visit), "openid.ns.a", EXT);
    assert_refused_quietly(visit, with(answer, "openid.ns.b", EXT),
                           ORP_EMESSAGE);
    assert_refused_quietly(visit, with(answer, "openid.ns.sig", OTHER),
                           ORP_EMESSAGE);
    assert_accepted(visit, with(answer, "openid.ns.b", OTHER));
}

static void the_same_attribute_of_another_schema_counts(void **state)
{
    static const char *const schemas[] = {
        "http://axschema.org/", "http://schema.openid.net/",
        "http://openid.net/schema/", "https://axschema.org/",
    };
    static const char *const others[] = {
        "http://axschema.org.evil.example/", "http://schema.example/",
        "", "https://schema.openid.net/",
    };
    scene_t *scene = *state;
    apr_array_header_t *attrs = ask_for(
        scene, "http://axschema.org/contact/email", EXT);
    orp_params_t *fields = params_of(
        scene->pool, "openid.ns.ext1", ORP_AX_NS, "openid.ext1.mode",
        "fetch_response", "openid.ext1.type.m", "", "openid.ext1.value.m",
        "vic@user.example", NULL);
    size_t i;

    for (i = 0; i < 4; i++) {
        orp_params_t *good = with(fields, "openid.ext1.type.m", apr_pstrcat(
            scene->pool, schemas[i], "contact/email", NULL));
        orp_params_t *bad = with(fields, "openid.ext1.type.m", apr_pstrcat(
            scene->pool, others[i], "contact/email", NULL));

        assert_text(value_of(orp_ax_response(
            signed_message(scene->pool, good), attrs, scene->pool), "one"),
            "vic@user.example");
        assert_int_equal(orp_ax_response(
            signed_message(scene->pool, bad), attrs, scene->pool)->nelts, 0);
    }
}

static void the_very_type_goes_before_the_same_one_elsewhere(void **state)
{
    scene_t *scene = *state;
    apr_array_header_t *found, *attrs = ask_for(
        scene, "http://axschema.org/contact/email",
        "http://schema.openid.net/contact/email");

    found = orp_ax_response(signed_message(scene->pool, params_of(
        scene->pool, "openid.ns.ax", ORP_AX_NS, "openid.ax.mode",
        "fetch_response", "openid.ax.type.b",
        "http://schema.openid.net/contact/email", "openid.ax.value.b",
        "b@user.example", "openid.ax.type.a",
        "http://axschema.org/contact/email", "openid.ax.value.a",
        "a@user.example", NULL)), attrs, scene->pool);
    assert_text(value_of(found, "one"), "a@user.example");
    assert_text(value_of(found, "two"), "b@user.example");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(reserved_names_are_no_aliases),
        scene_test(an_alias_is_not_empty_and_has_no_period),
        scene_test(one_extension_has_one_alias),
        scene_test(one_alias_has_one_extension),
        scene_test(direct_answers_keep_the_same_rules),
        scene_test(what_is_declared_can_be_listed),
        scene_test(the_declaration_says_whose_fields_they_are),
        scene_test(only_1_does_without_a_declaration),
        scene_test(an_alias_counts_where_its_declaration_is_signed),
        scene_test(a_message_with_two_readings_signs_nobody_in),
        scene_test(the_same_attribute_of_another_schema_counts),
        scene_test(the_very_type_goes_before_the_same_one_elsewhere),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("namespaces", tests, NULL, NULL);
}
