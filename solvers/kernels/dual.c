/* Lagrangian bound: capacity, caps and targets are priced; what is left falls apart into one cheapest choice per request,
 * and per tree of requests where precedence ties them (ties.c). Prices climb by Adam steps (Kingma and Ba, 2015: a step
 * per price that does not depend on how crowded its cell is), with each request seeing only its columns of low priced cost;
 * now and then all columns are priced, which gives the value and the next subset. */
#include <math.h>
#include <string.h>

#include "dual.h"

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
    for (int64_t v = 0; v < in->vendors; v++) dual->vendor_prefix[v] = (float)dual->vendor_price[v];
}

/* What the priced limits themselves are worth: -price x capacity, -vendor price x cap (or x target where it is paid). */
static double limits(const Instance *in, const Dual *dual) {
    double total = 0;
    for (int64_t i = 0; i < in->rows * in->stride; i++) total -= dual->price[i] * (double)in->capacity[i];
    for (int64_t v = 0; v < in->vendors; v++)
        total -= dual->vendor_price[v] * (double)(dual->vendor_price[v] > 0 ? in->cap[v] : in->target[v]);
    return total;
}

static inline float priced(const Dual *dual, const Seen *c) {
    return c->cost + c->units * (dual->prefix[c->end] - dual->prefix[c->begin]) + dual->vendor_prefix[c->vendor];
}

static void use(Dual *dual, const Seen *c) {
    dual->use[c->begin] += c->units;
    dual->use[c->end] -= c->units;
    dual->count[c->vendor] += 1;
}

/* A priced cost in fixed point; what no cost comes near is cut. */
static int64_t fixed_point(float cost) { return (int64_t)(fmin(fmax(cost, -0x1p44), 0x1p44) * SCALE); }

/* The cheapest choice at the current prices, from the subset: fills use and count. */
static void respond(const Instance *in, Dual *dual) {
    prefix_sums(in, dual);
    memset(dual->use, 0, sizeof(double) * (size_t)(in->rows * in->stride));
    memset(dual->count, 0, sizeof(double) * (size_t)in->vendors);
    for (int64_t r = 0; r < in->requests; r++) {
        if (in->link_first[r] < in->link_first[r + 1]) continue;
        float low = (float)in->penalty[r];
        const Seen *best = 0;
        for (int64_t i = dual->first[r]; i < dual->first[r + 1]; i++) {
            float cost = priced(dual, dual->seen + i);
            if (cost < low) low = cost, best = dual->seen + i;
        }
        if (best) use(dual, best);
    }
    const Ties *ties = dual->near;
    for (int64_t k = 0; k < ties->size; k++) {
        int32_t r = ties->request[k];
        for (int32_t i = dual->first[r], j = ties->first[k]; i < dual->first[r + 1]; i++, j++)
            ties->value[j] = fixed_point(priced(dual, dual->seen + i));
        ties->alone[k] = in->penalty[r] * SCALE;
    }
    ties_solve(in, ties);
    for (int64_t k = 0; k < ties->size; k++)
        if (ties->pick[k] >= 0) use(dual, dual->seen + dual->first[ties->request[k]] + ties->pick[k]);
    for (int64_t row = 0; row < in->rows; row++) {
        double sum = 0, *cell = dual->use + row * in->stride;
        for (int64_t b = 0; b < in->stride; b++) cell[b] = sum += cell[b];
    }
}

static double adam(double *mean, double *square, double gradient, double rate, double bias_mean, double bias_square) {
    *mean = 0.9 * *mean + 0.1 * gradient;
    *square = 0.99 * *square + 0.01 * gradient * gradient;
    return rate * (*mean / bias_mean) / (sqrt(*square / bias_square) + 1e-9);
}

static void climb(const Instance *in, Dual *dual, double rate, double vendor_rate) {
    dual->rounds++;
    double bias_mean = 1 - pow(0.9, (double)dual->rounds), bias_square = 1 - pow(0.99, (double)dual->rounds);
    for (int64_t i = 0; i < in->rows * in->stride; i++) {
        double over = dual->use[i] - (double)in->capacity[i];
        if (over <= 0 && dual->price[i] <= 0 && dual->mean[i] <= 0) continue;
        double price = dual->price[i] + adam(dual->mean + i, dual->square + i, over, rate, bias_mean, bias_square);
        dual->price[i] = price > 0 ? price : 0;
    }
    for (int64_t v = 0; v < in->vendors; v++) {
        double price = dual->vendor_price[v];
        double over = dual->count[v] - (double)in->cap[v], under = dual->count[v] - (double)in->target[v];
        double slope = price > 0 ? over : price < 0 ? under : over > 0 ? over : under < 0 ? under : 0;
        price += adam(dual->vendor_mean + v, dual->vendor_square + v, slope, vendor_rate, bias_mean, bias_square);
        double least = -(double)in->shortfall;
        dual->vendor_price[v] = price > least ? price : least;
    }
}

/* `rounds` steps on the subset, the step length falling by `factor` each. */
EXPORT void dual_climb(const Instance *in, Dual *dual, int64_t rounds, double rate, double vendor_rate, double factor) {
    for (int64_t round = 0; round < rounds; round++, rate *= factor, vendor_rate *= factor) {
        respond(in, dual);
        climb(in, dual, rate, vendor_rate);
    }
}

static Seen seen_of(const Instance *in, int64_t i) {
    int32_t cell = in->cell[i];
    return (Seen){cell, cell + in->span[i], in->vendor[i], (float)in->cost[i], (float)in->units[i]};
}

/* Price every column of tied requests: their value, and which of them are near. */
static double survey_tied(const Instance *in, const Dual *dual, double width) {
    const Ties *ties = dual->ties;
    for (int64_t k = 0, tied = 0; k < ties->size; k++) {
        int32_t r = ties->request[k];
        ties->alone[k] = in->penalty[r] * SCALE;
        for (int64_t i = in->first[r]; i < in->first[r + 1]; i++) {
            Seen c = seen_of(in, i);
            ties->value[tied++] = fixed_point(priced(dual, &c));
        }
    }
    return (double)ties_survey(in, ties, dual->near, width * SCALE) / SCALE;
}

/* Price every column: returns the value (in floats; dual_bound proves it) and takes columns within `width` of each
 * request's cheapest into the subset; of a tied request those within as much for each of its tree of the tree's. */
EXPORT double dual_survey(const Instance *in, Dual *dual, double width) {
    prefix_sums(in, dual);
    double total = limits(in, dual), of_trees = survey_tied(in, dual, width);
    int32_t n = 0;
    for (int64_t r = 0, tied = 0; r < in->requests; r++) {
        int is_tied = in->link_first[r] < in->link_first[r + 1];
        float low = (float)in->penalty[r];
        dual->first[r] = n;
        for (int64_t i = in->first[r]; i < in->first[r + 1]; i++) {
            Seen c = seen_of(in, i);
            float cost = priced(dual, &c);
            if (cost < low) low = cost;
            if (is_tied ? dual->ties->rank[tied++] >= 0 : cost <= low + (float)width) dual->seen[n++] = c;
        }
        if (!is_tied) total += low;
        dual->low[r] = low;
    }
    dual->first[in->requests] = n;
    return total + of_trees;
}

/* A price as it proves, x SCALE: at most `most`, for which any price may stand in. */
static int64_t proving(double price, double most) { return (int64_t)(fmin(price, most) * SCALE); }

/* The bound at the current prices in integers only: prices are rounded to 1/SCALE, which any prices may be, every sum and
 * product is exact in 128 bits, and costs are whole, so that the value may be rounded up. A row's prices sum to 2^61 at most,
 * a cell holds 2^60 units, so that a row counts 2^121. `fixed`: rows x stride. */
EXPORT int64_t dual_bound(const Instance *in, Dual *dual, int64_t *fixed, int64_t *vendor_fixed) {
    wide total = 0;
    double most = fmin(0x1p40, 0x1p51 / (double)in->stride);
    for (int64_t row = 0; row < in->rows; row++) {
        if (total < -((wide)1 << 124)) return NOTHING;
        int64_t sum = 0;
        for (int64_t b = 0; b < in->stride; b++) {
            int64_t at = row * in->stride + b;
            int64_t price = b + 1 < in->stride ? proving(dual->price[at], most) : 0;
            fixed[at] = sum;
            sum += price;
            total -= (wide)price * in->capacity[at];
        }
    }
    for (int64_t v = 0; v < in->vendors; v++) {
        int64_t price = vendor_fixed[v] = proving(dual->vendor_price[v], 0x1p40);
        total -= (wide)price * (price > 0 ? in->cap[v] : in->target[v]);
    }
    for (int64_t r = 0, tied = 0; r < in->requests; r++) {
        int is_tied = in->link_first[r] < in->link_first[r + 1];
        wide low = (wide)in->penalty[r] * SCALE;
        for (int64_t i = in->first[r]; i < in->first[r + 1]; i++) {
            int32_t cell = in->cell[i];
            wide cost = (wide)in->cost[i] * SCALE + (wide)in->units[i] * (fixed[cell + in->span[i]] - fixed[cell]) +
                        vendor_fixed[in->vendor[i]];
            if (cost < low) low = cost;
            if (is_tied) dual->ties->value[tied++] = (int64_t)(cost < CEILING ? cost : CEILING);
        }
        if (!is_tied) total += low;
    }
    for (int64_t k = 0; k < dual->ties->size; k++) dual->ties->alone[k] = in->penalty[dual->ties->request[k]] * SCALE;
    return rounded_up(total + ties_solve(in, dual->ties));
}
