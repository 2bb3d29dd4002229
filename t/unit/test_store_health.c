/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_store_health.c - what is tried, and how often, while a store is away. */

#include "support.h"

#include <apr_atomic.h>
#include <apr_thread_proc.h>

#include "orp_store_health.h"

#define MS(n) ((apr_interval_time_t)(n) * 1000)
#define OPENED 301
#define CLOSED 302
#define THREADS 8

static orp_store_health_t *health_of(scene_t *scene)
{
    orp_store_health_t *health = NULL;

    assert_status(orp_store_health_create(&health, "redis://u:***@h",
                                          &scene->env, scene->pool),
                  APR_SUCCESS);
    return health;
}

static void what_works_is_always_tried(void **state)
{
    scene_t *scene = *state;
    orp_store_health_t *health = health_of(scene);
    int i;

    for (i = 0; i < 100; i++) {
        assert_true(orp_store_health_may_try(health, scene->now));
        orp_store_health_worked(health, scene->now);
    }
    assert_int_equal(scene->log->nelts, 0);
}

static void what_failed_is_left_alone_for_a_while(void **state)
{
    scene_t *scene = *state;
    orp_store_health_t *health = health_of(scene);
    apr_time_t now = scene->now;

    assert_true(orp_store_health_may_try(health, now));
    orp_store_health_failed(health, "it is away", now);
    assert_false(orp_store_health_may_try(health, now));
    assert_false(orp_store_health_may_try(health, now + MS(100) - 1));
    assert_true(orp_store_health_may_try(health, now + MS(100)));
}

static void pauses_double_up_to_two_seconds(void **state)
{
    static const int pauses[] = { 100, 200, 400, 800, 1600, 2000, 2000 };
    scene_t *scene = *state;
    orp_store_health_t *health = health_of(scene);
    apr_time_t now = scene->now;
    apr_size_t i;

    for (i = 0; i < COUNT(pauses); i++) {
        orp_store_health_failed(health, "it is away", now);
        now += MS(pauses[i]);
        assert_false(orp_store_health_may_try(health, now - 1));
        assert_true(orp_store_health_may_try(health, now));
    }
}

static void pauses_are_short_again_after_a_success(void **state)
{
    scene_t *scene = *state;
    orp_store_health_t *health = health_of(scene);
    apr_time_t now = scene->now;
    int i;

    for (i = 0; i < 6; i++) {
        orp_store_health_failed(health, "it is away", now);
        now += MS(2000);
        assert_true(orp_store_health_may_try(health, now));
    }
    orp_store_health_worked(health, now);
    assert_true(orp_store_health_may_try(health, now));
    orp_store_health_failed(health, "it is away", now);
    assert_true(orp_store_health_may_try(health, now + MS(100)));
}

static void one_at_a_time_tries_again(void **state)
{
    scene_t *scene = *state;
    orp_store_health_t *health = health_of(scene);
    apr_time_t now = scene->now;

    orp_store_health_failed(health, "it is away", now);
    now += MS(100);
    assert_true(orp_store_health_may_try(health, now));
    assert_false(orp_store_health_may_try(health, now));
    assert_false(orp_store_health_may_try(health, now + MS(1999)));
    /* one that never came back holds nobody up for long */
    assert_true(orp_store_health_may_try(health, now + MS(2000)));
}

static void late_failures_do_not_lengthen_the_pause(void **state)
{
    scene_t *scene = *state;
    orp_store_health_t *health = health_of(scene);
    apr_time_t now = scene->now;
    int i;

    /* twenty threads were under way when it went away */
    for (i = 0; i < 20; i++) {
        assert_true(orp_store_health_may_try(health, now));
    }
    for (i = 0; i < 20; i++) {
        orp_store_health_failed(health, "it is away", now + i);
    }
    assert_true(orp_store_health_may_try(health, now + MS(100) + 20));
}

static void one_success_is_enough(void **state)
{
    scene_t *scene = *state;
    orp_store_health_t *health = health_of(scene);

    orp_store_health_failed(health, "it is away", scene->now);
    assert_false(orp_store_health_may_try(health, scene->now));
    orp_store_health_worked(health, scene->now);
    assert_true(orp_store_health_may_try(health, scene->now));
}

static void what_was_not_told_leaves_the_try_to_the_next(void **state)
{
    scene_t *scene = *state;
    orp_store_health_t *health = health_of(scene);
    apr_time_t now = scene->now;

    orp_store_health_failed(health, "away", now);
    orp_store_health_untold(health, now);       /* nobody has tried */
    assert_false(orp_store_health_may_try(health, now));
    now += MS(100);
    assert_true(orp_store_health_may_try(health, now));
    assert_false(orp_store_health_may_try(health, now));
    orp_store_health_untold(health, now);
    assert_int_equal(scene_logged(scene, CLOSED), 0);
    assert_true(orp_store_health_may_try(health, now));
    orp_store_health_failed(health, "away", now);
    assert_false(orp_store_health_may_try(health, now + MS(199)));
    assert_true(orp_store_health_may_try(health, now + MS(200)));
    orp_store_health_worked(health, now + MS(200));
    orp_store_health_untold(health, now + MS(200));
    assert_int_equal(scene_logged(scene, CLOSED), 1);
    assert_true(orp_store_health_may_try(health, now + MS(200)));
}

static void an_outage_has_two_lines_in_the_log(void **state)
{
    scene_t *scene = *state;
    orp_store_health_t *health = health_of(scene);
    apr_time_t now = scene->now;
    int i;

    orp_store_health_failed(health, "connection refused", now);
    assert_int_equal(scene_logged(scene, OPENED), 1);
    assert_true(scene_log_contains(scene, "redis://u:***@h"));
    assert_true(scene_log_contains(scene, "connection refused"));
    for (i = 0; i < 7; i++) {
        assert_false(orp_store_health_may_try(health, now));
    }
    now += MS(1500);
    assert_true(orp_store_health_may_try(health, now));
    orp_store_health_failed(health, "still refused", now);
    assert_int_equal(scene->log->nelts, 1);

    now += MS(1500);
    orp_store_health_worked(health, now);
    orp_store_health_worked(health, now);
    assert_int_equal(scene_logged(scene, CLOSED), 1);
    assert_int_equal(scene->log->nelts, 2);
    assert_true(scene_log_contains(scene, "3000 ms"));
    /* 7 that were refused, and 2 that failed */
    assert_true(scene_log_contains(scene, " 9 "));
}

static void the_next_outage_counts_from_nothing(void **state)
{
    scene_t *scene = *state;
    orp_store_health_t *health = health_of(scene);

    orp_store_health_failed(health, "away", scene->now);
    assert_false(orp_store_health_may_try(health, scene->now));
    orp_store_health_worked(health, scene->now + MS(250));
    orp_store_health_failed(health, "away", scene->now + MS(1000));
    orp_store_health_worked(health, scene->now + MS(1700));
    assert_int_equal(scene_logged(scene, OPENED), 2);
    assert_int_equal(scene_logged(scene, CLOSED), 2);
    assert_true(scene_log_contains(scene, "700 ms"));
    assert_true(scene_log_contains(scene, " 1 "));
}

static void a_clock_that_goes_back_locks_nobody_out(void **state)
{
    scene_t *scene = *state;
    orp_store_health_t *health = health_of(scene);
    apr_time_t earlier = scene->now - apr_time_from_sec(3600);

    orp_store_health_failed(health, "away", scene->now);
    assert_true(orp_store_health_may_try(health, earlier));
    assert_false(orp_store_health_may_try(health, earlier));
    orp_store_health_failed(health, "away", earlier);
    assert_true(orp_store_health_may_try(health, earlier + MS(2000)));
}

/* ---------------------------------------------------------------------- */
/* Threads */

typedef struct crowd_t {
    orp_store_health_t *health;
    apr_time_t now;
    apr_uint32_t ready;
    apr_uint32_t go;
    apr_uint32_t allowed;
} crowd_t;

static void *APR_THREAD_FUNC ask_once(apr_thread_t *thread, void *data)
{
    crowd_t *crowd = data;

    (void)thread;
    apr_atomic_inc32(&crowd->ready);
    while (!apr_atomic_read32(&crowd->go)) {
        apr_thread_yield();
    }
    if (orp_store_health_may_try(crowd->health, crowd->now)) {
        apr_atomic_inc32(&crowd->allowed);
    }
    return NULL;
}

/* @return how many of all threads may try at this time */
static int allowed_of_a_crowd(scene_t *scene, orp_store_health_t *health,
                              apr_time_t now)
{
    crowd_t crowd = { health, now, 0, 0, 0 };
    apr_thread_t *threads[THREADS];
    apr_status_t status;
    int i;

    for (i = 0; i < THREADS; i++) {
        assert_status(apr_thread_create(&threads[i], NULL, ask_once, &crowd,
                                        scene->pool), APR_SUCCESS);
    }
    while (apr_atomic_read32(&crowd.ready) < THREADS) {
        apr_thread_yield();
    }
    apr_atomic_set32(&crowd.go, 1);
    for (i = 0; i < THREADS; i++) {
        assert_status(apr_thread_join(&status, threads[i]), APR_SUCCESS);
    }
    return (int)crowd.allowed;
}

static void one_of_many_threads_tries_again(void **state)
{
    scene_t *scene = *state;
    orp_store_health_t *health = health_of(scene);
    apr_time_t now = scene->now;
    int i;

    /* the control: while it works, all may */
    assert_int_equal(allowed_of_a_crowd(scene, health, now), THREADS);
    for (i = 0; i < 20; i++) {
        orp_store_health_failed(health, "away", now);
        assert_int_equal(allowed_of_a_crowd(scene, health, now), 0);
        now += MS(2000);
        assert_int_equal(allowed_of_a_crowd(scene, health, now), 1);
    }
    assert_int_equal(scene_logged(scene, OPENED), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(what_works_is_always_tried),
        scene_test(what_failed_is_left_alone_for_a_while),
        scene_test(pauses_double_up_to_two_seconds),
        scene_test(pauses_are_short_again_after_a_success),
        scene_test(one_at_a_time_tries_again),
        scene_test(late_failures_do_not_lengthen_the_pause),
        scene_test(one_success_is_enough),
        scene_test(what_was_not_told_leaves_the_try_to_the_next),
        scene_test(an_outage_has_two_lines_in_the_log),
        scene_test(the_next_outage_counts_from_nothing),
        scene_test(a_clock_that_goes_back_locks_nobody_out),
        scene_test(one_of_many_threads_tries_again),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("store_health", tests, NULL, NULL);
}
