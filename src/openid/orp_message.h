/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_message.h - an OpenID message: what a provider says through the
 * browser, or answers directly.
 *
 * A message is built once, by a constructor that refuses everything with two
 * readings, and is not changed afterwards. Field names stand without their
 * "openid." prefix: "mode", "sreg.email", "ns.ext1".
 */
#ifndef ORP_MESSAGE_H
#define ORP_MESSAGE_H

#include <apr_tables.h>

#include "orp_params.h"

#define ORP_NS_20   "http://specs.openid.net/auth/2.0"
#define ORP_NS_11   "http://openid.net/signon/1.1"
#define ORP_NS_10   "http://openid.net/signon/1.0"

/** The longest name and value of a field, in bytes. No field that is used
 * here comes near; who sends longer ones wants to fill the log. */
#define ORP_MESSAGE_NAME_MAX  255
#define ORP_MESSAGE_VALUE_MAX (16 * 1024)

/** The longest text that is signed: twice what a form can hold. */
#define ORP_MESSAGE_TEXT_MAX  (128 * 1024)

typedef enum {
    ORP_VERSION_1 = 1,          /* OpenID Authentication 1.0 and 1.1 */
    ORP_VERSION_2 = 2           /* OpenID Authentication 2.0 */
} orp_version_e;

typedef struct orp_message_t orp_message_t;

/**
 * Read an indirect message (5.2) from the parameters of a request. Those
 * that do not begin with "openid." are left alone.
 * @return APR_SUCCESS, or ORP_EMESSAGE where a field occurs twice, a value
 *         holds a control character or is not UTF-8, a name is empty or
 *         holds a colon or a control character, either is too long, one URI
 *         has two aliases, an alias is empty,
 *         has a period or is reserved, or there is no mode
 */
ORP_MUST_USE apr_status_t orp_message_from_request(
    orp_message_t **pmessage, const orp_params_t *params, orp_reason_t *why,
    apr_pool_t *pool);

/**
 * Read a direct response (5.1.2): key-value form.
 * @return as above, but it needs no mode
 */
ORP_MUST_USE apr_status_t orp_message_from_kv(orp_message_t **pmessage,
                                              const char *body,
                                              apr_size_t size,
                                              orp_reason_t *why,
                                              apr_pool_t *pool);

/** The value of a field, or NULL; an empty value is "". */
const char *orp_message_get(const orp_message_t *message, const char *name);

/**
 * Overwrite the value of a field that is secret, such as a key, when it has
 * been used; it is "" then. Only of a direct response: what came by a browser
 * has been in too many hands.
 */
void orp_message_cleanse(orp_message_t *message, const char *name);

/** All fields, in the order of arrival, names without "openid.". */
const orp_params_t *orp_message_fields(const orp_message_t *message);

/** The version that the message says it is (4.1.2). */
orp_version_e orp_message_version(const orp_message_t *message);

/** The extensions that the message declares (12): alias to type URI. */
orp_params_t *orp_message_namespaces(const orp_message_t *message,
                                     apr_pool_t *pool);

/**
 * The alias that the message uses for an extension (12).
 * @return such as "ext1", or NULL where it does not use the extension; in a
 *         1.x message without a declaration, fallback if any field has it as
 *         its alias
 */
const char *orp_message_alias(const orp_message_t *message,
                              const char *type_uri, const char *fallback);

/**
 * The same, only where the declaration is signed, so that no alias can be
 * given another meaning on the way. A 1.x message has no declaration: there
 * the fallback is as good as the fields it stands before.
 */
const char *orp_message_signed_alias(const orp_message_t *message,
                                     const char *type_uri,
                                     const char *fallback,
                                     apr_pool_t *pool);

/**
 * What the signature covers (6.1): the names in "signed", in order.
 * @return names without their prefix; an empty array where there is none
 */
const apr_array_header_t *orp_message_signed(const orp_message_t *message);

/** Is this field there, and listed in "signed"? */
int orp_message_is_signed(const orp_message_t *message, const char *name);

/**
 * The text that is signed (6.1): key-value form of the fields in "signed",
 * in that order.
 * @return APR_SUCCESS, or ORP_EMESSAGE where a listed field is missing, or the
 *         text is over ORP_MESSAGE_TEXT_MAX
 */
ORP_MUST_USE apr_status_t orp_message_signed_text(const char **ptext,
                                                  const orp_message_t *m,
                                                  orp_reason_t *why,
                                                  apr_pool_t *pool);

#endif
