/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_xri.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_codec.h"
#include "orp_identifier.h"
#include "orp_xrds.h"

/* XRI Resolution 2.0, 11.3: ask for the whole XRDS document. */
#define QUERY "?_xrd_r=application/xrds%2Bxml;sep=false"

static apr_status_t unresolved(orp_reason_t *why, const char *xri,
                               const char *what)
{
    return orp_reason_set(why, ORP_EXRI, xri,
                          "The i-name %s cannot be used: %s.", xri, what);
}

/* An XRI as one segment of a path: what a segment may hold as it is, such as
 * the "=" before a name, stands as it is. */
static const char *as_segment(const char *xri, apr_pool_t *pool)
{
    static const char plain[] = "=@+$!*(),;:&'";
    char *out = apr_palloc(pool, 3 * strlen(xri) + 1);
    char *o = out;
    char one[2] = "";

    for (; *xri; xri++) {
        one[0] = *xri;
        o = apr_cpystrn(o, strchr(plain, *xri) ? one
                        : orp_percent_encode(one, pool), 4);
    }
    *o = '\0';
    return out;
}

/* A CanonicalID that is no XRI, or one of another root, would sign its user
 * in as somebody else: "https://…" as the owner of that page. */
static int is_canonical(const char **pid, const char *text, const char *xri,
                        apr_pool_t *pool)
{
    orp_identifier_t *identifier;

    if (orp_identifier_normalize(&identifier, text, NULL, pool)
        != APR_SUCCESS || identifier->kind != ORP_IDENTIFIER_XRI
        || identifier->text[0] != xri[0]) {
        return 0;
    }
    *pid = identifier->text;
    return 1;
}

static const char *proxied(const char *proxy, const char *xri,
                           apr_pool_t *pool)
{
    apr_size_t size = strlen(proxy);
    const char *slash = size && proxy[size - 1] == '/' ? "" : "/";

    return apr_pstrcat(pool, proxy, slash, as_segment(xri, pool),
                       QUERY, NULL);
}

apr_status_t orp_xri_resolve(orp_xri_t **pxri, const orp_env_t *env,
                             const char *proxy, const char *xri,
                             orp_reason_t *why, apr_pool_t *pool)
{
    orp_xri_t *resolved = apr_pcalloc(pool, sizeof(*resolved));
    orp_http_response_t *response;
    orp_xrds_authority_t authority;
    apr_status_t status = orp_http_get(&response, env,
                                       proxied(proxy, xri, pool),
                                       "application/xrds+xml", why, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (response->status != 200) {
        return orp_reason_set(why, ORP_EHTTP, xri,
                              "The resolver answers with the HTTP status %d "
                              "for %s.", response->status, xri);
    }
    status = orp_xrds_authority(&authority, response->body, response->size,
                                why, pool);
    if (status == APR_SUCCESS) {
        status = orp_xrds_services(&resolved->services, response->body,
                                   response->size, why, pool);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    if (!authority.canonical_id || !authority.provider_id) {
        return unresolved(why, xri, "it has no CanonicalID that lasts");
    }
    if (!authority.verified) {
        return unresolved(why, xri, "the resolver could not verify its "
                          "CanonicalID");
    }
    if (!is_canonical(&resolved->canonical_id, authority.canonical_id, xri,
                      pool)) {
        return unresolved(why, xri, "its CanonicalID is none of an i-name's");
    }
    *pxri = resolved;
    return APR_SUCCESS;
}
