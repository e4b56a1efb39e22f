"""Nothing but the documented answer is success, and what is sent goes to the service alone."""

import asyncio
import inspect
from datetime import UTC, datetime

import pytest

from client.care import CareClient
from client.errors import ClientError, Problem, UnexpectedAnswer
from client.http import Connection
from client.ops import OpsClient
from client.platform import PlatformClient
from client.standing_orders import StandingOrderClient
from client.tasks import TaskClient
from client.vendor import VendorClient
from contracts.codes import DeclineCode
from contracts.proofs import ProofPart
from tests.client.hostile import CALLS, EN_ROUTE, LIES, PAPER, RIDE, Lie

NOT_CALLS = {"call", "exchange", "bytes_of", "close", "url"}


class Liar:
    """Answers every call with one lie, or with those that are planned; notes what came."""

    def __init__(self):
        self.paths, self.planned, self.lie = [], [], None

    async def answer(self, request):
        self.paths.append(request.rel_url.raw_path)
        await request.read()
        return (self.planned.pop(0) if self.planned else self.lie).response()


@pytest.fixture
async def liar(aiohttp_raw_server):
    liar = Liar()
    liar.server = await aiohttp_raw_server(liar.answer)
    return liar


def client_of(kind, liar, **more):
    return kind(str(liar.server.make_url("/")), "token", "metro", **({"total_timeout_s": 2.0} | more))


def test_every_call_of_every_client_is_tried_here():
    public = {
        name
        for kind in (OpsClient, VendorClient, StandingOrderClient)
        for name, _ in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and name not in NOT_CALLS
    }
    assert public - {name.removeprefix("platform_").removeprefix("vendor_") for name in CALLS} == set()


@pytest.mark.parametrize("name", CALLS)
async def test_an_answer_that_is_not_the_documented_one_is_an_error_of_ours(liar, aiohttp_raw_server, name):
    other = Liar()
    other.lie = Lie(202, body=b'{"requests":[{"id":"r1","href":"/"}]}')
    there = str((await aiohttp_raw_server(other.answer)).make_url("/elsewhere"))
    kind, call = CALLS[name]
    for told, lie in LIES.items():
        liar.lie = lie._replace(location=there) if lie.location == "OTHER" else lie
        async with client_of(kind, liar) as client:
            with pytest.raises(ClientError) as wrong:
                async with asyncio.timeout(5):
                    await call(client)
        assert isinstance(wrong.value, UnexpectedAnswer), told
        assert "Sign in" not in str(wrong.value)
        assert len(str(wrong.value).splitlines()) == 2
    assert other.paths == []
    assert not any("login" in path for path in liar.paths)


@pytest.mark.parametrize("name", CALLS)
async def test_a_problem_is_the_services_word(liar, name):
    kind, call = CALLS[name]
    liar.lie = Lie(404, "application/problem+json", b'{"type":"/problems/not-found","status":404}')
    async with client_of(kind, liar) as client:
        with pytest.raises(Problem) as refused:
            await call(client)
    assert (refused.value.status, refused.value.type) == (404, "/problems/not-found")


async def test_no_proxy_of_the_environment_hears_of_a_patient(liar, aiohttp_raw_server, monkeypatch):
    other = Liar()
    other.lie = liar.lie = Lie(202, body=b'{"requests":[{"id":"r1","href":"/"}]}')
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, str((await aiohttp_raw_server(other.answer)).make_url("/")))
    monkeypatch.setenv("no_proxy", "")
    async with client_of(PlatformClient, liar) as client:
        assert await client.submit(RIDE) == ["r1"]
    assert (other.paths, len(liar.paths)) == ([], 1)


async def test_tuning_that_somebody_else_changes_meanwhile_is_put_all_the_same(liar):
    stale = Lie(412, "application/problem+json", b'{"type":"/problems/stale-version","status":412}')
    view = b'{"version":%d,"by":"","reason":"","at":null,"parameters":[]}'
    liar.lie = Lie(200, body=view % 2, etag='"2"')
    liar.planned = [Lie(200, body=view % 1, etag='"1"'), stale]
    async with client_of(PlatformClient, liar) as client:
        assert (await client.put_tuning({}, reason="test")).version == 2
    assert len(liar.paths) == 4


WIDE_FROM, WIDE_TO = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 11, tzinfo=UTC)
IDS = {
    "a/b": "a%2Fb",
    "../x": "..%2Fx",
    "a?state=x": "a%3Fstate%3Dx",
    "a#b": "a%23b",
    "a b": "a%20b",
    "%2e%2e": "%252e%252e",
    "ü": "%C3%BC",
    "a\nb": "a%0Ab",
}
ABOUT = {
    "/requests/{}": (PlatformClient, lambda c, i: c.view(i)),
    "/requests/{}/cancel": (PlatformClient, lambda c, i: c.cancel(i)),
    "/requests/{}/hold": (PlatformClient, lambda c, i: c.hold(i)),
    "/requests/{}/resume": (PlatformClient, lambda c, i: c.resume(i)),
    "/requests/{}/activate": (PlatformClient, lambda c, i: c.activate(i)),
    "/requests/{}/offer": (CareClient, lambda c, i: c.offer(i, "v1")),
    "/requests/{}/ask-window": (CareClient, lambda c, i: c.ask_window(i, WIDE_FROM, WIDE_TO)),
    "/episodes/{}": (PlatformClient, lambda c, i: c.episode(i)),
    "/episodes/{}/notes": (PlatformClient, lambda c, i: c.note_on_episode(i, "called")),
    "/standing-orders/{}/end": (StandingOrderClient, lambda c, i: c.end(i)),
    "/offers/{}/accept": (VendorClient, lambda c, i: c.accept(i)),
    "/offers/{}/decline": (VendorClient, lambda c, i: c.decline(i, DeclineCode.BAD_WEATHER)),
    "/dispatches/{}": (VendorClient, lambda c, i: c.dispatch(i)),
    "/dispatches/{}/status": (VendorClient, lambda c, i: c.report(i, EN_ROUTE)),
    "/dispatches/{}/proof": (VendorClient, lambda c, i: c.proof(i)),
    "/dispatches/{}/proof/pickup/blob": (VendorClient, lambda c, i: c.proof_picture(i, ProofPart.PICKUP)),
    "/vendors/{}/credentials/auto_insurance/document": (VendorClient, lambda c, i: c.document(i, PAPER)),
    "/tasks/{}": (TaskClient, lambda c, i: c.task(i)),
    "/tasks/{}/claim": (TaskClient, lambda c, i: c.claim(i, "ann")),
    "/tasks/{}/release": (TaskClient, lambda c, i: c.release(i, "ann")),
    "/tasks/{}/finish": (TaskClient, lambda c, i: c.finish(i, "ann")),
    "/tasks/{}/comments": (TaskClient, lambda c, i: c.comment(i, "ann", "x")),
}


@pytest.mark.parametrize("path", ABOUT)
async def test_an_id_is_one_segment_of_the_path_whatever_it_holds(liar, path):
    liar.lie = Lie(204, "")
    kind, call = ABOUT[path]
    async with client_of(kind, liar) as client:
        for each, quoted in IDS.items():
            with pytest.raises(ClientError):
                await call(client, each)
            assert liar.paths.pop() == "/v1/markets/metro" + path.format(quoted)
        for impossible in ("", ".", ".."):
            with pytest.raises(ValueError, match="no path can name it"):
                await call(client, impossible)
    assert liar.paths == []


async def test_a_market_is_one_segment_of_the_path_too(liar):
    liar.lie = Lie(204, "")
    async with Connection(str(liar.server.make_url("/")), "token", "../../admin") as client:
        with pytest.raises(UnexpectedAnswer):
            await client.call("GET", "/tuning", dict)
    assert liar.paths == ["/v1/markets/..%2F..%2Fadmin/tuning"]


@pytest.mark.parametrize("name", ["put_vendor", "put_capacity"])
@pytest.mark.parametrize("status", [200, 201])
async def test_a_change_without_its_version_is_not_taken_for_made(liar, name, status):
    kind, call = CALLS[name]
    liar.lie = Lie(status, body=b'{"version":1}')
    async with client_of(kind, liar) as client:
        with pytest.raises(UnexpectedAnswer, match="ETag"):
            await call(client)


async def test_a_body_without_end_is_not_read_to_its_end(liar, monkeypatch):
    monkeypatch.setattr("client.http.MOST_BYTES", 100_000)
    liar.lie = Lie(202, body=b" " * 200_000)
    async with client_of(PlatformClient, liar) as client:
        with pytest.raises(UnexpectedAnswer, match="100,000"):
            await client.submit(RIDE)


@pytest.mark.parametrize(("name", "field"), [("views", "requests"), ("tasks", "tasks")])
async def test_a_page_that_leads_to_itself_ends_the_list(liar, name, field):
    kind, call = CALLS[name]
    liar.lie = Lie(200, body=b'{"%s":[],"cursor":"1.a"}' % field.encode())
    async with client_of(kind, liar) as client:
        with pytest.raises(UnexpectedAnswer, match="itself"):
            await call(client)
    assert len(liar.paths) == 2
