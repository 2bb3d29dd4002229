/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_page.h - the pages that people see.
 *
 * Plain HTML that works without scripts and without anything from elsewhere.
 * Everything that comes from outside is escaped, and a Content-Security-Policy
 * lets nothing run even if it were not.
 */
#ifndef OPENID2RP_PAGE_H
#define OPENID2RP_PAGE_H

#include "openid2rp_config.h"
#include "orp_status.h"

typedef struct openid2rp_page_t {
    int status;                 /* HTTP status to send */
    const char *target;         /* path and query to go to after the login */
    const char *typed;          /* what the user had typed, or NULL */
    const char *sentence;       /* what went wrong, or NULL */
} openid2rp_page_t;

/** Send the login page. @return OK */
int openid2rp_page_send(request_rec *r, const openid2rp_page_t *page);

/**
 * Begin any page: headers, policy, and everything up to its heading.
 * @param scripts  nonzero: scripts of this site may run
 * @param title    of the page, not escaped
 */
void openid2rp_page_open(request_rec *r, int status, int scripts,
                         const char *title);

/** End it. */
void openid2rp_page_close(request_rec *r);

/** The HTTP status that goes with a login that failed: DESIGN, section 2. */
int openid2rp_http_status(apr_status_t status);

/** Nothing that the module answers itself may be kept by a cache, or taken for
 * another type; nor do its links and forms say more than which site they come
 * from. */
void openid2rp_page_headers(request_rec *r);

#endif
