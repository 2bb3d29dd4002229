/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_directives.h"

#include <apr_strings.h>

#include "openid2rp_cookie.h"
#include "openid2rp_provider.h"
#include "openid2rp_values.h"
#include "orp_codec.h"
#include "orp_identifier.h"
#include "orp_profile.h"
#include "orp_realm.h"

const char *openid2rp_set_unauth_action(cmd_parms *cmd, void *dir,
                                        const char *arg)
{
    static const char *const names[] = {
        [OPENID2RP_UNAUTH_AUTO] = "auto",
        [OPENID2RP_UNAUTH_LOGIN] = "login",
        [OPENID2RP_UNAUTH_401] = "401",
    };
    int i;

    for (i = 0; i < (int)(sizeof(names) / sizeof(names[0])); i++) {
        if (!ap_cstr_casecmp(arg, names[i])) {
            ((openid2rp_dir_t *)dir)->unauth_action = i;
            return NULL;
        }
    }
    return openid2rp_mistake(
        cmd, "\"%s\" is not \"auto\", \"login\" or \"401\".", arg);
}

/* An OP Identifier, any other identifier, or the name of a profile. */
static const char *read_provider(const char **purl, cmd_parms *cmd,
                                 const char *arg)
{
    orp_reason_t *why = orp_reason_create(cmd->temp_pool);
    const orp_profile_t *profile = orp_profile_find(arg);
    orp_identifier_t *identifier;

    if (profile) {
        *purl = profile->identifier;
        return NULL;
    }
    if (ap_cstr_casecmpn(arg, "http://", 7)
        && ap_cstr_casecmpn(arg, "https://", 8)) {
        return openid2rp_mistake(cmd, "\"%s\" is neither a URL that begins "
                                 "with http:// or https:// nor one of the "
                                 "profiles %s.", arg,
                                 orp_profile_names(cmd->temp_pool));
    }
    if (orp_identifier_normalize(&identifier, arg, why, cmd->pool)
        != APR_SUCCESS) {
        return openid2rp_mistake(cmd, "\"%s\" cannot be used: %s", arg,
                                 why->sentence);
    }
    *purl = identifier->text;
    return NULL;
}

const char *openid2rp_set_provider(cmd_parms *cmd, void *dir,
                                   const char *label, const char *url)
{
    openid2rp_dir_t *d = dir;
    openid2rp_provider_t provider = { label, NULL };
    const char *error = read_provider(&provider.url, cmd, url);

    if (error) {
        return error;
    }
    if (!*label || orp_has_control(label)
        || !orp_utf8_valid(label, strlen(label))) {
        return openid2rp_mistake(cmd, "the label must be text in UTF-8, and "
                                      "not "
                                      "empty.");
    }
    if (!d->providers) {
        d->providers = apr_array_make(cmd->pool, 4, sizeof(provider));
    }
    APR_ARRAY_PUSH(d->providers, openid2rp_provider_t) = provider;
    return NULL;
}

const char *openid2rp_set_single_provider(cmd_parms *cmd, void *dir,
                                          const char *url)
{
    openid2rp_dir_t *d = dir;

    if (!ap_cstr_casecmp(url, "off")) {
        d->single_provider = "";
        return NULL;
    }
    return read_provider(&d->single_provider, cmd, url);
}

static const char *add_rule(apr_array_header_t **prules, cmd_parms *cmd,
                            const char *arg)
{
    const openid2rp_rule_t *rule;
    const char *error;

    if (!ap_cstr_casecmp(arg, "off")) {
        *prules = apr_array_make(cmd->pool, 1, sizeof(openid2rp_rule_t *));
        return NULL;
    }
    error = openid2rp_rule_read(&rule, cmd, arg);
    if (error) {
        return error;
    }
    if (!*prules) {
        *prules = apr_array_make(cmd->pool, 4, sizeof(openid2rp_rule_t *));
    }
    APR_ARRAY_PUSH(*prules, const openid2rp_rule_t *) = rule;
    return NULL;
}

const char *openid2rp_set_provider_allow(cmd_parms *cmd, void *dir,
                                         const char *arg)
{
    return add_rule(&((openid2rp_dir_t *)dir)->provider_allow, cmd, arg);
}

const char *openid2rp_set_provider_deny(cmd_parms *cmd, void *dir,
                                        const char *arg)
{
    return add_rule(&((openid2rp_dir_t *)dir)->provider_deny, cmd, arg);
}

const char *openid2rp_set_realm(cmd_parms *cmd, void *dir, const char *url)
{
    orp_reason_t *why = orp_reason_create(cmd->temp_pool);
    orp_realm_t *realm;

    if (!ap_cstr_casecmp(url, "off")) {
        ((openid2rp_dir_t *)dir)->realm = "";
        return NULL;
    }
    if (orp_realm_parse(&realm, url, why, cmd->pool) != APR_SUCCESS) {
        return openid2rp_mistake(cmd, "%s", why->sentence);
    }
    ((openid2rp_dir_t *)dir)->realm = url;
    return NULL;
}

const char *openid2rp_set_logout(cmd_parms *cmd, void *dir, const char *path,
                                 const char *target)
{
    openid2rp_dir_t *d = dir;
    const char *error;

    if (!ap_cstr_casecmp(path, "off") && !target) {
        d->logout_path = "";
        return NULL;
    }
    error = strchr(path, '?')
        ? openid2rp_mistake(cmd, "\"%s\" has a query; a path is asked for.",
                            path)
        : openid2rp_check_path(cmd, path);

    if (!error && target) {
        error = openid2rp_check_path(cmd, target);
    }
    if (error) {
        return error;
    }
    d->logout_path = path;
    d->logout_target = target ? target : "/";
    if (!strcmp(d->logout_path, d->logout_target)) {
        return openid2rp_mistake(cmd,
                                 "the browser would be sent from \"%s\" to "
                                 "itself "
                                 "for ever.",
                                 path);
    }
    return NULL;
}

const char *openid2rp_set_session_timeout(cmd_parms *cmd, void *dir,
                                          const char *idle, const char *max)
{
    openid2rp_dir_t *d = dir;
    const char *error = openid2rp_read_time(&d->session_idle, cmd, idle);

    if (!error && max) {
        error = openid2rp_read_time(&d->session_max, cmd, max);
        if (!error && d->session_max < d->session_idle) {
            error = openid2rp_mistake(cmd,
                                      "the second time, \"%s\", is shorter "
                                      "than "
                                      "the first.",
                                      max);
        }
    }
    return error;
}

/* RFC 6265, 4.1.1: a token; and so short that no browser drops it. */
static int is_cookie_name(const char *name)
{
    apr_size_t size = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "abcdefghijklmnopqrstuvwxyz0123456789_-.");

    return size > 0 && size <= 64 && !name[size];
}

static const char *set_cookie_option(openid2rp_cookie_t *cookie,
                                     cmd_parms *cmd, const char *option)
{
    if (!ap_cstr_casecmpn(option, "path=", 5)) {
        cookie->path = option + 5;
        return strchr(option, ';') ? openid2rp_mistake(cmd, "a path has no "
                                                            "\";\".")
                                   : openid2rp_check_path(cmd, cookie->path);
    }
    if (!ap_cstr_casecmpn(option, "domain=", 7)) {
        cookie->domain = option + 7;
        return is_cookie_name(cookie->domain) ? NULL
            : openid2rp_mistake(cmd, "\"%s\" is not a domain.", cookie->domain);
    }
    if (!ap_cstr_casecmp(option, "samesite=Lax")
        || !ap_cstr_casecmp(option, "samesite=Strict")
        || !ap_cstr_casecmp(option, "samesite=None")) {
        cookie->samesite = option + 9;
        return NULL;
    }
    if (!ap_cstr_casecmp(option, "secure=auto")
        || !ap_cstr_casecmp(option, "secure=on")) {
        cookie->secure = !ap_cstr_casecmp(option + 7, "on");
        return NULL;
    }
    return openid2rp_mistake(cmd,
                             "\"%s\" is not one of path=/..., domain=NAME, "
                             "samesite=Lax|Strict|None, secure=auto|on.",
                             option);
}

/* What no browser would keep. Inner sections take over what they do not say;
 * what contradicts itself only then, openid2rp_cookie.c settles. */
static const char *check_cookie(cmd_parms *cmd,
                                const openid2rp_cookie_t *cookie)
{
    int host = openid2rp_cookie_is_host(cookie->name);

    if (openid2rp_cookie_is_login(cookie->name)) {
        return openid2rp_mistake(cmd, "\"%s\" is a name of the cookies of "
                                      "logins.", cookie->name);
    }
    if (host && cookie->domain) {
        return openid2rp_mistake(cmd, "a cookie \"%s\" has no domain=.",
                                 cookie->name);
    }
    if (host && cookie->path && strcmp(cookie->path, "/")) {
        return openid2rp_mistake(cmd, "a cookie \"%s\" has no other path= "
                                      "than \"/\".", cookie->name);
    }
    if (cookie->samesite && !ap_cstr_casecmp(cookie->samesite, "None")
        && cookie->secure != 1
        && !openid2rp_cookie_is_prefixed(cookie->name)) {
        return openid2rp_mistake(cmd, "samesite=None needs secure=on.");
    }
    return NULL;
}

const char *openid2rp_set_cookie(cmd_parms *cmd, void *dir, int argc,
                                 char *const argv[])
{
    openid2rp_dir_t *d = dir;
    const char *error = NULL;
    int i;

    if (argc < 1 || !is_cookie_name(argv[0])) {
        return openid2rp_mistake(cmd, "the name must be 1 to 64 letters, "
                                      "digits, "
                                      "\"_\", \"-\" and \".\".");
    }
    d->cookie = apr_pcalloc(cmd->pool, sizeof(*d->cookie));
    d->cookie->name = argv[0];
    d->cookie->secure = OPENID2RP_UNSET;
    for (i = 1; i < argc && !error; i++) {
        error = set_cookie_option(d->cookie, cmd, argv[i]);
    }
    return error ? error : check_cookie(cmd, d->cookie);
}

const char *openid2rp_set_immediate(cmd_parms *cmd, void *dir, int on)
{
    (void)cmd;
    ((openid2rp_dir_t *)dir)->immediate = on;
    return NULL;
}
