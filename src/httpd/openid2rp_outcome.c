/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_outcome.h"

#include "openid2rp_origin.h"
#include "openid2rp_page.h"
#include "openid2rp_runtime.h"

openid2rp_outcome_t *openid2rp_outcome_create(request_rec *r)
{
    openid2rp_outcome_t *out = apr_pcalloc(r->pool, sizeof(*out));

    out->why = orp_reason_create(r->pool);
    return out;
}

void openid2rp_outcome_refused(openid2rp_outcome_t *out, request_rec *r)
{
    out->kind = OPENID2RP_REFUSED;
    out->status = openid2rp_http_status(out->why->status);
    if (!out->target) {
        out->target = out->login ? out->login->target : openid2rp_path(r);
    }
}

void openid2rp_outcome_refuse(openid2rp_outcome_t *out, request_rec *r)
{
    orp_log(openid2rp_env(r), ORP_LOG_INFO, 240, r->pool,
            "login refused (%s): %s", orp_status_code(out->why->status),
            out->why->sentence);
    openid2rp_outcome_refused(out, r);
}

void openid2rp_outcome_too_large(openid2rp_outcome_t *out, request_rec *r)
{
    (void)orp_reason_set(out->why, ORP_ETOOBIG, NULL,
                         "What your browser has sent is too large for a "
                         "login.");
    openid2rp_outcome_refuse(out, r);
    /* elsewhere, this status is about what a server answered: 502 */
    out->status = HTTP_REQUEST_ENTITY_TOO_LARGE;
}

void openid2rp_outcome_explain(openid2rp_outcome_t *out, apr_status_t status)
{
    char buf[200];

    if (out->why->status != status || !*out->why->sentence) {
        (void)orp_reason_set(out->why, status, NULL, "%s",
                             orp_strerror(status, buf, sizeof(buf)));
    }
}
