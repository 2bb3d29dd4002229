/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_require.h - what Require can ask for: openid-identifier,
 * openid-provider, openid-attribute, openid-team.
 *
 * Several words in a line, or several lines in a section, mean: one of them.
 * Who has no session is asked to sign in. A user who was authenticated by
 * another module has none of these.
 */
#ifndef OPENID2RP_REQUIRE_H
#define OPENID2RP_REQUIRE_H

#include "openid2rp.h"

/** Tell mod_authz_core of them. */
void openid2rp_require_register(apr_pool_t *pool);

#endif
