/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_links_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_time.h>

/* Between two looks at the lock: at first, and at most. */
#define PAUSE_MIN apr_time_from_msec(2)
#define PAUSE_MAX apr_time_from_msec(64)

/* What a new file may be at most: who reads it need not be who writes it. */
#define NEW_FILE_MODE 0644

apr_status_t orp_links_file_fault(orp_reason_t *why, const char *doing,
                                  const char *path)
{
    int error = errno;
    char buf[200];

    return orp_reason_set(why, ORP_ELINKS, path, "%s cannot be %s: %s.",
                          path, doing,
                          apr_strerror(error, buf, sizeof(buf)));
}

/* ---------------------------------------------------------------------- */
/* Reading */

/* @param psize  room before, what was read after */
static int read_all(char *bytes, apr_size_t *psize, int fd)
{
    apr_size_t size = 0;

    while (size < *psize) {
        ssize_t n = read(fd, bytes + size, *psize - size);

        if (n < 0 && errno != EINTR) {
            return 0;
        }
        if (n == 0) {
            break;
        }
        size += n > 0 ? (apr_size_t)n : 0;
    }
    *psize = size;
    return 1;
}

static apr_status_t read_open(orp_links_text_t *ptext, struct stat *pinfo,
                              int fd, const char *path, orp_reason_t *why,
                              apr_pool_t *pool)
{
    apr_size_t size;
    char *bytes;

    if (fstat(fd, pinfo) != 0) {
        return orp_links_file_fault(why, "read", path);
    }
    if (!S_ISREG(pinfo->st_mode)) {
        return orp_reason_set(why, ORP_ELINKS, path,
                              "%s cannot be read: it is not a file.", path);
    }
    /* one byte more shows that it has grown meanwhile */
    size = pinfo->st_size > ORP_LINKS_FILE_MAX
        ? ORP_LINKS_FILE_MAX + 1 : (apr_size_t)pinfo->st_size + 1;
    bytes = apr_palloc(pool, size);
    if (!read_all(bytes, &size, fd)) {
        return orp_links_file_fault(why, "read", path);
    }
    if (size > ORP_LINKS_FILE_MAX) {
        return orp_reason_set(why, ORP_ELINKS, path,
                              "%s cannot be read: it has more than %d bytes.",
                              path, ORP_LINKS_FILE_MAX);
    }
    ptext->bytes = bytes;
    ptext->size = size;
    return APR_SUCCESS;
}

apr_status_t orp_links_file_read(orp_links_text_t *ptext, struct stat *pinfo,
                                 const char *path, orp_reason_t *why,
                                 apr_pool_t *pool)
{
    /* a pipe must not make us wait */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    apr_status_t status;

    if (fd < 0) {
        status = errno == ENOENT ? APR_ENOENT : ORP_ELINKS;
        orp_links_file_fault(why, "read", path);
        return status;
    }
    status = read_open(ptext, pinfo, fd, path, why, pool);
    close(fd);
    return status;
}

/* ---------------------------------------------------------------------- */
/* The lock */

/* Of a file that may be missing: its folder, and its name there. */
static const char *real_path(const char *path, orp_reason_t *why,
                             apr_pool_t *pool)
{
    const char *slash = strrchr(path, '/');
    const char *folder = !slash ? "." : slash == path ? "/"
        : apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));
    struct stat info;
    char *real = realpath(path, NULL);
    const char *copy;

    if (!real && errno == ENOENT && lstat(path, &info) == 0) {
        orp_reason_set(why, ORP_ELINKS, path, "%s is a symbolic link to a "
                       "file that is not there.", path);
        return NULL;
    }
    if (real) {
        copy = apr_pstrdup(pool, real);
    }
    else {
        real = errno == ENOENT ? realpath(folder, NULL) : NULL;
        if (!real) {
            orp_links_file_fault(why, "changed", path);
            return NULL;
        }
        copy = apr_pstrcat(pool, !strcmp(real, "/") ? "" : real, "/",
                           slash ? slash + 1 : path, NULL);
    }
    free(real);
    return copy;
}

/* Is the file that we have open still the one of that name? */
static int is_same(int fd, const char *path)
{
    struct stat ours, named;

    return fstat(fd, &ours) == 0 && lstat(path, &named) == 0
        && ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

/* @return 0 where somebody else has it; errno is 0 then */
static int try_lock(orp_links_hold_t *hold)
{
    int fd = open(hold->lock_path,
                  O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
                  S_IRUSR | S_IWUSR);

    if (fd < 0) {
        return 0;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        if (is_same(fd, hold->lock_path)) {
            hold->lock = fd;
            return 1;
        }
        errno = 0;
    }
    else if (errno == EWOULDBLOCK || errno == EINTR) {
        errno = 0;
    }
    else {
        int error = errno;

        close(fd);
        errno = error;
        return 0;
    }
    close(fd);
    errno = 0;
    return 0;
}

/* Who ends without a word leaves it behind, and it is only theirs. Then no
 * waiting helps. */
static apr_status_t cannot_lock(const orp_links_hold_t *hold)
{
    int error = errno;
    struct stat info;
    char buf[200];

    if (error == EACCES && lstat(hold->lock_path, &info) == 0) {
        return orp_reason_set(hold->why, ORP_ELINKS, hold->lock_path,
                              "%s cannot be locked: %s. Another user has "
                              "made it; if nobody is changing %s, it was left "
                              "behind: remove it.", hold->lock_path,
                              apr_strerror(error, buf, sizeof(buf)),
                              hold->path);
    }
    errno = error;
    return orp_links_file_fault(hold->why, "made or locked",
                                hold->lock_path);
}

static apr_status_t wait_for_lock(orp_links_hold_t *hold)
{
    apr_time_t now = apr_time_now(), until = now + ORP_LINKS_PATIENCE;
    apr_interval_time_t pause = PAUSE_MIN;

    while (!try_lock(hold)) {
        if (errno) {
            return cannot_lock(hold);
        }
        now = apr_time_now();
        if (now > until) {
            return orp_reason_set(hold->why, ORP_ELINKS, hold->path,
                                  "%s cannot be changed: another process has "
                                  "been changing it for a minute.",
                                  hold->path);
        }
        /* a crowd must not come at the same moment, nor keep the machine busy
         * by looking */
        apr_sleep(pause / 2 + now % pause);
        pause = pause < PAUSE_MAX ? 2 * pause : PAUSE_MAX;
    }
    return APR_SUCCESS;
}

apr_status_t orp_links_hold(orp_links_hold_t **phold, const char *path,
                            orp_reason_t *why, apr_pool_t *pool)
{
    orp_links_hold_t *hold = apr_pcalloc(pool, sizeof(*hold));
    apr_status_t status;

    hold->why = why;
    hold->pool = pool;
    hold->path = real_path(path, why, pool);
    if (!hold->path) {
        return ORP_ELINKS;
    }
    hold->lock_path = apr_pstrcat(pool, hold->path, ".lock", NULL);
    hold->new_path = apr_pstrcat(pool, hold->path, ".new", NULL);
    status = wait_for_lock(hold);
    if (status != APR_SUCCESS) {
        return status;
    }
    hold->exists = lstat(hold->path, &hold->info) == 0;
    if (!hold->exists && errno != ENOENT) {
        status = orp_links_file_fault(why, "changed", hold->path);
    }
    else if (hold->exists && !S_ISREG(hold->info.st_mode)) {
        status = orp_reason_set(why, ORP_ELINKS, hold->path,
                                "%s cannot be changed: it is not a file.",
                                hold->path);
    }
    if (status != APR_SUCCESS) {
        orp_links_hold_end(hold);
        return status;
    }
    *phold = hold;
    return APR_SUCCESS;
}

void orp_links_hold_end(orp_links_hold_t *hold)
{
    if (hold->made) {
        unlink(hold->new_path);
        hold->made = 0;
    }
    /* first the name: who opens it after the lock is gone finds another */
    unlink(hold->lock_path);
    close(hold->lock);
    hold->lock = -1;
}

/* ---------------------------------------------------------------------- */
/* Replacing */

static int write_all(int fd, const orp_links_text_t *text)
{
    apr_size_t size = 0;

    while (size < text->size) {
        ssize_t n = write(fd, text->bytes + size, text->size - size);

        if (n < 0 && errno != EINTR) {
            return 0;
        }
        size += n > 0 ? (apr_size_t)n : 0;
    }
    return 1;
}

/* The next piece of a file. */
static int copy_some(int to, int from, int *pdone)
{
    char buffer[65536];
    orp_links_text_t piece = { buffer, sizeof(buffer) };

    if (!read_all(buffer, &piece.size, from)) {
        return 0;
    }
    *pdone = piece.size < sizeof(buffer);
    return write_all(to, &piece);
}

static int copy_old(int to, const orp_links_hold_t *hold)
{
    int from = open(hold->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int done = 0, error;

    if (from < 0) {
        return 0;
    }
    while (!done && copy_some(to, from, &done)) {
        continue;
    }
    error = errno;
    close(from);
    errno = error;
    return done;
}

/* Owner and group first: a change of them may clear bits of the mode. */
static int keep_owner_and_mode(int fd, const orp_links_hold_t *hold)
{
    struct stat info;

    if (!hold->exists) {
        return 1;
    }
    if (fstat(fd, &info) != 0) {
        return 0;
    }
    if ((info.st_uid != hold->info.st_uid || info.st_gid != hold->info.st_gid)
        && fchown(fd, hold->info.st_uid, hold->info.st_gid) != 0) {
        return 0;
    }
    return fchmod(fd, hold->info.st_mode & 07777) == 0;
}

apr_status_t orp_links_hold_write(orp_links_hold_t *hold,
                                  const orp_links_text_t *text)
{
    apr_status_t status = APR_SUCCESS;
    int fd;

    if (unlink(hold->new_path) != 0 && errno != ENOENT) {
        return orp_links_file_fault(hold->why, "removed", hold->new_path);
    }
    if (!text && !hold->exists) {       /* who asks for it makes it */
        hold->made = 1;
        return APR_SUCCESS;
    }
    fd = open(hold->new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
              hold->exists ? S_IRUSR | S_IWUSR : NEW_FILE_MODE);
    if (fd < 0) {
        return orp_links_file_fault(hold->why, "made", hold->new_path);
    }
    hold->made = 1;
    if (!keep_owner_and_mode(fd, hold)) {
        status = orp_links_file_fault(hold->why, "given the owner, group and "
                                      "permissions of the file it replaces",
                                      hold->new_path);
    }
    else if (!(text ? write_all(fd, text) : copy_old(fd, hold))) {
        status = orp_links_file_fault(hold->why, "written", hold->new_path);
    }
    if (close(fd) != 0 && status == APR_SUCCESS) {
        status = orp_links_file_fault(hold->why, "written", hold->new_path);
    }
    return status;
}

static int sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_RDONLY | O_CLOEXEC);
    int done = fd >= 0 && fsync(fd) == 0;
    int error = errno;

    if (fd >= 0) {
        close(fd);
    }
    errno = error;
    /* some file systems cannot do that to a folder, and some folders cannot be
     * read by who may write there */
    return done || ((flags & O_DIRECTORY)
                    && (error == EINVAL || error == EACCES));
}

/* Not everybody who edits the file knows of the lock. */
static int is_unchanged(const orp_links_hold_t *hold)
{
    struct stat now;

    if (lstat(hold->path, &now) != 0) {
        return !hold->exists && errno == ENOENT;
    }
    return hold->exists && now.st_dev == hold->info.st_dev
        && now.st_ino == hold->info.st_ino
        && now.st_size == hold->info.st_size
        && now.st_mtim.tv_sec == hold->info.st_mtim.tv_sec
        && now.st_mtim.tv_nsec == hold->info.st_mtim.tv_nsec;
}

apr_status_t orp_links_hold_commit(orp_links_hold_t *hold)
{
    const char *slash = strrchr(hold->path, '/');
    const char *folder = slash == hold->path ? "/"
        : apr_pstrmemdup(hold->pool, hold->path,
                         (apr_size_t)(slash - hold->path));

    if (!sync_path(hold->new_path, 0)) {
        return orp_links_file_fault(hold->why, "written", hold->new_path);
    }
    if (!is_unchanged(hold)) {
        return orp_reason_set(hold->why, ORP_ELINKS, hold->path,
                              "%s was not changed: somebody else has just "
                              "changed it.", hold->path);
    }
    if (rename(hold->new_path, hold->path) != 0) {
        return orp_links_file_fault(hold->why, "replaced", hold->path);
    }
    hold->made = 0;
    if (!sync_path(folder, O_DIRECTORY)) {
        return orp_links_file_fault(hold->why, "brought to the disk for sure, "
                                    "but is changed", hold->path);
    }
    return APR_SUCCESS;
}
