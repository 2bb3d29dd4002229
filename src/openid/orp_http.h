/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_http.h - asking other servers.
 *
 * A fetch is one or more exchanges: an exchange is one request and one
 * response, done by a client that the world brings along (orp_env_t.http); a
 * fetch follows redirects, and decides which. Addresses, sizes and certificates
 * are the client's to refuse; schemes and redirects are refused here, so that
 * they are refused under every client.
 */
#ifndef ORP_HTTP_H
#define ORP_HTTP_H

#include <apr_tables.h>

#include "orp_env.h"
#include "orp_params.h"
#include "orp_url.h"

/** How many redirects one fetch follows. */
#define ORP_HTTP_REDIRECTS 5

typedef struct orp_http_response_t {
    int status;                 /* such as 200 */
    const char *url;            /* where it came from, after redirects,
                                 * normalized, without a fragment */
    const char *content_type;   /* as sent, or "" */
    const char *xrds_location;  /* X-XRDS-Location (the first), or NULL */
    const char *location;       /* Location, or NULL */
    const char *body;           /* NUL-terminated, may hold NULs as well */
    apr_size_t size;            /* of body, in bytes */
} orp_http_response_t;

/**
 * GET a document, with redirects followed (five at most; http and https only;
 * never from https to http; never to a URL with user information).
 * @param presp   set on success, whatever the HTTP status is
 * @param url     where to begin
 * @param accept  the Accept header
 * @param why     says what went wrong; names the URL
 * @return APR_SUCCESS, or one of the ORP_E* of "talking to other servers"
 */
ORP_MUST_USE apr_status_t orp_http_get(orp_http_response_t **presp,
                                       const orp_env_t *env,
                                       const char *url, const char *accept,
                                       orp_reason_t *why, apr_pool_t *pool);

/**
 * POST a form. Redirects are not followed (the answer to a direct request is
 * the endpoint's own): a 3xx comes back as it is.
 */
ORP_MUST_USE apr_status_t orp_http_post(orp_http_response_t **presp,
                                        const orp_env_t *env,
                                        const char *url,
                                        const orp_params_t *form,
                                        orp_reason_t *why,
                                        apr_pool_t *pool);

/**
 * May this URL be asked at all, as far as it says itself? Nothing is looked up
 * or sent. A fetch begins with this, on every hop; discovery does it for what
 * it only passes on.
 * @return APR_SUCCESS; ORP_EURL, ORP_ESCHEME, ORP_EADDRESS
 */
ORP_MUST_USE apr_status_t orp_http_may_ask(const orp_env_t *env,
                                           const char *url,
                                           orp_reason_t *why,
                                           apr_pool_t *pool);

/** The media type of a Content-Type, without parameters, in lower case. */
const char *orp_http_media_type(const char *content_type, apr_pool_t *pool);

/** The charset parameter of a Content-Type, or NULL. */
const char *orp_http_charset(const char *content_type, apr_pool_t *pool);

/* ---------------------------------------------------------------------- */
/* For those who write a client */

typedef struct orp_http_request_t {
    const char *url;            /* absolute, http or https */
    const char *accept;         /* Accept header, or NULL */
    const char *form;           /* body of a POST, or NULL for a GET */
    apr_time_t deadline;        /* absolute, in the time of orp_env_now() */
} orp_http_request_t;

typedef struct orp_http_client_t orp_http_client_t;

struct orp_http_client_t {
    /**
     * Do one exchange; follow nothing. Sets the response's members but url.
     * @return APR_SUCCESS for any complete response, whatever its status;
     *         ORP_ERESOLVE, ORP_ECONNECT, ORP_ETIMEOUT, ORP_ETLS,
     *         ORP_EADDRESS, ORP_ETOOBIG or ORP_EFETCH, with a sentence
     */
    apr_status_t (*exchange)(orp_http_response_t **presp,
                             const orp_http_client_t *client,
                             const orp_http_request_t *request,
                             orp_reason_t *why, apr_pool_t *pool);

    /** The most time that one fetch may take, in microseconds. */
    apr_interval_time_t timeout;

    /** Nonzero: https only. */
    int require_tls;

    /**
     * NULL, or: may this host be contacted, as far as it says itself? What a
     * name resolves to is for exchange() to refuse.
     * @return nonzero where it may
     */
    int (*may_contact)(const orp_http_client_t *client, const char *host,
                       apr_pool_t *pool);
};

#endif
