/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_xml.c - orp_xml: documents from strangers cannot do anything. */

#include "support.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include <libxml/parser.h>

#include "orp_xml.h"

/* The most that any hostile document may cost. */
#define SECONDS 2
#define KILOBYTES (64 * 1024)

static orp_xml_node_t *parsed(scene_t *scene, const char *text)
{
    orp_xml_node_t *root = NULL;

    if (orp_xml_parse(&root, text, strlen(text), scene->pool)
        != APR_SUCCESS) {
        assert_null(root);
    }
    return root;
}

static void assert_refused(scene_t *scene, const char *text)
{
    orp_xml_node_t *root = NULL;

    assert_status(orp_xml_parse(&root, text, strlen(text), scene->pool),
                  ORP_EXML);
    assert_null(root);
}

static const char xrds[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<xrds:XRDS xmlns:xrds=\"xri://$xrds\" xmlns=\"xri://$xrd*($v*2.0)\">\n"
    "  <XRD>\n"
    "    <Service priority=\"10\" xrds:a='1 &amp; &#50;' a=\"&lt;\">\n"
    "      <Type> http://specs.openid.net/auth/2.0/signon\n</Type>\n"
    "      <!-- <Type>comment</Type> --><?pi <Type/>?>\n"
    "      <URI>https://op.exa<![CDATA[mple/?a=<b>]]>&amp;c</URI>\n"
    "    </Service>\n"
    "  </XRD>\n"
    "</xrds:XRDS>";

static void a_document_becomes_a_tree(void **state)
{
    scene_t *scene = *state;
    const orp_xml_node_t *node = parsed(scene, xrds);

    assert_non_null(node);
    assert_text(node->ns, "xri://$xrds");
    assert_text(node->name, "XRDS");
    assert_text(node->text, "");
    node = node->children;
    assert_text(node->ns, "xri://$xrd*($v*2.0)");
    assert_text(node->name, "XRD");
    assert_null(node->next);
    node = node->children;
    assert_text(orp_xml_attr(node, "priority"), "10");
    assert_text(orp_xml_attr(node, "Priority"), NULL);
    assert_text(orp_xml_attr(node, "a"), "1 & 2");
    assert_text(node->attrs->next->ns, "xri://$xrds");
    assert_text(node->attrs->next->next->ns, "");
    assert_text(node->attrs->next->next->value, "<");
    node = node->children;
    assert_text(node->text, "http://specs.openid.net/auth/2.0/signon");
    node = node->next;
    assert_text(node->name, "URI");
    assert_text(node->text, "https://op.example/?a=<b>&c");
    assert_null(node->next);
    assert_null(node->children);
}

static void elements_are_found_by_namespace_and_name(void **state)
{
    scene_t *scene = *state;
    const orp_xml_node_t *root = parsed(
        scene, "<r xmlns:p='urn:p'><a/><p:a id='1'/><p:a id='2'/></r>");
    const orp_xml_node_t *found;

    assert_non_null(root);
    found = orp_xml_find(root->children, "urn:p", "a");
    assert_text(orp_xml_attr(found, "id"), "1");
    found = orp_xml_find(found->next, "urn:p", "a");
    assert_text(orp_xml_attr(found, "id"), "2");
    assert_null(orp_xml_find(found->next, "urn:p", "a"));
    assert_ptr_equal(orp_xml_find(root->children, "", "a"), root->children);
    assert_null(orp_xml_find(root->children, "urn:P", "a"));
    assert_null(orp_xml_find(root->children, "urn:p", "A"));
    assert_null(orp_xml_find(NULL, "", "a"));
}

static void a_namespace_is_what_it_is_bound_to(void **state)
{
    scene_t *scene = *state;

    assert_text(parsed(scene, "<a/>")->ns, "");
    assert_text(parsed(scene, "<a xmlns=''/>")->ns, "");
    assert_text(parsed(scene, "<x:a xmlns:x='u'/>")->ns, "u");
    assert_text(parsed(scene, "<a xmlns='u'><b xmlns='v'/></a>")
                ->children->ns, "v");
    assert_text(parsed(scene, "<a xmlns='u'><b xmlns=''/></a>")
                ->children->ns, "");
}

static void an_unbound_prefix_is_no_namespace(void **state)
{
    scene_t *scene = *state;
    const orp_xml_node_t *root = parsed(scene, "<x:a/>");

    if (root) {
        assert_text(root->ns, "");
        assert_string_not_equal(root->name, "a");
    }
}

static void a_truncated_document_is_refused_wherever_it_ends(void **state)
{
    scene_t *scene = *state;
    orp_xml_node_t *root = NULL;
    apr_size_t size;

    for (size = 0; size < sizeof(xrds) - 1; size++) {
        assert_status(orp_xml_parse(&root, xrds, size, scene->pool),
                      ORP_EXML);
        assert_null(root);
    }
    assert_status(orp_xml_parse(&root, xrds, size, scene->pool),
                  APR_SUCCESS);
}

static void what_is_not_well_formed_is_refused(void **state)
{
    static const char *const broken[] = {
        "", " ", "text", "<a>", "</a>", "<a></b>", "<a><b></a></b>",
        "<a/><b/>", "<a/>text", "text<a/>", "<a b=c/>", "<a b='1' b='2'/>",
        "<a b='<'/>", "<a>&</a>", "<a>&nbsp;</a>", "<a>&e;</a>",
        "<a>&#0;</a>", "<a>\x01</a>", "<a>\xff</a>", "<a>\xc0\xaf</a>",
        "<a><!-- -- --></a>", "<a>]]></a>", " <?xml version='1.0'?><a/>",
        "<html><br></html>", "<a xmlns:x='u' x:b='' x:b=''/>",
        "<?xml version='1.0' encoding='no-such-thing'?><a>\xff</a>",
    };
    scene_t *scene = *state;
    orp_xml_node_t *root = NULL;
    size_t i;

    for (i = 0; i < COUNT(broken); i++) {
        assert_refused(scene, broken[i]);
    }
    assert_status(orp_xml_parse(&root, "<a>\0</a>", 8, scene->pool),
                  ORP_EXML);
    assert_non_null(parsed(scene, "<a b='1' c='2'>&#65;&quot;</a>"));
}

/* How often the library was asked to load something. */
static int loads;

static xmlParserInputPtr counting_loader(const char *url, const char *id,
                                         xmlParserCtxtPtr ctxt)
{
    (void)url;
    (void)id;
    (void)ctxt;
    loads++;
    return NULL;
}

#define BODY "<a>text</a>"

static const char *const doctypes[] = {
    "<!DOCTYPE a>",
    "<!DOCTYPE a []>",
    "<!DOCTYPE a SYSTEM 'http://canary.example/x.dtd'>",
    "<!DOCTYPE a SYSTEM 'file:///etc/hosts'>",
    "<!DOCTYPE a PUBLIC '-//X//X' 'http://canary.example/x.dtd'>",
    "<!DOCTYPE a [<!ENTITY e 'x'>]>",
    "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/hosts'>]>",
    "<!DOCTYPE a [<!ENTITY e PUBLIC 'p' 'http://canary.example/'>]>",
    "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://canary.example/'> %p;]>",
    "<!DOCTYPE a [<!ATTLIST a uri CDATA 'http://evil.example/'>]>",
    "<!DOCTYPE a [<!ELEMENT a ANY>]>",
    "<!-- c --><?p?>\n<!DOCTYPE a>",
};

static void a_doctype_is_refused_and_nothing_is_loaded(void **state)
{
    scene_t *scene = *state;
    xmlExternalEntityLoader usual = xmlGetExternalEntityLoader();
    size_t i;

    loads = 0;
    xmlSetExternalEntityLoader(counting_loader);
    for (i = 0; i < COUNT(doctypes); i++) {
        assert_refused(scene, apr_pstrcat(scene->pool, doctypes[i], BODY,
                                          NULL));
        assert_refused(scene, apr_pstrcat(scene->pool, doctypes[i],
                                          "<a b='&e;'>&e;</a>", NULL));
        assert_refused(scene, apr_pstrcat(scene->pool,
                                          "<?xml version='1.0'?>",
                                          doctypes[i], BODY, NULL));
    }
    xmlSetExternalEntityLoader(usual);
    assert_int_equal(loads, 0);
    assert_non_null(parsed(scene, BODY));
    assert_non_null(parsed(scene, "<!-- <!DOCTYPE a> -->" BODY));
    assert_non_null(parsed(scene, "<a><![CDATA[<!DOCTYPE a>]]></a>"));
}

/* Else the test above would be content with any loader. */
static void the_loader_of_this_test_counts(void **state)
{
    const char *text = "<!DOCTYPE a SYSTEM 'http://canary.example/x'><a/>";
    xmlExternalEntityLoader usual = xmlGetExternalEntityLoader();

    (void)state;
    loads = 0;
    xmlSetExternalEntityLoader(counting_loader);
    xmlFreeDoc(xmlReadMemory(text, (int)strlen(text), NULL, NULL,
                             XML_PARSE_DTDLOAD | XML_PARSE_NOERROR
                             | XML_PARSE_NOWARNING));
    xmlSetExternalEntityLoader(usual);
    assert_int_equal(loads, 1);
}

/* text in UTF-16, with a byte order mark. */
static const char *utf16(apr_size_t *psize, const char *text,
                         apr_pool_t *pool)
{
    apr_size_t length = strlen(text), i;
    char *out = apr_pcalloc(pool, 2 * length + 2);

    out[0] = '\xff';
    out[1] = '\xfe';
    for (i = 0; i < length; i++) {
        out[2 * i + 2] = text[i];
    }
    *psize = 2 * length + 2;
    return out;
}

static void a_doctype_does_not_hide_in_another_encoding(void **state)
{
    scene_t *scene = *state;
    orp_xml_node_t *root = NULL;
    apr_size_t size;
    const char *text;

    text = utf16(&size, "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
                 scene->pool);
    assert_status(orp_xml_parse(&root, text, size, scene->pool), ORP_EXML);
    assert_null(root);
    text = utf16(&size, BODY, scene->pool);
    assert_status(orp_xml_parse(&root, text, size, scene->pool),
                  APR_SUCCESS);
    assert_text(root->text, "text");
}

/* ---------------------------------------------------------------------- */
/* What a document may cost */

typedef struct {
    clock_t clock;
    long kilobytes;
} cost_t;

static cost_t cost(void)
{
    cost_t c = { clock(), 0 };
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        c.kilobytes = usage.ru_maxrss;
    }
    return c;
}

static void assert_cheap_since(cost_t before)
{
    cost_t after = cost();

    if (getenv("ORP_VALGRIND")) {
        return;                 /* it costs what it costs there */
    }
    assert_true(after.clock - before.clock < SECONDS * CLOCKS_PER_SEC);
    assert_true(after.kilobytes - before.kilobytes < KILOBYTES);
}

static const char *laughs(apr_pool_t *pool)
{
    const char *text = "<!DOCTYPE a [<!ENTITY e0 'ha'>";
    int i;

    for (i = 1; i < 20; i++) {
        text = apr_psprintf(pool, "%s<!ENTITY e%d '%s'>", text, i,
                            repeated(apr_psprintf(pool, "&e%d;", i - 1), 10,
                                     pool));
    }
    return apr_pstrcat(pool, text, "]><a>&e19;</a>", NULL);
}

static void a_billion_laughs_are_cheap(void **state)
{
    scene_t *scene = *state;
    cost_t before = cost();

    assert_refused(scene, laughs(scene->pool));
    assert_cheap_since(before);
}

static void a_quadratic_blowup_is_cheap(void **state)
{
    scene_t *scene = *state;
    const char *text = apr_pstrcat(scene->pool, "<!DOCTYPE a [<!ENTITY e '",
                                   repeated("x", 100000, scene->pool),
                                   "'>]><a>",
                                   repeated("&e;", 50000, scene->pool),
                                   "</a>", NULL);
    cost_t before = cost();

    assert_refused(scene, text);
    assert_cheap_since(before);
}

/* The library would report each "--" in a comment, in quadratic time. */
static void a_comment_full_of_errors_is_cheap(void **state)
{
    scene_t *scene = *state;
    const char *text = apr_pstrcat(scene->pool, "<a>",
                                   repeated("<!--", 65536, scene->pool),
                                   NULL);
    cost_t before = cost();

    assert_refused(scene, text);
    assert_cheap_since(before);
}

/* One element with so many attributes, each of another name. */
static const char *with_attributes(int count, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 16 * (apr_size_t)count + 32);
    char *t = text + apr_snprintf(text, 32, "<a");
    int i;

    for (i = 0; i < count; i++) {
        t += apr_snprintf(t, 16, " a%x=''", i);
    }
    memcpy(t, "/>", 3);
    return text;
}

/* The library would compare each of them with all others. */
static void too_many_attributes_are_cheap(void **state)
{
    scene_t *scene = *state;
    const char *text = with_attributes(32768, scene->pool);
    orp_xml_node_t *root = NULL;
    cost_t before = cost();

    assert_refused(scene, text);
    assert_cheap_since(before);
    before = cost();
    assert_status(orp_html_parse(&root, text, strlen(text), NULL,
                                 scene->pool), APR_SUCCESS);
    assert_cheap_since(before);
    assert_non_null(parsed(scene, with_attributes(200, scene->pool)));
}

/* Elements within each other, the given number of them. */
static const char *nested(int depth, apr_pool_t *pool)
{
    return apr_pstrcat(pool, repeated("<a>", depth, pool),
                       repeated("</a>", depth, pool), NULL);
}

static void a_document_is_as_deep_as_the_limit_and_no_deeper(void **state)
{
    scene_t *scene = *state;
    cost_t before;

    assert_non_null(parsed(scene, nested(ORP_XML_DEPTH, scene->pool)));
    assert_non_null(parsed(scene, nested(ORP_XML_DEPTH + 1, scene->pool)));
    assert_refused(scene, nested(ORP_XML_DEPTH + 2, scene->pool));
    before = cost();
    assert_refused(scene, nested(100000, scene->pool));
    assert_cheap_since(before);
}

static void a_document_has_as_many_elements_as_the_limit(void **state)
{
    scene_t *scene = *state;
    const char *most = repeated("<b/>", ORP_XML_ELEMENTS - 1, scene->pool);

    assert_non_null(parsed(scene, apr_pstrcat(scene->pool, "<a>", most,
                                              "</a>", NULL)));
    assert_refused(scene, apr_pstrcat(scene->pool, "<a>", most, "<b/></a>",
                                      NULL));
}

/* ---------------------------------------------------------------------- */
/* HTML */

static orp_xml_node_t *page(scene_t *scene, const char *text)
{
    orp_xml_node_t *root = NULL;

    if (orp_html_parse(&root, text, strlen(text), NULL, scene->pool)
        != APR_SUCCESS) {
        assert_null(root);
    }
    return root;
}

static void html_is_read_with_lower_case_and_implied_elements(void **state)
{
    scene_t *scene = *state;
    const orp_xml_node_t *root = page(scene, "<TITLE>A &amp; B</TITLE>"
                                      "<P CLASS=x>one<P>two");

    assert_non_null(root);
    assert_text(root->name, "html");
    assert_text(root->ns, "");
    assert_text(root->children->name, "head");
    assert_text(root->children->children->name, "title");
    assert_text(root->children->children->text, "A & B");
    assert_text(root->children->next->name, "body");
    assert_text(orp_xml_attr(root->children->next->children, "class"), "x");
    assert_text(root->children->next->children->next->text, "two");
}

static void html_may_have_a_doctype_and_loads_nothing(void **state)
{
    scene_t *scene = *state;
    xmlExternalEntityLoader usual = xmlGetExternalEntityLoader();

    loads = 0;
    xmlSetExternalEntityLoader(counting_loader);
    assert_non_null(page(scene, "<!DOCTYPE html><html></html>"));
    assert_non_null(page(scene, "<!DOCTYPE html PUBLIC '-//W3C//DTD' "
                         "'http://canary.example/x.dtd'><p>&e;"));
    assert_non_null(page(scene, "<!DOCTYPE html [<!ENTITY e SYSTEM "
                         "'file:///etc/hosts'>]><p>&e;"));
    xmlSetExternalEntityLoader(usual);
    assert_int_equal(loads, 0);
}

static void what_is_no_page_is_refused(void **state)
{
    scene_t *scene = *state;

    assert_null(page(scene, ""));
    assert_null(page(scene, "<!-- only a comment -->"));
    assert_non_null(page(scene, "only text"));
}

static void what_goes_over_the_limits_of_a_page_is_left_out(void **state)
{
    scene_t *scene = *state;
    const orp_xml_node_t *root;
    int depth;

    root = page(scene, apr_pstrcat(scene->pool, "<title>t</title>",
                                   repeated("<div>", 200, scene->pool),
                                   "<p>deep</p>",
                                   repeated("</div>", 200, scene->pool),
                                   "<h1>end</h1>", NULL));
    assert_non_null(root);
    assert_text(root->children->children->text, "t");
    assert_text(orp_xml_find(root->children->next->children, "", "h1")->text,
                "end");
    for (depth = 0; root; depth++) {
        root = root->children && root->children->next
            ? root->children->next : root->children;
        root = root && !strcmp(root->name, "h1") ? NULL : root;
    }
    assert_in_range(depth, 2, ORP_XML_DEPTH + 1);
    root = page(scene, apr_pstrcat(scene->pool, "<title>t</title>",
                                   repeated("<br>", 2 * ORP_XML_ELEMENTS,
                                            scene->pool), NULL));
    assert_non_null(root);
    assert_text(root->children->children->text, "t");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_document_becomes_a_tree),
        scene_test(elements_are_found_by_namespace_and_name),
        scene_test(a_namespace_is_what_it_is_bound_to),
        scene_test(an_unbound_prefix_is_no_namespace),
        scene_test(a_truncated_document_is_refused_wherever_it_ends),
        scene_test(what_is_not_well_formed_is_refused),
        scene_test(a_doctype_is_refused_and_nothing_is_loaded),
        scene_test(the_loader_of_this_test_counts),
        scene_test(a_doctype_does_not_hide_in_another_encoding),
        scene_test(a_billion_laughs_are_cheap),
        scene_test(a_quadratic_blowup_is_cheap),
        scene_test(a_comment_full_of_errors_is_cheap),
        scene_test(too_many_attributes_are_cheap),
        scene_test(a_document_is_as_deep_as_the_limit_and_no_deeper),
        scene_test(a_document_has_as_many_elements_as_the_limit),
        scene_test(html_is_read_with_lower_case_and_implied_elements),
        scene_test(html_may_have_a_doctype_and_loads_nothing),
        scene_test(what_is_no_page_is_refused),
        scene_test(what_goes_over_the_limits_of_a_page_is_left_out),
    };

    apr_initialize();
    orp_xml_init();
    return cmocka_run_group_tests_name("xml", tests, NULL, NULL);
}
