/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_background.h - what is done while no request waits: associations
 * (OpenIDAssociate background), and sweeping the store.
 *
 * mod_watchdog runs it in a thread of one child process of this httpd; which
 * machine's httpd it is, of several that share a store, is decided by the
 * lease of orp_background.h. Without mod_watchdog there is no such thread.
 */
#ifndef OPENID2RP_BACKGROUND_H
#define OPENID2RP_BACKGROUND_H

#include "openid2rp_config.h"

typedef struct openid2rp_background_t openid2rp_background_t;

/** Is mod_watchdog there? Known when all modules are loaded. */
int openid2rp_background_possible(void);

/** What OpenIDAssociate is where it is not set: background, or login where
 * that is not possible. */
orp_associate_mode_e openid2rp_background_default(void);

/** Hook functions, in the order in which httpd calls them. The first one
 * refuses what cannot work, also in `httpd -t`; the others come after those of
 * openid2rp_runtime.h. */
int openid2rp_background_check_config(apr_pool_t *pconf, apr_pool_t *plog,
                                      apr_pool_t *ptemp, server_rec *s);
int openid2rp_background_post_config(apr_pool_t *pconf, apr_pool_t *plog,
                                     apr_pool_t *ptemp, server_rec *s);
void openid2rp_background_child_init(apr_pool_t *pchild, server_rec *s);

#endif
