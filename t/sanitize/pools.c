/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0
 *
 * APR's pools, one malloc() for each allocation, for sanitized builds.
 *
 * A pool hands out pieces of large blocks, which APR may have mapped itself:
 * AddressSanitizer sees neither that somebody writes past the end of a piece
 * nor that a piece is used when its pool has been cleared, and does not look
 * there for pointers to what might have leaked. These functions take the place
 * of APR's own, in unit tests because they are linked into them and under
 * httpd by LD_PRELOAD (t/lib/OpenID2RP/Sanitizer.pm). What a function of APR
 * or httpd allocates comes from here as well.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE             /* RTLD_NEXT */
#endif

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <apr_pools.h>
#include <apr_strings.h>

/* What one pool has handed out since it was made or cleared. */
typedef struct pool_t pool_t;
struct pool_t {
    pool_t *next;
    apr_pool_t *pool;
    apr_allocator_t *allocator; /* for LeakSanitizer to find */
    void **pieces;
    apr_size_t count, room;
};

#define BUCKETS 4096

static pool_t *pools[BUCKETS];
static __thread pool_t *cleared;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock(void)
{
    pthread_mutex_lock(&mutex);
}

static void unlock(void)
{
    pthread_mutex_unlock(&mutex);
}

/* A child of a process with threads must find the mutex unlocked. */
__attribute__((constructor)) static void prepare(void)
{
    pthread_atfork(lock, unlock, unlock);
}

static pool_t **find(apr_pool_t *pool)
{
    pool_t **entry = &pools[((apr_uintptr_t)pool >> 5) % BUCKETS];

    while (*entry && (*entry)->pool != pool) {
        entry = &(*entry)->next;
    }
    return entry;
}

static void *check(void *memory)
{
    if (!memory) {
        abort();
    }
    return memory;
}

/* The first cleanup of every pool, so the last to run. */
static apr_status_t release(void *data)
{
    pool_t *entry = data;

    lock();
    *find(entry->pool) = entry->next;
    unlock();
    entry->next = cleared;
    cleared = entry;
    return APR_SUCCESS;
}

/* Let APR do it, which waits for the pool's subprocesses after the cleanups:
 * until then it needs what they are written down in. */
static void empty(apr_pool_t *pool, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    void (*function)(apr_pool_t *);
    pool_t **place = &cleared;

    memcpy(&function, &found, sizeof(function));
    function(pool);
    while (*place) {
        pool_t *entry = *place;

        if (entry->pool == pool) {
            *place = entry->next;
            while (entry->count > 0) {
                free(entry->pieces[--entry->count]);
            }
            free(entry->pieces);
            free(entry);
        }
        else {
            place = &entry->next;
        }
    }
}

/* A pool is used by one thread at a time, the table by all. */
static pool_t *entry_of(apr_pool_t *pool)
{
    pool_t *entry, **place;

    lock();
    entry = *find(pool);
    if (entry) {
        unlock();
        return entry;
    }
    entry = check(calloc(1, sizeof(*entry)));
    entry->pool = pool;
    entry->allocator = apr_pool_allocator_get(pool);
    place = &pools[((apr_uintptr_t)pool >> 5) % BUCKETS];
    entry->next = *place;
    *place = entry;
    unlock();
    /* This allocates in the same pool, which has an entry now. */
    apr_pool_cleanup_register(pool, entry, release, apr_pool_cleanup_null);
    return entry;
}

static void *keep(apr_pool_t *pool, void *memory)
{
    pool_t *entry = entry_of(pool);

    if (entry->count == entry->room) {
        entry->room = entry->room ? 2 * entry->room : 16;
        entry->pieces = check(realloc(entry->pieces,
                                      entry->room * sizeof(void *)));
    }
    return entry->pieces[entry->count++] = check(memory);
}

#undef apr_palloc
#undef apr_pcalloc
#undef apr_pool_clear
#undef apr_pool_destroy
#pragma GCC visibility push(default)

void apr_pool_clear(apr_pool_t *pool)
{
    empty(pool, "apr_pool_clear");
}

void apr_pool_destroy(apr_pool_t *pool)
{
    empty(pool, "apr_pool_destroy");
}

void *apr_palloc(apr_pool_t *pool, apr_size_t size)
{
    return keep(pool, malloc(size));
}

void *apr_pcalloc(apr_pool_t *pool, apr_size_t size)
{
    return keep(pool, calloc(1, size));
}

char *apr_pvsprintf(apr_pool_t *pool, const char *format, va_list arguments)
{
    apr_size_t room = 256;

    while (1) {
        char *text = check(malloc(room));
        va_list again;
        int length;

        va_copy(again, arguments);
        length = apr_vsnprintf(text, room, format, again);
        va_end(again);
        if ((apr_size_t)length < room - 1) {
            char *exact = apr_pstrmemdup(pool, text, (apr_size_t)length);

            free(text);
            return exact;
        }
        free(text);
        room *= 2;
    }
}

char *apr_psprintf(apr_pool_t *pool, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = apr_pvsprintf(pool, format, arguments);
    va_end(arguments);
    return text;
}

#pragma GCC visibility pop
