/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* mod_openid2rp.c - the front door: what the module is called, which
 * directives it has, and where it stands in the way of a request.
 */
#define OPENID2RP_FRONT_DOOR
#include "openid2rp.h"

#include <http_protocol.h>
#include <http_request.h>

#include "openid2rp_auth.h"
#include "openid2rp_background.h"
#include "openid2rp_body.h"
#include "openid2rp_config.h"
#include "openid2rp_directives.h"
#include "openid2rp_handler.h"
#include "openid2rp_intercept.h"
#include "openid2rp_require.h"
#include "openid2rp_runtime.h"
#include "openid2rp_status.h"
#include "openid2rp_user.h"

#define ANYWHERE (RSRC_CONF | ACCESS_CONF | OR_AUTHCFG)

static const command_rec directives[] = {
    AP_INIT_FLAG("OpenIDIntercept", openid2rp_set_intercept, NULL, ANYWHERE,
                 "On: the application asks users to sign in, and learns who "
                 "did"),
    AP_INIT_TAKE1("OpenIDUnauthAction", openid2rp_set_unauth_action, NULL,
                  ANYWHERE, "auto, login or 401: what a request gets that "
                  "nobody is signed in for"),
    AP_INIT_TAKE2("OpenIDProvider", openid2rp_set_provider, NULL, ANYWHERE,
                  "\"label\" URL: a button on the login page; may repeat"),
    AP_INIT_TAKE1("OpenIDSingleProvider", openid2rp_set_single_provider,
                  NULL, ANYWHERE, "URL: no login page, straight to this "
                  "provider"),
    AP_INIT_ITERATE("OpenIDProviderAllow", openid2rp_set_provider_allow,
                    NULL, ANYWHERE, "URL-prefix... or ~regex...: the OP "
                    "endpoints that are accepted"),
    AP_INIT_ITERATE("OpenIDProviderDeny", openid2rp_set_provider_deny, NULL,
                    ANYWHERE, "URL-prefix... or ~regex...: the OP endpoints "
                    "that are not"),
    AP_INIT_TAKE1("OpenIDRealm", openid2rp_set_realm, NULL, ANYWHERE,
                  "URL: what the user is asked to trust"),
    AP_INIT_TAKE_ARGV("OpenIDSReg", openid2rp_set_sreg, NULL, ANYWHERE,
                      "required|optional FIELD..., policy URL, or off"),
    AP_INIT_TAKE_ARGV("OpenIDAX", openid2rp_set_ax, NULL, ANYWHERE,
                      "required|optional ALIAS[=TYPE-URI][#COUNT]..., or "
                      "off"),
    AP_INIT_TAKE_ARGV("OpenIDPape", openid2rp_set_pape, NULL, ANYWHERE,
                      "[max-auth-age=SEC] [POLICY-URI...]: how the provider "
                      "is to make sure who it is"),
    AP_INIT_ITERATE("OpenIDTeams", openid2rp_set_teams, NULL, ANYWHERE,
                    "TEAM...: ask for membership (Launchpad)"),
    AP_INIT_FLAG("OpenIDImmediate", openid2rp_set_immediate, NULL, ANYWHERE,
                 "On: try without asking the user first"),
    AP_INIT_TAKE_ARGV("OpenIDRemoteUser", openid2rp_set_remote_user, NULL,
                      ANYWHERE, "SOURCE [REGEX SUBST]: what REMOTE_USER is "
                      "made of"),
    AP_INIT_TAKE12("OpenIDLinks", openid2rp_set_links, NULL, ANYWHERE,
                   "txt:PATH, dbm:PATH or dbd:QUERY, "
                   "[missing=deny|identifier|/register]: the accounts of "
                   "identifiers"),
    AP_INIT_TAKE1("OpenIDPassHeaders", openid2rp_set_pass_headers, NULL,
                  ANYWHERE, "PREFIX or off: the variables as request headers, "
                  "for proxied applications"),
    AP_INIT_TAKE12("OpenIDLogout", openid2rp_set_logout, NULL, ANYWHERE,
                   "/path [/target]: ends the session"),
    AP_INIT_TAKE1("OpenIDSession", openid2rp_set_session, NULL, ANYWHERE,
                  "store or off: where it is kept who is signed in"),
    AP_INIT_TAKE12("OpenIDSessionTimeout", openid2rp_set_session_timeout,
                   NULL, ANYWHERE, "IDLE [MAX]: how long a session lives"),
    AP_INIT_TAKE_ARGV("OpenIDCookie", openid2rp_set_cookie, NULL, ANYWHERE,
                      "NAME [path=...] [domain=...] [samesite=...] "
                      "[secure=auto|on]"),

    AP_INIT_TAKE1("OpenIDBaseURL", openid2rp_set_base_url, NULL, RSRC_CONF,
                  "URL: where this site is, as the outside sees it"),
    AP_INIT_ITERATE("OpenIDForwarded", openid2rp_set_forwarded, NULL,
                    RSRC_CONF, "HEADER...: what to believe of the proxy in "
                    "front"),
    AP_INIT_FLAG("OpenIDPublishXRDS", openid2rp_set_publish_xrds, NULL,
                 RSRC_CONF, "On: let providers discover this site"),
    AP_INIT_TAKE1("OpenIDXRIProxy", openid2rp_set_xri_proxy, NULL, RSRC_CONF,
                  "URL of a resolver for i-names, or off"),
    AP_INIT_TAKE1("OpenIDAssociate", openid2rp_set_associate, NULL,
                  RSRC_CONF, "background, login or never: when associations "
                  "are made"),
    AP_INIT_TAKE1("OpenIDLoginTimeout", openid2rp_set_login_timeout, NULL,
                  RSRC_CONF, "how long a login may take"),
    AP_INIT_TAKE1("OpenIDNonceLifetime", openid2rp_set_nonce_lifetime, NULL,
                  RSRC_CONF, "how old a provider's nonce may be"),
    AP_INIT_TAKE12("OpenIDFetchTimeout", openid2rp_set_fetch_timeout, NULL,
                   RSRC_CONF, "TOTAL [CONNECT]: deadlines of one outbound "
                   "exchange"),
    AP_INIT_TAKE1("OpenIDFetchMaxSize", openid2rp_set_fetch_max_size, NULL,
                  RSRC_CONF, "the largest answer that is read"),
    AP_INIT_ITERATE("OpenIDFetchAllow", openid2rp_set_fetch_allow, NULL,
                    RSRC_CONF, "CIDR...: address ranges that may be contacted "
                    "though they are not public"),
    AP_INIT_TAKE1("OpenIDFetchProxy", openid2rp_set_fetch_proxy, NULL,
                  RSRC_CONF, "URL of a forward proxy"),
    AP_INIT_TAKE1("OpenIDFetchCAFile", openid2rp_set_fetch_ca_file, NULL,
                  RSRC_CONF, "file of certificate authorities, PEM"),
    AP_INIT_FLAG("OpenIDFetchRequireTLS", openid2rp_set_fetch_require_tls,
                 NULL, RSRC_CONF, "On: contact https addresses only"),
    AP_INIT_TAKE12("OpenIDRateLimit", openid2rp_set_rate_limit, NULL,
                   RSRC_CONF, "STARTS/INTERVAL [per=client|server], or off: "
                   "how many logins may begin"),

    AP_INIT_TAKE1("OpenIDStore", openid2rp_set_store, NULL, RSRC_CONF,
                  "shm[:SIZE], dbm:PATH, redis://..., memcache://...: where "
                  "logins, nonces, associations and sessions are kept; main "
                  "server only"),
    { .name = NULL }
};

static void register_hooks(apr_pool_t *pool)
{
    /* mod_cache answers from its handler as well, and is as eager: a request
     * that authorization let pass for us alone must not come to it */
    static const char *const after_us[] = { "mod_cache.c", NULL };

    /* starts its threads in its child_init: what they work with must be
     * there */
    static const char *const watchdog[] = { "mod_watchdog.c", NULL };

    /* the mutex type must be known before Mutex directives are read */
    ap_hook_pre_config(openid2rp_runtime_pre_config, NULL, NULL,
                       APR_HOOK_MIDDLE);
    ap_hook_post_config(openid2rp_runtime_post_config, NULL, NULL,
                        APR_HOOK_MIDDLE);
    ap_hook_child_init(openid2rp_runtime_child_init, NULL, watchdog,
                       APR_HOOK_MIDDLE);

    /* after these of runtime; mod_watchdog's post_config is a late one, and
     * looks there for what it has to call */
    ap_hook_check_config(openid2rp_background_check_config, NULL, NULL,
                         APR_HOOK_MIDDLE);
    ap_hook_post_config(openid2rp_background_post_config, NULL, NULL,
                        APR_HOOK_MIDDLE + 1);
    ap_hook_child_init(openid2rp_background_child_init, NULL, watchdog,
                       APR_HOOK_MIDDLE + 1);

    /* what a directive needs of others is known when all have been read */
    ap_hook_check_config(openid2rp_user_check_config, NULL, NULL,
                         APR_HOOK_MIDDLE);

    /* before mod_setenvif and others read it */
    ap_hook_post_read_request(openid2rp_intercept_post_read_request, NULL,
                              NULL, APR_HOOK_REALLY_FIRST);

    /* mod_authz_core asks its rules once before anybody is authenticated */
    ap_hook_check_access_ex(openid2rp_auth_check_access, NULL, NULL,
                            APR_HOOK_REALLY_FIRST, AP_AUTH_INTERNAL_PER_CONF);

    /* PER_CONF: httpd may skip it for subrequests and internal redirects
     * that stay in the same section; the fixup below knows */
    ap_hook_check_authn(openid2rp_auth_check_authn, NULL, NULL,
                        APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);

    /* before mod_authz_core, which would ask for a user */
    ap_hook_check_authz(openid2rp_auth_check_authz, NULL, NULL,
                        APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);

    openid2rp_require_register(pool);

    ap_hook_note_auth_failure(openid2rp_auth_note_failure, NULL, NULL,
                              APR_HOOK_MIDDLE);

    /* before mod_dir looks for an index file, before mod_proxy makes its
     * request, and before mod_rewrite and others look at variables */
    ap_hook_fixups(openid2rp_auth_fixups, NULL, NULL, APR_HOOK_REALLY_FIRST);

    ap_hook_insert_filter(openid2rp_body_insert_filter, NULL, NULL,
                          APR_HOOK_FIRST);
    openid2rp_body_register();

    /* before every handler that could serve the protected resource: by the
     * mark in the request's notes, whatever r->handler says by now */
    ap_hook_handler(openid2rp_handler, NULL, after_us,
                    APR_HOOK_REALLY_FIRST);

    /* and what the configuration names, as other modules' */
    ap_hook_handler(openid2rp_status_handler, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(openid2rp) = {
    STANDARD20_MODULE_STUFF,
    openid2rp_dir_create,
    openid2rp_dir_merge,
    openid2rp_server_create,
    openid2rp_server_merge,
    directives,
    register_hooks
#if defined(AP_MODULE_FLAG_NONE)
    , AP_MODULE_FLAG_NONE
#endif
};
