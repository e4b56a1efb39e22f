"""Credentials whose last valid day comes near: told of, and made somebody's task, by the market's own day.

Whoever has the market's lease, or that of its jobs where these run apart, looks. What was told is kept in the
commit that tells it, so that a crash, a restart or a second looker tells nothing twice.
"""

from __future__ import annotations

import asyncio

import structlog

from contracts.vendors import Vendor
from dispatcher.domain.commands.credentials import NoteCredentials
from dispatcher.domain.credentials import (
    CredentialWatch,
    Due,
    beyond,
    dispatch_task,
    due_papers,
    first_stop_ms,
    local_day,
    paper_task,
)
from dispatcher.domain.refusals import Unavailable, Unreadable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.runtime.errors import kind_of_failure
from dispatcher.service.service import Service
from dispatcher.store.codec import Versioned
from dispatcher.store.lease import LeasePart

LOOK_S, LOOK_CLOCK_S, LEAST_S = 30.0, 300.0, 5.0  # real; by the clock, which may run faster; no more often
MOST = 100  # dispatches of one vendor that are taken up in one commit
BY = "service"
log = structlog.get_logger()


async def keep_credentials(service: Service, market: str, owner: str, lease: LeasePart) -> None:
    """For ever, until cancelled. `owner`: who we are, in that lease: who has it looks. Raises Unavailable."""
    while not cancel_requested():
        if await lease.owner() == owner:
            await note_credentials(service, market)
        await asyncio.sleep(max(LEAST_S, min(LOOK_S, service.clock.real_s(LOOK_CLOCK_S))))


async def note_credentials(service: Service, market: str) -> int:
    """One look at all vendors; of how many something was new.

    Raises Unavailable; and, after the others have had their look, what that of one raised.
    """
    stored, tz = service.store.market(market), service.markets.zones[market]
    values = (await service.markets.tuning(market)).values
    vendors, told = await stored.vendors.get_all(), 0
    watched = await stored.credentials.get_all()
    today, failed = local_day(service.clock.now_ms(), tz), list[Exception]()
    for name, vendor in vendors.items():
        watch = watched.get(name)
        try:
            due = due_papers(vendor.value, watch.papers if watch else (), today, values)
            if due or watch:
                told += await _note(service, market, vendor, due, watch)
        except Unavailable:
            raise
        except Unreadable as refusal:
            log.warning("credentials_not_noted", market=market, vendor=name, reason=refusal.reason)
        except Exception as error:
            log.warning("credentials_not_noted", market=market, vendor=name, reason=kind_of_failure(error))
            failed.append(error)
    if failed:
        raise failed[0]
    return told


async def _note(
    service: Service,
    market: str,
    vendor: Versioned[Vendor],
    due: list[Due],
    watch: CredentialWatch | None,
) -> bool:
    """A vendor's; what lost a race is seen at the next look."""
    stored, tz = service.store.market(market), service.markets.zones[market]
    name, known = vendor.value.id, watch.beyond if watch else ()
    found = []
    if (from_ms := first_stop_ms(due, tz)) is not None:
        ids = [each.rpartition(".")[0] for each in await stored.credentials.offer_ids(name, from_ms)]
        records = await stored.requests.records.get_all(list(dict.fromkeys(ids)))
        found = beyond(name, records.values(), due, tz)
    fresh = [each for each in found if each.offer_id not in known][:MOST]
    found = [each for each in found if each.offer_id in known or each in fresh]
    kinds = {each.noted.kind for each in due} | {each.kind for each in (watch.papers if watch else ())}
    names = [paper_task(name, each) for each in sorted(kinds)]
    names += [dispatch_task(each) for each in {*known, *(each.offer_id for each in found)}]
    command = NoteCredentials(
        vendor_id=name,
        version=vendor.version,
        papers=tuple(due),
        beyond=tuple(found),
        tasks=await stored.tasks.records.get_all(names),
    )
    outcome = await service.executor.attempt(BY, market, command, watch)
    return outcome is not None and outcome.ok
