/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_vars.h - what the application learns: docs/variables.md. */
#ifndef OPENID2RP_VARS_H
#define OPENID2RP_VARS_H

#include "openid2rp.h"
#include "orp_identity.h"

#define OPENID2RP_VARS_PREFIX "OPENID2RP_"

/** Is this the name of a variable of ours? */
int openid2rp_vars_is_ours(const char *name);

/** What a variable was called before httpd renamed it, at each internal
 * redirect: "REDIRECT_REDIRECT_NAME" was NAME. */
const char *openid2rp_vars_behind_redirects(const char *name);

/** Does the request have the variable of an identifier? */
int openid2rp_vars_known(request_rec *r);

/** Forget all variables of ours: those that a request has from another one,
 * which includes it, or was redirected to it (REDIRECT_…). */
void openid2rp_vars_clear(request_rec *r);

/**
 * Put an identity into a request, and no other than that.
 * @param user  for REMOTE_USER, with AUTH_TYPE; NULL: both stay as they are
 */
void openid2rp_vars_set(request_rec *r, const orp_identity_t *identity,
                        const char *user);

/** A login was refused: OPENID2RP_ERROR and OPENID2RP_ERROR_CODE. */
void openid2rp_vars_set_error(request_rec *r, const orp_reason_t *why);

/** No login could begin: OPENID2RP_NOTICE. */
void openid2rp_vars_set_notice(request_rec *r, const char *sentence);

/** Write down that headers with this prefix are variables somewhere on this
 * server: from now on, clients cannot send them where the module is on.
 * @param pconf  of the configuration */
void openid2rp_vars_note_prefix(const char *prefix, apr_pool_t *pconf);

/** OpenIDPassHeaders: the variables as request headers too, for a proxied
 * application. One with control characters in it does not become a header. */
void openid2rp_vars_pass(request_rec *r);

/** Remove client headers that a backend could take for our variables: any
 * spelling of OPENID2RP with "-", "_" or "." behind it, of what
 * openid2rp_vars_pass() would set in any section, of REMOTE_USER, and of
 * AUTH_TYPE. */
void openid2rp_vars_scrub(request_rec *r);

/** The same of the headers behind a body (trailers). */
void openid2rp_vars_scrub_trailers(request_rec *r);

#endif
