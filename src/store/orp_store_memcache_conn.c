/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_store_memcache_conn.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "orp_codec.h"
#include "orp_crypto.h"
#include "orp_store.h"

/* The largest item that is read, and the longest line: "VALUE", a key of 250
 * characters and two numbers. */
#define ITEM_MAX (ORP_STORE_VALUE_MAX + 1024)
#define LINE_MAX_BYTES 400

static apr_status_t no_memcached(orp_store_clause_t *clause)
{
    apr_cpystrn(clause->text, "it does not answer like a memcached",
                sizeof(clause->text));
    return ORP_EENCODING;
}

/* ---------------------------------------------------------------------- */
/* Opening and closing */

/* What was read may be a secret. */
static void forget_bytes(orp_memcached_conn_t *conn)
{
    orp_cleanse(conn->bytes, conn->end);
    conn->begin = conn->end = 0;
}

void orp_memcached_conn_close(orp_memcached_conn_t *conn)
{
    forget_bytes(conn);
    apr_pool_destroy(conn->pool);
}

apr_status_t orp_memcached_conn_open(orp_memcached_conn_t **pconn,
                                     const orp_place_server_t *place,
                                     apr_time_t deadline,
                                     orp_store_clause_t *clause,
                                     apr_pool_t *parent)
{
    apr_pool_t *pool;
    orp_memcached_conn_t *conn;
    apr_status_t status = apr_pool_create(&pool, parent);

    if (status != APR_SUCCESS) {
        apr_cpystrn(clause->text, "out of memory", sizeof(clause->text));
        return status;
    }
    conn = apr_pcalloc(pool, sizeof(*conn));
    conn->pool = pool;
    status = orp_store_stream_dial(&conn->stream, place, deadline, clause,
                                   pool);
    if (status != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return status;
    }
    *pconn = conn;
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* Reading */

static apr_status_t read_more(orp_memcached_conn_t *conn,
                              orp_memcached_call_t *call)
{
    apr_size_t done = 0;
    apr_status_t status;

    if (orp_store_clock() > call->deadline) {
        apr_cpystrn(call->clause.text, "its answer takes too long",
                    sizeof(call->clause.text));
        return APR_TIMEUP;      /* however little comes, and often */
    }
    forget_bytes(conn);
    status = orp_store_stream_read(&done, conn->stream, conn->bytes,
                                   sizeof(conn->bytes), call->deadline,
                                   &call->clause);
    conn->end = done;
    return status;
}

/* So many bytes. */
static apr_status_t read_bytes(char *out, apr_size_t size,
                               orp_memcached_conn_t *conn,
                               orp_memcached_call_t *call)
{
    apr_status_t status = APR_SUCCESS;

    while (size > 0 && status == APR_SUCCESS) {
        apr_size_t some = conn->end - conn->begin;

        if (some == 0) {
            status = read_more(conn, call);
            continue;
        }
        some = some < size ? some : size;
        memcpy(out, conn->bytes + conn->begin, some);
        conn->begin += some;
        out += some;
        size -= some;
    }
    return status;
}

/* A line without its end. */
static apr_status_t read_line(char *line, apr_size_t room,
                              orp_memcached_conn_t *conn,
                              orp_memcached_call_t *call)
{
    apr_size_t size = 0;
    apr_status_t status;

    while ((status = read_bytes(line + size, 1, conn, call)) == APR_SUCCESS
           && line[size] != '\n') {
        if (++size == room) {
            return no_memcached(&call->clause);
        }
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    if (size == 0 || line[size - 1] != '\r') {
        return no_memcached(&call->clause);
    }
    line[size - 1] = '\0';
    return APR_SUCCESS;
}

static int begins_with(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

/* The size in "VALUE KEY FLAGS SIZE". It must be of the key that was asked
 * for: else the connection is out of step. */
static apr_status_t read_size(apr_uint64_t *psize,
                              const orp_memcached_call_t *call,
                              const char *line)
{
    const char *head = apr_pstrcat(call->pool, "VALUE ", call->item->key, " ",
                                   NULL);
    const char *size;

    if (!begins_with(line, head)) {
        return ORP_EENCODING;
    }
    size = strchr(line + strlen(head), ' ');
    return size ? orp_number_parse(psize, size + 1, APR_UINT32_MAX)
        : ORP_EENCODING;
}

/* What comes behind that: the value, and "END". */
static apr_status_t read_value(orp_memcached_conn_t *conn,
                               orp_memcached_call_t *call, const char *line)
{
    char rest[LINE_MAX_BYTES];
    apr_uint64_t size;
    apr_status_t status;
    char *bytes;

    if (read_size(&size, call, line) != APR_SUCCESS) {
        return no_memcached(&call->clause);
    }
    if (size > ITEM_MAX) {      /* none of ours: it fits nothing */
        conn->left = 1;
        size = 0;
    }
    bytes = apr_pcalloc(call->pool, (apr_size_t)size + 1);
    call->item->bytes = bytes;
    call->item->size = (apr_size_t)size;
    if (conn->left) {
        return APR_SUCCESS;
    }
    status = read_bytes(bytes, (apr_size_t)size, conn, call);
    if (status == APR_SUCCESS) {
        status = read_line(rest, sizeof(rest), conn, call);
    }
    if (status == APR_SUCCESS && !*rest) {
        status = read_line(rest, sizeof(rest), conn, call);
    }
    return status == APR_SUCCESS && strcmp(rest, "END")
        ? no_memcached(&call->clause) : status;
}

/* ---------------------------------------------------------------------- */
/* Commands */

static const char *const names[] = {
    [ORP_MEMCACHED_ADD] = "add", [ORP_MEMCACHED_REPLACE] = "replace",
    [ORP_MEMCACHED_GET] = "get", [ORP_MEMCACHED_DELETE] = "delete",
};

/* What is not to be is so already: the word for it, and ours. */
static const struct {
    const char *done;
    const char *not_done;
    apr_status_t status;
} answers[] = {
    [ORP_MEMCACHED_ADD] = { "STORED", "NOT_STORED", ORP_EEXISTS },
    [ORP_MEMCACHED_REPLACE] = { "STORED", "NOT_STORED", ORP_ENOTFOUND },
    [ORP_MEMCACHED_GET] = { NULL, "END", ORP_ENOTFOUND },
    [ORP_MEMCACHED_DELETE] = { "DELETED", "NOT_FOUND", ORP_ENOTFOUND },
};

static int writes(orp_memcached_e what)
{
    return what == ORP_MEMCACHED_ADD || what == ORP_MEMCACHED_REPLACE;
}

static apr_status_t send_command(orp_memcached_conn_t *conn,
                                 orp_memcached_call_t *call)
{
    const orp_memcached_item_t *item = call->item;
    apr_size_t room = LINE_MAX_BYTES + (writes(call->what) ? item->size : 0);
    char *bytes = malloc(room);
    apr_size_t size;
    apr_status_t status;

    if (!bytes) {
        apr_cpystrn(call->clause.text, "out of memory",
                    sizeof(call->clause.text));
        return APR_ENOMEM;
    }
    size = (apr_size_t)apr_snprintf(bytes, room, "%s %s", names[call->what],
                                    item->key);
    if (writes(call->what)) {
        size += (apr_size_t)apr_snprintf(
            bytes + size, room - size, " 0 %u %" APR_SIZE_T_FMT "\r\n",
            item->lifetime, item->size);
        memcpy(bytes + size, item->bytes, item->size);
        size += item->size;
    }
    memcpy(bytes + size, "\r\n", 2);
    status = orp_store_stream_write(conn->stream, bytes, size + 2,
                                    call->deadline, &call->clause);
    orp_cleanse(bytes, size);
    free(bytes);
    return status;
}

/* What the server says to it. */
static apr_status_t read_answer(int *pgood, orp_memcached_conn_t *conn,
                                orp_memcached_call_t *call)
{
    char line[LINE_MAX_BYTES];
    apr_status_t status = read_line(line, sizeof(line), conn, call);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (!strcmp(line, answers[call->what].not_done)) {
        status = answers[call->what].status;
    }
    else if (call->what == ORP_MEMCACHED_GET) {
        status = read_value(conn, call, line);
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    else if (writes(call->what) && begins_with(line, "SERVER_ERROR ")) {
        return ORP_EFULL;       /* it is there, and takes nothing */
    }
    else if (strcmp(line, answers[call->what].done)) {
        return no_memcached(&call->clause);
    }
    *pgood = !conn->left && conn->begin == conn->end;
    return status;
}

apr_status_t orp_memcached_conn_call(int *pgood, orp_memcached_conn_t *conn,
                                     orp_memcached_call_t *call)
{
    apr_status_t status = send_command(conn, call);

    *pgood = 0;
    if (status == APR_SUCCESS) {
        status = read_answer(pgood, conn, call);
    }
    forget_bytes(conn);
    return status;
}

apr_status_t orp_memcached_conn_version(orp_memcached_conn_t *conn,
                                        orp_memcached_call_t *call)
{
    static const char question[] = "version\r\n";
    char line[LINE_MAX_BYTES];
    apr_status_t status = orp_store_stream_write(
        conn->stream, question, sizeof(question) - 1, call->deadline,
        &call->clause);

    if (status == APR_SUCCESS) {
        status = read_line(line, sizeof(line), conn, call);
    }
    return status == APR_SUCCESS && !begins_with(line, "VERSION ")
        ? no_memcached(&call->clause) : status;
}
