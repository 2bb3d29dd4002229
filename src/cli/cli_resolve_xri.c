/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "cli_commands.h"

#include "cli_service.h"
#include "cli_world.h"
#include "orp_identifier.h"
#include "orp_json.h"
#include "orp_xri.h"

static apr_status_t resolve(orp_xri_t **pxri, const cli_options_t *options,
                            orp_reason_t *why, apr_pool_t *pool)
{
    const char *typed = APR_ARRAY_IDX(options->operands, 0, const char *);
    orp_identifier_t *identifier;
    orp_env_t *env;
    apr_status_t status = orp_identifier_normalize(&identifier, typed, why,
                                                   pool);

    if (status == APR_SUCCESS && identifier->kind != ORP_IDENTIFIER_XRI) {
        status = orp_reason_set(why, ORP_EIDENTIFIER, typed,
                                "\"%s\" is not an XRI; those begin with =, "
                                "@, +, $, ! or (.", typed);
    }
    if (status == APR_SUCCESS) {
        status = cli_world_create(&env, options, why, pool);
    }
    if (status == APR_SUCCESS) {
        status = orp_xri_resolve(pxri, env, env->xri_proxy
                                 ? env->xri_proxy : CLI_XRI_PROXY,
                                 identifier->text, why, pool);
    }
    return status;
}

static void print_json(const orp_xri_t *xri, apr_pool_t *pool)
{
    apr_array_header_t *members = apr_array_make(pool, 2,
                                                 sizeof(const char *));

    orp_json_member(members, "canonical_id",
                    orp_json_string(xri->canonical_id, pool), pool);
    orp_json_member(members, "services",
                    cli_services_json(xri->services, pool), pool);
    cli_json(orp_json_object(members, pool), pool);
}

int cli_resolve_xri(const cli_options_t *options, apr_pool_t *pool)
{
    orp_reason_t *why = orp_reason_create(pool);
    orp_xri_t *xri;
    apr_status_t status = resolve(&xri, options, why, pool);

    if (status != APR_SUCCESS) {
        return cli_refuse(status, why, pool);
    }
    if (options->given & CLI_JSON) {
        print_json(xri, pool);
    }
    else {
        cli_line("canonical id", xri->canonical_id, pool);
        cli_services_print(xri->services, pool);
    }
    return CLI_OK;
}
