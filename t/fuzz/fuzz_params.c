/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_params.c - orp_params: forms, key-value form, queries. */

#include "fuzz.h"

static void form(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    orp_params_t *params = FUZZ_UNTOUCHED, *again;
    const char *text;

    if (!fuzz_status(orp_params_parse_form(&params, bytes, size, pool),
                     params, ORP_EENCODING, ORP_ETOOBIG, APR_SUCCESS)) {
        return;
    }
    text = orp_params_form(params, pool);
    fuzz_check(orp_params_parse_form(&again, text, strlen(text), pool)
               == APR_SUCCESS);
    fuzz_check(fuzz_same_params(params, again));
    text = orp_params_url("https://a.example/?b#c", params, pool);
    fuzz_check(!strchr(text, '#'));
}

/* Key-value form has one spelling: what is read can be written again. */
static void key_value(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    orp_params_t *params = FUZZ_UNTOUCHED;
    apr_size_t at = 0;
    int i;

    if (!fuzz_status(orp_params_parse_kv(&params, bytes, size, pool), params,
                     ORP_EENCODING, ORP_ETOOBIG, APR_SUCCESS)) {
        return;
    }
    for (i = 0; i < orp_params_size(params); i++) {
        const char *line = apr_pstrcat(pool, orp_params_name(params, i), ":",
                                       orp_params_value(params, i), "\n",
                                       NULL);

        fuzz_check(size - at >= strlen(line));
        fuzz_check(!memcmp(bytes + at, line, strlen(line)));
        at += strlen(line);
    }
    fuzz_check(at == size);
}

static void query(const char *text, const char *name, apr_pool_t *pool)
{
    const char *rest = orp_query_without(text, name, pool);
    orp_params_t *params;

    if (!rest) {
        return;
    }
    fuzz_check(strlen(rest) <= strlen(text));
    fuzz_check(fuzz_same(orp_query_without(rest, name, pool), rest));
    if (orp_params_parse_form(&params, rest, strlen(rest), pool)
        == APR_SUCCESS && *name) {
        fuzz_check(orp_params_count(params, name) == 0);
    }
}

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    const char *text = fuzz_text(bytes, size, pool);

    form(bytes, size, pool);
    key_value(bytes, size, pool);
    query(text, "openid_return", pool);
    query(text, "a", pool);
}

FUZZ_TARGET(params, 4096)
