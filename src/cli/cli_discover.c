/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "cli_commands.h"

#include "cli_service.h"
#include "cli_world.h"
#include "orp_discover.h"
#include "orp_json.h"

static apr_status_t discover(orp_discovery_t **pdiscovery,
                             const cli_options_t *options, orp_reason_t *why,
                             apr_pool_t *pool)
{
    const char *typed = APR_ARRAY_IDX(options->operands, 0, const char *);
    orp_identifier_t *identifier;
    orp_env_t *env;
    apr_status_t status = orp_identifier_normalize(&identifier, typed, why,
                                                   pool);

    if (status == APR_SUCCESS) {
        status = cli_world_create(&env, options, why, pool);
    }
    if (status == APR_SUCCESS) {
        status = orp_discover(pdiscovery, env, identifier, why, pool);
    }
    return status;
}

static void print_json(const orp_discovery_t *discovery, apr_pool_t *pool)
{
    apr_array_header_t *members = apr_array_make(pool, 3,
                                                 sizeof(const char *));
    const char *kind = orp_identifier_kind_name(discovery->kind);

    orp_json_member(members, "claimed_id",
                    orp_json_string(discovery->claimed_id, pool), pool);
    orp_json_member(members, "kind", orp_json_string(kind, pool), pool);
    orp_json_member(members, "services",
                    cli_services_json(discovery->services, pool), pool);
    cli_json(orp_json_object(members, pool), pool);
}

static void print_text(const orp_discovery_t *discovery, apr_pool_t *pool)
{
    cli_line("claimed id", discovery->claimed_id, pool);
    cli_line("kind", orp_identifier_kind_name(discovery->kind), pool);
    cli_services_print(discovery->services, pool);
}

int cli_discover(const cli_options_t *options, apr_pool_t *pool)
{
    orp_reason_t *why = orp_reason_create(pool);
    orp_discovery_t *discovery;
    apr_status_t status = discover(&discovery, options, why, pool);

    if (status != APR_SUCCESS) {
        return cli_refuse(status, why, pool);
    }
    if (options->given & CLI_JSON) {
        print_json(discovery, pool);
    }
    else {
        print_text(discovery, pool);
    }
    return CLI_OK;
}
