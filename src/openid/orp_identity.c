/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_identity.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_codec.h"
#include "orp_json.h"

#define SREG "sreg."
#define AX_TYPE "axtype."
#define AX_VALUE "ax."

const char *orp_identity_email(const orp_identity_t *identity)
{
    const char *email = orp_params_get(identity->sreg, "email");
    int i;

    for (i = 0; (!email || !*email) && i < identity->ax->nelts; i++) {
        const orp_ax_value_t *value = &APR_ARRAY_IDX(identity->ax, i,
                                                     orp_ax_value_t);

        if (orp_ax_same_type(value->type, orp_ax_type("email"))) {
            email = APR_ARRAY_IDX(value->values, 0, const char *);
        }
    }
    return email && *email ? email : NULL;
}

void orp_identity_write(orp_params_t *record,
                        const orp_identity_t *identity, apr_pool_t *pool)
{
    int i, j;

    orp_params_add(record, "claimed_id", identity->claimed_id);
    orp_params_add(record, "display", identity->display);
    orp_params_add(record, "endpoint", identity->endpoint);
    orp_params_add(record, "typed", identity->typed);
    orp_params_add(record, "teams", identity->teams);
    orp_params_add(record, "auth_time",
                   apr_psprintf(pool, "%" APR_TIME_T_FMT,
                                identity->auth_time));
    for (i = 0; i < orp_params_size(identity->sreg); i++) {
        orp_params_add(record,
                       apr_pstrcat(pool, SREG,
                                   orp_params_name(identity->sreg, i),
                                   NULL),
                       orp_params_value(identity->sreg, i));
    }
    for (i = 0; i < identity->ax->nelts; i++) {
        const orp_ax_value_t *value = &APR_ARRAY_IDX(identity->ax, i,
                                                     orp_ax_value_t);

        orp_params_add(record,
                       apr_pstrcat(pool, AX_TYPE, value->alias, NULL),
                       value->type);
        for (j = 0; j < value->values->nelts; j++) {
            orp_params_add(record,
                           apr_pstrcat(pool, AX_VALUE, value->alias, NULL),
                           APR_ARRAY_IDX(value->values, j, const char *));
        }
    }
}

/* A value of AX belongs to the type that stands before it. */
static void read_member(orp_identity_t *identity, const char *name,
                        const char *value, apr_pool_t *pool)
{
    orp_ax_value_t *ax;

    if (!strncmp(name, SREG, strlen(SREG))) {
        orp_params_add(identity->sreg, name + strlen(SREG), value);
    }
    else if (!strncmp(name, AX_TYPE, strlen(AX_TYPE))) {
        ax = apr_array_push(identity->ax);
        ax->alias = name + strlen(AX_TYPE);
        ax->type = value;
        ax->values = apr_array_make(pool, 1, sizeof(const char *));
    }
    else if (!strncmp(name, AX_VALUE, strlen(AX_VALUE))
             && identity->ax->nelts) {
        ax = &APR_ARRAY_IDX(identity->ax, identity->ax->nelts - 1,
                            orp_ax_value_t);
        APR_ARRAY_PUSH(ax->values, const char *) = value;
    }
}

apr_status_t orp_identity_read(orp_identity_t **pidentity,
                               const orp_params_t *record, apr_pool_t *pool)
{
    orp_identity_t *identity = apr_pcalloc(pool, sizeof(*identity));
    const char *auth_time = orp_params_get(record, "auth_time");
    apr_uint64_t when;
    int i;

    identity->claimed_id = orp_params_get(record, "claimed_id");
    identity->display = orp_params_get(record, "display");
    identity->endpoint = orp_params_get(record, "endpoint");
    identity->typed = orp_params_get(record, "typed");
    identity->teams = orp_params_get(record, "teams");
    if (!identity->claimed_id || !identity->endpoint || !auth_time
        || orp_number_parse(&when, auth_time, APR_INT64_MAX)
        != APR_SUCCESS) {
        return ORP_ESTORE;
    }
    identity->auth_time = (apr_time_t)when;
    identity->sreg = orp_params_create(pool);
    identity->ax = apr_array_make(pool, 4, sizeof(orp_ax_value_t));
    for (i = 0; i < orp_params_size(record); i++) {
        read_member(identity, orp_params_name(record, i),
                    orp_params_value(record, i), pool);
    }
    for (i = 0; i < identity->ax->nelts; i++) {
        if (!APR_ARRAY_IDX(identity->ax, i, orp_ax_value_t).values->nelts) {
            return ORP_ESTORE;
        }
    }
    *pidentity = identity;
    return APR_SUCCESS;
}

const char *orp_identity_sreg_json(const orp_identity_t *identity,
                                   apr_pool_t *pool)
{
    apr_array_header_t *members = apr_array_make(pool, 9,
                                                 sizeof(const char *));
    int i;

    for (i = 0; i < orp_params_size(identity->sreg); i++) {
        orp_json_member(members, orp_params_name(identity->sreg, i),
                        orp_json_string(orp_params_value(identity->sreg, i),
                                        pool), pool);
    }
    return members->nelts ? orp_json_object(members, pool) : NULL;
}

const char *orp_identity_ax_json(const orp_identity_t *identity,
                                 apr_pool_t *pool)
{
    apr_array_header_t *members = apr_array_make(pool, 9,
                                                 sizeof(const char *));
    int i;

    for (i = 0; i < identity->ax->nelts; i++) {
        const orp_ax_value_t *value = &APR_ARRAY_IDX(identity->ax, i,
                                                     orp_ax_value_t);

        orp_json_member(members, value->type,
                        orp_json_strings(value->values, pool), pool);
    }
    return members->nelts ? orp_json_object(members, pool) : NULL;
}
