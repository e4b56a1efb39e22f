"""The latest entries of one stream: one copy of each, for all who follow it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

from dispatcher.store.events import Entry

AT_ONCE = 512  # entries: what a listener is sent together lies in memory, for each that is slow another part


class Recent:
    """Entries, numbered as they come. Listeners hear them up to number `told`; there are some up to `end`.

    Of more than `limit` the oldest are dropped, whoever has not heard them: they stand in the stream.
    """

    def __init__(self, limit: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=limit)
        self.told = self.end = 0
        self._cut: tuple[int, int, Sequence[Entry]] = (0, 0, ())  # the last answer of `since`, and to what

    @property
    def begin(self) -> int:
        """The number of the oldest that is here."""
        return self.end - len(self._entries)

    def add(self, entry: Entry) -> None:
        """A new one; nobody hears it yet."""
        self._entries.append(entry)
        self.end += 1

    def tell(self, most: int) -> None:
        """From now on so many more are heard, if there are."""
        self.told = min(self.end, max(self.told, self.begin) + most)

    def since(self, number: int) -> Sequence[Entry]:
        """What is heard from that number on, which is here; AT_ONCE at most.

        Whoever asks the same has the same object.
        """
        last = min(self.told, number + AT_ONCE)
        if self._cut[:2] != (number, last):
            backwards = islice(reversed(self._entries), self.end - last, max(0, self.end - number))
            self._cut = number, last, tuple(backwards)[::-1]
        return self._cut[2]

    def forget(self, number: int) -> None:
        """Everybody has what comes before that number."""
        while self._entries and self.begin < number:
            self._entries.popleft()
