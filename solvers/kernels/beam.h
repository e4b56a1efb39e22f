/* Plans of problems with one bucket, built request by request, many at a time: what beam.c keeps. */
#ifndef KERNELS_BEAM_H
#define KERNELS_BEAM_H

#include "plan.h"

#define EXTENSION(X)                                                                                   \
    X(float, bound)  /* what a whole plan that begins so costs at least, less the requests' values */ \
    X(int32_t, from) /* which plan in part it extends ... */                                           \
    X(int32_t, at)   /* ... by which candidate */
typedef struct { EXTENSION(DECLARE) } Extension;

#define BEAM(X)                                                                                              \
    X(int64_t, width)         /* plans in part that are kept, at most */                                     \
    X(int64_t, slots)         /* of `seen`: a power of two, above twice the width */                         \
    X(const int32_t *, order) /* requests: in which they are decided */                                      \
    X(const double *, value)  /* requests: what serving it is worth */                                       \
    X(int64_t *, before)      /* candidates: its row's line in the table while the request is undecided */   \
    X(int64_t *, after)       /* candidates: the same once it is decided */                                  \
    X(int64_t *, top)         /* rows: line of those decided last, scratch */                                \
    X(float *, table)         /* a line for each row and candidate: best knapsacks by units left */          \
    X(int32_t *, left)        /* 2 x width x rows: units left in the plans, before and after a decision */   \
    X(float *, bound)         /* 2 x width */                                                                \
    X(uint64_t *, mark)       /* 2 x width: plans with the same units left have the same */                  \
    X(int32_t *, from)        /* requests x width: which plan was extended ... */                            \
    X(int32_t *, at)          /* requests x width: ... by which candidate */                                 \
    X(Extension *, extension) /* width x most candidates of a request, scratch */                            \
    X(uint64_t *, seen)       /* slots, scratch */
typedef struct { BEAM(DECLARE) } Beam;

#endif
