/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_values.h"

#include <apr_lib.h>
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

/* httpd's suffixes, and "m": ap_timeout_parameter_parse() knows minutes as
 * "mi" only, and does not look at what follows a unit's first letters. */
static const struct {
    const char *suffix;
    apr_interval_time_t unit;
} time_units[] = {
    { "", APR_USEC_PER_SEC },
    { "ms", APR_USEC_PER_SEC / 1000 },
    { "s", APR_USEC_PER_SEC },
    { "m", 60 * APR_USEC_PER_SEC },
    { "mi", 60 * APR_USEC_PER_SEC },
    { "min", 60 * APR_USEC_PER_SEC },
    { "h", 60 * 60 * APR_USEC_PER_SEC },
};

/* ten years: it can be added to any time, and fits into a Max-Age */
#define TIME_MAX (10 * 365 * 24 * 60 * 60 * APR_USEC_PER_SEC)

const char *openid2rp_read_time(apr_interval_time_t *ptime, cmd_parms *cmd,
                                const char *arg)
{
    apr_size_t digits = strspn(arg, "0123456789");
    apr_uint64_t number;
    apr_size_t i;

    for (i = 0; i < sizeof(time_units) / sizeof(time_units[0]); i++) {
        apr_interval_time_t unit = time_units[i].unit;

        if (!ap_cstr_casecmp(arg + digits, time_units[i].suffix)
            && orp_number_parse(&number,
                                apr_pstrmemdup(cmd->pool, arg, digits),
                                (apr_uint64_t)(TIME_MAX / unit))
            == APR_SUCCESS && number) {
            *ptime = (apr_interval_time_t)number * unit;
            return NULL;
        }
    }
    return openid2rp_mistake(cmd, "\"%s\" is not a time such as \"30s\", "
                             "\"10m\" or \"1h\" (ten years at most).", arg);
}

const char *openid2rp_read_size(apr_int64_t *psize, cmd_parms *cmd,
                             const char *arg)
{
    static const char units[] = "KMG";
    apr_size_t length = strlen(arg);
    const char *unit = length
        ? strchr(units, apr_toupper(arg[length - 1])) : NULL;
    int shift = unit && *unit ? (int)(unit - units + 1) * 10 : 0;
    apr_uint64_t number;

    if (orp_number_parse(&number,
                         apr_pstrmemdup(cmd->pool, arg,
                                        length - (shift ? 1 : 0)),
                         ((apr_uint64_t)1 << 40) >> shift)
        != APR_SUCCESS || !number) {
        return openid2rp_mistake(cmd,
                                 "\"%s\" is not a size such as \"256K\" or "
                                 "\"32M\".",
                                 arg);
    }
    *psize = (apr_int64_t)(number << shift);
    return NULL;
}

const char *openid2rp_read_url(const char **purl, cmd_parms *cmd,
                            const char *arg)
{
    orp_reason_t *why = orp_reason_create(cmd->temp_pool);

    if (orp_url_normalize(purl, arg, why, cmd->pool) != APR_SUCCESS) {
        return openid2rp_mistake(cmd, "\"%s\" is not a web address: %s", arg,
                                 why->sentence);
    }
    return NULL;
}

const char *openid2rp_check_path(cmd_parms *cmd, const char *arg)
{
    if (*arg != '/' || orp_has_control(arg) || strpbrk(arg, " \\#")) {
        return openid2rp_mistake(
            cmd, "\"%s\" is not a path that begins with \"/\".", arg);
    }
    return NULL;
}
