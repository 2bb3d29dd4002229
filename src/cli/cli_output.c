/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "cli_output.h"

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "orp_codec.h"

/* How many bytes the character at s takes, or 0 where it is not UTF-8. */
static apr_size_t character(const char *s)
{
    apr_size_t left = strnlen(s, 4);
    apr_size_t size;

    for (size = 1; size <= left; size++) {
        if (orp_utf8_valid(s, size)) {
            return size;
        }
    }
    return 0;
}

/* C0, DEL, and C1 (U+0080 to U+009F, of two bytes): the code, or 0. */
static unsigned control(const char *s, apr_size_t size)
{
    unsigned char last = (unsigned char)s[size - 1];

    if (size == 1) {
        return last < 0x20 || last == 0x7F ? last : 0;
    }
    return size == 2 && (unsigned char)s[0] == 0xC2 && last < 0xA0 ? last : 0;
}

const char *cli_printable(const char *text, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, 6 * strlen(text) + 1);
    char *o = out;

    while (*text) {
        apr_size_t size = character(text);
        unsigned code = size ? control(text, size) : 0;

        if (!size) {
            o += apr_snprintf(o, 5, "\\x%02x", (unsigned char)*text);
            size = 1;
        }
        else if (code) {
            o += apr_snprintf(o, 7, "\\u%04x", code);
        }
        else {
            memcpy(o, text, size);
            o += size;
        }
        text += size;
    }
    *o = '\0';
    return out;
}

void cli_line(const char *name, const char *value, apr_pool_t *pool)
{
    printf("%s: %s\n", name, cli_printable(value, pool));
}

void cli_json(const char *json, apr_pool_t *pool)
{
    puts(cli_printable(json, pool));
}

void cli_complain(const char *sentence, apr_pool_t *pool)
{
    fprintf(stderr, "openid2rp: %s\n", cli_printable(sentence, pool));
}

int cli_refuse(apr_status_t status, const orp_reason_t *why,
               apr_pool_t *pool)
{
    const char *sentence = why->sentence;
    const char *code = orp_status_code(status);
    char buf[200];

    if (!*sentence) {
        sentence = orp_strerror(status, buf, sizeof(buf));
    }
    if (!strcmp(code, "internal")) {    /* one of APR's: it has no code */
        cli_complain(sentence, pool);
    }
    else {
        cli_complain(apr_psprintf(pool, "%s: %s", code, sentence), pool);
    }
    return CLI_REFUSED;
}
