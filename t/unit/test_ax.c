/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_ax.c - orp_ax: what is asked for, and what is believed. */

#include "support_op.h"

#include "orp_ax.h"

#define EMAIL "http://axschema.org/contact/email"
#define FIRST "http://axschema.org/namePerson/first"

static apr_array_header_t *wish(scene_t *scene, int count)
{
    const orp_ax_attr_t email = { "email", EMAIL, count, 1 };
    const orp_ax_attr_t first = { "first", FIRST, 1, 0 };
    apr_array_header_t *attrs = apr_array_make(scene->pool, 2,
                                               sizeof(orp_ax_attr_t));

    APR_ARRAY_PUSH(attrs, orp_ax_attr_t) = email;
    APR_ARRAY_PUSH(attrs, orp_ax_attr_t) = first;
    return attrs;
}

/* What is found, as "alias=value,value;alias=value". */
static const char *seen(scene_t *scene, const orp_params_t *params,
                        int count)
{
    apr_array_header_t *found = orp_ax_response(
        message_of(params, scene->pool), wish(scene, count), scene->pool);
    const char *text = "";
    int i;

    for (i = 0; i < found->nelts; i++) {
        const orp_ax_value_t *value = &APR_ARRAY_IDX(found, i,
                                                     orp_ax_value_t);

        assert_text(value->type, i || strcmp(value->alias, "email") != 0
                    ? FIRST : EMAIL);
        text = apr_pstrcat(scene->pool, text, i ? ";" : "", value->alias,
                           "=", apr_array_pstrcat(scene->pool,
                                                  value->values, ','), NULL);
    }
    return text;
}

/* The same after signing all fields but one. */
static const char *seen_without(scene_t *scene, const orp_params_t *params,
                                const char *unsigned_field, int count)
{
    const char *list = "mode";
    int i;

    for (i = 0; i < orp_params_size(params); i++) {
        const char *name = orp_params_name(params, i) + strlen("openid.");

        if (!strcmp(name, "mode") || !strcmp(name, unsigned_field)) {
            continue;
        }
        list = apr_pstrcat(scene->pool, list, ",", name, NULL);
    }
    return seen(scene, with(params, "openid.signed", list), count);
}

static const char *seen_all(scene_t *scene, const orp_params_t *params,
                            int count)
{
    return seen_without(scene, params, "", count);
}

/* One value each, under the provider's own names. */
static orp_params_t *answer(scene_t *scene)
{
    return params_of(scene->pool, "openid.ns", ORP_NS_20, "openid.mode",
                     "id_res", "openid.ns.ext1", ORP_AX_NS,
                     "openid.ext1.mode", "fetch_response",
                     "openid.ext1.type.mail", EMAIL,
                     "openid.ext1.value.mail", "v@e",
                     "openid.ext1.type.f", FIRST,
                     "openid.ext1.value.f", "Vic", NULL);
}

/* Several values of one attribute; count NULL: no count is sent. */
static orp_params_t *many(scene_t *scene, const char *count, int values)
{
    orp_params_t *params = params_of(
        scene->pool, "openid.ns", ORP_NS_20, "openid.mode", "id_res",
        "openid.ns.ax", ORP_AX_NS, "openid.ax.mode", "fetch_response",
        "openid.ax.type.e", EMAIL, "openid.ax.count.e", count, NULL);
    int i;

    for (i = 1; i <= values; i++) {
        orp_params_add(params, apr_psprintf(scene->pool,
                                            "openid.ax.value.e.%d", i),
                       apr_psprintf(scene->pool, "v%d", i));
    }
    return params;
}

static void eleven_aliases_are_known(void **state)
{
    static const char *const aliases[] = {
        "nickname", "email", "fullname", "dob", "gender", "postcode",
        "country", "language", "timezone", "first", "last",
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(aliases); i++) {
        assert_non_null(orp_ax_type(aliases[i]));
        assert_true(orp_ax_alias_valid(aliases[i]));
    }
    assert_text(orp_ax_type("email"), EMAIL);
    assert_text(orp_ax_type("first"), FIRST);
    assert_text(orp_ax_type("phone"), NULL);
}

static void an_alias_is_made_of_letters_digits_and_dashes(void **state)
{
    scene_t *scene = *state;

    assert_true(orp_ax_alias_valid("a_B-9"));
    assert_true(orp_ax_alias_valid(repeated("a", 32, scene->pool)));
    assert_false(orp_ax_alias_valid(repeated("a", 33, scene->pool)));
    assert_false(orp_ax_alias_valid(""));
    assert_false(orp_ax_alias_valid("a.b"));
    assert_false(orp_ax_alias_valid("a,b"));
    assert_false(orp_ax_alias_valid("a\xC3\xA9"));
}

static void what_is_wanted_is_asked_for(void **state)
{
    scene_t *scene = *state;
    orp_params_t *form = orp_params_create(scene->pool);

    orp_ax_request(form, wish(scene, 3), scene->pool);
    assert_text(orp_params_get(form, "openid.ns.ax"), ORP_AX_NS);
    assert_text(orp_params_get(form, "openid.ax.mode"), "fetch_request");
    assert_text(orp_params_get(form, "openid.ax.type.email"), EMAIL);
    assert_text(orp_params_get(form, "openid.ax.type.first"), FIRST);
    assert_text(orp_params_get(form, "openid.ax.count.email"), "3");
    assert_text(orp_params_get(form, "openid.ax.count.first"), NULL);
    assert_text(orp_params_get(form, "openid.ax.required"), "email");
    assert_text(orp_params_get(form, "openid.ax.if_available"), "first");

    form = orp_params_create(scene->pool);
    orp_ax_request(form, wish(scene, ORP_AX_UNLIMITED), scene->pool);
    assert_text(orp_params_get(form, "openid.ax.count.email"), "unlimited");
}

static void what_is_not_wanted_is_not_mentioned(void **state)
{
    scene_t *scene = *state;
    orp_params_t *form = orp_params_create(scene->pool);

    orp_ax_request(form, NULL, scene->pool);
    orp_ax_request(form, apr_array_make(scene->pool, 1,
                                        sizeof(orp_ax_attr_t)),
                   scene->pool);
    assert_int_equal(orp_params_size(form), 0);
}

static void attributes_are_found_by_their_type(void **state)
{
    scene_t *scene = *state;

    assert_text(seen_all(scene, answer(scene), 1), "email=v@e;first=Vic");
    assert_text(seen_all(scene, with(answer(scene), "openid.ext1.type.f",
                                     "urn:other"), 1), "email=v@e");
    assert_text(seen_all(scene, with(answer(scene), "openid.ext1.type.mail",
                                     EMAIL "x"), 1), "first=Vic");
    assert_int_equal(orp_ax_response(message_of(answer(scene), scene->pool),
                                     NULL, scene->pool)->nelts, 0);
}

static void only_an_answer_to_a_fetch_is_read(void **state)
{
    scene_t *scene = *state;

    assert_text(seen_all(scene, with(answer(scene), "openid.ext1.mode",
                                     "store_response_success"), 1), "");
    assert_text(seen_all(scene, with(answer(scene), "openid.ext1.mode",
                                     NULL), 1), "");
    assert_text(seen_all(scene, with(answer(scene), "openid.ns.ext1",
                                     ORP_AX_NS "x"), 1), "");
}

static void every_part_of_an_attribute_must_be_signed(void **state)
{
    static const struct {
        const char *field;
        const char *left;
    } table[] = {
        { "ext1.value.mail", "first=Vic" },
        { "ext1.type.mail", "first=Vic" },
        { "ext1.value.f", "email=v@e" },
        { "ext1.type.f", "email=v@e" },
        { "ns.ext1", "" },
        { "", "email=v@e;first=Vic" },
    };
    static const char *const counted[] = {
        "ax.count.e", "ax.value.e.1", "ax.value.e.2", "ax.type.e", "ns.ax",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        assert_text(seen_without(scene, answer(scene), table[i].field, 1),
                    table[i].left);
    }
    for (i = 0; i < COUNT(counted); i++) {
        assert_text(seen_without(scene, many(scene, "2", 2), counted[i], 5),
                    "");
    }
    assert_text(seen_all(scene, many(scene, "2", 2), 5), "email=v1,v2");
}

static void an_added_field_cannot_replace_a_signed_one(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = answer(scene);
    orp_params_t *more;

    params = with(params, "openid.signed", "ns.ext1,ext1.mode,"
                  "ext1.type.mail,ext1.value.mail");
    more = with(params, "openid.ext1.count.mail", "1");
    more = with(more, "openid.ext1.value.mail.1", "evil@e");
    assert_text(seen(scene, more, 5), "");
    more = with(params, "openid.ext1.type.a", EMAIL);
    more = with(more, "openid.ext1.value.a", "evil@e");
    assert_text(seen(scene, more, 5), "email=v@e");
    assert_text(seen(scene, params, 5), "email=v@e");
}

static void as_many_values_are_read_as_were_asked_for(void **state)
{
    static const struct {
        const char *count;
        int values;
        int wanted;
        const char *found;
    } table[] = {
        { "1", 1, 1, "email=v1" },
        { "2", 2, 2, "email=v1,v2" },
        { "3", 3, 100, "email=v1,v2,v3" },
        { "0", 0, 5, "" },
        { "0", 2, 5, "" },
        { "3", 3, 2, "" },
        { "3", 2, 5, "" },
        { "1", 3, 5, "email=v1" },
        { "2147483647", 3, 100, "" },
        { "18446744073709551617", 1, 100, "" },
        { "-1", 1, 5, "" },
        { "1e3", 1, 5, "" },
        { "", 1, 5, "" },
        { " 1", 1, 5, "" },
        { "0x1", 1, 5, "" },
        { "101", 101, 100, "" },
        { NULL, 2, 5, "" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        assert_text(seen_all(scene, many(scene, table[i].count,
                                         table[i].values), table[i].wanted),
                    table[i].found);
    }
}

static void a_value_may_be_empty(void **state)
{
    scene_t *scene = *state;

    assert_text(seen_all(scene, with(answer(scene), "openid.ext1.value.mail",
                                     ""), 1), "email=;first=Vic");
}

static void one_type_under_two_names_is_the_first(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = answer(scene);

    params = with(params, "openid.ext1.type.f", EMAIL);
    assert_text(seen_all(scene, params, 1), "email=v@e");
}

/* One value of this many bytes, as often as said. */
static orp_params_t *long_values(scene_t *scene, int bytes, int values)
{
    const char *value = apr_psprintf(scene->pool, "%0*d", bytes, 7);
    orp_params_t *params = params_of(
        scene->pool, "openid.ns", ORP_NS_20, "openid.mode", "id_res",
        "openid.ns.ax", ORP_AX_NS, "openid.ax.mode", "fetch_response",
        "openid.ax.type.e", EMAIL, "openid.ax.count.e",
        apr_itoa(scene->pool, values), NULL);
    int i;

    for (i = 1; i <= values; i++) {
        orp_params_add(params, apr_psprintf(scene->pool,
                                            "openid.ax.value.e.%d", i),
                       value);
    }
    return params;
}

static void values_over_their_ceilings_are_left_out(void **state)
{
    static const struct {
        int bytes;
        int values;
        int kept;
    } table[] = {
        { ORP_AX_VALUE_MAX, 1, 1 },
        { ORP_AX_VALUE_MAX + 1, 1, 0 },
        { ORP_AX_ALL_MAX / 8 - 1, 8, 1 },
        { ORP_AX_ALL_MAX / 8, 8, 0 },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        const char *found = seen_all(scene, long_values(scene, table[i].bytes,
                                                        table[i].values), 8);

        assert_int_equal(*found != '\0', table[i].kept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(eleven_aliases_are_known),
        scene_test(an_alias_is_made_of_letters_digits_and_dashes),
        scene_test(what_is_wanted_is_asked_for),
        scene_test(what_is_not_wanted_is_not_mentioned),
        scene_test(attributes_are_found_by_their_type),
        scene_test(only_an_answer_to_a_fetch_is_read),
        scene_test(every_part_of_an_attribute_must_be_signed),
        scene_test(an_added_field_cannot_replace_a_signed_one),
        scene_test(as_many_values_are_read_as_were_asked_for),
        scene_test(a_value_may_be_empty),
        scene_test(one_type_under_two_names_is_the_first),
        scene_test(values_over_their_ceilings_are_left_out),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("ax", tests, NULL, NULL);
}
