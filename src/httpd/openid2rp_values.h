/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_values.h - the sorts of values that directives have in common.
 *
 * Each reader returns NULL and sets what it reads, or returns the sentence
 * that stops httpd, with the directive's name in front.
 */
#ifndef OPENID2RP_VALUES_H
#define OPENID2RP_VALUES_H

#include "openid2rp.h"
#include "orp_status.h"

/** "OpenIDFoo: ", and what is wrong. */
const char *openid2rp_mistake(cmd_parms *cmd, const char *fmt, ...)
    ORP_PRINTF(2, 3);

/** A time greater than 0 with httpd's suffixes; plain numbers are seconds. */
const char *openid2rp_read_time(apr_interval_time_t *ptime, cmd_parms *cmd,
                                const char *arg);

/** A size greater than 0 in bytes, with an optional K, M or G. */
const char *openid2rp_read_size(apr_int64_t *psize, cmd_parms *cmd,
                                const char *arg);

/** An http or https URL, normalized. */
const char *openid2rp_read_url(const char **purl, cmd_parms *cmd,
                               const char *arg);

/**
 * A regular expression behind "~". It is anchored at both ends, or
 * "~https://op" would match "http://evil/?https://op".
 * @param arg  what stands behind the "~"
 */
const char *openid2rp_read_regex(const ap_regex_t **pregex, cmd_parms *cmd,
                                 const char *arg);

/** A path on this site, to be put behind its origin. */
const char *openid2rp_check_path(cmd_parms *cmd, const char *arg);

#endif
