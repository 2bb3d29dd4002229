/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_message.c - orp_message: nothing with two readings gets in. */

#include "support.h"

#include <strings.h>

#include "orp_message.h"

/* How many bytes of names and values are compared with each other: by these
 * functions, which stand in the place of the C library's, for APR as well. */
static unsigned long compared;

#define INSTEAD __attribute__((visibility("default")))

INSTEAD int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *x = a, *y = b;

    for (compared++; size && *x == *y; size--, compared++) {
        x++;
        y++;
    }
    return size ? *x - *y : 0;
}

INSTEAD int strcmp(const char *a, const char *b)
{
    for (compared++; *a && *a == *b; compared++) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

INSTEAD int strcasecmp(const char *a, const char *b)
{
    for (compared++; *a && (*a | 32) == (*b | 32); compared++) {
        a++;
        b++;
    }
    return (*a | 32) - (*b | 32);
}

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
        "ns.sreg",
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

/* Every field that an answer can have, and both orders: the first one of two
 * is no better than the last. */
static void a_field_that_occurs_twice_is_refused_in_both_orders(void **state)
{
    static const char *const fields[] = {
        "ns", "mode", "op_endpoint", "claimed_id", "identity", "return_to",
        "response_nonce", "invalidate_handle", "assoc_handle", "signed",
        "sig", "error", "contact", "reference", "user_setup_url", "ns.ext1",
        "ext1.mode", "ext1.type.email", "ext1.value.email",
        "ext1.count.email", "sreg.email", "ns.sreg",
    };
    static const char *const pairs[][2] = {
        { "good", "evil" }, { "evil", "good" }, { "good", "good" },
        { "", "good" }, { "good", "" },
    };
    /* one name has many spellings in a query */
    static const char *const prefixes[] = {
        "openid.", "%6fpenid.", "openid%2E", "%6F%70%65%6E%69%64%2e",
    };
    scene_t *scene = *state;
    size_t i, j, k;

    for (i = 0; i < COUNT(fields); i++) {
        const char *mode = strcmp(fields[i], "mode")
            ? "openid.mode=id_res&" : "";

        for (j = 0; j < COUNT(pairs); j++) {
            for (k = 0; k < COUNT(prefixes); k++) {
                const char *first = apr_pstrcat(
                    scene->pool, mode, "openid.", fields[i], "=",
                    pairs[j][0], NULL);

                assert_non_null(message(scene, first));
                assert_null(message(scene, apr_pstrcat(
                    scene->pool, first, "&", prefixes[k], fields[i], "=",
                    pairs[j][1], NULL)));
                assert_null(message(scene, apr_pstrcat(
                    scene->pool, prefixes[k], fields[i], "=", pairs[j][1],
                    "&", first, NULL)));
            }
        }
    }
}

static void a_name_has_1_to_255_bytes(void **state)
{
    scene_t *scene = *state;
    const char *name = repeated("n", ORP_MESSAGE_NAME_MAX, scene->pool);
    const char *query = apr_pstrcat(scene->pool, "openid.mode=a&openid.",
                                    name, NULL);

    assert_non_null(message(scene, apr_pstrcat(scene->pool, query, "=x",
                                               NULL)));
    assert_null(message(scene, apr_pstrcat(scene->pool, query, "n=x",
                                           NULL)));
    assert_null(message(scene, "openid.mode=a&openid.=x"));
    assert_null(message(scene, "openid.mode=a&openid."));
    assert_non_null(direct(scene, apr_pstrcat(scene->pool, name, ":x\n",
                                              NULL)));
    assert_null(direct(scene, apr_pstrcat(scene->pool, name, "n:x\n",
                                          NULL)));
}

static void a_value_has_a_ceiling(void **state)
{
    scene_t *scene = *state;
    const char *value = repeated("v", ORP_MESSAGE_VALUE_MAX, scene->pool);
    const char *query = apr_pstrcat(scene->pool, "openid.mode=a&openid.x=",
                                    value, NULL);

    assert_non_null(message(scene, query));
    assert_null(message(scene, apr_pstrcat(scene->pool, query, "v", NULL)));
    assert_non_null(message(scene, apr_pstrcat(scene->pool, query, "&y=",
                                               value, "v", NULL)));
    assert_non_null(direct(scene, apr_pstrcat(scene->pool, "x:", value,
                                              "\n", NULL)));
    assert_null(direct(scene, apr_pstrcat(scene->pool, "x:", value, "v\n",
                                          NULL)));
}

/* What a stranger sends must not fill the log. */
static void no_sentence_is_longer_than_a_name_can_be(void **state)
{
    scene_t *scene = *state;
    orp_reason_t *why = orp_reason_create(scene->pool);
    const char *text, *name = repeated("n", 10000, scene->pool);
    orp_message_t *m = message(scene, apr_pstrcat(
        scene->pool, "openid.mode=a&openid.signed=", name, NULL));

    assert_non_null(m);
    assert_status(orp_message_signed_text(&text, m, why, scene->pool),
                  ORP_EMESSAGE);
    assert_in_range(strlen(why->sentence), 1, 400);
    assert_status(orp_message_from_request(
        &m, params_of(scene->pool, "openid.mode", "a", apr_pstrcat(
            scene->pool, "openid.", name, NULL), "x", NULL), why,
        scene->pool), ORP_EMESSAGE);
    assert_in_range(strlen(why->sentence), 1, 400);
    assert_status(orp_message_from_request(
        &m, params_of(scene->pool, "openid.mode", "a", "openid.x",
                      repeated("v", ORP_MESSAGE_VALUE_MAX + 1, scene->pool),
                      NULL), why, scene->pool), ORP_EMESSAGE);
    assert_in_range(strlen(why->sentence), 1, 400);
}

static void a_secret_that_was_used_is_overwritten(void **state)
{
    scene_t *scene = *state;
    orp_message_t *m = direct(scene, "mac_key:c2VjcmV0\nx:stays\n");
    const char *key = orp_message_get(m, "mac_key");

    assert_text(key, "c2VjcmV0");
    orp_message_cleanse(m, "mac_key");
    assert_memory_equal(key, "\0\0\0\0\0\0\0\0", 8);
    assert_text(orp_message_get(m, "mac_key"), "");
    assert_text(orp_message_get(m, "x"), "stays");
    orp_message_cleanse(m, "none");
}

/* A message of so many fields, whose names and values differ only at their
 * ends, and that are all signed. */
static apr_status_t many(scene_t *scene, const char *name, const char *value,
                         int count)
{
    orp_params_t *params = params_of(scene->pool, "openid.mode", "a", NULL);
    apr_array_header_t *names = apr_array_make(scene->pool, count,
                                               sizeof(const char *));
    orp_message_t *m;
    const char *text;
    apr_status_t status;
    int i;

    for (i = 0; i < count; i++) {
        const char *full = apr_psprintf(scene->pool, "%s%d", name, i);

        APR_ARRAY_PUSH(names, const char *) = full;
        orp_params_add(params, apr_pstrcat(scene->pool, "openid.", full,
                                           NULL),
                       apr_psprintf(scene->pool, "%s%d", value, i));
    }
    orp_params_add_list(params, "openid.signed", names);
    compared = 0;
    status = orp_message_from_request(&m, params, NULL, scene->pool);
    return status == APR_SUCCESS
        ? orp_message_signed_text(&text, m, NULL, scene->pool) : status;
}

/* Twice as many fields are twice as much work, not four times as much; what
 * is compared where two fall together by chance is in the margin. */
static void the_work_grows_as_the_number_of_fields(void **state)
{
    static const char *const names[][2] = {
        { "x", "v" },
        { "a.very.long.name.that.begins.as.all.others.do.", "v" },
        { "ns.x", "http://a.very.long.uri.that.begins.as.all.others.do/" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(names); i++) {
        unsigned long one;

        assert_status(many(scene, names[i][0], names[i][1], 150),
                      APR_SUCCESS);
        one = compared;
        assert_true(one > 150);
        assert_status(many(scene, names[i][0], names[i][1], 300),
                      APR_SUCCESS);
        assert_in_range(compared, one, 3 * one);
    }
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

    static const char *const broken[] = {
        "%ff", "%fe", "%80", "%bf%bf",
        "%c0%af", "%c0%80", "%c1%bf", "%e0%80%af", "%e0%9f%bf",
        "%f0%80%80%af", "%f0%8f%bf%bf", "%f8%88%80%80%80",  /* overlong */
        "%ed%a0%80", "%ed%bf%bf", "%ed%a0%bd%ed%b8%80",     /* surrogates */
        "%f4%90%80%80", "%f5%80%80%80",             /* beyond U+10FFFF */
        "%c3", "%c3a", "%e2%82", "%e2%82a", "%f0%9f%98", "%c3%c3%a9",
    };
    size_t i;

    for (i = 0; i < COUNT(broken); i++) {
        assert_null(message(scene, apr_pstrcat(
            scene->pool, "openid.mode=a&openid.x=", broken[i], NULL)));
        assert_null(message(scene, apr_pstrcat(
            scene->pool, "openid.mode=a&openid.x=b", broken[i], "c",
            NULL)));
        assert_null(message(scene, apr_pstrcat(
            scene->pool, "openid.mode=a&openid.b", broken[i], "c=x",
            NULL)));
    }
    assert_non_null(message(scene, "openid.mode=a&openid.x=%f0%9f%98%80"
                            "%ef%bf%bf%ed%9f%bf%f4%8f%bf%bf"));
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

    static const char *const broken[] = {
        "is_valid:false\nis_valid:true\n", "is_valid:true\nis_valid:false\n",
        "is_valid:true\nis_valid:true\n", "is_valid:true",
        "is_valid:true\r\n", "is_valid:true\r", "is_valid:false\ris_valid:"
        "true\n", "is_valid:true\n\n", "\nis_valid:true\n",
        "is_valid\nis_valid:true\n", ":is_valid:true\n",
        "is_valid:true\nx", "is_valid:true\nx:", "is_valid:true\n\tx:y\n",
        "<html>", "<html>\nis_valid:true\n</html>\n",
        "is_valid:true\nx:\xff\n", "\xef\xbb\xbf" "is_valid:true\x01\n",
    };
    size_t i;

    for (i = 0; i < COUNT(broken); i++) {
        assert_null(direct(scene, broken[i]));
    }
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
        "mode,", ",", ",,", "mode, ns", " mode", "mode ", "openid.mode", "Mode",
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

/* A list of 8,000 times the same name of a long field would make a text of
 * 128 MB out of a message of 32 KB. */
static void a_list_that_repeats_itself_makes_no_endless_text(void **state)
{
    scene_t *scene = *state;
    const char *query = apr_pstrcat(
        scene->pool, "openid.mode=a&openid.x=",
        repeated("v", 1020, scene->pool), "&openid.signed=mode", NULL);

    assert_text(signed_text(scene, "openid.mode=a&openid.signed=mode,mode"),
                "mode:a\nmode:a\n");
    assert_non_null(signed_text(scene, apr_pstrcat(
        scene->pool, query, repeated(",x", 128, scene->pool), NULL)));
    assert_null(signed_text(scene, apr_pstrcat(
        scene->pool, query, repeated(",x", 129, scene->pool), NULL)));
    assert_null(signed_text(scene, apr_pstrcat(
        scene->pool, query, repeated(",x", 8000, scene->pool), NULL)));
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
        scene_test(a_field_that_occurs_twice_is_refused_in_both_orders),
        scene_test(a_name_has_1_to_255_bytes),
        scene_test(a_value_has_a_ceiling),
        scene_test(no_sentence_is_longer_than_a_name_can_be),
        scene_test(a_secret_that_was_used_is_overwritten),
        scene_test(the_work_grows_as_the_number_of_fields),
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
        scene_test(a_list_that_repeats_itself_makes_no_endless_text),
        scene_test(a_field_is_signed_where_it_is_listed_and_there),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
