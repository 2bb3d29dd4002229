/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_intercept.h"

#include <apr_strings.h>
#include <http_request.h>

#include "openid2rp_config.h"
#include "openid2rp_origin.h"
#include "openid2rp_return.h"
#include "openid2rp_session.h"
#include "openid2rp_start.h"
#include "openid2rp_user.h"
#include "openid2rp_vars.h"
#include "orp_codec.h"

/* ---------------------------------------------------------------------- */
/* What the application learns */

/* Somebody whom another module has signed in (Basic) stays who they are. */
static int is_user_ours(request_rec *r)
{
    return !r->user || (r->ap_auth_type
                        && !strcmp(r->ap_auth_type, OPENID2RP_AUTH_TYPE));
}

/* Nor does httpd say REDIRECT_REMOTE_USER of those that led here. */
static void forget_user(request_rec *r)
{
    for (; r; r = r->prev) {
        if (is_user_ours(r)) {
            r->user = NULL;
            r->ap_auth_type = NULL;
        }
    }
}

/* In this section, who is it? Another one's rules may have let pass whom this
 * one does not. */
static void tell_identity(request_rec *r, const orp_identity_t *identity)
{
    orp_reason_t *why = orp_reason_create(r->pool);
    int ours = is_user_ours(r);
    const char *user = NULL;
    apr_status_t status = openid2rp_session_is_accepted(r, identity)
        ? openid2rp_user_name(&user, r, identity, why) : ORP_EPROVIDER;

    forget_user(r);
    if (status == APR_SUCCESS
        || (status == ORP_ENOACCOUNT && openid2rp_user_register(r))) {
        openid2rp_vars_set(r, identity, ours ? user : NULL);
    }
}

static void tell(request_rec *r, const openid2rp_request_t *notes)
{
    openid2rp_request(r)->told = r->per_dir_config;
    openid2rp_vars_clear(r);
    if (notes->identity) {
        tell_identity(r, notes->identity);
    }
    if (notes->outcome && notes->outcome->kind == OPENID2RP_REFUSED) {
        openid2rp_vars_set_error(r, notes->outcome->why);
    }
    if (notes->notice) {
        openid2rp_vars_set_notice(r, notes->notice);
    }
    if (notes->identity || notes->outcome || notes->notice) {
        /* a page for one user; mod_cache shall not give it to others */
        apr_table_setn(r->subprocess_env, "no-cache", "1");
    }
    openid2rp_vars_pass(r);
}

/* ---------------------------------------------------------------------- */
/* What a request is */

/* The notes of the request that was looked at, of those that led to this. */
static const openid2rp_request_t *seen(request_rec *r)
{
    const openid2rp_request_t *notes;
    request_rec *from = r;

    do {
        notes = openid2rp_request_find(from);
        if (notes && notes->is_seen) {
            return notes;
        }
        from = from->main ? from->main : from->prev;
    } while (from);
    return NULL;
}

/* OpenIDSession store: who signed in before. Where that cannot be known, the
 * application goes on, with nobody. */
static void find_session(openid2rp_request_t *notes, request_rec *r)
{
    orp_identity_t *identity;
    apr_status_t status;

    if (openid2rp_dir(r)->session != OPENID2RP_SESSION_STORE) {
        return;
    }
    status = openid2rp_session_find(&identity, r);
    if (status == APR_SUCCESS) {
        notes->identity = identity;
    }
    else if (status != ORP_ENOTFOUND) {
        openid2rp_session_log_failure(r, status);
    }
}

/* For the handler. */
static int is_ours(openid2rp_request_t *notes, request_rec *r,
                   openid2rp_action_e action)
{
    notes->action = action;
    openid2rp_request_claim(r);
    return OK;
}

static int pass(openid2rp_request_t *notes, request_rec *r)
{
    notes->action = OPENID2RP_NOTHING;
    tell(r, notes);
    return DECLINED;
}

static int start(openid2rp_request_t *notes, request_rec *r)
{
    openid2rp_outcome_t *out = openid2rp_outcome_create(r);
    const char *origin;

    if (openid2rp_origin(&origin, r) != OK) {
        notes->notice = "Nobody can sign in here: this site is not known "
            "under the name in the address.";
        return pass(notes, r);
    }
    if (openid2rp_request_needs_click(r, origin)) {
        notes->notice = "This login was begun on another site. Please begin "
            "it here.";
        return pass(notes, r);
    }
    openid2rp_start(out, notes, r);
    /* over the limit, not even the application has work with it */
    if (out->kind != OPENID2RP_REFUSED || out->why->status == ORP_ERATE) {
        notes->outcome = out;
        return is_ours(notes, r, OPENID2RP_ANSWER);
    }
    notes->notice = out->why->sentence;
    return pass(notes, r);
}

static int come_back(openid2rp_request_t *notes, request_rec *r)
{
    openid2rp_outcome_t *out = openid2rp_outcome_create(r);

    openid2rp_return(out, notes, r);
    notes->outcome = out;
    if (out->kind != OPENID2RP_SIGNED_IN && out->kind != OPENID2RP_REFUSED) {
        return is_ours(notes, r, OPENID2RP_ANSWER);
    }
    notes->identity = out->identity;    /* never beside an error */
    return is_ours(notes, r, OPENID2RP_CALL);
}

/* We come back to addresses of this site. None has line ends in it; and from a
 * folder's name without "/", mod_dir sends the browser on, before anybody has
 * been called: there, a login begins where that leads. */
static int can_come_back(request_rec *r)
{
    apr_size_t size = strlen(r->uri);

    return !orp_has_control(r->uri)
        && (r->finfo.filetype != APR_DIR || !size
            || r->uri[size - 1] == '/');
}

static int look_at(request_rec *r)
{
    openid2rp_request_t *notes = openid2rp_request(r);
    int result;

    notes->is_seen = 1;
    find_session(notes, r);
    result = openid2rp_request_classify(notes, r);
    if (result != OK) {
        return result;
    }
    /* a body that was looked into may have brought trailers */
    openid2rp_vars_scrub(r);
    if (!can_come_back(r)) {
        if (notes->action == OPENID2RP_START) {
            notes->notice = "A login cannot begin at this address.";
        }
        return pass(notes, r);
    }
    switch (notes->action) {
    case OPENID2RP_NOTHING:
        return pass(notes, r);
    case OPENID2RP_START:
        return start(notes, r);
    case OPENID2RP_RETURN:
        return come_back(notes, r);
    default:
        return is_ours(notes, r, notes->action);
    }
}

int openid2rp_intercept(request_rec *r)
{
    const openid2rp_request_t *notes = seen(r);

    if (notes) {
        tell(r, notes);
        return DECLINED;
    }
    if (openid2rp_request_is_part(r)) {
        /* of a page in another section, which has its own users */
        openid2rp_vars_clear(r);
        return DECLINED;
    }
    return look_at(r);
}

int openid2rp_intercept_is_part(request_rec *r)
{
    return seen(r) != NULL;
}

void openid2rp_intercept_tell(request_rec *r)
{
    const openid2rp_request_t *notes = seen(r);

    if (notes) {
        tell(r, notes);
    }
}

void openid2rp_intercept_forget(request_rec *r)
{
    openid2rp_vars_scrub(r);
    openid2rp_vars_clear(r);
    forget_user(r);
}

/* ---------------------------------------------------------------------- */
/* Calling the application */

/* Where the login began, if that is here; else this page. What another path
 * is, its own section says. */
static const char *url_to_call(request_rec *r,
                               const openid2rp_outcome_t *out)
{
    const char *path = openid2rp_path(r);
    const char *target = out->login ? out->login->target : NULL;
    apr_size_t size = strlen(path);

    return target && !strncmp(target, path, size)
        && (!target[size] || target[size] == '?') ? target : path;
}

int openid2rp_intercept_call(const openid2rp_request_t *notes,
                             request_rec *r)
{
    const char *url = url_to_call(r, notes->outcome);
    const char *query = strchr(url, '?');

    /* else CGI would see the answer as REDIRECT_QUERY_STRING */
    r->args = query ? apr_pstrdup(r->pool, query + 1) : NULL;
    ap_internal_redirect(url, r);
    return OK;
}

int openid2rp_intercept_post_read_request(request_rec *r)
{
    const openid2rp_request_t *notes = r->prev
        ? openid2rp_request_find(r->prev) : NULL;

    if (notes && notes->is_seen && notes->action == OPENID2RP_CALL) {
        r->the_request = apr_pstrcat(r->pool, r->method, " ",
                                     r->unparsed_uri, " ", r->protocol,
                                     NULL);
        /* a page that mod_cache has would leave the application in the
         * dark */
        apr_table_setn(r->headers_in, "Cache-Control", "no-cache");
    }
    return DECLINED;
}
