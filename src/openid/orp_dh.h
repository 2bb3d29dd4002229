/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_dh.h - the Diffie-Hellman exchange that hides a MAC key (OpenID
 * Authentication 2.0, 8.1.2, 8.2.3; OpenID Authentication 1.1, 4.1).
 *
 * Always with the default prime and generator (2.0, appendix B), of 1024
 * bits: the protocol's own. The association is as strong as that, which is
 * why TLS at the OP endpoint matters more.
 */
#ifndef ORP_DH_H
#define ORP_DH_H

#include "orp_crypto.h"
#include "orp_env.h"

typedef struct orp_dh_t orp_dh_t;

/** The size of the default prime, in bytes. */
#define ORP_DH_SIZE 128

/** Choose a private key, and compute the public one. */
ORP_MUST_USE apr_status_t orp_dh_create(orp_dh_t **pdh, const orp_env_t *env,
                                        apr_pool_t *pool);

/** openid.dh_consumer_public: base64(btwoc(g ^ x mod p)). */
const char *orp_dh_public(const orp_dh_t *dh, apr_pool_t *pool);

/**
 * Recover the MAC key: H(btwoc(shared secret)) XOR enc_mac_key.
 * @param key            gets orp_hash_size(hash) bytes
 * @param server_public  dh_server_public, as received
 * @param enc_mac_key    enc_mac_key, as received
 * @return APR_SUCCESS; ORP_EASSOCIATE for a public key that is not strictly
 *         between 1 and p - 1, or a key of the wrong length; ORP_EENCODING;
 *         ORP_ECRYPTO
 */
ORP_MUST_USE apr_status_t orp_dh_mac_key(unsigned char *key,
                                         const orp_dh_t *dh, orp_hash_e hash,
                                         const char *server_public,
                                         const char *enc_mac_key,
                                         apr_pool_t *pool);

#endif
