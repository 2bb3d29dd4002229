/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "openid2rp_body.h"

#include <apr_buckets.h>
#include <apr_strings.h>
#include <apr_strmatch.h>
#include <http_protocol.h>
#include <util_filter.h>

#include "openid2rp_config.h"
#include "openid2rp_vars.h"
#include "orp_http.h"
#include "orp_multipart.h"

#define FILTER_NAME "OPENID2RP_REPLAY"
#define TRAILERS_NAME "OPENID2RP_TRAILERS"
#define KEPT_KEY "openid2rp:kept-body"
#define CHUNK 8192

/* What was read ahead. An internal redirect drops a request's filters, but
 * keeps its pool: so it waits there, and each request inserts the filter
 * anew. */
typedef struct {
    char *bytes;
    apr_size_t size;            /* read from the client */
    apr_size_t given;           /* handed out again */
    int complete;               /* the end of the body was seen */
    int asked;                  /* the form has been asked for */
    int too_many;               /* parameters */
    orp_params_t *form;
} kept_t;

static kept_t *find_kept(request_rec *r)
{
    void *kept = NULL;

    apr_pool_userdata_get(&kept, KEPT_KEY, r->pool);
    return kept;
}

/* How much of what is left this call asks for. A line may be given in parts,
 * where what was kept ends within it. */
static apr_size_t portion(const kept_t *kept, ap_input_mode_t mode,
                          apr_off_t readbytes)
{
    const char *from = kept->bytes + kept->given, *newline;
    apr_size_t size = kept->size - kept->given;

    if (mode == AP_MODE_EXHAUSTIVE) {
        return size;
    }
    if (mode == AP_MODE_GETLINE) {
        newline = memchr(from, '\n', size);
        return newline ? (apr_size_t)(newline + 1 - from) : size;
    }
    if (readbytes < (apr_off_t)size) {
        size = readbytes > 0 ? (apr_size_t)readbytes : 0;
    }
    return size;
}

/* Hand out what was kept, then get out of the way. The other modes are not of
 * a body, but of its connection. */
static apr_status_t replay(ap_filter_t *f, apr_bucket_brigade *bb,
                           ap_input_mode_t mode, apr_read_type_e block,
                           apr_off_t readbytes)
{
    kept_t *kept = f->ctx;
    apr_bucket_alloc_t *alloc = f->c->bucket_alloc;
    apr_size_t size;

    if (mode == AP_MODE_EATCRLF || mode == AP_MODE_INIT
        || (kept->given == kept->size && !kept->complete)) {
        return ap_get_brigade(f->next, bb, mode, block, readbytes);
    }
    size = portion(kept, mode, readbytes);
    if (size) {
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_pool_create(
            kept->bytes + kept->given, size, f->r->pool, alloc));
    }
    if (mode != AP_MODE_SPECULATIVE) {
        kept->given += size;
    }
    if (kept->complete && kept->given == kept->size) {
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(alloc));
    }
    return APR_SUCCESS;
}

/* With MergeTrailers, httpd adds what stands behind a body to the headers, when
 * somebody reads the body to its end. */
static apr_status_t scrub_trailers(ap_filter_t *f, apr_bucket_brigade *bb,
                                   ap_input_mode_t mode,
                                   apr_read_type_e block, apr_off_t readbytes)
{
    apr_status_t status = ap_get_brigade(f->next, bb, mode, block, readbytes);

    if (status == APR_SUCCESS && !APR_BRIGADE_EMPTY(bb)
        && APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(bb))) {
        openid2rp_vars_scrub_trailers(f->r);
    }
    return status;
}

void openid2rp_body_register(void)
{
    ap_register_input_filter(TRAILERS_NAME, scrub_trailers, NULL,
                             AP_FTYPE_PROTOCOL - 1);
    /* next to the protocol: what other modules insert (decompression, say)
     * sees the body as it came */
    ap_register_input_filter(FILTER_NAME, replay, NULL,
                             AP_FTYPE_PROTOCOL - 1);
}

void openid2rp_body_insert_filter(request_rec *r)
{
    kept_t *kept = r->main ? NULL : find_kept(r);

    if (kept && (kept->size || kept->complete)) {
        ap_add_input_filter(FILTER_NAME, kept, r, r->connection);
    }
    /* a body whose length is told has none behind it */
    if (!r->main && openid2rp_is_on(r)
        && !apr_table_get(r->headers_in, "Content-Length")) {
        ap_add_input_filter(TRAILERS_NAME, NULL, r, r->connection);
    }
}

/* Move a brigade's data behind what is kept already. */
static apr_status_t keep(kept_t *kept, apr_bucket_brigade *bb)
{
    apr_bucket *bucket;

    for (bucket = APR_BRIGADE_FIRST(bb);
         bucket != APR_BRIGADE_SENTINEL(bb) && !kept->complete;
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char *data;
        apr_size_t size;
        apr_status_t status;

        if (APR_BUCKET_IS_EOS(bucket)) {
            kept->complete = 1;
        }
        else if (!APR_BUCKET_IS_METADATA(bucket)) {
            status = apr_bucket_read(bucket, &data, &size, APR_BLOCK_READ);
            if (status != APR_SUCCESS) {
                return status;
            }
            if (size > OPENID2RP_FORM_MAX + CHUNK - kept->size) {
                return APR_ENOSPC;      /* a filter gave more than asked */
            }
            memcpy(kept->bytes + kept->size, data, size);
            kept->size += size;
        }
    }
    return APR_SUCCESS;
}

/* Read until the end, or until it is too much to be ours. */
static int read_ahead(kept_t *kept, request_rec *r)
{
    apr_bucket_brigade *bb = apr_brigade_create(r->pool,
                                                r->connection->bucket_alloc);
    apr_status_t status = APR_SUCCESS;

    kept->bytes = apr_palloc(r->pool, OPENID2RP_FORM_MAX + CHUNK);
    while (status == APR_SUCCESS && !kept->complete
           && kept->size <= OPENID2RP_FORM_MAX) {
        status = ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES,
                                APR_BLOCK_READ, CHUNK);
        if (status == APR_SUCCESS) {
            status = keep(kept, bb);
        }
        apr_brigade_cleanup(bb);
    }
    if (status != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, status, r, O2RP(220)
                      "the body of a request could not be read");
        return ap_map_http_request_error(status, HTTP_BAD_REQUEST);
    }
    return OK;
}

typedef enum { NO_FORM, URLENCODED, MULTIPART } form_e;

/* What is compressed, or coded otherwise, is not looked into: it would have
 * to be decoded, to any size. */
static form_e form_type(request_rec *r)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    const char *coding = apr_table_get(r->headers_in, "Content-Encoding");

    if (r->method_number != M_POST || !type
        || (coding && ap_cstr_casecmp(coding, "identity"))) {
        return NO_FORM;
    }
    type = orp_http_media_type(type, r->pool);
    return !strcmp(type, "application/x-www-form-urlencoded") ? URLENCODED
        : !strcmp(type, "multipart/form-data") ? MULTIPART : NO_FORM;
}

/* Is a length told that is too much? */
static int is_long(request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t size = 0;

    return length
        && (apr_strtoff(&size, length, NULL, 10) != APR_SUCCESS
            || size > OPENID2RP_FORM_MAX);
}

static void parse(kept_t *kept, request_rec *r)
{
    apr_status_t status;

    if (!kept->complete || kept->size > OPENID2RP_FORM_MAX) {
        return;
    }
    status = form_type(r) == MULTIPART
        ? orp_multipart_parse(&kept->form,
                              apr_table_get(r->headers_in, "Content-Type"),
                              kept->bytes, kept->size, r->pool)
        : orp_params_parse_form(&kept->form, kept->bytes, kept->size,
                                r->pool);
    kept->too_many = status == ORP_ETOOBIG;
    if (status != APR_SUCCESS) {
        kept->form = NULL;
    }
}

int openid2rp_body_form(orp_params_t **pform, request_rec *r)
{
    kept_t *kept = find_kept(r);
    int result;

    if (!kept) {
        kept = apr_pcalloc(r->pool, sizeof(*kept));
        apr_pool_userdata_setn(kept, KEPT_KEY, NULL, r->pool);
    }
    if (!kept->asked) {
        kept->asked = 1;
        if (form_type(r) != NO_FORM && !is_long(r)) {
            result = read_ahead(kept, r);
            if (result != OK) {
                return result;
            }
            parse(kept, r);
        }
    }
    *pform = kept->form;
    return OK;
}

int openid2rp_body_message(orp_params_t **pform, request_rec *r)
{
    if (form_type(r) != URLENCODED) {
        *pform = NULL;
        return OK;
    }
    return openid2rp_body_form(pform, r);
}

/* Was reading stopped because it was too much? */
static int is_cut(const kept_t *kept)
{
    return kept && kept->size > OPENID2RP_FORM_MAX;
}

int openid2rp_body_is_too_large(request_rec *r)
{
    const kept_t *kept = find_kept(r);

    return is_long(r) || is_cut(kept) || (kept && kept->too_many);
}

/* Bytes of any kind: a NUL is no end. */
static int kept_has(const kept_t *kept, const char *text, apr_pool_t *pool)
{
    return apr_strmatch(apr_strmatch_precompile(pool, text, 1), kept->bytes,
                        kept->size) != NULL;
}

int openid2rp_body_broken_form_has(request_rec *r, const char *field)
{
    const kept_t *kept = find_kept(r);
    const char *name;

    if (!kept || !kept->size || !kept->complete || kept->form) {
        return 0;
    }
    if (form_type(r) == URLENCODED) {
        return kept_has(kept, field, r->pool);
    }
    name = apr_pstrmemdup(r->pool, field, strcspn(field, "="));
    return kept_has(kept, apr_pstrcat(r->pool, "name=\"", name, "\"", NULL),
                    r->pool);
}

int openid2rp_body_large_form_has(request_rec *r, const char *field)
{
    kept_t *kept = find_kept(r);

    if (!kept || !openid2rp_body_is_too_large(r)
        || form_type(r) != URLENCODED) {
        return 0;
    }
    if (!kept->bytes && read_ahead(kept, r) != OK) {
        return 0;
    }
    return kept_has(kept, field, r->pool);
}

void openid2rp_body_leave(request_rec *r)
{
    const kept_t *kept = find_kept(r);
    int is_read = kept && kept->complete;

    if (is_long(r) || is_cut(kept)
        || (!is_read && apr_table_get(r->headers_in, "Transfer-Encoding"))) {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
}
