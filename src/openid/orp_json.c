/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_json.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_codec.h"

#define REPLACEMENT "\\ufffd"

/* How many bytes the character at s takes, or 0 where there is none. */
static apr_size_t character(const char *s, apr_size_t left)
{
    apr_size_t size;

    for (size = 1; size <= 4 && size <= left; size++) {
        if (orp_utf8_valid(s, size)) {
            return size;
        }
    }
    return 0;
}

const char *orp_json_string(const char *text, apr_pool_t *pool)
{
    char *out, *o;
    apr_size_t left;

    if (!text) {
        return "null";
    }
    left = strlen(text);
    out = o = apr_palloc(pool, 6 * left + 3);
    *o++ = '"';
    while (left) {
        apr_size_t size = character(text, left);

        if (!size) {
            memcpy(o, REPLACEMENT, 6);
            o += 6;
            size = 1;
        }
        else if ((unsigned char)*text < 0x20) {
            o += apr_snprintf(o, 7, "\\u%04x", (unsigned char)*text);
        }
        else {
            if (*text == '"' || *text == '\\') {
                *o++ = '\\';
            }
            memcpy(o, text, size);
            o += size;
        }
        text += size;
        left -= size;
    }
    *o++ = '"';
    *o = '\0';
    return out;
}

/* apr_array_pstrcat() with ", ". */
static const char *join(const apr_array_header_t *items, apr_pool_t *pool)
{
    const char *all = "";
    int i;

    for (i = 0; i < items->nelts; i++) {
        all = apr_pstrcat(pool, all, i ? ", " : "",
                          APR_ARRAY_IDX(items, i, const char *), NULL);
    }
    return all;
}

const char *orp_json_array(const apr_array_header_t *items,
                           apr_pool_t *pool)
{
    return apr_pstrcat(pool, "[", join(items, pool), "]", NULL);
}

const char *orp_json_strings(const apr_array_header_t *texts,
                             apr_pool_t *pool)
{
    apr_array_header_t *items = apr_array_make(pool, texts->nelts + 1,
                                               sizeof(const char *));
    int i;

    for (i = 0; i < texts->nelts; i++) {
        APR_ARRAY_PUSH(items, const char *)
            = orp_json_string(APR_ARRAY_IDX(texts, i, const char *), pool);
    }
    return orp_json_array(items, pool);
}

void orp_json_member(apr_array_header_t *members, const char *name,
                     const char *json, apr_pool_t *pool)
{
    APR_ARRAY_PUSH(members, const char *)
        = apr_pstrcat(pool, orp_json_string(name, pool), ": ", json, NULL);
}

const char *orp_json_object(const apr_array_header_t *members,
                            apr_pool_t *pool)
{
    return apr_pstrcat(pool, "{", join(members, pool), "}", NULL);
}
