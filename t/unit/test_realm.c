/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_realm.c - orp_realm: what a realm is, and what it covers. */

#include "support_ext.h"

#include "orp_realm.h"

static apr_status_t parse(scene_t *scene, const char *text)
{
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_realm_t *realm = NULL;
    apr_status_t status = orp_realm_parse(&realm, text, why, scene->pool);

    assert_int_equal(realm != NULL, status == APR_SUCCESS);
    assert_status(why->status, status);
    assert_int_equal(*why->sentence != '\0', status != APR_SUCCESS);
    return status;
}

static apr_status_t check(scene_t *scene, const char *realm,
                          const char *return_to)
{
    return orp_realm_check(realm, return_to, orp_reason_create(scene->pool),
                           scene->pool);
}

typedef struct {
    const char *realm;
    const char *covered;        /* the control on the same realm */
    const char *other;          /* what it does not cover */
} pair_t;

static void check_pairs(scene_t *scene, const pair_t *pairs, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (check(scene, pairs[i].realm, pairs[i].covered) != APR_SUCCESS
            || check(scene, pairs[i].realm, pairs[i].other)
            != ORP_EREALM) {
            fail_msg("%s, %s, %s", pairs[i].realm, pairs[i].covered,
                     pairs[i].other);
        }
    }
}

static void scheme_and_port_are_identical(void **state)
{
    static const pair_t pairs[] = {
        { "https://a.example/", "https://a.example/x", "http://a.example/" },
        { "http://a.example/", "http://a.example/x", "https://a.example/" },
        { "https://a.example/", "https://a.example:443/",
          "https://a.example:8443/" },
        { "https://a.example:443/", "https://a.example/",
          "https://a.example:80/" },
        { "http://a.example:8080/", "http://a.example:8080/x",
          "http://a.example/" },
        { "HTTPS://A.example", "https://a.EXAMPLE", "http://a.example:443/" },
    };

    check_pairs(*state, pairs, COUNT(pairs));
}

static void the_host_is_identical(void **state)
{
    static const pair_t pairs[] = {
        { "https://a.example/", "https://a.example/", "https://b.example/" },
        { "https://a.example/", "https://A.Example/",
          "https://www.a.example/" },
        { "https://a.example/", "https://a.example/",
          "https://a.example.evil.example/" },
        { "https://a.example/", "https://a.example/", "https://xa.example/" },
        { "https://a.example/", "https://a.example/", "https://a.example./" },
        { "https://[::1]/", "https://[0:0:0:0:0:0:0:1]/", "https://[::2]/" },
        { "https://b\xC3\xBC" "cher.example/",
          "https://xn--bcher-kva.example/", "https://bucher.example/" },
    };

    check_pairs(*state, pairs, COUNT(pairs));
}

static void a_wildcard_covers_a_name_and_all_below_it(void **state)
{
    static const pair_t pairs[] = {
        { "https://*.site.example/", "https://www.site.example/",
          "https://evilsite.example/" },
        { "https://*.site.example/", "https://a.b.site.example/",
          "https://site.example.evil.example/" },
        { "https://*.site.example/", "https://site.example/",
          "https://example/" },
        { "https://*.site.example/", "https://WWW.site.example/",
          "https://www.site.example./" },
        { "https://*.site.example:8443/x", "https://w.site.example:8443/x/y",
          "https://w.site.example/x" },
        { "https://*.site.example/x", "https://w.site.example/x",
          "http://w.site.example/x" },
        { "https://*.b\xC3\xBC" "cher.example/",
          "https://www.xn--bcher-kva.example/",
          "https://wwwxn--bcher-kva.example/" },
    };

    check_pairs(*state, pairs, COUNT(pairs));
}

static void the_path_is_the_same_or_below(void **state)
{
    static const pair_t pairs[] = {
        { "https://a.example/app", "https://a.example/app",
          "https://a.example/apple" },
        { "https://a.example/app", "https://a.example/app/x",
          "https://a.example/ap" },
        { "https://a.example/app", "https://a.example/app?x=y",
          "https://a.example/" },
        { "https://a.example/app/", "https://a.example/app/x",
          "https://a.example/app" },
        { "https://a.example/app", "https://a.example/app/",
          "https://a.example/APP" },
        { "https://a.example/app", "https://a.example/x/../app/y",
          "https://a.example/app/../y" },
        { "https://a.example/app", "https://a.example/%61pp/y",
          "https://a.example/app/%2e%2e/y" },
        { "https://a.example/app", "https://a.example/app/%2F",
          "https://a.example/app%2Fy" },
        { "https://a.example", "https://a.example/any",
          "https://b.example/any" },
    };

    check_pairs(*state, pairs, COUNT(pairs));
}

static void a_query_in_a_realm_is_kept_to(void **state)
{
    static const pair_t pairs[] = {
        { "https://a.example/app?x=1", "https://a.example/app?x=1",
          "https://a.example/app" },
        { "https://a.example/app?x=1", "https://a.example/app?x=1&y=2",
          "https://a.example/app?x=12" },
        { "https://a.example/app?x=1", "https://a.example/app?x=1&",
          "https://a.example/app?y=2&x=1" },
        { "https://a.example/app?x=1&", "https://a.example/app?x=1&y=2",
          "https://a.example/app?x=1" },
        { "https://a.example/app?x=1", "https://a.example/app?x=1",
          "https://a.example/app/y?x=1" },
    };

    check_pairs(*state, pairs, COUNT(pairs));
}

static void what_is_no_realm_is_refused(void **state)
{
    static const char *const table[] = {
        "", "a.example", "*.a.example", "ftp://a.example/", "https://",
        "https:///", "https://a.example/#x", "https://a.example/#",
        "https://*.a.example/#x", "https://u@a.example/",
        "https://*.u@a.example/", "https://a.*.example/",
        "https://*a.example/", "https://*.*.a.example/",
        "https://a.example:0/", "https://a.example/%zz",
        "https://a b.example/", "https://*..a.example/", "https://*./",
    };
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        assert_status(parse(*state, table[i]), ORP_EREALM);
        assert_status(check(*state, table[i], "https://a.example/"),
                      ORP_EREALM);
    }
    assert_status(parse(*state, "https://a.example/"), APR_SUCCESS);
    assert_status(parse(*state, "https://*.a.example/"), APR_SUCCESS);
}

static void a_realm_covers_no_public_suffix(void **state)
{
    static const char *const table[] = {
        "http://*/", "http://*.com/", "http://*.COM/", "http://*.com:8080/",
        "http://*.com./", "http://*.co.uk/", "http://*.github.io/",
        "http://*.xn--55qx5d.cn/", "http://*.\xE5\x85\xAC\xE5\x8F\xB8.cn/",
        "http://*.co\xE3\x80\x82uk/", "http://*.\xEF\xBD\x83om/",
        "http://*.localhost/", "http://*.ck/",
    };
    static const char *const fine[] = {
        "http://*.example.com/", "http://*.example.co.uk/",
        "http://*.me.github.io/", "http://*.example.com./",
        "http://github.io/", "http://localhost:8080/", "http://*.www.ck/",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        if (parse(scene, table[i]) != ORP_EREALM) {
            fail_msg("%s is accepted", table[i]);
        }
    }
    for (i = 0; i < COUNT(fine); i++) {
        if (parse(scene, fine[i]) != APR_SUCCESS) {
            fail_msg("%s is refused", fine[i]);
        }
    }
    assert_status(check(scene, "http://*.com/", "http://a.com/"),
                  ORP_EREALM);
    assert_status(check(scene, "http://*.a.com/", "http://a.com/"),
                  APR_SUCCESS);
}

static void what_is_no_url_matches_no_realm(void **state)
{
    static const char *const table[] = {
        "https://a.example/%", "https://u@a.example/", "/app", "",
    };
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        apr_status_t status = check(*state, "https://a.example/", table[i]);

        assert_true(status == ORP_EURL || status == ORP_ESCHEME);
    }
    assert_status(check(*state, "https://a.example/", "https://a.example/"),
                  APR_SUCCESS);
}

/* ---------------------------------------------------------------------- */

static void a_login_outside_its_realm_does_not_begin(void **state)
{
    static const char *const realms[] = {
        "https://other.example/", "http://rp.example/", "https://*.example/",
        "https://rp.example/priv", "https://rp.example/private/x",
        "https://rp.example/#", "nonsense",
    };
    scene_t *scene = *state;
    op_t *op = op_at(scene, "https://op.example/auth");
    visit_t *visit;
    orp_reason_t *why;
    size_t i;

    op_publish(op, "https://user.example/", OP_SIGNON_20, NULL);
    for (i = 0; i < COUNT(realms); i++) {
        visit = visit_new(scene, "https://user.example/");
        visit->rp.realm = realms[i];
        assert_status(visit_status(visit, &why), ORP_EREALM);
        assert_int_equal(visit->login->state, ORP_LOGIN_FAILED);
        assert_text(visit->login->sentence, why->sentence);
        assert_text(visit->login->redirect, NULL);
    }
    assert_int_equal(scene_requests(scene), 0);
    visit = visit_new(scene, "https://user.example/");
    visit->rp.realm = "https://*.rp.example/private";
    assert_status(visit_status(visit, &why), APR_SUCCESS);
    assert_text(asked(visit, "openid.realm"),
                "https://*.rp.example/private");
    assert_accepted(visit, op_answer(op, visit));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(scheme_and_port_are_identical),
        scene_test(the_host_is_identical),
        scene_test(a_wildcard_covers_a_name_and_all_below_it),
        scene_test(the_path_is_the_same_or_below),
        scene_test(a_query_in_a_realm_is_kept_to),
        scene_test(what_is_no_realm_is_refused),
        scene_test(a_realm_covers_no_public_suffix),
        scene_test(what_is_no_url_matches_no_realm),
        scene_test(a_login_outside_its_realm_does_not_begin),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("realm", tests, NULL, NULL);
}
