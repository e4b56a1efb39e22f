"""A vendor's phone: signed in by the link that ops issues, in a market with offers for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.async_api import Page

from contracts.codes import Role
from tests.console.conftest import PHONE, Desk
from tests.console.trouble import ride, vendor

PATIENT = {
    "name": "Robin Wren",
    "phone": "+1 212 555 0143",
    "pickup_address": "12 Elm Street, 3B",
    "dropoff_address": "Dialysis centre, 400 First Avenue",
    "notes": "Ring twice",
}
NAMES = ("Robin Wren", "Sam Heron", "Alex Finch", "Kim Swift", "Jo Martin", "Lee Dove")
DRIVER = {"subject": "Ana"}


async def phone(
    desk: Desk, market: str, path: str = "", *, clock: bool = True, behind_s: float = 0, **context: Any
) -> Page:
    """The page on a phone of vendor v1, entered by its link. `clock`: a test may move the page's on.

    `behind_s`: by so much it is behind that of its worker.
    """
    more = {"has_touch": True, "is_mobile": True} | context
    page = await desk.pages.take(("vendor", clock, behind_s), PHONE, **more)
    if clock:
        await page.clock.install(time=datetime.now(UTC) - timedelta(seconds=behind_s))
    made = await desk.call(market, "POST", "/vendors/v1/sign-in-links", DRIVER, Role.OPS)
    await page.goto(made["url"])
    await page.wait_for_selector("body > nav")
    if path:
        await visit(page, path)
    await page.wait_for_selector(".panel h1")
    return page


async def visit(page: Page, path: str) -> None:
    """Another of its panels, as a link leads there."""
    await page.evaluate(
        "where => { history.pushState(null, '', where); dispatchEvent(new PopStateEvent('popstate')); }",
        f"/vendor/{path}",
    )
    await page.wait_for_selector(".panel h1")


async def offered(desk: Desk, market: str, *names: str, minutes: float = 90, **changes: Any) -> None:
    """Rides of a named patient, so many minutes from now, each offered to v1."""
    for nth, name in enumerate(names):
        await ride(desk, market, name, minutes + 45 * nth, patient=PATIENT | {"name": NAMES[nth]}, **changes)
        await desk.call(market, "POST", f"/requests/{name}/offer", {"vendor_id": "v1"}, Role.OPS)


async def as_vendor(desk: Desk, market: str, method: str, path: str, body: Any = None) -> Any:
    """What the API answers to the vendor's own software."""
    return await desk.call(market, method, path, body, Role.VENDOR)


async def town(desk: Desk, *names: str, card: dict[str, int] | None = None, **changes: Any) -> str:
    """A market with v1, and rides that are offered to it; `card`: what it charges beside its fares."""
    market = desk.new_market()
    await vendor(desk, market, "v1", 8, rate_card=card or {})
    pool = {"kind": "pools", "pools": [{"id": "vans", "serves": ["wheelchair"], "units": [8]}]}
    await desk.call(market, "PUT", "/vendors/v1/capacity/2026-03-02", pool)
    await offered(desk, market, *names, **changes)
    return market
