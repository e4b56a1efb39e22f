"""`pip install .` gives the whole service: what the wheel holds, and that it runs away from the checkout."""

import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("contracts", "client", "solvers", "simulation", "dispatcher", "benchmarks")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


def shipped_sources() -> set[str]:
    """Every file of the packages that is source: code, C, Lua, pages; nothing that a tool left there."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    made = {".pyc", ".so", ".dylib"}
    return {str(path.relative_to(ROOT)) for path in found if path.suffix not in made}


def test_the_wheel_holds_the_packages_whole(wheel: zipfile.ZipFile) -> None:
    assert shipped_sources() - set(wheel.namelist()) == set()


def test_the_wheel_holds_the_kernels_compiled_and_is_for_this_kind_of_machine(wheel: zipfile.ZipFile) -> None:
    assert [name for name in wheel.namelist() if name.startswith("solvers/kernels/_kernels-")] != []
    assert not str(wheel.filename).endswith("-any.whl")


def glibc_needed(library: bytes, folder: Path) -> tuple[int, int]:
    """The newest version that a symbol of the library asks of glibc, as binutils read it."""
    path = folder / "kernels.so"
    path.write_bytes(library)
    done = subprocess.run(["objdump", "-T", path], capture_output=True, text=True, check=True)
    found = re.findall(r"\bGLIBC_(\d+)\.(\d+)", done.stdout)
    return max((int(major), int(minor)) for major, minor in found)


@pytest.mark.skipif(not shutil.which("objdump"), reason="binutils are not here")
def test_the_wheel_says_the_glibc_that_its_kernels_need(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    named = re.search(r"-manylinux_(\d+)_(\d+)_(\w+)\.whl$", str(wheel.filename))
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("this machine has no glibc")
    assert named is not None, wheel.filename
    (kernels,) = [name for name in wheel.namelist() if name.startswith("solvers/kernels/_kernels-")]
    needed = glibc_needed(wheel.read(kernels), tmp_path)
    assert (int(named[1]), int(named[2])) == max(needed, (2, 17))
    assert named[3] == platform.machine()


def test_the_wheel_holds_no_test_and_no_tool(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist() if ".dist-info/" not in name}
    assert tops == set(PACKAGES)


def test_the_wheel_names_the_command_and_the_locked_requirements(wheel: zipfile.ZipFile) -> None:
    info = {Path(name).name: wheel.read(name).decode() for name in wheel.namelist() if ".dist-info/" in name}
    assert "dispatcher = dispatcher.cli:main" in info["entry_points.txt"]
    assert "Requires-Dist: ortools" in info["METADATA"]
    assert "Requires-Dist: pytest" not in info["METADATA"]


def test_the_wheel_runs_away_from_the_checkout(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path / "installed")
    code = "import dispatcher.cli; print(dispatcher.__file__); dispatcher.cli.main(['--help'])"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        check=True,
    )
    where, *rest = done.stdout.splitlines()
    assert Path(where).is_relative_to(tmp_path / "installed")
    assert any(line.startswith("usage: dispatcher") for line in rest)
