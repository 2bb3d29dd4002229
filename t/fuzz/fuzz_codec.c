/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_codec.c - orp_codec, orp_json: what is decoded encodes to the same. */

#include "fuzz.h"

#include <stdlib.h>

#include "orp_codec.h"
#include "orp_json.h"

static void base64(const char *bytes, apr_size_t size, const char *text,
                   apr_pool_t *pool)
{
    unsigned char *decoded = FUZZ_UNTOUCHED;
    apr_size_t length = 0;
    const char *encoded;

    if (fuzz_status(orp_base64_decode(&decoded, &length, text, pool),
                    decoded, ORP_EENCODING, APR_SUCCESS)) {
        encoded = orp_base64_encode(decoded, length, pool);
        fuzz_check(!strcmp(encoded, text));
    }
    encoded = orp_base64_encode((const unsigned char *)bytes, size, pool);
    fuzz_check(orp_base64_decode(&decoded, &length, encoded, pool)
               == APR_SUCCESS);
    fuzz_check(length == size && !memcmp(decoded, bytes, size));
    encoded = orp_base64url_encode((const unsigned char *)bytes, size, pool);
    fuzz_check(!strpbrk(encoded, "+/="));
    fuzz_check(strlen(encoded) == (size * 4 + 2) / 3);
    fuzz_check(strlen(orp_hex_encode((const unsigned char *)bytes, size,
                                     pool)) == 2 * size);
}

static void btwoc(const unsigned char *bytes, apr_size_t size,
                  apr_pool_t *pool)
{
    const unsigned char *number = FUZZ_UNTOUCHED, *again;
    apr_size_t length = 0, back = 0;

    if (fuzz_status(orp_btwoc_decode(&number, &length, bytes, size), number,
                    ORP_EENCODING, APR_SUCCESS)) {
        fuzz_check(length == 0 || number[0] != 0);
        again = orp_btwoc_encode(&back, number, length, pool);
        fuzz_check(back == size && !memcmp(again, bytes, size));
    }
    again = orp_btwoc_encode(&back, bytes, size, pool);
    fuzz_check(orp_btwoc_decode(&number, &length, again, back)
               == APR_SUCCESS);
    while (size && !*bytes) {
        bytes++;
        size--;
    }
    fuzz_check(length == size && !memcmp(number, bytes, size));
}

static void percent(const char *bytes, apr_size_t size, const char *text,
                    apr_pool_t *pool)
{
    const char *encoded = orp_percent_encode(text, pool);
    int plus;

    for (plus = 0; plus < 2; plus++) {
        const char *decoded = FUZZ_UNTOUCHED;

        if (fuzz_status(orp_percent_decode(&decoded, bytes, size, plus,
                                           pool), decoded, ORP_EENCODING,
                        APR_SUCCESS)) {
            fuzz_check(strlen(decoded) <= size);
        }
        fuzz_check(orp_percent_decode(&decoded, encoded, strlen(encoded),
                                      plus, pool) == APR_SUCCESS);
        fuzz_check(!strcmp(decoded, text));
    }
}

/* RFC 3629, 4, as its grammar has it: how long the character is, or 0. */
static apr_size_t utf8_char(const unsigned char *s, apr_size_t size)
{
    static const struct {
        unsigned char first, last, low, high;
        apr_size_t length;
    } rules[] = {
        { 0x00, 0x7F, 0, 0, 1 }, { 0xC2, 0xDF, 0x80, 0xBF, 2 },
        { 0xE0, 0xE0, 0xA0, 0xBF, 3 }, { 0xE1, 0xEC, 0x80, 0xBF, 3 },
        { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
        { 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 },
        { 0xF4, 0xF4, 0x80, 0x8F, 4 },
    };
    apr_size_t i, j;

    for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (s[0] < rules[i].first || s[0] > rules[i].last) {
            continue;
        }
        if (size < rules[i].length
            || (rules[i].length > 1
                && (s[1] < rules[i].low || s[1] > rules[i].high))) {
            return 0;
        }
        for (j = 2; j < rules[i].length; j++) {
            if (s[j] < 0x80 || s[j] > 0xBF) {
                return 0;
            }
        }
        return rules[i].length;
    }
    return 0;
}

static void utf8(const char *bytes, apr_size_t size, const char *text,
                 apr_pool_t *pool)
{
    apr_size_t at = 0, length = 1;
    const char *json = orp_json_string(text, pool);

    while (at < size && length) {
        length = utf8_char((const unsigned char *)bytes + at, size - at);
        at += length;
    }
    fuzz_check(!orp_utf8_valid(bytes, size) == (at < size));
    fuzz_check(fuzz_is_json(json));
    fuzz_check(json[0] == '"' && json[strlen(json) - 1] == '"');
}

static void number(const char *text)
{
    static const apr_uint64_t limits[] = {
        0, 9, 65535, APR_INT64_MAX, APR_UINT64_MAX
    };
    apr_size_t i;

    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        apr_uint64_t parsed = 77;
        apr_status_t status = orp_number_parse(&parsed, text, limits[i]);

        fuzz_check(status == APR_SUCCESS || status == ORP_EENCODING);
        if (status != APR_SUCCESS) {
            fuzz_check(parsed == 77);
        }
        else {
            fuzz_check(parsed <= limits[i]);
            fuzz_check(strspn(text, "0123456789") == strlen(text));
            fuzz_check(parsed == strtoull(text, NULL, 10));
        }
    }
}

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    const char *text = fuzz_text(bytes, size, pool);

    base64(bytes, size, text, pool);
    btwoc((const unsigned char *)bytes, size, pool);
    percent(bytes, size, text, pool);
    utf8(bytes, size, text, pool);
    number(text);
    fuzz_check(orp_is_ascii(bytes, size) || size > 0);
}

FUZZ_TARGET(codec, 1024)
