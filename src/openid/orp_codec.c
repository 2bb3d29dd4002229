/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_codec.h"

#include <string.h>

#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>

/** The largest size that is read: 1024G. */
#define SIZE_LIMIT (APR_UINT64_C(1) << 40)

static const char std_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static const char *base64(const unsigned char *bytes, apr_size_t size,
                          const char *alphabet, int padded,
                          apr_pool_t *pool)
{
    char *out = apr_palloc(pool, (size + 2) / 3 * 4 + 1);
    char *o = out;
    apr_size_t i, j;

    for (i = 0; i < size; i += 3) {
        apr_size_t n = size - i < 3 ? size - i : 3;
        unsigned int group = (unsigned int)bytes[i] << 16;

        group |= n > 1 ? (unsigned int)bytes[i + 1] << 8 : 0;
        group |= n > 2 ? (unsigned int)bytes[i + 2] : 0;
        for (j = 0; j < 4; j++) {
            if (j <= n) {
                *o++ = alphabet[(group >> (18 - 6 * j)) & 63];
            }
            else if (padded) {
                *o++ = '=';
            }
        }
    }
    *o = '\0';
    return out;
}

const char *orp_base64_encode(const unsigned char *bytes, apr_size_t size,
                              apr_pool_t *pool)
{
    return base64(bytes, size, std_alphabet, 1, pool);
}

const char *orp_base64url_encode(const unsigned char *bytes,
                                 apr_size_t size, apr_pool_t *pool)
{
    return base64(bytes, size, url_alphabet, 0, pool);
}

apr_size_t orp_base64url_span(const char *text)
{
    return strspn(text, url_alphabet);
}

apr_status_t orp_base64_decode(unsigned char **pbytes, apr_size_t *psize,
                               const char *text, apr_pool_t *pool)
{
    apr_size_t length = strlen(text);
    apr_size_t digits = length;
    unsigned char *out;
    apr_size_t size = 0, i;
    unsigned int bits = 0;
    unsigned int held = 0;

    if (length % 4) {
        return ORP_EENCODING;
    }
    while (digits > 0 && length - digits < 2 && text[digits - 1] == '=') {
        digits--;
    }
    out = apr_palloc(pool, length / 4 * 3 + 1);
    for (i = 0; i < digits; i++) {
        const char *digit = strchr(std_alphabet, text[i]);

        if (!digit) {
            return ORP_EENCODING;
        }
        bits = (bits << 6) | (unsigned int)(digit - std_alphabet);
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[size++] = (unsigned char)(bits >> held);
            bits &= (1u << held) - 1;
        }
    }
    if (bits) {                 /* another spelling of the same bytes */
        return ORP_EENCODING;
    }
    *pbytes = out;
    *psize = size;
    return APR_SUCCESS;
}

const char *orp_hex_encode(const unsigned char *bytes, apr_size_t size,
                           apr_pool_t *pool)
{
    static const char digits[] = "0123456789abcdef";
    char *out = apr_palloc(pool, 2 * size + 1);
    apr_size_t i;

    for (i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size] = '\0';
    return out;
}

const unsigned char *orp_btwoc_encode(apr_size_t *psize,
                                      const unsigned char *bytes,
                                      apr_size_t size, apr_pool_t *pool)
{
    unsigned char *out;
    apr_size_t pad;

    while (size > 0 && bytes[0] == 0) {
        bytes++;
        size--;
    }
    /* the top bit is the sign: a zero byte keeps the number positive */
    pad = (size == 0 || (bytes[0] & 0x80)) ? 1 : 0;
    out = apr_pcalloc(pool, size + pad);
    if (size) {
        memcpy(out + pad, bytes, size);
    }
    *psize = size + pad;
    return out;
}

apr_status_t orp_btwoc_decode(const unsigned char **pbytes,
                              apr_size_t *psize,
                              const unsigned char *bytes, apr_size_t size)
{
    if (size == 0 || (bytes[0] & 0x80)) {
        return ORP_EENCODING;
    }
    if (bytes[0] == 0) {
        if (size > 1 && !(bytes[1] & 0x80)) {
            return ORP_EENCODING;
        }
        bytes++;
        size--;
    }
    *pbytes = bytes;
    *psize = size;
    return APR_SUCCESS;
}

static int is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
        || (c >= '0' && c <= '9')
        || c == '-' || c == '.' || c == '_' || c == '~';
}

const char *orp_percent_encode(const char *text, apr_pool_t *pool)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char *s;
    char *out = apr_palloc(pool, 3 * strlen(text) + 1);
    char *o = out;

    for (s = (const unsigned char *)text; *s; s++) {
        if (is_unreserved(*s)) {
            *o++ = (char)*s;
        }
        else {
            *o++ = '%';
            *o++ = digits[*s >> 4];
            *o++ = digits[*s & 15];
        }
    }
    *o = '\0';
    return out;
}

int orp_hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

apr_status_t orp_percent_decode(const char **pdecoded, const char *text,
                                apr_size_t size, int plus,
                                apr_pool_t *pool)
{
    char *out = apr_palloc(pool, size + 1);
    char *o = out;
    apr_size_t i;

    for (i = 0; i < size; i++) {
        char c = text[i];

        if (c == '%') {
            int whole = size - i > 2;
            int high = whole ? orp_hex_digit(text[i + 1]) : -1;
            int low = whole ? orp_hex_digit(text[i + 2]) : -1;

            if (high < 0 || low < 0) {
                return ORP_EENCODING;
            }
            c = (char)(high << 4 | low);
            i += 2;
        }
        else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == '\0') {
            return ORP_EENCODING;
        }
        *o++ = c;
    }
    *o = '\0';
    *pdecoded = out;
    return APR_SUCCESS;
}

/* How many continuation bytes follow c, and the smallest code point that may
 * be written so; -1 where c cannot begin a character. */
static int utf8_follow(unsigned char c, apr_uint32_t *pleast,
                       apr_uint32_t *pbits)
{
    if (c < 0x80) {
        *pleast = 0;
        *pbits = c;
        return 0;
    }
    if (c >= 0xC2 && c < 0xE0) {
        *pleast = 0x80;
        *pbits = c & 0x1F;
        return 1;
    }
    if (c >= 0xE0 && c < 0xF0) {
        *pleast = 0x800;
        *pbits = c & 0x0F;
        return 2;
    }
    if (c >= 0xF0 && c < 0xF5) {
        *pleast = 0x10000;
        *pbits = c & 0x07;
        return 3;
    }
    return -1;
}

int orp_utf8_valid(const char *text, apr_size_t size)
{
    apr_size_t i = 0;

    while (i < size) {
        apr_uint32_t least, point;
        int follow = utf8_follow((unsigned char)text[i++], &least, &point);

        if (follow < 0) {
            return 0;
        }
        for (; follow > 0; follow--, i++) {
            if (i >= size || ((unsigned char)text[i] & 0xC0) != 0x80) {
                return 0;
            }
            point = point << 6 | ((unsigned char)text[i] & 0x3F);
        }
        if (point < least || point > 0x10FFFF
            || (point >= 0xD800 && point <= 0xDFFF)) {
            return 0;
        }
    }
    return 1;
}

int orp_is_ascii(const char *text, apr_size_t size)
{
    while (size--) {
        if ((unsigned char)*text++ >= 0x80) {
            return 0;
        }
    }
    return 1;
}

int orp_has_control(const char *text)
{
    const unsigned char *s;

    for (s = (const unsigned char *)text; *s; s++) {
        if (*s < 0x20 || *s == 0x7F) {
            return 1;
        }
    }
    return 0;
}

apr_status_t orp_number_parse(apr_uint64_t *pnumber, const char *text,
                              apr_uint64_t max)
{
    apr_uint64_t number = 0;

    if (!*text) {
        return ORP_EENCODING;
    }
    for (; *text; text++) {
        apr_uint64_t digit = (apr_uint64_t)(*text - '0');

        if (*text < '0' || *text > '9'
            || digit > max || number > (max - digit) / 10) {
            return ORP_EENCODING;
        }
        number = number * 10 + digit;
    }
    *pnumber = number;
    return APR_SUCCESS;
}

apr_status_t orp_size_parse(apr_uint64_t *psize, const char *text,
                            apr_pool_t *pool)
{
    static const char units[] = "KMG";
    apr_size_t length = strlen(text);
    const char *unit = length
        ? strchr(units, apr_toupper(text[length - 1])) : NULL;
    int shift = unit && *unit ? (int)(unit - units + 1) * 10 : 0;
    apr_uint64_t number;

    if (orp_number_parse(&number,
                         apr_pstrmemdup(pool, text, length - (shift ? 1 : 0)),
                         SIZE_LIMIT >> shift) != APR_SUCCESS
        || !number) {
        return ORP_EENCODING;
    }
    *psize = number << shift;
    return APR_SUCCESS;
}

/* httpd's suffixes, and "m": ap_timeout_parameter_parse() knows minutes as
 * "mi" only, and does not look at what follows a unit's first letters. */
static const struct {
    const char *suffix;
    apr_interval_time_t unit;
} time_units[] = {
    { "", APR_USEC_PER_SEC },
    { "ms", APR_USEC_PER_SEC / 1000 },
    { "s", APR_USEC_PER_SEC },
    { "m", 60 * APR_USEC_PER_SEC },
    { "mi", 60 * APR_USEC_PER_SEC },
    { "min", 60 * APR_USEC_PER_SEC },
    { "h", 60 * 60 * APR_USEC_PER_SEC },
};

apr_status_t orp_interval_parse(apr_interval_time_t *pinterval,
                                const char *text, apr_interval_time_t max,
                                apr_pool_t *pool)
{
    apr_size_t digits = strspn(text, "0123456789");
    apr_uint64_t number;
    apr_size_t i;

    for (i = 0; i < sizeof(time_units) / sizeof(time_units[0]); i++) {
        apr_interval_time_t unit = time_units[i].unit;

        if (!apr_cstr_casecmp(text + digits, time_units[i].suffix)
            && orp_number_parse(&number, apr_pstrmemdup(pool, text, digits),
                                (apr_uint64_t)(max / unit)) == APR_SUCCESS
            && number) {
            *pinterval = (apr_interval_time_t)number * unit;
            return APR_SUCCESS;
        }
    }
    return ORP_EENCODING;
}
