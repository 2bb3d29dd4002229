/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_rate.c - how often something may happen. */

#include "support.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_thread_proc.h>

#include "orp_rate.h"

#define SECONDS(n) ((apr_time_t)(n) * APR_USEC_PER_SEC)
#define MS(n) ((apr_time_t)(n) * 1000)
#define START SECONDS(1000)
#define THREADS 8
#define PROCESSES 4

static const orp_rate_rule_t three_in_10s = { 3, SECONDS(10) };
static const orp_rate_rule_t sixty_in_1m = { 60, SECONDS(60) };

/* How many of n that come at once may pass. */
static int pass(orp_rate_word_t *word, const orp_rate_rule_t *rule,
                apr_time_t now, int n)
{
    int passed = 0;

    while (n-- > 0) {
        passed += orp_rate_take(word, rule, now).wait == 0;
    }
    return passed;
}

static void so_many_pass_at_once(void **state)
{
    orp_rate_word_t word = 0;

    (void)state;
    assert_int_equal(pass(&word, &three_in_10s, START, 10), 3);
    word = 0;
    assert_int_equal(pass(&word, &sixty_in_1m, START, 100), 60);
    word = 0;
    assert_int_equal(pass(&word, &sixty_in_1m, 0, 100), 60);
}

static void the_wait_is_told_and_is_enough(void **state)
{
    orp_rate_word_t word = 0;
    apr_interval_time_t wait;

    (void)state;
    assert_int_equal(pass(&word, &three_in_10s, START, 3), 3);
    wait = orp_rate_take(&word, &three_in_10s, START).wait;
    assert_in_range(wait, MS(3300), MS(3334));
    assert_int_equal(pass(&word, &three_in_10s, START + wait - 100, 1), 0);
    assert_int_equal(pass(&word, &three_in_10s, START + wait, 2), 1);
}

static void refusals_cost_nothing(void **state)
{
    orp_rate_word_t word = 0;
    apr_interval_time_t wait;

    (void)state;
    assert_int_equal(pass(&word, &three_in_10s, START, 3), 3);
    wait = orp_rate_take(&word, &three_in_10s, START).wait;
    assert_int_equal(pass(&word, &three_in_10s, START, 1000), 0);
    assert_int_equal(orp_rate_take(&word, &three_in_10s, START).wait, wait);
}

static void what_is_used_comes_back_evenly(void **state)
{
    orp_rate_word_t word = 0;
    int second, passed = 0;

    (void)state;
    assert_int_equal(pass(&word, &sixty_in_1m, START, 60), 60);
    for (second = 1; second <= 100; second++) {
        assert_int_equal(pass(&word, &sixty_in_1m, START + SECONDS(second),
                              5), 1);
        passed++;
    }
    assert_int_equal(passed, 100);
    assert_int_equal(pass(&word, &sixty_in_1m, START + SECONDS(100 + 30),
                          100), 30);
    assert_int_equal(pass(&word, &sixty_in_1m, START + SECONDS(1000), 100),
                     60);
}

static void every_rule_lets_exactly_its_number_pass(void **state)
{
    static const orp_rate_rule_t rules[] = {
        { 1, SECONDS(1) }, { 1, ORP_RATE_INTERVAL_MAX }, { 7, SECONDS(1) },
        { 999, SECONDS(1) }, { 1000, SECONDS(1) }, { 1, MS(1) },
        { 100000, SECONDS(24 * 3600) }, { 61, SECONDS(60) },
    };
    apr_size_t i;

    (void)state;
    for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        orp_rate_word_t word = 0;
        int count = (int)rules[i].count;

        assert_true(orp_rate_is_sane(&rules[i]));
        assert_int_equal(pass(&word, &rules[i], START, count + 5), count);
        assert_int_equal(pass(&word, &rules[i], START + rules[i].interval,
                              count + 5), count);
    }
}

static void a_rule_of_nothing_lets_all_pass(void **state)
{
    static const orp_rate_rule_t off = { 0, 0 };
    orp_rate_word_t words[ORP_RATE_WAYS] = { 0 };
    orp_rate_table_t table = { words, 1 };
    int i;

    (void)state;
    assert_int_equal(pass(words, &off, START, 1000), 1000);
    for (i = 0; i < 1000; i++) {
        assert_int_equal(orp_rate_table_take(&table, 1, &off, START).wait,
                         0);
    }
    assert_int_equal(words[0], 0);
}

static void rules_that_cannot_be_kept_are_known(void **state)
{
    static const orp_rate_rule_t rules[] = {
        { 0, SECONDS(1) }, { 1, 0 }, { 1, -1 }, { 1001, SECONDS(1) },
        { 1, 999 }, { 1, ORP_RATE_INTERVAL_MAX + 1 },
        { 0xffffffff, SECONDS(1) },
    };
    apr_size_t i;

    (void)state;
    assert_true(orp_rate_is_sane(&sixty_in_1m));
    for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        assert_false(orp_rate_is_sane(&rules[i]));
    }
}

static void one_refusal_an_interval_is_the_first(void **state)
{
    orp_rate_word_t word = 0;
    int i, first = 0;

    (void)state;
    assert_int_equal(pass(&word, &sixty_in_1m, START, 60), 60);
    /* ten minutes, four times a second: one of four passes */
    for (i = 0; i < 10 * 60 * 4; i++) {
        first += orp_rate_take(&word, &sixty_in_1m,
                               START + i * MS(250)).first;
    }
    assert_in_range(first, 10, 11);
    /* and after a rest, whatever the interval's number is */
    for (i = 1; i < 20; i++) {
        apr_time_t later = START + SECONDS(1000 * i);

        assert_int_equal(pass(&word, &sixty_in_1m, later, 60), 60);
        assert_true(orp_rate_take(&word, &sixty_in_1m, later).first);
        assert_false(orp_rate_take(&word, &sixty_in_1m, later).first);
    }
}

/* A thread that read the clock, and then slept for a while. */
static void an_old_time_forgets_nothing(void **state)
{
    orp_rate_word_t word = 0;

    (void)state;
    assert_int_equal(pass(&word, &three_in_10s, START, 3), 3);
    assert_int_equal(pass(&word, &three_in_10s, START - SECONDS(2), 5), 0);
    assert_int_equal(pass(&word, &three_in_10s, START, 5), 0);
}

static void a_time_of_another_rule_is_not_waited_for(void **state)
{
    static const orp_rate_rule_t day = { 1, ORP_RATE_INTERVAL_MAX };
    orp_rate_word_t word = 0;

    (void)state;
    assert_int_equal(pass(&word, &day, START, 2), 1);
    assert_int_equal(pass(&word, &three_in_10s, START, 4), 3);
}

static void a_long_time_goes_well(void **state)
{
    apr_time_t later = SECONDS(13) * 365 * 24 * 3600;
    orp_rate_word_t word = 0;

    (void)state;
    assert_int_equal(pass(&word, &three_in_10s, later, 10), 3);
    assert_int_equal(pass(&word, &three_in_10s, later + SECONDS(10), 10), 3);
}

/* ---------------------------------------------------------------------- */
/* Many clients */

/* A mixing function in the place of a keyed hash. */
static apr_uint64_t hash_of(apr_uint64_t n)
{
    n += APR_UINT64_C(0x9e3779b97f4a7c15);
    n = (n ^ (n >> 30)) * APR_UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ (n >> 27)) * APR_UINT64_C(0x94d049bb133111eb);
    return n ^ (n >> 31);
}

static orp_rate_table_t table_of(apr_uint32_t buckets, scene_t *scene)
{
    orp_rate_table_t table = {
        apr_pcalloc(scene->pool, buckets * ORP_RATE_WAYS
                    * sizeof(orp_rate_word_t)), buckets
    };

    return table;
}

static int table_pass(const orp_rate_table_t *table, apr_uint64_t client,
                      const orp_rate_rule_t *rule, apr_time_t now, int n)
{
    int passed = 0;

    while (n-- > 0) {
        passed += orp_rate_table_take(table, hash_of(client), rule, now).wait
            == 0;
    }
    return passed;
}

static void each_client_counts_for_itself(void **state)
{
    orp_rate_table_t table = table_of(1024, *state);
    int client;

    for (client = 0; client < 500; client++) {
        assert_int_equal(table_pass(&table, (apr_uint64_t)client,
                                    &three_in_10s, START, 5), 3);
    }
    for (client = 0; client < 500; client++) {
        assert_int_equal(table_pass(&table, (apr_uint64_t)client,
                                    &three_in_10s, START, 5), 0);
        assert_int_equal(table_pass(&table, (apr_uint64_t)client,
                                    &three_in_10s, START + SECONDS(10), 5),
                         3);
    }
}

/* 100,000 clients in room for 4096: who does most is remembered, and nobody
 * is allowed less than the rule says. */
static void a_flood_of_clients_pushes_out_the_quiet_ones(void **state)
{
    orp_rate_table_t table = table_of(1024, *state);
    const apr_uint64_t busy = 1000000;
    apr_time_t now = START;
    int i, passed = 0;

    assert_int_equal(table_pass(&table, busy, &sixty_in_1m, now, 100), 60);
    for (i = 0; i < 100000; i++, now += 300) {
        assert_int_equal(table_pass(&table, (apr_uint64_t)i, &sixty_in_1m,
                                    now, 1), 1);
        if (i % 100 == 0) {
            passed += table_pass(&table, busy, &sixty_in_1m, now, 1);
        }
    }
    /* 30 seconds have gone by */
    assert_in_range(passed, 28, 30);
}

static void room_whose_time_is_over_is_taken_first(void **state)
{
    orp_rate_table_t table = table_of(1, *state);

    assert_int_equal(table_pass(&table, 1, &sixty_in_1m, START, 60), 60);
    assert_int_equal(table_pass(&table, 2, &sixty_in_1m, START, 50), 50);
    assert_int_equal(table_pass(&table, 3, &sixty_in_1m, START, 40), 40);
    assert_int_equal(table_pass(&table, 4, &sixty_in_1m, START, 1), 1);
    assert_int_equal(table_pass(&table, 5, &sixty_in_1m, START + MS(1500),
                                60), 60);
    assert_int_equal(table_pass(&table, 1, &sixty_in_1m, START, 1), 0);
    assert_int_equal(table_pass(&table, 2, &sixty_in_1m, START, 60), 10);
    assert_int_equal(table_pass(&table, 3, &sixty_in_1m, START, 60), 20);
}

/* ---------------------------------------------------------------------- */
/* At the same time */

/* Each of many clients is new to all at about the same time; and behind each
 * stands the same word. */
#define CLIENTS 32768
#define BUCKETS 262144          /* so many that no bucket gets too many */

typedef struct {
    atomic_int missing;         /* who has not come yet: all start at once */
    atomic_int passed[CLIENTS];
    atomic_int passed_total;
    orp_rate_word_t total;
    orp_rate_word_t words[BUCKETS * ORP_RATE_WAYS];
} crowd_t;

static int clients(void)
{
    return getenv("ORP_VALGRIND") ? CLIENTS / 64 : CLIENTS;
}

static void rush(crowd_t *crowd)
{
    static const orp_rate_rule_t hundred = { 100, SECONDS(3600) };
    const orp_rate_table_t table = { crowd->words, BUCKETS };
    int i;

    crowd->missing--;
    while (crowd->missing > 0) {
        sched_yield();
    }
    for (i = 0; i < clients(); i++) {
        crowd->passed[i] += table_pass(&table, (apr_uint64_t)i,
                                       &three_in_10s, START, 3);
        crowd->passed_total += pass(&crowd->total, &hundred, START, 1);
    }
}

static void *APR_THREAD_FUNC rush_in_thread(apr_thread_t *thread, void *crowd)
{
    rush(crowd);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static void check_crowd(const crowd_t *crowd)
{
    int i;

    assert_int_equal(crowd->passed_total, 100);
    for (i = 0; i < clients(); i++) {
        assert_int_equal(crowd->passed[i], 3);
    }
}

static void threads_let_exactly_the_number_pass(void **state)
{
    scene_t *scene = *state;
    crowd_t *crowd = apr_pcalloc(scene->pool, sizeof(*crowd));
    apr_thread_t *threads[THREADS];
    int i;

    crowd->missing = THREADS;
    for (i = 0; i < THREADS; i++) {
        assert_status(apr_thread_create(&threads[i], NULL, rush_in_thread,
                                        crowd, scene->pool), APR_SUCCESS);
    }
    for (i = 0; i < THREADS; i++) {
        apr_status_t status;

        apr_thread_join(&status, threads[i]);
    }
    check_crowd(crowd);
}

static void processes_let_exactly_the_number_pass(void **state)
{
    crowd_t *crowd = mmap(NULL, sizeof(*crowd), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int i;

    (void)state;
    assert_true(crowd != MAP_FAILED);
    crowd->missing = PROCESSES;
    for (i = 0; i < PROCESSES; i++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (!pid) {
            rush(crowd);
            _exit(0);
        }
    }
    for (i = 0; i < PROCESSES; i++) {
        int status;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    check_crowd(crowd);
    munmap(crowd, sizeof(*crowd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(so_many_pass_at_once),
        scene_test(the_wait_is_told_and_is_enough),
        scene_test(refusals_cost_nothing),
        scene_test(what_is_used_comes_back_evenly),
        scene_test(every_rule_lets_exactly_its_number_pass),
        scene_test(a_rule_of_nothing_lets_all_pass),
        scene_test(rules_that_cannot_be_kept_are_known),
        scene_test(one_refusal_an_interval_is_the_first),
        scene_test(an_old_time_forgets_nothing),
        scene_test(a_time_of_another_rule_is_not_waited_for),
        scene_test(a_long_time_goes_well),
        scene_test(each_client_counts_for_itself),
        scene_test(a_flood_of_clients_pushes_out_the_quiet_ones),
        scene_test(room_whose_time_is_over_is_taken_first),
        scene_test(threads_let_exactly_the_number_pass),
        scene_test(processes_let_exactly_the_number_pass),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
