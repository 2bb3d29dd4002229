/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_return.h - from the provider's answer to a session. */
#ifndef OPENID2RP_RETURN_H
#define OPENID2RP_RETURN_H

#include "openid2rp_request.h"

/**
 * The browser comes back: verify what it brings, begin a session, and send it
 * to where its user wanted to go; or show the login page with what went wrong.
 */
int openid2rp_return(const openid2rp_request_t *notes, request_rec *r);

#endif
