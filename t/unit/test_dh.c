/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_dh.c - orp_dh: the MAC key, and the keys that would give it away. */

#include "support.h"

#include "orp_codec.h"
#include "orp_dh.h"

/* OpenID Authentication 2.0, appendix B, as it is printed there. */
#define PRIME \
    "DCF93A0B883972EC0E19989AC5A2CE310E1D37717E8D9571BB7623731866E61E" \
    "F75A2E27898B057F9891C2E27A639C3F29B60814581CD3B2CA3986D268370557" \
    "7D45C2E7E52DC81C7A171876E5CEA74B1448BFDFAF18828EFD2519F14E45E382" \
    "6634AF1949E5B535CC829A483B8A76223E5D490A257F05BDFF16F2FB22C583AB"

/* Made with the integers of Python 3, which share no code with OpenSSL:
 *
 *   def wide(label):
 *       return b"".join(sha256(b"%s %d" % (label, i)).digest()
 *                       for i in range(4))
 *   def btwoc(n): return n.to_bytes(n.bit_length() // 8 + 1, "big")
 *   xa = bytearray(wide(b"consumer N")); xa[0] &= 0x7f; xa[-1] |= 1
 *   xb = int.from_bytes(wide(b"provider N"), "big") % p
 *   consumer = b64(btwoc(pow(2, xa, p)))
 *   provider = b64(btwoc(pow(2, xb, p)))
 *   mac = H(b"mac N").digest()
 *   enc_mac = b64(xor(H(btwoc(pow(2, xa * xb, p))).digest(), mac))
 *
 * with the N that gave these shapes.
 */
static const struct {
    int n;
    orp_hash_e hash;
    const char *consumer;
    const char *provider;
    const char *enc_mac;
    const char *mac;
} vectors[] = {
    /* both public keys and the secret begin with a set bit */
    { 2, ORP_SHA1,
      "AIInXBXmsNpYljXQnAdY33/Utr0N9/OP6EB4dUF5ixBDRFQRvtJq7txjI4cR"
      "uG+v8d7WYYTf863I+ZPjmYstJlFDwOumQafMKQ9AwuGVulE/C/qZ+vb9xBYx"
      "2kG6lSR9VXmmu2X6ObBnXsFq7K0wY7VYZEZ8FN1/pGHSYO1UXSSY",
      "AKu/Hr8Yo4fxXabMYXhH9Wl9j++stmSL62ROku0n6iokAx1++o6Xo/j6G43O"
      "ESdt782akqOwXkqNy/2fxL9S3ei0oMQUhyZlawX8o7tuFoBfb5dRl8tLS0Ke"
      "obsKIdS2xMqXu0JCyL1HlH0LWG5ZLcMBKIOkS0/z0ywINy0a0OVV",
      "baYTgLkDSjwcUeCVb1U11PgzJpI=",
      "0162449aa347cffa949dc238ef2e15b40ab8b9da" },
    { 2, ORP_SHA256,
      "AIInXBXmsNpYljXQnAdY33/Utr0N9/OP6EB4dUF5ixBDRFQRvtJq7txjI4cR"
      "uG+v8d7WYYTf863I+ZPjmYstJlFDwOumQafMKQ9AwuGVulE/C/qZ+vb9xBYx"
      "2kG6lSR9VXmmu2X6ObBnXsFq7K0wY7VYZEZ8FN1/pGHSYO1UXSSY",
      "AKu/Hr8Yo4fxXabMYXhH9Wl9j++stmSL62ROku0n6iokAx1++o6Xo/j6G43O"
      "ESdt782akqOwXkqNy/2fxL9S3ei0oMQUhyZlawX8o7tuFoBfb5dRl8tLS0Ke"
      "obsKIdS2xMqXu0JCyL1HlH0LWG5ZLcMBKIOkS0/z0ywINy0a0OVV",
      "XqDacN68h1/oPdcxx76RuMQDj7dqHZPFpgbz+BajeHs=",
      "70fef178163e27a02a67b73fcdb03e62974428e469f491eb7773ec9129787791" },
    /* none of them does */
    { 3, ORP_SHA1,
      "dN2PYPUC/WZ1Hln7yQfjkLymYHh4S2b7RQ56tjhN2qt0yoGv4HC5SQkLa9Vf"
      "+547svBibz8rnV4/3Vn8qOIE4F4NWR5+mDLCVE6jWgGFTl8Xje7qmY86Hge+"
      "JSaYnxlEKhDft5Fs+1+IfbfG4rfZJ0g8ut66+YMuRm75Bk+qTpo=",
      "d1r5zRsx10ojt6t9QVsNP8DvrSDlZbWz5WdtYFECGegWG5VBGNRD/MgL7+Qb"
      "ilCO5HAGeB2A+j688bR86b5GGhrfxOSxRe5/9tjO4wAlpSx4g2DjSYUppPSp"
      "xXMPtIcbsyZ3wcNVqBg/h25/x/1WgWExWhOrR0OgdYHTEalqKsQ=",
      "0eL5QriJhpygEx2C2jtprOq1KZs=",
      "6b292f56e7295c2610e14e4ed2d921c3a9d37957" },
    { 3, ORP_SHA256,
      "dN2PYPUC/WZ1Hln7yQfjkLymYHh4S2b7RQ56tjhN2qt0yoGv4HC5SQkLa9Vf"
      "+547svBibz8rnV4/3Vn8qOIE4F4NWR5+mDLCVE6jWgGFTl8Xje7qmY86Hge+"
      "JSaYnxlEKhDft5Fs+1+IfbfG4rfZJ0g8ut66+YMuRm75Bk+qTpo=",
      "d1r5zRsx10ojt6t9QVsNP8DvrSDlZbWz5WdtYFECGegWG5VBGNRD/MgL7+Qb"
      "ilCO5HAGeB2A+j688bR86b5GGhrfxOSxRe5/9tjO4wAlpSx4g2DjSYUppPSp"
      "xXMPtIcbsyZ3wcNVqBg/h25/x/1WgWExWhOrR0OgdYHTEalqKsQ=",
      "8cn6G9EzLmCYrLhOpyrBnWpoXUXjAE/yrnQXeDFp3Ds=",
      "04e5402959244375c9ac145e500b780a5064a639681e402ec2d80e071cc9e982" },
    /* the provider's key is a byte shorter */
    { 169, ORP_SHA1,
      "BDfIs8yY6xxnlI/vJO8bPCmdQ56f3w+RuhVNoC5DSFDwkSRXO99ACZUzxf1Z"
      "zU0zMopo30yLagbnILXsneo49Q+vNqTSq531BJR6dYlkAw1Pv4W8yevxdPRc"
      "JsMsD6UjGqxFij6iEpWx48nY7i1XyISCEZRedHPLRp5IG0vMK2o=",
      "OOTBV+FeKbtmW/SeCJWJypQHy4YXVXbJLOXaI2ydZSrzrDxPbQH7hyDueCnd"
      "cTiyHVxNP/jLyFnX1gu1Fc+dsyPWa31m4C/Xc9qgKEsi9nCGfHXqXeJHtLVX"
      "HsP0w65drvAe2P14qZPvcuhQ5yKbWcAu2joQ9Cr7KiOmJ3iWog==",
      "cvwhH3FT6poepMw5d4BfwDnYPv4=",
      "5987e2ed6b77a2ab0c693c8be07ff0f2486a6f0e" },
    { 169, ORP_SHA256,
      "BDfIs8yY6xxnlI/vJO8bPCmdQ56f3w+RuhVNoC5DSFDwkSRXO99ACZUzxf1Z"
      "zU0zMopo30yLagbnILXsneo49Q+vNqTSq531BJR6dYlkAw1Pv4W8yevxdPRc"
      "JsMsD6UjGqxFij6iEpWx48nY7i1XyISCEZRedHPLRp5IG0vMK2o=",
      "OOTBV+FeKbtmW/SeCJWJypQHy4YXVXbJLOXaI2ydZSrzrDxPbQH7hyDueCnd"
      "cTiyHVxNP/jLyFnX1gu1Fc+dsyPWa31m4C/Xc9qgKEsi9nCGfHXqXeJHtLVX"
      "HsP0w65drvAe2P14qZPvcuhQ5yKbWcAu2joQ9Cr7KiOmJ3iWog==",
      "a/XDM2UHPd2v5hZSHeSG9+ZnoSYV2+mAUWGPYSwrv1Y=",
      "4e8dc1ac0522dda25ad249529ff232a9372444f05d4c726c968ec7e159c5ac8b" },
    /* the shared secret is a byte shorter */
    { 837, ORP_SHA1,
      "AIAni28qMOPyJCuibKMTENFs9GmlnE1MXRca4wi9Lb4RWR67BVjZLx5mH6+F"
      "XLqVtgkJHe1KLbTwO3hFaUGzx8R/1GUv4gfL3UajztJySKoUPPTnGBoL4PKu"
      "O1pftk4+qi2/R6+XhG2M932lKMViU4+A6Wh5J/I4fONGD92Y8Qz1",
      "C4KLq/UgLMsIEXl8tzHAa+NbGf408O2BsHw0PgZ6kXnMgVrOnLWIKcKbiagI"
      "zDoNAyoXSGhKB+ix3JrVu480WRI+tJzi1Obr7sqXNFxHGYclsxXIVP1sGRV5"
      "u1LwgtRGtWnTmXdQq7WL0hJiFWdjChmqmvFDK7uMSM+FczJLsDA=",
      "ibR0/VCwuUT60TzbThs/BYm9Apw=",
      "e2630ecdc2be43b90ae57227f3b15410bd4b050e" },
    { 837, ORP_SHA256,
      "AIAni28qMOPyJCuibKMTENFs9GmlnE1MXRca4wi9Lb4RWR67BVjZLx5mH6+F"
      "XLqVtgkJHe1KLbTwO3hFaUGzx8R/1GUv4gfL3UajztJySKoUPPTnGBoL4PKu"
      "O1pftk4+qi2/R6+XhG2M932lKMViU4+A6Wh5J/I4fONGD92Y8Qz1",
      "C4KLq/UgLMsIEXl8tzHAa+NbGf408O2BsHw0PgZ6kXnMgVrOnLWIKcKbiagI"
      "zDoNAyoXSGhKB+ix3JrVu480WRI+tJzi1Obr7sqXNFxHGYclsxXIVP1sGRV5"
      "u1LwgtRGtWnTmXdQq7WL0hJiFWdjChmqmvFDK7uMSM+FczJLsDA=",
      "RBdKESlCMIo0AV8qsSe9Y7TBk3gCiJOVhYMc5U9I+t0=",
      "8f3b1a96d87d44f39277c4dee8f53ca13ff25c9b963e293ef0be183842b3ff88" },
};

/* What a consumer's world draws at random for vector N. */
static const unsigned char *wide(scene_t *scene, int n)
{
    unsigned char *out = apr_palloc(scene->pool, 4 * 32);
    int i;

    for (i = 0; i < 4; i++) {
        const char *label = apr_psprintf(scene->pool, "consumer %d %d", n, i);

        assert_status(orp_digest(out + 32 * i, ORP_SHA256, label,
                                 strlen(label)), APR_SUCCESS);
    }
    return out;
}

static orp_dh_t *consumer(scene_t *scene, int n)
{
    orp_dh_t *dh = NULL;

    scene_next_random(scene, wide(scene, n), ORP_DH_SIZE);
    assert_status(orp_dh_create(&dh, &scene->env, scene->pool), APR_SUCCESS);
    return dh;
}

static void the_public_key_is_g_to_the_private_key(void **state)
{
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(vectors); i++) {
        assert_text(orp_dh_public(consumer(scene, vectors[i].n),
                                  scene->pool), vectors[i].consumer);
    }
}

static void the_mac_key_is_recovered(void **state)
{
    scene_t *scene = *state;
    unsigned char key[ORP_HASH_MAX];
    size_t i;

    for (i = 0; i < COUNT(vectors); i++) {
        assert_status(orp_dh_mac_key(key, consumer(scene, vectors[i].n),
                                     vectors[i].hash, vectors[i].provider,
                                     vectors[i].enc_mac, scene->pool),
                      APR_SUCCESS);
        assert_text(orp_hex_encode(key, orp_hash_size(vectors[i].hash),
                                   scene->pool), vectors[i].mac);
    }
}

static void every_exchange_has_a_key_of_its_own(void **state)
{
    scene_t *scene = *state;
    orp_dh_t *one, *two;

    assert_status(orp_dh_create(&one, &scene->env, scene->pool),
                  APR_SUCCESS);
    assert_status(orp_dh_create(&two, &scene->env, scene->pool),
                  APR_SUCCESS);
    assert_string_not_equal(orp_dh_public(one, scene->pool),
                            orp_dh_public(two, scene->pool));
}

static void a_key_drawn_as_zero_is_not_used(void **state)
{
    static const unsigned char zeros[ORP_DH_SIZE];
    scene_t *scene = *state;
    orp_dh_t *dh;

    scene_next_random(scene, zeros, sizeof(zeros));
    assert_status(orp_dh_create(&dh, &scene->env, scene->pool), APR_SUCCESS);
    assert_text(orp_dh_public(dh, scene->pool), "Ag==");    /* not g ^ 0 */
}

static void no_key_is_made_where_chance_fails(void **state)
{
    scene_t *scene = *state;
    orp_dh_t *dh = NULL;

    scene->random_status = ORP_ECRYPTO;
    assert_status(orp_dh_create(&dh, &scene->env, scene->pool), ORP_ECRYPTO);
    assert_null(dh);
}

/* p + add, as btwoc in base64. */
static const char *near_prime(scene_t *scene, int add)
{
    apr_size_t size;
    unsigned char *p = unhex(&size, PRIME, scene->pool);
    const unsigned char *btwoc;

    p[size - 1] = (unsigned char)(p[size - 1] + add);
    btwoc = orp_btwoc_encode(&size, p, size, scene->pool);
    return orp_base64_encode(btwoc, size, scene->pool);
}

static const char *base64(scene_t *scene, const char *bytes, apr_size_t size)
{
    return orp_base64_encode((const unsigned char *)bytes, size,
                             scene->pool);
}

/* The same exchange, but with this public key. */
static apr_status_t with_public(scene_t *scene, const char *public_key)
{
    unsigned char key[ORP_HASH_MAX] = { 0 };
    unsigned char untouched[ORP_HASH_MAX] = { 0 };
    apr_status_t status = orp_dh_mac_key(key, consumer(scene, 3), ORP_SHA1,
                                         public_key, vectors[2].enc_mac,
                                         scene->pool);

    if (status == APR_SUCCESS) {
        assert_memory_not_equal(key, untouched, sizeof(key));
    }
    else {
        assert_memory_equal(key, untouched, sizeof(key));
    }
    return status;
}

static void a_public_key_that_gives_the_secret_away_is_refused(void **state)
{
    scene_t *scene = *state;

    assert_status(with_public(scene, base64(scene, "\x00", 1)),
                  ORP_EASSOCIATE);
    assert_status(with_public(scene, base64(scene, "\x01", 1)),
                  ORP_EASSOCIATE);
    assert_status(with_public(scene, near_prime(scene, -1)), ORP_EASSOCIATE);
    assert_status(with_public(scene, near_prime(scene, 0)), ORP_EASSOCIATE);
    assert_status(with_public(scene, near_prime(scene, 1)), ORP_EASSOCIATE);
    assert_status(with_public(scene, near_prime(scene, 0x50)),
                  ORP_EASSOCIATE);

    assert_status(with_public(scene, base64(scene, "\x02", 1)), APR_SUCCESS);
    assert_status(with_public(scene, base64(scene, "\x01\x00", 2)),
                  APR_SUCCESS);
    assert_status(with_public(scene, near_prime(scene, -2)), APR_SUCCESS);
    assert_status(with_public(scene, vectors[2].provider), APR_SUCCESS);
}

static void an_oversized_public_key_is_refused(void **state)
{
    scene_t *scene = *state;
    const char *ones = repeated("\x7f", 1024 * 1024, scene->pool);

    assert_status(with_public(scene, base64(scene, ones, 129)),
                  ORP_EASSOCIATE);
    assert_status(with_public(scene, base64(scene, ones, 1024 * 1024)),
                  ORP_EASSOCIATE);
    assert_status(with_public(scene, base64(scene, ones, 128)), APR_SUCCESS);
}

static void a_public_key_that_cannot_be_read_is_refused(void **state)
{
    scene_t *scene = *state;

    assert_status(with_public(scene, ""), ORP_EENCODING);
    assert_status(with_public(scene, "Ag"), ORP_EENCODING);
    assert_status(with_public(scene, "-2=="), ORP_EENCODING);
    assert_status(with_public(scene, "Ag==\n"), ORP_EENCODING);
    assert_status(with_public(scene, base64(scene, "\x80", 1)),
                  ORP_EENCODING);           /* negative */
    assert_status(with_public(scene, base64(scene, "\xff\xff", 2)),
                  ORP_EENCODING);
    assert_status(with_public(scene, base64(scene, "\x00\x02", 2)),
                  ORP_EENCODING);           /* not the shortest */
    assert_status(with_public(scene, "Ag=="), APR_SUCCESS);
}

static void a_mac_key_of_the_wrong_size_is_refused(void **state)
{
    static const struct {
        orp_hash_e hash;
        apr_size_t size;
        apr_status_t status;
    } sizes[] = {
        { ORP_SHA1, 0, ORP_EASSOCIATE }, { ORP_SHA1, 1, ORP_EASSOCIATE },
        { ORP_SHA1, 19, ORP_EASSOCIATE }, { ORP_SHA1, 20, APR_SUCCESS },
        { ORP_SHA1, 21, ORP_EASSOCIATE }, { ORP_SHA1, 32, ORP_EASSOCIATE },
        { ORP_SHA1, 1000, ORP_EASSOCIATE },
        { ORP_SHA256, 0, ORP_EASSOCIATE }, { ORP_SHA256, 20, ORP_EASSOCIATE },
        { ORP_SHA256, 31, ORP_EASSOCIATE }, { ORP_SHA256, 32, APR_SUCCESS },
        { ORP_SHA256, 33, ORP_EASSOCIATE },
    };
    scene_t *scene = *state;
    const char *bytes = repeated("m", 1000, scene->pool);
    unsigned char key[ORP_HASH_MAX];
    size_t i;

    for (i = 0; i < COUNT(sizes); i++) {
        assert_status(orp_dh_mac_key(key, consumer(scene, 3), sizes[i].hash,
                                     vectors[2].provider,
                                     base64(scene, bytes, sizes[i].size),
                                     scene->pool), sizes[i].status);
    }
}

static void a_mac_key_that_cannot_be_read_is_refused(void **state)
{
    scene_t *scene = *state;
    unsigned char key[ORP_HASH_MAX];
    const char *good = base64(scene, repeated("m", 20, scene->pool), 20);

    assert_status(orp_dh_mac_key(key, consumer(scene, 3), ORP_SHA1,
                                 vectors[2].provider,
                                 apr_pstrcat(scene->pool, good, "=", NULL),
                                 scene->pool), ORP_EENCODING);
    assert_status(orp_dh_mac_key(key, consumer(scene, 3), ORP_SHA1,
                                 vectors[2].provider, good, scene->pool),
                  APR_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(the_public_key_is_g_to_the_private_key),
        scene_test(the_mac_key_is_recovered),
        scene_test(every_exchange_has_a_key_of_its_own),
        scene_test(a_key_drawn_as_zero_is_not_used),
        scene_test(no_key_is_made_where_chance_fails),
        scene_test(a_public_key_that_gives_the_secret_away_is_refused),
        scene_test(an_oversized_public_key_is_refused),
        scene_test(a_public_key_that_cannot_be_read_is_refused),
        scene_test(a_mac_key_of_the_wrong_size_is_refused),
        scene_test(a_mac_key_that_cannot_be_read_is_refused),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("dh", tests, NULL, NULL);
}
