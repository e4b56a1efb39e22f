"""The lock files fix every package by version and hash, name no address, and hold what pyproject asks for."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, files, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BASE = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
BENCH = PROJECT["project"]["optional-dependencies"]["bench"]
ASKED = {
    "requirements.txt": BASE,
    "requirements-bench.txt": [*BASE, *BENCH],
    "requirements-dev.txt": [*BASE, *BENCH, *PROJECT["dependency-groups"]["dev"]],
    "requirements-image.txt": [*BASE, *EXTRAS["otel"], *EXTRAS["s3"]],
    "requirements-build.txt": PROJECT["dependency-groups"]["build"],
    "requirements-roads.txt": PROJECT["dependency-groups"]["roads"],
}
LOCKS = sorted(ASKED)
LARGEST_ENVIRONMENT_MB, BYTECODE_MB = 350, 25


def entries(lock: str) -> list[str]:
    """The lock's requirements, each on one line with its hashes."""
    return (ROOT / lock).read_text().replace("\\\n", " ").splitlines()


def pins(lock: str) -> dict[str, str]:
    """Name → version, of the entries that apply to this interpreter and platform."""
    found = {}
    for entry in entries(lock):
        wanted = Requirement(entry.partition("--hash")[0].strip())
        if wanted.marker is None or wanted.marker.evaluate():
            found[canonicalize_name(wanted.name)] = str(wanted.specifier).removeprefix("==")
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(
        r"^\s*(-i|-f|--(extra-)?index-url|--find-links|--trusted-host)\b", text, re.MULTILINE
    )


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_has_one_version_and_hashes(lock: str) -> None:
    for entry in entries(lock):
        assert re.match(r"^[a-z0-9-]+==[^ ]+ ", entry), entry[:60]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry[:60]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_pyproject_asks_for(lock: str) -> None:
    locked = pins(lock)
    for line in ASKED[lock]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(locked[canonicalize_name(wanted.name)]), line


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_its_packages_ask_for(lock: str) -> None:
    locked = pins(lock)
    for name, pinned in locked.items():
        try:
            here = version(name)
        except PackageNotFoundError:  # ziglang, say: not needed where there is a compiler
            continue
        if here != pinned:
            continue
        for needed in map(Requirement, requires(name) or ()):
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                assert needed.specifier.contains(locked[canonicalize_name(needed.name)]), f"{name}: {needed}"


@pytest.mark.parametrize(
    "layer", ["requirements-bench.txt", "requirements-dev.txt", "requirements-image.txt"]
)
def test_a_layer_agrees_with_the_base_it_lies_on(layer: str) -> None:
    assert pins("requirements.txt").items() <= pins(layer).items()


def test_no_tool_of_tests_or_benchmarks_is_in_the_service_s_environment() -> None:
    strangers = {
        "pytest",
        "hypothesis",
        "mypy",
        "ruff",
        "matplotlib",
        "numba",
        "llvmlite",
        "ziglang",
    }
    assert strangers.isdisjoint(pins("requirements.txt"))


def test_the_service_s_environment_stays_under_its_limit_on_disk() -> None:
    installed = [path.locate() for name in pins("requirements.txt") for path in files(name) or ()]
    sources = [Path(path) for path in installed if Path(path).suffix != ".pyc"]
    taken = sum(path.stat().st_size for path in sources if path.exists()) / 1_000_000
    assert 100 < taken < LARGEST_ENVIRONMENT_MB - BYTECODE_MB
