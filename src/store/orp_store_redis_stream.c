/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_store_redis_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <apr_strings.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/* The longest single wait; who waits longer waits again. */
#define POLL_MAX_MS 60000

struct orp_redis_stream_t {
    int socket;
    orp_redis_tls_t *tls;       /* NULL: none */
};

apr_time_t orp_redis_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_from_sec((apr_time_t)now.tv_sec) + now.tv_nsec / 1000;
}

/* Name what went wrong, and return status. */
static apr_status_t failed(orp_redis_clause_t *clause, const char *what,
                           apr_status_t status)
{
    char buf[120];

    if (APR_STATUS_IS_TIMEUP(status)) {
        apr_cpystrn(buf, "no answer in time", sizeof(buf));
    }
    else if (APR_STATUS_IS_EOF(status)) {
        apr_cpystrn(buf, "the connection was closed", sizeof(buf));
    }
    else {
        apr_strerror(status, buf, sizeof(buf));
    }
    apr_snprintf(clause->text, sizeof(clause->text), "%s: %s", what, buf);
    return status;
}

static apr_status_t tls_failed(orp_redis_clause_t *clause,
                               const orp_redis_tls_t *tls)
{
    apr_snprintf(clause->text, sizeof(clause->text), "TLS: %s",
                 orp_redis_tls_error(tls));
    return ORP_ETLS;
}

/* Wait until events (POLLIN or POLLOUT) can happen, or an error can be had.
 * Looks at least once, also behind the deadline. */
static apr_status_t wait_for(int socket, int events, apr_time_t deadline)
{
    struct pollfd pollfd = { .fd = socket, .events = (short)events };

    for (;;) {
        apr_time_t left = deadline - orp_redis_clock();
        apr_time_t ms = left > 0 ? left / 1000 + 1 : 0;
        int ready = poll(&pollfd, 1,
                         ms < POLL_MAX_MS ? (int)ms : POLL_MAX_MS);

        if (ready > 0) {
            return APR_SUCCESS;
        }
        if (ready < 0 && errno != EINTR) {
            return errno;
        }
        if (left <= 0) {
            return APR_TIMEUP;
        }
    }
}

/* ---------------------------------------------------------------------- */
/* Connecting */

static apr_status_t close_socket(void *baton)
{
    orp_redis_stream_t *stream = baton;

    if (stream->socket >= 0) {
        close(stream->socket);
        stream->socket = -1;
    }
    return APR_SUCCESS;
}

/* Not blocking, and not for programs that httpd starts. */
static int make_socket(int family)
{
    int one = 1;
    int s = socket(family, SOCK_STREAM, 0);
    int flags;

    if (s < 0) {
        return -1;
    }
    flags = fcntl(s, F_GETFL);
    if (flags < 0 || fcntl(s, F_SETFL, flags | O_NONBLOCK) < 0
        || fcntl(s, F_SETFD, FD_CLOEXEC) < 0) {
        int error = errno;

        close(s);
        errno = error;
        return -1;
    }
    if (family != AF_UNIX) {
        /* It only makes things faster. */
        (void)setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    }
    return s;
}

static apr_status_t finish_connect(int s, apr_time_t deadline)
{
    int error = 0;
    socklen_t size = sizeof(error);
    apr_status_t status = wait_for(s, POLLOUT, deadline);

    if (status != APR_SUCCESS) {
        return status;
    }
    return getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &size) < 0
        ? errno : error;
}

static apr_status_t connect_to(orp_redis_stream_t *stream,
                               const struct sockaddr *address,
                               socklen_t size, apr_time_t deadline)
{
    apr_status_t status = APR_SUCCESS;

    stream->socket = make_socket(address->sa_family);
    if (stream->socket < 0) {
        return errno;
    }
    if (connect(stream->socket, address, size) < 0) {
        status = errno;
        if (status == EINPROGRESS || status == EINTR) {
            status = finish_connect(stream->socket, deadline);
        }
    }
    if (status != APR_SUCCESS) {
        close_socket(stream);
    }
    return status;
}

static apr_status_t connect_path(orp_redis_stream_t *stream,
                                 const char *path, apr_time_t deadline)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof(address.sun_path)) {
        return APR_ENAMETOOLONG;
    }
    memcpy(address.sun_path, path, strlen(path));
    return connect_to(stream, (const struct sockaddr *)&address,
                      sizeof(address), deadline);
}

static apr_status_t connect_any(orp_redis_stream_t *stream,
                                const struct addrinfo *addresses,
                                apr_time_t deadline)
{
    const struct addrinfo *address;
    apr_status_t status = ORP_ERESOLVE;
    int left = 0;

    for (address = addresses; address; address = address->ai_next) {
        left++;
    }
    for (address = addresses; address; address = address->ai_next) {
        apr_time_t now = orp_redis_clock();

        /* One that swallows what is sent to it must not cost the others
         * their time. */
        status = connect_to(stream, address->ai_addr, address->ai_addrlen,
                            now + (deadline - now) / left--);
        if (status == APR_SUCCESS) {
            break;
        }
    }
    return status;
}

static apr_status_t connect_server(orp_redis_stream_t *stream,
                                   const orp_place_server_t *server,
                                   apr_time_t deadline,
                                   orp_redis_clause_t *clause)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC,
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_NUMERICSERV };
    struct addrinfo *addresses = NULL;
    char port[8];
    apr_status_t status;
    int error;

    apr_snprintf(port, sizeof(port), "%u", (unsigned int)server->port);
    error = getaddrinfo(server->host, port, &hints, &addresses);
    if (error) {
        apr_snprintf(clause->text, sizeof(clause->text),
                     "its name cannot be resolved: %s", gai_strerror(error));
        return ORP_ERESOLVE;
    }
    status = connect_any(stream, addresses, deadline);
    freeaddrinfo(addresses);
    return status == APR_SUCCESS ? status
        : failed(clause, "connecting", status);
}

static apr_status_t start_tls(orp_redis_stream_t *stream,
                              orp_redis_trust_t *trust, const char *host,
                              apr_time_t deadline,
                              orp_redis_clause_t *clause, apr_pool_t *pool)
{
    orp_redis_tls_t *tls;
    apr_status_t status = orp_redis_tls_create(&tls, trust, stream->socket,
                                               host, pool);
    int wants;

    if (status != APR_SUCCESS) {
        apr_cpystrn(clause->text, "OpenSSL cannot begin",
                    sizeof(clause->text));
        return status;
    }
    while ((status = orp_redis_tls_handshake(tls, &wants)) == APR_EAGAIN) {
        status = wait_for(stream->socket, wants, deadline);
        if (status != APR_SUCCESS) {
            return failed(clause, "TLS", status);
        }
    }
    if (status == ORP_ETLS) {
        return tls_failed(clause, tls);
    }
    stream->tls = tls;
    return status == APR_SUCCESS ? status : failed(clause, "TLS", status);
}

apr_status_t orp_redis_stream_open(orp_redis_stream_t **pstream,
                                   const orp_store_place_t *place,
                                   orp_redis_trust_t *trust,
                                   apr_time_t deadline,
                                   orp_redis_clause_t *clause,
                                   apr_pool_t *pool)
{
    orp_redis_stream_t *stream = apr_pcalloc(pool, sizeof(*stream));
    const orp_place_server_t *server = NULL;
    apr_status_t status;

    stream->socket = -1;
    apr_pool_cleanup_register(pool, stream, close_socket,
                              apr_pool_cleanup_null);
    if (place->path) {
        status = connect_path(stream, place->path, deadline);
        if (status != APR_SUCCESS) {
            return failed(clause, "connecting", status);
        }
    }
    else {
        server = &APR_ARRAY_IDX(place->servers, 0, orp_place_server_t);
        status = connect_server(stream, server, deadline, clause);
    }
    if (status == APR_SUCCESS && trust && server) {
        status = start_tls(stream, trust, server->host, deadline, clause,
                           pool);
    }
    if (status == APR_SUCCESS) {
        *pstream = stream;
    }
    return status;
}

/* ---------------------------------------------------------------------- */
/* Bytes */

/* One write. APR_EAGAIN: try again when *pwants is possible. */
static apr_status_t write_some(apr_size_t *pdone, orp_redis_stream_t *stream,
                               const char *bytes, apr_size_t size,
                               int *pwants)
{
    ssize_t done;

    if (stream->tls) {
        return orp_redis_tls_write(pdone, stream->tls, bytes, size, pwants);
    }
    *pwants = POLLOUT;
    do {
        done = send(stream->socket, bytes, size, MSG_NOSIGNAL);
    } while (done < 0 && errno == EINTR);
    if (done < 0) {
        return errno == EWOULDBLOCK ? APR_EAGAIN : errno;
    }
    *pdone = (apr_size_t)done;
    return APR_SUCCESS;
}

static apr_status_t read_some(apr_size_t *pdone, orp_redis_stream_t *stream,
                              char *bytes, apr_size_t size, int *pwants)
{
    ssize_t done;

    if (stream->tls) {
        return orp_redis_tls_read(pdone, stream->tls, bytes, size, pwants);
    }
    *pwants = POLLIN;
    do {
        done = recv(stream->socket, bytes, size, 0);
    } while (done < 0 && errno == EINTR);
    if (done < 0) {
        return errno == EWOULDBLOCK ? APR_EAGAIN : errno;
    }
    *pdone = (apr_size_t)done;
    return done > 0 ? APR_SUCCESS : APR_EOF;
}

apr_status_t orp_redis_stream_write(orp_redis_stream_t *stream,
                                    const char *bytes, apr_size_t size,
                                    apr_time_t deadline,
                                    orp_redis_clause_t *clause)
{
    while (size > 0) {
        apr_size_t done = 0;
        int wants = POLLOUT;
        apr_status_t status = write_some(&done, stream, bytes, size, &wants);

        if (status == APR_EAGAIN) {
            done = 0;
            status = wait_for(stream->socket, wants, deadline);
        }
        if (status == ORP_ETLS) {
            return tls_failed(clause, stream->tls);
        }
        if (status != APR_SUCCESS) {
            return failed(clause, "sending", status);
        }
        bytes += done;
        size -= done;
    }
    return APR_SUCCESS;
}

apr_status_t orp_redis_stream_read(apr_size_t *pdone,
                                   orp_redis_stream_t *stream, char *bytes,
                                   apr_size_t size, apr_time_t deadline,
                                   orp_redis_clause_t *clause)
{
    apr_status_t status;
    int wants = POLLIN;

    while ((status = read_some(pdone, stream, bytes, size, &wants))
           == APR_EAGAIN) {
        status = wait_for(stream->socket, wants, deadline);
        if (status != APR_SUCCESS) {
            break;
        }
    }
    if (status == ORP_ETLS) {
        return tls_failed(clause, stream->tls);
    }
    return status == APR_SUCCESS ? status
        : failed(clause, "receiving", status);
}

int orp_redis_stream_is_quiet(const orp_redis_stream_t *stream)
{
    struct pollfd pollfd = { .fd = stream->socket, .events = POLLIN };

    return poll(&pollfd, 1, 0) == 0;
}
