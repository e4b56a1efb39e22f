"""The market that the console is measured on is a sound one, and the browser is asked as it should be."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from zoneinfo import ZoneInfo

import pytest

from benchmarks import console
from benchmarks.busy_market import BusyMarket
from benchmarks.devtools import PageError, browser, private_mb
from dispatcher.audit.auditor import audit
from dispatcher.runtime.errors import UserError
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.store import Store
from tests.browser import program

RING = PatientKeyFile("dev", {"dev": bytes(range(32))})
PAGE = (
    """data:text/html,<body><script>onkeydown = e => document.title += e.key; console.error("odd")</script>"""
)


async def test_a_busy_market_is_sound_and_stays_so_while_it_changes(redis_server: EmbeddedRedis) -> None:
    async with Store(redis_server.url, RING) as store:
        market = BusyMarket(store.market("busy"), ZoneInfo("America/New_York"), vendors=8)
        await market.open()
        await market.fill(40)
        counts = await store.market("busy").requests.counts()
        assert {state.value: count for state, count in counts.items() if count} == dict.fromkeys(
            ("received", "offered", "accepted", "in_progress"), 10
        )
        await market.change(100)
        counts = await store.market("busy").requests.counts()
        open_now = sum(count for state, count in counts.items() if state.value != "completed")
        assert (open_now, len(market.under_way)) == (40, 40)
        assert sum(counts.values()) > 40
        report = await audit(store.reader, "busy", streams=True)
        assert Counter(each["rule"] for each in report["findings"]) == {}


def test_frames_are_told_as_a_pace() -> None:
    assert console.paces([0, 10, 20, 30, 40]) == {"pan_fps": 100.0, "pan_frame_p95_ms": 10}
    assert console.paces([5]) == {"pan_fps": 0.0, "pan_frame_p95_ms": 0.0}


def test_what_is_told_can_be_read_and_parsed() -> None:
    figures = {"first_paint_ms": 700, "aims": console.AIMS, "errors": ["TypeError: x"]}
    assert "first_paint_ms                     700" in console.told(json.loads(json.dumps(figures)))
    assert console.told(figures).endswith("error: TypeError: x")
    parser = argparse.ArgumentParser()
    console.add_arguments(parser)
    assert parser.parse_args([]).changes == 180_000


async def test_a_page_is_asked_pressed_and_heard() -> None:
    program()
    async with browser() as found:
        page = await found.page({})
        await page.open(PAGE)
        await page.until("document.readyState === 'complete' && document.body")
        await page.key("j")
        await page.until("document.title === 'j'")
        assert await page.run("new Promise((done) => setTimeout(() => done({ a: [1] })))") == {"a": [1]}
        with pytest.raises(PageError, match="nothing is not defined"):
            await page.run("nothing")
        assert (await page.figures())["Nodes"] > 0
        assert max(map(private_mb, await found.renderers())) > 1
        assert found.errors == ["odd"]


async def test_without_a_browser_it_is_said_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError, match="no browser"):
        async with browser():
            pass
