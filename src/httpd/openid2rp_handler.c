/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_handler.h"

#include <apr_strings.h>

#include "openid2rp_body.h"
#include "openid2rp_config.h"
#include "openid2rp_origin.h"
#include "openid2rp_page.h"
#include "openid2rp_publish.h"
#include "openid2rp_reply.h"
#include "openid2rp_request.h"
#include "openid2rp_return.h"
#include "openid2rp_session.h"
#include "openid2rp_start.h"

static int log_out(request_rec *r)
{
    const char *origin;
    apr_status_t status;
    int result = openid2rp_origin(&origin, r);

    if (result != OK) {
        return openid2rp_reply_plain(r, result);
    }
    if (openid2rp_request_is_foreign(r, origin)) {
        return openid2rp_reply_plain(r, HTTP_FORBIDDEN);
    }
    status = openid2rp_session_end(r);
    if (status != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, O2RP(242)
                      "store: a session could not be ended (%s)",
                      orp_status_code(status));
        return openid2rp_reply_plain(r, HTTP_SERVICE_UNAVAILABLE);
    }
    return openid2rp_reply_redirect(r, apr_pstrcat(r->pool, origin,
                                   openid2rp_dir(r)->logout_target, NULL));
}

/* Nobody is signed in: ask, or go straight to the only provider. */
static int ask(const openid2rp_request_t *notes, request_rec *r)
{
    openid2rp_page_t page = { HTTP_UNAUTHORIZED, NULL, NULL, NULL };
    const char *origin;

    if (openid2rp_origin(&origin, r) != OK) {
        return openid2rp_reply_misdirected(r);
    }
    page.typed = notes->typed;

    /* what begins in a frame cannot end there (openid2rp_return.c) */
    if (*openid2rp_dir(r)->single_provider && r->method_number == M_GET
        && !r->header_only && !openid2rp_request_is_framed(r)) {
        return openid2rp_start(notes, r);
    }
    page.target = openid2rp_target(r, "openid_identifier");
    return openid2rp_page_send(r, &page);
}

/* Login CSRF: a link or form elsewhere must not put its own user in the place
 * of the one who is signed in; one click here shows that it is wanted. In a
 * frame, nobody sees the page, and nobody clicks. */
static int begin(const openid2rp_request_t *notes, request_rec *r)
{
    const char *origin;

    if (openid2rp_origin(&origin, r) != OK) {
        return openid2rp_reply_misdirected(r);
    }
    return (openid2rp_request_is_cross_site(r, origin)
            || openid2rp_request_is_framed(r)) && !notes->too_large
        ? ask(notes, r) : openid2rp_start(notes, r);
}

static int is_logout(request_rec *r)
{
    return !r->main && !strcmp(openid2rp_dir(r)->logout_path, r->uri);
}

/* What is answered where nothing is protected, too. */
static int unprotected(request_rec *r)
{
    if (is_logout(r)) {
        openid2rp_body_leave(r);
        return log_out(r);
    }
    return openid2rp_publish_wanted(r) ? openid2rp_publish_send(r)
        : DECLINED;
}

int openid2rp_handler(request_rec *r)
{
    const openid2rp_request_t *notes = openid2rp_request_find(r);
    int result;

    if (!notes || notes->action == OPENID2RP_NOTHING) {
        return unprotected(r);
    }
    openid2rp_body_leave(r);
    switch (notes->action) {
    case OPENID2RP_START:
        result = begin(notes, r);
        break;
    case OPENID2RP_RETURN:
        result = openid2rp_return(notes, r);
        break;
    case OPENID2RP_LOGOUT:
        result = log_out(r);
        break;
    case OPENID2RP_PUBLISH:
        result = openid2rp_publish_send(r);
        break;
    default:
        result = ask(notes, r);
        break;
    }
    return result;
}
