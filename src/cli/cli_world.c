/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "cli_world.h"

#include <stdio.h>

#include "cli_output.h"
#include "orp_crypto.h"
#include "orp_http_curl.h"
#include "orp_store_open.h"
#include "orp_xml.h"

static apr_time_t system_now(void *baton)
{
    (void)baton;
    return apr_time_now();
}

static apr_status_t system_random(void *baton, unsigned char *buf,
                                  apr_size_t size)
{
    (void)baton;
    return orp_random_bytes(buf, size);
}

/* As in httpd's log. */
static void log_line(void *baton, orp_log_level_e level, int number,
                     const char *line)
{
    static const char *const names[] = {
        [ORP_LOG_ERROR] = "error",
        [ORP_LOG_WARN] = "warn",
        [ORP_LOG_INFO] = "info",
        [ORP_LOG_DEBUG] = "debug",
    };

    (void)baton;
    fprintf(stderr, "[openid2rp:%s] O2RP-%03d: %s\n", names[level], number,
            line);
}

apr_status_t cli_world_create(orp_env_t **penv, const cli_options_t *options,
                              orp_reason_t *why, apr_pool_t *pool)
{
    orp_env_t *env = apr_pcalloc(pool, sizeof(*env));
    orp_http_curl_t settings = orp_http_curl_defaults;
    apr_status_t status = orp_http_curl_init();

    if (status != APR_SUCCESS) {
        return status;
    }
    orp_xml_init();
    settings.allow = options->allow;
    env->xri_proxy = options->proxy;
    env->now = system_now;
    env->random = system_random;
    env->log = options->given & CLI_VERBOSE ? log_line : NULL;
    env->http = orp_http_curl_create(&settings, env, pool);
    if (options->store) {
        status = orp_store_open(&env->store, options->store, env, why, pool);
    }
    if (status == APR_SUCCESS) {
        *penv = env;
    }
    return status;
}

int cli_refuse_store(apr_status_t status, const cli_options_t *options,
                     orp_reason_t *why, apr_pool_t *pool)
{
    const char *shown = options->store->shown;

    if (!*why->sentence && status == APR_ENOTIMPL) {
        (void)orp_reason_set(why, status, shown,
                             "The store %s cannot tell what is in it.",
                             shown);
    }
    else if (!*why->sentence && status == ORP_ESTORE) {
        (void)orp_reason_set(why, status, shown,
                             "The store %s cannot be used%s.", shown,
                             options->given & CLI_VERBOSE ? ""
                             : "; with --verbose, the reason is shown");
    }
    return cli_refuse(status, why, pool);
}
