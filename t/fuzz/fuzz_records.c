/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_records.c - what is read from the store: logins, identities,
 * associations, and the queue of the background. A record that was damaged is
 * refused, or can be used; what was read and is written reads the same. */

#include "world.h"

#include "orp.h"
#include "orp_assoc.h"
#include "orp_background_queue.h"
#include "orp_crypto.h"

#define KEY "kkkkkkkkkkkkkkkkkkkkkk"
#define OP "https://op.example/auth"

static void put(fuzz_world_t *world, orp_store_kind_e kind, const char *key,
                const char *bytes, apr_size_t size)
{
    fuzz_check(orp_store_put(world->env.store, kind, key, bytes, size,
                             SCENE_TIME + apr_time_from_sec(60), SCENE_TIME)
               == APR_SUCCESS);
}

/* The value of a member in the record. */
static const char *said(const char *bytes, apr_size_t size, const char *name,
                        apr_pool_t *pool)
{
    orp_params_t *params = NULL;

    fuzz_check(orp_params_parse_form(&params, bytes, size, pool)
               == APR_SUCCESS);
    return orp_params_get(params, name);
}

/* A login that was read can be completed, or is refused. */
static void complete(fuzz_world_t *world, const orp_login_t *login,
                     apr_pool_t *pool)
{
    static const char answer[] =
        "mode:id_res\nns:" ORP_NS_20 "\nop_endpoint:" OP "\n"
        "claimed_id:https://user.example/\nidentity:https://user.example/\n"
        "return_to:https://rp.example/?openid_return=" KEY "\n"
        "response_nonce:" SCENE_TIME_TEXT "1\nassoc_handle:h\nsig:AAAA\n"
        "signed:op_endpoint,claimed_id,identity,return_to,response_nonce,"
        "assoc_handle\n";
    orp_rp_t rp = { .realm = "https://rp.example/",
                    .nonce_lifetime = apr_time_from_sec(300) };
    orp_assertion_t assertion = {
        NULL, login, "https://rp.example/", "https://rp.example", "browser"
    };
    orp_message_t *message = NULL;
    orp_identity_t *identity = NULL;
    orp_reason_t *why = orp_reason_create(pool);

    fuzz_check(orp_message_from_kv(&message, answer, strlen(answer), NULL,
                                   pool) == APR_SUCCESS);
    assertion.message = message;
    fuzz_check(orp_login_complete(&identity, &world->env, &rp, &assertion,
                                  why, pool) != APR_SUCCESS);
    fuzz_check(!identity);
}

static void login(fuzz_world_t *world, const char *bytes, apr_size_t size,
                  apr_pool_t *pool)
{
    orp_login_t *read = FUZZ_UNTOUCHED, *again = NULL;
    apr_status_t status;

    put(world, ORP_STORE_LOGIN, KEY, bytes, size);
    status = orp_login_find(&read, &world->env, KEY, pool);
    if (!fuzz_status(status, read, ORP_ESTORE, APR_SUCCESS)) {
        return;
    }
    fuzz_check(read->state <= ORP_LOGIN_DONE);
    fuzz_check(fuzz_same(said(bytes, size, "version", pool),
                         read->version == ORP_VERSION_1 ? "1" : "2"));
    fuzz_check(read->browser && read->origin && read->return_to
               && read->target);
    fuzz_check(read->state != ORP_LOGIN_READY
               || (read->endpoint && read->redirect
                   && !read->claimed_id == !read->local_id));
    complete(world, read, pool);
    if (read->expires <= SCENE_TIME
        || orp_login_save(read, &world->env, pool) != APR_SUCCESS) {
        return;
    }
    fuzz_check(orp_login_find(&again, &world->env, KEY, pool)
               == APR_SUCCESS);
    fuzz_check(again->state == read->state);
    fuzz_check(again->version == read->version);
    fuzz_check(again->expires == read->expires);
    fuzz_check(fuzz_same(again->browser, read->browser));
    fuzz_check(fuzz_same(again->target, read->target));
    fuzz_check(fuzz_same(again->endpoint, read->endpoint));
    fuzz_check(fuzz_same(again->claimed_id, read->claimed_id));
    fuzz_check(fuzz_same(again->sentence, read->sentence));
}

static void identity(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    orp_params_t *params, *written = orp_params_create(pool);
    orp_params_t *twice = orp_params_create(pool);
    orp_identity_t *read = FUZZ_UNTOUCHED, *again = NULL;
    const char *json;

    if (orp_params_parse_form(&params, bytes, size, pool) != APR_SUCCESS
        || !fuzz_status(orp_identity_read(&read, params, pool), read,
                        ORP_ESTORE, APR_SUCCESS)) {
        return;
    }
    orp_identity_write(written, read, pool);
    fuzz_check(orp_identity_read(&again, written, pool) == APR_SUCCESS);
    orp_identity_write(twice, again, pool);
    fuzz_check(fuzz_same_params(written, twice));
    fuzz_check(fuzz_same(orp_identity_email(read),
                         orp_identity_email(again)));
    json = orp_identity_sreg_json(read, pool);
    fuzz_check(!json || fuzz_is_json(json));
    json = orp_identity_ax_json(read, pool);
    fuzz_check(!json || fuzz_is_json(json));
}

static void association(fuzz_world_t *world, const char *bytes,
                        apr_size_t size, apr_pool_t *pool)
{
    orp_assoc_t *read = FUZZ_UNTOUCHED, *again = NULL;

    put(world, ORP_STORE_ASSOCIATION,
        orp_sha256_hex("assoc " OP " h", pool), bytes, size);
    if (!fuzz_status(orp_assoc_find(&read, &world->env, OP, "h", pool), read,
                     ORP_ESTORE, APR_SUCCESS)) {
        return;
    }
    fuzz_check(read->expires >= 0);
    fuzz_check(fuzz_same(said(bytes, size, "type", pool),
                         orp_assoc_type(read->hash)));
    if (read->expires <= SCENE_TIME
        || orp_assoc_save(read, &world->env, pool) != APR_SUCCESS) {
        return;
    }
    fuzz_check(orp_assoc_find(&again, &world->env, read->endpoint,
                              read->handle, pool) == APR_SUCCESS);
    fuzz_check(again->hash == read->hash && again->expires == read->expires);
    fuzz_check(!memcmp(again->key, read->key, orp_hash_size(read->hash)));
}

static void queue(fuzz_world_t *world, const char *bytes, apr_size_t size,
                  apr_pool_t *pool)
{
    orp_wanted_t wanted = { .version = ORP_VERSION_2 };
    orp_asked_t asked;
    apr_status_t status;

    put(world, ORP_STORE_QUEUE, "wanted 7", bytes, size);
    status = orp_wanted_get(&wanted, &world->env, 7, pool);
    fuzz_check(status == APR_SUCCESS || status == ORP_EENCODING
               || (status == ORP_EEXISTS && size == 0));
    if (status == APR_SUCCESS) {
        fuzz_check(*wanted.endpoint && wanted.site && wanted.used >= 0);
        fuzz_check(wanted.proven == 0 || wanted.proven == 1);
        fuzz_check(wanted.version == ORP_VERSION_1
                   || wanted.version == ORP_VERSION_2);
    }
    put(world, ORP_STORE_QUEUE, apr_pstrcat(
            pool, "state ", orp_sha256_hex(OP, pool), NULL), bytes, size);
    fuzz_check(orp_asked_get(&asked, &world->env, OP, pool) == APR_SUCCESS);
    fuzz_check(asked.next >= 0 && asked.failures >= 0 && asked.refusals >= 0);
}

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    fuzz_world_t *world = fuzz_world("", 0, pool);

    login(world, bytes, size, pool);
    identity(bytes, size, pool);
    association(world, bytes, size, pool);
    queue(world, bytes, size, pool);
}

FUZZ_TARGET(records, 4096)
