/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_directives_app.c - directives about the application behind. */

#include <apr_lib.h>

#include "openid2rp_directives.h"
#include "openid2rp_values.h"
#include "openid2rp_vars.h"

const char *openid2rp_set_intercept(cmd_parms *cmd, void *dir, int on)
{
    (void)cmd;
    ((openid2rp_dir_t *)dir)->intercept = on;
    return NULL;
}

const char *openid2rp_set_session(cmd_parms *cmd, void *dir, const char *arg)
{
    openid2rp_dir_t *d = dir;

    if (!ap_cstr_casecmp(arg, "store")) {
        d->session = OPENID2RP_SESSION_STORE;
    }
    else if (!ap_cstr_casecmp(arg, "off")) {
        d->session = OPENID2RP_SESSION_OFF;
    }
    else {
        return openid2rp_mistake(cmd, "\"%s\" is not \"store\" or \"off\".",
                                 arg);
    }
    return NULL;
}

/* Letters, digits and "-" alone: some servers drop what has another character
 * in it, or take it for another header. */
const char *openid2rp_set_pass_headers(cmd_parms *cmd, void *dir,
                                       const char *prefix)
{
    const char *c;

    if (!ap_cstr_casecmp(prefix, "off")) {
        ((openid2rp_dir_t *)dir)->pass_headers = "";
        return NULL;
    }
    for (c = prefix; apr_isalnum(*c) || (*c == '-' && c > prefix); c++) {
    }
    if (*c || c == prefix) {
        return openid2rp_mistake(cmd, "\"%s\" cannot begin the name of a "
                                 "header; it takes letters, digits and "
                                 "\"-\".", prefix);
    }
    ((openid2rp_dir_t *)dir)->pass_headers = prefix;
    if (cmd->pool != cmd->temp_pool) {  /* not .htaccess */
        openid2rp_vars_note_prefix(prefix, cmd->pool);
    }
    return NULL;
}
