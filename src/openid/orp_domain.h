/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_domain.h - names of hosts: in other scripts, and how much they cover.
 *
 * Two libraries know this: libidn2 (IDNA 2008) and libpsl (the Public Suffix
 * List).
 */
#ifndef ORP_DOMAIN_H
#define ORP_DOMAIN_H

#include "orp_status.h"

/**
 * Convert a host name to its ASCII form ("xn--…"), as browsers do (UTS 46,
 * non-transitional). A name that is ASCII already comes back in lower case.
 * @param name  UTF-8
 * @return APR_SUCCESS, or ORP_EURL where it is no host name
 */
ORP_MUST_USE apr_status_t orp_domain_to_ascii(const char **pascii,
                                              const char *name,
                                              apr_pool_t *pool);

/**
 * Is this a public suffix, such as "com" or "co.uk", below which strangers
 * register names?
 * @param name  in ASCII, lower case
 */
int orp_domain_is_public_suffix(const char *name);

#endif
