/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_directives.h - reading the configuration.
 *
 * Each function reads one directive, as docs/directives.md describes it, and
 * returns NULL, or the sentence that stops httpd. The table that names them
 * is in mod_openid2rp.c.
 */
#ifndef OPENID2RP_DIRECTIVES_H
#define OPENID2RP_DIRECTIVES_H

#include "openid2rp_config.h"

/* for directories */
const char *openid2rp_set_unauth_action(cmd_parms *cmd, void *dir,
                                        const char *arg);
const char *openid2rp_set_provider(cmd_parms *cmd, void *dir,
                                   const char *label, const char *url);
const char *openid2rp_set_single_provider(cmd_parms *cmd, void *dir,
                                          const char *url);
const char *openid2rp_set_provider_allow(cmd_parms *cmd, void *dir,
                                         const char *arg);
const char *openid2rp_set_provider_deny(cmd_parms *cmd, void *dir,
                                        const char *arg);
const char *openid2rp_set_pape(cmd_parms *cmd, void *dir, int argc,
                               char *const argv[]);
const char *openid2rp_set_teams(cmd_parms *cmd, void *dir, const char *team);
const char *openid2rp_set_immediate(cmd_parms *cmd, void *dir, int on);
const char *openid2rp_set_realm(cmd_parms *cmd, void *dir, const char *url);
const char *openid2rp_set_sreg(cmd_parms *cmd, void *dir, int argc,
                               char *const argv[]);
const char *openid2rp_set_ax(cmd_parms *cmd, void *dir, int argc,
                             char *const argv[]);
const char *openid2rp_set_intercept(cmd_parms *cmd, void *dir, int on);
const char *openid2rp_set_session(cmd_parms *cmd, void *dir, const char *arg);
const char *openid2rp_set_pass_headers(cmd_parms *cmd, void *dir,
                                       const char *prefix);
const char *openid2rp_set_remote_user(cmd_parms *cmd, void *dir, int argc,
                                      char *const argv[]);
const char *openid2rp_set_links(cmd_parms *cmd, void *dir, const char *place,
                                const char *missing);
const char *openid2rp_set_logout(cmd_parms *cmd, void *dir, const char *path,
                                 const char *target);
const char *openid2rp_set_session_timeout(cmd_parms *cmd, void *dir,
                                          const char *idle, const char *max);
const char *openid2rp_set_cookie(cmd_parms *cmd, void *dir, int argc,
                                 char *const argv[]);

/* for servers and virtual hosts */
const char *openid2rp_set_base_url(cmd_parms *cmd, void *dir,
                                   const char *arg);
const char *openid2rp_set_forwarded(cmd_parms *cmd, void *dir,
                                    const char *header);
const char *openid2rp_set_publish_xrds(cmd_parms *cmd, void *dir, int on);
const char *openid2rp_set_xri_proxy(cmd_parms *cmd, void *dir,
                                    const char *arg);
const char *openid2rp_set_associate(cmd_parms *cmd, void *dir,
                                    const char *arg);
const char *openid2rp_set_login_timeout(cmd_parms *cmd, void *dir,
                                        const char *arg);
const char *openid2rp_set_nonce_lifetime(cmd_parms *cmd, void *dir,
                                         const char *arg);
const char *openid2rp_set_fetch_timeout(cmd_parms *cmd, void *dir,
                                        const char *total,
                                        const char *connect);
const char *openid2rp_set_fetch_max_size(cmd_parms *cmd, void *dir,
                                         const char *arg);
const char *openid2rp_set_fetch_allow(cmd_parms *cmd, void *dir,
                                      const char *arg);
const char *openid2rp_set_fetch_proxy(cmd_parms *cmd, void *dir,
                                      const char *arg);
const char *openid2rp_set_fetch_ca_file(cmd_parms *cmd, void *dir,
                                        const char *arg);
const char *openid2rp_set_fetch_require_tls(cmd_parms *cmd, void *dir,
                                            int on);
const char *openid2rp_set_rate_limit(cmd_parms *cmd, void *dir,
                                     const char *limit, const char *per);

/* for the main server */
const char *openid2rp_set_store(cmd_parms *cmd, void *dir, const char *arg);

#endif
