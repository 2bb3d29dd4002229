/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_dbm_record.h - records of a dbm store, in pieces that fit sdbm.
 *
 *   pair 0    hash of (seed, kind, key), 0  ->  head | key, value...
 *   pair 1    the same hash, 1              ->  piece | ...rest of the value
 *   ...
 *
 * The hash is half of a SHA-256. Each piece has a checksum of its own, and
 * the stamp of the record that it belongs to, so that a piece that is damaged,
 * missing, or left of an older value is found and never taken for data.
 */
#ifndef ORP_STORE_DBM_RECORD_H
#define ORP_STORE_DBM_RECORD_H

#include "orp_store_dbm_copy.h"

/** How each piece begins. */
typedef struct orp_dbm_piece_t {
    apr_uint64_t checksum;      /* SipHash, under the seed, of the rest */
    apr_uint32_t stamp;
    unsigned char number;       /* which piece this is */
    unsigned char count;        /* how many there are */
    unsigned char kind;
    unsigned char unused;
} orp_dbm_piece_t;

/** How the first piece begins. */
typedef struct orp_dbm_head_t {
    orp_dbm_piece_t piece;
    apr_time_t expires;
    apr_uint32_t key_size;
    apr_uint32_t value_size;
} orp_dbm_head_t;

/** A record that was found. */
typedef struct orp_dbm_record_t {
    unsigned char hash[ORP_DBM_KEY_SIZE];   /* key of its first pair */
    orp_dbm_head_t head;
    const char *first;          /* the first piece as it is stored */
    apr_size_t first_size;
    const char *key;            /* with a NUL behind it */
    const char *value;          /* with a NUL behind it */
    apr_uint64_t cost;
} orp_dbm_record_t;

/** The key of the first pair of a record. */
ORP_MUST_USE apr_status_t orp_dbm_hash(
    unsigned char hash[ORP_DBM_KEY_SIZE], orp_dbm_t *dbm,
    orp_store_kind_e kind, const char *key);

/** What a record costs of its kind's room, in bytes. */
apr_uint64_t orp_dbm_cost(const orp_dbm_t *dbm, apr_size_t key_size,
                          apr_size_t value_size);

/**
 * Look at the first piece of a record.
 * @param phead  set where the pair is a first piece
 * @return APR_SUCCESS, ORP_ENOTFOUND for other pairs, or ORP_DBM_DAMAGED
 */
ORP_MUST_USE apr_status_t orp_dbm_head(orp_dbm_head_t *phead, orp_dbm_t *dbm,
                                       const unsigned char *key,
                                       apr_size_t key_size,
                                       const void *value, apr_size_t size);

/**
 * Read a record, expired or not, in dbm->scratch.
 * @param hash  of its first pair
 * @return APR_SUCCESS, ORP_ENOTFOUND, or as in orp_store_dbm_files.h
 */
ORP_MUST_USE apr_status_t orp_dbm_record_read(
    orp_dbm_record_t *record, orp_dbm_copy_t *open,
    const unsigned char hash[ORP_DBM_KEY_SIZE]);

/** The changes that store a record, or put it in the place of another one.
 * @param old  or NULL; of the same key */
void orp_dbm_record_put(apr_array_header_t *changes, orp_dbm_t *dbm,
                        const orp_dbm_record_t *record,
                        const orp_dbm_record_t *old);

/** The changes that give a record another expiry. */
void orp_dbm_record_touch(apr_array_header_t *changes, orp_dbm_t *dbm,
                          const orp_dbm_record_t *record,
                          apr_time_t expires);

/** The changes that remove a record. */
void orp_dbm_record_remove(apr_array_header_t *changes,
                           const unsigned char hash[ORP_DBM_KEY_SIZE],
                           const orp_dbm_head_t *head);

/** Look at everything in a copy: is each record whole, can sdbm find it, and
 * are there as many as the counters say? */
ORP_MUST_USE apr_status_t orp_dbm_verify(orp_dbm_t *dbm,
                                         orp_dbm_copy_e copy);

#endif
