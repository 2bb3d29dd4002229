/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "cli_options.h"

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "orp_address.h"
#include "orp_assoc.h"
#include "orp_url.h"

/* Checks and keeps the value of one option. */
typedef apr_status_t keep_fn(cli_options_t *options, const char *value,
                             orp_reason_t *why, apr_pool_t *pool);

typedef struct {
    const char *name;           /* without "--" */
    const char *value;          /* what its value is called, or NULL */
    cli_option_e flag;
    keep_fn *keep;              /* NULL where it takes no value */
    const char *help;
} option_t;

static apr_status_t keep_allow(cli_options_t *options, const char *value,
                               orp_reason_t *why, apr_pool_t *pool)
{
    orp_cidr_t cidr;

    if (orp_cidr_parse(&cidr, value, pool) != APR_SUCCESS) {
        return orp_reason_set(why, APR_EINVAL, value,
                              "\"%s\" is not a range of addresses such as "
                              "10.0.0.0/8 or ::1/128.", value);
    }
    APR_ARRAY_PUSH(options->allow, orp_cidr_t) = cidr;
    return APR_SUCCESS;
}

static apr_status_t keep_proxy(cli_options_t *options, const char *value,
                               orp_reason_t *why, apr_pool_t *pool)
{
    orp_url_t *url;

    if (orp_url_parse(&url, value, NULL, pool) != APR_SUCCESS
        || url->query || url->fragment) {
        return orp_reason_set(why, APR_EINVAL, value,
                              "The proxy \"%s\" is not an http or https URL "
                              "without a query or a fragment.", value);
    }
    options->proxy = orp_url_string(url, pool);
    return APR_SUCCESS;
}

static apr_status_t keep_type(cli_options_t *options, const char *value,
                              orp_reason_t *why, apr_pool_t *pool)
{
    const char *sha1 = orp_assoc_type(ORP_SHA1);
    const char *sha256 = orp_assoc_type(ORP_SHA256);

    (void)pool;
    if (strcmp(value, sha1) && strcmp(value, sha256)) {
        return orp_reason_set(why, APR_EINVAL, value,
                              "\"%s\" is not an association type; they are "
                              "%s and %s.", value, sha256, sha1);
    }
    options->type = value;
    return APR_SUCCESS;
}

static apr_status_t keep_session(cli_options_t *options, const char *value,
                                 orp_reason_t *why, apr_pool_t *pool)
{
    (void)pool;
    if (strcmp(value, "DH-SHA256") && strcmp(value, "DH-SHA1")
        && strcmp(value, "no-encryption")) {
        return orp_reason_set(why, APR_EINVAL, value,
                              "\"%s\" is not a session type; they are "
                              "DH-SHA256, DH-SHA1 and no-encryption.", value);
    }
    options->session = value;
    return APR_SUCCESS;
}

static apr_status_t keep_store(cli_options_t *options, const char *value,
                               orp_reason_t *why, apr_pool_t *pool)
{
    return orp_store_place_parse(&options->store, value, why, pool);
}

static const option_t known[] = {
    { "store", "URL", CLI_STORE, keep_store,
      "the store of the site, as in its OpenIDStore" },
    { "allow", "CIDR", CLI_ALLOW, keep_allow,
      "also contact these addresses, though not public; may repeat" },
    { "proxy", "URL", CLI_PROXY, keep_proxy,
      "ask this proxy resolver about XRIs" },
    { "type", "T", CLI_TYPE, keep_type,
      "HMAC-SHA256 or HMAC-SHA1; else the best that is offered" },
    { "session", "S", CLI_SESSION, keep_session,
      "DH-SHA256, DH-SHA1 or no-encryption (https only); likewise" },
    { "json", NULL, CLI_JSON, NULL, "print JSON" },
    { "verbose", NULL, CLI_VERBOSE, NULL,
      "log to standard error what happens on the way" },
};
#define KNOWN (sizeof(known) / sizeof(known[0]))

static const option_t *find_option(const char *name, int taken)
{
    apr_size_t i;

    for (i = 0; i < KNOWN; i++) {
        if ((known[i].flag & taken) && !strcmp(known[i].name, name)) {
            return &known[i];
        }
    }
    return NULL;
}

/* One option. @param pargs  moves on where the next argument is its value */
static apr_status_t read_option(cli_options_t *options,
                                const char *const **pargs, int taken,
                                orp_reason_t *why, apr_pool_t *pool)
{
    const char *arg = **pargs;
    apr_size_t size = strcspn(arg, "=");
    const char *value = arg[size] ? arg + size + 1 : NULL;
    const char *written = apr_pstrmemdup(pool, arg, size);
    const option_t *option = NULL;

    if (!strncmp(written, "--", 2)) {
        option = find_option(written + 2, taken);
    }
    if (!option) {
        return orp_reason_set(why, APR_EINVAL, written,
                              "There is no option %s here.", written);
    }
    if (!option->value && value) {
        return orp_reason_set(why, APR_EINVAL, written,
                              "The option %s takes no value.", written);
    }
    options->given |= (int)option->flag;
    if (!option->value) {
        return APR_SUCCESS;
    }
    if (!value) {
        value = (*pargs)[1];
        if (!value) {
            return orp_reason_set(why, APR_EINVAL, written,
                                  "The option %s needs a value (%s).",
                                  written, option->value);
        }
        ++*pargs;
    }
    return option->keep(options, value, why, pool);
}

apr_status_t cli_options_parse(cli_options_t **poptions,
                               const char *const *args, int taken,
                               orp_reason_t *why, apr_pool_t *pool)
{
    cli_options_t *options = apr_pcalloc(pool, sizeof(*options));
    int ended = 0;              /* "--" was seen */

    options->allow = apr_array_make(pool, 2, sizeof(orp_cidr_t));
    options->operands = apr_array_make(pool, 2, sizeof(const char *));
    for (; *args; args++) {
        const char *arg = *args;

        if (ended || arg[0] != '-' || !arg[1]) {
            APR_ARRAY_PUSH(options->operands, const char *) = arg;
        }
        else if (!strcmp(arg, "--")) {
            ended = 1;
        }
        else if (!strcmp(arg, "--help")) {
            options->help = 1;
            break;
        }
        else {
            apr_status_t status = read_option(options, &args, taken, why,
                                              pool);

            if (status != APR_SUCCESS) {
                return status;
            }
        }
    }
    *poptions = options;
    return APR_SUCCESS;
}

const char *cli_option_name(cli_option_e option)
{
    apr_size_t i;

    for (i = 0; i < KNOWN && known[i].flag != option; i++) {
        continue;
    }
    return i < KNOWN ? known[i].name : "";
}

void cli_options_help(int taken)
{
    apr_size_t i;

    for (i = 0; i < KNOWN; i++) {
        if (known[i].flag & taken) {
            printf("  --%-8s%-6s%s\n", known[i].name,
                   known[i].value ? known[i].value : "", known[i].help);
        }
    }
}
