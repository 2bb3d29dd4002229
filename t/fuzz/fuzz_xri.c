/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_xri.c - orp_xri: a script (world.h) of what the resolver says. */

#include "world.h"

#include "orp_identifier.h"
#include "orp_xri.h"

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    fuzz_world_t *world = fuzz_world(bytes, size, pool);
    orp_reason_t *why = orp_reason_create(pool);
    orp_xri_t *xri = FUZZ_UNTOUCHED;
    orp_identifier_t *identifier;
    apr_status_t status = orp_xri_resolve(&xri, &world->env,
                                          "https://xri.example/", "=name",
                                          why, pool);

    fuzz_reason(why, status);
    if (!fuzz_status(status, xri, ORP_EXRI, ORP_EXML, ORP_EHTTP,
                     ORP_ECONNECT, ORP_EREDIRECT, APR_SUCCESS)) {
        return;
    }
    /* no i-name stands for a web page, or for an XRI of another root */
    fuzz_check(orp_identifier_normalize(&identifier, xri->canonical_id, NULL,
                                        pool) == APR_SUCCESS);
    fuzz_check(identifier->kind == ORP_IDENTIFIER_XRI);
    fuzz_check(!strcmp(identifier->text, xri->canonical_id));
    fuzz_check(xri->canonical_id[0] == '=');
}

FUZZ_TARGET(xri, 8192)
