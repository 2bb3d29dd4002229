/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_task.h"

#include <apr_strings.h>

#include "openid2rp_provider.h"
#include "openid2rp_runtime.h"

/* One piece of work. */
typedef struct {
    apr_pool_t *pool;           /* its own, gone when it ends */
    const orp_env_t *env;
    orp_rp_t rp;
    const apr_array_header_t *allow;    /* which providers are accepted */
    const apr_array_header_t *deny;
} task_t;

static int may_use_provider(const void *baton, const char *endpoint)
{
    const task_t *task = baton;

    return openid2rp_provider_accepted(endpoint, task->allow, task->deny,
                                       task->pool);
}

static task_t *task_start(request_rec *r, const char *origin)
{
    const openid2rp_server_t *settings = openid2rp_settings(r);
    const openid2rp_dir_t *dir = openid2rp_dir(r);
    apr_pool_t *pool;
    task_t *task;

    apr_pool_create(&pool, r->pool);
    apr_pool_tag(pool, "openid2rp_task");
    task = apr_pcalloc(pool, sizeof(*task));
    task->pool = pool;
    task->env = openid2rp_env(r);
    task->rp.realm = *dir->realm ? dir->realm
        : apr_pstrcat(pool, origin, "/", NULL);
    task->rp.sreg = dir->sreg;
    task->rp.ax = dir->ax;
    if (dir->pape && (dir->pape->max_auth_age >= 0
                      || dir->pape->policies->nelts)) {
        task->rp.pape = dir->pape;
    }
    task->rp.teams = dir->teams;
    task->rp.immediate = dir->immediate == 1;
    task->rp.provider_allowed = may_use_provider;
    task->rp.provider_baton = task;
    task->allow = dir->provider_allow;
    task->deny = dir->provider_deny;
    task->rp.associate = (orp_associate_mode_e)settings->associate;
    task->rp.site = openid2rp_runtime(r->server)->site;
    task->rp.nonce_lifetime = settings->nonce_lifetime;
    return task;
}

static void task_end(task_t *task)
{
    apr_pool_destroy(task->pool);
}

apr_status_t openid2rp_task_begin(const char *key, request_rec *r,
                                  const char *origin, orp_reason_t *why)
{
    task_t *task = task_start(r, origin);
    orp_login_t *login;
    apr_status_t status = orp_login_find(&login, task->env, key, task->pool);

    if (status == APR_SUCCESS) {
        status = orp_login_begin(login, task->env, &task->rp, why,
                                 task->pool);
    }
    task_end(task);
    return status;
}

/* What the task found, in the request's pool. */
static apr_status_t copy_identity(orp_identity_t **pcopy,
                                  const orp_identity_t *identity,
                                  apr_pool_t *pool)
{
    orp_params_t *record = orp_params_create(pool);

    orp_identity_write(record, identity, pool);
    return orp_identity_read(pcopy, record, pool);
}

apr_status_t openid2rp_task_complete(orp_identity_t **pidentity,
                                     request_rec *r,
                                     const orp_assertion_t *assertion,
                                     orp_reason_t *why)
{
    task_t *task = task_start(r, assertion->origin);
    orp_identity_t *identity;
    apr_status_t status = orp_login_complete(&identity, task->env, &task->rp,
                                             assertion, why, task->pool);

    if (status == APR_SUCCESS) {
        status = copy_identity(pidentity, identity, r->pool);
    }
    task_end(task);
    return status;
}
