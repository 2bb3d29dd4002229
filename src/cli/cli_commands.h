/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* cli_commands.h - the commands, one function and one file each.
 *
 * A command gets its options checked, and as many operands as the table in
 * openid2rp_main.c says. It prints what it found and returns CLI_OK, or says
 * on standard error why there is nothing and returns CLI_REFUSED.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli_options.h"
#include "cli_output.h"

typedef int cli_command_fn(const cli_options_t *options, apr_pool_t *pool);

/** Looks at the operands of a command that takes only certain ones.
 * @return APR_SUCCESS, or APR_EINVAL for a wrong call */
typedef apr_status_t cli_check_fn(const cli_options_t *options,
                                  orp_reason_t *why, apr_pool_t *pool);

/** ID: its kind and normalized form. */
cli_command_fn cli_normalize;

/** ID: its claimed identifier and providers, in the order of use. */
cli_command_fn cli_discover;

/** XRI: its i-number and providers, from a proxy resolver. */
cli_command_fn cli_resolve_xri;

/** ENDPOINT: the association that was made, without its key. */
cli_command_fn cli_associate;

/** REALM URL: nothing, where the realm covers the URL. */
cli_command_fn cli_realm_match;

/** One run of orp_background.h: what failed, or, with --verbose, all. */
cli_command_fn cli_refresh;

/** stats | list [KIND] | purge [KIND]: what is in a store. */
cli_command_fn cli_store;
cli_check_fn cli_store_check;

/** FILE list [ID] | add ID ACCOUNT | remove ID [ACCOUNT]: which account an
 * identifier belongs to. */
cli_command_fn cli_links;
cli_check_fn cli_links_check;

#endif
