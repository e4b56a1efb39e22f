"""One connection that many ask at once: questions go out as they come, answers come in the same order.

A question goes at once where no answer is owed; else with all that are asked in the same turn of the loop.

redis-py opens it: address, TLS, name and password. To ask through redis-py takes a place in a pool, a task,
two timers and a closure that might try again, which is three times what it costs here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import hiredis
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import InvalidResponse, RedisError
from redis.exceptions import TimeoutError as TimedOut

from dispatcher.store import resp

NOT_YET = object()  # there is no whole answer
Heard = Callable[[Any], None]  #: hears an answer as it comes


class Question(NamedTuple):
    """Commands that were sent together, and the answers that have come so far."""

    wanted: int
    answers: list[Any]
    told: asyncio.Future[list[Any]]
    heard: Heard | None


class Pipe(asyncio.Protocol):
    """It ends with its first failure, and all who wait are told so: whoever asks again opens another."""

    def __init__(self, client: Redis, connection: Any) -> None:
        """Of a connection of the client's that is open: from here on it is heard by nobody else."""
        self._client, self._connection = client, connection
        self._loop, self._timeout_s = asyncio.get_running_loop(), float(connection.socket_timeout)
        self._reader = hiredis.Reader(
            protocolError=InvalidResponse,
            replyError=connection._parser.parse_error,
            notEnoughData=NOT_YET,
        )
        self._asked: deque[Question] = deque()
        self._unsent: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._heard_s = 0.0  # when the server was last heard, or owed nothing
        self._is_held = True
        self.is_closed = False
        self._transport = connection._writer.transport
        self._opener = self._transport.get_protocol()
        self._transport.set_protocol(self)

    @classmethod
    async def to(cls, client: Redis) -> Self:
        """To the server of a client, which closes it with itself. Raises what a connection raises."""
        connection = await client.connection_pool.get_connection()  # type: ignore[no-untyped-call]
        try:
            return cls(client, connection)
        except BaseException:  # no memory for it, or the server hung up meanwhile
            await _let_go(client, connection)
            raise

    async def ask(self, commands: Sequence[Sequence[Any]], heard: Heard | None = None) -> list[Any]:
        """The answers, in their order; what the server refused is an error in its place.

        `heard` hears each as it comes, and may raise ConnectionError: it is no answer to that question.
        Raises ConnectionError, TimeoutError (redis-py's): what was sent may have been done.
        """
        if self.is_closed:
            raise Disconnected("the connection has ended")
        packed, is_idle = list(map(_packed, commands)), not self._asked
        question = Question(len(commands), [], self._loop.create_future(), heard)
        try:
            self._asked.append(question)
            if is_idle:
                self._heard_s = self._loop.time()
                self._send(packed)
            else:
                if not self._unsent:
                    self._loop.call_soon(self._send_all)
                self._unsent += packed
        except BaseException as error:
            self._fail(error)
            raise
        return await question.told

    async def ask_one(self, *words: Any) -> Any:
        """One command's answer. Raises as `ask`, and what the server refused."""
        (answer,) = await self.ask([words])
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def silent_s(self) -> float:
        """For how long the server was not heard, seconds."""
        return self._loop.time() - self._heard_s

    async def aclose(self) -> None:
        """Let the connection go."""
        self._end(Disconnected("it was closed"))
        if self._is_held:
            self._is_held = False
            await _let_go(self._client, self._connection)

    def data_received(self, data: bytes) -> None:
        """Some answers, or a part of one."""
        self._heard_s = self._loop.time()
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not NOT_YET:
                self._take(answer)
        except (InvalidResponse, LookupError):  # no answer, or to no question: what follows cannot be told
            self._end(Disconnected("the server's words are not understood"))
        except Disconnected as error:
            self._end(error)
        except BaseException as error:
            self._fail(error)
            raise

    def connection_lost(self, error: Exception | None) -> None:
        """The server hung up, or we did."""
        self._end(Disconnected(f"the connection has ended ({type(error).__name__})"))
        self._opener.connection_lost(error)

    def _send_all(self) -> None:
        """All that was asked in this turn of the loop."""
        unsent, self._unsent = self._unsent, []
        if not self.is_closed:
            try:
                self._send(unsent)
            except BaseException as error:
                self._fail(error)
                raise

    def _fail(self, error: BaseException) -> None:
        """Something failed here (memory is full): from now on each would hear another's answer."""
        self._end(Disconnected(f"it failed here ({type(error).__name__})"))

    def _send(self, packed: Sequence[bytes]) -> None:
        self._transport.write(b"".join(packed))
        if self._timer is None:
            self._timer = self._loop.call_later(self._timeout_s, self._look)

    def _take(self, answer: Any) -> None:
        question = self._asked[0]
        question.answers.append(answer)
        if question.heard is not None:
            question.heard(answer)
        if len(question.answers) == question.wanted:
            self._asked.popleft()
            if not question.told.done():  # who asked may have left
                question.told.set_result(question.answers)

    def _look(self) -> None:
        """Whether the server has been silent for too long, while it owes an answer."""
        self._timer = None
        if not self._asked:
            return
        left_s = self._heard_s + self._timeout_s - self._loop.time()
        if left_s <= 0:
            self._end(TimedOut("the server is silent"))
        else:
            self._timer = self._loop.call_later(left_s, self._look)

    def _end(self, error: Exception) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        asked, self._asked = self._asked, deque()
        for question in asked:
            if not question.told.done():
                question.told.set_exception(error)
                question.told.exception()  # who asked may leave before it hears
        self._transport.abort()


class Listener(Pipe):
    """One that is told what others publish, too, in the turn of the loop in which it comes.

    With redis-py's own that took four of them, each after what others had to do in the one before.
    """

    def __init__(self, client: Redis, connection: Any) -> None:
        """As a `Pipe`; subscribed to nothing yet."""
        super().__init__(client, connection)
        self._said: list[bytes] = []
        self._stir = asyncio.Event()

    async def said(self) -> list[bytes]:
        """What was published since it was last asked, at least one. Raises ConnectionError: it has ended."""
        while not self._said:
            self._stir.clear()
            if self.is_closed:
                raise Disconnected("the connection has ended")
            await self._stir.wait()
        said, self._said = self._said, []
        return said

    def _take(self, answer: Any) -> None:
        if isinstance(answer, list) and answer[:1] == [b"message"]:
            self._said.append(answer[2])
            self._stir.set()
        else:
            super()._take(answer)

    def _end(self, error: Exception) -> None:
        super()._end(error)
        self._stir.set()


async def _let_go(client: Redis, connection: Any) -> None:
    try:
        with contextlib.suppress(RedisError, OSError):
            await connection.disconnect(nowait=True)
    finally:
        await client.connection_pool.release(connection)


def _packed(words: Sequence[Any]) -> bytes:
    """A command; some have two words in one."""
    name = words[0]
    return resp.pack((*name.split(), *words[1:]) if isinstance(name, str) and " " in name else words)
