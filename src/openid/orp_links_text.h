/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_links_text.h - links as a text: reading it, and what it becomes by an
 * edit. Nothing here knows a file. orp_links.h says what the text looks like.
 */
#ifndef ORP_LINKS_TEXT_H
#define ORP_LINKS_TEXT_H

#include <apr_hash.h>

#include "orp_links.h"

/** Any bytes, also NUL; none need stand behind. */
typedef struct orp_links_text_t {
    const char *bytes;
    apr_size_t size;
} orp_links_text_t;

/** One line. Strings live in the pool that it was read with. */
typedef struct orp_links_line_t {
    const char *begin;          /* in the text, behind a byte order mark */
    const char *end;            /* behind its line end */
    int number;                 /* counted from 1 */
    const char *identifier;     /* normalized; NULL where it is none */
    const char *account;        /* NULL where it is none */
    const char *mistake;        /* a sentence, or NULL: then it is a link, or,
                                 * without an identifier, a comment */
} orp_links_line_t;

/**
 * Read the next line.
 * @param line  all 0 before the first
 * @return 0 where there is none
 */
int orp_links_line_next(orp_links_line_t *line, const orp_links_text_t *text,
                        apr_pool_t *pool);

/** A text that has been read. */
typedef struct orp_links_table_t {
    apr_hash_t *entries;                /* of identifiers; private */
    apr_array_header_t *list;           /* of orp_link_t */
    apr_array_header_t *mistakes;       /* of const char * */
} orp_links_table_t;

ORP_MUST_USE apr_status_t orp_links_table_read(orp_links_table_t **ptable,
                                               const orp_links_text_t *text,
                                               apr_pool_t *pool);

/** The account of a normalized identifier, or NULL; it lives in the table. */
const char *orp_links_table_find(const orp_links_table_t *table,
                                 const char *identifier);

/**
 * What the text is with one more link.
 * @param pnew  set on success; the bytes of text, where nothing changes
 * @param link  checked already
 * @return as orp_links_add()
 */
ORP_MUST_USE apr_status_t orp_links_text_add(orp_links_text_t *pnew,
                                             const orp_links_text_t *text,
                                             const orp_link_t *link,
                                             orp_reason_t *why,
                                             apr_pool_t *pool);

/**
 * What the text is without a link.
 * @param pnew  set on success
 * @param link  its account may be NULL
 * @return as orp_links_remove()
 */
ORP_MUST_USE apr_status_t orp_links_text_remove(orp_links_text_t *pnew,
                                                const orp_links_text_t *text,
                                                const orp_link_t *link,
                                                orp_reason_t *why,
                                                apr_pool_t *pool);

/* ---------------------------------------------------------------------- */
/* What a dbm needs too */

/** What is wrong with an account: words behind "the account", or NULL. */
const char *orp_links_account_fault(const char *bytes, apr_size_t size);

/** A text as it stands in a sentence: not more than its beginning. */
const char *orp_links_quoted(const char *text, apr_pool_t *pool);

/** The sentences that refuse an edit, and their status. */
apr_status_t orp_links_refuse_other(const orp_link_t *link,
                                    const char *account, orp_reason_t *why);
apr_status_t orp_links_refuse_missing(const orp_link_t *link,
                                      orp_reason_t *why);

#endif
