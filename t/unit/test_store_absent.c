/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_store_absent.c - what stands in the place of a store that cannot be
 * had: whatever it is asked fails, so nobody is signed in by it.
 */

#include "support.h"

#include <apr_general.h>

#include "orp_store.h"

#define NOW ((apr_time_t)1000000)
#define LATER (2 * NOW)


static int visit(void *baton, const char *key, apr_size_t size,
                 apr_time_t expires)
{
    (void)baton, (void)key, (void)size, (void)expires;
    fail_msg("there is something in it");
    return 0;
}

static void every_operation_fails(void **state)
{
    apr_pool_t *pool = ((scene_t *)*state)->pool;
    orp_store_t *store = orp_store_absent(pool);
    orp_store_stats_t stats = { 1, 2, 3, 4 };
    const char *value = "untouched";
    apr_size_t size = 7;
    int i;

    for (i = 0; i < ORP_STORE_KINDS; i++) {
        orp_store_kind_e kind = (orp_store_kind_e)i;

        assert_status(orp_store_put(store, kind, "k", "v", 1, LATER, NOW),
                      ORP_ESTORE);
        assert_status(orp_store_get(&value, &size, store, kind, "k", NOW,
                                    pool), ORP_ESTORE);
        assert_status(orp_store_claim(store, kind, "k", LATER, NOW),
                      ORP_ESTORE);
        assert_status(orp_store_take(&value, &size, store, kind, "k", NOW,
                                     pool), ORP_ESTORE);
        assert_status(orp_store_touch(store, kind, "k", LATER, NOW),
                      ORP_ESTORE);
        assert_status(orp_store_remove(store, kind, "k"), ORP_ESTORE);
        assert_status(orp_store_stats(&stats, store, kind, NOW), ORP_ESTORE);
        assert_status(orp_store_each(store, kind, NOW, visit, NULL, pool),
                      ORP_ESTORE);
    }
    assert_status(orp_store_sweep(store, NOW), ORP_ESTORE);
    assert_string_equal(value, "untouched");
    assert_int_equal(size, 7);
    assert_int_equal(stats.live, 1);
}

/* What no store takes, this one does not take either. */
static void arguments_are_judged_as_ever(void **state)
{
    orp_store_t *store = orp_store_absent(((scene_t *)*state)->pool);

    assert_int_equal(orp_store_put(store, ORP_STORE_LOGIN, "", "v", 1, LATER,
                                   NOW), APR_EINVAL);
    assert_int_equal(orp_store_claim(store, ORP_STORE_NONCE, "k", NOW, NOW),
                     APR_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(every_operation_fails),
        scene_test(arguments_are_judged_as_ever),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("store_absent", tests, NULL, NULL);
}
