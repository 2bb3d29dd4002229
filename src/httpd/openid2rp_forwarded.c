/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_forwarded.h"

#include <apr_strings.h>
#include <http_protocol.h>

#include "openid2rp_runtime.h"

/* The last element of a list header: the one that the proxy next to us has
 * added, behind what the client may have sent. */
static const char *last_element(request_rec *r, const char *header)
{
    const char *value = apr_table_get(r->headers_in, header);
    const char *comma = value ? strrchr(value, ',') : NULL;

    value = comma ? comma + 1 : value;
    return value ? ap_get_token(r->pool, &value, 1) : NULL;
}

/* The next one of a character that is in no quoted string, or the end; NULL
 * where a quoted string has none. */
static const char *up_to(const char *s, char stop)
{
    int quoted = 0;

    for (; *s && (quoted || *s != stop); s++) {
        if (*s == '"') {
            quoted = !quoted;
        }
        else if (quoted && *s == '\\' && s[1]) {
            s++;
        }
    }
    return quoted ? NULL : s;
}

/* The same of Forwarded; NULL where it cannot be told: a client's quote that
 * is left open swallows what the proxy says. */
static const char *last_forwarded(request_rec *r)
{
    const char *value = apr_table_get(r->headers_in, "Forwarded");
    const char *end = value ? up_to(value, ',') : NULL;

    while (end && *end) {
        value = end + 1;
        end = up_to(value, ',');
    }
    return end ? value : NULL;
}

/* A value without its quotes (RFC 9110, 5.6.4). */
static const char *unquoted(const char *value, const char *end,
                            apr_pool_t *pool)
{
    char *text = apr_pstrmemdup(pool, value, (apr_size_t)(end - value));
    char *out = text, *in;

    if (*text != '"') {
        text[strcspn(text, " \t")] = '\0';
        return text;
    }
    for (in = text + 1; *in && *in != '"'; in++) {
        if (*in == '\\' && in[1]) {
            in++;
        }
        *out++ = *in;
    }
    *out = '\0';
    return text;
}

/* A parameter of a Forwarded element (RFC 7239, 4), or NULL. */
static const char *forwarded_pair(request_rec *r, const char *element,
                                  const char *name)
{
    apr_size_t length = strlen(name);
    const char *end;

    for (; element; element = *end ? end + 1 : NULL) {
        end = up_to(element, ';');
        if (!end) {
            break;
        }
        element += strspn(element, " \t");
        if (!ap_cstr_casecmpn(element, name, length)
            && element[length] == '=') {
            return unquoted(element + length + 1, end, r->pool);
        }
    }
    return NULL;
}

void openid2rp_forwarded(const char **pproto, const char **phost,
                         request_rec *r)
{
    int trusted = openid2rp_settings(r)->forwarded;

    *pproto = *phost = NULL;
    if ((trusted & OPENID2RP_FORWARDED_RFC)
        && apr_table_get(r->headers_in, "Forwarded")) {
        const char *element = last_forwarded(r);

        *pproto = forwarded_pair(r, element, "proto");
        *phost = element ? forwarded_pair(r, element, "host") : "";
    }
    if ((trusted & OPENID2RP_FORWARDED_PROTO) && !*pproto) {
        *pproto = last_element(r, "X-Forwarded-Proto");
    }
    if ((trusted & OPENID2RP_FORWARDED_HOST) && !*phost) {
        *phost = last_element(r, "X-Forwarded-Host");
    }
}
