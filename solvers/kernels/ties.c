/* Requests tied by precedence or a bundle, solved exactly at given priced costs: messages from the leaves of a forest to its
 * roots. What goes with a column of the parent is a stretch of the child's columns, so a message is a least over stretches. */
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

wide ties_solve(const Instance *in, const Ties *ties) {
    wide total = 0;
    if (!adds_up(ties)) return each_alone(ties);
    for (int64_t i = ties->size - 1; i >= 0; i--)
        if (ties->parent[ties->order[i]] >= 0) send(in, ties, ties->order[i]);
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
