/* Lagrangian bound: capacity, caps and targets are priced; what is left falls apart into one choice per request
 * (per tree of requests where precedence ties them). Deflected subgradient steps on a subset of columns. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

typedef struct {
    int32_t begin, end; /* cell, cell + span */
    int32_t vendor, column;
    float cost, units;
} Priced;

typedef struct {
    int64_t columns, room;
    int32_t *first; /* requests + 1 */
    Priced *priced; /* room */
    float *prefix;  /* rows x stride: prefix sums of price */
    double *price, *best, *step, *use; /* rows x stride */
    double *vendor_price, *vendor_best, *vendor_step, *count; /* vendors */
    float *vendor_float;
    int32_t *pick; /* requests: column or -1 */
    double *low;   /* requests: least priced cost */
} Dual;

static void prefix_sums(const Instance *in, Dual *dual) {
    for (int64_t row = 0; row < in->rows; row++) {
        double sum = 0;
        const double *price = dual->price + row * in->stride;
        float *prefix = dual->prefix + row * in->stride;
        for (int64_t b = 0; b < in->stride; b++) {
            prefix[b] = (float)sum;
            sum += price[b];
        }
    }
    for (int64_t v = 0; v < in->vendors; v++) dual->vendor_float[v] = (float)dual->vendor_price[v];
}

static double constant(const Instance *in, const double *price, const double *vendor_price) {
    double total = 0;
    for (int64_t i = 0; i < in->rows * in->stride; i++) total -= price[i] * (double)in->capacity[i];
    for (int64_t v = 0; v < in->vendors; v++)
        total -= vendor_price[v] * (double)(vendor_price[v] > 0 ? in->cap[v] : in->target[v]);
    return total;
}

/* One evaluation on the subset: sets use, count, pick; returns the value (valid only when the subset is all). */
static double evaluate(const Instance *in, Dual *dual) {
    prefix_sums(in, dual);
    memset(dual->use, 0, sizeof(double) * in->rows * in->stride);
    memset(dual->count, 0, sizeof(double) * in->vendors);
    double total = constant(in, dual->price, dual->vendor_price);
    const float *prefix = dual->prefix, *vp = dual->vendor_float;
    for (int64_t r = 0; r < in->requests; r++) {
        float low = (float)in->penalty[r];
        int64_t at = -1;
        for (int64_t i = dual->first[r]; i < dual->first[r + 1]; i++) {
            const Priced *p = dual->priced + i;
            float cost = p->cost + p->units * (prefix[p->end] - prefix[p->begin]) + vp[p->vendor];
            if (cost < low) low = cost, at = i;
        }
        total += low;
        dual->pick[r] = -1;
        if (at >= 0) {
            const Priced *p = dual->priced + at;
            dual->use[p->begin] += p->units;
            dual->use[p->end] -= p->units;
            dual->count[p->vendor] += 1;
            dual->pick[r] = p->column;
        }
    }
    for (int64_t row = 0; row < in->rows; row++) {
        double sum = 0;
        double *use = dual->use + row * in->stride;
        for (int64_t b = 0; b < in->stride; b++) use[b] = sum += use[b];
    }
    return total;
}

/* Least priced cost of each request over all columns; the value of the bound (float arithmetic). */
static double evaluate_all(const Instance *in, Dual *dual) {
    prefix_sums(in, dual);
    double total = constant(in, dual->price, dual->vendor_price);
    const float *prefix = dual->prefix, *vp = dual->vendor_float;
    for (int64_t r = 0; r < in->requests; r++) {
        float low = (float)in->penalty[r];
        for (int64_t i = in->first[r]; i < in->first[r + 1]; i++) {
            int32_t cell = in->cell[i];
            float cost = (float)in->cost[i] + (float)in->units[i] * (prefix[cell + in->span[i]] - prefix[cell]) +
                         vp[in->vendor[i]];
            if (cost < low) low = cost;
        }
        dual->low[r] = low;
        total += low;
    }
    return total;
}

/* Refill the subset with columns whose priced cost is within `width` of the least; fills up to room. */
static void refill(const Instance *in, Dual *dual, double width) {
    int64_t n = 0;
    const float *prefix = dual->prefix, *vp = dual->vendor_float;
    for (int64_t r = 0; r < in->requests; r++) {
        dual->first[r] = (int32_t)n;
        float limit = (float)(dual->low[r] + width);
        for (int64_t i = in->first[r]; i < in->first[r + 1]; i++) {
            int32_t cell = in->cell[i], end = cell + in->span[i];
            float cost = (float)in->cost[i] + (float)in->units[i] * (prefix[end] - prefix[cell]) + vp[in->vendor[i]];
            if (cost <= limit && n < dual->room)
                dual->priced[n++] = (Priced){cell, end, in->vendor[i], (int32_t)i, (float)in->cost[i], (float)in->units[i]};
        }
    }
    dual->first[in->requests] = (int32_t)n;
    dual->columns = n;
}

EXPORT double dual_all(const Instance *in, Dual *dual, double width) {
    double value = evaluate_all(in, dual);
    refill(in, dual, width);
    return value;
}

/* `rounds` steps on the subset; alpha: weight of the new subgradient; theta: Polyak factor; target: value aimed at. */
EXPORT double dual_steps(const Instance *in, Dual *dual, int64_t rounds, double alpha, double theta, double target) {
    int64_t cells = in->rows * in->stride;
    double value = 0, top = -INFINITY;
    for (int64_t round = 0; round < rounds; round++) {
        value = evaluate(in, dual);
        if (value > top) top = value;
        double norm = 0;
        for (int64_t i = 0; i < cells; i++) {
            double g = dual->use[i] - (double)in->capacity[i];
            double d = dual->step[i] = (1 - alpha) * dual->step[i] + alpha * g;
            if (d > 0 || dual->price[i] > 0) norm += d * d;
        }
        for (int64_t v = 0; v < in->vendors; v++) {
            double p = dual->vendor_price[v], over = dual->count[v] - (double)in->cap[v],
                   under = dual->count[v] - (double)in->target[v];
            double g = p > 0 ? over : p < 0 ? under : over > 0 ? over : under < 0 ? under : 0;
            double d = dual->vendor_step[v] = (1 - alpha) * dual->vendor_step[v] + alpha * g;
            norm += d * d;
        }
        if (norm <= 0) break;
        double length = theta * (target - value) / norm;
        if (length < 0) length = 0;
        for (int64_t i = 0; i < cells; i++) {
            double p = dual->price[i] + length * dual->step[i];
            dual->price[i] = p > 0 ? p : 0;
        }
        double floor = -(double)in->shortfall;
        for (int64_t v = 0; v < in->vendors; v++) {
            double p = dual->vendor_price[v] + length * dual->vendor_step[v];
            dual->vendor_price[v] = p > floor ? p : floor;
        }
    }
    return top;
}
EXPORT double dual_value(const Instance *in, Dual *dual) { return evaluate(in, dual); }
