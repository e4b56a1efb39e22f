/* Setting up a plan, filling it greedily, and sharing it between two threads. */
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

/* A smooth value per vendor, near for vendors that can serve the same requests: averages of random `value`s over the
 * requests' candidates, `rounds` times. The two halves of such values split the vendors with few candidates across.
 * `sum`, `weight`: vendors, scratch. */
EXPORT void plan_smooth(const Instance *in, const Plan *plan, double *value, double *sum, double *weight, int64_t rounds) {
    for (int64_t round = 0; round < rounds; round++) {
        for (int64_t v = 0; v < in->vendors; v++) sum[v] = weight[v] = 0;
        for (int64_t r = 0; r < in->requests; r++) {
            double mean = 0;
            int32_t first = plan->first[r], end = plan->first[r + 1];
            for (int32_t i = first; i < end; i++)
                if (plan->candidate[i].vendor >= 0) mean += value[plan->candidate[i].vendor];
            mean /= end - first > 1 ? end - first - 1 : 1;
            for (int32_t i = first; i < end; i++)
                if (plan->candidate[i].vendor >= 0)
                    sum[plan->candidate[i].vendor] += mean, weight[plan->candidate[i].vendor] += 1;
        }
        for (int64_t v = 0; v < in->vendors; v++)
            if (weight[v] > 0) value[v] = sum[v] / weight[v];
    }
}

/* Who may move what, from vendor_owner: requests whose links all stand on one side; unmatched ones by `toss`. */
EXPORT void plan_share(const Instance *in, Plan *plan, uint64_t toss, int64_t sides) {
    for (int64_t r = 0; r < in->requests; r++) {
        int32_t vendor = plan->candidate[plan->choice[r]].vendor;
        plan->request_owner[r] = vendor < 0 ? (int8_t)((((uint64_t)r * 0x9e3779b97f4a7c15u ^ toss) >> 17) & (sides - 1))
                                            : plan->vendor_owner[vendor];
    }
    for (int64_t p = 0; p < in->pairs; p++) {
        int8_t *one = plan->request_owner + in->before[p], *two = plan->request_owner + in->after[p];
        if ((*one & 3) != (*two & 3)) *one |= 4, *two |= 4;
    }
    plan->mine_size[0] = plan->mine_size[1] = 0;
    for (int64_t r = 0; r < in->requests; r++) {
        int owner = plan->request_owner[r];
        if (owner < 2) plan->mine[owner][plan->mine_size[owner]++] = (int32_t)r;
    }
}
