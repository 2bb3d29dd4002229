/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* mod_bench_store.c - runs the benchmark of the stores when httpd starts, and
 * ends httpd. Never installed; t/bench/store writes the configuration:
 *
 *   BenchStore NAME WHERE     one for each store; see bench.h
 *   BenchRecords N            how many records; one line for each, ascending
 *   BenchSeconds SECONDS      how long each is measured
 *   BenchFillSeconds SECONDS  how long a store may take to get its records
 *   BenchOutput FILE          where the lines go; see bench_plan.c
 */

#include <stdio.h>
#include <stdlib.h>

#include <httpd.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>

#include "bench.h"

extern module AP_MODULE_DECLARE_DATA bench_store_module;

static void *create_plan(apr_pool_t *pool, server_rec *s)
{
    bench_plan_t *plan = apr_pcalloc(pool, sizeof(*plan));

    (void)s;
    plan->seconds = 1;
    plan->fill_seconds = 60;
    return plan;
}

static bench_plan_t *plan_of(server_rec *s)
{
    return ap_get_module_config(s->module_config, &bench_store_module);
}

static const char *set_store(cmd_parms *cmd, void *unused, const char *name,
                             const char *where)
{
    bench_plan_t *plan = plan_of(cmd->server);

    (void)unused;
    if (plan->n_stores == BENCH_STORES) {
        return "too many stores";
    }
    plan->names[plan->n_stores] = name;
    plan->where[plan->n_stores++] = where;
    return NULL;
}

static const char *set_records(cmd_parms *cmd, void *unused, const char *arg)
{
    bench_plan_t *plan = plan_of(cmd->server);
    apr_int64_t n = apr_atoi64(arg);

    (void)unused;
    if (plan->n_levels == BENCH_LEVELS || n < 2 || n > 100000000
        || (plan->n_levels > 0
            && (apr_size_t)n <= plan->levels[plan->n_levels - 1])) {
        return "not an ascending number of records";
    }
    plan->levels[plan->n_levels++] = (apr_size_t)n;
    return NULL;
}

static const char *set_seconds(cmd_parms *cmd, void *unused, const char *arg)
{
    bench_plan_t *plan = plan_of(cmd->server);

    (void)unused;
    *(cmd->info ? &plan->fill_seconds : &plan->seconds) = atof(arg);
    return NULL;
}

static const char *set_output(cmd_parms *cmd, void *unused, const char *arg)
{
    (void)unused;
    plan_of(cmd->server)->output = arg;
    return NULL;
}

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    (void)plog;
    (void)ptemp;
    return bench_stores_register(pconf) == APR_SUCCESS ? OK : !OK;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog,
                       apr_pool_t *ptemp, server_rec *s)
{
    const bench_plan_t *plan = plan_of(s);
    const char *wrong;
    FILE *out;

    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    out = plan->output && plan->n_levels > 0 ? fopen(plan->output, "w")
                                             : NULL;
    wrong = out ? bench_run(plan, out, s, pconf)
                : "no records, or the output cannot be written";
    if (wrong) {
        fprintf(stderr, "bench: %s\n", wrong);
    }
    if (out && fclose(out) != 0) {
        wrong = "the output cannot be written";
    }
    exit(wrong ? 1 : 0);
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_LAST);
}

static const command_rec directives[] = {
    AP_INIT_TAKE2("BenchStore", set_store, NULL, RSRC_CONF, "name, place"),
    AP_INIT_TAKE1("BenchRecords", set_records, NULL, RSRC_CONF, "a number"),
    AP_INIT_TAKE1("BenchSeconds", set_seconds, NULL, RSRC_CONF, "seconds"),
    AP_INIT_TAKE1("BenchFillSeconds", set_seconds, (void *)1, RSRC_CONF,
                  "seconds"),
    AP_INIT_TAKE1("BenchOutput", set_output, NULL, RSRC_CONF, "a file"),
    { .name = NULL }
};

AP_DECLARE_MODULE(bench_store) = {
    STANDARD20_MODULE_STUFF,
    NULL,
    NULL,
    create_plan,
    NULL,
    directives,
    register_hooks,
#ifdef AP_MODULE_HAS_FLAGS
    AP_MODULE_FLAG_NONE
#endif
};
