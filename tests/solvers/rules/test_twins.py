"""Every rule's vectorised form agrees with its scalar twin, which reads the messages, on random cases."""

from datetime import timedelta

import numpy as np
from hypothesis import HealthCheck, given, settings

from contracts.codes import LevelOfService, Skill
from contracts.geo import Circle
from contracts.instants import HOUR_MS
from contracts.needs import PassengerNeeds
from contracts.prices import PriceKind
from contracts.vendors import BaseFare, RateCard
from solvers.horizon import Horizon
from solvers.rules import registry
from solvers.rules.base import Candidate, CandidateRule, PairRule
from solvers.rules.price import METRES_PER_MILE, price_cents, price_lines, price_of
from solvers.rules.service_area import ROUNDING_M, SLACK, beyond_one_m
from tests.examples import examples
from tests.solvers import town
from tests.solvers.rules.cases import Case, cases

MANY, FEW = (
    settings(max_examples=examples(each), deadline=None, suppress_health_check=list(HealthCheck))
    for each in (25, 15)
)


# The window of a request and the pools of a vendor limit pairs; their twins judge one start and one pool.
RULES = [r for r in registry.hard_rules() if r.code not in ("time_window", "pools")]


@MANY
@given(case=cases())
def test_every_mask_says_what_its_scalar_check_says(case: Case) -> None:
    for rule in RULES:
        _says_what_its_twin_says(rule, case)


def _says_what_its_twin_says(rule: PairRule | CandidateRule, case: Case) -> None:
    view, candidates = case.view(rule.code), case.candidates
    if isinstance(rule, PairRule):
        shape = (len(case.asked), len(case.vendors))
        allowed = np.broadcast_to(rule.mask(view), shape)[candidates.request, candidates.vendor]
    else:
        allowed = rule.mask(view, candidates)
    coarse = case.screening.values.get("bucket_minutes", 5) > 5
    for row in range(0, len(candidates), max(1, len(candidates) // 12)):
        one = case.candidate(row)
        if rule.code == "capacity" and coarse and not allowed[row]:
            continue  # a coarse bucket may hide a unit that is free; it never invents one
        if rule.code == "service_area" and not allowed[row] and _just_beyond(one):
            continue  # the twin judges what the mask took: it never refuses that for a rounding
        assert bool(allowed[row]) == rule.permits(one), (rule.code, row, one)


def _just_beyond(one: Candidate) -> bool:
    """Whether the further end lies less than the twin's rounding beyond what is within reach."""
    return 0 < beyond_one_m(one) - one.vendor.out_of_area_m - SLACK.of(one.values) <= ROUNDING_M


@FEW
@given(case=cases())
def test_time_window_and_pools_never_remove_what_their_twins_would_take(case: Case) -> None:
    for code in ("time_window", "pools"):
        rule = next(each for each in registry.pair_rules() if each.code == code)
        shape = (len(case.asked), len(case.vendors))
        allowed = np.broadcast_to(rule.mask(case.view(code)), shape)
        for row in range(len(case.candidates)):
            if rule.permits(case.candidate(row)):
                assert allowed[case.candidates.request[row], case.candidates.vendor[row]]


@MANY
@given(case=cases())
def test_every_cost_term_says_what_its_scalar_form_says(case: Case) -> None:
    for term in registry.cost_terms():
        cents = term.cents(case.view(term.code), case.candidates)
        for row in range(0, len(case.candidates), max(1, len(case.candidates) // 12)):
            assert abs(int(cents[row]) - term.cents_of(case.candidate(row))) <= 1, (term.code, row)


@FEW
@given(case=cases())
def test_the_lines_of_a_price_add_up_to_what_both_forms_say(case: Case) -> None:
    prices = price_cents(case.view("price"), case.candidates)
    for row in range(0, len(case.candidates), max(1, len(case.candidates) // 12)):
        one = case.candidate(row)
        lines = price_lines(one)
        assert sum(each.cents for each in lines) == price_of(one)
        assert abs(int(prices[row]) - price_of(one)) <= 1  # beyond an area centimetres may make a cent
        assert all(abs(each.quantity * each.unit_cents - each.cents) < 1 for each in lines)
        kinds = [each.kind for each in lines]
        assert kinds[0] is (PriceKind.BASE if one.asked.request.is_trip else PriceKind.DELIVERY)
        assert all(each.cents for each in lines[1:])


def test_each_entry_of_a_rate_card_has_its_line() -> None:
    card = RateCard(
        fares=(BaseFare(level_of_service=LevelOfService.STRETCHER, base_cents=10_000, extra_mile_cents=400),),
        included_miles=1,
        night_cents=4_501,
        weekend_cents=2_251,
        out_of_area_cents=2_502,
        deadhead_mile_cents=100,
        attendant_cents=1_500,
    )
    near = Circle(centre=town.CENTRE, radius_m=500)
    vendor = town.vendor(
        rate_card=card,
        service_area=(near,),
        out_of_area_m=100_000,
        levels_of_service=(LevelOfService.STRETCHER,),
        skills=(Skill.ATTENDANT,),
    )
    trip = town.trip(level_of_service=LevelOfService.STRETCHER, needs=PassengerNeeds(attendants=2))
    saturday = Horizon.of(town.TZ, town.DAY + timedelta(days=5), 1)
    one = Candidate(
        asked=town.asked(trip),
        vendor=vendor,
        start_ms=saturday.start_ms + 23 * HOUR_MS,
        end_ms=saturday.end_ms,
        free_ms=saturday.end_ms,
        metres=METRES_PER_MILE * 3.25,
        room=town.supply(1).room(0, 0, 0),
        known={},
        now_ms=town.NOW_MS,
        horizon=saturday,
        values={},
    )
    told = {each.kind: each.cents for each in price_lines(one)}
    empty = told.pop(PriceKind.DEADHEAD)
    assert told == {
        PriceKind.BASE: 10_000,
        PriceKind.MILES: 900,
        PriceKind.NIGHT: 4_501,
        PriceKind.WEEKEND: 2_251,
        PriceKind.OUT_OF_AREA: 2_502,
        PriceKind.ATTENDANT: 3_000,
    }
    assert empty == round(beyond_one_m(one) / METRES_PER_MILE * 100) > 0
