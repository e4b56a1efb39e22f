"""Tuning, What-if and Decisions in a browser: drafted, looked at, applied; by keyboard; nothing axe finds."""

from __future__ import annotations

import asyncio

import msgspec
from playwright.async_api import Page, expect

from contracts.codes import Role, ServiceClass
from contracts.pools import Pool, Pools
from contracts.tuning_parameters import MeasureState
from dispatcher.decisions.saver import Saver
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.market import Market
from tests.console.conftest import DESK, SHARED, Desk
from tests.console.pages import problems, visit
from tests.console.test_work_pages import sound
from tests.domain import make
from tests.http.conftest import trip

pytestmark = SHARED
WORK = "imminent_lead_minutes"


async def typed(page: Page, name: str, value: str) -> None:
    """A value into the field of a parameter, which is found by its name."""
    await page.keyboard.press("/")
    await page.keyboard.type(name)
    field = page.get_by_label(f"{name},")
    await field.fill(value)
    await field.blur()


async def test_a_change_is_looked_at_then_applied_and_a_conflict_loses_nothing(desk: Desk) -> None:
    market = desk.new_market()
    page = await desk.open("tuning", market=market)
    await expect(page.get_by_text("Version 0")).to_be_visible()
    await typed(page, "price_weight", "2000")
    await expect(page.get_by_role("alert").filter(has_text="2000 is outside")).to_be_visible()
    await page.get_by_label("price_weight,").fill("2")
    await page.get_by_label("price_weight,").blur()
    await page.keyboard.press("a")
    await expect(page.get_by_role("dialog")).to_contain_text("price_weight")
    other = {"values": {WORK: 90}, "reason": "a busy evening"}  # somebody else is faster
    await desk.call(market, "PUT", "/tuning", other, Role.OPS)
    await page.keyboard.type("cheaper rides")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Somebody changed the tuning meanwhile")).to_be_visible()
    await expect(page.get_by_role("alert").filter(has_text="a busy evening")).to_be_visible()
    await sound(page)
    await page.keyboard.press("a")
    await page.keyboard.type("cheaper rides")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Version 2 is in force")).to_be_visible()
    stands = await desk.call(market, "GET", "/tuning")
    values = {each["name"]: each["value"] for each in stands["parameters"]}
    assert (stands["reason"], values["price_weight"], values[WORK]) == ("cheaper rides", 2, 90)
    page = await desk.open("tuning/versions", market=market)
    await page.get_by_role("button", name="Restore version 1").press("Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("price_weight")
    await page.keyboard.type("too many moved")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("3 stands")).to_be_visible()
    await sound(page)


async def test_effects_are_measured_when_asked_and_followed_to_their_end(desk: Desk) -> None:
    market = desk.new_market()
    page = await desk.open("tuning", market=market)
    await page.get_by_role("button", name="Measure now").press("Enter")
    await expect(page.get_by_text("It waits for its turn")).to_be_visible()
    part = desk.parts.service.store.market(market).tuning_measuring
    held = await part.get()
    running = msgspec.structs.replace(held.value, state=MeasureState.RUNNING, progress=0.4)
    await part.put(running, held.version)
    await expect(page.get_by_text("Measuring, 40 %")).to_be_visible()
    await sound(page)
    done = msgspec.structs.replace(
        running, state=MeasureState.FAILED, detail="no batch is saved\nMaybe wait."
    )
    await part.put(done, held.version + 1)
    await expect(page.get_by_role("alert").filter(has_text="no batch is saved")).to_be_visible()
    await expect(page.get_by_role("button", name="Measure now")).to_be_visible()


async def test_each_side_of_tuning_says_what_it_is_and_what_to_do(desk: Desk) -> None:
    market = desk.new_market()
    page = await desk.open("tuning", market=market)
    for side, says in (
        ("sets", "No set is saved"),
        ("profiles", "The calendar is empty"),
        ("trials", "No canary"),
    ):
        await page.set_viewport_size(DESK)
        await visit(page, market, f"tuning/{side}")
        await expect(page.get_by_text(says)).to_be_visible()
        if side == "sets":
            await page.get_by_role("slider").first.press("ArrowRight")
            await expect(page.get_by_role("button", name="Take it into the draft")).to_be_enabled()
            await sound(page)


async def test_what_is_drafted_is_tried_in_a_shadow_and_a_canary_and_kept_as_a_profile_by_keyboard(
    desk: Desk,
) -> None:
    market = desk.new_market()
    await desk.call(market, "PUT", "/tuning", {"values": {WORK: 80}, "reason": "a busy evening"}, Role.OPS)
    page = await desk.open("tuning", market=market)
    await expect(page.get_by_text("Version 1,")).to_be_visible()
    await typed(page, "price_weight", "2")
    await page.route("**/tuning", lambda route: route.abort())  # as where the service is away
    await page.keyboard.press("5")
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.keyboard.press("c")
    await expect(page.get_by_role("status").filter(has_text="It is not read yet.")).to_be_visible()
    await page.unroute_all(behavior="wait")
    desk.failures.clear()  # the browser tells of each call that did not go out
    await page.get_by_role("button", name="Try again").press("Enter")

    dialog = page.get_by_role("dialog")
    await page.get_by_role("button", name="Shadow what is drafted").focus()
    await page.keyboard.press("s")
    await expect(dialog.get_by_role("row").filter(has_text="price_weight")).to_contain_text("2")
    await page.keyboard.type("cheaper rides")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("“cheaper rides”")).to_be_visible()
    await page.keyboard.press("c")
    await expect(dialog).to_contain_text("Plan a canary")
    await page.keyboard.type("does it harm?")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("row").filter(has_text="price_weight")).to_be_visible()
    await expect(dialog).not_to_contain_text(WORK)  # which stands already
    assert await problems(page) == []
    await page.keyboard.press("Enter")  # to the button first: it is grave
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("“does it harm?”")).to_be_visible()
    canary = await desk.call(market, "GET", "/tuning/canary")
    assert [each["name"] for each in canary["changes"]] == ["price_weight"]
    await sound(page)

    await page.set_viewport_size(DESK)
    await page.keyboard.press("4")
    await page.get_by_role("button", name="New …").focus()
    await page.keyboard.press("n")
    await page.keyboard.type("storm")
    await expect(dialog.get_by_label("What it lays over")).to_have_value("price_weight = 2")
    await page.keyboard.press("Enter")
    row = page.get_by_role("row").filter(has_text="storm")
    await expect(row).to_contain_text("price_weight 2")
    await page.keyboard.press("c")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Take storm out")).to_be_visible()
    await sound(page)


async def test_a_what_if_is_asked_from_a_draft_followed_and_cancelled(desk: Desk) -> None:
    market = desk.new_market()
    page = await desk.open("what-if", market=market)
    await expect(page.get_by_text("None was asked yet")).to_be_visible()
    await page.keyboard.press("n")
    await page.get_by_label("Parameter").fill("price_weight")
    await page.get_by_label("Its value").fill("2")
    await page.get_by_role("button", name="Add").press("Enter")
    await page.get_by_label("Capacity, %").fill("-20")
    await sound(page)
    await page.get_by_role("button", name="Ask").press("Enter")
    await expect(page.get_by_text("It waits for its turn")).to_be_visible()
    await expect(page.get_by_role("heading", name="price_weight 2; capacity -20 %")).to_be_visible()
    await page.keyboard.press("x")
    await expect(page.get_by_text("cancelled")).to_be_visible()
    (asked,) = (await desk.call(market, "GET", "/what-if"))["what_ifs"]
    assert (asked["state"], asked["change"]["capacity_percent"]) == ("cancelled", -20)
    await sound(page)


async def decided(desk: Desk, market: str) -> None:
    """One plan of two rides, saved: there is a van for one of them."""
    service, stored = desk.parts.service, desk.parts.service.store.market(market)
    await desk.call(market, "PUT", "/vendors/v1", msgspec.to_builtins(make.vendor("v1")), Role.OPS)
    pool = Pool(id="vans", serves=(ServiceClass.WHEELCHAIR,), units=(1,), daily_cap=1)
    posted = msgspec.to_builtins(Pools(pools=(pool,)))
    await desk.call(market, "PUT", "/vendors/v1/capacity/2026-03-03", posted, Role.OPS)
    await desk.call(
        market,
        "PUT",
        "/tuning",
        {"values": {WORK: 1440, "credentials_enforced": 0}, "reason": "test"},
        Role.OPS,
    )
    await desk.call(market, "POST", "/requests", {"requests": [trip("a"), trip("b")]}, Role.PLATFORM)
    tz = service.markets.zones[market]

    async def nobody(*_: object) -> None:
        return None

    saver = Saver(stored, service.decisions.kept, tz, desk.parts.clock, nobody, nobody)
    writing = asyncio.create_task(saver.run())
    fence = await stored.lease.acquire("test", 60_000)
    assert fence is not None
    served = Market(stored, tz, desk.parts.clock, saver=saver)
    await match_imminent(Ownership(service.executor, fence), served, ["a", "b"])
    await saver.written()
    writing.cancel()


async def test_a_decision_is_found_by_request_read_row_by_row_and_replayed(desk: Desk) -> None:
    market = desk.new_market()
    await decided(desk, market)
    page = await desk.open("decisions?request=a", market=market)
    row = page.get_by_role("grid").get_by_role("link").first
    await expect(row).to_be_visible()
    await sound(page)
    await row.press("Enter")  # the row of that request stands open
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Next best")
    await expect(dialog).to_contain_text("Excluded by rule")
    await sound(page)
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    link = await page.get_by_role("link", name="What if …").get_attribute("href")
    assert link is not None
    assert link.endswith(page.url.partition("decisions/")[2].partition("?")[0])
    await page.keyboard.press("p")
    said = page.get_by_text("Replayed: the same plan, byte for byte.")
    await expect(said).to_be_visible()  # a solver starts for it
    await page.get_by_role("row").filter(has_text="v1").first.press("Enter")
    await expect(dialog).to_contain_text("Cost by term")
    page = await desk.open("decisions?request=a", Role.CASE_MANAGER, market=market)
    await expect(page.get_by_text("candidates of")).to_be_visible()
    await desk.call(market, "POST", "/requests/a/offer", {"vendor_id": "v1"}, Role.OPS)
    await page.reload()
    await expect(page.get_by_text("Dana chose its vendor by hand, and that is not kept")).to_be_visible()
