"""What is committed is free of addresses of package registries, and light; tests mirror the packages."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REGISTRIES = [
    ".".join(parts)  # in parts, so that this file names none either
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("unpkg", "com"),
        ("jsdelivr", "net"),
        ("crates", "io"),
        ("anaconda", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
    ]
]
LARGEST_FILE_BYTES = 1_000_000


@pytest.fixture(scope="module")
def committed() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("this is no git checkout")
    return [path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_committed_file_names_a_package_registry(committed: list[Path]) -> None:
    named = [
        (path.name, host)
        for path in committed
        for host in REGISTRIES
        if host.encode() in path.read_bytes().lower()
    ]
    assert named == []


def test_no_committed_file_is_large(committed: list[Path]) -> None:
    assert [path.name for path in committed if path.stat().st_size > LARGEST_FILE_BYTES] == []


def packages(folder: Path) -> list[Path]:
    return [path.parent for path in sorted(folder.glob("*/__init__.py"))]


def test_every_package_and_every_room_of_the_service_has_its_tests() -> None:
    """`tests/` has the rooms of the service and the other packages side by side."""
    tops = [path for path in packages(ROOT) if path.name not in ("dispatcher", "tests")]
    found = {path.name for path in (*tops, *packages(ROOT / "dispatcher"))}
    tested = {path.name for path in packages(ROOT / "tests") if any(path.rglob("test_*.py"))}
    assert found - tested == set()
