/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_params.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_codec.h"
#include "orp_crypto.h"

typedef struct {
    const char *name;
    const char *value;
} param_t;

struct orp_params_t {
    apr_array_header_t *list;   /* of param_t */
};

static const param_t *at(const orp_params_t *params, int index)
{
    return &APR_ARRAY_IDX(params->list, index, const param_t);
}

orp_params_t *orp_params_create(apr_pool_t *pool)
{
    orp_params_t *params = apr_palloc(pool, sizeof(*params));

    params->list = apr_array_make(pool, 16, sizeof(param_t));
    return params;
}

static void push(orp_params_t *params, const char *name, const char *value)
{
    param_t *param = apr_array_push(params->list);

    param->name = name;
    param->value = value;
}

void orp_params_add(orp_params_t *params, const char *name,
                    const char *value)
{
    if (value) {
        push(params, apr_pstrdup(params->list->pool, name),
             apr_pstrdup(params->list->pool, value));
    }
}

void orp_params_add_list(orp_params_t *params, const char *name,
                         const apr_array_header_t *list)
{
    if (list && list->nelts) {
        push(params, apr_pstrdup(params->list->pool, name),
             apr_array_pstrcat(params->list->pool, list, ','));
    }
}

int orp_params_size(const orp_params_t *params)
{
    return params->list->nelts;
}

const char *orp_params_name(const orp_params_t *params, int index)
{
    return at(params, index)->name;
}

const char *orp_params_value(const orp_params_t *params, int index)
{
    return at(params, index)->value;
}

const char *orp_params_get(const orp_params_t *params, const char *name)
{
    int i;

    for (i = 0; i < params->list->nelts; i++) {
        if (!strcmp(at(params, i)->name, name)) {
            return at(params, i)->value;
        }
    }
    return NULL;
}

int orp_params_count(const orp_params_t *params, const char *name)
{
    int i, count = 0;

    for (i = 0; i < params->list->nelts; i++) {
        count += !strcmp(at(params, i)->name, name);
    }
    return count;
}

void orp_params_cleanse(orp_params_t *params, const char *name)
{
    int i;

    for (i = 0; i < params->list->nelts; i++) {
        if (!strcmp(at(params, i)->name, name)) {
            /* every value of a list is a copy of its own */
            char *value = (char *)at(params, i)->value;

            orp_cleanse(value, strlen(value));
        }
    }
}

/* The end of what begins at text: the next delimiter, or end. */
static const char *up_to(const char *text, const char *end, char delimiter)
{
    const char *found = memchr(text, delimiter, (apr_size_t)(end - text));

    return found ? found : end;
}

apr_status_t orp_params_parse_form(orp_params_t **pparams, const char *text,
                                   apr_size_t size, apr_pool_t *pool)
{
    orp_params_t *params = orp_params_create(pool);
    const char *end = text + size;

    if (size > ORP_PARAMS_SIZE_MAX) {
        return ORP_ETOOBIG;
    }
    while (text < end) {
        const char *next = up_to(text, end, '&');
        const char *equals = up_to(text, next, '=');
        const char *name, *value = "";

        if (next > text) {
            if (params->list->nelts == ORP_PARAMS_MAX) {
                return ORP_ETOOBIG;
            }
            if (orp_percent_decode(&name, text,
                                   (apr_size_t)(equals - text), 1, pool)
                != APR_SUCCESS
                || (equals < next
                    && orp_percent_decode(&value, equals + 1,
                                          (apr_size_t)(next - equals - 1),
                                          1, pool) != APR_SUCCESS)) {
                return ORP_EENCODING;
            }
            push(params, name, value);
        }
        text = next + 1;
    }
    *pparams = params;
    return APR_SUCCESS;
}

const char *orp_params_form(const orp_params_t *params, apr_pool_t *pool)
{
    apr_array_header_t *parts = apr_array_make(pool,
                                               params->list->nelts + 1,
                                               sizeof(const char *));
    int i;

    for (i = 0; i < params->list->nelts; i++) {
        APR_ARRAY_PUSH(parts, const char *)
            = apr_pstrcat(pool, orp_percent_encode(at(params, i)->name, pool),
                          "=",
                          orp_percent_encode(at(params, i)->value, pool),
                          NULL);
    }
    return apr_array_pstrcat(pool, parts, '&');
}

apr_status_t orp_params_parse_kv(orp_params_t **pparams, const char *text,
                                 apr_size_t size, apr_pool_t *pool)
{
    orp_params_t *params = orp_params_create(pool);
    const char *end = text + size;

    if (size > ORP_PARAMS_SIZE_MAX) {
        return ORP_ETOOBIG;
    }
    while (text < end) {
        const char *newline = up_to(text, end, '\n');
        const char *colon = up_to(text, newline, ':');
        char *name, *value;

        if (newline == end || colon == newline || colon == text
            || memchr(text, '\0', (apr_size_t)(newline - text))) {
            return ORP_EENCODING;
        }
        name = apr_pstrmemdup(pool, text, (apr_size_t)(colon - text));
        value = apr_pstrmemdup(pool, colon + 1,
                               (apr_size_t)(newline - colon - 1));
        if (orp_has_control(name) || orp_has_control(value)) {
            return ORP_EENCODING;
        }
        if (params->list->nelts == ORP_PARAMS_MAX) {
            return ORP_ETOOBIG;
        }
        push(params, name, value);
        text = newline + 1;
    }
    *pparams = params;
    return APR_SUCCESS;
}

/* Is this raw "name=value" a parameter of that name? */
static int is_named(const char *text, apr_size_t size, const char *name,
                    apr_pool_t *pool)
{
    const char *equals = up_to(text, text + size, '=');
    const char *decoded;

    return orp_percent_decode(&decoded, text, (apr_size_t)(equals - text), 1,
                              pool) == APR_SUCCESS
        && !strcmp(decoded, name);
}

const char *orp_query_without(const char *query, const char *name,
                              apr_pool_t *pool)
{
    apr_array_header_t *parts = apr_array_make(pool, 8,
                                               sizeof(const char *));
    const char *end = query + strlen(query);
    int removed = 0;

    for (;;) {
        const char *next = up_to(query, end, '&');
        apr_size_t size = (apr_size_t)(next - query);

        if (is_named(query, size, name, pool)) {
            removed = 1;
        }
        else {
            APR_ARRAY_PUSH(parts, const char *)
                = apr_pstrmemdup(pool, query, size);
        }
        if (next == end) {
            break;
        }
        query = next + 1;
    }
    if (removed && parts->nelts == 0) {
        return NULL;
    }
    return apr_array_pstrcat(pool, parts, '&');
}

const char *orp_params_url(const char *url, const orp_params_t *params,
                           apr_pool_t *pool)
{
    apr_size_t base = strcspn(url, "#");
    const char *query = memchr(url, '?', base);
    const char *mark = query ? "&" : "?";

    /* a query that is empty or ends in "&" has room for the first one */
    if (query && (query == url + base - 1 || url[base - 1] == '&')) {
        mark = "";
    }
    return apr_pstrcat(pool, apr_pstrmemdup(pool, url, base), mark,
                       orp_params_form(params, pool), NULL);
}
