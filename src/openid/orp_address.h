/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_address.h - which network addresses may be contacted.
 *
 * An identifier is typed by a stranger, so discovery is a way to make this
 * server send requests to addresses that only it can reach. Therefore only
 * globally reachable unicast addresses are contacted: everything in IANA's
 * special-purpose registries (RFC 6890 and its updates) is refused, unless
 * the administrator names a range.
 */
#ifndef ORP_ADDRESS_H
#define ORP_ADDRESS_H

#include <sys/socket.h>

#include <apr_tables.h>

#include "orp_status.h"

/** A range of addresses, such as 10.0.0.0/8 or ::1/128. */
typedef struct orp_cidr_t {
    unsigned char bytes[16];    /* network byte order; 4 used for IPv4 */
    int size;                   /* 4 or 16 */
    int bits;                   /* how many must be equal */
} orp_cidr_t;

/**
 * Read a range. A single address stands for itself.
 * @return APR_SUCCESS, or APR_EINVAL where text is no address or has bits set
 *         behind the prefix
 */
ORP_MUST_USE apr_status_t orp_cidr_parse(orp_cidr_t *cidr, const char *text,
                                         apr_pool_t *pool);

/**
 * May this address be contacted?
 * @param allow  array of orp_cidr_t that are allowed in any case, or NULL
 * @return nonzero where it may
 */
int orp_address_allowed(const struct sockaddr *address,
                        const apr_array_header_t *allow);

/**
 * May the host of a URL be contacted, as far as it says itself? It is an
 * address, in any spelling that resolvers know ("127.0.0.1", "0x7f.1",
 * "2130706433", "[::1]"), or a name of this machine ("localhost" and what ends
 * in ".localhost": RFC 6761, 6.3). Of other names only a resolver knows more.
 * @return 0 where it may not
 */
int orp_host_allowed(const char *host, const apr_array_header_t *allow,
                     apr_pool_t *pool);

#endif
