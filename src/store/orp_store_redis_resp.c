/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_store_redis_resp.h"

#include <stdlib.h>
#include <string.h>

#include "orp_crypto.h"

void orp_redis_arg(orp_redis_command_t *command, const char *bytes,
                   apr_size_t size)
{
    if (command->count < ORP_REDIS_ARGS) {
        command->args[command->count] = bytes;
        command->sizes[command->count++] = size;
    }
}

void orp_redis_arg_text(orp_redis_command_t *command, const char *text)
{
    orp_redis_arg(command, text, strlen(text));
}

void orp_redis_bytes_free(char *bytes, apr_size_t size)
{
    if (bytes) {
        orp_cleanse(bytes, size);
        free(bytes);
    }
}

#ifdef HAVE_HIREDIS

#include <hiredis.h>

int orp_redis_available(void)
{
    return 1;
}

/* Append one command. *pbytes and *psize grow. */
static apr_status_t append(char **pbytes, apr_size_t *psize,
                           apr_size_t *proom,
                           const orp_redis_command_t *command)
{
    char *formatted = NULL;
    int size = (int)redisFormatCommandArgv(
        &formatted, command->count, (const char **)command->args,
        command->sizes);
    apr_status_t status = APR_SUCCESS;

    if (size < 0) {
        return APR_ENOMEM;
    }
    if (!*pbytes || *psize + (apr_size_t)size > *proom) {
        apr_size_t room = 2 * (*psize + (apr_size_t)size);
        char *more = malloc(room);

        if (more) {
            memcpy(more, *pbytes ? *pbytes : "", *psize);
            orp_redis_bytes_free(*pbytes, *psize);
            *pbytes = more;
            *proom = room;
        }
        else {
            status = APR_ENOMEM;
        }
    }
    if (status == APR_SUCCESS) {
        memcpy(*pbytes + *psize, formatted, (apr_size_t)size);
        *psize += (apr_size_t)size;
    }
    orp_cleanse(formatted, (apr_size_t)size);
    redisFreeCommand(formatted);
    return status;
}

apr_status_t orp_redis_bytes(char **pbytes, apr_size_t *psize,
                             const orp_redis_command_t *commands, int count)
{
    char *bytes = NULL;
    apr_size_t size = 0;
    apr_size_t room = 0;
    int i;

    for (i = 0; i < count; i++) {
        apr_status_t status = append(&bytes, &size, &room, &commands[i]);

        if (status != APR_SUCCESS) {
            orp_redis_bytes_free(bytes, size);
            return status;
        }
    }
    *pbytes = bytes;
    *psize = size;
    return APR_SUCCESS;
}

orp_redis_reader_t *orp_redis_reader_create(void)
{
    return redisReaderCreate();
}

void orp_redis_reader_free(orp_redis_reader_t *reader)
{
    redisReaderFree(reader);
}

apr_status_t orp_redis_reader_feed(orp_redis_reader_t *reader,
                                   const char *bytes, apr_size_t size)
{
    return redisReaderFeed(reader, bytes, size) == REDIS_OK
        ? APR_SUCCESS : ORP_EENCODING;
}

apr_status_t orp_redis_reader_next(orp_redis_reply_t **preply,
                                   orp_redis_reader_t *reader)
{
    void *reply = NULL;

    if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
        return ORP_EENCODING;
    }
    if (!reply) {
        return APR_EAGAIN;
    }
    *preply = reply;
    return APR_SUCCESS;
}

int orp_redis_reader_is_empty(const orp_redis_reader_t *reader)
{
    return reader->pos == reader->len;
}

int orp_redis_type(const orp_redis_reply_t *reply)
{
    switch (reply->type) {
    case REDIS_REPLY_NIL:
        return ORP_REDIS_NIL;
    case REDIS_REPLY_STRING:
        return ORP_REDIS_STRING;
    case REDIS_REPLY_STATUS:
        return ORP_REDIS_STATUS;
    case REDIS_REPLY_INTEGER:
        return ORP_REDIS_INTEGER;
    case REDIS_REPLY_ARRAY:
        return ORP_REDIS_ARRAY;
    case REDIS_REPLY_ERROR:
        return ORP_REDIS_ERROR;
    default:
        return 0;
    }
}

const char *orp_redis_string(apr_size_t *psize,
                             const orp_redis_reply_t *reply)
{
    if (orp_redis_type(reply)
        & (ORP_REDIS_STRING | ORP_REDIS_STATUS | ORP_REDIS_ERROR)) {
        *psize = (apr_size_t)reply->len;
        return reply->str;
    }
    *psize = 0;
    return "";
}

apr_int64_t orp_redis_integer(const orp_redis_reply_t *reply)
{
    return reply->integer;
}

apr_size_t orp_redis_members(const orp_redis_reply_t *reply)
{
    return reply->type == REDIS_REPLY_ARRAY ? (apr_size_t)reply->elements : 0;
}

const orp_redis_reply_t *orp_redis_member(const orp_redis_reply_t *reply,
                                          apr_size_t index)
{
    return reply->element[index];
}

void orp_redis_reply_free(orp_redis_reply_t *reply)
{
    if (reply) {
        if (reply->type == REDIS_REPLY_STRING) {
            orp_cleanse(reply->str, (apr_size_t)reply->len);
        }
        freeReplyObject(reply);
    }
}

#else /* HAVE_HIREDIS */

int orp_redis_available(void)
{
    return 0;
}

apr_status_t orp_redis_bytes(char **pbytes, apr_size_t *psize,
                             const orp_redis_command_t *commands, int count)
{
    (void)pbytes;
    (void)psize;
    (void)commands;
    (void)count;
    return APR_ENOTIMPL;
}

orp_redis_reader_t *orp_redis_reader_create(void)
{
    return NULL;
}

void orp_redis_reader_free(orp_redis_reader_t *reader)
{
    (void)reader;
}

apr_status_t orp_redis_reader_feed(orp_redis_reader_t *reader,
                                   const char *bytes, apr_size_t size)
{
    (void)reader;
    (void)bytes;
    (void)size;
    return APR_ENOTIMPL;
}

apr_status_t orp_redis_reader_next(orp_redis_reply_t **preply,
                                   orp_redis_reader_t *reader)
{
    (void)preply;
    (void)reader;
    return APR_ENOTIMPL;
}

int orp_redis_reader_is_empty(const orp_redis_reader_t *reader)
{
    (void)reader;
    return 1;
}

int orp_redis_type(const orp_redis_reply_t *reply)
{
    (void)reply;
    return 0;
}

const char *orp_redis_string(apr_size_t *psize,
                             const orp_redis_reply_t *reply)
{
    (void)reply;
    *psize = 0;
    return "";
}

apr_int64_t orp_redis_integer(const orp_redis_reply_t *reply)
{
    (void)reply;
    return 0;
}

apr_size_t orp_redis_members(const orp_redis_reply_t *reply)
{
    (void)reply;
    return 0;
}

const orp_redis_reply_t *orp_redis_member(const orp_redis_reply_t *reply,
                                          apr_size_t index)
{
    (void)index;
    return reply;
}

void orp_redis_reply_free(orp_redis_reply_t *reply)
{
    (void)reply;
}

#endif /* HAVE_HIREDIS */
