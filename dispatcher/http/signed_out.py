"""Sessions that were ended before their time: a cookie that was copied opens nothing more.

Each call with a session asks the store, so that it is over in every process at once. A stream, which lasts,
looks twice a second whether any session has ended, one look for all streams of a process; if so, and each
AGAIN_S, it asks for its own. Calls with a bearer token never ask.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from typing import Final, NamedTuple

from contracts.problems import Unauthenticated
from dispatcher.security.principal import Principal
from dispatcher.store.once import Once
from dispatcher.store.sign_ins import SignIns

LOOK_S: Final = 0.5  # real, of all streams together
AGAIN_S: Final = 15.0  # real, of one
MOST_S: Final = 10 * 366 * 86_400  # that the store is asked to remember one; no session holds longer
NAME_CHARS: Final = 16  # of what a session is listed by
_REMEMBERED: Final = 4_096


class _Asked(NamedTuple):
    """When a session was asked for, and what had ended by then."""

    at_s: float
    ended: str


class SignedOut:
    """Which sessions have signed out. All of it raises Unavailable."""

    def __init__(self, once: Once, sign_ins: SignIns) -> None:
        self.once, self.sign_ins = once, sign_ins
        self._asked: OrderedDict[str, _Asked] = OrderedDict()
        self._ended, self._looked_s = "", -LOOK_S

    async def refuse(self, token: str, who: Principal) -> None:
        """Raises Unauthenticated for a session that has ended."""
        if await self.once.was(_name(token)):
            raise Unauthenticated("the session has signed out\nMaybe sign in again.")
        if who.is_vendor:
            await self._refuse_ended(who)

    async def refuse_lasting(self, token: str, who: Principal, *, fresh: bool) -> None:
        """The same for a stream, which asks again and again; `fresh`: nothing is told that ended just now."""
        name, now_s = _name(token), time.monotonic()
        ended = await self._ends(now_s, fresh=fresh)  # first: what ends from here on changes it again
        known = self._asked.get(name)
        if known is not None and known.ended == ended and now_s - known.at_s < AGAIN_S:
            return
        await self.refuse(token, who)
        self._asked[name] = _Asked(now_s, ended)
        self._asked.move_to_end(name)
        while len(self._asked) > _REMEMBERED:
            self._asked.popitem(last=False)

    async def _ends(self, now_s: float, *, fresh: bool) -> str:
        if fresh or now_s - self._looked_s >= LOOK_S:
            self._looked_s = now_s  # before it is asked: of many streams one does
            self._ended = await self.sign_ins.ended()
        return self._ended

    async def _refuse_ended(self, who: Principal) -> None:
        """Ops may have ended it. Raises Unauthenticated."""
        for market in who.markets or ():
            if await self.sign_ins.mark(market, who.vendor_id, who.subject) != who.mark:
                raise Unauthenticated("the session was ended by ops\nMaybe ask them for another link.")

    async def add(self, token: str, holds_s: float, who: Principal) -> None:
        """It has, from here on in every process; remembered for as long as the token would hold."""
        self._asked.pop(_name(token), None)
        await self.once.first(_name(token), max(60, round(min(holds_s, MOST_S))))
        if who.is_vendor:
            for market in who.markets or ():
                await self.sign_ins.closed(market, who.vendor_id, [listed_as(token)])
        await self.sign_ins.told()


def listed_as(token: str) -> str:
    """What stands for a session where open ones are listed: it opens nothing."""
    return hashlib.sha256(f"listed {token}".encode("utf-8", "replace")).hexdigest()[:NAME_CHARS]


def _name(token: str) -> str:
    return f"session:{hashlib.sha256(token.encode('utf-8', 'replace')).hexdigest()}"
