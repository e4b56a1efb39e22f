"""What is stored many times over, made small: Zstandard with a dictionary trained on documents.

Field names and codes are most of a document; with a dictionary they cost a few bits each, although every
document stands alone. A compressed value begins with a mark, which no MessagePack map or array begins with,
so plain ones are told apart and stay readable. A dictionary is part of the stored form: never change it; a
better one is another file with another mark (`tools/compression_dictionary.py`, docs/decisions/0033).
"""

from __future__ import annotations

import threading
import zlib
from functools import cache
from importlib.resources import files

import msgspec
import zstandard

from dispatcher.store.words import DICTIONARY_1

LEAST_BYTES = 160  # what is smaller gains less than a bulk string's own overhead: not worth the time
DEFLATED, MARK = b"\x01", b"\x02"  # dictionary 1, read for ever; dictionary 2
MOST_BYTES = 2**24 - 1  # of a document; what says that it has more is damaged
_LENGTH_BYTES = 3
_WINDOW_1 = -11
# 1 to 2 us a document, and 1 to undo: a fifth of deflate's time. Higher levels take longer for 3 %.
_LEVEL = 1


def compress(plain: bytes) -> bytes:
    """`plain`, a MessagePack map or array, as it is stored: unchanged where that gains nothing."""
    if not LEAST_BYTES <= len(plain) <= MOST_BYTES:
        return plain
    small = MARK + len(plain).to_bytes(_LENGTH_BYTES, "big") + _OF_THREAD.compressor.compress(plain)
    return small if len(small) < len(plain) else plain


def decompress(stored: bytes | memoryview) -> bytes | memoryview:
    """What was compressed. Raises msgspec.DecodeError if it is damaged."""
    mark = stored[:1]
    try:
        if mark == MARK:
            length = int.from_bytes(stored[1 : 1 + _LENGTH_BYTES], "big")
            return _OF_THREAD.decompressor.decompress(stored[1 + _LENGTH_BYTES :], max_output_size=length)
        if mark == DEFLATED:
            return zlib.decompressobj(_WINDOW_1, DICTIONARY_1).decompress(stored[1:])
    except (zlib.error, zstandard.ZstdError) as error:
        raise msgspec.DecodeError(str(error)) from error
    return stored


@cache
def _dictionary() -> zstandard.ZstdCompressionDict:
    trained = zstandard.ZstdCompressionDict(files(__package__).joinpath("documents-2.dict").read_bytes())
    trained.precompute_compress(level=_LEVEL)
    return trained


class _OfThread(threading.local):
    """One of each for every thread: none of them may be in two at once."""

    def __init__(self) -> None:
        dictionary = _dictionary()
        parameters = zstandard.ZstdCompressionParameters.from_level(
            _LEVEL,
            source_size=512,  # as most are
            dict_size=len(dictionary),
            format=zstandard.FORMAT_ZSTD1_MAGICLESS,
            write_content_size=False,
            write_checksum=False,
            write_dict_id=False,
        )
        self.compressor = zstandard.ZstdCompressor(dict_data=dictionary, compression_params=parameters)
        self.decompressor = zstandard.ZstdDecompressor(
            dict_data=dictionary, format=zstandard.FORMAT_ZSTD1_MAGICLESS
        )


_OF_THREAD = _OfThread()
