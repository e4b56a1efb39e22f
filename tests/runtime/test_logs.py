"""Log lines say what failed and where, and never what it was working on."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import io
import json
import logging
import socket
import sys

import pytest
import structlog
import uvloop

from dispatcher.runtime import logs

CANARY = "CANARY-7e57"


@pytest.mark.parametrize("as_json", [True, False])
def test_a_failure_is_logged_with_its_place_but_without_text_or_variables(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    before = structlog.get_config()
    logs.configure("info", as_json=as_json)
    try:
        _fail(CANARY)
    except RuntimeError:
        structlog.get_logger().exception("it failed", request="r1")
    finally:
        structlog.configure(**before)
    told = capsys.readouterr().err
    assert CANARY not in told
    assert "RuntimeError < ValueError" in told
    assert "_fail" in told
    if as_json:
        assert json.loads(told)["request"] == "r1"


class Disk(io.StringIO):
    """Full, until it is not."""

    full = True

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


def test_lines_that_cannot_be_written_end_nothing_and_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    before, disk = structlog.get_config(), Disk()
    monkeypatch.setattr(sys, "stderr", disk)
    logs.configure("info", as_json=True)
    try:
        for number in range(4):
            disk.full = number < 2
            structlog.get_logger().info("it happened", number=number)
    finally:
        structlog.configure(**before)
    told, after = map(json.loads, disk.getvalue().splitlines())
    assert (told["number"], told["lines_lost"]) == (2, 2)
    assert "lines_lost" not in after


def test_what_is_told_again_and_again_has_a_line_a_minute_that_says_how_many_it_stands_for() -> None:
    now_s, told = 0.0, []
    repeats = logs.Repeats(lambda: now_s)
    for second in range(61):
        now_s = float(second)
        for market in ("metro", "coast"):
            with contextlib.suppress(structlog.DropEvent):
                told.append(repeats.told(None, "", {"event": "it_fails", "level": "error", "market": market}))
    facts = [(each["market"], each.get("left_out", 0)) for each in told]
    assert facts == [("metro", 0), ("coast", 0), ("metro", 59), ("coast", 59)]


def test_what_is_no_trouble_is_told_however_often_and_few_lines_are_known_at_a_time() -> None:
    repeats = logs.Repeats(lambda: 1.0)
    done = {"event": "it_is_done", "level": "info"}
    assert [repeats.told(None, "", done) for _ in range(3)] == [done] * 3
    for number in range(2 * logs.MOST_KNOWN):
        repeats.told(None, "", {"event": "it_fails", "level": "error", "number": number})
    assert len(repeats._known) == logs.MOST_KNOWN


def test_a_librarys_line_is_told_without_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    logs.configure("info", as_json=True)
    try:
        _fail(CANARY)
    except RuntimeError:
        logging.getLogger("aiohttp.server").exception("Error handling %s", CANARY)
    finally:
        structlog.configure(**before)
        logging.getLogger().handlers[:] = handlers
    told = capsys.readouterr().err
    assert CANARY not in told
    assert json.loads(told)["library"] == "aiohttp.server"


def test_a_name_that_is_looked_up_for_who_has_left_has_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    before, handlers, looked_up = structlog.get_config(), logging.getLogger().handlers[:], []

    async def leave() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(
            lambda _, context: [
                loop.default_exception_handler(context),
                looked_up.append(context["exception"]),
            ]
        )
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await loop.create_connection(asyncio.Protocol, "no-number", 1, flags=socket.AI_NUMERICHOST)
        while not looked_up:
            await asyncio.sleep(0.001)
            gc.collect()

    logs.configure("info", as_json=True)
    try:
        uvloop.run(leave())
    finally:
        structlog.configure(**before)
        logging.getLogger().handlers[:] = handlers
    assert isinstance(looked_up[0], socket.gaierror)
    assert capsys.readouterr().err == ""


def _fail(patient: str) -> None:
    try:
        raise ValueError(f"bad {patient}")
    except ValueError as error:
        raise RuntimeError(f"cannot store {patient}") from error
