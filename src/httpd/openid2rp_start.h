/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_start.h - from an identifier to the provider. */
#ifndef OPENID2RP_START_H
#define OPENID2RP_START_H

#include "openid2rp_request.h"
#include "orp_login.h"

/**
 * Begin a login: make its record, tie it to the browser, discover, and send
 * the browser to the provider; or show the login page with what went wrong.
 * @param notes  with what was typed; without, where the site has a single
 *               provider
 */
int openid2rp_start(const openid2rp_request_t *notes, request_rec *r);

/** Send the browser to the provider with an authentication request.
 * @param url  of the login: redirect or setup */
int openid2rp_start_send(request_rec *r, const orp_login_t *login,
                         const char *url);

#endif
