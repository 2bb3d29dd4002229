/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_assoc.c - orp_assoc: where associations are kept, and what they
 * verify. */

#include "support.h"

#include "orp_assoc.h"

#define OP "https://op.example/"

static orp_assoc_t make(const char *endpoint, const char *handle,
                        orp_hash_e hash)
{
    orp_assoc_t assoc = { endpoint, handle, hash, { 0 },
                          SCENE_TIME + apr_time_from_sec(60) };

    memset(assoc.key, 'k', orp_hash_size(hash));
    return assoc;
}

static void save(scene_t *scene, const char *endpoint, const char *handle)
{
    orp_assoc_t assoc = make(endpoint, handle, ORP_SHA1);

    assert_status(orp_assoc_save(&assoc, &scene->env, scene->pool),
                  APR_SUCCESS);
}

/* The handle that is found, or NULL. */
static const char *found(scene_t *scene, const char *endpoint,
                         const char *handle)
{
    orp_assoc_t *assoc = NULL;
    apr_status_t status = orp_assoc_find(&assoc, &scene->env, endpoint,
                                         handle, scene->pool);

    if (status != APR_SUCCESS) {
        assert_status(status, ORP_ENOTFOUND);
        assert_null(assoc);
        return NULL;
    }
    assert_text(assoc->endpoint, endpoint);
    return assoc->handle;
}

static void a_handle_is_1_to_255_printable_characters(void **state)
{
    scene_t *scene = *state;

    assert_true(orp_assoc_handle_valid("!"));
    assert_true(orp_assoc_handle_valid("{HMAC-SHA1}{61}{b'it2j7Q=='}~"));
    assert_true(orp_assoc_handle_valid(repeated("x", 255, scene->pool)));
    assert_false(orp_assoc_handle_valid(repeated("x", 256, scene->pool)));
    assert_false(orp_assoc_handle_valid(""));
    assert_false(orp_assoc_handle_valid("a b"));
    assert_false(orp_assoc_handle_valid("a\n"));
    assert_false(orp_assoc_handle_valid("a\x7F"));
    assert_false(orp_assoc_handle_valid("\xC3\xA9"));
}

static void an_association_comes_back_as_it_was_saved(void **state)
{
    static const orp_hash_e hashes[] = { ORP_SHA1, ORP_SHA256 };
    scene_t *scene = *state;
    orp_assoc_t *assoc;
    int i;

    for (i = 0; i < 2; i++) {
        orp_assoc_t saved = make(OP, "a&b=c%+{}", hashes[i]);

        assert_status(orp_assoc_save(&saved, &scene->env, scene->pool),
                      APR_SUCCESS);
        assert_status(orp_assoc_find(&assoc, &scene->env, OP, "a&b=c%+{}",
                                     scene->pool), APR_SUCCESS);
        assert_text(assoc->endpoint, OP);
        assert_text(assoc->handle, "a&b=c%+{}");
        assert_int_equal(assoc->hash, hashes[i]);
        assert_memory_equal(assoc->key, saved.key, ORP_HASH_MAX);
        assert_true(assoc->expires == saved.expires);
    }
    assert_text(orp_assoc_type(ORP_SHA1), "HMAC-SHA1");
    assert_text(orp_assoc_type(ORP_SHA256), "HMAC-SHA256");
}

static void an_association_belongs_to_one_endpoint(void **state)
{
    scene_t *scene = *state;

    save(scene, OP, "h");
    assert_text(found(scene, OP, "h"), "h");
    assert_text(found(scene, "https://evil.example/", "h"), NULL);
    assert_text(found(scene, "https://evil.example/", NULL), NULL);
    assert_text(found(scene, OP, "H"), NULL);
    assert_text(found(scene, OP "h", ""), NULL);
    assert_text(found(scene, OP, ""), NULL);
}

static void no_handle_finds_the_latest_association(void **state)
{
    scene_t *scene = *state;

    assert_text(found(scene, OP, NULL), NULL);
    save(scene, OP, "first");
    assert_text(found(scene, OP, NULL), "first");
    save(scene, OP, "second");
    save(scene, "https://evil.example/", "third");
    assert_text(found(scene, OP, NULL), "second");
    assert_text(found(scene, OP, "first"), "first");
}

static void an_association_that_expired_is_not_found(void **state)
{
    scene_t *scene = *state;

    save(scene, OP, "h");
    scene_turn_clock(scene, apr_time_from_sec(59));
    assert_text(found(scene, OP, "h"), "h");
    scene_turn_clock(scene, apr_time_from_sec(1));
    assert_text(found(scene, OP, "h"), NULL);
    assert_text(found(scene, OP, NULL), NULL);
}

static void a_forgotten_association_is_gone(void **state)
{
    scene_t *scene = *state;

    save(scene, OP, "first");
    save(scene, OP, "second");
    assert_status(orp_assoc_forget(&scene->env, OP, "first", scene->pool),
                  APR_SUCCESS);
    assert_text(found(scene, OP, "first"), NULL);
    assert_text(found(scene, OP, NULL), "second");
    assert_status(orp_assoc_forget(&scene->env, OP, "second", scene->pool),
                  APR_SUCCESS);
    assert_text(found(scene, OP, "second"), NULL);
    assert_text(found(scene, OP, NULL), NULL);
    assert_status(orp_assoc_forget(&scene->env, OP, "third", scene->pool),
                  APR_SUCCESS);
}

static void only_the_endpoints_own_association_is_forgotten(void **state)
{
    scene_t *scene = *state;

    save(scene, OP, "h");
    assert_status(orp_assoc_forget(&scene->env, "https://evil.example/", "h",
                                   scene->pool), APR_SUCCESS);
    assert_text(found(scene, OP, "h"), "h");
    assert_text(found(scene, OP, NULL), "h");
}

static void a_store_that_fails_is_not_an_association_that_is_missing(
    void **state)
{
    scene_t *scene = *state;
    orp_assoc_t saved = make(OP, "h", ORP_SHA1);
    orp_assoc_t *assoc;

    scene_store_fails(scene, ORP_STORE_ASSOCIATION, ORP_ESTORE);
    assert_status(orp_assoc_save(&saved, &scene->env, scene->pool),
                  ORP_ESTORE);
    assert_status(orp_assoc_find(&assoc, &scene->env, OP, "h", scene->pool),
                  ORP_ESTORE);
    assert_status(orp_assoc_find(&assoc, &scene->env, OP, NULL, scene->pool),
                  ORP_ESTORE);
    assert_status(orp_assoc_forget(&scene->env, OP, "h", scene->pool),
                  ORP_ESTORE);
    scene_store_fails(scene, ORP_STORE_ASSOCIATION, APR_SUCCESS);
    save(scene, OP, "h");
    assert_text(found(scene, OP, "h"), "h");
}

static void put_record(scene_t *scene, const char *value)
{
    assert_status(orp_store_put(&scene->store, ORP_STORE_ASSOCIATION,
                                orp_sha256_hex("assoc " OP " h",
                                               scene->pool),
                                value, strlen(value), SCENE_TIME + 1,
                                SCENE_TIME), APR_SUCCESS);
}

static void a_damaged_record_is_a_failure_of_the_store(void **state)
{
    static const char *const parts[] = {
        "endpoint=https%3A%2F%2Fop.example%2F", "&handle=h",
        "&type=HMAC-SHA1", "&key=a2tra2tra2tra2tra2tra2tra2s%3D",
        "&expires=1768478460000000",
    };
    scene_t *scene = *state;
    orp_assoc_t *assoc;
    size_t missing, i;

    for (missing = 0; missing <= COUNT(parts); missing++) {
        const char *value = "";

        for (i = 0; i < COUNT(parts); i++) {
            value = apr_pstrcat(scene->pool, value,
                                i == missing ? "" : parts[i], NULL);
        }
        put_record(scene, value);
        assert_status(orp_assoc_find(&assoc, &scene->env, OP, "h",
                                     scene->pool),
                      missing < COUNT(parts) ? ORP_ESTORE : APR_SUCCESS);
    }
    put_record(scene, "%");
    assert_status(orp_assoc_find(&assoc, &scene->env, OP, "h", scene->pool),
                  ORP_ESTORE);
}

static void a_record_whose_values_make_no_sense_is_a_failure_too(
    void **state)
{
    static const char *const pairs[][2] = {
        { "HMAC-SHA256", "a2tra2tra2tra2tra2tra2tra2s%3D&expires=9" },
        { "HMAC-SHA2", "a2tra2tra2tra2tra2tra2tra2s%3D"
          "&expires=1768478460000000" },
        { "HMAC-SHA1", "a2tr&expires=9" },
        { "HMAC-SHA1", "!&expires=9" },
        { "HMAC-SHA1", "a2tra2tra2tra2tra2tra2tra2s%3D&expires=-9" },
        { "HMAC-SHA1", "a2tra2tra2tra2tra2tra2tra2s%3D&expires=x" },
    };
    scene_t *scene = *state;
    orp_assoc_t *assoc;
    size_t i;

    for (i = 0; i < COUNT(pairs); i++) {
        put_record(scene, apr_pstrcat(scene->pool,
                                      "endpoint=x&handle=h&type=",
                                      pairs[i][0], "&key=", pairs[i][1],
                                      NULL));
        assert_status(orp_assoc_find(&assoc, &scene->env, OP, "h",
                                     scene->pool), ORP_ESTORE);
    }
}

/* ---------------------------------------------------------------------- */
/* Signatures. The good ones were computed by another program. */

#define SIGNED_SHA1 "RK/0I0pP4CYndXdmJ1lEJktxew0="
#define SIGNED_SHA256 "O9W3u+OS1uXtzyF2Ca7SaBT/F65Yra+UBcCzhDfZmaE="

static apr_status_t verified(scene_t *scene, orp_hash_e hash,
                             const char *sig, const char *list)
{
    orp_assoc_t assoc = make(OP, "h", hash);
    orp_reason_t *why = orp_reason_create(scene->pool);
    orp_message_t *message;
    apr_status_t status;

    assert_status(orp_message_from_request(&message, params_of(
        scene->pool, "openid.mode", "id_res", "openid.op_endpoint", OP,
        "openid.return_to", "https://rp.example/?a=b:c", "openid.empty", "",
        "openid.signed", list, "openid.sig", sig, NULL), why, scene->pool),
        APR_SUCCESS);
    status = orp_assoc_verify(&assoc, message, why, scene->pool);
    assert_status(why->status, status);
    return status;
}

static void signatures_of_another_program_verify(void **state)
{
    static const char list[] = "op_endpoint,return_to,empty";
    scene_t *scene = *state;

    assert_status(verified(scene, ORP_SHA1, SIGNED_SHA1, list),
                  APR_SUCCESS);
    assert_status(verified(scene, ORP_SHA256, SIGNED_SHA256, list),
                  APR_SUCCESS);
    assert_status(verified(scene, ORP_SHA1, SIGNED_SHA256, list),
                  ORP_ESIGNATURE);
    assert_status(verified(scene, ORP_SHA256, SIGNED_SHA1, list),
                  ORP_ESIGNATURE);
}

static void other_signatures_do_not_verify(void **state)
{
    static const char list[] = "op_endpoint,return_to,empty";
    static const char *const sigs[] = {
        "", "RK/0I0pP4CYndXdmJ1lEJktxew0", "RK/0I0pP4CYndXdmJ1lEJktxew1=",
        " RK/0I0pP4CYndXdmJ1lEJktxew0=", "RK/0I0pP4CYndXdmJ1lEJktxew0==",
        "RK_0I0pP4CYndXdmJ1lEJktxew0=", "rK/0I0pP4CYndXdmJ1lEJktxew0=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(sigs); i++) {
        assert_status(verified(scene, ORP_SHA1, sigs[i], list),
                      ORP_ESIGNATURE);
    }
    assert_status(verified(scene, ORP_SHA1, NULL, list), ORP_ESIGNATURE);
    assert_status(verified(scene, ORP_SHA1, SIGNED_SHA1,
                           "return_to,op_endpoint,empty"), ORP_ESIGNATURE);
    assert_status(verified(scene, ORP_SHA1, SIGNED_SHA1,
                           "op_endpoint,return_to"), ORP_ESIGNATURE);
    assert_status(verified(scene, ORP_SHA1, SIGNED_SHA1,
                           "op_endpoint,return_to,empty,missing"),
                  ORP_EMESSAGE);
    assert_status(verified(scene, ORP_SHA1, SIGNED_SHA1, list),
                  APR_SUCCESS);
}

static void that_there_is_none_is_remembered_for_a_while(void **state)
{
    scene_t *scene = *state;

    assert_false(orp_assoc_makes_none(&scene->env, OP, scene->pool));
    orp_assoc_remember_none(&scene->env, OP, apr_time_from_sec(60),
                            scene->pool);
    assert_true(orp_assoc_makes_none(&scene->env, OP, scene->pool));
    assert_false(orp_assoc_makes_none(&scene->env, OP "x", scene->pool));
    scene_turn_clock(scene, apr_time_from_sec(60) - 1);
    assert_true(orp_assoc_makes_none(&scene->env, OP, scene->pool));
    scene_turn_clock(scene, 1);
    assert_false(orp_assoc_makes_none(&scene->env, OP, scene->pool));
    assert_int_equal(scene_logged(scene, 105), 0);
    scene_store_fails(scene, ORP_STORE_CACHE, ORP_EFULL);
    orp_assoc_remember_none(&scene->env, OP, apr_time_from_sec(60),
                            scene->pool);
    assert_int_equal(scene_logged(scene, 105), 1);
}

static void version_1_knows_sha1_only(void **state)
{
    orp_assoc_t sha1 = make(OP, "h", ORP_SHA1);
    orp_assoc_t sha256 = make(OP, "h", ORP_SHA256);

    (void)state;
    assert_true(orp_assoc_fits(&sha1, ORP_VERSION_1));
    assert_true(orp_assoc_fits(&sha1, ORP_VERSION_2));
    assert_false(orp_assoc_fits(&sha256, ORP_VERSION_1));
    assert_true(orp_assoc_fits(&sha256, ORP_VERSION_2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(a_handle_is_1_to_255_printable_characters),
        scene_test(an_association_comes_back_as_it_was_saved),
        scene_test(an_association_belongs_to_one_endpoint),
        scene_test(no_handle_finds_the_latest_association),
        scene_test(an_association_that_expired_is_not_found),
        scene_test(a_forgotten_association_is_gone),
        scene_test(only_the_endpoints_own_association_is_forgotten),
        scene_test(a_store_that_fails_is_not_an_association_that_is_missing),
        scene_test(a_damaged_record_is_a_failure_of_the_store),
        scene_test(a_record_whose_values_make_no_sense_is_a_failure_too),
        scene_test(that_there_is_none_is_remembered_for_a_while),
        scene_test(version_1_knows_sha1_only),
        scene_test(signatures_of_another_program_verify),
        scene_test(other_signatures_do_not_verify),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("assoc", tests, NULL, NULL);
}
