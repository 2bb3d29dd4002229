/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_env.h"

#include <apr_lib.h>
#include <apr_strings.h>

#include "orp_codec.h"

#define TOKEN_BYTES 16          /* 128 bits */

apr_time_t orp_env_now(const orp_env_t *env)
{
    return env->now(env->baton);
}

apr_status_t orp_env_token(const char **ptoken, const orp_env_t *env,
                           apr_pool_t *pool)
{
    unsigned char bytes[TOKEN_BYTES];
    apr_status_t status = env->random(env->baton, bytes, sizeof(bytes));

    if (status != APR_SUCCESS) {
        return status;
    }
    *ptoken = orp_base64url_encode(bytes, sizeof(bytes), pool);
    return APR_SUCCESS;
}

static const char *printable(const char *text, apr_pool_t *pool)
{
    const unsigned char *s;
    char *out = apr_palloc(pool, 4 * strlen(text) + 1);
    char *o = out;

    for (s = (const unsigned char *)text; *s; s++) {
        if (apr_iscntrl(*s)) {
            o += apr_snprintf(o, 5, "\\x%02x", *s);
        }
        else {
            *o++ = (char)*s;
        }
    }
    *o = '\0';
    return out;
}

void orp_log(const orp_env_t *env, orp_log_level_e level, int number,
             apr_pool_t *scratch, const char *fmt, ...)
{
    va_list args;
    const char *line;

    if (!env->log) {
        return;
    }
    va_start(args, fmt);
    line = apr_pvsprintf(scratch, fmt, args);
    va_end(args);
    env->log(env->baton, level, number, printable(line, scratch));
}

int orp_env_is_token(const char *text)
{
    return strlen(text) == ORP_TOKEN_CHARS
        && orp_base64url_span(text) == ORP_TOKEN_CHARS;
}
