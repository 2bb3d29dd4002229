/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_socket.h - sockets to servers, never waiting longer than to a
 * deadline of orp_store_clock().
 *
 * One thing knows no deadline: the system's resolver. Where it may be slow,
 * name the server by its address, or in /etc/hosts.
 */
#ifndef ORP_STORE_SOCKET_H
#define ORP_STORE_SOCKET_H

#include "orp_store_place.h"
#include "orp_store_remote.h"

/**
 * Connect by TCP. All addresses of the server's name are tried; each gets its
 * share of the time.
 * @param psocket  set on success: it does not block, programs that are
 *                 started do not inherit it, and the caller closes it
 * @param clause   set on failure
 * @return APR_SUCCESS, APR_TIMEUP, ORP_ERESOLVE, or what the system says
 */
ORP_MUST_USE apr_status_t orp_store_socket_dial(
    int *psocket, const orp_place_server_t *server, apr_time_t deadline,
    orp_store_clause_t *clause);

/** Connect to a unix socket; else the same. */
ORP_MUST_USE apr_status_t orp_store_socket_path(int *psocket,
                                                const char *path,
                                                apr_time_t deadline,
                                                orp_store_clause_t *clause);

/**
 * Wait until something can be done, or an error can be had. Looks at least
 * once, also behind the deadline.
 * @param events  POLLIN or POLLOUT
 * @return APR_SUCCESS, APR_TIMEUP, or what the system says
 */
ORP_MUST_USE apr_status_t orp_store_socket_wait(int socket, int events,
                                                apr_time_t deadline);

#endif
