"""What is published on a market's `wake`, in words: ids of requests that wait anew, and vendors that changed.

It is a hint: it may be lost, and whoever hears it looks for itself in time. What it carries of a request is
as it is stored, the body sealed; what is decided on it is committed under the record's version, as always.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

CHANGED = "*"  # before the id of a vendor that is another now, or has posted something else
COME = "="  # before the record and the body of the request whose id stands before it
MOST_BYTES = 16_384  # of record and body; what is larger is read: each server of a cluster hears of it
_BETWEEN = ","


class Come(NamedTuple):
    """A request that has just come, as it is stored."""

    record: bytes
    body: bytes


class Hint(NamedTuple):
    """What was heard: false if nothing was. `ids` are requests that wait for a vendor anew."""

    ids: tuple[str, ...] = ()
    look: bool = False  #: there is more than the ids tell: whoever hears it looks for itself
    vendors: tuple[str, ...] = ()  #: that are others now, or have posted something else
    come: Mapping[str, Come] = MappingProxyType({})  #: of these ids, those that came with all they have

    def __bool__(self) -> bool:
        return self.look or bool(self.vendors or self.ids)


def come_of(request_id: str, record: bytes, body: bytes) -> bytes:
    """The hint of one request with all it has, unless that is large."""
    if len(record) + len(body) > MOST_BYTES:
        return request_id.encode()
    told = (base64.b64encode(each) for each in (record, body))
    return request_id.encode() + f" {COME}".encode() + _BETWEEN.encode().join(told)


def heard_as(heard: Iterable[bytes]) -> Hint:
    """Hints that came together, as one. What was cut is passed over: it can be read.

    So is what a request brought that is named once more without it: it is another by now.
    """
    ids, vendors, come, look = dict[str, None](), dict[str, None](), dict[str, Come](), False
    for said in heard:
        look, last = look or not said, ""
        for word in said.decode(errors="replace").split():
            if word.startswith(CHANGED):
                vendors[word.removeprefix(CHANGED)] = None
            elif not word.startswith(COME):
                ids[last := word] = None
                come.pop(word, None)
            elif last and (found := _come(word)) is not None:
                come[last] = found
    return Hint(tuple(ids), look, tuple(vendors), come)


def _come(word: str) -> Come | None:
    try:
        record, body = (base64.b64decode(each) for each in word.removeprefix(COME).split(_BETWEEN))
    except ValueError:
        return None
    return Come(record, body)
