"""Vendors: versioned documents; what a vendor says of itself, and what ops says of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from contracts.codes import Role
from contracts.instants import to_instant
from contracts.onboarding import SetOnboarding
from contracts.requests import Request
from contracts.vendors import SeenPaper, Signed, Vendor
from dispatcher.domain import acts, onboarding
from dispatcher.domain.context import Context
from dispatcher.domain.credentials import local_day
from dispatcher.domain.decision import Decision
from dispatcher.domain.onboarding import registered, taken_to
from dispatcher.domain.refusals import NotFound, no_such
from dispatcher.domain.vendors import paused, posted, refuse_over, resumed, verified
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.acts import Acts
from dispatcher.service.execute import ATTEMPTS, already_applied, refuse_reuse, too_busy
from dispatcher.service.markets import Markets
from dispatcher.store.codec import Versioned
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.outcome import Status
from dispatcher.store.vendors import stale
from solvers.rules.credentials import GRACE

Also = Callable[[Vendor, Vendor], Awaitable[Decision | None]]  #: what follows from a change, in its commit


class Vendors:
    """Reads give a version (the ETag); writes take the expected one (If-Match): 0: new, None: any.

    They raise NotFound for what is unknown or another's, Stale, Invalid, Unavailable.
    """

    def __init__(self, markets: Markets, clock: Clock, acts: Acts) -> None:
        self.markets, self.clock, self.acts = markets, clock, acts

    async def get(self, who: Principal, market: str, vendor_id: str) -> Versioned[Vendor]:
        """One vendor: its own, or any for platform and ops."""
        self.markets.authorize(who, market)
        who.refuse_others(vendor_id)
        found = await self.markets.store(market).vendors.get(vendor_id)
        if found is None:
            raise no_such(f"vendor {vendor_id}")
        return found

    async def get_all(self, who: Principal, market: str) -> list[Vendor]:
        """All vendors of the market, by id; for a vendor, itself."""
        self.markets.authorize(who, market)
        found = await self.markets.store(market).vendors.get_all()
        return [each.value for each in found.values() if not who.is_vendor or each.value.id == who.vendor_id]

    async def unknown(self, market: str, requests: Iterable[Request]) -> frozenset[str]:
        """Vendors that these requests prefer or exclude, and that are not registered."""
        named = {each for request in requests for each in request.named_vendors}
        return await self.markets.store(market).vendors.unknown(named) if named else frozenset()

    async def page(
        self, who: Principal, market: str, after: str, limit: int
    ) -> tuple[list[Versioned[Vendor]], str | None]:
        """Vendors by id, and where the next page starts; for a vendor, itself."""
        self.markets.authorize(who, market)
        vendors = self.markets.store(market).vendors
        if who.is_vendor:
            own = await vendors.get(who.vendor_id) if after < who.vendor_id else None
            return ([own] if own else []), None
        found, cursor = await vendors.page(after, limit)
        return list(found.values()), cursor

    async def put(self, who: Principal, market: str, vendor: Vendor, expected_version: int | None) -> int:
        """Register or change a vendor; its new version. What ops says of it stands as it stood.

        One that cannot be read is written over by ops alone: that ops had paused it would be lost with it.
        """
        self.markets.authorize(who, market)
        who.refuse_others(vendor.id)
        vendors = self.markets.store(market).vendors
        for _ in range(ATTEMPTS):
            version, current = await vendors.current(vendor.id)
            if expected_version not in (None, version):
                raise stale(f"vendor {vendor.id}", expected_version or 0)
            if version and current is None and who.is_vendor:
                await vendors.get(vendor.id)  # raises Unreadable
            by, before = self._signed(who), current.value if current else None
            values = (await self.markets.tuning(market)).values
            begins = registered(by, values, is_itself=who.is_vendor)
            after = posted(vendor, before, by, begins)
            if who.is_vendor:
                today = local_day(self.clock.now_ms(), self.markets.zones[market])
                refuse_over(after, before, today, GRACE.whole(values))
            name = "change_vendor" if version else "register_vendor"
            entry = await self.acts.entry(who, market, name, "vendor", vendor.id)
            outcome = await vendors.replace(version, current, after, at_ms=self.clock.now_ms(), entry=entry)
            if outcome.ok:
                return version + 1
        raise too_busy(f"vendor {vendor.id}")

    async def pause(
        self, who: Principal, market: str, vendor_id: str, reason: str, key: IdempotencyRecord | None = None
    ) -> Versioned[Vendor]:
        """Send it no new work until ops resumes it. Raises WrongState: it is paused for another reason."""
        by = self._signed(who)
        entry = await self.acts.entry(who, market, "pause_vendor", "vendor", vendor_id, reason=reason)
        return await self._by_ops(
            who, market, vendor_id, lambda vendor: paused(vendor, reason, by), key=key, entry=entry
        )

    async def resume(
        self, who: Principal, market: str, vendor_id: str, key: IdempotencyRecord | None = None
    ) -> Versioned[Vendor]:
        """End the pause of ops; a pause of the vendor's own stands."""
        entry = await self.acts.entry(who, market, "resume_vendor", "vendor", vendor_id)
        return await self._by_ops(who, market, vendor_id, resumed, key=key, entry=entry)

    async def onboard(
        self, who: Principal, market: str, vendor_id: str, said: SetOnboarding, key: IdempotencyRecord | None
    ) -> Versioned[Vendor]:
        """Take it to another state; a task names what one that is suspended keeps. Raises WrongState."""
        by, reason = self._signed(who), said.reason or ""
        entry = await self.acts.entry(
            who, market, f"onboard_{said.state.value}", "vendor", vendor_id, reason=reason
        )

        async def also(before: Vendor, after: Vendor) -> Decision | None:
            stored = self.markets.store(market)
            keeps = await stored.credentials.offer_ids(vendor_id, 0)
            name = onboarding.task_id(vendor_id)
            task = (await stored.tasks.records.get_all([name])).get(name)
            values, now_ms = (await self.markets.tuning(market)).values, self.clock.now_ms()
            context = Context(now_ms=now_ms, values=values, by=by.by, subject=by.subject)
            return onboarding.follows(before, after, tuple(keeps), task, context)

        def change(vendor: Vendor) -> Vendor:
            return taken_to(vendor, said.state, reason, by)

        return await self._by_ops(who, market, vendor_id, change, key=key, entry=entry, also=also)

    async def verify(
        self,
        who: Principal,
        market: str,
        vendor_id: str,
        papers: Sequence[SeenPaper],
        key: IdempotencyRecord | None = None,
        *,
        holds: bool,
    ) -> Versioned[Vendor]:
        """Papers verified, or no longer. Raises WrongState for one that the vendor does not claim (now)."""
        by = self._signed(who)

        def change(vendor: Vendor) -> Vendor:
            return verified(vendor, papers, by, holds=holds)

        name = "verify_papers" if holds else "take_back_verification"
        detail = " ".join(f"{each.kind.value}:{each.expires_on.isoformat()}" for each in papers)
        entry = await self.acts.entry(who, market, name, "vendor", vendor_id, detail=detail)
        return await self._by_ops(who, market, vendor_id, change, key=key, entry=entry)

    async def _by_ops(
        self,
        who: Principal,
        market: str,
        vendor_id: str,
        change: Callable[[Vendor], Vendor],
        *,
        key: IdempotencyRecord | None,
        entry: Decision,
        also: Also | None = None,
    ) -> Versioned[Vendor]:
        """The vendor after it was changed, and the same again when that is repeated."""
        if not who.may({Role.OPS}):
            raise NotFound(f"there is no vendor {vendor_id}\nMaybe it is for another role.")
        stored = self.markets.store(market)
        for _ in range(ATTEMPTS):
            found = await self.get(who, market, vendor_id)
            if await already_applied(stored, key):
                return found
            after = change(found.value)
            if after == found.value:
                if key is not None:
                    refuse_reuse(await stored.remember(key))
                return found
            more = await also(found.value, after) if also is not None else None
            outcome = await stored.vendors.replace(
                found.version,
                found,
                after,
                at_ms=self.clock.now_ms(),
                idempotency=key,
                entry=entry if more is None else acts.with_more(entry, more),
            )
            refuse_reuse(outcome)
            if outcome.status is Status.OK:
                return Versioned(found.version + 1, after, found.changed_ms)
        raise too_busy(f"vendor {vendor_id}")

    def _signed(self, who: Principal) -> Signed:
        return Signed(by=who.acting_as({Role.OPS}), subject=who.subject, at=to_instant(self.clock.now_ms()))
