"""What is stored many times over is small, stands alone, and is read for ever."""

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from dispatcher.store import codec
from dispatcher.store.compression import DEFLATED, MARK, compress, decompress
from tests.store.made import PATIENT, offered, record, trip

DOCUMENTS = [
    codec.encode(msgspec.structs.replace(trip("a"), patient=None)),
    codec.encode(offered(record("a")).after),
    codec.encode(PATIENT),
    b"\x80",
    b"\x90",
]


@pytest.mark.parametrize("plain", DOCUMENTS)
def test_what_was_squeezed_comes_back_byte_by_byte(plain: bytes) -> None:
    assert decompress(compress(plain)) == plain
    assert len(compress(plain)) <= len(plain)


def test_a_request_takes_less_than_half_of_its_messagepack() -> None:
    plain = DOCUMENTS[0]
    assert len(compress(plain)) < len(plain) / 2


def test_what_was_stored_plain_is_read_as_it_is() -> None:
    """No MessagePack map or array begins with the mark."""
    assert all(plain[:1] not in (DEFLATED, MARK) for plain in DOCUMENTS)
    assert [decompress(plain) for plain in DOCUMENTS] == DOCUMENTS


def test_what_dictionary_1_squeezed_is_read_for_ever() -> None:
    """If this fails, the dictionary was changed: put it back, and give the new one a number of its own."""
    stored = bytes.fromhex("016b4138129f0320563441cd6641321225532d05e588d4ad58cb7f00")
    assert msgspec.msgpack.decode(decompress(stored)) == {
        "kind": "trip",
        "level_of_service": "wheelchair",
        "needs": {"stairs": 4, "door_level": "hand_to_hand"},
        "state": "PROVIDER_ADMIN_CANCEL",
    }


def test_what_dictionary_2_compressed_is_read_for_ever() -> None:
    """If this fails, the file was changed: put it back, and give the new one a number of its own."""
    stored = bytes.fromhex(
        "020000fc0000050100808381a673746169727304a26f66dc001404fc4ee70126ea5caebe8e1440c73d"
    )
    assert decompress(stored) == codec.encode(
        {"kind": "trip", "needs": {"stairs": 4}, "of": ["wheelchair"] * 20}
    )


def test_threads_compress_side_by_side() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda plain: decompress(compress(plain)) == plain, DOCUMENTS * 200))


@pytest.mark.parametrize(
    "damage", [b"\x01\xff\xff", b"\x01\x07", b"\x02", b"\x02\xff\xff\xff", b"\x02\0\0\x09\x07\x07\x07\x07"]
)
def test_a_damaged_document_is_said_to_be_damaged(damage: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decompress(damage)
