/* The other Lagrangian of problems with one bucket: "each request at most once" is relaxed with a value per request, and
 * what is left is one knapsack per (vendor, pool) row, solved exactly by a table over capacity. */
#ifndef KERNELS_KNAPSACK_H
#define KERNELS_KNAPSACK_H

#include "common.h"

#define KNAPSACKS(X)                                                                                              \
    X(const int32_t *, first)   /* rows + 1: columns of a row are [first[row], first[row + 1]) of the next two */ \
    X(const int32_t *, column)  /* columns, row by row */                                                         \
    X(const int32_t *, request) /* columns, row by row */                                                         \
    X(double *, value)          /* requests: what serving it is worth, now */                                     \
    X(double *, best)           /* requests: the same at the best bound met */                                    \
    X(double *, mean)           /* requests: Adam's */                                                            \
    X(double *, square)         /* requests: Adam's */                                                            \
    X(int32_t *, taken)         /* requests: rows that take it */                                                 \
    X(int32_t *, item)          /* longest row: columns in the table */                                           \
    X(float *, table)           /* (longest row + 1) x (largest capacity + 1), scratch */
typedef struct { KNAPSACKS(DECLARE) } Knapsacks;

/* One more item: `to`[y], at first `from`[y], is the least with capacity y when it may be taken. */
static inline void add_item(float *restrict to, const float *restrict from, int64_t width, int64_t units, float key) {
    for (int64_t y = units; y < width; y++) {
        float taken = from[y - units] + key;
        to[y] = taken < to[y] ? taken : to[y];
    }
}

#endif
