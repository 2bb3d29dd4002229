/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_store_stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_strings.h>

#include "orp_store_socket.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

struct orp_store_stream_t {
    int socket;
    orp_redis_tls_t *tls;       /* NULL: none */
};

/* Name what went wrong, and return status. */
static apr_status_t failed(orp_store_clause_t *clause, const char *what,
                           apr_status_t status)
{
    orp_store_clause_set(clause, what, status);
    return status;
}

static apr_status_t tls_failed(orp_store_clause_t *clause,
                               const orp_redis_tls_t *tls)
{
    apr_snprintf(clause->text, sizeof(clause->text), "TLS: %s",
                 orp_redis_tls_error(tls));
    return ORP_ETLS;
}

/* ---------------------------------------------------------------------- */
/* Opening */

static apr_status_t close_socket(void *baton)
{
    orp_store_stream_t *stream = baton;

    if (stream->socket >= 0) {
        close(stream->socket);
        stream->socket = -1;
    }
    return APR_SUCCESS;
}

static apr_status_t start_tls(orp_store_stream_t *stream,
                              orp_redis_trust_t *trust, const char *host,
                              apr_time_t deadline,
                              orp_store_clause_t *clause, apr_pool_t *pool)
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
        status = orp_store_socket_wait(stream->socket, wants, deadline);
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

static orp_store_stream_t *new_stream(apr_pool_t *pool)
{
    orp_store_stream_t *stream = apr_pcalloc(pool, sizeof(*stream));

    stream->socket = -1;
    apr_pool_cleanup_register(pool, stream, close_socket,
                              apr_pool_cleanup_null);
    return stream;
}

apr_status_t orp_store_stream_dial(orp_store_stream_t **pstream,
                                   const orp_place_server_t *server,
                                   apr_time_t deadline,
                                   orp_store_clause_t *clause,
                                   apr_pool_t *pool)
{
    orp_store_stream_t *stream = new_stream(pool);
    apr_status_t status = orp_store_socket_dial(&stream->socket, server,
                                                deadline, clause);

    if (status == APR_SUCCESS) {
        *pstream = stream;
    }
    return status;
}

apr_status_t orp_store_stream_open(orp_store_stream_t **pstream,
                                   const orp_store_place_t *place,
                                   orp_redis_trust_t *trust,
                                   apr_time_t deadline,
                                   orp_store_clause_t *clause,
                                   apr_pool_t *pool)
{
    orp_store_stream_t *stream = new_stream(pool);
    const orp_place_server_t *server = NULL;
    apr_status_t status;

    if (place->path) {
        status = orp_store_socket_path(&stream->socket, place->path, deadline,
                                       clause);
    }
    else {
        server = &APR_ARRAY_IDX(place->servers, 0, orp_place_server_t);
        status = orp_store_socket_dial(&stream->socket, server, deadline,
                                       clause);
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
static apr_status_t write_some(apr_size_t *pdone, orp_store_stream_t *stream,
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

static apr_status_t read_some(apr_size_t *pdone, orp_store_stream_t *stream,
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

apr_status_t orp_store_stream_write(orp_store_stream_t *stream,
                                    const char *bytes, apr_size_t size,
                                    apr_time_t deadline,
                                    orp_store_clause_t *clause)
{
    while (size > 0) {
        apr_size_t done = 0;
        int wants = POLLOUT;
        apr_status_t status = write_some(&done, stream, bytes, size, &wants);

        if (status == APR_EAGAIN) {
            done = 0;
            status = orp_store_socket_wait(stream->socket, wants, deadline);
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

apr_status_t orp_store_stream_read(apr_size_t *pdone,
                                   orp_store_stream_t *stream, char *bytes,
                                   apr_size_t size, apr_time_t deadline,
                                   orp_store_clause_t *clause)
{
    apr_status_t status;
    int wants = POLLIN;

    while ((status = read_some(pdone, stream, bytes, size, &wants))
           == APR_EAGAIN) {
        status = orp_store_socket_wait(stream->socket, wants, deadline);
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

int orp_store_stream_is_quiet(const orp_store_stream_t *stream)
{
    struct pollfd pollfd = { .fd = stream->socket, .events = POLLIN };

    return poll(&pollfd, 1, 0) == 0;
}
