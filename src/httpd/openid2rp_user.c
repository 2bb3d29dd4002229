/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_user.h"

#include <string.h>

#include <apr_strings.h>

#include "openid2rp_links.h"
#include "orp_ax.h"
#include "orp_links_text.h"

#define REGISTER "openid2rp-register"

static const openid2rp_user_source_t identifier_source = {
    .type = OPENID2RP_USER_IDENTIFIER, .text = "identifier"
};

static const openid2rp_user_source_t *source_of(const openid2rp_dir_t *dir)
{
    return dir->remote_user ? dir->remote_user : &identifier_source;
}

const char *openid2rp_user_objection(const openid2rp_user_source_t *source,
                                     const openid2rp_dir_t *dir)
{
    switch (source->type) {
    case OPENID2RP_USER_IDENTIFIER:
        return NULL;            /* each provider has its own */
    case OPENID2RP_USER_LINK:
        return dir->links ? NULL
            : "needs OpenIDLinks in the same section, or around it in its "
              "virtual host or main server (not in another section)";
    default:
        break;
    }
    /* any provider could call its users what it likes */
    return (dir->single_provider && *dir->single_provider)
        || (dir->provider_allow && dir->provider_allow->nelts) ? NULL
        : "is what a provider says of its users, so it needs "
          "OpenIDSingleProvider or OpenIDProviderAllow in the same section, "
          "or around it in its virtual host or main server (not in another "
          "section)";
}

/* ---------------------------------------------------------------------- */
/* Where names come from */

/* What this section means by an alias, or NULL. */
static const char *ax_type(request_rec *r, const char *alias)
{
    const apr_array_header_t *attrs = openid2rp_dir(r)->ax;
    int i;

    for (i = 0; i < attrs->nelts; i++) {
        const orp_ax_attr_t *attr = &APR_ARRAY_IDX(attrs, i, orp_ax_attr_t);

        if (!strcmp(attr->alias, alias)) {
            return attr->type;
        }
    }
    return NULL;
}

const apr_array_header_t *openid2rp_user_ax(request_rec *r,
                                            const orp_identity_t *identity,
                                            const char *alias)
{
    const char *type = ax_type(r, alias);
    int i;

    for (i = 0; type && i < identity->ax->nelts; i++) {
        const orp_ax_value_t *value = &APR_ARRAY_IDX(identity->ax, i,
                                                     orp_ax_value_t);

        if (!strcmp(value->alias, alias)) {
            return !strcmp(value->type, type)
                || orp_ax_same_type(value->type, type) ? value->values : NULL;
        }
    }
    return NULL;
}

static const char *attribute(request_rec *r,
                             const openid2rp_user_source_t *source,
                             const orp_identity_t *identity)
{
    const apr_array_header_t *values;

    if (source->type == OPENID2RP_USER_EMAIL) {
        return orp_identity_email(identity);
    }
    if (source->type == OPENID2RP_USER_SREG) {
        return orp_params_get(identity->sreg, source->field);
    }
    values = openid2rp_user_ax(r, identity, source->field);
    return values ? APR_ARRAY_IDX(values, 0, const char *) : NULL;
}

/* Would it be taken for an identifier, which is the name of somebody else
 * elsewhere? Where there is a pattern, that decides. */
static int is_like_identifier(const char *value)
{
    return !strncasecmp(value, "http://", 7)
        || !strncasecmp(value, "https://", 8)
        || !strncasecmp(value, "xri://", 6)
        || strchr("=@+$!(", *value);
}

static apr_status_t from_attribute(const char **pvalue, request_rec *r,
                                   const openid2rp_user_source_t *source,
                                   const orp_identity_t *identity,
                                   orp_reason_t *why)
{
    const char *value = attribute(r, source, identity);

    if (!value || !*value) {
        return orp_reason_set(why, ORP_ENOACCOUNT, source->text,
                              "Your provider did not tell this site your "
                              "\"%s\", by which it names its users.",
                              source->text);
    }
    if (!source->regex && is_like_identifier(value)) {
        return orp_reason_set(why, ORP_ENOACCOUNT, source->text,
                              "What your provider says as your \"%s\" looks "
                              "like an OpenID, and cannot be a user's name "
                              "here.", source->text);
    }
    *pvalue = value;
    return APR_SUCCESS;
}

/* Is this a request for the page where to get a link? httpd may hand that on
 * to something else (mod_rewrite, DirectoryIndex), which must not send the
 * browser to the page again; so what was asked for counts, too. But where a
 * program redirects to (CGI, "Location: /path") is another page. */
static int is_register(request_rec *r, const char *path)
{
    const request_rec *first = r;

    while (first->main
           || (first->prev
               && !apr_table_get(first->prev->headers_out, "Location"))) {
        first = first->main ? first->main : first->prev;
    }
    return !strcmp(r->uri, path)
        || (first->parsed_uri.path && !strcmp(first->parsed_uri.path, path));
}

/* Who has no link. The page where to get one is open to them, by the name
 * that nobody else can have. */
static apr_status_t unlinked(const char **puser, request_rec *r,
                             const orp_identity_t *identity,
                             orp_reason_t *why)
{
    const openid2rp_links_t *links = openid2rp_dir(r)->links;

    if (links->missing == OPENID2RP_MISSING_IDENTIFIER
        || (links->missing == OPENID2RP_MISSING_REGISTER
            && is_register(r, links->register_path))) {
        *puser = identity->claimed_id;
        return APR_SUCCESS;
    }
    if (links->register_path) {
        apr_table_setn(r->notes, REGISTER, links->register_path);
    }
    return orp_reason_set(why, ORP_ENOACCOUNT, identity->claimed_id,
                          "%s has no account here.", identity->claimed_id);
}

/* ---------------------------------------------------------------------- */
/* What names are like */

static apr_status_t apply(const char **pname,
                          const openid2rp_user_source_t *source,
                          const char *value, orp_reason_t *why)
{
    ap_regmatch_t match[AP_MAX_REG_MATCH];
    char *name = NULL;

    if (!source->regex) {
        *pname = value;
        return APR_SUCCESS;
    }
    if (ap_regexec(source->regex, value, AP_MAX_REG_MATCH, match, 0)
        || ap_pregsub_ex(why->pool, &name, source->subst, value,
                         AP_MAX_REG_MATCH, match, ORP_LINKS_ACCOUNT_MAX + 1)
        != APR_SUCCESS || !name) {
        return orp_reason_set(why, ORP_ENOACCOUNT, source->text,
                              "No user's name follows from your \"%s\" on "
                              "this site.", source->text);
    }
    *pname = name;
    return APR_SUCCESS;
}

/* As accounts of links are. A blank at either end would be lost on the way to
 * a proxied application: "root " would be root there. An identifier may be as
 * long as identifiers are. */
static apr_status_t check_name(const char *name, orp_reason_t *why)
{
    if (orp_links_account_fault(name, strlen(name))) {
        return orp_reason_set(why, ORP_ENOACCOUNT, NULL,
                              "What this site would name you by cannot be a "
                              "user's name.");
    }
    return APR_SUCCESS;
}

static apr_status_t misconfigured(request_rec *r,
                                  const openid2rp_user_source_t *source,
                                  const char *objection, orp_reason_t *why)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, O2RP(260)
                  "OpenIDRemoteUser: \"%s\" %s; nobody has a name for %s",
                  source->text, objection, r->uri);
    return orp_reason_set(why, ORP_ENOACCOUNT, NULL,
                          "This site is not set up to name its users.");
}

apr_status_t openid2rp_user_name(const char **puser, request_rec *r,
                                 const orp_identity_t *identity,
                                 orp_reason_t *why)
{
    const openid2rp_dir_t *dir = openid2rp_dir(r);
    const openid2rp_user_source_t *source = source_of(dir);
    const char *objection = openid2rp_user_objection(source, dir);
    const char *value = identity->claimed_id, *name = NULL;
    apr_status_t status = APR_SUCCESS;

    /* merging and .htaccess may have brought together what no start saw */
    if (objection) {
        return misconfigured(r, source, objection, why);
    }
    if (source->type == OPENID2RP_USER_LINK) {
        status = openid2rp_links_find(&value, r, identity->claimed_id, why);
        if (status == ORP_ENOTFOUND) {
            return unlinked(puser, r, identity, why);
        }
    }
    else if (source->type != OPENID2RP_USER_IDENTIFIER) {
        status = from_attribute(&value, r, source, identity, why);
    }
    if (status == APR_SUCCESS) {
        status = apply(&name, source, value, why);
    }
    if (status == APR_SUCCESS && name != identity->claimed_id) {
        status = check_name(name, why);
    }
    if (status == APR_SUCCESS) {
        *puser = name;
    }
    return status;
}

const char *openid2rp_user_register(request_rec *r)
{
    return apr_table_get(r->notes, REGISTER);
}
