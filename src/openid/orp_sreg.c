/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_sreg.h"

#include <string.h>

#include <apr_strings.h>

static const char *const fields[] = {
    "nickname", "email", "fullname", "dob", "gender", "postcode", "country",
    "language", "timezone",
};

int orp_sreg_field_valid(const char *name)
{
    apr_size_t i;

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (!strcmp(fields[i], name)) {
            return 1;
        }
    }
    return 0;
}

void orp_sreg_request(orp_params_t *form, const orp_sreg_t *sreg)
{
    if (!sreg || (!sreg->required->nelts && !sreg->optional->nelts)) {
        return;
    }
    orp_params_add(form, "openid.ns.sreg", ORP_SREG_NS_11);
    orp_params_add_list(form, "openid.sreg.required", sreg->required);
    orp_params_add_list(form, "openid.sreg.optional", sreg->optional);
    orp_params_add(form, "openid.sreg.policy_url", sreg->policy_url);
}

static void take_fields(orp_params_t *values, const orp_message_t *message,
                        const char *alias, const apr_array_header_t *asked,
                        apr_pool_t *pool)
{
    int i;

    for (i = 0; i < asked->nelts; i++) {
        const char *field = APR_ARRAY_IDX(asked, i, const char *);
        const char *name = apr_pstrcat(pool, alias, ".", field, NULL);

        if (orp_message_is_signed(message, name)
            && strlen(orp_message_get(message, name)) <= ORP_SREG_VALUE_MAX
            && !orp_params_get(values, field)) {
            orp_params_add(values, field, orp_message_get(message, name));
        }
    }
}

orp_params_t *orp_sreg_response(const orp_message_t *message,
                                const orp_sreg_t *sreg, apr_pool_t *pool)
{
    orp_params_t *values = orp_params_create(pool);
    const char *alias = orp_message_signed_alias(message, ORP_SREG_NS_11,
                                                 NULL, pool);

    if (!alias) {
        alias = orp_message_signed_alias(message, ORP_SREG_NS_10, "sreg",
                                         pool);
    }
    if (alias && sreg) {
        take_fields(values, message, alias, sreg->required, pool);
        take_fields(values, message, alias, sreg->optional, pool);
    }
    return values;
}
