/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_url.c - orp_url: who is who. */

#include "support.h"

#include "orp_url.h"

static const char *normal(scene_t *scene, const char *text)
{
    orp_reason_t *why = orp_reason_create(scene->pool);
    const char *out = NULL;

    if (orp_url_normalize(&out, text, why, scene->pool) != APR_SUCCESS) {
        print_error("%s: %s\n", text, why->sentence);
        return NULL;
    }
    return out;
}

/* Refused with that status; says why; touches nothing. */
static void assert_refused(scene_t *scene, const char *text,
                           apr_status_t status)
{
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_url_t *url = NULL;

    if (orp_url_parse(&url, text, why, scene->pool) == APR_SUCCESS) {
        print_error("%s is accepted\n", text);
    }
    assert_null(url);
    assert_status(orp_url_parse(&url, text, why, scene->pool), status);
    assert_status(why->status, status);
    assert_true(*why->sentence);
}

/* OpenID Authentication 2.0, appendix A.1, the rows that are URLs. */
static void appendix_a1_is_followed(void **state)
{
    scene_t *scene = *state;

    assert_text(normal(scene, "http://example.com"), "http://example.com/");
    assert_text(normal(scene, "https://example.com/"),
                "https://example.com/");
    assert_text(normal(scene, "http://example.com/user"),
                "http://example.com/user");
    assert_text(normal(scene, "http://example.com/user/"),
                "http://example.com/user/");
    assert_text(normal(scene, "http://example.com/"), "http://example.com/");
}

/* RFC 3986, 6.2.2 and 6.2.3. */
static void equivalent_urls_become_one(void **state)
{
    static const char *const pairs[][2] = {
        { "HTTP://www.EXAMPLE.com/", "http://www.example.com/" },
        { "http://a/./b/../b/%63/%7bfoo%7d", "http://a/b/c/%7Bfoo%7D" },
        { "http://example.com:/", "http://example.com/" },
        { "http://example.com:80/", "http://example.com/" },
        { "https://example.com:443", "https://example.com/" },
        { "http://example.com:443/", "http://example.com:443/" },
        { "https://example.com:80/", "https://example.com:80/" },
        { "http://example.com:0080/", "http://example.com/" },
        { "http://example.com:8080", "http://example.com:8080/" },
        { "http://a/%7Ejoe%2d%2E%5f", "http://a/~joe-._" },
        { "http://a/%41%5a%61%7a%30%39", "http://a/AZaz09" },
        { "http://a/%3a%2f%3F%23%40", "http://a/%3A%2F%3F%23%40" },
        { "http://a/%c3%a9", "http://a/%C3%A9" },
        { "http://a/\xc3\xa9?\xc3\xa9", "http://a/%C3%A9?%C3%A9" },
        { "http://a/\"<>\\^`{|}", "http://a/%22%3C%3E%5C%5E%60%7B%7C%7D" },
        { "http://a?q", "http://a/?q" },
        { "http://a/?%7ex=%3d&y?z/[", "http://a/?~x=%3D&y?z/%5B" },
        { "http://a/p#frag", "http://a/p" },
        { "http://a#frag?x", "http://a/" },
        { "http://[2001:DB8::1]:80/", "http://[2001:db8::1]/" },
        { "http://[::1]:8080/", "http://[::1]:8080/" },
        { "http://a/%2e%2e/b/%2E/c", "http://a/b/c" },
        { "http://a/%0d%0aX:y", "http://a/%0D%0AX:y" },
        { "http://a_b-c.d/", "http://a_b-c.d/" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(pairs); i++) {
        assert_text(normal(scene, pairs[i][0]), pairs[i][1]);
        assert_text(normal(scene, pairs[i][1]), pairs[i][1]);
    }
}

static void what_may_differ_stays_different(void **state)
{
    static const char *const pairs[][2] = {
        { "http://a/User", "http://a/user" },
        { "http://a/b", "http://a/b/" },
        { "http://a/b", "https://a/b" },
        { "http://a/", "http://a:8080/" },
        { "http://a/", "http://a./" },
        { "http://a/", "http://www.a/" },
        { "http://a/?", "http://a/" },
        { "http://a/?x", "http://a/?X" },
        { "http://a/b%2Fc", "http://a/b/c" },
        { "http://a/%2525", "http://a/%25" },
        { "http://a//b", "http://a/b" },
        { "http://a/+", "http://a/%2B" },
        { "http://a/%20", "http://a/+" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(pairs); i++) {
        const char *left = normal(scene, pairs[i][0]);
        const char *right = normal(scene, pairs[i][1]);

        assert_non_null(left);
        assert_non_null(right);
        assert_string_not_equal(left, right);
    }
}

static void dot_segments_are_removed(void **state)
{
    static const char *const paths[][2] = {
        { "/a/b/c/./../../g", "/a/g" }, { "/.", "/" }, { "/..", "/" },
        { "/./", "/" }, { "/../", "/" }, { "/../../..", "/" },
        { "/../a", "/a" }, { "/a/..", "/" }, { "/a/../", "/" },
        { "/a/.", "/a/" }, { "/a/b/..", "/a/" }, { "/a/b/../..", "/" },
        { "/a//../b", "/a/b" }, { "//..", "/" }, { "//../..", "/" },
        { "/...", "/..." }, { "/.a/..b/c./d..", "/.a/..b/c./d.." },
        { "/a/...//./b", "/a/...//b" }, { "//", "//" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(paths); i++) {
        assert_text(normal(scene, apr_pstrcat(scene->pool, "http://h",
                                              paths[i][0], NULL)),
                    apr_pstrcat(scene->pool, "http://h", paths[i][1],
                                NULL));
    }
}

static void a_url_is_taken_apart(void **state)
{
    scene_t *scene = *state;
    orp_url_t *url;

    assert_status(orp_url_parse(&url, "HTTPS://User.Example:8443/P/../a?q=1#F",
                                NULL, scene->pool), APR_SUCCESS);
    assert_text(url->scheme, "https");
    assert_text(url->host, "user.example");
    assert_int_equal(url->port, 8443);
    assert_text(url->path, "/a");
    assert_text(url->query, "q=1");
    assert_text(url->fragment, "F");
    assert_text(orp_url_origin(url, scene->pool),
                "https://user.example:8443");
    assert_text(orp_url_string(url, scene->pool),
                "https://user.example:8443/a?q=1");
}

static void what_is_not_there_is_null_and_what_is_empty_is_not(void **state)
{
    scene_t *scene = *state;
    orp_url_t *url;

    assert_status(orp_url_parse(&url, "http://a", NULL, scene->pool),
                  APR_SUCCESS);
    assert_int_equal(url->port, 80);
    assert_text(url->path, "/");
    assert_text(url->query, NULL);
    assert_text(url->fragment, NULL);
    assert_text(orp_url_origin(url, scene->pool), "http://a");
    assert_status(orp_url_parse(&url, "https://a?#", NULL, scene->pool),
                  APR_SUCCESS);
    assert_int_equal(url->port, 443);
    assert_text(url->query, "");
    assert_text(url->fragment, "");
}

static void other_schemes_are_refused(void **state)
{
    static const char *const schemes[] = {
        "", "example.com", "//a/", "/a", "http", "http:", "http:/a",
        "http:a", "httpx://a/", "http+x://a/", "ftp://a/", "file:///etc/hosts",
        "gopher://a/", "dict://a/", "ldap://a/", "javascript:alert(1)",
        "data:text/html,x", "mailto:a@b", "xri://=name", "unix:/a|http://b/",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(schemes); i++) {
        assert_refused(scene, schemes[i], ORP_ESCHEME);
    }
    assert_non_null(normal(scene, "http://a/"));
}

static void hosts_that_are_none_are_refused(void **state)
{
    static const char *const hosts[] = {
        "http://", "http:///", "https://", "http:///path", "http://?q",
        "http://#f", "http://:80/", "http://.", "http://.a/",
        "http://user@a/", "http://user:secret@a/", "http://@a/",
        "http://a@/", "http://good.example\\@evil.example/",
        "http://a\\b/", "http://a%41/", "http://a%2Fb/", "http://a,b/",
        "http://a*b/", "http://*/", "http://\357\277\275.example/",
        "http://-a/", "http://a!b/", "http://a;b/", "http://[::1/", "http://[/",
        "http://[]/", "http://[:]/", "http://[::1]a/", "http://[::g]/",
        "http://[fe80::1%25eth0]/", "http://::1/", "http://a]/",
        "http://[[::1]]/",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(hosts); i++) {
        assert_refused(scene, hosts[i], ORP_EURL);
    }
    assert_non_null(normal(scene, "http://[::1]/"));
    assert_non_null(normal(scene, "http://a/@"));
    assert_non_null(normal(scene, "http://a?@"));
}

static void the_reason_speaks_of_the_user_name(void **state)
{
    scene_t *scene = *state;
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_url_t *url;

    assert_status(orp_url_parse(&url, "http://user:secret@a/", why,
                                scene->pool), ORP_EURL);
    assert_non_null(strstr(why->sentence, "user name"));
    assert_null(strstr(why->sentence, "secret"));
    assert_status(orp_url_parse(&url, "http://a*/", why, scene->pool),
                  ORP_EURL);
    assert_null(strstr(why->sentence, "user name"));
}

static void ports_that_are_none_are_refused(void **state)
{
    static const char *const ports[] = {
        "0", "65536", "-1", "+80", "8O", " 80", "80 ", "0x50", "80:80",
        "99999999999999999999", "00", "80a",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(ports); i++) {
        assert_refused(scene, apr_pstrcat(scene->pool, "http://a:", ports[i],
                                          "/", NULL), ORP_EURL);
        assert_refused(scene, apr_pstrcat(scene->pool, "http://[::1]:",
                                          ports[i], "/", NULL), ORP_EURL);
    }
    assert_text(normal(scene, "http://a:65535/"), "http://a:65535/");
    assert_text(normal(scene, "http://a:1/"), "http://a:1/");
}

static void broken_text_is_refused(void **state)
{
    static const char *const texts[] = {
        "http://a/ ", " http://a/", "http://a/b c", "http://a/\t",
        "http://a/\r\nX: y", "http://a/\x01", "http://a/\x7f", "http://a\n/",
        "http://a/%", "http://a/%4", "http://a/%zz", "http://a/%4z",
        "http://a/?%", "http://a/?a=%z1", "http://a/#%", "http://a/#%g0",
        "http://a/%?41", "http://a/\xff", "http://a/\xc0\xaf",
        "http://a/\xed\xa0\x80", "http://a/?\xe2\x82", "http://a%/",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(texts); i++) {
        assert_refused(scene, texts[i], ORP_EURL);
    }
    assert_non_null(normal(scene, "http://a/%41?%41#%41"));
}

static void a_url_is_as_long_as_the_limit_and_no_longer(void **state)
{
    scene_t *scene = *state;
    const char *most = apr_pstrcat(scene->pool, "http://a/",
                                   repeated("x", ORP_URL_MAX - 9,
                                            scene->pool), NULL);

    assert_text(normal(scene, most), most);
    assert_refused(scene, apr_pstrcat(scene->pool, most, "x", NULL),
                   ORP_EURL);
}

/* Else an identifier could be normalized once, but not a second time. */
static void the_normal_form_keeps_the_limit_too(void **state)
{
    scene_t *scene = *state;
    const char *half = apr_pstrcat(scene->pool, "http://a/",
                                   repeated("\"", ORP_URL_MAX / 3 - 3,
                                            scene->pool), NULL);

    half = normal(scene, half);
    assert_non_null(half);
    assert_text(normal(scene, half), half);
    assert_refused(scene,
                   apr_pstrcat(scene->pool, "http://a/",
                               repeated("\"", ORP_URL_MAX / 3,
                                        scene->pool), NULL), ORP_EURL);
}

static void a_reason_is_not_needed(void **state)
{
    scene_t *scene = *state;
    const char *out = NULL;

    assert_status(orp_url_normalize(&out, "http://", NULL, scene->pool),
                  ORP_EURL);
    assert_null(out);
    assert_status(orp_url_normalize(&out, "http://a", NULL, scene->pool),
                  APR_SUCCESS);
}

static const char *resolved(scene_t *scene, const char *base,
                            const char *ref)
{
    orp_url_t *from, *to = NULL;

    assert_status(orp_url_parse(&from, base, NULL, scene->pool),
                  APR_SUCCESS);
    if (orp_url_resolve(&to, from, ref, NULL, scene->pool) != APR_SUCCESS) {
        assert_null(to);
        return NULL;
    }
    return orp_url_string(to, scene->pool);
}

/* RFC 3986, 5.4.1 and 5.4.2, all of them; a fragment is not written. */
static void references_are_resolved_as_in_rfc_3986(void **state)
{
    static const char *const refs[][2] = {
        { "g:h", NULL },            /* another scheme */
        { "g", "http://a/b/c/g" },
        { "./g", "http://a/b/c/g" },
        { "g/", "http://a/b/c/g/" },
        { "/g", "http://a/g" },
        { "//g", "http://g/" },
        { "?y", "http://a/b/c/d;p?y" },
        { "g?y", "http://a/b/c/g?y" },
        { "#s", "http://a/b/c/d;p?q" },
        { "g#s", "http://a/b/c/g" },
        { "g?y#s", "http://a/b/c/g?y" },
        { ";x", "http://a/b/c/;x" },
        { "g;x", "http://a/b/c/g;x" },
        { "g;x?y#s", "http://a/b/c/g;x?y" },
        { "", "http://a/b/c/d;p?q" },
        { ".", "http://a/b/c/" },
        { "./", "http://a/b/c/" },
        { "..", "http://a/b/" },
        { "../", "http://a/b/" },
        { "../g", "http://a/b/g" },
        { "../..", "http://a/" },
        { "../../", "http://a/" },
        { "../../g", "http://a/g" },
        { "../../../g", "http://a/g" },
        { "../../../../g", "http://a/g" },
        { "/./g", "http://a/g" },
        { "/../g", "http://a/g" },
        { "g.", "http://a/b/c/g." },
        { ".g", "http://a/b/c/.g" },
        { "g..", "http://a/b/c/g.." },
        { "..g", "http://a/b/c/..g" },
        { "./../g", "http://a/b/g" },
        { "./g/.", "http://a/b/c/g/" },
        { "g/./h", "http://a/b/c/g/h" },
        { "g/../h", "http://a/b/c/h" },
        { "g;x=1/./y", "http://a/b/c/g;x=1/y" },
        { "g;x=1/../y", "http://a/b/c/y" },
        { "g?y/./x", "http://a/b/c/g?y/./x" },
        { "g?y/../x", "http://a/b/c/g?y/../x" },
        { "g#s/./x", "http://a/b/c/g" },
        { "g#s/../x", "http://a/b/c/g" },
        { "http:g", NULL },         /* as strict parsers do */
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(refs); i++) {
        assert_text(resolved(scene, "http://a/b/c/d;p?q", refs[i][0]),
                    refs[i][1]);
    }
}

static void the_fragment_of_a_reference_is_kept_apart(void **state)
{
    scene_t *scene = *state;
    orp_url_t *from, *to;

    assert_status(orp_url_parse(&from, "http://a/b?c#old", NULL,
                                scene->pool), APR_SUCCESS);
    assert_status(orp_url_resolve(&to, from, "#new", NULL, scene->pool),
                  APR_SUCCESS);
    assert_text(to->fragment, "new");
    assert_status(orp_url_resolve(&to, from, "", NULL, scene->pool),
                  APR_SUCCESS);
    assert_text(to->fragment, NULL);
}

static void references_keep_scheme_and_port_of_their_page(void **state)
{
    scene_t *scene = *state;

    assert_text(resolved(scene, "https://a:8443/b", "/c"),
                "https://a:8443/c");
    assert_text(resolved(scene, "https://a:8443/b", "c"),
                "https://a:8443/c");
    assert_text(resolved(scene, "https://a:8443/b", "//c/"), "https://c/");
    assert_text(resolved(scene, "https://a/b", "HTTP://C"), "http://c/");
    assert_text(resolved(scene, "http://a/b", "./x:y"), "http://a/x:y");
    assert_text(resolved(scene, "http://a/b", "1x:y"), "http://a/1x:y");
    assert_text(resolved(scene, "http://a/b/", "?u=http://c/d"),
                "http://a/b/?u=http://c/d");
    assert_text(resolved(scene, "http://a/b?u=/c/d", "e"), "http://a/e");
}

static void hostile_references_are_refused(void **state)
{
    static const char *const refs[] = {
        "javascript:alert(1)", "data:,x", "file:///etc/hosts", "//", "///",
        "//u@b/", "//b:0/", "http://u:p@b/", "x y", "/\r\nSet-Cookie:x",
        "%", "/%zz", "\xff", "http:", "HTTP://",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(refs); i++) {
        assert_text(resolved(scene, "http://a/b", refs[i]), NULL);
    }
    assert_text(resolved(scene, "http://a/b", "/%7a"), "http://a/z");
    assert_text(resolved(scene, "http://a/b", "\\\\c"), "http://a/%5C%5Cc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(appendix_a1_is_followed),
        scene_test(equivalent_urls_become_one),
        scene_test(what_may_differ_stays_different),
        scene_test(dot_segments_are_removed),
        scene_test(a_url_is_taken_apart),
        scene_test(what_is_not_there_is_null_and_what_is_empty_is_not),
        scene_test(other_schemes_are_refused),
        scene_test(hosts_that_are_none_are_refused),
        scene_test(the_reason_speaks_of_the_user_name),
        scene_test(ports_that_are_none_are_refused),
        scene_test(broken_text_is_refused),
        scene_test(a_url_is_as_long_as_the_limit_and_no_longer),
        scene_test(the_normal_form_keeps_the_limit_too),
        scene_test(a_reason_is_not_needed),
        scene_test(references_are_resolved_as_in_rfc_3986),
        scene_test(the_fragment_of_a_reference_is_kept_apart),
        scene_test(references_keep_scheme_and_port_of_their_page),
        scene_test(hostile_references_are_refused),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
