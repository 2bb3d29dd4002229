/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_config.h - what the administrator said.
 *
 * Every value can be unset, which is a value of its own: OPENID2RP_UNSET for
 * numbers, NULL for pointers. Merging takes the inner section's value unless
 * it is unset; so an inner section can also restore a default. Defaults are
 * applied when a value is read, by openid2rp_dir() and openid2rp_server().
 */
#ifndef OPENID2RP_CONFIG_H
#define OPENID2RP_CONFIG_H

#include "openid2rp.h"
#include "orp_http_curl.h"
#include "orp_rate.h"
#include "orp_rp.h"
#include "orp_store_place.h"
#include "orp_url.h"

#define OPENID2RP_UNSET (-1)

/** How long a session lives at most, where nothing is said. */
#define OPENID2RP_SESSION_MAX (12 * 3600 * APR_USEC_PER_SEC)

typedef enum {
    OPENID2RP_UNAUTH_AUTO,      /* a page for people, 401 for programs */
    OPENID2RP_UNAUTH_LOGIN,
    OPENID2RP_UNAUTH_401
} openid2rp_unauth_e;

/** Who asks whom to sign in. */
typedef enum {
    OPENID2RP_OFF,              /* the module is not wanted here */
    OPENID2RP_PROTECT,          /* AuthType OpenID */
    OPENID2RP_INTERCEPT         /* OpenIDIntercept On: the application does */
} openid2rp_mode_e;

/** OpenIDSession: where it is kept who is signed in. */
typedef enum {
    OPENID2RP_SESSION_STORE,
    OPENID2RP_SESSION_OFF       /* nowhere: the application has its own */
} openid2rp_session_e;

/** OpenIDForwarded: which headers of the proxy in front are believed. */
#define OPENID2RP_FORWARDED_PROTO 1     /* X-Forwarded-Proto */
#define OPENID2RP_FORWARDED_HOST  2     /* X-Forwarded-Host */
#define OPENID2RP_FORWARDED_RFC   4     /* Forwarded (RFC 7239) */

/** OpenIDProvider: a button on the login page. */
typedef struct openid2rp_provider_t {
    const char *label;
    const char *url;            /* OP Identifier, normalized */
} openid2rp_provider_t;

/** OpenIDCookie. NULL and OPENID2RP_UNSET: the default. */
typedef struct openid2rp_cookie_t {
    const char *name;
    const char *path;
    const char *domain;
    const char *samesite;
    int secure;                 /* 1: always; 0: on https only */
} openid2rp_cookie_t;

/** Settings of a directory, location or host. */
typedef struct openid2rp_dir_t {
    int intercept;
    int unauth_action;                      /* openid2rp_unauth_e */
    apr_array_header_t *providers;          /* of openid2rp_provider_t */
    const char *single_provider;            /* "" for none */
    apr_array_header_t *provider_allow;     /* openid2rp_provider.h */
    apr_array_header_t *provider_deny;
    orp_pape_t *pape;                       /* asking for nothing: off */
    apr_array_header_t *teams;              /* of const char * */
    int immediate;
    const char *realm;                      /* a pattern; "" for the default */
    orp_sreg_t *sreg;                       /* without fields: off */
    apr_array_header_t *ax;                 /* of orp_ax_attr_t; empty: off */
    const struct openid2rp_user_source_t *remote_user;  /* NULL: the claimed
                                             * identifier (openid2rp_user.h) */
    const struct openid2rp_links_t *links;  /* NULL: none (likewise) */
    const char *pass_headers;               /* their prefix; "" for none */
    const char *logout_path;                /* "" for none */
    const char *logout_target;              /* a path */
    int session;                            /* openid2rp_session_e */
    apr_interval_time_t session_idle;
    apr_interval_time_t session_max;
    openid2rp_cookie_t *cookie;
} openid2rp_dir_t;

/** Settings of a server or virtual host. */
typedef struct openid2rp_server_t {
    const orp_url_t *base_url;              /* OpenIDBaseURL */
    int associate;                          /* orp_associate_mode_e */
    apr_interval_time_t login_timeout;
    apr_interval_time_t nonce_lifetime;
    apr_interval_time_t fetch_timeout;
    apr_interval_time_t fetch_connect;
    apr_int64_t fetch_max_size;
    apr_array_header_t *fetch_allow;        /* of orp_cidr_t */
    const char *fetch_proxy;
    const char *fetch_ca_file;
    int fetch_require_tls;
    int forwarded;                          /* OPENID2RP_FORWARDED_*, or-ed */
    int publish_xrds;
    const char *xri_proxy;                  /* "" for none */
    const orp_rate_rule_t *limit_client;    /* OpenIDRateLimit; its address */
    const orp_rate_rule_t *limit_server;    /* says whose counters it has */
    const orp_store_place_t *store;         /* main server only */
    struct openid2rp_runtime_t *runtime;    /* made by post_config */
} openid2rp_server_t;

/** The functions of the module record. */
void *openid2rp_dir_create(apr_pool_t *pool, char *path);
void *openid2rp_dir_merge(apr_pool_t *pool, void *outer, void *inner);
void *openid2rp_server_create(apr_pool_t *pool, server_rec *s);
void *openid2rp_server_merge(apr_pool_t *pool, void *outer, void *inner);

/** The settings for a request, every default in its place. Made once for a
 * request; lives as long as it. */
const openid2rp_dir_t *openid2rp_dir(request_rec *r);

/** The settings of a server, every default in its place.
 * @param associate  the default of OpenIDAssociate, which depends on what else
 *                   is there
 * @param pool       what the copy lives in */
const openid2rp_server_t *openid2rp_server(server_rec *s,
                                           orp_associate_mode_e associate,
                                           apr_pool_t *pool);

/** Which mode is a request in? Where both are configured, AuthType OpenID
 * wins: what is protected stays so. */
openid2rp_mode_e openid2rp_mode(request_rec *r);

/** Is it in any? */
int openid2rp_is_on(request_rec *r);

#endif
