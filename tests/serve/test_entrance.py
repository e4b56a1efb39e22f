"""A way into a service that runs here, by its clock: one that runs fast, or ran fast until now."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dispatcher.console import links
from dispatcher.runtime.errors import UserError
from dispatcher.security.key_files import read_token_keys
from dispatcher.security.tokens import Authenticator
from dispatcher.serve import whereabouts
from dispatcher.serve.entrance import entrance
from dispatcher.settings import Settings

FAST = 900.0
NOW_MS = 1_790_000_000_000


def _running(folder: Path, *, slow: bool) -> Settings:
    """The settings of a service with a day of its own, which left word of itself in its folder."""
    began_s = time.time() - 10.0
    clock = folder / "clock"
    clock.write_text(f"{began_s!r} {began_s + 1.0!r}" if slow else repr(began_s))
    settings = Settings(data_dir=folder, clock_start_ms=NOW_MS, clock_speed=FAST, clock_file=clock)
    whereabouts.leave(settings, "http://here")
    return settings


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(("slow", "times"), [(False, FAST), (True, 1.0)])
def test_a_link_holds_a_quarter_of_an_hour_of_whoever_reads_it(
    tmp_path: Path, told: bool, slow: bool, times: float
) -> None:
    running = _running(tmp_path, slow=slow)
    beside = (
        running if told else Settings(data_dir=tmp_path)
    )  # as a command is started: told nothing of a clock
    link = entrance(beside)
    said = links.opened(Authenticator(read_token_keys(running.token_keys_file)), link.partition("#")[2], 0)
    made_s, now_s = said.session["iat"], whereabouts.moment(running).now_ms / 1000
    assert link.startswith("http://here/console/enter#")
    assert now_s - 60.0 * times < made_s <= now_s
    assert (said.exp - made_s, said.session["exp"] - made_s) == (
        links.MINUTES * 60 * times,
        12 * 3600 * times,
    )


def test_whom_a_service_left_goes_by_the_machines_clock_again(tmp_path: Path) -> None:
    running, beside = _running(tmp_path, slow=False), Settings(data_dir=tmp_path)
    assert whereabouts.moment(beside).speed == FAST
    whereabouts.take_back(running)
    assert whereabouts.moment(beside).speed == 1.0
    assert abs(whereabouts.moment(beside).now_ms / 1000 - time.time()) < 60.0
    with pytest.raises(UserError, match=r"no service of .* is running"):
        entrance(beside)


def test_a_clock_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    _running(tmp_path, slow=False)
    (tmp_path / "clock-settings.json").write_text("{")
    with pytest.raises(UserError, match=r"clock-settings\.json cannot be read: DecodeError"):
        whereabouts.moment(Settings(data_dir=tmp_path))
