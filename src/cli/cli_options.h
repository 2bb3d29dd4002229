/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* cli_options.h - what stands behind the name of a command. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <apr_tables.h>

#include "orp_status.h"
#include "orp_store_place.h"

/** The options there are; a command names those that it takes. */
typedef enum {
    CLI_JSON = 1 << 0,
    CLI_ALLOW = 1 << 1,
    CLI_PROXY = 1 << 2,
    CLI_TYPE = 1 << 3,
    CLI_SESSION = 1 << 4,
    CLI_VERBOSE = 1 << 5,
    CLI_STORE = 1 << 6
} cli_option_e;

/** What a command that asks other servers takes. */
#define CLI_NETWORK (CLI_ALLOW | CLI_VERBOSE)

/** The proxy resolver that resolve-xri asks where --proxy names no other. */
#define CLI_XRI_PROXY "https://xri.net/"

typedef struct cli_options_t {
    int help;                   /* --help was among them; then nothing else
                                 * has been checked */
    int given;                  /* those that were given, of cli_option_e */
    apr_array_header_t *allow;  /* of orp_cidr_t, maybe empty */
    const char *proxy;          /* URL of a resolver of XRIs, or NULL */
    const char *type;           /* association type, or NULL */
    const char *session;        /* session type, or NULL */
    orp_store_place_t *store;   /* where the store is, or NULL */
    apr_array_header_t *operands;   /* of const char *: all the rest, in
                                     * order */
} cli_options_t;

/**
 * Read options and operands, in any order: "--name value", "--name=value",
 * and operands only after "--".
 * @param poptions  set on success
 * @param args      ends with NULL
 * @param taken     the options this command takes, of cli_option_e; --help is
 *                  always one
 * @param why       says what is wrong
 * @return APR_SUCCESS, or APR_EINVAL
 */
ORP_MUST_USE apr_status_t cli_options_parse(cli_options_t **poptions,
                                            const char *const *args,
                                            int taken, orp_reason_t *why,
                                            apr_pool_t *pool);

/** The name of an option, without "--". */
const char *cli_option_name(cli_option_e option);

/** One line of help for each of these options. */
void cli_options_help(int taken);

#endif
