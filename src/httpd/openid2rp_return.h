/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_return.h - from the provider's answer to a session. */
#ifndef OPENID2RP_RETURN_H
#define OPENID2RP_RETURN_H

#include "openid2rp_outcome.h"
#include "openid2rp_request.h"

/**
 * The browser comes back: verify what it brings, and begin a session, where
 * the site has any.
 * @param out  SIGNED_IN; REFUSED or MISDIRECTED; GO and SEND, where the
 *             browser has to do something first; SCRIPT
 */
void openid2rp_return(openid2rp_outcome_t *out,
                      const openid2rp_request_t *notes, request_rec *r);

#endif
