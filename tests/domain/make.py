"""Requests, vendors, records and commands for tests of the domain; in ms, day 0 is 2026-03-02 in UTC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from contracts.amendments import Amend
from contracts.codes import CredentialKind, LevelOfService, Role, TrackingStatus
from contracts.geo import Circle, Place, Window
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant, to_ms
from contracts.offer_modes import OfferMode
from contracts.patients import Patient
from contracts.requests import EquipmentOrder, OrderLine, TripRequest
from contracts.streams import To
from contracts.tuning import Number
from contracts.vendors import AssumedAnswer, Credential, ExplicitAnswer, Vendor
from contracts.will_call import WillCall
from dispatcher.domain.amendments import Facts, Placed, Ready, amended, changed_fields
from dispatcher.domain.booking import PoolBooking
from dispatcher.domain.commands import make_offer, table
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.amend import AmendRequest
from dispatcher.domain.commands.fire_timer import FireTimer
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.plausible import ENDS_AT_THE_DOOR
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.commands.table import Command
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.kinds import beside, kind_of
from dispatcher.domain.messages import made
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.requests import RequestRecord, noted
from dispatcher.domain.tasks import TaskRecord
from dispatcher.security.principal import Principal

NOW = to_ms(datetime(2026, 3, 2, 8, 0, tzinfo=UTC))
DOOR = (-73.98571, 40.74844)
FAR_DOOR = (-73.96851, 40.78523)
PATIENT = Patient(name="Canary Nightingale", phone="555-0142", pickup_address="7 Canary Row", notes="canary")
Values = Mapping[str, Number]
VALUES: Values = {}
UTC_ZONE = ZoneInfo("UTC")


def patient(name: str = "r1") -> Patient:
    """Whose request that is: one each, or they would be asked for twice."""
    return replace(PATIENT, record_number=f"MRN {name}")


def trip(name: str = "r1", *, ahead_ms: int = 4 * HOUR_MS, **changes: Any) -> TripRequest:
    """A ride whose window opens `ahead_ms` from NOW and lasts half an hour."""
    earliest = NOW + ahead_ms
    facts: dict[str, Any] = {
        "pickup": Place(position=DOOR),
        "dropoff": Place(position=FAR_DOOR),
        "level_of_service": LevelOfService.WHEELCHAIR,
        "pickup_window": Window(earliest=to_instant(earliest), latest=to_instant(earliest + 30 * MINUTE_MS)),
        "patient": patient(changes.get("return_of") or name),
    }
    return TripRequest(id=name, **(facts | changes))


def will_call(name: str = "r1", *, until_ms: int | None = None, **changes: Any) -> TripRequest:
    """A ride of today that somebody will call for; until the end of the day, or so long from NOW."""
    until = None if until_ms is None else to_instant(NOW + until_ms)
    call = WillCall(day=to_instant(NOW).date(), until=until)
    whose = patient(changes.get("return_of") or name)  # both legs are one patient's
    return trip(name, **({"pickup_window": None, "will_call": call, "patient": whose} | changes))


def equipment(name: str = "e1", *, ahead_ms: int = 4 * HOUR_MS) -> EquipmentOrder:
    """An oxygen concentrator, delivered within two hours."""
    earliest = NOW + ahead_ms
    return EquipmentOrder(
        id=name,
        place=Place(position=DOOR),
        window=Window(earliest=to_instant(earliest), latest=to_instant(earliest + 2 * HOUR_MS)),
        lines=(OrderLine(hcpcs="E1390"),),
    )


PAPERS = tuple(Credential(kind=kind, expires_on=date(2027, 1, 1)) for kind in CredentialKind)


def vendor(name: str = "v1", *, assumed: bool = False, limit_s: int = 600) -> Vendor:
    """A vendor near the door that answers within `limit_s`."""
    answer = AssumedAnswer(reject_within_s=limit_s) if assumed else ExplicitAnswer(time_limit_s=limit_s)
    return Vendor(
        id=name,
        name=f"Vendor {name}",
        service_area=(Circle(centre=DOOR, radius_m=20_000),),
        levels_of_service=(LevelOfService.WHEELCHAIR,),
        credentials=PAPERS,
        answer=answer,
    )


def proposal(record: RequestRecord, to: Vendor) -> Proposal:
    """One unit of the vendor's pool for half an hour from the window's start."""
    start_ms = record.earliest_ms
    booking = PoolBooking(to.id, "vans", "2026-03-02", 144, 6, 1)
    return Proposal(
        vendor=to,
        pool_id="vans",
        start_ms=start_ms,
        end_ms=start_ms + 30 * MINUTE_MS,
        units=1,
        bookings=(booking,),
        price_cents=4_500,
        distance_m=4_300,
        tuning_version=3,
        snapshot="abc",
    )


def context(
    *,
    now_ms: int = NOW,
    by: str = "platform",
    subject: str = "",
    vendor: str = "",
    roles: Iterable[Role] = (),
    values: Values = VALUES,
    tasks: Iterable[Record] = (),
    tz: ZoneInfo = UTC_ZONE,
    facility: str = "",
    body: TripRequest | None = None,
) -> Context:
    """What a decision is made in; a vendor is named as the service does. `roles`: by default that of `by`."""
    name = Principal.of(Role.VENDOR, vendor_id=vendor).name if vendor else by
    named = {Role.VENDOR} if vendor else {each for each in Role if each == by}
    return Context(
        now_ms=now_ms,
        values=values,
        by=name,
        subject=subject,
        roles=frozenset(roles or named),
        vendor_id=vendor,
        facility_id=facility,
        tz=tz,
        related={beside(each): each for each in tasks},
        body=body,
    )


def decide(record: Record, command: Command, **facts: Any) -> Decision | None:
    """What a command makes of a record, with all that follows from it; `facts` of its `context`."""
    return table.decide(record, command, context(**facts))


def due(record: Any, now_ms: int | None = None, **facts: Any) -> Decision | None:
    """What the record's timer does, at the time that it is set to if no other is given."""
    command = FireTimer(kind=kind_of(record).name, id=record.id)
    return decide(record, command, now_ms=record.timer_ms if now_ms is None else now_ms, by="timer", **facts)


def received(request: TripRequest | EquipmentOrder | None = None, now_ms: int = NOW) -> RequestRecord:
    """A request that has come in."""
    now = context(now_ms=now_ms)
    record: RequestRecord = after(table.with_follow_ups(receive(request or trip(), now), now))
    return record


def offering(
    record: RequestRecord,
    to: Vendor | Proposal | None = None,
    *,
    request: TripRequest | None = None,
    **facts: Any,
) -> Decision:
    """The matcher's offer of a request that has come in; `facts` of its `context`."""
    plan = to if isinstance(to, Proposal) else proposal(record, to or vendor())
    command = MakeOffer(request_id=record.id, request=request or trip(record.id), proposal=plan)
    decision = decide(record, command, by="matcher", **facts)
    assert decision is not None
    return decision


def broadcasting(record: RequestRecord, *to: Vendor, **facts: Any) -> Decision:
    """The matcher's broadcast to these vendors, the first one cheapest."""
    return _in_mode(OfferMode.BROADCAST, record, to, facts)


def cascading(record: RequestRecord, *to: Vendor, **facts: Any) -> Decision:
    """The matcher's offer to the first of a chain."""
    return _in_mode(OfferMode.CASCADE, record, to, facts)


def _in_mode(
    mode: OfferMode, record: RequestRecord, to: tuple[Vendor, ...], facts: dict[str, Any]
) -> Decision:
    first, *others = (proposal(record, each) for each in to)
    asked = facts.pop("request", None) or trip(record.id)
    command = MakeOffer(request_id=record.id, request=asked, proposal=first, mode=mode, others=tuple(others))
    decision = decide(record, command, by="matcher", **facts)
    assert decision is not None
    return decision


def offered(
    to: Vendor | None = None, *, record: RequestRecord | None = None, now_ms: int = NOW, **changes: Any
) -> RequestRecord:
    """A request offered to a vendor."""
    request = trip(**changes)
    base = record or received(request, now_ms)
    asked: RequestRecord = offering(base, to, request=request, now_ms=now_ms).after
    return asked


def also_asking(record: RequestRecord, to: Vendor, **facts: Any) -> Decision:
    """An offered request put to another vendor at the same time; `facts` of its `context`."""
    now = context(**{"by": "matcher"} | facts)
    plan = proposal(record, to)
    new = make_offer.offered(record, plan, now)
    then = noted(record, now, offers=(*record.offers, new))
    news = made(then, new, trip(record.id))
    return Decision(changes=(Change(record, then),), book=new.bookings, messages=(news,), at_ms=now.now_ms)


def accepting(
    record: RequestRecord, offer: str = "r1.1", vendor: str = "v1", **facts: Any
) -> Decision | None:
    """A vendor's acceptance; `facts` of its `context`, and its `reference`."""
    command = AcceptOffer(offer_id=offer, reference=facts.pop("reference", ""))
    return decide(record, command, vendor=vendor, **facts)


def accepted(to: Vendor | None = None, **facts: Any) -> RequestRecord:
    """A request that its vendor has accepted."""
    taken: RequestRecord = after(accepting(offered(to), **facts))
    return taken


def reporting(
    record: RequestRecord,
    status: TrackingStatus,
    offer: str = "r1.1",
    vendor: str = "v1",
    *,
    at: datetime | None = None,
    code: Any = None,
    **facts: Any,
) -> Decision | None:
    """A vendor's report; `facts` of its `context`. Work ends in its time, unless `now_ms` says otherwise."""
    if status in ENDS_AT_THE_DOOR:
        facts.setdefault("now_ms", max(NOW, *(each.start_ms for each in record.offers)))
    command = ReportStatus(offer_id=offer, status=status, at=at, code=code)
    return decide(record, command, vendor=vendor, **facts)


def ready(
    record: RequestRecord,
    stored: bytes,
    patch: Amend,
    *,
    now_ms: int = NOW,
    fits: bool = True,
    moves: bool = True,
) -> Ready:
    """An amendment worked out as the service does it, but for the vendor's part: `fits`, and it `moves`.

    Bodies are plain here: `stored` is the request as it stands.
    """
    current = opened_body(stored)
    asked = opened_body(record.pending.proposed) if record.pending else current
    whole = amended(asked, patch)
    window = whole.wished_window
    earliest_ms, latest_ms = to_ms(window.earliest), to_ms(window.latest)
    placed = Placed(
        "vans",
        earliest_ms,
        earliest_ms + 40 * MINUTE_MS,
        5_000,
        (PoolBooking("v1", "vans", "2026-03-03", 60, 8, 1),),
    )
    return Ready(
        request=replace(whole, patient=None),
        fields=changed_fields(current, whole),
        facts=Facts(earliest_ms, latest_ms, latest_ms, whole.service_class.value, whole.priority),
        before=stored,
        after=body(whole),
        same=record.pending is not None and whole == asked,
        fits=fits,
        placed=placed if fits and moves else None,
        expires_ms=now_ms + 10 * MINUTE_MS,
    )


def body(request: TripRequest) -> bytes:
    """A body, in the clear."""
    return msgspec.msgpack.encode(request)


def opened_body(content: bytes) -> TripRequest:
    """What stands in it."""
    return msgspec.msgpack.decode(content, type=TripRequest)


def amending(
    record: RequestRecord,
    patch: Amend,
    *,
    stored: TripRequest | None = None,
    fits: bool = True,
    moves: bool = True,
    **facts: Any,
) -> Decision | None:
    """An amendment; `facts` of its `context`."""
    current = body(stored or trip(record.id))
    out = ready(record, current, patch, now_ms=facts.get("now_ms", NOW), fits=fits, moves=moves)
    return decide(record, AmendRequest(request_id=record.id, patch=patch, ready=out), **facts)


def after(decision: Decision | None) -> Any:
    """The record after a decision that did something."""
    assert decision is not None
    return decision.after


def opened(decision: Decision | None) -> list[TaskRecord]:
    """The tasks that a decision opened."""
    assert decision is not None
    return [
        each.after for each in decision.changes if each.before is None and isinstance(each.after, TaskRecord)
    ]


def heard(decision: Decision | None, to: To) -> list[str]:
    """The types of the messages on a stream."""
    assert decision is not None
    return [message.type for message in decision.messages if message.to is to]
