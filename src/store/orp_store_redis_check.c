/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_redis_check.c - what an administrator should know of a server
 * before a site relies on it.
 *
 * A site must not start with what only an administrator can put right: a
 * wrong password, a database that is not there, a server that is too old, or
 * is no redis. Whatever may pass by itself is a line in the log.
 */

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "orp_store_open.h"
#include "orp_store_redis.h"

/* GETDEL is of 6.2. */
#define VERSION_MAJOR 6
#define VERSION_MINOR 2

typedef struct check_t {
    const orp_store_place_t *place;
    const orp_env_t *env;
    orp_reason_t *why;
    orp_redis_conn_t *conn;
    int over;                   /* there is no more to be asked */
    apr_time_t deadline;
    apr_pool_t *pool;
} check_t;

/* ---------------------------------------------------------------------- */
/* What is said */

static apr_status_t away(check_t *check, const char *clause)
{
    check->over = 1;
    orp_log(check->env, ORP_LOG_WARN, 310, check->pool,
            "store: %s does not work at the moment: %s; nobody can sign in "
            "there until it does", check->place->shown, clause);
    return APR_SUCCESS;
}

static apr_status_t useless(check_t *check, const char *clause)
{
    return orp_reason_set(check->why, ORP_ESTORE, check->place->shown,
                          "%s cannot be used as a store: %s.",
                          check->place->shown, clause);
}

/* What a failure to connect, or on a connection, means. */
static apr_status_t judge_failure(check_t *check, apr_status_t status,
                                  const char *clause)
{
    return status == APR_EACCES || status == APR_EINVAL
        || status == ORP_EENCODING ? useless(check, clause)
        : away(check, clause);
}

/* What an error in a reply means. */
static apr_status_t judge_error(check_t *check,
                                const orp_redis_reply_t *reply,
                                const orp_redis_command_t *command)
{
    static const char *const final[] = {
        "NOAUTH", "NOPERM", "ERR", "MOVED", "WRONGTYPE"
    };
    orp_store_clause_t clause;
    apr_size_t i;

    orp_redis_explain(&clause, reply, command);
    for (i = 0; i < sizeof(final) / sizeof(final[0]); i++) {
        if (orp_redis_is_error(reply, final[i])
            && !orp_redis_is_full(reply)) {
            return useless(check, apr_psprintf(
                check->pool, "to %s %s", command->args[0], clause.text));
        }
    }
    return away(check, clause.text);
}

/* ---------------------------------------------------------------------- */
/* INFO */

/* The value of "name:value" in a line of INFO, or "". */
static const char *field(const char *info, const char *name,
                         apr_pool_t *pool)
{
    apr_size_t length = strlen(name);
    const char *line = info;

    while (line) {
        if (strncmp(line, name, length) == 0 && line[length] == ':') {
            line += length + 1;
            return apr_pstrmemdup(pool, line, strcspn(line, "\r\n"));
        }
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return "";
}

static apr_status_t judge_info(check_t *check, const char *info)
{
    const char *version = field(info, "redis_version", check->pool);
    const char *policy = field(info, "maxmemory_policy", check->pool);
    unsigned int major = 0;
    unsigned int minor = 0;

    /* NOLINTNEXTLINE(cert-err34-c): four digits always fit */
    if (sscanf(version, "%4u.%4u", &major, &minor) != 2) {
        return useless(check, "it does not tell redis's version");
    }
    if (major < VERSION_MAJOR
        || (major == VERSION_MAJOR && minor < VERSION_MINOR)) {
        return useless(check, apr_psprintf(
            check->pool, "it is redis %u.%u, and %d.%d is the least",
            major, minor, VERSION_MAJOR, VERSION_MINOR));
    }
    if (strcmp(field(info, "maxmemory", check->pool), "0") != 0
        && strcmp(policy, "noeviction") != 0) {
        orp_log(check->env, ORP_LOG_WARN, 311, check->pool,
                "store: %s may drop nonces and logins that are live when its "
                "memory is used up (maxmemory-policy %s), which makes replays "
                "possible; set maxmemory-policy to noeviction",
                check->place->shown, policy);
    }
    if (strcmp(field(info, "role", check->pool), "slave") == 0) {
        check->over = 1;
        orp_log(check->env, ORP_LOG_WARN, 313, check->pool,
                "store: %s is a replica; unless it becomes the master, nobody "
                "can sign in there", check->place->shown);
    }
    return APR_SUCCESS;
}

static apr_status_t check_info(check_t *check)
{
    orp_redis_command_t command = { .want = ORP_REDIS_STRING };
    orp_store_clause_t clause;
    orp_redis_reply_t *reply;
    apr_size_t size;
    int sent;
    apr_status_t status;

    orp_redis_arg_text(&command, "INFO");
    status = orp_redis_conn_ask(&reply, check->conn, &command, 1,
                                check->deadline, &sent, &clause);
    if (status != APR_SUCCESS) {
        return judge_failure(check, status, clause.text);
    }
    if (orp_redis_is_error(reply, "NOPERM")) {
        orp_log(check->env, ORP_LOG_INFO, 312, check->pool,
                "store: %s does not let its user ask for INFO, so its version "
                "and memory policy were not checked", check->place->shown);
    }
    else if (orp_redis_type(reply) == ORP_REDIS_ERROR) {
        status = judge_error(check, reply, &command);
    }
    else {
        status = judge_info(check, orp_redis_string(&size, reply));
    }
    orp_redis_reply_free(reply);
    return status;
}

/* ---------------------------------------------------------------------- */
/* Doing once what will be done */

#define TRIALS 6

/* All commands of the operations: some may be forbidden to this user. */
static void make_trials(orp_redis_command_t *trials, const char *key,
                        const char *head, const char *before)
{
    static const struct {
        int want;
        const char *args[7];    /* "K" key, "H" head, "B" the time before it */
    } what[TRIALS] = {
        { ORP_REDIS_STATUS, { "SET", "K", "H", "PX", "1000" } },
        { ORP_REDIS_STRING | ORP_REDIS_NIL, { "GET", "K" } },
        { ORP_REDIS_INTEGER,
          { "EVAL", orp_redis_touch_script, "1", "K", "H", "B", "1000" } },
        { ORP_REDIS_INTEGER,
          { "EVAL", orp_redis_claim_script, "1", "K", "H", "H", "1000" } },
        { ORP_REDIS_STRING | ORP_REDIS_NIL, { "GETDEL", "K" } },
        { ORP_REDIS_INTEGER, { "UNLINK", "K" } }
    };
    int i;
    int j;

    for (i = 0; i < TRIALS; i++) {
        trials[i].want = what[i].want;
        for (j = 0; j < 7 && what[i].args[j]; j++) {
            const char *arg = what[i].args[j];

            if (strcmp(arg, "H") == 0 || strcmp(arg, "B") == 0) {
                orp_redis_arg(&trials[i], *arg == 'H' ? head : before,
                              ORP_REDIS_HEAD);
            }
            else {
                orp_redis_arg_text(&trials[i],
                                   strcmp(arg, "K") == 0 ? key : arg);
            }
        }
    }
}

static apr_status_t check_trials(check_t *check)
{
    orp_redis_command_t trials[TRIALS];
    orp_redis_reply_t *replies[TRIALS];
    unsigned char head[ORP_REDIS_HEAD];
    unsigned char before[ORP_REDIS_HEAD];
    orp_store_clause_t clause;
    apr_status_t status;
    int judged = 0;
    int sent;
    int i;

    memset(trials, 0, sizeof(trials));
    orp_redis_head_write(head, 1);
    orp_redis_head_write(before, 0);
    make_trials(trials, apr_pstrcat(check->pool, check->place->prefix,
                                    "check", NULL), (const char *)head,
                (const char *)before);
    status = orp_redis_conn_ask(replies, check->conn, trials, TRIALS,
                                check->deadline, &sent, &clause);
    if (status != APR_SUCCESS) {
        return judge_failure(check, status, clause.text);
    }
    for (i = 0; i < TRIALS; i++) {
        if (!judged && orp_redis_type(replies[i]) == ORP_REDIS_ERROR) {
            status = judge_error(check, replies[i], &trials[i]);
            judged = 1;
        }
        orp_redis_reply_free(replies[i]);
    }
    return status;
}

apr_status_t orp_store_redis_check(const orp_store_place_t *place,
                                   const orp_env_t *env, orp_reason_t *why,
                                   apr_pool_t *pool)
{
    check_t check = { .place = place, .env = env, .why = why };
    orp_redis_trust_t *trust = NULL;
    orp_store_clause_t clause;
    apr_status_t status;

    if (!orp_redis_available()) {
        return orp_reason_set(why, APR_ENOTIMPL, NULL, "This build has no "
                              "redis: it was compiled without hiredis.");
    }
    status = apr_pool_create(&check.pool, pool);
    if (status == APR_SUCCESS && place->tls) {
        status = orp_redis_trust_create(&trust, place->ca_file, why,
                                        check.pool);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    check.deadline = orp_store_clock() + place->timeout;
    status = orp_redis_conn_open(&check.conn, place, trust, check.deadline,
                                 &clause, check.pool);
    if (status != APR_SUCCESS) {
        status = judge_failure(&check, status, clause.text);
    }
    else {
        status = check_info(&check);
        if (status == APR_SUCCESS && !check.over) {
            status = check_trials(&check);
        }
    }
    apr_pool_destroy(check.pool);
    return status;
}
