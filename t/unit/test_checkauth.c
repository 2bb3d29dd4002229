/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_checkauth.c - orp_checkauth: what is asked, and what counts as yes. */

#include "support_op.h"

#include "orp_checkauth.h"

#define OP "https://op.example/auth"

static orp_message_t *assertion(scene_t *scene)
{
    return message_of(params_of(
        scene->pool, "openid.ns", ORP_NS_20, "openid.mode", "id_res",
        "openid.op_endpoint", "https://other.example/",
        "openid.assoc_handle", "h", "openid.invalidate_handle", "old",
        "openid.response_nonce", SCENE_TIME_TEXT "+/=", "openid.empty", "",
        "openid.signed", "signed,op_endpoint", "openid.sig", "a+b/c=",
        "other", "left alone", NULL), scene->pool);
}

/* What the answer of this status and text comes to. */
static apr_status_t answered(scene_t *scene, int status, const char *body)
{
    orp_reason_t *why = orp_reason_create(scene->pool);
    apr_status_t outcome;

    scene_reply(scene, "POST", OP, status, "text/plain", body);
    outcome = orp_checkauth(&scene->env, OP, assertion(scene), why,
                            scene->pool);
    assert_status(why->status, outcome);
    assert_int_equal(scene_unused(scene), 0);
    return outcome;
}

static void the_provider_gets_an_exact_copy_of_all_but_the_mode(void **state)
{
    scene_t *scene = *state;
    const orp_params_t *fields = orp_message_fields(assertion(scene));
    orp_params_t *form;
    const sent_t *request;
    int i;

    assert_status(answered(scene, 200, "is_valid:true\n"), APR_SUCCESS);
    request = scene_request(scene, 0);
    assert_text(request->url, OP);
    assert_status(orp_params_parse_form(&form, request->form,
                                        strlen(request->form), scene->pool),
                  APR_SUCCESS);
    assert_int_equal(orp_params_size(form), orp_params_size(fields));
    for (i = 0; i < orp_params_size(form); i++) {
        const char *name = orp_params_name(fields, i);

        assert_text(orp_params_name(form, i),
                    apr_pstrcat(scene->pool, "openid.", name, NULL));
        assert_text(orp_params_value(form, i),
                    !strcmp(name, "mode") ? "check_authentication"
                    : orp_params_value(fields, i));
    }
}

static void only_is_valid_true_is_a_yes(void **state)
{
    static const char *const no[] = {
        "is_valid:false\n", "is_valid:TRUE\n", "is_valid:True\n",
        "is_valid: true\n", "is_valid:true \n", "is_valid:1\n",
        "is_valid:true\r\n", "is_valid:true", "is_valid\n", "", "\n",
        "is_valid:\n", "is_valid:truee\n", " is_valid:true\n",
        "is_valid :true\n", "Is_valid:true\n", "openid.is_valid:true\n",
        "is_valid:false\nis_valid:true\n", "is_valid:true\nis_valid:true\n",
        "is_valid:true\nis_valid:false\n", "error:is_valid:true\n",
        "<html>is_valid:true\n</html>", "is_valid:true\n\n",
        "is_valid:true\nx", "x:\x01\nis_valid:true\n", "is_valid=true",
        "{\"is_valid\":\"true\"}\n", "\xEF\xBB\xBFis_valid:true\n",
    };
    static const char *const yes[] = {
        "is_valid:true\n", "ns:" ORP_NS_20 "\nis_valid:true\n",
        "is_valid:true\nextra:a:b\n", "is_valid:true\ninvalidate_handle:x\n",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(no); i++) {
        assert_status(answered(scene, 200, no[i]), ORP_ESIGNATURE);
    }
    for (i = 0; i < COUNT(yes); i++) {
        assert_status(answered(scene, 200, yes[i]), APR_SUCCESS);
    }
}

static void a_nul_does_not_end_the_answer(void **state)
{
    static const char body[] = "is_valid:true\0\n";
    scene_t *scene = *state;
    orp_http_response_t *response = scene_reply(scene, "POST", OP, 200, "",
                                                "");

    response->body = body;
    response->size = sizeof(body) - 1;
    assert_status(orp_checkauth(&scene->env, OP, assertion(scene), NULL,
                                scene->pool), ORP_ESIGNATURE);
}

static void a_yes_of_another_status_is_a_no(void **state)
{
    static const int statuses[] = { 201, 204, 301, 302, 307, 400, 404, 500 };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(statuses); i++) {
        assert_status(answered(scene, statuses[i], "is_valid:true\n"),
                      ORP_ESIGNATURE);
    }
    assert_status(answered(scene, 200, "is_valid:true\n"), APR_SUCCESS);
}

static void a_redirect_is_not_followed(void **state)
{
    scene_t *scene = *state;
    orp_http_response_t *response = scene_reply(scene, "POST", OP, 302, "",
                                                "is_valid:true\n");

    response->location = "https://elsewhere.example/";
    assert_status(orp_checkauth(&scene->env, OP, assertion(scene), NULL,
                                scene->pool), ORP_ESIGNATURE);
    assert_int_equal(scene_requests(scene), 1);
}

static void a_provider_that_is_away_says_neither(void **state)
{
    static const apr_status_t failures[] = {
        ORP_ERESOLVE, ORP_ECONNECT, ORP_ETIMEOUT, ORP_ETLS, ORP_EADDRESS,
        ORP_ETOOBIG, ORP_EFETCH,
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(failures); i++) {
        scene_no_reply(scene, "POST", OP, failures[i]);
        assert_status(orp_checkauth(&scene->env, OP, assertion(scene),
                                    orp_reason_create(scene->pool),
                                    scene->pool), failures[i]);
    }
}

static int is_kept(scene_t *scene, const char *handle)
{
    orp_assoc_t *assoc;

    return orp_assoc_find(&assoc, &scene->env, OP, handle, scene->pool)
        == APR_SUCCESS;
}

static void only_a_confirmed_handle_is_forgotten(void **state)
{
    static const struct {
        const char *answer;
        apr_status_t status;
        int kept;
    } table[] = {
        { "is_valid:true\n", APR_SUCCESS, 1 },
        { "is_valid:true\ninvalidate_handle:other\n", APR_SUCCESS, 1 },
        { "is_valid:true\ninvalidate_handle:\n", APR_SUCCESS, 1 },
        { "is_valid:false\ninvalidate_handle:old\n", ORP_ESIGNATURE, 1 },
        { "is_valid:true\ninvalidate_handle:old\n", APR_SUCCESS, 0 },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        static const char *const handles[] = { "old", "other" };
        int j;

        for (j = 0; j < 2; j++) {
            orp_assoc_t assoc = { OP, handles[j], ORP_SHA1, { 0 },
                                  SCENE_TIME + APR_USEC_PER_SEC };

            assert_status(orp_assoc_save(&assoc, &scene->env, scene->pool),
                          APR_SUCCESS);
        }
        assert_status(answered(scene, 200, table[i].answer),
                      table[i].status);
        assert_int_equal(is_kept(scene, "old"), table[i].kept);
        assert_true(is_kept(scene, "other"));
    }
}

static void a_handle_that_cannot_be_forgotten_is_logged(void **state)
{
    scene_t *scene = *state;

    scene_store_fails(scene, ORP_STORE_ASSOCIATION, ORP_ESTORE);
    assert_status(answered(scene, 200,
                           "is_valid:true\ninvalidate_handle:old\n"),
                  APR_SUCCESS);
    assert_int_equal(scene_logged(scene, 103), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(the_provider_gets_an_exact_copy_of_all_but_the_mode),
        scene_test(only_is_valid_true_is_a_yes),
        scene_test(a_nul_does_not_end_the_answer),
        scene_test(a_yes_of_another_status_is_a_no),
        scene_test(a_redirect_is_not_followed),
        scene_test(a_provider_that_is_away_says_neither),
        scene_test(only_a_confirmed_handle_is_forgotten),
        scene_test(a_handle_that_cannot_be_forgotten_is_logged),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("checkauth", tests, NULL, NULL);
}
