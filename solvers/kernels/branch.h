/* A few rows of a plan with one bucket, and those of their requests that may move: what branch.c searches. */
#ifndef KERNELS_BRANCH_H
#define KERNELS_BRANCH_H

#include "plan.h"

enum { MOST = 320, ROWS = 20, OPTIONS = ROWS + 4 };

typedef struct {
    Search search;
    int size, n;                            /* rows; requests in doubt */
    int32_t row[ROWS];                      /* whose requests are reassigned */
    int64_t first[ROWS], free[ROWS], width; /* a row's part of a line of the table; units left */
    int32_t request[MOST], standing[MOST], at[MOST], found[MOST];
    int options[MOST];
    int32_t option[MOST][OPTIONS];
    int8_t slot[MOST][OPTIONS]; /* which of the rows an option is in, -1 for unmatched */
    float key[MOST][OPTIONS];   /* cost less the request's value */
    float *table;               /* n + 1 lines: best knapsacks of the requests from here on, by row and units left */
    float budget;               /* what the keys of a plan worth finding stay below */
    int64_t nodes;
    int better;
} Branch;

/* Draw about `wanted` rows, and see which of their requests may move in a plan at most `worse` dearer; 0 if too many. */
int rows_drawn(Branch *b, int wanted, int64_t worse, const double *value, const double *price);

/* Lift the requests and fill the table in; 0 if it does not fit into `room` floats. */
int rows_tabulated(Branch *b, int64_t room);

#endif
