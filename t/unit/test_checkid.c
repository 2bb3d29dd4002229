/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_checkid.c - orp_checkid: the URL that the browser is sent to. */

#include "support.h"

#include "orp_checkid.h"

#define OP "https://op.example/auth"

static orp_login_t login_of(orp_version_e version)
{
    orp_login_t login = {
        .version = version, .endpoint = OP,
        .claimed_id = "https://user.example/",
        .local_id = "https://op.example/~user", .assoc_handle = "h&1",
        .return_to = "https://rp.example/private?openid_return=KEY",
    };

    return login;
}

/* The parameters in the URL for a login. */
static orp_params_t *asked(scene_t *scene, const orp_login_t *login,
                           const orp_rp_t *rp)
{
    const char *url = orp_checkid_url(login, rp, 0, scene->pool);
    const char *query = strchr(url, '?');
    orp_params_t *params;

    assert_non_null(query);
    assert_int_equal(strncmp(url, OP "?", strlen(OP) + 1), 0);
    assert_status(orp_params_parse_form(&params, query + 1,
                                        strlen(query + 1), scene->pool),
                  APR_SUCCESS);
    return params;
}

static void assert_params(const orp_params_t *params,
                          const char *const (*expected)[2], int count)
{
    int i;

    assert_int_equal(orp_params_size(params), count);
    for (i = 0; i < count; i++) {
        assert_text(orp_params_name(params, i), expected[i][0]);
        assert_text(orp_params_value(params, i), expected[i][1]);
    }
}

static const orp_rp_t plain = { .realm = "https://rp.example/" };

static void a_request_in_2_names_both_identifiers(void **state)
{
    static const char *const expected[][2] = {
        { "openid.ns", ORP_NS_20 }, { "openid.mode", "checkid_setup" },
        { "openid.claimed_id", "https://user.example/" },
        { "openid.identity", "https://op.example/~user" },
        { "openid.assoc_handle", "h&1" },
        { "openid.return_to",
          "https://rp.example/private?openid_return=KEY" },
        { "openid.realm", "https://rp.example/" },
    };
    orp_login_t login = login_of(ORP_VERSION_2);

    assert_params(asked(*state, &login, &plain), expected,
                  (int)COUNT(expected));
}

static void a_request_in_1_names_the_local_identifier_only(void **state)
{
    static const char *const expected[][2] = {
        { "openid.mode", "checkid_setup" },
        { "openid.identity", "https://op.example/~user" },
        { "openid.assoc_handle", "h&1" },
        { "openid.return_to",
          "https://rp.example/private?openid_return=KEY" },
        { "openid.trust_root", "https://rp.example/" },
    };
    orp_login_t login = login_of(ORP_VERSION_1);

    assert_params(asked(*state, &login, &plain), expected,
                  (int)COUNT(expected));
}

static void the_provider_chooses_where_there_is_no_identifier(void **state)
{
    static const char *const expected[][2] = {
        { "openid.ns", ORP_NS_20 }, { "openid.mode", "checkid_setup" },
        { "openid.claimed_id", ORP_IDENTIFIER_SELECT },
        { "openid.identity", ORP_IDENTIFIER_SELECT },
        { "openid.return_to",
          "https://rp.example/private?openid_return=KEY" },
        { "openid.realm", "https://rp.example/" },
    };
    orp_login_t login = login_of(ORP_VERSION_2);

    login.claimed_id = login.local_id = login.assoc_handle = NULL;
    assert_params(asked(*state, &login, &plain), expected,
                  (int)COUNT(expected));
}

static void an_endpoint_keeps_its_own_query(void **state)
{
    scene_t *scene = *state;
    orp_login_t login = login_of(ORP_VERSION_1);

    login.endpoint = OP "?a=b&c";
    assert_int_equal(strncmp(orp_checkid_url(&login, &plain, 0, scene->pool),
                             OP "?a=b&c&openid.mode=", strlen(OP) + 19), 0);
}

static void extensions_are_asked_for(void **state)
{
    scene_t *scene = *state;
    orp_login_t login = login_of(ORP_VERSION_2);
    apr_array_header_t *fields = apr_array_make(scene->pool, 1,
                                                sizeof(const char *));
    apr_array_header_t *attrs = apr_array_make(scene->pool, 1,
                                               sizeof(orp_ax_attr_t));
    orp_sreg_t sreg = { fields, fields, NULL };
    orp_ax_attr_t email = { "email", "urn:email", 1, 1 };
    orp_rp_t rp = { .realm = "https://rp.example/", .sreg = &sreg,
                    .ax = attrs };
    orp_params_t *params;

    APR_ARRAY_PUSH(fields, const char *) = "email";
    APR_ARRAY_PUSH(attrs, orp_ax_attr_t) = email;
    params = asked(scene, &login, &rp);
    assert_text(orp_params_get(params, "openid.ns.sreg"), ORP_SREG_NS_11);
    assert_text(orp_params_get(params, "openid.sreg.required"), "email");
    assert_text(orp_params_get(params, "openid.ns.ax"), ORP_AX_NS);
    assert_text(orp_params_get(params, "openid.ax.type.email"),
                "urn:email");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_request_in_2_names_both_identifiers),
        scene_test(a_request_in_1_names_the_local_identifier_only),
        scene_test(the_provider_chooses_where_there_is_no_identifier),
        scene_test(an_endpoint_keeps_its_own_query),
        scene_test(extensions_are_asked_for),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("checkid", tests, NULL, NULL);
}
