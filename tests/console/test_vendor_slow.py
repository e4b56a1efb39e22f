"""On a slow network: what was answered stays answered, and what is read is shown however often it changes."""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import Route, expect

from contracts.codes import Role
from tests.console.conftest import SHARED, Desk
from tests.console.vendors_phone import as_vendor, offered, phone, town, visit

pytestmark = SHARED
SLOW: dict[str, Any] = {
    "service_workers": "block",
    "locale": "en-US",
}  # what is seen is held up here; a context of their own
RULE_SAYS = "you do not serve that level"
PATIENCE_S, PAUSE_S = 20, 0.02


async def state_of(desk: Desk, market: str) -> str:
    (offer,) = (await as_vendor(desk, market, "GET", "/offers"))["offers"]
    return str(offer["state"])


async def test_an_offer_that_was_accepted_does_not_look_open_until_the_list_was_read_anew(desk: Desk) -> None:
    market = await town(desk, "r1")
    page = await phone(desk, market, clock=False, **SLOW)
    card, held = page.locator("[data-offer='r1.1']"), list[Route]()
    answers = asyncio.Event()
    accept = card.get_by_role("button", name="Accept")
    await expect(accept).to_be_visible()
    await expect(page.locator("[data-live=true]")).to_be_visible()
    await page.evaluate("window.heard = 0; addEventListener('told', () => window.heard++)")

    async def slow(route: Route) -> None:
        held.append(route)
        await answers.wait()
        await route.continue_()

    await page.route("**/offers", slow)
    await accept.tap()
    async with asyncio.timeout(PATIENCE_S):
        while not held or await state_of(desk, market) != "accepted":
            await asyncio.sleep(PAUSE_S)
    await expect(card).to_contain_text("You accepted sending …")
    await expect(accept).to_have_count(0)
    heard = await page.evaluate("window.heard")
    await offered(desk, market, "r2", minutes=200)  # something else changes while it is read
    async with asyncio.timeout(PATIENCE_S):
        while await page.evaluate("window.heard") == heard:
            await asyncio.sleep(PAUSE_S)
    await page.wait_for_timeout(400)
    assert len(held) == 1, "what is read is waited for, and then read once more"
    answers.set()
    await expect(card).to_have_count(0)
    await expect(page.locator("[data-offer='r2.1']").get_by_role("button", name="Accept")).to_be_visible()
    await page.unroute_all(behavior="wait")


async def test_a_decline_that_came_after_a_colleagues_yes_says_so_where_the_offer_was(desk: Desk) -> None:
    market = await town(desk, "r1", "r2")
    page = await phone(desk, market, clock=False, **SLOW)
    answers = asyncio.Event()

    async def slow(route: Route) -> None:
        await answers.wait()
        await route.continue_()

    await page.route("**/decline", slow)
    await page.locator("[data-offer='r1.1']").get_by_role("button", name="Decline").tap()
    await page.get_by_role("dialog").get_by_role("button", name="no vehicle free").tap()
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    await expect(page.locator("nav .tab-offers .badge")).to_contain_text("1")
    answers.set()
    await expect(page.locator(".tap.refused")).to_contain_text("You declined Not taken: ")
    await page.get_by_role("link", name="Rides").tap()
    await expect(page.locator(".tap.refused")).to_contain_text("You declined Not taken: ")
    await page.unroute_all(behavior="wait")


async def test_a_counter_offer_that_breaks_a_rule_says_which_in_words_on_a_page_that_was_loaded_anew_too(
    desk: Desk,
) -> None:
    market = await town(desk, "r1")
    page = await phone(desk, market, clock=False, **SLOW)
    await page.get_by_role("button", name="Offer otherwise").tap()
    await page.get_by_label("Vehicle").select_option("stretcher")
    await page.get_by_role("button", name="Offer that").tap()
    refused = page.locator(".tap.refused")
    await expect(refused).to_contain_text(RULE_SAYS)
    await page.reload()
    await expect(refused).to_contain_text(RULE_SAYS)


async def test_a_page_of_which_a_module_does_not_come_says_that_something_is_wrong(desk: Desk) -> None:
    market = await town(desk)
    page = await phone(desk, market, clock=False, **SLOW)
    await page.context.clear_cookies()
    await page.route("**/panels/enter.js", lambda route: route.abort())
    await page.goto(f"{desk.url}/vendor")
    await expect(page.get_by_role("alert")).to_have_text("Something went wrong.")
    await page.unroute_all(behavior="wait")
    desk.failures.clear()  # the browser tells of what did not come


async def test_messages_that_could_not_be_read_without_a_connection_are_there_once_it_is_back(
    desk: Desk,
) -> None:
    market = await town(desk, "r1")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    page = await phone(desk, market, clock=False, **SLOW)
    await visit(page, "thread/r1.1")
    await visit(page, "day")
    await page.context.set_offline(True)
    await desk.call(market, "POST", "/dispatches/r1.1/messages", {"text": "Side door"}, Role.COORDINATOR)
    await visit(page, "thread/r1.1")
    await expect(page.locator("ol.thread")).to_contain_text("The service does not answer.")
    written = page.get_by_label("Message to the dispatchers")
    await written.fill("I am at the")
    await page.context.set_offline(False)
    await expect(page.locator("ol.thread")).to_contain_text("Side door")
    await expect(written).to_have_value("I am at the")
    desk.failures.clear()  # the browser tells of each call that did not go out


async def test_what_could_not_be_read_is_not_nothing_and_what_is_read_says_so(desk: Desk) -> None:
    market = await town(desk, "r1")
    page = await phone(desk, market, clock=False, **SLOW)
    answers = asyncio.Event()

    async def away(route: Route) -> None:
        await route.fulfill(status=503, json={"type": "/problems/unavailable", "detail": "the store is away"})

    async def slow(route: Route) -> None:
        await answers.wait()
        await route.continue_()

    await page.route("**/dispatches?*", away)
    await page.goto(f"{desk.url}/vendor/day")
    await expect(page.get_by_role("alert")).to_have_text("the store is away")
    await expect(page.get_by_text("Nothing on this day.")).to_have_count(0)
    await page.unroute("**/dispatches?*", away)
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(page.get_by_text("Nothing on this day.")).to_have_count(2)
    await expect(page.get_by_role("alert")).to_have_count(0)
    await page.route("**/vendors/v1*", slow)
    await page.get_by_role("link", name="More").click()
    await page.get_by_role("link", name="Papers").click()
    await expect(page.get_by_text("Loading …")).to_be_visible()
    answers.set()
    await expect(page.get_by_role("heading", name="Auto insurance")).to_be_visible()
    await expect(page.get_by_text("Loading …")).to_have_count(0)
    await page.unroute_all(behavior="wait")
    desk.failures.clear()  # the browser names each 503
