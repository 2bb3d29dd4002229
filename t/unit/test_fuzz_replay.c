/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* test_fuzz_replay.c - every seed of every fuzz target once, without a
 * fuzzer: what was found once is not found again. */

#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#define FOLDER "t/fuzz/"
#define SEEDS FOLDER "seeds/"

#define SEED_MAX (64 * 1024)

static const struct target_t {
    const char *name;
    void (*run)(const uint8_t *data, size_t size);
} targets[] = {
#define TARGET(name) { #name, fuzz_##name },
    FUZZ_TARGETS(TARGET)
};

static int is_target(const char *name, size_t size)
{
    size_t i;

    for (i = 0; i < COUNT(targets); i++) {
        if (strlen(targets[i].name) == size
            && !strncmp(targets[i].name, name, size)) {
            return 1;
        }
    }
    return 0;
}

static void replay(const struct target_t *target, const char *path)
{
    uint8_t *bytes = malloc(SEED_MAX);
    uint8_t *exact;
    FILE *file = fopen(path, "rb");
    size_t size;

    assert_non_null(bytes);
    assert_non_null(file);
    size = fread(bytes, 1, SEED_MAX, file);
    fclose(file);
    assert_true(size < SEED_MAX);
    exact = malloc(size ? size : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    free(bytes);
    target->run(exact, size);
    free(exact);
}

static void seeds_are_replayed(void **state)
{
    const struct target_t *target = *state;
    char folder[256], path[768];
    struct dirent *entry;
    DIR *dir;
    int count = 0;

    snprintf(folder, sizeof(folder), SEEDS "%s", target->name);
    dir = opendir(folder);
    if (!dir) {
        fail_msg("there is no folder %s", folder);
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
            print_message("# %s\n", path);
            replay(target, path);
            count++;
        }
    }
    closedir(dir);
    if (!count) {
        fail_msg("there is no seed in %s", folder);
    }
}

/* Who adds a target must also replay it. */
static void every_target_is_in_the_list(void **state)
{
    struct dirent *entry;
    DIR *dir = opendir(FOLDER);
    int count = 0;

    (void)state;
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        const char *name = entry->d_name;
        size_t size = strlen(name);

        if (size > 7 && !strncmp(name, "fuzz_", 5)
            && !strcmp(name + size - 2, ".c")) {
            count++;
            if (!is_target(name + 5, size - 7)) {
                fail_msg("%s is not in FUZZ_TARGETS", name);
            }
        }
    }
    closedir(dir);
    assert_int_equal(count, COUNT(targets));
}

int main(void)
{
#define REPLAY(name) \
    { "seeds_of_" #name, seeds_are_replayed, NULL, NULL, NULL },
    struct CMUnitTest tests[] = {
        FUZZ_TARGETS(REPLAY)
        cmocka_unit_test(every_target_is_in_the_list),
    };
    size_t i;

    for (i = 0; i < COUNT(targets); i++) {
        tests[i].initial_state = (void *)(uintptr_t)&targets[i];
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
