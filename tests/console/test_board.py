"""The board: thousands of rows by keyboard, narrowed by chips, with its state in the address; live."""

from __future__ import annotations

import csv

from playwright.async_api import expect

from tests.console.conftest import SHARED, Desk
from tests.console.pages import problems
from tests.console.trouble import ride, town

pytestmark = SHARED


async def test_chips_narrow_the_board_and_the_address_opens_the_same_view(desk: Desk) -> None:
    market = await town(desk)
    page = await desk.open("board", market=market)
    await page.wait_for_selector(".grid-row")
    assert await page.locator(".grid-row").count() == 4
    await page.click(".chip:has-text('on hold')")
    await expect(page.locator(".grid-row")).to_have_count(1)
    assert page.url.endswith("/board?state=on_hold")
    again = await page.context.new_page()
    await again.goto(page.url)
    await again.locator(".grid-row", has_text="held").wait_for()
    assert await again.locator(".grid-row").count() == 1, (
        "a second tab has it too, without a stream of its own"
    )
    assert await problems(page) == []


async def test_a_saved_view_is_there_for_others(desk: Desk) -> None:
    market = await town(desk)
    page = await desk.open("board?state=offered&sort=start+down", market=market)
    await page.click("button:has-text('Save view')")
    await page.keyboard.type("Waits for an answer")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".toast:has-text('is saved')")
    other = await desk.open("board", market=market)
    await other.select_option("select[aria-label='Saved views']", "Waits for an answer")
    await expect(other.locator(".grid-row")).to_have_count(1)
    assert "state=offered" in other.url


async def test_the_order_holds_still_while_somebody_reads(desk: Desk) -> None:
    market = await town(desk)
    page = await desk.open("board", market=market)
    await page.wait_for_selector(".grid-row")
    await page.keyboard.press("j")
    before = await page.locator(".grid-row").all_inner_texts()
    await ride(desk, market, "fresh")
    await page.wait_for_selector(".grid-news:has-text('1 new')")
    assert await page.locator(".grid-row").all_inner_texts() == before
    await page.keyboard.press("r")
    await page.locator(".grid-row", has_text="fresh").wait_for()


async def test_many_are_held_at_once_but_not_one_that_changed_since(desk: Desk) -> None:
    market = await town(desk)
    page = await desk.open("board?q=er", market=market)
    await page.locator(".grid-row", has_text="later").wait_for()
    await page.fill("input[type=search]", "")
    await expect(page.locator(".grid-row")).to_have_count(4)
    await page.keyboard.press("Escape")
    await page.keyboard.press("a")
    await page.click(".many button:has-text('Hold')")
    await page.wait_for_selector("dialog[open]:has-text('2 of the 4 chosen are left as they are')")
    assert await problems(page) == []
    await desk.call(market, "POST", "/requests/soon/amend", {"priority": "urgent"})
    await page.click("dialog button[type=submit]")
    await page.wait_for_selector("dialog .trouble:has-text('1 were refused')")
    states = {
        each: (await desk.call(market, "GET", f"/requests/{each}"))["state"] for each in ("soon", "later")
    }
    assert states == {"soon": "received", "later": "on_hold"}


async def test_the_table_is_a_file_that_has_all_its_rows(desk: Desk) -> None:
    market = await town(desk)
    page = await desk.open("board", market=market)
    await page.wait_for_selector(".grid-row")
    async with page.expect_download() as started:
        await page.click("button:has-text('Export CSV')")
    path = await (await started.value).path()
    rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    assert {each["id"]: each["state"] for each in rows}["asked"] == "offered"
    assert len(rows) == 4
