/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_dbm_copy.c - what sdbm does for us, and reading its pages. */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <apr_dbm.h>

#include "orp_store_dbm_copy.h"

#define FIRST_KEY "openid2rp"
#define FIRST_VALUE "store 1"

/* The largest page that 16 bits can speak of. */
#define PAGE_MAX 32768
_Static_assert(PAGE_MAX <= ORP_DBM_BUFFER, "a page fits the buffer");

struct orp_dbm_copy_t {
    orp_dbm_t *dbm;
    orp_dbm_copy_e copy;
    apr_dbm_t *pairs;
};

/* What may pass when there is room, a descriptor or a right again says nothing
 * about what is in the files. All else does. */
static apr_status_t judge(orp_dbm_t *dbm, apr_status_t status,
                          const char *doing, const char *name)
{
    if (APR_STATUS_IS_ENOSPC(status) || APR_STATUS_IS_EACCES(status)
        || APR_STATUS_IS_ENFILE(status) || APR_STATUS_IS_EMFILE(status)
        || APR_STATUS_IS_ENOMEM(status) || APR_STATUS_IS_EINTR(status)
        || status == EPERM || status == EFBIG || status == EDQUOT
        /* To some APRs, EDQUOT is ENOSPC as well.
         * NOLINTNEXTLINE(misc-redundant-expression) */
        || status == EROFS || status == ENOLCK) {
        return orp_dbm_fail(dbm, status, doing, name);
    }
    return orp_dbm_is_damaged(dbm, APR_STATUS_IS_ENOENT(status)
                              ? "a file is missing"
                              : "a page cannot be read or written");
}

/* sdbm opens by name, would follow a link, and would make what is missing:
 * orp_dbm_copy_is_marked() has looked before. */
apr_status_t orp_dbm_copy_open(orp_dbm_copy_t **popen, orp_dbm_t *dbm,
                               orp_dbm_copy_e copy, int writable)
{
    orp_dbm_copy_t *open = apr_palloc(dbm->scratch, sizeof(*open));
    const char *name = dbm->copy_names[copy];
    apr_status_t status = apr_dbm_open_ex(
        &open->pairs, "sdbm", name,
        writable ? APR_DBM_READWRITE : APR_DBM_READONLY,
        APR_FPROT_UREAD | APR_FPROT_UWRITE, dbm->scratch);

    if (status != APR_SUCCESS) {
        return judge(dbm, status, "open", name);
    }
    open->dbm = dbm;
    open->copy = copy;
    *popen = open;
    return APR_SUCCESS;
}

void orp_dbm_copy_close(orp_dbm_copy_t *open)
{
    apr_dbm_close(open->pairs);
}

orp_dbm_t *orp_dbm_copy_of(const orp_dbm_copy_t *open)
{
    return open->dbm;
}

static apr_datum_t datum(const void *bytes, apr_size_t size)
{
    apr_datum_t it;

    it.dptr = (char *)(uintptr_t)bytes;     /* it is only read */
    it.dsize = size;
    return it;
}

apr_status_t orp_dbm_copy_fetch(const char **pvalue, apr_size_t *psize,
                                orp_dbm_copy_t *open, const void *key,
                                apr_size_t key_size)
{
    orp_dbm_t *dbm = open->dbm;
    apr_datum_t value = datum(NULL, 0);
    apr_status_t status = apr_dbm_fetch(open->pairs, datum(key, key_size),
                                        &value);

    /* Reading, sdbm says ENOSPC of a page that makes no sense. */
    if (APR_STATUS_IS_ENOSPC(status)) {
        return orp_dbm_is_damaged(dbm, "a page makes no sense");
    }
    if (status != APR_SUCCESS) {
        return judge(dbm, status, "read", dbm->copy_names[open->copy]);
    }
    if (!value.dptr) {
        return ORP_ENOTFOUND;
    }
    if (value.dsize > ORP_DBM_VALUE_MAX(dbm->state.page_size)) {
        return orp_dbm_is_damaged(dbm, "a value is too large");
    }
    *pvalue = value.dptr;
    *psize = value.dsize;
    return APR_SUCCESS;
}

apr_status_t orp_dbm_copy_store(orp_dbm_copy_t *open, const void *key,
                                apr_size_t key_size, const void *value,
                                apr_size_t size)
{
    orp_dbm_t *dbm = open->dbm;
    apr_status_t status = apr_dbm_store(open->pairs, datum(key, key_size),
                                        datum(value, size));

    return status == APR_SUCCESS ? status
        : judge(dbm, status, "write", dbm->copy_names[open->copy]);
}

/* Looking first has two reasons: what is to be removed must be there, and a
 * page that makes no sense is found before writing, when ENOSPC is clear. */
static apr_status_t change(orp_dbm_copy_t *open,
                           const orp_dbm_change_t *wanted)
{
    orp_dbm_t *dbm = open->dbm;
    const char *value;
    apr_size_t size;
    apr_status_t status = orp_dbm_copy_fetch(&value, &size, open,
                                             wanted->key,
                                             sizeof(wanted->key));

    if (status != APR_SUCCESS && status != ORP_ENOTFOUND) {
        return status;
    }
    if (wanted->value) {
        return orp_dbm_copy_store(open, wanted->key, sizeof(wanted->key),
                                  wanted->value, wanted->size);
    }
    if (status == ORP_ENOTFOUND) {
        return orp_dbm_is_damaged(dbm, "a piece of a record is missing");
    }
    status = apr_dbm_delete(open->pairs,
                            datum(wanted->key, sizeof(wanted->key)));
    return status == APR_SUCCESS ? status
        : judge(dbm, status, "write", dbm->copy_names[open->copy]);
}

apr_status_t orp_dbm_copy_change(orp_dbm_t *dbm, orp_dbm_copy_e copy,
                                 const apr_array_header_t *changes)
{
    orp_dbm_copy_t *open;
    apr_status_t status = orp_dbm_copy_open(&open, dbm, copy, 1);
    int i;

    if (status != APR_SUCCESS) {
        return status;
    }
    for (i = 0; i < changes->nelts && status == APR_SUCCESS; i++) {
        status = change(open, &APR_ARRAY_IDX(changes, i, orp_dbm_change_t));
    }
    orp_dbm_copy_close(open);
    return status;
}

/* ---------------------------------------------------------------------- */
/* Pages */

static apr_size_t number_at(const unsigned char *page, apr_size_t index)
{
    apr_int16_t number;

    memcpy(&number, page + index * sizeof(number), sizeof(number));
    return number < 0 ? PAGE_MAX : (apr_size_t)number;
}

static apr_status_t walk_page(orp_dbm_t *dbm, const unsigned char *page,
                              orp_dbm_pair_fn *see, void *baton)
{
    apr_size_t end = dbm->state.page_size;
    apr_size_t count = number_at(page, 0), i;
    apr_status_t status = APR_SUCCESS;

    if (count % 2 != 0 || count > end / sizeof(apr_int16_t) - 1) {
        return orp_dbm_is_damaged(dbm, "a page makes no sense");
    }
    for (i = 1; i < count && status == APR_SUCCESS; i += 2) {
        apr_size_t key = number_at(page, i);
        apr_size_t value = number_at(page, i + 1);

        if (key >= end || value > key
            || value < (count + 1) * sizeof(apr_int16_t)) {
            return orp_dbm_is_damaged(dbm, "a page makes no sense");
        }
        status = see(baton, page + key, end - key, page + value,
                     key - value);
        end = value;
    }
    return status;
}

/* The next page that is no hole. */
static apr_uint64_t skip_holes(int fd, apr_uint64_t page,
                               apr_size_t page_size)
{
#ifdef SEEK_DATA
    off_t data = lseek(fd, (off_t)(page * page_size), SEEK_DATA);

    if (data >= 0) {
        return (apr_uint64_t)data / page_size;
    }
    if (errno == ENXIO) {
        return UINT64_MAX / page_size;      /* holes only, to the end */
    }
#endif
    return page;
}

static apr_status_t walk_file(apr_uint64_t *ppage, orp_dbm_t *dbm, int fd,
                              int pages, orp_dbm_pair_fn *see, void *baton)
{
    apr_size_t page_size = dbm->state.page_size;
    int at_once = (int)(ORP_DBM_BUFFER / page_size);
    apr_uint64_t page = *ppage;
    apr_status_t status = APR_SUCCESS;

    while (pages > 0 && status == APR_SUCCESS) {
        int n = pages < at_once ? pages : at_once, i;
        apr_uint64_t next = skip_holes(fd, page, page_size);
        ssize_t size;

        page = next > page ? next : page;
        size = page == UINT64_MAX / page_size ? 0
            : pread(fd, dbm->buffer, (size_t)n * page_size,
                    (off_t)(page * page_size));
        if (size < 0) {
            return orp_dbm_is_damaged(dbm, "a page cannot be read");
        }
        if (size % (ssize_t)page_size != 0) {
            return orp_dbm_is_damaged(dbm, "the last page is cut off");
        }
        n = (int)(size / (ssize_t)page_size);
        for (i = 0; i < n && status == APR_SUCCESS; i++) {
            status = walk_page(dbm, dbm->buffer + (apr_size_t)i * page_size,
                               see, baton);
        }
        page += (apr_uint64_t)n;
        pages -= n;
        if (n == 0) {
            page = 0;
            break;
        }
    }
    if (status == APR_SUCCESS) {
        *ppage = page;
    }
    return status;
}

apr_status_t orp_dbm_copy_walk(apr_uint64_t *ppage, orp_dbm_t *dbm,
                               orp_dbm_copy_e copy, int pages,
                               orp_dbm_pair_fn *see, void *baton)
{
    apr_status_t status;
    int fd;

    status = orp_dbm_file_open(&fd, dbm, dbm->names[copy][ORP_DBM_PAG], 0);
    if (status != APR_SUCCESS) {
        return status;
    }
    status = walk_file(ppage, dbm, fd, pages, see, baton);
    close(fd);
    return status;
}

/* ---------------------------------------------------------------------- */
/* The first pair */

int orp_dbm_is_first_pair(const unsigned char *key, apr_size_t key_size,
                          const unsigned char *value, apr_size_t size)
{
    return key_size == sizeof(FIRST_KEY) - 1
        && memcmp(key, FIRST_KEY, key_size) == 0
        && size == sizeof(FIRST_VALUE) - 1
        && memcmp(value, FIRST_VALUE, size) == 0;
}

static apr_status_t see_first(void *baton, const unsigned char *key,
                              apr_size_t key_size,
                              const unsigned char *value, apr_size_t size)
{
    int *pseen = baton;

    *pseen += orp_dbm_is_first_pair(key, key_size, value, size);
    return APR_SUCCESS;
}

apr_status_t orp_dbm_copy_begin(orp_dbm_t *dbm, orp_dbm_copy_e copy)
{
    const char *name = dbm->copy_names[copy];
    orp_dbm_copy_t *open;
    orp_dbm_mark_t marks[ORP_DBM_FILES];
    apr_uint64_t page = 0;
    int seen = 0;
    apr_status_t status = orp_dbm_copy_clear(dbm, copy);

    if (status == APR_SUCCESS) {
        status = orp_dbm_copy_open(&open, dbm, copy, 1);
    }
    if (status == APR_SUCCESS) {
        status = orp_dbm_copy_store(open, FIRST_KEY, sizeof(FIRST_KEY) - 1,
                                    FIRST_VALUE, sizeof(FIRST_VALUE) - 1);
        orp_dbm_copy_close(open);
    }
    if (status == APR_SUCCESS) {
        status = orp_dbm_copy_mark(dbm, marks, copy);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    /* A database with one pair has one page. */
    if (marks[ORP_DBM_PAG].size < 512
        || marks[ORP_DBM_PAG].size >= PAGE_MAX) {
        return orp_dbm_fail(dbm, APR_ENOTIMPL, "use this APR's sdbm in",
                            name);
    }
    dbm->state.page_size = (apr_uint32_t)marks[ORP_DBM_PAG].size;
    status = orp_dbm_copy_walk(&page, dbm, copy, 2, see_first, &seen);
    if (status != APR_SUCCESS || seen != 1) {
        return orp_dbm_fail(dbm, APR_ENOTIMPL, "use this APR's sdbm in",
                            name);
    }
    return APR_SUCCESS;
}
