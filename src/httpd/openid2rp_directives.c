/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_directives.h"

#include <apr_strings.h>

#include "openid2rp_values.h"
#include "orp_codec.h"
#include "orp_identifier.h"

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
    return openid2rp_mistake(cmd, "\"%s\" is not \"auto\", \"login\" or \"401\".",
                   arg);
}

/* An OP Identifier, or any identifier, as discovery will see it. */
static const char *read_provider(const char **purl, cmd_parms *cmd,
                                 const char *arg)
{
    orp_reason_t *why = orp_reason_create(cmd->temp_pool);
    orp_identifier_t *identifier;

    if (ap_cstr_casecmpn(arg, "http://", 7)
        && ap_cstr_casecmpn(arg, "https://", 8)) {
        return openid2rp_mistake(cmd, "\"%s\" is not a URL that begins with http:// or "
                       "https://.", arg);
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
        return openid2rp_mistake(cmd, "the label must be text in UTF-8, and not "
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
    return read_provider(&((openid2rp_dir_t *)dir)->single_provider, cmd,
                         url);
}

const char *openid2rp_set_realm(cmd_parms *cmd, void *dir, const char *url)
{
    if (strchr(url, '#')) {
        return openid2rp_mistake(cmd, "\"%s\" has a fragment, which a realm "
                                 "cannot have.", url);
    }
    return openid2rp_read_url(&((openid2rp_dir_t *)dir)->realm, cmd, url);
}

/* A request for nothing. */
static orp_sreg_t *no_sreg(apr_pool_t *pool)
{
    orp_sreg_t *sreg = apr_pcalloc(pool, sizeof(*sreg));

    sreg->required = apr_array_make(pool, 9, sizeof(const char *));
    sreg->optional = apr_array_make(pool, 9, sizeof(const char *));
    return sreg;
}

static int is_listed(const apr_array_header_t *list, const char *name)
{
    int i;

    for (i = 0; i < list->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(list, i, const char *), name)) {
            return 1;
        }
    }
    return 0;
}

const char *openid2rp_set_sreg(cmd_parms *cmd, void *dir, int argc,
                               char *const argv[])
{
    openid2rp_dir_t *d = dir;
    orp_sreg_t *sreg;
    const apr_array_header_t *list;
    int i;

    if (!d->sreg || (argc == 1 && !ap_cstr_casecmp(argv[0], "off"))) {
        d->sreg = no_sreg(cmd->pool);
    }
    sreg = d->sreg;
    if (argc == 1 && !ap_cstr_casecmp(argv[0], "off")) {
        return NULL;
    }
    if (argc == 2 && !ap_cstr_casecmp(argv[0], "policy")) {
        return openid2rp_read_url(&sreg->policy_url, cmd, argv[1]);
    }
    if (argc < 2 || (ap_cstr_casecmp(argv[0], "required")
                     && ap_cstr_casecmp(argv[0], "optional"))) {
        return openid2rp_mistake(cmd, "write \"required FIELD...\", \"optional "
                       "FIELD...\", \"policy URL\" or \"off\".");
    }
    list = ap_cstr_casecmp(argv[0], "required") ? sreg->optional
        : sreg->required;
    for (i = 1; i < argc; i++) {
        if (!orp_sreg_field_valid(argv[i])) {
            return openid2rp_mistake(cmd, "\"%s\" is not a field: there are nickname, "
                           "email, fullname, dob, gender, postcode, country, "
                           "language and timezone.", argv[i]);
        }
        if (is_listed(sreg->required, argv[i])
            || is_listed(sreg->optional, argv[i])) {
            return openid2rp_mistake(cmd, "the field \"%s\" is named twice.",
                           argv[i]);
        }
        APR_ARRAY_PUSH((apr_array_header_t *)list, const char *) = argv[i];
    }
    return NULL;
}

/* ALIAS[=TYPE-URI][#COUNT]. A type URI may have a "#" itself: the count is
 * behind the last one, if a number or "unlimited" stands there. */
static const char *read_count(int *pcount, char *text)
{
    char *mark = strrchr(text, '#');
    apr_uint64_t count;

    *pcount = 1;
    if (!mark) {
        return NULL;
    }
    if (!strcmp(mark + 1, "unlimited")) {
        *pcount = ORP_AX_UNLIMITED;
    }
    else if (orp_number_parse(&count, mark + 1, ORP_AX_UNLIMITED)
             == APR_SUCCESS && count > 0) {
        *pcount = (int)count;
    }
    else {
        return mark + 1;
    }
    *mark = '\0';
    return NULL;
}

static const char *read_attr(orp_ax_attr_t *attr, cmd_parms *cmd,
                             const char *arg)
{
    char *text = apr_pstrdup(cmd->pool, arg);
    char *equals = strchr(text, '=');
    const char *bad = read_count(&attr->count, text);

    if (bad && (!equals || !strchr(equals, '#'))) {
        return openid2rp_mistake(cmd, "\"%s\" is not a number from 1 to %d, nor "
                       "\"unlimited\".", bad, ORP_AX_UNLIMITED);
    }
    if (equals) {
        *equals = '\0';
        attr->type = equals + 1;
    }
    else {
        attr->type = orp_ax_type(text);
    }
    attr->alias = text;
    if (!orp_ax_alias_valid(text)) {
        return openid2rp_mistake(cmd, "\"%s\" is not 1 to 32 letters, digits, \"_\" "
                       "and \"-\".", text);
    }
    if (!attr->type) {
        return openid2rp_mistake(cmd, "\"%s\" is no well-known attribute: write "
                       "\"%s=TYPE-URI\".", text, text);
    }
    if (!*attr->type || orp_has_control(attr->type)
        || !strchr(attr->type, ':')) {
        return openid2rp_mistake(cmd, "\"%s\" is not a type URI.", attr->type);
    }
    return NULL;
}

const char *openid2rp_set_ax(cmd_parms *cmd, void *dir, int argc,
                             char *const argv[])
{
    openid2rp_dir_t *d = dir;
    int i, j;

    if (!d->ax || (argc == 1 && !ap_cstr_casecmp(argv[0], "off"))) {
        d->ax = apr_array_make(cmd->pool, 4, sizeof(orp_ax_attr_t));
    }
    if (argc == 1 && !ap_cstr_casecmp(argv[0], "off")) {
        return NULL;
    }
    if (argc < 2 || (ap_cstr_casecmp(argv[0], "required")
                     && ap_cstr_casecmp(argv[0], "optional"))) {
        return openid2rp_mistake(cmd, "write \"required ALIAS...\", \"optional "
                       "ALIAS...\" or \"off\".");
    }
    for (i = 1; i < argc; i++) {
        orp_ax_attr_t attr;
        const char *error = read_attr(&attr, cmd, argv[i]);

        if (error) {
            return error;
        }
        for (j = 0; j < d->ax->nelts; j++) {
            if (!strcmp(APR_ARRAY_IDX(d->ax, j, orp_ax_attr_t).alias,
                        attr.alias)) {
                return openid2rp_mistake(cmd, "the attribute \"%s\" is named twice.",
                               attr.alias);
            }
        }
        attr.required = !ap_cstr_casecmp(argv[0], "required");
        APR_ARRAY_PUSH(d->ax, orp_ax_attr_t) = attr;
    }
    return NULL;
}

const char *openid2rp_set_logout(cmd_parms *cmd, void *dir, const char *path,
                                 const char *target)
{
    openid2rp_dir_t *d = dir;
    const char *error = openid2rp_check_path(cmd, path);

    if (!error && target) {
        error = openid2rp_check_path(cmd, target);
    }
    if (error) {
        return error;
    }
    d->logout_path = path;
    d->logout_target = target ? target : "/";
    if (!strcmp(d->logout_path, d->logout_target)) {
        return openid2rp_mistake(cmd, "the browser would be sent from \"%s\" to itself "
                       "for ever.", path);
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
            error = openid2rp_mistake(cmd, "the second time, \"%s\", is shorter than "
                            "the first.", max);
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
        return strchr(option, ';') ? openid2rp_mistake(cmd, "a path has no \";\".")
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
    return openid2rp_mistake(cmd, "\"%s\" is not one of path=/..., domain=NAME, "
                   "samesite=Lax|Strict|None, secure=auto|on.", option);
}

const char *openid2rp_set_cookie(cmd_parms *cmd, void *dir, int argc,
                                 char *const argv[])
{
    openid2rp_dir_t *d = dir;
    const char *error = NULL;
    int i;

    if (argc < 1 || !is_cookie_name(argv[0])) {
        return openid2rp_mistake(cmd, "the name must be 1 to 64 letters, digits, "
                       "\"_\", \"-\" and \".\".");
    }
    d->cookie = apr_pcalloc(cmd->pool, sizeof(*d->cookie));
    d->cookie->name = argv[0];
    d->cookie->secure = OPENID2RP_UNSET;
    for (i = 1; i < argc && !error; i++) {
        error = set_cookie_option(d->cookie, cmd, argv[i]);
    }
    return error;
}
