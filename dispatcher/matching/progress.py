"""How far the owner of a market is: who was looked at, who is left without a vendor, what changed meanwhile.

Its loops share it, for as long as the market is owned; the next owner begins with a new one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from dispatcher.matching.arrivals import Arrivals
from dispatcher.matching.commits import Done, Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.market import Market
from dispatcher.matching.reading import Reading


@dataclass(eq=False)
class Progress:
    """Sets of request ids, but for `changed`; an event tells the loop that takes up what was put there."""

    own: Ownership
    market: Market
    arrivals: Arrivals = field(default_factory=Arrivals)  #: who hears how fast requests come
    came_s: float = 0.0  #: by the loop's time, when the last did
    seen: set[str] = field(default_factory=set)  #: open requests that were looked at
    begun: set[str] = field(default_factory=set)  #: of whom it was hinted, until they were looked at
    more: asyncio.Event = field(default_factory=asyncio.Event)  #: more has come than hints named
    unmatched: set[str] = field(default_factory=set)  #: imminent ones without a vendor so far
    left: set[str] = field(default_factory=set)  #: of these, what is to be tried once more at once
    some_left: asyncio.Event = field(default_factory=asyncio.Event)
    left_by: Reading | None = None  #: what was known of vendors when the last of them was left
    changed: set[str] = field(default_factory=set)  #: vendors of whom it was hinted that they are others now
    some_changed: asyncio.Event = field(default_factory=asyncio.Event)
    work: asyncio.Event = field(default_factory=asyncio.Event)  #: something for the next batch
    unexplained: asyncio.Queue[Done] = field(default_factory=lambda: asyncio.Queue(2))

    async def match(self, due: Sequence[str], under_way: Callable[[], None] = lambda: None) -> None:
        """Match the imminent ones of `due`, as far as what was last read has vendors for them.

        `under_way`: see `match_imminent`.
        """
        known, left = self.market.reading, set[str]()
        with self.market.at_hand(), self.arrivals.at_hand():
            done = await match_imminent(self.own, self.market, due, left=left, under_way=under_way)
        if left:
            self.left |= left
            self.left_by = known
            self.some_left.set()
        if done.tried or left:
            self.market.imminent_s = time.monotonic()
            self.market.imminent.note(len(done.tried | left))
        self.note(due, done)
        self.market.give_turn()

    def note(self, due: Collection[str], done: Done) -> None:
        """What became of them; an offered request that comes back will be looked at again."""
        self.arrivals.offered(len(done.offered))
        self.seen.update(due)  # in place: ten thousand wait for a batch while one ride is noted
        self.seen -= done.offered
        self.unmatched |= done.tried
        self.unmatched &= self.seen
        again = done.outdated & (done.offered | self.left)  # that was planned since, or is at once
        if done.deferred or done.fell_out > len(again):
            self.work.set()
        self.explain_later(done)

    def explain_later(self, done: Done) -> None:
        """Have it explained, unless explaining lags behind: what still lacks a vendor comes again."""
        if len(done.offered) < len(done.tried) and not self.unexplained.full():
            self.unexplained.put_nowait(done)
