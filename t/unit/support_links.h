/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* support_links.h - links in a folder of their own. */
#ifndef ORP_TEST_SUPPORT_LINKS_H
#define ORP_TEST_SUPPORT_LINKS_H

#include "support.h"

#include <sys/types.h>

#include "orp_links.h"

typedef struct links_world_t {
    apr_pool_t *pool;
    const char *folder;
    const char *path;           /* of the file, which is not there yet */
    const char *place;          /* "txt:" and the path */
    orp_reason_t *why;          /* what the last call said */
} links_world_t;

/** A cmocka test with a links_world_t in *state. */
#define links_test(f) \
    cmocka_unit_test_setup_teardown(f, links_setup, links_teardown)

int links_setup(void **state);

/** Fails where a lock or half a file is left. */
int links_teardown(void **state);

/** A file of the folder. */
const char *links_file(const links_world_t *world, const char *name);

/** Write the file, or read it; "(none)" where there is none. */
void links_write(const links_world_t *world, const char *text);
const char *links_read(const links_world_t *world);

/** Open it; the test fails if that does. */
orp_links_t *links_open(const links_world_t *world);

/** The account of an identifier, "(none)", or "(failed)". */
const char *links_account(const links_world_t *world,
                          const orp_links_t *links, const char *identifier);

/** All links, "IDENTIFIER=ACCOUNT" and a newline each. */
const char *links_all(const links_world_t *world, const orp_links_t *links);

/** The mistakes, with a newline behind each. */
const char *links_mistakes(const links_world_t *world,
                           const orp_links_t *links);

/** Edit, and keep what it says. */
apr_status_t links_add(links_world_t *world, const char *identifier,
                       const char *account);
apr_status_t links_remove(links_world_t *world, const char *identifier,
                          const char *account);

/** How many files the folder has. */
int links_files(const links_world_t *world);

/** Run it in a child, as a user who is not root if we are; what it returns, 0
 * to 99. It must not use cmocka. */
int links_as_somebody(links_world_t *world, int (*run)(links_world_t *world));

/** How a child has ended; the test fails where that was no exit. */
int links_wait(pid_t child);

#endif
