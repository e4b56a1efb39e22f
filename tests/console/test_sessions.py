"""Signing in by a link that opens once, out again, and what another site can do with the cookie: nothing."""

from __future__ import annotations

from tests.console.conftest import SHARED, Desk, problems

pytestmark = SHARED


async def test_a_link_opens_the_console_once(desk: Desk) -> None:
    market = desk.new_market()
    page = await desk.open("", market=market)
    assert page.url == f"{desk.url}/console/{market}/today"
    assert await page.inner_text("main h1") == "Today"


async def test_the_first_page_has_nothing_that_axe_finds(desk: Desk) -> None:
    page = await desk.open("board", market=desk.new_market())
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert await problems(page) == []
