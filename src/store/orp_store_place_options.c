/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include <apr_file_io.h>
#include <apr_strings.h>

#include "orp_codec.h"
#include "orp_crypto.h"
#include "orp_store.h"
#include "orp_store_place_reader.h"

#define PREFIX_MAX 64
#define TIMEOUT_MIN (10 * 1000)         /* microseconds */
#define TIMEOUT_MAX (60 * APR_USEC_PER_SEC)

/* ---------------------------------------------------------------------- */
/* Sizes and times */

apr_status_t orp_place_read_size(reader_t *reader, const char *text)
{
    apr_uint64_t size;

    if (orp_size_parse(&size, text, reader->pool) != APR_SUCCESS
        || size < ORP_STORE_SHM_MIN) {
        return orp_place_refuse(reader, "The size%s is not one such as "
                                "\"32M\", at least 1M and at most 1024G.",
                                orp_place_quoted(reader, text));
    }
    reader->place->size = size;
    return APR_SUCCESS;
}

static apr_status_t read_timeout(reader_t *reader, const char *text)
{
    apr_interval_time_t timeout;

    if (orp_interval_parse(&timeout, text, TIMEOUT_MAX, reader->pool)
            != APR_SUCCESS
        || timeout < TIMEOUT_MIN) {
        return orp_place_refuse(reader, "The timeout%s is not a time such as "
                                "\"500ms\" or \"2s\", at least 10ms and at "
                                "most 60s.", orp_place_quoted(reader, text));
    }
    reader->place->timeout = timeout;
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* Paths, secrets, numbers */

apr_status_t orp_place_check_path(reader_t *reader, const char *what,
                                  const char *path)
{
    if (*path != '/') {
        return orp_place_refuse(reader, "The %s%s is not a path that begins "
                                "with \"/\".", what,
                                orp_place_quoted(reader, path));
    }
    if (path[strlen(path) - 1] == '/') {
        return orp_place_refuse(reader, "The %s%s is a folder, not a file.",
                                what, orp_place_quoted(reader, path));
    }
    return APR_SUCCESS;
}

static apr_status_t read_ca(reader_t *reader, const char *path)
{
    reader->place->ca_file = path;
    return orp_place_check_path(reader, "file of certificate authorities",
                                path);
}

/* The first line, without its end. */
static apr_status_t first_line(reader_t *reader, const char *path,
                               apr_file_t *file)
{
    char *line = apr_pcalloc(reader->pool, ORP_PLACE_SECRET_MAX + 2);
    apr_size_t size = ORP_PLACE_SECRET_MAX + 1;
    apr_status_t status = apr_file_read_full(file, line, size, &size);

    orp_cleanse_later(line, ORP_PLACE_SECRET_MAX + 2, reader->pool);
    if (status != APR_SUCCESS && !APR_STATUS_IS_EOF(status)) {
        return orp_place_refuse(reader, "The password file%s cannot be read: "
                                "%s.", orp_place_quoted(reader, path),
                                apr_psprintf(reader->pool, "%pm", &status));
    }
    line[strcspn(line, "\r\n")] = '\0';
    if (!*line) {
        return orp_place_refuse(reader, "The first line of the password "
                                "file%s is empty.",
                                orp_place_quoted(reader, path));
    }
    if (strlen(line) > ORP_PLACE_SECRET_MAX) {
        return orp_place_refuse(reader, "The first line of the password "
                                "file%s is too long: it has more than %d "
                                "bytes.", orp_place_quoted(reader, path),
                                ORP_PLACE_SECRET_MAX);
    }
    reader->place->password = line;
    return APR_SUCCESS;
}

static apr_status_t check_password_file(reader_t *reader, const char *path)
{
    apr_finfo_t info;
    apr_status_t status = apr_stat(&info, path,
                                   APR_FINFO_TYPE | APR_FINFO_PROT,
                                   reader->pool);

    if (status != APR_SUCCESS) {
        return orp_place_refuse(reader, "The password file%s cannot be read: "
                                "%s.", orp_place_quoted(reader, path),
                                apr_psprintf(reader->pool, "%pm", &status));
    }
    if (info.filetype != APR_REG) {
        return orp_place_refuse(reader, "The password file%s is not a file.",
                                orp_place_quoted(reader, path));
    }
    if (info.protection & (APR_FPROT_WREAD | APR_FPROT_WWRITE)) {
        return orp_place_refuse(reader, "The password file%s is open to "
                                "everybody on this machine: chmod 600 or 640 "
                                "is needed.", orp_place_quoted(reader, path));
    }
    return APR_SUCCESS;
}

static apr_status_t read_password_file(reader_t *reader, const char *path)
{
    apr_file_t *file;
    apr_status_t status = orp_place_check_path(reader, "password file", path);

    if (status == APR_SUCCESS && reader->place->password) {
        status = orp_place_refuse(reader, "There is a password before \"@\" "
                                  "and one in a password file: one of them "
                                  "must go.");
    }
    if (status == APR_SUCCESS) {
        status = check_password_file(reader, path);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    status = apr_file_open(&file, path, APR_FOPEN_READ, APR_OS_DEFAULT,
                           reader->pool);
    if (status != APR_SUCCESS) {
        return orp_place_refuse(reader, "The password file%s cannot be read: "
                                "%s.", orp_place_quoted(reader, path),
                                apr_psprintf(reader->pool, "%pm", &status));
    }
    status = first_line(reader, path, file);
    apr_file_close(file);
    return status;
}

apr_status_t orp_place_read_database(reader_t *reader, const char *text)
{
    apr_uint64_t number;

    if (orp_number_parse(&number, text, APR_INT32_MAX) != APR_SUCCESS) {
        return orp_place_refuse(reader, "The database%s is not a number.",
                                orp_place_quoted(reader, text));
    }
    reader->place->database = (int)number;
    return APR_SUCCESS;
}

static apr_status_t read_prefix(reader_t *reader, const char *text)
{
    apr_size_t length = strlen(text);
    apr_size_t i;

    for (i = 0; i < length && text[i] > ' ' && text[i] < 0x7F; i++) {
    }
    if (i < length || length == 0 || length > PREFIX_MAX) {
        return orp_place_refuse(reader, "The prefix%s does not consist of 1 "
                                "to %d visible ASCII characters.",
                                orp_place_quoted(reader, text), PREFIX_MAX);
    }
    reader->place->prefix = text;
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* Options */

#define FOR_DBM 1
#define FOR_SERVER 2            /* redis by TCP */
#define FOR_TLS 4
#define FOR_SOCKET 8
#define FOR_MEMCACHE 16
#define FOR_REDIS (FOR_SERVER | FOR_TLS | FOR_SOCKET)

static const struct {
    const char *name;
    unsigned int places;
    const char *reserved;       /* whose it is, for a sentence */
    apr_status_t (*read)(reader_t *reader, const char *value);
} options[] = {
    { "size", FOR_DBM, "dbm", orp_place_read_size },
    { "prefix", FOR_REDIS | FOR_MEMCACHE, "redis and memcache", read_prefix },
    { "timeout", FOR_REDIS, "redis", read_timeout },
    { "password-file", FOR_REDIS, "redis", read_password_file },
    { "database", FOR_SOCKET, "redis with a socket (of a server, it is "
      "written behind the port: \"/1\")", orp_place_read_database },
    { "ca", FOR_TLS, "rediss", read_ca },
};

static unsigned int sort_of_place(const orp_store_place_t *place)
{
    switch (place->type) {
    case ORP_PLACE_DBM:
        return FOR_DBM;
    case ORP_PLACE_MEMCACHE:
        return FOR_MEMCACHE;
    default:
        return place->path ? FOR_SOCKET : place->tls ? FOR_TLS : FOR_SERVER;
    }
}

static apr_status_t read_option(reader_t *reader, const char *name,
                                const char *value)
{
    apr_size_t i;

    for (i = 0; strcmp(name, options[i].name);) {
        if (++i == sizeof(options) / sizeof(options[0])) {
            return orp_place_refuse(reader, "There is no option%s.",
                                    orp_place_quoted(reader, name));
        }
    }
    if (!(options[i].places & sort_of_place(reader->place))) {
        return orp_place_refuse(reader, "The option \"%s\" is for %s only.",
                                name, options[i].reserved);
    }
    if (reader->options & 1u << i) {
        return orp_place_refuse(reader, "The option \"%s\" is there twice.",
                                name);
    }
    reader->options |= 1u << i;
    return options[i].read(reader, value);
}

apr_status_t orp_place_read_options(reader_t *reader, const char *text)
{
    apr_status_t status = APR_SUCCESS;

    while (text && status == APR_SUCCESS) {
        apr_size_t length = strcspn(text, "&");
        apr_size_t name = strcspn(text, "=&");
        const char *value;

        if (name == length) {
            return orp_place_refuse(reader, "An option has no value: what "
                                    "stands behind \"?\" is NAME=VALUE, "
                                    "joined by \"&\".");
        }
        if (orp_percent_decode(&value, text + name + 1, length - name - 1, 0,
                               reader->pool) != APR_SUCCESS
            || orp_has_control(value)) {
            return orp_place_refuse(reader, "The value of an option is not "
                                    "percent-encoded text: a \"%%\" is "
                                    "written \"%%25\".");
        }
        status = read_option(reader,
                             apr_pstrmemdup(reader->pool, text, name), value);
        text = text[length] ? text + length + 1 : NULL;
    }
    return status;
}
