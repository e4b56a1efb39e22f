"""The map, the Gantt, time travel and a request's story, in a browser: by pointer, by keyboard, by axe."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from contracts.codes import Role
from tests.console.conftest import PHONE, SHARED, Desk
from tests.console.pages import problems_in_both_themes
from tests.console.seen_day import PATIENT, RIDES, asked, settle

pytestmark = SHARED
PIXELS = """async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const canvas = document.querySelector(".canvas canvas"), { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  let dark = 0;
  for (let at = 0; at < data.length; at += 4) dark += data[at] + data[at + 1] + data[at + 2] < 150;
  return dark;
}"""  # how much of the map is drawn in the colour of marks


async def sound(page: Page) -> None:
    """Nothing that axe finds, in either theme."""
    assert await problems_in_both_themes(page) == []


async def meant(desk: Desk, page: Page, refused: int) -> None:
    """The browser itself tells of calls that were refused, a moment later: so many were meant."""
    while len(desk.failures) < refused:
        await page.wait_for_timeout(20)
    assert all("Failed to load resource" in each for each in desk.failures)
    desk.failures.clear()


async def test_the_map_and_the_table_beside_it_have_the_same_by_pointer_and_by_keyboard(desk: Desk) -> None:
    market, _ = await settle(desk)
    page = await desk.open("map", market=market)
    heading, picture = page.locator("aside h2"), page.locator("canvas[role=img]")
    await expect(heading).to_have_text(f"{RIDES} in view")
    await expect(picture).to_have_attribute("aria-label", re.compile(f"{RIDES} requests, {RIDES} in view"))
    await page.keyboard.press("h")
    await expect(heading).to_have_text(f"{RIDES - 1} in view")
    assert "hide=assigned" in page.url
    await page.keyboard.press("m")
    for _ in range(13):
        await page.keyboard.press("ArrowLeft")
    await expect(heading).to_have_text("0 in view")
    await page.keyboard.press("0")
    await page.keyboard.press("a")
    await expect(heading).to_have_text(f"{RIDES - 1} picked")
    link = await page.get_by_role("link", name="On the board").get_attribute("href")
    assert link is not None
    assert "ids=" in link
    shown = await page.evaluate(PIXELS)
    await page.keyboard.press("Escape")
    assert await page.evaluate(PIXELS) < shown - 500, "what was picked showed where its ride goes"
    await page.get_by_role("link", name="On the board").focus()
    for key in ("j", "j", "Enter"):  # the last row of the table, which then has no other
        await page.keyboard.press(key)
    await expect(heading).to_have_text("1 picked")
    await expect(page.locator(".grid-row:focus")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(heading).to_have_text(f"{RIDES - 1} in view")
    await expect(page.locator(".grid-row:focus")).to_be_visible()
    box = await page.locator(".canvas").bounding_box()
    assert box is not None
    await page.keyboard.press("b")
    await page.mouse.move(box["x"] + 2, box["y"] + 2)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] - 120, box["y"] + box["height"] - 40, steps=3)
    await page.mouse.up()
    await expect(heading).to_have_text(re.compile("picked"))
    await sound(page)


async def test_coverage_and_a_vendors_area_are_drawn_for_ops_and_asked_of_nobody_else(desk: Desk) -> None:
    market, _ = await settle(desk)
    page = await desk.open("map?cover=any&vendor=v2", market=market)
    await expect(page.locator("aside h2")).to_have_text("1 in view")
    await expect(page.locator(".legend")).to_contain_text("fuller from 1")
    await expect(page.locator(".trouble")).to_be_hidden()
    other = await desk.open("map", Role.COORDINATOR, market=market)
    await expect(other.locator("aside h2")).to_have_text(f"{RIDES} in view")
    assert await other.get_by_label("Coverage").count() == 0


async def test_an_address_with_nonsense_shows_all_and_says_what_it_does_not_know(desk: Desk) -> None:
    market, day = await settle(desk)
    page = await desk.open("map?tones=blue&kind=boat&cover=moon&pick=none", market=market)
    await expect(page.locator("aside h2")).to_have_text("0 picked")
    await page.locator(".canvas").press("Escape")
    await expect(page.locator("aside h2")).to_have_text(f"{RIDES} in view")
    await page.get_by_label("Vendor: its area").fill("nobody")
    await page.get_by_label("Vendor: its area").press("Enter")
    await expect(page.locator(".trouble")).to_contain_text("there is no vendor nobody")
    await page.goto(f"{desk.url}/console/nowhere/board/%E0")
    await expect(page.locator(".toast")).to_contain_text("no market nowhere")
    await page.goto(f"{desk.url}/console/{market}/past/yesterday")
    await expect(page.locator(".trouble")).to_contain_text("yesterday")
    await page.goto(f"{desk.url}/console/{market}/past/{day}?at=99&view=moon")
    await expect(page.get_by_role("button", name="Accepted")).to_contain_text("1")
    await meant(desk, page, 2)


async def test_a_cell_of_the_gantt_is_read_by_keyboard_and_leads_to_its_requests(desk: Desk) -> None:
    market, _ = await settle(desk)
    page = await desk.open("gantt?order=share", market=market)
    reading = page.locator("[aria-label='The cell']")
    await expect(reading).to_contain_text("v2")
    await page.keyboard.press("m")
    for _ in range(20):
        await page.keyboard.press("ArrowRight")
        if await reading.get_by_role("link", name="r1").count():
            break
    await expect(reading).to_contain_text("1 of 2 booked")
    await sound(page)
    await page.keyboard.press("Enter")
    await reading.get_by_role("link", name="r1").press("Enter")
    await expect(page.locator("main h1")).to_contain_text("r1")
    await page.route("**/days/*/requests*", lambda route: route.abort())
    await page.goto(f"{desk.url}/console/{market}/gantt?order=share")
    await expect(page.locator(".page-gantt")).to_contain_text("The work of the day was not read")
    await expect(page.locator(".figures")).to_contain_text(re.compile("–\\s*at risk"))
    await page.keyboard.press("m")
    for _ in range(20):
        await page.keyboard.press("ArrowRight")
        if "1 of 2 booked" in await reading.inner_text():
            break
    await expect(reading).to_contain_text("By which requests was not read yet.")
    await page.unroute_all(behavior="wait")
    desk.failures.clear()  # the browser tells of each call that did not go out
    nobody = await desk.open("gantt", Role.COORDINATOR, market=market)
    await expect(nobody.locator(".empty")).to_contain_text("for ops")


async def test_the_gantt_begins_with_the_day_that_has_work_where_nothing_is_booked_today(desk: Desk) -> None:
    market, day = await asked(desk, days_ahead=1)
    await desk.call(market, "POST", "/requests/r1/offer", {"vendor_id": "v2"}, Role.OPS)
    page = await desk.open("gantt?order=share", market=market)
    await expect(page.get_by_role("status").filter(has_text="Nothing is booked for")).to_contain_text(day)
    await expect(page.get_by_label("Day", exact=True)).to_have_value(day)
    await expect(page.locator("[aria-label='The cell']")).to_contain_text("v2")
    await page.get_by_label("Day", exact=True).fill("2026-01-05")
    await expect(page.locator(".empty")).to_contain_text("posted capacity for 2026-01-05")
    await expect(page.get_by_text("Nothing is booked for")).to_be_hidden()


async def test_time_travel_leads_back_through_the_day_on_the_map_and_the_gantt(desk: Desk) -> None:
    market, day = await settle(desk)
    page = await desk.open(f"past/{day}", market=market)
    chip = page.get_by_role("button", name="Accepted")
    await expect(chip).to_contain_text("1")
    await page.keyboard.press("[")
    await expect(page.get_by_role("button", name="Offered")).to_contain_text("1")
    await page.keyboard.press("[")
    await page.keyboard.press("[")
    await expect(page.get_by_role("button", name="Seeking")).to_contain_text(str(RIDES - 1))
    await page.get_by_role("button", name="Gantt").click()
    await expect(page.locator("[aria-label='The cell']")).to_contain_text("booked")
    await expect(page.locator(".page-gantt")).to_contain_text("booked as it was then")
    await sound(page)
    await page.get_by_role("button", name="Board", exact=True).click()
    await page.locator(".grid-row").first.press("Space")
    await expect(page.locator(".grid-row[aria-selected=true]")).to_have_count(1)
    await expect(page.locator(".page-past [aria-label=Acts] button")).to_have_count(0)
    await expect(page.locator(".page-past .many")).to_be_hidden()
    await page.get_by_label("Day").first.fill("2026-01-05")
    await expect(page.locator(".empty")).to_contain_text("No request has its window on 2026-01-05")


async def test_a_request_tells_its_story_and_shows_its_patient_only_when_asked(desk: Desk) -> None:
    market, _ = await settle(desk)
    page = await desk.open("request/r1", market=market)
    story = page.locator(".story li")
    await expect(story).to_have_count(5)
    told = [re.sub(r"\s+", " ", each) for each in await story.all_inner_texts()]
    assert [each for each in told if "Offered to v1" in each and "chosen by hand" in each]
    assert [each for each in told if "the vendor had no vehicle" in each and "vendor v1" in each]
    assert "Accepted by v2" in told[-1]
    await sound(page)
    await page.get_by_role("button", name="Show patient").press("Enter")
    await expect(page.locator("dialog")).to_contain_text("is recorded, and ops")
    await page.get_by_role("button", name="Show it").click()
    await expect(page.locator("dialog dd")).to_have_text(list(PATIENT.values()))
    await page.keyboard.press("Escape")
    unknown = await desk.open("request/none", market=market)
    await expect(unknown.locator(".trouble")).to_contain_text("there is no request none")
    await expect(unknown.get_by_role("heading", name="How it stands")).to_be_hidden()
    await meant(desk, unknown, 1)


async def test_a_phone_shows_all_of_them_without_scrolling_sideways(desk: Desk) -> None:
    market, day = await settle(desk)
    page = await desk.open("map", market=market, viewport=PHONE)
    for path in ("map", "gantt", f"past/{day}", "request/r1"):
        await page.goto(f"{desk.url}/console/{market}/{path}")
        await page.wait_for_selector("main :is(canvas[role=img], .story li)")
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
