/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_http_curl.h - the HTTP client that talks to real servers.
 *
 * It fails closed: certificates are verified, addresses are checked at the
 * moment of connecting (after the name was resolved, so that a name whose
 * address changes cannot slip by), bodies and headers have a ceiling, and one
 * deadline covers everything, however slowly the bytes drip or the resolver
 * is. Nothing is asked to be compressed, no cookie is kept, no connection is
 * used twice, no proxy is taken from the environment. TLS 1.2 or newer,
 * HTTP/1.1.
 */
#ifndef ORP_HTTP_CURL_H
#define ORP_HTTP_CURL_H

#include <apr_tables.h>

#include "orp_http.h"

typedef struct orp_http_curl_t {
    apr_interval_time_t timeout;    /* of one fetch, in microseconds */
    apr_interval_time_t connect;    /* of connecting */
    apr_size_t max_size;            /* of one body, in bytes */
    const apr_array_header_t *allow;    /* of orp_cidr_t, or NULL */
    const char *proxy;              /* URL of a forward proxy, or NULL; what
                                     * names resolve to is its own business */
    const char *ca_file;            /* PEM bundle, or NULL for the system's */
    int require_tls;                /* nonzero: https only */

    /** NULL, or: is an answer no longer wanted? Asked about once a second
     * while an exchange lasts, in its thread; after a yes it fails with
     * ORP_EFETCH. */
    int (*stopped)(void *baton);
    void *baton;                    /* the argument of stopped */
} orp_http_curl_t;

/** The defaults of docs/directives.md: 10 s, 5 s, 256 K. */
extern const orp_http_curl_t orp_http_curl_defaults;

/**
 * Make a client. It may be used by many threads at once.
 * @param settings  copied; what it points to must live as long as pool
 * @param env       whose clock the deadlines are in; must outlive the client
 */
orp_http_client_t *orp_http_curl_create(const orp_http_curl_t *settings,
                                        const orp_env_t *env,
                                        apr_pool_t *pool);

/**
 * Prepare the library. Call once in each process, before the first thread.
 * @return APR_SUCCESS or ORP_EFETCH
 */
ORP_MUST_USE apr_status_t orp_http_curl_init(void);

#endif
