"""One HTTP call, repeated safely: the same Idempotency-Key, `Retry-After` honoured, an end to patience."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import msgspec

from client.errors import Problem, Unreachable
from contracts.base import Wire

Answer = TypeVar("Answer")
TRY_AGAIN = frozenset({429, 502, 503, 504})
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 2.0
JSON = "application/json"


class Connection:
    """Where the service is and who we are. Close it, or use it as `async with`.

    `total_timeout_s` (real seconds) bounds a call with all its repetitions, `timeout_s` one attempt.
    """

    def __init__(
        self, url: str, token: str, market: str, *, total_timeout_s: float = 30.0, timeout_s: float = 10.0
    ) -> None:
        self.base = f"{url.rstrip('/')}/v1/markets/{market}"
        self.market = market
        self.token = token
        self.total_timeout_s = total_timeout_s
        self.timeout_s = timeout_s
        self.interruptions = 0  # event feeds that broke and were resumed
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, made on first use inside the running loop."""
        if self._session is None:
            headers = {"Authorization": f"Bearer {self.token}", "Accept": JSON}
            connector = aiohttp.TCPConnector(limit=100)
            timeout = aiohttp.ClientTimeout(total=self.timeout_s)
            self._session = aiohttp.ClientSession(
                headers=headers, connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(
        self,
        method: str,
        path: str,
        answer: type[Answer],
        *,
        body: Wire | None = None,
        key: str | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call until there is an answer.

        Raises Problem (the service refused), Unreachable (no answer in time; outcome unknown).
        """
        _, content = await self.exchange(method, path, body=body, key=key, params=params, headers=headers)
        return msgspec.json.decode(content or b"null", type=answer)

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        body: Wire | None = None,
        key: str | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Mapping[str, str], bytes]:
        """As `call`, giving the response's headers (`ETag`, `Location`) and undecoded body."""
        sent = {"Content-Type": JSON} if body is not None else {}
        if method == "POST":
            sent["Idempotency-Key"] = key or uuid.uuid4().hex
        request = (method, self.base + path, dict(params or {}), sent | dict(headers or {}), _json(body))
        deadline = time.monotonic() + self.total_timeout_s
        async for pause_s in _pauses():
            reason, retry_after_s = "", 0.0
            try:
                status, received, content = await self._attempt(*request)
                if status not in TRY_AGAIN and not (status == 409 and "Retry-After" in received):
                    return _checked(status, received, content)
                reason, retry_after_s = f"answer {status}", _seconds(received.get("Retry-After", ""))
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                reason = type(error).__name__  # never the text: it may hold what was sent
            wait_s = max(pause_s, retry_after_s)
            if time.monotonic() + wait_s > deadline:
                raise Unreachable(
                    f"{method} {path.partition('?')[0]}: {reason}, after {self.total_timeout_s:g} s"
                )
            await asyncio.sleep(wait_s)
        raise AssertionError("the pauses never end")

    async def _attempt(
        self, method: str, url: str, params: dict[str, str], headers: dict[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        async with self.session.request(method, url, params=params, headers=headers, data=body) as response:
            return response.status, response.headers, await response.read()


async def _pauses() -> AsyncIterator[float]:
    pause_s = FIRST_PAUSE_S
    while True:
        yield pause_s * random.uniform(0.5, 1.0)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _checked(status: int, headers: Mapping[str, str], content: bytes) -> tuple[Mapping[str, str], bytes]:
    if status < 400:
        return headers, content
    try:
        body: Any = msgspec.json.decode(content)
    except msgspec.DecodeError:
        body = {}
    raise Problem(status, body if isinstance(body, dict) else {})


def _json(body: Wire | None) -> bytes | None:
    return None if body is None else msgspec.json.encode(body)


def _seconds(text: str) -> float:
    """`Retry-After` in seconds; a date or nonsense counts as none."""
    return float(text) if text.isdecimal() else 0.0
