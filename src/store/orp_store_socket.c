/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_store_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <apr_strings.h>

/* The longest single wait; who waits longer waits again. */
#define POLL_MAX_MS 60000

apr_status_t orp_store_socket_wait(int socket, int events,
                                   apr_time_t deadline)
{
    struct pollfd pollfd = { .fd = socket, .events = (short)events };

    for (;;) {
        apr_time_t left = deadline - orp_store_clock();
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
    apr_status_t status = orp_store_socket_wait(s, POLLOUT, deadline);

    if (status != APR_SUCCESS) {
        return status;
    }
    return getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &size) < 0
        ? errno : error;
}

static apr_status_t connect_to(int *psocket, const struct sockaddr *address,
                               socklen_t size, apr_time_t deadline)
{
    apr_status_t status = APR_SUCCESS;
    int s = make_socket(address->sa_family);

    if (s < 0) {
        return errno;
    }
    if (connect(s, address, size) < 0) {
        status = errno;
        if (status == EINPROGRESS || status == EINTR) {
            status = finish_connect(s, deadline);
        }
    }
    if (status != APR_SUCCESS) {
        close(s);
        return status;
    }
    *psocket = s;
    return APR_SUCCESS;
}

static apr_status_t connect_any(int *psocket,
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
        apr_time_t now = orp_store_clock();

        /* One that swallows what is sent to it must not cost the others
         * their time. */
        status = connect_to(psocket, address->ai_addr, address->ai_addrlen,
                            now + (deadline - now) / left--);
        if (status == APR_SUCCESS) {
            break;
        }
    }
    return status;
}

/* An address needs nobody to ask. A name does, and getaddrinfo() has no
 * deadline but that of the system's resolver: see the header. */
static int resolve(struct addrinfo **paddresses,
                   const orp_place_server_t *server)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC,
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST };
    char port[8];
    int error;

    apr_snprintf(port, sizeof(port), "%u", (unsigned int)server->port);
    error = getaddrinfo(server->host, port, &hints, paddresses);
    if (error == EAI_NONAME) {
        hints.ai_flags = AI_NUMERICSERV;
        error = getaddrinfo(server->host, port, &hints, paddresses);
    }
    return error;
}

apr_status_t orp_store_socket_dial(int *psocket,
                                   const orp_place_server_t *server,
                                   apr_time_t deadline,
                                   orp_store_clause_t *clause)
{
    struct addrinfo *addresses = NULL;
    apr_status_t status;
    int error = resolve(&addresses, server);

    if (error) {
        apr_snprintf(clause->text, sizeof(clause->text),
                     "its name cannot be resolved: %s", gai_strerror(error));
        return ORP_ERESOLVE;
    }
    status = connect_any(psocket, addresses, deadline);
    freeaddrinfo(addresses);
    if (status != APR_SUCCESS) {
        orp_store_clause_set(clause, "connecting", status);
    }
    return status;
}

static apr_status_t connect_path(int *psocket, const char *path,
                                 apr_time_t deadline)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof(address.sun_path)) {
        return APR_ENAMETOOLONG;
    }
    memcpy(address.sun_path, path, strlen(path));
    return connect_to(psocket, (const struct sockaddr *)&address,
                      sizeof(address), deadline);
}

apr_status_t orp_store_socket_path(int *psocket, const char *path,
                                   apr_time_t deadline,
                                   orp_store_clause_t *clause)
{
    apr_status_t status = connect_path(psocket, path, deadline);

    if (status != APR_SUCCESS) {
        orp_store_clause_set(clause, "connecting", status);
    }
    return status;
}
