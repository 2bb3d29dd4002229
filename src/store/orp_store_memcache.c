/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_memcache.c - a store on memcached servers.
 *
 * A record is an item of one server:
 *
 *   key     PREFIX KIND ":" DIGEST       openid2rp:nonce:9f86d08…
 *   value   EXPIRES (8 bytes, microseconds, big-endian) | DIGEST (32 bytes)
 *           | the record's value
 *
 * DIGEST is the SHA-256 of "KIND:" and the record's key; in the item's key it
 * is hexadecimal. It comes back with the value, so that an answer to another
 * question is never taken for one to this. Its first bytes say which server
 * it is; servers are sorted, so that their order in OpenIDStore is all one.
 *
 * What memcached cannot do, and what becomes of it here:
 *
 * - It drops what was not used for long when its memory is full. Nothing helps
 *   but enough memory. With its option -M it refuses instead: ORP_EFULL.
 * - It expires by its own clock and in whole seconds: up to two seconds later
 *   than the caller. Who reads goes by the caller's clock. Who claims waits
 *   for memcached: to replace what has expired would take a comparison (its
 *   "cas"), and without it two could win.
 * - touch() reads and replaces. A put() of another caller between the two is
 *   lost; a removal is not.
 * - take() reads and deletes; who deletes, has won. When another takes the
 *   record and puts a new one between the two, it is the new one that goes.
 *   No key of a record that is taken is used again, so this does not happen.
 */

#include <stdlib.h>
#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include "orp_crypto.h"
#include "orp_store_memcache_server.h"
#include "orp_store_open.h"

#define DIGEST 32                       /* bytes */
#define HEADER (8 + DIGEST)
#define ITEM_KEY_MAX 250                /* memcached's */
#define RELATIVE_MAX (30 * 24 * 3600)   /* seconds; more are a date */
#define PUT_TRIES 8

typedef struct memcache_t {
    const char *prefix;
    orp_memcached_t **servers;
    apr_size_t count;
} memcache_t;

/* A record, as it is kept. */
typedef struct record_t {
    orp_memcached_t *server;
    unsigned char digest[DIGEST];
    char key[ITEM_KEY_MAX + 1];
    orp_memcached_item_t item;
} record_t;

/* ---------------------------------------------------------------------- */
/* Records and items */

static apr_status_t record_find(record_t *record,
                                const memcache_t *memcache,
                                orp_store_kind_e kind, const char *key)
{
    static const char digits[] = "0123456789abcdef";
    const char *name = orp_store_kind_name(kind);
    char text[ORP_STORE_KEY_MAX + 32];
    unsigned char digest[DIGEST] = { 0 };
    apr_uint32_t number;
    char *end;
    int i;

    apr_snprintf(text, sizeof(text), "%s:%s", name, key);
    if (orp_digest(digest, ORP_SHA256, text, strlen(text)) != APR_SUCCESS) {
        return ORP_ESTORE;
    }
    memcpy(record->digest, digest, DIGEST);
    end = record->key
        + apr_snprintf(record->key, sizeof(record->key) - 2 * DIGEST,
                       "%s%s:", memcache->prefix, name);
    for (i = 0; i < DIGEST; i++) {
        *end++ = digits[digest[i] >> 4];
        *end++ = digits[digest[i] & 15];
    }
    *end = '\0';
    memset(&record->item, 0, sizeof(record->item));
    record->item.key = record->key;
    number = (apr_uint32_t)digest[0] << 24 | (apr_uint32_t)digest[1] << 16
        | (apr_uint32_t)digest[2] << 8 | digest[3];
    record->server = memcache->servers[number % memcache->count];
    return APR_SUCCESS;
}

/* In seconds from now up to 30 days, else a date; 0, for ever, where that is
 * more than memcached can read: the header still ends it. */
static apr_uint32_t lifetime_of(apr_interval_time_t left)
{
    apr_int64_t seconds = left / APR_USEC_PER_SEC + 1
        + (left % APR_USEC_PER_SEC != 0);

    if (seconds <= RELATIVE_MAX) {
        return (apr_uint32_t)seconds;
    }
    seconds += apr_time_sec(apr_time_now());
    return seconds <= APR_INT32_MAX ? (apr_uint32_t)seconds : 0;
}

static void write_header(char *header, const record_t *record,
                         apr_time_t expires)
{
    int i;

    for (i = 0; i < 8; i++) {
        header[i] = (char)((apr_uint64_t)expires >> (8 * (7 - i)));
    }
    memcpy(header + 8, record->digest, DIGEST);
}

static apr_time_t expires_of(const char *header)
{
    apr_uint64_t expires = 0;
    int i;

    for (i = 0; i < 8; i++) {
        expires = expires << 8 | (unsigned char)header[i];
    }
    return (apr_time_t)expires;
}

static void set_item(record_t *record, char *item, apr_size_t size,
                     apr_time_t expires, apr_time_t now)
{
    write_header(item, record, expires);
    record->item.bytes = item;
    record->item.size = size;
    record->item.lifetime = lifetime_of(expires - now);
}

/* ---------------------------------------------------------------------- */
/* Operations */

/* An item that was read must belong to the record that was asked for. */
static int fits(const orp_memcached_item_t *item, const void *digest)
{
    return item->size >= HEADER && !memcmp(item->bytes + 8, digest, DIGEST);
}

static apr_status_t run(record_t *record, orp_memcached_e what,
                        apr_pool_t *pool)
{
    return orp_memcached_run(record->server, what, &record->item, fits,
                             record->digest, pool);
}

/* Not by memcached's "set": where that finds no room, it removes what was
 * there before. */
static apr_status_t write_item(record_t *record)
{
    apr_status_t status = APR_SUCCESS;
    int i;

    for (i = 0; i < PUT_TRIES; i++) {
        status = run(record, ORP_MEMCACHED_ADD, NULL);
        if (status == ORP_EEXISTS) {
            status = run(record, ORP_MEMCACHED_REPLACE, NULL);
        }
        if (status != ORP_ENOTFOUND) {
            return status;
        }
    }
    return ORP_ESTORE;          /* others put and remove it all the time */
}

static apr_status_t memcache_put(void *baton, orp_store_kind_e kind,
                                 const char *key, const void *value,
                                 apr_size_t size, apr_time_t expires,
                                 apr_time_t now)
{
    record_t record;
    apr_status_t status = record_find(&record, baton, kind, key);
    char *item;

    if (status != APR_SUCCESS) {
        return status;
    }
    item = malloc(HEADER + size);
    if (!item) {
        return ORP_ESTORE;
    }
    memcpy(item + HEADER, value, size);
    set_item(&record, item, HEADER + size, expires, now);
    status = write_item(&record);
    orp_cleanse(item, HEADER + size);
    free(item);
    return status;
}

/* Read what is alive. */
static apr_status_t read_item(record_t *record, apr_time_t now,
                              apr_pool_t *pool)
{
    apr_status_t status = run(record, ORP_MEMCACHED_GET, pool);

    return status == APR_SUCCESS && expires_of(record->item.bytes) <= now
        ? ORP_ENOTFOUND : status;
}

static apr_status_t memcache_get(const char **pvalue, apr_size_t *psize,
                                 void *baton, orp_store_kind_e kind,
                                 const char *key, apr_time_t now,
                                 apr_pool_t *pool)
{
    record_t record;
    apr_status_t status = record_find(&record, baton, kind, key);

    if (status == APR_SUCCESS) {
        status = read_item(&record, now, pool);
    }
    if (status == APR_SUCCESS) {
        *pvalue = record.item.bytes + HEADER;
        *psize = record.item.size - HEADER;
    }
    return status;
}

static apr_status_t memcache_claim(void *baton, orp_store_kind_e kind,
                                   const char *key, apr_time_t expires,
                                   apr_time_t now)
{
    char item[HEADER];
    record_t record;
    apr_status_t status = record_find(&record, baton, kind, key);

    if (status == APR_SUCCESS) {
        set_item(&record, item, sizeof(item), expires, now);
        status = run(&record, ORP_MEMCACHED_ADD, NULL);
    }
    return status;
}

static apr_status_t memcache_take(const char **pvalue, apr_size_t *psize,
                                  void *baton, orp_store_kind_e kind,
                                  const char *key, apr_time_t now,
                                  apr_pool_t *pool)
{
    record_t record;
    apr_status_t status = record_find(&record, baton, kind, key);

    if (status == APR_SUCCESS) {
        status = read_item(&record, now, pool);
    }
    if (status == APR_SUCCESS) {
        status = run(&record, ORP_MEMCACHED_DELETE, NULL);
    }
    if (status == APR_SUCCESS) {
        *pvalue = record.item.bytes + HEADER;
        *psize = record.item.size - HEADER;
    }
    return status;
}

static apr_status_t memcache_touch(void *baton, orp_store_kind_e kind,
                                   const char *key, apr_time_t expires,
                                   apr_time_t now)
{
    record_t record;
    apr_pool_t *pool;
    apr_status_t status = record_find(&record, baton, kind, key);

    if (status != APR_SUCCESS) {
        return status;
    }
    apr_pool_create(&pool, NULL);
    status = read_item(&record, now, pool);
    if (status == APR_SUCCESS) {
        orp_memcached_item_t *item = &record.item;
        int longer = expires >= expires_of(item->bytes);

        set_item(&record, item->bytes, item->size, expires, now);
        status = run(&record, ORP_MEMCACHED_REPLACE, NULL);
        orp_cleanse(item->bytes, item->size);
        if (status == ORP_EFULL) {
            /* it goes on living, if only for as long as it would have */
            status = longer ? APR_SUCCESS : ORP_ESTORE;
        }
    }
    apr_pool_destroy(pool);
    return status;
}

static apr_status_t memcache_remove(void *baton, orp_store_kind_e kind,
                                    const char *key)
{
    record_t record;
    apr_status_t status = record_find(&record, baton, kind, key);

    if (status == APR_SUCCESS) {
        status = run(&record, ORP_MEMCACHED_DELETE, NULL);
    }
    return status == ORP_ENOTFOUND ? APR_SUCCESS : status;
}

static apr_status_t memcache_sweep(void *baton, apr_time_t now)
{
    (void)baton;
    (void)now;
    return APR_SUCCESS;
}

static apr_status_t memcache_stats(orp_store_stats_t *stats, void *baton,
                                   orp_store_kind_e kind, apr_time_t now)
{
    (void)baton;
    (void)kind;
    (void)now;
    stats->live = ORP_STORE_UNKNOWN;
    stats->used = ORP_STORE_UNKNOWN;
    stats->room = ORP_STORE_UNKNOWN;
    stats->refused = ORP_STORE_UNKNOWN;
    return APR_SUCCESS;
}

static const orp_store_backend_t memcache_backend = {
    "memcache", memcache_put, memcache_get, memcache_claim, memcache_take,
    memcache_touch, memcache_remove, memcache_sweep, memcache_stats, NULL
};

/* ---------------------------------------------------------------------- */
/* Opening */

static int by_address(const void *a, const void *b)
{
    const orp_place_server_t *one = a;
    const orp_place_server_t *other = b;
    int order = apr_cstr_casecmp(one->host, other->host);

    return order ? order : (int)one->port - (int)other->port;
}

static apr_status_t open_servers(memcache_t *memcache,
                                 const orp_store_place_t *place,
                                 const orp_env_t *env, apr_pool_t *pool)
{
    const apr_array_header_t *sorted = apr_array_copy(pool, place->servers);
    orp_place_server_t *places = (void *)sorted->elts;
    apr_status_t status = APR_SUCCESS;
    apr_size_t i;

    memcache->count = (apr_size_t)sorted->nelts;
    memcache->servers = apr_pcalloc(pool, memcache->count
                                    * sizeof(orp_memcached_t *));
    qsort(places, memcache->count, sizeof(*places), by_address);
    for (i = 0; i < memcache->count && status == APR_SUCCESS; i++) {
        status = orp_memcached_create(&memcache->servers[i], &places[i], env,
                                      pool);
    }
    return status;
}

apr_status_t orp_store_memcache_open(orp_store_t **pstore,
                                     const orp_store_place_t *place,
                                     const orp_env_t *env, orp_reason_t *why,
                                     apr_pool_t *pool)
{
    memcache_t *memcache = apr_pcalloc(pool, sizeof(*memcache));
    orp_store_t *store = apr_pcalloc(pool, sizeof(*store));
    apr_status_t status = open_servers(memcache, place, env, pool);

    if (status != APR_SUCCESS) {
        return orp_reason_set(why, status, place->shown,
                              "The store %s cannot be prepared.",
                              place->shown);
    }
    memcache->prefix = place->prefix;
    store->backend = &memcache_backend;
    store->baton = memcache;
    *pstore = store;
    return APR_SUCCESS;
}

apr_status_t orp_store_memcache_check(const orp_store_place_t *place,
                                      const orp_env_t *env,
                                      orp_reason_t *why, apr_pool_t *pool)
{
    const orp_place_server_t *servers = (void *)place->servers->elts;
    int i;

    (void)why;
    orp_log(env, ORP_LOG_WARN, 315, pool,
            "store: %s: memcached may drop live sessions, logins and nonces "
            "when its memory is full, which makes replays easier; give it "
            "enough memory and start it with -M, or use redis",
            place->shown);
    for (i = 0; i < place->servers->nelts; i++) {
        const char *wrong;

        if (orp_memcached_ask(&wrong, &servers[i], pool) != APR_SUCCESS) {
            orp_log(env, ORP_LOG_WARN, 316, pool,
                    "store: %s cannot be used now: %s; logins whose records "
                    "are there fail until it can",
                    orp_memcached_shown(&servers[i], pool), wrong);
        }
    }
    return APR_SUCCESS;
}
