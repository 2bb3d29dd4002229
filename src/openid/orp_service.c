/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_service.h"

#include <string.h>

static const char *const type_uris[] = {
    [ORP_SERVER_20] = ORP_TYPE_SERVER_20,
    [ORP_SIGNON_20] = ORP_TYPE_SIGNON_20,
    [ORP_SIGNON_11] = ORP_TYPE_SIGNON_11,
    [ORP_SIGNON_10] = ORP_TYPE_SIGNON_10,
};

orp_version_e orp_service_version(orp_service_kind_e kind)
{
    return kind <= ORP_SIGNON_20 ? ORP_VERSION_2 : ORP_VERSION_1;
}

const char *orp_service_type(orp_service_kind_e kind)
{
    return type_uris[kind];
}

int orp_service_kind(orp_service_kind_e *pkind,
                     const apr_array_header_t *types)
{
    int kind, i;

    for (kind = ORP_SERVER_20; kind <= ORP_SIGNON_10; kind++) {
        for (i = 0; i < types->nelts; i++) {
            if (!strcmp(APR_ARRAY_IDX(types, i, const char *),
                        type_uris[kind])) {
                *pkind = (orp_service_kind_e)kind;
                return 1;
            }
        }
    }
    return 0;
}

int orp_services_is_op_identifier(const apr_array_header_t *services)
{
    return services->nelts
        && APR_ARRAY_IDX(services, 0, const orp_service_t *)->kind
        == ORP_SERVER_20;
}
