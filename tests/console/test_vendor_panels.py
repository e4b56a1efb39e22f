"""What is said on the vendors' page, by keys and by touch, in both languages and both themes."""

from __future__ import annotations

import json
from datetime import date, timedelta

from aiohttp import ClientSession
from playwright.async_api import Page, expect

from contracts.codes import Role, ServiceClass
from contracts.pools import Pool, Pools
from tests.console.conftest import SHARED, Desk
from tests.console.pages import COLOURS, problems, problems_in_both_themes
from tests.console.test_vendor_page import sent
from tests.console.trouble import vendor
from tests.console.vendors_phone import PATIENT, as_vendor, phone, town, visit
from tests.http.conftest import NOW

pytestmark = SHARED
KEPT = """async () => (await (await caches.open("dispatcher-vendor-heard")).keys()).map(each => each.url)"""
FIRST_LOAD_BYTES = 95_000
PIXEL = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde\x00\x00"
    b"\x00\x0cIDATx\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef\x00\x00\x00\x00IEND\xaeB`\x82"
)


async def until(page: Page, role: str, name: str) -> None:
    """Tab until the focus is there: whoever has no touch comes there, too."""
    wanted = page.get_by_role(role, name=name).first  # type: ignore[arg-type]
    for _ in range(60):
        await page.keyboard.press("Tab")
        if await wanted.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError(f"no way to {name} by keys")


async def test_an_offer_is_declined_and_one_countered_by_keys_alone(desk: Desk) -> None:
    market = await town(desk, "r1", "r2")
    page = await phone(desk, market)
    await page.wait_for_selector("[data-offer='r2.1']")
    await until(page, "button", "Decline")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("Why not?")
    await until(page, "button", "bad weather")
    await page.keyboard.press("Enter")
    await expect(page.locator(".card")).to_have_count(1)
    attempts = (await desk.call(market, "GET", "/requests/r1", None, Role.OPS))["attempts"]
    assert [each["code"] for each in attempts] == ["BAD_WEATHER"]
    await expect(page.locator("main")).to_be_focused()  # what it was on is gone
    await until(page, "button", "Offer otherwise")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Offer that").press("Enter")
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text(
        "Change the start, the price or the vehicle."
    )
    await page.get_by_label("Price in dollars").fill("61.50")
    await page.get_by_label("Start").fill("12:40")
    await page.keyboard.press("Enter")
    await expect(page.locator(".good")).to_contain_text("You offered 12:40, $61.50.")
    (offer,) = (await as_vendor(desk, market, "GET", "/offers"))["offers"]
    assert (offer["counter"]["price_cents"], offer["counter"]["start_shift_minutes"]) == (6_150, 25)


INK = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
    .some((value, at) => at % 4 === 0 && value < 128)"""


async def signed(page: Page) -> None:
    """Drawn again where the page moved under the finger: what it reads meanwhile comes above."""
    canvas = page.locator("canvas")
    while not await canvas.evaluate(INK):
        box = await canvas.bounding_box()
        assert box
        await page.mouse.move(box["x"] + 20, box["y"] + 40)
        await page.mouse.down()
        for step in range(1, 6):
            await page.mouse.move(box["x"] + 20 + 30 * step, box["y"] + 40 + 12 * (step % 2))
        await page.mouse.up()


async def test_proof_is_given_with_a_signature_a_photo_and_where_the_phone_is(desk: Desk) -> None:
    market = await town(desk, "r1")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    page = await phone(desk, market, "proof/r1.1")
    await page.context.grant_permissions(["geolocation"], origin=desk.url)
    await page.context.set_geolocation({"longitude": -73.95, "latitude": 40.76})
    await page.get_by_role("button", name="Add where I am").tap()
    await expect(page.locator(".beside [role=status]")).to_have_text("to 0 m")
    await page.get_by_label("Odometer").fill("81234.5")
    alert = page.locator("form [role=alert]")
    await signed(page)
    await page.get_by_role("button", name="Send").tap()
    await expect(alert).to_contain_text("Say who signed")
    await page.get_by_label("To the passenger").select_option("self")
    await expect(page.get_by_label("Name of who signs")).to_have_value("Robin Wren")
    await page.set_input_files(
        "input[type=file]", {"name": "p.png", "mimeType": "image/png", "buffer": PIXEL}
    )
    assert await problems_in_both_themes(page) == []
    await page.get_by_role("button", name="Send").tap()
    await expect(page.locator("article.card")).to_contain_text("pictures: 2")
    await sent(page)
    proof = await as_vendor(desk, market, "GET", "/dispatches/r1.1/proof")
    (part,) = proof["parts"]
    assert (part["report"]["part"], part["report"]["position"]) == ("dropoff", [-73.95, 40.76])
    assert (part["report"]["odometer_miles"], part["apart_m"]) == (81_234.5, 0)
    assert part["report"]["signature"] == {"by": "Robin Wren", "relationship": "self"}
    assert sorted((each["of"], each["media"]) for each in proof["pictures"]) == [
        ("photo", "image/jpeg"),
        ("signature", "image/png"),
    ]


async def test_a_photo_that_is_sent_later_leaves_the_signature_and_what_cannot_be_read_is_said(
    desk: Desk,
) -> None:
    market = await town(desk, "r1")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    signature = {"by": "Robin Wren", "relationship": "self"}
    before = {"part": "dropoff", "signature": signature}
    await as_vendor(desk, market, "POST", "/dispatches/r1.1/proof", before)
    page = await phone(desk, market, "proof/r1.1")
    await expect(page.locator("article.card")).to_contain_text("Robin Wren")
    send, said = page.get_by_role("button", name="Send"), page.locator("form [role=alert]")
    await send.tap()
    await expect(said).to_have_text("There is nothing new to send.")
    await page.get_by_label("Name of who signs").fill("Sam Heron")
    await send.tap()
    await expect(said).to_contain_text("Say who signed")
    await page.get_by_label("Name of who signs").fill("")
    for name, content in (("p.heic", b"no picture"), ("p.png", PIXEL)):
        await page.set_input_files(
            "input[type=file]", {"name": name, "mimeType": "image/*", "buffer": content}
        )
        await send.evaluate("button => { button.click(); button.click(); }")
        if content != PIXEL:
            await expect(said).to_contain_text("This picture cannot be read.")
    await expect(page.locator("article.card")).to_contain_text("pictures: 1")
    await expect(page.locator("input[type=file]")).to_have_value("")  # the form is a new one
    await page.get_by_label("Odometer").fill("12")
    await send.tap()
    await expect(page.get_by_label("Odometer")).to_have_value("")  # it is kept, and the form is a new one
    await sent(page)
    proof = await as_vendor(desk, market, "GET", "/dispatches/r1.1/proof")
    reports = [(each["report"]["signature"], each["report"].get("odometer_miles")) for each in proof["parts"]]
    assert reports == [(signature, None), (signature, 12)]
    assert len(proof["pictures"]) == 1


async def test_what_was_delivered_is_not_written_twice(desk: Desk) -> None:
    market = desk.new_market()
    await vendor(desk, market, "v1", hcpcs=["E1390"])
    pool = {"kind": "pools", "pools": [{"id": "crew", "serves": ["equipment"], "units": [2]}]}
    await desk.call(market, "PUT", "/vendors/v1/capacity/2026-03-02", pool)
    at = NOW + timedelta(minutes=90)
    window = {"earliest": at.isoformat(), "latest": (at + timedelta(minutes=30)).isoformat()}
    order = {"place": {"position": [-73.97, 40.78]}, "lines": [{"hcpcs": "E1390"}], "patient": PATIENT}
    await desk.call(market, "POST", "/requests", {"kind": "equipment", "id": "e1", "window": window} | order)
    await desk.call(market, "POST", "/requests/e1/offer", {"vendor_id": "v1"}, Role.OPS)
    await as_vendor(desk, market, "POST", "/offers/e1.1/accept")
    left = {"item": "Concentrator", "hcpcs": "E1390", "serial": "SN-1"}
    report = {
        "part": "delivery",
        "items": [left],
        "instruction_given": True,
        "signature": {"refused": "unable"},
    }
    await as_vendor(desk, market, "POST", "/dispatches/e1.1/proof", report)
    page = await phone(desk, market, "proof/e1.1")
    await expect(page.get_by_label("What it is")).to_have_value("Concentrator")
    await page.get_by_label("Lot number").fill("L-7")
    async with page.expect_response(lambda answer: answer.request.method == "POST"):
        await page.get_by_role("button", name="Send").tap()
    await expect(page.get_by_label("Lot number")).to_have_value("L-7")
    first, last = (await as_vendor(desk, market, "GET", "/dispatches/e1.1/proof"))["parts"]
    assert last["report"] == report | {"at": first["at"], "items": [left | {"lot": "L-7"}]}


async def test_messages_go_both_ways_and_a_line_that_is_wrong_is_disputed(desk: Desk) -> None:
    market = await town(desk, "r1")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    page = await phone(desk, market, "ride/r1.1")
    await page.locator("summary").tap()
    await expect(page.locator(".prices tfoot")).to_contain_text("$45.00")
    await page.get_by_role("button", name="A line is wrong").tap()
    await page.get_by_label("What is wrong").fill("two wheelchairs")
    await page.get_by_role("dialog").get_by_role("button", name="Send").tap()
    await expect(page.locator("details")).to_contain_text("fare, $45.00: being looked at")
    await expect(page.locator("header .live")).to_have_attribute("data-live", "true")
    await desk.call(
        market, "POST", "/dispatches/r1.1/messages", {"text": "The gate is open"}, Role.COORDINATOR
    )
    await page.get_by_role("link", name="Messages 1 new").tap()
    await expect(page.locator(".theirs")).to_contain_text("The gate is open")
    await page.get_by_label("Message to the dispatchers").fill("On my way <b>now</b>")
    await page.get_by_role("button", name="Send").evaluate("button => { button.click(); button.click(); }")
    await expect(page.locator(".mine")).to_contain_text("On my way <b>now</b>")
    thread = await desk.call(market, "GET", "/dispatches/r1.1/messages", None, Role.COORDINATOR)
    assert [each["text"] for each in thread["messages"]] == ["The gate is open", "On my way <b>now</b>"]
    assert {each["by"]: each["up_to"] for each in thread["read"]}["vendor:v1"] == 1


async def test_capacity_is_as_last_week_by_one_tap_and_changed_by_hours_and_a_paper_is_renewed(
    desk: Desk,
) -> None:
    market = await town(desk)
    hours = [2 if 6 <= hour < 18 else 0 for hour in range(24)]
    week = Pools(pools=(Pool(id="vans", serves=(ServiceClass.WHEELCHAIR,), units=tuple(hours)),))
    stored = desk.parts.service.markets.store(market)  # a day that is past now: nobody may post it any more
    await stored.capacity.put("v1", date(2026, 2, 25), week, tz=desk.zones[market])
    page = await phone(desk, market, "capacity")
    wednesday, thursday = page.locator("[data-day='2026-03-04']"), page.locator("[data-day='2026-03-05']")
    await wednesday.get_by_role("button", name="As last week").tap()
    await expect(wednesday.locator(".pools")).to_contain_text("06:00–18:00: 2")
    await thursday.get_by_role("button", name="As last week").tap()
    await expect(thursday).to_contain_text("Nothing was posted a week before.")
    await wednesday.get_by_role("button", name="Change").tap()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("To").select_option("05:00")
    await dialog.get_by_role("button", name="Save").tap()
    await expect(dialog.get_by_role("alert")).to_have_text("05:00 is not after 06:00.")
    await dialog.get_by_label("To").select_option("20:30")
    await dialog.get_by_label("Units").fill("3")
    assert await problems_in_both_themes(page) == []
    await dialog.get_by_role("button", name="Save").tap()
    await expect(wednesday.locator(".pools")).to_contain_text("06:00–20:30: 3")
    posted = await as_vendor(desk, market, "GET", "/vendors/v1/capacity/2026-03-04")
    assert posted["pools"][0]["units"] == [3 if 12 <= half < 41 else 0 for half in range(48)]
    await wednesday.get_by_role("button", name="Change").tap()
    units = {"kind": "pools", "pools": [{"id": "vans", "serves": ["wheelchair"], "units": [7]}]}
    other = "/vendors/v1/capacity/2026-03-04"  # a colleague's phone
    await desk.call(market, "PUT", other, units, Role.VENDOR, If_Match='"2"')
    await dialog.get_by_role("button", name="Save").tap()
    await expect(dialog.get_by_role("alert")).to_have_text(
        "somebody else has changed it meanwhile; look again"
    )
    await dialog.get_by_role("button", name="Cancel").tap()
    await expect(wednesday.locator(".pools")).to_contain_text("00:00–24:00: 7")
    desk.failures.clear()  # the browser tells of each day for which nothing is posted

    await visit(page, "papers")
    await page.get_by_role("button", name="Add a later paper").tap()
    await page.get_by_label("Last valid day").fill("2026-03-20")
    await page.get_by_label("Its number and issuer").fill("P-17, Acme Mutual")
    await page.get_by_role("dialog").get_by_role("button", name="Send").tap()
    await expect(page.locator("li.card").first).to_contain_text("runs out on Mar 20, 2026, in 18 days")
    papers = (await as_vendor(desk, market, "GET", "/vendors/v1"))["credentials"]
    (renewed,) = [each for each in papers if each["expires_on"] == "2026-03-20"]
    assert (renewed["kind"], renewed["document"]) == ("auto_insurance", "P-17, Acme Mutual")
    await a_paper_is_shown(desk, market, page)


async def a_paper_is_shown(desk: Desk, market: str, page: Page) -> None:
    """A photo of it, then a PDF; looked at; what nobody can read is said."""
    card, dialog = page.locator("li.card").first, page.get_by_role("dialog")
    await card.get_by_role("button", name="Send photo or PDF").tap()
    for name, media, content, told in (
        ("p.txt", "text/plain", b"no picture", "This file cannot be read."),
        ("p.pdf", "application/pdf", bytes(2_000_001), "This PDF has more than 2 MB."),
        ("p.png", "image/png", PIXEL, ""),
    ):
        await page.set_input_files("input[type=file]", {"name": name, "mimeType": media, "buffer": content})
        await dialog.get_by_role("button", name="Send").tap()
        if told:
            await expect(dialog.get_by_role("alert")).to_contain_text(told)
    await expect(card).to_contain_text("photo of 1 KB, sent Mar 2, 2026")
    await card.get_by_role("button", name="Look at it").tap()
    await expect(dialog.get_by_role("img", name="Auto insurance")).to_be_visible()
    assert await problems_in_both_themes(page) == []
    await page.keyboard.press("Escape")
    await card.get_by_role("button", name="Send another").press("Enter")
    pdf = {"name": "p.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 policy"}
    await page.set_input_files("input[type=file]", pdf)
    assert await problems_in_both_themes(page) == []
    await dialog.get_by_role("button", name="Send").press("Enter")
    await expect(card).to_contain_text("PDF of 1 KB")
    await card.get_by_role("button", name="Look at it").press("Enter")
    async with page.expect_download() as saved:
        await dialog.get_by_role("button", name="Save it").press("Enter")
    assert (await saved.value).suggested_filename == "auto_insurance-2026-03-20.pdf"
    papers = (await as_vendor(desk, market, "GET", "/vendors/v1"))["credentials"]
    assert [each["file"]["by"] for each in papers if each.get("file")] == ["vendor:v1"]
    kept = await page.evaluate(KEPT)
    assert [each for each in kept if "/credentials/" in each] == [], "the phone keeps none of it"


async def test_whoever_left_the_phone_for_a_quarter_of_an_hour_sees_no_name_before_a_touch(
    desk: Desk,
) -> None:
    market = await town(desk, "r1")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    page = await phone(desk, market, "ride/r1.1")
    name = page.get_by_role("heading", name="Robin Wren")
    await page.clock.fast_forward(14 * 60_000)
    await expect(name).to_be_visible()
    await page.locator("h1").tap()
    await page.clock.fast_forward(14 * 60_000)
    await expect(name).to_be_visible()
    await page.clock.fast_forward(70_000)
    await expect(page.get_by_role("dialog")).to_contain_text("Hidden while nobody looked")
    assert await page.locator("main").get_attribute("inert") is not None, "no screen reader reads it either"
    assert await problems(page, *COLOURS) == []
    await page.keyboard.press("Enter")
    await expect(name).to_be_visible()


async def test_a_change_of_a_ride_is_agreed_to_in_spanish(desk: Desk) -> None:
    market = await town(desk, "r1")
    await as_vendor(desk, market, "POST", "/offers/r1.1/accept")
    needs = {"needs": {"escorts": 1}}
    await desk.call(market, "POST", "/requests/r1/amend", needs, Role.OPS)
    page = await phone(desk, market, "more")
    await page.get_by_label("Language").select_option("es")
    await expect(page.locator("html")).to_have_attribute("lang", "es")
    await page.wait_for_selector(".panel h1:has-text('Más')")
    await visit(page, "ride/r1.1")
    await page.get_by_role("link", name="Va a cambiar: responda").tap()
    await expect(page.locator("main")).to_contain_text("viaja con 1")
    assert await problems_in_both_themes(page) == []
    await page.get_by_role("button", name="Aceptar el cambio").tap()
    await expect(page.locator("h1")).to_have_text("Robin Wren")
    view = await desk.call(market, "GET", "/requests/r1", None, Role.OPS)
    assert [each["outcome"] for each in view["amendments"]] == ["agreed"]


async def test_the_first_load_is_small_and_the_page_may_be_installed_and_asks_nobody_else(desk: Desk) -> None:
    market = await town(desk, "r1")
    page = await phone(
        desk, market, clock=False, service_workers="block"
    )  # it loads the rest later, for offline
    await page.wait_for_selector("[data-offer='r1.1']")
    entries = "['navigation', 'resource'].flatMap(each => performance.getEntriesByType(each))"
    loaded = await page.evaluate(f"{entries}.map(each => [each.name, each.decodedBodySize])")
    assert {url.startswith(desk.url) for url, _ in loaded} == {True}
    assert 40_000 < sum(size for _, size in loaded) <= FIRST_LOAD_BYTES, loaded
    with_headers = await page.evaluate(f"{entries}.map(each => each.transferSize)")
    assert 20_000 < sum(with_headers) <= FIRST_LOAD_BYTES * 2 / 3, with_headers
    async with ClientSession(desk.url) as browser:
        async with browser.get("/vendor") as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
        async with browser.get("/vendor/app.webmanifest") as answer:
            manifest = json.loads(await answer.text())
        for icon in manifest["icons"]:
            async with browser.get(icon["src"]) as answer:
                assert (answer.status, answer.content_type) == (200, icon["type"])
        async with browser.get("/vendor/worker.js") as answer:
            assert answer.headers["Service-Worker-Allowed"] == manifest["scope"] == "/vendor"


async def test_a_scorecard_says_how_sure_it_is_and_an_outcome_behind_a_figure_is_disputed(desk: Desk) -> None:
    market = await town(desk, "r1", "r2")
    await as_vendor(desk, market, "POST", "/offers/r1.1/decline", {"code": "BAD_WEATHER"})
    await as_vendor(desk, market, "POST", "/offers/r2.1/accept")
    page = await phone(desk, market, "more")
    await page.get_by_role("link", name="Scorecard").tap()
    declined = page.locator(".figure", has_text="declined: bad weather")
    await expect(declined).to_contain_text("50 %")
    await expect(declined).to_contain_text("too few to tell much")
    assert await problems_in_both_themes(page) == []
    await declined.tap()
    await page.get_by_role("button", name="This is wrong").tap()
    await page.get_by_label("What is wrong").fill("The road was closed")
    await page.get_by_role("dialog").get_by_role("button", name="Send").tap()
    await expect(page.locator("li.card")).to_contain_text("disputed: being looked at")
    path = "/vendors/v1/scorecard/disputes"
    (dispute,) = (await desk.call(market, "GET", path, None, Role.OPS))["disputes"]
    assert (dispute["text"], dispute["outcome"]) == ("The road was closed", "declined")
    answer = {"upheld": False, "reason": "Others drove"}
    await desk.call(market, "POST", f"{path}/{dispute['id']}/answer", answer, Role.OPS)
    await page.reload()
    await expect(page.locator("li.card")).to_contain_text("disputed: it counts onReason: Others drove")


async def test_who_is_suspended_reads_so_and_why_where_its_offers_would_be(desk: Desk) -> None:
    market = await town(desk)
    step = {"state": "suspended", "reason": "no seat belts"}
    await desk.call(market, "POST", "/vendors/v1/onboarding", step, Role.OPS)
    page = await phone(desk, market)
    for panel in ("offers", "papers"):
        await visit(page, panel)
        await expect(page.locator(".warn")).to_contain_text("You are suspended: no offers come.")
        await expect(page.locator(".warn")).to_contain_text("Reason: no seat belts")
    assert await problems_in_both_themes(page) == []
