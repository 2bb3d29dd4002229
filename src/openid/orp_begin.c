/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_begin.c - from what a user typed to where their browser is sent. */

#include "orp.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_associate.h"
#include "orp_background.h"
#include "orp_checkid.h"
#include "orp_discover.h"
#include "orp_profile.h"
#include "orp_realm.h"

/** How long a provider that makes no associations is not asked for one. */
#define NO_ASSOC_TIME (60 * 60 * APR_USEC_PER_SEC)
/** The same for one that answered with something else than an association:
 * it may be mended soon, but not each login has to find out. */
#define BAD_ASSOC_TIME (5 * 60 * APR_USEC_PER_SEC)

/** How many endpoints one start of a login asks for an association while they
 * cannot be reached. Who publishes several has them on two or three machines;
 * a stranger's document does not make us knock at more doors than that. */
#define ENDPOINTS_ASKED 3

typedef struct {
    orp_login_t *login;
    const orp_env_t *env;
    const orp_rp_t *rp;
    orp_reason_t *why;
    apr_pool_t *pool;
    apr_time_t begun;
} beginning_t;

/* Is it the way to the provider that failed, so that another endpoint may
 * help, and the browser would fare no better? */
static int is_unreachable(apr_status_t status)
{
    return status >= ORP_ERESOLVE && status <= ORP_EFETCH;
}

/* Ask for an association, while the user waits. A provider that makes none is
 * no obstacle: it is asked about its signature later (8, 11.4).
 * @return APR_SUCCESS, also without a handle; or why it cannot be reached */
static apr_status_t associate(const char **phandle, const beginning_t *b,
                              const orp_associate_t *request)
{
    orp_assoc_t *assoc;
    apr_status_t status = orp_associate(&assoc, b->env, request, b->why,
                                        b->pool);

    if (status == APR_SUCCESS
        && orp_assoc_save(assoc, b->env, b->pool) == APR_SUCCESS) {
        *phandle = assoc->handle;
        return APR_SUCCESS;
    }
    if (status == ORP_ENOASSOC || status == ORP_EASSOCIATE) {
        orp_assoc_remember_none(b->env, request->endpoint,
                                status == ORP_ENOASSOC
                                ? NO_ASSOC_TIME : BAD_ASSOC_TIME, b->pool);
    }
    if (status != APR_SUCCESS) {
        orp_log(b->env, ORP_LOG_INFO, 106, b->pool,
                "no association with %s (%s): %s", request->endpoint,
                orp_status_code(status), b->why->sentence);
    }
    return is_unreachable(status) ? status : APR_SUCCESS;
}

/* The handle of an association that this version can use, or NULL. */
static const char *usable_handle(const beginning_t *b, const char *endpoint,
                                 orp_version_e version)
{
    orp_assoc_t *assoc;

    return orp_assoc_find(&assoc, b->env, endpoint, NULL, b->pool)
        == APR_SUCCESS && orp_assoc_fits(assoc, version)
        ? assoc->handle : NULL;
}

/* With what handle does the login go to the provider? In the background mode
 * it is asked for nothing here, so it is not noticed either where it cannot
 * be reached: the browser will notice.
 * @return APR_SUCCESS, also without a handle; or why it cannot be reached */
static apr_status_t ensure_assoc(const char **phandle, const beginning_t *b,
                                 const orp_service_t *service)
{
    orp_associate_t request = {
        service->endpoint, orp_service_version(service->kind), NULL, NULL
    };
    const char *handle;

    if (b->rp->associate == ORP_ASSOCIATE_NEVER) {
        return APR_SUCCESS;
    }
    handle = usable_handle(b, request.endpoint, request.version);
    *phandle = handle;
    if (!handle && (!orp_profile_can(request.endpoint, ORP_CAN_ASSOCIATE)
                    || orp_assoc_makes_none(b->env, request.endpoint,
                                            b->pool))) {
        return APR_SUCCESS;
    }
    if (b->rp->associate == ORP_ASSOCIATE_BACKGROUND) {
        orp_background_want(b->env, request.endpoint, request.version,
                            b->rp->site ? b->rp->site : "",
                            handle ? 0 : ORP_BACKGROUND_MISSING, b->pool);
        return APR_SUCCESS;
    }
    return handle ? APR_SUCCESS : associate(phandle, b, &request);
}

static void prepare(const beginning_t *b, const orp_service_t *service,
                    const char *claimed_id, const char *handle)
{
    orp_login_t *login = b->login;

    login->version = orp_service_version(service->kind);
    login->endpoint = service->endpoint;
    if (service->kind != ORP_SERVER_20) {
        login->claimed_id = orp_profile_claimed_id(service->endpoint,
                                                   claimed_id, b->pool);
        login->local_id = orp_profile_claimed_id(
            service->endpoint, service->local_id ? service->local_id
            : claimed_id, b->pool);
    }
    login->assoc_handle = handle;
    login->redirect = orp_checkid_url(login, b->rp, b->rp->immediate,
                                      b->pool);
    if (b->rp->immediate) {
        login->setup = orp_checkid_url(login, b->rp, 0, b->pool);
    }
    login->state = ORP_LOGIN_READY;
}

/* Does the site accept this provider? And a provider that is known by name
 * has no other endpoint than its own, whatever its documents say. */
static int may_use(const beginning_t *b, const orp_identifier_t *identifier,
                   const orp_discovery_t *discovery,
                   const orp_service_t *service)
{
    const orp_profile_t *profile
        = orp_profile_of_identifier(identifier->text);

    if (!profile) {
        profile = orp_profile_of_identifier(discovery->claimed_id);
    }
    if (profile && profile->endpoint
        && strcmp(profile->endpoint, service->endpoint)) {
        return 0;
    }
    return orp_rp_allows(b->rp, service->endpoint);
}

/* Is this endpoint among those that were asked? */
static int was_asked(const char *const *asked, int count,
                     const char *endpoint)
{
    while (count && strcmp(asked[count - 1], endpoint)) {
        count--;
    }
    return count;
}

/* May a further endpoint be asked, after this many? The first always; another
 * one not where the user, and a worker, have waited for as long as one fetch
 * may take already. */
static int may_go_on(const beginning_t *b, int count)
{
    return count == 0
        || (count < ENDPOINTS_ASKED
            && orp_env_now(b->env) - b->begun < b->env->http->timeout);
}

/* The first service that may be used, and can be reached. An endpoint that
 * cannot be reached is not asked again for another service. */
static apr_status_t choose_service(const beginning_t *b,
                                   const orp_identifier_t *identifier,
                                   const orp_discovery_t *discovery)
{
    const char *asked[ENDPOINTS_ASKED];
    apr_status_t status = ORP_EPROVIDER;
    int i, count = 0;

    for (i = 0; i < discovery->services->nelts && may_go_on(b, count); i++) {
        const orp_service_t *service = APR_ARRAY_IDX(discovery->services, i,
                                                     orp_service_t *);
        const char *handle = NULL;

        if (!may_use(b, identifier, discovery, service)
            || was_asked(asked, count, service->endpoint)) {
            continue;
        }
        asked[count++] = service->endpoint;
        status = ensure_assoc(&handle, b, service);
        if (status == APR_SUCCESS) {
            prepare(b, service, discovery->claimed_id, handle);
            break;
        }
    }
    return status;
}

static apr_status_t begin(const beginning_t *b)
{
    orp_identifier_t *identifier;
    orp_discovery_t *discovery;
    apr_status_t status = orp_realm_check(b->rp->realm, b->login->return_to,
                                          b->why, b->pool);

    if (status == APR_SUCCESS) {
        status = orp_identifier_normalize(&identifier, b->login->typed,
                                          b->why, b->pool);
    }
    if (status == APR_SUCCESS) {
        status = orp_discover(&discovery, b->env, identifier, b->why,
                              b->pool);
    }
    if (status == APR_SUCCESS) {
        status = choose_service(b, identifier, discovery);
        if (status == ORP_EPROVIDER) {
            status = orp_reason_set(b->why, status, b->login->typed,
                                    "The provider of %s is not accepted "
                                    "here.", identifier->text);
        }
    }
    return status;
}

/* What was typed, for the log: whoever puts a password into a URL gets it
 * refused, and need not find it there. */
static const char *without_password(const char *typed, apr_pool_t *pool)
{
    apr_size_t scheme = strcspn(typed, ":/\\?#@");
    const char *authority = typed, *end, *at, *colon;

    if (typed[scheme] == ':' && strchr("/\\", typed[scheme + 1])) {
        authority += scheme + 1;
        authority += strspn(authority, "/\\");
    }
    end = authority + strcspn(authority, "/\\?#");
    for (at = end; at > authority && *at != '@'; at--) {
        continue;
    }
    colon = memchr(authority, ':', (apr_size_t)(at - authority));
    if (!colon) {
        return typed;
    }
    return apr_pstrcat(pool, apr_pstrmemdup(pool, typed, (apr_size_t)
                                            (colon + 1 - typed)),
                       "***", at, NULL);
}

static apr_status_t fail(const beginning_t *b, apr_status_t status)
{
    orp_login_t *login = b->login;
    char buf[200];

    if (!*b->why->sentence || b->why->status != status) {
        (void)orp_reason_set(b->why, status, NULL, "%s",
                             orp_strerror(status, buf, sizeof(buf)));
    }
    login->state = ORP_LOGIN_FAILED;
    login->status = status;
    login->sentence = b->why->sentence;
    orp_log(b->env, ORP_LOG_INFO, 110, b->pool,
            "login refused (%s): \"%s\": %s", orp_status_code(status),
            without_password(login->typed, b->pool), login->sentence);
    return status;
}

apr_status_t orp_login_begin(orp_login_t *login, const orp_env_t *env,
                             const orp_rp_t *rp, orp_reason_t *why,
                             apr_pool_t *pool)
{
    beginning_t b = { login, env, rp, why, pool, orp_env_now(env) };
    apr_status_t status = begin(&b);
    apr_status_t saved;

    if (status == APR_SUCCESS) {
        orp_log(env, ORP_LOG_INFO, 111, pool,
                "login begun: \"%s\" at %s, %s", login->typed,
                login->endpoint, login->assoc_handle ? "with an association"
                : "stateless");
    }
    else {
        status = fail(&b, status);
    }
    saved = orp_login_save(login, env, pool);
    if (saved != APR_SUCCESS && status == APR_SUCCESS) {
        status = fail(&b, saved);
    }
    return status;
}
