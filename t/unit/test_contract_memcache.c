/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_contract_memcache.c - the store in memcached keeps its promises, where
 * memcached is run with -M, as docs/stores.md wants it: else it drops what is
 * alive when its memory is full. What is killed here is the client. */

#include "support_contract.h"
#include "support_server.h"

static void join(world_t *world)
{
    contract_open(world, orp_store_memcache_open);
}

static void create(world_t *world, world_scale_e scale)
{
    test_server_t *server = test_memcached(
        scale == WORLD_TIGHT ? "-M -m 2" : "-M -m 200", world->pool);

    contract_place_server(world, ORP_PLACE_MEMCACHE, server->port);
    join(world);
}

static const contract_t memcache = {
    .name = "memcache",
    .create = create,
    .join = join,
    .cannot_count = 1,          /* its numbers are those of all its users */
    .cannot_list = 1,
    .touch_needs_room = 1,      /* the expiry stands in the item too, so all
                                 * of it is replaced */
    .has_rooms = 0,             /* one memory for all kinds, in slabs */
};

/* Not CONTRACT_CLOCK: memcached lets go of what has expired by its own clock,
 * in whole seconds, and until then a claim on it loses. (That it does let go,
 * and not too early, is in CONTRACT_ONE_CALLER.) */
int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_ONE_CALLER(memcache),
        CONTRACT_FULL(memcache),
        CONTRACT_PROCESSES(memcache),
    };

    contract_begin();
    return cmocka_run_group_tests_name("memcache", tests, NULL, NULL);
}
