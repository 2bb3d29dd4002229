/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_checkid.h"

const char *orp_checkid_url(const orp_login_t *login, const orp_rp_t *rp,
                            apr_pool_t *pool)
{
    orp_params_t *form = orp_params_create(pool);
    const char *claimed_id = login->claimed_id ? login->claimed_id
        : ORP_IDENTIFIER_SELECT;
    const char *local_id = login->claimed_id ? login->local_id
        : ORP_IDENTIFIER_SELECT;

    if (login->version == ORP_VERSION_2) {
        orp_params_add(form, "openid.ns", ORP_NS_20);
    }
    orp_params_add(form, "openid.mode", "checkid_setup");
    if (login->version == ORP_VERSION_2) {
        orp_params_add(form, "openid.claimed_id", claimed_id);
    }
    orp_params_add(form, "openid.identity", local_id);
    orp_params_add(form, "openid.assoc_handle", login->assoc_handle);
    orp_params_add(form, "openid.return_to", login->return_to);
    orp_params_add(form, login->version == ORP_VERSION_2 ? "openid.realm"
                   : "openid.trust_root", rp->realm);
    orp_sreg_request(form, rp->sreg);
    orp_ax_request(form, rp->ax, pool);
    return orp_params_url(login->endpoint, form, pool);
}
