/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_multipart.c - orp_multipart: the fields of a multipart form.
 *
 * Bodies are written with \n for a line's CRLF, and \v for a line feed alone.
 */

#include "support.h"

#include "orp_multipart.h"

#define TYPE "multipart/form-data; boundary=xx"
#define D "Content-Disposition: form-data; name="
#define FIELD(name, value) "--xx\n" D "\"" name "\"\n\n" value "\n"
#define FILE_A "--xx\n" D "\"f\"; filename=\"a.png\"\n" \
               "Content-Type: image/png\n\n\x89PNG\v\n--x\n\n"
#define END "--xx--\n"
#define LETTERS_10 "abcdefghij"
#define LETTERS_70 LETTERS_10 LETTERS_10 LETTERS_10 LETTERS_10 LETTERS_10 \
                   LETTERS_10 LETTERS_10

/* Every search in a body is made with memchr(): this one counts how many bytes
 * were looked at. */
static unsigned long searched;

void *memchr(const void *bytes, int c, size_t size)
{
    const unsigned char *b = bytes;
    size_t i;

    for (i = 0; i < size && b[i] != (unsigned char)c; i++) {
        continue;
    }
    searched += i + 1;
    return i < size ? (void *)(uintptr_t)(b + i) : NULL;
}

/* A body with its line ends, of exactly its size: whoever reads a byte too
 * many is caught by the sanitizer. */
static char *body_of(apr_size_t *psize, const char *text, apr_pool_t *pool)
{
    apr_size_t size = 0, lines = 0;
    const char *c;
    char *body;

    for (c = text; *c; c++) {
        lines += *c == '\n';
    }
    *psize = (apr_size_t)(c - text) + lines;
    body = apr_palloc(pool, *psize);
    for (c = text; *c; c++) {
        if (*c == '\n') {
            body[size++] = '\r';
        }
        body[size++] = *c == '\v' ? '\n' : *c;
    }
    return body;
}

static const char *shown(const orp_params_t *params, apr_pool_t *pool)
{
    const char *text = "";
    int i;

    for (i = 0; i < orp_params_size(params); i++) {
        text = apr_pstrcat(pool, text, i ? "|" : "",
                           orp_params_name(params, i), "=",
                           orp_params_value(params, i), NULL);
    }
    return text;
}

/* What a body says, as "name=value|name=value", or the code that it is refused
 * with. */
static const char *read_as(scene_t *scene, const char *type,
                           const char *text)
{
    orp_params_t *params = NULL;
    apr_size_t size;
    const char *body = body_of(&size, text, scene->pool);
    apr_status_t status = orp_multipart_parse(&params, type, body, size,
                                              scene->pool);

    if (status != APR_SUCCESS) {
        assert_null(params);
        return orp_status_code(status);
    }
    return shown(params, scene->pool);
}

static void assert_read(scene_t *scene, const char *text,
                        const char *expected)
{
    assert_text(read_as(scene, TYPE, text), expected);
}

static void assert_malformed(scene_t *scene, const char *text)
{
    assert_read(scene, text, orp_status_code(ORP_EENCODING));
}

static void fields_are_read_in_their_order(void **state)
{
    scene_t *scene = *state;

    assert_read(scene, FIELD("b", "1") FIELD("a", "2") FIELD("b", "3") END,
                "b=1|a=2|b=3");
    assert_read(scene, FIELD("openid_identifier", "https://user.example/?a=%41")
                END, "openid_identifier=https://user.example/?a=%41");
}

static void a_value_is_its_bytes(void **state)
{
    static const char *const values[][2] = {
        { "", "" }, { " x ", " x " }, { "\n", "\r\n" }, { "\n\n", "\r\n\r\n" },
        { "a\nb", "a\r\nb" }, { "a\vb\r", "a\nb\r" }, { "--", "--" },
        { "a\n--", "a\r\n--" }, { "a\n--x", "a\r\n--x" },
        { "a\n-xx", "a\r\n-xx" }, { "a\v--xx", "a\n--xx" },
        { "a\r--xx", "a\r--xx" }, { "a--xx--", "a--xx--" },
        { "\r", "\r" }, { "\r\n--xy", "\r\r\n--xy" },
        { "\xc3\xa9\xff\x01", "\xc3\xa9\xff\x01" }, { "%41+", "%41+" },
        { "name: value\n\nx", "name: value\r\n\r\nx" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(values); i++) {
        assert_read(scene, apr_pstrcat(scene->pool, "--xx\n" D "a\n\n",
                                       values[i][0], "\n" FIELD("b", "2") END,
                                       NULL),
                    apr_pstrcat(scene->pool, "a=", values[i][1], "|b=2",
                                NULL));
    }
}

static void files_are_no_fields(void **state)
{
    static const char *const dispositions[] = {
        D "\"a\"; filename=\"x\"", D "\"a\"; filename=\"\"",
        D "\"a\"; filename=x", D "\"a\"; FileName=\"x\"",
        D "\"a\"; filename*=UTF-8''%e2%82%ac",
        D "\"a\"; filename=\"x\"; filename*=UTF-8''x",
        "Content-Disposition: form-data; filename=\"x\"; name=\"a\"",
        D "\"a\"; filename=\"C:\\dir\\x; y.png\"",
        D "\"a\"; filename=\"%22; name=%22b%22\"",
    };
    scene_t *scene = *state;
    size_t i;

    assert_read(scene, FIELD("a", "1") FILE_A FIELD("b", "2") END, "a=1|b=2");
    for (i = 0; i < COUNT(dispositions); i++) {
        assert_read(scene, apr_pstrcat(scene->pool, "--xx\n", dispositions[i],
                                       "\n\nx\n" FIELD("b", "2") END, NULL),
                    "b=2");
    }
}

static void a_file_may_hold_any_bytes(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = NULL;
    apr_size_t size;
    char *body = body_of(&size, FILE_A FIELD("b", "2") END, scene->pool);
    char *png = body + 5;

    while (*png != '\x89') {
        png++;
    }
    *png = '\0';
    assert_status(orp_multipart_parse(&params, TYPE, body, size,
                                      scene->pool), APR_SUCCESS);
    assert_text(shown(params, scene->pool), "b=2");
}

static void headers_of_a_part(void **state)
{
    static const char *const headers[][2] = {
        { D "\"a\"", "a=1" }, { D "a", "a=1" }, { D "\"\"", "=1" },
        { "content-disposition:FORM-DATA;NAME=\"a\"", "a=1" },
        { "Content-Disposition:  form-data ;  name=\"a\" ;", "a=1" },
        { "Content-Disposition: form-data; x=y; name=\"a\"; z=\"; name=b\"",
          "a=1" },
        { D "\"a; b=c\"", "a; b=c=1" }, { D "\"a%22%0D%0Ab\"",
          "a%22%0D%0Ab=1" }, { D "\"\xc3\xa9\"", "\xc3\xa9=1" },
        { D "\"A\"", "A=1" },
        { D "\"a\"\nContent-Type: text/plain; charset=utf-8", "a=1" },
        { "Content-Type: application/json\nX-Y:\n" D "\"a\"", "a=1" },
        { D "\"a\"\nContent-Transfer-Encoding: 7bit", "a=1" },
        { D "\"a\"\nContent-Transfer-Encoding: 8BIT", "a=1" },
        { D "\"a\"\nContent-Transfer-Encoding: binary", "a=1" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(headers); i++) {
        assert_read(scene, apr_pstrcat(scene->pool, "--xx\n", headers[i][0],
                                       "\n\n1\n" END, NULL), headers[i][1]);
    }
}

static void a_part_with_other_headers_is_malformed(void **state)
{
    static const char *const headers[] = {
        "", "X: y", "Content-Disposition: form-data",
        "Content-Disposition: form-data;", "Content-Disposition:",
        "Content-Disposition: attachment; name=\"a\"",
        "Content-Disposition: form-dat; name=\"a\"",
        "Content-Disposition: form_data; name=\"a\"",
        "Content-Disposition: form-data2; name=\"a\"",
        "Content-Disposition: form-data x; name=\"a\"",
        "Content-Disposition: form-data name=\"a\"",
        "Content-Disposition: form-data, form-data; name=\"a\"",
        "Content-Disposition: ; name=\"a\"",
        "Content-Disposition : form-data; name=\"a\"",
        " " D "\"a\"", "X: y\n " D "\"a\"", D "\"a\"\n folded",
        D "\"a\"\nX: y\n\tfolded", D "\"a\"\nno colon", D "\"a\"\n: x",
        D "\"a\"\nX\x01: y", D "\"a\"\nX: \x01", D "\"a\"\nX: \x7f",
        D "\"a\"\nX: a\rb", D "\"a\"\nX: a\vb", D "\"a\"\nX:\ty",
        D "\"a\"\n" D "\"a\"", D "\"a\"\n" D "\"b\"; filename=\"x\"",
        D "\"a\"; name=\"a\"", D "\"a\"; name=b", D "\"a\"; Name=b",
        D "\"a\"; filename=b; filename=c",
        D "\"a\"; filename*=b; filename*=c",
        D "\"a\"; name*=UTF-8''b",
        "Content-Disposition: form-data; name*=UTF-8''b",
        D "\"a", D "a\"", D "\"a\"b", D "\"a\"b=c", D "\"a\" b=c",
        D "\"a\\\"b\"", D "\"a\\\"; x=\"y\"", D "\"a\\b\"", D "\"a\\\\\"",
        D "\"a\"; filename=\"x\\\"", D "\"a\"; filename=\"x\\\"y\"",
        D, D "; x=y", D "a b", D "a@b", D "\xc3\xa9", D "\"a\"; x",
        D "\"a\"; x y=z", D "\"a\"; =x", D "\"a\"; x=", D "\"a\", x=y",
        D "\"a\"\nContent-Transfer-Encoding: base64",
        D "\"a\"\nContent-Transfer-Encoding: quoted-printable",
        D "\"a\"\nContent-Transfer-Encoding:",
        D "\"a\"\nContent-Transfer-Encoding: 7bit\n"
        "Content-Transfer-Encoding: 8bit",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(headers); i++) {
        assert_malformed(scene, apr_pstrcat(scene->pool, FIELD("b", "2")
                                            "--xx\n", headers[i],
                                            "\n\n1\n" END, NULL));
    }
}

static void a_form_may_be_empty(void **state)
{
    scene_t *scene = *state;

    assert_read(scene, END, "");
    assert_read(scene, "--xx--", "");
    assert_read(scene, FILE_A END, "");
}

static void what_stands_around_the_parts_is_ignored(void **state)
{
    static const char *const bodies[] = {
        FIELD("a", "1") "--xx--", FIELD("a", "1") "--xx-- \t",
        FIELD("a", "1") "--xx--\t\n", FIELD("a", "1") END FIELD("b", "2") END,
        "\n" FIELD("a", "1") END, "x\n\ny --xx\n" FIELD("a", "1") END,
        "x--xx\n" FIELD("a", "1") END,
        "--xx \t\n" D "a\n\n1\n--xx--", "--xx\n" D "a\n\n1\n--xx--  \n",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(bodies); i++) {
        assert_read(scene, bodies[i], "a=1");
    }
}

static void other_bodies_are_malformed(void **state)
{
    static const char *const bodies[] = {
        /* no delimiter, or not a whole one */
        "", "x", "a=1&b=2", "\n", "--", "--x", "--xy--", "-xx\n", "xx--",
        "x" END, "\v" END, "\r--xx--",
        /* no closing one */
        "--xx", "--xx\n", FIELD("a", "1"), FIELD("a", "1") "--xx",
        FIELD("a", "1") "--xx-", FIELD("a", "1") "--xx\n",
        FIELD("a", "1") "--x--\n", FIELD("a", "1") "--XX--\n",
        FIELD("a", "1") "--xx -", FIELD("a", "1") "--xx\r",
        /* not alone on its line */
        "--xxy\n" D "a\n\n1\n" END, FIELD("a", "1") "--xxy\n" END,
        FIELD("a", "1") "--xx--y\n", FIELD("a", "1") "--xx---\n",
        FIELD("a", "1") "--xx--\r", FIELD("a", "1") "--xx--\v",
        FIELD("a", "1") "--xx--\ry", FIELD("a", "1\n--xx1") END,
        "--xx" D "a\n\n1\n" END, "--xx\v" D "a\n\n1\n" END,
        /* a part whose headers do not end */
        "--xx\n" END, "--xx\n\n" END, "--xx\n\n\n" END, "--xx\n" D "a\n" END,
        "--xx\n" D "a\n\n" END, "--xx\n" D "a" END, "--xx\n" D "a\n1\n" END,
        "--xx\n" D "a\n--xx--: 1\n\n1\n" END,
        "--xx\n" D "a\n\n--xx\n" END,
        FIELD("a", "1") "--xx\n" FIELD("b", "2") END,
        /* line feeds alone */
        "--xx\v" D "a\v\v1\v--xx--\v", "--xx\n" D "a\n\v1\n" END,
        "--xx\n" D "a\v\n1\n" END,
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(bodies); i++) {
        assert_malformed(scene, bodies[i]);
    }
}

/* Each start of a body that is whole is none itself. */
static void a_body_that_is_cut_is_malformed(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = NULL;
    apr_size_t size, part;
    const char *body = body_of(&size, FIELD("a", "1") FILE_A "--xx--",
                               scene->pool);

    for (part = 0; part < size; part++) {
        assert_status(orp_multipart_parse(&params, TYPE,
                                          apr_pmemdup(scene->pool, body, part),
                                          part, scene->pool), ORP_EENCODING);
        assert_null(params);
    }
    assert_status(orp_multipart_parse(&params, TYPE, body, size,
                                      scene->pool), APR_SUCCESS);
    assert_text(shown(params, scene->pool), "a=1");
}

/* A NUL in place of any byte makes it malformed, but in a file. In the first
 * line it makes that one a preamble. */
static void a_nul_is_malformed(void **state)
{
    scene_t *scene = *state;
    orp_params_t *params = NULL;
    apr_size_t size, i;
    char *body = body_of(&size, "--xx\n" D "\"a\"\nX: yz\n\n1\n" END,
                         scene->pool);

    for (i = 4; i < size - 2; i++) {
        char *broken = apr_pmemdup(scene->pool, body, size);

        broken[i] = '\0';
        assert_status(orp_multipart_parse(&params, TYPE, broken, size,
                                          scene->pool), ORP_EENCODING);
    }
    assert_status(orp_multipart_parse(&params, TYPE, body, size,
                                      scene->pool), APR_SUCCESS);
}

static void boundaries(void **state)
{
    static const char *const types[][2] = {
        { "multipart/form-data; boundary=xx", "xx" },
        { "multipart/form-data;boundary=\"xx\"", "xx" },
        { "Multipart/Form-Data ; BOUNDARY=xx;", "xx" },
        { "multipart/form-data; charset=utf-8; boundary=xx; x=y", "xx" },
        { "multipart/form-data; x=\"; boundary=yy\"; boundary=xx", "xx" },
        { "multipart/form-data; boundary=\"a b'()+_,-./:=?\"",
          "a b'()+_,-./:=?" },
        { "multipart/form-data; boundary=----=_Part_1/2:3?", "----=_Part_1/2:3?"
        },
        { "multipart/form-data; boundary=-", "-" },
        { "multipart/form-data; boundary=--", "--" },
        { "multipart/form-data; boundary=" LETTERS_70, LETTERS_70 },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(types); i++) {
        assert_text(read_as(scene, types[i][0],
                            apr_pstrcat(scene->pool, "--", types[i][1],
                                        "\n" D "a\n\n1\n--", types[i][1],
                                        "--\n", NULL)), "a=1");
    }
}

static void a_type_without_one_good_boundary_is_refused(void **state)
{
    static const char *const types[] = {
        "", "multipart/form-data", "multipart/form-data;", "boundary=xx",
        "multipart/form-data; boundary", "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=;", "multipart/form-data; boundary=\"xx",
        "multipart/form-data; boundary=\"xx \"",
        "multipart/form-data; boundary=xx; boundary=xx",
        "multipart/form-data; boundary=xx; Boundary=yy",
        "multipart/form-data; boundary=xx y", "multipart/form-data; boundary xx",
        "multipart/form-data; boundary=xx, text/plain",
        "multipart/form-data, multipart/form-data; boundary=xx, x",
        "multipart/form-data; boundary=xx\"", "multipart/form-data; boundary=x@",
        "multipart/form-data; boundary=\"x@\"",
        "multipart/form-data; boundary=\"x\\x\"",
        "multipart/form-data; boundary=\xc3\xa9",
        "multipart/form-data; boundary=\"x\tx\"",
        "multipart/form-data; x; boundary=xx",
        "multipart/form-data; boundary=" LETTERS_70 "x",
        "multipart/form-data; boundary*=xx",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(types); i++) {
        /* what a reader would take that knows no better */
        static const char *const likely[] = { "xx", "", "x@", "x\\x", "xx ",
                                              "\xc3\xa9", "x\tx", "xx\"",
                                              LETTERS_70 "x", "xx y" };
        size_t j;

        for (j = 0; j < COUNT(likely); j++) {
            assert_text(read_as(scene, types[i],
                                apr_pstrcat(scene->pool, "--", likely[j],
                                            "\n" D "a\n\n1\n--", likely[j],
                                            "--\n", NULL)),
                        orp_status_code(ORP_EENCODING));
        }
    }
}

static void a_form_has_as_many_parts_as_the_limit(void **state)
{
    scene_t *scene = *state;
    const char *few = repeated(FIELD("a", ""), ORP_PARAMS_MAX - 1,
                               scene->pool);
    orp_params_t *params = NULL;
    apr_size_t size;
    const char *body = body_of(&size, apr_pstrcat(scene->pool, few,
                                                  FIELD("b", "1") END, NULL),
                               scene->pool);

    assert_status(orp_multipart_parse(&params, TYPE, body, size,
                                      scene->pool), APR_SUCCESS);
    assert_int_equal(orp_params_size(params), ORP_PARAMS_MAX);
    assert_text(orp_params_get(params, "b"), "1");
    assert_read(scene, apr_pstrcat(scene->pool, few, FIELD("b", "1")
                                   FIELD("c", "") END, NULL),
                orp_status_code(ORP_ETOOBIG));
    assert_read(scene, apr_pstrcat(scene->pool, few, FILE_A FILE_A END, NULL),
                orp_status_code(ORP_ETOOBIG));
}

static void a_body_has_a_ceiling(void **state)
{
    scene_t *scene = *state;
    const char *start = "--xx--\r\n";
    char *body = apr_pcalloc(scene->pool, ORP_PARAMS_SIZE_MAX + 1);
    orp_params_t *params = NULL;

    memcpy(body, start, strlen(start));
    assert_status(orp_multipart_parse(&params, TYPE, body,
                                      ORP_PARAMS_SIZE_MAX, scene->pool),
                  APR_SUCCESS);
    params = NULL;
    assert_status(orp_multipart_parse(&params, TYPE, body,
                                      ORP_PARAMS_SIZE_MAX + 1, scene->pool),
                  ORP_ETOOBIG);
    assert_null(params);
}

/* How many bytes are looked at in a body of this many of these, with an end
 * or without one. */
static unsigned long cost(scene_t *scene, const char *start, const char *text,
                          int count)
{
    apr_size_t size;
    orp_params_t *params;
    const char *body = body_of(&size, apr_pstrcat(scene->pool, start,
                                   repeated(text, count, scene->pool), "\n"
                                   END, NULL), scene->pool);
    unsigned long before = searched;

    (void)!orp_multipart_parse(&params, TYPE, body, size, scene->pool);
    return searched - before;
}

static void the_time_is_linear(void **state)
{
    static const char *const bodies[][2] = {
        { "", "\r" }, { "", "\n" }, { "", "\n--x" }, { "", "\n--xx" },
        { "", "x--xx" }, { "--xx\n", "\r" }, { "--xx\n", "\n" },
        { "--xx\n" D "a\n", "x: y\n" }, { "--xx\n" D "a", "; x=y" },
        { "--xx\n" D "a\n\n", "\n--x" }, { "--xx\n" D "a\n\n", "\r\r\v" },
        { "--xx\n" D "a", "\"" }, { "--xx\n" D "a", ";" },
        { "--xx\n" D "a", "; x=\"\"" }, { "", FIELD("a", "") },
        { "--xx\n" D "a\n\n", "\n\n" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(bodies); i++) {
        unsigned long few = cost(scene, bodies[i][0], bodies[i][1], 200);
        unsigned long many = cost(scene, bodies[i][0], bodies[i][1], 400);

        assert_true(few > 0);
        assert_true(many < few * 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(fields_are_read_in_their_order),
        scene_test(a_value_is_its_bytes),
        scene_test(files_are_no_fields),
        scene_test(a_file_may_hold_any_bytes),
        scene_test(headers_of_a_part),
        scene_test(a_part_with_other_headers_is_malformed),
        scene_test(a_form_may_be_empty),
        scene_test(what_stands_around_the_parts_is_ignored),
        scene_test(other_bodies_are_malformed),
        scene_test(a_body_that_is_cut_is_malformed),
        scene_test(a_nul_is_malformed),
        scene_test(boundaries),
        scene_test(a_type_without_one_good_boundary_is_refused),
        scene_test(a_form_has_as_many_parts_as_the_limit),
        scene_test(a_body_has_a_ceiling),
        scene_test(the_time_is_linear),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("multipart", tests, NULL, NULL);
}
