/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_discover.c - orp_discover and orp_yadis: from an identifier to its
 * providers. */

#include "support.h"

#include "orp_discover.h"
#include "orp_yadis.h"

#define USER "https://user.example/me"
#define XRDS_TYPE "application/xrds+xml"

#define XRDS(type, uri) \
    "<x:XRDS xmlns:x='xri://$xrds' xmlns='xri://$xrd*($v*2.0)'><XRD>" \
    "<Service><Type>" type "</Type><URI>" uri "</URI></Service>" \
    "</XRD></x:XRDS>"
#define GOOD XRDS(ORP_TYPE_SIGNON_20, "https://op.example/")
#define EMPTY "<x:XRDS xmlns:x='xri://$xrds' " \
    "xmlns='xri://$xrd*($v*2.0)'><XRD/></x:XRDS>"
#define HTML(head) "<html><head>" head "</head><body></body></html>"
#define LINK(rel, href) "<link rel='" rel "' href='" href "'>"
#define PAGE HTML(LINK("openid2.provider", "https://html.example/"))

static apr_status_t discover(scene_t *scene, const char *url,
                             orp_discovery_t **pdiscovery)
{
    orp_identifier_t identifier = { ORP_IDENTIFIER_URI, url };
    orp_reason_t *why = orp_reason_create(scene->pool);
    apr_status_t status;

    *pdiscovery = NULL;
    status = orp_discover(pdiscovery, &scene->env, &identifier, why,
                          scene->pool);
    assert_status(why->status, status);
    if (status != APR_SUCCESS) {
        assert_null(*pdiscovery);
        assert_true(*why->sentence);
    }
    assert_int_equal(scene_unused(scene), 0);
    return status;
}

static const orp_service_t *service(const orp_discovery_t *discovery, int i)
{
    assert_in_range(i, 0, discovery->services->nelts - 1);
    return APR_ARRAY_IDX(discovery->services, i, orp_service_t *);
}

/* USER is found to have one service, at this endpoint. */
static void assert_endpoint(scene_t *scene, const char *endpoint)
{
    orp_discovery_t *discovery;

    assert_status(discover(scene, USER, &discovery), APR_SUCCESS);
    assert_text(discovery->claimed_id, USER);
    assert_int_equal(discovery->services->nelts, 1);
    assert_text(service(discovery, 0)->endpoint, endpoint);
}

static void assert_none(scene_t *scene, apr_status_t status)
{
    orp_discovery_t *discovery;

    assert_status(discover(scene, USER, &discovery), status);
}

/* ---------------------------------------------------------------------- */
/* Yadis */

static void the_page_may_be_the_document(void **state)
{
    static const char *const types[] = {
        XRDS_TYPE, "Application/XRDS+XML", XRDS_TYPE "; charset=utf-8",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(types); i++) {
        scene_page(scene, USER, types[i], GOOD);
        assert_endpoint(scene, "https://op.example/");
    }
    assert_int_equal(scene_requests(scene), (int)COUNT(types));
    assert_int_equal(strncmp(scene_request(scene, 0)->accept, XRDS_TYPE ",",
                             strlen(XRDS_TYPE) + 1), 0);
}

static void the_header_may_name_the_document(void **state)
{
    static const char *const locations[][2] = {
        { "https://elsewhere.example/x", "https://elsewhere.example/x" },
        { "/xrds", "https://user.example/xrds" },
        { "xrds#a", "https://user.example/xrds" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(locations); i++) {
        scene_page(scene, USER, "text/html", PAGE)->xrds_location
            = locations[i][0];
        scene_page(scene, locations[i][1], XRDS_TYPE, GOOD);
        assert_endpoint(scene, "https://op.example/");
    }
    assert_text(scene_request(scene, 1)->accept, XRDS_TYPE);
}

static void a_meta_element_may_name_the_document(void **state)
{
    scene_t *scene = *state;

    scene_page(scene, USER, "text/html", HTML(
        "<meta http-equiv='x-xrds-location' content=' /xrds '>"
        LINK("openid2.provider", "https://html.example/")));
    scene_page(scene, "https://user.example/xrds", "text/xml", GOOD);
    assert_endpoint(scene, "https://op.example/");
}

static void the_header_comes_before_the_meta_element(void **state)
{
    scene_t *scene = *state;

    scene_page(scene, USER, "text/html", HTML(
        "<meta http-equiv='X-XRDS-Location' content='/meta'>"))
        ->xrds_location = "/header";
    scene_page(scene, "https://user.example/header", XRDS_TYPE, GOOD);
    assert_endpoint(scene, "https://op.example/");
    assert_int_equal(scene_requests(scene), 2);
}

static void the_named_document_may_be_redirected(void **state)
{
    scene_t *scene = *state;

    scene_page(scene, USER, "text/html", PAGE)->xrds_location = "/xrds";
    scene_redirect(scene, "https://user.example/xrds", 302,
                   "https://b.example/");
    scene_page(scene, "https://b.example/", XRDS_TYPE, GOOD);
    assert_endpoint(scene, "https://op.example/");
}

/* 7.3, 2 and 3: then HTML is tried. */
static void where_the_named_document_is_no_use_the_page_counts(void **state)
{
    static const struct {
        int status;
        const char *body;
        int logged;
    } table[] = {
        { 404, GOOD, 101 }, { 500, GOOD, 101 }, { 204, "", 101 },
        { 200, "<broken", 102 }, { 200, "", 102 }, { 200, EMPTY, 0 },
        { 200, XRDS("urn:other", "https://op.example/"), 0 },
        { 200, XRDS(ORP_TYPE_SIGNON_20, "javascript:x"), 0 },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        int before = scene_logged(scene, table[i].logged);

        scene_page(scene, USER, "text/html", PAGE)->xrds_location = "/x";
        scene_reply(scene, "GET", "https://user.example/x", table[i].status,
                    XRDS_TYPE, table[i].body);
        assert_endpoint(scene, "https://html.example/");
        assert_int_equal(scene_logged(scene, table[i].logged) - before,
                         table[i].logged ? 1 : 0);
    }
}

static void a_location_that_is_none_is_not_fetched(void **state)
{
    static const char *const locations[] = {
        "file:///etc/passwd", "javascript:x", "http://u@user.example/",
        "http://", "gopher://user.example/",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(locations); i++) {
        scene_page(scene, USER, "text/html", PAGE)->xrds_location
            = locations[i];
        assert_endpoint(scene, "https://html.example/");
    }
}

static void a_document_that_is_away_leaves_the_page(void **state)
{
    scene_t *scene = *state;

    scene_page(scene, USER, "text/html", PAGE)->xrds_location = "/x";
    scene_no_reply(scene, "GET", "https://user.example/x", ORP_EADDRESS);
    assert_endpoint(scene, "https://html.example/");
    assert_true(scene_log_contains(scene, "(address-refused)"));
}

/* Time for no third fetch: the page is slow, and the document of no use. */
typedef struct {
    const char *url;
    apr_interval_time_t time;
    const char *location;
    apr_status_t status;
} slow_t;

static apr_status_t answer_slowly(scene_t *scene, const sent_t *request,
                                  orp_http_response_t *response, void *baton)
{
    const slow_t *slow = baton;

    /* asked for once more, as a page */
    if (!strncmp(request->accept, "text/html", 9)) {
        response->content_type = "text/html";
        response->body = PAGE;
        response->size = strlen(PAGE);
        return APR_SUCCESS;
    }
    scene_turn_clock(scene, slow->time);
    response->content_type = XRDS_TYPE;
    response->body = slow->location ? "" : EMPTY;
    response->size = strlen(response->body);
    response->xrds_location = slow->location;
    if (slow->location) {
        response->content_type = "text/html";   /* an empty one: no page */
    }
    return slow->status;
}

static void all_fetches_together_take_twice_the_time_of_one(void **state)
{
    scene_t *scene = *state;
    slow_t page = { USER, SCENE_TIMEOUT / 2, "/xrds", APR_SUCCESS };
    slow_t document = { NULL, SCENE_TIMEOUT / 2 - 1, NULL, APR_SUCCESS };
    orp_discovery_t *discovery;

    scene_answer(scene, "GET", USER, answer_slowly, &page);
    scene_answer(scene, "GET", "https://user.example/xrds", answer_slowly,
                 &document);
    assert_endpoint(scene, "https://html.example/");
    assert_int_equal(scene_requests(scene), 3);

    document.time++;
    assert_status(discover(scene, USER, &discovery), ORP_ETIMEOUT);
    assert_int_equal(scene_requests(scene), 5);
}

/* What timed out is followed by no other fetch; the page that is there
 * already is used (7.3). */
static void after_a_fetch_that_timed_out_there_is_no_other(void **state)
{
    scene_t *scene = *state;
    orp_discovery_t *discovery;

    scene_no_reply(scene, "GET", USER, ORP_ETIMEOUT);
    assert_status(discover(scene, USER, &discovery), ORP_ETIMEOUT);
    assert_int_equal(scene_requests(scene), 1);

    scene_page(scene, USER, "text/html", "")->xrds_location = "/xrds";
    scene_no_reply(scene, "GET", "https://user.example/xrds", ORP_ETIMEOUT);
    assert_status(discover(scene, USER, &discovery), ORP_ENOTOPENID);
    assert_int_equal(scene_requests(scene), 3);

    scene_page(scene, USER, "text/html", PAGE)->xrds_location = "/xrds";
    scene_no_reply(scene, "GET", "https://user.example/xrds", ORP_ETIMEOUT);
    assert_endpoint(scene, "https://html.example/");
    assert_int_equal(scene_requests(scene), 5);
}

/* ---------------------------------------------------------------------- */
/* HTML */

static void links_of_a_page_are_services(void **state)
{
    scene_t *scene = *state;
    orp_discovery_t *discovery;

    scene_page(scene, USER, "text/html; charset=utf-8", HTML(
        LINK("openid.server", "https://one.example/")
        LINK("openid.delegate", "https://one.example/me")
        LINK("x OpenID2.Provider y", " https://TWO.example ")
        LINK("openid2.local_id", "https://two.example/me")));
    assert_status(discover(scene, USER, &discovery), APR_SUCCESS);
    assert_int_equal(discovery->services->nelts, 2);
    assert_int_equal(service(discovery, 0)->kind, ORP_SIGNON_20);
    assert_text(service(discovery, 0)->endpoint, "https://two.example/");
    assert_text(service(discovery, 0)->local_id, "https://two.example/me");
    assert_text(APR_ARRAY_IDX(service(discovery, 0)->types, 0,
                              const char *), ORP_TYPE_SIGNON_20);
    assert_int_equal(service(discovery, 1)->kind, ORP_SIGNON_11);
    assert_text(service(discovery, 1)->endpoint, "https://one.example/");
    assert_text(service(discovery, 1)->local_id, "https://one.example/me");
}

static void a_page_without_a_provider_is_no_openid(void **state)
{
    static const char *const pages[] = {
        "", "hello", HTML(""),
        HTML(LINK("openid2.local_id", "https://a.example/")),
        HTML(LINK("openid.delegate", "https://a.example/")),
        HTML(LINK("openid2.provider", "javascript:x")),
        HTML(LINK("openid2.provider", "/relative")),
        HTML(LINK("openid2.provider", "https://u@a.example/")),
        HTML(LINK("openid2.provider", "https://a.example/&#13;&#10;x")),
        HTML(LINK("openid2.provider", "")),
        "<html><head></head><body>"
        LINK("openid2.provider", "https://a.example/") "</body></html>",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(pages); i++) {
        scene_page(scene, USER, "text/html", pages[i]);
        assert_none(scene, ORP_ENOTOPENID);
    }
    scene_page(scene, USER, "text/html", PAGE);
    assert_endpoint(scene, "https://html.example/");
}

static void a_document_without_use_makes_us_ask_for_the_page(void **state)
{
    scene_t *scene = *state;

    scene_page(scene, USER, XRDS_TYPE, EMPTY);
    scene_page(scene, USER, "text/html", PAGE);
    assert_endpoint(scene, "https://html.example/");
    assert_int_equal(scene_requests(scene), 2);
    assert_null(strstr(scene_request(scene, 1)->accept, "xrds"));

    scene_page(scene, USER, XRDS_TYPE, "<broken");
    scene_page(scene, USER, XRDS_TYPE, GOOD);
    assert_none(scene, ORP_ENOTOPENID);
    scene_page(scene, USER, XRDS_TYPE, "<broken");
    scene_reply(scene, "GET", USER, 500, "text/html", PAGE);
    assert_none(scene, ORP_EHTTP);
}

/* ---------------------------------------------------------------------- */
/* Errors, redirects, other kinds */

static void only_status_200_is_a_page(void **state)
{
    static const int statuses[] = { 201, 204, 304, 400, 401, 404, 500, 503 };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(statuses); i++) {
        scene_reply(scene, "GET", USER, statuses[i], XRDS_TYPE, GOOD);
        assert_none(scene, ORP_EHTTP);
        scene_reply(scene, "GET", USER, statuses[i], "text/html", PAGE)
            ->xrds_location = "https://canary.example/";
        assert_none(scene, ORP_EHTTP);
    }
}

static void why_a_page_cannot_be_had_is_handed_on(void **state)
{
    static const apr_status_t failures[] = {
        ORP_ERESOLVE, ORP_ECONNECT, ORP_ETIMEOUT, ORP_ETLS, ORP_EADDRESS,
        ORP_ETOOBIG,
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(failures); i++) {
        scene_no_reply(scene, "GET", USER, failures[i]);
        assert_none(scene, failures[i]);
    }
}

static void the_claimed_id_is_where_redirects_end(void **state)
{
    scene_t *scene = *state;
    orp_discovery_t *discovery;

    scene_redirect(scene, "http://old.example/", 301,
                   "HTTPS://User.example:443/x/../me#frag");
    scene_page(scene, USER, XRDS_TYPE, GOOD);
    assert_status(discover(scene, "http://old.example/", &discovery),
                  APR_SUCCESS);
    assert_text(discovery->claimed_id, USER);
    assert_int_equal(discovery->kind, ORP_IDENTIFIER_URI);
}

static void an_i_name_is_not_resolved(void **state)
{
    scene_t *scene = *state;
    orp_identifier_t name = { ORP_IDENTIFIER_XRI, "=name" };
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_discovery_t *discovery = NULL;

    assert_status(orp_discover(&discovery, &scene->env, &name, why,
                               scene->pool), ORP_EXRI);
    assert_null(discovery);
    assert_non_null(strstr(why->sentence, "=name"));
    assert_int_equal(scene_requests(scene), 0);
}

/* One line in the log, however many they are. */
static void endpoints_that_may_not_be_asked_are_left_out(void **state)
{
    static const char open[] = "<x:XRDS xmlns:x='xri://$xrds' "
        "xmlns='xri://$xrd*($v*2.0)'><XRD><Service><Type>"
        ORP_TYPE_SIGNON_20 "</Type>";
    static const char close[] = "</Service></XRD></x:XRDS>";
    scene_t *scene = *state;
    const char *refused = repeated("<URI>http://op.example/</URI>", 9,
                                   scene->pool);

    scene->http.require_tls = 1;
    scene_page(scene, USER, XRDS_TYPE, apr_pstrcat(
        scene->pool, open, refused, "<URI>https://op.example/</URI>", close,
        NULL));
    assert_endpoint(scene, "https://op.example/");
    assert_int_equal(scene_logged(scene, 107), 1);
    assert_true(scene_log_contains(scene, "9 of 10 endpoints of " USER
                                   " left out (scheme-refused)"));

    scene_page(scene, USER, XRDS_TYPE, apr_pstrcat(scene->pool, open, refused,
                                                   close, NULL));
    assert_none(scene, ORP_ESCHEME);
    assert_int_equal(scene_logged(scene, 107), 2);
    scene_page(scene, USER, XRDS_TYPE, GOOD);
    assert_endpoint(scene, "https://op.example/");
    assert_int_equal(scene_logged(scene, 107), 2);
}

static void an_op_identifier_is_recognized(void **state)
{
    scene_t *scene = *state;
    orp_discovery_t *discovery;

    scene_page(scene, USER, XRDS_TYPE,
               XRDS(ORP_TYPE_SERVER_20, "https://op.example/"));
    assert_status(discover(scene, USER, &discovery), APR_SUCCESS);
    assert_true(orp_services_is_op_identifier(discovery->services));
}

static void a_document_is_no_page_for_yadis(void **state)
{
    scene_t *scene = *state;
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_yadis_t *yadis;

    scene_page(scene, USER, XRDS_TYPE, GOOD);
    assert_status(orp_yadis_fetch(&yadis, &scene->env, USER, why,
                                  scene->pool), APR_SUCCESS);
    assert_text(yadis->url, USER);
    assert_text(yadis->xrds, GOOD);
    assert_int_equal(yadis->xrds_size, strlen(GOOD));
    assert_null(yadis->head);
    scene_page(scene, USER, "text/html", PAGE);
    assert_status(orp_yadis_fetch(&yadis, &scene->env, USER, why,
                                  scene->pool), APR_SUCCESS);
    assert_null(yadis->xrds);
    assert_text(yadis->head->provider2, "https://html.example/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(the_page_may_be_the_document),
        scene_test(the_header_may_name_the_document),
        scene_test(a_meta_element_may_name_the_document),
        scene_test(the_header_comes_before_the_meta_element),
        scene_test(the_named_document_may_be_redirected),
        scene_test(where_the_named_document_is_no_use_the_page_counts),
        scene_test(a_location_that_is_none_is_not_fetched),
        scene_test(a_document_that_is_away_leaves_the_page),
        scene_test(all_fetches_together_take_twice_the_time_of_one),
        scene_test(after_a_fetch_that_timed_out_there_is_no_other),
        scene_test(links_of_a_page_are_services),
        scene_test(a_page_without_a_provider_is_no_openid),
        scene_test(a_document_without_use_makes_us_ask_for_the_page),
        scene_test(only_status_200_is_a_page),
        scene_test(why_a_page_cannot_be_had_is_handed_on),
        scene_test(the_claimed_id_is_where_redirects_end),
        scene_test(an_i_name_is_not_resolved),
        scene_test(endpoints_that_may_not_be_asked_are_left_out),
        scene_test(an_op_identifier_is_recognized),
        scene_test(a_document_is_no_page_for_yadis),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("discover", tests, NULL, NULL);
}
