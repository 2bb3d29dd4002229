/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_associate.c - orp_associate: what is asked for, and which replies are
 * used. */

#include "support_op.h"

#include "orp_associate.h"
#include "orp_codec.h"

#define TLS "https://op.example/auth"
#define PLAIN "http://op.example/auth"

static apr_status_t associate(op_t *op, orp_version_e version,
                              const char *type, const char *session,
                              orp_assoc_t **passoc)
{
    orp_associate_t request = { op->endpoint, version, type, session };
    orp_reason_t *why = orp_reason_create(op->scene->pool);
    apr_status_t status;

    *passoc = NULL;
    status = orp_associate(passoc, &op->scene->env, &request, why,
                           op->scene->pool);
    if (status != APR_SUCCESS) {
        assert_null(*passoc);
        assert_status(why->status, status);
        assert_true(*why->sentence);
    }
    return status;
}

/* With types left open, in 2.0. */
static apr_status_t open_types(op_t *op)
{
    orp_assoc_t *assoc;

    return associate(op, ORP_VERSION_2, NULL, NULL, &assoc);
}

static void assert_asked(const op_t *op, const char *type,
                         const char *session)
{
    assert_text(op_was_asked(op, "openid.mode"), "associate");
    assert_text(op_was_asked(op, "openid.assoc_type"), type);
    assert_text(op_was_asked(op, "openid.session_type"), session);
}

static void the_best_types_are_asked_for_first(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, PLAIN);
    orp_assoc_t *assoc;

    assert_status(associate(op, ORP_VERSION_2, NULL, NULL, &assoc),
                  APR_SUCCESS);
    assert_asked(op, "HMAC-SHA256", "DH-SHA256");
    assert_text(op_was_asked(op, "openid.ns"), ORP_NS_20);
    assert_text(assoc->endpoint, PLAIN);
    assert_text(assoc->handle, "shared-1");
    assert_int_equal(assoc->hash, ORP_SHA256);
    assert_memory_equal(assoc->key, op->key, 32);
    assert_true(assoc->expires == SCENE_TIME + apr_time_from_sec(3600));
    assert_int_equal(scene_stored(scene, ORP_STORE_ASSOCIATION), 0);
    assert_int_equal(op->associated, 1);
}

static void each_pair_of_types_makes_an_association(void **state)
{
    static const struct {
        orp_version_e version;
        const char *type;
        const char *session;
        const char *sent;
    } table[] = {
        { ORP_VERSION_2, "HMAC-SHA256", "DH-SHA256", "DH-SHA256" },
        { ORP_VERSION_2, "HMAC-SHA1", "DH-SHA1", "DH-SHA1" },
        { ORP_VERSION_2, "HMAC-SHA256", "no-encryption", "no-encryption" },
        { ORP_VERSION_2, "HMAC-SHA1", "no-encryption", "no-encryption" },
        { ORP_VERSION_1, "HMAC-SHA1", "DH-SHA1", "DH-SHA1" },
        { ORP_VERSION_1, "HMAC-SHA1", "no-encryption", "" },
        { ORP_VERSION_1, NULL, NULL, "DH-SHA1" },
        { ORP_VERSION_2, "HMAC-SHA1", NULL, "DH-SHA1" },
        { ORP_VERSION_2, NULL, "no-encryption", "no-encryption" },
    };
    scene_t *scene = *state;
    op_t *op = op_at(scene, TLS);
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        orp_assoc_t *assoc;

        assert_status(associate(op, table[i].version, table[i].type,
                                table[i].session, &assoc), APR_SUCCESS);
        assert_text(op_was_asked(op, "openid.session_type"), table[i].sent);
        assert_text(op_was_asked(op, "openid.ns"),
                    table[i].version == ORP_VERSION_2 ? ORP_NS_20 : NULL);
        assert_int_equal(op_was_asked(op, "openid.dh_consumer_public")
                         != NULL, !strncmp(table[i].sent, "DH-", 3));
        assert_memory_equal(assoc->key, op->key,
                            orp_hash_size(assoc->hash));
    }
    assert_int_equal(op->associated, COUNT(table));
}

static void types_that_do_not_go_together_are_not_asked_for(void **state)
{
    static const struct {
        const char *endpoint;
        orp_version_e version;
        const char *type;
        const char *session;
    } table[] = {
        { TLS, ORP_VERSION_2, "HMAC-SHA256", "DH-SHA1" },
        { TLS, ORP_VERSION_2, "HMAC-MD5", NULL },
        { TLS, ORP_VERSION_2, NULL, "DH-MD5" },
        { TLS, ORP_VERSION_1, "HMAC-SHA256", "DH-SHA256" },
        { PLAIN, ORP_VERSION_2, "HMAC-SHA256", "no-encryption" },
        { PLAIN, ORP_VERSION_1, "HMAC-SHA1", "no-encryption" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        op_t *op = op_at(scene, table[i].endpoint);
        orp_assoc_t *assoc;

        assert_status(associate(op, table[i].version, table[i].type,
                                table[i].session, &assoc), APR_EINVAL);
    }
    assert_int_equal(scene_requests(scene), 0);
}

/* ---------------------------------------------------------------------- */
/* Replies that are not used */

typedef struct change_t {
    const char *name;
    const char *value;
    apr_status_t status;
} change_t;

/* What an association comes to when one field of the reply is another. */
static void assert_changes(op_t *op, const char *type, const char *session,
                           const change_t *changes, size_t count)
{
    orp_assoc_t *assoc;
    size_t i;

    for (i = 0; i < count; i++) {
        op_says(op, changes[i].name, changes[i].value);
        assert_status(associate(op, ORP_VERSION_2, type, session, &assoc),
                      changes[i].status);
        op_is_honest(op);
    }
    assert_status(associate(op, ORP_VERSION_2, type, session, &assoc),
                  APR_SUCCESS);
    assert_int_equal(op->associated, count + 1);
}

static void a_reply_of_other_types_is_not_used(void **state)
{
    static const change_t changes[] = {
        { "assoc_type", "HMAC-SHA1", ORP_EASSOCIATE },
        { "assoc_type", "hmac-sha256", ORP_EASSOCIATE },
        { "assoc_type", "", ORP_EASSOCIATE },
        { "assoc_type", NULL, ORP_EASSOCIATE },
        { "session_type", "no-encryption", ORP_EASSOCIATE },
        { "session_type", "DH-SHA1", ORP_EASSOCIATE },
        { "session_type", "", ORP_EASSOCIATE },
        { "session_type", NULL, ORP_EASSOCIATE },
    };

    assert_changes(op_at(*state, TLS), NULL, NULL, changes, COUNT(changes));
}

static void a_lifetime_is_a_number_of_seconds_above_0(void **state)
{
    static const change_t changes[] = {
        { "expires_in", "-1", ORP_EASSOCIATE },
        { "expires_in", "0", ORP_EASSOCIATE },
        { "expires_in", "", ORP_EASSOCIATE },
        { "expires_in", NULL, ORP_EASSOCIATE },
        { "expires_in", "9223372036854775808", ORP_EASSOCIATE },
        { "expires_in", "18446744073709551617", ORP_EASSOCIATE },
        { "expires_in", "10abc", ORP_EASSOCIATE },
        { "expires_in", "0x10", ORP_EASSOCIATE },
        { "expires_in", " 10", ORP_EASSOCIATE },
        { "expires_in", "1e3", ORP_EASSOCIATE },
        { "expires_in", "1.5", ORP_EASSOCIATE },
        { "expires_in", "1", APR_SUCCESS },
    };

    assert_changes(op_at(*state, TLS), NULL, NULL, changes, COUNT(changes));
}

static void a_long_lifetime_is_cut(void **state)
{
    static const char *const seconds[] = {
        "1209600", "1209601", "1000000000", "9223372036854775807",
    };
    scene_t *scene = *state;
    op_t *op = op_at(scene, TLS);
    orp_assoc_t *assoc;
    size_t i;

    for (i = 0; i < COUNT(seconds); i++) {
        op_says(op, "expires_in", seconds[i]);
        assert_status(associate(op, ORP_VERSION_2, NULL, NULL, &assoc),
                      APR_SUCCESS);
        assert_true(assoc->expires
                    == SCENE_TIME + apr_time_from_sec(1209600));
        op_is_honest(op);
    }
}

static void a_handle_that_is_none_is_not_used(void **state)
{
    scene_t *scene = *state;
    const change_t changes[] = {
        { "assoc_handle", "", ORP_EASSOCIATE },
        { "assoc_handle", NULL, ORP_EASSOCIATE },
        { "assoc_handle", "a b", ORP_EASSOCIATE },
        { "assoc_handle", "\xC3\xA9", ORP_EASSOCIATE },
        { "assoc_handle", repeated("x", 256, scene->pool), ORP_EASSOCIATE },
        { "assoc_handle", repeated("x", 255, scene->pool), APR_SUCCESS },
    };

    assert_changes(op_at(scene, TLS), NULL, NULL, changes, COUNT(changes));
}

static const char *base64_of(scene_t *scene, int size)
{
    return orp_base64_encode((const unsigned char *)repeated("k", size,
                                                             scene->pool),
                             (apr_size_t)size, scene->pool);
}

static void degenerate_diffie_hellman_values_are_not_used(void **state)
{
    scene_t *scene = *state;
    const change_t changes[] = {
        { "dh_server_public", "", ORP_EASSOCIATE },
        { "dh_server_public", NULL, ORP_EASSOCIATE },
        { "dh_server_public", "AA==", ORP_EASSOCIATE },         /* 0 */
        { "dh_server_public", "AQ==", ORP_EASSOCIATE },         /* 1 */
        { "dh_server_public", "gA==", ORP_EASSOCIATE },         /* negative */
        { "dh_server_public", "AAg=", ORP_EASSOCIATE },         /* not short */
        { "dh_server_public", "%", ORP_EASSOCIATE },
        { "dh_server_public", base64_of(scene, 1024 * 1024),
          ORP_EASSOCIATE },
        { "dh_server_public",                                   /* p - 1 */
          "ANz5OguIOXLsDhmYmsWizjEOHTdxfo2Vcbt2I3MYZuYe91ouJ4mLBX+YkcLiemOc"
          "Pym2CBRYHNOyyjmG0mg3BVd9RcLn5S3IHHoXGHblzqdLFEi/368Ygo79JRnxTkXj"
          "gmY0rxlJ5bU1zIKaSDuKdiI+XUkKJX8Fvf8W8vsixYOq", ORP_EASSOCIATE },
        { "dh_server_public",                                   /* p */
          "ANz5OguIOXLsDhmYmsWizjEOHTdxfo2Vcbt2I3MYZuYe91ouJ4mLBX+YkcLiemOc"
          "Pym2CBRYHNOyyjmG0mg3BVd9RcLn5S3IHHoXGHblzqdLFEi/368Ygo79JRnxTkXj"
          "gmY0rxlJ5bU1zIKaSDuKdiI+XUkKJX8Fvf8W8vsixYOr", ORP_EASSOCIATE },
        { "enc_mac_key", base64_of(scene, 20), ORP_EASSOCIATE },
        { "enc_mac_key", base64_of(scene, 31), ORP_EASSOCIATE },
        { "enc_mac_key", base64_of(scene, 33), ORP_EASSOCIATE },
        { "enc_mac_key", "", ORP_EASSOCIATE },
        { "enc_mac_key", NULL, ORP_EASSOCIATE },
    };

    assert_changes(op_at(scene, TLS), NULL, NULL, changes, COUNT(changes));
}

static void a_key_of_another_length_is_not_used(void **state)
{
    static const int sizes[] = { 0, 1, 19, 20, 21, 31, 32, 33 };
    static const struct {
        const char *type;
        int size;
    } types[] = { { "HMAC-SHA1", 20 }, { "HMAC-SHA256", 32 } };
    scene_t *scene = *state;
    op_t *op = op_at(scene, TLS);
    orp_assoc_t *assoc;
    size_t i, j;

    for (i = 0; i < COUNT(types); i++) {
        for (j = 0; j < COUNT(sizes); j++) {
            op_says(op, "mac_key", base64_of(scene, sizes[j]));
            assert_status(associate(op, ORP_VERSION_2, types[i].type,
                                    "no-encryption", &assoc),
                          sizes[j] == types[i].size ? APR_SUCCESS
                          : ORP_EASSOCIATE);
            op_is_honest(op);
        }
        op_says(op, "mac_key", NULL);
        assert_status(associate(op, ORP_VERSION_2, types[i].type,
                                "no-encryption", &assoc), ORP_EASSOCIATE);
        op_is_honest(op);
    }
}

static void what_is_no_key_value_form_is_not_used(void **state)
{
    static const struct {
        int status;
        const char *body;
        apr_status_t expected;
    } table[] = {
        { 200, "<html>sorry</html>", ORP_EASSOCIATE },
        { 200, "", ORP_EASSOCIATE },
        { 200, "assoc_handle", ORP_EASSOCIATE },
        { 200, "assoc_handle:a\nassoc_handle:b\n", ORP_EASSOCIATE },
        { 400, "error:no\n", ORP_EASSOCIATE },
        { 302, "", ORP_EASSOCIATE },
        { 200, NULL, APR_SUCCESS },
        { 201, NULL, ORP_EASSOCIATE },
        { 400, NULL, ORP_EASSOCIATE },
        { 500, NULL, ORP_EASSOCIATE },
    };
    scene_t *scene = *state;
    op_t *op = op_at(scene, TLS);
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        op->status = table[i].status;
        op->body = table[i].body;
        assert_status(open_types(op), table[i].expected);
        assert_int_equal(op->associated, i + 1);
    }
}

static void why_a_provider_cannot_be_reached_is_handed_on(void **state)
{
    scene_t *scene = *state;
    orp_associate_t request = { TLS, ORP_VERSION_2, NULL, NULL };
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_assoc_t *assoc;

    scene_no_reply(scene, "POST", TLS, ORP_ETLS);
    assert_status(orp_associate(&assoc, &scene->env, &request, why,
                                scene->pool), ORP_ETLS);
}

static void without_chance_nothing_is_asked(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, TLS);
    orp_assoc_t *assoc;
    orp_associate_t request = { TLS, ORP_VERSION_2, NULL, NULL };

    scene->random_status = APR_EGENERAL;
    assert_status(orp_associate(&assoc, &scene->env, &request, NULL,
                                scene->pool), APR_EGENERAL);
    assert_int_equal(op->associated, 0);
}

/* ---------------------------------------------------------------------- */
/* 1.x */

static void in_1_a_provider_may_leave_encryption_out_over_tls(void **state)
{
    static const char *const sessions[] = { NULL, "" };
    scene_t *scene = *state;
    op_t *tls = op_at(scene, TLS), *plain = op_at(scene, PLAIN);
    orp_assoc_t *assoc;
    int i;

    for (i = 0; i < 2; i++) {
        op_says(tls, "session_type", sessions[i]);
        op_says(tls, "mac_key", base64_of(scene, 20));
        assert_status(associate(tls, ORP_VERSION_1, NULL, NULL, &assoc),
                      APR_SUCCESS);
        assert_memory_equal(assoc->key, repeated("k", 20, scene->pool), 20);
        op_is_honest(tls);
        op_says(plain, "session_type", sessions[i]);
        op_says(plain, "mac_key", base64_of(scene, 20));
        assert_status(associate(plain, ORP_VERSION_1, NULL, NULL, &assoc),
                      ORP_EASSOCIATE);
        op_is_honest(plain);
    }
    assert_status(associate(plain, ORP_VERSION_1, NULL, NULL, &assoc),
                  APR_SUCCESS);
}

/* ---------------------------------------------------------------------- */
/* Unsupported types */

static void an_unsupported_type_is_asked_for_once_more(void **state)
{
    static const struct {
        const char *endpoint;
        const char *suggests[2];
        const char *second[2];
    } table[] = {
        { TLS, { NULL, NULL }, { "HMAC-SHA1", "DH-SHA1" } },
        { TLS, { "HMAC-SHA1", "DH-SHA1" }, { "HMAC-SHA1", "DH-SHA1" } },
        { TLS, { "HMAC-SHA256", "no-encryption" },
          { "HMAC-SHA256", "no-encryption" } },
        { TLS, { "HMAC-SHA1", "no-encryption" },
          { "HMAC-SHA1", "no-encryption" } },
        { TLS, { "HMAC-SHA1", NULL }, { "HMAC-SHA1", "DH-SHA1" } },
        { TLS, { "HMAC-SHA256", "DH-SHA1" }, { "HMAC-SHA1", "DH-SHA1" } },
        { TLS, { "HMAC-SHA256", "DH-SHA256" }, { "HMAC-SHA1", "DH-SHA1" } },
        { TLS, { "HMAC-MD5", "no-encryption" }, { "HMAC-SHA1", "DH-SHA1" } },
        { TLS, { "", "" }, { "HMAC-SHA1", "DH-SHA1" } },
        { PLAIN, { "HMAC-SHA1", "no-encryption" },
          { "HMAC-SHA1", "DH-SHA1" } },
        { PLAIN, { "HMAC-SHA256", "no-encryption" },
          { "HMAC-SHA1", "DH-SHA1" } },
    };
    static const int statuses[] = { 200, 400 };
    scene_t *scene = *state;
    op_t *tls = op_at(scene, TLS), *plain = op_at(scene, PLAIN);
    size_t i, j;

    tls->makes_none = plain->makes_none = 1;
    for (i = 0; i < COUNT(table); i++) {
        for (j = 0; j < COUNT(statuses); j++) {
            op_t *op = !strcmp(table[i].endpoint, TLS) ? tls : plain;

            op->associated = 0;
            op->status = statuses[j];
            op->suggests[0] = table[i].suggests[0];
            op->suggests[1] = table[i].suggests[1];
            assert_status(open_types(op), ORP_ENOASSOC);
            assert_int_equal(op->associated, 2);
            assert_asked(op, table[i].second[0], table[i].second[1]);
        }
    }
}

/* A provider that makes the second sort only. */
static apr_status_t second_only(scene_t *scene, const sent_t *request,
                                orp_http_response_t *response, void *baton)
{
    (void)scene;
    (void)baton;
    response->body = strstr(request->form, "no-encryption")
        ? "assoc_handle:h\nassoc_type:HMAC-SHA256\n"
          "session_type:no-encryption\nexpires_in:60\n"
          "mac_key:a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=\n"
        : "error_code:unsupported-type\nassoc_type:HMAC-SHA256\n"
          "session_type:no-encryption\n";
    response->size = strlen(response->body);
    return APR_SUCCESS;
}

static void a_suggestion_that_we_allow_makes_an_association(void **state)
{
    scene_t *scene = *state;
    orp_associate_t request = { TLS, ORP_VERSION_2, NULL, NULL };
    orp_assoc_t *assoc;

    scene_answer(scene, "POST", TLS, second_only, NULL);
    assert_status(orp_associate(&assoc, &scene->env, &request, NULL,
                                scene->pool), APR_SUCCESS);
    assert_int_equal(assoc->hash, ORP_SHA256);
    assert_memory_equal(assoc->key, repeated("k", 32, scene->pool), 32);
    assert_int_equal(scene_requests(scene), 2);
}

static void types_that_were_asked_for_by_name_are_asked_for_once(
    void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, TLS);
    orp_assoc_t *assoc;

    op->makes_none = 1;
    assert_status(associate(op, ORP_VERSION_2, "HMAC-SHA1", NULL, &assoc),
                  ORP_ENOASSOC);
    assert_status(associate(op, ORP_VERSION_2, NULL, "DH-SHA1", &assoc),
                  ORP_ENOASSOC);
    assert_int_equal(op->associated, 2);
}

static void where_there_is_no_other_type_there_is_no_second_request(
    void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, PLAIN);
    orp_assoc_t *assoc;

    op->makes_none = 1;
    assert_status(associate(op, ORP_VERSION_1, NULL, NULL, &assoc),
                  ORP_ENOASSOC);
    assert_int_equal(op->associated, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(the_best_types_are_asked_for_first),
        scene_test(each_pair_of_types_makes_an_association),
        scene_test(types_that_do_not_go_together_are_not_asked_for),
        scene_test(a_reply_of_other_types_is_not_used),
        scene_test(a_lifetime_is_a_number_of_seconds_above_0),
        scene_test(a_long_lifetime_is_cut),
        scene_test(a_handle_that_is_none_is_not_used),
        scene_test(degenerate_diffie_hellman_values_are_not_used),
        scene_test(a_key_of_another_length_is_not_used),
        scene_test(what_is_no_key_value_form_is_not_used),
        scene_test(why_a_provider_cannot_be_reached_is_handed_on),
        scene_test(without_chance_nothing_is_asked),
        scene_test(in_1_a_provider_may_leave_encryption_out_over_tls),
        scene_test(an_unsupported_type_is_asked_for_once_more),
        scene_test(a_suggestion_that_we_allow_makes_an_association),
        scene_test(types_that_were_asked_for_by_name_are_asked_for_once),
        scene_test(where_there_is_no_other_type_there_is_no_second_request),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("associate", tests, NULL, NULL);
}
