"""Today: what needs somebody stands first, says why, and is acted on by keys alone."""

from __future__ import annotations

import base64
from functools import partial

from playwright.async_api import expect

from contracts.codes import Role
from contracts.patient_reads import PatientReadQuery
from contracts.proofs import Picture, ProofPart, ProofReport, Relationship, Signature
from dispatcher.domain.canary_tasks import rolled_back
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.counter import CounterOffer
from dispatcher.domain.context import Context
from dispatcher.security.principal import Principal
from dispatcher.service.proofs import Place
from tests.console.conftest import SHARED, Desk
from tests.console.pages import problems, problems_in_both_themes, visit
from tests.console.test_statements_page import FARE, ended
from tests.console.trouble import town

pytestmark = SHARED
OPS = Principal.of(Role.OPS, markets=None)
DOT = base64.b64decode(  # one black pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)


async def test_what_needs_somebody_comes_first_and_is_offered_by_keys_alone(desk: Desk) -> None:
    market = await town(desk)
    page = await desk.open("today", market=market)
    rows = page.locator(".grid-row")
    await expect(rows).to_have_count(2)  # what is far away needs nobody yet
    await expect(rows.nth(0)).to_contain_text("No vendor yet")
    await expect(rows.nth(1)).to_contain_text("Task: predecessor missing")
    mine = page.get_by_role("button", name="with care coordinator 1")
    await mine.click()
    await expect(rows).to_have_count(1)
    assert page.url.endswith("?owner=care_coordinator")
    await mine.click()
    await expect(rows).to_have_count(2)
    await page.keyboard.press("j")
    await page.wait_for_selector(".side h2:has-text('soon')")
    assert await problems_in_both_themes(page) == []
    await page.keyboard.press("w")
    await page.wait_for_selector("dialog h2:has-text('Widen the window of soon')")
    assert await problems(page) == []
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".toast:has-text('wider')")
    view = await desk.call(market, "GET", "/requests/soon")
    assert [each["fields"] for each in view["amendments"]] == [["pickup_window"]]
    await visit(page, market, "request/held")
    await expect(page.locator(".task")).to_contain_text("Task: predecessor missing")
    await page.keyboard.press("c")
    await expect(page.locator(".task")).to_contain_text("claimed by Dana")


async def test_ops_asks_the_platform_for_a_wider_window_and_takes_none(desk: Desk) -> None:
    market = await town(desk)
    page = await desk.open("board?q=later", Role.OPS, market=market)
    await page.locator(".grid-row", has_text="later").wait_for()
    await page.keyboard.press("j")
    await page.wait_for_selector(".side h2:has-text('later')")
    await page.keyboard.press("w")
    await page.wait_for_selector("dialog h2:has-text('Ask for a wider window of later')")
    assert await problems(page) == []
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".toast:has-text('The platform is asked')")
    view = await desk.call(market, "GET", "/requests/later")
    assert (view["tasks"], view.get("amendments", [])) == (["later.window_asked"], [])


async def test_a_disputed_line_is_settled_from_its_task(desk: Desk) -> None:
    market = await town(desk)
    vendor = Principal.of(Role.VENDOR, subject="v1", markets=frozenset({market}), vendor_id="v1")
    await desk.parts.service.execute(vendor, market, AcceptOffer(offer_id="asked.1"))
    said = {"line": 1, "text": "the ride was shared"}
    await desk.call(market, "POST", "/dispatches/asked.1/price/disputes", said, Role.PLATFORM)
    await ended(desk, market, "old.1", FARE)
    path = "/vendors/v1/statements/2026-03"
    await desk.call(market, "POST", f"{path}/items/old.1/disputes", said, Role.OPS)
    page = await desk.open("today", Role.OPS, market=market)
    await page.locator(".grid-row", has_text="price dispute").click()
    await page.wait_for_selector(".task button:has-text('Settle')")
    await page.keyboard.press("f")
    await page.wait_for_selector("dialog p:has-text('the ride was shared')")
    assert await problems(page) == []
    await page.keyboard.type("half of it was another passenger's")
    await page.fill("dialog input[name=dollars]", "22.5")
    await page.locator("dialog button.grave").press("Enter")
    await page.wait_for_selector(".toast:has-text('asked.1 costs $22.50')")
    price = await desk.call(market, "GET", "/dispatches/asked.1/price")
    assert (price["price_cents"], price["disputes"][0]["outcome"]) == (2_250, "changed")
    await page.locator(".grid-row", has_text="statement dispute").click()
    await page.keyboard.press("f")
    await page.wait_for_selector("dialog p:has-text('Line 1: base, $45.00')")
    await page.keyboard.type("the log says so")
    await page.fill("dialog input[name=dollars]", "40.5")
    await page.locator("dialog button.grave").press("Enter")
    await page.wait_for_selector(".toast:has-text('Line 1 of old.1 is settled')")
    assert (await desk.call(market, "GET", path, None, Role.OPS))["corrections_cents"] == -450


async def test_a_disputed_outcome_is_answered_from_its_task_and_counts_no_more(desk: Desk) -> None:
    market = await town(desk)
    refused = {"code": "NO_VEHICLES_AVAILABLE"}
    await desk.call(market, "POST", "/offers/asked.1/decline", refused, Role.VENDOR)
    said = {"offer_id": "asked.1", "outcome": "declined", "text": "the phone was out of order"}
    await desk.call(market, "POST", "/vendors/v1/scorecard/disputes", said, Role.VENDOR)
    page = await desk.open("vendors/v1", Role.OPS, market=market)
    score = page.locator("section", has=page.get_by_role("heading", name="Scorecard"))
    await score.get_by_title("What stands behind declined", exact=True).press("Enter")
    await expect(page.locator("dialog tbody tr")).to_contain_text("asked")
    assert await problems(page) == []
    await page.keyboard.press("Escape")
    await visit(page, market, "today")
    await page.locator(".grid-row", has_text="score dispute").click()
    await page.wait_for_selector(".task button:has-text('Answer')")
    await page.keyboard.press("f")
    await page.wait_for_selector("dialog p:has-text('the phone was out of order')")
    assert await problems(page) == []
    await page.select_option("dialog select", "true")
    await page.fill("dialog textarea", "we have seen the bill")
    await page.locator("dialog button.grave").press("Enter")
    await page.wait_for_selector(".toast:has-text('declined of asked.1: upheld')")
    await visit(page, market, "vendors/v1")
    await expect(score.get_by_text("1 disputed and upheld")).to_be_visible()
    await expect(page.get_by_text("upheld: we have seen the bill")).to_be_visible()
    assert await problems_in_both_themes(page) == []


async def test_a_counter_offer_is_taken_from_its_row_with_what_it_would_cost(desk: Desk) -> None:
    market = await town(desk)
    vendor = Principal.of(Role.VENDOR, subject="v1", markets=frozenset({market}), vendor_id="v1")
    said, place = (
        CounterOffer(offer_id="asked.1", price_cents=9_900),
        partial(desk.parts.quoter.countered, market),
    )
    await desk.parts.service.execute(vendor, market, said, prepare=place)
    page = await desk.open("today", Role.COORDINATOR, market=market)
    await page.locator(".grid-row", has_text="asked").click()
    await page.wait_for_selector(".side h2:has-text('asked')")
    await page.keyboard.press("a")
    await page.wait_for_selector("dialog h2:has-text('v1 would do asked otherwise')")
    await page.wait_for_selector("dialog dd:has-text('$99.00: $54.00 more')")
    assert await problems(page) == []
    await page.locator("dialog button.grave").press("Enter")
    await page.wait_for_selector(".toast:has-text('v1 has asked so')")
    view = await desk.call(market, "GET", "/requests/asked")
    assert (view["state"], view["match"]["price_cents"]) == ("accepted", 9_900)
    await visit(page, market, "request/asked")  # and it is not forgotten what it was
    await expect(page.locator(".facts")).to_contain_text("v1 (taken): start")
    await expect(page.locator(".facts")).to_contain_text("price $99.00: $54.00 more")
    await expect(page.locator(".facts")).to_contain_text("Identifiersbroker TRIP 9")


async def test_a_request_is_held_and_its_toast_resumes_it(desk: Desk) -> None:
    market = await town(desk)
    page = await desk.open("board?q=later", market=market)
    await page.locator(".grid-row", has_text="later").wait_for()
    await page.keyboard.press("j")
    await page.wait_for_selector(".side h2:has-text('later')")
    await page.keyboard.press("h")
    await page.wait_for_selector("dialog[open]")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".grid-row:has-text('on hold')")
    await page.click(".toast button:has-text('Resume')")
    await page.wait_for_selector(".grid-row:has-text('received')")


async def test_an_offer_by_hand_says_what_it_costs_and_is_withdrawn_not_undone(desk: Desk) -> None:
    market = await town(desk)
    page = await desk.open("board?q=later", market=market)
    await page.locator(".grid-row", has_text="later").wait_for()
    await page.keyboard.press("j")
    await page.wait_for_selector(".side h2:has-text('later')")
    await page.keyboard.press("o")
    await page.wait_for_selector("dialog input[value=v2]")
    assert await page.locator("dialog tbody tr").count() == 2
    assert await problems(page) == []
    await page.focus("dialog input[name=vendor]")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".grid-row:has-text('offered')")
    await page.click(".toast button:has-text('Withdraw')")
    await page.wait_for_selector(".toast:has-text('is withdrawn')")
    view = await desk.call(market, "GET", "/requests/later")
    assert (view["state"], [each["state"] for each in view["attempts"]]) == ("matching", ["cancelled"])


async def test_to_cancel_takes_a_second_enter_and_rows_that_left_the_list_are_not_acted_on(
    desk: Desk,
) -> None:
    market = await town(desk)
    page = await desk.open("board", market=market)
    await page.locator(".grid-row", has_text="later").wait_for()
    await page.keyboard.press("a")
    await page.wait_for_selector(".many:has-text('4 chosen')")
    await page.get_by_role("button", name="Withdraw…").press("Enter")
    await page.wait_for_selector("dialog h2:has-text('Withdraw the offers of 1 request')")
    await page.wait_for_selector("dialog p:has-text('3 of the 4 chosen are left as they are')")
    await page.locator("dialog button.grave").press("Enter")
    await page.wait_for_selector(".toast:has-text('1 of 1 done')")
    await page.get_by_label("Find").fill("later")
    await page.wait_for_selector(".many:has-text('1 chosen')")
    await page.get_by_label("Find").press("Enter")
    await page.keyboard.press("x")
    await page.wait_for_selector("dialog h2:has-text('Cancel later')")
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog button.grave")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".toast:has-text('later is cancelled')")
    assert (await desk.call(market, "GET", "/requests/soon"))["state"] != "cancelled"


async def test_what_is_no_requests_has_a_line_of_its_own_and_leads_to_what_it_is_about(desk: Desk) -> None:
    market = desk.new_market()
    stored, zone = desk.parts.service.store.market(market), desk.zones[market]
    context = Context(now_ms=desk.parts.clock.now_ms(), by="canary", tz=zone)
    assert (await stored.commit([rolled_back(each, "declined", context) for each in (2, 5)])).ok
    page = await desk.open("today", Role.OPS, market=market)
    for name in ("canary-2", "canary-5"):
        await page.locator(".grid-row", has_text=name).wait_for()
    await page.keyboard.press("j")
    await page.wait_for_selector(".side h3:has-text('canary rolled back')")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("main h1:has-text('Tuning')")


async def test_a_proof_is_shown_once_that_it_is_recorded_was_said_and_a_picture_when_it_is_asked_for(
    desk: Desk,
) -> None:
    market, proofs = await town(desk), desk.parts.service.proofs
    vendor = Principal.of(Role.VENDOR, subject="v1", markets=frozenset({market}), vendor_id="v1")
    await desk.parts.service.execute(vendor, market, AcceptOffer(offer_id="asked.1"))
    signed = Signature(by="Canary Wren", relationship=Relationship.SPOUSE)
    report = ProofReport(part=ProofPart.DROPOFF, odometer_miles=81_234.5, signature=signed)
    await proofs.give(vendor, market, "asked.1", report, None)
    place = Place("asked.1", ProofPart.DROPOFF, Picture.SIGNATURE)
    for plain in (DOT, DOT[:8] + b"no picture"):
        await proofs.attach(vendor, market, place, "image/png", plain)
    reads = desk.parts.service.patient_reads
    page = await desk.open("request/asked", Role.COORDINATOR, market=market)
    await page.get_by_role("button", name="Show proof…").press("Enter")
    await page.wait_for_selector("dialog p:has-text('is recorded, and ops')")
    assert (await reads.page(OPS, market, PatientReadQuery()))[0] == [], "nothing was read yet"
    await page.keyboard.press("Enter")
    said = page.locator("dialog li", has_text="signed by Canary Wren (spouse); odometer 81234.5 miles")
    await expect(said).to_be_visible()
    await page.get_by_role("button", name="Show signature 1 of dropoff").press("Enter")
    await expect(page.get_by_role("img", name="signature 1 of dropoff")).to_be_visible()
    await page.get_by_role("button", name="Show signature 2 of dropoff").press("Enter")
    await page.wait_for_selector("dialog .trouble:has-text('its bytes are no picture')")
    assert await problems(page) == []
    assert [each.request_id for each in (await reads.page(OPS, market, PatientReadQuery()))[0]] == ["asked"]
