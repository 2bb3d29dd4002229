/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_store_place.h - where a store is, as an administrator writes it in
 * OpenIDStore and in --store.
 *
 *   shm[:SIZE]
 *   dbm:PATH[?size=SIZE]
 *   redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE][?OPTIONS]
 *   redis://[[USER]:PASSWORD@]/PATH/OF/SOCKET[?OPTIONS]
 *   rediss://…                          the same, by TLS; no socket
 *   memcache://HOST[:PORT][,HOST[:PORT]]…[?OPTIONS]
 *
 * HOST may be an IPv6 address in brackets (not for memcache). What stands
 * before "@", and values of options, may be percent-encoded. OPTIONS, joined
 * by "&":
 *
 *   prefix=TEXT          what keys begin with; "openid2rp:". For sites that
 *                        share a server and must not share logins
 *   timeout=TIME         for one operation, such as 500ms or 2s; 500ms.
 *                        redis only; memcache always takes 500ms
 *   password-file=PATH   its first line is the password; a USER may then
 *                        stand alone before "@"
 *   database=N           for a socket
 *   ca=PATH              certificate authorities, PEM; rediss only
 *
 * SIZE is a number of bytes, or one with K, M or G behind it; 1M to 1024G.
 * PATHs are absolute. A password file must not be readable by everybody.
 */
#ifndef ORP_STORE_PLACE_H
#define ORP_STORE_PLACE_H

#include <apr_network_io.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "orp_status.h"

typedef enum {
    ORP_PLACE_SHM,
    ORP_PLACE_DBM,
    ORP_PLACE_REDIS,
    ORP_PLACE_MEMCACHE
} orp_place_e;

typedef struct orp_place_server_t {
    const char *host;               /* without brackets */
    apr_port_t port;
} orp_place_server_t;

typedef struct orp_store_place_t {
    orp_place_e type;
    const char *shown;              /* for people and logs: the same without
                                     * its password */
    apr_uint64_t size;              /* shm, dbm: bytes; 0: the default */
    const char *path;               /* dbm: what its files begin with; redis:
                                     * the socket, or NULL for a server */
    apr_array_header_t *servers;    /* of orp_place_server_t; redis has one
                                     * or, with a socket, none */
    int tls;
    const char *ca_file;            /* NULL: the system's authorities */
    const char *user;               /* NULL: none */
    const char *password;           /* NULL: none; secret, cleansed with the
                                     * pool */
    int database;
    const char *prefix;
    apr_interval_time_t timeout;
} orp_store_place_t;

/** The default of dbm's size, in bytes. */
#define ORP_PLACE_DBM_SIZE (APR_UINT64_C(256) * 1024 * 1024)

/**
 * Read a place. Nothing is opened, but a password file is read.
 * @param pplace  set on success
 * @param why     one sentence that names what is wrong, and shows no password
 * @return APR_SUCCESS or APR_EINVAL
 */
ORP_MUST_USE apr_status_t orp_store_place_parse(orp_store_place_t **pplace,
                                                const char *text,
                                                orp_reason_t *why,
                                                apr_pool_t *pool);

#endif
