/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* openid2rp - the library from the shell, for administrators and cron.
 *
 * Exit: 0; 1 where something was refused or failed, and one line on standard
 * error says why; 2 for a wrong call.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_signal.h>
#include <apr_strings.h>

#include "cli_commands.h"

#define VERSION "0.1.0"         /* that of configure.ac; t/cli.t compares */

typedef struct {
    const char *name;
    const char *usage;          /* what stands behind the name */
    const char *help;           /* what it does */
    int options;                /* of cli_option_e */
    int needed;                 /* those of them that it cannot do without */
    int least, most;            /* how many operands it must get */
    cli_command_fn *run;
    cli_check_fn *check;        /* of its operands, or NULL */
} command_t;

static const command_t commands[] = {
    { "normalize", "[--json] ID",
      "Show what an identifier is in its normalized form.",
      CLI_JSON, 0, 1, 1, cli_normalize, NULL },
    { "discover", "[--allow CIDR]... [--proxy URL] [--json]\n"
      "                          [--verbose] ID",
      "Show the providers of an identifier, in the order of use.",
      CLI_NETWORK | CLI_PROXY | CLI_JSON, 0, 1, 1, cli_discover, NULL },
    { "resolve-xri", "[--proxy URL] [--allow CIDR]... [--json]\n"
      "                             [--verbose] XRI",
      "Resolve an XRI (default proxy: " CLI_XRI_PROXY ").",
      CLI_NETWORK | CLI_PROXY | CLI_JSON, 0, 1, 1, cli_resolve_xri, NULL },
    { "associate", "[--type T] [--session S] [--allow CIDR]... [--json]\n"
      "                           [--verbose] ENDPOINT",
      "Associate with a provider; its lifetime is in seconds.",
      CLI_NETWORK | CLI_JSON | CLI_TYPE | CLI_SESSION, 0, 1, 1,
      cli_associate, NULL },
    { "realm-match", "[--json] REALM URL",
      "Say whether a realm covers a URL, such as a return_to.",
      CLI_JSON, 0, 2, 2, cli_realm_match, NULL },
    { "refresh", "--store URL [--allow CIDR]... [--json]\n"
      "                         [--verbose]",
      "Make and renew the associations that logins wait for.",
      CLI_STORE | CLI_NETWORK | CLI_JSON, CLI_STORE, 0, 0, cli_refresh,
      NULL },
    { "store", "--store URL [--json] [--verbose]\n"
      "                       stats|list|purge [KIND]",
      "Show what is in a store, or remove some of it.",
      CLI_STORE | CLI_JSON | CLI_VERBOSE, CLI_STORE, 1, 2, cli_store,
      cli_store_check },
    { "links", "[--json] FILE list|add|remove [ID [ACCOUNT]]",
      "Show or change which account an identifier belongs to.",
      CLI_JSON, 0, 2, 4, cli_links, cli_links_check },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const command_t *find_command(const char *name)
{
    apr_size_t i;

    for (i = 0; i < COMMANDS; i++) {
        if (!strcmp(commands[i].name, name)) {
            return &commands[i];
        }
    }
    return NULL;
}

/* The usage of one command, or, for NULL, of the program. */
static void print_usage(FILE *out, const command_t *command)
{
    if (command) {
        fprintf(out, "usage: openid2rp %s %s\n", command->name,
                command->usage);
    }
    else {
        fputs("usage: openid2rp COMMAND [OPTION]... ARGUMENT...\n"
              "       openid2rp help [COMMAND] | --help | --version\n", out);
    }
}

static void print_help(const command_t *command)
{
    apr_size_t i;

    print_usage(stdout, command);
    if (command) {
        printf("%s\n\n", command->help);
        cli_options_help(command->options);
        return;
    }
    puts("OpenID 2.0 from the shell.\n");
    for (i = 0; i < COMMANDS; i++) {
        printf("  %-13s%s\n", commands[i].name, commands[i].help);
    }
    puts("\nExit status: 0; 1 refused; 2 for a wrong call.");
}

static int wrong_call(const command_t *command, const char *sentence,
                      apr_pool_t *pool)
{
    cli_complain(sentence, pool);
    print_usage(stderr, command);
    return CLI_USAGE;
}

/* What is wrong with a call, or NULL. */
static const char *find_fault(const command_t *command,
                              const cli_options_t *options,
                              orp_reason_t *why, apr_pool_t *pool)
{
    int missing = command->needed & ~options->given;
    int given = options->operands->nelts;
    const char *number = command->least ? apr_itoa(pool, command->least)
        : "no";

    if (missing) {
        return apr_psprintf(pool, "The command %s needs the option --%s.",
                            command->name,
                            cli_option_name((cli_option_e)missing));
    }
    if (given < command->least || given > command->most) {
        if (command->most > command->least) {
            number = apr_psprintf(pool, "%s %s %d", number,
                                  command->most > command->least + 1
                                  ? "to" : "or", command->most);
        }
        return apr_psprintf(pool, "The command %s takes %s argument%s, and "
                            "got %d.", command->name, number,
                            command->most == 1 ? "" : "s", given);
    }
    if (command->check && command->check(options, why, pool)
        != APR_SUCCESS) {
        return why->sentence;
    }
    return NULL;
}

static int run_command(const command_t *command, const char *const *args,
                       apr_pool_t *pool)
{
    orp_reason_t *why = orp_reason_create(pool);
    cli_options_t *options;
    const char *fault;

    if (cli_options_parse(&options, args, command->options, why, pool)
        != APR_SUCCESS) {
        return wrong_call(command, why->sentence, pool);
    }
    if (options->help) {
        print_help(command);
        return CLI_OK;
    }
    fault = find_fault(command, options, why, pool);
    if (fault) {
        return wrong_call(command, fault, pool);
    }
    return command->run(options, pool);
}

static int run_help(const char *const *args, apr_pool_t *pool)
{
    const command_t *command = *args ? find_command(*args) : NULL;

    if (*args && !command) {
        return wrong_call(NULL, apr_psprintf(pool, "There is no command "
                                             "called \"%s\".", *args), pool);
    }
    print_help(command);
    return CLI_OK;
}

static int run(const char *const *args, apr_pool_t *pool)
{
    const char *name = *args;
    const command_t *command;

    if (!name) {
        return wrong_call(NULL, "A command is missing.", pool);
    }
    if (!strcmp(name, "help") || !strcmp(name, "--help")) {
        return run_help(args + 1, pool);
    }
    if (!strcmp(name, "--version")) {
        puts("openid2rp " VERSION);
        return CLI_OK;
    }
    command = find_command(name);
    if (!command) {
        return wrong_call(NULL, apr_psprintf(pool, "There is no command "
                                             "called \"%s\".", name), pool);
    }
    return run_command(command, args + 1, pool);
}

int main(int argc, const char *const *argv)
{
    apr_pool_t *pool;
    int code;

    if (apr_app_initialize(&argc, &argv, NULL) != APR_SUCCESS
        || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        fputs("openid2rp: APR cannot be initialised.\n", stderr);
        return CLI_REFUSED;
    }
    atexit(apr_terminate);
    /* a server or a reader that hangs up is an error like others */
    apr_signal(SIGPIPE, SIG_IGN);
    code = run(argc ? argv + 1 : argv, pool);
    if (fflush(stdout) || ferror(stdout)) {
        cli_complain("The output cannot be written.", pool);
        return CLI_REFUSED;
    }
    return code;
}
