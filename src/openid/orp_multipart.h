/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_multipart.h - the fields of a form that came as multipart/form-data.
 *
 * Browsers send forms so when a page asks for it, mostly for the sake of a
 * file (RFC 7578; RFC 2046, 5.1):
 *
 *     Content-Type: multipart/form-data; boundary=xyz
 *
 *     --xyz
 *     Content-Disposition: form-data; name="openid_identifier"
 *
 *     https://user.example/
 *     --xyz
 *     Content-Disposition: form-data; name="photo"; filename="me.png"
 *     Content-Type: image/png
 *
 *     (bytes)
 *     --xyz--
 *
 * Lines end with CRLF. The reader is strict: what two readers could take for
 * two different forms is refused, and then it is for somebody else to read.
 */
#ifndef ORP_MULTIPART_H
#define ORP_MULTIPART_H

#include "orp_params.h"

/**
 * Read such a form.
 *
 * A part with a filename is a file and no field, also where it is empty: it
 * is left out, but counted. All other parts are fields, whatever type they
 * say they have, in the order of the body. A value is the part's bytes, of any
 * charset, line ends and all.
 *
 * A name may be in quotes or not, and empty. It is given as it stands:
 * browsers write a quote in it as %22 and a line end as %0D%0A, but leave a %
 * as it is, so that nobody can tell which of them it was. The names that are
 * asked for here have none. Old browsers wrote \" and others a backslash for
 * itself: a name with one is refused, and a filename with one before a
 * quote. So is "name*", which RFC 7578, 4.2 forbids.
 *
 * What stands before the first delimiter and behind the last one is ignored
 * (RFC 2046, 5.1.1), and so is padding on their lines. A form may have no part
 * at all. It takes a time that is linear in size.
 *
 * @param content_type  the header's value, for its boundary: 1 to 70
 *                      characters, in quotes or not. That its type is
 *                      multipart/form-data is for the caller to see.
 * @param body          not NUL-terminated necessarily; size bytes are read
 * @return APR_SUCCESS; ORP_ETOOBIG over ORP_PARAMS_MAX parts or
 *         ORP_PARAMS_SIZE_MAX bytes; or ORP_EENCODING:
 *         no boundary, two of them, or one that RFC 2046 does not allow;
 *         no delimiter at all, no closing one, or a line that only begins
 *         like one; a part whose headers do not end, are folded, or have
 *         control characters; not one Content-Disposition "form-data" with one
 *         name; a Content-Transfer-Encoding that encodes; a NUL in a value
 */
ORP_MUST_USE apr_status_t orp_multipart_parse(orp_params_t **pparams,
                                              const char *content_type,
                                              const char *body,
                                              apr_size_t size,
                                              apr_pool_t *pool);

#endif
