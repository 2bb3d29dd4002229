/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_redis_scan.c - going through all records of a kind.
 *
 * Redis shows its keys in pages, one SCAN each, and may show a key twice; so
 * what was seen is remembered. For each page the heads of its records are
 * fetched in one go. Each page has a deadline of its own: there can be any
 * number of them. All keys of the database are looked at, also those of
 * others.
 */

#include "orp_store_redis.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

/* How many keys redis looks at for a page, or some more. */
#define PAGE "1000"

typedef struct scan_t {
    orp_store_redis_t *redis;
    apr_time_t now;
    const char *pattern;
    apr_size_t skip;            /* what a key begins with, in bytes */
    const char *cursor;
    apr_hash_t *seen;           /* key -> "" */
    apr_pool_t *pool;
    orp_store_visit_fn *visit;
    void *baton;
    int stopped;                /* by the visitor */
} scan_t;

/* "prefix" + "kind:" + "*", where what is special in the prefix is not. */
static const char *make_pattern(const char *begin, apr_pool_t *pool)
{
    char *pattern = apr_palloc(pool, 2 * strlen(begin) + 2);
    char *out = pattern;

    for (; *begin; begin++) {
        if (strchr("*?[]\\", *begin)) {
            *out++ = '\\';
        }
        *out++ = *begin;
    }
    *out++ = '*';
    *out = '\0';
    return pattern;
}

/* The keys of a page that were not seen before, as texts. Is it a page? */
static int read_page(apr_array_header_t *keys, scan_t *scan,
                     const orp_redis_reply_t *reply)
{
    const orp_redis_reply_t *list;
    apr_size_t size;
    apr_size_t i;

    if (orp_redis_members(reply) != 2) {
        return 0;
    }
    list = orp_redis_member(reply, 1);
    if (orp_redis_type(orp_redis_member(reply, 0)) != ORP_REDIS_STRING
        || orp_redis_type(list) != ORP_REDIS_ARRAY) {
        return 0;
    }
    scan->cursor = apr_pstrdup(scan->pool, orp_redis_string(
                                   &size, orp_redis_member(reply, 0)));
    for (i = 0; i < orp_redis_members(list); i++) {
        const char *key = orp_redis_string(&size, orp_redis_member(list, i));

        /* What has a NUL in it is not from here. */
        if (size <= scan->skip || strlen(key) != size
            || apr_hash_get(scan->seen, key, (apr_ssize_t)size)) {
            continue;
        }
        key = apr_pstrmemdup(scan->pool, key, size);
        apr_hash_set(scan->seen, key, (apr_ssize_t)size, "");
        APR_ARRAY_PUSH(keys, const char *) = key;
    }
    return 1;
}

static apr_status_t next_page(apr_array_header_t *keys, scan_t *scan)
{
    orp_redis_command_t command = { .want = ORP_REDIS_ARRAY };
    orp_redis_reply_t *reply;
    apr_status_t status;
    int good;

    orp_redis_arg_text(&command, "SCAN");
    orp_redis_arg_text(&command, scan->cursor);
    orp_redis_arg_text(&command, "MATCH");
    orp_redis_arg_text(&command, scan->pattern);
    orp_redis_arg_text(&command, "COUNT");
    orp_redis_arg_text(&command, PAGE);
    orp_redis_arg_text(&command, "TYPE");
    orp_redis_arg_text(&command, "string");
    status = orp_redis_ask(&reply, scan->redis->conns, &command, 1,
                           orp_redis_deadline(scan->redis->conns));
    if (status != APR_SUCCESS) {
        return ORP_ESTORE;
    }
    good = read_page(keys, scan, reply);
    orp_redis_reply_free(reply);
    return good ? APR_SUCCESS : ORP_ESTORE;
}

/* Two commands for each key: its head, and its size. */
static orp_redis_command_t *make_questions(const apr_array_header_t *keys,
                                           apr_pool_t *pool)
{
    orp_redis_command_t *commands = apr_pcalloc(
        pool, 2 * (apr_size_t)keys->nelts * sizeof(*commands));
    int i;

    for (i = 0; i < keys->nelts; i++) {
        const char *key = APR_ARRAY_IDX(keys, i, const char *);
        orp_redis_command_t *head = &commands[2 * i];
        orp_redis_command_t *length = &commands[2 * i + 1];

        head->want = ORP_REDIS_STRING;
        orp_redis_arg_text(head, "GETRANGE");
        orp_redis_arg_text(head, key);
        orp_redis_arg_text(head, "0");
        orp_redis_arg_text(head, "7");
        length->want = ORP_REDIS_INTEGER;
        orp_redis_arg_text(length, "STRLEN");
        orp_redis_arg_text(length, key);
    }
    return commands;
}

static void show(scan_t *scan, const char *key,
                 const orp_redis_reply_t *head,
                 const orp_redis_reply_t *length)
{
    apr_size_t size;
    const char *bytes = orp_redis_string(&size, head);
    apr_time_t expires = orp_redis_head_read(bytes, size);
    apr_int64_t whole = orp_redis_integer(length);

    /* It may have gone between the two. */
    if (!scan->stopped && expires > scan->now && whole >= ORP_REDIS_HEAD) {
        scan->stopped = !scan->visit(scan->baton, key + scan->skip,
                                     (apr_size_t)whole - ORP_REDIS_HEAD,
                                     expires);
    }
}

static apr_status_t show_page(scan_t *scan, const apr_array_header_t *keys,
                              apr_pool_t *pool)
{
    int count = 2 * keys->nelts;
    orp_redis_command_t *commands = make_questions(keys, pool);
    orp_redis_reply_t **replies = apr_pcalloc(
        pool, (apr_size_t)count * sizeof(orp_redis_reply_t *));
    apr_status_t status;
    int i;

    if (count == 0) {
        return APR_SUCCESS;
    }
    status = orp_redis_ask(replies, scan->redis->conns, commands, count,
                           orp_redis_deadline(scan->redis->conns));
    if (status != APR_SUCCESS) {
        return ORP_ESTORE;
    }
    for (i = 0; i < keys->nelts; i++) {
        show(scan, APR_ARRAY_IDX(keys, i, const char *), replies[2 * i],
             replies[2 * i + 1]);
    }
    for (i = 0; i < count; i++) {
        orp_redis_reply_free(replies[i]);
    }
    return APR_SUCCESS;
}

static apr_status_t scan_all(scan_t *scan)
{
    apr_pool_t *page;
    apr_status_t status = apr_pool_create(&page, scan->pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    scan->cursor = "0";
    do {
        apr_array_header_t *keys = apr_array_make(page, 1000,
                                                  sizeof(const char *));

        status = next_page(keys, scan);
        if (status == APR_SUCCESS) {
            status = show_page(scan, keys, page);
        }
        apr_pool_clear(page);
    } while (status == APR_SUCCESS && !scan->stopped
             && strcmp(scan->cursor, "0") != 0);
    return status;
}

apr_status_t orp_store_redis_each(void *baton, orp_store_kind_e kind,
                                  apr_time_t now, orp_store_visit_fn *visit,
                                  void *visit_baton, apr_pool_t *scratch)
{
    orp_store_redis_t *redis = baton;
    scan_t scan = { .redis = redis, .now = now, .visit = visit,
                    .baton = visit_baton };
    const char *begin = apr_pstrcat(scratch, redis->place->prefix,
                                    orp_store_kind_name(kind), ":", NULL);
    apr_status_t status = orp_store_subpool(&scan.pool, scratch);

    if (status != APR_SUCCESS) {
        return status;
    }
    scan.pattern = make_pattern(begin, scratch);
    scan.skip = strlen(begin);
    scan.seen = apr_hash_make(scan.pool);
    status = scan_all(&scan);
    apr_pool_destroy(scan.pool);
    return status;
}

static int count_one(void *baton, const char *key, apr_size_t size,
                     apr_time_t expires)
{
    apr_uint64_t *count = baton;

    (void)key;
    (void)size;
    (void)expires;
    ++*count;
    return 1;
}

/* Memory is one for all kinds, and for what else is in that server. */
apr_status_t orp_store_redis_stats(orp_store_stats_t *stats, void *baton,
                                   orp_store_kind_e kind, apr_time_t now)
{
    apr_uint64_t live = 0;
    apr_pool_t *scratch;
    apr_status_t status = orp_store_subpool(&scratch, NULL);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = orp_store_redis_each(baton, kind, now, count_one, &live,
                                  scratch);
    apr_pool_destroy(scratch);
    if (status == APR_SUCCESS) {
        stats->live = live;
        stats->used = ORP_STORE_UNKNOWN;
        stats->room = ORP_STORE_UNKNOWN;
        stats->refused = ORP_STORE_UNKNOWN;
    }
    return status;
}
