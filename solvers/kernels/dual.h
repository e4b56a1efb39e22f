/* State of the Lagrangian (dual.c) and of the trees of tied requests (ties.c). */
#ifndef KERNELS_DUAL_H
#define KERNELS_DUAL_H

#include "common.h"

typedef __int128 wide;

#define SCALE 1024                  /* fixed point: 1/1024 cent */
#define CEILING ((int64_t)1 << 56) /* priced costs above it count as it, which keeps a bound a bound */

/* Requests tied by precedence, as a forest: a pair that would close a cycle is left out, which only relaxes.
 * Parents stand before their children; columns of the k-th are value[first[k] .. first[k + 1]). */
typedef struct {
    int64_t size;
    const int32_t *request; /* size, ascending */
    const int32_t *first;   /* size + 1 */
    const int32_t *order;   /* size: parents before children */
    const int32_t *parent;  /* size: -1 for a root */
    const int32_t *pair;    /* size: the pair that ties it to its parent */
    const int32_t *begin, *end; /* columns: buckets, of all the columns of tied requests */
    int64_t *value;         /* columns: priced cost x SCALE, then with what hangs below */
    int64_t *alone;         /* size: the same for unmatched */
    int32_t *pick;          /* size: column within the request, -1 unmatched */
    int64_t *message;       /* stride + 2, scratch */
} Ties;

typedef struct {
    int32_t begin, end, vendor; /* cell, cell + span */
    float cost, units;
} Seen;

typedef struct {
    const Ties *ties;
    int64_t rounds;
    int32_t *first;                              /* requests + 1, into seen */
    Seen *seen;                                  /* columns: the subset */
    double *low;                                 /* requests: least priced cost at the last survey */
    float *prefix;                               /* rows x stride: sums of price before a bucket */
    float *vendor_prefix;                        /* vendors */
    double *price, *use, *mean, *square;         /* rows x stride */
    double *vendor_price, *count, *vendor_mean, *vendor_square; /* vendors */
} Dual;

/* Cheapest choice that keeps precedence in every tree: sets pick, returns its value; value and alone are used up. */
int64_t ties_solve(const Instance *in, const Ties *ties);

#endif
