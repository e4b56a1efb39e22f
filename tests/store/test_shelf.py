"""Records are looked through again and again, and no more of them are held decoded than are let."""

from __future__ import annotations

from typing import Any

from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.store import codec
from dispatcher.store.shelf import Shelf, Values
from tests.store.made import record


def test_of_many_the_first_few_are_held_and_the_others_read_anew_each_time() -> None:
    read = list[str]()

    def unpack(raw: bytes) -> Any:
        found = codec.document_of(REQUEST_KIND).unpack(raw)
        read.append(found.value.id)
        return found

    made = {f"r{number}": record(f"r{number}") for number in range(50)}
    held = Shelf(unpack, most=5)
    for name, each in made.items():
        held.put(name, codec.pack(each.version, each))
    seen = Values[RequestRecord](held)
    for _ in range(2):
        read.clear()
        assert dict(seen) == made
        assert read == list(made)[5:]
    assert (len(held), "r49" in held, "r50" in held, seen.get("r50")) == (50, True, False, None)
