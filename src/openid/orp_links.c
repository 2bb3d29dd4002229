/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_links.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_time.h>

#include "orp_links_dbm.h"
#include "orp_links_file.h"

/* Within this time, a file system may give two changes the same time. */
#define SETTLES apr_time_from_sec(2)

/* How often a file is read again that is being written. */
#define READS 3

struct orp_links_t {
    int is_dbm;
    orp_links_dbm_t dbm;        /* of a text file, its path only */
    orp_links_table_t *table;   /* NULL of a dbm */
    struct stat info;           /* of a text file, before it was read */
    apr_time_t settled;         /* when to look again, or 0 */
    apr_array_header_t *mistakes;
};

static apr_status_t read_place(orp_links_t *links, const char *place,
                               orp_reason_t *why)
{
    links->is_dbm = !strncmp(place, "dbm:", 4);
    if ((!links->is_dbm && strncmp(place, "txt:", 4)) || !place[4]) {
        return orp_reason_set(why, ORP_ELINKS, place,
                              "\"%s\" is not a place of links such as "
                              "txt:PATH or dbm:PATH.", place);
    }
    links->dbm.path = place + 4;
    links->dbm.type = ORP_LINKS_DBM_TYPE;
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* Reading */

static apr_time_t nanoseconds(const struct timespec *time)
{
    return (apr_time_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

/* The time of change of the inode too: that of the contents can be set. */
static int is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino
        && a->st_size == b->st_size
        && nanoseconds(&a->st_mtim) == nanoseconds(&b->st_mtim)
        && nanoseconds(&a->st_ctim) == nanoseconds(&b->st_ctim);
}

/* The whole text. One that somebody is writing at the moment may end in the
 * midst of an account. */
static apr_status_t read_text(orp_links_text_t *ptext, orp_links_t *links,
                              orp_reason_t *why, apr_pool_t *pool)
{
    struct stat after;
    apr_status_t status;
    int reads = 0;

    do {
        apr_pool_clear(pool);
        status = orp_links_file_read(ptext, &links->info, links->dbm.path,
                                     why, pool);
    } while (status == APR_SUCCESS && ++reads < READS
             && stat(links->dbm.path, &after) == 0
             && !is_same(&after, &links->info));
    return status;
}

static apr_status_t open_text(orp_links_t *links, orp_reason_t *why,
                              apr_pool_t *pool)
{
    apr_time_t now = apr_time_now(), changed;
    orp_links_text_t text;
    apr_pool_t *scratch;
    apr_status_t status = apr_pool_create(&scratch, pool);

    if (status != APR_SUCCESS) {
        return ORP_ELINKS;
    }
    status = read_text(&text, links, why, scratch);
    if (status == APR_SUCCESS) {
        status = orp_links_table_read(&links->table, &text, pool);
    }
    apr_pool_destroy(scratch);
    if (status != APR_SUCCESS) {
        return ORP_ELINKS;
    }
    links->mistakes = links->table->mistakes;
    changed = nanoseconds(&links->info.st_ctim) / 1000;
    links->settled = changed + SETTLES > now ? changed + SETTLES : 0;
    return APR_SUCCESS;
}

apr_status_t orp_links_open(orp_links_t **plinks, const char *place,
                            orp_reason_t *why, apr_pool_t *pool)
{
    orp_links_t *links = apr_pcalloc(pool, sizeof(*links));
    apr_status_t status = read_place(links, apr_pstrdup(pool, place), why);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (links->is_dbm) {
        links->mistakes = apr_array_make(pool, 1, sizeof(const char *));
        status = orp_links_dbm_look(&links->dbm, why, pool);
    }
    else {
        status = open_text(links, why, pool);
    }
    if (status == APR_SUCCESS) {
        *plinks = links;
    }
    return status;
}

int orp_links_is_stale(const orp_links_t *links)
{
    struct stat now;

    if (links->is_dbm) {
        return 0;
    }
    return stat(links->dbm.path, &now) != 0 || !is_same(&now, &links->info)
        || (links->settled && apr_time_now() >= links->settled);
}

const apr_array_header_t *orp_links_mistakes(const orp_links_t *links)
{
    return links->mistakes;
}

apr_status_t orp_links_check(apr_array_header_t **pmistakes,
                             const orp_links_t *links, apr_pool_t *pool)
{
    apr_array_header_t *list;

    if (links->is_dbm) {
        return orp_links_dbm_list(&list, pmistakes, &links->dbm, pool);
    }
    *pmistakes = apr_array_copy(pool, links->mistakes);
    return APR_SUCCESS;
}

apr_status_t orp_links_find(const char **paccount, const orp_links_t *links,
                            const char *claimed_id, apr_pool_t *pool)
{
    const char *identifier, *account;

    if (orp_links_identifier(&identifier, claimed_id, NULL, pool)
        != APR_SUCCESS) {
        return ORP_ENOTFOUND;
    }
    if (links->is_dbm) {
        return orp_links_dbm_find(paccount, &links->dbm, identifier, NULL,
                                  pool);
    }
    account = orp_links_table_find(links->table, identifier);
    if (!account) {
        return ORP_ENOTFOUND;
    }
    *paccount = apr_pstrdup(pool, account);
    return APR_SUCCESS;
}

apr_status_t orp_links_list(apr_array_header_t **plist,
                            const orp_links_t *links, apr_pool_t *pool)
{
    apr_array_header_t *mistakes;

    if (links->is_dbm) {
        return orp_links_dbm_list(plist, &mistakes, &links->dbm, pool);
    }
    *plist = apr_array_copy(pool, links->table->list);
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* Changing */

/* orp_links_text_add or orp_links_text_remove */
typedef apr_status_t edit_fn(orp_links_text_t *pnew,
                             const orp_links_text_t *text,
                             const orp_link_t *link, orp_reason_t *why,
                             apr_pool_t *pool);

static apr_status_t edit_held(orp_links_hold_t *hold, edit_fn *edit,
                              const orp_link_t *link)
{
    orp_links_text_t text = { "", 0 }, changed;
    struct stat info;
    apr_status_t status = APR_SUCCESS;

    if (hold->exists || edit != orp_links_text_add) {
        status = orp_links_file_read(&text, &info, hold->path, hold->why,
                                     hold->pool);
    }
    if (status == APR_SUCCESS) {
        status = edit(&changed, &text, link, hold->why, hold->pool);
    }
    if (status != APR_SUCCESS || changed.bytes == text.bytes) {
        return status == APR_ENOENT ? ORP_ELINKS : status;
    }
    status = orp_links_hold_write(hold, &changed);
    return status == APR_SUCCESS ? orp_links_hold_commit(hold) : status;
}

static apr_status_t edit_text(const char *path, edit_fn *edit,
                              const orp_link_t *link, orp_reason_t *why,
                              apr_pool_t *pool)
{
    orp_links_hold_t *hold;
    apr_status_t status = orp_links_hold(&hold, path, why, pool);

    if (status == APR_SUCCESS) {
        status = edit_held(hold, edit, link);
        orp_links_hold_end(hold);
    }
    return status;
}

apr_status_t orp_links_add(const char *place, const char *identifier,
                           const char *account, orp_reason_t *why,
                           apr_pool_t *pool)
{
    orp_links_t links = { 0 };
    orp_link_t link = { NULL, account };
    const char *fault = orp_links_account_fault(account, strlen(account));
    apr_status_t status = read_place(&links, place, why);

    if (status == APR_SUCCESS) {
        status = orp_links_identifier(&link.identifier, identifier, why,
                                      pool);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    if (fault) {
        return orp_reason_set(why, APR_EINVAL, account, "The account %s.",
                              fault);
    }
    return links.is_dbm ? orp_links_dbm_add(&links.dbm, &link, why, pool)
        : edit_text(links.dbm.path, orp_links_text_add, &link, why, pool);
}

apr_status_t orp_links_remove(const char *place, const char *identifier,
                              const char *account, orp_reason_t *why,
                              apr_pool_t *pool)
{
    orp_links_t links = { 0 };
    orp_link_t link = { NULL, account };
    apr_status_t status = read_place(&links, place, why);

    if (status == APR_SUCCESS) {
        status = orp_links_identifier(&link.identifier, identifier, why,
                                      pool);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    return links.is_dbm ? orp_links_dbm_remove(&links.dbm, &link, why, pool)
        : edit_text(links.dbm.path, orp_links_text_remove, &link, why, pool);
}
