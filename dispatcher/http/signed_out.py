"""Sessions that were ended before their time: a cookie that was copied opens nothing more.

Each call with a session asks the store, so that it is over in every process at once; a stream, which lasts,
asks again once a second. Calls with a bearer token never ask.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from typing import Final

from contracts.problems import Unauthenticated
from dispatcher.security.principal import Principal
from dispatcher.store.once import Once
from dispatcher.store.sign_ins import SignIns

ASK_EVERY_S: Final = 1.0  # real, of a stream
MOST_S: Final = 10 * 366 * 86_400  # that the store is asked to remember one; no session holds longer
_REMEMBERED: Final = 4_096


class SignedOut:
    """Which sessions have signed out. All of it raises Unavailable."""

    def __init__(self, once: Once, sign_ins: SignIns) -> None:
        self.once, self.sign_ins = once, sign_ins
        self._asked: OrderedDict[str, float] = OrderedDict()

    async def refuse(self, token: str, who: Principal, *, every_s: float = 0.0) -> None:
        """Raises Unauthenticated for a session that has ended; asks again only after `every_s`."""
        name, now_s = _name(token), time.monotonic()
        if every_s and now_s - self._asked.get(name, -every_s) < every_s:
            return
        if await self.once.was(name):
            raise Unauthenticated("the session has signed out\nMaybe sign in again.")
        if who.is_vendor:
            await self._refuse_ended(who)
        if every_s:
            self._asked[name] = now_s
            self._asked.move_to_end(name)
            while len(self._asked) > _REMEMBERED:
                self._asked.popitem(last=False)

    async def _refuse_ended(self, who: Principal) -> None:
        """Ops may have ended all sessions of the vendor. Raises Unauthenticated."""
        for market in who.markets or ():
            if await self.sign_ins.mark(market, who.vendor_id) != who.mark:
                raise Unauthenticated("the session was ended by ops\nMaybe ask them for another link.")

    async def add(self, token: str, holds_s: float) -> None:
        """It has, from here on in every process; remembered for as long as the token would hold."""
        self._asked.pop(_name(token), None)
        await self.once.first(_name(token), max(60, round(min(holds_s, MOST_S))))


def _name(token: str) -> str:
    return f"session:{hashlib.sha256(token.encode('utf-8', 'replace')).hexdigest()}"
