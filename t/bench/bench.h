/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* bench.h - what the files of the benchmark share.
 *
 * bench_stores.c      stores of all kinds behind one face: ours, and httpd's
 *                     own mod_socache_shmcb
 * bench_worker.c      processes that do one thing to a store for a while, and
 *                     measure it
 * bench_plan.c        what is done to each store
 * mod_bench_store.c   the configuration; runs the plan when httpd starts, and
 *                     ends httpd
 *
 * t/bench/store makes a table of what the plan writes.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdio.h>

#include <httpd.h>
#include <http_config.h>
#include <apr_time.h>

#include "orp_store.h"

/** What a session's record may have, and how long records live. */
#define BENCH_VALUE_SIZE 400
#define BENCH_LIFETIME apr_time_from_sec(24 * 3600)

/** A key as ours have it, 64 hex digits; and one as shmcb likes it: as long,
 * with a random byte first, by which it chooses one of its subcaches. */
typedef struct bench_key_t {
    unsigned char first;
    char text[65];
} bench_key_t;

#define BENCH_ID(key) (&(key)->first)
#define BENCH_ID_SIZE 64

/* ---------------------------------------------------------------------- */
/* Stores */

typedef struct bench_store_t bench_store_t;

typedef struct bench_ops_t {
    /** Make ready for use in this process, after a fork. */
    apr_status_t (*attach)(bench_store_t *store, apr_pool_t *pool);
    /** A session: a value of BENCH_VALUE_SIZE bytes. */
    apr_status_t (*put)(bench_store_t *store, const bench_key_t *key,
                        apr_pool_t *pool);
    apr_status_t (*get)(bench_store_t *store, const bench_key_t *key,
                        apr_pool_t *pool);
    /** A nonce: an empty value, only if there is none yet. */
    apr_status_t (*claim)(bench_store_t *store, const bench_key_t *key,
                          apr_pool_t *pool);
    /** The same, but each expires sooner than all before it. */
    apr_status_t (*claim_first)(bench_store_t *store,
                                const bench_key_t *key, apr_pool_t *pool);
    /** Away with a nonce; or, in httpd's first process, with all of them. */
    apr_status_t (*unclaim)(bench_store_t *store, const bench_key_t *key,
                            apr_pool_t *pool);
    const char *(*forget)(bench_store_t *store, apr_pool_t *pool);
} bench_ops_t;

typedef apr_status_t bench_op_fn(bench_store_t *store,
                                 const bench_key_t *key, apr_pool_t *pool);

struct bench_store_t {
    const char *name;
    const bench_ops_t *ops;
    int in_memory;              /* of httpd: then all is counted, else some */
    void *baton;
};

/**
 * Make a store of what stands in the configuration: "shm:SIZE", "shmcb:SIZE",
 * or a place as in orp_store_place.h.
 * @param name  what the table calls it
 * @return NULL, or what is wrong
 */
const char *bench_store_make(bench_store_t **pstore, const char *name,
                             const char *where, server_rec *s,
                             apr_pool_t *pool);

/** Take the mutex's name for httpd's Mutex directive. */
apr_status_t bench_stores_register(apr_pool_t *pconf);

/* ---------------------------------------------------------------------- */
/* Workers */

#define BENCH_WORKERS 2
#define BENCH_SAMPLES 100000

typedef struct bench_job_t {
    bench_store_t *store;
    bench_op_fn *run;
    const bench_key_t *keys[BENCH_WORKERS];     /* a list for each worker */
    apr_size_t n_keys;
    const bench_key_t *warm_keys;   /* done before measuring, again and again */
    apr_size_t n_warm_keys;
    int warm;                   /* so many of them */
    int workers;
    int once;                   /* each key once, not again and again */
    double seconds;             /* of throughput, at most */
    double sample_seconds;      /* then of single operations; 0 for none */
} bench_job_t;

typedef struct bench_result_t {
    double rate;                /* operations per second, of all workers */
    double p50, p99;            /* microseconds; 0 without samples */
    apr_uint64_t done;
    apr_uint64_t failed;        /* of done */
    int complete;               /* once: every key was used */
} bench_result_t;

/** Do a job. @return NULL, or what is wrong */
const char *bench_work(bench_result_t *result, const bench_job_t *job,
                       apr_pool_t *pool);

/** What a sample costs by itself, in nanoseconds. */
double bench_clock_cost(void);

/** What it takes to copy BENCH_VALUE_SIZE bytes from a random one of so many
 * places of 512 bytes each, in shared memory, without any store, in
 * nanoseconds: what no store there can be faster than. 0: no memory. */
double bench_bare_memory(apr_size_t places, apr_pool_t *pool);

/* ---------------------------------------------------------------------- */
/* The plan */

#define BENCH_STORES 16
#define BENCH_LEVELS 8

typedef struct bench_plan_t {
    const char *names[BENCH_STORES];
    const char *where[BENCH_STORES];
    int n_stores;
    apr_size_t levels[BENCH_LEVELS];
    int n_levels;
    double seconds;
    double fill_seconds;
    const char *output;
} bench_plan_t;

/** Do all of it. @return NULL, or what is wrong */
const char *bench_run(const bench_plan_t *plan, FILE *out, server_rec *s,
                      apr_pool_t *pool);

#endif
