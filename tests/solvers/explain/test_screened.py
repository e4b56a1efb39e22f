"""Explanations of real requests: what they propose, done to the messages, gives a candidate."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.codes import CredentialKind, LevelOfService
from contracts.geo import Circle
from contracts.vendors import Credential, Hours, Vendor
from solvers.candidates import screen
from solvers.capacity.pools import PoolSupply
from solvers.explain import Explanation, Reason, Step, What, explain
from solvers.explain.screened import Asked, question_of
from solvers.screening import OpenRequest, Screening
from tests.examples import examples
from tests.solvers import town

LAPSED = tuple(
    Credential(kind=CredentialKind.BACKGROUND_CHECK, expires_on=town.DAY - timedelta(days=9))
    if each.kind is CredentialKind.BACKGROUND_CHECK
    else each
    for each in town.ALL_CREDENTIALS
)
FAR = (Circle(centre=(-74.5, 40.7), radius_m=20_000),)


def ask(
    requests: list[OpenRequest], vendors: list[Vendor], held: PoolSupply | None = None
) -> tuple[Explanation, Asked]:
    asked = question_of(town.screening(requests, vendors, held), len(requests) - 1)
    return explain(asked.question), asked


def only_step(found: Explanation) -> Step:
    (step,) = found.relaxations[0].steps
    return step


def candidates(requests: list[OpenRequest], vendors: list[Vendor], held: PoolSupply | None = None) -> int:
    return int(
        (screen(town.screening(requests, vendors, held)).candidates.request == len(requests) - 1).sum()
    )


def test_a_lapsed_credential_is_named_with_the_days_and_renewing_it_gives_a_candidate() -> None:
    request = town.asked(town.trip())
    vendors = [town.vendor("v1", credentials=LAPSED), town.vendor("v2", paused=True)]
    found, _ = ask([request], vendors)
    assert found.reason is Reason.RULES
    assert {each.code: each.vendors for each in found.removed} == {"paused": 1, "credentials": 1}
    assert found.last_rule is not None
    assert (found.last_rule.code, found.last_rule.vendors_back, found.last_rule.matches) == (
        "credentials",
        1,
        True,
    )
    step = only_step(found)
    assert (step.code, step.vendor, step.amount, step.unit) == ("credentials", 0, 9, "days")
    renewed = msgspec.structs.replace(vendors[0], credentials=town.ALL_CREDENTIALS)
    assert candidates([request], vendors) == 0 < candidates([request], [renewed, vendors[1]])


def test_a_vendor_too_far_away_is_named_with_the_metres_that_bring_it_in() -> None:
    request = town.asked(town.trip())
    vendors = [
        town.vendor("v1", service_area=FAR),
        town.vendor("v2", levels_of_service=(LevelOfService.BLS,)),
    ]
    found, _ = ask([request], vendors)
    step = only_step(found)
    assert (step.what, step.code, step.vendor) == (What.RULE, "service_area", 0)
    for metres, enough in ((step.amount, True), (step.amount - 2, False)):
        wider = msgspec.structs.replace(vendors[0], out_of_area_m=metres)
        assert (candidates([request], [wider, vendors[1]]) > 0) == enough


def test_more_window_is_proposed_where_the_vendor_is_free_a_little_later() -> None:
    request, vendors = town.asked(town.trip(width_min=30)), [town.vendor()]
    held = town.supply(1)
    first = town.HORIZON.first_bucket(request.earliest_ms)
    held.left[0, 0, first - 40 : first + 12] = (
        0  # taken from hours before until an hour after its earliest start
    )
    found, asked = ask([request], vendors, held)
    assert found.reason is Reason.COMPETITION
    by_window = next(each for each in found.relaxations if each.steps[0].code == "time_window")
    (step,) = by_window.steps
    assert (step.amount, step.unit) == (30, "minutes")
    assert asked.candidates.start_ms[by_window.option] == request.latest_ms + 30 * 60_000
    later = replace(request, latest_ms=request.latest_ms + 30 * 60_000)
    assert candidates([request], vendors, held) == 0 < candidates([later], vendors, held)


def test_one_more_unit_is_named_with_vendor_and_clock_time() -> None:
    request, vendors = town.asked(town.trip(width_min=0)), [town.vendor()]
    held = town.supply(1)
    first = town.HORIZON.first_bucket(request.earliest_ms)
    held.left[0, 0, first - 60 : first + 2] = 0
    held.left[0, 0, first + 60 :] = 0
    found, asked = ask([request], vendors, held)
    step = next(each.steps[0] for each in found.relaxations if each.steps[0].what is What.UNITS)
    assert (step.vendor, step.amount, step.buckets) == (0, 1, 2)
    assert asked.bucket_start_ms(step.bucket) == request.earliest_ms
    held.left[0, 0, first : first + 2] = 1
    assert candidates([request], vendors, held) > 0


def test_a_level_of_service_that_nobody_offers_has_no_relaxation() -> None:
    found, _ = ask([town.asked(town.trip(level_of_service=LevelOfService.CCT))], [town.vendor()])
    assert (found.reason, found.relaxations, found.proven) == (Reason.RULES, (), True)
    assert found.last_rule is not None, "checked: without the rule there would be a match; it may not yield"
    assert (found.last_rule.code, found.last_rule.matches) == ("level_of_service", True)


def test_a_window_that_has_gone_by_says_so() -> None:
    found, _ = ask([town.asked(town.trip(start_min=-600))], [town.vendor(), town.vendor("v2")])
    assert [(each.code, each.vendors) for each in found.removed] == [("time_window", 2)]


def test_the_hours_of_another_day_are_lifted_by_name() -> None:
    closed = Hours(weekday=5, opens_minute=8 * 60, closes_minute=17 * 60)
    found, _ = ask([town.asked(town.trip())], [town.vendor(hours=(closed,))])
    step = only_step(found)
    assert (step.code, step.unit) == ("hours", "")


def random_town(seed: int) -> tuple[list[OpenRequest], list[Vendor], PoolSupply]:
    rng = np.random.default_rng(seed)
    choices = {
        "paused": [False, False, True],
        "service_area": [(Circle(centre=town.CENTRE, radius_m=20_000),), FAR],
        "credentials": [town.ALL_CREDENTIALS, LAPSED],
        "hours": [(), (Hours(weekday=0, opens_minute=0, closes_minute=780),)],
        "levels_of_service": [(LevelOfService.WHEELCHAIR,), (LevelOfService.BLS,)],
    }
    vendors = [
        town.vendor(f"v{n}", **{name: some[int(rng.integers(len(some)))] for name, some in choices.items()})
        for n in range(int(rng.integers(1, 6)))
    ]
    held = town.supply(len(vendors), units=1)
    held.left[rng.random(held.left.shape[:2]) < 0.3] = 0
    requests = [
        town.asked(
            town.trip(f"r{n}", start_min=float(rng.integers(-120, 120)), width_min=float(rng.integers(0, 60)))
        )
        for n in range(3)
    ]
    return requests, vendors, held


@given(st.integers(0, 2**32 - 1), st.integers(0, 2))
@settings(max_examples=examples(40), deadline=None)
def test_rules_count_as_screening_counts_them(seed: int, request: int) -> None:
    requests, vendors, held = random_town(seed)
    screening: Screening = town.screening(requests, vendors, held)
    found = explain(question_of(screening, request).question)
    screened = screen(screening)
    counts = dict(zip(screened.codes, screened.removed[request].tolist(), strict=True))
    full = counts.pop("capacity")
    assert {each.code: each.vendors for each in found.removed} == {code: n for code, n in counts.items() if n}
    has_candidates = bool((screened.candidates.request == request).any())
    assert (found.reason is Reason.FITS_NOW) == has_candidates
    assert (found.reason is Reason.COMPETITION) == (full > 0 and not has_candidates)


@pytest.mark.parametrize("wider_min", [0, 60, 240])
def test_the_wider_the_look_the_more_there_is_to_propose(wider_min: int) -> None:
    request, vendors = town.asked(town.trip(width_min=30)), [town.vendor()]
    asked = question_of(town.screening([request], vendors), 0, wider_min=wider_min)
    starts = asked.candidates.start_ms
    assert starts.max() == request.latest_ms + wider_min * 60_000
    assert starts.min() >= max(town.NOW_MS, request.earliest_ms - wider_min * 60_000)


def test_a_market_without_vendors_has_nothing_to_propose() -> None:
    found, _ = ask([town.asked(town.trip())], [])
    assert (found.reason, found.vendors, found.removed, found.relaxations) == (Reason.RULES, 0, (), ())
