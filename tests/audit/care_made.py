"""What care keeps, as it may come to be damaged."""

from typing import Any

from msgspec.structs import replace
from redis.asyncio import Redis

from contracts.amendments import AmendmentOutcome
from contracts.authorizations import AuthorizationState, Counted
from contracts.codes import OfferState, RequestState
from contracts.instants import DAY_MS
from contracts.notifications import Audience, Template
from contracts.standing_orders import StandingOrderState
from contracts.tasks import TaskKind
from contracts.threads import About
from dispatcher.domain.amendments import Amendment
from dispatcher.domain.authorizations import AUTHORIZATION_KIND, AuthorizationRecord, record_id
from dispatcher.domain.booking import Booking
from dispatcher.domain.cascade import ChainLink
from dispatcher.domain.context import Context
from dispatcher.domain.episodes import EPISODE_KIND, Episode
from dispatcher.domain.links import Link
from dispatcher.domain.notifications import NotificationRecord, NotificationState
from dispatcher.domain.patients import PATIENT_KIND, Filed, PatientRecord
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.standing_orders import STANDING_ORDER, Dealt, StandingOrderRecord
from dispatcher.domain.tasks import TASK_KIND, TaskRecord, opened
from dispatcher.domain.threads import ThreadRecord
from dispatcher.store import codec
from dispatcher.store.keys import Keys
from tests.audit.hurting import Damage, both, of, stored, with_body, written
from tests.store.made import (
    DAY,
    NOW_MS,
    moved,
    record,
)

UNTIL_MS = NOW_MS + 3_600_000  # of a bundle


def authorized(**changes: int) -> Damage:
    """An authorization of two visits, as it stands in its lists."""
    issued = AuthorizationRecord(
        id=record_id("a1"),
        version=1,
        state=AuthorizationState.ACTIVE,
        number="A-1",
        payer="Medicaid",
        services=("wheelchair",),
        counted=Counted.VISITS,
        granted=2,
        first_day=DAY.isoformat(),
        last_day=DAY.isoformat(),
        from_ms=NOW_MS,
        until_ms=NOW_MS + 1,
        timer_ms=NOW_MS + 1,
        requests=("b",),
    )

    return stored(AUTHORIZATION_KIND, replace(issued, **changes))


async def offered_alone(raw: Redis, keys: Keys) -> None:
    """Request a as it is, in a bundle."""
    raw_record = await raw.get(of(keys, "a"))
    offered = codec.document_of(REQUEST_KIND).unpack(raw_record).value
    offers = tuple(replace(each, made_ms=NOW_MS + 1) for each in offered.offers)
    await written(replace(offered, episode="e1", bundle_until_ms=UNTIL_MS, offers=offers))(raw, keys)


NEXT = ChainLink("v2", "vans", NOW_MS, NOW_MS + 1, 4_500, 600, False, ())


def asked_otherwise(*, wants: tuple[Booking, ...] = (), **changes: Any) -> Damage:
    """Request a, which is offered, asked for in another way."""

    async def hurt(raw: Redis, keys: Keys) -> None:
        offered = codec.document_of(REQUEST_KIND).unpack(await raw.get(of(keys, "a"))).value
        offers = tuple(replace(each, wants=wants) for each in offered.offers) if wants else offered.offers
        await written(replace(offered, offers=offers, **changes))(raw, keys)

    return hurt


def offered_otherwise(**changes: Any) -> Damage:
    """The offer of request a, otherwise."""

    async def hurt(raw: Redis, keys: Keys) -> None:
        offered = codec.document_of(REQUEST_KIND).unpack(await raw.get(of(keys, "a"))).value
        await written(replace(offered, offers=(replace(offered.offers[0], **changes),)))(raw, keys)

    return hurt


async def made_alone(raw: Redis, keys: Keys) -> None:
    await written(replace(moved(record("a"), RequestState.CANCELLED), before=("b",)))(raw, keys)
    await written(replace(record("b"), return_of="a", after=(Link(request_id="a", broken="cancelled"),)))(
        raw, keys
    )


async def on_two_rides(raw: Redis, keys: Keys) -> None:
    """Both requests of one patient, accepted for one time."""
    raw_record = await raw.get(of(keys, "a"))
    first = codec.document_of(REQUEST_KIND).unpack(raw_record).value
    offers = tuple(replace(each, state=OfferState.ACCEPTED) for each in first.offers)
    await written(replace(moved(first, RequestState.ACCEPTED), offers=offers))(raw, keys)
    await written(replace(moved(record("b"), RequestState.ACCEPTED), offers=offers))(raw, keys)
    card = PatientRecord("card", 1, (Filed("a"), Filed("b")), NOW_MS)
    await stored(PATIENT_KIND, card)(raw, keys)


def asked(task: TaskRecord) -> Damage:
    """A task of request b's, which names it."""
    return both(stored(TASK_KIND, task), written(replace(record("b"), tasks=(task.id,))))


def bundled(decide_by_ms: int = UNTIL_MS, members: tuple[str, ...] = ("a", "b")) -> Damage:
    """An episode that is all or none."""
    episode = Episode("e1", 1, NOW_MS - 1, NOW_MS, members, decide_by_ms=decide_by_ms)
    return stored(EPISODE_KIND, episode)


def in_bundle(name: str, **changes: Any) -> RequestRecord:
    return replace(record(name), episode="e1", bundle_until_ms=UNTIL_MS, **changes)


def made_by(order: StandingOrderRecord, *names: str) -> Damage:
    """A standing order, and requests that it made."""
    made = [replace(record(name), id=name, standing_order=order.id) for name in names]
    others = [both(stored(REQUEST_KIND, each), with_body(each.id)) for each in made]
    return both(stored(STANDING_ORDER, order), *others)


WAITING = Amendment(
    at_ms=NOW_MS,
    by="platform",
    subject="",
    fields=("dropoff",),
    outcome=AmendmentOutcome.PENDING,
    before=b"before",
    proposed=b"after",
    attempt=1,
    expires_ms=NOW_MS,
)
ORPHAN = opened(TaskKind.UNMATCHED, "gone", Context(now_ms=NOW_MS))

SETTLED_AT = Context(now_ms=NOW_MS)
UNMATCHED = opened(TaskKind.UNMATCHED, "b", SETTLED_AT)
TASK = opened(TaskKind.OVERDUE, "b", Context(now_ms=NOW_MS))
DAILY = StandingOrderRecord(
    id="so1",
    version=1,
    state=StandingOrderState.ACTIVE,
    rule="FREQ=DAILY",
    start=DAY.isoformat(),
    request=b"",
    return_ride=b"",
    created_ms=NOW_MS,
    timer_ms=NOW_MS + DAY_MS,
    since=DAY.isoformat(),
)
DAYS = ("20261123", "20261124", "20261125")


def dealt(*days: str) -> tuple[Dealt, ...]:
    return tuple(Dealt(f"{each[:4]}-{each[4:6]}-{each[6:]}", (f"so1-{each}",)) for each in days)


NOTE = NotificationRecord(
    id="n1",
    version=1,
    request_id="a",
    offer_id="a.1",
    rule="arriving",
    template=Template.RIDE_ARRIVING,
    audience=Audience.PATIENT,
    state=NotificationState.DELIVERED,
    start_ms=NOW_MS,
    due_ms=NOW_MS,
    until_ms=NOW_MS,
    timer_ms=NOW_MS,
)
THREAD = ThreadRecord(
    id="dispatch:gone.1",
    version=1,
    about=About.DISPATCH,
    subject_id="gone.1",
    owner_id="gone",
    vendor_id="v1",
    began_ms=NOW_MS,
    timer_ms=NOW_MS + 3 * DAY_MS,
)
