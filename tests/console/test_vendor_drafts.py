"""What somebody types or signs on the phone is lost by nothing but sending, cancelling and signing out."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, Route, expect

from contracts.codes import Role
from tests.console.conftest import SHARED, Desk
from tests.console.test_vendor_page import sent
from tests.console.test_vendor_panels import INK, signed
from tests.console.vendors_phone import as_vendor, phone, town, visit

pytestmark = SHARED
DRAFTS = "Object.keys(sessionStorage).filter(each => each.startsWith('dispatcher-vendor-draft'))"
PATIENCE_S, PAUSE_MS = 20, 20
UPDATE = "navigator.serviceWorker.dispatchEvent(new Event('controllerchange'))"


async def holds(page: Page) -> None:
    """All that was filled in is there."""
    await expect(page.get_by_label("Odometer")).to_have_value("81234.5")
    await expect(page.get_by_label("Name of who signs")).to_have_value("Sam Heron")
    await expect(page.get_by_label("To the passenger")).to_have_value("spouse")
    await expect(page.get_by_label("Of what")).to_have_value("pickup")
    assert await page.locator("canvas").evaluate(INK), "the signature is there"


async def test_a_proof_that_is_being_filled_in_is_lost_by_nothing_and_sent_once(desk: Desk) -> None:
    market = await town(desk, "r1", "r2")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    page = await phone(desk, market, "proof/r1.1")
    opened = list[str]()

    async def ends(route: Route) -> None:
        opened.append(route.request.url)
        await route.fulfill(body=": open\n\n", content_type="text/event-stream")

    await page.route("**/events", ends)  # the stream ends whenever it was opened, and is opened each second
    await page.reload()
    await page.get_by_label("Of what").select_option("pickup")
    await page.get_by_label("Odometer").fill("81234.5")
    await page.get_by_label("To the passenger").select_option("spouse")
    await page.get_by_label("Name of who signs").fill("Sam Heron")
    await signed(page)
    await page.set_viewport_size({"width": 844, "height": 390})  # it is turned
    await holds(page)
    await page.set_viewport_size({"width": 390, "height": 844})
    before = len(opened)
    async with asyncio.timeout(PATIENCE_S):
        while len(opened) < before + 3:
            await page.clock.fast_forward(1_000)
            await page.wait_for_timeout(PAUSE_MS)
    await page.unroute_all()
    await page.context.set_offline(True)
    await page.context.set_offline(False)
    await desk.call(market, "POST", "/dispatches/r1.1/messages", {"text": "Hello"}, Role.COORDINATOR)
    await expect(page.locator("nav .tab-day .badge")).to_contain_text("1")
    await page.evaluate(UPDATE)  # new files came
    other = await page.context.new_page()  # another tab does something
    await other.goto(f"{desk.url}/vendor/offers")
    await other.locator("[data-offer='r2.1']").get_by_role("button", name="Accept").click()
    await expect(page.locator("nav .tab-offers .badge")).to_have_count(0)
    await other.goto(f"{desk.url}/vendor/proof/r1.1")
    await expect(other.get_by_label("Odometer")).to_have_value("")  # each tab's is its own
    await other.close()
    await holds(page)
    await page.get_by_role("link", name="Offers").tap()  # a slip; with the new files, the page is loaded anew
    await page.wait_for_selector(".panel.offers h1")
    await page.go_back()
    await holds(page)
    await page.reload()  # the phone wanted its memory for the camera
    await holds(page)
    await page.get_by_role("button", name="Send").tap()
    await expect(page.locator("article.card")).to_contain_text("pictures: 1")
    await expect(page.get_by_label("Odometer")).to_have_value("")
    await sent(page)
    assert await page.evaluate(DRAFTS) == []
    (part,) = (await as_vendor(desk, market, "GET", "/dispatches/r1.1/proof"))["parts"]
    assert (part["report"]["part"], part["report"]["odometer_miles"]) == ("pickup", 81_234.5)
    assert part["report"]["signature"] == {"by": "Sam Heron", "relationship": "spouse"}
    desk.failures.clear()  # the browser tells of each call that did not go out


async def test_what_is_typed_into_a_sheet_or_a_message_outlives_a_slip_and_the_veil_and_not_the_session(
    desk: Desk,
) -> None:
    market = await town(desk, "r1")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    page = await phone(desk, market, "ride/r1.1")
    await page.locator("summary").tap()
    wrong, text = page.get_by_role("button", name="A line is wrong"), page.get_by_label("What is wrong")
    await wrong.tap()
    await text.fill("two wheelchairs")
    await page.mouse.click(195, 20)  # beside it
    await expect(text).to_have_value("two wheelchairs")
    await page.clock.fast_forward(16 * 60_000)
    veil = page.get_by_role("dialog", name="Hidden while nobody looked")
    await expect(veil).to_be_visible()
    assert await page.evaluate("document.elementFromPoint(195, 700).closest('.veil') !== null"), (
        "it hides all"
    )
    await page.keyboard.press("Enter")
    await expect(veil).to_have_count(0)
    await expect(text).to_have_value("two wheelchairs")
    await page.keyboard.press("Escape")
    await expect(text).to_have_count(0)
    await wrong.tap()
    await expect(text).to_have_value("two wheelchairs")
    await page.get_by_role("button", name="Cancel").tap()
    await wrong.tap()
    await expect(text).to_have_value("")
    await page.keyboard.press("Escape")
    await visit(page, "thread/r1.1")
    written = page.get_by_label("Message to the dispatchers")
    await written.fill("I am at the")
    await visit(page, "day")
    await visit(page, "thread/r1.1")
    await expect(written).to_have_value("I am at the")
    await page.get_by_role("button", name="Send").tap()
    await expect(written).to_have_value("")
    await written.fill("side door")
    await visit(page, "more")
    assert len(await page.evaluate(DRAFTS)) == 1
    await page.get_by_role("button", name="Sign out").tap()
    await page.wait_for_selector("input[name=code]")
    assert await page.evaluate(DRAFTS) == []
    desk.failures.clear()  # the browser tells of the 401
