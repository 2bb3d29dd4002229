/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "cli_commands.h"

#include <apr_strings.h>

#include "cli_world.h"
#include "orp_associate.h"
#include "orp_json.h"
#include "orp_url.h"

/* What is shown of an association. */
typedef struct {
    const char *handle;
    const char *type;
    const char *lifetime;       /* seconds */
} shown_t;

static apr_status_t associate(shown_t *shown, const cli_options_t *options,
                              orp_reason_t *why, apr_pool_t *pool)
{
    const char *typed = APR_ARRAY_IDX(options->operands, 0, const char *);
    orp_associate_t request = {
        .version = ORP_VERSION_2,
        .assoc_type = options->type,
        .session_type = options->session,
    };
    orp_assoc_t *assoc;
    orp_env_t *env;
    apr_time_t left;
    apr_status_t status = orp_url_normalize(&request.endpoint, typed, why,
                                            pool);

    if (status == APR_SUCCESS) {
        status = cli_world_create(&env, options, why, pool);
    }
    if (status == APR_SUCCESS) {
        status = orp_associate(&assoc, env, &request, why, pool);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    /* the part of a second that has passed meanwhile does not count */
    left = assoc->expires - orp_env_now(env) + APR_USEC_PER_SEC - 1;
    shown->handle = assoc->handle;
    shown->type = orp_assoc_type(assoc->hash);
    shown->lifetime = apr_psprintf(pool, "%" APR_TIME_T_FMT,
                                   apr_time_sec(left));
    return APR_SUCCESS;
}

static void print_json(const shown_t *shown, apr_pool_t *pool)
{
    apr_array_header_t *members = apr_array_make(pool, 3,
                                                 sizeof(const char *));

    orp_json_member(members, "handle", orp_json_string(shown->handle, pool),
                    pool);
    orp_json_member(members, "type", orp_json_string(shown->type, pool),
                    pool);
    orp_json_member(members, "lifetime", shown->lifetime, pool);
    cli_json(orp_json_object(members, pool), pool);
}

int cli_associate(const cli_options_t *options, apr_pool_t *pool)
{
    orp_reason_t *why = orp_reason_create(pool);
    shown_t shown;
    apr_status_t status = associate(&shown, options, why, pool);

    if (status != APR_SUCCESS) {
        return cli_refuse(status, why, pool);
    }
    if (options->given & CLI_JSON) {
        print_json(&shown, pool);
    }
    else {
        cli_line("handle", shown.handle, pool);
        cli_line("type", shown.type, pool);
        cli_line("lifetime", shown.lifetime, pool);
    }
    return CLI_OK;
}
