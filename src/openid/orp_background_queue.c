/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_background_queue.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_codec.h"
#include "orp_crypto.h"
#include "orp_params.h"
#include "orp_store.h"

/** At how many numbers an endpoint is looked for. */
#define PLACES 8

/** How long a number is kept for who has claimed it and not yet written: not
 * long, for that process may have been killed. */
#define WRITING_TIME (5 * APR_USEC_PER_SEC)

/** How old the time of the last login may be before it is written anew. */
#define FRESH (ORP_BACKGROUND_IN_USE / 8)

/** An endpoint that is proven keeps its number for this long after a login,
 * whatever comes. */
#define KEPT (3600 * APR_USEC_PER_SEC)

#define LEASE_KEY "lease"
#define LEASE_TIME (60 * APR_USEC_PER_SEC)

static const char *wanted_key(int number, apr_pool_t *pool)
{
    return apr_psprintf(pool, "wanted %d", number);
}

static void add_number(orp_params_t *params, const char *name,
                       apr_int64_t number, apr_pool_t *pool)
{
    orp_params_add(params, name,
                   apr_psprintf(pool, "%" APR_INT64_T_FMT, number));
}

/* @return nonzero where there is such a number, at most max */
static int read_number(apr_uint64_t *pnumber, const orp_params_t *params,
                       const char *name, apr_uint64_t max)
{
    const char *text = orp_params_get(params, name);

    return text && orp_number_parse(pnumber, text, max) == APR_SUCCESS;
}

/* Where this fails, it goes by itself when its time is over. */
static void drop(const orp_env_t *env, const char *key, apr_pool_t *pool)
{
    if (orp_store_remove(env->store, ORP_STORE_QUEUE, key) != APR_SUCCESS) {
        orp_log(env, ORP_LOG_DEBUG, 125, pool,
                "background: \"%s\" cannot be removed from the store", key);
    }
}

/* ---------------------------------------------------------------------- */
/* "wanted N" */

apr_status_t orp_wanted_get(orp_wanted_t *wanted, const orp_env_t *env,
                            int number, apr_pool_t *pool)
{
    orp_params_t *params;
    const char *value, *endpoint, *site;
    apr_uint64_t version, used, proven;
    apr_size_t size;
    apr_status_t status = orp_store_get(&value, &size, env->store,
                                        ORP_STORE_QUEUE,
                                        wanted_key(number, pool),
                                        orp_env_now(env), pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (size == 0) {
        return ORP_EEXISTS;
    }
    if (orp_params_parse_form(&params, value, size, pool) != APR_SUCCESS) {
        return ORP_EENCODING;
    }
    endpoint = orp_params_get(params, "endpoint");
    site = orp_params_get(params, "site");
    if (!endpoint || !*endpoint || !site
        || !read_number(&version, params, "version", ORP_VERSION_2)
        || version < ORP_VERSION_1
        || !read_number(&used, params, "used", APR_INT64_MAX)) {
        return ORP_EENCODING;
    }
    wanted->endpoint = endpoint;
    wanted->version = (orp_version_e)version;
    wanted->site = site;
    wanted->used = (apr_time_t)used;
    wanted->proven = read_number(&proven, params, "proven", 1) && proven;
    return APR_SUCCESS;
}

apr_status_t orp_wanted_remove(const orp_env_t *env, int number,
                               apr_pool_t *pool)
{
    return orp_store_remove(env->store, ORP_STORE_QUEUE,
                            wanted_key(number, pool));
}

static apr_status_t put_wanted(const orp_wanted_t *wanted,
                               const orp_env_t *env, int number,
                               apr_pool_t *pool)
{
    orp_params_t *params = orp_params_create(pool);
    const char *value;

    orp_params_add(params, "endpoint", wanted->endpoint);
    add_number(params, "version", (apr_int64_t)wanted->version, pool);
    orp_params_add(params, "site", wanted->site);
    add_number(params, "used", wanted->used, pool);
    if (wanted->proven) {
        orp_params_add(params, "proven", "1");
    }
    value = orp_params_form(params, pool);
    return orp_store_put(env->store, ORP_STORE_QUEUE,
                         wanted_key(number, pool), value, strlen(value),
                         wanted->used + ORP_BACKGROUND_IN_USE,
                         orp_env_now(env));
}

/* The first of the numbers at which an endpoint is looked for; the others
 * follow it. @return -1 where it cannot be computed */
static int first_number(const char *endpoint, apr_pool_t *pool)
{
    const char *hash = orp_sha256_hex(endpoint, pool);

    return hash ? orp_hex_digit(hash[0]) << 4 | orp_hex_digit(hash[1]) : -1;
}

/* Look for an endpoint at all its numbers, for it may be behind one that has
 * become free.
 * @param found    gets its record
 * @param pnumber  its number or, with ORP_ENOTFOUND, the first free one
 * @return APR_SUCCESS; ORP_ENOTFOUND; ORP_EFULL; ORP_EEXISTS where one is
 *         just being written, which may be it; ORP_ESTORE */
static apr_status_t find_wanted(orp_wanted_t *found, int *pnumber,
                                const orp_env_t *env, const char *endpoint,
                                apr_pool_t *pool)
{
    int first = first_number(endpoint, pool);
    int i, open = -1, writing = 0;

    if (first < 0) {
        return ORP_ECRYPTO;
    }
    for (i = 0; i < PLACES; i++) {
        int number = (first + i) % ORP_BACKGROUND_WANTED;
        apr_status_t status = orp_wanted_get(found, env, number, pool);

        if (status == APR_SUCCESS && !strcmp(found->endpoint, endpoint)) {
            *pnumber = number;
            return APR_SUCCESS;
        }
        if (status == ORP_ESTORE) {
            return status;
        }
        if (status == ORP_ENOTFOUND && open < 0) {
            open = number;
        }
        writing |= status == ORP_EEXISTS;
    }
    if (writing || open < 0) {
        return writing ? ORP_EEXISTS : ORP_EFULL;
    }
    *pnumber = open;
    return ORP_ENOTFOUND;
}

/* Take a free number: a claim has one winner. */
static apr_status_t take_number(const orp_wanted_t *wanted,
                                const orp_env_t *env, int number,
                                apr_pool_t *pool)
{
    apr_time_t now = orp_env_now(env);
    apr_status_t status = orp_store_claim(env->store, ORP_STORE_QUEUE,
                                          wanted_key(number, pool),
                                          now + WRITING_TIME, now);

    if (status == APR_SUCCESS) {
        status = put_wanted(wanted, env, number, pool);
        if (status != APR_SUCCESS) {
            drop(env, wanted_key(number, pool), pool);
        }
    }
    return status;
}

/* Which of two would rather lose its number? */
static int is_lesser(const orp_wanted_t *one, const orp_wanted_t *other)
{
    return one->proven != other->proven ? !one->proven
        : one->used < other->used;
}

/* Free one of the numbers of an endpoint that is proven, all of which others
 * have. @return APR_SUCCESS; ORP_EFULL where these are as good; ORP_ESTORE */
static apr_status_t make_room(const orp_env_t *env, const char *endpoint,
                              apr_pool_t *pool)
{
    int first = first_number(endpoint, pool);
    orp_wanted_t least = { .proven = 1, .used = orp_env_now(env) - KEPT };
    int i, number = -1;

    for (i = 0; i < PLACES && first >= 0; i++) {
        int candidate = (first + i) % ORP_BACKGROUND_WANTED;
        orp_wanted_t wanted;
        apr_status_t status = orp_wanted_get(&wanted, env, candidate, pool);

        if (status == ORP_ESTORE) {
            return status;
        }
        if (status == APR_SUCCESS && is_lesser(&wanted, &least)) {
            least = wanted;
            number = candidate;
        }
    }
    if (number < 0) {
        return ORP_EFULL;
    }
    orp_log(env, ORP_LOG_DEBUG, 123, pool,
            "background: %s is not queued any more: %s needs its place",
            least.endpoint, endpoint);
    return orp_wanted_remove(env, number, pool);
}

/* There is a record already: does it tell what it should? */
static apr_status_t renew_wanted(const orp_wanted_t *wanted,
                                 const orp_wanted_t *found, int flags,
                                 const orp_env_t *env, int number,
                                 apr_pool_t *pool)
{
    orp_wanted_t renewed = *found;
    int lower = (flags & ORP_BACKGROUND_MISSING)
        && wanted->version < found->version;

    if (!lower && wanted->proven <= found->proven
        && wanted->used - found->used < FRESH) {
        return APR_SUCCESS;
    }
    if (lower) {
        renewed.version = wanted->version;
    }
    renewed.proven |= wanted->proven;
    renewed.used = wanted->used;
    return put_wanted(&renewed, env, number, pool);
}

static apr_status_t want(const orp_wanted_t *wanted, const orp_env_t *env,
                         int flags, apr_pool_t *pool)
{
    apr_status_t status = ORP_EEXISTS;
    int i;

    /* who loses a number to another, or has freed one, looks again */
    for (i = 0; i < PLACES && status == ORP_EEXISTS; i++) {
        orp_wanted_t found;
        int number;

        status = find_wanted(&found, &number, env, wanted->endpoint, pool);
        if (status == APR_SUCCESS) {
            return renew_wanted(wanted, &found, flags, env, number, pool);
        }
        if (status == ORP_EFULL && wanted->proven) {
            status = make_room(env, wanted->endpoint, pool);
            if (status == APR_SUCCESS || status == ORP_ENOTFOUND) {
                status = ORP_EEXISTS;
                continue;
            }
        }
        if (status != ORP_ENOTFOUND) {
            return status;
        }
        status = take_number(wanted, env, number, pool);
    }
    return status;
}

void orp_background_want(const orp_env_t *env, const char *endpoint,
                         orp_version_e version, const char *site,
                         int flags, apr_pool_t *pool)
{
    orp_wanted_t wanted = {
        endpoint, version, site, orp_env_now(env),
        !!(flags & ORP_BACKGROUND_PROVEN)
    };
    apr_status_t status = want(&wanted, env, flags, pool);

    if (status == ORP_EEXISTS) {
        /* the next login will find it, or find room */
        orp_log(env, ORP_LOG_DEBUG, 123, pool,
                "background: %s is not queued by this login: another one is "
                "just queueing it, or its neighbour", endpoint);
    }
    else if (status == ORP_EFULL) {
        orp_log(env, wanted.proven ? ORP_LOG_INFO : ORP_LOG_DEBUG, 123, pool,
                "background: %s is not queued: there is no room", endpoint);
    }
    else if (status != APR_SUCCESS) {
        orp_log(env, ORP_LOG_WARN, 125, pool,
                "background: %s is not queued (%s)", endpoint,
                orp_status_code(status));
    }
}

/* ---------------------------------------------------------------------- */
/* "state HASH" */

static const char *state_key(const char *endpoint, apr_pool_t *pool)
{
    const char *hash = orp_sha256_hex(endpoint, pool);

    return hash ? apr_pstrcat(pool, "state ", hash, NULL) : NULL;
}

apr_status_t orp_asked_get(orp_asked_t *asked, const orp_env_t *env,
                           const char *endpoint, apr_pool_t *pool)
{
    const char *key = state_key(endpoint, pool);
    orp_params_t *params;
    const char *value;
    apr_uint64_t next, last, failures, refusals;
    apr_size_t size;
    apr_status_t status;

    if (!key) {
        return ORP_ECRYPTO;
    }
    memset(asked, 0, sizeof(*asked));
    status = orp_store_get(&value, &size, env->store, ORP_STORE_QUEUE, key,
                           orp_env_now(env), pool);
    if (status != APR_SUCCESS) {
        return status == ORP_ENOTFOUND ? APR_SUCCESS : status;
    }
    if (orp_params_parse_form(&params, value, size, pool) == APR_SUCCESS
        && read_number(&next, params, "next", APR_INT64_MAX)
        && read_number(&last, params, "last", APR_INT64_MAX)
        && read_number(&failures, params, "failures", APR_INT32_MAX)
        && read_number(&refusals, params, "refusals", APR_INT32_MAX)) {
        asked->next = (apr_time_t)next;
        asked->last = (apr_time_t)last;
        asked->failures = (int)failures;
        asked->refusals = (int)refusals;
    }
    return APR_SUCCESS;         /* a damaged one is as good as none */
}

apr_status_t orp_asked_put(const orp_asked_t *asked, const orp_env_t *env,
                           const char *endpoint, apr_pool_t *pool)
{
    const char *key = state_key(endpoint, pool);
    orp_params_t *params = orp_params_create(pool);
    apr_time_t now = orp_env_now(env);
    const char *value;

    if (!key) {
        return ORP_ECRYPTO;
    }
    add_number(params, "next", asked->next, pool);
    add_number(params, "last", asked->last, pool);
    add_number(params, "failures", asked->failures, pool);
    add_number(params, "refusals", asked->refusals, pool);
    value = orp_params_form(params, pool);
    return orp_store_put(env->store, ORP_STORE_QUEUE, key, value,
                         strlen(value),
                         (asked->next > now ? asked->next : now)
                         + ORP_BACKGROUND_IN_USE, now);
}

/* ---------------------------------------------------------------------- */
/* "lease". Who stands still between two of these calls for longer than a
 * lease can take another's for its own; then an association is made twice,
 * and no harm is done. */

static const char *name_of(const char *holder)
{
    return holder && *holder ? holder : "-";
}

static apr_status_t is_ours(const orp_env_t *env, const char *holder,
                            apr_pool_t *pool)
{
    const char *value;
    apr_status_t status = orp_store_get(&value, NULL, env->store,
                                        ORP_STORE_QUEUE, LEASE_KEY,
                                        orp_env_now(env), pool);

    /* an empty one is being written by another */
    return status == APR_SUCCESS && strcmp(value, name_of(holder))
        ? ORP_EEXISTS : status;
}

apr_status_t orp_lease_prolong(const orp_env_t *env, const char *holder,
                               apr_pool_t *pool)
{
    apr_status_t status = is_ours(env, holder, pool);
    apr_time_t now = orp_env_now(env);

    if (status == APR_SUCCESS) {
        status = orp_store_touch(env->store, ORP_STORE_QUEUE, LEASE_KEY,
                                 now + LEASE_TIME, now);
    }
    return status;
}

apr_status_t orp_lease_take(const orp_env_t *env, const char *holder,
                            apr_pool_t *pool)
{
    apr_time_t now = orp_env_now(env);
    apr_status_t status = orp_lease_prolong(env, holder, pool);

    if (status != ORP_ENOTFOUND) {
        return status;
    }
    status = orp_store_claim(env->store, ORP_STORE_QUEUE, LEASE_KEY,
                             now + LEASE_TIME, now);
    if (status == APR_SUCCESS) {
        status = orp_store_put(env->store, ORP_STORE_QUEUE, LEASE_KEY,
                               name_of(holder), strlen(name_of(holder)),
                               now + LEASE_TIME, now);
        if (status != APR_SUCCESS) {
            drop(env, LEASE_KEY, pool);
        }
    }
    return status;
}

void orp_background_leave(const orp_env_t *env, const char *holder,
                          apr_pool_t *pool)
{
    if (is_ours(env, holder, pool) == APR_SUCCESS) {
        drop(env, LEASE_KEY, pool);
    }
}
