/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_xrds.h - the services in an XRDS document (OpenID Authentication 2.0,
 * 7.3.2; Yadis 1.0, 7; XRI Resolution 2.0, 4.3.3 for priorities).
 */
#ifndef ORP_XRDS_H
#define ORP_XRDS_H

#include "orp_service.h"

/**
 * How many services of one document are kept, where each URI is one. Who means
 * it well publishes a few; whatever goes through all of them, and may ask each,
 * does not do so as often as a stranger's document says.
 */
#define ORP_XRDS_SERVICES 10

/**
 * Read the OpenID services of the last XRD of a document.
 *
 * They come in the order of use: by kind (orp_service_kind_e), then by the
 * priority of the service, then by that of the URI, then as they stand; a
 * missing or unreadable priority is the last. A service with several URIs is
 * several entries. URIs that are no http or https URLs are left out, and what
 * comes behind the first ORP_XRDS_SERVICES in this order.
 *
 * @param pservices  set to an array of orp_service_t *, maybe empty
 * @return APR_SUCCESS; ORP_EXML where it is no XRDS document: then nothing of
 *         it is used
 */
ORP_MUST_USE apr_status_t orp_xrds_services(apr_array_header_t **pservices,
                                            const char *bytes,
                                            apr_size_t size,
                                            orp_reason_t *why,
                                            apr_pool_t *pool);

/** Who stands behind the last XRD of a document (7.3.2.3). */
typedef struct orp_xrds_authority_t {
    const char *canonical_id;   /* or NULL */
    const char *provider_id;    /* or NULL */
    int verified;               /* 0: the resolver failed, or says that the
                                 * CanonicalID is not confirmed; where it
                                 * says nothing: the XRDs are no chain */
} orp_xrds_authority_t;

/**
 * Read what a document says of its authority. Only for XRIs: for a URL, a
 * CanonicalID MUST be ignored.
 * @return APR_SUCCESS or ORP_EXML
 */
ORP_MUST_USE apr_status_t orp_xrds_authority(orp_xrds_authority_t *authority,
                                             const char *bytes,
                                             apr_size_t size,
                                             orp_reason_t *why,
                                             apr_pool_t *pool);

#endif
