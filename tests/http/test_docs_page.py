"""The docs page in a real browser, if there is one: every operation is there, and one can be tried."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

from playwright.async_api import ViewportSize, async_playwright

from contracts.codec import convert
from contracts.codes import Role
from tests.http.conftest import GUARDED, OPEN, OPERATIONS, Api, trip

PHONE: ViewportSize = {"width": 390, "height": 844}
WIDTH = "document.documentElement.scrollWidth"
EXAMPLES = """async () => {
  const found = {};
  for (const each of document.querySelectorAll("details.operation")) each.open = true;
  await new Promise((done) => setTimeout(done));
  for (const each of document.querySelectorAll("details.operation textarea"))
    found[each.closest("details.operation").id] = each.value;
  for (const each of document.querySelectorAll("details.operation")) each.open = false;
  return found;
}"""
OPENED = """async () => {
  for (let round = 0; round < 3; round++) {
    const all = document.querySelectorAll("#submitRequests, #putVendor, #listTasks, details[open] details");
    for (const each of all) each.open = true;
    await new Promise((done) => setTimeout(done));
  }
}"""


async def test_the_docs_page_shows_every_operation_and_sends_one(api: Api, browser_program: str) -> None:
    api.clock.ms = int(datetime.now(UTC).timestamp() * 1000)
    host = f"{api.client.host}:{api.client.port}"
    async with async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=browser_program, args=["--no-sandbox"])
        page = await browser.new_page()
        asked: set[str] = set()
        failures: list[str] = []
        page.on("request", lambda request: asked.add(request.url.split("/")[2]))
        page.on("pageerror", lambda error: failures.append(str(error)))
        await page.goto(f"http://{host}/docs")
        await page.wait_for_selector("details.operation")
        assert await page.locator("details.operation").count() == len(GUARDED + OPEN)
        examples = await page.evaluate(EXAMPLES)
        assert "`" not in await page.locator("#activateRequest > summary").inner_text()
        await page.fill("#token", api.token(Role.PLATFORM))
        await page.click("#submitRequests > summary")
        await page.fill("#submitRequests [data-name=market]", api.market)
        at = datetime.now(UTC).replace(year=datetime.now(UTC).year + 1, day=1).isoformat()
        window = {"earliest": at, "latest": at}
        await page.fill("#submitRequests textarea", json.dumps(trip("r1", pickup_window=window)))
        await page.click("#submitRequests button")
        await page.wait_for_selector("#submitRequests pre:has-text('202 Accepted')")
        await browser.close()
    assert failures == []
    assert asked == {host}
    bodies = {each.id: each.body for each in OPERATIONS if each.body is not None}
    assert examples.keys() == bodies.keys()
    for name, example in examples.items():
        value = json.loads(example)
        convert(value, bodies[name].form_of(value))  # raises for one that cannot be sent
    assert await api.store.market(api.market).requests.records.get("r1") is not None


async def test_the_docs_page_fits_a_phone_with_everything_open_light_and_dark(
    api: Api, browser_program: str
) -> None:
    async with async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=browser_program, args=["--no-sandbox"])
        page = await browser.new_page(viewport=PHONE)
        await page.goto(f"http://{api.client.host}:{api.client.port}/docs")
        await page.wait_for_selector("details.operation")
        assert await page.evaluate(WIDTH) == PHONE["width"]
        await page.evaluate(OPENED)
        await page.wait_for_selector("details.schema[open] details.schema")
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert await page.evaluate(WIDTH) == PHONE["width"]
            if folder := os.environ.get("SCREENSHOTS"):
                await page.screenshot(path=f"{folder}/docs-{scheme}.png")
        await browser.close()
