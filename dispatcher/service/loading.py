"""What a command is decided on: its record, what stands beside it, and of a request what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from contracts.requests import Request
from dispatcher.domain.commands.subjects import OnOffer
from dispatcher.domain.commands.table import Command, kind_for, row
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.refusals import no_such
from dispatcher.domain.request_kind import REQUEST_KIND, papers_of
from dispatcher.domain.requests import RequestRecord
from dispatcher.service.markets import Markets
from dispatcher.store.market import MarketStore
from dispatcher.store.records import Name
from dispatcher.store.requests import Reading


class Look(Protocol):
    """Who sees what a command on a request is decided on, each time that it is."""

    def see(self, record: RequestRecord, body: bytes) -> None:
        """The record, and the body as it is stored. May refuse: then the command has no effect."""

    def noted(self, decision: Decision | None, context: Context) -> Decision | None:
        """What is to be committed with the decision; None: nothing."""


async def load(markets: Markets, stored: MarketStore, command: Command) -> Any:
    """The record that a command is about. Raises NotFound."""
    record = await stored.records(kind_for(command)).get(command.subject)
    if record is None:
        await markets.refuse_if_lost()
        if kind_for(command) is REQUEST_KIND:
            record = await stored.requests.come_or_lost(command.subject)
    if record is None:
        raise no_such(command.named)
    return record


async def read(
    markets: Markets, stored: MarketStore, command: Command, vendor_id: str, look: Look | None = None
) -> Reading:
    """As `load`, with what goes with a request. `vendor_id`: who gives the command.

    The record is None where there is none yet and the command creates it. Raises what `look` raises.
    """
    kind = kind_for(command)
    if row(type(command)).creates:
        return Reading(await stored.records(kind).get(command.subject))
    if kind is not REQUEST_KIND:
        return Reading(await load(markets, stored, command))
    found = await stored.read(command.subject, _likely(command, vendor_id))
    if found.record is None:  # unless it came since
        record = await load(markets, stored, command)
        found = Reading(record, await stored.requests.raw_body(command.subject))
    if look is not None:
        look.see(found.record, found.body)
    return found


def _likely(command: Command, vendor_id: str) -> Sequence[Name]:
    """What its decision will probably look at; what it looks at beside that is read after."""
    if not isinstance(command, OnOffer) or not vendor_id or not command.is_before_work:
        return ()
    return papers_of(vendor_id, command.offer_id)


async def known(stored: MarketStore, record: Record | None) -> Reading:
    """The same of a record that was read before; it may be gone by now: then its commit is STALE."""
    if not isinstance(record, RequestRecord) or not record.chain:
        return Reading(record)
    _, bodies = await stored.requests.records_and_bodies((), (record.id,))
    return Reading(record, bodies[record.id] or b"")


def asked(stored: MarketStore, found: Reading) -> Request | None:
    """What was asked, where somebody may be asked next: elsewhere nobody looks."""
    record = found.record
    if not isinstance(record, RequestRecord) or not record.chain:
        return None
    return stored.requests.bodies_in({record.id: found.body or None}).get(record.id)
