/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_rp.h - what a site wants of its logins. */
#ifndef ORP_RP_H
#define ORP_RP_H

#include "orp_ax.h"
#include "orp_pape.h"
#include "orp_sreg.h"
#include "orp_teams.h"

typedef enum {
    ORP_ASSOCIATE_LOGIN,        /* while the user waits */
    ORP_ASSOCIATE_NEVER,        /* always check_authentication */
    ORP_ASSOCIATE_BACKGROUND    /* orp_background.h; until then, and again
                                 * when it is gone, check_authentication */
} orp_associate_mode_e;

typedef struct orp_rp_t {
    const char *realm;                  /* openid.realm, a URL */
    const orp_sreg_t *sreg;             /* or NULL: not asked for */
    const apr_array_header_t *ax;       /* of orp_ax_attr_t, or NULL */
    const orp_pape_t *pape;             /* or NULL */
    const apr_array_header_t *teams;    /* of const char *, or NULL */
    int immediate;                      /* try without asking the user */

    /** May this OP endpoint be used? NULL: any may. */
    int (*provider_allowed)(const void *baton, const char *endpoint);
    const void *provider_baton;

    orp_associate_mode_e associate;
    const char *site;                   /* whose settings background work is
                                         * done with, or NULL */
    apr_interval_time_t nonce_lifetime; /* how old a nonce may be */
} orp_rp_t;

/** May this OP endpoint be used? */
int orp_rp_allows(const orp_rp_t *rp, const char *endpoint);

#endif
