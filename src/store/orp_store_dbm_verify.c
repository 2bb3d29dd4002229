/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_dbm_verify.c - looking at everything that is in a copy. */

#include <string.h>

#include "orp_store_dbm_record.h"

typedef struct audit_t {
    orp_dbm_t *dbm;
    orp_dbm_copy_t *open;
    apr_pool_t *scratch;        /* dbm's own, while it is lent to a record */
    int first_pairs;
    apr_uint64_t pairs;
    apr_uint64_t pieces;        /* that the heads speak of */
    apr_uint64_t records[ORP_STORE_KINDS];
    apr_uint64_t bytes[ORP_STORE_KINDS];
} audit_t;

/* Whether sdbm finds the record where the walk has, and under its own key. */
static apr_status_t audit_record(audit_t *audit, const unsigned char *hash)
{
    orp_dbm_t *dbm = audit->dbm;
    unsigned char expected[ORP_DBM_KEY_SIZE];
    orp_dbm_record_t record;
    apr_status_t status = orp_dbm_record_read(&record, audit->open, hash);
    unsigned char kind;

    if (status == ORP_ENOTFOUND) {
        return orp_dbm_is_damaged(dbm, "a record cannot be found");
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    kind = record.head.piece.kind;
    if (strlen(record.key) != record.head.key_size) {
        return orp_dbm_is_damaged(dbm, "a key is cut off");
    }
    status = orp_dbm_hash(expected, dbm, (orp_store_kind_e)kind, record.key);
    if (status == APR_SUCCESS
        && memcmp(expected, hash, sizeof(expected)) != 0) {
        status = orp_dbm_is_damaged(dbm, "a record has another one's key");
    }
    audit->pieces += record.head.piece.count;
    audit->records[kind]++;
    audit->bytes[kind] += record.cost;
    return status;
}

static apr_status_t audit_pair(void *baton, const unsigned char *key,
                               apr_size_t key_size,
                               const unsigned char *value, apr_size_t size)
{
    audit_t *audit = baton;
    apr_pool_t *lent = audit->dbm->scratch;
    apr_status_t status;

    if (orp_dbm_is_first_pair(key, key_size, value, size)) {
        audit->first_pairs++;
        return APR_SUCCESS;
    }
    if (key_size != ORP_DBM_KEY_SIZE) {
        return orp_dbm_is_damaged(audit->dbm, "there is a foreign pair");
    }
    audit->pairs++;
    if (key[ORP_DBM_KEY_SIZE - 1] != 0) {
        return APR_SUCCESS;     /* its record's head will come */
    }
    audit->dbm->scratch = audit->scratch;
    status = audit_record(audit, key);
    audit->dbm->scratch = lent;
    apr_pool_clear(audit->scratch);
    return status;
}

static apr_status_t compare_counts(audit_t *audit)
{
    orp_dbm_t *dbm = audit->dbm;
    int kind;

    if (audit->first_pairs != 1 || audit->pairs != audit->pieces) {
        return orp_dbm_is_damaged(dbm, "there are not all pieces");
    }
    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        const orp_dbm_count_t *count = &dbm->state.counts[kind];

        if (audit->records[kind] != count->records
            || audit->bytes[kind] != count->bytes) {
            return orp_dbm_is_damaged(dbm, "there are not all records");
        }
    }
    return APR_SUCCESS;
}

static apr_status_t see_nothing(void *baton, const unsigned char *key,
                                apr_size_t key_size,
                                const unsigned char *value, apr_size_t size)
{
    (void)baton;
    (void)key;
    (void)key_size;
    (void)value;
    (void)size;
    return APR_SUCCESS;
}

static apr_status_t walk_all(orp_dbm_t *dbm, orp_dbm_copy_e copy,
                             orp_dbm_pair_fn *see, void *baton)
{
    apr_uint64_t page = 0;
    apr_status_t status;

    do {
        status = orp_dbm_copy_walk(&page, dbm, copy, 4096, see, baton);
    } while (status == APR_SUCCESS && page > 0);
    return status;
}

apr_status_t orp_dbm_verify(orp_dbm_t *dbm, orp_dbm_copy_e copy)
{
    audit_t audit = { .dbm = dbm };
    apr_status_t status;

    apr_pool_create(&audit.scratch, dbm->scratch);
    /* All pages first: sdbm must not see one that makes no sense. */
    status = walk_all(dbm, copy, see_nothing, NULL);
    if (status == APR_SUCCESS) {
        status = orp_dbm_copy_open(&audit.open, dbm, copy, 0);
    }
    if (status == APR_SUCCESS) {
        status = walk_all(dbm, copy, audit_pair, &audit);
        orp_dbm_copy_close(audit.open);
    }
    if (status == APR_SUCCESS) {
        status = compare_counts(&audit);
    }
    apr_pool_destroy(audit.scratch);
    return status;
}
