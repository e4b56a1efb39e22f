"""Saved decisions for who may read them: listed, by digest, by request; and replayed."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from contracts.base import refuse_odd_day
from contracts.decisions import (
    DecisionPage,
    DecisionQuery,
    DecisionView,
    Replay,
    RequestDecision,
    Row,
    RowQuery,
)
from dispatcher.decisions.again import Replays
from dispatcher.decisions.parameters import DAYS
from dispatcher.decisions.record import Raw, SavedPlan, Unsaved
from dispatcher.decisions.rows import limited_by, named, parted, rows, told
from dispatcher.decisions.store import DecisionStore, days_back
from dispatcher.domain.refusals import Invalid, NotFound, PatientKeyMissing, Unavailable, Unreadable
from dispatcher.domain.requests import RequestRecord
from dispatcher.runtime.clock import Clock
from dispatcher.runtime.errors import kind_of_failure
from dispatcher.security.principal import Principal
from dispatcher.security.vault import MissingKey, UnreadablePatient
from dispatcher.service.markets import Markets
from dispatcher.service.requests import Requests
from dispatcher.store.decisions import UNREADABLE, Entry
from solvers.horizon import local_day

Result = TypeVar("Result")
READ_TOGETHER = 500  # entries of the ledger
MOST_EARLIER = 20
MOST_DIGITS = 15  # of a place in the chain: a cursor with more is none of ours
RETRY_AFTER_S = 5
_THREADS = ThreadPoolExecutor(4, "decisions-read")  # of their own: others' must not wait for a slow place
MOST_READING = 8  # calls that read records at once: a place that does not answer must not take every call's


class _Named(NamedTuple):
    """A decision, and the days on which it may be kept."""

    name: str
    days: Sequence[str]


class Decisions:
    """They raise NotFound, Unreadable, PatientKeyMissing, Unavailable."""

    def __init__(self, markets: Markets, requests: Requests, clock: Clock, kept: DecisionStore) -> None:
        self.markets, self.requests, self.clock, self.kept = markets, requests, clock, kept
        self._replays, self._opening = Replays(), asyncio.Semaphore(2)
        self._reading = 0

    async def page(self, who: Principal, market: str, query: DecisionQuery) -> DecisionPage:
        """The latest first. Raises Invalid: no such cursor, a day that no calendar of ours holds."""
        self.markets.authorize_requests(who, market)
        _refuse_odd_day(query)
        if query.request is not None:
            with self._place():
                return await self._on(who, market, query)
        part, before = self.markets.store(market).decisions, _place(query.cursor)
        day = query.day.isoformat() if query.day else ""
        found, last = list[Entry](), before - 1 if before else None
        while len(found) <= query.limit and (last is None or last > 0):
            some = await part.page(1, last, READ_TOGETHER)
            found += [each for each in some if each.kind != UNREADABLE and day in ("", each.day)]
            if not some or (day and "" < some[-1].day < _day_before(day)):
                break
            last = some[-1].seq - 1
        shown = found[: query.limit]
        cursor = f"1.{shown[-1].seq}" if len(found) > query.limit else ""
        return DecisionPage(decisions=tuple(map(told, shown)), cursor=cursor)

    async def _on(self, who: Principal, market: str, query: DecisionQuery) -> DecisionPage:
        """All that are known of one request: the last of each day, and those that its matches name."""
        record = await self.requests.record(who, market, str(query.request))
        found = await self._raws(market, await self._known_of(market, record))
        known = [told(each.header) for each in found]
        shown = [each for each in known if query.day is None or each.day == query.day]
        return DecisionPage(decisions=tuple(shown[: query.limit]))

    async def view(self, who: Principal, market: str, name: str, query: RowQuery) -> DecisionView:
        """A decision with rows of its requests, or of one."""
        self.markets.authorize_requests(who, market)
        with self._place():
            return await self._view(market, name, query)

    async def _view(self, market: str, name: str, query: RowQuery) -> DecisionView:
        saved = await self._opened(await self._raw(market, name))
        header, first = saved.header, _place(query.cursor)
        if query.request is not None:
            if query.request not in header.requests:
                raise NotFound(
                    f"decision {name} is not about request {query.request}\n"
                    f"Maybe read requests/{query.request}/decision: the last on it."
                )
            wanted, after = [header.requests.index(query.request)], ""
        else:
            end = min(first + query.limit, len(header.requests))
            wanted, after = list(range(first, end)), f"1.{end}" if end < len(header.requests) else ""
        read = await self._beside(lambda: rows(saved, wanted, by_name=query.request is not None))
        return DecisionView(
            decision=told(header),
            software=header.software,
            tuning_version=header.tuning_version,
            seed=header.seed,
            limited_by=limited_by(header),
            solve_s=header.seconds,
            became={each: header.became.count(each) for each in sorted(set(header.became))},
            rows=tuple(read),
            cursor=after,
        )

    async def on_request(self, who: Principal, market: str, request_id: str) -> RequestDecision:
        """The last decision on a request, with its row: the vendors that each rule excluded by name."""
        record = await self.requests.record(who, market, request_id)
        with self._place():
            return await self._last_on(market, record)

    async def _last_on(self, market: str, record: RequestRecord) -> RequestDecision:
        found = await self._raws(market, await self._known_of(market, record))
        by = record.offers[-1].chosen_by if record.offers else ""
        if not found:
            how = (
                f", which {by} offered by hand: its attempts say to whom, its match at what cost"
                if by
                else ""
            )
            raise NotFound(
                f"no saved decision on request {record.id}{how}\n"
                "Maybe it was not planned yet, or the decision was forgotten (decisions_days, decisions_mb)."
            )
        saved = await self._opened(found[0])
        (row,) = await self._beside(lambda: _row(saved, record.id))
        earlier = (named(each.header.digest, each.header.nth) for each in found[1 : 1 + MOST_EARLIER])
        return RequestDecision(decision=told(saved.header), row=row, earlier=tuple(earlier), chosen_by=by)

    async def replay(self, who: Principal, market: str, name: str) -> Replay:
        """Make it again, in a process of its own; one at a time."""
        self.markets.authorize_requests(who, market)
        with self._place():
            result = await self._replays.of(await self._opened(await self._raw(market, name)))
        return Replay(digest=name, how=result.how, problems=result.problems, hint=result.hint)

    async def saved(self, market: str, name: str) -> SavedPlan:
        """A decision, whole, for the service's own use. Raises NotFound, Unreadable, Unavailable."""
        return await self._opened(await self._raw(market, name))

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        """One of the few that read records now. Raises Unavailable."""
        if self._reading >= MOST_READING:
            raise Unavailable(
                f"{self._reading} calls read saved decisions now, which is the limit\nMaybe ask again.",
                retry_after_s=RETRY_AFTER_S,
            )
        self._reading += 1
        try:
            yield
        finally:
            self._reading -= 1

    async def _known_of(self, market: str, record: RequestRecord) -> list[_Named]:
        """The decisions that are known of a request: those that the ledger notes, and its matches name."""
        noted = await self.markets.store(market).decisions.on(record.id, await self._days(market))
        found = {named(digest, nth): [day] for day, digest, nth in noted}
        tz = self.markets.zones[market]
        for each in reversed(record.offers):
            if each.snapshot:
                found.setdefault(each.snapshot, list(days_back(local_day(each.made_ms, tz), 0)))
        return [_Named(name, days) for name, days in found.items()]

    async def _raws(self, market: str, names: Sequence[_Named]) -> list[Raw]:
        """Those that are kept, the latest first. One that is damaged is passed over where another is not."""
        found, wrong = list[Raw](), list[Unreadable]()
        for each in names:
            digest, nth = parted(each.name)
            try:
                raw = await self._beside(self.kept.get, market, digest, each.days, nth)
            except Unreadable as error:
                wrong.append(error)
            else:
                found += [raw] if raw is not None else []
        if wrong and not found:
            raise wrong[0]
        return sorted(found, key=lambda each: (-each.header.at_ms, -each.header.seq))

    async def _raw(self, market: str, name: str) -> Raw:
        found = await self._raws(market, [_Named(name, await self._days(market))])
        if not found:
            raise NotFound(
                f"there is no saved decision {name}\nMaybe it was forgotten (decisions_days, decisions_mb)."
            )
        return found[0]

    async def _opened(self, raw: Raw) -> SavedPlan:
        async with self._opening:  # each is some 20 MB
            return await self._beside(self.kept.opened, raw)

    async def _days(self, market: str) -> list[str]:
        values = (await self.markets.tuning(market)).values
        today = local_day(self.clock.now_ms(), self.markets.zones[market])
        return list(days_back(today, DAYS.whole(values)))

    async def _beside(self, work: Callable[..., Result], *words: object) -> Result:
        """In a thread; what goes wrong there in the words of a refusal."""
        try:
            return await asyncio.get_running_loop().run_in_executor(_THREADS, work, *words)
        except Unsaved as error:
            raise Unreadable(
                f"a saved decision cannot be read: {error}\nMaybe `dispatcher audit`."
            ) from error
        except MissingKey as error:
            raise PatientKeyMissing(
                f"a saved decision was sealed under the patient key {error.key_id!r}, not known here\n"
                "Maybe put the newest key file there: the command `keys status` says more.",
                retry_after_s=RETRY_AFTER_S,
            ) from error
        except UnreadablePatient as error:
            raise Unreadable(f"a saved decision cannot be opened: {error}") from error
        except OSError as error:
            raise Unavailable(
                f"where decisions are kept does not answer ({kind_of_failure(error)})\nMaybe ask again.",
                retry_after_s=RETRY_AFTER_S,
            ) from error


def _row(saved: SavedPlan, request_id: str) -> list[Row]:
    return rows(saved, [saved.header.requests.index(request_id)], by_name=True)


def _place(cursor: str) -> int:
    if not cursor:
        return 0
    first, _, place = cursor.partition(".")
    if first != "1" or not place.isdecimal() or len(place) > MOST_DIGITS:
        raise Invalid(f"cursor '{cursor}' is none of this list\nMaybe it is of another list.")
    return int(place)


def _refuse_odd_day(query: DecisionQuery) -> None:
    if query.day is None:
        return
    try:
        refuse_odd_day("day", query.day)
    except ValueError as error:
        raise Invalid(str(error)) from None


def _day_before(day: str) -> str:
    """Decisions stand in the order of writing; some were made for a moment of the next day."""
    return (dt.date.fromisoformat(day) - dt.timedelta(days=1)).isoformat()
