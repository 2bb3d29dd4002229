/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_store_place.c - what an administrator may write in OpenIDStore. */

#include "support.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_io.h>

#include "orp_store_open.h"

static const orp_store_place_t *place_of(scene_t *scene, const char *text)
{
    orp_store_place_t *place = NULL;
    orp_reason_t *why = orp_reason_create(scene->pool);

    if (orp_store_place_parse(&place, text, why, scene->pool)
        != APR_SUCCESS) {
        fail_msg("%s: %s", text, why->sentence);
    }
    return place;
}

static const char *objection(scene_t *scene, const char *text)
{
    orp_store_place_t *place = NULL;
    orp_reason_t *why = orp_reason_create(scene->pool);
    apr_status_t status = orp_store_place_parse(&place, text, why,
                                                scene->pool);

    if (status != APR_EINVAL) {
        fail_msg("\"%s\" is not refused", text);
    }
    assert_null(place);
    assert_int_equal(why->status, APR_EINVAL);
    return why->sentence;
}

static void assert_server(const orp_store_place_t *place, int index,
                          const char *host, int port)
{
    const orp_place_server_t *servers = (void *)place->servers->elts;

    assert_true(index < place->servers->nelts);
    assert_text(servers[index].host, host);
    assert_int_equal(servers[index].port, port);
}

/* ---------------------------------------------------------------------- */

static void shared_memory_has_a_size(void **state)
{
    static const struct {
        const char *text;
        apr_uint64_t size;
    } cases[] = {
        { "shm", 0 },
        { "SHM", 0 },
        { "shm:1M", 1048576 },
        { "shm:1024k", 1048576 },
        { "shm:2097152", 2097152 },
        { "shm:32m", 33554432 },
        { "shm:1024G", APR_UINT64_C(1) << 40 },
    };
    scene_t *scene = *state;
    apr_size_t i;

    for (i = 0; i < COUNT(cases); i++) {
        const orp_store_place_t *place = place_of(scene, cases[i].text);

        assert_int_equal(place->type, ORP_PLACE_SHM);
        assert_true(place->size == cases[i].size);
        assert_text(place->shown, cases[i].text);
        assert_int_equal(place->servers->nelts, 0);
    }
}

static void a_dbm_has_a_path_and_perhaps_a_size(void **state)
{
    scene_t *scene = *state;
    const orp_store_place_t *place = place_of(scene, "dbm:/var/lib/x%20 y");

    assert_int_equal(place->type, ORP_PLACE_DBM);
    assert_text(place->path, "/var/lib/x%20 y");
    assert_true(place->size == 0);

    place = place_of(scene, "dbm:/var/lib/x?size=512M");
    assert_text(place->path, "/var/lib/x");
    assert_true(place->size == APR_UINT64_C(512) << 20);
    assert_text(place->shown, "dbm:/var/lib/x?size=512M");
}

static void a_redis_has_defaults(void **state)
{
    scene_t *scene = *state;
    const orp_store_place_t *place = place_of(scene, "redis://r.example");

    assert_int_equal(place->type, ORP_PLACE_REDIS);
    assert_int_equal(place->servers->nelts, 1);
    assert_server(place, 0, "r.example", 6379);
    assert_null(place->path);
    assert_int_equal(place->tls, 0);
    assert_null(place->ca_file);
    assert_null(place->user);
    assert_null(place->password);
    assert_int_equal(place->database, 0);
    assert_text(place->prefix, "openid2rp:");
    assert_true(place->timeout == 500 * 1000);
    assert_text(place->shown, "redis://r.example");
}

static void a_redis_has_it_all(void **state)
{
    scene_t *scene = *state;
    const orp_store_place_t *place = place_of(
        scene, "rediss://us%40er:p%2F%3aw:@[2001:db8::1]:6380/7"
        "?prefix=site%26one:&timeout=2s&ca=/etc/ca%20certs.pem");

    assert_server(place, 0, "2001:db8::1", 6380);
    assert_int_equal(place->tls, 1);
    assert_text(place->user, "us@er");
    assert_text(place->password, "p/:w:");
    assert_int_equal(place->database, 7);
    assert_text(place->prefix, "site&one:");
    assert_true(place->timeout == 2000 * 1000);
    assert_text(place->ca_file, "/etc/ca certs.pem");
    assert_text(place->shown, "rediss://us%40er:***@[2001:db8::1]:6380/7"
                "?prefix=site%26one:&timeout=2s&ca=/etc/ca%20certs.pem");
}

static void a_password_needs_no_user(void **state)
{
    scene_t *scene = *state;
    const orp_store_place_t *place = place_of(scene,
                                              "redis://:s@crET@127.0.0.1/");

    assert_null(place->user);
    assert_text(place->password, "s@crET");
    assert_server(place, 0, "127.0.0.1", 6379);
    assert_text(place->shown, "redis://:***@127.0.0.1/");

    /* what stands behind is none */
    place = place_of(scene, "redis://h:6379/1?prefix=a@b");
    assert_null(place->password);
    assert_text(place->shown, "redis://h:6379/1?prefix=a@b");
}

static void a_redis_can_be_a_socket(void **state)
{
    scene_t *scene = *state;
    const orp_store_place_t *place = place_of(
        scene, "redis:///run/redis/r.sock?database=3&timeout=100ms");

    assert_text(place->path, "/run/redis/r.sock");
    assert_int_equal(place->servers->nelts, 0);
    assert_int_equal(place->database, 3);
    assert_true(place->timeout == 100 * 1000);

    place = place_of(scene, "redis://u:pw@/run/r.sock");
    assert_text(place->path, "/run/r.sock");
    assert_text(place->user, "u");
    assert_text(place->password, "pw");
    assert_text(place->shown, "redis://u:***@/run/r.sock");
}

static void memcache_has_one_server_or_more(void **state)
{
    scene_t *scene = *state;
    const orp_store_place_t *place = place_of(
        scene, "memcache://a.example,10.0.0.2:11212,b-1.example?prefix=x");

    assert_int_equal(place->type, ORP_PLACE_MEMCACHE);
    assert_int_equal(place->servers->nelts, 3);
    assert_server(place, 0, "a.example", 11211);
    assert_server(place, 1, "10.0.0.2", 11212);
    assert_server(place, 2, "b-1.example", 11211);
    assert_text(place->prefix, "x");
    assert_int_equal(place_of(scene, "memcache://h/")->servers->nelts, 1);
}

static void times_have_units(void **state)
{
    static const struct {
        const char *text;
        apr_interval_time_t time;
    } cases[] = {
        { "1", 1000000 }, { "60", 60000000 }, { "10ms", 10000 },
        { "250MS", 250000 }, { "3s", 3000000 }, { "1m", 60000000 },
        { "1min", 60000000 },
    };
    scene_t *scene = *state;
    apr_size_t i;

    for (i = 0; i < COUNT(cases); i++) {
        assert_true(place_of(scene, apr_pstrcat(
            scene->pool, "redis://h?timeout=", cases[i].text, NULL))->timeout
            == cases[i].time);
    }
}

/* What is wrong, and a word of the sentence that must say so. */
static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *text;
        const char *word;
    } cases[] = {
        { "", "\"\"" }, { "disk:/tmp/x", "\"disk\"" }, { "shmem", "\"shmem\"" },
        { "redis\t://h", "control" }, { "dbm:/x\n", "control" },
        { "shm:", "size" }, { "shm:0", "size" }, { "shm:1023K", "size" },
        { "shm:-1M", "size" }, { "shm:2G2", "size" }, { "shm:M", "size" },
        { "shm:1025G", "size" }, { "shm:1M:2M", "size" },
        { "shm:18446744073709551616", "size" },
        { "dbm", "\"dbm\"" }, { "dbm:", "path" }, { "dbm:x", "path" },
        { "dbm:/var/lib/", "folder" }, { "dbm:/x?size=1", "size" },
        { "dbm:/x?", "value" }, { "dbm:/x?size", "value" },
        { "dbm:/x?size=", "size" }, { "dbm:/x?prefix=a", "prefix" },
        { "dbm:/x?size=2M&size=2M", "twice" },
        { "dbm:/x?size=%zz", "percent" }, { "dbm:/x?size=2%0aM", "percent" },
        { "redis:h", "//" }, { "redis", "//" }, { "redis:/h", "//" },
        { "redis://", "host" }, { "redis:///", "host" },
        { "redis://:6379", "host" }, { "redis://?timeout=1s", "host" },
        { "redis://@h", "user" }, { "redis://u@h", "password" },
        { "redis://u:@h", "password" }, { "redis://u:%@h", "percent" },
        { "redis://u:%00@h", "percent" },
        { "redis://h:", "port" }, { "redis://h:0", "port" },
        { "redis://h:65536", "port" }, { "redis://h:6379x", "port" },
        { "redis://h i", "host" }, { "redis://h,i", "host" },
        { "redis://::1", "host" }, { "redis://[::1", "IPv6" },
        { "redis://[::1]x", "IPv6" }, { "redis://[1.2.3.4]", "IPv6" },
        { "redis://[::1]:", "port" },
        { "redis://h/x", "database" }, { "redis://h/-1", "database" },
        { "redis://h/1/", "database" }, { "redis://h/2147483648", "database" },
        { "redis://h?database=1", "database" }, { "redis:///s/", "folder" },
        { "redis:///s?database=", "database" },
        { "rediss:///s", "TLS" }, { "redis://h?ca=/x", "ca" },
        { "rediss://h?ca=x", "path" }, { "redis://h?tls=1", "tls" },
        { "redis://h?Timeout=1s", "Timeout" },
        { "redis://h?timeout=0", "timeout" },
        { "redis://h?timeout=9ms", "timeout" },
        { "redis://h?timeout=61s", "timeout" },
        { "redis://h?timeout=1h", "timeout" },
        { "redis://h?timeout=ms", "timeout" },
        { "redis://h?timeout=1%20s", "timeout" },
        { "redis://h?prefix=", "prefix" },
        { "redis://h?prefix=a%20b", "prefix" },
        { "redis://h?prefix=\xc3\xa9", "prefix" },
        { "redis://h?&prefix=a", "value" },
        { "redis://h?password-file=pw", "path" },
        { "redis://h?password-file=/no/such/file", "/no/such/file" },
        { "redis://h?password-file=/", "folder" },
        { "redis://h?password-file=/dev/null", "not a file" },
        { "memcache:h", "//" }, { "memcache://", "host" },
        { "memcache://a,", "host" }, { "memcache://,a", "host" },
        { "memcache://u:p@h", "passwords" }, { "memcache://h/1", "path" },
        { "memcache://[::1]", "IPv4" },
        { "memcache://h?timeout=1s", "timeout" },
        { "memcache://a:1,A:1", "twice" }, { "memcache://a:1,b:x", "port" },
    };
    scene_t *scene = *state;
    apr_size_t i;

    for (i = 0; i < COUNT(cases); i++) {
        const char *sentence = objection(scene, cases[i].text);

        if (!strstr(sentence, cases[i].word)) {
            fail_msg("\"%s\": \"%s\" is not in \"%s\"", cases[i].text,
                     cases[i].word, sentence);
        }
        if (strchr(sentence, '\n') || sentence[strlen(sentence) - 1] != '.') {
            fail_msg("not a sentence: \"%s\"", sentence);
        }
    }
}

static void a_prefix_has_64_bytes_at_most(void **state)
{
    scene_t *scene = *state;
    const char *prefix = repeated("p", 64, scene->pool);

    assert_text(place_of(scene, apr_pstrcat(scene->pool, "redis://h?prefix=",
                                            prefix, NULL))->prefix, prefix);
    assert_non_null(strstr(objection(
        scene, apr_pstrcat(scene->pool, "redis://h?prefix=", prefix, "p",
                           NULL)), "prefix"));
}

static void there_are_64_servers_at_most(void **state)
{
    scene_t *scene = *state;
    const char *text = "memcache://h0";
    int i;

    for (i = 1; i < 64; i++) {
        text = apr_psprintf(scene->pool, "%s,h%d", text, i);
    }
    assert_int_equal(place_of(scene, text)->servers->nelts, 64);
    assert_non_null(strstr(objection(
        scene, apr_pstrcat(scene->pool, text, ",h64", NULL)), "64"));
}

static void no_sentence_shows_a_password(void **state)
{
    static const char *const texts[] = {
        "redis://u:hush/hush@h", "redis://u:hush?hush@h",
        "redis://u:hush#hush", "redis://:hush", "redis://u:hush",
        "redis://u:12/hush@h", "redis://u:12?hush=hush@h", "redis://u:%hush@h",
        "redis://u:hush@h:x", "redis://u:hush@", "redis://hush@h",
        "redis://u:hush@h/x", "redis://u:hush@h?timeout=x",
        "rediss://u:hush@/x", "redis:u:hush@h", "memcache://u:hush@h",
        "radish://u:hush@h", "redis://u:hush@[h", "redis://u:hush@h i",
        "redis://u:hush@h?password=hush", "redis://u:1?timeout=hush@h",
        "redis://[hush]", "u-hush@h", "memcache://h:1?prefix=hush%20@",
    };
    scene_t *scene = *state;
    apr_size_t i;

    for (i = 0; i < COUNT(texts); i++) {
        const char *sentence = objection(scene, texts[i]);

        if (strstr(sentence, "hush")) {
            fail_msg("\"%s\" is told: \"%s\"", texts[i], sentence);
        }
    }
    /* the control: where nothing can be secret, it is repeated */
    assert_non_null(strstr(objection(scene, "memcache://h:hush"), "hush"));
}

/* ---------------------------------------------------------------------- */
/* Password files */

typedef struct folder_t {
    scene_t *scene;
    const char *dir;
    const char *file;
} folder_t;

static folder_t folder_create(scene_t *scene)
{
    const char *tmp = getenv("TMPDIR");
    folder_t folder = { scene, NULL, NULL };
    char *dir = apr_pstrcat(scene->pool, tmp ? tmp : "/tmp",
                            "/orp-place-XXXXXX", NULL);

    assert_non_null(mkdtemp(dir));
    folder.dir = dir;
    folder.file = apr_pstrcat(scene->pool, dir, "/password", NULL);
    return folder;
}

static void folder_destroy(const folder_t *folder)
{
    unlink(folder->file);
    assert_int_equal(rmdir(folder->dir), 0);
}

/* Write the file. @return the place that names it */
static const char *with_file(const folder_t *folder, const char *bytes,
                             mode_t mode)
{
    FILE *file = fopen(folder->file, "w");

    assert_non_null(file);
    assert_true(fputs(bytes, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(folder->file, mode), 0);
    return apr_pstrcat(folder->scene->pool, "redis://h?password-file=",
                       folder->file, NULL);
}

static void a_password_file_has_it_in_its_first_line(void **state)
{
    static const struct {
        const char *bytes;
        const char *password;
    } cases[] = {
        { "p@ss w%20rd", "p@ss w%20rd" }, { "one\ntwo\n", "one" },
        { "one\r\n", "one" }, { " x \n", " x " },
    };
    scene_t *scene = *state;
    folder_t folder = folder_create(scene);
    apr_size_t i;

    for (i = 0; i < COUNT(cases); i++) {
        const char *text = with_file(&folder, cases[i].bytes, 0600);
        const orp_store_place_t *place = place_of(scene, text);

        assert_text(place->password, cases[i].password);
        assert_text(place->shown, text);
        assert_null(place->user);
    }
    folder_destroy(&folder);
}

static void a_password_file_may_go_with_a_user(void **state)
{
    scene_t *scene = *state;
    folder_t folder = folder_create(scene);
    const char *option;
    const orp_store_place_t *place;

    option = strchr(with_file(&folder, "hush\n", 0640), '?');
    place = place_of(scene, apr_pstrcat(scene->pool, "redis://me@h", option,
                                        NULL));
    assert_text(place->user, "me");
    assert_text(place->password, "hush");

    assert_non_null(strstr(objection(
        scene, apr_pstrcat(scene->pool, "redis://me:too@h", option, NULL)),
        "one of them"));
    folder_destroy(&folder);
}

static void a_bad_password_file_is_refused(void **state)
{
    scene_t *scene = *state;
    folder_t folder = folder_create(scene);
    const char *longest = repeated("p", 1024, scene->pool);

    assert_non_null(strstr(objection(
        scene, with_file(&folder, "hush\n", 0604)), "everybody"));
    assert_non_null(strstr(objection(
        scene, with_file(&folder, "hush\n", 0602)), "everybody"));
    assert_non_null(strstr(objection(
        scene, with_file(&folder, "", 0600)), "empty"));
    assert_non_null(strstr(objection(
        scene, with_file(&folder, "\nhush\n", 0600)), "empty"));
    assert_non_null(strstr(objection(
        scene, with_file(&folder, repeated("p", 1025, scene->pool), 0600)),
        "long"));
    assert_text(place_of(scene, with_file(&folder, longest, 0600))->password,
                longest);
    folder_destroy(&folder);
}

static void no_reason_need_be_wanted(void **state)
{
    scene_t *scene = *state;
    orp_store_place_t *place;

    assert_status(orp_store_place_parse(&place, "x", NULL, scene->pool),
                  APR_EINVAL);
}

/* ---------------------------------------------------------------------- */
/* From a place to a store */

static void each_type_is_opened_by_its_backend(void **state)
{
    static const struct {
        const char *text;
        const char *name;
    } cases[] = {
        { "redis://127.0.0.1:1", "redis" },
        { "memcache://127.0.0.1:1", "memcache" },
    };
    scene_t *scene = *state;
    apr_size_t i;

    for (i = 0; i < COUNT(cases); i++) {
        orp_store_t *store = NULL;
        orp_reason_t *why = orp_reason_create(scene->pool);
        apr_status_t status = orp_store_open(
            &store, place_of(scene, cases[i].text), &scene->env, why,
            scene->pool);

        if (status == APR_ENOTIMPL) {   /* a build without that library */
            assert_non_null(strstr(why->sentence, "compiled without"));
            continue;
        }
        assert_status(status, APR_SUCCESS);
        assert_text(store->backend->name, cases[i].name);
    }
}

static void shared_memory_is_httpds_alone(void **state)
{
    scene_t *scene = *state;
    const orp_store_place_t *place = place_of(scene, "shm:2M");
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_store_t *store = NULL;

    assert_status(orp_store_open(&store, place, &scene->env, why,
                                 scene->pool), APR_EINVAL);
    assert_null(store);
    assert_non_null(strstr(why->sentence, "httpd's memory"));
    assert_status(orp_store_check(place, &scene->env, why, scene->pool),
                  APR_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(shared_memory_has_a_size),
        scene_test(a_dbm_has_a_path_and_perhaps_a_size),
        scene_test(a_redis_has_defaults),
        scene_test(a_redis_has_it_all),
        scene_test(a_password_needs_no_user),
        scene_test(a_redis_can_be_a_socket),
        scene_test(memcache_has_one_server_or_more),
        scene_test(times_have_units),
        scene_test(what_is_wrong_is_named),
        scene_test(a_prefix_has_64_bytes_at_most),
        scene_test(there_are_64_servers_at_most),
        scene_test(no_sentence_shows_a_password),
        scene_test(a_password_file_has_it_in_its_first_line),
        scene_test(a_password_file_may_go_with_a_user),
        scene_test(a_bad_password_file_is_refused),
        scene_test(no_reason_need_be_wanted),
        scene_test(each_type_is_opened_by_its_backend),
        scene_test(shared_memory_is_httpds_alone),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("store_place", tests, NULL, NULL);
}
