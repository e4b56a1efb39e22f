"""A one-time link by a clock that runs fast, or ran fast until now."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.console import links
from dispatcher.security.key_files import read_token_keys
from dispatcher.security.tokens import Authenticator
from dispatcher.serve.entrance import entrance
from dispatcher.settings import Settings

FAST = 900.0
NOW_MS = 1_790_000_000_000


@pytest.mark.parametrize(("speed", "times"), [(None, FAST), (1.0, 1.0)])
def test_a_link_holds_a_quarter_of_an_hour_of_whoever_reads_it(
    tmp_path: Path, speed: float | None, times: float
) -> None:
    settings = Settings(data_dir=tmp_path, clock_start_ms=NOW_MS, clock_speed=FAST)
    code = entrance(settings, url="http://here", speed=speed).partition("#")[2]
    said = links.opened(Authenticator(read_token_keys(settings.token_keys_file)), code, 0)
    made_s = said.session["iat"]
    assert (said.exp - made_s, said.session["exp"] - made_s) == (
        links.MINUTES * 60 * times,
        12 * 3600 * times,
    )
