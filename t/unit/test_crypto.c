/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_crypto.c - orp_crypto: known answers, and secrets that go away. */

#include "support.h"

#include "orp_codec.h"
#include "orp_crypto.h"

static const char *digest(scene_t *scene, orp_hash_e hash, const char *text)
{
    unsigned char out[ORP_HASH_MAX];

    assert_status(orp_digest(out, hash, text, strlen(text)), APR_SUCCESS);
    return orp_hex_encode(out, orp_hash_size(hash), scene->pool);
}

/* FIPS 180-2, appendices A and B. */
static void digests_are_those_of_fips_180(void **state)
{
    static const char two_blocks[] =
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    scene_t *scene = *state;

    assert_text(digest(scene, ORP_SHA1, "abc"),
                "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_text(digest(scene, ORP_SHA1, two_blocks),
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    assert_text(digest(scene, ORP_SHA1, ""),
                "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    assert_text(digest(scene, ORP_SHA256, "abc"),
                "ba7816bf8f01cfea414140de5dae2223"
                "b00361a396177a9cb410ff61f20015ad");
    assert_text(digest(scene, ORP_SHA256, two_blocks),
                "248d6a61d20638b8e5c026930c3e6039"
                "a33ce45964ff2167f6ecedd419db06c1");
    assert_text(digest(scene, ORP_SHA256, ""),
                "e3b0c44298fc1c149afbf4c8996fb924"
                "27ae41e4649b934ca495991b7852b855");
}

static void a_digest_has_its_size(void **state)
{
    (void)state;
    assert_int_equal(orp_hash_size(ORP_SHA1), 20);
    assert_int_equal(orp_hash_size(ORP_SHA256), 32);
    assert_int_equal(ORP_HASH_MAX, 32);
}

static void sha256_of_a_text_is_written_in_hexadecimal(void **state)
{
    scene_t *scene = *state;

    assert_text(orp_sha256_hex("abc", scene->pool),
                digest(scene, ORP_SHA256, "abc"));
}

/* Keys and data as hexadecimal bytes, repeated; or data as text. */
typedef struct {
    const char *key;
    int key_times;
    const char *text;           /* or NULL: data */
    const char *data;
    int data_times;
    const char *mac;
} hmac_t;

static void assert_hmac(scene_t *scene, orp_hash_e hash, const hmac_t *v)
{
    unsigned char out[ORP_HASH_MAX];
    apr_size_t key_size, size;
    const unsigned char *key, *data;

    key = unhex(&key_size, repeated(v->key, v->key_times, scene->pool),
                scene->pool);
    if (v->text) {
        data = (const unsigned char *)v->text;
        size = strlen(v->text);
    }
    else {
        data = unhex(&size, repeated(v->data, v->data_times, scene->pool),
                     scene->pool);
    }
    assert_status(orp_hmac(out, hash, key, key_size, data, size),
                  APR_SUCCESS);
    assert_text(orp_hex_encode(out, orp_hash_size(hash), scene->pool),
                v->mac);
}

#define COUNTING "0102030405060708090a0b0c0d0e0f10111213141516171819"

static void hmac_sha1_is_that_of_rfc_2202(void **state)
{
    static const hmac_t vectors[] = {
        { "0b", 20, "Hi There", NULL, 0,
          "b617318655057264e28bc0b6fb378c8ef146be00" },
        { "4a656665", 1, "what do ya want for nothing?", NULL, 0,
          "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
        { "aa", 20, NULL, "dd", 50,
          "125d7342b9ac11cd91a39af48aa17b4f63f175d3" },
        { COUNTING, 1, NULL, "cd", 50,
          "4c9007f4026250c6bc8414f9bf50c86c2d7235da" },
        { "0c", 20, "Test With Truncation", NULL, 0,
          "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04" },
        { "aa", 80, "Test Using Larger Than Block-Size Key - Hash Key First",
          NULL, 0, "aa4ae5e15272d00e95705637ce8a3b55ed402112" },
        { "aa", 80, "Test Using Larger Than Block-Size Key and Larger Than "
          "One Block-Size Data", NULL, 0,
          "e8e99d0f45237d786d6bbaa7965c7808bbff1a91" },
    };
    size_t i;

    for (i = 0; i < COUNT(vectors); i++) {
        assert_hmac(*state, ORP_SHA1, &vectors[i]);
    }
}

/* Test case 5 is about truncation, which there is none of here. */
static void hmac_sha256_is_that_of_rfc_4231(void **state)
{
    static const hmac_t vectors[] = {
        { "0b", 20, "Hi There", NULL, 0,
          "b0344c61d8db38535ca8afceaf0bf12b"
          "881dc200c9833da726e9376c2e32cff7" },
        { "4a656665", 1, "what do ya want for nothing?", NULL, 0,
          "5bdcc146bf60754e6a042426089575c7"
          "5a003f089d2739839dec58b964ec3843" },
        { "aa", 20, NULL, "dd", 50,
          "773ea91e36800e46854db8ebd09181a7"
          "2959098b3ef8c122d9635514ced565fe" },
        { COUNTING, 1, NULL, "cd", 50,
          "82558a389a443c0ea4cc819899f2083a"
          "85f0faa3e578f8077a2e3ff46729665b" },
        { "aa", 131, "Test Using Larger Than Block-Size Key - Hash Key First",
          NULL, 0,
          "60e431591ee0b67f0d8a26aacbf5b77f"
          "8e0bc6213728c5140546040f0ee37f54" },
        { "aa", 131, "This is a test using a larger than block-size key and "
          "a larger than block-size data. The key needs to be hashed before "
          "being used by the HMAC algorithm.", NULL, 0,
          "9b09ffa71b942fcb27635fbcd5b0e944"
          "bfdc63644f0713938a7f51535c3a35e2" },
    };
    size_t i;

    for (i = 0; i < COUNT(vectors); i++) {
        assert_hmac(*state, ORP_SHA256, &vectors[i]);
    }
}

static void hmac_takes_an_empty_key_and_an_empty_text(void **state)
{
    /* python3: hmac.new(b"", b"", "sha256").hexdigest() */
    static const hmac_t empty = {
        "", 0, "", NULL, 0, "b613679a0814d9ec772f95d778c35fc5"
        "ff1697c493715653c6c712144292c5ad"
    };

    assert_hmac(*state, ORP_SHA256, &empty);
}

static void secrets_are_equal_only_if_every_byte_is(void **state)
{
    unsigned char a[32], b[32];
    size_t i;

    (void)state;
    memset(a, 7, sizeof(a));
    memset(b, 7, sizeof(b));
    assert_true(orp_secret_equal(a, b, sizeof(a)));
    for (i = 0; i < sizeof(a); i++) {
        b[i] ^= 0x80;
        assert_false(orp_secret_equal(a, b, sizeof(a)));
        assert_true(orp_secret_equal(a, b, i));
        b[i] ^= 0x80;
    }
    assert_true(orp_secret_equal(a, b, 0));
}

static void random_bytes_do_not_repeat(void **state)
{
    unsigned char a[32] = { 0 }, b[32] = { 0 }, none[32] = { 0 };

    (void)state;
    assert_status(orp_random_bytes(a, sizeof(a)), APR_SUCCESS);
    assert_status(orp_random_bytes(b, sizeof(b) - 1), APR_SUCCESS);
    assert_memory_not_equal(a, none, sizeof(a));
    assert_memory_not_equal(a, b, sizeof(a) - 1);
    assert_int_equal(b[31], 0);     /* not a byte more than asked for */
}

static void a_cleansed_secret_is_gone(void **state)
{
    char secret[] = "secret!";

    (void)state;
    orp_cleanse(secret, 6);
    assert_memory_equal(secret, "\0\0\0\0\0\0!", 8);
}

static void a_secret_is_cleansed_with_its_pool(void **state)
{
    scene_t *scene = *state;
    char *secret = apr_pstrdup(scene->pool, "secret!");
    char *other = apr_pstrdup(scene->pool, "other");
    apr_pool_t *pool;

    assert_status(apr_pool_create(&pool, scene->pool), APR_SUCCESS);
    orp_cleanse_later(secret, 6, pool);
    orp_cleanse_later(other, 5, scene->pool);
    assert_memory_equal(secret, "secret!", 8);
    apr_pool_destroy(pool);
    assert_memory_equal(secret, "\0\0\0\0\0\0!", 8);
    assert_memory_equal(other, "other", 6);
}

static void powers_are_written_with_leading_zeros(void **state)
{
    /* python3: pow(3, 65537, 0x10001) is 3; pow(5, 0x1234, 0xfff1) is 56881 */
    static const unsigned char modulus[] = { 0x01, 0x00, 0x01 };
    static const unsigned char second[] = { 0xff, 0xf1 };
    unsigned char out[3];

    (void)state;
    assert_status(orp_modexp(out, (const unsigned char *)"\x03", 1,
                             modulus, 3, modulus, 3), APR_SUCCESS);
    assert_memory_equal(out, "\x00\x00\x03", 3);
    assert_status(orp_modexp(out, (const unsigned char *)"\x05", 1,
                             (const unsigned char *)"\x12\x34", 2,
                             second, 2), APR_SUCCESS);
    assert_int_equal(out[0] << 8 | out[1], 56881);
    assert_status(orp_modexp(out, (const unsigned char *)"", 0,
                             second, 2, second, 2), APR_SUCCESS);
    assert_memory_equal(out, "\x00\x00", 2);
}

static void powers_without_a_modulus_fail(void **state)
{
    unsigned char out[2] = { 7, 7 };

    (void)state;
    assert_status(orp_modexp(out, (const unsigned char *)"\x05", 1,
                             (const unsigned char *)"\x12\x34", 2,
                             (const unsigned char *)"\x00\x00", 2),
                  ORP_ECRYPTO);
    assert_memory_equal(out, "\x07\x07", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(digests_are_those_of_fips_180),
        scene_test(a_digest_has_its_size),
        scene_test(sha256_of_a_text_is_written_in_hexadecimal),
        scene_test(hmac_sha1_is_that_of_rfc_2202),
        scene_test(hmac_sha256_is_that_of_rfc_4231),
        scene_test(hmac_takes_an_empty_key_and_an_empty_text),
        scene_test(secrets_are_equal_only_if_every_byte_is),
        scene_test(random_bytes_do_not_repeat),
        scene_test(a_cleansed_secret_is_gone),
        scene_test(a_secret_is_cleansed_with_its_pool),
        scene_test(powers_are_written_with_leading_zeros),
        scene_test(powers_without_a_modulus_fail),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
