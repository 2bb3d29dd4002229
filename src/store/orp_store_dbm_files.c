/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_dbm_files.c - opening, copying, comparing, setting aside. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "orp_store_dbm_files.h"

/* Copied at a time; a block that is all zeros stays a hole. */
#define BLOCK 4096

static const char *const endings[ORP_DBM_COPIES][ORP_DBM_FILES] = {
    { "a.pag", "a.dir" }, { "b.pag", "b.dir" }
};

/* A pool of its own that nobody else allocates from: operations run in any
 * thread, one after the other. */
static apr_status_t create_scratch(apr_pool_t **ppool, apr_pool_t *parent)
{
    apr_allocator_t *allocator;
    apr_status_t status = apr_allocator_create(&allocator);

    if (status != APR_SUCCESS) {
        return status;
    }
    apr_allocator_max_free_set(allocator, 1024 * 1024);
    status = apr_pool_create_ex(ppool, parent, NULL, allocator);
    if (status != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return status;
    }
    apr_allocator_owner_set(allocator, *ppool);
    return APR_SUCCESS;
}

static void name_files(orp_dbm_t *dbm, const char *path, apr_pool_t *pool)
{
    const char *slash = strrchr(path, '/');
    int copy, file;

    dbm->path = path;
    dbm->directory = !slash ? "." : slash == path ? "/"
        : apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));
    dbm->state_name = apr_pstrcat(pool, path, ".state", NULL);
    for (copy = 0; copy < ORP_DBM_COPIES; copy++) {
        dbm->copy_names[copy] = apr_pstrcat(pool, path, copy ? ".b" : ".a",
                                            NULL);
        for (file = 0; file < ORP_DBM_FILES; file++) {
            dbm->names[copy][file] = apr_pstrcat(pool, path, ".",
                                                 endings[copy][file], NULL);
        }
    }
}

apr_status_t orp_dbm_create(orp_dbm_t **pdbm, const orp_store_place_t *place,
                            const orp_env_t *env, apr_pool_t *pool)
{
    orp_dbm_t *dbm = apr_pcalloc(pool, sizeof(*dbm));
    apr_uint64_t size = place->size ? place->size : ORP_PLACE_DBM_SIZE;
    apr_status_t status = create_scratch(&dbm->scratch, pool);
    int kind;

    if (status == APR_SUCCESS) {
        status = apr_thread_mutex_create(&dbm->mutex,
                                         APR_THREAD_MUTEX_DEFAULT, pool);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    name_files(dbm, place->path, pool);
    dbm->shown = place->shown;
    dbm->env = env;
    dbm->buffer = apr_palloc(pool, ORP_DBM_BUFFER);
    dbm->fd = -1;
    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        dbm->limits[kind] = size / 100
            * (apr_uint64_t)orp_store_share((orp_store_kind_e)kind);
    }
    *pdbm = dbm;
    return APR_SUCCESS;
}

apr_status_t orp_dbm_fail(orp_dbm_t *dbm, apr_status_t status,
                          const char *doing, const char *name)
{
    char text[120];

    apr_snprintf(dbm->what, sizeof(dbm->what), "cannot %s %s: %s", doing,
                 name, orp_strerror(status, text, sizeof(text)));
    return ORP_ESTORE;
}

apr_status_t orp_dbm_is_damaged(orp_dbm_t *dbm, const char *damage)
{
    dbm->damage = damage;
    return ORP_DBM_DAMAGED;
}

/* What root makes is for the user that the server runs as, who owns the
 * directory. */
static apr_status_t give_away(orp_dbm_t *dbm, int fd, const char *name)
{
    struct stat directory, file;

    if (geteuid() != 0) {
        return APR_SUCCESS;
    }
    if (stat(dbm->directory, &directory) != 0 || fstat(fd, &file) != 0
        || (file.st_uid != directory.st_uid
            && fchown(fd, directory.st_uid, directory.st_gid) != 0)) {
        return orp_dbm_fail(dbm, errno, "change the owner of", name);
    }
    return APR_SUCCESS;
}

apr_status_t orp_dbm_file_open(int *pfd, orp_dbm_t *dbm, const char *name,
                               int flags)
{
    int fd = open(name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | flags,
                  S_IRUSR | S_IWUSR);
    apr_status_t status = APR_SUCCESS;
    struct stat info;

    if (fd < 0) {
        if (errno == ENOENT && !(flags & O_CREAT)) {
            return orp_dbm_is_damaged(dbm, "a file is missing");
        }
        return orp_dbm_fail(dbm, errno, "open", name);
    }
    if (fstat(fd, &info) != 0) {
        status = orp_dbm_fail(dbm, errno, "look at", name);
    }
    else if (!S_ISREG(info.st_mode)) {
        status = orp_dbm_fail(dbm, APR_EINVAL, "use what is no file:", name);
    }
    else if (flags & O_CREAT) {
        status = give_away(dbm, fd, name);
    }
    if (status != APR_SUCCESS) {
        close(fd);
        return status;
    }
    *pfd = fd;
    return APR_SUCCESS;
}

apr_status_t orp_dbm_write(int fd, const void *bytes, apr_size_t size,
                           off_t at)
{
    const char *rest = bytes;

    while (size > 0) {
        ssize_t written = pwrite(fd, rest, size, at);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return errno;
        }
        rest += written;
        at += written;
        size -= (apr_size_t)written;
    }
    return APR_SUCCESS;
}

apr_status_t orp_dbm_copy_clear(orp_dbm_t *dbm, orp_dbm_copy_e copy)
{
    apr_status_t status = APR_SUCCESS;
    int file, fd;

    for (file = 0; file < ORP_DBM_FILES && status == APR_SUCCESS; file++) {
        status = orp_dbm_file_open(&fd, dbm, dbm->names[copy][file],
                                   O_CREAT | O_TRUNC);
        if (status == APR_SUCCESS) {
            close(fd);
        }
    }
    return status;
}

/* ---------------------------------------------------------------------- */
/* Duplicates */

static int is_zero(const char *block, ssize_t size)
{
    return block[0] == 0 && memcmp(block, block + 1, (size_t)size - 1) == 0;
}

/* Where the next block with something in it may be. */
static off_t skip_hole(int fd, off_t at)
{
#ifdef SEEK_DATA
    off_t data = lseek(fd, at, SEEK_DATA);

    if (data > at) {
        return data - data % BLOCK;
    }
#endif
    return at;
}

static apr_status_t copy_bytes(orp_dbm_t *dbm, int to, const char *to_name,
                               int from, const char *from_name)
{
    char *block = apr_palloc(dbm->scratch, BLOCK);
    apr_status_t status;
    struct stat info;
    off_t at = 0;

    if (fstat(from, &info) != 0) {
        return orp_dbm_fail(dbm, errno, "look at", from_name);
    }
    while ((at = skip_hole(from, at)) < info.st_size) {
        ssize_t size = pread(from, block, BLOCK, at);

        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size <= 0) {
            return orp_dbm_fail(dbm, size ? errno : APR_EOF, "read",
                                from_name);
        }
        status = is_zero(block, size) ? APR_SUCCESS
            : orp_dbm_write(to, block, (apr_size_t)size, at);
        if (status != APR_SUCCESS) {
            return orp_dbm_fail(dbm, status, "write", to_name);
        }
        at += size;
    }
    if (ftruncate(to, info.st_size) != 0) {
        return orp_dbm_fail(dbm, errno, "write", to_name);
    }
    return APR_SUCCESS;
}

apr_status_t orp_dbm_copy_overwrite(orp_dbm_t *dbm, orp_dbm_copy_e copy)
{
    orp_dbm_copy_e other = copy == ORP_DBM_A ? ORP_DBM_B : ORP_DBM_A;
    apr_status_t status = APR_SUCCESS;
    int file;

    for (file = 0; file < ORP_DBM_FILES && status == APR_SUCCESS; file++) {
        const char *to_name = dbm->names[copy][file];
        const char *from_name = dbm->names[other][file];
        int to, from;

        status = orp_dbm_file_open(&from, dbm, from_name, 0);
        if (status != APR_SUCCESS) {
            break;
        }
        status = orp_dbm_file_open(&to, dbm, to_name, O_CREAT | O_TRUNC);
        if (status == APR_SUCCESS) {
            status = copy_bytes(dbm, to, to_name, from, from_name);
            close(to);
        }
        close(from);
    }
    return status;
}

/* ---------------------------------------------------------------------- */
/* Marks */

static apr_status_t mark(orp_dbm_t *dbm, orp_dbm_mark_t *seen,
                         const char *name)
{
    struct stat info;

    if (lstat(name, &info) != 0) {
        if (errno == ENOENT) {
            return orp_dbm_is_damaged(dbm, "a file is missing");
        }
        return orp_dbm_fail(dbm, errno, "look at", name);
    }
    if (!S_ISREG(info.st_mode)) {
        return orp_dbm_is_damaged(dbm, "what should be a file is none");
    }
    seen->size = info.st_size;
    seen->changed = (apr_int64_t)info.st_mtim.tv_sec * 1000000000
        + info.st_mtim.tv_nsec;
    return APR_SUCCESS;
}

apr_status_t orp_dbm_copy_mark(orp_dbm_t *dbm, orp_dbm_mark_t *marks,
                               orp_dbm_copy_e copy)
{
    apr_status_t status = APR_SUCCESS;
    int file;

    for (file = 0; file < ORP_DBM_FILES && status == APR_SUCCESS; file++) {
        status = mark(dbm, &marks[file], dbm->names[copy][file]);
    }
    return status;
}

int orp_dbm_copy_is_marked(orp_dbm_t *dbm, orp_dbm_copy_e copy)
{
    int file;

    for (file = 0; file < ORP_DBM_FILES; file++) {
        const orp_dbm_mark_t *expected = &dbm->state.marks[copy][file];
        orp_dbm_mark_t seen;
        apr_status_t status = mark(dbm, &seen, dbm->names[copy][file]);

        if (status != APR_SUCCESS) {
            if (status == ORP_ESTORE) {
                dbm->damage = "a file cannot be looked at";
            }
            return 0;
        }
        if (seen.size != expected->size) {
            dbm->damage = "a file does not have the size that it should";
            return 0;
        }
        if (seen.changed != expected->changed) {
            dbm->damage = "a file was changed by somebody else";
            return 0;
        }
    }
    return 1;
}

/* ---------------------------------------------------------------------- */
/* Setting aside */

static int is_taken(orp_dbm_t *dbm, const char *name, const char *ending)
{
    struct stat info;

    return lstat(apr_pstrcat(dbm->scratch, name, ".", ending, NULL), &info)
        == 0 || errno != ENOENT;
}

static int is_free(orp_dbm_t *dbm, const char *name)
{
    int copy, file, taken = is_taken(dbm, name, "state");

    for (copy = 0; copy < ORP_DBM_COPIES; copy++) {
        for (file = 0; file < ORP_DBM_FILES; file++) {
            taken = taken || is_taken(dbm, name, endings[copy][file]);
        }
    }
    return !taken;
}

const char *orp_dbm_damaged_name(orp_dbm_t *dbm)
{
    apr_time_exp_t date;
    const char *name, *first;
    int number;

    apr_time_exp_gmt(&date, apr_time_now());
    first = apr_psprintf(dbm->scratch,
                         "%s.damaged-%04d%02d%02d-%02d%02d%02d", dbm->path,
                         date.tm_year + 1900, date.tm_mon + 1, date.tm_mday,
                         date.tm_hour, date.tm_min, date.tm_sec);
    name = first;
    for (number = 2; number < 1000 && !is_free(dbm, name); number++) {
        name = apr_psprintf(dbm->scratch, "%s-%d", first, number);
    }
    return name;
}

apr_status_t orp_dbm_copy_set_aside(orp_dbm_t *dbm, orp_dbm_copy_e copy,
                                    const char *to)
{
    int file;

    for (file = 0; file < ORP_DBM_FILES; file++) {
        const char *name = dbm->names[copy][file];
        const char *new_name = apr_pstrcat(dbm->scratch, to, ".",
                                           endings[copy][file], NULL);

        if (rename(name, new_name) != 0 && errno != ENOENT) {
            return orp_dbm_fail(dbm, errno, "rename", name);
        }
    }
    return APR_SUCCESS;
}
