/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_background.h - associations that no user waits for.
 *
 * A login that finds no association goes on without one and says which
 * endpoint it would have wanted one with (orp_background_want()). Somebody
 * else, in one process of all that share the store, makes the associations
 * and renews them before they expire, as long as logins go there
 * (orp_background_run()): httpd's watchdog, or the command "openid2rp
 * refresh".
 *
 * What is in the store, kind QUEUE:
 *
 *   key              value                           written by
 *   "wanted N"       endpoint, version, site, used,  logins
 *                    whether it is proven
 *   "state HASH"     when to ask next, failures,     who runs
 *                    when it was asked
 *   "lease"          name of who runs                who runs
 *
 * There are ORP_BACKGROUND_WANTED numbers N; an endpoint's hash says at which
 * eight of them to look for it, so that it is never there twice and no store
 * has to be searched. A number is taken by a claim; the empty record of a
 * process that was killed before it wrote what it wanted is gone in seconds. A
 * wanted record goes when no login came for ORP_BACKGROUND_IN_USE; it is
 * written once in an eighth of that at most, and when it learns something new,
 * so it may go that much earlier.
 *
 * Anybody can begin a login, with an endpoint that they have made up. So an
 * endpoint is proven only when somebody has signed in by it, and stays so for
 * as long as its record does. One that is not proven gets a number that is
 * free, or none, and then its logins stay stateless. One that is proven gets,
 * where none is free, that of the one least recently used that is not proven;
 * where all eight are proven, that of the one least recently used, if that is
 * an hour ago as far as its record tells. Two who write at the same moment
 * may cost one of them its number, or its proof: its next login mends it.
 *
 * A run asks who is proven first, and of the others at most
 * ORP_BACKGROUND_STRANGERS. These are asked for one association: it is not
 * renewed, and one that is gone is made anew after an hour at the earliest.
 *
 * The association of one that is proven is renewed when it has left less than
 * a tenth of its lifetime, or than 15 minutes, whichever is more; but never in
 * the first half of a lifetime. (Two weeks: 33 hours ahead. An hour: 15
 * minutes. Ten minutes: 5.) If it is lost, or the provider has called it off
 * (11.4.2.3), it is made anew in the next run. But no endpoint is asked twice
 * within ten seconds.
 */
#ifndef ORP_BACKGROUND_H
#define ORP_BACKGROUND_H

#include "orp_env.h"
#include "orp_message.h"

/** How many endpoints can be queued or kept fresh at a time. */
#define ORP_BACKGROUND_WANTED 64

/** How many endpoints that are not proven one run asks at most: so many times
 * a request's timeout is what they can delay the others. */
#define ORP_BACKGROUND_STRANGERS 4

/** Associations are renewed for this long after the last login. */
#define ORP_BACKGROUND_IN_USE (24 * 3600 * APR_USEC_PER_SEC)

/** There is no association that a login of this version can use. */
#define ORP_BACKGROUND_MISSING 1

/** Somebody has signed in by this endpoint: its answer was verified. */
#define ORP_BACKGROUND_PROVEN 2

/**
 * Say that a login goes, or wants to go, with an association to an endpoint,
 * or has come back from it.
 * Never fails for the caller: what finds no room, or no store, is logged and
 * left; nothing is written where the record is fresh.
 * @param endpoint  OP endpoint URL, normalized
 * @param version   of the login
 * @param site      whose settings the fetch is made with, as
 *                  orp_background_t.env_of is given it; ""
 * @param flags     what else is known: ORP_BACKGROUND_...
 */
void orp_background_want(const orp_env_t *env, const char *endpoint,
                         orp_version_e version, const char *site,
                         int flags, apr_pool_t *pool);

/** What one run does, and for whom. Members may be NULL. */
typedef struct orp_background_t {
    /** Who runs: another name for each process of each machine. All who have
     * none pass for one. */
    const char *holder;

    /** The world of a site: its fetch settings, its log. NULL, or returning
     * NULL: that of the run. */
    const orp_env_t *(*env_of)(void *baton, const char *site);

    /** Is it time to stop? Asked before each request. */
    int (*stopped)(void *baton);

    /** Told of each endpoint that was asked.
     * @param status  APR_SUCCESS, or why there is no association
     * @param why     NULL on success
     * @param took    what a user would have waited */
    void (*report)(void *baton, const char *endpoint, apr_status_t status,
                   const orp_reason_t *why, apr_interval_time_t took);

    void *baton;
} orp_background_t;

/** What one run did. */
typedef struct orp_background_result_t {
    int queued;                 /* endpoints in the queue, proven or not */
    int made;                   /* associations, renewed ones among them */
    int failed;                 /* endpoints that will be asked again later */
    int elsewhere;              /* somebody else runs: nothing was done */
} orp_background_result_t;

/**
 * Make what is missing and renew what is about to expire, once.
 *
 * Only one holder of all that share the store runs at a time: it has a lease
 * of a minute, which it prolongs while it works and keeps between its runs.
 * Who finds another's lease does nothing. Where nothing is due, a run costs 65
 * reads and the writing of the lease, and three more reads for each endpoint
 * in the queue. What it does is decided by what was in the queue when it began.
 *
 * An endpoint that fails is asked again after 30 seconds, then after twice as
 * long each time, up to an hour. One that says it makes no associations is
 * remembered as such for an hour, then for twice as long, up to a day
 * (orp_assoc_makes_none()). One whose profile says so is never queued.
 *
 * @param result  set in any case
 * @return APR_SUCCESS, also where an endpoint failed; ORP_ESTORE where the
 *         store fails, or has no room to remember who was asked: then nobody
 *         is asked
 */
ORP_MUST_USE apr_status_t orp_background_run(orp_background_result_t *result,
                                             const orp_env_t *env,
                                             const orp_background_t *job,
                                             apr_pool_t *pool);

/** Give the lease back, so that another need not wait for its end. */
void orp_background_leave(const orp_env_t *env, const char *holder,
                          apr_pool_t *pool);

#endif
