/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_env.h - the world, handed in.
 *
 * Whatever the protocol needs from outside (other servers, shared records,
 * the time, chance, a log) comes through one struct, never through a global.
 * httpd fills it with curl, a shared memory store and its own log; the unit
 * tests with a scripted HTTP client and a clock they can turn.
 */
#ifndef ORP_ENV_H
#define ORP_ENV_H

#include <apr_time.h>

#include "orp_status.h"

struct orp_http_client_t;   /* orp_http.h */
struct orp_store_t;         /* orp_store.h */

typedef enum {
    ORP_LOG_ERROR,          /* the site is broken: an administrator must act */
    ORP_LOG_WARN,           /* somebody, or a provider, does what it must not */
    ORP_LOG_INFO,           /* a login began, ended, was refused */
    ORP_LOG_DEBUG           /* every step; still no secrets */
} orp_log_level_e;

typedef struct orp_env_t {
    /** Performs one HTTP exchange. */
    const struct orp_http_client_t *http;

    /** Logins, nonces, associations, sessions. */
    struct orp_store_t *store;

    /** URL of a proxy resolver for XRIs; NULL: they are refused. */
    const char *xri_proxy;

    /** The time, in microseconds since 1970. */
    apr_time_t (*now)(void *baton);

    /** Fill buf with size bytes that nobody can guess. */
    apr_status_t (*random)(void *baton, unsigned char *buf, apr_size_t size);

    /** Take one line; number is the N of O2RP-N. May be NULL. */
    void (*log)(void *baton, orp_log_level_e level, int number,
                const char *line);

    /** What the three functions above get as their first argument. */
    void *baton;
} orp_env_t;

/** The time in env's world. */
apr_time_t orp_env_now(const orp_env_t *env);

/** How many characters a token has. */
#define ORP_TOKEN_CHARS 22

/**
 * A fresh secret: 128 bits as ORP_TOKEN_CHARS characters of base64url.
 * @param ptoken  set on success
 */
ORP_MUST_USE apr_status_t orp_env_token(const char **ptoken,
                                        const orp_env_t *env,
                                        apr_pool_t *pool);

/** Could that be a text of orp_env_token()? */
int orp_env_is_token(const char *text);

/**
 * Say something in env's log. Control characters in the line are shown as
 * "\xHH", so that nothing from outside can begin a line of its own.
 * @param number  never reused; docs/operations lists them
 */
void orp_log(const orp_env_t *env, orp_log_level_e level, int number,
             apr_pool_t *scratch, const char *fmt, ...) ORP_PRINTF(5, 6);

#endif
