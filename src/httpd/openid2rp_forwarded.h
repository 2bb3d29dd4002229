/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_forwarded.h - what a proxy in front says of the client's request.
 *
 * Clients can send the same headers: so each is believed only where
 * OpenIDForwarded names it, and of a list only the last element, which the
 * proxy next to us has added.
 */
#ifndef OPENID2RP_FORWARDED_H
#define OPENID2RP_FORWARDED_H

#include "openid2rp.h"

/**
 * @param pproto  set to "http", "https" or whatever is said, or to NULL
 * @param phost   set to a host name, perhaps with a port, or to NULL
 */
void openid2rp_forwarded(const char **pproto, const char **phost,
                         request_rec *r);

#endif
