/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_links_text.h"

#include <string.h>

#include <apr_strings.h>

#include "orp_codec.h"
#include "orp_identifier.h"
#include "orp_url.h"

/* How much of a text is quoted in a sentence. */
#define QUOTED_MAX 100

/* Some editors begin every text with it. It is a blank at the beginning of any
 * line: where the line before it is removed, nothing else changes. */
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"
#define MARK_SIZE (sizeof(BYTE_ORDER_MARK) - 1)

static int is_mark(const char *begin, const char *end)
{
    return (apr_size_t)(end - begin) >= MARK_SIZE
        && !memcmp(begin, BYTE_ORDER_MARK, MARK_SIZE);
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Also C1, U+0080 to U+009F, in UTF-8: a user name goes into headers, logs
 * and terminals. */
static int has_control(const char *bytes, apr_size_t size)
{
    apr_size_t i;

    for (i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (c < 0x20 || c == 0x7F
            || (c == 0xC2 && i + 1 < size
                && (unsigned char)bytes[i + 1] >= 0x80
                && (unsigned char)bytes[i + 1] < 0xA0)) {
            return 1;
        }
    }
    return 0;
}

const char *orp_links_quoted(const char *text, apr_pool_t *pool)
{
    apr_size_t size = QUOTED_MAX;

    if (strlen(text) <= size) {
        return text;
    }
    while (size && !orp_utf8_valid(text, size)) {
        size--;
    }
    return apr_pstrcat(pool, apr_pstrmemdup(pool, text, size), "...", NULL);
}

const char *orp_links_account_fault(const char *bytes, apr_size_t size)
{
    if (!size) {
        return "is missing";
    }
    if (size > ORP_LINKS_ACCOUNT_MAX) {
        return "is longer than 255 bytes";
    }
    if (!orp_utf8_valid(bytes, size)) {
        return "is not text in UTF-8";
    }
    if (has_control(bytes, size)) {
        return "contains a control character";
    }
    if (is_blank(bytes[0]) || is_blank(bytes[size - 1])) {
        return "begins or ends with a blank";
    }
    return NULL;
}
_Static_assert(ORP_LINKS_ACCOUNT_MAX == 255, "the sentence says so");

/* ---------------------------------------------------------------------- */
/* Identifiers */

/* The fragment is normalized as orp_verify does it, or a claimed identifier
 * would not be found. */
static apr_status_t add_fragment(const char **pidentifier,
                                 const char *normal, const char *fragment,
                                 orp_reason_t *why, apr_pool_t *pool)
{
    orp_url_t *url;
    apr_size_t size = strlen(fragment);

    while (size && is_blank(fragment[size - 1])) {
        size--;
    }
    if (orp_url_parse(&url,
                      apr_pstrcat(pool, normal,
                                  apr_pstrmemdup(pool, fragment, size), NULL),
                      why, pool) != APR_SUCCESS) {
        if (why) {
            why->status = ORP_EIDENTIFIER;
        }
        return ORP_EIDENTIFIER;
    }
    *pidentifier = apr_pstrcat(pool, orp_url_string(url, pool), "#",
                               url->fragment, NULL);
    return APR_SUCCESS;
}

apr_status_t orp_links_identifier(const char **pidentifier,
                                  const char *text, orp_reason_t *why,
                                  apr_pool_t *pool)
{
    orp_identifier_t *identifier;
    const char *fragment = strchr(text, '#');
    apr_status_t status = orp_identifier_normalize(&identifier, text, why,
                                                   pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (identifier->kind == ORP_IDENTIFIER_URI && fragment) {
        return add_fragment(pidentifier, identifier->text, fragment, why,
                            pool);
    }
    if (strchr(identifier->text, ' ')
        || has_control(identifier->text, strlen(identifier->text))) {
        return orp_reason_set(why, ORP_EIDENTIFIER, text,
                              "This OpenID contains a blank or a control "
                              "character.");
    }
    *pidentifier = identifier->text;
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* Lines */

static void read_identifier(orp_links_line_t *line, const char *bytes,
                            apr_size_t size, apr_pool_t *pool)
{
    orp_reason_t *why = orp_reason_create(pool);
    const char *text = apr_pstrmemdup(pool, bytes, size);

    if (memchr(bytes, '\0', size) || !orp_utf8_valid(bytes, size)) {
        line->mistake = apr_psprintf(pool, "line %d: the OpenID is not text "
                                     "in UTF-8", line->number);
    }
    else if (orp_links_identifier(&line->identifier, text, why, pool)
             != APR_SUCCESS) {
        line->mistake = apr_psprintf(pool, "line %d: \"%s\" cannot be used: "
                                     "%s", line->number,
                                     orp_links_quoted(text, pool),
                                     why->sentence);
    }
}

/* @param bytes  between the blanks around it */
static void read_account(orp_links_line_t *line, const char *bytes,
                         apr_size_t size, apr_pool_t *pool)
{
    const char *fault = orp_links_account_fault(bytes, size);

    if (!fault) {
        line->account = apr_pstrmemdup(pool, bytes, size);
    }
    else if (!line->mistake) {
        line->mistake = apr_psprintf(pool, "line %d: the account %s",
                                     line->number, fault);
    }
}

/* @param end  before the line end */
static void read_line(orp_links_line_t *line, const char *end,
                      apr_pool_t *pool)
{
    const char *begin = line->begin;
    const char *behind;

    while (is_mark(begin, end)) {
        begin += MARK_SIZE;
    }
    while (begin < end && is_blank(*begin)) {
        begin++;
    }
    while (end > begin && is_blank(end[-1])) {
        end--;
    }
    if (begin == end || *begin == '#') {
        return;
    }
    behind = begin;
    while (behind < end && !is_blank(*behind)) {
        behind++;
    }
    read_identifier(line, begin, (apr_size_t)(behind - begin), pool);
    while (behind < end && is_blank(*behind)) {
        behind++;
    }
    read_account(line, behind, (apr_size_t)(end - behind), pool);
}

int orp_links_line_next(orp_links_line_t *line, const orp_links_text_t *text,
                        apr_pool_t *pool)
{
    const char *end = text->bytes + text->size, *newline;
    int number = line->number;

    line->begin = number ? line->end : text->bytes;
    if (!number && text->size && is_mark(line->begin, end)) {
        line->begin += MARK_SIZE;
    }
    if (line->begin == end) {
        return 0;
    }
    newline = memchr(line->begin, '\n', (apr_size_t)(end - line->begin));
    line->end = newline ? newline + 1 : end;
    line->number = number + 1;
    line->identifier = line->account = line->mistake = NULL;
    end = newline ? newline : end;
    if (end > line->begin && end[-1] == '\r') {
        end--;
    }
    read_line(line, end, pool);
    return 1;
}

/* ---------------------------------------------------------------------- */
/* Editing */

apr_status_t orp_links_refuse_other(const orp_link_t *link,
                                    const char *account, orp_reason_t *why)
{
    return orp_reason_set(why, ORP_EEXISTS, link->identifier,
                          "%s has another account, \"%s\"; remove that link "
                          "before.", link->identifier, account);
}

apr_status_t orp_links_refuse_missing(const orp_link_t *link,
                                      orp_reason_t *why)
{
    if (link->account) {
        return orp_reason_set(why, ORP_ENOTFOUND, link->identifier,
                              "%s is not linked to the account \"%s\".",
                              link->identifier, link->account);
    }
    return orp_reason_set(why, ORP_ENOTFOUND, link->identifier,
                          "%s is not linked to an account.",
                          link->identifier);
}

/* As the last line that has one ends. */
static const char *line_end(const orp_links_text_t *text)
{
    apr_size_t i;

    for (i = text->size; i > 1; i--) {
        if (text->bytes[i - 1] == '\n') {
            return text->bytes[i - 2] == '\r' ? "\r\n" : "\n";
        }
    }
    return "\n";
}

/* What the last line lacks to be one: nothing, or a line end. */
static const char *missing_end(const orp_links_text_t *text)
{
    char last;

    if (!text->size) {
        return "";
    }
    last = text->bytes[text->size - 1];
    return last == '\n' ? "" : last == '\r' ? "\n" : line_end(text);
}

static void append(orp_links_text_t *pnew, const orp_links_text_t *text,
                   const orp_link_t *link, apr_pool_t *pool)
{
    const char *tail = apr_pstrcat(pool, missing_end(text), link->identifier,
                                   " ", link->account, line_end(text), NULL);
    apr_size_t size = strlen(tail);
    char *bytes = apr_palloc(pool, text->size + size);

    if (text->size) {
        memcpy(bytes, text->bytes, text->size);
    }
    memcpy(bytes + text->size, tail, size);
    pnew->bytes = bytes;
    pnew->size = text->size + size;
}

apr_status_t orp_links_text_add(orp_links_text_t *pnew,
                                const orp_links_text_t *text,
                                const orp_link_t *link, orp_reason_t *why,
                                apr_pool_t *pool)
{
    orp_links_line_t line = { 0 };
    orp_links_text_t longer;
    apr_pool_t *scratch;
    int found = 0;
    apr_status_t status = apr_pool_create(&scratch, pool);

    while (status == APR_SUCCESS
           && orp_links_line_next(&line, text, scratch)) {
        if (!line.mistake && line.identifier
            && !strcmp(line.identifier, link->identifier)) {
            if (strcmp(line.account, link->account)) {
                return orp_links_refuse_other(link, line.account, why);
            }
            found = 1;
        }
        apr_pool_clear(scratch);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    apr_pool_destroy(scratch);
    longer = *text;
    if (!found) {
        append(&longer, text, link, pool);
    }
    if (longer.size > ORP_LINKS_FILE_MAX) {
        return orp_reason_set(why, ORP_ELINKS, NULL,
                              "There is no room for another link: the file "
                              "may have %d bytes.", ORP_LINKS_FILE_MAX);
    }
    *pnew = longer;
    return APR_SUCCESS;
}

/* Is this line to be removed? */
static int is_meant(const orp_links_line_t *line, const orp_link_t *link)
{
    if (!line->identifier || strcmp(line->identifier, link->identifier)) {
        return 0;
    }
    return !link->account
        || (line->account && !strcmp(line->account, link->account));
}

apr_status_t orp_links_text_remove(orp_links_text_t *pnew,
                                   const orp_links_text_t *text,
                                   const orp_link_t *link, orp_reason_t *why,
                                   apr_pool_t *pool)
{
    orp_links_line_t line = { 0 };
    char *bytes = apr_palloc(pool, text->size + 1);
    apr_size_t size = 0;
    const char *kept = text->bytes;     /* from here on, nothing is copied */
    apr_pool_t *scratch;
    int found = 0;
    apr_status_t status = apr_pool_create(&scratch, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    while (orp_links_line_next(&line, text, scratch)) {
        if (is_meant(&line, link)) {
            memcpy(bytes + size, kept, (apr_size_t)(line.begin - kept));
            size += (apr_size_t)(line.begin - kept);
            kept = line.end;
            found = 1;
        }
        apr_pool_clear(scratch);
    }
    apr_pool_destroy(scratch);
    if (!found) {
        return orp_links_refuse_missing(link, why);
    }
    memcpy(bytes + size, kept, (apr_size_t)(text->bytes + text->size - kept));
    size += (apr_size_t)(text->bytes + text->size - kept);
    pnew->bytes = bytes;
    pnew->size = size;
    return APR_SUCCESS;
}
