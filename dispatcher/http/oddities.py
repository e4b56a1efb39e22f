"""What HTTP/1.1 allows, or a library lets through, and no caller of ours can mean: refused as problems.

Two lines of a header that holds one value are two opinions: a proxy may have judged by the other one.
"""

from __future__ import annotations

from aiohttp.web_request import BaseRequest

from contracts.problems import ExpectationFailed, Problem, UnsupportedVersion

# aiohttp refuses a second Host, Content-Length, Content-Type, Transfer-Encoding
ONCE = (
    "Idempotency-Key",
    "Authorization",
    "If-Match",
    "If-None-Match",
    "If-None-Exist",
    "Last-Event-ID",
    "Content-Encoding",
    "Expect",
)
CONTINUE = "100-continue"


def refuse(request: BaseRequest) -> None:
    """Raises Problem: another version of HTTP (505), a header that stands twice (400), an expectation that
    nobody here meets (417).
    """
    asked = request._version  # `request.version` would be kept, and answered in
    if asked.major != 1:
        raise UnsupportedVersion(
            f"HTTP/{asked.major}.{asked.minor} in a request line is not spoken here\n"
            "Maybe HTTP/1.1; a proxy in front speaks HTTP/2 with those who want it."
        )
    headers = request.headers
    for name in ONCE:
        if name in headers and (count := len(headers.getall(name))) > 1:
            raise Problem(
                f"{name} is given {count} times\nMaybe a proxy added one: keep one of them.",
                type="malformed-call",
            )
    expected = headers.get("Expect", "")
    if expected and expected.strip().lower() != CONTINUE:
        raise ExpectationFailed(
            f"Expect: {expected[:80]!r} is not met here\nMaybe leave it out, or send {CONTINUE}."
        )
