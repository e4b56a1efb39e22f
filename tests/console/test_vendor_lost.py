"""Why no offers come, on the phone: in both languages, by keys, with the way to what helps."""

from __future__ import annotations

from playwright.async_api import expect

from dispatcher.store.keys import Keys
from tests.console.conftest import SHARED, Desk
from tests.console.pages import problems_in_both_themes
from tests.console.test_vendor_panels import until
from tests.console.vendors_phone import phone, town

pytestmark = SHARED
LOST = {
    "offered": 2,
    "others": 3,
    "pools:stretcher": 4,
    "pool_limits:wheelchair": 3,
    "pool_limits::max_weight_kg:vans:140": 2,
    "skills:wheelchair": 1,
    "skills::oxygen::": 1,
    "some_new_rule:als": 1,
}


async def test_a_vendor_reads_which_rule_took_its_offers_and_what_would_change_it(desk: Desk) -> None:
    market = await town(desk)
    key, ask = Keys(market).losses("v1", "2026-03-02"), desk.parts.service.store.reader.ask
    await ask("HSET", key, *(word for pair in LOST.items() for word in pair))
    page = await phone(desk, market, "more")
    await until(page, "link", "Why do I get no offers?")
    await page.keyboard.press("Enter")
    rules = page.locator("article")
    await expect(rules).to_have_count(4)
    await expect(page.locator(".plain").first).to_contain_text("14 were asked for")
    await expect(rules.nth(0)).to_contain_text("4 · you had posted no capacity for it")
    await expect(rules.nth(1)).to_contain_text("vans: carry 309 lb: 2 more")
    await expect(page.locator("[data-rule=skills]")).to_contain_text("have a crew with: oxygen: 1 more")
    await expect(page.locator("[data-rule=some_new_rule]")).to_contain_text("the rule some_new_rule")
    assert await problems_in_both_themes(page) == []
    await page.evaluate("localStorage.setItem('dispatcher-vendor-language', 'es')")
    await page.reload()
    await expect(page.locator("h1")).to_have_text("¿Por qué no me llegan ofertas?")
    await expect(rules.nth(1)).to_contain_text("vans: lleve 309 lb: 2 más")
    await page.get_by_label("Días").select_option("1")
    await expect(rules).to_have_count(4)
    link = rules.nth(0).get_by_role("link", name="Capacidad")
    assert await link.get_attribute("href") == "/vendor/capacity"
