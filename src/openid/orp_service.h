/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_service.h - what discovery finds: a place to authenticate at. */
#ifndef ORP_SERVICE_H
#define ORP_SERVICE_H

#include <apr_tables.h>

#include "orp_message.h"

#define ORP_TYPE_SERVER_20  "http://specs.openid.net/auth/2.0/server"
#define ORP_TYPE_SIGNON_20  "http://specs.openid.net/auth/2.0/signon"
#define ORP_TYPE_SIGNON_11  "http://openid.net/signon/1.1"
#define ORP_TYPE_SIGNON_10  "http://openid.net/signon/1.0"

/** What 14.2.1 calls them; both names are used. */
#define ORP_TYPE_SERVER_11  "http://openid.net/server/1.1"
#define ORP_TYPE_SERVER_10  "http://openid.net/server/1.0"

/** What sort of service it is, the preferred one first (7.3.2.4). */
typedef enum {
    ORP_SERVER_20,              /* the identifier is an OP Identifier */
    ORP_SIGNON_20,
    ORP_SIGNON_11,
    ORP_SIGNON_10
} orp_service_kind_e;

typedef struct orp_service_t {
    orp_service_kind_e kind;
    const char *endpoint;       /* OP endpoint URL, normalized */
    const char *local_id;       /* OP-Local Identifier as published, or NULL;
                                 * always NULL for ORP_SERVER_20 */
    apr_array_header_t *types;  /* of const char *: all that is said of it */
} orp_service_t;

/** The protocol to speak with a service of this kind. */
orp_version_e orp_service_version(orp_service_kind_e kind);

/** The type URI of a kind. */
const char *orp_service_type(orp_service_kind_e kind);

/**
 * The kind of a service with these types.
 * @param pkind  set to the preferred one of them
 * @return nonzero, or 0 where it is no OpenID service
 */
int orp_service_kind(orp_service_kind_e *pkind,
                     const apr_array_header_t *types);

/**
 * Read the URL of an OP endpoint. Its own query may hold nothing that looks
 * like a field of a message: no field may occur twice (4.1).
 * @param pendpoint  set on success, normalized
 * @return APR_SUCCESS; ORP_EURL
 */
ORP_MUST_USE apr_status_t orp_service_endpoint(const char **pendpoint,
                                               const char *text,
                                               apr_pool_t *pool);

/** Is the first of these services that of an OP Identifier? */
int orp_services_is_op_identifier(const apr_array_header_t *services);

#endif
