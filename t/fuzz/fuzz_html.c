/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz_html.c - orp_html, and orp_xml below it. The first line is the
 * Content-Type, the rest is the page. */

#include "fuzz.h"

#include "orp_html.h"
#include "orp_http.h"

/* Set, trimmed and in UTF-8, or not there. */
static void member(const char *text)
{
    static const char space[] = " \t\r\n";

    if (text && *text) {
        fuzz_check(!strchr(space, text[0]));
        fuzz_check(!strchr(space, text[strlen(text) - 1]));
    }
}

static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    const char *newline = size ? memchr(bytes, '\n', size) : NULL;
    apr_size_t skipped = newline ? (apr_size_t)(newline + 1 - bytes) : 0;
    const char *type = fuzz_text(bytes, skipped ? skipped - 1 : 0, pool);
    const char *media = orp_http_media_type(type, pool);
    const char *charset = orp_http_charset(type, pool);
    orp_html_head_t *head = FUZZ_UNTOUCHED;

    fuzz_check(!strcmp(orp_http_media_type(media, pool), media));
    fuzz_check(!charset || !strpbrk(charset, "\"; \t"));
    if (fuzz_status(orp_html_head(&head, bytes + skipped, size - skipped,
                                  charset, pool), head, ORP_EXML,
                    APR_SUCCESS)) {
        member(head->xrds_location);
        member(head->provider2);
        member(head->local_id2);
        member(head->provider1);
        member(head->local_id1);
    }
}

FUZZ_TARGET(html, 8192)
