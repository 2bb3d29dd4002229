/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "support_ext.h"

apr_array_header_t *list_of(apr_pool_t *pool, ...)
{
    apr_array_header_t *list = apr_array_make(pool, 4,
                                              sizeof(const char *));
    const char *text;
    va_list args;

    va_start(args, pool);
    while ((text = va_arg(args, const char *))) {
        APR_ARRAY_PUSH(list, const char *) = text;
    }
    va_end(args);
    return list;
}

orp_params_t *query_of(const char *url, apr_pool_t *pool)
{
    const char *query = strchr(url, '?');
    orp_params_t *params = NULL;

    assert_non_null(query);
    query++;
    assert_status(orp_params_parse_form(&params, query, strlen(query), pool),
                  APR_SUCCESS);
    return params;
}

const char *asked(const visit_t *visit, const char *name)
{
    orp_params_t *query = query_of(visit->login->redirect,
                                   visit->scene->pool);

    assert_in_range(orp_params_count(query, name), 0, 1);
    return orp_params_get(query, name);
}

int asked_any(const visit_t *visit, const char *prefix)
{
    orp_params_t *query = query_of(visit->login->redirect,
                                   visit->scene->pool);
    int i, any = 0;

    for (i = 0; i < orp_params_size(query); i++) {
        any |= !strncmp(orp_params_name(query, i), prefix, strlen(prefix));
    }
    return any;
}

static int names(const char *list, const char *name, apr_pool_t *pool)
{
    const char *within = apr_pstrcat(pool, ",", list, ",", NULL);

    return strstr(within, apr_pstrcat(pool, ",", name, ",", NULL)) != NULL;
}

orp_message_t *message_signed_without(apr_pool_t *pool,
                                      const orp_params_t *fields,
                                      const char *except)
{
    orp_params_t *all = params_of(pool, "openid.ns", ORP_NS_20,
                                  "openid.mode", "id_res", NULL);
    const char *list = "mode";
    int i;

    for (i = 0; i < orp_params_size(fields); i++) {
        const char *name = orp_params_name(fields, i);
        const char *bare = name + strlen("openid.");

        orp_params_add(all, name, orp_params_value(fields, i));
        if (!names(except, bare, pool)) {
            list = apr_pstrcat(pool, list, ",", bare, NULL);
        }
    }
    orp_params_add(all, "openid.signed", list);
    return message_of(all, pool);
}

orp_message_t *signed_message(apr_pool_t *pool, const orp_params_t *fields)
{
    return message_signed_without(pool, fields, "");
}

orp_params_t *op_answer_with(op_t *op, const visit_t *visit, const char *id,
                             const orp_params_t *fields, const char *list)
{
    orp_params_t *answer = op_answer_about(op, visit, id, id);
    int i;

    for (i = 0; i < orp_params_size(fields); i++) {
        answer = with(answer, orp_params_name(fields, i),
                      orp_params_value(fields, i));
    }
    return op_sign(op, with(answer, "openid.signed", list));
}
