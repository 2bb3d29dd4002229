/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_address.h"

#include <string.h>

#include <apr_strings.h>
#include <arpa/inet.h>
#include <netinet/in.h>

#include "orp_codec.h"

/* IANA IPv4 Special-Purpose Address Registry: what is not globally reachable,
 * and multicast and the reserved rest. */
static const orp_cidr_t special4[] = {
    { { 0 }, 4, 8 },                    /* this network */
    { { 10 }, 4, 8 },                   /* private */
    { { 100, 64 }, 4, 10 },             /* shared (carriers) */
    { { 127 }, 4, 8 },                  /* loopback */
    { { 169, 254 }, 4, 16 },            /* link-local, cloud metadata */
    { { 172, 16 }, 4, 12 },             /* private */
    { { 192, 0, 0 }, 4, 24 },           /* IETF protocols */
    { { 192, 0, 2 }, 4, 24 },           /* documentation */
    { { 192, 88, 99 }, 4, 24 },         /* 6to4 relays */
    { { 192, 168 }, 4, 16 },            /* private */
    { { 198, 18 }, 4, 15 },             /* benchmarks */
    { { 198, 51, 100 }, 4, 24 },        /* documentation */
    { { 203, 0, 113 }, 4, 24 },         /* documentation */
    { { 224 }, 4, 4 },                  /* multicast */
    { { 240 }, 4, 4 },                  /* reserved, broadcast */
};

/* IPv6: 2000::/3 is all of the global unicast space; these are its parts
 * that lead elsewhere. What is outside it (loopback, v4-mapped, NAT64,
 * unique local, link-local, multicast, …) is refused without a list. */
static const orp_cidr_t global6 = { { 0x20 }, 16, 3 };
static const orp_cidr_t special6[] = {
    { { 0x20, 0x01 }, 16, 23 },                 /* IETF protocols, Teredo */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 16, 32 },     /* documentation */
    { { 0x20, 0x02 }, 16, 16 },                 /* 6to4 */
    { { 0x3f, 0xff }, 16, 20 },                 /* documentation */
};

static int in_range(const unsigned char *address, int size,
                    const orp_cidr_t *range)
{
    int whole = range->bits / 8;
    int rest = range->bits % 8;
    unsigned char mask = (unsigned char)(0xFF00 >> rest);

    return size == range->size
        && !memcmp(address, range->bytes, (size_t)whole)
        && (!rest || !((address[whole] ^ range->bytes[whole]) & mask));
}

static int in_any(const unsigned char *address, int size,
                  const orp_cidr_t *ranges, int count)
{
    int i;

    for (i = 0; i < count; i++) {
        if (in_range(address, size, &ranges[i])) {
            return 1;
        }
    }
    return 0;
}

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int orp_address_allowed(const struct sockaddr *address,
                        const apr_array_header_t *allow)
{
    unsigned char bytes[16];
    int size;

    if (address->sa_family == AF_INET) {
        size = 4;
        memcpy(bytes, &((const struct sockaddr_in *)address)->sin_addr, 4);
    }
    else if (address->sa_family == AF_INET6) {
        size = 16;
        memcpy(bytes, &((const struct sockaddr_in6 *)address)->sin6_addr,
               16);
    }
    else {
        return 0;
    }
    if (allow && in_any(bytes, size, (const orp_cidr_t *)allow->elts,
                        allow->nelts)) {
        return 1;
    }
    if (size == 4) {
        return !in_any(bytes, size, special4, COUNT(special4));
    }
    return in_range(bytes, size, &global6)
        && !in_any(bytes, size, special6, COUNT(special6));
}

static int text_allowed(int family, const char *text,
                        const apr_array_header_t *allow)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    struct sockaddr_in four = { .sin_family = AF_INET };

    if (family == AF_INET6) {
        /* a resolver could not read it either */
        return inet_pton(AF_INET6, text, &six.sin6_addr) != 1
            || orp_address_allowed((struct sockaddr *)&six, allow);
    }
    /* the resolver's reading: octal, hexadecimal and short forms as well */
    return !inet_aton(text, &four.sin_addr)
        || orp_address_allowed((struct sockaddr *)&four, allow);
}

int orp_host_allowed(const char *host, const apr_array_header_t *allow,
                     apr_pool_t *pool)
{
    static const char local[] = ".localhost";
    apr_size_t size = strlen(host), tail = strlen(local);

    if (size > 2 && *host == '[') {
        return text_allowed(AF_INET6, apr_pstrmemdup(pool, host + 1,
                                                     size - 2), allow);
    }
    if (size && host[size - 1] == '.') {
        size--;
    }
    host = apr_pstrcat(pool, ".", apr_pstrmemdup(pool, host, size), NULL);
    if (++size >= tail && !strcasecmp(host + size - tail, local)) {
        return text_allowed(AF_INET, "127.0.0.1", allow)
            || text_allowed(AF_INET6, "::1", allow);
    }
    return text_allowed(AF_INET, host + 1, allow);
}

/* Bits behind the prefix are most likely a slip of the pen. */
static int has_stray_bits(const orp_cidr_t *cidr)
{
    int bit;

    for (bit = cidr->bits; bit < cidr->size * 8; bit++) {
        if (cidr->bytes[bit / 8] & (0x80 >> bit % 8)) {
            return 1;
        }
    }
    return 0;
}

apr_status_t orp_cidr_parse(orp_cidr_t *cidr, const char *text,
                            apr_pool_t *pool)
{
    const char *slash = strchr(text, '/');
    const char *address = slash
        ? apr_pstrmemdup(pool, text, (apr_size_t)(slash - text)) : text;
    orp_cidr_t parsed = { { 0 }, 0, 0 };
    apr_uint64_t bits;

    if (inet_pton(AF_INET, address, parsed.bytes) == 1) {
        parsed.size = 4;
    }
    else if (inet_pton(AF_INET6, address, parsed.bytes) == 1) {
        parsed.size = 16;
    }
    else {
        return APR_EINVAL;
    }
    bits = (apr_uint64_t)parsed.size * 8;
    if (slash && orp_number_parse(&bits, slash + 1, bits) != APR_SUCCESS) {
        return APR_EINVAL;
    }
    parsed.bits = (int)bits;
    if (has_stray_bits(&parsed)) {
        return APR_EINVAL;
    }
    *cidr = parsed;
    return APR_SUCCESS;
}
