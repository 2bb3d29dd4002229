/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_multipart.c - orp_multipart: a first line with the Content-Type, and a
 * body. */

#include "fuzz.h"

#include "orp_multipart.h"

/* Is this text somewhere in the body, all of it? */
static int is_in(const char *text, const char *body, apr_size_t size)
{
    apr_size_t length = strlen(text), i;

    for (i = 0; i + length <= size; i++) {
        if (!memcmp(body + i, text, length)) {
            return 1;
        }
    }
    return 0;
}

/* Nothing is made up, decoded, or put together. */
static void values(const orp_params_t *params, const char *body,
                   apr_size_t size)
{
    int i;

    fuzz_check(orp_params_size(params) <= ORP_PARAMS_MAX);
    for (i = 0; i < orp_params_size(params); i++) {
        const char *name = orp_params_name(params, i);

        fuzz_check(is_in(name, body, size));
        fuzz_check(!strpbrk(name, "\\\"\r\n"));
        fuzz_check(is_in(orp_params_value(params, i), body, size));
    }
}

/* The same form, as a browser writes it. */
static void again(const orp_params_t *params, apr_pool_t *pool)
{
    static const char boundary[] = "----7MA4YWxkTrZu0gW";
    const char *text = "", *type;
    orp_params_t *same;
    int i;

    for (i = 0; i < orp_params_size(params); i++) {
        const char *value = orp_params_value(params, i);

        if (strstr(value, boundary)) {
            return;
        }
        text = apr_pstrcat(pool, text, "--", boundary,
                           "\r\nContent-Disposition: form-data; name=\"",
                           orp_params_name(params, i), "\"\r\n\r\n", value,
                           "\r\n", NULL);
    }
    text = apr_pstrcat(pool, text, "--", boundary, "--\r\n", NULL);
    type = apr_pstrcat(pool, "multipart/form-data; boundary=\"", boundary,
                       "\"", NULL);
    fuzz_check(orp_multipart_parse(&same, type, text, strlen(text), pool)
               == APR_SUCCESS);
    fuzz_check(fuzz_same_params(params, same));
}

/* The same form with a line before it and one behind. */
static void amid(const orp_params_t *params, const char *type,
                 const char *body, apr_size_t size, apr_pool_t *pool)
{
    static const char behind[] = "\r\n--x";
    char *longer = apr_palloc(pool, 2 + size + sizeof(behind));
    orp_params_t *same;

    memcpy(longer, "\r\n", 2);
    memcpy(longer + 2, body, size);
    memcpy(longer + 2 + size, behind, sizeof(behind));
    fuzz_check(orp_multipart_parse(&same, type, longer,
                                   2 + size + sizeof(behind), pool)
               == APR_SUCCESS);
    fuzz_check(fuzz_same_params(params, same));
}

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    const char *line = size ? memchr(bytes, '\n', size) : NULL;
    orp_params_t *params = FUZZ_UNTOUCHED;
    const char *type, *body;

    if (!line) {
        return;
    }
    type = fuzz_text(bytes, (apr_size_t)(line - bytes), pool);
    size -= (apr_size_t)(line + 1 - bytes);
    /* a piece of memory of its own, whose end is watched */
    body = apr_pmemdup(pool, line + 1, size);
    if (fuzz_status(orp_multipart_parse(&params, type, body, size, pool),
                    params, ORP_EENCODING, ORP_ETOOBIG, APR_SUCCESS)) {
        values(params, body, size);
        again(params, pool);
        amid(params, type, body, size, pool);
    }
}

FUZZ_TARGET(multipart, 4096)
