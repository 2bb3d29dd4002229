/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_associate.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_codec.h"
#include "orp_dh.h"

/* What can be asked for, the best first (8.3, 8.4). */
typedef struct {
    const char *assoc_type;
    const char *session_type;
    orp_hash_e hash;
    int diffie_hellman;         /* 0: the key travels as it is */
    int in_version_1;
} pair_t;

static const pair_t pairs[] = {
    { "HMAC-SHA256", "DH-SHA256", ORP_SHA256, 1, 0 },
    { "HMAC-SHA1", "DH-SHA1", ORP_SHA1, 1, 1 },
    { "HMAC-SHA256", "no-encryption", ORP_SHA256, 0, 0 },
    { "HMAC-SHA1", "no-encryption", ORP_SHA1, 0, 1 },
};
#define PAIRS (sizeof(pairs) / sizeof(pairs[0]))

static int is_tls(const char *endpoint)
{
    return !strncmp(endpoint, "https://", 8);
}

/* May this pair be used with this endpoint and version? */
static int is_allowed(const pair_t *pair, const orp_associate_t *request)
{
    return (pair->diffie_hellman || is_tls(request->endpoint))
        && (pair->in_version_1 || request->version == ORP_VERSION_2);
}

/* The first allowed pair with these types, where NULL stands for any; except
 * is left out. */
static const pair_t *find_pair(const orp_associate_t *request,
                               const char *assoc_type,
                               const char *session_type,
                               const pair_t *except)
{
    apr_size_t i;

    for (i = 0; i < PAIRS; i++) {
        if (is_allowed(&pairs[i], request) && &pairs[i] != except
            && (!assoc_type || !strcmp(assoc_type, pairs[i].assoc_type))
            && (!session_type
                || !strcmp(session_type, pairs[i].session_type))) {
            return &pairs[i];
        }
    }
    return NULL;
}

/* One request, and what its answer is read with. */
typedef struct {
    const orp_env_t *env;
    const orp_associate_t *request;
    const pair_t *pair;         /* what was asked for */
    const orp_dh_t *dh;         /* our half, or NULL */
    orp_reason_t *why;
    apr_pool_t *pool;
} asking_t;

static apr_status_t unusable(const asking_t *asking, const char *what)
{
    return orp_reason_set(asking->why, ORP_EASSOCIATE,
                          asking->request->endpoint,
                          "The association with %s failed: %s.",
                          asking->request->endpoint, what);
}

static orp_params_t *make_form(const asking_t *asking)
{
    orp_params_t *form = orp_params_create(asking->pool);
    const pair_t *pair = asking->pair;
    int version = asking->request->version;

    if (version == ORP_VERSION_2) {
        orp_params_add(form, "openid.ns", ORP_NS_20);
    }
    orp_params_add(form, "openid.mode", "associate");
    orp_params_add(form, "openid.assoc_type", pair->assoc_type);
    /* in 1.1 no encryption is written as a blank (1.1, 4.1.1) */
    orp_params_add(form, "openid.session_type",
                   version == ORP_VERSION_1 && !pair->diffie_hellman
                   ? "" : pair->session_type);
    if (asking->dh) {
        orp_params_add(form, "openid.dh_consumer_public",
                       orp_dh_public(asking->dh, asking->pool));
    }
    return form;
}

/* 8.2.1: are the types those that were asked for? In 1.1 a provider may
 * answer a Diffie-Hellman request with no encryption, by leaving the session
 * type out (1.1, 4.1.2); that is taken over TLS only. */
static apr_status_t check_types(asking_t *asking, const orp_message_t *reply)
{
    const orp_associate_t *request = asking->request;
    const char *assoc_type = orp_message_get(reply, "assoc_type");
    const char *session_type = orp_message_get(reply, "session_type");

    if (!assoc_type || strcmp(assoc_type, asking->pair->assoc_type)) {
        return unusable(asking,
                        "the association type is not the one asked for");
    }
    if (request->version == ORP_VERSION_1
        && (!session_type || !*session_type)) {
        const pair_t *plain = find_pair(request, assoc_type,
                                        "no-encryption", NULL);

        if (plain) {
            asking->pair = plain;
            return APR_SUCCESS;
        }
    }
    if (!session_type || strcmp(session_type, asking->pair->session_type)) {
        return unusable(asking,
                        "the session type is not the one asked for");
    }
    return APR_SUCCESS;
}

static apr_status_t read_key(orp_assoc_t *assoc, const asking_t *asking,
                             const orp_message_t *reply)
{
    const char *server = orp_message_get(reply, "dh_server_public");
    const char *masked = orp_message_get(reply, "enc_mac_key");
    const char *plain = orp_message_get(reply, "mac_key");
    orp_hash_e hash = asking->pair->hash;
    unsigned char *bytes;
    apr_size_t size;

    if (asking->pair->diffie_hellman) {
        if (!server || !masked
            || orp_dh_mac_key(assoc->key, asking->dh, hash, server, masked,
                              asking->pool) != APR_SUCCESS) {
            return unusable(asking,
                            "its Diffie-Hellman values cannot be used");
        }
        return APR_SUCCESS;
    }
    if (!plain || orp_base64_decode(&bytes, &size, plain, asking->pool)
        != APR_SUCCESS) {
        return unusable(asking, "its key is not of the right length");
    }
    if (size == orp_hash_size(hash)) {
        memcpy(assoc->key, bytes, size);
    }
    orp_cleanse(bytes, size);
    return size == orp_hash_size(hash) ? APR_SUCCESS
        : unusable(asking, "its key is not of the right length");
}

/* 8.2.1, expires_in: "The Relying Party MUST NOT use the association after
 * this time has passed"; so one that has passed already is not used at all. */
static apr_status_t read_lifetime(orp_assoc_t *assoc, const asking_t *asking,
                                  const orp_message_t *reply)
{
    const char *text = orp_message_get(reply, "expires_in");
    apr_uint64_t seconds;

    if (!text || orp_number_parse(&seconds, text, APR_INT64_MAX)
        != APR_SUCCESS || seconds == 0) {
        return unusable(asking, "its lifetime is not a number of seconds "
                        "greater than 0");
    }
    if (seconds > ORP_ASSOC_LIFETIME_MAX) {
        seconds = ORP_ASSOC_LIFETIME_MAX;
    }
    assoc->expires = orp_env_now(asking->env)
        + apr_time_from_sec((apr_time_t)seconds);
    return APR_SUCCESS;
}

static apr_status_t read_reply(orp_assoc_t **passoc, asking_t *asking,
                               const orp_message_t *reply)
{
    orp_assoc_t *assoc = apr_pcalloc(asking->pool, sizeof(*assoc));
    const char *handle = orp_message_get(reply, "assoc_handle");
    apr_status_t status = check_types(asking, reply);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (!handle || !orp_assoc_handle_valid(handle)) {
        return unusable(asking, "its handle is not 1 to 255 printable "
                        "characters");
    }
    orp_cleanse_later(assoc->key, sizeof(assoc->key), asking->pool);
    assoc->endpoint = apr_pstrdup(asking->pool, asking->request->endpoint);
    assoc->handle = handle;
    assoc->hash = asking->pair->hash;
    status = read_lifetime(assoc, asking, reply);
    if (status == APR_SUCCESS) {
        status = read_key(assoc, asking, reply);
    }
    if (status == APR_SUCCESS) {
        *passoc = assoc;
    }
    return status;
}

/* 8.2.4: what to try instead: the provider's own suggestion where we allow
 * it, else the next of our pairs. */
static const pair_t *alternative(const asking_t *asking,
                                 const orp_message_t *reply)
{
    const char *type = orp_message_get(reply, "assoc_type");
    const char *session = orp_message_get(reply, "session_type");
    const pair_t *pair = NULL;

    if (type && session) {
        pair = find_pair(asking->request, type, session, asking->pair);
    }
    return pair ? pair : find_pair(asking->request, NULL, NULL,
                                   asking->pair);
}

/* Ask once.
 * @param palternative  set with ORP_ENOASSOC; may be set to NULL */
static apr_status_t ask(orp_assoc_t **passoc, const pair_t **palternative,
                        asking_t *asking)
{
    const char *endpoint = asking->request->endpoint;
    orp_http_response_t *response;
    orp_message_t *reply;
    const char *code;
    orp_dh_t *dh = NULL;
    apr_status_t status = APR_SUCCESS;

    if (asking->pair->diffie_hellman) {
        status = orp_dh_create(&dh, asking->env, asking->pool);
    }
    asking->dh = dh;
    if (status == APR_SUCCESS) {
        status = orp_http_post(&response, asking->env, endpoint,
                               make_form(asking), asking->why,
                               asking->pool);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    if (orp_message_from_kv(&reply, response->body, response->size,
                            asking->why, asking->pool) != APR_SUCCESS) {
        return unusable(asking, "the answer is not in key-value form");
    }
    /* some providers send this with the status 200 */
    code = orp_message_get(reply, "error_code");
    if (code && !strcmp(code, "unsupported-type")) {
        *palternative = alternative(asking, reply);
        return orp_reason_set(asking->why, ORP_ENOASSOC, endpoint,
                              "%s makes no association of the types asked "
                              "for.", endpoint);
    }
    status = response->status == 200 ? read_reply(passoc, asking, reply)
        : unusable(asking, apr_psprintf(asking->pool, "the HTTP status is "
                                        "%d", response->status));
    orp_message_cleanse(reply, "mac_key");
    return status;
}

apr_status_t orp_associate(orp_assoc_t **passoc, const orp_env_t *env,
                           const orp_associate_t *request,
                           orp_reason_t *why, apr_pool_t *pool)
{
    const char *type = request->assoc_type;
    const char *session = request->session_type;
    asking_t asking = { env, request, NULL, NULL, why, pool };
    const pair_t *next = NULL;
    apr_status_t status;

    asking.pair = find_pair(request, type, session, NULL);
    if (!asking.pair) {
        return orp_reason_set(why, APR_EINVAL, request->endpoint,
                              "The types %s and %s cannot be used with %s.",
                              type ? type : "(any)",
                              session ? session : "(any)",
                              request->endpoint);
    }
    status = ask(passoc, &next, &asking);
    if (status == ORP_ENOASSOC && next && !type && !session) {
        /* 8.2.4: one more request, and no third, whatever it says */
        asking.pair = next;
        status = ask(passoc, &next, &asking);
    }
    return status;
}
