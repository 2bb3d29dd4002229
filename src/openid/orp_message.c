/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_message.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include "orp_codec.h"

#define PREFIX "openid."
#define PREFIX_SIZE (sizeof(PREFIX) - 1)

struct orp_message_t {
    orp_params_t *fields;
    orp_params_t *lines;        /* what a direct response's are copies of */
    apr_hash_t *index;          /* names to values */
    apr_array_header_t *signed_names;   /* of const char * */
    apr_hash_t *signed_index;   /* the same, to find them */
};

/* A stranger chooses how many fields there are and how they are named: what
 * was seen before is looked up, never searched for. */
static int is_seen(const apr_hash_t *index, const char *text)
{
    return apr_hash_get((apr_hash_t *)index, text, APR_HASH_KEY_STRING)
        != NULL;
}

static void see(apr_hash_t *index, const char *text, const char *value)
{
    apr_hash_set(index, text, APR_HASH_KEY_STRING, value);
}

static apr_status_t check_field(const char *name, const char *value,
                                orp_reason_t *why)
{
    if (!*name || strlen(name) > ORP_MESSAGE_NAME_MAX) {
        return orp_reason_set(why, ORP_EMESSAGE, NULL,
                              "The provider's message has a field whose name "
                              "is not 1 to %d bytes long.",
                              ORP_MESSAGE_NAME_MAX);
    }
    if (orp_has_control(name) || strchr(name, ':')
        || !orp_utf8_valid(name, strlen(name))) {
        return orp_reason_set(why, ORP_EMESSAGE, NULL,
                              "The provider's message has a field whose name "
                              "contains a character that is not allowed.");
    }
    if (strlen(value) > ORP_MESSAGE_VALUE_MAX) {
        return orp_reason_set(why, ORP_EMESSAGE, name,
                              "The provider's message has more than %d bytes "
                              "in the field \"%s\".", ORP_MESSAGE_VALUE_MAX,
                              name);
    }
    if (orp_has_control(value) || !orp_utf8_valid(value, strlen(value))) {
        return orp_reason_set(why, ORP_EMESSAGE, name,
                              "The provider's message has a control character "
                              "or broken text in the field \"%s\".", name);
    }
    return APR_SUCCESS;
}

static apr_status_t add_field(orp_message_t *message, const char *name,
                              const char *value, orp_reason_t *why)
{
    int last = orp_params_size(message->fields);
    apr_status_t status = check_field(name, value, why);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (is_seen(message->index, name)) {
        return orp_reason_set(why, ORP_EMESSAGE, name,
                              "The provider's message contains the field "
                              "\"%s\" twice.", name);
    }
    orp_params_add(message->fields, name, value);
    see(message->index, orp_params_name(message->fields, last),
        orp_params_value(message->fields, last));
    return APR_SUCCESS;
}

/* 12: names that no alias may have. */
static const char *const reserved[] = {
    "assoc_handle", "assoc_type", "claimed_id", "contact", "delegate",
    "dh_consumer_public", "dh_gen", "dh_modulus", "error", "identity",
    "invalidate_handle", "mode", "ns", "op_endpoint", "openid", "realm",
    "reference", "response_nonce", "return_to", "server", "session_type",
    "sig", "signed", "trust_root",
};

/* 12: an alias has no period, is not empty, and not reserved. */
static int is_alias(const char *alias)
{
    apr_size_t i;

    for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (!strcmp(alias, reserved[i])) {
            return 0;
        }
    }
    return *alias && !strchr(alias, '.');
}

/* 12: "no two aliases for one extension", or it would be unclear which of
 * them is meant. */
static apr_status_t check_aliases(const orp_message_t *message,
                                  orp_reason_t *why, apr_pool_t *pool)
{
    apr_hash_t *uris = apr_hash_make(pool);
    int i;

    for (i = 0; i < orp_params_size(message->fields); i++) {
        const char *name = orp_params_name(message->fields, i);
        const char *uri = orp_params_value(message->fields, i);

        if (strncmp(name, "ns.", 3)) {
            continue;
        }
        if (!is_alias(name + 3)) {
            return orp_reason_set(why, ORP_EMESSAGE, name,
                                  "The provider's message gives an extension "
                                  "a name that none may have.");
        }
        if (is_seen(uris, uri)) {
            return orp_reason_set(why, ORP_EMESSAGE, uri,
                                  "The provider's message gives one "
                                  "extension two names.");
        }
        see(uris, uri, uri);
    }
    return APR_SUCCESS;
}

static void read_signed(orp_message_t *message, apr_pool_t *pool)
{
    const char *list = orp_message_get(message, "signed");

    if (!list || !*list) {
        return;
    }
    for (;;) {
        apr_size_t size = strcspn(list, ",");
        const char *name = apr_pstrmemdup(pool, list, size);

        see(message->signed_index, name, name);
        APR_ARRAY_PUSH(message->signed_names, const char *) = name;
        if (!list[size]) {
            return;
        }
        list += size + 1;       /* behind a last comma: an empty name */
    }
}

static orp_message_t *create(apr_pool_t *pool)
{
    orp_message_t *message = apr_palloc(pool, sizeof(*message));

    message->fields = orp_params_create(pool);
    message->lines = NULL;
    message->index = apr_hash_make(pool);
    message->signed_names = apr_array_make(pool, 16, sizeof(const char *));
    message->signed_index = apr_hash_make(pool);
    return message;
}

static apr_status_t finish(orp_message_t **pmessage, orp_message_t *message,
                           orp_reason_t *why, apr_pool_t *pool)
{
    apr_status_t status = check_aliases(message, why, pool);

    if (status == APR_SUCCESS) {
        read_signed(message, pool);
        *pmessage = message;
    }
    return status;
}

apr_status_t orp_message_from_request(orp_message_t **pmessage,
                                      const orp_params_t *params,
                                      orp_reason_t *why, apr_pool_t *pool)
{
    orp_message_t *message = create(pool);
    int i;

    for (i = 0; i < orp_params_size(params); i++) {
        const char *name = orp_params_name(params, i);
        apr_status_t status = APR_SUCCESS;

        if (!strncmp(name, PREFIX, PREFIX_SIZE)) {
            status = add_field(message, name + PREFIX_SIZE,
                               orp_params_value(params, i), why);
        }
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    if (!orp_message_get(message, "mode")) {
        return orp_reason_set(why, ORP_EMESSAGE, "mode",
                              "The provider's message has no openid.mode.");
    }
    return finish(pmessage, message, why, pool);
}

apr_status_t orp_message_from_kv(orp_message_t **pmessage, const char *body,
                                 apr_size_t size, orp_reason_t *why,
                                 apr_pool_t *pool)
{
    orp_message_t *message = create(pool);
    orp_params_t *params;
    int i;

    if (orp_params_parse_kv(&params, body, size, pool) != APR_SUCCESS) {
        return orp_reason_set(why, ORP_EMESSAGE, NULL,
                              "The provider's answer is not in key-value "
                              "form.");
    }
    message->lines = params;
    for (i = 0; i < orp_params_size(params); i++) {
        apr_status_t status = add_field(message, orp_params_name(params, i),
                                        orp_params_value(params, i), why);
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    return finish(pmessage, message, why, pool);
}

const char *orp_message_get(const orp_message_t *message, const char *name)
{
    return apr_hash_get(message->index, name, APR_HASH_KEY_STRING);
}

void orp_message_cleanse(orp_message_t *message, const char *name)
{
    orp_params_cleanse(message->fields, name);
    if (message->lines) {
        orp_params_cleanse(message->lines, name);
    }
}

const orp_params_t *orp_message_fields(const orp_message_t *message)
{
    return message->fields;
}

orp_version_e orp_message_version(const orp_message_t *message)
{
    const char *ns = orp_message_get(message, "ns");

    return ns && !strcmp(ns, ORP_NS_20) ? ORP_VERSION_2 : ORP_VERSION_1;
}

/* Does any field have this alias, as in "sreg.email"? */
static int uses_alias(const orp_message_t *message, const char *alias)
{
    apr_size_t size = strlen(alias);
    int i;

    for (i = 0; i < orp_params_size(message->fields); i++) {
        const char *name = orp_params_name(message->fields, i);

        if (!strncmp(name, alias, size) && name[size] == '.') {
            return 1;
        }
    }
    return 0;
}

orp_params_t *orp_message_namespaces(const orp_message_t *message,
                                     apr_pool_t *pool)
{
    orp_params_t *namespaces = orp_params_create(pool);
    int i;

    for (i = 0; i < orp_params_size(message->fields); i++) {
        const char *name = orp_params_name(message->fields, i);

        if (!strncmp(name, "ns.", 3)) {
            orp_params_add(namespaces, name + 3,
                           orp_params_value(message->fields, i));
        }
    }
    return namespaces;
}

const char *orp_message_alias(const orp_message_t *message,
                              const char *type_uri, const char *fallback)
{
    int i;

    for (i = 0; i < orp_params_size(message->fields); i++) {
        const char *name = orp_params_name(message->fields, i);

        if (!strncmp(name, "ns.", 3)
            && !strcmp(orp_params_value(message->fields, i), type_uri)) {
            return name + 3;
        }
        if (fallback && !strncmp(name, "ns.", 3)
            && !strcmp(name + 3, fallback)) {
            fallback = NULL;    /* it stands for another extension */
        }
    }
    if (fallback && orp_message_version(message) == ORP_VERSION_1
        && uses_alias(message, fallback)) {
        return fallback;
    }
    return NULL;
}

const char *orp_message_signed_alias(const orp_message_t *message,
                                     const char *type_uri,
                                     const char *fallback, apr_pool_t *pool)
{
    const char *alias = orp_message_alias(message, type_uri, fallback);
    const char *declaration;

    if (!alias) {
        return NULL;
    }
    declaration = apr_pstrcat(pool, "ns.", alias, NULL);
    if (orp_message_get(message, declaration)) {
        return orp_message_is_signed(message, declaration) ? alias : NULL;
    }
    return alias;
}

const apr_array_header_t *orp_message_signed(const orp_message_t *message)
{
    return message->signed_names;
}

int orp_message_is_signed(const orp_message_t *message, const char *name)
{
    return is_seen(message->index, name)
        && is_seen(message->signed_index, name);
}

static apr_status_t missing(const char *name, orp_reason_t *why)
{
    return orp_reason_set(why, ORP_EMESSAGE, name,
                          "The provider says that it signed the field "
                          "\"%s\", but did not send it.",
                          strlen(name) > ORP_MESSAGE_NAME_MAX
                          ? "(a very long name)" : name);
}

apr_status_t orp_message_signed_text(const char **ptext,
                                     const orp_message_t *message,
                                     orp_reason_t *why, apr_pool_t *pool)
{
    apr_array_header_t *lines = apr_array_make(pool, 16,
                                               sizeof(const char *));
    apr_size_t size = 0;
    int i;

    for (i = 0; i < message->signed_names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(message->signed_names, i,
                                         const char *);
        const char *value = orp_message_get(message, name);

        if (!value) {
            return missing(name, why);
        }
        /* the list may name a field twice; but one that names it a thousand
         * times would make a short message a very long text */
        size += strlen(name) + strlen(value) + 2;
        if (size > ORP_MESSAGE_TEXT_MAX) {
            return orp_reason_set(why, ORP_EMESSAGE, "signed",
                                  "What the provider says that it signed is "
                                  "longer than its message.");
        }
        APR_ARRAY_PUSH(lines, const char *)
            = apr_pstrcat(pool, name, ":", value, "\n", NULL);
    }
    *ptext = apr_array_pstrcat(pool, lines, 0);
    return APR_SUCCESS;
}
