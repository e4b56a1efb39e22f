"""Clients that never repeat a write of their own accord, and reads that may be repeated."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.driver_info import DriverInfo
from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    MovedError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import TimeoutError as TimedOut

from dispatcher.domain.refusals import Unavailable, Unreadable
from dispatcher.runtime.cancellation import may_be_left
from dispatcher.runtime.errors import UserError
from dispatcher.store.pipe import Pipe

SOCKET_TIMEOUT_S = 5.0
TIMEOUT_S = 5.0
PAUSE_S = 0.02
RETRY_AFTER_S = 1
GET_TOGETHER = 500
CONNECTION_ERRORS = (Disconnected, TimedOut, OSError)
REDIRECTED = (MovedError, AskError)  # another server of a cluster has that slot: nothing was done here
SPLIT = TryAgainError  # a slot moves key by key, and half of what is asked for is there: nothing was done
LEADERLESS = ClusterDownError  # a primary is away, and none was promoted yet: nothing was done, by any server
StoreError = ResponseError  # what the server answered to a command, for rooms that do not speak Redis
# Answers that say: not now, and nothing was written. UNBLOCKED: it became a replica while we waited.
RETRYABLE_ERRORS = (OutOfMemoryError, ReadOnlyError, ClusterDownError, TryAgainError)
RETRYABLE_CODES = ("MISCONF", "NOREPLICAS", "UNBLOCKED")
DRIVER = DriverInfo()  # once: redis-py would read its package's metadata again for each connection
PIPELINED = " of pipeline caused error: ("


class BadUrl(UserError):
    """The address of the store cannot be understood."""


def connect(url: str, *, timeout_s: float = SOCKET_TIMEOUT_S) -> Redis:
    """A client without retries: by default redis-py sends a write again whose reply was lost.

    Raises BadUrl; nothing is connected yet.
    """
    try:
        _refuse_bad_parts(url)
        client = Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            protocol=2,
            decode_responses=False,
            driver_info=DRIVER,
        )
        client.connection_pool.make_connection()  # type: ignore[no-untyped-call] # an unknown option shows here
    except (ValueError, TypeError) as error:
        raise BadUrl(
            f"DISPATCHER_REDIS_URL cannot be used: {_without_names(error)}.",
            "Maybe redis://[user:password@]host:port/database, rediss://… or unix:///path.",
        ) from error
    return client


def _refuse_bad_parts(url: str) -> None:
    """What redis-py would pass over, or find only when it connects. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme.endswith("+cluster"):
        raise ValueError("it names a cluster, and this needs one server: ask each primary by itself")
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise ValueError("it begins with none of redis://, rediss://, unix://")
    if parts.scheme == "unix":
        return
    if parts.port == 0:  # reading it refuses what is no number or too large
        raise ValueError("its port is 0")
    if not (database := parts.path.strip("/")).isdecimal() and database:
        raise ValueError("its database is no number")


def named(url: str) -> str:
    """A store as those are told who run it: by host and port; never who asks there, or by which password."""
    parts = urlsplit(url)
    return "the store" if parts.scheme == "unix" else f"the store at {parts.netloc.rpartition('@')[2]}"


def why_unasked(error: Exception) -> str:
    """Why nothing could be asked, in the system's words if it has any; callers hear it: no host."""
    if isinstance(error, Elsewhere):
        return str(error)
    cause = error.__cause__ or error.__context__ or error
    if isinstance(cause, socket.gaierror):
        return f"its host's name cannot be looked up: {cause.strerror}"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):  # whose number is none of the system's
        return f"TLS fails: {cause.reason or 'it hung up'}"
    return os.strerror(cause.errno) if isinstance(cause, OSError) and cause.errno else type(error).__name__


def _without_names(error: Exception) -> str:
    """The error in words, without the URL, which may hold a password."""
    text = str(error)
    if isinstance(error, TypeError):  # an option of the query that no connection has
        return f"it has an option that is not known{text.partition('argument')[2]}"
    return text.rstrip(".")


def unavailable(detail: str) -> Unavailable:
    """The refusal a caller may repeat under the same id."""
    return Unavailable(
        f"{detail}\nMaybe ask again under the same id after {RETRY_AFTER_S} s.", retry_after_s=RETRY_AFTER_S
    )


def login_refused() -> Unavailable:
    """The refusal for a store that does not let us in."""
    return unavailable("the store refuses the name or password of DISPATCHER_REDIS_URL.")


def server_words(error: BaseException) -> str:
    """What the server said, its code first: redis-py puts the command before it where several were sent."""
    return str(error).rpartition(PIPELINED)[2].strip("'\",)") if PIPELINED in str(error) else str(error)


def is_retryable(error: ResponseError) -> bool:
    """Whether the server may take the same command later."""
    return isinstance(error, RETRYABLE_ERRORS) or server_words(error).startswith(RETRYABLE_CODES)


def writes_refused(error: ResponseError) -> Unavailable:
    """The refusal for an answer that says: not now."""
    return unavailable(f"the store takes no writes: {server_words(error).rstrip('.')}.")


def misfiled(error: BaseException) -> Unreadable | None:
    """What a caller is told where something that it asked for is stored as a key of another type."""
    if not isinstance(error, ResponseError) or not server_words(error).startswith("WRONGTYPE"):
        return None
    return Unreadable(
        "a part of what is stored of this market is a key of another type, and cannot be read\n"
        "Maybe ask who runs this service: `dispatcher audit` names it."
    )


class NoGroup(Exception):
    """The consumer group, or its stream, is not there (any more): make it again."""


def refused(error: ResponseError) -> Exception:
    """What the server's answer means: not now, no such group, or the error itself."""
    if server_words(error).startswith("NOGROUP"):
        return NoGroup("the consumer group is gone")
    return writes_refused(error) if is_retryable(error) else error


class Elsewhere(Disconnected):
    """Who was asked has not got the slot: another has, or nobody yet. It says what was answered."""


class Reader:
    """Reads, and writes that may happen twice; repeated for up to `timeout_s` while the server is away."""

    def __init__(self, client: Redis, timeout_s: float = TIMEOUT_S) -> None:
        self.client = client
        self.timeout_s = timeout_s
        self.failure = ""  # why it could not ask; "": it could
        self._pipes: dict[Redis, Pipe] = {}
        self._opening: dict[Redis, asyncio.Task[Pipe]] = {}

    async def get(self, key: str) -> bytes | None:
        """One value; a key of another type has none. Raises Unavailable."""
        return (await self.get_all([key]))[0]

    async def ask(self, *words: Any) -> Any:
        """One command's answer. Raises Unavailable."""
        return (await self.ask_all([words]))[0]

    async def ask_at(self, key: str, *words: Any) -> Any:
        """The answer of the server that has `key` to a command that names none. Raises Unavailable."""
        return (await self._repeated([words], raise_on_error=True, near=key))[0]

    async def ask_all(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """The answers of several commands, sent together. Raises Unavailable, or the error answered."""
        return await self._repeated(commands, raise_on_error=True)

    async def ask_each(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """The same, with the error answered in the place of what could not be answered.

        A server that takes no writes now (its memory is full, it is a replica) says nothing of what was asked
        for. Raises Unavailable.
        """
        answers = await self._repeated(commands, raise_on_error=False)
        for each in answers:
            if isinstance(each, ResponseError) and is_retryable(each):
                raise writes_refused(each) from each
        return answers

    async def _repeated(
        self, commands: Sequence[Sequence[Any]], *, raise_on_error: bool, near: str | None = None
    ) -> list[Any]:
        deadline = time.monotonic() + self.timeout_s
        while True:
            try:
                answers = await self._send(commands, raise_on_error=raise_on_error, near=near)
                self.failure = ""
                return answers
            except ResponseError as error:
                raise refused(error) from error
            except CONNECTION_ERRORS as error:
                if isinstance(error.__cause__ or error, AuthenticationError):  # redis-py tells it either way
                    raise login_refused() from error
                self.failure = why_unasked(error)
                if time.monotonic() >= deadline:
                    raise unavailable(f"the store does not answer ({self.failure}).") from error
            await asyncio.sleep(PAUSE_S)

    async def get_all(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys of one market, in steps that do not hold up the server."""
        steps = [keys[at : at + GET_TOGETHER] for at in range(0, len(keys), GET_TOGETHER)]
        found = await self.ask_all([("MGET", *step) for step in steps])
        return found[0] if len(steps) == 1 else [value for values in found for value in values]

    async def client_of(self, key: str) -> Redis:
        """The client of the server that has a key."""
        return self.client

    async def _send(
        self, commands: Sequence[Sequence[Any]], *, raise_on_error: bool, near: str | None
    ) -> list[Any]:
        return await self._send_to(self.client, commands, raise_on_error=raise_on_error)

    async def _send_to(
        self, client: Redis, commands: Sequence[Sequence[Any]], *, raise_on_error: bool
    ) -> list[Any]:
        if not commands:
            return []
        pipe = self._pipes.get(client)
        if pipe is None or pipe.is_closed:
            pipe = await self._opened(client)
        answers = await pipe.ask(commands)
        for number, (words, answer) in enumerate(zip(commands, answers, strict=True)):
            if isinstance(answer, Exception):
                is_loading = isinstance(answer, CONNECTION_ERRORS)  # then it answers nothing
                if raise_on_error or is_loading:
                    raise answer
            elif (read := client.response_callbacks.get(words[0])) is not None:
                answers[number] = read(answer)
        return answers

    async def _opened(self, client: Redis) -> Pipe:
        """The way to a server, opened once for all who ask meanwhile; whoever leaves does not stop it."""
        opening = self._opening.get(client)
        if opening is None:
            opening = self._opening[client] = asyncio.create_task(self._open(client))
            may_be_left(opening)
        return await asyncio.shield(opening)

    async def _open(self, client: Redis) -> Pipe:
        try:
            if (ended := self._pipes.pop(client, None)) is not None:
                await ended.aclose()
            pipe = self._pipes[client] = await Pipe.to(client)
            return pipe
        finally:
            del self._opening[client]
