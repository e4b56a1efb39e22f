"""Patient data at rest: sealed for one request, readable under old keys, and nowhere else."""

import contextlib

import msgspec
import pytest
from redis.asyncio import Redis

from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.vault import UnreadablePatient, Vault
from dispatcher.store.compression import decompress
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import LedgerKey
from dispatcher.store.market import MarketStore
from tests.store.made import DAY, PATIENT, booking, offered, pools, received, record, released, trip

PLAIN = b"Canary"
OLD, NEW = bytes(range(32)), bytes(range(32, 64))
CANARIES = [value.encode() for value in (PATIENT.name, PATIENT.phone, PATIENT.pickup_address) if value]


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
