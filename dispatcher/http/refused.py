"""Refusing a call without reading it: an answer that was made before, and how many bytes to pass over.

A call whose end cannot be told for certain from its header lines ends its connection: taken for longer or
shorter than a proxy takes it, its rest would be read as a call of somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_request import BaseRequest

from contracts.problems import Problem
from dispatcher.http import answers, problem_responses
from dispatcher.http.entry import new_id

TOO_LARGE = (  # aiohttp's limits
    "the first line or a header line has more than 8,190 bytes, or there are more than 128 of them\n"
    "Maybe the token, a proxy's cookies or the query have grown."
)
_FIRST_LINE = re.compile(rb"[A-Z]+ [!-~]+ HTTP/1\.1\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n")
_ODD = (
    b"transfer-encoding",
    b"expect",
    b"upgrade",
    b"\n ",
    b"\n\t",
)  # one expression for all takes ten times as long
_CLOSE = re.compile(rb"\nconnection:[^\r]*close")
_STAND_IN = "0" * len(new_id())

_made: dict[tuple[type[Problem], str, bool], bytes] = {}


def answer(error: Problem, head: bytes, *, keep: bool) -> bytes:
    """The answer to a call with these header lines; `keep`: the connection goes on."""
    made = _made.get((type(error), error.detail, keep))
    if made is None:
        made = _made[type(error), error.detail, keep] = _make(error, keep)
    told = made.replace(_STAND_IN.encode(), new_id().encode()[-len(_STAND_IN) :])
    return told.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if head.startswith(b"HEAD ") else told


def size(head: bytes, most: int) -> int | None:
    """How many bytes the body has; None if that is not certain, or more than are worth passing over."""
    low = head.lower()
    if not _FIRST_LINE.match(head) or _is_odd(low):
        return None
    mentions = low.count(b"content-length")
    found = _LENGTH.search(low)
    if found is None or mentions != 1:
        return 0 if not mentions else None
    length = int(found[1])
    return length if length <= most else None


def _is_odd(low: bytes) -> bool:
    """Whether header lines say something by which a proxy might see another end than we do."""
    ends = low.count(b"\r\n")
    if low.count(b"\n") != ends or low.count(b"\r") != ends or any(each in low for each in _ODD):
        return True
    return b"\nconnection:" in low and _CLOSE.search(low) is not None


def one_call(data: bytes, end: int) -> tuple[bytes, bytes]:
    """The first call, whose header lines end there, and what came behind it, as far as that is certain."""
    if data.find(b"\r\n\r\n", end) < 0:
        return data, b""
    length = size(data[:end], len(data))
    cut = len(data) if length is None else end + length
    return data[:cut], data[cut:]


def handler(error: Problem) -> Callable[[BaseRequest], Awaitable[web.StreamResponse]]:
    """Says no to a call that was parsed already."""

    async def handle(request: BaseRequest) -> web.StreamResponse:
        return answers.marked(problem_responses.answer(error, new_id()))

    return handle


def no_call(status: int, error: BaseException | None) -> Exception:
    """What is said to bytes that are no call, or of a failure outside of our handlers."""
    if isinstance(error, LineTooLong) or "Too many headers" in getattr(error, "message", ""):
        return Problem(TOO_LARGE, type="malformed-call")
    if status < 500:
        return Problem("the bytes are no HTTP call\nMaybe Content-Length is wrong.", type="malformed-call")
    return error if isinstance(error, Exception) else RuntimeError()


def _make(error: Problem, keep: bool) -> bytes:
    made: web.Response = problem_responses.answer(error, _STAND_IN)
    return answers.plain(made, keep=keep)
