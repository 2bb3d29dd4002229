/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_links.c - a file of links: whatever is in it, an edit changes only the
 * lines that it is about, and what was written is read again.
 *
 * The first line is the identifier of the edit, the second its account, and
 * the rest the file.
 */

#include "fuzz.h"

#include "orp_links_text.h"

/* What a table says of it. */
static void look_at(const orp_links_table_t *table, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < table->list->nelts; i++) {
        const orp_link_t *link = &APR_ARRAY_IDX(table->list, i, orp_link_t);
        const char *again = NULL;

        fuzz_check(orp_links_identifier(&again, link->identifier, NULL, pool)
                   == APR_SUCCESS);
        fuzz_check(fuzz_same(again, link->identifier));
        fuzz_check(!strpbrk(link->identifier, " \t\r\n"));
        fuzz_check(fuzz_is_plain(link->identifier));
        fuzz_check(fuzz_is_plain(link->account));
        fuzz_check(!orp_links_account_fault(link->account,
                                            strlen(link->account)));
        fuzz_check(fuzz_same(orp_links_table_find(table, link->identifier),
                             link->account));
    }
    fuzz_check(table->mistakes->nelts <= ORP_LINKS_MISTAKES + 1);
}

static orp_links_table_t *read_all(const orp_links_text_t *text,
                                   apr_pool_t *pool)
{
    orp_links_table_t *table = FUZZ_UNTOUCHED;

    fuzz_check(orp_links_table_read(&table, text, pool) == APR_SUCCESS);
    return table;
}

/* All links but those of one identifier are the same, in the same order. */
static void others_are_kept(const orp_links_table_t *before,
                            const orp_links_table_t *after,
                            const char *identifier)
{
    int i, j = 0;

    for (i = 0; i < before->list->nelts; i++) {
        const orp_link_t *old = &APR_ARRAY_IDX(before->list, i, orp_link_t);

        if (strcmp(old->identifier, identifier)) {
            const orp_link_t *link = NULL;

            do {
                fuzz_check(j < after->list->nelts);
                link = &APR_ARRAY_IDX(after->list, j++, orp_link_t);
            } while (!strcmp(link->identifier, identifier));
            fuzz_check(fuzz_same(link->identifier, old->identifier));
            fuzz_check(fuzz_same(link->account, old->account));
        }
    }
}

static int is_about(const orp_links_line_t *line, const char *identifier)
{
    return line->identifier && !strcmp(line->identifier, identifier);
}

/* Without the lines of the identifier, byte for byte the same. */
static void lines_are_kept(const orp_links_text_t *before,
                           const orp_links_text_t *after,
                           const char *identifier, apr_pool_t *pool)
{
    orp_links_line_t line = { 0 };
    const char *at = after->bytes;
    apr_size_t left = after->size;

    while (orp_links_line_next(&line, before, pool)) {
        const char *begin = line.number == 1 ? before->bytes : line.begin;
        apr_size_t size = (apr_size_t)(line.end - begin);

        if (is_about(&line, identifier)) {
            size = (apr_size_t)(line.begin - begin);
        }
        fuzz_check(size <= left && !memcmp(at, begin, size));
        at += size;
        left -= size;
    }
    fuzz_check(left == 0);
}

/* A removal, and what is left. */
static void remove_from(const orp_links_text_t *text, const orp_link_t *link,
                        apr_pool_t *pool)
{
    orp_link_t any = { link->identifier, NULL };
    orp_links_text_t left = { FUZZ_UNTOUCHED, 0 };
    orp_reason_t *why = orp_reason_create(pool);
    orp_links_table_t *table;
    apr_status_t status = orp_links_text_remove(&left, text, &any, why,
                                                pool);

    fuzz_reason(why, status);
    if (!fuzz_status(status, left.bytes, ORP_ENOTFOUND, APR_SUCCESS)) {
        fuzz_check(!orp_links_table_find(read_all(text, pool),
                                         link->identifier));
        return;
    }
    lines_are_kept(text, &left, link->identifier, pool);
    table = read_all(&left, pool);
    fuzz_check(!orp_links_table_find(table, link->identifier));
    others_are_kept(read_all(text, pool), table, link->identifier);
    fuzz_check(orp_links_text_remove(&left, &left, &any, NULL, pool)
               == ORP_ENOTFOUND);
}

/* An addition, and its end. */
static void add_to(const orp_links_text_t *text, const orp_link_t *link,
                   apr_pool_t *pool)
{
    orp_links_text_t more = { FUZZ_UNTOUCHED, 0 }, again;
    orp_reason_t *why = orp_reason_create(pool);
    orp_links_table_t *before = read_all(text, pool), *after;
    const char *account = orp_links_table_find(before, link->identifier);
    apr_status_t status = orp_links_text_add(&more, text, link, why, pool);

    fuzz_reason(why, status);
    if (!fuzz_status(status, more.bytes, ORP_EEXISTS, APR_SUCCESS)) {
        fuzz_check(!account || strcmp(account, link->account));
        return;
    }
    fuzz_check(!account || !strcmp(account, link->account));
    fuzz_check((account != NULL) == (more.bytes == text->bytes));
    fuzz_check(more.size >= text->size);
    fuzz_check(!memcmp(more.bytes, text->bytes, text->size));
    fuzz_check(more.bytes[more.size - 1] == '\n' || account);
    after = read_all(&more, pool);
    fuzz_check(fuzz_same(orp_links_table_find(after, link->identifier),
                         link->account));
    fuzz_check(after->mistakes->nelts == before->mistakes->nelts);
    others_are_kept(before, after, link->identifier);
    others_are_kept(after, before, link->identifier);
    fuzz_check(orp_links_text_add(&again, &more, link, NULL, pool)
               == APR_SUCCESS && again.bytes == more.bytes);
    remove_from(&more, link, pool);
}

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    const char *text = fuzz_text(bytes, size, pool);
    const char *typed = fuzz_line(&text, pool);
    orp_link_t link = { FUZZ_UNTOUCHED, fuzz_line(&text, pool) };
    orp_reason_t *why = orp_reason_create(pool);
    apr_size_t head = 0;
    orp_links_text_t file;
    apr_status_t status;
    int lines;

    /* the file itself may have NULs, and none behind it */
    for (lines = 0; lines < 2 && head < size; head++) {
        lines += bytes[head] == '\n';
    }
    file.bytes = bytes + head;
    file.size = size - head;
    look_at(read_all(&file, pool), pool);
    status = orp_links_identifier(&link.identifier, typed, why, pool);
    fuzz_reason(why, status);
    if (fuzz_status(status, link.identifier, ORP_EIDENTIFIER, APR_SUCCESS)) {
        remove_from(&file, &link, pool);
        if (!orp_links_account_fault(link.account, strlen(link.account))) {
            add_to(&file, &link, pool);
        }
    }
}

FUZZ_TARGET(links, 4096)
