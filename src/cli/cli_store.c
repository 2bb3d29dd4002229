/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "cli_commands.h"

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "cli_world.h"
#include "orp_json.h"
#include "orp_store.h"
#include "orp_store_open.h"

#define KIND_NAMES "login, nonce, association, session, queue and cache"

/* One call. */
typedef struct {
    const cli_options_t *options;
    orp_env_t *env;
    int kind;                   /* orp_store_kind_e, or -1: not named */
    orp_reason_t *why;
    apr_pool_t *pool;
} call_t;

typedef struct {
    const char *name;
    int takes_kind;
    apr_status_t (*run)(const call_t *call);
} action_t;

static int as_json(const call_t *call)
{
    return (call->options->given & CLI_JSON) != 0;
}

/* The index-th operand, or NULL. */
static const char *operand(const cli_options_t *options, int index)
{
    return index < options->operands->nelts
        ? APR_ARRAY_IDX(options->operands, index, const char *) : NULL;
}

/* @return -1 where there is no such kind */
static int find_kind(const char *name)
{
    int kind;

    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        if (!strcmp(name, orp_store_kind_name((orp_store_kind_e)kind))) {
            return kind;
        }
    }
    return -1;
}

static const char *name_json(int kind, apr_pool_t *pool)
{
    return orp_json_string(orp_store_kind_name((orp_store_kind_e)kind),
                           pool);
}

/* ---------------------------------------------------------------------- */
/* stats */

/* A number, or what stands for one that nobody knows. */
static const char *number(apr_uint64_t value, const char *unknown,
                          apr_pool_t *pool)
{
    return value == ORP_STORE_UNKNOWN ? unknown
        : apr_psprintf(pool, "%" APR_UINT64_T_FMT, value);
}

static const char *stats_json(int kind, const orp_store_stats_t *stats,
                              apr_pool_t *pool)
{
    apr_array_header_t *members = apr_array_make(pool, 5,
                                                 sizeof(const char *));

    orp_json_member(members, "kind", name_json(kind, pool), pool);
    orp_json_member(members, "live", number(stats->live, "null", pool),
                    pool);
    orp_json_member(members, "used", number(stats->used, "null", pool),
                    pool);
    orp_json_member(members, "room", number(stats->room, "null", pool),
                    pool);
    orp_json_member(members, "refused",
                    number(stats->refused, "null", pool), pool);
    return orp_json_object(members, pool);
}

static void print_stats_json(const orp_store_stats_t *stats,
                             apr_pool_t *pool)
{
    apr_array_header_t *members = apr_array_make(pool, 1,
                                                 sizeof(const char *));
    apr_array_header_t *items = apr_array_make(pool, ORP_STORE_KINDS,
                                               sizeof(const char *));
    int kind;

    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        APR_ARRAY_PUSH(items, const char *) = stats_json(kind, &stats[kind],
                                                         pool);
    }
    orp_json_member(members, "kinds", orp_json_array(items, pool), pool);
    cli_json(orp_json_object(members, pool), pool);
}

static void print_stats(const orp_store_stats_t *stats, apr_pool_t *pool)
{
    static const char line[] = "%-12s%10s%14s%14s%10s\n";
    int kind;

    printf(line, "kind", "live", "used", "room", "refused");
    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        printf(line, orp_store_kind_name((orp_store_kind_e)kind),
               number(stats[kind].live, "-", pool),
               number(stats[kind].used, "-", pool),
               number(stats[kind].room, "-", pool),
               number(stats[kind].refused, "-", pool));
    }
}

static apr_status_t show_stats(const call_t *call)
{
    orp_store_stats_t stats[ORP_STORE_KINDS];
    apr_time_t now = orp_env_now(call->env);
    int kind;

    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        apr_status_t status = orp_store_stats(&stats[kind], call->env->store,
                                              (orp_store_kind_e)kind, now);

        if (status != APR_SUCCESS) {
            return status;
        }
        if (stats[kind].room == 0) {    /* no limit */
            stats[kind].room = ORP_STORE_UNKNOWN;
        }
    }
    if (as_json(call)) {
        print_stats_json(stats, call->pool);
    }
    else {
        print_stats(stats, call->pool);
    }
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* list: each record is printed when it is seen, for there may be millions */

#define LIST_BEGIN "{\"records\": ["
#define LIST_END "]}"

typedef struct {
    int json;
    int kind;
    int count;
    apr_pool_t *pool;           /* cleared for each record */
} listing_t;

static int list_one(void *baton, const char *key, apr_size_t size,
                    apr_time_t expires)
{
    listing_t *listing = baton;
    apr_pool_t *pool = listing->pool;
    apr_array_header_t *members;
    apr_time_exp_t t;
    const char *when;

    apr_pool_clear(pool);
    apr_time_exp_gmt(&t, expires);
    when = apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02dZ",
                        t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                        t.tm_min, t.tm_sec);
    listing->count++;
    if (!listing->json) {
        puts(apr_psprintf(pool, "%s %s %" APR_SIZE_T_FMT " %s",
                          orp_store_kind_name(
                              (orp_store_kind_e)listing->kind),
                          when, size, cli_printable(key, pool)));
        return 1;
    }
    members = apr_array_make(pool, 4, sizeof(const char *));
    orp_json_member(members, "kind", name_json(listing->kind, pool), pool);
    orp_json_member(members, "key", orp_json_string(key, pool), pool);
    orp_json_member(members, "bytes",
                    apr_psprintf(pool, "%" APR_SIZE_T_FMT, size), pool);
    orp_json_member(members, "expires", orp_json_string(when, pool), pool);
    printf("%s%s", listing->count > 1 ? ", " : LIST_BEGIN,
           cli_printable(orp_json_object(members, pool), pool));
    return 1;
}

static apr_status_t list(const call_t *call)
{
    listing_t listing = { as_json(call), 0, 0, NULL };
    apr_status_t status = apr_pool_create(&listing.pool, call->pool);
    int only = call->kind;

    for (; status == APR_SUCCESS && listing.kind < ORP_STORE_KINDS;
         listing.kind++) {
        if (only < 0 || listing.kind == only) {
            status = orp_store_each(call->env->store,
                                    (orp_store_kind_e)listing.kind,
                                    orp_env_now(call->env), list_one,
                                    &listing, call->pool);
        }
    }
    if (listing.json && (status == APR_SUCCESS || listing.count > 0)) {
        puts(listing.count > 0 ? LIST_END : LIST_BEGIN LIST_END);
    }
    return status;
}

/* ---------------------------------------------------------------------- */
/* purge */

/* @param text  for people, where there is no JSON */
static void say_purged(const call_t *call, const char *name,
                       apr_uint64_t value, const char *text)
{
    apr_array_header_t *members = apr_array_make(call->pool, 1,
                                                 sizeof(const char *));

    if (as_json(call)) {
        orp_json_member(members, name, number(value, "null", call->pool),
                        call->pool);
        cli_json(orp_json_object(members, call->pool), call->pool);
    }
    else {
        puts(text);
    }
}

/* What all kinds use, or ORP_STORE_UNKNOWN. */
static apr_uint64_t all_used(const call_t *call)
{
    apr_uint64_t used = 0;
    int kind;

    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        orp_store_stats_t stats;

        if (orp_store_stats(&stats, call->env->store, (orp_store_kind_e)kind,
                            orp_env_now(call->env)) != APR_SUCCESS
            || stats.used == ORP_STORE_UNKNOWN) {
            return ORP_STORE_UNKNOWN;
        }
        used += stats.used;
    }
    return used;
}

static apr_status_t purge_expired(const call_t *call)
{
    apr_uint64_t before = all_used(call);
    apr_status_t status = orp_store_sweep(call->env->store,
                                          orp_env_now(call->env));
    apr_uint64_t after = all_used(call);
    apr_uint64_t freed = before > after ? before - after : 0;

    if (status != APR_SUCCESS) {
        return status;
    }
    if (before == ORP_STORE_UNKNOWN || after == ORP_STORE_UNKNOWN) {
        say_purged(call, "freed", ORP_STORE_UNKNOWN,
                   "what has expired takes no room now");
        return APR_SUCCESS;
    }
    say_purged(call, "freed", freed,
               apr_psprintf(call->pool, "%" APR_UINT64_T_FMT " bytes of "
                            "expired records were freed", freed));
    return APR_SUCCESS;
}

static int keep_key(void *baton, const char *key, apr_size_t size,
                    apr_time_t expires)
{
    apr_array_header_t *keys = baton;

    (void)size;
    (void)expires;
    APR_ARRAY_PUSH(keys, const char *) = apr_pstrdup(keys->pool, key);
    return 1;
}

static apr_status_t purge(const call_t *call)
{
    apr_array_header_t *keys = apr_array_make(call->pool, 64,
                                              sizeof(const char *));
    orp_store_kind_e kind = (orp_store_kind_e)call->kind;
    apr_status_t status;
    int i;

    if (call->kind < 0) {
        return purge_expired(call);
    }
    if (kind == ORP_STORE_NONCE) {
        return orp_reason_set(call->why, APR_EINVAL, "nonce",
                              "Nonces are not purged: an answer of a "
                              "provider that has signed somebody in could "
                              "then do so once more. They expire in "
                              "minutes.");
    }
    status = orp_store_each(call->env->store, kind, orp_env_now(call->env),
                            keep_key, keys, call->pool);
    for (i = 0; status == APR_SUCCESS && i < keys->nelts; i++) {
        status = orp_store_remove(call->env->store, kind,
                                  APR_ARRAY_IDX(keys, i, const char *));
    }
    if (status == APR_SUCCESS) {
        say_purged(call, "removed", (apr_uint64_t)keys->nelts,
                   apr_psprintf(call->pool, keys->nelts == 1
                                ? "%d record was removed"
                                : "%d records were removed", keys->nelts));
    }
    return status;
}

/* ---------------------------------------------------------------------- */

static const action_t actions[] = {
    { "stats", 0, show_stats },
    { "list", 1, list },
    { "purge", 1, purge },
};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static const action_t *find_action(const char *name)
{
    apr_size_t i;

    for (i = 0; name && i < ACTIONS; i++) {
        if (!strcmp(actions[i].name, name)) {
            return &actions[i];
        }
    }
    return NULL;
}

apr_status_t cli_store_check(const cli_options_t *options, orp_reason_t *why,
                             apr_pool_t *pool)
{
    const char *name = operand(options, 0), *kind = operand(options, 1);
    const action_t *action = find_action(name);

    (void)pool;
    if (!action) {
        return orp_reason_set(why, APR_EINVAL, name,
                              "\"%s\" cannot be done to a store; stats, list "
                              "and purge can.", name);
    }
    if (kind && !action->takes_kind) {
        return orp_reason_set(why, APR_EINVAL, kind,
                              "%s shows all kinds of records, and takes no "
                              "\"%s\".", name, kind);
    }
    if (kind && find_kind(kind) < 0) {
        return orp_reason_set(why, APR_EINVAL, kind,
                              "\"%s\" is not a kind of records; they are "
                              KIND_NAMES ".", kind);
    }
    return APR_SUCCESS;
}

/* A mistyped name must not show an empty store, nor make one. */
static apr_status_t find_store(const call_t *call)
{
    const orp_store_place_t *place = call->options->store;

    if (place->type != ORP_PLACE_DBM
        || orp_store_dbm_is_there(place, call->pool)) {
        return APR_SUCCESS;
    }
    return orp_reason_set(call->why, ORP_ESTORE, place->path,
                          "There is no store %s: %s.state is missing.",
                          place->shown, place->path);
}

int cli_store(const cli_options_t *options, apr_pool_t *pool)
{
    const char *kind = operand(options, 1);
    const action_t *action = find_action(operand(options, 0));
    call_t call = { options, NULL, kind ? find_kind(kind) : -1,
                    orp_reason_create(pool), pool };
    apr_status_t status = cli_world_create(&call.env, options, call.why,
                                           pool);

    if (status == APR_SUCCESS) {
        status = find_store(&call);
    }
    if (status == APR_SUCCESS) {
        /* Without, cli_store_check() has refused the call. */
        status = action ? action->run(&call) : APR_EINVAL;
    }
    return status == APR_SUCCESS ? CLI_OK
        : cli_refuse_store(status, options, call.why, pool);
}
