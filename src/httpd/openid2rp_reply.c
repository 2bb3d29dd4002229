/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_reply.h"

#include <http_protocol.h>

#include "openid2rp_page.h"
#include "openid2rp_runtime.h"

int openid2rp_reply_redirect(request_rec *r, const char *url)
{
    openid2rp_page_headers(r);
    /* httpd makes a small page for it */
    apr_table_setn(r->err_headers_out, "Content-Security-Policy",
                   "default-src 'none'; base-uri 'none'; form-action 'none'; "
                   "frame-ancestors 'none'");
    apr_table_setn(r->headers_out, "Location", url);
    return HTTP_SEE_OTHER;
}

int openid2rp_reply_plain(request_rec *r, int status)
{
    openid2rp_page_headers(r);
    return status;
}

int openid2rp_reply_fail(request_rec *r, const char *target, const char *typed,
                const orp_reason_t *why)
{
    openid2rp_page_t page = {
        openid2rp_http_status(why->status), target, typed, why->sentence
    };

    return openid2rp_page_send(r, &page);
}

static void log_refusal(request_rec *r, const orp_reason_t *why)
{
    orp_log(openid2rp_env(r), ORP_LOG_INFO, 240, r->pool,
            "login refused (%s): %s", orp_status_code(why->status),
            why->sentence);
}

int openid2rp_reply_refuse(request_rec *r, const char *target,
                  const orp_reason_t *why)
{
    log_refusal(r, why);
    return openid2rp_reply_fail(r, target, NULL, why);
}

int openid2rp_reply_too_large(request_rec *r, const char *target)
{
    orp_reason_t *why = orp_reason_create(r->pool);
    openid2rp_page_t page = {
        HTTP_REQUEST_ENTITY_TOO_LARGE, target, NULL, NULL
    };

    /* elsewhere, this status is about what a server answered: 502 */
    (void)orp_reason_set(why, ORP_ETOOBIG, NULL,
                         "What your browser has sent is too large for a "
                         "login.");
    log_refusal(r, why);
    page.sentence = why->sentence;
    return openid2rp_page_send(r, &page);
}

void openid2rp_reply_explain(orp_reason_t *why, apr_status_t status)
{
    char buf[200];

    if (why->status != status || !*why->sentence) {
        (void)orp_reason_set(why, status, NULL, "%s",
                             orp_strerror(status, buf, sizeof(buf)));
    }
}

int openid2rp_reply_misdirected(request_rec *r)
{
    openid2rp_page_open(r, HTTP_MISDIRECTED_REQUEST, 0,
                        "No login at this address");
    if (!r->header_only) {
        ap_rputs("<p role=\"alert\">Nobody can sign in here: this site is "
                 "not known under the name in the address.</p>\n"
                 "<p>If it is yours: set ServerName, ServerAlias or "
                 "OpenIDBaseURL; the error log (O2RP-210) has the name that "
                 "was used.</p>\n", r);
    }
    openid2rp_page_close(r);
    return OK;
}
