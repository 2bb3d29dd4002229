/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_reply.h - the ways in which our requests are answered. */
#ifndef OPENID2RP_REPLY_H
#define OPENID2RP_REPLY_H

#include "openid2rp_outcome.h"

/** Send the browser to a URL, with GET. @return HTTP_SEE_OTHER */
int openid2rp_reply_redirect(request_rec *r, const char *url);

/** Leave it to httpd, or to an ErrorDocument, what is said.
 * @param status  of HTTP, an error @return it */
int openid2rp_reply_plain(request_rec *r, int status);

/** Say that the site is not known under the name in the request; the log has
 * said which (openid2rp_origin.h). @return OK */
int openid2rp_reply_misdirected(request_rec *r);

/** Tell the browser how a step of a login ended; what was refused, with the
 * login page. @return OK, or an HTTP status */
int openid2rp_reply_outcome(request_rec *r, const openid2rp_outcome_t *out);

#endif
