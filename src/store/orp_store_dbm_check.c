/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_dbm_check.c - are the files ours alone, and whole? Once, when
 * httpd starts, often as root.
 *
 * Who can write into the directory can put other files in the place of ours;
 * who can read the files can take over every session. So neither may anybody
 * but the user that the server runs as, to whom the directory must belong.
 */

#include <errno.h>
#include <unistd.h>

#include <apr_strings.h>

#include "orp_store_dbm_record.h"

static apr_status_t refuse(orp_reason_t *why, const char *name,
                           const char *what)
{
    return orp_reason_set(why, APR_EINVAL, name, "%s %s.", name, what);
}

static apr_status_t refuse_errno(orp_reason_t *why, const char *name,
                                 const char *what)
{
    apr_status_t status = errno;
    char text[120];

    return orp_reason_set(why, APR_EINVAL, name, "%s %s: %s.", name, what,
                          orp_strerror(status, text, sizeof(text)));
}

static apr_status_t check_directory(struct stat *info, const orp_dbm_t *dbm,
                                    orp_reason_t *why)
{
    const char *name = dbm->directory;

    if (stat(name, info) != 0) {
        return refuse_errno(why, name, "cannot be used");
    }
    if (!S_ISDIR(info->st_mode)) {
        return refuse(why, name, "is not a directory");
    }
    if (info->st_mode & S_IWOTH) {
        return refuse(why, name, "can be written by everybody; files in it "
                      "would not be safe");
    }
    if (info->st_mode & S_IWGRP) {
        return refuse(why, name, "can be written by its group; it must be "
                      "writable only for the user that the server runs as");
    }
    if (access(name, W_OK | X_OK) != 0) {
        return refuse_errno(why, name, "cannot be written");
    }
    return APR_SUCCESS;
}

static apr_status_t check_file(const char *name,
                               const struct stat *directory,
                               orp_reason_t *why)
{
    struct stat info;

    if (lstat(name, &info) != 0) {
        return errno == ENOENT ? APR_SUCCESS
            : refuse_errno(why, name, "cannot be used");
    }
    if (S_ISLNK(info.st_mode)) {
        return refuse(why, name, "is a symbolic link");
    }
    if (!S_ISREG(info.st_mode)) {
        return refuse(why, name, "is not a regular file");
    }
    if (info.st_mode & (S_IRWXG | S_IRWXO)) {
        return refuse(why, name, "is open to its group or to everybody; "
                      "its permissions must be 0600");
    }
    if (info.st_uid != 0 && info.st_uid != geteuid()
        && info.st_uid != directory->st_uid) {
        return refuse(why, name, "belongs to another user than its "
                      "directory");
    }
    if (access(name, R_OK | W_OK) != 0) {
        return refuse_errno(why, name, "cannot be read and written");
    }
    if (geteuid() == 0 && info.st_uid != directory->st_uid
        && lchown(name, directory->st_uid, directory->st_gid) != 0) {
        return refuse_errno(why, name, "cannot be given to the owner of its "
                            "directory");
    }
    return APR_SUCCESS;
}

static apr_status_t check_files(const orp_dbm_t *dbm,
                                const struct stat *directory,
                                orp_reason_t *why)
{
    apr_status_t status = check_file(dbm->state_name, directory, why);
    int copy, file;

    for (copy = 0; copy < ORP_DBM_COPIES; copy++) {
        for (file = 0; file < ORP_DBM_FILES && status == APR_SUCCESS;
             file++) {
            status = check_file(dbm->names[copy][file], directory, why);
        }
    }
    return status;
}

/* Was it left as it must be, and has nobody been there since? */
static int is_untouched(orp_dbm_t *dbm)
{
    return dbm->state.dirty == ORP_DBM_CLEAN
        && orp_dbm_copy_is_marked(dbm, ORP_DBM_A)
        && orp_dbm_copy_is_marked(dbm, ORP_DBM_B);
}

/* Looks at every record, where there is a reason: others wait for the lock
 * meanwhile, at each restart. What is damaged is reported and replaced, as it
 * would be when it is used. A store that is not there yet is made, so that
 * what hinders it is found now. */
static apr_status_t check_contents(orp_dbm_t *dbm)
{
    unsigned int bad = 0;
    apr_status_t status;
    int copy;

    if (is_untouched(dbm)) {
        return APR_SUCCESS;
    }
    status = orp_dbm_recover(dbm, 0);
    for (copy = 0; copy < ORP_DBM_COPIES && status == APR_SUCCESS; copy++) {
        status = orp_dbm_verify(dbm, (orp_dbm_copy_e)copy);
        if (status == ORP_DBM_DAMAGED) {
            bad |= 1U << copy;
            status = APR_SUCCESS;
        }
    }
    return status == APR_SUCCESS && bad ? orp_dbm_recover(dbm, bad) : status;
}

int orp_store_dbm_is_there(const orp_store_place_t *place, apr_pool_t *pool)
{
    const char *name = apr_pstrcat(pool, place->path, ".state", NULL);
    struct stat info;

    return lstat(name, &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

apr_status_t orp_store_dbm_check(const orp_store_place_t *place,
                                 const orp_env_t *env, orp_reason_t *why,
                                 apr_pool_t *pool)
{
    struct stat directory;
    orp_dbm_t *dbm;
    apr_status_t status = orp_dbm_create(&dbm, place, env, pool);

    if (status != APR_SUCCESS) {
        return orp_reason_set(why, status, NULL, "%s cannot be prepared.",
                              place->shown);
    }
    status = check_directory(&directory, dbm, why);
    if (status == APR_SUCCESS) {
        status = check_files(dbm, &directory, why);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    status = orp_dbm_enter(dbm);
    if (status == APR_SUCCESS) {
        status = check_contents(dbm);
    }
    orp_dbm_leave(dbm);
    if (status == ORP_ESTORE && dbm->stuck) {
        /* which may be over soon, and is no reason to end httpd */
        orp_log(env, ORP_LOG_WARN, 306, pool,
                "store: %s could not be looked at: %s", place->shown,
                dbm->what);
        status = APR_SUCCESS;
    }
    if (status != APR_SUCCESS) {
        status = orp_reason_set(why, ORP_ESTORE, place->path,
                                "%s cannot be used: %s.", place->shown,
                                status == ORP_ESTORE ? dbm->what
                                : dbm->damage);
    }
    apr_pool_clear(dbm->scratch);
    return status;
}
