/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_xrds.h"

#include <stdlib.h>
#include <string.h>

#include "orp_codec.h"
#include "orp_xml.h"

#define NS_XRDS   "xri://$xrds"
#define NS_XRD    "xri://$xrd*($v*2.0)"
#define NS_OPENID "http://openid.net/xmlns/1.0"

#define PRIORITY_NONE APR_UINT32_MAX

/* One endpoint and what decides its place. */
typedef struct {
    orp_service_t *service;
    apr_uint32_t service_priority;
    apr_uint32_t uri_priority;
    int position;               /* in the document */
} ranked_t;

static apr_uint32_t priority(const orp_xml_node_t *node)
{
    const char *text = orp_xml_attr(node, "priority");
    apr_uint64_t number;

    if (!text || orp_number_parse(&number, text, PRIORITY_NONE - 1)
        != APR_SUCCESS) {
        return PRIORITY_NONE;
    }
    return (apr_uint32_t)number;
}

static int compare_numbers(apr_uint32_t a, apr_uint32_t b)
{
    return (a > b) - (a < b);
}

/* Equal ones stay in document order, so that the outcome is always the
 * same, whatever the sort does with equals. */
static int compare_ranked(const void *left, const void *right)
{
    const ranked_t *a = left, *b = right;
    int order = (int)a->service->kind - (int)b->service->kind;

    if (!order) {
        order = compare_numbers(a->service_priority, b->service_priority);
    }
    if (!order) {
        order = compare_numbers(a->uri_priority, b->uri_priority);
    }
    return order ? order : a->position - b->position;
}

static apr_array_header_t *read_types(const orp_xml_node_t *service,
                                      apr_pool_t *pool)
{
    apr_array_header_t *types = apr_array_make(pool, 4,
                                               sizeof(const char *));
    const orp_xml_node_t *node = service->children;

    while ((node = orp_xml_find(node, NS_XRD, "Type"))) {
        APR_ARRAY_PUSH(types, const char *) = node->text;
        node = node->next;
    }
    return types;
}

/* The best of several elements of one name, by priority. */
static const char *best_text(const orp_xml_node_t *service, const char *ns,
                             const char *name)
{
    const orp_xml_node_t *node = service->children, *best = NULL;

    while ((node = orp_xml_find(node, ns, name))) {
        if (*node->text && (!best || priority(node) < priority(best))) {
            best = node;
        }
        node = node->next;
    }
    return best ? best->text : NULL;
}

/* 7.3.2.1.2, and 14.2.1 for the element of 1.x. */
static const char *read_local_id(const orp_xml_node_t *service,
                                 orp_service_kind_e kind)
{
    const char *local_id = NULL;

    if (kind == ORP_SERVER_20) {
        return NULL;
    }
    if (kind != ORP_SIGNON_20) {
        local_id = best_text(service, NS_OPENID, "Delegate");
    }
    return local_id ? local_id : best_text(service, NS_XRD, "LocalID");
}

static void read_service(apr_array_header_t *ranked,
                         const orp_xml_node_t *element, apr_pool_t *pool)
{
    apr_array_header_t *types = read_types(element, pool);
    const orp_xml_node_t *node = element->children;
    const char *local_id;
    orp_service_kind_e kind;

    if (!orp_service_kind(&kind, types)) {
        return;
    }
    local_id = read_local_id(element, kind);
    while ((node = orp_xml_find(node, NS_XRD, "URI"))) {
        orp_service_t *service = apr_pcalloc(pool, sizeof(*service));

        if (orp_service_endpoint(&service->endpoint, node->text, pool)
            == APR_SUCCESS) {
            ranked_t *entry = apr_array_push(ranked);

            service->kind = kind;
            service->types = types;
            service->local_id = local_id;
            entry->service = service;
            entry->service_priority = priority(element);
            entry->uri_priority = priority(node);
            entry->position = ranked->nelts;
        }
        node = node->next;
    }
}

static const orp_xml_node_t *last_xrd(const orp_xml_node_t *root)
{
    const orp_xml_node_t *node = root->children, *last = NULL;

    while ((node = orp_xml_find(node, NS_XRD, "XRD"))) {
        last = node;
        node = node->next;
    }
    return last;
}

/* The XRD that counts is the last one; *pfirst, where the chain begins. */
static apr_status_t read_xrd(const orp_xml_node_t **pxrd,
                             const orp_xml_node_t **pfirst, const char *bytes,
                             apr_size_t size, orp_reason_t *why,
                             apr_pool_t *pool)
{
    const orp_xml_node_t *xrd = NULL;
    orp_xml_node_t *root;

    if (orp_xml_parse(&root, bytes, size, pool) == APR_SUCCESS
        && orp_xml_find(root, NS_XRDS, "XRDS")) {
        xrd = last_xrd(root);
    }
    if (!xrd) {
        return orp_reason_set(why, ORP_EXML, NULL,
                              "The XRDS document is not well-formed.");
    }
    *pxrd = xrd;
    *pfirst = root->children;
    return APR_SUCCESS;
}

static const char *child_text(const orp_xml_node_t *parent, const char *name)
{
    const orp_xml_node_t *node = orp_xml_find(parent->children, NS_XRD,
                                              name);

    return node && *node->text ? node->text : NULL;
}

/* XRI Resolution 2.0, 14.3: each authority gives out numbers below its own
 * only, so that "=!A" stands before "=!A!B". */
static int is_chain(const orp_xml_node_t *first)
{
    const orp_xml_node_t *node = first;
    const char *parent = NULL;

    while ((node = orp_xml_find(node, NS_XRD, "XRD"))) {
        const char *id = child_text(node, "CanonicalID");
        apr_size_t size = parent ? strlen(parent) : 0;

        if (!id || (parent && (strncasecmp(id, parent, size)
                               || id[size] != '!'))) {
            return 0;
        }
        parent = id;
        node = node->next;
    }
    return 1;
}

/* XRI Resolution 2.0, 15: 100 is success; cid says what became of the check
 * of the CanonicalID. Where a resolver says nothing, we check. */
static int is_verified(const orp_xml_node_t *xrd, const orp_xml_node_t *first)
{
    const orp_xml_node_t *status = orp_xml_find(xrd->children, NS_XRD,
                                                "Status");
    const char *code = status ? orp_xml_attr(status, "code") : NULL;
    const char *cid = status ? orp_xml_attr(status, "cid") : NULL;

    return (!code || !strcmp(code, "100"))
        && (cid ? !strcmp(cid, "verified") : is_chain(first));
}

apr_status_t orp_xrds_authority(orp_xrds_authority_t *authority,
                                const char *bytes, apr_size_t size,
                                orp_reason_t *why, apr_pool_t *pool)
{
    const orp_xml_node_t *xrd, *first;
    apr_status_t status = read_xrd(&xrd, &first, bytes, size, why, pool);

    if (status == APR_SUCCESS) {
        authority->canonical_id = child_text(xrd, "CanonicalID");
        authority->provider_id = child_text(xrd, "ProviderID");
        authority->verified = is_verified(xrd, first);
    }
    return status;
}

apr_status_t orp_xrds_services(apr_array_header_t **pservices,
                               const char *bytes, apr_size_t size,
                               orp_reason_t *why, apr_pool_t *pool)
{
    apr_array_header_t *ranked = apr_array_make(pool, 4, sizeof(ranked_t));
    apr_array_header_t *services = apr_array_make(pool, 4,
                                                  sizeof(orp_service_t *));
    const orp_xml_node_t *node, *first;
    int i;
    apr_status_t status = read_xrd(&node, &first, bytes, size, why, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    node = node->children;
    while ((node = orp_xml_find(node, NS_XRD, "Service"))) {
        read_service(ranked, node, pool);
        node = node->next;
    }
    qsort(ranked->elts, (size_t)ranked->nelts, sizeof(ranked_t),
          compare_ranked);
    for (i = 0; i < ranked->nelts && i < ORP_XRDS_SERVICES; i++) {
        APR_ARRAY_PUSH(services, orp_service_t *)
            = APR_ARRAY_IDX(ranked, i, ranked_t).service;
    }
    *pservices = services;
    return APR_SUCCESS;
}
