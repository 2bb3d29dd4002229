/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_form.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>

#include "openid2rp_origin.h"
#include "openid2rp_page.h"
#include "orp_url.h"

static const char script[] = "document.forms[0].submit();\n";

/* The fields are what the core has put behind the endpoint's URL; that URL
 * may have a query of its own, which stays in it, and may end in the mark
 * that stands before them. */
static void put_fields(request_rec *r, const orp_login_t *login,
                       const char *url)
{
    const char *query = url + strlen(login->endpoint);
    orp_params_t *fields;
    int i;

    query += *query == '?' || *query == '&';
    if (orp_params_parse_form(&fields, query, strlen(query), r->pool)
        != APR_SUCCESS) {
        return;
    }
    for (i = 0; i < orp_params_size(fields); i++) {
        ap_rvputs(r, "<input type=\"hidden\" name=\"",
                  ap_escape_html(r->pool, orp_params_name(fields, i)),
                  "\" value=\"",
                  ap_escape_html(r->pool, orp_params_value(fields, i)),
                  "\">\n", NULL);
    }
}

static const char *host_of(const char *address, apr_pool_t *pool)
{
    orp_url_t *url;

    return orp_url_parse(&url, address, NULL, pool) == APR_SUCCESS
        ? url->host : "your provider";
}

int openid2rp_form_send(request_rec *r, const orp_login_t *login,
                        const char *url)
{
    openid2rp_page_open(r, HTTP_OK, 1, "Going to your provider");
    if (!r->header_only) {
        ap_rvputs(r, "<form method=\"post\" action=\"",
                  ap_escape_html(r->pool, login->endpoint), "\">\n", NULL);
        put_fields(r, login, url);
        ap_rvputs(r, "<button>Continue to ",
                  ap_escape_html(r->pool, host_of(login->endpoint, r->pool)),
                  "</button>\n</form>\n<script src=\"",
                  ap_escape_html(r->pool, openid2rp_path(r)),
                  "?openid_return=" OPENID2RP_FORM_SCRIPT "\"></script>\n",
                  NULL);
    }
    openid2rp_page_close(r);
    return OK;
}

int openid2rp_form_script(request_rec *r)
{
    openid2rp_page_headers(r);
    ap_set_content_type(r, "text/javascript; charset=utf-8");
    if (!r->header_only) {
        ap_rputs(script, r);
    }
    return OK;
}
