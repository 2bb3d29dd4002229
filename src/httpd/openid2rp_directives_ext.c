/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* The directives that ask for more than an identifier. */

#include "openid2rp_directives.h"

#include <apr_strings.h>

#include "openid2rp_values.h"
#include "orp_codec.h"

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
            return openid2rp_mistake(cmd,
                                     "\"%s\" is not a field: there are "
                                     "nickname, email, fullname, dob, "
                                     "gender, postcode, country, "
                                     "language and timezone.",
                                     argv[i]);
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
        return openid2rp_mistake(cmd,
                                 "\"%s\" is not a number from 1 to %d, nor "
                                 "\"unlimited\".",
                                 bad, ORP_AX_UNLIMITED);
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
        return openid2rp_mistake(cmd,
                                 "\"%s\" is not 1 to 32 letters, digits, "
                                 "\"_\" "
                                 "and \"-\".",
                                 text);
    }
    if (!attr->type) {
        return openid2rp_mistake(cmd,
                                 "\"%s\" is no well-known attribute: write "
                                 "\"%s=TYPE-URI\".",
                                 text, text);
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
                return openid2rp_mistake(
                    cmd, "the attribute \"%s\" is named twice.", attr.alias);
            }
        }
        attr.required = !ap_cstr_casecmp(argv[0], "required");
        APR_ARRAY_PUSH(d->ax, orp_ax_attr_t) = attr;
    }
    return NULL;
}

/* [max-auth-age=SEC] [POLICY-URI…] */
const char *openid2rp_set_pape(cmd_parms *cmd, void *dir, int argc,
                               char *const argv[])
{
    static const char age[] = "max-auth-age=";
    orp_pape_t *pape = apr_pcalloc(cmd->pool, sizeof(*pape));
    apr_array_header_t *policies = apr_array_make(cmd->pool, 2,
                                                  sizeof(const char *));
    apr_uint64_t seconds;
    int i;

    pape->max_auth_age = -1;
    pape->policies = policies;
    if (argc == 1 && !ap_cstr_casecmp(argv[0], "off")) {
        ((openid2rp_dir_t *)dir)->pape = pape;
        return NULL;
    }
    if (argc == 0) {
        return openid2rp_mistake(cmd, "write \"max-auth-age=SECONDS\", the "
                                 "URIs of policies, or \"off\".");
    }
    for (i = 0; i < argc; i++) {
        if (!ap_cstr_casecmpn(argv[i], age, sizeof(age) - 1)) {
            if (orp_number_parse(&seconds, argv[i] + sizeof(age) - 1,
                                 APR_INT32_MAX) != APR_SUCCESS) {
                return openid2rp_mistake(cmd, "\"%s\" is not a number of "
                                         "seconds.",
                                         argv[i] + sizeof(age) - 1);
            }
            pape->max_auth_age = (int)seconds;
        }
        else if (strchr(argv[i], ':') && !strpbrk(argv[i], " \t")) {
            APR_ARRAY_PUSH(policies, const char *) = argv[i];
        }
        else {
            return openid2rp_mistake(cmd, "\"%s\" is neither "
                                     "\"max-auth-age=SECONDS\" nor the URI "
                                     "of a policy.", argv[i]);
        }
    }
    ((openid2rp_dir_t *)dir)->pape = pape;
    return NULL;
}

const char *openid2rp_set_teams(cmd_parms *cmd, void *dir, const char *team)
{
    openid2rp_dir_t *d = dir;

    if (!ap_cstr_casecmp(team, "off")) {
        d->teams = apr_array_make(cmd->pool, 1, sizeof(const char *));
        return NULL;
    }
    if (!orp_teams_valid(team)) {
        return openid2rp_mistake(cmd, "\"%s\" is not the name of a team.",
                                 team);
    }
    if (!d->teams) {
        d->teams = apr_array_make(cmd->pool, 4, sizeof(const char *));
    }
    APR_ARRAY_PUSH(d->teams, const char *) = team;
    return NULL;
}
