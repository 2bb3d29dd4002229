/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_domain.h"

#include <apr_strings.h>
#include <idn2.h>
#include <libpsl.h>

apr_status_t orp_domain_to_ascii(const char **pascii, const char *name,
                                 apr_pool_t *pool)
{
    char *ascii = NULL;

    if (idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)
        != IDN2_OK) {
        return ORP_EURL;
    }
    *pascii = apr_pstrdup(pool, ascii);
    idn2_free(ascii);
    return APR_SUCCESS;
}

int orp_domain_is_public_suffix(const char *name)
{
    const psl_ctx_t *list = psl_builtin();

    return list && psl_is_public_suffix(list, name);
}
