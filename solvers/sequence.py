"""Requests that follow others or are bundled with them, in a screening and in what comes of it."""

from __future__ import annotations

import numpy as np

from solvers.arrays import Flags, Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.candidates import Screened, stood_at
from solvers.screening import Screening


def beside_standing(screening: Screening, screened: Screened, standing: Ints) -> Flags:
    """N; candidates that keep the sequence with the rows `standing`, which stay where they are.

    Where the place of such a row is no longer a candidate, nobody knows when its work will end: who is to
    follow its end waits.
    """
    candidates, sequence = screened.candidates, screening.sequence
    keep = np.ones(len(candidates), np.bool_)
    if sequence is None or screening.standing is None or not len(standing):
        return keep
    stays = np.zeros(screening.requests, np.bool_)
    stays[standing] = True
    begin_ms, end_ms = screening.standing.start_ms, np.full(screening.requests, -1, np.int64)
    place = np.flatnonzero(stood_at(screening.standing, candidates))
    end_ms[candidates.request[place]] = (candidates.start_ms + candidates.service_ms)[place]
    for pair in np.flatnonzero(stays[sequence.first] != stays[sequence.second]).tolist():
        first, second = int(sequence.first[pair]), int(sequence.second[pair])
        from_start, least, most = (
            each[pair] for each in (sequence.from_start, sequence.least_ms, sequence.most_ms)
        )
        if stays[first]:
            own = np.flatnonzero(candidates.request == second)
            since = (begin_ms if from_start else end_ms)[first]
            after, known = candidates.start_ms[own] - since, since >= 0
        else:
            own = np.flatnonzero(candidates.request == first)
            since = candidates.start_ms[own] + (0 if from_start else candidates.service_ms[own])
            after, known = begin_ms[second] - since, True
        keep[own] &= known & (least <= after) & (after <= most)
    return keep


def kept_whole(problem: AssignmentProblem, choice: Ints) -> Ints:
    """The choice without what may not stand by itself: seconds without their firsts, parts of a bundle."""
    kept, before = choice.copy(), -1
    first, second = problem.precedence.T
    bundle = problem.bundle
    while before != (before := int((kept < 0).sum())):
        kept[second[kept[first] < 0]] = -1
        kept[np.isin(bundle, bundle[(kept < 0) & (bundle >= 0)])] = -1
    return kept


def tied(problem: AssignmentProblem) -> Flags:
    """R; whether the request is in a sequence or a bundle: no plan places or moves it by itself."""
    found = problem.bundle >= 0
    found[problem.precedence.ravel()] = True
    return found
