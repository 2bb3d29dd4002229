/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_start.h - from an identifier to the provider. */
#ifndef OPENID2RP_START_H
#define OPENID2RP_START_H

#include "openid2rp_outcome.h"
#include "openid2rp_request.h"

/**
 * Begin a login: make its record, tie it to the browser, discover.
 * @param out    SEND; else REFUSED or MISDIRECTED
 * @param notes  with what was typed; without, where the site has a single
 *               provider
 */
void openid2rp_start(openid2rp_outcome_t *out,
                     const openid2rp_request_t *notes, request_rec *r);

#endif
