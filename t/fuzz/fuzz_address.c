/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_address.c - orp_address: a range as text; then the same bytes as an
 * address, and as the host of a URL. */

#include "fuzz.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "orp_address.h"

/* An address of these bytes, 4 or 16 of them. */
static const struct sockaddr *address_of(const void *bytes, int size,
                                         apr_pool_t *pool)
{
    struct sockaddr_in *v4 = apr_pcalloc(pool, sizeof(*v4));
    struct sockaddr_in6 *v6 = apr_pcalloc(pool, sizeof(*v6));

    if (size == 4) {
        v4->sin_family = AF_INET;
        memcpy(&v4->sin_addr, bytes, 4);
        return (const struct sockaddr *)(const void *)v4;
    }
    v6->sin6_family = AF_INET6;
    memcpy(&v6->sin6_addr, bytes, 16);
    return (const struct sockaddr *)(const void *)v6;
}

static void range(const orp_cidr_t *cidr, const char *text, apr_pool_t *pool)
{
    apr_array_header_t *allow = apr_array_make(pool, 1, sizeof(*cidr));
    char buf[INET6_ADDRSTRLEN];
    orp_cidr_t again;
    const char *normal;

    fuzz_check(cidr->size == 4 || cidr->size == 16);
    fuzz_check(cidr->bits >= 0 && cidr->bits <= 8 * cidr->size);
    fuzz_check(inet_ntop(cidr->size == 4 ? AF_INET : AF_INET6, cidr->bytes,
                         buf, sizeof(buf)) != NULL);
    normal = apr_psprintf(pool, "%s/%d", buf, cidr->bits);
    fuzz_check(orp_cidr_parse(&again, normal, pool) == APR_SUCCESS);
    fuzz_check(again.size == cidr->size && again.bits == cidr->bits
               && !memcmp(again.bytes, cidr->bytes, sizeof(again.bytes)));
    fuzz_check(strchr(text, '/') || cidr->bits == 8 * cidr->size);
    APR_ARRAY_PUSH(allow, orp_cidr_t) = *cidr;
    fuzz_check(orp_address_allowed(address_of(cidr->bytes, cidr->size, pool),
                                   allow));
}

static void address(const unsigned char *bytes, apr_size_t size,
                    apr_pool_t *pool)
{
    unsigned char mapped[16] = { 0 };

    if (size >= 16) {
        /* all that is contacted lies in 2000::/3 */
        fuzz_check(!orp_address_allowed(address_of(bytes, 16, pool), NULL)
                   || (bytes[0] & 0xE0) == 0x20);
    }
    if (size >= 4) {
        if (orp_address_allowed(address_of(bytes, 4, pool), NULL)) {
            fuzz_check(bytes[0] != 0 && bytes[0] != 10 && bytes[0] != 127
                       && bytes[0] < 224);
            fuzz_check(bytes[0] != 192 || bytes[1] != 168);
            fuzz_check(bytes[0] != 169 || bytes[1] != 254);
            fuzz_check(bytes[0] != 172 || (bytes[1] & 0xF0) != 16);
        }
        mapped[10] = mapped[11] = 0xFF;
        memcpy(mapped + 12, bytes, 4);
        fuzz_check(!orp_address_allowed(address_of(mapped, 16, pool), NULL));
    }
}

/* What the resolver would take for an address is judged as one. */
static void host(const char *text, apr_pool_t *pool)
{
    struct in_addr v4;
    struct in6_addr v6;
    apr_size_t size = strlen(text);

    if (!orp_host_allowed(text, NULL, pool)) {
        return;
    }
    fuzz_check(!inet_aton(text, &v4)
               || orp_address_allowed(address_of(&v4, 4, pool), NULL));
    if (size > 2 && text[0] == '[' && text[size - 1] == ']') {
        text = apr_pstrmemdup(pool, text + 1, size - 2);
        fuzz_check(inet_pton(AF_INET6, text, &v6) != 1
                   || orp_address_allowed(address_of(&v6, 16, pool), NULL));
    }
}

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    const char *text = fuzz_text(bytes, size, pool);
    orp_cidr_t cidr, before;
    apr_status_t status;

    memset(&cidr, 'u', sizeof(cidr));
    before = cidr;
    status = orp_cidr_parse(&cidr, text, pool);
    if (status == APR_SUCCESS) {
        range(&cidr, text, pool);
    }
    else {
        fuzz_check(status == APR_EINVAL);
        fuzz_check(!memcmp(&cidr, &before, sizeof(cidr)));
    }
    address((const unsigned char *)bytes, size, pool);
    host(text, pool);
}

FUZZ_TARGET(address, 64)
