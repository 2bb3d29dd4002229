/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_page.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>

#include "orp_codec.h"
#include "orp_crypto.h"
#include "orp_identifier.h"

static const char style[] =
    "body{font:1em/1.5 system-ui,sans-serif;margin:0;padding:0 .75rem;"
    "color:#1b1f24;background:#f3f4f6}"
    "main{max-width:26rem;margin:8vh auto;padding:1.5rem 2rem 2rem;"
    "background:#fff;border:1px solid #d5d9de;border-radius:.5rem;"
    "overflow-wrap:anywhere}"
    "h1{font-size:1.4rem;margin:.5rem 0 1rem}"
    "form{margin:.75rem 0}"
    "label{display:block;font-weight:600;margin-bottom:.3rem}"
    "input,button{font:inherit;box-sizing:border-box;width:100%;"
    "padding:.6rem .75rem;border-radius:.35rem;border:1px solid #68707a}"
    "button{margin-top:.5rem;background:#0b57c2;border-color:#0b57c2;"
    "color:#fff;font-weight:600;cursor:pointer}"
    "input:focus-visible,button:focus-visible{outline:3px solid #f0a400;"
    "outline-offset:2px}"
    "[role=alert]{margin:1rem 0;padding:.6rem .9rem;"
    "border-left:.3rem solid #b3261e;background:#fcecea}"
    ".or{text-align:center;color:#4b535c;margin:1rem 0 0}"
    "small{color:#4b535c}";

static const struct {
    apr_status_t status;
    int http;
} http_statuses[] = {
    { ORP_EIDENTIFIER, HTTP_BAD_REQUEST },
    { ORP_EXRI, HTTP_BAD_REQUEST },
    { ORP_EURL, HTTP_BAD_REQUEST },
    { ORP_ESCHEME, HTTP_BAD_REQUEST },
    { ORP_EADDRESS, HTTP_BAD_REQUEST },
    { ORP_ERESOLVE, HTTP_BAD_REQUEST },
    { ORP_ENOTOPENID, HTTP_BAD_REQUEST },
    { ORP_EMESSAGE, HTTP_BAD_REQUEST },
    { ORP_EMODE, HTTP_BAD_REQUEST },
    { ORP_EVERSION, HTTP_BAD_REQUEST },
    { ORP_EUNSIGNED, HTTP_BAD_REQUEST },
    { ORP_ENONCE, HTTP_BAD_REQUEST },
    { ORP_ETIMEOUT, HTTP_GATEWAY_TIME_OUT },
    { ORP_ECONNECT, HTTP_BAD_GATEWAY },
    { ORP_ETLS, HTTP_BAD_GATEWAY },
    { ORP_EREDIRECT, HTTP_BAD_GATEWAY },
    { ORP_EHTTP, HTTP_BAD_GATEWAY },
    { ORP_EFETCH, HTTP_BAD_GATEWAY },
    { ORP_ETOOBIG, HTTP_BAD_GATEWAY },
    { ORP_EXML, HTTP_BAD_GATEWAY },
    { ORP_EDISCOVERY, HTTP_BAD_GATEWAY },
    { ORP_EASSOCIATE, HTTP_BAD_GATEWAY },
    { ORP_EOPERROR, HTTP_BAD_GATEWAY },
    { ORP_ERATE, HTTP_TOO_MANY_REQUESTS },
    { ORP_ECANCEL, HTTP_UNAUTHORIZED },
    { ORP_ESETUP, HTTP_UNAUTHORIZED },
    { ORP_EREALM, HTTP_SERVICE_UNAVAILABLE },
    { ORP_ELINKS, HTTP_SERVICE_UNAVAILABLE },
    { ORP_ESTORE, HTTP_SERVICE_UNAVAILABLE },
    { ORP_EFULL, HTTP_SERVICE_UNAVAILABLE },
    { ORP_ECRYPTO, HTTP_SERVICE_UNAVAILABLE },
};

int openid2rp_http_status(apr_status_t status)
{
    apr_size_t i;

    for (i = 0; i < sizeof(http_statuses) / sizeof(http_statuses[0]); i++) {
        if (http_statuses[i].status == status) {
            return http_statuses[i].http;
        }
    }
    return status > ORP_STATUS_START && status < ORP_ESTORE
        ? HTTP_FORBIDDEN : HTTP_SERVICE_UNAVAILABLE;
}

void openid2rp_page_headers(request_rec *r)
{
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    /* no-referrer would make browsers say "Origin: null" with our own forms
     * (Fetch, "append a request Origin header"), as those of anybody do */
    apr_table_setn(r->err_headers_out, "Referrer-Policy", "strict-origin");
    apr_table_setn(r->err_headers_out, "X-Content-Type-Options", "nosniff");
}

/* form-action: Chromium applies it to the redirect that answers the form, too,
 * and that leads to the provider. Where this is, only the answer knows: anybody
 * may type an OpenID of any provider, and a provider may pass its user on. So
 * every http and https address is named; javascript: and the like are not. What
 * this gives away is little: nothing else on the page can make a form, and
 * there is nothing secret in ours. */
static void policy_header(request_rec *r, int scripts)
{
    unsigned char digest[ORP_HASH_MAX];
    const char *source = "'none'";

    if (orp_digest(digest, ORP_SHA256, style, sizeof(style) - 1)
        == APR_SUCCESS) {
        source = apr_pstrcat(r->pool, "'sha256-",
                             orp_base64_encode(digest,
                                               orp_hash_size(ORP_SHA256),
                                               r->pool), "'", NULL);
    }
    apr_table_setn(r->err_headers_out, "Content-Security-Policy",
                   apr_pstrcat(r->pool, "default-src 'none'; ",
                               scripts ? "script-src 'self'; " : "",
                               "style-src ", source,
                               "; form-action 'self' http: https:; "
                               "base-uri 'none'; frame-ancestors 'none'",
                               NULL));
}

/* For text and attribute values alike. */
static const char *escaped(request_rec *r, const char *text)
{
    return ap_escape_html(r->pool, text);
}

static void put_provider(request_rec *r, const openid2rp_page_t *page,
                         const char *label, const char *url)
{
    ap_rvputs(r, "<form method=\"post\" action=\"",
              escaped(r, page->target), "\">\n"
              "<button name=\"openid_identifier\" value=\"",
              escaped(r, url), "\">", escaped(r, label),
              "</button>\n</form>\n", NULL);
}

/* What was typed, to be corrected; nothing where it is no text at all. */
static const char *typed_text(const openid2rp_page_t *page)
{
    const char *typed = page->typed;

    return typed && orp_utf8_valid(typed, strlen(typed))
        && !orp_has_control(typed) ? typed : "";
}

/* Is it what was typed that is wrong? */
static int is_mistake(const openid2rp_page_t *page)
{
    return page->sentence && page->typed && page->status == HTTP_BAD_REQUEST;
}

static void put_field(request_rec *r, const openid2rp_page_t *page)
{
    ap_rvputs(r, "<form method=\"post\" action=\"",
              escaped(r, page->target), "\">\n"
              "<label for=\"openid\">Your OpenID</label>\n"
              "<input id=\"openid\" name=\"openid_identifier\" type=\"text\" "
              "inputmode=\"url\" autocomplete=\"url\" "
              "autocapitalize=\"none\" spellcheck=\"false\" autofocus "
              "maxlength=\"", apr_itoa(r->pool, ORP_IDENTIFIER_MAX),
              is_mistake(page) ? "\" aria-invalid=\"true" : "",
              "\" aria-describedby=\"", page->sentence ? "alert " : "",
              "hint\" value=\"",
              escaped(r, typed_text(page)), "\">\n"
              "<small id=\"hint\">The web address of your OpenID, or of your "
              "provider.</small>\n"
              "<button>Sign in</button>\n</form>\n", NULL);
}

static void put_forms(request_rec *r, const openid2rp_page_t *page)
{
    const openid2rp_dir_t *dir = openid2rp_dir(r);
    int i;

    if (*dir->single_provider) {
        put_provider(r, page, "Sign in", dir->single_provider);
        return;
    }
    for (i = 0; i < dir->providers->nelts; i++) {
        const openid2rp_provider_t *provider
            = &APR_ARRAY_IDX(dir->providers, i, openid2rp_provider_t);

        put_provider(r, page, provider->label, provider->url);
    }
    if (dir->providers->nelts) {
        ap_rputs("<p class=\"or\">or</p>\n", r);
    }
    put_field(r, page);
}

void openid2rp_page_open(request_rec *r, int status, int scripts,
                         const char *title)
{
    title = escaped(r, title);
    openid2rp_page_headers(r);
    policy_header(r, scripts);
    if (status == HTTP_UNAUTHORIZED) {
        /* RFC 9110, 15.5.2: a 401 names a way in; browsers do not know this
         * one, and show the page */
        apr_table_setn(r->err_headers_out, "WWW-Authenticate",
                       OPENID2RP_AUTH_TYPE);
    }
    r->status = status;
    r->status_line = NULL;
    ap_set_content_type(r, "text/html; charset=utf-8");
    if (!r->header_only) {
        ap_rvputs(r, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                  "<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" "
                  "content=\"width=device-width, initial-scale=1\">\n"
                  "<title>", title, "</title>\n<style>", style,
                  "</style>\n</head>\n<body>\n<main>\n<h1>", title,
                  "</h1>\n", NULL);
    }
}

void openid2rp_page_close(request_rec *r)
{
    if (!r->header_only) {
        ap_rputs("</main>\n</body>\n</html>\n", r);
    }
}

int openid2rp_page_send(request_rec *r, const openid2rp_page_t *page)
{
    const char *site = r->server->server_hostname
        ? r->server->server_hostname : "this site";

    openid2rp_page_open(r, page->status, 0,
                        apr_pstrcat(r->pool, "Sign in to ", site, NULL));
    if (!r->header_only) {
        if (page->sentence) {
            ap_rvputs(r, "<div id=\"alert\"><p role=\"alert\">",
                      escaped(r, page->sentence), "</p></div>\n", NULL);
        }
        put_forms(r, page);
    }
    openid2rp_page_close(r);
    return OK;
}
