/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_origin.h"

#include <apr_strings.h>
#include <apr_uri.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_vhost.h>

#include "openid2rp_forwarded.h"
#include "openid2rp_limit.h"
#include "openid2rp_runtime.h"
#include "orp_params.h"
#include "orp_url.h"

#define SAID_KEY "mod_openid2rp:misdirected"

/* The public port: ServerName's, else that of the connection. */
static apr_port_t public_port(request_rec *r)
{
    return r->server->port ? r->server->port
        : r->connection->local_addr->port;
}

/* The Host header as a host and a port, or as given in the request line. */
static const char *requested_host(apr_port_t *pport, request_rec *r)
{
    const char *header = apr_table_get(r->headers_in, "Host");
    char *host, *scope;

    *pport = 0;
    if (!r->hostname) {
        return NULL;
    }
    if (r->parsed_uri.hostname) {
        *pport = r->parsed_uri.port;
    }
    else if (header
             && apr_parse_addr_port(&host, &scope, pport, header, r->pool)
             != APR_SUCCESS) {
        return NULL;
    }
    return r->hostname;
}

/* Is this name the server's own? A ServerName without a port leaves the
 * server's port 0, and ap_matches_request_vhost() compares with that. */
static int is_ours(request_rec *r, const char *host, apr_port_t port)
{
    if (port && port != public_port(r)) {
        return 0;
    }
    return !ap_cstr_casecmp(host, r->server->server_hostname)
        || ap_matches_request_vhost(r, host, r->server->port);
}

/* Has it been said of this request, or of the one that it is a part of? The
 * origin is asked for more than once. */
static int was_said(request_rec *r)
{
    void *said = NULL;

    while (r->main) {
        r = r->main;
    }
    apr_pool_userdata_get(&said, SAID_KEY, r->pool);
    apr_pool_userdata_setn(SAID_KEY, SAID_KEY, NULL, r->pool);
    return said != NULL;
}

static int misdirected(request_rec *r, const char *host)
{
    apr_uint64_t unsaid;

    if (!was_said(r) && openid2rp_limit_line(&unsaid, r)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, O2RP(210)
                      "no login: the request is for \"%s\", which is neither "
                      "ServerName nor a ServerAlias of this server, nor set "
                      "by OpenIDBaseURL or a header that OpenIDForwarded "
                      "trusts; since the last such line, %" APR_UINT64_T_FMT
                      " other requests had none",
                      ap_escape_logitem(r->pool, host), unsaid);
    }
    return HTTP_MISDIRECTED_REQUEST;
}

/* Scheme and authority as an origin, if they are one. */
static int make_origin(const char **porigin, request_rec *r,
                       const char *scheme, const char *authority)
{
    orp_url_t *url;

    if (strpbrk(authority, "/?#")
        || orp_url_parse(&url, apr_pstrcat(r->pool, scheme, "://", authority,
                                           NULL), NULL, r->pool)
        != APR_SUCCESS || strcmp(url->path, "/") || url->query
        || url->fragment) {
        return misdirected(r, authority);
    }
    *porigin = orp_url_origin(url, r->pool);
    return OK;
}

/* From the Host that the client names, if it is one of ours. Behind a proxy
 * that says the scheme, the port is the proxy's own. */
static int host_origin(const char **porigin, request_rec *r,
                       const char *proto)
{
    apr_port_t port;
    const char *host = requested_host(&port, r);

    if (host && !is_ours(r, host, proto ? 0 : port)) {
        return misdirected(r, host);
    }
    if (!host) {
        host = r->server->server_hostname;
    }
    if (!proto) {
        port = public_port(r);
    }
    return make_origin(porigin, r, proto ? proto : ap_http_scheme(r),
                       port ? apr_psprintf(r->pool, "%s:%d", host, port)
                       : host);
}

int openid2rp_origin(const char **porigin, request_rec *r)
{
    const openid2rp_server_t *settings = openid2rp_settings(r);
    const char *proto, *host;

    if (settings->base_url) {
        *porigin = orp_url_origin(settings->base_url, r->pool);
        return OK;
    }
    openid2rp_forwarded(&proto, &host, r);
    if (host) {
        return make_origin(porigin, r, proto ? proto : ap_http_scheme(r),
                           host);
    }
    return host_origin(porigin, r, proto);
}

/* httpd decodes r->parsed_uri.path in its place. What came from the browser,
 * and can go back to it, is in r->unparsed_uri alone. There, two slashes at
 * the beginning would name another host ("//host/"), and to a browser a
 * backslash is a slash. */
const char *openid2rp_path(request_rec *r)
{
    const char *whole = r->unparsed_uri;
    apr_uri_t uri;

    while (whole[0] == '/' && whole[1] == '/') {
        whole++;
    }
    if (apr_uri_parse(r->pool, whole, &uri) != APR_SUCCESS || !uri.path) {
        return "/";
    }
    whole = uri.path;
    while (whole[0] == '/' && whole[1] == '/') {
        whole++;
    }
    return *whole == '/' && !strchr(whole, '\\') ? whole : "/";
}

const char *openid2rp_target(request_rec *r, const char *without)
{
    const char *path = openid2rp_path(r);
    const char *query = r->parsed_uri.query;

    if (query) {
        query = orp_query_without(query, without, r->pool);
    }
    return query ? apr_pstrcat(r->pool, path, "?", query, NULL) : path;
}
