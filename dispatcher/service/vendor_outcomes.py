"""Vendors in one list: outcomes, papers, open work, whether they posted for today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from contracts.codes import Role, ServiceClass
from contracts.instants import HOUR_MS, to_instant
from contracts.tuning import Number
from contracts.vendor_outcomes import VendorOutcomesPage, VendorOutcomesQuery, VendorSummary
from contracts.vendors import Paper, Vendor
from dispatcher.domain.refusals import NotFound
from dispatcher.domain.request_kind import offers_of
from dispatcher.domain.scorecards import LATE_MINUTES, is_outcome, months, shares
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service import damping
from dispatcher.service.markets import Markets
from dispatcher.store.codec import Versioned
from dispatcher.store.market import MarketStore
from solvers.acceptance import cell_of, expected
from solvers.screening import ALL_OTHERS

OPS = frozenset({Role.OPS})
AHEAD_MS = 2 * HOUR_MS


class VendorOutcomes:
    """It raises NotFound (market, role) and Unavailable; a vendor that cannot be read is passed over."""

    def __init__(self, markets: Markets, clock: Clock) -> None:
        self.markets, self.clock = markets, clock

    async def page(self, who: Principal, market: str, query: VendorOutcomesQuery) -> VendorOutcomesPage:
        """Vendors by id, and where the next page starts."""
        self.markets.authorize(who, market)
        if not who.may(OPS):
            raise NotFound("there is no list of vendors' outcomes\nMaybe it is for another role.")
        stored, now_ms = self.markets.store(market), self.clock.now_ms()
        values = (await self.markets.tuning(market)).values
        today = to_instant(now_ms).astimezone(self.markets.zones[market]).date()
        found, cursor = await _vendors(stored, query)
        cards = await stored.scorecards.of(months(now_ms))
        told = await _accepted(stored, found, now_ms, self.markets.zones[market], values)
        well, (busy, posted) = shares(cards, values), await _today(stored, list(found), today)
        taken = await damping.read(stored, now_ms, values)
        return VendorOutcomesPage(
            today=today,
            since=datetime.strptime(f"{months(now_ms)[0]}+0000", "%Y-%m%z"),
            vendors=tuple(
                _summary(
                    each,
                    cards.get(name, {}),
                    well.get(name),
                    busy=busy[name],
                    posted=name in posted,
                    taken=taken.get(name, taken.get(ALL_OTHERS)),
                    today=today,
                    accepts=told[name],
                )
                for name, each in found.items()
            ),
            cursor=cursor or "",
        )


async def _vendors(
    stored: MarketStore, query: VendorOutcomesQuery
) -> tuple[dict[str, Versioned[Vendor]], str | None]:
    if query.vendor_id is None:
        return await stored.vendors.page(query.cursor, query.limit)
    one = await stored.vendors.get(query.vendor_id)
    return ({} if one is None else {query.vendor_id: one}), None


async def _today(stored: MarketStore, ids: Sequence[str], day: date) -> tuple[dict[str, int], set[str]]:
    """How much each has open (a list of another type: nothing), and who posted for the day."""
    lists = [("ZCARD", stored.keys.list(offers_of(each))) for each in ids]
    counts = await stored.node.reader.ask_each(lists)
    busy = [0 if isinstance(each, Exception) else int(each) for each in counts]
    posted = {vendor for vendor, _ in await stored.capacity.get_all([day])}
    return dict(zip(ids, busy, strict=True)), posted


async def _accepted(
    stored: MarketStore,
    vendors: Mapping[str, Versioned[Vendor]],
    now_ms: int,
    tz: ZoneInfo,
    values: Mapping[str, Number],
) -> dict[str, dict[str, float]]:
    """How likely each is to accept work that begins in two hours, by service; as far as answers say."""
    tables = await stored.acceptance.expected(now_ms, values)
    opens = datetime.fromtimestamp((now_ms + AHEAD_MS) / 1000, tz)
    shares = dict[str, dict[str, float]]()
    for name, each in vendors.items():
        services = [*each.value.levels_of_service, *([ServiceClass.EQUIPMENT] if each.value.hcpcs else [])]
        cells = {one.value: cell_of(one.value, AHEAD_MS, opens.hour, opens.weekday()) for one in services}
        found = {service: expected(tables, name, cell) for service, cell in cells.items()}
        shares[name] = {service: share for service, share in found.items() if share is not None}
    return shares


def _summary(
    found: Versioned[Vendor],
    card: Mapping[str, int],
    went_well: float | None,
    *,
    busy: int,
    posted: bool,
    taken: float | None,
    today: date,
    accepts: dict[str, float],
) -> VendorSummary:
    vendor, papers = found.value, found.value.credentials
    valid = [each for each in papers if each.expires_on >= today]
    return VendorSummary(
        id=vendor.id,
        version=found.version,
        name=vendor.name,
        levels_of_service=vendor.levels_of_service,
        equipment=len(vendor.hcpcs),
        paused=vendor.paused,
        ops_pause=vendor.ops_pause,
        to_verify=tuple(
            Paper(kind=each.kind, expires_on=each.expires_on) for each in valid if each.verified is None
        ),
        expires_on=min((each.expires_on for each in valid if each.verified), default=None),
        expired=len(papers) - len(valid),
        outcomes={name: count for name, count in card.items() if is_outcome(name)},
        late_minutes=card.get(LATE_MINUTES, 0),
        went_well=went_well,
        open=busy,
        posted_today=posted,
        matching_share=None if taken is None else round(taken, 4),
        onboarding=vendor.state,
        accepts=accepts,
    )
