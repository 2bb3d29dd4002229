/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_status.h - how full the store is, for people and for Prometheus. */
#ifndef OPENID2RP_STATUS_H
#define OPENID2RP_STATUS_H

#include "openid2rp.h"

/** The handler "openid2rp-status": docs/operations.md. Like server-status, it
 * tells everybody whom the configuration lets pass. */
int openid2rp_status_handler(request_rec *r);

#endif
