/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp_user.h - what an identity is called on this site:
 * OpenIDRemoteUser.
 *
 * The claimed identifier, an attribute, or the local account that it is linked
 * to; asked for anew at each request, so that a link that is removed opens
 * nothing any more.
 */
#ifndef OPENID2RP_USER_H
#define OPENID2RP_USER_H

#include "openid2rp_config.h"
#include "orp_identity.h"

typedef enum {
    OPENID2RP_USER_IDENTIFIER,
    OPENID2RP_USER_EMAIL,
    OPENID2RP_USER_SREG,
    OPENID2RP_USER_AX,
    OPENID2RP_USER_LINK
} openid2rp_user_e;

/** OpenIDRemoteUser. */
typedef struct openid2rp_user_source_t {
    openid2rp_user_e type;
    const char *text;           /* as the directive has it */
    const char *field;          /* SREG's field, or AX's alias */
    const ap_regex_t *regex;    /* anchored; NULL: the value as it is */
    const char *subst;          /* with $0 to $9 */
} openid2rp_user_source_t;

/**
 * The name for REMOTE_USER.
 * @param puser  set on success: a claimed identifier as it is, or what could
 *               be an account of a link (orp_links.h)
 * @param why    a sentence for the user; the log has more, where the
 *               configuration or the links are at fault
 * @return APR_SUCCESS; ORP_ENOACCOUNT where it has no name here: no link, no
 *         such attribute, a pattern that does not match; ORP_ELINKS where the
 *         links cannot be read
 */
ORP_MUST_USE apr_status_t openid2rp_user_name(const char **puser,
                                              request_rec *r,
                                              const orp_identity_t *identity,
                                              orp_reason_t *why);

/**
 * The values of an attribute of AX, as the section of a request calls it. The
 * session may have begun in a section that means something else by the same
 * alias, and asked for that: what counts is the type.
 * @return array of const char *, at least one; NULL where OpenIDAX of this
 *         section has no such alias, or the provider sent nothing of that type
 */
const apr_array_header_t *openid2rp_user_ax(request_rec *r,
                                            const orp_identity_t *identity,
                                            const char *alias);

/** Where one can get a link: the path of "missing=/register", where
 * openid2rp_user_name() has found in this request that there is none; or NULL.
 * Who has a link, and still no name, is not to be sent there. */
const char *openid2rp_user_register(request_rec *r);

/**
 * May a name be taken from this source, with these settings, which are in
 * force together?
 * @return NULL where it may, or what has to be mended
 */
const char *openid2rp_user_objection(const openid2rp_user_source_t *source,
                                     const openid2rp_dir_t *dir);

/* ---------------------------------------------------------------------- */
/* At start */

/** Write down that a section has OpenIDRemoteUser or OpenIDLinks, for
 * openid2rp_user_check_config(). Not for .htaccess. */
void openid2rp_user_note(cmd_parms *cmd, const openid2rp_dir_t *dir);

/** The hook that finds the sections that could name nobody, or just anybody:
 * at the end of the configuration, for their order in it does not matter. */
int openid2rp_user_check_config(apr_pool_t *pconf, apr_pool_t *plog,
                                apr_pool_t *ptemp, server_rec *s);

#endif
