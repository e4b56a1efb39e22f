"""Explanations are counted, checked and verified: what they promise happens when it is applied."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.explain import (
    Question,
    Reason,
    Relaxation,
    Verdicts,
    What,
    explain,
)
from solvers.insertion import Booking, Columns, Entry, NoRoom, StandingPlan, insert
from tests.examples import examples
from tests.solvers.restated import block, unblock

CODES = ("level_of_service", "hours", "time_window", "credentials")
UNITS = ("", "minutes", "minutes", "days")


def options(*rows: tuple[int, int, int, int, int, int]) -> Columns:
    """(vendor, resource, start, duration, units, cost) each."""
    return Columns(np.array(rows, dtype=np.int64).reshape(-1, 6).T.copy())


def judged(columns: Columns, against: dict[tuple[str, int], int], vendors: int = 3) -> Verdicts:
    """`against`: (code, option) to the amount by which that rule would have to yield."""
    removes = np.zeros((len(CODES), len(columns)), np.bool_)
    short = np.zeros(removes.shape, np.int64)
    for (code, option), amount in against.items():
        removes[CODES.index(code), option] = True
        short[CODES.index(code), option] = amount
    relaxable = np.array([code != "level_of_service" for code in CODES])
    return Verdicts(vendors, CODES, removes, columns, short, UNITS, relaxable)


def asked(plan: StandingPlan, verdicts: Verdicts, penalty: int = 1000) -> Question:
    return Question(plan, verdicts, penalty, np.ones(len(verdicts.columns), np.bool_))


def free(vendors: int = 3, units: int = 1) -> StandingPlan:
    return StandingPlan(np.full((vendors, 1, 8), units), [9] * vendors)


THREE = options((0, 0, 0, 2, 1, 10), (1, 0, 0, 2, 1, 20), (2, 0, 0, 2, 1, 30))


def test_a_vendor_counts_at_the_first_rule_that_leaves_it_without_an_option() -> None:
    verdicts = judged(
        THREE,
        {("level_of_service", 0): 0, ("hours", 0): 5, ("hours", 1): 5, ("credentials", 2): 3},
        vendors=5,
    )
    found = explain(asked(free(), verdicts))
    tally = {each.code: each.vendors for each in found.removed}
    assert tally == {"no_option": 2, "level_of_service": 1, "hours": 1, "credentials": 1}
    assert (found.reason, found.vendors) == (Reason.RULES, 5)


def test_the_last_rule_is_checked_by_screening_without_it() -> None:
    alone = judged(THREE, {("level_of_service", 0): 0, ("hours", 1): 5, ("credentials", 2): 3})
    found = explain(asked(free(), alone)).last_rule
    assert found is not None
    assert (found.code, found.vendors_back, found.matches) == ("credentials", 1, True)


def test_a_last_rule_that_was_not_alone_is_said_to_change_nothing() -> None:
    # The window removed the last option, but a credential is against it as well: lifting one frees nobody.
    hidden = judged(options((0, 0, 0, 2, 1, 10), (0, 0, 4, 2, 1, 10)), {
        ("hours", 0): 5, ("credentials", 1): 3, ("time_window", 1): 60,
    })  # fmt: skip
    found = explain(asked(free(), hidden)).last_rule
    assert found is not None
    assert (found.code, found.vendors_back, found.matches) == ("time_window", 0, False)


def test_lifting_the_last_rule_is_no_match_when_the_vendor_is_full() -> None:
    plan = free()
    block(plan, 2, 0, 0, 8)
    verdicts = judged(THREE, {("hours", 0): 5, ("hours", 1): 5, ("credentials", 2): 3})
    last = explain(asked(plan, verdicts)).last_rule
    assert last is not None
    assert (last.vendors_back, last.matches) == (1, False)


def test_the_smallest_window_that_matches_is_found() -> None:
    late = options(*((1, 0, start, 2, 1, 10) for start in range(6)))
    verdicts = judged(late, {("time_window", start): 15 * (start + 1) for start in range(6)})
    plan = free()
    block(
        plan, 1, 0, 0, 3
    )  # taken until bucket 3: the first free start is 45 minutes beyond the 15 it always lacks
    (step,) = explain(asked(plan, verdicts)).relaxations[0].steps
    assert (step.what, step.code, step.amount, step.unit) == (What.RULE, "time_window", 60, "minutes")


def test_a_rule_that_must_not_yield_is_never_proposed() -> None:
    verdicts = judged(THREE, {("level_of_service", 0): 0, ("level_of_service", 1): 0, ("credentials", 2): 3})
    relaxations = explain(asked(free(), verdicts)).relaxations
    assert [[step.code for step in each.steps] for each in relaxations] == [["credentials"]]
    none = judged(THREE, {("level_of_service", option): 0 for option in range(3)})
    assert explain(asked(free(), none)).relaxations == ()


def test_competition_names_vendor_bucket_and_units() -> None:
    plan = free()
    for vendor, first, lasts in ((0, 0, 4), (1, 1, 1), (2, 0, 2)):
        block(plan, vendor, 0, first, lasts)
    found = explain(asked(plan, Verdicts.none(THREE)))
    assert (found.reason, found.proven, found.last_rule) == (Reason.COMPETITION, True, None)
    (step,) = found.relaxations[0].steps
    assert (step.what, step.vendor, step.bucket, step.buckets, step.amount) == (What.UNITS, 1, 1, 1, 1)


def test_a_vendor_at_its_cap_is_asked_for_one_more_request() -> None:
    plan = StandingPlan(np.ones((3, 1, 8)), [0, 0, 0])
    (step,) = explain(asked(plan, Verdicts.none(THREE))).relaxations[0].steps
    assert (step.what, step.vendor, step.amount) == (What.VENDOR_CAP, 0, 1)


def test_left_out_because_matching_costs_more_than_the_penalty() -> None:
    found = explain(asked(free(), Verdicts.none(THREE), penalty=4))
    assert found.reason is Reason.COST
    (step,) = found.relaxations[0].steps
    assert (step.what, step.amount, step.unit) == (What.PENALTY, 6, "cents")


def test_a_place_that_a_neighbour_can_make_is_no_competition() -> None:
    plan = free()
    plan.add(Entry("old", options((0, 0, 0, 2, 1, 5), (0, 0, 4, 2, 1, 6))), 0)
    found = explain(asked(plan, Verdicts.none(options((0, 0, 0, 2, 1, 10)))))
    assert found.reason is Reason.FITS_NOW
    assert (found.relaxations[0].steps, found.relaxations[0].moves) == ((), 1)
    assert found.relaxations[1].steps[0].what is What.UNITS, "for those who would rather move nobody"


def test_what_was_not_searched_is_not_claimed() -> None:
    verdicts = judged(THREE, {("hours", 0): 5, ("hours", 1): 5, ("credentials", 2): 3})
    found = explain(asked(free(), verdicts), work_limit=0)
    assert found.proven is False
    assert found.last_rule is not None
    assert found.last_rule.matches is None
    assert explain(asked(free(), verdicts)).proven is True


def test_verdicts_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="rules x options are"):
        replace(judged(THREE, {}), short=np.zeros((4, 2), np.int64))


def random_question(seed: int) -> Question:
    rng = np.random.default_rng(seed)
    plan = StandingPlan(rng.integers(0, 3, (3, 1, 6)), rng.integers(0, 4, 3))
    for key in range(4):
        n = int(rng.integers(1, 4))
        rows = np.stack([
            rng.integers(0, 3, n), np.zeros(n), rng.integers(0, 5, n), rng.integers(1, 3, n),
            rng.integers(1, 3, n), rng.integers(1, 40, n),
        ]).astype(np.int64)  # fmt: skip
        found = insert(plan, Entry(key, Columns(rows), movable=bool(rng.random() < 0.5)), polish=False)
        if found is not None:
            plan.apply(found)
    n = int(rng.integers(1, 7))
    columns = options(*(
        (rng.integers(3), 0, rng.integers(6), rng.integers(1, 3), rng.integers(1, 3), rng.integers(1, 40))
        for _ in range(n)
    ))  # fmt: skip
    against = {
        (code, option): int(rng.integers(0, 9)) for code in CODES for option in range(n) if rng.random() < 0.3
    }
    return asked(plan, judged(columns, against), penalty=int(rng.integers(10, 60)))


def apply_steps(question: Question, relaxation: Relaxation) -> bool:
    """Do what the relaxation says to the plan itself: is the request placed at that option?"""
    plan, table = question.plan, question.verdicts.columns.table
    removes, penalty = question.verdicts.removes[:, relaxation.option].copy(), question.penalty_cents
    for step in relaxation.steps:
        if step.what is What.RULE:
            removes[CODES.index(step.code)] = False
        elif step.what is What.UNITS:
            unblock(plan, step.vendor, step.resource, step.bucket, step.buckets, step.amount)
        elif step.what is What.VENDOR_CAP:
            plan.vendor_room[step.vendor] += step.amount
        else:
            penalty += step.amount
    entry = Entry("new", Columns(table[:, relaxation.option : relaxation.option + 1]), penalty)
    placed = insert(plan, entry, effort=100)
    if removes.any() or placed is None:
        return False
    plan.apply(placed)
    return placed.cents == relaxation.cents and len(placed.moves) == relaxation.moves


@given(st.integers(0, 2**32 - 1), st.integers(0, 2))
@settings(max_examples=examples(100), deadline=None)
def test_every_relaxation_matches_the_request_when_it_is_applied(seed: int, which: int) -> None:
    relaxations = explain(random_question(seed)).relaxations
    if which < len(relaxations):
        assert apply_steps(random_question(seed), relaxations[which])


def smallest_by_hand(question: Question) -> tuple[int, ...] | None:
    """The least of every option with nobody moved, or who is in its way at another of their columns."""
    keys = []
    for option in np.flatnonzero(~question.verdicts.removes[0]).tolist():
        keys.append(change_by_hand(question, option, None))
        for booking in question.plan.bookings():
            others = np.delete(np.arange(len(booking.entry.columns)), booking.column).tolist()
            if booking.entry.movable and in_the_way(question, option, booking):
                keys += [change_by_hand(question, option, (booking, column)) for column in others]
    return min((key for key in keys if key is not None), default=None)


def in_the_way(question: Question, option: int, booking: Booking) -> bool:
    """Whether it takes units where the option would, or its vendor's last place."""
    vendor, resource, start, duration, _, _ = question.verdicts.columns.table[:, option].tolist()
    other, pool, begins, lasts, _, _ = booking.taken
    across = pool == resource and begins < start + duration and start < begins + lasts
    return other == vendor and bool(across or question.plan.vendor_room[vendor] < 1)


def change_by_hand(
    question: Question, option: int, mover: tuple[Booking, int] | None
) -> tuple[int, ...] | None:
    """What has to change for this option: in the order in which changes are compared. None: no such plan."""
    plan, verdicts = question.plan, question.verdicts
    left, room = plan.left.copy(), plan.vendor_room.copy()
    table = verdicts.columns.table
    moves, cents = [(table[:, option], -1)], int(table[5, option])
    if mover is not None:
        booking, column = mover
        goes = booking.entry.columns.table[:, column]
        moves += [(np.array(booking.taken), 1), (goes, -1)]
        cents += int(goes[5]) - booking.taken[5] + booking.entry.move_cents
    for (vendor, resource, start, duration, units, _), sign in moves:
        if start + duration > left.shape[2]:
            return None
        left[vendor, resource, start : start + duration] += sign * units
        room[vendor] += sign
    vendor, resource, start, duration, _, cost = table[:, option].tolist()
    window = left[vendor, resource, start : start + duration]
    short, cap = np.maximum(-window, 0).tolist(), max(0, -int(room[vendor]))
    window[:], room[vendor] = 0, 0
    if left.min() < 0 or room.min() < 0:
        return None
    runs = sum(1 for at, each in enumerate(short) if each and (at == 0 or short[at - 1] != each))
    against = verdicts.removes[:, option]
    dear, lifted = (
        max(cost, cents) > question.penalty_cents,
        int((against & (verdicts.short[:, option] == 0)).sum()),
    )
    amount = int(verdicts.short[against, option].sum())
    steps = int(against.sum()) + runs + (cap > 0) + dear
    return (steps, dear, lifted, int(mover is not None), amount, sum(short) + cap, cents)


def change_told(relaxation: Relaxation) -> tuple[int, ...]:
    """The same of what is told."""
    rules = [step for step in relaxation.steps if step.what is What.RULE]
    added = [
        step.amount * max(1, step.buckets)
        for step in relaxation.steps if step.what in (What.UNITS, What.VENDOR_CAP)
    ]  # fmt: skip
    dear = any(step.what is What.PENALTY for step in relaxation.steps)
    lifted, amount = sum(1 for step in rules if not step.amount), sum(step.amount for step in rules)
    return (len(relaxation.steps), dear, lifted, relaxation.moves, amount, sum(added), relaxation.cents)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=examples(75), deadline=None)
def test_the_first_change_told_is_the_smallest_of_all_with_one_neighbour_stepping_aside(seed: int) -> None:
    question = random_question(seed)
    found, smallest = explain(question), smallest_by_hand(question)
    assert found.proven
    if smallest is None:
        assert found.relaxations == ()
    else:
        assert change_told(found.relaxations[0]) == smallest


def test_a_neighbour_steps_aside_rather_than_a_rule_is_lifted_whole() -> None:
    plan = free()
    plan.add(Entry("old", options((0, 0, 0, 2, 1, 5), (0, 0, 4, 2, 1, 6))), 0)
    verdicts = judged(
        options((0, 0, 0, 2, 1, 10), (1, 0, 0, 2, 1, 10)), {("time_window", 0): 5, ("hours", 1): 0}
    )
    first, second, *_ = explain(asked(plan, verdicts)).relaxations
    assert [(step.code, step.amount) for step in first.steps] == [("time_window", 5)]
    assert (first.moves, second.moves, second.steps[0].code) == (1, 0, "hours")


def test_a_neighbour_steps_aside_where_units_or_weights_have_to_change_even_so() -> None:
    plan = free()
    plan.add(Entry("old", options((0, 0, 0, 2, 1, 5), (1, 0, 0, 2, 1, 6))), 0)
    block(plan, 0, 0, 3, 1)
    long, dear = options((0, 0, 0, 4, 1, 10)), options((0, 0, 0, 2, 1, 90))
    (step,) = explain(asked(plan, Verdicts.none(long))).relaxations[0].steps
    assert (step.what, step.bucket, step.buckets) == (What.UNITS, 3, 1)
    still = judged(dear, {("time_window", 0): 3, ("credentials", 0): 2})
    told = explain(asked(plan, still, penalty=50)).relaxations[0]
    assert [step.what for step in told.steps] == [What.RULE, What.RULE, What.PENALTY]
    assert (told.moves, told.steps[2].amount) == (1, 90 + 1 - 50)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=examples(75), deadline=None)
def test_fits_now_is_said_exactly_when_a_place_exists(seed: int) -> None:
    question = random_question(seed)
    allowed = question.verdicts.allowed()
    entry = Entry("new", Columns(question.verdicts.columns.table[:, allowed]), question.penalty_cents)
    fits = insert(question.plan, entry, effort=100, most_moves=1) is not None
    assert (explain(question).reason is Reason.FITS_NOW) == fits


def test_what_no_longer_fits_the_plan_is_refused_by_the_plan() -> None:
    with pytest.raises(NoRoom):
        free().add(Entry("a", options((0, 0, 7, 2, 1, 1))), 0)
