/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_provider.h - which providers a site accepts.
 *
 * A rule is the beginning of OP endpoint URLs: the whole origin, and whole
 * segments of the path; or "~" and a regular expression that must match the
 * whole URL. An endpoint is accepted where no Deny rule matches it and, if
 * there are Allow rules, one of them does.
 */
#ifndef OPENID2RP_PROVIDER_H
#define OPENID2RP_PROVIDER_H

#include <apr_tables.h>

#include "openid2rp.h"

typedef struct openid2rp_rule_t openid2rp_rule_t;

/**
 * Read a rule when the configuration is read.
 * @param prule  set on success
 * @return NULL, or the sentence that stops httpd
 */
const char *openid2rp_rule_read(const openid2rp_rule_t **prule,
                                cmd_parms *cmd, const char *arg);

/**
 * Is an OP endpoint accepted?
 * @param allow  of const openid2rp_rule_t *; NULL or empty: all
 * @param deny   likewise; NULL or empty: none
 */
int openid2rp_provider_accepted(const char *endpoint,
                                const apr_array_header_t *allow,
                                const apr_array_header_t *deny,
                                apr_pool_t *pool);

#endif
