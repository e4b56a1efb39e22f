"""`pip install .` gives the whole service: what the wheel holds, and that it runs away from the checkout."""

import contextlib
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
PACKAGES = ("contracts", "client", "solvers", "simulation", "dispatcher")


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


@pytest.fixture(scope="module")
def installed(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel in a folder of its own, away from the checkout."""
    folder = tmp_path_factory.mktemp("away") / "installed"
    wheel.extractall(folder)
    return folder


@contextlib.contextmanager
def changing(file: Path) -> Iterator[Path]:
    """A file that is put back at the end."""
    before = file.read_bytes()
    try:
        yield file
    finally:
        file.write_bytes(before)


def run(code: str, *path: Path) -> subprocess.CompletedProcess[str]:
    """Python with these folders first on its path, and nothing of the checkout before them."""
    return subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=path[-1].parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True,
        text=True,
        check=False,
    )


def dispatcher(words: list[str], *path: Path) -> subprocess.CompletedProcess[str]:
    """The command `dispatcher`, started from what is installed on this path."""
    return run(f"import sys; from dispatcher.cli import main; sys.exit(main({words!r}))", *path)


def package(folder: Path, name: str, text: str = "", distribution: str = "") -> Path:
    """A folder with another's package of that name, installed by a distribution if one is named."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(text)
    if distribution:
        info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "top_level.txt").write_text(f"{name}\n")
        (info / "RECORD").write_text(f"{name}/__init__.py,,\n")
    return folder


def test_the_wheel_runs_away_from_the_checkout(installed: Path) -> None:
    done = run("import dispatcher.cli as c; print(c.__file__); c.main(['--help'])", installed)
    where, *rest = done.stdout.splitlines()
    assert Path(where).is_relative_to(installed)
    assert any(line.startswith("usage: dispatcher") for line in rest)


def test_an_installation_says_that_benchmarks_need_a_checkout(installed: Path) -> None:
    done = dispatcher(["bench", "assignment"], installed)
    assert done.returncode == 1
    assert f"no benchmarks lie beside {installed / 'dispatcher'}" in done.stderr
    assert "Maybe clone the repository and run ./run bench there." in done.stderr


@pytest.mark.parametrize("name", ["contracts", "client", "solvers", "simulation"])
def test_another_package_of_the_same_name_ends_the_start_before_it_is_imported(
    name: str, installed: Path, tmp_path: Path
) -> None:
    other = package(tmp_path / "other", name, "raise SystemExit('imported')", "smart-things")
    done = dispatcher(["--version"], other, installed)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"dispatcher: the package {name!r} in {other / name} is not dispatcher's "
        "but of the distribution smart-things.\n"
        "Maybe give dispatcher an environment of its own (pipx, a new venv, the image), or uninstall the "
        "other package and then install dispatcher again; or a folder of the working directory comes "
        "first: start from elsewhere.\n"
    )


def test_a_package_that_was_written_over_is_noticed(installed: Path) -> None:
    with changing(installed / "contracts" / "__init__.py") as file:
        file.write_text("ABI = []\n")
        assert f"the package 'contracts' in {installed / 'contracts'}" in dispatcher([], installed).stderr


def test_a_package_that_another_took_with_it_is_noticed(installed: Path) -> None:
    with changing(installed / "solvers" / "__init__.py") as file:
        file.unlink()
        assert "the package 'solvers'" in dispatcher([], installed).stderr


def test_the_look_at_the_start_imports_none_of_the_packages(installed: Path) -> None:
    code = (
        "import sys; from dispatcher.runtime.own_packages import OURS, refuse_foreign; refuse_foreign();"
        "print([each for each in OURS if each in sys.modules])"
    )
    assert run(code, installed).stdout == "[]\n"
