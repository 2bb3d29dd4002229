/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_dbm_room.h - changing a dbm store, and the room that there is.
 *
 * What has expired is found by passes: a cursor, shared by all processes, goes
 * through the pages of copy A, some at a time, again and again. For each kind
 * the state knows a time before which none of its records expires, so that a
 * pass is made only where it will find something.
 *
 * All of this under the lock, with both copies good.
 */
#ifndef ORP_STORE_DBM_ROOM_H
#define ORP_STORE_DBM_ROOM_H

#include "orp_store_dbm_record.h"

/** An empty list of orp_dbm_change_t. */
apr_array_header_t *orp_dbm_changes(orp_dbm_t *dbm);

/**
 * Make changes and new counters true, at once.
 * @param next  the state as it is to be
 * @return APR_SUCCESS also where copy B could not be written: the changes
 *         are made, and B will be made good from A
 */
ORP_MUST_USE apr_status_t orp_dbm_apply(orp_dbm_t *dbm,
                                        const orp_dbm_state_t *next,
                                        const apr_array_header_t *changes);

/** Count a record that expires then. @param cost  0: it was counted before */
void orp_dbm_count(orp_dbm_count_t *count, apr_uint64_t cost,
                   apr_time_t expires);

/** Whether there may be something of this kind that has expired. */
int orp_dbm_may_expire(const orp_dbm_t *dbm, orp_store_kind_e kind,
                       apr_time_t now);

/** Go on with the pass, and remove what has expired.
 * @param pages  not more than about so many pages */
ORP_MUST_USE apr_status_t orp_dbm_go_on(orp_dbm_t *dbm, apr_time_t now,
                                        int pages);

/** Begin a pass anew. */
ORP_MUST_USE apr_status_t orp_dbm_begin_pass(orp_dbm_t *dbm);

/**
 * Find room for a record, by removing what has expired.
 * @param old  what it replaces, or NULL; must be live
 * @return APR_SUCCESS; ORP_EFULL, which has been counted; or as in
 *         orp_store_dbm_files.h
 */
ORP_MUST_USE apr_status_t orp_dbm_find_room(orp_dbm_t *dbm,
                                            orp_store_kind_e kind,
                                            apr_uint64_t cost,
                                            const orp_dbm_record_t *old,
                                            apr_time_t now);

/** Compact the files if most of them is empty. */
ORP_MUST_USE apr_status_t orp_dbm_shrink(orp_dbm_t *dbm);

#endif
