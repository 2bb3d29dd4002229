/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_vars.h"

#include <apr_lib.h>
#include <apr_strings.h>

#define PREFIX "OPENID2RP_"

static void set_var(request_rec *r, const char *name, const char *value)
{
    if (value) {
        apr_table_setn(r->subprocess_env,
                       apr_pstrcat(r->pool, PREFIX, name, NULL), value);
    }
}

/* "first-name" is OPENID2RP_AX_FIRST_NAME. */
static const char *upper(const char *name, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, name);
    char *c;

    for (c = copy; *c; c++) {
        *c = apr_isalnum(*c) ? (char)apr_toupper(*c) : '_';
    }
    return copy;
}

static void set_ax(request_rec *r, const orp_ax_value_t *value)
{
    const char *name = apr_pstrcat(r->pool, "AX_",
                                   upper(value->alias, r->pool), NULL);
    int i;

    set_var(r, name, APR_ARRAY_IDX(value->values, 0, const char *));
    if (value->values->nelts < 2) {
        return;
    }
    for (i = 1; i < value->values->nelts; i++) {
        set_var(r, apr_psprintf(r->pool, "%s_%d", name, i + 1),
                APR_ARRAY_IDX(value->values, i, const char *));
    }
    set_var(r, apr_pstrcat(r->pool, name, "_COUNT", NULL),
            apr_itoa(r->pool, value->values->nelts));
}

/* A CGI variable is a header's name in upper case with "_" for all that is
 * neither letter nor digit; so all these spellings are one.
 * @return what stands in name behind this one, or NULL */
static const char *behind(const char *name, const char *variable)
{
    while (*variable) {
        char c = apr_isalnum(*name) ? (char)apr_toupper(*name) : '_';

        if (!*name || c != *variable) {
            return NULL;
        }
        name++;
        variable++;
    }
    return name;
}

/* Would a program take this header for what we say? Some read REMOTE_USER
 * from a header, behind a proxy. */
static int is_false_header(const char *name)
{
    static const char *const others[] = { "REMOTE_USER", "AUTH_TYPE" };
    const char *end = behind(name, "OPENID2RP");
    apr_size_t i;

    if (end) {
        return !apr_isalnum(*end);
    }
    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        end = behind(name, others[i]);
        if (end && !*end) {
            return 1;
        }
    }
    return 0;
}

/* The variable of such a header; httpd renames them at each redirect. */
static int is_false_variable(const char *name)
{
    while (!strncmp(name, "REDIRECT_", 9)) {
        name += 9;
    }
    return !strncmp(name, "HTTP_", 5) && is_false_header(name + 5);
}

static int is_ours(const char *name)
{
    return !strncmp(name, PREFIX, sizeof(PREFIX) - 1);
}

/* The names in a table that are so. */
static apr_array_header_t *names_of(const apr_table_t *table,
                                    int (*is_it)(const char *name),
                                    apr_pool_t *pool)
{
    const apr_array_header_t *entries = apr_table_elts(table);
    apr_array_header_t *names = apr_array_make(pool, 1, sizeof(const char *));
    int i;

    for (i = 0; i < entries->nelts; i++) {
        const char *name = APR_ARRAY_IDX(entries, i, apr_table_entry_t).key;

        if (name && is_it(name)) {
            APR_ARRAY_PUSH(names, const char *) = name;
        }
    }
    return names;
}

static void remove_names(apr_table_t *table, const apr_array_header_t *names)
{
    int i;

    for (i = 0; i < names->nelts; i++) {
        apr_table_unset(table, APR_ARRAY_IDX(names, i, const char *));
    }
}

void openid2rp_vars_set(request_rec *r, const orp_identity_t *identity)
{
    int i;

    /* a request that another one includes has that one's variables: another
     * section's user, maybe */
    remove_names(r->subprocess_env,
                 names_of(r->subprocess_env, is_ours, r->pool));
    r->user = apr_pstrdup(r->pool, identity->claimed_id);
    r->ap_auth_type = (char *)OPENID2RP_AUTH_TYPE;
    set_var(r, "IDENTIFIER", identity->claimed_id);
    set_var(r, "DISPLAY", identity->display);
    set_var(r, "PROVIDER", identity->endpoint);
    set_var(r, "EMAIL", orp_identity_email(identity));
    set_var(r, "TEAMS", identity->teams);
    set_var(r, "AUTH_TIME",
            apr_psprintf(r->pool, "%" APR_TIME_T_FMT,
                         apr_time_sec(identity->auth_time)));
    for (i = 0; i < orp_params_size(identity->sreg); i++) {
        set_var(r, apr_pstrcat(r->pool, "SREG_",
                               upper(orp_params_name(identity->sreg, i),
                                     r->pool), NULL),
                orp_params_value(identity->sreg, i));
    }
    for (i = 0; i < identity->ax->nelts; i++) {
        set_ax(r, &APR_ARRAY_IDX(identity->ax, i, orp_ax_value_t));
    }
    set_var(r, "SREG", orp_identity_sreg_json(identity, r->pool));
    set_var(r, "AX", orp_identity_ax_json(identity, r->pool));
}

void openid2rp_vars_scrub(request_rec *r)
{
    remove_names(r->headers_in,
                 names_of(r->headers_in, is_false_header, r->pool));
    /* of a public page that includes this one, made from its headers */
    remove_names(r->subprocess_env,
                 names_of(r->subprocess_env, is_false_variable, r->pool));
}

void openid2rp_vars_scrub_trailers(request_rec *r)
{
    const apr_array_header_t *names = names_of(r->trailers_in,
                                               is_false_header, r->pool);

    /* not what mod_headers has set meanwhile: only what the client sent */
    remove_names(r->headers_in, names);
    remove_names(r->trailers_in, names);
}
