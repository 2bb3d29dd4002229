/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_discover.h"

#include "orp_xrds.h"
#include "orp_xri.h"
#include "orp_yadis.h"

/* One pair of links as a service (7.3.3). */
static void add_link(apr_array_header_t *services, orp_service_kind_e kind,
                     const char *provider, const char *local_id,
                     apr_pool_t *pool)
{
    orp_service_t *service = apr_pcalloc(pool, sizeof(*service));

    if (!provider
        || orp_service_endpoint(&service->endpoint, provider, pool)
        != APR_SUCCESS) {
        return;
    }
    service->kind = kind;
    service->local_id = local_id;
    service->types = apr_array_make(pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(service->types, const char *) = orp_service_type(kind);
    APR_ARRAY_PUSH(services, orp_service_t *) = service;
}

static apr_array_header_t *html_services(const orp_html_head_t *head,
                                         apr_pool_t *pool)
{
    apr_array_header_t *services = apr_array_make(pool, 2,
                                                  sizeof(orp_service_t *));

    if (head) {
        add_link(services, ORP_SIGNON_20, head->provider2, head->local_id2,
                 pool);
        add_link(services, ORP_SIGNON_11, head->provider1, head->local_id1,
                 pool);
    }
    return services;
}

/* The services in the XRDS document, or none. A document that is broken
 * counts as none, as 7.3 has it; nothing half-read is used. */
static apr_array_header_t *xrds_services(const orp_env_t *env,
                                         const orp_yadis_t *yadis,
                                         apr_pool_t *pool)
{
    orp_reason_t *why = orp_reason_create(pool);
    apr_array_header_t *services;

    if (!yadis->xrds) {
        return NULL;
    }
    if (orp_xrds_services(&services, yadis->xrds, yadis->xrds_size, why,
                          pool) != APR_SUCCESS) {
        orp_log(env, ORP_LOG_INFO, 102, pool, "discovery: %s (%s)",
                why->sentence, yadis->url);
        return NULL;
    }
    return services->nelts ? services : NULL;
}

/* Ask for the page, where so far there is an XRDS document only. Each fetch
 * has a deadline of its own; this one is not begun where those before it took
 * as long as one may take: so all of them end within twice that time. */
static apr_status_t fetch_page(orp_yadis_t **pyadis, const orp_env_t *env,
                               const char *url, apr_time_t begun,
                               orp_reason_t *why, apr_pool_t *pool)
{
    if (orp_env_now(env) - begun >= env->http->timeout) {
        return orp_reason_set(why, ORP_ETIMEOUT, url,
                              "%s takes too long to answer.", url);
    }
    return orp_yadis_fetch_page(pyadis, env, url, why, pool);
}

static apr_status_t discover_url(orp_discovery_t *discovery,
                                 const orp_env_t *env, const char *url,
                                 orp_reason_t *why, apr_pool_t *pool)
{
    apr_time_t begun = orp_env_now(env);
    orp_yadis_t *yadis;
    apr_status_t status = orp_yadis_fetch(&yadis, env, url, why, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    discovery->services = xrds_services(env, yadis, pool);
    if (!discovery->services && yadis->xrds && !yadis->head) {
        /* it was an XRDS document, without use: is there a page as well? */
        status = fetch_page(&yadis, env, url, begun, why, pool);
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    if (!discovery->services) {
        discovery->services = html_services(yadis->head, pool);
    }
    if (!discovery->services->nelts) {
        return orp_reason_set(why, ORP_ENOTOPENID, yadis->url,
                              "There is no OpenID at %s.", yadis->url);
    }
    discovery->claimed_id = yadis->url;
    return APR_SUCCESS;
}

/* 7.3.2.3: the CanonicalID is the claimed identifier. */
static apr_status_t discover_xri(orp_discovery_t *discovery,
                                 const orp_env_t *env, const char *xri,
                                 orp_reason_t *why, apr_pool_t *pool)
{
    orp_xri_t *resolved;
    apr_status_t status;

    if (!env->xri_proxy) {
        return orp_reason_set(why, ORP_EXRI, xri,
                              "i-names such as %s are not accepted here; "
                              "please use an OpenID that is a web address.",
                              xri);
    }
    status = orp_xri_resolve(&resolved, env, env->xri_proxy, xri, why, pool);
    if (status != APR_SUCCESS) {
        return status;
    }
    if (!resolved->services->nelts) {
        return orp_reason_set(why, ORP_ENOTOPENID, xri,
                              "There is no OpenID at %s.", xri);
    }
    discovery->claimed_id = resolved->canonical_id;
    discovery->services = resolved->services;
    return APR_SUCCESS;
}

/* Leave out the endpoints that may not be asked, nor would be when the user
 * comes back: no browser is sent to them in vain. */
static apr_status_t drop_refused(orp_discovery_t *discovery,
                                 const orp_env_t *env, orp_reason_t *why,
                                 apr_pool_t *pool)
{
    apr_array_header_t *all = discovery->services;
    apr_array_header_t *left = apr_array_make(pool, all->nelts,
                                              sizeof(orp_service_t *));
    orp_reason_t *refused = orp_reason_create(pool);
    int i, dropped;

    for (i = 0; i < all->nelts; i++) {
        orp_service_t *service = APR_ARRAY_IDX(all, i, orp_service_t *);

        if (orp_http_may_ask(env, service->endpoint, refused, pool)
            == APR_SUCCESS) {
            APR_ARRAY_PUSH(left, orp_service_t *) = service;
        }
    }
    dropped = all->nelts - left->nelts;
    if (dropped) {
        /* one line, however many a stranger's document names */
        orp_log(env, ORP_LOG_INFO, 107, pool,
                "discovery: %d of %d endpoints of %s left out (%s): %s",
                dropped, all->nelts, discovery->claimed_id,
                orp_status_code(refused->status), refused->sentence);
    }
    discovery->services = left;
    return left->nelts ? APR_SUCCESS
        : orp_reason_set(why, refused->status, refused->subject, "%s",
                         refused->sentence);
}

apr_status_t orp_discover(orp_discovery_t **pdiscovery, const orp_env_t *env,
                          const orp_identifier_t *identifier,
                          orp_reason_t *why, apr_pool_t *pool)
{
    orp_discovery_t *discovery = apr_pcalloc(pool, sizeof(*discovery));
    apr_status_t status;

    discovery->kind = identifier->kind;
    if (identifier->kind == ORP_IDENTIFIER_XRI) {
        status = discover_xri(discovery, env, identifier->text, why, pool);
    }
    else {
        status = discover_url(discovery, env, identifier->text, why, pool);
    }
    if (status == APR_SUCCESS) {
        status = drop_refused(discovery, env, why, pool);
    }
    if (status == APR_SUCCESS) {
        *pdiscovery = discovery;
    }
    return status;
}
