/* Simulated annealing on a feasible plan. A move takes a request to another of its candidates; what stands in the way
 * is ejected and finds another place, if need be by ejecting in turn. Every candidate list holds one entry for
 * "unmatched" (vendor -1, span 0), so that a request always stands at exactly one candidate, or, within a move, at none. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

enum { LIMBO = -1, DEEPEST = 8, LOOKS = 48 };

typedef struct {
    int64_t units, cost;
    int32_t cell, span, vendor, column;
} Candidate;

typedef struct {
    int32_t *first;        /* requests + 1 */
    Candidate *candidate;  /* sorted by priced cost within a request */
    int32_t *choice;       /* requests: candidate or LIMBO */
    int64_t *free;         /* rows x stride */
    int64_t *room, *count; /* vendors: requests it may still take; requests it has */
    int32_t *row_first;    /* rows + 1 into occupant */
    int32_t *row_size;     /* rows */
    int32_t *occupant;     /* requests standing in each row */
    int32_t *slot;         /* requests: own position in occupant */
    int8_t *vendor_owner, *request_owner;
    int32_t *mine[2];      /* requests each thread may move */
    int64_t mine_size[2];
    int64_t cost[2];       /* change of cost made by each thread */
} Plan;

typedef struct {
    const Instance *in;
    Plan *plan;
    int64_t cost; /* change since the call began */
    int owner;
    int depth;
    Random random;
    int32_t moved[DEEPEST], from[DEEPEST];
    int moves;
} Search;

static void lift(Search *s, int32_t r) {
    Plan *plan = s->plan;
    const Candidate *c = plan->candidate + plan->choice[r];
    plan->choice[r] = LIMBO;
    s->cost -= c->cost;
    if (c->vendor < 0) return;
    for (int32_t i = 0; i < c->span; i++) plan->free[c->cell + i] += c->units;
    plan->room[c->vendor]++;
    if (plan->count[c->vendor]-- <= s->in->target[c->vendor]) s->cost += s->in->shortfall;
    int32_t row = (int32_t)(c->cell / s->in->stride), last = plan->row_first[row] + --plan->row_size[row];
    int32_t moved = plan->occupant[last], slot = plan->slot[r];
    plan->occupant[slot] = moved;
    plan->slot[moved] = slot;
}

static void place(Search *s, int32_t r, int32_t at) {
    Plan *plan = s->plan;
    const Candidate *c = plan->candidate + at;
    plan->choice[r] = at;
    s->cost += c->cost;
    if (c->vendor < 0) return;
    for (int32_t i = 0; i < c->span; i++) plan->free[c->cell + i] -= c->units;
    plan->room[c->vendor]--;
    if (++plan->count[c->vendor] <= s->in->target[c->vendor]) s->cost -= s->in->shortfall;
    int32_t row = (int32_t)(c->cell / s->in->stride);
    plan->slot[r] = plan->row_first[row] + plan->row_size[row]++;
    plan->occupant[plan->slot[r]] = r;
}

/* The linked request that forbids r to stand at c, -1 if none. */
static int32_t link_conflict(const Search *s, int32_t r, const Candidate *c) {
    const Instance *in = s->in;
    for (int32_t k = in->link_first[r]; k < in->link_first[r + 1]; k++) {
        int32_t pair = in->link[k], other = in->before[pair] == r ? in->after[pair] : in->before[pair];
        if (s->plan->choice[other] == LIMBO) continue;
        const Candidate *o = s->plan->candidate + s->plan->choice[other];
        const Candidate *one = in->before[pair] == r ? c : o, *two = in->before[pair] == r ? o : c;
        if (two->vendor < 0) continue;
        if (one->vendor < 0 || one->cell % in->stride + one->span + in->lag[pair] > two->cell % in->stride) return other;
    }
    return -1;
}

static int fits(const Search *s, const Candidate *c) {
    if (c->vendor < 0) return 1;
    if (s->plan->room[c->vendor] <= 0) return 0;
    for (int32_t i = 0; i < c->span; i++)
        if (s->plan->free[c->cell + i] < c->units) return 0;
    return 1;
}

static int may_eject(const Search *s, int32_t r) {
    for (int i = 0; i < s->moves; i++)
        if (s->moved[i] == r) return 0;
    return s->plan->request_owner[r] == s->owner;
}

/* Whether ejecting the request that stands at v makes room for c. */
static int makes_room(const Search *s, const Candidate *v, const Candidate *c) {
    for (int32_t i = 0; i < c->span; i++) {
        int32_t cell = c->cell + i;
        int64_t free = s->plan->free[cell];
        if (free < c->units && (cell < v->cell || cell >= v->cell + v->span || free + v->units < c->units)) return 0;
    }
    return s->plan->room[c->vendor] > 0 || v->vendor == c->vendor;
}

/* Some request whose ejection makes room for c, from a random place in its row; -1 if none is found. */
static int32_t find_victim(Search *s, const Candidate *c) {
    Plan *plan = s->plan;
    int32_t row = (int32_t)(c->cell / s->in->stride), size = plan->row_size[row];
    if (size == 0) return -1;
    const int32_t *occupant = plan->occupant + plan->row_first[row];
    int32_t at = (int32_t)random_below(&s->random, (uint32_t)size);
    for (int32_t look = 0; look < size && look < LOOKS; look++) {
        int32_t other = occupant[at];
        if (may_eject(s, other) && makes_room(s, plan->candidate + plan->choice[other], c)) return other;
        if (++at == size) at = 0;
    }
    return -1;
}

static int allowed(const Search *s, const Candidate *c) {
    return c->vendor < 0 || s->plan->vendor_owner[c->vendor] == s->owner;
}

static int64_t cost_at(const Search *s, const Candidate *c) {
    if (c->vendor < 0 || s->plan->count[c->vendor] >= s->in->target[c->vendor]) return c->cost;
    return c->cost - s->in->shortfall;
}

static void undo(Search *s) {
    for (int i = s->moves - 1; i >= 0; i--)
        if (s->plan->choice[s->moved[i]] != LIMBO) lift(s, s->moved[i]);
    for (int i = s->moves - 1; i >= 0; i--) place(s, s->moved[i], s->from[i]);
    s->moves = 0;
}

static void take_out(Search *s, int32_t r) {
    s->moved[s->moves] = r;
    s->from[s->moves++] = s->plan->choice[r];
    lift(s, r);
}

/* Settle r, which is in limbo, within the budget (cost now + what may be added): first feasible best, else eject. */
static int settle(Search *s, int32_t r, int64_t budget, int32_t avoid) {
    Plan *plan = s->plan;
    int32_t best = -1, begin = plan->first[r], end = plan->first[r + 1];
    int64_t least = budget - s->cost + 1;
    for (int32_t i = begin; i < end; i++) {
        const Candidate *c = plan->candidate + i;
        if (i == avoid || !allowed(s, c)) continue;
        int64_t cost = cost_at(s, c);
        if (cost < least && fits(s, c) && link_conflict(s, r, c) < 0) least = cost, best = i;
    }
    if (best >= 0) {
        place(s, r, best);
        return 1;
    }
    return 0;
}

/* Take r out and to candidate `at`, ejecting what is in the way; 0 when it cannot be done within the budget. */
static int push(Search *s, int32_t r, int32_t at, int64_t budget) {
    Plan *plan = s->plan;
    const Candidate *c = plan->candidate + at;
    if (s->cost + cost_at(s, c) > budget) return 0;
    int32_t victim = link_conflict(s, r, c);
    if (victim >= 0) {
        if (!may_eject(s, victim) || s->moves >= s->depth) return 0;
        take_out(s, victim);
        if (!fits(s, c) || link_conflict(s, r, c) >= 0) return 0;
    } else if (!fits(s, c)) {
        if (s->moves >= s->depth) return 0;
        victim = find_victim(s, c);
        if (victim < 0) return 0;
        take_out(s, victim);
        if (link_conflict(s, r, c) >= 0) return 0;
    }
    place(s, r, at);
    if (victim < 0) return s->cost <= budget;
    if (settle(s, victim, budget, s->from[s->moves - 1])) return 1;
    if (s->moves >= s->depth) return 0;
    int32_t n = plan->first[victim + 1] - plan->first[victim];
    double u = random_unit(&s->random);
    int32_t next = plan->first[victim] + (int32_t)(u * u * 0.999999 * n);
    if (next == s->from[s->moves - 1] || !allowed(s, plan->candidate + next)) return 0;
    return push(s, victim, next, budget);
}

/* `moves` proposals at a temperature; returns the change of cost. */
EXPORT int64_t anneal(const Instance *in, Plan *plan, int64_t owner, uint64_t seed, int64_t moves, double hot, double cold,
                      int64_t depth) {
    Search s = {.in = in, .plan = plan, .owner = (int)owner, .depth = (int)depth, .random = random_seeded(seed)};
    int64_t size = plan->mine_size[owner];
    const int32_t *mine = plan->mine[owner];
    if (size == 0) return 0;
    double temperature = hot, factor = moves > 64 ? pow(cold / hot, 64.0 / (double)moves) : 1;
    for (int64_t move = 0; move < moves; move++) {
        if ((move & 63) == 63) temperature *= factor;
        int32_t r = mine[random_below(&s.random, (uint32_t)size)];
        int32_t n = plan->first[r + 1] - plan->first[r];
        double u = random_unit(&s.random);
        int32_t at = plan->first[r] + (int32_t)(u * u * 0.999999 * n);
        if (at == plan->choice[r] || !allowed(&s, plan->candidate + at)) continue;
        int64_t budget = s.cost + (int64_t)(-temperature * log(random_unit(&s.random)));
        if (s.cost + plan->candidate[at].cost - plan->candidate[plan->choice[r]].cost - 2 * in->shortfall > budget) continue;
        s.moves = 0;
        take_out(&s, r);
        if (!push(&s, r, at, budget)) undo(&s);
    }
    return s.cost;
}

/* Put every request where `choice` says; lists and tables from nothing. */
EXPORT void plan_reset(const Instance *in, Plan *plan) {
    Search s = {.in = in, .plan = plan};
    memcpy(plan->free, in->capacity, sizeof(int64_t) * (size_t)(in->rows * in->stride));
    for (int64_t v = 0; v < in->vendors; v++) plan->room[v] = in->cap[v], plan->count[v] = 0;
    memset(plan->row_size, 0, sizeof(int32_t) * (size_t)in->rows);
    for (int64_t r = 0; r < in->requests; r++) place(&s, (int32_t)r, plan->choice[r]);
}

/* Who may move what, from vendor_owner: requests whose links all stand on one side; unmatched ones by `toss`. */
EXPORT void plan_share(const Instance *in, Plan *plan, uint64_t toss) {
    for (int64_t r = 0; r < in->requests; r++) {
        int32_t vendor = plan->candidate[plan->choice[r]].vendor;
        plan->request_owner[r] = vendor < 0 ? (int8_t)((((uint64_t)r * 0x9e3779b97f4a7c15u ^ toss) >> 17) & 1)
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

typedef struct {
    float key;
    Candidate candidate;
} Keyed;

static int by_key(const void *a, const void *b) {
    const Keyed *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->candidate.column < y->candidate.column ? -1 : 1;
}

/* Candidates within `width` of the least priced cost, at most `most` a request, and those of `keep` (column or -1), sorted.
 * `scratch` holds as many Keyed as the longest request has columns, and one. Returns their number; with plan->candidate
 * NULL only counts. Also points plan->choice at `keep`. */
EXPORT int64_t plan_candidates(const Instance *in, Plan *plan, const float *prefix, const float *vendor_price, double width,
                               int64_t most, const int32_t *keep, Keyed *scratch) {
    int64_t n = 0;
    for (int64_t r = 0; r < in->requests; r++) {
        float low = (float)in->penalty[r];
        int64_t size = 0, kept = 0;
        scratch[size++] = (Keyed){low, {0, in->penalty[r], 0, 0, -1, -1}};
        for (int64_t i = in->first[r]; i < in->first[r + 1]; i++) {
            int32_t cell = in->cell[i];
            float key = (float)in->cost[i] + (float)in->units[i] * (prefix[cell + in->span[i]] - prefix[cell]) +
                        vendor_price[in->vendor[i]];
            if (key < low) low = key;
            scratch[size++] = (Keyed){key, {in->units[i], in->cost[i], cell, in->span[i], in->vendor[i], (int32_t)i}};
        }
        for (int64_t i = 0; i < size; i++) {
            int32_t column = scratch[i].candidate.column;
            if (scratch[i].key <= low + width || column < 0 || column == keep[r]) scratch[kept++] = scratch[i];
        }
        qsort(scratch, (size_t)kept, sizeof(Keyed), by_key);
        if (plan->first) plan->first[r] = (int32_t)n;
        for (int64_t i = 0; i < kept; i++) {
            int32_t column = scratch[i].candidate.column;
            if (i >= most && column >= 0 && column != keep[r]) continue;
            if (plan->candidate) {
                if (column == keep[r]) plan->choice[r] = (int32_t)n;
                plan->candidate[n] = scratch[i].candidate;
            }
            n++;
        }
    }
    plan->first[in->requests] = (int32_t)n;
    return n;
}

/* row_first: how many requests could ever stand in each row. `seen`: rows, scratch. */
EXPORT int64_t plan_rows(const Instance *in, Plan *plan, int32_t *seen) {
    memset(plan->row_first, 0, sizeof(int32_t) * (size_t)(in->rows + 1));
    for (int64_t row = 0; row < in->rows; row++) seen[row] = -1;
    for (int64_t r = 0; r < in->requests; r++)
        for (int32_t i = plan->first[r]; i < plan->first[r + 1]; i++) {
            if (plan->candidate[i].vendor < 0) continue;
            int64_t row = plan->candidate[i].cell / in->stride;
            if (seen[row] != (int32_t)r) plan->row_first[row + 1]++;
            seen[row] = (int32_t)r;
        }
    for (int64_t row = 0; row < in->rows; row++) plan->row_first[row + 1] += plan->row_first[row];
    return plan->row_first[in->rows];
}
