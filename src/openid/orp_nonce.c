/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_nonce.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_time.h>

#include "orp_crypto.h"
#include "orp_store.h"

#define NONCE_MAX 255
#define MARGIN (60 * APR_USEC_PER_SEC)

/* No clock is that wrong. */
#define YEAR_MAX 2999

static const char form[] = "dddd-dd-ddTdd:dd:ddZ";

/* Is text of that form, and are all its characters printable (33 to 126)? */
static int has_form(const char *text)
{
    apr_size_t i;

    for (i = 0; form[i]; i++) {
        if (form[i] == 'd' ? (text[i] < '0' || text[i] > '9')
            : text[i] != form[i]) {
            return 0;
        }
    }
    for (; text[i]; i++) {
        if (text[i] < 33 || text[i] > 126) {
            return 0;
        }
    }
    return i <= NONCE_MAX;
}

static int digits(const char *text, int count)
{
    int number = 0;

    while (count--) {
        number = number * 10 + (*text++ - '0');
    }
    return number;
}

/* apr_time_exp_get() takes any numbers: see whether what it makes of them
 * reads the same, or there is no such date. */
static int is_date(const apr_time_exp_t *date, apr_time_t when)
{
    apr_time_exp_t back;

    return apr_time_exp_gmt(&back, when) == APR_SUCCESS
        && back.tm_year == date->tm_year && back.tm_mon == date->tm_mon
        && back.tm_mday == date->tm_mday && back.tm_hour == date->tm_hour
        && back.tm_min == date->tm_min && back.tm_sec == date->tm_sec;
}

apr_status_t orp_nonce_parse(orp_nonce_t **pnonce, const char *text,
                             apr_pool_t *pool)
{
    orp_nonce_t *nonce;
    apr_time_exp_t date;
    apr_time_t issued;

    if (!has_form(text)) {
        return ORP_ENONCE;
    }
    memset(&date, 0, sizeof(date));
    date.tm_year = digits(text, 4) - 1900;
    date.tm_mon = digits(text + 5, 2) - 1;
    date.tm_mday = digits(text + 8, 2);
    date.tm_hour = digits(text + 11, 2);
    date.tm_min = digits(text + 14, 2);
    date.tm_sec = digits(text + 17, 2);
    if (date.tm_year < 70 || date.tm_year > YEAR_MAX - 1900
        || date.tm_mon < 0 || date.tm_mon > 11
        || apr_time_exp_get(&issued, &date) != APR_SUCCESS
        || !is_date(&date, issued)) {
        return ORP_ENONCE;
    }
    nonce = apr_pcalloc(pool, sizeof(*nonce));
    nonce->issued = issued;
    nonce->salt = apr_pstrdup(pool, text + sizeof(form) - 1);
    *pnonce = nonce;
    return APR_SUCCESS;
}

apr_status_t orp_nonce_check_age(const orp_nonce_t *nonce, apr_time_t now,
                                 apr_interval_time_t lifetime)
{
    return nonce->issued < now - lifetime
        || nonce->issued > now + ORP_NONCE_AHEAD
        ? ORP_ENONCEAGE : APR_SUCCESS;
}

apr_status_t orp_nonce_claim(const orp_env_t *env, const char *endpoint,
                             const char *text, apr_interval_time_t lifetime,
                             apr_pool_t *pool)
{
    apr_time_t now = orp_env_now(env);
    const char *key;
    orp_nonce_t *nonce;
    apr_status_t status = orp_nonce_parse(&nonce, text, pool);

    if (status == APR_SUCCESS) {
        status = orp_nonce_check_age(nonce, now, lifetime);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    /* no URL holds a newline: the pair has one reading */
    key = orp_sha256_hex(apr_pstrcat(pool, endpoint, "\n", text, NULL),
                         pool);
    if (!key) {
        return ORP_ECRYPTO;
    }
    status = orp_store_claim(env->store, ORP_STORE_NONCE, key,
                             nonce->issued + lifetime + MARGIN, now);
    return status == ORP_EEXISTS ? ORP_EREPLAY : status;
}
