/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_nonce.c - orp_nonce: what is accepted is the time that it says. */

#include "fuzz.h"

#include "orp_nonce.h"

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    const char *text = fuzz_text(bytes, size, pool);
    orp_nonce_t *nonce = FUZZ_UNTOUCHED;
    apr_time_exp_t date;
    apr_time_t hour = apr_time_from_sec(3600);

    if (!fuzz_status(orp_nonce_parse(&nonce, text, pool), nonce, ORP_ENONCE,
                     APR_SUCCESS)) {
        return;
    }
    fuzz_check(apr_time_exp_gmt(&date, nonce->issued) == APR_SUCCESS);
    fuzz_check(!strcmp(text, apr_psprintf(
        pool, "%04d-%02d-%02dT%02d:%02d:%02dZ%s", date.tm_year + 1900,
        date.tm_mon + 1, date.tm_mday, date.tm_hour, date.tm_min,
        date.tm_sec, nonce->salt)));
    fuzz_check(strlen(text) <= 255);
    fuzz_check(orp_nonce_check_age(nonce, nonce->issued, hour)
               == APR_SUCCESS);
    fuzz_check(orp_nonce_check_age(nonce, nonce->issued + hour + 1, hour)
               == ORP_ENONCEAGE);
    fuzz_check(orp_nonce_check_age(nonce,
                                   nonce->issued - ORP_NONCE_AHEAD - 1, hour)
               == ORP_ENONCEAGE);
}

FUZZ_TARGET(nonce, 300)
