/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_dbm_state.c - PATH.state, and making good what is not. */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <apr_siphash.h>
#include <apr_strings.h>

#include "orp_crypto.h"
#include "orp_store_dbm_copy.h"
#include "orp_store_dbm_record.h"

/* Change it whenever a struct or the meaning of a field changes. */
#define LAYOUT_VERSION 1
#define MAGIC "orp-dbm"

/* PATH.state has two slots of this size, which are written in turn: a write
 * that is cut off leaves the state before it. */
#define SLOT 1024

_Static_assert(sizeof(orp_dbm_state_t) <= SLOT, "the state fits its slot");
_Static_assert(sizeof(orp_dbm_state_t) % 8 == 0, "the state has no tail");

/* ---------------------------------------------------------------------- */
/* PATH.state */

static apr_uint64_t checksum(const orp_dbm_state_t *state)
{
    static const unsigned char key[APR_SIPHASH_KSIZE] = "orp-dbm state";

    return apr_siphash24(state, offsetof(orp_dbm_state_t, checksum), key);
}

apr_status_t orp_dbm_save(orp_dbm_t *dbm)
{
    orp_dbm_state_t *state = &dbm->state;
    apr_status_t status;

    state->sequence = ++dbm->sequence;
    state->checksum = checksum(state);
    status = orp_dbm_write(dbm->fd, state, sizeof(*state),
                           (off_t)(state->sequence % 2) * SLOT);
    return status == APR_SUCCESS ? status
        : orp_dbm_fail(dbm, status, "write", dbm->state_name);
}

static int makes_sense(const orp_dbm_state_t *state)
{
    return memcmp(state->magic, MAGIC, sizeof(MAGIC)) == 0
        && state->version == LAYOUT_VERSION && state->size == sizeof(*state)
        && state->dirty <= ORP_DBM_NEW
        && state->checksum == checksum(state);
}

static apr_status_t load_state(orp_dbm_t *dbm)
{
    char *slots = apr_pcalloc(dbm->scratch, 2 * SLOT);
    ssize_t size = pread(dbm->fd, slots, 2 * SLOT, 0);
    orp_dbm_state_t state;
    int i, found = 0;

    if (size < 0) {
        return orp_dbm_fail(dbm, errno, "read", dbm->state_name);
    }
    for (i = 0; i < 2; i++) {
        memcpy(&state, slots + i * SLOT, sizeof(state));
        if (makes_sense(&state)
            && (!found || state.sequence > dbm->state.sequence)) {
            dbm->state = state;
            found = 1;
        }
    }
    if (!found) {
        dbm->sequence = 0;
        return orp_dbm_is_damaged(dbm, size == 0
                                  ? "its .state file is missing"
                                  : "its .state file makes no sense");
    }
    dbm->sequence = dbm->state.sequence;
    return APR_SUCCESS;
}

static int has_copies(orp_dbm_t *dbm)
{
    struct stat info;
    int copy, file, found = 0;

    for (copy = 0; copy < ORP_DBM_COPIES; copy++) {
        for (file = 0; file < ORP_DBM_FILES; file++) {
            found = found || lstat(dbm->names[copy][file], &info) == 0;
        }
    }
    return found;
}

/* ---------------------------------------------------------------------- */
/* Beginning empty */

static void forget(orp_dbm_state_t *state)
{
    int kind;

    memset(state, 0, sizeof(*state));
    memcpy(state->magic, MAGIC, sizeof(MAGIC));
    state->version = LAYOUT_VERSION;
    state->size = sizeof(*state);
    state->dirty = ORP_DBM_NEW;
    for (kind = 0; kind < ORP_STORE_KINDS; kind++) {
        state->counts[kind].oldest = ORP_DBM_NEVER;
        state->counts[kind].pass_oldest = ORP_DBM_NEVER;
    }
}

/* The old state is copied, not renamed: others wait for the lock on it. That
 * is for who is curious only, and may fail. */
static void keep_state(orp_dbm_t *dbm, const char *to)
{
    const char *name = apr_pstrcat(dbm->scratch, to, ".state", NULL);
    char *slots = apr_palloc(dbm->scratch, 2 * SLOT);
    ssize_t size = pread(dbm->fd, slots, 2 * SLOT, 0);
    int fd;

    if (size > 0 && orp_dbm_file_open(&fd, dbm, name, O_CREAT)
        == APR_SUCCESS) {
        (void)orp_dbm_write(fd, slots, (apr_size_t)size, 0);
        close(fd);
    }
}

/* Sessions and logins are lost. Nothing can be replayed for that: the record
 * of a login, without which no answer is accepted, is gone with the nonce. */
static apr_status_t give_up(orp_dbm_t *dbm)
{
    const char *to = orp_dbm_damaged_name(dbm);
    const char *damage = dbm->damage;
    apr_status_t status = APR_SUCCESS;
    int copy;

    keep_state(dbm, to);
    for (copy = 0; copy < ORP_DBM_COPIES && status == APR_SUCCESS; copy++) {
        status = orp_dbm_copy_set_aside(dbm, (orp_dbm_copy_e)copy, to);
    }
    if (status == APR_SUCCESS) {
        forget(&dbm->state);
        status = orp_dbm_save(dbm);
    }
    if (status == APR_SUCCESS) {
        orp_log(dbm->env, ORP_LOG_ERROR, 304, dbm->scratch,
                "store: %s was damaged (%s) beyond repair, and begins empty: "
                "sessions, and logins in progress, are lost; what was there "
                "is kept as %s.*", dbm->shown, damage, to);
    }
    return status;
}

/* New files are nothing to speak of, except in the place of other ones. */
static void say_gone(orp_dbm_t *dbm)
{
    if (dbm->seen) {
        dbm->seen = 0;
        orp_log(dbm->env, ORP_LOG_ERROR, 304, dbm->scratch,
                "store: the files of %s are gone, and it begins empty: "
                "sessions, and logins in progress, are lost", dbm->shown);
    }
}

static apr_status_t begin_anew(orp_dbm_t *dbm)
{
    orp_dbm_state_t *state = &dbm->state;
    apr_status_t status;

    forget(state);
    status = orp_random_bytes(state->seed, sizeof(state->seed));
    if (status != APR_SUCCESS) {
        return orp_dbm_fail(dbm, status, "get random numbers for",
                            dbm->path);
    }
    status = orp_dbm_save(dbm);
    if (status == APR_SUCCESS) {
        status = orp_dbm_copy_begin(dbm, ORP_DBM_A);
    }
    if (status == APR_SUCCESS) {
        status = orp_dbm_copy_mark(dbm, state->marks[ORP_DBM_A], ORP_DBM_A);
    }
    if (status == APR_SUCCESS) {
        state->dirty = ORP_DBM_IN_B;
        status = orp_dbm_save(dbm);
    }
    return status;
}

/* ---------------------------------------------------------------------- */
/* Entering */

apr_status_t orp_dbm_enter(orp_dbm_t *dbm)
{
    struct stat info;
    apr_status_t status = orp_dbm_lock(dbm);

    if (status == APR_SUCCESS) {
        status = load_state(dbm);
    }
    if (status != ORP_DBM_DAMAGED) {
        dbm->seen |= status == APR_SUCCESS;
        return status;
    }
    /* Not damaged, but new: or the one who made it did not get far. */
    if (fstat(dbm->fd, &info) == 0
        && info.st_size < (off_t)(SLOT + sizeof(dbm->state))
        && !has_copies(dbm)) {
        say_gone(dbm);
        forget(&dbm->state);
        return APR_SUCCESS;
    }
    return give_up(dbm);
}

/* ---------------------------------------------------------------------- */
/* Making good */

apr_status_t orp_dbm_duplicate(orp_dbm_t *dbm, orp_dbm_copy_e copy)
{
    orp_dbm_state_t *state = &dbm->state;
    apr_status_t status;

    state->dirty = ORP_DBM_IN_A + copy;
    status = orp_dbm_save(dbm);
    if (status == APR_SUCCESS) {
        status = orp_dbm_copy_overwrite(dbm, copy);
    }
    if (status == APR_SUCCESS) {
        status = orp_dbm_copy_mark(dbm, state->marks[copy], copy);
    }
    if (status == APR_SUCCESS) {
        state->dirty = ORP_DBM_CLEAN;
        status = orp_dbm_save(dbm);
    }
    return status;
}

static apr_status_t replace(orp_dbm_t *dbm, orp_dbm_copy_e copy,
                            unsigned int bad)
{
    const char *to, *damage = dbm->damage;
    apr_uint32_t before = dbm->state.dirty;
    apr_status_t status;

    if (before == ORP_DBM_IN_A + copy && !(bad & 1U << copy)) {
        orp_log(dbm->env, ORP_LOG_INFO, 305, dbm->scratch,
                "store: a write to %s did not end; it is made good from the "
                "other copy", dbm->copy_names[copy]);
        return orp_dbm_duplicate(dbm, copy);
    }
    /* Whoever finds us killed need not set it aside once more. */
    dbm->state.dirty = ORP_DBM_IN_A + copy;
    status = orp_dbm_save(dbm);
    if (status != APR_SUCCESS) {
        return status;
    }
    to = orp_dbm_damaged_name(dbm);
    status = orp_dbm_copy_set_aside(dbm, copy, to);
    if (status != APR_SUCCESS) {
        dbm->state.dirty = before;      /* it is tried again, and reported */
        return orp_dbm_save(dbm) == APR_SUCCESS ? status : ORP_ESTORE;
    }
    orp_log(dbm->env, ORP_LOG_ERROR, 303, dbm->scratch,
            "store: %s was damaged (%s); it is kept as %s.*, and replaced "
            "from the other copy", dbm->copy_names[copy], damage, to);
    return orp_dbm_duplicate(dbm, copy);
}

/* The copies that may be read; the damage noted is that of one that may not.
 */
static unsigned int good_copies(orp_dbm_t *dbm, unsigned int bad)
{
    unsigned int good = 0;
    int copy;

    for (copy = 0; copy < ORP_DBM_COPIES; copy++) {
        if (!(bad & 1U << copy)
            && dbm->state.dirty != ORP_DBM_IN_A + (unsigned int)copy
            && orp_dbm_copy_is_marked(dbm, (orp_dbm_copy_e)copy)) {
            good |= 1U << copy;
        }
    }
    return good;
}

/* All that may be good have been changed by somebody else: perhaps they were
 * copied to this place. Those that hold all that they should are good. */
static apr_status_t find_whole(unsigned int *pgood, orp_dbm_t *dbm,
                               unsigned int bad)
{
    apr_status_t status = APR_SUCCESS;
    int i;

    for (i = 0; i < ORP_DBM_COPIES; i++) {
        orp_dbm_copy_e copy = (orp_dbm_copy_e)i;

        if (bad & 1U << i || dbm->state.dirty == ORP_DBM_IN_A + copy) {
            continue;
        }
        status = orp_dbm_copy_mark(dbm, dbm->state.marks[copy], copy);
        if (status == APR_SUCCESS) {
            status = orp_dbm_verify(dbm, copy);
        }
        if (status == APR_SUCCESS) {
            *pgood |= 1U << copy;
        }
        else if (status != ORP_DBM_DAMAGED) {
            return status;
        }
    }
    return APR_SUCCESS;
}

apr_status_t orp_dbm_recover(orp_dbm_t *dbm, unsigned int bad)
{
    unsigned int good = 0;
    apr_status_t status = APR_SUCCESS;

    dbm->from = ORP_DBM_A;
    if (dbm->state.dirty != ORP_DBM_NEW) {
        good = good_copies(dbm, bad);
        if (good == 3 && dbm->state.dirty == ORP_DBM_CLEAN) {
            return APR_SUCCESS;
        }
        if (!good) {
            status = find_whole(&good, dbm, bad);
        }
        if (status == APR_SUCCESS && !good) {
            status = give_up(dbm);
        }
        if (good == 3) {
            good = 1U << ORP_DBM_A;     /* but are they the same? */
            dbm->state.dirty = ORP_DBM_IN_B;
        }
    }
    if (status == APR_SUCCESS && dbm->state.dirty == ORP_DBM_NEW) {
        status = begin_anew(dbm);
        return status == APR_SUCCESS ? orp_dbm_duplicate(dbm, ORP_DBM_B)
            : status;
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    return replace(dbm, good & 1U << ORP_DBM_A ? ORP_DBM_B : ORP_DBM_A, bad);
}

/* Reading needs one good copy only. Where the other one cannot be made good
 * (a full disk), sessions still work. */
apr_status_t orp_dbm_find_good(orp_dbm_t *dbm, unsigned int bad)
{
    unsigned int good = dbm->state.dirty == ORP_DBM_NEW ? 0
        : good_copies(dbm, bad);
    int torn = dbm->state.dirty != ORP_DBM_CLEAN;
    apr_status_t status;

    if (!(good && (torn || good == 3))) {
        status = orp_dbm_recover(dbm, bad);
        if (status == APR_SUCCESS || !good) {
            return status;
        }
    }
    dbm->from = good & 1U << ORP_DBM_A ? ORP_DBM_A : ORP_DBM_B;
    return APR_SUCCESS;
}
