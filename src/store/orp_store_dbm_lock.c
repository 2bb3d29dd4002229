/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_dbm_lock.c - the lock on PATH.state. */

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <apr_strings.h>

#include "orp_store_dbm_files.h"

/* How long the lock is waited for; and how long where that was in vain, until
 * it was got again. Microseconds, as all times here. */
#define LOCK_WAIT (2 * APR_USEC_PER_SEC)
#define STUCK_WAIT (100 * 1000)

/* Between two tries: long sleepers would lose against those that come. */
#define NAP_MIN 100
#define NAP_MAX (5 * 1000)

/* A clock that nobody sets. */
static apr_interval_time_t ticks(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_from_sec(now.tv_sec) + now.tv_nsec / 1000;
}

/* Not by F_SETLKW, which waits for as long as it takes. */
static apr_status_t wait_for_lock(orp_dbm_t *dbm)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    apr_interval_time_t nap = NAP_MIN;
    apr_interval_time_t end = ticks() + (dbm->stuck ? STUCK_WAIT : LOCK_WAIT);

    while (fcntl(dbm->fd, F_SETLK, &whole) != 0) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
            dbm->stuck = 0;
            return orp_dbm_fail(dbm, errno, "lock", dbm->state_name);
        }
        if (ticks() >= end) {
            dbm->stuck = 1;
            apr_snprintf(dbm->what, sizeof(dbm->what), "another process "
                         "keeps %s locked, and was perhaps stopped",
                         dbm->state_name);
            return ORP_ESTORE;
        }
        apr_sleep(nap);
        nap = nap * 3 / 2 < NAP_MAX ? nap * 3 / 2 : NAP_MAX;
    }
    dbm->stuck = 0;
    return APR_SUCCESS;
}

/* A lock on a file that was removed or renamed meanwhile keeps nobody out. */
static apr_status_t lock_state(orp_dbm_t *dbm, int *pstale)
{
    struct stat ours, there;
    apr_status_t status = wait_for_lock(dbm);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (fstat(dbm->fd, &ours) != 0) {
        return orp_dbm_fail(dbm, errno, "look at", dbm->state_name);
    }
    *pstale = lstat(dbm->state_name, &there) != 0
        || ours.st_ino != there.st_ino || ours.st_dev != there.st_dev;
    return APR_SUCCESS;
}

apr_status_t orp_dbm_lock(orp_dbm_t *dbm)
{
    apr_status_t status;
    int stale = 1, tries = 0;

    do {
        orp_dbm_leave(dbm);
        status = orp_dbm_file_open(&dbm->fd, dbm, dbm->state_name, O_CREAT);
        if (status == APR_SUCCESS) {
            status = lock_state(dbm, &stale);
        }
        else {
            dbm->stuck = 0;     /* it does not come to that */
        }
    } while (status == APR_SUCCESS && stale && ++tries < 100);
    return status == APR_SUCCESS && stale
        ? orp_dbm_fail(dbm, APR_EBUSY, "keep hold of", dbm->state_name)
        : status;
}

void orp_dbm_give_way(void)
{
    apr_sleep(NAP_MAX + 1000);  /* by then, all of them have woken up */
}

void orp_dbm_leave(orp_dbm_t *dbm)
{
    if (dbm->fd >= 0) {
        close(dbm->fd);
        dbm->fd = -1;
    }
}
