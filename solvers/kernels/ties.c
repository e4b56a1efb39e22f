/* Requests tied by precedence or a bundle, solved exactly at given priced costs: messages from the leaves of a forest to its
 * roots. What goes with a column of the parent is a stretch of the child's columns, so a message is a least over stretches. */
#include <math.h>

#include "dual.h"

#define NEVER (CEILING * 4) /* dearer than any choice that exists; a sum of a few stays in 64 bits */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* The least of 2^level columns of child k from each on, in order of time. */
static void tabulate(const Ties *ties, int32_t k) {
    int32_t first = ties->first[k], size = ties->first[k + 1] - first;
    for (int32_t i = 0; i < size; i++) ties->least[i] = ties->value[first + ties->sorted[first + i]];
    int64_t *from = ties->least;
    for (int32_t half = 1; 2 * half <= size; half *= 2, from += ties->width)
        for (int32_t i = 0; i + 2 * half <= size; i++) from[ties->width + i] = least(from[i], from[i + half]);
}

/* The least of a stretch, once tabulated. */
static int64_t least_within(const Ties *ties, int32_t low, int32_t high) {
    if (low >= high) return NEVER;
    int level = 31 - __builtin_clz((uint32_t)(high - low));
    const int64_t *from = ties->least + level * ties->width;
    return least(from[low], from[high - (1 << level)]);
}

static int64_t least_of(const Ties *ties, int32_t k) {
    int64_t low = ties->alone[k];
    for (int32_t j = ties->first[k]; j < ties->first[k + 1]; j++) low = least(low, ties->value[j]);
    return low;
}

/* What child k costs beside each column of its parent, and beside its parent unmatched. */
static void send(const Instance *in, const Ties *ties, int32_t k) {
    int32_t up = ties->parent[k], pair = ties->pair[k], is_second = in->after[pair] == ties->request[k];
    const int32_t *low = ties->low + ties->reach[k], *high = ties->high + ties->reach[k];
    int64_t without = is_second && !in->both[pair] ? ties->alone[k] : NEVER;
    tabulate(ties, k);
    for (int32_t j = ties->first[up]; j < ties->first[up + 1]; j++, low++, high++)
        ties->value[j] = least(ties->value[j] + least(least_within(ties, *low, *high), without), NEVER);
    ties->alone[up] = least(ties->alone[up] + (is_second || in->both[pair] ? ties->alone[k] : least_of(ties, k)), NEVER);
}

/* Whether column j of k (-1: unmatched) goes with what its parent picked. */
static int agrees(const Instance *in, const Ties *ties, int32_t k, int32_t j) {
    int32_t up = ties->parent[k], pair = ties->pair[k];
    if (up < 0) return 1;
    int32_t p = ties->pick[up], is_second = in->after[pair] == ties->request[k];
    int32_t one = is_second ? p : j, two = is_second ? j : p;
    if (two < 0) return one < 0 || !in->both[pair];
    if (one < 0) return 0;
    int32_t at = ties->reach[k] + p, place = ties->place[j];
    return ties->low[at] <= place && place < ties->high[at];
}

/* Whether no tree's sum of what is below zero leaves 64 bits. Above, sums are cut at NEVER: that lowers a bound, and no more. */
static int adds_up(const Ties *ties) {
    wide total = 0;
    for (int64_t i = 0; i < ties->size; i++) {
        int32_t k = ties->order[i];
        if (ties->parent[k] < 0) total = 0; /* a tree's requests stand together, its root first */
        total += least(least_of(ties, k), 0);
        if (total < -((wide)1 << 62)) return 0;
    }
    return 1;
}

/* Each request at its cheapest, untied. */
static wide each_alone(const Ties *ties) {
    wide total = 0;
    for (int64_t k = 0; k < ties->size; k++) {
        int64_t low = ties->alone[k];
        ties->pick[k] = -1;
        for (int32_t j = ties->first[k]; j < ties->first[k + 1]; j++)
            if (ties->value[j] < low) low = ties->value[j], ties->pick[k] = j - ties->first[k];
        total += low;
    }
    return total;
}

static void gather(const Instance *in, const Ties *ties) {
    for (int64_t i = ties->size - 1; i >= 0; i--)
        if (ties->parent[ties->order[i]] >= 0) send(in, ties, ties->order[i]);
}

wide ties_solve(const Instance *in, const Ties *ties) {
    wide total = 0;
    if (!adds_up(ties)) return each_alone(ties);
    gather(in, ties);
    for (int64_t i = 0; i < ties->size; i++) {
        int32_t k = ties->order[i], pick = -1;
        int64_t low = agrees(in, ties, k, -1) ? ties->alone[k] : NEVER;
        for (int32_t j = ties->first[k]; j < ties->first[k + 1]; j++)
            if (ties->value[j] < low && agrees(in, ties, k, j)) low = ties->value[j], pick = j - ties->first[k];
        ties->pick[k] = pick;
        if (ties->parent[k] < 0) total += low;
    }
    return total;
}

/* What the rest of its tree costs beside each column of child k, in order of time: `rest` is what that is beside each column
 * of its parent. A stretch is two of 1, 2, 4, ... columns, which are told to their halves. */
static int64_t *spread(const Ties *ties, int32_t k, const int64_t *rest, int32_t columns) {
    int32_t size = ties->first[k + 1] - ties->first[k], half = 1;
    const int32_t *low = ties->low + ties->reach[k], *high = ties->high + ties->reach[k];
    int64_t *row = ties->least;
    if (size == 0) return row;
    for (int64_t i = 0, levels = 32 - __builtin_clz((uint32_t)size); i < levels * ties->width; i++) row[i] = NEVER;
    for (int32_t j = 0; j < columns; j++) {
        if (low[j] >= high[j]) continue;
        int level = 31 - __builtin_clz((uint32_t)(high[j] - low[j]));
        int64_t *at = row + level * ties->width, *other = at + high[j] - (1 << level);
        at[low[j]] = least(at[low[j]], rest[j]);
        *other = least(*other, rest[j]);
    }
    while (2 * half <= size) half *= 2, row += ties->width;
    for (; half > 1; row -= ties->width) {
        half /= 2;
        for (int32_t i = 0; i + 2 * half <= size; i++) {
            int64_t *below = row - ties->width + i;
            below[0] = least(below[0], row[i]);
            below[half] = least(below[half], row[i]);
        }
    }
    return row;
}

/* The other way, once gathered: child k's columns cost what their whole tree does, as its parent's do already. */
static void hear(const Instance *in, const Ties *ties, int32_t k) {
    int32_t up = ties->parent[k], pair = ties->pair[k], is_second = in->after[pair] == ties->request[k];
    const int32_t *low = ties->low + ties->reach[k], *high = ties->high + ties->reach[k];
    int32_t first = ties->first[k], own = ties->first[up], columns = ties->first[up + 1] - own;
    int64_t without = is_second && !in->both[pair] ? ties->alone[k] : NEVER, rest = NEVER;
    int64_t beside = ties->alone[up] - (is_second || in->both[pair] ? ties->alone[k] : least_of(ties, k));
    int64_t *each = ties->rest;
    tabulate(ties, k);
    for (int32_t j = 0; j < columns; j++) {
        each[j] = ties->value[own + j] - least(least_within(ties, low[j], high[j]), without);
        rest = least(rest, each[j]);
    }
    const int64_t *heard = spread(ties, k, each, columns);
    for (int32_t j = first; j < ties->first[k + 1]; j++) {
        int64_t others = heard[ties->place[j]];
        if (!is_second && !in->both[pair]) others = least(others, beside);
        ties->value[j] = least(ties->value[j] + others, NEVER);
    }
    if (is_second && !in->both[pair]) beside = least(beside, rest);
    ties->alone[k] = least(ties->alone[k] + beside, NEVER);
}

/* From what was gathered to regrets; where a tree's sums might not fit nothing was, and each is compared with its own
 * request's cheapest. */
static void regret(const Instance *in, const Ties *ties, int sound) {
    int64_t low = 0;
    for (int64_t i = 0; i < ties->size; i++) {
        int32_t k = ties->order[i];
        if (sound && ties->parent[k] >= 0) hear(in, ties, k);
    }
    for (int64_t i = 0; i < ties->size; i++) {
        int32_t k = ties->order[i];
        if (!sound || ties->parent[k] < 0) low = least_of(ties, k);
        for (int32_t j = ties->first[k]; j < ties->first[k + 1]; j++) ties->value[j] -= low;
        ties->alone[k] -= low;
    }
}

/* From priced costs to regrets: by how much more than at its cheapest a tree costs with each column at the least, and with the
 * request unmatched. */
EXPORT void ties_regrets(const Instance *in, const Ties *ties) {
    int sound = adds_up(ties);
    if (sound) gather(in, ties);
    regret(in, ties, sound);
}

/* Rank 1 for the columns that are near by their regret, 0 for the others. */
static void mark(const Ties *ties, double width) {
    double within = 0;
    for (int64_t i = 0; i < ties->size; i++) {
        int32_t k = ties->order[i];
        int64_t end = i + 1;
        while (ties->parent[k] < 0 && end < ties->size && ties->parent[ties->order[end]] >= 0) end++;
        if (ties->parent[k] < 0) within = width * (double)(end - i); /* a root, then the rest of its tree */
        for (int32_t j = ties->first[k]; j < ties->first[k + 1]; j++) ties->rank[j] = (double)ties->value[j] <= within;
    }
}

/* From marks to ranks. */
static void number(const Ties *ties, const Ties *near) {
    int32_t n = 0;
    for (int64_t k = 0; k < ties->size; k++) {
        near->first[k] = n;
        for (int32_t j = ties->first[k]; j < ties->first[k + 1]; j++) ties->rank[j] = ties->rank[j] ? n++ - near->first[k] : -1;
    }
    near->first[ties->size] = n;
}

/* Which of child k's near columns go with each that its parent has near, from `done` on; returns where the next begin. */
static int32_t shorten(const Ties *ties, const Ties *near, int64_t k, int32_t done) {
    int32_t first = ties->first[k], size = ties->first[k + 1] - first, kept = 0, up = ties->parent[k];
    for (int32_t p = 0; p < size; p++) {
        int32_t j = ties->rank[first + ties->sorted[first + p]];
        ties->passed[p] = kept;
        if (j >= 0) near->sorted[near->first[k] + kept] = j, near->place[near->first[k] + j] = kept++;
    }
    ties->passed[size] = kept;
    near->reach[k] = done;
    const int32_t *low = ties->low + ties->reach[k], *high = ties->high + ties->reach[k];
    for (int32_t j = ties->first[up]; j < ties->first[up + 1]; j++, low++, high++)
        if (ties->rank[j] >= 0) near->low[done] = ties->passed[*low], near->high[done++] = ties->passed[*high];
    return done;
}

wide ties_survey(const Instance *in, const Ties *ties, const Ties *near, double width) {
    int sound = adds_up(ties);
    wide total = ties_solve(in, ties);
    regret(in, ties, sound);
    mark(ties, sound ? width : INFINITY);
    number(ties, near);
    int32_t done = 0;
    for (int64_t k = 0; k < ties->size; k++)
        if (ties->parent[k] >= 0) done = shorten(ties, near, k, done);
    return total;
}
