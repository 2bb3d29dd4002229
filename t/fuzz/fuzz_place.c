/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_place.c - orp_store_place: what is shown of a place is that place, and
 * never its password. */

#include "fuzz.h"

#include "orp_store.h"
#include "orp_store_place.h"

/* How often it occurs. */
static int count(const char *text, const char *part)
{
    int n = 0;

    while ((text = strstr(text, part)) != NULL) {
        text++;
        n++;
    }
    return n;
}

/* A password that stands where it belongs, and nowhere else. */
static void secret(const orp_store_place_t *place, const char *text,
                   apr_pool_t *pool)
{
    if (place->password && strlen(place->password) > 3
        && strstr(text, apr_pstrcat(pool, ":", place->password, "@", NULL))
        && count(text, place->password) == 1) {
        fuzz_check(!strstr(place->shown, place->password));
    }
}

static void servers(const orp_store_place_t *place)
{
    int i;

    for (i = 0; place->servers && i < place->servers->nelts; i++) {
        const orp_place_server_t *server = &APR_ARRAY_IDX(
            place->servers, i, orp_place_server_t);

        fuzz_check(*server->host && server->port > 0);
        fuzz_check(!strpbrk(server->host, "[]/@?&,"));
    }
}

static void look_at(const orp_store_place_t *place, const char *text,
                    apr_pool_t *pool)
{
    orp_store_place_t *again;

    secret(place, text, pool);
    servers(place);
    fuzz_check(place->size == 0 || place->size >= ORP_STORE_SHM_MIN);
    fuzz_check(place->type == ORP_PLACE_REDIS
               || (!place->password && !place->user && !place->tls));
    fuzz_check(place->tls || !place->ca_file);
    fuzz_check(place->type != ORP_PLACE_DBM
               || (place->path && *place->path == '/'));
    fuzz_check(place->type == ORP_PLACE_SHM || place->type == ORP_PLACE_DBM
               || (place->timeout > 0 && *place->prefix));
    if (orp_store_place_parse(&again, place->shown, NULL, pool)
        == APR_SUCCESS) {
        fuzz_check(again->type == place->type);
        /* a file's name may look like a password in an address */
        fuzz_check(fuzz_same(again->path, place->path)
                   || place->type == ORP_PLACE_DBM);
        fuzz_check(fuzz_same(again->shown, place->shown));
    }
    else {
        fuzz_check(place->password != NULL);
    }
}

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    const char *text = fuzz_text(bytes, size, pool);
    orp_store_place_t *place = FUZZ_UNTOUCHED;
    orp_reason_t *why = orp_reason_create(pool);
    apr_status_t status = orp_store_place_parse(&place, text, why, pool);

    fuzz_reason(why, status);
    if (fuzz_status(status, place, APR_EINVAL, APR_SUCCESS)) {
        look_at(place, text, pool);
    }
    else {
        /* a password such as those of the seeds, where it belongs */
        const char *at = strrchr(text, '@');
        const char *given = strstr(text, ":Geheim1234@");

        if (given && at == given + 11) {
            fuzz_check(!strstr(why->sentence, "Geheim1234"));
            fuzz_check(!why->subject || !strstr(why->subject, "Geheim1234"));
        }
    }
}

FUZZ_TARGET(place, 1024)
