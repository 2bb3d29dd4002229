/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_verify.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_assoc.h"
#include "orp_checkauth.h"
#include "orp_checkid.h"
#include "orp_discover.h"
#include "orp_nonce.h"
#include "orp_profile.h"
#include "orp_url.h"

/* 10.1: what a positive assertion has, and what its signature covers. An
 * assertion about no identifier is of no use to a login, so the two of them
 * are mandatory here. */
static const char *const mandatory_2[] = {
    "op_endpoint", "return_to", "response_nonce", "assoc_handle",
    "claimed_id", "identity", NULL
};

/* 1.1, 4.2.2.2 and 4.3.2. */
static const char *const mandatory_1[] = { "identity", "return_to", NULL };

static const char *const unsigned_1[] = {
    "assoc_handle", "signed", "sig", NULL
};
static const char *const unsigned_2[] = { "signed", "sig", NULL };

static apr_status_t check_present(const orp_message_t *message,
                                  const char *const *names,
                                  orp_reason_t *why)
{
    for (; *names; names++) {
        const char *value = orp_message_get(message, *names);

        if (!value || !*value) {
            return orp_reason_set(why, ORP_EMESSAGE, *names,
                                  "The provider's message has no "
                                  "openid.%s.", *names);
        }
    }
    return APR_SUCCESS;
}

static apr_status_t check_all_signed(const orp_message_t *message,
                                     const char *const *names,
                                     orp_reason_t *why)
{
    for (; *names; names++) {
        if (!orp_message_is_signed(message, *names)) {
            return orp_reason_set(why, ORP_EUNSIGNED, *names,
                                  "The provider did not sign openid.%s.",
                                  *names);
        }
    }
    return APR_SUCCESS;
}

static apr_status_t check_ns(const orp_message_t *message, orp_reason_t *why)
{
    const char *ns = orp_message_get(message, "ns");

    if (ns && strcmp(ns, ORP_NS_20) && strcmp(ns, ORP_NS_11)
        && strcmp(ns, ORP_NS_10)) {
        return orp_reason_set(why, ORP_EVERSION, ns,
                              "The provider's message is in an unknown "
                              "version of OpenID.");
    }
    return APR_SUCCESS;
}

apr_status_t orp_verify_form(const orp_message_t *message, orp_reason_t *why,
                             apr_pool_t *pool)
{
    int is_2 = orp_message_version(message) == ORP_VERSION_2;
    const char *const *mandatory = is_2 ? mandatory_2 : mandatory_1;
    const char *signed_text;
    orp_nonce_t *nonce;
    apr_status_t status = check_ns(message, why);

    if (status == APR_SUCCESS) {
        status = check_present(message, mandatory, why);
    }
    if (status == APR_SUCCESS) {
        status = check_present(message, is_2 ? unsigned_2 : unsigned_1, why);
    }
    if (status == APR_SUCCESS) {
        status = check_all_signed(message, mandatory, why);
    }
    if (status == APR_SUCCESS) {
        status = orp_message_signed_text(&signed_text, message, why, pool);
    }
    if (status == APR_SUCCESS && is_2
        && orp_nonce_parse(&nonce, orp_message_get(message,
                                                   "response_nonce"), pool)
        != APR_SUCCESS) {
        status = orp_reason_set(why, ORP_ENONCE, "response_nonce",
                                "The provider's nonce is not a time followed "
                                "by at most 235 printable characters.");
    }
    return status;
}

apr_status_t orp_verify_login(const orp_assertion_t *assertion,
                              orp_reason_t *why, apr_pool_t *pool)
{
    const orp_login_t *login = assertion->login;

    if (strcmp(login->origin, assertion->origin)) {
        return orp_reason_set(why, ORP_ELOGIN, assertion->origin,
                              "This login was begun on another site.");
    }
    if (!orp_login_is_browser(login, assertion->browser, pool)) {
        return orp_reason_set(why, ORP_EBROWSER, NULL,
                              "This login was begun in another browser, or "
                              "this browser refuses cookies.");
    }
    if (login->state == ORP_LOGIN_DONE) {
        return orp_reason_set(why, ORP_EREPLAY, NULL,
                              "This login was completed before.");
    }
    if (login->state != ORP_LOGIN_READY) {
        return orp_reason_set(why, ORP_ELOGIN, NULL,
                              "This login did not get as far as to the "
                              "provider.");
    }
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */

/* What the steps share. */
typedef struct {
    const orp_env_t *env;
    const orp_login_t *login;
    const orp_assertion_t *assertion;
    const orp_message_t *message;
    orp_reason_t *why;
    apr_pool_t *pool;
    const char *claimed_id;     /* normalized, without its fragment */
    const char *whole_id;       /* with it */
} verification_t;

static const char *field(const verification_t *v, const char *name)
{
    return orp_message_get(v->message, name);
}

/* Do two URLs mean the same? What is no URL is compared as it stands. */
static int same_url(const char *a, const char *b, apr_pool_t *pool)
{
    const char *x, *y;

    if (!strcmp(a, b)) {
        return 1;
    }
    return orp_url_normalize(&x, a, NULL, pool) == APR_SUCCESS
        && orp_url_normalize(&y, b, NULL, pool) == APR_SUCCESS
        && !strcmp(x, y);
}

/* Is what was sent the local identifier that discovery found? Where that has
 * a fragment, it tells two people apart. */
static int same_local_id(const char *sent, const char *found,
                         apr_pool_t *pool)
{
    const char *fragment = strchr(found, '#');
    const char *other = strchr(sent, '#');

    return same_url(sent, found, pool)
        && (!fragment || (other && !strcmp(other, fragment)));
}

static apr_status_t check_version(verification_t *v)
{
    if (orp_message_version(v->message) != v->login->version) {
        return orp_reason_set(v->why, ORP_EVERSION, "ns",
                              "The provider's answer is in another version "
                              "of OpenID than the question.");
    }
    return APR_SUCCESS;
}

/* 11.1. The KEY in return_to is the only parameter, and it is by that KEY
 * that the login was found: so equality covers the parameters as well. */
static apr_status_t check_return_to(verification_t *v)
{
    const char *return_to = field(v, "return_to");
    const char *query = strchr(v->login->return_to, '?');
    const char *base = query
        ? apr_pstrmemdup(v->pool, v->login->return_to,
                         (apr_size_t)(query - v->login->return_to))
        : v->login->return_to;

    if (!same_url(return_to, v->login->return_to, v->pool)
        || !same_url(v->assertion->url, base, v->pool)) {
        return orp_reason_set(v->why, ORP_ERETURNTO, return_to,
                              "The provider's answer is meant for another "
                              "site or page.");
    }
    return APR_SUCCESS;
}

/* 11.2: the provider that answers is the one that was asked. In 1.x the
 * message does not say who answers; a field that claims to is not looked at. */
static apr_status_t check_endpoint(verification_t *v)
{
    const char *endpoint = field(v, "op_endpoint");

    if (v->login->version == ORP_VERSION_2
        && !same_url(endpoint, v->login->endpoint, v->pool)) {
        return orp_reason_set(v->why, ORP_EENDPOINT, endpoint,
                              "The answer comes from another provider than "
                              "the one that was asked.");
    }
    return APR_SUCCESS;
}

static apr_status_t wrong_identity(verification_t *v, const char *subject)
{
    return orp_reason_set(v->why, ORP_EIDENTITY, subject,
                          "The provider may not speak for the identifier "
                          "that it sent.");
}

/* The claimed identifier of the answer, with and without its fragment. An XRI
 * stands as it is: it has no other spelling that would be the same. */
static int read_claimed_id(verification_t *v, const char *claimed_id)
{
    orp_identifier_t *identifier;
    orp_url_t *url;

    if (orp_identifier_normalize(&identifier, claimed_id, NULL, v->pool)
        != APR_SUCCESS) {
        return 0;
    }
    if (identifier->kind == ORP_IDENTIFIER_XRI) {
        v->claimed_id = v->whole_id = identifier->text;
        return 1;
    }
    claimed_id = orp_profile_claimed_id(v->login->endpoint, claimed_id,
                                        v->pool);
    if (orp_url_parse(&url, claimed_id, NULL, v->pool) != APR_SUCCESS) {
        return 0;
    }
    v->claimed_id = orp_url_string(url, v->pool);
    v->whole_id = url->fragment
        ? apr_pstrcat(v->pool, v->claimed_id, "#", url->fragment, NULL)
        : v->claimed_id;
    return 1;
}

/* 11.5.1: who had an identifier before does not speak for who has it now. Most
 * providers leave the fragment out of the identity. */
static int same_generation(const verification_t *v, const char *identity)
{
    const char *fragment = strchr(identity, '#');
    const char *mine = strchr(v->whole_id, '#');

    return !fragment || !same_url(identity, v->claimed_id, v->pool)
        || (mine && !strcmp(fragment, mine));
}

/* 11.2: for a login about a given identifier, the answer is about the same
 * one. The fragment does not take part; it is kept (11.5.1). */
static apr_status_t check_identifiers(verification_t *v)
{
    const char *claimed_id = v->login->version == ORP_VERSION_2
        ? field(v, "claimed_id") : v->login->claimed_id;
    const char *local_id = orp_profile_claimed_id(v->login->endpoint,
                                                  field(v, "identity"),
                                                  v->pool);

    if (!claimed_id || !strcmp(claimed_id, ORP_IDENTIFIER_SELECT)
        || !read_claimed_id(v, claimed_id)
        || !same_generation(v, local_id)
        || !orp_profile_claimed_id_fits(v->login->endpoint, v->whole_id)) {
        return wrong_identity(v, claimed_id);
    }
    if (v->login->claimed_id
        && (strcmp(v->claimed_id, v->login->claimed_id)
            || !same_local_id(local_id, v->login->local_id, v->pool))) {
        return wrong_identity(v, claimed_id);
    }
    return APR_SUCCESS;
}

/* Another server is about to be asked, and who brings answers can bring any
 * number of them. */
static apr_status_t may_ask(const verification_t *v)
{
    apr_status_t status = orp_login_question(v->login, v->env, v->pool);

    if (status == ORP_ERATE) {
        return orp_reason_set(v->why, ORP_ELOGIN, NULL,
                              "This login was answered too often. Please "
                              "start again.");
    }
    if (status == ORP_EEXISTS) {
        return orp_reason_set(v->why, ORP_EREPLAY, NULL,
                              "Another answer to this login is being checked "
                              "at the moment.");
    }
    if (status != APR_SUCCESS) {
        return orp_reason_set(v->why, status, NULL,
                              "Logins cannot be checked at the moment.");
    }
    return APR_SUCCESS;
}

/* 11.4: under the association of (the endpoint that was asked, the handle in
 * the answer), or else by asking that endpoint. */
static apr_status_t check_signature(verification_t *v)
{
    orp_assoc_t *assoc;
    apr_status_t status = orp_assoc_find(&assoc, v->env, v->login->endpoint,
                                         field(v, "assoc_handle"), v->pool);

    if (status == APR_SUCCESS) {
        return orp_assoc_verify(assoc, v->message, v->why, v->pool);
    }
    if (status != ORP_ENOTFOUND) {
        return orp_reason_set(v->why, ORP_ESTORE, NULL,
                              "Logins cannot be checked at the moment.");
    }
    status = may_ask(v);
    if (status == APR_SUCCESS) {
        status = orp_checkauth(v->env, v->login->endpoint, v->message, v->why,
                               v->pool);
        orp_login_answered(v->login, v->env, v->pool);
    }
    return status;
}

/* One <Service> that names this endpoint and this local identifier. */
static int is_confirmed(const verification_t *v,
                        const orp_discovery_t *discovery)
{
    const char *local_id = orp_profile_claimed_id(v->login->endpoint,
                                                  field(v, "identity"),
                                                  v->pool);
    int i;

    for (i = 0; i < discovery->services->nelts; i++) {
        const orp_service_t *service = APR_ARRAY_IDX(discovery->services, i,
                                                     orp_service_t *);

        if (service->kind == ORP_SIGNON_20
            && !strcmp(service->endpoint, v->login->endpoint)
            && same_local_id(local_id, service->local_id ? service->local_id
                             : discovery->claimed_id, v->pool)) {
            return 1;
        }
    }
    return 0;
}

/* 11.2: an identifier that the provider chose must itself name that provider;
 * else any provider could sign in anybody. */
static apr_status_t check_chosen(verification_t *v)
{
    orp_reason_t *why = orp_reason_create(v->pool);
    orp_identifier_t *identifier;
    orp_discovery_t *discovery;
    apr_status_t status;

    if (v->login->claimed_id) {
        return APR_SUCCESS;
    }
    status = may_ask(v);
    if (status != APR_SUCCESS) {
        return status;
    }
    status = orp_identifier_normalize(&identifier, v->claimed_id, why,
                                      v->pool);
    if (status == APR_SUCCESS) {
        status = orp_discover(&discovery, v->env, identifier, why, v->pool);
    }
    orp_login_answered(v->login, v->env, v->pool);
    if (status != APR_SUCCESS) {
        return orp_reason_set(v->why, ORP_EIDENTITY, v->claimed_id,
                              "The identifier that the provider sent could "
                              "not be checked: %s", why->sentence);
    }
    /* it was redirected: then it is another's name, not this one's */
    if (strcmp(discovery->claimed_id, v->claimed_id)
        || !is_confirmed(v, discovery)) {
        return wrong_identity(v, v->claimed_id);
    }
    return APR_SUCCESS;
}

/* Each step may assume what the steps above it have shown. */
static const struct {
    const char *clause;
    apr_status_t (*check)(verification_t *v);
} steps[] = {
    { "4.1.2", check_version },
    { "11.1", check_return_to },
    { "11.2", check_endpoint },
    { "11.2", check_identifiers },
    { "11.4", check_signature },
    { "11.2", check_chosen },
};

apr_status_t orp_verify(const char **pclaimed_id, const orp_env_t *env,
                        const orp_assertion_t *assertion, orp_reason_t *why,
                        apr_pool_t *pool)
{
    verification_t v = {
        env, assertion->login, assertion, assertion->message, why, pool,
        NULL, NULL
    };
    apr_size_t i;

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        apr_status_t status = steps[i].check(&v);

        if (status != APR_SUCCESS) {
            orp_log(env, ORP_LOG_DEBUG, 104, pool,
                    "verification stopped at clause %s (%s)",
                    steps[i].clause, orp_status_code(status));
            return status;
        }
    }
    *pclaimed_id = v.whole_id;
    return APR_SUCCESS;
}
