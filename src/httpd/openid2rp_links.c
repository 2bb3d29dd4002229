/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_links.h"

#include <string.h>

#include <apr_strings.h>

#include "openid2rp_values.h"

/* It is compared with paths as httpd makes them of requests: decoded, without
 * empty segments and dots. One that can be none of these would send browsers
 * round and round. */
static const char *check_register(cmd_parms *cmd, const char *path)
{
    const char *c;

    if (strchr(path, '?')) {
        return openid2rp_mistake(cmd, "\"%s\" has a query; a path is asked "
                                 "for.", path);
    }
    if (strchr(path, '%')) {
        return openid2rp_mistake(cmd, "\"%s\" has a percent sign; a path is "
                                 "asked for that needs no escapes.", path);
    }
    for (c = path; (c = strchr(c, '/')); c++) {
        apr_size_t size = strcspn(c + 1, "/");

        if ((size == 0 && c[1]) || (size == 1 && c[1] == '.')
            || (size == 2 && c[1] == '.' && c[2] == '.')) {
            return openid2rp_mistake(cmd, "\"%s\" is not the path of a "
                                     "page as httpd sees it: leave out "
                                     "\"//\", \"/./\" and \"/../\".", path);
        }
    }
    return openid2rp_check_path(cmd, path);
}

static const char *read_missing(openid2rp_links_t *links, cmd_parms *cmd,
                                const char *arg)
{
    const char *value = strchr(arg, '=');

    if (!value || strncmp(arg, "missing=", 8)) {
        return openid2rp_mistake(cmd, "\"%s\" is not missing=deny, "
                                 "missing=identifier or missing=/PATH.",
                                 arg);
    }
    value++;
    if (!strcmp(value, "deny") || !strcmp(value, "identifier")) {
        links->missing = *value == 'd' ? OPENID2RP_MISSING_DENY
            : OPENID2RP_MISSING_IDENTIFIER;
        return NULL;
    }
    if (*value != '/') {
        return openid2rp_mistake(cmd, "\"%s\" is not missing=deny, "
                                 "missing=identifier or missing=/PATH.",
                                 arg);
    }
    links->missing = OPENID2RP_MISSING_REGISTER;
    links->register_path = value;
    return check_register(cmd, value);
}

/* "txt:conf/links": a path that is relative begins at ServerRoot. */
static const char *read_file(openid2rp_links_t *links, cmd_parms *cmd,
                             const char *place)
{
    const char *path = place[4] ? ap_server_root_relative(cmd->pool,
                                                          place + 4) : NULL;

    if (!path) {
        return openid2rp_mistake(cmd, "\"%s\" has no path of a file behind "
                                 "the colon.", place);
    }
    links->place = apr_psprintf(cmd->pool, "%.4s%s", place, path);
    return openid2rp_links_file_read(&links->file, cmd, links->place);
}

const char *openid2rp_links_read(openid2rp_links_t **plinks, cmd_parms *cmd,
                                 const char *place, const char *missing)
{
    openid2rp_links_t *links = apr_pcalloc(cmd->pool, sizeof(*links));
    const char *error = missing ? read_missing(links, cmd, missing) : NULL;

    if (error) {
        return error;
    }
    if (!strncmp(place, "txt:", 4) || !strncmp(place, "dbm:", 4)) {
        error = read_file(links, cmd, place);
    }
    else if (!strncmp(place, "dbd:", 4)) {
        links->place = "dbd";
        error = openid2rp_links_dbd_read(&links->dbd, cmd, place + 4);
    }
    else {
        error = openid2rp_mistake(cmd, "\"%s\" is not txt:PATH, dbm:PATH or "
                                  "\"dbd:QUERY\".", place);
    }
    if (!error) {
        *plinks = links;
    }
    return error;
}

apr_status_t openid2rp_links_find(const char **paccount, request_rec *r,
                                  const char *claimed_id, orp_reason_t *why)
{
    const openid2rp_links_t *links = openid2rp_dir(r)->links;

    return links->dbd
        ? openid2rp_links_dbd_find(paccount, links->dbd, r, claimed_id, why)
        : openid2rp_links_file_find(paccount, links->file, r, claimed_id,
                                    why);
}
