/* What the kernels share: the instance as flat arrays, and a small generator of random numbers.
 *
 * A table over (vendor, pool, bucket) has a stride of buckets + 1, so that a column that occupies [start, start + span)
 * may be read off prefix sums as table[cell + span] - table[cell]; the last entry of each row is a spare.
 */
#ifndef KERNELS_COMMON_H
#define KERNELS_COMMON_H

#include <stdint.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

typedef __int128 wide;

#define SCALE 1024                 /* fixed point: 1/1024 cent */
#define NOTHING (-((int64_t)1 << 62)) /* a bound below every plan: nothing is proven */

/* ceil(value / SCALE), or NOTHING where that is below it. */
static inline int64_t rounded_up(wide value) {
    wide whole = value / SCALE;
    if (whole <= NOTHING) return NOTHING;
    return (int64_t)(whole + (value > whole * SCALE));
}

/* A struct that Python fills in is made from a list of its fields, from which layout.c also tells where each of them lies. */
#define DECLARE(type, name) type name;

#define INSTANCE(X)                                                                                    \
    X(int64_t, requests)                                                                               \
    X(int64_t, columns)                                                                                \
    X(int64_t, vendors)                                                                                \
    X(int64_t, rows)               /* vendors x pools */                                               \
    X(int64_t, stride)                                                                                 \
    X(const int32_t *, first)      /* requests + 1: columns of request r are [first[r], first[r+1]) */ \
    X(const int32_t *, vendor)     /* columns */                                                       \
    X(const int32_t *, cell)       /* columns */                                                       \
    X(const int32_t *, span)       /* columns */                                                       \
    X(const int64_t *, units)      /* columns */                                                       \
    X(const int64_t *, cost)       /* columns */                                                       \
    X(const int64_t *, penalty)    /* requests */                                                      \
    X(const int64_t *, capacity)   /* rows x stride */                                                 \
    X(const int64_t *, cap)        /* vendors */                                                       \
    X(const int64_t *, target)     /* vendors */                                                       \
    X(int64_t, shortfall)                                                                              \
    X(int64_t, pairs)                                                                                  \
    X(const int32_t *, before)     /* pairs: first */                                                  \
    X(const int32_t *, after)      /* pairs: second */                                                 \
    X(const int64_t *, lag)        /* pairs: from the first's end to the second's begin, at least */   \
    X(const int64_t *, most)       /* pairs: at most */                                                \
    X(const int32_t *, from_start) /* pairs: 1: from the first's begin instead */                      \
    X(const int32_t *, both)       /* pairs: 1: matched both or neither; else the second only beside the first */ \
    X(const int32_t *, tied)       /* requests that are in pairs: where its columns are in the next two */ \
    X(const int64_t *, begin)      /* columns of those: when the work begins, in the unit of lags */   \
    X(const int64_t *, end)        /* the same: ends */                                                \
    X(const int32_t *, link_first) /* requests + 1 into link */                                        \
    X(const int32_t *, link)       /* pair index, of each pair a request is in */
typedef struct { INSTANCE(DECLARE) } Instance;

/* xoshiro256** by Blackman and Vigna (public domain), seeded by splitmix64. */
typedef struct {
    uint64_t s[4];
} Random;

static inline uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static inline uint64_t random_bits(Random *random) {
    uint64_t *s = random->s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* Uniform in [0, n), n in [1, 2^31]. */
static inline uint32_t random_below(Random *random, uint32_t n) {
    return (uint32_t)(((random_bits(random) >> 32) * (uint64_t)n) >> 32);
}

/* Uniform in (0, 1]. */
static inline double random_unit(Random *random) { return ((random_bits(random) >> 11) + 1) * 0x1.0p-53; }

static inline Random random_seeded(uint64_t seed) {
    Random random;
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        random.s[i] = z ^ (z >> 31);
    }
    return random;
}

#endif
