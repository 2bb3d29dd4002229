/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_store_redis_conn.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "orp_crypto.h"

/* The most that one exchange may bring, in bytes: a page of SCAN with 1000
 * of the longest keys is an eighth of it. */
#define ANSWER_MAX (16 * 1024 * 1024)

/* How much is read at once. */
#define READ_SIZE 16384

/* How much of redis's own words is shown, in bytes. */
#define WORDS_MAX 200

/* An argument shorter than this is no secret, and is not looked for. */
#define ECHO_MIN 4

/* Redis repeats no more than this of an argument. */
#define ECHO_MAX 32

static const char name[] = "openid2rp";

/* ---------------------------------------------------------------------- */
/* Commands and replies */

static apr_status_t no_redis(orp_store_clause_t *clause, const char *what)
{
    apr_cpystrn(clause->text, what, sizeof(clause->text));
    return ORP_EENCODING;
}

static apr_status_t receive(orp_redis_reply_t **preply,
                            orp_redis_conn_t *conn, apr_size_t *pleft,
                            apr_time_t deadline, orp_store_clause_t *clause)
{
    char bytes[READ_SIZE];
    apr_status_t status;

    while ((status = orp_redis_reader_next(preply, conn->reader))
           == APR_EAGAIN) {
        apr_size_t done = 0;

        if (orp_store_clock() > deadline) {
            apr_cpystrn(clause->text, "its answer takes too long",
                        sizeof(clause->text));
            return APR_TIMEUP;
        }
        status = orp_store_stream_read(&done, conn->stream, bytes,
                                       sizeof(bytes), deadline, clause);
        if (status != APR_SUCCESS) {
            return status;
        }
        if (done > *pleft) {
            return no_redis(clause, "its answer does not end");
        }
        *pleft -= done;
        status = orp_redis_reader_feed(conn->reader, bytes, done);
        orp_cleanse(bytes, done);
        if (status != APR_SUCCESS) {
            break;
        }
    }
    return status == APR_SUCCESS ? status
        : no_redis(clause, "its answer is not in redis's protocol");
}

static apr_status_t receive_all(orp_redis_reply_t **replies,
                                orp_redis_conn_t *conn,
                                const orp_redis_command_t *commands,
                                int count, apr_time_t deadline,
                                orp_store_clause_t *clause)
{
    apr_size_t left = ANSWER_MAX;
    apr_status_t status = APR_SUCCESS;
    int i;

    for (i = 0; i < count && status == APR_SUCCESS; i++) {
        status = receive(&replies[i], conn, &left, deadline, clause);
        if (status == APR_SUCCESS
            && !(orp_redis_type(replies[i])
                 & (commands[i].want | ORP_REDIS_ERROR))) {
            orp_redis_reply_free(replies[i]);
            status = no_redis(clause, "it answers something else than was "
                              "asked");
        }
        if (status != APR_SUCCESS) {
            break;
        }
    }
    if (status == APR_SUCCESS && !orp_redis_reader_is_empty(conn->reader)) {
        status = no_redis(clause, "it answers more than was asked");
    }
    if (status != APR_SUCCESS) {
        while (i-- > 0) {
            orp_redis_reply_free(replies[i]);
        }
    }
    return status;
}

apr_status_t orp_redis_conn_ask(orp_redis_reply_t **replies,
                                orp_redis_conn_t *conn,
                                const orp_redis_command_t *commands,
                                int count, apr_time_t deadline, int *psent,
                                orp_store_clause_t *clause)
{
    char *bytes;
    apr_size_t size;
    apr_status_t status = orp_redis_bytes(&bytes, &size, commands, count);

    if (status != APR_SUCCESS) {
        apr_cpystrn(clause->text, "out of memory", sizeof(clause->text));
        return status;
    }
    *psent = 1;
    status = orp_store_stream_write(conn->stream, bytes, size, deadline,
                                    clause);
    orp_redis_bytes_free(bytes, size);
    if (status == APR_SUCCESS) {
        status = receive_all(replies, conn, commands, count, deadline,
                             clause);
    }
    return status;
}

/* ---------------------------------------------------------------------- */
/* Errors */

int orp_redis_is_error(const orp_redis_reply_t *reply, const char *code)
{
    apr_size_t size;
    apr_size_t length = strlen(code);
    const char *text = orp_redis_string(&size, reply);

    return orp_redis_type(reply) == ORP_REDIS_ERROR && size >= length
        && memcmp(text, code, length) == 0
        && (text[length] == ' ' || text[length] == '\0');
}

/* A script's error has the one of its command somewhere within. */
static int says(const orp_redis_reply_t *reply, const char *text)
{
    apr_size_t size;

    return orp_redis_type(reply) == ORP_REDIS_ERROR
        && strstr(orp_redis_string(&size, reply), text);
}

int orp_redis_is_other_type(const orp_redis_reply_t *reply)
{
    return says(reply, "WRONGTYPE Operation against a key");
}

int orp_redis_is_full(const orp_redis_reply_t *reply)
{
    return says(reply, "OOM command not allowed");
}

/* Cut the text off where it repeats an argument. */
static void cut_echo(char *text, const char *arg, apr_size_t size)
{
    char begin[ECHO_MAX + 1];
    char *echo;

    if (size < ECHO_MIN) {
        return;
    }
    apr_cpystrn(begin, arg, size < ECHO_MAX ? size + 1 : sizeof(begin));
    echo = begin[0] ? strstr(text, begin) : NULL;
    if (echo) {
        *echo = '\0';
    }
}

void orp_redis_explain(orp_store_clause_t *clause,
                       const orp_redis_reply_t *reply,
                       const orp_redis_command_t *command)
{
    apr_size_t size;
    const char *text = orp_redis_string(&size, reply);
    char words[WORDS_MAX + 1];
    char *args;
    char *c;
    int i;

    apr_cpystrn(words, text, sizeof(words));
    for (i = 1; i < command->count; i++) {
        cut_echo(words, command->args[i], command->sizes[i]);
    }
    args = strstr(words, ", with args beginning");
    if (args) {
        *args = '\0';
    }
    for (c = words; *c; c++) {
        if (!apr_isprint(*c)) {
            *c = '?';
        }
    }
    apr_snprintf(clause->text, sizeof(clause->text), "it says \"%s\"", words);
}

/* ---------------------------------------------------------------------- */
/* Signing in */

static apr_status_t free_reader(void *baton)
{
    orp_redis_conn_t *conn = baton;

    orp_redis_reader_free(conn->reader);
    return APR_SUCCESS;
}

/* Only the first word of it: the rest may repeat the password. */
static apr_status_t refused(orp_store_clause_t *clause,
                            const orp_redis_reply_t *reply)
{
    apr_size_t size;
    const char *text = orp_redis_string(&size, reply);
    int length = 0;

    while (length < 20 && text[length] >= 'A' && text[length] <= 'Z') {
        length++;
    }
    apr_snprintf(clause->text, sizeof(clause->text),
                 "it refuses user or password (%.*s)", length, text);
    return APR_EACCES;
}

/* What a server says that has no place for us, to whatever is sent first. */
static int has_no_place(const orp_redis_reply_t *reply)
{
    apr_size_t size;

    return orp_redis_is_error(reply, "DENIED")
        || strstr(orp_redis_string(&size, reply), "max number of clients");
}

static apr_status_t check_greeting(const orp_redis_reply_t *reply,
                                   const orp_redis_command_t *command,
                                   orp_store_clause_t *clause)
{
    if (orp_redis_type(reply) != ORP_REDIS_ERROR) {
        return APR_SUCCESS;
    }
    if (has_no_place(reply)) {
        orp_redis_explain(clause, reply, command);
        return APR_ECONNREFUSED;
    }
    if (strcmp(command->args[0], "AUTH") == 0
        || orp_redis_is_error(reply, "NOAUTH")) {
        return refused(clause, reply);
    }
    if (strcmp(command->args[0], "SELECT") == 0) {
        orp_redis_explain(clause, reply, command);
        return APR_EINVAL;
    }
    return APR_SUCCESS;         /* the name is for people only */
}

/* Say one thing, and see whether all is well. */
static apr_status_t say(orp_redis_conn_t *conn, orp_redis_command_t *command,
                        apr_time_t deadline, orp_store_clause_t *clause)
{
    orp_redis_reply_t *reply;
    int sent;
    apr_status_t status;

    command->want = ORP_REDIS_STATUS;
    status = orp_redis_conn_ask(&reply, conn, command, 1, deadline, &sent,
                                clause);
    if (status == APR_SUCCESS) {
        status = check_greeting(reply, command, clause);
        orp_redis_reply_free(reply);
    }
    return status;
}

static apr_status_t sign_in(orp_redis_conn_t *conn,
                            const orp_store_place_t *place,
                            apr_time_t deadline, orp_store_clause_t *clause)
{
    orp_redis_command_t auth = { .count = 0 };

    if (!place->password && !place->user) {
        return APR_SUCCESS;
    }
    orp_redis_arg_text(&auth, "AUTH");
    if (place->user && *place->user) {
        orp_redis_arg_text(&auth, place->user);
    }
    orp_redis_arg_text(&auth, place->password ? place->password : "");
    return say(conn, &auth, deadline, clause);
}

static apr_status_t greet(orp_redis_conn_t *conn,
                          const orp_store_place_t *place,
                          apr_time_t deadline, orp_store_clause_t *clause)
{
    orp_redis_command_t select = { .count = 0 };
    orp_redis_command_t client = { .count = 0 };
    char database[16];
    apr_status_t status = sign_in(conn, place, deadline, clause);

    if (status == APR_SUCCESS && place->database) {
        apr_snprintf(database, sizeof(database), "%d", place->database);
        orp_redis_arg_text(&select, "SELECT");
        orp_redis_arg_text(&select, database);
        status = say(conn, &select, deadline, clause);
    }
    if (status == APR_SUCCESS) {
        orp_redis_arg_text(&client, "CLIENT");
        orp_redis_arg_text(&client, "SETNAME");
        orp_redis_arg_text(&client, name);
        status = say(conn, &client, deadline, clause);
    }
    return status;
}

apr_status_t orp_redis_conn_open(orp_redis_conn_t **pconn,
                                 const orp_store_place_t *place,
                                 orp_redis_trust_t *trust,
                                 apr_time_t deadline,
                                 orp_store_clause_t *clause,
                                 apr_pool_t *pool)
{
    orp_redis_conn_t *conn = apr_pcalloc(pool, sizeof(*conn));
    apr_status_t status = orp_store_stream_open(&conn->stream, place, trust,
                                                deadline, clause, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    conn->pool = pool;
    conn->reader = orp_redis_reader_create();
    if (!conn->reader) {
        apr_cpystrn(clause->text, "out of memory", sizeof(clause->text));
        return APR_ENOMEM;
    }
    apr_pool_cleanup_register(pool, conn, free_reader,
                              apr_pool_cleanup_null);
    status = greet(conn, place, deadline, clause);
    if (status == APR_SUCCESS) {
        *pconn = conn;
    }
    return status;
}
