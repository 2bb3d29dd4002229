/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_redis_tls.h - TLS over a socket that does not block.
 *
 * OpenSSL, for the redis backend. The server's certificate must come from an
 * authority that is trusted and be for the name or address that was asked
 * for; TLS 1.2 is the least. No function waits: each says what to wait for.
 */
#ifndef ORP_STORE_REDIS_TLS_H
#define ORP_STORE_REDIS_TLS_H

#include "orp_status.h"

/** Whom to believe; any number of threads may use one. */
typedef struct orp_redis_trust_t orp_redis_trust_t;

/** One connection. */
typedef struct orp_redis_tls_t orp_redis_tls_t;

/**
 * Read the authorities.
 * @param ca_file  PEM; NULL for the system's
 * @param why      one sentence, where that file cannot be used
 * @return APR_SUCCESS, APR_EINVAL, or ORP_ECRYPTO
 */
ORP_MUST_USE apr_status_t orp_redis_trust_create(orp_redis_trust_t **ptrust,
                                                 const char *ca_file,
                                                 orp_reason_t *why,
                                                 apr_pool_t *pool);

/**
 * Prepare a connection; nothing is sent.
 * @param socket  connected, not blocking; stays the caller's
 * @param host    name or address that the certificate must be for
 */
ORP_MUST_USE apr_status_t orp_redis_tls_create(orp_redis_tls_t **ptls,
                                               orp_redis_trust_t *trust,
                                               int socket, const char *host,
                                               apr_pool_t *pool);

/**
 * One step each; to be called again when the socket is ready.
 * @param pwants  set with APR_EAGAIN: POLLIN or POLLOUT
 * @param pdone   how many bytes were read or written
 * @return APR_SUCCESS, APR_EAGAIN, APR_EOF, or ORP_ETLS
 */
ORP_MUST_USE apr_status_t orp_redis_tls_handshake(orp_redis_tls_t *tls,
                                                  int *pwants);
ORP_MUST_USE apr_status_t orp_redis_tls_write(apr_size_t *pdone,
                                              orp_redis_tls_t *tls,
                                              const char *bytes,
                                              apr_size_t size, int *pwants);
ORP_MUST_USE apr_status_t orp_redis_tls_read(apr_size_t *pdone,
                                             orp_redis_tls_t *tls,
                                             char *bytes, apr_size_t size,
                                             int *pwants);

/** What went wrong at the last ORP_ETLS, as a clause; constant text. */
const char *orp_redis_tls_error(const orp_redis_tls_t *tls);

#endif
