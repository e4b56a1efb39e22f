"""The vendors' page on a phone: an offer is taken, a ride is done, by touch; ten seconds to undo."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.console.conftest import SHARED, Desk
from tests.console.pages import problems_in_both_themes
from tests.console.vendors_phone import phone, town

pytestmark = SHARED


async def test_an_offer_is_accepted_and_its_ride_reported_by_taps_with_time_to_undo(desk: Desk) -> None:
    market = await town(desk, "r1", "r2")
    page = await phone(desk, market)
    await expect(page.locator(".card")).to_have_count(2)
    await expect(page.locator(".countdown").first).to_have_text(re.compile(r"^(10:00|9:\d\d)$"))
    assert await problems_in_both_themes(page) == []
    await page.locator("[data-offer='r1.1']").get_by_role("button", name="Accept").tap()
    await expect(page.locator(".card")).to_have_count(1)
    await page.get_by_role("link", name="Rides").tap()
    await page.locator("[data-ride='r1.1'] a.whole").tap()
    await expect(page.locator("h1")).to_have_text("Robin Wren")
    await page.get_by_role("button", name="I am on my way").tap()
    await expect(page.locator(".tap")).to_contain_text("on the way")
    await page.get_by_role("button", name="Undo").tap()
    await expect(page.locator(".tap")).to_have_count(0)
    assert await problems_in_both_themes(page) == []
