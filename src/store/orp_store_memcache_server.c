/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_store_memcache_server.h"

#include <signal.h>
#include <string.h>

#include <apr_atomic.h>
#include <apr_memcache.h>
#include <apr_strings.h>

#include "orp_store_health.h"

#define CONNECTIONS 4                   /* of a process to a server */
#define TRIES (2 * CONNECTIONS + 1)     /* each may fail twice when it ended */
#define CONNECTION_IDLE (60 * 1000000)  /* microseconds; then it is closed */
#define TIMEOUT (500 * 1000)
#define HEARD 1                         /* seconds */

struct orp_memcached_t {
    const orp_place_server_t *place;
    apr_memcache_t *client;
    orp_store_health_t *health;
    apr_uint32_t heard;         /* when it last answered, in seconds */
};

/* One thing to be done. */
typedef struct call_t {
    orp_memcached_t *server;
    orp_memcached_e what;
    orp_memcached_item_t *item;
    orp_memcached_fits_fn *fits;
    const void *fits_baton;
    apr_pool_t *pool;
} call_t;

/* ---------------------------------------------------------------------- */
/* Is it there? */

/* By a connection of its own, and with a timeout. @return ORP_ESTORE where
 * something else answers */
static apr_status_t ask(const orp_place_server_t *place)
{
    static const char question[] = "version\r\n";
    static const char answer[] = "VERSION ";
    char buffer[sizeof(answer) - 1] = { 0 };
    apr_size_t size = sizeof(question) - 1;
    apr_size_t got = 0;
    apr_sockaddr_t *address;
    apr_socket_t *socket = NULL;
    apr_pool_t *pool;
    apr_status_t status;

    apr_pool_create(&pool, NULL);
    status = apr_sockaddr_info_get(&address, place->host, APR_INET,
                                   place->port, 0, pool);
    if (status == APR_SUCCESS) {
        status = apr_socket_create(&socket, APR_INET, SOCK_STREAM, 0, pool);
    }
    if (status == APR_SUCCESS) {
        apr_socket_timeout_set(socket, TIMEOUT);
        status = apr_socket_connect(socket, address);
    }
    if (status == APR_SUCCESS) {
        status = apr_socket_send(socket, question, &size);
    }
    while (status == APR_SUCCESS && got < sizeof(buffer)) {
        size = sizeof(buffer) - got;
        status = apr_socket_recv(socket, buffer + got, &size);
        got += size;
    }
    if (got == sizeof(buffer)) {
        status = memcmp(buffer, answer, got) ? ORP_ESTORE : APR_SUCCESS;
    }
    apr_pool_destroy(pool);
    return status;
}

static const char *describe(apr_status_t status, char *buf, apr_size_t size)
{
    if (status == ORP_ESTORE || status == APR_EGENERAL) {
        return "it does not answer like a memcached";
    }
    if (APR_STATUS_IS_TIMEUP(status)) {
        return "it does not answer in time";
    }
    return orp_strerror(status, buf, size);
}

const char *orp_memcached_shown(const orp_place_server_t *place,
                                apr_pool_t *pool)
{
    return apr_psprintf(pool, "memcache://%s:%d", place->host,
                        (int)place->port);
}

apr_status_t orp_memcached_ask(const char **pwhy,
                               const orp_place_server_t *place,
                               apr_pool_t *pool)
{
    char buf[128];
    apr_status_t status = ask(place);

    if (status != APR_SUCCESS) {
        *pwhy = apr_pstrdup(pool, describe(status, buf, sizeof(buf)));
    }
    return status;
}

static int was_heard(orp_memcached_t *server)
{
    apr_uint32_t now = (apr_uint32_t)apr_time_sec(apr_time_now());

    return now - apr_atomic_read32(&server->heard) <= HEARD;
}

static void set_heard(orp_memcached_t *server)
{
    apr_atomic_set32(&server->heard,
                     (apr_uint32_t)apr_time_sec(apr_time_now()));
}

/* ---------------------------------------------------------------------- */
/* Opening */

/* apr_memcache asks which of its servers has a key: always the only one. */
static apr_memcache_server_t *only_server(void *baton,
                                          apr_memcache_t *client,
                                          const apr_uint32_t hash)
{
    (void)client;
    (void)hash;
    return baton;
}

/* apr_memcache writes to connections that may have ended. httpd ignores the
 * signal anyway; so must the command. */
static void ignore_sigpipe(void)
{
    struct sigaction action;

    if (sigaction(SIGPIPE, NULL, &action) == 0
        && action.sa_handler == SIG_DFL) {
        action.sa_handler = SIG_IGN;
        sigaction(SIGPIPE, &action, NULL);
    }
}

apr_status_t orp_memcached_create(orp_memcached_t **pserver,
                                  const orp_place_server_t *place,
                                  const orp_env_t *env, apr_pool_t *pool)
{
    orp_memcached_t *server = apr_pcalloc(pool, sizeof(*server));
    apr_memcache_server_t *only;
    apr_status_t status = orp_store_health_create(
        &server->health, orp_memcached_shown(place, pool), env, pool);

    ignore_sigpipe();
    server->place = place;
    if (status == APR_SUCCESS) {
        status = apr_memcache_create(pool, 1, 0, &server->client);
    }
    if (status == APR_SUCCESS) {
        status = apr_memcache_server_create(pool, place->host, place->port, 0,
                                            1, CONNECTIONS, CONNECTION_IDLE,
                                            &only);
    }
    if (status == APR_SUCCESS) {
        apr_reslist_timeout_set(only->conns, TIMEOUT);
        server->client->server_func = only_server;
        server->client->server_baton = only;
        status = apr_memcache_add_server(server->client, only);
    }
    if (status == APR_SUCCESS) {
        *pserver = server;
    }
    return status;
}

/* ---------------------------------------------------------------------- */
/* Calls */

static apr_status_t get(call_t *call)
{
    orp_memcached_item_t *item = call->item;
    apr_status_t status = apr_memcache_getp(call->server->client, call->pool,
                                            item->key, &item->bytes,
                                            &item->size, NULL);

    /* an answer to another question: the connection is out of step */
    return status == APR_SUCCESS && call->fits
        && !call->fits(item, call->fits_baton) ? APR_EGENERAL : status;
}

static apr_status_t command(call_t *call)
{
    apr_memcache_t *client = call->server->client;
    orp_memcached_item_t *item = call->item;

    switch (call->what) {
    case ORP_MEMCACHED_ADD:
        return apr_memcache_add(client, item->key, item->bytes, item->size,
                                item->lifetime, 0);
    case ORP_MEMCACHED_REPLACE:
        return apr_memcache_replace(client, item->key, item->bytes,
                                    item->size, item->lifetime, 0);
    case ORP_MEMCACHED_GET:
        return get(call);
    default:
        return apr_memcache_delete(client, item->key, 0);
    }
}

/* Did the connection end? Then it may have been one to a server that has since
 * been started again, and the next one works. apr_memcache says APR_EGENERAL
 * where a connection ended before an answer, and also where the answer is one
 * that it does not know, such as "SERVER_ERROR out of memory". */
static int may_have_ended(apr_status_t status)
{
    return status == APR_EGENERAL || APR_STATUS_IS_EOF(status)
        || APR_STATUS_IS_EPIPE(status) || APR_STATUS_IS_ECONNRESET(status)
        || APR_STATUS_IS_ECONNABORTED(status);
}

/* All connections that wait for use may have ended, so try them all. A claim
 * that was made although its answer was lost is found taken then, and nobody
 * has won: that is a login lost, and never one too many. */
static apr_status_t try_command(call_t *call)
{
    apr_status_t status = APR_EGENERAL;
    int i = 0;

    if (was_heard(call->server)) {
        status = command(call);
    }
    if (!may_have_ended(status)) {
        return status;
    }
    status = ask(call->server->place);
    if (status != APR_SUCCESS) {
        return status;
    }
    do {
        status = command(call);
    } while (may_have_ended(status) && ++i < TRIES);
    return status;
}

/* What is not an outage, in our words; else as it is. */
static apr_status_t translate(apr_status_t status, orp_memcached_e what)
{
    int writes = what == ORP_MEMCACHED_ADD || what == ORP_MEMCACHED_REPLACE;

    if (status == APR_EEXIST && writes) {       /* it says NOT_STORED */
        return what == ORP_MEMCACHED_ADD ? ORP_EEXISTS : ORP_ENOTFOUND;
    }
    if (status == APR_NOTFOUND && !writes) {
        return ORP_ENOTFOUND;
    }
    /* it is there, and takes nothing: it is out of memory */
    return status == APR_EGENERAL && writes ? ORP_EFULL : status;
}

apr_status_t orp_memcached_run(orp_memcached_t *server, orp_memcached_e what,
                               orp_memcached_item_t *item,
                               orp_memcached_fits_fn *fits,
                               const void *fits_baton, apr_pool_t *pool)
{
    call_t call = { server, what, item, fits, fits_baton, pool };
    char buf[128];
    apr_status_t status;

    if (!orp_store_health_may_try(server->health, apr_time_now())) {
        return ORP_ESTORE;
    }
    status = translate(try_command(&call), what);
    if (status != APR_SUCCESS && status != ORP_EEXISTS
        && status != ORP_ENOTFOUND && status != ORP_EFULL) {
        apr_atomic_set32(&server->heard, 0);
        orp_store_health_failed(server->health,
                                describe(status, buf, sizeof(buf)),
                                apr_time_now());
        return ORP_ESTORE;
    }
    set_heard(server);
    orp_store_health_worked(server->health, apr_time_now());
    return status;
}
