"""Without a connection: what was loaded is there, taps go out later; and who signs out leaves nothing."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta

from playwright.async_api import Page, Route, expect

from contracts.codes import Role
from tests.console.conftest import SHARED, Desk
from tests.console.pages import problems_in_both_themes
from tests.console.test_vendor_page import TEN_S, reported, sent, state
from tests.console.vendors_phone import as_vendor, phone, town, visit

pytestmark = SHARED
HALF_AN_HOUR_MS = 1_800_000
PATIENCE_S = 20
HELD = """async part => {
  const kept = await (await caches.open('dispatcher-vendor-heard')).keys();
  return kept.map(each => each.url).filter(each => each.includes(part));
}"""
TAPS = """() => new Promise(done => {
  const asked = indexedDB.open('dispatcher-vendor', 1);
  asked.onsuccess = () => {
    const all = asked.result.transaction('taps').objectStore('taps').getAll();
    all.onsuccess = () => done(all.result);
  };
})"""
PAUSE_MS = 20


async def kept(page: Page, part: str) -> None:
    """Until the phone has kept what was read of this."""
    async with asyncio.timeout(PATIENCE_S):
        while not await page.evaluate(HELD, part):
            await page.wait_for_timeout(PAUSE_MS)


async def test_without_a_connection_the_day_is_there_and_taps_go_out_once_it_is_back(desk: Desk) -> None:
    market = await town(desk, "r1", "r2", "r3")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    page = await phone(desk, market, "day")
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await page.reload()  # from here on all that is read is kept
    await expect(page.locator(".ride-card")).to_contain_text("Robin Wren")
    await kept(page, f"{market}/offers")
    await kept(page, f"{market}/dispatches?day=2026-03-02")
    await page.context.set_offline(True)
    await page.goto(f"{desk.url}/vendor/day")  # as if it had been closed
    await expect(page.locator(".ride-card")).to_contain_text("Robin Wren")
    await expect(page.locator("header .kept")).to_have_text(
        re.compile(r"No connection. This is how it was at \d\d:\d\d.")
    )
    assert await problems_in_both_themes(page) == []
    await page.goto(f"{desk.url}/vendor/proof/r1.1")  # begun with it: its day alone was read
    await expect(page.get_by_role("button", name="Send")).to_be_visible()
    await visit(page, "ride/r1.1")
    await page.get_by_role("button", name="I am on my way").tap()
    await expect(page.locator(".tap")).to_have_count(1)
    await page.clock.fast_forward(TEN_S)
    await expect(page.locator(".tap")).to_contain_text("goes out once there is a connection")
    await visit(page, "offers")
    await page.locator("[data-offer='r2.1']").get_by_role("button", name="Accept").tap()
    await page.clock.fast_forward(1_000)  # two taps in a row are one
    await page.locator("[data-offer='r3.1']").get_by_role("button", name="Accept").tap()
    await expect(page.locator("header .count")).to_have_text("3 to send")
    await desk.call(market, "POST", "/requests/r3/cancel", {}, Role.OPS)
    await page.context.set_offline(False)
    await sent(page)
    await expect(page.locator(".tap.refused")).to_contain_text("13:00, You accepted Not taken: ")
    await page.get_by_role("button", name="Put away").tap()
    await expect(page.locator(".tap")).to_have_count(0)
    assert (await reported(desk, market, "r1.1"), await state(desk, market, "r2")) == ("en_route", "accepted")
    await expect(page.locator("header .kept")).to_have_count(0)
    desk.failures.clear()  # the browser tells of each call that did not go out


async def test_a_step_goes_out_although_its_page_is_closed_while_it_may_still_be_undone(desk: Desk) -> None:
    market = await town(desk, "r1")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    page = await phone(desk, market, "ride/r1.1", behind_s=9.5)  # by its own clock the page waits ten seconds
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await page.get_by_role("button", name="I am on my way").tap()
    await expect(page.locator(".tap")).to_have_count(1)
    await page.close()
    async with asyncio.timeout(PATIENCE_S):
        while await reported(desk, market, "r1.1") is None:
            await asyncio.sleep(PAUSE_MS / 1_000)
    assert await reported(desk, market, "r1.1") == "en_route"


async def test_a_tap_whose_answer_was_lost_is_sent_again_and_has_its_effect_once(desk: Desk) -> None:
    market = await town(desk, "r1")
    page = await phone(desk, market, service_workers="block")
    lost: list[str] = []

    async def lose(route: Route) -> None:
        """The first answer; the service has done what it was asked."""
        key = await route.request.header_value("Idempotency-Key")
        lost.append(str(key))
        answer = await route.fetch()
        await (route.abort() if len(lost) == 1 else route.fulfill(response=answer))

    await page.route("**/offers/r1.1/accept", lose)
    await page.locator("[data-offer='r1.1']").get_by_role("button", name="Accept").tap()
    await expect(page.locator("header .count")).to_have_text("1 to send")
    while await page.locator("header .count").count():
        await page.clock.fast_forward(5_000)
        await page.wait_for_timeout(PAUSE_MS)
    assert len(lost) > len(set(lost)) == 1, "again, under the same key"
    await expect(page.locator(".tap")).to_have_count(0)  # once what came of it was read
    assert await state(desk, market, "r1") == "accepted"
    desk.failures.clear()  # the browser tells of the answer that was lost


async def test_a_page_that_is_opened_without_a_connection_has_the_right_time(desk: Desk) -> None:
    market = await town(desk, "r1")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    page = await phone(desk, market, "ride/r1.1", clock=True)
    await kept(page, f"{market}/dispatches/r1.1/price")
    await kept(page, f"{market}/offers")
    await kept(page, f"{market}/dispatches?day")
    await kept(page, "/vendor/session")
    told = await desk.call(market, "POST", "/vendors/v1/sign-in-links", {}, Role.OPS)
    await page.context.set_offline(True)
    await page.clock.fast_forward(HALF_AN_HOUR_MS)
    await page.reload()
    await expect(page.locator("header .kept")).to_be_visible()
    await page.get_by_role("button", name="I am on my way").tap()
    (tap,) = await page.evaluate(TAPS)
    since = datetime.fromisoformat(tap["body"]["at"]) - datetime.fromisoformat(told["expires_at"])
    assert abs(since + timedelta(hours=1) - timedelta(milliseconds=HALF_AN_HOUR_MS)) < timedelta(minutes=5)
    desk.failures.clear()  # the browser tells of each call that did not go out


async def test_who_cannot_sign_out_for_want_of_a_connection_is_told_and_keeps_what_there_is(
    desk: Desk,
) -> None:
    market = await town(desk, "r1")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    page = await phone(desk, market, "more", clock=True)
    await kept(page, f"{market}/dispatches?day=2026-03-02")
    await page.context.set_offline(True)
    await page.get_by_role("button", name="Sign out").tap()
    await expect(page.get_by_role("dialog")).to_contain_text("this phone is still signed in")
    assert await page.evaluate(HELD, f"{market}/dispatches?day=2026-03-02") != []
    desk.failures.clear()  # the browser tells of each call that did not go out


async def test_the_link_of_an_open_session_touched_again_opens_it_again(desk: Desk) -> None:
    market = await town(desk, "r1")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    page = await phone(desk, market, "day")
    await kept(page, f"{market}/dispatches?day=2026-03-02")
    await page.goto(f"{desk.url}/vendor/enter#0000-0000-0000")
    await page.wait_for_selector("body > nav")
    assert await page.evaluate(HELD, f"{market}/dispatches?day=2026-03-02") != []
    desk.failures.clear()  # the browser tells of the 401


async def test_a_tap_is_shown_and_undone_in_every_tab(desk: Desk) -> None:
    market = await town(desk, "r1")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    page = await phone(desk, market, "ride/r1.1", clock=True)
    other = await page.context.new_page()
    await other.goto(f"{desk.url}/vendor/ride/r1.1")
    await page.get_by_role("button", name="I am on my way").tap()
    await other.get_by_role("button", name="Undo").tap()
    await expect(page.get_by_role("button", name="I am on my way")).to_be_visible()
    await other.close()
    await page.clock.fast_forward(TEN_S)
    await sent(page)
    assert await reported(desk, market, "r1.1") is None


async def test_who_signs_out_leaves_nothing_on_the_phone(desk: Desk) -> None:
    market = await town(desk, "r1")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    page = await phone(desk, market, "day")
    await kept(page, f"{market}/dispatches?day=2026-03-02")
    await visit(page, "ride/r1.1")
    await page.get_by_role("button", name="I am on my way").tap()
    await expect(page.locator(".tap")).to_have_count(1)
    await visit(page, "more")
    await page.get_by_role("button", name="Sign out").tap()
    await expect(page.get_by_role("dialog")).to_contain_text("1 taps were not sent yet and would be lost.")
    await page.get_by_role("dialog").get_by_role("button", name="Sign out").tap()
    await page.wait_for_selector("input[name=code]")
    assert await page.evaluate(HELD, market) == []
    assert await page.evaluate(TAPS) == []
    assert await reported(desk, market, "r1.1") is None
    desk.failures.clear()  # the browser tells of the 401


async def test_a_phone_that_was_lost_shows_nothing_more_once_ops_has_ended_its_session_in_the_console(
    desk: Desk,
) -> None:
    market = await town(desk, "r1")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    page = await phone(desk, market, "day")
    await expect(page.locator(".ride-card")).to_contain_text("Robin Wren")
    console = await desk.open("vendors/v1", Role.OPS, market=market)
    await console.get_by_role("button", name="Phone …").press("Enter")
    await console.get_by_label("Whose phone").fill("Ana")
    await console.get_by_label("A phone was lost").check()
    await console.get_by_role("button", name="Make a link").press("Enter")
    code = await console.get_by_label("Or read this out").input_value()
    assert (await console.get_by_label("Send this").input_value()).endswith(f"/vendor/enter#{code}")
    await page.wait_for_selector("input[name=code]")  # its stream ends by itself
    assert await page.get_by_text("Robin Wren").count() == 0
    assert await page.evaluate(HELD, market) == []
    await page.fill("input[name=code]", "0000 0000 0000")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("The code does not hold")
    await page.fill("input[name=code]", code.lower().replace("-", " "))
    await page.keyboard.press("Enter")
    await page.wait_for_selector("body > nav")
    desk.failures.clear()  # the browser tells of each 401


async def test_one_persons_phone_shows_nothing_more_once_ops_has_ended_hers_in_the_console(
    desk: Desk,
) -> None:
    market = await town(desk, "r1")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    page = await phone(desk, market, "day")
    await expect(page.locator(".ride-card")).to_contain_text("Robin Wren")
    console = await desk.open("vendors/v1", Role.OPS, market=market)
    row = console.get_by_role("table", name="Phones").get_by_role("row").nth(1)
    await expect(row).to_contain_text("Ana1")
    await row.get_by_role("button", name="End Ana's …").press("Enter")
    await expect(console.get_by_role("dialog")).to_contain_text("One phone of v1")
    assert await problems_in_both_themes(console) == []
    await console.get_by_role("dialog").get_by_role("button", name="End Ana's").press("Enter")
    await expect(console.get_by_text("Nobody is signed in to its page.")).to_be_visible()
    await page.wait_for_selector("input[name=code]")
    assert await page.evaluate(HELD, market) == []
    desk.failures.clear()  # the browser tells of each 401
