/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_store_remote.h"

#include <time.h>

#include <apr_allocator.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

void orp_store_clause_set(orp_store_clause_t *clause, const char *what,
                          apr_status_t status)
{
    char buf[120];

    if (APR_STATUS_IS_TIMEUP(status)) {
        apr_cpystrn(buf, "no answer in time", sizeof(buf));
    }
    else if (APR_STATUS_IS_EOF(status)) {
        apr_cpystrn(buf, "the connection was closed", sizeof(buf));
    }
    else {
        apr_strerror(status, buf, sizeof(buf));
    }
    apr_snprintf(clause->text, sizeof(clause->text), "%s: %s", what, buf);
}

apr_time_t orp_store_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_from_sec((apr_time_t)now.tv_sec) + now.tv_nsec / 1000;
}

apr_status_t orp_store_subpool(apr_pool_t **psub, apr_pool_t *parent)
{
    apr_allocator_t *allocator;
    apr_thread_mutex_t *mutex;
    apr_pool_t *pool;
    apr_status_t status = apr_allocator_create(&allocator);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = apr_pool_create_ex(&pool, parent, NULL, allocator);
    if (status != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return status;
    }
    apr_allocator_owner_set(allocator, pool);
    status = apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    if (status != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return status;
    }
    /* It guards the list of children too. */
    apr_allocator_mutex_set(allocator, mutex);
    *psub = pool;
    return APR_SUCCESS;
}
