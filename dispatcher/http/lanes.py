"""Which lane a call takes and whose it is, from the bytes of its header lines: before anything is parsed.

What is read here decides about the order alone. Whether the token holds, and what the call is, is judged
again when its turn has come.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from contracts.operations import Operation
from dispatcher.http.concurrency import Limits
from dispatcher.http.door import Caller, Lane, Turn
from dispatcher.http.patience import Patience
from dispatcher.security.principal import Principal

MOST_HELD_BYTES = 64_000_000
TOLD_AT_ONCE = 25  # refusals of one caller within the time of Retry-After
LONGEST_S = 15.0  # that a call is left unread
EARLIER = 0.4  # so much of it at the most: those of a crowd that came together come again one after another
SPREAD = 64
PROBES = ("/livez", "/readyz", "/metrics")
_AUTHORIZATION = re.compile(rb"\r\nauthorization:[ \t]*bearer[ \t]+([^\r\n]*)", re.IGNORECASE)
_SESSION = re.compile(
    rb"\r\ncookie:(?:[^\r\n]*;)?[ \t]*dispatcher(?:-vendor)?(?:-[0-9]{1,5})?=([^;\r\n]+)", re.IGNORECASE
)
_NOTHING = re.compile(rb"(?!)")


class Known(NamedTuple):
    """Who calls, and the header line that said so; b"" if it has to be looked at anew."""

    caller: Caller
    line: bytes


class Lanes:
    """The lanes of a web process."""

    def __init__(
        self,
        limits: Limits,
        answers: Iterable[Operation],
        known: Callable[[str], Principal | None],
        refused: Callable[[str, int], None],
    ) -> None:
        """`answers`: what vendors say of their offers. `known`: whose a token is that has held before.

        `refused` hears the lane and the status of every call that is refused unread.
        """
        self._known = known
        self._is_probe = re.compile(rb"(GET|HEAD) (%b)[? ]" % b"|".join(map(str.encode, PROBES)))
        self._is_answer = _any_of(answers)
        most, each, after_s = limits.in_flight, limits.per_caller, limits.retry_after_s
        unbounded = limits.connections
        self.calls = Lane("calls", min(limits.at_once, most), most, each, after_s)
        self.answers = Lane("answers", min(limits.answers_at_once, most), most, each, after_s)
        self.body_s, self.wait_s = limits.body_s, limits.wait_s
        self.patience = Patience(limits.wait_s)
        self.held_bytes = 0  # of all calls that wait unread
        self._window_s, self._window_end_s = after_s, 0.0  # in which refusals are counted
        self._told: Counter[Caller] = Counter()  # refusals at once in this window
        self._spread = 0
        self.refused = refused
        self.probes = Lane("probes", limits.probes_at_once, unbounded, unbounded, after_s)

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn."""
        return self.calls.waiting + self.answers.waiting + self.probes.waiting

    def lane(self, line: bytes) -> Lane:
        """By the first line of a call, or all that begins with it."""
        if self._is_answer.match(line):
            return self.answers
        return self.probes if self._is_probe.match(line) else self.calls

    def caller(self, head: bytes, address: str, before: Known | None = None) -> Known:
        """By the header lines: who has proved the token before, else whoever calls from that address.

        `before`: what the last call of the same connection said; mostly the next one says the same.
        """
        if before is not None and before.line and before.line in head:
            return before
        found = _AUTHORIZATION.search(head) or _SESSION.search(head)
        caller = self.bearer(found[1].decode("latin-1") if found else "", address)
        return Known(caller, found[0] if found and caller.proved else b"")

    def bearer(self, token: str, address: str) -> Caller:
        """The same, by the token itself."""
        principal = self._known(token.strip()) if token else None
        return Caller(principal.caller, True) if principal else Caller(address, False)

    def may_hold(self, size: int) -> bool:
        """Whether one more call of so many bytes may wait."""
        return self.held_bytes + size <= MOST_HELD_BYTES

    def tells_after_s(self, turn: Turn, now_s: float) -> float:
        """How late one more refusal is told: at once, but the more there are of one caller, the later.

        Of a crowd as late as may be: each connection that rested is cold, and costs three times as much.
        """
        if now_s >= self._window_end_s:
            self._told.clear()
            self._window_end_s = now_s + self._window_s
        self._told[turn.caller] += 1
        windows = self._told[turn.caller] // TOLD_AT_ONCE
        late_s = LONGEST_S if windows and turn.is_of_a_crowd else min(windows * self._window_s, LONGEST_S)
        return late_s * (1 - EARLIER * self.spread())

    def spread(self) -> float:
        """A share from 0 to 1, another each time."""
        self._spread = (self._spread + 1) % SPREAD
        return self._spread / SPREAD


def _any_of(operations: Iterable[Operation]) -> re.Pattern[bytes]:
    """Matches the first line of a call of any of them."""
    lines = [f"{each.method} {re.sub('{[^}]*}', '[^/? ]+', each.path)}[? ]" for each in operations]
    return re.compile("|".join(lines).encode()) if lines else _NOTHING
