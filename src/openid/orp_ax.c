/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_ax.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_codec.h"

#define ALIAS_MAX 32
#define AXSCHEMA "http://axschema.org/"

static const struct {
    const char *alias;
    const char *type;
} known[] = {
    { "nickname", AXSCHEMA "namePerson/friendly" },
    { "email", AXSCHEMA "contact/email" },
    { "fullname", AXSCHEMA "namePerson" },
    { "dob", AXSCHEMA "birthDate" },
    { "gender", AXSCHEMA "person/gender" },
    { "postcode", AXSCHEMA "contact/postalCode/home" },
    { "country", AXSCHEMA "contact/country/home" },
    { "language", AXSCHEMA "pref/language" },
    { "timezone", AXSCHEMA "pref/timezone" },
    { "first", AXSCHEMA "namePerson/first" },
    { "last", AXSCHEMA "namePerson/last" },
};

/* The same names were published under these as well, before and after. */
static const char *const schemas[] = {
    AXSCHEMA, "http://schema.openid.net/", "http://openid.net/schema/",
    "https://axschema.org/",
};

const char *orp_ax_type(const char *alias)
{
    apr_size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!strcmp(known[i].alias, alias)) {
            return known[i].type;
        }
    }
    return NULL;
}

int orp_ax_alias_valid(const char *alias)
{
    apr_size_t size = strspn(alias, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "abcdefghijklmnopqrstuvwxyz0123456789_-");

    return size > 0 && size <= ALIAS_MAX && !alias[size];
}

void orp_ax_request(orp_params_t *form, const apr_array_header_t *attrs,
                    apr_pool_t *pool)
{
    apr_array_header_t *required = apr_array_make(pool, 4,
                                                  sizeof(const char *));
    apr_array_header_t *available = apr_array_make(pool, 4,
                                                   sizeof(const char *));
    int i;

    if (!attrs || !attrs->nelts) {
        return;
    }
    orp_params_add(form, "openid.ns.ax", ORP_AX_NS);
    orp_params_add(form, "openid.ax.mode", "fetch_request");
    for (i = 0; i < attrs->nelts; i++) {
        const orp_ax_attr_t *attr = &APR_ARRAY_IDX(attrs, i, orp_ax_attr_t);

        orp_params_add(form, apr_pstrcat(pool, "openid.ax.type.",
                                         attr->alias, NULL), attr->type);
        if (attr->count > 1) {
            orp_params_add(form, apr_pstrcat(pool, "openid.ax.count.",
                                             attr->alias, NULL),
                           attr->count == ORP_AX_UNLIMITED ? "unlimited"
                           : apr_itoa(pool, attr->count));
        }
        APR_ARRAY_PUSH(attr->required ? required : available, const char *)
            = attr->alias;
    }
    orp_params_add_list(form, "openid.ax.required", required);
    orp_params_add_list(form, "openid.ax.if_available", available);
}

/* A signed field "ALIAS.KIND.NAME", or NULL. */
static const char *signed_field(const orp_message_t *message,
                                const char *alias, const char *kind,
                                const char *name, apr_pool_t *pool)
{
    const char *field = apr_pstrcat(pool, alias, ".", kind, ".", name, NULL);

    return orp_message_is_signed(message, field)
        ? orp_message_get(message, field) : NULL;
}

/* What stands behind the schema in a type URI, or NULL. */
static const char *in_schema(const char *type)
{
    apr_size_t i;

    for (i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        if (!strncmp(type, schemas[i], strlen(schemas[i]))) {
            return type + strlen(schemas[i]);
        }
    }
    return NULL;
}

int orp_ax_same_type(const char *a, const char *b)
{
    const char *x = in_schema(a), *y = in_schema(b);

    return x && y && !strcmp(x, y);
}

static int equal(const char *a, const char *b)
{
    return !strcmp(a, b);
}

/* The name that the provider gives to a type: of "ALIAS.type.NAME", NAME.
 * @param same  is it this type? */
static const char *find_name(const orp_message_t *message,
                             const char *alias, const char *type,
                             int (*same)(const char *a, const char *b),
                             apr_pool_t *pool)
{
    const orp_params_t *fields = orp_message_fields(message);
    const char *prefix = apr_pstrcat(pool, alias, ".type.", NULL);
    apr_size_t size = strlen(prefix);
    int i;

    for (i = 0; i < orp_params_size(fields); i++) {
        const char *field = orp_params_name(fields, i);

        if (!strncmp(field, prefix, size)
            && same(orp_params_value(fields, i), type)
            && orp_message_is_signed(message, field)) {
            return field + size;
        }
    }
    return NULL;
}

/* By the type itself; or else by the same one of another schema. */
static const char *name_of_type(const orp_message_t *message,
                                const char *alias, const char *type,
                                apr_pool_t *pool)
{
    const char *name = find_name(message, alias, type, equal, pool);

    return name ? name
        : find_name(message, alias, type, orp_ax_same_type, pool);
}

/* The values of one attribute; NULL where there is none, or too much. */
static apr_array_header_t *read_values(const orp_message_t *message,
                                       const char *alias, const char *name,
                                       int most, apr_pool_t *pool)
{
    apr_array_header_t *values = apr_array_make(pool, 1,
                                                sizeof(const char *));
    const char *count = orp_message_get(message,
                                        apr_pstrcat(pool, alias, ".count.",
                                                    name, NULL));
    const char *value = signed_field(message, alias, "value", name, pool);
    apr_uint64_t n, i;

    if (!count) {               /* exactly one, without a number */
        if (value) {
            APR_ARRAY_PUSH(values, const char *) = value;
        }
        return value ? values : NULL;
    }
    if (!signed_field(message, alias, "count", name, pool)
        || orp_number_parse(&n, count, (apr_uint64_t)most) != APR_SUCCESS) {
        return NULL;
    }
    for (i = 1; i <= n; i++) {
        const char *numbered = apr_psprintf(pool, "%s.%" APR_UINT64_T_FMT,
                                            name, i);

        value = signed_field(message, alias, "value", numbered, pool);
        if (!value) {
            return NULL;
        }
        APR_ARRAY_PUSH(values, const char *) = value;
    }
    return values->nelts ? values : NULL;
}

/* Is there room for these values? Then they take it. */
static int fits(const apr_array_header_t *values, apr_size_t *proom)
{
    apr_size_t all = 0;
    int i;

    for (i = 0; i < values->nelts; i++) {
        apr_size_t size = strlen(APR_ARRAY_IDX(values, i, const char *));

        if (size > ORP_AX_VALUE_MAX) {
            return 0;
        }
        all += size + 1;
    }
    if (all > *proom) {
        return 0;
    }
    *proom -= all;
    return 1;
}

apr_array_header_t *orp_ax_response(const orp_message_t *message,
                                    const apr_array_header_t *attrs,
                                    apr_pool_t *pool)
{
    apr_array_header_t *found = apr_array_make(pool, 4,
                                               sizeof(orp_ax_value_t));
    const char *alias = orp_message_signed_alias(message, ORP_AX_NS, "ax",
                                                 pool);
    const char *mode;
    apr_size_t room = ORP_AX_ALL_MAX;
    int i;

    if (!alias || !attrs) {
        return found;
    }
    mode = orp_message_get(message, apr_pstrcat(pool, alias, ".mode", NULL));
    if (!mode || strcmp(mode, "fetch_response")) {
        return found;
    }
    for (i = 0; i < attrs->nelts; i++) {
        const orp_ax_attr_t *attr = &APR_ARRAY_IDX(attrs, i, orp_ax_attr_t);
        const char *name = name_of_type(message, alias, attr->type, pool);
        apr_array_header_t *values = name
            ? read_values(message, alias, name, attr->count, pool) : NULL;

        if (values && fits(values, &room)) {
            orp_ax_value_t *value = apr_array_push(found);

            value->alias = attr->alias;
            value->type = attr->type;
            value->values = values;
        }
    }
    return found;
}
