"""The wall: counts and what needs somebody, in large letters, and no id anywhere."""

from __future__ import annotations

from playwright.async_api import Route, expect

from tests.console.conftest import SHARED, Desk
from tests.console.pages import problems, visit
from tests.console.trouble import town

pytestmark = SHARED


async def test_the_wall_has_the_day_and_no_id(desk: Desk) -> None:
    market = await town(desk)
    page = await desk.open("wall", market=market)
    await expect(page.locator(".wall-next p")).to_have_count(2)  # a ride, and a task
    text = await page.inner_text("body")
    assert not {"soon", "asked", "later", "held", "v1", "v2"} & set(text.replace(",", " ").split())
    assert await problems(page) == []
    await page.keyboard.press("Escape")
    await page.wait_for_selector("main h1:has-text('Today')")
    assert await page.evaluate("localStorage.getItem('notify')") is None, "nothing is told until it is wanted"
    await page.click("button:has-text('Notify')")
    assert await problems(page) == []
    await page.check("input[name='no_vendor shown']")
    await page.click("dialog button[type=submit]")
    kept = await page.evaluate("JSON.parse(localStorage.getItem('notify')).no_vendor")
    assert kept == {"sound": False, "shown": True}


async def test_a_wall_that_is_loaded_while_the_service_is_away_comes_by_itself(desk: Desk) -> None:
    market = await town(desk)
    page = await desk.open("wall", market=market)

    async def away(route: Route) -> None:
        await route.abort("connectionrefused")

    await page.route("**/console/session", away)
    await page.reload()
    await expect(page.locator(".trouble")).to_contain_text("does not answer")
    await page.unroute("**/console/session", away)
    await expect(page.locator(".wall-next p")).to_have_count(2)
    await expect(page.locator(".trouble")).to_have_count(0)
    desk.failures.clear()  # the browser names each call that reached nobody


async def test_what_cannot_be_read_is_not_nobody_and_comes_once_the_service_is_back(desk: Desk) -> None:
    market = await town(desk)
    page = await desk.open("tuning", market=market)

    async def away(route: Route) -> None:
        await route.fulfill(status=503, json={"type": "/problems/unavailable", "detail": "the store is away"})

    await page.route("**/v1/**", away)
    await page.goto(f"{desk.url}/console/{market}/wall")
    await expect(page.locator(".wall-next .trouble")).to_have_text("the store is away")
    await expect(page.locator(".wall-risk .wall-number")).to_have_text("…")
    await visit(page, market, "statements")
    await expect(page.get_by_role("alert")).to_contain_text("the store is away")
    await expect(page.get_by_text("Reading …")).to_be_hidden()
    await page.unroute("**/v1/**", away)
    await expect(page.locator(".grid-row")).to_contain_text("v1")  # by itself
    await expect(page.get_by_role("alert")).to_have_count(0)
    desk.failures.clear()  # the browser names each 503
