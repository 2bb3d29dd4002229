/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_fetch_limits.c - what a server can make the client read, and how long.
 *
 * Servers count the bytes that they could send: what lies in the buffers of
 * two sockets is in it, so the ceiling here is far above the client's own, and
 * far below what an endless answer comes to until the deadline. */

#include "support_web.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Bytes. Twice as much as the buffers of a connection on this machine. */
#define SENT_MAX (16L * 1024 * 1024)

#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"

/* Good for a minute of sending at most. */
static apr_status_t get_for_long(scene_t *scene, const web_server_t *server)
{
    const orp_http_request_t request = {
        server->url, NULL, NULL, apr_time_now() + apr_time_from_sec(60)
    };
    const orp_http_curl_t settings = web_settings(scene, "127.0.0.1");
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_http_response_t *response;
    const orp_http_client_t *client;

    scene->env.now = web_time;
    client = orp_http_curl_create(&settings, &scene->env, scene->pool);
    return client->exchange(&response, client, &request, why, scene->pool);
}

/* An answer without end is broken off at once, mostly as one that is too
 * large; libcurl has limits of its own. */
static void assert_broken_off(scene_t *scene, web_behave_fn *behave,
                              const char *text, const char *what)
{
    web_server_t *server = web_server(scene, behave, text);
    apr_time_t begin = apr_time_now();
    apr_status_t status = get_for_long(scene, server);

    if ((status != ORP_ETOOBIG && status != ORP_EFETCH)
        || *server->sent > SENT_MAX
        || apr_time_now() - begin > apr_time_from_sec(20)) {
        fail_msg("%s: %s after %ld bytes", what, orp_status_code(status),
                 *server->sent);
    }
}

/* The text once, and then a piece of 64K without end. */
static void goes_on(int fd, const char *text)
{
    static char piece[65536];

    memset(piece, 'a', sizeof(piece));
    web_answers(fd, text);
    for (;;) {
        web_send(fd, piece, sizeof(piece));
    }
}

/* A good answer with small chunks for ever. */
static void sends_small_chunks(int fd, const char *text)
{
    static char piece[6 * 8192 + 1];
    int i;

    for (i = 0; i < 8192; i++) {
        memcpy(piece + 6 * i, "1\r\na\r\n", 6);
    }
    web_answers(fd, text);
    for (;;) {
        web_send(fd, piece, sizeof(piece) - 1);
    }
}

/* Interim responses for ever. */
static void never_begins(int fd, const char *text)
{
    for (;;) {
        web_answers(fd, text);
    }
}

static void an_endless_answer_is_broken_off(void **state)
{
    scene_t *scene = *state;

    assert_broken_off(scene, goes_on, WEB_OK "\r\n", "body");
    assert_broken_off(scene, goes_on, WEB_OK "Content-Length: 871366656\r\n"
                      "\r\n", "a body of 831 MB");
    assert_broken_off(scene, goes_on, WEB_OK CHUNKED "FFFFFFFF\r\n",
                      "one chunk");
    assert_broken_off(scene, sends_small_chunks, WEB_OK CHUNKED,
                      "small chunks");
    assert_broken_off(scene, goes_on, WEB_OK CHUNKED "1;", "the extension of "
                      "a chunk");
    assert_broken_off(scene, goes_on, WEB_OK CHUNKED "1\r\na\r\n0\r\nX: ",
                      "a line behind the last chunk");
}

static void so_are_endless_headers(void **state)
{
    scene_t *scene = *state;
    const char *line = apr_pstrcat(scene->pool, "X-Header: ",
                                   repeated("x", 900, scene->pool), "\r\n",
                                   NULL);

    assert_broken_off(scene, web_repeats, line, "lines");
    assert_broken_off(scene, web_repeats, "a:\r\n", "short lines");
    assert_broken_off(scene, web_repeats, " \r\n", "lines that go on");
    assert_broken_off(scene, goes_on, WEB_OK "X-Header: ", "one line");
    assert_broken_off(scene, goes_on, WEB_OK, "a name");
    assert_broken_off(scene, goes_on, "HTTP/1.1 200 ", "the status line");
    assert_broken_off(scene, never_begins, "HTTP/1.1 100 Continue\r\n\r\n",
                      "interim answers");
    assert_broken_off(scene, never_begins, "HTTP/1.1 103 Early Hints\r\n"
                      "Link: </a>\r\n\r\n", "early hints");
}

/* The control of all these: as much as that, and an end. */
static void an_answer_with_an_end_is_read(void **state)
{
    scene_t *scene = *state;
    orp_http_response_t *response;

    assert_status(web_get(&response, scene, web_server(
        scene, web_answers, apr_pstrcat(
            scene->pool, "HTTP/1.1 100 Continue\r\n\r\n" WEB_OK,
            repeated("a:\r\n", 8000, scene->pool), CHUNKED,
            repeated("1;x=y\r\na\r\n", 20000, scene->pool),
            "0\r\nX: y\r\n\r\n", NULL))->url), APR_SUCCESS);
    assert_int_equal(response->size, 20000);
}

/* ---------------------------------------------------------------------- */
/* Compression */

/* 8 MB of zeros as gzip has them are 8 KB: a bomb needs no more than that. */
static unsigned char *bomb(apr_size_t *psize, apr_pool_t *pool)
{
    FILE *in = popen("head -c 8388608 /dev/zero | gzip -9", "r");
    unsigned char *bytes = apr_palloc(pool, 65536);

    assert_non_null(in);
    *psize = fread(bytes, 1, 65536, in);
    assert_int_equal(pclose(in), 0);
    assert_true(*psize > 1000 && *psize < 65536);
    return bytes;
}

static unsigned char *bomb_bytes;
static apr_size_t bomb_size;

static void explodes(int fd, const char *text)
{
    web_answers(fd, text);
    web_send(fd, (const char *)bomb_bytes, bomb_size);
}

static apr_status_t get_bomb(scene_t *scene, const char *headers,
                             orp_http_response_t **presp)
{
    return web_get(presp, scene, web_server(scene, explodes, apr_pstrcat(
        scene->pool, WEB_OK, headers, "Connection: close\r\n\r\n",
        NULL))->url);
}

static void nothing_explodes(void **state)
{
    static const char *const encodings[] = {
        "gzip", "x-gzip", "deflate", "br", "zstd", "identity", "gzip, gzip",
        "unheard-of",
    };
    scene_t *scene = *state;
    orp_http_response_t *response;
    size_t i;

    bomb_bytes = bomb(&bomb_size, scene->pool);
    /* not asked for, not unpacked: it is what it is, and no document */
    for (i = 0; i < COUNT(encodings); i++) {
        assert_status(get_bomb(scene, apr_pstrcat(
            scene->pool, "Content-Encoding: ", encodings[i], "\r\n", NULL),
            &response), APR_SUCCESS);
        assert_int_equal(response->size, bomb_size);
        assert_memory_equal(response->body, bomb_bytes, bomb_size);
    }
    /* libcurl unpacks this without being asked: the ceiling holds for what
     * comes out */
    assert_int_not_equal(get_bomb(scene, "Transfer-Encoding: gzip\r\n",
                                  &response), APR_SUCCESS);
    assert_int_not_equal(get_bomb(scene, "Transfer-Encoding: gzip, gzip\r\n",
                                  &response), APR_SUCCESS);
}

/* ---------------------------------------------------------------------- */
/* Lies about the length, and about what it is */

static void a_length_that_is_a_lie_is_no_success(void **state)
{
    static const char *const texts[] = {
        "Content-Length: 10\r\n\r\nabc",
        "Content-Length: -1\r\n\r\nabc",
        "Content-Length: -99999999999999999999999\r\n\r\nabc",
        "Content-Length: 0x3\r\n\r\nabc",
        CHUNKED "-1\r\nabc\r\n0\r\n\r\n",
        CHUNKED "FFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n",
        CHUNKED "10000000000000003\r\nabc\r\n0\r\n\r\n",
        CHUNKED "3\r\nabcdef\r\n0\r\n\r\n",
        CHUNKED "3\r\nabc",
        CHUNKED "\r\n\r\n",
    };
    scene_t *scene = *state;
    orp_http_response_t *response;
    size_t i;

    for (i = 0; i < COUNT(texts); i++) {
        const char *text = apr_pstrcat(scene->pool, WEB_OK, texts[i], NULL);
        apr_status_t status = web_get(&response, scene, web_server(
            scene, web_answers, text)->url);

        if (status == APR_SUCCESS && !strcmp(response->body, "abc")) {
            fail_msg("believed: %s", text);
        }
    }
}

static void what_is_behind_the_end_is_not_read(void **state)
{
    scene_t *scene = *state;
    orp_http_response_t *response;

    assert_status(web_get(&response, scene, web_server(
        scene, web_answers, WEB_OK "Content-Length: 3\r\n\r\nabcdef")->url),
        APR_SUCCESS);
    assert_text(response->body, "abc");
    assert_status(web_get(&response, scene, web_server(
        scene, web_answers, WEB_OK CHUNKED "3\r\nabc\r\n0\r\n\r\ndef")->url),
        APR_SUCCESS);
    assert_text(response->body, "abc");
    assert_status(web_get(&response, scene, web_server(
        scene, never_begins, WEB_OK "Content-Length: 3\r\n\r\nabc")->url),
        APR_SUCCESS);
    assert_text(response->body, "abc");
}

static void what_is_not_http_is_no_answer(void **state)
{
    static const char *const texts[] = {
        "<html><link rel=openid2.provider href=http://a/>\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2p1\r\n\r\n", "220 mail.example ESMTP\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\nabc", "HTTP/1.1 OK\r\n\r\nabc",
        "HTTP/1.1 2000 OK\r\n\r\nabc", "HTTP/1.1 -20 OK\r\n\r\nabc",
        "HTTP/1.1 099 OK\r\n\r\nabc", "ICY 200 OK\r\n\r\nabc",
        "RTSP/1.0 200 OK\r\n\r\nabc", "\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabc",
        "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\n\r\nabc",
    };
    scene_t *scene = *state;
    orp_http_response_t *response;
    size_t i;

    for (i = 0; i < COUNT(texts); i++) {
        apr_status_t status = web_get(&response, scene, web_server(
            scene, web_answers, texts[i])->url);

        /* 101 is one, which discovery does not take */
        if (status == APR_SUCCESS && response->status != 101) {
            fail_msg("an answer: %s", texts[i]);
        }
    }
}

static void has_a_nul_in_its_headers(int fd, const char *text)
{
    static const char nul[] = "X-XRDS-Location: http://a.example/\0.evil\r\n";

    web_answers(fd, WEB_OK);
    web_send(fd, nul, sizeof(nul) - 1);
    web_answers(fd, text);
}

static void a_header_with_a_nul_is_no_header(void **state)
{
    scene_t *scene = *state;
    orp_http_response_t *response;

    assert_status(web_get(&response, scene, web_server(
        scene, has_a_nul_in_its_headers, "\r\nabc")->url), ORP_EFETCH);
}

/* ---------------------------------------------------------------------- */
/* Time */

static void drips_lines(int fd, const char *text)
{
    web_answers(fd, text);
    for (;;) {
        web_answers(fd, "a: b\r\n");
        usleep(20000);
    }
}

static void drips_interim_answers(int fd, const char *text)
{
    for (;;) {
        web_answers(fd, text);
        usleep(20000);
    }
}

static void the_deadline_is_that_of_the_last_byte(void **state)
{
    scene_t *scene = *state;
    const web_server_t *silent = web_server(scene, web_is_silent, "");
    orp_http_response_t *response;

    assert_status(web_status_of(scene, drips_lines, WEB_OK), ORP_ETIMEOUT);
    assert_status(web_status_of(scene, drips_interim_answers,
                                "HTTP/1.1 102 Processing\r\n\r\n"),
                  ORP_ETIMEOUT);
    assert_status(web_status_of(scene, web_drips,
                                "HTTP/1.1 200 "), ORP_ETIMEOUT);
    assert_status(web_status_of(scene, web_drips, WEB_OK CHUNKED "1;"),
                  ORP_ETIMEOUT);
    /* the handshake of TLS never ends */
    assert_status(web_get(&response, scene, apr_psprintf(
        scene->pool, "https://127.0.0.1:%d/", silent->port)), ORP_ETIMEOUT);
}

/* ---------------------------------------------------------------------- */
/* One request, whatever the URL says */

static void a_url_is_one_line(void **state)
{
    static const char *const paths[] = {
        "%0d%0aX-Evil:%20y", "a%0D%0A%0D%0AGET%20/evil%20HTTP/1.1",
        "?%0d%0aX-Evil:y", "?a=%0a%0aX-Evil:y", "%00X-Evil", "%E2%80%A8X-Evil",
        "\xE2\x80\xA8X-Evil:y", "\xC4\x8D\xC4\x8AX-Evil:y",
        "\xC2\x85X-Evil:y", "#%0d%0aX-Evil:y",
    };
    scene_t *scene = *state;
    web_server_t *server = web_server(scene, web_answers, WEB_OK "\r\n");
    orp_http_curl_t settings = web_settings(scene, "127.0.0.1");
    orp_http_response_t *response;
    size_t i;

    settings.timeout = web_patience();
    scene->env.now = web_time;
    scene->env.http = orp_http_curl_create(&settings, &scene->env,
                                           scene->pool);
    for (i = 0; i < COUNT(paths); i++) {
        const char *text;

        assert_status(orp_http_get(&response, &scene->env, apr_pstrcat(
            scene->pool, server->url, paths[i], NULL), "*/*", NULL,
            scene->pool), APR_SUCCESS);
        text = web_request(scene, server);
        assert_non_null(text);
        assert_null(strstr(text, "\nX-Evil"));
        assert_ptr_equal(strstr(text, "\r\n\r\n") + 4, text + strlen(text));
        assert_null(strchr(text, '#'));
        assert_null(web_request(scene, server));
    }
}

static void a_url_with_control_characters_is_not_asked(void **state)
{
    static const char *const tails[] = {
        "\r\nX-Evil: y", "\nX-Evil: y", "\rX-Evil: y", " HTTP/1.1", "\t",
        "\x7F", "\x01", "?a b", "?\r\n", "#\r\n", "\xFF",
    };
    scene_t *scene = *state;
    web_server_t *server = web_server(scene, web_answers, WEB_OK "\r\n");
    orp_http_curl_t settings = web_settings(scene, "127.0.0.1");
    orp_http_response_t *response;
    size_t i;

    scene->env.now = web_time;
    scene->env.http = orp_http_curl_create(&settings, &scene->env,
                                           scene->pool);
    for (i = 0; i < COUNT(tails); i++) {
        assert_status(orp_http_get(&response, &scene->env, apr_pstrcat(
            scene->pool, server->url, tails[i], NULL), "*/*", NULL,
            scene->pool), ORP_EURL);
    }
    assert_null(web_request(scene, server));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(an_endless_answer_is_broken_off),
        scene_test(so_are_endless_headers),
        scene_test(an_answer_with_an_end_is_read),
        scene_test(nothing_explodes),
        scene_test(a_length_that_is_a_lie_is_no_success),
        scene_test(what_is_behind_the_end_is_not_read),
        scene_test(what_is_not_http_is_no_answer),
        scene_test(a_header_with_a_nul_is_no_header),
        scene_test(the_deadline_is_that_of_the_last_byte),
        scene_test(a_url_is_one_line),
        scene_test(a_url_with_control_characters_is_not_asked),
    };

    apr_initialize();
    if (orp_http_curl_init() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests_name("fetch_limits", tests, NULL, NULL);
}
