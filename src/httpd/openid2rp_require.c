/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_require.h"

#include <string.h>

#include <apr_strings.h>
#include <http_request.h>
#include <mod_auth.h>

#include "openid2rp_provider.h"
#include "openid2rp_request.h"
#include "openid2rp_user.h"
#include "openid2rp_values.h"
#include "orp_ax.h"
#include "orp_sreg.h"

/* One word of a line: a text, or "~" and a regular expression. */
typedef struct {
    const char *text;
    const ap_regex_t *regex;    /* or this */
} word_t;

/* A line of openid-attribute. */
typedef struct {
    const char *sreg;           /* SREG's field, */
    const char *ax;             /* or AX's alias, or else the mail address */
    const apr_array_header_t *words;
} attribute_t;

/* ---------------------------------------------------------------------- */
/* Reading the configuration */

typedef const char *read_word_fn(word_t *word, cmd_parms *cmd,
                                 const char *arg);

static const char *read_text(word_t *word, cmd_parms *cmd, const char *arg)
{
    if (*arg == '~') {
        return openid2rp_read_regex(&word->regex, cmd, arg + 1);
    }
    word->text = apr_pstrdup(cmd->pool, arg);
    return NULL;
}

/* As it stands in REMOTE_USER: an i-number, or a normalized URL. */
static const char *read_identifier(word_t *word, cmd_parms *cmd,
                                   const char *arg)
{
    if (strchr("~=@!", *arg)) {
        return read_text(word, cmd, arg);
    }
    return openid2rp_read_url(&word->text, cmd, arg);
}

/* A team's name has no blanks: they are told separated by these. */
static const char *read_team(word_t *word, cmd_parms *cmd, const char *arg)
{
    if (!*arg || strpbrk(arg, " \t,")) {
        return openid2rp_mistake(cmd, "\"%s\" is not the name of a team.",
                                 arg);
    }
    word->text = apr_pstrdup(cmd->pool, arg);
    return NULL;
}

static const char *read_words(apr_array_header_t **pwords, cmd_parms *cmd,
                              const char *line, read_word_fn *read)
{
    apr_array_header_t *words = apr_array_make(cmd->pool, 2, sizeof(word_t));
    const char *arg;
    const char *error = NULL;

    while (!error && *(arg = ap_getword_conf(cmd->temp_pool, &line))) {
        word_t *word = apr_array_push(words);

        memset(word, 0, sizeof(*word));
        error = read(word, cmd, arg);
    }
    if (!error && !words->nelts) {
        error = openid2rp_mistake(cmd, "nothing stands behind it that could "
                                  "be compared.");
    }
    *pwords = words;
    return error;
}

static const char *parse_identifier(cmd_parms *cmd, const char *line,
                                    const void **pparsed)
{
    apr_array_header_t *words;
    const char *error = read_words(&words, cmd, line, read_identifier);

    *pparsed = words;
    return error;
}

static const char *parse_team(cmd_parms *cmd, const char *line,
                              const void **pparsed)
{
    apr_array_header_t *words;
    const char *error = read_words(&words, cmd, line, read_team);

    *pparsed = words;
    return error;
}

static const char *parse_provider(cmd_parms *cmd, const char *line,
                                  const void **pparsed)
{
    apr_array_header_t *rules
        = apr_array_make(cmd->pool, 2, sizeof(const openid2rp_rule_t *));
    const char *arg;
    const char *error = NULL;

    while (!error && *(arg = ap_getword_conf(cmd->temp_pool, &line))) {
        error = openid2rp_rule_read(apr_array_push(rules), cmd, arg);
    }
    if (!error && !rules->nelts) {
        error = openid2rp_mistake(cmd, "nothing stands behind it that could "
                                  "be compared.");
    }
    *pparsed = rules;
    return error;
}

static const char *parse_attribute(cmd_parms *cmd, const char *line,
                                   const void **pparsed)
{
    attribute_t *attribute = apr_pcalloc(cmd->pool, sizeof(*attribute));
    const char *name = ap_getword_conf(cmd->pool, &line);
    apr_array_header_t *words;
    const char *error;

    if (!strncmp(name, "sreg.", 5) && orp_sreg_field_valid(name + 5)) {
        attribute->sreg = name + 5;
    }
    else if (!strncmp(name, "ax.", 3) && orp_ax_alias_valid(name + 3)) {
        attribute->ax = name + 3;
    }
    else if (strcmp(name, "email")) {
        return openid2rp_mistake(cmd, "\"%s\" is not \"email\", "
                                 "\"sreg.FIELD\" or \"ax.ALIAS\".", name);
    }
    error = read_words(&words, cmd, line, read_text);
    attribute->words = words;
    *pparsed = attribute;
    return error;
}

/* ---------------------------------------------------------------------- */
/* Judging requests */

static int any_word(const apr_array_header_t *words, const char *value)
{
    int i;

    for (i = 0; value && i < words->nelts; i++) {
        const word_t *word = &APR_ARRAY_IDX(words, i, word_t);

        if (word->regex ? !ap_regexec(word->regex, value, 0, NULL, 0)
            : !strcmp(word->text, value)) {
            return 1;
        }
    }
    return 0;
}

static authz_status judge(int granted)
{
    return granted ? AUTHZ_GRANTED : AUTHZ_DENIED;
}

/* Who is signed in by OpenID, or NULL with what that means. */
static const orp_identity_t *identity_of(authz_status *presult,
                                         request_rec *r)
{
    const openid2rp_request_t *notes = openid2rp_request_find(r);

    *presult = r->user ? AUTHZ_DENIED : AUTHZ_DENIED_NO_USER;
    return r->user && notes ? notes->identity : NULL;
}

static authz_status check_identifier(request_rec *r, const char *line,
                                     const void *parsed)
{
    authz_status result;
    const orp_identity_t *identity = identity_of(&result, r);

    (void)line;
    return identity ? judge(any_word(parsed, identity->claimed_id)) : result;
}

static authz_status check_provider(request_rec *r, const char *line,
                                   const void *parsed)
{
    authz_status result;
    const orp_identity_t *identity = identity_of(&result, r);

    (void)line;
    return identity ? judge(openid2rp_provider_accepted(
        identity->endpoint, parsed, NULL, r->pool)) : result;
}

static authz_status check_team(request_rec *r, const char *line,
                               const void *parsed)
{
    authz_status result;
    const orp_identity_t *identity = identity_of(&result, r);
    char *rest, *team;

    (void)line;
    if (!identity || !identity->teams) {
        return result;
    }
    for (team = apr_strtok(apr_pstrdup(r->pool, identity->teams), " ", &rest);
         team; team = apr_strtok(NULL, " ", &rest)) {
        if (any_word(parsed, team)) {
            return AUTHZ_GRANTED;
        }
    }
    return result;
}

/* One of several values is enough. */
static int ax_matches(request_rec *r, const attribute_t *attribute,
                      const orp_identity_t *identity)
{
    const apr_array_header_t *values = openid2rp_user_ax(r, identity,
                                                         attribute->ax);
    int i;

    for (i = 0; values && i < values->nelts; i++) {
        if (any_word(attribute->words,
                     APR_ARRAY_IDX(values, i, const char *))) {
            return 1;
        }
    }
    return 0;
}

static authz_status check_attribute(request_rec *r, const char *line,
                                    const void *parsed)
{
    const attribute_t *attribute = parsed;
    authz_status result;
    const orp_identity_t *identity = identity_of(&result, r);

    (void)line;
    if (!identity) {
        return result;
    }
    if (attribute->ax) {
        return judge(ax_matches(r, attribute, identity));
    }
    return judge(any_word(attribute->words, attribute->sreg
                          ? orp_params_get(identity->sreg, attribute->sreg)
                          : orp_identity_email(identity)));
}

static const authz_provider identifiers = {
    check_identifier, parse_identifier
};
static const authz_provider providers = { check_provider, parse_provider };
static const authz_provider attributes = {
    check_attribute, parse_attribute
};
static const authz_provider teams = { check_team, parse_team };

static void add(apr_pool_t *pool, const char *name,
                const authz_provider *provider)
{
    /* PER_CONF, as our hooks are */
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, name,
                              AUTHZ_PROVIDER_VERSION, provider,
                              AP_AUTH_INTERNAL_PER_CONF);
}

void openid2rp_require_register(apr_pool_t *pool)
{
    add(pool, "openid-identifier", &identifiers);
    add(pool, "openid-provider", &providers);
    add(pool, "openid-attribute", &attributes);
    add(pool, "openid-team", &teams);
}
