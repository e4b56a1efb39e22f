"""Which lane a call takes and whose it is, from its first bytes; and where a call that is refused ends."""

from __future__ import annotations

import pytest

from contracts.codes import Role
from contracts.problems import Overloaded
from dispatcher.http import refused
from dispatcher.http.server import LANES
from tests.http.conftest import NOW_MS, OPERATIONS, Api

MOST = 1_000


async def test_vendors_answers_and_probes_have_lanes_of_their_own(api: Api) -> None:
    lanes = api.client.server.app[LANES]
    taken: dict[str, set[str]] = {}
    for each in OPERATIONS:
        line = f"{each.method} {each.path.replace('{', '').replace('}', '')} HTTP/1.1\r\n".encode()
        taken.setdefault(lanes.lane(line).name, set()).add(each.id)
    assert taken["probes"] == {"live", "ready", "metrics"}
    assert taken["answers"] == {
        "acceptOffer",
        "agreeToAmendment",
        "counterOffer",
        "declineOffer",
        "disputeScore",
        "refuseAmendment",
        "reportReady",
        "reportStatus",
        "reportWaiting",
    }
    for line in (b"GET /livezz HTTP/1.1", b"POST /v1/markets/m/offers/o/accept/x HTTP/1.1", b"\x16\x03\x01"):
        assert lanes.lane(line) is lanes.calls
    assert lanes.lane(b"HEAD /readyz?verbose HTTP/1.1") is lanes.probes


async def test_a_caller_is_known_by_a_token_that_has_held_before(api: Api) -> None:
    lanes, token = api.client.server.app[LANES], api.token(Role.PLATFORM, subject="p")
    head = f"POST / HTTP/1.1\r\nHost: x\r\naUTHORIZATION: bEARER  {token}\r\nX: y".encode()
    assert lanes.caller(head, "10.0.0.1").caller == ("10.0.0.1", False)
    api.gate.authenticator.verify(token, NOW_MS)
    assert lanes.caller(head, "10.0.0.1").caller == ("platform/p", True)
    before = lanes.caller(head, "10.0.0.1")
    assert before.caller == ("platform/p", True)
    assert lanes.caller(head, "10.0.0.1", before) is before, "the same line again is not looked at anew"
    for other in (b"GET / HTTP/1.1\r\nHost: x", b"GET / HTTP/1.1\r\nAuthorization: Bearer other"):
        stranger = lanes.caller(other, "10.0.0.1", before)
        assert stranger.caller == ("10.0.0.1", False)
        assert lanes.caller(head, "10.0.0.1", stranger).caller == ("platform/p", True)


@pytest.mark.parametrize(
    ("lines", "size"),
    [
        (("GET / HTTP/1.1", "Host: x"), 0),
        (("POST / HTTP/1.1", "CONTENT-LENGTH: 12"), 12),
        (("POST / HTTP/1.1", f"Content-Length: {MOST}"), MOST),
        (("POST / HTTP/1.1", f"Content-Length: {MOST + 1}"), None),
        (("POST / HTTP/1.0", "Content-Length: 12"), None),
        (("POST / HTTP/1.1", "Content-Length: 12", "Content-Length: 13"), None),
        (("POST / HTTP/1.1", "Content-Length : 12"), None),
        (("POST / HTTP/1.1", "Content-Length: 1 2"), None),
        (("POST / HTTP/1.1", "Content-Length: +12"), None),
        (("POST / HTTP/1.1", "X: y", " Content-Length: 12"), None),
        (("POST / HTTP/1.1", "X: y\nContent-Length: 12"), None),
        (("POST / HTTP/1.1", "X: y\rContent-Length: 12"), None),
        (("POST / HTTP/1.1", "X: y", "\tContent-Length: 12"), None),
        (("POST / HTTP/1.1", "Content-Length: 12", "Transfer-Encoding: chunked"), None),
        (("POST / HTTP/1.1", "Content-Length: 12", "Expect: 100-continue"), None),
        (("POST / HTTP/1.1", "Content-Length: 12", "Connection: close"), None),
        (("POST / HTTP/1.1", "Content-Length: 12", "Connection: keep-alive, CLOSE"), None),
        (("POST / HTTP/1.1", "Content-Length: 12", "Connection: keep-alive"), 12),
        (("GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket"), None),
        (("no call",), None),
    ],
)
def test_where_a_refused_call_ends_is_certain_or_its_connection_ends(
    lines: tuple[str, ...], size: int | None
) -> None:
    assert refused.size("".join(f"{each}\r\n" for each in (*lines, "")).encode(), MOST) == size


def test_every_refusal_has_an_id_of_its_own_and_nothing_of_another() -> None:
    error = Overloaded("full\nMaybe later.", retry_after_s=2.0)
    made = {refused.answer(error, b"POST / HTTP/1.1\r\n\r\n", keep=True) for _ in range(3)}
    assert len(made) == 3
    for each in made:
        head, _, body = each.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        assert b"Retry-After: 2" in head
    told = refused.answer(error, b"HEAD / HTTP/1.1\r\n\r\n", keep=False)
    assert told.endswith(b"\r\n\r\n")
    assert b"Connection: close" in told


@pytest.mark.parametrize(
    ("lines", "body", "behind"),
    [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"", b"GET /livez HTTP/1.1\r\n\r\n"),
        ("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", b"\r\n\r\n1", b"POST / HTTP/1.1\r\n\r\n"),
        ("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n", b"\r\n\r\n12345", b""),
    ],
)
def test_of_calls_sent_in_one_go_the_first_is_cut_off(lines: str, body: bytes, behind: bytes) -> None:
    head = lines.encode()
    assert refused.one_call(head + body + behind, len(head)) == (head + body, behind)


def test_calls_are_not_taken_apart_where_it_is_not_certain_where_the_first_one_ends() -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    data = head + b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n"
    assert refused.one_call(data, len(head)) == (data, b"")
