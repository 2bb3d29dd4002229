/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

#include "orp_rate.h"

#define TICK 100                /* microseconds */

/* how far two clocks that were read one after the other may be apart when
 * they are looked at: threads are put to sleep at any time */
#define SLACK (60 * APR_USEC_PER_SEC / TICK)

#define BACK_BITS 42
#define SAID_BITS 3
#define SAID_SHIFT BACK_BITS
#define WHO_SHIFT (BACK_BITS + SAID_BITS)
#define MASK(bits) (((apr_uint64_t)1 << (bits)) - 1)

/* A word taken apart, and a rule in ticks. */
typedef struct {
    apr_uint64_t who;
    apr_uint64_t said;
    apr_uint64_t back;
} state_t;

typedef struct {
    apr_uint64_t cost;          /* one of them is back after so long */
    apr_uint64_t all;           /* all of them are */
    apr_uint64_t interval;
} ticks_t;

static state_t unpack(apr_uint64_t word)
{
    state_t state = {
        word >> WHO_SHIFT,
        (word >> SAID_SHIFT) & MASK(SAID_BITS),
        word & MASK(BACK_BITS)
    };

    return state;
}

static apr_uint64_t pack(const state_t *state)
{
    return state->who << WHO_SHIFT | state->said << SAID_SHIFT
        | (state->back & MASK(BACK_BITS));
}

static ticks_t ticks_of(const orp_rate_rule_t *rule)
{
    ticks_t ticks;

    ticks.interval = (apr_uint64_t)rule->interval / TICK;
    ticks.cost = ticks.interval / rule->count;
    ticks.all = ticks.cost * rule->count;
    return ticks;
}

int orp_rate_is_sane(const orp_rate_rule_t *rule)
{
    return rule->interval > 0 && rule->interval <= ORP_RATE_INTERVAL_MAX
        && rule->count > 0
        && rule->count <= rule->interval * ORP_RATE_SECOND_MAX
                          / APR_USEC_PER_SEC;
}

/* What becomes of one who comes now. */
static orp_rate_verdict_t judge(state_t *state, const ticks_t *ticks,
                                apr_uint64_t now)
{
    orp_rate_verdict_t verdict = { 0, 0 };
    apr_uint64_t said = now / ticks->interval % MASK(SAID_BITS) + 1;

    if (state->back <= now || state->back > now + ticks->all + SLACK) {
        /* everything is back; or it is no time of this rule at all, but of
         * another client's that shares the word by chance */
        state->back = now;
        state->said = 0;
    }
    if (state->back + ticks->cost <= now + ticks->all) {
        state->back += ticks->cost;
        return verdict;
    }
    verdict.wait = (apr_interval_time_t)(state->back + ticks->cost
                                         - now - ticks->all) * TICK;
    verdict.first = state->said != said;
    state->said = said;
    return verdict;
}

orp_rate_verdict_t orp_rate_take(orp_rate_word_t *word,
                                 const orp_rate_rule_t *rule, apr_time_t now)
{
    orp_rate_verdict_t verdict = { 0, 0 };
    apr_uint64_t old = atomic_load(word);
    ticks_t ticks;
    state_t state;

    if (!rule->count) {
        return verdict;
    }
    ticks = ticks_of(rule);
    do {
        state = unpack(old);
        verdict = judge(&state, &ticks, (apr_uint64_t)now / TICK);
    } while (pack(&state) != old
             && !atomic_compare_exchange_weak(word, &old, pack(&state)));
    return verdict;
}

/* The client's word, or the one that it may have: of those whose time comes
 * first, the first. Times only grow, so two that come at the same time as the
 * same new client choose the same one; one of them is too late, and looks
 * again. */
static orp_rate_word_t *choose(apr_uint64_t *pold, orp_rate_word_t *bucket,
                               apr_uint64_t who)
{
    orp_rate_word_t *chosen = NULL;
    apr_uint64_t first = 0;
    int i;

    for (i = 0; i < ORP_RATE_WAYS; i++) {
        apr_uint64_t word = atomic_load(&bucket[i]);
        state_t state = unpack(word);

        if (word && state.who == who) {
            *pold = word;
            return &bucket[i];
        }
        if (!chosen || state.back < first) {
            chosen = &bucket[i];
            first = state.back;
            *pold = word;
        }
    }
    return chosen;
}

orp_rate_verdict_t orp_rate_table_take(const orp_rate_table_t *table,
                                       apr_uint64_t hash,
                                       const orp_rate_rule_t *rule,
                                       apr_time_t now)
{
    apr_uint64_t who = hash >> WHO_SHIFT;
    orp_rate_word_t *bucket = table->words
        + (hash & (table->buckets - 1)) * ORP_RATE_WAYS;
    orp_rate_verdict_t verdict = { 0, 0 };
    orp_rate_word_t *word;
    apr_uint64_t old = 0;
    ticks_t ticks;
    state_t state;

    if (!rule->count) {
        return verdict;
    }
    ticks = ticks_of(rule);
    do {
        static const state_t nobody = { 0, 0, 0 };

        word = choose(&old, bucket, who);
        state = unpack(old);
        if (state.who != who) {
            state = nobody;
            state.who = who;
        }
        verdict = judge(&state, &ticks, (apr_uint64_t)now / TICK);
    } while (pack(&state) != old
             && !atomic_compare_exchange_strong(word, &old, pack(&state)));
    return verdict;
}
