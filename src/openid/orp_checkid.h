/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_checkid.h - the authentication request (OpenID Authentication 2.0, 9;
 * 1.1, 4.2). */
#ifndef ORP_CHECKID_H
#define ORP_CHECKID_H

#include "orp_login.h"
#include "orp_rp.h"

#define ORP_IDENTIFIER_SELECT \
    "http://specs.openid.net/auth/2.0/identifier_select"

/**
 * The URL that takes the browser to the provider.
 * @param login  endpoint, version, claimed_id, local_id, assoc_handle and
 *               return_to are set
 * @param immediate  nonzero: checkid_immediate (9.3); 0: checkid_setup
 */
const char *orp_checkid_url(const orp_login_t *login, const orp_rp_t *rp,
                            int immediate, apr_pool_t *pool);

#endif
