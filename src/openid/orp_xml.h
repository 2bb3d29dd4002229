/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_xml.h - documents from strangers, as small trees.
 *
 * libxml2 reads them; what leaves this file is a tree of our own in a pool,
 * so that nobody else has to know the library or free anything. No document
 * can make us fetch, expand or wait: the parser has no network and no
 * entities, and a DOCTYPE in XML is refused outright (XRDS has none).
 */
#ifndef ORP_XML_H
#define ORP_XML_H

#include "orp_status.h"

/** The deepest nesting that is read. */
#define ORP_XML_DEPTH 64

/** The most elements that are read. */
#define ORP_XML_ELEMENTS 20000

typedef struct orp_xml_attr_t {
    const char *ns;             /* namespace URI, or "" */
    const char *name;           /* local name; lower case in HTML */
    const char *value;
    struct orp_xml_attr_t *next;
} orp_xml_attr_t;

typedef struct orp_xml_node_t {
    const char *ns;             /* namespace URI, or "" */
    const char *name;           /* local name; lower case in HTML */
    const char *text;           /* the character data directly inside it,
                                 * joined, white space at both ends removed */
    orp_xml_attr_t *attrs;      /* in document order */
    struct orp_xml_node_t *children;    /* elements, in document order */
    struct orp_xml_node_t *next;        /* its next sibling element */
} orp_xml_node_t;

/**
 * Read an XML document, strictly.
 * @param proot  set to the document element
 * @return APR_SUCCESS; ORP_EXML where it is not well-formed, has a DOCTYPE,
 *         or goes over the limits
 */
ORP_MUST_USE apr_status_t orp_xml_parse(orp_xml_node_t **proot,
                                        const char *bytes, apr_size_t size,
                                        apr_pool_t *pool);

/**
 * Read an HTML page as forgivingly as a browser, with implied elements made
 * explicit. What goes over the limits is left out.
 * @param charset  what the HTTP header says, or NULL
 * @return APR_SUCCESS, or ORP_EXML where no html element came out of it
 */
ORP_MUST_USE apr_status_t orp_html_parse(orp_xml_node_t **proot,
                                         const char *bytes, apr_size_t size,
                                         const char *charset,
                                         apr_pool_t *pool);

/** The first attribute of this local name in any namespace, or NULL. */
const char *orp_xml_attr(const orp_xml_node_t *node, const char *name);

/** The first of node and its siblings with this namespace and name. */
const orp_xml_node_t *orp_xml_find(const orp_xml_node_t *node,
                                   const char *ns, const char *name);

/**
 * Prepare the library. Call once in each process, before the first thread.
 */
void orp_xml_init(void);

#endif
