/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_links_file.h - reading a file of links, and replacing it by another.
 *
 * Beside PATH stand, while it is changed,
 *
 *     PATH.lock   the lock, by flock(); who has it removes it. Who comes next
 *                 makes a new one, so a lock counts only while its name still
 *                 means the same file. One that a killed editor has left is
 *                 nobody's lock.
 *     PATH.new    what PATH will be. It is renamed when it is on the disk. One
 *                 that a killed editor has left is thrown away.
 */
#ifndef ORP_LINKS_FILE_H
#define ORP_LINKS_FILE_H

#include <sys/stat.h>

#include "orp_links_text.h"

/** How long an editor waits for another, in microseconds. */
#define ORP_LINKS_PATIENCE apr_time_from_sec(60)

/** All of a file, and what it was like before it was read.
 * @return APR_SUCCESS; APR_ENOENT where there is none; ORP_ELINKS; why says
 *         it in any case */
ORP_MUST_USE apr_status_t orp_links_file_read(orp_links_text_t *ptext,
                                              struct stat *pinfo,
                                              const char *path,
                                              orp_reason_t *why,
                                              apr_pool_t *pool);

/** One editor's hold on a file. */
typedef struct orp_links_hold_t {
    const char *path;           /* where the file really is: no link */
    const char *lock_path;
    const char *new_path;
    int lock;                   /* descriptors; -1 */
    int made;                   /* there is a PATH.new of ours */
    int exists;                 /* PATH does; and then: */
    struct stat info;
    orp_reason_t *why;
    apr_pool_t *pool;
} orp_links_hold_t;

/**
 * Wait for the lock. The file itself may be missing, its folder not.
 * @return APR_SUCCESS, or ORP_ELINKS
 */
ORP_MUST_USE apr_status_t orp_links_hold(orp_links_hold_t **phold,
                                         const char *path,
                                         orp_reason_t *why,
                                         apr_pool_t *pool);

/**
 * Make PATH.new, with what PATH has of owner, group and mode.
 * @param text  what will be in it; NULL: what is in PATH, and where there is
 *              none, the caller makes it
 * @return APR_SUCCESS, or ORP_ELINKS
 */
ORP_MUST_USE apr_status_t orp_links_hold_write(orp_links_hold_t *hold,
                                               const orp_links_text_t *text);

/** PATH.new becomes PATH, for good.
 * @return APR_SUCCESS; ORP_ELINKS, also where PATH was changed since
 *         orp_links_hold() by somebody who does not know of the lock */
ORP_MUST_USE apr_status_t orp_links_hold_commit(orp_links_hold_t *hold);

/** Let go: a PATH.new that was not committed is removed, and the lock. */
void orp_links_hold_end(orp_links_hold_t *hold);

/** Record that something cannot be done to a file, from errno.
 * @return ORP_ELINKS */
apr_status_t orp_links_file_fault(orp_reason_t *why, const char *doing,
                                  const char *path);

#endif
