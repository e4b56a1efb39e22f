"""A list that moves: what a hand or a key does, it does to the row that was shown."""

from __future__ import annotations

from playwright.async_api import expect

from contracts.codes import Role
from tests.console.conftest import SHARED, Desk
from tests.console.pages import visit
from tests.console.trouble import ride, town

pytestmark = SHARED


async def test_what_a_hand_or_a_key_does_it_does_to_what_was_shown(desk: Desk) -> None:
    market = await town(desk)
    page = await desk.open("today", Role.COORDINATOR, market=market)
    await page.locator(".grid-row", has_text="soon").click()
    hold = await page.locator(".side").get_by_role("button", name="Hold").bounding_box()
    assert hold is not None
    await page.mouse.move(hold["x"] + 8, hold["y"] + 8)
    await page.mouse.down()
    await desk.call(market, "POST", "/requests/soon/amend", {"priority": "urgent"}, Role.COORDINATOR)
    await expect(page.locator(".grid-row", has_text="urgent")).to_be_visible()
    await page.mouse.up()
    await page.wait_for_selector("dialog h2:has-text('Hold soon')")  # no new button took the press
    await page.keyboard.press("Escape")

    held = page.locator(".grid-row", has_text="held")
    await held.click()
    await page.mouse.move(0, 0)  # the keyboard alone is there
    await ride(desk, market, "sooner", 20, priority="stat")
    await expect(page.locator(".grid-news")).to_have_text("1 new — show")
    await expect(held).to_be_focused()
    await page.keyboard.press("r")
    await expect(page.locator(".grid-row").nth(0)).to_contain_text("sooner")
    await expect(held).to_be_focused()
    await expect(page.locator(".grid-row.current")).to_have_count(1)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("main h1:has-text('Request held')")
    said = await page.locator("dt:has-text('At the telephone') + dd").text_content()
    await visit(page, market, f"board?q={said}")
    await expect(page.locator(".grid-row")).to_have_count(1)
    await expect(page.locator(".grid-row")).to_contain_text("held")
