/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_links.h - OpenIDLinks: the accounts of identifiers, in a running
 * server.
 *
 * A text file is read by each process when it first needs it, and again as
 * soon as it has changed: each lookup asks the file system. A lookup in a dbm
 * opens it. A database is asked through mod_dbd. What cannot be read says
 * nothing about anybody: that is not the same as having no account.
 */
#ifndef OPENID2RP_LINKS_H
#define OPENID2RP_LINKS_H

#include "openid2rp_config.h"

/** What becomes of those who have no link. */
typedef enum {
    OPENID2RP_MISSING_DENY,         /* they are nobody */
    OPENID2RP_MISSING_IDENTIFIER,   /* their identifier is their name */
    OPENID2RP_MISSING_REGISTER      /* they may open one page */
} openid2rp_missing_e;

/** OpenIDLinks. */
typedef struct openid2rp_links_t {
    openid2rp_missing_e missing;
    const char *register_path;  /* of MISSING_REGISTER, or NULL */
    const char *place;          /* "txt:PATH", "dbm:PATH"; "dbd" */
    struct openid2rp_links_file_t *file;    /* or NULL: dbd, .htaccess */
    const struct openid2rp_links_dbd_t *dbd;    /* or NULL */
} openid2rp_links_t;

/**
 * Read the directive. A file is read as well, and its mistakes are mistakes
 * of the directive; at a restart, they are lines of the log, for the server
 * was running with that file.
 * @param missing  the second argument, or NULL
 * @return NULL, or the sentence that stops httpd
 */
const char *openid2rp_links_read(openid2rp_links_t **plinks, cmd_parms *cmd,
                                 const char *place, const char *missing);

/**
 * Find the account of an identifier, by the links that are in force for a
 * request.
 * @param paccount  set on success; lives as long as the request
 * @param why       where they cannot be read, a sentence for the user; the log
 *                  has the reason
 * @return APR_SUCCESS; ORP_ENOTFOUND for no account; ORP_ENOACCOUNT where a
 *         database has several; ORP_ELINKS
 */
ORP_MUST_USE apr_status_t openid2rp_links_find(const char **paccount,
                                               request_rec *r,
                                               const char *claimed_id,
                                               orp_reason_t *why);

/* ---------------------------------------------------------------------- */
/* For openid2rp_links.c: the two sorts of places, as above */

typedef struct openid2rp_links_file_t openid2rp_links_file_t;
typedef struct openid2rp_links_dbd_t openid2rp_links_dbd_t;

/** @param place  "txt:PATH" or "dbm:PATH", the path absolute */
const char *openid2rp_links_file_read(openid2rp_links_file_t **pfile,
                                      cmd_parms *cmd, const char *place);
ORP_MUST_USE apr_status_t openid2rp_links_file_find(
    const char **paccount, openid2rp_links_file_t *file, request_rec *r,
    const char *claimed_id, orp_reason_t *why);

const char *openid2rp_links_dbd_read(const openid2rp_links_dbd_t **pdbd,
                                     cmd_parms *cmd, const char *query);
ORP_MUST_USE apr_status_t openid2rp_links_dbd_find(
    const char **paccount, const openid2rp_links_dbd_t *dbd, request_rec *r,
    const char *claimed_id, orp_reason_t *why);

#endif
