/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_ax.h - Attribute Exchange 1.0, fetch: any attribute that has a URI. */
#ifndef ORP_AX_H
#define ORP_AX_H

#include <apr_tables.h>

#include "orp_message.h"

#define ORP_AX_NS "http://openid.net/srv/ax/1.0"

/** orp_ax_attr_t.count for "as many as there are"; also the most values of
 * one attribute that are ever taken. */
#define ORP_AX_UNLIMITED 100

/** The longest value of an attribute, and the most bytes of all values of one
 * response: what is over is left out, so that no provider can fill the store
 * or an environment. */
#define ORP_AX_VALUE_MAX 1024
#define ORP_AX_ALL_MAX 4096

/** One attribute that a relying party asks for. */
typedef struct orp_ax_attr_t {
    const char *alias;          /* ours: letters, digits, "_" and "-" */
    const char *type;           /* type URI */
    int count;                  /* 1 to ORP_AX_UNLIMITED */
    int required;               /* nonzero, or 0: if available */
} orp_ax_attr_t;

/** One attribute that came back. */
typedef struct orp_ax_value_t {
    const char *alias;          /* ours */
    const char *type;           /* type URI */
    apr_array_header_t *values; /* of const char *, at least one */
} orp_ax_value_t;

/**
 * The type URI of a well-known alias (nickname email fullname dob gender
 * postcode country language timezone first last), or NULL.
 */
const char *orp_ax_type(const char *alias);

/** Do two type URIs mean the same attribute (in axschema.org or one of the
 * schemas before and after it)? */
int orp_ax_same_type(const char *a, const char *b);

/** Can this be the name of an attribute (5.1), and of a variable? */
int orp_ax_alias_valid(const char *alias);

/**
 * Add the request (5.1) to the form of an authentication request.
 * @param attrs  of orp_ax_attr_t; NULL or empty: nothing is added
 */
void orp_ax_request(orp_params_t *form, const apr_array_header_t *attrs,
                    apr_pool_t *pool);

/**
 * Read the response (5.2): the attributes that were asked for, found by type
 * URI (or the same one of another well-known schema) whatever the provider's
 * alias is, where every field that makes them up is signed. An attribute with
 * more values than asked for, or with a count that does not fit its values,
 * is left out.
 * @param message  verified already
 * @return array of orp_ax_value_t, in the order of attrs; maybe empty
 */
apr_array_header_t *orp_ax_response(const orp_message_t *message,
                                    const apr_array_header_t *attrs,
                                    apr_pool_t *pool);

#endif
