/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_identifier.c - orp_identifier: what people type. */

#include "support.h"

#include "orp_identifier.h"

static apr_status_t normalized(scene_t *scene, const char *typed,
                               orp_identifier_t **pidentifier)
{
    orp_reason_t *why = orp_reason_create(scene->pool);
    apr_status_t status;

    *pidentifier = NULL;
    status = orp_identifier_normalize(pidentifier, typed, why, scene->pool);
    assert_status(why->status, status);
    if (status != APR_SUCCESS) {
        assert_null(*pidentifier);
        assert_true(*why->sentence);
    }
    return status;
}

static void assert_normal(scene_t *scene, const char *typed,
                          orp_identifier_kind_e kind, const char *text)
{
    orp_identifier_t *identifier;

    assert_status(normalized(scene, typed, &identifier), APR_SUCCESS);
    assert_int_equal(identifier->kind, kind);
    assert_text(identifier->text, text);
}

/* OpenID Authentication 2.0, appendix A.1, and what stands beside it. */
static void web_addresses_are_completed(void **state)
{
    static const char *const table[][2] = {
        { "example.com", "http://example.com/" },
        { "http://example.com", "http://example.com/" },
        { "https://example.com/", "https://example.com/" },
        { "http://example.com/user", "http://example.com/user" },
        { "http://example.com/user/", "http://example.com/user/" },
        { "http://example.com/", "http://example.com/" },
        { "  example.com\t\n", "http://example.com/" },
        { "EXAMPLE.com/User", "http://example.com/User" },
        { "HTTPS://Example.COM:443/a/../b", "https://example.com/b" },
        { "example.com:8080", "http://example.com:8080/" },
        { "example.com:80/x", "http://example.com/x" },
        { "localhost:3000/a:b", "http://localhost:3000/a:b" },
        { "example.com?a=b", "http://example.com/?a=b" },
        { "example.com/#me", "http://example.com/" },
        { "https://example.com/a#b#c", "https://example.com/a" },
        { "example.com/%7euser", "http://example.com/~user" },
        { "example.com/\xC3\xA9", "http://example.com/%C3%A9" },
        { "[::1]:8080/x", "http://[::1]:8080/x" },
        { "127.0.0.1/x", "http://127.0.0.1/x" },
        { "xn--exmple-cua.example", "http://xn--exmple-cua.example/" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        assert_normal(scene, table[i][0], ORP_IDENTIFIER_URI, table[i][1]);
        assert_normal(scene, table[i][1], ORP_IDENTIFIER_URI, table[i][1]);
    }
}

static void i_names_are_told_from_web_addresses(void **state)
{
    static const char *const table[][2] = {
        { "=example", "=example" },
        { "xri://=example", "=example" },
        { "XRI://@example*x", "@example*x" },
        { " +example ", "+example" },
        { "$example", "$example" },
        { "!example", "!example" },
        { "(=example)", "(=example)" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        assert_normal(scene, table[i][0], ORP_IDENTIFIER_XRI, table[i][1]);
    }
    assert_text(orp_identifier_kind_name(ORP_IDENTIFIER_XRI), "xri");
    assert_text(orp_identifier_kind_name(ORP_IDENTIFIER_URI), "uri");
}

static void what_is_no_identifier_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "   ", "xri://", "xri://example.com", "ftp://example.com/",
        "file:///etc/passwd", "gopher://example.com", "dict://example.com",
        "javascript:alert(1)", "data:text/html,x", "mailto:user@example.com",
        "user@example.com", "http://user:pw@example.com/", "http://",
        "https://", "http:///x", "http:example.com", "https:/example.com",
        "//example.com", "/path", "?query", "#fragment", "http://?",
        "example.com\nx", "exam ple.com", "example.com/\x01", "\x7F",
        "example.com/\xFF", "example.com/\xC0\xAF", "example.com/\xED\xA0\x80",
        "ex\xEF\xBF\xBDmple.com", "http://\xE2\x80\xAE.com/",
        "example.com:0", "example.com:65536", "example.com:port",
        "example.com/%", "example.com/%zz", "http://[::1",
        "http://exa_mple!.com/", "http://.example.com/",
        "ht\ntp://example.com/", "example.com\\x",
    };
    scene_t *scene = *state;
    orp_identifier_t *identifier;
    size_t i;

    for (i = 0; i < COUNT(texts); i++) {
        if (normalized(scene, texts[i], &identifier) != ORP_EIDENTIFIER) {
            fail_msg("\"%s\" is taken for %s", texts[i], identifier->text);
        }
    }
}

static void a_host_in_other_letters_gets_its_ascii_form(void **state)
{
    static const char *const texts[][2] = {
        { "ex\xC3\xA4mple.com", "http://xn--exmple-cua.com/" },
        { "https://EX\xC3\x84MPLE.com:443/\xC3\xA4",
          "https://xn--exmple-cua.com/%C3%A4" },
        { "xn--exmple-cua.com", "http://xn--exmple-cua.com/" },
    };
    scene_t *scene = *state;
    orp_identifier_t *identifier;
    size_t i;

    for (i = 0; i < COUNT(texts); i++) {
        assert_status(normalized(scene, texts[i][0], &identifier),
                      APR_SUCCESS);
        assert_text(identifier->text, texts[i][1]);
    }
}

static void a_reason_is_not_needed(void **state)
{
    scene_t *scene = *state;
    orp_identifier_t *identifier = NULL;

    assert_status(orp_identifier_normalize(&identifier, "http://", NULL,
                                           scene->pool), ORP_EIDENTIFIER);
    assert_null(identifier);
}

static void an_identifier_has_a_ceiling(void **state)
{
    scene_t *scene = *state;
    orp_identifier_t *identifier;
    const char *longest = apr_pstrcat(scene->pool, "http://a/",
                                      repeated("x", 1991, scene->pool),
                                      NULL);

    assert_int_equal(strlen(longest), ORP_IDENTIFIER_MAX);
    assert_normal(scene, longest, ORP_IDENTIFIER_URI, longest);
    assert_status(normalized(scene, apr_pstrcat(scene->pool, longest, "x",
                                                NULL), &identifier),
                  ORP_EIDENTIFIER);
    assert_status(normalized(scene, repeated("=", 3000, scene->pool),
                             &identifier), ORP_EIDENTIFIER);
    /* the ceiling is that of the normal form too, or what was begun could
     * not be read when it comes back */
    assert_normal(scene, longest + strlen("http://"), ORP_IDENTIFIER_URI,
                  longest);
    assert_status(normalized(scene, apr_pstrcat(scene->pool,
                                                longest + strlen("http://"),
                                                "x", NULL), &identifier),
                  ORP_EIDENTIFIER);
    assert_status(normalized(scene, apr_pstrcat(scene->pool, "http://a/",
                                                repeated("x", 1986,
                                                         scene->pool),
                                                "\xC3\xA9", NULL),
                             &identifier), ORP_EIDENTIFIER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(web_addresses_are_completed),
        scene_test(i_names_are_told_from_web_addresses),
        scene_test(what_is_no_identifier_is_refused),
        scene_test(a_host_in_other_letters_gets_its_ascii_form),
        scene_test(a_reason_is_not_needed),
        scene_test(an_identifier_has_a_ceiling),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("identifier", tests, NULL, NULL);
}
