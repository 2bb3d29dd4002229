/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "support_links.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_file_io.h>

#define NOBODY 65534

int links_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    links_world_t *world;
    apr_pool_t *pool;
    char *folder;

    if (apr_initialize() != APR_SUCCESS
        || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return -1;
    }
    world = apr_pcalloc(pool, sizeof(*world));
    world->pool = pool;
    folder = apr_pstrcat(pool, base && *base ? base : "/tmp",
                         "/orp-links-XXXXXX", NULL);
    if (!mkdtemp(folder)) {
        return -1;
    }
    world->folder = folder;
    world->path = links_file(world, "links");
    world->place = apr_pstrcat(pool, "txt:", world->path, NULL);
    world->why = orp_reason_create(pool);
    *state = world;
    return 0;
}

/* Counts the files, and removes them where that is asked for. */
static int look_through(const links_world_t *world, int *pleft, int clean)
{
    DIR *folder = opendir(world->folder);
    struct dirent *entry;
    int count = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder))) {
        const char *name = entry->d_name;

        if (!strcmp(name, ".") || !strcmp(name, "..")) {
            continue;
        }
        count++;
        *pleft += strstr(name, ".lock") || strstr(name, ".new");
        if (clean && unlink(links_file(world, name)) != 0) {
            assert_int_equal(rmdir(links_file(world, name)), 0);
        }
    }
    closedir(folder);
    return count;
}

int links_files(const links_world_t *world)
{
    int left = 0;

    return look_through(world, &left, 0);
}

int links_teardown(void **state)
{
    links_world_t *world = *state;
    int left = 0;

    assert_int_equal(chmod(world->folder, 0700), 0);
    look_through(world, &left, 1);
    assert_int_equal(rmdir(world->folder), 0);
    apr_pool_destroy(world->pool);
    assert_int_equal(left, 0);
    return 0;
}

const char *links_file(const links_world_t *world, const char *name)
{
    return apr_pstrcat(world->pool, world->folder, "/", name, NULL);
}

void links_write(const links_world_t *world, const char *text)
{
    FILE *file = fopen(world->path, "wb");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

const char *links_read(const links_world_t *world)
{
    FILE *file = fopen(world->path, "rb");
    char *text;
    long size;

    if (!file) {
        return "(none)";
    }
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    text = apr_pcalloc(world->pool, (apr_size_t)size + 1);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    fclose(file);
    return text;
}

orp_links_t *links_open(const links_world_t *world)
{
    orp_reason_t *why = orp_reason_create(world->pool);
    orp_links_t *links = NULL;

    assert_status(orp_links_open(&links, world->place, why, world->pool),
                  APR_SUCCESS);
    return links;
}

const char *links_account(const links_world_t *world,
                          const orp_links_t *links, const char *identifier)
{
    const char *account = "(untouched)";
    apr_status_t status = orp_links_find(&account, links, identifier,
                                         world->pool);

    if (status == APR_SUCCESS) {
        return account;
    }
    assert_string_equal(account, "(untouched)");
    if (status == ORP_ENOTFOUND) {
        return "(none)";
    }
    assert_status(status, ORP_ELINKS);
    return "(failed)";
}

const char *links_all(const links_world_t *world, const orp_links_t *links)
{
    apr_array_header_t *list;
    const char *all = "";
    int i;

    assert_status(orp_links_list(&list, links, world->pool), APR_SUCCESS);
    for (i = 0; i < list->nelts; i++) {
        const orp_link_t *link = &APR_ARRAY_IDX(list, i, orp_link_t);

        all = apr_pstrcat(world->pool, all, link->identifier, "=",
                          link->account, "\n", NULL);
        assert_string_equal(links_account(world, links, link->identifier),
                            link->account);
    }
    return all;
}

const char *links_mistakes(const links_world_t *world,
                           const orp_links_t *links)
{
    apr_array_header_t *mistakes;
    const char *all = "";
    int i;

    assert_status(orp_links_check(&mistakes, links, world->pool),
                  APR_SUCCESS);
    for (i = 0; i < mistakes->nelts; i++) {
        all = apr_pstrcat(world->pool, all,
                          APR_ARRAY_IDX(mistakes, i, const char *), "\n",
                          NULL);
    }
    return all;
}

apr_status_t links_add(links_world_t *world, const char *identifier,
                       const char *account)
{
    world->why = orp_reason_create(world->pool);
    return orp_links_add(world->place, identifier, account, world->why,
                         world->pool);
}

apr_status_t links_remove(links_world_t *world, const char *identifier,
                          const char *account)
{
    world->why = orp_reason_create(world->pool);
    return orp_links_remove(world->place, identifier, account, world->why,
                            world->pool);
}

int links_wait(pid_t child)
{
    int status;

    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int links_as_somebody(links_world_t *world, int (*run)(links_world_t *world))
{
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm(100);
        if (getuid() == 0
            && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) {
            _exit(99);
        }
        _exit(run(world));
    }
    return links_wait(child);
}
