"""Log lines say what failed and where, and never what it was working on."""

from __future__ import annotations

import errno
import io
import json
import logging
import sys

import pytest
import structlog

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


def _fail(patient: str) -> None:
    try:
        raise ValueError(f"bad {patient}")
    except ValueError as error:
        raise RuntimeError(f"cannot store {patient}") from error
