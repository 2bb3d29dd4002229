/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_dh.h"

#include <string.h>

#include "orp_codec.h"

/* OpenID Authentication 2.0, appendix B. */
static const unsigned char prime[ORP_DH_SIZE] = {
    0xDC, 0xF9, 0x3A, 0x0B, 0x88, 0x39, 0x72, 0xEC,
    0x0E, 0x19, 0x98, 0x9A, 0xC5, 0xA2, 0xCE, 0x31,
    0x0E, 0x1D, 0x37, 0x71, 0x7E, 0x8D, 0x95, 0x71,
    0xBB, 0x76, 0x23, 0x73, 0x18, 0x66, 0xE6, 0x1E,
    0xF7, 0x5A, 0x2E, 0x27, 0x89, 0x8B, 0x05, 0x7F,
    0x98, 0x91, 0xC2, 0xE2, 0x7A, 0x63, 0x9C, 0x3F,
    0x29, 0xB6, 0x08, 0x14, 0x58, 0x1C, 0xD3, 0xB2,
    0xCA, 0x39, 0x86, 0xD2, 0x68, 0x37, 0x05, 0x57,
    0x7D, 0x45, 0xC2, 0xE7, 0xE5, 0x2D, 0xC8, 0x1C,
    0x7A, 0x17, 0x18, 0x76, 0xE5, 0xCE, 0xA7, 0x4B,
    0x14, 0x48, 0xBF, 0xDF, 0xAF, 0x18, 0x82, 0x8E,
    0xFD, 0x25, 0x19, 0xF1, 0x4E, 0x45, 0xE3, 0x82,
    0x66, 0x34, 0xAF, 0x19, 0x49, 0xE5, 0xB5, 0x35,
    0xCC, 0x82, 0x9A, 0x48, 0x3B, 0x8A, 0x76, 0x22,
    0x3E, 0x5D, 0x49, 0x0A, 0x25, 0x7F, 0x05, 0xBD,
    0xFF, 0x16, 0xF2, 0xFB, 0x22, 0xC5, 0x83, 0xAB,
};
static const unsigned char generator[1] = { 2 };

struct orp_dh_t {
    unsigned char private_key[ORP_DH_SIZE];
    unsigned char public_key[ORP_DH_SIZE];
};

/* A private key: uniform enough in [1, 2^1023), which is below p - 1. */
static apr_status_t choose_private(unsigned char *key, const orp_env_t *env)
{
    apr_status_t status = env->random(env->baton, key, ORP_DH_SIZE);

    if (status == APR_SUCCESS) {
        key[0] &= 0x7F;
        key[ORP_DH_SIZE - 1] |= 1;
    }
    return status;
}

apr_status_t orp_dh_create(orp_dh_t **pdh, const orp_env_t *env,
                           apr_pool_t *pool)
{
    orp_dh_t *dh = apr_pcalloc(pool, sizeof(*dh));
    apr_status_t status;

    orp_cleanse_later(dh, sizeof(*dh), pool);
    status = choose_private(dh->private_key, env);
    if (status != APR_SUCCESS) {
        return status;
    }
    status = orp_modexp(dh->public_key, generator, sizeof(generator),
                        dh->private_key, ORP_DH_SIZE, prime, ORP_DH_SIZE);
    if (status == APR_SUCCESS) {
        *pdh = dh;
    }
    return status;
}

const char *orp_dh_public(const orp_dh_t *dh, apr_pool_t *pool)
{
    apr_size_t size;
    const unsigned char *btwoc = orp_btwoc_encode(&size, dh->public_key,
                                                  ORP_DH_SIZE, pool);

    return orp_base64_encode(btwoc, size, pool);
}

/* 1 < y < p - 1: any other key makes a secret that everybody knows. */
static int is_usable_public(const unsigned char *y, apr_size_t size)
{
    unsigned char last[ORP_DH_SIZE];

    memcpy(last, prime, ORP_DH_SIZE);
    last[ORP_DH_SIZE - 1] -= 1;         /* p is odd: no borrow */
    if (size > ORP_DH_SIZE || size == 0 || (size == 1 && y[0] == 1)) {
        return 0;
    }
    return size < ORP_DH_SIZE || memcmp(y, last, ORP_DH_SIZE) < 0;
}

/* H(btwoc(y ^ x mod p)) */
static apr_status_t shared_mask(unsigned char *mask, const orp_dh_t *dh,
                                orp_hash_e hash, const unsigned char *y,
                                apr_size_t size, apr_pool_t *pool)
{
    unsigned char secret[ORP_DH_SIZE];
    unsigned char *btwoc;
    apr_status_t status;

    status = orp_modexp(secret, y, size, dh->private_key, ORP_DH_SIZE,
                        prime, ORP_DH_SIZE);
    if (status == APR_SUCCESS) {
        btwoc = (unsigned char *)orp_btwoc_encode(&size, secret,
                                                  ORP_DH_SIZE, pool);
        status = orp_digest(mask, hash, btwoc, size);
        orp_cleanse(btwoc, size);
    }
    orp_cleanse(secret, sizeof(secret));
    return status;
}

apr_status_t orp_dh_mac_key(unsigned char *key, const orp_dh_t *dh,
                            orp_hash_e hash, const char *server_public,
                            const char *enc_mac_key, apr_pool_t *pool)
{
    unsigned char mask[ORP_HASH_MAX];
    unsigned char *encoded, *masked;
    const unsigned char *y;
    apr_size_t size, y_size, masked_size, i;
    apr_status_t status;

    if (orp_base64_decode(&encoded, &size, server_public, pool)
        || orp_btwoc_decode(&y, &y_size, encoded, size)
        || orp_base64_decode(&masked, &masked_size, enc_mac_key, pool)) {
        return ORP_EENCODING;
    }
    if (!is_usable_public(y, y_size)
        || masked_size != orp_hash_size(hash)) {
        return ORP_EASSOCIATE;
    }
    status = shared_mask(mask, dh, hash, y, y_size, pool);
    if (status == APR_SUCCESS) {
        for (i = 0; i < masked_size; i++) {
            key[i] = masked[i] ^ mask[i];
        }
    }
    orp_cleanse(mask, sizeof(mask));
    return status;
}
