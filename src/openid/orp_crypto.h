/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_crypto.h - everything that OpenSSL does for us.
 *
 * No type of OpenSSL's leaves orp_crypto.c. Numbers are big-endian bytes.
 */
#ifndef ORP_CRYPTO_H
#define ORP_CRYPTO_H

#include "orp_status.h"

typedef enum {
    ORP_SHA1,
    ORP_SHA256
} orp_hash_e;

/** The largest digest there is here. */
#define ORP_HASH_MAX 32

/** The size of a digest (and of a MAC key made for it): 20 or 32 bytes. */
apr_size_t orp_hash_size(orp_hash_e hash);

/**
 * Digest some bytes.
 * @param out  gets orp_hash_size(hash) bytes
 */
ORP_MUST_USE apr_status_t orp_digest(unsigned char *out, orp_hash_e hash,
                                     const void *bytes, apr_size_t size);

/**
 * HMAC (RFC 2104).
 * @param out  gets orp_hash_size(hash) bytes
 */
ORP_MUST_USE apr_status_t orp_hmac(unsigned char *out, orp_hash_e hash,
                                   const unsigned char *key,
                                   apr_size_t key_size,
                                   const void *bytes, apr_size_t size);

/** SHA-256 of a text as 64 hexadecimal digits; NULL where OpenSSL fails. */
const char *orp_sha256_hex(const char *text, apr_pool_t *pool);

/** Bytes from the system's generator. */
ORP_MUST_USE apr_status_t orp_random_bytes(unsigned char *buf,
                                           apr_size_t size);

/** Equal? In a time that depends on size alone. */
int orp_secret_equal(const void *a, const void *b, apr_size_t size);

/** Overwrite a secret so that no compiler removes it. */
void orp_cleanse(void *secret, apr_size_t size);

/** Have a secret in pool memory overwritten when the pool is cleared. */
void orp_cleanse_later(void *secret, apr_size_t size, apr_pool_t *pool);

/**
 * base ^ exponent mod modulus, in constant time as far as OpenSSL can.
 * @param out  gets size bytes, with leading zeros
 * @param size the size of modulus, and of out
 * @return APR_SUCCESS, or ORP_ECRYPTO
 */
ORP_MUST_USE apr_status_t orp_modexp(unsigned char *out,
                                     const unsigned char *base,
                                     apr_size_t base_size,
                                     const unsigned char *exponent,
                                     apr_size_t exponent_size,
                                     const unsigned char *modulus,
                                     apr_size_t size);

#endif
