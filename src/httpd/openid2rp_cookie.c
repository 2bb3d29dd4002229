/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_cookie.h"

#include <apr_strings.h>

#include "openid2rp_origin.h"

#define VALUES_MAX 8
#define LOGIN_PREFIX "openid2rp_login_"
#define LOGIN_KEY_CHARS 12

apr_array_header_t *openid2rp_cookie_values(request_rec *r, const char *name)
{
    apr_array_header_t *values = apr_array_make(r->pool, 1,
                                                sizeof(const char *));
    const char *cookies = apr_table_get(r->headers_in, "Cookie");
    apr_size_t length = strlen(name);

    while (cookies && *cookies && values->nelts < VALUES_MAX) {
        apr_size_t size;

        cookies += strspn(cookies, "; \t");
        size = strcspn(cookies, ";");
        if (size > length && !strncmp(cookies, name, length)
            && cookies[length] == '=') {
            APR_ARRAY_PUSH(values, const char *)
                = apr_pstrmemdup(r->pool, cookies + length + 1,
                                 size - length - 1);
        }
        cookies += size;
    }
    return values;
}

/* As the outside sees it: TLS may end before us. */
static int is_secure(request_rec *r, const openid2rp_cookie_t *cookie)
{
    const char *origin;

    return cookie->secure
        || (openid2rp_origin(&origin, r) == OK
            && !strncmp(origin, "https:", 6));
}

static void set_cookie(request_rec *r, const char *name, const char *value,
                       const char *attributes)
{
    const openid2rp_cookie_t *cookie = openid2rp_dir(r)->cookie;

    apr_table_addn(r->err_headers_out, "Set-Cookie",
                   apr_pstrcat(r->pool, name, "=", value, "; HttpOnly",
                               is_secure(r, cookie) ? "; Secure" : "",
                               attributes, NULL));
}

static const char *session_attributes(request_rec *r)
{
    const openid2rp_cookie_t *cookie = openid2rp_dir(r)->cookie;

    return apr_pstrcat(r->pool, "; Path=", cookie->path, "; SameSite=",
                       cookie->samesite,
                       cookie->domain ? "; Domain=" : "",
                       cookie->domain ? cookie->domain : "", NULL);
}

void openid2rp_cookie_set_session(request_rec *r, const char *value)
{
    set_cookie(r, openid2rp_dir(r)->cookie->name, value,
               session_attributes(r));
}

void openid2rp_cookie_clear_session(request_rec *r)
{
    set_cookie(r, openid2rp_dir(r)->cookie->name, "",
               apr_pstrcat(r->pool, session_attributes(r), "; Max-Age=0",
                           NULL));
}

static const char *login_name(request_rec *r, const char *key)
{
    return apr_pstrcat(r->pool, LOGIN_PREFIX,
                       apr_pstrndup(r->pool, key, LOGIN_KEY_CHARS), NULL);
}

void openid2rp_cookie_set_login(request_rec *r, const char *key,
                                const char *value,
                                apr_interval_time_t lifetime)
{
    set_cookie(r, login_name(r, key), value,
               apr_psprintf(r->pool, "; Path=/; SameSite=Lax; Max-Age=%"
                            APR_TIME_T_FMT, apr_time_sec(lifetime)));
}

const char *openid2rp_cookie_login(request_rec *r, const char *key)
{
    const apr_array_header_t *values
        = openid2rp_cookie_values(r, login_name(r, key));

    return values->nelts ? APR_ARRAY_IDX(values, 0, const char *) : NULL;
}
