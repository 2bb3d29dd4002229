/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_profile.c - orp_profile, and the habits of real providers: each of
 * them says here, word by word, what it says in the world. */

#include "support_ext.h"

#include "orp_checkid.h"
#include "orp_codec.h"
#include "orp_profile.h"

#define STEAM "https://steamcommunity.com/openid"
#define STEAM_LOGIN STEAM "/login"
#define STEAM_ID STEAM "/id/76561197960435530"
#define STEAM_TWIN "http://steamcommunity.com/openid/id/76561197960435530"

static const char server_type[] = "http://specs.openid.net/auth/2.0/server";
static const char signon_type[] = "http://specs.openid.net/auth/2.0/signon";

/* A site that would like to know everything. */
static void ask_for_all(visit_t *visit)
{
    apr_pool_t *pool = visit->scene->pool;
    apr_array_header_t *attrs = apr_array_make(pool, 2,
                                               sizeof(orp_ax_attr_t));
    orp_sreg_t *sreg = apr_pcalloc(pool, sizeof(*sreg));
    orp_ax_attr_t email = { "email", orp_ax_type("email"), 1, 1 };
    orp_ax_attr_t first = { "first", orp_ax_type("first"), 1, 0 };

    APR_ARRAY_PUSH(attrs, orp_ax_attr_t) = email;
    APR_ARRAY_PUSH(attrs, orp_ax_attr_t) = first;
    sreg->required = list_of(pool, "nickname", "email", NULL);
    sreg->optional = list_of(pool, "fullname", NULL);
    visit->rp.sreg = sreg;
    visit->rp.ax = attrs;
    visit->rp.teams = list_of(pool, "ubuntumembers", "packager", NULL);
}

/* A login at a provider, with all that can be asked for. */
static visit_t *curious(scene_t *scene, const char *typed)
{
    visit_t *visit = visit_new(scene, typed);
    orp_reason_t *why;

    ask_for_all(visit);
    if (visit_status(visit, &why) != APR_SUCCESS) {
        fail_msg("%s", why->sentence);
    }
    return visit;
}

static apr_status_t begin_status(scene_t *scene, const char *typed)
{
    orp_reason_t *why;

    return visit_status(visit_new(scene, typed), &why);
}

/* A document with one service of one type. */
static void publish_service(scene_t *scene, const char *url,
                            const char *type, const char *endpoint)
{
    publish_xrds(scene, url, apr_psprintf(scene->pool, XRDS(
        "\t\t<Service priority=\"0\">\n\t\t\t<Type>%s</Type>\t\t\n"
        "\t\t\t<URI>%s</URI>\n\t\t</Service>\n"), type, endpoint));
}

/* ---------------------------------------------------------------------- */
/* The table */

static void profiles_are_found_by_name(void **state)
{
    static const struct {
        const char *name;
        const char *identifier;
    } table[] = {
        { "steam", STEAM },
        { "ubuntu", "https://login.ubuntu.com/" },
        { "launchpad", "https://login.launchpad.net/" },
        { "opensuse", "https://www.opensuse.org/openid/user/" },
        { "fedora", "https://id.fedoraproject.org/openid/" },
    };
    scene_t *scene = *state;
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        const orp_profile_t *profile = orp_profile_find(table[i].name);

        assert_non_null(profile);
        assert_text(profile->identifier, table[i].identifier);
        assert_ptr_equal(orp_profile_of_identifier(table[i].identifier),
                         profile);
    }
    assert_text(orp_profile_names(scene->pool),
                "steam, ubuntu, launchpad, opensuse, fedora");
    assert_null(orp_profile_find("Steam"));
    assert_null(orp_profile_find(""));
    assert_null(orp_profile_of_identifier(STEAM "/"));
    assert_null(orp_profile_of_endpoint(STEAM));
    assert_non_null(orp_profile_of_endpoint(STEAM_LOGIN));
}

static void only_one_provider_is_known_to_lack_abilities(void **state)
{
    int i;

    (void)state;
    for (i = 1; i <= ORP_CAN_ALL; i *= 2) {
        assert_false(orp_profile_can(STEAM_LOGIN, i));
        assert_true(orp_profile_can(STEAM_LOGIN "/", i));
        assert_true(orp_profile_can("https://op.example/", i));
    }
}

/* ---------------------------------------------------------------------- */
/* Steam: no association ever, its own list of signed fields */

typedef struct {
    scene_t *scene;
    const char *is_valid;       /* says this; NULL: the truth */
    const char *used;           /* the nonce that it has confirmed */
    int associated;
    int checked;
} steam_t;

static const char steam_signed[] =
    "signed,op_endpoint,claimed_id,identity,return_to,response_nonce,"
    "assoc_handle";

static const char *steam_signature(scene_t *scene,
                                   const orp_params_t *answer)
{
    unsigned char mac[ORP_HASH_MAX];
    const char *text = "";
    char *list = apr_pstrdup(scene->pool,
                             orp_params_get(answer, "openid.signed"));
    char *name, *last;

    for (name = apr_strtok(list, ",", &last); name;
         name = apr_strtok(NULL, ",", &last)) {
        const char *value = orp_params_get(answer, apr_pstrcat(
            scene->pool, "openid.", name, NULL));

        text = apr_pstrcat(scene->pool, text, name, ":", value ? value : "",
                           "\n", NULL);
    }
    assert_status(orp_hmac(mac, ORP_SHA1,
                           (const unsigned char *)"valve.valve.valve.va", 20,
                           text, strlen(text)), APR_SUCCESS);
    return orp_base64_encode(mac, 20, scene->pool);
}

/* It confirms what it signed, once. */
static const char *steam_verdict(steam_t *steam, const orp_params_t *form)
{
    const char *nonce = orp_params_get(form, "openid.response_nonce");
    int is_own = !strcmp(orp_params_get(form, "openid.sig"),
                         steam_signature(steam->scene, form));

    steam->checked++;
    assert_text(orp_params_get(form, "openid.ns"), ORP_NS_20);
    assert_text(orp_params_get(form, "openid.assoc_handle"), "1234567890");
    if (steam->is_valid) {
        return steam->is_valid;
    }
    if (!is_own || (steam->used && !strcmp(steam->used, nonce))) {
        return "false";
    }
    steam->used = nonce;
    return "true";
}

static apr_status_t steam_answers(scene_t *scene, const sent_t *request,
                                  orp_http_response_t *response, void *baton)
{
    steam_t *steam = baton;
    orp_params_t *form;
    const char *mode;

    assert_status(orp_params_parse_form(&form, request->form,
                                        strlen(request->form), scene->pool),
                  APR_SUCCESS);
    mode = orp_params_get(form, "openid.mode");
    response->content_type = "text/plain;charset=utf-8";
    if (!strcmp(mode, "associate")) {
        steam->associated++;
        response->body = "ns:http://specs.openid.net/auth/2.0\n"
            "error_code:unsupported-type\n"
            "error:Associations not supported\n";
    }
    else {
        assert_text(mode, "check_authentication");
        response->body = apr_pstrcat(
            scene->pool, "ns:http://specs.openid.net/auth/2.0\nis_valid:",
            steam_verdict(steam, form), "\n", NULL);
    }
    response->size = strlen(response->body);
    return APR_SUCCESS;
}

static steam_t *steam_at(scene_t *scene, const char *endpoint)
{
    steam_t *steam = apr_pcalloc(scene->pool, sizeof(*steam));

    steam->scene = scene;
    scene_answer(scene, "POST", endpoint, steam_answers, steam);
    return steam;
}

static steam_t *steam_is_there(scene_t *scene)
{
    publish_service(scene, STEAM, server_type, STEAM_LOGIN);
    publish_service(scene, STEAM_ID, signon_type, STEAM_LOGIN);
    return steam_at(scene, STEAM_LOGIN);
}

static orp_params_t *steam_answer(const visit_t *visit,
                                  const char *claimed_id,
                                  const char *identity)
{
    orp_params_t *answer = params_of(
        visit->scene->pool, "openid.ns", ORP_NS_20, "openid.mode", "id_res",
        "openid.op_endpoint", STEAM_LOGIN, "openid.claimed_id", claimed_id,
        "openid.identity", identity, "openid.return_to",
        visit->login->return_to, "openid.response_nonce",
        "2026-01-15T11:59:58Z+/pXw4Bm2hQ7QmS1/sC+hLZ5Nk0=",
        "openid.assoc_handle", "1234567890", "openid.signed", steam_signed,
        NULL);

    return with(answer, "openid.sig", steam_signature(visit->scene, answer));
}

static orp_params_t *steam_answer_about(const visit_t *visit, const char *id)
{
    return steam_answer(visit, id, id);
}

static void steam_signs_people_in_without_an_association(void **state)
{
    scene_t *scene = *state;
    steam_t *steam = steam_is_there(scene);
    visit_t *visit = visit_begin(scene, STEAM);
    orp_identity_t *identity;

    assert_int_equal(strncmp(visit->login->redirect, STEAM_LOGIN "?",
                             strlen(STEAM_LOGIN "?")), 0);
    assert_text(asked(visit, "openid.claimed_id"), ORP_IDENTIFIER_SELECT);
    assert_text(asked(visit, "openid.identity"), ORP_IDENTIFIER_SELECT);
    assert_text(asked(visit, "openid.assoc_handle"), NULL);
    identity = assert_accepted(visit, steam_answer_about(visit, STEAM_ID));
    assert_text(identity->claimed_id, STEAM_ID);
    assert_text(identity->display, STEAM_ID);
    assert_text(identity->endpoint, STEAM_LOGIN);
    assert_int_equal(steam->associated, 0);
    assert_int_equal(steam->checked, 1);
}

static void a_stranger_with_steams_habit_is_asked_to_associate_once(
    void **state)
{
    scene_t *scene = *state;
    steam_t *other = steam_at(scene, "https://op.example/login");

    publish_service(scene, "https://op.example/", server_type,
                    "https://op.example/login");
    assert_text(visit_begin(scene, "https://op.example/")
                ->login->assoc_handle, NULL);
    assert_int_equal(other->associated, 2);     /* both types, 8.2.4 */
    assert_text(visit_begin(scene, "https://op.example/")
                ->login->assoc_handle, NULL);
    assert_int_equal(other->associated, 2);
}

static void steam_confirms_an_answer_once(void **state)
{
    scene_t *scene = *state;
    steam_t *steam = steam_is_there(scene);
    visit_t *first = visit_begin(scene, STEAM);
    visit_t *second = visit_begin(scene, STEAM);
    orp_params_t *answer = steam_answer_about(first, STEAM_ID);

    assert_accepted(first, answer);
    assert_refused_quietly(first, answer, ORP_EREPLAY);
    assert_refused_quietly(second, answer, ORP_ERETURNTO);
    /* even if it confirmed an old nonce, we would not take it */
    steam->is_valid = "true";
    assert_refused(second, steam_answer_about(second, STEAM_ID),
                   ORP_EREPLAY);
}

static void what_steam_does_not_confirm_signs_nobody_in(void **state)
{
    static const char *const verdicts[] = { "false", "", "TRUE", "true " };
    scene_t *scene = *state;
    steam_t *steam = steam_is_there(scene);
    visit_t *visit = visit_begin(scene, STEAM);
    orp_params_t *answer = steam_answer_about(visit, STEAM_ID);
    size_t i;

    for (i = 0; i < COUNT(verdicts); i++) {
        steam->is_valid = verdicts[i];
        assert_refused(visit, answer, ORP_ESIGNATURE);
    }
    steam->is_valid = NULL;
    assert_refused(visit, with(answer, "openid.sig", "AAAA"),
                   ORP_ESIGNATURE);
    assert_refused(visit, with(with(answer, "openid.claimed_id",
                                    STEAM "/id/76561197960435531"),
                               "openid.identity",
                               STEAM "/id/76561197960435531"),
                   ORP_ESIGNATURE);
    assert_refused(visit, with(answer, "openid.response_nonce",
                               "2026-01-15T11:59:58Z pXw4B="), ORP_ENONCE);
    assert_accepted(visit, answer);
}

static void a_list_that_lacks_a_field_is_not_steams(void **state)
{
    scene_t *scene = *state;
    visit_t *visit;
    orp_params_t *answer;

    (void)steam_is_there(scene);
    visit = visit_begin(scene, STEAM);
    answer = with(steam_answer_about(visit, STEAM_ID), "openid.signed",
                  "signed,op_endpoint,identity,return_to,response_nonce,"
                  "assoc_handle");
    answer = with(answer, "openid.sig", steam_signature(scene, answer));
    assert_refused_quietly(visit, answer, ORP_EUNSIGNED);
    assert_accepted(visit, steam_answer_about(visit, STEAM_ID));
}

static void steam_is_asked_for_nothing_that_it_does_not_have(void **state)
{
    static const char *const prefixes[] = {
        "openid.sreg", "openid.ax", "openid.lp", "openid.ns.",
    };
    scene_t *scene = *state;
    op_t *op = op_at(scene, "https://op.example/auth");
    visit_t *visit, *other;
    size_t i;

    (void)steam_is_there(scene);
    op_publish(op, "https://op.example/", OP_SERVER_20, NULL);
    visit = curious(scene, STEAM);
    other = curious(scene, "https://op.example/");
    for (i = 0; i < COUNT(prefixes); i++) {
        assert_false(asked_any(visit, prefixes[i]));
        assert_true(asked_any(other, prefixes[i]));
    }
}

static void a_twin_from_before_2018_is_the_same_person(void **state)
{
    static const char *const spellings[][2] = {
        { STEAM_TWIN, STEAM_TWIN },
        { STEAM_ID, STEAM_TWIN },
        { STEAM_TWIN, STEAM_ID },
        { STEAM_ID, STEAM_ID },
    };
    scene_t *scene = *state;
    steam_t *steam = steam_is_there(scene);
    size_t i;

    /* http://steamcommunity.com itself is never asked: it would be noticed */
    for (i = 0; i < COUNT(spellings); i++) {
        visit_t *visit = visit_begin(scene, STEAM);
        orp_identity_t *identity;
        orp_params_t *answer;

        steam->used = NULL;
        scene_turn_clock(scene, apr_time_from_sec(1));
        answer = with(steam_answer(visit, spellings[i][0], spellings[i][1]),
                      "openid.response_nonce",
                      apr_psprintf(scene->pool, "%s%d", SCENE_TIME_TEXT,
                                   (int)i));
        answer = with(answer, "openid.sig", steam_signature(scene, answer));
        identity = assert_accepted(visit, answer);
        assert_text(identity->claimed_id, STEAM_ID);
        assert_text(identity->display, STEAM_ID);
    }
}

static void only_steam_has_twins(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, "https://op.example/auth");
    visit_t *visit;

    op_publish(op, "https://op.example/", OP_SERVER_20, NULL);
    op_publish(op, "http://op.example/vic", OP_SIGNON_20, NULL);
    visit = visit_begin(scene, "https://op.example/");
    assert_text(assert_accepted(visit, op_answer_about(
        op, visit, "http://op.example/vic", "http://op.example/vic"))
        ->claimed_id, "http://op.example/vic");
    assert_text(orp_profile_claimed_id("https://op.example/auth", STEAM_TWIN,
                                       scene->pool), STEAM_TWIN);
    assert_text(orp_profile_claimed_id(STEAM_LOGIN, STEAM_TWIN, scene->pool),
                STEAM_ID);
    assert_text(orp_profile_claimed_id(STEAM_LOGIN, "http://op.example/vic",
                                       scene->pool),
                "http://op.example/vic");
}

static void who_types_an_identifier_of_steams_signs_in_with_it(void **state)
{
    static const char *const typed[] = {
        STEAM_ID, STEAM_TWIN, "steamcommunity.com/openid/id/76561197960435530"
    };
    scene_t *scene = *state;
    steam_t *steam = steam_is_there(scene);
    size_t i;

    publish_service(scene, STEAM_TWIN, signon_type, STEAM_LOGIN);
    for (i = 0; i < COUNT(typed); i++) {
        visit_t *visit = visit_begin(scene, typed[i]);
        orp_params_t *answer = steam_answer_about(visit, i == 1 ? STEAM_TWIN
                                                  : STEAM_ID);

        assert_text(asked(visit, "openid.claimed_id"), STEAM_ID);
        assert_text(asked(visit, "openid.identity"), STEAM_ID);
        assert_refused_quietly(visit, steam_answer_about(
            visit, STEAM "/id/76561197960435531"), ORP_EIDENTITY);
        steam->used = NULL;
        answer = with(answer, "openid.response_nonce", apr_psprintf(
            scene->pool, "%s%d", SCENE_TIME_TEXT, (int)i));
        answer = with(answer, "openid.sig", steam_signature(scene, answer));
        assert_text(assert_accepted(visit, answer)->claimed_id, STEAM_ID);
    }
}

static void identifiers_of_another_shape_are_not_steams(void **state)
{
    static const char *const shapes[] = {
        STEAM "/id/7656119796043553",
        STEAM "/id/765611979604355300",
        STEAM "/id/7656119796043553a",
        STEAM "/id/7656119796043553%30x",
        STEAM "/id/76561197960435530/",
        STEAM "/id/76561197960435530?x",
        STEAM "/id/76561197960435530#1",
        STEAM "/id/gabelogannewell",
        STEAM "/id/",
        STEAM "/ID/76561197960435530",
        STEAM "/76561197960435530",
        STEAM,
        "https://steamcommunity.com/id/76561197960435530",
        "https://steamcommunity.com:8443/openid/id/76561197960435530",
        ("https://steamcommunity.com.evil.example/openid/id/"
         "76561197960435530"),
        "https://evil.example/openid/id/76561197960435530",
        "http://evil.example/openid/id/76561197960435530",
        "=76561197960435530",
    };
    scene_t *scene = *state;
    visit_t *visit;
    size_t i;

    (void)steam_is_there(scene);
    visit = visit_begin(scene, STEAM);
    for (i = 0; i < COUNT(shapes); i++) {
        assert_refused_quietly(visit, steam_answer_about(visit, shapes[i]),
                               ORP_EIDENTITY);
        assert_false(orp_profile_claimed_id_fits(STEAM_LOGIN, shapes[i]));
        assert_true(orp_profile_claimed_id_fits("https://op.example/",
                                                shapes[i]));
    }
    assert_accepted(visit, steam_answer_about(visit, STEAM_ID));
}

static void steams_document_names_no_endpoint_but_steams(void **state)
{
    static const char *const typed[] = {
        STEAM, "https://SteamCommunity.COM:443/openid",
        "https://steamcommunity.com/x/../openid",
        "https://short.example/steam",
    };
    scene_t *scene = *state;
    op_t *evil = op_at(scene, "https://evil.example/login");
    size_t i;

    publish_service(scene, STEAM, server_type, evil->endpoint);
    for (i = 0; i < COUNT(typed); i++) {
        if (i == COUNT(typed) - 1) {
            scene_redirect(scene, typed[i], 302, STEAM);
        }
        assert_status(begin_status(scene, typed[i]), ORP_EPROVIDER);
    }
    assert_int_equal(evil->associated, 0);
    /* the same document elsewhere is good for whom it names */
    publish_service(scene, "https://evil.example/", server_type,
                    evil->endpoint);
    assert_status(begin_status(scene, "https://evil.example/"), APR_SUCCESS);
}

static void of_several_endpoints_steams_own_is_used(void **state)
{
    scene_t *scene = *state;
    op_t *evil = op_at(scene, "https://evil.example/login");
    visit_t *visit;

    (void)steam_at(scene, STEAM_LOGIN);
    publish_service(scene, STEAM_ID, signon_type, STEAM_LOGIN);
    publish_xrds(scene, STEAM, XRDS(
        "<Service priority=\"0\">"
        "<Type>http://specs.openid.net/auth/2.0/server</Type>"
        "<URI>https://evil.example/login</URI></Service>"
        "<Service priority=\"1\">"
        "<Type>http://specs.openid.net/auth/2.0/server</Type>"
        "<URI>https://steamcommunity.com/openid/login</URI></Service>"));
    visit = visit_begin(scene, STEAM);
    assert_text(visit->login->endpoint, STEAM_LOGIN);
    assert_int_equal(evil->associated, 0);
    assert_accepted(visit, steam_answer_about(visit, STEAM_ID));
}

static void nobody_else_speaks_for_steams_users(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, "https://op.example/auth");
    visit_t *visit;

    (void)steam_is_there(scene);
    op_publish(op, "https://op.example/", OP_SERVER_20, NULL);
    op_publish(op, "https://op.example/vic", OP_SIGNON_20, NULL);
    visit = visit_begin(scene, "https://op.example/");
    assert_refused(visit, op_answer_about(op, visit, STEAM_ID, STEAM_ID),
                   ORP_EIDENTITY);
    assert_accepted(visit, op_answer_about(op, visit,
                                           "https://op.example/vic",
                                           "https://op.example/vic"));
}

/* ---------------------------------------------------------------------- */
/* Ubuntu, Launchpad: SREG as far as the user shares it, teams */

static const char canonical_signed[] =
    "assoc_handle,claimed_id,identity,lp.is_member,mode,ns,ns.lp,ns.sreg,"
    "op_endpoint,response_nonce,return_to,signed,sreg.email,sreg.fullname";

static void teams_and_sreg_come_from(scene_t *scene, const char *name)
{
    const char *root = orp_profile_find(name)->identifier;
    const char *id = apr_pstrcat(scene->pool, root, "+id/aBcD3fG", NULL);
    op_t *op = op_at(scene, apr_pstrcat(scene->pool, root, "+openid", NULL));
    orp_params_t *fields = params_of(
        scene->pool, "openid.ns.sreg", ORP_SREG_NS_11, "openid.ns.lp",
        ORP_TEAMS_NS, "openid.sreg.email", "vic@user.example",
        "openid.sreg.fullname", "Vic User", "openid.lp.is_member",
        "ubuntumembers", NULL);
    orp_identity_t *identity;
    orp_params_t *answer;
    visit_t *visit;

    op->handle = "{HMAC-SHA256}{6967c2b0}{Xw4Bmw==}";
    publish_service(scene, root, server_type, op->endpoint);
    publish_service(scene, id, signon_type, op->endpoint);
    visit = curious(scene, root);
    assert_text(asked(visit, "openid.lp.query_membership"),
                "ubuntumembers,packager");
    assert_text(asked(visit, "openid.sreg.required"), "nickname,email");
    answer = op_answer_with(op, visit, id, fields, canonical_signed);
    assert_refused_quietly(visit, with(answer, "openid.lp.is_member",
                                       "packager"), ORP_ESIGNATURE);
    identity = assert_accepted(visit, answer);
    assert_text(identity->claimed_id, id);
    assert_text(identity->teams, "ubuntumembers");
    assert_text(orp_params_get(identity->sreg, "fullname"), "Vic User");
    assert_text(orp_params_get(identity->sreg, "nickname"), NULL);
    assert_text(orp_identity_email(identity), "vic@user.example");
}

static void ubuntu_signs_people_in_and_names_their_teams(void **state)
{
    teams_and_sreg_come_from(*state, "ubuntu");
}

static void launchpad_does_as_ubuntu_does(void **state)
{
    teams_and_sreg_come_from(*state, "launchpad");
}

/* ---------------------------------------------------------------------- */
/* openSUSE: handles with quotes and braces, fields in any order */

#define SUSE "https://www.opensuse.org/openid/user/"
#define SUSE_ID SUSE "vic"

static op_t *opensuse_is_there(scene_t *scene)
{
    op_t *op = op_at(scene, "https://www.opensuse.org/openid/");

    op->handle = "{HMAC-SHA1}{6127a303}{b'it2j7Q=='}";
    publish_service(scene, SUSE, server_type, op->endpoint);
    publish_service(scene, SUSE_ID, signon_type, op->endpoint);
    return op;
}

static const char opensuse_signed[] =
    "assoc_handle,claimed_id,identity,mode,ns,ns.sreg,op_endpoint,"
    "response_nonce,return_to,signed,sreg.email,sreg.nickname";

static orp_params_t *opensuse_answer(op_t *op, const visit_t *visit)
{
    return op_answer_with(op, visit, SUSE_ID, params_of(
        op->scene->pool, "openid.ns.sreg", ORP_SREG_NS_11,
        "openid.sreg.nickname", "vic", "openid.sreg.email",
        "vic@user.example", NULL), opensuse_signed);
}

/* The same fields, begun at the index-th, forwards or backwards. */
static orp_params_t *turned(scene_t *scene, const orp_params_t *answer,
                            int index, int backwards)
{
    orp_params_t *other = orp_params_create(scene->pool);
    int i, n = orp_params_size(answer);

    for (i = 0; i < n; i++) {
        int at = (backwards ? n - 1 - i + index : i + index) % n;

        orp_params_add(other, orp_params_name(answer, at),
                       orp_params_value(answer, at));
    }
    assert_int_equal(orp_params_size(other), n);
    return other;
}

static void opensuse_signs_people_in_in_any_order(void **state)
{
    scene_t *scene = *state;
    op_t *op = opensuse_is_there(scene);
    int i, n = orp_params_size(opensuse_answer(op, curious(scene, SUSE)));

    for (i = 0; i < 2 * n; i++) {
        visit_t *visit = curious(scene, SUSE);
        orp_params_t *answer = turned(scene, opensuse_answer(op, visit),
                                      i / 2, i % 2);
        orp_identity_t *identity = assert_accepted(visit, answer);

        assert_text(identity->claimed_id, SUSE_ID);
        assert_text(orp_params_get(identity->sreg, "nickname"), "vic");
    }
    assert_int_equal(op->associated, 1);
    assert_int_equal(op->checked, 0);
}

static void opensuses_handle_travels_unchanged(void **state)
{
    scene_t *scene = *state;
    op_t *op = opensuse_is_there(scene);
    visit_t *visit = curious(scene, SUSE);

    assert_text(asked(visit, "openid.assoc_handle"), op->handle);
    assert_refused(visit, with(opensuse_answer(op, visit),
                               "openid.assoc_handle",
                               "{HMAC-SHA1}{6127a303}{b'it2j7Q='}"),
                   ORP_ESIGNATURE);
    assert_accepted(visit, opensuse_answer(op, visit));
}

static void the_order_in_the_list_of_signed_fields_counts(void **state)
{
    scene_t *scene = *state;
    op_t *op = opensuse_is_there(scene);
    visit_t *visit = curious(scene, SUSE);
    orp_params_t *answer = opensuse_answer(op, visit);

    assert_refused_quietly(visit, with(
        answer, "openid.signed",
        "claimed_id,assoc_handle,identity,mode,ns,ns.sreg,op_endpoint,"
        "response_nonce,return_to,signed,sreg.email,sreg.nickname"),
        ORP_ESIGNATURE);
    assert_accepted(visit, answer);
}

static void opensuse_has_no_teams(void **state)
{
    scene_t *scene = *state;
    visit_t *visit;

    (void)opensuse_is_there(scene);
    visit = curious(scene, SUSE);
    assert_false(asked_any(visit, "openid.lp"));
    assert_true(asked_any(visit, "openid.sreg"));
    assert_true(asked_any(visit, "openid.ax"));
}

/* ---------------------------------------------------------------------- */
/* Fedora: no priorities, all extensions in the document, signs ns */

#define FEDORA "https://id.fedoraproject.org/openid/"
#define FEDORA_ID "https://vic.id.fedoraproject.org/"
#define FEDORA_TYPES(kind) \
    "<Type>http://specs.openid.net/auth/2.0/" kind "</Type>\n" \
    "<Type>http://openid.net/signon/1.0</Type>\n" \
    "<Type>http://openid.net/srv/ax/1.0</Type>\n" \
    "<Type>http://openid.net/sreg/1.0</Type>\n" \
    "<Type>http://openid.net/extensions/sreg/1.1</Type>\n" \
    "<Type>http://ns.launchpad.net/2007/openid-teams</Type>\n" \
    "<Type>http://fedoraproject.org/specs/open_id/cla</Type>\n"
#define FEDORA_XRDS(kind) \
    XRDS("<Service>\n" FEDORA_TYPES(kind) \
         "<URI>https://id.fedoraproject.org/openid/</URI>\n</Service>\n")

static void fedora_signs_people_in_with_all_its_extensions(void **state)
{
    scene_t *scene = *state;
    op_t *op = op_at(scene, FEDORA);
    orp_params_t *fields = params_of(
        scene->pool, "openid.ns.sreg", ORP_SREG_NS_11, "openid.ns.lp",
        ORP_TEAMS_NS, "openid.ns.cla",
        "http://fedoraproject.org/specs/open_id/cla",
        "openid.sreg.nickname", "vic", "openid.sreg.email",
        "vic@fedoraproject.example", "openid.lp.is_member",
        "cla_done,packager", "openid.cla.signed_cla",
        "http://fedoraproject.org/specs/open_id/cla/done", NULL);
    orp_identity_t *identity;
    orp_params_t *answer;
    visit_t *visit;

    publish_xrds(scene, FEDORA, FEDORA_XRDS("server"));
    publish_xrds(scene, FEDORA_ID, FEDORA_XRDS("signon"));
    visit = curious(scene, FEDORA);
    assert_text(asked(visit, "openid.claimed_id"), ORP_IDENTIFIER_SELECT);
    answer = op_answer_with(
        op, visit, FEDORA_ID, fields,
        "assoc_handle,cla.signed_cla,claimed_id,identity,lp.is_member,mode,"
        "ns,ns.cla,ns.lp,ns.sreg,op_endpoint,response_nonce,return_to,"
        "signed,sreg.email,sreg.nickname");
    assert_refused_quietly(visit, with(answer, "openid.ns", NULL),
                           ORP_EMESSAGE);
    identity = assert_accepted(visit, answer);
    assert_text(identity->claimed_id, FEDORA_ID);
    assert_text(identity->teams, "packager");
    assert_text(orp_params_get(identity->sreg, "nickname"), "vic");
}

/* ---------------------------------------------------------------------- */
/* Dreamwidth, and pages that name it: 1.1 only, by links */

#define DW "https://www.dreamwidth.org/openid/server"
#define DW_ID "https://vic.dreamwidth.org/"
#define PAGE "https://vic.example/"

static op_t *dreamwidth_is_there(scene_t *scene)
{
    op_t *op = op_at(scene, DW);

    op->handle = "1768478400:STLS.ZtRqTLPeSvLBw5LmWmPS:3ab2b4a7e5";
    op_publish(op, DW_ID, OP_HTML_11, NULL);
    op_publish(op, PAGE, OP_HTML_11, DW_ID);
    return op;
}

static orp_params_t *dreamwidth_answer(op_t *op, const visit_t *visit)
{
    return op_sign(op, params_of(
        op->scene->pool, "openid.mode", "id_res", "openid.identity", DW_ID,
        "openid.return_to", visit->login->return_to, "openid.issued",
        "2026-01-15T12:00:00Z", "openid.valid_to", "2026-01-15T13:00:00Z",
        "openid.assoc_handle", visit->login->assoc_handle, "openid.signed",
        "mode,identity,return_to,issued,valid_to", NULL));
}

static void dreamwidth_signs_people_in_under_their_own_page(void **state)
{
    static const char *const pages[] = { DW_ID, PAGE };
    scene_t *scene = *state;
    op_t *op = dreamwidth_is_there(scene);
    int i;

    for (i = 0; i < 2; i++) {
        visit_t *visit = visit_begin(scene, pages[i]);
        orp_params_t *answer = dreamwidth_answer(op, visit);

        assert_int_equal(visit->login->version, ORP_VERSION_1);
        assert_text(asked(visit, "openid.ns"), NULL);
        assert_text(asked(visit, "openid.claimed_id"), NULL);
        assert_text(asked(visit, "openid.realm"), NULL);
        assert_text(asked(visit, "openid.identity"), DW_ID);
        assert_text(asked(visit, "openid.trust_root"), visit->rp.realm);
        assert_text(asked(visit, "openid.assoc_handle"), op->handle);
        assert_refused_quietly(visit, op_sign(op, with(
            answer, "openid.identity", "https://mal.dreamwidth.org/")),
            ORP_EIDENTITY);
        assert_text(assert_accepted(visit, answer)->claimed_id, pages[i]);
    }
    assert_int_equal(op->associated, 1);
}

static void dreamwidth_names_a_page_for_its_questions(void **state)
{
    scene_t *scene = *state;
    op_t *op = dreamwidth_is_there(scene);
    visit_t *visit = visit_begin(scene, PAGE);

    assert_refused_quietly(visit, params_of(
        scene->pool, "openid.mode", "id_res", "openid.user_setup_url",
        "https://www.dreamwidth.org/openid/approve?trust_root=x", NULL),
        ORP_ESETUP);
    assert_accepted(visit, dreamwidth_answer(op, visit));
}

static void a_claimed_id_in_1_is_not_believed(void **state)
{
    scene_t *scene = *state;
    op_t *op = dreamwidth_is_there(scene);
    visit_t *visit = visit_begin(scene, PAGE);
    orp_params_t *answer = dreamwidth_answer(op, visit);

    assert_text(assert_accepted(visit, with_signed(
        op, answer, "openid.claimed_id", "https://victim.example/"))
        ->claimed_id, PAGE);
}

/* ---------------------------------------------------------------------- */
/* Habits of many */

static op_t *somebody(scene_t *scene, op_page_e page)
{
    op_t *op = op_at(scene, "https://op.example/auth");

    op_publish(op, "https://user.example/", page, NULL);
    return op;
}

static void unsupported_type_is_understood_with_any_http_status(void **state)
{
    static const int statuses[] = { 200, 400 };
    scene_t *scene = *state;
    int i;

    for (i = 0; i < 2; i++) {
        const char *page = apr_psprintf(scene->pool, "https://u%d.example/",
                                        i);
        op_t *op = op_at(scene, apr_psprintf(scene->pool,
                                             "https://op%d.example/", i));
        visit_t *visit;

        op->makes_none = 1;
        op->status = statuses[i];
        op_publish(op, page, OP_SIGNON_20, NULL);
        visit = visit_begin(scene, page);
        assert_text(visit->login->assoc_handle, NULL);
        op->status = 200;
        assert_accepted(visit, op_answer(op, visit));
        assert_int_equal(op->checked, 1);
    }
}

/* Refuses HMAC-SHA256 once, and suggests what 8.2.4 does not have. */
typedef struct {
    op_t *op;
    int refused;
} confused_t;

static apr_status_t is_confused(scene_t *scene, const sent_t *request,
                                orp_http_response_t *response, void *baton)
{
    confused_t *confused = baton;

    if (confused->refused++) {
        return ORP_ECONNECT;
    }
    assert_non_null(strstr(request->form, "openid.assoc_type=HMAC-SHA256"));
    response->body = apr_pstrdup(
        scene->pool, "ns:http://specs.openid.net/auth/2.0\n"
        "error:unsupported\nerror_code:unsupported-type\n"
        "assoc_type:HMAC-SHA256\nsession_type:DH-SHA1\n");
    response->size = strlen(response->body);
    return APR_SUCCESS;
}

static void an_impossible_suggestion_is_followed_by_our_own(void **state)
{
    scene_t *scene = *state;
    confused_t confused = { NULL, 0 };
    orp_reason_t *why;
    const sent_t *second;

    scene_answer(scene, "POST", "https://op.example/auth", is_confused,
                 &confused);
    publish_service(scene, "https://user.example/", signon_type,
                    "https://op.example/auth");
    assert_status(visit_status(visit_new(scene, "https://user.example/"),
                               &why), ORP_ECONNECT);
    assert_int_equal(confused.refused, 2);
    second = scene_request(scene, 2);
    assert_non_null(strstr(second->form, "openid.assoc_type=HMAC-SHA1"));
    assert_non_null(strstr(second->form, "openid.session_type=DH-SHA1"));
}

static void a_suggestion_that_stays_impossible_means_no_association(
    void **state)
{
    scene_t *scene = *state;
    op_t *op = somebody(scene, OP_SIGNON_20);
    visit_t *visit;

    op->makes_none = 1;
    op->suggests[0] = "HMAC-SHA256";
    op->suggests[1] = "DH-SHA1";
    visit = visit_begin(scene, "https://user.example/");
    assert_int_equal(op->associated, 2);
    assert_text(visit->login->assoc_handle, NULL);
    assert_accepted(visit, op_answer(op, visit));
}

static void a_cancel_is_one_with_and_without_ns(void **state)
{
    static const char *const namespaces[] = { ORP_NS_20, NULL };
    scene_t *scene = *state;
    op_t *op = somebody(scene, OP_SIGNON_20);
    visit_t *visit = visit_begin(scene, "https://user.example/");
    int i;

    for (i = 0; i < 2; i++) {
        assert_refused_quietly(visit, params_of(
            scene->pool, "openid.mode", "cancel", "openid.ns",
            namespaces[i], NULL), ORP_ECANCEL);
    }
    assert_accepted(visit, op_answer(op, visit));
}

static orp_params_t *counted(scene_t *scene)
{
    return params_of(
        scene->pool, "openid.ns.ext1", ORP_AX_NS, "openid.ext1.mode",
        "fetch_response", "openid.ext1.type.e",
        "http://axschema.org/contact/email", "openid.ext1.count.e", "1",
        "openid.ext1.value.e.1", "vic@user.example", "openid.ext1.type.f",
        "http://axschema.org/namePerson/first", "openid.ext1.count.f", "0",
        "openid.ns.ext2", ORP_SREG_NS_11, "openid.ext2.nickname", "vic",
        NULL);
}

static const char plain[] =
    "op_endpoint,claimed_id,identity,return_to,response_nonce,assoc_handle";

static void counts_of_one_and_none_under_aliases_of_its_own(void **state)
{
    scene_t *scene = *state;
    op_t *op = somebody(scene, OP_SIGNON_20);
    visit_t *visit = curious(scene, "https://user.example/");
    orp_identity_t *identity = assert_accepted(visit, op_answer_with(
        op, visit, "https://user.example/", counted(scene), apr_pstrcat(
            scene->pool, plain, ",ns.ext1,ext1.mode,ext1.type.e,"
            "ext1.count.e,ext1.value.e.1,ext1.type.f,ext1.count.f,ns.ext2,"
            "ext2.nickname", NULL)));

    assert_text(orp_params_get(identity->sreg, "nickname"), "vic");
    assert_text(orp_identity_email(identity), "vic@user.example");
    assert_int_equal(identity->ax->nelts, 1);
}

static void aliases_that_are_not_signed_mean_nothing(void **state)
{
    scene_t *scene = *state;
    op_t *op = somebody(scene, OP_SIGNON_20);
    visit_t *visit = curious(scene, "https://user.example/");
    orp_identity_t *identity = assert_accepted(visit, op_answer_with(
        op, visit, "https://user.example/", counted(scene), apr_pstrcat(
            scene->pool, plain, ",ext1.mode,ext1.type.e,ext1.count.e,"
            "ext1.value.e.1,ext2.nickname", NULL)));

    assert_int_equal(orp_params_size(identity->sreg), 0);
    assert_int_equal(identity->ax->nelts, 0);
}

static void fields_of_2_in_an_answer_of_1_do_no_harm(void **state)
{
    scene_t *scene = *state;
    op_t *op = somebody(scene, OP_SIGNON_11);
    visit_t *visit = visit_begin(scene, "https://user.example/");
    orp_params_t *answer = with_signed(op, op_answer(op, visit),
                                       "openid.op_endpoint", op->endpoint);

    answer = with_signed(op, answer, "openid.response_nonce",
                         SCENE_TIME_TEXT "x");
    assert_refused_quietly(visit, with(answer, "openid.ns", ORP_NS_20),
                           ORP_EMESSAGE);
    assert_refused_quietly(visit, with(answer, "openid.op_endpoint",
                                       "https://op.example/"),
                           ORP_ESIGNATURE);
    assert_accepted(visit, answer);
    assert_refused_quietly(visit, answer, ORP_EREPLAY);
}

/* ---------------------------------------------------------------------- */
/* Which providers a site accepts */

static int is_accepted(const void *baton, const char *endpoint)
{
    return !strcmp(endpoint, baton);
}

static void a_provider_that_is_not_accepted_is_sent_nothing(void **state)
{
    scene_t *scene = *state;
    op_t *op = somebody(scene, OP_SIGNON_20);
    visit_t *visit = visit_new(scene, "https://user.example/");
    orp_reason_t *why;

    visit->rp.provider_allowed = is_accepted;
    visit->rp.provider_baton = "https://other.example/";
    assert_status(visit_status(visit, &why), ORP_EPROVIDER);
    assert_int_equal(visit->login->state, ORP_LOGIN_FAILED);
    assert_text(visit->login->redirect, NULL);
    assert_int_equal(scene_requests(scene), 1);
    assert_int_equal(op->associated, 0);
    visit = visit_new(scene, "https://user.example/");
    visit->rp.provider_allowed = is_accepted;
    visit->rp.provider_baton = op->endpoint;
    assert_status(visit_status(visit, &why), APR_SUCCESS);
    assert_accepted(visit, op_answer(op, visit));
}

static void the_first_provider_that_is_accepted_is_used(void **state)
{
    scene_t *scene = *state;
    op_t *first = op_at(scene, "https://one.example/");
    op_t *second = op_at(scene, "https://two.example/");
    visit_t *visit = visit_new(scene, "https://user.example/");
    orp_reason_t *why;

    publish_xrds(scene, "https://user.example/", XRDS(
        "<Service><Type>http://specs.openid.net/auth/2.0/signon</Type>"
        "<URI priority=\"1\">https://one.example/</URI>"
        "<URI priority=\"2\">https://two.example/</URI></Service>"));
    visit->rp.provider_allowed = is_accepted;
    visit->rp.provider_baton = second->endpoint;
    assert_status(visit_status(visit, &why), APR_SUCCESS);
    assert_text(visit->login->endpoint, second->endpoint);
    assert_int_equal(first->associated, 0);
    assert_text(visit_begin(scene, "https://user.example/")->login->endpoint,
                first->endpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(profiles_are_found_by_name),
        scene_test(only_one_provider_is_known_to_lack_abilities),
        scene_test(steam_signs_people_in_without_an_association),
        scene_test(a_stranger_with_steams_habit_is_asked_to_associate_once),
        scene_test(steam_confirms_an_answer_once),
        scene_test(what_steam_does_not_confirm_signs_nobody_in),
        scene_test(a_list_that_lacks_a_field_is_not_steams),
        scene_test(steam_is_asked_for_nothing_that_it_does_not_have),
        scene_test(a_twin_from_before_2018_is_the_same_person),
        scene_test(only_steam_has_twins),
        scene_test(who_types_an_identifier_of_steams_signs_in_with_it),
        scene_test(identifiers_of_another_shape_are_not_steams),
        scene_test(steams_document_names_no_endpoint_but_steams),
        scene_test(of_several_endpoints_steams_own_is_used),
        scene_test(nobody_else_speaks_for_steams_users),
        scene_test(ubuntu_signs_people_in_and_names_their_teams),
        scene_test(launchpad_does_as_ubuntu_does),
        scene_test(opensuse_signs_people_in_in_any_order),
        scene_test(opensuses_handle_travels_unchanged),
        scene_test(the_order_in_the_list_of_signed_fields_counts),
        scene_test(opensuse_has_no_teams),
        scene_test(fedora_signs_people_in_with_all_its_extensions),
        scene_test(dreamwidth_signs_people_in_under_their_own_page),
        scene_test(dreamwidth_names_a_page_for_its_questions),
        scene_test(a_claimed_id_in_1_is_not_believed),
        scene_test(unsupported_type_is_understood_with_any_http_status),
        scene_test(an_impossible_suggestion_is_followed_by_our_own),
        scene_test(a_suggestion_that_stays_impossible_means_no_association),
        scene_test(a_cancel_is_one_with_and_without_ns),
        scene_test(counts_of_one_and_none_under_aliases_of_its_own),
        scene_test(aliases_that_are_not_signed_mean_nothing),
        scene_test(fields_of_2_in_an_answer_of_1_do_no_harm),
        scene_test(a_provider_that_is_not_accepted_is_sent_nothing),
        scene_test(the_first_provider_that_is_accepted_is_used),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
