/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_contract_redis.c - the store in redis keeps its promises. What is
 * killed in it is the client. */

#include "support_contract.h"
#include "support_server.h"

static void join(world_t *world)
{
    contract_open(world, orp_store_redis_open);
}

static void create(world_t *world, world_scale_e scale)
{
    const char *args = NULL;
    test_server_t *server;

    if (scale == WORLD_TIGHT) {     /* it needs about one of them itself */
        args = apr_psprintf(world->pool, "--maxmemory %dmb "
                            "--maxmemory-policy noeviction",
                            contract_times(8, 3));
    }
    server = test_redis(args, world->pool);
    contract_place_server(world, ORP_PLACE_REDIS, server->port);
    join(world);
}

static const contract_t redis = {
    .name = "redis",
    .create = create,
    .join = join,
    .has_rooms = 0,             /* one memory for all kinds, and redis counts
                                 * its own needs in it */
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_ONE_CALLER(redis),
        CONTRACT_CLOCK(redis),
        CONTRACT_COUNTS(redis),
        CONTRACT_FULL(redis),
        CONTRACT_PROCESSES(redis),
    };

    contract_begin();
    return cmocka_run_group_tests_name("redis", tests, NULL, NULL);
}
