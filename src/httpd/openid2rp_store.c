/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_store.h"

#include <unistd.h>

#include <apr_shm.h>
#include <apr_strings.h>
#include <unixd.h>
#include <util_mutex.h>

#define MUTEX_TYPE "openid2rp"

/* What outlives a restart: httpd unloads the module, but the parent process
 * goes on, and with it its memory. Plain data only, no pointer to our code;
 * and the next generation may be of another version, so these do not grow:
 * what is new gets a key of its own. */
#define SHM_KEY "mod_openid2rp:store"
#define PLACE_KEY "mod_openid2rp:place"
#define PLACE_SIZE 512

typedef struct {
    apr_shm_t *shm;
    apr_size_t size;
    apr_global_mutex_t *mutex;
    const char *lockfile;
} shm_t;

static void *retained(const char *key, apr_size_t size)
{
    void *data = ap_retained_data_get(key);

    return data ? data : ap_retained_data_create(key, size);
}

/* ---------------------------------------------------------------------- */
/* Shared memory */

static void drop_segment(shm_t *shm)
{
    if (shm->shm) {
        apr_shm_destroy(shm->shm);
        shm->shm = NULL;
    }
}

static apr_status_t make_segment(shm_t *shm, apr_size_t size, server_rec *s)
{
    apr_pool_t *pool = s->process->pool;
    apr_status_t status = APR_SUCCESS;

    if (!shm->mutex) {
        status = ap_global_mutex_create(&shm->mutex, &shm->lockfile,
                                        MUTEX_TYPE, NULL, s, pool, 0);
    }
    if (status == APR_SUCCESS && shm->shm && shm->size != size) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s, O2RP(201)
                     "store: its size changed, so sessions and logins in "
                     "progress are lost");
        drop_segment(shm);
    }
    if (status == APR_SUCCESS && !shm->shm) {
        status = apr_shm_create(&shm->shm, size, NULL, pool);
        shm->size = size;
    }
    return status;
}

static apr_status_t prepare_shm(orp_store_t **pstore,
                                const orp_store_place_t *place,
                                server_rec *s, apr_pool_t *pconf)
{
    shm_t *shm = retained(SHM_KEY, sizeof(*shm));
    apr_size_t size = place->size ? (apr_size_t)place->size
        : OPENID2RP_STORE_SHM_SIZE;
    int fresh = !shm->shm || shm->size != size;
    apr_status_t status = make_segment(shm, size, s);

    if (status != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, status, s, O2RP(202)
                     "store: %" APR_SIZE_T_FMT " bytes of shared memory and "
                     "a mutex for them cannot be had", size);
        return status;
    }
    return orp_store_shm_open(pstore, apr_shm_baseaddr_get(shm->shm), size,
                              fresh, shm->mutex, pconf);
}

/* The child's own hold on the mutex. */
static apr_status_t join_shm(orp_reason_t *why, apr_pool_t *pool)
{
    shm_t *shm = ap_retained_data_get(SHM_KEY);
    apr_status_t status = apr_global_mutex_child_init(&shm->mutex,
                                                      shm->lockfile, pool);

    return status == APR_SUCCESS ? status
        : orp_reason_set(why, status, NULL, "Its mutex cannot be had: %s.",
                         apr_psprintf(pool, "%pm", &status));
}

/* ---------------------------------------------------------------------- */
/* Other places */

/* Files that root would make here: could httpd's children make them too? */
static apr_status_t check_owner(const orp_store_place_t *place,
                                orp_reason_t *why, apr_pool_t *pool)
{
    const char *slash = strrchr(place->path, '/');
    const char *folder = slash == place->path ? "/"
        : apr_pstrmemdup(pool, place->path,
                         (apr_size_t)(slash - place->path));
    apr_finfo_t info;
    apr_status_t status;

    if (geteuid() != 0) {
        return APR_SUCCESS;
    }
    status = apr_stat(&info, folder, APR_FINFO_OWNER | APR_FINFO_TYPE, pool);
    if (status != APR_SUCCESS || info.filetype != APR_DIR) {
        return orp_reason_set(why, APR_EINVAL, folder,
                              "There is no folder %s for the store %s.",
                              folder, place->shown);
    }
    if (apr_uid_compare(info.user, ap_unixd_config.user_id) != APR_SUCCESS) {
        return orp_reason_set(why, APR_EINVAL, folder,
                              "The folder %s does not belong to the user "
                              "\"%s\" (directive User), so httpd's processes "
                              "could not write the store %s.", folder,
                              ap_unixd_config.user_name, place->shown);
    }
    return APR_SUCCESS;
}

/* What the last generation called its store; "" before the first one. */
static char *last_place(void)
{
    return retained(PLACE_KEY, PLACE_SIZE);
}

static const char *name_of(const orp_store_place_t *place)
{
    /* of shared memory, another size is told already */
    return place->type == ORP_PLACE_SHM ? "shm" : place->shown;
}

static int is_last(const orp_store_place_t *place)
{
    return !strncmp(last_place(), name_of(place), PLACE_SIZE - 1);
}

/* A start must not succeed with a store that cannot be used. A restart with
 * the store that httpd has run with must not fail: that would end all that
 * httpd serves, and its children refuse logins by themselves until the store
 * works. So it is, too, where others can read its files: they could before,
 * and an end would take nothing back. */
static apr_status_t judge_place(apr_status_t status,
                                const orp_store_place_t *place,
                                const orp_reason_t *why, server_rec *s)
{
    int goes_on = is_last(place);

    if (status == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, O2RP(204) "store: %s%s",
                 why->sentence, !goes_on ? "" : " httpd would not start like "
                 "this; it goes on because this is a restart, but nobody can "
                 "sign in while the store does not work.");
    return goes_on ? APR_SUCCESS : status;
}

static apr_status_t check_place(const orp_store_place_t *place,
                                const orp_env_t *env, server_rec *s,
                                apr_pool_t *pool)
{
    orp_reason_t *why = orp_reason_create(pool);
    apr_status_t status = APR_SUCCESS;

    if (place->type == ORP_PLACE_DBM) {
        status = check_owner(place, why, pool);
    }
    if (status == APR_SUCCESS) {
        status = orp_store_check(place, env, why, pool);
    }
    return judge_place(status, place, why, s);
}

/* Remember where the store is, for the next generation. */
static void note_place(const orp_store_place_t *place, server_rec *s)
{
    char *last = last_place();
    const char *shown = name_of(place);

    if (*last && !is_last(place)) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s, O2RP(209)
                     "store: %s takes the place of %s; sessions and logins "
                     "that are in that one only are lost", shown, last);
    }
    apr_cpystrn(last, shown, PLACE_SIZE);
}

/* ---------------------------------------------------------------------- */
/* All of them */

int openid2rp_store_register(apr_pool_t *pconf)
{
    return ap_mutex_register(pconf, MUTEX_TYPE, NULL, APR_LOCK_DEFAULT, 0)
        == APR_SUCCESS ? OK : !OK;
}

apr_status_t openid2rp_store_prepare(orp_store_t **pstore,
                                     const orp_store_place_t *place,
                                     const orp_env_t *env, server_rec *s,
                                     apr_pool_t *pconf)
{
    apr_status_t status;

    if (place->type == ORP_PLACE_SHM) {
        status = prepare_shm(pstore, place, s, pconf);
    }
    else {
        status = check_place(place, env, s, pconf);
        if (status == APR_SUCCESS) {
            drop_segment(retained(SHM_KEY, sizeof(shm_t)));
            *pstore = orp_store_absent(pconf);
        }
    }
    if (status == APR_SUCCESS) {
        note_place(place, s);
    }
    return status;
}

orp_store_t *openid2rp_store_open(orp_store_t *prepared,
                                  const orp_store_place_t *place,
                                  const orp_env_t *env, server_rec *s,
                                  apr_pool_t *pool)
{
    orp_reason_t *why = orp_reason_create(pool);
    orp_store_t *store = prepared;
    apr_status_t status = place->type == ORP_PLACE_SHM ? join_shm(why, pool)
        : orp_store_open(&store, place, env, why, pool);

    if (status != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, status, s, O2RP(203)
                     "store: this process cannot open it, so it signs "
                     "nobody in: %s", why->sentence);
        return orp_store_absent(pool);
    }
    return store;
}
