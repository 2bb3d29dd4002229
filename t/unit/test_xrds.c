/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_xrds.c - orp_xrds and orp_service: the services in a document, in the
 * order of use. */

#include "support.h"

#include "orp_xrds.h"

#define OPEN "<x:XRDS xmlns:x='xri://$xrds' xmlns='xri://$xrd*($v*2.0)' " \
    "xmlns:openid='http://openid.net/xmlns/1.0'>"
#define CLOSE "</x:XRDS>"
#define S20 "<Type>" ORP_TYPE_SIGNON_20 "</Type>"
#define S11 "<Type>" ORP_TYPE_SIGNON_11 "</Type>"
#define S10 "<Type>" ORP_TYPE_SIGNON_10 "</Type>"
#define SERVER "<Type>" ORP_TYPE_SERVER_20 "</Type>"

static apr_status_t services_of(scene_t *scene, const char *document,
                                apr_array_header_t **pservices)
{
    orp_reason_t *why = orp_reason_create(scene->pool);
    apr_status_t status;

    *pservices = NULL;
    status = orp_xrds_services(pservices, document, strlen(document), why,
                               scene->pool);
    assert_status(why->status, status);
    if (status != APR_SUCCESS) {
        assert_status(status, ORP_EXML);
        assert_null(*pservices);
        assert_true(*why->sentence);
    }
    return status;
}

/* The endpoints of what stands in one XRD, separated by spaces; a local id
 * follows its endpoint behind "=". */
static const char *endpoints(scene_t *scene, const char *content)
{
    apr_array_header_t *services;
    const char *text = "";
    int i;

    assert_status(services_of(scene, apr_pstrcat(
        scene->pool, OPEN "<XRD>", content, "</XRD>" CLOSE, NULL),
        &services), APR_SUCCESS);
    for (i = 0; i < services->nelts; i++) {
        const orp_service_t *service = APR_ARRAY_IDX(services, i,
                                                     orp_service_t *);

        text = apr_pstrcat(scene->pool, text, i ? " " : "",
                           service->endpoint, service->local_id ? "=" : "",
                           service->local_id ? service->local_id : "", NULL);
    }
    return text;
}

static void a_service_has_kind_endpoint_types_and_local_id(void **state)
{
    scene_t *scene = *state;
    apr_array_header_t *services;
    const orp_service_t *service;

    assert_status(services_of(scene,
        "<?xml version='1.0' encoding='UTF-8'?>" OPEN "<XRD><Service>"
        "<Type>urn:other</Type>" S20 "<URI> HTTPS://op.Example:443/a/../b?c\n"
        "</URI><LocalID> https://op.example/~user </LocalID></Service></XRD>"
        CLOSE, &services), APR_SUCCESS);
    assert_int_equal(services->nelts, 1);
    service = APR_ARRAY_IDX(services, 0, orp_service_t *);
    assert_int_equal(service->kind, ORP_SIGNON_20);
    assert_text(service->endpoint, "https://op.example/b?c");
    assert_text(service->local_id, "https://op.example/~user");
    assert_int_equal(service->types->nelts, 2);
    assert_text(APR_ARRAY_IDX(service->types, 0, const char *), "urn:other");
    assert_false(orp_services_is_op_identifier(services));
}

static void services_come_by_kind_first(void **state)
{
    scene_t *scene = *state;

    assert_text(endpoints(scene,
        "<Service priority='0'>" S10 "<URI>http://s10/</URI></Service>"
        "<Service priority='1'>" S11 "<URI>http://s11/</URI></Service>"
        "<Service priority='2'>" S20 "<URI>http://s20/</URI></Service>"
        "<Service priority='3'>" SERVER "<URI>http://server/</URI>"
        "</Service>"),
        "http://server/ http://s20/ http://s11/ http://s10/");
}

static void the_best_type_is_the_kind(void **state)
{
    scene_t *scene = *state;
    apr_array_header_t *services;

    assert_status(services_of(scene, OPEN "<XRD><Service>" S10 S11 S20 SERVER
                              "<URI>http://a/</URI></Service></XRD>" CLOSE,
                              &services), APR_SUCCESS);
    assert_int_equal(services->nelts, 1);
    assert_true(orp_services_is_op_identifier(services));
    assert_int_equal(orp_service_version(ORP_SERVER_20), ORP_VERSION_2);
    assert_int_equal(orp_service_version(ORP_SIGNON_20), ORP_VERSION_2);
    assert_int_equal(orp_service_version(ORP_SIGNON_11), ORP_VERSION_1);
    assert_int_equal(orp_service_version(ORP_SIGNON_10), ORP_VERSION_1);
    assert_text(orp_service_type(ORP_SIGNON_10), ORP_TYPE_SIGNON_10);
}

static void no_services_are_no_op_identifier(void **state)
{
    scene_t *scene = *state;
    apr_array_header_t *services;

    assert_status(services_of(scene, OPEN "<XRD/>" CLOSE, &services),
                  APR_SUCCESS);
    assert_int_equal(services->nelts, 0);
    assert_false(orp_services_is_op_identifier(services));
}

#define AT(priority, uri) \
    "<Service priority='" priority "'>" S20 "<URI>" uri "</URI></Service>"

static void services_come_by_priority_then(void **state)
{
    static const char *const last[] = {
        "-1", "NaN", "1e99", "", " 1", "0x1", "4294967296",
        "99999999999999999999",
    };
    scene_t *scene = *state;
    size_t i;

    assert_text(endpoints(scene, AT("10", "http://c/") AT("2", "http://b/")
                          AT("0", "http://a/")
                          "<Service>" S20 "<URI>http://d/</URI></Service>"),
                "http://a/ http://b/ http://c/ http://d/");
    for (i = 0; i < COUNT(last); i++) {
        assert_text(endpoints(scene, apr_pstrcat(
            scene->pool, "<Service priority='", last[i], "'>" S20
            "<URI>http://last/</URI></Service>" AT("4294967294",
                                                   "http://first/"), NULL)),
            "http://first/ http://last/");
    }
}

static void equals_stay_as_they_stand(void **state)
{
    scene_t *scene = *state;
    const char *content = "", *expected = "";
    int i;

    for (i = 0; i < 50; i++) {
        content = apr_psprintf(scene->pool, "%s<Service priority='1'>" S20
                               "<URI>http://a/%d</URI></Service>", content,
                               i);
        if (i < ORP_XRDS_SERVICES) {
            expected = apr_psprintf(scene->pool, "%s%shttp://a/%d", expected,
                                    i ? " " : "", i);
        }
    }
    assert_text(endpoints(scene, content), expected);
}

static void uris_of_one_service_come_by_their_priority(void **state)
{
    scene_t *scene = *state;

    assert_text(endpoints(scene,
        "<Service priority='1'>" S20 "<URI>http://none/</URI>"
        "<URI priority='20'>http://b/</URI>"
        "<URI priority='3'>http://a/</URI></Service>"
        "<Service priority='0'>" S20 "<URI priority='9'>http://first/</URI>"
        "</Service>"),
        "http://first/ http://a/ http://b/ http://none/");
}

static void only_the_last_xrd_counts(void **state)
{
    scene_t *scene = *state;
    apr_array_header_t *services;

    assert_status(services_of(scene, OPEN
        "<XRD>" AT("0", "http://first/") "</XRD>"
        "<XRD>" AT("0", "http://last/") "</XRD>" CLOSE, &services),
        APR_SUCCESS);
    assert_int_equal(services->nelts, 1);
    assert_text(APR_ARRAY_IDX(services, 0, orp_service_t *)->endpoint,
                "http://last/");
    assert_status(services_of(scene, OPEN
        "<XRD>" AT("0", "http://first/") "</XRD><XRD/>" CLOSE, &services),
        APR_SUCCESS);
    assert_int_equal(services->nelts, 0);
}

static void a_local_id_is_that_of_its_version(void **state)
{
    static const struct {
        const char *content;
        const char *found;
    } table[] = {
        { S20 "<LocalID>l</LocalID>", "http://a/=l" },
        { S20 "<openid:Delegate>d</openid:Delegate>", "http://a/" },
        { S20 "<LocalID>l</LocalID><openid:Delegate>d</openid:Delegate>",
          "http://a/=l" },
        { S11 "<LocalID>l</LocalID><openid:Delegate>d</openid:Delegate>",
          "http://a/=d" },
        { S11 "<LocalID>l</LocalID>", "http://a/=l" },
        { S10 "<openid:Delegate>d</openid:Delegate>", "http://a/=d" },
        { S11 "<Delegate>d</Delegate>", "http://a/" },
        { SERVER "<LocalID>l</LocalID>", "http://a/" },
        { S20 "<LocalID></LocalID>", "http://a/" },
        { S20 "<LocalID>b</LocalID><LocalID priority='1'>a</LocalID>",
          "http://a/=a" },
        { S20 "<LocalID priority='2'>b</LocalID>"
          "<LocalID priority='1'>a</LocalID>", "http://a/=a" },
        { S20 "<x:LocalID>l</x:LocalID>", "http://a/" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        assert_text(endpoints(scene, apr_pstrcat(
            scene->pool, "<Service>", table[i].content,
            "<URI>http://a/</URI></Service>", NULL)), table[i].found);
    }
}

static void other_types_and_namespaces_are_no_service(void **state)
{
    static const char *const contents[] = {
        "<Service><Type>http://specs.openid.net/auth/2.0/return_to</Type>"
        "<URI>http://a/</URI></Service>",
        "<Service><Type>http://specs.openid.net/auth/2.0/signon/</Type>"
        "<URI>http://a/</URI></Service>",
        "<Service><Type>https://specs.openid.net/auth/2.0/signon</Type>"
        "<URI>http://a/</URI></Service>",
        "<Service><Type>HTTP://specs.openid.net/auth/2.0/signon</Type>"
        "<URI>http://a/</URI></Service>",
        "<Service><URI>http://a/</URI></Service>",
        "<Service>" S20 "</Service>",
        "<Service>" S20 "<URI/></Service>",
        "<x:Service>" S20 "<URI>http://a/</URI></x:Service>",
        "<Service><x:Type>" ORP_TYPE_SIGNON_20 "</x:Type>"
        "<URI>http://a/</URI></Service>",
        "<Service>" S20 "<x:URI>http://a/</x:URI></Service>",
        "<Service xmlns=''>" S20 "<URI>http://a/</URI></Service>",
        "<Service xmlns='xri://$xrd*($v*2.1)'>" S20
        "<URI>http://a/</URI></Service>",
        "<service>" S20 "<URI>http://a/</URI></service>",
        "<Service><Type><URI>" ORP_TYPE_SIGNON_20 "</URI></Type>"
        "<URI>http://a/</URI></Service>",
        "<Service>" S20 "<URI><Type>http://a/</Type></URI></Service>",
        "<Other><Service>" S20 "<URI>http://a/</URI></Service></Other>",
        "<!-- <Service>" S20 "<URI>http://a/</URI></Service> -->",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(contents); i++) {
        assert_text(endpoints(scene, contents[i]), "");
        assert_text(endpoints(scene, apr_pstrcat(
            scene->pool, contents[i], AT("1", "http://b/"), NULL)),
            "http://b/");
    }
}

static void a_hostile_endpoint_is_left_out(void **state)
{
    static const char *const uris[] = {
        "javascript:alert(1)", "data:text/html,x", "/relative", "relative",
        "//a.example/", "ftp://a.example/", "file:///etc/passwd",
        "http://user@a.example/", "http://user:pw@a.example/", "http://",
        "http://a.example/&#13;&#10;Set-Cookie:x", "http://a.example/&#9;x",
        "http://a b/", "mailto:a@b", "http://a.example:0/",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(uris); i++) {
        assert_text(endpoints(scene, apr_pstrcat(
            scene->pool, "<Service>" S20 "<URI>", uris[i],
            "</URI><URI>http://good/</URI></Service>", NULL)),
            "http://good/");
    }
}

static void what_is_no_xrds_is_refused_entirely(void **state)
{
    static const char *const documents[] = {
        "", " ", "x", "<html/>",
        OPEN "<XRD>" AT("0", "http://a/") "</XRD>",
        OPEN "<XRD>" AT("0", "http://a/") "</XRD></x:XRDS",
        OPEN "<XRD>" AT("0", "http://a/") "</XRD>" CLOSE "x",
        OPEN "<XRD>" AT("0", "http://a/") "</xrd>" CLOSE,
        OPEN CLOSE,
        "<XRDS><XRD xmlns='xri://$xrd*($v*2.0)'>" AT("0", "http://a/")
        "</XRD></XRDS>",
        "<x:xrds xmlns:x='xri://$xrds'><XRD xmlns='xri://$xrd*($v*2.0)'>"
        AT("0", "http://a/") "</XRD></x:xrds>",
        "<XRD xmlns='xri://$xrd*($v*2.0)'>" AT("0", "http://a/") "</XRD>",
        "<!DOCTYPE x [<!ENTITY e 'http://a/'>]>" OPEN "<XRD>"
        AT("0", "&e;") "</XRD>" CLOSE,
        "<!DOCTYPE x SYSTEM 'http://canary.example/'>" OPEN "<XRD>"
        AT("0", "http://a/") "</XRD>" CLOSE,
        OPEN "<XRD>" AT("0", "&undefined;") "</XRD>" CLOSE,
    };
    scene_t *scene = *state;
    apr_array_header_t *services;
    size_t i;

    for (i = 0; i < COUNT(documents); i++) {
        assert_status(services_of(scene, documents[i], &services), ORP_EXML);
    }
    assert_status(services_of(scene, OPEN "<XRD>" AT("0", "http://a/")
                              "</XRD>" CLOSE, &services), APR_SUCCESS);
}

/* A stranger's document does not say how much work it makes. */
static void of_many_services_the_first_ten_are_kept(void **state)
{
    scene_t *scene = *state;
    const char *services = "", *uris = "", *expected = "";
    int i;

    assert_int_equal(ORP_XRDS_SERVICES, 10);
    for (i = 0; i < 150; i++) {
        /* the last of the document is the first in the order of use */
        services = apr_psprintf(scene->pool, "%s<Service priority='%d'>" S20
                                "<URI>http://h%d/</URI></Service>", services,
                                150 - i, i);
        uris = apr_psprintf(scene->pool, "%s<URI priority='%d'>http://h%d/"
                            "</URI>", uris, 150 - i, i);
    }
    for (i = 149; i >= 140; i--) {
        expected = apr_psprintf(scene->pool, "%s%shttp://h%d/", expected,
                                *expected ? " " : "", i);
    }
    assert_text(endpoints(scene, services), expected);
    assert_text(endpoints(scene, apr_pstrcat(scene->pool, "<Service>" S20,
                                             uris, "</Service>", NULL)),
                expected);
    /* what is no service, or no endpoint, takes no place */
    assert_text(endpoints(scene, apr_pstrcat(
        scene->pool, "<Service priority='0'><Type>urn:other</Type>", uris,
        "</Service><Service priority='1'>" S20,
        repeated("<URI>javascript:x</URI>", 20, scene->pool),
        "<URI>http://good/</URI></Service>", NULL)), "http://good/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_service_has_kind_endpoint_types_and_local_id),
        scene_test(services_come_by_kind_first),
        scene_test(the_best_type_is_the_kind),
        scene_test(no_services_are_no_op_identifier),
        scene_test(services_come_by_priority_then),
        scene_test(equals_stay_as_they_stand),
        scene_test(uris_of_one_service_come_by_their_priority),
        scene_test(only_the_last_xrd_counts),
        scene_test(a_local_id_is_that_of_its_version),
        scene_test(other_types_and_namespaces_are_no_service),
        scene_test(a_hostile_endpoint_is_left_out),
        scene_test(what_is_no_xrds_is_refused_entirely),
        scene_test(of_many_services_the_first_ten_are_kept),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("xrds", tests, NULL, NULL);
}
