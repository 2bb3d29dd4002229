/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_publish.h - being discovered ourselves (OpenID Authentication 2.0,
 * 9.2.1 and 13): a provider asks the realm where assertions may be sent.
 */
#ifndef OPENID2RP_PUBLISH_H
#define OPENID2RP_PUBLISH_H

#include "openid2rp.h"

/** Does this request ask the realm's URL for an XRDS document? */
int openid2rp_publish_wanted(request_rec *r);

/** Send it. @return OK, or an HTTP status */
int openid2rp_publish_send(request_rec *r);

#endif
