/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_message.c - orp_message, and the extensions that read one. */

#include "fuzz.h"

#include "orp_ax.h"
#include "orp_message.h"
#include "orp_pape.h"
#include "orp_sreg.h"
#include "orp_teams.h"

#define NOW apr_time_from_sec(APR_INT64_C(1768478400))

/* No field has two readings. */
static void fields(const orp_message_t *message, apr_pool_t *pool)
{
    const orp_params_t *list = orp_message_fields(message);
    const apr_array_header_t *names = orp_message_signed(message);
    orp_params_t *request = orp_params_create(pool);
    orp_message_t *again;
    int i;

    for (i = 0; i < orp_params_size(list); i++) {
        const char *name = orp_params_name(list, i);

        fuzz_check(orp_params_count(list, name) == 1);
        fuzz_check(fuzz_is_plain(name) && !strchr(name, ':'));
        fuzz_check(fuzz_is_plain(orp_params_value(list, i)));
        fuzz_check(fuzz_same(orp_message_get(message, name),
                             orp_params_value(list, i)));
        orp_params_add(request, apr_pstrcat(pool, "openid.", name, NULL),
                       orp_params_value(list, i));
    }
    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        fuzz_check(orp_message_is_signed(message, name)
                   == (orp_message_get(message, name) != NULL));
    }
    if (orp_message_get(message, "mode")) {
        fuzz_check(orp_message_from_request(&again, request, NULL, pool)
                   == APR_SUCCESS);
        fuzz_check(fuzz_same_params(list, orp_message_fields(again)));
    }
}

/* The text that is signed can be taken apart in one way. */
static void signed_text(const orp_message_t *message, apr_pool_t *pool)
{
    const apr_array_header_t *names = orp_message_signed(message);
    const char *text = FUZZ_UNTOUCHED;
    orp_reason_t *why = orp_reason_create(pool);
    apr_status_t status = orp_message_signed_text(&text, message, why, pool);
    orp_params_t *params;
    int i;

    fuzz_reason(why, status);
    if (!fuzz_status(status, text, ORP_EMESSAGE, APR_SUCCESS)) {
        return;
    }
    if (orp_params_parse_kv(&params, text, strlen(text), pool)
        != APR_SUCCESS) {
        fuzz_check(orp_message_get(message, "") != NULL
                   || names->nelts > ORP_PARAMS_MAX);
        return;
    }
    fuzz_check(orp_params_size(params) == names->nelts);
    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        fuzz_check(!strcmp(orp_params_name(params, i), name));
        fuzz_check(fuzz_same(orp_params_value(params, i),
                             orp_message_get(message, name)));
    }
}

static void aliases(const orp_message_t *message, apr_pool_t *pool)
{
    orp_params_t *list = orp_message_namespaces(message, pool);
    int i;

    for (i = 0; i < orp_params_size(list); i++) {
        const char *alias = orp_params_name(list, i);
        const char *uri = orp_params_value(list, i);
        const char *safe = orp_message_signed_alias(message, uri, NULL, pool);

        fuzz_check(*alias && !strchr(alias, '.'));
        fuzz_check(fuzz_same(orp_message_alias(message, uri, NULL), alias));
        fuzz_check(!safe || !strcmp(safe, alias));
        fuzz_check(!safe || orp_message_is_signed(
                       message, apr_pstrcat(pool, "ns.", alias, NULL)));
    }
}

static apr_array_header_t *list_of(const char *one, const char *two,
                                   apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(one));

    APR_ARRAY_PUSH(list, const char *) = one;
    APR_ARRAY_PUSH(list, const char *) = two;
    return list;
}

/* What an extension says is among the values of signed fields. */
static int is_signed_value(const orp_message_t *message, const char *value)
{
    const orp_params_t *list = orp_message_fields(message);
    int i;

    for (i = 0; i < orp_params_size(list); i++) {
        if (!strcmp(orp_params_value(list, i), value)
            && orp_message_is_signed(message, orp_params_name(list, i))) {
            return 1;
        }
    }
    return 0;
}

static void extensions(const orp_message_t *message, apr_pool_t *pool)
{
    const apr_array_header_t *names = list_of("email", "nickname", pool);
    orp_sreg_t sreg = { names, names, NULL };
    orp_pape_t pape = { 600, list_of("http://a/p", "http://b/p", pool) };
    orp_ax_attr_t attr = { "mail", orp_ax_type("email"), 2, 1 };
    apr_array_header_t *attrs = apr_array_make(pool, 1, sizeof(attr));
    apr_array_header_t *ax;
    orp_params_t *fields_of;
    orp_reason_t *why = orp_reason_create(pool);
    apr_status_t status;
    int i, j;

    APR_ARRAY_PUSH(attrs, orp_ax_attr_t) = attr;
    fields_of = orp_sreg_response(message, &sreg, pool);
    for (i = 0; i < orp_params_size(fields_of); i++) {
        const char *value = orp_params_value(fields_of, i);

        fuzz_check(strlen(value) <= ORP_SREG_VALUE_MAX);
        fuzz_check(is_signed_value(message, value));
    }
    ax = orp_ax_response(message, attrs, pool);
    for (i = 0; i < ax->nelts; i++) {
        const orp_ax_value_t *value = &APR_ARRAY_IDX(ax, i, orp_ax_value_t);

        fuzz_check(!strcmp(value->alias, "mail"));
        fuzz_check(value->values->nelts >= 1 && value->values->nelts <= 2);
        for (j = 0; j < value->values->nelts; j++) {
            fuzz_check(is_signed_value(message,
                                       APR_ARRAY_IDX(value->values, j,
                                                     const char *)));
        }
    }
    status = orp_pape_check(message, &pape, NOW, why, pool);
    fuzz_check(status == APR_SUCCESS || status == ORP_EPOLICY);
    fuzz_reason(why, status);
    (void)orp_teams_response(message, list_of("a", "b", pool), pool);
}

static void look_at(const orp_message_t *message, apr_pool_t *pool)
{
    fields(message, pool);
    signed_text(message, pool);
    aliases(message, pool);
    extensions(message, pool);
}

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    orp_message_t *message = FUZZ_UNTOUCHED;
    orp_params_t *params;
    orp_reason_t *why = orp_reason_create(pool);
    apr_status_t status = orp_message_from_kv(&message, bytes, size, why,
                                              pool);

    fuzz_reason(why, status);
    if (fuzz_status(status, message, ORP_EMESSAGE, APR_SUCCESS)) {
        look_at(message, pool);
    }
    if (orp_params_parse_form(&params, bytes, size, pool) != APR_SUCCESS) {
        return;
    }
    message = FUZZ_UNTOUCHED;
    why = orp_reason_create(pool);
    status = orp_message_from_request(&message, params, why, pool);
    fuzz_reason(why, status);
    if (fuzz_status(status, message, ORP_EMESSAGE, APR_SUCCESS)) {
        fuzz_check(orp_message_get(message, "mode") != NULL);
        look_at(message, pool);
    }
}

FUZZ_TARGET(message, 4096)
