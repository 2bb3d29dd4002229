/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* support_ext.h - for tests of what goes beyond the core of the protocol:
 * extensions, documents of real providers, and what a request asks for.
 */
#ifndef ORP_TEST_SUPPORT_EXT_H
#define ORP_TEST_SUPPORT_EXT_H

#include "support_op.h"

/** The outside of an XRDS document with one XRD. */
#define XRDS(inside) \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" \
    "<xrds:XRDS xmlns:xrds=\"xri://$xrds\"" \
    " xmlns:openid=\"http://openid.net/xmlns/1.0\"" \
    " xmlns=\"xri://$xrd*($v*2.0)\">\n<XRD>\n" inside "</XRD>\n" \
    "</xrds:XRDS>\n"

/** A list of texts, ended by NULL. */
apr_array_header_t *list_of(apr_pool_t *pool, ...)
    __attribute__((sentinel));

/** What the query of a URL says. */
orp_params_t *query_of(const char *url, apr_pool_t *pool);

/** One field that the browser takes to the provider, or NULL. */
const char *asked(const visit_t *visit, const char *name);

/** Does any field that it takes there begin so? */
int asked_any(const visit_t *visit, const char *prefix);

/** A message that came through a browser: version 2.0, these fields, all of
 * them signed. */
orp_message_t *signed_message(apr_pool_t *pool, const orp_params_t *fields);

/** The same, but for some names (without "openid."), separated by commas. */
orp_message_t *message_signed_without(apr_pool_t *pool,
                                      const orp_params_t *fields,
                                      const char *names);

/** Like op_answer_about(), with fields added and with exactly this list in
 * openid.signed. */
orp_params_t *op_answer_with(op_t *op, const visit_t *visit, const char *id,
                             const orp_params_t *fields,
                             const char *list);

#endif
