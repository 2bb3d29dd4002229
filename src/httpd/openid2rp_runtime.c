/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_runtime.h"

#include <apr_strings.h>
#include <http_core.h>

#include "openid2rp_background.h"
#include "openid2rp_limit.h"
#include "openid2rp_store.h"
#include "orp_crypto.h"
#include "orp_http_curl.h"
#include "orp_xml.h"

/* ---------------------------------------------------------------------- */
/* The world */

/* Where the core's log lines go. */
typedef struct {
    server_rec *s;
    request_rec *r;             /* NULL: the server's log */
} log_baton_t;

static apr_time_t now(void *baton)
{
    (void)baton;
    return apr_time_now();
}

static apr_status_t random_bytes(void *baton, unsigned char *buf,
                                 apr_size_t size)
{
    (void)baton;
    return orp_random_bytes(buf, size);
}

static void write_log(void *baton, orp_log_level_e level, int number,
                      const char *line)
{
    static const int levels[] = {
        [ORP_LOG_ERROR] = APLOG_ERR,
        [ORP_LOG_WARN] = APLOG_WARNING,
        [ORP_LOG_INFO] = APLOG_INFO,
        [ORP_LOG_DEBUG] = APLOG_DEBUG,
    };
    const log_baton_t *log = baton;

    if (log->r) {
        ap_log_rerror(APLOG_MARK, levels[level], 0, log->r,
                      "O2RP-%03d: %s", number, line);
    }
    else {
        ap_log_error(APLOG_MARK, levels[level], 0, log->s,
                     "O2RP-%03d: %s", number, line);
    }
}

orp_http_client_t *openid2rp_runtime_client(
    const openid2rp_runtime_t *runtime, int (*stopped)(void *baton),
    void *baton, apr_pool_t *pool)
{
    const openid2rp_server_t *settings = runtime->settings;
    const orp_http_curl_t fetch = {
        .timeout = settings->fetch_timeout,
        .connect = settings->fetch_connect,
        .max_size = (apr_size_t)settings->fetch_max_size,
        .allow = settings->fetch_allow,
        .proxy = settings->fetch_proxy,
        .ca_file = settings->fetch_ca_file,
        .require_tls = settings->fetch_require_tls,
        .stopped = stopped,
        .baton = baton,
    };

    return orp_http_curl_create(&fetch, &runtime->env, pool);
}

static void make_env(openid2rp_runtime_t *runtime, server_rec *s,
                     apr_pool_t *pool)
{
    const openid2rp_server_t *settings = runtime->settings;
    log_baton_t *log = apr_pcalloc(pool, sizeof(*log));

    log->s = s;
    runtime->env.now = now;
    runtime->env.random = random_bytes;
    runtime->env.log = write_log;
    runtime->env.baton = log;
    runtime->env.xri_proxy = *settings->xri_proxy ? settings->xri_proxy
        : NULL;
    runtime->env.http = openid2rp_runtime_client(runtime, NULL, NULL, pool);
}

/* "www.example.org:443", as the configuration has it: the same on all machines
 * that share a store. */
static const char *site_of(const server_rec *s, apr_pool_t *pool)
{
    apr_port_t port = s->port;

    if (!port && s->addrs) {
        port = s->addrs->host_port;
    }
    return apr_psprintf(pool, "%s:%hu",
                        s->server_hostname ? s->server_hostname : "", port);
}

static openid2rp_runtime_t *make_runtime(server_rec *s, apr_pool_t *pool)
{
    openid2rp_runtime_t *runtime = apr_pcalloc(pool, sizeof(*runtime));

    runtime->settings = openid2rp_server(s, openid2rp_background_default(),
                                         pool);
    runtime->site = site_of(s, pool);
    make_env(runtime, s, pool);
    return runtime;
}

openid2rp_runtime_t *openid2rp_runtime(const server_rec *s)
{
    openid2rp_server_t *server = ap_get_module_config(s->module_config,
                                                      &openid2rp_module);

    return server->runtime;
}

static void use_store(server_rec *s, orp_store_t *store)
{
    for (; s; s = s->next) {
        openid2rp_runtime(s)->env.store = store;
    }
}

/* ---------------------------------------------------------------------- */
/* Hooks */

int openid2rp_runtime_pre_config(apr_pool_t *pconf, apr_pool_t *plog,
                                 apr_pool_t *ptemp)
{
    (void)plog;
    (void)ptemp;
    return openid2rp_store_register(pconf);
}

int openid2rp_runtime_post_config(apr_pool_t *pconf, apr_pool_t *plog,
                                  apr_pool_t *ptemp, server_rec *s)
{
    const openid2rp_runtime_t *main_runtime;
    orp_store_t *store;
    server_rec *each;

    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;              /* httpd only tries the configuration */
    }
    for (each = s; each; each = each->next) {
        openid2rp_server_t *server
            = ap_get_module_config(each->module_config, &openid2rp_module);

        /* a virtual host without settings of its own shares the main
         * server's, which comes first */
        if (!server->runtime) {
            server->runtime = make_runtime(each, pconf);
        }
    }
    main_runtime = openid2rp_runtime(s);
    if (openid2rp_store_prepare(&store, main_runtime->settings->store,
                                &main_runtime->env, s, pconf)
        != APR_SUCCESS) {
        return !OK;
    }
    use_store(s, store);
    return openid2rp_limit_prepare(s, pconf) == APR_SUCCESS ? OK : !OK;
}

void openid2rp_runtime_child_init(apr_pool_t *pchild, server_rec *s)
{
    const openid2rp_runtime_t *main_runtime = openid2rp_runtime(s);
    apr_status_t status = orp_http_curl_init();
    apr_pool_t *pool;

    (void)pchild;
    if (status != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, status, s, O2RP(203)
                     "this process could not be prepared for logins");
    }
    orp_xml_init();

    /* not in pchild, which goes while the watchdog's thread may still be at
     * work: this one goes after it, when the process ends */
    apr_pool_create(&pool, s->process->pconf);
    apr_pool_tag(pool, "openid2rp_store");
    use_store(s, openid2rp_store_open(main_runtime->env.store,
                                      main_runtime->settings->store,
                                      &main_runtime->env, s, pool));
}

/* ---------------------------------------------------------------------- */
/* For requests */

const openid2rp_server_t *openid2rp_settings(request_rec *r)
{
    return openid2rp_runtime(r->server)->settings;
}

const orp_env_t *openid2rp_env(request_rec *r)
{
    orp_env_t *env = apr_pmemdup(r->pool, &openid2rp_runtime(r->server)->env,
                                 sizeof(*env));
    log_baton_t *log = apr_pcalloc(r->pool, sizeof(*log));

    log->s = r->server;
    log->r = r;
    env->baton = log;
    return env;
}
