"""The one entry: a problem in, a checked plan with a proven bound out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Final

import numpy as np

from solvers.arrays import Floats, Ints
from solvers.assignment.anneal import Annealer, anneal
from solvers.assignment.beam import beams, is_one_a_row
from solvers.assignment.blocks import Blocks
from solvers.assignment.branching import Brancher
from solvers.assignment.deadline import Deadline, Stop, Stopped
from solvers.assignment.dual import Prices
from solvers.assignment.engines import Engines
from solvers.assignment.enumeration import Enumerator, Replica, enumerate_rows
from solvers.assignment.greedy import greedy_at, greedy_order
from solvers.assignment.incumbent import Incumbent
from solvers.assignment.instance import instance_of
from solvers.assignment.knapsack import Knapsacks, is_knapsacks
from solvers.assignment.plan import cost_of, is_feasible, pins_of
from solvers.assignment.polish import Polisher
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.prover import Prover
from solvers.assignment.result import AssignmentResult, Status
from solvers.assignment.search import Search
from solvers.assignment.timing import PACKING, annealed, is_provable, is_small

_MANY: Final = 2_000  #: requests from which candidates must be near
_LONG_S: Final = (
    10.0  #: limits from which a first plan at rough prices is worth its time, unless there are few
)
_AFTER_S: Final = 0.3  #: in which CP-SAT closes most of what it is given whole: HiGHS need not start
_SOON: Final = 400  #: requests up to which it begins before annealing has settled: by then it may be done
_START: Final = 0.05  #: share of the time that the prices of a first plan take, and annealing from it
_HOT: Final = 4.0  #: first temperature of annealing, in spreads: from there it is decided who is left
_WARM: Final = 3.0  #: the same for a first plan
_WIDTH: Final = 12.0  #: spreads within which a request's candidates are annealed, where there are many
_WIDE: Final = 30.0  #: the same where there are few requests: each one left unmatched counts
_NEAR: Final = (
    6.0  #: spreads, its own or the mean if that is larger, within which a request's candidates are polished
)
_TINY: Final = 60  #: the same where there is one bucket and rows can be enumerated
_ROUNDS: Final = 2000  #: steps of the prices at most
_FEW: Final = 50_000  #: columns up to which fewer steps are tried first: most often they say all
_FEW_ROUNDS: Final = 400
_STEPS: Final = 300  #: steps of the values at most
_PRICING: Final = 0.15  #: share of the time they may take
#: what an engine raises that is missing, broken, or out of memory
_FAULTS: Final = (ImportError, OSError, MemoryError, RuntimeError)


def solve(
    problem: AssignmentProblem,
    *,
    time_limit_s: float,
    seed: int = 0,
    workers: int = 2,
    warm_start: Ints | None = None,
    stop: Stop = None,
    work_limit: int | None = None,
    enough: float = 0.0,
) -> AssignmentResult:
    """A plan at least as good as `warm_start` (if that is feasible) within `time_limit_s`.

    `stop`: an event, or a function that says whether to stop; honoured within 0.2 s.
    `work_limit`: with `workers=1`, ends by steps of work (about one annealing move each, 0.3 us) instead of
    by time: same input, same bytes.
    `enough`: a plan that is proven to lie within this share of its cost (less the penalties of those who fit
    nowhere) above the least possible ends the search; 0: only the optimum does.
    """
    deadline = Deadline(time_limit_s, stop, work_limit)
    run = _Run(problem, deadline, np.random.default_rng(seed), workers, enough)
    if warm_start is not None and is_feasible(problem, warm_start):
        run.best.offer(warm_start)
    with suppress(Stopped):
        run.solve()
    best, cost = run.best, cost_of(problem, run.best.choice)
    if not is_feasible(problem, best.choice) or cost != best.cost:
        raise AssertionError(f"the plan found breaks a rule or costs {cost}, not {best.cost}")
    bound = min(best.bound, cost)
    status = Status.OPTIMAL if cost == bound else Status.FEASIBLE
    lacking = tuple(dict.fromkeys(run.lacking))
    return AssignmentResult(best.choice, cost, bound, status, tuple(best.trace), run.worth, lacking)


class _Run:
    """The stages of one solve."""

    def __init__(
        self,
        problem: AssignmentProblem,
        deadline: Deadline,
        rng: np.random.Generator,
        workers: int,
        enough: float = 0.0,
    ) -> None:
        self.problem, self.deadline, self.rng, self.workers = problem, deadline, rng, max(1, workers)
        self.best = Incumbent(problem, deadline, enough)
        self.best.offer(pins_of(problem))  # there is always a plan
        self.lacking: list[str] = []  #: engines that could not help, and why
        self.blocks: Blocks | None = None  #: those that were begun
        self.worth: Floats = np.zeros(problem.capacity.shape)  #: the best prices met, V x K x B

    def solve(self) -> None:
        """Greedy, prices, priced greedy; then what suits the size and shape. `Stopped` ends it early."""
        deadline, look = self.deadline, self.deadline.look
        self._enter()
        self.best.offer(greedy_at(self.prices, self.order, by_price=False, most=16, look=look))
        by_rows = self.problem.capacity.shape[2] == 1 and self.instance.requests > _TINY
        if deadline.time_limit_s >= _LONG_S and self.instance.requests > _SOON and not by_rows:
            self._start()
        if self.instance.columns <= _FEW:
            self._price(rounds=_FEW_ROUNDS, share=_PRICING)
        if not self.best.done:
            self._price(rounds=_ROUNDS, share=_PRICING)
        look()
        if self.best.done:
            return
        if by_rows:
            self._rows()
        else:
            self._search()

    def _enter(self) -> None:
        """What all stages read, with a look between its parts whether to go on."""
        self.deadline.look()
        self.problem.fits_alone  # noqa: B018 - kept by the problem
        self.deadline.look()
        self.instance = instance_of(self.problem)
        self.deadline.look()
        self.order = greedy_order(self.instance)
        self.prices = Prices(self.instance)
        self.deadline.look()

    def _start(self) -> None:
        """A good plan early, lest the caller stop early: at rough prices, annealed from where it gains."""
        self._price(rounds=200, share=_START)
        if not self.best.done:
            self._anneal(until=2 * _START, threads=self.workers, hot=_WARM)

    def _rows(self) -> None:
        """Where there is one bucket: annealing, then rows by branch and bound, and HiGHS beside them."""
        proving = is_provable(self.problem, self.deadline, self.workers) and is_small(self.problem)
        threads = self.workers - proving
        with ExitStack() as beside:
            if proving:
                beside.enter_context(self._proving())
            self._enumerate(threads)

    def _search(self) -> None:
        """Annealing, then CP-SAT on the whole or on parts of it, and HiGHS beside them where that may pay."""
        until = annealed(self.instance, self.deadline)
        proving = is_provable(self.problem, self.deadline, self.workers)
        early = proving and self.instance.requests <= _SOON
        engines = Engines() if until < 1 else None
        with ExitStack() as beside:
            if early:
                beside.enter_context(self._proving())
            self._anneal(until=until, threads=self.workers - early, engines=engines)
            if engines is None or self.best.done:
                return
            if proving and not early:
                beside.enter_context(self._proving())
            self._engines(engines, self.workers - proving)

    def _engines(self, engines: Engines, threads: int) -> None:
        """CP-SAT once it is loaded; what there is goes on where it is missing or fails."""
        try:
            if engines.ready(self.deadline, given_up=lambda: self.best.done):
                self._exact(threads) if is_small(self.problem) else self._polish(threads)
        except _FAULTS as error:
            self.lacking.append(f"OR-Tools: {type(error).__name__}: {error}")
            self._anneal(until=1.0, threads=threads)

    def _price(self, *, rounds: int, share: float) -> None:
        self.prices.climb(self.deadline, rounds=rounds, share=share, aim=self.best.aim)
        self.best.prove(self.prices.prove())
        self.worth = self.prices.of_cells()
        look = self.deadline.look
        self.best.offer(greedy_at(self.prices, self.order, by_price=True, most=48, look=look))

    def _anneal(
        self, *, until: float, threads: int, hot: float = _HOT, engines: Engines | None = None
    ) -> None:
        """A replica in each thread; of many requests, the last one's goes on from the first block of rows.

        Not where work counts: what a block takes is no part of annealing's.
        """
        seeds, late, timed = self._seeds(threads), None, self.deadline.work_limit is None
        if engines is not None and timed and threads > 1 and self.instance.requests >= _MANY:
            late = partial(self._late, engines, until, seeds.pop())
        annealers = [self._annealer(seed) for seed in seeds]
        found = anneal(annealers, self.deadline, self.best, hot=hot, until=until, late=late)
        self.best.follow(each.trace for each in found)
        self.best.offer(self.instance.to_given(found[0].search.columns_of(found[0].best)))

    def _annealer(self, seed: int) -> Annealer:
        width = _WIDTH if self.instance.requests >= _MANY else _WIDE
        return Annealer(self._candidates(width * self.prices.spread), seed)

    def _late(self, engines: Engines, until: float, seed: int) -> Annealer:
        """One that begins with the first block as it was found in half of the time to `until`.

        Where OR-Tools came so late that the block would have less than after annealing, it waits for that.
        """
        self.blocks = blocks = Blocks(self.prices, self.best)
        try:
            if (
                engines.ready(limit := self._until(until))
                and limit.left_s >= PACKING * self.deadline.budget_s
            ):
                blocks.ahead(limit.part(0.5 * limit.left_s), seed)
        except _FAULTS as error:
            self.lacking.append(f"OR-Tools: {type(error).__name__}: {error}")
        return self._annealer(seed)

    def _until(self, fraction: float) -> Deadline:
        """To that fraction of the deadline, or until nothing better is to be found."""
        left_s = (fraction - self.deadline.fraction) * self.deadline.budget_s
        return self.deadline.part(left_s, lambda: self.best.done)

    def _seeds(self, number: int) -> list[int]:
        return [int(seed) for seed in self.rng.integers(2**63, size=number)]

    def _candidates(self, width: float | Floats) -> Search:
        """Candidates within `width` cents of the cheapest at the prices."""
        kept, look = self.instance.from_given(self.best.choice), self.deadline.look
        return Search(self.prices, kept, self.best.cost, width=width, most=32, look=look)

    def _polish(self, threads: int) -> None:
        """Blocks of rows, for a better bound and plan; neighbourhoods once a thread finds no block left."""
        limit = self.deadline.part(PACKING * self.deadline.budget_s, lambda: self.best.done)
        blocks = self.blocks or Blocks(self.prices, self.best)
        near = self._candidates(_NEAR * np.maximum(self.prices.spread, self.prices.spreads))
        polisher = Polisher(self.prices, near, self.best, lambda: blocks.open)

        def one(packing: int, polishing: int) -> None:
            blocks.run(limit, packing)
            self.deadline.work, limit.work = self.deadline.work + limit.work, 0
            polisher.run(self.deadline, polishing)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, self._seeds(threads), self._seeds(threads)))

    @contextmanager
    def _proving(self) -> Iterator[None]:
        """HiGHS on the whole while this lasts."""
        after_s = _AFTER_S if is_small(self.problem) else 0.0
        left_s, seed = self.deadline.left_s, self._seeds(1)[0]
        prover = Prover(self.problem, self.best.choice, left_s - after_s, seed=seed, after_s=after_s)
        try:
            with prover.telling(self.best.offer, self.best.prove):
                yield
        finally:
            if prover.lacking is not None:
                self.lacking.append(prover.lacking)

    def _exact(self, threads: int) -> None:
        from solvers.assignment.exact import solve_exactly  # noqa: PLC0415 - OR-Tools takes 1.4 s

        limit = self.deadline.part(self.deadline.budget_s, lambda: self.best.done)
        seed = self._seeds(1)[0]
        enough = self.best.cost - self.best.aim
        choice, bound = solve_exactly(
            self.problem, self.best.choice, limit, seed=seed, workers=threads, enough_cents=enough
        )
        self.deadline.work += limit.work
        self.best.offer(choice)
        self.best.prove(bound)

    def _enumerate(self, threads: int) -> None:
        values = self._value() if is_knapsacks(self.instance) else None
        if values is not None and is_one_a_row(self.instance):
            beams(values, self.deadline, self.best, seeds=self._seeds(threads))
        else:
            self._anneal(until=0.15, threads=threads)
        kept, spread, cost = self.instance.from_given(self.best.choice), self.prices.spread, self.best.cost
        replicas: Sequence[Replica]
        if reheat := values is None:
            replicas = [Enumerator(self.prices, kept, cost, spread, seed) for seed in self._seeds(threads)]
        else:
            replicas = [Brancher(values, kept, cost, spread, seed) for seed in self._seeds(threads)]
        found = enumerate_rows(
            *(replicas, self.deadline, self.best), hot=0.3 * spread, cold=0.03 * spread,
            rounds=3, reheat=reheat,
        )  # fmt: skip
        self.best.follow(each.trace for each in replicas)
        self.best.offer(self.instance.to_given(found.search.columns_of(found.best)))

    def _value(self) -> Knapsacks:
        knapsacks = Knapsacks(self.prices)
        knapsacks.climb(self.deadline, steps=_STEPS, share=_PRICING)
        self.best.prove(knapsacks.prove())
        return knapsacks
