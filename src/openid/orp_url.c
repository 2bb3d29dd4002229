/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_url.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <arpa/inet.h>

#include "orp_codec.h"
#include "orp_domain.h"

/* RFC 3986, appendix A: what may stand in a path beside escapes; a query may
 * hold "?" as well. */
static const char path_chars[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    "-._~!$&'()*+,;=:@/";
static const char host_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
static const char unreserved[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

static int among(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

int orp_url_default_port(const char *scheme)
{
    return strcmp(scheme, "https") == 0 ? 443 : 80;
}

/* Write one percent escape in its normal form; text is at the "%". */
static char *normal_escape(char *out, const char *text)
{
    char c = (char)(orp_hex_digit(text[1]) << 4 | orp_hex_digit(text[2]));

    if (among(c, unreserved)) {
        *out++ = c;
        return out;
    }
    *out++ = '%';
    *out++ = (char)apr_toupper(text[1]);
    *out++ = (char)apr_toupper(text[2]);
    return out;
}

/* Normalize the escapes of a path, query or fragment; NULL if one is broken.
 * What a URL may not hold as it is (an IRI's letters, a quote) is escaped. */
static const char *normal_component(const char *text, apr_size_t size,
                                    const char *more, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, 3 * size + 1);
    char *o = out;
    apr_size_t i;

    for (i = 0; i < size; i++) {
        if (text[i] == '%') {
            if (size - i < 3 || orp_hex_digit(text[i + 1]) < 0
                || orp_hex_digit(text[i + 2]) < 0) {
                return NULL;
            }
            o = normal_escape(o, text + i);
            i += 2;
        }
        else if (among(text[i], path_chars) || among(text[i], more)) {
            *o++ = text[i];
        }
        else {
            o += apr_snprintf(o, 4, "%%%02X", (unsigned char)text[i]);
        }
    }
    *o = '\0';
    return out;
}

/* RFC 3986, 5.2.4. The path begins with "/" and is changed in place. */
static void remove_dot_segments(char *path)
{
    const char *in = path;
    char *out = path;

    while (*in) {
        apr_size_t size = 1 + strcspn(in + 1, "/");
        int dot = size == 2 && !strncmp(in, "/.", 2);
        int dots = size == 3 && !strncmp(in, "/..", 3);

        if (!dot && !dots) {
            memmove(out, in, size);
            out += size;
        }
        if (dots) {
            while (out > path && *--out != '/') {
                continue;
            }
        }
        in += size;
        if ((dot || dots) && !*in) {
            *out++ = '/';
        }
    }
    *out = '\0';
}

static apr_status_t parse_port(int *pport, const char *text,
                               apr_size_t size, const char *scheme,
                               apr_pool_t *pool)
{
    apr_uint64_t port;

    if (size == 0) {            /* "http://host:/" */
        *pport = orp_url_default_port(scheme);
        return APR_SUCCESS;
    }
    if (orp_number_parse(&port, apr_pstrmemdup(pool, text, size), 65535)
        != APR_SUCCESS || port == 0) {
        return ORP_EURL;
    }
    *pport = (int)port;
    return APR_SUCCESS;
}

/* The end of the host: behind the bracket of an IPv6 address, at the colon of
 * a port, or NULL where no host can be read. */
static const char *host_end(const char *text, apr_size_t size)
{
    apr_size_t n;

    if (size && text[0] == '[') {
        n = strspn(text + 1, "0123456789abcdefABCDEF:.");
        return n >= 2 && n + 1 < size && text[n + 1] == ']'
            ? text + n + 2 : NULL;
    }
    for (n = 0; n < size && text[n] != ':'; n++) {
        if (!among((char)apr_tolower(text[n]), host_chars)) {
            return NULL;
        }
    }
    return n ? text + n : NULL;
}

/* An IPv6 address has many spellings; this is the one of RFC 5952. */
static const char *normal_ipv6(const char *host, apr_pool_t *pool)
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];

    if (inet_pton(AF_INET6, apr_pstrndup(pool, host + 1, strlen(host) - 2),
                  &address) != 1
        || !inet_ntop(AF_INET6, &address, text, sizeof(text))) {
        return NULL;
    }
    return apr_pstrcat(pool, "[", text, "]", NULL);
}

/* A label is not empty, but that a name may end in a dot; and one that begins
 * like an option is no host's. */
static int has_good_labels(const char *host)
{
    return *host != '.' && *host != '-' && !strstr(host, "..");
}

/* The host at text, normalized; an IRI's in ASCII.
 * @return where it ends, or NULL where it is none */
static const char *read_host(const char **phost, const char *text,
                             apr_size_t size, apr_pool_t *pool)
{
    const char *end, *ascii;
    apr_size_t length = 0;
    char *c;

    while (length < size && text[length] != ':' && *text != '[') {
        length++;
    }
    if (!orp_is_ascii(text, length)) {
        if (orp_domain_to_ascii(&ascii, apr_pstrmemdup(pool, text, length),
                                pool) != APR_SUCCESS
            || !has_good_labels(ascii)
            || host_end(ascii, strlen(ascii)) != ascii + strlen(ascii)) {
            return NULL;
        }
        *phost = ascii;
        return text + length;
    }
    end = host_end(text, size);
    if (!end) {
        return NULL;
    }
    ascii = apr_pstrmemdup(pool, text, (apr_size_t)(end - text));
    for (c = (char *)ascii; *c; c++) {
        *c = (char)apr_tolower(*c);
    }
    if (!has_good_labels(ascii)) {
        return NULL;
    }
    *phost = *ascii == '[' ? normal_ipv6(ascii, pool) : ascii;
    return *phost ? end : NULL;
}

/* RFC 3986, 3.2: no user information here, a host always. */
static apr_status_t parse_authority(orp_url_t *url, const char *text,
                                    apr_size_t size, orp_reason_t *why,
                                    const char *whole, apr_pool_t *pool)
{
    const char *end;

    if (memchr(text, '@', size)) {
        return orp_reason_set(why, ORP_EURL, whole,
                              "The address contains a user name or password "
                              "before the host name.");
    }
    if (size == 0) {
        return orp_reason_set(why, ORP_EURL, whole,
                              "The address has no host name.");
    }
    end = read_host(&url->host, text, size, pool);
    if (!end || (end < text + size && *end != ':')) {
        return orp_reason_set(why, ORP_EURL, whole,
                              "The host name of the address contains a "
                              "character that is not accepted.");
    }
    url->port = orp_url_default_port(url->scheme);
    if (end < text + size
        && parse_port(&url->port, end + 1,
                      (apr_size_t)(text + size - end - 1), url->scheme,
                      pool) != APR_SUCCESS) {
        return orp_reason_set(why, ORP_EURL, whole,
                              "The port of the address is not a number from "
                              "1 to 65535.");
    }
    return APR_SUCCESS;
}

/* Path, query and fragment, from the first byte behind the authority. */
static apr_status_t parse_rest(orp_url_t *url, const char *text,
                               apr_pool_t *pool)
{
    apr_size_t path = strcspn(text, "?#");
    const char *normal;

    normal = normal_component(text, path, "", pool);
    if (!normal) {
        return ORP_EURL;
    }
    url->path = apr_pstrcat(pool, *normal == '/' ? "" : "/", normal, NULL);
    remove_dot_segments((char *)url->path);
    text += path;
    if (*text == '?') {
        apr_size_t size = strcspn(++text, "#");

        url->query = normal_component(text, size, "?", pool);
        if (!url->query) {
            return ORP_EURL;
        }
        text += size;
    }
    if (*text == '#') {
        text++;
        url->fragment = normal_component(text, strlen(text), "?", pool);
        if (!url->fragment) {
            return ORP_EURL;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t check_size(apr_size_t size, orp_reason_t *why)
{
    if (size > ORP_URL_MAX) {
        return orp_reason_set(why, ORP_EURL, NULL,
                              "The address is longer than %d characters.",
                              ORP_URL_MAX);
    }
    return APR_SUCCESS;
}

/* What no URL may hold, whatever else it says. */
static apr_status_t check_text(const char *text, orp_reason_t *why)
{
    apr_size_t size = strlen(text);
    apr_status_t status = check_size(size, why);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (orp_has_control(text) || strchr(text, ' ')) {
        return orp_reason_set(why, ORP_EURL, text,
                              "The address contains a space or a control "
                              "character.");
    }
    if (!orp_utf8_valid(text, size)) {
        return orp_reason_set(why, ORP_EURL, NULL,
                              "The address is not text in UTF-8.");
    }
    return APR_SUCCESS;
}

apr_status_t orp_url_parse(orp_url_t **purl, const char *text,
                           orp_reason_t *why, apr_pool_t *pool)
{
    apr_status_t status = check_text(text, why);
    orp_url_t *url = apr_pcalloc(pool, sizeof(*url));
    apr_size_t size;
    const char *s;

    if (status != APR_SUCCESS) {
        return status;
    }
    if (!strncasecmp(text, "http://", 7)) {
        url->scheme = "http";
        s = text + 7;
    }
    else if (!strncasecmp(text, "https://", 8)) {
        url->scheme = "https";
        s = text + 8;
    }
    else {
        return orp_reason_set(why, ORP_ESCHEME, text,
                              "Only addresses that begin with http:// or "
                              "https:// are accepted.");
    }
    size = strcspn(s, "/?#");
    status = parse_authority(url, s, size, why, text, pool);
    if (status != APR_SUCCESS) {
        return status;
    }
    if (parse_rest(url, s + size, pool) != APR_SUCCESS) {
        return orp_reason_set(why, ORP_EURL, text,
                              "The address contains a \"%%\" that is not "
                              "followed by two hexadecimal digits.");
    }
    /* escaping makes it longer, and the result must be readable again */
    size = strlen(orp_url_string(url, pool))
        + (url->fragment ? 1 + strlen(url->fragment) : 0);
    status = check_size(size, why);
    if (status == APR_SUCCESS) {
        *purl = url;
    }
    return status;
}

const char *orp_url_origin(const orp_url_t *url, apr_pool_t *pool)
{
    if (url->port == orp_url_default_port(url->scheme)) {
        return apr_pstrcat(pool, url->scheme, "://", url->host, NULL);
    }
    return apr_psprintf(pool, "%s://%s:%d", url->scheme, url->host,
                        url->port);
}

const char *orp_url_string(const orp_url_t *url, apr_pool_t *pool)
{
    return apr_pstrcat(pool, orp_url_origin(url, pool), url->path,
                       url->query ? "?" : "",
                       url->query ? url->query : "", NULL);
}

/* Does ref begin with a scheme (RFC 3986, 3.1)? */
static int has_scheme(const char *ref)
{
    apr_size_t n = strspn(ref, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                          "abcdefghijklmnopqrstuvwxyz0123456789+-.");

    return n > 0 && apr_isalpha(ref[0]) && ref[n] == ':';
}

apr_status_t orp_url_resolve(orp_url_t **purl, const orp_url_t *base,
                             const char *ref, orp_reason_t *why,
                             apr_pool_t *pool)
{
    const char *origin = orp_url_origin(base, pool);
    const char *whole;

    if (has_scheme(ref)) {
        whole = ref;
    }
    else if (!strncmp(ref, "//", 2)) {
        whole = apr_pstrcat(pool, base->scheme, ":", ref, NULL);
    }
    else if (*ref == '/') {
        whole = apr_pstrcat(pool, origin, ref, NULL);
    }
    else if (*ref == '?') {
        whole = apr_pstrcat(pool, origin, base->path, ref, NULL);
    }
    else if (*ref == '#' || *ref == '\0') {
        whole = apr_pstrcat(pool, orp_url_string(base, pool), ref, NULL);
    }
    else {
        const char *slash = strrchr(base->path, '/');

        whole = apr_pstrcat(pool, origin,
                            apr_pstrmemdup(pool, base->path,
                                           (apr_size_t)(slash + 1
                                                        - base->path)),
                            ref, NULL);
    }
    return orp_url_parse(purl, whole, why, pool);
}

apr_status_t orp_url_normalize(const char **pnormal, const char *text,
                               orp_reason_t *why, apr_pool_t *pool)
{
    orp_url_t *url;
    apr_status_t status = orp_url_parse(&url, text, why, pool);

    if (status == APR_SUCCESS) {
        *pnormal = orp_url_string(url, pool);
    }
    return status;
}
