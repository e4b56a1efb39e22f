/* A feasible plan as annealing sees it: where each request stands, what is left, who stands in each row. Every candidate
 * list holds one entry for "unmatched" (vendor -1, span 0), so that a request always stands at exactly one candidate, or,
 * within a move, at none: in limbo. */
#ifndef KERNELS_PLAN_H
#define KERNELS_PLAN_H

#include "common.h"

#define PINNED ((int64_t)1 << 44) /* penalty of a request that a pin decides */

enum { LIMBO = -1, DEEPEST = 24 };

#define CANDIDATE(X)                     \
    X(int64_t, units)                    \
    X(int64_t, cost)                     \
    X(int32_t, cell)                     \
    X(int32_t, span)                     \
    X(int32_t, vendor)                   \
    X(int32_t, row)                      \
    X(int32_t, column)                   \
    X(float, key)      /* priced cost */
typedef struct { CANDIDATE(DECLARE) } Candidate;

#define OCCUPANT(X)                                                                 \
    X(int32_t, request)                                                             \
    X(int32_t, begin)   /* cells it takes units in; none where it takes no units */ \
    X(int32_t, end)
typedef struct { OCCUPANT(DECLARE) } Occupant;

#define PLAN(X)                                                                                \
    X(int32_t *, first)       /* requests + 1 */                                               \
    X(Candidate *, candidate) /* sorted by priced cost within a request */                     \
    X(int32_t *, choice)      /* requests: candidate or LIMBO */                               \
    X(int64_t *, free)        /* rows x stride */                                              \
    X(int64_t *, room)        /* vendors: requests it may still take */                        \
    X(int64_t *, count)       /* vendors: requests it has */                                   \
    X(int32_t *, row_first)   /* rows + 1 into occupant */                                     \
    X(int32_t *, row_size)    /* rows */                                                       \
    X(Occupant *, occupant)   /* who stands in each row */                                     \
    X(int32_t *, slot)        /* requests: own position in occupant */                         \
    X(int64_t *, least)       /* requests: cost of the cheapest candidate, less a shortfall */
typedef struct { PLAN(DECLARE) } Plan;

typedef struct {
    const Instance *in;
    Plan *plan;
    int64_t cost; /* change since the call began */
    int64_t owed; /* what those in limbo will cost at least */
    int depth;
    Random random;
    int32_t moved[DEEPEST], from[DEEPEST]; /* requests moved, and where they stood */
    int moves;
} Search;

/* Take r from where it stands into limbo. */
static inline void lift(Search *s, int32_t r) {
    Plan *plan = s->plan;
    const Candidate *c = plan->candidate + plan->choice[r];
    plan->choice[r] = LIMBO;
    s->cost -= c->cost;
    if (c->vendor < 0) return;
    for (int32_t i = 0; i < c->span; i++) plan->free[c->cell + i] += c->units;
    plan->room[c->vendor]++;
    if (plan->count[c->vendor]-- <= s->in->target[c->vendor]) s->cost += s->in->shortfall;
    int32_t last = plan->row_first[c->row] + --plan->row_size[c->row];
    int32_t slot = plan->slot[r];
    plan->occupant[slot] = plan->occupant[last];
    plan->slot[plan->occupant[slot].request] = slot;
}

/* Stand r, which is in limbo, at a candidate. */
static inline void place(Search *s, int32_t r, int32_t at) {
    Plan *plan = s->plan;
    const Candidate *c = plan->candidate + at;
    plan->choice[r] = at;
    s->cost += c->cost;
    if (c->vendor < 0) return;
    for (int32_t i = 0; i < c->span; i++) plan->free[c->cell + i] -= c->units;
    plan->room[c->vendor]--;
    if (++plan->count[c->vendor] <= s->in->target[c->vendor]) s->cost -= s->in->shortfall;
    plan->slot[r] = plan->row_first[c->row] + plan->row_size[c->row]++;
    plan->occupant[plan->slot[r]] = (Occupant){r, c->cell, c->units > 0 ? c->cell + c->span : c->cell};
}

/* Where the times of a tied request's column are. */
static inline int64_t timed(const Instance *in, int32_t r, const Candidate *c) {
    return in->tied[r] + c->column - in->first[r];
}

/* Whether the first of a pair at `one` and its second at `two` do not go together. */
static inline int apart(const Instance *in, int32_t pair, const Candidate *one, const Candidate *two) {
    if (two->vendor < 0) return in->both[pair] && one->vendor >= 0;
    if (one->vendor < 0) return 1;
    int64_t first = timed(in, in->before[pair], one);
    int64_t since = in->from_start[pair] ? in->begin[first] : in->end[first];
    int64_t after = in->begin[timed(in, in->after[pair], two)] - since;
    return after < in->lag[pair] || after > in->most[pair];
}

/* The linked request that forbids r to stand at c, -1 if none. */
static inline int32_t link_conflict(const Search *s, int32_t r, const Candidate *c) {
    const Instance *in = s->in;
    for (int32_t k = in->link_first[r]; k < in->link_first[r + 1]; k++) {
        int32_t pair = in->link[k], other = in->before[pair] == r ? in->after[pair] : in->before[pair];
        if (s->plan->choice[other] == LIMBO) continue;
        const Candidate *o = s->plan->candidate + s->plan->choice[other];
        if (in->before[pair] == r ? apart(in, pair, c, o) : apart(in, pair, o, c)) return other;
    }
    return -1;
}

/* Whether c fits into what is left. */
static inline int fits(const Search *s, const Candidate *c) {
    if (c->vendor < 0) return 1;
    if (s->plan->room[c->vendor] <= 0) return 0;
    for (int32_t i = 0; i < c->span; i++)
        if (s->plan->free[c->cell + i] < c->units) return 0;
    return 1;
}

/* What standing at c costs, shortfall included. */
static inline int64_t cost_at(const Search *s, const Candidate *c) {
    if (c->vendor < 0 || s->plan->count[c->vendor] >= s->in->target[c->vendor]) return c->cost;
    return c->cost - s->in->shortfall;
}

#endif
