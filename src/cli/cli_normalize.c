/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "cli_commands.h"

#include <stdio.h>

#include "orp_identifier.h"
#include "orp_json.h"

static void print_json(const orp_identifier_t *identifier, apr_pool_t *pool)
{
    apr_array_header_t *members = apr_array_make(pool, 2,
                                                 sizeof(const char *));
    const char *kind = orp_identifier_kind_name(identifier->kind);

    orp_json_member(members, "kind", orp_json_string(kind, pool), pool);
    orp_json_member(members, "identifier",
                    orp_json_string(identifier->text, pool), pool);
    cli_json(orp_json_object(members, pool), pool);
}

int cli_normalize(const cli_options_t *options, apr_pool_t *pool)
{
    const char *typed = APR_ARRAY_IDX(options->operands, 0, const char *);
    orp_reason_t *why = orp_reason_create(pool);
    orp_identifier_t *identifier;
    apr_status_t status = orp_identifier_normalize(&identifier, typed, why,
                                                   pool);

    if (status != APR_SUCCESS) {
        return cli_refuse(status, why, pool);
    }
    if (options->given & CLI_JSON) {
        print_json(identifier, pool);
    }
    else {
        printf("%s %s\n", orp_identifier_kind_name(identifier->kind),
               cli_printable(identifier->text, pool));
    }
    return CLI_OK;
}
