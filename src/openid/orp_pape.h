/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_pape.h - Provider Authentication Policy Extension 1.0: how, and how long
 * ago, the provider made sure of who it is.
 */
#ifndef ORP_PAPE_H
#define ORP_PAPE_H

#include <apr_tables.h>

#include "orp_env.h"
#include "orp_message.h"

#define ORP_PAPE_NS "http://specs.openid.net/extensions/pape/1.0"

/** What a relying party asks for. */
typedef struct orp_pape_t {
    int max_auth_age;           /* seconds, or -1: any */
    const apr_array_header_t *policies;     /* of const char *: URIs */
} orp_pape_t;

/** Add the request (5.1) to the form of an authentication request.
 * @param pape  NULL: nothing is added */
void orp_pape_request(orp_params_t *form, const orp_pape_t *pape,
                      apr_pool_t *pool);

/**
 * Is the response (5.2) what was asked for: every policy met, and the user
 * authenticated recently enough? Only signed values count.
 * @param message  verified already
 * @return APR_SUCCESS, also where nothing was asked for; ORP_EPOLICY
 */
ORP_MUST_USE apr_status_t orp_pape_check(const orp_message_t *message,
                                         const orp_pape_t *pape,
                                         apr_time_t now, orp_reason_t *why,
                                         apr_pool_t *pool);

#endif
