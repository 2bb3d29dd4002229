/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_stream.h - bytes to and from a server: by TCP, a unix socket, or
 * TLS, never waiting longer than to a deadline of orp_store_clock().
 *
 * The redis and the memcache backends use it, memcache without TLS. A name is
 * resolved as orp_store_socket.h says: without a deadline.
 */
#ifndef ORP_STORE_STREAM_H
#define ORP_STORE_STREAM_H

#include "orp_store_place.h"
#include "orp_store_redis_tls.h"
#include "orp_store_remote.h"

typedef struct orp_store_stream_t orp_store_stream_t;

/**
 * Connect to place->path or else to the first of place->servers. All addresses
 * of a server's name are tried; each gets its share of the time.
 * @param trust   where place->tls is set, else NULL
 * @param clause  set on failure
 * @param pool    the stream is closed with it
 * @return APR_SUCCESS, APR_TIMEUP, ORP_ERESOLVE, ORP_ETLS, ORP_ECRYPTO, or
 *         what the system says
 */
ORP_MUST_USE apr_status_t orp_store_stream_open(
    orp_store_stream_t **pstream, const orp_store_place_t *place,
    orp_redis_trust_t *trust, apr_time_t deadline,
    orp_store_clause_t *clause, apr_pool_t *pool);

/** Connect to one server by TCP, without TLS; else the same. */
ORP_MUST_USE apr_status_t orp_store_stream_dial(
    orp_store_stream_t **pstream, const orp_place_server_t *server,
    apr_time_t deadline, orp_store_clause_t *clause, apr_pool_t *pool);

/** Write it all. @return likewise, or APR_EOF */
ORP_MUST_USE apr_status_t orp_store_stream_write(orp_store_stream_t *stream,
                                                 const char *bytes,
                                                 apr_size_t size,
                                                 apr_time_t deadline,
                                                 orp_store_clause_t *clause);

/** Read what there is, at least one byte. @return likewise, or APR_EOF */
ORP_MUST_USE apr_status_t orp_store_stream_read(apr_size_t *pdone,
                                                orp_store_stream_t *stream,
                                                char *bytes, apr_size_t size,
                                                apr_time_t deadline,
                                                orp_store_clause_t *clause);

/** Is it open, with nothing to be read? As it should be between commands. */
int orp_store_stream_is_quiet(const orp_store_stream_t *stream);

#endif
