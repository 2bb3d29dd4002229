/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_login.c - whole logins: the bytes are the query of the request that
 * brings the provider's answer.
 *
 * Three logins wait for it, each in a world of its own: one that knows whom
 * it is for and shares a key with the provider; one where the provider may
 * choose, and is asked for its signature; one of version 1. The provider has
 * signed one answer for each, about USER. "openid.sig=SIGN" stands for a
 * provider that signs whatever it is told to. Whatever comes, nobody but USER
 * is signed in, and once only.
 */

#include "world.h"

#include "orp.h"
#include "orp_assoc.h"
#include "orp_codec.h"
#include "orp_crypto.h"
#include "orp_service.h"
#include "orp_url.h"

#define KEY "kkkkkkkkkkkkkkkkkkkkkk"
#define BROWSER "bbbbbbbbbbbbbbbbbbbbbb"
#define ORIGIN "https://rp.example"
#define PAGE ORIGIN "/private"
#define OP "https://op.example/auth"
#define USER "https://user.example/"
#define VICTIM "https://victim.example/"

typedef struct kind_t {
    orp_version_e version;
    const char *claimed_id;     /* NULL: the provider chooses */
    const char *handle;         /* "private": not shared */
    orp_hash_e hash;
    const char *answer;         /* without its signature */
} kind_t;

#define ANSWER_2(handle) \
    "openid.mode=id_res&openid.ns=http://specs.openid.net/auth/2.0" \
    "&openid.op_endpoint=" OP "&openid.claimed_id=" USER "&openid.identity=" \
    USER "&openid.return_to=" PAGE "?openid_return%3D" KEY \
    "&openid.response_nonce=" SCENE_TIME_TEXT "1&openid.assoc_handle=" handle

static const kind_t kinds[] = {
    { ORP_VERSION_2, USER, "shared", ORP_SHA256, ANSWER_2("shared")
      "&openid.ns.sreg=http://openid.net/extensions/sreg/1.1"
      "&openid.sreg.nickname=vic&openid.signed=op_endpoint,claimed_id,"
      "identity,return_to,response_nonce,assoc_handle,ns.sreg,sreg.nickname"
    },
    { ORP_VERSION_2, NULL, "private", ORP_SHA1, ANSWER_2("private")
      "&openid.signed=op_endpoint,claimed_id,identity,return_to,"
      "response_nonce,assoc_handle" },
    { ORP_VERSION_1, USER, "old", ORP_SHA1,
      "openid.mode=id_res&openid.identity=" USER "&openid.return_to=" PAGE
      "?openid_return%3D" KEY "&openid.assoc_handle=old"
      "&openid.signed=mode,identity,return_to" },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* ---------------------------------------------------------------------- */
/* The provider */

static const char *signature(const kind_t *kind, const orp_params_t *answer,
                             apr_pool_t *pool)
{
    const char *list = orp_params_get(answer, "openid.signed");
    unsigned char key[ORP_HASH_MAX], mac[ORP_HASH_MAX];
    apr_array_header_t *lines = apr_array_make(pool, 16, sizeof(list));
    const char *text;

    memset(key, 'k', sizeof(key));
    while (list && *list) {
        apr_size_t size = strcspn(list, ",");
        const char *name = apr_pstrmemdup(pool, list, size);
        const char *value = orp_params_get(
            answer, apr_pstrcat(pool, "openid.", name, NULL));

        APR_ARRAY_PUSH(lines, const char *)
            = apr_pstrcat(pool, name, ":", value ? value : "", "\n", NULL);
        list += size + (list[size] == ',');
    }
    text = apr_array_pstrcat(pool, lines, 0);
    fuzz_check(orp_hmac(mac, kind->hash, key, orp_hash_size(kind->hash),
                        text, strlen(text)) == APR_SUCCESS);
    return orp_base64_encode(mac, orp_hash_size(kind->hash), pool);
}

static orp_params_t *signed_copy(const kind_t *kind,
                                 const orp_params_t *answer,
                                 apr_pool_t *pool)
{
    orp_params_t *copy = orp_params_create(pool);
    int i;

    for (i = 0; i < orp_params_size(answer); i++) {
        if (strcmp(orp_params_name(answer, i), "openid.sig")) {
            orp_params_add(copy, orp_params_name(answer, i),
                           orp_params_value(answer, i));
        }
    }
    orp_params_add(copy, "openid.sig", signature(kind, answer, pool));
    return copy;
}

static orp_params_t *genuine(const kind_t *kind, apr_pool_t *pool)
{
    orp_params_t *params = NULL;

    fuzz_check(orp_params_parse_form(&params, kind->answer,
                                     strlen(kind->answer), pool)
               == APR_SUCCESS);
    return signed_copy(kind, params, pool);
}

static const char *page_of(const char *endpoint, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "<x:XRDS xmlns:x='xri://$xrds'"
                       " xmlns='xri://$xrd*($v*2.0)'><XRD><Service><Type>"
                       ORP_TYPE_SIGNON_20 "</Type><URI>", endpoint,
                       "</URI></Service></XRD></x:XRDS>", NULL);
}

static const char *confirm(const kind_t *kind, const char *form,
                           apr_pool_t *pool)
{
    orp_params_t *params = NULL, *answer = orp_params_create(pool);
    const char *sig;
    int i;

    fuzz_check(orp_params_parse_form(&params, form, strlen(form), pool)
               == APR_SUCCESS);
    for (i = 0; i < orp_params_size(params); i++) {
        int is_mode = !strcmp(orp_params_name(params, i), "openid.mode");

        orp_params_add(answer, orp_params_name(params, i),
                       is_mode ? "id_res" : orp_params_value(params, i));
    }
    sig = orp_params_get(params, "openid.sig");
    return sig && !strcmp(sig, signature(kind, answer, pool))
        ? "is_valid:true\n" : "is_valid:false\n";
}

static apr_status_t answer_request(fuzz_world_t *world,
                                   orp_http_response_t *response,
                                   const orp_http_request_t *request,
                                   apr_pool_t *pool)
{
    const kind_t *kind = world->baton;

    if (request->form) {
        /* only the provider that was asked is asked again, and it never
         * confirms what was signed with a key that it shares */
        fuzz_check(!strcmp(request->url, OP));
        response->body = strcmp(kind->handle, "private")
            ? "is_valid:false\n" : confirm(kind, request->form, pool);
    }
    else if (!strcmp(request->url, USER)) {
        response->content_type = "application/xrds+xml";
        response->body = page_of(OP, pool);
    }
    else if (!strcmp(request->url, VICTIM)) {
        response->content_type = "application/xrds+xml";
        response->body = page_of("https://other.example/auth", pool);
    }
    else {
        return ORP_ECONNECT;
    }
    response->size = strlen(response->body);
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* The site */

static fuzz_world_t *waiting(const kind_t *kind, apr_pool_t *pool)
{
    fuzz_world_t *world = fuzz_world("", 0, pool);
    apr_time_t soon = SCENE_TIME + apr_time_from_sec(600);
    orp_assoc_t assoc = { OP, kind->handle, kind->hash, { 0 }, soon };
    orp_login_t login = {
        .key = KEY, .state = ORP_LOGIN_READY, .expires = soon,
        .browser = orp_sha256_hex(BROWSER, pool), .origin = ORIGIN,
        .return_to = PAGE "?openid_return=" KEY, .target = "/private",
        .typed = kind->claimed_id ? "user.example" : "op.example",
        .version = kind->version, .endpoint = OP,
        .claimed_id = kind->claimed_id, .local_id = kind->claimed_id,
        .assoc_handle = kind->handle, .redirect = OP,
    };

    world->answer = answer_request;
    world->baton = (void *)(uintptr_t)kind;
    memset(assoc.key, 'k', sizeof(assoc.key));
    fuzz_check(orp_login_save(&login, &world->env, pool) == APR_SUCCESS);
    if (strcmp(kind->handle, "private")) {
        fuzz_check(orp_assoc_save(&assoc, &world->env, pool)
                   == APR_SUCCESS);
    }
    return world;
}

static apr_status_t complete(orp_identity_t **pidentity, fuzz_world_t *world,
                             const orp_message_t *message, apr_pool_t *pool)
{
    const char *names[] = { "nickname", "email" };
    apr_array_header_t *fields = apr_array_make(pool, 2, sizeof(*names));
    orp_sreg_t sreg = { fields, fields, NULL };
    orp_rp_t rp = { .realm = ORIGIN "/", .sreg = &sreg,
                    .nonce_lifetime = apr_time_from_sec(300) };
    orp_assertion_t assertion = { message, NULL, PAGE, ORIGIN, BROWSER };
    orp_reason_t *why = orp_reason_create(pool);
    orp_login_t *login = NULL;
    apr_status_t status;

    APR_ARRAY_PUSH(fields, const char *) = names[0];
    APR_ARRAY_PUSH(fields, const char *) = names[1];
    fuzz_check(orp_login_find(&login, &world->env, KEY, pool)
               == APR_SUCCESS);
    assertion.login = login;
    *pidentity = FUZZ_UNTOUCHED;
    status = orp_login_complete(pidentity, &world->env, &rp, &assertion, why,
                                pool);
    fuzz_reason(why, status);
    fuzz_check((status == APR_SUCCESS) == (*pidentity != FUZZ_UNTOUCHED));
    fuzz_check(strcmp(orp_status_code(status), "internal"));
    return status;
}

static orp_message_t *message_from(const orp_params_t *params,
                                   apr_pool_t *pool)
{
    orp_message_t *message = NULL;

    return orp_message_from_request(&message, params, NULL, pool)
        == APR_SUCCESS ? message : NULL;
}

static int means(const char *text, const char *url, apr_pool_t *pool)
{
    const char *a = NULL, *b = NULL;

    return text && orp_url_normalize(&a, text, NULL, pool) == APR_SUCCESS
        && orp_url_normalize(&b, url, NULL, pool) == APR_SUCCESS
        && !strcmp(a, b);
}

/* 10.1, 11: signed, for this site, by the provider that was asked. */
static void is_an_answer(const kind_t *kind, const orp_message_t *message,
                         apr_pool_t *pool)
{
    static const char *const names[] = {
        "return_to", "identity", "op_endpoint", "claimed_id",
        "response_nonce", "assoc_handle"
    };
    apr_size_t i, count = kind->version == ORP_VERSION_2 ? 6 : 2;

    for (i = 0; i < count; i++) {
        fuzz_check(orp_message_is_signed(message, names[i]));
    }
    fuzz_check(fuzz_same(orp_message_get(message, "mode"), "id_res"));
    fuzz_check(orp_message_version(message) == kind->version);
    fuzz_check(means(orp_message_get(message, "return_to"),
                     PAGE "?openid_return=" KEY, pool));
    fuzz_check(means(orp_message_get(message, "identity"), USER, pool));
    if (kind->version == ORP_VERSION_2) {
        fuzz_check(means(orp_message_get(message, "op_endpoint"), OP, pool));
        fuzz_check(means(orp_message_get(message, "claimed_id"), USER,
                         pool));
        fuzz_check(!strncmp(orp_message_get(message, "response_nonce"),
                            "2026-01-15T1", 12));
    }
}

/* Somebody was signed in: USER, by what was signed. */
static void accepted(const kind_t *kind, const orp_message_t *message,
                     const orp_identity_t *identity, int by_anything,
                     apr_pool_t *pool)
{
    const orp_message_t *original = message_from(genuine(kind, pool), pool);
    const char *text = NULL, *should_be = NULL;
    const char *nickname = orp_params_get(identity->sreg, "nickname");

    fuzz_check(!strcmp(identity->endpoint, OP));
    fuzz_check(!strncmp(identity->claimed_id, USER, strlen(USER)));
    fuzz_check(!identity->claimed_id[strlen(USER)]
               || identity->claimed_id[strlen(USER)] == '#');
    is_an_answer(kind, message, pool);
    if (by_anything) {
        return;
    }
    fuzz_check(!strcmp(identity->claimed_id, USER));
    fuzz_check(!nickname || !strcmp(nickname, "vic"));
    fuzz_check(!orp_params_get(identity->sreg, "email"));
    fuzz_check(orp_message_signed_text(&text, message, NULL, pool)
               == APR_SUCCESS);
    fuzz_check(orp_message_signed_text(&should_be, original, NULL, pool)
               == APR_SUCCESS);
    fuzz_check(!strcmp(text, should_be));
}

/* An answer to one of the logins; then the genuine one, which must do what it
 * should whatever came before it. */
static void visit(const kind_t *kind, const orp_params_t *params,
                  apr_pool_t *pool)
{
    fuzz_world_t *world = waiting(kind, pool);
    const char *sig = orp_params_get(params, "openid.sig");
    int by_anything = sig && !strcmp(sig, "SIGN");
    orp_message_t *message = message_from(
        by_anything ? signed_copy(kind, params, pool) : params, pool);
    orp_message_t *original = message_from(genuine(kind, pool), pool);
    orp_identity_t *identity = NULL;
    apr_status_t status = APR_EGENERAL;

    if (message) {
        status = complete(&identity, world, message, pool);
    }
    if (status == APR_SUCCESS) {
        fuzz_check(message != NULL);
        accepted(kind, message, identity, by_anything, pool);
        fuzz_check(complete(&identity, world, message, pool) == ORP_EREPLAY);
        fuzz_check(complete(&identity, world, original, pool)
                   == ORP_EREPLAY);
    }
    else {
        fuzz_check(complete(&identity, world, original, pool)
                   == APR_SUCCESS);
        fuzz_check(!strcmp(identity->claimed_id, USER));
    }
}

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    orp_params_t *params;
    apr_size_t i;

    if (orp_params_parse_form(&params, bytes, size, pool) == APR_SUCCESS) {
        for (i = 0; i < KINDS; i++) {
            visit(&kinds[i], params, pool);
        }
    }
}

FUZZ_TARGET(login, 4096)
