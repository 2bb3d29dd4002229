/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_reply.h"

#include <http_protocol.h>

#include "openid2rp_page.h"
#include "openid2rp_runtime.h"

int openid2rp_reply_redirect(request_rec *r, const char *url)
{
    openid2rp_page_headers(r);
    apr_table_setn(r->headers_out, "Location", url);
    return HTTP_SEE_OTHER;
}

int openid2rp_reply_fail(request_rec *r, const char *target, const char *typed,
                const orp_reason_t *why)
{
    openid2rp_page_t page = {
        openid2rp_http_status(why->status), target, typed, why->sentence
    };

    return openid2rp_page_send(r, &page);
}

int openid2rp_reply_refuse(request_rec *r, const char *target,
                  const orp_reason_t *why)
{
    orp_log(openid2rp_env(r), ORP_LOG_INFO, 240, r->pool,
            "login refused (%s): %s", orp_status_code(why->status),
            why->sentence);
    return openid2rp_reply_fail(r, target, NULL, why);
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
