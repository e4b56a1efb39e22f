"""`pip install ./distributions/client` gives all that an outsider needs, and nothing of the service."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "distributions" / "client"
PACKAGES = ("client", "contracts")
IMPORTED = """
import pkgutil, sys
before = set(sys.modules)
import client, contracts
for package in (client, contracts):
    for each in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        __import__(each.name)
tops = {each.partition(".")[0] for each in set(sys.modules) - before}
print(client.__file__, *sorted(tops - set(sys.stdlib_module_names)))
"""
HEAVY = {"numpy", "ortools", "highspy", "dispatcher", "solvers", "simulation"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("client-wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("dispatcher_client-*-py3-none-any.whl")
    return path


def test_it_holds_both_packages_whole_and_nothing_else(wheel: Path) -> None:
    sources = {str(path.relative_to(ROOT)) for each in PACKAGES for path in (ROOT / each).rglob("*.py")}
    with zipfile.ZipFile(wheel) as opened:
        assert {name for name in opened.namelist() if ".dist-info/" not in name} == sources


def test_it_asks_for_what_it_imports_as_the_service_does(wheel: Path) -> None:
    ours, services = (
        {each.partition(",<")[0] for each in tomllib.loads(told.read_text())["project"]["dependencies"]}
        for told in (HOME / "pyproject.toml", ROOT / "pyproject.toml")
    )  # the service alone needs an upper bound: of what it takes private parts over
    assert ours < services


def test_every_module_of_it_imports_without_the_service(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", IMPORTED],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    where, *tops = done.stdout.split()
    assert Path(where).is_relative_to(tmp_path)
    assert {"aiohttp", "msgspec", "msgpack", "redis"} <= set(tops)
    assert HEAVY.isdisjoint(tops)
