/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <apr_strings.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "support_server.h"

#define PATIENCE apr_time_from_sec(10)
#define GLANCE 10000                    /* microseconds between two looks */

typedef struct hosted_t {
    test_server_t server;       /* first: this is what the test holds */
    apr_pool_t *pool;
    pid_t owner;                /* who started it and is to end it */
    const char *program;
    const char *socket;         /* redis: where it is asked; else NULL */
    const char *args;           /* as given, or "" */
} hosted_t;

/* ---------------------------------------------------------------------- */
/* Folders and ports */

static const char *new_folder(apr_pool_t *pool)
{
    const char *parent = getenv("TMPDIR");
    char *dir;

    /* the path of a socket has room for 107 bytes */
    if (!parent || !*parent || strlen(parent) > 60) {
        parent = "/tmp";
    }
    dir = apr_pstrcat(pool, parent, "/openid2rp-server.XXXXXX", NULL);
    if (!mkdtemp(dir)) {
        fail_msg("cannot make a folder in %s: %s", parent, strerror(errno));
    }
    return dir;
}

static void remove_folder(const char *dir, apr_pool_t *pool)
{
    DIR *list = opendir(dir);
    struct dirent *entry;

    while (list && (entry = readdir(list)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0
            && strcmp(entry->d_name, "..") != 0) {
            unlink(apr_pstrcat(pool, dir, "/", entry->d_name, NULL));
        }
    }
    if (list) {
        closedir(list);
    }
    rmdir(dir);
}

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address;

    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((unsigned short)port);
    return address;
}

static int free_port(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* ---------------------------------------------------------------------- */
/* Programs */

static const char *find_program(const char *name, apr_pool_t *pool)
{
    const char *path = getenv("PATH");
    char *dir, *state;

    for (dir = apr_strtok(apr_pstrcat(pool, path ? path : "",
                                      ":/usr/local/bin:/usr/bin:/usr/sbin",
                                      NULL), ":", &state);
         dir; dir = apr_strtok(NULL, ":", &state)) {
        const char *file = apr_pstrcat(pool, dir, "/", name, NULL);

        if (access(file, X_OK) == 0) {
            return file;
        }
    }
    return NULL;
}

static void add_words(apr_array_header_t *argv, const char *words,
                      const hosted_t *hosted)
{
    char *copy = apr_pstrdup(hosted->pool, words);
    char *word, *state;

    for (word = apr_strtok(copy, " ", &state); word;
         word = apr_strtok(NULL, " ", &state)) {
        APR_ARRAY_PUSH(argv, const char *) = strcmp(word, "@PORT@") == 0
            ? apr_itoa(hosted->pool, hosted->server.port) : word;
    }
}

/* Its options; the test's own come last, so that they count. */
static char **arguments(const hosted_t *hosted)
{
    apr_array_header_t *argv = apr_array_make(hosted->pool, 30,
                                              sizeof(const char *));

    APR_ARRAY_PUSH(argv, const char *) = hosted->program;
    if (hosted->socket) {
        add_words(argv, "--bind 127.0.0.1 --port @PORT@ --appendonly no "
                  "--daemonize no --loglevel notice --unixsocketperm 700 "
                  "--save", hosted);
        APR_ARRAY_PUSH(argv, const char *) = "";
        APR_ARRAY_PUSH(argv, const char *) = "--dir";
        APR_ARRAY_PUSH(argv, const char *) = hosted->server.dir;
        APR_ARRAY_PUSH(argv, const char *) = "--unixsocket";
        APR_ARRAY_PUSH(argv, const char *) = hosted->socket;
    }
    else {
        add_words(argv, "-l 127.0.0.1 -U 0 -t 2 -p @PORT@", hosted);
        if (geteuid() == 0) {
            /* It must be told whom root becomes, and loses the signal that
             * it gets when its parent dies if that is anybody else. */
            add_words(argv, "-u root", hosted);
        }
    }
    add_words(argv, hosted->args, hosted);
    APR_ARRAY_PUSH(argv, const char *) = NULL;
    return (char **)argv->elts;
}

/* In the child: nothing that allocates. */
static void become_the_server(const hosted_t *hosted, char **argv,
                              const char *log)
{
    sigset_t none;
    int fd;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != hosted->owner) {
        _exit(126);             /* the parent died before that */
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (fd = 0; fd < 1024; fd++) {
        close(fd);
    }
    if (open("/dev/null", O_RDONLY) != 0
        || open(log, O_WRONLY | O_CREAT | O_APPEND, 0600) != 1
        || dup(1) != 2) {
        _exit(126);
    }
    execv(hosted->program, argv);
    _exit(127);
}

static void launch(hosted_t *hosted)
{
    const char *log = apr_pstrcat(hosted->pool, hosted->server.dir, "/log",
                                  NULL);
    char **argv = arguments(hosted);
    pid_t pid = fork();

    if (pid == 0) {
        become_the_server(hosted, argv, log);
    }
    assert_true(pid > 0);
    hosted->server.pid = (int)pid;
}

/* Whether it is still there; if not, it is reaped. */
static int still_runs(hosted_t *hosted)
{
    if (hosted->server.pid
        && waitpid(hosted->server.pid, NULL, WNOHANG) != 0) {
        hosted->server.pid = 0;
    }
    return hosted->server.pid != 0;
}

/* ---------------------------------------------------------------------- */
/* Does it answer? */

static int dial(const hosted_t *hosted)
{
    struct timeval second = { 1, 0 };
    struct sockaddr_in tcp = loopback(hosted->server.port);
    struct sockaddr_un local;
    int fd = socket(hosted->socket ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
    int failed;

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
    if (hosted->socket) {
        memset(&local, 0, sizeof(local));
        local.sun_family = AF_UNIX;
        apr_cpystrn(local.sun_path, hosted->socket, sizeof(local.sun_path));
        failed = connect(fd, (struct sockaddr *)&local, sizeof(local));
    }
    else {
        failed = connect(fd, (struct sockaddr *)&tcp, sizeof(tcp));
    }
    if (failed) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A redis is asked at its socket, where no other can answer, and which it
 * opens after its port. One that wants a password has answered too. A
 * memcached is asked who it is. */
static int answers(const hosted_t *hosted)
{
    const char *question = hosted->socket ? "PING\r\n" : "stats\r\n";
    char me[40], text[256];
    ssize_t got = -1;
    int fd = dial(hosted);

    if (fd < 0) {
        return 0;
    }
    if (send(fd, question, strlen(question), MSG_NOSIGNAL) > 0) {
        got = recv(fd, text, sizeof(text) - 1, 0);
    }
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    if (hosted->socket) {
        return strncmp(text, "+PONG", 5) == 0
            || strncmp(text, "-NOAUTH", 7) == 0;
    }
    apr_snprintf(me, sizeof(me), "STAT pid %d\r\n", hosted->server.pid);
    return strncmp(text, me, strlen(me)) == 0;
}

/* Start it and wait. @return 0 where it ended, such as for a port that
 * somebody else has by now */
static int start(hosted_t *hosted)
{
    apr_time_t until = apr_time_now() + PATIENCE;

    launch(hosted);
    while (still_runs(hosted)) {
        if (answers(hosted)) {
            return 1;
        }
        if (apr_time_now() > until) {
            test_server_stop(&hosted->server, SIGKILL);
        }
        usleep(GLANCE);
    }
    return 0;
}

static void fail_with_log(hosted_t *hosted)
{
    char text[2000];
    FILE *log = fopen(apr_pstrcat(hosted->pool, hosted->server.dir, "/log",
                                  NULL), "r");
    size_t size = 0;

    if (log) {
        size = fread(text, 1, sizeof(text) - 1, log);
        fclose(log);
    }
    text[size] = '\0';
    fail_msg("%s %s does not start: %s", hosted->program, hosted->args, text);
}

/* ---------------------------------------------------------------------- */
/* For the tests */

static apr_status_t end(void *baton)
{
    hosted_t *hosted = baton;

    if (hosted->owner == getpid()) {
        test_server_stop(&hosted->server, SIGKILL);
        remove_folder(hosted->server.dir, hosted->pool);
    }
    return APR_SUCCESS;
}

static test_server_t *host(const char *program, const char *args,
                           int has_socket, apr_pool_t *pool)
{
    hosted_t *hosted = apr_pcalloc(pool, sizeof(*hosted));
    int tries;

    hosted->pool = pool;
    hosted->owner = getpid();
    hosted->program = program;
    hosted->args = args ? args : "";
    hosted->server.dir = new_folder(pool);
    if (has_socket) {
        hosted->socket = apr_pstrcat(pool, hosted->server.dir, "/redis.sock",
                                     NULL);
    }
    apr_pool_cleanup_register(pool, hosted, end, apr_pool_cleanup_null);
    for (tries = 0; tries < 3; tries++) {
        hosted->server.port = free_port();
        if (start(hosted)) {
            return &hosted->server;
        }
    }
    fail_with_log(hosted);
    return NULL;
}

test_server_t *test_redis(const char *args, apr_pool_t *pool)
{
    const char *program = find_program("redis-server", pool);

    if (!program) {
        program = find_program("valkey-server", pool);
    }
    if (!program) {
        fail_msg("redis-server was not found: install redis-server (Debian, "
                 "Ubuntu) or valkey-compat-redis (Fedora)");
    }
    return host(program, args, 1, pool);
}

test_server_t *test_memcached(const char *args, apr_pool_t *pool)
{
    const char *program = find_program("memcached", pool);

    if (!program) {
        fail_msg("memcached was not found: install memcached");
    }
    return host(program, args, 0, pool);
}

void test_server_stop(test_server_t *server, int signal)
{
    hosted_t *hosted = (hosted_t *)server;
    apr_time_t until = apr_time_now() + PATIENCE;

    assert_int_equal(hosted->owner, getpid());
    if (!still_runs(hosted)) {
        return;
    }
    kill(server->pid, signal);
    kill(server->pid, SIGCONT);         /* or it would never see SIGTERM */
    while (still_runs(hosted)) {
        if (apr_time_now() > until) {
            kill(server->pid, SIGKILL);
        }
        usleep(GLANCE / 10);
    }
}

void test_server_restart(test_server_t *server)
{
    hosted_t *hosted = (hosted_t *)server;
    apr_time_t until = apr_time_now() + PATIENCE;

    test_server_stop(server, SIGTERM);
    while (!start(hosted)) {
        if (apr_time_now() > until) {
            fail_with_log(hosted);
        }
        usleep(10 * GLANCE);
    }
}

void test_server_pause(test_server_t *server)
{
    assert_true(server->pid > 0);
    assert_int_equal(kill(server->pid, SIGSTOP), 0);
    /* all its threads stand still only then */
    assert_int_equal(waitpid(server->pid, NULL, WUNTRACED), server->pid);
}

void test_server_resume(test_server_t *server)
{
    assert_true(server->pid > 0);
    assert_int_equal(kill(server->pid, SIGCONT), 0);
}
