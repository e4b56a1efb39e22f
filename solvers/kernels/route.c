/* One route: its times, where a request would be cheapest, a request put in or taken out. */
#include <math.h>
#include <string.h>

#include "route.h"

enum { SKIPPED_OF = 100 }; /* one place in so many is not looked at, so that searches differ */

static double go(const Routing *in, int32_t from, int32_t to) { return in->travel[from * in->nodes + to]; }

/* When service begins at `to`, if it begins at `from` then. */
static double next(const Routing *in, int32_t from, double then, int32_t to) {
    return fmax(in->earliest[to], then + in->service[from] + go(in, from, to));
}

/* Keep the route as it was when the plan was last taken. */
static void touch(const Routing *in, Routes *r, int32_t v) {
    if (r->taken_size[v]) return;
    memcpy(r->taken_stop + v * in->width, r->stop + v * in->width, sizeof(int32_t) * (size_t)r->size[v]);
    r->taken_size[v] = r->size[v];
    r->touched_list[r->touched++] = v;
}

/* Times, load and length of a route from its stops. */
void route_measure(const Routing *in, Routes *r, int32_t v) {
    const int32_t *stop = r->stop + v * in->width;
    double *begin = r->begin + v * in->width, *last = r->last + v * in->width, length = 0;
    int64_t *aboard = r->aboard + v * in->width;
    int32_t n = r->size[v];
    begin[0] = r->leave[v], aboard[0] = 0, last[n - 1] = in->latest[0];
    for (int32_t k = 1; k < n; k++) {
        begin[k] = next(in, stop[k - 1], begin[k - 1], stop[k]);
        aboard[k] = aboard[k - 1] + in->load[stop[k]];
        length += go(in, stop[k - 1], stop[k]);
    }
    for (int32_t k = n - 2; k >= 0; k--)
        last[k] = fmin(in->latest[stop[k]], last[k + 1] - in->service[stop[k]] - go(in, stop[k], stop[k + 1]));
    r->cost[NOW] += length - r->length[v];
    r->length[v] = length;
}

/* Whether these stops can be timed so that windows, rides and the route keep their limits. Times begin at the earliest and
 * only ever rise to what a limit demands: the least solution of difference constraints, or none after a pass for each stop. */
static int timed(const Routing *in, Routes *r, int32_t v, const int32_t *stop, int32_t n) {
    double *begin = r->scratch;
    begin[0] = r->leave[v];
    for (int32_t k = 1; k < n; k++) begin[k] = in->earliest[stop[k]], r->at[stop[k]] = k;
    for (int32_t pass = 0; pass <= n; pass++) {
        int late = 0;
        for (int32_t k = 1; k < n; k++) {
            begin[k] = fmax(begin[k], begin[k - 1] + in->service[stop[k - 1]] + go(in, stop[k - 1], stop[k]));
            if (begin[k] > in->latest[stop[k]] + SLACK) return 0;
        }
        for (int32_t k = 1; k < n - 1; k++) {
            int32_t q = in->request[stop[k]], p = in->pickup[q], from = r->at[p];
            double least = begin[k] - in->ride_limit[q] - in->service[p];
            if (stop[k] == p || begin[from] >= least - SLACK) continue;
            begin[from] = least, late = 1;
        }
        if (begin[0] < begin[n - 1] - *in->route_limit - SLACK) begin[0] = begin[n - 1] - *in->route_limit, late = 1;
        if (begin[0] > in->latest[0] + SLACK) return 0;
        if (!late) return 1;
    }
    return 0;
}

/* The stops with a request put in; returns how many. */
static int32_t with(const Routing *in, const int32_t *stop, int32_t n, int32_t q, Insertion at, int32_t *to) {
    int32_t m = 0;
    for (int32_t k = 0; k < n; k++) {
        to[m++] = stop[k];
        if (k == at.after) to[m++] = in->pickup[q];
        if (k == at.then) to[m++] = in->delivery[q];
    }
    return m;
}

/* Take the place for the best so far if it is cheaper and keeps its limits. */
static void consider(const Routing *in, Routes *r, int32_t q, Insertion at, Insertion *best) {
    if (at.more >= best->more || !random_below(r->random, SKIPPED_OF)) return;
    int32_t *stop = r->at + in->nodes, v = at.vehicle;
    if (in->limited && !timed(in, r, v, stop, with(in, r->stop + v * in->width, r->size[v], q, at, stop))) return;
    *best = at;
}

/* Every place for the delivery once the pickup goes after `at.after`, at `time`. */
static void deliver(const Routing *in, Routes *r, int32_t q, Insertion at, double time, Insertion *best) {
    const int32_t *stop = r->stop + at.vehicle * in->width, p = in->pickup[q], d = in->delivery[q];
    const double *last = r->last + at.vehicle * in->width, detour = at.more;
    double ridden = 0; /* at the least: without waiting */
    int32_t here = p, i = at.after;
    for (at.then = i; at.then < r->size[at.vehicle] - 1; at.then++) {
        int32_t k = at.then, after = stop[k + 1];
        if (k > i) {
            ridden += go(in, here, stop[k]) + in->service[stop[k]];
            time = next(in, here, time, stop[k]), here = stop[k];
            if (ridden + go(in, here, d) > in->ride_limit[q] + SLACK) return;
            if (time > last[k] + SLACK || r->aboard[at.vehicle * in->width + k] + in->load[p] > in->capacity) return;
        }
        double there = next(in, here, time, d);
        if (there > in->latest[d] + SLACK || next(in, d, there, after) > last[k + 1] + SLACK) continue;
        at.more = k == i ? go(in, stop[i], p) + go(in, p, d) + go(in, d, after) - go(in, stop[i], after)
                         : detour + go(in, here, d) + go(in, d, after) - go(in, here, after);
        consider(in, r, q, at, best);
    }
}

/* The cheapest place of a request in a route, if it is cheaper than `best`. */
void route_cheapest(const Routing *in, Routes *r, int32_t q, int32_t v, Insertion *best) {
    const int32_t *stop = r->stop + v * in->width, p = in->pickup[q];
    for (int32_t i = r->fixed[v] - 1; i < r->size[v] - 1; i++) {
        double time = next(in, stop[i], r->begin[v * in->width + i], p);
        if (time > in->latest[p] + SLACK || r->aboard[v * in->width + i] + in->load[p] > in->capacity) continue;
        double detour = go(in, stop[i], p) + go(in, p, stop[i + 1]) - go(in, stop[i], stop[i + 1]);
        if (detour < best->more) deliver(in, r, q, (Insertion){detour, v, i, i}, time, best);
    }
}

void route_put_in(const Routing *in, Routes *r, int32_t q, Insertion at) {
    touch(in, r, at.vehicle);
    int32_t *stop = r->stop + at.vehicle * in->width, *to = r->at + in->nodes;
    int32_t n = with(in, stop, r->size[at.vehicle], q, at, to);
    memcpy(stop, to, sizeof(int32_t) * (size_t)n);
    r->size[at.vehicle] = n;
    r->vehicle[q] = at.vehicle;
    route_measure(in, r, at.vehicle);
}

/* The request is missing then. Times are not measured: more may go. */
void route_take_out(const Routing *in, Routes *r, int32_t q) {
    int32_t v = r->vehicle[q], n = 0, *stop = r->stop + v * in->width;
    touch(in, r, v);
    for (int32_t k = 0; k < r->size[v]; k++)
        if (in->request[stop[k]] != q) stop[n++] = stop[k];
    r->size[v] = n;
    r->vehicle[q] = -1;
    r->left_out[r->missing++] = q;
}
