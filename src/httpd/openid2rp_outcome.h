/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_outcome.h - how a step of a login ended, before anybody is told.
 *
 * openid2rp_start() and openid2rp_return() find it out. In protect mode, the
 * browser is told (openid2rp_reply_outcome()); in intercept mode, the
 * application is, but for what only the browser can do
 * (openid2rp_intercept.h).
 */
#ifndef OPENID2RP_OUTCOME_H
#define OPENID2RP_OUTCOME_H

#include "openid2rp.h"
#include "orp_identity.h"
#include "orp_login.h"

typedef enum {
    OPENID2RP_REFUSED,          /* no login: why says it, and the log does */
    OPENID2RP_GO,               /* the browser goes to url, on this site */
    OPENID2RP_SEND,             /* it goes to its provider, with url */
    OPENID2RP_SCRIPT,           /* it gets the script of a page of ours */
    OPENID2RP_MISDIRECTED,      /* the request's host name is not ours */
    OPENID2RP_SIGNED_IN         /* somebody is, as of now */
} openid2rp_outcome_e;

typedef struct openid2rp_outcome_t {
    openid2rp_outcome_e kind;
    const orp_login_t *login;   /* SEND, SIGNED_IN: which; else it, or NULL
                                 * where it is not known, or of another site */
    const char *url;            /* GO, SEND */
    const orp_identity_t *identity;     /* SIGNED_IN: who */
    const char *user;           /* SIGNED_IN: and their name on this site, or
                                 * NULL where they can get one */
    orp_reason_t *why;          /* REFUSED */
    int status;                 /* REFUSED: the HTTP status of a page */
    const char *target;         /* REFUSED: path and query where another
                                 * login begins */
    const char *typed;          /* REFUSED: what to fill in, or NULL */
} openid2rp_outcome_t;

/** An outcome that is not decided, with an empty reason. */
openid2rp_outcome_t *openid2rp_outcome_create(request_rec *r);

/** A login is refused, and has its line in the log. Its target, unless it is
 * set, is that of out->login, or this request's path. */
void openid2rp_outcome_refused(openid2rp_outcome_t *out, request_rec *r);

/** The same, with a line in the log (O2RP-240). */
void openid2rp_outcome_refuse(openid2rp_outcome_t *out, request_rec *r);

/** What the browser has sent is more than is read: as above. */
void openid2rp_outcome_too_large(openid2rp_outcome_t *out, request_rec *r);

/** Give a reason a general sentence, unless it has one for this status. */
void openid2rp_outcome_explain(openid2rp_outcome_t *out,
                               apr_status_t status);

#endif
