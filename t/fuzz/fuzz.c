/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include <apr_general.h>

#include "orp_codec.h"
#include "orp_xml.h"

char fuzz_untouched[1];

void fuzz_failed(const char *what, const char *file, int line)
{
#ifdef ORP_FUZZING
    fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
    abort();
#else
    print_error("not true: %s\n", what);
    _fail(file, line);
#endif
}

static void prepare(void)
{
    static int prepared;

    if (!prepared) {
        fuzz_check(apr_initialize() == APR_SUCCESS);
        orp_xml_init();
        prepared = 1;
    }
}

void fuzz_run(fuzz_run_fn *run, const uint8_t *data, size_t size, size_t max)
{
    apr_pool_t *pool = NULL;

    if (size > max) {
        return;
    }
    prepare();
    fuzz_check(apr_pool_create(&pool, NULL) == APR_SUCCESS);
    fuzz_pool_begin();
    run(apr_pmemdup(pool, size ? data : (const uint8_t *)"", size), size,
        pool);
    apr_pool_destroy(pool);
    fuzz_pool_end();
}

int fuzz_status_of(apr_status_t status, const void *pout, ...)
{
    const void *out;
    int known = 0;
    apr_status_t allowed;
    va_list list;

    memcpy(&out, pout, sizeof(out));
    if (status == APR_SUCCESS) {
        fuzz_check(out != FUZZ_UNTOUCHED);
        return 1;
    }
    va_start(list, pout);
    while ((allowed = va_arg(list, apr_status_t)) != APR_SUCCESS) {
        known |= status == allowed;
    }
    va_end(list);
    if (!known) {
        fprintf(stderr, "status %d (%s)\n", status, orp_status_code(status));
    }
    fuzz_check(known);
    fuzz_check(out == FUZZ_UNTOUCHED);
    return 0;
}

void fuzz_reason(const orp_reason_t *why, apr_status_t status)
{
    /* a success may have had a first attempt that failed */
    if (status != APR_SUCCESS) {
        fuzz_check(why->status == status);
        fuzz_check(*why->sentence);
    }
}

int fuzz_same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

int fuzz_same_params(const orp_params_t *a, const orp_params_t *b)
{
    int i;

    for (i = 0; i < orp_params_size(a) && i < orp_params_size(b); i++) {
        if (strcmp(orp_params_name(a, i), orp_params_name(b, i))
            || strcmp(orp_params_value(a, i), orp_params_value(b, i))) {
            return 0;
        }
    }
    return orp_params_size(a) == orp_params_size(b);
}

int fuzz_is_plain(const char *text)
{
    return orp_utf8_valid(text, strlen(text)) && !orp_has_control(text);
}

int fuzz_is_json(const char *text)
{
    const unsigned char *s;

    for (s = (const unsigned char *)text; *s >= 0x20; s++) {
        continue;
    }
    return !*s && orp_utf8_valid(text, strlen(text));
}

const char *fuzz_text(const char *bytes, apr_size_t size, apr_pool_t *pool)
{
    const char *nul = size ? memchr(bytes, '\0', size) : NULL;

    return apr_pstrmemdup(pool, bytes,
                          nul ? (apr_size_t)(nul - bytes) : size);
}

const char *fuzz_line(const char **ptext, apr_pool_t *pool)
{
    apr_size_t size = strcspn(*ptext, "\n");
    const char *line = apr_pstrmemdup(pool, *ptext, size);

    *ptext += size + ((*ptext)[size] == '\n');
    return line;
}
