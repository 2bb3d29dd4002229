/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_http_curl.h"

#include <string.h>

#include <apr_strings.h>
#include <curl/curl.h>
#include <dlfcn.h>

#include "orp_address.h"
#include "orp_url.h"

/** More headers than any honest server sends, in bytes. */
#define HEADERS_MAX (64 * 1024)

#define USER_AGENT "mod_openid2rp (OpenID relying party)"

const orp_http_curl_t orp_http_curl_defaults = {
    .timeout = 10 * APR_USEC_PER_SEC,
    .connect = 5 * APR_USEC_PER_SEC,
    .max_size = 256 * 1024,
};

/* The client as this file knows it. */
typedef struct {
    orp_http_client_t base;     /* must be the first */
    orp_http_curl_t settings;
    const orp_env_t *env;
} client_t;

/* One exchange, as curl's callbacks see it. */
typedef struct {
    const client_t *client;
    apr_pool_t *pool;
    orp_http_response_t *response;
    char *body;
    apr_size_t room;            /* of body, without its NUL */
    apr_size_t headers;         /* bytes of headers so far */
    apr_uint64_t received;      /* bytes of anything so far */
    int refused;                /* an address was refused */
    int too_big;                /* a ceiling was reached */
    int stopped;                /* the answer is no longer wanted */
} transfer_t;

/* A lookup that outlives its exchange is left to its thread (see set_limits):
 * the library may not be unloaded under it when httpd lets go of the module. */
static void stay_loaded(void)
{
    Dl_info library;

    if (dladdr((void *)curl_easy_init, &library)) {
        (void)dlopen(library.dli_fname,
                     RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
    }
}

apr_status_t orp_http_curl_init(void)
{
    stay_loaded();
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK
        ? APR_SUCCESS : ORP_EFETCH;
}

static size_t take_body(char *bytes, size_t one, size_t count, void *baton)
{
    transfer_t *t = baton;
    orp_http_response_t *response = t->response;
    apr_size_t size = one * count;
    apr_size_t needed = response->size + size;

    if (needed > t->client->settings.max_size) {
        t->too_big = 1;
        return 0;
    }
    if (needed > t->room) {
        char *larger;

        t->room = needed * 2;
        larger = apr_palloc(t->pool, t->room + 1);
        memcpy(larger, t->body, response->size);
        t->body = larger;
    }
    memcpy(t->body + response->size, bytes, size);
    response->size = needed;
    t->body[needed] = '\0';
    return size;
}

/* Keep the first header of a name in its slot. */
static void keep_header(const char **slot, const char *line,
                        const char *name, apr_pool_t *pool)
{
    apr_size_t length = strlen(name);
    apr_size_t size;

    if (*slot || strncasecmp(line, name, length) || line[length] != ':') {
        return;
    }
    line += length + 1;
    line += strspn(line, " \t");
    size = strlen(line);
    while (size && strchr(" \t\r\n", line[size - 1])) {
        size--;
    }
    *slot = apr_pstrmemdup(pool, line, size);
}

static size_t take_header(char *bytes, size_t one, size_t count, void *baton)
{
    transfer_t *t = baton;
    orp_http_response_t *response = t->response;
    const char *line = apr_pstrmemdup(t->pool, bytes, one * count);

    t->headers += one * count;
    if (t->headers > HEADERS_MAX) {
        t->too_big = 1;
        return 0;
    }
    if (!strncmp(line, "HTTP/", 5)) {   /* after a 1xx, another begins */
        response->content_type = NULL;
        response->location = NULL;
        response->xrds_location = NULL;
    }
    keep_header(&response->content_type, line, "Content-Type", t->pool);
    keep_header(&response->location, line, "Location", t->pool);
    keep_header(&response->xrds_location, line, "X-XRDS-Location", t->pool);
    return one * count;
}

/* The last moment before a connection: the address is final here. */
static curl_socket_t open_socket(void *baton, curlsocktype purpose,
                                 struct curl_sockaddr *address)
{
    transfer_t *t = baton;

    if (purpose != CURLSOCKTYPE_IPCXN
        || (!t->client->settings.proxy
            && !orp_address_allowed(&address->addr,
                                    t->client->settings.allow))) {
        t->refused = 1;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}

/* Everything that came: also what never becomes a header or a body, such as
 * the extension of a chunk, which libcurl skips without an end. */
static int count_bytes(CURL *curl, curl_infotype type, char *bytes,
                       size_t size, void *baton)
{
    transfer_t *t = baton;

    (void)curl, (void)bytes;
    if (type == CURLINFO_HEADER_IN || type == CURLINFO_DATA_IN
        || type == CURLINFO_SSL_DATA_IN) {
        t->received += size;
    }
    return 0;
}

/* Called after each read, and at least once a second while nothing moves. */
static int look_up(void *baton, curl_off_t down_all, curl_off_t down,
                   curl_off_t up_all, curl_off_t up)
{
    transfer_t *t = baton;
    const orp_http_curl_t *settings = &t->client->settings;

    (void)down_all, (void)down, (void)up_all, (void)up;
    if (t->received > 2 * ((apr_uint64_t)settings->max_size + HEADERS_MAX)) {
        t->too_big = 1;
    }
    t->stopped = settings->stopped && settings->stopped(settings->baton);
    return t->stopped || t->too_big;
}

static const struct {
    CURLcode code;
    apr_status_t status;
    const char *fmt;            /* one %s: the host */
} curl_errors[] = {
    { CURLE_COULDNT_RESOLVE_HOST, ORP_ERESOLVE,
      "There is no server called %s." },
    { CURLE_COULDNT_RESOLVE_PROXY, ORP_ECONNECT,
      "%s cannot be reached: the proxy's name does not resolve." },
    { CURLE_COULDNT_CONNECT, ORP_ECONNECT, "%s cannot be reached." },
    { CURLE_OPERATION_TIMEDOUT, ORP_ETIMEOUT,
      "%s did not answer in time." },
    { CURLE_SSL_CONNECT_ERROR, ORP_ETLS,
      "No secure connection to %s could be made." },
    { CURLE_PEER_FAILED_VERIFICATION, ORP_ETLS,
      "The certificate of %s does not prove that it is that server." },
    { CURLE_SSL_CACERT_BADFILE, ORP_ETLS,
      "The certificate of %s cannot be checked: the file of certificate "
      "authorities cannot be read." },
    { CURLE_GOT_NOTHING, ORP_EFETCH, "%s closed the connection without an "
      "answer." },
    { CURLE_PARTIAL_FILE, ORP_EFETCH, "%s broke its answer off." },
};

/* curl's failures as ours, in one place. */
static apr_status_t map_error(CURLcode code, const transfer_t *t,
                              const char *url, orp_reason_t *why)
{
    const char *host = strstr(url, "//");
    apr_size_t i;

    host = host ? host + 2 : url;
    host = apr_pstrmemdup(t->pool, host, strcspn(host, "/?"));
    if (t->too_big) {
        return orp_reason_set(why, ORP_ETOOBIG, url,
                              "The answer of %s is too large.", host);
    }
    if (t->refused) {
        return orp_reason_set(why, ORP_EADDRESS, url,
                              "%s is at an address that may not be contacted "
                              "from here.", host);
    }
    if (t->stopped) {
        return orp_reason_set(why, ORP_EFETCH, url,
                              "The exchange with %s was broken off, because "
                              "this process is stopping.", host);
    }
    for (i = 0; i < sizeof(curl_errors) / sizeof(curl_errors[0]); i++) {
        if (curl_errors[i].code == code) {
            const char *fmt = curl_errors[i].fmt;
            const char *mark = strstr(fmt, "%s");

            return orp_reason_set(why, curl_errors[i].status, url,
                                  "%.*s%s%s", (int)(mark - fmt), fmt, host,
                                  mark + 2);
        }
    }
    return orp_reason_set(why, ORP_EFETCH, url,
                          "The exchange with %s failed (%s).", host,
                          curl_easy_strerror(code));
}

static void set_limits(CURL *curl, const client_t *client,
                       apr_time_t deadline)
{
    const orp_http_curl_t *s = &client->settings;
    apr_interval_time_t left = deadline - orp_env_now(client->env);
    long ms = left > 0 ? (long)apr_time_as_msec(left) : 0;

    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ms > 0 ? ms : 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)apr_time_as_msec(s->connect));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* do not wait for a resolver that is slower than the deadline */
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
#endif
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    /* one request needs no HTTP/2, nor the frames that come with it */
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (s->ca_file) {
        /* instead of the system's authorities, not beside them */
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
        curl_easy_setopt(curl, CURLOPT_CAINFO, s->ca_file);
    }
    /* "" keeps the environment's http_proxy and no_proxy out */
    curl_easy_setopt(curl, CURLOPT_PROXY, s->proxy ? s->proxy : "");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
}

static struct curl_slist *set_request(CURL *curl,
                                      const orp_http_request_t *request,
                                      apr_pool_t *pool)
{
    struct curl_slist *headers = NULL;

    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
    if (request->accept) {
        headers = curl_slist_append(headers,
                                    apr_pstrcat(pool, "Accept: ",
                                                request->accept, NULL));
    }
    if (request->form) {
        headers = curl_slist_append(headers, "Expect:");
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE,
                         (long)strlen(request->form));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->form);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    return headers;
}

static void set_callbacks(CURL *curl, transfer_t *t)
{
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_up);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);    /* else it is not called */
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, count_bytes);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, t);
}

static apr_status_t curl_exchange(orp_http_response_t **presp,
                                  const orp_http_client_t *base,
                                  const orp_http_request_t *request,
                                  orp_reason_t *why, apr_pool_t *pool)
{
    const client_t *client = (const client_t *)base;
    orp_http_response_t *response = apr_pcalloc(pool, sizeof(*response));
    transfer_t t = { .client = client, .pool = pool, .response = response,
                     .body = "" };
    struct curl_slist *headers;
    CURL *curl = curl_easy_init();
    CURLcode code;
    long http_status = 0;

    if (!curl) {
        return orp_reason_set(why, ORP_EFETCH, request->url,
                              "There are no resources for a request.");
    }
    set_limits(curl, client, request->deadline);
    set_callbacks(curl, &t);
    headers = set_request(curl, request, pool);
    code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http_status);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        return map_error(code, &t, request->url, why);
    }
    response->status = (int)http_status;
    response->body = t.body;
    if (!response->content_type) {
        response->content_type = "";
    }
    *presp = response;
    return APR_SUCCESS;
}

/* A proxy's URL with its port: curl's own default would be 1080. */
static const char *proxy_url(const char *text, apr_pool_t *pool)
{
    orp_url_t *url;

    if (!text || orp_url_parse(&url, text, NULL, pool) != APR_SUCCESS) {
        return text;
    }
    return apr_psprintf(pool, "%s://%s:%d", url->scheme, url->host,
                        url->port);
}

static int may_contact(const orp_http_client_t *base, const char *host,
                       apr_pool_t *pool)
{
    const client_t *client = (const client_t *)base;

    return orp_host_allowed(host, client->settings.allow, pool);
}

orp_http_client_t *orp_http_curl_create(const orp_http_curl_t *settings,
                                        const orp_env_t *env,
                                        apr_pool_t *pool)
{
    client_t *client = apr_pcalloc(pool, sizeof(*client));

    client->settings = *settings;
    client->settings.proxy = proxy_url(settings->proxy, pool);
    client->env = env;
    client->base.exchange = curl_exchange;
    client->base.timeout = settings->timeout;
    client->base.require_tls = settings->require_tls;
    client->base.may_contact = may_contact;
    return &client->base;
}
