/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_return.h"

#include <apr_strings.h>

#include "openid2rp_body.h"
#include "openid2rp_cookie.h"
#include "openid2rp_form.h"
#include "openid2rp_origin.h"
#include "openid2rp_runtime.h"
#include "openid2rp_session.h"
#include "openid2rp_task.h"
#include "openid2rp_user.h"
#include "orp_codec.h"

/* An honest answer has 2 to 3 KB. This many fit beside a login's own values
 * into the store's room for one, which anybody can have kept for theirs. */
#define ANSWER_MAX 8000

/* What the provider says: of a POST the body alone counts (4.1.2); of a GET
 * the query, or, where that has nothing but the KEY, what came by POST. */
static apr_status_t read_params(orp_params_t **pparams, request_rec *r,
                                const orp_login_t *login)
{
    const char *query = r->parsed_uri.query;
    apr_status_t status;

    if (r->method_number == M_POST) {
        *pparams = NULL;
        return openid2rp_body_message(pparams, r) == OK && *pparams
            ? APR_SUCCESS : ORP_EMESSAGE;
    }
    status = orp_params_parse_form(pparams, query, strlen(query), r->pool);
    if (status == APR_SUCCESS && orp_params_size(*pparams) == 1
        && login->answer) {
        status = orp_params_parse_form(pparams, login->answer,
                                       strlen(login->answer), r->pool);
    }
    return status;
}

static apr_status_t read_message(orp_message_t **pmessage,
                                 orp_params_t **pparams, request_rec *r,
                                 const orp_login_t *login, orp_reason_t *why)
{
    if (read_params(pparams, r, login) != APR_SUCCESS) {
        return orp_reason_set(why, ORP_EMESSAGE, NULL,
                              "The provider's message cannot be read.");
    }
    return orp_message_from_request(pmessage, *pparams, why, r->pool);
}

/* A POST from the provider's site comes without SameSite=Lax cookies; at most
 * with one that a neighbour has set. */
static int may_lack_cookies(request_rec *r, const orp_login_t *login,
                            const char *origin)
{
    return r->method_number == M_POST && !strcmp(login->origin, origin)
        && !orp_login_is_browser(login, openid2rp_cookie_login(r, login),
                                 r->pool);
}

static void go(openid2rp_outcome_t *out, const char *url)
{
    out->kind = OPENID2RP_GO;
    out->url = url;
}

/* Keep such an answer, unseen, and let the browser come with its cookies: then
 * it is verified. Whoever knows the KEY can do this, so it changes nothing but
 * what a browser that comes without an answer has to say. */
static apr_status_t keep_answer(request_rec *r, const orp_login_t *login,
                                const orp_params_t *params,
                                orp_reason_t *why)
{
    orp_login_t kept = *login;
    apr_status_t status;

    kept.answer = orp_params_form(params, r->pool);
    status = strlen(kept.answer) > ANSWER_MAX ? ORP_ETOOBIG
        : orp_login_change(&kept, openid2rp_env(r), r->pool);
    if (status == ORP_ETOOBIG) {
        status = orp_reason_set(why, ORP_EMESSAGE, NULL,
                                "The provider's message is too long.");
    }
    return status;
}

static void keep_or_refuse(openid2rp_outcome_t *out, request_rec *r,
                           const orp_params_t *params)
{
    apr_status_t status = keep_answer(r, out->login, params, out->why);

    if (status != APR_SUCCESS) {
        openid2rp_outcome_explain(out, status);
        openid2rp_outcome_refuse(out, r);
        return;
    }
    go(out, out->login->return_to);
}

static apr_status_t find_login(orp_login_t **plogin, request_rec *r,
                               const char *key, orp_reason_t *why)
{
    apr_status_t status = ORP_ENOTFOUND;

    if (orp_env_is_token(key)) {
        status = orp_login_find(plogin, openid2rp_env(r), key, r->pool);
    }
    if (status == ORP_ENOTFOUND) {
        status = orp_reason_set(why, ORP_ELOGIN, NULL,
                                "There is no login in progress that this "
                                "answers; it may have taken too long. Please "
                                "sign in again.");
    }
    return status;
}

/* Signed in: with a name here, or the way to one. */
static void arrive(openid2rp_outcome_t *out, request_rec *r,
                   const orp_identity_t *identity)
{
    apr_status_t status = openid2rp_user_name(&out->user, r, identity,
                                              out->why);

    openid2rp_cookie_clear_login(r, out->login->key);
    if (status == ORP_ENOACCOUNT && openid2rp_user_register(r)) {
        status = APR_SUCCESS;
    }
    if (status == APR_SUCCESS
        && openid2rp_dir(r)->session == OPENID2RP_SESSION_STORE) {
        status = openid2rp_session_begin(r, out->login->origin, identity);
    }
    if (status != APR_SUCCESS) {
        openid2rp_outcome_explain(out, status);
        openid2rp_outcome_refuse(out, r);
        return;
    }
    out->kind = OPENID2RP_SIGNED_IN;
    out->identity = identity;
}

/* The URL that a browser comes back to, without an answer. */
static const char *bare(request_rec *r, const char *origin, const char *key)
{
    return apr_pstrcat(r->pool, origin, openid2rp_path(r), "?openid_return=",
                       orp_env_is_token(key) ? key : "", NULL);
}

/* Nobody waits for this answer: its login was completed, is gone, or never
 * was. That happens to honest people, by the back button, in a second tab,
 * after lunch. Whoever is signed in goes on; others can begin again. */
static void is_over(openid2rp_outcome_t *out,
                    const openid2rp_request_t *notes, request_rec *r,
                    const char *origin)
{
    if (notes->identity) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, O2RP(241)
                      "login refused (%s): %s Its browser is signed in and "
                      "goes on.", orp_status_code(out->why->status),
                      out->why->sentence);
        go(out, apr_pstrcat(r->pool, origin, out->login ? out->login->target
                            : openid2rp_path(r), NULL));
        return;
    }
    /* a POST from the provider's site hides who is signed in */
    if (r->method_number == M_POST && orp_env_is_token(notes->key)
        && openid2rp_request_is_cross_site(r, origin)) {
        go(out, bare(r, origin, notes->key));
        return;
    }
    openid2rp_outcome_refuse(out, r);
}

/* An answer to a login that takes none. */
static void too_late(openid2rp_outcome_t *out,
                     const openid2rp_request_t *notes, request_rec *r,
                     const orp_assertion_t *assertion)
{
    const orp_login_t *login = assertion->login;
    int ours = !strcmp(login->origin, assertion->origin);

    /* an application is told what is: a browser that comes again has given
     * its cookie away */
    if (login->state == ORP_LOGIN_DONE && ours
        && (notes->identity || openid2rp_mode(r) == OPENID2RP_INTERCEPT)) {
        (void)orp_reason_set(out->why, ORP_EREPLAY, NULL,
                             "This login was completed before.");
    }
    else if (orp_verify_login(assertion, out->why, r->pool) == APR_SUCCESS) {
        (void)orp_reason_set(out->why, ORP_ELOGIN, NULL,
                             "This login takes no answer.");
    }
    out->login = ours ? login : NULL;
    is_over(out, notes, r, assertion->origin);
}

/* An immediate request was not enough (10.2.1): ask so that the provider may
 * ask the user. Once: the record forgets that there is a second way. */
static void ask_again(openid2rp_outcome_t *out, request_rec *r,
                      const orp_login_t *login)
{
    orp_login_t again = *login;
    apr_status_t status;

    again.setup = again.answer = NULL;
    status = orp_login_change(&again, openid2rp_env(r), r->pool);
    if (status != APR_SUCCESS) {
        openid2rp_outcome_explain(out, status);
        openid2rp_outcome_refuse(out, r);
        return;
    }
    out->kind = OPENID2RP_SEND;
    out->url = login->setup;
}

/* An answer to a login that is known. */
static void answer(openid2rp_outcome_t *out,
                   const openid2rp_request_t *notes, request_rec *r,
                   const char *origin)
{
    const orp_login_t *login = out->login;
    orp_assertion_t assertion = { NULL, login, NULL, origin, NULL };
    orp_message_t *message;
    orp_params_t *params;
    orp_identity_t *identity;
    apr_status_t status;

    assertion.browser = openid2rp_cookie_login(r, login);
    if (login->state != ORP_LOGIN_READY) {
        too_late(out, notes, r, &assertion);
        return;
    }
    if (read_message(&message, &params, r, login, out->why) != APR_SUCCESS) {
        openid2rp_outcome_refuse(out, r);
        return;
    }
    if (may_lack_cookies(r, login, origin)) {
        keep_or_refuse(out, r, params);
        return;
    }
    assertion.message = message;
    assertion.url = apr_pstrcat(r->pool, origin, openid2rp_path(r), NULL);
    status = openid2rp_task_complete(&identity, r, &assertion, out->why);
    if (status == ORP_ESETUP && login->setup) {
        ask_again(out, r, login);
    }
    else if (status != APR_SUCCESS) {
        openid2rp_outcome_explain(out, status);
        openid2rp_outcome_refused(out, r);
    }
    else {
        arrive(out, r, identity);
    }
}

static int is_too_large(request_rec *r)
{
    orp_params_t *form;

    return r->method_number == M_POST
        && (openid2rp_body_message(&form, r) == HTTP_REQUEST_ENTITY_TOO_LARGE
            || openid2rp_body_is_too_large(r));
}

/* An application is called with GET: what comes by POST waits for that, if it
 * can be read and kept; what is wrong with others is found, and said, then. */
static void wait_for_get(openid2rp_outcome_t *out,
                         const openid2rp_request_t *notes, request_rec *r,
                         const char *origin)
{
    orp_message_t *message;
    orp_params_t *params;
    orp_login_t *login;

    int is_kept = !is_too_large(r)
        && find_login(&login, r, notes->key, NULL) == APR_SUCCESS
        && login->state == ORP_LOGIN_READY
        && !strcmp(login->origin, origin)
        && read_message(&message, &params, r, login, NULL) == APR_SUCCESS
        && keep_answer(r, login, params, NULL) == APR_SUCCESS;

    go(out, is_kept ? login->return_to : bare(r, origin, notes->key));
}

static void find_and_answer(openid2rp_outcome_t *out,
                            const openid2rp_request_t *notes,
                            request_rec *r, const char *origin)
{
    orp_login_t *login;
    apr_status_t status;

    if (!*notes->key) {
        (void)orp_reason_set(out->why, ORP_EMESSAGE, NULL,
                             "The provider's message cannot be read.");
        is_over(out, notes, r, origin);
        return;
    }
    status = find_login(&login, r, notes->key, out->why);
    if (status == ORP_ELOGIN) {
        is_over(out, notes, r, origin);
    }
    else if (status != APR_SUCCESS) {
        openid2rp_outcome_explain(out, status);
        openid2rp_outcome_refuse(out, r);
    }
    else {
        out->login = login;
        answer(out, notes, r, origin);
    }
}

void openid2rp_return(openid2rp_outcome_t *out,
                      const openid2rp_request_t *notes, request_rec *r)
{
    const char *origin;

    if (openid2rp_origin(&origin, r) != OK) {
        out->kind = OPENID2RP_MISDIRECTED;
    }
    else if (!strcmp(notes->key, OPENID2RP_FORM_SCRIPT)) {
        out->kind = OPENID2RP_SCRIPT;
    }
    else if (r->method_number == M_POST
             && openid2rp_mode(r) == OPENID2RP_INTERCEPT) {
        wait_for_get(out, notes, r, origin);
    }
    /* a picture on a neighbour's page brings the cookies that it has set; a
     * provider's answer is a page that the browser opens */
    else if (openid2rp_request_is_embedded(r)) {
        (void)orp_reason_set(out->why, ORP_EBROWSER, NULL,
                             "This answer comes as a part of another page. "
                             "Please sign in in a window of its own.");
        openid2rp_outcome_refuse(out, r);
    }
    else if (is_too_large(r)) {
        openid2rp_outcome_too_large(out, r);
    }
    else {
        find_and_answer(out, notes, r, origin);
    }
}
