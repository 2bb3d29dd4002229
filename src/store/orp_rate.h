/* SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
 * SPDX-License-Identifier: Apache-2.0 */

/* orp_rate.h - how often something may happen.
 *
 * A rule such as 60/1m allows 60 at once, and from then on one a second: what
 * is used up comes back evenly, until all 60 are there again. This is the
 * generic cell rate algorithm: all that must be known of one who is counted
 * is the time at which everything will have come back. It fits into a word,
 * which all threads and processes change by compare-and-swap; nobody locks,
 * so nobody who is killed leaves a lock behind.
 *
 *     63        45 44  42 41                                             0
 *     +-----------+------+-----------------------------------------------+
 *     | who       | said | when everything is back, in ticks of 100 us   |
 *     +-----------+------+-----------------------------------------------+
 *
 * "said" is the interval in which a refusal was last worth a line of the log,
 * 1 to 7, round and round. A word of zeros is somebody who was never seen.
 *
 * A table has a fixed number of words, for any number of clients. A client is
 * a hash: one part of it says which 4 words may be its own, another is "who".
 * Where a new one finds all 4 taken, it gets the one whose time comes first:
 * mostly one whose time is over, so that nothing is forgotten. Whoever can
 * come as very many clients may have others forgotten, which allows these
 * more, never less.
 */
#ifndef ORP_RATE_H
#define ORP_RATE_H

#include <stdatomic.h>

#include <apr.h>
#include <apr_time.h>

/** The longest interval of a rule. */
#define ORP_RATE_INTERVAL_MAX (24 * 3600 * APR_USEC_PER_SEC)

/** At most so many a second, on average over the interval. */
#define ORP_RATE_SECOND_MAX 1000

typedef struct orp_rate_rule_t {
    apr_uint32_t count;             /* 0: whatever comes may pass */
    apr_interval_time_t interval;   /* in which so many may pass */
} orp_rate_rule_t;

/** One who is counted. May lie in memory that processes share. */
typedef _Atomic apr_uint64_t orp_rate_word_t;

/** How many words a client has to choose from. */
#define ORP_RATE_WAYS 4

typedef struct orp_rate_table_t {
    orp_rate_word_t *words;     /* zeros at first; ORP_RATE_WAYS a bucket */
    apr_uint32_t buckets;       /* a power of 2, at most 2^32 / 2 */
} orp_rate_table_t;

typedef struct orp_rate_verdict_t {
    apr_interval_time_t wait;   /* 0: it may pass, and is counted; else it
                                 * may not before that time is over, and is
                                 * not counted */
    int first;                  /* refused, and the first time in this
                                 * interval that this one is */
} orp_rate_verdict_t;

/** Is it a rule that can be kept? Its limits are above. */
int orp_rate_is_sane(const orp_rate_rule_t *rule);

/**
 * May one pass?
 * @param rule  of a word, always the same
 * @param now   microseconds on a clock that is never set, less than 13 years
 *              after it began
 */
orp_rate_verdict_t orp_rate_take(orp_rate_word_t *word,
                                 const orp_rate_rule_t *rule, apr_time_t now);

/**
 * May this client pass?
 * @param hash  of the client and the rule, with a key that no client knows
 */
orp_rate_verdict_t orp_rate_table_take(const orp_rate_table_t *table,
                                       apr_uint64_t hash,
                                       const orp_rate_rule_t *rule,
                                       apr_time_t now);

#endif
