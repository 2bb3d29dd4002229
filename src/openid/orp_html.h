/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_html.h - what a page's head says to us (OpenID Authentication 2.0,
 * 7.3.3; Yadis 1.0, 6.2.5).
 */
#ifndef ORP_HTML_H
#define ORP_HTML_H

#include "orp_xml.h"

typedef struct orp_html_head_t {
    const char *xrds_location;  /* meta http-equiv=X-XRDS-Location */
    const char *provider2;      /* link rel=openid2.provider */
    const char *local_id2;      /* link rel=openid2.local_id */
    const char *provider1;      /* link rel=openid.server */
    const char *local_id1;      /* link rel=openid.delegate */
} orp_html_head_t;

/**
 * Read the head of a page. Every member is what the first such element in
 * the head says, with character references replaced, white space around it
 * removed; NULL where there is none. Elements anywhere else do not count.
 * @param charset  what the HTTP header says, or NULL
 * @return APR_SUCCESS, also for a page without a head; ORP_EXML where the
 *         bytes are no page at all
 */
ORP_MUST_USE apr_status_t orp_html_head(orp_html_head_t **phead,
                                        const char *bytes, apr_size_t size,
                                        const char *charset,
                                        apr_pool_t *pool);

#endif
