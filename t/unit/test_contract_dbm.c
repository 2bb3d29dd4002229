/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_contract_dbm.c - the store in files keeps its promises. */

#include "support_contract.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

/* The folder and all that is in it; by the process that made it. */
static apr_status_t remove_folder(void *baton)
{
    world_t *world = baton;
    const char *path = world->own;
    DIR *list = opendir(path);
    struct dirent *entry;

    while (list && (entry = readdir(list)) != NULL) {
        if (entry->d_name[0] != '.') {
            unlink(apr_pstrcat(world->pool, path, "/", entry->d_name, NULL));
        }
    }
    if (list) {
        closedir(list);
    }
    rmdir(path);
    return APR_SUCCESS;
}

static void join(world_t *world)
{
    contract_open(world, orp_store_dbm_open);
}

static void create(world_t *world, world_scale_e scale)
{
    const char *parent = getenv("TMPDIR");
    char *folder = apr_pstrcat(world->pool, parent && *parent ? parent
                               : "/tmp", "/openid2rp-dbm.XXXXXX", NULL);

    assert_non_null(mkdtemp(folder));
    world->own = folder;
    apr_pool_cleanup_register(world->pool, world, remove_folder,
                              apr_pool_cleanup_null);
    world->place.type = ORP_PLACE_DBM;
    world->place.path = apr_pstrcat(world->pool, folder, "/store", NULL);
    world->place.size = scale == WORLD_LARGE ? ORP_PLACE_DBM_SIZE
        : 2 * 1024 * 1024;
    join(world);
}

static const contract_t dbm = {
    .name = "dbm",
    .create = create,
    .join = join,
    .has_rooms = 1,
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_ONE_CALLER(dbm),
        CONTRACT_CLOCK(dbm),
        CONTRACT_COUNTS(dbm),
        CONTRACT_ROOMS(dbm),
        CONTRACT_FULL(dbm),
        CONTRACT_PROCESSES(dbm),
    };

    contract_begin();
    return cmocka_run_group_tests_name("dbm", tests, NULL, NULL);
}
