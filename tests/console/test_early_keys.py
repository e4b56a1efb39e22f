"""What is pressed before a page, or the rows of its list, are there: it is heard once they are."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, Route, expect

from tests.console.conftest import SHARED, Desk
from tests.console.trouble import town

pytestmark = SHARED


class Held:
    """An answer that does not come before it is let go."""

    def __init__(self) -> None:
        self.asked, self.goes = asyncio.Event(), asyncio.Event()

    async def route(self, route: Route) -> None:
        """Wait, then go on."""
        self.asked.set()
        await self.goes.wait()
        await route.continue_()


async def presses(page: Page, keys: str) -> None:
    """One after the other."""
    for each in keys.split():
        await page.keyboard.press(each)


async def test_keys_wait_for_the_page_and_for_the_rows_that_they_are_for(desk: Desk) -> None:
    market = await town(desk)
    page = await desk.open("board", market=market)
    session, tasks = Held(), Held()
    await page.route("**/console/session", session.route)
    await page.goto(f"{desk.url}/console/{market}/board", wait_until="commit")
    await session.asked.wait()
    await presses(page, "g s")
    session.goes.set()
    await expect(page).to_have_url(f"{desk.url}/console/{market}/statements")

    await page.route("**/tasks?*", tasks.route)
    await presses(page, "g t")
    await tasks.asked.wait()
    await presses(page, "j Enter")
    await expect(page.locator(".grid-row")).to_have_count(0)
    tasks.goes.set()
    await page.wait_for_selector("main h1:has-text('Request ')")
    await page.unroute_all()
