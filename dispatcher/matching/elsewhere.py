"""A solver process that has parts of its problem solved by others: it asks, the matcher finds who does it."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from solvers.planning import BatchPlan
from solvers.saved import NotSaved

if TYPE_CHECKING:
    from solvers.part import Part, PartPlan

LOOK_S: Final = 0.02


class Asked(NamedTuple):
    """A part, packed, as the matcher is asked for it."""

    number: int
    time_limit_s: float
    packed: bytes


class Answered(NamedTuple):
    """Its plan, packed; None: nobody made one."""

    number: int
    packed: bytes | None


@dataclass(eq=False)
class Line:
    """The solver process's end of the pipe to its matcher. `at_once`: parts that others solve at once."""

    pipe: Connection
    at_once: int = 0
    _said: Lock = field(default_factory=Lock)
    _waiting: dict[int, Future[bytes | None]] = field(default_factory=dict)
    _over: bool = False
    _deaf: bool = False

    def __enter__(self) -> Self:
        """Hear answers, where any may come."""
        self._hearing = Thread(target=self._hear, daemon=True)
        if self.at_once:
            self._hearing.start()
        return self

    def __exit__(self, *ended: object) -> None:
        """No answer is waited for any more."""
        self._over = True
        if self.at_once:
            self._hearing.join()
        self.pipe.close()

    def tell(self, part: BatchPlan) -> None:
        """A part that is settled."""
        self._say(part)

    def solved(self, part: Part) -> PartPlan | None:
        """See `solvers.split.Elsewhere`."""
        from solvers.part import pack_part, unpack_part_plan  # noqa: PLC0415 - the matcher can do without

        answer = self._waiting[part.number] = Future()
        if self._deaf:
            return None
        try:
            self._say(Asked(part.number, part.time_limit_s, pack_part(part)))
            packed = answer.result()
            return None if packed is None else unpack_part_plan(packed, part)
        except (OSError, NotSaved):  # the matcher has gone, or what came is none: it is solved here
            return None

    def _say(self, words: BatchPlan | Asked) -> None:
        with self._said:
            self.pipe.send(words)

    def _hear(self) -> None:
        try:
            while not self._over:
                if self.pipe.poll(LOOK_S):
                    answered: Answered = self.pipe.recv()
                    self._waiting.pop(answered.number).set_result(answered.packed)
        except Exception:  # the matcher has gone, and ends this process; or an answer found no memory
            return
        finally:  # who waits solves it here
            self._deaf = True
            for number in list(self._waiting):
                self._waiting.pop(number).set_result(None)
