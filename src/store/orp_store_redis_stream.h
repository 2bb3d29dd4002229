/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_redis_stream.h - bytes to and from a redis server: TCP, a unix
 * socket, or TLS, never waiting longer than to a deadline.
 *
 * One thing knows no deadline: the system's resolver. Where it may be slow,
 * name the server by its address, or in /etc/hosts.
 *
 * Deadlines are of orp_redis_clock(), which nobody sets back.
 */
#ifndef ORP_STORE_REDIS_STREAM_H
#define ORP_STORE_REDIS_STREAM_H

#include <apr_time.h>

#include "orp_store_place.h"
#include "orp_store_redis_tls.h"

typedef struct orp_redis_stream_t orp_redis_stream_t;

/** What went wrong: a clause for the log, without secrets. */
typedef struct orp_redis_clause_t {
    char text[256];
} orp_redis_clause_t;

/** Microseconds since some time. */
apr_time_t orp_redis_clock(void);

/**
 * Connect. All addresses of the server's name are tried; each gets its share
 * of the time.
 * @param trust   where place->tls is set, else NULL
 * @param clause  set on failure
 * @param pool    the stream is closed with it
 * @return APR_SUCCESS, APR_TIMEUP, ORP_ERESOLVE, ORP_ETLS, ORP_ECRYPTO, or
 *         what the system says
 */
ORP_MUST_USE apr_status_t orp_redis_stream_open(
    orp_redis_stream_t **pstream, const orp_store_place_t *place,
    orp_redis_trust_t *trust, apr_time_t deadline,
    orp_redis_clause_t *clause, apr_pool_t *pool);

/** Write it all. @return likewise, or APR_EOF */
ORP_MUST_USE apr_status_t orp_redis_stream_write(orp_redis_stream_t *stream,
                                                 const char *bytes,
                                                 apr_size_t size,
                                                 apr_time_t deadline,
                                                 orp_redis_clause_t *clause);

/** Read what there is, at least one byte. @return likewise, or APR_EOF */
ORP_MUST_USE apr_status_t orp_redis_stream_read(apr_size_t *pdone,
                                                orp_redis_stream_t *stream,
                                                char *bytes, apr_size_t size,
                                                apr_time_t deadline,
                                                orp_redis_clause_t *clause);

/** Is it open, with nothing to be read? As it should be between commands. */
int orp_redis_stream_is_quiet(const orp_redis_stream_t *stream);

#endif
