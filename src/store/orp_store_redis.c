/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_redis.c - the operations on single records. Each is one command
 * or one script, so redis itself sees to it that they are atomic. */

#include "orp_store_redis.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_crypto.h"
#include "orp_store_open.h"

/* How much longer than its record redis keeps a key, in milliseconds: clocks
 * of two machines are never quite the same. */
#define MARGIN_MS 1000

/* The longest prefix and name of a kind that a buffer is made for. */
#define KEY_ROOM (ORP_STORE_KEY_MAX + 512)

/* Compares heads by their bytes: Lua's numbers have 53 bits, and its
 * comparison of strings depends on a locale. */
#define LATER \
    "local function later(a, b) " \
    "for i = 1, 8 do " \
    "local x, y = a:byte(i), b:byte(i) " \
    "if x ~= y then return x > y end " \
    "end " \
    "return false " \
    "end " \
    "local old = redis.call('GETRANGE', KEYS[1], 0, 7) "

/* What is no record of ours, but has its name, is not ours to replace. */
const char orp_redis_claim_script[] =
    LATER
    "if #old > 0 and (#old < 8 or later(old, ARGV[2])) then return 0 end "
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3]) "
    "return 1";

/* SETRANGE needs memory, as redis sees it, and is refused when that is used
 * up; but not to a script that has begun to write. Nothing grows here. */
const char orp_redis_touch_script[] =
    LATER
    "if #old < 8 or not later(old, ARGV[2]) then return 0 end "
    "redis.call('PEXPIRE', KEYS[1], ARGV[3]) "
    "redis.call('SETRANGE', KEYS[1], 0, ARGV[1]) "
    "return 1";

/* ---------------------------------------------------------------------- */
/* Records */

void orp_redis_head_write(unsigned char *out, apr_time_t expires)
{
    apr_uint64_t left = (apr_uint64_t)expires;
    int i;

    for (i = ORP_REDIS_HEAD - 1; i >= 0; i--) {
        out[i] = (unsigned char)(left & 0xff);
        left >>= 8;
    }
}

apr_time_t orp_redis_head_read(const char *bytes, apr_size_t size)
{
    apr_uint64_t number = 0;
    int i;

    if (size < ORP_REDIS_HEAD) {
        return 0;
    }
    for (i = 0; i < ORP_REDIS_HEAD; i++) {
        number = number << 8 | (unsigned char)bytes[i];
    }
    return (apr_time_t)number;
}

/* An operation on one record: what its commands are made of. */
typedef struct call_t {
    orp_store_redis_t *redis;
    apr_time_t deadline;
    orp_redis_command_t command;
    char key[KEY_ROOM];
    unsigned char expires[ORP_REDIS_HEAD];
    unsigned char now[ORP_REDIS_HEAD];
    char ttl[24];
} call_t;

/* expires and now: 0 where the operation has none. */
static apr_status_t prepare(call_t *call, void *baton, orp_store_kind_e kind,
                            const char *key, apr_time_t expires,
                            apr_time_t now)
{
    orp_store_redis_t *redis = baton;
    const char *kind_name = orp_store_kind_name(kind);

    if (strlen(redis->place->prefix) + strlen(kind_name) + 1 + strlen(key)
        >= sizeof(call->key)) {
        return ORP_ETOOBIG;
    }
    apr_snprintf(call->key, sizeof(call->key), "%s%s:%s",
                 redis->place->prefix, kind_name, key);
    call->redis = redis;
    call->deadline = orp_redis_deadline(redis->conns);
    orp_redis_head_write(call->expires, expires);
    orp_redis_head_write(call->now, now);
    apr_snprintf(call->ttl, sizeof(call->ttl), "%" APR_TIME_T_FMT,
                 (expires - now) / 1000 + 1 + MARGIN_MS);
    return APR_SUCCESS;
}

/* Begin a command: its name, and what types its replies have. */
static void begin(call_t *call, const char *name, int want)
{
    memset(&call->command, 0, sizeof(call->command));
    call->command.want = want;
    orp_redis_arg_text(&call->command, name);
}

static apr_status_t ask(orp_redis_reply_t **preply, const call_t *call)
{
    return orp_redis_ask(preply, call->redis->conns, &call->command, 1,
                         call->deadline);
}

/* Run a script. *pdone: did it what it is for? */
static apr_status_t run(int *pdone, call_t *call, const char *script,
                        int once)
{
    orp_redis_reply_t *reply;
    apr_status_t status;

    begin(call, "EVAL", ORP_REDIS_INTEGER);
    call->command.once = once;
    orp_redis_arg_text(&call->command, script);
    orp_redis_arg_text(&call->command, "1");
    orp_redis_arg_text(&call->command, call->key);
    orp_redis_arg(&call->command, (const char *)call->expires,
                  ORP_REDIS_HEAD);
    orp_redis_arg(&call->command, (const char *)call->now, ORP_REDIS_HEAD);
    orp_redis_arg_text(&call->command, call->ttl);
    status = ask(&reply, call);
    if (status == APR_SUCCESS) {
        *pdone = orp_redis_integer(reply) == 1;
        orp_redis_reply_free(reply);
    }
    return status;
}

/* What is in a reply to GET and GETDEL, if it is live. */
static apr_status_t unpack(const char **pvalue, apr_size_t *psize,
                           const orp_redis_reply_t *reply, apr_time_t now,
                           apr_pool_t *pool)
{
    apr_size_t size;
    const char *bytes = orp_redis_string(&size, reply);

    if (orp_redis_head_read(bytes, size) <= now) {
        return ORP_ENOTFOUND;
    }
    *psize = size - ORP_REDIS_HEAD;
    *pvalue = apr_pstrmemdup(pool, bytes + ORP_REDIS_HEAD, *psize);
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* Operations */

static apr_status_t redis_put(void *baton, orp_store_kind_e kind,
                              const char *key, const void *value,
                              apr_size_t size, apr_time_t expires,
                              apr_time_t now)
{
    char record[ORP_REDIS_HEAD + ORP_STORE_VALUE_MAX];
    orp_redis_reply_t *reply;
    call_t call;
    apr_status_t status = prepare(&call, baton, kind, key, expires, now);

    if (status != APR_SUCCESS) {
        return status;
    }
    memcpy(record, call.expires, ORP_REDIS_HEAD);
    memcpy(record + ORP_REDIS_HEAD, value, size);
    begin(&call, "SET", ORP_REDIS_STATUS);
    orp_redis_arg_text(&call.command, call.key);
    orp_redis_arg(&call.command, record, ORP_REDIS_HEAD + size);
    orp_redis_arg_text(&call.command, "PX");
    orp_redis_arg_text(&call.command, call.ttl);
    status = ask(&reply, &call);
    orp_cleanse(record, ORP_REDIS_HEAD + size);
    if (status == APR_SUCCESS) {
        orp_redis_reply_free(reply);
    }
    return status;
}

/* GET, or GETDEL. */
static apr_status_t fetch(const char **pvalue, apr_size_t *psize,
                          call_t *call, apr_time_t now, apr_pool_t *pool)
{
    orp_redis_reply_t *reply;
    apr_status_t status;

    orp_redis_arg_text(&call->command, call->key);
    status = ask(&reply, call);
    if (status == APR_SUCCESS) {
        status = unpack(pvalue, psize, reply, now, pool);
        orp_redis_reply_free(reply);
    }
    return status;
}

static apr_status_t redis_get(const char **pvalue, apr_size_t *psize,
                              void *baton, orp_store_kind_e kind,
                              const char *key, apr_time_t now,
                              apr_pool_t *pool)
{
    call_t call;

    if (prepare(&call, baton, kind, key, 0, 0) != APR_SUCCESS) {
        return ORP_ENOTFOUND;   /* no record has such a key */
    }
    begin(&call, "GET", ORP_REDIS_STRING | ORP_REDIS_NIL);
    return fetch(pvalue, psize, &call, now, pool);
}

static apr_status_t redis_take(const char **pvalue, apr_size_t *psize,
                               void *baton, orp_store_kind_e kind,
                               const char *key, apr_time_t now,
                               apr_pool_t *pool)
{
    call_t call;

    if (prepare(&call, baton, kind, key, 0, 0) != APR_SUCCESS) {
        return ORP_ENOTFOUND;
    }
    begin(&call, "GETDEL", ORP_REDIS_STRING | ORP_REDIS_NIL);
    call.command.once = 1;
    return fetch(pvalue, psize, &call, now, pool);
}

/* The usual claim wins at once. One that finds the key looks closer: it may
 * be a record that has expired. */
static apr_status_t redis_claim(void *baton, orp_store_kind_e kind,
                                const char *key, apr_time_t expires,
                                apr_time_t now)
{
    orp_redis_reply_t *reply;
    call_t call;
    apr_status_t status = prepare(&call, baton, kind, key, expires, now);
    int won;

    if (status != APR_SUCCESS) {
        return status;
    }
    begin(&call, "SET", ORP_REDIS_STATUS | ORP_REDIS_NIL);
    call.command.once = 1;
    orp_redis_arg_text(&call.command, call.key);
    orp_redis_arg(&call.command, (const char *)call.expires, ORP_REDIS_HEAD);
    orp_redis_arg_text(&call.command, "NX");
    orp_redis_arg_text(&call.command, "PX");
    orp_redis_arg_text(&call.command, call.ttl);
    status = ask(&reply, &call);
    if (status != APR_SUCCESS) {
        return status;
    }
    won = orp_redis_type(reply) == ORP_REDIS_STATUS;
    orp_redis_reply_free(reply);
    if (!won) {
        status = run(&won, &call, orp_redis_claim_script, 1);
    }
    return status != APR_SUCCESS || won ? status : ORP_EEXISTS;
}

static apr_status_t redis_touch(void *baton, orp_store_kind_e kind,
                                const char *key, apr_time_t expires,
                                apr_time_t now)
{
    call_t call;
    apr_status_t status;
    int done = 0;

    if (prepare(&call, baton, kind, key, expires, now) != APR_SUCCESS) {
        return ORP_ENOTFOUND;
    }
    status = run(&done, &call, orp_redis_touch_script, 0);
    if (status == ORP_EFULL) {
        return ORP_ESTORE;      /* no redis that we know says so here */
    }
    return status != APR_SUCCESS || done ? status : ORP_ENOTFOUND;
}

static apr_status_t redis_remove(void *baton, orp_store_kind_e kind,
                                 const char *key)
{
    orp_redis_reply_t *reply;
    call_t call;
    apr_status_t status;

    if (prepare(&call, baton, kind, key, 0, 0) != APR_SUCCESS) {
        return APR_SUCCESS;     /* there can be none */
    }
    begin(&call, "UNLINK", ORP_REDIS_INTEGER);
    orp_redis_arg_text(&call.command, call.key);
    status = ask(&reply, &call);
    if (status == APR_SUCCESS) {
        orp_redis_reply_free(reply);
    }
    return status;
}

/* Redis does that by itself. */
static apr_status_t redis_sweep(void *baton, apr_time_t now)
{
    (void)baton;
    (void)now;
    return APR_SUCCESS;
}

static const orp_store_backend_t backend = {
    .name = "redis",
    .put = redis_put,
    .get = redis_get,
    .claim = redis_claim,
    .take = redis_take,
    .touch = redis_touch,
    .remove = redis_remove,
    .sweep = redis_sweep,
    .stats = orp_store_redis_stats,
    .each = orp_store_redis_each,
};

apr_status_t orp_store_redis_open(orp_store_t **pstore,
                                  const orp_store_place_t *place,
                                  const orp_env_t *env, orp_reason_t *why,
                                  apr_pool_t *pool)
{
    orp_store_redis_t *redis = apr_pcalloc(pool, sizeof(*redis));
    orp_store_t *store = apr_pcalloc(pool, sizeof(*store));
    apr_status_t status;

    if (!orp_redis_available()) {
        return orp_reason_set(why, APR_ENOTIMPL, NULL, "This build has no "
                              "redis: it was compiled without hiredis.");
    }
    redis->place = place;
    status = orp_redis_pool_create(&redis->conns, place, env, why, pool);
    if (status == APR_SUCCESS) {
        store->backend = &backend;
        store->baton = redis;
        *pstore = store;
    }
    return status;
}
