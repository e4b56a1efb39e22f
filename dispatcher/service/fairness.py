"""How groups of requests fare, for ops: as the matcher counts them, with those that wait now."""

from __future__ import annotations

import datetime as dt

from contracts.codes import Role
from contracts.fairness import Fairness, FairnessQuery, GroupFigures
from dispatcher.domain.fairness import (
    MOST,
    UNMATCHED,
    WAIT,
    Fared,
    behind,
    days,
    parts_of,
    together,
    with_waiting,
)
from dispatcher.domain.refusals import NotFound
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.markets import Markets
from dispatcher.store.market import MarketStore

OPS = frozenset({Role.OPS})
MOST_WAITING = 2_000  # the longest waiting, of whom the matcher has said why


class Fairnesses:
    """It raises NotFound (market, role) and Unavailable."""

    def __init__(self, markets: Markets, clock: Clock) -> None:
        self.markets, self.clock = markets, clock

    async def of(self, who: Principal, market: str, query: FairnessQuery) -> Fairness:
        """The groups of the last days, the farthest behind first."""
        self.markets.authorize(who, market)
        if not who.may(OPS):
            raise NotFound("there are no figures of groups\nMaybe they are for another role.")
        stored, now_ms = self.markets.store(market), self.clock.now_ms()
        values, period = (await self.markets.tuning(market)).values, days(now_ms)
        waiting = await _waiting(stored, now_ms)
        groups = with_waiting(await stored.fairness.of(period), waiting)
        found = behind(groups, values)
        order = sorted(groups, key=lambda each: (-found.get(each, 0.0), -groups[each].wait_min, each))
        whole = together(groups)
        return Fairness(
            since=dt.date.fromisoformat(period[0]),
            until=dt.date.fromisoformat(period[-1]),
            wait_minutes=round(whole.wait_min, 2),
            unmatched_share=round(whole.share_unmatched, 4),
            floor_wait_minutes=WAIT.of(values),
            floor_unmatched_share=UNMATCHED.of(values),
            floor_most=MOST.of(values),
            groups=tuple(
                _figures(each, groups[each], whole, len(waiting.get(each, ())), found.get(each, 0.0))
                for each in order[: query.limit]
            ),
            more=max(0, len(order) - query.limit),
        )


async def _waiting(stored: MarketStore, now_ms: int) -> dict[str, list[int]]:
    """For how long those wait, by group, that the matcher has found no vendor for; since it said so first."""
    records = await stored.requests.records.get_all(await stored.requests.open_ids(MOST_WAITING))
    found = dict[str, list[int]]()
    for each in records.values():
        if each.unmatched is not None and each.unmatched.group:
            since_ms = each.history[-1].at_ms if each.history else each.received_ms
            found.setdefault(each.unmatched.group, []).append(max(0, now_ms - since_ms))
    return found


def _figures(group: str, fared: Fared, whole: Fared, waiting: int, times: float) -> GroupFigures:
    (level, area), others = parts_of(group), whole.less(fared)
    return GroupFigures(
        level_of_service=level,
        area=area,
        asked=fared.asked - waiting,
        unmatched=fared.unmatched,
        waiting=waiting,
        wait_minutes=round(fared.wait_min, 2),
        unmatched_share=round(fared.share_unmatched, 4),
        behind=times,
        others_wait_minutes=round(others.wait_min, 2) if others.asked > 0 else None,
        others_unmatched_share=round(others.share_unmatched, 4) if others.asked > 0 else None,
    )
