/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* pool.c - pools that AddressSanitizer can look into.
 *
 * A pool hands out pieces of larger blocks, so a byte written behind a piece
 * is a byte of the next one, and nobody sees it. While an input runs, each
 * piece is a malloc() of its own here, freed when the input is done. APR
 * itself uses this one too: a program's functions go before a library's.
 * Exempt is what apr_psprintf() makes, which APR writes into its blocks.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE             /* RTLD_NEXT */
#endif

#include "fuzz.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)

#include <stdlib.h>

#include <dlfcn.h>

typedef void *alloc_fn(apr_pool_t *pool, apr_size_t size);

/* Before each piece; as large as malloc() aligns. */
typedef union piece_t {
    struct {
        void *bytes;
        union piece_t *next;
    } s;
    max_align_t align;
} piece_t;

static piece_t *pieces;
static int active;

static void *piece(apr_size_t size)
{
    piece_t *new = malloc(sizeof(*new));

    fuzz_check(new != NULL);
    new->s.bytes = malloc(size);
    fuzz_check(new->s.bytes != NULL);
    new->s.next = pieces;
    pieces = new;
    return new->s.bytes;
}

static void *by_apr(apr_pool_t *pool, apr_size_t size)
{
    void *found = dlsym(RTLD_NEXT, "apr_palloc");
    alloc_fn *alloc;

    memcpy(&alloc, &found, sizeof(alloc));
    return alloc(pool, size);
}

#pragma GCC visibility push(default)

void *apr_palloc(apr_pool_t *pool, apr_size_t size)
{
    return active ? piece(size) : by_apr(pool, size);
}

#pragma GCC visibility pop

void fuzz_pool_begin(void)
{
    active = 1;
}

void fuzz_pool_end(void)
{
    active = 0;
    while (pieces) {
        piece_t *next = pieces->s.next;

        free(pieces->s.bytes);
        free(pieces);
        pieces = next;
    }
}

#else

void fuzz_pool_begin(void)
{
}

void fuzz_pool_end(void)
{
}

#endif
