/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_origin.h - where this site is, as the outside sees it.
 *
 * A return_to with a stranger's host name would send a user's assertion
 * there, so a name that a client sends is believed only where the
 * configuration has it too.
 */
#ifndef OPENID2RP_ORIGIN_H
#define OPENID2RP_ORIGIN_H

#include "openid2rp.h"
#include "orp_status.h"

/**
 * The origin of the site that a request is for, such as
 * "https://www.example.com": OpenIDBaseURL where there is one; else scheme
 * and port of the connection (or of ServerName, where it has them), and the
 * Host, if it is the server's ServerName or one of its ServerAlias.
 * @return OK, or HTTP_MISDIRECTED_REQUEST where the Host is none of them
 */
ORP_MUST_USE int openid2rp_origin(const char **porigin, request_rec *r);

/** The path of a request as the client sent it, not decoded, without its
 * query. */
const char *openid2rp_path(request_rec *r);

/** A path with the request's query behind it, without one parameter. */
const char *openid2rp_target(request_rec *r, const char *without);

#endif
