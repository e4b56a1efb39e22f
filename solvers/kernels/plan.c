/* Setting up a plan, and filling it greedily. */
#include <string.h>

#include "plan.h"

enum { BUNDLED = 32 }; /* most of a bundle that is filled in at once; a larger one is left to annealing */

/* Put every request where `choice` says; lists and tables from nothing. */
EXPORT void plan_reset(const Instance *in, Plan *plan) {
    Search s = {.in = in, .plan = plan};
    memcpy(plan->free, in->capacity, sizeof(int64_t) * (size_t)(in->rows * in->stride));
    for (int64_t v = 0; v < in->vendors; v++) plan->room[v] = in->cap[v], plan->count[v] = 0;
    memset(plan->row_size, 0, sizeof(int32_t) * (size_t)in->rows);
    for (int64_t r = 0; r < in->requests; r++) place(&s, (int32_t)r, plan->choice[r]);
}

/* The candidate that r, in limbo, would take: its cheapest that fits, or the first that fits in priced order; -1 where none is
 * cheaper than `most`. `whole`: it is matched for the sake of others, if need be. */
static int32_t cheapest(const Search *s, int32_t r, int64_t most, int64_t by_price, int whole) {
    const Plan *plan = s->plan;
    int32_t best = -1;
    for (int32_t i = plan->first[r]; i < plan->first[r + 1]; i++) {
        const Candidate *c = plan->candidate + i;
        if (c->vendor < 0 && by_price && !whole) break;
        if (c->vendor < 0) continue;
        int64_t cost = cost_at(s, c);
        if (cost < most && fits(s, c) && link_conflict(s, r, c) < 0) {
            most = cost;
            best = i;
            if (by_price) break;
        }
    }
    return best;
}

/* Those that are matched only beside r, r among them, as far as there is room; 0 when one of them is matched already. */
static int gather(const Search *s, int32_t r, int32_t *member) {
    const Instance *in = s->in;
    int size = 1;
    member[0] = r;
    for (int at = 0; at < size; at++) {
        if (s->plan->candidate[s->plan->choice[member[at]]].vendor >= 0) return 0;
        for (int32_t k = in->link_first[member[at]]; k < in->link_first[member[at] + 1]; k++) {
            int32_t pair = in->link[k], other = in->before[pair] ^ in->after[pair] ^ member[at], known = !in->both[pair];
            for (int i = 0; i < size && !known; i++) known = member[i] == other;
            if (!known && size == BUNDLED) return 0;
            if (!known) member[size++] = other;
        }
    }
    return size;
}

/* Whether something that goes before r is in limbo. */
static int waits(const Search *s, int32_t r) {
    const Instance *in = s->in;
    for (int32_t k = in->link_first[r]; k < in->link_first[r + 1]; k++) {
        int32_t pair = in->link[k];
        int orders = in->lag[pair] > NOTHING || in->most[pair] < -NOTHING;
        if (orders && in->after[pair] == r && s->plan->choice[in->before[pair]] == LIMBO) return 1;
    }
    return 0;
}

/* All members at once, who goes before another first; back to unmatched where one has no place or it does not pay. */
static void fill_bundle(Search *s, const int32_t *member, int size, int64_t by_price) {
    int32_t from[BUNDLED];
    int64_t before = s->cost;
    int placed = 0;
    for (int i = 0; i < size; i++) from[i] = s->plan->choice[member[i]], lift(s, member[i]);
    for (int round = 0; round < size; round++)
        for (int i = 0; i < size; i++) {
            int32_t r = member[i];
            if (s->plan->choice[r] != LIMBO || (waits(s, r) && round + 1 < size)) continue;
            int32_t at = cheapest(s, r, -NOTHING, by_price, 1);
            if (at >= 0) place(s, r, at), placed++;
        }
    if (placed == size && s->cost < before) return;
    for (int i = 0; i < size; i++)
        if (s->plan->choice[member[i]] != LIMBO) lift(s, member[i]);
    for (int i = 0; i < size; i++) place(s, member[i], from[i]);
}

/* Take requests, in the order given, to their cheapest candidate that fits, or the first that fits in priced order; those
 * that already stand somewhere stay unless that is "unmatched". Returns the change of cost. */
EXPORT int64_t plan_fill(const Instance *in, Plan *plan, const int32_t *order, int64_t size, int64_t by_price) {
    Search s = {.in = in, .plan = plan};
    for (int64_t k = 0; k < size; k++) {
        int32_t r = order[k], standing = plan->choice[r], member[BUNDLED];
        if (plan->candidate[standing].vendor >= 0) continue;
        int bundled = gather(&s, r, member);
        if (bundled > 1) fill_bundle(&s, member, bundled, by_price);
        if (bundled != 1) continue;
        lift(&s, r);
        int32_t at = cheapest(&s, r, plan->candidate[standing].cost, by_price, 0);
        place(&s, r, at < 0 ? standing : at);
    }
    return s.cost;
}
