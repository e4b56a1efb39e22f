"""Insertion: always feasible, never moves what is settled, as good as trying everything by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from solvers.assignment.problem import AssignmentProblem
from solvers.checker import check
from solvers.insertion import Columns, Entry, Insertion, NoRoom, StalePlan, StandingPlan, insert
from solvers.insertion.columns import COST
from tests.examples import examples
from tests.solvers.restated import as_problem, block, unblock
from tests.solvers.slow import problems

SHAPE = (3, 2, 6)


def columns(rng: np.random.Generator, most: int = 5) -> Columns:
    """Random candidates; some reach beyond the horizon."""
    n = int(rng.integers(0, most + 1))
    return Columns.of(
        vendor=rng.integers(0, SHAPE[0], n),
        resource=rng.integers(0, SHAPE[1], n),
        start=rng.integers(0, SHAPE[2], n),
        duration=rng.integers(1, 4, n),
        units=rng.integers(1, 3, n),
        cost=rng.integers(1, 100, n),
    )


def plan_cost(plan: StandingPlan) -> int:
    """Columns + shortfalls; fails if the checker finds anything wrong."""
    problem, choice, _ = as_problem(plan)
    return check(problem, choice).require().cost


def totals(plan: StandingPlan) -> tuple[int, int]:
    """Cost of the plan and the sum of units left, for comparisons before and after."""
    return plan_cost(plan), int(plan.left.sum())


class StandingPlanMachine(RuleBasedStateMachine):
    """Any sequence of inserts, releases, settlements and blocks keeps the plan sound."""

    requests = Bundle("requests")

    @initialize(seed=st.integers(0, 2**32 - 1))
    def start(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.plan = StandingPlan(
            self.rng.integers(0, 4, SHAPE),
            self.rng.integers(0, 6, SHAPE[0]),
            wanted=self.rng.integers(0, 3, SHAPE[0]),
            shortfall_cents=9,
        )
        self.settled: dict[int, int] = {}
        self.blocked: list[tuple[int, int, int, int]] = []
        self.next_key = 0

    @rule(target=requests, polish=st.booleans(), penalty=st.sampled_from([None, 30, 1000]))
    def insert(self, polish: bool, penalty: int | None) -> object:
        self.next_key += 1
        entry = Entry(self.next_key, columns(self.rng), penalty, move_cents=int(self.rng.integers(0, 5)))
        before = plan_cost(self.plan)
        found = insert(self.plan, entry, polish=polish)
        assert plan_cost(self.plan) == before, "insert only reads"
        if found is None:
            return multiple()
        assert penalty is None or found.cents <= penalty
        self.plan.apply(found)
        extra = sum(self.plan[move.key].entry.move_cents for move in found.moves)
        assert plan_cost(self.plan) == before + found.cents - extra
        return self.next_key

    @rule(key=consumes(requests))
    def release(self, key: int) -> None:
        self.plan.release(key)
        self.settled.pop(key, None)
        assert key not in self.plan

    @rule(key=requests)
    def settle(self, key: int) -> None:
        self.plan.settle(key)
        self.settled[key] = self.plan[key].column

    @rule(v=st.integers(0, 2), k=st.integers(0, 1), start=st.integers(0, 5), units=st.integers(1, 2))
    def block(self, v: int, k: int, start: int, units: int) -> None:
        if self.plan.left[v, k, start] >= units:
            block(self.plan, v, k, start, 1, units)
            self.blocked.append((v, k, start, units))

    @rule()
    def unblock(self) -> None:
        if self.blocked:
            v, k, start, units = self.blocked.pop()
            unblock(self.plan, v, k, start, 1, units)

    @invariant()
    def nothing_is_over_booked_and_nothing_settled_has_moved(self) -> None:
        problem, choice, _ = as_problem(self.plan)
        assert check(problem, choice).ok
        assert self.plan.left.min() >= 0
        assert self.plan.vendor_room.min() >= 0
        assert {key: self.plan[key].column for key in self.settled} == self.settled


TestStandingPlan = StandingPlanMachine.TestCase
TestStandingPlan.settings = settings(max_examples=examples(30), stateful_step_count=30, deadline=None)


def has_room(plan: StandingPlan, entry: Entry, column: int) -> bool:
    """As the plan stands, whatever it costs."""
    try:
        plan.add(entry, column)
    except NoRoom:
        return False
    plan.release(entry.key)
    return True


def by_hand(plan: StandingPlan, entry: Entry) -> int | None:
    """The cheapest way to place the entry, or, one neighbour moving, where it costs less but does not fit."""
    found: list[int] = []
    before, costs = plan_cost(plan), entry.columns.table[COST]

    def try_here(extra: int, wanted: set[int]) -> None:
        for column in wanted:
            try:
                plan.add(entry, column)
            except NoRoom:
                continue
            found.append(plan_cost(plan) - before + extra)
            plan.release(entry.key)

    try_here(0, set(range(len(entry.columns))))
    most = 10**9 if entry.penalty_cents is None else entry.penalty_cents
    direct = min((cost for cost in found if cost <= most), default=10**9)
    wanted = {
        column
        for column in range(len(entry.columns))
        if costs[column] < direct and costs[column] <= most and not has_room(plan, entry, column)
    }
    for key in [booking.entry.key for v in range(SHAPE[0]) for booking in plan.of_vendor(v)]:
        held = plan[key]
        if not held.entry.movable:
            continue
        plan.release(key)
        for column in range(len(held.entry.columns)):
            try:
                plan.add(held.entry, column)
            except NoRoom:
                continue
            if column != held.column:
                try_here(held.entry.move_cents, wanted)
            plan.release(key)
        plan.add(held.entry, held.column)
    cheapest = min(found, default=None)
    return cheapest if cheapest is not None and cheapest <= most else None


@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 60]))
@settings(max_examples=examples(75), deadline=None)
def test_polished_insertion_is_as_good_as_every_single_move_tried_by_hand(
    seed: int, penalty: int | None
) -> None:
    rng = np.random.default_rng(seed)
    plan = StandingPlan(rng.integers(0, 3, SHAPE), rng.integers(0, 5, SHAPE[0]))
    for key in range(6):
        found = insert(plan, Entry(key, columns(rng), movable=bool(rng.random() < 0.8), move_cents=3))
        if found is not None:
            plan.apply(found)
    entry = Entry("new", columns(rng, 8), penalty)
    found = insert(plan, entry, effort=100, most_moves=1)
    best = by_hand(plan, entry)
    assert (None if found is None else found.cents) == best


@given(problems(), st.integers(0, 99))
@settings(max_examples=examples(50), deadline=None)
def test_inserting_a_whole_problem_one_by_one_gives_a_plan_the_checker_accepts(
    problem: AssignmentProblem, seed: int
) -> None:
    order = np.random.default_rng(seed).permutation(problem.requests)
    plan = StandingPlan(problem.capacity, problem.vendor_cap)
    for request in order.tolist():
        found = insert(plan, Entry(request, Columns.of_request(problem, request)))
        if found is not None:
            plan.apply(found)
    restated, choice, keys = as_problem(plan)
    assert check(restated, choice).ok
    assert len(set(keys)) == len(plan)
    assert np.array_equal(restated.capacity, problem.capacity)


def two_vendors(**plan: object) -> StandingPlan:
    return StandingPlan(np.ones((2, 1, 4), np.int64), [9, 9], **plan)  # type: ignore[arg-type]


def either(cheap: int, dear: int) -> Columns:
    """Vendor 0 at bucket 0 or vendor 1 at bucket 0."""
    return Columns.of(
        vendor=[0, 1], resource=[0, 0], start=[0, 0], duration=[2, 2], units=[1, 1], cost=[cheap, dear]
    )


def test_a_vendor_short_of_its_fair_share_is_worth_its_shortfall() -> None:
    plan = two_vendors(wanted=[0, 1], shortfall_cents=15)
    found = insert(plan, Entry("a", either(10, 20)))
    assert (found.column, found.cents) == (1, 5)  # type: ignore[union-attr]


def test_a_neighbour_steps_aside_only_when_it_is_cheaper_over_all() -> None:
    plan = two_vendors()
    plan.add(Entry("old", either(10, 12), move_cents=5), 0)
    stays = insert(plan, Entry("new", either(10, 16)))
    moves = insert(plan, Entry("new", either(10, 18)))
    assert (stays.cents, stays.moves) == (16, ())  # type: ignore[union-attr]
    assert moves is not None
    assert (moves.cents, moves.moves[0].key, moves.moves[0].cents) == (17, "old", 7)
    assert insert(plan, Entry("new", either(10, 18)), polish=False).moves == ()  # type: ignore[union-attr]


def test_nobody_is_moved_only_because_that_neighbour_gains() -> None:
    plan = two_vendors()
    plan.add(Entry("old", either(30, 10)), 0)
    beside = Columns.of(vendor=[0], resource=[0], start=[2], duration=[2], units=[1], cost=[70])
    assert insert(plan, Entry("new", beside, penalty_cents=60)) is None, "it has room, and is too dear"
    instead = Columns.of(vendor=[0], resource=[0], start=[0], duration=[2], units=[1], cost=[70])
    assert insert(plan, Entry("new", instead, penalty_cents=60)) is None, "it is not worth its place"
    found = insert(plan, Entry("new", instead, penalty_cents=70))
    assert (found.cents, found.moves[0].cents) == (50, -20)  # type: ignore[union-attr]


@pytest.mark.parametrize("seed", [*range(40), 1243, 3563])
def test_who_moves_makes_room_for_what_is_worth_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan = StandingPlan(rng.integers(0, 3, SHAPE), rng.integers(0, 5, SHAPE[0]))
    for key in range(7):
        found = insert(plan, Entry(key, columns(rng), movable=bool(rng.random() < 0.8)), polish=False)
        if found is not None:
            plan.apply(found)
    entry = Entry("new", columns(rng, 8), penalty_cents=int(rng.integers(10, 60)))
    for most_moves in (1, 2):
        found = insert(plan, entry, effort=100, most_moves=most_moves)
        if found is not None and found.moves:
            assert not has_room(plan, entry, found.column)
            assert entry.columns.table[COST, found.column] <= (entry.penalty_cents or 0)


def test_two_neighbours_step_aside_for_a_request_that_would_be_left_out() -> None:
    plan = StandingPlan(np.ones((3, 1, 2), np.int64), [9, 9, 9])
    plan.add(
        Entry(
            "first",
            Columns.of(
                vendor=[0, 1], resource=[0] * 2, start=[0] * 2, duration=[2] * 2, units=[1] * 2, cost=[10, 13]
            ),
            move_cents=1,
        ),
        0,
    )
    plan.add(
        Entry(
            "second",
            Columns.of(
                vendor=[1, 2], resource=[0] * 2, start=[0] * 2, duration=[2] * 2, units=[1] * 2, cost=[10, 15]
            ),
        ),
        0,
    )
    only = Columns.of(vendor=[0], resource=[0], start=[0], duration=[2], units=[1], cost=[20])
    assert insert(plan, Entry("new", only), most_moves=1) is None
    assert insert(plan, Entry("new", only, penalty_cents=28)) is None, "20 + 3 + 1 for the move + 5 is 29"
    found = insert(plan, Entry("new", only, penalty_cents=29))
    assert found is not None
    assert [(move.key, move.cents) for move in found.moves] == [("first", 4), ("second", 5)]
    assert found.cents == 29
    plan.apply(found)
    assert plan_cost(plan) == 20 + 13 + 15


def test_what_is_settled_never_moves() -> None:
    plan = two_vendors()
    plan.add(Entry("old", either(10, 12)), 0)
    plan.settle("old")
    found = insert(plan, Entry("new", either(10, 900)))
    assert (found.column, found.moves) == (1, ())  # type: ignore[union-attr]


def test_an_insertion_found_on_an_older_plan_is_refused_and_changes_nothing() -> None:
    plan = two_vendors()
    found = insert(plan, Entry("a", either(10, 12)))
    block(plan, 0, 0, 0, 4)
    before = totals(plan)
    with pytest.raises(StalePlan):
        plan.apply(found)  # type: ignore[arg-type]
    assert totals(plan) == before


def test_an_insertion_that_does_not_fit_is_undone_as_a_whole() -> None:
    plan = two_vendors()
    plan.add(Entry("old", either(10, 12)), 0)
    found = insert(plan, Entry("new", either(1, 900)))
    assert found is not None
    assert found.moves
    before = totals(plan)
    plan.left[1, 0, 1] = 0  # behind the plan's back: what no caller does
    with pytest.raises(NoRoom):
        plan.apply(Insertion(found.entry, found.column, found.moves, found.cents, plan.version))
    plan.left[1, 0, 1] = 1
    assert totals(plan) == before
    assert "new" not in plan


def test_a_request_that_costs_more_than_its_penalty_is_left_out() -> None:
    assert insert(two_vendors(), Entry("a", either(10, 12), penalty_cents=9)) is None
    assert insert(two_vendors(), Entry("a", either(10, 12), penalty_cents=10)) is not None


def test_a_key_is_booked_once() -> None:
    plan = two_vendors()
    plan.add(Entry("a", either(1, 2)), 0)
    with pytest.raises(ValueError, match="in the plan already"):
        plan.add(Entry("a", either(1, 2)), 1)
