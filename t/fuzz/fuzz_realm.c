/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_realm.c - orp_realm: the first line is a realm, the second a
 * return_to. */

#include "fuzz.h"

#include "orp_domain.h"
#include "orp_realm.h"

static int ends_with(const char *text, const char *end)
{
    return strlen(text) >= strlen(end)
        && !strcmp(text + strlen(text) - strlen(end), end);
}

/* 9.2, rule by rule: what a realm covers must at least be so. */
static void covers(const orp_realm_t *realm, const orp_url_t *url,
                   apr_pool_t *pool)
{
    const orp_url_t *pattern = realm->url;
    const char *below = apr_pstrcat(pool, ".", pattern->host, NULL);

    fuzz_check(!strcmp(pattern->scheme, url->scheme));
    fuzz_check(pattern->port == url->port);
    fuzz_check(!strcmp(url->host, pattern->host)
               || (realm->wildcard && ends_with(url->host, below)));
    fuzz_check(!strncmp(url->path, pattern->path, strlen(pattern->path)));
    fuzz_check(!pattern->query
               || (url->query && !strncmp(url->query, pattern->query,
                                          strlen(pattern->query))));
}

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    const char *return_to = fuzz_text(bytes, size, pool);
    const char *text = fuzz_line(&return_to, pool);
    orp_realm_t *realm = FUZZ_UNTOUCHED;
    orp_reason_t *why = orp_reason_create(pool);
    orp_url_t *url;
    apr_status_t status = orp_realm_parse(&realm, text, why, pool);
    int matches;

    fuzz_reason(why, status);
    if (!fuzz_status(status, realm, ORP_EREALM, APR_SUCCESS)) {
        return;
    }
    fuzz_check(!realm->url->fragment);
    fuzz_check(!realm->wildcard
               || !orp_domain_is_public_suffix(realm->url->host));
    fuzz_check(orp_realm_matches(realm, realm->url));
    why = orp_reason_create(pool);
    status = orp_realm_check(text, return_to, why, pool);
    fuzz_reason(why, status);
    if (orp_url_parse(&url, return_to, NULL, pool) != APR_SUCCESS) {
        fuzz_check(status == ORP_EURL || status == ORP_ESCHEME);
        return;
    }
    matches = orp_realm_matches(realm, url);
    fuzz_check(status == (matches ? APR_SUCCESS : ORP_EREALM));
    if (matches) {
        covers(realm, url, pool);
    }
}

FUZZ_TARGET(realm, 4200)
