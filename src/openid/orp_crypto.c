/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_crypto.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "orp_codec.h"

static const EVP_MD *evp(orp_hash_e hash)
{
    return hash == ORP_SHA256 ? EVP_sha256() : EVP_sha1();
}

apr_size_t orp_hash_size(orp_hash_e hash)
{
    return hash == ORP_SHA256 ? 32 : 20;
}

apr_status_t orp_digest(unsigned char *out, orp_hash_e hash,
                        const void *bytes, apr_size_t size)
{
    return EVP_Digest(bytes, size, out, NULL, evp(hash), NULL)
        ? APR_SUCCESS : ORP_ECRYPTO;
}

apr_status_t orp_hmac(unsigned char *out, orp_hash_e hash,
                      const unsigned char *key, apr_size_t key_size,
                      const void *bytes, apr_size_t size)
{
    return HMAC(evp(hash), key, (int)key_size, bytes, size, out, NULL)
        ? APR_SUCCESS : ORP_ECRYPTO;
}

const char *orp_sha256_hex(const char *text, apr_pool_t *pool)
{
    unsigned char digest[ORP_HASH_MAX];

    if (orp_digest(digest, ORP_SHA256, text, strlen(text)) != APR_SUCCESS) {
        return NULL;
    }
    return orp_hex_encode(digest, orp_hash_size(ORP_SHA256), pool);
}

apr_status_t orp_random_bytes(unsigned char *buf, apr_size_t size)
{
    return RAND_bytes(buf, (int)size) == 1 ? APR_SUCCESS : ORP_ECRYPTO;
}

int orp_secret_equal(const void *a, const void *b, apr_size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}

void orp_cleanse(void *secret, apr_size_t size)
{
    OPENSSL_cleanse(secret, size);
}

typedef struct {
    void *secret;
    apr_size_t size;
} later_t;

static apr_status_t cleanse_now(void *data)
{
    later_t *later = data;

    OPENSSL_cleanse(later->secret, later->size);
    return APR_SUCCESS;
}

void orp_cleanse_later(void *secret, apr_size_t size, apr_pool_t *pool)
{
    later_t *later = apr_palloc(pool, sizeof(*later));

    later->secret = secret;
    later->size = size;
    apr_pool_cleanup_register(pool, later, cleanse_now,
                              apr_pool_cleanup_null);
}

apr_status_t orp_modexp(unsigned char *out, const unsigned char *base,
                        apr_size_t base_size, const unsigned char *exponent,
                        apr_size_t exponent_size,
                        const unsigned char *modulus, apr_size_t size)
{
    apr_status_t status = ORP_ECRYPTO;
    BIGNUM *b = BN_bin2bn(base, (int)base_size, NULL);
    BIGNUM *e = BN_bin2bn(exponent, (int)exponent_size, NULL);
    BIGNUM *m = BN_bin2bn(modulus, (int)size, NULL);
    BIGNUM *r = BN_new();
    BN_CTX *ctx = BN_CTX_new();

    if (b && e && m && r && ctx) {
        BN_set_flags(e, BN_FLG_CONSTTIME);
        if (BN_mod_exp(r, b, e, m, ctx)
            && BN_bn2binpad(r, out, (int)size) == (int)size) {
            status = APR_SUCCESS;
        }
    }
    BN_CTX_free(ctx);
    BN_clear_free(r);
    BN_free(m);
    BN_clear_free(e);
    BN_free(b);
    return status;
}
