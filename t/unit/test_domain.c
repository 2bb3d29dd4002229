/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_domain.c - orp_domain, and the hosts of orp_url: names in other
 * scripts, public suffixes, spellings of addresses. */

#include "support.h"

#include "orp_domain.h"
#include "orp_url.h"

#define BUECHER "b\xC3\xBC" "cher"

typedef struct {
    const char *text;
    const char *normal;         /* NULL: it is refused */
} form_t;

static void check_urls(scene_t *scene, const form_t *forms, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        orp_reason_t *why = orp_reason_create(scene->pool);
        const char *normal = NULL;
        apr_status_t status = orp_url_normalize(&normal, forms[i].text, why,
                                                scene->pool);

        if (status != (forms[i].normal ? APR_SUCCESS : ORP_EURL)) {
            fail_msg("%s: %s", forms[i].text, normal ? normal
                     : why->sentence);
        }
        assert_text(normal, forms[i].normal);
        assert_int_equal(*why->sentence != '\0', !forms[i].normal);
    }
}

static void names_in_other_scripts_become_ascii(void **state)
{
    static const form_t forms[] = {
        { BUECHER ".example", "xn--bcher-kva.example" },
        { "B\xC3\x9C" "CHER.Example", "xn--bcher-kva.example" },
        { "fa\xC3\x9F.example", "xn--fa-hia.example" },
        { "bu\xCC\x88" "cher.example", "xn--bcher-kva.example" },
        { "\xE4\xBE\x8B\xE3\x81\x88.jp", "xn--r8jz45g.jp" },
        { "Example.com", "example.com" },
        { "xn--bcher-kva.example", "xn--bcher-kva.example" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(forms); i++) {
        const char *ascii = NULL;

        assert_status(orp_domain_to_ascii(&ascii, forms[i].text,
                                          scene->pool), APR_SUCCESS);
        assert_text(ascii, forms[i].normal);
    }
}

static void what_is_no_name_has_no_ascii_form(void **state)
{
    static const char *const table[] = {
        "\xFF", "-\xC3\xBC.example", "\xC3\xBC-.example", "\xCC\x88.example",
        "\xC3\xBC\xE2\x80\x8E.example",
    };
    scene_t *scene = *state;
    const char *ascii = NULL;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        if (orp_domain_to_ascii(&ascii, table[i], scene->pool) != ORP_EURL) {
            fail_msg("%s becomes %s", table[i], ascii);
        }
    }
    assert_status(orp_domain_to_ascii(
        &ascii, apr_pstrcat(scene->pool, "\xC3\xBC",
                            repeated("a", 63, scene->pool), NULL),
        scene->pool), ORP_EURL);
    assert_null(ascii);
    assert_status(orp_domain_to_ascii(&ascii, "\xC3\xBC-a.example",
                                      scene->pool), APR_SUCCESS);
}

static void public_suffixes_are_known(void **state)
{
    static const char *const table[] = {
        "com", "co.uk", "github.io", "xn--55qx5d.cn", "ck", "any.ck",
        "nobody-knows-this",
    };
    static const char *const others[] = {
        "example.com", "example.co.uk", "me.github.io", "www.ck",
        "example.xn--55qx5d.cn",
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(table); i++) {
        assert_true(orp_domain_is_public_suffix(table[i]));
    }
    for (i = 0; i < COUNT(others); i++) {
        assert_false(orp_domain_is_public_suffix(others[i]));
    }
}

static void the_host_of_an_iri_is_converted(void **state)
{
    static const form_t forms[] = {
        { "http://" BUECHER ".example/\xC3\xBC?\xC3\xBC",
          "http://xn--bcher-kva.example/%C3%BC?%C3%BC" },
        { "HTTPS://B\xC3\x9C" "CHER.Example:8443",
          "https://xn--bcher-kva.example:8443/" },
        { "http://" BUECHER ".example:80/",
          "http://xn--bcher-kva.example/" },
        { "http://" BUECHER ".example:/", "http://xn--bcher-kva.example/" },
        { "http://WWW." BUECHER ".example/",
          "http://www.xn--bcher-kva.example/" },
        { "http://" BUECHER "\xE3\x80\x82" "example/",
          "http://xn--bcher-kva.example/" },
        { "http://\xEF\xBC\xA5xample.com/", "http://example.com/" },
        { "http://" BUECHER ".example:0/", NULL },
        { "http://" BUECHER ".example:99999/", NULL },
        { "http://" BUECHER ".example:8\xC3\xBC/", NULL },
        { "http://u@" BUECHER ".example/", NULL },
    };

    check_urls(*state, forms, COUNT(forms));
}

/* Letters of other scripts may stand for signs that end a host. */
static void no_sign_of_a_url_hides_in_a_host(void **state)
{
    static const form_t forms[] = {
        { "http://good.example\xEF\xBC\x8F.evil.example/", NULL },   /* / */
        { "http://good.example\xEF\xBC\x9F.evil.example/", NULL },   /* ? */
        { "http://good.example\xEF\xBC\x83.evil.example/", NULL },   /* # */
        { "http://good.example\xEF\xBC\xA0" "evil.example/", NULL }, /* @ */
        { "http://good.example\xEF\xBC\x9A" "80/", NULL },           /* : */
        { "http://good.example\xEF\xBC\x85/", NULL },                /* % */
        { "http://good.example\xEF\xBC\xBC.evil.example/", NULL },   /* \ */
        { "http://\xE2\x84\x80.example/", NULL },       /* a/c, one sign */
        { "http://\xEF\xBC\xBB::1]/", NULL },                        /* [ */
        { "http://\xE3\x80\x82" "b\xC3\xBC.example/", NULL },  /* "." first */
        { "http://.b\xC3\xBC.example/", NULL },
        { "http://-b\xC3\xBC.example/", NULL },
        { "http://\xC2\xAD/", NULL },                   /* nothing is left */
        { "http://g\xC3\xB6" "od.example\xE3\x80\x82/",
          "http://xn--god-sna.example./" },
        { "http://go\xC2\xAD" "od.example/", "http://good.example/" },
    };

    check_urls(*state, forms, COUNT(forms));
}

static void an_ipv6_address_has_one_spelling(void **state)
{
    static const form_t forms[] = {
        { "http://[::1]/", "http://[::1]/" },
        { "http://[0:0:0:0:0:0:0:1]/", "http://[::1]/" },
        { "http://[0000::0001]:80/", "http://[::1]/" },
        { "http://[2001:DB8:0:0:8:0:0:1]:8080/x",
          "http://[2001:db8::8:0:0:1]:8080/x" },
        { "http://[2001:db8::0:1]/", "http://[2001:db8::1]/" },
        { "http://[::FFFF:1.2.3.4]/", "http://[::ffff:1.2.3.4]/" },
        { "http://[::ffff:102:304]/", "http://[::ffff:1.2.3.4]/" },
        { "http://[::]/", "http://[::]/" },
        { "http://[]/", NULL },
        { "http://[:]/", NULL },
        { "http://[:::]/", NULL },
        { "http://[1.2.3.4]/", NULL },
        { "http://[::1/", NULL },
        { "http://[::1]x/", NULL },
        { "http://[::1%25eth0]/", NULL },
        { "http://[1:2:3:4:5:6:7:8:9]/", NULL },
        { "http://[12345::]/", NULL },
        { "http://[::g]/", NULL },
        { "http://::1/", NULL },
    };

    check_urls(*state, forms, COUNT(forms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(names_in_other_scripts_become_ascii),
        scene_test(what_is_no_name_has_no_ascii_form),
        scene_test(public_suffixes_are_known),
        scene_test(the_host_of_an_iri_is_converted),
        scene_test(no_sign_of_a_url_hides_in_a_host),
        scene_test(an_ipv6_address_has_one_spelling),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("domain", tests, NULL, NULL);
}
