/* Simulated annealing on a feasible plan. A move takes a request to another of its candidates; what stands in the way is
 * ejected and finds another place, if need be by ejecting in turn, or the whole chain is undone. */
#include <math.h>

#include "plan.h"

/* A proposal may raise the priced cost by so many temperatures: what is dearer at the prices seldom ends in a chain that pays,
 * and is not worth the time to try. */
#define UPHILL 0.5

enum {
    LOOKS = 48, /* occupants looked at for one to eject */
    AHEAD = 8   /* half of the proposals drawn ahead; a power of two */
};

static int may_eject(const Search *s, int32_t r) {
    for (int i = 0; i < s->moves; i++)
        if (s->moved[i] == r) return 0;
    return 1;
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

/* First cell in which c does not fit, -1 if it fits in all. */
static int32_t tight_cell(const Search *s, const Candidate *c) {
    for (int32_t i = 0; i < c->span; i++)
        if (s->plan->free[c->cell + i] < c->units) return c->cell + i;
    return -1;
}

/* A request to eject for c, from a random place in its row: one that makes room alone, else one that helps. */
static int32_t find_victim(Search *s, const Candidate *c) {
    Plan *plan = s->plan;
    int32_t tight = tight_cell(s, c), pools = (int32_t)(s->in->rows / s->in->vendors);
    int32_t row = tight >= 0 ? c->row : c->vendor * pools + (int32_t)random_below(&s->random, (uint32_t)pools);
    int32_t size = plan->row_size[row], helps = -1;
    if (size == 0) return -1;
    const Occupant *occupant = plan->occupant + plan->row_first[row];
    int32_t at = (int32_t)random_below(&s->random, (uint32_t)size);
    for (int32_t look = 0; look < size && look < LOOKS; look++) {
        int32_t other = occupant[at].request;
        int here = tight < 0 || (occupant[at].begin <= tight && tight < occupant[at].end);
        if (here && may_eject(s, other)) {
            if (makes_room(s, plan->candidate + plan->choice[other], c)) return other;
            if (helps < 0) helps = other;
        }
        if (++at == size) at = 0;
    }
    return helps;
}

static void undo(Search *s) {
    for (int i = s->moves - 1; i >= 0; i--)
        if (s->plan->choice[s->moved[i]] != LIMBO) lift(s, s->moved[i]);
    for (int i = s->moves - 1; i >= 0; i--) place(s, s->moved[i], s->from[i]);
    s->moves = 0;
}

/* Ask for the memory of r's candidates, which will be looked at soon. */
static void expect(const Plan *plan, int32_t r) {
    const char *from = (const char *)(plan->candidate + plan->first[r]);
    const char *to = (const char *)(plan->candidate + plan->first[r + 1]);
    for (; from < to; from += 64) __builtin_prefetch(from);
}

static void take_out(Search *s, int32_t r) {
    expect(s->plan, r);
    s->moved[s->moves] = r;
    s->from[s->moves++] = s->plan->choice[r];
    s->owed += s->plan->least[r];
    lift(s, r);
}

static void put_in(Search *s, int32_t r, int32_t at) {
    s->owed -= s->plan->least[r];
    place(s, r, at);
}

/* Settle r, which is in limbo, at the candidate that fits and is cheapest at the prices, within the budget; 0 if there is none.
 * What it costs alone would take no account of what the room there is worth to others. */
static int settle(Search *s, int32_t r, int64_t budget, int32_t avoid) {
    Plan *plan = s->plan;
    int64_t most = budget - s->cost - s->owed + plan->least[r];
    for (int32_t i = plan->first[r]; i < plan->first[r + 1]; i++) {
        const Candidate *c = plan->candidate + i;
        if (c->cost - s->in->shortfall > most || i == avoid) continue;
        if (cost_at(s, c) > most || !fits(s, c) || link_conflict(s, r, c) >= 0) continue;
        put_in(s, r, i);
        return 1;
    }
    return 0;
}

/* Force r, which is in limbo, to candidate `at`, ejecting what is in the way; 0 when budget or depth forbid. */
static int force(Search *s, int32_t r, int32_t at, int64_t budget) {
    const Candidate *c = s->plan->candidate + at;
    if (s->cost + s->owed - s->plan->least[r] + cost_at(s, c) > budget) return 0;
    for (;;) {
        int32_t victim = link_conflict(s, r, c);
        if (victim >= 0 && !may_eject(s, victim)) return 0;
        if (victim < 0 && !fits(s, c)) {
            victim = find_victim(s, c);
            if (victim < 0) return 0;
        } else if (victim < 0)
            break;
        if (s->moves >= s->depth) return 0;
        take_out(s, victim);
        if (s->cost + s->owed - s->plan->least[r] + cost_at(s, c) > budget) return 0;
    }
    put_in(s, r, at);
    return 1;
}

/* Some candidate of r, more likely one that is cheap at the current prices. */
static int32_t propose(Search *s, int32_t r) {
    double u = random_unit(&s->random);
    return s->plan->first[r] + (int32_t)(u * u * 0.999999 * (s->plan->first[r + 1] - s->plan->first[r]));
}

/* Whether r at c breaks with nobody whom this move has placed: with them it would be forced for nothing. */
static int goes_with_moved(const Search *s, int32_t r, const Candidate *c) {
    const Instance *in = s->in;
    for (int32_t k = in->link_first[r]; k < in->link_first[r + 1]; k++) {
        int32_t pair = in->link[k], other = in->before[pair] ^ in->after[pair] ^ r;
        if (s->plan->choice[other] == LIMBO || may_eject(s, other)) continue;
        const Candidate *o = s->plan->candidate + s->plan->choice[other];
        if (in->before[pair] == r ? apart(in, pair, c, o) : apart(in, pair, o, c)) return 0;
    }
    return 1;
}

/* Where to force r, which was ejected: as proposed, or, where it is tied, the next that goes with those placed already. */
static int32_t propose_beside(Search *s, int32_t r) {
    int32_t first = s->plan->first[r], size = s->plan->first[r + 1] - first, at = propose(s, r) - first;
    if (s->in->link_first[r] == s->in->link_first[r + 1]) return first + at;
    for (int32_t look = 0; look < size; look++, at = at + 1 < size ? at + 1 : 0)
        if (goes_with_moved(s, r, s->plan->candidate + first + at)) break;
    return first + at;
}

/* Take r to `at` and settle all that was ejected, in turn; 0 when it cannot be done within the budget. */
static int chain(Search *s, int32_t r, int32_t at, int64_t budget) {
    take_out(s, r);
    if (!force(s, r, at, budget)) return 0;
    for (int next = 1; next < s->moves; next++) {
        int32_t victim = s->moved[next];
        if (settle(s, victim, budget, s->from[next])) continue;
        int32_t other = propose_beside(s, victim);
        if (other == s->from[next]) return 0;
        if (!force(s, victim, other, budget)) return 0;
    }
    return s->cost <= budget;
}

/* Proposals are drawn ahead of their turn and their memory is asked for: most of them fail their first look, and would spend
 * their time waiting for it. */
typedef struct {
    int32_t request[2 * AHEAD], at[2 * AHEAD];
} Queue;

static void draw_request(Search *s, Queue *queue, int64_t turn) {
    Plan *plan = s->plan;
    int32_t r = (int32_t)random_below(&s->random, (uint32_t)s->in->requests);
    queue->request[turn & (2 * AHEAD - 1)] = r;
    __builtin_prefetch(plan->first + r);
    __builtin_prefetch(plan->choice + r);
}

static void draw_candidate(Search *s, Queue *queue, int64_t turn) {
    Plan *plan = s->plan;
    int64_t slot = turn & (2 * AHEAD - 1);
    int32_t r = queue->request[slot], at = queue->at[slot] = propose(s, r);
    __builtin_prefetch(plan->candidate + at);
    __builtin_prefetch(&plan->candidate[at].key);
    __builtin_prefetch(plan->candidate + plan->choice[r]);
}

/* Whether taking r to `at` is worth trying at a temperature; then *budget is what the cost may rise to. */
static int promising(Search *s, int32_t r, int32_t at, double temperature, int64_t *budget) {
    const Candidate *to = s->plan->candidate + at, *from = s->plan->candidate + s->plan->choice[r];
    if (to->key - from->key > UPHILL * temperature || to == from) return 0;
    *budget = s->cost + (int64_t)(-temperature * log(random_unit(&s->random)));
    return s->cost + to->cost - from->cost - 2 * s->in->shortfall <= *budget;
}

/* `moves` proposals at a temperature; returns the change of cost. */
EXPORT int64_t plan_anneal(const Instance *in, Plan *plan, uint64_t seed, int64_t moves, double temperature,
                           int64_t depth) {
    Search s = {.in = in, .plan = plan, .random = random_seeded(seed)};
    s.depth = (int)(depth < DEEPEST ? depth : DEEPEST);
    if (in->requests == 0) return 0;
    Queue queue;
    for (int64_t turn = 0; turn < 2 * AHEAD; turn++) draw_request(&s, &queue, turn);
    for (int64_t turn = 0; turn < AHEAD; turn++) draw_candidate(&s, &queue, turn);
    for (int64_t move = 0; move < moves; move++) {
        int64_t slot = move & (2 * AHEAD - 1);
        int32_t r = queue.request[slot], at = queue.at[slot];
        draw_request(&s, &queue, move);
        draw_candidate(&s, &queue, move + AHEAD);
        int64_t budget;
        if (!promising(&s, r, at, temperature, &budget)) continue;
        s.moves = 0;
        s.owed = 0;
        if (!chain(&s, r, at, budget)) undo(&s);
    }
    return s.cost;
}
