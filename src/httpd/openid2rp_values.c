/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_values.h"

#include <apr_strings.h>

#include "orp_codec.h"
#include "orp_url.h"

const char *openid2rp_mistake(cmd_parms *cmd, const char *fmt, ...)
{
    va_list args;
    const char *text;

    va_start(args, fmt);
    text = apr_pvsprintf(cmd->pool, fmt, args);
    va_end(args);
    return apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", text, NULL);
}

/* ten years: it can be added to any time, and fits into a Max-Age */
#define TIME_MAX (10 * 365 * 24 * 60 * 60 * APR_USEC_PER_SEC)

const char *openid2rp_read_time(apr_interval_time_t *ptime, cmd_parms *cmd,
                                const char *arg)
{
    if (orp_interval_parse(ptime, arg, TIME_MAX, cmd->pool) != APR_SUCCESS) {
        return openid2rp_mistake(cmd, "\"%s\" is not a time such as \"30s\", "
                                 "\"10m\" or \"1h\" (ten years at most).",
                                 arg);
    }
    return NULL;
}

const char *openid2rp_read_size(apr_int64_t *psize, cmd_parms *cmd,
                                const char *arg)
{
    apr_uint64_t size;

    if (orp_size_parse(&size, arg, cmd->pool) != APR_SUCCESS) {
        return openid2rp_mistake(cmd, "\"%s\" is not a size such as \"256K\" "
                                 "or \"32M\".", arg);
    }
    *psize = (apr_int64_t)size;
    return NULL;
}

const char *openid2rp_read_url(const char **purl, cmd_parms *cmd,
                            const char *arg)
{
    orp_reason_t *why = orp_reason_create(cmd->temp_pool);
    const char *at = strrchr(arg, '@');

    if (orp_url_normalize(purl, arg, why, cmd->pool) != APR_SUCCESS) {
        /* a password may stand before the "@" */
        return openid2rp_mistake(cmd, "\"%s%s\" is not a web address: %s",
                                 at ? "***" : "", at ? at : arg,
                                 why->sentence);
    }
    return NULL;
}

const char *openid2rp_read_regex(const ap_regex_t **pregex, cmd_parms *cmd,
                                 const char *arg)
{
    *pregex = ap_pregcomp(cmd->pool,
                          apr_pstrcat(cmd->pool, "^(?:", arg, ")$", NULL),
                          AP_REG_EXTENDED | AP_REG_DOLLAR_ENDONLY);
    return *pregex ? NULL
        : openid2rp_mistake(cmd, "\"%s\" is not a regular expression.", arg);
}

const char *openid2rp_check_path(cmd_parms *cmd, const char *arg)
{
    if (*arg != '/' || orp_has_control(arg) || strpbrk(arg, " \\#")) {
        return openid2rp_mistake(
            cmd, "\"%s\" is not a path that begins with \"/\".", arg);
    }
    return NULL;
}
