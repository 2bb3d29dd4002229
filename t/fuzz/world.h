/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* world.h - a world in which other servers say what the bytes say.
 *
 * A script is a text, so that it can be read and mutated:
 *
 *     200 text/html; charset=utf-8
 *     X-XRDS-Location: https://user.example/xrds
 *
 *     <html>…
 *     ----
 *     302
 *     Location: /elsewhere
 *     ----
 *
 * Each request is answered by the next part; when there is none left, the
 * server cannot be reached.
 */
#ifndef ORP_FUZZ_WORLD_H
#define ORP_FUZZ_WORLD_H

#include "fuzz.h"
#include "support.h"

typedef struct fuzz_world_t fuzz_world_t;

/** Answer one request; the response is empty, with status 200. */
typedef apr_status_t fuzz_answer_fn(fuzz_world_t *world,
                                    orp_http_response_t *response,
                                    const orp_http_request_t *request,
                                    apr_pool_t *pool);

struct fuzz_world_t {
    orp_http_client_t http;     /* first: a client is found to be a world */
    orp_env_t env;
    scene_t *scene;             /* clock, chance, store */
    fuzz_answer_fn *answer;     /* or NULL: the script answers */
    const char *script;         /* what is left of it */
    apr_size_t left;
    int requests;               /* how many were made */
    void *baton;                /* the target's own */
};

/** A world as long as its pool. */
fuzz_world_t *fuzz_world(const char *script, apr_size_t size,
                         apr_pool_t *pool);

#endif
