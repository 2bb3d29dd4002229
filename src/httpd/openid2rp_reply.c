/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_reply.h"

#include <apr_strings.h>
#include <http_protocol.h>

#include "openid2rp_form.h"
#include "openid2rp_page.h"

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

/* A request that is too long for a URL goes as a form. */
static int send_to_provider(request_rec *r, const openid2rp_outcome_t *out)
{
    return strlen(out->url) > OPENID2RP_FORM_FROM
        ? openid2rp_form_send(r, out->login, out->url)
        : openid2rp_reply_redirect(r, out->url);
}

static int show(request_rec *r, const openid2rp_outcome_t *out)
{
    openid2rp_page_t page = {
        out->status, out->target, out->typed, out->why->sentence
    };

    return openid2rp_page_send(r, &page);
}

int openid2rp_reply_outcome(request_rec *r, const openid2rp_outcome_t *out)
{
    switch (out->kind) {
    case OPENID2RP_GO:
        return openid2rp_reply_redirect(r, out->url);
    case OPENID2RP_SEND:
        return send_to_provider(r, out);
    case OPENID2RP_SCRIPT:
        return openid2rp_form_script(r);
    case OPENID2RP_MISDIRECTED:
        return openid2rp_reply_misdirected(r);
    case OPENID2RP_SIGNED_IN:
        return openid2rp_reply_redirect(
            r, apr_pstrcat(r->pool, out->login->origin, out->login->target,
                           NULL));
    default:
        return show(r, out);
    }
}
