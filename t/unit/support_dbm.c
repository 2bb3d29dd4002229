/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "support_dbm.h"

#include "orp_store_dbm_record.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const endings[] = {
    "state", "a.pag", "a.dir", "b.pag", "b.dir"
};

static void make_folder(dbm_world_t *world)
{
    const char *base = getenv("TMPDIR");
    char *folder = apr_pstrcat(world->pool, base && *base ? base : "/tmp",
                               "/orp-dbm-XXXXXX", NULL);

    assert_non_null(mkdtemp(folder));
    world->folder = folder;
    world->place.type = ORP_PLACE_DBM;
    world->place.path = apr_pstrcat(world->pool, folder, "/store", NULL);
    world->place.shown = apr_pstrcat(world->pool, "dbm:", world->place.path,
                                     NULL);
}

static void remove_folder(const dbm_world_t *world)
{
    DIR *folder = opendir(world->folder);
    struct dirent *entry;

    assert_non_null(folder);
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] != '.') {
            unlink(apr_pstrcat(world->pool, world->folder, "/",
                               entry->d_name, NULL));
        }
    }
    closedir(folder);
    assert_int_equal(rmdir(world->folder), 0);
}

static apr_status_t remove_later(void *world)
{
    remove_folder(world);
    return APR_SUCCESS;
}

static dbm_world_t *make_world(scene_t *scene)
{
    dbm_world_t *world = apr_pcalloc(scene->pool, sizeof(*world));

    world->scene = scene;
    world->pool = scene->pool;
    make_folder(world);
    apr_pool_cleanup_register(scene->pool, world, remove_later,
                              apr_pool_cleanup_null);
    return world;
}

int dbm_setup(void **state)
{
    scene_t *scene;
    dbm_world_t *world;

    if (scene_setup(state) != 0) {
        return -1;
    }
    scene = *state;
    world = make_world(scene);
    dbm_reopen(world);
    *state = world;
    return 0;
}

int dbm_teardown(void **state)
{
    dbm_world_t *world = *state;

    dbm_close(world);
    *state = world->scene;
    return scene_teardown(state);
}

dbm_world_t *dbm_elsewhere(dbm_world_t *world)
{
    return make_world(world->scene);
}

void dbm_close(dbm_world_t *world)
{
    if (world->store_pool) {
        apr_pool_destroy(world->store_pool);
    }
    world->store_pool = NULL;
    world->store = NULL;
}

void dbm_reopen(dbm_world_t *world)
{
    dbm_close(world);
    apr_pool_create(&world->store_pool, NULL);
    assert_status(orp_store_dbm_open(&world->store, &world->place,
                                     &world->scene->env, NULL,
                                     world->store_pool), APR_SUCCESS);
}

/* Both copies, all of them; the check does so only where it has a reason. */
static apr_status_t verify(dbm_world_t *world)
{
    orp_dbm_t *dbm;
    apr_status_t status = orp_dbm_create(&dbm, &world->place,
                                         &world->scene->env, world->pool);
    int copy;

    if (status == APR_SUCCESS) {
        status = orp_dbm_enter(dbm);
    }
    for (copy = 0; copy < ORP_DBM_COPIES && status == APR_SUCCESS; copy++) {
        status = orp_dbm_copy_is_marked(dbm, (orp_dbm_copy_e)copy)
            ? orp_dbm_verify(dbm, (orp_dbm_copy_e)copy) : ORP_DBM_DAMAGED;
    }
    orp_dbm_leave(dbm);
    apr_pool_destroy(dbm->scratch);
    return status;
}

apr_status_t dbm_check(dbm_world_t *world, orp_reason_t **pwhy)
{
    orp_reason_t *why = orp_reason_create(world->pool);
    apr_status_t status = orp_store_dbm_check(&world->place,
                                              &world->scene->env, why,
                                              world->pool);

    assert_int_equal(why->status, status);
    if (pwhy) {
        *pwhy = why;
    }
    return status == APR_SUCCESS ? verify(world) : status;
}

/* ---------------------------------------------------------------------- */
/* Files */

const char *dbm_file(const dbm_world_t *world, const char *ending)
{
    return apr_pstrcat(world->pool, world->place.path, ".", ending, NULL);
}

int dbm_files_named(const dbm_world_t *world, const char *text)
{
    DIR *folder = opendir(world->folder);
    struct dirent *entry;
    int count = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder))) {
        count += strstr(entry->d_name, text) != NULL;
    }
    closedir(folder);
    return count;
}

static int open_file(const dbm_world_t *world, const char *ending, int flags)
{
    int fd = open(dbm_file(world, ending), flags, 0600);

    assert_true(fd >= 0);
    return fd;
}

static void set_times(int fd, const struct stat *info)
{
    struct timespec times[2];

    times[0] = info->st_atim;
    times[1] = info->st_mtim;
    assert_int_equal(futimens(fd, times), 0);
}

static void copy_file(const dbm_world_t *to, const dbm_world_t *from,
                      const char *ending)
{
    static char buffer[256 * 1024];
    struct stat info;
    ssize_t size;
    int in, out;

    if (stat(dbm_file(from, ending), &info) != 0) {
        unlink(dbm_file(to, ending));
        return;
    }
    in = open_file(from, ending, O_RDONLY);
    out = open_file(to, ending, O_RDWR | O_CREAT | O_TRUNC);
    while ((size = read(in, buffer, sizeof(buffer))) > 0) {
        assert_int_equal(write(out, buffer, (size_t)size), size);
    }
    set_times(out, &info);
    close(in);
    close(out);
}

void dbm_copy(const dbm_world_t *to, const dbm_world_t *from)
{
    apr_size_t i;

    for (i = 0; i < COUNT(endings); i++) {
        copy_file(to, from, endings[i]);
    }
}

void dbm_scribble(const dbm_world_t *world, const char *ending, off_t at,
                  const void *bytes, size_t size)
{
    struct stat info;
    struct timespec times[2];
    int fd = open_file(world, ending, O_RDWR);

    /* Clocks of file systems are coarse: a second later for sure. */
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(pwrite(fd, bytes, size, at), (ssize_t)size);
    times[0] = info.st_atim;
    times[1] = info.st_mtim;
    times[1].tv_sec++;
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

void dbm_scribble_unseen(const dbm_world_t *world, const char *ending,
                         off_t at, const void *bytes, size_t size)
{
    struct stat info;
    int fd = open_file(world, ending, O_RDWR);

    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(pwrite(fd, bytes, size, at), (ssize_t)size);
    set_times(fd, &info);
    close(fd);
}

void dbm_read(const dbm_world_t *world, const char *ending, off_t at,
              void *bytes, size_t size)
{
    int fd = open_file(world, ending, O_RDONLY);

    assert_int_equal(pread(fd, bytes, size, at), (ssize_t)size);
    close(fd);
}

off_t dbm_find(const dbm_world_t *world, const char *ending,
               const char *bytes)
{
    int fd = open_file(world, ending, O_RDONLY);
    off_t size = lseek(fd, 0, SEEK_END), at, found = -1;
    char *all = apr_palloc(world->pool, (apr_size_t)size);
    size_t wanted = strlen(bytes);

    assert_int_equal(pread(fd, all, (size_t)size, 0), size);
    close(fd);
    for (at = 0; at + (off_t)wanted <= size && found < 0; at++) {
        if (memcmp(all + at, bytes, wanted) == 0) {
            found = at;
        }
    }
    assert_true(found >= 0);
    return found;
}

void dbm_mark_dirty(dbm_world_t *world, apr_uint32_t dirty)
{
    orp_dbm_t *dbm;

    assert_status(orp_dbm_create(&dbm, &world->place, &world->scene->env,
                                 world->pool), APR_SUCCESS);
    assert_status(orp_dbm_enter(dbm), APR_SUCCESS);
    assert_int_equal(dbm->state.dirty, ORP_DBM_CLEAN);
    dbm->state.dirty = dirty;
    assert_status(orp_dbm_save(dbm), APR_SUCCESS);
    orp_dbm_leave(dbm);
}

/* ---------------------------------------------------------------------- */
/* Records */

apr_status_t dbm_put(dbm_world_t *world, const char *key, const char *value)
{
    return orp_store_put(world->store, ORP_STORE_SESSION, key, value,
                         strlen(value), DBM_LATER, DBM_NOW);
}

const char *dbm_seen(dbm_world_t *world, const char *key)
{
    const char *value;
    apr_status_t status = orp_store_get(&value, NULL, world->store,
                                        ORP_STORE_SESSION, key, DBM_NOW,
                                        world->pool);

    return status == APR_SUCCESS ? value
        : status == ORP_ENOTFOUND ? "(none)" : "(failed)";
}

static const char *name_of(char name[32], int number)
{
    apr_snprintf(name, 32, "session-%d", number);
    return name;
}

void dbm_put_many(dbm_world_t *world, int count)
{
    char name[32];
    int i;

    for (i = 0; i < count; i++) {
        assert_status(dbm_put(world, name_of(name, i), name), APR_SUCCESS);
    }
}

void dbm_assert_many(dbm_world_t *world, int count)
{
    char name[32];
    int i;

    for (i = 0; i < count; i++) {
        assert_string_equal(dbm_seen(world, name_of(name, i)), name);
    }
}

/* ---------------------------------------------------------------------- */
/* Somebody else */

#define SOMEBODY 65534

static void give_to_somebody(const dbm_world_t *world)
{
    apr_size_t i;

    assert_int_equal(chown(world->folder, SOMEBODY, SOMEBODY), 0);
    for (i = 0; i < COUNT(endings); i++) {
        if (chown(dbm_file(world, endings[i]), SOMEBODY, SOMEBODY) != 0) {
            assert_int_not_equal(access(dbm_file(world, endings[i]), F_OK),
                                 0);
        }
    }
}

void dbm_as_somebody(dbm_world_t *world, int (*run)(dbm_world_t *world))
{
    int is_root = geteuid() == 0, status;
    pid_t child;

    if (is_root) {
        give_to_somebody(world);
    }
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        if (is_root && (setgid(SOMEBODY) != 0 || setuid(SOMEBODY) != 0)) {
            _exit(97);
        }
        _exit(run(world));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}
