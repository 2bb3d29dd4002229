/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_reply.h - the ways in which our requests are answered. */
#ifndef OPENID2RP_REPLY_H
#define OPENID2RP_REPLY_H

#include "openid2rp.h"
#include "orp_status.h"

/** Send the browser to a URL, with GET. @return HTTP_SEE_OTHER */
int openid2rp_reply_redirect(request_rec *r, const char *url);

/** Leave it to httpd, or to an ErrorDocument, what is said.
 * @param status  of HTTP, an error @return it */
int openid2rp_reply_plain(request_rec *r, int status);

/**
 * Show the login page again, with what went wrong, and the status that goes
 * with it.
 * @param target  where the user wanted to go: path and query
 * @param typed   what the user had typed, or NULL
 * @return OK
 */
int openid2rp_reply_fail(request_rec *r, const char *target,
                         const char *typed, const orp_reason_t *why);

/** The same, and write the one log line of a refused login, where the core
 * has not come to writing it. */
int openid2rp_reply_refuse(request_rec *r, const char *target,
                           const orp_reason_t *why);

/** The same, for a body that is too large to be looked into. */
int openid2rp_reply_too_large(request_rec *r, const char *target);

/** Say that the site is not known under the name in the request; the log has
 * said which (openid2rp_origin.h). @return OK */
int openid2rp_reply_misdirected(request_rec *r);

/** Give a failure that nobody has a sentence for its general one. */
void openid2rp_reply_explain(orp_reason_t *why, apr_status_t status);

#endif
