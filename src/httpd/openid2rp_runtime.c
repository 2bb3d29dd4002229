/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_runtime.h"

#include <apr_shm.h>
#include <apr_strings.h>
#include <http_core.h>
#include <util_mutex.h>

#include "orp_crypto.h"
#include "orp_store.h"
#include "orp_xml.h"

#define MUTEX_TYPE "openid2rp"
#define RETAINED_KEY "mod_openid2rp:store"

typedef struct openid2rp_runtime_t openid2rp_runtime_t;

/* What outlives a restart: httpd unloads the module, but the parent process
 * goes on, and with it its memory. Plain data only, no pointer to our code. */
typedef struct {
    apr_shm_t *shm;
    apr_size_t size;
    apr_global_mutex_t *mutex;
    const char *lockfile;
} retained_t;

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

static void make_env(openid2rp_runtime_t *runtime, server_rec *s,
                     orp_store_t *store, apr_pool_t *pool)
{
    const openid2rp_server_t *settings = runtime->settings;
    log_baton_t *log = apr_pcalloc(pool, sizeof(*log));
    const orp_http_curl_t fetch = {
        .timeout = settings->fetch_timeout,
        .connect = settings->fetch_connect,
        .max_size = (apr_size_t)settings->fetch_max_size,
        .allow = settings->fetch_allow,
        .proxy = settings->fetch_proxy,
        .ca_file = settings->fetch_ca_file,
        .require_tls = settings->fetch_require_tls,
    };

    log->s = s;
    runtime->env.store = store;
    runtime->env.now = now;
    runtime->env.random = random_bytes;
    runtime->env.log = write_log;
    runtime->env.baton = log;
    runtime->env.xri_proxy = *settings->xri_proxy ? settings->xri_proxy
        : NULL;
    runtime->env.http = orp_http_curl_create(&fetch, &runtime->env, pool);
}

/* ---------------------------------------------------------------------- */
/* The store */

static apr_status_t make_segment(retained_t *retained, apr_size_t size,
                                 server_rec *s)
{
    apr_pool_t *pool = s->process->pool;
    apr_status_t status = APR_SUCCESS;

    if (!retained->mutex) {
        status = ap_global_mutex_create(&retained->mutex,
                                        &retained->lockfile, MUTEX_TYPE,
                                        NULL, s, pool, 0);
    }
    if (status == APR_SUCCESS && retained->shm && retained->size != size) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s, O2RP(201)
                     "store: its size changed, so sessions and logins in "
                     "progress are lost");
        apr_shm_destroy(retained->shm);
        retained->shm = NULL;
    }
    if (status == APR_SUCCESS && !retained->shm) {
        status = apr_shm_create(&retained->shm, size, NULL, pool);
        retained->size = size;
    }
    return status;
}

static apr_status_t open_store(orp_store_t **pstore, server_rec *s,
                               apr_size_t size, apr_pool_t *pool)
{
    retained_t *retained = ap_retained_data_get(RETAINED_KEY);
    int fresh = !retained || !retained->shm || retained->size != size;
    apr_status_t status;

    if (!retained) {
        retained = ap_retained_data_create(RETAINED_KEY, sizeof(*retained));
    }
    status = make_segment(retained, size, s);
    if (status != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, status, s, O2RP(202)
                     "store: %" APR_SIZE_T_FMT " bytes of shared memory and "
                     "a mutex for them cannot be had", size);
        return status;
    }
    return orp_store_shm_open(pstore, apr_shm_baseaddr_get(retained->shm),
                              size, fresh, retained->mutex, pool);
}

/* ---------------------------------------------------------------------- */
/* Hooks */

int openid2rp_runtime_pre_config(apr_pool_t *pconf, apr_pool_t *plog,
                                 apr_pool_t *ptemp)
{
    (void)plog;
    (void)ptemp;
    return ap_mutex_register(pconf, MUTEX_TYPE, NULL, APR_LOCK_DEFAULT, 0)
        == APR_SUCCESS ? OK : !OK;
}

int openid2rp_runtime_post_config(apr_pool_t *pconf, apr_pool_t *plog,
                                  apr_pool_t *ptemp, server_rec *s)
{
    const openid2rp_server_t *main_settings = openid2rp_server(s, pconf);
    orp_store_t *store;
    server_rec *each;

    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;              /* httpd only tries the configuration */
    }
    if (open_store(&store, s, (apr_size_t)main_settings->store_size, pconf)
        != APR_SUCCESS) {
        return !OK;
    }
    for (each = s; each; each = each->next) {
        openid2rp_server_t *server
            = ap_get_module_config(each->module_config, &openid2rp_module);

        server->runtime = apr_pcalloc(pconf, sizeof(*server->runtime));
        server->runtime->settings = openid2rp_server(each, pconf);
        make_env(server->runtime, each, store, pconf);
    }
    return OK;
}

void openid2rp_runtime_child_init(apr_pool_t *pchild, server_rec *s)
{
    retained_t *retained = ap_retained_data_get(RETAINED_KEY);
    apr_status_t status = ORP_EFETCH;

    if (retained) {
        status = apr_global_mutex_child_init(&retained->mutex,
                                             retained->lockfile, pchild);
    }
    if (status == APR_SUCCESS) {
        status = orp_http_curl_init();
    }
    if (status != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, status, s, O2RP(203)
                     "this process could not be prepared for logins");
    }
    orp_xml_init();
}

static openid2rp_runtime_t *runtime_of(request_rec *r)
{
    openid2rp_server_t *server
        = ap_get_module_config(r->server->module_config, &openid2rp_module);

    return server->runtime;
}

const openid2rp_server_t *openid2rp_settings(request_rec *r)
{
    return runtime_of(r)->settings;
}

const orp_env_t *openid2rp_env(request_rec *r)
{
    orp_env_t *env = apr_pmemdup(r->pool, &runtime_of(r)->env, sizeof(*env));
    log_baton_t *log = apr_pcalloc(r->pool, sizeof(*log));

    log->s = r->server;
    log->r = r;
    env->baton = log;
    return env;
}
