/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_orp.c - orp: logins from begin to end, what happens in between, and
 * the habits of real providers. */

#include "support_op.h"

#include "orp_checkid.h"

#define OP "https://op.example/auth"
#define USER "https://user.example/"
#define SELECT "https://op.example/"

static op_t *honest(scene_t *scene)
{
    op_t *op = op_at(scene, OP);

    op_publish(op, USER, OP_SIGNON_20, NULL);
    op_publish(op, SELECT, OP_SERVER_20, NULL);
    return op;
}

/* What the store has of a login. */
static orp_login_t *stored(const visit_t *visit)
{
    orp_login_t *login = NULL;

    assert_status(orp_login_find(&login, &visit->scene->env,
                                 visit->login->key, visit->scene->pool),
                  APR_SUCCESS);
    return login;
}

static visit_t *stateless(scene_t *scene, const char *typed)
{
    visit_t *visit = visit_new(scene, typed);
    orp_reason_t *why;

    visit->rp.associate = ORP_ASSOCIATE_NEVER;
    assert_status(visit_status(visit, &why), APR_SUCCESS);
    assert_text(visit->login->assoc_handle, NULL);
    return visit;
}

/* ---------------------------------------------------------------------- */
/* Once from begin to end */

static void a_login_begins_with_discovery_and_an_association(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit;
    orp_login_t *login;

    scene_redirect(scene, "http://user.example/", 301, USER);
    visit = visit_begin(scene, "user.example");
    login = stored(visit);
    assert_int_equal(login->state, ORP_LOGIN_READY);
    assert_int_equal(login->version, ORP_VERSION_2);
    assert_text(login->endpoint, OP);
    assert_text(login->claimed_id, USER);
    assert_text(login->local_id, USER);
    assert_text(login->assoc_handle, "shared-1");
    assert_text(login->redirect, visit->login->redirect);
    assert_int_equal(strncmp(login->redirect, OP "?openid.ns=", 34), 0);
    assert_int_equal(op->associated, 1);
    assert_int_equal(op->checked, 0);
    assert_int_equal(scene_logged(scene, 111), 1);
}

static void a_login_ends_with_an_identity(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_identity_t *identity = assert_accepted(visit, op_answer(op, visit));
    orp_login_t *login = stored(visit);

    assert_text(identity->claimed_id, USER);
    assert_text(identity->display, USER);
    assert_text(identity->endpoint, OP);
    assert_true(identity->auth_time == SCENE_TIME);
    assert_int_equal(identity->ax->nelts, 0);
    assert_int_equal(orp_params_size(identity->sreg), 0);
    assert_int_equal(login->state, ORP_LOGIN_DONE);
    assert_text(login->target, "/private?a=b");
    assert_text(login->endpoint, NULL);
    assert_text(login->redirect, NULL);
    assert_int_equal(op->checked, 0);
    assert_int_equal(scene_logged(scene, 113), 1);
}

static void the_log_holds_no_secret(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);

    assert_accepted(visit, answer);
    assert_true(scene_log_contains(scene, "login completed: " USER));
    assert_false(scene_log_contains(scene, visit->browser));
    assert_false(scene_log_contains(scene, visit->login->key));
    assert_false(scene_log_contains(scene, "kkkkkkkk"));
    assert_false(scene_log_contains(scene,
                                    orp_params_get(answer, "openid.sig")));
}

static void what_was_chosen_is_shown_as_it_is(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, SELECT);
    orp_identity_t *identity;

    assert_text(visit->login->claimed_id, NULL);
    assert_text(visit->login->local_id, NULL);
    identity = assert_accepted(visit, op_answer_about(op, visit, USER "#1",
                                                      USER));
    assert_text(identity->claimed_id, USER "#1");
    assert_text(identity->display, USER "#1");
}

static void signed_attributes_come_with_the_identity(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_new(scene, USER);
    apr_array_header_t *fields = apr_array_make(scene->pool, 2,
                                                sizeof(const char *));
    orp_sreg_t sreg = { fields, fields, NULL };
    orp_params_t *answer;
    orp_identity_t *identity;
    orp_reason_t *why;

    APR_ARRAY_PUSH(fields, const char *) = "email";
    APR_ARRAY_PUSH(fields, const char *) = "nickname";
    visit->rp.sreg = &sreg;
    assert_status(visit_status(visit, &why), APR_SUCCESS);
    answer = with_signed(op, op_answer(op, visit), "openid.ns.sreg",
                         ORP_SREG_NS_11);
    answer = with_signed(op, answer, "openid.sreg.nickname", "vic");
    answer = with(answer, "openid.sreg.email", "victim@example.com");
    identity = assert_accepted(visit, answer);
    assert_text(orp_params_get(identity->sreg, "nickname"), "vic");
    assert_text(orp_params_get(identity->sreg, "email"), NULL);
    assert_text(orp_identity_email(identity), NULL);
}

/* ---------------------------------------------------------------------- */
/* Once only */

static void the_same_answer_twice_is_refused(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);

    assert_accepted(visit, answer);
    assert_refused_quietly(visit, answer, ORP_EREPLAY);
    assert_refused_quietly(visit, op_answer(op, visit), ORP_EREPLAY);
}

static void a_nonce_is_good_for_one_login(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *first = visit_begin(scene, USER);
    visit_t *second = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, first), *again;

    again = op_sign(op, with(op_answer(op, second), "openid.response_nonce",
                             orp_params_get(answer,
                                            "openid.response_nonce")));
    assert_accepted(first, answer);
    assert_refused_quietly(second, again, ORP_EREPLAY);
    assert_accepted(second, op_answer(op, second));
}

/* Complete with a login that was read before somebody else completed it. */
static apr_status_t complete_late(const visit_t *visit,
                                  const orp_login_t *login,
                                  const orp_params_t *answer)
{
    scene_t *scene = visit->scene;
    orp_assertion_t assertion = {
        message_of(answer, scene->pool), login, visit->url, visit->origin,
        visit->browser
    };
    orp_identity_t *identity = NULL;
    apr_status_t status = orp_login_complete(
        &identity, &scene->env, &visit->rp, &assertion,
        orp_reason_create(scene->pool), scene->pool);

    assert_int_equal(identity != NULL, status == APR_SUCCESS);
    return status;
}

static void of_two_at_the_same_time_one_wins(void **state)
{
    static const op_page_e pages[] = { OP_SIGNON_20, OP_SIGNON_11 };
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    int i;

    for (i = 0; i < 2; i++) {
        const char *url = apr_psprintf(scene->pool, USER "%d", i);
        visit_t *visit;
        orp_login_t *login;
        orp_params_t *answer, *other;

        op_publish(op, url, pages[i], NULL);
        visit = visit_begin(scene, url);
        login = stored(visit);
        answer = op_answer(op, visit);
        other = op_answer(op, visit);       /* in 2.0, with its own nonce */
        assert_status(complete_late(visit, login, answer), APR_SUCCESS);
        assert_status(complete_late(visit, login, answer), ORP_EREPLAY);
        assert_status(complete_late(visit, login, other), ORP_EREPLAY);
    }
}

static void an_answer_in_1_is_good_once(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    visit_t *visit;
    orp_params_t *answer;

    op_publish(op, USER, OP_HTML_11, "https://op.example/~user");
    visit = visit_begin(scene, USER);
    answer = op_answer(op, visit);
    assert_text(orp_params_get(answer, "openid.identity"),
                "https://op.example/~user");
    assert_text(assert_accepted(visit, answer)->claimed_id, USER);
    assert_refused_quietly(visit, answer, ORP_EREPLAY);
}

static void forged_copies_do_not_burn_the_nonce(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    visit_t *unbound = stateless(scene, USER);
    orp_params_t *answer = op_answer(op, visit);
    int i;

    for (i = 0; i < 3; i++) {
        assert_refused(visit, with(answer, "openid.sig", "AAAA"),
                       ORP_ESIGNATURE);
    }
    assert_accepted(visit, answer);

    answer = op_answer(op, unbound);
    assert_refused(unbound, with(answer, "openid.sig", "AAAA"),
                   ORP_ESIGNATURE);
    assert_accepted(unbound, answer);
}

static void a_login_that_has_expired_is_none(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    visit_t *late = visit_begin(scene, USER);

    scene_turn_clock(scene, apr_time_from_sec(599));
    assert_accepted(visit, op_answer(op, visit));
    scene_turn_clock(scene, apr_time_from_sec(2));
    assert_refused_quietly(late, op_answer(op, late), ORP_ENOTFOUND);
}

static void a_login_that_never_began_cannot_end(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *good = visit_begin(scene, USER);
    visit_t *visit = visit_new(scene, USER);
    orp_params_t *answer;

    visit->login->endpoint = OP;
    visit->login->claimed_id = visit->login->local_id = USER;
    visit->login->assoc_handle = good->login->assoc_handle;
    answer = op_answer(op, visit);
    assert_status(orp_login_save(visit->login, &scene->env, scene->pool),
                  APR_SUCCESS);
    assert_refused_quietly(visit, answer, ORP_ELOGIN);
    visit->login->state = ORP_LOGIN_FAILED;
    assert_status(orp_login_save(visit->login, &scene->env, scene->pool),
                  APR_SUCCESS);
    assert_refused_quietly(visit, answer, ORP_ELOGIN);
    visit->login->state = ORP_LOGIN_READY;
    visit->login->redirect = good->login->redirect;
    assert_status(orp_login_save(visit->login, &scene->env, scene->pool),
                  APR_SUCCESS);
    assert_accepted(visit, answer);
}

/* ---------------------------------------------------------------------- */
/* When the store fails */

static void a_login_that_cannot_be_kept_does_not_begin(void **state)
{
    static const apr_status_t failures[] = { ORP_EFULL, ORP_ESTORE };
    scene_t *scene = *state;
    int i;

    honest(scene);
    for (i = 0; i < 2; i++) {
        visit_t *visit = visit_new(scene, USER);
        orp_reason_t *why;

        scene_store_fails(scene, ORP_STORE_LOGIN, failures[i]);
        assert_status(visit_status(visit, &why), failures[i]);
        assert_status(why->status, failures[i]);
        assert_int_equal(visit->login->state, ORP_LOGIN_FAILED);
        assert_status(visit->login->status, failures[i]);
        scene_store_fails(scene, ORP_STORE_LOGIN, APR_SUCCESS);
    }
    visit_begin(scene, USER);
}

static void without_a_place_for_nonces_nobody_signs_in(void **state)
{
    static const apr_status_t failures[] = { ORP_EFULL, ORP_ESTORE };
    scene_t *scene = *state;
    op_t *op = honest(scene), *old;
    visit_t *visit = visit_begin(scene, USER), *in_1;
    orp_params_t *answer = op_answer(op, visit), *answer_1;
    int i;

    old = op_at(scene, "https://old.example/");
    op_publish(old, "https://old.example/me", OP_SIGNON_11, NULL);
    in_1 = visit_begin(scene, "https://old.example/me");
    answer_1 = op_answer(old, in_1);
    for (i = 0; i < 2; i++) {
        scene_store_fails(scene, ORP_STORE_NONCE, failures[i]);
        assert_refused(visit, answer, failures[i]);
        assert_refused(in_1, answer_1, failures[i]);
        scene_store_fails(scene, ORP_STORE_NONCE, APR_SUCCESS);
    }
    assert_accepted(visit, answer);
    assert_accepted(in_1, answer_1);
}

static void a_login_that_cannot_be_ended_signs_nobody_in(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_reason_t *why;

    scene_store_fails(scene, ORP_STORE_LOGIN, ORP_EFULL);
    assert_null(visit_complete(visit, op_answer(op, visit), &why));
    assert_status(why->status, ORP_EFULL);
    scene_store_fails(scene, ORP_STORE_LOGIN, APR_SUCCESS);
    assert_null(visit_complete(visit, op_answer(op, visit), &why));
    assert_status(why->status, ORP_EREPLAY);
    visit = visit_begin(scene, USER);
    assert_accepted(visit, op_answer(op, visit));
}

static void a_store_that_fails_on_associations_is_no_reason_to_ask(
    void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = op_answer(op, visit);

    scene_store_fails(scene, ORP_STORE_ASSOCIATION, ORP_ESTORE);
    assert_refused_quietly(visit, answer, ORP_ESTORE);
    scene_store_fails(scene, ORP_STORE_ASSOCIATION, APR_SUCCESS);
    assert_accepted(visit, answer);
}

static void an_association_that_cannot_be_kept_is_not_used(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit;

    scene_store_fails(scene, ORP_STORE_ASSOCIATION, ORP_EFULL);
    visit = visit_begin(scene, USER);
    assert_text(visit->login->assoc_handle, NULL);
    assert_accepted(visit, op_answer(op, visit));
    assert_int_equal(op->checked, 1);
}

/* ---------------------------------------------------------------------- */
/* With and without an association */

static void an_association_serves_many_logins(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    int i;

    for (i = 0; i < 3; i++) {
        visit_t *visit = visit_begin(scene, i ? USER : SELECT);

        assert_text(visit->login->assoc_handle, "shared-1");
        assert_accepted(visit, op_answer_about(op, visit, USER, USER));
    }
    assert_int_equal(op->associated, 1);
    assert_int_equal(op->checked, 0);
}

static void never_means_always_asking_the_provider(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit;

    visit_begin(scene, USER);           /* leaves an association */
    visit = stateless(scene, USER);
    assert_accepted(visit, op_answer(op, visit));
    assert_int_equal(op->associated, 1);
    assert_int_equal(op->checked, 1);
    assert_text(op_was_asked(op, "openid.mode"), "check_authentication");
}

static void the_provider_is_asked_last(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        apr_status_t status;
    } table[] = {
        { "openid.mode", "bogus", ORP_EMODE },
        { "openid.ns", NULL, ORP_EVERSION },
        { "openid.signed", "identity", ORP_EUNSIGNED },
        { "openid.response_nonce", "x", ORP_ENONCE },
        { "openid.return_to", "https://rp.example/", ORP_ERETURNTO },
        { "openid.op_endpoint", "https://canary.example/", ORP_EENDPOINT },
        { "openid.claimed_id", "https://canary.example/", ORP_EIDENTITY },
        { "openid.identity", "https://canary.example/", ORP_EIDENTITY },
    };
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = stateless(scene, USER);
    orp_params_t *answer = op_answer(op, visit);
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        assert_refused_quietly(visit, with(with(answer, table[i].name,
                                                table[i].value),
                                           "openid.assoc_handle", "forged"),
                               table[i].status);
    }
    assert_refused(visit, with(answer, "openid.sig", "AAAA"),
                   ORP_ESIGNATURE);
    assert_int_equal(op->checked, 1);
    assert_accepted(visit, answer);
    assert_int_equal(op->checked, 2);
}

/* Whoever began a login can bring as many answers to it as they like; others
 * are not asked as often. */
static void the_provider_is_asked_ten_times_for_one_login(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = stateless(scene, USER);
    visit_t *other = stateless(scene, USER);
    orp_params_t *answer = op_answer(op, visit);
    int i;

    for (i = 0; i < ORP_LOGIN_QUESTIONS; i++) {
        assert_refused(visit, with(answer, "openid.sig", "AAAA"),
                       ORP_ESIGNATURE);
    }
    assert_int_equal(op->checked, ORP_LOGIN_QUESTIONS);
    assert_refused(visit, with(answer, "openid.sig", "AAAA"), ORP_ELOGIN);
    assert_refused(visit, answer, ORP_ELOGIN);
    assert_int_equal(op->checked, ORP_LOGIN_QUESTIONS);
    assert_accepted(other, op_answer(op, other));

    /* with an association nobody is asked */
    visit = visit_begin(scene, USER);
    answer = op_answer(op, visit);
    for (i = 0; i < 2 * ORP_LOGIN_QUESTIONS; i++) {
        assert_refused_quietly(visit, with(answer, "openid.sig", "AAAA"),
                               ORP_ESIGNATURE);
    }
    assert_accepted(visit, answer);
}

static void identifiers_are_discovered_ten_times_for_one_login(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, SELECT);
    int i;

    for (i = 0; i < ORP_LOGIN_QUESTIONS; i++) {
        scene_reply(scene, "GET", "https://other.example/", 404, "", "");
        assert_refused(visit, op_answer_about(
            op, visit, "https://other.example/", "https://other.example/"),
            ORP_EIDENTITY);
    }
    assert_refused_quietly(visit, op_answer_about(
        op, visit, "https://other.example/", "https://other.example/"),
        ORP_ELOGIN);
}

/* The age is known without asking. */
static void the_provider_is_not_asked_about_an_old_answer(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = stateless(scene, USER);

    assert_refused_quietly(visit, op_sign(op, with(
        op_answer(op, visit), "openid.response_nonce",
        "2026-01-15T11:54:59Zx")), ORP_ENONCEAGE);
    assert_int_equal(op->checked, 0);
    assert_accepted(visit, op_answer(op, visit));
}

/* A question that cannot be counted is not asked. */
static void nobody_is_asked_where_the_store_is_full(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = stateless(scene, USER);

    scene_store_fails(scene, ORP_STORE_LOGIN, ORP_EFULL);
    assert_refused_quietly(visit, op_answer(op, visit), ORP_EFULL);
    assert_int_equal(op->checked, 0);
    scene_store_fails(scene, ORP_STORE_LOGIN, APR_SUCCESS);
    assert_accepted(visit, op_answer(op, visit));
}

/* Answers that come at the same time do not make as many processes wait. */
static void one_answer_of_a_login_is_asked_about_at_a_time(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = stateless(scene, USER);
    visit_t *other = stateless(scene, USER);
    orp_params_t *answer = op_answer(op, visit);

    assert_status(orp_login_question(visit->login, &scene->env, scene->pool),
                  APR_SUCCESS);
    assert_refused_quietly(visit, answer, ORP_EREPLAY);
    assert_int_equal(op->checked, 0);
    assert_accepted(other, op_answer(op, other));
    orp_login_answered(visit->login, &scene->env, scene->pool);
    assert_accepted(visit, answer);

    /* one that nobody ends any more is over after two minutes */
    visit = stateless(scene, USER);
    assert_status(orp_login_question(visit->login, &scene->env, scene->pool),
                  APR_SUCCESS);
    scene_turn_clock(scene, apr_time_from_sec(119));
    assert_refused_quietly(visit, op_answer(op, visit), ORP_EREPLAY);
    scene_turn_clock(scene, apr_time_from_sec(2));
    assert_accepted(visit, op_answer(op, visit));
}

static void a_forged_answer_does_not_make_us_discover(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, SELECT);
    orp_params_t *answer = op_answer_about(op, visit, USER, USER);

    assert_refused_quietly(visit, with(with(answer, "openid.claimed_id",
                                            "http://127.0.0.1/"),
                                       "openid.identity",
                                       "http://127.0.0.1/"),
                           ORP_ESIGNATURE);
    assert_accepted(visit, answer);
}

static void an_unknown_handle_is_for_the_provider_that_was_asked(
    void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = with(op_answer(op, visit), "openid.assoc_handle",
                                OP_PRIVATE_HANDLE);

    assert_refused(visit, with(answer, "openid.sig", "AAAA"),
                   ORP_ESIGNATURE);
    assert_int_equal(op->checked, 1);
    assert_accepted(visit, op_sign(op, answer));
    assert_int_equal(op->checked, 2);
}

static void an_association_that_expired_counts_no_more(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit;
    orp_params_t *answer;

    op_says(op, "expires_in", "60");
    visit = visit_begin(scene, USER);
    op_is_honest(op);
    scene_turn_clock(scene, apr_time_from_sec(61));
    answer = op_answer(op, visit);
    assert_refused(visit, answer, ORP_ESIGNATURE);
    assert_int_equal(op->checked, 1);
    op_says(op, "is_valid", "true");
    assert_accepted(visit, answer);
}

static void a_handle_that_only_the_message_calls_invalid_is_kept(
    void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = with(op_answer(op, visit),
                                "openid.invalidate_handle", "shared-1");
    orp_params_t *other = op_sign(op, with(answer, "openid.assoc_handle",
                                           OP_PRIVATE_HANDLE));
    orp_assoc_t *assoc;

    op_says(op, "invalidate_handle", "another");
    assert_accepted(visit, other);
    assert_status(orp_assoc_find(&assoc, &scene->env, OP, "shared-1",
                                 scene->pool), APR_SUCCESS);

    visit = visit_begin(scene, USER);
    assert_accepted(visit, with(op_answer(op, visit),
                                "openid.invalidate_handle", "shared-1"));
    assert_status(orp_assoc_find(&assoc, &scene->env, OP, "shared-1",
                                 scene->pool), APR_SUCCESS);
    assert_int_equal(op->checked, 1);
}

static void a_handle_that_the_provider_confirms_invalid_is_removed(
    void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *answer = with(op_answer(op, visit),
                                "openid.invalidate_handle", "shared-1");
    orp_assoc_t *assoc;

    op_says(op, "invalidate_handle", "shared-1");
    assert_accepted(visit, op_sign(op, with(answer, "openid.assoc_handle",
                                            OP_PRIVATE_HANDLE)));
    assert_status(orp_assoc_find(&assoc, &scene->env, OP, "shared-1",
                                 scene->pool), ORP_ENOTFOUND);
    op_is_honest(op);
    op->handle = "shared-2";
    assert_text(visit_begin(scene, USER)->login->assoc_handle, "shared-2");
}

static void a_provider_that_fails_to_associate_is_asked_directly(
    void **state)
{
    static const struct {
        int status;
        const char *body;
    } failures[] = {
        { 200, "<html>" }, { 500, "" }, { 404, "not found\n" }, { 302, "" },
        { 200, "" }, { 400, "error:no\n" }, { 200, "assoc_handle:x\n" },
    };
    scene_t *scene = *state;
    op_t *op = honest(scene);
    size_t i;

    for (i = 0; i < COUNT(failures); i++) {
        visit_t *visit;

        op->status = failures[i].status;
        op->body = failures[i].body;
        visit = visit_begin(scene, USER);
        assert_text(visit->login->assoc_handle, NULL);
        assert_int_equal(scene_logged(scene, 106), (int)i + 1);
        op_is_honest(op);
        assert_accepted(visit, op_answer(op, visit));
        assert_int_equal(op->checked, (int)i + 1);

        /* five minutes, in which each login would ask again in vain */
        scene_turn_clock(scene, apr_time_from_sec(299));
        assert_text(visit_begin(scene, USER)->login->assoc_handle, NULL);
        scene_turn_clock(scene, apr_time_from_sec(2));
    }
    assert_text(visit_begin(scene, USER)->login->assoc_handle, "shared-1");
}

static void that_a_provider_makes_none_is_remembered_for_an_hour(
    void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);

    op->makes_none = 1;
    visit_begin(scene, USER);
    assert_int_equal(op->associated, 2);
    scene_turn_clock(scene, apr_time_from_sec(3599));
    visit_begin(scene, USER);
    assert_int_equal(op->associated, 2);
    op->makes_none = 0;
    scene_turn_clock(scene, apr_time_from_sec(2));
    assert_text(visit_begin(scene, USER)->login->assoc_handle, "shared-1");
}

static void that_a_provider_makes_none_need_not_be_remembered(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);

    op->makes_none = 1;
    scene_store_fails(scene, ORP_STORE_CACHE, ORP_EFULL);
    visit_begin(scene, USER);
    visit_begin(scene, USER);
    assert_int_equal(op->associated, 4);
    assert_int_equal(scene_logged(scene, 105), 2);
}

/* ---------------------------------------------------------------------- */
/* Where no login begins, and where another way is found */

#define TWO_SERVICES \
    "<x:XRDS xmlns:x='xri://$xrds' xmlns='xri://$xrd*($v*2.0)'><XRD>" \
    "<Service priority='1'><Type>" ORP_TYPE_SIGNON_20 "</Type>" \
    "<URI>https://first.example/</URI><LocalID>https://l1.example/</LocalID>" \
    "</Service><Service priority='2'><Type>" ORP_TYPE_SIGNON_20 "</Type>" \
    "<URI>" OP "</URI><LocalID>https://l2.example/</LocalID></Service>" \
    "</XRD></x:XRDS>"

static void an_endpoint_that_cannot_be_reached_is_followed_by_the_next(
    void **state)
{
    static const apr_status_t failures[] = {
        ORP_ERESOLVE, ORP_ECONNECT, ORP_ETIMEOUT, ORP_ETLS, ORP_EADDRESS,
        ORP_EFETCH,
    };
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    size_t i;

    publish_xrds(scene, "https://two.example/", TWO_SERVICES);
    for (i = 0; i < COUNT(failures); i++) {
        visit_t *visit;

        scene_no_reply(scene, "POST", "https://first.example/", failures[i]);
        visit = visit_begin(scene, "https://two.example/");
        assert_text(visit->login->endpoint, OP);
        assert_text(visit->login->local_id, "https://l2.example/");
        assert_accepted(visit, op_answer(op, visit));
    }
    scene_reply(scene, "POST", "https://first.example/", 500, "", "");
    assert_text(visit_begin(scene, "https://two.example/")->login->endpoint,
                "https://first.example/");
}

static void a_login_whose_providers_are_all_away_fails(void **state)
{
    scene_t *scene = *state;
    visit_t *visit = visit_new(scene, "https://two.example/");
    orp_reason_t *why;

    publish_xrds(scene, "https://two.example/", TWO_SERVICES);
    scene_no_reply(scene, "POST", "https://first.example/", ORP_ERESOLVE);
    scene_no_reply(scene, "POST", OP, ORP_ETIMEOUT);
    assert_status(visit_status(visit, &why), ORP_ETIMEOUT);
    assert_int_equal(stored(visit)->state, ORP_LOGIN_FAILED);
    assert_status(stored(visit)->status, ORP_ETIMEOUT);
    assert_text(stored(visit)->sentence, why->sentence);
    assert_true(*why->sentence);
    assert_int_equal(scene_logged(scene, 110), 1);
}

/* A page with so many services: at https://h0.example/ and so on, the last at
 * OP, each of them in OpenID 2.0 and in 1.1. */
static const char *publish_many(scene_t *scene, int count)
{
    const char *url = apr_psprintf(scene->pool, "https://many.example/%d",
                                   count);
    const char *text = "<x:XRDS xmlns:x='xri://$xrds' "
        "xmlns='xri://$xrd*($v*2.0)'><XRD>";
    int i;

    for (i = 0; i < count; i++) {
        const char *uri = i == count - 1 ? OP
            : apr_psprintf(scene->pool, "https://h%d.example/", i);

        text = apr_psprintf(
            scene->pool, "%s<Service priority='%d'><Type>" ORP_TYPE_SIGNON_20
            "</Type><URI>%s</URI></Service><Service priority='%d'><Type>"
            ORP_TYPE_SIGNON_11 "</Type><URI>%s</URI></Service>", text, i, uri,
            i, uri);
    }
    publish_xrds(scene, url, apr_pstrcat(scene->pool, text,
                                         "</XRD></x:XRDS>", NULL));
    return url;
}

static void away(scene_t *scene, int host, apr_status_t status)
{
    scene_no_reply(scene, "POST", apr_psprintf(
        scene->pool, "https://h%d.example/", host), status);
}

static void a_login_knocks_at_three_doors(void **state)
{
    scene_t *scene = *state;
    visit_t *visit;
    orp_reason_t *why;

    op_at(scene, OP);
    away(scene, 0, ORP_ECONNECT);
    away(scene, 1, ORP_EFETCH);
    visit = visit_begin(scene, publish_many(scene, 3));
    assert_text(visit->login->endpoint, OP);
    assert_int_equal(scene_requests(scene), 4);

    away(scene, 0, ORP_ECONNECT);
    away(scene, 1, ORP_EFETCH);
    away(scene, 2, ORP_ERESOLVE);
    visit = visit_new(scene, publish_many(scene, 150));
    assert_status(visit_status(visit, &why), ORP_ERESOLVE);
    assert_status(stored(visit)->status, ORP_ERESOLVE);
    assert_int_equal(scene_requests(scene), 8);
    assert_int_equal(scene_logged(scene, 106), 5);
    assert_int_equal(scene_unused(scene), 0);
}

/* Where it cannot be reached in OpenID 2.0, it cannot in 1.1. */
static void an_endpoint_that_cannot_be_reached_is_asked_once(void **state)
{
    scene_t *scene = *state;
    visit_t *visit = visit_new(scene, publish_many(scene, 1));
    orp_reason_t *why;

    scene_no_reply(scene, "POST", OP, ORP_ECONNECT);
    assert_status(visit_status(visit, &why), ORP_ECONNECT);
    assert_int_equal(scene_requests(scene), 2);
}

/* Nothing comes, for as long as is said here. */
static apr_status_t hang(scene_t *scene, const sent_t *request,
                         orp_http_response_t *response, void *baton)
{
    (void)request;
    (void)response;
    scene_turn_clock(scene, *(const apr_interval_time_t *)baton);
    return ORP_ETIMEOUT;
}

/* The page comes, as late as it may. */
static apr_status_t come_late(scene_t *scene, const sent_t *request,
                              orp_http_response_t *response, void *baton)
{
    (void)request;
    scene_turn_clock(scene, SCENE_TIMEOUT);
    response->content_type = "application/xrds+xml";
    response->body = baton;
    response->size = strlen(response->body);
    return APR_SUCCESS;
}

static void after_a_slow_discovery_one_endpoint_is_asked(void **state)
{
    static char two_services[] = TWO_SERVICES;
    scene_t *scene = *state;
    visit_t *visit = visit_new(scene, USER);
    orp_reason_t *why;

    scene_answer(scene, "GET", USER, come_late, two_services);
    scene_no_reply(scene, "POST", "https://first.example/", ORP_ECONNECT);
    assert_status(visit_status(visit, &why), ORP_ECONNECT);
    assert_int_equal(scene_requests(scene), 2);
    op_at(scene, "https://first.example/");
    assert_text(visit_begin(scene, USER)->login->endpoint,
                "https://first.example/");
}

static void a_login_waits_once_for_what_hangs(void **state)
{
    scene_t *scene = *state;
    apr_interval_time_t wait = SCENE_TIMEOUT / 2 - 1;
    const char *page = publish_many(scene, 3);
    visit_t *visit;
    orp_reason_t *why;

    /* connecting has a limit of its own: then there is time for another */
    op_at(scene, OP);
    scene_answer(scene, "POST", "https://h0.example/", hang, &wait);
    scene_answer(scene, "POST", "https://h1.example/", hang, &wait);
    visit = visit_begin(scene, page);
    assert_text(visit->login->endpoint, OP);
    assert_int_equal(scene_requests(scene), 4);

    wait = SCENE_TIMEOUT / 2;
    visit = visit_new(scene, page);
    assert_status(visit_status(visit, &why), ORP_ETIMEOUT);
    assert_int_equal(scene_requests(scene), 7);

    wait = SCENE_TIMEOUT;
    visit = visit_new(scene, page);
    assert_status(visit_status(visit, &why), ORP_ETIMEOUT);
    assert_status(stored(visit)->status, ORP_ETIMEOUT);
    assert_int_equal(scene_requests(scene), 9);
}

static void what_is_no_openid_begins_no_login(void **state)
{
    static const struct {
        const char *typed;
        apr_status_t status;
    } table[] = {
        { "", ORP_EIDENTIFIER }, { "ftp://a.example/", ORP_EIDENTIFIER },
        { "=name", ORP_EXRI }, { "https://plain.example/", ORP_ENOTOPENID },
        { "https://gone.example/", ORP_EHTTP },
        { "https://away.example/", ORP_ECONNECT },
    };
    scene_t *scene = *state;
    size_t i;

    scene_page(scene, "https://plain.example/", "text/html", "<p>hello");
    scene_reply(scene, "GET", "https://gone.example/", 404, "", "");
    scene_no_reply(scene, "GET", "https://away.example/", ORP_ECONNECT);
    for (i = 0; i < COUNT(table); i++) {
        visit_t *visit = visit_new(scene, table[i].typed);
        orp_reason_t *why;

        assert_status(visit_status(visit, &why), table[i].status);
        assert_status(why->status, table[i].status);
        assert_true(*why->sentence);
        assert_status(stored(visit)->status, table[i].status);
        assert_int_equal(scene_logged(scene, 110), (int)i + 1);
    }
    honest(scene);
    visit_begin(scene, USER);
}

static void without_chance_no_association_is_made(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_new(scene, USER);
    orp_reason_t *why;

    scene->random_status = APR_EGENERAL;
    assert_status(visit_status(visit, &why), APR_SUCCESS);
    assert_text(visit->login->assoc_handle, NULL);
    assert_int_equal(op->associated, 0);
}

/* ---------------------------------------------------------------------- */
/* What a provider says instead of yes */

static const char *sentence_of(const visit_t *visit,
                               const orp_params_t *answer,
                               apr_status_t status)
{
    orp_reason_t *why;

    assert_null(visit_complete(visit, answer, &why));
    assert_status(why->status, status);
    return why->sentence;
}

static void a_cancel_needs_no_ns(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit = visit_begin(scene, USER);
    orp_params_t *cancel = params_of(scene->pool, "openid.mode", "cancel",
                                     NULL);

    sentence_of(visit, cancel, ORP_ECANCEL);
    sentence_of(visit, with(cancel, "openid.ns", ORP_NS_20), ORP_ECANCEL);
    sentence_of(visit, with(cancel, "openid.mode", "setup_needed"),
                ORP_ESETUP);
    assert_accepted(visit, op_answer(op, visit));
}

static void a_providers_error_is_passed_on_with_a_ceiling(void **state)
{
    scene_t *scene = *state;
    visit_t *visit;
    orp_params_t *error = params_of(scene->pool, "openid.mode", "error",
                                    NULL);
    const char *intro = "The provider reports an error: ";
    const char *sentence;

    honest(scene);
    visit = visit_begin(scene, USER);
    assert_text(sentence_of(visit, error, ORP_EOPERROR),
                "The provider reports an error.");
    assert_text(sentence_of(visit, with(error, "openid.error", ""),
                            ORP_EOPERROR), "The provider reports an error.");
    assert_text(sentence_of(visit, with(error, "openid.error", "<b>no"),
                            ORP_EOPERROR),
                "The provider reports an error: <b>no");
    sentence = sentence_of(visit, with(error, "openid.error",
                                       repeated("x", 5000, scene->pool)),
                           ORP_EOPERROR);
    assert_int_equal(strlen(sentence), strlen(intro) + 200);
    sentence = sentence_of(visit, with(error, "openid.error",
                                       repeated("\xE2\x82\xAC", 100,
                                                scene->pool)),
                           ORP_EOPERROR);
    assert_int_equal(strlen(sentence), strlen(intro) + 198);
}

/* ---------------------------------------------------------------------- */
/* Habits of real providers */

static void steam_signs_people_in(void **state)
{
    static const char id[] =
        "https://steamcommunity.com/openid/id/76561197960435530";
    scene_t *scene = *state;
    op_t *op = op_at(scene, "https://steamcommunity.com/openid/login");
    visit_t *visit;
    orp_params_t *answer;
    int i;

    op->makes_none = 1;
    op_publish(op, "https://steamcommunity.com/openid", OP_SERVER_20, NULL);
    op_publish(op, id, OP_SIGNON_20, NULL);
    for (i = 0; i < 2; i++) {
        visit = visit_begin(scene, "https://steamcommunity.com/openid");
        assert_text(visit->login->assoc_handle, NULL);
        answer = params_of(
            scene->pool, "openid.ns", ORP_NS_20, "openid.mode", "id_res",
            "openid.op_endpoint", "https://steamcommunity.com/openid/login",
            "openid.claimed_id", id, "openid.identity", id,
            "openid.return_to", visit->login->return_to,
            "openid.response_nonce", "2026-01-15T11:59:58Z+/pXw4B=",
            "openid.assoc_handle", "1234567890", "openid.signed",
            "signed,op_endpoint,claimed_id,identity,return_to,"
            "response_nonce,assoc_handle", "openid.sig", "c2ln", NULL);
        assert_refused(visit, answer, ORP_ESIGNATURE);
        assert_text(op_was_asked(op, "openid.response_nonce"),
                    "2026-01-15T11:59:58Z+/pXw4B=");
        assert_text(op_was_asked(op, "openid.sig"), "c2ln");
        op->body = "ns:http://specs.openid.net/auth/2.0\nis_valid:true\n";
        if (i) {
            assert_refused(visit, answer, ORP_EREPLAY);
        }
        else {
            assert_text(assert_accepted(visit, answer)->claimed_id, id);
        }
        op_is_honest(op);
    }
    assert_int_equal(op->associated, 0);
}

static void handles_of_any_printable_characters_work(void **state)
{
    scene_t *scene = *state;
    op_t *op = honest(scene);
    visit_t *visit;

    op->handle = "{HMAC-SHA1}{6127a303}{b'it2j7Q=='}&%+:/?#";
    visit = visit_begin(scene, USER);
    assert_text(stored(visit)->assoc_handle, op->handle);
    assert_accepted(visit, op_answer(op, visit));
    assert_int_equal(op->checked, 0);
}

static void what_1_does_not_know_of_is_ignored_in_it(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    visit_t *visit;
    orp_params_t *answer;

    op_publish(op, USER, OP_SIGNON_11, NULL);
    visit = visit_begin(scene, USER);
    answer = op_answer(op, visit);
    answer = with(answer, "openid.op_endpoint", "https://other.example/");
    answer = with(answer, "openid.claimed_id", "https://other.example/");
    answer = with(answer, "openid.response_nonce", "nonsense");
    assert_text(assert_accepted(visit, answer)->claimed_id, USER);
}

static void an_answer_in_1_is_checked_as_one_in_2(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        apr_status_t status;
    } table[] = {
        { "openid.identity", "https://other.example/", ORP_EIDENTITY },
        { "openid.identity", NULL, ORP_EMESSAGE },
        { "openid.return_to", "https://rp.example/", ORP_ERETURNTO },
        { "openid.return_to", NULL, ORP_EMESSAGE },
        { "openid.assoc_handle", NULL, ORP_EMESSAGE },
        { "openid.signed", "mode,return_to", ORP_EUNSIGNED },
        { "openid.signed", "mode,identity", ORP_EUNSIGNED },
        { "openid.signed", "mode,identity,return_to,x", ORP_EMESSAGE },
        { "openid.sig", "AAAA", ORP_ESIGNATURE },
        { "openid.sig", NULL, ORP_EMESSAGE },
    };
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    visit_t *visit;
    orp_params_t *answer;
    size_t i;

    op_publish(op, USER, OP_SIGNON_11, NULL);
    visit = visit_begin(scene, USER);
    answer = op_answer(op, visit);
    for (i = 0; i < COUNT(table); i++) {
        orp_params_t *other = with(answer, table[i].name, table[i].value);
        int is_sig = !strcmp(table[i].name, "openid.sig");

        assert_refused_quietly(visit, is_sig ? other : op_sign(op, other),
                               table[i].status);
    }
    assert_accepted(visit, answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_login_begins_with_discovery_and_an_association),
        scene_test(a_login_ends_with_an_identity),
        scene_test(the_log_holds_no_secret),
        scene_test(what_was_chosen_is_shown_as_it_is),
        scene_test(signed_attributes_come_with_the_identity),
        scene_test(the_same_answer_twice_is_refused),
        scene_test(a_nonce_is_good_for_one_login),
        scene_test(of_two_at_the_same_time_one_wins),
        scene_test(an_answer_in_1_is_good_once),
        scene_test(forged_copies_do_not_burn_the_nonce),
        scene_test(a_login_that_has_expired_is_none),
        scene_test(a_login_that_never_began_cannot_end),
        scene_test(a_login_that_cannot_be_kept_does_not_begin),
        scene_test(without_a_place_for_nonces_nobody_signs_in),
        scene_test(a_login_that_cannot_be_ended_signs_nobody_in),
        scene_test(a_store_that_fails_on_associations_is_no_reason_to_ask),
        scene_test(an_association_that_cannot_be_kept_is_not_used),
        scene_test(an_association_serves_many_logins),
        scene_test(never_means_always_asking_the_provider),
        scene_test(the_provider_is_asked_last),
        scene_test(the_provider_is_asked_ten_times_for_one_login),
        scene_test(identifiers_are_discovered_ten_times_for_one_login),
        scene_test(the_provider_is_not_asked_about_an_old_answer),
        scene_test(nobody_is_asked_where_the_store_is_full),
        scene_test(one_answer_of_a_login_is_asked_about_at_a_time),
        scene_test(a_forged_answer_does_not_make_us_discover),
        scene_test(an_unknown_handle_is_for_the_provider_that_was_asked),
        scene_test(an_association_that_expired_counts_no_more),
        scene_test(a_handle_that_only_the_message_calls_invalid_is_kept),
        scene_test(a_handle_that_the_provider_confirms_invalid_is_removed),
        scene_test(a_provider_that_fails_to_associate_is_asked_directly),
        scene_test(that_a_provider_makes_none_is_remembered_for_an_hour),
        scene_test(that_a_provider_makes_none_need_not_be_remembered),
        scene_test(
            an_endpoint_that_cannot_be_reached_is_followed_by_the_next),
        scene_test(a_login_whose_providers_are_all_away_fails),
        scene_test(a_login_knocks_at_three_doors),
        scene_test(an_endpoint_that_cannot_be_reached_is_asked_once),
        scene_test(after_a_slow_discovery_one_endpoint_is_asked),
        scene_test(a_login_waits_once_for_what_hangs),
        scene_test(what_is_no_openid_begins_no_login),
        scene_test(without_chance_no_association_is_made),
        scene_test(a_cancel_needs_no_ns),
        scene_test(a_providers_error_is_passed_on_with_a_ceiling),
        scene_test(steam_signs_people_in),
        scene_test(handles_of_any_printable_characters_work),
        scene_test(what_1_does_not_know_of_is_ignored_in_it),
        scene_test(an_answer_in_1_is_checked_as_one_in_2),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("orp", tests, NULL, NULL);
}
