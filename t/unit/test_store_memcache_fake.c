/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_store_memcache_fake.c - servers that are no memcached, or say what a
 * real one cannot be made to say.
 */

#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>

#include "orp_store_open.h"

#define OPENED 301
#define NOW apr_time_from_sec(1000)
#define LATER apr_time_from_sec(2000)

/* Half a second for each operation; the rest is a busy machine. */
#define AT_ONCE apr_time_from_sec(5)

/* A text that stands for what does not end. */
static const char endless[] = "(endless)";
static const char drip[] = "(a byte now and then)";
static const char nothing[] = "(nothing)";

/* Says this once for each connection, and hangs up when asked again. */
static const char once[] = "STORED\r\n";

typedef struct impostor_t {
    int listener;
    pid_t pid;
} impostor_t;

static apr_status_t end_impostor(void *baton)
{
    impostor_t *impostor = baton;

    kill(impostor->pid, SIGKILL);
    waitpid(impostor->pid, NULL, 0);
    close(impostor->listener);
    return APR_SUCCESS;
}

static int say(int s, const char *text)
{
    return send(s, text, strlen(text), MSG_NOSIGNAL) > 0;
}

static void answer(int s, const char *text)
{
    if (text == endless) {
        while (say(s, "VALUE VALUE VALUE VALUE VALUE VALUE VALUE VALUE ")) {
            continue;
        }
    }
    else if (text == drip) {
        while (say(s, "V")) {
            usleep(100 * 1000);
        }
    }
    else if (text != nothing) {
        say(s, text);
    }
}

/* In the child: one connection after the other, whatever is asked. */
static void pretend(int listener, const char *text)
{
    for (;;) {
        char bytes[65536];
        int s = accept(listener, NULL, NULL);

        if (s < 0) {
            _exit(1);
        }
        while (text && recv(s, bytes, sizeof(bytes), 0) > 0) {
            answer(s, text);
            if (text == once) {
                recv(s, bytes, sizeof(bytes), 0);
                break;
            }
        }
        close(s);
    }
}

/* @param text  NULL: it hangs up */
static orp_store_t *store_at(scene_t *scene, const char *text)
{
    impostor_t *impostor = apr_pcalloc(scene->pool, sizeof(*impostor));
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_store_place_t *place;
    orp_store_t *store;
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    pid_t parent = getpid();

    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    impostor->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(impostor->listener, (struct sockaddr *)&address,
                          size), 0);
    assert_int_equal(listen(impostor->listener, 16), 0);
    getsockname(impostor->listener, (struct sockaddr *)&address, &size);
    impostor->pid = fork();
    if (impostor->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(1);
        }
        pretend(impostor->listener, text);
    }
    assert_true(impostor->pid > 0);
    apr_pool_cleanup_register(scene->pool, impostor, end_impostor,
                              apr_pool_cleanup_null);
    assert_status(orp_store_place_parse(
        &place, apr_psprintf(scene->pool, "memcache://127.0.0.1:%d",
                             ntohs(address.sin_port)), why, scene->pool),
        APR_SUCCESS);
    assert_status(orp_store_memcache_open(&store, place, &scene->env, why,
                                          scene->pool), APR_SUCCESS);
    return store;
}

/* ---------------------------------------------------------------------- */

/* Each operation on a store of its own, since the first failure ends it. */
static apr_status_t operate(int which, scene_t *scene, const char *text)
{
    orp_store_t *store = store_at(scene, text);
    const char *value;

    switch (which) {
    case 0:
        return orp_store_put(store, ORP_STORE_SESSION, "k", "v", 1, LATER,
                             NOW);
    case 1:
        return orp_store_get(&value, NULL, store, ORP_STORE_SESSION, "k",
                             NOW, scene->pool);
    case 2:
        return orp_store_claim(store, ORP_STORE_NONCE, "k", LATER, NOW);
    case 3:
        return orp_store_take(&value, NULL, store, ORP_STORE_SESSION, "k",
                              NOW, scene->pool);
    case 4:
        return orp_store_touch(store, ORP_STORE_SESSION, "k", LATER, NOW);
    default:
        return orp_store_remove(store, ORP_STORE_SESSION, "k");
    }
}

#define OPERATIONS 6

static void what_is_no_memcached_is_not_believed(void **state)
{
    static const char *const answers[] = {
        NULL, "HTTP/1.1 400 Bad Request\r\n\r\n", "\r\n", "\n", "STORED\n",
        "ERROR\r\n", "CLIENT_ERROR bad command line format\r\n", "OK\r\n",
        "stored\r\n", "EN\r\n", "VALUE\r\n", "VALUE k 0 1\r\nv\r\nEND\r\n",
        "DELETED \r\n", endless, drip, nothing
    };
    scene_t *scene = *state;
    apr_size_t i;
    int which;

    for (i = 0; i < COUNT(answers); i++) {
        for (which = 0; which < OPERATIONS; which++) {
            apr_time_t began = apr_time_now();
            apr_status_t status;

            apr_array_clear(scene->log);
            status = operate(which, scene, answers[i]);
            if (status != ORP_ESTORE) {
                fail_msg("operation %d, \"%s\": %s", which,
                         answers[i] ? answers[i] : "(closed)",
                         orp_status_code(status));
            }
            assert_true(apr_time_now() - began < AT_ONCE);
            assert_int_equal(scene_logged(scene, OPENED), 1);
        }
    }
}

/* One word cannot answer everything: nothing that was taken or claimed by it
 * was also found. */
static void who_gives_one_answer_to_everything_signs_nobody_in(void **state)
{
    static const char *const answers[] = {
        "STORED\r\n", "NOT_STORED\r\n", "END\r\n", "DELETED\r\n",
        "NOT_FOUND\r\n", "SERVER_ERROR out of memory\r\n"
    };
    scene_t *scene = *state;
    apr_size_t i;

    for (i = 0; i < COUNT(answers); i++) {
        assert_true(operate(1, scene, answers[i]) != APR_SUCCESS);
        assert_true(operate(3, scene, answers[i]) != APR_SUCCESS);
        assert_true(operate(4, scene, answers[i]) != APR_SUCCESS);
    }
    assert_status(operate(2, scene, "NOT_STORED\r\n"), ORP_EEXISTS);
    assert_status(operate(2, scene, "SERVER_ERROR out of memory\r\n"),
                  ORP_EFULL);
    assert_status(operate(1, scene, "SERVER_ERROR out of memory\r\n"),
                  ORP_ESTORE);
    assert_status(operate(1, scene, "END\r\n"), ORP_ENOTFOUND);
    assert_status(operate(5, scene, "NOT_FOUND\r\n"), APR_SUCCESS);
}

/* The second answer to one question must not be taken for that to the next. */
static void an_answer_too_many_is_for_nobody(void **state)
{
    scene_t *scene = *state;
    orp_store_t *store = store_at(scene, "NOT_STORED\r\nSTORED\r\n");
    int i;

    for (i = 0; i < 5; i++) {
        assert_status(orp_store_claim(store, ORP_STORE_NONCE, "k", LATER,
                                      NOW), ORP_EEXISTS);
    }
}

/* A server that gives a connection up, just when it is used again. */
static void a_connection_that_was_given_up_is_no_outage(void **state)
{
    scene_t *scene = *state;
    orp_store_t *store = store_at(scene, once);
    int i;

    for (i = 0; i < 5; i++) {
        assert_status(orp_store_put(store, ORP_STORE_SESSION, "k", "v", 1,
                                    LATER, NOW), APR_SUCCESS);
    }
    assert_int_equal(scene->log->nelts, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(what_is_no_memcached_is_not_believed),
        scene_test(who_gives_one_answer_to_everything_signs_nobody_in),
        scene_test(an_answer_too_many_is_for_nobody),
        scene_test(a_connection_that_was_given_up_is_no_outage),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("store_memcache_fake", tests, NULL,
                                       NULL);
}
