/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* support_server.h - real servers (redis-server, memcached) for a unit test.
 *
 * Each listens on 127.0.0.1 at a free port, in a folder of its own that goes
 * with it, and keeps nothing on disk. It ends with the pool, and with the
 * test, however that ends (PR_SET_PDEATHSIG). A program that is not installed
 * makes the test fail, with a sentence that says what to install.
 */
#ifndef ORP_TEST_SUPPORT_SERVER_H
#define ORP_TEST_SUPPORT_SERVER_H

#include <apr_pools.h>

typedef struct test_server_t {
    const char *dir;            /* mode 0700; redis has "redis.sock" in it */
    int port;
    int pid;                    /* 0 while it does not run */
} test_server_t;

/** Start a redis-server and wait until it answers.
 * @param args  more of its options, such as "--maxmemory 4mb"; or NULL. They
 *              win against those it has anyhow; the word @PORT@ stands for
 *              its port: "--port 0 --tls-port @PORT@" */
test_server_t *test_redis(const char *args, apr_pool_t *pool);

/** Start a memcached likewise. */
test_server_t *test_memcached(const char *args, apr_pool_t *pool);

/** End it: SIGTERM or SIGKILL; waits until it is gone. */
void test_server_stop(test_server_t *server, int signal);

/** Start it again, at the same port, with nothing in it. */
void test_server_restart(test_server_t *server);

/** Make it stand still, and go on. */
void test_server_pause(test_server_t *server);
void test_server_resume(test_server_t *server);

#endif
