/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "cli_commands.h"

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "orp_json.h"
#include "orp_links.h"

/* One call. */
typedef struct {
    const cli_options_t *options;
    const char *place;          /* "txt:PATH" or "dbm:PATH" */
    const char *identifier;     /* or NULL */
    const char *account;        /* or NULL */
    orp_reason_t *why;
    apr_pool_t *pool;
} call_t;

typedef struct {
    const char *name;
    int least, most;            /* how many operands may follow it */
    const char *operands;       /* what they are */
    apr_status_t (*run)(const call_t *call);
} action_t;

/* The index-th operand, or NULL. */
static const char *operand(const cli_options_t *options, int index)
{
    return index < options->operands->nelts
        ? APR_ARRAY_IDX(options->operands, index, const char *) : NULL;
}

/* ---------------------------------------------------------------------- */
/* list */

static void print_link(const call_t *call, const orp_link_t *link, int first,
                       apr_pool_t *pool)
{
    apr_array_header_t *members;

    if (!(call->options->given & CLI_JSON)) {
        printf("%s %s\n", cli_printable(link->identifier, pool),
               cli_printable(link->account, pool));
        return;
    }
    members = apr_array_make(pool, 2, sizeof(const char *));
    orp_json_member(members, "identifier",
                    orp_json_string(link->identifier, pool), pool);
    orp_json_member(members, "account", orp_json_string(link->account, pool),
                    pool);
    printf("%s%s", first ? "[" : ", ",
           cli_printable(orp_json_object(members, pool), pool));
}

static apr_status_t print_links(const call_t *call,
                                const apr_array_header_t *list)
{
    apr_pool_t *scratch;
    apr_status_t status = apr_pool_create(&scratch, call->pool);
    int i;

    for (i = 0; status == APR_SUCCESS && i < list->nelts; i++) {
        print_link(call, &APR_ARRAY_IDX(list, i, orp_link_t), i == 0,
                   scratch);
        apr_pool_clear(scratch);
    }
    if (status == APR_SUCCESS && (call->options->given & CLI_JSON)) {
        puts(list->nelts > 0 ? "]" : "[]");
    }
    return status;
}

static apr_status_t warn(const call_t *call, const orp_links_t *links)
{
    apr_array_header_t *mistakes;
    apr_status_t status = orp_links_check(&mistakes, links, call->pool);
    int i;

    for (i = 0; status == APR_SUCCESS && i < mistakes->nelts; i++) {
        cli_complain(apr_pstrcat(call->pool, "warning: ", call->place + 4,
                                 ": ", APR_ARRAY_IDX(mistakes, i,
                                                     const char *), NULL),
                     call->pool);
    }
    return status;
}

/* The links that were asked for. */
static apr_status_t find_links(apr_array_header_t **plist, const call_t *call,
                               const orp_links_t *links)
{
    apr_array_header_t *list;
    orp_link_t link;
    apr_status_t status;

    if (!call->identifier) {
        return orp_links_list(plist, links, call->pool);
    }
    status = orp_links_identifier(&link.identifier, call->identifier,
                                  call->why, call->pool);
    if (status == APR_SUCCESS) {
        status = orp_links_find(&link.account, links, link.identifier,
                                call->pool);
        if (status == ORP_ENOTFOUND) {
            return orp_reason_set(call->why, status, link.identifier,
                                  "%s is not linked to an account.",
                                  link.identifier);
        }
    }
    if (status == APR_SUCCESS) {
        list = apr_array_make(call->pool, 1, sizeof(orp_link_t));
        APR_ARRAY_PUSH(list, orp_link_t) = link;
        *plist = list;
    }
    return status;
}

static apr_status_t list_links(const call_t *call)
{
    apr_array_header_t *list;
    orp_links_t *links;
    apr_status_t status = orp_links_open(&links, call->place, call->why,
                                         call->pool);

    if (status == APR_SUCCESS) {
        status = warn(call, links);
    }
    if (status == APR_SUCCESS) {
        status = find_links(&list, call, links);
    }
    return status == APR_SUCCESS ? print_links(call, list) : status;
}

/* ---------------------------------------------------------------------- */

static apr_status_t add_link(const call_t *call)
{
    return orp_links_add(call->place, call->identifier, call->account,
                         call->why, call->pool);
}

static apr_status_t remove_link(const call_t *call)
{
    return orp_links_remove(call->place, call->identifier, call->account,
                            call->why, call->pool);
}

static const action_t actions[] = {
    { "list", 0, 1, "an ID or nothing", list_links },
    { "add", 2, 2, "an ID and an ACCOUNT", add_link },
    { "remove", 1, 2, "an ID, and perhaps an ACCOUNT", remove_link },
};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

/* FILE, as the library has it. */
static const char *find_place(const cli_options_t *options, apr_pool_t *pool)
{
    const char *file = APR_ARRAY_IDX(options->operands, 0, const char *);

    return !strncmp(file, "txt:", 4) || !strncmp(file, "dbm:", 4)
        ? file : apr_pstrcat(pool, "txt:", file, NULL);
}

static const action_t *find_action(const char *name)
{
    apr_size_t i;

    for (i = 0; name && i < ACTIONS; i++) {
        if (!strcmp(actions[i].name, name)) {
            return &actions[i];
        }
    }
    return NULL;
}

apr_status_t cli_links_check(const cli_options_t *options, orp_reason_t *why,
                             apr_pool_t *pool)
{
    const char *file = APR_ARRAY_IDX(options->operands, 0, const char *);
    const char *name = APR_ARRAY_IDX(options->operands, 1, const char *);
    const action_t *action = find_action(name);
    int more = options->operands->nelts - 2;

    (void)pool;
    if (!action) {
        return orp_reason_set(why, APR_EINVAL, name,
                              "\"%s\" cannot be done to links; list, add and "
                              "remove can.", name);
    }
    if (more < action->least || more > action->most) {
        return orp_reason_set(why, APR_EINVAL, name, "%s takes %s.", name,
                              action->operands);
    }
    if (!*file) {
        return orp_reason_set(why, APR_EINVAL, file,
                              "The name of the file is empty.");
    }
    if (!strncmp(file, "dbd:", 4)) {
        return orp_reason_set(why, APR_EINVAL, file,
                              "Links in a database are changed by its own "
                              "means; here, FILE is PATH, txt:PATH or "
                              "dbm:PATH.");
    }
    return APR_SUCCESS;
}

int cli_links(const cli_options_t *options, apr_pool_t *pool)
{
    const action_t *action = find_action(operand(options, 1));
    call_t call = { options, find_place(options, pool), operand(options, 2),
                    operand(options, 3), orp_reason_create(pool), pool };
    apr_status_t status;

    /* Without, cli_links_check() has refused the call. */
    status = action ? action->run(&call) : APR_EINVAL;
    return status == APR_SUCCESS ? CLI_OK
        : cli_refuse(status, call.why, pool);
}
