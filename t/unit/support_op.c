/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "support_op.h"

#include <apr_time.h>

#include "orp_codec.h"
#include "orp_dh.h"

/* OpenID Authentication 2.0, appendix B. */
static const char prime_hex[] =
    "DCF93A0B883972EC0E19989AC5A2CE310E1D37717E8D9571BB7623731866E61E"
    "F75A2E27898B057F9891C2E27A639C3F29B60814581CD3B2CA3986D268370557"
    "7D45C2E7E52DC81C7A171876E5CEA74B1448BFDFAF18828EFD2519F14E45E382"
    "6634AF1949E5B535CC829A483B8A76223E5D490A257F05BDFF16F2FB22C583AB";

/* ---------------------------------------------------------------------- */
/* What a provider answers directly */

static const char *key_value_form(const op_t *op, const orp_params_t *reply)
{
    const char *text = "";
    int i;

    for (i = 0; i < orp_params_size(reply); i++) {
        const char *name = orp_params_name(reply, i);
        const char *value = orp_params_get(op->changes, name);

        value = value ? value : orp_params_value(reply, i);
        if (strcmp(value, "-") != 0) {
            text = apr_pstrcat(op->scene->pool, text, name, ":", value, "\n",
                               NULL);
        }
    }
    for (i = 0; i < orp_params_size(op->changes); i++) {
        const char *name = orp_params_name(op->changes, i);
        const char *value = orp_params_value(op->changes, i);

        if (!orp_params_get(reply, name) && strcmp(value, "-") != 0) {
            text = apr_pstrcat(op->scene->pool, text, name, ":", value, "\n",
                               NULL);
        }
    }
    return text;
}

/* Its half of the exchange: y = 3, so g^3 = 8, and mask = H(A^3). */
static void add_masked_key(const op_t *op, orp_params_t *reply,
                           const char *consumer_public)
{
    static const unsigned char y[] = { 3 }, public[] = { 8 };
    apr_pool_t *pool = op->scene->pool;
    apr_size_t size, a_size, i;
    const unsigned char *prime = unhex(&size, prime_hex, pool);
    const unsigned char *a, *btwoc;
    unsigned char secret[ORP_DH_SIZE], mask[ORP_HASH_MAX], *decoded;

    assert_non_null(consumer_public);
    assert_status(orp_base64_decode(&decoded, &size, consumer_public, pool),
                  APR_SUCCESS);
    assert_status(orp_btwoc_decode(&a, &a_size, decoded, size), APR_SUCCESS);
    assert_status(orp_modexp(secret, a, a_size, y, 1, prime, ORP_DH_SIZE),
                  APR_SUCCESS);
    btwoc = orp_btwoc_encode(&size, secret, ORP_DH_SIZE, pool);
    assert_status(orp_digest(mask, op->hash, btwoc, size), APR_SUCCESS);
    for (i = 0; i < orp_hash_size(op->hash); i++) {
        mask[i] ^= op->key[i];
    }
    orp_params_add(reply, "dh_server_public",
                   orp_base64_encode(public, 1, pool));
    orp_params_add(reply, "enc_mac_key",
                   orp_base64_encode(mask, orp_hash_size(op->hash), pool));
}

static void add_association(op_t *op, orp_params_t *reply,
                            const orp_params_t *form)
{
    const char *type = orp_params_get(form, "openid.assoc_type");
    const char *session = orp_params_get(form, "openid.session_type");

    assert_non_null(type);
    assert_non_null(session);
    op->hash = strcmp(type, "HMAC-SHA256") != 0 ? ORP_SHA1 : ORP_SHA256;
    memset(op->key, 'k', sizeof(op->key));
    orp_params_add(reply, "assoc_handle", op->handle);
    orp_params_add(reply, "session_type", session);
    orp_params_add(reply, "assoc_type", type);
    orp_params_add(reply, "expires_in", "3600");
    if (!strncmp(session, "DH-", 3)) {
        add_masked_key(op, reply,
                       orp_params_get(form, "openid.dh_consumer_public"));
    }
    else {
        orp_params_add(reply, "mac_key",
                       orp_base64_encode(op->key, orp_hash_size(op->hash),
                                         op->scene->pool));
    }
}

static void refuse_association(op_t *op, orp_params_t *reply)
{
    orp_params_add(reply, "error", "no associations here");
    orp_params_add(reply, "error_code", "unsupported-type");
    orp_params_add(reply, "assoc_type", op->suggests[0]);
    orp_params_add(reply, "session_type", op->suggests[1]);
}

static const char *signature(const op_t *op, const orp_params_t *answer)
{
    apr_pool_t *pool = op->scene->pool;
    const char *handle = orp_params_get(answer, "openid.assoc_handle");
    const char *list = orp_params_get(answer, "openid.signed");
    int shared = handle && strcmp(handle, OP_PRIVATE_HANDLE) != 0;
    orp_hash_e hash = shared ? op->hash : ORP_SHA1;
    unsigned char mac[ORP_HASH_MAX];
    const char *text = "";

    while (list && *list) {
        apr_size_t size = strcspn(list, ",");
        const char *name = apr_pstrmemdup(pool, list, size);
        const char *value = orp_params_get(answer,
                                           apr_pstrcat(pool, "openid.", name,
                                                       NULL));

        text = apr_pstrcat(pool, text, name, ":", value ? value : "", "\n",
                           NULL);
        list += size + (list[size] == ',');
    }
    assert_status(orp_hmac(mac, hash, shared ? op->key : op->private_key,
                           orp_hash_size(hash), text, strlen(text)),
                  APR_SUCCESS);
    return orp_base64_encode(mac, orp_hash_size(hash), pool);
}

/* 11.4.2: it confirms what it signed with its private key. */
static int is_own(const op_t *op, const orp_params_t *form)
{
    const char *handle = orp_params_get(form, "openid.assoc_handle");
    const char *sig = orp_params_get(form, "openid.sig");

    return handle && sig && !strcmp(handle, OP_PRIVATE_HANDLE)
        && !strcmp(sig, signature(op, with(form, "openid.mode", "id_res")));
}

static apr_status_t answer_directly(scene_t *scene, const sent_t *request,
                                    orp_http_response_t *response,
                                    void *baton)
{
    op_t *op = baton;
    orp_params_t *reply = orp_params_create(scene->pool);
    orp_params_t *form;
    const char *mode;

    assert_status(orp_params_parse_form(&form, request->form,
                                        strlen(request->form), scene->pool),
                  APR_SUCCESS);
    mode = orp_params_get(form, "openid.mode");
    assert_non_null(mode);
    orp_params_add(reply, "ns", orp_params_get(form, "openid.ns"));
    if (strcmp(mode, "associate") != 0) {
        assert_text(mode, "check_authentication");
        op->checked++;
        orp_params_add(reply, "is_valid",
                       is_own(op, form) ? "true" : "false");
    }
    else if (op->associated++, op->makes_none) {
        refuse_association(op, reply);
    }
    else {
        add_association(op, reply, form);
    }
    response->status = op->status;
    response->content_type = "text/plain";
    response->body = op->body ? op->body : key_value_form(op, reply);
    response->size = strlen(response->body);
    return APR_SUCCESS;
}

op_t *op_at(scene_t *scene, const char *endpoint)
{
    op_t *op = apr_pcalloc(scene->pool, sizeof(*op));

    op->scene = scene;
    op->endpoint = endpoint;
    op->handle = "shared-1";
    memset(op->private_key, 'p', sizeof(op->private_key));
    op_is_honest(op);
    scene_answer(scene, "POST", endpoint, answer_directly, op);
    return op;
}

void op_says(op_t *op, const char *name, const char *value)
{
    orp_params_add(op->changes, name, value ? value : "-");
}

void op_is_honest(op_t *op)
{
    op->status = 200;
    op->body = NULL;
    op->changes = orp_params_create(op->scene->pool);
}

const char *op_was_asked(const op_t *op, const char *name)
{
    orp_params_t *form;
    int i;

    for (i = scene_requests(op->scene) - 1; i >= 0; i--) {
        const sent_t *request = scene_request(op->scene, i);

        if (request->form && !strcmp(request->url, op->endpoint)) {
            assert_status(orp_params_parse_form(&form, request->form,
                                                strlen(request->form),
                                                op->scene->pool),
                          APR_SUCCESS);
            return orp_params_get(form, name);
        }
    }
    fail_msg("%s was not asked anything", op->endpoint);
    return NULL;
}

/* ---------------------------------------------------------------------- */
/* What is published */

typedef struct published_t {
    const char *type;
    const char *body;
} published_t;

static apr_status_t serve(scene_t *scene, const sent_t *request,
                          orp_http_response_t *response, void *baton)
{
    const published_t *page = baton;

    (void)scene;
    (void)request;
    response->content_type = page->type;
    response->body = page->body;
    response->size = strlen(page->body);
    return APR_SUCCESS;
}

static void publish(scene_t *scene, const char *url, const char *type,
                    const char *body)
{
    published_t *page = apr_palloc(scene->pool, sizeof(*page));

    page->type = type;
    page->body = body;
    scene_answer(scene, "GET", url, serve, page);
}

void publish_xrds(scene_t *scene, const char *url, const char *document)
{
    publish(scene, url, "application/xrds+xml", document);
}

static const char *links(const op_t *op, const char *provider,
                         const char *delegate, const char *local_id)
{
    return apr_pstrcat(op->scene->pool, "<html><head><link rel=\"", provider,
                       "\" href=\"", op->endpoint, "\">",
                       local_id ? "<link rel=\"" : "",
                       local_id ? delegate : "",
                       local_id ? "\" href=\"" : "",
                       local_id ? local_id : "", local_id ? "\">" : "",
                       "</head><body></body></html>", NULL);
}

void op_publish(op_t *op, const char *url, op_page_e page,
                const char *local_id)
{
    static const char *const types[] = {
        ORP_TYPE_SERVER_20, ORP_TYPE_SIGNON_20, ORP_TYPE_SIGNON_11,
    };
    const char *tag = page == OP_SIGNON_11 ? "openid:Delegate" : "LocalID";

    if (page == OP_HTML_20) {
        publish(op->scene, url, "text/html",
                links(op, "openid2.provider", "openid2.local_id", local_id));
    }
    else if (page == OP_HTML_11) {
        publish(op->scene, url, "text/html",
                links(op, "openid.server", "openid.delegate", local_id));
    }
    else {
        publish_xrds(op->scene, url, apr_psprintf(
            op->scene->pool, "<x:XRDS xmlns:x='xri://$xrds'"
            " xmlns='xri://$xrd*($v*2.0)'"
            " xmlns:openid='http://openid.net/xmlns/1.0'><XRD><Service>"
            "<Type>%s</Type><URI>%s</URI>%s%s%s%s%s%s%s"
            "</Service></XRD></x:XRDS>",
            types[page], op->endpoint, local_id ? "<" : "",
            local_id ? tag : "", local_id ? ">" : "",
            local_id ? local_id : "", local_id ? "</" : "",
            local_id ? tag : "", local_id ? ">" : ""));
    }
}

/* ---------------------------------------------------------------------- */
/* Assertions */

/* with() is given no pool, so that tests read well: its copies live as long
 * as the program. */
static apr_pool_t *answers_pool(void)
{
    static apr_pool_t *pool;

    if (!pool && apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        fail_msg("no pool");
    }
    return pool;
}

orp_params_t *with(const orp_params_t *answer, const char *name,
                   const char *value)
{
    orp_params_t *copy = orp_params_create(answers_pool());
    int i, found = 0;

    for (i = 0; i < orp_params_size(answer); i++) {
        int here = !strcmp(orp_params_name(answer, i), name);

        found |= here;
        orp_params_add(copy, orp_params_name(answer, i),
                       here ? value : orp_params_value(answer, i));
    }
    if (!found) {
        orp_params_add(copy, name, value);
    }
    return copy;
}

orp_params_t *op_sign(op_t *op, const orp_params_t *answer)
{
    return with(answer, "openid.sig", signature(op, answer));
}

orp_params_t *with_signed(op_t *op, const orp_params_t *answer,
                          const char *name, const char *value)
{
    const char *list = apr_pstrcat(op->scene->pool,
                                   orp_params_get(answer, "openid.signed"),
                                   ",", name + strlen("openid."), NULL);

    return op_sign(op, with(with(answer, name, value), "openid.signed",
                            list));
}

orp_params_t *with_unsigned(op_t *op, const orp_params_t *answer,
                            const char *name)
{
    apr_pool_t *pool = op->scene->pool;
    const char *list = orp_params_get(answer, "openid.signed");
    const char *rest = "";
    char *word, *last;

    for (word = apr_strtok(apr_pstrdup(pool, list), ",", &last); word;
         word = apr_strtok(NULL, ",", &last)) {
        if (strcmp(word, name) != 0) {
            rest = apr_pstrcat(pool, rest, *rest ? "," : "", word, NULL);
        }
    }
    return op_sign(op, with(answer, "openid.signed", rest));
}

const char *op_nonce(op_t *op)
{
    apr_time_exp_t date;

    assert_int_equal(apr_time_exp_gmt(&date, op->scene->now), APR_SUCCESS);
    return apr_psprintf(op->scene->pool, "%04d-%02d-%02dT%02d:%02d:%02dZ%d",
                        date.tm_year + 1900, date.tm_mon + 1, date.tm_mday,
                        date.tm_hour, date.tm_min, date.tm_sec,
                        ++op->nonces);
}

orp_params_t *op_answer_about(op_t *op, const visit_t *visit,
                              const char *claimed_id, const char *identity)
{
    const char *handle = visit->login->assoc_handle;
    int is_2 = visit->login->version == ORP_VERSION_2;
    orp_params_t *answer = params_of(
        op->scene->pool, "openid.mode", "id_res", "openid.identity",
        identity, "openid.return_to", visit->login->return_to,
        "openid.assoc_handle", handle ? handle : OP_PRIVATE_HANDLE, NULL);

    if (is_2) {
        answer = with(answer, "openid.ns", ORP_NS_20);
        answer = with(answer, "openid.claimed_id", claimed_id);
        answer = with(answer, "openid.op_endpoint", op->endpoint);
        answer = with(answer, "openid.response_nonce", op_nonce(op));
    }
    answer = with(answer, "openid.signed", is_2
                  ? "op_endpoint,claimed_id,identity,return_to,"
                    "response_nonce,assoc_handle"
                  : "mode,identity,return_to");
    return op_sign(op, answer);
}

orp_params_t *op_answer(op_t *op, const visit_t *visit)
{
    return op_answer_about(op, visit, visit->login->claimed_id,
                           visit->login->local_id);
}

orp_message_t *message_of(const orp_params_t *params, apr_pool_t *pool)
{
    orp_reason_t *why = orp_reason_create(pool);
    orp_message_t *message = NULL;

    if (orp_message_from_request(&message, params, why, pool)
        != APR_SUCCESS) {
        fail_msg("%s", why->sentence);
    }
    return message;
}

/* ---------------------------------------------------------------------- */
/* Visits */

visit_t *visit_new(scene_t *scene, const char *typed)
{
    visit_t *visit = apr_pcalloc(scene->pool, sizeof(*visit));
    orp_login_t *login;

    visit->scene = scene;
    visit->rp.realm = VISIT_ORIGIN "/";
    visit->rp.nonce_lifetime = apr_time_from_sec(300);
    visit->url = VISIT_URL;
    visit->origin = VISIT_ORIGIN;
    assert_status(orp_login_create(&visit->login, &visit->browser,
                                   &scene->env, apr_time_from_sec(600),
                                   scene->pool), APR_SUCCESS);
    login = visit->login;
    login->origin = visit->origin;
    login->return_to = apr_pstrcat(scene->pool, VISIT_URL "?openid_return=",
                                   login->key, NULL);
    login->target = "/private?a=b";
    login->typed = typed;
    return visit;
}

apr_status_t visit_status(visit_t *visit, orp_reason_t **pwhy)
{
    *pwhy = orp_reason_create(visit->scene->pool);
    return orp_login_begin(visit->login, &visit->scene->env, &visit->rp,
                           *pwhy, visit->scene->pool);
}

visit_t *visit_begin(scene_t *scene, const char *typed)
{
    visit_t *visit = visit_new(scene, typed);
    orp_reason_t *why;
    apr_status_t status = visit_status(visit, &why);

    if (status != APR_SUCCESS) {
        fail_msg("no login begins: %s", why->sentence);
    }
    return visit;
}

/* As the server does it: the login comes out of the store. */
static apr_status_t complete(orp_identity_t **pidentity,
                             const visit_t *visit,
                             const orp_params_t *answer, orp_reason_t *why)
{
    scene_t *scene = visit->scene;
    orp_assertion_t assertion = {
        NULL, NULL, visit->url, visit->origin, visit->browser
    };
    orp_message_t *message;
    orp_login_t *login;
    apr_status_t status = orp_message_from_request(&message, answer, why,
                                                   scene->pool);

    if (status == APR_SUCCESS) {
        status = orp_login_find(&login, &scene->env, visit->login->key,
                                scene->pool);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    assertion.message = message;
    assertion.login = login;
    status = orp_login_complete(pidentity, &scene->env, &visit->rp,
                                &assertion, why, scene->pool);
    assert_status(why->status, status);
    assert_int_equal(scene_logged(scene, status ? 112 : 113) > 0, 1);
    return status;
}

orp_identity_t *visit_complete(const visit_t *visit,
                               const orp_params_t *answer,
                               orp_reason_t **pwhy)
{
    orp_identity_t *identity = NULL;

    *pwhy = orp_reason_create(visit->scene->pool);
    return complete(&identity, visit, answer, *pwhy) == APR_SUCCESS
        ? identity : NULL;
}

orp_identity_t *assert_accepted_at(const visit_t *visit,
                                   const orp_params_t *answer,
                                   const char *file, int line)
{
    orp_reason_t *why = orp_reason_create(visit->scene->pool);
    orp_identity_t *identity = NULL;
    apr_status_t status = complete(&identity, visit, answer, why);

    if (status != APR_SUCCESS) {
        print_error("refused (%s): %s [%s]\n", orp_status_code(status),
                    why->sentence, why->subject ? why->subject : "");
        _fail(file, line);
    }
    return identity;
}

void assert_refused_at(const visit_t *visit, const orp_params_t *answer,
                       apr_status_t expected, const char *file, int line)
{
    scene_t *scene = visit->scene;
    orp_reason_t *why = orp_reason_create(scene->pool);
    int nonces = scene_stored(scene, ORP_STORE_NONCE);
    int logins = scene_stored(scene, ORP_STORE_LOGIN);
    int refusals = scene_logged(scene, 112);
    orp_identity_t *identity = NULL;
    apr_status_t status = complete(&identity, visit, answer, why);

    assert_status_at(status, expected, file, line);
    assert_null(identity);
    if (status != ORP_EFULL && !*why->sentence
        && status != ORP_ENOTFOUND && status != ORP_ESTORE) {
        print_error("no reason is given\n");
        _fail(file, line);
    }
    if (scene_logged(scene, 112) > refusals + 1
        || scene_stored(scene, ORP_STORE_NONCE) != nonces
        || scene_stored(scene, ORP_STORE_LOGIN) != logins) {
        print_error("the refused answer left traces\n");
        _fail(file, line);
    }
}
