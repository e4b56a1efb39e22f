"""Signing in with a directory: a real provider on this machine, code flow with PKCE; nobody gets too much."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import oidc_provider_mock
import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient

from dispatcher.console.oidc import Directory
from dispatcher.console.pages import with_console
from dispatcher.delivery.hub import Hub
from dispatcher.http.concurrency import Limits
from dispatcher.http.parts import Parts
from dispatcher.matching.quotes import Quoter
from dispatcher.runtime.urls import OidcRoles
from dispatcher.service.service import Service
from dispatcher.store.store import Store
from tests.clock import ManualClock
from tests.http.conftest import KEYS, NOW_MS, REGISTRY, RING, Server

ROLES = OidcRoles("dispatchers=ops,nurses=coordinator@oidc1,leads=ops@oidc2")
PEOPLE = {"ana": ["dispatchers"], "ben": ["nurses", "leads"], "eve": ["visitors"]}


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    people = [
        oidc_provider_mock.User(sub=name, claims={"groups": groups, "email": f"{name}@example.org"})
        for name, groups in PEOPLE.items()
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
async def console(redis_server, provider: str) -> AsyncIterator[TestClient]:
    zones, clock = {"oidc1": ZoneInfo("UTC"), "oidc2": ZoneInfo("UTC")}, ManualClock(NOW_MS)
    async with Store(redis_server.url, RING) as store:
        parts = Parts(
            service=Service(store, clock, zones, REGISTRY),
            hub=Hub(store),
            quoter=Quoter(store, clock, zones),
            clock=clock,
            token_keys=KEYS,
        )
        directory = Directory(
            issuer=provider,
            client_id="console",
            secret="secret",
            roles=ROLES,
            claim="groups",
            public_url="",
            markets=tuple(zones),
            keys=KEYS,
            clock=clock,
        )
        async with TestClient(Server(with_console(parts, directory), False)) as client:
            yield client


async def signed_in(console: TestClient, who: str, **changes: str) -> tuple[str, dict[str, str]]:
    """Leave, be `who` at the provider, come back: where it leads, and the cookies that were set."""
    async with console.get("/console/oidc", allow_redirects=False) as left:
        place = left.headers["Location"]
        kept = {name: each.value for name, each in left.cookies.items()}
    asked = {name: value[0] for name, value in parse_qs(urlsplit(place).query).items()}
    assert (asked["code_challenge_method"], len(asked["code_challenge"])) == ("S256", 43)
    async with (
        ClientSession() as browser,
        browser.post(place, data={"sub": who}, allow_redirects=False) as chosen,
    ):
        back = urlsplit(chosen.headers["Location"])
    query = {name: value[0] for name, value in parse_qs(back.query).items()} | changes
    kept |= {"dispatcher-oidc": changes["cookie"]} if "cookie" in changes else {}
    query.pop("cookie", None)
    async with console.get(back.path, params=query, cookies=kept, allow_redirects=False) as answer:
        cookies = SimpleCookie()
        for each in answer.headers.getall("Set-Cookie", []):
            cookies.load(each)
        return answer.headers["Location"], {name: each.value for name, each in cookies.items() if each.value}


async def session(console: TestClient, cookies: dict[str, str]) -> dict:
    headers = {"X-Requested-With": "dispatcher"}
    async with console.get("/console/session", cookies=cookies, headers=headers) as answer:
        return await answer.json()


async def test_whoever_the_directory_knows_has_the_role_of_their_group(console: TestClient) -> None:
    where, cookies = await signed_in(console, "ana")
    assert where == "/console"
    found = await session(console, cookies)
    assert (found["subject"], found["roles"]) == ("ana@example.org", ["ops"])
    assert [each["id"] for each in found["markets"]] == ["oidc1", "oidc2"]


async def test_a_role_in_one_market_is_none_in_another(console: TestClient) -> None:
    _, cookies = await signed_in(console, "ben")
    found = await session(console, cookies)
    assert (found["roles"], [each["id"] for each in found["markets"]]) == (["coordinator"], ["oidc1"])


@pytest.mark.parametrize(
    ("who", "changes", "why"),
    [
        ("eve", {}, "no-role"),
        ("ana", {"state": "another"}, "expired"),
        ("ana", {"cookie": ""}, "expired"),
        ("ana", {"code": "invented"}, "unreachable"),
    ],
)
async def test_what_does_not_hold_ends_at_the_sign_in_page_without_a_session(
    console: TestClient, who: str, changes: dict[str, str], why: str
) -> None:
    where, cookies = await signed_in(console, who, **changes)
    assert (where, cookies) == (f"/console?refused={why}", {})


def test_a_mapping_that_names_no_role_is_refused_by_its_part() -> None:
    with pytest.raises(ValueError, match="'admins=king' is no group with a role"):
        OidcRoles.parse("dispatchers=ops,admins=king")


async def test_a_directory_that_does_not_answer_holds_up_nobody_else(redis_server) -> None:
    """Nobody has to be known to leave for it: it must not take the places of calls."""
    held, ended = asyncio.Event(), asyncio.Event()
    zones, clock = {"oidc1": ZoneInfo("UTC")}, ManualClock(NOW_MS)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.set()
        await ended.wait()
        writer.close()

    async with (
        await asyncio.start_server(silent, "127.0.0.1", 0) as server,
        Store(redis_server.url, RING) as store,
    ):
        port = server.sockets[0].getsockname()[1]
        service, hub, quoter = Service(store, clock, zones, REGISTRY), Hub(store), Quoter(store, clock, zones)
        parts = Parts(
            service=service, hub=hub, quoter=quoter, clock=clock, token_keys=KEYS, limits=Limits(at_once=1)
        )
        directory = Directory(
            issuer=f"http://127.0.0.1:{port}",
            client_id="console",
            secret="",
            roles=ROLES,
            claim="groups",
            public_url="",
            markets=("oidc1",),
            keys=KEYS,
            clock=clock,
        )
        async with TestClient(Server(with_console(parts, directory), False)) as client:
            leaving = asyncio.ensure_future(client.get("/console/oidc", allow_redirects=False))
            await held.wait()
            async with client.get("/console/sign-in") as other:
                assert other.status == 200
            ended.set()
            await asyncio.gather(leaving, return_exceptions=True)
