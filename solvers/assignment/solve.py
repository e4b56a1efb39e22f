"""The one entry: a problem in, a checked plan with a proven bound out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import numpy as np

from solvers.assignment.anneal import Annealer, anneal
from solvers.assignment.branching import Brancher
from solvers.assignment.deadline import Deadline, Stop
from solvers.assignment.dual import Prices
from solvers.assignment.enumeration import Enumerator, Replica, enumerate_rows
from solvers.assignment.greedy import greedy_at, greedy_order
from solvers.assignment.instance import Instance, instance_of
from solvers.assignment.knapsack import Knapsacks, is_knapsacks
from solvers.assignment.plan import cost_of, is_feasible
from solvers.assignment.polish import Polisher
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.result import AssignmentResult, Status
from solvers.assignment.search import Search
from solvers.assignment.validation import Ints

_EXACT: Final = 200  #: requests up to which CP-SAT is given the whole problem
_MANY: Final = 2_000  #: requests from which candidates must be near
_LONG_S: Final = 10.0  #: limits from which a first plan at rough prices is worth its time
_ANNEALING: Final = 0.35  #: share of the time that annealing takes ...
_ROUGH_S, _SETTLED_S = 0.0005, 0.0035  #: ... within these of a request: before, it gains most; after, little
_POLISH_S: Final = 2.5  #: below which polishing is not begun: OR-Tools alone takes 1.4 s to import
_PROOF_S: Final = 0.01  #: a request, in which HiGHS raises the bound of the whole, and often meets it
_WIDTH: Final = 12.0  #: spreads within which a request's candidates are annealed, where there are many
_WIDE: Final = 30.0  #: the same where there are few requests: each one left unmatched counts
_NEAR: Final = 6.0  #: spreads within which a request's candidates are polished
_TINY: Final = 60  #: the same where there is one bucket and rows can be enumerated
_ROUNDS: Final = 2000  #: steps of the prices at most
_STEPS: Final = 300  #: steps of the values at most
_PRICING: Final = 0.15  #: share of the time they may take
_PACKING: Final = 0.1  #: share of the time that a better bound from packing may take


def solve(
    problem: AssignmentProblem,
    *,
    time_limit_s: float,
    seed: int = 0,
    workers: int = 2,
    warm_start: Ints | None = None,
    stop: Stop = None,
    work_limit: int | None = None,
) -> AssignmentResult:
    """A plan at least as good as `warm_start` (if that is feasible) within `time_limit_s`.

    `stop`: an event, or a function that says whether to stop; honoured within 0.2 s.
    `work_limit`: with `workers=1`, ends by steps of work (about one annealing move each, 0.3 us) instead of
    by time: same input, same bytes.
    """
    deadline = Deadline(time_limit_s, stop, work_limit)
    run = _Run(problem, deadline, np.random.default_rng(seed), workers)
    if warm_start is not None and is_feasible(problem, warm_start):
        run.offer(warm_start)
    run.solve()
    cost = cost_of(problem, run.best)
    if not is_feasible(problem, run.best) or cost != run.cost:
        raise AssertionError(f"the plan found breaks a rule or costs {cost}, not {run.cost}")
    bound = min(run.bound, cost)
    status = Status.OPTIMAL if cost == bound else Status.FEASIBLE
    return AssignmentResult(run.best, cost, bound, status, tuple(run.trace), run.prices.of_cells())


class _Run:
    """The stages of one solve, and the best plan and bound so far."""

    def __init__(
        self, problem: AssignmentProblem, deadline: Deadline, rng: np.random.Generator, workers: int
    ) -> None:
        self.problem, self.deadline, self.rng, self.workers = problem, deadline, rng, workers
        self.instance: Instance = instance_of(problem)
        self.order = greedy_order(self.instance)
        self.prices = Prices(self.instance)
        self.best, self.cost = np.full(problem.requests, -1, np.int64), 2**62
        self.bound = -(2**62)
        self.trace: list[tuple[float, int]] = []

    def offer(self, choice: Ints) -> None:
        """Keep a feasible choice (columns as given) if it is better."""
        cost = cost_of(self.problem, choice)
        if cost < self.cost:
            self.best, self.cost = choice, cost
            if not self.trace or cost < self.trace[-1][1]:
                self.trace.append((self.deadline.elapsed_s, cost))

    def solve(self) -> None:
        """Greedy, prices, priced greedy; then what suits the size and shape."""
        deadline = self.deadline
        self.offer(greedy_at(self.prices, self.order, by_price=False, most=16))
        if deadline.time_limit_s >= _LONG_S:  # a good plan early, in case the caller stops early
            self._price(rounds=200, share=0.05)
        self._price(rounds=_ROUNDS, share=_PRICING)
        if deadline.stopped:
            return
        small = self.instance.requests <= _EXACT
        if self.problem.capacity.shape[2] == 1 and self.instance.requests > _TINY:
            self._anneal(until=0.15)
            self._enumerate()
        elif small:
            self._anneal(until=min(0.2, deadline.fraction + 0.1 / max(0.1, deadline.time_limit_s)))
            if self.cost > self.bound and not deadline.over:
                self._exact()
        else:
            self._anneal(until=self._annealed)
            if self.cost > self.bound and not deadline.over:
                self._polish()

    @property
    def _annealed(self) -> float:
        """How much of the deadline annealing gets: all of it where little would be left for what follows."""
        requests, budget_s = self.instance.requests, self.deadline.budget_s
        needed_s = float(np.clip(_ANNEALING * budget_s, _ROUGH_S * requests, _SETTLED_S * requests))
        return needed_s / budget_s if needed_s + _POLISH_S <= budget_s else 1.0

    def _pack(self) -> None:
        """What rows really hold, for a better bound."""
        from solvers.assignment.packing import Packing  # noqa: PLC0415 - OR-Tools takes 1.4 s

        seed, limit = int(self.rng.integers(2**31)), self.deadline.part(_PACKING * self.deadline.budget_s)
        self.bound = max(self.bound, Packing(self.prices).prove(self.best, self.cost, limit, seed=seed))
        self.deadline.work += limit.work

    def _polish(self) -> None:
        """Neighbourhoods; where the time may suffice for it, one thread less, and the whole beside them."""
        self._pack()
        polisher = Polisher(self.prices, self._search(width=_NEAR), self.best, self.cost, self.bound)
        proving = self._provable
        seeds = [int(seed) for seed in self.rng.integers(2**63, size=max(1, self.workers - proving))]
        with self._prover(polisher) if proving else nullcontext():
            polisher.run(self.deadline, seeds=seeds)
        self._follow(polisher.trace)
        self.offer(polisher.choice)
        self.bound = max(self.bound, polisher.bound)

    @property
    def _provable(self) -> bool:
        enough = self.deadline.left_s >= _PROOF_S * self.instance.requests
        return self.workers > 1 and self.deadline.work_limit is None and enough

    def _prover(self, polisher: Polisher) -> AbstractContextManager[None]:
        from solvers.assignment.prover import Prover  # noqa: PLC0415 - only long solves need HiGHS

        prover = Prover(self.problem, self.best, self.deadline.left_s, seed=int(self.rng.integers(2**31)))
        return prover.telling(lambda choice: polisher.offer(choice, self.deadline.elapsed_s), polisher.prove)

    def _price(self, *, rounds: int, share: float) -> None:
        self.prices.climb(self.deadline, rounds=rounds, share=share)
        self.bound = self.prices.prove()
        if not self.deadline.stopped:
            self.offer(greedy_at(self.prices, self.order, by_price=True, most=48))

    def _anneal(self, *, until: float) -> None:
        seeds = [int(seed) for seed in self.rng.integers(2**63, size=max(1, self.workers))]
        width = _WIDTH if self.instance.requests >= _MANY else _WIDE
        annealers = [Annealer(self._search(width=width), seed) for seed in seeds]
        found = anneal(annealers, self.deadline, until=until, bound=self.bound)
        self._follow(*(each.trace for each in annealers))
        self.offer(self.instance.to_given(found.search.columns_of(found.best)))

    def _follow(self, *traces: list[tuple[float, int]]) -> None:
        """Put each better plan that a stage met into the trace."""
        least = self.cost
        for seconds, cost in sorted(point for trace in traces for point in trace):
            if cost < least:
                self.trace.append((seconds, cost))
                least = cost

    def _search(self, *, width: float) -> Search:
        """Candidates within `width` spreads of the cheapest at the prices."""
        kept, spread = self.instance.from_given(self.best), self.prices.spread
        return Search(self.prices, kept, self.cost, width=width * spread, most=32)

    def _enumerate(self) -> None:
        kept, spread = self.instance.from_given(self.best), self.prices.spread
        seeds = [int(seed) for seed in self.rng.integers(2**63, size=max(1, self.workers))]
        replicas: Sequence[Replica]
        if reheat := not is_knapsacks(self.instance):
            replicas = [Enumerator(self.prices, kept, self.cost, spread, seed) for seed in seeds]
        else:
            values = self._value()
            replicas = [Brancher(values, kept, self.cost, spread, seed) for seed in seeds]
        found = enumerate_rows(
            *(replicas, self.deadline), hot=0.3 * spread, cold=0.03 * spread,
            rounds=3, reheat=reheat, bound=self.bound,
        )  # fmt: skip
        self._follow(*(each.trace for each in replicas))
        self.offer(self.instance.to_given(found.search.columns_of(found.best)))

    def _value(self) -> Knapsacks:
        knapsacks = Knapsacks(self.prices)
        knapsacks.climb(self.deadline, steps=_STEPS, share=_PRICING)
        self.bound = max(self.bound, knapsacks.prove())
        return knapsacks

    def _exact(self) -> None:
        from solvers.assignment.exact import solve_exactly  # noqa: PLC0415 - OR-Tools takes 1.4 s

        seed, kept = int(self.rng.integers(2**31)), self.best
        choice, bound = solve_exactly(self.problem, kept, self.deadline, seed=seed, workers=self.workers)
        self.offer(choice)
        self.bound = max(self.bound, bound)
