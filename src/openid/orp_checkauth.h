/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_checkauth.h - asking the provider whether a signature is its own
 * (OpenID Authentication 2.0, 11.4.2; 1.1, 4.4). */
#ifndef ORP_CHECKAUTH_H
#define ORP_CHECKAUTH_H

#include "orp_http.h"
#include "orp_message.h"

/**
 * Verify a signature directly.
 *
 * An association that the provider declares invalid in its answer is
 * forgotten (11.4.2.2); what the message itself says of invalid handles is
 * not believed without that.
 *
 * @param endpoint  as discovery gave it, never as the message says
 * @return APR_SUCCESS where the provider answers, with status 200, exactly
 *         one "is_valid:true"; ORP_ESIGNATURE for any other answer; what
 *         orp_http_post() returns
 */
ORP_MUST_USE apr_status_t orp_checkauth(const orp_env_t *env,
                                        const char *endpoint,
                                        const orp_message_t *message,
                                        orp_reason_t *why,
                                        apr_pool_t *pool);

#endif
