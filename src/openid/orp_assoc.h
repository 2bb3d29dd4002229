/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_assoc.h - an association: a secret shared with a provider (OpenID
 * Authentication 2.0, 8), and where it is kept.
 *
 * It is kept under (OP endpoint, handle), never under the handle alone: a
 * provider chooses its handles, and must not be able to name another's.
 */
#ifndef ORP_ASSOC_H
#define ORP_ASSOC_H

#include "orp_crypto.h"
#include "orp_env.h"
#include "orp_message.h"

/** 8.2.1: the longest handle, in bytes. */
#define ORP_ASSOC_HANDLE_MAX 255

typedef struct orp_assoc_t {
    const char *endpoint;       /* OP endpoint URL, normalized */
    const char *handle;         /* 1 to 255 printable characters */
    orp_hash_e hash;            /* HMAC-SHA1 or HMAC-SHA256 */
    unsigned char key[ORP_HASH_MAX];    /* orp_hash_size(hash) bytes; secret */
    apr_time_t expires;         /* absolute, our clock */
} orp_assoc_t;

/** "HMAC-SHA1" or "HMAC-SHA256" (8.3). */
const char *orp_assoc_type(orp_hash_e hash);

/** Is this text a handle (8.2.1)? */
int orp_assoc_handle_valid(const char *handle);

/** May it sign for a login of this version? 1.1 knows HMAC-SHA1 only (14.2). */
int orp_assoc_fits(const orp_assoc_t *assoc, orp_version_e version);

/** Keep an association, and make it the current one of its endpoint. */
ORP_MUST_USE apr_status_t orp_assoc_save(const orp_assoc_t *assoc,
                                         const orp_env_t *env,
                                         apr_pool_t *pool);

/**
 * Find an association.
 * @param handle  or NULL: the current one of the endpoint
 * @return APR_SUCCESS, ORP_ENOTFOUND or ORP_ESTORE
 */
ORP_MUST_USE apr_status_t orp_assoc_find(orp_assoc_t **passoc,
                                         const orp_env_t *env,
                                         const char *endpoint,
                                         const char *handle,
                                         apr_pool_t *pool);

/** Forget an association (11.4.2.2). */
ORP_MUST_USE apr_status_t orp_assoc_forget(const orp_env_t *env,
                                           const char *endpoint,
                                           const char *handle,
                                           apr_pool_t *pool);

/** Is this a provider that makes no associations, or none that can be used,
 * as far as is known? */
int orp_assoc_makes_none(const orp_env_t *env, const char *endpoint,
                         apr_pool_t *pool);

/**
 * Remember that a provider makes none, so that it is not asked for a while.
 * Where there is no room for that, the log says so.
 */
void orp_assoc_remember_none(const orp_env_t *env, const char *endpoint,
                             apr_interval_time_t lifetime, apr_pool_t *pool);

/**
 * Verify the signature of a message (6, 11.4.1).
 * @return APR_SUCCESS, ORP_ESIGNATURE, ORP_EMESSAGE or ORP_ECRYPTO
 */
ORP_MUST_USE apr_status_t orp_assoc_verify(const orp_assoc_t *assoc,
                                           const orp_message_t *message,
                                           orp_reason_t *why,
                                           apr_pool_t *pool);

#endif
