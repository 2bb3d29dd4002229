/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_params.c - orp_params: forms, key-value form, query strings. */

#include "support.h"

/* Every search for a delimiter is made with memchr(): this one counts how many
 * bytes were looked at, and how often. */
static struct {
    unsigned long bytes;
    unsigned long calls;
} searched;

void *memchr(const void *bytes, int c, size_t size)
{
    const unsigned char *b = bytes;
    size_t i;

    searched.calls++;
    for (i = 0; i < size && b[i] != (unsigned char)c; i++) {
        continue;
    }
    searched.bytes += i;
    return i < size ? (void *)(uintptr_t)(b + i) : NULL;
}

/* What a text says, as "name=value|name=value"; NULL where it is refused. */
static const char *shown(scene_t *scene, const orp_params_t *params)
{
    const char *text = "";
    int i;

    for (i = 0; i < orp_params_size(params); i++) {
        text = apr_pstrcat(scene->pool, text, i ? "|" : "",
                           orp_params_name(params, i), "=",
                           orp_params_value(params, i), NULL);
    }
    return text;
}

static const char *form(scene_t *scene, const char *text)
{
    orp_params_t *params = NULL;

    if (orp_params_parse_form(&params, text, strlen(text), scene->pool)
        != APR_SUCCESS) {
        assert_null(params);
        return NULL;
    }
    return shown(scene, params);
}

static const char *kv(scene_t *scene, const char *text, apr_size_t size)
{
    orp_params_t *params = NULL;

    if (orp_params_parse_kv(&params, text, size, scene->pool)
        != APR_SUCCESS) {
        assert_null(params);
        return NULL;
    }
    return shown(scene, params);
}

static void order_and_repetition_are_kept(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = params_of(scene->pool, "b", "1", "a", "2", "b",
                                     "3", "B", "", NULL);

    assert_text(shown(scene, params), "b=1|a=2|b=3|B=");
    assert_int_equal(orp_params_size(params), 4);
    assert_text(orp_params_get(params, "b"), "1");
    assert_text(orp_params_get(params, "B"), "");
    assert_text(orp_params_get(params, "c"), NULL);
    assert_int_equal(orp_params_count(params, "b"), 2);
    assert_int_equal(orp_params_count(params, "a"), 1);
    assert_int_equal(orp_params_count(params, "c"), 0);
}

static void what_is_added_is_copied_and_null_adds_nothing(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = orp_params_create(scene->pool);
    char name[] = "name", value[] = "value";

    orp_params_add(params, name, value);
    orp_params_add(params, "other", NULL);
    name[0] = value[0] = 'x';
    assert_text(shown(scene, params), "name=value");
}

static void a_list_is_added_with_commas(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = orp_params_create(scene->pool);
    apr_array_header_t *list = apr_array_make(scene->pool, 2,
                                              sizeof(const char *));

    orp_params_add_list(params, "none", NULL);
    orp_params_add_list(params, "empty", list);
    APR_ARRAY_PUSH(list, const char *) = "a";
    orp_params_add_list(params, "one", list);
    APR_ARRAY_PUSH(list, const char *) = "b";
    orp_params_add_list(params, "two", list);
    assert_text(shown(scene, params), "one=a|two=a,b");
}

static void forms_are_read(void **state)
{
    static const char *const forms[][2] = {
        { "openid.mode=error&openid.error=This%20is%20an%20example%20message",
          "openid.mode=error|openid.error=This is an example message" },
        { "a=1&b=2&a=3", "a=1|b=2|a=3" },
        { "a+b=c+d%2b", "a b=c d+" },
        { "%61%3D=%26%3d", "a==&=" },
        { "a", "a=" }, { "a&b", "a=|b=" }, { "a=", "a=" }, { "a==", "a==" },
        { "=b", "=b" }, { "a=b=c", "a=b=c" }, { "a;b=c", "a;b=c" },
        { "", "" }, { "&", "" }, { "&&&", "" }, { "=", "=" },
        { "?&", "?=" }, { "?=", "?=" }, { "?&&=", "?=|=" },
        { "&a=1&&b=2&", "a=1|b=2" },
        { "a=%C3%A9&b=\xc3\xa9", "a=\xc3\xa9|b=\xc3\xa9" },
        { "a=%0A%0d", "a=\n\r" },   /* for the message to refuse */
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(forms); i++) {
        assert_text(form(scene, forms[i][0]), forms[i][1]);
    }
}

static void forms_with_broken_escapes_are_refused(void **state)
{
    static const char *const broken[] = {
        "a=%", "a=%4", "a=%z", "a=%zz&b=1", "%=1", "%4=1", "%zz", "a=%00",
        "%00=a", "b=1&a=%", "a=%&41=b", "a%=41",
    };
    scene_t *scene = *state;
    orp_params_t *params;
    size_t i;

    for (i = 0; i < COUNT(broken); i++) {
        assert_text(form(scene, broken[i]), NULL);
    }
    assert_status(orp_params_parse_form(&params, "a=\0", 3, scene->pool),
                  ORP_EENCODING);
    assert_status(orp_params_parse_form(&params, "a=%", 3, scene->pool),
                  ORP_EENCODING);
    assert_text(form(scene, "a=%25"), "a=%");
}

static void only_size_bytes_of_a_form_are_read(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params;

    assert_status(orp_params_parse_form(&params, "a=1&b=2&c", 7,
                                        scene->pool), APR_SUCCESS);
    assert_text(shown(scene, params), "a=1|b=2");
    assert_status(orp_params_parse_form(&params, "a=1&b=2&c", 0,
                                        scene->pool), APR_SUCCESS);
    assert_int_equal(orp_params_size(params), 0);
}

static void a_form_has_as_many_parameters_as_the_limit(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = NULL;
    const char *text = repeated("a=1&", ORP_PARAMS_MAX, scene->pool);

    assert_status(orp_params_parse_form(&params, text, strlen(text),
                                        scene->pool), APR_SUCCESS);
    assert_int_equal(orp_params_size(params), ORP_PARAMS_MAX);
    params = NULL;
    text = apr_pstrcat(scene->pool, text, "b", NULL);
    assert_status(orp_params_parse_form(&params, text, strlen(text),
                                        scene->pool), ORP_ETOOBIG);
    assert_null(params);
}

static void a_text_has_a_ceiling(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = NULL;
    const char *text = repeated("v", ORP_PARAMS_SIZE_MAX + 1, scene->pool);
    char *lines = apr_pstrdup(scene->pool, text);

    assert_status(orp_params_parse_form(&params, text, ORP_PARAMS_SIZE_MAX,
                                        scene->pool), APR_SUCCESS);
    params = NULL;
    assert_status(orp_params_parse_form(&params, text,
                                        ORP_PARAMS_SIZE_MAX + 1,
                                        scene->pool), ORP_ETOOBIG);
    assert_null(params);
    lines[1] = ':';
    lines[ORP_PARAMS_SIZE_MAX - 1] = '\n';
    assert_status(orp_params_parse_kv(&params, lines, ORP_PARAMS_SIZE_MAX,
                                      scene->pool), APR_SUCCESS);
    params = NULL;
    lines[ORP_PARAMS_SIZE_MAX - 1] = 'v';
    lines[ORP_PARAMS_SIZE_MAX] = '\n';
    assert_status(orp_params_parse_kv(&params, lines,
                                      ORP_PARAMS_SIZE_MAX + 1, scene->pool),
                  ORP_ETOOBIG);
    assert_null(params);
}

/* The list of attacks, C, "oversized POST", "separators only": whatever there
 * is of them, no byte is looked at more than twice, and what is over the
 * limits not at all. */
static void any_number_of_parameters_is_read_in_one_pass(void **state)
{
    static const char *const pieces[] = {
        "a=1&", "a&", "&", "=&", "=", "&&=", "a=%41&", "a=b=c&", "a;",
        "openid.sig=x&", "+=+&", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&",
    };
    static const int counts[] = { 1, 511, 512, 513, 5000, 100000 };
    scene_t *scene = *state;
    size_t i, j;

    for (i = 0; i < COUNT(pieces); i++) {
        for (j = 0; j < COUNT(counts); j++) {
            const char *text = repeated(pieces[i], counts[j], scene->pool);
            size_t size = strlen(text);
            orp_params_t *params;
            apr_status_t status;

            memset(&searched, 0, sizeof(searched));
            status = orp_params_parse_form(&params, text, size,
                                           scene->pool);
            assert_true(searched.bytes <= 2 * size);
            assert_true(searched.calls <= 2 * (size + 1));
            if (size > ORP_PARAMS_SIZE_MAX) {
                assert_status(status, ORP_ETOOBIG);
                assert_int_equal(searched.calls, 0);
            }
            else if (status == ORP_ETOOBIG) {
                assert_true(searched.bytes
                            <= 2 * strlen(pieces[i])
                            * (ORP_PARAMS_MAX + 1));
            }
            memset(&searched, 0, sizeof(searched));
            (void)orp_query_without(text, "k", scene->pool);
            assert_true(searched.bytes <= 2 * size);
        }
    }
}

static void a_form_is_written_so_that_it_is_read_again(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = params_of(scene->pool, "a b", "c&d=e+f", "a b",
                                     "", "\xc3\xa9", "%\n", NULL);
    const char *text = orp_params_form(params, scene->pool);

    assert_text(text, "a%20b=c%26d%3De%2Bf&a%20b=&%C3%A9=%25%0A");
    assert_text(form(scene, text), shown(scene, params));
    assert_text(orp_params_form(orp_params_create(scene->pool),
                                scene->pool), "");
}

/* OpenID Authentication 2.0, 4.1.3. */
static void the_example_of_the_specification_is_read(void **state)
{
    scene_t *scene = *state;
    const char *text = "mode:error\nerror:This is an example message\n";

    assert_text(kv(scene, text, strlen(text)),
                "mode=error|error=This is an example message");
}

static void key_value_forms_are_read(void **state)
{
    static const char *const texts[][2] = {
        { "", "" },
        { "a:b\n", "a=b" },
        { "a:\n", "a=" },
        { "a:b:c\n", "a=b:c" },
        { "a::\n", "a=:" },
        { "a: b \n", "a= b " },     /* white space is a part of it */
        { " a:b\n", " a=b" },
        { "a:b\na:c\n", "a=b|a=c" },
        { "ns:http://specs.openid.net/auth/2.0\nis_valid:true\n",
          "ns=http://specs.openid.net/auth/2.0|is_valid=true" },
        { "a:%41+\n", "a=%41+" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(texts); i++) {
        assert_text(kv(scene, texts[i][0], strlen(texts[i][0])),
                    texts[i][1]);
    }
}

static void key_value_forms_with_two_readings_are_refused(void **state)
{
    static const char *const broken[] = {
        "a:b", "a:b\nc:d", "a", "a\n", "\n", "a:b\n\n", "\na:b\n", ":b\n",
        ":\n", "a:b\nc\n", "a:b\r\n", "a:b\rc:d\n", "a\t:b\n", "a:\tb\n",
        "a:b\x7f\n", "\001a:b\n", "<html>\n</html>\n", "is_valid=true\n",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(broken); i++) {
        assert_text(kv(scene, broken[i], strlen(broken[i])), NULL);
    }
    assert_text(kv(scene, "a:b\0c\n", 6), NULL);
    assert_text(kv(scene, "a\0:b\n", 5), NULL);
    assert_text(kv(scene, "a:b\n\0", 5), NULL);
    assert_text(kv(scene, "a:b\n\0", 4), "a=b");
}

static void a_key_value_form_has_as_many_lines_as_the_limit(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = NULL;
    const char *text = repeated("a:1\n", ORP_PARAMS_MAX, scene->pool);

    assert_status(orp_params_parse_kv(&params, text, strlen(text),
                                      scene->pool), APR_SUCCESS);
    assert_int_equal(orp_params_size(params), ORP_PARAMS_MAX);
    text = apr_pstrcat(scene->pool, text, "b:1\n", NULL);
    assert_status(orp_params_parse_kv(&params, text, strlen(text),
                                      scene->pool), ORP_ETOOBIG);
}

static void a_parameter_is_taken_out_and_the_rest_stays_byte_for_byte(
    void **state)
{
    static const char *const queries[][2] = {
        { "k=1", NULL },
        { "k", NULL }, { "k=", NULL }, { "k=1&k=2", NULL }, { "%6b=1", NULL },
        { "k=%zz", NULL },
        { "a=1&k=2&b=3", "a=1&b=3" },
        { "k=1&a=%7e+%7E&&b&=&b=", "a=%7e+%7E&&b&=&b=" },
        { "a=%zz&k=1&%=2", "a=%zz&%=2" },
        { "a=1&k=2", "a=1" },
        { "a=k&K=1&kk=2&k%20=3", "a=k&K=1&kk=2&k%20=3" },
        { "", "" }, { "&", "&" }, { "&k=1", "" }, { "k=1&", "" },
        { "&&k=1&&", "&&&" },
        { "a=1", "a=1" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(queries); i++) {
        assert_text(orp_query_without(queries[i][0], "k", scene->pool),
                    queries[i][1]);
    }
}

static void parameters_are_added_to_a_url(void **state)
{
    static const char *const urls[][2] = {
        { "http://a/", "http://a/?k=1%20%26&l=" },
        { "http://a/?", "http://a/?k=1%20%26&l=" },
        { "http://a/?b", "http://a/?b&k=1%20%26&l=" },
        { "http://a/?b=c&", "http://a/?b=c&k=1%20%26&l=" },
        { "http://a/?b=c?", "http://a/?b=c?&k=1%20%26&l=" },
        { "http://a/b&", "http://a/b&?k=1%20%26&l=" },
        { "http://a/#f?", "http://a/?k=1%20%26&l=" },
        { "http://a/?b#f", "http://a/?b&k=1%20%26&l=" },
    };
    scene_t *scene = *state;
    const orp_params_t *params = params_of(scene->pool, "k", "1 &", "l", "",
                                           NULL);
    size_t i;

    for (i = 0; i < COUNT(urls); i++) {
        assert_text(orp_params_url(urls[i][0], params, scene->pool),
                    urls[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(order_and_repetition_are_kept),
        scene_test(what_is_added_is_copied_and_null_adds_nothing),
        scene_test(a_list_is_added_with_commas),
        scene_test(forms_are_read),
        scene_test(forms_with_broken_escapes_are_refused),
        scene_test(only_size_bytes_of_a_form_are_read),
        scene_test(a_form_has_as_many_parameters_as_the_limit),
        scene_test(a_text_has_a_ceiling),
        scene_test(any_number_of_parameters_is_read_in_one_pass),
        scene_test(a_form_is_written_so_that_it_is_read_again),
        scene_test(the_example_of_the_specification_is_read),
        scene_test(key_value_forms_are_read),
        scene_test(key_value_forms_with_two_readings_are_refused),
        scene_test(a_key_value_form_has_as_many_lines_as_the_limit),
        scene_test(
            a_parameter_is_taken_out_and_the_rest_stays_byte_for_byte),
        scene_test(parameters_are_added_to_a_url),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
