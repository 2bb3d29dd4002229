/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_provider.h"

#include <apr_strings.h>

#include "openid2rp_values.h"
#include "orp_realm.h"

struct openid2rp_rule_t {
    const orp_realm_t *prefix;  /* compared as a realm is (9.2) */
    const ap_regex_t *regex;    /* or this */
};

const char *openid2rp_rule_read(const openid2rp_rule_t **prule,
                                cmd_parms *cmd, const char *arg)
{
    openid2rp_rule_t *rule = apr_pcalloc(cmd->pool, sizeof(*rule));
    const char *error = NULL;

    if (*arg == '~') {
        error = openid2rp_read_regex(&rule->regex, cmd, arg + 1);
    }
    else {
        orp_realm_t *prefix;

        if (orp_realm_parse(&prefix, arg, NULL, cmd->pool) != APR_SUCCESS
            || prefix->wildcard || prefix->url->query) {
            return openid2rp_mistake(cmd, "\"%s\" is neither the beginning "
                                     "of a web address nor \"~\" and a "
                                     "regular expression.", arg);
        }
        rule->prefix = prefix;
    }
    *prule = rule;
    return error;
}

static int matches(const openid2rp_rule_t *rule, const char *endpoint,
                   const orp_url_t *url)
{
    if (rule->regex) {
        return ap_regexec(rule->regex, endpoint, 0, NULL, 0) == 0;
    }
    return orp_realm_matches(rule->prefix, url);
}

static int any_matches(const apr_array_header_t *rules, const char *endpoint,
                       const orp_url_t *url)
{
    int i;

    for (i = 0; i < rules->nelts; i++) {
        if (matches(APR_ARRAY_IDX(rules, i, const openid2rp_rule_t *),
                    endpoint, url)) {
            return 1;
        }
    }
    return 0;
}

static int has_rules(const apr_array_header_t *rules)
{
    return rules && rules->nelts;
}

int openid2rp_provider_accepted(const char *endpoint,
                                const apr_array_header_t *allow,
                                const apr_array_header_t *deny,
                                apr_pool_t *pool)
{
    orp_url_t *url;

    if (!has_rules(allow) && !has_rules(deny)) {
        return 1;
    }
    if (orp_url_parse(&url, endpoint, NULL, pool) != APR_SUCCESS) {
        return 0;
    }
    return !(has_rules(deny) && any_matches(deny, endpoint, url))
        && (!has_rules(allow) || any_matches(allow, endpoint, url));
}
