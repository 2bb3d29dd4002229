/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_auth.h"

#include <apr_strings.h>

#include "openid2rp_config.h"
#include "openid2rp_provider.h"
#include "openid2rp_reply.h"
#include "openid2rp_request.h"
#include "openid2rp_runtime.h"
#include "openid2rp_session.h"
#include "openid2rp_vars.h"
#include "orp_codec.h"

/* Is the session's provider one that this section accepts? */
static int is_accepted(request_rec *r, const orp_identity_t *identity)
{
    const openid2rp_dir_t *dir = openid2rp_dir(r);

    if (*dir->single_provider
        && (!identity->typed
            || strcmp(identity->typed, dir->single_provider))) {
        return 0;
    }
    return openid2rp_provider_accepted(identity->endpoint,
                                       dir->provider_allow,
                                       dir->provider_deny, r->pool);
}

/* Find the session, and let its user pass. */
static apr_status_t try_session(openid2rp_request_t *notes, request_rec *r)
{
    orp_identity_t *identity;
    apr_status_t status = openid2rp_session_find(&identity, r);

    if (status == APR_SUCCESS && !is_accepted(r, identity)) {
        return ORP_ENOTFOUND;
    }
    if (status == APR_SUCCESS) {
        notes->identity = identity;
        openid2rp_vars_set(r, identity);
    }
    return status;
}

/* Is this request a part of another one: a subrequest, or the document of an
 * error? Then nobody would see a page, or it would stand in the middle of
 * another. */
static int is_part(request_rec *r)
{
    return r->main || (r->prev && ap_is_HTTP_ERROR(r->prev->status));
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
    /* no index file, no other spelling, no negotiation: modules that look for
     * files find that this is one already */
    r->finfo.filetype = APR_REG;
    return OK;
}

/* Nobody is signed in. */
static int challenge(openid2rp_request_t *notes, request_rec *r)
{
    int action = openid2rp_dir(r)->unauth_action;

    if (is_part(r) || action == OPENID2RP_UNAUTH_401
        || (action == OPENID2RP_UNAUTH_AUTO
            && !openid2rp_request_is_navigation(r))) {
        return refuse(r);
    }
    notes->action = OPENID2RP_PAGE;
    return claim(r);
}

/* An outage is one line for each process, O2RP-301, not one for each request;
 * but shared memory has no such line. */
static int fail(request_rec *r, apr_status_t status)
{
    int said = status == ORP_ESTORE
        && openid2rp_settings(r)->store->type != ORP_PLACE_SHM;

    ap_log_rerror(APLOG_MARK, said ? APLOG_DEBUG : APLOG_ERR, 0, r, O2RP(230)
                  "store: sessions cannot be read (%s)",
                  orp_status_code(status));
    return openid2rp_reply_plain(r, HTTP_SERVICE_UNAVAILABLE);
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
    openid2rp_request_t *notes;
    apr_status_t status;
    int result;

    if (!openid2rp_is_on(r)) {
        return DECLINED;
    }
    notes = openid2rp_request(r);
    notes->action = OPENID2RP_NOTHING;
    status = try_session(notes, r);
    if (!is_part(r)) {
        result = openid2rp_request_classify(notes, r);
        if (result != OK || notes->action != OPENID2RP_NOTHING) {
            return result == OK ? claim(r) : openid2rp_reply_plain(r, result);
        }
    }
    if (status == APR_SUCCESS) {
        return OK;
    }
    if (status != ORP_ENOTFOUND) {
        return fail(r, status);
    }
    return challenge(notes, r);
}

int openid2rp_auth_check_authz(request_rec *r)
{
    const openid2rp_request_t *notes = openid2rp_request_find(r);

    if (!notes || notes->action == OPENID2RP_NOTHING) {
        return DECLINED;
    }
    r->user = notes->identity ? apr_pstrdup(r->pool,
                                            notes->identity->claimed_id)
        : NULL;
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

int openid2rp_auth_fixups(request_rec *r)
{
    const openid2rp_request_t *notes = openid2rp_request_find(r);

    if (notes && notes->action != OPENID2RP_NOTHING) {
        return OK;
    }
    if (!openid2rp_is_on(r)) {
        return DECLINED;
    }
    /* also where httpd asked for no user ("Require ip"); and again where it
     * did: a body that was looked into may have brought trailers */
    openid2rp_vars_scrub(r);
    if (!notes) {
        notes = r->user ? inherited(r) : NULL;
        if (notes && notes->identity) {
            openid2rp_vars_set(r, notes->identity);
        }
    }
    return DECLINED;
}
