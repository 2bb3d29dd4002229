/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_dbm_run.c - the operations of a dbm store. */

#include <string.h>

#include <apr_strings.h>

#include "orp_store_dbm_run.h"

/* Pages that who puts a record looks at for what has expired; there is about
 * one new page for every two or three records. */
#define TIDY_PAGES 8

/* Pages that a sweep or a listing looks at before others get the lock. */
#define SWEEP_PAGES 2048

/* A listing that began so often keeps the lock until it has seen all. */
#define LISTINGS 3

/* ---------------------------------------------------------------------- */
/* Records */

/* The record of a key, expired or not. */
static apr_status_t find(orp_dbm_record_t *record, orp_dbm_t *dbm,
                         const orp_dbm_request_t *request)
{
    unsigned char hash[ORP_DBM_KEY_SIZE];
    orp_dbm_copy_t *open;
    apr_status_t status = orp_dbm_hash(hash, dbm, request->kind,
                                       request->key);

    if (status == APR_SUCCESS) {
        status = orp_dbm_copy_open(&open, dbm, dbm->from, 0);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    status = orp_dbm_record_read(record, open, hash);
    orp_dbm_copy_close(open);
    if (status == APR_SUCCESS
        && (record->head.piece.kind != request->kind
            || strcmp(record->key, request->key) != 0)) {
        return orp_dbm_is_damaged(dbm, "a record has another one's key");
    }
    return status;
}

static apr_status_t find_live(orp_dbm_record_t *record, orp_dbm_t *dbm,
                              const orp_dbm_request_t *request)
{
    apr_status_t status = find(record, dbm, request);

    return status == APR_SUCCESS && record->head.expires <= request->now
        ? ORP_ENOTFOUND : status;
}

static apr_status_t drop(orp_dbm_t *dbm, const orp_dbm_record_t *record)
{
    apr_array_header_t *changes = orp_dbm_changes(dbm);
    orp_dbm_state_t next = dbm->state;
    orp_dbm_count_t *count = &next.counts[record->head.piece.kind];

    orp_dbm_record_remove(changes, record->hash, &record->head);
    count->records--;
    count->bytes -= record->cost;
    return orp_dbm_apply(dbm, &next, changes);
}

/* As find_live, for who is about to write: something of what has expired is
 * removed, and a record of this key for sure. */
static apr_status_t find_or_clear(orp_dbm_record_t *record, orp_dbm_t *dbm,
                                  const orp_dbm_request_t *request)
{
    apr_status_t status = APR_SUCCESS;
    int kind, some = 0;

    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        some |= orp_dbm_may_expire(dbm, (orp_store_kind_e)kind,
                                   request->now);
    }
    if (some) {
        status = orp_dbm_go_on(dbm, request->now, TIDY_PAGES);
    }
    if (status == APR_SUCCESS) {
        status = find(record, dbm, request);
    }
    if (status == APR_SUCCESS && record->head.expires <= request->now) {
        status = drop(dbm, record);
        return status == APR_SUCCESS ? ORP_ENOTFOUND : status;
    }
    return status;
}

/* What the request asks for, as a record. */
static apr_status_t make(orp_dbm_record_t *record, orp_dbm_t *dbm,
                         const orp_dbm_request_t *request)
{
    memset(record, 0, sizeof(*record));
    record->head.piece.stamp = dbm->state.stamp + 1;
    record->head.piece.kind = (unsigned char)request->kind;
    record->head.expires = request->expires;
    record->head.key_size = (apr_uint32_t)strlen(request->key);
    record->head.value_size = (apr_uint32_t)request->size;
    record->key = request->key;
    record->value = request->value;
    record->cost = orp_dbm_cost(dbm, record->head.key_size, request->size);
    return orp_dbm_hash(record->hash, dbm, request->kind, request->key);
}

static apr_status_t run_put(orp_dbm_t *dbm, orp_dbm_request_t *request)
{
    orp_dbm_record_t record, there, *old = NULL;
    apr_array_header_t *changes;
    orp_dbm_state_t next;
    orp_dbm_count_t *count;
    apr_status_t status = find_or_clear(&there, dbm, request);

    if (status == APR_SUCCESS) {
        if (request->only_new) {
            return ORP_EEXISTS;
        }
        old = &there;
    }
    else if (status != ORP_ENOTFOUND) {
        return status;
    }
    status = make(&record, dbm, request);
    if (status == APR_SUCCESS) {
        status = orp_dbm_find_room(dbm, request->kind, record.cost, old,
                                   request->now);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    changes = orp_dbm_changes(dbm);
    orp_dbm_record_put(changes, dbm, &record, old);
    next = dbm->state;
    next.stamp++;
    count = &next.counts[request->kind];
    count->bytes -= old ? old->cost : 0;
    count->records -= old ? 1 : 0;
    orp_dbm_count(count, record.cost, record.head.expires);
    return orp_dbm_apply(dbm, &next, changes);
}

static void give(orp_dbm_request_t *request, const orp_dbm_record_t *record)
{
    request->result_size = record->head.value_size;
    request->result = apr_pmemdup(request->pool, record->value,
                                  record->head.value_size + 1);
}

static apr_status_t run_get(orp_dbm_t *dbm, orp_dbm_request_t *request)
{
    orp_dbm_record_t record;
    apr_status_t status = find_live(&record, dbm, request);

    if (status == APR_SUCCESS) {
        give(request, &record);
    }
    return status;
}

static apr_status_t run_take(orp_dbm_t *dbm, orp_dbm_request_t *request)
{
    orp_dbm_record_t record;
    apr_status_t status = find_live(&record, dbm, request);

    if (status == APR_SUCCESS) {
        status = drop(dbm, &record);
    }
    if (status == APR_SUCCESS) {
        give(request, &record);
    }
    return status;
}

static apr_status_t run_touch(orp_dbm_t *dbm, orp_dbm_request_t *request)
{
    orp_dbm_record_t record;
    apr_array_header_t *changes = orp_dbm_changes(dbm);
    orp_dbm_state_t next = dbm->state;
    apr_status_t status = find_live(&record, dbm, request);

    if (status != APR_SUCCESS) {
        return status;
    }
    orp_dbm_record_touch(changes, dbm, &record, request->expires);
    orp_dbm_count(&next.counts[request->kind], 0, request->expires);
    return orp_dbm_apply(dbm, &next, changes);
}

static apr_status_t run_remove(orp_dbm_t *dbm, orp_dbm_request_t *request)
{
    orp_dbm_record_t record;
    apr_status_t status = find(&record, dbm, request);

    if (status == ORP_ENOTFOUND) {
        return APR_SUCCESS;
    }
    return status == APR_SUCCESS ? drop(dbm, &record) : status;
}

static apr_status_t run_begin_pass(orp_dbm_t *dbm, orp_dbm_request_t *request)
{
    request->passes = dbm->state.passes;
    return orp_dbm_begin_pass(dbm);
}

static apr_status_t run_pass(orp_dbm_t *dbm, orp_dbm_request_t *request)
{
    apr_status_t status = APR_SUCCESS;

    if (dbm->state.passes == request->passes) {
        status = orp_dbm_go_on(dbm, request->now, SWEEP_PAGES);
    }
    request->more = dbm->state.passes == request->passes;
    return status;
}

static apr_status_t run_shrink(orp_dbm_t *dbm, orp_dbm_request_t *request)
{
    (void)request;
    return orp_dbm_shrink(dbm);
}

static apr_status_t run_stats(orp_dbm_t *dbm, orp_dbm_request_t *request)
{
    const orp_dbm_count_t *count = &dbm->state.counts[request->kind];

    request->stats.live = count->records;
    request->stats.used = count->bytes;
    request->stats.room = dbm->limits[request->kind];
    request->stats.refused = count->refused;
    request->more = orp_dbm_may_expire(dbm, request->kind, request->now);
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* Listing */

typedef struct listing_t {
    orp_dbm_t *dbm;
    orp_dbm_copy_t *open;
    apr_pool_t *scratch;        /* dbm's own, while it is lent to a record */
    orp_dbm_request_t *request;
} listing_t;

static apr_status_t list_record(listing_t *listing,
                                const unsigned char *hash)
{
    orp_dbm_request_t *request = listing->request;
    orp_dbm_t *dbm = listing->dbm;
    apr_pool_t *lent = dbm->scratch;
    orp_dbm_record_t record;
    apr_status_t status;

    dbm->scratch = listing->scratch;
    status = orp_dbm_record_read(&record, listing->open, hash);
    dbm->scratch = lent;
    if (status == APR_SUCCESS
        && !apr_hash_get(request->keys, record.key, APR_HASH_KEY_STRING)) {
        orp_dbm_shown_t *shown = apr_array_push(request->shown);

        shown->key = apr_pstrdup(request->pool, record.key);
        shown->size = record.head.value_size;
        shown->expires = record.head.expires;
        apr_hash_set(request->keys, shown->key, APR_HASH_KEY_STRING,
                     shown->key);
    }
    apr_pool_clear(listing->scratch);
    return status == ORP_ENOTFOUND
        ? orp_dbm_is_damaged(dbm, "a record cannot be found") : status;
}

static apr_status_t list_pair(void *baton, const unsigned char *key,
                              apr_size_t key_size,
                              const unsigned char *value, apr_size_t size)
{
    listing_t *listing = baton;
    orp_dbm_head_t head;
    apr_status_t status = orp_dbm_head(&head, listing->dbm, key, key_size,
                                       value, size);

    if (status == ORP_ENOTFOUND) {
        return APR_SUCCESS;
    }
    if (status == APR_SUCCESS && head.piece.kind == listing->request->kind
        && head.expires > listing->request->now) {
        status = list_record(listing, key);
    }
    return status;
}

/* Others split pages between two parts. That takes records to later pages
 * only, so none is missed, and those seen twice have their keys noted. But
 * where all was filled anew, or is another store now, a listing begins once
 * more. */
static void begin_listing(orp_dbm_request_t *request, const orp_dbm_t *dbm)
{
    if (request->begun && request->refills == dbm->state.refills
        && !memcmp(request->seed, dbm->state.seed, sizeof(request->seed))) {
        return;
    }
    memcpy(request->seed, dbm->state.seed, sizeof(request->seed));
    request->refills = dbm->state.refills;
    request->begun++;
    request->page = 0;
    request->shown = apr_array_make(request->pool, 64,
                                    sizeof(orp_dbm_shown_t));
    request->keys = apr_hash_make(request->pool);
}

static apr_status_t run_each(orp_dbm_t *dbm, orp_dbm_request_t *request)
{
    listing_t listing = { .dbm = dbm, .request = request };
    apr_uint64_t page;
    apr_status_t status = orp_dbm_copy_open(&listing.open, dbm, dbm->from,
                                            0);

    if (status != APR_SUCCESS) {
        return status;
    }
    apr_pool_create(&listing.scratch, dbm->scratch);
    begin_listing(request, dbm);
    page = request->page;
    do {
        status = orp_dbm_copy_walk(&page, dbm, dbm->from, SWEEP_PAGES,
                                   list_pair, &listing);
    } while (status == APR_SUCCESS && page > 0
             && request->begun > LISTINGS);
    orp_dbm_copy_close(listing.open);
    if (status == APR_SUCCESS) {
        request->page = page;
        request->more = page > 0;
    }
    return status;
}

/* ---------------------------------------------------------------------- */

const orp_dbm_operation_t orp_dbm_op_put = { run_put, 1 };
const orp_dbm_operation_t orp_dbm_op_get = { run_get, 0 };
const orp_dbm_operation_t orp_dbm_op_take = { run_take, 1 };
const orp_dbm_operation_t orp_dbm_op_touch = { run_touch, 1 };
const orp_dbm_operation_t orp_dbm_op_remove = { run_remove, 1 };
const orp_dbm_operation_t orp_dbm_op_begin_pass = { run_begin_pass, 1 };
const orp_dbm_operation_t orp_dbm_op_pass = { run_pass, 1 };
const orp_dbm_operation_t orp_dbm_op_shrink = { run_shrink, 1 };
const orp_dbm_operation_t orp_dbm_op_stats = { run_stats, 0 };
const orp_dbm_operation_t orp_dbm_op_each = { run_each, 0 };
