/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_teams.h"

#include <string.h>

#include <apr_strings.h>

int orp_teams_valid(const char *team)
{
    apr_size_t size = strspn(team, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "abcdefghijklmnopqrstuvwxyz0123456789-_.+");

    return size > 0 && !team[size];
}

void orp_teams_request(orp_params_t *form, const apr_array_header_t *teams)
{
    if (teams && teams->nelts) {
        orp_params_add(form, "openid.ns.lp", ORP_TEAMS_NS);
        orp_params_add_list(form, "openid.lp.query_membership", teams);
    }
}

static int is_listed(const char *list, const char *team)
{
    apr_size_t length = strlen(team);

    while (*list) {
        apr_size_t size = strcspn(list, ",");

        if (size == length && !strncmp(list, team, size)) {
            return 1;
        }
        list += size + (list[size] == ',');
    }
    return 0;
}

const char *orp_teams_response(const orp_message_t *message,
                               const apr_array_header_t *teams,
                               apr_pool_t *pool)
{
    const char *alias = orp_message_signed_alias(message, ORP_TEAMS_NS, "lp",
                                                 pool);
    apr_array_header_t *member = apr_array_make(pool, 4,
                                                sizeof(const char *));
    const char *field;
    int i;

    if (!alias || !teams) {
        return NULL;
    }
    field = apr_pstrcat(pool, alias, ".is_member", NULL);
    if (!orp_message_is_signed(message, field)) {
        return NULL;
    }
    for (i = 0; i < teams->nelts; i++) {
        const char *team = APR_ARRAY_IDX(teams, i, const char *);

        if (is_listed(orp_message_get(message, field), team)) {
            APR_ARRAY_PUSH(member, const char *) = team;
        }
    }
    return member->nelts ? apr_array_pstrcat(pool, member, ' ') : NULL;
}
