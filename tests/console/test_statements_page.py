"""What vendors are owed for a month: by vendor, by dispatch, as CSV; for a case manager, by keys."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import msgspec
from playwright.async_api import expect

from contracts.codes import Role
from contracts.instants import DAY_MS, HOUR_MS
from contracts.prices import PriceKind
from contracts.statements import WorkEnd
from dispatcher.domain.prices import Line
from dispatcher.domain.statements import DISPUTE, Item
from tests.console.conftest import PHONE, SHARED, Desk
from tests.console.pages import cut_off, problems_in_both_themes
from tests.console.trouble import vendor
from tests.console.vendors_phone import phone
from tests.http.conftest import NOW_MS

pytestmark = SHARED
FARE = Line(PriceKind.BASE, 4_500)


async def ended(desk: Desk, market: str, name: str, *lines: Line, **facts: Any) -> None:
    """A dispatch of v1 that is over, as the store has it."""
    usual: dict[str, Any] = {"end": WorkEnd.COMPLETED, "service": "wheelchair", "payer": "medicaid"}
    item = Item(at_ms=NOW_MS, start_ms=NOW_MS - HOUR_MS, lines=lines, **(usual | facts))
    store = desk.parts.service.store
    key = store.market(market).keys.statement("v1", "2026-03-02")
    await store.reader.ask("HSET", key, name, msgspec.msgpack.encode(item))


async def many_in_february(desk: Desk, market: str, many: int) -> None:
    item = msgspec.msgpack.encode(
        Item(at_ms=NOW_MS - 28 * DAY_MS, start_ms=NOW_MS - 28 * DAY_MS, end=WorkEnd.FAILED)
    )
    words = [word for number in range(many) for word in (f"m{number:03d}.1", item)]
    store = desk.parts.service.store
    await store.reader.ask("HSET", store.market(market).keys.statement("v1", "2026-02-02"), *words)


async def test_a_case_manager_checks_a_months_bill_line_by_line_and_takes_it_away(desk: Desk) -> None:
    market = desk.new_market()
    page = await desk.open("statements", Role.CASE_MANAGER, market=market)
    await expect(page.get_by_text("No vendor has work in this month.")).to_be_visible()
    await vendor(desk, market, "v1")
    await ended(desk, market, "r1.1", FARE, Line(PriceKind.WAITING, 1_000), waited_minutes=22)
    await ended(desk, market, "r1.1.dispute_1", FARE)
    await ended(desk, market, "r2.1", end=WorkEnd.FAILED)
    assert f"r1.1.{DISPUTE}1" == "r1.1.dispute_1"
    await page.keyboard.press("r")
    row = page.locator(".grid-row").first
    await expect(row).to_contain_text("v1")
    await expect(row).to_contain_text("$55.00")
    await expect(page.locator(".figures")).to_contain_text("1lines disputed")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    row = page.locator(".grid-row").first
    for told in ("r1", "2026-03-02", "base A0130 $45.00 (disputed) + waiting T2007 $10.00", "medicaid"):
        await expect(row).to_contain_text(told)
    assert page.url.endswith("/statements/v1?month=2026-03")
    assert await problems_in_both_themes(page) + await cut_off(page) == []
    async with page.expect_download() as saved:
        await page.keyboard.press("e")
    kept = Path(await (await saved.value).path())
    rows = list(csv.DictReader(kept.read_text("utf-8-sig").splitlines()))
    assert [(each["dispatch_id"], each["hcpcs"], each["cents"], each["disputed"]) for each in rows] == [
        ("r1.1", "A0130", "4500", "yes"),
        ("r1.1", "T2007", "1000", "no"),
        ("r2.1", "", "0", ""),
    ]
    await page.get_by_label("Month").select_option("2026-02")
    await expect(page.get_by_text("No work of this month is over yet.")).to_be_visible()
    await page.set_viewport_size(PHONE)
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("No vendor has work in this month.")).to_be_visible()


async def test_a_vendor_sees_on_its_phone_what_it_is_owed_and_takes_it_away(desk: Desk) -> None:
    market = desk.new_market()
    await vendor(desk, market, "v1")
    await ended(desk, market, "r1.1", FARE, Line(PriceKind.EQUIPMENT, 500, note="E1390 dispute_1"))
    await ended(desk, market, "r2.1", Line(PriceKind.TURN_BACK, -2_000), end=WorkEnd.TURNED_BACK)
    await ended(desk, market, "r2.1.dispute_1", Line(PriceKind.TURN_BACK, -2_000))
    page = await phone(desk, market, "more")
    await page.get_by_role("link", name="What I am owed").click()
    await expect(page.locator("section.card")).to_contain_text("Together $30.00")
    await expect(page.locator("section.card")).to_contain_text("disputed lines: 1")
    first = page.locator("[data-item='r1.1']")
    await first.locator("summary").click()
    await expect(first).to_contain_text("equipment E1390$5.00")
    await first.get_by_role("button", name="A line is wrong").click()
    await page.locator("[name=line]").select_option(label="equipment, $5.00")
    await page.get_by_label("What is wrong").fill("It was another")
    await page.get_by_role("button", name="Send").click()
    await expect(first.locator(".warn")).to_have_text("A line is disputed and being looked at.")
    item = await desk.call(market, "GET", "/vendors/v1/statements/2026-03/items/r1.1")
    assert [each["disputed"] for each in item["lines"]] == [False, True]
    await first.get_by_role("button", name="A line is wrong").click()  # it is open still
    await expect(page.locator("[name=line] option")).to_have_text(["fare, $45.00"])
    await page.get_by_role("button", name="Cancel").click()
    assert await problems_in_both_themes(page) == []
    async with page.expect_download() as saved:
        await page.get_by_role("button", name="Save as CSV").click()
    kept = Path(await (await saved.value).path()).read_bytes()
    assert kept.startswith("\ufeffvendor_id,".encode()), "a spreadsheet takes it for UTF-8"
    assert b"r2.1" in kept
    await many_in_february(desk, market, 101)
    await page.get_by_label("Month").select_option("2026-02")
    await expect(page.locator("[data-item]")).to_have_count(100)
    await page.get_by_role("button", name="Show more").click()
    await expect(page.locator("[data-item='m100.1'] summary")).to_be_focused()
    await expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
