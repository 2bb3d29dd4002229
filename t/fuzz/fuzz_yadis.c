/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_yadis.c - orp_discover, orp_yadis, orp_http: a script (world.h) of
 * what other servers say. */

#include "world.h"

#include "orp_discover.h"
#include "orp_url.h"
#include "orp_yadis.h"

#define USER "https://user.example/"

static void discovered(const orp_discovery_t *discovery, apr_pool_t *pool)
{
    orp_identifier_t *again;
    int i;

    fuzz_check(orp_identifier_normalize(&again, discovery->claimed_id, NULL,
                                        pool) == APR_SUCCESS);
    fuzz_check(!strcmp(again->text, discovery->claimed_id));
    /* an https page is not answered for by an http one */
    fuzz_check(!strncmp(discovery->claimed_id, "https://", 8));
    fuzz_check(discovery->services->nelts >= 1);
    for (i = 0; i < discovery->services->nelts; i++) {
        const orp_service_t *service = APR_ARRAY_IDX(discovery->services, i,
                                                     orp_service_t *);
        const char *endpoint = NULL;

        fuzz_check(orp_service_endpoint(&endpoint, service->endpoint, pool)
                   == APR_SUCCESS);
        fuzz_check(!strcmp(endpoint, service->endpoint));
    }
}

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    fuzz_world_t *world = fuzz_world(bytes, size, pool);
    orp_reason_t *why = orp_reason_create(pool);
    orp_yadis_t *yadis = FUZZ_UNTOUCHED;
    orp_discovery_t *discovery = FUZZ_UNTOUCHED;
    orp_identifier_t *identifier;
    apr_status_t status = orp_yadis_fetch(&yadis, &world->env, USER, why,
                                          pool);

    fuzz_reason(why, status);
    fuzz_check(world->requests <= 2 * (ORP_HTTP_REDIRECTS + 1));
    if (fuzz_status(status, yadis, ORP_ECONNECT, ORP_EREDIRECT, ORP_EHTTP,
                    APR_SUCCESS)) {
        fuzz_check(!strncmp(yadis->url, "https://", 8));
    }
    world = fuzz_world(bytes, size, pool);
    why = orp_reason_create(pool);
    fuzz_check(orp_identifier_normalize(&identifier, USER, NULL, pool)
               == APR_SUCCESS);
    status = orp_discover(&discovery, &world->env, identifier, why, pool);
    fuzz_reason(why, status);
    fuzz_check(world->requests <= 3 * (ORP_HTTP_REDIRECTS + 1));
    if (fuzz_status(status, discovery, ORP_ECONNECT, ORP_EREDIRECT,
                    ORP_EHTTP, ORP_ENOTOPENID, APR_SUCCESS)) {
        discovered(discovery, pool);
    }
}

FUZZ_TARGET(yadis, 8192)
