"""The audit of a market for ops: acts, looks at patient blocks and versions of the tuning, by time."""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from contracts.acts import ActGroup, ActPage, ActQuery, ActView
from contracts.codes import Role
from contracts.instants import to_ms
from contracts.patient_reads import PatientRead
from contracts.tuning import Made, Tuning
from contracts.tuning_versions import KEPT_VERSIONS
from dispatcher.domain import acts, patient_reads
from dispatcher.domain.acts import ACT_KIND, ACTS
from dispatcher.domain.decision import Decision
from dispatcher.domain.patient_reads import PATIENT_READ_KIND, READS
from dispatcher.domain.refusals import NotFound, Unreadable
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.markets import Markets
from dispatcher.store.listing import END, Cursor, Place, newest
from dispatcher.store.market import MarketStore

OPS = frozenset({Role.OPS})
STEP, MOST = 200, 2_000  # entries read at once, and for one page
Shown = tuple[Place, ActView]


class Stretch(NamedTuple):
    """A stretch of what is listed, newest first, and its last place; None: nothing stands behind it."""

    shown: Sequence[Shown]
    end: Place | None = None


class Acts:
    """They raise NotFound (market, role), Invalid (no such cursor), Unavailable."""

    def __init__(self, markets: Markets, clock: Clock) -> None:
        self.markets, self.clock = markets, clock

    async def entry(
        self,
        who: Principal,
        market: str,
        name: str,
        kind: str,
        about: str,
        *,
        detail: str = "",
        reason: str = "",
    ) -> Decision:
        """The entry of an act, to be committed with it."""
        return acts.act(
            secrets.token_hex(12),
            name,
            kind,
            about,
            by=who.acting_as(OPS),
            subject=who.subject,
            now_ms=self.clock.now_ms(),
            values=(await self.markets.tuning(market)).values,
            detail=detail,
            reason=reason,
        )

    async def page(self, who: Principal, market: str, query: ActQuery) -> ActPage:
        """The newest first, of all three together."""
        self.markets.authorize(who, market)
        if not who.may(OPS):
            raise NotFound("there is no audit to read\nMaybe it is for another role.")
        stored, place = self.markets.store(market), _first(query)
        versions = await _versions(stored, query)
        found, looked = list[ActView](), 0
        while True:
            shown, end = await _shown(stored, query, place, versions)
            for at, view in shown:
                if _fits(view, query):
                    found.append(view)
                    if len(found) == query.limit:
                        return ActPage(acts=tuple(found), cursor=str(Cursor(*at)))
            if end is None:
                return ActPage(acts=tuple(found))
            place, looked = end, looked + max(STEP, len(shown))
            if looked >= MOST:
                return ActPage(acts=tuple(found), cursor=str(Cursor(*place)))


def _first(query: ActQuery) -> Place:
    """What stands behind this place is looked at."""
    if query.cursor:
        return Cursor.parse(query.cursor)
    return Place(to_ms(query.before) if query.before else END, "")


def _fits(view: ActView, query: ActQuery) -> bool:
    wanted = query.subject.lower()
    return (
        (query.group is None or view.group is query.group)
        and (not query.about or view.about == query.about)
        and (not wanted or wanted in view.subject.lower() or wanted in view.by.lower())
    )


async def _shown(stored: MarketStore, query: ActQuery, before: Place, versions: Sequence[Shown]) -> Stretch:
    """The next so many of all three, newest first; an entry that cannot be read is passed over."""
    group, found = query.group, [Stretch([each for each in versions if each[0] < before])]
    if group is not ActGroup.PATIENTS:
        found.append(await _acts(stored, before))
    if group in (None, ActGroup.PATIENTS):
        found.append(await _reads(stored, before))
    end = max((each.end for each in found if each.end is not None), default=None)
    merged = heapq.merge(*(each.shown for each in found), key=lambda each: each[0], reverse=True)
    return Stretch([each for each in merged if end is None or each[0] >= end], end)


async def _acts(stored: MarketStore, before: Place) -> Stretch:
    places = await newest(stored.node.reader, stored.keys.list(ACTS), before, STEP)
    found = await stored.records(ACT_KIND).get_all([each.id for each in places])
    return _stretch(places, {name: acts.view(each) for name, each in found.items()})


async def _reads(stored: MarketStore, before: Place) -> Stretch:
    places = await newest(stored.node.reader, stored.keys.list(READS), before, STEP)
    found = await stored.records(PATIENT_READ_KIND).get_all([each.id for each in places])
    return _stretch(places, {name: _read(patient_reads.view(each)) for name, each in found.items()})


def _stretch(places: Sequence[Place], views: Mapping[str, ActView]) -> Stretch:
    shown = [(each, views[each.id]) for each in places if each.id in views]
    return Stretch(shown, places[-1] if len(places) == STEP else None)


def _read(look: PatientRead) -> ActView:
    return ActView(
        id=look.id,
        at=look.at,
        by=look.by,
        subject=look.subject,
        group=ActGroup.PATIENTS,
        act="read_patient",
        kind="request",
        about=look.request_id,
        detail=look.reason.value if look.reason else "",
    )


async def _versions(stored: MarketStore, query: ActQuery) -> list[Shown]:
    """Versions of the tuning that are kept, the newest first."""
    if query.group not in (None, ActGroup.TUNING):
        return []
    try:
        current = (await stored.tuning.get()).version
    except Unreadable as refusal:
        current = int(refusal.facts.get("version", 0))
    kept = await stored.tuning.kept(range(max(1, current - KEPT_VERSIONS + 1), current + 1))
    return sorted(
        (_version(each, each.at) for each in kept if each.at), key=lambda each: each[0], reverse=True
    )


def _version(tuning: Tuning, at: datetime) -> Shown:
    name = f"tuning-{tuning.version}"
    view = ActView(
        id=name,
        at=at,
        by=Role.OPS if tuning.made in (Made.SENT, Made.RESTORED) else tuning.by,
        subject=tuning.by,
        group=ActGroup.TUNING,
        act=f"tuning_{tuning.made.value}",
        kind="tuning",
        about=str(tuning.version),
        detail=" ".join(filter(None, (tuning.source, tuning.what_if))),
        reason=tuning.reason,
    )
    return Place(to_ms(at), name), view
