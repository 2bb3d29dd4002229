/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* support_op.h - providers for a scene, and people who sign in there.
 *
 * An op_t answers at its endpoint as a provider does: it associates, it
 * confirms signatures of its own, and it signs whatever it is told to. A
 * visit_t is one login of one person, who comes back with an answer:
 *
 *     op_t *op = op_at(scene, "https://op.example/");
 *     visit_t *visit;
 *
 *     op_publish(op, "https://user.example/", OP_SIGNON_20, NULL);
 *     visit = visit_begin(scene, "https://user.example/");
 *     assert_refused(visit, with(op_answer(op, visit), "openid.sig", "xyz"),
 *                    ORP_ESIGNATURE);
 *     assert_accepted(visit, op_answer(op, visit));
 */
#ifndef ORP_TEST_SUPPORT_OP_H
#define ORP_TEST_SUPPORT_OP_H

#include "support.h"

#include "orp.h"
#include "orp_assoc.h"
#include "orp_service.h"

typedef struct op_t {
    scene_t *scene;
    const char *endpoint;
    const char *handle;         /* of its shared association, once there is
                                 * one; may be changed before */
    orp_hash_e hash;
    unsigned char key[ORP_HASH_MAX];
    unsigned char private_key[ORP_HASH_MAX];    /* for direct verification */

    int makes_none;             /* nonzero: "unsupported-type", always */
    const char *suggests[2];    /* what it says then; types, or NULL */
    int status;                 /* of its direct replies */
    const char *body;           /* says only this, or NULL */
    orp_params_t *changes;      /* of its direct replies; "-": left out */

    int associated;             /* how often it was asked to */
    int checked;                /* likewise */
    int nonces;
} op_t;

/** What a published page says. */
typedef enum {
    OP_SERVER_20,               /* XRDS: the identifier is the OP's */
    OP_SIGNON_20,
    OP_SIGNON_11,
    OP_HTML_20,                 /* links in a page */
    OP_HTML_11
} op_page_e;

typedef struct visit_t {
    scene_t *scene;
    orp_rp_t rp;
    orp_login_t *login;
    const char *browser;        /* cookie of the login */
    const char *url;            /* where it comes back to */
    const char *origin;
} visit_t;

/** The site of all visits; return_to begins with VISIT_URL. */
#define VISIT_ORIGIN "https://rp.example"
#define VISIT_URL "https://rp.example/private"

/** The private handle with which an op_t signs when there is no other. */
#define OP_PRIVATE_HANDLE "private-1"

/** A provider at this endpoint, which may be asked any number of times. */
op_t *op_at(scene_t *scene, const char *endpoint);

/** From now on, url is a page that names this provider. */
void op_publish(op_t *op, const char *url, op_page_e page,
                const char *local_id);

/** From now on, url is this XRDS document. */
void publish_xrds(scene_t *scene, const char *url, const char *document);

/** Change one field of all its direct replies; NULL leaves it out. */
void op_says(op_t *op, const char *name, const char *value);

/** It signs as always again. */
void op_is_honest(op_t *op);

/** The value of one field in the last request that was made to it, or
 * NULL. */
const char *op_was_asked(const op_t *op, const char *name);

/** A nonce that it has not used yet, of the scene's time. */
const char *op_nonce(op_t *op);

/** A complete and signed positive assertion, as the login asked for. */
orp_params_t *op_answer(op_t *op, const visit_t *visit);

/** The same about other identifiers. */
orp_params_t *op_answer_about(op_t *op, const visit_t *visit,
                              const char *claimed_id, const char *identity);

/** A copy, signed again with what openid.signed names. */
orp_params_t *op_sign(op_t *op, const orp_params_t *answer);

/** A copy with one field changed or added; NULL leaves it out. */
orp_params_t *with(const orp_params_t *answer, const char *name,
                   const char *value);

/** A copy with one more field, signed again with that in openid.signed. */
orp_params_t *with_signed(op_t *op, const orp_params_t *answer,
                          const char *name, const char *value);

/** A copy without one name in openid.signed, signed again. */
orp_params_t *with_unsigned(op_t *op, const orp_params_t *answer,
                            const char *name);

/** Not yet begun, with all that a login needs. */
visit_t *visit_new(scene_t *scene, const char *typed);

/** Begun; the test fails where that fails. */
visit_t *visit_begin(scene_t *scene, const char *typed);

/** What a login at its begin comes to. */
apr_status_t visit_status(visit_t *visit, orp_reason_t **pwhy);

/** Come back with an answer. @return NULL, with *pwhy set, if refused */
orp_identity_t *visit_complete(const visit_t *visit,
                               const orp_params_t *answer,
                               orp_reason_t **pwhy);

/** The answer signs somebody in: @return whom. */
#define assert_accepted(visit, answer) \
    assert_accepted_at((visit), (answer), __FILE__, __LINE__)

orp_identity_t *assert_accepted_at(const visit_t *visit,
                                   const orp_params_t *answer,
                                   const char *file, int line);

/**
 * The answer is refused with this status, in one line of the log; the login
 * is what it was, and no nonce is used up.
 */
#define assert_refused(visit, answer, status) \
    assert_refused_at((visit), (answer), (status), __FILE__, __LINE__)

void assert_refused_at(const visit_t *visit, const orp_params_t *answer,
                       apr_status_t status, const char *file, int line);

/** The same, and nobody was asked anything. */
#define assert_refused_quietly(visit, answer, status) do { \
        int requests_before_ = scene_requests((visit)->scene); \
        assert_refused((visit), (answer), (status)); \
        assert_int_equal(scene_requests((visit)->scene), \
                         requests_before_); \
    } while (0)

/** A message of these parameters; the test fails where it is none. */
orp_message_t *message_of(const orp_params_t *params, apr_pool_t *pool);

#endif
