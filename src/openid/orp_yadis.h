/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_yadis.h - from a URL to its XRDS document (Yadis 1.0, 6). */
#ifndef ORP_YADIS_H
#define ORP_YADIS_H

#include "orp_html.h"
#include "orp_http.h"

typedef struct orp_yadis_t {
    const char *url;            /* the page's URL after redirects, normalized
                                 * (OpenID Authentication 2.0, 7.2, 4) */
    const char *xrds;           /* the document, not yet parsed; or NULL */
    apr_size_t xrds_size;       /* in bytes */
    const orp_html_head_t *head;    /* what the page's head says; NULL where
                                     * what came was no page */
} orp_yadis_t;

/**
 * Fetch a URL, and the XRDS document that it is or names: by its media type,
 * by a header X-XRDS-Location, by a meta element of that name.
 * @return APR_SUCCESS, also where there is no XRDS document;
 *         what orp_http_get() returns; ORP_EHTTP where the page does not come
 *         with status 200. An XRDS document that is named but cannot be had
 *         is as good as none (OpenID Authentication 2.0, 7.3).
 */
ORP_MUST_USE apr_status_t orp_yadis_fetch(orp_yadis_t **pyadis,
                                          const orp_env_t *env,
                                          const char *url, orp_reason_t *why,
                                          apr_pool_t *pool);

/** Fetch the URL again, as a page: for HTML-based discovery. */
ORP_MUST_USE apr_status_t orp_yadis_fetch_page(orp_yadis_t **pyadis,
                                               const orp_env_t *env,
                                               const char *url,
                                               orp_reason_t *why,
                                               apr_pool_t *pool);

#endif
