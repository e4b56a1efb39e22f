"""A Task tells why, whose, and when: of views made by hand, judged as all others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from contracts.codes import OfferState, RequestState
from contracts.request_views import Attempt, RequestView, Transition
from contracts.unmatched import RuleCount, Unmatched
from dispatcher.interop.fhir.task import task
from dispatcher.interop.fhir.told import resource
from tests.http.conftest import NOW
from tests.interop.fhir.conftest import judged

NONE_LEFT = Unmatched(
    vendors=7,
    removed=(RuleCount(rule="service_area", vendors=4), RuleCount(rule="capacity", vendors=3)),
    last_rule="capacity",
)


def view(state: RequestState, **facts: Any) -> RequestView:
    steps = [Transition(state=RequestState.RECEIVED, at=NOW), Transition(state=state, at=NOW, code="why")]
    return RequestView(
        id="r_1", state=state, owner="service", version=3, received_at=NOW, match_by=NOW,
        **{"kind": "trip", "history": tuple(steps)} | facts,
    )  # fmt: skip


def test_where_no_vendor_is_found_the_rule_that_removed_the_last_is_told_with_all_counts() -> None:
    for state, status in ((RequestState.UNMATCHED, "rejected"), (RequestState.MATCHING, "requested")):
        made = judged(task(view(state, unmatched=NONE_LEFT), {}))
        assert made["status"] == status
        assert made["statusReason"] == {
            "coding": [{"system": "urn:dispatcher:fhir:rule", "code": "capacity"}],
            "text": "7 vendors; removed by each rule: service_area 4, capacity 3",
        }
        assert "owner" not in made


def test_each_vendor_that_was_asked_is_told_and_who_has_the_work_is_the_owner() -> None:
    attempts = (
        Attempt(id="r_1.1", vendor_id="v_1", state=OfferState.REJECTED, at=NOW, code="BAD_WEATHER"),
        Attempt(id="r_1.2", vendor_id="v_2", state=OfferState.ACCEPTED, at=NOW, price_cents=4_512),
        Attempt(id="r_1.3", vendor_id="v_3", state=OfferState.CANCELLED, at=NOW, code="taken"),
    )
    made = judged(task(view(RequestState.ACCEPTED, attempts=attempts), {"v_2": "1234567893"}))
    assert (made["owner"]["identifier"]["value"], made["owner"]["display"]) == ("1234567893", "v_2")
    assert [each["status"] for each in made["contained"]] == ["rejected", "accepted", "cancelled"]
    times = [each.keys() & {"authoredOn", "lastModified"} for each in made["contained"]]
    assert times == [{"lastModified"}, {"authoredOn"}, {"lastModified"}]
    assert made["contained"][0]["owner"]["identifier"]["system"] == "urn:dispatcher:fhir:vendor-id"
    assert made["contained"][1]["extension"][0]["valueMoney"] == {"value": 45.12, "currency": "USD"}
    assert [each["valueReference"]["reference"] for each in made["output"]] == [
        "#attempt-1", "#attempt-2", "#attempt-3",
    ]  # fmt: skip


def test_of_several_that_are_asked_at_once_none_is_the_owner() -> None:
    attempts = tuple(
        Attempt(id=f"r_1.{n}", vendor_id=f"v_{n}", state=OfferState.REQUESTED, at=NOW) for n in (1, 2)
    )
    made = judged(task(view(RequestState.OFFERED, attempts=attempts), {}))
    assert "owner" not in made
    assert made["status"] == "received"


def test_work_is_timed_from_when_it_began_last_to_its_end() -> None:
    steps = [
        (RequestState.RECEIVED, 0), (RequestState.IN_PROGRESS, 1), (RequestState.MATCHING, 2),
        (RequestState.IN_PROGRESS, 3), (RequestState.IN_PROGRESS, 4), (RequestState.NO_SHOW, 5),
    ]  # fmt: skip
    history = tuple(
        Transition(state=state, at=NOW + timedelta(hours=n), code="NO_CLIENT") for state, n in steps
    )
    made = judged(task(view(RequestState.NO_SHOW, history=history), {}))
    assert made["executionPeriod"] == {"start": "2026-03-02T18:00:00Z", "end": "2026-03-02T20:00:00Z"}
    assert (made["status"], made["statusReason"]["coding"][0]["code"]) == ("failed", "NO_CLIENT")


def test_what_was_asked_and_cannot_be_read_is_no_defect() -> None:
    for kind in ("trip", "equipment"):
        made = judged(resource(view(RequestState.RECEIVED, kind=kind)))
        assert made["id"] == "r.1"
