/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_form.h - an authentication request that is too long for a URL
 * (OpenID Authentication 2.0, 5.2.1): a form that sends itself.
 *
 * The script that sends it is a resource of its own on this site, so that a
 * Content-Security-Policy without inline scripts lets it run; without scripts
 * there is a button.
 */
#ifndef OPENID2RP_FORM_H
#define OPENID2RP_FORM_H

#include "openid2rp.h"
#include "orp_login.h"

/** The longest URL that a redirect may have, in bytes. */
#define OPENID2RP_FORM_FROM 2048

/** What stands in the place of a KEY to name the script. */
#define OPENID2RP_FORM_SCRIPT "submit.js"

/** Send the request of a login as a form. @return OK */
int openid2rp_form_send(request_rec *r, const orp_login_t *login,
                        const char *url);

/** Send the script. @return OK */
int openid2rp_form_script(request_rec *r);

#endif
