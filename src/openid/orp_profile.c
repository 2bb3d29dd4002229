/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_profile.h"

#include <string.h>

#include <apr_strings.h>

static const orp_profile_t profiles[] = {
    { "steam", "https://steamcommunity.com/openid",
      "https://steamcommunity.com/openid/login",
      "https://steamcommunity.com/openid/id/", 17, 0 },
    { "ubuntu", "https://login.ubuntu.com/", NULL, NULL, 0,
      ORP_CAN_SREG | ORP_CAN_AX | ORP_CAN_TEAMS | ORP_CAN_ASSOCIATE },
    { "launchpad", "https://login.launchpad.net/", NULL, NULL, 0,
      ORP_CAN_SREG | ORP_CAN_AX | ORP_CAN_TEAMS | ORP_CAN_ASSOCIATE },
    { "opensuse", "https://www.opensuse.org/openid/user/", NULL, NULL, 0,
      ORP_CAN_SREG | ORP_CAN_AX | ORP_CAN_ASSOCIATE },
    { "fedora", "https://id.fedoraproject.org/openid/", NULL, NULL, 0,
      ORP_CAN_SREG | ORP_CAN_AX | ORP_CAN_TEAMS | ORP_CAN_ASSOCIATE },
};
#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

const orp_profile_t *orp_profile_find(const char *name)
{
    apr_size_t i;

    for (i = 0; i < PROFILES; i++) {
        if (!strcmp(profiles[i].name, name)) {
            return &profiles[i];
        }
    }
    return NULL;
}

const char *orp_profile_names(apr_pool_t *pool)
{
    const char *names = "";
    apr_size_t i;

    for (i = 0; i < PROFILES; i++) {
        names = apr_pstrcat(pool, names, i ? ", " : "", profiles[i].name,
                            NULL);
    }
    return names;
}

const orp_profile_t *orp_profile_of_endpoint(const char *endpoint)
{
    apr_size_t i;

    for (i = 0; i < PROFILES; i++) {
        if (profiles[i].endpoint && !strcmp(profiles[i].endpoint, endpoint)) {
            return &profiles[i];
        }
    }
    return NULL;
}

const orp_profile_t *orp_profile_of_identifier(const char *identifier)
{
    apr_size_t i;

    for (i = 0; i < PROFILES; i++) {
        if (!strcmp(profiles[i].identifier, identifier)) {
            return &profiles[i];
        }
    }
    return NULL;
}

int orp_profile_can(const char *endpoint, int ability)
{
    const orp_profile_t *profile = orp_profile_of_endpoint(endpoint);

    return !profile || (profile->can & ability);
}

const char *orp_profile_claimed_id(const char *endpoint,
                                   const char *claimed_id, apr_pool_t *pool)
{
    const orp_profile_t *profile = orp_profile_of_endpoint(endpoint);
    const char *host;
    apr_size_t size;

    if (!profile || !profile->claimed_prefix
        || strncmp(claimed_id, "http://", 7)) {
        return claimed_id;
    }
    host = profile->claimed_prefix + strlen("https://");
    size = strlen(host);
    return strncmp(claimed_id + 7, host, size) ? claimed_id
        : apr_pstrcat(pool, "https://", claimed_id + 7, NULL);
}

int orp_profile_claimed_id_fits(const char *endpoint, const char *claimed_id)
{
    const orp_profile_t *profile = orp_profile_of_endpoint(endpoint);
    apr_size_t size;

    if (!profile || !profile->claimed_prefix) {
        return 1;
    }
    size = strlen(profile->claimed_prefix);
    if (strncmp(claimed_id, profile->claimed_prefix, size)) {
        return 0;
    }
    claimed_id += size;
    return !profile->claimed_digits
        || (strspn(claimed_id, "0123456789")
            == (apr_size_t)profile->claimed_digits
            && !claimed_id[profile->claimed_digits]);
}
