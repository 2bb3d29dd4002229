/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_direct.c - orp_associate, orp_checkauth: a script (world.h) of what a
 * provider answers directly. */

#include "world.h"

#include "orp_associate.h"
#include "orp_checkauth.h"

static void associate(const char *endpoint, orp_version_e version,
                      const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    fuzz_world_t *world = fuzz_world(bytes, size, pool);
    orp_associate_t request = { endpoint, version, NULL, NULL };
    orp_reason_t *why = orp_reason_create(pool);
    orp_assoc_t *assoc = FUZZ_UNTOUCHED;
    apr_status_t status = orp_associate(&assoc, &world->env, &request, why,
                                        pool);

    fuzz_reason(why, status);
    fuzz_check(world->requests >= 1 && world->requests <= 2);
    if (!fuzz_status(status, assoc, ORP_ENOASSOC, ORP_EASSOCIATE,
                     ORP_ECONNECT, APR_SUCCESS)) {
        return;
    }
    fuzz_check(!strcmp(assoc->endpoint, endpoint));
    fuzz_check(orp_assoc_handle_valid(assoc->handle));
    fuzz_check(orp_assoc_fits(assoc, version));
    fuzz_check(assoc->expires > SCENE_TIME);
    fuzz_check(assoc->expires <= SCENE_TIME
               + apr_time_from_sec(ORP_ASSOC_LIFETIME_MAX));
}

/* How often it occurs in the bytes. */
static int count(const char *bytes, apr_size_t size, const char *text)
{
    apr_size_t length = strlen(text);
    int n = 0;

    for (; size >= length; bytes++, size--) {
        n += !memcmp(bytes, text, length);
    }
    return n;
}

static void check(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    static const char answer[] = "mode:id_res\nsig:AAAA\nsigned:mode\n"
        "invalidate_handle:h\n";
    fuzz_world_t *world = fuzz_world(bytes, size, pool);
    orp_reason_t *why = orp_reason_create(pool);
    orp_message_t *message = NULL;
    apr_status_t status;

    fuzz_check(orp_message_from_kv(&message, answer, strlen(answer), NULL,
                                   pool) == APR_SUCCESS);
    status = orp_checkauth(&world->env, "https://op.example/", message, why,
                           pool);
    fuzz_reason(why, status);
    fuzz_check(world->requests == 1);
    if (status == APR_SUCCESS) {
        fuzz_check(size >= 3 && !memcmp(bytes, "200", 3));
        fuzz_check(count(bytes, size, "\nis_valid:true\n") >= 1);
    }
    else {
        fuzz_check(status == ORP_ESIGNATURE || status == ORP_ECONNECT);
    }
}

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    check(bytes, size, pool);
    associate("https://op.example/", ORP_VERSION_2, bytes, size, pool);
    associate("http://op.example/", ORP_VERSION_2, bytes, size, pool);
    associate("https://op.example/", ORP_VERSION_1, bytes, size, pool);
}

FUZZ_TARGET(direct, 4096)
