/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp.h - what every file of the glue knows. */
#ifndef OPENID2RP_H
#define OPENID2RP_H

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

/* the front door's AP_DECLARE_MODULE() says this itself */
#ifndef OPENID2RP_FRONT_DOOR
APLOG_USE_MODULE(openid2rp);
#endif

/** That of configure.ac; t/status.t compares. */
#define OPENID2RP_VERSION "0.1.0"

/** The number of a log line: never reused, listed in docs/operations.md. */
#define O2RP(number) "O2RP-" #number ": "

/** The value of AuthType that turns the module on. */
#define OPENID2RP_AUTH_TYPE "OpenID"

#endif
