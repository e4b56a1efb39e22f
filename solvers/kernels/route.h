/* Routes of vehicles that pick up and deliver, with time windows, and limits on rides and routes: what route.c and ruin.c share.
 * Node 0 is the depot, where every route begins and ends; a route's stops are kept with it at both ends. */
#ifndef KERNELS_ROUTE_H
#define KERNELS_ROUTE_H

#include "common.h"

#define SLACK 1e-7 /* of time: rounding is no delay */

#define ROUTING(X)                                                                             \
    X(int64_t, nodes)                                                                          \
    X(int64_t, requests)                                                                       \
    X(int64_t, vehicles)                                                                       \
    X(int64_t, width)               /* stops of a route at most, depots included */            \
    X(int64_t, capacity)                                                                       \
    X(int64_t, limited)             /* 1: rides or routes are limited */                       \
    X(int64_t, near)                /* how many nodes of each `close` lists */                 \
    X(const double *, travel)       /* nodes x nodes; obeys the triangle inequality */         \
    X(const double *, service)      /* nodes */                                                \
    X(const double *, earliest)     /* nodes: begin of service */                              \
    X(const double *, latest)       /* nodes */                                                \
    X(const int64_t *, load)        /* nodes: what comes aboard there */                       \
    X(const int32_t *, request)     /* nodes: whose stop it is; -1 the depot */                \
    X(const int32_t *, pickup)      /* requests: node */                                       \
    X(const int32_t *, delivery)    /* requests: node */                                       \
    X(const double *, ride_limit)   /* requests: from the end of the pickup's service */       \
    X(const double *, route_limit)  /* one number: from leaving the depot to being back */     \
    X(const int32_t *, close)       /* nodes x near: itself, then the nearest */
typedef struct { ROUTING(DECLARE) } Routing;

#define ROUTES(X)                                                                              \
    X(int64_t, open)           /* vehicles that may be used: the first ones */                 \
    X(int64_t, missing)        /* requests that no vehicle serves */                           \
    X(int64_t, touched)        /* routes changed since the plan was last taken */              \
    X(int64_t, taken_missing)  /* `missing` of the plan last taken */                          \
    X(int64_t, best_missing)                                                                   \
    X(int32_t *, stop)         /* vehicles x width */                                          \
    X(int32_t *, size)         /* vehicles: stops, depots included */                          \
    X(double *, begin)         /* vehicles x width: earliest by windows */                     \
    X(double *, last)          /* vehicles x width: latest by windows */                       \
    X(int64_t *, aboard)       /* vehicles x width: after the stop */                          \
    X(double *, length)        /* vehicles: travel */                                          \
    X(const double *, leave)   /* vehicles: from the depot, at the earliest */                 \
    X(const int32_t *, fixed)  /* vehicles: stops that stand, the depot being the first */     \
    X(const int32_t *, held)   /* requests: 1: its vehicle keeps it */                         \
    X(int32_t *, vehicle)      /* requests: who serves it, or -1 */                            \
    X(int32_t *, left_out)     /* requests: those missing, in front */                         \
    X(int64_t *, absent)       /* requests: how often it was missing */                        \
    X(int32_t *, taken_stop)   /* vehicles x width: of touched routes, as they were */         \
    X(int32_t *, taken_size)   /* vehicles; 0: not touched */                                  \
    X(int32_t *, touched_list) /* vehicles */                                                  \
    X(int32_t *, taken_out)    /* requests: those missing then */                              \
    X(int32_t *, best_stop)    /* vehicles x width */                                          \
    X(int32_t *, best_size)    /* vehicles */                                                  \
    X(double *, cost)          /* three numbers: travel in all now, of the plan taken, of the best */ \
    X(double *, scratch)       /* width */                                                     \
    X(int32_t *, at)           /* nodes + width, scratch */                                    \
    X(double *, key)           /* requests, scratch */                                         \
    X(Random *, random)
typedef struct { ROUTES(DECLARE) } Routes;

enum { NOW, TAKEN, BEST };

/* Where a request goes: pickup after stop `after`, delivery after stop `then` of the route as it is. */
typedef struct {
    double more; /* travel */
    int32_t vehicle, after, then;
} Insertion;

void route_measure(const Routing *in, Routes *r, int32_t v);
void route_take_out(const Routing *in, Routes *r, int32_t q);
void route_put_in(const Routing *in, Routes *r, int32_t q, Insertion at);
void route_cheapest(const Routing *in, Routes *r, int32_t q, int32_t v, Insertion *best);

#endif
