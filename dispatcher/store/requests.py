"""Requests beside their records: bodies and patient blocks, the open ones, pages, vendors' offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import merge
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace

from contracts.codes import RequestState
from contracts.patients import Patient
from contracts.requests import Request
from dispatcher.domain.compact import Record
from dispatcher.domain.episodes import EPISODE_KIND, Episode
from dispatcher.domain.refusals import NotFound
from dispatcher.domain.request_kind import AMENDED, BY_START, REQUEST_KIND, WILL_CALLS, index_of, offers_of
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import OPEN, TERMINAL
from dispatcher.runtime.rounds import beside_if_many
from dispatcher.store.aside import Item
from dispatcher.store.bodies import Bodies
from dispatcher.store.hints import Come
from dispatcher.store.keys import Keys
from dispatcher.store.listing import Cursor, Place, page_of
from dispatcher.store.node import Node
from dispatcher.store.records import Name, Records
from dispatcher.store.resp import text_of

BODY, PATIENT = "body", "patient"  # what is set aside of a request beside its record
Value = TypeVar("Value")


class Page(NamedTuple):
    """One page of a listing, by time received; `cursor` is None on the last."""

    records: tuple[RequestRecord, ...]
    cursor: str | None


class Reading(NamedTuple):
    """What a decision is made on: a record, of a request its body as it is stored, and what stood beside it.

    `beside`: of what was asked for by name; None: there is none, or none that can be read.
    """

    record: Any
    body: bytes = b""
    beside: Mapping[Name, Record | None] = MappingProxyType({})


def _ids_by_time(lists: Sequence[Sequence[bytes]], limit: int) -> list[str]:
    places = merge(*(Place.read(each) for each in lists))
    return [place.id for place in islice(places, limit)]


def _no_record(raw: bytes) -> RequestRecord:
    raise LookupError("a body without a record")


class RequestPart:
    """The requests of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.aside, self.keys = node.reader, node.aside, keys
        self.form = Bodies(node.vault, keys.market)
        self.records = Records(node, keys, REQUEST_KIND)
        self.episodes: Records[Episode] = Records(node, keys, EPISODE_KIND)

    async def body(self, request_id: str) -> Request | None:
        """The request as it came, without its patient block; None if unknown. Raises Unreadable."""
        raw = await self.reader.get(self.keys.body(REQUEST_KIND, request_id))
        return self._read(Item(BODY, request_id), raw, self.form.request) if raw else None

    async def expected_body(self, request_id: str) -> Request:
        """As `body`, of a request whose record is there: Unreadable if its body is gone. Raises NotFound."""
        return self._read(Item(BODY, request_id), await self.raw_body(request_id), self.form.request)

    async def raw_body(self, request_id: str) -> bytes:
        """As it is stored, of a request whose record was there; b"" if there is none.

        Raises NotFound where the record has gone with it: it was forgotten since, or a fail-over lost both.
        """
        raw = await self.reader.get(self.keys.body(REQUEST_KIND, request_id))
        if not raw and await self.records.get(request_id) is None:
            raise NotFound(f"there is no request {request_id} any more\nMaybe submit it again.")
        return raw or b""

    def opened(self, request_id: str, raw: bytes) -> Request:
        """A request as it was stored: its body, or one that an amendment kept. Raises Unreadable."""
        return self._read(Item(BODY, request_id), raw, self.form.request)

    def opened_whole(self, request_id: str, raw: bytes) -> Request:
        """The same with its patient block."""
        request, patient = self.parts(request_id, raw)
        return replace(request, patient=patient)

    def parts(self, request_id: str, raw: bytes) -> tuple[Request, Patient | None]:
        """The same, apart."""
        return self._read(Item(PATIENT, request_id), raw, self.form.whole)

    async def amended(self) -> dict[str, int]:
        """How often the body was written anew, of every open request of which it was."""
        found = await self.reader.ask("ZRANGE", self.keys.list(AMENDED), 0, -1, "WITHSCORES")
        return {place.id: place.score for place in Place.read(found)}

    async def is_lost(self, request_id: str) -> bool:
        """Whether something is stored of it, and no record: at one moment, for it may come or go any time."""
        keys = self.keys.record(REQUEST_KIND, request_id), self.keys.body(REQUEST_KIND, request_id)
        record, body = await self.reader.get_all(keys)
        return record is None and bool(body)

    async def come_or_lost(self, request_id: str) -> RequestRecord | None:
        """Of one that was not there a moment ago: the record, if it came since; None: there is none.

        Raises Unreadable if its record is gone and its body is there: it was not forgotten, it is lost.
        """
        if await self.is_lost(request_id):
            self._read(Item(REQUEST_KIND.name, request_id), b"", _no_record)
        return await self.records.get(request_id)

    async def bodies(self, ids: Sequence[str], *, expected: bool = False) -> dict[str, Request]:
        """The requests that exist and can be read, by id, without their patient blocks.

        `expected`: their records are there, so one without a body is set aside, too.
        """
        found = await self.reader.get_all([self.keys.body(REQUEST_KIND, each) for each in ids])
        return self.bodies_in(dict(zip(ids, found, strict=True)), expected=expected)

    def bodies_in(self, found: Mapping[str, bytes | None], *, expected: bool = False) -> dict[str, Request]:
        """The same of what was read."""
        return self.aside.read_all(
            self.keys.market, BODY, found.items(), self.form.request, expected=expected
        )

    async def records_and_bodies(
        self, ids: Sequence[str], fresh: Sequence[str], come: Mapping[str, Come] = MappingProxyType({})
    ) -> tuple[dict[str, RequestRecord], dict[str, bytes | None]]:
        """Records as `records.get_all` has them, and with the same question, as they are stored, bodies.

        Those of `come` are not asked for.
        """
        asked, wanted = ([each for each in some if each not in come] for some in (ids, fresh))
        keys = [*self.records.keys_of(asked), *(self.keys.body(REQUEST_KIND, each) for each in wanted)]
        found = await self.reader.get_all(keys) if keys else []
        records: dict[str, bytes | None] = {each: one.record for each, one in come.items()}
        bodies: dict[str, bytes | None] = {each: one.body for each, one in come.items()}
        records |= zip(asked, found[: len(asked)], strict=True)
        bodies |= zip(wanted, found[len(asked) :], strict=True)
        return self.records.read_all(ids, map(records.get, ids)), bodies

    async def with_patients(self, ids: Sequence[str]) -> dict[str, tuple[Request, Patient | None]]:
        """As `bodies`, with their patient blocks; none where there is none, or it cannot be opened."""
        found = await self.reader.get_all([self.keys.body(REQUEST_KIND, each) for each in ids])
        pairs, market = list(zip(ids, found, strict=True)), self.keys.market
        requests = self.aside.read_all(market, BODY, pairs, self.form.request)
        patients = self.aside.read_all(market, PATIENT, pairs, self.form.patient)
        return {each: (request, patients.get(each)) for each, request in requests.items()}

    async def patient(self, request_id: str) -> Patient | None:
        """The patient block, or None. Raises Unreadable, also when its key is gone."""
        raw = await self.reader.get(self.keys.body(REQUEST_KIND, request_id))
        return self._read(Item(PATIENT, request_id), raw, self.form.patient) if raw else None

    async def open_ids(self, limit: int) -> list[str]:
        """Requests that wait for a vendor, longest waiting first."""
        lists = [self.keys.list(index_of(state)) for state in sorted(OPEN)]
        found = await self.reader.ask_all([("ZRANGE", each, 0, limit - 1, "WITHSCORES") for each in lists])
        return await beside_if_many(sum(map(len, found)), _ids_by_time, found, limit)

    async def waiting(self) -> tuple[int, int]:
        """How many wait for a vendor, and when the first of them was received (ms; 0: there is none)."""
        lists = [self.keys.list(index_of(state)) for state in sorted(OPEN)]
        counts = [("ZCARD", each) for each in lists]
        found = await self.reader.ask_all(
            [*counts, *(("ZRANGE", each, 0, 0, "WITHSCORES") for each in lists)]
        )
        first = [place.score for some in found[len(lists) :] for place in Place.read(some)]
        return sum(found[: len(lists)]), min(first, default=0)

    async def will_calls(self, until_ms: int, limit: int) -> list[str]:
        """Will-calls that nobody has called yet and whose day begins before then, the earliest day first."""
        words = ("ZRANGE", self.keys.list(WILL_CALLS), "-inf", f"({until_ms}", "BYSCORE", "LIMIT", 0, limit)
        return [text_of(each) for each in await self.reader.ask(*words)]

    async def uncalled(self) -> int:
        """How many will-calls nobody has called yet."""
        return int(await self.reader.ask("ZCARD", self.keys.list(WILL_CALLS)))

    async def ids_starting(self, from_ms: int, end_ms: int, limit: int) -> list[str]:
        """Requests whose window opens within [from, end), the earliest first."""
        words = ("ZRANGE", self.keys.list(BY_START), from_ms, f"({end_ms}", "BYSCORE", "LIMIT", 0, limit)
        return [text_of(each) for each in await self.reader.ask(*words)]

    async def ids_in(self, state: RequestState, limit: int) -> list[str]:
        """Requests in one state, first received first."""
        found = await self.reader.ask("ZRANGE", self.keys.list(index_of(state)), 0, limit - 1)
        return [text_of(each) for each in found]

    async def board_ids(self, most_open: int, most_ended: int) -> list[str]:
        """Requests that have not ended, then those that have, the latest received of each; oldest first.

        A list that is no list is named, and left out: it hides its own requests, and nobody else's.
        """
        going, ended = sorted(set(RequestState) - TERMINAL), sorted(TERMINAL)
        kept = await self._latest(going, most_open) + await self._latest(ended, most_ended)
        return [place.id for place in kept]

    async def _latest(self, states: Sequence[RequestState], most: int) -> list[Place]:
        lists = [index_of(each) for each in states]
        asked = [("ZRANGE", self.keys.list(each), -most, -1, "WITHSCORES") for each in lists]
        found = list[Place]()
        for name, some in zip(lists, await self.reader.ask_each(asked), strict=True):
            if isinstance(some, Exception):
                self.aside.note(self.keys.market, Item("list", name), type(some).__name__)
            else:
                found += Place.read(some)
        return sorted(found)[-most:]

    async def page(self, state: RequestState | None, cursor: str | None, limit: int) -> Page:
        """Up to `limit` records after `cursor`, by time received. Raises Invalid: no such cursor."""
        states = list(RequestState) if state is None else [state]
        lists = [index_of(each) for each in states]
        records, following = await self.records.page(lists, Cursor.parse(cursor), limit)
        return Page(tuple(records), following)

    async def starting(
        self, from_ms: int, end_ms: int, cursor: str | None, limit: int
    ) -> tuple[list[str], str | None]:
        """Ids of requests whose window opens in `[from_ms, end_ms)`, by that; where the next page starts.

        Raises Invalid: no such cursor.
        """
        after = max(Place(*Cursor.parse(cursor)), Place(from_ms, ""))
        lists = [self.keys.list(BY_START)]
        places = await page_of(self.reader, lists, after, limit + 1, end_ms - 1)
        more = len(places) > limit
        return [each.id for each in places[:limit]], str(Cursor(*places[limit - 1])) if more else None

    async def counts(self) -> dict[RequestState, int]:
        """How many requests are in each state."""
        lists = [self.keys.list(index_of(state)) for state in RequestState]
        found = await self.reader.ask_all([("ZCARD", each) for each in lists])
        return dict(zip(RequestState, found, strict=True))

    async def offer_ids(self, vendor_id: str, limit: int = 1_000) -> list[str]:
        """Ids of a vendor's open offers and dispatches, earliest start first."""
        found = await self.reader.ask("ZRANGE", self.keys.list(offers_of(vendor_id)), 0, limit - 1)
        return [text_of(each) for each in found]

    async def offers_starting(self, vendor_id: str, from_ms: int, end_ms: int, limit: int) -> list[Place]:
        """A vendor's open offers and dispatches whose start is within [from, end), the earliest first."""
        span = (from_ms, f"({end_ms}", "BYSCORE", "LIMIT", 0, limit, "WITHSCORES")
        return list(Place.read(await self.reader.ask("ZRANGE", self.keys.list(offers_of(vendor_id)), *span)))

    async def count_starting(self, vendor_id: str, from_ms: int, end_ms: int) -> int:
        """How many of them there are."""
        span = self.keys.list(offers_of(vendor_id)), from_ms, f"({end_ms}"
        return int(await self.reader.ask("ZCOUNT", *span))

    def _read(self, item: Item, raw: bytes, unpack: Callable[[bytes], Value]) -> Value:
        return self.aside.read(self.keys.market, item, raw, unpack)
