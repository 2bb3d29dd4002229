/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* cli_output.h - what is shown on a terminal.
 *
 * Much of it comes from strangers. Control characters in it (also those above
 * 0x7F) are shown as "\u001b", and bytes that are not UTF-8 as "\xff", so that
 * nothing can begin a line of its own or give the terminal an order.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "orp_status.h"

/** Exit codes, of the process and of a command. */
#define CLI_OK      0
#define CLI_REFUSED 1           /* one line on standard error says why */
#define CLI_USAGE   2           /* the command was called the wrong way */

/** A text as it may be shown. JSON stays JSON with the same meaning. */
const char *cli_printable(const char *text, apr_pool_t *pool);

/** One line of output: "name: value". */
void cli_line(const char *name, const char *value, apr_pool_t *pool);

/** One line of JSON. */
void cli_json(const char *json, apr_pool_t *pool);

/** One line on standard error, behind the name of the program. */
void cli_complain(const char *sentence, apr_pool_t *pool);

/**
 * Say on standard error why something was refused: its code and sentence.
 * @param status  counts where why says nothing
 * @return CLI_REFUSED
 */
int cli_refuse(apr_status_t status, const orp_reason_t *why,
               apr_pool_t *pool);

#endif
