/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_pape.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_nonce.h"

void orp_pape_request(orp_params_t *form, const orp_pape_t *pape,
                      apr_pool_t *pool)
{
    if (!pape) {
        return;
    }
    orp_params_add(form, "openid.ns.pape", ORP_PAPE_NS);
    if (pape->max_auth_age >= 0) {
        orp_params_add(form, "openid.pape.max_auth_age",
                       apr_itoa(pool, pape->max_auth_age));
    }
    /* 5.1: "zero or more", but the field itself is not optional */
    orp_params_add(form, "openid.pape.preferred_auth_policies",
                   apr_array_pstrcat(pool, pape->policies, ' '));
}

/* A signed field "ALIAS.NAME", or NULL. */
static const char *signed_field(const orp_message_t *message,
                                const char *alias, const char *name,
                                apr_pool_t *pool)
{
    const char *field = apr_pstrcat(pool, alias, ".", name, NULL);

    return orp_message_is_signed(message, field)
        ? orp_message_get(message, field) : NULL;
}

/* Is this URI in a list separated by spaces? */
static int has_policy(const char *list, const char *policy)
{
    apr_size_t length = strlen(policy);

    while (list && *list) {
        apr_size_t size = strcspn(list, " ");

        if (size == length && !strncmp(list, policy, size)) {
            return 1;
        }
        list += size + (list[size] == ' ');
    }
    return 0;
}

static apr_status_t check_age(const char *auth_time, int max_age,
                              apr_time_t now, orp_reason_t *why,
                              apr_pool_t *pool)
{
    orp_nonce_t *when;          /* the same form of time, and nothing more */

    if (!auth_time
        || orp_nonce_parse(&when, auth_time, pool) != APR_SUCCESS
        || *when->salt || when->issued > now + ORP_NONCE_AHEAD) {
        return orp_reason_set(why, ORP_EPOLICY, "auth_time",
                              "The provider does not say when you last "
                              "signed in there.");
    }
    if (when->issued + apr_time_from_sec(max_age) + ORP_NONCE_AHEAD < now) {
        return orp_reason_set(why, ORP_EPOLICY, "auth_time",
                              "You signed in at your provider too long "
                              "ago; please sign in there again.");
    }
    return APR_SUCCESS;
}

apr_status_t orp_pape_check(const orp_message_t *message,
                            const orp_pape_t *pape, apr_time_t now,
                            orp_reason_t *why, apr_pool_t *pool)
{
    const char *alias, *met;
    int i;

    if (!pape) {
        return APR_SUCCESS;
    }
    alias = orp_message_signed_alias(message, ORP_PAPE_NS, "pape", pool);
    if (!alias) {
        return orp_reason_set(why, ORP_EPOLICY, NULL,
                              "The provider does not say how you signed in "
                              "there.");
    }
    met = signed_field(message, alias, "auth_policies", pool);
    for (i = 0; i < pape->policies->nelts; i++) {
        const char *policy = APR_ARRAY_IDX(pape->policies, i, const char *);

        if (!has_policy(met, policy)) {
            return orp_reason_set(why, ORP_EPOLICY, policy,
                                  "The way you signed in at your provider "
                                  "does not meet the policy %s.", policy);
        }
    }
    if (pape->max_auth_age < 0) {
        return APR_SUCCESS;
    }
    return check_age(signed_field(message, alias, "auth_time", pool),
                     pape->max_auth_age, now, why, pool);
}
