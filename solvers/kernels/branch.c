/* A few rows at a time, their requests reassigned by branch and bound. The bound after each decision: what is decided, plus
 * in every row the best knapsack of what is undecided within the units left. Costs count less the requests' values, which
 * makes this bound as tight as the Lagrangian of knapsack.c. */
#include <math.h>
#include <string.h>

#include "branch.h"

static const float *line(const Branch *b, int depth, int row) { return b->table + depth * b->width + b->first[row]; }

/* Options of the request at this depth that keep within the budget, best first; returns their number. */
static int promising(const Branch *b, int depth, float sum, int *order, float *bound) {
    int n = 0;
    for (int i = 0; i < b->size; i++) sum += line(b, depth + 1, i)[b->free[i]];
    for (int o = 0; o < b->options[depth]; o++) {
        int i = b->slot[depth][o];
        float low = sum + b->key[depth][o];
        if (i >= 0) {
            int64_t left = b->free[i] - b->search.plan->candidate[b->option[depth][o]].units;
            if (left < 0) continue;
            const float *after = line(b, depth + 1, i);
            low += after[left] - after[b->free[i]];
        }
        if (low >= b->budget) continue;
        int j = n++;
        for (; j > 0 && bound[j - 1] > low; j--) order[j] = order[j - 1], bound[j] = bound[j - 1];
        order[j] = o;
        bound[j] = low;
    }
    return n;
}

static void descend(Branch *b, int depth, float sum, int differs) {
    if (depth == b->n) {
        if (!differs) return;
        b->better = 1;
        b->budget = sum - 0.99f; /* costs are whole */
        memcpy(b->found, b->at, sizeof(int32_t) * (size_t)b->n);
        return;
    }
    int order[OPTIONS];
    float bound[OPTIONS];
    int n = promising(b, depth, sum, order, bound);
    for (int j = 0; j < n && bound[j] < b->budget && b->nodes > 0; j++) {
        int o = order[j], i = b->slot[depth][o];
        int32_t at = b->at[depth] = b->option[depth][o];
        int64_t units = i < 0 ? 0 : b->search.plan->candidate[at].units;
        b->nodes--;
        if (i >= 0) b->free[i] -= units;
        descend(b, depth + 1, sum + b->key[depth][o], differs | (at != b->standing[depth]));
        if (i >= 0) b->free[i] += units;
    }
}

/* The best other plan of the rows within `nodes`, at most `worse` dearer. Returns whether that was decided. */
static int search_rows(Branch *b, int64_t nodes, int64_t worse, const double *value, int64_t room) {
    Search *s = &b->search;
    float now = 0;
    int fits = rows_tabulated(b, room);
    b->nodes = nodes;
    b->better = 0;
    for (int k = 0; k < b->n; k++)
        now += (float)((double)s->plan->candidate[b->standing[k]].cost - value[b->request[k]]);
    b->budget = now + (float)worse + 0.01f;
    if (fits) descend(b, 0, 0, 0);
    for (int k = 0; k < b->n; k++) place(s, b->request[k], b->better ? b->found[k] : b->standing[k]);
    return fits && b->nodes > 0;
}

/* `calls` times: some rows, and the best other way to fill them, taken if it is no worse or, at a temperature, not much
 * worse. `aim`: how many rows at once, in and out; it grows while searches end within `nodes`. `value`: of requests;
 * `price`: of capacity; `table`: `room` floats, scratch. Returns the change of cost; `best`, `best_choice`: change and
 * candidates of the best plan met, where that beats `*best`; `work`: what was done is added, in steps of about 0.3 us. */
EXPORT int64_t plan_branch(const Instance *in, Plan *plan, uint64_t seed, int64_t calls, int64_t nodes, double temperature,
                           const double *value, const double *price, float *table, int64_t room, double *aim, int64_t *best,
                           int32_t *best_choice, int64_t *work) {
    Branch b = {.search = {.in = in, .plan = plan, .random = random_seeded(seed)}, .table = table};
    Search *s = &b.search;
    for (int64_t call = 0; call < calls && in->requests > 0; call++) {
        int64_t worse = (int64_t)(-temperature * log(random_unit(&s->random)));
        int wanted = (int)fmax(2, *aim + 3 * random_unit(&s->random) - 2), decided = 0;
        *work += 20;
        if (rows_drawn(&b, wanted, worse, value, price)) {
            decided = search_rows(&b, nodes, worse, value, room);
            *work += (nodes - b.nodes) / 3 + b.width * b.n / 1500;
        }
        *aim = fmin(fmax(*aim + (decided || b.n < 2 ? 0.02 : -0.1), 2), ROWS);
        if (s->cost < *best) {
            *best = s->cost;
            memcpy(best_choice, plan->choice, sizeof(int32_t) * (size_t)in->requests);
        }
    }
    return s->cost;
}
