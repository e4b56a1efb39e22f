"""The browser that tests look at pages with. Where there is none they are skipped, in CI they fail."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
REQUIRED = "TESTS_REQUIRE_BROWSER"  # set by .ci/run; not DISPATCHER_…: those are settings of the service
MISSING = (
    f"no browser is on the path (looked for: {', '.join(NAMES)})\n"
    "Maybe install one (Debian, as root: apt-get install chromium)."
)


def program(
    environment: Mapping[str, str] = os.environ, which: Callable[[str], str | None] = shutil.which
) -> str:
    """Where the browser is; else the test that asks is skipped, or fails where a browser is required."""
    for found in filter(None, map(which, NAMES)):
        return found
    if environment.get(REQUIRED, "") not in ("", "0"):
        pytest.fail(f"{MISSING} {REQUIRED} is set: it must not be skipped.", pytrace=False)
    pytest.skip(MISSING)
