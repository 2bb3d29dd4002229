/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_dbm_files.h - the files of a dbm store, and how they survive.
 *
 *   PATH.state              two slots for one struct, written in turn
 *   PATH.a.pag, PATH.a.dir  copy A, an sdbm database
 *   PATH.b.pag, PATH.b.dir  copy B, the same once more
 *   PATH.damaged-DATE-TIME.*    what was found damaged, for who wants to know
 *
 * Why two copies: sdbm rewrites pages in place and splits them, so a process
 * that is killed at that leaves a torn database. A change goes to A first,
 * then to B, and PATH.state says where it is:
 *
 *   state.dirty    A           B           who finds it so, because its
 *                                          holder was killed
 *   ------------   ---------   ---------   -------------------------------
 *   CLEAN          good        the same    has nothing to do
 *   IN_A           torn        as before   copies B to A: the change, which
 *                                          nobody was told of, did not happen
 *   IN_B           changed     torn        copies A to B: the change happened
 *   NEW            -           -           makes both, empty
 *
 * The step from IN_A to IN_B is one write, with all counters in it: that is
 * when a change has happened. So the counters always belong to a copy that is
 * good.
 *
 * PATH.state also knows size and time of change of each file, and they are
 * compared whenever the lock is taken: sdbm trusts its pages, so a file that
 * somebody else has changed must not reach it. Such a copy, and one in which a
 * checksum is wrong, is set aside and made anew from the other one. Where
 * neither can be believed the store begins empty. That loses sessions, but
 * lets nothing be replayed: logins are gone with the nonces.
 *
 * The lock is one of fcntl() on PATH.state, which the kernel releases when
 * its holder is killed, and a mutex among the threads of the process. It lasts
 * from orp_dbm_enter() to orp_dbm_leave(); everything between is done by its
 * holder alone. Nobody waits for it longer than 2 s: a holder that was stopped
 * (SIGSTOP, a debugger) must not stop all others. fcntl() does not tell apart
 * two handles in one process, and closing the file by one takes the lock from
 * the other: one handle a process.
 *
 * Nothing is flushed to the disk (fsync): a process that is killed loses
 * nothing, but a machine that loses its power may find a store that it cannot
 * believe, and begin with an empty one. Not for network file systems.
 *
 * Only records are limited (orp_store_place_t.size); the files need several
 * times that, since there are two of each and sdbm's pages are half full.
 *
 * Functions return APR_SUCCESS; ORP_ESTORE, when dbm->what tells what did not
 * work; or ORP_DBM_DAMAGED, when dbm->damage tells what is wrong with a copy.
 */
#ifndef ORP_STORE_DBM_FILES_H
#define ORP_STORE_DBM_FILES_H

#include <sys/stat.h>

#include <apr_thread_mutex.h>

#include "orp_store_health.h"
#include "orp_store_open.h"

/** A copy is not as it must be; never leaves the dbm store's own files. */
#define ORP_DBM_DAMAGED APR_EINCOMPLETE

/** Bytes of pages that are read at a time. */
#define ORP_DBM_BUFFER 65536

/** No record: later than all times. */
#define ORP_DBM_NEVER APR_INT64_MAX

typedef enum {
    ORP_DBM_A,
    ORP_DBM_B,
    ORP_DBM_COPIES              /* how many there are */
} orp_dbm_copy_e;

typedef enum {
    ORP_DBM_PAG,
    ORP_DBM_DIR,
    ORP_DBM_FILES               /* how many a copy has */
} orp_dbm_file_e;

/* orp_dbm_state_t.dirty; IN_A + copy is the marker of a copy */
#define ORP_DBM_CLEAN 0U
#define ORP_DBM_IN_A 1U
#define ORP_DBM_IN_B 2U
#define ORP_DBM_NEW 3U

/** How a file looked when it was last closed. */
typedef struct orp_dbm_mark_t {
    apr_int64_t size;
    apr_int64_t changed;        /* nanoseconds since 1970 */
} orp_dbm_mark_t;

/** What is known of one kind. */
typedef struct orp_dbm_count_t {
    apr_uint64_t records;       /* expired ones too */
    apr_uint64_t bytes;         /* of these records, as orp_dbm_cost() */
    apr_uint64_t refused;       /* times that a record found no room */
    apr_time_t oldest;          /* none of them expires before that */
    apr_time_t pass_oldest;     /* the same, of those that the present pass
                                 * has seen */
} orp_dbm_count_t;

/** The contents of PATH.state. */
typedef struct orp_dbm_state_t {
    char magic[8];
    apr_uint32_t version;
    apr_uint32_t size;          /* of this; also tells byte orders apart */
    apr_uint32_t dirty;
    apr_uint32_t page_size;     /* of sdbm; it is another one in other
                                 * releases of APR */
    unsigned char seed[32];     /* who chooses keys cannot choose pages */
    orp_dbm_mark_t marks[ORP_DBM_COPIES][ORP_DBM_FILES];
    orp_dbm_count_t counts[ORP_STORE_KINDS];
    apr_uint64_t cursor;        /* the next page that a pass looks at */
    apr_uint64_t passes;        /* how many have ended */
    apr_time_t rest_until;      /* real time: no long search for room */
    apr_uint32_t stamp;         /* of the last record written */
    apr_uint32_t refills;       /* how often records went to other pages */
    apr_uint64_t sequence;      /* of two states, the later one counts */
    apr_uint64_t checksum;      /* of all before it */
} orp_dbm_state_t;

/** One open store. */
typedef struct orp_dbm_t {
    const char *path;
    const char *shown;
    const orp_env_t *env;
    const char *directory;      /* that path is in */
    const char *names[ORP_DBM_COPIES][ORP_DBM_FILES];
    const char *copy_names[ORP_DBM_COPIES];     /* as sdbm wants them */
    const char *state_name;
    apr_uint64_t limits[ORP_STORE_KINDS];       /* bytes */
    orp_store_health_t *health; /* NULL in a check */
    apr_thread_mutex_t *mutex;  /* guards all that follows */
    int reads_fail, writes_fail;
    int stuck;                  /* the lock could not be got in time */
    int wrote;                  /* the present operation, something new */
    int seen;                   /* there was a state */
    apr_pool_t *scratch;        /* cleared after each operation */
    unsigned char *buffer;      /* of ORP_DBM_BUFFER bytes */
    int fd;                     /* PATH.state, locked; or -1 */
    orp_dbm_state_t state;
    apr_uint64_t sequence;      /* of the state that was written last */
    orp_dbm_copy_e from;        /* the copy to read */
    char what[512];             /* what did not work */
    const char *damage;         /* what is wrong with a copy */
} orp_dbm_t;

/* ---------------------------------------------------------------------- */
/* orp_store_dbm_files.c: one file */

/** A handle. Nothing is opened. @param place  must outlive it, and env too */
ORP_MUST_USE apr_status_t orp_dbm_create(orp_dbm_t **pdbm,
                                         const orp_store_place_t *place,
                                         const orp_env_t *env,
                                         apr_pool_t *pool);

/**
 * Note what did not work, for the log.
 * @param doing  such as "write"
 * @return ORP_ESTORE
 */
apr_status_t orp_dbm_fail(orp_dbm_t *dbm, apr_status_t status,
                          const char *doing, const char *name);

/** Note what is wrong with a copy. @return ORP_DBM_DAMAGED */
apr_status_t orp_dbm_is_damaged(orp_dbm_t *dbm, const char *damage);

/**
 * Open a file of ours to read and write; never a link, or anything that is
 * not a regular file. A new one is 0600 and, where root makes it, of who owns
 * the directory.
 * @param flags  O_CREAT, O_TRUNC or 0
 */
ORP_MUST_USE apr_status_t orp_dbm_file_open(int *pfd, orp_dbm_t *dbm,
                                            const char *name, int flags);

/** Write all of it there. @return APR_SUCCESS, or what the system says */
apr_status_t orp_dbm_write(int fd, const void *bytes, apr_size_t size,
                           off_t at);

/** Make both files of a copy, empty. */
ORP_MUST_USE apr_status_t orp_dbm_copy_clear(orp_dbm_t *dbm,
                                             orp_dbm_copy_e copy);

/** Write the files of the other copy over those of this one. */
ORP_MUST_USE apr_status_t orp_dbm_copy_overwrite(orp_dbm_t *dbm,
                                                 orp_dbm_copy_e copy);

/** Is the copy as its marks say? dbm->damage is set where not. */
int orp_dbm_copy_is_marked(orp_dbm_t *dbm, orp_dbm_copy_e copy);

/** See how the copy's files look now. */
ORP_MUST_USE apr_status_t orp_dbm_copy_mark(orp_dbm_t *dbm,
                                            orp_dbm_mark_t *marks,
                                            orp_dbm_copy_e copy);

/** What PATH.damaged-DATE-TIME is now; one that nothing has yet. */
const char *orp_dbm_damaged_name(orp_dbm_t *dbm);

/** Rename a copy's files, those that there are. @param to  as above */
ORP_MUST_USE apr_status_t orp_dbm_copy_set_aside(orp_dbm_t *dbm,
                                                 orp_dbm_copy_e copy,
                                                 const char *to);

/* ---------------------------------------------------------------------- */
/* orp_store_dbm_lock.c: PATH.state, opened and locked */

/** Open PATH.state, or make it, and lock it: the first half of
 * orp_dbm_enter(). */
ORP_MUST_USE apr_status_t orp_dbm_lock(orp_dbm_t *dbm);

/** Between two parts of something long, without the lock: let those get it
 * who wait. */
void orp_dbm_give_way(void);

/** Give back the lock. Also after an orp_dbm_enter() that failed. */
void orp_dbm_leave(orp_dbm_t *dbm);

/* ---------------------------------------------------------------------- */
/* orp_store_dbm_state.c: all of them */

/**
 * Take the lock and read PATH.state, or make it. No copy is looked at.
 * @return as above; dbm->stuck tells that it was the lock
 */
ORP_MUST_USE apr_status_t orp_dbm_enter(orp_dbm_t *dbm);

/** Write dbm->state. */
ORP_MUST_USE apr_status_t orp_dbm_save(orp_dbm_t *dbm);

/**
 * Make both copies good, whatever there is; dbm->from is A then.
 * @param bad  bits (1 << copy) of those in which damage was found
 */
ORP_MUST_USE apr_status_t orp_dbm_recover(orp_dbm_t *dbm, unsigned int bad);

/** Have dbm->from be a good copy, by orp_dbm_recover() if need be. */
ORP_MUST_USE apr_status_t orp_dbm_find_good(orp_dbm_t *dbm,
                                            unsigned int bad);

/** Make a copy the same as the other one, which is good; then both are. */
ORP_MUST_USE apr_status_t orp_dbm_duplicate(orp_dbm_t *dbm,
                                            orp_dbm_copy_e copy);

#endif
