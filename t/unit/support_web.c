/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "support_web.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "orp_address.h"

/* The first byte of what a client of TLS says. */
#define TLS_HANDSHAKE 22

/* ---------------------------------------------------------------------- */
/* The server's side. In the child nothing may return early or assert. */

static volatile long *bytes_sent;

void web_send(int fd, const char *text, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);

        if (sent <= 0) {
            _exit(0);
        }
        text += sent;
        size -= (size_t)sent;
        *bytes_sent += sent;
    }
}

void web_answers(int fd, const char *text)
{
    web_send(fd, text, strlen(text));
}

void web_repeats(int fd, const char *text)
{
    size_t size = strlen(text);

    web_answers(fd, WEB_OK);
    for (;;) {
        web_send(fd, text, size);
    }
}

void web_drips(int fd, const char *text)
{
    for (;;) {
        web_answers(fd, text);
        web_answers(fd, "x");
        text = "";
        usleep(20000);
    }
}

void web_is_silent(int fd, const char *text)
{
    (void)fd;
    (void)text;
    sleep(5);
}

void web_is_silent_for_long(int fd, const char *text)
{
    (void)fd;
    (void)text;
    sleep(60);
}

/* Read a request with its body. */
static size_t read_request(int fd, char *buf, size_t room)
{
    size_t size = 0, wanted = 0;

    while (size < room) {
        ssize_t got = recv(fd, buf + size, room - size, 0);
        const char *end, *length;

        if (got <= 0) {
            break;
        }
        size += (size_t)got;
        buf[size] = '\0';
        end = strstr(buf, "\r\n\r\n");
        if (end && !wanted) {
            length = strstr(buf, "Content-Length: ");
            wanted = (size_t)(end + 4 - buf)
                + (length ? (size_t)strtol(length + 16, NULL, 10) : 0);
        }
        if ((wanted && size >= wanted) || buf[0] == TLS_HANDSHAKE) {
            break;
        }
    }
    return size;
}

static void serve(int listener, int pipe_fd, web_behave_fn *behave,
                  const char *text)
{
    static char buf[65536];

    for (;;) {
        int fd = accept(listener, NULL, NULL);
        size_t size;

        if (fd < 0) {
            _exit(0);
        }
        size = read_request(fd, buf, sizeof(buf) - 1);
        /* a connection is seen, also where it says nothing */
        if (write(pipe_fd, size ? buf : "", size ? size : 1) < 0) {
            _exit(0);
        }
        if (size) {
            behave(fd, text);
        }
        shutdown(fd, SHUT_WR);
        close(fd);
    }
}

/* ---------------------------------------------------------------------- */
/* The test's side */

static apr_status_t stop(void *baton)
{
    web_server_t *server = baton;

    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    close(server->requests);
    munmap((void *)server->sent, sizeof(*server->sent));
    return APR_SUCCESS;
}

static socklen_t read_address(struct sockaddr_storage *storage,
                              const char *text, int port)
{
    struct sockaddr_in *four = (struct sockaddr_in *)storage;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)storage;

    memset(storage, 0, sizeof(*storage));
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((unsigned short)port);
        return sizeof(*four);
    }
    assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons((unsigned short)port);
    return sizeof(*six);
}

int web_listen(const char *address, int *pport)
{
    struct sockaddr_storage storage;
    socklen_t size = read_address(&storage, address, *pport);
    int fd = socket(storage.ss_family, SOCK_STREAM, 0);

    if (fd < 0) {
        return -1;
    }
    if (bind(fd, (struct sockaddr *)&storage, size) || listen(fd, 8)) {
        close(fd);
        return -1;
    }
    assert_int_equal(getsockname(fd, (struct sockaddr *)&storage, &size), 0);
    /* both families have it at the same place */
    *pport = ntohs(((struct sockaddr_in *)&storage)->sin_port);
    return fd;
}

web_server_t *web_server_at(scene_t *scene, const char *address, int port,
                            web_behave_fn *behave, const char *text)
{
    web_server_t *server = apr_pcalloc(scene->pool, sizeof(*server));
    int listener = web_listen(address, &port);
    int fds[2];

    if (listener < 0) {
        return NULL;
    }
    server->port = port;
    server->sent = mmap(NULL, sizeof(*server->sent), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true((void *)server->sent != MAP_FAILED);
    assert_int_equal(pipe(fds), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        close(fds[0]);
        bytes_sent = server->sent;
        serve(listener, fds[1], behave, text);
    }
    close(listener);
    close(fds[1]);
    server->requests = fds[0];
    server->url = apr_psprintf(scene->pool, strchr(address, ':')
                               ? "http://[%s]:%d/" : "http://%s:%d/",
                               address, port);
    apr_pool_cleanup_register(scene->pool, server, stop,
                              apr_pool_cleanup_null);
    return server;
}

web_server_t *web_server(scene_t *scene, web_behave_fn *behave,
                         const char *text)
{
    web_server_t *server = web_server_at(scene, "127.0.0.1", 0, behave,
                                         text);

    assert_non_null(server);
    return server;
}

const char *web_request(scene_t *scene, const web_server_t *server)
{
    struct pollfd wait = { server->requests, POLLIN, 0 };
    char *text = apr_palloc(scene->pool, 65536);
    ssize_t size;

    if (poll(&wait, 1, 50) <= 0) {
        return NULL;
    }
    size = read(server->requests, text, 65535);
    assert_true(size >= 0);
    text[size] = '\0';
    return text;
}

apr_interval_time_t web_patience(void)
{
    return apr_time_from_msec(getenv("ORP_VALGRIND") ? 4000 : 400);
}

apr_time_t web_time(void *baton)
{
    (void)baton;
    return apr_time_now();
}

orp_http_curl_t web_settings(scene_t *scene, const char *ranges)
{
    orp_http_curl_t settings = orp_http_curl_defaults;
    apr_array_header_t *allow = apr_array_make(scene->pool, 2,
                                               sizeof(orp_cidr_t));
    char *list = apr_pstrdup(scene->pool, ranges), *last, *range;

    for (range = apr_strtok(list, " ", &last); range;
         range = apr_strtok(NULL, " ", &last)) {
        assert_status(orp_cidr_parse(apr_array_push(allow), range,
                                     scene->pool), APR_SUCCESS);
    }
    settings.allow = allow;
    return settings;
}

apr_status_t web_exchange(orp_http_response_t **presp, scene_t *scene,
                          const orp_http_curl_t *settings,
                          const orp_http_request_t *wanted)
{
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_http_request_t request = *wanted;
    apr_time_t begin = apr_time_now();
    const orp_http_client_t *client;
    apr_status_t status;

    scene->env.now = web_time;
    client = orp_http_curl_create(settings, &scene->env, scene->pool);
    if (!request.deadline) {
        request.deadline = begin + web_patience();
    }
    *presp = NULL;
    status = client->exchange(presp, client, &request, why, scene->pool);
    assert_status(why->status, status);
    if (status != APR_SUCCESS) {
        assert_null(*presp);
        assert_true(*why->sentence);
        assert_text(why->subject, request.url);
    }
    assert_true(apr_time_now() - begin < web_patience() * 4);
    return status;
}

apr_status_t web_get(orp_http_response_t **presp, scene_t *scene,
                     const char *url)
{
    const orp_http_request_t request = { url, "text/html", NULL, 0 };
    const orp_http_curl_t settings = web_settings(scene, "127.0.0.1");

    return web_exchange(presp, scene, &settings, &request);
}

apr_status_t web_status_of(scene_t *scene, web_behave_fn *behave,
                           const char *text)
{
    orp_http_response_t *response;

    return web_get(&response, scene, web_server(scene, behave, text)->url);
}
