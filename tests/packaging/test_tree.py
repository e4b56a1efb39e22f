"""What is committed is free of addresses of package registries, and light."""

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
