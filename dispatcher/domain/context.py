"""What a decision is made in: who acts, when, under which tuning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from contracts.codes import Role
from contracts.requests import Request
from contracts.tuning import Number, Words


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Time, ids and tuning are arguments of every decision; it reads no clock and draws no lots.

    `tz`: the market's, for what goes by the clock on the wall.

    `by` is how histories name who acts: the role that gives the right, or a vendor; `subject` which person or
    system of theirs, as the token says; `roles` all that it says, none when the service acts by itself.
    `vendor_id` is set when a vendor acts, `facility_id` when a facility does. `related`: records beside
    the one that is decided on, by id (`kinds.beside`), as its kind asked for them. `trace`: what it is
    traced by, if it is (`dispatcher.runtime.traces`). `sends_nothing`: nobody
    sends notifications here: what is due is told, and is over. `body`: what was asked, without its
    patient, of a request of which somebody may be asked next (`RequestRecord.chain`). `passed_over`: so many
    of those who would have it now turned out to have no room, or to have changed.
    """

    now_ms: int
    values: Mapping[str, Number] = {}
    lists: Mapping[str, Words] = {}
    by: str = ""
    subject: str = ""
    roles: frozenset[Role] = frozenset()
    vendor_id: str = ""
    facility_id: str = ""
    tz: ZoneInfo = ZoneInfo("UTC")
    related: Mapping[str, Any] = {}
    trace: bytes = b""
    sends_nothing: bool = False
    body: Request | None = None
    passed_over: int = 0
