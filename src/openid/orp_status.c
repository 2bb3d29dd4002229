/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_status.h"

#include <string.h>

#include <apr_strings.h>

static const struct {
    apr_status_t status;
    const char *code;
    const char *sentence;
} statuses[] = {
    { APR_SUCCESS, "ok", "Everything went well." },

    { ORP_EIDENTIFIER, "bad-identifier",
      "This is not something that could be an OpenID." },
    { ORP_EXRI, "xri-unsupported", "i-names (XRIs) are not accepted here." },
    { ORP_EURL, "bad-url", "This is not a web address." },

    { ORP_EENCODING, "bad-encoding", "The text is not properly encoded." },
    { ORP_ETOOBIG, "too-big", "There is more of it than we accept." },
    { ORP_EXML, "bad-xml", "The document is not well-formed XML." },
    { ORP_ECRYPTO, "crypto-failed", "A cryptographic operation failed." },

    { ORP_ERESOLVE, "unknown-host", "There is no server of this name." },
    { ORP_ECONNECT, "unreachable", "The server cannot be reached." },
    { ORP_ETIMEOUT, "timeout", "The server did not answer in time." },
    { ORP_ETLS, "tls-failed",
      "The server could not prove who it is (TLS)." },
    { ORP_EADDRESS, "address-refused",
      "The server is at an address that may not be contacted." },
    { ORP_ESCHEME, "scheme-refused",
      "Only http and https addresses are contacted." },
    { ORP_EREDIRECT, "redirect-refused",
      "The server redirects too often, or to where we do not follow." },
    { ORP_EHTTP, "http-error", "The server answered with an error." },
    { ORP_EFETCH, "fetch-failed",
      "The exchange with the server failed." },

    { ORP_ENOTOPENID, "not-openid", "There is no OpenID at this address." },
    { ORP_EDISCOVERY, "bad-discovery",
      "What is published at this address cannot be read." },
    { ORP_EASSOCIATE, "association-failed",
      "The provider did not agree on a shared secret." },
    { ORP_ENOASSOC, "no-association",
      "The provider does not make associations." },
    { ORP_EPROVIDER, "provider-refused",
      "This provider is not accepted here." },

    { ORP_ERATE, "rate-limited", "Too many logins begin here." },

    { ORP_EMESSAGE, "bad-message", "The provider's message is malformed." },
    { ORP_EMODE, "bad-mode", "The provider's message is of no known kind." },
    { ORP_ELOGIN, "no-login",
      "There is no login in progress that this answers." },
    { ORP_EBROWSER, "other-browser",
      "The login was begun in another browser." },
    { ORP_EVERSION, "version-mismatch",
      "The answer is in another version of the protocol." },
    { ORP_ERETURNTO, "return-to-mismatch",
      "The answer is meant for another site or page." },
    { ORP_EENDPOINT, "endpoint-mismatch",
      "The answer comes from another provider than the one asked." },
    { ORP_EIDENTITY, "identity-mismatch",
      "The provider may not speak for this identifier." },
    { ORP_EUNSIGNED, "unsigned-field",
      "A part that must be signed is not." },
    { ORP_ESIGNATURE, "bad-signature",
      "The provider's signature does not verify." },
    { ORP_ENONCE, "bad-nonce", "The answer's nonce is malformed." },
    { ORP_ENONCEAGE, "nonce-expired",
      "The answer is too old, or from the future." },
    { ORP_EREPLAY, "nonce-replayed", "The answer was used before." },
    { ORP_ECANCEL, "cancelled", "The login was cancelled." },
    { ORP_ESETUP, "setup-needed",
      "The provider has to ask you something first." },
    { ORP_EOPERROR, "provider-error", "The provider reports an error." },
    { ORP_EPOLICY, "policy-not-met",
      "The provider does not meet a policy that this site asks for." },
    { ORP_EREALM, "realm-mismatch",
      "The realm does not cover this page." },

    { ORP_ENOACCOUNT, "no-account",
      "This OpenID has no account here." },
    { ORP_ELINKS, "links-failed",
      "Accounts cannot be looked up at the moment." },

    { ORP_ESTORE, "store-failed",
      "Logins cannot be kept at the moment." },
    { ORP_EFULL, "store-full",
      "There are too many logins at the moment." },
    { ORP_ENOTFOUND, "not-found", "There is no such record." },
    { ORP_EEXISTS, "exists", "There is such a record already." },
};

#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

orp_reason_t *orp_reason_create(apr_pool_t *pool)
{
    orp_reason_t *why = apr_pcalloc(pool, sizeof(*why));

    why->sentence = "";
    why->pool = pool;
    return why;
}

apr_status_t orp_reason_set(orp_reason_t *why, apr_status_t status,
                            const char *subject, const char *fmt, ...)
{
    va_list args;

    if (why) {
        va_start(args, fmt);
        why->sentence = apr_pvsprintf(why->pool, fmt, args);
        va_end(args);
        why->status = status;
        why->subject = subject ? apr_pstrdup(why->pool, subject) : NULL;
    }
    return status;
}

const char *orp_status_code(apr_status_t status)
{
    apr_size_t i;

    for (i = 0; i < STATUSES; i++) {
        if (statuses[i].status == status) {
            return statuses[i].code;
        }
    }
    return "internal";
}

apr_status_t orp_status_from_code(const char *code)
{
    apr_size_t i;

    for (i = 0; i < STATUSES; i++) {
        if (!strcmp(statuses[i].code, code)) {
            return statuses[i].status;
        }
    }
    return APR_EGENERAL;
}

const char *orp_strerror(apr_status_t status, char *buf, apr_size_t size)
{
    apr_size_t i;

    for (i = 0; i < STATUSES; i++) {
        if (statuses[i].status == status) {
            return statuses[i].sentence;
        }
    }
    return apr_strerror(status, buf, size);
}
