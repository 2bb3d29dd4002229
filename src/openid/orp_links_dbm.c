/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_links_dbm.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_dbm.h>
#include <apr_strings.h>

#include "orp_codec.h"
#include "orp_links_file.h"

#define NEW_FILE_MODE \
    (APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_GREAD | APR_FPROT_WREAD)

/* An open one. */
typedef struct {
    apr_dbm_t *pairs;
    const char *path;
    orp_reason_t *why;
    apr_pool_t *pool;           /* closes it when it goes */
} open_t;

static apr_status_t fault(orp_reason_t *why, apr_status_t status,
                          const char *doing, const char *path)
{
    char buf[200];

    /* what the libraries mean by other numbers, APR does not know */
    if (status <= 0 || status >= APR_OS_START_ERROR || status == EINVAL) {
        return orp_reason_set(why, ORP_ELINKS, path, "%s cannot be %s: it is "
                              "damaged, or no dbm of the type that is usual "
                              "here.", path, doing);
    }
    return orp_reason_set(why, ORP_ELINKS, path, "%s cannot be %s: %s.", path,
                          doing, apr_strerror(status, buf, sizeof(buf)));
}

/* ---------------------------------------------------------------------- */
/* Opening */

static apr_status_t look_at(const char *path, orp_reason_t *why)
{
    struct stat info;

    if (path && stat(path, &info) != 0) {
        return fault(why, errno, "opened", path);
    }
    if (path && !S_ISREG(info.st_mode)) {
        return orp_reason_set(why, ORP_ELINKS, path,
                              "%s cannot be opened: it is not a file.", path);
    }
    return APR_SUCCESS;
}

/* @param mode  unless it is APR_DBM_RWCREATE, the files must be there; some
 *              libraries would wait for a pipe */
static apr_status_t open_dbm(open_t **popen, const orp_links_dbm_t *dbm,
                             apr_int32_t mode, orp_reason_t *why,
                             apr_pool_t *parent)
{
    open_t *open;
    apr_pool_t *pool;
    const char *first = NULL, *second = NULL;
    apr_status_t status = apr_pool_create(&pool, parent);

    if (status != APR_SUCCESS) {
        return fault(why, status, "opened", dbm->path);
    }
    open = apr_palloc(pool, sizeof(*open));
    open->path = dbm->path;
    open->why = why;
    open->pool = pool;
    status = apr_dbm_get_usednames_ex(pool, dbm->type, dbm->path, &first,
                                      &second);
    if (status != APR_SUCCESS) {
        fault(why, status, "opened", dbm->path);
    }
    else if (mode != APR_DBM_RWCREATE) {
        status = look_at(first, why);
        status = status == APR_SUCCESS ? look_at(second, why) : status;
    }
    if (status == APR_SUCCESS) {
        status = apr_dbm_open_ex(&open->pairs, dbm->type, dbm->path, mode,
                                 NEW_FILE_MODE, pool);
        if (status != APR_SUCCESS) {
            fault(why, status, "opened", dbm->path);
        }
    }
    if (status != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return ORP_ELINKS;
    }
    *popen = open;
    return APR_SUCCESS;
}

static void close_dbm(open_t *open)
{
    apr_dbm_close(open->pairs);
    apr_pool_destroy(open->pool);
}

apr_status_t orp_links_dbm_look(const orp_links_dbm_t *dbm,
                                orp_reason_t *why, apr_pool_t *pool)
{
    open_t *open;
    apr_status_t status = open_dbm(&open, dbm, APR_DBM_READONLY, why, pool);

    if (status == APR_SUCCESS) {
        close_dbm(open);
    }
    return status;
}

/* ---------------------------------------------------------------------- */
/* Reading */

static apr_datum_t datum(const char *text)
{
    apr_datum_t it;

    it.dptr = (char *)(uintptr_t)text;      /* it is only read */
    it.dsize = strlen(text);
    return it;
}

/* @param pfault  set where a value is no account, to what is wrong with it */
static apr_status_t fetch(const char **paccount, const char **pfault,
                          open_t *open, apr_datum_t key, apr_pool_t *pool)
{
    apr_datum_t value = { NULL, 0 };
    apr_status_t status = apr_dbm_fetch(open->pairs, key, &value);

    if (status != APR_SUCCESS) {
        return fault(open->why, status, "read", open->path);
    }
    if (!value.dptr) {
        return ORP_ENOTFOUND;
    }
    *pfault = orp_links_account_fault(value.dptr, value.dsize);
    *paccount = *pfault ? NULL
        : apr_pstrmemdup(pool, value.dptr, value.dsize);
    return APR_SUCCESS;
}

apr_status_t orp_links_dbm_find(const char **paccount,
                                const orp_links_dbm_t *dbm,
                                const char *identifier, orp_reason_t *why,
                                apr_pool_t *pool)
{
    open_t *open;
    const char *account, *wrong;
    apr_status_t status = open_dbm(&open, dbm, APR_DBM_READONLY, why, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = fetch(&account, &wrong, open, datum(identifier), pool);
    close_dbm(open);
    if (status == APR_SUCCESS && wrong) {
        return orp_reason_set(why, ORP_ELINKS, identifier,
                              "The account of %s in %s %s.", identifier,
                              dbm->path, wrong);
    }
    if (status == APR_SUCCESS) {
        *paccount = account;
    }
    return status;
}

/* What a list is made of. */
typedef struct {
    apr_array_header_t *list;       /* of orp_link_t */
    apr_array_header_t *mistakes;   /* of const char * */
    int more;                       /* mistakes that found no room */
    apr_pool_t *pool;
} listing_t;

/* @return what is wrong with a key, or NULL */
static const char *key_fault(const char *key, apr_size_t size,
                             apr_pool_t *pool)
{
    const char *normal;

    if (memchr(key, '\0', size)
        || orp_links_identifier(&normal, key, NULL, pool) != APR_SUCCESS) {
        return "is no OpenID";
    }
    return strcmp(normal, key)
        ? "is not in its normalized form, and so is never found" : NULL;
}

static apr_status_t list_one(listing_t *listing, open_t *open,
                             const orp_links_text_t *key)
{
    const char *account, *wrong, *sentence = NULL;
    const char *name = key->bytes, *fault_of_key;
    apr_datum_t wanted = { (char *)(uintptr_t)key->bytes, key->size };
    apr_status_t status = fetch(&account, &wrong, open, wanted,
                                listing->pool);

    if (status != APR_SUCCESS) {
        /* gone meanwhile */
        return status == ORP_ENOTFOUND ? APR_SUCCESS : status;
    }
    fault_of_key = key_fault(name, key->size, listing->pool);
    if (fault_of_key) {
        sentence = apr_psprintf(listing->pool, "the key \"%s\" %s",
                                orp_links_quoted(name, listing->pool),
                                fault_of_key);
    }
    else if (wrong) {
        sentence = apr_psprintf(listing->pool, "the account of %s %s",
                                orp_links_quoted(name, listing->pool),
                                wrong);
    }
    if (!sentence) {
        orp_link_t *link = apr_array_push(listing->list);

        link->identifier = name;
        link->account = account;
    }
    else if (listing->mistakes->nelts < ORP_LINKS_MISTAKES) {
        APR_ARRAY_PUSH(listing->mistakes, const char *) = sentence;
    }
    else {
        listing->more++;
    }
    return APR_SUCCESS;
}

/* All keys first: some libraries lose their place when something is fetched. */
static apr_status_t read_keys(apr_array_header_t *keys, open_t *open)
{
    apr_datum_t key = { NULL, 0 };
    apr_status_t status = apr_dbm_firstkey(open->pairs, &key);

    while (status == APR_SUCCESS && key.dptr) {
        orp_links_text_t *copy = apr_array_push(keys);

        copy->bytes = apr_pstrmemdup(keys->pool, key.dptr, key.dsize);
        copy->size = key.dsize;
        status = apr_dbm_nextkey(open->pairs, &key);
    }
    return status == APR_SUCCESS ? status
        : fault(open->why, status, "read", open->path);
}

apr_status_t orp_links_dbm_list(apr_array_header_t **plist,
                                apr_array_header_t **pmistakes,
                                const orp_links_dbm_t *dbm, apr_pool_t *pool)
{
    apr_array_header_t *keys = apr_array_make(pool, 64,
                                              sizeof(orp_links_text_t));
    listing_t listing = { NULL, NULL, 0, pool };
    open_t *open;
    apr_status_t status = open_dbm(&open, dbm, APR_DBM_READONLY, NULL, pool);
    int i;

    if (status != APR_SUCCESS) {
        return status;
    }
    listing.list = apr_array_make(pool, 64, sizeof(orp_link_t));
    listing.mistakes = apr_array_make(pool, 4, sizeof(const char *));
    status = read_keys(keys, open);
    for (i = 0; status == APR_SUCCESS && i < keys->nelts; i++) {
        status = list_one(&listing, open,
                          &APR_ARRAY_IDX(keys, i, orp_links_text_t));
    }
    close_dbm(open);
    if (status != APR_SUCCESS) {
        return status;
    }
    if (listing.more) {
        APR_ARRAY_PUSH(listing.mistakes, const char *)
            = apr_psprintf(pool, "%d more records cannot be used",
                           listing.more);
    }
    *plist = listing.list;
    *pmistakes = listing.mistakes;
    return APR_SUCCESS;
}

/* ---------------------------------------------------------------------- */
/* Changing */

/* Puts a record in, or takes one out. */
typedef apr_status_t change_fn(open_t *open, const orp_link_t *link);

static apr_status_t put(open_t *open, const orp_link_t *link)
{
    return apr_dbm_store(open->pairs, datum(link->identifier),
                         datum(link->account));
}

static apr_status_t take_out(open_t *open, const orp_link_t *link)
{
    return apr_dbm_delete(open->pairs, datum(link->identifier));
}

/* Is it kept in one file, of that very name? Then it can be replaced. */
static int is_one_file(const orp_links_dbm_t *dbm, apr_pool_t *pool)
{
    const char *first = NULL, *second = NULL;

    return apr_dbm_get_usednames_ex(pool, dbm->type, dbm->path, &first,
                                    &second) == APR_SUCCESS
        && !second && first && !strcmp(first, dbm->path);
}

static apr_status_t change_file(const orp_links_dbm_t *dbm, change_fn *change,
                                const orp_link_t *link, orp_reason_t *why,
                                apr_pool_t *pool)
{
    open_t *open;
    apr_status_t status = open_dbm(&open, dbm, APR_DBM_RWCREATE, why, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = change(open, link);
    if (status != APR_SUCCESS) {
        status = fault(why, status, "changed", dbm->path);
    }
    close_dbm(open);
    return status;
}

static apr_status_t change_dbm(orp_links_hold_t *hold,
                               const orp_links_dbm_t *dbm, change_fn *change,
                               const orp_link_t *link)
{
    orp_links_dbm_t copy = { hold->new_path, dbm->type };
    apr_status_t status;

    if (!is_one_file(dbm, hold->pool)) {
        return change_file(dbm, change, link, hold->why, hold->pool);
    }
    status = orp_links_hold_write(hold, NULL);
    if (status == APR_SUCCESS) {
        status = change_file(&copy, change, link, hold->why, hold->pool);
    }
    return status == APR_SUCCESS ? orp_links_hold_commit(hold) : status;
}

/* What the dbm has for an identifier. A value that is no account has a fault.
 * @param may_be_missing  the dbm itself */
static apr_status_t look_up(const char **paccount, const char **pfault,
                            const orp_links_dbm_t *dbm,
                            const orp_link_t *link, orp_reason_t *why,
                            apr_pool_t *pool)
{
    open_t *open;
    apr_status_t status = open_dbm(&open, dbm, APR_DBM_READONLY, why, pool);

    if (status == APR_SUCCESS) {
        status = fetch(paccount, pfault, open, datum(link->identifier), pool);
        close_dbm(open);
    }
    return status;
}

/* Is not one of its files there? */
static int is_missing(const orp_links_dbm_t *dbm, apr_pool_t *pool)
{
    const char *first = dbm->path, *second = NULL;
    struct stat info;

    return apr_dbm_get_usednames_ex(pool, dbm->type, dbm->path, &first,
                                    &second) == APR_SUCCESS
        && stat(first, &info) != 0 && errno == ENOENT
        && (!second || (stat(second, &info) != 0 && errno == ENOENT));
}

apr_status_t orp_links_dbm_add(const orp_links_dbm_t *dbm,
                               const orp_link_t *link, orp_reason_t *why,
                               apr_pool_t *pool)
{
    orp_links_hold_t *hold;
    const char *account = NULL, *wrong = NULL;
    apr_status_t status = orp_links_hold(&hold, dbm->path, why, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = is_missing(dbm, pool) ? ORP_ENOTFOUND
        : look_up(&account, &wrong, dbm, link, why, pool);
    if (status == ORP_ENOTFOUND || (status == APR_SUCCESS && wrong)) {
        status = change_dbm(hold, dbm, put, link);
    }
    else if (status == APR_SUCCESS && strcmp(account, link->account)) {
        status = orp_links_refuse_other(link, account, why);
    }
    orp_links_hold_end(hold);
    return status;
}

apr_status_t orp_links_dbm_remove(const orp_links_dbm_t *dbm,
                                  const orp_link_t *link, orp_reason_t *why,
                                  apr_pool_t *pool)
{
    orp_links_hold_t *hold;
    const char *account = NULL, *wrong = NULL;
    apr_status_t status = orp_links_hold(&hold, dbm->path, why, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = look_up(&account, &wrong, dbm, link, why, pool);
    if (status == ORP_ENOTFOUND
        || (status == APR_SUCCESS && link->account
            && (!account || strcmp(account, link->account)))) {
        status = orp_links_refuse_missing(link, why);
    }
    else if (status == APR_SUCCESS) {
        status = change_dbm(hold, dbm, take_out, link);
    }
    orp_links_hold_end(hold);
    return status;
}
