/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_health.h - a circuit breaker: what a backend does while the thing
 * it stands on is away.
 *
 * One failure opens it. Then every operation is refused at once, for a pause
 * that grows from 100 ms to 2 s; after each pause one caller, and only one,
 * may try again. One success closes it. The log has one line when it opens
 * and one when it closes, however many operations are refused between.
 *
 * One for each store handle, so for each process. All functions may be called
 * from any thread.
 */
#ifndef ORP_STORE_HEALTH_H
#define ORP_STORE_HEALTH_H

#include "orp_env.h"

typedef struct orp_store_health_t orp_store_health_t;

/**
 * A closed circuit.
 * @param shown  what the log calls the store: orp_store_place_t.shown
 * @param env    its log is used; must outlive the circuit
 */
ORP_MUST_USE apr_status_t orp_store_health_create(
    orp_store_health_t **phealth, const char *shown, const orp_env_t *env,
    apr_pool_t *pool);

/**
 * May the operation be tried? Who gets a yes must report how it went, by one
 * of the three functions below.
 * @param now  real time: apr_time_now(), not the caller's of the operation
 */
int orp_store_health_may_try(orp_store_health_t *health, apr_time_t now);

/** It did not work. @param what  a clause for the log, without secrets */
void orp_store_health_failed(orp_store_health_t *health, const char *what,
                             apr_time_t now);

/** It worked. */
void orp_store_health_worked(orp_store_health_t *health, apr_time_t now);

/** It did not come to what had failed: the next caller may try. */
void orp_store_health_untold(orp_store_health_t *health, apr_time_t now);

#endif
