/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_cookie.h - cookies, always HttpOnly.
 *
 * Two sorts: the session's, whose name and attributes OpenIDCookie sets, and
 * one for each login in progress, "openid2rp_login_XXXXXXXX" with the first
 * characters of its KEY, which ties the login to its browser.
 */
#ifndef OPENID2RP_COOKIE_H
#define OPENID2RP_COOKIE_H

#include "openid2rp_config.h"

/**
 * All values that the client sends for a name, in order (a browser may have
 * more than one: another path's, a sibling domain's).
 * @return array of const char *, at most 8
 */
apr_array_header_t *openid2rp_cookie_values(request_rec *r,
                                            const char *name);

/** Set the session's cookie, until the browser is closed. */
void openid2rp_cookie_set_session(request_rec *r, const char *value);

/** Remove it from the browser. */
void openid2rp_cookie_clear_session(request_rec *r);

/** Set the cookie of a login.
 * @param lifetime  how long it is kept, in microseconds; 0 removes it */
void openid2rp_cookie_set_login(request_rec *r, const char *key,
                                const char *value,
                                apr_interval_time_t lifetime);

/** What the browser has for a login, or NULL. */
const char *openid2rp_cookie_login(request_rec *r, const char *key);

#endif
