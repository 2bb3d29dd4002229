/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_multipart.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "orp_codec.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define TOKEN LETTERS "!#$%&'*+-.^_`|~"         /* RFC 9110, 5.6.2 */
#define BOUNDARY LETTERS "'()+_,-./:=? "        /* RFC 2046, 5.1.1 */
#define BOUNDARY_MAX 70

/* A piece of the body. */
typedef struct {
    const char *from;
    const char *to;
} span_t;

static apr_size_t size_of(span_t span)
{
    return (apr_size_t)(span.to - span.from);
}

static int begins_with(span_t span, const char *text)
{
    return size_of(span) >= strlen(text)
        && !memcmp(span.from, text, strlen(text));
}

/* Where this stands, which begins with a CR and has at most two: so the time
 * is linear. Or NULL. */
static const char *find(span_t span, const char *text)
{
    const char *found;

    while ((found = memchr(span.from, '\r', size_of(span))) != NULL) {
        span.from = found;
        if (begins_with(span, text)) {
            return found;
        }
        span.from++;
    }
    return NULL;
}

/* Names of headers and their parameters are the same in either case. */
static const char *lower(char *text)
{
    char *c;

    for (c = text; *c; c++) {
        if (*c >= 'A' && *c <= 'Z') {
            *c = (char)(*c - 'A' + 'a');
        }
    }
    return text;
}

/* ---------------------------------------------------------------------- */
/* Headers. They are overwritten as they are read. */

/* Read all of "; name=value; name="value"". */
static apr_status_t read_params(orp_params_t **pparams, char *text,
                                apr_pool_t *pool)
{
    orp_params_t *params = orp_params_create(pool);

    while (*text) {
        const char *value;
        char *name;

        if (*text != ';') {
            return ORP_EENCODING;
        }
        name = text + strspn(text, "; ");
        if (!*name) {
            break;
        }
        text = name + strspn(name, TOKEN);
        if (text == name || *text != '=') {
            return ORP_EENCODING;
        }
        *text++ = '\0';
        if (*text == '"') {
            value = ++text;
            text = strchr(text, '"');
            if (!text || text[-1] == '\\') {    /* is this its end, or not? */
                return ORP_EENCODING;
            }
            *text++ = '\0';
        }
        else {
            apr_size_t size = strspn(text, TOKEN "()/:=?");

            if (!size) {
                return ORP_EENCODING;
            }
            value = apr_pstrmemdup(pool, text, size);
            text += size;
        }
        text += strspn(text, " ");
        orp_params_add(params, lower(name), value);
    }
    *pparams = params;
    return APR_SUCCESS;
}

/* Read "name: value" lines. */
static apr_status_t read_headers(orp_params_t **pheaders, char *text,
                                 apr_pool_t *pool)
{
    orp_params_t *headers = orp_params_create(pool);

    while (text) {
        char *line = text;
        char *value = line + strspn(line, TOKEN);

        text = strstr(line, "\r\n");
        if (text) {
            *text = '\0';
            text += 2;
        }
        if (value == line || *value != ':' || orp_has_control(line)) {
            return ORP_EENCODING;
        }
        *value++ = '\0';
        orp_params_add(headers, lower(line), value + strspn(value, " "));
    }
    *pheaders = headers;
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* Parts */

/* The name of the field, or NULL for a file. */
static apr_status_t read_disposition(const char **pname, const char *text,
                                     apr_pool_t *pool)
{
    apr_size_t size = strcspn(text, "; ");
    orp_params_t *params;
    const char *name;

    if (size != strlen("form-data") || strncasecmp(text, "form-data", size)
        || read_params(&params, apr_pstrdup(pool, text + size
                                            + strspn(text + size, " ")),
                       pool) != APR_SUCCESS
        || orp_params_count(params, "name") != 1
        || orp_params_count(params, "name*") != 0
        || orp_params_count(params, "filename") > 1
        || orp_params_count(params, "filename*") > 1) {
        return ORP_EENCODING;
    }
    name = orp_params_get(params, "name");
    if (strchr(name, '\\')) {
        return ORP_EENCODING;
    }
    *pname = orp_params_get(params, "filename")
        || orp_params_get(params, "filename*") ? NULL : name;
    return APR_SUCCESS;
}

/* Content-Transfer-Encoding is deprecated by RFC 7578, 4.7: some readers
 * decode, most do not. */
static int is_encoded(const orp_params_t *headers)
{
    const char *how = orp_params_get(headers, "content-transfer-encoding");

    return how && strcasecmp(how, "7bit") && strcasecmp(how, "8bit")
        && strcasecmp(how, "binary");
}

static apr_status_t read_part(orp_params_t *params, span_t part,
                              apr_pool_t *pool)
{
    span_t head = { part.from, find(part, "\r\n\r\n") };
    orp_params_t *headers;
    const char *name;

    if (!head.to || memchr(head.from, '\0', size_of(head))
        || read_headers(&headers, apr_pstrmemdup(pool, head.from,
                                                 size_of(head)),
                        pool) != APR_SUCCESS
        || orp_params_count(headers, "content-disposition") != 1
        || orp_params_count(headers, "content-transfer-encoding") > 1
        || is_encoded(headers)
        || read_disposition(&name, orp_params_get(headers,
                                                  "content-disposition"),
                            pool) != APR_SUCCESS) {
        return ORP_EENCODING;
    }
    part.from = head.to + 4;
    if (name) {
        if (memchr(part.from, '\0', size_of(part))) {
            return ORP_EENCODING;
        }
        orp_params_add(params, name,
                       apr_pstrmemdup(pool, part.from, size_of(part)));
    }
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* The body */

/* What stands between two parts: CRLF, "--" and the boundary. */
static apr_status_t read_delimiter(const char **pdelimiter,
                                   const char *content_type,
                                   apr_pool_t *pool)
{
    orp_params_t *params;
    const char *boundary;
    apr_size_t size;

    if (read_params(&params, apr_pstrdup(pool, content_type
                                         + strcspn(content_type, ";")), pool)
        != APR_SUCCESS || orp_params_count(params, "boundary") != 1) {
        return ORP_EENCODING;
    }
    boundary = orp_params_get(params, "boundary");
    size = strlen(boundary);
    if (!size || size > BOUNDARY_MAX || boundary[size - 1] == ' '
        || strspn(boundary, BOUNDARY) != size) {
        return ORP_EENCODING;
    }
    *pdelimiter = apr_pstrcat(pool, "\r\n--", boundary, NULL);
    return APR_SUCCESS;
}

/* Move to behind the first delimiter, which may stand where the body begins. */
static int skip_preamble(span_t *ptext, const char *delimiter)
{
    const char *found;

    if (begins_with(*ptext, delimiter + 2)) {
        ptext->from += strlen(delimiter + 2);
        return 1;
    }
    found = find(*ptext, delimiter);
    if (found) {
        ptext->from = found + strlen(delimiter);
    }
    return found != NULL;
}

/* Move to the end of a delimiter's line. APR_EOF where it is the last one. */
static apr_status_t end_delimiter(span_t *ptext)
{
    int is_last = begins_with(*ptext, "--");

    ptext->from += is_last ? 2 : 0;
    while (begins_with(*ptext, " ") || begins_with(*ptext, "\t")) {
        ptext->from++;
    }
    if (!begins_with(*ptext, "\r\n") && (!is_last || size_of(*ptext))) {
        return ORP_EENCODING;
    }
    return is_last ? APR_EOF : APR_SUCCESS;
}

apr_status_t orp_multipart_parse(orp_params_t **pparams,
                                 const char *content_type, const char *body,
                                 apr_size_t size, apr_pool_t *pool)
{
    orp_params_t *params = orp_params_create(pool);
    span_t text = { body, body + size }, part;
    const char *delimiter;
    apr_status_t status;
    int count = 0;

    if (size > ORP_PARAMS_SIZE_MAX) {
        return ORP_ETOOBIG;
    }
    if (read_delimiter(&delimiter, content_type, pool) != APR_SUCCESS
        || !skip_preamble(&text, delimiter)) {
        return ORP_EENCODING;
    }
    while ((status = end_delimiter(&text)) == APR_SUCCESS) {
        if (count++ == ORP_PARAMS_MAX) {
            return ORP_ETOOBIG;
        }
        part.from = text.from + 2;
        /* from the CRLF on: what follows at once has no headers */
        part.to = find(text, delimiter);
        if (!part.to || part.to < part.from) {
            return ORP_EENCODING;
        }
        text.from = part.to + strlen(delimiter);
        status = read_part(params, part, pool);
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    if (status != APR_EOF) {
        return status;
    }
    *pparams = params;
    return APR_SUCCESS;
}
