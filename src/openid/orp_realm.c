/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_realm.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_domain.h"

#define WILDCARD "*."

/* The realm without its wild-card, so that it is a URL. */
static const char *without_wildcard(const char *text, int *pwildcard,
                                    apr_pool_t *pool)
{
    const char *host = strstr(text, "://");

    *pwildcard = 0;
    if (!host) {
        return text;
    }
    host += 3;
    if (strncmp(host, WILDCARD, strlen(WILDCARD))) {
        return text;
    }
    *pwildcard = 1;
    return apr_pstrcat(pool,
                       apr_pstrmemdup(pool, text, (apr_size_t)(host - text)),
                       host + strlen(WILDCARD), NULL);
}

apr_status_t orp_realm_parse(orp_realm_t **prealm, const char *text,
                             orp_reason_t *why, apr_pool_t *pool)
{
    orp_realm_t *realm = apr_pcalloc(pool, sizeof(*realm));
    const char *plain = without_wildcard(text, &realm->wildcard, pool);
    orp_url_t *url;

    if (orp_url_parse(&url, plain, NULL, pool) != APR_SUCCESS) {
        return orp_reason_set(why, ORP_EREALM, text,
                              "\"%s\" is not a realm: that is a web address "
                              "which may have \"*.\" before its host name.",
                              text);
    }
    if (strchr(text, '#')) {
        return orp_reason_set(why, ORP_EREALM, text,
                              "The realm \"%s\" has a fragment.", text);
    }
    if (realm->wildcard && orp_domain_is_public_suffix(url->host)) {
        return orp_reason_set(why, ORP_EREALM, text,
                              "The realm \"%s\" covers more than one site.",
                              text);
    }
    realm->url = url;
    *prealm = realm;
    return APR_SUCCESS;
}

/* 9.2: "identical", or below a wild-card; the wild-card covers the name that
 * follows it as well. */
static int host_matches(const orp_realm_t *realm, const char *host)
{
    apr_size_t have = strlen(host);
    apr_size_t want = strlen(realm->url->host);

    if (!strcmp(host, realm->url->host)) {
        return 1;
    }
    return realm->wildcard && have > want
        && host[have - want - 1] == '.'
        && !strcmp(host + have - want, realm->url->host);
}

/* "equal to or a sub-directory of the realm's path": whole segments only. */
static int path_matches(const char *realm, const char *path)
{
    apr_size_t size = strlen(realm);

    if (strncmp(path, realm, size)) {
        return 0;
    }
    return !path[size] || path[size] == '/'
        || (size && realm[size - 1] == '/');
}

/* A realm with a query covers that query, and what is added to it. */
static int query_matches(const char *realm, const char *query)
{
    apr_size_t size = strlen(realm);

    return query && !strncmp(query, realm, size)
        && (!query[size] || query[size] == '&'
            || (size && realm[size - 1] == '&'));
}

int orp_realm_matches(const orp_realm_t *realm, const orp_url_t *url)
{
    const orp_url_t *pattern = realm->url;

    if (strcmp(pattern->scheme, url->scheme) || pattern->port != url->port
        || !host_matches(realm, url->host)) {
        return 0;
    }
    if (pattern->query) {
        return !strcmp(pattern->path, url->path)
            && query_matches(pattern->query, url->query);
    }
    return path_matches(pattern->path, url->path);
}

apr_status_t orp_realm_check(const char *text, const char *return_to,
                             orp_reason_t *why, apr_pool_t *pool)
{
    orp_realm_t *realm;
    orp_url_t *url;
    apr_status_t status = orp_realm_parse(&realm, text, why, pool);

    if (status == APR_SUCCESS) {
        status = orp_url_parse(&url, return_to, why, pool);
    }
    if (status == APR_SUCCESS && !orp_realm_matches(realm, url)) {
        status = orp_reason_set(why, ORP_EREALM, text,
                                "The realm \"%s\" does not cover %s.", text,
                                return_to);
    }
    return status;
}
