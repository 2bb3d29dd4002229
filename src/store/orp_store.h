/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store.h - what several requests, processes and machines share.
 *
 * The key space. Every record has a kind, and each kind has its own room, so
 * that a flood of one cannot push out another:
 *
 *   kind          key                               value          lives for
 *   LOGIN         the KEY of openid_return=KEY      form of it     10 minutes
 *   NONCE         hash of (OP endpoint, nonce)      empty          its window
 *   ASSOCIATION   OP endpoint, or hash of (OP       form of it     what the OP
 *                 endpoint, handle)                                says
 *   SESSION       hash of the cookie's value        form of it     idle time
 *   QUEUE         OP endpoint                       form of it     minutes
 *   CACHE         whatever can be had again         any            minutes
 *
 * Promises, the same for every backend and held by one contract test:
 *
 * - claim() and take() have exactly one winner among all callers, in all
 *   processes, at all times.
 * - A live record is never dropped to make room for another: put() and
 *   claim() return ORP_EFULL instead.
 * - A record whose time has passed is as good as gone, whether or not it has
 *   been swept yet.
 * - A store that fails returns ORP_ESTORE; the caller must then refuse the
 *   login. It works again as soon as what it stands on does.
 * - A process that is killed at any point leaves a usable store.
 *
 * All functions may be called from any thread.
 */
#ifndef ORP_STORE_H
#define ORP_STORE_H

#include <apr_global_mutex.h>
#include <apr_time.h>

#include "orp_status.h"

typedef enum {
    ORP_STORE_LOGIN,
    ORP_STORE_NONCE,
    ORP_STORE_ASSOCIATION,
    ORP_STORE_SESSION,
    ORP_STORE_QUEUE,
    ORP_STORE_CACHE,
    ORP_STORE_KINDS             /* how many there are */
} orp_store_kind_e;

/** The longest key, in bytes; a longer one is ORP_ETOOBIG. */
#define ORP_STORE_KEY_MAX 2048

/** The largest value, in bytes; a larger one is ORP_ETOOBIG. */
#define ORP_STORE_VALUE_MAX (32 * 1024)

typedef struct orp_store_t orp_store_t;

/** What a store tells about one kind. */
typedef struct orp_store_stats_t {
    apr_uint64_t live;          /* records whose time has not passed */
    apr_uint64_t used;          /* bytes, with what they waste */
    apr_uint64_t room;          /* what used can grow to; 0 for no limit */
    apr_uint64_t refused;       /* times that a record found no room */
} orp_store_stats_t;

/** In a member of the statistics: the backend cannot tell. */
#define ORP_STORE_UNKNOWN APR_UINT64_MAX

/**
 * Sees one record of orp_store_each().
 * @param key      until it returns
 * @param size     of the value, in bytes
 * @param expires  when its time has passed
 * @return nonzero to go on
 */
typedef int orp_store_visit_fn(void *baton, const char *key,
                               apr_size_t size, apr_time_t expires);

/**
 * Store a value, replacing what was there under this kind and key. When it
 * fails, what was there before is still there.
 * @param key      any text of 1 to ORP_STORE_KEY_MAX bytes
 * @param value    any bytes; copied; may be NULL where size is 0
 * @param expires  absolute time; must be after now
 * @param now      the caller's clock
 * @return APR_SUCCESS, ORP_EFULL, ORP_ETOOBIG, ORP_ESTORE, or APR_EINVAL
 *         for an empty key or a time that is not after now
 */
ORP_MUST_USE apr_status_t orp_store_put(orp_store_t *store,
                                        orp_store_kind_e kind,
                                        const char *key,
                                        const void *value, apr_size_t size,
                                        apr_time_t expires, apr_time_t now);

/**
 * Read a value.
 * @param pvalue  set on success; a copy in pool, with a NUL behind it
 * @param psize   set on success, without that NUL; may be NULL
 * @return APR_SUCCESS, ORP_ENOTFOUND (also for a key that no record can have:
 *         an empty one, or one that is too long) or ORP_ESTORE
 */
ORP_MUST_USE apr_status_t orp_store_get(const char **pvalue,
                                        apr_size_t *psize,
                                        orp_store_t *store,
                                        orp_store_kind_e kind,
                                        const char *key, apr_time_t now,
                                        apr_pool_t *pool);

/**
 * Insert an empty record, only if there is none of this key.
 * @return APR_SUCCESS for exactly one caller; ORP_EEXISTS for all others
 *         until it expires; ORP_EFULL, ORP_ETOOBIG, ORP_ESTORE or
 *         APR_EINVAL, as with orp_store_put()
 */
ORP_MUST_USE apr_status_t orp_store_claim(orp_store_t *store,
                                          orp_store_kind_e kind,
                                          const char *key,
                                          apr_time_t expires,
                                          apr_time_t now);

/**
 * Read a value and remove it.
 * @return APR_SUCCESS for exactly one caller, ORP_ENOTFOUND for the others,
 *         or ORP_ESTORE
 */
ORP_MUST_USE apr_status_t orp_store_take(const char **pvalue,
                                         apr_size_t *psize,
                                         orp_store_t *store,
                                         orp_store_kind_e kind,
                                         const char *key, apr_time_t now,
                                         apr_pool_t *pool);

/**
 * Give a live record another expiry; its value stays as it is. There is no
 * other way to prolong one that somebody else may be removing at the moment:
 * what was removed does not come back.
 * @param expires  absolute time; must be after now
 * @return APR_SUCCESS, ORP_ENOTFOUND, APR_EINVAL or ORP_ESTORE
 */
ORP_MUST_USE apr_status_t orp_store_touch(orp_store_t *store,
                                          orp_store_kind_e kind,
                                          const char *key,
                                          apr_time_t expires,
                                          apr_time_t now);

/**
 * Remove a record.
 * @return APR_SUCCESS also where there was none, or ORP_ESTORE
 */
ORP_MUST_USE apr_status_t orp_store_remove(orp_store_t *store,
                                           orp_store_kind_e kind,
                                           const char *key);

/** Give back the room of everything that has expired by now. */
ORP_MUST_USE apr_status_t orp_store_sweep(orp_store_t *store,
                                          apr_time_t now);

/** Tell how full one kind is. */
ORP_MUST_USE apr_status_t orp_store_stats(orp_store_stats_t *stats,
                                          orp_store_t *store,
                                          orp_store_kind_e kind,
                                          apr_time_t now);

/**
 * Show all live records of one kind to a function, in no order. A record that
 * comes or goes meanwhile may be shown or not. The function must not use the
 * store.
 * @param scratch  for what is needed meanwhile
 * @return APR_SUCCESS, ORP_ESTORE, or APR_ENOTIMPL where the backend cannot
 *         tell what is in it (shm, memcache)
 */
ORP_MUST_USE apr_status_t orp_store_each(orp_store_t *store,
                                         orp_store_kind_e kind,
                                         apr_time_t now,
                                         orp_store_visit_fn *visit,
                                         void *baton, apr_pool_t *scratch);

/* ---------------------------------------------------------------------- */
/* No store at all */

/**
 * What stands in the place of a store that cannot be had: every operation
 * says ORP_ESTORE, for arguments that would do for a real one. So nobody need
 * ask whether there is a store.
 * @param pool  what the handle lives in
 */
orp_store_t *orp_store_absent(apr_pool_t *pool);

/* ---------------------------------------------------------------------- */
/* Shared memory; orp_store_open.h opens the other ones */

/** The smallest shared memory store, in bytes. */
#define ORP_STORE_SHM_MIN (1024 * 1024)

/**
 * Lay a new, empty store out in a piece of shared memory, or take up the one
 * that is already there. Each kind's room is its orp_store_share().
 * A record that replaces one of at least its size finds room even when its
 * kind is full.
 * @param base    memory that all processes share, aligned as malloc aligns;
 *                it must outlive the store
 * @param size    bytes at base, at least ORP_STORE_SHM_MIN
 * @param fresh   nonzero: forget what is there; 0: take up what a store of
 *                the same size and layout left at base, or start empty
 * @param mutex   guards the segment, in all processes and threads; the
 *                caller gives it to each child (apr_global_mutex_child_init).
 *                It must be of a mechanism that lets go when its holder is
 *                killed (APR's default), and the same one for all that use
 *                the segment at the same time
 * @param pool    what the handle lives in
 * @return APR_SUCCESS, ORP_ESTORE where the lock or the system's random
 *         numbers fail, or APR_EINVAL where size is too small or base is not
 *         aligned
 */
ORP_MUST_USE apr_status_t orp_store_shm_open(orp_store_t **pstore,
                                             void *base, apr_size_t size,
                                             int fresh,
                                             apr_global_mutex_t *mutex,
                                             apr_pool_t *pool);

/* ---------------------------------------------------------------------- */
/* For those who write a backend */

/**
 * The slots mean what the functions above say. Arguments have been checked
 * before (key and value within their ceilings, kind known, expires > now);
 * value and psize are never NULL. An expired record must never be returned,
 * nor keep a claim from winning.
 */
typedef struct orp_store_backend_t {
    const char *name;           /* "shm", "dbm", … */
    apr_status_t (*put)(void *baton, orp_store_kind_e kind, const char *key,
                        const void *value, apr_size_t size,
                        apr_time_t expires, apr_time_t now);
    apr_status_t (*get)(const char **pvalue, apr_size_t *psize, void *baton,
                        orp_store_kind_e kind, const char *key,
                        apr_time_t now, apr_pool_t *pool);
    apr_status_t (*claim)(void *baton, orp_store_kind_e kind,
                          const char *key, apr_time_t expires,
                          apr_time_t now);
    apr_status_t (*take)(const char **pvalue, apr_size_t *psize, void *baton,
                         orp_store_kind_e kind, const char *key,
                         apr_time_t now, apr_pool_t *pool);
    apr_status_t (*touch)(void *baton, orp_store_kind_e kind,
                          const char *key, apr_time_t expires,
                          apr_time_t now);
    apr_status_t (*remove)(void *baton, orp_store_kind_e kind,
                           const char *key);
    apr_status_t (*sweep)(void *baton, apr_time_t now);
    apr_status_t (*stats)(orp_store_stats_t *stats, void *baton,
                          orp_store_kind_e kind, apr_time_t now);

    /** NULL where the backend cannot tell what is in it. */
    apr_status_t (*each)(void *baton, orp_store_kind_e kind, apr_time_t now,
                         orp_store_visit_fn *visit, void *visit_baton,
                         apr_pool_t *scratch);
} orp_store_backend_t;

struct orp_store_t {
    const orp_store_backend_t *backend;
    void *baton;
};

/** The name of a kind, such as "login". */
const char *orp_store_kind_name(orp_store_kind_e kind);

/** What part of a store with a limit is a kind's room, in percent. */
int orp_store_share(orp_store_kind_e kind);

#endif
