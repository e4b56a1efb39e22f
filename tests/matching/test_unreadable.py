"""What cannot be read is left out of a plan; the market's other requests and vendors go on."""

from __future__ import annotations

from datetime import datetime

import msgspec

from contracts.codes import RequestState
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.solving import SolverPool
from dispatcher.store.aside import Item
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import LedgerKey
from tests.matching.conftest import Town
from tests.solvers.town import DAY, trip, vendor


async def spoil(town: Town, key: str) -> None:
    """Keep the version; what follows is nothing."""
    await town.store.reader.ask("SETRANGE", key, 4, b"\xc1" * 40)


async def end_in_2101(town: Town, request_id: str) -> None:
    """The body as it was stored when the year was checked in the sender's offset."""
    values = msgspec.to_builtins(trip(request_id))
    values["pickup_window"]["latest"] = datetime.fromisoformat("2100-12-31T23:00:00-10:00")
    body = msgspec.msgpack.encode(values)
    key = Keys(town.name).body(REQUEST_KIND, request_id)
    await town.store.reader.ask("SET", key, len(body).to_bytes(3, "big") + body)


async def test_one_unreadable_body_does_not_fail_its_batch(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("bad"), trip("good"))
    await end_in_2101(town, "bad")
    done = await run_batch(own, town.market, solvers)
    assert done.offered == {"good"}
    assert (await town.record("bad")).state is RequestState.RECEIVED
    assert town.store.aside.known(town.name) == {Item("body", "bad")}


async def test_an_imminent_request_is_matched_beside_a_record_and_vendors_that_cannot_be_read(
    town: Town, own: Ownership
) -> None:
    keys = Keys(town.name)
    for each in ("v1", "v2", "v3", "v4"):
        await town.add_vendor(vendor(each))
    await town.submit(trip("bad"), trip("good"))
    await spoil(town, keys.record(REQUEST_KIND, "bad"))
    await spoil(town, keys.vendor("v1"))
    await spoil(town, keys.capacity("v2", DAY.isoformat()))
    long = keys.limit(*LedgerKey("v3", "vans", DAY.isoformat()))
    await town.store.reader.ask("SETRANGE", long, 700, b"\0\1")
    await town.store.reader.ask("SET", keys.tuning, b"\0\0\0\1\xc1")
    assert (await match_imminent(own, town.market, ["bad", "good"])).offered == {"good"}
    assert (await town.record("good")).offers[-1].vendor_id == "v4"
    assert {each.kind for each in town.store.aside.known(town.name)} == {
        "request",
        "vendor",
        "posting",
        "ledger",
        "tuning",
    }


async def test_what_is_missing_or_of_a_wrong_type_is_set_aside_as_well(town: Town, own: Ownership) -> None:
    keys, ask = Keys(town.name), town.store.reader.ask
    for each in ("v1", "v2", "v3"):
        await town.add_vendor(vendor(each))
    await town.submit(trip("bad"), trip("good"))
    await ask("DEL", keys.body(REQUEST_KIND, "bad"), keys.capacity("v2", DAY.isoformat()))
    for name in (keys.vendor("v1"), keys.scorecards("2026-11")):
        await ask("DEL", name)
        await ask("RPUSH", name, "of a wrong type")
    assert (await match_imminent(own, town.market, ["bad", "good"])).offered == {"good"}
    assert (await town.record("good")).offers[-1].vendor_id == "v3"
    assert town.store.aside.known(town.name) == {
        Item("body", "bad"),
        Item("vendor", "v1"),
        Item("posting", f"v2:{DAY}"),
        Item("scorecard", "2026-11"),
    }


async def test_a_hint_that_is_no_text_is_no_failure(town: Town) -> None:
    async with town.store.market(town.name).wake() as wake:
        await town.store.reader.ask("PUBLISH", Keys(town.name).wake, b"\xff\xfe r1")
        assert "r1" in (await wake.wait(5.0)).ids
