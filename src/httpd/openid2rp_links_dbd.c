/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_links_dbd.c - OpenIDLinks in a database, through mod_dbd.
 *
 * The query is prepared when mod_dbd connects, and the identifier is a
 * parameter of it, so that nothing in it is taken for SQL. A connection is
 * held for the query only: mod_dbd has few of them, and requests can be long.
 */

#include "openid2rp_links.h"

#include <apr_atomic.h>
#include <apr_dbd.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <mod_dbd.h>

#include "openid2rp_values.h"

#define ALL_KEY "openid2rp:dbd"

typedef APR_OPTIONAL_FN_TYPE(ap_dbd_open) open_fn;
typedef APR_OPTIONAL_FN_TYPE(ap_dbd_close) close_fn;

struct openid2rp_links_dbd_t {
    const char *query;
    const char *label;          /* of the query, at mod_dbd */
    open_fn *open;
    close_fn *close;
    apr_uint32_t *failed;       /* it cannot be asked, and the log says so */
};

/* ---------------------------------------------------------------------- */
/* At start */

/* Behind what begins at c: a text or a name in quotation marks, or a comment;
 * c itself where none begins. A doubled mark in a text begins another text,
 * which is as good. MySQL's backslashes are not seen. */
static const char *skip_quoted(const char *c)
{
    const char *end = c;

    if (strchr("'\"`", *c)) {
        end = strchr(c + 1, *c);
        return end ? end + 1 : c + strlen(c);
    }
    if (!strncmp(c, "/*", 2)) {
        end = strstr(c + 2, "*/");
        return end ? end + 2 : c + strlen(c);
    }
    return strncmp(c, "--", 2) ? c : c + strcspn(c, "\r\n");
}

/* APR takes "%" and a letter for a parameter, and "%%" for "%". */
static const char *check_query(cmd_parms *cmd, const char *query)
{
    int parameters = 0;
    const char *c, *quoted = query;     /* up to there */

    for (c = query; *c; c++) {
        if (c >= quoted) {
            quoted = skip_quoted(c);
        }
        if (c[0] != '%') {
            continue;
        }
        if (c[1] == 's' && c < quoted) {
            return openid2rp_mistake(cmd, "%%s stands between quotation "
                                     "marks or in a comment of the query; "
                                     "only outside of them the identifier "
                                     "takes its place.");
        }
        if (apr_isalpha(c[1])) {
            if (c[1] != 's' || apr_isalnum(c[2])) {
                return openid2rp_mistake(cmd, "\"%.3s\" in the query is not "
                                         "%%s; a percent sign is written "
                                         "%%%%.", c);
            }
            parameters++;
        }
        c += c[1] == '%';
    }
    return parameters == 1 ? NULL
        : openid2rp_mistake(cmd, "the query must have %%s once, where the "
                            "identifier belongs, and has it %d times.",
                            parameters);
}

/* What is known of a query of this server already, in the configuration that
 * is just being read. */
static openid2rp_links_dbd_t *dbd_of(cmd_parms *cmd, const char *query)
{
    const char *key = apr_psprintf(cmd->pool, "%pp %s",
                                   (const void *)cmd->server, query);
    void *data = NULL;
    apr_hash_t *all;
    openid2rp_links_dbd_t *dbd;

    apr_pool_userdata_get(&data, ALL_KEY, cmd->pool);
    all = data;
    if (!all) {
        all = apr_hash_make(cmd->pool);
        apr_pool_userdata_setn(all, ALL_KEY, NULL, cmd->pool);
    }
    dbd = apr_hash_get(all, key, APR_HASH_KEY_STRING);
    if (!dbd) {
        dbd = apr_pcalloc(cmd->pool, sizeof(*dbd));
        apr_hash_set(all, key, APR_HASH_KEY_STRING, dbd);
        dbd->query = apr_pstrdup(cmd->pool, query);
        dbd->failed = apr_pcalloc(cmd->pool, sizeof(*dbd->failed));
        /* some databases take it for the name of the statement */
        dbd->label = apr_psprintf(cmd->pool, "openid2rp_links_%u",
                                  apr_hash_count(all));
    }
    return dbd;
}

const char *openid2rp_links_dbd_read(const openid2rp_links_dbd_t **pdbd,
                                     cmd_parms *cmd, const char *query)
{
    APR_OPTIONAL_FN_TYPE(ap_dbd_prepare) *prepare
        = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_prepare);
    const char *error = check_query(cmd, query);
    openid2rp_links_dbd_t *dbd;

    if (error) {
        return error;
    }
    if (ap_check_cmd_context(cmd, NOT_IN_HTACCESS)) {
        return openid2rp_mistake(cmd, "dbd: cannot stand in .htaccess: "
                                 "queries are prepared when httpd starts.");
    }
    dbd = dbd_of(cmd, query);
    if (!dbd->open) {
        dbd->open = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_open);
        dbd->close = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_close);
        if (!prepare || !dbd->open || !dbd->close) {
            return openid2rp_mistake(cmd, "dbd: needs mod_dbd, which is not "
                                     "loaded.");
        }
        prepare(cmd->server, dbd->query, dbd->label);
    }
    *pdbd = dbd;
    return NULL;
}

/* ---------------------------------------------------------------------- */
/* In requests */

/* Once until it can be asked again; for each process. */
static apr_status_t fail(const openid2rp_links_dbd_t *dbd, request_rec *r,
                         const char *sentence, orp_reason_t *why)
{
    int said = apr_atomic_xchg32(dbd->failed, 1) != 0;

    ap_log_rerror(APLOG_MARK, said ? APLOG_DEBUG : APLOG_ERR, 0, r,
                  O2RP(262) "OpenIDLinks: accounts cannot be looked up: %s",
                  sentence);
    return orp_reason_set(why, ORP_ELINKS, NULL,
                          "Accounts cannot be looked up at the moment.");
}

/* The one account in the first column. All rows must be fetched, or some
 * drivers cannot use the connection again. */
static apr_status_t read_rows(const char **paccount,
                              const ap_dbd_t *database,
                              apr_dbd_results_t *results, apr_pool_t *pool,
                              apr_pool_t *scratch)
{
    const char *account = NULL;
    int several = 0;
    apr_dbd_row_t *row = NULL;

    while (!apr_dbd_get_row(database->driver, scratch, results, &row, -1)) {
        const char *value = apr_dbd_get_entry(database->driver, row, 0);

        if (value && *value && !account) {
            account = apr_pstrdup(pool, value);
        }
        else if (value && *value && strcmp(value, account)) {
            several = 1;
        }
        row = NULL;
    }
    if (several) {
        return ORP_ENOACCOUNT;
    }
    if (!account) {
        return ORP_ENOTFOUND;
    }
    *paccount = account;
    return APR_SUCCESS;
}

/* The query with the identifier in it. Only for SQLite, where a text has no
 * other escapes than two quotation marks for one. */
static const char *write_out(const char *query, const char *identifier,
                             const ap_dbd_t *database, apr_pool_t *pool)
{
    const char *escaped = apr_dbd_escape(database->driver, pool, identifier,
                                         database->handle);
    const char *text = "", *mark;

    for (; (mark = strchr(query, '%')); query = mark + 1) {
        text = apr_pstrcat(pool, text,
                           apr_pstrmemdup(pool, query,
                                          (apr_size_t)(mark - query)), NULL);
        if (mark[1] == 's') {
            text = apr_pstrcat(pool, text, "'", escaped, "'", NULL);
        }
        else {
            text = apr_pstrcat(pool, text, "%", NULL);
        }
        mark += mark[1] == 's' || mark[1] == '%';
    }
    return apr_pstrcat(pool, text, query, NULL);
}

/* @return 0, or an error of the driver */
static int ask(apr_dbd_results_t **presults,
               const openid2rp_links_dbd_t *dbd, const ap_dbd_t *database,
               const char *claimed_id, apr_pool_t *scratch)
{
    apr_dbd_prepared_t *query = apr_hash_get(database->prepared, dbd->label,
                                             APR_HASH_KEY_STRING);
    int error = query
        ? apr_dbd_pvselect(database->driver, scratch, database->handle,
                           presults, query, 0, claimed_id, NULL)
        : APR_EGENERAL;
    int tries;

    /* what APR has prepared in SQLite is of no use any more when somebody has
     * changed any table, and would be of none until httpd restarts; and the
     * first query after that may fail, too */
    for (tries = 2; error && tries > 0
         && !strcmp(apr_dbd_name(database->driver), "sqlite3"); tries--) {
        *presults = NULL;
        error = apr_dbd_select(database->driver, scratch, database->handle,
                               presults, write_out(dbd->query, claimed_id,
                                                   database, scratch), 0);
    }
    return error;
}

/* What results hold of the connection goes with scratch, before the
 * connection is somebody else's. */
static apr_status_t look_up(const char **paccount,
                            const openid2rp_links_dbd_t *dbd, request_rec *r,
                            const char *claimed_id, orp_reason_t *why)
{
    ap_dbd_t *database = dbd->open(r->pool, r->server);
    apr_dbd_results_t *results = NULL;
    apr_pool_t *scratch;
    apr_status_t status;
    int error;

    if (!database) {
        return fail(dbd, r, "mod_dbd has no connection to the database, or "
                    "it does not take the query", why);
    }
    apr_pool_create(&scratch, r->pool);
    error = ask(&results, dbd, database, claimed_id, scratch);
    if (error) {
        const char *said = apr_dbd_error(database->driver, database->handle,
                                         error);

        status = fail(dbd, r, said ? said : "the query failed", why);
    }
    else {
        apr_atomic_set32(dbd->failed, 0);
        status = read_rows(paccount, database, results, r->pool, scratch);
    }
    apr_pool_destroy(scratch);
    dbd->close(r->server, database);
    return status;
}

apr_status_t openid2rp_links_dbd_find(const char **paccount,
                                      const openid2rp_links_dbd_t *dbd,
                                      request_rec *r, const char *claimed_id,
                                      orp_reason_t *why)
{
    apr_status_t status = look_up(paccount, dbd, r, claimed_id, why);

    if (status != ORP_ENOACCOUNT) {
        return status;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, O2RP(264)
                  "OpenIDLinks: the query has more than one account for %s, "
                  "so it has none", claimed_id);
    return orp_reason_set(why, status, claimed_id,
                          "%s belongs to more than one account here.",
                          claimed_id);
}
