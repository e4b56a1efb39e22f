"""What every answer carries, whatever it answers; and an answer as bytes, where there is no call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

from aiohttp import HttpVersion11, Payload, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.web_request import BaseRequest

LONG_BYTES, PART_BYTES = 131_072, 32_768
# No version: it would tell who attacks what to try. No guessing of types: a problem is no page.
EVERYWHERE = {"Server": "dispatcher", "X-Content-Type-Options": "nosniff"}

_ON_EVERY_ONE = "".join(f"{name}: {value}\r\n" for name, value in EVERYWHERE.items())

Answer = TypeVar("Answer", bound=web.StreamResponse)


def marked(answer: Answer) -> Answer:
    """The answer, with what every one carries."""
    answer.headers.update(EVERYWHERE)
    return answer


async def mark(request: web.Request, answer: web.StreamResponse) -> None:
    """The same, for aiohttp's `on_response_prepare`."""
    marked(answer)


def plain(answer: web.Response, *, keep: bool = False) -> bytes:
    """The answer as bytes of HTTP/1.1, after which the connection ends, unless it is to be kept."""
    body = bytes(answer.body) if isinstance(answer.body, bytes | bytearray) else b""
    headers = dict(marked(answer).headers) | {"Content-Length": str(len(body))}
    headers |= {} if keep else {"Connection": "close"}
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}", *(f"{name}: {headers[name]}" for name in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def in_parts(answer: web.StreamResponse) -> web.StreamResponse:
    """The answer; a long one is written part by part, each once its caller has read most of those before.

    aiohttp writes it as one, copied behind its head, and all of that is held for who does not read.
    """
    if isinstance(answer, web.Response) and isinstance(body := answer.body, bytes) and len(body) > LONG_BYTES:
        answer.headers["Content-Length"] = str(len(body))
        answer.body = _parts(body)
    return answer


async def _parts(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), PART_BYTES):
        yield body[at : at + PART_BYTES]


class Whole(web.Response):
    """An answer that is whole when it is made: its head is made once, and written with its body.

    aiohttp goes over the head of every answer several times, which is a twentieth of what a call costs.
    """

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """Write it all; as aiohttp does where it has to be told otherwise than HTTP/1.1 has it."""
        is_long = isinstance(self.body, Payload)
        if self.prepared or is_long or request.version != HttpVersion11 or request.method == "HEAD":
            return await super().prepare(request)
        self._keep_alive = request.keep_alive if self.keep_alive is None else self.keep_alive
        body = bytes(self.body) if isinstance(self.body, bytes | bytearray) else b""
        head = self._head(len(body))
        self._eof_sent = True
        await request.writer.write(head + body)
        return request.writer

    def _head(self, length: int) -> bytes:
        """Raises ValueError where a header's value would end its line."""
        told = [f"{name}: {value}\r\n" for name, value in self.headers.items()]
        end = "\r\n" if self._keep_alive else "Connection: close\r\n\r\n"
        lines = "".join(told)
        if lines.count("\n") != len(told) or lines.count("\r") != len(told):
            raise ValueError("a header's value has a line break")
        return (
            f"HTTP/1.1 {self.status} {self.reason}\r\n{lines}Content-Length: {length}\r\n"
            f"Date: {rfc822_formatted_time()}\r\n{_ON_EVERY_ONE}{end}"
        ).encode()
