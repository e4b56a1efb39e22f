"""Answers that are there: a what-if that is done, what a shadow found, a canary that rolled itself back."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from msgspec.structs import replace
from playwright.async_api import expect

from contracts.codes import Role
from contracts.instants import to_instant
from contracts.tuning_canary import CanaryHeld, CanaryState, Guarded, GuardrailFound
from contracts.tuning_shadow import ShadowBatch, ShadowFound, ShadowKind, ShadowRow
from contracts.what_if import WhatIfState
from dispatcher.store.what_ifs import Standing
from dispatcher.what_if.moment import MomentAsked, compare_moment
from dispatcher.what_if.runner import Runner
from solvers.travel import DetourTravel
from tests.console.conftest import PHONE, SHARED, Desk
from tests.console.pages import problems, problems_in_both_themes, visit
from tests.console.trouble import ride, vendor

pytestmark = SHARED
DEARER = {"values": {"price_weight": 2.0}, "reason": "punctual rather than cheap"}


async def what_if(desk: Desk, market: str, change: Any) -> tuple[str, Any]:
    """One that is asked, and what its process would work on."""
    stored, service, clock = desk.parts.service.store.market(market), desk.parts.service, desk.parts.clock
    name = (await desk.call(market, "POST", "/what-if", {"change": change}, Role.OPS))["id"]
    saved, zone = partial(service.decisions.saved, market), desk.zones[market]
    runner = Runner(stored, zone, clock, DetourTravel.of, "test", lambda: False, saved)
    asked = (await stored.what_ifs.all())[name]
    return name, (runner, asked, await runner._prepared(asked))


async def shadowed(desk: Desk, market: str) -> None:
    """A candidate that would have moved one request in the one batch there was."""
    await desk.call(market, "PUT", "/tuning/shadow", DEARER, Role.OPS)
    stored = desk.parts.service.store.market(market)
    row = ShadowRow(
        request_id="r1", kind=ShadowKind.MOVED, vendor="v2", instead_of="v1", cents=1_200, minutes=-10,
        reason="window_penalty", anyway=False,
    )  # fmt: skip
    batch = ShadowBatch(
        at=to_instant(desk.parts.clock.now_ms()), tuning_version=0, requests=2, moved=1, gained=0, lost=0,
        anyway=0, cents=1_200, rows=(row,),
    )  # fmt: skip
    found = ShadowFound(of=1, batches=1, failed=2, requests=2, moved=1, cents=1_200, recent=(batch,))
    await stored.tuning_shadow_found.put(found, 0)


async def rolled_back(desk: Desk, market: str) -> None:
    """A canary that declined too much, and has seen nothing yet of what is late."""
    await desk.call(market, "PUT", "/tuning/canary", DEARER | {"days": 3}, Role.OPS)
    part = desk.parts.service.store.market(market).tuning_canary
    held = await part.get()
    assert held.value.canary is not None
    declined = GuardrailFound(
        what=Guarded.DECLINED, candidate=0.31, other=0.2, difference=0.11, pairs=9, evidence=3.4,
        enough=3.0, crossed=True,
    )  # fmt: skip
    late = GuardrailFound(
        what=Guarded.LATE, candidate=None, other=None, difference=None, pairs=0, evidence=1.0, enough=80.0,
        crossed=False,
    )  # fmt: skip
    ended = replace(
        held.value.canary,
        state=CanaryState.ROLLED_BACK,
        ended_at=to_instant(desk.parts.clock.now_ms()),
        why="declined: 31 % where the candidate decided, 20 % elsewhere",
        found=(declined, late),
    )
    await part.put(CanaryHeld(canary=ended), held.version)


async def test_an_answer_says_what_is_chance_what_was_found_and_why_it_was_rolled_back(desk: Desk) -> None:
    market = desk.new_market()
    await vendor(desk, market, "v1")
    fares = [{"level_of_service": "wheelchair", "base_cents": 9_000}]
    await vendor(desk, market, "v2", rate_card={"fares": fares})
    for name in ("r1", "r2"):
        await ride(desk, market, name)
    done, (runner, asked, work) = await what_if(
        desk, market, {"pause": ["v1"], "values": {"max_attempts": 3}}
    )
    assert isinstance(work, MomentAsked)
    await runner.stored.what_ifs.keep_answer(done, compare_moment(work), days=1)
    await runner._end(asked, WhatIfState.DONE, "", progress=1.0)
    fell, (runner, asked, _) = await what_if(desk, market, {"capacity_percent": -20})
    detail = "it could not be worked out against now: TypeError\nMaybe ask again."
    await runner._note(asked, Standing(state=WhatIfState.FAILED, detail=detail))
    await shadowed(desk, market)
    await rolled_back(desk, market)

    page = await desk.open(f"what-if/{done}", market=market)
    await expect(page.locator(".verdict")).to_have_text("cents a request 4,500 → 9,000")
    await expect(page.locator(".figures")).to_contain_text("2of 2 would fare otherwise")
    figures = page.get_by_role("region", name="Figures")
    await expect(figures).to_contain_text("Capacity used: a tenth of the vendors less than")
    said = await figures.locator("td:first-child").all_text_contents()
    assert [each for each in said if re.search(r"_| p\d\d|ms$", each)] == [], "a figure's field is no word"
    grid = page.get_by_role("grid", name="Requests that would fare otherwise")
    await expect(grid.get_by_role("row").filter(has_text="r1")).to_contain_text("v2")
    await page.get_by_role("button", name="Lose a vendor").press("Enter")
    await expect(grid.get_by_role("row").filter(has_text="r1")).to_have_count(0)
    assert await problems(page) == []
    await page.keyboard.press("a")
    await expect(page.get_by_role("dialog")).to_contain_text("Not applied by that: v1 paused.")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("max_attempts,")).to_have_value("3")

    await visit(page, market, f"what-if/{fell}")
    await expect(page.get_by_role("alert")).to_contain_text("failed: it could not be worked out against now")
    await expect(page.locator(".remedy")).to_have_text("Maybe ask again.")

    await visit(page, market, "tuning/trials")
    shadow = page.locator(".panel", has_text="Shadow").first
    await expect(shadow).to_contain_text("2 failed")
    await expect(shadow.get_by_role("row").filter(has_text="r1")).to_contain_text("window penalty")
    canary = page.locator(".panel", has_text="Canary")
    await expect(canary.locator(".trouble")).to_have_text(
        "declined: 31 % where the candidate decided, 20 % elsewhere"
    )
    await expect(canary.get_by_role("row").filter(has_text="declined")).to_contain_text("3.4 of 3.0")
    await expect(canary.get_by_role("row").filter(has_text="declined")).to_contain_text("crossed")
    await expect(canary.get_by_role("row").filter(has_text="late")).to_have_text("late–––0nothing seen yet–")
    assert await problems_in_both_themes(page) == []
    await page.set_viewport_size(PHONE)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await page.get_by_role("button", name="Put it away").press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("No canary. It lets a candidate decide")).to_be_visible()
