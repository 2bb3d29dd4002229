/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* bench_plan.c - what is done to each store, and in which order. It writes
 * lines of fields with tabs between them:
 *
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <httpd.h>
#include <apr_strings.h>

#include "bench.h"

/* How often gets and puts are measured, in memory and elsewhere. */
#define ROUNDS 10
#define ROUNDS_ELSEWHERE 3

/* Of nonces that are claimed and given up again: at least this many at once,
 * or a tenth of the records; so often at most. */
#define LEAST_CLAIMS 1000
#define MOST_CLAIM_ROUNDS 20

/* Of few records, so many are drawn at least. */
#define LEAST_DRAWS 8192

/* How much is done before measuring, in memory and elsewhere. */
#define WARM 20000
#define WARM_ELSEWHERE 200

/* How many keys show what a store that is not in memory has kept. */
#define KEPT_SAMPLE 20000

/* One store while it is measured. */
typedef struct bench_t {
    const bench_plan_t *plan;
    bench_store_t *store;
    FILE *out;
    apr_pool_t *pool;
    const bench_key_t *keys;    /* of records, then those of fresh claims */
    apr_size_t n_records;
    apr_size_t n_claims;        /* fresh ones, for each worker */
    int claimed;                /* and they are in the store */
    bench_key_t *order[BENCH_WORKERS];  /* of records, as they are used */
    apr_size_t n_order;
    apr_uint64_t chance;
} bench_t;

/* ---------------------------------------------------------------------- */
/* Keys. xorshift: the same ones in each run. */

#define CHANCE_SEED APR_UINT64_C(88172645463325252)

static apr_uint64_t chance(apr_uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void make_keys(bench_key_t *keys, apr_size_t n, apr_uint64_t *state)
{
    apr_size_t i;
    int part;

    for (i = 0; i < n; i++) {
        keys[i].first = (unsigned char)(chance(state) >> 32);
        for (part = 0; part < 4; part++) {
            apr_snprintf(keys[i].text + 16 * part, 17,
                         "%016" APR_UINT64_T_HEX_FMT, chance(state));
        }
    }
}

/* Draws from the records, at random, with repetition: a list of its own for
 * each worker and round. Copies, so that a worker reads its keys one after the
 * other and the time is the store's alone. */
static void draw(bench_t *bench)
{
    int worker;
    apr_size_t i;

    bench->n_order = bench->n_records > LEAST_DRAWS ? bench->n_records
                                                    : LEAST_DRAWS;
    for (worker = 0; worker < BENCH_WORKERS; worker++) {
        for (i = 0; i < bench->n_order; i++) {
            bench->order[worker][i]
                = bench->keys[chance(&bench->chance) % bench->n_records];
        }
    }
}

/* ---------------------------------------------------------------------- */
/* Parts of the plan. They return NULL, or what is wrong. */

/* Two halves of keys, each by a worker of its own. */
static const char *each_once(bench_result_t *result, bench_t *bench,
                             bench_op_fn *run, const bench_key_t *keys,
                             apr_size_t n)
{
    bench_job_t job = { .store = bench->store, .run = run,
                        .n_keys = n / 2, .workers = 2, .once = 1,
                        .seconds = bench->plan->fill_seconds };

    job.keys[0] = keys;
    job.keys[1] = keys + n / 2;
    return bench_work(result, &job, bench->pool);
}

static const char *fill(int *pfilled, bench_t *bench, apr_size_t from)
{
    const bench_ops_t *ops = bench->store->ops;
    apr_size_t n = bench->n_records - from;
    bench_result_t sessions, nonces = { .complete = 1 };
    const char *wrong = each_once(&sessions, bench, ops->put,
                                  bench->keys + from, n);

    if (!wrong && sessions.complete) {
        fprintf(bench->out, "fill\t%s\t%lu\t%.0f\n", bench->store->name,
                (unsigned long)bench->n_records, sessions.rate);
        wrong = each_once(&nonces, bench, ops->claim, bench->keys + from, n);
    }
    *pfilled = !wrong && sessions.complete && nonces.complete;
    if (!wrong && !*pfilled) {
        fprintf(bench->out, "slow\t%s\t%lu\t%lu of %lu %s in %.0f s\n",
                bench->store->name, (unsigned long)bench->n_records,
                (unsigned long)(sessions.complete ? nonces.done
                                                  : sessions.done),
                (unsigned long)n, sessions.complete ? "claims" : "sessions",
                bench->plan->fill_seconds);
    }
    return wrong;
}

static const char *count_kept(bench_t *bench, const char *when)
{
    bench_result_t result;
    apr_size_t n = bench->n_order;
    const char *wrong;

    if (!bench->store->in_memory && n > KEPT_SAMPLE) {
        n = KEPT_SAMPLE;
    }
    wrong = each_once(&result, bench, bench->store->ops->get,
                      bench->order[0], n);
    if (!wrong) {
        fprintf(bench->out, "kept\t%s\t%lu\t%s\t%.1f\n", bench->store->name,
                (unsigned long)bench->n_records, when,
                100.0 * (double)(result.done - result.failed)
                / (double)result.done);
    }
    return wrong;
}

static void write_cell(bench_t *bench, const char *operation, int workers,
                       const bench_result_t *result)
{
    fprintf(bench->out, "cell\t%s\t%lu\t%d\t%s\t%.0f\t%.2f\t%.2f\t%.1f\n",
            bench->store->name, (unsigned long)bench->n_records, workers,
            operation, result->rate, result->p50, result->p99,
            result->done ? 100.0 * (double)result->failed
                           / (double)result->done : 0.0);
    fflush(bench->out);
}

static void warm_up(bench_job_t *job, const bench_t *bench)
{
    job->warm_keys = bench->order[0];
    job->n_warm_keys = bench->n_order;
    job->warm = bench->store->in_memory ? WARM : WARM_ELSEWHERE;
}

/* Records that are there, in random order, again and again. The best of a few
 * rounds: what else runs on the machine can only make one worse. */
static const char *repeat(bench_t *bench, const char *operation,
                          bench_op_fn *run, int workers)
{
    int rounds = bench->store->in_memory ? ROUNDS : ROUNDS_ELSEWHERE;
    bench_job_t job = { .store = bench->store, .run = run,
                        .n_keys = bench->n_order, .workers = workers,
                        .seconds = bench->plan->seconds / rounds,
                        .sample_seconds = bench->plan->seconds / rounds };
    bench_result_t result, best = { 0 };
    const char *wrong = NULL;
    int round;

    job.keys[0] = bench->order[0];
    job.keys[1] = bench->order[1];
    warm_up(&job, bench);
    for (round = 0; !wrong && round < rounds; round++) {
        draw(bench);
        wrong = bench_work(&result, &job, bench->pool);
        if (!wrong && result.rate > best.rate) {
            best = result;
        }
    }
    if (!wrong) {
        write_cell(bench, operation, workers, &best);
    }
    return wrong;
}

/* Have again what was before there were claims. */
static const char *give_up_claims(bench_t *bench, const bench_key_t *fresh)
{
    const bench_ops_t *ops = bench->store->ops;
    bench_result_t result;
    const char *wrong;

    if (!bench->claimed) {
        return NULL;
    }
    bench->claimed = 0;
    if (!ops->forget) {
        return each_once(&result, bench, ops->unclaim, fresh,
                         2 * bench->n_claims);
    }
    wrong = ops->forget(bench->store, bench->pool);
    return wrong ? wrong : each_once(&result, bench, ops->claim, bench->keys,
                                     bench->n_records);
}

/* Fresh nonces, in rounds, so that the store is as full all the time; the best
 * one again. */
static const char *claim(bench_t *bench, const char *operation,
                         bench_op_fn *run, int workers)
{
    const bench_key_t *fresh = bench->keys + bench->n_records;
    bench_job_t job = { .store = bench->store, .run = run,
                        .n_keys = bench->n_claims, .workers = workers,
                        .once = 1, .seconds = bench->plan->seconds,
                        .sample_seconds = bench->plan->seconds };
    bench_result_t result, best = { 0 };
    const char *wrong = NULL;
    apr_time_t begin = apr_time_now();
    double budget = 2 * bench->plan->seconds * 1e6;
    int rounds;

    job.keys[0] = fresh;
    job.keys[1] = fresh + bench->n_claims;
    warm_up(&job, bench);       /* with claims that fail */
    for (rounds = 0; !wrong && rounds < MOST_CLAIM_ROUNDS
                     && (double)(apr_time_now() - begin) < budget;
         rounds++) {
        wrong = give_up_claims(bench, fresh);
        if (!wrong) {
            bench->claimed = 1;
            wrong = bench_work(&result, &job, bench->pool);
        }
        if (!wrong && result.rate > best.rate) {
            best = result;
        }
    }
    if (!wrong) {
        write_cell(bench, operation, workers, &best);
    }
    return wrong;
}

static const char *measure(bench_t *bench)
{
    const bench_ops_t *ops = bench->store->ops;
    const char *wrong = count_kept(bench, "fill");
    int workers;

    for (workers = 1; !wrong && workers <= BENCH_WORKERS; workers++) {
        wrong = repeat(bench, "get", ops->get, workers);
    }
    for (workers = 1; !wrong && workers <= BENCH_WORKERS; workers++) {
        wrong = claim(bench, "claim", ops->claim, workers);
    }
    if (!wrong && ops->claim_first && bench->store->in_memory) {
        wrong = claim(bench, "claim-first", ops->claim_first, 1);
    }
    if (!wrong && ops->unclaim) {
        wrong = give_up_claims(bench, bench->keys + bench->n_records);
    }
    for (workers = 1; !wrong && workers <= BENCH_WORKERS; workers++) {
        wrong = repeat(bench, "put", ops->put, workers);
    }
    bench->claimed = 0;
    return wrong ? wrong : count_kept(bench, "puts");
}

/* One store, at all its levels. */
static const char *run_store(bench_t *bench)
{
    const bench_plan_t *plan = bench->plan;
    apr_size_t before = 0;
    int level, filled = 1;
    const char *wrong = NULL;

    for (level = 0; level < plan->n_levels && filled && !wrong; level++) {
        bench->n_records = plan->levels[level];
        bench->n_claims = bench->n_records / 10 > LEAST_CLAIMS
            ? bench->n_records / 10 : LEAST_CLAIMS;
        wrong = fill(&filled, bench, before);
        if (!wrong && filled) {
            draw(bench);
            wrong = measure(bench);
        }
        before = bench->n_records;
        fflush(bench->out);
    }
    return wrong;
}

const char *bench_run(const bench_plan_t *plan, FILE *out, server_rec *s,
                      apr_pool_t *pool)
{
    apr_size_t most = plan->levels[plan->n_levels - 1];
    apr_size_t n_keys = most + 2 * (most / 10 + LEAST_CLAIMS);
    bench_key_t *keys = malloc(n_keys * sizeof(*keys));
    bench_t bench = { .plan = plan, .out = out, .pool = pool, .keys = keys,
                      .chance = CHANCE_SEED };
    const char *wrong = NULL;
    int i;

    bench.order[0] = malloc((most + LEAST_DRAWS) * sizeof(*keys));
    bench.order[1] = malloc((most + LEAST_DRAWS) * sizeof(*keys));
    if (!keys || !bench.order[0] || !bench.order[1]) {
        return "no memory for the keys";
    }
    make_keys(keys, n_keys, &bench.chance);
    fprintf(out, "clock\t%.0f\n", bench_clock_cost());
    for (i = 0; i < plan->n_levels; i++) {
        fprintf(out, "bare\t%lu\t%.0f\n", (unsigned long)plan->levels[i],
                bench_bare_memory(plan->levels[i], pool));
    }
    for (i = 0; i < plan->n_stores && !wrong; i++) {
        wrong = bench_store_make(&bench.store, plan->names[i],
                                 plan->where[i], s, pool);
        if (!wrong) {
            wrong = run_store(&bench);
        }
        if (wrong) {
            wrong = apr_pstrcat(pool, plan->names[i], ": ", wrong, NULL);
        }
    }
    return wrong;
}
