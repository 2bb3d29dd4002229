/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_fetch_guard.c - what strangers can make the client contact.
 *
 * Names are resolved by this program: the getaddrinfo() below stands before
 * the C library's, for libcurl too. The stand-in for the public network is
 * 127.0.0.2, which is allowed here; the inner network is 127.0.0.1 and ::1,
 * where a server listens to which nobody may come. */

#include "support_web.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "orp_associate.h"
#include "orp_checkauth.h"
#include "orp_discover.h"

#define PUBLIC "127.0.0.2"
#define XRDS_TYPE "application/xrds+xml"

/* ---------------------------------------------------------------------- */
/* The resolver */

/* A name, and what one lookup after the other says: addresses separated by
 * spaces. The last answer stays. */
typedef struct {
    const char *name;
    const char *answers[3];
    unsigned delay;             /* microseconds */
} known_t;

static const known_t *known;
static size_t known_count;
static volatile int lookups;

typedef int getaddrinfo_fn(const char *node, const char *service,
                           const struct addrinfo *hints,
                           struct addrinfo **presult);

static int resolve(const char *addresses, const char *service,
                   const struct addrinfo *hints, struct addrinfo **presult)
{
    getaddrinfo_fn *real = (getaddrinfo_fn *)dlsym(RTLD_NEXT, "getaddrinfo");
    struct addrinfo numeric = *hints, **pend = presult;
    char one[64];

    numeric.ai_flags |= AI_NUMERICHOST;
    *presult = NULL;
    while (*(addresses += strspn(addresses, " "))) {
        size_t size = strcspn(addresses, " ");

        apr_cpystrn(one, addresses, size + 1);
        addresses += size;
        /* what is not of the wanted family is left out */
        if (!real(one, service, &numeric, pend)) {
            pend = &(*pend)->ai_next;
        }
    }
    return *presult ? 0 : EAI_NONAME;
}

__attribute__((visibility("default")))
int getaddrinfo(const char *node, const char *service,
                const struct addrinfo *hints, struct addrinfo **presult)
{
    getaddrinfo_fn *real = (getaddrinfo_fn *)dlsym(RTLD_NEXT, "getaddrinfo");
    size_t i;

    for (i = 0; node && i < known_count; i++) {
        if (!strcmp(known[i].name, node)) {
            int turn = lookups++;

            while (turn && (turn > 2 || !known[i].answers[turn])) {
                turn--;
            }
            usleep(known[i].delay);
            return resolve(known[i].answers[turn], service, hints, presult);
        }
    }
    return real(node, service, hints, presult);
}

static void names_are(const known_t *names, size_t count)
{
    known = names;
    known_count = count;
    lookups = 0;
}

/* ---------------------------------------------------------------------- */
/* The two networks */

typedef struct {
    web_server_t *inner4;
    web_server_t *inner6;       /* NULL where there is no IPv6 */
    int port;                   /* of both */
} canary_t;

/* Can somebody listen there? Not where a connection has ended in the last
 * minute: its port is kept, at its own address and no other. */
static int is_free(const char *address, int port)
{
    int fd = web_listen(address, &port);

    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

/* Its port is free at PUBLIC too, for a server that a test puts there. */
static canary_t canary(scene_t *scene)
{
    int has_ipv6 = is_free("::1", 0), tries = 50;
    canary_t c;

    do {
        assert_true(tries-- > 0);
        c.inner4 = web_server(scene, web_answers, WEB_OK "\r\ninner");
        c.port = c.inner4->port;
    } while (!is_free(PUBLIC, c.port)
             || (has_ipv6 && !is_free("::1", c.port)));
    c.inner6 = web_server_at(scene, "::1", c.port, web_answers,
                             WEB_OK "\r\ninner");
    assert_true(c.inner6 || !has_ipv6);
    return c;
}

static void assert_untouched(scene_t *scene, const canary_t *c)
{
    assert_null(web_request(scene, c->inner4));
    if (c->inner6) {
        assert_null(web_request(scene, c->inner6));
    }
}

/* The world with a client for which these ranges are open. libcurl takes its
 * time between several addresses of one name. */
static const orp_env_t *world(scene_t *scene, const char *ranges)
{
    orp_http_curl_t settings = web_settings(scene, ranges);

    settings.timeout = web_patience() * 10;
    scene->env.now = web_time;
    scene->env.http = orp_http_curl_create(&settings, &scene->env,
                                           scene->pool);
    return &scene->env;
}

static apr_status_t get(scene_t *scene, const char *ranges, const char *url,
                        const char **pbody)
{
    orp_http_response_t *response;
    orp_reason_t *why = orp_reason_create(scene->pool);
    apr_status_t status = orp_http_get(&response, world(scene, ranges), url,
                                       "*/*", why, scene->pool);

    assert_status(why->status, status);
    if (pbody) {
        *pbody = status == APR_SUCCESS ? response->body : NULL;
    }
    return status;
}

static const char *at(scene_t *scene, const char *host, int port)
{
    return apr_psprintf(scene->pool, "http://%s:%d/", host, port);
}

/* A server on the public side, with the port of the inner one or another. */
static web_server_t *public_server(scene_t *scene, int port,
                                   const char *response)
{
    web_server_t *server = web_server_at(scene, PUBLIC, port, web_answers,
                                         response);

    assert_non_null(server);
    return server;
}

/* ---------------------------------------------------------------------- */
/* Every way to write an inner address */

/* What each must come to: ORP_EADDRESS, or no web address at all. Some names
 * depend on the machine's resolver: with 0, any failure will do. */
static const struct {
    const char *host;
    apr_status_t status;
} inner[] = {
    { "127.0.0.1", ORP_EADDRESS }, { "127.1", ORP_EADDRESS },
    { "127.0.1", ORP_EADDRESS }, { "2130706433", ORP_EADDRESS },
    { "0x7f000001", ORP_EADDRESS }, { "0X7F.1", ORP_EADDRESS },
    { "0177.0.0.1", ORP_EADDRESS }, { "017700000001", ORP_EADDRESS },
    { "0x7f.0.0x0.01", ORP_EADDRESS }, { "127.255.255.254", ORP_EADDRESS },
    { "127.0.0.1.", ORP_EADDRESS }, { "2130706433.", ORP_EADDRESS },
    { "localhost", ORP_EADDRESS }, { "localhost.", ORP_EADDRESS },
    { "LocalHost", ORP_EADDRESS }, { "a.localhost", ORP_EADDRESS },
    { "a.localhost.", ORP_EADDRESS },
    { "0.0.0.0", ORP_EADDRESS }, { "0", ORP_EADDRESS },
    { "0x0", ORP_EADDRESS }, { "0.1", ORP_EADDRESS },
    { "[::1]", ORP_EADDRESS }, { "[0:0:0:0:0:0:0:1]", ORP_EADDRESS },
    { "[::]", ORP_EADDRESS }, { "[::127.0.0.1]", ORP_EADDRESS },
    { "[::ffff:127.0.0.1]", ORP_EADDRESS },
    { "[::FFFF:7f00:1]", ORP_EADDRESS },
    { "[64:ff9b::7f00:1]", ORP_EADDRESS },
    { "[64:ff9b::127.0.0.1]", ORP_EADDRESS },
    { "[64:ff9b:1::7f00:1]", ORP_EADDRESS },
    { "[2002:7f00:1::1]", ORP_EADDRESS },
    { "[2001:0:7f00:1::1]", ORP_EADDRESS },
    { "[fe80::1]", ORP_EADDRESS }, { "[fec0::1]", ORP_EADDRESS },
    { "[fc00::1]", ORP_EADDRESS }, { "[ff02::1]", ORP_EADDRESS },
    { "10.0.0.1", ORP_EADDRESS }, { "172.16.0.1", ORP_EADDRESS },
    { "192.168.0.1", ORP_EADDRESS }, { "100.64.0.1", ORP_EADDRESS },
    { "169.254.169.254", ORP_EADDRESS }, { "0xa9fea9fe", ORP_EADDRESS },
    { "224.0.0.1", ORP_EADDRESS }, { "255.255.255.255", ORP_EADDRESS },
    /* IDNA: other digits and dots are these */
    { "127\xE3\x80\x82" "0\xE3\x80\x82" "0\xE3\x80\x82" "1", 0 },
    { "\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x97.0.0.1", 0 },
    { "127\xEF\xBC\x8E" "0\xEF\xBC\x8E" "0\xEF\xBC\x8E" "1", 0 },
    { "\xE2\x91\xA0\xE2\x91\xA1\xE2\x91\xA6.0.0.1", 0 },
    { "\xE2\x93\x81ocalhost", 0 }, { "localhos\xC5\xA3", 0 },
    /* no host at all */
    { "127.0.0.1%00.a.example", ORP_EURL }, { "127%2E0.0.1", ORP_EURL },
    { "%31%32%37.0.0.1", ORP_EURL }, { "[::1%25lo]", ORP_EURL },
    { "[::1%lo]", ORP_EURL }, { "[fe80::1%25eth0]", ORP_EURL },
    { "[127.0.0.1]", ORP_EURL }, { "[::1", ORP_EURL },
    { "a.example@127.0.0.1", ORP_EURL },
    { "a.example:80@127.0.0.1", ORP_EURL },
    { "127.0.0.1\\@a.example", ORP_EURL },
    { "a.example\\@127.0.0.1", ORP_EURL },
    { "127.0.0.1 a.example", ORP_EURL }, { "127.0.0.1\ta.example", ORP_EURL },
    { "127.0.0.1\r\nHost: a", ORP_EURL }, { "127..1", ORP_EURL },
};

static int as_expected(apr_status_t status, apr_status_t expected)
{
    return expected ? status == expected : status != APR_SUCCESS;
}

static void no_form_of_an_inner_address_is_asked(void **state)
{
    scene_t *scene = *state;
    canary_t c = canary(scene);
    const char *body;
    size_t i;

    for (i = 0; i < COUNT(inner); i++) {
        const char *url = at(scene, inner[i].host, c.port);
        orp_http_response_t *response;
        apr_status_t status = get(scene, "", url, NULL);

        if (!as_expected(status, inner[i].status)) {
            fail_msg("%s: %s", url, orp_status_code(status));
        }
        status = orp_http_post(&response, world(scene, ""), url,
                               params_of(scene->pool, "a", "b", NULL), NULL,
                               scene->pool);
        if (!as_expected(status, inner[i].status)) {
            fail_msg("POST %s: %s", url, orp_status_code(status));
        }
    }
    assert_untouched(scene, &c);
    assert_status(get(scene, "127.0.0.1", c.inner4->url, &body), APR_SUCCESS);
    assert_text(body, "inner");
    assert_non_null(web_request(scene, c.inner4));
    assert_status(get(scene, "127.0.0.1", at(scene, "0x7f.1", c.port), &body),
                  APR_SUCCESS);
    if (c.inner6) {
        assert_status(get(scene, "::1", c.inner6->url, &body), APR_SUCCESS);
        assert_status(get(scene, "127.0.0.1", c.inner6->url, &body),
                      ORP_EADDRESS);
    }
}

/* Where a name is the local machine's, either family may be allowed. */
static void localhost_is_what_is_allowed_of_it(void **state)
{
    static const char *const names[] = {
        "localhost", "LOCALHOST", "a.localhost",
    };
    scene_t *scene = *state;
    canary_t c = canary(scene);
    size_t i;

    for (i = 0; i < COUNT(names); i++) {
        const char *url = at(scene, names[i], c.port);

        assert_status(get(scene, "127.0.0.0/8 ::1", url, NULL), APR_SUCCESS);
        assert_status(get(scene, "127.0.0.0/8", url, NULL), APR_SUCCESS);
        assert_status(get(scene, "127.0.0.2 ::2", url, NULL), ORP_EADDRESS);
    }
}

static void no_port_opens_an_inner_address(void **state)
{
    static const char *const urls[] = {
        "http://127.0.0.1/", "https://127.0.0.1/", "http://127.0.0.1:22/",
        "http://127.0.0.1:65535/", "https://[::1]:6379/",
    };
    static const char *const none[] = {
        "http://127.0.0.1:0/", "http://127.0.0.1:65536/",
        "http://127.0.0.1:4294967376/", "http://127.0.0.1:-1/",
        "http://127.0.0.1:+80/", "http://127.0.0.1: 80/",
        "http://127.0.0.1:80:80/", "http://127.0.0.1:0x50/",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(urls); i++) {
        assert_status(get(scene, "", urls[i], NULL), ORP_EADDRESS);
    }
    for (i = 0; i < COUNT(none); i++) {
        assert_status(get(scene, "127.0.0.1", none[i], NULL), ORP_EURL);
    }
}

/* ---------------------------------------------------------------------- */
/* ... on every hop */

static void no_redirect_leads_to_one(void **state)
{
    scene_t *scene = *state;
    canary_t c = canary(scene);
    const char *body;
    size_t i;

    for (i = 0; i < COUNT(inner); i++) {
        const char *to = at(scene, inner[i].host, c.port);
        apr_status_t status;

        if (strpbrk(to, "\r\n")) {
            continue;           /* no header can say it */
        }
        status = get(scene, PUBLIC, public_server(scene, 0, apr_pstrcat(
            scene->pool, "HTTP/1.1 302 Found\r\nLocation: ", to,
            "\r\n\r\n", NULL))->url, NULL);
        if (!as_expected(status, inner[i].status == ORP_EURL ? ORP_EREDIRECT
                         : inner[i].status)) {
            fail_msg("%s: %s", to, orp_status_code(status));
        }
    }
    assert_untouched(scene, &c);
    assert_status(get(scene, "127.0.0.0/8", public_server(
        scene, 0, apr_pstrcat(scene->pool, "HTTP/1.1 302 Found\r\nLocation: ",
                              c.inner4->url, "\r\n\r\n", NULL))->url, &body),
        APR_SUCCESS);
    assert_text(body, "inner");
}

/* The last hop of a chain counts as much as the first. */
static void nor_does_a_chain_of_redirects(void **state)
{
    scene_t *scene = *state;
    canary_t c = canary(scene);
    const char *to = c.inner4->url;
    int hops;

    for (hops = 0; hops < ORP_HTTP_REDIRECTS; hops++) {
        to = public_server(scene, 0, apr_pstrcat(
            scene->pool, "HTTP/1.1 307 Temporary\r\nLocation: ", to,
            "\r\n\r\n", NULL))->url;
    }
    assert_status(get(scene, PUBLIC, to, NULL), ORP_EADDRESS);
    assert_untouched(scene, &c);
    assert_status(get(scene, "127.0.0.0/8", to, NULL), APR_SUCCESS);
}

/* What a page says of itself, in three places: a header, a meta element, and
 * the endpoint of its document.
 * @return what discovery comes to */
static apr_status_t discover(scene_t *scene, const char *ranges,
                             const char *response,
                             orp_discovery_t **pdiscovery)
{
    orp_identifier_t *identifier;
    orp_reason_t *why = orp_reason_create(scene->pool);

    assert_status(orp_identifier_normalize(&identifier, public_server(
        scene, 0, response)->url, why, scene->pool), APR_SUCCESS);
    return orp_discover(pdiscovery, world(scene, ranges), identifier, why,
                        scene->pool);
}

static const char *named_by_header(scene_t *scene, const char *url)
{
    return apr_pstrcat(scene->pool, WEB_OK "X-XRDS-Location: ", url,
                       "\r\nContent-Type: text/html\r\n\r\n<title>x</title>",
                       NULL);
}

static const char *named_by_meta(scene_t *scene, const char *url)
{
    return apr_pstrcat(scene->pool, WEB_OK "Content-Type: text/html\r\n\r\n"
                       "<head><meta http-equiv=\"X-XRDS-Location\" content=\"",
                       url, "\"></head>", NULL);
}

static const char *xrds_with(scene_t *scene, const char *endpoint)
{
    return apr_pstrcat(scene->pool, WEB_OK "Content-Type: " XRDS_TYPE
                       "\r\n\r\n<X:XRDS xmlns:X=\"xri://$xrds\" xmlns=\"xri:"
                       "//$xrd*($v*2.0)\"><XRD><Service><Type>"
                       ORP_TYPE_SIGNON_20 "</Type><URI>", endpoint,
                       "</URI></Service></XRD></X:XRDS>", NULL);
}

static void no_page_names_a_document_at_one(void **state)
{
    scene_t *scene = *state;
    canary_t c = canary(scene);
    orp_discovery_t *discovery;
    size_t i;

    for (i = 0; i < COUNT(inner); i++) {
        const char *url = at(scene, inner[i].host, c.port);

        if (strpbrk(url, "\r\n")) {
            continue;
        }
        assert_status(discover(scene, PUBLIC, named_by_header(scene, url),
                               &discovery), ORP_ENOTOPENID);
        assert_status(discover(scene, PUBLIC, named_by_meta(scene, url),
                               &discovery), ORP_ENOTOPENID);
    }
    assert_untouched(scene, &c);
    assert_true(scene_logged(scene, 101) > 0);
    (void)discover(scene, "127.0.0.0/8", named_by_header(
        scene, c.inner4->url), &discovery);
    assert_non_null(web_request(scene, c.inner4));
    (void)discover(scene, "127.0.0.0/8", named_by_meta(
        scene, c.inner4->url), &discovery);
    assert_non_null(web_request(scene, c.inner4));
}

/* Nobody's browser is sent there either, however logins associate. */
static void no_endpoint_is_at_one(void **state)
{
    scene_t *scene = *state;
    orp_discovery_t *discovery;
    size_t i;

    for (i = 0; i < COUNT(inner); i++) {
        apr_status_t status;

        if (inner[i].status != ORP_EADDRESS) {
            continue;
        }
        status = discover(scene, PUBLIC, xrds_with(
            scene, at(scene, inner[i].host, 8080)), &discovery);
        if (status != ORP_EADDRESS) {
            fail_msg("%s: %s", inner[i].host, orp_status_code(status));
        }
    }
    assert_true(scene_logged(scene, 107) > 0);
    assert_status(discover(scene, "127.0.0.0/8", xrds_with(
        scene, "http://127.0.0.1:8080/"), &discovery), APR_SUCCESS);
    assert_status(discover(scene, PUBLIC, xrds_with(
        scene, "http://op.example/"), &discovery), APR_SUCCESS);
}

/* An endpoint with a name is looked at when it is asked something. */
static void no_endpoint_is_asked_at_one(void **state)
{
    static const known_t names[] = { { "op.test", { "127.0.0.1" }, 0 } };
    scene_t *scene = *state;
    canary_t c = canary(scene);
    orp_associate_t request = {
        at(scene, "op.test", c.port), ORP_VERSION_2, NULL, NULL
    };
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_assoc_t *assoc;

    names_are(names, COUNT(names));
    assert_status(orp_associate(&assoc, world(scene, ""), &request, why,
                                scene->pool), ORP_EADDRESS);
    assert_untouched(scene, &c);
    assert_status(orp_associate(&assoc, world(scene, "127.0.0.1"), &request,
                                why, scene->pool), ORP_EASSOCIATE);
    assert_non_null(web_request(scene, c.inner4));
}

/* ---------------------------------------------------------------------- */
/* Names */

static void a_name_is_what_it_resolves_to(void **state)
{
    static const char *const addresses[] = {
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.31.0.1", "192.168.1.1",
        "100.127.0.1", "169.254.169.254", "192.0.2.1", "198.18.0.1",
        "224.0.0.1", "255.255.255.255", "::1", "::", "::ffff:127.0.0.1",
        "fd00::1", "fe80::1", "64:ff9b::7f00:1", "2002:7f00:1::1",
        "2001:db8::1", "ff02::1",
    };
    scene_t *scene = *state;
    canary_t c = canary(scene);
    const char *url = at(scene, "host.test", c.port);
    size_t i;

    for (i = 0; i < COUNT(addresses); i++) {
        const known_t names[] = { { "host.test", { addresses[i] }, 0 } };
        apr_status_t status;

        names_are(names, 1);
        status = get(scene, "", url, NULL);
        /* without IPv6, there is no such address */
        if (status != ORP_EADDRESS
            && !(status == ORP_ERESOLVE && !c.inner6
                 && strchr(addresses[i], ':'))) {
            fail_msg("%s: %s", addresses[i], orp_status_code(status));
        }
    }
    assert_untouched(scene, &c);
}

static void a_name_that_changes_is_looked_up_once(void **state)
{
    static const known_t names[] = {
        { "host.test", { PUBLIC, "127.0.0.1" }, 0 },
    };
    scene_t *scene = *state;
    canary_t c = canary(scene);
    const char *url = at(scene, "host.test", c.port), *body;

    (void)public_server(scene, c.port, WEB_OK "Connection: keep-alive\r\n"
                        "Content-Length: 6\r\n\r\npublic");
    names_are(names, COUNT(names));
    assert_status(get(scene, PUBLIC, url, &body), APR_SUCCESS);
    assert_text(body, "public");
    assert_int_equal(lookups, 1);
    /* the next exchange is another one: no connection is left from before */
    assert_status(get(scene, PUBLIC, url, &body), ORP_EADDRESS);
    assert_int_equal(lookups, 2);
    assert_untouched(scene, &c);
    assert_status(get(scene, "127.0.0.0/8", url, &body), APR_SUCCESS);
    assert_text(body, "inner");
}

/* The same, where nobody listens at the first address. */
static void a_name_is_not_looked_up_again_when_it_fails(void **state)
{
    static const known_t names[] = {
        { "host.test", { PUBLIC, "127.0.0.1" }, 0 },
    };
    scene_t *scene = *state;
    canary_t c = canary(scene);
    const char *url = at(scene, "host.test", c.port), *body;

    names_are(names, COUNT(names));
    assert_status(get(scene, PUBLIC, url, &body), ORP_ECONNECT);
    assert_int_equal(lookups, 1);
    assert_untouched(scene, &c);
}

/* A page that is honest when it is first asked, and sends the client on to
 * its own name, which means another address by then. */
static void a_name_that_changes_between_hops_is_noticed(void **state)
{
    static const known_t names[] = {
        { "host.test", { PUBLIC, "127.0.0.1" }, 0 },
    };
    scene_t *scene = *state;
    canary_t c = canary(scene);
    const char *url = at(scene, "host.test", c.port);
    orp_discovery_t *discovery;
    orp_identifier_t *identifier;

    (void)public_server(scene, c.port, apr_psprintf(
        scene->pool, "HTTP/1.1 302 Found\r\nLocation: %sinner\r\n\r\n", url));
    names_are(names, COUNT(names));
    assert_status(get(scene, PUBLIC, url, NULL), ORP_EADDRESS);
    assert_int_equal(lookups, 2);
    assert_status(orp_identifier_normalize(&identifier, url, NULL,
                                           scene->pool), APR_SUCCESS);
    names_are(names, COUNT(names));
    assert_status(orp_discover(&discovery, world(scene, PUBLIC), identifier,
                               orp_reason_create(scene->pool), scene->pool),
                  ORP_EADDRESS);
    assert_untouched(scene, &c);
}

static void of_several_addresses_only_the_allowed_are_contacted(void **state)
{
    static const known_t names[] = {
        { "mixed.test", { "127.0.0.1 ::1 10.0.0.1 " PUBLIC " 127.0.0.1" },
          0 },
        { "both.test", { "::1 " PUBLIC }, 0 },
        { "bad.test", { "::1 127.0.0.1 0.0.0.0 ::ffff:127.0.0.1" }, 0 },
    };
    scene_t *scene = *state;
    canary_t c = canary(scene);
    const char *body;

    names_are(names, COUNT(names));
    assert_status(get(scene, PUBLIC, at(scene, "mixed.test", c.port), NULL),
                  ORP_EADDRESS);        /* nobody listens at the good one */
    assert_status(get(scene, PUBLIC, at(scene, "bad.test", c.port), NULL),
                  ORP_EADDRESS);
    (void)public_server(scene, c.port, WEB_OK "\r\npublic");
    assert_status(get(scene, PUBLIC, at(scene, "mixed.test", c.port), &body),
                  APR_SUCCESS);
    assert_text(body, "public");
    assert_status(get(scene, PUBLIC, at(scene, "both.test", c.port), &body),
                  APR_SUCCESS);
    assert_text(body, "public");
    assert_untouched(scene, &c);
}

/* The deadline holds while a name is looked up. */
static void a_slow_resolver_does_not_hold_us(void **state)
{
    static const known_t names[] = {
        { "slow.test", { "127.0.0.1" }, 0 },
    };
    known_t slow = names[0];
    scene_t *scene = *state;
    canary_t c = canary(scene);
    const orp_http_request_t request = {
        at(scene, "slow.test", c.port), NULL, NULL, 0
    };
    const orp_http_curl_t settings = web_settings(scene, "127.0.0.1");
    orp_http_response_t *response;

    slow.delay = (unsigned)web_patience() * 5;
    names_are(&slow, 1);
    assert_status(web_exchange(&response, scene, &settings, &request),
                  ORP_ETIMEOUT);
    /* its thread still reads what the next test changes */
    usleep(slow.delay);
    names_are(names, 1);
    assert_status(web_exchange(&response, scene, &settings, &request),
                  APR_SUCCESS);
}

/* ---------------------------------------------------------------------- */
/* Proxies, and what else is in the environment */

/* A proxy resolves names by itself; an address that stands in the URL is
 * refused before it is asked. */
static void a_proxy_is_not_asked_for_inner_addresses(void **state)
{
    scene_t *scene = *state;
    web_server_t *proxy = web_server(scene, web_answers, WEB_OK "\r\nproxied");
    orp_http_curl_t settings = web_settings(scene, "");
    orp_http_response_t *response;
    size_t i;

    settings.timeout = web_patience();
    settings.proxy = proxy->url;
    scene->env.now = web_time;
    scene->env.http = orp_http_curl_create(&settings, &scene->env,
                                           scene->pool);
    for (i = 0; i < COUNT(inner); i++) {
        if (inner[i].status == ORP_EADDRESS) {
            assert_status(orp_http_get(&response, &scene->env, at(
                scene, inner[i].host, 80), "*/*", NULL, scene->pool),
                ORP_EADDRESS);
        }
    }
    assert_null(web_request(scene, proxy));
    assert_status(orp_http_get(&response, &scene->env, "http://host.test/",
                               "*/*", NULL, scene->pool), APR_SUCCESS);
    assert_text(response->body, "proxied");
    assert_int_equal(strncmp(web_request(scene, proxy),
                             "GET http://host.test/ ", 22), 0);
}

static const char *const variables[] = {
    "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy",
    "ALL_PROXY",
};

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

/* No proxy, no password and no option comes from the user's environment or
 * home; what a server has said before is not repeated. */
static void nothing_is_taken_from_anywhere_else(void **state)
{
    scene_t *scene = *state;
    web_server_t *proxy = web_server(scene, web_answers, WEB_OK "\r\nproxied");
    web_server_t *server = web_server(scene, web_answers, WEB_OK
        "Set-Cookie: a=b; path=/\r\nAlt-Svc: h2=\":1\"\r\n"
        "Strict-Transport-Security: max-age=9999\r\n"
        "WWW-Authenticate: Basic realm=x\r\n\r\ndirect");
    const char *old = apr_pstrdup(scene->pool, getenv("HOME"));
    char home[] = "/tmp/openid2rp-home.XXXXXX";
    const char *netrc, *curlrc, *text, *body;
    size_t i;

    assert_non_null(mkdtemp(home));
    netrc = apr_pstrcat(scene->pool, home, "/.netrc", NULL);
    curlrc = apr_pstrcat(scene->pool, home, "/.curlrc", NULL);
    write_file(netrc, "machine 127.0.0.1 login me password secret\n");
    write_file(curlrc, apr_pstrcat(scene->pool, "proxy ", proxy->url,
                                   "\nuser me:secret\n", NULL));
    setenv("HOME", home, 1);
    for (i = 0; i < COUNT(variables); i++) {
        setenv(variables[i], proxy->url, 1);
    }
    for (i = 0; i < 2; i++) {
        assert_status(get(scene, "127.0.0.1", server->url, &body),
                      APR_SUCCESS);
        assert_text(body, "direct");
        text = web_request(scene, server);
        assert_non_null(text);
        assert_null(strstr(text, "Authorization"));
        assert_null(strstr(text, "Cookie"));
        assert_null(strstr(text, "Upgrade"));
    }
    for (i = 0; i < COUNT(variables); i++) {
        unsetenv(variables[i]);
    }
    if (old) {
        setenv("HOME", old, 1);
    }
    unlink(netrc);
    unlink(curlrc);
    rmdir(home);
    assert_null(web_request(scene, proxy));
}

/* ---------------------------------------------------------------------- */
/* https only */

static void where_tls_is_required_nothing_else_is_used(void **state)
{
    scene_t *scene = *state;
    orp_http_curl_t settings = web_settings(scene, "127.0.0.1");
    web_server_t *server = web_server(scene, web_answers, WEB_OK "\r\n");
    orp_reason_t *why = orp_reason_create(scene->pool);

    settings.require_tls = 1;
    scene->env.http = orp_http_curl_create(&settings, &scene->env,
                                           scene->pool);
    assert_status(orp_http_may_ask(&scene->env, server->url, why,
                                   scene->pool), ORP_ESCHEME);
    assert_status(orp_http_may_ask(&scene->env, "https://127.0.0.1/", why,
                                   scene->pool), APR_SUCCESS);
    assert_status(orp_http_may_ask(&scene->env, "https://127.0.0.2/", why,
                                   scene->pool), ORP_EADDRESS);
    assert_status(orp_http_may_ask(&scene->env, "https://op.example/", why,
                                   scene->pool), APR_SUCCESS);
    assert_null(web_request(scene, server));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(no_form_of_an_inner_address_is_asked),
        scene_test(localhost_is_what_is_allowed_of_it),
        scene_test(no_port_opens_an_inner_address),
        scene_test(no_redirect_leads_to_one),
        scene_test(nor_does_a_chain_of_redirects),
        scene_test(no_page_names_a_document_at_one),
        scene_test(no_endpoint_is_at_one),
        scene_test(no_endpoint_is_asked_at_one),
        scene_test(a_name_is_what_it_resolves_to),
        scene_test(a_name_that_changes_is_looked_up_once),
        scene_test(a_name_is_not_looked_up_again_when_it_fails),
        scene_test(a_name_that_changes_between_hops_is_noticed),
        scene_test(of_several_addresses_only_the_allowed_are_contacted),
        scene_test(a_slow_resolver_does_not_hold_us),
        scene_test(a_proxy_is_not_asked_for_inner_addresses),
        scene_test(nothing_is_taken_from_anywhere_else),
        scene_test(where_tls_is_required_nothing_else_is_used),
    };

    apr_initialize();
    if (orp_http_curl_init() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests_name("fetch_guard", tests, NULL, NULL);
}
