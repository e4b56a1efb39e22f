"""Bodies: read within their limits of time and size, and only here, where it is known who sends them.

aiohttp would inflate a body while it arrives, whoever sends it: 400 MB out of 388 KB. `server` has that
switched off. Here it is inflated once, up to the limit of every body.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import Any, NamedTuple

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError

from contracts import codec
from contracts.operations import Body
from contracts.problems import InvalidMessage, Malformed, TooLarge, TooSlow, UnsupportedMediaType
from dispatcher.http import negotiation, turns

GZIP_OR_ZLIB = 47  # zlib's wbits: its own format or gzip's, by the first bytes
DEFLATED = {"gzip": True, "x-gzip": True, "deflate": True, "identity": False, "": False}
KNOWN = "gzip, deflate, identity"
CUT = "Maybe it was cut short, or joined with another."
NOTHING = (b"", b"{}", b"null", b"\x80", b"\xc0")  # as clients send that always send something


class Most(NamedTuple):
    """How large a body may be, and what fixes one that is larger."""

    bytes: int
    remedy: str


MESSAGE = Most(codec.MAX_BYTES, codec.FEWER)


class CallerGone(Exception):
    """The caller hung up before its body was here: there is nobody to answer, and no defect."""


async def read(request: web.Request, body: Body | None, timeout_s: float, wait_s: float) -> Any:
    """What the call carries as the message that it should be; None if it takes none.

    Raises CallerGone, TooSlow, and whatever Problem its bytes are.
    """
    if body is None:
        if request.method != "GET" and request.body_exists:
            await _refuse_some(request, timeout_s, wait_s)
        return None
    deflated = _deflated(request.headers.get("Content-Encoding", ""))
    if "Expect" in request.headers:
        await _go_ahead(request)
    most = Most(body.raw_bytes, body.smaller) if body.raw_bytes else MESSAGE
    raw = await _bytes(request, timeout_s, wait_s, most)
    if deflated and raw:
        raw = _inflated(raw, most)
    if body.raw_bytes:
        return _no_message(request, raw, body)
    if not raw and body.optional:
        return body.form()
    value = codec.unpack(raw, negotiation.sent(request.headers.get("Content-Type", ""), body))
    return codec.convert(value, body.form_of(value))


async def _refuse_some(request: web.Request, timeout_s: float, wait_s: float) -> None:
    """Raises InvalidMessage for what says something where nothing is read: it would not be done."""
    if "Expect" in request.headers:
        await _go_ahead(request)
    raw = await _bytes(request, timeout_s, wait_s)
    if raw.strip() not in NOTHING:
        raise InvalidMessage.at(
            "", "this call takes no body, and one came\nMaybe it was meant for another path or method."
        )


def _deflated(encoding: str) -> bool:
    """Whether a body of this Content-Encoding has to be inflated. Raises UnsupportedMediaType."""
    known = DEFLATED.get(encoding.strip().lower())
    if known is None:
        raise UnsupportedMediaType(
            f"Content-Encoding {encoding[:80]!r} is not understood\nMaybe send one of {KNOWN}.",
            accept_encoding=KNOWN,
        )
    return known


async def _go_ahead(request: web.Request) -> None:
    if not request.content.is_eof():
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer has not begun


def _no_message(request: web.Request, raw: bytes, body: Body) -> bytes:
    """Bytes that are taken as they are. Raises UnsupportedMediaType, TooLarge, Malformed."""
    negotiation.sent(request.headers.get("Content-Type", ""), body)
    if len(raw) > body.raw_bytes:
        raise _too_large(f"{len(raw):,}", Most(body.raw_bytes, body.smaller))
    if not raw:
        raise Malformed("the body is empty\nMaybe it was lost on the way: this call needs one.")
    return raw


async def _bytes(request: web.Request, timeout_s: float, wait_s: float, most: Most = MESSAGE) -> bytes:
    declared = request.content_length
    if declared is not None and declared > most.bytes:
        raise _too_large(f"{declared:,}", most)
    try:
        if request.content.is_eof():  # it came with the header lines: nothing has to be waited for
            raw = request.content.read_nowait()
            if len(raw) > codec.MAX_BYTES:
                raise _too_large("more", most)
            return raw
        async with turns.lent(request, wait_s):
            async with asyncio.timeout(timeout_s):
                return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise _too_large("more", most) from None
    except TimeoutError:
        raise TooSlow(f"the body did not arrive within {timeout_s:g} s\nMaybe send fewer requests.") from None
    except RequestPayloadError:
        raise Malformed(
            "the body is not in chunks, though Transfer-Encoding says so\nMaybe send Content-Length instead."
        ) from None
    except ConnectionError:
        raise CallerGone from None


def _inflated(raw: bytes, most: Most) -> bytes:
    """At most the limit and one byte is made. Raises TooLarge, Malformed."""
    inflate = zlib.decompressobj(GZIP_OR_ZLIB)
    try:
        content = inflate.decompress(raw, most.bytes + 1)
    except zlib.error:
        raise Malformed(
            "the body is not compressed as Content-Encoding says\nMaybe leave that header out."
        ) from None
    if len(content) > most.bytes:
        raise _too_large("more", most)
    if not inflate.eof or inflate.unused_data:
        raise Malformed(f"the compressed body does not end where it should\n{CUT}")
    return content


def _too_large(size: str, most: Most) -> TooLarge:
    return TooLarge(f"the body has {size} bytes, the limit is {most.bytes:,}\n{most.remedy}")
