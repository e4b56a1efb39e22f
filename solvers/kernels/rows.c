/* What branch.c searches: rows at random, the requests there that may move at the prices, and a table of knapsacks. */
#include <math.h>
#include <string.h>

#include "branch.h"
#include "knapsack.h"

static int slot_of(const Branch *b, const Candidate *c) {
    for (int i = 0; i < b->size; i++)
        if (c->vendor >= 0 && b->row[i] == c->row) return i;
    return -1;
}

/* Different rows: that of a random request, then those where requests of the rows so far would go, likelier the cheaper. */
static void pick(Branch *b, int wanted) {
    Search *s = &b->search;
    const Plan *plan = s->plan;
    int32_t r = (int32_t)random_below(&s->random, (uint32_t)s->in->requests);
    b->size = 0;
    for (int tries = 0; tries < 16 * wanted && b->size < wanted && b->size < ROWS; tries++) {
        int32_t n = plan->first[r + 1] - plan->first[r];
        double u = random_unit(&s->random);
        const Candidate *c = plan->candidate + plan->first[r] + (int32_t)(u * u * 0.999999 * n);
        if (c->vendor >= 0 && slot_of(b, c) < 0) b->row[b->size++] = c->row;
        if (b->size == 0) continue;
        int32_t row = b->row[random_below(&s->random, (uint32_t)b->size)], size = plan->row_size[row];
        if (size > 0) r = plan->occupant[plan->row_first[row] + (int32_t)random_below(&s->random, (uint32_t)size)].request;
    }
}

/* Options of r within `reach` of its first, by priced cost; returns how much dearer the second is than the first. */
static float options_of(Branch *b, int k, int32_t r, float reach) {
    const Plan *plan = b->search.plan;
    float low = INFINITY, next = INFINITY;
    b->request[k] = r;
    b->options[k] = 0;
    for (int32_t at = plan->first[r]; at < plan->first[r + 1] && b->options[k] < OPTIONS; at++) {
        const Candidate *c = plan->candidate + at;
        int slot = slot_of(b, c);
        if (slot < 0 && c->vendor >= 0) continue;
        if (low == INFINITY) low = c->key;
        else if (next == INFINITY) next = c->key;
        if (c->key > low + reach) break;
        b->slot[k][b->options[k]] = (int8_t)slot;
        b->option[k][b->options[k]++] = at;
    }
    return next - low;
}

/* By how much the rows' part of the plan exceeds, at the prices, the least it could be. */
static double excess(Branch *b, const double *price) {
    const Search *s = &b->search;
    const Plan *plan = s->plan;
    double sum = 0;
    for (int i = 0; i < b->size; i++) {
        int64_t at = b->row[i] * s->in->stride;
        sum += price[at] * (double)plan->free[at];
        for (int32_t k = 0; k < plan->row_size[b->row[i]]; k++) {
            int32_t r = plan->occupant[plan->row_first[b->row[i]] + k].request;
            options_of(b, 0, r, 0);
            sum += plan->candidate[plan->choice[r]].key - plan->candidate[b->option[0][0]].key;
        }
    }
    return sum;
}

int rows_drawn(Branch *b, int wanted, int64_t worse, const double *value, const double *price) {
    Search *s = &b->search;
    const Plan *plan = s->plan;
    int32_t order[MOST];
    float doubt[MOST];
    pick(b, wanted);
    float reach = (float)(excess(b, price) + (double)worse + 0.05);
    b->n = 0;
    for (int i = 0; i < b->size; i++)
        for (int32_t k = 0; k < plan->row_size[b->row[i]]; k++) {
            int32_t r = plan->occupant[plan->row_first[b->row[i]] + k].request;
            float clear = options_of(b, 0, r, reach) * (float)(0.7 + 0.6 * random_unit(&s->random));
            if (b->options[0] < 2) continue;
            if (b->n == MOST) return 0;
            int j = b->n++;
            for (; j > 0 && doubt[j - 1] < clear; j--) doubt[j] = doubt[j - 1], order[j] = order[j - 1];
            doubt[j] = clear;
            order[j] = r;
        }
    for (int k = 0; k < b->n; k++) {
        options_of(b, k, order[k], reach);
        for (int o = 0; o < b->options[k]; o++)
            b->key[k][o] = (float)((double)plan->candidate[b->option[k][o]].cost - value[order[k]]);
    }
    return b->n > 1;
}

int rows_tabulated(Branch *b, int64_t room) {
    Search *s = &b->search;
    for (int k = 0; k < b->n; k++) {
        b->standing[k] = s->plan->choice[b->request[k]];
        lift(s, b->request[k]);
    }
    b->width = 0;
    for (int i = 0; i < b->size; i++) {
        b->first[i] = b->width;
        b->free[i] = s->plan->free[b->row[i] * s->in->stride];
        b->width += b->free[i] + 1;
    }
    if (b->width * (b->n + 1) > room) return 0;
    memset(b->table + b->n * b->width, 0, sizeof(float) * (size_t)b->width);
    for (int k = b->n - 1; k >= 0; k--) {
        float *to = b->table + k * b->width, *from = to + b->width;
        memcpy(to, from, sizeof(float) * (size_t)b->width);
        for (int o = 0; o < b->options[k]; o++) {
            int i = b->slot[k][o];
            if (i < 0 || b->key[k][o] >= 0) continue;
            int64_t units = s->plan->candidate[b->option[k][o]].units;
            add_item(to + b->first[i], from + b->first[i], b->free[i] + 1, units, b->key[k][o]);
        }
    }
    return 1;
}
