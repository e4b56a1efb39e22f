"""What is expected of a vendor: little evidence is shrunk to the market, much is believed."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from contracts.codes import LevelOfService
from solvers.acceptance import (
    CELLS,
    HOUR_MS,
    LEAST,
    MOST,
    Cell,
    cell_of,
    expected,
    in_vain,
    tables,
)
from solvers.arrays import Floats, Ints
from solvers.candidates import screen
from solvers.encoding import VendorBook
from solvers.rules.acceptance import cents_of_known
from solvers.screening import ALL_OTHERS, Screening
from tests.solvers.town import asked, order, screening, supply, trip, vendor

NOON = cell_of("wheelchair", 3 * HOUR_MS, 12, 2)
NIGHT = cell_of("wheelchair", 3 * HOUR_MS, 2, 2)
STRETCHER = cell_of("stretcher", 3 * HOUR_MS, 12, 2)
Answers = dict[str, dict[Cell, tuple[int, int]]]  # yes and asked


def counted(answers: Answers) -> dict[str, bytes]:
    yes, of = dict[str, Floats](), dict[str, Floats]()
    for vendor_id, cells in answers.items():
        yes[vendor_id], of[vendor_id] = np.zeros(CELLS), np.zeros(CELLS)
        for cell, (said_yes, number) in cells.items():
            yes[vendor_id][cell.place], of[vendor_id][cell.place] = said_yes, number
    return tables(yes, of, unknown=0.8, weight=10)


def share(told: dict[str, bytes], vendor_id: str, cell: Cell = NOON) -> float:
    found = expected(told, vendor_id, cell)
    assert found is not None
    return found


def test_while_nobody_has_answered_nothing_is_expected_but_what_is_tuned() -> None:
    assert expected({}, "v1", NOON) is None
    assert share(counted({}), "v1") == 0.8


def test_bands_meet_where_they_say_and_each_cell_has_a_place_of_its_own() -> None:
    assert [cell_of("bls", hours * HOUR_MS, 0, 0).lead for hours in (-1, 0, 1.9, 2, 23, 24, 900)] == [
        0, 0, 0, 1, 1, 2, 2,
    ]  # fmt: skip
    assert [cell_of("bls", 0, hour, 0).hour for hour in (0, 5, 6, 12, 18, 23)] == [0, 0, 1, 2, 3, 3]
    assert [cell_of("bls", 0, 0, day).weekend for day in range(7)] == [0, 0, 0, 0, 0, 1, 1]
    everywhere = {
        cell_of(level, lead * HOUR_MS, hour, day).place
        for level in (*(each.value for each in LevelOfService), "equipment")
        for lead in (0, 5, 50)
        for hour in range(0, 24, 6)
        for day in (0, 6)
    }
    assert everywhere == set(range(CELLS))


def test_a_vendor_with_few_answers_is_taken_for_its_market_and_one_with_many_for_itself() -> None:
    market: Answers = {f"m{n}": {NOON: (90, 100)} for n in range(9)}
    told = counted(market | {"new": {NOON: (0, 1)}, "poor": {NOON: (100, 200)}})
    assert share(told, "m1") == pytest.approx(0.9, abs=0.02)
    assert 0.6 < share(told, "new") < share(told, "m1")
    assert share(told, "poor") == pytest.approx(0.5, abs=0.03)
    assert share(told, "unheard of") == share(told, ALL_OTHERS) == pytest.approx(0.83, abs=0.01)


def test_who_does_not_work_at_night_is_expected_at_noon_as_ever() -> None:
    told = counted({"v1": {NOON: (95, 100), NIGHT: (10, 100)}, "v2": {NOON: (90, 100), NIGHT: (90, 100)}})
    assert share(told, "v1", NOON) > 0.9
    assert share(told, "v1", NIGHT) < 0.2
    assert share(told, "v2", NIGHT) > 0.85


def test_what_the_market_shuns_is_expected_less_of_who_was_never_asked_for_it() -> None:
    told = counted(
        {f"v{n}": {NOON: (95, 100), STRETCHER: (40, 100)} for n in range(5)} | {"new": {NOON: (95, 100)}}
    )
    assert share(told, "new", STRETCHER) < 0.6
    assert share(told, "new", NOON) > 0.9


def test_nobody_is_certain() -> None:
    told = counted({"always": {NOON: (10**6, 10**6)}, "never": {NOON: (0, 10**6)}})
    assert (share(told, "always"), share(told, "never")) == (MOST, LEAST)


def test_offers_in_vain_until_one_is_taken() -> None:
    assert [in_vain(each) for each in (1.0, 0.5, 0.25)] == [0.0, 1.0, 3.0]


def test_what_scorecard_and_answers_say_alike_of_a_vendor_beside_others_counts_once() -> None:
    requests, values = [asked(trip("a", start_min=60))], {"acceptance_cents": 700, "scorecard_cents": 1_000}
    vendors = [vendor(f"v{n}") for n in range(5)]
    answers = {"v0": (30, 100), "v1": (90, 100), "v2": (90, 100), "v3": (99, 100)}
    known = {
        "acceptance": counted({name: {NOON: each} for name, each in answers.items()}),
        "scorecards": {"v0": 0.5, "v1": 0.5, "v2": 0.99, "v3": 0.95, ALL_OTHERS: 0.8},
    }
    with_both = screening(requests, vendors, supply(5), values, known=known)
    alone = [
        screening(requests, vendors, supply(5), {**values, name: 0}, known=known)
        for name in ("scorecard_cents", "acceptance_cents")
    ]
    neither = screening(requests, vendors, supply(5), dict.fromkeys(values, 0), known=known)
    base = _by_place(neither)
    both, likely, card = (_by_place(each) - base for each in (with_both, *alone))
    dearer, worse = likely - likely[-1], card - card[-1]  # than v4, of which nothing is known
    alike = np.median([dearer, worse, np.zeros_like(base)], axis=0)
    assert (both + alike).tolist() == (likely + card).tolist()
    assert {int(each) for each in np.sign(alike)} == {-1, 0, 1}


@pytest.mark.parametrize("larger", [True, False])
def test_what_was_decided_while_both_costs_or_the_larger_counted_is_planned_as_it_was(larger: bool) -> None:
    requests, values = [asked(trip("a", start_min=60))], {"acceptance_cents": 700, "scorecard_cents": 1_000}
    vendors = [vendor(f"v{n}") for n in range(3)]
    known = {
        "acceptance": counted({"v0": {NOON: (30, 100)}, "v1": {NOON: (90, 100)}, "v2": {NOON: (90, 100)}}),
        "scorecards": {"v0": 0.5, "v1": 0.5, "v2": 0.99},
    }

    def cents(**off: int) -> Ints:
        now = screening(requests, vendors, supply(3), {**values, **off}, known=known)
        then = {"expected": now.of_vendors["acceptance"]["expected"]}
        then |= {"beyond": np.ones(1, np.int64)} if larger else {}
        return _by_place(replace(now, of_vendors={**now.of_vendors, "acceptance": then}))

    base = cents(acceptance_cents=0, scorecard_cents=0)
    both, likely, card = (
        each - base for each in (cents(), cents(scorecard_cents=0), cents(acceptance_cents=0))
    )
    assert both.tolist() == (np.maximum(likely, card) if larger else likely + card).tolist()


def _by_place(each: Screening) -> Ints:
    """Cents, in an order that no cents decide."""
    found = screen(each)
    return found.cents[np.lexsort((found.candidates.start_ms, found.candidates.vendor))]


def test_asked_in_the_order_of_their_cost_vendors_cost_least_in_all() -> None:
    """Of all orders of five vendors; each asked in vain costs w."""
    draw = np.random.default_rng(3)
    for _ in range(20):
        cost, likely, ask = draw.uniform(0, 3_000, 5), draw.uniform(0.1, 0.99, 5), 400.0

        def total(
            order: tuple[int, ...], cost: Floats = cost, likely: Floats = likely, ask: float = ask
        ) -> float:
            left, spent = 1.0, 0.0
            for each in order:
                spent += left * (ask + likely[each] * cost[each])
                left *= 1.0 - likely[each]
            return spent + left * 20_000

        cheapest_first = sorted(range(5), key=lambda each: cost[each] + ask * in_vain(likely[each]))
        best = min(map(total, itertools.permutations(range(5))))
        assert total(tuple(cheapest_first)) == pytest.approx(best)


def test_the_model_and_its_twin_say_the_same_of_every_request_and_vendor() -> None:
    vendors = [vendor("v1"), vendor("v2"), vendor("v9")]
    requests = [
        asked(each)
        for each in (trip("a", start_min=60), trip("b", start_min=14 * 60), order("c", start_min=30 * 60))
    ]
    told = counted({"v1": {NOON: (3, 9), NIGHT: (1, 2)}, "v2": {STRETCHER: (1, 7), NOON: (9, 9)}})
    day = screening(requests, vendors, supply(3), {}, known={"acceptance": told})
    quiet = screening(requests, vendors, supply(3), {"acceptance_cents": 0}, known={"acceptance": told})
    found, without = screen(day), screen(quiet)
    book = VendorBook.of(vendors, {"acceptance": told})
    by_place = {
        (row, at, start): cents
        for row, at, start, cents in zip(
            without.candidates.request, without.candidates.vendor, without.candidates.start_ms, without.cents,
            strict=True,
        )
    }  # fmt: skip
    assert len(found.candidates)
    for number in range(len(found.candidates)):
        one = found.candidates.at(number)
        known = book.known_of(vendors[one.vendor].id)
        cents = cents_of_known(known, requests[one.request], day.now_ms, day.horizon, {})
        assert found.cents[number] - by_place[one.request, one.vendor, one.start_ms] == cents


def test_what_was_saved_before_there_was_this_is_planned_as_it_was() -> None:
    requests, vendors = [asked(trip("a", start_min=60))], [vendor("v1"), vendor("v2")]
    told = counted({"v1": {NOON: (1, 9)}})
    now = screening(requests, vendors, supply(2), {}, known={"acceptance": told})
    encoded = {code: arrays for code, arrays in now.of_vendors.items() if code != "acceptance"}
    before = screen(replace(now, of_vendors=encoded))
    quiet = screen(screening(requests, vendors, supply(2), {}))
    assert before.cents.tolist() == quiet.cents.tolist()
