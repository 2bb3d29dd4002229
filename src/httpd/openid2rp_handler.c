/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_handler.h"

#include <apr_strings.h>

#include "openid2rp_auth.h"
#include "openid2rp_body.h"
#include "openid2rp_config.h"
#include "openid2rp_intercept.h"
#include "openid2rp_origin.h"
#include "openid2rp_page.h"
#include "openid2rp_publish.h"
#include "openid2rp_reply.h"
#include "openid2rp_request.h"
#include "openid2rp_return.h"
#include "openid2rp_session.h"
#include "openid2rp_start.h"
#include "openid2rp_user.h"

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

static int start(const openid2rp_request_t *notes, request_rec *r)
{
    openid2rp_outcome_t *out = openid2rp_outcome_create(r);

    openid2rp_start(out, notes, r);
    return openid2rp_reply_outcome(r, out);
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
    if (notes->denied) {
        page.status = HTTP_FORBIDDEN;
        page.sentence = notes->denied->sentence;
    }
    /* what begins in a frame cannot end there (openid2rp_return.c); and who
     * has no account would come back without one */
    else if (*openid2rp_dir(r)->single_provider
             && r->method_number == M_GET && !r->header_only
             && !openid2rp_request_is_framed(r)) {
        return start(notes, r);
    }
    page.target = openid2rp_target(r, "openid_identifier");
    return openid2rp_page_send(r, &page);
}

static int begin(const openid2rp_request_t *notes, request_rec *r)
{
    const char *origin;

    if (openid2rp_origin(&origin, r) != OK) {
        return openid2rp_reply_misdirected(r);
    }
    return openid2rp_request_needs_click(r, origin) && !notes->too_large
        ? ask(notes, r) : start(notes, r);
}

static int come_back(const openid2rp_request_t *notes, request_rec *r)
{
    openid2rp_outcome_t *out = openid2rp_outcome_create(r);

    openid2rp_return(out, notes, r);
    return openid2rp_reply_outcome(r, out);
}

/* Who has no account gets one there, and may then want to come here. */
static int send_to_register(request_rec *r)
{
    orp_params_t *params = orp_params_create(r->pool);
    const char *query = r->parsed_uri.query;
    const char *origin;

    if (openid2rp_origin(&origin, r) != OK) {
        return openid2rp_reply_misdirected(r);
    }
    orp_params_add(params, "openid_target",
                   apr_pstrcat(r->pool, openid2rp_path(r),
                               query ? "?" : NULL, query, NULL));
    return openid2rp_reply_redirect(
        r, orp_params_url(apr_pstrcat(r->pool, origin,
                                      openid2rp_user_register(r), NULL),
                          params, r->pool));
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
        result = openid2rp_auth_index(r);
        return result == OK ? unprotected(r) : result;
    }
    openid2rp_body_leave(r);
    switch (notes->action) {
    case OPENID2RP_START:
        result = begin(notes, r);
        break;
    case OPENID2RP_RETURN:
        result = come_back(notes, r);
        break;
    case OPENID2RP_LOGOUT:
        result = log_out(r);
        break;
    case OPENID2RP_REGISTER:
        result = send_to_register(r);
        break;
    case OPENID2RP_ANSWER:
        result = openid2rp_reply_outcome(r, notes->outcome);
        break;
    case OPENID2RP_CALL:
        result = openid2rp_intercept_call(notes, r);
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
