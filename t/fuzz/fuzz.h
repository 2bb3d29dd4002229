/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* fuzz.h - what all fuzz targets share.
 *
 * A target is a file t/fuzz/fuzz_NAME.c with one function, which is given any
 * bytes and must come back:
 *
 *     static void run(const char *bytes, apr_size_t size, apr_pool_t *pool)
 *     {
 *         … fuzz_check(what must be true whatever the bytes are) …
 *     }
 *
 *     FUZZ_TARGET(NAME, 4096)
 *
 * and a line in FUZZ_TARGETS below. It is built twice: for make fuzz, where
 * libFuzzer makes up the bytes, and into the unit test that replays
 * t/fuzz/seeds/NAME. Where memory is watched (AddressSanitizer), every piece
 * that is allocated in a pool is watched by itself: see pool.c.
 */
#ifndef ORP_FUZZ_H
#define ORP_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <apr_pools.h>
#include <apr_strings.h>

#include "orp_params.h"
#include "orp_status.h"

/** All targets, in the order of the alphabet. */
#define FUZZ_TARGETS(X) \
    X(address) X(codec) X(direct) X(html) X(identifier) X(links) X(login) \
    X(message) X(multipart) X(nonce) X(params) X(place) X(realm) \
    X(records) X(redis) X(url) X(xrds) X(xri) X(yadis)

/** What a target does with its bytes: exactly size of them, without a NUL
 * behind; the pool is destroyed afterwards. */
typedef void fuzz_run_fn(const char *bytes, apr_size_t size,
                         apr_pool_t *pool);

/** Run it once. Inputs of more than max bytes are not looked at. */
void fuzz_run(fuzz_run_fn *run, const uint8_t *data, size_t size,
              size_t max);

#ifdef ORP_FUZZING
#define FUZZ_ENTRY(name) \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) \
    { fuzz_##name(data, size); return 0; }
#else
#define FUZZ_ENTRY(name)
#endif

#define FUZZ_TARGET(name, max) \
    void fuzz_##name(const uint8_t *data, size_t size) \
    { fuzz_run(run, data, size, (max)); } \
    FUZZ_ENTRY(name)

#define FUZZ_DECLARE(name) void fuzz_##name(const uint8_t *data, size_t size);
FUZZ_TARGETS(FUZZ_DECLARE)

/* ---------------------------------------------------------------------- */
/* Oracles */

/** It is a finding where this is not true. */
#define fuzz_check(truth) \
    ((truth) ? (void)0 : fuzz_failed(#truth, __FILE__, __LINE__))

void fuzz_failed(const char *what, const char *file, int line);

/** What an out-parameter is set to before a call, to see whether it is left
 * alone. */
#define FUZZ_UNTOUCHED ((void *)fuzz_untouched)
extern char fuzz_untouched[1];

/**
 * How a function has come back: with APR_SUCCESS and its out-parameter set,
 * or with one of the other statuses and the out-parameter untouched.
 * @param ...  the statuses it may fail with, ended by APR_SUCCESS
 * @return nonzero for success
 */
#define fuzz_status(status, out, ...) \
    fuzz_status_of((status), (const void *)&(out), __VA_ARGS__)

int fuzz_status_of(apr_status_t status, const void *pout, ...);

/** The reason for a failure says which, in a sentence. */
void fuzz_reason(const orp_reason_t *why, apr_status_t status);

/** The same text, or both NULL. */
int fuzz_same(const char *a, const char *b);

/** The same names and values in the same order. */
int fuzz_same_params(const orp_params_t *a, const orp_params_t *b);

/** Text such as goes into pages and headers: UTF-8 and no controls. */
int fuzz_is_plain(const char *text);

/** Text as JSON has it: UTF-8 and none of the controls that it forbids. */
int fuzz_is_json(const char *text);

/* ---------------------------------------------------------------------- */
/* Small things */

/** The bytes as a text: what is before the first NUL. */
const char *fuzz_text(const char *bytes, apr_size_t size, apr_pool_t *pool);

/** The first line of *ptext, without its newline; *ptext is moved on. */
const char *fuzz_line(const char **ptext, apr_pool_t *pool);

/** pool.c: from here to the end, each piece of memory is malloc()'s. */
void fuzz_pool_begin(void);

/** To be called when all pools of that time are destroyed. */
void fuzz_pool_end(void);

#endif
