/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_service.h"

#include <string.h>

#include "orp_url.h"

#define PREFIX "openid."

static const char *const type_uris[] = {
    [ORP_SERVER_20] = ORP_TYPE_SERVER_20,
    [ORP_SIGNON_20] = ORP_TYPE_SIGNON_20,
    [ORP_SIGNON_11] = ORP_TYPE_SIGNON_11,
    [ORP_SIGNON_10] = ORP_TYPE_SIGNON_10,
};

/* 14.2.1: the other name of a type, or NULL. */
static const char *const other_uris[] = {
    [ORP_SERVER_20] = NULL,
    [ORP_SIGNON_20] = NULL,
    [ORP_SIGNON_11] = ORP_TYPE_SERVER_11,
    [ORP_SIGNON_10] = ORP_TYPE_SERVER_10,
};

orp_version_e orp_service_version(orp_service_kind_e kind)
{
    return kind <= ORP_SIGNON_20 ? ORP_VERSION_2 : ORP_VERSION_1;
}

const char *orp_service_type(orp_service_kind_e kind)
{
    return type_uris[kind];
}

static int is_of_kind(const char *type, int kind)
{
    return !strcmp(type, type_uris[kind])
        || (other_uris[kind] && !strcmp(type, other_uris[kind]));
}

int orp_service_kind(orp_service_kind_e *pkind,
                     const apr_array_header_t *types)
{
    int kind, i;

    for (kind = ORP_SERVER_20; kind <= ORP_SIGNON_10; kind++) {
        for (i = 0; i < types->nelts; i++) {
            if (is_of_kind(APR_ARRAY_IDX(types, i, const char *), kind)) {
                *pkind = (orp_service_kind_e)kind;
                return 1;
            }
        }
    }
    return 0;
}

apr_status_t orp_service_endpoint(const char **pendpoint, const char *text,
                                  apr_pool_t *pool)
{
    const char *endpoint, *query;
    orp_params_t *params;
    apr_status_t status = orp_url_normalize(&endpoint, text, NULL, pool);
    int i;

    if (status != APR_SUCCESS) {
        return status;
    }
    query = strchr(endpoint, '?');
    if (query) {
        if (orp_params_parse_form(&params, query + 1, strlen(query + 1),
                                  pool) != APR_SUCCESS) {
            return ORP_EURL;
        }
        for (i = 0; i < orp_params_size(params); i++) {
            if (!strncmp(orp_params_name(params, i), PREFIX,
                         strlen(PREFIX))) {
                return ORP_EURL;
            }
        }
    }
    *pendpoint = endpoint;
    return APR_SUCCESS;
}

int orp_services_is_op_identifier(const apr_array_header_t *services)
{
    return services->nelts
        && APR_ARRAY_IDX(services, 0, const orp_service_t *)->kind
        == ORP_SERVER_20;
}
