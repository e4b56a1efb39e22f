"""One signed POST to somebody outside: no redirect, no proxy, no cookie, no address that is not public.

The address is looked at where the connection to it is made: what a name stood for before says nothing.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from standardwebhooks import Webhook as Signer
from yarl import URL

from client.pauses import retry_after_s
from dispatcher.runtime.addresses import Networks

LIMIT_S, CONNECT_S = 15.0, 5.0
LONGEST_RETRY_AFTER_S = 3_600.0
GONE = 410  # the receiver wants nothing any more
RESOLVERS = 16  # names that are looked up at once: one that nobody answers for holds up no other
REFUSED = "address_refused"
TIMED_OUT, TLS, UNREACHABLE, BROKEN = "timeout", "tls", "unreachable", "connection_broken"
NO_ANSWER = "no_http_answer"
AGENT = "dispatcher-webhooks/1"


class Undelivered(Exception):
    """It was not taken; `code` says why, without what was sent. `final`: nor will it be."""

    def __init__(self, code: str, *, final: bool = False, retry_after_s: float = 0.0) -> None:
        super().__init__(code)
        self.code, self.final, self.retry_after_s = code, final, retry_after_s


class Refused(OSError):
    """A connection that may not be made; its text is a code."""


class Poster:
    """Calls URLs. `networks` None: any address, for a URL that the settings name, and nobody else."""

    def __init__(self, networks: Networks | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self._networks, self._tls = networks, tls
        self._sessions: dict[str, aiohttp.ClientSession] = {}  # by scheme

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Any 2xx is taken: the status. What else is answered is not read. Raises Undelivered."""
        if self._networks is not None and self._networks.refusal(url):
            raise Undelivered(REFUSED)
        try:
            target = URL(url, encoded=True)
            async with self._opened(target.scheme).post(
                target, data=body, headers={"User-Agent": AGENT, **headers}, allow_redirects=False
            ) as answer:
                _refuse(answer)
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Undelivered(code_of(error)) from None  # its text may hold the URL

    async def aclose(self) -> None:
        """Close the connections."""
        sessions, self._sessions = self._sessions, {}
        for each in sessions.values():
            await each.close()

    def _opened(self, scheme: str) -> aiohttp.ClientSession:
        if scheme not in self._sessions:
            connector = aiohttp.TCPConnector(
                limit=0,  # each webhook has its own: a slow one takes nobody's
                resolver=_Names(),
                use_dns_cache=False,
                socket_factory=partial(self._socket, scheme),
                ssl=True if self._tls is None else self._tls,
            )
            self._sessions[scheme] = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=LIMIT_S, connect=CONNECT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._sessions[scheme]

    def _socket(self, scheme: str, info: Any) -> socket.socket:
        """The last door: what is connected to is what was looked at."""
        family, kind, protocol, _, address = info
        networks = self._networks
        if networks is not None:
            may = networks.allow(address[0]) and (scheme == "https" or networks.names(address[0]))
            if not may:
                raise Refused(REFUSED)
        return socket.socket(family=family, type=kind, proto=protocol)


class _Names(AbstractResolver):
    """Looks names up in threads of its own, anew for each connection."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="webhook-names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of a name. Raises OSError."""

        def looked_up() -> Sequence[Any]:
            return socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)

        found = await asyncio.get_running_loop().run_in_executor(self._threads, looked_up)
        return [
            cast(
                ResolveResult,
                {
                    "hostname": host,
                    "host": address[0],
                    "port": address[1],
                    "family": own,
                    "proto": protocol,
                    "flags": socket.AI_NUMERICHOST,
                },
            )
            for own, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """What is being looked up is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def signed(
    message_id: str, at_s: int, body: bytes, secrets: Sequence[bytes], media: str = "application/json"
) -> dict[str, str]:
    """The headers that say who sent it, as Standard Webhooks has them: a signature by each secret.

    `at_s`: Unix time of the attempt; who verifies it holds that against a clock of its own.
    """
    at, text = datetime.fromtimestamp(at_s, UTC), body.decode()
    return {
        "Content-Type": media,
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(Signer(each).sign(message_id, at, text) for each in secrets),
    }


def code_of(error: Exception) -> str:
    """What went wrong, in a word that holds nothing of the URL, nor of an answer."""
    if isinstance(error, aiohttp.ClientConnectorError) and REFUSED in str(error.os_error):
        return REFUSED
    if isinstance(error, TimeoutError):
        return TIMED_OUT
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return TLS
    if isinstance(error, aiohttp.ClientConnectorError):
        return UNREACHABLE
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.ClientPayloadError):
        return NO_ANSWER
    return BROKEN if isinstance(error, aiohttp.ClientConnectionError | OSError) else type(error).__name__


def _refuse(answer: aiohttp.ClientResponse) -> None:
    if 200 <= answer.status < 300:
        return
    asked_s = min(retry_after_s(answer.headers), LONGEST_RETRY_AFTER_S)
    raise Undelivered(f"http_{answer.status}", final=answer.status == GONE, retry_after_s=asked_s)
