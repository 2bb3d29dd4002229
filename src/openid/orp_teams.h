/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_teams.h - the teams extension of Launchpad: of which teams is the user
 * a member?
 */
#ifndef ORP_TEAMS_H
#define ORP_TEAMS_H

#include <apr_tables.h>

#include "orp_message.h"

#define ORP_TEAMS_NS "http://ns.launchpad.net/2007/openid-teams"

/** Can this be the name of a team? */
int orp_teams_valid(const char *team);

/** Ask for membership (query_membership).
 * @param teams  of const char *; NULL or empty: nothing is added */
void orp_teams_request(orp_params_t *form, const apr_array_header_t *teams);

/**
 * Read the response (is_member).
 * @param message  verified already
 * @return those of teams that the user is a member of, separated by spaces,
 *         in the order of teams; or NULL where there is none
 */
const char *orp_teams_response(const orp_message_t *message,
                               const apr_array_header_t *teams,
                               apr_pool_t *pool);

#endif
