/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_identifier.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "orp_codec.h"
#include "orp_url.h"

/* 7.2, 2: the XRI global context symbols, and the cross-reference. */
#define XRI_BEGINS "=@+$!("

static const char *trimmed(const char *text, apr_pool_t *pool)
{
    apr_size_t size;

    while (apr_isspace(*text)) {
        text++;
    }
    size = strlen(text);
    while (size && apr_isspace(text[size - 1])) {
        size--;
    }
    return apr_pstrmemdup(pool, text, size);
}

/* Does it begin with a scheme, or with a host and perhaps a port? "host:80"
 * is a host; "mailto:a@b" is not, nor is "ftp://host". */
static int has_scheme(const char *text)
{
    apr_size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                          "abcdefghijklmnopqrstuvwxyz0123456789+-.");

    if (!n || !apr_isalpha(text[0]) || text[n] != ':') {
        return 0;
    }
    return !apr_isdigit(text[n + 1]);
}

static apr_status_t check_size(const char *text, orp_reason_t *why)
{
    if (strlen(text) > ORP_IDENTIFIER_MAX) {
        return orp_reason_set(why, ORP_EIDENTIFIER, NULL,
                              "An OpenID is at most %d characters long.",
                              ORP_IDENTIFIER_MAX);
    }
    return APR_SUCCESS;
}

static apr_status_t check_typed(const char *text, orp_reason_t *why)
{
    if (!*text) {
        return orp_reason_set(why, ORP_EIDENTIFIER, NULL,
                              "Please enter your OpenID.");
    }
    if (check_size(text, why) != APR_SUCCESS) {
        return ORP_EIDENTIFIER;
    }
    if (!orp_utf8_valid(text, strlen(text)) || orp_has_control(text)) {
        return orp_reason_set(why, ORP_EIDENTIFIER, NULL,
                              "This OpenID contains characters that cannot "
                              "be part of one.");
    }
    return APR_SUCCESS;
}

static apr_status_t normalize_uri(orp_identifier_t *identifier,
                                  const char *text, orp_reason_t *why,
                                  apr_pool_t *pool)
{
    const char *url = has_scheme(text) ? text
        : apr_pstrcat(pool, "http://", text, NULL);

    if (strncasecmp(url, "http://", 7) && strncasecmp(url, "https://", 8)) {
        return orp_reason_set(why, ORP_EIDENTIFIER, text,
                              "An OpenID is a web address that begins with "
                              "http:// or https://.");
    }
    identifier->kind = ORP_IDENTIFIER_URI;
    /* "http://" and escapes make it longer; the provider sends it back, and
     * then it must be readable again */
    return orp_url_normalize(&identifier->text, url, why, pool)
        == APR_SUCCESS ? check_size(identifier->text, why) : ORP_EIDENTIFIER;
}

apr_status_t orp_identifier_normalize(orp_identifier_t **pidentifier,
                                      const char *typed, orp_reason_t *why,
                                      apr_pool_t *pool)
{
    orp_identifier_t *identifier = apr_pcalloc(pool, sizeof(*identifier));
    const char *text = trimmed(typed, pool);
    apr_status_t status;

    if (!strncasecmp(text, "xri://", 6)) {
        text += 6;
        if (!*text || !strchr(XRI_BEGINS, *text)) {
            return orp_reason_set(why, ORP_EIDENTIFIER, typed,
                                  "There is no i-name behind \"xri://\".");
        }
    }
    status = check_typed(text, why);
    if (status != APR_SUCCESS) {
        return status;
    }
    if (strchr(XRI_BEGINS, *text)) {
        identifier->kind = ORP_IDENTIFIER_XRI;
        identifier->text = text;
    }
    else {
        status = normalize_uri(identifier, text, why, pool);
        if (status != APR_SUCCESS) {
            if (why) {
                why->status = status;
            }
            return status;
        }
    }
    *pidentifier = identifier;
    return APR_SUCCESS;
}

const char *orp_identifier_kind_name(orp_identifier_kind_e kind)
{
    return kind == ORP_IDENTIFIER_XRI ? "xri" : "uri";
}
