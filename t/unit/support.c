/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "support.h"

#include "orp_codec.h"

/* One line of the script: answers once, or, with a function, always. */
typedef struct scripted_t {
    const char *method;
    const char *url;
    apr_status_t status;            /* of the exchange */
    orp_http_response_t *response;
    scene_answer_fn *answer;
    void *baton;
    int used;
} scripted_t;

/* One record of the store. */
typedef struct record_t {
    orp_store_kind_e kind;
    const char *key;
    const char *value;
    apr_size_t size;
    apr_time_t expires;             /* 0: removed */
} record_t;

/* ---------------------------------------------------------------------- */
/* Other servers */

static scripted_t *add_line(scene_t *scene, const char *method,
                            const char *url)
{
    scripted_t *line = apr_pcalloc(scene->pool, sizeof(*line));

    line->method = method;
    line->url = apr_pstrdup(scene->pool, url);
    APR_ARRAY_PUSH(scene->script, scripted_t *) = line;
    return line;
}

static orp_http_response_t *empty_response(apr_pool_t *pool)
{
    orp_http_response_t *response = apr_pcalloc(pool, sizeof(*response));

    response->status = 200;
    response->content_type = "";
    response->body = "";
    return response;
}

orp_http_response_t *scene_reply(scene_t *scene, const char *method,
                                 const char *url, int status,
                                 const char *type, const char *body)
{
    scripted_t *line = add_line(scene, method, url);

    line->response = empty_response(scene->pool);
    line->response->status = status;
    line->response->content_type = apr_pstrdup(scene->pool, type);
    line->response->body = apr_pstrdup(scene->pool, body);
    line->response->size = strlen(body);
    return line->response;
}

orp_http_response_t *scene_page(scene_t *scene, const char *url,
                                const char *type, const char *body)
{
    return scene_reply(scene, "GET", url, 200, type, body);
}

void scene_redirect(scene_t *scene, const char *url, int status,
                    const char *location)
{
    orp_http_response_t *response = scene_reply(scene, "GET", url, status,
                                                "text/html", "moved");

    response->location = apr_pstrdup(scene->pool, location);
}

void scene_no_reply(scene_t *scene, const char *method, const char *url,
                    apr_status_t status)
{
    add_line(scene, method, url)->status = status;
}

void scene_answer(scene_t *scene, const char *method, const char *url,
                  scene_answer_fn *answer, void *baton)
{
    scripted_t *line = add_line(scene, method, url);

    line->answer = answer;
    line->baton = baton;
}

static scripted_t *find_line(const scene_t *scene, const sent_t *request)
{
    int i;

    for (i = 0; i < scene->script->nelts; i++) {
        scripted_t *line = APR_ARRAY_IDX(scene->script, i, scripted_t *);

        if ((line->answer || !line->used)
            && !strcmp(line->method, request->method)
            && !strcmp(line->url, request->url)) {
            return line;
        }
    }
    return NULL;
}

static sent_t *record_request(scene_t *scene,
                              const orp_http_request_t *request)
{
    sent_t *sent = apr_pcalloc(scene->pool, sizeof(*sent));

    sent->method = request->form ? "POST" : "GET";
    sent->url = apr_pstrdup(scene->pool, request->url);
    sent->accept = apr_pstrdup(scene->pool, request->accept);
    sent->form = apr_pstrdup(scene->pool, request->form);
    sent->deadline = request->deadline;
    sent->when = scene->now;
    APR_ARRAY_PUSH(scene->sent, sent_t *) = sent;
    return sent;
}

/* The client's slot: see orp_http.h. The response is the caller's own copy,
 * as a real client's would be. */
static apr_status_t exchange(orp_http_response_t **presp,
                             const orp_http_client_t *client,
                             const orp_http_request_t *request,
                             orp_reason_t *why, apr_pool_t *pool)
{
    scene_t *scene = (scene_t *)((char *)client - offsetof(scene_t, http));
    sent_t *sent = record_request(scene, request);
    scripted_t *line = find_line(scene, sent);
    orp_http_response_t *response = empty_response(pool);
    apr_status_t status;

    if (!line) {
        scene->unforeseen++;
        print_error("no script foresees: %s %s\n", sent->method, sent->url);
        return orp_reason_set(why, ORP_ECONNECT, sent->url,
                              "No script foresees %s.", sent->url);
    }
    line->used = 1;
    if (line->answer) {
        status = line->answer(scene, sent, response, line->baton);
    }
    else {
        status = line->status;
    }
    if (status != APR_SUCCESS) {
        return orp_reason_set(why, status, sent->url,
                              "The script has %s fail.", sent->url);
    }
    if (line->response) {
        *response = *line->response;
    }
    response->url = NULL;       /* for the fetch to set */
    *presp = response;
    return APR_SUCCESS;
}

int scene_requests(const scene_t *scene)
{
    return scene->sent->nelts;
}

const sent_t *scene_request(const scene_t *scene, int index)
{
    assert_in_range(index, 0, scene->sent->nelts - 1);
    return APR_ARRAY_IDX(scene->sent, index, const sent_t *);
}

int scene_unused(const scene_t *scene)
{
    int i, unused = 0;

    for (i = 0; i < scene->script->nelts; i++) {
        const scripted_t *line = APR_ARRAY_IDX(scene->script, i,
                                               const scripted_t *);

        unused += !line->answer && !line->used;
    }
    return unused;
}

/* ---------------------------------------------------------------------- */
/* Clock, chance, log */

static apr_time_t now(void *baton)
{
    const scene_t *scene = baton;

    return scene->now;
}

void scene_turn_clock(scene_t *scene, apr_interval_time_t by)
{
    scene->now += by;
}

/* A linear congruential generator (Knuth's MMIX): its high bits will do. */
static unsigned char random_byte(scene_t *scene)
{
    if (scene->random_left > 0) {
        scene->random_left--;
        return *scene->random_next++;
    }
    scene->random_state = scene->random_state
        * APR_UINT64_C(6364136223846793005)
        + APR_UINT64_C(1442695040888963407);
    return (unsigned char)(scene->random_state >> 56);
}

static apr_status_t random_bytes(void *baton, unsigned char *buf,
                                 apr_size_t size)
{
    scene_t *scene = baton;

    if (scene->random_status != APR_SUCCESS) {
        return scene->random_status;
    }
    while (size--) {
        *buf++ = random_byte(scene);
    }
    return APR_SUCCESS;
}

void scene_next_random(scene_t *scene, const void *bytes, apr_size_t size)
{
    scene->random_next = apr_pmemdup(scene->pool, bytes, size);
    scene->random_left = size;
}

static void take_line(void *baton, orp_log_level_e level, int number,
                      const char *line)
{
    scene_t *scene = baton;
    logged_t *logged = apr_palloc(scene->pool, sizeof(*logged));

    logged->level = level;
    logged->number = number;
    logged->line = apr_pstrdup(scene->pool, line);
    APR_ARRAY_PUSH(scene->log, logged_t *) = logged;
}

int scene_logged(const scene_t *scene, int number)
{
    int i, count = 0;

    for (i = 0; i < scene->log->nelts; i++) {
        count += APR_ARRAY_IDX(scene->log, i, logged_t *)->number == number;
    }
    return count;
}

int scene_log_contains(const scene_t *scene, const char *text)
{
    int i;

    for (i = 0; i < scene->log->nelts; i++) {
        if (strstr(APR_ARRAY_IDX(scene->log, i, logged_t *)->line, text)) {
            return 1;
        }
    }
    return 0;
}

/* ---------------------------------------------------------------------- */
/* The store: a list of records in the scene's pool. One thread only. */

static record_t *find_record(const scene_t *scene, orp_store_kind_e kind,
                             const char *key, apr_time_t time)
{
    int i;

    for (i = 0; i < scene->records->nelts; i++) {
        record_t *record = APR_ARRAY_IDX(scene->records, i, record_t *);

        if (record->kind == kind && record->expires > time
            && !strcmp(record->key, key)) {
            return record;
        }
    }
    return NULL;
}

static apr_status_t store_put(void *baton, orp_store_kind_e kind,
                              const char *key, const void *value,
                              apr_size_t size, apr_time_t expires,
                              apr_time_t time)
{
    scene_t *scene = baton;
    record_t *record = find_record(scene, kind, key, time);

    scene->store_calls++;
    if (scene->store_status[kind] != APR_SUCCESS) {
        return scene->store_status[kind];
    }
    if (!record) {
        record = apr_pcalloc(scene->pool, sizeof(*record));
        APR_ARRAY_PUSH(scene->records, record_t *) = record;
    }
    record->kind = kind;
    record->key = apr_pstrdup(scene->pool, key);
    record->value = apr_pstrmemdup(scene->pool, value, size);
    record->size = size;
    record->expires = expires;
    return APR_SUCCESS;
}

/* What reading, taking and removing return while the store is told to fail:
 * a full store can do all three. */
static apr_status_t reading_status(scene_t *scene, orp_store_kind_e kind)
{
    scene->store_calls++;
    return scene->store_status[kind] == ORP_EFULL
        ? APR_SUCCESS : scene->store_status[kind];
}

static apr_status_t store_get(const char **pvalue, apr_size_t *psize,
                              void *baton, orp_store_kind_e kind,
                              const char *key, apr_time_t time,
                              apr_pool_t *pool)
{
    scene_t *scene = baton;
    const record_t *record = find_record(scene, kind, key, time);
    apr_status_t status = reading_status(scene, kind);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (!record) {
        return ORP_ENOTFOUND;
    }
    *pvalue = apr_pstrmemdup(pool, record->value, record->size);
    *psize = record->size;
    return APR_SUCCESS;
}

static apr_status_t store_claim(void *baton, orp_store_kind_e kind,
                                const char *key, apr_time_t expires,
                                apr_time_t time)
{
    const scene_t *scene = baton;
    apr_status_t status = scene->store_status[kind];

    if ((status == APR_SUCCESS || status == ORP_EFULL)
        && find_record(scene, kind, key, time)) {
        return ORP_EEXISTS;
    }
    return store_put(baton, kind, key, "", 0, expires, time);
}

static apr_status_t store_take(const char **pvalue, apr_size_t *psize,
                               void *baton, orp_store_kind_e kind,
                               const char *key, apr_time_t time,
                               apr_pool_t *pool)
{
    apr_status_t status = store_get(pvalue, psize, baton, kind, key, time,
                                    pool);

    if (status == APR_SUCCESS) {
        find_record(baton, kind, key, time)->expires = 0;
    }
    return status;
}

static apr_status_t store_touch(void *baton, orp_store_kind_e kind,
                                const char *key, apr_time_t expires,
                                apr_time_t time)
{
    record_t *record = find_record(baton, kind, key, time);
    apr_status_t status = reading_status(baton, kind);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (!record) {
        return ORP_ENOTFOUND;
    }
    record->expires = expires;
    return APR_SUCCESS;
}

static apr_status_t store_remove(void *baton, orp_store_kind_e kind,
                                 const char *key)
{
    scene_t *scene = baton;
    record_t *record = find_record(scene, kind, key, 0);
    apr_status_t status = reading_status(scene, kind);

    while (status == APR_SUCCESS && record) {
        record->expires = 0;
        record = find_record(scene, kind, key, 0);
    }
    return status;
}

static apr_status_t store_sweep(void *baton, apr_time_t time)
{
    scene_t *scene = baton;
    int i;

    for (i = 0; i < scene->records->nelts; i++) {
        record_t *record = APR_ARRAY_IDX(scene->records, i, record_t *);

        if (record->expires <= time) {
            record->expires = 0;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t store_stats(orp_store_stats_t *stats, void *baton,
                                orp_store_kind_e kind, apr_time_t time)
{
    const scene_t *scene = baton;
    int i;

    memset(stats, 0, sizeof(*stats));
    for (i = 0; i < scene->records->nelts; i++) {
        const record_t *record = APR_ARRAY_IDX(scene->records, i,
                                               const record_t *);

        if (record->kind == kind && record->expires > time) {
            stats->live++;
            stats->used += strlen(record->key) + record->size;
        }
    }
    return APR_SUCCESS;
}

static const orp_store_backend_t memory = {
    .name = "memory",
    .put = store_put,
    .get = store_get,
    .claim = store_claim,
    .take = store_take,
    .touch = store_touch,
    .remove = store_remove,
    .sweep = store_sweep,
    .stats = store_stats,
};

void scene_store_fails(scene_t *scene, orp_store_kind_e kind,
                       apr_status_t status)
{
    int i;

    for (i = 0; i < ORP_STORE_KINDS; i++) {
        if (kind == ORP_STORE_KINDS || (int)kind == i) {
            scene->store_status[i] = status;
        }
    }
}

int scene_stored(const scene_t *scene, orp_store_kind_e kind)
{
    int i, count = 0;

    for (i = 0; i < scene->records->nelts; i++) {
        const record_t *record = APR_ARRAY_IDX(scene->records, i,
                                               const record_t *);

        count += record->kind == kind && record->expires > scene->now
            && strncmp(record->key, "question ", 9)
            && strncmp(record->key, "asking ", 7);
    }
    return count;
}

/* ---------------------------------------------------------------------- */
/* Beginning and end */

int scene_setup(void **state)
{
    apr_pool_t *pool;
    scene_t *scene;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return -1;
    }
    scene = apr_pcalloc(pool, sizeof(*scene));
    scene->pool = pool;
    scene->now = SCENE_TIME;
    scene->http.exchange = exchange;
    scene->http.timeout = SCENE_TIMEOUT;
    scene->store.backend = &memory;
    scene->store.baton = scene;
    scene->env.http = &scene->http;
    scene->env.store = &scene->store;
    scene->env.now = now;
    scene->env.random = random_bytes;
    scene->env.log = take_line;
    scene->env.baton = scene;
    scene->script = apr_array_make(pool, 8, sizeof(scripted_t *));
    scene->sent = apr_array_make(pool, 8, sizeof(sent_t *));
    scene->log = apr_array_make(pool, 8, sizeof(logged_t *));
    scene->records = apr_array_make(pool, 8, sizeof(record_t *));
    *state = scene;
    return 0;
}

int scene_teardown(void **state)
{
    scene_t *scene = *state;
    int unforeseen = scene->unforeseen;

    apr_pool_destroy(scene->pool);
    return unforeseen ? -1 : 0;
}

/* ---------------------------------------------------------------------- */
/* Small things */

orp_params_t *params_of(apr_pool_t *pool, ...)
{
    orp_params_t *params = orp_params_create(pool);
    const char *name;
    va_list args;

    va_start(args, pool);
    while ((name = va_arg(args, const char *)) != NULL) {
        orp_params_add(params, name, va_arg(args, const char *));
    }
    va_end(args);
    return params;
}

unsigned char *unhex(apr_size_t *psize, const char *hex, apr_pool_t *pool)
{
    unsigned char *bytes = apr_palloc(pool, strlen(hex) / 2 + 1);
    apr_size_t size = 0;

    for (; hex[0] && hex[1]; hex += 2) {
        bytes[size++] = (unsigned char)(orp_hex_digit(hex[0]) << 4
                                        | orp_hex_digit(hex[1]));
    }
    *psize = size;
    return bytes;
}

const char *repeated(const char *text, int count, apr_pool_t *pool)
{
    apr_size_t size = strlen(text);
    char *out = apr_palloc(pool, size * (apr_size_t)count + 1);
    int i;

    for (i = 0; i < count; i++) {
        memcpy(out + (apr_size_t)i * size, text, size);
    }
    out[size * (apr_size_t)count] = '\0';
    return out;
}

void assert_status_at(apr_status_t actual, apr_status_t expected,
                      const char *file, int line)
{
    if (actual != expected) {
        print_error("status %d (%s), where %d (%s) was expected\n", actual,
                    orp_status_code(actual), expected,
                    orp_status_code(expected));
        _fail(file, line);
    }
}

void assert_text_at(const char *actual, const char *expected,
                    const char *file, int line)
{
    if (!actual || !expected ? actual != expected
        : strcmp(actual, expected) != 0) {
        print_error("\"%s\", where \"%s\" was expected\n",
                    actual ? actual : "(null)",
                    expected ? expected : "(null)");
        _fail(file, line);
    }
}
