/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_links_table.c - all lines of a text, by identifier. */

#include "orp_links_text.h"

#include <string.h>

#include <apr_strings.h>

/* An identifier that a line names. */
typedef struct {
    orp_link_t link;            /* what the first line says */
    int first;                  /* its number */
    int other;                  /* the first line with another account, or 0:
                                 * then the link is good */
} entry_t;

/* Reads all lines. @return are there any mistakes? */
static int read_lines(orp_links_table_t *table, apr_array_header_t *entries,
                      const orp_links_text_t *text, apr_pool_t *scratch)
{
    apr_pool_t *pool = entries->pool;
    orp_links_line_t line = { 0 };
    int mistakes = 0;

    for (; orp_links_line_next(&line, text, scratch);
         apr_pool_clear(scratch)) {
        entry_t *entry;

        if (line.mistake || !line.identifier) {
            mistakes |= line.mistake != NULL;
            continue;
        }
        entry = apr_hash_get(table->entries, line.identifier,
                             APR_HASH_KEY_STRING);
        if (!entry) {
            entry = apr_pcalloc(pool, sizeof(*entry));
            entry->link.identifier = apr_pstrdup(pool, line.identifier);
            entry->link.account = apr_pstrdup(pool, line.account);
            entry->first = line.number;
            apr_hash_set(table->entries, entry->link.identifier,
                         APR_HASH_KEY_STRING, entry);
            APR_ARRAY_PUSH(entries, entry_t *) = entry;
        }
        else if (strcmp(entry->link.account, line.account)) {
            entry->other = entry->other ? entry->other : line.number;
            mistakes = 1;
        }
    }
    return mistakes;
}

/* What is wrong with a line, knowing all lines; or NULL. */
static const char *find_mistake(const orp_links_table_t *table,
                                const orp_links_line_t *line,
                                apr_pool_t *pool)
{
    const entry_t *entry;

    if (line->mistake || !line->identifier) {
        return line->mistake;
    }
    entry = apr_hash_get(table->entries, line->identifier,
                         APR_HASH_KEY_STRING);
    if (!entry || !entry->other) {
        return NULL;
    }
    return apr_psprintf(pool, "line %d: %s has another account on line %d, "
                        "and so it has none", line->number,
                        orp_links_quoted(line->identifier, pool),
                        strcmp(entry->link.account, line->account)
                        ? entry->first : entry->other);
}

static void tell_mistakes(orp_links_table_t *table,
                          const orp_links_text_t *text, apr_pool_t *scratch)
{
    apr_pool_t *pool = table->mistakes->pool;
    orp_links_line_t line = { 0 };
    int more = 0;

    for (; orp_links_line_next(&line, text, scratch);
         apr_pool_clear(scratch)) {
        const char *mistake = find_mistake(table, &line, scratch);

        if (!mistake) {
            continue;
        }
        if (table->mistakes->nelts < ORP_LINKS_MISTAKES) {
            APR_ARRAY_PUSH(table->mistakes, const char *)
                = apr_pstrdup(pool, mistake);
        }
        else {
            more++;
        }
    }
    if (more) {
        APR_ARRAY_PUSH(table->mistakes, const char *)
            = apr_psprintf(pool, "%d more lines cannot be used", more);
    }
}

apr_status_t orp_links_table_read(orp_links_table_t **ptable,
                                  const orp_links_text_t *text,
                                  apr_pool_t *pool)
{
    orp_links_table_t *table = apr_pcalloc(pool, sizeof(*table));
    apr_array_header_t *entries;
    apr_pool_t *scratch;
    apr_status_t status = apr_pool_create(&scratch, pool);
    int i;

    if (status != APR_SUCCESS) {
        return status;
    }
    table->entries = apr_hash_make(pool);
    table->list = apr_array_make(pool, 16, sizeof(orp_link_t));
    table->mistakes = apr_array_make(pool, 4, sizeof(const char *));
    entries = apr_array_make(pool, 16, sizeof(entry_t *));
    if (read_lines(table, entries, text, scratch)) {
        tell_mistakes(table, text, scratch);
    }
    apr_pool_destroy(scratch);
    for (i = 0; i < entries->nelts; i++) {
        const entry_t *entry = APR_ARRAY_IDX(entries, i, entry_t *);

        if (!entry->other) {
            APR_ARRAY_PUSH(table->list, orp_link_t) = entry->link;
        }
    }
    *ptable = table;
    return APR_SUCCESS;
}

const char *orp_links_table_find(const orp_links_table_t *table,
                                 const char *identifier)
{
    const entry_t *entry = apr_hash_get(table->entries, identifier,
                                        APR_HASH_KEY_STRING);

    return entry && !entry->other ? entry->link.account : NULL;
}
