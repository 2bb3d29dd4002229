/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_return.h"

#include <apr_strings.h>

#include "openid2rp_body.h"
#include "openid2rp_cookie.h"
#include "openid2rp_form.h"
#include "openid2rp_origin.h"
#include "openid2rp_reply.h"
#include "openid2rp_runtime.h"
#include "openid2rp_session.h"
#include "openid2rp_start.h"
#include "openid2rp_task.h"
#include "orp_codec.h"

/* An honest answer has 2 to 3 KB. This many fit beside a login's own values
 * into the store's room for one, which anybody can have kept for theirs. */
#define ANSWER_MAX 8000

static int is_key(const char *text)
{
    return strlen(text) == ORP_TOKEN_CHARS
        && orp_base64url_span(text) == ORP_TOKEN_CHARS;
}

/* What the provider says: of a POST the body alone counts (4.1.2); of a GET
 * the query, or, where that has nothing but the KEY, what came by POST. */
static apr_status_t read_params(orp_params_t **pparams, request_rec *r,
                                const orp_login_t *login)
{
    const char *query = r->parsed_uri.query;
    apr_status_t status;

    if (r->method_number == M_POST) {
        *pparams = NULL;
        return openid2rp_body_form(pparams, r) == OK && *pparams
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

/* Keep such an answer, unseen, and let the browser come with its cookies: then
 * it is verified. Whoever knows the KEY can do this, so it changes nothing but
 * what a browser that comes without an answer has to say. */
static int keep_answer(request_rec *r, const orp_login_t *login,
                       const orp_params_t *params)
{
    orp_reason_t *why = orp_reason_create(r->pool);
    orp_login_t kept = *login;
    apr_status_t status;

    kept.answer = orp_params_form(params, r->pool);
    status = strlen(kept.answer) > ANSWER_MAX ? ORP_ETOOBIG
        : orp_login_change(&kept, openid2rp_env(r), r->pool);
    if (status == ORP_ETOOBIG) {
        status = orp_reason_set(why, ORP_EMESSAGE, NULL,
                                "The provider's message is too long.");
    }
    if (status != APR_SUCCESS) {
        openid2rp_reply_explain(why, status);
        return openid2rp_reply_refuse(r, login->target, why);
    }
    return openid2rp_reply_redirect(r, login->return_to);
}

static apr_status_t find_login(orp_login_t **plogin, request_rec *r,
                               const char *key, orp_reason_t *why)
{
    apr_status_t status = ORP_ENOTFOUND;

    if (is_key(key)) {
        status = orp_login_find(plogin, openid2rp_env(r), key, r->pool);
    }
    if (status == ORP_ENOTFOUND) {
        return orp_reason_set(why, ORP_ELOGIN, NULL,
                              "There is no login in progress that this "
                              "answers; it may have taken too long. Please "
                              "sign in again.");
    }
    openid2rp_reply_explain(why, status);
    return status;
}

/* To where the login began. */
static int to_target(request_rec *r, const orp_login_t *login)
{
    return openid2rp_reply_redirect(r, apr_pstrcat(r->pool, login->origin,
                                                   login->target, NULL));
}

/* Signed in: to where the login began. */
static int arrive(request_rec *r, const orp_login_t *login,
                  const orp_identity_t *identity)
{
    orp_reason_t *why = orp_reason_create(r->pool);
    apr_status_t status = openid2rp_session_begin(r, login->origin,
                                                  identity);

    openid2rp_cookie_clear_login(r, login->key);
    if (status != APR_SUCCESS) {
        openid2rp_reply_explain(why, status);
        return openid2rp_reply_refuse(r, login->target, why);
    }
    return to_target(r, login);
}

/* Nobody waits for this answer: its login was completed, is gone, or never
 * was. That happens to honest people, by the back button, in a second tab,
 * after lunch. Whoever is signed in goes on; others can begin again.
 * @param login  of this site, or NULL where it is not known */
static int is_over(const openid2rp_request_t *notes, request_rec *r,
                   const char *origin, const orp_login_t *login,
                   const orp_reason_t *why)
{
    const char *target = login ? login->target : openid2rp_path(r);

    if (notes->identity) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, O2RP(241)
                      "login refused (%s): %s Its browser is signed in and "
                      "goes on.", orp_status_code(why->status),
                      why->sentence);
        return openid2rp_reply_redirect(r, apr_pstrcat(r->pool, origin,
                                                       target, NULL));
    }
    /* a POST from the provider's site hides who is signed in */
    if (r->method_number == M_POST && is_key(notes->key)
        && openid2rp_request_is_cross_site(r, origin)) {
        return openid2rp_reply_redirect(
            r, apr_pstrcat(r->pool, origin, openid2rp_path(r),
                           "?openid_return=", notes->key, NULL));
    }
    return openid2rp_reply_refuse(r, target, why);
}

/* An answer to a login that takes none. */
static int too_late(const openid2rp_request_t *notes, request_rec *r,
                    const orp_assertion_t *assertion)
{
    const orp_login_t *login = assertion->login;
    int ours = !strcmp(login->origin, assertion->origin);
    orp_reason_t *why = orp_reason_create(r->pool);

    if (login->state == ORP_LOGIN_DONE && notes->identity && ours) {
        (void)orp_reason_set(why, ORP_EREPLAY, NULL,
                             "This login was completed before.");
    }
    else if (orp_verify_login(assertion, why, r->pool) == APR_SUCCESS) {
        (void)orp_reason_set(why, ORP_ELOGIN, NULL,
                             "This login takes no answer.");
    }
    return is_over(notes, r, assertion->origin, ours ? login : NULL, why);
}

/* An immediate request was not enough (10.2.1): ask so that the provider may
 * ask the user. Once: the record forgets that there is a second way. */
static int ask_again(request_rec *r, const orp_login_t *login,
                     orp_reason_t *why)
{
    orp_login_t again = *login;
    apr_status_t status;

    again.setup = again.answer = NULL;
    status = orp_login_change(&again, openid2rp_env(r), r->pool);
    if (status != APR_SUCCESS) {
        openid2rp_reply_explain(why, status);
        return openid2rp_reply_refuse(r, login->target, why);
    }
    return openid2rp_start_send(r, login, login->setup);
}

/* An answer to a login that is known. */
static int answer(const openid2rp_request_t *notes, request_rec *r,
                  const orp_login_t *login, const char *origin)
{
    orp_reason_t *why = orp_reason_create(r->pool);
    orp_assertion_t assertion = { NULL, login, NULL, origin, NULL };
    orp_message_t *message;
    orp_params_t *params;
    orp_identity_t *identity;
    apr_status_t status;

    assertion.browser = openid2rp_cookie_login(r, login);
    if (login->state != ORP_LOGIN_READY) {
        return too_late(notes, r, &assertion);
    }
    status = read_message(&message, &params, r, login, why);
    if (status != APR_SUCCESS) {
        return openid2rp_reply_refuse(r, login->target, why);
    }
    if (may_lack_cookies(r, login, origin)) {
        return keep_answer(r, login, params);
    }
    assertion.message = message;
    assertion.url = apr_pstrcat(r->pool, origin, openid2rp_path(r), NULL);
    status = openid2rp_task_complete(&identity, r, &assertion, why);
    if (status == ORP_ESETUP && login->setup) {
        return ask_again(r, login, why);
    }
    if (status != APR_SUCCESS) {
        openid2rp_reply_explain(why, status);
        return openid2rp_reply_fail(r, login->target, NULL, why);
    }
    return arrive(r, login, identity);
}

static int is_too_large(request_rec *r)
{
    orp_params_t *form;

    return r->method_number == M_POST
        && (openid2rp_body_form(&form, r) == HTTP_REQUEST_ENTITY_TOO_LARGE
            || openid2rp_body_is_too_large(r));
}

int openid2rp_return(const openid2rp_request_t *notes, request_rec *r)
{
    orp_reason_t *why = orp_reason_create(r->pool);
    const char *origin;
    orp_login_t *login;
    apr_status_t status;
    int result = openid2rp_origin(&origin, r);

    if (result != OK) {
        return openid2rp_reply_misdirected(r);
    }
    if (!strcmp(notes->key, OPENID2RP_FORM_SCRIPT)) {
        return openid2rp_form_script(r);
    }
    /* a picture on a neighbour's page brings the cookies that it has set; a
     * provider's answer is a page that the browser opens */
    if (openid2rp_request_is_embedded(r)) {
        (void)orp_reason_set(why, ORP_EBROWSER, NULL,
                             "This answer comes as a part of another page. "
                             "Please sign in in a window of its own.");
        return openid2rp_reply_refuse(r, openid2rp_path(r), why);
    }
    if (is_too_large(r)) {
        return openid2rp_reply_too_large(r, openid2rp_path(r));
    }
    if (!*notes->key) {
        (void)orp_reason_set(why, ORP_EMESSAGE, NULL,
                             "The provider's message cannot be read.");
        return is_over(notes, r, origin, NULL, why);
    }
    status = find_login(&login, r, notes->key, why);
    if (status == ORP_ELOGIN) {
        return is_over(notes, r, origin, NULL, why);
    }
    if (status != APR_SUCCESS) {
        return openid2rp_reply_refuse(r, openid2rp_path(r), why);
    }
    return answer(notes, r, login, origin);
}
