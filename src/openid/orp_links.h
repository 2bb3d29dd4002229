/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_links.h - which local account an identifier belongs to.
 *
 * Links are kept in a file that people edit, or in a dbm:
 *
 *     # a comment; empty lines are as good
 *     https://example.com/alice        alice
 *     Example.COM/~al                  alice
 *     https://example.com/bob#2024     Bob Miller
 *     =!91F2.8153.F600.AE24            carol
 *
 * A line is an identifier, blanks (spaces and tabs), and an account: the rest
 * of the line, without the blanks around it. Lines end with LF or CRLF. An
 * account is 1 to ORP_LINKS_ACCOUNT_MAX bytes of UTF-8 without control
 * characters. Several identifiers may have one account.
 *
 * Identifiers are compared in their normalized form only (orp_identifier.h),
 * so what a person types is as good. A fragment takes part: a provider that
 * gives a name to somebody else gives it another fragment (OpenID
 * Authentication 2.0, 11.5.1), so X#1, X#2 and X are three identifiers. So
 * are http://X and https://X.
 *
 * A line that cannot be used gives nobody an account, and is one of the
 * mistakes; the others work. An identifier that has two accounts has none.
 *
 * In a dbm (of APR's default type) the keys are normalized identifiers and the
 * values accounts, both without a NUL behind, as httpd's httxt2dbm makes them.
 */
#ifndef ORP_LINKS_H
#define ORP_LINKS_H

#include <apr_tables.h>

#include "orp_status.h"

/** The longest account, in bytes. */
#define ORP_LINKS_ACCOUNT_MAX 255

/** The largest text file that is read, in bytes. */
#define ORP_LINKS_FILE_MAX (16 * 1024 * 1024)

/** How many mistakes are told one by one; a last sentence counts the rest. */
#define ORP_LINKS_MISTAKES 100

/** The links of one place. Many threads may use it at the same time. */
typedef struct orp_links_t orp_links_t;

/** One link. */
typedef struct {
    const char *identifier;     /* normalized */
    const char *account;
} orp_link_t;

/* ---------------------------------------------------------------------- */
/* Reading */

/**
 * Open links: read a text file as a whole, or see whether a dbm can be opened.
 * @param plinks  set on success; lives as long as pool
 * @param place   "txt:PATH" or "dbm:PATH"
 * @param why     says what is wrong, with the path
 * @return APR_SUCCESS, also where lines cannot be used; ORP_ELINKS for
 *         another place, and for what cannot be read: a missing file, one
 *         that is too large, or none at all (a folder, a pipe)
 */
ORP_MUST_USE apr_status_t orp_links_open(orp_links_t **plinks,
                                         const char *place,
                                         orp_reason_t *why,
                                         apr_pool_t *pool);

/**
 * Was the text file changed, replaced or removed since it was opened (device,
 * inode, size, time of change)? A file that was changed within two seconds
 * before it was opened is said to be stale once when these are over: some
 * file systems cannot tell two changes of one moment apart. Asks the file
 * system once. A dbm is never stale: each find looks at it anew.
 */
int orp_links_is_stale(const orp_links_t *links);

/**
 * One sentence for each line that cannot be used, with its number, in their
 * order (const char *). They quote the file: escape them where they are shown.
 * Empty for a dbm: see orp_links_check().
 */
const apr_array_header_t *orp_links_mistakes(const orp_links_t *links);

/** The same, but of a dbm its records that cannot be used; of a dbm, all are
 * read. @return APR_SUCCESS, or ORP_ELINKS */
ORP_MUST_USE apr_status_t orp_links_check(apr_array_header_t **pmistakes,
                                          const orp_links_t *links,
                                          apr_pool_t *pool);

/**
 * Find the account of an identifier.
 * @param paccount    set on success; lives in pool
 * @param claimed_id  a claimed identifier, its fragment kept; need not be
 *                    normalized
 * @return APR_SUCCESS; ORP_ENOTFOUND where it has none; ORP_ELINKS where a dbm
 *         cannot be read, or holds something for it that is no account
 */
ORP_MUST_USE apr_status_t orp_links_find(const char **paccount,
                                         const orp_links_t *links,
                                         const char *claimed_id,
                                         apr_pool_t *pool);

/**
 * All links that can be used (of orp_link_t), each once: of a text file in the
 * file's order, of a dbm in any.
 * @return APR_SUCCESS, or ORP_ELINKS where a dbm cannot be read
 */
ORP_MUST_USE apr_status_t orp_links_list(apr_array_header_t **plist,
                                         const orp_links_t *links,
                                         apr_pool_t *pool);

/* ---------------------------------------------------------------------- */
/* Changing. One editor at a time: others wait for its lock, a file PATH.lock
 * that is removed again; after a minute they give up. A text file, or a dbm of
 * one file, is replaced as a whole, by way of a file PATH.new: who reads finds
 * the old one or the new one, also after a crash. Owner, group and permissions
 * are kept, and a symbolic link stays one. What fails changes nothing. */

/**
 * Add a link: a line at the end. The file is made, with mode 0644 less the
 * umask, where there is none. What is there already is a success that changes
 * nothing.
 * @param identifier  as a person types it; written in its normalized form
 * @param account     blanks around it are refused
 * @return APR_SUCCESS; ORP_EIDENTIFIER or APR_EINVAL for an identifier or an
 *         account that cannot be one; ORP_EEXISTS where the identifier has
 *         another account; ORP_ELINKS where the file cannot be changed
 */
ORP_MUST_USE apr_status_t orp_links_add(const char *place,
                                        const char *identifier,
                                        const char *account,
                                        orp_reason_t *why, apr_pool_t *pool);

/**
 * Remove the links of an identifier: its lines, and nothing else.
 * @param account  only those to this account; NULL for all, also lines whose
 *                 account cannot be used
 * @return APR_SUCCESS; ORP_EIDENTIFIER; ORP_ENOTFOUND where there is none;
 *         ORP_ELINKS where the file cannot be changed
 */
ORP_MUST_USE apr_status_t orp_links_remove(const char *place,
                                           const char *identifier,
                                           const char *account,
                                           orp_reason_t *why,
                                           apr_pool_t *pool);

/**
 * The form in which identifiers are compared: normalized, the fragment kept.
 * @return APR_SUCCESS, or ORP_EIDENTIFIER; blanks cannot stand in it
 */
ORP_MUST_USE apr_status_t orp_links_identifier(const char **pidentifier,
                                               const char *text,
                                               orp_reason_t *why,
                                               apr_pool_t *pool);

#endif
