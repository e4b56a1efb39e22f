"""Vendors, Care, Health and Audit in a browser: every act by keyboard, nothing that axe finds."""

from __future__ import annotations

from pathlib import Path

import msgspec
from aiohttp import ClientSession
from playwright.async_api import Page, Route, expect

from contracts.codes import Role
from contracts.webhooks import DeliveryOutcome, NewWebhook
from dispatcher.security.principal import Principal
from dispatcher.store.events import FIELD, Entry
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.pulse import Workers
from dispatcher.store.streams import GROUP
from dispatcher.store.webhooks import Buried, Called, Progress, Sent
from tests.console.conftest import PHONE, SHARED, Desk
from tests.console.pages import problems_in_both_themes, visit
from tests.console.test_vendor_panels import PIXEL
from tests.domain import make
from tests.http.conftest import trip

pytestmark = SHARED
PAPERS = [
    {"kind": "auto_insurance", "expires_on": "2026-12-31"},
    {"kind": "drug_screen", "expires_on": "2026-10-31"},
]
NAME = "Nadia Canary"


async def sound(page: Page) -> None:
    """Nothing that axe finds, in either theme; nothing wider than a phone."""
    assert await problems_in_both_themes(page) == []
    await page.set_viewport_size(PHONE)
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


async def with_vendor(desk: Desk) -> str:
    market = desk.new_market()
    body = msgspec.to_builtins(make.vendor("v1")) | {"credentials": PAPERS}
    await desk.call(market, "PUT", "/vendors/v1", body, Role.OPS)
    return market


async def test_a_vendor_is_paused_with_its_reason_and_its_papers_verified_by_keyboard(desk: Desk) -> None:
    market = await with_vendor(desk)
    page = await desk.open("vendors", market=market)
    await expect(page.get_by_role("row").filter(has_text="takes work")).to_be_visible()
    await page.keyboard.press("p")
    await page.keyboard.type("no calls back")
    await page.keyboard.press("Enter")  # to the button first: it is grave
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("row").filter(has_text="paused by ops")).to_be_visible()
    stands = (await desk.call(market, "GET", "/vendors/v1"))["ops_pause"]
    assert (stands["subject"], stands["reason"]) == ("Dana", "no calls back")
    await sound(page)
    page = await desk.open("vendors/v1", market=market)
    await expect(page.get_by_text("no calls back")).to_be_visible()
    await page.keyboard.press("v")
    await page.keyboard.press("Space")  # the first one was not seen
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Take back that drug screen was verified")).to_be_visible()
    papers = (await desk.call(market, "GET", "/vendors/v1"))["credentials"]
    assert [bool(each.get("verified")) for each in papers] == [False, True]
    await sound(page)
    page = await desk.open("audit?group=vendors", market=market)
    await expect(page.get_by_role("row").filter(has_text="pause vendor")).to_contain_text("no calls back")
    await expect(page.get_by_role("row").filter(has_text="verify papers")).to_contain_text("drug_screen")
    await sound(page)
    await page.route("**/audit?*", one_at_a_time)
    await page.keyboard.press("r")
    await expect(page.get_by_role("button", name="Read earlier ones")).to_be_visible()
    async with page.expect_download() as saved:
        await page.keyboard.press("e")
    acts = (await desk.call(market, "GET", "/audit?group=vendors"))["acts"]
    lines = Path(await (await saved.value).path()).read_text("utf-8-sig").splitlines()
    assert len(acts) >= 2
    assert len(lines) == 1 + len(acts)  # all of them, whatever was on the screen


async def one_at_a_time(route: Route) -> None:
    """A list that has more than one page."""
    await route.continue_(url=route.request.url.replace("limit=200", "limit=1"))


async def another_document(desk: Desk, market: str) -> None:
    """The vendor sends one from its phone, while ops looks at the one before."""
    path = f"{desk.url}/v1/markets/{market}/vendors/v1/credentials/drug_screen/document"
    headers = {
        "Authorization": f"Bearer {desk.token(Role.VENDOR, market=market)}",
        "Content-Type": "image/png",
    }
    async with ClientSession() as session, session.put(path, data=PIXEL, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def test_the_document_of_a_paper_is_sent_seen_and_verified_by_keyboard(desk: Desk) -> None:
    market = await with_vendor(desk)
    page = await desk.open("vendors/v1", market=market)
    row, dialog = page.get_by_role("row").filter(has_text="drug screen"), page.get_by_role("dialog")
    for content, name, media in ((PIXEL, "p.png", "image/png"), (b"%PDF-1.7 x", "p.pdf", "application/pdf")):
        await row.get_by_role("button", name="Send a").press("Enter")
        chosen = {"name": name, "mimeType": media, "buffer": content}
        await page.set_input_files("input[type=file]", chosen)
        assert await problems_in_both_themes(page) == []
        await page.get_by_role("button", name="Send it").press("Enter")
        await (
            row.get_by_role("button", name="See the document")
            .and_(row.get_by_role("button", name="PDF" if media == "application/pdf" else "PNG"))
            .press("Enter")
        )
        if media == "image/png":
            await expect(dialog.get_by_role("img", name="drug screen of v1")).to_be_visible()
            assert await problems_in_both_themes(page) == []
            await dialog.get_by_role("button", name="Verify it").press("Enter")
            await expect(row).to_contain_text("ops")
    async with page.expect_download() as saved:
        await dialog.get_by_role("button", name="Save PDF").press("Enter")
    assert (await saved.value).suggested_filename.startswith("v1-drug_screen-")
    await page.keyboard.press("Escape")
    await row.get_by_role("button", name="See the document").press("Enter")
    await expect(dialog.get_by_role("button", name="Save PDF")).to_be_visible()
    await another_document(desk, market)
    await dialog.get_by_role("button", name="Verify it").press("Enter")
    await expect(dialog.get_by_role("alert")).to_contain_text("has not the document that you looked at")
    desk.failures.clear()  # the browser tells of the 409, which it is
    await page.keyboard.press("Escape")  # what is there now is read by itself
    await expect(row.get_by_role("button", name="See the document")).to_contain_text("PNG")
    await expect(row).to_contain_text("not yet")
    page = await desk.open("audit?group=vendors", market=market)
    await expect(page.get_by_role("row").filter(has_text="see document").first).to_contain_text("drug_screen")


async def test_caps_are_added_changed_and_removed_by_keyboard_over_what_was_read(desk: Desk) -> None:
    market = await with_vendor(desk)
    page = await desk.open("vendors/v1", market=market)
    dialog, row = page.get_by_role("dialog"), page.get_by_role("row").filter(has_text="medicaid-ny")
    await expect(page.get_by_text("It has no caps")).to_be_visible()
    await page.keyboard.press("c")
    await page.keyboard.type("medicaid-ny")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("alert")).to_contain_text("It says no limit.")
    await dialog.get_by_label("Trips at most").fill("40")
    assert await problems_in_both_themes(page) == []
    await page.keyboard.press("Enter")
    await expect(row).to_contain_text("month2026-03-012026-03-310")
    await row.get_by_role("button", name="Change the cap").press("Enter")
    await dialog.get_by_label("Dollars at most").fill("1250.50")
    other = {"caps": [{"payer": "medicaid-ny", "period": "month", "trips": 7}]}
    await desk.call(market, "PUT", "/vendors/v1/caps", other, Role.OPS, If_Match='"1"')
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("alert")).to_contain_text("changed it meanwhile: nothing of this was")
    desk.failures.clear()  # the browser tells of the 412, which it is
    await page.keyboard.press("Escape")  # what is there now is read by itself
    await expect(row).to_contain_text("7")
    await row.get_by_role("button", name="Change the cap").press("Enter")
    await dialog.get_by_label("Dollars at most").fill("1250.50")
    await page.keyboard.press("Enter")
    await expect(row).to_contain_text("$1,250.50")
    await sound(page)
    await page.get_by_role("button", name="Remove the cap of medicaid-ny each month").press("Enter")
    await expect(page.get_by_text("It has no caps")).to_be_visible()
    await page.get_by_role("button", name="Put it back").press("Enter")
    await expect(row).to_contain_text("$1,250.50")
    stands = await desk.call(market, "GET", "/vendors/v1/caps", None, Role.OPS)
    assert [(each["trips"], each["cents"]) for each in stands["caps"]] == [(7, 125_050)]


async def test_a_vendor_is_suspended_with_a_reason_by_keyboard_and_its_page_says_so(desk: Desk) -> None:
    market = await with_vendor(desk)
    page = await desk.open("vendors/v1", market=market)
    await expect(page.get_by_role("heading", name="Why no offers, the last 7 days")).to_be_visible()
    await page.keyboard.press("o")
    await expect(page.locator("dialog select")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.type("no seat belts")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("suspended since")).to_contain_text("no seat belts")
    stands = (await desk.call(market, "GET", "/vendors/v1"))["onboarding"]
    assert (stands["state"], stands["subject"], stands["reason"]) == ("suspended", "Dana", "no seat belts")


async def test_a_name_is_shown_once_that_it_is_recorded_was_said_and_not_before(desk: Desk) -> None:
    market = desk.new_market()
    rides = [trip(name, patient={"name": NAME}) for name in ("r1", "r2")]
    episode = {"sequence": [{"before": "r1", "after": "r2"}]}
    whole = {"id": "e1", "requests": rides, "episode": episode}
    await desk.call(market, "POST", "/episodes", whole, Role.COORDINATOR)
    page = await desk.open("care", market=market)
    await page.get_by_role("link", name="e1").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("img", name="r1 before r2")).to_be_visible()
    await page.keyboard.press("i")
    await expect(page.get_by_role("dialog")).to_contain_text("is recorded, and ops")
    assert (await desk.call(market, "GET", "/patient-reads"))["reads"] == []
    assert NAME not in await page.content()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_contain_text(NAME)
    (look,) = (await desk.call(market, "GET", "/patient-reads"))["reads"]
    assert (look["subject"], look["reason"]) == ("Dana", "care")
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(
        0
    )  # hidden is not enough: the name would still be there
    assert NAME not in await page.content()
    await page.keyboard.press("n")
    await page.keyboard.type("the door is at the back")
    await page.get_by_role("button", name="Add it").press("Enter")
    await expect(page.get_by_text("the door is at the back")).to_be_visible()
    happened = page.locator(".panel", has_text="What happened").get_by_role("listitem")
    await expect(happened.filter(has_text="noted")).to_contain_text("noted · Dana (coordinator)")
    await expect(happened.filter(has_text="put together")).to_contain_text(
        "put together · Dana (coordinator)"
    )
    await sound(page)
    later = {"window": rides[0]["pickup_window"] | {"latest": "2026-03-03T18:00:00+00:00"}}
    await desk.call(market, "POST", "/requests/r1/ask-window", later, Role.OPS)
    await page.keyboard.press("r")
    tasks = page.locator(".panel", has=page.get_by_role("heading", name="Tasks"))
    await tasks.get_by_role("button", name="Claim window asked of r1").press("Enter")
    await expect(tasks).to_contain_text("Dana")
    await tasks.get_by_role("button", name="Finish window asked of r1").press("Enter")
    await page.locator("dialog button.grave").press("Enter")
    await expect(tasks).to_contain_text("Nobody has anything to do.")
    assert (await desk.call(market, "GET", "/tasks/r1.window_asked"))["outcome"] == "resolved"


async def test_a_dead_letter_is_sent_again_from_the_page_that_says_how_the_market_is_served(
    desk: Desk,
) -> None:
    market = desk.new_market()
    stored = desk.parts.service.store.market(market)
    stream = stored.keys.shared_replies
    name = await stored.node.reader.ask("XADD", stream, "*", FIELD, b"x")
    await desk.parts.service.store.streams.ensure_group(stream, GROUP)
    await stored.dead_letters.bury(Entry(stream, name.decode(), b"x"), GROUP, "internal")
    await stored.lease.acquire("matcher-1", 60_000)
    await stored.matchers.announce("matcher-1", 60_000)
    await stored.pulse.solved_by(Workers(3, busy=2, tasks_waiting=4, oldest_task_s=600.0))
    page = await desk.open("health", market=market)
    await expect(page.locator(".figures")).to_contain_text("2 of 3")
    await expect(page.locator(".figures")).to_contain_text("solves wait for a worker, 10 min the first")
    await expect(page.get_by_role("row").filter(has_text="matcher-1")).to_contain_text("has it, fence 1")
    await sound(page)
    await page.get_by_role("button", name="Send again").press("Enter")
    await expect(page.get_by_text("No dead letters")).to_be_visible()
    (again,) = await desk.parts.service.store.streams.read(stream)
    assert again.id != name.decode()


async def test_a_webhook_that_takes_nothing_is_seen_and_what_it_missed_sent_again(desk: Desk) -> None:
    market = desk.new_market()
    service = desk.parts.service
    part = service.store.market(market).webhooks
    key = IdempotencyRecord.of("webhooks", "k1", b"")
    who = Principal.of(Role.OPS, markets=None)
    hook = await service.webhooks.make(who, market, NewWebhook(url="https://vendor.example/told"), key)
    fence = await part.lease.acquire("sender", 60_000) or ""
    sent = Sent("events", "1-1", "r1", "dispatch.request.changed", "r1", "r1.2.0", 1, 3, code="http_500")
    called = [Called(1, sent, DeliveryOutcome.DEAD, "msg_1", 7)]
    progress = Progress(position="1-1", replays=1)
    await part.flush(hook, fence, progress, waiting=None, called=called, dead=[Buried(1, sent)])
    page = await desk.open("health", market=market)
    row = page.get_by_role("row").filter(has_text="vendor.example")
    await expect(row).to_contain_text("the platform")
    await row.get_by_role("button", name="Calls").press("Enter")
    await expect(page.get_by_role("row").filter(has_text="dead: http 500")).to_contain_text("r1")
    await sound(page)
    await row.get_by_role("button", name="Send again").press("Enter")
    await expect(page.get_by_text("1 dead letters of the platform are sent again.")).to_be_visible()
    found = await part.records.get(hook.id)
    assert found is not None
    assert found.again == ("all",)
    await expect(row.get_by_role("button", name="Send again")).to_be_focused()
    await row.get_by_role("button", name="Disable").press("Enter")
    await expect(row).to_contain_text("disabled: by hand")
    await expect(row.get_by_role("button", name="Enable")).to_be_focused()  # the list was read anew meanwhile
    await expect(row.get_by_role("button", name="Send again")).to_be_disabled()
    await page.route("**/webhooks?*", lambda route: route.abort())
    await row.get_by_role("button", name="Enable").press("Enter")
    again = page.get_by_role("button", name="Try again")
    await expect(again).to_be_visible()
    await expect(row.get_by_role("button", name="Enable")).to_be_focused()  # what was read before stays
    await page.unroute_all(behavior="wait")
    desk.failures.clear()  # the browser tells of each call that did not go out
    await again.press("Enter")
    await expect(row.get_by_role("button", name="Disable")).to_be_visible()
    await expect(page.locator(":focus").get_by_role("row").filter(has_text="vendor.example")).to_be_visible()


async def test_who_is_not_ops_is_told_so_and_asks_for_nothing(desk: Desk) -> None:
    market = desk.new_market()
    page = await desk.open("today", Role.COORDINATOR, market=market)
    for path in ("vendors", "health", "audit", "tuning", "what-if"):
        await visit(page, market, path)
        await expect(page.get_by_text("is for ops.")).to_be_visible()
