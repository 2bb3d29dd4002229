/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_login.h - the record of one login, from the first request to the last.
 *
 * It lives in the store under the KEY of "openid_return=KEY", so that every
 * process and machine can go on with it:
 *
 *      NEW ──── begin ────► READY ──── complete ────► DONE
 *       └─────► FAILED         └─ a refused answer leaves it READY
 *
 * A DONE record keeps nothing but where its user went, for the browser that
 * comes back a second time.
 */
#ifndef ORP_LOGIN_H
#define ORP_LOGIN_H

#include "orp_env.h"
#include "orp_message.h"

typedef enum {
    ORP_LOGIN_NEW,              /* nothing has been asked yet */
    ORP_LOGIN_READY,            /* the browser may go to the provider */
    ORP_LOGIN_FAILED,           /* it will not; the reason is in it */
    ORP_LOGIN_DONE              /* somebody is signed in */
} orp_login_state_e;

typedef struct orp_login_t {
    const char *key;            /* 22 characters */
    orp_login_state_e state;
    apr_time_t expires;         /* absolute */

    /* set when it is created */
    const char *browser;        /* hash of the login cookie's value */
    const char *origin;         /* scheme, name and port of the site */
    const char *return_to;      /* openid.return_to */
    const char *target;         /* path and query to go to in the end */
    const char *typed;          /* what the user typed or chose */

    /* READY: what discovery recorded (11.2 compares with it) */
    orp_version_e version;
    const char *endpoint;       /* OP endpoint URL, normalized */
    const char *claimed_id;     /* NULL where the OP is to choose one */
    const char *local_id;       /* NULL likewise */
    const char *assoc_handle;   /* NULL: stateless */
    const char *redirect;       /* where to send the browser */
    const char *setup;          /* where, if an immediate request was not
                                 * enough; NULL: it was none */
    const char *answer;         /* form of a message that came by cross-site
                                 * POST, without its browser's cookie; NULL */

    /* FAILED */
    apr_status_t status;
    const char *sentence;
} orp_login_t;

/** The most bytes of a target that a record keeps. */
#define ORP_LOGIN_TARGET_MAX 8000

/**
 * A new login, not yet in the store, with a key of its own.
 * @param pbrowser  set to the value for the login cookie; the record keeps
 *                  its hash only
 * @param lifetime  in microseconds
 */
ORP_MUST_USE apr_status_t orp_login_create(orp_login_t **plogin,
                                           const char **pbrowser,
                                           const orp_env_t *env,
                                           apr_interval_time_t lifetime,
                                           apr_pool_t *pool);

/** Store it as it is now. @return APR_SUCCESS, ORP_EFULL, ORP_ETOOBIG or
 * ORP_ESTORE */
ORP_MUST_USE apr_status_t orp_login_save(const orp_login_t *login,
                                         const orp_env_t *env,
                                         apr_pool_t *pool);

/** Find it. @return APR_SUCCESS, ORP_ENOTFOUND or ORP_ESTORE */
ORP_MUST_USE apr_status_t orp_login_find(orp_login_t **plogin,
                                         const orp_env_t *env,
                                         const char *key, apr_pool_t *pool);

/**
 * Store a change of a login that is READY, unless it is over meanwhile: a
 * record that is gone does not come back.
 * @return as orp_login_save(); ORP_EREPLAY where it was taken; ORP_ELOGIN
 *         where it is gone, or not READY
 */
ORP_MUST_USE apr_status_t orp_login_change(const orp_login_t *login,
                                           const orp_env_t *env,
                                           apr_pool_t *pool);

/** How often other servers are asked for the sake of one login, after it was
 * sent to its provider; an honest one needs two at most. */
#define ORP_LOGIN_QUESTIONS 10

/**
 * Begin one more question to another server: anybody can bring any number of
 * answers to a login of their own, and all at the same time. It is counted, and
 * until orp_login_answered() there can be no second one for this login.
 * @return APR_SUCCESS; ORP_ERATE where there were ORP_LOGIN_QUESTIONS;
 *         ORP_EEXISTS where one is being asked; ORP_ESTORE, ORP_EFULL
 */
ORP_MUST_USE apr_status_t orp_login_question(const orp_login_t *login,
                                             const orp_env_t *env,
                                             apr_pool_t *pool);

/** The question is answered, or given up. */
void orp_login_answered(const orp_login_t *login, const orp_env_t *env,
                        apr_pool_t *pool);

/**
 * End a login that is READY: exactly one caller wins, also when somebody
 * empties the store meanwhile.
 * @return APR_SUCCESS; ORP_EREPLAY where it was taken before; ORP_ELOGIN
 *         where its record is gone, or not READY; ORP_ESTORE
 */
ORP_MUST_USE apr_status_t orp_login_take(const orp_login_t *login,
                                         const orp_env_t *env,
                                         apr_pool_t *pool);

/** Remove it: whoever began it has seen how it failed. */
ORP_MUST_USE apr_status_t orp_login_forget(const orp_login_t *login,
                                           const orp_env_t *env);

/** Is this the value of the cookie that the login was created with? */
int orp_login_is_browser(const orp_login_t *login, const char *browser,
                         apr_pool_t *pool);

#endif
