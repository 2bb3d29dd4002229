/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_dbm_copy.h - one copy of a dbm store: pairs of bytes in sdbm.
 *
 * All that we know of sdbm is here and in orp_store_dbm_copy.c. A database is
 * made of pages of equal size (1024 bytes in APR-util 1.x) at places that a
 * hash of the key chooses. A page that is full is split by one more bit of the
 * hash; sdbm gives up when ten splits in a row leave all pairs on one side.
 * Four pairs always fit a page, so that nobody lives to see that. The files
 * have holes: their size is many times what they take of the disk.
 *
 *   count | offset, offset... ->   free   <- ...value 2, key 2, value 1, key 1
 *
 * Offsets and their count are 16 bits. The walk reads pages by itself: it can
 * go on at any page, and trusts none, while sdbm follows a broken offset to
 * wherever that leads.
 */
#ifndef ORP_STORE_DBM_COPY_H
#define ORP_STORE_DBM_COPY_H

#include "orp_store_dbm_files.h"

/** How many bytes a value may have, beside a key of ORP_DBM_KEY_SIZE. */
#define ORP_DBM_VALUE_MAX(page_size) ((apr_size_t)(page_size) / 4 - 24)

/** The key of a pair: 16 bytes of a hash, and which piece of a record. */
#define ORP_DBM_KEY_SIZE 17

/** What a pair needs beside key and value: two offsets. */
#define ORP_DBM_PAIR_WASTE 4

typedef struct orp_dbm_copy_t orp_dbm_copy_t;

/** A pair to be stored, or removed where value is NULL. */
typedef struct orp_dbm_change_t {
    unsigned char key[ORP_DBM_KEY_SIZE];
    const void *value;
    apr_size_t size;
} orp_dbm_change_t;

/** Open a copy that is there. @param writable  else it is only read */
ORP_MUST_USE apr_status_t orp_dbm_copy_open(orp_dbm_copy_t **popen,
                                            orp_dbm_t *dbm,
                                            orp_dbm_copy_e copy,
                                            int writable);

void orp_dbm_copy_close(orp_dbm_copy_t *open);

/** Whose copy it is. */
orp_dbm_t *orp_dbm_copy_of(const orp_dbm_copy_t *open);

/**
 * Find a pair.
 * @param pvalue  set on success; until the copy is used again
 * @return APR_SUCCESS, ORP_ENOTFOUND, or as in orp_store_dbm_files.h
 */
ORP_MUST_USE apr_status_t orp_dbm_copy_fetch(const char **pvalue,
                                             apr_size_t *psize,
                                             orp_dbm_copy_t *open,
                                             const void *key,
                                             apr_size_t key_size);

/** Store a pair, replacing another one of that key. */
ORP_MUST_USE apr_status_t orp_dbm_copy_store(orp_dbm_copy_t *open,
                                             const void *key,
                                             apr_size_t key_size,
                                             const void *value,
                                             apr_size_t size);

/** Do all that is in the array; what is to be removed must be there. */
ORP_MUST_USE apr_status_t orp_dbm_copy_change(
    orp_dbm_t *dbm, orp_dbm_copy_e copy,
    const apr_array_header_t *changes);     /* of orp_dbm_change_t */

/** Sees one pair. @return anything but APR_SUCCESS ends the walk with that */
typedef apr_status_t orp_dbm_pair_fn(void *baton, const unsigned char *key,
                                     apr_size_t key_size,
                                     const unsigned char *value,
                                     apr_size_t size);

/**
 * See all pairs of some pages.
 * @param ppage  the first page to look at; set to the one after the last, or
 *               to 0 where all have been seen
 * @param pages  at most so many, holes not counted
 */
ORP_MUST_USE apr_status_t orp_dbm_copy_walk(apr_uint64_t *ppage,
                                            orp_dbm_t *dbm,
                                            orp_dbm_copy_e copy, int pages,
                                            orp_dbm_pair_fn *see,
                                            void *baton);

/** Make a copy that has one pair only, which shows what it is; finds out how
 * large a page is. */
ORP_MUST_USE apr_status_t orp_dbm_copy_begin(orp_dbm_t *dbm,
                                             orp_dbm_copy_e copy);

/** Is it that pair? */
int orp_dbm_is_first_pair(const unsigned char *key, apr_size_t key_size,
                          const unsigned char *value, apr_size_t size);

#endif
