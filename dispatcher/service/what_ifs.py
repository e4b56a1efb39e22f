"""What-ifs as callers see them: asked, listed, read, cancelled. The matcher works on them, one at a time."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from contracts.codes import Role
from contracts.instants import DAY_MS, to_instant
from contracts.tuning import Parameter
from contracts.what_if import WhatIfAnswer, WhatIfChange, WhatIfRequest, WhatIfState, WhatIfView
from dispatcher.domain.refusals import Crowded, Invalid, NotFound, Reused, WrongState
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.markets import Markets
from dispatcher.store.what_ifs import Asked, WhatIf, WhatIfPart
from dispatcher.tuning.registry import Registry
from solvers.rules import registry
from solvers.rules.base import CostTerm

DAYS = Parameter(
    name="what_if_days",
    default=14,
    minimum=1,
    maximum=365,
    unit="days",
    summary="A what-if is kept so long.",
    scope="service.what_ifs",
)
PARAMETERS = (DAYS,)
MOST_WAITING, MOST_KEPT = 4, 200
RETRY_AFTER_S = 30
NAMED = 5  # of what is wrong, so many are told in the text; `problems` has them all


class WhatIfs:
    """They raise NotFound (market, what-if), Invalid, Crowded, Reused, WrongState, Unreadable."""

    def __init__(self, markets: Markets, clock: Clock, parameters: Registry) -> None:
        self.markets, self.clock, self.parameters = markets, clock, parameters

    async def ask(
        self, who: Principal, market: str, name: str, request: WhatIfRequest, fingerprint: bytes
    ) -> WhatIfView:
        """Put it behind the others of the market; the same again when it is repeated."""
        self.markets.authorize_requests(who, market)
        stored = self.markets.store(market)
        known = await stored.what_ifs.all()
        if name in known:
            return self._same(known[name], fingerprint)
        vendors = await stored.vendors.get_all()
        change = refuse_unknown(request.change, vendors.keys(), self.parameters)
        await self._forget_old(market, known)
        asked = Asked(
            id=name,
            request=replace(request, change=change),
            by=who.subject or who.acting_as({Role.OPS}),
            at_ms=self.clock.now_ms(),
            fingerprint=fingerprint,
        )
        waiting = await stored.what_ifs.add(asked, MOST_WAITING + 1)  # one of them is at work
        if waiting > MOST_WAITING:
            raise _crowded(market, waiting)
        return self._same(await self._find(market, name), fingerprint)

    async def page(self, who: Principal, market: str) -> list[WhatIfView]:
        """All that are kept, the latest first."""
        self.markets.authorize_requests(who, market)
        found = await self.markets.store(market).what_ifs.all()
        return [_view(each) for each in reversed(list(found.values()))]

    async def get(self, who: Principal, market: str, name: str) -> WhatIfView:
        """One, with its answer once it is done."""
        self.markets.authorize_requests(who, market)
        found = await self._find(market, name)
        done = found.standing.state is WhatIfState.DONE
        answer = await self.markets.store(market).what_ifs.answer(name) if done else None
        if done and answer is None:
            raise self._gone(name)
        return _view(found, answer)

    async def answer(self, who: Principal, market: str, name: str) -> WhatIfAnswer:
        """Its answer alone. Raises WrongState while there is none."""
        view = await self.get(who, market, name)
        if view.answer is None:
            raise WrongState(
                f"what-if {name} is {view.state} and has no answer\nMaybe wait until it is done.",
                state=view.state.value,
            )
        return view.answer

    async def cancel(self, who: Principal, market: str, name: str) -> WhatIfView:
        """Nothing more is done for it; one that is over stays as it is."""
        self.markets.authorize_requests(who, market)
        found = await self._find(market, name)
        if not found.over:
            await self.markets.store(market).what_ifs.cancel(name)
            found = await self._find(market, name)
        return _view(found)

    async def _find(self, market: str, name: str) -> WhatIf:
        found = await self.markets.store(market).what_ifs.get(name)
        if found is None:
            raise self._gone(name)
        return found

    def _gone(self, name: str) -> NotFound:
        return NotFound(f"there is no what-if {name}\nMaybe it is older than {DAYS.name}, or misspelt.")

    def _same(self, found: WhatIf, fingerprint: bytes) -> WhatIfView:
        if found.asked.fingerprint != fingerprint:
            raise Reused(
                "this Idempotency-Key came before with another body\nMaybe use a new key for a new what-if."
            )
        return _view(found)

    async def _forget_old(self, market: str, known: dict[str, WhatIf]) -> None:
        """What is too old, or too many."""
        stored, values = self.markets.store(market), (await self.markets.tuning(market)).values
        since_ms = self.clock.now_ms() - DAYS.whole(values) * DAY_MS
        over = [each for each in known.values() if each.over]
        many = over[: max(0, len(known) - MOST_KEPT)]
        for each in over:
            if each.asked.at_ms < since_ms or each in many:
                await stored.what_ifs.forget(each.asked.id)


def _crowded(market: str, waiting: int) -> Crowded:
    return Crowded(
        f"{waiting} what-ifs of {market} are not done; {MOST_WAITING + 1} is the limit\n"
        "Maybe cancel one, or wait until one is done.",
        limit=MOST_WAITING + 1,
        retry_after_s=RETRY_AFTER_S,
    )


def refuse_unknown(change: WhatIfChange, vendors: Collection[str], parameters: Registry) -> WhatIfChange:
    """The change by the parameters' present names. Raises Invalid for what is not there, naming it."""
    named = (*change.pause, *change.resume)
    found = [f"there is no vendor {each}" for each in named if each not in vendors]
    found += [
        f"there is a vendor {each.vendor.id} already" for each in change.add if each.vendor.id in vendors
    ]
    added = [each.vendor.id for each in change.add]
    found += [f"vendor {each} is added twice" for each in sorted({a for a in added if added.count(a) > 1})]
    may_be_off = switchable()
    found += [f"{each} is no rule that may be off" for each in change.rules_off if each not in may_be_off]
    if found:
        raise Invalid(
            "; ".join(found[:NAMED]) + f"\nMaybe a slip. Rules that may be off: {', '.join(may_be_off)}.",
            problems=found[:50],
        )
    values = parameters.checked(change.values)
    if lists := [name for name, value in values.items() if isinstance(value, tuple)]:
        raise Invalid(
            f"{lists[0]} is a list, of what needs an authorization or the like: no plan reads it\n"
            "Maybe leave it out: what-if changes numbers.",
            problems=lists,
        )
    return replace(change, values=values)


async def cited(what_ifs: WhatIfPart, name: str | None) -> str:
    """The id of the what-if that a change of tuning rests on; "": none. Raises Invalid, Unreadable."""
    if name and await what_ifs.get(name) is None:
        raise Invalid(
            f"what_if names {name}, and this market has no what-if {name}\n"
            f"Maybe it is misspelt, another market's, or older than {DAYS.name}: "
            "ask it again, or leave it out.",
            problems=[f"there is no what-if {name}"],
        )
    return name or ""


def switchable() -> tuple[str, ...]:
    """The rules that may be off: those that ops may let yield for one vendor, and every cost term."""
    return tuple(each.code for each in registry.rules() if each.relaxable or isinstance(each, CostTerm))


def _view(found: WhatIf, answer: WhatIfAnswer | None = None) -> WhatIfView:
    asked, standing = found.asked, found.standing
    state = (
        WhatIfState.CANCELLED if found.unwanted and standing.state is WhatIfState.QUEUED else standing.state
    )
    return WhatIfView(
        id=asked.id,
        state=state,
        progress=round(standing.progress, 3),
        against=asked.request.against,
        change=asked.request.change,
        by=asked.by,
        asked_at=to_instant(asked.at_ms),
        ended_at=to_instant(standing.ended_ms) if standing.ended_ms else None,
        detail=standing.detail,
        answer=answer,
    )
