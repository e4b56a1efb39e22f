"""Authorizations in a browser: what is held for want of one, entered by a case manager, and revoked."""

from __future__ import annotations

from playwright.async_api import expect

from contracts.codes import Role
from tests.console.conftest import SHARED, Desk
from tests.console.pages import problems, problems_in_both_themes
from tests.console.trouble import ride

pytestmark = SHARED


async def test_what_waits_for_an_authorization_is_authorized_from_its_page(desk: Desk) -> None:
    market = desk.new_market()
    await ride(desk, market, "home", 300, hold=["authorization", "predecessor"])
    page = await desk.open("care/authorizations", Role.CASE_MANAGER, market=market)
    await page.get_by_role("button", name="Authorize home").press("Enter")
    form = page.get_by_role("dialog")
    await expect(form.locator("[name=services]").first).to_have_value("wheelchair")
    assert await problems(page) == []
    await page.keyboard.type("PA 77/b")
    await form.locator("[name=payer]").fill("Medicaid")
    await form.get_by_role("button", name="Authorize").press("Enter")
    await expect(page.get_by_role("region", name="Authorizations", exact=True)).to_contain_text("PA 77/b")
    await expect(page.get_by_text("Nothing waits for an authorization.")).to_be_visible()
    view = await desk.call(market, "GET", "/requests/home")
    assert [each["requirement"] for each in view["waits_for"]] == ["predecessor"]
    assert await problems_in_both_themes(page) == []
    await page.get_by_role("button", name="Revoke PA-77-b").press("Enter")
    await form.get_by_role("button", name="Revoke").press("Enter")
    await expect(page.get_by_role("cell", name="revoked")).to_be_visible()
