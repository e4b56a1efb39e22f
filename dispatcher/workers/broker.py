"""The broker as both sides use it: a task is given out, and small notes say what became of it.

Beside Celery's queue lie notes by task and by what was asked for: whether it is still wanted, who has taken
it, how far it is, its result. All of them run out by themselves. Everything here waits for the network: it is
for threads.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from dispatcher.runtime.urls import BrokerUrl
from dispatcher.store.pulse import Workers
from dispatcher.workers.celery_app import app_of
from dispatcher.workers.kinds import OVER_S, Kind

LIVES_MS: Final = 4_000  #: a worker that did not say so for this long has gone
MOST_BYTES: Final = 1_000_000  #: of a note: what says it has more is none of ours
TRIES: Final = 3  #: a task whose process dies so often is given to nobody any more
MOST_PROCESSES: Final = 64  #: of one worker
ATTEMPTS: Final = 3  #: so often is asked for the same, when those that took it are lost
_RETRY: Final = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}


class Ref(NamedTuple):
    """What is asked for, and by whose right: a result under another fence is nobody's.

    `digest`: of the snapshot; of a part of it, with the part's number behind a point.
    """

    market: str
    digest: str
    fence: str

    def of_part(self, number: int) -> Ref:
        """A part of it."""
        return self._replace(digest=f"{self.digest}.{number}")

    @property
    def part(self) -> int | None:
        """Its number; None: all of it is asked for."""
        _, point, number = self.digest.partition(".")
        return int(number) if point and number.isdigit() else None

    def __str__(self) -> str:
        return ":".join(self)


class Notes(NamedTuple):
    """Of one task, as they are now."""

    result: bytes | None
    taken_by: str  #: the worker that has it; "": nobody
    told: bytes | None  #: how far it is


class Heard(NamedTuple):
    """Of the workers of one kind: who lives, how they stand, how many processes have nothing to do."""

    living: frozenset[str]
    load: Workers
    free: int


class BrokerDown(Exception):
    """The broker gives no answer, or refuses."""


class Broker:
    """Of one kind of task."""

    def __init__(self, url: BrokerUrl, kind: Kind, app: Any = None, lives_ms: int = LIVES_MS) -> None:
        """Raises UserError where Celery is not installed. Nothing is asked yet."""
        self.url, self.kind, self.app, self.lives_ms = url, kind, app or app_of(url, kind), lives_ms
        self.prefix = f"{kind.queue}:"

    @property
    def _client(self) -> Any:
        return self.app.backend.client

    def give(self, ref: Ref, nth: int, parcel: bytes, budget_s: float, wanted_s: float) -> str:
        """Give it out; the id of the task. It is wanted for so long. Raises BrokerDown."""
        name = f"{ref}:{nth}"
        with _told(self):
            self._note_given(name, round(wanted_s * 1000))
            self.app.send_task(
                self.kind.name,
                args=[*ref, name, parcel],
                task_id=name,
                time_limit=round(budget_s + OVER_S),
                retry_policy=_RETRY,
                ignore_result=True,
                argsrepr=str(ref),
                kwargsrepr="",
            )
        return name

    def look(self, ref: Ref, name: str) -> Notes:
        """What is noted of a task. Raises BrokerDown."""
        with _told(self):
            keys = [self._key("result", str(ref)), self._key("taken", name), self._key("told", name)]
            pipe = self._client.pipeline(transaction=False)
            for each in keys:
                pipe.getrange(each, 0, MOST_BYTES)
            result, taken, told = pipe.execute()
        return Notes(result or None, _text(taken), told or None)

    def withdraw(self, name: str) -> None:
        """It is not wanted any more: who has not begun it does not. Raises BrokerDown."""
        with _told(self):
            self._client.delete(*(self._key(each, name) for each in ("wanted", "taken", "told", "tries")))
            self._client.zrem(self._key("given"), name)

    def forget(self, ref: Ref) -> None:
        """Its result was read. Raises BrokerDown."""
        with _told(self):
            self._client.delete(self._key("result", str(ref)))

    # what a worker does

    def take(self, ref: Ref, name: str, worker: str) -> bool:
        """Whether it is still to be done; noted as taken by this worker. Raises BrokerDown."""
        ms = self.kind.visibility_s * 1000
        with _told(self):
            pipe = self._client.pipeline(transaction=False)
            pipe.exists(self._key("wanted", name))
            pipe.exists(self._key("result", str(ref)))
            wanted, done = pipe.execute()
            if not wanted or done:
                return False
            tries = self._client.incr(self._key("tries", name))
            self._client.pexpire(self._key("tries", name), ms)
            if tries > TRIES:
                return False
            self._client.set(self._key("taken", name), worker.encode(), px=ms)
        return True

    def is_wanted(self, name: str) -> bool:
        """Raises BrokerDown."""
        with _told(self):
            return bool(self._client.exists(self._key("wanted", name)))

    def tell(self, name: str, words: bytes) -> None:
        """How far it is. Raises BrokerDown."""
        with _told(self):
            self._client.set(self._key("told", name), words, px=LIVES_MS * 10)

    def answer(self, ref: Ref, result: bytes) -> bool:
        """Leave the result, unless one is there, or nobody waits for it any more. Raises BrokerDown."""
        with _told(self):
            names = [self._key("wanted", f"{ref}:{nth}") for nth in range(ATTEMPTS)]
            if not self._client.exists(*names):
                return False
            ms = self.kind.visibility_s * 1000
            return bool(self._client.set(self._key("result", str(ref)), result, px=ms, nx=True))

    def live(self, worker: str, processes: int = 1) -> None:
        """Say that a worker takes tasks, so many at once. Raises BrokerDown."""
        with _told(self):
            pipe = self._client.pipeline(transaction=False)
            pipe.sadd(self._key("workers"), worker)
            pipe.set(self._key("lives", worker), str(processes).encode(), px=self.lives_ms)
            pipe.execute()

    def living(self) -> Mapping[str, int]:
        """The workers that take tasks of this kind, and how many at once. Raises BrokerDown."""
        with _told(self):
            named = sorted(self._client.smembers(self._key("workers")))
            lives: Sequence[Any] = (
                self._client.mget([self._key("lives", _text(each)) for each in named]) if named else []
            )
            gone = [each for each, alive in zip(named, lives, strict=True) if alive is None]
            if gone:
                self._client.srem(self._key("workers"), *gone)
        told = zip(named, lives, strict=True)
        return {_text(each): _number(number) for each, number in told if number is not None}

    def workers(self) -> Heard:
        """The workers that take tasks of this kind, and how they stand. Raises BrokerDown."""
        living = self.living()
        with _told(self):
            pipe = self._client.pipeline(transaction=False)
            pipe.time()
            pipe.zrange(self._key("given"), 0, -1, withscores=True)
            time, given = pipe.execute()
            wanted, taken = self._of_each("wanted", given), self._of_each("taken", given)
            gone = [name for (name, _), is_wanted in zip(given, wanted, strict=True) if not is_wanted]
            if gone:  # whoever asked has gone without a word
                self._client.zrem(self._key("given"), *gone)
        busy = [_text(by) for by, is_wanted in zip(taken, wanted, strict=True) if by and is_wanted]
        waiting = [
            at_ms
            for (_, at_ms), by, is_wanted in zip(given, taken, wanted, strict=True)
            if is_wanted and not by
        ]
        oldest_s = max(0.0, _ms(time) - min(waiting)) / 1000 if waiting else 0.0
        at_work = [each for each in busy if each in living]
        load = Workers(len(living), len(set(at_work)), len(waiting), oldest_s)
        return Heard(frozenset(living), load, max(0, sum(living.values()) - len(at_work) - len(waiting)))

    def _of_each(self, note: str, given: Sequence[tuple[bytes, float]]) -> Sequence[bytes | None]:
        keys = [self._key(note, _text(name)) for name, _ in given]
        found: Sequence[bytes | None] = self._client.mget(keys) if keys else []
        return found

    def _note_given(self, name: str, wanted_ms: int) -> None:
        """What is wanted, first: who looks on takes a task that is not for one that was given up."""
        pipe = self._client.pipeline(transaction=False)
        pipe.set(self._key("wanted", name), b"1", px=wanted_ms)
        pipe.zadd(self._key("given"), {name: _ms(self._client.time())})
        pipe.pexpire(self._key("given"), self.kind.visibility_s * 1000)
        pipe.execute()

    def _key(self, *parts: str) -> str:
        return self.prefix + ":".join(parts)


def _text(told: bytes) -> str:
    """A name, whatever the broker makes up."""
    return told.decode(errors="replace")


def _number(told: bytes) -> int:
    """What a worker says of its processes; a broker that makes things up is believed in one."""
    return min(int(told), MOST_PROCESSES) if told.isdigit() else 1


def _ms(time: tuple[int, int]) -> int:
    return time[0] * 1000 + time[1] // 1000


@contextlib.contextmanager
def _told(broker: Broker) -> Iterator[None]:
    """Whatever goes wrong between us and the broker is one error, without its address."""
    try:
        yield
    except Exception as error:  # of Celery's, kombu's or the Redis client's: no common base
        raise BrokerDown(
            f"the broker of {broker.kind.name} does not answer ({type(error).__name__})"
        ) from error
