/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_config.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>

#define MINUTES(n) ((n) * 60 * APR_USEC_PER_SEC)

/* The inner section's value, unless it did not say. */
#define PICK_NUMBER(merged, outer, inner, member) \
    ((merged)->member = (inner)->member == OPENID2RP_UNSET \
     ? (outer)->member : (inner)->member)
#define PICK_POINTER(merged, outer, inner, member) \
    ((merged)->member = (inner)->member \
     ? (inner)->member : (outer)->member)

/* ---------------------------------------------------------------------- */
/* Directories */

void *openid2rp_dir_create(apr_pool_t *pool, char *path)
{
    openid2rp_dir_t *dir = apr_pcalloc(pool, sizeof(*dir));

    (void)path;
    dir->intercept = OPENID2RP_UNSET;
    dir->unauth_action = OPENID2RP_UNSET;
    dir->session = OPENID2RP_UNSET;
    dir->session_idle = OPENID2RP_UNSET;
    dir->session_max = OPENID2RP_UNSET;
    dir->immediate = OPENID2RP_UNSET;
    return dir;
}

static openid2rp_cookie_t *merge_cookie(apr_pool_t *pool,
                                        const openid2rp_cookie_t *outer,
                                        const openid2rp_cookie_t *inner)
{
    openid2rp_cookie_t *merged = apr_pcalloc(pool, sizeof(*merged));

    PICK_POINTER(merged, outer, inner, name);
    PICK_POINTER(merged, outer, inner, path);
    PICK_POINTER(merged, outer, inner, domain);
    PICK_POINTER(merged, outer, inner, samesite);
    PICK_NUMBER(merged, outer, inner, secure);
    return merged;
}

/* "policy URL" alone goes with the fields that are asked for outside. */
static orp_sreg_t *merge_sreg(apr_pool_t *pool, orp_sreg_t *outer,
                              orp_sreg_t *inner)
{
    orp_sreg_t *merged;

    if (!inner || !outer) {
        return inner ? inner : outer;
    }
    if (!inner->policy_url || inner->required->nelts
        || inner->optional->nelts) {
        return inner;
    }
    merged = apr_pmemdup(pool, outer, sizeof(*outer));
    merged->policy_url = inner->policy_url;
    return merged;
}

static void merge_dir(openid2rp_dir_t *merged, const openid2rp_dir_t *outer,
                      const openid2rp_dir_t *inner, apr_pool_t *pool)
{
    PICK_NUMBER(merged, outer, inner, intercept);
    PICK_NUMBER(merged, outer, inner, unauth_action);
    PICK_POINTER(merged, outer, inner, providers);
    PICK_POINTER(merged, outer, inner, single_provider);
    PICK_POINTER(merged, outer, inner, provider_allow);
    PICK_POINTER(merged, outer, inner, provider_deny);
    PICK_POINTER(merged, outer, inner, pape);
    PICK_POINTER(merged, outer, inner, teams);
    PICK_NUMBER(merged, outer, inner, immediate);
    PICK_POINTER(merged, outer, inner, realm);
    merged->sreg = merge_sreg(pool, outer->sreg, inner->sreg);
    PICK_POINTER(merged, outer, inner, ax);
    PICK_POINTER(merged, outer, inner, remote_user);
    PICK_POINTER(merged, outer, inner, links);
    PICK_POINTER(merged, outer, inner, pass_headers);
    PICK_POINTER(merged, outer, inner, logout_path);
    merged->logout_target = inner->logout_path ? inner->logout_target
        : outer->logout_target;
    PICK_NUMBER(merged, outer, inner, session);
    PICK_NUMBER(merged, outer, inner, session_idle);
    PICK_NUMBER(merged, outer, inner, session_max);
    if (inner->cookie && outer->cookie) {
        merged->cookie = merge_cookie(pool, outer->cookie, inner->cookie);
    }
    else {
        PICK_POINTER(merged, outer, inner, cookie);
    }
}

void *openid2rp_dir_merge(apr_pool_t *pool, void *outer, void *inner)
{
    openid2rp_dir_t *merged = apr_pcalloc(pool, sizeof(*merged));

    merge_dir(merged, outer, inner, pool);
    return merged;
}

/* What holds where nothing was said: docs/directives.md. */
static openid2rp_dir_t *dir_defaults(apr_pool_t *pool)
{
    static const char *const sreg[] = { "nickname", "email" };
    static const char *const ax[] = { "email", "first", "last" };
    static const openid2rp_cookie_t cookie = {
        "openid2rp", "/", NULL, "Lax", 0
    };
    openid2rp_dir_t *dir = apr_pcalloc(pool, sizeof(*dir));
    orp_sreg_t *request = apr_pcalloc(pool, sizeof(*request));
    apr_array_header_t *required = apr_array_make(pool, 2,
                                                  sizeof(const char *));
    apr_size_t i;

    for (i = 0; i < sizeof(sreg) / sizeof(sreg[0]); i++) {
        APR_ARRAY_PUSH(required, const char *) = sreg[i];
    }
    request->required = required;
    request->optional = apr_array_make(pool, 1, sizeof(const char *));
    dir->sreg = request;
    dir->ax = apr_array_make(pool, 3, sizeof(orp_ax_attr_t));
    for (i = 0; i < sizeof(ax) / sizeof(ax[0]); i++) {
        orp_ax_attr_t *attr = apr_array_push(dir->ax);

        attr->alias = ax[i];
        attr->type = orp_ax_type(ax[i]);
        attr->count = 1;
        attr->required = 1;
    }
    dir->unauth_action = OPENID2RP_UNAUTH_AUTO;
    dir->providers = apr_array_make(pool, 1, sizeof(openid2rp_provider_t));
    dir->single_provider = "";
    dir->realm = "";
    dir->pass_headers = "";
    dir->logout_path = "";
    dir->session = OPENID2RP_UNSET;
    dir->session_idle = MINUTES(60);
    dir->session_max = OPENID2RP_SESSION_MAX;
    dir->cookie = apr_pmemdup(pool, &cookie, sizeof(cookie));
    return dir;
}

/* Where the module protects something, nobody could ever come in without a
 * session; where it stands before an application, that has its own. */
static void settle_session(openid2rp_dir_t *dir, openid2rp_mode_e mode)
{
    if (mode == OPENID2RP_PROTECT) {
        dir->session = OPENID2RP_SESSION_STORE;
    }
    else if (dir->session == OPENID2RP_UNSET) {
        dir->session = OPENID2RP_SESSION_OFF;
    }
}

/* The effective settings are kept with the request: they are asked for a
 * dozen times in each. They belong to one per_dir_config, which a fast
 * internal redirect may change. */
typedef struct {
    const ap_conf_vector_t *from;
    openid2rp_dir_t dir;
} effective_t;

#define EFFECTIVE_KEY "openid2rp:effective"

const openid2rp_dir_t *openid2rp_dir(request_rec *r)
{
    effective_t *effective = NULL;
    void *kept = NULL;

    apr_pool_userdata_get(&kept, EFFECTIVE_KEY, r->pool);
    effective = kept;
    if (!effective || effective->from != r->per_dir_config) {
        effective = apr_pcalloc(r->pool, sizeof(*effective));
        effective->from = r->per_dir_config;
        merge_dir(&effective->dir, dir_defaults(r->pool),
                  ap_get_module_config(r->per_dir_config,
                                       &openid2rp_module), r->pool);
        if (effective->dir.session_max < effective->dir.session_idle) {
            effective->dir.session_max = effective->dir.session_idle;
        }
        settle_session(&effective->dir, openid2rp_mode(r));
        apr_pool_userdata_setn(effective, EFFECTIVE_KEY, NULL, r->pool);
    }
    return &effective->dir;
}

/* Asked of every request that the server gets: so the whole settings are not
 * made for it. */
openid2rp_mode_e openid2rp_mode(request_rec *r)
{
    const char *type = ap_auth_type(r);
    const openid2rp_dir_t *dir;

    if (type && !ap_cstr_casecmp(type, OPENID2RP_AUTH_TYPE)) {
        return OPENID2RP_PROTECT;
    }
    dir = ap_get_module_config(r->per_dir_config, &openid2rp_module);
    return dir->intercept == 1 ? OPENID2RP_INTERCEPT : OPENID2RP_OFF;
}

int openid2rp_is_on(request_rec *r)
{
    return openid2rp_mode(r) != OPENID2RP_OFF;
}

/* ---------------------------------------------------------------------- */
/* Servers */

void *openid2rp_server_create(apr_pool_t *pool, server_rec *s)
{
    openid2rp_server_t *server = apr_pcalloc(pool, sizeof(*server));

    (void)s;
    server->associate = OPENID2RP_UNSET;
    server->login_timeout = OPENID2RP_UNSET;
    server->nonce_lifetime = OPENID2RP_UNSET;
    server->fetch_timeout = OPENID2RP_UNSET;
    server->fetch_connect = OPENID2RP_UNSET;
    server->fetch_max_size = OPENID2RP_UNSET;
    server->fetch_require_tls = OPENID2RP_UNSET;
    server->forwarded = OPENID2RP_UNSET;
    server->publish_xrds = OPENID2RP_UNSET;
    return server;
}

static void merge_server(openid2rp_server_t *merged,
                         const openid2rp_server_t *outer,
                         const openid2rp_server_t *inner)
{
    PICK_POINTER(merged, outer, inner, base_url);
    PICK_NUMBER(merged, outer, inner, associate);
    PICK_NUMBER(merged, outer, inner, login_timeout);
    PICK_NUMBER(merged, outer, inner, nonce_lifetime);
    PICK_NUMBER(merged, outer, inner, fetch_timeout);
    PICK_NUMBER(merged, outer, inner, fetch_connect);
    PICK_NUMBER(merged, outer, inner, fetch_max_size);
    PICK_POINTER(merged, outer, inner, fetch_allow);
    PICK_POINTER(merged, outer, inner, fetch_proxy);
    PICK_POINTER(merged, outer, inner, fetch_ca_file);
    PICK_NUMBER(merged, outer, inner, fetch_require_tls);
    PICK_NUMBER(merged, outer, inner, forwarded);
    PICK_NUMBER(merged, outer, inner, publish_xrds);
    PICK_POINTER(merged, outer, inner, xri_proxy);
    PICK_POINTER(merged, outer, inner, limit_client);
    PICK_POINTER(merged, outer, inner, limit_server);
    PICK_POINTER(merged, outer, inner, store);
}

void *openid2rp_server_merge(apr_pool_t *pool, void *outer, void *inner)
{
    openid2rp_server_t *merged = apr_pcalloc(pool, sizeof(*merged));

    merge_server(merged, outer, inner);
    return merged;
}

const openid2rp_server_t *openid2rp_server(server_rec *s,
                                           orp_associate_mode_e associate,
                                           apr_pool_t *pool)
{
    static const orp_store_place_t shm = {
        .type = ORP_PLACE_SHM, .shown = "shm"
    };
    /* so many in total that their records fit into the store's default size
     * all the time that a login may take */
    static const orp_rate_rule_t limit_client = { 60, MINUTES(1) };
    static const orp_rate_rule_t limit_server = { 300, MINUTES(1) };
    openid2rp_server_t *server = apr_pcalloc(pool, sizeof(*server));
    const openid2rp_server_t defaults = {
        .associate = (int)associate,
        .login_timeout = MINUTES(10),
        .nonce_lifetime = MINUTES(5),
        .fetch_timeout = orp_http_curl_defaults.timeout,
        .fetch_connect = orp_http_curl_defaults.connect,
        .fetch_max_size = (apr_int64_t)orp_http_curl_defaults.max_size,
        .fetch_require_tls = 0,
        .forwarded = 0,
        .publish_xrds = 1,
        .xri_proxy = "",
        .limit_client = &limit_client,
        .limit_server = &limit_server,
        .store = &shm,
    };

    merge_server(server, &defaults,
                 ap_get_module_config(s->module_config, &openid2rp_module));
    return server;
}
