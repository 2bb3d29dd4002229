/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_xml.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>
#include <libxml/HTMLparser.h>
#include <libxml/dict.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

#define STR(s) ((const char *)(s))

/* How much room the library has for the different names of one document, in
 * bytes. It compares each attribute of an element with all others, which
 * takes seconds where a hostile page has tens of thousands of them. */
#define NAMES_SIZE (32 * 1024)

/* What one conversion of a tree has used up. */
typedef struct {
    apr_pool_t *pool;
    int elements;
    int lower;                  /* HTML: names in lower case */
} conversion_t;

void orp_xml_init(void)
{
    xmlInitParser();
}

static const char *copy_name(const conversion_t *c, const xmlChar *name)
{
    char *copy = apr_pstrdup(c->pool, STR(name));
    char *s;

    for (s = copy; c->lower && *s; s++) {
        if (*s >= 'A' && *s <= 'Z') {
            *s = (char)(*s - 'A' + 'a');
        }
    }
    return copy;
}

static const char *copy_ns(const conversion_t *c, const xmlNs *ns)
{
    return ns && ns->href ? apr_pstrdup(c->pool, STR(ns->href)) : "";
}

static const char *trimmed(const char *text, apr_pool_t *pool)
{
    apr_size_t size;

    text += strspn(text, " \t\r\n");
    size = strlen(text);
    while (size && strchr(" \t\r\n", text[size - 1])) {
        size--;
    }
    return apr_pstrmemdup(pool, text, size);
}

static const char *own_text(const conversion_t *c, const xmlNode *node)
{
    apr_array_header_t *parts = apr_array_make(c->pool, 2,
                                               sizeof(const char *));
    const xmlNode *child;

    for (child = node->children; child; child = child->next) {
        if ((child->type == XML_TEXT_NODE
             || child->type == XML_CDATA_SECTION_NODE) && child->content) {
            APR_ARRAY_PUSH(parts, const char *) = STR(child->content);
        }
    }
    return trimmed(apr_array_pstrcat(c->pool, parts, 0), c->pool);
}

static orp_xml_attr_t *copy_attrs(const conversion_t *c,
                                  const xmlNode *node)
{
    orp_xml_attr_t *first = NULL, **pnext = &first;
    const xmlAttr *attr;

    for (attr = node->properties; attr; attr = attr->next) {
        orp_xml_attr_t *copy = apr_pcalloc(c->pool, sizeof(*copy));
        xmlChar *value = xmlNodeListGetString(node->doc, attr->children, 1);

        copy->ns = copy_ns(c, attr->ns);
        copy->name = copy_name(c, attr->name);
        copy->value = apr_pstrdup(c->pool, value ? STR(value) : "");
        xmlFree(value);
        *pnext = copy;
        pnext = &copy->next;
    }
    return first;
}

static orp_xml_node_t *copy_node(conversion_t *c, const xmlNode *node,
                                 int depth);

/* Recursive, and harmless: copy_node() ends it at ORP_XML_DEPTH.
 * NOLINTNEXTLINE(misc-no-recursion) */
static apr_status_t copy_children(orp_xml_node_t **pfirst, conversion_t *c,
                                  const xmlNode *node, int depth)
{
    const xmlNode *child;

    for (child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE) {
            *pfirst = copy_node(c, child, depth + 1);
            if (*pfirst) {
                pfirst = &(*pfirst)->next;
            }
            else if (!c->lower) {
                return ORP_EXML;
            }
        }
    }
    return APR_SUCCESS;
}

/* NULL where it is too deep or too much: the end of an XML document, while an
 * HTML page goes on without it.
 * NOLINTNEXTLINE(misc-no-recursion): up to ORP_XML_DEPTH */
static orp_xml_node_t *copy_node(conversion_t *c, const xmlNode *node,
                                 int depth)
{
    orp_xml_node_t *copy;

    if (depth > ORP_XML_DEPTH || c->elements >= ORP_XML_ELEMENTS) {
        return NULL;
    }
    c->elements++;
    copy = apr_pcalloc(c->pool, sizeof(*copy));
    copy->ns = copy_ns(c, node->ns);
    copy->name = copy_name(c, node->name);
    copy->text = own_text(c, node);
    copy->attrs = copy_attrs(c, node);
    if (copy_children(&copy->children, c, node, depth) != APR_SUCCESS) {
        return NULL;
    }
    return copy;
}

/* Turn the library's tree into ours, and give the library's back. */
static apr_status_t convert(orp_xml_node_t **proot, xmlDocPtr doc, int lower,
                            apr_pool_t *pool)
{
    conversion_t c = { pool, 0, lower };
    xmlNodePtr element = doc ? xmlDocGetRootElement(doc) : NULL;
    orp_xml_node_t *root = NULL;

    if (element && (lower || !doc->intSubset)) {
        root = copy_node(&c, element, 0);
    }
    if (doc) {
        xmlFreeDoc(doc);
    }
    if (!root) {
        return ORP_EXML;
    }
    *proot = root;
    return APR_SUCCESS;
}

/* A DOCTYPE ends the parse as soon as it is seen: before any entity that it
 * declares could be expanded. */
static void refuse_doctype(void *baton, const xmlChar *name,
                           const xmlChar *external_id,
                           const xmlChar *system_id)
{
    (void)name;
    (void)external_id;
    (void)system_id;
    xmlStopParser(baton);
    ((xmlParserCtxtPtr)baton)->wellFormed = 0;
}

/* The first error is the last: the library would go on to look for more of
 * them, in a time that grows with their square. */
static void stop_at_error(void *baton, xmlErrorPtr error)
{
    if (error->level == XML_ERR_FATAL) {
        xmlStopParser(baton);
    }
}

apr_status_t orp_xml_parse(orp_xml_node_t **proot, const char *bytes,
                           apr_size_t size, apr_pool_t *pool)
{
    xmlParserCtxtPtr ctxt = xmlNewParserCtxt();
    xmlDocPtr doc;

    if (!ctxt) {
        return APR_ENOMEM;
    }
    (void)xmlDictSetLimit(ctxt->dict, NAMES_SIZE);
    ctxt->sax->internalSubset = refuse_doctype;
    ctxt->sax->externalSubset = refuse_doctype;
    ctxt->sax->serror = stop_at_error;
    doc = xmlCtxtReadMemory(ctxt, bytes, (int)size, NULL, NULL,
                            XML_PARSE_NONET | XML_PARSE_NOERROR
                            | XML_PARSE_NOWARNING);
    xmlFreeParserCtxt(ctxt);
    return convert(proot, doc, 0, pool);
}

apr_status_t orp_html_parse(orp_xml_node_t **proot, const char *bytes,
                            apr_size_t size, const char *charset,
                            apr_pool_t *pool)
{
    htmlParserCtxtPtr ctxt = htmlNewParserCtxt();
    htmlDocPtr doc;

    if (!ctxt) {
        return APR_ENOMEM;
    }
    (void)xmlDictSetLimit(ctxt->dict, NAMES_SIZE);
    doc = htmlCtxtReadMemory(ctxt, bytes, (int)size, NULL, charset,
                             HTML_PARSE_RECOVER | HTML_PARSE_NONET
                             | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING);
    htmlFreeParserCtxt(ctxt);
    return convert(proot, doc, 1, pool);
}

const char *orp_xml_attr(const orp_xml_node_t *node, const char *name)
{
    const orp_xml_attr_t *attr;

    for (attr = node->attrs; attr; attr = attr->next) {
        if (!strcmp(attr->name, name)) {
            return attr->value;
        }
    }
    return NULL;
}

const orp_xml_node_t *orp_xml_find(const orp_xml_node_t *node,
                                   const char *ns, const char *name)
{
    for (; node; node = node->next) {
        if (!strcmp(node->name, name) && !strcmp(node->ns, ns)) {
            return node;
        }
    }
    return NULL;
}
