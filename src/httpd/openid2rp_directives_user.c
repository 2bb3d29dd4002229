/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_directives_user.c - directives about what users are called. */

#include <apr_lib.h>
#include <apr_strings.h>

#include "openid2rp_directives.h"
#include "openid2rp_links.h"
#include "openid2rp_user.h"
#include "openid2rp_values.h"
#include "orp_ax.h"
#include "orp_codec.h"
#include "orp_sreg.h"

static const char *read_source(openid2rp_user_source_t *source,
                               cmd_parms *cmd, const char *arg)
{
    source->text = apr_pstrdup(cmd->pool, arg);
    if (!strcmp(arg, "identifier")) {
        source->type = OPENID2RP_USER_IDENTIFIER;
    }
    else if (!strcmp(arg, "email")) {
        source->type = OPENID2RP_USER_EMAIL;
    }
    else if (!strcmp(arg, "link")) {
        source->type = OPENID2RP_USER_LINK;
    }
    else if (!strncmp(arg, "sreg.", 5) && orp_sreg_field_valid(arg + 5)) {
        source->type = OPENID2RP_USER_SREG;
        source->field = source->text + 5;
    }
    else if (!strncmp(arg, "ax.", 3) && orp_ax_alias_valid(arg + 3)) {
        source->type = OPENID2RP_USER_AX;
        source->field = source->text + 3;
    }
    else {
        return openid2rp_mistake(cmd, "\"%s\" is not \"identifier\", "
                                 "\"email\", \"sreg.FIELD\", \"ax.ALIAS\" or "
                                 "\"link\".", arg);
    }
    return NULL;
}

/* A group that is not there would be nothing in every name, and nobody would
 * know why. */
static const char *check_subst(cmd_parms *cmd, const ap_regex_t *regex,
                               const char *subst)
{
    const char *c;

    if (!*subst || orp_has_control(subst)
        || !orp_utf8_valid(subst, strlen(subst))) {
        return openid2rp_mistake(cmd, "what takes the place of the value "
                                 "must be text in UTF-8, and not empty.");
    }
    for (c = subst; *c; c++) {
        if (*c == '\\' && c[1]) {
            c++;
        }
        else if (*c == '$' && apr_isdigit(c[1])
                 && c[1] - '0' > regex->re_nsub) {
            return openid2rp_mistake(cmd, "\"%s\" names the group $%c, and "
                                     "the regular expression has %d.", subst,
                                     c[1], (int)regex->re_nsub);
        }
    }
    return NULL;
}

const char *openid2rp_set_remote_user(cmd_parms *cmd, void *dir, int argc,
                                      char *const argv[])
{
    openid2rp_user_source_t *source = apr_pcalloc(cmd->pool,
                                                  sizeof(*source));
    const char *error;

    if (argc == 2) {
        return openid2rp_mistake(cmd, "behind the regular expression \"%s\" "
                                 "nothing says what the name is, such as "
                                 "\"$1\".", argv[1]);
    }
    if (argc != 1 && argc != 3) {
        return openid2rp_mistake(cmd, "write SOURCE, or SOURCE REGEX SUBST.");
    }
    error = read_source(source, cmd, argv[0]);
    if (!error && argc == 3) {
        error = openid2rp_read_regex(&source->regex, cmd, argv[1]);
        if (!error) {
            source->subst = apr_pstrdup(cmd->pool, argv[2]);
            error = check_subst(cmd, source->regex, source->subst);
        }
    }
    if (error) {
        return error;
    }
    ((openid2rp_dir_t *)dir)->remote_user = source;
    if (cmd->pool != cmd->temp_pool) {
        openid2rp_user_note(cmd, dir);
    }
    return NULL;
}

const char *openid2rp_set_links(cmd_parms *cmd, void *dir, const char *place,
                                const char *missing)
{
    openid2rp_links_t *links;
    const char *error = openid2rp_links_read(&links, cmd, place, missing);

    if (error) {
        return error;
    }
    ((openid2rp_dir_t *)dir)->links = links;
    if (cmd->pool != cmd->temp_pool) {
        openid2rp_user_note(cmd, dir);
    }
    return NULL;
}
