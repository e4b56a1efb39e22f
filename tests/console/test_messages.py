"""What a vendor writes is seen where people work, answered there, and somebody's task until then."""

from __future__ import annotations

from playwright.async_api import expect

from contracts.codes import Role
from tests.console.conftest import SHARED, Desk
from tests.console.pages import problems_in_both_themes
from tests.console.trouble import town
from tests.http.conftest import trip

pytestmark = SHARED
THREAD = "/dispatches/asked.1/messages"


async def test_what_a_vendor_writes_stands_in_today_until_it_is_read_and_is_answered(desk: Desk) -> None:
    market = await town(desk)
    await desk.call(market, "POST", "/offers/asked.1/accept", {}, Role.VENDOR)
    await desk.call(market, "POST", THREAD, {"text": "He fell <b>here</b>"}, Role.VENDOR)
    said = {"line": 1, "text": "shared"}
    await desk.call(market, "POST", "/dispatches/asked.1/price/disputes", said, Role.PLATFORM)
    page = await desk.open("today", Role.COORDINATOR, market=market)
    row = page.locator(".grid-row", has_text="unread message")
    await expect(row).to_contain_text("asked")
    await row.click()
    await page.keyboard.press("Enter")
    dispute = page.locator(".task", has_text="price dispute").get_by_role("button")
    await expect(dispute).to_have_text(["mComment…"])  # to settle it is for ops
    thread = page.locator(".messages")
    await expect(thread).to_contain_text("He fell <b>here</b>")
    await expect(thread).to_contain_text("1 unread")
    assert await problems_in_both_themes(page) == []
    task = f"{THREAD.split('/')[2]}.unread_message"
    assert (await desk.call(market, "GET", f"/tasks/{task}"))["state"] == "open"  # a look is no answer
    await thread.get_by_role("button", name="I have read it").press("Enter")
    await expect(thread.get_by_role("button", name="I have read it")).to_be_hidden()
    assert (await desk.call(market, "GET", f"/tasks/{task}"))["outcome"] == "settled"
    await page.keyboard.press("t")
    await page.keyboard.type("Help is coming")
    await desk.call(market, "POST", THREAD, {"text": "He sits up"}, Role.VENDOR)
    await expect(thread).to_contain_text("1 unread")  # and nothing that was typed is lost
    await thread.get_by_role("button", name="Send").press("Enter")
    await expect(thread).to_contain_text("Dana (coordinator)")
    await expect(thread.locator("textarea")).to_have_value("")
    told = (await desk.call(market, "GET", THREAD, None, Role.VENDOR))["messages"]
    assert [each["text"] for each in told][1:] == ["He sits up", "Help is coming"]


async def test_who_cares_for_an_episode_writes_on_its_page(desk: Desk) -> None:
    market = desk.new_market()
    await desk.call(market, "POST", "/episodes", {"id": "e1", "requests": [trip("r1")]}, Role.COORDINATOR)
    page = await desk.open("care/e1", Role.CASE_MANAGER, market=market)
    thread = page.locator(".messages")
    await expect(thread).to_contain_text("Nothing was written yet.")
    await page.keyboard.press("t")
    await page.keyboard.type("A second cylinder")
    await thread.get_by_role("button", name="Send").press("Enter")
    await expect(thread).to_contain_text("Dana (case manager)")
    told = (await desk.call(market, "GET", "/episodes/e1/messages", None, Role.COORDINATOR))["messages"]
    assert [each["text"] for each in told] == ["A second cylinder"]
