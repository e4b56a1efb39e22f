"""What a command is decided on: its record, and of a request what was asked, where that is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts.requests import Request
from dispatcher.domain.commands.table import Command, kind_for, row
from dispatcher.domain.compact import Record
from dispatcher.domain.refusals import NotFound
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.service.markets import Markets
from dispatcher.store.market import MarketStore

Look = Callable[[Any, bytes], None]  #: sees a request's record and body, as they are stored; may refuse


async def load(markets: Markets, stored: MarketStore, command: Command) -> Any:
    """The record that a command is about. Raises NotFound."""
    record = await stored.records(kind_for(command)).get(command.subject)
    if record is None:
        await markets.refuse_if_lost()
        if kind_for(command) is REQUEST_KIND:
            record = await stored.requests.come_or_lost(command.subject)
    if record is None:
        raise NotFound(f"there is no {command.named}\nMaybe the id is misspelt.")
    return record


async def find(markets: Markets, stored: MarketStore, command: Command, look: Look | None = None) -> Any:
    """As `load`; None where there is none yet and the command creates it. Raises what `look` raises."""
    if row(type(command)).creates:
        return await stored.records(kind_for(command)).get(command.subject)
    if look is None:
        return await load(markets, stored, command)
    record, raw = await stored.requests.with_body(command.subject)
    if record is None:  # unless it came since
        record = await load(markets, stored, command)
        raw = await stored.requests.raw_body(command.subject)
    look(record, raw)
    return record


async def body(stored: MarketStore, record: Record | None) -> Request | None:
    """What was asked, where somebody may be asked next: the rest needs no read."""
    if not isinstance(record, RequestRecord) or not record.chain:
        return None
    return (await stored.requests.bodies([record.id])).get(record.id)
