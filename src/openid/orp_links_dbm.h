/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_links_dbm.h - links in a dbm. Each call opens and closes it. */
#ifndef ORP_LINKS_DBM_H
#define ORP_LINKS_DBM_H

#include "orp_links.h"

/** A dbm, and its type, as apr_dbm_open_ex() names it. */
typedef struct orp_links_dbm_t {
    const char *path;
    const char *type;
} orp_links_dbm_t;

/** The type that APR makes where nothing else is said. */
#define ORP_LINKS_DBM_TYPE "default"

/** Can it be opened? @return APR_SUCCESS, or ORP_ELINKS */
ORP_MUST_USE apr_status_t orp_links_dbm_look(const orp_links_dbm_t *dbm,
                                             orp_reason_t *why,
                                             apr_pool_t *pool);

/** As orp_links_find(), of a normalized identifier. */
ORP_MUST_USE apr_status_t orp_links_dbm_find(const char **paccount,
                                             const orp_links_dbm_t *dbm,
                                             const char *identifier,
                                             orp_reason_t *why,
                                             apr_pool_t *pool);

/** All links that can be used, and sentences about the rest. */
ORP_MUST_USE apr_status_t orp_links_dbm_list(apr_array_header_t **plist,
                                             apr_array_header_t **pmistakes,
                                             const orp_links_dbm_t *dbm,
                                             apr_pool_t *pool);

/** As orp_links_add() and orp_links_remove(); link has been checked. A dbm of
 * two files is changed in place, under the lock; APR locks it against readers
 * then. */
ORP_MUST_USE apr_status_t orp_links_dbm_add(const orp_links_dbm_t *dbm,
                                            const orp_link_t *link,
                                            orp_reason_t *why,
                                            apr_pool_t *pool);
ORP_MUST_USE apr_status_t orp_links_dbm_remove(const orp_links_dbm_t *dbm,
                                               const orp_link_t *link,
                                               orp_reason_t *why,
                                               apr_pool_t *pool);

#endif
