/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_http.c - orp_http: which redirects are followed, and what is asked. */

#include "support.h"

/* What a GET of url comes to, and why. */
static apr_status_t get(scene_t *scene, orp_http_response_t **presp,
                        const char *url)
{
    orp_reason_t *why = orp_reason_create(scene->pool);
    apr_status_t status;

    *presp = NULL;
    status = orp_http_get(presp, &scene->env, url, "text/html", why,
                          scene->pool);
    if (status != APR_SUCCESS) {
        assert_null(*presp);
        assert_status(why->status, status);
        assert_true(*why->sentence);
        assert_non_null(why->subject);
    }
    return status;
}

static void assert_page(scene_t *scene, const char *url, const char *body)
{
    orp_http_response_t *response;

    assert_status(get(scene, &response, url), APR_SUCCESS);
    assert_text(response->body, body);
}

/* From url it goes nowhere, after that many requests. */
static void assert_refused(scene_t *scene, const char *url,
                           apr_status_t status, int requests)
{
    orp_http_response_t *response;
    int before = scene_requests(scene);

    assert_status(get(scene, &response, url), status);
    assert_int_equal(scene_requests(scene) - before, requests);
}

static void a_page_comes_as_it_was_sent(void **state)
{
    scene_t *scene = *state;
    orp_http_response_t *response = scene_reply(
        scene, "GET", "https://a.example/b?c", 404, "Text/HTML; x", "body");

    response->xrds_location = "https://a.example/xrds";
    assert_status(get(scene, &response, "HTTPS://A.example:443/./b?c#frag"),
                  APR_SUCCESS);
    assert_int_equal(response->status, 404);
    assert_text(response->url, "https://a.example/b?c");
    assert_text(response->content_type, "Text/HTML; x");
    assert_text(response->xrds_location, "https://a.example/xrds");
    assert_text(response->body, "body");
    assert_int_equal(response->size, 4);
}

static void a_request_says_what_it_accepts_and_until_when(void **state)
{
    scene_t *scene = *state;

    scene_page(scene, "http://a/", "", "");
    assert_page(scene, "http://a", "");
    assert_text(scene_request(scene, 0)->method, "GET");
    assert_text(scene_request(scene, 0)->url, "http://a/");
    assert_text(scene_request(scene, 0)->accept, "text/html");
    assert_text(scene_request(scene, 0)->form, NULL);
    assert_true(scene_request(scene, 0)->deadline
                == SCENE_TIME + SCENE_TIMEOUT);
}

static void every_kind_of_redirect_is_followed(void **state)
{
    static const int kinds[] = { 301, 302, 303, 307, 308 };
    scene_t *scene = *state;
    orp_http_response_t *response;
    size_t i;

    for (i = 0; i < COUNT(kinds); i++) {
        scene_redirect(scene, "http://a/", kinds[i], "http://b/c#frag");
        scene_page(scene, "http://b/c", "", "there");
        assert_status(get(scene, &response, "http://a/"), APR_SUCCESS);
        assert_int_equal(response->status, 200);
        assert_text(response->url, "http://b/c");
        assert_text(response->body, "there");
    }
}

static void other_statuses_are_not_followed(void **state)
{
    static const int kinds[] = { 200, 201, 300, 304, 305, 306, 400, 500 };
    scene_t *scene = *state;
    orp_http_response_t *response;
    size_t i;

    for (i = 0; i < COUNT(kinds); i++) {
        scene_redirect(scene, "http://a/", kinds[i], "http://b/");
        assert_status(get(scene, &response, "http://a/"), APR_SUCCESS);
        assert_int_equal(response->status, kinds[i]);
        assert_text(response->url, "http://a/");
    }
    assert_int_equal(scene_requests(scene), (int)COUNT(kinds));
}

static void a_redirect_to_nowhere_is_a_response(void **state)
{
    scene_t *scene = *state;
    orp_http_response_t *response;

    scene_reply(scene, "GET", "http://a/", 302, "", "nowhere");
    assert_status(get(scene, &response, "http://a/"), APR_SUCCESS);
    assert_int_equal(response->status, 302);
    assert_text(response->body, "nowhere");
}

/* A chain of redirects to a page at its end. */
static void add_chain(scene_t *scene, int redirects)
{
    int i;

    for (i = 0; i < redirects; i++) {
        scene_redirect(scene, apr_psprintf(scene->pool, "http://a/%d", i),
                       302, apr_psprintf(scene->pool, "/%d", i + 1));
    }
    scene_page(scene, apr_psprintf(scene->pool, "http://a/%d", redirects),
               "", "end");
}

static void five_redirects_are_followed(void **state)
{
    scene_t *scene = *state;

    assert_int_equal(ORP_HTTP_REDIRECTS, 5);
    add_chain(scene, 5);
    assert_page(scene, "http://a/0", "end");
    assert_int_equal(scene_requests(scene), 6);
    assert_int_equal(scene_unused(scene), 0);
}

static void the_sixth_redirect_is_refused(void **state)
{
    scene_t *scene = *state;

    add_chain(scene, 6);
    assert_refused(scene, "http://a/0", ORP_EREDIRECT, 6);
    assert_int_equal(scene_unused(scene), 1);   /* the page */
}

static apr_status_t to_itself(scene_t *scene, const sent_t *request,
                              orp_http_response_t *response, void *baton)
{
    (void)scene;
    (void)baton;
    response->status = 302;
    response->location = request->url;
    return APR_SUCCESS;
}

static void a_redirect_to_itself_ends(void **state)
{
    scene_t *scene = *state;

    scene_answer(scene, "GET", "http://a/", to_itself, NULL);
    assert_refused(scene, "http://a/", ORP_EREDIRECT, 6);
}

static void a_redirect_from_https_to_http_is_refused(void **state)
{
    scene_t *scene = *state;

    scene_redirect(scene, "https://a/", 302, "http://b/");
    assert_refused(scene, "https://a/", ORP_EREDIRECT, 1);

    scene_redirect(scene, "http://a/", 302, "https://a/");
    scene_redirect(scene, "https://a/", 302, "http://a/b");
    assert_refused(scene, "http://a/", ORP_EREDIRECT, 2);

    scene_redirect(scene, "https://a/", 302, "//b/");
    scene_page(scene, "https://b/", "", "secure");
    assert_page(scene, "https://a/", "secure");

    scene_redirect(scene, "http://a/", 302, "https://c/");
    scene_page(scene, "https://c/", "", "upgraded");
    assert_page(scene, "http://a/", "upgraded");
}

static void a_redirect_to_what_we_do_not_speak_is_refused(void **state)
{
    static const char *const locations[] = {
        "file:///etc/hosts", "gopher://a/", "dict://a/", "ldap://a/",
        "ftp://a/", "javascript:alert(1)", "data:,x", "//", "http://",
        "http://u@b/", "http://u:p@b/", "//u@b/", "http://b:0/", "/%zz",
        "/a b", "/\r\nX: y", "http://b\\c/", "\xff",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(locations); i++) {
        scene_redirect(scene, "http://a/", 302, locations[i]);
        assert_refused(scene, "http://a/", ORP_EREDIRECT, 1);
    }
    scene_redirect(scene, "http://a/", 302, "HTTP://b");
    scene_page(scene, "http://b/", "", "there");
    assert_page(scene, "http://a/", "there");
}

static void a_relative_location_is_resolved(void **state)
{
    static const char *const locations[][2] = {
        { "/d", "http://a/d" }, { "d", "http://a/b/d" },
        { "../d", "http://a/d" }, { "?d", "http://a/b/c?d" },
        { "//d", "http://d/" }, { "./d?e#f", "http://a/b/d?e" },
    };
    scene_t *scene = *state;
    orp_http_response_t *response;
    size_t i;

    for (i = 0; i < COUNT(locations); i++) {
        scene_redirect(scene, "http://a/b/c?q", 302, locations[i][0]);
        scene_page(scene, locations[i][1], "", "there");
        assert_status(get(scene, &response, "http://a/b/c?q"), APR_SUCCESS);
        assert_text(response->url, locations[i][1]);
    }
}

static void what_is_no_web_address_is_not_asked(void **state)
{
    scene_t *scene = *state;

    assert_refused(scene, "file:///etc/hosts", ORP_ESCHEME, 0);
    assert_refused(scene, "ftp://a/", ORP_ESCHEME, 0);
    assert_refused(scene, "http://u:p@a/", ORP_EURL, 0);
    assert_refused(scene, "http://", ORP_EURL, 0);
    scene_page(scene, "http://a/%0D%0AX:y", "", "one request");
    assert_page(scene, "http://a/%0d%0aX:y", "one request");
    assert_text(scene_request(scene, 0)->url, "http://a/%0D%0AX:y");
}

static void where_tls_is_required_http_is_not_asked(void **state)
{
    scene_t *scene = *state;

    scene_page(scene, "http://a/", "", "open");
    assert_page(scene, "http://a/", "open");
    scene->http.require_tls = 1;
    assert_refused(scene, "http://a/", ORP_ESCHEME, 0);
    scene_page(scene, "https://a/", "", "secure");
    assert_page(scene, "https://a/", "secure");
}

static void where_tls_is_required_no_redirect_leads_away_from_it(
    void **state)
{
    scene_t *scene = *state;

    scene->http.require_tls = 1;
    scene_redirect(scene, "https://a/", 302, "http://b/");
    assert_refused(scene, "https://a/", ORP_EREDIRECT, 1);
}

/* Each answer takes three seconds. */
static apr_status_t slow_redirect(scene_t *scene, const sent_t *request,
                                  orp_http_response_t *response, void *baton)
{
    (void)request;
    scene_turn_clock(scene, apr_time_from_sec(3));
    response->status = 302;
    response->location = baton;
    return APR_SUCCESS;
}

static void one_deadline_holds_for_all_redirects(void **state)
{
    static char next[] = "http://a/2";
    scene_t *scene = *state;
    int i;

    scene_answer(scene, "GET", "http://a/1", slow_redirect, next);
    scene_page(scene, "http://a/2", "", "end");
    assert_page(scene, "http://a/1", "end");
    for (i = 0; i < 2; i++) {
        assert_true(scene_request(scene, i)->deadline
                    == SCENE_TIME + SCENE_TIMEOUT);
        assert_text(scene_request(scene, i)->accept, "text/html");
    }
    assert_true(scene_request(scene, 1)->when
                == SCENE_TIME + apr_time_from_sec(3));
}

static void what_the_client_says_is_handed_on(void **state)
{
    static const apr_status_t failures[] = {
        ORP_ERESOLVE, ORP_ECONNECT, ORP_ETIMEOUT, ORP_ETLS, ORP_EADDRESS,
        ORP_ETOOBIG, ORP_EFETCH,
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(failures); i++) {
        scene_no_reply(scene, "GET", "http://a/", failures[i]);
        assert_refused(scene, "http://a/", failures[i], 1);
        scene_redirect(scene, "http://b/", 302, "http://a/");
        scene_no_reply(scene, "GET", "http://a/", failures[i]);
        assert_refused(scene, "http://b/", failures[i], 2);
    }
}

static apr_status_t post(scene_t *scene, orp_http_response_t **presp,
                         const char *url)
{
    const orp_params_t *form = params_of(scene->pool, "openid.mode",
                                         "associate", "x", "a b&c", NULL);

    *presp = NULL;
    return orp_http_post(presp, &scene->env, url, form,
                         orp_reason_create(scene->pool), scene->pool);
}

static void a_form_is_posted(void **state)
{
    scene_t *scene = *state;
    orp_http_response_t *response;

    scene_reply(scene, "POST", "https://op/e?x", 400, "text/plain", "ns:a\n");
    assert_status(post(scene, &response, "https://OP/e?x#f"), APR_SUCCESS);
    assert_int_equal(response->status, 400);
    assert_text(response->url, "https://op/e?x");
    assert_text(response->body, "ns:a\n");
    assert_text(scene_request(scene, 0)->method, "POST");
    assert_text(scene_request(scene, 0)->form,
                "openid.mode=associate&x=a%20b%26c");
    assert_text(scene_request(scene, 0)->accept, NULL);
    assert_true(scene_request(scene, 0)->deadline
                == SCENE_TIME + SCENE_TIMEOUT);
}

static void redirects_of_a_post_are_not_followed(void **state)
{
    static const int kinds[] = { 301, 302, 303, 307, 308 };
    scene_t *scene = *state;
    orp_http_response_t *response;
    size_t i;

    for (i = 0; i < COUNT(kinds); i++) {
        scene_reply(scene, "POST", "https://op/", kinds[i], "", "is_valid")
            ->location = "https://op/other";
        assert_status(post(scene, &response, "https://op/"), APR_SUCCESS);
        assert_int_equal(response->status, kinds[i]);
        assert_text(response->url, "https://op/");
    }
    assert_int_equal(scene_requests(scene), (int)COUNT(kinds));
}

static void a_post_is_refused_where_a_get_is(void **state)
{
    scene_t *scene = *state;
    orp_http_response_t *response;

    assert_status(post(scene, &response, "file:///etc/hosts"), ORP_ESCHEME);
    assert_status(post(scene, &response, "http://u@a/"), ORP_EURL);
    scene->http.require_tls = 1;
    assert_status(post(scene, &response, "http://a/"), ORP_ESCHEME);
    assert_null(response);
    assert_int_equal(scene_requests(scene), 0);
    scene_no_reply(scene, "POST", "https://a/", ORP_ETLS);
    assert_status(post(scene, &response, "https://a/"), ORP_ETLS);
    assert_null(response);
    scene_reply(scene, "POST", "https://a/", 200, "", "");
    assert_status(post(scene, &response, "https://a/"), APR_SUCCESS);
}

static void a_content_type_is_taken_apart(void **state)
{
    static const struct {
        const char *content_type;
        const char *media_type;
        const char *charset;
    } types[] = {
        { "", "", NULL },
        { "text/html", "text/html", NULL },
        { "Text/HTML;charset=UTF-8", "text/html", "UTF-8" },
        { " application/xrds+xml ; Charset=\"utf-8\"",
          "application/xrds+xml", "utf-8" },
        { "text/html; q=1;\tCHARSET=latin1 ; x", "text/html", "latin1" },
        { "text/html; xcharset=a; charset=b", "text/html", "b" },
        { "text/html; charset", "text/html", NULL },
        { "text/html;", "text/html", NULL },
        { "text/html; charset=", "text/html", "" },
        { "text/html, text/plain", "text/html", NULL },
        { "charset=x", "charset=x", NULL },
        { "@[`{/AZ", "@[`{/az", NULL },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(types); i++) {
        assert_text(orp_http_media_type(types[i].content_type, scene->pool),
                    types[i].media_type);
        assert_text(orp_http_charset(types[i].content_type, scene->pool),
                    types[i].charset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_page_comes_as_it_was_sent),
        scene_test(a_request_says_what_it_accepts_and_until_when),
        scene_test(every_kind_of_redirect_is_followed),
        scene_test(other_statuses_are_not_followed),
        scene_test(a_redirect_to_nowhere_is_a_response),
        scene_test(five_redirects_are_followed),
        scene_test(the_sixth_redirect_is_refused),
        scene_test(a_redirect_to_itself_ends),
        scene_test(a_redirect_from_https_to_http_is_refused),
        scene_test(a_redirect_to_what_we_do_not_speak_is_refused),
        scene_test(a_relative_location_is_resolved),
        scene_test(what_is_no_web_address_is_not_asked),
        scene_test(where_tls_is_required_http_is_not_asked),
        scene_test(where_tls_is_required_no_redirect_leads_away_from_it),
        scene_test(one_deadline_holds_for_all_redirects),
        scene_test(what_the_client_says_is_handed_on),
        scene_test(a_form_is_posted),
        scene_test(redirects_of_a_post_are_not_followed),
        scene_test(a_post_is_refused_where_a_get_is),
        scene_test(a_content_type_is_taken_apart),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
