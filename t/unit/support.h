/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* support.h - a world for one unit test.
 *
 * A scene is an orp_env_t whose every part the test holds in its hand: other
 * servers say what a script has them say, the clock stands until it is
 * turned, chance repeats itself, the log and the requests can be read, and
 * the store can be told to fail. A test program looks like this:
 *
 *     static void a_page_is_fetched(void **state)
 *     {
 *         scene_t *scene = *state;
 *
 *         scene_page(scene, "https://a.example/", "text/html", "<p>");
 *         … orp_http_get(&response, &scene->env, …) …
 *         assert_int_equal(scene_requests(scene), 1);
 *     }
 *
 *     const struct CMUnitTest tests[] = {
 *         scene_test(a_page_is_fetched),
 *     };
 *
 * A request that no script foresees gets ORP_ECONNECT, and makes the test
 * fail when its scene is torn down.
 */
#ifndef ORP_TEST_SUPPORT_H
#define ORP_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include "orp_env.h"
#include "orp_http.h"
#include "orp_params.h"
#include "orp_store.h"

/** What the clock of every scene shows at first. */
#define SCENE_TIME_TEXT "2026-01-15T12:00:00Z"
#define SCENE_TIME apr_time_from_sec(APR_INT64_C(1768478400))

/** How long one fetch may take in a scene, in microseconds. */
#define SCENE_TIMEOUT apr_time_from_sec(10)

typedef struct scene_t scene_t;

/** One request that the code under test has made. */
typedef struct sent_t {
    const char *method;         /* "GET" or "POST" */
    const char *url;
    const char *accept;         /* or NULL */
    const char *form;           /* body of a POST, or NULL */
    apr_time_t deadline;
    apr_time_t when;            /* what the clock showed */
} sent_t;

/** One line of the log. */
typedef struct logged_t {
    orp_log_level_e level;
    int number;
    const char *line;
} logged_t;

/**
 * Answer one request: fill in the response (all "" and NULL, status 200).
 * @return what the client returns, APR_SUCCESS where it has a response
 */
typedef apr_status_t scene_answer_fn(scene_t *scene, const sent_t *request,
                                     orp_http_response_t *response,
                                     void *baton);

struct scene_t {
    apr_pool_t *pool;           /* lives as long as the scene */
    orp_env_t env;              /* what the code under test is given */
    orp_http_client_t http;     /* timeout and require_tls may be changed */
    orp_store_t store;          /* in memory; see scene_store_fails() */
    apr_time_t now;             /* see scene_turn_clock() */

    apr_status_t random_status; /* not APR_SUCCESS: chance fails so */
    const unsigned char *random_next;   /* what comes before the sequence */
    apr_size_t random_left;     /* how many bytes of it there are */
    apr_uint64_t random_state;

    apr_array_header_t *script; /* of scripted_t, see support.c */
    apr_array_header_t *sent;   /* of sent_t */
    apr_array_header_t *log;    /* of logged_t */
    int unforeseen;             /* requests that no script foresaw */

    apr_array_header_t *records;    /* of record_t, see support.c */
    apr_status_t store_status[ORP_STORE_KINDS];
    int store_calls;            /* how often the store was used */
};

/* ---------------------------------------------------------------------- */
/* Beginning and end */

/** A cmocka test in a scene of its own, which it finds in *state. */
#define scene_test(f) \
    cmocka_unit_test_setup_teardown(f, scene_setup, scene_teardown)

int scene_setup(void **state);

/** Fails where a request was made that no script foresaw. */
int scene_teardown(void **state);

/* ---------------------------------------------------------------------- */
/* Other servers. Each line of the script answers one request, the first of
 * that method and URL that is not used up. */

/** Answer with a status, a media type ("" for none) and a text. */
orp_http_response_t *scene_reply(scene_t *scene, const char *method,
                                 const char *url, int status,
                                 const char *type, const char *body);

/**
 * GET: 200. @return the response, for headers that are to be added, such as
 * xrds_location; it may be changed until it is asked for
 */
orp_http_response_t *scene_page(scene_t *scene, const char *url,
                                const char *type, const char *body);

/** GET: a redirect. */
void scene_redirect(scene_t *scene, const char *url, int status,
                    const char *location);

/** The exchange fails with a status such as ORP_ETIMEOUT. */
void scene_no_reply(scene_t *scene, const char *method, const char *url,
                    apr_status_t status);

/** A function answers, as often as it is asked. */
void scene_answer(scene_t *scene, const char *method, const char *url,
                  scene_answer_fn *answer, void *baton);

/** How many requests were made. */
int scene_requests(const scene_t *scene);

/** The index-th request, counted from 0; the test fails if there is none. */
const sent_t *scene_request(const scene_t *scene, int index);

/** How many lines of the script were never asked for (answers aside). */
int scene_unused(const scene_t *scene);

/* ---------------------------------------------------------------------- */
/* Clock, chance, log, store */

void scene_turn_clock(scene_t *scene, apr_interval_time_t by);

/** The next random bytes are these; the usual sequence follows. */
void scene_next_random(scene_t *scene, const void *bytes, apr_size_t size);

/** How often was the line O2RP-number logged? */
int scene_logged(const scene_t *scene, int number);

/** Does any line of the log contain this text? */
int scene_log_contains(const scene_t *scene, const char *text);

/**
 * Make the store fail, or work again.
 * @param kind    or ORP_STORE_KINDS for all of them
 * @param status  what every call returns; ORP_EFULL is returned by put and
 *                claim only; APR_SUCCESS ends it
 */
void scene_store_fails(scene_t *scene, orp_store_kind_e kind,
                       apr_status_t status);

/** How many live records of this kind there are. What orp_login_question()
 * counts is none. */
int scene_stored(const scene_t *scene, orp_store_kind_e kind);

/* ---------------------------------------------------------------------- */
/* Small things */

/** A list of names and values, ended by NULL. */
orp_params_t *params_of(apr_pool_t *pool, ...) __attribute__((sentinel));

/** How many members an array has. */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** The bytes of a hexadecimal text, and how many they are. */
unsigned char *unhex(apr_size_t *psize, const char *hex, apr_pool_t *pool);

/** text, count times. */
const char *repeated(const char *text, int count, apr_pool_t *pool);

/** Fails with the names of the statuses rather than with numbers. */
#define assert_status(actual, expected) \
    assert_status_at((actual), (expected), __FILE__, __LINE__)

void assert_status_at(apr_status_t actual, apr_status_t expected,
                      const char *file, int line);

/** Equal, where either may be NULL. */
#define assert_text(actual, expected) \
    assert_text_at((actual), (expected), __FILE__, __LINE__)

void assert_text_at(const char *actual, const char *expected,
                    const char *file, int line);

#endif
