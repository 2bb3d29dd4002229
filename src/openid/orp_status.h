/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_status.h - one dialect for failure.
 *
 * A core function that can fail returns an apr_status_t: APR's own codes, or
 * one of the ORP_E* below. It is marked ORP_MUST_USE, and leaves its
 * out-parameters untouched when it fails.
 *
 * What a person should read travels beside it in an orp_reason_t: the status,
 * one sentence, and the thing (URL, field, parameter) it speaks of. Every
 * ORP_E* also has a short stable code, such as "nonce-replayed", that stands
 * in the log, in OPENID2RP_ERROR_CODE and in the counters.
 */
#ifndef ORP_STATUS_H
#define ORP_STATUS_H

#include <apr_errno.h>
#include <apr_pools.h>

#define ORP_MUST_USE __attribute__((warn_unused_result))
#define ORP_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#define ORP_STATUS_START (APR_OS_START_USERERR + 9000)

/* Identifiers and URLs */
#define ORP_EIDENTIFIER  (ORP_STATUS_START + 1)  /* malformed identifier */
#define ORP_EXRI         (ORP_STATUS_START + 2)  /* XRIs are not resolved */
#define ORP_EURL         (ORP_STATUS_START + 3)  /* malformed URL */

/* Codecs and documents */
#define ORP_EENCODING    (ORP_STATUS_START + 10) /* base64, percent, UTF-8 */
#define ORP_ETOOBIG      (ORP_STATUS_START + 11) /* over a documented limit */
#define ORP_EXML         (ORP_STATUS_START + 12) /* XML malformed or refused */
#define ORP_ECRYPTO      (ORP_STATUS_START + 13) /* the library failed */

/* Talking to other servers */
#define ORP_ERESOLVE     (ORP_STATUS_START + 20) /* name does not resolve */
#define ORP_ECONNECT     (ORP_STATUS_START + 21) /* no connection */
#define ORP_ETIMEOUT     (ORP_STATUS_START + 22) /* deadline passed */
#define ORP_ETLS         (ORP_STATUS_START + 23) /* certificate, handshake */
#define ORP_EADDRESS     (ORP_STATUS_START + 24) /* refused address range */
#define ORP_ESCHEME      (ORP_STATUS_START + 25) /* scheme not allowed */
#define ORP_EREDIRECT    (ORP_STATUS_START + 26) /* too many, or refused */
#define ORP_EHTTP        (ORP_STATUS_START + 27) /* an HTTP status of failure */
#define ORP_EFETCH       (ORP_STATUS_START + 28) /* anything else on the way */

/* Discovery and association */
#define ORP_ENOTOPENID   (ORP_STATUS_START + 40) /* no OpenID service there */
#define ORP_EDISCOVERY   (ORP_STATUS_START + 41) /* a document is garbage */
#define ORP_EASSOCIATE   (ORP_STATUS_START + 42) /* the reply is not usable */
#define ORP_ENOASSOC     (ORP_STATUS_START + 43) /* the OP makes none */
#define ORP_EPROVIDER    (ORP_STATUS_START + 44) /* this OP is not allowed */

/* Starts */
#define ORP_ERATE        (ORP_STATUS_START + 50) /* too many of them */

/* Responses, in about the order in which they are checked */
#define ORP_EMESSAGE     (ORP_STATUS_START + 60) /* malformed, incomplete */
#define ORP_EMODE        (ORP_STATUS_START + 61) /* unknown openid.mode */
#define ORP_ELOGIN       (ORP_STATUS_START + 62) /* no such login here */
#define ORP_EBROWSER     (ORP_STATUS_START + 63) /* another browser began it */
#define ORP_EVERSION     (ORP_STATUS_START + 64) /* not the login's version */
#define ORP_ERETURNTO    (ORP_STATUS_START + 65) /* meant for another URL */
#define ORP_EENDPOINT    (ORP_STATUS_START + 66) /* not the OP that was asked */
#define ORP_EIDENTITY    (ORP_STATUS_START + 67) /* not what discovery says */
#define ORP_EUNSIGNED    (ORP_STATUS_START + 68) /* mandatory, not signed */
#define ORP_ESIGNATURE   (ORP_STATUS_START + 69) /* does not verify */
#define ORP_ENONCE       (ORP_STATUS_START + 70) /* malformed nonce */
#define ORP_ENONCEAGE    (ORP_STATUS_START + 71) /* too old, or in the future */
#define ORP_EREPLAY      (ORP_STATUS_START + 72) /* used before */
#define ORP_ECANCEL      (ORP_STATUS_START + 73) /* the user said no */
#define ORP_ESETUP       (ORP_STATUS_START + 74) /* setup_needed */
#define ORP_EOPERROR     (ORP_STATUS_START + 75) /* openid.mode=error */
#define ORP_EPOLICY      (ORP_STATUS_START + 77) /* PAPE: not met */
#define ORP_EREALM       (ORP_STATUS_START + 76) /* realm and return_to */

/* What an identity means here */
#define ORP_ENOACCOUNT   (ORP_STATUS_START + 80) /* it has no account here */
#define ORP_ELINKS       (ORP_STATUS_START + 81) /* links cannot be read */

/* The store */
#define ORP_ESTORE       (ORP_STATUS_START + 90) /* it failed, or is broken */
#define ORP_EFULL        (ORP_STATUS_START + 91) /* no room for this kind */
#define ORP_ENOTFOUND    (ORP_STATUS_START + 92) /* no live record */
#define ORP_EEXISTS      (ORP_STATUS_START + 93) /* claimed by someone else */

/** Why something failed, for a person and for a log. */
typedef struct orp_reason_t {
    apr_status_t status;     /* APR_SUCCESS until something went wrong */
    const char *sentence;    /* one sentence in English; "" until set */
    const char *subject;     /* URL, field or parameter concerned, or NULL;
                              * as received: escape it where it is shown */
    apr_pool_t *pool;        /* what the strings live in */
} orp_reason_t;

/** A fresh reason, with nothing wrong, whose strings will live in pool. */
orp_reason_t *orp_reason_create(apr_pool_t *pool);

/**
 * Record why something fails, replacing what was recorded before.
 * @param why      may be NULL: nothing is recorded
 * @param status   what the caller is about to return
 * @param subject  copied; may be NULL
 * @param fmt      one sentence without a final newline; it must not contain
 *                 secrets
 * @return status, so that a function can end with "return orp_reason_set(…)"
 */
apr_status_t orp_reason_set(orp_reason_t *why, apr_status_t status,
                            const char *subject, const char *fmt, ...)
    ORP_PRINTF(4, 5);

/**
 * The stable code of a status, such as "nonce-replayed".
 * @return "ok" for APR_SUCCESS, "internal" for a status without a code
 */
const char *orp_status_code(apr_status_t status);

/** The other way round: @return the status, or APR_EGENERAL for no code. */
apr_status_t orp_status_from_code(const char *code);

/**
 * A general sentence for any status (APR's or ours).
 * @param buf   filled only for APR's own codes
 * @param size  its size in bytes
 * @return buf, or constant text
 */
const char *orp_strerror(apr_status_t status, char *buf, apr_size_t size);

#endif
