/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* support_web.h - real servers of all sorts, for the client of orp_http_curl.
 *
 * A server is a process of its own on a loopback address. It hands each request
 * to the test through a pipe, answers as it is told, and ends with its scene.
 * Every exchange is done in the time of the world outside, and must not take
 * much longer than its deadline.
 */
#ifndef ORP_TEST_SUPPORT_WEB_H
#define ORP_TEST_SUPPORT_WEB_H

#include <sys/types.h>

#include "support.h"

#include "orp_http_curl.h"

/** What a server does with a connection, after it has read the request. It
 * runs in the server's process: nothing may return early or assert there. */
typedef void web_behave_fn(int fd, const char *text);

typedef struct web_server_t {
    pid_t pid;
    int port;
    int requests;               /* read end of the pipe */
    const char *url;            /* "http://127.0.0.1:PORT/" */
    volatile long *sent;        /* bytes that it could send so far */
} web_server_t;

/** The beginning of a good answer. */
#define WEB_OK "HTTP/1.1 200 OK\r\n"

/** Start one on 127.0.0.1, at a free port. */
web_server_t *web_server(scene_t *scene, web_behave_fn *behave,
                         const char *text);

/** Start one elsewhere. @return NULL where the machine has no such address */
web_server_t *web_server_at(scene_t *scene, const char *address, int port,
                            web_behave_fn *behave, const char *text);

/** What the server was asked, or NULL where nobody came: a request, or "" for
 * a connection that said nothing. */
const char *web_request(scene_t *scene, const web_server_t *server);

/** Listen at an address such as "127.0.0.1" or "::1"; *pport may be 0, and is
 * set. @return -1 where the machine has no such address */
int web_listen(const char *address, int *pport);

/* ---------------------------------------------------------------------- */
/* Behaviour */

void web_send(int fd, const char *text, size_t size);

web_behave_fn web_answers;              /* once */
web_behave_fn web_repeats;              /* good, and the text without end */
web_behave_fn web_drips;                /* the text, and single bytes */
web_behave_fn web_is_silent;            /* for five seconds */
web_behave_fn web_is_silent_for_long;   /* for a minute */

/* ---------------------------------------------------------------------- */
/* The client */

/** How long an exchange may take: longer where everything is slow. */
apr_interval_time_t web_patience(void);

/** The clock of the world outside, for orp_env_t.now. */
apr_time_t web_time(void *baton);

/** Settings with which these ranges may be contacted, separated by spaces. */
orp_http_curl_t web_settings(scene_t *scene, const char *ranges);

/** One exchange. @param wanted  its deadline is set, where that is 0 */
apr_status_t web_exchange(orp_http_response_t **presp, scene_t *scene,
                          const orp_http_curl_t *settings,
                          const orp_http_request_t *wanted);

/** GET, where 127.0.0.1 may be contacted. */
apr_status_t web_get(orp_http_response_t **presp, scene_t *scene,
                     const char *url);

/** What a GET of such a server comes to. */
apr_status_t web_status_of(scene_t *scene, web_behave_fn *behave,
                           const char *text);

#endif
