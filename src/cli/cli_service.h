/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* cli_service.h - services (orp_service.h) as they are shown, the same from
 * every command.
 */
#ifndef CLI_SERVICE_H
#define CLI_SERVICE_H

#include <apr_tables.h>

/**
 * Services as a JSON array, in their order.
 * @param services  of orp_service_t *, maybe empty
 */
const char *cli_services_json(const apr_array_header_t *services,
                              apr_pool_t *pool);

/** The same for people: one paragraph a service, an empty line before each. */
void cli_services_print(const apr_array_header_t *services,
                        apr_pool_t *pool);

#endif
