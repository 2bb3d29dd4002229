/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include <arpa/inet.h>
#include <stdarg.h>
#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include "orp_codec.h"
#include "orp_crypto.h"
#include "orp_store_place_reader.h"

#define SERVERS_MAX 64
#define TIMEOUT (500 * 1000)            /* microseconds */

typedef struct scheme_t {
    const char *name;
    const char *slashes;        /* what must follow the colon */
    orp_place_e type;
    int tls;
    apr_port_t port;            /* the default */
    apr_status_t (*read)(reader_t *reader, const char *rest);
} scheme_t;

apr_status_t orp_place_refuse(reader_t *reader, const char *fmt, ...)
{
    va_list args;
    const char *sentence;

    va_start(args, fmt);
    sentence = apr_pvsprintf(reader->pool, fmt, args);
    va_end(args);
    return orp_reason_set(reader->why, APR_EINVAL, NULL, "%s", sentence);
}

const char *orp_place_quoted(const reader_t *reader, const char *part)
{
    return reader->secret ? ""
        : apr_psprintf(reader->pool, " \"%.100s\"", part);
}

char *orp_place_cut(char *text, char at)
{
    char *found = strchr(text, at);

    if (found) {
        *found++ = '\0';
    }
    return found;
}

/* ---------------------------------------------------------------------- */
/* Servers */

static int is_name(const char *host)
{
    return !host[strspn(host, "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")];
}

/* "[::1]:6379": takes the brackets away. @return what stands behind them, or
 * NULL where that is no such address */
static char *read_ipv6(const char **phost, char *text)
{
    unsigned char bytes[16];
    char *rest = orp_place_cut(text, ']');

    *phost = text + 1;
    return rest && inet_pton(AF_INET6, text + 1, bytes) == 1
        && (!*rest || *rest == ':') ? rest : NULL;
}

static apr_status_t read_host(orp_place_server_t *server, reader_t *reader,
                              char *text, char **pport)
{
    const char *whole = apr_pstrdup(reader->pool, text);
    char *rest;

    if (*text != '[') {
        *pport = orp_place_cut(text, ':');
        server->host = text;
        if (!*text) {
            return orp_place_refuse(reader,
                                    "There is no host in the address.");
        }
        return is_name(text) ? APR_SUCCESS
            : orp_place_refuse(reader, "The host%s is not a name or an "
                               "address of letters, digits, \".\", \"-\" and "
                               "\"_\"; an IPv6 address needs brackets.",
                               orp_place_quoted(reader, whole));
    }
    if (reader->place->type == ORP_PLACE_MEMCACHE) {
        return orp_place_refuse(reader, "The host%s is an IPv6 address; "
                                "memcache servers can be had by IPv4 only.",
                                orp_place_quoted(reader, whole));
    }
    rest = read_ipv6(&server->host, text);
    if (!rest) {
        return orp_place_refuse(reader, "The host%s is not an IPv6 address in "
                                "brackets.", orp_place_quoted(reader, whole));
    }
    *pport = orp_place_cut(rest, ':');
    return APR_SUCCESS;
}

static apr_status_t read_server(reader_t *reader, char *text)
{
    orp_place_server_t *server = apr_array_push(reader->place->servers);
    char *port = NULL;
    apr_uint64_t number = reader->port;
    apr_status_t status = read_host(server, reader, text, &port);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (port && (orp_number_parse(&number, port, 65535) != APR_SUCCESS
                 || !number)) {
        return orp_place_refuse(reader, "The port%s is not a number from 1 to "
                                "65535.", orp_place_quoted(reader, port));
    }
    server->port = (apr_port_t)number;
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* What stands before "@" */

static apr_status_t read_secret(const char **psecret, reader_t *reader,
                                const char *what, const char *text)
{
    if (orp_percent_decode(psecret, text, strlen(text), 0, reader->pool)
        != APR_SUCCESS) {
        return orp_place_refuse(reader, "The %s before \"@\" is not "
                                "percent-encoded text: a \"%%\" is written "
                                "\"%%25\".", what);
    }
    if (!**psecret || strlen(*psecret) > ORP_PLACE_SECRET_MAX) {
        return orp_place_refuse(reader, "The %s before \"@\" is empty or "
                                "longer than %d bytes.", what,
                                ORP_PLACE_SECRET_MAX);
    }
    return APR_SUCCESS;
}

static apr_status_t read_credentials(reader_t *reader, char *text)
{
    orp_store_place_t *place = reader->place;
    char *password = orp_place_cut(text, ':');
    const char *decoded;
    apr_status_t status = APR_SUCCESS;

    if (*text || !password) {
        status = read_secret(&place->user, reader, "user name", text);
    }
    if (status == APR_SUCCESS && password) {
        status = read_secret(&decoded, reader, "password", password);
        if (status == APR_SUCCESS) {
            place->password = decoded;
            orp_cleanse_later((char *)decoded, strlen(decoded),
                              reader->pool);
        }
        orp_cleanse(password, strlen(password));
    }
    return status;
}

/* The text again, with "***" for a password. */
static const char *without_password(const char *text, apr_pool_t *pool)
{
    const char *begin = strstr(text, "://");
    const char *end;
    const char *colon;

    if (!begin) {
        return apr_pstrdup(pool, text);
    }
    begin += 3;
    for (end = begin + strcspn(begin, "/?"); end > begin && *end != '@';) {
        end--;
    }
    colon = memchr(begin, ':', (apr_size_t)(end - begin));
    return colon
        ? apr_pstrcat(pool, apr_pstrmemdup(pool, text,
                                           (apr_size_t)(colon - text)),
                      ":***", end, NULL)
        : apr_pstrdup(pool, text);
}

/* ---------------------------------------------------------------------- */
/* The four types */

static apr_status_t read_shm(reader_t *reader, const char *rest)
{
    return rest ? orp_place_read_size(reader, rest) : APR_SUCCESS;
}

static apr_status_t read_dbm(reader_t *reader, const char *rest)
{
    char *path = apr_pstrdup(reader->pool, rest);
    char *query = orp_place_cut(path, '?');
    apr_status_t status = orp_place_check_path(reader, "dbm's file", path);

    reader->place->path = path;
    return status == APR_SUCCESS ? orp_place_read_options(reader, query)
        : status;
}

/* @param path  what stands behind the first "/", or NULL
 * @param host  "": the path is a socket's */
static apr_status_t read_redis_target(reader_t *reader, char *host,
                                      const char *path)
{
    orp_store_place_t *place = reader->place;
    apr_status_t status;

    if (!*host && path && *path) {
        place->path = apr_pstrcat(reader->pool, "/", path, NULL);
        return place->tls
            ? orp_place_refuse(reader, "A socket has no TLS: \"redis:\" is "
                               "for it, or there is no host in the address.")
            : orp_place_check_path(reader, "socket", place->path);
    }
    status = read_server(reader, host);
    return status == APR_SUCCESS && path && *path
        ? orp_place_read_database(reader, path) : status;
}

static apr_status_t read_redis(reader_t *reader, const char *rest)
{
    orp_store_place_t *place = reader->place;
    char *text = apr_pstrdup(reader->pool, rest);
    char *query;
    char *path;
    char *at;
    apr_status_t status = APR_SUCCESS;

    /* where "@" was forgotten, a password stands where a port belongs */
    reader->secret = 1;
    orp_cleanse_later(text, strlen(text), reader->pool);
    query = orp_place_cut(text, '?');
    path = orp_place_cut(text, '/');
    at = strrchr(text, '@');
    if (at) {
        *at = '\0';
        status = read_credentials(reader, text);
        text = at + 1;
    }
    if (status == APR_SUCCESS) {
        status = read_redis_target(reader, text, path);
    }
    if (status == APR_SUCCESS) {
        reader->secret = strchr(rest, '@') != NULL;
        status = orp_place_read_options(reader, query);
    }
    if (status == APR_SUCCESS && place->user && !place->password) {
        return orp_place_refuse(reader, "There is a user name, but no "
                                "password: it is written before \"@\", or "
                                "into a password file.");
    }
    return status;
}

static apr_status_t check_server_once(reader_t *reader)
{
    const apr_array_header_t *servers = reader->place->servers;
    const orp_place_server_t *server = (void *)servers->elts;
    const orp_place_server_t *last = server + servers->nelts - 1;

    if (servers->nelts > SERVERS_MAX) {
        return orp_place_refuse(reader, "There are more than %d servers.",
                                SERVERS_MAX);
    }
    for (; server < last; server++) {
        if (!apr_cstr_casecmp(server->host, last->host)
            && server->port == last->port) {
            return orp_place_refuse(reader, "The server \"%s:%d\" is there "
                                    "twice.", last->host, (int)last->port);
        }
    }
    return APR_SUCCESS;
}

static apr_status_t read_memcache(reader_t *reader, const char *rest)
{
    char *text = apr_pstrdup(reader->pool, rest);
    char *query = orp_place_cut(text, '?');
    char *path = orp_place_cut(text, '/');
    apr_status_t status = APR_SUCCESS;

    if (strchr(text, '@')) {
        return orp_place_refuse(reader, "There is an \"@\" in the address; "
                                "memcache servers have no users and "
                                "passwords.");
    }
    if (path && *path) {
        return orp_place_refuse(reader, "There is a path%s behind the "
                                "servers; memcache has no databases.",
                                orp_place_quoted(reader, path));
    }
    while (text && status == APR_SUCCESS) {
        char *next = orp_place_cut(text, ',');

        status = read_server(reader, text);
        if (status == APR_SUCCESS) {
            status = check_server_once(reader);
        }
        text = next;
    }
    return status == APR_SUCCESS ? orp_place_read_options(reader, query)
        : status;
}

static const scheme_t schemes[] = {
    { "shm", "", ORP_PLACE_SHM, 0, 0, read_shm },
    { "dbm", "", ORP_PLACE_DBM, 0, 0, read_dbm },
    { "redis", "//", ORP_PLACE_REDIS, 0, 6379, read_redis },
    { "rediss", "//", ORP_PLACE_REDIS, 1, 6379, read_redis },
    { "memcache", "//", ORP_PLACE_MEMCACHE, 0, 11211, read_memcache },
};

static const scheme_t *find_scheme(const char *text, apr_size_t length)
{
    apr_size_t i;

    for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (strlen(schemes[i].name) == length
            && !apr_cstr_casecmpn(text, schemes[i].name, length)) {
            return &schemes[i];
        }
    }
    return NULL;
}

static orp_store_place_t *place_create(const scheme_t *scheme,
                                       const char *text, apr_pool_t *pool)
{
    orp_store_place_t *place = apr_pcalloc(pool, sizeof(*place));

    place->type = scheme->type;
    place->tls = scheme->tls;
    place->shown = without_password(text, pool);
    place->servers = apr_array_make(pool, 1, sizeof(orp_place_server_t));
    place->prefix = "openid2rp:";
    place->timeout = TIMEOUT;
    return place;
}

apr_status_t orp_store_place_parse(orp_store_place_t **pplace,
                                   const char *text, orp_reason_t *why,
                                   apr_pool_t *pool)
{
    reader_t reader = { NULL, 0, 0, strchr(text, '@') != NULL, why, pool };
    apr_size_t length = strcspn(text, ":");
    const char *rest = text[length] ? text + length + 1 : NULL;
    const scheme_t *scheme = find_scheme(text, length);
    apr_status_t status;

    if (orp_has_control(text)) {
        return orp_place_refuse(&reader,
                                "There is a control character in it.");
    }
    if (!scheme) {
        return orp_place_refuse(
            &reader, "The store%s is none of shm, dbm:, redis://, rediss:// "
            "and memcache://.",
            orp_place_quoted(&reader, apr_pstrmemdup(pool, text, length)));
    }
    length = strlen(scheme->slashes);
    if (scheme->type != ORP_PLACE_SHM
        && (!rest || strncmp(rest, scheme->slashes, length))) {
        return orp_place_refuse(&reader, "Behind \"%s\" comes \":%s\", and "
                                "then where it is.",
                                scheme->name, scheme->slashes);
    }
    reader.place = place_create(scheme, text, pool);
    reader.port = scheme->port;
    status = scheme->read(&reader, rest ? rest + length : NULL);
    if (status == APR_SUCCESS) {
        *pplace = reader.place;
    }
    return status;
}
