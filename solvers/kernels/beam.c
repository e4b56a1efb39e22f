/* Beam search over problems with one bucket: requests are decided one after another, and of all plans in part only the best
 * go on. A plan in part is judged as in branch.c: by what is decided, plus in every row the best knapsack of what is undecided
 * within the units left; costs count less the requests' values. No request may have two candidates in a row. */
#include <stdlib.h>
#include <string.h>

#include "beam.h"
#include "knapsack.h"

/* What r costs at c less what serving it is worth. */
static float key_of(const Beam *b, int32_t r, const Candidate *c) { return (float)((double)c->cost - b->value[r]); }

/* A candidate's line while its request is undecided, from the one without it. */
static int64_t add_line(const Instance *in, const Beam *b, int32_t r, const Candidate *c, int64_t size) {
    int64_t width = in->capacity[c->row * in->stride] + 1;
    float *to = b->table + size, *from = b->table + b->top[c->row], key = key_of(b, r, c);
    memcpy(to, from, sizeof(float) * (size_t)width);
    if (key < 0) add_item(to, from, width, c->units, key);
    return size + width;
}

/* Fill the table in, from the request decided last; returns the bound of no decision. */
static float tabulate(const Instance *in, const Plan *plan, Beam *b) {
    int64_t size = 0;
    for (int64_t row = 0; row < in->rows; row++) {
        b->top[row] = size;
        size += in->capacity[row * in->stride] + 1;
    }
    memset(b->table, 0, sizeof(float) * (size_t)size);
    for (int64_t k = in->requests - 1; k >= 0; k--)
        for (int32_t r = b->order[k], at = plan->first[r]; at < plan->first[r + 1]; at++) {
            const Candidate *c = plan->candidate + at;
            if (c->vendor < 0) continue;
            b->after[at] = b->top[c->row];
            b->before[at] = size;
            size = add_line(in, b, r, c, size);
            b->top[c->row] = b->before[at];
        }
    float sum = 0;
    for (int64_t row = 0; row < in->rows; row++) sum += b->table[b->top[row] + in->capacity[row * in->stride]];
    return sum;
}

/* All that the plans in part become when r is decided, at most `most` dear; returns their number. */
static int64_t extend(const Instance *in, const Plan *plan, const Beam *b, int32_t r, int64_t plans, int side, float most) {
    int64_t n = 0;
    for (int64_t p = 0; p < plans; p++) {
        const int32_t *left = b->left + (side * b->width + p) * in->rows;
        float sum = b->bound[side * b->width + p];
        for (int32_t at = plan->first[r]; at < plan->first[r + 1]; at++) {
            const Candidate *c = plan->candidate + at;
            if (c->vendor >= 0) sum += b->table[b->after[at] + left[c->row]] - b->table[b->before[at] + left[c->row]];
        }
        for (int32_t at = plan->first[r]; at < plan->first[r + 1]; at++) {
            const Candidate *c = plan->candidate + at;
            float bound = sum + key_of(b, r, c);
            if (c->vendor >= 0) {
                if (left[c->row] < c->units) continue;
                const float *line = b->table + b->after[at] + left[c->row];
                bound += line[-c->units] - line[0];
            }
            if (bound < most) b->extension[n++] = (Extension){bound, (int32_t)p, at};
        }
    }
    return n;
}

static int by_bound(const void *a, const void *b) {
    const Extension *x = a, *y = b;
    if (x->bound != y->bound) return x->bound < y->bound ? -1 : 1;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    return x->at - y->at;
}

/* What a row with so many units left adds to the mark of a plan. */
static uint64_t mark_of(int32_t row, int64_t left) {
    uint64_t z = ((uint64_t)row << 32 ^ (uint64_t)left) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) | 1;
}

/* Whether a mark is new; then it is no more. */
static int is_new(const Beam *b, uint64_t mark) {
    uint64_t slot = mark & (uint64_t)(b->slots - 1);
    while (b->seen[slot] && b->seen[slot] != mark) slot = (slot + 1) & (uint64_t)(b->slots - 1);
    if (b->seen[slot] == mark) return 0;
    b->seen[slot] = mark;
    return 1;
}

/* The best extensions become plans, of those with the same units left the cheapest; returns their number. */
static int64_t keep(const Instance *in, const Plan *plan, Beam *b, int64_t k, int64_t n, int side) {
    int64_t kept = 0, other = !side;
    qsort(b->extension, (size_t)n, sizeof(Extension), by_bound);
    memset(b->seen, 0, sizeof(uint64_t) * (size_t)b->slots);
    for (int64_t i = 0; i < n && kept < b->width; i++) {
        const Extension *e = b->extension + i;
        const Candidate *c = plan->candidate + e->at;
        const int32_t *left = b->left + (side * b->width + e->from) * in->rows;
        uint64_t mark = b->mark[side * b->width + e->from];
        if (c->vendor >= 0) mark += mark_of(c->row, left[c->row] - c->units) - mark_of(c->row, left[c->row]);
        if (!is_new(b, mark)) continue;
        int64_t to = other * b->width + kept;
        memcpy(b->left + to * in->rows, left, sizeof(int32_t) * (size_t)in->rows);
        if (c->vendor >= 0) b->left[to * in->rows + c->row] -= (int32_t)c->units;
        b->bound[to] = e->bound;
        b->mark[to] = mark;
        b->from[k * b->width + kept] = e->from;
        b->at[k * b->width + kept++] = e->at;
    }
    return kept;
}

/* A plan, request by request, into `choice`: candidates. Less than `most` dear, costs less the requests' values; 0 where the
 * beam has met none. `work`: what was done is added, in steps of about 0.3 us. */
EXPORT int64_t plan_beam(const Instance *in, const Plan *plan, Beam *b, double most, int32_t *choice, int64_t *work) {
    int64_t plans = 1;
    int side = 0;
    b->bound[0] = tabulate(in, plan, b);
    b->mark[0] = 1;
    for (int64_t row = 0; row < in->rows; row++) b->left[row] = (int32_t)in->capacity[row * in->stride];
    for (int64_t k = 0; k < in->requests && plans > 0; k++, side = !side) {
        int64_t n = extend(in, plan, b, b->order[k], plans, side, (float)most);
        plans = keep(in, plan, b, k, n, side);
        *work += n / 6 + 1;
    }
    if (plans == 0) return 0;
    for (int64_t k = in->requests - 1, p = 0; k >= 0; p = b->from[k * b->width + p], k--)
        choice[b->order[k]] = b->at[k * b->width + p];
    return 1;
}
