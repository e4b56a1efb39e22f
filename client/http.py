"""One HTTP call, repeated safely: the same Idempotency-Key, `Retry-After` honoured, an end to it.

No redirect is followed: what is sent, a patient it may be, goes to the service and to nobody else.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Collection, Mapping
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from client.answers import JSON, MOST_BYTES, Answered, Forms, Received
from client.errors import Unreachable
from client.pauses import pauses, retry_after_s
from contracts.base import Wire

Answer = TypeVar("Answer")
TRY_AGAIN = frozenset({429, 502, 503, 504})
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 2.0
OK = frozenset({200})


class Connection:
    """Where the service is and who we are. Close it, or use it as `async with`.

    `total_timeout_s` (real seconds) bounds a call with all its repetitions, `timeout_s` one attempt.
    """

    def __init__(
        self, url: str, token: str, market: str, *, total_timeout_s: float = 30.0, timeout_s: float = 20.0
    ) -> None:
        self.base = f"{url.rstrip('/')}/v1/markets/{segment(market)}"
        self.market = market
        self.token = token
        self.total_timeout_s = total_timeout_s
        self.timeout_s = timeout_s
        self.interruptions = 0  # event feeds that broke and were resumed
        self.unreadable = 0  # events of feeds that could not be read and were passed over
        self._session: aiohttp.ClientSession | None = None
        self._feeds: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, made on first use inside the running loop."""
        if self._session is None:
            self._session = self._made(aiohttp.TCPConnector(limit=100))
        return self._session

    @property
    def feeds(self) -> aiohttp.ClientSession:
        """A session of their own for feeds: they last, and must not take the connections that calls need."""
        if self._feeds is None:
            self._feeds = self._made(aiohttp.TCPConnector(limit=0))
        return self._feeds

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        sessions, self._session, self._feeds = (self._session, self._feeds), None, None
        for session in sessions:
            if session is not None:
                await session.close()

    async def call(
        self,
        method: str,
        path: str,
        answer: type[Answer] | Forms[Answer],
        *,
        statuses: Collection[int] = OK,
        body: Wire | None = None,
        key: str | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call until there is an answer.

        Raises Problem (the service refused), UnexpectedAnswer (it is not as documented: `statuses`, JSON, the
        form `answer`, which may be one by status), Unreachable (no answer in time; outcome unknown).
        """
        answered = await self.exchange(
            method, path, answer, statuses=statuses, body=body, key=key, params=params, headers=headers
        )
        return answered.value

    async def exchange(
        self,
        method: str,
        path: str,
        answer: type[Answer] | Forms[Answer],
        *,
        statuses: Collection[int] = OK,
        body: Wire | None = None,
        key: str | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answered[Answer]:
        """As `call`, with the response's headers (`ETag`, `Location`). `path` is quoted: see `segment`."""
        sent = {"Content-Type": JSON} if body is not None else {}
        if method == "POST":
            sent["Idempotency-Key"] = key or uuid.uuid4().hex
        content = None if body is None else msgspec.json.encode(body)
        received = await self.bytes_of(
            method, path, content=content, params=params, headers=sent | dict(headers or {})
        )
        return received.documented(answer, statuses)

    async def bytes_of(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Received:
        """As `call`, with the answer as it came, whatever it says. Raises UnexpectedAnswer, Unreachable."""
        deadline_s = time.monotonic() + self.total_timeout_s
        for pause_s in pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S):
            wait_s = pause_s
            try:
                received = await self._attempt(method, path, dict(params or {}), dict(headers or {}), content)
                if not busy(received):
                    return received
                reason = f"answer {received.status}"
                wait_s = max(pause_s, retry_after_s(received.headers))
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                reason = type(error).__name__  # never the text: it may hold what was sent
            if time.monotonic() + wait_s > deadline_s:
                raise Unreachable(f"{method} {path}: {reason}, after {self.total_timeout_s:g} s")
            await asyncio.sleep(wait_s)
        raise AssertionError("the pauses never end")

    async def _attempt(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Received:
        async with self.session.request(
            method, self.url(path), params=params, headers=headers, data=body, allow_redirects=False
        ) as response:
            return await received_of(f"{method} {path}", response)

    def url(self, path: str) -> URL:
        """Where `path` of this market is; taken as it is, so that no dot in it is read as a step up."""
        return URL(self.base + path, encoded=True)

    def _made(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self.token}", "Accept": JSON},
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self.timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
        )


def segment(name: str) -> str:
    """An id as one segment of a path, whatever it holds. Raises ValueError for what no segment can hold."""
    if name in ("", ".", ".."):
        raise ValueError(f"the id is {name!r}: no path can name it\nMaybe it was left out.")
    return quote(name, safe="")


def busy(received: Received) -> bool:
    """Whether the same call may be answered later."""
    return received.status in TRY_AGAIN or (received.status == 409 and "Retry-After" in received.headers)


async def received_of(call: str, response: aiohttp.ClientResponse) -> Received:
    """The whole response. Raises UnexpectedAnswer for one that is longer than any answer of the service."""
    content = b"".join([part async for part in _parts(call, response)])
    return Received(call, response.status, response.headers, content)


async def _parts(call: str, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    size_bytes = 0
    async for part in response.content.iter_any():
        size_bytes += len(part)
        if size_bytes > MOST_BYTES:
            raise Received(call, response.status, response.headers, b"").unexpected(
                f"its body has more than {MOST_BYTES:,} bytes"
            )
        yield part
