/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_url.c - orp_url: a normal form is its own normal form. The first line
 * is a URL, the second a reference on that page. */

#include "fuzz.h"

#include <stdlib.h>

#include "orp_codec.h"
#include "orp_url.h"

static void look_at(const orp_url_t *url, apr_pool_t *pool)
{
    const char *text = orp_url_string(url, pool);
    const char *normal = NULL;
    orp_url_t *again;

    fuzz_check(orp_is_ascii(text, strlen(text)) && !orp_has_control(text));
    fuzz_check(!strpbrk(text, " \"<>\\^`{|}#"));
    fuzz_check(strlen(text) <= ORP_URL_MAX);
    fuzz_check(!strcmp(url->scheme, "http") || !strcmp(url->scheme, "https"));
    fuzz_check(url->port > 0 && url->port <= 65535);
    fuzz_check(*url->host && !strpbrk(url->host, "@/?#%"));
    fuzz_check(url->path[0] == '/');
    fuzz_check(!strstr(url->path, "/./") && !strstr(url->path, "/../"));
    fuzz_check(orp_url_normalize(&normal, text, NULL, pool) == APR_SUCCESS);
    fuzz_check(!strcmp(normal, text));
    if (url->fragment) {
        text = apr_pstrcat(pool, text, "#", url->fragment, NULL);
    }
    fuzz_check(orp_url_parse(&again, text, NULL, pool) == APR_SUCCESS);
    fuzz_check(fuzz_same(again->host, url->host));
    fuzz_check(fuzz_same(again->path, url->path));
    fuzz_check(fuzz_same(again->query, url->query));
    fuzz_check(fuzz_same(again->fragment, url->fragment));
    fuzz_check(again->port == url->port);
}

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    const char *text = fuzz_text(bytes, size, pool);
    const char *first = fuzz_line(&text, pool);
    orp_url_t *base = FUZZ_UNTOUCHED, *url = FUZZ_UNTOUCHED;
    orp_reason_t *why = orp_reason_create(pool);
    apr_status_t status = orp_url_parse(&base, first, why, pool);

    fuzz_reason(why, status);
    if (!fuzz_status(status, base, ORP_EURL, ORP_ESCHEME, APR_SUCCESS)) {
        return;
    }
    look_at(base, pool);
    why = orp_reason_create(pool);
    status = orp_url_resolve(&url, base, text, why, pool);
    fuzz_reason(why, status);
    if (fuzz_status(status, url, ORP_EURL, ORP_ESCHEME, APR_SUCCESS)) {
        look_at(url, pool);
    }
}

FUZZ_TARGET(url, 4200)
