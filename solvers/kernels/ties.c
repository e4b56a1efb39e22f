/* Requests tied by precedence, solved exactly at given priced costs: messages from the leaves of a forest to its roots.
 * What a child costs depends on its parent's column only through one bucket, so a message is a table over buckets. */
#include "dual.h"

#define NEVER (CEILING * 4) /* dearer than any choice that exists; a sum of a few stays in 64 bits */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t clipped(int64_t bucket, int64_t stride) { return bucket < 0 ? 0 : bucket > stride ? stride : bucket; }

/* Child k starts at or after bucket t, or stays unmatched: message[t]. */
static void message_to_first(const Ties *ties, int32_t k, int64_t stride) {
    for (int64_t t = 0; t <= stride + 1; t++) ties->message[t] = NEVER;
    for (int32_t j = ties->first[k]; j < ties->first[k + 1]; j++)
        ties->message[ties->begin[j]] = least(ties->message[ties->begin[j]], ties->value[j]);
    for (int64_t t = stride - 1; t >= 0; t--) ties->message[t] = least(ties->message[t], ties->message[t + 1]);
    for (int64_t t = 0; t <= stride; t++) ties->message[t] = least(ties->message[t], ties->alone[k]);
}

/* Child k has ended, lag and all, by bucket t: message[t]. */
static void message_to_second(const Ties *ties, int32_t k, int64_t lag, int64_t stride) {
    for (int64_t t = 0; t <= stride + 1; t++) ties->message[t] = NEVER;
    for (int32_t j = ties->first[k]; j < ties->first[k + 1]; j++) {
        int64_t ready = ties->end[j] + lag;
        if (ready > stride) continue;
        int64_t t = clipped(ready, stride);
        ties->message[t] = least(ties->message[t], ties->value[j]);
    }
    for (int64_t t = 1; t <= stride; t++) ties->message[t] = least(ties->message[t], ties->message[t - 1]);
}

static int64_t least_of(const Ties *ties, int32_t k) {
    int64_t low = ties->alone[k];
    for (int32_t j = ties->first[k]; j < ties->first[k + 1]; j++) low = least(low, ties->value[j]);
    return low;
}

static void send(const Instance *in, const Ties *ties, int32_t k) {
    int32_t up = ties->parent[k];
    int64_t lag = in->lag[ties->pair[k]];
    if (in->after[ties->pair[k]] == ties->request[k]) {
        message_to_first(ties, k, in->stride);
        for (int32_t j = ties->first[up]; j < ties->first[up + 1]; j++)
            ties->value[j] = least(ties->value[j] + ties->message[clipped(ties->end[j] + lag, in->stride)], NEVER);
        ties->alone[up] = least(ties->alone[up] + ties->alone[k], NEVER);
    } else {
        message_to_second(ties, k, lag, in->stride);
        for (int32_t j = ties->first[up]; j < ties->first[up + 1]; j++)
            ties->value[j] = least(ties->value[j] + ties->message[ties->begin[j]], NEVER);
        ties->alone[up] = least(ties->alone[up] + least_of(ties, k), NEVER);
    }
}

/* Whether column j of k (-1: unmatched) goes with what its parent picked. */
static int agrees(const Instance *in, const Ties *ties, int32_t k, int32_t j) {
    int32_t up = ties->parent[k];
    if (up < 0) return 1;
    int32_t p = ties->pick[up] < 0 ? -1 : ties->first[up] + ties->pick[up];
    int is_second = in->after[ties->pair[k]] == ties->request[k];
    int32_t one = is_second ? p : j, two = is_second ? j : p;
    return two < 0 || (one >= 0 && ties->end[one] + in->lag[ties->pair[k]] <= ties->begin[two]);
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
