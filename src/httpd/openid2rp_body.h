/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_body.h - looking into a form without taking it away.
 *
 * To know whether a POST starts a login, its body must be read, before it is
 * known whose it is. What was read is kept, and handed to whoever reads the
 * body later, byte for byte, with the rest of it behind.
 */
#ifndef OPENID2RP_BODY_H
#define OPENID2RP_BODY_H

#include "openid2rp.h"
#include "orp_params.h"

/** The largest form that is looked into, in bytes. */
#define OPENID2RP_FORM_MAX (64 * 1024)

/**
 * Read the form in a request's body, if it is a POST of
 * application/x-www-form-urlencoded or multipart/form-data, of at most
 * OPENID2RP_FORM_MAX bytes, and without a Content-Encoding. Where its length
 * is told and is more, nothing is read; where it comes in chunks, no more than
 * that and one read, and the rest streams behind it.
 * @param pform  set to its parameters, of a multipart form without its files;
 *               or to NULL where there is no such form, or it is malformed or
 *               too large
 * @return OK, or the HTTP status that reading failed with
 */
ORP_MUST_USE int openid2rp_body_form(orp_params_t **pform, request_rec *r);

/** The same for an OpenID message, which is never multipart (OpenID
 * Authentication 2.0, 4.1.2): then nothing is read, and there is no form. */
ORP_MUST_USE int openid2rp_body_message(orp_params_t **pform,
                                        request_rec *r);

/**
 * Does the raw text of a malformed form that was read name this field? So it
 * may have been meant for us.
 * @param field  "NAME=", as it stands in an urlencoded form; in a multipart
 *               one, name="NAME" is looked for
 */
int openid2rp_body_broken_form_has(request_rec *r, const char *field);

/** Once openid2rp_body_form() was called: is this body more than it reads,
 * by its length or by its number of parameters? */
int openid2rp_body_is_too_large(request_rec *r);

/** Does what can be read of an urlencoded form that is too large name this
 * field? It is read only now where its length was told. A multipart form does
 * not, whatever it holds: large ones carry files, and are left alone. */
int openid2rp_body_large_form_has(request_rec *r, const char *field);

/** A request ends here: its body is not for anybody. What httpd would read
 * of a large one, to find the next request behind it, it shall not: the
 * connection is closed. */
void openid2rp_body_leave(request_rec *r);

/** Hook function: insert the filter that hands out what was read, and the one
 * that removes false headers from what stands behind a body. */
void openid2rp_body_insert_filter(request_rec *r);

/** Register the filters. */
void openid2rp_body_register(void);

#endif
