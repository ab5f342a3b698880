/* A mask without its empty words: what the entries of a tuple share.
 *
 * Of the 75 words of a struct flow a match looks at two or three.  An entry
 * stores these, in the order of `words`, and shares the rest of its match with
 * all entries that mask the same bits. */
#ifndef WEFT_SWITCH_MASK_WORDS_H
#define WEFT_SWITCH_MASK_WORDS_H

#include "lib/hash.h"
#include "openflow/match.h"

struct mask_word {
    uint64_t bits;
    uint32_t word;                /* index into struct flow */
    uint32_t pad;
};

struct mask_words {
    uint32_t n;
    struct mask_word list[FLOW_WORDS];
};

static inline void
mask_words_init(struct mask_words *words, const struct flow_mask *mask)
{
    words->n = 0;
    for (uint32_t i = 0; i < FLOW_WORDS; i++) {
        if (mask->bits.w[i]) {
            words->list[words->n++] =
                (struct mask_word) { mask->bits.w[i], i, 0 };
        }
    }
}

static inline size_t
mask_words_size(uint32_t n)
{
    return offsetof(struct mask_words, list) + n * sizeof(struct mask_word);
}

static inline uint64_t
mask_words_hash(struct hash_key key, const struct mask_words *words)
{
    return hash_bytes(key, words->list, words->n * sizeof words->list[0]);
}

static inline bool
mask_words_equal(const struct mask_words *a, const struct mask_words *b)
{
    return a->n == b->n &&
           !memcmp(a->list, b->list, a->n * sizeof a->list[0]);
}

/* Does `wide` look at no bit that `narrow` does not? */
static inline bool
mask_words_within(const struct mask_words *wide, const struct flow_mask *narrow)
{
    for (uint32_t i = 0; i < wide->n; i++) {
        if (wide->list[i].bits & ~narrow->bits.w[wide->list[i].word]) {
            return false;
        }
    }
    return true;
}

/* The masked words of a flow, in order. */
static inline void
mask_words_take(const struct mask_words *words, const struct flow *flow,
                uint64_t *values)
{
    for (uint32_t i = 0; i < words->n; i++) {
        values[i] = flow->w[words->list[i].word] & words->list[i].bits;
    }
}

static inline bool
mask_words_hold(const struct mask_words *words, const uint64_t *values,
                const struct flow *flow)
{
    uint64_t differ = 0;

    for (uint32_t i = 0; i < words->n; i++) {
        differ |= (flow->w[words->list[i].word] & words->list[i].bits)
                  ^ values[i];
    }
    return !differ;
}

#endif
