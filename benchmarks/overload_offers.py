"""Open offers for the vendors of `bench overload`, made by the decisions and commits of the service."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from benchmarks.open_request import MARKET, OpenRequests, proposal, vendor_id
from contracts.codes import Role
from contracts.geo import Window
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.commands.table import decide
from dispatcher.domain.context import Context
from dispatcher.security.key_files import read_token_keys
from dispatcher.security.tokens import claims, mint
from dispatcher.settings import Settings
from dispatcher.store.store import Store


async def make(store: Store, settings: Settings, count: int) -> list[tuple[str, str]]:
    """So many offers that a vendor may accept now: the offer's id, its vendor's token."""
    works, market = OpenRequests(store, count), store.market(MARKET)
    await works.prepare()
    tokens = [_token(settings, vendor_id(each)) for each in range(works.vendors)]
    now_ms, at = time.time_ns() // 1_000_000, datetime.now(UTC) + timedelta(days=1)
    window = Window(earliest=at, latest=at + timedelta(hours=2))
    for number, trip in enumerate(works.trips):
        request = replace(trip, pickup_window=window)
        received = receive(request, Context(now_ms=now_ms, by="platform"))
        await market.commit([received], requests=[request])
        record = received.after
        plan = proposal(record, number, works.vendors)
        command = MakeOffer(request_id=record.id, request=request, proposal=plan)
        made = decide(record, command, Context(now_ms=now_ms, by="matcher"))
        outcome = await market.commit([made] if made else [])
        if not outcome.ok:
            raise RuntimeError(f"{record.id}: {outcome}")
    return [(f"{trip.id}.1", tokens[number % works.vendors]) for number, trip in enumerate(works.trips)]


def _token(settings: Settings, vendor: str) -> str:
    now_ms = time.time_ns() // 1_000_000
    made = claims(Role.VENDOR, markets=[MARKET], vendor_id=vendor, now_ms=now_ms, hours=2)
    return mint(read_token_keys(settings.token_keys_file), made)
