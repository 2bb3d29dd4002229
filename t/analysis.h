/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0
 *
 * What gcc -fanalyzer and clang-tidy must be told, because they look at one
 * file at a time: t/lint.sh has every file begin with this one.
 *
 * "return orp_reason_set(why, ORP_EFOO, …)" returns ORP_EFOO. Not knowing that,
 * they think that it may be APR_SUCCESS, and go on with what a function that
 * has failed does not fill in.
 */

#ifndef ANALYSIS_H
#define ANALYSIS_H

#include "orp_status.h"
#include "orp_store_dbm_files.h"

#ifdef ANALYSIS_HTTPD
#include "openid2rp_limit.h"
#include "openid2rp_runtime.h"
#include "openid2rp_values.h"

/* httpd always hands in a server. */
int openid2rp_runtime_post_config(apr_pool_t *, apr_pool_t *, apr_pool_t *,
                                  server_rec *) __attribute__((nonnull(4)));
apr_status_t openid2rp_limit_prepare(server_rec *, apr_pool_t *)
    __attribute__((nonnull(1)));

/* And "return openid2rp_mistake(cmd, …)" returns a sentence. */
#define openid2rp_mistake(...) \
    ({ \
        const char *mistake_ = (openid2rp_mistake)(__VA_ARGS__); \
        if (!mistake_) { \
            __builtin_unreachable(); \
        } \
        mistake_; \
    })
#endif

#define orp_reason_set(why, status, ...) \
    ({ \
        apr_status_t status_ = (status); \
        (orp_reason_set)((why), status_, __VA_ARGS__); \
        status_; \
    })

#define orp_dbm_fail(dbm, status, ...) \
    ((orp_dbm_fail)((dbm), (status), __VA_ARGS__), ORP_ESTORE)

#define orp_dbm_is_damaged(dbm, damage) \
    ((orp_dbm_is_damaged)((dbm), (damage)), ORP_DBM_DAMAGED)

#endif
