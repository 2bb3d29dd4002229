/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_store_redis_tls.c - a redis-server behind TLS, with authorities that the
 * openssl command makes.
 */

#include "support_redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------- */
/* TLS */

/* A folder for certificates, which goes with the pool. */
static apr_status_t remove_folder(void *baton)
{
    return system(baton) == 0 ? APR_SUCCESS : APR_EGENERAL;
}

static void run(world_t *world, const char *dir, const char *arguments)
{
    const char *command = apr_psprintf(
        world->pool, "cd '%s' && openssl %s >openssl.log 2>&1", dir,
        arguments);

    if (system(command) != 0) {
        fail_msg("%s: failed", command);
    }
}

static void write_text(const char *dir, const char *name, const char *text)
{
    char path[300];
    FILE *file;

    apr_snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make_authority(world_t *world, const char *dir, const char *name)
{
    run(world, dir, apr_psprintf(
            world->pool, "req -config authority.cnf -x509 -newkey ec "
            "-pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
            "-keyout %s.key -out %s.pem", name, name));
}

static void make_certificate(world_t *world, const char *dir,
                             const char *name, const char *whom)
{
    write_text(dir, "server.ext",
               apr_pstrcat(world->pool, "subjectAltName=", whom, "\n", NULL));
    run(world, dir, apr_psprintf(
            world->pool, "req -config authority.cnf -newkey ec "
            "-pkeyopt ec_paramgen_curve:prime256v1 -nodes "
            "-keyout %s.key -out server.csr -subj /CN=%s", name, name));
    run(world, dir, apr_psprintf(
            world->pool, "x509 -req -in server.csr -CA ca.pem -CAkey ca.key "
            "-CAcreateserial -days 2 -extfile server.ext -out %s.pem",
            name));
}

/* Authorities "ca" and "foreign"; certificates by the first one: "here" for
 * 127.0.0.1, and "there" for other.example. */
static const char *make_certificates(world_t *world)
{
    const char *parent = getenv("TMPDIR");
    char *dir = apr_pstrcat(world->pool, parent && *parent ? parent : "/tmp",
                            "/openid2rp-tls.XXXXXX", NULL);

    assert_non_null(mkdtemp(dir));
    apr_pool_cleanup_register(world->pool,
                              apr_psprintf(world->pool, "rm -rf '%s'", dir),
                              remove_folder, apr_pool_cleanup_null);
    write_text(dir, "authority.cnf",
               "[req]\n"
               "distinguished_name = name\n"
               "x509_extensions = extensions\n"
               "prompt = no\n"
               "[name]\n"
               "CN = an authority of a test\n"
               "[extensions]\n"
               "basicConstraints = critical, CA:true\n"
               "subjectKeyIdentifier = hash\n");
    make_authority(world, dir, "ca");
    make_authority(world, dir, "foreign");
    make_certificate(world, dir, "here", "IP:127.0.0.1");
    make_certificate(world, dir, "there", "DNS:other.example");
    return dir;
}

static test_server_t *tls_server(world_t *world, const char *dir,
                                 const char *name)
{
    return test_redis(apr_psprintf(
        world->pool, "--port 0 --tls-port @PORT@ --tls-cert-file %s/%s.pem "
        "--tls-key-file %s/%s.key --tls-ca-cert-file %s/ca.pem "
        "--tls-auth-clients no", dir, name, dir, name, dir), world->pool);
}

static const char *tls_at(world_t *world, const test_server_t *server,
                          const char *dir, const char *ca)
{
    return apr_psprintf(world->pool, "rediss://127.0.0.1:%d%s%s%s%s",
                        server->port, ca ? "?ca=" : "", ca ? dir : "",
                        ca ? "/" : "", ca ? ca : "");
}

static void a_certificate_is_verified(void **state)
{
    world_t *world = *state;
    const char *dir = make_certificates(world);
    test_server_t *server = tls_server(world, dir, "here");
    apr_size_t i;
    const char *const refused[] = {
        tls_at(world, server, dir, "foreign.pem"),
        tls_at(world, server, dir, NULL),
        /* this name leads there, and is not in the certificate */
        apr_psprintf(world->pool, "rediss://localhost:%d?ca=%s/ca.pem",
                     server->port, dir),
        tls_at(world, tls_server(world, dir, "there"), dir, "ca.pem"),
    };

    assert_status(check_at(world, tls_at(world, server, dir, "ca.pem")),
                  APR_SUCCESS);
    open_at(world, tls_at(world, server, dir, "ca.pem"));
    assert_works(world);
    assert_silence(world);

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        apr_array_clear(world->log);
        assert_status(check_at(world, refused[i]), APR_SUCCESS);
        assert_int_equal(logged(world, 310), 1);
        assert_true(log_contains(world, "TLS: "));
        open_at(world, refused[i]);
        assert_fails(world);
        assert_int_equal(logged(world, 301), 1);
    }
}

static void large_values_and_many_threads_go_through_tls(void **state)
{
    world_t *world = *state;
    const char *dir = make_certificates(world);
    test_server_t *server = tls_server(world, dir, "here");
    crowd_t *crowd = apr_pcalloc(world->pool, sizeof(*crowd));
    char *large = apr_palloc(world->pool, ORP_STORE_VALUE_MAX + 1);
    int i;

    open_at(world, tls_at(world, server, dir, "ca.pem"));
    memset(large, 'x', ORP_STORE_VALUE_MAX);
    large[ORP_STORE_VALUE_MAX] = '\0';
    assert_status(keep(world, "large", large), APR_SUCCESS);
    assert_string_equal(kept(world, "large"), large);

    crowd->world = world;
    crowd->keys = under_valgrind() ? 10 : 200;
    for (i = 0; i < crowd->keys; i++) {
        const char *key = key_of(world->pool, i);

        assert_status(keep(world, key, key), APR_SUCCESS);
    }
    in_threads(world, compete, crowd);
    assert_int_equal(crowd->wrong, 0);
    for (i = 0; i < crowd->keys; i++) {
        assert_int_equal(crowd->claimed[i], 1);
        assert_int_equal(crowd->taken[i], 1);
    }
}

static void an_outage_behind_tls_ends(void **state)
{
    world_t *world = *state;
    const char *dir = make_certificates(world);
    test_server_t *server = tls_server(world, dir, "here");

    open_at(world, tls_at(world, server, dir, "ca.pem"));
    assert_works(world);
    test_server_restart(server);
    assert_works(world);        /* on a fresh connection */
    assert_silence(world);
    test_server_stop(server, SIGKILL);
    assert_fails(world);
    test_server_restart(server);
    assert_works_soon(world);
    assert_int_equal(world->log->nelts, 2);
}

static void plain_and_tls_do_not_mix(void **state)
{
    world_t *world = *state;
    const char *dir = make_certificates(world);
    test_server_t *plain = test_redis(NULL, world->pool);
    test_server_t *server = tls_server(world, dir, "here");

    open_at(world, at(world, server, BRIEF));
    assert_fails(world);
    open_at(world, apr_psprintf(world->pool, "rediss://127.0.0.1:%d" BRIEF
                                "&ca=%s/ca.pem", plain->port, dir));
    assert_fails(world);
    assert_int_equal(logged(world, 301), 2);
}

static void authorities_that_cannot_be_read_are_named(void **state)
{
    world_t *world = *state;
    const char *place = "rediss://127.0.0.1:1?ca=/nonexistent/ca.pem";
    orp_store_t *store;

    assert_int_equal(orp_store_redis_open(&store, place_of(world, place),
                                          &world->env, world->why,
                                          world->pool), APR_EINVAL);
    assert_non_null(strstr(world->why->sentence, "/nonexistent/ca.pem"));
    assert_int_equal(check_at(world, place), APR_EINVAL);
    assert_non_null(strstr(world->why->sentence, "/nonexistent/ca.pem"));
}

/* ---------------------------------------------------------------------- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_world(a_certificate_is_verified),
        in_a_world(large_values_and_many_threads_go_through_tls),
        in_a_world(an_outage_behind_tls_ends),
        in_a_world(plain_and_tls_do_not_mix),
        in_a_world(authorities_that_cannot_be_read_are_named),
    };

    return redis_run("redis tls", tests);
}
