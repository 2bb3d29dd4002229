/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_request.h - what a request is to us, decided once.
 *
 * The authentication hook looks at a request and writes down what is to be
 * done with it; the handler does it. Between the two, a request that is ours
 * passes through httpd's phases like any other, but can end nowhere else.
 */
#ifndef OPENID2RP_REQUEST_H
#define OPENID2RP_REQUEST_H

#include "openid2rp_outcome.h"

typedef enum {
    OPENID2RP_NOTHING,          /* not ours: let it pass */
    OPENID2RP_START,            /* begin a login */
    OPENID2RP_RETURN,           /* the browser comes back from a provider */
    OPENID2RP_LOGOUT,           /* end the session */
    OPENID2RP_PUBLISH,          /* tell a provider where we are */
    OPENID2RP_PAGE,             /* show the login page */
    OPENID2RP_REGISTER,         /* send who has no account to get one */
    OPENID2RP_ANSWER,           /* tell the browser the outcome */
    OPENID2RP_CALL              /* call the application with the outcome */
} openid2rp_action_e;

typedef struct openid2rp_request_t {
    openid2rp_action_e action;
    const char *typed;          /* START: what was typed or chosen; NULL
                                 * where the request names more than one */
    int broken;                 /* it cannot be decoded */
    int too_large;              /* START: the form is */
    const char *key;            /* RETURN: the KEY; "" where there is none
                                 * that can be read */
    const orp_identity_t *identity;     /* who is signed in, or NULL */
    const char *user;           /* their name here, or NULL: they have none */
    const void *told;           /* the per_dir_config that its user and its
                                 * variables were made for, or NULL */
    const orp_reason_t *denied; /* PAGE: why who is signed in may not pass */

    /* intercept mode */
    int is_seen;                /* it was looked at: what it redirects to
                                 * internally is not, but learns the same */
    const openid2rp_outcome_t *outcome; /* ANSWER, CALL: of a login's step */
    const char *notice;         /* why no login could begin, or NULL */
} openid2rp_request_t;

/** The notes of this request, made when first asked for. */
openid2rp_request_t *openid2rp_request(request_rec *r);

/** This request is ours: no index file, no other spelling, no negotiation.
 * Modules that look for files find that it is one already. */
void openid2rp_request_claim(request_rec *r);

/** Is this request a part of another one: a subrequest, or the document of an
 * error? Nobody has sent it; and nobody would see a page, or it would stand in
 * the middle of another. */
int openid2rp_request_is_part(request_rec *r);

/** The notes of this request, or NULL where there are none. */
openid2rp_request_t *openid2rp_request_find(request_rec *r);

/**
 * Find out whether a request starts or ends a login, or a session.
 *
 * What a page fetches, such as a picture, and a HEAD, begins no login.
 * @param notes  action, typed and key are set
 * @return OK, or an HTTP status where its body could not be read
 */
ORP_MUST_USE int openid2rp_request_classify(openid2rp_request_t *notes,
                                            request_rec *r);

/**
 * Does the browser say that it comes from another site, be it a neighbour
 * (evil.example.com for www.example.com)? Browsers since 2020 to 2023 do, at
 * https sites and localhost (Sec-Fetch-Site). Elsewhere they do so for a POST
 * alone: its Origin is not this one.
 * @param origin  of this site (openid2rp_origin.h)
 */
int openid2rp_request_is_cross_site(request_rec *r, const char *origin);

/**
 * Login CSRF: a link or form elsewhere must not put its own user in the place
 * of the one who is signed in; one click here shows that it is wanted. In a
 * frame, nobody sees the page, and nobody clicks.
 */
int openid2rp_request_needs_click(request_rec *r, const char *origin);

/** Does the browser say that it is for a part of a page: a frame, an object?
 * What we show there, it does not. */
int openid2rp_request_is_framed(request_rec *r);

/** The same, or something that is no page at all: a picture, a script, a
 * fetch()? */
int openid2rp_request_is_embedded(request_rec *r);

/** Was it made by something that another site's page embeds? */
int openid2rp_request_is_foreign(request_rec *r, const char *origin);

/** Does a person in front of a browser wait for a page, or is it a script, a
 * program, a picture? */
int openid2rp_request_is_navigation(request_rec *r);

#endif
