"""Signing in by a link that opens once, out again, and what another site can do with the cookie: nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar
from aiohttp.test_utils import TestClient

from contracts.codes import Role
from dispatcher.console import links
from dispatcher.console.pages import with_console
from dispatcher.delivery.hub import Hub
from dispatcher.http import sessions
from dispatcher.http.lanes import Lanes
from dispatcher.http.parts import Parts
from dispatcher.security.tokens import claims
from tests.clock import ManualClock
from tests.console.conftest import SHARED, STAFF, Desk
from tests.console.pages import problems
from tests.console.trouble import ride
from tests.http.conftest import KEYS, Server

pytestmark = SHARED
OURS = {sessions.HEADER: sessions.WORD}


@asynccontextmanager
async def browsing(desk: Desk) -> AsyncIterator[ClientSession]:
    async with ClientSession(desk.url, cookie_jar=CookieJar(unsafe=True)) as browser:
        yield browser


async def enter(browser: ClientSession, link: str, **headers: str) -> tuple[int, Any]:
    body = {"code": link.partition("#")[2]}
    async with browser.post("/console/session", json=body, headers=OURS | headers) as answer:
        return answer.status, await answer.json(content_type=None)


@asynccontextmanager
async def later(clock: ManualClock, minutes: int) -> AsyncIterator[None]:
    """So many minutes on; then back, for it is everybody's clock."""
    clock.ms += minutes * 60_000
    try:
        yield
    finally:
        clock.ms -= minutes * 60_000


async def read(browser: ClientSession, path: str, **headers: str) -> tuple[int, Any]:
    async with browser.get(path, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_link_opens_the_console_once_and_the_page_says_so(desk: Desk) -> None:
    market = desk.new_market()
    link = desk.link(market=market)
    async with browsing(desk) as browser:
        assert (await enter(browser, link))[0] == 200
    page = await (await desk.browser.new_context(reduced_motion="reduce")).new_page()
    await page.goto(link)
    await page.wait_for_selector(".trouble:has-text('the link was used before')")
    assert "#" not in page.url, "the code does not stay in the address"
    assert await problems(page) == []
    await page.fill("input[name=token]", desk.token(Role.OPS, market=market))
    await page.keyboard.press("Enter")
    await page.wait_for_selector("main h1:has-text('Today')")


async def test_a_session_is_no_more_once_it_has_signed_out(desk: Desk) -> None:
    market = desk.new_market()
    async with browsing(desk) as browser:
        _, session = await enter(browser, desk.link(market=market))
        assert (session["subject"], session["roles"]) == ("Dana", sorted(each.value for each in STAFF))
        assert (await read(browser, f"/v1/markets/{market}/tasks", **OURS))[0] == 200
        async with browser.delete("/console/session", headers=OURS) as answer:
            assert answer.status == 204
        assert (await read(browser, "/console/session", **OURS))[0] == 401


@pytest.mark.parametrize("by", ["code", "token"])
async def test_a_cookie_that_was_copied_opens_nothing_after_signing_out(desk: Desk, by: str) -> None:
    market = desk.new_market()
    given = desk.link(market=market).partition("#")[2] if by == "code" else desk.token(market=market)
    tasks, held = f"/v1/markets/{market}/tasks", f"/v1/markets/{market}/board/changes"
    async with browsing(desk) as browser, ClientSession(desk.url) as thief, ClientSession(desk.url) as other:
        async with browser.post("/console/session", json={by: given}, headers=OURS) as answer:
            name, copied = next((each.key, each.value) for each in answer.cookies.values())
        async with other.post(
            "/console/session", json={"token": desk.token(market=market)}, headers=OURS
        ) as answer:
            others = {"Cookie": f"{name}={next(each.value for each in answer.cookies.values())}"}
        stolen = OURS | {"Cookie": f"{name}={copied}"}
        assert (await read(thief, tasks, Authorization=f"Bearer {copied}"))[0] == 401, "it is no bearer token"
        async with thief.get(held, headers=stolen) as stream:
            assert (stream.status, (await read(thief, tasks, **stolen))[0]) == (200, 200)
            async with browser.delete("/console/session", headers=OURS) as answer:
                assert answer.status == 204
            status, problem = await read(thief, tasks, **stolen)
            assert (status, problem["status"]) == (401, 401)
            assert "signed out" in problem["detail"]
            await ride(desk, market, "r1", 15 * 60)  # what follows the board is looked at with a change
            await asyncio.wait_for(stream.read(), 15)  # the stream ends, too
        assert (await read(other, tasks, **OURS | others))[0] == 200, (
            "another session of the same person stays"
        )
        if by == "token":
            assert (await read(other, tasks, Authorization=f"Bearer {given}"))[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        OURS | {"Sec-Fetch-Site": "cross-site"},
        OURS | {"Sec-Fetch-Site": "same-site"},
        OURS | {"Origin": "https://evil.example"},
    ],
)
async def test_a_cookie_alone_opens_nothing_to_another_site(desk: Desk, headers: dict[str, str]) -> None:
    market = desk.new_market()
    async with browsing(desk) as browser:
        await enter(browser, desk.link(market=market))
        status, problem = await read(browser, f"/v1/markets/{market}/tasks", **headers)
        assert (status, problem["type"]) == (403, "/problems/forbidden")
        async with browser.post(f"/v1/markets/{market}/tasks/x.overdue/claim", headers=headers) as answer:
            assert answer.status == 403


async def test_behind_tls_the_cookie_goes_nowhere_without_it(desk: Desk) -> None:
    token = desk.token(market=desk.new_market())
    shared = {each: getattr(desk.parts, each) for each in ("service", "quoter", "clock", "token_keys")}
    hub = Hub(desk.parts.service.store)  # its own: the application closes it at its end
    parts = Parts(**shared, hub=hub, public_url="https://ops.example")
    async with TestClient(Server(with_console(parts), cancelling=False)) as client:
        for host, secure in (("ops.example", True), ("127.0.0.1:8080", False)):
            headers = OURS | {"Host": host}
            async with client.post("/console/session", json={"token": token}, headers=headers) as answer:
                assert ("Secure" in answer.headers["Set-Cookie"]) is secure


async def test_a_link_that_is_old_cut_or_no_link_opens_nothing(desk: Desk) -> None:
    market, clock = desk.new_market(), desk.parts.clock
    old, cut = desk.link(market=market), desk.link(market=market)[:-3]
    async with later(clock, links.MINUTES), browsing(desk) as browser:
        for link, why in (
            (old, "expired"),
            (cut, "does not hold"),
            (f"#{desk.token(market=market)}", "no link"),
        ):
            status, problem = await enter(browser, link)
            assert (status, problem["status"]) == (401, 401)
            assert why in problem["detail"]
        headers = {"Authorization": f"Bearer {desk.link(market=market).partition('#')[2]}"}
        assert (await read(browser, f"/v1/markets/{market}/tasks", **headers))[0] == 401, "a code is no token"


async def test_a_session_has_its_callers_share_as_a_token_has(desk: Desk) -> None:
    token = desk.token(Role.OPS, market=desk.new_market())
    head = b"GET / HTTP/1.1\r\nHost: x\r\nCookie: a=b; dispatcher-8080=%b; c=d\r\n" % token.encode()
    gate = desk.gate.authenticator
    gate.verify(token, desk.parts.clock.now_ms())
    lanes = Lanes(desk.parts.limits, [], gate.known, lambda lane, status: None)
    assert lanes.caller(head, "10.0.0.1").caller == ("ops/Dana", True)


async def test_the_shell_lets_nothing_in_from_elsewhere_and_its_parts_stay(desk: Desk) -> None:
    async with browsing(desk) as browser, browser.get("/console/anything/at/all") as answer:
        policy, page = answer.headers["Content-Security-Policy"], await answer.text()
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "<script>" not in page
        asset = page.partition('core/app.js"')[0].rpartition('"')[2] + "core/app.js"
        async with browser.get(asset) as script:
            assert "immutable" in script.headers["Cache-Control"]
        tag = {"If-None-Match": script.headers["ETag"]}
        async with browser.get("/console/assets/0/core/app.js", headers=tag) as again:
            assert again.status == 304
        async with browser.get("/console/assets/0/../pages.py") as missing:
            assert missing.content_type in ("text/html", "application/problem+json")
            assert "with_console" not in await missing.text()
    assert KEYS["keys"][0]["k"] not in page


async def test_a_page_begins_with_all_modules_that_it_needs_and_no_others(desk: Desk) -> None:
    page = await desk.open("wall", market=desk.new_market())
    named = "links => links.map(link => link.href).sort()"
    first = await page.eval_on_selector_all("link[rel=modulepreload]", named)
    used = await page.evaluate(
        "performance.getEntriesByType('resource').map(each => each.name).filter(each => each.endsWith('.js'))"
    )
    assert sorted(set(used)) == first
    assert any(each.endswith("/pages/wall.js") for each in first)


async def test_who_signs_out_in_one_tab_is_out_in_all_of_them(desk: Desk) -> None:
    page = await desk.open("today", Role.COORDINATOR, market=desk.new_market())
    assert await page.locator("nav a", has_text="Tuning").count() == 0, "what is for ops alone"
    other = await page.context.new_page()
    await other.goto(page.url)
    await other.wait_for_selector("main h1:has-text('Today')")
    await page.get_by_role("button", name="Sign out").press("Enter")
    for each in (page, other):
        await each.wait_for_selector("input[name=token]")
    desk.failures.clear()  # the browser tells of each 401


async def test_a_vendor_is_told_that_the_console_is_not_for_it(desk: Desk) -> None:
    market = desk.new_market()
    now_ms = desk.parts.clock.now_ms()
    made = claims(Role.VENDOR, markets=[market], vendor_id="v1", now_ms=now_ms, hours=1, subject="v1")
    page = await (await desk.browser.new_context()).new_page()
    await page.goto(links.link(desk.url, links.code(KEYS, made, now_ms)))
    await page.wait_for_selector("p:has-text('The console is for who dispatches and cares')")
    assert await problems(page) == []
    await page.get_by_role("button", name="Sign out").press("Enter")
    await page.wait_for_selector("input[name=token]")


async def test_a_page_whose_session_has_ended_shows_nothing_more(desk: Desk) -> None:
    market = desk.new_market()
    page = await desk.open("board", Role.PLATFORM, market=market)
    await page.wait_for_selector("[data-live=live]")
    clock = desk.parts.clock
    assert isinstance(clock, ManualClock)
    async with later(clock, 13 * 60):
        await ride(desk, market, "r1", 15 * 60)  # a change: what follows the board is looked at
        await page.wait_for_selector("input[name=token]")
    assert await page.locator("nav").count() == 0
    desk.failures.clear()  # the browser tells of each 401
