/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_checkauth.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_assoc.h"

/* 11.4.2.1: "exact copies of all fields from the authentication response,
 * except for openid.mode". */
static orp_params_t *make_form(const orp_message_t *message,
                               apr_pool_t *pool)
{
    const orp_params_t *fields = orp_message_fields(message);
    orp_params_t *form = orp_params_create(pool);
    int i;

    for (i = 0; i < orp_params_size(fields); i++) {
        const char *name = orp_params_name(fields, i);

        orp_params_add(form, apr_pstrcat(pool, "openid.", name, NULL),
                       strcmp(name, "mode") ? orp_params_value(fields, i)
                       : "check_authentication");
    }
    return form;
}

/* 11.4.2.2: the provider confirms that a handle which the assertion called
 * invalid really is. */
static void forget_invalid(const orp_env_t *env, const char *endpoint,
                           const orp_message_t *message,
                           const orp_message_t *reply, apr_pool_t *pool)
{
    const char *said = orp_message_get(message, "invalidate_handle");
    const char *confirmed = orp_message_get(reply, "invalidate_handle");

    if (said && confirmed && !strcmp(said, confirmed)
        && orp_assoc_forget(env, endpoint, said, pool) != APR_SUCCESS) {
        orp_log(env, ORP_LOG_WARN, 103, pool,
                "store: an association with %s that is no longer valid "
                "could not be removed", endpoint);
    }
}

apr_status_t orp_checkauth(const orp_env_t *env, const char *endpoint,
                           const orp_message_t *message, orp_reason_t *why,
                           apr_pool_t *pool)
{
    orp_http_response_t *response;
    orp_message_t *reply;
    const char *is_valid;
    apr_status_t status = orp_http_post(&response, env, endpoint,
                                        make_form(message, pool), why,
                                        pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (response->status != 200
        || orp_message_from_kv(&reply, response->body, response->size, NULL,
                               pool) != APR_SUCCESS) {
        return orp_reason_set(why, ORP_ESIGNATURE, endpoint,
                              "The provider was asked to confirm its "
                              "signature, and answered with an error.");
    }
    is_valid = orp_message_get(reply, "is_valid");
    if (!is_valid || strcmp(is_valid, "true")) {
        return orp_reason_set(why, ORP_ESIGNATURE, endpoint,
                              "The provider does not confirm its "
                              "signature.");
    }
    forget_invalid(env, endpoint, message, reply, pool);
    return APR_SUCCESS;
}
