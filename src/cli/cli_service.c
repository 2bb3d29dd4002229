/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "cli_service.h"

#include <stdio.h>

#include "cli_output.h"
#include "orp_json.h"
#include "orp_service.h"

static const char *service_json(const orp_service_t *service,
                                apr_pool_t *pool)
{
    apr_array_header_t *members = apr_array_make(pool, 3,
                                                 sizeof(const char *));

    orp_json_member(members, "types", orp_json_strings(service->types, pool),
                    pool);
    orp_json_member(members, "endpoint",
                    orp_json_string(service->endpoint, pool), pool);
    orp_json_member(members, "local_id",
                    orp_json_string(service->local_id, pool), pool);
    return orp_json_object(members, pool);
}

const char *cli_services_json(const apr_array_header_t *services,
                              apr_pool_t *pool)
{
    apr_array_header_t *items = apr_array_make(pool, 4,
                                               sizeof(const char *));
    int i;

    for (i = 0; i < services->nelts; i++) {
        APR_ARRAY_PUSH(items, const char *) = service_json(
            APR_ARRAY_IDX(services, i, orp_service_t *), pool);
    }
    return orp_json_array(items, pool);
}

static void print_service(int number, const orp_service_t *service,
                          apr_pool_t *pool)
{
    int i;

    printf("\nservice: %d\n", number);
    for (i = 0; i < service->types->nelts; i++) {
        cli_line("type", APR_ARRAY_IDX(service->types, i, const char *),
                 pool);
    }
    cli_line("endpoint", service->endpoint, pool);
    if (service->local_id) {
        cli_line("local id", service->local_id, pool);
    }
}

void cli_services_print(const apr_array_header_t *services, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < services->nelts; i++) {
        print_service(i + 1, APR_ARRAY_IDX(services, i, orp_service_t *),
                      pool);
    }
}
