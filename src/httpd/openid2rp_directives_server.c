/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* The directives of servers and virtual hosts. */

#include "openid2rp_directives.h"

#include <apr_strings.h>

#include "openid2rp_values.h"
#include "orp_address.h"
#include "orp_codec.h"

static openid2rp_server_t *server_of(cmd_parms *cmd)
{
    return ap_get_module_config(cmd->server->module_config,
                                &openid2rp_module);
}

const char *openid2rp_set_base_url(cmd_parms *cmd, void *dir,
                                   const char *arg)
{
    orp_reason_t *why = orp_reason_create(cmd->temp_pool);
    orp_url_t *url;

    (void)dir;
    if (orp_url_parse(&url, arg, why, cmd->pool) != APR_SUCCESS) {
        return openid2rp_mistake(cmd, "\"%s\" is not a web address: %s", arg,
                                 why->sentence);
    }
    if (strcmp(url->path, "/") || url->query || url->fragment) {
        return openid2rp_mistake(cmd,
                                 "\"%s\" is more than scheme, host name and "
                                 "port; "
                                 "write \"%s\".",
                                 arg, orp_url_origin(url, cmd->temp_pool));
    }
    server_of(cmd)->base_url = url;
    return NULL;
}

const char *openid2rp_set_associate(cmd_parms *cmd, void *dir,
                                    const char *arg)
{
    (void)dir;
    if (!ap_cstr_casecmp(arg, "background")) {
        server_of(cmd)->associate = ORP_ASSOCIATE_BACKGROUND;
    }
    else if (!ap_cstr_casecmp(arg, "login")) {
        server_of(cmd)->associate = ORP_ASSOCIATE_LOGIN;
    }
    else if (!ap_cstr_casecmp(arg, "never")) {
        server_of(cmd)->associate = ORP_ASSOCIATE_NEVER;
    }
    else {
        return openid2rp_mistake(cmd, "\"%s\" is not \"background\", "
                                 "\"login\" or \"never\".", arg);
    }
    return NULL;
}

const char *openid2rp_set_login_timeout(cmd_parms *cmd, void *dir,
                                        const char *arg)
{
    (void)dir;
    return openid2rp_read_time(&server_of(cmd)->login_timeout, cmd, arg);
}

const char *openid2rp_set_nonce_lifetime(cmd_parms *cmd, void *dir,
                                         const char *arg)
{
    (void)dir;
    return openid2rp_read_time(&server_of(cmd)->nonce_lifetime, cmd, arg);
}

const char *openid2rp_set_fetch_timeout(cmd_parms *cmd, void *dir,
                                        const char *total,
                                        const char *connect)
{
    openid2rp_server_t *server = server_of(cmd);
    const char *error = openid2rp_read_time(&server->fetch_timeout, cmd, total);

    (void)dir;
    if (!error && connect) {
        error = openid2rp_read_time(&server->fetch_connect, cmd, connect);
        if (!error && server->fetch_connect > server->fetch_timeout) {
            error = openid2rp_mistake(cmd, "connecting may take \"%s\", which "
                                      "is longer than all of it.", connect);
        }
    }
    return error;
}

const char *openid2rp_set_fetch_max_size(cmd_parms *cmd, void *dir,
                                         const char *arg)
{
    (void)dir;
    return openid2rp_read_size(&server_of(cmd)->fetch_max_size, cmd, arg);
}

const char *openid2rp_set_fetch_allow(cmd_parms *cmd, void *dir,
                                      const char *arg)
{
    openid2rp_server_t *server = server_of(cmd);
    orp_cidr_t cidr;

    (void)dir;
    if (orp_cidr_parse(&cidr, arg, cmd->temp_pool) != APR_SUCCESS) {
        return openid2rp_mistake(cmd, "\"%s\" is not an address range such as "
                                 "\"10.0.0.0/8\" or \"::1\".", arg);
    }
    if (!server->fetch_allow) {
        server->fetch_allow = apr_array_make(cmd->pool, 2, sizeof(cidr));
    }
    APR_ARRAY_PUSH(server->fetch_allow, orp_cidr_t) = cidr;
    return NULL;
}

const char *openid2rp_set_fetch_proxy(cmd_parms *cmd, void *dir,
                                      const char *arg)
{
    (void)dir;
    return openid2rp_read_url(&server_of(cmd)->fetch_proxy, cmd, arg);
}

const char *openid2rp_set_fetch_ca_file(cmd_parms *cmd, void *dir,
                                        const char *arg)
{
    const char *path = ap_server_root_relative(cmd->pool, arg);
    apr_finfo_t info;

    (void)dir;
    if (!path || apr_stat(&info, path, APR_FINFO_TYPE, cmd->temp_pool)
        != APR_SUCCESS || info.filetype != APR_REG) {
        return openid2rp_mistake(cmd, "the file \"%s\" cannot be read.",
                                 path ? path : arg);
    }
    server_of(cmd)->fetch_ca_file = path;
    return NULL;
}

const char *openid2rp_set_fetch_require_tls(cmd_parms *cmd, void *dir,
                                            int on)
{
    (void)dir;
    server_of(cmd)->fetch_require_tls = on;
    return NULL;
}

/* "dbm:state/openid2rp?size=1G": a path that is relative begins at
 * ServerRoot. Other places have no such paths. */
static const char *absolute_place(cmd_parms *cmd, const char *arg)
{
    const char *path = arg + 4;
    apr_size_t length;
    const char *absolute;

    if (ap_cstr_casecmpn(arg, "dbm:", 4) || *path == '/' || !*path) {
        return arg;
    }
    length = strcspn(path, "?");
    absolute = ap_server_root_relative(
        cmd->pool, apr_pstrmemdup(cmd->pool, path, length));
    return absolute ? apr_pstrcat(cmd->pool, "dbm:", absolute, path + length,
                                  NULL) : arg;
}

const char *openid2rp_set_store(cmd_parms *cmd, void *dir, const char *arg)
{
    orp_reason_t *why = orp_reason_create(cmd->temp_pool);
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    orp_store_place_t *place;

    (void)dir;
    if (error) {
        return error;
    }
    if (orp_store_place_parse(&place, absolute_place(cmd, arg), why,
                              cmd->pool) != APR_SUCCESS) {
        return openid2rp_mistake(cmd, "%s", why->sentence);
    }
    server_of(cmd)->store = place;
    return NULL;
}

const char *openid2rp_set_forwarded(cmd_parms *cmd, void *dir,
                                    const char *header)
{
    static const struct {
        const char *name;
        int bit;
    } headers[] = {
        { "X-Forwarded-Proto", OPENID2RP_FORWARDED_PROTO },
        { "X-Forwarded-Host", OPENID2RP_FORWARDED_HOST },
        { "Forwarded", OPENID2RP_FORWARDED_RFC },
    };
    openid2rp_server_t *server = server_of(cmd);
    apr_size_t i;

    (void)dir;
    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (!ap_cstr_casecmp(header, headers[i].name)) {
            if (server->forwarded == OPENID2RP_UNSET) {
                server->forwarded = 0;
            }
            server->forwarded |= headers[i].bit;
            return NULL;
        }
    }
    if (!ap_cstr_casecmp(header, "none")) {
        server->forwarded = 0;
        return NULL;
    }
    return openid2rp_mistake(cmd, "\"%s\" is not X-Forwarded-Proto, "
                             "X-Forwarded-Host, Forwarded or none.",
                             header);
}

const char *openid2rp_set_publish_xrds(cmd_parms *cmd, void *dir, int on)
{
    (void)dir;
    server_of(cmd)->publish_xrds = on;
    return NULL;
}

const char *openid2rp_set_xri_proxy(cmd_parms *cmd, void *dir,
                                    const char *arg)
{
    (void)dir;
    if (!ap_cstr_casecmp(arg, "off")) {
        server_of(cmd)->xri_proxy = "";
        return NULL;
    }
    if (strchr(arg, '?')) {
        return openid2rp_mistake(cmd, "\"%s\" has a query; XRIs are put "
                                 "behind the path of a resolver.", arg);
    }
    return openid2rp_read_url(&server_of(cmd)->xri_proxy, cmd, arg);
}

/* "60/1m" */
static const char *read_rate(orp_rate_rule_t *rule, cmd_parms *cmd,
                             const char *arg)
{
    const char *slash = strchr(arg, '/');
    apr_uint64_t count = 0;

    if (!slash
        || orp_number_parse(&count,
                            apr_pstrmemdup(cmd->pool, arg,
                                           (apr_size_t)(slash - arg)),
                            0xffffffff) != APR_SUCCESS || !count
        || openid2rp_read_time(&rule->interval, cmd, slash + 1)) {
        return openid2rp_mistake(cmd, "\"%s\" is not STARTS/INTERVAL such as "
                                 "\"60/1m\", or off.", arg);
    }
    rule->count = (apr_uint32_t)count;
    if (rule->interval > ORP_RATE_INTERVAL_MAX) {
        return openid2rp_mistake(cmd, "the interval of \"%s\" is longer than "
                                 "24h.", arg);
    }
    return orp_rate_is_sane(rule) ? NULL
        : openid2rp_mistake(cmd, "\"%s\" is more than %d a second; write "
                            "\"off\" for no limit.", arg,
                            ORP_RATE_SECOND_MAX);
}

const char *openid2rp_set_rate_limit(cmd_parms *cmd, void *dir,
                                     const char *limit, const char *per)
{
    openid2rp_server_t *server = server_of(cmd);
    orp_rate_rule_t *rule = apr_pcalloc(cmd->pool, sizeof(*rule));
    int is_off = !ap_cstr_casecmp(limit, "off");
    int is_server = per && !ap_cstr_casecmp(per, "per=server");
    const char *error = is_off ? NULL : read_rate(rule, cmd, limit);

    (void)dir;
    if (!error && per && !is_server && ap_cstr_casecmp(per, "per=client")) {
        error = openid2rp_mistake(cmd, "\"%s\" is not per=client or "
                                  "per=server.", per);
    }
    if (error) {
        return error;
    }
    if (!is_server) {
        server->limit_client = rule;
    }
    if (is_server || (is_off && !per)) {
        server->limit_server = rule;
    }
    return NULL;
}
