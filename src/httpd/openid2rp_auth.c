/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_auth.h"

#include <apr_strings.h>
#include <http_request.h>

#include "openid2rp_config.h"
#include "openid2rp_cookie.h"
#include "openid2rp_intercept.h"
#include "openid2rp_reply.h"
#include "openid2rp_request.h"
#include "openid2rp_session.h"
#include "openid2rp_user.h"
#include "openid2rp_vars.h"
#include "orp_codec.h"

/* Find the session, and who that is here. */
static apr_status_t try_session(openid2rp_request_t *notes, request_rec *r,
                                orp_reason_t *why)
{
    orp_identity_t *identity;
    apr_status_t status = openid2rp_session_find(&identity, r);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = openid2rp_user_name(&notes->user, r, identity, why);
    if (status == APR_SUCCESS || status == ORP_ENOACCOUNT) {
        notes->identity = identity;
    }
    return status;
}

int openid2rp_auth_note_failure(request_rec *r, const char *auth_type)
{
    if (ap_cstr_casecmp(auth_type, OPENID2RP_AUTH_TYPE)) {
        return DECLINED;
    }
    apr_table_setn(r->err_headers_out, "WWW-Authenticate",
                   OPENID2RP_AUTH_TYPE);
    return OK;
}

static int refuse(request_rec *r)
{
    (void)openid2rp_auth_note_failure(r, OPENID2RP_AUTH_TYPE);
    return openid2rp_reply_plain(r, HTTP_UNAUTHORIZED);
}

/* Let a request that is ours on its way to the handler. httpd wants a user's
 * name from authentication: it gets an empty one until authorization, where
 * it is taken away again, and never sees the protected resource.
 *
 * We come back to addresses of this site, so we are careful what these are:
 * no path of a file or program has line ends in it. */
static int claim(request_rec *r)
{
    if (orp_has_control(r->uri)) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, O2RP(254)
                      "no login: the path of the request has control "
                      "characters in it");
        return openid2rp_reply_plain(r, HTTP_BAD_REQUEST);
    }
    r->user = apr_pstrdup(r->pool, "");
    openid2rp_request_claim(r);
    return OK;
}

/* Nobody is signed in, or somebody who has no account.
 * @param status  for those who are not shown a page */
static int challenge(openid2rp_request_t *notes, request_rec *r, int status)
{
    int action = openid2rp_dir(r)->unauth_action;

    if (openid2rp_request_is_part(r) || action == OPENID2RP_UNAUTH_401
        || (action == OPENID2RP_UNAUTH_AUTO
            && !openid2rp_request_is_navigation(r))) {
        return status == HTTP_UNAUTHORIZED ? refuse(r)
            : openid2rp_reply_plain(r, status);
    }
    notes->action = notes->denied && openid2rp_user_register(r)
        ? OPENID2RP_REGISTER : OPENID2RP_PAGE;
    return claim(r);
}

static int fail(request_rec *r, apr_status_t status)
{
    if (status != ORP_ELINKS) {         /* that has a line of its own */
        openid2rp_session_log_failure(r, status);
    }
    return openid2rp_reply_plain(r, HTTP_SERVICE_UNAVAILABLE);
}

static void tell(openid2rp_request_t *notes, request_rec *r)
{
    notes->told = r->per_dir_config;
    openid2rp_vars_set(r, notes->identity, notes->user);
}

/* What becomes of a request that is not ours. */
static int let_in(openid2rp_request_t *notes, request_rec *r,
                  apr_status_t status, const orp_reason_t *why)
{
    switch (status) {
    case APR_SUCCESS:
        tell(notes, r);
        return OK;
    case ORP_ENOTFOUND:
        return challenge(notes, r, HTTP_UNAUTHORIZED);
    case ORP_ENOACCOUNT:
        notes->denied = why;
        return challenge(notes, r, HTTP_FORBIDDEN);
    default:
        return fail(r, status);
    }
}

int openid2rp_auth_check_access(request_rec *r)
{
    if (openid2rp_is_on(r)) {
        openid2rp_vars_scrub(r);
    }
    return DECLINED;
}

int openid2rp_auth_check_authn(request_rec *r)
{
    orp_reason_t *why;
    openid2rp_request_t *notes;
    apr_status_t status;
    int result;

    if (openid2rp_mode(r) != OPENID2RP_PROTECT) {
        return DECLINED;
    }
    why = orp_reason_create(r->pool);
    notes = openid2rp_request(r);
    notes->action = OPENID2RP_NOTHING;
    status = try_session(notes, r, why);
    if (!openid2rp_request_is_part(r)) {
        result = openid2rp_request_classify(notes, r);
        if (result != OK || notes->action != OPENID2RP_NOTHING) {
            return result == OK ? claim(r) : openid2rp_reply_plain(r, result);
        }
    }
    return let_in(notes, r, status, why);
}

int openid2rp_auth_check_authz(request_rec *r)
{
    const openid2rp_request_t *notes = openid2rp_request_find(r);

    if (!notes || notes->action == OPENID2RP_NOTHING) {
        return DECLINED;
    }
    r->user = notes->user ? apr_pstrdup(r->pool, notes->user) : NULL;
    return OK;
}

/* The request that httpd took this one's user from: it skips authentication
 * where a subrequest or internal redirect stays in the same section. */
static const openid2rp_request_t *inherited(request_rec *r)
{
    const openid2rp_request_t *notes = NULL;
    request_rec *from;

    for (from = r; from && !notes; from = from->main ? from->main
         : from->prev) {
        notes = openid2rp_request_find(from);
    }
    return notes;
}

/* Of a request that a protected one includes, or redirects to. */
static void inherit(request_rec *r)
{
    const openid2rp_request_t *from = r->user ? inherited(r) : NULL;
    openid2rp_request_t *notes;

    if (from && from->identity) {
        notes = openid2rp_request(r);
        notes->identity = from->identity;
        notes->user = from->user;
        tell(notes, r);
    }
}

/* What an intercepted request includes, or redirects to, where the module is
 * off. */
static void forget(request_rec *r)
{
    if ((r->main || r->prev) && openid2rp_intercept_is_part(r)) {
        openid2rp_intercept_forget(r);
    }
    (void)openid2rp_cookie_keep(r);     /* the logout path may be here */
}

int openid2rp_auth_fixups(request_rec *r)
{
    const openid2rp_request_t *notes = openid2rp_request_find(r);
    openid2rp_mode_e mode;

    if (notes && notes->action != OPENID2RP_NOTHING) {
        return OK;
    }
    mode = openid2rp_mode(r);
    if (mode == OPENID2RP_OFF) {
        forget(r);
        return DECLINED;
    }
    /* also where httpd asked for no user ("Require ip"); and again where it
     * did: a body that was looked into may have brought trailers */
    openid2rp_vars_scrub(r);
    if (mode == OPENID2RP_INTERCEPT) {
        return openid2rp_intercept(r);
    }
    if (!notes) {
        openid2rp_vars_clear(r);
        inherit(r);
    }
    openid2rp_vars_pass(r);
    return DECLINED;
}

/* In the section of the index, the user may have another name, or none; and
 * authorization was asked about the session's. */
static int protected_index(request_rec *r)
{
    openid2rp_request_t *notes = openid2rp_request(r);
    orp_reason_t *why = orp_reason_create(r->pool);
    apr_status_t status = try_session(notes, r, why);

    openid2rp_vars_scrub(r);
    switch (status) {
    case APR_SUCCESS:
        tell(notes, r);
        openid2rp_vars_pass(r);
        return OK;
    case ORP_ENOTFOUND:
        return refuse(r);
    case ORP_ENOACCOUNT:
        return openid2rp_reply_plain(r, HTTP_FORBIDDEN);
    default:
        return fail(r, status);
    }
}

/* mod_authz_core says what its rules say of the user there is: ask it about
 * none. */
static int needs_user(request_rec *r)
{
    char *user = r->user;
    int needs;

    r->user = NULL;
    needs = ap_some_authn_required(r);
    r->user = user;
    return needs;
}

int openid2rp_auth_index(request_rec *r)
{
    const openid2rp_request_t *notes = openid2rp_request_find(r);
    const void *told = notes ? notes->told : NULL;

    if (told == r->per_dir_config) {
        return OK;
    }
    switch (openid2rp_mode(r)) {
    case OPENID2RP_PROTECT:
        if (openid2rp_vars_known(r) && needs_user(r)) {
            return protected_index(r);
        }
        break;
    case OPENID2RP_INTERCEPT:
        if (told) {
            openid2rp_vars_scrub(r);
            openid2rp_intercept_tell(r);
        }
        return OK;
    default:
        break;
    }
    if (told && openid2rp_intercept_is_part(r)) {
        openid2rp_intercept_forget(r);
    }
    return OK;
}
