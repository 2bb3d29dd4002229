/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_handler.h"

#include <apr_strings.h>
#include <http_protocol.h>

#include "openid2rp_body.h"
#include "openid2rp_cookie.h"
#include "openid2rp_origin.h"
#include "openid2rp_page.h"
#include "openid2rp_request.h"
#include "openid2rp_runtime.h"
#include "openid2rp_session.h"
#include "openid2rp_task.h"
#include "orp_identifier.h"

#define RETURN_PARAMETER "openid_return"
#define KEY_CHARS 22

static int redirect(request_rec *r, const char *url)
{
    openid2rp_page_headers(r);
    apr_table_setn(r->headers_out, "Location", url);
    return HTTP_SEE_OTHER;
}

/* The login page again, with what went wrong. */
static int fail(request_rec *r, const char *target, const char *typed,
                const orp_reason_t *why)
{
    openid2rp_page_t page = {
        openid2rp_http_status(why->status), target, typed, why->sentence
    };

    return openid2rp_page_send(r, &page);
}

/* The same, and the one log line of a refused login, where the core has not
 * come to writing it. */
static int refuse(request_rec *r, const char *target,
                  const orp_reason_t *why)
{
    orp_log(openid2rp_env(r), ORP_LOG_INFO, 240, r->pool,
            "login refused (%s): %s", orp_status_code(why->status),
            why->sentence);
    return fail(r, target, NULL, why);
}

/* A failure that nobody has a sentence for yet. */
static void explain(orp_reason_t *why, apr_status_t status)
{
    char buf[200];

    if (why->status != status || !*why->sentence) {
        (void)orp_reason_set(why, status, NULL, "%s",
                             orp_strerror(status, buf, sizeof(buf)));
    }
}

/* ---------------------------------------------------------------------- */
/* Start */

static apr_status_t check_target(const char *target, orp_reason_t *why)
{
    if (strlen(target) > ORP_LOGIN_TARGET_MAX) {
        return orp_reason_set(why, ORP_EURL, NULL,
                              "The address of this page is too long to come "
                              "back to.");
    }
    return APR_SUCCESS;
}

/* Make the login's record, and tie it to the browser. */
static apr_status_t create_login(orp_login_t **plogin, request_rec *r,
                                 const char *origin, const char *typed,
                                 orp_reason_t *why)
{
    const orp_env_t *env = openid2rp_env(r);
    apr_interval_time_t timeout = openid2rp_settings(r)->login_timeout;
    const char *target = openid2rp_target(r, "openid_identifier");
    const char *browser;
    orp_login_t *login;
    apr_status_t status = check_target(target, why);

    if (status == APR_SUCCESS) {
        status = orp_login_create(&login, &browser, env, timeout, r->pool);
    }
    if (status == APR_SUCCESS) {
        login->origin = origin;
        login->target = target;
        login->typed = typed;
        status = orp_url_normalize(&login->return_to,
                                   apr_pstrcat(r->pool, origin,
                                               openid2rp_path(r),
                                               "?" RETURN_PARAMETER "=",
                                               login->key, NULL), why,
                                   r->pool);
    }
    if (status == APR_SUCCESS) {
        status = orp_login_save(login, env, r->pool);
    }
    if (status == APR_SUCCESS) {
        openid2rp_cookie_set_login(r, login->key, browser,
                                   (int)apr_time_sec(timeout));
        *plogin = login;
    }
    return status;
}

/* What the user wants to sign in with; a site with a single provider does not
 * take others. */
static const char *wanted(const openid2rp_request_t *notes, request_rec *r,
                          orp_reason_t *why)
{
    const openid2rp_dir_t *dir = openid2rp_dir(r);

    if (*dir->single_provider) {
        return dir->single_provider;
    }
    if (!notes->typed) {
        (void)orp_reason_set(why, ORP_EIDENTIFIER, NULL,
                             "Please enter one OpenID, not several.");
        return NULL;
    }
    if (strlen(notes->typed) > ORP_IDENTIFIER_MAX) {
        (void)orp_reason_set(why, ORP_EIDENTIFIER, NULL,
                             "An OpenID is at most %d characters long.",
                             ORP_IDENTIFIER_MAX);
        return NULL;
    }
    return notes->typed;
}

static int start(const openid2rp_request_t *notes, request_rec *r)
{
    const char *target = openid2rp_target(r, "openid_identifier");
    orp_reason_t *why = orp_reason_create(r->pool);
    const char *origin, *typed;
    orp_login_t *login;
    apr_status_t status;
    int result = openid2rp_origin(&origin, r);

    if (result != OK) {
        return result;
    }
    typed = wanted(notes, r, why);
    if (!typed) {
        return refuse(r, target, why);
    }
    status = create_login(&login, r, origin, typed, why);
    if (status != APR_SUCCESS) {
        explain(why, status);
        return refuse(r, target, why);
    }
    status = openid2rp_task_begin(login->key, r, origin, why);
    if (status == APR_SUCCESS) {
        status = orp_login_find(&login, openid2rp_env(r), login->key,
                                r->pool);
    }
    if (status != APR_SUCCESS) {
        explain(why, status);
        openid2rp_cookie_set_login(r, login->key, "", 0);
        return fail(r, target, typed, why);
    }
    return redirect(r, login->redirect);
}

/* ---------------------------------------------------------------------- */
/* Return */

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

/* A POST from the provider's site comes without SameSite=Lax cookies. */
static int may_lack_cookies(request_rec *r, const orp_login_t *login,
                            const char *origin)
{
    return r->method_number == M_POST && login->state == ORP_LOGIN_READY
        && !strcmp(login->origin, origin)
        && !openid2rp_cookie_login(r, login->key);
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
    status = orp_login_save(&kept, openid2rp_env(r), r->pool);
    if (status == ORP_ETOOBIG) {
        status = orp_reason_set(why, ORP_EMESSAGE, NULL,
                                "The provider's message is too long.");
    }
    if (status != APR_SUCCESS) {
        explain(why, status);
        return refuse(r, login->target, why);
    }
    return redirect(r, login->return_to);
}

static apr_status_t find_login(orp_login_t **plogin, request_rec *r,
                               const char *key, orp_reason_t *why)
{
    apr_status_t status = ORP_ENOTFOUND;

    if (strlen(key) == KEY_CHARS) {
        status = orp_login_find(plogin, openid2rp_env(r), key, r->pool);
    }
    if (status == ORP_ENOTFOUND) {
        return orp_reason_set(why, ORP_ELOGIN, NULL,
                              "There is no login in progress that this "
                              "answers; it may have taken too long. Please "
                              "sign in again.");
    }
    explain(why, status);
    return status;
}

/* Signed in: to where the login began. */
static int arrive(request_rec *r, const orp_login_t *login,
                  const orp_identity_t *identity)
{
    orp_reason_t *why = orp_reason_create(r->pool);
    apr_status_t status = openid2rp_session_begin(r, login->origin,
                                                  identity);

    openid2rp_cookie_set_login(r, login->key, "", 0);
    if (status != APR_SUCCESS) {
        explain(why, status);
        return refuse(r, login->target, why);
    }
    return redirect(r, apr_pstrcat(r->pool, login->origin, login->target,
                                   NULL));
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
    apr_status_t status = read_message(&message, &params, r, login, why);

    if (status != APR_SUCCESS) {
        return refuse(r, login->target, why);
    }
    if (may_lack_cookies(r, login, origin)) {
        return keep_answer(r, login, params);
    }
    if (login->state == ORP_LOGIN_DONE && notes->identity
        && !strcmp(login->origin, origin)) {
        /* the back button: whoever is signed in stays so, and goes on */
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, O2RP(241)
                      "login refused (%s): it was completed before",
                      orp_status_code(ORP_EREPLAY));
        return redirect(r, apr_pstrcat(r->pool, origin, login->target,
                                       NULL));
    }
    assertion.message = message;
    assertion.url = apr_pstrcat(r->pool, origin, openid2rp_path(r), NULL);
    assertion.browser = openid2rp_cookie_login(r, login->key);
    status = openid2rp_task_complete(&identity, r, &assertion, why);
    if (status != APR_SUCCESS) {
        explain(why, status);
        return fail(r, login->target, NULL, why);
    }
    return arrive(r, login, identity);
}

static int come_back(const openid2rp_request_t *notes, request_rec *r)
{
    orp_reason_t *why = orp_reason_create(r->pool);
    const char *origin;
    orp_login_t *login;
    int result = openid2rp_origin(&origin, r);

    if (result != OK) {
        return result;
    }
    if (!*notes->key) {
        (void)orp_reason_set(why, ORP_EMESSAGE, NULL,
                             "The provider's message cannot be read.");
        return refuse(r, openid2rp_path(r), why);
    }
    if (find_login(&login, r, notes->key, why) != APR_SUCCESS) {
        return refuse(r, openid2rp_path(r), why);
    }
    return answer(notes, r, login, origin);
}

/* ---------------------------------------------------------------------- */
/* The rest */

static int log_out(request_rec *r)
{
    const char *origin;
    apr_status_t status;
    int result = openid2rp_origin(&origin, r);

    if (result != OK) {
        return result;
    }
    status = openid2rp_session_end(r);
    if (status != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, O2RP(242)
                      "store: a session could not be ended (%s)",
                      orp_status_code(status));
        return HTTP_SERVICE_UNAVAILABLE;
    }
    return redirect(r, apr_pstrcat(r->pool, origin,
                                   openid2rp_dir(r)->logout_target, NULL));
}

/* Nobody is signed in: ask, or go straight to the only provider. */
static int ask(const openid2rp_request_t *notes, request_rec *r)
{
    openid2rp_page_t page = { HTTP_UNAUTHORIZED, NULL, NULL, NULL };

    if (*openid2rp_dir(r)->single_provider && r->method_number == M_GET
        && !r->header_only) {
        return start(notes, r);
    }
    page.target = openid2rp_target(r, "openid_identifier");
    return openid2rp_page_send(r, &page);
}

static int is_logout(request_rec *r)
{
    const char *path = openid2rp_dir(r)->logout_path;

    return path && !strcmp(path, r->uri) && !r->main;
}

int openid2rp_handler(request_rec *r)
{
    const openid2rp_request_t *notes = openid2rp_request_find(r);
    int result;

    if (!notes || notes->action == OPENID2RP_NOTHING) {
        return is_logout(r) ? log_out(r) : DECLINED;
    }
    switch (notes->action) {
    case OPENID2RP_START:
        result = start(notes, r);
        break;
    case OPENID2RP_RETURN:
        result = come_back(notes, r);
        break;
    case OPENID2RP_LOGOUT:
        result = log_out(r);
        break;
    default:
        result = ask(notes, r);
        break;
    }
    return result;
}
