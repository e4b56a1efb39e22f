"""Rows of a board as far as they can be made: what raises is named, once, and all others are shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from contracts.requests import Request
from dispatcher.domain.requests import RequestRecord
from dispatcher.runtime.errors import kind_of_failure
from dispatcher.service.board import NOWHERE, Places, Row, places_of, row_of
from dispatcher.store.aside import Item
from dispatcher.store.market import MarketStore

ROW: Final = "row"  # what is set aside
Made = TypeVar("Made")


def row_made(stored: MarketStore, record: RequestRecord, places: Places) -> Row | None:
    """None: it cannot be made."""
    return _made(stored, record.id, partial(row_of, record, places))


def places_made(stored: MarketStore, request_id: str, body: Request) -> Places:
    """Nowhere, if they cannot be made."""
    return _made(stored, request_id, partial(places_of, body)) or NOWHERE


def _made(stored: MarketStore, request_id: str, make: Callable[[], Made]) -> Made | None:
    try:
        return make()
    except Exception as error:
        stored.node.aside.note_again(stored.name, Item(ROW, request_id), kind_of_failure(error))
        return None
