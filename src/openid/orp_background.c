/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_background.h"

#include <string.h>

#include "orp_associate.h"
#include "orp_background_queue.h"

#define SECONDS APR_USEC_PER_SEC
#define MINUTES (60 * SECONDS)
#define HOURS (60 * MINUTES)

/** An endpoint that failed is asked again after the first, then after twice
 * as long each time, up to the second. */
#define FAILED_FIRST (30 * SECONDS)
#define FAILED_LAST (1 * HOURS)

/** The same for one that makes no associations. */
#define REFUSED_FIRST (1 * HOURS)
#define REFUSED_LAST (24 * HOURS)

/** What is renewed ahead of its end, at most; what came without its lifetime
 * being known, at just this. */
#define AHEAD_MAX (15 * MINUTES)

/** An endpoint is not asked more often than this, whatever the provider says
 * of lifetimes or does with its associations. */
#define AGAIN (10 * SECONDS)

/** The same for an endpoint by which nobody has signed in. */
#define AGAIN_STRANGER (1 * HOURS)

/* One run. */
typedef struct {
    const orp_env_t *env;
    const orp_background_t *job;
    orp_background_result_t *result;
    orp_wanted_t queue[ORP_BACKGROUND_WANTED];      /* as it was at first */
    int strangers;              /* asked in this run */
    int over;                   /* told to stop, or the lease is lost */
} running_t;

/* One endpoint, when it is its turn. */
typedef struct {
    running_t *run;
    const orp_env_t *env;       /* the fetches' and the log's */
    orp_wanted_t wanted;
    orp_asked_t asked;
    int renewed;                /* there is a usable one still */
    apr_interval_time_t took;
    orp_reason_t *why;
    apr_pool_t *pool;
} turn_t;

/* How long to wait after something happened count times. */
static apr_interval_time_t growing(int count, apr_interval_time_t first,
                                   apr_interval_time_t last)
{
    while (--count > 0 && first < last) {
        first *= 2;
    }
    return first < last ? first : last;
}

/* How long before its end is an association renewed? */
static apr_interval_time_t ahead(apr_interval_time_t lifetime)
{
    apr_interval_time_t tenth = lifetime / 10;
    apr_interval_time_t half = lifetime / 2;
    apr_interval_time_t least = half < AHEAD_MAX ? half : AHEAD_MAX;

    return tenth > least ? tenth : least;
}

/* Is it time to ask? Whether there is an association is seen by looking, for
 * it may be lost, or the provider may have called it off (11.4.2.3). One that
 * cannot be read is none. */
static int is_due(turn_t *turn)
{
    const orp_asked_t *asked = &turn->asked;
    apr_time_t now = orp_env_now(turn->run->env);
    orp_assoc_t *assoc;

    turn->renewed = orp_assoc_find(&assoc, turn->run->env,
                                   turn->wanted.endpoint, NULL, turn->pool)
        == APR_SUCCESS && orp_assoc_fits(assoc, turn->wanted.version);
    if (asked->failures > 0 || asked->refusals > 0) {
        return now >= asked->next;
    }
    if (!turn->wanted.proven) {
        return !turn->renewed && now >= asked->last + AGAIN_STRANGER;
    }
    if (now < asked->last + AGAIN) {
        return 0;
    }
    return !turn->renewed
        || now >= (asked->next ? asked->next : assoc->expires - AHEAD_MAX);
}

/* Written before it is asked, so that an endpoint that ends this process is
 * not the first to be asked by the next one. */
static apr_status_t expect_failure(turn_t *turn)
{
    orp_asked_t *asked = &turn->asked;

    asked->last = orp_env_now(turn->run->env);
    asked->failures++;
    asked->next = asked->last + growing(asked->failures, FAILED_FIRST,
                                        FAILED_LAST);
    return orp_asked_put(asked, turn->run->env, turn->wanted.endpoint,
                         turn->pool);
}

static apr_status_t note_made(turn_t *turn, const orp_assoc_t *assoc)
{
    apr_time_t now = orp_env_now(turn->run->env);

    turn->asked.failures = turn->asked.refusals = 0;
    turn->asked.next = assoc->expires - ahead(assoc->expires - now);
    turn->run->result->made++;
    orp_log(turn->env, ORP_LOG_INFO, 120, turn->pool,
            "association %s in the background with %s: a login would have "
            "waited %" APR_TIME_T_FMT " ms",
            turn->renewed ? "renewed" : "made", turn->wanted.endpoint,
            apr_time_as_msec(turn->took));
    return orp_asked_put(&turn->asked, turn->run->env, turn->wanted.endpoint,
                         turn->pool);
}

static apr_status_t note_refused(turn_t *turn)
{
    const char *endpoint = turn->wanted.endpoint;
    orp_asked_t *asked = &turn->asked;
    apr_interval_time_t pause;

    asked->failures = 0;
    asked->refusals++;
    pause = growing(asked->refusals, REFUSED_FIRST, REFUSED_LAST);
    asked->next = orp_env_now(turn->run->env) + pause;
    orp_assoc_remember_none(turn->run->env, endpoint, pause, turn->pool);
    turn->run->result->failed++;
    orp_log(turn->env, ORP_LOG_INFO, 122, turn->pool,
            "%s makes no associations; it is asked again in %"
            APR_TIME_T_FMT " s at the earliest", endpoint,
            apr_time_sec(pause));
    return orp_asked_put(asked, turn->run->env, endpoint, turn->pool);
}

/* As expect_failure() has written it. */
static void note_failed(const turn_t *turn, apr_status_t status)
{
    turn->run->result->failed++;
    orp_log(turn->env, ORP_LOG_INFO, 121, turn->pool,
            "no association in the background with %s (%s): %s Next try in "
            "%" APR_TIME_T_FMT " s.", turn->wanted.endpoint,
            orp_status_code(status), turn->why->sentence,
            apr_time_sec(turn->asked.next - turn->asked.last));
}

/* Make it. @return how that went; what it was is in the turn */
static apr_status_t associate(orp_assoc_t **passoc, turn_t *turn)
{
    orp_associate_t request = {
        turn->wanted.endpoint, turn->wanted.version, NULL, NULL
    };
    apr_time_t began = orp_env_now(turn->env);
    apr_status_t status = orp_associate(passoc, turn->env, &request,
                                        turn->why, turn->pool);
    char buf[200];

    turn->took = orp_env_now(turn->env) - began;
    if (status == APR_SUCCESS) {
        status = orp_assoc_save(*passoc, turn->run->env, turn->pool);
    }
    if (status != APR_SUCCESS && turn->why->status != status) {
        (void)orp_reason_set(turn->why, status, turn->wanted.endpoint, "%s",
                             orp_strerror(status, buf, sizeof(buf)));
    }
    return status;
}

static apr_status_t ask(turn_t *turn)
{
    const orp_background_t *job = turn->run->job;
    orp_assoc_t *assoc;
    apr_status_t status = expect_failure(turn);
    apr_status_t noted = APR_SUCCESS;

    if (status != APR_SUCCESS) {
        return status;          /* or it would be asked in every run */
    }
    turn->run->strangers += !turn->wanted.proven;
    status = associate(&assoc, turn);
    if (status == APR_SUCCESS) {
        noted = note_made(turn, assoc);
    }
    else if (status == ORP_ENOASSOC) {
        noted = note_refused(turn);
    }
    else {
        note_failed(turn, status);
    }
    if (job->report) {
        job->report(job->baton, turn->wanted.endpoint, status,
                    status == APR_SUCCESS ? NULL : turn->why, turn->took);
    }
    return noted;
}

/* May a request be made now? Prolongs the lease for it. */
static apr_status_t may_ask(running_t *run, apr_pool_t *pool)
{
    apr_status_t status;

    if (run->job->stopped && run->job->stopped(run->job->baton)) {
        run->over = 1;
        return APR_SUCCESS;
    }
    status = orp_lease_prolong(run->env, run->job->holder, pool);
    if (status == ORP_EEXISTS || status == ORP_ENOTFOUND) {
        orp_log(run->env, ORP_LOG_DEBUG, 124, pool,
                "background: the lease was lost; another may go on");
        run->over = 1;
        return APR_SUCCESS;
    }
    return status;
}

/* Read the whole queue, so that it can be gone through in another order. */
static apr_status_t read_queue(running_t *run, apr_pool_t *pool)
{
    orp_background_result_t *result = run->result;
    apr_status_t status = APR_SUCCESS;
    int number;

    for (number = 0; number < ORP_BACKGROUND_WANTED && status == APR_SUCCESS;
         number++) {
        status = orp_wanted_get(&run->queue[result->queued], run->env, number,
                                pool);
        if (status == APR_SUCCESS) {
            result->queued++;
        }
        else if (status == ORP_ENOTFOUND || status == ORP_EEXISTS) {
            status = APR_SUCCESS;
        }
        else if (status == ORP_EENCODING) {
            status = orp_wanted_remove(run->env, number, pool);
        }
    }
    return status;
}

/* See to one endpoint of the queue. */
static apr_status_t see_to(running_t *run, const orp_wanted_t *wanted,
                           apr_pool_t *pool)
{
    const orp_background_t *job = run->job;
    turn_t turn = { .run = run, .env = run->env, .wanted = *wanted,
                    .pool = pool };
    apr_status_t status = orp_asked_get(&turn.asked, run->env,
                                        wanted->endpoint, pool);

    if (status != APR_SUCCESS || !is_due(&turn)) {
        return status;
    }
    status = may_ask(run, pool);
    if (status != APR_SUCCESS || run->over) {
        return status;
    }
    if (job->env_of) {
        const orp_env_t *env = job->env_of(job->baton, turn.wanted.site);

        turn.env = env ? env : run->env;
    }
    turn.why = orp_reason_create(pool);
    return ask(&turn);
}

/* See to all that are proven, or to the others. */
static apr_status_t see_to_all(running_t *run, int proven,
                               apr_pool_t *scratch)
{
    apr_status_t status = APR_SUCCESS;
    int i;

    for (i = 0; i < run->result->queued && !run->over
         && status == APR_SUCCESS; i++) {
        if (!proven && run->strangers >= ORP_BACKGROUND_STRANGERS) {
            break;
        }
        if (run->queue[i].proven == proven) {
            apr_pool_clear(scratch);
            status = see_to(run, &run->queue[i], scratch);
        }
    }
    return status;
}

apr_status_t orp_background_run(orp_background_result_t *result,
                                const orp_env_t *env,
                                const orp_background_t *job,
                                apr_pool_t *pool)
{
    running_t run = { .env = env, .job = job };
    apr_pool_t *own, *scratch;
    apr_status_t status = orp_lease_take(env, job->holder, pool);

    memset(result, 0, sizeof(*result));
    run.result = result;
    if (status == ORP_EEXISTS) {
        result->elsewhere = 1;
        orp_log(env, ORP_LOG_DEBUG, 124, pool,
                "background: another process has the lease");
        return APR_SUCCESS;
    }
    if (status != APR_SUCCESS || apr_pool_create(&own, pool)
        || apr_pool_create(&scratch, own)) {
        return ORP_ESTORE;
    }
    status = read_queue(&run, own);
    if (status == APR_SUCCESS) {
        status = see_to_all(&run, 1, scratch);
    }
    if (status == APR_SUCCESS) {
        status = see_to_all(&run, 0, scratch);
    }
    if (status != APR_SUCCESS) {
        orp_log(env, ORP_LOG_WARN, 125, scratch,
                "background: the store fails in the middle of the work (%s)",
                orp_status_code(status));
    }
    apr_pool_destroy(own);
    return status == APR_SUCCESS ? APR_SUCCESS : ORP_ESTORE;
}
