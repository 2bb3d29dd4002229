/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_redis.h - the store in a redis server (6.2 or later, or Valkey):
 * what the files of this backend share.
 *
 * A record is one of redis's strings:
 *
 *   key     place->prefix | name of the kind | ":" | key
 *   value   when it expires: 8 bytes, microseconds, big-endian | value
 *
 * Whether a record has expired is decided by these 8 bytes and the caller's
 * clock, so that all backends give the same answers. Redis's own expiry comes
 * a second later, and only cleans up.
 */
#ifndef ORP_STORE_REDIS_H
#define ORP_STORE_REDIS_H

#include "orp_store.h"
#include "orp_store_redis_pool.h"

/** The size of what stands before a value, in bytes. */
#define ORP_REDIS_HEAD 8

/** The handle behind an orp_store_t. */
typedef struct orp_store_redis_t {
    orp_redis_pool_t *conns;
    const orp_store_place_t *place;
} orp_store_redis_t;

/** Write the head of a value; out has ORP_REDIS_HEAD bytes. */
void orp_redis_head_write(unsigned char *out, apr_time_t expires);

/**
 * Read the head of a value.
 * @return when it expires; 0, so long ago, where this is no record of ours
 */
apr_time_t orp_redis_head_read(const char *bytes, apr_size_t size);

/** The slots that go through all keys. */
apr_status_t orp_store_redis_stats(orp_store_stats_t *stats, void *baton,
                                   orp_store_kind_e kind, apr_time_t now);
apr_status_t orp_store_redis_each(void *baton, orp_store_kind_e kind,
                                  apr_time_t now, orp_store_visit_fn *visit,
                                  void *visit_baton, apr_pool_t *scratch);

/** The scripts: KEYS[1] is the key, ARGV[1] a head, ARGV[2] a head that says
 * what time it is, ARGV[3] how long redis keeps the key, in milliseconds. They
 * return 1 where they have claimed or touched it, else 0. */
extern const char orp_redis_claim_script[];
extern const char orp_redis_touch_script[];

#endif
