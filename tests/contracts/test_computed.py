"""What the service works out itself is readable again, however large: only what a sender gave has bounds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec.inspect import StructType, type_info

from contracts.codes import OfferState, RequestState
from contracts.dispatches import StatusUpdate
from contracts.event_types import event_types
from contracts.events import CloudEvent, OfferReply, RequestChanged
from contracts.geo import Window, WindowView
from contracts.matches import Match, RunnerUp
from contracts.offers import LineView, NeedsView, Offer
from contracts.quotes import Quote
from contracts.request_views import RequestView, Transition
from contracts.streams import To
from contracts.tuning import Tuning, TuningView
from contracts.unmatched import RuleCount, Unmatched
from dispatcher.domain.kinds import kinds
from tests.http.conftest import OPERATIONS

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
COPIED = {  # as a sender gave it, within the same bounds; zones are kept on the globe
    ("Quote", "vendor_name"),
    ("Offer", "pickup_zone"),
    ("Offer", "dropoff_zone"),
    ("Dispatch", "pickup"),
    ("DayDispatch", "pickup"),
    ("DayDispatch", "dropoff"),
    ("Dispatch", "dropoff"),
    ("DayRequests", "pickup"),
    ("DayRequests", "dropoff"),
    ("DayCapacity", "name"),
    ("Coverage", "centre"),
    ("ScoreGroup", "zone"),
    ("ScoreRequest", "zone"),
    *((form.__name__, name) for form in (NeedsView, LineView) for name in form.__struct_fields__),
}
WHERE = [
    *(answer.body for each in OPERATIONS for answer in each.answers.values() if answer.body is not None),
    *(each.form for each in event_types().values() if each.to is not To.REPLIES),
    *(kind.form for kind in kinds()),
    Tuning,
]
SENT = [OfferReply, *(form for each in OPERATIONS if each.body for form in each.body.forms)]


def structs(kind: Any, seen: dict[type, StructType]) -> dict[type, StructType]:
    """Every message type that one is made of."""
    if not isinstance(kind, StructType):
        for inner in inside(kind):
            structs(inner, seen)
    elif kind.cls not in seen:
        seen[kind.cls] = kind
        for field in kind.fields:
            structs(field.type, seen)
    return seen


def inside(kind: Any) -> tuple[Any, ...]:
    """The types of a union's, a collection's, a mapping's parts."""
    single = [getattr(kind, name, None) for name in ("item_type", "key_type", "value_type", "type")]
    several = (*getattr(kind, "types", ()), *getattr(kind, "item_types", ()))
    return (*(each for each in single if each is not None), *several)


def bounded(kind: Any) -> bool:
    """Whether a value may be too large for the type, or for what it holds."""
    limits = [getattr(kind, name, None) for name in ("le", "lt", "max_length")]
    return any(each is not None for each in limits) or any(
        bounded(inner) for inner in inside(kind) if not isinstance(inner, StructType)
    )


def types_of(forms: Iterable[Any]) -> dict[type, StructType]:
    seen: dict[type, StructType] = {}
    for form in forms:
        structs(type_info(form), seen)
    return seen


def test_no_field_that_the_service_fills_has_an_upper_bound() -> None:
    sent = types_of(SENT)
    filled = {each: kind for each, kind in types_of(WHERE).items() if each not in sent}
    assert {RequestView, Offer, Match, Unmatched, Tuning, RequestChanged} <= filled.keys()
    found = {
        (each.__name__, field.name)
        for each, kind in filled.items()
        for field in kind.fields
        if bounded(field.type)
    }
    assert found - COPIED == set()


LARGE = 2**40
REASONS = Unmatched(vendors=10_001, removed=(RuleCount(rule="hours", vendors=10_001),))
MATCH = Match(
    request_id="r",
    vendor_id="v",
    pool_id="p",
    start_at=AT,
    end_at=AT,
    price_cents=LARGE,
    runners_up=(RunnerUp(vendor_id="v", start_at=AT, cost_cents=LARGE),) * 6,
    tuning_version=10_001,
    decided_at=AT,
)
COMPUTED = [
    Tuning(version=10_001),
    TuningView(version=10_001, by="b" * 129, reason="", at=AT, parameters=()),
    REASONS,
    MATCH,
    RequestChanged(request_id="r", state=RequestState.MATCHING, version=10_001),
    RequestView(
        id="r",
        kind="trip",
        state=RequestState.MATCHING,
        owner="ops",
        version=10_001,
        received_at=AT,
        match_by=AT,
        match=MATCH,
        unmatched=REASONS,
        history=(Transition(state=RequestState.RECEIVED, at=AT, by="vendor:" + "v" * 80),),
    ),
    Offer(
        id="r.1",
        request_id="r",
        vendor_id="v",
        state=OfferState.REQUESTED,
        kind="equipment",
        window=WindowView(
            earliest=datetime(1999, 12, 31, tzinfo=UTC), latest=datetime(2101, 1, 1, tzinfo=UTC)
        ),
        start_at=AT,
        duration_minutes=960_000,  # 20 lines of 100 pieces, 480 minutes each
        price_cents=LARGE,
        pickup_zone=(-74.0, 40.7),
        distance_m=6_000_000,
        expires_at=AT,
    ),
    Quote(vendor_id="v", vendor_name="V", start_at=AT, price_cents=LARGE, cost_cents=LARGE),
]


@pytest.mark.parametrize("value", COMPUTED, ids=lambda each: type(each).__name__)
def test_what_was_worked_out_is_read_again(value: Any) -> None:
    for form in (msgspec.json, msgspec.msgpack):
        assert form.decode(form.encode(value), type=type(value)) == value


def test_the_longest_event_of_ours_is_an_event() -> None:
    task = f"{'r' * 64}.9999.{'o' * 32}"
    event = CloudEvent(
        id=f"{task}.{2**32 - 1}.999", source=f"/markets/{'m' * 64}", type=max(event_types(), key=len), time=AT
    )
    assert msgspec.convert(msgspec.to_builtins(event), CloudEvent) == event


SLIPS = [  # written in a year that is taken; in UTC it is another
    "2100-12-31T23:00:00-10:00",
    "2000-01-01T00:00:00+00:01",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
]
TAKEN = [  # and the other way round
    "2000-01-01T00:00:00Z",
    "1999-12-31T23:00:00-10:00",
    "2101-01-01T09:59:59.999999+10:00",
    "2100-12-31T23:59:59Z",
]


def stating(at: str) -> list[tuple[dict[str, Any], type[Any]]]:
    """Every message with an instant that somebody sends."""
    day = "2026-03-02T12:00:00Z"
    trip = {
        "kind": "trip",
        "id": "r",
        "pickup": {"position": [0, 0]},
        "dropoff": {"position": [0, 0]},
        "level_of_service": "wheelchair",
    }
    window = {"earliest": day, "latest": day}
    box = {"kind": "equipment", "id": "r", "place": {"position": [0, 0]}, "lines": [{"hcpcs": "E1390"}]}
    request = next(form for form in SENT if "TripRequest" in str(form))
    return [
        ({"earliest": at, "latest": at}, Window),
        (trip | {"appointment_at": at}, request),
        (trip | {"pickup_window": {"earliest": at, "latest": at}}, request),
        (trip | {"pickup_window": window, "match_by": at}, request),
        (box | {"window": window, "match_by": at}, request),
        ({"status": "completed", "at": at}, StatusUpdate),
        ({"offer_id": "r.1", "status": "completed", "at": at}, OfferReply),
    ]


@pytest.mark.parametrize("at", SLIPS)
def test_an_instant_that_could_not_be_read_again_is_not_taken(at: str) -> None:
    for values, form in stating(at):
        with pytest.raises(msgspec.ValidationError, match="2000 to 2100"):
            msgspec.convert(values, form)


@pytest.mark.parametrize("at", TAKEN)
def test_an_instant_that_was_taken_is_read_again(at: str) -> None:
    for values, form in stating(at):
        message = msgspec.convert(values, form)
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=form) == message
