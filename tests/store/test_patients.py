"""Patient data at rest: sealed for one request, readable under old keys, and nowhere else."""

import contextlib
import struct

import msgspec
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from contracts.amendments import AmendmentOutcome
from contracts.codes import RequestState
from contracts.geo import Place, Position
from contracts.identifiers import Identifier
from contracts.patients import Patient
from contracts.requests import EquipmentOrder, OrderLine, Request
from dispatcher.domain.amendments import Amendment
from dispatcher.domain.decision import Body
from dispatcher.domain.refusals import Unreadable
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.vault import UnreadablePatient, Vault
from dispatcher.store.bodies import Bodies, clear_part
from dispatcher.store.codec import encode
from dispatcher.store.compression import compress, decompress
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import LedgerKey
from dispatcher.store.market import MarketStore
from dispatcher.store.store import Store
from dispatcher.store.survey import survey
from tests.store.made import (
    DAY,
    NOW_MS,
    PATIENT,
    booking,
    decided,
    moved,
    offered,
    pools,
    received,
    record,
    released,
    trip,
)

PLAIN = b"Canary"
OLD, NEW = bytes(range(32)), bytes(range(32, 64))
CANARIES = [value.encode() for value in (PATIENT.name, PATIENT.phone, PATIENT.pickup_address) if value]
RING = PatientKeyFile("a", {"a": OLD})
DOORS = [degrees for door in trip("a").doors if door for degrees in door]
CANARIES += [struct.pack(">d", degrees) for degrees in DOORS] + [f"{degrees}".encode() for degrees in DOORS]
PLACE = EquipmentOrder(
    id="e",
    place=Place(position=(-73.987654, 40.123456)),
    window=trip("a").pickup_window,
    lines=(OrderLine(hcpcs="E1390"),),
)
NUMBER = "Canary-Order-1"
NUMBERED = replace(trip("a"), identifiers=(Identifier(system="urn:oid:1.2", value=NUMBER),))


def test_a_sealed_block_opens_for_its_request_and_no_other() -> None:
    vault = Vault(PatientKeyFile("a", {"a": OLD}))
    sealed = vault.seal("metro", "r1", PLAIN)
    assert vault.open("metro", "r1", sealed) == PLAIN
    for market, request_id in (("metro", "r2"), ("seoul", "r1")):
        with pytest.raises(UnreadablePatient, match=request_id) as refusal:
            vault.open(market, request_id, sealed)
        assert "Canary" not in str(refusal.value)


def test_a_changed_block_does_not_open() -> None:
    vault = Vault(PatientKeyFile("a", {"a": OLD}))
    sealed = bytearray(vault.seal("metro", "r1", PLAIN))
    sealed[-1] ^= 1
    with pytest.raises(UnreadablePatient):
        vault.open("metro", "r1", bytes(sealed))


def test_the_same_block_is_never_sealed_the_same_twice() -> None:
    vault = Vault(PatientKeyFile("a", {"a": OLD}))
    assert vault.seal("metro", "r1", PLAIN) != vault.seal("metro", "r1", PLAIN)


def test_after_a_new_key_old_blocks_still_open_and_new_ones_need_it() -> None:
    before = Vault(PatientKeyFile("a", {"a": OLD}))
    after = Vault(PatientKeyFile("b", {"a": OLD, "b": NEW}))
    assert after.open("metro", "r1", before.seal("metro", "r1", PLAIN)) == PLAIN
    with pytest.raises(UnreadablePatient, match="key ring"):
        before.open("metro", "r1", after.seal("metro", "r1", PLAIN))


async def test_no_key_record_ledger_or_stream_holds_patient_data(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    await market.capacity.put("v1", DAY, pools(1))
    await market.commit([received("a")], requests=[trip("a")])
    offer = offered(record("a"), booking())
    await market.commit([offer])
    await market.commit([released(offer.after)])
    assert await market.requests.patient("a") == PATIENT
    seen = [name async for name in raw.scan_iter(match=f"{keys.prefix}*")]
    assert keys.body(REQUEST_KIND, "a").encode() in seen
    assert keys.used(*LedgerKey("v1", "vans", DAY.isoformat())).encode() in seen
    for name in seen:
        content = name + await contents(raw, name)
        assert not [canary for canary in CANARIES if canary in content], name


@pytest.mark.parametrize("request_", [NUMBERED, trip("a", patient=None), PLACE], ids=str)
def test_a_body_keeps_no_door_and_no_identifier_in_the_clear_and_opens_to_what_it_was(
    request_: Request,
) -> None:
    form = Bodies(Vault(RING), "metro")
    raw = form.pack(request_)
    clear = bytes(decompress(raw[3 : 3 + (int.from_bytes(raw[:3], "big") & 0x7FFFFF)]))
    assert request_.id.encode() in clear
    assert NUMBER.encode() not in clear + raw
    for door in filter(None, request_.doors):
        assert not [degrees for degrees in door if struct.pack(">d", degrees) in clear]
    assert form.request(raw) == replace(request_, patient=None)
    assert form.whole(raw) == (replace(request_, patient=None), request_.patient)
    assert form.patient(raw) == request_.patient
    assert clear_part(raw).identifiers == ()


class SealedBefore(msgspec.Struct, frozen=True, array_like=True):
    """As the version before there were identifiers has it."""

    doors: tuple[Position, Position | None]
    patient: Patient | None = None


@pytest.mark.parametrize("request_", [NUMBERED, trip("a"), trip("a", patient=None), PLACE], ids=str)
def test_a_version_that_knows_no_identifiers_reads_the_rest_and_wrote_the_same_without(
    request_: Request,
) -> None:
    vault = Vault(RING)
    raw = Bodies(vault, "metro").pack(request_)
    end = 3 + (int.from_bytes(raw[:3], "big") & 0x7FFFFF)
    plain = bytes(decompress(vault.open("metro", request_.id, raw[end:])))
    before = SealedBefore(request_.doors, request_.patient)
    assert msgspec.msgpack.decode(plain, type=SealedBefore) == before
    assert (plain == encode(before)) is (not request_.identifiers)
    assert b"identifiers" not in bytes(decompress(raw[3:end]))


@pytest.mark.parametrize("request_", [trip("a"), trip("a", patient=None), PLACE], ids=str)
def test_a_body_of_before_is_read_with_its_doors_in_the_clear(request_: Request) -> None:
    vault = Vault(RING)
    clear = compress(encode(replace(request_, patient=None)))
    plain = compress(encode(request_.patient)) if request_.patient else b""
    raw = len(clear).to_bytes(3, "big") + clear + (vault.seal("metro", request_.id, plain) if plain else b"")
    form = Bodies(vault, "metro")
    assert form.request(raw) == replace(request_, patient=None)
    assert form.patient(raw) == request_.patient


def test_without_its_key_a_body_says_so_and_does_not_give_another_door() -> None:
    raw = Bodies(Vault(RING), "metro").pack(trip("a"))
    with pytest.raises(UnreadablePatient):
        Bodies(Vault(PatientKeyFile("b", {"b": NEW})), "metro").request(raw)


async def test_a_body_whose_key_is_gone_is_set_aside_and_the_others_are_read(
    market: MarketStore, raw: Redis, keys: Keys
) -> None:
    await market.commit([received("a"), received("b")], requests=[trip("a"), trip("b")])
    foreign = Bodies(Vault(PatientKeyFile("gone", {"gone": NEW})), market.name).pack(trip("a"))
    await raw.set(keys.body(REQUEST_KIND, "a"), foreign)
    assert list(await market.requests.bodies(["a", "b"])) == ["b"]
    with pytest.raises(Unreadable):
        await market.requests.body("a")


async def contents(raw: Redis, name: bytes) -> bytes:
    """All bytes of a key; a canary would stand in them as it is."""
    kind = await raw.type(name)
    if kind == b"stream":
        return b"".join(value for _, fields in await raw.xrange(name) for value in fields.values())
    if kind == b"zset":
        return b"".join(await raw.zrange(name, 0, -1))
    if kind == b"set":
        return b"".join(await raw.smembers(name))
    value = bytes(await raw.get(name))
    return b"".join([value, *(plain(value[skipped:]) for skipped in (0, 3, 4))])  # a length, a version


def plain(stored: bytes) -> bytes:
    """What was compressed, as it was: nothing hides in there."""
    with contextlib.suppress(msgspec.DecodeError):  # not compressed: a ledger, a sealed block
        return bytes(decompress(stored))
    return b""


async def test_what_an_amendment_keeps_is_sealed_and_needs_its_key(store: Store, market: MarketStore) -> None:
    form = market.requests.form
    before, after = form.pack(trip("a")), form.pack(replace(trip("a"), pickup=Place(position=(-73.9, 40.1))))
    kept = Amendment(
        at_ms=NOW_MS,
        by="platform",
        subject="",
        fields=("pickup",),
        outcome=AmendmentOutcome.MADE,
        before=before,
    )
    assert (await market.commit([received("a")], requests=[trip("a")])).ok
    changed = decided(record("a"), moved(record("a"), RequestState.RECEIVED, amendments=(kept,)))
    assert (await market.commit([replace(changed, bodies=(Body("a", after),))])).ok
    stored = await market.requests.body("a")
    assert stored is not None
    assert stored.doors[0] == (-73.9, 40.1)
    assert market.requests.opened_whole("a", before) == trip("a")
    raw = await store.reader.get(market.keys.record(REQUEST_KIND, "a"))
    assert raw is not None
    assert not any(canary in raw or canary in decompress(raw[4:]) for canary in CANARIES)
    found = await survey(store.reader, market.name)
    assert [each.open for each in found.sealed.values()] == [2], "the body, and what it replaced"
