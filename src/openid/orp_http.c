/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_http.h"

#include <string.h>

#include <apr_strings.h>

static apr_status_t check(const orp_env_t *env, const orp_url_t *url,
                          orp_reason_t *why, apr_pool_t *pool)
{
    const orp_http_client_t *http = env->http;
    const char *text = orp_url_string(url, pool);

    if (http->require_tls && strcmp(url->scheme, "https")) {
        return orp_reason_set(why, ORP_ESCHEME, text,
                              "Only https addresses are accepted here, and "
                              "%s is not one.", text);
    }
    if (http->may_contact && !http->may_contact(http, url->host, pool)) {
        return orp_reason_set(why, ORP_EADDRESS, text,
                              "%s is at an address that may not be contacted "
                              "from here.", text);
    }
    return APR_SUCCESS;
}

apr_status_t orp_http_may_ask(const orp_env_t *env, const char *address,
                              orp_reason_t *why, apr_pool_t *pool)
{
    orp_url_t *url;
    apr_status_t status = orp_url_parse(&url, address, why, pool);

    return status == APR_SUCCESS ? check(env, url, why, pool) : status;
}

static apr_status_t exchange(orp_http_response_t **presp,
                             const orp_env_t *env, const orp_url_t *url,
                             orp_http_request_t *request,
                             orp_reason_t *why, apr_pool_t *pool)
{
    apr_status_t status = check(env, url, why, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    request->url = orp_url_string(url, pool);
    status = env->http->exchange(presp, env->http, request, why, pool);
    if (status == APR_SUCCESS) {
        (*presp)->url = request->url;
    }
    return status;
}

static int is_redirect(const orp_http_response_t *response)
{
    switch (response->status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return response->location != NULL;
    default:
        return 0;
    }
}

/* Where a redirect leads, if we go there. */
static apr_status_t follow(orp_url_t **purl, const orp_url_t *from,
                           const char *location, orp_reason_t *why,
                           apr_pool_t *pool)
{
    const char *here = orp_url_string(from, pool);
    orp_url_t *to;

    if (orp_url_resolve(&to, from, location, NULL, pool) != APR_SUCCESS) {
        return orp_reason_set(why, ORP_EREDIRECT, here,
                              "%s redirects to something that is not a web "
                              "address.", here);
    }
    if (!strcmp(from->scheme, "https") && strcmp(to->scheme, "https")) {
        return orp_reason_set(why, ORP_EREDIRECT, here,
                              "%s redirects from https to http.", here);
    }
    *purl = to;
    return APR_SUCCESS;
}

apr_status_t orp_http_get(orp_http_response_t **presp, const orp_env_t *env,
                          const char *address, const char *accept,
                          orp_reason_t *why, apr_pool_t *pool)
{
    orp_http_request_t request = { NULL, accept, NULL, 0 };
    orp_http_response_t *response;
    orp_url_t *url;
    int hops;
    apr_status_t status = orp_url_parse(&url, address, why, pool);

    request.deadline = orp_env_now(env) + env->http->timeout;
    for (hops = 0; status == APR_SUCCESS; hops++) {
        status = exchange(&response, env, url, &request, why, pool);
        if (status != APR_SUCCESS) {
            break;
        }
        if (!is_redirect(response)) {
            *presp = response;
            break;
        }
        if (hops == ORP_HTTP_REDIRECTS) {
            return orp_reason_set(why, ORP_EREDIRECT, address,
                                  "%s redirects more than %d times.",
                                  address, ORP_HTTP_REDIRECTS);
        }
        status = follow(&url, url, response->location, why, pool);
    }
    return status;
}

apr_status_t orp_http_post(orp_http_response_t **presp, const orp_env_t *env,
                           const char *address, const orp_params_t *form,
                           orp_reason_t *why, apr_pool_t *pool)
{
    orp_http_request_t request = { NULL, NULL, NULL, 0 };
    orp_url_t *url;
    apr_status_t status = orp_url_parse(&url, address, why, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    request.form = orp_params_form(form, pool);
    request.deadline = orp_env_now(env) + env->http->timeout;
    return exchange(presp, env, url, &request, why, pool);
}

const char *orp_http_media_type(const char *content_type, apr_pool_t *pool)
{
    apr_size_t size;
    char *type;

    content_type += strspn(content_type, " \t");
    size = strcspn(content_type, "; \t,");
    type = apr_pstrmemdup(pool, content_type, size);
    while (size--) {
        if (type[size] >= 'A' && type[size] <= 'Z') {
            type[size] = (char)(type[size] - 'A' + 'a');
        }
    }
    return type;
}

const char *orp_http_charset(const char *content_type, apr_pool_t *pool)
{
    const char *s = strchr(content_type, ';');

    while (s) {
        s += 1 + strspn(s + 1, " \t");
        if (!strncasecmp(s, "charset=", 8)) {
            s += 8;
            s += *s == '"';
            return apr_pstrmemdup(pool, s, strcspn(s, "\"; \t"));
        }
        s = strchr(s, ';');
    }
    return NULL;
}
