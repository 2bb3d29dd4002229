/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_sreg.h - Simple Registration 1.0 and 1.1: nine fields about a person. */
#ifndef ORP_SREG_H
#define ORP_SREG_H

#include <apr_tables.h>

#include "orp_message.h"

#define ORP_SREG_NS_11 "http://openid.net/extensions/sreg/1.1"
#define ORP_SREG_NS_10 "http://openid.net/sreg/1.0"

/** The longest value of a field, in bytes; a longer one is left out. */
#define ORP_SREG_VALUE_MAX 512

/** What a relying party asks for. */
typedef struct orp_sreg_t {
    const apr_array_header_t *required;     /* of const char *: field names */
    const apr_array_header_t *optional;     /* likewise */
    const char *policy_url;                 /* or NULL */
} orp_sreg_t;

/** Is this one of the nine field names? */
int orp_sreg_field_valid(const char *name);

/**
 * Add the request (3) to the form of an authentication request.
 * @param sreg  NULL, or without any field: nothing is added
 */
void orp_sreg_request(orp_params_t *form, const orp_sreg_t *sreg);

/**
 * Read the response (4): the fields that were asked for and are signed,
 * whatever alias the provider uses.
 * @param message  verified already
 * @return names and values; empty where there is nothing
 */
orp_params_t *orp_sreg_response(const orp_message_t *message,
                                const orp_sreg_t *sreg, apr_pool_t *pool);

#endif
