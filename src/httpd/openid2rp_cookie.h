/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_cookie.h - cookies, always HttpOnly.
 *
 * Two sorts: the session's, whose name and attributes OpenIDCookie sets, and
 * one for each login in progress, which ties the login to its browser:
 *
 *      openid2rp_login_AAAAAAAAAAAA=TTTTTTTTTTTTTTTTTTTTTT.1795299424
 *
 * with the first characters of its KEY, a token, and when it was set. On an
 * https site "__Host-" stands before the name, and nothing else is read there:
 * a neighbour (another host of the domain, the same host by http) can set a
 * cookie for this site, but none of such a name.
 */
#ifndef OPENID2RP_COOKIE_H
#define OPENID2RP_COOKIE_H

#include "openid2rp_config.h"
#include "orp_login.h"

/** How many logins one browser can have in progress; a new one removes the
 * cookies of the oldest. So they cannot fill the Cookie header. */
#define OPENID2RP_COOKIE_LOGINS 8

/** Does the name say that browsers keep the cookie by https only ("__Host-",
 * "__Secure-")? By RFC 6265bis, in any case of its letters. */
int openid2rp_cookie_is_prefixed(const char *name);

/** Does it begin with "__Host-": no Domain, and the path "/"? */
int openid2rp_cookie_is_host(const char *name);

/** Is it a name that only cookies of logins have? */
int openid2rp_cookie_is_login(const char *name);

/**
 * What the client sends as its Cookie, or NULL. It is kept from the first call:
 * mod_headers may take cookies out of a request, so that a backend does not
 * see them, before the handler needs them.
 */
const char *openid2rp_cookie_keep(request_rec *r);

/**
 * The values that the client sends for a name, in order, each once (a browser
 * may have more than one: another path's, a neighbour's). Values that cannot
 * be ours do not count.
 * @param max  how many at most
 * @return array of const char *
 */
apr_array_header_t *openid2rp_cookie_values(request_rec *r, const char *name,
                                            int max);

/** Set the session's cookie, until the browser is closed. */
void openid2rp_cookie_set_session(request_rec *r, const char *value);

/** Remove it from the browser. */
void openid2rp_cookie_clear_session(request_rec *r);

/** Set the cookie of a login, and remove those of logins that are too many.
 * @param lifetime  how long it is kept, in microseconds */
void openid2rp_cookie_set_login(request_rec *r, const char *key,
                                const char *token,
                                apr_interval_time_t lifetime);

/** Remove it from the browser. */
void openid2rp_cookie_clear_login(request_rec *r, const char *key);

/** What the browser has for a login: the token that the login began with, if
 * it has that; else another one, or NULL. */
const char *openid2rp_cookie_login(request_rec *r, const orp_login_t *login);

#endif
