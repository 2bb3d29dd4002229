/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "cli_commands.h"

#include <stdio.h>
#include <unistd.h>

#include <apr_network_io.h>
#include <apr_strings.h>

#include "cli_world.h"
#include "orp_background.h"
#include "orp_json.h"

/* What is done with each endpoint that was asked. */
typedef struct {
    int verbose;
    apr_array_header_t *endpoints;  /* of JSON objects, or NULL: as text */
    apr_pool_t *pool;
} told_t;

/* "none" is what needs nobody's attention: a provider may make none. */
static const char *outcome(apr_status_t status)
{
    return status == APR_SUCCESS ? "made"
        : status == ORP_ENOASSOC ? "none" : "failed";
}

static void tell_json(told_t *told, const char *endpoint,
                      apr_status_t status, const orp_reason_t *why,
                      apr_interval_time_t took)
{
    apr_array_header_t *members = apr_array_make(told->pool, 4,
                                                 sizeof(const char *));

    orp_json_member(members, "endpoint",
                    orp_json_string(endpoint, told->pool), told->pool);
    orp_json_member(members, "outcome",
                    orp_json_string(outcome(status), told->pool),
                    told->pool);
    orp_json_member(members, "milliseconds",
                    apr_psprintf(told->pool, "%" APR_TIME_T_FMT,
                                 apr_time_as_msec(took)), told->pool);
    orp_json_member(members, "sentence",
                    orp_json_string(why ? why->sentence : NULL, told->pool),
                    told->pool);
    APR_ARRAY_PUSH(told->endpoints, const char *)
        = orp_json_object(members, told->pool);
}

static void tell(void *baton, const char *endpoint, apr_status_t status,
                 const orp_reason_t *why, apr_interval_time_t took)
{
    told_t *told = baton;
    const char *shown = cli_printable(endpoint, told->pool);

    if (told->endpoints) {
        tell_json(told, endpoint, status, why, took);
    }
    else if (status == APR_SUCCESS) {
        if (told->verbose) {
            puts(apr_psprintf(told->pool, "made %s %" APR_TIME_T_FMT " ms",
                              shown, apr_time_as_msec(took)));
        }
    }
    else if (told->verbose || status != ORP_ENOASSOC) {
        printf("%s %s: %s\n", outcome(status), shown,
               cli_printable(why->sentence, told->pool));
    }
}

static void print_json(const orp_background_result_t *result,
                       const told_t *told, apr_pool_t *pool)
{
    apr_array_header_t *members = apr_array_make(pool, 5,
                                                 sizeof(const char *));

    orp_json_member(members, "queued", apr_itoa(pool, result->queued), pool);
    orp_json_member(members, "made", apr_itoa(pool, result->made), pool);
    orp_json_member(members, "failed", apr_itoa(pool, result->failed), pool);
    orp_json_member(members, "elsewhere",
                    result->elsewhere ? "true" : "false", pool);
    orp_json_member(members, "endpoints",
                    orp_json_array(told->endpoints, pool), pool);
    cli_json(orp_json_object(members, pool), pool);
}

static void print_summary(const orp_background_result_t *result)
{
    if (result->elsewhere) {
        puts("Somebody else, such as httpd, does this at the moment.");
    }
    else {
        printf("%d in the queue, %d made, %d not made\n", result->queued,
               result->made, result->failed);
    }
}

/* Another one for each process of each machine. */
static const char *holder_name(apr_pool_t *pool)
{
    char host[APRMAXHOSTLEN + 1];

    if (apr_gethostname(host, sizeof(host), pool) != APR_SUCCESS) {
        apr_cpystrn(host, "localhost", sizeof(host));
    }
    return apr_psprintf(pool, "openid2rp refresh, %s, %ld", host,
                        (long)getpid());
}

int cli_refresh(const cli_options_t *options, apr_pool_t *pool)
{
    orp_reason_t *why = orp_reason_create(pool);
    told_t told = { (options->given & CLI_VERBOSE) != 0, NULL, pool };
    orp_background_t job = {
        .holder = holder_name(pool), .report = tell, .baton = &told
    };
    orp_background_result_t result = { 0 };
    orp_env_t *env;
    apr_status_t status = cli_world_create(&env, options, why, pool);

    if (options->given & CLI_JSON) {
        told.endpoints = apr_array_make(pool, 8, sizeof(const char *));
    }
    if (status == APR_SUCCESS) {
        status = orp_background_run(&result, env, &job, pool);
        orp_background_leave(env, job.holder, pool);
    }
    if (status != APR_SUCCESS) {
        return cli_refuse_store(status, options, why, pool);
    }
    if (told.endpoints) {
        print_json(&result, &told, pool);
    }
    else if (told.verbose) {
        print_summary(&result);
    }
    return CLI_OK;
}
