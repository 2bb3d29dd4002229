/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_links_file.c - OpenIDLinks in files.
 *
 * Each process has one table for each file, whatever number of sections names
 * it. When the file has changed, whoever looks at it first reads it, and the
 * others wait for that: from then on nobody uses what it said before. Who is
 * still at work with the old table may end; the last one of them drops it.
 */

#include "openid2rp_links.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <http_core.h>

#include "openid2rp_values.h"
#include "orp_links.h"

#define FILES_KEY "openid2rp:links"

/* The longest line of the log about mistakes that is remembered. */
#define SAID_MAX 512

/* What the file said at one time. */
typedef struct {
    apr_pool_t *pool;           /* its own, in which it is itself */
    orp_links_t *links;
    int users;                  /* requests that are at work with it */
} table_t;

struct openid2rp_links_file_t {
    const char *place;
    apr_thread_mutex_t *mutex;  /* guards what follows; NULL in .htaccess,
                                 * where nothing is kept */
    table_t *table;             /* NULL: to be read */
    int failed;                 /* it cannot be read, and the log says so */
    char said[SAID_MAX];        /* what the log says of its mistakes */
};

static int is_htaccess(const cmd_parms *cmd)
{
    return cmd->pool == cmd->temp_pool;
}

/* ---------------------------------------------------------------------- */
/* At start */

/* It quotes the file: nothing of that may pass for another line, or move the
 * cursor of a terminal. */
static const char *printable(const char *text, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, text);
    char *c;

    for (c = copy; *c; c++) {
        if (apr_iscntrl(*c)) {
            *c = '?';
        }
    }
    return copy;
}

/* The first mistake, and how many there are besides; NULL for none. */
static const char *sum_up(const apr_array_header_t *mistakes,
                          const char *place, apr_pool_t *pool)
{
    const char *path = place + 4, *first;

    if (!mistakes->nelts) {
        return NULL;
    }
    first = printable(APR_ARRAY_IDX(mistakes, 0, const char *), pool);
    return mistakes->nelts == 1
        ? apr_psprintf(pool, "%s, %s", path, first)
        : apr_psprintf(pool, "%s, %s (and %d more)", path, first,
                       mistakes->nelts - 1);
}

/* What is wrong with it, in a sentence that lives in pool, or NULL. */
static const char *examine(const char *place, apr_pool_t *pool)
{
    orp_reason_t *why = orp_reason_create(pool);
    apr_array_header_t *mistakes;
    orp_links_t *links;

    if (orp_links_open(&links, place, why, pool) != APR_SUCCESS) {
        return why->sentence;
    }
    if (orp_links_check(&mistakes, links, pool) != APR_SUCCESS) {
        return apr_psprintf(pool, "\"%s\" cannot be read.", place);
    }
    return sum_up(mistakes, place, pool);
}

static apr_hash_t *files_of(apr_pool_t *pool)
{
    void *files = NULL;

    apr_pool_userdata_get(&files, FILES_KEY, pool);
    if (!files) {
        files = apr_hash_make(pool);
        apr_pool_userdata_setn(files, FILES_KEY, NULL, pool);
    }
    return files;
}

/* The configuration is read once more by a server that was running: what
 * somebody else did to a file must not end it now. */
static int is_restart(void)
{
    return ap_state_query(AP_SQ_CONFIG_GEN) > 1;
}

static const char *check(cmd_parms *cmd, const char *place)
{
    apr_pool_t *scratch;
    const char *wrong, *error = NULL;

    apr_pool_create(&scratch, cmd->temp_pool);
    wrong = examine(place, scratch);
    if (wrong && is_restart()) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, cmd->server, O2RP(261)
                     "OpenIDLinks: %s", wrong);
    }
    else if (wrong) {
        error = openid2rp_mistake(cmd, "%s", wrong);
    }
    apr_pool_destroy(scratch);
    return error;
}

const char *openid2rp_links_file_read(openid2rp_links_file_t **pfile,
                                      cmd_parms *cmd, const char *place)
{
    apr_hash_t *files = is_htaccess(cmd) ? NULL : files_of(cmd->pool);
    openid2rp_links_file_t *file
        = files ? apr_hash_get(files, place, APR_HASH_KEY_STRING) : NULL;
    const char *error = NULL;

    if (!file) {
        file = apr_pcalloc(cmd->pool, sizeof(*file));
        file->place = place;
        if (files) {
            error = check(cmd, place);
            if (!error && apr_thread_mutex_create(
                    &file->mutex, APR_THREAD_MUTEX_DEFAULT, cmd->pool)
                != APR_SUCCESS) {
                error = openid2rp_mistake(cmd, "there is no mutex for it.");
            }
            apr_hash_set(files, place, APR_HASH_KEY_STRING, file);
        }
    }
    *pfile = file;
    return error;
}

/* ---------------------------------------------------------------------- */
/* In requests */

/* Once until it can be read again; for each process. */
static apr_status_t unreadable(openid2rp_links_file_t *file, request_rec *r,
                               const char *sentence, orp_reason_t *why)
{
    int said = 0;

    if (file->mutex) {
        apr_thread_mutex_lock(file->mutex);
        said = file->failed;
        file->failed = 1;
        apr_thread_mutex_unlock(file->mutex);
    }
    ap_log_rerror(APLOG_MARK, said ? APLOG_DEBUG : APLOG_ERR, 0, r,
                  O2RP(262) "OpenIDLinks: accounts cannot be looked up: %s",
                  sentence);
    return orp_reason_set(why, ORP_ELINKS, NULL,
                          "Accounts cannot be looked up at the moment.");
}

/* Once for a sort of mistakes, though the file may be read again. */
static void tell_mistakes(openid2rp_links_file_t *file,
                          const orp_links_t *links, request_rec *r)
{
    const char *wrong = sum_up(orp_links_mistakes(links), file->place,
                               r->pool);

    if (wrong && strncmp(wrong, file->said, SAID_MAX - 1)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, O2RP(261)
                      "OpenIDLinks: %s", wrong);
    }
    apr_cpystrn(file->said, wrong ? wrong : "", SAID_MAX);
}

static void let_go(table_t *table)
{
    if (table && !table->users) {
        apr_pool_destroy(table->pool);
    }
}

/* With the mutex held. The table's memory is returned to the system with it:
 * it is not a child of any pool, nor does it share an allocator. */
static apr_status_t reload(openid2rp_links_file_t *file, request_rec *r,
                           orp_reason_t *why)
{
    table_t *old = file->table, *table;
    apr_pool_t *pool;
    apr_status_t status = apr_pool_create_unmanaged_ex(&pool, NULL, NULL);

    file->table = NULL;
    let_go(old);
    if (status != APR_SUCCESS) {
        return orp_reason_set(why, ORP_ELINKS, NULL, "no memory");
    }
    table = apr_pcalloc(pool, sizeof(*table));
    table->pool = pool;
    status = orp_links_open(&table->links, file->place, why, pool);
    if (status != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return status;
    }
    tell_mistakes(file, table->links, r);
    file->table = table;
    return APR_SUCCESS;
}

static apr_status_t acquire(table_t **ptable, openid2rp_links_file_t *file,
                            request_rec *r, orp_reason_t *why)
{
    apr_status_t status = APR_SUCCESS;

    apr_thread_mutex_lock(file->mutex);
    if (!file->table || orp_links_is_stale(file->table->links)) {
        status = reload(file, r, why);
    }
    if (status == APR_SUCCESS) {
        *ptable = file->table;
        (*ptable)->users++;
    }
    apr_thread_mutex_unlock(file->mutex);
    return status;
}

static void release(openid2rp_links_file_t *file, table_t *table,
                    apr_status_t status)
{
    apr_thread_mutex_lock(file->mutex);
    table->users--;
    if (table != file->table) {
        let_go(table);
    }
    if (status != ORP_ELINKS) {
        file->failed = 0;
    }
    apr_thread_mutex_unlock(file->mutex);
}

/* In .htaccess: the file may be another one at the next request. */
static apr_status_t find_once(const char **paccount,
                              openid2rp_links_file_t *file, request_rec *r,
                              const char *claimed_id, orp_reason_t *reading)
{
    orp_links_t *links;
    apr_status_t status = orp_links_open(&links, file->place, reading,
                                         r->pool);

    return status == APR_SUCCESS ? orp_links_find(paccount, links,
                                                  claimed_id, r->pool)
        : status;
}

static apr_status_t find_kept(const char **paccount,
                              openid2rp_links_file_t *file, request_rec *r,
                              const char *claimed_id, orp_reason_t *reading)
{
    table_t *table;
    apr_status_t status = acquire(&table, file, r, reading);

    if (status == APR_SUCCESS) {
        status = orp_links_find(paccount, table->links, claimed_id, r->pool);
        release(file, table, status);
    }
    return status;
}

apr_status_t openid2rp_links_file_find(const char **paccount,
                                       openid2rp_links_file_t *file,
                                       request_rec *r,
                                       const char *claimed_id,
                                       orp_reason_t *why)
{
    orp_reason_t *reading = orp_reason_create(r->pool);
    apr_status_t status = file->mutex
        ? find_kept(paccount, file, r, claimed_id, reading)
        : find_once(paccount, file, r, claimed_id, reading);

    if (status == APR_SUCCESS || status == ORP_ENOTFOUND) {
        return status;
    }
    return unreadable(file, r, *reading->sentence ? reading->sentence
                      : apr_psprintf(r->pool, "\"%s\" cannot be read, or has "
                                     "something for %s that is no account",
                                     file->place, claimed_id), why);
}
