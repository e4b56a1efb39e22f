/* Values of requests by a Lagrangian with one knapsack per row: a tighter bound than capacity prices give, in floats while
 * it climbs and in integers when it is proven. */
#include <math.h>
#include <string.h>

#include "knapsack.h"

/* The least sum of cost - value in a row; counts what it takes. */
static double solve_row(const Instance *in, Knapsacks *ks, int64_t row) {
    int64_t capacity = in->capacity[row * in->stride], width = capacity + 1, n = 0;
    memset(ks->table, 0, sizeof(float) * (size_t)width);
    for (int32_t k = ks->first[row]; k < ks->first[row + 1]; k++) {
        int32_t i = ks->column[k];
        double key = (double)in->cost[i] - ks->value[ks->request[k]];
        if (key >= 0 || in->units[i] > capacity) continue;
        float *from = ks->table + n * width, *to = from + width;
        memcpy(to, from, sizeof(float) * (size_t)width);
        add_item(to, from, width, in->units[i], (float)key);
        ks->item[n++] = k;
    }
    int64_t y = capacity;
    double sum = 0;
    for (int64_t t = n; t > 0; t--) {
        if (ks->table[t * width + y] == ks->table[(t - 1) * width + y]) continue;
        int32_t k = ks->item[t - 1], i = ks->column[k];
        y -= in->units[i];
        sum += (double)in->cost[i] - ks->value[ks->request[k]];
        ks->taken[ks->request[k]]++;
    }
    return sum;
}

/* The bound at the current values, in floats; sets `taken`. */
static double respond(const Instance *in, Knapsacks *ks) {
    double total = 0;
    for (int64_t r = 0; r < in->requests; r++) {
        ks->taken[r] = ks->value[r] > (double)in->penalty[r];
        total += fmin(ks->value[r], (double)in->penalty[r]);
    }
    for (int64_t row = 0; row < in->rows; row++) total += solve_row(in, ks, row);
    return total;
}

/* `steps` Adam steps of length `rate`, falling by `factor` each; `best` follows the best bound met, at first `*bound`. */
EXPORT void knapsacks_climb(const Instance *in, Knapsacks *ks, int64_t steps, double rate, double factor, double *bound) {
    for (int64_t step = 0; step < steps; step++, rate *= factor) {
        double total = respond(in, ks);
        if (total > *bound) {
            *bound = total;
            memcpy(ks->best, ks->value, sizeof(double) * (size_t)in->requests);
        }
        for (int64_t r = 0; r < in->requests; r++) {
            double slope = 1 - ks->taken[r];
            ks->mean[r] = 0.9 * ks->mean[r] + 0.1 * slope;
            ks->square[r] = 0.99 * ks->square[r] + 0.01 * slope * slope;
            ks->value[r] += rate * ks->mean[r] / (sqrt(ks->square[r]) + 1e-9);
        }
    }
}

static int64_t proving(const Knapsacks *ks, int64_t r, double most) {
    return (int64_t)(fmax(fmin(ks->best[r], most), -most) * SCALE);
}

/* The bound at the best values in integers only: values are rounded to 1/SCALE, which any values may be; costs are whole, so
 * that the bound may be rounded up. `most`: cents that no value proves with more or less than, any may stand in for it: then
 * a row's sums stay within 64 bits. `table`: largest capacity + 1, scratch. */
EXPORT int64_t knapsacks_bound(const Instance *in, const Knapsacks *ks, double most, int64_t *table) {
    wide total = 0;
    for (int64_t r = 0; r < in->requests; r++) {
        int64_t value = proving(ks, r, most);
        total += value < (wide)in->penalty[r] * SCALE ? (wide)value : (wide)in->penalty[r] * SCALE;
    }
    for (int64_t row = 0; row < in->rows; row++) {
        int64_t capacity = in->capacity[row * in->stride];
        memset(table, 0, sizeof(int64_t) * (size_t)(capacity + 1));
        for (int32_t k = ks->first[row]; k < ks->first[row + 1]; k++) {
            int32_t i = ks->column[k];
            int64_t key = in->cost[i] * SCALE - proving(ks, ks->request[k], most);
            for (int64_t y = capacity; key < 0 && y >= in->units[i]; y--)
                if (table[y - in->units[i]] + key < table[y]) table[y] = table[y - in->units[i]] + key;
        }
        total += table[capacity];
    }
    return rounded_up(total);
}
