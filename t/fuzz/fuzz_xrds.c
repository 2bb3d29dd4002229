/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_xrds.c - orp_xrds, and orp_xml below it. */

#include "fuzz.h"

#include "orp_codec.h"
#include "orp_xrds.h"

static void services(const apr_array_header_t *list, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < list->nelts; i++) {
        const orp_service_t *service = APR_ARRAY_IDX(list, i,
                                                     orp_service_t *);
        const char *endpoint = NULL;
        orp_service_kind_e kind;

        fuzz_check(i == 0 || APR_ARRAY_IDX(list, i - 1, orp_service_t *)->kind
                   <= service->kind);
        fuzz_check(service->kind <= ORP_SIGNON_10);
        fuzz_check(orp_service_endpoint(&endpoint, service->endpoint, pool)
                   == APR_SUCCESS);
        fuzz_check(!strcmp(endpoint, service->endpoint));
        fuzz_check(orp_service_kind(&kind, service->types));
        fuzz_check(kind == service->kind);
        fuzz_check(!service->local_id || service->kind != ORP_SERVER_20);
    }
    (void)orp_services_is_op_identifier(list);
}

static void is_text(const char *text)
{
    fuzz_check(!text || orp_utf8_valid(text, strlen(text)));
}

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    apr_array_header_t *list = FUZZ_UNTOUCHED;
    orp_reason_t *why = orp_reason_create(pool);
    orp_xrds_authority_t authority;
    apr_status_t status = orp_xrds_services(&list, bytes, size, why, pool);
    apr_status_t other = orp_xrds_authority(&authority, bytes, size, NULL,
                                            pool);

    fuzz_reason(why, status);
    fuzz_check(other == status);
    if (fuzz_status(status, list, ORP_EXML, APR_SUCCESS)) {
        services(list, pool);
        is_text(authority.canonical_id);
        is_text(authority.provider_id);
    }
}

FUZZ_TARGET(xrds, 8192)
