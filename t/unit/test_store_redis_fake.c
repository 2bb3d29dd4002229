/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_store_redis_fake.c - servers that are no redis, or say what a real one
 * cannot be made to say.
 */

#include "support_redis.h"

#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---------------------------------------------------------------------- */
/* Servers that are none */

typedef struct impostor_t {
    int listener;
    int port;
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

/* In the child: answer whatever comes first with one text, and what follows
 * with another, and hang up after so many answers. */
static void pretend(int listener, const char *first, const char *then,
                    int most)
{
    for (;;) {
        char bytes[65536];
        int s = accept(listener, NULL, NULL);
        const char *answer = first;
        int count = 0;

        if (s < 0) {
            _exit(1);
        }
        while (answer && recv(s, bytes, sizeof(bytes), 0) > 0) {
            if (count++ == most
                || send(s, answer, strlen(answer), MSG_NOSIGNAL) < 0) {
                break;
            }
            answer = then;
        }
        close(s);
    }
}

static const char *impostor_at(world_t *world, const char *first,
                               const char *then, int most)
{
    impostor_t *impostor = apr_pcalloc(world->pool, sizeof(*impostor));
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
    impostor->port = ntohs(address.sin_port);
    impostor->pid = fork();
    if (impostor->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(1);
        }
        pretend(impostor->listener, first, then, most);
    }
    assert_true(impostor->pid > 0);
    apr_pool_cleanup_register(world->pool, impostor, end_impostor,
                              apr_pool_cleanup_null);
    return apr_psprintf(world->pool, "redis://127.0.0.1:%d" BRIEF,
                        impostor->port);
}

static void what_is_no_redis_is_not_believed(void **state)
{
    static const struct {
        const char *answer;
        const char *said;
        apr_status_t checked;
    } cases[] = {
        { NULL, "does not work", APR_SUCCESS },     /* closed, or reset */
        { "HTTP/1.1 400 Bad Request\r\n\r\n", "not in redis's protocol",
          ORP_ESTORE },
        { "$100\r\nhalf of it", "no answer in time", APR_SUCCESS },
        { "*2\r\n", "no answer in time", APR_SUCCESS },
        { "+OK\r\n+OK\r\n", "more than was asked", ORP_ESTORE },
        { "$-7\r\n", "not in redis's protocol", ORP_ESTORE },
        { ":1\r\n", "something else", ORP_ESTORE },
        { "$2\r\nOK\r\n", "something else", ORP_ESTORE },
        { "-ERR max number of clients reached\r\n", "max number of clients",
          APR_SUCCESS },
        { "-LOADING Redis is loading\r\n", "LOADING", APR_SUCCESS },
    };
    world_t *world = *state;
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *place = impostor_at(world, cases[i].answer,
                                        cases[i].answer, -1);

        apr_array_clear(world->log);
        assert_status(check_at(world, place), cases[i].checked);
        assert_int_equal(logged(world, 310),
                         cases[i].checked == APR_SUCCESS);
        open_at(world, place);
        assert_fails(world);
        assert_int_equal(logged(world, 301), 1);
        if (!log_contains(world, cases[i].said)) {
            fail_msg("not logged: %s, but: %s", cases[i].said,
                     APR_ARRAY_IDX(world->log, world->log->nelts - 1,
                                   line_t).text);
        }
    }
}

static void who_answers_ok_to_everything_wins_nothing(void **state)
{
    world_t *world = *state;
    const char *place = impostor_at(world, "+OK\r\n", "+OK\r\n", -1);

    open_at(world, place);
    assert_string_equal(kept(world, "k"), "(store-failed)");
    open_at(world, place);
    assert_status(take(world, "k"), ORP_ESTORE);
    assert_status(check_at(world, place), ORP_ESTORE);
}

/* No redis of today says that; one of tomorrow may. */
static void an_error_that_repeats_a_key_is_cut_off(void **state)
{
    world_t *world = *state;

    open_at(world, impostor_at(world, "+OK\r\n", "-ERR you are no friend of "
                               "'openid2rp:session:the-secret-key'\r\n", -1));
    assert_status(take(world, "the-secret-key"), ORP_ESTORE);
    assert_true(log_contains(world, "you are no friend"));
    assert_false(log_contains(world, "secret"));
}

/* The server may have done what it was asked when the connection breaks. */
static void only_what_may_be_done_twice_is_asked_twice(void **state)
{
    world_t *world = *state;
    int i;

    open_at(world, impostor_at(world, "+OK\r\n", "+OK\r\n", 2));
    for (i = 0; i < 5; i++) {
        assert_status(keep(world, "k", "v"), APR_SUCCESS);
    }
    assert_silence(world);
    open_at(world, impostor_at(world, "+OK\r\n", "+OK\r\n", 2));
    assert_status(win(world, "k"), APR_SUCCESS);
    assert_status(win(world, "k"), ORP_ESTORE);
    open_at(world, impostor_at(world, "+OK\r\n", "+OK\r\n", 2));
    assert_status(keep(world, "k", "v"), APR_SUCCESS);
    assert_status(take(world, "k"), ORP_ESTORE);
    assert_int_equal(logged(world, 301), 2);
}

static void an_old_redis_is_refused(void **state)
{
    static const char *const versions[] = { "5.0.14", "6.0.16", "6.1.9", "x" };
    world_t *world = *state;
    apr_size_t i;

    for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        const char *info_text = apr_psprintf(
            world->pool, "redis_version:%s\r\nmaxmemory:0\r\n", versions[i]);

        /* first comes the name of the connection, then INFO */
        assert_status(check_at(world, impostor_at(world, "+OK\r\n",
                                                  apr_psprintf(
                          world->pool, "$%d\r\n%s\r\n",
                          (int)strlen(info_text), info_text), -1)), ORP_ESTORE);
        assert_non_null(strstr(world->why->sentence,
                               i < 3 ? "6.2 is the least" : "version"));
    }
}

/* ---------------------------------------------------------------------- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_world(what_is_no_redis_is_not_believed),
        in_a_world(who_answers_ok_to_everything_wins_nothing),
        in_a_world(an_error_that_repeats_a_key_is_cut_off),
        in_a_world(only_what_may_be_done_twice_is_asked_twice),
        in_a_world(an_old_redis_is_refused),
    };

    return redis_run("redis fake", tests);
}
