/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* bench_worker.c - processes that do one thing to a store and measure it.
 *
 * First they do it as fast as they can: that gives the rate. Then they take
 * the time of each single one: that gives the percentiles. All of them begin
 * at the same time, when all of them are ready.
 */

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <apr_shm.h>

#include "bench.h"

/* How many operations between two looks at the clock. */
#define BATCH 64

/* No worker takes longer, whatever it waits for. */
#define WORKER_SECONDS 300

typedef struct report_t {
    double elapsed;
    apr_uint64_t timed;         /* operations in elapsed */
    apr_uint64_t done;
    apr_uint64_t failed;
    int complete;
    apr_uint32_t n_samples;
    apr_uint32_t samples[BENCH_SAMPLES];        /* nanoseconds */
} report_t;

/* What the processes share. */
typedef struct board_t {
    _Atomic int ready;
    _Atomic int go;
    report_t reports[BENCH_WORKERS];
} board_t;

typedef struct worker_t {
    const bench_job_t *job;
    const bench_key_t *keys;
    apr_size_t next;
    report_t *report;
    apr_pool_t *pool;           /* cleared now and then, as a request's is */
} worker_t;

static apr_int64_t nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (apr_int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

double bench_clock_cost(void)
{
    apr_int64_t start = nanoseconds();
    int i;

    for (i = 0; i < 100000; i++) {
        (void)nanoseconds();
    }
    return (double)(nanoseconds() - start) / 100000;
}

#define PLACE 512

/* Each copy chooses the next place, so that none begins before the one before
 * it is done: as with a store, where a lock or a look at the clock sees to
 * that. */
static double copy_around(const unsigned char *base, apr_size_t places)
{
    unsigned char copy[BENCH_VALUE_SIZE];
    apr_uint64_t at = 1;
    apr_int64_t start = nanoseconds();
    int i;

    for (i = 0; i < 100000; i++) {
        memcpy(copy, base + (at >> 32) % places * PLACE, sizeof(copy));
        __asm__ __volatile__("" : : "r" (copy) : "memory");
        at = at * APR_UINT64_C(6364136223846793005) + 1442695040888963407
            + copy[0] + copy[sizeof(copy) - 1];
    }
    return (double)(nanoseconds() - start) / 100000;
}

double bench_bare_memory(apr_size_t places, apr_pool_t *pool)
{
    apr_shm_t *shm;
    double best = 0;
    int i;

    if (apr_shm_create(&shm, places * PLACE, NULL, pool) != APR_SUCCESS) {
        return 0;
    }
    memset(apr_shm_baseaddr_get(shm), 0, places * PLACE);
    for (i = 0; i < 10; i++) {
        double took = copy_around(apr_shm_baseaddr_get(shm), places);

        best = best > 0 && best < took ? best : took;
    }
    apr_shm_destroy(shm);
    return best;
}

/* ---------------------------------------------------------------------- */
/* In a worker */

static apr_status_t one(worker_t *worker)
{
    const bench_job_t *job = worker->job;
    const bench_key_t *key = &worker->keys[worker->next];

    if (++worker->next == job->n_keys && !job->once) {
        worker->next = 0;
    }
    return job->run(job->store, key, worker->pool);
}

static int has_more(const worker_t *worker, apr_size_t end)
{
    return !worker->job->once || worker->next < end;
}

static void measure_rate(worker_t *worker, apr_size_t end)
{
    report_t *report = worker->report;
    apr_int64_t start = nanoseconds(), now = start;
    apr_int64_t until = start + (apr_int64_t)(worker->job->seconds * 1e9);

    while (now < until && has_more(worker, end)) {
        int i;

        for (i = 0; i < BATCH && has_more(worker, end); i++) {
            report->failed += one(worker) != APR_SUCCESS;
            report->timed++;
        }
        apr_pool_clear(worker->pool);
        now = nanoseconds();
    }
    report->elapsed = (double)(now - start) / 1e9;
    report->done = report->timed;
}

static void measure_samples(worker_t *worker)
{
    report_t *report = worker->report;
    apr_int64_t now = nanoseconds(), before;
    apr_int64_t until = now
        + (apr_int64_t)(worker->job->sample_seconds * 1e9);

    while (now < until && report->n_samples < BENCH_SAMPLES
           && has_more(worker, worker->job->n_keys)) {
        apr_int64_t took;

        before = nanoseconds();
        report->failed += one(worker) != APR_SUCCESS;
        now = nanoseconds();
        took = now - before;
        report->samples[report->n_samples++]
            = took < UINT32_MAX ? (apr_uint32_t)took : UINT32_MAX;
        report->done++;
        if (report->n_samples % BATCH == 0) {
            apr_pool_clear(worker->pool);
        }
    }
}

static void work(const bench_job_t *job, board_t *board, int number,
                 apr_pool_t *parent)
{
    worker_t worker = { job, job->keys[number], 0,
                        &board->reports[number], NULL };
    apr_size_t end = job->sample_seconds > 0 ? job->n_keys / 2 : job->n_keys;
    apr_pool_t *pool;
    int i;

    alarm(WORKER_SECONDS);
    apr_pool_create(&pool, parent);
    apr_pool_create(&worker.pool, pool);
    if (job->store->ops->attach(job->store, pool) != APR_SUCCESS) {
        _exit(2);
    }
    for (i = 0; i < job->warm; i++) {
        (void)job->run(job->store, &job->warm_keys[(apr_size_t)i
                                                   % job->n_warm_keys],
                       worker.pool);
        if (i % BATCH == 0) {
            apr_pool_clear(worker.pool);
        }
    }
    board->ready++;
    while (!board->go) {
        sched_yield();
    }
    measure_rate(&worker, end);
    measure_samples(&worker);
    worker.report->complete = worker.next == job->n_keys;
    apr_pool_destroy(pool);     /* closes what was opened here */
    _exit(0);
}

/* ---------------------------------------------------------------------- */
/* In the process that waits for them */

static int by_size(const void *one_, const void *other_)
{
    apr_uint32_t first = *(const apr_uint32_t *)one_;
    apr_uint32_t second = *(const apr_uint32_t *)other_;

    return (first > second) - (first < second);
}

static void put_together(bench_result_t *result, const board_t *board,
                         int workers)
{
    apr_uint32_t *samples = calloc((apr_size_t)workers * BENCH_SAMPLES,
                                   sizeof(*samples));
    apr_size_t n = 0;
    int i;

    memset(result, 0, sizeof(*result));
    result->complete = 1;
    for (i = 0; i < workers; i++) {
        const report_t *report = &board->reports[i];

        if (report->elapsed > 0) {
            result->rate += (double)report->timed / report->elapsed;
        }
        result->done += report->done;
        result->failed += report->failed;
        result->complete = result->complete && report->complete;
        if (samples) {
            memcpy(samples + n, report->samples,
                   report->n_samples * sizeof(*samples));
            n += report->n_samples;
        }
    }
    if (n > 0) {
        qsort(samples, n, sizeof(*samples), by_size);
        result->p50 = samples[n / 2] / 1e3;
        result->p99 = samples[n - 1 - n / 100] / 1e3;
    }
    free(samples);
}

/* All are ready, or one of them has ended too soon. */
static void start_together(board_t *board, int workers)
{
    siginfo_t ended;

    while (board->ready < workers) {
        ended.si_pid = 0;
        if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0
            && ended.si_pid != 0) {
            break;
        }
        usleep(500);
    }
    board->go = 1;
}

const char *bench_work(bench_result_t *result, const bench_job_t *job,
                       apr_pool_t *pool)
{
    const char *wrong = NULL;
    pid_t children[BENCH_WORKERS];
    board_t *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int i, status, started = 0;

    if (board == MAP_FAILED) {
        return "no memory that workers share";
    }
    for (i = 0; i < job->workers; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            work(job, board, i, pool);
        }
        if (children[i] < 0) {
            wrong = "a worker cannot be started";
            break;
        }
        started++;
    }
    start_together(board, started);
    for (i = 0; i < started; i++) {
        if (waitpid(children[i], &status, 0) != children[i] || status != 0) {
            wrong = "a worker failed";
        }
    }
    put_together(result, board, started);
    munmap(board, sizeof(*board));
    return wrong;
}
