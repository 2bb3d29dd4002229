/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_start.h"

#include <apr_strings.h>

#include "openid2rp_cookie.h"
#include "openid2rp_limit.h"
#include "openid2rp_origin.h"
#include "openid2rp_runtime.h"
#include "openid2rp_task.h"
#include "orp_identifier.h"

#define RETURN_PARAMETER "openid_return"

static apr_status_t check_target(const char *target, orp_reason_t *why)
{
    if (strlen(target) > ORP_LOGIN_TARGET_MAX) {
        return orp_reason_set(why, ORP_EURL, NULL,
                              "The address of this page is too long to come "
                              "back to.");
    }
    return APR_SUCCESS;
}

/* A record with room for everything but this: much of it is in there more than
 * once, and each sign of it can take up to seven. */
static apr_status_t too_long(orp_reason_t *why, const orp_login_t *login)
{
    return strlen(login->typed) > strlen(login->target)
        ? orp_reason_set(why, ORP_EIDENTIFIER, NULL,
                         "This OpenID is too long.")
        : orp_reason_set(why, ORP_EURL, NULL,
                         "The address of this page is too long to come back "
                         "to.");
}

/* Make the login's record.
 * @param pbrowser  set to the value for the login's cookie */
static apr_status_t create_login(orp_login_t **plogin,
                                 const char **pbrowser, request_rec *r,
                                 const char *origin, const char *typed,
                                 orp_reason_t *why)
{
    const orp_env_t *env = openid2rp_env(r);
    apr_interval_time_t timeout = openid2rp_settings(r)->login_timeout;
    const char *target = openid2rp_target(r, "openid_identifier");
    orp_login_t *login;
    apr_status_t status = check_target(target, why);

    if (status == APR_SUCCESS) {
        status = orp_login_create(&login, pbrowser, env, timeout, r->pool);
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
        if (status == ORP_ETOOBIG) {
            status = too_long(why, login);
        }
    }
    if (status == APR_SUCCESS) {
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
    if (notes->broken) {
        (void)orp_reason_set(why, ORP_EIDENTIFIER, NULL,
                             "This OpenID contains characters that cannot be "
                             "part of one.");
        return NULL;
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

/* Run the task, and pick up what it found. A record of a failure is not kept,
 * or a flood of failing starts would leave no room for others. */
static apr_status_t begin_login(orp_login_t **plogin, request_rec *r,
                                const char *origin, orp_reason_t *why)
{
    const orp_env_t *env = openid2rp_env(r);
    apr_status_t status = openid2rp_task_begin((*plogin)->key, r, origin,
                                               why);
    orp_login_t *found;

    if (status == APR_SUCCESS) {
        return orp_login_find(plogin, env, (*plogin)->key, r->pool);
    }
    /* not what another server has sent: the record could not be changed */
    if (status == ORP_ETOOBIG
        && orp_login_find(&found, env, (*plogin)->key, r->pool)
        == APR_SUCCESS && found->state == ORP_LOGIN_NEW) {
        status = too_long(why, found);
    }
    if (orp_login_forget(*plogin, env) != APR_SUCCESS) {
        orp_log(env, ORP_LOG_WARN, 243, r->pool,
                "store: the record of a failed login could not be removed");
    }
    return status;
}

/* What a login was begun with stays in the form, where it failed. */
static void fail(openid2rp_outcome_t *out, request_rec *r, const char *typed)
{
    out->typed = typed;
    openid2rp_outcome_refused(out, r);
}

static void start(openid2rp_outcome_t *out, request_rec *r,
                  const char *origin, const char *typed)
{
    const char *browser;
    orp_login_t *login;
    apr_status_t status = create_login(&login, &browser, r, origin, typed,
                                       out->why);

    if (status != APR_SUCCESS) {
        openid2rp_outcome_explain(out, status);
        openid2rp_outcome_refuse(out, r);
        return;
    }
    status = begin_login(&login, r, origin, out->why);
    if (status != APR_SUCCESS) {
        openid2rp_outcome_explain(out, status);
        fail(out, r, typed);
        return;
    }
    openid2rp_cookie_set_login(r, login->key, browser,
                               openid2rp_settings(r)->login_timeout);
    out->kind = OPENID2RP_SEND;
    out->login = login;
    out->url = login->redirect;
}

void openid2rp_start(openid2rp_outcome_t *out,
                     const openid2rp_request_t *notes, request_rec *r)
{
    const char *origin, *typed;
    apr_status_t status;

    out->target = openid2rp_target(r, "openid_identifier");
    if (openid2rp_origin(&origin, r) != OK) {
        out->kind = OPENID2RP_MISDIRECTED;
        return;
    }
    if (notes->too_large) {
        openid2rp_outcome_too_large(out, r);
        return;
    }
    typed = wanted(notes, r, out->why);
    if (!typed) {
        openid2rp_outcome_refuse(out, r);
        return;
    }
    /* before anything is stored or fetched */
    status = openid2rp_limit_take(r, out->why);
    if (status == ORP_ERATE) {
        fail(out, r, typed);
    }
    else if (status != APR_SUCCESS) {
        openid2rp_outcome_refuse(out, r);
    }
    else {
        start(out, r, origin, typed);
    }
}
