/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_html.c - orp_html: only the head of a page speaks for it. */

#include "support.h"

#include "orp_html.h"

#define LINK "<link rel=\"openid2.provider\" href=\"https://op/\">"
#define EVIL "<link rel=\"openid2.provider\" href=\"https://evil/\">"

static const orp_html_head_t *head_in(scene_t *scene, const char *text,
                                      const char *charset)
{
    orp_html_head_t *head = NULL;

    assert_status(orp_html_head(&head, text, strlen(text), charset,
                                scene->pool), APR_SUCCESS);
    return head;
}

static const orp_html_head_t *head_of(scene_t *scene, const char *text)
{
    return head_in(scene, text, NULL);
}

/* The openid2.provider of a page. */
static const char *provider(scene_t *scene, const char *text)
{
    return head_of(scene, text)->provider2;
}

/* OpenID Authentication 2.0, appendix A.4. */
static void the_markup_of_the_specification_is_read(void **state)
{
    scene_t *scene = *state;
    const orp_html_head_t *head = head_of(
        scene, "<html><head><title>x</title>\n"
        "<link rel=\"openid2.provider openid.server\"\n"
        "      href=\"http://www.livejournal.com/openid/server.bml\"/>\n"
        "<link rel=\"openid2.local_id openid.delegate\"\n"
        "      href=\"http://exampleuser.livejournal.com/\"/>\n"
        "</head><body></body></html>");

    assert_text(head->provider2,
                "http://www.livejournal.com/openid/server.bml");
    assert_text(head->provider1,
                "http://www.livejournal.com/openid/server.bml");
    assert_text(head->local_id2, "http://exampleuser.livejournal.com/");
    assert_text(head->local_id1, "http://exampleuser.livejournal.com/");
    assert_text(head->xrds_location, NULL);
}

static void each_relation_has_its_own_place(void **state)
{
    scene_t *scene = *state;
    const orp_html_head_t *head = head_of(
        scene, "<head><link rel=openid2.provider href=a>"
        "<link rel=openid2.local_id href=b><link rel=openid.server href=c>"
        "<link rel=openid.delegate href=d>"
        "<meta http-equiv=x-xrds-LOCATION content=e>");

    assert_text(head->provider2, "a");
    assert_text(head->local_id2, "b");
    assert_text(head->provider1, "c");
    assert_text(head->local_id1, "d");
    assert_text(head->xrds_location, "e");
}

static void a_page_without_any_of_it_says_nothing(void **state)
{
    static const orp_html_head_t nothing;
    static const char *const pages[] = {
        "text", "<p>", "<head>", "<html>", "<head></head>",
        "<title>t</title>", "<head><meta name=x content=y>",
        "<meta http-equiv=refresh content=x>", "<link rel=stylesheet>",
        "<link href=x>", "<link rel=openid2.provider>",
        "<meta http-equiv=X-XRDS-Location>", "<frameset></frameset>",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(pages); i++) {
        assert_memory_equal(head_of(scene, pages[i]), &nothing,
                            sizeof(nothing));
    }
}

static void what_is_no_page_is_refused(void **state)
{
    scene_t *scene = *state;
    orp_html_head_t *head = NULL;

    assert_status(orp_html_head(&head, "", 0, NULL, scene->pool), ORP_EXML);
    assert_null(head);
}

static void links_outside_the_head_do_not_count(void **state)
{
    static const char *const pages[] = {
        "<html><head></head><body>" EVIL "</body></html>",
        "<html><body>" EVIL "</body></html>",
        "<html><head><title>x</title></head>" EVIL "<body></body></html>",
        "<html><head></head><body><p>" EVIL "</p></body></html>",
        "<html><head></head><body></body></html>" EVIL,
        "<html><head></head><body></body></html><head>" EVIL "</head>",
        "<html><head></head><head>" EVIL "</head></html>",
        "<html><body><head>" EVIL "</head></body></html>",
        "<html><body><html><head>" EVIL "</head></html></body></html>",
        "<p>comment</p>" EVIL,
        "<p>comment</p><head>" EVIL "</head>",
        "<p>comment</p><html><head>" EVIL "</head></html>",
        "text" EVIL,
        "<div>" EVIL "</div>",
        "<html><head><p>" EVIL "</head></html>",
        "<html><head>text" EVIL "</head></html>",
        "<html><head><div>" EVIL "</div></head></html>",
        "<html><head></head><frameset>" EVIL "</frameset></html>",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(pages); i++) {
        if (provider(scene, pages[i])) {
            print_error("accepted: %s\n", pages[i]);
        }
        assert_text(provider(scene, pages[i]), NULL);
    }
    assert_text(provider(scene, "<html><head>" LINK "</head><body>" EVIL
                         "</body></html>"), "https://op/");
}

static void what_only_looks_like_a_link_does_not_count(void **state)
{
    static const char *const heads[] = {
        "<!-- " EVIL " -->", "<!--" EVIL, "<!-- > " EVIL " -->",
        "<script>" EVIL "</script>", "<script>var a='" EVIL "';</script>",
        "<script type=x><!--" EVIL "--></script>", "<script>" EVIL,
        "<style>" EVIL "</style>",
        "<![CDATA[" EVIL "]]>",
        "<meta name=description content='" EVIL "'>",
        "<link rel=x href=x title='" EVIL "'>",
        "<noscript>" EVIL "</noscript>",
        "<template>" EVIL "</template>",
        "<title>" EVIL "</title>", "<title>x" EVIL,
        "<title><b>" EVIL "</b></title>",
        "<linkx rel=openid2.provider href=https://evil/>",
        "<a rel=openid2.provider href=https://evil/>",
        "<meta rel=openid2.provider href=https://evil/>",
        "&lt;link rel=openid2.provider href=https://evil/&gt;",
        "<?x " EVIL " ?>",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(heads); i++) {
        const char *text = apr_pstrcat(scene->pool, "<html><head>", heads[i],
                                       "</head><body></body></html>", NULL);

        if (provider(scene, text)) {
            print_error("accepted: %s\n", text);
        }
        assert_text(provider(scene, text), NULL);
    }
    assert_text(provider(scene, "<html><head><!-- x --><script>x</script>"
                         "<style>x</style>" LINK "</head></html>"),
                "https://op/");
}

static void a_head_may_be_untidy(void **state)
{
    static const char *const pages[] = {
        LINK, "<head>" LINK, "<html>" LINK, "<!DOCTYPE html>" LINK,
        "<html><head><title>t</title>" LINK "<body>",
        "<HTML><HEAD><LINK REL=OpenID2.Provider HREF=https://op/></HEAD>",
        "<head><link rel='openid2.provider' href='https://op/'/></head>",
        "<head><link href=https://op/ rel=openid2.provider>",
        "<head><meta name=a><base href=x><link rel=x href=y>" LINK,
        "\xef\xbb\xbf<!DOCTYPE html><html><head>" LINK,
        "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'>"
        "<head>" LINK "</head></html>",
        "<!-- c --><html><!-- c --><head><!-- c -->" LINK,
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(pages); i++) {
        if (!provider(scene, pages[i])) {
            print_error("overlooked: %s\n", pages[i]);
        }
        assert_text(provider(scene, pages[i]), "https://op/");
    }
}

static const char *with_rel(scene_t *scene, const char *rel)
{
    return provider(scene, apr_pstrcat(scene->pool, "<head><link rel=\"", rel,
                                       "\" href=\"h\"></head>", NULL));
}

static void rel_is_a_list_of_words(void **state)
{
    static const char *const good[] = {
        "openid2.provider", "x openid2.provider", "openid2.provider x",
        " x\topenid2.provider\n y ", "OPENID2.PROVIDER", "a\fopenid2.provider",
        "openid2.provider openid2.provider", "openid2.provide&#114;",
    };
    static const char *const bad[] = {
        "", " ", "openid2.providers", "xopenid2.provider", "openid2_provider",
        "openid2.provider,x", "openid2 .provider", "openid.provider",
        "openid2.provider\xc2\xa0", "x-openid2.provider",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(good); i++) {
        assert_text(with_rel(scene, good[i]), "h");
    }
    for (i = 0; i < COUNT(bad); i++) {
        assert_text(with_rel(scene, bad[i]), NULL);
    }
}

static const char *with_href(scene_t *scene, const char *href)
{
    return provider(scene, apr_pstrcat(scene->pool,
                                       "<head><link rel=openid2.provider ",
                                       "href=\"", href, "\"></head>", NULL));
}

/* 7.3.3: "&", "<", ">" and the quote may be written as entities. */
static void entities_in_href_are_replaced(void **state)
{
    scene_t *scene = *state;

    assert_text(with_href(scene, "https://op/?a=1&amp;b=&lt;&gt;&quot;"),
                "https://op/?a=1&b=<>\"");
    assert_text(with_href(scene, "&#104;ttps://op/&#x2f;"), "https://op//");
    assert_text(with_href(scene, "&amp;amp;"), "&amp;");
    assert_text(with_href(scene, "https://op/?a=1&b=2"),
                "https://op/?a=1&b=2");
}

static void white_space_around_href_is_removed(void **state)
{
    scene_t *scene = *state;

    assert_text(with_href(scene, " \n\thttps://op/ \r\n"), "https://op/");
    assert_text(with_href(scene, "a b"), "a b");
    assert_text(with_href(scene, " "), NULL);
    assert_text(with_href(scene, ""), NULL);
}

static void the_first_of_each_counts(void **state)
{
    scene_t *scene = *state;
    const orp_html_head_t *head;

    assert_text(provider(scene, "<head>" LINK EVIL "</head>"),
                "https://op/");
    assert_text(provider(scene, "<head><link rel=openid2.provider>" LINK),
                "https://op/");
    assert_text(provider(scene, "<head><link rel=openid2.provider href=a "
                         "href=b rel=x></head>"), "a");
    head = head_of(scene, "<head><link rel='openid.server' href=a>"
                   "<link rel='openid.server openid2.provider' href=b>"
                   "<meta http-equiv=X-XRDS-Location content=c>"
                   "<meta http-equiv=X-XRDS-Location content=d></head>");
    assert_text(head->provider1, "a");
    assert_text(head->provider2, "b");
    assert_text(head->xrds_location, "c");
}

static void a_page_is_read_in_its_charset(void **state)
{
    scene_t *scene = *state;
    const char *latin = "<head><link rel=openid2.provider href='\xe9'>";
    const char *meta = "<head><meta charset=iso-8859-1>"
        "<link rel=openid2.provider href='\xe9'>";

    assert_text(head_in(scene, latin, "iso-8859-1")->provider2, "\xc3\xa9");
    assert_text(head_in(scene, meta, NULL)->provider2, "\xc3\xa9");
    assert_text(head_in(scene, "<head><link rel=openid2.provider "
                        "href='\xc3\xa9'>", "UTF-8")->provider2,
                "\xc3\xa9");
    assert_text(head_in(scene, "<head>" LINK, "no-such-thing")->provider2,
                "https://op/");
    assert_text(head_in(scene, "<head>" LINK, "")->provider2, "https://op/");
}

static void a_head_counts_whatever_the_body_is(void **state)
{
    scene_t *scene = *state;
    const char *head = "<html><head>" LINK "</head><body>";

    assert_text(provider(scene, apr_pstrcat(
        scene->pool, head, repeated("<div>", 1000, scene->pool), NULL)),
        "https://op/");
    assert_text(provider(scene, apr_pstrcat(
        scene->pool, head, repeated("<br>", 30000, scene->pool), NULL)),
        "https://op/");
    assert_text(provider(scene, apr_pstrcat(scene->pool, head, "\xff\xfe"
                                            "</x></html></body><a b=\"",
                                            NULL)), "https://op/");
}

static void bytes_of_any_kind_do_no_harm(void **state)
{
    scene_t *scene = *state;
    char bytes[4096];
    int i;

    for (i = 0; i < 50; i++) {
        orp_html_head_t *head;

        assert_status(scene->env.random(scene->env.baton,
                                        (unsigned char *)bytes,
                                        sizeof(bytes)), APR_SUCCESS);
        memcpy(bytes + i, "<head><link rel=", 16);
        if (orp_html_head(&head, bytes, sizeof(bytes), NULL, scene->pool)
            == APR_SUCCESS) {
            assert_text(head->provider2, NULL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(the_markup_of_the_specification_is_read),
        scene_test(each_relation_has_its_own_place),
        scene_test(a_page_without_any_of_it_says_nothing),
        scene_test(what_is_no_page_is_refused),
        scene_test(links_outside_the_head_do_not_count),
        scene_test(what_only_looks_like_a_link_does_not_count),
        scene_test(a_head_may_be_untidy),
        scene_test(rel_is_a_list_of_words),
        scene_test(entities_in_href_are_replaced),
        scene_test(white_space_around_href_is_removed),
        scene_test(the_first_of_each_counts),
        scene_test(a_page_is_read_in_its_charset),
        scene_test(a_head_counts_whatever_the_body_is),
        scene_test(bytes_of_any_kind_do_no_harm),
    };

    apr_initialize();
    orp_xml_init();
    return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
