/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_profile.h - providers that are known by name. What is special about a
 * provider is data here, never a branch elsewhere.
 */
#ifndef ORP_PROFILE_H
#define ORP_PROFILE_H

#include "orp_status.h"

/** What a provider can do; the rest is not sent to it. */
#define ORP_CAN_SREG      1
#define ORP_CAN_AX        2
#define ORP_CAN_TEAMS     4
#define ORP_CAN_ASSOCIATE 8
#define ORP_CAN_ALL       15

typedef struct orp_profile_t {
    const char *name;           /* as in OpenIDProvider */
    const char *identifier;     /* its OP Identifier */
    const char *endpoint;       /* the only OP endpoint it has, or NULL */
    const char *claimed_prefix; /* what its users' identifiers begin with, or
                                 * NULL: anything that discovery confirms */
    int claimed_digits;         /* how many digits follow, or 0: any text */
    int can;                    /* ORP_CAN_*, or-ed */
} orp_profile_t;

/** The profile of this name, or NULL. */
const orp_profile_t *orp_profile_find(const char *name);

/** The names of all profiles, separated by ", ". */
const char *orp_profile_names(apr_pool_t *pool);

/** The profile whose endpoint this is, or NULL. */
const orp_profile_t *orp_profile_of_endpoint(const char *endpoint);

/** The profile whose OP Identifier this is (normalized), or NULL. */
const orp_profile_t *orp_profile_of_identifier(const char *identifier);

/** What an endpoint can do: its profile's abilities, or all of them. */
int orp_profile_can(const char *endpoint, int ability);

/**
 * The identifier that a provider's user is known under: a twin of it with
 * http, from before the provider moved to https, is the same person. Without
 * a profile, or where it is no twin: claimed_id itself.
 */
const char *orp_profile_claimed_id(const char *endpoint,
                                   const char *claimed_id, apr_pool_t *pool);

/** May this provider speak for identifiers of that shape? */
int orp_profile_claimed_id_fits(const char *endpoint,
                                const char *claimed_id);

#endif
