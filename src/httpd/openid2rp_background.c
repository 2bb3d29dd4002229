/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_background.h"

#include <unistd.h>

#include <ap_mpm.h>
#include <apr_atomic.h>
#include <apr_network_io.h>
#include <apr_signal.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <http_core.h>
#include <mod_watchdog.h>

#include "openid2rp_runtime.h"
#include "orp_background.h"
#include "orp_store.h"

#define WATCHDOG "_openid2rp_"

/* How often mod_watchdog calls; and when the next run is, which reads every
 * number of the queue, after one that made something and one that did not. */
#define INTERVAL APR_USEC_PER_SEC
#define PAUSE_BUSY APR_USEC_PER_SEC
#define PAUSE_IDLE (3 * APR_USEC_PER_SEC)
#define PAUSE_SWEEP (60 * APR_USEC_PER_SEC)

/* A server, as the work sees it: its fetches end when the process does. */
typedef struct {
    const openid2rp_runtime_t *runtime;
    orp_http_client_t *http;
    orp_env_t env;
} site_t;

struct openid2rp_background_t {
    server_rec *s;              /* the main server */
    apr_array_header_t *sites;  /* of site_t; the main server is the first */
    apr_pool_t *pool;           /* of this process */
    const char *holder;         /* what the lease calls this process */
    apr_thread_mutex_t *mutex;  /* held while there is work being done; guards
                                 * what is below */
    int leased;                 /* there may be a lease to be given back */
    int failing;                /* the log knows that the store fails */
    apr_time_t next_run;
    apr_time_t next_sweep;
    volatile apr_uint32_t stopping;     /* atomic */
};

/* ---------------------------------------------------------------------- */
/* What is configured */

int openid2rp_background_possible(void)
{
    return APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance)
        && APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
}

orp_associate_mode_e openid2rp_background_default(void)
{
    return openid2rp_background_possible() ? ORP_ASSOCIATE_BACKGROUND
        : ORP_ASSOCIATE_LOGIN;
}

/* Is there a server whose OpenIDAssociate was written like this, or not at
 * all? */
static int is_written(server_rec *s, int mode)
{
    for (; s; s = s->next) {
        const openid2rp_server_t *server
            = ap_get_module_config(s->module_config, &openid2rp_module);

        if (server->associate == mode) {
            return 1;
        }
    }
    return 0;
}

int openid2rp_background_check_config(apr_pool_t *pconf, apr_pool_t *plog,
                                      apr_pool_t *ptemp, server_rec *s)
{
    const openid2rp_server_t *settings
        = openid2rp_server(s, ORP_ASSOCIATE_LOGIN, ptemp);

    (void)pconf;
    (void)plog;
    if (openid2rp_background_possible()
        || settings->store->type != ORP_PLACE_SHM
        || !is_written(s, ORP_ASSOCIATE_BACKGROUND)) {
        return OK;
    }
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, O2RP(206)
                 "OpenIDAssociate: \"background\" needs mod_watchdog, which "
                 "is not loaded; with \"OpenIDStore shm\" nobody else can "
                 "make associations either.");
    return !OK;
}

/* Nothing is done in this httpd: say so, where that was not to be expected. */
static void note_impossible(server_rec *s)
{
    if (is_written(s, ORP_ASSOCIATE_BACKGROUND)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, O2RP(207)
                     "background: mod_watchdog is not loaded, so associations "
                     "are made only where \"openid2rp refresh\" is run "
                     "(cron)");
    }
    if (is_written(s, OPENID2RP_UNSET)) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s, O2RP(205)
                     "background: mod_watchdog is not loaded, so associations "
                     "are made while a user waits (\"OpenIDAssociate "
                     "login\")");
    }
}

/* ---------------------------------------------------------------------- */
/* The work */

static int is_stopping(openid2rp_background_t *background)
{
    int state = 0;

    return apr_atomic_read32(&background->stopping)
        || ap_mpm_query(AP_MPMQ_MPM_STATE, &state) != APR_SUCCESS
        || state == AP_MPMQ_STOPPING;
}

static int stopped(void *baton)
{
    return is_stopping(baton);
}

/* Which server is this? Where several have the same name and port, the first
 * of them; where none has, the main one. */
static const orp_env_t *env_of(void *baton, const char *name)
{
    const openid2rp_background_t *background = baton;
    site_t *site = &APR_ARRAY_IDX(background->sites, 0, site_t);
    int i;

    for (i = 0; i < background->sites->nelts; i++) {
        site_t *each = &APR_ARRAY_IDX(background->sites, i, site_t);

        if (!strcmp(each->runtime->site, name)) {
            site = each;
            break;
        }
    }
    site->env = site->runtime->env;
    site->env.http = site->http;
    return &site->env;
}

static void make_sites(openid2rp_background_t *background)
{
    const server_rec *s;

    background->sites = apr_array_make(background->pool, 1, sizeof(site_t));
    for (s = background->s; s; s = s->next) {
        site_t *site = apr_array_push(background->sites);

        site->runtime = openid2rp_runtime(s);
        site->http = openid2rp_runtime_client(site->runtime, stopped,
                                              background, background->pool);
    }
}

/* An outage is one line, however long it is. */
static void note_store(openid2rp_background_t *background,
                       apr_status_t status)
{
    int failing = status != APR_SUCCESS;

    if (failing && !background->failing) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, background->s, O2RP(208)
                     "background: no associations are made until the store "
                     "works (%s)", orp_status_code(status));
    }
    background->failing = failing;
}

static void run(openid2rp_background_t *background, apr_time_t now,
                apr_pool_t *pool)
{
    const orp_background_t job = {
        .holder = background->holder, .env_of = env_of, .stopped = stopped,
        .baton = background,
    };
    orp_background_result_t result = { 0, 0, 0, 0 };
    apr_status_t status = orp_background_run(
        &result, &openid2rp_runtime(background->s)->env, &job, pool);

    note_store(background, status);
    background->leased = status != APR_SUCCESS || !result.elsewhere;
    background->next_run = now + (result.made ? PAUSE_BUSY : PAUSE_IDLE);
}

static void work(openid2rp_background_t *background, apr_pool_t *pool)
{
    apr_time_t now = apr_time_now();

    if (now >= background->next_run) {
        run(background, now, pool);
    }
    if (now >= background->next_sweep && !is_stopping(background)) {
        /* a store that fails has said so itself */
        (void)!orp_store_sweep(openid2rp_runtime(background->s)->env.store,
                               now);
        background->next_sweep = now + PAUSE_SWEEP;
    }
}

/* Wait until no work is being done, and see that there will be none.
 *
 * Under prefork, httpd ends a child in its handler of SIGTERM or SIGHUP, and
 * calls this and all of exit() there, wherever the child was. Within malloc(),
 * say, while curl works for a request, that hangs (until httpd kills it, ten
 * seconds later) or aborts, with or without us: OpenSSL frees what it has in
 * exit(). Between two requests, where a child mostly is, nothing is held. */
static apr_status_t stop(void *data)
{
    openid2rp_background_t *background = data;
    apr_pool_t *pool;

    apr_atomic_set32(&background->stopping, 1);
    apr_thread_mutex_lock(background->mutex);
    if (background->leased
        && apr_pool_create(&pool, background->pool) == APR_SUCCESS) {
        orp_background_leave(&openid2rp_runtime(background->s)->env,
                             background->holder, pool);
        apr_pool_destroy(pool);
        background->leased = 0;
    }
    apr_thread_mutex_unlock(background->mutex);
    return APR_SUCCESS;
}

static apr_status_t on_watchdog(int state, void *data, apr_pool_t *pool)
{
    openid2rp_background_t *background = data;

    if (!background->mutex) {
        return APR_EGENERAL;    /* child_init has failed; not called again */
    }
    switch (state) {
    case AP_WATCHDOG_STATE_STARTING:
        /* a signal that ends this process must not end it in this thread,
         * which stop() waits for */
        return apr_setup_signal_thread();
    case AP_WATCHDOG_STATE_RUNNING:
        apr_thread_mutex_lock(background->mutex);
        if (!is_stopping(background)) {
            work(background, pool);
        }
        apr_thread_mutex_unlock(background->mutex);
        return APR_SUCCESS;
    default:
        return stop(background);
    }
}

/* ---------------------------------------------------------------------- */
/* Start */

static int is_wanted(const server_rec *s)
{
    for (; s; s = s->next) {
        if (openid2rp_runtime(s)->settings->associate
            == ORP_ASSOCIATE_BACKGROUND) {
            return 1;
        }
    }
    return 0;
}

static apr_status_t register_callback(openid2rp_background_t *background,
                                      apr_pool_t *pconf)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get_instance
        = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add_callback
        = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog;
    apr_status_t status = get_instance(&watchdog, WATCHDOG, 0, 1, pconf);

    return status == APR_SUCCESS
        ? add_callback(watchdog, INTERVAL, background, on_watchdog) : status;
}

int openid2rp_background_post_config(apr_pool_t *pconf, apr_pool_t *plog,
                                     apr_pool_t *ptemp, server_rec *s)
{
    openid2rp_background_t *background;
    apr_status_t status;

    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    if (!openid2rp_background_possible()) {
        note_impossible(s);
        return OK;
    }
    if (!is_wanted(s)) {
        return OK;
    }
    background = apr_pcalloc(pconf, sizeof(*background));
    background->s = s;
    status = register_callback(background, pconf);
    if (status != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, status, s, O2RP(206)
                     "OpenIDAssociate: mod_watchdog does not call the module");
        return !OK;
    }
    openid2rp_runtime(s)->background = background;
    return OK;
}

static const char *name_of_process(const orp_env_t *env, apr_pool_t *pool)
{
    char host[APRMAXHOSTLEN + 1];
    const char *token;

    if (apr_gethostname(host, sizeof(host), pool) != APR_SUCCESS) {
        host[0] = '\0';
    }
    if (orp_env_token(&token, env, pool) != APR_SUCCESS) {
        token = "";
    }
    return apr_psprintf(pool, "%s %ld %s", host, (long)getpid(), token);
}

void openid2rp_background_child_init(apr_pool_t *pchild, server_rec *s)
{
    const openid2rp_runtime_t *runtime = openid2rp_runtime(s);
    openid2rp_background_t *background = runtime->background;
    apr_status_t status;

    if (!background) {
        return;
    }
    /* not in pchild, which goes before the watchdog's thread does */
    apr_pool_create(&background->pool, s->process->pconf);
    apr_pool_tag(background->pool, "openid2rp_background");
    make_sites(background);
    background->holder = name_of_process(&runtime->env, background->pool);
    background->next_sweep = apr_time_now() + PAUSE_SWEEP;
    status = apr_thread_mutex_create(&background->mutex,
                                     APR_THREAD_MUTEX_DEFAULT,
                                     background->pool);
    if (status != APR_SUCCESS) {
        background->mutex = NULL;
        ap_log_error(APLOG_MARK, APLOG_CRIT, status, s, O2RP(203)
                     "this process could not be prepared for work in the "
                     "background");
        return;
    }
    /* When the process ends, before all that the thread works with: what is
     * done at exit() comes too late for OpenSSL's. */
    apr_pool_pre_cleanup_register(pchild, background, stop);
}
