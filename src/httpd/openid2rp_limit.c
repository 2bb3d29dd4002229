/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_limit.h"

#include <time.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <apr_shm.h>
#include <apr_strings.h>

#include "openid2rp_runtime.h"
#include "orp_crypto.h"
#include "orp_rate.h"

/* 512K: 65536 clients who have not got all their starts back */
#define BUCKETS 16384
#define WORDS (BUCKETS * ORP_RATE_WAYS)

/* Totals that there is room for at least: one for each virtual host that has
 * a total of its own. */
#define TOTALS_MIN 64

/* What outlives a restart; another layout of the segment needs another key. */
#define RETAINED_KEY "mod_openid2rp:limit:2"

/* What is refused is counted, and little of it has a line in the log. */
static const orp_rate_rule_t log_lines = { 60, 60 * APR_USEC_PER_SEC };

typedef struct {
    apr_uint64_t id;            /* whose; the parent alone looks at it */
    orp_rate_word_t word;
} total_t;

typedef struct {
    unsigned char key[32];      /* of the hashes: no client can know which
                                 * others share its bucket */
    apr_time_t born;
    orp_rate_word_t lines;
    _Atomic apr_uint64_t unsaid;    /* refused without a line */
    orp_rate_word_t host_lines;     /* the same, of other hosts' names */
    _Atomic apr_uint64_t host_unsaid;
    orp_rate_word_t clients[WORDS];
    total_t totals[];
} segment_t;

typedef struct {
    apr_shm_t *shm;
    apr_size_t totals;
} retained_t;

struct openid2rp_limit_t {
    segment_t *segment;
    const orp_rate_rule_t *client;
    const orp_rate_rule_t *server;
    apr_uint64_t client_id;
    apr_uint64_t server_id;
    orp_rate_word_t *total;
};

/* A clock that nobody sets. */
static apr_time_t uptime(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_from_sec((apr_time_t)now.tv_sec) + now.tv_nsec / 1000;
}

static apr_status_t hash(apr_uint64_t *phash, const segment_t *segment,
                         const void *bytes, apr_size_t size)
{
    unsigned char digest[ORP_HASH_MAX];
    apr_status_t status = orp_hmac(digest, ORP_SHA256, segment->key,
                                   sizeof(segment->key), bytes, size);

    if (status == APR_SUCCESS) {
        memcpy(phash, digest, sizeof(*phash));
    }
    return status;
}

/* ---------------------------------------------------------------------- */
/* Start */

static apr_status_t make_segment(retained_t *kept, apr_size_t totals,
                                 server_rec *s)
{
    apr_size_t size = sizeof(segment_t) + totals * sizeof(total_t);
    apr_status_t status;
    segment_t *segment;

    if (kept->shm) {
        apr_shm_destroy(kept->shm);
        kept->shm = NULL;
    }
    status = apr_shm_create(&kept->shm, size, NULL, s->process->pool);
    if (status != APR_SUCCESS) {
        kept->shm = NULL;
        return status;
    }
    segment = apr_shm_baseaddr_get(kept->shm);
    memset(segment, 0, size);
    segment->born = uptime();
    kept->totals = totals;
    status = orp_random_bytes(segment->key, sizeof(segment->key));
    if (status != APR_SUCCESS) {
        apr_shm_destroy(kept->shm);
        kept->shm = NULL;
    }
    return status;
}

static const orp_rate_rule_t *rule_of(const openid2rp_runtime_t *runtime,
                                      int is_total)
{
    return is_total ? runtime->settings->limit_server
        : runtime->settings->limit_client;
}

/* Whose counters a rule has: those of the first server that it holds for. The
 * main server comes first, and a virtual host that says nothing has the main
 * server's rule, or the same default. */
static apr_status_t id_of(apr_uint64_t *pid, const segment_t *segment,
                          server_rec *s, const orp_rate_rule_t *rule,
                          int is_total, apr_pool_t *pool)
{
    const openid2rp_runtime_t *runtime = openid2rp_runtime(s);
    const char *text;

    while (s->next && rule_of(runtime, is_total) != rule) {
        s = s->next;
        runtime = openid2rp_runtime(s);
    }
    text = apr_psprintf(pool, "%s %s %u %" APR_TIME_T_FMT,
                        is_total ? "server" : "client", runtime->site,
                        rule->count, rule->interval);
    return hash(pid, segment, text, strlen(text));
}

static apr_status_t make_limit(openid2rp_runtime_t *runtime,
                               segment_t *segment, server_rec *main_server,
                               apr_pool_t *pool)
{
    openid2rp_limit_t *limit = apr_pcalloc(pool, sizeof(*limit));
    apr_status_t status;

    limit->segment = segment;
    limit->client = runtime->settings->limit_client;
    limit->server = runtime->settings->limit_server;
    status = id_of(&limit->client_id, segment, main_server, limit->client,
                   0, pool);
    if (status == APR_SUCCESS) {
        status = id_of(&limit->server_id, segment, main_server,
                       limit->server, 1, pool);
    }
    runtime->limit = limit;
    return status;
}

static int is_wanted(apr_uint64_t id, server_rec *s)
{
    for (; s; s = s->next) {
        if (openid2rp_runtime(s)->limit->server_id == id) {
            return 1;
        }
    }
    return 0;
}

/* A total's word: the one that it had, or one that nobody has yet, or has any
 * more. There are as many as servers. */
static orp_rate_word_t *find_total(segment_t *segment, apr_size_t totals,
                                   apr_uint64_t id, server_rec *main_server)
{
    apr_size_t i;

    for (i = 0; i < totals && segment->totals[i].id; i++) {
        if (segment->totals[i].id == id) {
            return &segment->totals[i].word;
        }
    }
    if (i == totals) {
        do {
            i--;
        } while (i && is_wanted(segment->totals[i].id, main_server));
    }
    segment->totals[i].id = id;
    segment->totals[i].word = 0;
    return &segment->totals[i].word;
}

static apr_status_t prepare(retained_t *kept, server_rec *s,
                            apr_pool_t *pconf)
{
    apr_size_t servers = 0;
    apr_status_t status = APR_SUCCESS;
    server_rec *each;

    for (each = s; each; each = each->next) {
        servers++;
    }
    if (!kept->shm || kept->totals < servers) {
        status = make_segment(kept, servers > TOTALS_MIN ? servers
                              : TOTALS_MIN, s);
    }
    for (each = s; each && status == APR_SUCCESS; each = each->next) {
        status = make_limit(openid2rp_runtime(each),
                            apr_shm_baseaddr_get(kept->shm), s, pconf);
    }
    for (each = s; each && status == APR_SUCCESS; each = each->next) {
        openid2rp_limit_t *limit = openid2rp_runtime(each)->limit;

        limit->total = find_total(limit->segment, kept->totals,
                                  limit->server_id, s);
    }
    return status;
}

apr_status_t openid2rp_limit_prepare(server_rec *s, apr_pool_t *pconf)
{
    retained_t *kept = ap_retained_data_get(RETAINED_KEY);
    apr_status_t status;

    if (!kept) {
        kept = ap_retained_data_create(RETAINED_KEY, sizeof(*kept));
    }
    status = prepare(kept, s, pconf);
    if (status != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, status, s, O2RP(252)
                     "shared memory to count login starts in "
                     "(OpenIDRateLimit) cannot be had");
    }
    return status;
}

/* ---------------------------------------------------------------------- */
/* Requests */

/* What one client has: an address of IPv4, or a network of IPv6, for who has
 * one of those has 2^64 addresses. */
static apr_size_t client_of(unsigned char *bytes, apr_size_t room,
                            const char *ip)
{
    static const unsigned char mapped[12] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
    };
    struct in6_addr v6;
    apr_size_t size = strlen(ip);

    if (inet_pton(AF_INET, ip, bytes) == 1) {
        return 4;
    }
    if (inet_pton(AF_INET6, ip, &v6) == 1) {
        int is_v4 = !memcmp(&v6, mapped, sizeof(mapped));

        memcpy(bytes, (unsigned char *)&v6 + (is_v4 ? sizeof(mapped) : 0),
               is_v4 ? 4 : 8);
        return is_v4 ? 4 : 8;
    }
    if (size > room) {
        size = room;
    }
    memcpy(bytes, ip, size);    /* fe80::1%eth0, say */
    return size;
}

static apr_status_t take_client(orp_rate_verdict_t *verdict,
                                const openid2rp_limit_t *limit,
                                const char *ip, apr_time_t now)
{
    const orp_rate_table_t table = { limit->segment->clients, BUCKETS };
    unsigned char bytes[sizeof(limit->client_id) + 64];
    apr_size_t size = sizeof(limit->client_id);
    apr_uint64_t client = 0;
    apr_status_t status;

    memcpy(bytes, &limit->client_id, size);
    size += client_of(bytes + size, sizeof(bytes) - size, ip);
    status = hash(&client, limit->segment, bytes, size);
    if (status == APR_SUCCESS) {
        *verdict = orp_rate_table_take(&table, client, limit->client, now);
    }
    return status;
}

/* "60 in 1m" */
static const char *shown(const orp_rate_rule_t *rule, apr_pool_t *pool)
{
    apr_time_t ms = apr_time_as_msec(rule->interval);

    return ms % 60000 == 0
        ? apr_psprintf(pool, "%u in %" APR_TIME_T_FMT "m", rule->count,
                       ms / 60000)
        : ms % 1000 == 0
        ? apr_psprintf(pool, "%u in %" APR_TIME_T_FMT "s", rule->count,
                       ms / 1000)
        : apr_psprintf(pool, "%u in %" APR_TIME_T_FMT "ms", rule->count, ms);
}

/* A line for the first refusal of an interval, and for no more than so many
 * clients; what has none is in the next one as a number. */
static void note(request_rec *r, const openid2rp_limit_t *limit,
                 const orp_rate_verdict_t *verdict, apr_time_t now,
                 int is_total)
{
    segment_t *segment = limit->segment;
    apr_uint64_t unsaid;

    if (!verdict->first
        || orp_rate_take(&segment->lines, &log_lines, now).wait) {
        atomic_fetch_add(&segment->unsaid, 1);
        return;
    }
    unsaid = atomic_exchange(&segment->unsaid, 0);
    if (is_total) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, O2RP(251)
                      "login refused (%s): more logins begin than %s, by all "
                      "clients together; since the last such line, %"
                      APR_UINT64_T_FMT " other starts were refused",
                      orp_status_code(ORP_ERATE),
                      shown(limit->server, r->pool), unsaid);
        return;
    }
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, O2RP(250)
                  "login refused (%s): %s begins more logins than %s; since "
                  "the last such line, %" APR_UINT64_T_FMT " other starts "
                  "were refused", orp_status_code(ORP_ERATE),
                  r->useragent_ip ? r->useragent_ip : "a client",
                  shown(limit->client, r->pool), unsaid);
}

int openid2rp_limit_line(apr_uint64_t *punsaid, request_rec *r)
{
    segment_t *segment = openid2rp_runtime(r->server)->limit->segment;

    if (orp_rate_take(&segment->host_lines, &log_lines,
                      uptime() - segment->born).wait) {
        atomic_fetch_add(&segment->host_unsaid, 1);
        return 0;
    }
    *punsaid = atomic_exchange(&segment->host_unsaid, 0);
    return 1;
}

static apr_status_t refuse(request_rec *r, orp_reason_t *why,
                           apr_interval_time_t wait, int is_total)
{
    apr_time_t seconds = (wait + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC;

    apr_table_setn(r->err_headers_out, "Retry-After",
                   apr_psprintf(r->pool, "%" APR_TIME_T_FMT, seconds));
    return orp_reason_set(why, ORP_ERATE, NULL,
                          "Too many logins have begun %s. Please try again "
                          "in %" APR_TIME_T_FMT " second%s.", is_total
                          ? "on this site" : "from your network address",
                          seconds, seconds == 1 ? "" : "s");
}

apr_status_t openid2rp_limit_take(request_rec *r, orp_reason_t *why)
{
    const openid2rp_limit_t *limit = openid2rp_runtime(r->server)->limit;
    apr_time_t now = uptime() - limit->segment->born;
    orp_rate_verdict_t verdict = { 0, 0 };
    apr_status_t status;
    int is_total = 0;

    status = take_client(&verdict, limit,
                         r->useragent_ip ? r->useragent_ip : "", now);
    if (status != APR_SUCCESS) {
        return orp_reason_set(why, status, NULL,
                              "This server cannot count logins.");
    }
    /* this order: who is refused already uses up nothing of the others' */
    if (!verdict.wait) {
        is_total = 1;
        verdict = orp_rate_take(limit->total, limit->server, now);
    }
    if (!verdict.wait) {
        return APR_SUCCESS;
    }
    note(r, limit, &verdict, now, is_total);
    return refuse(r, why, verdict.wait, is_total);
}
