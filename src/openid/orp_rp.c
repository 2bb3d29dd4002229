/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_rp.h"

int orp_rp_allows(const orp_rp_t *rp, const char *endpoint)
{
    return !rp->provider_allowed
        || rp->provider_allowed(rp->provider_baton, endpoint);
}
