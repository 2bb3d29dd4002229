/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_vars.h - what the application learns: docs/variables.md. */
#ifndef OPENID2RP_VARS_H
#define OPENID2RP_VARS_H

#include "openid2rp.h"
#include "orp_identity.h"

/** Put an identity into a request: user, and environment variables. */
void openid2rp_vars_set(request_rec *r, const orp_identity_t *identity);

/** Remove client headers that a backend could take for our variables: any
 * spelling of OPENID2RP with "-", "_" or "." behind it, of REMOTE_USER, and of
 * AUTH_TYPE. */
void openid2rp_vars_scrub(request_rec *r);

/** The same of the headers behind a body (trailers). */
void openid2rp_vars_scrub_trailers(request_rec *r);

#endif
