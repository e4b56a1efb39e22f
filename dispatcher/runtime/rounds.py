"""The loop of a process that serves is asked for its time in small pieces: by tasks, and by other threads.

What is long and reads nothing runs in a thread; what has to be in the loop goes on in parts, and in rounds.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from typing import Final, ParamSpec, TypeVar, cast

from dispatcher.runtime.cancellation import cancel_requested

SWITCH_S: Final = 0.000_5
FEW: Final = 64  #: what is done with so many takes a millisecond or two
FEWER: Final = 16  #: the same while somebody is in a hurry
Given = ParamSpec("Given")
Item = TypeVar("Item")
Made = TypeVar("Made")
#: lets who is in more of a hurry go first; how many may follow at once
LetPass = Callable[[], Awaitable[int]]


class Rounds:
    """Of many tasks that may go on, one does in each round of the event loop: who comes meanwhile is heard.

    A dozen that a commit wakes together would else all have their turn before the next message is read.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def next(self, calm: asyncio.Event | None = None, rest_s: float = 0.0) -> None:
        """Until it is this one's round, so long after the one before it, and `calm` is set."""
        async with self._turn:
            await asyncio.sleep(rest_s)
            if calm is not None:
                await calm.wait()


def parts(many: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """In their order, a few at a time."""
    for at in range(0, len(many), FEW):
        yield many[at : at + FEW]


async def in_parts(many: Sequence[Item], let_pass: LetPass) -> AsyncIterator[Sequence[Item]]:
    """In their order; before each part whoever is in more of a hurry passes, and says how many it may be."""
    at = 0
    while at < len(many):
        number = await let_pass()
        yield many[at : at + number]
        at += number


@contextlib.asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """A group of tasks; the first error ends them all, and is raised by itself."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def until_one_ends(*works: Coroutine[None, None, None]) -> None:
    """Run them until one ends or fails; the others are cancelled, and its error is raised.

    Not if we were told to end before: a client of Redis may have lost that, and nobody says it twice.
    """
    if cancel_requested():
        for work in works:
            work.close()
        raise asyncio.CancelledError
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def few_at_once(works: Iterable[Callable[[], Awaitable[Made]]], most: int) -> list[Made]:
    """What each gives, in their order, so many at once. Once one has failed no other begins; those that have
    come to their ends, and then its error is raised: none goes on behind the back of who asked.
    """
    places, failures = asyncio.Semaphore(most), list[BaseException]()

    async def one(work: Callable[[], Awaitable[Made]]) -> Made:
        async with places:
            if failures:
                raise failures[0]
            try:
                return await work()
            except BaseException as error:
                failures.append(error)
                raise

    made = await asyncio.gather(*map(one, works), return_exceptions=True)
    if failures:
        raise failures[0]
    return cast("list[Made]", made)


async def beside_if_many(
    number: int, work: Callable[Given, Made], *given: Given.args, **named: Given.kwargs
) -> Made:
    """What `work` makes of so many: in a thread, unless they are few. It changes nothing of the loop's."""
    if number <= FEW:
        return work(*given, **named)
    return await asyncio.to_thread(work, *given, **named)


def share_threads() -> None:
    """Threads hand over soon: with Python's 5 ms the loop waits so long for one that screens or packs, each
    time that it comes back from its sockets.
    """
    sys.setswitchinterval(SWITCH_S)
