/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_redis_resp.h - redis's protocol: commands to bytes, bytes to
 * replies. hiredis does it, without its sockets: those of version 0.14 know
 * no TLS, and none of them a deadline for a whole operation.
 *
 * In a build without hiredis all of this is here, and does nothing.
 */
#ifndef ORP_STORE_REDIS_RESP_H
#define ORP_STORE_REDIS_RESP_H

#include "orp_status.h"

/** Was this built with hiredis? */
int orp_redis_available(void);

/* ---------------------------------------------------------------------- */
/* Commands */

/** Types of replies, to be or-ed. */
typedef enum {
    ORP_REDIS_NIL = 1,
    ORP_REDIS_STRING = 2,
    ORP_REDIS_STATUS = 4,       /* such as "OK" */
    ORP_REDIS_INTEGER = 8,
    ORP_REDIS_ARRAY = 16,
    ORP_REDIS_ERROR = 32
} orp_redis_type_e;

/** The most arguments, with the name. */
#define ORP_REDIS_ARGS 8

typedef struct orp_redis_command_t {
    int want;                   /* types that its reply can have; an error is
                                 * always possible */
    int once;                   /* must not be sent twice */
    int count;                  /* of arguments */
    const char *args[ORP_REDIS_ARGS];
    apr_size_t sizes[ORP_REDIS_ARGS];
} orp_redis_command_t;

/** Add an argument, which is not copied. */
void orp_redis_arg(orp_redis_command_t *command, const char *bytes,
                   apr_size_t size);

/** Add a text as an argument. */
void orp_redis_arg_text(orp_redis_command_t *command, const char *text);

/**
 * The bytes of some commands, one behind the other.
 * @param pbytes  set on success; to be given back by orp_redis_bytes_free()
 * @return APR_SUCCESS, APR_ENOMEM, or APR_ENOTIMPL
 */
ORP_MUST_USE apr_status_t orp_redis_bytes(char **pbytes, apr_size_t *psize,
                                          const orp_redis_command_t *commands,
                                          int count);

/** Overwrite them, for they hold secrets, and free them. */
void orp_redis_bytes_free(char *bytes, apr_size_t size);

/* ---------------------------------------------------------------------- */
/* Replies */

typedef struct redisReply orp_redis_reply_t;
typedef struct redisReader orp_redis_reader_t;

/** @return NULL where there is no memory, or no hiredis */
orp_redis_reader_t *orp_redis_reader_create(void);
void orp_redis_reader_free(orp_redis_reader_t *reader);

/** Hand over what has come. */
ORP_MUST_USE apr_status_t orp_redis_reader_feed(orp_redis_reader_t *reader,
                                                const char *bytes,
                                                apr_size_t size);

/**
 * The next reply.
 * @param preply  set on success; the caller frees it
 * @return APR_SUCCESS, APR_EAGAIN where it is not complete, or ORP_EENCODING
 *         where it is none
 */
ORP_MUST_USE apr_status_t orp_redis_reader_next(orp_redis_reply_t **preply,
                                                orp_redis_reader_t *reader);

/** Is everything that was handed over used up? */
int orp_redis_reader_is_empty(const orp_redis_reader_t *reader);

/** One of orp_redis_type_e, or 0 for one that we do not know. */
int orp_redis_type(const orp_redis_reply_t *reply);

/** Of a string, status or error; with a NUL behind it. "" of another type. */
const char *orp_redis_string(apr_size_t *psize,
                             const orp_redis_reply_t *reply);

apr_int64_t orp_redis_integer(const orp_redis_reply_t *reply);

/** How many members an array has; 0 of another type. */
apr_size_t orp_redis_members(const orp_redis_reply_t *reply);

const orp_redis_reply_t *orp_redis_member(const orp_redis_reply_t *reply,
                                          apr_size_t index);

/** Overwrites a string too. @param reply  may be NULL */
void orp_redis_reply_free(orp_redis_reply_t *reply);

#endif
