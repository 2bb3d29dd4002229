/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_intercept.h - OpenIDIntercept: before an application that has its
 * own login form, and its own accounts.
 *
 * A request with an identifier begins a login. If none can begin, the
 * application gets the request as it is, with OPENID2RP_NOTICE. When the
 * browser comes back, the application is called at the URL where the login
 * began, with OPENID2RP_IDENTIFIER and the rest, or with OPENID2RP_ERROR.
 * Every other request passes.
 *
 * All of this happens in fixups: access to the resource is granted by then,
 * and no other module has looked yet for what is to be done with it.
 */
#ifndef OPENID2RP_INTERCEPT_H
#define OPENID2RP_INTERCEPT_H

#include "openid2rp_request.h"

/**
 * Look at a request, once. What it includes, or is redirected to internally,
 * learns what was found; unless its own section has a provider's word for
 * nothing.
 * @return OK: it is ours, for the handler; DECLINED: it is the application's;
 *         or an HTTP status, where its body could not be read
 */
ORP_MUST_USE int openid2rp_intercept(request_rec *r);

/** Is this request one that was looked at, or what such a one includes, or is
 * redirected to internally? */
int openid2rp_intercept_is_part(request_rec *r);

/** Tell such a request what was found, by the rules of its section. */
void openid2rp_intercept_tell(request_rec *r);

/** Let such a request know nothing of it: its section wants nothing of us. */
void openid2rp_intercept_forget(request_rec *r);

/** Hook function: what an application finds of a request line is that of the
 * URL which it is called at, not the provider's answer. */
int openid2rp_intercept_post_read_request(request_rec *r);

/** In the handler: call the application with the outcome of a login, at the
 * URL where it began. @return OK */
int openid2rp_intercept_call(const openid2rp_request_t *notes,
                             request_rec *r);

#endif
