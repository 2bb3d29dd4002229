/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_dbm_record.c - cutting records into pieces, and joining them. */

#include <string.h>

#include <apr_siphash.h>
#include <apr_strings.h>

#include "orp_crypto.h"
#include "orp_store_dbm_record.h"

/* No gaps. */
_Static_assert(sizeof(orp_dbm_piece_t) == 16, "a piece");
_Static_assert(sizeof(orp_dbm_head_t) == 32, "a head");

/* Which piece: the last byte of a pair's key. */
#define NUMBER (ORP_DBM_KEY_SIZE - 1)

apr_status_t orp_dbm_hash(unsigned char hash[ORP_DBM_KEY_SIZE],
                          orp_dbm_t *dbm, orp_store_kind_e kind,
                          const char *key)
{
    unsigned char text[sizeof(dbm->state.seed) + 1 + ORP_STORE_KEY_MAX];
    unsigned char digest[ORP_HASH_MAX];
    apr_size_t seed_size = sizeof(dbm->state.seed), size = strlen(key);
    apr_status_t status;

    memcpy(text, dbm->state.seed, seed_size);
    text[seed_size] = (unsigned char)kind;
    memcpy(text + seed_size + 1, key, size);
    status = orp_digest(digest, ORP_SHA256, text, seed_size + 1 + size);
    if (status != APR_SUCCESS) {
        return orp_dbm_fail(dbm, status, "make a hash for", dbm->path);
    }
    memcpy(hash, digest, NUMBER);
    hash[NUMBER] = 0;
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* Sizes: what is behind the head or behind the beginning of a piece */

static apr_size_t first_room(const orp_dbm_t *dbm)
{
    return ORP_DBM_VALUE_MAX(dbm->state.page_size) - sizeof(orp_dbm_head_t);
}

static apr_size_t more_room(const orp_dbm_t *dbm)
{
    return ORP_DBM_VALUE_MAX(dbm->state.page_size) - sizeof(orp_dbm_piece_t);
}

static apr_size_t pieces_for(const orp_dbm_t *dbm, apr_size_t size)
{
    apr_size_t first = first_room(dbm), more = more_room(dbm);

    return size <= first ? 1 : 1 + (size - first + more - 1) / more;
}

apr_uint64_t orp_dbm_cost(const orp_dbm_t *dbm, apr_size_t key_size,
                          apr_size_t value_size)
{
    apr_size_t size = key_size + value_size;
    apr_size_t pieces = pieces_for(dbm, size);

    return size + sizeof(orp_dbm_head_t)
        + (pieces - 1) * sizeof(orp_dbm_piece_t)
        + pieces * (ORP_DBM_KEY_SIZE + ORP_DBM_PAIR_WASTE);
}

/* ---------------------------------------------------------------------- */
/* Reading */

static apr_uint64_t checksum(const orp_dbm_t *dbm, const void *value,
                             apr_size_t size)
{
    apr_size_t skip = sizeof(apr_uint64_t);     /* the checksum itself */

    return apr_siphash24((const char *)value + skip, size - skip,
                         dbm->state.seed);
}

/* The beginning of a piece, if it is one, and whole. */
static apr_status_t check_piece(orp_dbm_piece_t *piece, orp_dbm_t *dbm,
                                const void *value, apr_size_t size)
{
    if (size < sizeof(*piece)) {
        return orp_dbm_is_damaged(dbm, "a piece of a record is too short");
    }
    memcpy(piece, value, sizeof(*piece));
    if (piece->checksum != checksum(dbm, value, size)) {
        return orp_dbm_is_damaged(dbm, "a checksum is wrong");
    }
    return APR_SUCCESS;
}

static int has_sane_sizes(const orp_dbm_t *dbm, const orp_dbm_head_t *head)
{
    return head->piece.number == 0 && head->piece.kind < ORP_STORE_KINDS
        && head->key_size > 0 && head->key_size <= ORP_STORE_KEY_MAX
        && head->value_size <= ORP_STORE_VALUE_MAX
        && head->piece.count == pieces_for(dbm, head->key_size
                                           + head->value_size);
}

apr_status_t orp_dbm_head(orp_dbm_head_t *phead, orp_dbm_t *dbm,
                          const unsigned char *key, apr_size_t key_size,
                          const void *value, apr_size_t size)
{
    orp_dbm_head_t head;
    apr_status_t status;

    if (key_size != ORP_DBM_KEY_SIZE || key[NUMBER] != 0) {
        return ORP_ENOTFOUND;
    }
    status = check_piece(&head.piece, dbm, value, size);
    if (status != APR_SUCCESS) {
        return status;
    }
    if (size < sizeof(head)) {
        return orp_dbm_is_damaged(dbm, "a piece of a record is too short");
    }
    memcpy(&head, value, sizeof(head));
    if (!has_sane_sizes(dbm, &head)) {
        return orp_dbm_is_damaged(dbm, "the sizes of a record make no sense");
    }
    *phead = head;
    return APR_SUCCESS;
}

/* Copy what piece number brings to where it belongs. */
static apr_status_t join(char *to, apr_size_t wanted, orp_dbm_copy_t *open,
                         orp_dbm_t *dbm, const orp_dbm_record_t *record,
                         apr_size_t number)
{
    unsigned char key[ORP_DBM_KEY_SIZE];
    orp_dbm_piece_t piece;
    const char *value;
    apr_size_t size;
    apr_status_t status;

    memcpy(key, record->hash, sizeof(key));
    key[NUMBER] = (unsigned char)number;
    status = orp_dbm_copy_fetch(&value, &size, open, key, sizeof(key));
    if (status == ORP_ENOTFOUND) {
        return orp_dbm_is_damaged(dbm, "a piece of a record is missing");
    }
    if (status == APR_SUCCESS) {
        status = check_piece(&piece, dbm, value, size);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    if (piece.stamp != record->head.piece.stamp || piece.number != number
        || piece.count != record->head.piece.count
        || size != sizeof(piece) + wanted) {
        return orp_dbm_is_damaged(dbm, "the pieces of a record do not fit");
    }
    memcpy(to, value + sizeof(piece), wanted);
    return APR_SUCCESS;
}

/* Key and value, each with a NUL behind it. */
static apr_status_t join_all(orp_dbm_record_t *record, orp_dbm_copy_t *open,
                             orp_dbm_t *dbm)
{
    const orp_dbm_head_t *head = &record->head;
    apr_size_t size = head->key_size + head->value_size;
    apr_size_t done = record->first_size - sizeof(*head), i;
    char *bytes = apr_palloc(dbm->scratch, size + 2);
    char *key = bytes;

    if (done != (size < first_room(dbm) ? size : first_room(dbm))) {
        return orp_dbm_is_damaged(dbm, "a piece of a record is too short");
    }
    memcpy(bytes, record->first + sizeof(*head), done);
    for (i = 1; i < head->piece.count; i++) {
        apr_size_t wanted = size - done;
        apr_status_t status;

        wanted = wanted < more_room(dbm) ? wanted : more_room(dbm);
        status = join(bytes + done, wanted, open, dbm, record, i);
        if (status != APR_SUCCESS) {
            return status;
        }
        done += wanted;
    }
    memmove(key + head->key_size + 1, key + head->key_size,
            head->value_size);
    key[head->key_size] = '\0';
    bytes[size + 1] = '\0';
    record->key = key;
    record->value = key + head->key_size + 1;
    return APR_SUCCESS;
}

apr_status_t orp_dbm_record_read(orp_dbm_record_t *record,
                                 orp_dbm_copy_t *open,
                                 const unsigned char hash[ORP_DBM_KEY_SIZE])
{
    orp_dbm_t *dbm = orp_dbm_copy_of(open);
    const char *value;
    apr_size_t size;
    apr_status_t status = orp_dbm_copy_fetch(&value, &size, open, hash,
                                             ORP_DBM_KEY_SIZE);

    if (status == APR_SUCCESS) {
        status = orp_dbm_head(&record->head, dbm, hash, ORP_DBM_KEY_SIZE,
                              value, size);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    memcpy(record->hash, hash, sizeof(record->hash));
    record->first = apr_pmemdup(dbm->scratch, value, size);
    record->first_size = size;
    record->cost = orp_dbm_cost(dbm, record->head.key_size,
                                record->head.value_size);
    return join_all(record, open, dbm);
}

/* ---------------------------------------------------------------------- */
/* Writing */

static orp_dbm_change_t *push(apr_array_header_t *changes,
                              const unsigned char *hash, apr_size_t number)
{
    orp_dbm_change_t *change = apr_array_push(changes);

    memcpy(change->key, hash, sizeof(change->key));
    change->key[NUMBER] = (unsigned char)number;
    change->value = NULL;
    change->size = 0;
    return change;
}

static void seal(orp_dbm_t *dbm, char *value, apr_size_t size)
{
    apr_uint64_t sum = checksum(dbm, value, size);

    memcpy(value, &sum, sizeof(sum));
}

void orp_dbm_record_put(apr_array_header_t *changes, orp_dbm_t *dbm,
                        const orp_dbm_record_t *record,
                        const orp_dbm_record_t *old)
{
    orp_dbm_head_t head = record->head;
    apr_size_t size = head.key_size + head.value_size, done = 0, i;
    char *all = apr_palloc(dbm->scratch, size);

    memcpy(all, record->key, head.key_size);
    memcpy(all + head.key_size, record->value, head.value_size);
    head.piece.count = (unsigned char)pieces_for(dbm, size);
    for (i = 0; i < head.piece.count; i++) {
        orp_dbm_change_t *change = push(changes, record->hash, i);
        apr_size_t begin = i ? sizeof(head.piece) : sizeof(head);
        apr_size_t wanted = i ? more_room(dbm) : first_room(dbm);
        char *value;

        wanted = wanted < size - done ? wanted : size - done;
        value = apr_palloc(dbm->scratch, begin + wanted);
        head.piece.number = (unsigned char)i;
        memcpy(value, &head, begin);
        memcpy(value + begin, all + done, wanted);
        done += wanted;
        change->value = value;
        change->size = begin + wanted;
        seal(dbm, value, change->size);
    }
    for (; old && i < old->head.piece.count; i++) {
        push(changes, record->hash, i);
    }
}

void orp_dbm_record_touch(apr_array_header_t *changes, orp_dbm_t *dbm,
                          const orp_dbm_record_t *record, apr_time_t expires)
{
    orp_dbm_change_t *change = push(changes, record->hash, 0);
    orp_dbm_head_t head = record->head;
    char *value = apr_pmemdup(dbm->scratch, record->first,
                              record->first_size);

    head.expires = expires;
    memcpy(value, &head, sizeof(head));
    seal(dbm, value, record->first_size);
    change->value = value;
    change->size = record->first_size;
}

void orp_dbm_record_remove(apr_array_header_t *changes,
                           const unsigned char hash[ORP_DBM_KEY_SIZE],
                           const orp_dbm_head_t *head)
{
    apr_size_t i;

    for (i = 0; i < head->piece.count; i++) {
        push(changes, hash, i);
    }
}
