"""Whatever could not be read becomes somebody's work: counted for the metric, and its request a task."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping

from dispatcher.domain.commands.set_aside import PLAN, SetAside, SetAsideAgain, task_id, unread
from dispatcher.domain.context import Context
from dispatcher.domain.episodes import EPISODE_KIND
from dispatcher.domain.proofs import PROOF_KIND
from dispatcher.domain.refusals import Unreadable
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.tasks import TASK_KIND
from dispatcher.domain.threads import THREAD_KIND, owner_of
from dispatcher.service.execute import ATTEMPTS, Executor
from dispatcher.service.loops import SET_ASIDE
from dispatcher.store.aside import Item
from dispatcher.store.outcome import Status
from dispatcher.store.proofs import PICTURE, dispatch_of
from dispatcher.store.requests import BODY, PATIENT
from dispatcher.store.store import Store
from dispatcher.store.threads import MESSAGE

BY = "service"
AGAIN_S = 30.0  # real: what is not told again is taken to be over


Owner = tuple[str, str]  # kind and id


def _request(name: str) -> Owner:
    return REQUEST_KIND.name, name


def _before_the_dot(name: str) -> Owner:
    """The request in the id of an offer or of a task: neither market nor kind has a dot in it before."""
    return _request(name.partition(".")[0])


OWNER_OF: Mapping[str, Callable[[str], Owner]] = {  # of what is set aside, what it belongs to
    REQUEST_KIND.name: _request,
    BODY: _request,
    PATIENT: _request,
    TASK_KIND.name: _before_the_dot,
    PROOF_KIND.name: _before_the_dot,
    PICTURE: lambda name: _before_the_dot(dispatch_of(name)),
    "comment": _before_the_dot,
    THREAD_KIND.name: owner_of,
    MESSAGE: lambda name: owner_of(name.partition("/")[0]),
}


class UnreadableItems:
    """Tells of what the store of this process has set aside."""

    def __init__(self, executor: Executor, store: Store) -> None:
        self.executor, self.markets, self.store = executor, executor.markets, store
        self._told: dict[str, tuple[str, float]] = {}

    async def tell(self, market: str, item: Item) -> None:
        """Count it, and open its request's task unless there is one. Raises Unavailable."""
        await self.markets.store(market).troubles.count(f"unreadable:{item.kind}")
        owner_of = _request if item.kind.startswith(PLAN) else OWNER_OF.get(item.kind)
        if owner_of is not None and not self._is_read_elsewhere(market, item):
            request_id = await self._request_of(market, *owner_of(item.id))
            if request_id:
                await self._open_task(market, request_id, item.kind)

    async def tell_all(self, market: str) -> None:
        """What this process came upon of late: `/readyz` of every process says it. Raises Unavailable."""
        met = self.store.aside.met_lately(market)
        told = ", ".join(f"{number} {kind}" for kind, number in sorted(met.items()))
        before, at_s = self._told.get(market, ("", 0.0))
        if told == before and (not told or time.monotonic() - at_s < AGAIN_S):
            return
        troubles = self.markets.store(market).troubles
        await (troubles.tell(SET_ASIDE, told) if told else troubles.over(SET_ASIDE))
        self._told[market] = told, time.monotonic()

    def _is_read_elsewhere(self, market: str, item: Item) -> bool:
        """Whether only this process lacks its key: the request is in good hands, ops sees to the process."""
        key_id = self.store.aside.key_of(market, item)
        return bool(key_id) and self.store.agreement.has_another(market, key_id)

    async def _request_of(self, market: str, kind: str, name: str) -> str:
        """The request to ask a person about: of an episode the first that it names; "": none."""
        if kind == REQUEST_KIND.name:
            return name
        with contextlib.suppress(Unreadable):
            episode = await self.markets.store(market).records(EPISODE_KIND).get(name)
            return next(iter(episode.requests), "") if episode is not None else ""
        return ""

    async def _open_task(self, market: str, request_id: str, what: str) -> None:
        known = await self.markets.store(market).tasks.records.known(task_id(request_id))
        if known is not None:
            again = SetAsideAgain(task_id=known.id, what=what)
            await self.executor.attempt(BY, market, again, known)
            return None
        command = SetAside(request_id=request_id, what=what)
        for _ in range(ATTEMPTS):
            try:
                record = await self.markets.store(market).requests.records.get(request_id)
            except Unreadable:
                return await self._open_task_alone(market, request_id, what)
            if record is None:  # either it was forgotten, with all that it had, or it is lost
                is_lost = await self.markets.store(market).requests.is_lost(request_id)
                return await self._open_task_alone(market, request_id, what) if is_lost else None
            outcome = await self.executor.attempt(BY, market, command, record)
            if outcome is None or outcome.status is not Status.STALE or outcome.stale_id != request_id:
                return None
        return None

    async def _open_task_alone(self, market: str, request_id: str, what: str) -> None:
        """Its own commit: it fails where there is such a task, and that is as well."""
        tuning = await self.markets.tuning(market)
        now_ms, tz = self.executor.clock.now_ms(), self.markets.zones[market]
        context = Context(now_ms=now_ms, values=tuning.values, by=BY, tz=tz)
        await self.markets.store(market).commit([unread(request_id, what, context)])
