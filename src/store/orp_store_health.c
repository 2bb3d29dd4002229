/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_store_health.h"

#include <apr_strings.h>
#include <apr_thread_mutex.h>

#define PAUSE_MIN (100 * 1000)          /* microseconds */
#define PAUSE_MAX (2 * APR_USEC_PER_SEC)

struct orp_store_health_t {
    apr_thread_mutex_t *mutex;
    const char *shown;
    const orp_env_t *env;
    int open;
    int probing;                /* one caller tries, and has not reported */
    apr_time_t since;           /* when it opened */
    apr_time_t next_try;
    apr_interval_time_t pause;
    apr_uint64_t refused;       /* operations, since it opened */
};

apr_status_t orp_store_health_create(orp_store_health_t **phealth,
                                     const char *shown,
                                     const orp_env_t *env, apr_pool_t *pool)
{
    orp_store_health_t *health = apr_pcalloc(pool, sizeof(*health));
    apr_status_t status = apr_thread_mutex_create(
        &health->mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    health->shown = apr_pstrdup(pool, shown);
    health->env = env;
    *phealth = health;
    return APR_SUCCESS;
}

/* A clock that was set back must not make it a long pause. */
static int pause_is_over(const orp_store_health_t *health, apr_time_t now)
{
    return now >= health->next_try || health->next_try - now > PAUSE_MAX;
}

int orp_store_health_may_try(orp_store_health_t *health, apr_time_t now)
{
    int may = 1;

    apr_thread_mutex_lock(health->mutex);
    if (health->open) {
        may = pause_is_over(health, now);
        if (may) {
            /* nobody else, until this one had its time */
            health->probing = 1;
            health->next_try = now + PAUSE_MAX;
        }
        else {
            health->refused++;
        }
    }
    apr_thread_mutex_unlock(health->mutex);
    return may;
}

static void log_opened(const orp_store_health_t *health, const char *what)
{
    apr_pool_t *scratch;

    apr_pool_create(&scratch, NULL);
    orp_log(health->env, ORP_LOG_ERROR, 301, scratch,
            "store: %s does not work: %s; nobody can sign in there until it "
            "does", health->shown, what);
    apr_pool_destroy(scratch);
}

static void log_closed(const orp_store_health_t *health, apr_time_t now)
{
    apr_pool_t *scratch;
    apr_interval_time_t took = now > health->since ? now - health->since : 0;

    apr_pool_create(&scratch, NULL);
    orp_log(health->env, ORP_LOG_WARN, 302, scratch,
            "store: %s works again, after %" APR_TIME_T_FMT " ms; %"
            APR_UINT64_T_FMT " operations were refused meanwhile",
            health->shown, apr_time_as_msec(took), health->refused);
    apr_pool_destroy(scratch);
}

void orp_store_health_failed(orp_store_health_t *health, const char *what,
                             apr_time_t now)
{
    apr_thread_mutex_lock(health->mutex);
    health->refused++;
    if (!health->open) {
        health->open = 1;
        health->probing = 0;
        health->since = now;
        health->pause = PAUSE_MIN;
        health->next_try = now + health->pause;
        log_opened(health, what);
    }
    else if (health->probing) {
        health->probing = 0;
        health->pause = health->pause > PAUSE_MAX / 2 ? PAUSE_MAX
            : health->pause * 2;
        health->next_try = now + health->pause;
    }
    /* else it was under way when the others failed: it is no news */
    apr_thread_mutex_unlock(health->mutex);
}

void orp_store_health_worked(orp_store_health_t *health, apr_time_t now)
{
    apr_thread_mutex_lock(health->mutex);
    if (health->open) {
        log_closed(health, now);
        health->open = 0;
        health->refused = 0;
    }
    apr_thread_mutex_unlock(health->mutex);
}

void orp_store_health_untold(orp_store_health_t *health, apr_time_t now)
{
    apr_thread_mutex_lock(health->mutex);
    if (health->open && health->probing) {
        health->probing = 0;
        health->next_try = now;
    }
    apr_thread_mutex_unlock(health->mutex);
}
