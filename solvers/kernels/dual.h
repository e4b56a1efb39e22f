/* State of the Lagrangian (dual.c) and of the trees of tied requests (ties.c). */
#ifndef KERNELS_DUAL_H
#define KERNELS_DUAL_H

#include "common.h"

#define CEILING ((int64_t)1 << 56) /* priced costs above it count as it, which keeps a bound a bound */

/* Requests tied by precedence or a bundle, as a forest: a pair that would close a cycle is left out, which only relaxes.
 * Parents stand before their children; columns of the k-th are value[first[k] .. first[k + 1]). What goes with a column of
 * the parent is a stretch of the child's columns, sorted by time: child k with its parent's j-th has those from
 * low[reach[k] + j] up to high[reach[k] + j]. */
#define TIES(X)                                                                                \
    X(int64_t, size)                                                                           \
    X(const int32_t *, request) /* size, ascending */                                          \
    X(int32_t *, first)         /* size + 1 */                                                 \
    X(const int32_t *, order)   /* size: parents before children */                            \
    X(const int32_t *, parent)  /* size: -1 for a root */                                      \
    X(const int32_t *, pair)    /* size: the pair that ties it to its parent */                \
    X(int32_t *, sorted)        /* columns: within the request, in order of time */            \
    X(int32_t *, place)         /* columns: the other way */                                   \
    X(int32_t *, reach)         /* size */                                                     \
    X(int32_t *, low)                                                                          \
    X(int32_t *, high)                                                                         \
    X(int64_t *, value)         /* columns: priced cost x SCALE, then with what hangs below */ \
    X(int64_t *, alone)         /* size: the same for unmatched */                             \
    X(int32_t *, pick)          /* size: column within the request, -1 unmatched */            \
    X(int64_t *, least)         /* levels x width, scratch: least of 1, 2, 4, ... from each on */ \
    X(int64_t *, rest)          /* width, scratch */                                           \
    X(int32_t *, rank)          /* columns: within the request among those near, -1 if far */  \
    X(int32_t *, passed)        /* width + 1, scratch: how many near among the first in time */ \
    X(int64_t, width)           /* most columns of a request */
typedef struct { TIES(DECLARE) } Ties;

#define SEEN(X)                          \
    X(int32_t, begin)  /* cell */        \
    X(int32_t, end)    /* cell + span */ \
    X(int32_t, vendor)                   \
    X(float, cost)                       \
    X(float, units)
typedef struct { SEEN(DECLARE) } Seen;

#define DUAL(X)                                                                     \
    X(const Ties *, ties)                                                           \
    X(const Ties *, near)      /* the same with its columns in the subset only */   \
    X(int64_t, rounds)                                                              \
    X(int32_t *, first)        /* requests + 1, into seen */                        \
    X(Seen *, seen)            /* columns: the subset */                            \
    X(double *, low)           /* requests: least priced cost at the last survey */ \
    X(float *, prefix)         /* rows x stride: sums of price before a bucket */   \
    X(float *, vendor_prefix)  /* vendors */                                        \
    X(double *, price)         /* rows x stride */                                  \
    X(double *, use)           /* rows x stride */                                  \
    X(double *, mean)          /* rows x stride */                                  \
    X(double *, square)        /* rows x stride */                                  \
    X(double *, vendor_price)  /* vendors */                                        \
    X(double *, count)         /* vendors */                                        \
    X(double *, vendor_mean)   /* vendors */                                        \
    X(double *, vendor_square) /* vendors */
typedef struct { DUAL(DECLARE) } Dual;

/* Cheapest choice that keeps precedence and bundles in every tree: sets pick, returns its value; value and alone are used up. Where the
 * values together might not fit into 64 bits, each request is taken by itself, which only relaxes. */
wide ties_solve(const Instance *in, const Ties *ties);

/* The same, and into `near`, and `rank`, those columns with which a tree costs at most `width`, x SCALE, for each of its requests
 * more than at its cheapest. */
wide ties_survey(const Instance *in, const Ties *ties, const Ties *near, double width);

#endif
