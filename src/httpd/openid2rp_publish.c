/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_publish.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>

#include "openid2rp_origin.h"
#include "openid2rp_runtime.h"
#include "orp_realm.h"

#define XRDS_TYPE "application/xrds+xml"
#define RETURN_TO_TYPE "http://specs.openid.net/auth/2.0/return_to"

/* The path of the realm: "/" where none is set. */
static const char *realm_path(request_rec *r)
{
    const char *text = openid2rp_dir(r)->realm;
    orp_realm_t *realm;

    if (!*text || orp_realm_parse(&realm, text, NULL, r->pool)
        != APR_SUCCESS) {
        return "/";
    }
    return realm->url->path;
}

int openid2rp_publish_wanted(request_rec *r)
{
    const char *accept;

    if (r->main || r->method_number != M_GET
        || !openid2rp_settings(r)->publish_xrds) {
        return 0;
    }
    accept = apr_table_get(r->headers_in, "Accept");
    return accept && ap_strcasestr(accept, XRDS_TYPE)
        && !strcmp(openid2rp_path(r), realm_path(r));
}

int openid2rp_publish_send(request_rec *r)
{
    const char *origin;
    int result = openid2rp_origin(&origin, r);

    if (result != OK) {
        return result;
    }
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    ap_set_content_type(r, XRDS_TYPE);
    if (r->header_only) {
        return OK;
    }
    ap_rvputs(r, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
              "<xrds:XRDS xmlns:xrds=\"xri://$xrds\" "
              "xmlns=\"xri://$xrd*($v*2.0)\">\n  <XRD>\n"
              "    <Service>\n      <Type>" RETURN_TO_TYPE "</Type>\n"
              "      <URI>", ap_escape_html(r->pool, origin),
              ap_escape_html(r->pool, realm_path(r)), "</URI>\n"
              "    </Service>\n  </XRD>\n</xrds:XRDS>\n", NULL);
    return OK;
}
