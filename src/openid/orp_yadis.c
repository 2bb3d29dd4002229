/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_yadis.h"

#include <string.h>

#include "orp_url.h"

#define XRDS_TYPE "application/xrds+xml"
#define ACCEPT_PAGE "text/html, application/xhtml+xml;q=0.9"
#define ACCEPT_YADIS XRDS_TYPE ", " ACCEPT_PAGE ", */*;q=0.1"

static int is_xrds(const orp_http_response_t *response, apr_pool_t *pool)
{
    return !strcmp(orp_http_media_type(response->content_type, pool),
                   XRDS_TYPE);
}

/* GET, and nothing but 200 will do: error pages are no identity pages. */
static apr_status_t fetch(orp_http_response_t **presp, const orp_env_t *env,
                          const char *url, const char *accept,
                          orp_reason_t *why, apr_pool_t *pool)
{
    orp_http_response_t *response;
    apr_status_t status = orp_http_get(&response, env, url, accept, why,
                                       pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (response->status != 200) {
        return orp_reason_set(why, ORP_EHTTP, url,
                              "%s answers with the HTTP status %d.", url,
                              response->status);
    }
    *presp = response;
    return APR_SUCCESS;
}

static const orp_html_head_t *read_head(const orp_http_response_t *response,
                                        apr_pool_t *pool)
{
    orp_html_head_t *head;

    if (is_xrds(response, pool)
        || orp_html_head(&head, response->body, response->size,
                         orp_http_charset(response->content_type, pool),
                         pool) != APR_SUCCESS) {
        return NULL;
    }
    return head;
}

static void take_xrds(orp_yadis_t *yadis,
                      const orp_http_response_t *response)
{
    yadis->xrds = response->body;
    yadis->xrds_size = response->size;
}

/* Follow X-XRDS-Location. What cannot be had is no XRDS document. */
static void fetch_named(orp_yadis_t *yadis, const orp_env_t *env,
                        const char *location, apr_pool_t *pool)
{
    orp_reason_t *why = orp_reason_create(pool);
    orp_http_response_t *response;
    orp_url_t *base, *url;

    if (orp_url_parse(&base, yadis->url, why, pool) != APR_SUCCESS
        || orp_url_resolve(&url, base, location, why, pool) != APR_SUCCESS
        || fetch(&response, env, orp_url_string(url, pool), XRDS_TYPE, why,
                 pool) != APR_SUCCESS) {
        orp_log(env, ORP_LOG_INFO, 101, pool,
                "discovery: %s names an XRDS document that cannot be had "
                "(%s): %s", yadis->url, orp_status_code(why->status),
                why->sentence);
        return;
    }
    take_xrds(yadis, response);
}

apr_status_t orp_yadis_fetch(orp_yadis_t **pyadis, const orp_env_t *env,
                             const char *url, orp_reason_t *why,
                             apr_pool_t *pool)
{
    orp_yadis_t *yadis = apr_pcalloc(pool, sizeof(*yadis));
    orp_http_response_t *response;
    apr_status_t status = fetch(&response, env, url, ACCEPT_YADIS, why,
                                pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    yadis->url = response->url;
    yadis->head = read_head(response, pool);
    if (is_xrds(response, pool)) {
        take_xrds(yadis, response);
    }
    else if (response->xrds_location) {
        fetch_named(yadis, env, response->xrds_location, pool);
    }
    else if (yadis->head && yadis->head->xrds_location) {
        fetch_named(yadis, env, yadis->head->xrds_location, pool);
    }
    *pyadis = yadis;
    return APR_SUCCESS;
}

apr_status_t orp_yadis_fetch_page(orp_yadis_t **pyadis, const orp_env_t *env,
                                  const char *url, orp_reason_t *why,
                                  apr_pool_t *pool)
{
    orp_yadis_t *yadis = apr_pcalloc(pool, sizeof(*yadis));
    orp_http_response_t *response;
    apr_status_t status = fetch(&response, env, url, ACCEPT_PAGE, why, pool);

    if (status == APR_SUCCESS) {
        yadis->url = response->url;
        yadis->head = read_head(response, pool);
        *pyadis = yadis;
    }
    return status;
}
