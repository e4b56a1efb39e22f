"""The list of rides on a phone that has just been opened: what is new on them, and what is over already."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest_asyncio
from playwright.async_api import expect

from contracts.codes import Role
from contracts.instants import DAY_MS
from tests.clock import ManualClock
from tests.console.conftest import SHARED, Desk
from tests.console.pages import problems_in_both_themes
from tests.console.vendors_phone import as_vendor, phone, town, visit

pytestmark = SHARED


async def test_what_was_written_and_done_before_the_phone_was_opened_is_there(desk: Desk) -> None:
    market = await town(desk, "r1", "r2", "r3", identifiers=[{"system": "Broker", "value": "TRIP 9"}])
    for name in ("r1", "r2", "r3"):
        await as_vendor(desk, market, "POST", f"/offers/{name}.1/accept")
    for text in ("The gate is open", "Ring twice"):
        await desk.call(market, "POST", "/dispatches/r1.1/messages", {"text": text}, Role.COORDINATOR)
    over = {"status": "failed", "code": "BAD_WEATHER"}
    await as_vendor(desk, market, "POST", "/dispatches/r2.1/status", over)
    back = {"status": "turned_back", "code": "BAD_WEATHER"}
    await as_vendor(desk, market, "POST", "/dispatches/r3.1/status", back)
    page = await phone(desk, market, "day")
    cards = page.locator(".ride-card")
    await expect(cards).to_have_count(3)
    await expect(cards.nth(0)).to_contain_text("new messages: 2")
    await expect(page.get_by_role("link", name="Rides new messages: 2")).to_be_visible()
    await expect(page.locator("[data-ride='r2.1']")).to_contain_text("Sam Heron")
    await expect(page.locator("[data-ride='r2.1'] .status")).to_have_text("not done")
    await expect(page.locator("[data-ride='r3.1']")).to_contain_text("Passenger not named")
    await expect(page.locator("[data-ride='r3.1'] .status")).to_have_text("given back")
    assert await problems_in_both_themes(page) == []
    await visit(page, "ride/r3.1")
    await expect(page.locator(".status")).to_have_text("given back")
    assert await page.get_by_role("link", name="Proof").count() == 0
    await expect(page.locator("main")).not_to_contain_text("TRIP 9")
    await visit(page, "ride/r1.1")
    await expect(page.locator("main")).to_contain_text("Number of the order: TRIP 9 Broker")
    await page.locator("[data-at='other']").tap()
    await expect(page.locator("dialog.sheet")).to_be_visible()
    await page.go_back()  # what the sheet asked was of that ride
    await expect(page.locator("dialog.sheet")).to_have_count(0)
    await page.go_forward()
    await page.get_by_role("link", name="Messages 2 new").tap()
    await expect(page.locator(".theirs")).to_have_count(2)
    await expect(page.locator("nav .badge")).to_have_count(0)
    await visit(page, "day")
    await expect(cards.nth(0)).to_contain_text("Robin Wren")
    await expect(cards.nth(0)).not_to_contain_text("new messages")
    await page.reload()
    await expect(cards).to_have_count(3)
    await expect(page.locator(".badge.inline")).to_have_count(0)


async def test_a_ride_that_is_called_off_while_its_page_is_open_says_so_and_what_is_owed(desk: Desk) -> None:
    market = await town(desk, "r1", minutes=40, card={"late_cancel_cents": 2_020})
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    page = await phone(desk, market, "ride/r1.1")
    await expect(page.locator("h1")).to_have_text("Robin Wren")
    await desk.call(market, "POST", "/requests/r1/cancel", {}, Role.OPS)
    await expect(page.locator(".status")).to_have_text("called off")
    await expect(page.locator("main")).to_contain_text("$20.20")
    assert await page.locator("[data-at='step']").count() == 0
    await visit(page, "day")
    await expect(page.locator("[data-ride='r1.1']")).to_contain_text("called off")


@pytest_asyncio.fixture(loop_scope="session")
async def day_later(desk: Desk) -> AsyncIterator[Callable[[], None]]:
    """The service's clock goes a day on, for this test."""
    clock = desk.parts.clock
    assert isinstance(clock, ManualClock)
    before = clock.ms
    yield lambda: setattr(clock, "ms", before + DAY_MS)
    await desk.pages.give_back()  # a session of tomorrow holds no more once it is today again
    clock.ms = before


async def test_yesterdays_rides_come_when_somebody_wants_to_see_them_by_keys_too(
    desk: Desk, day_later: Callable[[], None]
) -> None:
    market = await town(desk, "r1")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    over = {"status": "failed", "code": "BAD_WEATHER"}
    await as_vendor(desk, market, "POST", "/dispatches/r1.1/status", over)
    day_later()
    page = await phone(desk, market, "day")
    summary = page.locator("summary", has_text="Yesterday")
    await expect(page.locator("h2").first).to_contain_text("Today")
    await summary.press("Enter")
    await expect(page.locator("details .ride-card")).to_contain_text("Robin Wren")
    await expect(summary).to_be_focused()
