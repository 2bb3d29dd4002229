/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_handler.h - what is done for the requests that are ours. */
#ifndef OPENID2RP_HANDLER_H
#define OPENID2RP_HANDLER_H

#include "openid2rp.h"

/** The handler of marked requests (openid2rp_request.h); declines all others
 * but the logout path. */
int openid2rp_handler(request_rec *r);

#endif
