/* Which columns annealing may use, sorted by priced cost. */
#include <stdlib.h>
#include <string.h>

#include "plan.h"

static int by_key(const void *a, const void *b) {
    const Candidate *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->column < y->column ? -1 : 1;
}

/* What columns are keyed by: prices, and for tied requests how much more than at its cheapest their tree costs with them, and
 * without a match. */
typedef struct {
    const float *prefix, *vendor_price, *regret, *alone;
} Keys;

static void key_by_regret(const Instance *in, int64_t r, const Keys *keys, Candidate *of) {
    const float *regret = keys->regret + in->tied[r];
    of[0].key = keys->alone[r];
    for (int64_t i = in->first[r]; i < in->first[r + 1]; i++) of[1 + i - in->first[r]].key = regret[i - in->first[r]];
}

/* All columns of r and "unmatched", keyed; returns their number. */
static int64_t all_of(const Instance *in, int64_t r, const Keys *keys, Candidate *out) {
    const float *prefix = keys->prefix, *vendor_price = keys->vendor_price;
    int64_t size = 0;
    out[size++] = (Candidate){0, in->penalty[r], 0, 0, -1, 0, -1, (float)in->penalty[r]};
    for (int64_t i = in->first[r]; i < in->first[r + 1]; i++) {
        int32_t cell = in->cell[i], row = (int32_t)(cell / in->stride);
        float key = (float)in->cost[i] + (float)in->units[i] * (prefix[cell + in->span[i]] - prefix[cell]) +
                    vendor_price[in->vendor[i]];
        out[size++] = (Candidate){in->units[i], in->cost[i], cell, in->span[i], in->vendor[i], row, (int32_t)i, key};
    }
    if (in->link_first[r] < in->link_first[r + 1]) key_by_regret(in, r, keys, out);
    return size;
}

/* The candidates of the requests [from, to), of all from the first on part by part: those within its `width` of its cheapest at
 * the prices, at most `most`, "unmatched" and the one of `keep` (column or -1), at which the request then stands. `regret`:
 * columns of tied requests; `alone`: requests. `scratch`: one more than the most columns a request has.
 * Returns their number, at most the columns of each request + 1, or `most` + 2. `spread`: of each request, what the third costs
 * more than the first, but no more than its penalty. */
EXPORT int64_t plan_candidates(const Instance *in, Plan *plan, int64_t from, int64_t to, const float *prefix,
                               const float *vendor_price, const float *regret, const float *alone, const double *width,
                               int64_t most, const int32_t *keep, Candidate *scratch, double *spread) {
    Keys keys = {prefix, vendor_price, regret, alone};
    int32_t n = plan->first[from];
    for (int64_t r = from; r < to; r++) {
        int64_t size = all_of(in, r, &keys, scratch), kept = 0;
        float low = scratch[0].key;
        for (int64_t i = 1; i < size; i++) low = scratch[i].key < low ? scratch[i].key : low;
        for (int64_t i = 0; i < size; i++) {
            int32_t column = scratch[i].column;
            if (scratch[i].key <= low + (float)width[r] || column < 0 || column == keep[r]) scratch[kept++] = scratch[i];
        }
        qsort(scratch, (size_t)kept, sizeof(Candidate), by_key);
        plan->first[r] = n;
        if (kept > 1 && in->penalty[r] < PINNED) {
            double dearer = scratch[kept > 2 ? 2 : 1].key - scratch[0].key, most = (double)in->penalty[r];
            spread[r] = dearer < most ? dearer : most; /* a tied column may go with nothing */
        }
        for (int64_t i = 0; i < kept; i++) {
            Candidate c = scratch[i];
            if (i >= most && c.column >= 0 && c.column != keep[r]) continue;
            if (c.column == keep[r]) plan->choice[r] = n;
            plan->candidate[n] = c;
            int64_t cost = c.cost - (c.column >= 0 ? in->shortfall : 0);
            if (n == plan->first[r] || cost < plan->least[r]) plan->least[r] = cost;
            n++;
        }
    }
    return plan->first[to] = n;
}

/* Sets row_first: room for all requests that could ever stand in each row. `seen`: rows, scratch. */
EXPORT int64_t plan_rows(const Instance *in, Plan *plan, int32_t *seen) {
    memset(plan->row_first, 0, sizeof(int32_t) * (size_t)(in->rows + 1));
    for (int64_t row = 0; row < in->rows; row++) seen[row] = -1;
    for (int64_t r = 0; r < in->requests; r++)
        for (int32_t i = plan->first[r]; i < plan->first[r + 1]; i++) {
            if (plan->candidate[i].vendor < 0) continue;
            int32_t row = plan->candidate[i].row;
            if (seen[row] != (int32_t)r) plan->row_first[row + 1]++;
            seen[row] = (int32_t)r;
        }
    for (int64_t row = 0; row < in->rows; row++) plan->row_first[row + 1] += plan->row_first[row];
    return plan->row_first[in->rows];
}
