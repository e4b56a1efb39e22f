"""Where CI runs a browser is installed, and a test that needs one fails rather than being skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser import NAMES, REQUIRED, program

ROOT = Path(__file__).resolve().parents[2]
SAYS = '#!/bin/sh\necho "{name} $*"\n'
RUN = f'#!/bin/sh\necho "run $* {REQUIRED}=${REQUIRED}"\n'


def nowhere(name: str) -> None:
    """As `shutil.which` where there is none."""


def test_a_browser_that_is_missing_skips_a_test_with_what_may_help_and_fails_it_in_ci() -> None:
    assert program({}, lambda name: "/usr/bin/chromium") == "/usr/bin/chromium"
    for environment in ({}, {REQUIRED: ""}, {REQUIRED: "0"}):
        with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
            program(environment, nowhere)
    with pytest.raises(pytest.fail.Exception, match="must not be skipped"):
        program({REQUIRED: "1"}, nowhere)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A checkout whose ./run says what it was given, and a PATH with what .ci/run needs, nothing else."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    put(tmp_path / "run", RUN)
    for tool in ("bash", "sh", "dirname"):
        (tmp_path / "bin" / tool).parent.mkdir(exist_ok=True)
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def put(program_file: Path, text: str) -> None:
    program_file.write_text(text)
    program_file.chmod(0o755)


def ci(machine: Path) -> tuple[list[str], str]:
    """What ./run was called with; what was said beside it."""
    words = [str(machine / ".ci" / "run"), "-x"]
    path = {**os.environ, "PATH": str(machine / "bin"), REQUIRED: ""}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=path)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_browser_that_is_there_is_used(machine: Path, name: str) -> None:
    put(machine / "bin" / name, SAYS.format(name=name))
    assert ci(machine) == ([f"run test -x {REQUIRED}=1"], "")


def test_a_browser_that_is_missing_is_installed(machine: Path) -> None:
    for name in ("apt-get", "sudo"):
        put(machine / "bin" / name, SAYS.format(name=name))
    said, told = ci(machine)
    assert said == [f"run test -x {REQUIRED}=1"]
    assert "apt-get update" in told
    assert "--no-install-recommends chromium" in told


def test_where_none_can_be_installed_that_is_said_and_the_tests_are_run_still(machine: Path) -> None:
    said, told = ci(machine)
    assert said == [f"run test -x {REQUIRED}=1"]
    assert "could not be installed: the tests that need one will fail" in told
    assert "apt-get install chromium" in told
