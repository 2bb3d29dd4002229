/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_codec.c - orp_codec: base64, btwoc, percent, UTF-8, numbers. */

#include "support.h"

#include "orp_codec.h"

#define BYTES(s) ((const unsigned char *)(s))

/* RFC 4648, section 10. */
static const struct {
    const char *plain;
    const char *base64;
    const char *base64url;
} rfc4648[] = {
    { "", "", "" },
    { "f", "Zg==", "Zg" },
    { "fo", "Zm8=", "Zm8" },
    { "foo", "Zm9v", "Zm9v" },
    { "foob", "Zm9vYg==", "Zm9vYg" },
    { "fooba", "Zm9vYmE=", "Zm9vYmE" },
    { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
    { "\xfb\xff\xfe", "+//+", "-__-" },
};

static void base64_encodes_the_vectors_of_rfc_4648(void **state)
{
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(rfc4648); i++) {
        assert_text(orp_base64_encode(BYTES(rfc4648[i].plain),
                                      strlen(rfc4648[i].plain),
                                      scene->pool), rfc4648[i].base64);
        assert_text(orp_base64url_encode(BYTES(rfc4648[i].plain),
                                         strlen(rfc4648[i].plain),
                                         scene->pool), rfc4648[i].base64url);
    }
}

static void base64_decodes_the_vectors_of_rfc_4648(void **state)
{
    scene_t *scene = *state;
    unsigned char *bytes;
    apr_size_t size;
    size_t i;

    for (i = 0; i < COUNT(rfc4648); i++) {
        assert_status(orp_base64_decode(&bytes, &size, rfc4648[i].base64,
                                        scene->pool), APR_SUCCESS);
        assert_int_equal(size, strlen(rfc4648[i].plain));
        assert_memory_equal(bytes, rfc4648[i].plain, size);
    }
}

static void base64_carries_every_byte(void **state)
{
    scene_t *scene = *state;
    unsigned char all[256];
    unsigned char *bytes;
    apr_size_t size, cut;
    int i;

    for (i = 0; i < 256; i++) {
        all[i] = (unsigned char)(255 - i);
    }
    for (cut = 250; cut <= 256; cut++) {
        const char *text = orp_base64_encode(all, cut, scene->pool);

        assert_status(orp_base64_decode(&bytes, &size, text, scene->pool),
                      APR_SUCCESS);
        assert_int_equal(size, cut);
        assert_memory_equal(bytes, all, cut);
    }
}

static void a_second_spelling_of_base64_is_refused(void **state)
{
    static const char *const spellings[] = {
        "Zg", "Zg=", "Zg===", "Zg====", "Z", "Zm8", "Zm9vY",    /* padding */
        "=", "==", "===", "====", "Z===", "=Zg=", "Zg=Zg===", "Zg==Zm8=",
        "Zh==", "Zv==", "Zm9=", "Zm//Zm9=",         /* bits left over */
        "Zm9v\n", "Zm9vYmFy\r\n\r\n", " Zm9v", "Zm 9", "Zm9v    ",
        "Zm-_", "Zm9*", "Zm\xc3\xa9", "Zg==\n", "\x80\x80\x80\x80",
    };
    scene_t *scene = *state;
    unsigned char *bytes = NULL;
    apr_size_t size = 77;
    size_t i;

    assert_status(orp_base64_decode(&bytes, &size, "Zg==", scene->pool),
                  APR_SUCCESS);
    bytes = NULL;
    size = 77;
    for (i = 0; i < COUNT(spellings); i++) {
        assert_status(orp_base64_decode(&bytes, &size, spellings[i],
                                        scene->pool), ORP_EENCODING);
        assert_null(bytes);
        assert_int_equal(size, 77);
    }
}

static void hexadecimal_is_in_lower_case(void **state)
{
    scene_t *scene = *state;

    assert_text(orp_hex_encode(BYTES("\x00\x09\x0a\x7f\x80\xff"), 6,
                               scene->pool), "00090a7f80ff");
    assert_text(orp_hex_encode(BYTES(""), 0, scene->pool), "");
}

static void every_hexadecimal_digit_has_its_value(void **state)
{
    static const char lower[] = "0123456789abcdef";
    static const char upper[] = "0123456789ABCDEF";
    int c;

    (void)state;
    for (c = -128; c < 128; c++) {
        const char *l = c ? strchr(lower, (unsigned char)c) : NULL;
        const char *u = c ? strchr(upper, (unsigned char)c) : NULL;

        assert_int_equal(orp_hex_digit((char)c),
                         l ? l - lower : u ? u - upper : -1);
    }
}

/* OpenID Authentication 2.0, 4.2: the table, and what stands beside it. */
static const struct {
    const char *number;
    apr_size_t number_size;
    const char *btwoc;
    apr_size_t btwoc_size;
} integers[] = {
    { "", 0, "\x00", 1 },
    { "\x00", 1, "\x00", 1 },
    { "\x7f", 1, "\x7f", 1 },
    { "\x80", 1, "\x00\x80", 2 },
    { "\xff", 1, "\x00\xff", 2 },
    { "\x80\x00", 2, "\x00\x80\x00", 3 },
    { "\x00\x00\x00", 3, "\x00", 1 },
    { "\x00\x00\x7f", 3, "\x7f", 1 },
    { "\x00\x80", 2, "\x00\x80", 2 },
    { "\x01\x00", 2, "\x01\x00", 2 },
    { "\x7f\xff", 2, "\x7f\xff", 2 },
};

static void btwoc_writes_the_table_of_the_specification(void **state)
{
    scene_t *scene = *state;
    apr_size_t size;
    size_t i;

    for (i = 0; i < COUNT(integers); i++) {
        const unsigned char *out;

        out = orp_btwoc_encode(&size, BYTES(integers[i].number),
                               integers[i].number_size, scene->pool);
        assert_int_equal(size, integers[i].btwoc_size);
        assert_memory_equal(out, integers[i].btwoc, size);
    }
}

static void btwoc_reads_the_table_of_the_specification(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(integers); i++) {
        const unsigned char *out;
        const char *number = integers[i].number;
        apr_size_t size, expected = integers[i].number_size;

        while (expected && *number == 0) {
            number++;
            expected--;
        }
        assert_status(orp_btwoc_decode(&out, &size, BYTES(integers[i].btwoc),
                                       integers[i].btwoc_size), APR_SUCCESS);
        assert_int_equal(size, expected);
        assert_memory_equal(out, number, expected);
    }
}

static void a_btwoc_that_is_not_the_shortest_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        apr_size_t size;
    } wrong[] = {
        { "", 0 },                  /* empty */
        { "\x80", 1 },              /* negative */
        { "\xff\xff", 2 },
        { "\x00\x00", 2 },          /* zero, twice */
        { "\x00\x7f", 2 },          /* a zero that nothing asks for */
        { "\x00\x00\x80", 3 },
    };
    const unsigned char *out = NULL;
    apr_size_t size = 77;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(wrong); i++) {
        assert_status(orp_btwoc_decode(&out, &size, BYTES(wrong[i].bytes),
                                       wrong[i].size), ORP_EENCODING);
        assert_null(out);
        assert_int_equal(size, 77);
    }
    assert_status(orp_btwoc_decode(&out, &size, BYTES("\x00\x80"), 2),
                  APR_SUCCESS);
}

static void only_unreserved_characters_stay_as_they_are(void **state)
{
    scene_t *scene = *state;
    const char *unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        "abcdefghijklmnopqrstuvwxyz0123456789-._~";

    assert_text(orp_percent_encode(unreserved, scene->pool), unreserved);
    assert_text(orp_percent_encode(" !\"#$%&'()*+,/:;<=>?@[\\]^`{|}",
                                   scene->pool),
                "%20%21%22%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3C%3D%3E"
                "%3F%40%5B%5C%5D%5E%60%7B%7C%7D");
    assert_text(orp_percent_encode("\x01\x7f\xc3\xa9\xff", scene->pool),
                "%01%7F%C3%A9%FF");
    assert_text(orp_percent_encode("", scene->pool), "");
}

static const char *decoded(scene_t *scene, const char *text, int plus)
{
    const char *out = NULL;

    assert_status(orp_percent_decode(&out, text, strlen(text), plus,
                                     scene->pool), APR_SUCCESS);
    return out;
}

static void escapes_are_decoded_in_either_case(void **state)
{
    scene_t *scene = *state;

    assert_text(decoded(scene, "%41%7a%5A%2f%2F", 0), "AzZ//");
    assert_text(decoded(scene, "%e2%82%AC", 0), "\xe2\x82\xac");
    assert_text(decoded(scene, "%2541", 0), "%41");
    assert_text(decoded(scene, "", 0), "");
}

static void a_plus_is_a_space_only_where_asked(void **state)
{
    scene_t *scene = *state;

    assert_text(decoded(scene, "a+b%2Bc%20d", 1), "a b+c d");
    assert_text(decoded(scene, "a+b%2Bc%20d", 0), "a+b+c d");
}

static void only_size_bytes_are_decoded(void **state)
{
    scene_t *scene = *state;
    const char *out;

    assert_status(orp_percent_decode(&out, "ab%41&%zz", 5, 0, scene->pool),
                  APR_SUCCESS);
    assert_text(out, "abA");
    out = NULL;
    assert_status(orp_percent_decode(&out, "ab%41", 4, 0, scene->pool),
                  ORP_EENCODING);
    assert_null(out);
}

static void a_broken_escape_is_refused(void **state)
{
    static const struct {
        const char *text;
        apr_size_t size;
    } broken[] = {
        { "%", 1 }, { "a%", 2 }, { "%4", 2 }, { "%z", 2 }, { "%zz", 3 },
        { "%4z", 3 }, { "%z4", 3 }, { "%%41", 4 }, { "%-1", 3 },
        { "% 1", 3 }, { "%+1", 3 }, { "%0x", 3 }, { "%u0041", 6 },
        { "%00", 3 }, { "a%00b", 5 }, { "a\0b", 3 },
    };
    scene_t *scene = *state;
    const char *out;
    size_t i;

    for (i = 0; i < COUNT(broken); i++) {
        out = NULL;
        assert_status(orp_percent_decode(&out, broken[i].text,
                                         broken[i].size, 1, scene->pool),
                      ORP_EENCODING);
        assert_null(out);
    }
    assert_text(decoded(scene, "%01", 1), "\x01");
}

static void whatever_is_encoded_is_decoded_again(void **state)
{
    scene_t *scene = *state;
    char all[256];
    int i;

    for (i = 0; i < 255; i++) {
        all[i] = (char)(i + 1);
    }
    all[255] = '\0';
    assert_text(decoded(scene, orp_percent_encode(all, scene->pool), 1),
                all);
}

static void utf8_of_every_length_is_valid(void **state)
{
    static const char *const valid[] = {
        "", "plain", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
        "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80.",
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(valid); i++) {
        assert_true(orp_utf8_valid(valid[i], strlen(valid[i])));
    }
    assert_true(orp_utf8_valid("a\0b", 3));
}

static void broken_utf8_is_not_valid(void **state)
{
    static const char *const broken[] = {
        "\x80", "\xbf", "a\x80",                    /* nothing to continue */
        "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xe2", /* cut off */
        "\303a", "\342\202a", "\360\237\230a", "\xc3\xc3",
        "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf",
        "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf", "\xc0\x80", /* overlong */
        "\xed\xa0\x80", "\xed\xbf\xbf",             /* surrogates */
        "\xed\xa0\xbd\xed\xb8\x80",                 /* a pair of them */
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",     /* over U+10FFFF */
        "\xf8\x88\x80\x80\x80", "\xfe", "\xff",
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(broken); i++) {
        assert_false(orp_utf8_valid(broken[i], strlen(broken[i])));
    }
    assert_false(orp_utf8_valid("\xc3\xa9", 1));
    assert_true(orp_utf8_valid("\xc3\xa9", 2));
}

static void every_control_character_is_seen(void **state)
{
    int c;

    (void)state;
    for (c = 1; c < 256; c++) {
        const char text[] = { 'a', (char)c, 'b', '\0' };

        assert_int_equal(orp_has_control(text), c < 0x20 || c == 0x7f);
    }
    assert_false(orp_has_control(""));
}

static void numbers_are_read_up_to_their_maximum(void **state)
{
    static const struct {
        const char *text;
        apr_uint64_t max;
        apr_uint64_t number;
    } numbers[] = {
        { "0", 0, 0 }, { "5", 5, 5 }, { "12", 12, 12 },
        { "1209600", 31536000, 1209600 }, { "007", 7, 7 },
        { "65535", 65535, 65535 },
        { "18446744073709551615", APR_UINT64_MAX, APR_UINT64_MAX },
    };
    apr_uint64_t number;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(numbers); i++) {
        number = 77;
        assert_status(orp_number_parse(&number, numbers[i].text,
                                       numbers[i].max), APR_SUCCESS);
        assert_true(number == numbers[i].number);
    }
}

static void what_is_no_number_is_refused(void **state)
{
    static const struct {
        const char *text;
        apr_uint64_t max;
    } wrong[] = {
        { "", 99 }, { "-1", 99 }, { "+1", 99 }, { " 1", 99 }, { "1 ", 99 },
        { "10abc", 99 }, { "0x10", 99 }, { "1e1", 99 }, { "1.0", 99 },
        { "\xd9\xa1", 99 }, { "1/", 99 }, { ":", 99 },
        { "1", 0 }, { "6", 5 }, { "100", 99 }, { "65536", 65535 },
        { "18446744073709551616", APR_UINT64_MAX },
        { "99999999999999999999999999", APR_UINT64_MAX },
    };
    apr_uint64_t number = 77;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(wrong); i++) {
        assert_status(orp_number_parse(&number, wrong[i].text,
                                       wrong[i].max), ORP_EENCODING);
        assert_true(number == 77);
    }
    assert_status(orp_number_parse(&number, "99", 99), APR_SUCCESS);
}

static void sizes_and_times_have_units(void **state)
{
    static const char *const no_sizes[] = {
        "", "0", "0K", "K", "1T", "1KB", "1 K", "-1", "1025G",
        "1099511627777"
    };
    static const char *const no_times[] = {
        "", "0", "0s", "s", "1d", "1 s", "-1", "61", "61000ms", "2m", "1h"
    };
    scene_t *scene = *state;
    apr_interval_time_t time = 77;
    apr_uint64_t size = 77;
    size_t i;

    for (i = 0; i < COUNT(no_sizes); i++) {
        assert_status(orp_size_parse(&size, no_sizes[i], scene->pool),
                      ORP_EENCODING);
    }
    for (i = 0; i < COUNT(no_times); i++) {
        assert_status(orp_interval_parse(&time, no_times[i],
                                         apr_time_from_sec(60),
                                         scene->pool), ORP_EENCODING);
    }
    assert_true(size == 77 && time == 77);
    assert_status(orp_size_parse(&size, "17", scene->pool), APR_SUCCESS);
    assert_true(size == 17);
    assert_status(orp_size_parse(&size, "3k", scene->pool), APR_SUCCESS);
    assert_true(size == 3 * 1024);
    assert_status(orp_size_parse(&size, "1024G", scene->pool), APR_SUCCESS);
    assert_true(size == APR_UINT64_C(1) << 40);
    assert_status(orp_interval_parse(&time, "250ms", apr_time_from_sec(60),
                                     scene->pool), APR_SUCCESS);
    assert_true(time == 250 * 1000);
    assert_status(orp_interval_parse(&time, "60", apr_time_from_sec(60),
                                     scene->pool), APR_SUCCESS);
    assert_true(time == apr_time_from_sec(60));
    assert_status(orp_interval_parse(&time, "1MIN", apr_time_from_sec(60),
                                     scene->pool), APR_SUCCESS);
    assert_true(time == apr_time_from_sec(60));
    assert_status(orp_interval_parse(&time, "2h", apr_time_from_sec(7200),
                                     scene->pool), APR_SUCCESS);
    assert_true(time == apr_time_from_sec(7200));
}

static void base64url_is_told_from_what_is_not(void **state)
{
    (void)state;
    assert_int_equal(orp_base64url_span("AZaz09-_"), 8);
    assert_int_equal(orp_base64url_span("ab.c"), 2);
    assert_int_equal(orp_base64url_span("+"), 0);
    assert_int_equal(orp_base64url_span("a/"), 1);
    assert_int_equal(orp_base64url_span("a=b"), 1);
    assert_int_equal(orp_base64url_span(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(base64url_is_told_from_what_is_not),
        scene_test(base64_encodes_the_vectors_of_rfc_4648),
        scene_test(base64_decodes_the_vectors_of_rfc_4648),
        scene_test(base64_carries_every_byte),
        scene_test(a_second_spelling_of_base64_is_refused),
        scene_test(hexadecimal_is_in_lower_case),
        scene_test(every_hexadecimal_digit_has_its_value),
        scene_test(btwoc_writes_the_table_of_the_specification),
        scene_test(btwoc_reads_the_table_of_the_specification),
        scene_test(a_btwoc_that_is_not_the_shortest_is_refused),
        scene_test(only_unreserved_characters_stay_as_they_are),
        scene_test(escapes_are_decoded_in_either_case),
        scene_test(a_plus_is_a_space_only_where_asked),
        scene_test(only_size_bytes_are_decoded),
        scene_test(a_broken_escape_is_refused),
        scene_test(whatever_is_encoded_is_decoded_again),
        scene_test(utf8_of_every_length_is_valid),
        scene_test(broken_utf8_is_not_valid),
        scene_test(every_control_character_is_seen),
        scene_test(numbers_are_read_up_to_their_maximum),
        scene_test(what_is_no_number_is_refused),
        scene_test(sizes_and_times_have_units),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
