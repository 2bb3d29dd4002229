/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_html.h"

#include <string.h>

#include <apr_strings.h>

static const char space[] = " \t\r\n\f";

/* rel is a list of words separated by white space, in any case. */
static int has_word(const char *list, const char *word)
{
    apr_size_t length = strlen(word);

    while (*(list += strspn(list, space))) {
        apr_size_t size = strcspn(list, space);

        if (size == length && !strncasecmp(list, word, size)) {
            return 1;
        }
        list += size;
    }
    return 0;
}

static const char *trimmed_attr(const orp_xml_node_t *node,
                                const char *name, apr_pool_t *pool)
{
    const char *value = orp_xml_attr(node, name);
    apr_size_t size;

    if (!value) {
        return NULL;
    }
    value += strspn(value, space);
    size = strlen(value);
    while (size && strchr(space, value[size - 1])) {
        size--;
    }
    return size ? apr_pstrmemdup(pool, value, size) : NULL;
}

static void read_link(orp_html_head_t *head, const orp_xml_node_t *node,
                      apr_pool_t *pool)
{
    const char *rel = orp_xml_attr(node, "rel");
    const char *href = trimmed_attr(node, "href", pool);
    const struct {
        const char *word;
        const char **slot;
    } known[] = {
        { "openid2.provider", &head->provider2 },
        { "openid2.local_id", &head->local_id2 },
        { "openid.server", &head->provider1 },
        { "openid.delegate", &head->local_id1 },
    };
    apr_size_t i;

    for (i = 0; rel && href && i < sizeof(known) / sizeof(known[0]); i++) {
        if (!*known[i].slot && has_word(rel, known[i].word)) {
            *known[i].slot = href;
        }
    }
}

static void read_meta(orp_html_head_t *head, const orp_xml_node_t *node,
                      apr_pool_t *pool)
{
    const char *equiv = orp_xml_attr(node, "http-equiv");

    if (equiv && !head->xrds_location
        && !strcasecmp(equiv, "X-XRDS-Location")) {
        head->xrds_location = trimmed_attr(node, "content", pool);
    }
}

apr_status_t orp_html_head(orp_html_head_t **phead, const char *bytes,
                           apr_size_t size, const char *charset,
                           apr_pool_t *pool)
{
    orp_html_head_t *head = apr_pcalloc(pool, sizeof(*head));
    orp_xml_node_t *root;
    const orp_xml_node_t *node;
    apr_status_t status = orp_html_parse(&root, bytes, size, charset, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    node = strcmp(root->name, "html") ? NULL
        : orp_xml_find(root->children, "", "head");
    for (node = node ? node->children : NULL; node; node = node->next) {
        if (!strcmp(node->name, "link")) {
            read_link(head, node, pool);
        }
        else if (!strcmp(node->name, "meta")) {
            read_meta(head, node, pool);
        }
    }
    *phead = head;
    return APR_SUCCESS;
}
