/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_secrets.c - secrets: what they are compared with, and what is left of
 * them in memory.
 *
 * No time is measured, for a machine that is busy lies about it. This program
 * has functions of its own for comparing, which count, in the place of those
 * of the C library and of libcrypto; and it reads all of its own memory.
 *
 * Every secret stands masked here, so that nothing but the code under test
 * has it in clear.
 */

#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/bn.h>

#include "orp_assoc.h"
#include "orp_associate.h"
#include "orp_codec.h"
#include "orp_dh.h"
#include "orp_login.h"

#define OP "https://op.example/auth"
#define HANDLE "a-handle"
#define MASK 0xA5

static void mask(void *bytes, size_t size)
{
    unsigned char *b = bytes;

    while (size--) {
        *b++ ^= MASK;
    }
}

/* ---------------------------------------------------------------------- */
/* Comparing */

#define WATCHED 16              /* so much of a secret tells it */

/* What is watched, masked; and what was seen since watch(). */
static struct {
    int on;
    unsigned char secret[2][WATCHED];
    int secrets;
    int constant;               /* comparisons in constant time of it */
    size_t size;                /* of the last one of these */
    int variable;               /* of it by anything else */
} seen;

static int is_secret(const void *bytes)
{
    const unsigned char *b = bytes;
    int i, j;

    for (i = 0; i < seen.secrets; i++) {
        for (j = 0; j < WATCHED
             && (b[j] ^ MASK) == seen.secret[i][j]; j++) {
            continue;
        }
        if (j == WATCHED) {
            return 1;
        }
    }
    return 0;
}

static int has_watched_size(const char *text)
{
    int i;

    for (i = 0; i < WATCHED; i++) {
        if (!text[i]) {
            return 0;
        }
    }
    return 1;
}

static void look(const void *a, const void *b, size_t size)
{
    if (seen.on && size >= WATCHED && (is_secret(a) || is_secret(b))) {
        seen.variable++;
    }
}

static void look_text(const char *a, const char *b, size_t size)
{
    if (seen.on && size >= WATCHED
        && ((has_watched_size(a) && is_secret(a))
            || (has_watched_size(b) && is_secret(b)))) {
        seen.variable++;
    }
}

/* For libraries as well. */
#define INSTEAD __attribute__((visibility("default")))

int CRYPTO_memcmp(const void *a, const void *b, size_t size);
INSTEAD int CRYPTO_memcmp(const void *a, const void *b, size_t size)
{
    const volatile unsigned char *x = a, *y = b;
    unsigned char different = 0;
    size_t i;

    if (seen.on && size >= WATCHED && (is_secret(a) || is_secret(b))) {
        seen.constant++;
        seen.size = size;
    }
    for (i = 0; i < size; i++) {
        different |= x[i] ^ y[i];
    }
    return different;
}

/* How often a power was asked for in constant time, and how often not. */
static struct {
    int constant;
    int variable;
} powers;

INSTEAD int BN_mod_exp(BIGNUM *r, const BIGNUM *a, const BIGNUM *p,
                       const BIGNUM *m, BN_CTX *ctx)
{
    if (BN_get_flags(p, BN_FLG_CONSTTIME)) {
        powers.constant++;
    }
    else {
        powers.variable++;
    }
    return BN_mod_exp_mont_consttime(r, a, p, m, ctx, NULL);
}

INSTEAD int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *x = a, *y = b;

    look(a, b, size);
    for (; size && *x == *y; size--) {
        x++;
        y++;
    }
    return size ? *x - *y : 0;
}

INSTEAD int strncmp(const char *a, const char *b, size_t size)
{
    look_text(a, b, size);
    for (; size && *a && *a == *b; size--) {
        a++;
        b++;
    }
    return size ? (unsigned char)*a - (unsigned char)*b : 0;
}

INSTEAD int strcmp(const char *a, const char *b)
{
    look_text(a, b, SIZE_MAX);
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

/* From now on, watch comparisons of these bytes, and of another spelling. */
static void watch(const void *secret, const void *spelling)
{
    memset(&seen, 0, sizeof(seen));
    memcpy(seen.secret[0], secret, WATCHED);
    memcpy(seen.secret[1], spelling, WATCHED);
    mask(seen.secret, sizeof(seen.secret));
    seen.secrets = 2;
    seen.on = 1;
}

/* A message of one field with this signature. */
static orp_message_t *signed_with(scene_t *scene, const unsigned char *bytes,
                                  size_t size)
{
    orp_message_t *message;
    const orp_params_t *params = params_of(
        scene->pool, "openid.mode", "id_res", "openid.signed", "mode",
        "openid.sig", orp_base64_encode(bytes, size, scene->pool), NULL);

    assert_status(orp_message_from_request(&message, params, NULL,
                                           scene->pool), APR_SUCCESS);
    return message;
}

/* The list of attacks, A, "timing". */
static void signatures_that_share_0_to_31_bytes_take_one_comparison_of_all(
    void **state)
{
    static const orp_hash_e hashes[] = { ORP_SHA1, ORP_SHA256 };
    static const char text[] = "mode:id_res\n";
    scene_t *scene = *state;
    size_t i, shared;

    for (i = 0; i < COUNT(hashes); i++) {
        orp_assoc_t assoc = { OP, HANDLE, hashes[i], "some key",
                              SCENE_TIME };
        unsigned char right[ORP_HASH_MAX], sent[ORP_HASH_MAX];
        size_t size = orp_hash_size(hashes[i]);

        assert_status(orp_hmac(right, hashes[i], assoc.key, size, text,
                               sizeof(text) - 1), APR_SUCCESS);
        for (shared = 0; shared <= size; shared++) {
            apr_status_t status;
            orp_message_t *message;

            memcpy(sent, right, size);
            if (shared < size) {
                sent[shared] ^= 0x01;
            }
            message = signed_with(scene, sent, size);
            watch(right, orp_base64_encode(right, size, scene->pool));
            status = orp_assoc_verify(&assoc, message, NULL, scene->pool);
            seen.on = 0;
            assert_status(status, shared < size ? ORP_ESIGNATURE
                          : APR_SUCCESS);
            assert_int_equal(seen.constant, 1);
            assert_int_equal(seen.size, size);
            assert_int_equal(seen.variable, 0);
        }
    }
}

static void a_logins_cookie_takes_one_comparison_of_all(void **state)
{
    scene_t *scene = *state;
    orp_login_t *login;
    const char *browser, *hash;
    int right;

    assert_status(orp_login_create(&login, &browser, &scene->env,
                                   60 * APR_USEC_PER_SEC, scene->pool),
                  APR_SUCCESS);
    hash = orp_sha256_hex(browser, scene->pool);
    for (right = 0; right < 2; right++) {
        char *sent = apr_pstrdup(scene->pool, browser);
        int same;

        sent[strlen(sent) - 1] ^= !right;
        watch(browser, hash);
        same = orp_login_is_browser(login, sent, scene->pool);
        seen.on = 0;
        assert_int_equal(same, right);
        assert_int_equal(seen.constant, 1);
        assert_int_equal(seen.size, 64);
        assert_int_equal(seen.variable, 0);
    }
}

/* So that no compiler knows better than to call them. */
static int (*volatile text_compare)(const char *, const char *) = strcmp;
static int (*volatile part_compare)(const char *, const char *, size_t)
    = strncmp;
static int (*volatile byte_compare)(const void *, const void *, size_t)
    = memcmp;

static void other_comparisons_are_seen(void **state)
{
    apr_pool_t *pool = ((scene_t *)*state)->pool;
    char *copy = apr_pstrdup(pool, "a secret of some length");
    char *other = apr_pstrdup(pool, "another spelling of it");
    char *same = apr_pstrdup(pool, copy);

    watch(copy, other);
    assert_int_not_equal(text_compare(copy, other + 1), 0);
    assert_int_not_equal(part_compare(other + 1, copy, 20), 0);
    assert_int_not_equal(byte_compare(other, copy + 1, 16), 0);
    assert_int_equal(text_compare(same, copy), 0);
    assert_int_equal(seen.variable, 4);
    assert_int_equal(byte_compare(copy, same, 8), 0);
    assert_int_not_equal(text_compare(copy + 1, other + 1), 0);
    assert_int_equal(seen.variable, 4);
    assert_int_equal(seen.constant, 0);
    assert_true(orp_secret_equal(copy, same, strlen(copy)));
    seen.on = 0;
    assert_int_equal(seen.constant, 1);
    assert_int_equal(seen.size, strlen(copy));
}

/* ---------------------------------------------------------------------- */
/* What is left in memory */

#define CHUNK (64 * 1024)
#define OVERLAP 64
#define REGION_MAX (64 * 1024 * 1024)   /* of a sanitizer's or of valgrind's */

static unsigned char window[CHUNK + OVERLAP];

/* How often a masked needle is in what was read. */
static int hits_in(const unsigned char *text, size_t size,
                   const unsigned char *needle, size_t length)
{
    unsigned char first = needle[0] ^ MASK;
    int hits = 0;
    size_t i, j;

    for (i = 0; i + length <= size; i++) {
        if (text[i] != first) {
            continue;
        }
        for (j = 1; j < length && (text[i + j] ^ MASK) == needle[j]; j++) {
            continue;
        }
        hits += j == length;
    }
    return hits;
}

static int hits_in_region(int memory, unsigned long from, unsigned long to,
                          const unsigned char *needle, size_t length)
{
    unsigned long own = (unsigned long)(uintptr_t)window;
    int hits = 0;

    while (from < to) {
        size_t want = to - from < sizeof(window) ? to - from
            : sizeof(window);
        ssize_t got;

        if (from >= own && from < own + sizeof(window)) {
            from = own + sizeof(window);
            continue;
        }
        if (from < own && from + want > own) {
            want = own - from;
        }
        got = pread(memory, window, want, (off_t)from);
        if (got <= 0) {
            return hits;
        }
        hits += hits_in(window, (size_t)got, needle, length);
        /* what lies across two windows is seen in the second one */
        from += (size_t)got < want || from + want == to
            || (size_t)got < length ? (size_t)got
            : (size_t)got - (length - 1);
    }
    return hits;
}

/* How often is this needle in the writable memory of this process? Masked; of
 * length bytes. */
static int hits(const unsigned char *needle, size_t length)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY);
    char line[512];
    int count = 0;

    assert_non_null(maps);
    assert_true(memory >= 0);
    while (fgets(line, sizeof(line), maps)) {
        unsigned long from, to;
        char rights[5];

        if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) == 3
            && rights[0] == 'r' && rights[1] == 'w'
            && to - from <= REGION_MAX) {
            count += hits_in_region(memory, from, to, needle, length);
        }
    }
    close(memory);
    fclose(maps);
    orp_cleanse(window, sizeof(window));
    return count;
}

/* A secret's spellings, masked. Twelve bytes of each: enough to know it by,
 * also where something has overwritten the beginning. */
#define PART 12

typedef struct {
    unsigned char raw[PART];
    unsigned char reversed[PART];       /* as a big number lies in memory */
    unsigned char base64[PART];
    unsigned char hex[PART];
} secret_t;

static void describe(secret_t *s, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const char *text;
    apr_pool_t *pool;
    size_t i, at = size / 2 / 3 * 3;    /* base64 goes in groups of three */

    assert_true(at + PART <= size);
    for (i = 0; i < PART; i++) {
        s->raw[i] = bytes[at + i] ^ MASK;
        s->reversed[i] = bytes[at + PART - 1 - i] ^ MASK;
        s->hex[i] = (unsigned char)digits[i % 2 ? bytes[at + i / 2] & 15
                                          : bytes[at + i / 2] >> 4] ^ MASK;
    }
    assert_int_equal(apr_pool_create(&pool, NULL), APR_SUCCESS);
    text = orp_base64_encode(bytes + at, PART, pool);
    for (i = 0; i < PART; i++) {
        /* or its spelling would be another one in a form */
        assert_null(strchr("+/=", text[i]));
        s->base64[i] = (unsigned char)text[i] ^ MASK;
    }
    orp_cleanse((char *)text, strlen(text));
    apr_pool_destroy(pool);
}

/* How often, in any of its spellings. */
static int copies(const secret_t *s)
{
    return hits(s->raw, PART) + hits(s->reversed, PART)
        + hits(s->base64, PART) + hits(s->hex, PART);
}

/* Copies in clear: of the bytes as they are, and in any other spelling. */
#define assert_copies(s, as_it_is, otherwise) do { \
        assert_int_equal(hits((s)->raw, PART), (as_it_is)); \
        assert_int_equal(copies(s) - hits((s)->raw, PART), (otherwise)); \
    } while (0)

/* Bytes 1 to 128 of the labels 0 to 3, digested: the secrets of these tests.
 * To be cleansed. */
static void draw(unsigned char *out, const char *label, size_t size)
{
    unsigned char digest[ORP_HASH_MAX];
    apr_pool_t *pool;
    size_t i;

    assert_int_equal(apr_pool_create(&pool, NULL), APR_SUCCESS);
    for (i = 0; i < size; i += sizeof(digest)) {
        const char *text = apr_psprintf(pool, "%s %d", label,
                                        (int)(i / sizeof(digest)));

        assert_status(orp_digest(digest, ORP_SHA256, text, strlen(text)),
                      APR_SUCCESS);
        memcpy(out + i, digest, size - i < sizeof(digest) ? size - i
               : sizeof(digest));
    }
    orp_cleanse(digest, sizeof(digest));
    apr_pool_destroy(pool);
}

static void all_copies_are_found(void **state)
{
    scene_t *scene = *state;
    unsigned char *bytes = malloc(32), *back;
    const char *text;
    secret_t s;
    int i;

    assert_non_null(bytes);
    draw(bytes, "planted 0", 32);
    describe(&s, bytes, 32);
    assert_copies(&s, 1, 0);
    back = apr_palloc(scene->pool, 32);
    for (i = 0; i < 32; i++) {
        back[i] = bytes[31 - i];
    }
    assert_copies(&s, 1, 1);
    text = orp_hex_encode(bytes, 32, scene->pool);
    assert_copies(&s, 1, 2);
    orp_cleanse((char *)text, 64);
    text = orp_base64_encode(bytes, 32, scene->pool);
    assert_copies(&s, 1, 2);
    orp_cleanse((char *)text, 44);
    orp_cleanse(back, 32);
    orp_cleanse(bytes, 32);
    free(bytes);
    assert_copies(&s, 0, 0);
}

/* A store that keeps its values masked: the store of a scene, wrapped. */
typedef struct {
    orp_store_t inner;
    orp_store_t outer;
    orp_store_backend_t backend;
} wrapped_t;

static apr_status_t wrapped_put(void *baton, orp_store_kind_e kind,
                                const char *key, const void *value,
                                apr_size_t size, apr_time_t expires,
                                apr_time_t now)
{
    wrapped_t *w = baton;
    char *masked = malloc(size + 1);
    apr_status_t status;

    assert_non_null(masked);
    memcpy(masked, value, size);
    mask(masked, size);
    status = w->inner.backend->put(w->inner.baton, kind, key, masked, size,
                                   expires, now);
    free(masked);
    return status;
}

static apr_status_t wrapped_get(const char **pvalue, apr_size_t *psize,
                                void *baton, orp_store_kind_e kind,
                                const char *key, apr_time_t now,
                                apr_pool_t *pool)
{
    wrapped_t *w = baton;
    apr_status_t status = w->inner.backend->get(pvalue, psize,
                                                w->inner.baton, kind, key,
                                                now, pool);

    if (status == APR_SUCCESS) {
        char *value = apr_pstrmemdup(pool, *pvalue, *psize);

        mask(value, *psize);
        *pvalue = value;
    }
    return status;
}

static void wrap_store(scene_t *scene)
{
    wrapped_t *w = apr_pcalloc(scene->pool, sizeof(*w));

    w->inner = *scene->env.store;
    w->backend.name = "masked";         /* nothing else is used here */
    w->backend.put = wrapped_put;
    w->backend.get = wrapped_get;
    w->outer.backend = &w->backend;
    w->outer.baton = w;
    scene->env.store = &w->outer;
}

static apr_pool_t *subpool(scene_t *scene)
{
    apr_pool_t *pool;

    assert_int_equal(apr_pool_create(&pool, scene->pool), APR_SUCCESS);
    return pool;
}

/* Keep an association whose key is the label's, and forget the key. */
static void save(scene_t *scene, secret_t *s, orp_hash_e hash,
                 const char *label)
{
    apr_pool_t *pool = subpool(scene);
    orp_assoc_t assoc = { OP, HANDLE, hash, { 0 },
                          SCENE_TIME + 60 * APR_USEC_PER_SEC };

    draw(assoc.key, label, orp_hash_size(hash));
    describe(s, assoc.key, orp_hash_size(hash));
    assert_status(orp_assoc_save(&assoc, &scene->env, pool), APR_SUCCESS);
    assert_copies(s, 1, 0);     /* this one's */
    orp_cleanse(assoc.key, sizeof(assoc.key));
    apr_pool_destroy(pool);
}

static const char *const labels[] = { "saved 2", "saved 4" };

static void a_saved_key_is_in_the_store_only(void **state)
{
    scene_t *scene = *state;
    secret_t s;

    wrap_store(scene);
    save(scene, &s, ORP_SHA256, labels[0]);
    assert_copies(&s, 0, 0);
    assert_int_equal(scene_stored(scene, ORP_STORE_ASSOCIATION), 2);
}

static void a_key_that_was_found_is_there_once_and_goes_with_its_pool(
    void **state)
{
    scene_t *scene = *state;
    apr_pool_t *pool;
    orp_assoc_t *assoc;
    orp_message_t *message;
    secret_t s;

    wrap_store(scene);
    save(scene, &s, ORP_SHA256, labels[0]);
    pool = subpool(scene);
    assert_status(orp_assoc_find(&assoc, &scene->env, OP, NULL, pool),
                  APR_SUCCESS);
    assert_copies(&s, 1, 0);
    message = signed_with(scene, (const unsigned char *)"garbage", 7);
    assert_status(orp_assoc_verify(assoc, message, NULL, pool),
                  ORP_ESIGNATURE);
    assert_copies(&s, 1, 0);
    apr_pool_destroy(pool);
    assert_copies(&s, 0, 0);
}

/* A record that somebody has changed. */
static void a_key_that_cannot_be_used_is_not_left_either(void **state)
{
    scene_t *scene = *state;
    apr_pool_t *pool = subpool(scene);
    const char *key = orp_sha256_hex("assoc " OP " " HANDLE, scene->pool);
    orp_assoc_t *assoc;
    const char *value;
    apr_size_t size;
    char *changed;
    secret_t s;

    wrap_store(scene);
    save(scene, &s, ORP_SHA256, labels[0]);
    assert_status(orp_store_get(&value, &size, scene->env.store,
                                ORP_STORE_ASSOCIATION, key, SCENE_TIME,
                                pool), APR_SUCCESS);
    changed = strstr((char *)value, "HMAC-SHA256");
    assert_non_null(changed);
    memcpy(changed, "HMAC-SHA1&x", 11);
    assert_status(orp_store_put(scene->env.store, ORP_STORE_ASSOCIATION,
                                key, value, size, SCENE_TIME + 1000000,
                                SCENE_TIME), APR_SUCCESS);
    orp_cleanse((char *)value, size);
    assert_copies(&s, 0, 0);
    assert_status(orp_assoc_find(&assoc, &scene->env, OP, HANDLE, pool),
                  ORP_ESTORE);
    assert_copies(&s, 0, 0);
}

/* What a provider answers; body is for the test to cleanse. */
typedef struct {
    char body[1024];
} reply_t;

static apr_status_t say(scene_t *scene, const sent_t *request,
                        orp_http_response_t *response, void *baton)
{
    reply_t *reply = baton;

    (void)scene;
    (void)request;
    response->body = reply->body;
    response->size = strlen(reply->body);
    return APR_SUCCESS;
}

#define REPLY "assoc_handle:" HANDLE "\nexpires_in:3600\n" \
    "assoc_type:HMAC-SHA256\nsession_type:%s\n"

static void a_key_without_encryption_is_there_once(void **state)
{
    scene_t *scene = *state;
    orp_associate_t request = { OP, ORP_VERSION_2, "HMAC-SHA256",
                                "no-encryption" };
    reply_t *reply = apr_pcalloc(scene->pool, sizeof(*reply));
    apr_pool_t *pool = subpool(scene);
    unsigned char key[32];
    const char *text;
    orp_assoc_t *assoc;
    secret_t s;

    draw(key, labels[1], sizeof(key));
    describe(&s, key, sizeof(key));
    text = orp_base64_encode(key, sizeof(key), pool);
    apr_snprintf(reply->body, sizeof(reply->body), REPLY "mac_key:%s\n",
                 "no-encryption", text);
    orp_cleanse((char *)text, strlen(text));
    orp_cleanse(key, sizeof(key));
    scene_answer(scene, "POST", OP, say, reply);
    assert_copies(&s, 0, 1);            /* the reply */
    assert_status(orp_associate(&assoc, &scene->env, &request, NULL, pool),
                  APR_SUCCESS);
    assert_copies(&s, 1, 1);
    orp_cleanse(reply->body, sizeof(reply->body));
    assert_copies(&s, 1, 0);
    apr_pool_destroy(pool);
    assert_copies(&s, 0, 0);
}

static apr_status_t masked_random(void *baton, unsigned char *buf,
                                  apr_size_t size)
{
    (void)baton;
    draw(buf, "consumer 2", size);      /* vector 2 of test_dh.c */
    return APR_SUCCESS;
}

/* Of vector 2 of test_dh.c: the provider's public key, and the masked key. */
#define PROVIDER_2 \
    "AKu/Hr8Yo4fxXabMYXhH9Wl9j++stmSL62ROku0n6iokAx1++o6Xo/j6G43O" \
    "ESdt782akqOwXkqNy/2fxL9S3ei0oMQUhyZlawX8o7tuFoBfb5dRl8tLS0Ke" \
    "obsKIdS2xMqXu0JCyL1HlH0LWG5ZLcMBKIOkS0/z0ywINy0a0OVV"
#define ENC_MAC_2 "XqDacN68h1/oPdcxx76RuMQDj7dqHZPFpgbz+BajeHs="

#define SHARED_2 \
    "9765e939d2272fca990bebaad2e14082b8c91b1bc937b1d729da6ba2e14ebcd1" \
    "5a87a7677683342313c8093fba7e5c53f290bdaecc49ea2b24dbe631a99c3f48" \
    "e59c53b70742def3969e9a674246c67a14065525ef1fbe43d10f8068683bc0e9" \
    "504414ec67cb7bc27b675cce99fb7206e3d27f006a732c5419d48529c34c8537"
#define MAC_2 \
    "70fef178163e27a02a67b73fcdb03e62974428e469f491eb7773ec9129787791"

static void describe_hex(secret_t *s, const char *hex)
{
    unsigned char bytes[ORP_DH_SIZE];
    size_t size;

    for (size = 0; hex[2 * size]; size++) {
        bytes[size] = (unsigned char)(orp_hex_digit(hex[2 * size]) << 4
                                      | orp_hex_digit(hex[2 * size + 1]));
    }
    describe(s, bytes, size);
    orp_cleanse(bytes, sizeof(bytes));
}

static void an_exchange_leaves_nothing_but_the_key(void **state)
{
    scene_t *scene = *state;
    orp_associate_t request = { OP, ORP_VERSION_2, NULL, NULL };
    reply_t *reply = apr_pcalloc(scene->pool, sizeof(*reply));
    apr_pool_t *pool = subpool(scene);
    unsigned char x[ORP_DH_SIZE];
    secret_t shared, own, key;
    orp_assoc_t *assoc;

    apr_snprintf(reply->body, sizeof(reply->body), REPLY
                 "dh_server_public:" PROVIDER_2 "\nenc_mac_key:" ENC_MAC_2
                 "\n", "DH-SHA256");
    scene_answer(scene, "POST", OP, say, reply);
    scene->env.random = masked_random;
    draw(x, "consumer 2", sizeof(x));
    describe(&own, x, sizeof(x));
    orp_cleanse(x, sizeof(x));
    describe_hex(&shared, SHARED_2);
    describe_hex(&key, MAC_2);
    assert_copies(&shared, 0, 0);
    assert_copies(&own, 0, 0);
    assert_copies(&key, 0, 0);
    memset(&powers, 0, sizeof(powers));
    assert_status(orp_associate(&assoc, &scene->env, &request, NULL, pool),
                  APR_SUCCESS);
    assert_int_equal(powers.constant, 2);       /* public key, secret */
    assert_int_equal(powers.variable, 0);
    assert_copies(&key, 1, 0);
    assert_copies(&shared, 0, 0);
    assert_copies(&own, 1, 0);          /* until its pool is cleared */
    apr_pool_destroy(pool);
    assert_copies(&key, 0, 0);
    assert_copies(&own, 0, 0);
}

/* Each of these reads all memory some ten times: too much for valgrind. */
static int is_slow(void)
{
    return getenv("ORP_VALGRIND") != NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(
            signatures_that_share_0_to_31_bytes_take_one_comparison_of_all),
        scene_test(a_logins_cookie_takes_one_comparison_of_all),
        scene_test(other_comparisons_are_seen),
        scene_test(all_copies_are_found),
        scene_test(a_saved_key_is_in_the_store_only),
        scene_test(a_key_that_was_found_is_there_once_and_goes_with_its_pool),
        scene_test(a_key_that_cannot_be_used_is_not_left_either),
        scene_test(a_key_without_encryption_is_there_once),
        scene_test(an_exchange_leaves_nothing_but_the_key),
    };
    const struct CMUnitTest quick[] = {
        scene_test(
            signatures_that_share_0_to_31_bytes_take_one_comparison_of_all),
        scene_test(a_logins_cookie_takes_one_comparison_of_all),
        scene_test(other_comparisons_are_seen),
    };

    apr_initialize();
    return is_slow()
        ? cmocka_run_group_tests_name("secrets", quick, NULL, NULL)
        : cmocka_run_group_tests_name("secrets", tests, NULL, NULL);
}
