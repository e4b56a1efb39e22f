/* The other Lagrangian of problems with one bucket: "each request at most once" is relaxed with a value per request, and
 * what is left is one knapsack per (vendor, pool) row, solved exactly by a table over capacity. */
#ifndef KERNELS_KNAPSACK_H
#define KERNELS_KNAPSACK_H

#include "common.h"

typedef struct {
    const int32_t *first;            /* rows + 1: columns of a row are [first[row], first[row + 1]) of the next two */
    const int32_t *column, *request; /* columns, row by row */
    double *value, *best;            /* requests: what serving it is worth, now and at the best bound met */
    double *mean, *square;           /* requests: Adam's */
    int32_t *taken, *item;           /* requests: rows that take it; longest row: columns in the table */
    float *table;                    /* (longest row + 1) x (largest capacity + 1), scratch */
} Knapsacks;

/* One more item: `to`[y], at first `from`[y], is the least with capacity y when it may be taken. */
static inline void add_item(float *restrict to, const float *restrict from, int64_t width, int64_t units, float key) {
    for (int64_t y = units; y < width; y++) {
        float taken = from[y - units] + key;
        to[y] = taken < to[y] ? taken : to[y];
    }
}

#endif
