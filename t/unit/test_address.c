/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_address.c - orp_address: which addresses may be contacted. */

#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "orp_address.h"

static int allowed(const char *text, const apr_array_header_t *allow)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four;

    memset(&six, 0, sizeof(six));
    memset(&four, 0, sizeof(four));
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1) {
        four.sin_family = AF_INET;
        return orp_address_allowed((struct sockaddr *)&four, allow);
    }
    assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
    six.sin6_family = AF_INET6;
    return orp_address_allowed((struct sockaddr *)&six, allow);
}

/* An array of ranges. */
static apr_array_header_t *ranges(scene_t *scene, const char *first,
                                  const char *second)
{
    apr_array_header_t *array = apr_array_make(scene->pool, 2,
                                               sizeof(orp_cidr_t));

    assert_status(orp_cidr_parse(apr_array_push(array), first, scene->pool),
                  APR_SUCCESS);
    if (second) {
        assert_status(orp_cidr_parse(apr_array_push(array), second,
                                     scene->pool), APR_SUCCESS);
    }
    return array;
}

static void special_addresses_are_refused(void **state)
{
    static const char *const addresses[] = {
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255",
        "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255",
        "169.254.0.0", "169.254.169.254", "172.16.0.0", "172.31.255.255",
        "192.0.0.0", "192.0.0.255", "192.0.2.1", "192.88.99.1",
        "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255",
        "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
        "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:93.184.216.34",
        "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1",
        "2001::1", "2001:1ff:ffff::1", "2001:db8::1", "2002:7f00:1::1",
        "3fff::1", "3fff:fff:ffff::1", "4000::1", "1fff::1", "5f00::1",
        "fc00::1", "fdff::1", "fe80::1", "fec0::1", "ff02::1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(addresses); i++) {
        if (allowed(addresses[i], NULL)) {
            fail_msg("%s is allowed", addresses[i]);
        }
    }
}

static void addresses_beside_the_special_ones_are_allowed(void **state)
{
    static const char *const addresses[] = {
        "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255",
        "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255",
        "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255",
        "192.0.1.0", "192.0.3.0", "192.88.98.255", "192.88.100.0",
        "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
        "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0",
        "223.255.255.255", "8.8.8.8", "93.184.216.34",
        "2000::1", "2001:200::1", "2001:db7::1", "2001:db9::1", "2003::1",
        "2606:4700::1111", "2a00:1450:4001::1", "3ffe::1",
        "3fff:1000::1",
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(addresses); i++) {
        if (!allowed(addresses[i], NULL)) {
            fail_msg("%s is refused", addresses[i]);
        }
    }
}

/* The registries, in full: each range with its first and last address, and
 * what stands on either side of it. */
typedef struct {
    const char *range;
    int before, behind;         /* nonzero: the neighbour is public */
} registered_t;

/* IANA IPv4 Special-Purpose Address Registry, and multicast. Of what it calls
 * globally reachable (192.0.0.9, 192.0.0.10, AS112, AMT) nothing is a web
 * server: what lies inside another range is refused, the rest is not. */
static const registered_t registered4[] = {
    { "0.0.0.0/8", 0, 1 }, { "0.0.0.0/32", 0, 0 }, { "10.0.0.0/8", 1, 1 },
    { "100.64.0.0/10", 1, 1 }, { "127.0.0.0/8", 1, 1 },
    { "169.254.0.0/16", 1, 1 }, { "172.16.0.0/12", 1, 1 },
    { "192.0.0.0/24", 1, 1 }, { "192.0.0.0/29", 1, 0 },
    { "192.0.0.8/32", 0, 0 }, { "192.0.0.9/32", 0, 0 },
    { "192.0.0.10/32", 0, 0 }, { "192.0.0.170/32", 0, 0 },
    { "192.0.0.171/32", 0, 0 }, { "192.0.2.0/24", 1, 1 },
    { "192.88.99.0/24", 1, 1 }, { "192.168.0.0/16", 1, 1 },
    { "198.18.0.0/15", 1, 1 }, { "198.51.100.0/24", 1, 1 },
    { "203.0.113.0/24", 1, 1 }, { "224.0.0.0/4", 1, 0 },
    { "240.0.0.0/4", 0, 0 }, { "255.255.255.255/32", 0, 0 },
};

/* IANA IPv6 Special-Purpose Address Registry, what is not yet given to
 * anybody, old forms, and multicast. */
static const registered_t registered6[] = {
    { "::1/128", 0, 0 }, { "::/128", 0, 0 }, { "::/96", 0, 0 },
    { "::ffff:0:0/96", 0, 0 }, { "64:ff9b::/96", 0, 0 },
    { "64:ff9b:1::/48", 0, 0 }, { "100::/64", 0, 0 },
    { "100:0:0:1::/64", 0, 0 }, { "::/3", 0, 1 }, { "2001::/23", 1, 1 },
    { "2001::/32", 1, 0 }, { "2001:1::1/128", 0, 0 },
    { "2001:1::2/128", 0, 0 }, { "2001:1::3/128", 0, 0 },
    { "2001:2::/48", 0, 0 }, { "2001:3::/32", 0, 0 },
    { "2001:4:112::/48", 0, 0 }, { "2001:10::/28", 0, 0 },
    { "2001:20::/28", 0, 0 }, { "2001:30::/28", 0, 0 },
    { "2001:db8::/32", 1, 1 }, { "2002::/16", 1, 1 },
    { "3fff::/20", 1, 1 }, { "4000::/2", 1, 0 }, { "5f00::/16", 0, 0 },
    { "8000::/1", 0, 0 }, { "fc00::/7", 0, 0 }, { "fe80::/10", 0, 0 },
    { "fec0::/10", 0, 0 }, { "ff00::/8", 0, 0 },
};

/* Add 1 or -1. @return 0 where there is no such address */
static int step(unsigned char *bytes, int size, int by)
{
    unsigned char end = by > 0 ? 0 : 255;
    int i;

    for (i = size - 1; i >= 0; i--) {
        bytes[i] = (unsigned char)(bytes[i] + by);
        if (bytes[i] != end) {
            return 1;
        }
    }
    return 0;
}

static void check(const char *range, const unsigned char *bytes, int size,
                  int expected)
{
    char text[INET6_ADDRSTRLEN];

    inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text));
    if (!allowed(text, NULL) != !expected) {
        fail_msg("%s, for %s: %s", text, range,
                 expected ? "refused" : "allowed");
    }
}

static void check_range(const registered_t *is, apr_pool_t *pool)
{
    unsigned char last[16];
    orp_cidr_t cidr;
    int bit;

    assert_status(orp_cidr_parse(&cidr, is->range, pool), APR_SUCCESS);
    memcpy(last, cidr.bytes, sizeof(last));
    for (bit = cidr.bits; bit < cidr.size * 8; bit++) {
        last[bit / 8] |= (unsigned char)(0x80 >> bit % 8);
    }
    check(is->range, cidr.bytes, cidr.size, 0);
    check(is->range, last, cidr.size, 0);
    if (step(cidr.bytes, cidr.size, -1)) {
        check(is->range, cidr.bytes, cidr.size, is->before);
    }
    if (step(last, cidr.size, 1)) {
        check(is->range, last, cidr.size, is->behind);
    }
}

static void every_range_ends_where_the_registry_says(void **state)
{
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(registered4); i++) {
        check_range(&registered4[i], scene->pool);
    }
    for (i = 0; i < COUNT(registered6); i++) {
        check_range(&registered6[i], scene->pool);
    }
}

static void a_host_that_is_an_address_says_so_itself(void **state)
{
    static const struct {
        const char *host;
        int allowed;
    } hosts[] = {
        { "127.0.0.1", 0 }, { "127.1", 0 }, { "0177.0.0.1", 0 }, { "0", 0 },
        { "2130706433", 0 }, { "0x7f000001", 0 }, { "127.0.0.1.", 0 },
        { "0000000000000000000000000000000000000000000000177.0.0.1", 0 },
        { "[::1]", 0 }, { "[::ffff:1.1.1.1]", 0 }, { "localhost", 0 },
        { "localhost.", 0 }, { "LOCALHOST", 0 }, { "x.localhost", 0 },
        { "8.8.8.8", 1 }, { "8.8", 1 }, { "134744072", 1 },
        { "010.8.8.8", 1 }, { "012.8.8.8", 0 }, { "[2606:4700::1111]", 1 },
        { "example.com", 1 }, { "localhost.example.com", 1 },
        { "notlocalhost", 1 }, { "127.0.0.1.example.com", 1 },
        { "256.0.0.1", 1 }, { "4294967296", 1 }, { "127.0.0.1..", 1 },
        { "1.2.3.4.5", 1 }, { "0x", 1 }, { "a", 1 }, { ".", 1 },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(hosts); i++) {
        if (!orp_host_allowed(hosts[i].host, NULL, scene->pool)
            != !hosts[i].allowed) {
            fail_msg("%s", hosts[i].host);
        }
    }
    assert_true(orp_host_allowed("0x7f.1", ranges(scene, "127.0.0.1", NULL),
                                 scene->pool));
    assert_false(orp_host_allowed("0x7f.2", ranges(scene, "127.0.0.1", NULL),
                                  scene->pool));
    assert_true(orp_host_allowed("localhost", ranges(scene, "::1", NULL),
                                 scene->pool));
}

static void a_named_range_is_allowed_and_nothing_beside_it(void **state)
{
    scene_t *scene = *state;
    apr_array_header_t *allow = ranges(scene, "127.0.0.1", "10.1.0.0/16");

    assert_true(allowed("127.0.0.1", allow));
    assert_false(allowed("127.0.0.2", allow));
    assert_true(allowed("10.1.255.255", allow));
    assert_false(allowed("10.2.0.0", allow));
    assert_false(allowed("::1", allow));
    assert_false(allowed("::ffff:127.0.0.1", allow));
    assert_true(allowed("8.8.8.8", allow));
    allow = ranges(scene, "fd00::/9", "::1/128");
    assert_true(allowed("::1", allow));
    assert_false(allowed("::2", allow));
    assert_true(allowed("fd7f::1", allow));
    assert_false(allowed("fd80::1", allow));
    assert_false(allowed("127.0.0.1", allow));
    assert_true(allowed("::ffff:127.0.0.1",
                        ranges(scene, "::ffff:127.0.0.1", NULL)));
    assert_true(allowed("127.0.0.1", ranges(scene, "0.0.0.0/0", NULL)));
}

static void other_families_are_refused(void **state)
{
    struct sockaddr_un local;

    (void)state;
    memset(&local, 0, sizeof(local));
    local.sun_family = AF_UNIX;
    assert_false(orp_address_allowed((struct sockaddr *)&local, NULL));
}

static void a_range_is_an_address_and_a_number_of_bits(void **state)
{
    static const struct {
        const char *text;
        int size;
        int bits;
    } table[] = {
        { "10.0.0.0/8", 4, 8 }, { "192.168.1.1", 4, 32 },
        { "0.0.0.0/0", 4, 0 }, { "255.255.255.255/32", 4, 32 },
        { "::1", 16, 128 }, { "::/0", 16, 0 }, { "fe80::/10", 16, 10 },
        { "2001:db8::/32", 16, 32 }, { "128.0.0.0/1", 4, 1 },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        orp_cidr_t cidr;

        assert_status(orp_cidr_parse(&cidr, table[i].text, scene->pool),
                      APR_SUCCESS);
        assert_int_equal(cidr.size, table[i].size);
        assert_int_equal(cidr.bits, table[i].bits);
    }
}

static void what_is_no_range_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "/8", "10", "10.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
        "10.0.0.0/8x", "10.0.0.0/8/8", "10.0.0.1/8", "10.0.0.0/ 8",
        "256.0.0.0/8", "::/129", "::1/127", "fe80::1/10", "example.com",
        "010.0.0.0/8", " 10.0.0.0/8", "[::1]", "10.128.0.0/8",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(texts); i++) {
        orp_cidr_t cidr = { { 0 }, -1, 0 };

        if (orp_cidr_parse(&cidr, texts[i], scene->pool) != APR_EINVAL) {
            fail_msg("\"%s\" is a range", texts[i]);
        }
        assert_int_equal(cidr.size, -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(special_addresses_are_refused),
        scene_test(addresses_beside_the_special_ones_are_allowed),
        scene_test(every_range_ends_where_the_registry_says),
        scene_test(a_host_that_is_an_address_says_so_itself),
        scene_test(a_named_range_is_allowed_and_nothing_beside_it),
        scene_test(other_families_are_refused),
        scene_test(a_range_is_an_address_and_a_number_of_bits),
        scene_test(what_is_no_range_is_refused),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
