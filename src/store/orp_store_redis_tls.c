/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* OpenSSL's queue of errors belongs to the thread, and others in this process
 * use it too: it is emptied before and after each call. */

#include "orp_store_redis_tls.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

struct orp_redis_trust_t {
    SSL_CTX *context;
    BIO_METHOD *method;
};

struct orp_redis_tls_t {
    SSL *ssl;
    int socket;
    const char *error;
};

/* ---------------------------------------------------------------------- */
/* A BIO of our own: OpenSSL's raises SIGPIPE where the peer is gone, and a
 * library must not change what a process does about signals. */

static int transfer_result(BIO *bio, ssize_t done)
{
    BIO_clear_retry_flags(bio);
    if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK
                     || errno == EINTR)) {
        return 1;
    }
    return 0;
}

static int bio_write(BIO *bio, const char *bytes, int size)
{
    const orp_redis_tls_t *tls = BIO_get_data(bio);
    ssize_t done = send(tls->socket, bytes, (size_t)size, MSG_NOSIGNAL);

    if (transfer_result(bio, done)) {
        BIO_set_retry_write(bio);
    }
    return (int)done;
}

static int bio_read(BIO *bio, char *bytes, int size)
{
    const orp_redis_tls_t *tls = BIO_get_data(bio);
    ssize_t done = recv(tls->socket, bytes, (size_t)size, 0);

    if (transfer_result(bio, done)) {
        BIO_set_retry_read(bio);
    }
    return (int)done;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *make_method(void)
{
    BIO_METHOD *method = BIO_meth_new(
        BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "openid2rp socket");

    if (method && (!BIO_meth_set_write(method, bio_write)
                   || !BIO_meth_set_read(method, bio_read)
                   || !BIO_meth_set_ctrl(method, bio_control))) {
        BIO_meth_free(method);
        method = NULL;
    }
    return method;
}

/* ---------------------------------------------------------------------- */
/* Trust */

static apr_status_t free_trust(void *baton)
{
    orp_redis_trust_t *trust = baton;

    SSL_CTX_free(trust->context);
    BIO_meth_free(trust->method);
    return APR_SUCCESS;
}

static apr_status_t load_authorities(SSL_CTX *context, const char *ca_file,
                                     orp_reason_t *why)
{
    int loaded = ca_file
        ? SSL_CTX_load_verify_locations(context, ca_file, NULL)
        : SSL_CTX_set_default_verify_paths(context);

    ERR_clear_error();
    if (loaded) {
        return APR_SUCCESS;
    }
    if (ca_file) {
        return orp_reason_set(why, APR_EINVAL, ca_file, "The certificate "
                              "authorities in %s cannot be read.", ca_file);
    }
    return orp_reason_set(why, ORP_ECRYPTO, NULL, "The system's certificate "
                          "authorities cannot be read.");
}

apr_status_t orp_redis_trust_create(orp_redis_trust_t **ptrust,
                                    const char *ca_file, orp_reason_t *why,
                                    apr_pool_t *pool)
{
    orp_redis_trust_t *trust = apr_pcalloc(pool, sizeof(*trust));
    apr_status_t status;

    ERR_clear_error();
    trust->context = SSL_CTX_new(TLS_client_method());
    trust->method = make_method();
    apr_pool_cleanup_register(pool, trust, free_trust,
                              apr_pool_cleanup_null);
    if (!trust->context || !trust->method
        || !SSL_CTX_set_min_proto_version(trust->context, TLS1_2_VERSION)) {
        ERR_clear_error();
        return orp_reason_set(why, ORP_ECRYPTO, NULL,
                              "OpenSSL cannot be used for TLS.");
    }
    SSL_CTX_set_verify(trust->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(trust->context, SSL_MODE_ENABLE_PARTIAL_WRITE
                     | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    status = load_authorities(trust->context, ca_file, why);
    if (status == APR_SUCCESS) {
        *ptrust = trust;
    }
    return status;
}

/* ---------------------------------------------------------------------- */
/* A connection */

static apr_status_t free_tls(void *baton)
{
    orp_redis_tls_t *tls = baton;

    SSL_free(tls->ssl);         /* and its BIO */
    return APR_SUCCESS;
}

/* Whom the certificate must be for. An address is no name for SNI. */
static int expect_host(SSL *ssl, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

    if (X509_VERIFY_PARAM_set1_ip_asc(param, host)) {
        return 1;
    }
    ERR_clear_error();
    X509_VERIFY_PARAM_set_hostflags(param,
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host)
        && SSL_set_tlsext_host_name(ssl, host);
}

apr_status_t orp_redis_tls_create(orp_redis_tls_t **ptls,
                                  orp_redis_trust_t *trust, int socket,
                                  const char *host, apr_pool_t *pool)
{
    orp_redis_tls_t *tls = apr_pcalloc(pool, sizeof(*tls));
    BIO *bio;

    ERR_clear_error();
    tls->socket = socket;
    tls->error = "TLS failed";
    tls->ssl = SSL_new(trust->context);
    apr_pool_cleanup_register(pool, tls, free_tls, apr_pool_cleanup_null);
    bio = tls->ssl ? BIO_new(trust->method) : NULL;
    if (!bio) {
        ERR_clear_error();
        return ORP_ECRYPTO;
    }
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_connect_state(tls->ssl);
    if (!expect_host(tls->ssl, host)) {
        ERR_clear_error();
        return ORP_ECRYPTO;
    }
    *ptls = tls;
    return APR_SUCCESS;
}

static const char *describe(const SSL *ssl)
{
    long verified = SSL_get_verify_result(ssl);
    const char *reason;

    if (verified != X509_V_OK) {
        return X509_verify_cert_error_string(verified);
    }
    reason = ERR_reason_error_string(ERR_peek_error());
    return reason ? reason : "the connection was broken";
}

/* What OpenSSL's answer means. */
static apr_status_t step_result(orp_redis_tls_t *tls, int result, int *pwants)
{
    apr_status_t status;

    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_NONE:
        status = APR_SUCCESS;
        break;
    case SSL_ERROR_WANT_READ:
        *pwants = POLLIN;
        status = APR_EAGAIN;
        break;
    case SSL_ERROR_WANT_WRITE:
        *pwants = POLLOUT;
        status = APR_EAGAIN;
        break;
    case SSL_ERROR_ZERO_RETURN:
        status = APR_EOF;
        break;
    default:
        tls->error = describe(tls->ssl);
        status = ORP_ETLS;
        break;
    }
    ERR_clear_error();
    return status;
}

apr_status_t orp_redis_tls_handshake(orp_redis_tls_t *tls, int *pwants)
{
    ERR_clear_error();
    return step_result(tls, SSL_do_handshake(tls->ssl), pwants);
}

apr_status_t orp_redis_tls_write(apr_size_t *pdone, orp_redis_tls_t *tls,
                                 const char *bytes, apr_size_t size,
                                 int *pwants)
{
    size_t done = 0;
    int result;

    ERR_clear_error();
    result = SSL_write_ex(tls->ssl, bytes, size, &done);
    *pdone = done;
    return step_result(tls, result, pwants);
}

apr_status_t orp_redis_tls_read(apr_size_t *pdone, orp_redis_tls_t *tls,
                                char *bytes, apr_size_t size, int *pwants)
{
    size_t done = 0;
    int result;

    ERR_clear_error();
    result = SSL_read_ex(tls->ssl, bytes, size, &done);
    *pdone = done;
    return step_result(tls, result, pwants);
}

const char *orp_redis_tls_error(const orp_redis_tls_t *tls)
{
    return tls->error;
}
