/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_identity.h - who signed in, as a verified assertion says. */
#ifndef ORP_IDENTITY_H
#define ORP_IDENTITY_H

#include "orp_rp.h"

typedef struct orp_identity_t {
    const char *claimed_id;     /* normalized, its fragment kept (11.5.1) */
    const char *display;        /* what the user typed, to be shown */
    const char *endpoint;       /* OP endpoint URL */
    const char *typed;          /* what the login was begun with, or NULL */
    apr_time_t auth_time;       /* when the assertion was accepted */
    orp_params_t *sreg;         /* field to value; maybe empty */
    apr_array_header_t *ax;     /* of orp_ax_value_t; maybe empty */
    const char *teams;          /* separated by spaces, or NULL */
} orp_identity_t;

/** The mail address: from SREG, else from AX, else NULL. */
const char *orp_identity_email(const orp_identity_t *identity);

/** Write it down for a session's record; see orp_identity_read(). */
void orp_identity_write(orp_params_t *record,
                        const orp_identity_t *identity, apr_pool_t *pool);

/** @return APR_SUCCESS, or ORP_ESTORE where the record is not of that form */
ORP_MUST_USE apr_status_t orp_identity_read(orp_identity_t **pidentity,
                                            const orp_params_t *record,
                                            apr_pool_t *pool);

/** SREG as a JSON object {"nickname": "…", …}, or NULL where it is empty. */
const char *orp_identity_sreg_json(const orp_identity_t *identity,
                                   apr_pool_t *pool);

/** AX as a JSON object {"TYPE-URI": ["…", …], …}, or NULL. */
const char *orp_identity_ax_json(const orp_identity_t *identity,
                                 apr_pool_t *pool);

#endif
