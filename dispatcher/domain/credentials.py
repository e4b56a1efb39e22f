"""A vendor's credentials as their last days come near: which to warn of, and what work lies beyond."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from contracts.codes import CredentialKind, Priority, ServiceClass
from contracts.instants import DAY_MS, to_ms
from contracts.tasks import TaskKind
from contracts.tuning import Number
from contracts.vendors import Vendor
from dispatcher.domain.compact import Compact, Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.kinds import Entry, Kind, register
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord, offer_id
from solvers.rules.credentials import ENFORCED, GRACE, REQUIRED, VERIFIED_ONLY

STEPS: Final = (30, 14, 7, 1)  # so many days before the last valid day
EXPIRED: Final = 0  # the step of the day after
AGREED_FROM: Final = 7  # the step from which agreed work beyond the last day is somebody's
WATCHED = "credentials"  # the list of all
AWAKE_MS = 30 * DAY_MS  # it is looked at as often; the job looks by the day


class Noted(Compact, frozen=True):
    """A paper that was told of: its kind and last valid day (an ordinal), and the last step."""

    kind: str
    last_day: int
    step: int


class CredentialWatch(Record, frozen=True, tag=1):
    """What was told of one vendor's papers, and its dispatches that are somebody's because of them."""

    papers: tuple[Noted, ...] = ()
    beyond: tuple[str, ...] = ()  # by offer
    timer_ms: int = 0
    earlier: tuple[Noted, ...] = ()  # papers that are not due now, and were: the last ones


class Due(Compact, frozen=True):
    """A paper that is near its last valid day, or over: what it costs its vendor."""

    noted: Noted
    days_left: int
    stops: int  # ordinal of the first day of service without offers
    services: tuple[str, ...]

    @property
    def code(self) -> str:
        """As a task says which paper: its kind and last valid day."""
        return f"{self.noted.kind}:{date.fromordinal(self.noted.last_day).isoformat()}"


class Beyond(Compact, frozen=True):
    """A dispatch that begins when a paper that it requires is over."""

    offer_id: str
    request_id: str
    priority: Priority
    code: str
    last_day: int


def local_day(at_ms: int, tz: ZoneInfo) -> date:
    """Which day it is there."""
    return datetime.fromtimestamp(at_ms / 1000, tz).date()


def starts_ms(ordinal: int, tz: ZoneInfo) -> int:
    """When a local day begins."""
    day = date.fromordinal(ordinal)
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=tz))


def due_papers(
    vendor: Vendor, noted: Iterable[Noted], today: date, values: Mapping[str, Number]
) -> list[Due]:
    """The vendor's papers within 30 days of their last valid day, or over, by kind.

    Of each kind the latest that counts: with `credentials_verified_only` of those that ops has verified.
    One that was told of and that the vendor merely took out stays due: that renews nothing.
    """
    latest = dict[CredentialKind, date]()
    for each in vendor.credentials:
        if each.verified is not None or not VERIFIED_ONLY.whole(values):
            latest[each.kind] = max(each.expires_on, latest.get(each.kind, each.expires_on))
    gone = {CredentialKind(each.kind): date.fromordinal(each.last_day) for each in noted}
    latest = gone | latest
    found = [_due(kind, latest[kind], vendor, today, values) for kind in sorted(latest)]
    return [each for each in found if each is not None]


def near_end(noted: Iterable[Noted], context: Context) -> list[Due]:
    """Of papers as they were told of last, those that agreed work may lie beyond today."""
    today, grace = local_day(context.now_ms, context.tz).toordinal(), GRACE.whole(context.values)
    found = []
    for each in noted if ENFORCED.whole(context.values) else ():
        left, kind = each.last_day - today, CredentialKind(each.kind)
        if left <= AGREED_FROM:
            services = tuple(name.value for name in ServiceClass if kind in REQUIRED[name])
            step = replace(each, step=min(each.step, AGREED_FROM))
            found.append(Due(step, max(0, left), each.last_day + grace + 1, services))
    return found


def first_stop_ms(due: Sequence[Due], tz: ZoneInfo) -> int | None:
    """From when on agreed work may lie beyond one of these; None: none is near its end."""
    near = [each.stops for each in due if each.noted.step <= AGREED_FROM]
    return starts_ms(min(near), tz) if near else None


def _due(
    kind: CredentialKind, last: date, vendor: Vendor, today: date, values: Mapping[str, Number]
) -> Due | None:
    stops = last + timedelta(days=GRACE.whole(values) + 1)
    left = (last - today).days
    reached = [each for each in STEPS if left <= each]
    step = EXPIRED if today >= stops else min(reached, default=None)
    if step is None:
        return None
    noted = Noted(kind.value, last.toordinal(), step)
    return Due(noted, max(0, left), stops.toordinal(), _affected(kind, vendor, values))


def _affected(kind: CredentialKind, vendor: Vendor, values: Mapping[str, Number]) -> tuple[str, ...]:
    """Which of its services require it: the rule `credentials` lets no offer of these through without."""
    serves = {each.value for each in vendor.levels_of_service}
    serves |= {ServiceClass.EQUIPMENT.value} if vendor.hcpcs else set()
    if not ENFORCED.whole(values):
        return ()
    return tuple(each.value for each in ServiceClass if each.value in serves and kind in REQUIRED[each])


def beyond(
    vendor_id: str, records: Iterable[RequestRecord], due: Sequence[Due], tz: ZoneInfo
) -> list[Beyond]:
    """What the vendor has agreed to and that begins when one of these papers, near its end, is over."""
    near = sorted((each for each in due if each.noted.step <= AGREED_FROM), key=lambda each: each.stops)
    found = []
    for record in records:
        for offer in record.live_offers:
            if offer.vendor_id != vendor_id or offer.unanswered or offer.status is not None:
                continue
            over = next((each for each in near if _is_beyond(record, offer, each, tz)), None)
            if over is not None:
                name, last_day = offer_id(record, offer), over.noted.last_day
                found.append(Beyond(name, record.id, record.priority, over.code, last_day))
    return sorted(found, key=lambda each: each.offer_id)


def _is_beyond(record: RequestRecord, offer: OfferRecord, due: Due, tz: ZoneInfo) -> bool:
    is_required = (offer.level or record.service_class) in due.services
    return is_required and local_day(offer.start_ms, tz).toordinal() >= due.stops


def paper_task(vendor_id: str, kind: str) -> str:
    """What the task about a paper is called."""
    return f"{vendor_id}.{TaskKind.CREDENTIAL_EXPIRING.value}_{kind}"


def dispatch_task(name: str) -> str:
    """What the task about a dispatch is called."""
    return f"{name}.{TaskKind.DISPATCH_BEYOND_CREDENTIAL.value}"


def _awake(watch: CredentialWatch, context: Context) -> Decision | None:
    """Its timer: nothing is due of it, for the job looks by the day."""
    if watch.timer_ms > context.now_ms:
        return None
    after = replace(watch, version=watch.version + 1, timer_ms=context.now_ms + AWAKE_MS)
    return Decision(changes=(Change(watch, after),), at_ms=context.now_ms)


CREDENTIAL_KIND = register(
    Kind(
        name="credential",
        form=CredentialWatch,
        key="cw",
        timers="timers:credential",
        timer_ms=lambda watch: watch.timer_ms,
        lists=lambda watch: {Entry(WATCHED, watch.id): watch.timer_ms},
        may_become=lambda before, after: after is not None,
        on_timer=_awake,
        ids_of_others=True,
    )
)
