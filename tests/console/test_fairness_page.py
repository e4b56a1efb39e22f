"""Groups of requests beside one another: figures, the floor, the requests behind; by keys, in both themes."""

from __future__ import annotations

import csv
from pathlib import Path

from playwright.async_api import expect

from contracts.codes import Role
from dispatcher.domain.coarse_position import coarse_position
from dispatcher.domain.fairness import CELLS
from tests.console.conftest import PHONE, SHARED, Desk
from tests.console.pages import problems_in_both_themes
from tests.http.conftest import trip

pytestmark = SHARED
DOOR = (-73.97, 40.78)
BEHIND = "wheelchair@{},{}".format(*coarse_position(DOOR, CELLS))
OTHERS = "ambulatory@-73.9,40.7"
HARDLY = "stretcher@-73.9,40.7"


async def counted(desk: Desk, market: str, group: str, *, asked: int, unmatched: int, waited_s: int) -> None:
    store = desk.parts.service.store
    key = store.market(market).keys.fairness("2026-03-01")
    for name, count in (("asked", asked), ("unmatched", unmatched), ("waited_s", waited_s)):
        await store.reader.ask("HINCRBY", key, f"{name}:{group}", count)


async def test_groups_stand_with_the_others_and_the_floor_and_lead_to_their_requests(desk: Desk) -> None:
    market = desk.new_market()
    page = await desk.open("fairness", market=market)
    await expect(page.get_by_text("No request had its first offer")).to_be_visible()
    await expect(page.get_by_text("fairness_wait_minutes")).to_be_visible()
    assert await problems_in_both_themes(page) == []
    await counted(desk, market, BEHIND, asked=60, unmatched=24, waited_s=180_000)
    await counted(desk, market, OTHERS, asked=400, unmatched=8, waited_s=144_000)
    await counted(desk, market, HARDLY, asked=100, unmatched=2, waited_s=92_400)
    far = {"position": [-74.9, 41.9]}
    await desk.call(market, "POST", "/requests", trip("near", pickup={"position": DOOR}), Role.PLATFORM)
    await desk.call(market, "POST", "/requests", trip("far", pickup=far), Role.PLATFORM)
    await page.keyboard.press("r")
    row = page.get_by_role("row").nth(1)
    await expect(page.locator(".figures")).to_contain_text("2behind the others1of them by the floor, or more")
    await expect(page.get_by_role("row").nth(2)).to_contain_text("0.1 × the floor")
    await expect(page.get_by_role("row").nth(3)).to_contain_text("not behind")
    for told in ("wheelchair", "1.0 × the floor", "60", "50 min", "7.9 min", "24", "40 %", "2.0 %"):
        await expect(row).to_contain_text(told)
    assert await problems_in_both_themes(page) == []
    async with page.expect_download() as saved:
        await page.keyboard.press("e")
    kept = Path(await (await saved.value).path())
    rows = list(csv.DictReader(kept.read_text("utf-8-sig").splitlines()))
    assert [(each["level_of_service"], round(float(each["behind"]), 1), each["asked"]) for each in rows] == [
        ("wheelchair", 1.0, "60"),
        ("stretcher", 0.1, "100"),
        ("ambulatory", 0.0, "400"),
    ]
    await page.get_by_role("link", name="60 requests of wheelchair").press("Enter")
    await expect(page.get_by_role("button", name="wheelchair around")).to_be_visible()
    await expect(page.get_by_role("status").filter(has_text="1 of 2")).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text="near")).to_be_visible()


async def test_on_a_phone_the_page_is_no_wider_than_it(desk: Desk) -> None:
    market = desk.new_market()
    await counted(desk, market, BEHIND, asked=60, unmatched=24, waited_s=180_000)
    page = await desk.open("fairness", market=market, viewport=PHONE)
    await expect(page.locator("nav").get_by_role("link", name="Fairness")).to_be_in_viewport(ratio=1)
    row = page.get_by_role("row").nth(1)
    await expect(row).to_be_visible()
    assert (await row.inner_text()).count("–") == 2, "there are no others beside it"
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
