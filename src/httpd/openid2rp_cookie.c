/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_cookie.h"

#include <stdlib.h>

#include <apr_strings.h>

#include "openid2rp_origin.h"
#include "orp_codec.h"

#define KEPT_KEY "openid2rp:cookies"
#define HOST_PREFIX "__Host-"
#define SECURE_PREFIX "__Secure-"
#define LOGIN_PREFIX "openid2rp_login_"
#define LOGIN_KEY_CHARS 12
#define SECONDS_CHARS 12

/* How many values are tried for one login: as many as a Cookie header of
 * httpd's default size can hold, or nearly so. They cost a hash each. */
#define LOGIN_VALUES_MAX 128

/* How many are removed at a time: each is a line of the response's head. */
#define REMOVED_MAX 16

/* One cookie of a request; points into the header. */
typedef struct {
    const char *name;
    apr_size_t name_size;
    const char *value;
    apr_size_t value_size;
} pair_t;

/* The next one of "a=b; c=d"; what has no "=" is skipped. */
static int next_pair(pair_t *pair, const char **pcookies)
{
    const char *c = *pcookies;

    while (c && *c) {
        apr_size_t size, name;

        c += strspn(c, "; \t");
        size = strcspn(c, ";");
        name = strcspn(c, "=;");
        if (name < size) {
            pair->name = c;
            pair->name_size = name;
            pair->value = c + name + 1;
            pair->value_size = size - name - 1;
            *pcookies = c + size;
            return 1;
        }
        c += size;
    }
    return 0;
}

/* When a cookie of a login was set, as it says; 0 where it does not. */
static apr_uint64_t seconds_of(const pair_t *pair, apr_pool_t *pool)
{
    apr_uint64_t seconds;

    if (pair->value_size <= ORP_TOKEN_CHARS + 1
        || pair->value_size > ORP_TOKEN_CHARS + 1 + SECONDS_CHARS
        || pair->value[ORP_TOKEN_CHARS] != '.'
        || orp_number_parse(&seconds, apr_pstrmemdup(
               pool, pair->value + ORP_TOKEN_CHARS + 1,
               pair->value_size - ORP_TOKEN_CHARS - 1), APR_INT64_MAX)
        != APR_SUCCESS) {
        return 0;
    }
    return seconds;
}

/* Is it a token, or one with the time behind it? */
static int is_value(const pair_t *pair, apr_pool_t *pool)
{
    return pair->value_size >= ORP_TOKEN_CHARS
        && orp_base64url_span(pair->value) == ORP_TOKEN_CHARS
        && (pair->value_size == ORP_TOKEN_CHARS || seconds_of(pair, pool));
}

static int has_value(const apr_array_header_t *values, const char *value)
{
    int i;

    for (i = 0; i < values->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(values, i, const char *), value)) {
            return 1;
        }
    }
    return 0;
}

const char *openid2rp_cookie_keep(request_rec *r)
{
    void *kept = NULL;

    while (r->main) {           /* a part has the page's */
        r = r->main;
    }
    apr_pool_userdata_get(&kept, KEPT_KEY, r->pool);
    if (!kept) {
        kept = (void *)apr_table_get(r->headers_in, "Cookie");
        if (kept) {
            apr_pool_userdata_setn(kept, KEPT_KEY, NULL, r->pool);
        }
    }
    return kept;
}

apr_array_header_t *openid2rp_cookie_values(request_rec *r, const char *name,
                                            int max)
{
    apr_array_header_t *values = apr_array_make(r->pool, 1,
                                                sizeof(const char *));
    const char *cookies = openid2rp_cookie_keep(r);
    apr_size_t length = strlen(name);
    pair_t pair;

    while (values->nelts < max && next_pair(&pair, &cookies)) {
        const char *value;

        if (pair.name_size != length || strncmp(pair.name, name, length)
            || !is_value(&pair, r->pool)) {
            continue;
        }
        value = apr_pstrmemdup(r->pool, pair.value, pair.value_size);
        if (!has_value(values, value)) {
            APR_ARRAY_PUSH(values, const char *) = value;
        }
    }
    return values;
}

int openid2rp_cookie_is_host(const char *name)
{
    return !ap_cstr_casecmpn(name, HOST_PREFIX, sizeof(HOST_PREFIX) - 1);
}

int openid2rp_cookie_is_prefixed(const char *name)
{
    return openid2rp_cookie_is_host(name)
        || !ap_cstr_casecmpn(name, SECURE_PREFIX, sizeof(SECURE_PREFIX) - 1);
}

int openid2rp_cookie_is_login(const char *name)
{
    if (openid2rp_cookie_is_host(name)) {
        name += sizeof(HOST_PREFIX) - 1;
    }
    return !strncmp(name, LOGIN_PREFIX, sizeof(LOGIN_PREFIX) - 1);
}

/* As the outside sees it: TLS may end before us. */
static int is_https(request_rec *r)
{
    const char *origin;

    return openid2rp_origin(&origin, r) == OK
        && !strncmp(origin, "https:", 6);
}

static void set_cookie(request_rec *r, const char *name, const char *value,
                       int secure, const char *attributes)
{
    apr_table_addn(r->err_headers_out, "Set-Cookie",
                   apr_pstrcat(r->pool, name, "=", value, "; HttpOnly",
                               secure ? "; Secure" : "", attributes, NULL));
}

/* ---------------------------------------------------------------------- */
/* Sessions */

/* What sections say adds up, so it may contradict itself, which no browser
 * would keep; then the name comes first, and SameSite=None before "auto". */
static int needs_https(const openid2rp_cookie_t *cookie)
{
    return cookie->secure || openid2rp_cookie_is_prefixed(cookie->name)
        || !ap_cstr_casecmp(cookie->samesite, "None");
}

static void set_session(request_rec *r, const char *value, const char *end)
{
    const openid2rp_cookie_t *cookie = openid2rp_dir(r)->cookie;
    int host = openid2rp_cookie_is_host(cookie->name);
    int domain = cookie->domain && !host;

    set_cookie(r, cookie->name, value, needs_https(cookie) || is_https(r),
               apr_pstrcat(r->pool, "; Path=", host ? "/" : cookie->path,
                           "; SameSite=", cookie->samesite,
                           domain ? "; Domain=" : "",
                           domain ? cookie->domain : "", end, NULL));
}

void openid2rp_cookie_set_session(request_rec *r, const char *value)
{
    const openid2rp_cookie_t *cookie = openid2rp_dir(r)->cookie;

    if (needs_https(cookie) && !is_https(r)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, O2RP(253)
                      "browsers keep the cookie \"%s\" by https only, and this "
                      "site is an http one: nobody stays signed in "
                      "(OpenIDCookie, OpenIDBaseURL)", cookie->name);
    }
    set_session(r, value, "");
}

void openid2rp_cookie_clear_session(request_rec *r)
{
    set_session(r, "", "; Max-Age=0");
}

/* ---------------------------------------------------------------------- */
/* Logins */

static const char *login_prefix(request_rec *r)
{
    return is_https(r) ? HOST_PREFIX LOGIN_PREFIX : LOGIN_PREFIX;
}

static const char *login_name(request_rec *r, const char *key)
{
    return apr_pstrcat(r->pool, login_prefix(r),
                       apr_pstrndup(r->pool, key, LOGIN_KEY_CHARS), NULL);
}

static void set_login(request_rec *r, const char *name, const char *value,
                      apr_interval_time_t lifetime)
{
    set_cookie(r, name, value, openid2rp_dir(r)->cookie->secure
               || is_https(r),
               apr_psprintf(r->pool, "; Path=/; SameSite=Lax; Max-Age=%"
                            APR_TIME_T_FMT, apr_time_sec(lifetime)));
}

/* The cookie of a login, and how old it is. */
typedef struct {
    const char *name;
    apr_uint64_t seconds;
    int place;                  /* in the header */
} begun_t;

/* Youngest first. In one second, what stands behind is younger (RFC 6265,
 * 5.4). */
static int by_age(const void *one, const void *two)
{
    const begun_t *a = one, *b = two;

    if (a->seconds != b->seconds) {
        return a->seconds < b->seconds ? 1 : -1;
    }
    return b->place - a->place;
}

/* All cookies of logins, youngest first. What has no time, or one to come, is
 * none that we have set, and counts as the oldest. */
static apr_array_header_t *logins_begun(request_rec *r)
{
    apr_array_header_t *all = apr_array_make(r->pool, 1, sizeof(begun_t));
    const char *prefix = login_prefix(r);
    apr_size_t length = strlen(prefix);
    apr_uint64_t now = (apr_uint64_t)apr_time_sec(r->request_time);
    const char *cookies = openid2rp_cookie_keep(r);
    pair_t pair;

    while (next_pair(&pair, &cookies)) {
        begun_t *begun;

        if (pair.name_size != length + LOGIN_KEY_CHARS
            || strncmp(pair.name, prefix, length)
            || orp_base64url_span(pair.name + length) != LOGIN_KEY_CHARS) {
            continue;
        }
        begun = apr_array_push(all);
        begun->name = apr_pstrmemdup(r->pool, pair.name, pair.name_size);
        begun->seconds = seconds_of(&pair, r->pool);
        begun->seconds = begun->seconds > now ? 0 : begun->seconds;
        begun->place = all->nelts;
    }
    qsort(all->elts, (size_t)all->nelts, sizeof(begun_t), by_age);
    return all;
}

/* A browser that begins logins and ends none (a tab that is restored again and
 * again) would collect cookies until its requests are too large for httpd. The
 * time in the cookie says which are old: the store is not asked. */
static void make_room(request_rec *r)
{
    const apr_array_header_t *all = logins_begun(r);
    int i;

    for (i = OPENID2RP_COOKIE_LOGINS - 1;
         i < all->nelts && i < OPENID2RP_COOKIE_LOGINS - 1 + REMOVED_MAX;
         i++) {
        set_login(r, APR_ARRAY_IDX(all, i, begun_t).name, "", 0);
    }
}

void openid2rp_cookie_set_login(request_rec *r, const char *key,
                                const char *token,
                                apr_interval_time_t lifetime)
{
    make_room(r);
    set_login(r, login_name(r, key),
              apr_psprintf(r->pool, "%s.%" APR_TIME_T_FMT, token,
                           apr_time_sec(r->request_time)), lifetime);
}

void openid2rp_cookie_clear_login(request_rec *r, const char *key)
{
    set_login(r, login_name(r, key), "", 0);
}

const char *openid2rp_cookie_login(request_rec *r, const orp_login_t *login)
{
    const apr_array_header_t *values
        = openid2rp_cookie_values(r, login_name(r, login->key),
                                  LOGIN_VALUES_MAX);
    const char *token = NULL;
    int i;

    for (i = 0; i < values->nelts; i++) {
        token = apr_pstrmemdup(r->pool,
                               APR_ARRAY_IDX(values, i, const char *),
                               ORP_TOKEN_CHARS);
        if (orp_login_is_browser(login, token, r->pool)) {
            break;
        }
    }
    return token;
}
