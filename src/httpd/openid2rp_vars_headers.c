/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_vars_headers.c - what clients say in our name, and what backends
 * are told in headers. */

#include <apr_lib.h>
#include <apr_strings.h>

#include "openid2rp_config.h"
#include "openid2rp_vars.h"
#include "orp_codec.h"

#define PREFIXES_KEY "openid2rp:prefixes"

/* A CGI variable is a header's name in upper case with "_" for all that is
 * neither letter nor digit; so all these spellings are one. */
static char folded(char c)
{
    return apr_isalnum(c) ? (char)apr_toupper(c) : '_';
}

/* @return what stands in name behind this one, in any spelling, or NULL */
static const char *behind(const char *name, const char *variable)
{
    for (; *variable; name++, variable++) {
        if (!*name || folded(*name) != folded(*variable)) {
            return NULL;
        }
    }
    return name;
}

/* The prefixes of this server, and of the section: that of a .htaccess is no
 * other section's. */
typedef struct {
    const apr_array_header_t *all;      /* of const char *, or NULL */
    const char *own;
} prefixes_t;

static apr_array_header_t *all_prefixes(apr_pool_t *pconf)
{
    void *all = NULL;

    apr_pool_userdata_get(&all, PREFIXES_KEY, pconf);
    return all;
}

void openid2rp_vars_note_prefix(const char *prefix, apr_pool_t *pconf)
{
    apr_array_header_t *all = all_prefixes(pconf);

    if (!all) {
        all = apr_array_make(pconf, 2, sizeof(const char *));
        apr_pool_userdata_setn(all, PREFIXES_KEY, NULL, pconf);
    }
    APR_ARRAY_PUSH(all, const char *) = prefix;
}

/* Would it be the variable of that name, or of a family ("SREG_")? */
static int is_variable(const char *name)
{
    static const char *const names[] = {
        "IDENTIFIER", "DISPLAY", "PROVIDER", "EMAIL", "TEAMS", "AUTH_TIME",
        "ERROR", "ERROR_CODE", "NOTICE", "SREG", "AX"
    };
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *end = behind(name, names[i]);

        if (end && !*end) {
            return 1;
        }
    }
    return behind(name, "SREG_") || behind(name, "AX_");
}

/* Is it a header that OpenIDPassHeaders would make, in any spelling? */
static int has_prefix(const char *name, const char *prefix)
{
    const char *end = *prefix ? behind(name, prefix) : NULL;

    return end && is_variable(end);
}

/* In any section: one backend may be behind several of them. */
static int is_passed(const char *name, const prefixes_t *prefixes)
{
    int i;

    for (i = 0; prefixes->all && i < prefixes->all->nelts; i++) {
        if (has_prefix(name, APR_ARRAY_IDX(prefixes->all, i,
                                           const char *))) {
            return 1;
        }
    }
    return has_prefix(name, prefixes->own);
}

/* Would a program take this header for what we say? Some read REMOTE_USER
 * from a header, behind a proxy. */
static int is_false_header(const char *name, const prefixes_t *prefixes)
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
    return is_passed(name, prefixes);
}

/* The variable of such a header. */
static int is_false_variable(const char *name, const prefixes_t *prefixes)
{
    name = openid2rp_vars_behind_redirects(name);
    return !strncmp(name, "HTTP_", 5)
        && is_false_header(name + 5, prefixes);
}

/* The names in a table that are so. */
static apr_array_header_t *false_names(
    request_rec *r, const apr_table_t *table,
    int (*is_it)(const char *name, const prefixes_t *prefixes))
{
    const apr_array_header_t *entries = apr_table_elts(table);
    apr_array_header_t *names = apr_array_make(r->pool, 1,
                                               sizeof(const char *));
    const prefixes_t prefixes = {
        all_prefixes(r->server->process->pconf),
        openid2rp_dir(r)->pass_headers
    };
    int i;

    for (i = 0; i < entries->nelts; i++) {
        const char *name = APR_ARRAY_IDX(entries, i, apr_table_entry_t).key;

        if (name && is_it(name, &prefixes)) {
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

void openid2rp_vars_scrub(request_rec *r)
{
    remove_names(r->headers_in,
                 false_names(r, r->headers_in, is_false_header));
    /* of a public page that includes this one, made from its headers */
    remove_names(r->subprocess_env,
                 false_names(r, r->subprocess_env, is_false_variable));
}

void openid2rp_vars_scrub_trailers(request_rec *r)
{
    const apr_array_header_t *names = false_names(r, r->trailers_in,
                                                  is_false_header);

    /* not what mod_headers has set meanwhile: only what the client sent */
    remove_names(r->headers_in, names);
    remove_names(r->trailers_in, names);
}

/* "IDENTIFIER" behind the prefix; "_" is "-" in a header. */
static const char *header_name(const char *prefix, const char *variable,
                               apr_pool_t *pool)
{
    char *name = apr_pstrcat(pool, prefix, variable, NULL);
    char *c;

    for (c = name + strlen(prefix); *c; c++) {
        if (*c == '_') {
            *c = '-';
        }
    }
    return name;
}

void openid2rp_vars_pass(request_rec *r)
{
    const apr_array_header_t *entries = apr_table_elts(r->subprocess_env);
    const char *prefix = openid2rp_dir(r)->pass_headers;
    int i;

    for (i = 0; i < entries->nelts && *prefix; i++) {
        const apr_table_entry_t *entry
            = &APR_ARRAY_IDX(entries, i, apr_table_entry_t);

        /* a line end in one would begin another header */
        if (entry->key && openid2rp_vars_is_ours(entry->key)
            && !orp_has_control(entry->val)) {
            apr_table_setn(r->headers_in,
                           header_name(prefix, entry->key
                                       + sizeof(OPENID2RP_VARS_PREFIX) - 1,
                                       r->pool), entry->val);
        }
    }
}
