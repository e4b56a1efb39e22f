"""Every page: nothing for axe at 200 % in the dark, nothing wider than that, no act or row without a key."""

from __future__ import annotations

import re

from playwright.async_api import ViewportSize

from dispatcher.console.assets import FOLDER
from tests.console.conftest import SHARED, Desk
from tests.console.pages import BROAD_PX, DESK_PX, cut_off, out_of_reach, problems, visit
from tests.console.trouble import town

pytestmark = SHARED
PAGES = re.findall(r'name: "([a-z-]+)"', (FOLDER / "core" / "pages.js").read_text())
ZOOMED: ViewportSize = {"width": 720, "height": 450}  # a window of 1440 by 900 at 200 %
MOST_LINES = 300
WIDTH = "document.documentElement.scrollWidth"
LISTS = ("today", "board", "map", "vendors", "audit")
AT_A_ROW = "document.activeElement.matches('.grid-row')"


async def test_every_page_holds_at_200_percent_in_the_dark(desk: Desk) -> None:
    market = await town(desk)
    page = await desk.open("", market=market, viewport=ZOOMED, color_scheme="dark", device_scale_factor=2)
    found = dict[str, list[str]]()
    for name in PAGES:
        await visit(page, market, "request/asked" if name == "request" else name)
        told = await problems(page) + await out_of_reach(page)
        if await page.evaluate(WIDTH) > ZOOMED["width"]:
            told.append(f"it is {await page.evaluate(WIDTH)} wide")
        told += await cut_off(page, room_px=BROAD_PX if name == "vendors" else DESK_PX)
        if name in LISTS:
            await page.wait_for_selector("main .grid-row")
            await page.keyboard.press("j")
            told += [] if await page.evaluate(AT_A_ROW) else ["j leads to no row"]
        if told:
            found[name] = told
    assert found == {}


async def test_no_module_is_too_long_to_be_read() -> None:
    lines = {each.name: each.read_text().count("\n") for each in FOLDER.rglob("*.js")}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
