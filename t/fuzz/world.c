/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "world.h"

#include <stdlib.h>

#include "orp_url.h"

#define END "\n----\n"

/* The next line of a part, and where it ends; the empty line that ends the
 * headers is used up too. */
static const char *header(const char **pat, const char *end,
                          apr_pool_t *pool)
{
    const char *at = *pat;
    const char *newline = at < end
        ? memchr(at, '\n', (apr_size_t)(end - at)) : NULL;

    *pat = newline ? newline + 1 : end;
    return fuzz_text(at, (apr_size_t)((newline ? newline : end) - at), pool);
}

static const char *value_of(const char *line, const char *name)
{
    apr_size_t size = strlen(name);

    return strncasecmp(line, name, size) ? NULL
        : line + size + strspn(line + size, " ");
}

static void read_part(orp_http_response_t *response, const char *at,
                      const char *end, apr_pool_t *pool)
{
    const char *line = header(&at, end, pool);

    response->status = atoi(apr_pstrndup(pool, line, 3));
    line += strspn(line, "0123456789 ");
    response->content_type = line;
    while (at < end && *(line = header(&at, end, pool))) {
        const char *location = value_of(line, "Location:");
        const char *xrds = value_of(line, "X-XRDS-Location:");

        response->location = location ? location : response->location;
        response->xrds_location = xrds ? xrds : response->xrds_location;
    }
    response->size = (apr_size_t)(end - at);
    response->body = apr_pstrmemdup(pool, at, response->size);
}

/* Where the text is in the bytes, or NULL. */
static const char *find(const char *bytes, apr_size_t size, const char *text)
{
    apr_size_t length = strlen(text);

    for (; size >= length; bytes++, size--) {
        if (!memcmp(bytes, text, length)) {
            return bytes;
        }
    }
    return NULL;
}

static apr_status_t by_script(fuzz_world_t *world,
                              orp_http_response_t *response,
                              apr_pool_t *pool)
{
    const char *end = find(world->script, world->left, END);
    apr_size_t size = end ? (apr_size_t)(end - world->script) : world->left;

    if (!world->left) {
        return ORP_ECONNECT;
    }
    read_part(response, world->script, world->script + size, pool);
    size += end ? strlen(END) : 0;
    world->script += size;
    world->left -= size;
    return APR_SUCCESS;
}

static apr_status_t exchange(orp_http_response_t **presp,
                             const orp_http_client_t *client,
                             const orp_http_request_t *request,
                             orp_reason_t *why, apr_pool_t *pool)
{
    fuzz_world_t *world = (fuzz_world_t *)(void *)(uintptr_t)client;
    orp_http_response_t *response = apr_pcalloc(pool, sizeof(*response));
    const char *normal = NULL;
    apr_status_t status;

    /* whatever was said, only URLs that are in their normal form are asked */
    fuzz_check(orp_url_normalize(&normal, request->url, NULL, pool)
               == APR_SUCCESS);
    fuzz_check(!strcmp(normal, request->url));
    fuzz_check(request->deadline == SCENE_TIME + SCENE_TIMEOUT);
    fuzz_check(++world->requests < 100);
    response->status = 200;
    response->content_type = "";
    response->body = "";
    status = world->answer ? world->answer(world, response, request, pool)
        : by_script(world, response, pool);
    if (status != APR_SUCCESS) {
        return orp_reason_set(why, status, request->url,
                              "The script has %s fail.", request->url);
    }
    *presp = response;
    return APR_SUCCESS;
}

static apr_status_t end_scene(void *baton)
{
    void *state = baton;

    return scene_teardown(&state) == 0 ? APR_SUCCESS : APR_EGENERAL;
}

fuzz_world_t *fuzz_world(const char *script, apr_size_t size,
                         apr_pool_t *pool)
{
    fuzz_world_t *world = apr_pcalloc(pool, sizeof(*world));
    void *state = NULL;

    fuzz_check(scene_setup(&state) == 0);
    world->scene = state;
    apr_pool_cleanup_register(pool, state, end_scene,
                              apr_pool_cleanup_null);
    world->http.exchange = exchange;
    world->http.timeout = SCENE_TIMEOUT;
    world->env = world->scene->env;
    world->env.http = &world->http;
    world->script = script;
    world->left = size;
    return world;
}
