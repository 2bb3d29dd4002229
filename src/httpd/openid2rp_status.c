/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_status.h"

#include <stddef.h>

#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>

#include "openid2rp_background.h"
#include "openid2rp_page.h"
#include "openid2rp_runtime.h"
#include "orp_store.h"

#define HANDLER "openid2rp-status"

/* a key that nobody uses: a store that answers does not know it */
#define PROBE "openid2rp-status"

/* What the store tells of all its kinds. */
typedef struct {
    int up;                     /* it answers */
    orp_store_stats_t kinds[ORP_STORE_KINDS];
} fill_t;

static int answers(orp_store_t *store, apr_time_t now, apr_pool_t *pool)
{
    const char *value;
    apr_status_t status = orp_store_get(&value, NULL, store, ORP_STORE_CACHE,
                                        PROBE, now, pool);

    return status == APR_SUCCESS || status == ORP_ENOTFOUND;
}

static void read_fill(fill_t *fill, request_rec *r)
{
    static const orp_store_stats_t unknown = {
        ORP_STORE_UNKNOWN, ORP_STORE_UNKNOWN, ORP_STORE_UNKNOWN,
        ORP_STORE_UNKNOWN
    };
    orp_store_t *store = openid2rp_env(r)->store;
    apr_time_t now = apr_time_now();
    int kind;

    fill->up = answers(store, now, r->pool);
    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        if (!fill->up
            || orp_store_stats(&fill->kinds[kind], store,
                               (orp_store_kind_e)kind, now) != APR_SUCCESS) {
            fill->kinds[kind] = unknown;
        }
    }
}

static const orp_store_place_t *place_of(request_rec *r)
{
    return openid2rp_settings(r)->store;
}

/* ---------------------------------------------------------------------- */
/* For people */

static const char *number(apr_uint64_t value, apr_pool_t *pool)
{
    return value == ORP_STORE_UNKNOWN ? "-"
        : apr_psprintf(pool, "%" APR_UINT64_T_FMT, value);
}

static const char *room(apr_uint64_t value, apr_pool_t *pool)
{
    return value ? number(value, pool) : "no limit";
}

static const char *percent(const orp_store_stats_t *stats, apr_pool_t *pool)
{
    if (!stats->room || stats->room == ORP_STORE_UNKNOWN
        || stats->used == ORP_STORE_UNKNOWN) {
        return "-";
    }
    return apr_psprintf(pool, "%.1f%%",
                        100.0 * (double)stats->used / (double)stats->room);
}

static int is_partly_unknown(const fill_t *fill)
{
    int kind;

    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        const orp_store_stats_t *stats = &fill->kinds[kind];

        if (stats->live == ORP_STORE_UNKNOWN
            || stats->used == ORP_STORE_UNKNOWN
            || stats->room == ORP_STORE_UNKNOWN
            || stats->refused == ORP_STORE_UNKNOWN) {
            return 1;
        }
    }
    return 0;
}

static const char *associations(request_rec *r)
{
    switch (openid2rp_settings(r)->associate) {
    case ORP_ASSOCIATE_NEVER:
        return "never";
    case ORP_ASSOCIATE_LOGIN:
        return "while a user waits";
    default:
        return openid2rp_background_possible()
            ? "in the background, by mod_watchdog"
            : "in the background, by the command \"openid2rp refresh\": "
              "mod_watchdog is not loaded";
    }
}

static void write_text(request_rec *r, const fill_t *fill)
{
    static const char line[] = "%-12s %10s %12s %12s %7s %8s\n";
    int kind;

    ap_rprintf(r, "mod_openid2rp %s\n\nStore: %s\n%s\n\n",
               OPENID2RP_VERSION, place_of(r)->shown, fill->up
               ? "It answers."
               : "It does not answer: nobody can sign in. See the error log.");
    ap_rprintf(r, line, "kind", "live", "used", "room", "full", "refused");
    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        const orp_store_stats_t *stats = &fill->kinds[kind];

        ap_rprintf(r, line, orp_store_kind_name((orp_store_kind_e)kind),
                   number(stats->live, r->pool),
                   number(stats->used, r->pool), room(stats->room, r->pool),
                   percent(stats, r->pool), number(stats->refused, r->pool));
    }
    ap_rputs("\nused, room: bytes. refused: times that a record found no "
             "room.\n", r);
    if (is_partly_unknown(fill)) {
        ap_rputs(fill->up ? "-: this store cannot tell.\n"
                 : "-: not known while the store does not answer.\n", r);
    }
    ap_rprintf(r, "\nAssociations are made: %s.\n", associations(r));
}

/* ---------------------------------------------------------------------- */
/* For Prometheus: its text format 0.0.4 */

static void write_family(request_rec *r, const char *name, const char *type,
                         const char *help)
{
    ap_rvputs(r, "# HELP ", name, " ", help, "\n# TYPE ", name, " ", type,
              "\n", NULL);
}

static void write_kinds(request_rec *r, const fill_t *fill, const char *name,
                        apr_size_t member)
{
    int kind;

    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        apr_uint64_t value = *(const apr_uint64_t *)
            ((const char *)&fill->kinds[kind] + member);

        /* no limit is no number either */
        if (value == ORP_STORE_UNKNOWN
            || (!value && member == offsetof(orp_store_stats_t, room))) {
            continue;
        }
        ap_rprintf(r, "%s{kind=\"%s\"} %" APR_UINT64_T_FMT "\n", name,
                   orp_store_kind_name((orp_store_kind_e)kind), value);
    }
}

static void write_metrics(request_rec *r, const fill_t *fill)
{
    static const char *const types[] = {
        [ORP_PLACE_SHM] = "shm", [ORP_PLACE_DBM] = "dbm",
        [ORP_PLACE_REDIS] = "redis", [ORP_PLACE_MEMCACHE] = "memcache",
    };
    static const struct {
        const char *name;
        const char *type;
        const char *help;
        apr_size_t member;
    } families[] = {
        { "openid2rp_store_records", "gauge", "Live records.",
          offsetof(orp_store_stats_t, live) },
        { "openid2rp_store_bytes", "gauge", "Bytes in use.",
          offsetof(orp_store_stats_t, used) },
        { "openid2rp_store_room_bytes", "gauge",
          "What the bytes in use can grow to.",
          offsetof(orp_store_stats_t, room) },
        { "openid2rp_store_refused_total", "counter",
          "Times that a record found no room.",
          offsetof(orp_store_stats_t, refused) },
    };
    apr_size_t i;

    write_family(r, "openid2rp_info", "gauge", "The module and its store.");
    ap_rprintf(r, "openid2rp_info{version=\"%s\",store=\"%s\"} 1\n",
               OPENID2RP_VERSION, types[place_of(r)->type]);
    write_family(r, "openid2rp_store_up", "gauge",
                 "Whether the store answers.");
    ap_rprintf(r, "openid2rp_store_up %d\n", fill->up);
    for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        write_family(r, families[i].name, families[i].type,
                     families[i].help);
        write_kinds(r, fill, families[i].name, families[i].member);
    }
}

/* ---------------------------------------------------------------------- */

int openid2rp_status_handler(request_rec *r)
{
    int for_programs = r->args && !strcmp(r->args, "auto");
    fill_t fill;

    if (!r->handler || strcmp(r->handler, HANDLER)) {
        return DECLINED;
    }
    openid2rp_page_headers(r);
    ap_allow_methods(r, REPLACE_ALLOW, "GET", NULL);
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    ap_set_content_type(r, for_programs
                        ? "text/plain; version=0.0.4; charset=utf-8"
                        : "text/plain; charset=utf-8");
    if (r->header_only) {
        return OK;
    }
    read_fill(&fill, r);
    if (for_programs) {
        write_metrics(r, &fill);
    }
    else {
        write_text(r, &fill);
    }
    return OK;
}
