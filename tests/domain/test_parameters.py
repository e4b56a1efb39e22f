"""Every tuning parameter of the domain changes what is decided; a new one without its case fails here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from contracts.authorizations import AuthorizationState, Counted
from contracts.codes import (
    LevelOfService,
    OfferState,
    Priority,
    RequestState,
    Requirement,
    TrackingStatus,
)
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant, to_ms
from contracts.requests import Request
from contracts.standing_orders import StandingOrderState
from contracts.vendors import Signed
from dispatcher.domain.acceptance import Count
from dispatcher.domain.acceptance_sums import expected_of, summed, tallied
from dispatcher.domain.acts import act
from dispatcher.domain.authorizations import AuthorizationRecord
from dispatcher.domain.barriers import LEAST, Cell, rows
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.activate import ActivateRequest
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.make_offer import exhausted
from dispatcher.domain.commands.move_offer import movable_offer
from dispatcher.domain.commands.on_hold import HoldRequest
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.context import Context
from dispatcher.domain.counters import Wish, is_taken_by_itself
from dispatcher.domain.damping import CREDITS, DayWork, damped
from dispatcher.domain.decision import Decision
from dispatcher.domain.duplicates import Asked, alike
from dispatcher.domain.fairness import Fared, behind
from dispatcher.domain.follow_proof import unproved
from dispatcher.domain.follow_sequence import stands
from dispatcher.domain.links import Link
from dispatcher.domain.needed import needed
from dispatcher.domain.notifications import NotificationRecord
from dispatcher.domain.occurrences import with_vendor
from dispatcher.domain.offer_modes import LINKS, OFFERS, SURE, mode_of
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.onboarding import registered
from dispatcher.domain.papers import EPOCH, KeptFile
from dispatcher.domain.patient_reads import noted
from dispatcher.domain.patients import filed
from dispatcher.domain.proof_required import ended
from dispatcher.domain.proofs import is_outside, until_ms
from dispatcher.domain.refusals import Invalid
from dispatcher.domain.scorecards import Outcome, WorkOutcome, outcome_of, shares
from dispatcher.domain.standing_orders import StandingOrderRecord, moved_on
from dispatcher.tuning.registry import Registry
from solvers.acceptance import cell_of
from tests.domain import make
from tests.domain.make import (
    NOW,
    Values,
    accepted,
    after,
    context,
    decide,
    due,
    offered,
    offering,
    opened,
    reporting,
)

PRESSING = (Priority.URGENT, Priority.ASAP, Priority.STAT)
PARAMETERS = Registry.found(["dispatcher.domain"]).parameters


def _expiry(ahead_ms: int, limit_s: int) -> Callable[[Values], object]:
    record = make.received(make.trip(ahead_ms=ahead_ms))
    to = make.vendor(limit_s=limit_s)
    return lambda values: offering(record, to, values=values).after.timer_ms


def _likely_expiry(values: Values) -> object:
    record = make.received(make.trip(ahead_ms=24 * HOUR_MS))
    return offering(
        record, replace(make.proposal(record, make.vendor()), accepts=0.5), values=values
    ).after.timer_ms


def _expected(values: Values) -> object:
    """Of a vendor that has not accepted lately."""
    told = [Count("v1", cell_of("wheelchair", 0, 9, 0), yes, 20) for yes in (True, False)]
    counted = {"2026-W02": tallied(told[:1]), "2026-W08": tallied(told[1:])}
    return expected_of(summed(counted, NOW, values), values)


def _doubted(values: Values) -> object:
    """Of a vendor that declines, beside others that accept."""
    told = [Count(name, cell_of("wheelchair", 0, 9, 0), name != "v1", 20) for name in ("v1", "v2", "v3")]
    return expected_of(summed({"2026-W10": tallied(told)}, NOW, values), values)


def _pressed_expiry(priority: Priority) -> Callable[[Values], object]:
    record = make.received(make.trip(ahead_ms=24 * HOUR_MS, priority=priority))
    return lambda values: offering(record, make.vendor(), values=values).after.timer_ms


def _pressed_task(priority: Priority) -> Callable[[Values], object]:
    record = make.received(make.trip(priority=priority))
    return lambda values: [each.due_ms for each in opened(due(record, values=values))]


def _watch(values: Values) -> object:
    return accepted(values=values).timer_ms


def _reminders(values: Values) -> int:
    """How often ops is told before the dispatch fails."""
    record = accepted(values=values)
    told = 0
    while (record := after(due(record, values=values))).state is RequestState.ACCEPTED:
        told += 1
    assert record.status is TrackingStatus.FAILED
    return told


def _kept(values: Values) -> object:
    return after(decide(make.received(), CancelRequest(request_id="r1"), values=values)).timer_ms


def _outcome(values: Values) -> object:
    """Twenty minutes late at the pick-up."""
    record = accepted(values=values)
    late_ms = record.offers[0].start_ms + 20 * MINUTE_MS
    for status in (TrackingStatus.AT_PICKUP, TrackingStatus.COMPLETED):
        decision = reporting(record, status, now_ms=late_ms, values=values)
        record = after(decision)
    assert decision is not None
    return decision.outcomes


def _task_due(values: Values) -> int:
    (task,) = opened(due(make.received(), values=values))
    return task.due_ms


def _escalated(values: Values) -> int:
    """When the task is told again after it went to the next owner."""
    (task,) = opened(due(make.received(), values=values))
    timer_ms: int = after(due(task, values=values)).timer_ms
    return timer_ms


def _held_due(values: Values) -> int:
    """When the task about the authorization of a ride in two days is due."""
    hold = HoldRequest(request_id="r1", requirement=Requirement.AUTHORIZATION)
    (task,) = opened(decide(make.received(make.trip(ahead_ms=48 * HOUR_MS)), hold, values=values))
    return task.due_ms


def _lapses(values: Values) -> bool:
    """Whether a request still waits for its task after four days."""
    record = after(ended := due(make.received(), values=values))
    waits = due(record, NOW + 4 * 24 * HOUR_MS, values=values, tasks=opened(ended))
    assert waits is not None
    return waits.after is not None


def _read_kept(values: Values) -> int:
    """Until when it is kept that somebody read a patient block."""
    kept_ms: int = after(noted("x", "r1", None, make.context(values=values))).timer_ms
    return kept_ms


def _may_move(ago_s: int) -> Callable[[Values], object]:
    """Whether an offer that was made so long ago may still be moved."""
    record = offered()
    return lambda values: movable_offer(record, NOW + ago_s * 1000, values)


def _earliest_end(values: Values) -> bool:
    """Whether a ride may be done an hour and a half before its window."""
    record = accepted(values=values)
    try:
        reporting(record, TrackingStatus.COMPLETED, now_ms=record.earliest_ms - 90 * MINUTE_MS, values=values)
    except Invalid:
        return False
    return True


def _asked_about(values: Values) -> int:
    """When a person is asked about a will-call."""
    return make.after(receive(make.will_call(), make.context(values=values))).timer_ms


def _called(values: Values) -> int:
    """Until when a will-call that is called at once may be picked up."""
    record = make.received(make.will_call())
    latest_ms: int = after(decide(record, ActivateRequest(request_id="r1"), values=values)).latest_ms
    return latest_ms


def _way_back(values: Values) -> RequestState:
    """What becomes of a return when its leg there is cancelled."""
    there = replace(make.received(), before=("r2",))
    back = make.received(make.trip("r2", return_of="r1"))
    decision = decide(there, CancelRequest(request_id="r1"), values=values, tasks=[back])
    assert decision is not None
    (state,) = [each.after.state for each in decision.changes if each.record.id == "r2"]
    return RequestState(state)


def _reminded(values: Values) -> object:
    """When the patient of a dispatch is reminded of it."""
    decision = decide(offered(), AcceptOffer(offer_id="r1.1"), vendor="v1", values=values)
    return [each.due_ms for each in notes(decision)]


def _told_on_the_way(values: Values) -> int:
    return len(notes(reporting(accepted(), TrackingStatus.EN_ROUTE, values=values)))


def _told_of_call(values: Values) -> int:
    record = make.received(make.will_call())
    return len(notes(decide(record, ActivateRequest(request_id="r1"), values=values)))


def _told_of_set_up(values: Values) -> int:
    record = replace(accepted(values=values), kind="equipment")
    late_ms = record.offers[0].start_ms + HOUR_MS
    done = reporting(record, TrackingStatus.COMPLETED, now_ms=late_ms, values=values)
    return len(notes(done))


def notes(decision: Decision) -> list[NotificationRecord]:
    """The notifications that a decision plans."""
    return [each.after for each in decision.changes if isinstance(each.after, NotificationRecord)]


def _sequence_watch(values: Values) -> int:
    """When it is looked at whether what goes before a dispatch stands."""
    link = Link(request_id="r0")
    record = replace(accepted(values=values), after=(link,))
    return stands(record, {}, context(values=values)).watch_ms


def _retimed(values: Values) -> bool:
    """Whether the vendor of a dispatch that stands too soon after another is asked for another start."""
    before = accepted(values=values)
    link = Link(request_id=before.id)
    record = replace(accepted(values=values), id="r2", after=(link,))
    return stands(record, {before.id: before}, context(values=values)).retime_ms > 0


def _rides(values: Values) -> bool:
    """Whether two rides with twenty minutes between them may be one."""
    first, second = make.trip("r1"), make.trip("r2", ahead_ms=4 * HOUR_MS + 50 * MINUTE_MS)
    return _alike(first, second, values)


def _rentals(values: Values) -> bool:
    """Whether what is rented again after a week may be the same."""
    return _alike(make.equipment("e1"), make.equipment("e2", ahead_ms=7 * 24 * HOUR_MS), values)


def _alike(one: Request, other: Request, values: Values) -> bool:
    first, second = (Asked(make.received(each), filed(each)) for each in (one, other))
    return alike(first, second, values)


def _standing(values: Values) -> int:
    """When the first requests of an order that begins in a month are made."""
    tz = ZoneInfo("UTC")
    order = StandingOrderRecord(
        id="o1", version=0, state=StandingOrderState.ACTIVE, rule="FREQ=DAILY", start="2026-06-01",
        request=b"", return_ride=b"", created_ms=NOW, timer_ms=0, since="2026-06-01",
    )  # fmt: skip
    context = Context(now_ms=to_ms(datetime(2026, 5, 1, tzinfo=tz)), values=values)
    return moved_on(order, tz, context).timer_ms


def _counted(values: Values) -> int:
    """How long the barrier of a request that found nobody is counted."""
    (count,) = due(make.received(), values=values).counts  # type: ignore[union-attr]
    return count.kept_ms


def _needs(level: LevelOfService) -> Callable[[Values], object]:
    asked = make.trip(level_of_service=level)
    return lambda values: needed(asked, values, {})


def _running_out(left: int, ahead_ms: int, used: int = 20) -> Callable[[Values], object]:
    """An authorization that is looked at, with so much left and so long to go."""
    issued = AuthorizationRecord(
        id="a1.authorization",
        version=1,
        state=AuthorizationState.ACTIVE,
        number="A-1",
        payer="Medicaid",
        services=("wheelchair",),
        counted=Counted.VISITS,
        granted=left + used,
        used=used,
        first_day="2026-03-01",
        last_day="2026-03-31",
        from_ms=NOW,
        until_ms=NOW + ahead_ms,
        timer_ms=NOW,
    )
    return lambda values: due(issued, NOW, values=values)


def _act_kept(values: Values) -> int:
    """How long it is kept who did something by hand."""
    entry = act("a1", "pause_vendor", "vendor", "v1", by="ops", subject="", now_ms=NOW, values=values)
    return int(entry.after.timer_ms)


def _where_it_begins(values: Values) -> object:
    """Where a vendor stands that registers itself."""
    by = Signed(by="vendor:v1", at=to_instant(NOW))
    return registered(by, values, is_itself=True)


def _ended(**changes: Any) -> OfferRecord:
    """An offer whose work was done, of which nothing is proved."""
    (offer,) = offered().offers
    return replace(offer, state=OfferState.COMPLETED, status=TrackingStatus.COMPLETED, **changes)


def _proof_kept(values: Values) -> int:
    """Until when what is said now is kept."""
    return until_ms(Context(now_ms=NOW, values=values))


def _document_kept(values: Values) -> int:
    """Until when the document of a credential that is over is kept."""
    facts = {"name": "", "media": "", "size": 0, "sha256": "", "sealed": "", "key": "", "by": ""}
    return KeptFile(kind="auto_insurance", last_day=EPOCH, at_ms=0, **facts).until_ms(values)


def _proof_due(values: Values) -> int:
    """When the task about missing proof is due."""
    context = Context(now_ms=NOW, values=values)
    after = replace(offered(), state=RequestState.COMPLETED, offers=(_ended(lacking="dropoff"),))
    (task,) = unproved(offered(), after, context)
    return task.due_ms


def _scored(values: Values) -> WorkOutcome:
    """Of a ride of 5 km in the morning."""
    record = offered()
    offer = replace(record.offers[0], distance_m=5_000)
    return outcome_of(record, offer, Context(now_ms=NOW, values=values), Outcome.ACCEPTED)


def _billed(values: Values) -> int:
    """How long what a ride came to is kept."""
    over = reporting(accepted(), TrackingStatus.COMPLETED, values=values)
    assert over is not None
    return over.billed[0].kept_ms


def _known_share(values: Values) -> object:
    """What a vendor of 21 works is known for."""
    return shares({"v1": {"on_time": 21}}, values)


def _damped_share(values: Values) -> object:
    """What a vendor is taken for in matching after a bad day a week ago, beside another."""
    day, before = date(2026, 3, 2), date(2026, 2, 23)
    bad = DayWork(badly=60, excused=30, hard=dict.fromkeys(CREDITS, 5))
    worst = DayWork(badly=900)
    works = {before: {"v1": bad}, day: {"v2": DayWork(well=900, badly=100, excused=50), "v3": worst}}
    return damped(works, day, values)


def _behind(values: Values) -> object:
    """How far two groups lie behind the others: one waits, and one has no vendors."""
    others = Fared(asked=1_000, unmatched=10, waited_s=60_000)
    waits, left = Fared(100, 0, 100 * 60 * 20), Fared(100, 8, 0)
    return behind({"others": others, "waits": waits, "left": left}, values)


def _taken_by_itself(values: Values) -> bool:
    """A counter-offer of two dollars more."""
    record = offered()
    (offer,) = record.offers
    wish = Wish(offer.start_ms, offer.price_cents + 200)
    return is_taken_by_itself(record, offer, wish, values)


def _chosen(lead_ms: int = 4 * HOUR_MS, **fixed: Any) -> Callable[[Any], object]:
    """In which mode a wheelchair ride so far ahead is offered; `fixed`: what else is set."""
    request = make.trip(ahead_ms=lead_ms)
    record = make.received(request)

    def decided(changed: Any) -> object:
        lists = {name: each for name, each in {**fixed, **changed}.items() if isinstance(each, tuple)}
        values = {name: each for name, each in {**fixed, **changed}.items() if not isinstance(each, tuple)}
        return mode_of(record, request, NOW, values, lists)

    return decided


def _mode(name: str) -> dict[str, tuple[Any, Callable[[Any], object]]]:
    """Each parameter that chooses one mode."""
    services: dict[str, Any] = {f"{name}_services": ("wheelchair",)}
    return {
        f"{name}_services": (("wheelchair",), _chosen()),
        f"{name}_priorities": (("stat",), _chosen(**services)),
        f"{name}_least_lead_minutes": (300, _chosen(**services)),
        f"{name}_most_lead_minutes": (60, _chosen(**services)),
    }


def _collects(values: Values) -> int:
    """Until when a broadcast notes who would take it."""
    record = make.received()
    collect_ms: int = make.broadcasting(record, make.vendor(), values=values).after.collect_ms
    return collect_ms


PART = "2026-W10", Cell("weather", "", "", "wheelchair")
CASES: dict[str, tuple[Any, Callable[[Any], object]]] = {
    **_mode("broadcast"),
    **_mode("cascade"),
    **_mode("explicit"),
    "broadcast_collect_s": (60, _collects),
    "acceptance_answer_share": (0.5, _likely_expiry),
    "acceptance_doubt_answers": (50, _doubted),
    "acceptance_half_life_days": (7, _expected),
    "acceptance_lasts_days": (365, _expected),
    "acceptance_prior_answers": (50, _expected),
    "acceptance_unknown": (0.5, _expected),
    "broadcast_sure_share": (0.9, SURE.of),
    "broadcast_offers": (2, OFFERS.whole),  # read where the match is made: tests/matching/test_modes.py
    "cascade_links": (2, LINKS.whole),
    **{f"authorization_{each}": (1, _needs(each)) for each in LevelOfService},
    "authorization_hcpcs": (("E13",), lambda lists: needed(make.equipment(), {}, lists)),
    "authorization_low_visits": (5, _running_out(5, 60 * 24 * HOUR_MS)),
    "authorization_low_share": (100, _running_out(2, 60 * 24 * HOUR_MS, used=1)),
    "authorization_low_days": (70, _running_out(50, 60 * 24 * HOUR_MS)),
    "audit_retention_days": (30, _act_kept),
    "onboarding_required": (1, _where_it_begins),
    "counter_take_cents": (500, _taken_by_itself),
    "duplicate_minutes": (10, _rides),
    "rental_days": (5, _rentals),
    "standing_lead_days": (3, _standing),
    "standing_same_vendor": (0, lambda values: with_vendor(make.trip(), "v1", values)),
    "move_freeze_minutes": (10 * 60, _may_move(120)),
    "move_limit": (0, _may_move(120)),
    "move_settle_s": (0, _may_move(30)),
    "early_report_minutes": (60, _earliest_end),
    "max_attempts": (1, lambda values: exhausted(offered(), values)),
    "offer_minimum_s": (60, _expiry(-25 * MINUTE_MS, 3_600)),
    "offer_reserve_minutes": (5, _expiry(20 * MINUTE_MS, 3_600)),
    "offer_share": (0.2, _expiry(24 * HOUR_MS, 600)),
    **{f"offer_{each.value}_share": (0.9, _pressed_expiry(each)) for each in PRESSING},
    **{f"task_{each.value}_share": (0.9, _pressed_task(each)) for each in PRESSING},
    "on_time_minutes": (30, _outcome),
    "notify_appointment_hours": (2, _reminded),
    "notify_equipment_set_up": (0, _told_of_set_up),
    "notify_will_call_activated": (0, _told_of_call),
    "notify_vendor_arriving": (0, _told_on_the_way),
    "overdue_limit": (0, _reminders),
    "overdue_minutes": (5, _watch),
    "patterns_least": (8, lambda values: rows({"weather": {PART: 9}}, LEAST.whole(values), int.from_bytes)),
    "patterns_retention_days": (30, _counted),
    "patient_read_retention_days": (30, _read_kept),
    "geofence_m": (100, lambda values: is_outside(200, values)),
    "document_days": (30, _document_kept),
    "proof_days": (30, _proof_kept),
    "proof_delivery_required": (1, lambda values: ended(_ended(), "equipment", values)),
    "proof_ride_required": (1, lambda values: ended(_ended(), "trip", values)),
    "retention_hours": (24, _kept),
    "return_after_no_show": (1, _way_back),
    "will_call_evening_hour": (12, _asked_about),
    "will_call_minutes": (30, _called),
    "statement_months": (12, _billed),
    "scorecard_days": (70, lambda values: _scored(values).kept_ms),
    "scorecard_far_m": (1_000, lambda values: _scored(values).entry.hard),
    "scorecard_least_works": (50, _known_share),
    "scorecard_half_life_days": (30, _damped_share),
    "scorecard_prior_works": (0, _damped_share),
    "scorecard_most_cents": (50, _damped_share),
    "scorecard_excused_times": (50.0, _damped_share),
    "scorecard_stretcher_credit": (2.0, _damped_share),
    "scorecard_bariatric_credit": (2.0, _damped_share),
    "scorecard_far_credit": (2.0, _damped_share),
    "scorecard_night_credit": (2.0, _damped_share),
    "fairness_wait_minutes": (60, _behind),
    "fairness_unmatched_share": (0.5, _behind),
    "fairness_most": (0.1, _behind),
    "sequence_lead_minutes": (30, _sequence_watch),
    "sequence_retimes": (0, _retimed),
    "task_due_minutes": (5, _task_due),
    "task_escalation_minutes": (5, _escalated),
    "task_hold_lead_hours": (2, _held_due),
    "task_proof_hours": (2, _proof_due),
    "task_retention_hours": (24, _lapses),
}


def test_every_parameter_of_the_domain_has_its_case() -> None:
    assert sorted(CASES) == sorted(PARAMETERS)


@pytest.mark.parametrize("name", sorted(CASES))
def test_changing_a_parameter_changes_what_is_decided(name: str) -> None:
    changed, decided = CASES[name]
    default = PARAMETERS[name].default
    assert decided({}) == decided({name: default})
    assert decided({}) != decided({name: changed})


def test_a_report_is_expected_again_after_the_last_one() -> None:
    record = accepted()
    under_way = after(reporting(record, TrackingStatus.EN_ROUTE, now_ms=record.timer_ms))
    assert under_way.timer_ms == max(record.timer_ms, record.offers[0].end_ms) + 20 * MINUTE_MS
