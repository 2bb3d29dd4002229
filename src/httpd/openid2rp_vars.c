/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_vars.h"

#include <apr_lib.h>
#include <apr_strings.h>

#include "orp_codec.h"

#define PREFIX OPENID2RP_VARS_PREFIX

/* The longest sentence that the application gets, in bytes. */
#define SENTENCE_MAX 1000

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

int openid2rp_vars_is_ours(const char *name)
{
    return !strncmp(name, PREFIX, sizeof(PREFIX) - 1);
}

int openid2rp_vars_known(request_rec *r)
{
    return apr_table_get(r->subprocess_env, PREFIX "IDENTIFIER") != NULL;
}

const char *openid2rp_vars_behind_redirects(const char *name)
{
    while (!strncmp(name, "REDIRECT_", 9)) {
        name += 9;
    }
    return name;
}

void openid2rp_vars_clear(request_rec *r)
{
    const apr_array_header_t *entries = apr_table_elts(r->subprocess_env);
    apr_array_header_t *names = apr_array_make(r->pool, 1,
                                               sizeof(const char *));
    int i;

    for (i = 0; i < entries->nelts; i++) {
        const char *name = APR_ARRAY_IDX(entries, i, apr_table_entry_t).key;

        if (name && openid2rp_vars_is_ours(
                openid2rp_vars_behind_redirects(name))) {
            APR_ARRAY_PUSH(names, const char *) = name;
        }
    }
    for (i = 0; i < names->nelts; i++) {
        apr_table_unset(r->subprocess_env,
                        APR_ARRAY_IDX(names, i, const char *));
    }
    /* a part has those of the page around it; httpd adds this one's own */
    if (r->main) {
        apr_table_unset(r->subprocess_env, "REMOTE_USER");
        apr_table_unset(r->subprocess_env, "AUTH_TYPE");
    }
}

/* Without what ends a line, and so short that no application chokes on it; cut
 * between two characters. */
static const char *sentence_of(const char *text, apr_pool_t *pool)
{
    char *sentence = apr_pstrmemdup(pool, text, strnlen(text, SENTENCE_MAX));
    apr_size_t size = strlen(sentence);
    char *c;

    while (size && !orp_utf8_valid(sentence, size)
           && strlen(text) > SENTENCE_MAX) {
        sentence[--size] = '\0';
    }
    for (c = sentence; *c; c++) {
        if (apr_iscntrl(*c)) {
            *c = ' ';
        }
        else if ((unsigned char)c[0] == 0xc2 && (unsigned char)c[1] >= 0x80
                 && (unsigned char)c[1] < 0xa0) {
            c[0] = c[1] = ' ';  /* U+0080 to U+009F */
        }
    }
    return sentence;
}

void openid2rp_vars_set_error(request_rec *r, const orp_reason_t *why)
{
    set_var(r, "ERROR", sentence_of(why->sentence, r->pool));
    set_var(r, "ERROR_CODE", orp_status_code(why->status));
}

void openid2rp_vars_set_notice(request_rec *r, const char *sentence)
{
    set_var(r, "NOTICE", sentence_of(sentence, r->pool));
}

void openid2rp_vars_set(request_rec *r, const orp_identity_t *identity,
                        const char *user)
{
    int i;

    /* a request that another one includes has that one's variables: another
     * section's user, maybe */
    openid2rp_vars_clear(r);
    if (user) {
        r->user = apr_pstrdup(r->pool, user);
        r->ap_auth_type = (char *)OPENID2RP_AUTH_TYPE;
    }
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
