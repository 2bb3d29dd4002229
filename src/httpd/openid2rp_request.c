/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_request.h"

#include <apr_strings.h>
#include <http_protocol.h>

#include "openid2rp_body.h"
#include "openid2rp_config.h"
#include "openid2rp_publish.h"

#define IDENTIFIER "openid_identifier"
#define RETURN "openid_return"

openid2rp_request_t *openid2rp_request_find(request_rec *r)
{
    return ap_get_module_config(r->request_config, &openid2rp_module);
}

openid2rp_request_t *openid2rp_request(request_rec *r)
{
    openid2rp_request_t *notes = openid2rp_request_find(r);

    if (!notes) {
        notes = apr_pcalloc(r->pool, sizeof(*notes));
        ap_set_module_config(r->request_config, &openid2rp_module, notes);
    }
    return notes;
}

int openid2rp_request_is_part(request_rec *r)
{
    return r->main || (r->prev && ap_is_HTTP_ERROR(r->prev->status));
}

void openid2rp_request_claim(request_rec *r)
{
    r->finfo.filetype = APR_REG;
}

/* A form that has another way to sign in, too, comes with an empty field. */
static int is_blank(const char *text)
{
    return !text[strspn(text, " ")];
}

/* Take a login's identifier out of a query or form. */
static int take_identifier(openid2rp_request_t *notes, request_rec *r,
                           const orp_params_t *params)
{
    int blank_counts = openid2rp_mode(r) == OPENID2RP_PROTECT;
    const char *typed = NULL;
    int count = 0;
    int i;

    for (i = 0; i < orp_params_size(params); i++) {
        const char *value = orp_params_value(params, i);

        if (!strcmp(orp_params_name(params, i), IDENTIFIER)
            && (blank_counts || !is_blank(value))) {
            typed = value;
            count++;
        }
    }
    if (!count) {
        return 0;
    }
    notes->action = OPENID2RP_START;
    notes->typed = count == 1 ? typed : NULL;
    return 1;
}

/* Does a field begin with that mark, in what cannot be decoded? */
static int has_mark(const char *query, const char *mark)
{
    const char *at = query;

    while ((at = strstr(at, mark)) != NULL) {
        if (at == query || at[-1] == '&') {
            return 1;
        }
        at++;
    }
    return 0;
}

static int classify_query(openid2rp_request_t *notes, request_rec *r)
{
    const char *query = r->parsed_uri.query;
    orp_params_t *params;

    if (!query) {
        return 0;
    }
    if (orp_params_parse_form(&params, query, strlen(query), r->pool)
        != APR_SUCCESS) {
        /* broken, or too much: meant for us, if the mark is in it */
        if (has_mark(query, RETURN "=")) {
            notes->action = OPENID2RP_RETURN;
        }
        else if (has_mark(query, IDENTIFIER "=")) {
            notes->action = OPENID2RP_START;
        }
        notes->broken = notes->action != OPENID2RP_NOTHING;
        notes->key = "";
        return notes->broken;
    }
    if (orp_params_get(params, RETURN)) {
        notes->action = OPENID2RP_RETURN;
        notes->key = orp_params_count(params, RETURN) == 1
            ? orp_params_get(params, RETURN) : "";
        return 1;
    }
    return take_identifier(notes, r, params);
}

static int has_value(request_rec *r, const char *header, const char *value)
{
    const char *text = apr_table_get(r->headers_in, header);

    return text && !ap_cstr_casecmp(text, value);
}

/* In intercept mode, only what can be read is ours: an application may get
 * what it likes. An answer is: no application asked for it. */
static void let_pass(openid2rp_request_t *notes)
{
    if (notes->action == OPENID2RP_START
        && (notes->broken || notes->too_large)) {
        notes->action = OPENID2RP_NOTHING;
        notes->broken = notes->too_large = 0;
    }
}

/* A form that names an identifier, beside the query or without one there. */
static int classify_form(openid2rp_request_t *notes, request_rec *r)
{
    int in_query = notes->action == OPENID2RP_START;
    orp_params_t *form;
    int result = openid2rp_body_form(&form, r);

    if (result != OK) {
        return result;
    }
    if (form) {
        if (take_identifier(notes, r, form) && in_query) {
            notes->typed = NULL;
        }
    }
    else if (openid2rp_body_broken_form_has(r, IDENTIFIER "=")) {
        notes->action = OPENID2RP_START;
        notes->broken = 1;
        notes->too_large = openid2rp_body_is_too_large(r);
    }
    else if (!notes->identity && openid2rp_mode(r) == OPENID2RP_PROTECT
             && openid2rp_body_large_form_has(r, IDENTIFIER "=")) {
        /* of who is signed in, it may be the application's */
        notes->action = OPENID2RP_START;
        notes->too_large = 1;
    }
    return OK;
}

static int classify(openid2rp_request_t *notes, request_rec *r)
{
    const openid2rp_dir_t *dir = openid2rp_dir(r);

    if (!strcmp(dir->logout_path, r->uri)) {
        notes->action = OPENID2RP_LOGOUT;
        return OK;
    }
    if (openid2rp_publish_wanted(r)) {
        notes->action = OPENID2RP_PUBLISH;
        return OK;
    }
    if ((r->method_number != M_GET && r->method_number != M_POST)
        || r->header_only) {
        return OK;              /* a HEAD changes nothing */
    }
    (void)classify_query(notes, r);
    return r->method_number == M_POST && notes->action != OPENID2RP_RETURN
        ? classify_form(notes, r) : OK;
}

/* To browsers, two hosts of one domain are one site ("same-site"); to us, the
 * other one is as strange as any: it can belong to anybody. "null" is the
 * origin of nobody, but also that of a form of this site with the policy
 * no-referrer: there, Sec-Fetch-Site knows better. */
int openid2rp_request_is_cross_site(request_rec *r, const char *origin)
{
    int is_said = apr_table_get(r->headers_in, "Sec-Fetch-Site") != NULL;

    if (is_said && !has_value(r, "Sec-Fetch-Site", "same-origin")
        && !has_value(r, "Sec-Fetch-Site", "none")) {
        return 1;
    }
    return r->method_number == M_POST
        && apr_table_get(r->headers_in, "Origin")
        && !has_value(r, "Origin", origin)
        && !(is_said && has_value(r, "Origin", "null"));
}

/* Is it a picture, a script, a fetch(), and no page that somebody opens? */
static int is_fetched(request_rec *r)
{
    return apr_table_get(r->headers_in, "Sec-Fetch-Mode")
        && !has_value(r, "Sec-Fetch-Mode", "navigate");
}

/* "empty" is said of a page that the site's service worker passes on. */
int openid2rp_request_is_framed(request_rec *r)
{
    return apr_table_get(r->headers_in, "Sec-Fetch-Dest")
        && !has_value(r, "Sec-Fetch-Dest", "document")
        && !has_value(r, "Sec-Fetch-Dest", "empty");
}

int openid2rp_request_is_embedded(request_rec *r)
{
    return is_fetched(r) || openid2rp_request_is_framed(r);
}

int openid2rp_request_classify(openid2rp_request_t *notes, request_rec *r)
{
    int result = classify(notes, r);

    if (result != OK) {
        return result;
    }
    if (openid2rp_mode(r) == OPENID2RP_INTERCEPT) {
        let_pass(notes);
    }
    if (notes->action == OPENID2RP_START && is_fetched(r)) {
        notes->action = OPENID2RP_NOTHING;
    }
    return OK;
}

int openid2rp_request_needs_click(request_rec *r, const char *origin)
{
    return openid2rp_request_is_cross_site(r, origin)
        || openid2rp_request_is_framed(r);
}

int openid2rp_request_is_foreign(request_rec *r, const char *origin)
{
    return openid2rp_request_is_embedded(r)
        && openid2rp_request_is_cross_site(r, origin);
}

int openid2rp_request_is_navigation(request_rec *r)
{
    const char *mode = apr_table_get(r->headers_in, "Sec-Fetch-Mode");
    const char *accept = apr_table_get(r->headers_in, "Accept");

    if (r->method_number != M_GET && r->method_number != M_POST) {
        return 0;
    }
    if (mode) {                 /* browsers since 2020 to 2023 say it */
        return !ap_cstr_casecmp(mode, "navigate");
    }
    return accept && ap_strcasestr(accept, "text/html")
        && !has_value(r, "X-Requested-With", "XMLHttpRequest");
}
