/* Few rows at a time, solved by depth-first enumeration over their requests, most expensive doubt first, pruned by priced
 * cost: what a plan costs is its priced costs plus the priced value of what it leaves free, so that no better plan has
 * priced costs above the sum of both now. */
#include <math.h>
#include <string.h>

#include "plan.h"

enum { MOST = 192, ROWS = 8 };

typedef struct {
    Search search;
    int n;
    int32_t request[MOST];
    int32_t option_first[MOST + 1], *option;
    float rest[MOST + 1]; /* least priced cost of requests from here on */
    float budget;         /* priced cost that a better plan stays below */
    int64_t nodes, best;
    int32_t standing[MOST], found[MOST];
    int better;
} Enumeration;

static void descend(Enumeration *e, int depth, float priced, int differs) {
    Search *s = &e->search;
    if (depth == e->n) {
        if (differs && s->cost < e->best) {
            e->best = s->cost;
            e->better = 1;
            for (int k = 0; k < e->n; k++) e->found[k] = s->plan->choice[e->request[k]];
        }
        return;
    }
    int32_t r = e->request[depth];
    for (int32_t i = e->option_first[depth]; i < e->option_first[depth + 1] && e->nodes > 0; i++) {
        const Candidate *c = s->plan->candidate + e->option[i];
        if (priced + c->key + e->rest[depth + 1] >= e->budget) return;
        e->nodes--;
        if (!fits(s, c) || link_conflict(s, r, c) >= 0) continue;
        place(s, r, e->option[i]);
        descend(e, depth + 1, priced + c->key, differs | (e->option[i] != e->standing[depth]));
        lift(s, r);
    }
}

static int in_rows(const int32_t *rows, int size, int32_t row) {
    for (int i = 0; i < size; i++)
        if (rows[i] == row) return 1;
    return 0;
}

/* A few rows that share candidates: grown from the row of a random request. */
static int pick_rows(Enumeration *e, int32_t *rows, int wanted) {
    Search *s = &e->search;
    const Plan *plan = s->plan;
    int size = 0;
    int32_t r = (int32_t)random_below(&s->random, (uint32_t)s->in->requests);
    for (int tries = 0; tries < 40 && size < wanted; tries++) {
        int32_t n = plan->first[r + 1] - plan->first[r];
        double u = random_unit(&s->random);
        const Candidate *c = plan->candidate + plan->first[r] + (int32_t)(u * u * 0.999999 * n);
        if (c->vendor < 0) continue;
        if (!in_rows(rows, size, c->row)) rows[size++] = c->row;
        int32_t row = rows[random_below(&s->random, (uint32_t)size)];
        if (plan->row_size[row])
            r = plan->occupant[plan->row_first[row] + (int32_t)random_below(&s->random, (uint32_t)plan->row_size[row])].request;
    }
    return size;
}

static float doubt(const Enumeration *e, const Plan *plan, int k) {
    int32_t first = e->option_first[k], end = e->option_first[k + 1];
    if (end - first < 2) return INFINITY;
    return plan->candidate[e->option[first + 1]].key - plan->candidate[e->option[first]].key;
}

/* Requests that stand in the rows, and their candidates there; sorted by doubt. Returns 0 when there are too many. */
static int gather(Enumeration *e, const int32_t *rows, int size, int32_t *option) {
    const Plan *plan = e->search.plan;
    int32_t members[MOST], order[MOST];
    float key[MOST];
    int n = 0;
    for (int i = 0; i < size; i++)
        for (int32_t k = 0; k < plan->row_size[rows[i]]; k++) {
            if (n == MOST) return 0;
            members[n++] = plan->occupant[plan->row_first[rows[i]] + k].request;
        }
    e->n = n;
    e->option = option;
    for (int pass = 0; pass < 2; pass++) {
        int32_t at = 0;
        for (int k = 0; k < n; k++) {
            int32_t r = pass ? members[order[k]] : members[k];
            e->request[k] = r;
            e->option_first[k] = at;
            for (int32_t i = plan->first[r]; i < plan->first[r + 1]; i++)
                if (plan->candidate[i].vendor < 0 || in_rows(rows, size, plan->candidate[i].row)) option[at++] = i;
        }
        e->option_first[n] = at;
        for (int k = 0; k < n && !pass; k++) {
            key[k] = doubt(e, plan, k) * (float)(0.7 + 0.6 * random_unit(&e->search.random));
            int j = k;
            while (j > 0 && key[order[j - 1]] < key[k]) order[j] = order[j - 1], j--;
            order[j] = k;
        }
    }
    e->rest[n] = 0;
    for (int k = n - 1; k >= 0; k--) e->rest[k] = e->rest[k + 1] + plan->candidate[option[e->option_first[k]]].key;
    return n > 1;
}

/* What is free in the rows, at the prices. */
static double value_left(const Search *s, const int32_t *rows, int size, const double *price) {
    double sum = 0;
    for (int i = 0; i < size; i++)
        for (int64_t at = rows[i] * s->in->stride; at < (rows[i] + 1) * s->in->stride; at++)
            sum += price[at] * (double)s->plan->free[at];
    return sum;
}

/* `calls` times: the best other way to fill some rows, found within `nodes`, and taken if it is better or, at a temperature,
 * not much worse. Returns the change of cost; `best`, `best_choice`: change and candidates of the best plan met, where that
 * beats `*best`. `option`: MOST times the longest candidate list, scratch. */
EXPORT int64_t plan_enumerate(const Instance *in, Plan *plan, uint64_t seed, int64_t calls, int64_t nodes, int64_t most_rows,
                              double temperature, const double *price, int32_t *option, int64_t *best,
                              int32_t *best_choice) {
    Enumeration e = {.search = {.in = in, .plan = plan, .random = random_seeded(seed)}};
    Search *s = &e.search;
    for (int64_t call = 0; call < calls && in->requests > 0; call++) {
        int32_t rows[ROWS];
        int wanted = 2 + (int)random_below(&s->random, (uint32_t)(most_rows - 1));
        int size = pick_rows(&e, rows, wanted > ROWS ? ROWS : wanted);
        if (size < 1 || !gather(&e, rows, size, option)) continue;
        double now = value_left(s, rows, size, price);
        for (int k = 0; k < e.n; k++) now += plan->candidate[e.standing[k] = plan->choice[e.request[k]]].key;
        int64_t worse = (int64_t)(-temperature * log(random_unit(&s->random)));
        e.budget = (float)now + (float)worse + 0.5f;
        e.nodes = nodes;
        e.best = s->cost + worse + 1;
        e.better = 0;
        for (int k = 0; k < e.n; k++) lift(s, e.request[k]);
        descend(&e, 0, 0, 0);
        for (int k = 0; k < e.n; k++) place(s, e.request[k], e.better ? e.found[k] : e.standing[k]);
        if (s->cost < *best) {
            *best = s->cost;
            memcpy(best_choice, plan->choice, sizeof(int32_t) * (size_t)in->requests);
        }
    }
    return s->cost;
}
