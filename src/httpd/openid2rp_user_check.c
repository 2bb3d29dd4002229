/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_user_check.c - at start: does every section that names users have
 * what that needs? */

#include <apr_strings.h>
#include <http_core.h>

#include "openid2rp_user.h"

#define USES_KEY "openid2rp:users"

/* A section that has OpenIDRemoteUser or OpenIDLinks. */
typedef struct {
    const server_rec *s;
    const openid2rp_dir_t *dir;
    const char *place;          /* "line 3 of FILE" */
} use_t;

/* They hang from the configuration that is just being read, and go with it. */
static apr_array_header_t *uses_of(apr_pool_t *pconf)
{
    void *uses = NULL;

    apr_pool_userdata_get(&uses, USES_KEY, pconf);
    if (!uses) {
        uses = apr_array_make(pconf, 4, sizeof(use_t));
        apr_pool_userdata_setn(uses, USES_KEY, NULL, pconf);
    }
    return uses;
}

void openid2rp_user_note(cmd_parms *cmd, const openid2rp_dir_t *dir)
{
    use_t *use = apr_array_push(uses_of(cmd->pool));

    use->s = cmd->server;
    use->dir = dir;
    use->place = apr_psprintf(cmd->pool, "line %d of %s",
                              cmd->directive->line_num,
                              cmd->directive->filename);
}

static const openid2rp_dir_t *around(const server_rec *s)
{
    return ap_get_module_config(s->lookup_defaults, &openid2rp_module);
}

static int complain(const server_rec *s, const openid2rp_dir_t *dir,
                    const char *place)
{
    const char *objection = dir->remote_user
        ? openid2rp_user_objection(dir->remote_user, dir) : NULL;

    if (!objection) {
        return OK;
    }
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, O2RP(260)
                 "OpenIDRemoteUser: \"%s\" (%s) %s.", dir->remote_user->text,
                 place, objection);
    return !OK;
}

/* What an enclosing section of directories says cannot be seen: which of them
 * enclose one another depends on the request. */
static int check_sections(const apr_array_header_t *uses, apr_pool_t *pool)
{
    int i, result = OK;

    for (i = 0; i < uses->nelts && result == OK; i++) {
        const use_t *use = &APR_ARRAY_IDX(uses, i, use_t);

        if (use->dir->remote_user) {
            result = complain(use->s,
                              openid2rp_dir_merge(pool, (void *)around(use->s),
                                                  (void *)use->dir),
                              use->place);
        }
    }
    return result;
}

/* A virtual host may take back what its server-wide names need. */
static int check_hosts(const server_rec *s, apr_pool_t *pool)
{
    int result = OK;

    for (; s && result == OK; s = s->next) {
        result = complain(s, around(s), s->defn_name
                          ? apr_psprintf(pool, "for the virtual host at line "
                                         "%u of %s", s->defn_line_number,
                                         s->defn_name)
                          : "for the main server");
    }
    return result;
}

/* Links that nobody is named by deny nothing, which may be a surprise. */
static void warn_of_idle_links(const apr_array_header_t *uses, server_rec *s)
{
    const use_t *idle = NULL;
    int i;

    for (i = 0; i < uses->nelts; i++) {
        const use_t *use = &APR_ARRAY_IDX(uses, i, use_t);

        if (use->dir->remote_user
            && use->dir->remote_user->type == OPENID2RP_USER_LINK) {
            return;
        }
        if (use->dir->links && !idle) {
            idle = use;
        }
    }
    if (idle) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, O2RP(263)
                     "OpenIDLinks (%s) has no effect without "
                     "\"OpenIDRemoteUser link\"", idle->place);
    }
}

int openid2rp_user_check_config(apr_pool_t *pconf, apr_pool_t *plog,
                                apr_pool_t *ptemp, server_rec *s)
{
    const apr_array_header_t *uses = uses_of(pconf);
    int result = check_sections(uses, ptemp);

    (void)plog;
    if (result == OK) {
        result = check_hosts(s, ptemp);
    }
    if (result == OK) {
        warn_of_idle_links(uses, s);
    }
    return result;
}
