"""A fail-over loses the last writes, and their version numbers come again: nothing is half of each."""

from __future__ import annotations

from pathlib import Path

from chaos.fail_over import _ask, _caught_up, _follows, _free_port
from contracts.codes import RequestState
from dispatcher.audit.auditor import audit
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.lineage import Lineage
from dispatcher.store.outcome import Status
from dispatcher.store.store import Store
from tests.proxy import Proxy
from tests.store.conftest import RING
from tests.store.made import decided, received, record, trip

OWN, OTHER, NEVER = "a" * 40, "b" * 40, "0" * 40


def told(own: str, before: str = NEVER) -> str:
    return f"# Replication\r\nrole:master\r\nmaster_replid:{own}\r\nmaster_replid2:{before}\r\n"


def test_a_promotion_is_met_once_and_a_server_that_starts_again_is_none() -> None:
    lineage = Lineage()
    for said, number in (
        (told(OWN), 0),
        (told(OWN), 0),
        (told(OTHER), 0),  # started again: its data is what it was
        (told("c" * 40, OTHER), 1),
        (told("c" * 40, OTHER), 1),
        ("", 1),
    ):
        lineage.met(said)
        assert lineage.number == number


async def test_what_was_decided_on_what_a_fail_over_lost_is_not_written_over_another_of_its_version(
    tmp_path: Path,
) -> None:
    primary = EmbeddedRedis(tmp_path / "0", port=_free_port())
    replica = EmbeddedRedis(tmp_path / "1", port=_free_port())
    await primary.start()
    await replica.start()
    first = record("a")
    lost = record("a", version=2, state=RequestState.MATCHING)
    stands = record("a", version=2, state=RequestState.CANCELLED)
    try:
        await _follows(replica, primary)
        async with Proxy(primary.socket) as proxy, Store(proxy.url, RING, timeout_s=20) as store:
            market = store.market("over")
            await market.commit([received("a")], requests=[trip("a")])
            await _caught_up(primary)
            await _ask(replica, "REPLICAOF", "NO", "ONE")
            since = market.lineage
            assert (await market.commit([decided(first, lost)])).ok
            async with Store(replica.url, RING) as elsewhere:
                assert (await elsewhere.market("over").commit([decided(first, stands)])).ok
            primary.kill()
            proxy.upstream = replica.socket
            proxy.cut()
            over = decided(lost, record("a", version=3, state=RequestState.UNMATCHED))
            assert (await market.commit([over])).status is Status.STALE
            assert (await market.commit([over], since=since)).status is Status.STALE
            kept = await market.requests.records.get("a")
            assert kept is not None
            assert (kept.version, kept.state) == (2, RequestState.CANCELLED)
            assert (await market.commit([received("b")], requests=[trip("b")], since=since)).ok
            found = (await audit(store.reader, "over"))["findings"]
            assert [each for each in found if each["rule"] == "lists"] == []
    finally:
        await primary.stop()
        await replica.stop()
