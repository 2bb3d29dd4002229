/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_http_curl.c - orp_http_curl: the client, against servers of all sorts.
 * More on what it may be made to contact is in test_fetch_guard.c, and on what
 * it may be made to read in test_fetch_limits.c. */

#include "support_web.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void answers_with_a_nul(int fd, const char *text)
{
    (void)text;
    web_send(fd, "HTTP/1.1 200 OK\r\n\r\na\0b", 22);
}

/* ---------------------------------------------------------------------- */

static void a_response_comes_as_it_was_sent(void **state)
{
    scene_t *scene = *state;
    web_server_t *server = web_server(scene, web_answers,
        "HTTP/1.1 404 Not here\r\nContent-Type:text/html; x \r\n"
        "x-xrds-location: \t /first \r\nX-XRDS-Location: /second\r\n"
        "X-XRDS-Location-Not: /third\r\nLOCATION: /there\r\n\r\nbody");
    orp_http_response_t *response;

    assert_status(web_get(&response, scene, server->url), APR_SUCCESS);
    assert_int_equal(response->status, 404);
    assert_text(response->content_type, "text/html; x");
    assert_text(response->xrds_location, "/first");
    assert_text(response->location, "/there");
    assert_text(response->body, "body");
    assert_int_equal(response->size, 4);
}

static void a_bare_response_has_no_headers(void **state)
{
    scene_t *scene = *state;
    orp_http_response_t *response;

    assert_status(web_get(&response, scene, web_server(
        scene, web_answers, WEB_OK "\r\n")->url), APR_SUCCESS);
    assert_text(response->content_type, "");
    assert_text(response->xrds_location, NULL);
    assert_text(response->location, NULL);
    assert_text(response->body, "");
    assert_int_equal(response->size, 0);
}

static void a_body_may_hold_nuls(void **state)
{
    scene_t *scene = *state;
    orp_http_response_t *response;

    assert_status(web_get(&response, scene, web_server(
        scene, answers_with_a_nul, "")->url), APR_SUCCESS);
    assert_int_equal(response->size, 3);
    assert_memory_equal(response->body, "a\0b", 4);
}

static void what_came_before_the_response_does_not_count(void **state)
{
    scene_t *scene = *state;
    orp_http_response_t *response;

    assert_status(web_get(&response, scene, web_server(scene, web_answers,
        "HTTP/1.1 103 Early Hints\r\nLocation: /x\r\nX-XRDS-Location: /x\r\n"
        "Content-Type: x\r\n\r\n" WEB_OK "Content-Type: y\r\n\r\n")->url),
        APR_SUCCESS);
    assert_int_equal(response->status, 200);
    assert_text(response->content_type, "y");
    assert_text(response->location, NULL);
    assert_text(response->xrds_location, NULL);
}

static void a_get_asks_for_what_is_accepted_and_no_more(void **state)
{
    scene_t *scene = *state;
    web_server_t *server = web_server(scene, web_answers, WEB_OK "\r\n");
    orp_http_response_t *response;
    const char *request;

    assert_status(web_get(&response, scene, apr_pstrcat(
        scene->pool, server->url, "a?b=%20", NULL)), APR_SUCCESS);
    request = web_request(scene, server);
    assert_non_null(request);
    assert_int_equal(strncmp(request, "GET /a?b=%20 HTTP/1.1\r\n", 23), 0);
    assert_non_null(strstr(request, "\r\nHost: 127.0.0.1:"));
    assert_non_null(strstr(request, "\r\nAccept: text/html\r\n"));
    assert_non_null(strstr(request, "\r\nUser-Agent: mod_openid2rp"));
    assert_null(strstr(request, "Cookie"));
    assert_null(strstr(request, "Authorization"));
    assert_null(strstr(request, "Encoding"));
}

static void a_post_carries_its_form(void **state)
{
    scene_t *scene = *state;
    const orp_http_curl_t settings = web_settings(scene, "127.0.0.1");
    const char *form = repeated("a=b%26&", 700, scene->pool);
    web_server_t *server = web_server(scene, web_answers, WEB_OK "\r\nyes");
    const orp_http_request_t request = { server->url, NULL, form, 0 };
    orp_http_response_t *response;
    const char *text;

    assert_status(web_exchange(&response, scene, &settings, &request),
                  APR_SUCCESS);
    assert_text(response->body, "yes");
    text = web_request(scene, server);
    assert_non_null(text);
    assert_int_equal(strncmp(text, "POST / HTTP/1.1\r\n", 17), 0);
    assert_non_null(strstr(text, "\r\nContent-Type: "
                           "application/x-www-form-urlencoded\r\n"));
    assert_null(strstr(text, "Expect"));
    assert_text(strstr(text, "\r\n\r\n") + 4, form);
}

static void a_redirect_is_a_response(void **state)
{
    scene_t *scene = *state;
    web_server_t *target = web_server(scene, web_answers, WEB_OK "\r\n");
    web_server_t *server = web_server(scene, web_answers, apr_pstrcat(
        scene->pool, "HTTP/1.1 302 Found\r\nLocation: ", target->url,
        "\r\n\r\nmoved", NULL));
    orp_http_response_t *response;

    assert_status(web_get(&response, scene, server->url), APR_SUCCESS);
    assert_int_equal(response->status, 302);
    assert_text(response->location, target->url);
    assert_text(response->body, "moved");
    assert_null(web_request(scene, target));
}

/* ---------------------------------------------------------------------- */
/* Addresses */

static void a_refused_address_is_not_contacted(void **state)
{
    static const char *const hosts[] = {
        "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1",
        "localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "[::1]",
    };
    scene_t *scene = *state;
    web_server_t *server = web_server(scene, web_answers, WEB_OK "\r\n");
    orp_http_response_t *response;
    size_t i;

    for (i = 0; i < COUNT(hosts); i++) {
        const orp_http_request_t request = {
            apr_psprintf(scene->pool, "http://%s:%d/", hosts[i],
                         server->port), NULL, i % 2 ? "a=b" : NULL, 0
        };
        apr_status_t status = web_exchange(&response, scene,
                                           &orp_http_curl_defaults, &request);

        /* a machine may be without IPv6, or may not know the name */
        if (i < 5 || status == APR_SUCCESS) {
            assert_status(status, ORP_EADDRESS);
        }
    }
    assert_null(web_request(scene, server));
    assert_status(web_get(&response, scene, server->url), APR_SUCCESS);
    assert_non_null(web_request(scene, server));
}

static void a_proxy_is_asked_and_connects_where_it_may(void **state)
{
    scene_t *scene = *state;
    web_server_t *server = web_server(scene, web_answers, WEB_OK "\r\nproxied");
    const orp_http_request_t request = {
        "http://nowhere.example/x", NULL, NULL, 0
    };
    orp_http_curl_t settings = orp_http_curl_defaults;
    orp_http_response_t *response;

    settings.proxy = server->url;
    assert_status(web_exchange(&response, scene, &settings, &request),
                  APR_SUCCESS);
    assert_text(response->body, "proxied");
    assert_int_equal(strncmp(web_request(scene, server),
                             "GET http://nowhere.example/x ", 29), 0);
}

static void the_environments_proxy_is_not_asked(void **state)
{
    scene_t *scene = *state;
    web_server_t *proxy = web_server(scene, web_answers, WEB_OK "\r\nproxied");
    web_server_t *server = web_server(scene, web_answers, WEB_OK "\r\ndirect");
    orp_http_response_t *response;
    apr_status_t status;

    setenv("http_proxy", proxy->url, 1);
    setenv("ALL_PROXY", proxy->url, 1);
    status = web_get(&response, scene, server->url);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    assert_status(status, APR_SUCCESS);
    assert_text(response->body, "direct");
    assert_null(web_request(scene, proxy));
}

static void other_schemes_are_not_spoken(void **state)
{
    static const char *const urls[] = {
        "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/",
        "dict://127.0.0.1/", "ldap://127.0.0.1/",
    };
    scene_t *scene = *state;
    orp_http_response_t *response;
    size_t i;

    for (i = 0; i < COUNT(urls); i++) {
        assert_status(web_get(&response, scene, urls[i]), ORP_EFETCH);
    }
}

/* ---------------------------------------------------------------------- */
/* Ceilings and deadlines */

static apr_status_t with_a_ceiling(scene_t *scene, const char *response_text,
                                   apr_size_t *psize)
{
    orp_http_curl_t settings = web_settings(scene, "127.0.0.1");
    web_server_t *server = web_server(scene, web_answers, response_text);
    const orp_http_request_t request = { server->url, NULL, NULL, 0 };
    orp_http_response_t *response;
    apr_status_t status;

    settings.max_size = 100000;
    status = web_exchange(&response, scene, &settings, &request);
    *psize = status == APR_SUCCESS ? response->size : 0;
    if (status == APR_SUCCESS) {
        assert_int_equal(strspn(response->body, "x"), response->size);
    }
    return status;
}

static void a_body_has_a_ceiling(void **state)
{
    scene_t *scene = *state;
    const char *body = repeated("x", 100000, scene->pool);
    apr_size_t size;

    assert_status(with_a_ceiling(scene, apr_pstrcat(
        scene->pool, WEB_OK "\r\n", body, NULL), &size), APR_SUCCESS);
    assert_int_equal(size, 100000);
    assert_status(with_a_ceiling(scene, apr_pstrcat(
        scene->pool, WEB_OK "\r\n", body, "x", NULL), &size), ORP_ETOOBIG);
    assert_status(with_a_ceiling(scene, apr_pstrcat(
        scene->pool, WEB_OK "Content-Length: 100001\r\n\r\n", body, "x", NULL),
        &size), ORP_ETOOBIG);
    assert_status(with_a_ceiling(scene, apr_pstrcat(
        scene->pool, WEB_OK "Transfer-Encoding: chunked\r\n\r\n186A1\r\n", body,
        "x\r\n0\r\n\r\n", NULL), &size), ORP_ETOOBIG);
    assert_status(with_a_ceiling(scene, apr_pstrcat(
        scene->pool, WEB_OK "Transfer-Encoding: chunked\r\n\r\n186A0\r\n", body,
        "\r\n0\r\n\r\n", NULL), &size), APR_SUCCESS);
    assert_int_equal(size, 100000);
}

static void nothing_is_decompressed(void **state)
{
    scene_t *scene = *state;
    orp_http_response_t *response;

    assert_status(web_get(&response, scene, web_server(
        scene, web_answers,
        WEB_OK "Content-Encoding: gzip\r\n\r\nnot gzip")->url), APR_SUCCESS);
    assert_text(response->body, "not gzip");
}

static void an_endless_answer_ends(void **state)
{
    scene_t *scene = *state;
    const char *line = apr_pstrcat(scene->pool, "X-Header: ",
                                   repeated("x", 500, scene->pool), "\r\n",
                                   NULL);

    assert_status(web_status_of(scene, web_repeats, apr_pstrcat(
        scene->pool, "\r\n", repeated("x", 4000, scene->pool), NULL)),
        ORP_ETOOBIG);
    assert_status(web_status_of(scene, web_repeats, line), ORP_ETOOBIG);
}

static void headers_have_a_ceiling(void **state)
{
    scene_t *scene = *state;
    const char *line = apr_pstrcat(scene->pool, "X-Header: ",
                                   repeated("x", 500, scene->pool), "\r\n",
                                   NULL);

    assert_status(web_status_of(scene, web_answers, apr_pstrcat(
        scene->pool, WEB_OK, repeated(line, 120, scene->pool), "\r\n", NULL)),
        APR_SUCCESS);
    assert_status(web_status_of(scene, web_answers, apr_pstrcat(
        scene->pool, WEB_OK, repeated(line, 130, scene->pool), "\r\n", NULL)),
        ORP_ETOOBIG);
}

static void one_deadline_covers_everything(void **state)
{
    scene_t *scene = *state;

    assert_status(web_status_of(scene, web_is_silent, ""), ORP_ETIMEOUT);
    assert_status(web_status_of(scene, web_drips, WEB_OK "\r\n"), ORP_ETIMEOUT);
    assert_status(web_status_of(scene, web_drips, WEB_OK "X-Slow: "),
                  ORP_ETIMEOUT);
    assert_status(web_status_of(scene, web_answers, WEB_OK "\r\n"),
                  APR_SUCCESS);
}

static void a_deadline_that_has_passed_is_no_deadline_without_end(
    void **state)
{
    scene_t *scene = *state;
    const orp_http_curl_t settings = web_settings(scene, "127.0.0.1");
    const orp_http_request_t request = {
        web_server(scene, web_is_silent, "")->url, NULL, NULL, 1
    };
    orp_http_response_t *response;

    assert_status(web_exchange(&response, scene, &settings, &request),
                  ORP_ETIMEOUT);
}

/* ---------------------------------------------------------------------- */
/* Told to stop */

/* How often a client has asked, and from which time on the answer is yes. */
typedef struct {
    int asked;
    int yes_from;
} stopper_t;

static int is_stopped(void *baton)
{
    stopper_t *stopper = baton;

    return ++stopper->asked >= stopper->yes_from;
}

/* One exchange with a client that asks the stopper, and has half a minute for
 * it. @return how it ended; where it was broken off, that was soon */
static apr_status_t stoppable(scene_t *scene, const char *url,
                              stopper_t *stopper)
{
    orp_http_curl_t settings = web_settings(scene, "127.0.0.1");
    orp_reason_t *why = orp_reason_create(scene->pool);
    apr_time_t begin = apr_time_now();
    orp_http_request_t request = {
        url, NULL, NULL, begin + apr_time_from_sec(30)
    };
    orp_http_response_t *response;
    orp_http_client_t *client;
    apr_status_t status;

    settings.connect = apr_time_from_sec(30);
    settings.stopped = is_stopped;
    settings.baton = stopper;
    scene->env.now = web_time;
    client = orp_http_curl_create(&settings, &scene->env, scene->pool);
    status = client->exchange(&response, client, &request, why, scene->pool);
    assert_true(apr_time_now() - begin < apr_time_from_sec(15));
    if (status != APR_SUCCESS) {
        assert_non_null(strstr(why->sentence, "was broken off"));
        assert_text(why->subject, url);
    }
    return status;
}

static void who_is_told_to_stop_does_not_wait_for_an_answer(void **state)
{
    scene_t *scene = *state;
    stopper_t at_once = { 0, 1 }, later = { 0, 4 }, never = { 0, 1 << 30 };

    assert_status(stoppable(scene, web_server(scene, web_is_silent_for_long,
                                               "")->url, &later), ORP_EFETCH);
    assert_int_equal(later.asked, later.yes_from);
    assert_status(stoppable(scene, web_server(scene, web_drips,
                                               WEB_OK "X-Slow: ")->url, &later),
                  ORP_EFETCH);
    assert_status(stoppable(scene, web_server(scene, web_answers,
                                               WEB_OK "\r\n")->url, &at_once),
                  ORP_EFETCH);
    assert_status(stoppable(scene, web_server(scene, web_answers,
                                               WEB_OK "\r\n")->url, &never),
                  APR_SUCCESS);
    assert_true(never.asked > 0);
}

/* A server whose queue is full takes nobody's connection, nor refuses it. */
static void nor_for_a_connection(void **state)
{
    scene_t *scene = *state;
    stopper_t later = { 0, 4 };
    int port = 0, clients[4];
    size_t i;
    int listener = web_listen("127.0.0.1", &port);
    struct sockaddr_in address;

    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((unsigned short)port);
    assert_int_equal(listen(listener, 0), 0);
    for (i = 0; i < COUNT(clients); i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(clients[i], (struct sockaddr *)&address,
                       sizeof(address));
    }
    assert_status(stoppable(scene, apr_psprintf(
        scene->pool, "http://127.0.0.1:%d/", port), &later), ORP_EFETCH);
    assert_int_equal(later.asked, later.yes_from);
    for (i = 0; i < COUNT(clients); i++) {
        close(clients[i]);
    }
    close(listener);
}

/* ---------------------------------------------------------------------- */
/* Servers that are away or broken */

static void a_server_that_is_away_cannot_be_reached(void **state)
{
    scene_t *scene = *state;
    orp_http_response_t *response;
    int port = 0;

    close(web_listen("127.0.0.1", &port));
    assert_status(web_get(&response, scene, apr_psprintf(
        scene->pool, "http://127.0.0.1:%d/", port)), ORP_ECONNECT);
}

static void an_answer_that_breaks_off_is_none(void **state)
{
    static const char *const texts[] = {
        "", WEB_OK "Content-Length: 10\r\n\r\nxxx", "hello\r\n\r\n",
        WEB_OK "Transfer-Encoding: chunked\r\n\r\nA\r\nxxx",
        WEB_OK "Transfer-Encoding: chunked\r\n\r\nzz\r\nxxx",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(texts); i++) {
        assert_status(web_status_of(scene, web_answers, texts[i]), ORP_EFETCH);
    }
}

static void a_server_without_tls_is_not_secure(void **state)
{
    scene_t *scene = *state;
    orp_http_curl_t settings = web_settings(scene, "127.0.0.1");
    web_server_t *server = web_server(scene, web_answers, WEB_OK "\r\n");
    const orp_http_request_t request = {
        apr_psprintf(scene->pool, "https://127.0.0.1:%d/", server->port),
        NULL, NULL, 0
    };
    orp_http_response_t *response;

    assert_status(web_exchange(&response, scene, &settings, &request),
                  ORP_ETLS);
    settings.ca_file = "/nonexistent/ca.pem";
    assert_status(web_exchange(&response, scene, &settings, &request),
                  ORP_ETLS);
}

/* ---------------------------------------------------------------------- */
/* As part of the world */

static void the_client_serves_a_fetch(void **state)
{
    scene_t *scene = *state;
    orp_http_curl_t settings = web_settings(scene, "127.0.0.1");
    web_server_t *server = web_server(scene, web_answers, WEB_OK "\r\nbody");
    orp_http_response_t *response;

    scene->env.now = web_time;
    settings.timeout = web_patience();
    scene->env.http = orp_http_curl_create(&settings, &scene->env,
                                           scene->pool);
    assert_status(orp_http_get(&response, &scene->env, server->url, "*/*",
                               NULL, scene->pool), APR_SUCCESS);
    assert_text(response->body, "body");
    assert_text(response->url, server->url);
    settings.require_tls = 1;
    scene->env.http = orp_http_curl_create(&settings, &scene->env,
                                           scene->pool);
    assert_status(orp_http_get(&response, &scene->env, server->url, "*/*",
                               NULL, scene->pool), ORP_ESCHEME);
}

static void the_defaults_are_those_of_the_manual(void **state)
{
    (void)state;
    assert_true(orp_http_curl_defaults.timeout == apr_time_from_sec(10));
    assert_true(orp_http_curl_defaults.connect == apr_time_from_sec(5));
    assert_int_equal(orp_http_curl_defaults.max_size, 256 * 1024);
    assert_null(orp_http_curl_defaults.allow);
    assert_null(orp_http_curl_defaults.proxy);
    assert_int_equal(orp_http_curl_defaults.require_tls, 0);
    assert_null(orp_http_curl_defaults.stopped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_response_comes_as_it_was_sent),
        scene_test(a_bare_response_has_no_headers),
        scene_test(a_body_may_hold_nuls),
        scene_test(what_came_before_the_response_does_not_count),
        scene_test(a_get_asks_for_what_is_accepted_and_no_more),
        scene_test(a_post_carries_its_form),
        scene_test(a_redirect_is_a_response),
        scene_test(a_refused_address_is_not_contacted),
        scene_test(a_proxy_is_asked_and_connects_where_it_may),
        scene_test(the_environments_proxy_is_not_asked),
        scene_test(other_schemes_are_not_spoken),
        scene_test(a_body_has_a_ceiling),
        scene_test(nothing_is_decompressed),
        scene_test(an_endless_answer_ends),
        scene_test(headers_have_a_ceiling),
        scene_test(one_deadline_covers_everything),
        scene_test(a_deadline_that_has_passed_is_no_deadline_without_end),
        scene_test(who_is_told_to_stop_does_not_wait_for_an_answer),
        scene_test(nor_for_a_connection),
        scene_test(a_server_that_is_away_cannot_be_reached),
        scene_test(an_answer_that_breaks_off_is_none),
        scene_test(a_server_without_tls_is_not_secure),
        scene_test(the_client_serves_a_fetch),
        scene_test(the_defaults_are_those_of_the_manual),
    };

    apr_initialize();
    if (orp_http_curl_init() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests_name("http_curl", tests, NULL, NULL);
}
