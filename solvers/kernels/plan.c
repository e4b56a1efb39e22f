/* Setting up a plan, and filling it greedily. */
#include <string.h>

#include "plan.h"

/* Put every request where `choice` says; lists and tables from nothing. */
EXPORT void plan_reset(const Instance *in, Plan *plan) {
    Search s = {.in = in, .plan = plan};
    memcpy(plan->free, in->capacity, sizeof(int64_t) * (size_t)(in->rows * in->stride));
    for (int64_t v = 0; v < in->vendors; v++) plan->room[v] = in->cap[v], plan->count[v] = 0;
    memset(plan->row_size, 0, sizeof(int32_t) * (size_t)in->rows);
    for (int64_t r = 0; r < in->requests; r++) place(&s, (int32_t)r, plan->choice[r]);
}

/* Take requests, in the order given, to their cheapest candidate that fits, or the first that fits in priced order; those
 * that already stand somewhere stay unless that is "unmatched". Returns the change of cost. */
EXPORT int64_t plan_fill(const Instance *in, Plan *plan, const int32_t *order, int64_t size, int64_t by_price) {
    Search s = {.in = in, .plan = plan};
    for (int64_t k = 0; k < size; k++) {
        int32_t r = order[k], best = plan->choice[r];
        if (plan->candidate[best].vendor >= 0) continue;
        lift(&s, r);
        int64_t least = plan->candidate[best].cost;
        for (int32_t i = plan->first[r]; i < plan->first[r + 1]; i++) {
            const Candidate *c = plan->candidate + i;
            if (c->vendor < 0 && by_price) break;
            int64_t cost = cost_at(&s, c);
            if (cost < least && fits(&s, c) && link_conflict(&s, r, c) < 0) {
                least = cost;
                best = i;
                if (by_price) break;
            }
        }
        place(&s, r, best);
    }
    return s.cost;
}
