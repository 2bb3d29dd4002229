/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* support_dbm.h - a dbm store in a folder of its own, and ways to damage it.
 */
#ifndef ORP_TEST_SUPPORT_DBM_H
#define ORP_TEST_SUPPORT_DBM_H

#include "support.h"

#include "orp_store_dbm_files.h"
#include "orp_store_open.h"

#define DBM_NOW SCENE_TIME
#define DBM_LATER (DBM_NOW + apr_time_from_sec(600))

typedef struct dbm_world_t {
    scene_t *scene;             /* its log is the store's */
    apr_pool_t *pool;           /* the scene's */
    apr_pool_t *store_pool;     /* what the open store lives in */
    const char *folder;
    orp_store_place_t place;
    orp_store_t *store;         /* open */
} dbm_world_t;

/** A cmocka test with a store in *state, open and empty. */
#define dbm_test(f) \
    cmocka_unit_test_setup_teardown(f, dbm_setup, dbm_teardown)

int dbm_setup(void **state);
int dbm_teardown(void **state);

/** Close the store, if it is open, and open it anew. */
void dbm_reopen(dbm_world_t *world);
void dbm_close(dbm_world_t *world);

/** Another folder, with nothing in it, and no store open. */
dbm_world_t *dbm_elsewhere(dbm_world_t *world);

/** orp_store_dbm_check(), with what it says; what it lets pass must be whole.
 */
apr_status_t dbm_check(dbm_world_t *world, orp_reason_t **pwhy);

/** The name of a file of the store, such as "a.pag". */
const char *dbm_file(const dbm_world_t *world, const char *ending);

/** How many files in the folder have this in their name. */
int dbm_files_named(const dbm_world_t *world, const char *text);

/** Copy all files to another folder, with their times. */
void dbm_copy(const dbm_world_t *to, const dbm_world_t *from);

/** Write bytes over those that are there; the file's time changes. */
void dbm_scribble(const dbm_world_t *world, const char *ending, off_t at,
                  const void *bytes, size_t size);

/** The same, but the file's time stays as it was. */
void dbm_scribble_unseen(const dbm_world_t *world, const char *ending,
                         off_t at, const void *bytes, size_t size);

void dbm_read(const dbm_world_t *world, const char *ending, off_t at,
              void *bytes, size_t size);

/** Where in a file these bytes are; the test fails if they are not. */
off_t dbm_find(const dbm_world_t *world, const char *ending,
               const char *bytes);

/** Change the marker in the state: as if somebody had been killed. */
void dbm_mark_dirty(dbm_world_t *world, apr_uint32_t dirty);

/** Records */
apr_status_t dbm_put(dbm_world_t *world, const char *key, const char *value);

/** What session there is, "(none)", or "(failed)". */
const char *dbm_seen(dbm_world_t *world, const char *key);

/** Put sessions "session-0", … with their own names as values. */
void dbm_put_many(dbm_world_t *world, int count);

/** Are they all there, each with its value? */
void dbm_assert_many(dbm_world_t *world, int count);

/** Run it as a user who is not root, in a child; 0 must be returned. */
void dbm_as_somebody(dbm_world_t *world, int (*run)(dbm_world_t *world));

#endif
