"""Pages of one browser that tests take and give back; and what axe has against a page.

A new context, and a new process in an old one, compiles every module anew: that is most of what a page costs.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Page, ViewportSize

REFUSALS = (409, 412, 422, 428)  # what a person may run into, and reads on the page
COLOURS = ("color-contrast", "link-in-text-block")  # rules that another theme may break
ALIKE = ".parameter:nth-child(n+4):not(.changed, .wrong)"  # hundreds of the same: the first tell of all
AXE = Axe().axe_script
LEAVE = "location.replace('about:blank')"  # by itself a page stays in its process, sent there it does not
PATIENCE_MS = 60_000  # no test fails because its machine has much else to do

# a grid's body hears for its rows: j, k and Enter go to them
KEYED = ".grid-body, a, button, input, select, textarea, label, summary, [tabindex]:not(main)"
UNREACHED = f"""[...document.querySelectorAll('main *')].filter((each) =>
    !each.closest("{KEYED}") && !each.querySelector("{KEYED}"))"""

AROUND_PX = 152 + 2 * 16 + 2 + 15  # navigation, the page's edges, the list's own, a scroll bar
DESK_PX, BROAD_PX = 1280 - AROUND_PX, 1440 - AROUND_PX
LEAST_PX = """[...document.querySelectorAll('main x-grid')].map((each) => [each.options.label,
    each.options.columns.reduce((px, one) => px + (one.least || one.width), each.options.select ? 32 : 0)])"""

Key = tuple[object, ...]


class Pages:
    """Each in a context of its own. What it throws, or what its policy stops, is in `failures`."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.failures: list[str] = []
        self._spare: defaultdict[Key, list[Page]] = defaultdict(list)
        self._taken: list[tuple[Key, Page]] = []

    async def take(self, use: Key, viewport: ViewportSize, **context: Any) -> Page:
        """A page that had this use before, or a new one: nothing of another test is in it."""
        key = (use, *sorted(context.items()))
        page = self._spare[key].pop() if self._spare[key] else await self._new(**context)
        self._taken.append((key, page))
        await page.set_viewport_size(viewport)
        await page.emulate_media(color_scheme=context.get("color_scheme", "light"), reduced_motion="reduce")
        return page

    async def _new(self, **context: Any) -> Page:
        page = await (await self.browser.new_context(**context)).new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.failures.append(str(error)))
        page.on("console", self._said)
        return page

    def _said(self, said: ConsoleMessage) -> None:
        refused = any(f"status of {each} " in said.text for each in REFUSALS)
        if said.type == "error" and not refused:
            self.failures.append(f"{said.text} {said.location['url']}")

    async def give_back(self) -> None:
        """All that were taken: signed out, with nothing kept and nothing that goes on."""
        for key, page in self._taken:
            if page.is_closed():
                continue
            await page.context.set_offline(False)
            for other in page.context.pages:
                if other is not page:
                    await other.close()
            await page.evaluate("localStorage.clear(), sessionStorage.clear()")
            async with page.expect_navigation():
                await page.evaluate(LEAVE)
            await page.context.clear_cookies()
            self._spare[key].append(page)
        self._taken.clear()
        kept = {page.context for pages in self._spare.values() for page in pages}
        for context in self.browser.contexts:
            if context not in kept:
                await context.close()


async def problems(page: Page, *rules: str) -> list[str]:
    """What axe has against a page: by all of its rules, or by these."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    only = {"runOnly": list(rules)} if rules else {}
    asked = [{"exclude": [[ALIKE]]}, {"resultTypes": ["violations"]} | only]
    found = await page.evaluate("asked => axe.run(...asked)", asked)
    return [
        f"{each['id']}: {node['target']} {node.get('failureSummary', '')}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


async def out_of_reach(page: Page) -> list[str]:
    """Elements that hear a click, and that no key comes to: neither they, nor what holds or is in them."""
    cdp = await page.context.new_cdp_session(page)
    held = await cdp.send("Runtime.evaluate", {"expression": UNREACHED})
    each = {"objectId": held["result"]["objectId"], "ownProperties": True}
    listed = (await cdp.send("Runtime.getProperties", each))["result"]
    found = list[str]()
    for one in (item["value"] for item in listed if item["name"].isdigit()):
        heard = await cdp.send("DOMDebugger.getEventListeners", {"objectId": one["objectId"]})
        if {listener["type"] for listener in heard["listeners"]} & {"click", "dblclick", "pointerdown"}:
            found.append(one["description"])
    await cdp.detach()
    return found


async def cut_off(page: Page, room_px: int = DESK_PX) -> list[str]:
    """Lists that have no room for all of their columns on a desk so wide."""
    lists = await page.evaluate(LEAST_PX)
    return [
        f"{label} takes {least_px} px, {room_px} are there" for label, least_px in lists if least_px > room_px
    ]


async def problems_in_both_themes(page: Page) -> list[str]:
    """As `problems`; in the dark by the rules of colours alone, as nothing else is of another colour."""
    await page.emulate_media(color_scheme="light")
    found = await problems(page)
    await page.emulate_media(color_scheme="dark")
    return found + await problems(page, *COLOURS)


async def visit(page: Page, market: str, path: str) -> None:
    """Another page of the console, as a link within it leads there: without loading it all anew."""
    await page.evaluate(
        "where => { history.pushState(null, '', where); dispatchEvent(new PopStateEvent('popstate')); }",
        f"/console/{market}/{path}",
    )
    await page.wait_for_selector("main h1", state="attached")
