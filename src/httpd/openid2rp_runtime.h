/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_runtime.h - what a running server holds: its settings with every
 * default in place, the store that all processes share, and the world that
 * the core works in.
 */
#ifndef OPENID2RP_RUNTIME_H
#define OPENID2RP_RUNTIME_H

#include "openid2rp_config.h"
#include "orp_env.h"
#include "orp_http.h"

typedef struct openid2rp_runtime_t {
    const openid2rp_server_t *settings;
    const char *site;           /* "NAME:PORT": the server, for what is done
                                 * on its behalf by others */
    orp_env_t env;              /* its log goes to the server's */
    struct openid2rp_limit_t *limit;    /* on login starts */
    struct openid2rp_background_t *background;  /* of the main server; NULL:
                                                 * nothing is done there */
} openid2rp_runtime_t;

/** Hook functions, in the order in which httpd calls them. */
int openid2rp_runtime_pre_config(apr_pool_t *pconf, apr_pool_t *plog,
                                 apr_pool_t *ptemp);
int openid2rp_runtime_post_config(apr_pool_t *pconf, apr_pool_t *plog,
                                  apr_pool_t *ptemp, server_rec *s);
void openid2rp_runtime_child_init(apr_pool_t *pchild, server_rec *s);

/** What a server holds, from post_config on. */
openid2rp_runtime_t *openid2rp_runtime(const server_rec *s);

/**
 * An HTTP client with a server's settings, for work that may be told to end.
 * @param runtime  must outlive the client
 * @param stopped  as in orp_http_curl_t; may be NULL
 * @param baton    what it gets
 */
orp_http_client_t *openid2rp_runtime_client(
    const openid2rp_runtime_t *runtime, int (*stopped)(void *baton),
    void *baton, apr_pool_t *pool);

/** The settings of the server that a request is for. */
const openid2rp_server_t *openid2rp_settings(request_rec *r);

/** The world, with a log that is the request's. Lives as long as r. */
const orp_env_t *openid2rp_env(request_rec *r);

#endif
