/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_redis.c - what a redis server says: the reader of replies, and a
 * connection that signs in and asks.
 *
 * The parts between lines "----" are what the server says to the first
 * command, the second, and so on; then it hangs up. The reader is given all
 * of them at once, and in small pieces.
 */

#include "fuzz.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "orp_store_redis_conn.h"

#define END "\n----\n"
#define END_SIZE (sizeof(END) - 1)
#define PASSWORD "Geheim1234"
#define SECRET_KEY "openid2rp:Geheim5678"

/* ---------------------------------------------------------------------- */
/* The reader */

/* Everything in a reply can be looked at. */
static void look_at(const orp_redis_reply_t *reply, int depth)
{
    apr_size_t size, i;
    const char *text = orp_redis_string(&size, reply);

    fuzz_check(depth < 32);
    fuzz_check(strlen(text) <= size && text[size] == '\0');
    fuzz_check(orp_redis_type(reply) == ORP_REDIS_ARRAY
               || orp_redis_members(reply) == 0);
    (void)orp_redis_integer(reply);
    for (i = 0; i < orp_redis_members(reply); i++) {
        look_at(orp_redis_member(reply, i), depth + 1);
    }
}

static void read_replies(const char *bytes, apr_size_t size, apr_size_t step)
{
    orp_redis_reader_t *reader = orp_redis_reader_create();
    apr_status_t status = APR_EAGAIN;

    fuzz_check(reader != NULL);
    while (size && status == APR_EAGAIN) {
        apr_size_t piece = step < size ? step : size;

        status = orp_redis_reader_feed(reader, bytes, piece);
        bytes += piece;
        size -= piece;
        while (status == APR_SUCCESS) {
            orp_redis_reply_t *reply = FUZZ_UNTOUCHED;

            status = orp_redis_reader_next(&reply, reader);
            if (fuzz_status(status, reply, APR_EAGAIN, ORP_EENCODING,
                            APR_SUCCESS)) {
                look_at(reply, 0);
                orp_redis_reply_free(reply);
            }
        }
    }
    orp_redis_reader_free(reader);
}

/* ---------------------------------------------------------------------- */
/* The server: one thread, one connection */

typedef struct server_t {
    const char *script;
    apr_size_t left;
    int listener;
    int parts;                  /* how many were said */
    struct sockaddr_un address;
    char folder[32];
    pthread_t thread;
} server_t;

/* The next part of the script, or NULL. */
static const char *next_part(server_t *server, apr_size_t *psize)
{
    const char *part = server->script;
    apr_size_t size = 0;

    if (!server->left) {
        return NULL;
    }
    while (size < server->left
           && (server->left - size < END_SIZE
               || memcmp(part + size, END, END_SIZE))) {
        size++;
    }
    *psize = size;
    size += size < server->left ? END_SIZE : 0;
    server->script += size;
    server->left -= size;
    server->parts++;
    return part;
}

static void *serve(void *baton)
{
    server_t *server = baton;
    int s = accept(server->listener, NULL, NULL);
    struct timeval patience = { 0, 10000 };
    char buf[4096];
    const char *part;
    apr_size_t size = 0;

    /* who gets half a reply waits for the rest, as does who gets none: then
     * the next part is said unasked */
    while (s >= 0
           && setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience,
                         sizeof(patience)) == 0
           && recv(s, buf, sizeof(buf), 0) != 0
           && (part = next_part(server, &size)) != NULL
           && (!size || send(s, part, size, MSG_NOSIGNAL) >= 0)) {
        continue;
    }
    if (s >= 0) {
        close(s);
    }
    return NULL;
}

static void start(server_t *server, const char *bytes, apr_size_t size)
{
    static const char template[] = "/tmp/orp-fuzz-XXXXXX";

    memset(server, 0, sizeof(*server));
    server->script = bytes;
    server->left = size;
    memcpy(server->folder, template, sizeof(template));
    fuzz_check(mkdtemp(server->folder) != NULL);
    server->address.sun_family = AF_UNIX;
    apr_snprintf(server->address.sun_path, sizeof(server->address.sun_path),
                 "%s/s", server->folder);
    server->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    fuzz_check(server->listener >= 0);
    fuzz_check(bind(server->listener,
                    (struct sockaddr *)(void *)&server->address,
                    sizeof(server->address)) == 0);
    fuzz_check(listen(server->listener, 1) == 0);
    fuzz_check(pthread_create(&server->thread, NULL, serve, server) == 0);
}

/* To be called when the other side has hung up. */
static void stop(server_t *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    unlink(server->address.sun_path);
    rmdir(server->folder);
}

/* ---------------------------------------------------------------------- */
/* The connection */

static apr_status_t ask(orp_redis_conn_t *conn, apr_time_t deadline,
                        orp_store_clause_t *clause)
{
    orp_redis_command_t commands[2] = {
        { .want = ORP_REDIS_STRING | ORP_REDIS_NIL },
        { .want = ORP_REDIS_ARRAY | ORP_REDIS_INTEGER },
    };
    orp_redis_reply_t *replies[2] = { NULL, NULL };
    int sent = 0, i;
    apr_status_t status;

    orp_redis_arg_text(&commands[0], "GET");
    orp_redis_arg_text(&commands[0], SECRET_KEY);
    orp_redis_arg_text(&commands[1], "SCAN");
    orp_redis_arg_text(&commands[1], "0");
    status = orp_redis_conn_ask(replies, conn, commands, 2, deadline, &sent,
                                clause);
    fuzz_check(sent);
    for (i = 0; i < 2 && status == APR_SUCCESS; i++) {
        fuzz_check(orp_redis_type(replies[i])
                   & (commands[i].want | ORP_REDIS_ERROR));
        look_at(replies[i], 0);
        orp_redis_explain(clause, replies[i], &commands[i]);
        fuzz_check(i != 0 || !strstr(clause->text, SECRET_KEY));
        (void)orp_redis_is_full(replies[i]);
        orp_redis_reply_free(replies[i]);
    }
    return status;
}

static void connection(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    server_t server;
    orp_store_place_t place = { .type = ORP_PLACE_REDIS, .user = "anna",
                                .password = PASSWORD, .database = 3 };
    orp_store_clause_t clause = { "" };
    orp_redis_conn_t *conn = FUZZ_UNTOUCHED;
    apr_time_t deadline = orp_store_clock() + 5 * APR_USEC_PER_SEC;
    apr_pool_t *own;
    apr_status_t status;

    start(&server, bytes, size);
    place.path = server.address.sun_path;
    fuzz_check(apr_pool_create(&own, pool) == APR_SUCCESS);
    status = orp_redis_conn_open(&conn, &place, NULL, deadline, &clause,
                                 own);
    if (status == APR_SUCCESS) {
        status = ask(conn, deadline, &clause);
    }
    apr_pool_destroy(own);
    stop(&server);
    fuzz_check(status == APR_SUCCESS || *clause.text);
    fuzz_check(status != APR_TIMEUP);
    /* servers repeat what they are told: the first thing is the password */
    fuzz_check(server.parts > 1 || !strstr(clause.text, PASSWORD));
}

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    if (orp_redis_available()) {
        read_replies(bytes, size, size);
        read_replies(bytes, size, 3);
        connection(bytes, size, pool);
    }
}

FUZZ_TARGET(redis, 2048)
