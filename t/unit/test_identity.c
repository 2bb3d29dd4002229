/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_identity.c - orp_identity and orp_json: who signed in, written down. */

#include "support.h"

#include "orp_identity.h"
#include "orp_json.h"

static void add_ax(orp_identity_t *identity, const char *alias,
                   const char *type, const char *first, const char *second)
{
    orp_ax_value_t *value = apr_array_push(identity->ax);

    value->alias = alias;
    value->type = type;
    value->values = apr_array_make(identity->ax->pool, 2,
                                   sizeof(const char *));
    APR_ARRAY_PUSH(value->values, const char *) = first;
    if (second) {
        APR_ARRAY_PUSH(value->values, const char *) = second;
    }
}

static orp_identity_t *make(scene_t *scene)
{
    orp_identity_t *identity = apr_pcalloc(scene->pool, sizeof(*identity));

    identity->claimed_id = "https://user.example/#1";
    identity->display = "user.example";
    identity->endpoint = "https://op.example/";
    identity->auth_time = SCENE_TIME;
    identity->sreg = orp_params_create(scene->pool);
    identity->ax = apr_array_make(scene->pool, 2, sizeof(orp_ax_value_t));
    return identity;
}

static orp_identity_t *reread(scene_t *scene, const orp_identity_t *identity)
{
    orp_params_t *record = orp_params_create(scene->pool);
    orp_identity_t *again = NULL;

    orp_identity_write(record, identity, scene->pool);
    assert_status(orp_identity_read(&again, record, scene->pool),
                  APR_SUCCESS);
    return again;
}

static void an_identity_comes_back_as_it_was_written(void **state)
{
    scene_t *scene = *state;
    orp_identity_t *identity = make(scene), *again;

    orp_params_add(identity->sreg, "nickname", "vic");
    orp_params_add(identity->sreg, "email", "");
    add_ax(identity, "email", "http://axschema.org/contact/email", "a@e", "b@e");
    add_ax(identity, "first", "urn:f", "", NULL);
    again = reread(scene, identity);
    assert_text(again->claimed_id, identity->claimed_id);
    assert_text(again->display, identity->display);
    assert_text(again->endpoint, identity->endpoint);
    assert_true(again->auth_time == SCENE_TIME);
    assert_text(orp_params_form(again->sreg, scene->pool),
                "nickname=vic&email=");
    assert_int_equal(again->ax->nelts, 2);
    assert_text(orp_identity_ax_json(again, scene->pool),
                "{\"http://axschema.org/contact/email\": "
                "[\"a@e\", \"b@e\"], \"urn:f\": [\"\"]}");
    assert_text(APR_ARRAY_IDX(again->ax, 0, orp_ax_value_t).alias, "email");
}

static void an_identity_may_have_no_attributes(void **state)
{
    scene_t *scene = *state;
    orp_identity_t *again = reread(scene, make(scene));

    assert_int_equal(orp_params_size(again->sreg), 0);
    assert_int_equal(again->ax->nelts, 0);
    assert_text(orp_identity_sreg_json(again, scene->pool), NULL);
    assert_text(orp_identity_ax_json(again, scene->pool), NULL);
    assert_text(orp_identity_email(again), NULL);
}

static void a_damaged_record_is_a_failure_of_the_store(void **state)
{
    scene_t *scene = *state;
    orp_params_t *good = params_of(scene->pool, "claimed_id", "x",
                                   "endpoint", "x", "auth_time", "1", NULL);
    const orp_params_t *const damaged[] = {
        params_of(scene->pool, "endpoint", "x", "auth_time", "1", NULL),
        params_of(scene->pool, "claimed_id", "x", "auth_time", "1", NULL),
        params_of(scene->pool, "claimed_id", "x", "endpoint", "x", NULL),
        params_of(scene->pool, "claimed_id", "x", "endpoint", "x",
                  "auth_time", "-1", NULL),
        params_of(scene->pool, "claimed_id", "x", "endpoint", "x",
                  "auth_time", "1", "axtype.email", "http://axschema.org/contact/email", NULL),
        params_of(scene->pool, "claimed_id", "x", "endpoint", "x",
                  "auth_time", "1", "axtype.a", "urn:a", "axtype.b", "urn:b",
                  "ax.b", "v", NULL),
    };
    orp_identity_t *identity = NULL;
    size_t i;

    for (i = 0; i < COUNT(damaged); i++) {
        assert_status(orp_identity_read(&identity, damaged[i], scene->pool),
                      ORP_ESTORE);
        assert_null(identity);
    }
    orp_params_add(good, "ax.stray", "value");
    orp_params_add(good, "of another", "time");
    assert_status(orp_identity_read(&identity, good, scene->pool),
                  APR_SUCCESS);
    assert_int_equal(identity->ax->nelts, 0);
}

static void the_mail_address_is_that_of_sreg_else_that_of_ax(void **state)
{
    static const struct {
        const char *sreg;
        const char *ax;
        const char *email;
    } table[] = {
        { "s@e", "a@e", "s@e" }, { "s@e", NULL, "s@e" },
        { NULL, "a@e", "a@e" }, { "", "a@e", "a@e" }, { "", "", NULL },
        { NULL, NULL, NULL }, { "", NULL, NULL }, { NULL, "", NULL },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        orp_identity_t *identity = make(scene);

        orp_params_add(identity->sreg, "nickname", "n@e");
        orp_params_add(identity->sreg, "email", table[i].sreg);
        add_ax(identity, "first", "urn:f", "f@e", NULL);
        if (table[i].ax) {
            add_ax(identity, "email", "http://axschema.org/contact/email", table[i].ax, "second@e");
        }
        assert_text(orp_identity_email(identity), table[i].email);
    }
}

static void attributes_are_written_as_json(void **state)
{
    scene_t *scene = *state;
    orp_identity_t *identity = make(scene);

    orp_params_add(identity->sreg, "nickname", "\"v\\\n");
    orp_params_add(identity->sreg, "email", "v@e");
    assert_text(orp_identity_sreg_json(identity, scene->pool),
                "{\"nickname\": \"\\\"v\\\\\\u000a\", \"email\": \"v@e\"}");
}

/* ---------------------------------------------------------------------- */

static void a_json_string_escapes_what_it_must(void **state)
{
    static const struct {
        const char *text;
        const char *json;
    } table[] = {
        { NULL, "null" },
        { "", "\"\"" },
        { "a/b", "\"a/b\"" },
        { "\"\\", "\"\\\"\\\\\"" },
        { "\x01\t\n\x1F", "\"\\u0001\\u0009\\u000a\\u001f\"" },
        { "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
          "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"" },
        { "a\xFF" "b", "\"a\\ufffd" "b\"" },
        { "\xC3", "\"\\ufffd\"" },
        { "\xE2\x82", "\"\\ufffd\\ufffd\"" },
        { "\xC0\x80", "\"\\ufffd\\ufffd\"" },
        { "\xED\xA0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
        { "\xF5\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        assert_text(orp_json_string(table[i].text, scene->pool),
                    table[i].json);
    }
}

static void the_worst_text_fits_its_buffer(void **state)
{
    scene_t *scene = *state;
    const char *controls = repeated("\x01", 5000, scene->pool);
    const char *broken = repeated("\xFF", 5000, scene->pool);

    assert_int_equal(strlen(orp_json_string(controls, scene->pool)), 30002);
    assert_int_equal(strlen(orp_json_string(broken, scene->pool)), 30002);
}

static void arrays_and_objects_hold_what_they_are_given(void **state)
{
    scene_t *scene = *state;
    apr_array_header_t *items = apr_array_make(scene->pool, 2,
                                               sizeof(const char *));
    apr_array_header_t *members = apr_array_make(scene->pool, 2,
                                                 sizeof(const char *));

    assert_text(orp_json_array(items, scene->pool), "[]");
    assert_text(orp_json_strings(items, scene->pool), "[]");
    assert_text(orp_json_object(members, scene->pool), "{}");
    APR_ARRAY_PUSH(items, const char *) = "1";
    APR_ARRAY_PUSH(items, const char *) = "\"";
    assert_text(orp_json_array(items, scene->pool), "[1, \"]");
    assert_text(orp_json_strings(items, scene->pool), "[\"1\", \"\\\"\"]");
    orp_json_member(members, "a\"", "1", scene->pool);
    orp_json_member(members, "b", "null", scene->pool);
    assert_text(orp_json_object(members, scene->pool),
                "{\"a\\\"\": 1, \"b\": null}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(an_identity_comes_back_as_it_was_written),
        scene_test(an_identity_may_have_no_attributes),
        scene_test(a_damaged_record_is_a_failure_of_the_store),
        scene_test(the_mail_address_is_that_of_sreg_else_that_of_ax),
        scene_test(attributes_are_written_as_json),
        scene_test(a_json_string_escapes_what_it_must),
        scene_test(the_worst_text_fits_its_buffer),
        scene_test(arrays_and_objects_hold_what_they_are_given),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
