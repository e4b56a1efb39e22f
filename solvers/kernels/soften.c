/* Annealing that may over-book on the way, at a weight per unit that rises where plans stay over-booked and falls where they
 * do not (strategic oscillation, after Yagiura, Ibaraki and Glover 2006). For few, tight capacities, where exchanges that
 * fit exactly are rare. Caps and precedence are kept throughout. */
#include <math.h>
#include <string.h>

#include "plan.h"

#define UP 1.1
#define DOWN 0.995

typedef struct {
    Search search;
    double *weight;     /* rows x stride: cost of a unit above capacity */
    int64_t over;       /* units above capacity in all cells */
    int64_t best;       /* least cost of a plan without any; change since the call began */
    int32_t *best_choice;
    double temperature;
} Soft;

/* Weighted over-booking that standing at c adds (after it is lifted) */
static double weigh(Soft *soft, const Candidate *c, int64_t *over) {
    double sum = 0;
    for (int32_t i = 0; i < c->span; i++) {
        int64_t free = soft->search.plan->free[c->cell + i];
        int64_t more = c->units - (free > 0 ? free : 0);
        if (more > 0) sum += soft->weight[c->cell + i] * (double)more, *over += more;
    }
    return sum;
}

static int open_to(const Search *s, int32_t r, const Candidate *c) {
    return (c->vendor < 0 || s->plan->room[c->vendor] > 0) && link_conflict(s, r, c) < 0;
}

static int accept(Soft *soft, double worse) {
    return worse <= 0 || worse <= -soft->temperature * log(random_unit(&soft->search.random));
}

static int32_t some_candidate(Search *s, int32_t r) {
    double u = random_unit(&s->random);
    return s->plan->first[r] + (int32_t)(u * u * 0.999999 * (s->plan->first[r + 1] - s->plan->first[r]));
}

static void shift(Soft *soft, int32_t r, int32_t to) {
    Search *s = &soft->search;
    int32_t from = s->plan->choice[r];
    const Candidate *a = s->plan->candidate + from, *b = s->plan->candidate + to;
    int64_t cost = s->cost, less = 0, more = 0;
    lift(s, r);
    double worse = -weigh(soft, a, &less);
    if (!open_to(s, r, b)) {
        place(s, r, from);
        return;
    }
    worse += weigh(soft, b, &more);
    place(s, r, to);
    if (accept(soft, worse + (double)(s->cost - cost))) {
        soft->over += more - less;
        return;
    }
    lift(s, r);
    place(s, r, from);
}

/* r to q's row and q to r's. */
static void exchange(Soft *soft, int32_t r, int32_t to) {
    Search *s = &soft->search;
    Plan *plan = s->plan;
    const Candidate *a = plan->candidate + plan->choice[r], *b = plan->candidate + to;
    if (b->vendor < 0 || a->vendor < 0 || a->row == b->row || plan->row_size[b->row] == 0) return;
    int32_t q = plan->occupant[plan->row_first[b->row] + (int32_t)random_below(&s->random, (uint32_t)plan->row_size[b->row])];
    int32_t r_from = plan->choice[r], q_from = plan->choice[q], q_to = -1, seen = 0;
    for (int32_t i = plan->first[q]; i < plan->first[q + 1]; i++)
        if (plan->candidate[i].vendor >= 0 && plan->candidate[i].row == a->row && random_below(&s->random, (uint32_t)++seen) == 0)
            q_to = i;
    if (q_to < 0) return;
    const Candidate *c = plan->candidate + q_from, *d = plan->candidate + q_to;
    int64_t cost = s->cost, less = 0, more = 0;
    lift(s, r);
    double worse = -weigh(soft, a, &less);
    lift(s, q);
    worse -= weigh(soft, c, &less);
    int fine = open_to(s, r, b);
    if (fine) {
        worse += weigh(soft, b, &more);
        place(s, r, to);
        fine = open_to(s, q, d);
        if (fine) {
            worse += weigh(soft, d, &more);
            place(s, q, q_to);
            if (accept(soft, worse + (double)(s->cost - cost))) {
                soft->over += more - less;
                return;
            }
            lift(s, q);
        }
        lift(s, r);
    }
    place(s, q, q_from);
    place(s, r, r_from);
}

static void keep_best(Soft *soft) {
    if (soft->over > 0 || soft->search.cost >= soft->best) return;
    soft->best = soft->search.cost;
    memcpy(soft->best_choice, soft->search.plan->choice, sizeof(int32_t) * (size_t)soft->search.in->requests);
}

static void reweigh(Soft *soft, const double *least) {
    const Instance *in = soft->search.in;
    for (int64_t i = 0; i < in->rows * in->stride; i++) {
        double weight = soft->weight[i] * (soft->search.plan->free[i] < 0 ? UP : DOWN);
        soft->weight[i] = weight < least[i] ? least[i] : weight;
    }
}

/* `moves` proposals from a plan without over-booking, of cost 0, `*best` the cost to beat: returns the change of cost of the
 * plan where it ended, which may be over-booked; `best`, `best_choice`: the best plan met that is not. Weights adapt every
 * `every` moves and stay above `least`. */
EXPORT int64_t plan_soften(const Instance *in, Plan *plan, uint64_t seed, int64_t moves, double hot, double cold,
                           int64_t every, double *weight, const double *least, int64_t *best, int32_t *best_choice) {
    Soft soft = {.search = {.in = in, .plan = plan, .random = random_seeded(seed)}, .weight = weight};
    soft.best = *best, soft.best_choice = best_choice, soft.temperature = hot;
    for (int64_t i = 0; i < in->rows * in->stride; i++)
        if (plan->free[i] < 0) soft.over -= plan->free[i];
    double factor = moves > 64 ? pow(cold / hot, 64.0 / (double)moves) : 1;
    for (int64_t move = 0; move < moves && in->requests > 0; move++) {
        if ((move & 63) == 63) soft.temperature *= factor;
        if (move % every == every - 1) reweigh(&soft, least);
        int32_t r = (int32_t)random_below(&soft.search.random, (uint32_t)in->requests);
        int32_t to = some_candidate(&soft.search, r);
        if (to == plan->choice[r]) continue;
        if (move & 1) shift(&soft, r, to);
        else exchange(&soft, r, to);
        keep_best(&soft);
    }
    *best = soft.best;
    return soft.search.cost;
}
