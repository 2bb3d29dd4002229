/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_contract_shm.c - the store in shared memory keeps its promises. */

#include "support_contract.h"

#include <unistd.h>

#include <apr_global_mutex.h>
#include <apr_shm.h>

static void create(world_t *world, world_scale_e scale)
{
    apr_size_t size = scale == WORLD_LARGE ? 256 * 1024 * 1024
        : 2 * ORP_STORE_SHM_MIN;
    apr_global_mutex_t *mutex;
    apr_shm_t *shm;

    assert_status(apr_shm_create(&shm, size, NULL, world->pool),
                  APR_SUCCESS);
    assert_status(apr_global_mutex_create(&mutex, NULL, APR_LOCK_DEFAULT,
                                          world->pool), APR_SUCCESS);
    assert_status(orp_store_shm_open(&world->store,
                                     apr_shm_baseaddr_get(shm), size, 1,
                                     mutex, world->pool), APR_SUCCESS);
    world->own = mutex;
}

static void join(world_t *world)
{
    apr_global_mutex_t *mutex = world->own;

    if (apr_global_mutex_child_init(&mutex, NULL, world->pool)
        != APR_SUCCESS) {
        _exit(2);
    }
}

static const contract_t shm = {
    .name = "shm",
    .create = create,
    .join = join,
    .cannot_list = 1,           /* nobody may hold the lock for so long */
    .has_rooms = 1,
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_NAMES,
        CONTRACT_ONE_CALLER(shm),
        CONTRACT_CLOCK(shm),
        CONTRACT_COUNTS(shm),
        CONTRACT_ROOMS(shm),
        CONTRACT_FULL(shm),
        CONTRACT_PROCESSES(shm),
    };

    contract_begin();
    return cmocka_run_group_tests_name("shm", tests, NULL, NULL);
}
