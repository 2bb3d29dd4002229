/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_dbm_room.c - making changes, and room. */

#include <errno.h>
#include <string.h>

#include "orp_store_dbm_room.h"

/* Pages that are read between two looks at what has been found. */
#define STRIDE 64

/* Records that are removed at once, about; others wait for the lock. */
#define BATCH 256

/* Pages between two looks at whether there is room already. */
#define SEARCH 512

/* A search for room that took longer than this and found none is followed by
 * a rest of REST times as long: a flood must not keep the lock busy. */
#define LONG_SEARCH (20 * 1000)
#define REST 10
#define REST_MAX apr_time_from_sec(60)

/* Files below this size are not compacted, nor those of which at least one
 * part in SPARSE is in use. */
#define COMPACT_MIN (1024 * 1024)
#define SPARSE 8

apr_array_header_t *orp_dbm_changes(orp_dbm_t *dbm)
{
    return apr_array_make(dbm->scratch, 4, sizeof(orp_dbm_change_t));
}

static apr_status_t change_a(orp_dbm_t *dbm, const orp_dbm_state_t *next,
                             const apr_array_header_t *changes)
{
    orp_dbm_state_t *state = &dbm->state;
    apr_status_t status;

    state->dirty = ORP_DBM_IN_A;
    status = orp_dbm_save(dbm);
    if (status == APR_SUCCESS) {
        status = orp_dbm_copy_change(dbm, ORP_DBM_A, changes);
    }
    if (status == APR_SUCCESS) {
        status = orp_dbm_copy_mark(dbm, state->marks[ORP_DBM_A], ORP_DBM_A);
    }
    if (status == APR_SUCCESS) {
        orp_dbm_mark_t marks[ORP_DBM_COPIES][ORP_DBM_FILES];

        memcpy(marks, state->marks, sizeof(marks));
        *state = *next;
        memcpy(state->marks, marks, sizeof(marks));
        state->dirty = ORP_DBM_IN_B;
        status = orp_dbm_save(dbm);     /* now it has happened */
    }
    return status;
}

static apr_status_t change_b(orp_dbm_t *dbm,
                             const apr_array_header_t *changes)
{
    orp_dbm_state_t *state = &dbm->state;
    apr_status_t status = orp_dbm_copy_change(dbm, ORP_DBM_B, changes);

    if (status == APR_SUCCESS) {
        status = orp_dbm_copy_mark(dbm, state->marks[ORP_DBM_B], ORP_DBM_B);
    }
    if (status == APR_SUCCESS) {
        state->dirty = ORP_DBM_CLEAN;
        status = orp_dbm_save(dbm);
    }
    return status;
}

apr_status_t orp_dbm_apply(orp_dbm_t *dbm, const orp_dbm_state_t *next,
                           const apr_array_header_t *changes)
{
    apr_status_t status = APR_SUCCESS;

    if (changes->nelts == 0) {
        dbm->state = *next;
        return orp_dbm_save(dbm);
    }
    if (dbm->state.dirty != ORP_DBM_CLEAN) {
        status = orp_dbm_recover(dbm, 0);   /* the last change, below */
    }
    if (status == APR_SUCCESS) {
        status = change_a(dbm, next, changes);
    }
    if (status == APR_SUCCESS && change_b(dbm, changes) != APR_SUCCESS) {
        /* B stays marked, and is made good by the next who writes; whether
         * that works decides about what is said in the log. */
        return APR_SUCCESS;
    }
    dbm->wrote |= status == APR_SUCCESS;
    return status;
}

void orp_dbm_count(orp_dbm_count_t *count, apr_uint64_t cost,
                   apr_time_t expires)
{
    count->bytes += cost;
    count->records += cost > 0;
    if (expires < count->oldest) {
        count->oldest = expires;
    }
    if (expires < count->pass_oldest) {
        count->pass_oldest = expires;
    }
}

int orp_dbm_may_expire(const orp_dbm_t *dbm, orp_store_kind_e kind,
                       apr_time_t now)
{
    return dbm->state.counts[kind].oldest <= now;
}

/* ---------------------------------------------------------------------- */
/* Passes */

typedef struct pass_t {
    orp_dbm_t *dbm;
    orp_dbm_state_t next;
    apr_array_header_t *changes;
    apr_time_t now;
    int removed;
} pass_t;

static apr_status_t see_pair(void *baton, const unsigned char *key,
                             apr_size_t key_size, const unsigned char *value,
                             apr_size_t size)
{
    pass_t *pass = baton;
    orp_dbm_head_t head;
    orp_dbm_count_t *count;
    apr_status_t status = orp_dbm_head(&head, pass->dbm, key, key_size,
                                       value, size);

    if (status != APR_SUCCESS) {
        return status == ORP_ENOTFOUND ? APR_SUCCESS : status;
    }
    count = &pass->next.counts[head.piece.kind];
    if (head.expires > pass->now) {
        if (head.expires < count->pass_oldest) {
            count->pass_oldest = head.expires;
        }
        return APR_SUCCESS;
    }
    orp_dbm_record_remove(pass->changes, key, &head);
    count->records--;
    count->bytes -= orp_dbm_cost(pass->dbm, head.key_size, head.value_size);
    pass->removed++;
    return APR_SUCCESS;
}

/* The pass has seen all: what it found to be the oldest is. */
static void end_pass(orp_dbm_state_t *state)
{
    int kind;

    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        state->counts[kind].oldest = state->counts[kind].pass_oldest;
        state->counts[kind].pass_oldest = ORP_DBM_NEVER;
    }
    state->passes++;
}

apr_status_t orp_dbm_go_on(orp_dbm_t *dbm, apr_time_t now, int pages)
{
    pass_t pass = { .dbm = dbm, .next = dbm->state, .now = now };
    apr_status_t status;

    pass.changes = orp_dbm_changes(dbm);
    do {
        status = orp_dbm_copy_walk(&pass.next.cursor, dbm, ORP_DBM_A,
                                   pages < STRIDE ? pages : STRIDE,
                                   see_pair, &pass);
        pages -= STRIDE;
    } while (status == APR_SUCCESS && pass.next.cursor > 0 && pages > 0
             && pass.removed < BATCH);
    if (status != APR_SUCCESS) {
        return status;
    }
    if (pass.next.cursor == 0) {
        end_pass(&pass.next);
    }
    return orp_dbm_apply(dbm, &pass.next, pass.changes);
}

apr_status_t orp_dbm_begin_pass(orp_dbm_t *dbm)
{
    int kind;

    dbm->state.cursor = 0;
    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        dbm->state.counts[kind].pass_oldest = ORP_DBM_NEVER;
    }
    return orp_dbm_save(dbm);
}

/* ---------------------------------------------------------------------- */
/* Room */

static int has_room(const orp_dbm_t *dbm, orp_store_kind_e kind,
                    apr_uint64_t cost, const orp_dbm_record_t *old)
{
    apr_uint64_t bytes = dbm->state.counts[kind].bytes;

    return (old && cost <= old->cost)
        || bytes + cost - (old ? old->cost : 0) <= dbm->limits[kind];
}

/* Whether a search for room makes sense at all at this time. The clock may
 * have been set back meanwhile. */
static int may_search(const orp_dbm_t *dbm)
{
    apr_time_t rest = dbm->state.rest_until - apr_time_now();

    return rest <= 0 || rest > REST_MAX;
}

static apr_status_t search(orp_dbm_t *dbm, orp_store_kind_e kind,
                           apr_uint64_t cost, const orp_dbm_record_t *old,
                           apr_time_t now)
{
    apr_uint64_t passes = dbm->state.passes;
    apr_time_t begin = apr_time_now(), took;
    apr_status_t status = APR_SUCCESS;

    /* The first pass may have been in its midst. */
    while (status == APR_SUCCESS && dbm->state.passes < passes + 2
           && orp_dbm_may_expire(dbm, kind, now)
           && !has_room(dbm, kind, cost, old)) {
        status = orp_dbm_go_on(dbm, now, SEARCH);
    }
    took = apr_time_now() - begin;
    if (status == APR_SUCCESS && took > LONG_SEARCH
        && !has_room(dbm, kind, cost, old)) {
        dbm->state.rest_until = begin + took
            + (took * REST < REST_MAX ? took * REST : REST_MAX);
    }
    return status;
}

apr_status_t orp_dbm_find_room(orp_dbm_t *dbm, orp_store_kind_e kind,
                               apr_uint64_t cost,
                               const orp_dbm_record_t *old, apr_time_t now)
{
    apr_status_t status = APR_SUCCESS;

    if (has_room(dbm, kind, cost, old)) {
        return APR_SUCCESS;
    }
    if (may_search(dbm)) {
        status = search(dbm, kind, cost, old, now);
    }
    if (status != APR_SUCCESS || has_room(dbm, kind, cost, old)) {
        return status;
    }
    dbm->state.counts[kind].refused++;
    status = orp_dbm_save(dbm);
    return status == APR_SUCCESS ? ORP_EFULL : status;
}

/* ---------------------------------------------------------------------- */
/* Compaction */

static apr_status_t copy_pair(void *baton, const unsigned char *key,
                              apr_size_t key_size,
                              const unsigned char *value, apr_size_t size)
{
    return orp_dbm_copy_store(baton, key, key_size, value, size);
}

static apr_status_t refill(orp_dbm_t *dbm, orp_dbm_copy_e to,
                           orp_dbm_copy_e from)
{
    orp_dbm_copy_t *open;
    apr_uint64_t page = 0;
    apr_status_t status = orp_dbm_copy_clear(dbm, to);

    if (status == APR_SUCCESS) {
        status = orp_dbm_copy_open(&open, dbm, to, 1);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    do {
        status = orp_dbm_copy_walk(&page, dbm, from, 4096, copy_pair, open);
    } while (status == APR_SUCCESS && page > 0);
    orp_dbm_copy_close(open);
    return status;
}

/* Copy B is filled anew from A, then A is made the same. */
static apr_status_t compact(orp_dbm_t *dbm)
{
    orp_dbm_state_t *state = &dbm->state;
    apr_status_t status;

    state->dirty = ORP_DBM_IN_B;
    status = orp_dbm_save(dbm);
    if (status == APR_SUCCESS) {
        status = refill(dbm, ORP_DBM_B, ORP_DBM_A);
    }
    if (status == APR_SUCCESS) {
        status = orp_dbm_copy_mark(dbm, state->marks[ORP_DBM_B], ORP_DBM_B);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    state->cursor = 0;
    state->refills++;
    return orp_dbm_duplicate(dbm, ORP_DBM_A);
}

apr_status_t orp_dbm_shrink(orp_dbm_t *dbm)
{
    const char *name = dbm->names[ORP_DBM_A][ORP_DBM_PAG];
    apr_uint64_t bytes = 0, size;
    struct stat info;
    int kind;

    if (stat(name, &info) != 0) {
        return orp_dbm_fail(dbm, errno, "look at", name);
    }
    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        bytes += dbm->state.counts[kind].bytes;
    }
    size = (apr_uint64_t)info.st_blocks * 512;
    return size > COMPACT_MIN && bytes < size / SPARSE
        ? compact(dbm) : APR_SUCCESS;
}
