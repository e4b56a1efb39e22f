"""What one webhook is to be called with: in queues, each in its order, one call of a queue at a time. Pure.

A queue is what is about one request. Beside it others go on: an event that is not taken holds up its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from dispatcher.store.events import place
from dispatcher.store.webhooks import Sent


class Queues:
    """`after`: by stream, up to where all is settled or waits already."""

    def __init__(self, after: Mapping[str, str], waiting: Iterable[Sent] = ()) -> None:
        self.after = dict(after)
        self._taken: dict[str, deque[str]] = {each: deque() for each in after}  # not settled yet, in order
        self._settled: set[tuple[str, str]] = set()
        self._queues: dict[str, deque[Sent]] = {}
        self._at_work: set[str] = set()
        self._waiting: set[tuple[str, str]] = set()
        self._known: set[tuple[str, str]] = set()
        self.changed = False  # of what waits, since it was last asked for
        for each in waiting:
            self.wait(each)
        self.changed = False

    def __len__(self) -> int:
        return len(self._known)

    @property
    def waiting(self) -> list[Sent]:
        """What waits, each queue in its order."""
        return [each for queue in self._queues.values() for each in queue if each.key in self._waiting]

    @property
    def is_waiting(self) -> bool:
        """Whether anything is tried again."""
        return bool(self._waiting)

    def take(self, sent: Sent) -> None:
        """An event that was just read; behind what waits of its queue."""
        self._taken[sent.stream].append(sent.entry_id)
        if not self._put(sent):
            self._settled.add(sent.key)
            self._advance(sent.stream)

    def skip(self, stream: str, entry_id: str) -> None:
        """An event that was read and is not wanted."""
        self._taken[stream].append(entry_id)
        self._settled.add((stream, entry_id))
        self._advance(stream)

    def wait(self, sent: Sent) -> bool:
        """An event that waits, as it is stored; whether it was not there."""
        if not self._put(sent):
            return False
        self._waiting.add(sent.key)
        self.changed = True
        return True

    def ready(self, now_ms: int, most: int) -> list[Sent]:
        """Up to `most` events that may be sent now, the longest due first; from now on they are at work."""
        heads = [queue[0] for name, queue in self._queues.items() if name not in self._at_work]
        due = sorted((each for each in heads if each.next_ms <= now_ms), key=_turn)[:most]
        self._at_work.update(each.queue for each in due)
        return due

    def next_due_ms(self) -> int | None:
        """When the next one that is not at work may be sent."""
        due = [queue[0].next_ms for name, queue in self._queues.items() if name not in self._at_work]
        return min(due, default=None)

    def done(self, sent: Sent) -> None:
        """It is settled: taken, or dead."""
        queue = self._queues[sent.queue]
        queue.popleft()
        if not queue:
            del self._queues[sent.queue]
        self._at_work.discard(sent.queue)
        self._known.discard(sent.key)
        if sent.key in self._waiting:
            self._waiting.discard(sent.key)
            self.changed = True
        else:
            self._settle(sent.key)

    def put_off(self, sent: Sent, next_ms: int, code: str) -> None:
        """It was not taken: it waits, and so does what is behind it."""
        tried = replace(sent, attempts=sent.attempts + 1, next_ms=next_ms, code=code)
        self._queues[sent.queue][0] = tried
        self._at_work.discard(sent.queue)
        self._hold(self._queues[sent.queue])
        self.changed = True

    def over(self, now_ms: int, last_ms: int) -> list[Sent]:
        """Heads of queues whose time is over and that are not at work; they are settled."""
        found = [
            queue[0]
            for name, queue in self._queues.items()
            if name not in self._at_work and queue[0].attempts and queue[0].first_ms + last_ms <= now_ms
        ]
        for each in found:
            self.done(each)
        return found

    def hurry(self, now_ms: int) -> None:
        """What waits is tried now: it is taken again."""
        for queue in self._queues.values():
            if (
                queue[0].key in self._waiting
                and queue[0].next_ms > now_ms
                and queue[0].queue not in self._at_work
            ):
                queue[0] = replace(queue[0], next_ms=now_ms)
                self.changed = True

    def held(self) -> None:
        """What is behind something that waits, waits, too: it need not be read again."""
        for queue in self._queues.values():
            if queue[0].key in self._waiting:
                self._hold(queue)

    def _hold(self, queue: Iterable[Sent]) -> None:
        for each in queue:
            if each.key not in self._waiting:
                self._waiting.add(each.key)
                self._settle(each.key)
                self.changed = True

    def _put(self, sent: Sent) -> bool:
        if sent.key in self._known:
            return False
        self._known.add(sent.key)
        self._queues.setdefault(sent.queue, deque()).append(sent)
        return True

    def _settle(self, key: tuple[str, str]) -> None:
        self._settled.add(key)
        self._advance(key[0])

    def _advance(self, stream: str) -> None:
        taken = self._taken.get(stream)
        while taken and (stream, taken[0]) in self._settled:
            self._settled.discard((stream, taken[0]))
            self.after[stream] = taken.popleft()


def _turn(sent: Sent) -> tuple[int, tuple[int, int]]:
    return sent.next_ms, place(sent.entry_id)
