/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_checkid.h"

#include "orp_profile.h"

/* A provider is known by its endpoint, or by what its user chose. */
static int can(const orp_login_t *login, int ability)
{
    const orp_profile_t *profile = login->typed
        ? orp_profile_of_identifier(login->typed) : NULL;

    return orp_profile_can(login->endpoint, ability)
        && (!profile || (profile->can & ability));
}

/* What a provider is known not to answer would only make the URL longer. */
static void add_extensions(orp_params_t *form, const orp_login_t *login,
                           const orp_rp_t *rp, apr_pool_t *pool)
{
    if (can(login, ORP_CAN_SREG)) {
        orp_sreg_request(form, rp->sreg);
    }
    if (can(login, ORP_CAN_AX)) {
        orp_ax_request(form, rp->ax, pool);
    }
    if (can(login, ORP_CAN_TEAMS)) {
        orp_teams_request(form, rp->teams);
    }
    orp_pape_request(form, rp->pape, pool);
}

const char *orp_checkid_url(const orp_login_t *login, const orp_rp_t *rp,
                            int immediate, apr_pool_t *pool)
{
    orp_params_t *form = orp_params_create(pool);
    const char *claimed_id = login->claimed_id ? login->claimed_id
        : ORP_IDENTIFIER_SELECT;
    const char *local_id = login->claimed_id ? login->local_id
        : ORP_IDENTIFIER_SELECT;

    if (login->version == ORP_VERSION_2) {
        orp_params_add(form, "openid.ns", ORP_NS_20);
    }
    orp_params_add(form, "openid.mode", immediate ? "checkid_immediate"
                   : "checkid_setup");
    if (login->version == ORP_VERSION_2) {
        orp_params_add(form, "openid.claimed_id", claimed_id);
    }
    orp_params_add(form, "openid.identity", local_id);
    orp_params_add(form, "openid.assoc_handle", login->assoc_handle);
    orp_params_add(form, "openid.return_to", login->return_to);
    orp_params_add(form, login->version == ORP_VERSION_2 ? "openid.realm"
                   : "openid.trust_root", rp->realm);
    add_extensions(form, login, rp, pool);
    return orp_params_url(login->endpoint, form, pool);
}
