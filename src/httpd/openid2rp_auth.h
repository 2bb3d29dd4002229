/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_auth.h - protect mode: who may pass, and who is ours. */
#ifndef OPENID2RP_AUTH_H
#define OPENID2RP_AUTH_H

#include "openid2rp.h"
#include "orp_status.h"

/** check_access: before any rule looks at the headers of a client, those that
 * could pass for ours are removed. */
int openid2rp_auth_check_access(request_rec *r);

/**
 * check_authn: a request with a session passes with its user set. One that
 * starts or ends a login, or that gets the login page, is marked for the
 * handler. Everything else is 401.
 */
int openid2rp_auth_check_authn(request_rec *r);

/** check_authz: a marked request passes without a user, because it can only
 * end in our handler. */
int openid2rp_auth_check_authz(request_rec *r);

/** fixups: variables for requests whose authentication httpd took over from
 * the request that they come from; marked requests keep away from files. */
int openid2rp_auth_fixups(request_rec *r);

/**
 * In the handler, before the application is called: mod_dir may have put an
 * index file in the place of a folder, in another section, without asking
 * anybody again. There, user and variables are made anew, by its rules.
 * @return OK, or an HTTP status
 */
ORP_MUST_USE int openid2rp_auth_index(request_rec *r);

/** The hook that completes a 401: says what there is to authenticate with,
 * also where mod_authz_core refuses a user who is signed in. */
int openid2rp_auth_note_failure(request_rec *r, const char *auth_type);

#endif
