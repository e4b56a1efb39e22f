"""Sessions of the vendors' page: a cookie of its own, which no other site can use and ops can end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar

from client.ops import OpsClient
from contracts.codes import Role
from dispatcher import cli
from dispatcher.http import sessions
from dispatcher.http.lanes import Lanes
from simulation.phone import PAPER, PageClient, PhoneLink
from tests.console.conftest import SHARED, TZ, Desk
from tests.console.trouble import ride, vendor
from tests.http.conftest import GUARDED, KEYS
from tests.http.test_access import PLACES
from tests.http.test_privacy import canary, logged, patient  # noqa: F401

pytestmark = SHARED
OURS = {sessions.HEADER: sessions.VENDOR_WORD}
CONSOLE = {sessions.HEADER: sessions.WORD}


@asynccontextmanager
async def browsing(desk: Desk) -> AsyncIterator[ClientSession]:
    async with ClientSession(desk.url, cookie_jar=CookieJar(unsafe=True)) as browser:
        yield browser


async def code(desk: Desk, market: str, **asked: Any) -> str:
    made = await desk.call(market, "POST", "/vendors/v1/sign-in-links", asked, Role.OPS)
    return str(made["code"])


async def enter(browser: ClientSession, code: str, **headers: str) -> tuple[int, Any]:
    async with browser.post("/vendor/session", json={"code": code}, headers=OURS | headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def read(browser: ClientSession, path: str, headers: dict[str, str]) -> tuple[int, Any]:
    async with browser.get(path, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_code_opens_a_session_of_that_vendor_alone_beside_one_of_the_console(desk: Desk) -> None:
    market = desk.new_market()
    await vendor(desk, market, "v1")
    offers, tasks = f"/v1/markets/{market}/offers", f"/v1/markets/{market}/tasks"
    async with browsing(desk) as browser:
        given = await code(desk, market, subject="Ana")
        status, told = await enter(browser, given)
        assert (status, told["vendor_id"], told["subject"], told["market"]) == (200, "v1", "Ana", market)
        assert (await enter(browser, given))[0] == 401, "it is good once"
        token = {"token": desk.token(Role.OPS, market=market)}
        async with browser.post("/console/session", json=token, headers=CONSOLE) as answer:
            assert answer.status == 200
        assert (await read(browser, offers, OURS))[0] == 200
        assert (await read(browser, tasks, OURS))[0] == 403
        assert (await read(browser, tasks, CONSOLE))[0] == 200
        assert (await read(browser, offers, CONSOLE))[0] == 403
        assert (await read(browser, f"/v1/markets/{desk.new_market()}/offers", OURS))[0] == 404
        for cookie in browser.cookie_jar:
            assert cookie["httponly"]
            assert cookie["samesite"] == "Strict"
            lasts = cookie.key.startswith(sessions.VENDOR_WORD)
            assert bool(cookie["max-age"]) is lasts, "a phone closes its browser whenever it likes"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        CONSOLE,
        OURS | {"Sec-Fetch-Site": "cross-site"},
        OURS | {"Sec-Fetch-Site": "same-site"},
        OURS | {"Origin": "https://evil.example"},
    ],
    ids=str,
)
async def test_the_cookie_alone_does_nothing_for_another_site(desk: Desk, headers: dict[str, str]) -> None:
    market = desk.new_market()
    await vendor(desk, market, "v1")
    async with browsing(desk) as browser:
        await enter(browser, await code(desk, market))
        assert (await read(browser, f"/v1/markets/{market}/offers", headers))[0] in (401, 403)
        body = {"code": await code(desk, market)}
        async with browser.post("/vendor/session", json=body, headers=headers) as answer:
            assert answer.status == 403
        async with browser.delete("/vendor/session", headers=headers) as answer:
            assert answer.status == 403
        assert (await read(browser, "/vendor/session", OURS))[0] == 200


async def test_ops_ends_every_session_of_a_vendor_and_a_new_link_opens_one_again(desk: Desk) -> None:
    market, path = desk.new_market(), "/vendors/v1/sessions"
    for name in ("v1", "v2"):
        await vendor(desk, market, name)
    offers, events = f"/v1/markets/{market}/offers", f"/v1/markets/{market}/events"
    async with browsing(desk) as browser, browsing(desk) as other:
        await enter(browser, await code(desk, market))
        made = await desk.call(market, "POST", "/vendors/v2/sign-in-links", {}, Role.OPS)
        await enter(other, made["code"])
        token = desk.token(Role.VENDOR, market=market)
        async with browser.get(events, headers=OURS) as stream:
            assert stream.status == 200
            await desk.call(market, "DELETE", path, None, Role.OPS)
            status, problem = await read(browser, offers, OURS)
            assert (status, problem["type"]) == (401, "/problems/unauthenticated")
            assert "ended by ops" in problem["detail"]
            await ride(desk, market, "r1")
            await desk.call(market, "POST", "/requests/r1/offer", {"vendor_id": "v1"}, Role.OPS)
            assert b"r1" not in await asyncio.wait_for(stream.read(), 15), (
                "the stream ends before it tells more"
            )
        assert (await read(other, offers, OURS))[0] == 200, "another vendor's stay"
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await read(browser, offers, bearer))[0] == 200, "and so do its own software's tokens"
        assert (await enter(browser, await code(desk, market)))[0] == 200
        assert (await read(browser, offers, OURS))[0] == 200


async def test_ops_ends_one_persons_sessions_and_their_streams_and_the_others_go_on(desk: Desk) -> None:
    market, path = desk.new_market(), "/vendors/v1/sessions"
    await vendor(desk, market, "v1")
    offers, events = f"/v1/markets/{market}/offers", f"/v1/markets/{market}/events"
    async with browsing(desk) as ana, browsing(desk) as ben:
        for browser, subject in ((ana, "Ana"), (ben, "Ben")):
            await enter(browser, await code(desk, market, subject=subject))
        unused = await code(desk, market, subject="Ana")
        async with ana.get(events, headers=OURS) as hers, ben.get(events, headers=OURS) as his:
            found = await desk.call(market, "GET", path, None, Role.OPS)
            assert sorted(each["subject"] for each in found["sessions"]) == ["Ana", "Ben"]
            await desk.call(market, "DELETE", f"{path}?subject=Ana", None, Role.OPS)
            await asyncio.wait_for(hers.read(), 10)  # with nothing to tell: it looks by itself
            await ride(desk, market, "r1")
            await desk.call(market, "POST", "/requests/r1/offer", {"vendor_id": "v1"}, Role.OPS)
            told = b""
            while b"r1.1" not in told:
                told += await asyncio.wait_for(his.content.readany(), 10)
        assert (await read(ana, offers, OURS))[0] == 401
        assert (await read(ben, offers, OURS))[0] == 200
        assert (await enter(ana, unused))[0] == 401, "nor does a link open it that was made for her before"
        assert (await enter(ana, await code(desk, market, subject="Ana")))[0] == 200
        async with ben.delete("/vendor/session", headers=OURS) as answer:
            assert answer.status == 204
        left = await desk.call(market, "GET", path, None, Role.OPS)
        assert [each["subject"] for each in left["sessions"]] == ["Ana"], "who signs out is listed no more"


async def test_who_signs_out_is_out_wherever_the_cookie_was_copied(desk: Desk) -> None:
    market = desk.new_market()
    await vendor(desk, market, "v1")
    async with browsing(desk) as browser, ClientSession(desk.url) as thief:
        await enter(browser, await code(desk, market))
        (cookie,) = browser.cookie_jar
        stolen = OURS | {"Cookie": f"{cookie.key}={cookie.value}"}
        assert (await read(thief, "/vendor/session", stolen))[0] == 200
        bearer = {"Authorization": f"Bearer {cookie.value}"}
        assert (await read(thief, "/vendor/session", bearer))[0] == 401, "it is no bearer token"
        async with browser.delete("/vendor/session", headers=OURS) as answer:
            assert answer.status == 204
        assert (await read(thief, f"/v1/markets/{market}/offers", stolen))[0] == 401


async def test_the_page_of_vendors_is_for_no_one_else_and_counts_as_its_caller(desk: Desk) -> None:
    market = desk.new_market()
    async with browsing(desk) as browser:
        bearer = {"Authorization": f"Bearer {desk.token(Role.OPS, market=market)}"}
        assert (await read(browser, "/vendor/session", bearer))[0] == 403
        assert (await enter(browser, "0000-0000-0000"))[0] == 401
    token, gate = desk.token(Role.VENDOR, market=market), desk.gate.authenticator
    head = f"GET / HTTP/1.1\r\nHost: x\r\nCookie: dispatcher-vendor-8080={token}\r\n".encode()
    gate.verify(token, desk.parts.clock.now_ms())
    lanes = Lanes(desk.parts.limits, [], gate.known, lambda lane, status: None)
    assert lanes.caller(head, "10.0.0.1").caller == ("vendor:v1/Dana", True)


async def test_a_session_is_served_where_a_vendor_is_and_nowhere_else(desk: Desk) -> None:
    market = desk.new_market()
    await vendor(desk, market, "v1")
    async with browsing(desk) as browser:
        await enter(browser, await code(desk, market))
        for each in GUARDED:
            path = each.path.format_map(PLACES | {"market": market})
            body = b"{" if each.body else None  # malformed: past the gate it is a 400, and nothing happens
            headers = OURS | {"Content-Type": "application/json"}
            async with browser.request(each.method, path, data=body, headers=headers) as answer:
                may = Role.VENDOR in (each.roles or ())
                assert (answer.status not in (401, 403, 500)) is may, (each.id, answer.status)
                assert answer.status != 500, each.id


async def test_a_patient_is_told_to_the_session_that_has_the_work_and_to_nobody_beside(
    desk: Desk,
    logged: list[str],  # noqa: F811
) -> None:
    market = desk.new_market()
    await vendor(desk, market, "v1")
    await vendor(desk, market, "v2")
    await ride(desk, market, "r1", patient=patient())
    await desk.call(market, "POST", "/requests/r1/offer", {"vendor_id": "v1"}, Role.OPS)
    base, seen = f"/v1/markets/{market}", ("name", "phone", "pickup_address", "dropoff_address", "notes")
    async with browsing(desk) as browser, browsing(desk) as other:
        await enter(browser, await code(desk, market))
        made = await desk.call(market, "POST", "/vendors/v2/sign-in-links", {}, Role.OPS)
        await enter(other, made["code"])
        before = [await read(browser, f"{base}{path}", OURS) for path in ("/offers", "/dispatches/r1.1")]
        assert [status for status, _ in before] == [200, 409]
        async with browser.post(f"{base}/offers/r1.1/accept", headers=OURS) as answer:
            assert answer.status == 200
        _, dispatch = await read(browser, f"{base}/dispatches/r1.1", OURS)
        assert [canary(each) in str(dispatch) for each in seen] == [True] * len(seen)
        elsewhere = [await read(other, f"{base}{path}", OURS) for path in ("/offers", "/dispatches/r1.1")]
        for path in (
            "/vendor",
            "/vendor/ride/r1.1",
            "/vendor/worker.js",
            "/vendor/app.webmanifest",
            "/metrics",
        ):
            async with browser.get(path, headers=OURS) as page:
                elsewhere.append((page.status, await page.text()))
    for told in (*map(str, before), *map(str, elsewhere), *logged):
        assert "CANARY" not in told


async def test_the_command_prints_a_link_and_a_code_of_a_service_that_runs(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    market = desk.new_market()
    await vendor(desk, market, "v1")
    (tmp_path / "keys.json").touch(mode=0o600)
    (tmp_path / "keys.json").write_text(json.dumps(KEYS))
    settings = {
        "DATA_DIR": tmp_path,
        "TOKEN_KEYS": tmp_path / "keys.json",
        "MARKETS": f"{market}={TZ}",
        "CLOCK_SPEED": 1,
        "CLOCK_START_MS": desk.parts.clock.now_ms(),
        "CLOCK_FILE": tmp_path / "clock",  # until it is there, the clock stands, as the service's
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"DISPATCHER_{name}", str(value))
    words = ["vendor-link", "--market", market, "--subject", "Ana"]
    assert await asyncio.to_thread(cli.main, [*words, "--vendor", "v1"]) == 1
    assert "no service of" in capsys.readouterr().err
    (tmp_path / "address").write_text(desk.url)
    assert await asyncio.to_thread(cli.main, [*words, "--vendor", "v9"]) == 1
    assert "there is no vendor v9." in capsys.readouterr().err
    assert await asyncio.to_thread(cli.main, [*words, "--vendor", "v1"]) == 0
    said = capsys.readouterr().out.partition(f"{desk.url}/vendor/enter#")[2]  # behind what is logged here
    of_link, printed = said.split()[:2]
    assert of_link == printed
    async with browsing(desk) as browser:
        status, told = await enter(browser, printed)
        assert (status, told["subject"]) == (200, "Ana")
    words = [*words[1:3], "--vendor", "v1"]
    for more, told_ in (([], ["Ana"]), (["--end", "Ben"], ["Ana"]), (["--end", "Ana"], [])):
        assert await asyncio.to_thread(cli.main, ["vendor-sessions", *words, *more]) == 0
        out = [each.split() for each in capsys.readouterr().out.splitlines()]
        assert [each[0] for each in out if each and each[0] in ("Ana", "nobody")] == (told_ or ["nobody"])
    assert await asyncio.to_thread(cli.main, ["vendor-sessions", *words, "--end", ""]) == 2


async def test_a_phone_of_the_demo_sends_a_paper_and_ops_verifies_the_credential_with_it(desk: Desk) -> None:
    market = desk.new_market()
    await vendor(desk, market, "v1", 8)
    async with OpsClient(desk.url, desk.token(Role.OPS, market=market), market) as ops:
        link = PhoneLink(PageClient(desk.url, market), "v1", ops)
        await link.open()
        (document,) = (await ops.documents("v1")).documents
        await link.close()
    credentials = (await desk.call(market, "GET", "/vendors/v1", None, Role.OPS))["credentials"]
    (sent,) = (each for each in credentials if each["kind"] == PAPER.value)
    assert sent["file"]["sha256"] == document.file.sha256
    assert sent["verified"]
