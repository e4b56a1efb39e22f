"""A record shows ids and figures; doors and needs open under the patient keys alone."""

import struct

import msgspec
import pytest
import zstandard

from contracts.geo import Place
from dispatcher.decisions.record import Raw, Unsaved
from dispatcher.decisions.store import DecisionStore
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.vault import MissingKey, Vault
from tests.decisions.conftest import Saved
from tests.solvers.town import trip, vendor

DOOR = (-74.2123457, 40.7123457)


@pytest.fixture
async def raw(saved: Saved, own: Ownership) -> Raw:
    """A decision on a ride from that door."""
    await saved.town.add_vendor(vendor("v1"))
    await saved.town.submit(trip("r1", start_min=20, pickup=Place(position=DOOR)))
    await match_imminent(own, saved.town.market, ["r1"])
    (entry,) = await saved.entries()
    found = saved.store.get(saved.town.name, entry.digest, [entry.day])
    assert found is not None
    return found


async def test_no_door_stands_in_a_record_in_the_clear(saved: Saved, raw: Raw) -> None:
    doors = [struct.pack("<d", each) for each in DOOR]
    opened = [zstandard.ZstdDecompressor().decompress(each) for each in (raw.supply, raw.rest, raw.plan)]
    for name in [each.name for each in saved.store.blobs.under(saved.town.name)]:
        kept = saved.store.blobs.get(name) or b""
        assert not any(door in kept for door in doors)
    assert not any(door in each for door in doors for each in opened)
    assert saved.store.opened(raw).screening.facts.pickup[0].tolist() == list(DOOR)


async def test_without_its_key_a_decision_is_shut_and_says_which(saved: Saved, raw: Raw) -> None:
    other = Vault(PatientKeyFile("new", {"new": bytes(32)}))
    with pytest.raises(MissingKey, match="'dev' is not in the key ring"):
        DecisionStore(saved.store.blobs, other).opened(raw)


async def test_a_sealed_part_opens_for_no_other_decision(saved: Saved, raw: Raw) -> None:
    moved = Raw(
        msgspec.structs.replace(raw.header, digest="0" * 16),
        raw.sealed,
        raw.supply,
        raw.rest,
        raw.plan,
        raw.shared,
    )
    with pytest.raises(RuntimeError, match="was not sealed for it"):
        saved.store.opened(moved)


@pytest.mark.parametrize("cut", [0, 5, 9, 40])
async def test_a_cut_record_is_unsaved_and_nothing_worse(raw: Raw, cut: int) -> None:
    with pytest.raises(Unsaved):
        Raw.read(raw.pack()[:cut])
