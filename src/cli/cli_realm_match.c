/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "cli_commands.h"

#include "orp_json.h"
#include "orp_realm.h"

static void print_json(int matches, apr_pool_t *pool)
{
    apr_array_header_t *members = apr_array_make(pool, 1,
                                                 sizeof(const char *));

    orp_json_member(members, "matches", matches ? "true" : "false", pool);
    cli_json(orp_json_object(members, pool), pool);
}

int cli_realm_match(const cli_options_t *options, apr_pool_t *pool)
{
    const char *realm = APR_ARRAY_IDX(options->operands, 0, const char *);
    const char *url = APR_ARRAY_IDX(options->operands, 1, const char *);
    orp_reason_t *why = orp_reason_create(pool);
    apr_status_t status = orp_realm_check(realm, url, why, pool);

    if (options->given & CLI_JSON) {
        print_json(status == APR_SUCCESS, pool);
    }
    return status == APR_SUCCESS ? CLI_OK : cli_refuse(status, why, pool);
}
