/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_conformance_tls.c - whose certificate is believed (2.0, 15.1.2).
 *
 * A server is a process of its own with a certificate that it has signed
 * itself. */

#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "orp_address.h"
#include "orp_http_curl.h"

#define DAY (24 * 3600)

typedef struct certificate_t {
    EVP_PKEY *key;
    X509 *x509;
    char file[40];              /* the same as PEM */
} certificate_t;

typedef struct server_t {
    pid_t pid;
    const char *url;
} server_t;

/* ---------------------------------------------------------------------- */
/* Certificates */

static apr_status_t forget(void *baton)
{
    certificate_t *cert = baton;

    unlink(cert->file);
    X509_free(cert->x509);
    EVP_PKEY_free(cert->key);
    return APR_SUCCESS;
}

static void write_pem(certificate_t *cert)
{
    FILE *out;
    int fd;

    apr_cpystrn(cert->file, "/tmp/openid2rp-cert.XXXXXX",
                sizeof(cert->file));
    fd = mkstemp(cert->file);
    assert_true(fd >= 0);
    out = fdopen(fd, "w");
    assert_non_null(out);
    assert_int_equal(PEM_write_X509(out, cert->x509), 1);
    assert_int_equal(fclose(out), 0);
}

/* For a name such as "IP:127.0.0.1", good until that many seconds from
 * now. */
static certificate_t *certificate(scene_t *scene, const char *name,
                                  long until)
{
    certificate_t *cert = apr_pcalloc(scene->pool, sizeof(*cert));
    X509_EXTENSION *extension;
    X509_NAME *subject;

    cert->key = EVP_EC_gen("P-256");
    cert->x509 = X509_new();
    assert_non_null(cert->key);
    assert_non_null(cert->x509);
    X509_set_version(cert->x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert->x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert->x509), -2 * DAY);
    X509_gmtime_adj(X509_getm_notAfter(cert->x509), until);
    subject = X509_get_subject_name(cert->x509);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(cert->x509, subject);
    X509_set_pubkey(cert->x509, cert->key);
    extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, name);
    assert_non_null(extension);
    X509_add_ext(cert->x509, extension, -1);
    X509_EXTENSION_free(extension);
    assert_true(X509_sign(cert->x509, cert->key, EVP_sha256()) > 0);
    write_pem(cert);
    apr_pool_cleanup_register(scene->pool, cert, forget,
                              apr_pool_cleanup_null);
    return cert;
}

/* ---------------------------------------------------------------------- */
/* The server's side. In the child nothing may return or assert. */

static void serve(int listener, const certificate_t *cert)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
        "Connection: close\r\n\r\nhi";
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (!context || SSL_CTX_use_certificate(context, cert->x509) != 1
        || SSL_CTX_use_PrivateKey(context, cert->key) != 1) {
        _exit(1);
    }
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        SSL *ssl = fd < 0 ? NULL : SSL_new(context);
        char buf[4096];

        if (!ssl) {
            _exit(1);
        }
        SSL_set_fd(ssl, fd);
        if (SSL_accept(ssl) == 1 && SSL_read(ssl, buf, sizeof(buf)) > 0) {
            SSL_write(ssl, reply, sizeof(reply) - 1);
            SSL_shutdown(ssl);
        }
        SSL_free(ssl);
        close(fd);
    }
}

/* ---------------------------------------------------------------------- */
/* The test's side */

static apr_status_t stop(void *baton)
{
    server_t *server = baton;

    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    return APR_SUCCESS;
}

static const char *server_with(scene_t *scene, const certificate_t *cert)
{
    server_t *server = apr_pcalloc(scene->pool, sizeof(*server));
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        serve(fd, cert);
    }
    close(fd);
    apr_pool_cleanup_register(scene->pool, server, stop,
                              apr_pool_cleanup_null);
    return apr_psprintf(scene->pool, "https://127.0.0.1:%d/",
                        ntohs(address.sin_port));
}

static apr_time_t real_time(void *baton)
{
    (void)baton;
    return apr_time_now();
}

/* What a GET comes to, with this file as the authorities (NULL: the
 * system's). */
static apr_status_t fetched(scene_t *scene, const char *url,
                            const char *ca_file)
{
    orp_http_curl_t settings = orp_http_curl_defaults;
    orp_http_request_t request = { url, "text/html", NULL, 0 };
    orp_reason_t *why = orp_reason_create(scene->pool);
    apr_array_header_t *allow = apr_array_make(scene->pool, 1,
                                               sizeof(orp_cidr_t));
    const orp_http_client_t *client;
    orp_http_response_t *response;

    assert_status(orp_cidr_parse(apr_array_push(allow), "127.0.0.1",
                                 scene->pool), APR_SUCCESS);
    settings.allow = allow;
    settings.ca_file = ca_file;
    scene->env.now = real_time;
    client = orp_http_curl_create(&settings, &scene->env, scene->pool);
    request.deadline = apr_time_now() + apr_time_from_sec(8);
    return client->exchange(&response, client, &request, why, scene->pool);
}

static void a_certificate_of_no_known_authority_is_not_believed(void **state)
{
    scene_t *scene = *state;
    certificate_t *cert = certificate(scene, "IP:127.0.0.1", DAY);
    certificate_t *other = certificate(scene, "IP:127.0.0.1", DAY);
    const char *url = server_with(scene, cert);

    assert_status(fetched(scene, url, NULL), ORP_ETLS);
    assert_status(fetched(scene, url, other->file), ORP_ETLS);
    assert_status(fetched(scene, url, cert->file), APR_SUCCESS);
}

static void a_certificate_of_another_host_is_not_believed(void **state)
{
    static const char *const names[] = {
        "DNS:other.example", "IP:127.0.0.2", "DNS:127.0.0.1",
    };
    scene_t *scene = *state;
    certificate_t *cert;
    size_t i;

    for (i = 0; i < COUNT(names); i++) {
        cert = certificate(scene, names[i], DAY);
        assert_status(fetched(scene, server_with(scene, cert), cert->file),
                      ORP_ETLS);
    }
    cert = certificate(scene, "IP:127.0.0.1,DNS:other.example", DAY);
    assert_status(fetched(scene, server_with(scene, cert), cert->file),
                  APR_SUCCESS);
}

static void a_certificate_that_expired_is_not_believed(void **state)
{
    scene_t *scene = *state;
    certificate_t *cert = certificate(scene, "IP:127.0.0.1", -DAY);

    assert_status(fetched(scene, server_with(scene, cert), cert->file),
                  ORP_ETLS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_certificate_of_no_known_authority_is_not_believed),
        scene_test(a_certificate_of_another_host_is_not_believed),
        scene_test(a_certificate_that_expired_is_not_believed),
    };

    apr_initialize();
    if (orp_http_curl_init() != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests_name("conformance_tls", tests, NULL, NULL);
}
