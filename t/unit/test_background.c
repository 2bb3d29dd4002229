/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_background.c - orp_background: associations that no user waits for. */

#include "support_op.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "orp_background_queue.h"
#include "orp_codec.h"
#include "orp_store_open.h"

#define OP "https://op.example/"
#define USER "https://user.example/"
#define SECONDS(n) apr_time_from_sec(n)
#define HOURS(n) apr_time_from_sec((n) * 3600)

/* ---------------------------------------------------------------------- */
/* Arranging */

/* A provider, and a user of it. */
static op_t *op_with_user(scene_t *scene)
{
    op_t *op = op_at(scene, OP);

    op_publish(op, USER, OP_SIGNON_20, NULL);
    return op;
}

/* A login that begins; what it finds out about the user is not counted. */
static visit_t *login_of(scene_t *scene, const char *user)
{
    visit_t *visit = visit_new(scene, user);
    orp_reason_t *why;

    visit->rp.associate = ORP_ASSOCIATE_BACKGROUND;
    visit->rp.site = "www";
    assert_status(visit_status(visit, &why), APR_SUCCESS);
    return visit;
}

static visit_t *login(scene_t *scene)
{
    return login_of(scene, USER);
}

/* A login that comes back. */
static visit_t *sign_in(scene_t *scene, op_t *op)
{
    visit_t *visit = login(scene);

    assert_accepted(visit, op_answer(op, visit));
    return visit;
}

static void want(scene_t *scene, const char *endpoint)
{
    orp_background_want(&scene->env, endpoint, ORP_VERSION_2, "",
                        ORP_BACKGROUND_MISSING, scene->pool);
}

/* The same after a login: somebody has signed in by it. */
static void prove(scene_t *scene, const char *endpoint)
{
    orp_background_want(&scene->env, endpoint, ORP_VERSION_2, "",
                        ORP_BACKGROUND_PROVEN, scene->pool);
}

static orp_background_result_t run_job(scene_t *scene,
                                       const orp_background_t *job)
{
    orp_background_result_t result;

    assert_status(orp_background_run(&result, &scene->env, job,
                                     scene->pool), APR_SUCCESS);
    return result;
}

static orp_background_result_t run_as(scene_t *scene, const char *holder)
{
    orp_background_t job = { .holder = holder };

    return run_job(scene, &job);
}

static orp_background_result_t run(scene_t *scene)
{
    return run_as(scene, "me");
}

/* Runs, and says how often the provider was asked in it. */
static int asked_in_run(scene_t *scene)
{
    int before = scene_requests(scene);

    run(scene);
    return scene_requests(scene) - before;
}

static const char *stored(scene_t *scene, const char *key)
{
    const char *value;

    return orp_store_get(&value, NULL, &scene->store, ORP_STORE_QUEUE, key,
                         scene->now, scene->pool) == APR_SUCCESS
        ? value : NULL;
}

/* How often was 123 logged at this level? */
static int refused_at(const scene_t *scene, orp_log_level_e level)
{
    int i, count = 0;

    for (i = 0; i < scene->log->nelts; i++) {
        const logged_t *line = APR_ARRAY_IDX(scene->log, i, logged_t *);

        count += line->number == 123 && line->level == level;
    }
    return count;
}

/* How many numbers are taken by this endpoint, or, for NULL, by any. */
static int queued(scene_t *scene, const char *endpoint)
{
    int i, count = 0;

    for (i = 0; i < ORP_BACKGROUND_WANTED; i++) {
        const char *value = stored(scene, apr_psprintf(scene->pool,
                                                       "wanted %d", i));
        orp_params_t *params;

        if (!value) {
            continue;
        }
        assert_status(orp_params_parse_form(&params, value, strlen(value),
                                            scene->pool), APR_SUCCESS);
        count += !endpoint
            || !strcmp(orp_params_get(params, "endpoint"), endpoint);
    }
    return count;
}

/* What the queue says of the one endpoint in it. */
static const char *queue_says(scene_t *scene, const char *name)
{
    int i;

    for (i = 0; i < ORP_BACKGROUND_WANTED; i++) {
        const char *value = stored(scene, apr_psprintf(scene->pool,
                                                       "wanted %d", i));
        orp_params_t *params;

        if (value) {
            assert_status(orp_params_parse_form(&params, value,
                                                strlen(value), scene->pool),
                          APR_SUCCESS);
            return orp_params_get(params, name);
        }
    }
    return NULL;
}

static void put(scene_t *scene, const char *key, const char *value,
                apr_interval_time_t lifetime)
{
    assert_status(orp_store_put(&scene->store, ORP_STORE_QUEUE, key, value,
                                strlen(value), scene->now + lifetime,
                                scene->now), APR_SUCCESS);
}

/* Turn the clock in steps, and say how often the provider was asked. */
static int asked_within(scene_t *scene, apr_interval_time_t time,
                        apr_interval_time_t step)
{
    int count = 0;

    for (; time >= step; time -= step) {
        scene_turn_clock(scene, step);
        count += asked_in_run(scene);
    }
    return count;
}

/* ---------------------------------------------------------------------- */
/* The queue */

static void a_login_waits_for_no_association(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    visit_t *visit = NULL;
    int i;

    for (i = 0; i < 50; i++) {
        visit = login(scene);
        assert_text(visit->login->assoc_handle, NULL);
    }
    assert_int_equal(op->associated, 0);
    assert_int_equal(queued(scene, OP), 1);
    assert_int_equal(queued(scene, NULL), 1);
    assert_accepted(visit, op_answer(op, visit));
    assert_int_equal(op->checked, 1);
    assert_int_equal(op->associated, 0);
}

static void a_run_makes_it_and_the_next_login_uses_it(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    orp_background_result_t result;
    visit_t *visit;

    login(scene);
    result = run(scene);
    assert_int_equal(result.queued, 1);
    assert_int_equal(result.made, 1);
    assert_int_equal(result.failed, 0);
    assert_int_equal(result.elsewhere, 0);
    assert_int_equal(op->associated, 1);
    assert_int_equal(scene_logged(scene, 120), 1);
    assert_true(scene_log_contains(scene, "association made in the background"
                                   " with " OP));
    visit = login(scene);
    assert_text(visit->login->assoc_handle, "shared-1");
    assert_accepted(visit, op_answer(op, visit));
    assert_int_equal(op->checked, 0);
    result = run(scene);
    assert_int_equal(result.queued, 1);
    assert_int_equal(result.made, 0);
    assert_int_equal(op->associated, 1);
}

static void other_modes_queue_nothing(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    visit_t *visit = visit_new(scene, USER);
    orp_reason_t *why;

    visit->rp.associate = ORP_ASSOCIATE_NEVER;
    assert_status(visit_status(visit, &why), APR_SUCCESS);
    assert_text(visit->login->assoc_handle, NULL);
    visit = visit_begin(scene, USER);       /* while the user waits */
    assert_text(visit->login->assoc_handle, "shared-1");
    assert_int_equal(op->associated, 1);
    assert_int_equal(scene_stored(scene, ORP_STORE_QUEUE), 0);
    login(scene);
    assert_int_equal(scene_stored(scene, ORP_STORE_QUEUE), 1);
}

static void a_fresh_record_is_not_written_again(void **state)
{
    scene_t *scene = *state;
    const char *first;

    op_with_user(scene);
    login(scene);
    first = queue_says(scene, "used");
    scene_turn_clock(scene, ORP_BACKGROUND_IN_USE / 8 - 1);
    login(scene);
    assert_text(queue_says(scene, "used"), first);
    scene_turn_clock(scene, 1);
    login(scene);
    assert_string_not_equal(queue_says(scene, "used"), first);
    assert_int_equal(queued(scene, NULL), 1);
    assert_text(queue_says(scene, "site"), "www");
    assert_text(queue_says(scene, "endpoint"), OP);
    assert_text(queue_says(scene, "version"), "2");
}

static void the_queue_is_bounded(void **state)
{
    scene_t *scene = *state;
    int i, made = 0;

    for (i = 0; i < 100; i++) {
        want(scene, apr_psprintf(scene->pool, "https://op%d.example/", i));
    }
    assert_in_range(queued(scene, NULL), 50, ORP_BACKGROUND_WANTED);
    assert_int_equal(queued(scene, NULL) + scene_logged(scene, 123), 100);
    for (i = 0; i < 100; i++) {
        const char *endpoint = apr_psprintf(scene->pool,
                                            "https://op%d.example/", i);

        assert_in_range(queued(scene, endpoint), 0, 1);
        op_publish(op_at(scene, endpoint), endpoint, OP_SERVER_20, NULL);
    }
    for (i = 0; i < ORP_BACKGROUND_WANTED; i++) {
        made += run(scene).made;
    }
    assert_int_equal(made, queued(scene, NULL));
    /* the rest: no association, and a login all the same */
    for (i = 0; i < 100; i++) {
        const char *endpoint = apr_psprintf(scene->pool,
                                            "https://op%d.example/", i);
        visit_t *visit = login_of(scene, endpoint);

        assert_text(visit->login->assoc_handle,
                    queued(scene, endpoint) ? "shared-1" : NULL);
    }
}

/* The key of the first number at which an endpoint is looked for. */
static const char *first_key(scene_t *scene, const char *endpoint)
{
    const char *hash = orp_sha256_hex(endpoint, scene->pool);
    int number = orp_hex_digit(hash[0]) << 4 | orp_hex_digit(hash[1]);

    return apr_psprintf(scene->pool, "wanted %d",
                        number % ORP_BACKGROUND_WANTED);
}

static void an_endpoint_is_found_behind_a_number_that_became_free(
    void **state)
{
    scene_t *scene = *state;

    put(scene, first_key(scene, OP),
        "endpoint=https%3A%2F%2Fother.example%2F&version=2&site=&used=1",
        SECONDS(60));
    want(scene, OP);
    assert_int_equal(queued(scene, OP), 1);
    assert_int_equal(queued(scene, "https://other.example/"), 1);
    scene_turn_clock(scene, SECONDS(60));
    want(scene, OP);
    assert_int_equal(queued(scene, OP), 1);
    assert_int_equal(queued(scene, NULL), 1);
    assert_null(stored(scene, first_key(scene, OP)));
    scene_turn_clock(scene, ORP_BACKGROUND_IN_USE);
    want(scene, OP);
    assert_non_null(stored(scene, first_key(scene, OP)));
}

/* Somebody is just writing there: it could be our endpoint. */
static void what_is_being_written_is_left_alone(void **state)
{
    scene_t *scene = *state;

    put(scene, first_key(scene, OP), "", SECONDS(5));
    want(scene, OP);
    assert_int_equal(scene_logged(scene, 123), 1);
    assert_int_equal(scene_stored(scene, ORP_STORE_QUEUE), 1);
    assert_int_equal(run(scene).queued, 0);
    assert_int_equal(scene_stored(scene, ORP_STORE_QUEUE), 2);
    scene_turn_clock(scene, SECONDS(5));
    want(scene, OP);
    assert_int_equal(queued(scene, OP), 1);
    assert_int_equal(scene_logged(scene, 123), 1);
}

/* Another login is a moment earlier: at the same endpoint, or at one that
 * wants the same number. */
static const char *rival;

static apr_status_t claim_late(void *baton, orp_store_kind_e kind,
                               const char *key, apr_time_t expires,
                               apr_time_t now)
{
    scene_t *scene = baton;

    (void)expires;
    (void)now;
    assert_int_equal(kind, ORP_STORE_QUEUE);
    put(scene, key, rival, HOURS(1));
    scene->store.backend = scene->store.backend + 1;    /* only once */
    return ORP_EEXISTS;
}

static void who_loses_a_number_looks_again(void **state)
{
    static const char *const rivals[] = {
        "endpoint=https%3A%2F%2Fop.example%2F&version=2&site=&used=1",
        "endpoint=https%3A%2F%2Fother.example%2F&version=2&site=&used=1",
    };
    scene_t *scene = *state;
    orp_store_backend_t backends[2];
    int i;

    backends[1] = *scene->store.backend;
    backends[0] = backends[1];
    backends[0].claim = claim_late;
    for (i = 0; i < 2; i++) {
        rival = rivals[i];
        scene->store.backend = &backends[0];
        want(scene, OP);
        assert_ptr_equal(scene->store.backend, &backends[1]);
        assert_int_equal(queued(scene, OP), 1);
        assert_int_equal(queued(scene, NULL), 1 + i);
        assert_int_equal(scene_logged(scene, 123), 0);
        scene_turn_clock(scene, ORP_BACKGROUND_IN_USE);
    }
}

static void damaged_records_do_no_harm(void **state)
{
    static const char *const records[] = {
        "%", "endpoint=a", "endpoint=&version=2&site=&used=1",
        "version=2&site=&used=1", "endpoint=a&version=3&site=&used=1",
        "endpoint=a&version=0&site=&used=1",
        "endpoint=a&version=2&site=&used=-1", "endpoint=a&version=2&used=1",
    };
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    int i;

    for (i = 0; i < (int)COUNT(records); i++) {
        put(scene, apr_psprintf(scene->pool, "wanted %d", i), records[i],
            HOURS(24));
    }
    put(scene, apr_pstrcat(scene->pool, "state ",
                           orp_sha256_hex(OP, scene->pool), NULL),
        "next=x", HOURS(24));
    login(scene);
    assert_int_equal(run(scene).queued, 1);
    assert_int_equal(op->associated, 1);
    assert_int_equal(queued(scene, NULL), 1);
}

/* ---------------------------------------------------------------------- */
/* Renewal */

static void it_is_renewed_ahead_of_its_end_while_it_is_in_use(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    orp_background_result_t result;

    sign_in(scene, op);
    run(scene);
    scene_turn_clock(scene, SECONDS(2699));     /* of 3600 */
    assert_int_equal(asked_in_run(scene), 0);
    op->handle = "shared-2";
    scene_turn_clock(scene, SECONDS(1));
    result = run(scene);
    assert_int_equal(result.made, 1);
    assert_int_equal(op->associated, 2);
    assert_true(scene_log_contains(scene, "association renewed"));
    assert_text(login(scene)->login->assoc_handle, "shared-2");
}

static void how_far_ahead_depends_on_the_lifetime(void **state)
{
    static const struct {
        const char *lifetime;   /* as the provider says */
        int renewed;            /* after so many seconds */
    } cases[] = {
        { "1209600", 1209600 - 120960 }, { "86400", 86400 - 8640 },
        { "9000", 8100 }, { "3600", 2700 }, { "1800", 900 }, { "600", 300 },
        { "20", 10 }, { "2", 10 },      /* never sooner than that */
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(cases); i++) {
        const char *endpoint = apr_psprintf(scene->pool,
                                            "https://op%d.example/", (int)i);
        op_t *op = op_at(scene, endpoint);

        op_says(op, "expires_in", cases[i].lifetime);
        prove(scene, endpoint);
        assert_int_equal(run(scene).made, 1);
        scene_turn_clock(scene, SECONDS(cases[i].renewed) - 1);
        prove(scene, endpoint);
        assert_int_equal(run(scene).made, 0);
        scene_turn_clock(scene, 1);
        assert_int_equal(run(scene).made, 1);
        scene_turn_clock(scene, 2 * ORP_BACKGROUND_IN_USE);
    }
}

static void what_is_not_used_for_a_day_is_not_renewed(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);

    sign_in(scene, op);
    assert_int_equal(asked_within(scene, HOURS(23), HOURS(1)), 23);
    op->associated = 0;
    scene_turn_clock(scene, HOURS(1));
    assert_int_equal(run(scene).queued, 0);
    assert_int_equal(asked_within(scene, HOURS(48), HOURS(1)), 0);
    assert_text(login(scene)->login->assoc_handle, NULL);
    assert_int_equal(run(scene).made, 1);
}

static void logins_keep_it_fresh_for_days(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    int i;

    sign_in(scene, op);
    run(scene);
    for (i = 0; i < 3 * 24 * 4; i++) {
        scene_turn_clock(scene, HOURS(1) / 4);
        run(scene);
        if (i % 40 == 0) {      /* one login in ten hours */
            assert_text(login(scene)->login->assoc_handle, "shared-1");
        }
    }
}

static void one_that_was_called_off_is_made_anew(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);

    sign_in(scene, op);
    run(scene);
    scene_turn_clock(scene, SECONDS(60));
    assert_status(orp_assoc_forget(&scene->env, OP, "shared-1", scene->pool),
                  APR_SUCCESS);
    op->handle = "shared-2";
    assert_text(login(scene)->login->assoc_handle, NULL);
    assert_int_equal(op->associated, 1);
    assert_int_equal(run(scene).made, 1);
    assert_text(login(scene)->login->assoc_handle, "shared-2");
}

/* A provider that calls each of them off at once is not asked in each run. */
static void one_that_is_always_called_off_is_not_made_in_each_run(
    void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    int i, made = 0;

    sign_in(scene, op);
    for (i = 0; i < 60; i++) {
        login(scene);
        made += run(scene).made;
        assert_status(orp_assoc_forget(&scene->env, OP, "shared-1",
                                       scene->pool), APR_SUCCESS);
        scene_turn_clock(scene, SECONDS(1));
    }
    assert_int_equal(made, 6);
}

static void one_that_others_have_made_is_renewed_in_time(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);

    visit_begin(scene, USER);
    assert_int_equal(op->associated, 1);
    sign_in(scene, op);
    assert_int_equal(asked_in_run(scene), 0);
    scene_turn_clock(scene, SECONDS(2699));
    assert_int_equal(asked_in_run(scene), 0);
    scene_turn_clock(scene, SECONDS(1));
    assert_int_equal(asked_in_run(scene), 1);
}

static void a_login_of_version_1_wants_sha1(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);

    op_publish(op, "https://old.example/", OP_HTML_11, NULL);
    sign_in(scene, op);
    assert_int_equal(run(scene).made, 1);
    assert_int_equal(op->hash, ORP_SHA256);
    assert_text(login_of(scene, "https://old.example/")->login->assoc_handle,
                NULL);
    assert_int_equal(queued(scene, OP), 1);
    assert_text(queue_says(scene, "version"), "1");
    op->handle = "shared-2";
    scene_turn_clock(scene, SECONDS(10));
    assert_int_equal(run(scene).made, 1);
    assert_int_equal(op->hash, ORP_SHA1);
    assert_text(op_was_asked(op, "openid.ns"), NULL);
    assert_text(login_of(scene, "https://old.example/")->login->assoc_handle,
                "shared-2");
    assert_text(login(scene)->login->assoc_handle, "shared-2");
    /* and so it stays */
    scene_turn_clock(scene, HOURS(4));
    login(scene);
    assert_text(queue_says(scene, "version"), "1");
}

/* ---------------------------------------------------------------------- */
/* Providers that fail */

static void the_pauses_grow(void **state)
{
    static const int pauses[] = {
        30, 60, 120, 240, 480, 960, 1920, 3600, 3600
    };
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    orp_background_result_t result;
    size_t i;

    op->status = 500;
    op->body = "";
    login(scene);
    result = run(scene);
    assert_int_equal(result.failed, 1);
    assert_int_equal(result.made, 0);
    for (i = 0; i < COUNT(pauses); i++) {
        assert_true(scene_log_contains(scene, apr_psprintf(
            scene->pool, "Next try in %d s.", pauses[i])));
        login(scene);
        scene_turn_clock(scene, SECONDS(pauses[i]) - 1);
        assert_int_equal(asked_in_run(scene), 0);
        scene_turn_clock(scene, 1);
        assert_int_equal(asked_in_run(scene), 1);
        assert_int_equal(scene_logged(scene, 121), (int)i + 2);
    }
    assert_int_equal(scene_logged(scene, 120), 0);
}

static void a_provider_that_comes_back_is_as_new(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    visit_t *visit;

    sign_in(scene, op);
    op->status = 503;
    op->body = "";
    /* at once, and after 30, 90, 210 and 450 seconds */
    assert_int_equal(asked_within(scene, SECONDS(900), SECONDS(1)), 5);
    visit = login(scene);
    assert_text(visit->login->assoc_handle, NULL);
    op_is_honest(op);
    assert_int_equal(asked_within(scene, SECONDS(31), SECONDS(1)), 1);
    assert_text(login(scene)->login->assoc_handle, "shared-1");
    /* the next failure is a first one: it is asked again in 30 seconds */
    op->status = 503;
    op->body = "";
    scene_turn_clock(scene, SECONDS(2700));
    login(scene);
    assert_int_equal(asked_in_run(scene), 1);
    assert_text(login(scene)->login->assoc_handle, "shared-1");
    scene_turn_clock(scene, SECONDS(30));
    assert_int_equal(asked_in_run(scene), 1);
}

static void an_endpoint_without_a_server_fails_too(void **state)
{
    scene_t *scene = *state;

    scene_no_reply(scene, "POST", "https://gone.example/", ORP_ECONNECT);
    want(scene, "https://gone.example/");
    assert_int_equal(run(scene).failed, 1);
    assert_true(scene_log_contains(scene, "(unreachable)"));
}

static void that_a_provider_makes_none_is_remembered(void **state)
{
    static const int hours[] = { 1, 2, 4, 8, 16, 24, 24 };
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    size_t i;

    op->makes_none = 1;
    login(scene);
    assert_int_equal(run(scene).failed, 1);
    assert_int_equal(scene_logged(scene, 122), 1);
    for (i = 0; i < COUNT(hours); i++) {
        assert_true(orp_assoc_makes_none(&scene->env, OP, scene->pool));
        scene_turn_clock(scene, HOURS(hours[i]) - 1);
        assert_text(login(scene)->login->assoc_handle, NULL);
        assert_true(orp_assoc_makes_none(&scene->env, OP, scene->pool));
        op->associated = 0;
        run(scene);
        assert_int_equal(op->associated, 0);
        scene_turn_clock(scene, HOURS(1));
        login(scene);           /* wants one again */
        run(scene);
        assert_int_equal(op->associated, 2);    /* two types each */
    }
    op->status = 500;
    op->body = "";
    scene_turn_clock(scene, HOURS(24));
    login(scene);
    run(scene);
    assert_true(scene_log_contains(scene, "Next try in 30 s."));
    op_is_honest(op);
    op->makes_none = 0;
    scene_turn_clock(scene, SECONDS(30));
    assert_int_equal(run(scene).made, 1);
}

static void who_is_known_to_make_none_is_not_queued(void **state)
{
    scene_t *scene = *state;
    op_t *steam = op_at(scene, "https://steamcommunity.com/openid/login");

    orp_assoc_remember_none(&scene->env, OP, HOURS(1), scene->pool);
    op_with_user(scene);
    login(scene);
    op_publish(steam, "https://steamcommunity.com/openid", OP_SERVER_20,
               NULL);
    login_of(scene, "https://steamcommunity.com/openid");
    assert_int_equal(scene_stored(scene, ORP_STORE_QUEUE), 0);
    scene_turn_clock(scene, HOURS(1));
    login(scene);
    assert_int_equal(scene_stored(scene, ORP_STORE_QUEUE), 1);
}

/* ---------------------------------------------------------------------- */
/* Who runs */

static void one_of_several_runs(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    orp_background_result_t result;

    assert_int_equal(run_as(scene, "a").elsewhere, 0);
    login(scene);
    result = run_as(scene, "b");
    assert_int_equal(result.elsewhere, 1);
    assert_int_equal(result.queued, 0);
    assert_int_equal(op->associated, 0);
    assert_int_equal(scene_logged(scene, 124), 1);
    result = run_as(scene, "a");
    assert_int_equal(result.elsewhere, 0);
    assert_int_equal(result.made, 1);
    assert_int_equal(op->associated, 1);
}

static void each_run_prolongs_the_lease(void **state)
{
    scene_t *scene = *state;
    int i;

    for (i = 0; i < 5; i++) {
        run_as(scene, "a");
        scene_turn_clock(scene, SECONDS(60) - 1);
        assert_int_equal(run_as(scene, "b").elsewhere, 1);
    }
    scene_turn_clock(scene, 1);
    assert_int_equal(run_as(scene, "b").elsewhere, 0);
    assert_int_equal(run_as(scene, "a").elsewhere, 1);
}

static void who_leaves_gives_the_lease_back(void **state)
{
    scene_t *scene = *state;

    run_as(scene, "a");
    orp_background_leave(&scene->env, "b", scene->pool);
    assert_int_equal(run_as(scene, "b").elsewhere, 1);
    orp_background_leave(&scene->env, "a", scene->pool);
    assert_int_equal(run_as(scene, "b").elsewhere, 0);
    orp_background_leave(&scene->env, NULL, scene->pool);
    assert_int_equal(run_as(scene, "a").elsewhere, 1);
}

static void a_lease_without_a_name_is_somebody_elses(void **state)
{
    scene_t *scene = *state;

    put(scene, "lease", "", SECONDS(60));
    assert_int_equal(run_as(scene, NULL).elsewhere, 1);
    assert_int_equal(run_as(scene, "").elsewhere, 1);
    assert_int_equal(run_as(scene, "a").elsewhere, 1);
    scene_turn_clock(scene, SECONDS(60));
    assert_int_equal(run_as(scene, NULL).elsewhere, 0);
    assert_int_equal(run_as(scene, "a").elsewhere, 1);
}

/* A slow world: each exchange takes some seconds. */
static apr_interval_time_t slowness;
static int takes_the_lease;
static apr_status_t (*quick)(orp_http_response_t **presp,
                             const orp_http_client_t *client,
                             const orp_http_request_t *request,
                             orp_reason_t *why, apr_pool_t *pool);

static apr_status_t slow(orp_http_response_t **presp,
                         const orp_http_client_t *client,
                         const orp_http_request_t *request,
                         orp_reason_t *why, apr_pool_t *pool)
{
    scene_t *scene = (scene_t *)((char *)client - offsetof(scene_t, http));

    scene_turn_clock(scene, slowness);
    if (takes_the_lease) {
        put(scene, "lease", "b", SECONDS(60));
    }
    return quick(presp, client, request, why, pool);
}

static void slow_down(scene_t *scene, apr_interval_time_t by, int taken)
{
    slowness = by;
    takes_the_lease = taken;
    quick = scene->http.exchange;
    scene->http.exchange = slow;
}

static void the_lease_is_prolonged_before_each_request(void **state)
{
    scene_t *scene = *state;
    int i;

    for (i = 0; i < 5; i++) {
        const char *endpoint = apr_psprintf(scene->pool,
                                            "https://op%d.example/", i);

        op_at(scene, endpoint);
        prove(scene, endpoint);
    }
    slow_down(scene, SECONDS(50), 0);
    assert_int_equal(run_as(scene, "a").made, 5);
    assert_int_equal(run_as(scene, "b").elsewhere, 1);
}

/* The first request takes longer than a lease, and somebody else takes it. */
static void who_has_lost_the_lease_asks_nobody(void **state)
{
    scene_t *scene = *state;
    orp_background_result_t result;
    int i;

    for (i = 0; i < 5; i++) {
        const char *endpoint = apr_psprintf(scene->pool,
                                            "https://op%d.example/", i);

        op_at(scene, endpoint);
        prove(scene, endpoint);
    }
    slow_down(scene, SECONDS(61), 1);
    result = run_as(scene, "a");
    assert_int_equal(result.made, 1);
    assert_int_equal(scene_requests(scene), 1);
    assert_int_equal(scene_logged(scene, 124), 1);
    assert_int_equal(run_as(scene, "a").elsewhere, 1);
    scene->http.exchange = quick;
    assert_int_equal(run_as(scene, "b").made, 4);
}

static int stop_after;

static int stopped(void *baton)
{
    (void)baton;
    return stop_after-- <= 0;
}

static void who_is_told_to_stop_asks_nobody_else(void **state)
{
    scene_t *scene = *state;
    orp_background_t job = { .holder = "a", .stopped = stopped };
    int i;

    for (i = 0; i < 5; i++) {
        const char *endpoint = apr_psprintf(scene->pool,
                                            "https://op%d.example/", i);

        op_at(scene, endpoint);
        prove(scene, endpoint);
    }
    stop_after = 0;
    assert_int_equal(run_job(scene, &job).made, 0);
    assert_int_equal(scene_requests(scene), 0);
    stop_after = 2;
    assert_int_equal(run_job(scene, &job).made, 2);
    assert_int_equal(scene_requests(scene), 2);
    assert_int_equal(run_as(scene, "a").made, 3);
}

typedef struct {
    scene_t *scene;
    const char *text;           /* what was reported */
    const orp_env_t *env;
    const char *site;
} told_t;

static void report(void *baton, const char *endpoint, apr_status_t status,
                   const orp_reason_t *why, apr_interval_time_t took)
{
    told_t *told = baton;

    told->text = apr_psprintf(told->scene->pool, "%s%s %s %s %d\n",
                              told->text, endpoint, orp_status_code(status),
                              why ? "because" : "-",
                              (int)apr_time_as_msec(took));
    assert_true(!why || (why->status == status && *why->sentence));
}

static void each_endpoint_that_was_asked_is_reported(void **state)
{
    scene_t *scene = *state;
    told_t told = { .scene = scene, .text = "" };
    orp_background_t job = { .holder = "a", .report = report,
                             .baton = &told };
    op_t *op = op_at(scene, OP);

    prove(scene, OP);
    slow_down(scene, 1234567, 0);
    run_job(scene, &job);
    run_job(scene, &job);
    assert_text(told.text, OP " ok - 1234\n");
    assert_true(scene_log_contains(scene, "waited 1234 ms"));
    told.text = "";
    op->status = 500;
    op->body = "";
    scene_turn_clock(scene, HOURS(1));
    run_job(scene, &job);
    assert_text(told.text, OP " association-failed because 1234\n");
}

static const orp_env_t *env_of(void *baton, const char *site)
{
    told_t *told = baton;

    told->site = site;
    return told->env;
}

static void the_fetch_is_made_with_the_sites_settings(void **state)
{
    scene_t *scene = *state;
    told_t told = { .scene = scene };
    orp_background_t job = { .env_of = env_of, .baton = &told };
    orp_env_t other = scene->env;
    orp_http_client_t refusing = scene->http;

    sign_in(scene, op_with_user(scene));
    refusing.require_tls = 1;
    other.http = &refusing;
    told.env = &other;
    op_at(scene, "http://plain.example/");
    prove(scene, "http://plain.example/");
    other.http = &scene->http;
    other.log = NULL;
    assert_int_equal(run_job(scene, &job).made, 2);
    assert_int_equal(scene_logged(scene, 120), 0);      /* not its log */
    told.env = NULL;            /* nobody knows the site: the run's own */
    scene_turn_clock(scene, HOURS(1));
    assert_int_equal(run_job(scene, &job).made, 2);
    assert_int_equal(scene_logged(scene, 120), 2);
    assert_non_null(told.site);
}

/* ---------------------------------------------------------------------- */
/* Strangers: endpoints by which nobody has signed in */

/* The index-th of those that are looked for at the same numbers as OP. */
static const char *neighbour(scene_t *scene, int index)
{
    const char *key = first_key(scene, OP);
    int i;

    for (i = 0;; i++) {
        const char *endpoint = apr_psprintf(scene->pool,
                                            "https://at%d.example/", i);

        if (!strcmp(first_key(scene, endpoint), key) && index-- == 0) {
            return endpoint;
        }
    }
}

static apr_status_t no_answer(scene_t *scene, const sent_t *request,
                              orp_http_response_t *response, void *baton)
{
    (void)scene;
    (void)request;
    (void)response;
    (void)baton;
    return ORP_ETIMEOUT;
}

/* All numbers at which OP is looked for get taken, one in a minute. */
static void crowd(scene_t *scene, void (*come)(scene_t *, const char *))
{
    int i;

    for (i = 0; i < 8; i++) {
        come(scene, neighbour(scene, i));
        scene_turn_clock(scene, SECONDS(60));
    }
    assert_int_equal(queued(scene, NULL), 8);
}

static void who_has_signed_in_is_proven(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    visit_t *visit = login(scene);
    orp_params_t *answer = op_answer(op, visit);
    orp_reason_t *why;

    assert_text(queue_says(scene, "proven"), NULL);
    op->status = 500;           /* it does not say that the answer is its */
    assert_null(visit_complete(visit, answer, &why));
    op_is_honest(op);
    assert_text(queue_says(scene, "proven"), NULL);
    sign_in(scene, op);
    assert_text(queue_says(scene, "proven"), "1");
    assert_text(queue_says(scene, "site"), "www");
    assert_int_equal(queued(scene, NULL), 1);
    /* also where the first one had found no room */
    scene_turn_clock(scene, ORP_BACKGROUND_IN_USE);
    visit = login(scene);
    scene_turn_clock(scene, SECONDS(1));
    assert_status(orp_wanted_remove(&scene->env, atoi(first_key(scene, OP)
                                                      + 7), scene->pool),
                  APR_SUCCESS);
    assert_int_equal(queued(scene, NULL), 0);
    assert_accepted(visit, op_answer(op, visit));
    assert_text(queue_says(scene, "proven"), "1");
    assert_text(queue_says(scene, "site"), "www");
}

static void in_other_modes_nothing_is_proven(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    visit_t *visit = visit_begin(scene, USER);

    assert_accepted(visit, op_answer(op, visit));
    assert_int_equal(scene_stored(scene, ORP_STORE_QUEUE), 0);
    scene_turn_clock(scene, HOURS(2));
    sign_in(scene, op);
    assert_text(queue_says(scene, "proven"), "1");
}

static void who_makes_no_associations_is_not_proven(void **state)
{
    static const char steam[] = "https://steamcommunity.com/openid";
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    const char *id = apr_pstrcat(scene->pool, steam, "/id/76561197960435530",
                                 NULL);
    visit_t *visit;

    orp_assoc_remember_none(&scene->env, OP, HOURS(1), scene->pool);
    sign_in(scene, op);
    assert_int_equal(scene_stored(scene, ORP_STORE_QUEUE), 0);
    scene_turn_clock(scene, HOURS(1));
    sign_in(scene, op);
    assert_text(queue_says(scene, "proven"), "1");
    scene_turn_clock(scene, 2 * ORP_BACKGROUND_IN_USE);
    op = op_at(scene, apr_pstrcat(scene->pool, steam, "/login", NULL));
    op_publish(op, steam, OP_SERVER_20, NULL);
    op_publish(op, id, OP_SIGNON_20, NULL);
    visit = login_of(scene, steam);
    assert_accepted(visit, op_answer_about(op, visit, id, id));
    assert_int_equal(queued(scene, NULL), 0);
}

static int written;
static apr_status_t (*real_put)(void *baton, orp_store_kind_e kind,
                                const char *key, const void *value,
                                apr_size_t size, apr_time_t expires,
                                apr_time_t now);

static apr_status_t count_put(void *baton, orp_store_kind_e kind,
                              const char *key, const void *value,
                              apr_size_t size, apr_time_t expires,
                              apr_time_t now)
{
    written += kind == ORP_STORE_QUEUE;
    return real_put(baton, kind, key, value, size, expires, now);
}

static void what_is_proven_stays_so_and_is_written_once(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    orp_store_backend_t counting = *scene->store.backend;
    visit_t *visit;

    op_publish(op, "https://old.example/", OP_HTML_11, NULL);
    real_put = counting.put;
    counting.put = count_put;
    scene->store.backend = &counting;
    written = 0;
    visit = login(scene);
    assert_int_equal(written, 1);
    assert_accepted(visit, op_answer(op, visit));
    assert_int_equal(written, 2);
    sign_in(scene, op);
    sign_in(scene, op);
    assert_int_equal(written, 2);
    scene_turn_clock(scene, ORP_BACKGROUND_IN_USE / 8);
    visit = login(scene);
    assert_int_equal(written, 3);
    assert_text(queue_says(scene, "proven"), "1");
    assert_accepted(visit, op_answer(op, visit));
    login_of(scene, "https://old.example/");
    assert_int_equal(written, 4);
    assert_text(queue_says(scene, "version"), "1");
    assert_text(queue_says(scene, "proven"), "1");
    /* and what is not, is not by growing old */
    scene_turn_clock(scene, ORP_BACKGROUND_IN_USE);
    login(scene);
    scene_turn_clock(scene, ORP_BACKGROUND_IN_USE / 8);
    login(scene);
    assert_text(queue_says(scene, "proven"), NULL);
}

static void who_is_proven_takes_the_place_of_a_stranger(void **state)
{
    scene_t *scene = *state;

    crowd(scene, want);
    prove(scene, neighbour(scene, 0));      /* the oldest, but proven */
    want(scene, OP);
    assert_int_equal(queued(scene, OP), 0);
    assert_int_equal(scene_logged(scene, 123), 1);
    prove(scene, OP);
    assert_int_equal(queued(scene, OP), 1);
    assert_int_equal(queued(scene, neighbour(scene, 0)), 1);
    assert_int_equal(queued(scene, neighbour(scene, 1)), 0);
    assert_int_equal(queued(scene, NULL), 8);
    prove(scene, OP);
    want(scene, OP);
    assert_int_equal(queued(scene, OP), 1);
    assert_int_equal(queued(scene, NULL), 8);
    /* who has lost its place does not get it back by that */
    want(scene, neighbour(scene, 1));
    assert_int_equal(queued(scene, neighbour(scene, 1)), 0);
}

static void a_hundred_strangers_do_not_keep_a_provider_out(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    orp_background_result_t result;
    int i;

    for (i = 0; i < 400; i++) {
        const char *endpoint = apr_psprintf(scene->pool,
                                            "https://x%d.example/", i);

        scene_answer(scene, "POST", endpoint, no_answer, NULL);
        want(scene, endpoint);
    }
    assert_int_equal(queued(scene, NULL), ORP_BACKGROUND_WANTED);
    assert_text(login(scene)->login->assoc_handle, NULL);
    assert_int_equal(queued(scene, OP), 0);
    sign_in(scene, op);
    assert_int_equal(queued(scene, OP), 1);
    result = run(scene);
    assert_int_equal(result.queued, ORP_BACKGROUND_WANTED);
    assert_int_equal(op->associated, 1);
    assert_text(login(scene)->login->assoc_handle, "shared-1");
}

static void among_the_proven_the_oldest_goes_after_an_hour(void **state)
{
    scene_t *scene = *state;

    crowd(scene, prove);
    scene_turn_clock(scene, HOURS(1) - SECONDS(8 * 60));
    prove(scene, OP);           /* the oldest: an hour ago, not more */
    assert_int_equal(queued(scene, OP), 0);
    assert_int_equal(refused_at(scene, ORP_LOG_INFO), 1);
    assert_int_equal(refused_at(scene, ORP_LOG_DEBUG), 0);
    scene_turn_clock(scene, 1);
    want(scene, OP);            /* never for a stranger */
    assert_int_equal(queued(scene, OP), 0);
    assert_int_equal(refused_at(scene, ORP_LOG_INFO), 1);
    assert_int_equal(refused_at(scene, ORP_LOG_DEBUG), 1);
    prove(scene, OP);
    assert_int_equal(queued(scene, OP), 1);
    assert_int_equal(queued(scene, neighbour(scene, 0)), 0);
    assert_int_equal(queued(scene, neighbour(scene, 1)), 1);
    assert_int_equal(queued(scene, NULL), 8);
}

static void strangers_are_asked_once(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);

    op_says(op, "expires_in", "80000");
    login(scene);
    assert_int_equal(asked_in_run(scene), 1);
    assert_int_equal(asked_within(scene, SECONDS(79000), SECONDS(1000)), 0);
    sign_in(scene, op);         /* now it is renewed, and it was high time */
    assert_int_equal(asked_in_run(scene), 1);
}

static void a_strangers_association_is_made_anew_after_an_hour(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);

    op_says(op, "expires_in", "1");
    login(scene);
    assert_int_equal(asked_in_run(scene), 1);
    assert_int_equal(asked_within(scene, SECONDS(3590), SECONDS(10)), 0);
    scene_turn_clock(scene, SECONDS(9));
    assert_int_equal(asked_in_run(scene), 0);
    scene_turn_clock(scene, SECONDS(1));
    assert_int_equal(asked_in_run(scene), 1);
    /* control: one that is proven */
    scene_turn_clock(scene, SECONDS(60));
    sign_in(scene, op);
    assert_int_equal(asked_within(scene, SECONDS(60), SECONDS(1)), 6);
}

/* Its association is good still, so it is worth its place. */
static void who_makes_none_any_more_is_proven_by_the_last_one(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);

    login(scene);
    run(scene);
    orp_assoc_remember_none(&scene->env, OP, HOURS(1), scene->pool);
    sign_in(scene, op);
    assert_text(queue_says(scene, "proven"), "1");
}

/* Which of them are asked in a run, and in which order. */
static void few_strangers_are_asked_in_a_run_and_the_proven_first(
    void **state)
{
    scene_t *scene = *state;
    told_t told = { .scene = scene, .text = "" };
    orp_background_t job = { .holder = "a", .report = report,
                             .baton = &told };
    const char *last = neighbour(scene, 7);
    orp_background_result_t result;
    int i;

    for (i = 0; i < 8; i++) {
        scene_answer(scene, "POST", neighbour(scene, i), no_answer, NULL);
        want(scene, neighbour(scene, i));
    }
    prove(scene, last);
    result = run_job(scene, &job);
    assert_int_equal(result.queued, 8);
    assert_int_equal(result.failed, 1 + ORP_BACKGROUND_STRANGERS);
    assert_ptr_equal(strstr(told.text, last), told.text);
    result = run_job(scene, &job);
    assert_int_equal(result.failed, 7 - ORP_BACKGROUND_STRANGERS);
    assert_int_equal(run_job(scene, &job).failed, 0);
    /* those that are proven are not counted */
    scene_turn_clock(scene, HOURS(1));
    for (i = 0; i < 8; i++) {
        prove(scene, neighbour(scene, i));
    }
    assert_int_equal(run_job(scene, &job).failed, 8);
}

/* ---------------------------------------------------------------------- */
/* A store that fails */

static void a_store_that_fails_leaves_the_login_stateless(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    orp_background_t job = { .holder = "a" };
    orp_background_result_t result;
    visit_t *visit;

    scene_store_fails(scene, ORP_STORE_QUEUE, ORP_ESTORE);
    visit = login(scene);
    assert_text(visit->login->assoc_handle, NULL);
    assert_int_equal(scene_logged(scene, 125), 1);
    assert_accepted(visit, op_answer(op, visit));
    memset(&result, 'x', sizeof(result));
    assert_status(orp_background_run(&result, &scene->env, &job,
                                     scene->pool), ORP_ESTORE);
    assert_int_equal(result.made, 0);
    orp_background_leave(&scene->env, "a", scene->pool);
    scene_store_fails(scene, ORP_STORE_QUEUE, APR_SUCCESS);
    login(scene);
    assert_int_equal(run(scene).made, 1);
}

static void a_store_without_room_leaves_the_login_stateless(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);
    orp_background_t job = { .holder = "me" };
    orp_background_result_t result;

    scene_store_fails(scene, ORP_STORE_QUEUE, ORP_EFULL);
    assert_text(login(scene)->login->assoc_handle, NULL);
    assert_int_equal(scene_logged(scene, 123), 1);
    scene_store_fails(scene, ORP_STORE_QUEUE, APR_SUCCESS);
    run(scene);                 /* has the lease */
    login(scene);
    /* nobody is asked where that could not be remembered */
    scene_store_fails(scene, ORP_STORE_QUEUE, ORP_EFULL);
    assert_status(orp_background_run(&result, &scene->env, &job,
                                     scene->pool), ORP_ESTORE);
    assert_int_equal(op->associated, 0);
    assert_int_equal(scene_logged(scene, 125), 1);
    scene_store_fails(scene, ORP_STORE_QUEUE, APR_SUCCESS);
    assert_int_equal(run(scene).made, 1);
}

static void one_that_cannot_be_kept_is_a_failure(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_with_user(scene);

    login(scene);
    scene_store_fails(scene, ORP_STORE_ASSOCIATION, ORP_EFULL);
    assert_int_equal(run(scene).failed, 1);
    assert_true(scene_log_contains(scene, "(store-full)"));
    assert_int_equal(asked_in_run(scene), 0);
    scene_store_fails(scene, ORP_STORE_ASSOCIATION, APR_SUCCESS);
    scene_turn_clock(scene, SECONDS(30));
    assert_int_equal(run(scene).made, 1);
    assert_int_equal(op->associated, 2);
}

/* The record is there before the request is: who is killed by an answer is
 * not killed by it again and again. */
static apr_status_t look_at_state(scene_t *scene, const sent_t *request,
                                  orp_http_response_t *response, void *baton)
{
    const char **pstate = baton;

    (void)request;
    (void)response;
    *pstate = stored(scene, apr_pstrcat(scene->pool, "state ",
                                        orp_sha256_hex(OP, scene->pool),
                                        NULL));
    return ORP_ETIMEOUT;
}

static void a_failure_is_written_down_before_it_happens(void **state)
{
    scene_t *scene = *state;
    const char *seen = NULL;

    scene_answer(scene, "POST", OP, look_at_state, &seen);
    want(scene, OP);
    run(scene);
    assert_non_null(seen);
    assert_non_null(strstr(seen, "failures=1"));
}

static void an_empty_run_is_cheap(void **state)
{
    scene_t *scene = *state;

    run(scene);
    scene->store_calls = 0;
    run(scene);
    assert_in_range(scene->store_calls, 1, ORP_BACKGROUND_WANTED + 2);
}

/* ---------------------------------------------------------------------- */
/* Several processes on one store, which here is a dbm */

#define PROCESSES 4
#define ENDPOINTS 24

static apr_time_t real_now(void *baton)
{
    (void)baton;
    return apr_time_now();
}

/* The scene, with a store of this process's own. @return nonzero: it has */
static int open_store(scene_t *scene, const char *path)
{
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_store_place_t *place;

    if (orp_store_place_parse(&place, apr_pstrcat(scene->pool, "dbm:", path,
                                                  "?size=2M", NULL), why,
                              scene->pool) != APR_SUCCESS
        || orp_store_open(&scene->env.store, place, &scene->env, why,
                          scene->pool) != APR_SUCCESS) {
        print_error("%s\n", why->sentence);
        return 0;
    }
    scene->env.now = real_now;
    return 1;
}

static const char *endpoint_of(scene_t *scene, int i)
{
    return apr_psprintf(scene->pool, "https://op%d.example/", i);
}

/* One process: queues them all, then wants to run, and asks nobody.
 * @return what it exits with: 0 where it has the lease */
static int one_process(scene_t *scene, const char *path)
{
    orp_background_t job = {
        .holder = apr_psprintf(scene->pool, "%ld", (long)getpid()),
        .stopped = stopped
    };
    orp_background_result_t result;
    int i;

    if (!open_store(scene, path)) {
        return 2;
    }
    for (i = 0; i < ENDPOINTS; i++) {
        want(scene, endpoint_of(scene, i));
    }
    stop_after = 0;
    if (orp_background_run(&result, &scene->env, &job, scene->pool)
        != APR_SUCCESS) {
        return 2;
    }
    return result.elsewhere;
}

/* How often is the index-th endpoint in the queue? */
static int times_queued(scene_t *scene, int index)
{
    int number, count = 0;

    for (number = 0; number < ORP_BACKGROUND_WANTED; number++) {
        orp_wanted_t wanted;

        count += orp_wanted_get(&wanted, &scene->env, number, scene->pool)
            == APR_SUCCESS
            && !strcmp(wanted.endpoint, endpoint_of(scene, index));
    }
    return count;
}

static void in_many_processes_each_is_queued_once_and_one_runs(void **state)
{
    scene_t *scene = *state;
    char *folder = apr_psprintf(scene->pool, "%s/orp-XXXXXX",
                                getenv("TMPDIR") ? getenv("TMPDIR")
                                : "/tmp");
    pid_t pids[PROCESSES];
    const char *path;
    int i, code, leased = 0;

    assert_non_null(mkdtemp(folder));
    path = apr_pstrcat(scene->pool, folder, "/store", NULL);
    for (i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            _exit(one_process(scene, path));
        }
        assert_true(pids[i] > 0);
    }
    for (i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(pids[i], &code, 0), pids[i]);
        assert_true(WIFEXITED(code));
        assert_in_range(WEXITSTATUS(code), 0, 1);
        leased += WEXITSTATUS(code) == 0;
    }
    assert_int_equal(leased, 1);
    assert_true(open_store(scene, path));
    for (i = 0; i < ENDPOINTS; i++) {
        /* who met another's writing has left it to the next login */
        assert_in_range(times_queued(scene, i), 0, 1);
        want(scene, endpoint_of(scene, i));
        assert_int_equal(times_queued(scene, i), 1);
    }
    assert_int_equal(system(apr_pstrcat(scene->pool, "rm -r ", folder,
                                        NULL)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_login_waits_for_no_association),
        scene_test(a_run_makes_it_and_the_next_login_uses_it),
        scene_test(other_modes_queue_nothing),
        scene_test(a_fresh_record_is_not_written_again),
        scene_test(the_queue_is_bounded),
        scene_test(an_endpoint_is_found_behind_a_number_that_became_free),
        scene_test(what_is_being_written_is_left_alone),
        scene_test(who_loses_a_number_looks_again),
        scene_test(damaged_records_do_no_harm),
        scene_test(it_is_renewed_ahead_of_its_end_while_it_is_in_use),
        scene_test(how_far_ahead_depends_on_the_lifetime),
        scene_test(what_is_not_used_for_a_day_is_not_renewed),
        scene_test(logins_keep_it_fresh_for_days),
        scene_test(one_that_was_called_off_is_made_anew),
        scene_test(one_that_is_always_called_off_is_not_made_in_each_run),
        scene_test(one_that_others_have_made_is_renewed_in_time),
        scene_test(a_login_of_version_1_wants_sha1),
        scene_test(the_pauses_grow),
        scene_test(a_provider_that_comes_back_is_as_new),
        scene_test(an_endpoint_without_a_server_fails_too),
        scene_test(that_a_provider_makes_none_is_remembered),
        scene_test(who_is_known_to_make_none_is_not_queued),
        scene_test(one_of_several_runs),
        scene_test(each_run_prolongs_the_lease),
        scene_test(who_leaves_gives_the_lease_back),
        scene_test(a_lease_without_a_name_is_somebody_elses),
        scene_test(the_lease_is_prolonged_before_each_request),
        scene_test(who_has_lost_the_lease_asks_nobody),
        scene_test(who_is_told_to_stop_asks_nobody_else),
        scene_test(each_endpoint_that_was_asked_is_reported),
        scene_test(the_fetch_is_made_with_the_sites_settings),
        scene_test(who_has_signed_in_is_proven),
        scene_test(in_other_modes_nothing_is_proven),
        scene_test(who_makes_no_associations_is_not_proven),
        scene_test(what_is_proven_stays_so_and_is_written_once),
        scene_test(who_is_proven_takes_the_place_of_a_stranger),
        scene_test(a_hundred_strangers_do_not_keep_a_provider_out),
        scene_test(among_the_proven_the_oldest_goes_after_an_hour),
        scene_test(strangers_are_asked_once),
        scene_test(a_strangers_association_is_made_anew_after_an_hour),
        scene_test(who_makes_none_any_more_is_proven_by_the_last_one),
        scene_test(few_strangers_are_asked_in_a_run_and_the_proven_first),
        scene_test(a_store_that_fails_leaves_the_login_stateless),
        scene_test(a_store_without_room_leaves_the_login_stateless),
        scene_test(one_that_cannot_be_kept_is_a_failure),
        scene_test(a_failure_is_written_down_before_it_happens),
        scene_test(an_empty_run_is_cheap),
        scene_test(in_many_processes_each_is_queued_once_and_one_runs),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("background", tests, NULL, NULL);
}
