"""The vendors' page on a phone: an offer is taken, a ride is done, by touch; ten seconds to undo."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Page, expect

from contracts.codes import Role
from tests.console.conftest import SHARED, Desk
from tests.console.pages import problems_in_both_themes
from tests.console.vendors_phone import as_vendor, phone, town

pytestmark = SHARED
TEN_S = 10_000


async def state(desk: Desk, market: str, request: str) -> str:
    return str((await desk.call(market, "GET", f"/requests/{request}", None, Role.OPS))["state"])


async def reported(desk: Desk, market: str, offer: str) -> Any:
    return (await as_vendor(desk, market, "GET", f"/dispatches/{offer}")).get("status")


async def sent(page: Page) -> None:
    """Until nothing waits to be sent."""
    await expect(page.locator("header .count")).to_have_count(0)


async def test_an_offer_is_accepted_and_its_ride_reported_by_taps_with_time_to_undo(desk: Desk) -> None:
    market = await town(desk, "r1", "r2")
    page = await phone(desk, market)
    await expect(page.locator(".card")).to_have_count(2)
    first = page.locator("[data-offer='r1.1']")
    await expect(first.locator(".route")).to_have_text("Upper West Side → Sutton Place")
    await expect(first).to_contain_text(re.compile(r"mi to the south-east.*At the telephone: \d{3} \d{3}"))
    await expect(page.locator(".countdown").first).to_have_text(re.compile(r"^(10:00|9:\d\d)$"))
    assert await problems_in_both_themes(page) == []
    await page.locator("[data-offer='r1.1']").get_by_role("button", name="Accept").tap()
    await expect(page.locator(".card")).to_have_count(1)
    assert await state(desk, market, "r1") == "accepted"
    await page.get_by_role("link", name="Rides").tap()
    await page.locator("[data-ride='r1.1'] a.whole").tap()
    await expect(page.locator("h1")).to_have_text("Robin Wren")
    assert (
        await page.get_by_role("link", name="Map: Pick-up").get_attribute("href")
        == "geo:40.78,-73.97?q=40.78,-73.97"
    )
    await page.clock.fast_forward(1_000)  # two taps in a row are one
    await page.get_by_role("button", name="I am on my way").tap()
    await expect(page.locator(".tap")).to_contain_text("on the way")
    assert await problems_in_both_themes(page) == []
    await page.get_by_role("button", name="Undo").tap()
    await expect(page.locator(".tap")).to_have_count(0)
    await page.clock.fast_forward(TEN_S)
    await sent(page)
    assert await reported(desk, market, "r1.1") is None, "nothing of it was ever sent"
    await page.get_by_role("button", name="I am on my way").tap()
    await expect(page.locator(".tap")).to_contain_text("on the way")
    assert await reported(desk, market, "r1.1") is None, "nor of this, so far"
    await page.clock.fast_forward(TEN_S)
    await sent(page)
    assert await reported(desk, market, "r1.1") == "en_route"
    for step in (
        "I am at the door",
        "I am waiting",
        "Passenger is here",
        "Passenger on board",
        "Dropped off",
    ):
        await page.get_by_role("button", name=step).tap()
        await expect(page.locator(".tap")).to_have_count(1)
        await page.clock.fast_forward(TEN_S)
        await expect(page.locator(".tap")).to_have_count(0)
    await expect(page.locator(".status").first).to_have_text("done")
    assert await state(desk, market, "r1") == "completed"
    await page.get_by_role("link", name="Back").tap()
    await expect(page.locator("h3")).to_have_text("Done")
