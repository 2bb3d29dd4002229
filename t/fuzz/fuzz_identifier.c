/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_identifier.c - orp_identifier: who is who. A normal form is its own
 * normal form. */

#include "fuzz.h"

#include "orp_identifier.h"
#include "orp_url.h"

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    const char *text = fuzz_text(bytes, size, pool);
    orp_identifier_t *identifier = FUZZ_UNTOUCHED, *again;
    const char *normal = NULL;
    orp_reason_t *why = orp_reason_create(pool);
    apr_status_t status = orp_identifier_normalize(&identifier, text, why,
                                                   pool);

    fuzz_reason(why, status);
    if (!fuzz_status(status, identifier, ORP_EIDENTIFIER, APR_SUCCESS)) {
        return;
    }
    fuzz_check(fuzz_is_plain(identifier->text));
    fuzz_check(orp_identifier_normalize(&again, identifier->text, NULL, pool)
               == APR_SUCCESS);
    fuzz_check(again->kind == identifier->kind);
    fuzz_check(!strcmp(again->text, identifier->text));
    if (identifier->kind == ORP_IDENTIFIER_URI) {
        fuzz_check(orp_url_normalize(&normal, identifier->text, NULL, pool)
                   == APR_SUCCESS);
        fuzz_check(!strcmp(normal, identifier->text));
    }
    else {
        fuzz_check(strchr("=@+$!(", identifier->text[0]) != NULL);
    }
}

FUZZ_TARGET(identifier, 2200)
