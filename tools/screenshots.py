"""Pictures of every page of the console and of the vendors' phone page, dark and light: to be looked at.

    ./run screenshots FOLDER [--pages today,board] [--at 11:00]

Plays the demo's day on a service of its own, stops to look at the hour asked for, and ends.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from contracts.codes import Role
from contracts.vendor_sign_ins import NewSignInLink
from dispatcher.console.assets import FOLDER
from dispatcher.demo.play import Options, played, settings_of
from dispatcher.runtime.clock import make_clock, slow_down
from dispatcher.serve.entrance import entrance
from dispatcher.serve.vendor_entrance import vendor_entrance
from dispatcher.settings import Settings
from simulation import small, stories
from simulation.day import Day, at
from tests import browser

ROLES = (Role.OPS, Role.COORDINATOR, Role.CASE_MANAGER)
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
SETTLED_MS = 1_500
VENDOR, VENDOR_PAGES = (
    "vendor-",
    ("offers", "day", "ride", "proof", "thread", "capacity", "scorecard", "papers", "more"),
)
OF_A_RIDE = ("ride", "proof", "thread")
READ = "path => fetch(path, {headers: {'X-Requested-With': '%s'}}).then(each => each.json())"


def main() -> int:
    """Play, look, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--pages", default=",".join(_pages()), help="pages, by comma (default: all)")
    parser.add_argument("--at", default="11:00", help="the hour of the day to look at (default: %(default)s)")
    parser.add_argument(
        "--speed", type=float, default=240.0, help="clock seconds a second (default: %(default)g)"
    )
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dispatcher-screenshots-") as folder:
        asyncio.run(_look(args, Path(folder)))
    return 0


def _pages() -> list[str]:
    found = re.findall(r'name: "([a-z-]+)"', (FOLDER / "core" / "pages.js").read_text())
    return [*found, *(f"{VENDOR}{each}" for each in VENDOR_PAGES)]


async def _look(args: argparse.Namespace, folder: Path) -> None:
    day = stories.with_episodes(small.generate(1), stories.EPISODES, 1)
    options = Options(speed=args.speed, seed=1, data_dir=folder)
    playing = asyncio.create_task(_play(day, options))
    try:
        await _until(day, options, args.at, playing)
        if (begins := settings_of(day, options).clock_file) is not None:
            await asyncio.sleep(slow_down(begins))  # now an hour lasts an hour
        async with async_playwright() as tools:
            program = browser.program()
            opened = await tools.chromium.launch(executable_path=program, args=["--no-sandbox"])
            await _shoot(args, opened, day, options)
            await _shoot_phone(args, opened, day, settings_of(day, options))
            await opened.close()
    finally:
        playing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await playing


async def _play(day: Day, options: Options) -> None:
    async with played(day, options, Console(file=io.StringIO())):
        await asyncio.Event().wait()


async def _until(day: Day, options: Options, hour: str, playing: asyncio.Task[None]) -> None:
    """Wait until the day's clock shows the hour."""
    settings = settings_of(day, options)
    hours, minutes = map(int, hour.split(":"))
    wanted_ms, clock = at(day.tz, hours * 60 + minutes, day.date), make_clock(*settings.clock)
    with _progress() as shown:
        shows = shown.add_task(f"the day, until {hour}", total=wanted_ms - day.start_ms)
        while not playing.done():
            shown.update(shows, completed=clock.now_ms() - day.start_ms)
            if settings.address_file.exists() and clock.now_ms() >= wanted_ms:
                return
            await asyncio.sleep(0.2)
    playing.result()


def _progress() -> Progress:
    """How far the day has gone, and for how long it goes on."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=Console(stderr=True)
    )


async def _shoot(args: argparse.Namespace, opened: Browser, day: Day, options: Options) -> None:
    settings = settings_of(day, options)
    link = entrance(settings, roles=ROLES, markets=[day.market], subject="Dana")
    context = await opened.new_context(viewport=DESK)  # type: ignore[arg-type]
    page = await _entered(context, link)
    base = page.url.rsplit("/", 1)[0]
    example = await _examples(page, day.market)
    for name in _chosen(args, vendor=False):
        for theme, size in (("light", DESK), ("dark", DESK), ("phone", PHONE)):
            await page.set_viewport_size(size)  # type: ignore[arg-type]
            await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            await page.goto(f"{base}/{name}{example.get(name, '')}")
            await page.wait_for_selector("main h1")
            await page.wait_for_timeout(SETTLED_MS)
            if name in ("today", "board") and theme != "phone":
                await page.keyboard.press("j")
                await page.wait_for_timeout(SETTLED_MS // 2)
            await page.screenshot(path=args.folder / f"{name}-{theme}.png", full_page=theme == "phone")
        print(args.folder / f"{name}-light.png", flush=True)


async def _entered(context: BrowserContext, link: str) -> Page:
    page = await context.new_page()
    page.on("pageerror", lambda error: print("error:", error))
    page.on("console", lambda said: print("console:", said.text) if said.type == "error" else None)
    await page.goto(link)
    await page.wait_for_selector("main h1")
    return page


async def _examples(page: Page, market: str) -> dict[str, str]:
    """What stands behind a page's name where it needs an id: the first request."""
    found = await page.evaluate(READ % "dispatcher", f"/v1/markets/{market}/requests?limit=1")
    return {"request": f"/{found['requests'][0]['id']}"} if found.get("requests") else {}


def _chosen(args: argparse.Namespace, *, vendor: bool) -> list[str]:
    return [each for each in args.pages.split(",") if each.startswith(VENDOR) is vendor]


async def _shoot_phone(args: argparse.Namespace, opened: Browser, day: Day, settings: Settings) -> None:
    """Pages of the vendor that has most of it, in the light, in the dark and in Spanish."""
    names = _chosen(args, vendor=True)
    phones = [await _phone(opened, day, settings, each.id) for each in day.vendors] if names else []
    for name in names:
        panel = name.removeprefix(VENDOR)
        wanted = "requested" if panel == "offers" else "accepted"
        page, offers = max(phones, key=lambda each: len(_in(each[1], wanted)))
        ride = next(iter(_in(offers, "accepted")), "")
        place = f"{panel}/{ride}" if panel in OF_A_RIDE else panel
        for theme, language in (("light", "en"), ("dark", "en"), ("spanish", "es")):
            await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            await page.evaluate(f"localStorage.setItem('dispatcher-vendor-language', '{language}')")
            await page.goto(f"{page.url.partition('/vendor')[0]}/vendor/{place}")
            await page.wait_for_selector(".panel h1")
            await page.wait_for_timeout(SETTLED_MS)
            await page.screenshot(path=args.folder / f"{name}-{theme}.png")
        print(args.folder / f"{name}-light.png", flush=True)


async def _phone(
    opened: Browser, day: Day, settings: Settings, vendor_id: str
) -> tuple[Page, list[dict[str, str]]]:
    """A vendor's phone, signed in; and its offers and dispatches."""
    link = await vendor_entrance(settings, day.market, vendor_id, NewSignInLink(subject="Ana"))
    context = await opened.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(link.url)
    await page.wait_for_selector(".panel h1")
    found = await page.evaluate(READ % "dispatcher-vendor", f"/v1/markets/{day.market}/offers")
    return page, found["offers"]


def _in(offers: list[dict[str, str]], state: str) -> list[str]:
    return [each["id"] for each in offers if each["state"] == state]


if __name__ == "__main__":
    sys.exit(main())
