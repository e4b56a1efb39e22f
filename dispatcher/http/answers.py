"""What every answer carries, whatever it answers; and an answer as bytes, where there is no call."""

from __future__ import annotations

from typing import TypeVar

from aiohttp import web

# No version: it would tell who attacks what to try. No guessing of types: a problem is no page.
EVERYWHERE = {"Server": "dispatcher", "X-Content-Type-Options": "nosniff"}

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
