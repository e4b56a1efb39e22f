/* Search over plans of routes by ruin and recreate: strings of stops near each other are taken out of a few routes and their
 * requests put in anew, each where it is cheapest. After Christiaens and Vanden Berghe, "Slack Induction by String Removals"
 * (Transportation Science 54, 2020); fewer vehicles as there: the route easiest to miss is closed, and a plan goes on that
 * misses fewer requests, or such as were seldom missing. */
#include <math.h>
#include <string.h>

#include "route.h"

enum { REMOVED = 10, STRING = 10, ORDERS = 11 }; /* requests taken out on average; stops of a string at most; orders' weights */

static int used(const Routing *in, const int32_t *size) {
    int count = 0;
    for (int64_t v = 0; v < in->vehicles; v++) count += size[v] > 2;
    return count;
}

/* Take out the requests of a string of stops around a node. */
static void take_string(const Routing *in, Routes *r, int32_t node, int64_t longest) {
    int32_t v = r->vehicle[in->request[node]], *stop = r->stop + v * in->width, where = 1, fixed = r->fixed[v], end = r->size[v] - 1;
    int64_t most = end - fixed < longest ? end - fixed : longest, length = 1 + random_below(r->random, (uint32_t)most);
    while (stop[where] != node) where++;
    int64_t low = where - length + 1 < fixed ? fixed : where - length + 1, high = where + length > end ? end - length : where;
    int64_t first = low + random_below(r->random, (uint32_t)(high - low + 1));
    int32_t *string = r->at + in->nodes;
    memcpy(string, stop + first, sizeof(int32_t) * (size_t)length);
    for (int64_t k = 0; k < length; k++)
        if (r->vehicle[in->request[string[k]]] >= 0 && !r->held[in->request[string[k]]]) route_take_out(in, r, in->request[string[k]]);
    route_measure(in, r, v);
}

/* Strings of routes near a node drawn at random. */
static void ruin(const Routing *in, Routes *r) {
    double mean = 2.0 * (double)(in->requests - r->missing) / fmax(1, used(in, r->size));
    double longest = fmin(STRING, fmax(1, mean)), strings = 4.0 * REMOVED / (1 + longest) - 1;
    int64_t most = (int64_t)(1 + random_unit(r->random) * strings);
    int32_t seed = 1 + (int32_t)random_below(r->random, (uint32_t)in->nodes - 1);
    const int32_t *close = in->close + seed * in->near;
    for (int64_t k = 0; k < in->near && r->touched < most; k++) {
        int32_t q = in->request[close[k]];
        if (q < 0 || r->vehicle[q] < 0 || r->held[q] || r->taken_size[r->vehicle[q]]) continue;
        take_string(in, r, close[k], (int64_t)longest);
    }
}

/* By what the missing are sorted: at random, by load, far first, near first, or by their windows. */
static double key_of(const Routing *in, Routes *r, int32_t q, uint32_t order) {
    int32_t p = in->pickup[q], d = in->delivery[q];
    if (order < 4) return random_unit(r->random);
    if (order < 6) return -(double)in->load[p];
    if (order < 7) return in->travel[p];
    if (order < 8) return -fmax(in->travel[p], in->travel[d]);
    if (order < 9) return in->latest[p] - in->earliest[p];
    if (order < 10) return in->earliest[p];
    return -in->latest[d];
}

static void sort(Routes *r) {
    for (int64_t i = 1; i < r->missing; i++) {
        int32_t q = r->left_out[i];
        int64_t j = i;
        for (; j > 0 && r->key[r->left_out[j - 1]] > r->key[q]; j--) r->left_out[j] = r->left_out[j - 1];
        r->left_out[j] = q;
    }
}

/* Put in what is missing, where it is cheapest; of several empty vehicles the first stands for all. */
static void recreate(const Routing *in, Routes *r) {
    uint32_t order = random_below(r->random, ORDERS);
    for (int64_t i = 0; i < r->missing; i++) r->key[r->left_out[i]] = key_of(in, r, r->left_out[i], order);
    sort(r);
    int64_t left = 0;
    for (int64_t i = 0; i < r->missing; i++) {
        int32_t q = r->left_out[i];
        Insertion best = {HUGE_VAL, -1, 0, 0};
        for (int32_t v = 0, empty = 0; v < r->open; v++)
            if (r->size[v] > 2 || !empty++) route_cheapest(in, r, q, v, &best);
        if (best.vehicle < 0) r->left_out[left++] = q;
        else route_put_in(in, r, q, best);
    }
    r->missing = left;
}

/* From now on this plan is what changes are measured against. */
static void take(Routes *r) {
    for (int64_t k = 0; k < r->touched; k++) r->taken_size[r->touched_list[k]] = 0;
    memcpy(r->taken_out, r->left_out, sizeof(int32_t) * (size_t)r->missing);
    r->touched = 0, r->taken_missing = r->missing, r->cost[TAKEN] = r->cost[NOW];
}

/* Back to the plan last taken. */
static void undo(const Routing *in, Routes *r) {
    for (int64_t k = 0; k < r->touched; k++) {
        int32_t v = r->touched_list[k], *stop = r->stop + v * in->width;
        for (int32_t i = 1; i < r->size[v] - 1; i++) r->vehicle[in->request[stop[i]]] = -1;
    }
    for (int64_t k = 0; k < r->touched; k++) {
        int32_t v = r->touched_list[k], *stop = r->stop + v * in->width;
        memcpy(stop, r->taken_stop + v * in->width, sizeof(int32_t) * (size_t)r->taken_size[v]);
        r->size[v] = r->taken_size[v], r->taken_size[v] = 0;
        for (int32_t i = 1; i < r->size[v] - 1; i++) r->vehicle[in->request[stop[i]]] = v;
        route_measure(in, r, v);
    }
    r->touched = 0, r->missing = r->taken_missing, r->cost[NOW] = r->cost[TAKEN];
    memcpy(r->left_out, r->taken_out, sizeof(int32_t) * (size_t)r->missing);
}

static int64_t often(const Routes *r, const int32_t *missing, int64_t count) {
    int64_t sum = 0;
    for (int64_t k = 0; k < count; k++) sum += r->absent[missing[k]];
    return sum;
}

static int accepted(const Routes *r, double temperature) {
    if (r->missing < r->taken_missing) return 1;
    if (r->taken_missing && often(r, r->left_out, r->missing) < often(r, r->taken_out, r->taken_missing)) return 1;
    return r->missing == r->taken_missing && r->cost[NOW] < r->cost[TAKEN] - temperature * log(random_unit(r->random));
}

/* Fewer missing, then (if asked for) fewer vehicles, then less travel. */
static int is_best(const Routing *in, const Routes *r, int64_t few) {
    if (r->missing != r->best_missing) return r->missing < r->best_missing;
    int more = few ? used(in, r->size) - used(in, r->best_size) : 0;
    return more ? more < 0 : r->cost[NOW] < r->cost[BEST] - SLACK;
}

static void keep_best(const Routing *in, Routes *r) {
    for (int64_t v = 0; v < in->vehicles; v++)
        memcpy(r->best_stop + v * in->width, r->stop + v * in->width, sizeof(int32_t) * (size_t)r->size[v]);
    memcpy(r->best_size, r->size, sizeof(int32_t) * (size_t)in->vehicles);
    r->best_missing = r->missing, r->cost[BEST] = r->cost[NOW];
}

/* Close the route whose requests were least often missing; the last open one takes its place. */
static void close_one(const Routing *in, Routes *r) {
    int64_t best = INT64_MAX, width = in->width;
    int32_t which = 0, last = (int32_t)r->open - 1;
    for (int32_t v = 0; v <= last; v++) {
        int64_t sum = 0;
        for (int32_t k = 1; k < r->size[v] - 1; k++) sum += r->absent[in->request[r->stop[v * width + k]]];
        if (sum < best) best = sum, which = v;
    }
    while (r->size[which] > 2) route_take_out(in, r, in->request[r->stop[which * width + 1]]);
    memcpy(r->stop + which * width, r->stop + last * width, sizeof(int32_t) * (size_t)r->size[last]);
    r->size[which] = r->size[last], r->size[last] = 2, r->stop[last * width + 1] = 0;
    for (int32_t k = 1; k < r->size[which] - 1; k++) r->vehicle[in->request[r->stop[which * width + k]]] = which;
    route_measure(in, r, which);
    if (which != last) route_measure(in, r, last);
    r->open--;
    take(r);
}

/* So many rounds at a temperature (in travel); `few`: a vehicle less as soon as nobody is missing. Returns the best plans met. */
EXPORT int64_t routes_search(const Routing *in, Routes *r, int64_t rounds, double temperature, int64_t few) {
    int64_t met = 0;
    for (int64_t round = 0; round < rounds; round++) {
        ruin(in, r);
        recreate(in, r);
        for (int64_t k = 0; k < r->missing; k++) r->absent[r->left_out[k]]++;
        if (is_best(in, r, few >= 0)) keep_best(in, r), met++;
        if (!accepted(r, temperature)) undo(in, r);
        else take(r);
        if (few > 0 && !r->missing && r->open > 1) close_one(in, r);
    }
    return met;
}

/* The plan goes on from these stops. */
EXPORT void routes_begin(const Routing *in, Routes *r) {
    r->missing = r->touched = 0, r->cost[NOW] = 0;
    for (int64_t q = 0; q < in->requests; q++) r->vehicle[q] = -1;
    for (int32_t v = 0; v < in->vehicles; v++) {
        r->taken_size[v] = 0, r->length[v] = 0;
        for (int32_t k = 1; k < r->size[v] - 1; k++) r->vehicle[in->request[r->stop[v * in->width + k]]] = v;
        route_measure(in, r, v);
    }
    for (int32_t q = 0; q < in->requests; q++)
        if (r->vehicle[q] < 0) r->left_out[r->missing++] = q;
    take(r);
}
