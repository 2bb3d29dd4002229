/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_xri.c - orp_xri, and logins with an i-name (OpenID Authentication 2.0,
 * 7.2, 7.3.1 and 7.3.2.3). */

#include "support_ext.h"

#include "orp_discover.h"
#include "orp_xri.h"

#define PROXY "https://xri.example/"
#define QUERY "?_xrd_r=application/xrds%2Bxml;sep=false"
#define NAME "=vic.example"
#define NUMBER "=!91F2.8153.F600.AE24"
#define OP "https://op.example/auth"

#define AUTHORITY(provider, number, status) \
    "<Query>*vic.example</Query>" status \
    "<ProviderID>" provider "</ProviderID>" \
    "<CanonicalID>" number "</CanonicalID>\n"
#define VERIFIED "<Status cid=\"verified\" code=\"100\">SUCCESS</Status>"
#define SERVICE \
    "<Service priority=\"10\">\n" \
    "<Type select=\"true\">http://openid.net/signon/1.0</Type>\n" \
    "<Type select=\"true\">http://specs.openid.net/auth/2.0/signon</Type>\n" \
    "<ProviderID>xri://!!1000</ProviderID>\n" \
    "<URI append=\"none\">" OP "</URI>\n</Service>\n"
#define GOOD \
    XRDS(AUTHORITY("xri://=", NUMBER, VERIFIED) SERVICE)

static const char *proxied(scene_t *scene, const char *segment)
{
    return apr_pstrcat(scene->pool, PROXY, segment, QUERY, NULL);
}

/* What the proxy is to say once comes to this. */
static apr_status_t resolve(scene_t *scene, orp_xri_t **pxri,
                            const char *document)
{
    orp_reason_t *why = orp_reason_create(scene->pool);
    apr_status_t status;

    scene_page(scene, proxied(scene, NAME),
               "application/xrds+xml;charset=UTF-8", document);
    status = orp_xri_resolve(pxri, &scene->env, PROXY, NAME, why,
                             scene->pool);
    assert_status(why->status, status);
    return status;
}

static void assert_unresolved(scene_t *scene, const char *document)
{
    orp_xri_t *xri = NULL;

    if (resolve(scene, &xri, document) != ORP_EXRI) {
        fail_msg("%s", document);
    }
    assert_null(xri);
}

static void a_name_is_resolved_by_a_proxy(void **state)
{
    scene_t *scene = *state;
    orp_xri_t *xri;
    const orp_service_t *service;

    assert_status(resolve(scene, &xri, GOOD), APR_SUCCESS);
    assert_text(scene_request(scene, 0)->url,
                "https://xri.example/=vic.example"
                "?_xrd_r=application/xrds%2Bxml;sep=false");
    assert_text(scene_request(scene, 0)->accept, "application/xrds+xml");
    assert_text(xri->canonical_id, NUMBER);
    assert_int_equal(xri->services->nelts, 1);
    service = APR_ARRAY_IDX(xri->services, 0, const orp_service_t *);
    assert_int_equal(service->kind, ORP_SIGNON_20);
    assert_text(service->endpoint, OP);
    assert_text(service->local_id, NULL);
}

static void a_name_is_one_segment_of_the_proxys_path(void **state)
{
    static const struct {
        const char *xri;
        const char *segment;
    } table[] = {
        { "=vic*home", "=vic*home" },
        { "@free*vic", "@free*vic" },
        { "!!1000", "!!1000" },
        { "+tag", "+tag" },
        { "(=a)", "(=a)" },
        { "=a/../b", "=a%2F..%2Fb" },
        { "=a?b#c", "=a%3Fb%23c" },
        { "=a%20b", "=a%2520b" },
        { "=b\xC3\xBC", "=b%C3%BC" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        orp_xri_t *xri = NULL;

        scene_reply(scene, "GET", proxied(scene, table[i].segment), 404,
                    "text/plain", "");
        assert_status(orp_xri_resolve(&xri, &scene->env, PROXY,
                                      table[i].xri, NULL, scene->pool),
                      ORP_EHTTP);
    }
    assert_int_equal(scene_requests(scene), (int)COUNT(table));
}

static void a_proxys_url_needs_no_slash_at_its_end(void **state)
{
    scene_t *scene = *state;
    orp_xri_t *xri;

    scene_page(scene, "https://xri.example/r/" NAME QUERY,
               "application/xrds+xml", GOOD);
    assert_status(orp_xri_resolve(&xri, &scene->env, "https://xri.example/r",
                                  NAME, NULL, scene->pool), APR_SUCCESS);
}

static void a_proxy_that_fails_resolves_nothing(void **state)
{
    scene_t *scene = *state;
    const char *url = proxied(scene, NAME);
    orp_xri_t *xri = NULL;

    scene_no_reply(scene, "GET", url, ORP_ETIMEOUT);
    assert_status(orp_xri_resolve(&xri, &scene->env, PROXY, NAME, NULL,
                                  scene->pool), ORP_ETIMEOUT);
    scene_reply(scene, "GET", url, 500, "application/xrds+xml", GOOD);
    assert_status(orp_xri_resolve(&xri, &scene->env, PROXY, NAME, NULL,
                                  scene->pool), ORP_EHTTP);
    assert_status(resolve(scene, &xri, "<html>"), ORP_EXML);
    assert_status(resolve(scene, &xri, ""), ORP_EXML);
    assert_null(xri);
    assert_status(resolve(scene, &xri, GOOD), APR_SUCCESS);
}

static void a_canonical_id_must_be_verified(void **state)
{
    static const char *const documents[] = {
        XRDS(AUTHORITY("xri://=", NUMBER, "<Status cid=\"failed\""
                       " code=\"100\"/>") SERVICE),
        XRDS(AUTHORITY("xri://=", NUMBER, "<Status cid=\"off\""
                       " code=\"100\"/>") SERVICE),
        XRDS(AUTHORITY("xri://=", NUMBER, "<Status cid=\"absent\""
                       " code=\"100\"/>") SERVICE),
        XRDS(AUTHORITY("xri://=", NUMBER, "<Status cid=\"\""
                       " code=\"100\"/>") SERVICE),
        XRDS(AUTHORITY("xri://=", NUMBER, "<Status cid=\"verified\""
                       " code=\"222\"/>") SERVICE),
        XRDS(AUTHORITY("xri://=", NUMBER, "<Status code=\"300\"/>")
             SERVICE),
        XRDS(VERIFIED "<CanonicalID>" NUMBER "</CanonicalID>" SERVICE),
        XRDS(VERIFIED "<ProviderID>xri://=</ProviderID>" SERVICE),
        XRDS(AUTHORITY("xri://=", "", VERIFIED) SERVICE),
        XRDS(SERVICE),
    };
    scene_t *scene = *state;
    orp_xri_t *xri;
    size_t i;

    for (i = 0; i < COUNT(documents); i++) {
        assert_unresolved(scene, documents[i]);
    }
    assert_status(resolve(scene, &xri, GOOD), APR_SUCCESS);
    assert_status(resolve(scene, &xri, XRDS(AUTHORITY(
        "xri://=", NUMBER, "<Status code=\"100\"/>") SERVICE)), APR_SUCCESS);
    assert_status(resolve(scene, &xri, XRDS(AUTHORITY(
        "xri://=", NUMBER, "") SERVICE)), APR_SUCCESS);
}

/* Else whoever has a name could be anybody who has a web page. */
static void a_canonical_id_is_a_number_of_the_same_root(void **state)
{
    static const char *const documents[] = {
        XRDS(AUTHORITY("xri://=", "https://victim.example/", VERIFIED)
             SERVICE),
        XRDS(AUTHORITY("xri://=", "victim.example", VERIFIED) SERVICE),
        XRDS(AUTHORITY("xri://=", "xri://", VERIFIED) SERVICE),
        XRDS(AUTHORITY("xri://=", "@!91F2.8153.F600.AE24", VERIFIED)
             SERVICE),
    };
    scene_t *scene = *state;
    orp_xri_t *xri;
    size_t i;

    for (i = 0; i < COUNT(documents); i++) {
        assert_unresolved(scene, documents[i]);
    }
    assert_status(resolve(scene, &xri, XRDS(AUTHORITY(
        "xri://=", "xri://" NUMBER, VERIFIED) SERVICE)), APR_SUCCESS);
    assert_text(xri->canonical_id, NUMBER);
}

#define CHAIN(first, status, second) \
    "<x:XRDS xmlns:x=\"xri://$xrds\" xmlns=\"xri://$xrd*($v*2.0)\">" \
    "<XRD>" AUTHORITY("xri://=", first, "") "</XRD>" \
    "<XRD>" AUTHORITY("xri://=!1", second, status) SERVICE "</XRD></x:XRDS>"

static void numbers_of_a_chain_lie_below_each_other(void **state)
{
    scene_t *scene = *state;
    orp_xri_t *xri;

    assert_unresolved(scene, CHAIN("=!1", "", "=!2!3"));
    assert_unresolved(scene, CHAIN("=!1", "", "=!12"));
    assert_unresolved(scene, CHAIN("=!1", "", "=!1"));
    assert_unresolved(scene, CHAIN("", "", "=!1!3"));
    assert_unresolved(scene, CHAIN("=!1!3", "", "=!1"));
    assert_status(resolve(scene, &xri, CHAIN("=!1a", "", "=!1A!3")),
                  APR_SUCCESS);
    assert_text(xri->canonical_id, "=!1A!3");
    /* a resolver that has checked may know better */
    assert_status(resolve(scene, &xri, CHAIN("=!1", VERIFIED, "=!2!3")),
                  APR_SUCCESS);
    assert_unresolved(scene, CHAIN("=!1", "<Status cid='failed'/>",
                                   "=!1!3"));
}

/* ---------------------------------------------------------------------- */
/* Logins */

static op_t *published(scene_t *scene)
{
    scene->env.xri_proxy = PROXY;
    publish_xrds(scene, proxied(scene, NAME), GOOD);
    publish_xrds(scene, proxied(scene, NUMBER), GOOD);
    return op_at(scene, OP);
}

static void without_a_proxy_there_are_no_i_names(void **state)
{
    scene_t *scene = *state;
    visit_t *visit = visit_new(scene, NAME);
    orp_reason_t *why;

    assert_status(visit_status(visit, &why), ORP_EXRI);
    assert_int_equal(visit->login->state, ORP_LOGIN_FAILED);
    assert_true(strstr(why->sentence, NAME));
    assert_int_equal(scene_requests(scene), 0);
    (void)published(scene);
    assert_status(visit_status(visit_new(scene, NAME), &why), APR_SUCCESS);
}

static void a_name_without_a_service_is_no_openid(void **state)
{
    scene_t *scene = *state;
    orp_reason_t *why;

    scene->env.xri_proxy = PROXY;
    publish_xrds(scene, proxied(scene, NAME),
                 XRDS(AUTHORITY("xri://=", NUMBER, VERIFIED)));
    assert_status(visit_status(visit_new(scene, NAME), &why),
                  ORP_ENOTOPENID);
}

static void the_number_is_who_signs_in_and_the_name_is_shown(void **state)
{
    static const char *const typed[] = { NAME, "xri://" NAME, " " NAME };
    scene_t *scene = *state;
    op_t *op = published(scene);
    size_t i;

    for (i = 0; i < COUNT(typed); i++) {
        visit_t *visit = visit_begin(scene, typed[i]);
        orp_identity_t *identity;

        assert_text(asked(visit, "openid.claimed_id"), NUMBER);
        assert_text(asked(visit, "openid.identity"), NUMBER);
        identity = assert_accepted(visit, op_answer(op, visit));
        assert_text(identity->claimed_id, NUMBER);
        assert_text(identity->display, typed[i]);
        assert_text(identity->endpoint, OP);
    }
}

static void an_answer_about_another_number_is_refused(void **state)
{
    static const char *const others[] = {
        NAME, "=!91F2.8153.F600.AE25", NUMBER "!1", "=!91f2.8153.f600.ae24",
        ("https://xri.example/" NUMBER), "@!91F2.8153.F600.AE24",
    };
    scene_t *scene = *state;
    op_t *op = published(scene);
    visit_t *visit = visit_begin(scene, NAME);
    size_t i;

    for (i = 0; i < COUNT(others); i++) {
        assert_refused_quietly(visit, op_answer_about(op, visit, others[i],
                                                      NUMBER),
                               ORP_EIDENTITY);
        assert_refused_quietly(visit, op_answer_about(op, visit, NUMBER,
                                                      others[i]),
                               ORP_EIDENTITY);
    }
    assert_text(assert_accepted(visit, op_answer_about(
        op, visit, "xri://" NUMBER, NUMBER))->claimed_id, NUMBER);
}

static void the_services_of_a_name_may_have_a_local_id(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    visit_t *visit;

    scene->env.xri_proxy = PROXY;
    publish_xrds(scene, proxied(scene, NAME), XRDS(
        AUTHORITY("xri://=", NUMBER, VERIFIED) "<Service>"
        "<Type>http://specs.openid.net/auth/2.0/signon</Type>"
        "<URI>" OP "</URI><LocalID>https://op.example/~vic</LocalID>"
        "</Service>"));
    visit = visit_begin(scene, NAME);
    assert_text(asked(visit, "openid.claimed_id"), NUMBER);
    assert_text(asked(visit, "openid.identity"), "https://op.example/~vic");
    assert_refused_quietly(visit, op_answer_about(op, visit, NUMBER, NUMBER),
                           ORP_EIDENTITY);
    assert_text(assert_accepted(visit, op_answer(op, visit))->claimed_id,
                NUMBER);
}

static void a_number_that_the_provider_chose_is_resolved(void **state)
{
    scene_t *scene = *state;
    op_t *op = published(scene);
    visit_t *visit;

    publish_xrds(scene, proxied(scene, "=!0"), XRDS(
        AUTHORITY("xri://=", "=!0", VERIFIED) "<Service>"
        "<Type>http://specs.openid.net/auth/2.0/signon</Type>"
        "<URI>https://other.example/</URI></Service>"));
    op_publish(op, "https://op.example/", OP_SERVER_20, NULL);
    visit = visit_begin(scene, "https://op.example/");
    /* somebody else's; and a name, which is no lasting identifier */
    assert_refused(visit, op_answer_about(op, visit, "=!0", "=!0"),
                   ORP_EIDENTITY);
    assert_refused(visit, op_answer_about(op, visit, NAME, NAME),
                   ORP_EIDENTITY);
    assert_refused(visit, op_answer_about(op, visit, NAME, NUMBER),
                   ORP_EIDENTITY);
    assert_text(assert_accepted(visit, op_answer_about(
        op, visit, NUMBER, NUMBER))->claimed_id, NUMBER);
}

static void a_chosen_number_needs_a_proxy(void **state)
{
    scene_t *scene = *state;
    op_t *op = published(scene);
    visit_t *visit;

    op_publish(op, "https://op.example/", OP_SERVER_20, NULL);
    visit = visit_begin(scene, "https://op.example/");
    scene->env.xri_proxy = NULL;
    assert_refused_quietly(visit, op_answer_about(op, visit, NUMBER, NUMBER),
                           ORP_EIDENTITY);
    scene->env.xri_proxy = PROXY;
    assert_accepted(visit, op_answer_about(op, visit, NUMBER, NUMBER));
}

static void at_a_url_a_canonical_id_means_nothing(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, OP);
    visit_t *visit;

    publish_xrds(scene, "https://user.example/", GOOD);
    visit = visit_begin(scene, "https://user.example/");
    assert_text(visit->login->claimed_id, "https://user.example/");
    assert_refused_quietly(visit, op_answer_about(op, visit, NUMBER, NUMBER),
                           ORP_EIDENTITY);
    assert_text(assert_accepted(visit, op_answer(op, visit))->claimed_id,
                "https://user.example/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_name_is_resolved_by_a_proxy),
        scene_test(a_name_is_one_segment_of_the_proxys_path),
        scene_test(a_proxys_url_needs_no_slash_at_its_end),
        scene_test(a_proxy_that_fails_resolves_nothing),
        scene_test(a_canonical_id_must_be_verified),
        scene_test(a_canonical_id_is_a_number_of_the_same_root),
        scene_test(numbers_of_a_chain_lie_below_each_other),
        scene_test(without_a_proxy_there_are_no_i_names),
        scene_test(a_name_without_a_service_is_no_openid),
        scene_test(the_number_is_who_signs_in_and_the_name_is_shown),
        scene_test(an_answer_about_another_number_is_refused),
        scene_test(the_services_of_a_name_may_have_a_local_id),
        scene_test(a_number_that_the_provider_chose_is_resolved),
        scene_test(a_chosen_number_needs_a_proxy),
        scene_test(at_a_url_a_canonical_id_means_nothing),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("xri", tests, NULL, NULL);
}
